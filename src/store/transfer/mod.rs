//! A history as text, for backups and other programs: JSON Lines (docs/history.md).

mod export;
mod import;
mod known;
mod merge;
mod messages;

use serde::Deserialize;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;

pub use import::Imported;

/// The version of the format.
const VERSION: u32 = 1;

/// Why a history could not be written out, or read in.
#[derive(Debug, thiserror::Error)]
pub enum TransferError {
    /// The file of the history cannot be used.
    #[error("{}", .0.chain())]
    Store(#[from] Error),
    /// A line cannot be taken, so none was.
    #[error("line {line}: {problem}")]
    Line {
        /// Which line, from 1.
        line: u64,
        /// What is wrong with it.
        problem: String,
    },
    /// The text cannot be read or written.
    #[error(transparent)]
    Text(#[from] std::io::Error),
}

/// The first line.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Header {
    /// The version of the format.
    imo2skype_history: u32,
    network: String,
    account: String,
}

/// Every further line. What others refer to comes before them: groups before users, chats before messages.
#[derive(Debug, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Item {
    Single(Object<String>),
    Group(Object<u32>),
    User(Object<String>),
    Chat(Object<usize>),
    Call(Object<u32>),
    Message(Said),
    /// The last line: how many are between the first and this. A text that was cut is told by that.
    End(u64),
}

/// What is kept besides messages, as it is kept.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Object<K> {
    key: K,
    value: Box<RawValue>,
}

/// A message; what is not there is empty.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Said {
    id: u32,
    chat: usize,
    author: String,
    /// None for text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    kind: Option<Box<RawValue>>,
    state: Word,
    body: String,
    time: u64,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    remote: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    edit: Option<Box<RawValue>>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    untold: bool,
}

/// The state of a message, in the order of the numbers in the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Word {
    Sending,
    Sent,
    Received,
    Read,
    FailedUnknownUser,
    FailedRefused,
    FailedUnclear,
}

impl Word {
    /// The state of this number; one that this version does not know reads as [`super::state_of`] has it.
    fn of(number: usize) -> Self {
        use Word::*;
        let words = [Sending, Sent, Received, Read, FailedUnknownUser, FailedRefused, FailedUnclear];
        words.get(number).copied().unwrap_or(Read)
    }
}

#[cfg(test)]
mod tests;
