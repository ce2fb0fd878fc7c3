//! What is kept beyond the memory of a session: the border to whoever keeps it.

use serde::Deserialize;
use serde::Serialize;

use crate::model::ChatIndex;
use crate::model::Message;
use crate::model::ObjectId;
use crate::model::RemoteId;

/// Why something could not be kept, for people.
pub type ArchiveError = Box<dyn std::error::Error + Send + Sync>;

/// Keeps what a session knows when it ends. The session is the only one who changes it.
///
/// What cannot be read is reported by the archive itself, and is as good as not there.
pub trait Archive: Send {
    /// Every object of a kind: its key and its value as JSON.
    fn objects(&self, kind: ObjectKind) -> Vec<(String, String)>;

    /// The message of this number.
    fn message(&self, id: ObjectId) -> Option<Message>;

    /// The message that the network calls so.
    fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId>;

    /// The numbers of messages below `below`, newest first, at most `limit` of them.
    fn list(&self, which: Which, below: ObjectId, limit: usize) -> Vec<Entry>;

    /// Keeps all of these changes, or none of them.
    ///
    /// # Errors
    ///
    /// None of them is kept; they may be brought again.
    fn save(&self, changes: &[Change<'_>]) -> Result<(), ArchiveError>;
}

/// What is kept besides messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum ObjectKind {
    /// Chats with their members, by [`ChatIndex`].
    Chat,
    /// Users, by their folded handle.
    User,
    /// Groups that clients made, by number.
    Group,
    /// Calls, by number.
    Call,
    /// What there is one of: settings, the profile, which numbers are given.
    Single,
}

impl ObjectKind {
    /// Every kind.
    pub const ALL: [Self; 5] = [Self::Chat, Self::User, Self::Group, Self::Call, Self::Single];

    /// The word for it in an archive.
    #[must_use]
    pub fn word(self) -> &'static str {
        match self {
            Self::Chat => "chat",
            Self::User => "user",
            Self::Group => "group",
            Self::Call => "call",
            Self::Single => "single",
        }
    }
}

/// Which numbers were given: what an archive of any use has, a [`ObjectKind::Single`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Numbers {
    /// No object has this number or one above it.
    pub next: u32,
    /// Clients have heard of every message up to this.
    pub heard: u32,
    /// Begins the marks of messages.
    pub origin: u64,
}

impl Numbers {
    /// The key under which they are kept.
    pub const KEY: &str = "numbers";
}

/// One thing that has changed.
#[derive(Debug)]
pub enum Change<'a> {
    /// Every message that needs no more attention is forgotten, before any other change.
    Clear,
    /// A message is there no more.
    Forget(ObjectId),
    /// A message is new or has changed.
    Message(ObjectId, &'a Message),
    /// An object has this value, as JSON, or is there no more.
    Object(ObjectKind, String, Option<String>),
}

impl Change<'_> {
    /// An object of this kind and number, or that there is none any more.
    pub fn object<T: Serialize>(kind: ObjectKind, key: impl ToString, value: Option<&T>) -> Self {
        let value = value.map(|value| serde_json::to_string(value).expect("no map with keys other than text"));
        Self::Object(kind, key.to_string(), value)
    }
}

/// Which messages.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Which {
    /// All of them.
    All,
    /// Those of a chat.
    In(ChatIndex),
    /// Those that arrived and were not seen.
    Missed,
    /// Ours whose outcome the network has not told.
    Sending,
    /// Ours whose outcome no client was told.
    Untold,
}

/// A message in a list.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Its number.
    pub id: ObjectId,
    /// Its chat.
    pub chat: ChatIndex,
    /// For whom it is.
    pub class: Class,
}

/// What kind of message, as far as lists want to know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// Somebody said it.
    Text,
    /// A request to become a contact, for clients of protocols 1 to 3.
    AuthRequest,
    /// All else.
    Other,
}
