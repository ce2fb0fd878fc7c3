//! What happens on a network.

use std::sync::Arc;

use crate::backend::Address;
use crate::backend::Epoch;
use crate::backend::Ticket;
use crate::backend::Typing;
use crate::model::CallStatus;
use crate::model::CallType;
use crate::model::ConversationId;
use crate::model::Details;
use crate::model::FileTransferFailure;
use crate::model::FileTransferStatus;
use crate::model::FileTransferType;
use crate::model::Handle;
use crate::model::Kind;
use crate::model::MyStatus;
use crate::model::Participant;
use crate::model::Presence;
use crate::model::RemoteId;
use crate::model::Role;
use crate::model::SmsFailure;
use crate::model::SmsStatus;
use crate::model::SmsTarget;
use crate::model::VideoStreamStatus;
use crate::model::VoicemailFailure;
use crate::model::VoicemailStatus;
use crate::model::VoicemailType;

/// What happened on a network.
#[derive(Debug)]
#[non_exhaustive]
pub enum Event {
    /// The login succeeded. The contacts known by then were delivered before.
    Connected {
        /// The epoch of [`Action::Connect`](super::Action::Connect).
        epoch: Epoch,
        /// Our own user.
        me: Handle,
        /// Our own name for people, if the network has one.
        display_name: Option<String>,
    },
    /// The login failed, or the connection was lost.
    Disconnected {
        /// The epoch of [`Action::Connect`](super::Action::Connect).
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
    /// The author or somebody with the right to do so changed a message.
    Edited {
        /// Which message.
        message: RemoteId,
        /// Who changed it.
        author: Handle,
        /// The text now.
        body: String,
        /// When, in seconds since 1970 UTC by the network's clock, if told.
        time: Option<u64>,
    },
    /// A message was seen at another login of this account.
    Seen(RemoteId),
    /// A task came to its end.
    Done {
        /// The ticket of [`Action::Task`](super::Action::Task).
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
    /// A conversation of several is there, or has changed. One that is new with an
    /// [`adder`](Conversation::adder) needs no message about that.
    Conversation(Conversation),
    /// A user types to us, or has stopped.
    Typing {
        /// Who.
        user: Handle,
        /// What they do.
        typing: Typing,
    },
    /// Something about a stream between programs.
    Stream {
        /// The name of the program on both sides.
        application: String,
        /// The other side.
        user: Handle,
        /// Which of the streams to them.
        number: u32,
        /// What happened.
        event: StreamEvent,
    },
    /// The users who have this program too.
    Connectable {
        /// The name of the program.
        application: String,
        /// All of them.
        users: Vec<Handle>,
    },
    /// A user, or we ourselves, have this picture now.
    Avatar {
        /// Who.
        user: Handle,
        /// The picture; `None` if there is none any more.
        picture: Option<Arc<[u8]>>,
    },
    /// A call is there, or has changed.
    Call(Call),
    /// A voicemail is there, or has changed.
    Voicemail(Voicemail),
    /// A short message arrived, or one of ours has changed.
    Sms(Sms),
    /// A file is offered or on its way.
    File(File),
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
    /// Whether we want to hear nothing of them.
    pub blocked: Option<bool>,
    /// The name that we gave them.
    pub alias: Option<String>,
    /// What else is told of them.
    pub details: Option<Box<Details>>,
}

impl Contact {
    /// A contact of whom nothing but the handle is told.
    #[must_use]
    pub fn named(handle: Handle) -> Self {
        Self { handle, name: None, presence: None, mood: None, agreed: None, blocked: None, alias: None, details: None }
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
    /// What kind of message. One that changes a conversation of several is the change too.
    pub kind: Kind,
    /// The text, as it was sent; of [`Kind::Topic`] and [`Kind::Guidelines`] what is set.
    pub body: String,
    /// When, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
    /// The [mark](super::Mark::id) under which this account sent it, if the network tells.
    pub mark: Option<String>,
}

/// What a network says of a task that it carried out.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Receipt {
    /// When, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
    /// The id that the network gave to the message, the call or whatever it was, if told.
    pub remote: Option<RemoteId>,
    /// The conversation that was founded or found.
    pub conversation: Option<ConversationId>,
}

/// Why a task was not carried out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Failure {
    /// The network refused and did not say why.
    Refused,
    /// The network does not know the user.
    UnknownUser,
    /// The task needs a connection, and there is none: it certainly was not carried out.
    NotConnected,
    /// The connection was lost, and with it the answer: it may or may not have happened.
    Unclear,
}

/// What happened on a stream between programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamEvent {
    /// The other side has opened it.
    Opened,
    /// It is closed.
    Closed,
    /// A text arrived.
    Received(String),
    /// A datagram arrived.
    Datagram(String),
}

/// A conversation of several; what is `None` has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Conversation {
    /// Which one.
    pub id: ConversationId,
    /// Who founded it; makes part of the name that clients see, so only a new one has it.
    pub creator: Option<Handle>,
    /// When it was founded, in seconds since 1970 UTC.
    pub created: Option<u64>,
    /// Who added us to it.
    pub adder: Option<Handle>,
    /// Everybody in it, ourselves included.
    pub members: Option<Vec<ConversationMember>>,
    /// How we stand to it.
    pub my_status: Option<MyStatus>,
    /// What it is about.
    pub topic: Option<String>,
    /// Rules of conduct.
    pub guidelines: Option<String>,
    /// More words about it.
    pub description: Option<String>,
    /// The bits of skype-api 4.5.
    pub options: Option<u32>,
    /// What reminds of the password.
    pub password_hint: Option<String>,
    /// What it is found by, if it is open to all.
    pub blob: Option<String>,
}

impl Conversation {
    /// A conversation of which nothing but the id is told.
    #[must_use]
    pub fn named(id: ConversationId) -> Self {
        Self {
            id,
            creator: None,
            created: None,
            adder: None,
            members: None,
            my_status: None,
            topic: None,
            guidelines: None,
            description: None,
            options: None,
            password_hint: None,
            blob: None,
        }
    }
}

/// Somebody in a conversation of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConversationMember {
    /// Who.
    pub handle: Handle,
    /// What they may do; [`Role::User`] where the network knows no roles.
    pub role: Role,
    /// Whether they take part already.
    pub active: bool,
}

/// A call; what is `None` has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Call {
    /// Which one.
    pub id: RemoteId,
    /// The other side.
    pub partner: Handle,
    /// From which side, over what.
    pub kind: CallType,
    /// How far.
    pub status: CallStatus,
    /// When it was placed, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
    /// Why it failed: a number of skype-api 4.3.
    pub failure: Option<u8>,
    /// Everybody else in the conference, if it is one.
    pub participants: Option<Vec<Participant>>,
    /// Our picture.
    pub video_send: Option<VideoStreamStatus>,
    /// Theirs.
    pub video_receive: Option<VideoStreamStatus>,
    /// How a transfer stands.
    pub transfer: Option<CallStatus>,
    /// Who transferred it to us.
    pub transferred_by: Option<Handle>,
    /// The address of the page on which the network lets people talk, told when the call begins.
    pub page: Option<String>,
}

impl Call {
    /// A call of which no more than this is told.
    #[must_use]
    pub fn named(id: RemoteId, partner: Handle, kind: CallType, status: CallStatus) -> Self {
        Self {
            id,
            partner,
            kind,
            status,
            time: None,
            failure: None,
            participants: None,
            video_send: None,
            video_receive: None,
            transfer: None,
            transferred_by: None,
            page: None,
        }
    }
}

/// A voicemail.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Voicemail {
    /// Which one.
    pub id: RemoteId,
    /// What kind.
    pub kind: VoicemailType,
    /// Who spoke, or to whom.
    pub partner: Handle,
    /// How it stands.
    pub status: VoicemailStatus,
    /// Why something failed, if it did.
    pub failure: Option<VoicemailFailure>,
    /// When it was left, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
    /// How long it is, and how long it may be, in seconds.
    pub duration: Option<(u32, u32)>,
}

/// A short message; what is `None` has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sms {
    /// Which one.
    pub id: RemoteId,
    /// How far it has come.
    pub status: SmsStatus,
    /// Why it failed, if it did.
    pub failure: Option<SmsFailure>,
    /// When it was sent or arrived, in seconds since 1970 UTC by the network's clock, if told.
    pub time: Option<u64>,
    /// Of one that arrived: from which number, and the text.
    pub arrived: Option<(String, String)>,
    /// How it stands at each phone.
    pub targets: Option<Vec<SmsTarget>>,
    /// The price as a whole number.
    pub price: Option<i64>,
}

/// A file; what is `None` has not changed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct File {
    /// Which one.
    pub id: RemoteId,
    /// From which side.
    pub kind: FileTransferType,
    /// The other side.
    pub partner: Handle,
    /// How it stands.
    pub status: FileTransferStatus,
    /// Why it failed, if it did.
    pub failure: Option<FileTransferFailure>,
    /// The name, without a folder.
    pub name: String,
    /// Where it is or goes.
    pub path: Option<String>,
    /// How long it is, in bytes.
    pub size: u64,
    /// How much of it has come, in bytes.
    pub transferred: Option<u64>,
    /// How fast it comes, in bytes each second.
    pub speed: Option<u64>,
}
