//! A door for the fuzz target `skypeproxy`.

use secrecy::SecretString;

use super::Talk;
use super::codec;
use crate::transport::stream::Protocol as _;
use crate::transport::stream::Step;

/// What the bytes of a client ask for.
#[derive(Debug, PartialEq, Eq)]
pub enum Asked {
    /// Nothing, or nothing more than what was answered.
    Nothing,
    /// A line for the session; `None` can be none.
    Line(Option<String>),
    /// Pictures are to be brought over the connection.
    Pictures,
    /// The place for a file, or none.
    Slot(Option<u8>),
    /// The client is turned away.
    TurnAway,
}

/// What one client says, without a socket.
pub struct Client(Talk);

impl Client {
    /// A client that has to give this password.
    #[must_use]
    pub fn new(key: Option<&str>) -> Self {
        Self(Talk::new(key.map(SecretString::from).as_ref()))
    }

    /// Takes the next bytes.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.0.feed(bytes);
    }

    /// The next thing that those bytes ask for, and what was answered at once; `None` until more come.
    ///
    /// # Errors
    ///
    /// Why they cannot be followed any further.
    pub fn step(&mut self) -> Result<Option<(Asked, Vec<u8>)>, String> {
        let mut answer = Vec::new();
        let asked = self.0.next(&mut answer)?.map(|step| match step {
            Step::Command(text) => Asked::Line(Some(text.to_owned())),
            Step::Garbage => Asked::Line(None),
            Step::TakesPictures => Asked::Pictures,
            Step::Slot(slot) => Asked::Slot(slot),
            Step::TurnAway { .. } => Asked::TurnAway,
            Step::Answered | Step::Goodbye => Asked::Nothing,
        });
        Ok(asked.map(|asked| (asked, answer)))
    }

    /// Asks for a place for a file; whether it could be asked.
    pub fn open(&mut self) -> bool {
        self.0.open("picture.jpg", &mut Vec::new())
    }

    /// Whether the password was given, if one is needed.
    #[must_use]
    pub fn admitted(&self) -> bool {
        self.0.admitted()
    }

    /// How many bytes wait for more, and for how many there is room.
    #[must_use]
    pub fn room(&self) -> (usize, usize) {
        self.0.decoder.room()
    }
}

/// The frame of a line of the session.
#[must_use]
pub fn encode(line: &str) -> Vec<u8> {
    let mut frame = Vec::new();
    codec::encode(line, &mut frame);
    frame
}
