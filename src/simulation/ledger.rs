//! What was promised to whom, and whether it holds.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;

use super::disk::Disk;
use crate::translate::ClientId;

/// What a client asked, as far as the reply is to be understood.
#[derive(Clone, Debug)]
pub(super) enum Asked {
    /// To say this there.
    Say { place: String, body: String },
    /// What a message says.
    Body(u32),
    /// That a message was seen.
    Seen(u32),
    /// Which were missed.
    Missed,
    /// Something of which the reply is wanted.
    Other,
}

/// A message that a client was told to be on its way.
#[derive(Clone, Debug)]
pub(super) struct Said {
    pub(super) id: u32,
    pub(super) place: String,
    pub(super) body: String,
}

/// What must hold here.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules {
    /// The server knows a message from its repeat.
    pub(super) marks: bool,
    /// Messages may be given up because their time is up.
    pub(super) impatient: bool,
}

impl Rules {
    /// Whether each message arrives, once.
    pub(super) fn exactly_once(self) -> bool {
        self.marks && !self.impatient
    }
}

pub(super) struct Ledger {
    pub(super) rules: Rules,
    disk: Disk,
    pub(super) said: Vec<Said>,
    /// What each message says, as clients were told.
    pub(super) bodies: BTreeMap<u32, String>,
    /// Messages of which clients were told that they arrived.
    pub(super) arrived: BTreeSet<u32>,
    /// Those that clients have seen.
    pub(super) seen: HashSet<u32>,
    /// Those of which a client has said so; the program may have died over it.
    pub(super) maybe_seen: HashSet<u32>,
    told: HashSet<(u32, ClientId, u32)>,
    /// The message of which a client was told last that it arrived.
    told_of: Option<u32>,
    /// In which life a client has taken the news of a message.
    pub(super) heard: HashMap<u32, u32>,
    /// Messages that had an end, and the word for it.
    ends: HashMap<u32, String>,
    /// What could not be kept, and may be lost in a crash; and what was.
    unkept: Vec<Unkept>,
    pub(super) lost: HashSet<Unkept>,
    pub(super) reply: String,
    pub(super) wrong: Option<String>,
    pub(super) trace: Option<Vec<String>>,
}

/// What may be lost in a crash while the disk is full.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Unkept {
    Body(String),
    Number(u32),
    Seen(u32),
    End(u32),
}

impl Ledger {
    pub(super) fn new(rules: Rules, disk: Disk, traced: bool) -> Self {
        Self {
            rules,
            disk,
            said: Vec::new(),
            bodies: BTreeMap::new(),
            arrived: BTreeSet::new(),
            seen: HashSet::new(),
            maybe_seen: HashSet::new(),
            told: HashSet::new(),
            told_of: None,
            heard: HashMap::new(),
            ends: HashMap::new(),
            unkept: Vec::new(),
            lost: HashSet::new(),
            reply: String::new(),
            wrong: None,
            trace: traced.then(Vec::new),
        }
    }

    pub(super) fn note(&mut self, line: impl FnOnce() -> String) {
        if let Some(trace) = &mut self.trace {
            trace.push(line());
        }
    }

    pub(super) fn must(&mut self, holds: bool, otherwise: impl FnOnce() -> String) {
        if !holds && self.wrong.is_none() {
            let wrong = otherwise();
            self.note(|| format!("WRONG: {wrong}"));
            self.wrong = Some(wrong);
        }
    }

    /// Something that a crash must not undo, if it could be kept.
    pub(super) fn unkept(&mut self, what: Unkept) {
        if self.disk.is_behind() {
            self.unkept.push(what);
        } else {
            self.unkept.clear();
        }
    }

    /// The program is dead.
    pub(super) fn died(&mut self) {
        if self.disk.is_behind() {
            self.lost.extend(self.unkept.drain(..));
        }
        self.unkept.clear();
    }

    /// Whether a message may not be known any more.
    pub(super) fn is_lost(&self, id: u32) -> bool {
        self.lost.contains(&Unkept::Number(id))
    }

    /// A number means this, for ever.
    pub(super) fn names(&mut self, id: u32, body: &str) {
        let before = self.bodies.entry(id).or_insert_with(|| body.to_owned()).clone();
        self.must(before == body, || format!("{id} was {before:?} and is {body:?}"));
    }

    pub(super) fn replied(&mut self, asked: Option<&Asked>, reply: &str) {
        self.note(|| format!("  reply {reply}"));
        reply.clone_into(&mut self.reply);
        match asked {
            Some(Asked::Say { place, body }) => {
                let Some(id) = id_of(reply).filter(|_| reply.ends_with("STATUS SENDING")) else { return };
                let fresh = !self.bodies.contains_key(&id);
                self.must(fresh, || format!("{id} is given twice"));
                self.names(id, body);
                self.said.push(Said { id, place: place.clone(), body: body.clone() });
                self.unkept(Unkept::Body(body.clone()));
                self.unkept(Unkept::Number(id));
            }
            Some(Asked::Body(id)) => match reply.split_once(" BODY ") {
                Some((_, body)) => self.names(*id, body),
                None => {
                    let known = self.bodies.contains_key(id) && !self.is_lost(*id);
                    self.must(!known, || format!("{id} is not known any more: {reply}"));
                }
            },
            Some(Asked::Seen(id)) if reply.ends_with("STATUS READ") => {
                self.seen.insert(*id);
                self.unkept(Unkept::Seen(*id));
            }
            Some(Asked::Missed) => self.missed(reply),
            _ => {}
        }
    }

    fn missed(&mut self, reply: &str) {
        let listed: Vec<u32> = list_of(reply);
        let wanted = self.arrived.iter().filter(|id| !self.maybe_seen.contains(*id) && !self.is_lost(**id));
        let missing: Vec<_> = wanted.filter(|id| !listed.contains(id)).copied().collect();
        self.must(missing.is_empty(), || format!("not among the missed messages: {missing:?}"));
        let again: Vec<_> = listed.iter().filter(|id| self.seen.contains(*id)).collect();
        let again: Vec<_> = again.into_iter().filter(|id| !self.lost.contains(&Unkept::Seen(**id))).copied().collect();
        self.must(again.is_empty(), || format!("seen, and among the missed messages: {again:?}"));
        let distinct: HashSet<_> = listed.iter().collect();
        self.must(distinct.len() == listed.len(), || format!("listed twice: {listed:?}"));
    }

    /// A notification goes to a client.
    pub(super) fn told(&mut self, life: u32, client: ClientId, line: &str) {
        self.note(|| format!("  client {} < {line}", client.0));
        let Some(id) = id_of(line) else { return };
        if line.ends_with("STATUS RECEIVED") {
            let new = self.told.insert((life, client, id));
            self.must(new, || format!("client {} is told of {id} twice", client.0));
            let heard = self.heard.get(&id) == Some(&life);
            self.must(!heard, || format!("{id} is told again, and was heard"));
            self.told_of = Some(id);
        }
        for end in ["SENT", "FAILED"] {
            if line.ends_with(&format!("STATUS {end}")) {
                let before = self.ends.insert(id, end.to_owned());
                let same = before.as_ref().is_none_or(|before| before == end) || self.lost.contains(&Unkept::End(id));
                self.must(same, || format!("{id} was {before:?} and is {end}"));
                self.unkept(Unkept::End(id));
            }
        }
    }

    /// What a client was told last is about something that somebody said.
    pub(super) fn offered(&mut self, id: u32) {
        if self.told_of.take_if(|told| *told == id).is_some() && self.arrived.insert(id) {
            self.unkept(Unkept::Number(id));
        }
    }

    /// A client has taken the news of a message.
    pub(super) fn taken(&mut self, life: u32, id: u32) {
        self.heard.insert(id, life);
    }
}

/// The number in `CHATMESSAGE 100001 STATUS SENT`.
pub(super) fn id_of(line: &str) -> Option<u32> {
    let mut words = line.split(' ');
    matches!(words.next(), Some("CHATMESSAGE" | "MESSAGE")).then(|| words.next()?.parse().ok()).flatten()
}

/// The numbers in `CHATMESSAGES 100002, 100001`.
pub(super) fn list_of(reply: &str) -> Vec<u32> {
    reply.split([' ', ',']).filter_map(|word| word.parse().ok()).collect()
}
