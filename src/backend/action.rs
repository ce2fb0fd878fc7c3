//! What the translator wants of a network.

use std::sync::Arc;

use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::Presence;
use crate::model::RemoteId;
use crate::model::Role;
use crate::model::SmsType;
use crate::model::VoicemailAction;

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
    /// [`Event::Connected`](super::Event::Connected) or
    /// [`Event::Disconnected`](super::Event::Disconnected) of this epoch.
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
    /// Tell a user whether we are typing. No answer.
    Typing {
        /// Whom.
        user: Handle,
        /// What we do.
        typing: Typing,
    },
    /// Tell the network that a message was seen. No answer.
    Seen {
        /// In which conversation.
        conversation: Address,
        /// Which message.
        message: RemoteId,
    },
    /// Anything that is answered by exactly one [`Event::Done`](super::Event::Done), whatever happens
    /// to the connection in between.
    Task {
        /// Names the outcome.
        ticket: Ticket,
        /// What is to be done.
        task: Task,
    },
    /// Do not carry out this task if it has not been begun; then its outcome is
    /// [`Failure::NotConnected`](super::Failure::NotConnected). Nothing is said otherwise.
    Withdraw {
        /// Which task.
        ticket: Ticket,
    },
}

/// Tells a message of ours from its repeat, on a network that knows such marks.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Mark {
    /// No other message of the account has it, and the repeat of this one has the same.
    pub id: String,
    /// Whether it may have been sent before, by a program that did not live to hear what became of it.
    /// A network that does not know the mark cannot tell: [`Failure::Unclear`](super::Failure::Unclear).
    pub repeated: bool,
}

impl Mark {
    /// The mark of a message that was never sent before.
    pub fn new(id: impl Into<String>) -> Self {
        Self { id: id.into(), repeated: false }
    }
}

/// What the outcome of is told.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Task {
    /// Send a message. The back end keeps it until it can say what became of it, and it never
    /// arrives twice.
    SendText {
        /// Where to.
        to: Address,
        /// Any UTF-8 without NUL.
        body: String,
        /// Tells it from its repeat.
        mark: Mark,
    },
    /// Change the text of a message.
    Edit {
        /// In which conversation.
        conversation: Address,
        /// Which message.
        message: RemoteId,
        /// The new text.
        body: String,
    },
    /// Put a user on the contact list; then [`Event::Contacts`](super::Event::Contacts) as the
    /// network tells it.
    AddContact {
        /// Whom.
        user: Handle,
        /// Words for the other side; may be empty.
        greeting: String,
    },
    /// Take a user off the contact list.
    RemoveContact {
        /// Whom.
        user: Handle,
    },
    /// Answer an [`Event::AuthRequest`](super::Event::AuthRequest).
    AnswerAuthRequest {
        /// Who asked.
        user: Handle,
        /// Whether they may see us and become a contact.
        accept: bool,
    },
    /// Hear nothing of a user any more, or hear of them again.
    Block {
        /// Whom.
        user: Handle,
        /// Whether to hear nothing.
        blocked: bool,
    },
    /// Keep the name that we give to a contact; empty takes it back.
    SetAlias {
        /// Whom.
        user: Handle,
        /// The name.
        alias: String,
    },
    /// Change our own name for people.
    SetName {
        /// The name.
        name: String,
    },
    /// Change our own picture.
    SetAvatar {
        /// The picture, JPEG or PNG; `None` takes it away.
        picture: Option<Arc<[u8]>>,
    },
    /// Found a conversation with these users; the receipt names it.
    Found {
        /// With whom, ourselves left out; may be nobody.
        users: Vec<Handle>,
    },
    /// Change a conversation of several.
    Change {
        /// Which conversation.
        conversation: ConversationId,
        /// What is changed.
        change: Change,
    },
    /// Find a conversation that is open to all by its blob; the receipt names it, and
    /// [`Event::Conversation`](super::Event::Conversation) tells of it.
    FindByBlob {
        /// The blob.
        blob: String,
    },
    /// Something about a stream between programs.
    Stream {
        /// The name of the program on both sides.
        application: String,
        /// The other side.
        user: Handle,
        /// Which of the streams to them.
        number: u32,
        /// What is to be done.
        action: StreamAction,
    },
    /// Call somebody; the receipt names the call, then [`Event::Call`](super::Event::Call) tells of it.
    PlaceCall {
        /// Whom; several make a conference.
        users: Vec<Handle>,
        /// Leave a voicemail.
        voicemail: bool,
    },
    /// Do something to a call; [`Event::Call`](super::Event::Call) if it changed.
    Call {
        /// Which call.
        call: RemoteId,
        /// What is to be done.
        control: CallControl,
    },
    /// Do something to a voicemail; [`Event::Voicemail`](super::Event::Voicemail) if it changed.
    Voicemail {
        /// Which voicemail.
        voicemail: RemoteId,
        /// What is to be done.
        action: VoicemailAction,
        /// The device of the actions that take one, in the notation of the client.
        device: String,
    },
    /// Send a short message; the receipt names it, then [`Event::Sms`](super::Event::Sms) tells of it.
    SendSms {
        /// What kind.
        kind: SmsType,
        /// To which numbers.
        numbers: Vec<String>,
        /// Where answers go; empty for where they went last.
        reply_to: String,
        /// The text.
        body: String,
    },
    /// Take a file that is offered, or stop one that is on its way; [`Event::File`](super::Event::File)
    /// as it comes.
    File {
        /// Which file.
        file: RemoteId,
        /// The folder to put it in; `None` stops it.
        accept: Option<String>,
    },
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

/// Whether somebody is typing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Typing {
    /// Is typing.
    Typing,
    /// Has typed and pauses.
    Typed,
    /// Does not type.
    Stopped,
}

/// What is changed of a conversation of several.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Change {
    /// Invite users.
    Invite(Vec<Handle>),
    /// Remove members.
    Kick {
        /// Whom.
        users: Vec<Handle>,
        /// For good.
        ban: bool,
    },
    /// Leave.
    Leave,
    /// Take part (again).
    Join,
    /// Accept an invitation.
    Accept,
    /// End it for everybody.
    Disband,
    /// What it is about.
    Topic(String),
    /// Rules of conduct.
    Guidelines(String),
    /// More words about it.
    Description(String),
    /// The bits of skype-api 4.5.
    Options(u32),
    /// What newcomers have to know.
    Password {
        /// The password.
        password: String,
        /// What reminds of it.
        hint: String,
    },
    /// The password, to get in.
    EnterPassword(String),
    /// What a member may do.
    Role {
        /// Whom.
        user: Handle,
        /// The role.
        role: Role,
    },
}

/// What is done to a stream between programs.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum StreamAction {
    /// Open it.
    Open,
    /// Close it.
    Close,
    /// Send a text that arrives, in order.
    Write(String),
    /// Send a text that may be lost.
    Datagram(String),
}

/// What is done to a call.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum CallControl {
    /// Answer it.
    Answer,
    /// Hold it, or go on.
    Hold(bool),
    /// End or refuse it.
    End,
    /// Have the caller leave a voicemail.
    Redirect,
    /// Forward the caller by the rules of the profile.
    Forward,
    /// Send a key.
    Dtmf(char),
    /// Make it part of the conference of another call.
    Join(RemoteId),
    /// Hand it on.
    Transfer(Vec<Handle>),
    /// Our picture or theirs, begin or end.
    Video {
        /// Ours.
        send: bool,
        /// Begin.
        start: bool,
    },
    /// Where sound comes from or goes to.
    Device {
        /// Input, output, or a copy of the microphone.
        role: DeviceRole,
        /// The devices, in the notation of the client.
        device: String,
    },
}

/// What a device is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DeviceRole {
    /// Where our voice comes from.
    Input,
    /// Where theirs goes to.
    Output,
    /// Where a copy of our microphone goes to.
    CaptureMic,
}
