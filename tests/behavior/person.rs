//! Somebody with an account: what a session does with a back end, by hand.

use std::sync::Arc;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::Change;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Events;
use imo2skype::backend::Failure;
use imo2skype::backend::Mark;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Task;
use imo2skype::backend::Ticket;
use imo2skype::backend::Typing;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::view::View;

/// Only a guard against tests that hang.
pub(crate) const GUARD: Duration = Duration::from_secs(60);
pub(crate) const PASSWORD: &str = "secret";

#[derive(Default)]
struct Ear {
    view: Mutex<(View, bool)>,
    news: Condvar,
}

impl Events for Ear {
    fn deliver(&self, event: Event) {
        let mut heard = self.view.lock().expect("no panic");
        assert!(!heard.1, "after the stop: {event:?}");
        heard.0.hear(event);
        self.news.notify_all();
    }

    fn wait_for_room(&self) {}
}

pub(crate) struct Person {
    name: String,
    backend: Box<dyn Backend>,
    ear: Arc<Ear>,
    epoch: u32,
    tickets: u64,
}

impl Person {
    /// Started, and offline.
    pub(crate) fn offline(network: &dyn Network, name: &str) -> Self {
        Self::with_password(network, name, PASSWORD)
    }

    pub(crate) fn with_password(network: &dyn Network, name: &str, password: &str) -> Self {
        let mut backend = network.backend(name, password);
        let ear = Arc::new(Ear::default());
        backend.start(ear.clone());
        Self { name: name.to_owned(), backend, ear, epoch: 0, tickets: 0 }
    }

    pub(crate) fn online(network: &dyn Network, name: &str) -> Self {
        let mut person = Self::offline(network, name);
        person.connect();
        person.arrive();
        person
    }

    pub(crate) fn handle(&self) -> Handle {
        Handle::new(self.name.clone())
    }

    pub(crate) fn can(&self, ability: Ability) -> bool {
        self.backend.capabilities().can(ability)
    }

    pub(crate) fn max_body(&self) -> usize {
        self.backend.capabilities().max_body
    }

    pub(crate) fn connect(&mut self) {
        self.connect_as(Presence::Available, "");
    }

    pub(crate) fn connect_as(&mut self, presence: Presence, mood: &str) {
        self.epoch += 1;
        self.submit(Action::Connect { epoch: Epoch(self.epoch), presence, mood: mood.to_owned() });
    }

    /// Waits for the success of the login.
    pub(crate) fn arrive(&self) {
        let epoch = Epoch(self.epoch);
        self.until("the login", |view| view.connected.contains(&epoch).then_some(()));
    }

    /// Waits until it is told that the connection is lost, or has been.
    pub(crate) fn loses(&self) {
        let epoch = Epoch(self.epoch);
        self.until("the loss", |view| view.lost.iter().any(|(lost, _)| *lost == epoch).then_some(()));
    }

    /// Connects until it is online, as a session does after a loss, which may come late or twice.
    pub(crate) fn come_back(&mut self) {
        loop {
            self.connect();
            let epoch = Epoch(self.epoch);
            let arrived = self.until("a login or its failure", |view| {
                let lost = view.lost.iter().any(|(lost, _)| *lost == epoch);
                (lost || view.connected.contains(&epoch)).then(|| view.reachable(epoch))
            });
            if arrived {
                return;
            }
        }
    }

    pub(crate) fn log_out(&mut self) {
        self.submit(Action::Disconnect);
    }

    pub(crate) fn show(&mut self, presence: Presence, mood: &str) {
        self.submit(Action::SetPresence { presence, mood: mood.to_owned() });
    }

    pub(crate) fn types(&mut self, user: &str, typing: Typing) {
        self.submit(Action::Typing { user: Handle::new(user), typing });
    }

    pub(crate) fn submit(&mut self, action: Action) {
        self.backend.submit(action).expect("room in the queue");
    }

    pub(crate) fn task(&mut self, task: Task) -> Ticket {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        self.submit(Action::Task { ticket, task });
        ticket
    }

    /// One that no other message of this account has, whatever login it was sent from.
    fn mark() -> Mark {
        static MARKS: AtomicU64 = AtomicU64::new(0);
        Mark::new(format!("m{}", MARKS.fetch_add(1, Ordering::Relaxed)))
    }

    pub(crate) fn outcome(&self, ticket: Ticket) -> Result<Receipt, Failure> {
        self.until("an outcome", |view| view.outcomes.get(&ticket.0).map(|outcomes| outcomes[0].clone()))
    }

    /// Has a task carried out.
    pub(crate) fn does(&mut self, task: Task) -> Receipt {
        let described = format!("{task:?}");
        let ticket = self.task(task);
        self.outcome(ticket).unwrap_or_else(|failure| panic!("{described:.200}: {failure:?}"))
    }

    /// Has a task refused.
    pub(crate) fn fails(&mut self, task: Task) -> Failure {
        let described = format!("{task:?}");
        let ticket = self.task(task);
        self.outcome(ticket).expect_err(&described)
    }

    pub(crate) fn send(&mut self, user: &str, body: &str) -> Ticket {
        let mark = Self::mark();
        self.task(Task::SendText { to: Address::User(Handle::new(user)), body: body.to_owned(), mark })
    }

    pub(crate) fn says(&mut self, user: &str, body: &str) {
        let ticket = self.send(user, body);
        self.outcome(ticket).expect("a message that is sent");
    }

    pub(crate) fn says_in(&mut self, conversation: &ConversationId, body: &str) {
        let to = Address::Conversation(conversation.clone());
        let mark = Self::mark();
        self.does(Task::SendText { to, body: body.to_owned(), mark });
    }

    pub(crate) fn changes(&mut self, conversation: &ConversationId, change: Change) {
        self.does(Task::Change { conversation: conversation.clone(), change: change.clone() });
        self.ear.view.lock().expect("no panic").0.changed(conversation, &change);
    }

    pub(crate) fn adds(&mut self, user: &str, greeting: &str) {
        self.does(Task::AddContact { user: Handle::new(user), greeting: greeting.to_owned() });
    }

    /// Waits until something is the case.
    pub(crate) fn until<T>(&self, what: &str, mut question: impl FnMut(&View) -> Option<T>) -> T {
        let deadline = Instant::now() + GUARD;
        let mut heard = self.ear.view.lock().expect("no panic");
        loop {
            if let Some(answer) = question(&heard.0) {
                return answer;
            }
            let left = deadline.saturating_duration_since(Instant::now());
            assert!(!left.is_zero(), "{} waits for {what}: {:#?}", self.name, heard.0);
            heard = self.ear.news.wait_timeout(heard, left).expect("no panic").0;
        }
    }

    /// As things are now.
    pub(crate) fn now<T>(&self, question: impl FnOnce(&View) -> T) -> T {
        question(&self.ear.view.lock().expect("no panic").0)
    }

    /// Ends the back end: nothing of it is left, nothing more is heard, and every task had one outcome.
    pub(crate) fn stops(mut self, grace: Duration) -> View {
        self.backend.stop(grace);
        self.ear.view.lock().expect("no panic").1 = true;
        drop(self.backend);
        let ear = Arc::into_inner(self.ear).expect("a stop waits for every thread");
        let (view, _) = ear.view.into_inner().expect("no panic");
        let outcomes: Vec<_> = view.outcomes.iter().map(|(ticket, outcomes)| (*ticket, outcomes.len())).collect();
        let wanted: Vec<_> = (1..=self.tickets).map(|ticket| (ticket, 1)).collect();
        assert_eq!(outcomes, wanted, "one outcome for each task");
        view
    }
}

/// Two people who are contacts of each other and online.
pub(crate) fn friends(network: &dyn Network, names: [&str; 2]) -> [Person; 2] {
    let [mut one, mut other] = names.map(|name| Person::online(network, name));
    befriend(&mut one, &mut other);
    [one, other]
}

pub(crate) fn befriend(one: &mut Person, other: &mut Person) {
    if !one.can(Ability::Contacts) {
        return;
    }
    let (name, others_name) = (one.name.clone(), other.name.clone());
    one.adds(&others_name, "hello");
    if one.can(Ability::Authorization) {
        other.until("a request", |view| view.requests.iter().any(|(user, _)| user.as_str() == name).then_some(()));
        other.does(Task::AnswerAuthRequest { user: one.handle(), accept: true });
    }
    other.until("a contact", |view| view.contacts.contains_key(&name).then_some(()));
    one.until("presence", |view| (view.presence_of(&others_name) == Some(Presence::Available)).then_some(()));
    other.until("presence", |view| (view.presence_of(&name) == Some(Presence::Available)).then_some(()));
}
