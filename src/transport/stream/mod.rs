//! Connection points over streams: one thread each, for any number of clients.
//!
//! A `Protocol` knows the bytes and nothing else; what a socket, a session and time have to do with each other is
//! the same for all of them, and is here.

mod bind;
mod connection;
mod door;
mod server;

use std::time::Duration;

pub use bind::BindOptions;
pub use bind::Inherited;
pub(super) use bind::Listeners;
pub(super) use door::Door;
pub(super) use door::WRONG_PASSWORD_PAUSE;
pub(super) use server::Kind;
pub use server::Serving;

/// Commands run on the stack of the thread of their connection point.
const STACK: usize = 256 * 1024;

/// What one connection says and is told, without any socket: bytes in, steps out.
pub(super) trait Protocol: Send {
    /// Whether the client may be there. Who has not got so far in a minute is turned away.
    fn admitted(&self) -> bool;

    /// Takes bytes that came; they come in pieces of any size.
    fn feed(&mut self, bytes: &[u8]);

    /// The next thing that those bytes ask for, `None` until more come. What is answered at once, without the
    /// session, is appended to `out`.
    ///
    /// # Errors
    ///
    /// Why these bytes cannot be followed any further: the connection ends.
    fn next(&mut self, out: &mut Vec<u8>) -> Result<Option<Step<'_>>, String>;

    /// Appends a line of the session.
    fn encode(&mut self, line: &str, out: &mut Vec<u8>);

    /// Appends the last words to a client that is turned away.
    fn farewell(&mut self, answer: &[u8], out: &mut Vec<u8>) {
        out.extend_from_slice(answer);
    }

    /// Asks the client for a place for the file of this name, which is answered by [`Step::Slot`]; whether it can be
    /// asked.
    fn open(&mut self, _name: &str, _out: &mut Vec<u8>) -> bool {
        false
    }

    /// Appends a whole file for the place that the client has found.
    fn bring(&mut self, _slot: u8, _file: &[u8], _out: &mut Vec<u8>) {}
}

/// What bytes ask for.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Step<'a> {
    /// Nothing, or nothing more than what was answered.
    Answered,
    /// A line for the session; the first attaches the client.
    Command(&'a str),
    /// What can be no command, in the place of one.
    Garbage,
    /// From now on the client has pictures brought over the connection.
    TakesPictures,
    /// A place for the file that the client was asked about, or none.
    Slot(Option<u8>),
    /// Wait so long, say this, and end: nothing that comes meanwhile is looked at.
    TurnAway { pause: Duration, answer: &'static [u8], reason: &'static str },
    /// The client wants to end.
    Goodbye,
}
