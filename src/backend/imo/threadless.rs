//! An account without threads, sockets and clock, for the simulation: what `account`, `requests` and `poll` do with
//! the pure parts, one step at a time. Whoever drives it carries the posts, and tells the events.

use std::collections::VecDeque;

use serde_json::Value;

use super::answers::Purpose;
use super::buid;
use super::chats::Chats;
use super::names::ImoNames;
use super::queue::Queue;
use super::server::Version;
use super::session::End;
use super::session::Session;
use super::session::Step;
use super::session::opening;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Epoch;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Lost;
use crate::backend::Presence;
use crate::backend::Task;
use crate::imo;
use crate::model::Handle;

const UID: &str = "alice";

/// What the account does next.
#[derive(Debug)]
pub(crate) enum Doing {
    /// This happened; the next is asked for when it has been handled.
    Tell(Event),
    /// This is to be posted.
    Post(Post),
}

/// Something on its way to the server.
#[derive(Clone, Debug)]
pub(crate) struct Post {
    /// Names it to [`Threadless::reply`].
    pub(crate) number: u64,
    /// It opens a session.
    pub(crate) opening: bool,
    pub(crate) envelope: imo::Envelope,
}

/// What came of a post.
#[derive(Clone, Debug)]
pub(crate) enum Reply {
    Answer(imo::Answer),
    /// A page that says that the server has a problem.
    Page,
    /// No connection could be made.
    NotReached,
    /// The connection was lost before an answer came.
    Lost,
}

/// What a login asks, one after the other.
enum Call {
    Login,
    Unread,
    Active,
    Status,
    /// The session that was interrupted goes on.
    GoOn,
}

#[expect(clippy::large_enum_variant, reason = "there are few at a time")]
enum Telling {
    Event(Event),
    /// The message of the server is handled.
    Handled,
    /// The answer is.
    Settled,
}

/// An account that is driven from outside.
#[derive(Default)]
pub(crate) struct Threadless {
    session: Option<Session>,
    chats: Chats,
    queue: Queue,
    epoch: Epoch,
    /// There is a connection, or one comes up.
    link: bool,
    connect: bool,
    /// What the login has still to ask.
    login: VecDeque<Call>,
    /// The session is one that was interrupted, and is being taken up.
    resuming: bool,
    /// A session is being opened in the place of this one.
    opening: bool,
    polling: bool,
    telling: VecDeque<Telling>,
    request: Option<u64>,
    poll: Option<u64>,
    posts: u64,
}

impl Threadless {
    /// As [`Backend::submit`](crate::backend::Backend::submit).
    pub(crate) fn submit(&mut self, action: Action) -> Result<(), Action> {
        match action {
            Action::Connect { epoch, .. } => {
                self.epoch = epoch;
                self.connect = true;
            }
            Action::Disconnect => {
                self.connect = false;
                self.hang_up();
                self.drop_session();
            }
            Action::Withdraw { ticket } => self.queue.withdraw(ticket),
            action @ Action::Task { .. } => self.queue.push(action)?,
            // Nothing depends on these.
            _ => {}
        }
        Ok(())
    }

    /// Ends everything without saying goodbye: what is left to tell.
    pub(crate) fn stop(&mut self) -> Vec<Event> {
        self.hang_up();
        // What was being told is not acknowledged, and comes again.
        let told = std::mem::take(&mut self.telling);
        self.drop_session();
        let told = told.into_iter().chain(std::mem::take(&mut self.telling));
        let mut events: Vec<_> =
            told.filter_map(|telling| if let Telling::Event(event) = telling { Some(event) } else { None }).collect();
        let rest = self.queue.close().into_iter();
        events.extend(rest.map(|(ticket, failure)| Event::Done { ticket, outcome: Err(failure) }));
        events
    }

    /// The next step, if there is one that waits for nothing.
    pub(crate) fn next(&mut self) -> Option<Doing> {
        loop {
            match self.telling.pop_front() {
                Some(Telling::Event(event)) => return Some(Doing::Tell(event)),
                Some(Telling::Handled) => drop(self.session.as_mut().map(Session::handled)),
                Some(Telling::Settled) => drop(self.session.as_mut().map(|session| session.set_settling(false))),
                None if self.drains() => {}
                None if self.request.is_some() => break,
                None => match self.due_request() {
                    Some(post) => return Some(Doing::Post(post)),
                    None if self.works() => {}
                    None => break,
                },
            }
        }
        if !self.link || !self.polling || self.poll.is_some() {
            return None;
        }
        let envelope = self.session.as_ref()?.poll();
        let post = self.post(false, envelope);
        self.poll = Some(post.number);
        Some(Doing::Post(post))
    }

    /// What came of a post. Of one that nobody waits for any more, nothing comes.
    pub(crate) fn reply(&mut self, number: u64, reply: Reply) {
        if self.poll.take_if(|poll| *poll == number).is_some() {
            match (reply, &mut self.session) {
                (Reply::Answer(answer), Some(session)) => drop(session.polled(answer)),
                _ => self.fail(unreachable()),
            }
        } else if self.request.take_if(|request| *request == number).is_some() {
            match reply {
                Reply::Answer(answer) if self.opening => self.adopt(&answer),
                Reply::Answer(answer) => self.settle(answer),
                // It may be the session or the server: the attempt to open a new one tells.
                Reply::Page if self.resuming => self.open_another(),
                Reply::NotReached => {
                    if !self.opening {
                        self.session.as_mut().map(Session::not_posted);
                    }
                    self.fail(unreachable());
                }
                Reply::Page | Reply::Lost => self.fail(unreachable()),
            }
        }
    }

    /// Takes the next message of the server; tells whether there was something to do.
    fn drains(&mut self) -> bool {
        let Some(session) = self.session.as_mut().filter(|_| self.link && !self.opening) else { return false };
        if let Some(steps) = session.step(self.epoch, &mut self.chats) {
            self.take(steps);
            self.telling.push_back(Telling::Handled);
            return true;
        }
        match session.ended() {
            None => return false,
            Some(_) if self.resuming => self.open_another(),
            Some(End::Over) => self.fail(Lost::Ended),
            Some(End::Refused(reason)) => self.fail(Lost::Refused { reason }),
        }
        true
    }

    /// Begins what is to be done next; tells whether there was something.
    fn works(&mut self) -> bool {
        if let Some((ticket, failure)) = self.queue.next_withdrawn() {
            self.telling.push_back(Telling::Event(Event::Done { ticket, outcome: Err(failure) }));
            return true;
        }
        if std::mem::take(&mut self.connect) {
            self.begin();
            return true;
        }
        if self.link && !self.login.is_empty() {
            let call = self.login.pop_front();
            call.into_iter().for_each(|call| self.call(&call));
            return true;
        }
        let online = self.link && self.session.as_ref().is_some_and(Session::is_online);
        match self.queue.next(online) {
            Some(action) => self.act(action),
            None => return false,
        }
        true
    }

    fn act(&mut self, action: Action) {
        let Action::Task { ticket, task } = action else { return };
        let online = self.session.as_mut().filter(|session| self.link && session.is_online());
        let failure = match (task, online) {
            (Task::SendText { to, body, mark }, Some(session)) if session.may_send(&mark) => {
                let uid = match &to {
                    Address::User(user) => ImoNames::uid(user),
                    Address::Conversation(conversation) => buid::chat(conversation.as_str()),
                };
                return session.send(ticket, to, &uid, body, mark);
            }
            (Task::SendText { .. }, _) => Failure::Unclear,
            (_, None) => Failure::NotConnected,
            _ => Failure::Refused,
        };
        self.telling.push_back(Telling::Event(Event::Done { ticket, outcome: Err(failure) }));
    }

    fn call(&mut self, call: &Call) {
        let Some(session) = &mut self.session else { return };
        let draft = match call {
            Call::GoOn => {
                self.resuming = false;
                session.resume();
                self.polling = true;
                return;
            }
            Call::Login => session.caller().account_login("secret"),
            Call::Unread => session.caller().get_unread_msgs(),
            Call::Active => session.caller().observed_user_activity(),
            Call::Status => session.caller().set_status(Presence::Available, ""),
        };
        session.ask(draft, Purpose::Plain);
        self.polling |= !self.resuming && self.login.is_empty();
    }

    /// What has to be posted now.
    fn due_request(&mut self) -> Option<Post> {
        if !self.link {
            return None;
        }
        let envelope = if self.opening {
            let caller = super::drafts::Caller { ssid: "own", uid: UID };
            imo::take(opening(caller, Version::One))
        } else {
            self.session.as_mut()?.request()?
        };
        let post = self.post(self.opening, envelope);
        self.request = Some(post.number);
        Some(post)
    }

    fn post(&mut self, opening: bool, envelope: imo::Envelope) -> Post {
        self.posts += 1;
        Post { number: self.posts, opening, envelope }
    }

    /// Begins a connection.
    fn begin(&mut self) {
        self.hang_up();
        self.link = true;
        self.queue.forget_typing();
        let over = self.session.as_mut().map(Session::suspend).unwrap_or_default();
        self.telling.extend(over.into_iter().map(Telling::Event));
        if self.session.as_ref().is_some_and(Session::has_signed_on) {
            self.resuming = true;
            self.login = [Call::Active, Call::Status, Call::GoOn].into();
        } else {
            self.open_another();
        }
    }

    fn open_another(&mut self) {
        self.resuming = false;
        self.opening = true;
        self.login = [Call::Login, Call::Unread, Call::Active, Call::Status].into();
    }

    /// Puts a new session in the place of the last.
    fn adopt(&mut self, answer: &imo::Answer) {
        self.opening = false;
        self.end_session();
        let ssid = imo::find_ssid(&answer.data).unwrap_or_default().to_owned();
        let knows_marks = answer.data.get(imo::CLIENT_MSG_IDS).and_then(Value::as_bool).unwrap_or_default();
        let session = Session::new(ssid, UID, Handle::new(UID), Version::One);
        self.session = Some(session.knowing_marks(knows_marks));
    }

    fn settle(&mut self, answer: imo::Answer) {
        let Some(session) = &mut self.session else { return };
        session.set_settling(true);
        let settled = session.settle(answer, &mut self.chats);
        if let Some((draft, purpose)) = settled.again {
            session.ask(draft, purpose);
        }
        self.take(settled.steps);
        self.telling.push_back(Telling::Settled);
    }

    fn take(&mut self, steps: Vec<Step>) {
        for step in steps {
            match step {
                Step::Deliver(event) => self.telling.push_back(Telling::Event(event)),
                Step::Requeue(action) => self.queue.put_back([action]),
                // Nothing depends on these.
                Step::Reflected(..) | Step::Icon(..) | Step::StayActive | Step::RefuseAutoAway => {}
            }
        }
    }

    /// The connection came to nothing.
    fn fail(&mut self, reason: Lost) {
        if !self.link {
            return;
        }
        self.hang_up();
        let over = !matches!(reason, Lost::Unreachable { .. });
        if over || self.session.as_ref().is_some_and(|session| !session.has_signed_on()) {
            self.end_session();
        }
        let over = self.session.as_mut().map(Session::suspend).unwrap_or_default();
        let lost = Event::Disconnected { epoch: self.epoch, reason };
        self.telling.extend(over.into_iter().chain([lost]).map(Telling::Event));
    }

    fn hang_up(&mut self) {
        self.link = false;
        self.login.clear();
        (self.resuming, self.opening, self.polling) = (false, false, false);
        (self.request, self.poll) = (None, None);
    }

    fn end_session(&mut self) {
        let Some(last) = self.session.take() else { return };
        // Of what was being told of it, nobody waits to hear that it was handled.
        self.telling.retain(|telling| matches!(telling, Telling::Event(_)));
        let rest = last.close(&mut self.chats);
        self.queue.put_back(rest.texts);
        self.telling.extend(rest.events.into_iter().map(Telling::Event));
    }

    fn drop_session(&mut self) {
        self.end_session();
        self.telling.extend(self.chats.abandon().into_iter().map(Telling::Event));
    }
}

fn unreachable() -> Lost {
    Lost::Unreachable { error: "the connection was lost".into() }
}
