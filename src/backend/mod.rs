//! The border between the translator and the chat networks.
//!
//! A [`Backend`] is one account on one network. It knows nothing of the Skype API; the translator
//! knows nothing of networks. Between them go [`Action`]s (down) and [`Event`]s (up). A new ability
//! is a new variant and a flag in [`Capabilities`], never a new method.

#[cfg(feature = "imo")]
pub mod imo;

use std::sync::Arc;

use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::RemoteId;

pub use crate::model::Presence;

/// One account on one chat network.
pub trait Backend: Send {
    /// What this network can do.
    fn capabilities(&self) -> Capabilities;

    /// How this network spells user names.
    fn names(&self) -> Arc<dyn Names>;

    /// Starts the threads of the back end and returns at once. It stays offline until
    /// [`Action::Connect`]; how that went is an event.
    fn start(&mut self, events: Arc<dyn Events>);

    /// Queues `action`; never waits. Called under the lock of the session.
    ///
    /// # Errors
    ///
    /// The action, when the queue of the back end is full.
    fn submit(&mut self, action: Action) -> Result<(), Action>;

    /// Ends every thread that [`start`](Self::start) began and waits for them, cutting short
    /// whatever they wait for. Logs out first if it can within `grace`.
    /// Called without the lock of the session.
    fn stop(&mut self, grace: std::time::Duration);
}

/// Where a back end delivers what happens.
pub trait Events: Send + Sync {
    /// Takes one event; when it returns, the event has been handled, so a network that wants
    /// an acknowledgement may have it. May block while the only client reads too slowly: call it
    /// without holding a lock.
    fn deliver(&self, event: Event);

    /// Waits while the only client reads too slowly; a back end asks before it fetches more.
    fn wait_for_room(&self);
}

/// How a network spells its users. Pure: called under the lock of the session.
pub trait Names: Send + Sync {
    /// The user that a client means by `typed`, in the network's spelling; `None` if no user
    /// of this network can be called that.
    fn parse(&self, typed: &str) -> Option<Handle>;
}

/// What a network can do. The translator refuses what is missing (never silently).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Capabilities {
    /// Contacts can be added and removed.
    pub contacts: bool,
    /// A new contact has to agree; requests arrive as [`Event::AuthRequest`].
    pub authorization: bool,
    /// A text beside the presence.
    pub mood: bool,
    /// The longest body of a message, in bytes of UTF-8.
    pub max_body: usize,
}

impl Capabilities {
    /// A network that can do nothing but send and receive bodies of at most `max_body` bytes.
    #[must_use]
    pub const fn messages_only(max_body: usize) -> Self {
        Self { contacts: false, authorization: false, mood: false, max_body }
    }
}

/// Ties the outcome of an action to the action.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Ticket(pub u64);

/// Counts the times an account goes online; tells news of this connection from those of the last.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Epoch(pub u32);

/// What the translator wants of a network.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Action {
    /// Log in, or take up again the login that was interrupted. Answered by
    /// [`Event::Connected`] or [`Event::Disconnected`] of this epoch.
    Connect {
        /// The number of this attempt.
        epoch: Epoch,
        /// The presence to start with.
        presence: Presence,
        /// The text beside it.
        mood: String,
    },
    /// Log out, cutting short whatever waits. No answer.
    Disconnect,
    /// Be seen like this. No answer.
    SetPresence {
        /// The new presence.
        presence: Presence,
        /// The text beside it.
        mood: String,
    },
    /// Send a message. Answered by exactly one [`Event::Done`], whatever happens to the
    /// connection in between: the back end keeps it until then and never sends it twice.
    SendText {
        /// Names the outcome.
        ticket: Ticket,
        /// Where to.
        to: Address,
        /// Any UTF-8 without NUL.
        body: String,
    },
    /// Put a user on the contact list. Answered by [`Event::Done`], then by
    /// [`Event::Contacts`] as the network tells it.
    AddContact {
        /// Names the outcome.
        ticket: Ticket,
        /// Whom.
        user: Handle,
        /// Words for the other side; may be empty.
        greeting: String,
    },
    /// Take a user off the contact list. Answered by [`Event::Done`].
    RemoveContact {
        /// Names the outcome.
        ticket: Ticket,
        /// Whom.
        user: Handle,
    },
    /// Answer an [`Event::AuthRequest`]. Answered by [`Event::Done`].
    AnswerAuthRequest {
        /// Names the outcome.
        ticket: Ticket,
        /// Who asked.
        user: Handle,
        /// Whether they may see us and become a contact.
        accept: bool,
    },
}

impl Action {
    /// The ticket of an action that is answered by [`Event::Done`].
    #[must_use]
    pub fn ticket(&self) -> Option<Ticket> {
        match self {
            Self::SendText { ticket, .. }
            | Self::AddContact { ticket, .. }
            | Self::RemoveContact { ticket, .. }
            | Self::AnswerAuthRequest { ticket, .. } => Some(*ticket),
            Self::Connect { .. } | Self::Disconnect | Self::SetPresence { .. } => None,
        }
    }
}

/// Where a message goes to or comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Address {
    /// The dialog with this user, whether or not the network has made a conversation of it yet.
    User(Handle),
    /// A conversation that the network named.
    Conversation(ConversationId),
}

/// What happened on a network.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The login succeeded. The contacts known by then were delivered before.
    Connected {
        /// The epoch of [`Action::Connect`].
        epoch: Epoch,
        /// Our own user.
        me: Handle,
        /// Our own name for people, if the network has one.
        display_name: Option<String>,
    },
    /// The login failed, or the connection was lost.
    Disconnected {
        /// The epoch of [`Action::Connect`].
        epoch: Epoch,
        /// Why, which decides what comes next.
        reason: Lost,
    },
    /// Contacts that are new or have changed.
    Contacts {
        /// The contacts; what is `None` in one has not changed.
        contacts: Vec<Contact>,
        /// Whether this is the whole list: who is missing is no contact (any more).
        complete: bool,
    },
    /// This user is no contact any more.
    ContactRemoved(Handle),
    /// Somebody asks to become a contact.
    AuthRequest {
        /// Who.
        user: Handle,
        /// Their words; may be empty.
        text: String,
    },
    /// A message arrived, or was sent from another login of this account.
    Message(Message),
    /// An action came to its end.
    Done {
        /// The action's ticket.
        ticket: Ticket,
        /// How it ended.
        outcome: Result<Receipt, Failure>,
    },
    /// Another login of this account changed our presence.
    OwnPresence {
        /// The presence now.
        presence: Presence,
        /// The text beside it, if told.
        mood: Option<String>,
    },
}

/// Why a connection ended.
#[derive(Debug)]
#[non_exhaustive]
pub enum Lost {
    /// The network does not accept the account: trying again will not help.
    Refused {
        /// What it said, for people.
        reason: String,
    },
    /// The network cannot be reached or does not make sense: try again later.
    Unreachable {
        /// What happened.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
    /// The network ended the login; a new one will do.
    Ended,
}

/// What is known of a contact; `None` means unchanged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Contact {
    /// Who.
    pub handle: Handle,
    /// The name for people.
    pub name: Option<String>,
    /// Whether they are there.
    pub presence: Option<Presence>,
    /// The text beside the presence.
    pub mood: Option<String>,
    /// Whether they agreed to be a contact; `false` while they are asked.
    pub agreed: Option<bool>,
}

impl Contact {
    /// A contact of whom nothing but the handle is told.
    #[must_use]
    pub fn named(handle: Handle) -> Self {
        Self { handle, name: None, presence: None, mood: None, agreed: None }
    }
}

/// One message of a conversation.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Message {
    /// The network's own id: a message with a known id is a repeat.
    pub remote: RemoteId,
    /// The conversation: for a dialog the other user, also when we are the author.
    pub conversation: Address,
    /// Who wrote it.
    pub author: Handle,
    /// The author's name for people, if told.
    pub author_name: Option<String>,
    /// The text, as it was sent.
    pub body: String,
    /// When, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
}

/// What a network says of an action that it carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// When, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
    /// The id that the network gave to the message, if told.
    pub remote: Option<RemoteId>,
}

/// Why an action was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The network refused and did not say why.
    Refused,
    /// The network does not know the user.
    UnknownUser,
    /// The action needs a connection, and there is none.
    NotConnected,
    /// The connection was lost, and with it the answer: it may or may not have happened.
    Unclear,
}
