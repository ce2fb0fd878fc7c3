//! Application-to-application (skype-api 3.10): streams of text between programs.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use crate::model::Handle;

/// How many applications there may be.
const MOST_APPLICATIONS: usize = 1000;

/// How many texts wait for a reader on one stream, and how many bytes they may have together.
const MOST_TEXTS: usize = 1024;
const MOST_BYTES: usize = 8 << 20;

/// A stream to a user.
#[derive(Clone, Debug)]
pub struct Stream {
    /// Who is at the other end.
    pub user: Handle,
    /// Which of the streams to them.
    pub number: u32,
    /// Bytes on their way out.
    pub sending: usize,
    /// Texts that arrived and were not read.
    received: VecDeque<String>,
    waiting: usize,
}

impl Stream {
    /// A stream on which nothing was said.
    #[must_use]
    pub fn new(user: Handle, number: u32) -> Self {
        Self { user, number, sending: 0, received: VecDeque::new(), waiting: 0 }
    }

    /// Takes in a text; `false` if there is no room for it.
    pub fn receive(&mut self, text: String) -> bool {
        let fits = self.received.len() < MOST_TEXTS && self.waiting + text.len() <= MOST_BYTES;
        if fits {
            self.waiting += text.len();
            self.received.push_back(text);
        }
        fits
    }

    /// The next text to read.
    pub fn read(&mut self) -> Option<String> {
        let text = self.received.pop_front()?;
        self.waiting -= text.len();
        Some(text)
    }

    /// The length of the next text to read.
    #[must_use]
    pub fn next_length(&self) -> Option<usize> {
        self.received.front().map(String::len)
    }
}

/// An application, and the clients that take part in it.
#[derive(Clone, Debug)]
pub struct Application {
    /// The clients that created it.
    pub clients: Vec<u32>,
    /// Users who have it too, as far as the network tells.
    pub connectable: Vec<Handle>,
    /// Users to whom a stream is being made.
    pub connecting: Vec<Handle>,
    /// The streams.
    pub streams: Vec<Stream>,
}

impl Application {
    /// The stream to a user.
    pub fn stream_mut(&mut self, user: &Handle, number: u32) -> Option<&mut Stream> {
        self.streams.iter_mut().find(|stream| stream.user == *user && stream.number == number)
    }
}

/// The applications of an account, by name.
#[derive(Debug, Default)]
pub struct Applications(BTreeMap<String, Application>);

impl Applications {
    /// The application of this name.
    #[must_use]
    pub fn get(&self, name: &str) -> Option<&Application> {
        self.0.get(name)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, name: &str) -> Option<&mut Application> {
        self.0.get_mut(name)
    }

    /// Has a client take part; `false` if it does already, or there are too many.
    pub fn join(&mut self, name: &str, client: u32) -> bool {
        if self.0.len() >= MOST_APPLICATIONS && !self.0.contains_key(name) {
            return false;
        }
        let application = self.0.entry(name.to_owned()).or_insert_with(|| Application {
            clients: Vec::new(),
            connectable: Vec::new(),
            connecting: Vec::new(),
            streams: Vec::new(),
        });
        let new = !application.clients.contains(&client);
        if new {
            application.clients.push(client);
        }
        new
    }

    /// A client takes part no more; the application if it was the last one, `None` if it was not in it.
    pub fn leave(&mut self, name: &str, client: u32) -> Option<Option<Application>> {
        let application = self.0.get_mut(name)?;
        let place = application.clients.iter().position(|known| *known == client)?;
        application.clients.remove(place);
        Some(if application.clients.is_empty() { self.0.remove(name) } else { None })
    }

    /// The names of all applications.
    #[must_use]
    pub fn names(&self) -> Vec<String> {
        self.0.keys().cloned().collect()
    }

    /// The names of the applications in which a client takes part.
    #[must_use]
    pub fn of_client(&self, client: u32) -> Vec<String> {
        self.0.iter().filter(|(_, app)| app.clients.contains(&client)).map(|(name, _)| name.clone()).collect()
    }
}
