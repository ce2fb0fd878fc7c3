//! The lines of a skyped connection, inside of TLS (transports 7, clients 6).
//!
//! The client is the module of bitlbee. It reads at most 1024 bytes at once, keeps nothing of a line for the next
//! read, and leaves the line feed off some of its commands: a record of TLS is what holds a line together, both ways.

use crate::session::MAX_COMMAND;

/// The longest line, with its line feed: the client puts a NUL behind what it reads into 1024 bytes.
const LONGEST: usize = 1023;

/// So much is in a record that is full: its end is no end of what was written.
const FULL_RECORD: usize = 16 * 1024;

/// The room that an idle decoder keeps.
const IDLE_ROOM: usize = 16 * 1024;

/// What a client can say.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Said<'a> {
    /// A line that is not empty.
    Line(&'a str),
    /// What can be no line.
    Garbage,
}

/// A line is longer than any command can be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a line of more than {MAX_COMMAND} bytes")]
pub(super) struct TooLong;

/// Finds the lines in what a client writes.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    /// Where the next line begins, and up to where no end was found.
    start: usize,
    looked: usize,
}

impl Decoder {
    /// Takes the next record.
    pub(super) fn feed(&mut self, record: &[u8]) {
        self.bytes.drain(..self.start);
        self.looked -= self.start;
        self.start = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > IDLE_ROOM {
            self.bytes = Vec::with_capacity(record.len() + 1);
        }
        self.bytes.extend_from_slice(record);
        if record.len() < FULL_RECORD && record.last().is_some_and(|last| *last != b'\n') {
            self.bytes.push(b'\n');
        }
    }

    /// The next line, `None` until more records come.
    ///
    /// # Errors
    ///
    /// When it is too long; the client cannot be followed after that.
    pub(super) fn next(&mut self) -> Result<Option<Said<'_>>, TooLong> {
        loop {
            let found = self.bytes[self.looked..].iter().position(|byte| *byte == b'\n');
            let end = found.map_or(self.bytes.len(), |found| self.looked + found);
            self.looked = end;
            if end - self.start > MAX_COMMAND {
                return Err(TooLong);
            }
            if found.is_none() {
                return Ok(None);
            }
            let start = std::mem::replace(&mut self.start, end + 1);
            self.looked = self.start;
            if !self.bytes[start..end].trim_ascii().is_empty() {
                return Ok(Some(said(&self.bytes[start..end])));
            }
        }
    }
}

fn said(line: &[u8]) -> Said<'_> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    str::from_utf8(line).ok().filter(|text| !text.contains('\0')).map_or(Said::Garbage, Said::Line)
}

/// What stands behind the head of a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Value {
    /// The text of a message: each line of it is shown as one.
    Body,
    /// Names with this between them; they may as well come in several lines.
    List(&'static str),
    /// Anything else: one line, as far as it fits.
    Whole,
}

/// Writes a line of the session as lines for the client, each with its line feed, each for a record of its own.
pub(super) fn encode(line: &str, mut record: impl FnMut(&str)) {
    let (head, value) = head(line);
    // A head that leaves no room for what it is the head of is none.
    let (head, value) = if head > LONGEST / 2 { (0, Value::Whole) } else { (head, value) };
    let (head, rest) = line.split_at(head);
    let room = LONGEST - 1 - head.len();
    let mut say = |text: &str| record(&format!("{head}{text}\n"));
    match value {
        Value::Body => {
            for mut text in rest.replace("\r\n", "\n").split(['\n', '\r']) {
                while text.len() > room {
                    let piece = &text[..floor(text, room)];
                    let piece = piece.rfind(' ').map_or(piece, |space| &piece[..=space]);
                    say(piece);
                    text = &text[piece.len()..];
                }
                say(text);
            }
        }
        Value::List(between) => {
            let flat = flat(rest);
            let mut names = flat.as_str();
            while names.len() > room {
                let piece = &names[..floor(names, room)];
                // A name without end is cut.
                let (piece, taken) =
                    piece.rfind(between).map_or((piece, piece.len()), |end| (&piece[..end], end + between.len()));
                say(piece);
                names = &names[taken..];
            }
            say(names);
        }
        Value::Whole => {
            let flat = flat(rest);
            say(&flat[..floor(&flat, room)]);
        }
    }
}

/// Where to cut a text, so that what is left is at most so long.
fn floor(text: &str, most: usize) -> usize {
    (0..=most.min(text.len())).rev().find(|end| text.is_char_boundary(*end)).unwrap_or(0)
}

/// The same in one line. What is behind a line feed would be read as a line by itself, whoever wrote it.
fn flat(text: &str) -> String {
    text.replace("\r\n", " ").replace(['\n', '\r'], " ")
}

/// The length of what is repeated for each line, and what stands behind it.
fn head(line: &str) -> (usize, Value) {
    let id = if line.starts_with('#') { line.find(' ').map_or(0, |space| space + 1) } else { 0 };
    let mut words = line[id..].splitn(4, ' ');
    let words = [words.next(), words.next(), words.next(), words.next()];
    let (count, value) = match words {
        [Some("CHATMESSAGE"), _, Some("BODY"), Some(_)] => (3, Value::Body),
        [Some("GROUP"), _, Some("USERS"), Some(_)] => (3, Value::List(", ")),
        [Some("CHAT"), _, Some("MEMBERS" | "ACTIVEMEMBERS" | "POSTERS"), Some(_)] => (3, Value::List(" ")),
        [Some("USERS" | "GROUPS" | "CHATS"), Some(_), ..] => (1, Value::List(", ")),
        _ => return (0, Value::Whole),
    };
    let length: usize = words[..count].iter().flatten().map(|word| word.len() + 1).sum();
    let head = id + length;
    // A name of an object has no line feed in it.
    if line[..head].contains(['\n', '\r']) { (0, Value::Whole) } else { (head, value) }
}

#[cfg(test)]
mod tests;
