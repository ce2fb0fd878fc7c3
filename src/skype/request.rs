//! Reading a command (skype-api 1.4 and 3).

use std::fmt;

use crate::skype::BuddyStatus;
use crate::skype::ChatMemberProperty;
use crate::skype::ChatMessageProperty;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::ErrorReply;
use crate::skype::ProfileProperty;
use crate::skype::Protocol;
use crate::skype::Search;
use crate::skype::UserProperty;
use crate::skype::UserStatus;

/// One command of a client, with the `#id` that its reply carries.
///
/// Words are understood in any case of letters, and echoed as they were typed (clients 2, rule 2).
#[derive(Clone, Debug, PartialEq)]
pub struct Request<'a> {
    /// The id, without its `#`.
    pub id: Option<&'a str>,
    /// What is asked.
    pub command: Command<'a>,
    text: &'a str,
}

/// What a client asks.
#[derive(Clone, Debug, PartialEq)]
pub enum Command<'a> {
    /// `NAME <application>`
    Name(&'a str),
    /// `PROTOCOL <n>`, already negotiated.
    Protocol(Protocol),
    /// `PING`
    Ping,
    /// `GET …`; `head` is what the value follows in the reply.
    Get {
        /// The command behind `GET`, as typed.
        head: &'a str,
        /// What is asked for.
        what: Get<'a>,
    },
    /// `SET …`; `head` is the reply, or its beginning.
    Set {
        /// The command behind `SET`, as typed, without explanatory text.
        head: &'a str,
        /// What is to be changed.
        what: Set<'a>,
    },
    /// `SEARCH <what> [<target>]`
    Search {
        /// Which word of SEARCH.
        search: &'static Search,
        /// The target; empty if there is none.
        target: &'a str,
    },
    /// `MESSAGE <user> <text>`
    Message {
        /// To whom.
        user: &'a str,
        /// The text; may hold line breaks.
        body: &'a str,
    },
    /// `CHATMESSAGE <chat> <text>`
    ChatMessage {
        /// The name of the chat.
        chat: &'a str,
        /// The text; may hold line breaks.
        body: &'a str,
    },
    /// `CHAT CREATE <user>`: the dialog with one user.
    ChatCreate {
        /// With whom.
        user: &'a str,
    },
    /// `ALTER CHAT <chat> <action> …` with an action that exists.
    AlterChat {
        /// The name of the chat.
        chat: &'a str,
    },
}

/// What `GET` asks for.
#[derive(Clone, Debug, PartialEq)]
pub enum Get<'a> {
    /// `SKYPEVERSION`
    SkypeVersion,
    /// `CURRENTUSERHANDLE`
    CurrentUserHandle,
    /// `USERSTATUS`
    UserStatus,
    /// `CONNSTATUS`
    ConnectionStatus,
    /// `PRIVILEGE SKYPEOUT`, `SKYPEIN` or `VOICEMAIL`
    Privilege,
    /// `PROFILE <property>`
    Profile(ProfileProperty),
    /// `USER <handle> <property>`
    User {
        /// Who.
        handle: &'a str,
        /// Which property.
        property: UserProperty,
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
}

/// What `SET` changes.
#[derive(Clone, Debug, PartialEq)]
pub enum Set<'a> {
    /// `USERSTATUS <status>`
    UserStatus(UserStatus),
    /// `PROFILE MOOD_TEXT <text>`
    MoodText(&'a str),
    /// `USER <handle> BUDDYSTATUS 2 [<greeting>]` and `… 1`
    BuddyStatus {
        /// Who.
        handle: &'a str,
        /// [`BuddyStatus::Pending`] asks and adds, [`BuddyStatus::Deleted`] removes.
        status: BuddyStatus,
        /// Words for the other side.
        greeting: &'a str,
    },
    /// `USER <handle> ISAUTHORIZED TRUE` or `FALSE`
    IsAuthorized {
        /// Who.
        handle: &'a str,
        /// Whether they may see us.
        value: bool,
    },
    /// `CHATMESSAGE <id> SEEN`, or `MESSAGE` in its place.
    ChatMessageSeen {
        /// Which message.
        id: u32,
    },
}

/// The actions of `ALTER CHAT` (skype-api 3.6).
const CHAT_ACTIONS: &[&str] = &[
    "SETTOPIC",
    "SETTOPICXML",
    "ADDMEMBERS",
    "LEAVE",
    "BOOKMARK",
    "UNBOOKMARK",
    "JOIN",
    "CLEARRECENTMESSAGES",
    "SETALERTSTRING",
    "ACCEPTADD",
    "DISBAND",
    "SETPASSWORD",
    "ENTERPASSWORD",
    "SETOPTIONS",
    "KICK",
    "KICKBAN",
    "SETGUIDELINES",
    "SETDESCRIPTION",
];

/// Objects of which there are none: the error for naming one (skype-api 6).
const ABSENT: &[(&str, &str, ErrorCode)] = &[
    ("GET", "CALL", ErrorCode::GET_CALL_INVALID_ID),
    ("GET", "VOICEMAIL", ErrorCode::GET_VOICEMAIL_INVALID_ID),
    ("GET", "GROUP", ErrorCode::GROUP_INVALID_ID),
    ("GET", "APPLICATION", ErrorCode::GET_APPLICATION_NAME),
    ("SET", "CALL", ErrorCode::SET_CALL_INVALID_ID),
    ("SET", "GROUP", ErrorCode::GROUP_INVALID_ID),
    ("ALTER", "CALL", ErrorCode::ALTER_CALL_INVALID_ID),
    ("ALTER", "VOICEMAIL", ErrorCode::ALTER_VOICEMAIL_INVALID_ID),
    ("ALTER", "GROUP", ErrorCode::GROUP_INVALID_ID),
    ("ALTER", "APPLICATION", ErrorCode::ALTER_APPLICATION),
    ("DELETE", "GROUP", ErrorCode::GROUP_INVALID_ID),
    ("DELETE", "APPLICATION", ErrorCode::DELETE_APPLICATION_NAME),
];

impl<'a> Request<'a> {
    /// Parses one line as a client sent it, e.g. `#7 MESSAGE bob hi`.
    ///
    /// # Errors
    ///
    /// The reply to send instead, with the command's own id.
    ///
    /// # Examples
    ///
    /// ```
    /// use imo2skype::skype::Request;
    ///
    /// let refused = Request::parse("#8 DANCE").unwrap_err();
    /// assert_eq!(refused.to_string(), "#8 ERROR 2 Unknown command");
    /// ```
    pub fn parse(line: &'a str) -> Result<Self, ErrorReply<'a>> {
        // Some clients put blanks in front (clients 2, rule 4).
        let text = line.trim_start_matches(' ');
        let (id, command) = match text.strip_prefix('#') {
            None => (None, text),
            Some(rest) => {
                let (id, command) = rest.split_once(' ').unwrap_or((rest, ""));
                // A line break in an id would come back in the middle of a reply.
                if id.is_empty() || id.contains(char::is_whitespace) {
                    return Err(ErrorReply { id: None, code: ErrorCode::GENERAL_SYNTAX_ERROR });
                }
                (Some(id), command.trim_start_matches(' '))
            }
        };
        match Command::parse(command) {
            Ok(command) => Ok(Self { id, command, text }),
            Err(code) => Err(ErrorReply { id, code }),
        }
    }
}

impl fmt::Display for Request<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text)
    }
}

impl<'a> Command<'a> {
    fn parse(text: &'a str) -> Result<Self, ErrorCode> {
        let mut words = Words::new(text);
        let verb = words.next();
        if verb.is_empty() {
            return Err(ErrorCode::GENERAL_SYNTAX_ERROR);
        }
        let is = |word: &str| verb.eq_ignore_ascii_case(word);
        if is("GET") {
            words.mark();
            let what = Get::parse(&mut words)?;
            Ok(Self::Get { head: words.marked(), what })
        } else if is("SET") {
            words.mark();
            let what = Set::parse(&mut words)?;
            Ok(Self::Set { head: words.marked(), what })
        } else if is("MESSAGE") {
            Ok(Self::Message { user: words.required(ErrorCode::INVALID_HANDLE)?, body: words.body()? })
        } else if is("CHATMESSAGE") {
            Ok(Self::ChatMessage { chat: words.required(ErrorCode::CHATMESSAGE_NO_CHAT)?, body: words.body()? })
        } else if is("SEARCH") {
            let word = words.next();
            let target = words.rest().trim_end_matches(' ');
            Search::parse(word, target).map(|search| Self::Search { search, target })
        } else if is("PING") {
            words.end(ErrorCode::UNKNOWN_COMMAND)?;
            Ok(Self::Ping)
        } else if is("NAME") {
            Ok(Self::Name(words.rest()))
        } else if is("PROTOCOL") {
            let version = words.rest().trim_end_matches(' ');
            Protocol::negotiate(version).map(Self::Protocol).ok_or(ErrorCode::INVALID_VERSION)
        } else {
            Self::parse_rare(verb, &mut words)
        }
    }

    /// What the rest of the vocabulary comes down to: objects that no network here has are refused
    /// with the error of their family.
    fn parse_rare(verb: &str, words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let is = |word: &str| verb.eq_ignore_ascii_case(word);
        if is("CHAT") {
            return match words.next() {
                "" => Err(ErrorCode::CREATE_NO_TYPE),
                action if action.eq_ignore_ascii_case("CREATE") => match words.rest().trim_end_matches(' ') {
                    "" => Err(ErrorCode::CHAT_CREATE_INVALID_HANDLE),
                    // Chats of more than two do not exist here.
                    users if users.contains([' ', ',']) => Err(ErrorCode::CHAT_CREATE_FAILED),
                    user => Ok(Self::ChatCreate { user }),
                },
                _ => Err(ErrorCode::CHAT_UNKNOWN_ACTION),
            };
        }
        let families = [
            ("ALTER", ErrorCode::ALTER_NO_TYPE, ErrorCode::ALTER_UNKNOWN_TYPE),
            ("CREATE", ErrorCode::CREATE_NO_TYPE, ErrorCode::CREATE_UNKNOWN_TYPE),
            ("DELETE", ErrorCode::DELETE_NO_TYPE, ErrorCode::DELETE_UNKNOWN_TYPE),
            ("CLEAR", ErrorCode::CLEAR_NO_TARGET, ErrorCode::CLEAR_UNKNOWN_TARGET),
            ("OPEN", ErrorCode::OPEN_INVALID_WHAT, ErrorCode::OPEN_INVALID_WHAT),
            ("CALL", ErrorCode::CALL_INVALID_HANDLE, ErrorCode::CALL_FAILED),
            ("CALLVOICEMAIL", ErrorCode::NO_VOICEMAIL, ErrorCode::NO_VOICEMAIL),
            ("VOICEMAIL", ErrorCode::NO_VOICEMAIL, ErrorCode::NO_VOICEMAIL),
        ];
        let Some((_, missing, unknown)) = families.into_iter().find(|(name, ..)| is(name)) else {
            return Err(ErrorCode::UNKNOWN_COMMAND);
        };
        let object = words.required(missing)?;
        if is("ALTER") && object.eq_ignore_ascii_case("CHAT") {
            let chat = words.required(ErrorCode::ALTER_CHAT_INVALID_NAME)?;
            let action = words.required(ErrorCode::CHAT_NO_ACTION)?;
            return if CHAT_ACTIONS.iter().any(|known| known.eq_ignore_ascii_case(action)) {
                Ok(Self::AlterChat { chat })
            } else {
                Err(ErrorCode::CHAT_UNKNOWN_ACTION)
            };
        }
        if is("CREATE") && object.eq_ignore_ascii_case("APPLICATION") {
            words.required(ErrorCode::CREATE_APPLICATION_NAME)?;
            return Err(ErrorCode::APPLICATION_FAILED);
        }
        Err(absent(verb, object).unwrap_or(unknown))
    }
}

/// The error for an object of which there are none.
fn absent(verb: &str, object: &str) -> Option<ErrorCode> {
    let row = ABSENT.iter().find(|row| row.0.eq_ignore_ascii_case(verb) && row.1.eq_ignore_ascii_case(object));
    row.map(|row| row.2)
}

impl<'a> Get<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let object = words.next();
        let is = |word: &str| object.eq_ignore_ascii_case(word);
        let (get, too_much) = if is("USER") {
            let handle = words.required(ErrorCode::GET_USER_INVALID_HANDLE)?;
            let property = UserProperty::parse(words.next()).ok_or(ErrorCode::GET_USER_INVALID_PROPERTY)?;
            (Self::User { handle, property }, ErrorCode::GET_USER_INVALID_PROPERTY)
        } else if is("CHATMESSAGE") || is("MESSAGE") {
            let id = words.number(ErrorCode::GET_MESSAGE_INVALID_ID)?;
            let property = ChatMessageProperty::parse(words.next()).ok_or(ErrorCode::GET_MESSAGE_INVALID_PROPERTY)?;
            let get = Self::ChatMessage { id, property, legacy: is("MESSAGE") };
            (get, ErrorCode::GET_MESSAGE_INVALID_PROPERTY)
        } else if is("CHAT") {
            let chat = words.required(ErrorCode::CHAT_INVALID_NAME)?;
            let property = ChatProperty::parse(words.next()).ok_or(ErrorCode::CHAT_INVALID_PROPERTY)?;
            (Self::Chat { chat, property }, ErrorCode::CHAT_INVALID_PROPERTY)
        } else if is("CHATMEMBER") {
            let id = words.number(ErrorCode::GET_INVALID_WHAT)?;
            let property = ChatMemberProperty::parse(words.next()).ok_or(ErrorCode::GET_INVALID_WHAT)?;
            (Self::ChatMember { id, property }, ErrorCode::GET_INVALID_WHAT)
        } else if is("PROFILE") {
            let property = ProfileProperty::parse(words.next()).ok_or(ErrorCode::GET_USER_INVALID_PROPERTY)?;
            (Self::Profile(property), ErrorCode::GET_USER_INVALID_PROPERTY)
        } else if is("PRIVILEGE") {
            let privilege = words.next();
            let known = ["SKYPEOUT", "SKYPEIN", "VOICEMAIL"];
            if !known.iter().any(|known| known.eq_ignore_ascii_case(privilege)) {
                return Err(ErrorCode::UNKNOWN_PRIVILEGE);
            }
            (Self::Privilege, ErrorCode::UNKNOWN_PRIVILEGE)
        } else {
            let settings = [
                ("USERSTATUS", Self::UserStatus),
                ("CONNSTATUS", Self::ConnectionStatus),
                ("CURRENTUSERHANDLE", Self::CurrentUserHandle),
                ("SKYPEVERSION", Self::SkypeVersion),
            ];
            match settings.into_iter().find(|(name, _)| is(name)) {
                Some((_, setting)) => (setting, ErrorCode::GET_INVALID_WHAT),
                None => return Err(absent("GET", object).unwrap_or(ErrorCode::GET_INVALID_WHAT)),
            }
        };
        words.end(too_much)?;
        Ok(get)
    }
}

impl<'a> Set<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let object = words.next();
        let is = |word: &str| object.eq_ignore_ascii_case(word);
        if is("USERSTATUS") {
            let status = UserStatus::parse(words.next()).ok_or(ErrorCode::UNKNOWN_USERSTATUS)?;
            words.end(ErrorCode::UNKNOWN_USERSTATUS)?;
            // States that only Skype itself could be in (skype-api 3.2).
            if matches!(status, UserStatus::Unknown | UserStatus::LoggedOut) {
                return Err(ErrorCode::UNKNOWN_USERSTATUS);
            }
            Ok(Self::UserStatus(status))
        } else if is("CHATMESSAGE") || is("MESSAGE") {
            let id = words.number(ErrorCode::SET_MESSAGE_INVALID_ID)?;
            words.mark_end();
            if !words.next().eq_ignore_ascii_case("SEEN") {
                return Err(ErrorCode::SET_MESSAGE_INVALID_WHAT);
            }
            words.end(ErrorCode::SET_MESSAGE_INVALID_WHAT)?;
            Ok(Self::ChatMessageSeen { id })
        } else if is("USER") {
            let handle = words.required(ErrorCode::INVALID_HANDLE)?;
            let property = words.next();
            if property.eq_ignore_ascii_case("BUDDYSTATUS") {
                let status = match words.next() {
                    "1" => BuddyStatus::Deleted,
                    "2" => BuddyStatus::Pending,
                    _ => return Err(ErrorCode::SET_BUDDYSTATUS_INVALID),
                };
                words.mark_end();
                Ok(Self::BuddyStatus { handle, status, greeting: words.rest() })
            } else if property.eq_ignore_ascii_case("ISAUTHORIZED") {
                let value = words.next();
                words.end(ErrorCode::SET_AUTHORIZED_INVALID_VALUE)?;
                let value = [("TRUE", true), ("FALSE", false)]
                    .into_iter()
                    .find(|(word, _)| word.eq_ignore_ascii_case(value))
                    .ok_or(ErrorCode::SET_AUTHORIZED_INVALID_VALUE)?;
                Ok(Self::IsAuthorized { handle, value: value.1 })
            } else {
                Err(ErrorCode::SET_INVALID_WHAT)
            }
        } else if is("PROFILE") {
            if ProfileProperty::parse(words.next()) != Some(ProfileProperty::MoodText) {
                return Err(ErrorCode::SET_PROFILE_INVALID);
            }
            words.mark_end();
            Ok(Self::MoodText(words.rest()))
        } else {
            Err(absent("SET", object).unwrap_or(ErrorCode::SET_INVALID_WHAT))
        }
    }
}

/// The words of a command, one blank between them.
struct Words<'a> {
    text: &'a str,
    /// Where the next word begins; past the end once the last was taken.
    at: usize,
    /// Where the last word ended.
    end: usize,
    mark: (usize, Option<usize>),
}

impl<'a> Words<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, at: 0, end: 0, mark: (0, None) }
    }

    /// The next word; empty at the end, and where two blanks meet.
    fn next(&mut self) -> &'a str {
        let rest = self.rest();
        let word = rest.split(' ').next().unwrap_or("");
        self.end = self.at.min(self.text.len()) + word.len();
        self.at = self.end + 1;
        word
    }

    fn required(&mut self, missing: ErrorCode) -> Result<&'a str, ErrorCode> {
        Some(self.next()).filter(|word| !word.is_empty()).ok_or(missing)
    }

    fn number(&mut self, invalid: ErrorCode) -> Result<u32, ErrorCode> {
        let word = self.required(invalid)?;
        if !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid);
        }
        // No object ever has a number that does not fit, and none has the highest.
        Ok(word.parse().unwrap_or(u32::MAX))
    }

    /// Everything behind the last word, blanks and line breaks included.
    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn body(&mut self) -> Result<&'a str, ErrorCode> {
        Some(self.rest()).filter(|body| !body.is_empty()).ok_or(ErrorCode::EMPTY_MESSAGE)
    }

    /// Makes sure that nothing but blanks is left.
    fn end(&self, too_much: ErrorCode) -> Result<(), ErrorCode> {
        if self.rest().bytes().all(|byte| byte == b' ') { Ok(()) } else { Err(too_much) }
    }

    /// From here on the reply echoes the command…
    fn mark(&mut self) {
        self.mark = (self.at.min(self.text.len()), None);
    }

    /// … up to the last word taken.
    fn mark_end(&mut self) {
        self.mark.1 = Some(self.end);
    }

    fn marked(&self) -> &'a str {
        &self.text[self.mark.0..self.mark.1.unwrap_or(self.end)]
    }
}

#[cfg(test)]
#[path = "request_tests.rs"]
mod tests;
