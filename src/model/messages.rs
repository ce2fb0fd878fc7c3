//! What was said.

use serde::Deserialize;
use serde::Serialize;

use crate::model::ChatIndex;
use crate::model::Handle;
use crate::model::RemoteId;
use crate::model::Role;

/// What kind of message.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Kind {
    /// Text.
    Text,
    /// Text that tells what its author does.
    Emote,
    /// The chat was begun with these users.
    Created(Vec<Handle>),
    /// These users were in the chat when we came.
    Saw(Vec<Handle>),
    /// These users were added.
    Added(Vec<Handle>),
    /// The author left.
    Left,
    /// These users were removed.
    Kicked(Vec<Handle>),
    /// These users were removed for good.
    Banned(Vec<Handle>),
    /// The topic is the body now.
    Topic,
    /// The guidelines are the body now.
    Guidelines,
    /// The options are these now.
    Options(u32),
    /// The user has this role now.
    Role(Handle, Role),
    /// The chat has another picture.
    Picture,
    /// The author would like to take part.
    Applicant,
    /// The author sent these contacts.
    Contacts(Vec<Handle>),
    /// Part of what was said is missing.
    Gap,
    /// A message to this user could not be delivered.
    Undeliverable(Undeliverable),
    /// Somebody asks to become a contact; for clients of protocols 1 to 3.
    AuthRequest,
}

impl Kind {
    /// Whether somebody said something.
    #[must_use]
    pub fn is_text(&self) -> bool {
        matches!(self, Self::Text | Self::Emote)
    }

    /// The users whom the message is about.
    #[must_use]
    pub fn users(&self) -> &[Handle] {
        match self {
            Self::Created(users)
            | Self::Saw(users)
            | Self::Added(users)
            | Self::Kicked(users)
            | Self::Banned(users)
            | Self::Contacts(users) => users,
            Self::Role(user, _) => std::slice::from_ref(user),
            Self::Text
            | Self::Emote
            | Self::Left
            | Self::Topic
            | Self::Guidelines
            | Self::Options(_)
            | Self::Picture
            | Self::Applicant
            | Self::Gap
            | Self::Undeliverable(_)
            | Self::AuthRequest => &[],
        }
    }
}

/// Why a message could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Undeliverable {
    /// The network does not know the user.
    UnknownUser,
    /// The network, or the user, does not want it.
    Refused,
    /// Nobody knows whether it was delivered.
    Unclear,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ours, on its way.
    Sending,
    /// Ours, taken by the network.
    Sent,
    /// Ours, given up.
    Failed(Undeliverable),
    /// Arrived.
    Received,
    /// Arrived and seen.
    Read,
}

/// That a message was changed after it was sent.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Edit {
    /// By whom.
    pub author: Handle,
    /// When, in seconds since 1970 UTC.
    pub time: u64,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it was said.
    pub chat: ChatIndex,
    /// By whom.
    pub author: Handle,
    /// What kind of message.
    pub kind: Kind,
    /// How far it has come.
    pub state: State,
    /// The text.
    pub body: String,
    /// When, in seconds since 1970 UTC.
    pub time: u64,
    /// What the network calls it, once known.
    pub remote: Option<RemoteId>,
    /// That it was changed.
    pub edit: Option<Box<Edit>>,
    /// Whether its outcome is known and no client was there to be told.
    pub untold: bool,
}

impl Message {
    /// A message of which nothing more is known.
    #[must_use]
    pub fn new(chat: ChatIndex, author: Handle, kind: Kind, state: State, time: u64) -> Self {
        Self { chat, author, kind, state, body: String::new(), time, remote: None, edit: None, untold: false }
    }

    /// Whether somebody waits for its outcome, or has not seen it.
    #[must_use]
    pub fn matters(&self) -> bool {
        matches!(self.state, State::Sending | State::Received)
    }
}
