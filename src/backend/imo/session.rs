//! One session with the service: its numbers, its unanswered request, the messages that wait for
//! their delivery, and what the server's messages do to it. Pure: no sockets, no clock.

use std::collections::BTreeMap;
use std::collections::HashSet;

use serde_json::json;

use super::calls::Caller;
use super::calls::Draft;
use super::events;
use super::events::News;
use super::inbox::Inbox;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Contact;
use crate::backend::Epoch;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Presence;
use crate::backend::Receipt;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::imo;
use crate::model::Handle;

/// How many accepted messages wait for their delivery acknowledgement at most; a server that
/// acknowledges none must not fill the memory.
const MAX_UNDELIVERED: usize = 4096;

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The account is not accepted; the text is for people.
    Refused(String),
    /// It is over; a new one will do.
    Over,
}

/// What a request is for, which decides what its answer means.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Purpose {
    /// Nobody waits for the outcome.
    Plain,
    /// Nobody waits for the outcome, and nobody wants it on another connection.
    Typing,
    /// A message, by its `request_id`.
    Text(u64),
    /// A task about a contact.
    Contact(Ticket),
    /// The removal of a contact from the group where it should be; if refused, `Buddies` is tried.
    Removal { ticket: Ticket, uid: String },
}

/// What is to be done because of a message or an answer.
#[derive(Debug)]
pub(super) enum Step {
    /// Deliver this.
    Deliver(Event),
    /// Tell the server that the user is there.
    StayActive,
    /// Tell the server not to set us to away by itself.
    RefuseAutoAway,
    /// The server has certainly not taken this: it is for the next session.
    Requeue(Action),
}

struct Request {
    seq: u64,
    draft: Draft,
    purpose: Purpose,
    posts: u32,
}

struct Text {
    ticket: Ticket,
    to: Address,
    body: String,
    accepted: bool,
}

/// What the server made of a request.
pub(super) struct Settled {
    /// Whether it was accepted.
    pub(super) accepted: bool,
    /// What follows.
    pub(super) steps: Vec<Step>,
    /// What to ask next on behalf of the same task.
    pub(super) again: Option<(Purpose, String)>,
}

/// A session between its opening and its end.
pub(super) struct Session {
    ssid: String,
    uid: String,
    me: Handle,
    next_seq: u64,
    next_request_id: u64,
    unanswered: Option<Request>,
    texts: BTreeMap<u64, Text>,
    inbox: Inbox,
    busy: bool,
    /// The login has succeeded, and this was told: messages may flow.
    online: bool,
    /// The success is still to be told, after a resumption.
    greeting: bool,
    /// The success is being told.
    arriving: bool,
    signed_on: bool,
    display_name: Option<String>,
    listed: bool,
    present: HashSet<String>,
    /// Who asked to become a contact and has no answer yet.
    asking: HashSet<String>,
    ending: Option<End>,
}

impl Session {
    pub(super) fn new(ssid: String, uid: &str, me: Handle) -> Self {
        Self {
            ssid,
            uid: uid.to_owned(),
            me,
            next_seq: 0,
            next_request_id: 0,
            unanswered: None,
            texts: BTreeMap::new(),
            inbox: Inbox::default(),
            busy: false,
            online: false,
            greeting: false,
            arriving: false,
            signed_on: false,
            display_name: None,
            listed: false,
            present: HashSet::new(),
            asking: HashSet::new(),
            ending: None,
        }
    }

    pub(super) fn caller(&self) -> Caller<'_> {
        Caller { ssid: &self.ssid, uid: &self.uid }
    }

    /// Whether actions may go out.
    pub(super) fn is_online(&self) -> bool {
        self.online && self.ending.is_none()
    }

    /// Whether the success of the login has been told, or is being told.
    pub(super) fn has_arrived(&self) -> bool {
        (self.online || self.arriving) && self.ending.is_none()
    }

    /// Whether the login ever succeeded.
    pub(super) fn has_signed_on(&self) -> bool {
        self.signed_on
    }

    /// Takes the next number for a request. There is at most one without an answer.
    pub(super) fn ask(&mut self, draft: Draft, purpose: Purpose) {
        self.unanswered = Some(Request { seq: self.next_seq, draft, purpose, posts: 0 });
        self.next_seq += 1;
    }

    /// Registers a message before it is posted, as its acknowledgement may come before the answer
    /// (imo-protocol 12, flaw 5).
    pub(super) fn send(&mut self, ticket: Ticket, to: Address, uid: &str, body: String) {
        let request_id = self.next_request_id;
        self.next_request_id += 1;
        let draft = self.caller().send_im(request_id, uid, &body);
        self.texts.insert(request_id, Text { ticket, to, body, accepted: false });
        self.ask(draft, Purpose::Text(request_id));
    }

    /// The group of a contact for `del_buddy` (imo-protocol 4).
    pub(super) fn group_of(&self, user: &Handle) -> &'static str {
        if self.present.contains(&*Handle::fold(user.as_str())) { "Skype" } else { "Offline" }
    }

    /// Takes a user off those who wait for our answer; tells whether they were among them.
    pub(super) fn take_asker(&mut self, user: &Handle) -> bool {
        self.asking.remove(&*Handle::fold(user.as_str()))
    }

    /// The envelope of the request that has no answer yet, with today's `ack` and its own `seq`.
    pub(super) fn request(&mut self) -> Option<imo::Envelope> {
        let ack = self.inbox.ack();
        let request = self.unanswered.as_mut()?;
        request.posts += 1;
        Some(envelope(&self.ssid, ack, request.seq, &request.draft))
    }

    /// The envelope of a long poll.
    pub(super) fn poll(&self) -> imo::Envelope {
        imo::Envelope { ack: Some(self.inbox.ack()), ssid: Some(self.ssid.clone()), messages: Vec::new() }
    }

    /// Takes the answer to the request (imo-protocol 3.2).
    pub(super) fn settle(&mut self, answer: imo::Answer) -> Settled {
        let mut settled = Settled { accepted: true, steps: Vec::new(), again: None };
        let Some(request) = self.unanswered.take() else { return settled };
        let told = Told::read(answer);
        let verdict = told.as_ref().map_or(Verdict::Accepted, |told| judge(told, request.seq));
        self.take_in(told);
        match verdict {
            Verdict::Accepted => match request.purpose {
                Purpose::Plain | Purpose::Typing => {}
                Purpose::Text(id) => self.accept_text(id, &mut settled.steps),
                Purpose::Contact(ticket) | Purpose::Removal { ticket, .. } => {
                    settled.steps.push(done(ticket, Ok(Receipt::default())));
                }
            },
            Verdict::Refused => {
                settled.accepted = false;
                match request.purpose {
                    Purpose::Plain | Purpose::Typing => {}
                    Purpose::Text(id) => {
                        let text = self.texts.remove(&id);
                        settled.steps.extend(text.map(|text| done(text.ticket, Err(Failure::Refused))));
                    }
                    Purpose::Contact(ticket) => settled.steps.push(done(ticket, Err(Failure::Refused))),
                    Purpose::Removal { ticket, uid } => settled.again = Some((Purpose::Contact(ticket), uid)),
                }
            }
            Verdict::Gone => {
                settled.accepted = false;
                self.ending.get_or_insert(End::Over);
                if request.posts > 1 {
                    // An earlier copy may have arrived: the end of the session settles it.
                    self.unanswered = Some(request);
                } else {
                    settled.steps.extend(self.hand_back(request.purpose));
                }
            }
            Verdict::Unclear => {
                settled.accepted = false;
                self.unanswered = Some(request);
            }
        }
        settled
    }

    /// Takes the answer to a poll; tells how many messages were new.
    pub(super) fn polled(&mut self, answer: imo::Answer) -> usize {
        let told = Told::read(answer);
        if told.as_ref().is_some_and(|told| told.nothing && told.envelope.ack == Some(0)) {
            // The server knows of no request of this session.
            self.ending.get_or_insert(End::Over);
        }
        self.take_in(told)
    }

    fn take_in(&mut self, told: Option<Told>) -> usize {
        told.map_or(0, |told| self.inbox.accept(told.envelope.messages))
    }

    fn accept_text(&mut self, id: u64, steps: &mut Vec<Step>) {
        // Not there any more if the acknowledgement was faster.
        if let Some(text) = self.texts.get_mut(&id) {
            text.accepted = true;
            text.body = String::new();
        }
        if self.texts.len() > MAX_UNDELIVERED {
            let oldest = self.texts.pop_first();
            steps.extend(oldest.map(|(_, text)| done(text.ticket, Ok(Receipt::default()))));
        }
    }

    fn hand_back(&mut self, purpose: Purpose) -> Option<Step> {
        match purpose {
            Purpose::Plain | Purpose::Typing => None,
            Purpose::Text(id) => {
                let Text { ticket, to, body, .. } = self.texts.remove(&id)?;
                Some(Step::Requeue(Action::Task { ticket, task: Task::SendText { to, body } }))
            }
            Purpose::Contact(ticket) | Purpose::Removal { ticket, .. } => {
                Some(done(ticket, Err(Failure::NotConnected)))
            }
        }
    }

    /// What the next message does, unless another thread is about one. [`handled`](Self::handled)
    /// must follow, when the steps have been taken.
    pub(super) fn step(&mut self, epoch: Epoch) -> Option<Vec<Step>> {
        if self.busy {
            return None;
        }
        if std::mem::take(&mut self.greeting) {
            self.busy = true;
            self.arriving = true;
            return Some(vec![self.connected(epoch)]);
        }
        let message = self.inbox.next(self.online)?;
        self.busy = true;
        let news = events::read(&message, &self.me, &self.ssid);
        Some(self.handle(news, epoch))
    }

    /// The steps of [`step`](Self::step) have been taken; tells whether actions may go out now.
    pub(super) fn handled(&mut self) -> bool {
        self.busy = false;
        self.inbox.handled();
        let arrived = std::mem::take(&mut self.arriving);
        self.online |= arrived;
        arrived
    }

    /// Why the session ended, once everything before that has been handled.
    pub(super) fn ended(&self) -> Option<End> {
        if self.busy { None } else { self.ending.clone() }
    }

    /// The connection was lost, the session perhaps not.
    pub(super) fn suspend(&mut self) {
        self.online = false;
        self.greeting = false;
        self.arriving = false;
        let harmless = self.caller().observed_user_activity();
        if let Some(request) = self.unanswered.as_mut().filter(|request| request.purpose == Purpose::Typing) {
            // Its number has to be used, but by then it may no longer be true.
            request.draft = harmless;
        }
    }

    /// The session goes on after [`suspend`](Self::suspend).
    pub(super) fn resume(&mut self) {
        self.greeting = true;
    }

    fn handle(&mut self, news: News, epoch: Epoch) -> Vec<Step> {
        match news {
            News::SignedOn { display_name } => {
                self.signed_on = true;
                self.display_name = display_name;
                if self.online {
                    return Vec::new();
                }
                self.arriving = true;
                vec![self.connected(epoch)]
            }
            News::Added(contacts) => {
                self.note(&contacts);
                for contact in &contacts {
                    self.take_asker(&contact.handle);
                }
                // imo-protocol 5: at login the whole list.
                let complete = !std::mem::replace(&mut self.listed, true);
                if contacts.is_empty() && !complete {
                    return Vec::new();
                }
                vec![Step::Deliver(Event::Contacts { contacts, complete })]
            }
            News::Changed(contacts) => {
                self.note(&contacts);
                if contacts.is_empty() {
                    return Vec::new();
                }
                vec![Step::Deliver(Event::Contacts { contacts, complete: false })]
            }
            News::Removed(users) => {
                for user in &users {
                    self.present.remove(&*Handle::fold(user.as_str()));
                    self.take_asker(user);
                }
                users.into_iter().map(|user| Step::Deliver(Event::ContactRemoved(user))).collect()
            }
            News::Told(event) => {
                if let Event::AuthRequest { user, .. } = &event {
                    self.asking.insert(Handle::fold(user.as_str()).into_owned());
                }
                vec![Step::Deliver(event)]
            }
            News::OwnPresence { presence, mood } => {
                let mut steps = vec![Step::Deliver(Event::OwnPresence { presence, mood })];
                if presence == Presence::Away {
                    // imo-protocol 3.4
                    steps.push(Step::StayActive);
                }
                steps
            }
            News::Delivered { request_id, time } => match self.texts.remove(&request_id) {
                Some(text) => vec![done(text.ticket, Ok(Receipt { time, ..Receipt::default() }))],
                None => Vec::new(),
            },
            News::AutoAway => vec![Step::RefuseAutoAway],
            News::Disconnect { reason } => {
                let refused = !self.signed_on || reason == "uidpassword";
                let end = if refused { End::Refused(explain(&reason)) } else { End::Over };
                self.ending.get_or_insert(end);
                Vec::new()
            }
            News::Over => {
                self.ending.get_or_insert(End::Over);
                Vec::new()
            }
            News::Nothing => Vec::new(),
        }
    }

    fn connected(&self, epoch: Epoch) -> Step {
        let (me, display_name) = (self.me.clone(), self.display_name.clone());
        Step::Deliver(Event::Connected { epoch, me, display_name })
    }

    fn note(&mut self, contacts: &[Contact]) {
        for contact in contacts {
            let key = Handle::fold(contact.handle.as_str());
            match contact.presence {
                Some(Presence::Offline) => {
                    self.present.remove(&*key);
                }
                Some(_) => {
                    self.present.insert(key.into_owned());
                }
                None => {}
            }
        }
    }

    /// Ends the session: the outcomes of everything that still waited for one.
    pub(super) fn close(mut self) -> Vec<Event> {
        let mut events = Vec::new();
        if let Some(Purpose::Contact(ticket) | Purpose::Removal { ticket, .. }) =
            self.unanswered.take().map(|request| request.purpose)
        {
            events.push(Event::Done { ticket, outcome: Err(Failure::Unclear) });
        }
        for text in std::mem::take(&mut self.texts).into_values() {
            let outcome = if text.accepted { Ok(Receipt::default()) } else { Err(Failure::Unclear) };
            events.push(Event::Done { ticket: text.ticket, outcome });
        }
        events
    }
}

fn done(ticket: Ticket, outcome: Result<Receipt, Failure>) -> Step {
    Step::Deliver(Event::Done { ticket, outcome })
}

/// The envelope of one request.
pub(super) fn envelope(ssid: &str, ack: u64, seq: u64, draft: &Draft) -> imo::Envelope {
    let mut call = json!({"method": draft.method, "data": draft.arguments});
    if let Some(id) = draft.request_id {
        call["request_id"] = id.into();
    }
    let message = imo::Message {
        data: call,
        to: imo::System::named(draft.system),
        from: imo::System::client(ssid),
        seq: Some(seq),
    };
    imo::Envelope { ack: Some(ack), ssid: Some(ssid.to_owned()), messages: vec![message] }
}

enum Verdict {
    Accepted,
    Refused,
    /// The server does not know the session, and has not taken the request.
    Gone,
    /// The session ended, with the request or before it.
    Unclear,
}

/// What an answer with an envelope says.
struct Told {
    envelope: imo::Envelope,
    /// It carries no messages; those that cannot be read are messages too.
    nothing: bool,
}

impl Told {
    /// `None` for an answer that says no more than "accepted".
    fn read(answer: imo::Answer) -> Option<Self> {
        if answer.method != imo::FORWARD_TO_CLIENT {
            return None;
        }
        let messages = answer.data.get("messages").and_then(serde_json::Value::as_array);
        let nothing = messages.is_none_or(Vec::is_empty);
        Some(Self { envelope: imo::take(answer.data), nothing })
    }
}

fn judge(told: &Told, seq: u64) -> Verdict {
    let ack = told.envelope.ack;
    if told.nothing {
        return match ack {
            Some(0) => Verdict::Gone,
            Some(ack) if ack > seq => Verdict::Accepted,
            _ => Verdict::Refused,
        };
    }
    // An answer with messages counts as accepted, unless they say that the session is over.
    let over = |message: &imo::Message| {
        message.from.system == "reset" || message.data.get("name").is_some_and(|name| name == "expired")
    };
    match ack {
        _ if !told.envelope.messages.iter().any(over) => Verdict::Accepted,
        Some(ack) if ack > seq => Verdict::Accepted,
        Some(_) => Verdict::Gone,
        None => Verdict::Unclear,
    }
}

/// The reason of a `disconnect`, for people.
fn explain(reason: &str) -> String {
    match reason {
        "" => "the server gave no reason".to_owned(),
        "uidpassword" => "wrong user name or password".to_owned(),
        "toomanyattempts" => "too many failed logins; wait a while before the next".to_owned(),
        other => other.chars().take(200).collect(),
    }
}

#[cfg(test)]
#[path = "session_tests.rs"]
mod tests;
