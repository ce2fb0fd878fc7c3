//! What goes on: people talk, clients answer, and everything that comes is looked at.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;
use imo2skype::Session;

use crate::GUARD;
use crate::client::Client;
use crate::client::Heard;
use crate::daemon::Daemon;
use crate::people;
use crate::wires;
use crate::wires::Input;

/// Who talks with the account, and has it as a contact.
pub(crate) const PEOPLE: [&str; 2] = ["bob", "carol"];

/// What all clients hear first when all are attached; one of them causes it.
pub(crate) const START: &str = "USERSTATUS DND";

/// So many messages of people may be on their way before the slowest client has read the first. Who leaves too many
/// lines unread is cut off, rightly; and a bus suffers 128 commands of a client without a reply, two for each message.
const AHEAD: usize = 32;

/// So many that wait are named when nothing goes on.
const NAMED: usize = 4;

/// When it is enough.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Length {
    Messages(usize),
    Time(Duration),
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// Not all clients are attached.
    Start,
    /// The people talk.
    Talk,
    /// They have said their last word.
    LastWord,
    /// Everybody has heard everything, and asks for something behind that.
    Fence,
    Over,
}

/// What the clients of a protocol hear: the lines, each with the client that was the first to hear it.
type Log = Vec<(String, usize)>;

pub(crate) struct Load {
    clients: Vec<Client>,
    people: Vec<Arc<Session>>,
    inputs: Receiver<Input>,
    logs: BTreeMap<u8, Log>,
    stage: Stage,
    start: Instant,
    /// How many messages the people have sent.
    rounds: usize,
    /// The numbers of the messages that clients have sent, as far as they were told.
    ids: Vec<String>,
    /// How many messages clients have sent, and how many of each have arrived.
    said: usize,
    arrived: Vec<usize>,
}

impl Load {
    /// Everybody is there, and nothing has been said.
    pub(crate) fn new(daemon: &Daemon) -> Self {
        let (sender, inputs) = unbounded();
        let people = people(&daemon.gateway);
        let wires = wires::connect(daemon, &sender).into_iter().enumerate();
        let clients: Vec<_> = wires.map(|(place, wire)| Client::attach(wire, place)).collect();
        for (place, person) in people.iter().enumerate() {
            let (person, sender, number) = (Arc::clone(person), sender.clone(), clients.len() + place);
            thread::spawn(move || read(&person, number, &sender));
        }
        Self {
            arrived: vec![0; clients.len()],
            clients,
            people,
            inputs,
            logs: BTreeMap::new(),
            stage: Stage::Start,
            start: Instant::now(),
            rounds: 0,
            ids: Vec::new(),
            said: 0,
        }
    }

    /// Goes on until it is enough, and everybody has heard everything.
    ///
    /// # Errors
    ///
    /// What was wrong first.
    pub(crate) fn run(&mut self, length: Length) -> Result<String, String> {
        while self.stage != Stage::Over {
            let (number, line) = self.inputs.recv_timeout(GUARD).map_err(|_| self.stuck())?;
            match (self.clients.get(number), line) {
                (Some(_), Some(line)) => self.line(number, line)?,
                (None, Some(text)) => self.arrived(PEOPLE[number - self.clients.len()], &text)?,
                (Some(client), None) => return Err(format!("{} was cut off", client.name())),
                (None, None) => return Err("one of the people was cut off".to_owned()),
            }
            self.go_on(length);
        }
        self.look()
    }

    /// A line for a client.
    fn line(&mut self, number: usize, line: String) -> Result<(), String> {
        let client = &mut self.clients[number];
        let heard = client.take(&line).map_err(|due| format!("{} heard {line:?}; due was: {due}", client.name()))?;
        match heard {
            Heard::Reply => {}
            Heard::Sending(id) => self.ids.push(id),
            Heard::Message if client.may_begin() => self.speak(number),
            Heard::Message => {}
            Heard::Notification => self.compare(number, line)?,
        }
        Ok(())
    }

    /// From the start on, the clients of a protocol hear the same.
    fn compare(&mut self, number: usize, line: String) -> Result<(), String> {
        let client = &mut self.clients[number];
        if client.lines == 0 && line != START {
            return Ok(());
        }
        let (log, at) = (self.logs.entry(client.protocol).or_default(), client.lines);
        client.lines += 1;
        match log.get(at) {
            None => log.push((line, number)),
            Some((known, _)) if *known == line => {}
            Some((known, first)) => {
                let before: Vec<_> = log[at.saturating_sub(2)..at].iter().map(|(line, _)| line).collect();
                let (name, first) = (self.clients[number].name(), self.clients[*first].name());
                return Err(format!(
                    "line {at} of {name} is {line:?}\nand that of {first} {known:?}, behind {before:?}"
                ));
            }
        }
        Ok(())
    }

    /// A message of a client, as one of the people has read it.
    fn arrived(&mut self, person: &str, text: &str) -> Result<(), String> {
        let number = text.split(' ').next().and_then(|number| number.parse().ok());
        let number: usize =
            number.filter(|number| *number < self.clients.len()).ok_or(format!("who said {text:?}?"))?;
        let due = format!("{number} {}", self.arrived[number]);
        if text != due || PEOPLE[number % PEOPLE.len()] != person {
            return Err(format!("{person} heard {text:?} where {due:?} was due"));
        }
        self.arrived[number] += 1;
        Ok(())
    }

    /// What comes next, if it is time.
    fn go_on(&mut self, length: Length) {
        match self.stage {
            Stage::Start if self.clients.iter().all(Client::is_attached) => {
                self.stage = Stage::Talk;
                self.start = Instant::now();
                self.clients[0].start();
                self.round();
            }
            Stage::Talk if !self.is_enough(length) => self.round(),
            Stage::Talk if self.is_settled() => {
                self.stage = Stage::LastWord;
                self.talk();
            }
            Stage::LastWord if self.is_settled() => {
                self.stage = Stage::Fence;
                self.clients.iter_mut().for_each(Client::ping);
            }
            Stage::Fence if self.is_settled() => self.stage = Stage::Over,
            _ => {}
        }
    }

    fn is_enough(&self, length: Length) -> bool {
        match length {
            Length::Messages(messages) => self.rounds >= messages,
            Length::Time(time) => self.start.elapsed() >= time,
        }
    }

    /// Whether everything that was said has arrived everywhere.
    fn is_settled(&self) -> bool {
        self.arrived.iter().sum::<usize>() == self.said && !self.clients.iter().any(|client| self.is_behind(client))
    }

    /// Whether something is still to come to a client.
    fn is_behind(&self, client: &Client) -> bool {
        let whole = client.heard() == self.rounds && client.sent >= self.said && client.is_answered();
        !whole || self.next(client).is_some()
    }

    /// What others of its protocol have heard, and it has not, and who was the first.
    fn next(&self, client: &Client) -> Option<&(String, usize)> {
        self.logs.get(&client.protocol)?.get(client.lines)
    }

    /// One of the people talks, and one of the clients too, unless somebody has to catch up.
    fn round(&mut self) {
        if self.clients.iter().all(|client| client.heard() + AHEAD > self.rounds) {
            let speaker = self.rounds % self.clients.len();
            self.talk();
            if self.clients[speaker].has_spoken() {
                self.speak(speaker);
            }
        }
    }

    fn talk(&mut self) {
        let (person, number) = (self.rounds % PEOPLE.len(), self.rounds / PEOPLE.len());
        self.rounds += 1;
        let status = if number.is_multiple_of(2) { "AWAY" } else { "ONLINE" };
        for command in [
            format!("SET PROFILE MOOD_TEXT {number}"),
            format!("SET USERSTATUS {status}"),
            format!("MESSAGE alice {} {number}", PEOPLE[person]),
        ] {
            self.people[person].send_skype_command(&command).expect("an open session");
        }
    }

    fn speak(&mut self, number: usize) {
        self.said += 1;
        self.clients[number].speak();
    }

    /// Looks at what the clients of each protocol have heard, now that they have all heard the same.
    fn look(&mut self) -> Result<String, String> {
        self.ids.sort_unstable();
        for (protocol, log) in &self.logs {
            let sent = log.iter().filter_map(|(line, _)| line.strip_suffix(" STATUS SENT")?.split(' ').nth(1));
            let mut sent: Vec<_> = sent.collect();
            sent.sort_unstable();
            if sent != self.ids {
                return Err(format!("at protocol {protocol} not every message is SENT, and once"));
            }
            let mut values = HashMap::new();
            for (line, _) in log.iter().filter(|(line, _)| line.starts_with("USER ")) {
                let (head, value) = line.rsplit_once(' ').unwrap_or_default();
                if values.insert(head, value) == Some(value) {
                    return Err(format!("at protocol {protocol} {line:?} came twice, and nothing had changed"));
                }
            }
        }
        let commands: usize = self.clients.iter().map(|client| client.answered).sum();
        let events: Vec<_> = self.logs.iter().map(|(protocol, log)| format!("{} at {protocol}", log.len())).collect();
        Ok(format!(
            "{} clients in {:?}: {} messages to each, {} back, {commands} commands, events by protocol: {}",
            self.clients.len(),
            self.start.elapsed(),
            self.rounds,
            self.said,
            events.join(", "),
        ))
    }

    /// For whom everybody waits.
    fn stuck(&self) -> String {
        let behind = self.clients.iter().filter(|client| !client.is_attached() || self.is_behind(client));
        let behind: Vec<_> =
            behind.map(|client| format!("\n{}, next {:?}", client.progress(), self.next(client))).collect();
        let (stage, rounds, said, arrived) = (self.stage, self.rounds, self.said, self.arrived.iter().sum::<usize>());
        let named = behind[..NAMED.min(behind.len())].concat();
        format!(
            "nothing came for {GUARD:?} in {stage:?}: {rounds} messages to each client, {said} of theirs, {arrived} \
             arrived; behind are {} clients:{named}",
            behind.len(),
        )
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.people.iter().for_each(|person| person.close());
    }
}

/// The people, who have the account as a contact.
fn people(gateway: &str) -> Vec<Arc<Session>> {
    let alice = people::open(gateway, "alice");
    let friend = |name| {
        let person = people::open(gateway, name);
        people::befriend(&alice, ["alice", name], &person);
        Arc::new(person)
    };
    PEOPLE.map(friend).into()
}

/// Reads every message that comes, until the session is closed.
fn read(person: &Session, number: usize, inputs: &Sender<Input>) {
    while let Ok(line) = person.poll_skype_notification(None) {
        if let Some(id) = line.as_deref().and_then(people::received) {
            let body = format!("CHATMESSAGE {id} BODY");
            let Ok(reply) = person.invoke(&format!("GET {body}"), GUARD) else { break };
            let _ = inputs.send((number, reply.strip_prefix(&format!("{body} ")).map(str::to_owned)));
        }
    }
    let _ = inputs.send((number, None));
}
