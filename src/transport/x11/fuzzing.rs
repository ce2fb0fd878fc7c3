//! Pieces of messages, put together without a display: for the fuzz target `x11`.

use std::time::Duration;

use super::codec;
use super::codec::Assembly;
use super::codec::Message;

/// How many bytes a piece has.
pub const PIECE: usize = codec::PIECE;

/// A message that is whole; `None` for one that can be no command.
pub type Whole = Option<String>;

/// What puts the pieces of many senders together.
#[derive(Debug, Default)]
pub struct Pieces(Assembly);

impl Pieces {
    /// Takes a piece, and gives the message that it ends.
    pub fn take(&mut self, sender: u32, begins: bool, piece: &[u8; PIECE], now: Duration) -> Option<Whole> {
        self.0.take(sender, begins, piece, now).map(|message| match message {
            Message::Text(text) => Some(text),
            Message::Unreadable => None,
        })
    }
}

/// Cuts a text into pieces.
pub fn cut(text: &str) -> impl Iterator<Item = [u8; PIECE]> {
    codec::cut(text)
}
