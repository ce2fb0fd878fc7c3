//! What one client said and heard, and what it must hear.

use std::collections::VecDeque;

use crate::load::PEOPLE;
use crate::load::START;
use crate::wires::Wire;

/// What stands behind the beginning of a reply, which is known.
enum Rest {
    Nothing,
    /// That a message with this text is on its way, and its number.
    Sending(String),
    /// The text of a message from one of the people.
    Body,
}

/// What a line was to its client.
pub(crate) enum Heard {
    /// Something that all clients of its protocol hear.
    Notification,
    /// An answer, to it alone.
    Reply,
    /// The answer that says what one of the people has said.
    Message,
    /// The answer that says which number its own message has.
    Sending(String),
}

/// The versions of the protocol that clients ask for, one after the other: most are of the last days.
const PROTOCOLS: [u8; 8] = [2, 3, 5, 7, 8, 8, 8, 8];

pub(crate) struct Client {
    wire: Wire,
    place: usize,
    pub(crate) protocol: u8,
    /// How the replies begin that have not come, in order, and what is behind that.
    asked: VecDeque<(String, Rest)>,
    pub(crate) answered: usize,
    /// Whether it was told how the account stands.
    told: bool,
    /// How many messages came of each of the people.
    heard: [usize; PEOPLE.len()],
    said: usize,
    /// How its newest message is asked for, and the text.
    newest: Option<(String, String)>,
    /// How many lines came since the start: so far it is in what all clients of its protocol hear.
    pub(crate) lines: usize,
    /// How many messages it knows to be sent, whoever wrote them.
    pub(crate) sent: usize,
}

impl Client {
    /// Has a client attach itself.
    pub(crate) fn attach(wire: Wire, place: usize) -> Self {
        // What skyped speaks is its own affair.
        let own = wire.kind == "skyped";
        let protocol = if own { 5 } else { PROTOCOLS[place % PROTOCOLS.len()] };
        let mut client = Self {
            wire,
            place,
            protocol,
            asked: VecDeque::new(),
            answered: 0,
            told: false,
            heard: [0; PEOPLE.len()],
            said: 0,
            newest: None,
            lines: 0,
            sent: 0,
        };
        if !own {
            client.ask(&format!("NAME crowd-{place}"), "OK", Rest::Nothing);
            let protocol = format!("PROTOCOL {protocol}");
            client.ask(&protocol, &protocol, Rest::Nothing);
        }
        client
    }

    /// What a failure calls it.
    pub(crate) fn name(&self) -> String {
        format!("client {} ({}, protocol {})", self.place, self.wire.kind, self.protocol)
    }

    /// How far it is, for who looks for the one that others wait for.
    pub(crate) fn progress(&self) -> String {
        let (heard, lines, open) = (self.heard(), self.lines, self.asked.len());
        format!("{}: {heard} messages, {} sent, {lines} lines, {open} commands without a reply", self.name(), self.sent)
    }

    pub(crate) fn is_attached(&self) -> bool {
        self.told && self.is_answered()
    }

    /// Whether every command has its reply.
    pub(crate) fn is_answered(&self) -> bool {
        self.asked.is_empty()
    }

    /// How many messages of people it has read.
    pub(crate) fn heard(&self) -> usize {
        self.heard.iter().sum()
    }

    /// Whether it has sent a message.
    pub(crate) fn has_spoken(&self) -> bool {
        self.said > 0
    }

    /// Whether all people have spoken and it has not: a chat that it begins itself brings lines of its own.
    pub(crate) fn may_begin(&self) -> bool {
        !self.has_spoken() && !self.heard.contains(&0)
    }

    /// The word for a message.
    fn message(&self) -> &'static str {
        if self.protocol < 3 { "MESSAGE" } else { "CHATMESSAGE" }
    }

    /// The numbers are those of other clients, too.
    fn ask(&mut self, command: &str, head: &str, rest: Rest) {
        let number = self.answered + self.asked.len();
        (self.wire.say)(&format!("#{number} {command}"));
        self.asked.push_back((format!("#{number} {head}"), rest));
    }

    /// Sends its next message to one of the people.
    pub(crate) fn speak(&mut self) {
        let text = format!("{} {}", self.place, self.said);
        self.said += 1;
        let command = format!("MESSAGE {} {text}", PEOPLE[self.place % PEOPLE.len()]);
        self.ask(&command, self.message(), Rest::Sending(text));
    }

    /// Has all clients hear that it begins.
    pub(crate) fn start(&mut self) {
        self.ask(&format!("SET {START}"), START, Rest::Nothing);
    }

    /// Asks for something that comes behind everything else.
    pub(crate) fn ping(&mut self) {
        self.ask("PING", "PONG", Rest::Nothing);
    }

    /// Takes a line that came.
    ///
    /// # Errors
    ///
    /// What had to come instead.
    pub(crate) fn take(&mut self, line: &str) -> Result<Heard, String> {
        if line.starts_with('#') {
            return self.reply(line);
        }
        self.told |= line == "USERSTATUS ONLINE";
        if let Some(rest) = line.strip_prefix(self.message()) {
            self.sent += usize::from(rest.ends_with(" STATUS SENT"));
            if let Some(number) = rest.strip_suffix(" STATUS RECEIVED") {
                let body = format!("{}{number} BODY", self.message());
                self.ask(&format!("GET {body}"), &format!("{body} "), Rest::Body);
                if let Some((body, text)) = self.newest.clone() {
                    self.ask(&format!("GET {body}"), &format!("{body} {text}"), Rest::Nothing);
                }
            }
        }
        Ok(Heard::Notification)
    }

    fn reply(&mut self, line: &str) -> Result<Heard, String> {
        let (head, rest) = self.asked.pop_front().ok_or("no reply")?;
        self.answered += 1;
        let found = line.strip_prefix(&head);
        match rest {
            Rest::Nothing if found == Some("") => Ok(Heard::Reply),
            Rest::Nothing => Err(head),
            Rest::Sending(text) => {
                let id = found.and_then(|found| found.strip_suffix(" STATUS SENDING"));
                let id = id.ok_or_else(|| format!("{head} ... STATUS SENDING"))?.trim_start();
                self.newest = Some((format!("{} {id} BODY", self.message()), text));
                Ok(Heard::Sending(id.to_owned()))
            }
            Rest::Body => {
                let due = PEOPLE.iter().zip(self.heard).map(|(name, heard)| format!("{name} {heard}"));
                let due: Vec<_> = due.collect();
                let person = due.iter().position(|due| found == Some(due));
                self.heard[person.ok_or_else(|| format!("{head}{}", due.join(" or ")))?] += 1;
                Ok(Heard::Message)
            }
        }
    }
}
