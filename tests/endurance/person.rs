//! Somebody with a good Skype API client: it remembers what it has handled, and finds out what it does not know.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;

use crate::ledger::Failed;
use crate::ledger::Ledger;
use crate::plan::LANES;
use crate::plan::number;
use crate::socket::Input;
use crate::socket::Socket;

/// How many commands may have no reply yet.
const UNANSWERED: usize = 50;

/// What a message is called that never was.
const UNKNOWN: &str = "ERROR 15 Unknown message";

/// How much of what was said last is shown if something fails.
const TAIL: usize = 60;

/// What a reply will be about.
#[derive(Debug)]
enum Asked {
    /// Nothing that could come out differently.
    Plain,
    Missed,
    /// The history of a talk.
    History(usize),
    /// Message of a talk.
    Send(usize, usize),
    Type(u32),
    From(u32),
    Body(u32),
    Seen(u32),
    Status(u32),
}

/// A dialog with somebody.
struct Talk {
    partner: &'static str,
    /// The lanes there and back.
    out: usize,
    back: usize,
    /// The next message to ask for.
    next: usize,
    /// Whether it is known what became of every message that was asked for by another connection.
    clear: bool,
    /// Messages of the history that must be read before it is, the oldest first.
    unread: Vec<u32>,
}

/// What is known of a message that is being read.
#[derive(Default)]
struct Half {
    kind: String,
    from: String,
    /// Read because of the history, not because it was received.
    of_history: bool,
}

pub(crate) struct Person<'a> {
    name: &'static str,
    ledger: &'a Ledger,
    to_me: Sender<Input>,
    inputs: Receiver<Input>,
    talks: Vec<Talk>,
    /// What each id names, and each text that was heard or taken, for ever.
    texts: HashMap<u32, (usize, usize)>,
    ids: HashMap<(usize, usize), u32>,
    /// Messages that were handled.
    handled: HashSet<u32>,
    /// Own messages that are on their way, as far as we know.
    sending: BTreeMap<u32, (usize, usize)>,
    said: VecDeque<String>,
    // The rest is about one connection.
    socket: Option<Socket>,
    connection: usize,
    next_tag: usize,
    asked: BTreeMap<usize, Asked>,
    halves: HashMap<u32, Half>,
    /// Messages that came before we were told of those that we have missed.
    early: Option<Vec<u32>>,
    /// Whether we look through everything.
    looking: bool,
}

impl<'a> Person<'a> {
    pub(crate) fn new(name: &'static str, ledger: &'a Ledger, to_me: Sender<Input>, inputs: Receiver<Input>) -> Self {
        let outgoing = LANES.iter().enumerate().filter(|(_, lane)| lane.from == name);
        let talks = outgoing.map(|(out, lane)| {
            let back = LANES.iter().position(|other| (other.from, other.to) == (lane.to, name)).expect("both ways");
            Talk { partner: lane.to, out, back, next: 0, clear: true, unread: Vec::new() }
        });
        Self {
            name,
            ledger,
            to_me,
            inputs,
            talks: talks.collect(),
            texts: HashMap::new(),
            ids: HashMap::new(),
            handled: HashSet::new(),
            sending: BTreeMap::new(),
            said: VecDeque::new(),
            socket: None,
            connection: 0,
            next_tag: 0,
            asked: BTreeMap::new(),
            halves: HashMap::new(),
            early: None,
            looking: false,
        }
    }

    /// What was said last.
    pub(crate) fn tail(&self) -> String {
        self.said.iter().map(|line| format!("  {line}\n")).collect()
    }

    /// Talks with the daemon at `address` until it ends, or all is said and found in order; whether it is.
    pub(crate) fn live(&mut self, address: &str) -> Result<bool, Failed> {
        self.connection += 1;
        self.said(format!("-- connection {}", self.connection));
        let Ok(socket) = Socket::connect(address, self.connection, self.to_me.clone()) else { return Ok(false) };
        self.socket = Some(socket);
        self.asked.clear();
        self.halves.clear();
        self.early = Some(Vec::new());
        self.looking = false;
        self.ask(Asked::Plain, "NAME endurance");
        self.ask(Asked::Plain, "PROTOCOL 7");
        self.ask(Asked::Missed, "SEARCH MISSEDCHATMESSAGES");
        for talk in 0..self.talks.len() {
            let Talk { partner, out, next, .. } = self.talks[talk];
            self.talks[talk].clear = self.ledger.taken(out).len() == next;
            self.talks[talk].unread.clear();
            if !self.talks[talk].clear {
                self.ask(Asked::History(talk), &format!("SEARCH CHATMESSAGES {partner}"));
            }
        }
        for id in self.sending.keys().copied().collect::<Vec<_>>() {
            self.get(id, "STATUS", Asked::Status(id));
        }
        loop {
            self.send_more();
            if self.ledger.failure().is_some() {
                return Err(Failed);
            }
            if self.ledger.is_over() && !self.looking && self.asked.is_empty() && self.sending.is_empty() {
                self.look()?;
            }
            if self.looking && self.asked.is_empty() {
                return Ok(true);
            }
            match self.inputs.recv().expect("we have a sender ourselves") {
                Input::Line(connection, line) if connection == self.connection => self.line(&line)?,
                Input::Gone(connection) if connection == self.connection => return Ok(false),
                Input::Line(..) | Input::Gone(_) | Input::Wake => {}
            }
        }
    }

    fn said(&mut self, line: String) {
        if self.said.len() == TAIL {
            self.said.pop_front();
        }
        self.said.push_back(line.chars().take(120).collect());
    }

    fn wrong(&self, what: &str) -> Failed {
        self.ledger.fail(format!("{}: {what}", self.name))
    }

    fn ask(&mut self, asked: Asked, command: &str) {
        self.next_tag += 1;
        let command = format!("#{} {command}", self.next_tag);
        self.asked.insert(self.next_tag, asked);
        if let Some(socket) = &mut self.socket {
            socket.send(&command);
        }
        self.said(format!("> {command}"));
    }

    fn get(&mut self, id: u32, property: &str, asked: Asked) {
        self.ask(asked, &format!("GET CHATMESSAGE {id} {property}"));
    }

    fn send_more(&mut self) {
        for talk in 0..self.talks.len() {
            while self.asked.len() < UNANSWERED && self.talks[talk].clear {
                let Talk { partner, out, next, .. } = self.talks[talk];
                if !self.ledger.may_send(out, next) {
                    break;
                }
                self.talks[talk].next += 1;
                self.ask(Asked::Send(talk, next), &format!("MESSAGE {partner} {}", LANES[out].text(next)));
            }
        }
    }

    fn line(&mut self, line: &str) -> Result<(), Failed> {
        self.said(format!("< {line}"));
        if let Some((tag, reply)) = line.strip_prefix('#').and_then(|line| line.split_once(' ')) {
            let asked = tag.parse().ok().and_then(|tag: usize| self.asked.remove(&tag));
            let asked = asked.ok_or_else(|| self.wrong(&format!("nothing was asked that is answered so: {line}")))?;
            return self
                .reply(asked, reply)
                .unwrap_or_else(|| Err(self.wrong(&format!("this makes no sense: {line}"))));
        }
        let Some((id, status)) = line.strip_prefix("CHATMESSAGE ").and_then(|line| line.split_once(" STATUS ")) else {
            return Ok(());
        };
        let id = id.parse().map_err(|_| self.wrong(&format!("no id: {line}")))?;
        match (status, &mut self.early) {
            ("RECEIVED", Some(early)) => early.push(id),
            ("RECEIVED", None) => self.received(id),
            _ => self.status(id, status)?,
        }
        Ok(())
    }

    /// Takes a reply; `None` if it cannot be one.
    fn reply(&mut self, asked: Asked, reply: &str) -> Option<Result<(), Failed>> {
        match asked {
            Asked::Status(id) | Asked::Type(id) if reply == UNKNOWN => {
                return Some(Err(self.wrong(&format!("{id} is forgotten"))));
            }
            Asked::Plain => {
                if reply.starts_with("ERROR") {
                    return None;
                }
            }
            Asked::Missed => {
                let mut missed = ids(reply)?;
                missed.reverse();
                let early = self.early.take().unwrap_or_default();
                missed.extend(early.into_iter().filter(|id| !missed.contains(id)).collect::<Vec<_>>());
                missed.into_iter().for_each(|id| self.received(id));
            }
            Asked::History(talk) => return Some(self.history(talk, ids(reply)?)),
            Asked::Send(talk, number) => {
                let id = reply.strip_prefix("CHATMESSAGE ")?.strip_suffix(" STATUS SENDING")?.parse().ok()?;
                return Some(self.taken(self.talks[talk].out, number, id));
            }
            Asked::Type(id) => self.halves.entry(id).or_default().kind = value(reply, id, "TYPE")?.to_owned(),
            Asked::From(id) => self.halves.entry(id).or_default().from = value(reply, id, "FROM_HANDLE")?.to_owned(),
            Asked::Body(id) => {
                let body = value(reply, id, "BODY")?;
                let half = self.halves.remove(&id)?;
                return Some(self.read(id, &half, body));
            }
            Asked::Seen(id) => {
                // Said again, because it was not sure that it had been said.
                let again = reply.starts_with("ERROR 32 ") && self.handled.contains(&id);
                if value(reply, id, "STATUS") != Some("READ") && !again {
                    return None;
                }
            }
            Asked::Status(id) => {
                let status = value(reply, id, "STATUS")?.to_owned();
                self.ledger.looked();
                if self.looking && status == "SENDING" {
                    // Everything has arrived; that it did must be known, too.
                    self.sending.insert(id, *self.texts.get(&id)?);
                    self.looking = false;
                }
                return Some(self.status(id, &status));
            }
        }
        Some(Ok(()))
    }

    /// An id names one text, and a text has one id, whatever happens.
    fn learn(&mut self, id: u32, lane: usize, number: usize) -> Result<(), Failed> {
        let text = *self.texts.entry(id).or_insert((lane, number));
        if text != (lane, number) {
            return Err(self.wrong(&format!("{id} names {} and {}", show(text), show((lane, number)))));
        }
        let known = *self.ids.entry((lane, number)).or_insert(id);
        if known != id {
            return Err(self.wrong(&format!("doubled: {} is {known} and {id}", show((lane, number)))));
        }
        Ok(())
    }

    fn taken(&mut self, lane: usize, number: usize, id: u32) -> Result<(), Failed> {
        self.learn(id, lane, number)?;
        self.sending.insert(id, (lane, number));
        self.ledger.take(lane, number, id)
    }

    fn received(&mut self, id: u32) {
        if self.handled.contains(&id) {
            self.ask(Asked::Seen(id), &format!("SET CHATMESSAGE {id} SEEN"));
        } else {
            self.look_at(id, false);
        }
    }

    fn look_at(&mut self, id: u32, of_history: bool) {
        if let Some(half) = self.halves.get_mut(&id) {
            half.of_history &= of_history;
            return;
        }
        self.halves.insert(id, Half { of_history, ..Half::default() });
        self.get(id, "TYPE", Asked::Type(id));
        self.get(id, "FROM_HANDLE", Asked::From(id));
        self.get(id, "BODY", Asked::Body(id));
    }

    /// A message was read.
    fn read(&mut self, id: u32, half: &Half, body: &str) -> Result<(), Failed> {
        if half.kind == "SAID" {
            let lane = self.talks.iter().find_map(|talk| match &*half.from {
                from if from == talk.partner => Some(talk.back),
                from if from == self.name && LANES[talk.out].text(number(body)?) == body => Some(talk.out),
                _ => None,
            });
            let text = lane.and_then(|lane| Some((lane, number(body)?)));
            let text = text.filter(|(lane, number)| LANES[*lane].text(*number) == body);
            let Some((lane, number)) = text else {
                return Err(self.wrong(&format!("{} never said {body:?}", half.from)));
            };
            self.learn(id, lane, number)?;
            if !half.of_history {
                if LANES[lane].from == self.name {
                    return Err(self.wrong(&format!("{id} is our own, and RECEIVED")));
                }
                self.ledger.hear(lane, number)?;
            }
        }
        if !half.of_history {
            self.handled.insert(id);
            self.ask(Asked::Seen(id), &format!("SET CHATMESSAGE {id} SEEN"));
        }
        self.ledger.looked();
        self.clear_up()
    }

    fn status(&mut self, id: u32, status: &str) -> Result<(), Failed> {
        match status {
            "SENT" => drop(self.sending.remove(&id)),
            "SENDING" | "RECEIVED" | "READ" => {}
            _ => return Err(self.wrong(&format!("{id} is {status}"))),
        }
        Ok(())
    }

    /// What the daemon knows of a talk, the newest first.
    fn history(&mut self, talk: usize, ids: Vec<u32>) -> Result<(), Failed> {
        let Talk { out, back, partner, .. } = self.talks[talk];
        let taken = self.ledger.taken(out);
        if self.looking {
            let listed: HashSet<_> = ids.iter().copied().collect();
            let known = self.texts.iter().filter(|(_, (lane, _))| [out, back].contains(lane));
            if let Some((id, text)) = known.into_iter().find(|(id, _)| !listed.contains(id)) {
                return Err(self.wrong(&format!("the history with {partner} has forgotten {id}, {}", show(*text))));
            }
            for id in ids.into_iter().filter(|id| !self.texts.contains_key(id)).collect::<Vec<_>>() {
                self.look_at(id, true);
            }
            return Ok(());
        }
        let last = taken.last().copied();
        if let Some(last) = last.filter(|last| !ids.contains(last)) {
            return Err(self.wrong(&format!("the history with {partner} has forgotten {last}")));
        }
        let newer = ids.into_iter().take_while(|id| Some(*id) != last);
        let mut unread: Vec<_> = newer.filter(|id| !self.texts.contains_key(id)).collect();
        unread.reverse();
        self.talks[talk].unread = unread.clone();
        unread.into_iter().for_each(|id| self.look_at(id, true));
        self.clear_up()
    }

    /// What was read of the history tells what was taken; the rest is sent again.
    fn clear_up(&mut self) -> Result<(), Failed> {
        for talk in 0..self.talks.len() {
            let waits = || self.asked.values().any(|asked| matches!(asked, Asked::History(other) if *other == talk));
            let reads = || self.talks[talk].unread.iter().any(|id| self.halves.contains_key(id));
            if self.talks[talk].clear || waits() || reads() {
                continue;
            }
            let out = self.talks[talk].out;
            for id in std::mem::take(&mut self.talks[talk].unread) {
                if let Some((_, number)) = self.texts.get(&id).copied().filter(|(lane, _)| *lane == out) {
                    self.taken(out, number, id)?;
                    self.get(id, "STATUS", Asked::Status(id));
                }
            }
            self.talks[talk].next = self.ledger.taken(out).len();
            self.talks[talk].clear = true;
        }
        Ok(())
    }

    /// Everything is said: is it in order?
    fn look(&mut self) -> Result<(), Failed> {
        self.looking = true;
        for talk in 0..self.talks.len() {
            let Talk { partner, out, .. } = self.talks[talk];
            for id in self.ledger.taken(out) {
                self.get(id, "STATUS", Asked::Status(id));
            }
            self.ask(Asked::History(talk), &format!("SEARCH CHATMESSAGES {partner}"));
        }
        Ok(())
    }
}

/// What a reply to GET or SET says.
fn value<'a>(reply: &'a str, id: u32, property: &str) -> Option<&'a str> {
    reply.strip_prefix(&format!("CHATMESSAGE {id} {property} "))
}

/// The reply to a SEARCH for messages.
fn ids(reply: &str) -> Option<Vec<u32>> {
    let list = reply.strip_prefix("CHATMESSAGES")?.trim();
    list.split(", ").filter(|id| !id.is_empty()).map(|id| id.parse().ok()).collect()
}

fn show((lane, number): (usize, usize)) -> String {
    format!("{number} of {} to {}", LANES[lane].from, LANES[lane].to)
}
