//! Messages of ours on their way to the network: in order, a few at a time, until they are sent or the time that the
//! user gives them is up.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;

use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Failure;
use crate::backend::Mark;
use crate::backend::Receipt;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::model::Kind;
use crate::model::ObjectId;
use crate::model::Place;
use crate::model::State;
use crate::model::Undeliverable;
use crate::model::Which;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Outcome;
use crate::translate::engine::Pending;

/// How many messages the network is asked to send at a time; the rest waits here, where it can still be given up.
const WINDOW: usize = 256;
/// How many may wait.
const MOST_WAITING: usize = 10_000;
/// The pause before a message is tried again that the network could not take, and the longest one.
const FIRST_PAUSE: Duration = Duration::from_secs(1);
const LONGEST_PAUSE: Duration = Duration::from_secs(60);

/// Messages of ours whose outcome is open.
pub(super) struct Outbox {
    /// Their turn comes by their numbers.
    waiting: BTreeSet<ObjectId>,
    /// What the network was asked to send.
    flying: BTreeMap<ObjectId, Ticket>,
    /// Those among them that the network was asked not to send any more.
    withdrawn: BTreeSet<ObjectId>,
    /// The line that says that the dialog was begun, of the message that began it.
    beginnings: HashMap<ObjectId, ObjectId>,
    /// Messages below this may have been sent before, by a session that did not live to hear of it.
    repeated_below: ObjectId,
    /// How long a message may take, in seconds.
    limit: u64,
    /// When to look for one whose time is up.
    due: Option<Duration>,
    /// When to try again.
    pause_until: Option<Duration>,
    pause: Duration,
    /// The session ends: nobody hears any more of what is sent now.
    ending: bool,
}

impl Outbox {
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            waiting: BTreeSet::new(),
            flying: BTreeMap::new(),
            withdrawn: BTreeSet::new(),
            beginnings: HashMap::new(),
            repeated_below: ObjectId(0),
            limit: limit.as_secs(),
            due: None,
            pause_until: None,
            pause: FIRST_PAUSE,
            ending: false,
        }
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting.len() < MOST_WAITING
    }

    pub(super) fn timeout(&self) -> Option<Duration> {
        [self.due, self.pause_until].into_iter().flatten().min()
    }

    fn oldest(&self) -> Option<ObjectId> {
        let flying = self.flying.keys().find(|id| !self.withdrawn.contains(id));
        [self.waiting.first(), flying].into_iter().flatten().min().copied()
    }
}

impl Engine {
    /// Takes over what an earlier session did not live to send, or to hear of.
    pub(super) fn resume_sending(&mut self, now: Now, out: &mut Vec<Output>) {
        self.outbox.repeated_below = self.next_id();
        self.found_again(out);
        let mut begun = HashMap::new();
        for entry in self.chats.list(Which::Sending).into_iter().rev() {
            let Some(kind) = self.chats.message(entry.id).map(|message| message.kind.clone()) else { continue };
            match kind {
                Kind::Created(_) => drop(begun.insert(entry.chat, entry.id)),
                kind if kind.is_text() => {
                    if let Some(beginning) = begun.remove(&entry.chat) {
                        self.outbox.beginnings.insert(entry.id, beginning);
                    }
                    self.outbox.waiting.insert(entry.id);
                }
                // What it says was asked of the network, and nobody knows what came of that: the network will tell
                // how things are.
                _ => self.move_on(entry.id, State::Failed(Undeliverable::Unclear), out),
            }
        }
        for beginning in begun.into_values() {
            self.move_on(beginning, State::Failed(Undeliverable::Unclear), out);
        }
        self.watch_the_time(now);
        self.send_waiting(now, out);
    }

    /// Chats of several that the network has not named yet are asked for again: messages may wait for that.
    fn found_again(&mut self, out: &mut Vec<Output>) {
        let me = self.me.handle.clone();
        for chat in self.chats.unnamed() {
            let others = self.chats.chat(chat).present().map(|member| member.handle.clone());
            let others = others.filter(|handle| *handle != me).collect();
            self.found(chat, others, None, None, out);
        }
    }

    /// Has a message sent when its turn comes.
    pub(super) fn post(&mut self, id: ObjectId, beginning: Option<ObjectId>, now: Now, out: &mut Vec<Output>) {
        self.outbox.beginnings.extend(beginning.map(|beginning| (id, beginning)));
        self.outbox.waiting.insert(id);
        if self.outbox.due.is_none() {
            self.watch_the_time(now);
        }
        self.send_waiting(now, out);
    }

    /// The session is about to end. Messages whose outcome that leaves open are taken up by the next, if they are kept.
    pub fn end(&mut self) {
        self.outbox.ending = self.chats.archive().is_some();
    }

    /// There is a connection: what could not be sent without one is sent.
    pub(super) fn send_at_once(&mut self, now: Now, out: &mut Vec<Output>) {
        self.outbox.pause_until = None;
        self.outbox.pause = FIRST_PAUSE;
        self.send_waiting(now, out);
    }

    fn send_waiting(&mut self, now: Now, out: &mut Vec<Output>) {
        while self.outbox.pause_until.is_none()
            && self.outbox.flying.len() < WINDOW
            && let Some(id) = self.outbox.waiting.pop_first()
        {
            let Some(message) = self.chats.message(id) else { continue };
            let (chat, body) = (message.chat, message.body.clone());
            let mark = Mark { id: self.mark_of(id), repeated: id < self.outbox.repeated_below };
            let ticket = match self.chats.chat(chat).place.clone() {
                Place::Dialog(partner) => {
                    self.ask(Task::SendText { to: Address::User(partner), body, mark }, Pending::Message(id), out)
                }
                Place::Unnamed if self.founding_of(chat).is_none() => {
                    self.give_up(id, Undeliverable::Refused, now, out);
                    continue;
                }
                Place::Group(_) | Place::Unnamed => {
                    let task = |conversation| Task::SendText { to: Address::Conversation(conversation), body, mark };
                    self.ask_in(chat, Pending::Message(id), task, out)
                }
            };
            self.outbox.flying.insert(id, ticket);
        }
    }

    /// The network has answered for a message of ours.
    pub(super) fn message_done(&mut self, id: ObjectId, outcome: Outcome, now: Now, out: &mut Vec<Output>) {
        self.outbox.flying.remove(&id);
        let withdrawn = self.outbox.withdrawn.remove(&id);
        match outcome {
            Ok(receipt) => self.sent(id, &receipt, out),
            // It certainly was not sent, and a later connection may do.
            Err(Failure::NotConnected) if !withdrawn && self.is_named(id) => {
                self.outbox.waiting.insert(id);
                self.outbox.pause_until = Some(now.monotonic + self.outbox.pause);
                self.outbox.pause = (self.outbox.pause * 2).min(LONGEST_PAUSE);
            }
            // The next session asks again, under the same mark.
            Err(Failure::Unclear) if self.outbox.ending && !withdrawn => {}
            Err(failure) => {
                let reason = match failure {
                    Failure::UnknownUser => Undeliverable::UnknownUser,
                    Failure::Refused => Undeliverable::Refused,
                    Failure::NotConnected | Failure::Unclear => Undeliverable::Unclear,
                };
                self.give_up(id, reason, now, out);
            }
        }
        self.send_waiting(now, out);
    }

    /// Whether the network has a name for where a message goes.
    fn is_named(&self, id: ObjectId) -> bool {
        self.chats.message(id).is_some_and(|message| self.chats.chat(message.chat).place != Place::Unnamed)
    }

    fn sent(&mut self, id: ObjectId, receipt: &Receipt, out: &mut Vec<Output>) {
        let Some(chat) = self.chats.message(id).map(|message| message.chat) else { return };
        if let Some(remote) = &receipt.remote {
            // Its echo, should there be one, is no new message.
            self.chats.set_remote(id, remote);
        }
        if let Some(time) = receipt.time.filter(|_| !self.local_time) {
            self.chats.set_time(id, time);
        }
        let beginning = self.outbox.beginnings.remove(&id);
        for id in beginning.into_iter().chain([id]) {
            self.move_on(id, State::Sent, out);
        }
        if beginning.is_some()
            && let Some(partner) = self.chats.chat(chat).partner().cloned()
        {
            self.activate(chat, &partner, out);
        }
    }

    fn give_up(&mut self, id: ObjectId, reason: Undeliverable, now: Now, out: &mut Vec<Output>) {
        let Some(chat) = self.chats.message(id).map(|message| message.chat) else { return };
        for id in self.outbox.beginnings.remove(&id).into_iter().chain([id]) {
            self.move_on(id, State::Failed(reason), out);
        }
        self.say_undeliverable(chat, reason, now, out);
    }

    /// Takes in a message that turns out to be one of ours; tells whether it was.
    pub(super) fn is_back(&mut self, mark: &str, receipt: &Receipt, out: &mut Vec<Output>) -> bool {
        let Some(id) = self.marked(mark) else { return false };
        if self.outbox.waiting.remove(&id) {
            // An earlier session has sent it.
            self.sent(id, receipt, out);
        } else if let Some(remote) = &receipt.remote {
            // What became of it is told by its outcome.
            self.chats.set_remote(id, remote);
        }
        true
    }

    /// What tells a message from its repeat: no other account and no other history has the same.
    fn mark_of(&self, id: ObjectId) -> String {
        format!("{:x}-{id}", self.origin)
    }

    /// The message of ours that has this mark.
    fn marked(&self, mark: &str) -> Option<ObjectId> {
        let id = mark.rsplit_once('-').and_then(|(_, id)| id.parse().ok()).map(ObjectId)?;
        (self.mark_of(id) == mark && self.chats.message(id).is_some()).then_some(id)
    }

    /// Gives up whose time is up, and sends what has paused long enough.
    pub(super) fn look_at_the_outbox(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.outbox.due.take_if(|due| *due <= now.monotonic).is_some() {
            self.give_up_late_ones(now, out);
        }
        if self.outbox.pause_until.take_if(|until| *until <= now.monotonic).is_some() {
            self.send_waiting(now, out);
        }
    }

    fn give_up_late_ones(&mut self, now: Now, out: &mut Vec<Output>) {
        let is_late = |id: &&ObjectId| {
            self.chats.message(**id).is_none_or(|message| message.time + self.outbox.limit <= now.unix)
        };
        let late: Vec<_> = self.outbox.waiting.iter().take_while(is_late).copied().collect();
        let flying = self.outbox.flying.iter().take_while(|(id, _)| is_late(id));
        let withdrawn: Vec<_> = flying.map(|(id, ticket)| (*id, *ticket)).collect();
        for id in late {
            self.outbox.waiting.remove(&id);
            self.give_up(id, Undeliverable::Unclear, now, out);
        }
        for (id, ticket) in withdrawn {
            if self.outbox.withdrawn.insert(id) {
                out.push(Output::ToBackend(Action::Withdraw { ticket }));
            }
        }
        self.watch_the_time(now);
    }

    /// Has the outbox looked at when the time of the oldest message is up.
    fn watch_the_time(&mut self, now: Now) {
        let oldest = self.outbox.oldest().and_then(|id| self.chats.message(id));
        self.outbox.due = oldest.map(|message| {
            let left = (message.time + self.outbox.limit).saturating_sub(now.unix);
            // The clock of the day has only seconds.
            now.monotonic + Duration::from_secs(left.max(1))
        });
    }
}
