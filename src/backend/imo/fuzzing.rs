//! What a server says, read without threads and sockets: for the fuzz target `event`.

use std::collections::VecDeque;

use serde_json::Value;

use super::answers::Purpose;
use super::chats::Chats;
use super::server::Version;
use super::session::Session;
use super::session::Step;
use super::texts::Rest;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Epoch;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Mark;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::imo;
use crate::model::Handle;

/// What an answer answers.
#[derive(Clone, Copy, Debug)]
pub enum Asked {
    /// A long poll.
    Poll,
    /// A message.
    Text,
    /// The removal of a contact.
    Removal,
    /// Another task about a contact.
    Block,
    /// A chat that is founded with Bob.
    Found,
    /// A call to Bob.
    Call,
    /// What no task waits for: invitations, and the end of calls.
    Errand,
}

/// An account as its two threads see it, one session after the other.
pub struct Client {
    session: Session,
    chats: Chats,
    sessions: usize,
    tickets: u64,
    /// Messages that are for another session.
    queue: VecDeque<(Ticket, Address, String, Mark)>,
}

impl Client {
    /// A client in its first session, before the login has succeeded; its tickets begin above `tickets`.
    #[must_use]
    pub fn new(tickets: u64) -> Self {
        Self { session: session(1), chats: Chats::default(), sessions: 1, tickets, queue: VecDeque::new() }
    }

    /// The number of the session, and the `ack` that its next envelope has.
    #[must_use]
    pub fn ack(&self) -> (usize, Option<u64>) {
        (self.sessions, self.session.poll().ack)
    }

    /// The last ticket that was given out.
    #[must_use]
    pub fn tickets(&self) -> u64 {
        self.tickets
    }

    /// Takes the body of an answer; tells what happens because of it.
    pub fn answer(&mut self, asked: Asked, body: &[u8]) -> Vec<Event> {
        let mut events = Vec::new();
        let is_poll = matches!(asked, Asked::Poll);
        if !is_poll && self.session.request().is_none() {
            self.ask(asked, &mut events);
        }
        // As it is read from a connection.
        let Some(answer) = imo::parse(body).filter(Value::is_object).map(imo::take::<imo::Answer>) else {
            events.extend(self.interrupt());
            return events;
        };
        if is_poll {
            self.session.polled(answer);
        } else {
            while let Some(envelope) = self.session.request() {
                serde_json::to_string(&envelope).expect("an envelope is JSON");
                let settled = self.session.settle(answer.clone(), &mut self.chats);
                self.take(settled.steps, &mut events);
                let Some((draft, purpose)) = settled.again else { break };
                self.session.ask(draft, purpose);
            }
        }
        self.drain(&mut events);
        events
    }

    /// The connection is lost and comes back.
    pub fn interrupt(&mut self) -> Vec<Event> {
        let mut events = self.session.suspend();
        if self.session.has_signed_on() {
            self.session.resume();
            self.drain(&mut events);
        } else {
            self.open_another(&mut events);
        }
        events
    }

    /// Ends the session: what that leaves to tell.
    pub fn close(mut self) -> Vec<Event> {
        let Rest { mut events, texts } = self.session.close(&mut self.chats);
        let ticket = |text| if let Action::Task { ticket, .. } = text { Some(ticket) } else { None };
        let texts = texts.into_iter().filter_map(ticket);
        events.extend(texts.map(|ticket| Event::Done { ticket, outcome: Err(Failure::Unclear) }));
        events.extend(self.chats.abandon());
        let rest = self.queue.into_iter();
        events.extend(rest.map(|(ticket, ..)| Event::Done { ticket, outcome: Err(Failure::NotConnected) }));
        events
    }

    fn ask(&mut self, asked: Asked, events: &mut Vec<Event>) {
        let bob = Handle::new("bob");
        if !self.session.is_online() {
            let draft = self.session.caller().get_unread_msgs();
            return self.session.ask(draft, Purpose::Plain);
        }
        if let (Asked::Text, Some((ticket, to, body, mark))) = (asked, self.queue.pop_front()) {
            if self.session.may_send(&mark) {
                self.session.send(ticket, to, "bob", body, mark);
            } else {
                events.push(Event::Done { ticket, outcome: Err(Failure::Unclear) });
            }
            return;
        }
        if let Asked::Errand = asked {
            self.session.run_errand(&mut self.chats);
            return;
        }
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        match asked {
            Asked::Poll | Asked::Text | Asked::Errand => {
                let mark = Mark::new(self.tickets.to_string());
                self.session.send(ticket, Address::User(bob), "bob", "hi".to_owned(), mark)
            }
            Asked::Removal => {
                let group = self.session.group_of(&bob);
                let draft = self.session.caller().del_buddy("bob", group);
                self.session.ask(draft, Purpose::Removal { ticket, uid: "bob".to_owned() });
            }
            Asked::Block => {
                let waits = self.session.take_asker(&bob);
                let draft = self.session.caller().block("bob", waits);
                self.session.ask(draft, Purpose::Task(ticket));
            }
            Asked::Found => {
                let name = self.chats.found(ticket, vec![bob], 1_353_571_200);
                self.session.found(&name);
            }
            Asked::Call => events.extend(self.session.place_call(ticket, bob)),
        }
    }

    fn drain(&mut self, events: &mut Vec<Event>) {
        while let Some(steps) = self.session.step(Epoch(1), &mut self.chats) {
            self.take(steps, events);
            self.session.handled();
        }
        if self.session.ended().is_some() {
            self.open_another(events);
        }
    }

    fn take(&mut self, steps: Vec<Step>, events: &mut Vec<Event>) {
        for step in steps {
            match step {
                Step::Deliver(event) => events.push(event),
                Step::Requeue(action) => self.put_back(action),
                // For the threads.
                _ => {}
            }
        }
    }

    fn put_back(&mut self, action: Action) {
        match action {
            Action::Task { ticket, task: Task::SendText { to, body, mark } } => {
                self.queue.push_front((ticket, to, body, mark));
            }
            other => panic!("{other:?} is not for another session"),
        }
    }

    fn open_another(&mut self, events: &mut Vec<Event>) {
        self.sessions += 1;
        let last = std::mem::replace(&mut self.session, session(self.sessions));
        let rest = last.close(&mut self.chats);
        events.extend(rest.events);
        rest.texts.into_iter().rev().for_each(|text| self.put_back(text));
    }
}

/// The session of this number; every other one is with a server that knows marks.
fn session(number: usize) -> Session {
    let session = Session::new("S".to_owned(), "alice", Handle::new("alice"), Version::One);
    session.knowing_marks(number % 2 == 1)
}
