//! A server that does what imo-protocol 3 says and our gateway promises besides: mail waits until a login has
//! acknowledged it, and a message that is sent again under its `client_msg_id` is the same message.

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::collections::VecDeque;

use serde_json::Value;
use serde_json::json;

use crate::imo;

/// The number of what is said about a session that is not known: no message of that session had it.
const STRANGE: u64 = 1 << 40;

/// Something that another said to the account.
#[derive(Clone, Debug)]
pub(super) struct Mail {
    pub(super) number: u64,
    pub(super) place: &'static str,
    pub(super) author: &'static str,
    pub(super) body: String,
    time: u64,
}

/// Something that the account said to another.
#[derive(Clone, Debug)]
pub(super) struct Delivery {
    pub(super) place: String,
    pub(super) body: String,
}

struct Queued {
    seq: u64,
    mail: Option<u64>,
    message: imo::Message,
}

#[derive(Default)]
struct Session {
    logged_in: bool,
    next_seq: u64,
    sent: u64,
    queue: VecDeque<Queued>,
    seen: HashSet<u64>,
    ack: u64,
    /// A poll that is held, by what names it outside.
    poll: Option<(u32, u64)>,
}

/// How a server says that it does not know a session (imo-protocol 3.4).
#[derive(Clone, Copy, Debug)]
pub(super) enum Stranger {
    Zero,
    Expired,
    Reset,
    Page,
}

/// What the server makes of a post.
pub(super) enum Served {
    Answer(imo::Answer),
    Page,
    /// The answer comes when there is something to tell.
    Held,
}

pub(super) struct Gateway {
    /// Whether it knows a message from its repeat.
    pub(super) knows_marks: bool,
    pub(super) stranger: Stranger,
    sessions: BTreeMap<String, Session>,
    opened: u64,
    pub(super) mailbox: BTreeMap<u64, Mail>,
    mails: u64,
    marks: HashSet<String>,
    /// What arrived at the others, in the order in which it did.
    pub(super) delivered: Vec<Delivery>,
    /// Polls that are answered now.
    pub(super) answered: Vec<((u32, u64), imo::Answer)>,
}

impl Gateway {
    pub(super) fn new(knows_marks: bool, stranger: Stranger) -> Self {
        Self {
            knows_marks,
            stranger,
            sessions: BTreeMap::new(),
            opened: 0,
            mailbox: BTreeMap::new(),
            mails: 0,
            marks: HashSet::new(),
            delivered: Vec::new(),
            answered: Vec::new(),
        }
    }

    /// The program of the server dies and is started again; the polls that it held.
    pub(super) fn crash(&mut self) -> Vec<(u32, u64)> {
        std::mem::take(&mut self.sessions).into_values().filter_map(|session| session.poll).collect()
    }

    /// Somebody says something to the account.
    pub(super) fn say(&mut self, place: &'static str, author: &'static str, body: String, time: u64) {
        self.mails += 1;
        let mail = Mail { number: self.mails, place, author, body, time };
        self.mailbox.insert(mail.number, mail.clone());
        for ssid in self.logged_in() {
            self.push(&ssid, "im", received(&mail), Some(mail.number));
        }
    }

    fn logged_in(&self) -> Vec<String> {
        self.sessions.iter().filter(|(_, session)| session.logged_in).map(|(ssid, _)| ssid.clone()).collect()
    }

    fn push(&mut self, ssid: &str, system: &str, data: Value, mail: Option<u64>) {
        let Some(session) = self.sessions.get_mut(ssid) else { return };
        let seq = session.next_seq;
        session.next_seq += 1;
        let message =
            imo::Message { data, to: imo::System::named("client"), from: imo::System::named(system), seq: Some(seq) };
        session.queue.push_back(Queued { seq, mail, message });
        if let Some(poll) = session.poll.take() {
            let answer = session.answer(true);
            self.answered.push((poll, answer));
        }
    }

    /// Takes a post; `talkative` answers to requests tell what waits.
    pub(super) fn serve(
        &mut self,
        post: (u32, u64),
        opening: bool,
        envelope: &imo::Envelope,
        talkative: bool,
    ) -> Served {
        if opening {
            self.opened += 1;
            let ssid = format!("s{}", self.opened);
            self.sessions.insert(ssid.clone(), Session::default());
            let data = json!({"ssid": ssid, imo::CLIENT_MSG_IDS: self.knows_marks});
            return Served::Answer(imo::Answer { method: imo::REST_RPC.to_owned(), data });
        }
        let ssid = envelope.ssid.clone().unwrap_or_default();
        let Some(session) = self.sessions.get_mut(&ssid) else { return self.stranger() };
        for number in session.acknowledge(envelope.ack.unwrap_or_default()) {
            self.mailbox.remove(&number);
        }
        let Some(message) = envelope.messages.first() else {
            // There is one poll at a time: the one before is answered with nothing.
            let before = session.poll.take();
            let nothing = session.answer(false);
            self.answered.extend(before.map(|poll| (poll, nothing)));
            if session.queue.is_empty() {
                session.poll = Some(post);
                return Served::Held;
            }
            return Served::Answer(session.answer(true));
        };
        let seq = message.seq.unwrap_or_default();
        if session.seen.insert(seq) {
            session.ack = session.ack.max(seq + 1);
            self.call(&ssid, &imo::read(&message.data));
        }
        let session = self.sessions.entry(ssid).or_default();
        Served::Answer(session.answer(talkative))
    }

    fn stranger(&self) -> Served {
        let told = |system: &str, data: Value| {
            let message = json!({"data": data, "to": {"system": "client"}, "from": {"system": system}, "seq": STRANGE});
            json!({"ack": 0, "messages": [message]})
        };
        let data = match self.stranger {
            Stranger::Zero => json!({"ack": 0, "messages": []}),
            Stranger::Expired => told("im", json!({"name": "expired"})),
            Stranger::Reset => told("reset", json!({})),
            Stranger::Page => return Served::Page,
        };
        Served::Answer(imo::Answer { method: imo::FORWARD_TO_CLIENT.to_owned(), data })
    }

    fn call(&mut self, ssid: &str, call: &imo::Call) {
        let arguments: imo::Arguments = imo::read(&call.data);
        match call.method.as_str() {
            "account_login" => {
                let items = json!([
                    {"buid": "bob", "alias": "Bob", "group": "Buddies", "primitive": "available"},
                    {"buid": "carol", "alias": "Carol", "group": "Buddies", "primitive": "available"},
                    {"buid": "c1;", "alias": "plans", "type": "group"},
                    {"buid": "c1;bob;prpl-skype", "group": "c1"},
                ]);
                self.push(ssid, "im", json!({"name": "buddy_added", "edata": items}), None);
                self.push(ssid, "im", json!({"name": "signed_on", "edata": {"alias": "Alice"}}), None);
                if let Some(session) = self.sessions.get_mut(ssid) {
                    session.logged_in = true;
                }
                for mail in self.mailbox.values().cloned().collect::<Vec<_>>() {
                    self.push(ssid, "im", received(&mail), Some(mail.number));
                }
            }
            "send_im" => self.send_im(ssid, call.request_id.unwrap_or_default(), arguments),
            _ => {}
        }
    }

    fn send_im(&mut self, ssid: &str, request_id: u64, arguments: imo::Arguments) {
        let mark = arguments.client_msg_id.filter(|_| self.knows_marks);
        let known = mark.as_ref().is_some_and(|mark| !self.marks.insert(mark.clone()));
        let told = json!({"request_id": request_id, "response": {"timestamp": 1_353_571_200}});
        self.push(ssid, "internal", told, None);
        if known {
            return;
        }
        let (place, body) = (arguments.buid.unwrap_or_default(), arguments.msg.unwrap_or_default());
        self.delivered.push(Delivery { place: place.clone(), body: body.clone() });
        let msg_id = format!("e-s{}", self.delivered.len());
        let sent = json!({"r_name": "send_im", "buid": place, "msg": body, "timestamp": 1_353_571_200,
            "msg_id": msg_id, "client_msg_id": mark});
        for other in self.logged_in().into_iter().filter(|other| other != ssid) {
            self.push(&other, "im", json!({"name": "reflect", "type": "conv", "edata": sent.clone()}), None);
        }
    }
}

impl Session {
    /// Forgets what the client has handled; the mail among it.
    fn acknowledge(&mut self, ack: u64) -> Vec<u64> {
        let mut mails = Vec::new();
        while self.queue.front().is_some_and(|first| first.seq < ack.min(self.sent)) {
            let Some(first) = self.queue.pop_front() else { break };
            mails.extend(first.mail);
        }
        mails
    }

    fn answer(&mut self, tells: bool) -> imo::Answer {
        let messages: Vec<_> = self.queue.iter().filter(|_| tells).map(|queued| &queued.message).collect();
        if tells {
            self.sent = self.next_seq;
        }
        let data = json!({"ack": self.ack, "messages": messages});
        imo::Answer { method: imo::FORWARD_TO_CLIENT.to_owned(), data }
    }
}

fn received(mail: &Mail) -> Value {
    let author = (mail.place != mail.author).then(|| format!("{}{};{}", mail.place, mail.author, imo::PROTO));
    json!({"name": "recv_im", "edata": {"buid": mail.place, "author": author, "msg": mail.body,
        "timestamp": mail.time, "msg_id": format!("e-{}", mail.number)}})
}
