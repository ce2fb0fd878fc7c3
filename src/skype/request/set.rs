//! `SET …` (skype-api 3.2 to 3.14).

use std::borrow::Cow;

use crate::skype::BuddyStatus;
use crate::skype::CallProperty;
use crate::skype::CallStatus;
use crate::skype::ChatMessageProperty;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::GroupProperty;
use crate::skype::Items;
use crate::skype::MenuItemProperty;
use crate::skype::ProfileProperty;
use crate::skype::Setting;
use crate::skype::SmsProperty;
use crate::skype::Switch;
use crate::skype::UserProperty;
use crate::skype::UserStatus;
use crate::skype::WindowState;
use crate::skype::request::Object;
use crate::skype::words::Words;
use crate::skype::words::fields;

/// What `SET` changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Set<'a> {
    /// `USERSTATUS <status>`
    UserStatus(UserStatus),
    /// A setting that is kept, as it is to be written.
    Setting {
        /// Which.
        setting: Setting,
        /// The value, checked.
        value: &'a str,
    },
    /// `PROFILE <property> <value>`
    Profile {
        /// Which property.
        property: ProfileProperty,
        /// The value; may hold line breaks.
        value: &'a str,
    },
    /// `USER <handle> <property> <value>`
    User {
        /// Who.
        handle: &'a str,
        /// What is changed.
        change: UserChange<'a>,
    },
    /// `CHATMESSAGE <id> SEEN`, or `MESSAGE` in its place.
    ChatMessageSeen {
        /// Which message.
        id: u32,
    },
    /// `CHATMESSAGE <id> BODY <text>`
    ChatMessageBody {
        /// Which message.
        id: u32,
        /// The new text; may hold line breaks.
        body: &'a str,
    },
    /// `CHAT <name> DESCRIPTION <text>`
    ChatDescription {
        /// Which chat.
        chat: &'a str,
        /// The text.
        text: &'a str,
    },
    /// `CALL <id> …`
    Call {
        /// Which call.
        id: u32,
        /// What is changed.
        change: CallChange,
    },
    /// `GROUP <id> DISPLAYNAME <text>`
    GroupName {
        /// Which group.
        id: u32,
        /// Its new name.
        name: &'a str,
    },
    /// `SMS <id> …`
    Sms {
        /// Which short message.
        id: u32,
        /// What is changed.
        change: SmsChange<'a>,
    },
    /// `AVATAR 1 [<path>]`: the own picture; without a path there is none.
    Avatar {
        /// Which picture.
        id: u32,
        /// Where it is, without the index that may follow.
        path: &'a str,
    },
    /// `RINGTONE <id> <path>`
    Ringtone {
        /// Which ringtone.
        id: u32,
        /// Where it is.
        path: &'a str,
    },
    /// `RINGTONE <id> STATUS ON` or `OFF`
    RingtoneStatus {
        /// Which ringtone.
        id: u32,
        /// Whether it rings.
        status: Switch,
    },
    /// `MENU_ITEM <id> <property> <value>`
    MenuItem {
        /// Which item.
        id: &'a str,
        /// Which property.
        property: MenuItemProperty,
        /// The value, without quotes.
        value: Cow<'a, str>,
    },
}

/// What `SET USER` changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum UserChange<'a> {
    /// `BUDDYSTATUS 2 [<greeting>]` and `… 1`
    BuddyStatus {
        /// [`BuddyStatus::Pending`] asks and adds, [`BuddyStatus::Deleted`] removes.
        status: BuddyStatus,
        /// Words for the other side.
        greeting: &'a str,
    },
    /// `ISAUTHORIZED TRUE` or `FALSE`
    IsAuthorized(bool),
    /// `ISBLOCKED TRUE` or `FALSE`
    IsBlocked(bool),
    /// `SPEEDDIAL <code>`
    SpeedDial(&'a str),
    /// `DISPLAYNAME <text>`
    DisplayName(&'a str),
}

/// What `SET CALL` changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum CallChange {
    /// `STATUS INPROGRESS`: answer, or go on after a hold.
    Take,
    /// `STATUS ONHOLD`
    Hold,
    /// `STATUS FINISHED`: hang up, or refuse.
    End,
    /// `SEEN`
    Seen,
    /// `DTMF <key>`
    Dtmf(char),
    /// `JOIN_CONFERENCE <id>`
    JoinConference(u32),
}

/// What `SET SMS` changes.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum SmsChange<'a> {
    /// `BODY <text>`
    Body(&'a str),
    /// `TARGET_NUMBERS <number>, …`
    TargetNumbers(Items<'a>),
    /// `REPLY_TO_NUMBER <number>`
    ReplyToNumber(&'a str),
    /// `SEEN`
    Seen,
}

impl<'a> Set<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let word = words.next();
        let Some(object) = Object::parse(word) else {
            let setting = Setting::parse(word).filter(|setting| setting.access().write);
            return Self::setting(setting.ok_or(ErrorCode::SET_INVALID_WHAT)?, words);
        };
        match object {
            Object::User => {
                let handle = words.required(ErrorCode::INVALID_HANDLE)?;
                UserChange::parse(words).map(|change| Self::User { handle, change })
            }
            Object::ChatMessage | Object::Message => Self::message(words),
            Object::Profile => {
                let property = ProfileProperty::parse(words.next()).filter(|property| property.access().write);
                let property = property.ok_or(ErrorCode::SET_PROFILE_INVALID)?;
                words.mark_end();
                Ok(Self::Profile { property, value: words.rest() })
            }
            Object::Chat => {
                let chat = words.required(ErrorCode::CHAT_INVALID_NAME)?;
                if ChatProperty::parse(words.next()) != Some(ChatProperty::Description) {
                    return Err(ErrorCode::CHAT_INVALID_PROPERTY);
                }
                words.mark_end();
                Ok(Self::ChatDescription { chat, text: words.rest() })
            }
            Object::Call => {
                let id = words.number(ErrorCode::SET_CALL_INVALID_ID)?;
                CallChange::parse(words).map(|change| Self::Call { id, change })
            }
            Object::Group => {
                let id = words.number(ErrorCode::GROUP_INVALID_ID)?;
                if GroupProperty::parse(words.next()) != Some(GroupProperty::DisplayName) {
                    return Err(ErrorCode::GROUP_INVALID_PROPERTY);
                }
                words.mark_end();
                Ok(Self::GroupName { id, name: words.rest() })
            }
            Object::Sms => {
                let id = words.number(ErrorCode::SET_INVALID_WHAT)?;
                SmsChange::parse(words).map(|change| Self::Sms { id, change })
            }
            Object::Avatar => {
                let id = words.number(ErrorCode::AVATAR_INVALID_ID)?;
                Ok(Self::Avatar { id, path: without_index(words.take_rest()) })
            }
            Object::Ringtone => Self::ringtone(words),
            Object::MenuItem => Self::menu_item(words),
            Object::ChatMember
            | Object::Privilege
            | Object::Application
            | Object::Voicemail
            | Object::FileTransfer
            | Object::Event => Err(ErrorCode::SET_INVALID_WHAT),
        }
    }

    fn setting(setting: Setting, words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        if setting == Setting::UserStatus {
            let status = UserStatus::parse(words.next()).ok_or(ErrorCode::UNKNOWN_USERSTATUS)?;
            words.end(ErrorCode::UNKNOWN_USERSTATUS)?;
            // States that only Skype itself could be in (skype-api 3.2).
            return match status {
                UserStatus::Unknown | UserStatus::LoggedOut => Err(ErrorCode::UNKNOWN_USERSTATUS),
                status => Ok(Self::UserStatus(status)),
            };
        }
        words.mark_end();
        let typed = words.take_rest();
        let value = match (setting.switch_error(), setting) {
            (Some(invalid), _) => Switch::parse(typed).ok_or(invalid)?.word(),
            (None, Setting::WindowState) => WindowState::parse(typed).ok_or(ErrorCode::SET_INVALID_VALUE)?.word(),
            (None, Setting::UiLanguage) => {
                let code = typed.len() == 2 && typed.bytes().all(|byte| byte.is_ascii_lowercase());
                Some(typed).filter(|_| code).ok_or(ErrorCode::SET_INVALID_VALUE)?
            }
            // There is no sound and no camera here but what the system takes by default.
            (None, Setting::AudioIn | Setting::AudioOut | Setting::Ringer | Setting::VideoIn) => {
                Some(typed).filter(|device| device.is_empty()).ok_or(ErrorCode::CANNOT_SET_DEVICE)?
            }
            (None, _) => {
                Some(typed).filter(|value| !value.contains(['\n', '\r'])).ok_or(ErrorCode::SET_INVALID_VALUE)?
            }
        };
        Ok(Self::Setting { setting, value })
    }

    fn message(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let id = words.number(ErrorCode::SET_MESSAGE_INVALID_ID)?;
        let property = {
            words.mark_end();
            ChatMessageProperty::parse(words.next())
        };
        match property {
            Some(ChatMessageProperty::Seen) => {
                words.end(ErrorCode::SET_MESSAGE_INVALID_WHAT)?;
                Ok(Self::ChatMessageSeen { id })
            }
            Some(ChatMessageProperty::Body) => {
                words.mark_end();
                Ok(Self::ChatMessageBody { id, body: words.rest() })
            }
            _ => Err(ErrorCode::SET_MESSAGE_INVALID_WHAT),
        }
    }

    fn ringtone(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let id = ringtone(words)?;
        let path = words.take_rest();
        match path.split_once(' ') {
            Some((word, status)) if word.eq_ignore_ascii_case("STATUS") => {
                let status = Switch::parse(status).ok_or(ErrorCode::SET_INVALID_VALUE)?;
                Ok(Self::RingtoneStatus { id, status })
            }
            _ => Ok(Self::Ringtone { id, path }),
        }
    }

    fn menu_item(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let id = words.required(ErrorCode::SET_INVALID_WHAT)?;
        let mut changes = fields(words.take_rest()).ok_or(ErrorCode::SET_INVALID_WHAT)?.into_iter();
        let (name, value) = changes.next().ok_or(ErrorCode::SET_INVALID_WHAT)?;
        let property = MenuItemProperty::parse(name).filter(|property| property.access().write);
        let property = property.filter(|_| changes.next().is_none()).ok_or(ErrorCode::SET_INVALID_WHAT)?;
        Ok(Self::MenuItem { id, property, value })
    }
}

impl<'a> UserChange<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let property = UserProperty::parse(words.next()).filter(|property| property.access().write);
        match property.ok_or(ErrorCode::SET_INVALID_WHAT)? {
            UserProperty::BuddyStatus => {
                let status = match words.next() {
                    "1" => BuddyStatus::Deleted,
                    "2" => BuddyStatus::Pending,
                    _ => return Err(ErrorCode::SET_BUDDYSTATUS_INVALID),
                };
                words.mark_end();
                Ok(Self::BuddyStatus { status, greeting: words.rest() })
            }
            UserProperty::IsAuthorized => {
                words.boolean(ErrorCode::SET_AUTHORIZED_INVALID_VALUE).map(Self::IsAuthorized)
            }
            UserProperty::IsBlocked => words.boolean(ErrorCode::SET_AUTHORIZED_INVALID_VALUE).map(Self::IsBlocked),
            UserProperty::SpeedDial => {
                words.mark_end();
                let code = words.take_rest();
                // One or two characters (skype-api 4.1); none takes the code away.
                let good = code.chars().count() <= 2 && !code.contains([' ', ',', '\n', '\r']);
                Some(Self::SpeedDial(code)).filter(|_| good).ok_or(ErrorCode::SET_SPEEDDIAL_FAILED)
            }
            UserProperty::DisplayName => {
                words.mark_end();
                Ok(Self::DisplayName(words.rest()))
            }
            _ => Err(ErrorCode::SET_INVALID_WHAT),
        }
    }
}

impl CallChange {
    fn parse(words: &mut Words<'_>) -> Result<Self, ErrorCode> {
        let property = CallProperty::parse(words.next());
        let change = match property {
            Some(CallProperty::Status) => {
                words.mark_end();
                let status = words.required(ErrorCode::SET_CALL_INVALID_PROPERTY)?;
                match CallStatus::parse(status) {
                    Some(CallStatus::InProgress) => Self::Take,
                    Some(CallStatus::OnHold) => Self::Hold,
                    Some(CallStatus::Finished) => Self::End,
                    _ => return Err(ErrorCode::SET_CALL_UNKNOWN_STATUS),
                }
            }
            Some(CallProperty::Seen) => Self::Seen,
            Some(CallProperty::Dtmf) => Self::Dtmf(dtmf(words, ErrorCode::INVALID_DTMF)?),
            Some(CallProperty::JoinConference) => {
                Self::JoinConference(words.number(ErrorCode::CANNOT_CREATE_CONFERENCE)?)
            }
            _ => return Err(ErrorCode::SET_CALL_INVALID_PROPERTY),
        };
        words.end(ErrorCode::SET_CALL_INVALID_PROPERTY)?;
        Ok(change)
    }
}

/// The number of a ringtone; there were a handful.
pub(super) fn ringtone(words: &mut Words<'_>) -> Result<u32, ErrorCode> {
    let id = words.number(ErrorCode::INVALID_RINGTONE)?;
    Some(id).filter(|id| (1..100).contains(id)).ok_or(ErrorCode::INVALID_RINGTONE)
}

/// A key of a phone.
pub(super) fn dtmf(words: &mut Words<'_>, invalid: ErrorCode) -> Result<char, ErrorCode> {
    let mut keys = words.next().chars();
    let key = keys.next().filter(|key| key.is_ascii_digit() || "#*".contains(*key));
    key.filter(|_| keys.next().is_none()).ok_or(invalid)
}

impl<'a> SmsChange<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        // The reply to SEEN names the status instead (skype-api 3.9).
        words.mark_end();
        let property = SmsProperty::parse(words.next()).filter(|property| property.access().write);
        if property != Some(SmsProperty::Seen) {
            words.mark_end();
        }
        match property.ok_or(ErrorCode::SET_INVALID_WHAT)? {
            SmsProperty::TargetNumbers => Ok(Self::TargetNumbers(Items(words.take_rest()))),
            SmsProperty::ReplyToNumber => Ok(Self::ReplyToNumber(words.take_rest())),
            SmsProperty::Seen => words.end(ErrorCode::SET_INVALID_WHAT).map(|()| Self::Seen),
            _ => Ok(Self::Body(words.rest())),
        }
    }
}

/// A path without the `:<index>` that may follow it (skype-api 3.2).
fn without_index(path: &str) -> &str {
    match path.rsplit_once(':') {
        Some((path, index)) if !index.is_empty() && index.bytes().all(|byte| byte.is_ascii_digit()) => path,
        _ => path,
    }
}
