//! The clients, and the replies that are not due yet.

use std::collections::HashMap;
use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Instant;

use zbus::Message;

use super::bell::Bell;
use super::calls::FAILED;
use super::calls::LIMITS_EXCEEDED;
use super::calls::Refusal;
use crate::session::Session;
use crate::translate::Attachment;

/// More clients than this are turned away.
const MOST_CLIENTS: usize = 4096;

/// More replies of one client than this do not wait.
const MOST_HELD: usize = 256;

/// One connection to the bus that has sent a command.
pub(super) struct Client {
    pub(super) session: Session,
    /// Whether it has said its name, so that it hears of the end.
    pub(super) named: bool,
    /// How many of its replies wait. Meanwhile no notification overtakes them.
    held: usize,
}

impl Client {
    pub(super) fn holds(&self) -> bool {
        self.held > 0
    }

    pub(super) fn may_hold(&self) -> bool {
        self.held < MOST_HELD
    }
}

struct Held {
    due: Instant,
    client: Arc<str>,
    reply: Message,
}

/// All clients, by the name that the bus has given them.
#[derive(Default)]
pub(super) struct Clients {
    known: HashMap<Arc<str>, Client>,
    /// In the order in which they are due.
    held: VecDeque<Held>,
}

impl Clients {
    pub(super) fn get(&self, name: &str) -> Option<&Client> {
        self.known.get(name)
    }

    pub(super) fn get_mut(&mut self, name: &str) -> Option<&mut Client> {
        self.known.get_mut(name)
    }

    /// Those that have said their name.
    pub(super) fn named(&self) -> Vec<Arc<str>> {
        self.known.iter().filter(|(_, client)| client.named).map(|(name, _)| Arc::clone(name)).collect()
    }

    /// Takes in a client, unless it is known.
    pub(super) fn attach(&mut self, name: &str, session: &Session, bell: &Arc<Bell>) -> Result<(), Refusal> {
        if self.known.contains_key(name) {
            return Ok(());
        }
        if self.known.len() >= MOST_CLIENTS {
            tracing::warn!(peer = name, reason = "too many clients", "client turned away");
            return Err(Refusal(LIMITS_EXCEEDED, "too many clients".to_owned()));
        }
        let session = session
            .attach_as(Attachment::Named, format!("dbus {name}"))
            .map_err(|error| Refusal(FAILED, error.chain()))?;
        tracing::debug!(peer = name, client = session.client(), "client attached");
        let name: Arc<str> = name.into();
        let (bell, theirs) = (Arc::clone(bell), Arc::clone(&name));
        session.set_waker(Arc::new(move || bell.ring(Arc::clone(&theirs))));
        self.known.insert(name, Client { session, named: false, held: 0 });
        Ok(())
    }

    /// Lets a client go; whether there was one.
    pub(super) fn detach(&mut self, name: &str) -> bool {
        self.held.retain(|held| *held.client != *name);
        self.known.remove(name).is_some()
    }

    pub(super) fn clear(&mut self) {
        self.held.clear();
        self.known.clear();
    }

    /// Keeps a reply until it is due, and until those before it are.
    pub(super) fn hold(&mut self, name: &str, reply: Message, due: Instant) {
        let Some((name, client)) = self.known.get_key_value(name) else { return };
        let (name, count) = (Arc::clone(name), client.held + 1);
        let due = self.held.back().map_or(due, |last| last.due.max(due));
        self.held.push_back(Held { due, client: Arc::clone(&name), reply });
        if let Some(client) = self.known.get_mut(&name) {
            client.held = count;
        }
    }

    /// When the next reply is due.
    pub(super) fn due(&self) -> Option<Instant> {
        self.held.front().map(|held| held.due)
    }

    /// The next reply that is due, and whose it is.
    pub(super) fn take_due(&mut self, now: Instant) -> Option<(Arc<str>, Message)> {
        self.due().filter(|due| *due <= now)?;
        let held = self.held.pop_front()?;
        if let Some(client) = self.known.get_mut(&held.client) {
            client.held -= 1;
        }
        Some((held.client, held.reply))
    }

    /// The next reply of one client, due or not.
    pub(super) fn take_of(&mut self, name: &str) -> Option<Message> {
        let index = self.held.iter().position(|held| *held.client == *name)?;
        if let Some(client) = self.known.get_mut(name) {
            client.held -= 1;
        }
        self.held.remove(index).map(|held| held.reply)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;
    use crate::config::Config;

    fn message(text: &str) -> Message {
        super::super::bus::notify(":1.1", text).expect("a good name")
    }

    fn text(message: &Message) -> String {
        message.body().deserialize().expect("a string")
    }

    #[test]
    fn replies_wait_in_order_and_only_for_their_own_client() {
        let mut config = Config::new("alice", "secret");
        config.autologin = false;
        config.server = Some("http://127.0.0.1:1/".to_owned());
        let session = Session::open(config).expect("nothing is asked of the server");
        let (bell, mut clients) = (Arc::new(Bell::new()), Clients::default());
        for name in [":1.1", ":1.2"] {
            clients.attach(name, &session, &bell).expect("room");
        }
        let (start, second) = (Instant::now(), Duration::from_secs(1));
        clients.hold(":1.1", message("one"), start + second);
        // No reply overtakes another.
        clients.hold(":1.1", message("two"), start);
        clients.hold(":1.2", message("three"), start + 2 * second);
        clients.hold(":1.3", message("nobody"), start);
        assert_eq!(clients.due(), Some(start + second));
        assert!(clients.take_due(start).is_none());
        assert!(clients.get(":1.1").is_some_and(Client::holds));
        let taken = clients.take_due(start + second).map(|(name, reply)| (name.to_string(), text(&reply)));
        assert_eq!(taken, Some((":1.1".to_owned(), "one".to_owned())));
        assert_eq!(clients.take_of(":1.1").as_ref().map(text).as_deref(), Some("two"));
        assert!(clients.take_of(":1.1").is_none() && !clients.get(":1.1").is_some_and(Client::holds));
        assert!(clients.detach(":1.2") && !clients.detach(":1.2"));
        assert_eq!(clients.due(), None);
    }
}
