//! `GET …` (skype-api 3.2 to 3.12).

use crate::skype::ApplicationProperty;
use crate::skype::CallProperty;
use crate::skype::ChatMemberProperty;
use crate::skype::ChatMessageProperty;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::FileTransferProperty;
use crate::skype::GroupProperty;
use crate::skype::Privilege;
use crate::skype::ProfileProperty;
use crate::skype::Setting;
use crate::skype::SmsProperty;
use crate::skype::UserProperty;
use crate::skype::VoicemailProperty;
use crate::skype::request::Object;
use crate::skype::request::set::ringtone;
use crate::skype::words::Words;

/// What `GET` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Get<'a> {
    /// A setting.
    Setting(Setting),
    /// `PRIVILEGE <privilege>`
    Privilege(Privilege),
    /// `PROFILE <property>`
    Profile(ProfileProperty),
    /// `USER <handle> <property>`
    User {
        /// Who.
        handle: &'a str,
        /// Which property.
        property: UserProperty,
    },
    /// `USER <handle> AVATAR <id> <path>`
    UserAvatar {
        /// Who.
        handle: &'a str,
        /// Which picture.
        id: u32,
        /// Where to write it.
        path: &'a str,
    },
    /// `AVATAR <id> <path>`: the own picture.
    Avatar {
        /// Which picture.
        id: u32,
        /// Where to write it.
        path: &'a str,
    },
    /// `RINGTONE <id>` and `RINGTONE <id> STATUS`
    Ringtone {
        /// Which ringtone.
        id: u32,
        /// Whether it is asked if it rings, not what.
        status: bool,
    },
    /// `CHAT <name> <property>`
    Chat {
        /// Which chat.
        chat: &'a str,
        /// Which property.
        property: ChatProperty,
    },
    /// `CHATMEMBER <id> <property>`
    ChatMember {
        /// Which member.
        id: u32,
        /// Which property.
        property: ChatMemberProperty,
    },
    /// `CHATMESSAGE <id> <property>`, or `MESSAGE` in its place.
    ChatMessage {
        /// Which message.
        id: u32,
        /// Which property.
        property: ChatMessageProperty,
        /// Asked with the word `MESSAGE`: values are those of protocols 1 and 2.
        legacy: bool,
    },
    /// `CALL <id> <property> [<argument>]`
    Call {
        /// Which call.
        id: u32,
        /// Which property.
        property: CallProperty,
        /// Which participant, or to whom it might be transferred.
        argument: &'a str,
    },
    /// `VOICEMAIL <id> <property>`
    Voicemail {
        /// Which voicemail.
        id: u32,
        /// Which property.
        property: VoicemailProperty,
    },
    /// `SMS <id> <property>`, `SMS <id> CHUNK <n>`
    Sms {
        /// Which short message.
        id: u32,
        /// Which property.
        property: SmsProperty,
        /// Which part of the text.
        chunk: u32,
    },
    /// `APPLICATION <name> <property>`
    Application {
        /// Which application.
        name: &'a str,
        /// Which property.
        property: ApplicationProperty,
    },
    /// `GROUP <id> <property>`
    Group {
        /// Which group.
        id: u32,
        /// Which property.
        property: GroupProperty,
    },
    /// `FILETRANSFER <id> <property>`
    FileTransfer {
        /// Which transfer.
        id: u32,
        /// Which property.
        property: FileTransferProperty,
    },
}

/// Reads a property that can be asked for.
macro_rules! property {
    ($table:ident, $words:expr, $invalid:expr) => {
        $table::parse($words.next()).filter(|property| property.access().read).ok_or($invalid)?
    };
}

impl<'a> Get<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let word = words.next();
        let Some(object) = Object::parse(word) else {
            let setting = Setting::parse(word).filter(|setting| setting.access().read);
            let setting = setting.ok_or(ErrorCode::GET_INVALID_WHAT)?;
            words.end(setting.target_error())?;
            return Ok(Self::Setting(setting));
        };
        let (get, too_much) = match object {
            Object::User => return Self::user(words),
            Object::ChatMessage | Object::Message => {
                let id = words.number(ErrorCode::GET_MESSAGE_INVALID_ID)?;
                let property = property!(ChatMessageProperty, words, ErrorCode::GET_MESSAGE_INVALID_PROPERTY);
                let get = Self::ChatMessage { id, property, legacy: object == Object::Message };
                (get, ErrorCode::GET_MESSAGE_INVALID_PROPERTY)
            }
            Object::Chat => {
                let chat = words.required(ErrorCode::CHAT_INVALID_NAME)?;
                let property = property!(ChatProperty, words, ErrorCode::CHAT_INVALID_PROPERTY);
                (Self::Chat { chat, property }, ErrorCode::CHAT_INVALID_PROPERTY)
            }
            Object::ChatMember => {
                let id = words.number(ErrorCode::GET_INVALID_WHAT)?;
                let property = property!(ChatMemberProperty, words, ErrorCode::GET_INVALID_WHAT);
                (Self::ChatMember { id, property }, ErrorCode::GET_INVALID_WHAT)
            }
            Object::Profile => {
                let property = property!(ProfileProperty, words, ErrorCode::GET_USER_INVALID_PROPERTY);
                (Self::Profile(property), ErrorCode::GET_USER_INVALID_PROPERTY)
            }
            Object::Privilege => {
                let privilege = Privilege::parse(words.next()).ok_or(ErrorCode::UNKNOWN_PRIVILEGE)?;
                (Self::Privilege(privilege), ErrorCode::UNKNOWN_PRIVILEGE)
            }
            Object::Group => {
                let id = words.number(ErrorCode::GROUP_INVALID_ID)?;
                let property = property!(GroupProperty, words, ErrorCode::GROUP_INVALID_PROPERTY);
                (Self::Group { id, property }, ErrorCode::GROUP_INVALID_PROPERTY)
            }
            Object::Application => {
                let name = words.required(ErrorCode::GET_APPLICATION_NAME)?;
                let property = property!(ApplicationProperty, words, ErrorCode::GET_APPLICATION_PROPERTY);
                (Self::Application { name, property }, ErrorCode::GET_APPLICATION_PROPERTY)
            }
            Object::Call => {
                let id = words.number(ErrorCode::GET_CALL_INVALID_ID)?;
                let property = property!(CallProperty, words, ErrorCode::GET_CALL_INVALID_PROPERTY);
                let takes_argument =
                    matches!(property, CallProperty::ConferenceParticipant | CallProperty::CanTransfer);
                let argument = if takes_argument { words.next() } else { "" };
                (Self::Call { id, property, argument }, ErrorCode::GET_CALL_INVALID_PROPERTY)
            }
            Object::Voicemail => {
                let id = words.number(ErrorCode::VOICEMAIL_INVALID_ID)?;
                let property = property!(VoicemailProperty, words, ErrorCode::VOICEMAIL_NO_PROPERTY);
                (Self::Voicemail { id, property }, ErrorCode::VOICEMAIL_NO_PROPERTY)
            }
            // No numbers of their own are known for these two (skype-api 3.9, 3.12).
            Object::Sms => {
                let id = words.number(ErrorCode::GET_INVALID_WHAT)?;
                let property = property!(SmsProperty, words, ErrorCode::GET_INVALID_WHAT);
                let takes_number = property == SmsProperty::Chunk;
                let chunk = if takes_number { words.number(ErrorCode::GET_INVALID_WHAT)? } else { 0 };
                (Self::Sms { id, property, chunk }, ErrorCode::GET_INVALID_WHAT)
            }
            Object::FileTransfer => {
                let id = words.number(ErrorCode::GET_INVALID_WHAT)?;
                let property = property!(FileTransferProperty, words, ErrorCode::GET_USER_INVALID_PROPERTY);
                (Self::FileTransfer { id, property }, ErrorCode::GET_USER_INVALID_PROPERTY)
            }
            Object::Avatar => {
                let (id, path) = avatar(words)?;
                return Ok(Self::Avatar { id, path });
            }
            Object::Ringtone => {
                let id = ringtone(words)?;
                let status = match words.rest().trim_end_matches(' ') {
                    "" => false,
                    word if word.eq_ignore_ascii_case("STATUS") => !words.next().is_empty(),
                    _ => return Err(ErrorCode::INVALID_RINGTONE),
                };
                (Self::Ringtone { id, status }, ErrorCode::INVALID_RINGTONE)
            }
            Object::MenuItem | Object::Event => return Err(ErrorCode::GET_INVALID_WHAT),
        };
        words.end(too_much)?;
        Ok(get)
    }

    fn user(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let handle = words.required(ErrorCode::GET_USER_INVALID_HANDLE)?;
        let property = property!(UserProperty, words, ErrorCode::GET_USER_INVALID_PROPERTY);
        if property == UserProperty::Avatar {
            let (id, path) = avatar(words)?;
            return Ok(Self::UserAvatar { handle, id, path });
        }
        words.end(ErrorCode::GET_USER_INVALID_PROPERTY)?;
        Ok(Self::User { handle, property })
    }
}

/// The number and the path behind `AVATAR`.
fn avatar<'a>(words: &mut Words<'a>) -> Result<(u32, &'a str), ErrorCode> {
    let id = words.number(ErrorCode::AVATAR_INVALID_ID)?;
    Some(words.take_rest()).filter(|path| !path.is_empty()).map(|path| (id, path)).ok_or(ErrorCode::AVATAR_NO_PATH)
}
