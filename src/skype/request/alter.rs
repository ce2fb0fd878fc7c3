//! `ALTER …` (skype-api 3.6 to 3.11 and 3.16).

use crate::skype::ApplicationAction;
use crate::skype::CallAction;
use crate::skype::CallEnd;
use crate::skype::ChatAction;
use crate::skype::ErrorCode;
use crate::skype::FileTransferAction;
use crate::skype::GroupAction;
use crate::skype::Items;
use crate::skype::MemberAction;
use crate::skype::Role;
use crate::skype::StreamName;
use crate::skype::VoicemailAction;
use crate::skype::request::Object;
use crate::skype::request::set::dtmf;
use crate::skype::words::Words;

/// What `ALTER` does.
#[derive(Clone, Debug, PartialEq)]
pub enum Alter<'a> {
    /// `CHAT <name> <action>`
    Chat {
        /// Which chat.
        chat: &'a str,
        /// What is to be done.
        action: AlterChat<'a>,
    },
    /// `CHATMEMBER <id> SETROLETO <role>` and `… CANSETROLETO <role>`
    ChatMember {
        /// Which member.
        id: u32,
        /// The role.
        role: Role,
        /// Whether it is only asked if that could be done.
        only_ask: bool,
    },
    /// `CALL <id> <action>`
    Call {
        /// Which call.
        id: u32,
        /// What is to be done.
        action: AlterCall<'a>,
    },
    /// `VOICEMAIL <id> <action>`
    Voicemail {
        /// Which voicemail.
        id: u32,
        /// What is to be done.
        action: VoicemailAction,
        /// The device of the actions that take one.
        device: &'a str,
    },
    /// `SMS <id> SEND`
    SmsSend {
        /// Which short message.
        id: u32,
    },
    /// `APPLICATION <name> <action>`
    Application {
        /// Which application.
        name: &'a str,
        /// What is to be done.
        action: AlterApplication<'a>,
    },
    /// `GROUP <id> <action>`
    Group {
        /// Which group.
        id: u32,
        /// What is to be done.
        action: GroupAction,
        /// The user of the actions that take one.
        user: &'a str,
    },
    /// `FILETRANSFER <id> ACCEPT <folder>` and `… CANCEL`
    FileTransfer {
        /// Which transfer.
        id: u32,
        /// Where to put the file; `None` cancels.
        accept: Option<&'a str>,
    },
}

/// What `ALTER CHAT` does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlterChat<'a> {
    /// `SETTOPIC <text>`
    SetTopic(&'a str),
    /// `SETTOPICXML <xml>`
    SetTopicXml(&'a str),
    /// `ADDMEMBERS <user>, …`
    AddMembers(Items<'a>),
    /// `LEAVE`
    Leave,
    /// `BOOKMARK` and `UNBOOKMARK`
    Bookmark(bool),
    /// `JOIN`
    Join,
    /// `CLEARRECENTMESSAGES`
    ClearRecentMessages,
    /// `SETALERTSTRING =<text>`, without the sign in front.
    SetAlertString(&'a str),
    /// `ACCEPTADD`
    AcceptAdd,
    /// `DISBAND`
    Disband,
    /// `SETPASSWORD <word> [<hint>]`
    SetPassword {
        /// The password.
        password: &'a str,
        /// What it reminds of.
        hint: &'a str,
    },
    /// `ENTERPASSWORD <word>`
    EnterPassword(&'a str),
    /// `SETOPTIONS <bits>`
    SetOptions(u32),
    /// `KICK <user>, …` and `KICKBAN <user>, …`
    Kick {
        /// Whom.
        users: Items<'a>,
        /// Whether they may not come back.
        ban: bool,
    },
    /// `SETGUIDELINES <text>`
    SetGuidelines(&'a str),
    /// `SETDESCRIPTION <text>`
    SetDescription(&'a str),
}

/// What `ALTER CALL` does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlterCall<'a> {
    /// `ANSWER`
    Answer,
    /// `HOLD`
    Hold,
    /// `RESUME`
    Resume,
    /// `HANGUP`, `END HANGUP`
    Hangup,
    /// `END REDIRECT_TO_VOICEMAIL`
    RedirectToVoicemail,
    /// `END FORWARD_CALL`
    Forward,
    /// `DTMF <key>`
    Dtmf(char),
    /// `JOIN_CONFERENCE <id>`
    JoinConference(u32),
    /// `TRANSFER <target>, …`
    Transfer(Items<'a>),
    /// `START_VIDEO_SEND` and its like.
    Video {
        /// Our picture, or theirs.
        send: bool,
        /// Begin, or end.
        start: bool,
    },
    /// `SET_INPUT <device>` and its like.
    Device {
        /// Which.
        action: CallAction,
        /// The device, as typed.
        device: &'a str,
    },
}

/// What `ALTER APPLICATION` does.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum AlterApplication<'a> {
    /// `CONNECT <user>`
    Connect(&'a str),
    /// `DISCONNECT <stream>`; one client names the user alone (clients 5.5): all streams to them.
    Disconnect {
        /// The user at the other end.
        user: &'a str,
        /// Which stream.
        number: Option<u32>,
    },
    /// `WRITE <stream> <text>`
    Write(StreamName<'a>, &'a str),
    /// `READ <stream>`
    Read(StreamName<'a>),
    /// `DATAGRAM <stream> <text>`
    Datagram(StreamName<'a>, &'a str),
}

impl<'a> Alter<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let object = words.required(ErrorCode::ALTER_NO_TYPE)?;
        match Object::parse(object) {
            Some(Object::Chat) => {
                let chat = words.required(ErrorCode::ALTER_CHAT_INVALID_NAME)?;
                AlterChat::parse(words).map(|action| Self::Chat { chat, action })
            }
            Some(Object::ChatMember) => Self::chat_member(words),
            Some(Object::Call) => {
                let id = words.required(ErrorCode::ALTER_CALL_NO_ID)?;
                let id = Words::new(id).number(ErrorCode::ALTER_CALL_INVALID_ID)?;
                AlterCall::parse(words).map(|action| Self::Call { id, action })
            }
            Some(Object::Voicemail) => Self::voicemail(words),
            // No numbers of their own are known for short messages (skype-api 3.9).
            Some(Object::Sms) => {
                let id = words.number(ErrorCode::ALTER_UNKNOWN_TYPE)?;
                let send = words.next().eq_ignore_ascii_case("SEND");
                words.end(ErrorCode::ALTER_UNKNOWN_TYPE)?;
                Some(Self::SmsSend { id }).filter(|_| send).ok_or(ErrorCode::ALTER_UNKNOWN_TYPE)
            }
            Some(Object::Application) => {
                let name = words.required(ErrorCode::ALTER_APPLICATION_NAME)?;
                AlterApplication::parse(words).map(|action| Self::Application { name, action })
            }
            Some(Object::Group) => {
                let id = words.number(ErrorCode::GROUP_INVALID_ID)?;
                let action = GroupAction::parse(words.next()).ok_or(ErrorCode::GROUP_INVALID_PROPERTY)?;
                let user = words.take_rest();
                Ok(Self::Group { id, action, user })
            }
            Some(Object::FileTransfer) => {
                let id = words.number(ErrorCode::ALTER_UNKNOWN_TYPE)?;
                let action = FileTransferAction::parse(words.next()).ok_or(ErrorCode::ALTER_UNKNOWN_TYPE)?;
                let folder = words.take_rest().trim_matches('"');
                Ok(Self::FileTransfer { id, accept: (action == FileTransferAction::Accept).then_some(folder) })
            }
            _ => Err(ErrorCode::ALTER_UNKNOWN_TYPE),
        }
    }

    fn chat_member(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let id = words.number(ErrorCode::CHAT_ACTION_FAILED)?;
        let action = MemberAction::parse(words.required(ErrorCode::CHAT_NO_ACTION)?);
        let action = action.ok_or(ErrorCode::CHAT_UNKNOWN_ACTION)?;
        let role = Role::parse(words.next()).ok_or(ErrorCode::INVALID_ROLE)?;
        words.end(ErrorCode::INVALID_ROLE)?;
        Ok(Self::ChatMember { id, role, only_ask: action == MemberAction::CanSetRoleTo })
    }

    fn voicemail(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let id = words.required(ErrorCode::ALTER_VOICEMAIL_NO_ID)?;
        let id = Words::new(id).number(ErrorCode::ALTER_VOICEMAIL_INVALID_ID)?;
        let action = VoicemailAction::parse(words.required(ErrorCode::ALTER_VOICEMAIL_NO_ACTION)?);
        let action = action.ok_or(ErrorCode::ALTER_VOICEMAIL_UNKNOWN_ACTION)?;
        let device = words.take_rest();
        let takes_device =
            matches!(action, VoicemailAction::SetInput | VoicemailAction::SetOutput | VoicemailAction::SetCaptureMic);
        let good = if takes_device { is_device(device) } else { device.is_empty() };
        Some(Self::Voicemail { id, action, device }).filter(|_| good).ok_or(ErrorCode::ALTER_VOICEMAIL_FAILED)
    }
}

impl<'a> AlterChat<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let action = words.required(ErrorCode::CHAT_NO_ACTION)?;
        let action = ChatAction::parse(action).ok_or(ErrorCode::CHAT_UNKNOWN_ACTION)?;
        let users =
            |words: &mut Words<'a>, none| Some(Items(words.take_rest())).filter(|users| !users.is_empty()).ok_or(none);
        let action = match action {
            ChatAction::SetTopic => return Ok(Self::SetTopic(words.rest())),
            ChatAction::SetTopicXml => return Ok(Self::SetTopicXml(words.rest())),
            ChatAction::SetGuidelines => return Ok(Self::SetGuidelines(words.rest())),
            ChatAction::SetDescription => return Ok(Self::SetDescription(words.rest())),
            ChatAction::SetAlertString => {
                let text = words.rest();
                // The first character is always cut off (skype-api 3.6).
                let first = text.chars().next().map_or(0, char::len_utf8);
                return Ok(Self::SetAlertString(&text[first..]));
            }
            ChatAction::SetPassword => {
                let password = words.required(ErrorCode::CHAT_ACTION_FAILED)?;
                return Ok(Self::SetPassword { password, hint: words.rest() });
            }
            ChatAction::AddMembers => Self::AddMembers(users(words, ErrorCode::CHAT_ADDMEMBERS_HANDLES)?),
            ChatAction::Kick => Self::Kick { users: users(words, ErrorCode::CHAT_ACTION_FAILED)?, ban: false },
            ChatAction::KickBan => Self::Kick { users: users(words, ErrorCode::CHAT_ACTION_FAILED)?, ban: true },
            ChatAction::Leave => words.end(ErrorCode::CHAT_LEAVE_ARGUMENTS).map(|()| Self::Leave)?,
            ChatAction::Bookmark => Self::Bookmark(true),
            ChatAction::Unbookmark => Self::Bookmark(false),
            ChatAction::Join => Self::Join,
            ChatAction::ClearRecentMessages => Self::ClearRecentMessages,
            ChatAction::AcceptAdd => Self::AcceptAdd,
            ChatAction::Disband => Self::Disband,
            ChatAction::EnterPassword => Self::EnterPassword(words.required(ErrorCode::CHAT_ACTION_FAILED)?),
            ChatAction::SetOptions => Self::SetOptions(words.number(ErrorCode::CHAT_ACTION_FAILED)?),
        };
        words.end(ErrorCode::CHAT_ACTION_FAILED)?;
        Ok(action)
    }
}

impl<'a> AlterCall<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let action = words.required(ErrorCode::ALTER_CALL_NO_ACTION)?;
        let action = CallAction::parse(action).ok_or(ErrorCode::ALTER_CALL_UNKNOWN_ACTION)?;
        let action = match action {
            CallAction::Answer => Self::Answer,
            CallAction::Hold => Self::Hold,
            CallAction::Resume => Self::Resume,
            CallAction::Hangup => Self::Hangup,
            CallAction::End => match CallEnd::parse(words.next()).ok_or(ErrorCode::ALTER_CALL_ARGUMENTS)? {
                CallEnd::Hangup => Self::Hangup,
                CallEnd::RedirectToVoicemail => Self::RedirectToVoicemail,
                CallEnd::ForwardCall => Self::Forward,
            },
            CallAction::Dtmf => Self::Dtmf(dtmf(words, ErrorCode::ALTER_CALL_ARGUMENTS)?),
            CallAction::JoinConference => Self::JoinConference(words.number(ErrorCode::ALTER_CALL_ARGUMENTS)?),
            CallAction::Transfer => {
                let targets = Items(words.take_rest());
                Some(Self::Transfer(targets)).filter(|_| !targets.is_empty()).ok_or(ErrorCode::ALTER_CALL_ARGUMENTS)?
            }
            CallAction::StartVideoSend => Self::Video { send: true, start: true },
            CallAction::StopVideoSend => Self::Video { send: true, start: false },
            CallAction::StartVideoReceive => Self::Video { send: false, start: true },
            CallAction::StopVideoReceive => Self::Video { send: false, start: false },
            CallAction::SetInput | CallAction::SetOutput | CallAction::SetCaptureMic => {
                let device = words.take_rest();
                Some(Self::Device { action, device })
                    .filter(|_| is_device(device))
                    .ok_or(ErrorCode::ALTER_CALL_ARGUMENTS)?
            }
        };
        words.end(ErrorCode::ALTER_CALL_ARGUMENTS)?;
        Ok(action)
    }
}

impl<'a> AlterApplication<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let action = ApplicationAction::parse(words.next()).ok_or(ErrorCode::ALTER_APPLICATION_ACTION)?;
        // The stream alone is echoed, not what is said on it.
        let stream = |words: &mut Words<'a>, invalid| {
            let stream = StreamName::parse(words.next()).ok_or(invalid);
            words.mark_end();
            stream
        };
        let action = match action {
            ApplicationAction::Connect => Self::Connect(words.required(ErrorCode::APPLICATION_CONNECT_HANDLE)?),
            ApplicationAction::Disconnect => {
                let word = words.required(ErrorCode::APPLICATION_DISCONNECT_STREAM)?;
                match StreamName::parse(word) {
                    Some(stream) => Self::Disconnect { user: stream.user, number: Some(stream.number) },
                    None if word.contains(':') => return Err(ErrorCode::APPLICATION_DISCONNECT_STREAM),
                    None => Self::Disconnect { user: word, number: None },
                }
            }
            ApplicationAction::Read => Self::Read(stream(words, ErrorCode::APPLICATION_READ_STREAM)?),
            ApplicationAction::Write => {
                let stream = stream(words, ErrorCode::APPLICATION_WRITE_STREAM)?;
                return Ok(Self::Write(stream, words.rest()));
            }
            ApplicationAction::Datagram => {
                let stream = stream(words, ErrorCode::APPLICATION_DATAGRAM_STREAM)?;
                return Ok(Self::Datagram(stream, words.rest()));
            }
        };
        words.end(ErrorCode::APPLICATION_FAILED)?;
        Ok(action)
    }
}

/// The paths of the files among devices.
pub fn device_files(devices: &str) -> impl Iterator<Item = &str> {
    let files = devices.split(',').filter_map(|device| device.trim_matches(' ').split_once('='));
    files.filter(|(kind, _)| kind.eq_ignore_ascii_case("FILE")).map(|(_, path)| path.trim_matches('"'))
}

/// Whether a text names devices: `SOUNDCARD="default"`, `PORT="1234"`, `FILE="a.wav"` (skype-api 3.7).
fn is_device(text: &str) -> bool {
    let one = |device: &str| {
        let quoted = |value: &str| value.strip_prefix('"')?.strip_suffix('"').map(str::to_owned);
        let Some((kind, value)) = device.split_once('=') else { return false };
        let Some(value) = quoted(value) else { return false };
        match kind.to_ascii_uppercase().as_str() {
            "SOUNDCARD" => value.eq_ignore_ascii_case("default"),
            "PORT" => value.parse::<u16>().is_ok_and(|port| port > 0),
            "FILE" => value.to_ascii_lowercase().ends_with(".wav"),
            _ => false,
        }
    };
    !text.is_empty() && text.split(',').all(|device| one(device.trim_matches(' ')))
}
