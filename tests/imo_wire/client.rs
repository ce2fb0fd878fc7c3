//! The back end under test, and what it delivers.

use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;
use imo2skype::Config;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Events;
use imo2skype::backend::Failure;
use imo2skype::backend::Lost;
use imo2skype::backend::Mark;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Task;
use imo2skype::backend::Ticket;
use imo2skype::backend::Typing;
use imo2skype::backend::imo::ImoBackend;
use imo2skype::backend::imo::Limits;
use imo2skype::backend::imo::open_with;
use imo2skype::model::CallStatus;
use imo2skype::model::Handle;
use serde_json::json;

use crate::server::GUARD;
use crate::server::Server;
use crate::server::event;

/// Whether it is this event that is meant.
type Wanted = fn(&Event) -> bool;

struct Sink {
    events: Sender<Event>,
    /// The event at which to panic, once.
    trap: Arc<Mutex<Option<Wanted>>>,
}

impl Events for Sink {
    fn deliver(&self, event: Event) {
        let caught = self.trap.lock().expect("no panic").take_if(|wanted| wanted(&event)).is_some();
        assert!(!caught, "on purpose");
        let _ = self.events.send(event);
    }

    fn wait_for_room(&self) {}
}

pub(crate) struct Client {
    pub(crate) backend: ImoBackend,
    pub(crate) events: Receiver<Event>,
    trap: Arc<Mutex<Option<Wanted>>>,
}

impl Client {
    pub(crate) fn of(url: &str) -> Self {
        Self::with(url, Limits::default())
    }

    pub(crate) fn with(url: &str, limits: Limits) -> Self {
        Self::named("alice", url, limits)
    }

    pub(crate) fn named(name: &str, url: &str, limits: Limits) -> Self {
        let mut config = Config::new(name, "s&cret =%");
        config.set("server", url).expect("a URL");
        let mut backend = open_with(&config, limits).expect("a back end");
        let (sender, events) = unbounded();
        let trap = Arc::new(Mutex::default());
        backend.start(Arc::new(Sink { events: sender, trap: Arc::clone(&trap) }));
        Self { backend, events, trap }
    }

    /// Lets the session panic when it is told this, once.
    pub(crate) fn panic_at(&self, wanted: Wanted) {
        *self.trap.lock().expect("no panic") = Some(wanted);
    }

    /// A client that is online in session `S`, with bob as its contact; the server expects seq 4.
    pub(crate) fn online(server: &Server) -> Self {
        let mut client = Self::of(&server.url);
        client.connect(1);
        server.let_in("S");
        let buddies = json!([{"buid": "bob", "group": "Skype", "primitive": "available"}]);
        let signed_on = event(0, "signed_on", json!({"alias": "Alice A"}));
        server.poll().accept(json!([signed_on, event(1, "buddy_added", buddies)]));
        assert!(matches!(client.event(), Event::Contacts { complete: true, .. }));
        client.expect_connected(1);
        client
    }

    pub(crate) fn submit(&mut self, action: Action) {
        self.backend.submit(action).expect("room in the queue");
    }

    pub(crate) fn task(&mut self, ticket: u64, task: Task) {
        self.submit(Action::Task { ticket: Ticket(ticket), task });
    }

    pub(crate) fn typing(&mut self, user: &str, typing: Typing) {
        self.submit(Action::Typing { user: Handle::new(user), typing });
    }

    pub(crate) fn connect(&mut self, epoch: u32) {
        self.submit(Action::Connect { epoch: Epoch(epoch), presence: Presence::Available, mood: String::new() });
    }

    pub(crate) fn send(&mut self, ticket: u64, body: &str) {
        self.send_marked(ticket, body, Mark::new(ticket.to_string()));
    }

    /// What a program before may have sent.
    pub(crate) fn send_again(&mut self, ticket: u64, body: &str, id: &str) {
        self.send_marked(ticket, body, Mark { id: id.to_owned(), repeated: true });
    }

    pub(crate) fn send_marked(&mut self, ticket: u64, body: &str, mark: Mark) {
        let to = Address::User(Handle::new("bob"));
        self.task(ticket, Task::SendText { to, body: body.to_owned(), mark });
    }

    pub(crate) fn event(&self) -> Event {
        self.events.recv_timeout(GUARD).expect("an event")
    }

    pub(crate) fn expect_connected(&self, wanted: u32) {
        match self.event() {
            Event::Connected { epoch, me, display_name } => {
                assert_eq!((epoch, me), (Epoch(wanted), Handle::new("alice")));
                assert_eq!(display_name.as_deref(), Some("Alice A"));
            }
            other => panic!("not connected: {other:?}"),
        }
    }

    /// The session goes on; bob is still there.
    pub(crate) fn expect_resumed(&self, wanted: u32) {
        match self.event() {
            Event::Contacts { contacts, complete: false } => {
                let there: Vec<_> =
                    contacts.iter().map(|contact| (contact.handle.as_str(), contact.presence)).collect();
                assert_eq!(there, [("bob", Some(Presence::Available))]);
            }
            other => panic!("no contacts: {other:?}"),
        }
        self.expect_connected(wanted);
    }

    pub(crate) fn lost(&self, wanted: u32) -> Lost {
        match self.event() {
            Event::Disconnected { epoch, reason } => {
                assert_eq!(epoch, Epoch(wanted));
                reason
            }
            other => panic!("not disconnected: {other:?}"),
        }
    }

    /// The text of what made the server unreachable.
    pub(crate) fn unreachable(&self, epoch: u32) -> String {
        match self.lost(epoch) {
            Lost::Unreachable { error } => error.to_string(),
            other => panic!("not unreachable: {other:?}"),
        }
    }

    pub(crate) fn body(&self) -> String {
        match self.event() {
            Event::Message(message) => message.body,
            other => panic!("no message: {other:?}"),
        }
    }

    pub(crate) fn done(&self, wanted: u64) -> Result<Receipt, Failure> {
        match self.event() {
            Event::Done { ticket, outcome } => {
                assert_eq!(ticket, Ticket(wanted));
                outcome
            }
            other => panic!("not done: {other:?}"),
        }
    }

    /// Ends the back end; what it delivered until then must have been taken.
    pub(crate) fn end(self) {
        self.end_with_calls(0);
    }

    /// The same, in the middle of so many calls.
    pub(crate) fn end_with_calls(mut self, calls: usize) {
        self.backend.stop(Duration::ZERO);
        drop(self.backend);
        let left: Vec<_> = self.events.iter().collect();
        let over = |event: &&Event| matches!(event, Event::Call(call) if call.status == CallStatus::Finished);
        assert_eq!((left.iter().filter(over).count(), left.len()), (calls, calls), "{left:?}");
    }
}
