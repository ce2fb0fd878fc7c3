//! The thread of a connection point: it waits for the display and for the sessions of its clients.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use x11rb::protocol::xproto::Window;

use super::client::Client;
use super::client::Parting;
use super::client::Progress;
use super::codec::Assembly;
use super::codec::Message;
use super::display::Display;
use super::display::Heard;
use super::display::Trouble;
use super::wake::Bell;
use super::wake::Stopped;
use crate::session::Session;

/// More clients than this are not answered.
const MOST_CLIENTS: usize = 1024;

/// So many events are taken before lines have their turn.
const TURN: usize = 1024;

/// How long a display that went away has to come back before the first look, and between the last ones.
const PAUSES: (Duration, Duration) = (Duration::from_secs(1), Duration::from_secs(60));

/// What an account has on a display.
pub(super) struct Server {
    pub(super) session: Arc<Session>,
    pub(super) name: String,
    pub(super) reply_delay: Duration,
    pub(super) bell: Arc<Bell>,
    pub(super) stopped: Arc<Stopped>,
}

impl Server {
    /// Serves a display, and those that come in its place, until it is stopped.
    pub(super) fn run(&self, mut display: Display) {
        loop {
            let mut desk = Desk::new(self, &display);
            let trouble = match desk.serve() {
                Ok(()) => return desk.close(),
                Err(trouble) => trouble,
            };
            if self.rest(Duration::ZERO).unwrap_or(true) {
                // The display did not even take what was said before.
                return;
            }
            tracing::warn!(display = self.name, error = %trouble, "display gone");
            drop(desk);
            match self.come_back() {
                Ok(Some(again)) => display = again,
                Ok(None) => return,
                Err(error) => {
                    tracing::error!(display = self.name, %error, "cannot wait for the display");
                    return;
                }
            }
            tracing::info!(display = self.name, "display back");
        }
    }

    /// Waits until the display is there again; `None` when stopped before.
    fn come_back(&self) -> io::Result<Option<Display>> {
        let (mut pause, longest) = PAUSES;
        while !self.rest(pause)? {
            let display = Display::connect(&self.name, &self.stopped);
            match display.and_then(|display| display.claim().map(|()| display)) {
                Ok(display) => return Ok(Some(display)),
                Err(trouble) => tracing::debug!(display = self.name, error = %trouble, "display not back"),
            }
            pause = longest.min(pause * 2);
        }
        Ok(None)
    }

    /// Waits for a while; whether it was stopped meanwhile.
    fn rest(&self, pause: Duration) -> io::Result<bool> {
        let until = Instant::now() + pause;
        loop {
            let left = until.saturating_duration_since(Instant::now());
            if self.stopped.wait(None, &self.bell, Some(left))? {
                return Ok(true);
            }
            if left.is_zero() {
                return Ok(false);
            }
        }
    }
}

/// The clients of one connection to a display.
struct Desk<'a> {
    server: &'a Server,
    display: &'a Display,
    started: Instant,
    assembly: Assembly,
    clients: HashMap<Window, Client>,
}

impl<'a> Desk<'a> {
    fn new(server: &'a Server, display: &'a Display) -> Self {
        let (assembly, clients) = (Assembly::default(), HashMap::new());
        Self { server, display, started: Instant::now(), assembly, clients }
    }

    /// Serves clients until the thread is to end.
    fn serve(&mut self) -> Result<(), Trouble> {
        loop {
            for _ in 0..TURN {
                let Some(heard) = self.display.next()? else { break };
                self.hear(heard)?;
            }
            let mut timeout = self.say()?;
            // While the display takes nothing this waits, and so does all that is to be said.
            self.display.flush()?;
            // What came while we wrote is in no descriptor any more.
            if let Some(heard) = self.display.next()? {
                self.hear(heard)?;
                timeout = Some(Duration::ZERO);
            }
            if self.server.stopped.wait(Some(self.display.descriptor()), &self.server.bell, timeout)? {
                return Ok(());
            }
        }
    }

    /// The last words: to those who have said their name, that this Skype is no more.
    fn close(mut self) {
        if let Err(parting) = self.last_words() {
            tracing::debug!(error = %parting, "the display did not hear the last words");
        }
    }

    fn last_words(&mut self) -> Result<(), Parting> {
        self.display.begin_last_words();
        let known = self.server.session.overview().clients;
        let has_name = |number| known.iter().any(|client| client.number == number && client.name.is_some());
        for (window, client) in &mut self.clients {
            match client.say_all(self.display) {
                Err(error @ Parting::Display(_)) => return Err(error),
                Err(Parting::Client(_)) => continue,
                Ok(()) => {}
            }
            if has_name(client.number()) {
                self.display.say(*window, "CONNSTATUS OFFLINE")?;
                self.display.say(*window, "USERSTATUS LOGGEDOUT")?;
            }
        }
        Ok(self.display.release()?)
    }

    fn hear(&mut self, heard: Heard) -> Result<(), Trouble> {
        match heard {
            Heard::Piece { sender, begins, piece } => {
                let now = self.started.elapsed();
                match self.assembly.take(sender, begins, &piece, now) {
                    Some(message) => self.command(sender, &message),
                    None => Ok(()),
                }
            }
            Heard::Gone(window) => {
                self.assembly.forget(window);
                if let Some(client) = self.clients.remove(&window) {
                    tracing::debug!(client = client.number(), "client gone");
                }
                Ok(())
            }
            Heard::Other => Ok(()),
        }
    }

    fn command(&mut self, sender: Window, message: &Message) -> Result<(), Trouble> {
        if !self.clients.contains_key(&sender) {
            if self.clients.len() >= MOST_CLIENTS {
                tracing::warn!(window = sender, reason = "too many clients", "client not answered");
                return Ok(());
            }
            match Client::attach(&self.server.session, sender, &self.server.bell) {
                Ok(client) => {
                    tracing::debug!(window = sender, client = client.number(), "client attached");
                    self.clients.insert(sender, client);
                    self.display.watch(sender)?;
                }
                Err(error) => tracing::debug!(error = error.chain(), "no client can be attached"),
            }
        }
        let Some(client) = self.clients.get_mut(&sender) else { return Ok(()) };
        match client.command(message, self.server.reply_delay, self.display) {
            Err(Parting::Display(trouble)) => Err(trouble),
            // Whoever has no session any more is found when its last line has gone out.
            Err(Parting::Client(_)) | Ok(()) => Ok(()),
        }
    }

    /// Says what waits for the clients; how long it may take until there is more to do by itself.
    fn say(&mut self) -> Result<Option<Duration>, Trouble> {
        let now = self.started.elapsed();
        self.assembly.forget_old(now);
        let mut due = self.assembly.due().map(|due| due.saturating_sub(now));
        let mut parted = Vec::new();
        for (window, client) in &mut self.clients {
            let next = match client.say(self.display) {
                Ok(Progress::Done) => continue,
                Ok(Progress::More) => Duration::ZERO,
                Ok(Progress::Held(until)) => until.saturating_duration_since(Instant::now()),
                Err(Parting::Display(trouble)) => return Err(trouble),
                Err(Parting::Client(error)) => {
                    tracing::warn!(client = client.number(), reason = error.chain(), "client dropped");
                    parted.push(*window);
                    continue;
                }
            };
            due = Some(due.map_or(next, |due| due.min(next)));
        }
        for window in parted {
            self.clients.remove(&window);
            self.display.ignore(window)?;
        }
        Ok(due)
    }
}
