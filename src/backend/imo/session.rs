//! One session with the service: its numbers, its unanswered request, the messages that wait for
//! their delivery, and what the server's messages do to it. Pure: no sockets, no clock.

use std::collections::BTreeMap;
use std::collections::HashSet;

use serde_json::json;

use super::answers::Purpose;
use super::answers::Told;
use super::calls::Calls;
use super::chats::Chats;
use super::chats::Round;
use super::drafts::Caller;
use super::drafts::Draft;
use super::events;
use super::events::News;
use super::events::Stamp;
use super::events::message;
use super::inbox::Inbox;
use super::names::ImoNames;
use super::server::Version;
use super::texts::Text;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Contact;
use crate::backend::Conversation;
use crate::backend::Epoch;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Kind;
use crate::backend::Message;
use crate::backend::Presence;
use crate::backend::Receipt;
use crate::backend::Ticket;
use crate::imo;
use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::RemoteId;

/// How many messages are told together at most.
const MOST_TOGETHER: usize = 256;

/// Why a session ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum End {
    /// The account is not accepted; the text is for people.
    Refused(String),
    /// It is over; a new one will do.
    Over,
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
    /// Another login changed what we are seen as.
    Reflected(Presence, Option<String>),
    /// A user has this icon now.
    Icon(Handle, String),
}

pub(super) struct Request {
    pub(super) seq: u64,
    draft: Draft,
    pub(super) purpose: Purpose,
    /// How often it may have reached the server.
    pub(super) posts: u32,
}

/// A session between its opening and its end.
pub(super) struct Session {
    ssid: String,
    uid: String,
    pub(super) me: Handle,
    version: Version,
    /// Whether the server tells a message from its repeat.
    pub(super) knows_marks: bool,
    next_seq: u64,
    pub(super) next_request_id: u64,
    pub(super) unanswered: Option<Request>,
    pub(super) texts: BTreeMap<u64, Text>,
    pub(super) calls: Calls,
    inbox: Inbox,
    busy: bool,
    /// Whether a thread tells what came of a request.
    settling: bool,
    /// The login has succeeded, and this was told: messages may flow.
    online: bool,
    /// The success is still to be told, after a resumption.
    greeting: bool,
    /// The success is being told.
    arriving: bool,
    signed_on: bool,
    display_name: Option<String>,
    listed: bool,
    /// The contacts who are there, and how.
    present: BTreeMap<String, (Handle, Presence)>,
    /// Who asked to become a contact and has no answer yet.
    asking: HashSet<String>,
    pub(super) ending: Option<End>,
}

impl Session {
    pub(super) fn new(ssid: String, uid: &str, me: Handle, version: Version) -> Self {
        Self {
            ssid,
            uid: uid.to_owned(),
            me,
            version,
            knows_marks: false,
            next_seq: 0,
            next_request_id: 0,
            unanswered: None,
            texts: BTreeMap::new(),
            calls: Calls::default(),
            inbox: Inbox::default(),
            busy: false,
            settling: false,
            online: false,
            greeting: false,
            arriving: false,
            signed_on: false,
            display_name: None,
            listed: false,
            present: BTreeMap::new(),
            asking: HashSet::new(),
            ending: None,
        }
    }

    /// The same with a server that says whether it tells a message from its repeat.
    pub(super) fn knowing_marks(self, knows_marks: bool) -> Self {
        Self { knows_marks, ..self }
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

    /// Whether the server tells when a message was delivered (imo-protocol 11).
    pub(super) fn acknowledges(&self) -> bool {
        self.version == Version::One
    }

    /// Takes the next number for a request. There is at most one without an answer.
    pub(super) fn ask(&mut self, draft: Draft, purpose: Purpose) {
        self.unanswered = Some(Request { seq: self.next_seq, draft, purpose, posts: 0 });
        self.next_seq += 1;
    }

    /// The group of a contact for `del_buddy` (imo-protocol 4).
    pub(super) fn group_of(&self, user: &Handle) -> &'static str {
        if self.present.contains_key(&*Handle::fold(user.as_str())) { "Skype" } else { "Offline" }
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

    /// The request of [`request`](Self::request) has certainly not reached the server.
    pub(super) fn not_posted(&mut self) {
        if let Some(request) = self.unanswered.as_mut() {
            request.posts = request.posts.saturating_sub(1);
        }
    }

    /// Places a call. Registered before it is asked, as the news of it may come before the answer.
    pub(super) fn place_call(&mut self, ticket: Ticket, user: Handle) -> Vec<Event> {
        let id = RemoteId::new(format!("{}/call/{}", self.ssid, self.next_seq));
        let draft = self.caller().start_audio_chat(&ImoNames::uid(&user));
        self.ask(draft, Purpose::PlaceCall(id.clone()));
        self.calls.place(ticket, id, user)
    }

    /// Asks for each user of a round, one after the other.
    pub(super) fn begin(&mut self, round: Round, chats: &mut Chats) {
        if let Some(draft) = self.draft_of(&round) {
            chats.begin(&round);
            self.ask(draft, Purpose::Round(round));
        }
    }

    /// Whether something is to be asked that no action waits for.
    pub(super) fn has_errands(&self, chats: &Chats) -> bool {
        self.calls.has_stale() || chats.has_invitations() || (self.listed && chats.has_unasked())
    }

    /// Asks for what no action waits for: the end of calls that a lost connection has ended for us,
    /// the members of chats that we have founded, and chats that the last session left unfounded.
    /// The name of such a chat is returned.
    pub(super) fn run_errand(&mut self, chats: &mut Chats) -> Option<String> {
        if let Some(user) = self.calls.next_stale() {
            self.ask(self.caller().end_audio_chat(&ImoNames::uid(&user)), Purpose::Plain);
        } else if let Some(round) = chats.next_invitations() {
            self.begin(round, chats);
        } else if self.listed {
            // What is there already was found in the list.
            let name = chats.next_founding()?;
            self.found(&name);
            return Some(name);
        }
        None
    }

    /// Founds a chat.
    pub(super) fn found(&mut self, name: &str) {
        self.ask(self.caller().create_shared_group(name), Purpose::Found(name.to_owned()));
    }

    /// The envelope of a long poll.
    pub(super) fn poll(&self) -> imo::Envelope {
        imo::Envelope { ack: Some(self.inbox.ack()), ssid: Some(self.ssid.clone()), messages: Vec::new() }
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

    pub(super) fn take_in(&mut self, told: Option<Told>) -> usize {
        let Some(told) = told else { return 0 };
        // The answer to a request may be lost, and yet another answer tells that the server has it.
        if let Some(request) = &self.unanswered
            && told.envelope.ack.is_some_and(|ack| ack > request.seq)
            && let Purpose::Text(id) = request.purpose
            && let Some(text) = self.texts.get_mut(&id)
        {
            text.accepted = true;
        }
        // Whoever has forgotten the session has forgotten its numbers too: its end is none of the repeats.
        if told.ends(|seq| self.inbox.is_repeat(seq)) {
            self.ending.get_or_insert(End::Over);
        }
        self.inbox.accept(told.envelope.messages)
    }

    /// What the next message does, unless another thread is about one. [`handled`](Self::handled)
    /// must follow, when the steps have been taken.
    pub(super) fn step(&mut self, epoch: Epoch, chats: &mut Chats) -> Option<Vec<Step>> {
        if self.busy || self.settling {
            return None;
        }
        if std::mem::take(&mut self.greeting) {
            self.busy = true;
            self.arriving = true;
            // Without a connection nobody was known to be there, and the server does not say it again.
            let there = |(handle, presence): &(Handle, Presence)| Contact {
                presence: Some(*presence),
                ..Contact::named(handle.clone())
            };
            let contacts: Vec<_> = self.present.values().map(there).collect();
            let told = (!contacts.is_empty()).then_some(Event::Contacts { contacts, complete: false });
            return Some(told.map(Step::Deliver).into_iter().chain([self.connected(epoch)]).collect());
        }
        let message = self.inbox.next(self.online)?;
        self.busy = true;
        let ssid = self.ssid.clone();
        let mut stamp = Stamp::new(&ssid, message.seq);
        let news = events::read(&message, &self.me, &mut stamp);
        let mut steps = self.handle(news, epoch, chats, &mut stamp);
        // What was said is told together, as far as nothing comes in between: that is less work for whoever keeps it.
        let said = |step: &Step| matches!(step, Step::Deliver(Event::Message(_)));
        while (1..MOST_TOGETHER).contains(&steps.len())
            && steps.iter().all(said)
            && let Some(message) = self.inbox.next_said(self.online)
        {
            let mut stamp = Stamp::new(&ssid, message.seq);
            let news = events::read(&message, &self.me, &mut stamp);
            steps.extend(self.handle(news, epoch, chats, &mut stamp));
        }
        Some(steps)
    }

    /// The steps of [`step`](Self::step) have been taken; tells whether actions may go out now.
    pub(super) fn handled(&mut self) -> bool {
        self.busy = false;
        self.inbox.handled();
        let arrived = std::mem::take(&mut self.arriving);
        self.online |= arrived;
        arrived
    }

    /// What came of a request is being told, or has been: nothing else is told meanwhile, as it may
    /// build on that.
    pub(super) fn set_settling(&mut self, settling: bool) {
        self.settling = settling;
    }

    /// Whether a thread is about a message.
    pub(super) fn is_busy(&self) -> bool {
        self.busy
    }

    /// Why the session ended, once everything before that has been handled.
    pub(super) fn ended(&self) -> Option<End> {
        if self.busy || self.settling { None } else { self.ending.clone() }
    }

    /// The connection was lost, the session perhaps not; tells what is over with it.
    pub(super) fn suspend(&mut self) -> Vec<Event> {
        self.online = false;
        self.greeting = false;
        self.arriving = false;
        let harmless = self.caller().observed_user_activity();
        let passing = |purpose: &Purpose| matches!(purpose, Purpose::Typing | Purpose::PlaceCall(_));
        if let Some(request) = self.unanswered.as_mut().filter(|request| passing(&request.purpose)) {
            // Its number has to be used, but by then it may no longer be true or wanted.
            request.draft = harmless;
            request.purpose = Purpose::Plain;
        }
        self.calls.suspend()
    }

    /// The session goes on after [`suspend`](Self::suspend).
    pub(super) fn resume(&mut self) {
        self.greeting = true;
    }

    fn handle(&mut self, news: News, epoch: Epoch, chats: &mut Chats, stamp: &mut Stamp<'_>) -> Vec<Step> {
        let deliver = |events: Vec<Event>| events.into_iter().map(Step::Deliver);
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
            News::Added { contacts, items } => {
                self.note(&contacts);
                for contact in &contacts {
                    self.take_asker(&contact.handle);
                }
                // imo-protocol 5: at login the whole list.
                let complete = !std::mem::replace(&mut self.listed, true);
                let mut steps = Vec::new();
                if complete || !contacts.is_empty() {
                    steps.push(Step::Deliver(Event::Contacts { contacts, complete }));
                }
                steps.extend(deliver(chats.added(items, complete, &self.me, stamp)));
                steps
            }
            News::Changed { contacts, items } => {
                self.note(&contacts);
                let mut steps = Vec::new();
                if !contacts.is_empty() {
                    steps.push(Step::Deliver(Event::Contacts { contacts, complete: false }));
                }
                steps.extend(deliver(chats.changed(items)));
                steps
            }
            News::Removed { users, items, by } => {
                for user in &users {
                    self.present.remove(&*Handle::fold(user.as_str()));
                    self.take_asker(user);
                }
                let mut steps: Vec<_> = deliver(users.into_iter().map(Event::ContactRemoved).collect()).collect();
                steps.extend(deliver(chats.removed(items, &by, &self.me, stamp)));
                steps
            }
            News::Topic { gid, topic, author, time } => {
                let id = ConversationId::new(gid.as_str());
                match author {
                    Some(author) if author == self.me && chats.is_own_topic(&gid, &topic) => Vec::new(),
                    Some(author) => {
                        let message = message(stamp.next(), Address::Conversation(id), author, Kind::Topic);
                        vec![Step::Deliver(Event::Message(Message { body: topic, time, ..message }))]
                    }
                    None => {
                        let told = Conversation { topic: Some(topic), ..Conversation::named(id) };
                        vec![Step::Deliver(Event::Conversation(told))]
                    }
                }
            }
            News::Icons(icons) => icons.into_iter().map(|(user, icon)| Step::Icon(user, icon)).collect(),
            News::Call(news) => deliver(self.calls.told(news, stamp)).collect(),
            News::Told(event) => {
                if let Event::AuthRequest { user, .. } = &event {
                    self.asking.insert(Handle::fold(user.as_str()).into_owned());
                }
                vec![Step::Deliver(event)]
            }
            News::OwnPresence { presence, mood } => {
                let mut steps = vec![Step::Reflected(presence, mood.clone())];
                steps.push(Step::Deliver(Event::OwnPresence { presence, mood }));
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
                Some(presence) => {
                    self.present.insert(key.into_owned(), (contact.handle.clone(), presence));
                }
                None => {}
            }
        }
    }
}

pub(super) fn done(ticket: Ticket, outcome: Result<Receipt, Failure>) -> Step {
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

/// What opens a session (imo-protocol 3.1, 11).
pub(super) fn opening(caller: Caller<'_>, version: Version) -> serde_json::Value {
    let draft = match version {
        Version::Zero => caller.get_ssid(),
        Version::One => caller.get_cookie_and_ssid(),
    };
    let mut opening = serde_json::to_value(envelope(caller.ssid, 0, 0, &draft)).unwrap_or_default();
    if version == Version::Zero {
        // There is no session yet.
        opening["ssid"] = 0.into();
        opening["messages"][0]["from"]["ssid"] = 0.into();
    }
    opening
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
