//! Reading a command (skype-api 1.4 and 3).

mod alter;
mod create;
mod get;
mod set;

use std::fmt;

use crate::skype::CallHistory;
use crate::skype::ErrorCode;
use crate::skype::ErrorReply;
use crate::skype::Items;
use crate::skype::Key;
use crate::skype::Protocol;
use crate::skype::Search;
use crate::skype::Setting;
use crate::skype::Window;
use crate::skype::table::words;
use crate::skype::words::Words;

pub use alter::Alter;
pub use alter::AlterApplication;
pub use alter::AlterCall;
pub use alter::AlterChat;
pub use alter::device_files;
pub use create::Create;
pub use create::Delete;
pub use get::Get;
pub use set::CallChange;
pub use set::Set;
pub use set::SmsChange;
pub use set::UserChange;

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

/// What a client asks. The `head` of a command is what its reply consists of or begins with.
#[derive(Clone, Debug, PartialEq)]
pub enum Command<'a> {
    /// `NAME <application>`
    Name(&'a str),
    /// `PROTOCOL <n>`, already negotiated.
    Protocol(Protocol),
    /// `PING`
    Ping,
    /// `GET …`
    Get {
        /// The command behind `GET`, as typed.
        head: &'a str,
        /// What is asked for.
        what: Get<'a>,
    },
    /// `SET …`
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
    /// `CHAT CREATE [<user>, …]`
    ChatCreate {
        /// With whom; nobody makes a chat to add members to.
        users: Items<'a>,
    },
    /// `CHAT FINDUSINGBLOB <blob>` and `CHAT CREATEUSINGBLOB <blob>`
    ChatBlob {
        /// The blob of a public chat.
        blob: &'a str,
        /// Whether to make the chat known if it is not yet.
        create: bool,
    },
    /// `ALTER …`
    Alter {
        /// The reply.
        head: Head<'a>,
        /// What is to be done.
        what: Alter<'a>,
    },
    /// `CREATE …`
    Create {
        /// The whole command, as typed.
        head: &'a str,
        /// What is to be made.
        what: Create<'a>,
    },
    /// `DELETE …`
    Delete {
        /// The whole command, as typed.
        head: &'a str,
        /// What is to be taken away.
        what: Delete<'a>,
    },
    /// `CALL <target>, …`
    Call {
        /// Users, phone numbers, speed-dial codes.
        targets: Items<'a>,
    },
    /// `CALLVOICEMAIL <user>`, `VOICEMAIL <user>`
    CallVoicemail {
        /// For whom.
        user: &'a str,
    },
    /// `CLEAR …`
    Clear {
        /// The whole command, as typed.
        head: &'a str,
        /// What is to be forgotten.
        what: Clear<'a>,
    },
    /// `OPEN …`
    Open {
        /// The whole command, as typed.
        head: &'a str,
        /// Which window.
        window: Window,
        /// Whom or what it shows; empty if nothing was named.
        target: &'a str,
    },
    /// `FOCUS` and `MINIMIZE`
    ShowWindow {
        /// The whole command, as typed.
        head: &'a str,
        /// To the front, or out of sight.
        front: bool,
    },
    /// `RESETIDLETIMER`, `BTN_PRESSED <key>`, `BTN_RELEASED <key>`: somebody sits at the phone.
    UserActivity {
        /// The whole command, as typed.
        head: &'a str,
    },
}

/// What `CLEAR` forgets.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Clear<'a> {
    /// `CHATHISTORY`
    Chats,
    /// `VOICEMAILHISTORY`
    Voicemails,
    /// `CALLHISTORY <which> [<user>]`
    Calls {
        /// Which calls.
        which: CallHistory,
        /// Only those with this user; empty for all.
        user: &'a str,
    },
}

/// What of a command its reply repeats: `ALTER CHAT … SETTOPIC` leaves out the chat between the two.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// The words in front.
    pub front: &'a str,
    /// The words behind what is left out; empty if nothing is.
    pub back: &'a str,
}

words! {
    /// The first word of a command.
    Verb {
        Get = "GET",
        Set = "SET",
        Message = "MESSAGE",
        ChatMessage = "CHATMESSAGE",
        Search = "SEARCH",
        Ping = "PING",
        Alter = "ALTER",
        Name = "NAME",
        Protocol = "PROTOCOL",
        Chat = "CHAT",
        Call = "CALL",
        CallVoicemail = "CALLVOICEMAIL",
        Voicemail = "VOICEMAIL",
        Create = "CREATE",
        Delete = "DELETE",
        Clear = "CLEAR",
        Open = "OPEN",
        Focus = "FOCUS",
        Minimize = "MINIMIZE",
        ResetIdleTimer = "RESETIDLETIMER",
        ButtonPressed = "BTN_PRESSED",
        ButtonReleased = "BTN_RELEASED",
    }
}

words! {
    /// The object of GET, SET, ALTER, CREATE or DELETE.
    Object {
        User = "USER",
        ChatMessage = "CHATMESSAGE",
        Chat = "CHAT",
        ChatMember = "CHATMEMBER",
        Message = "MESSAGE",
        Profile = "PROFILE",
        Privilege = "PRIVILEGE",
        Group = "GROUP",
        Application = "APPLICATION",
        Call = "CALL",
        Voicemail = "VOICEMAIL",
        Sms = "SMS",
        FileTransfer = "FILETRANSFER",
        Avatar = "AVATAR",
        Ringtone = "RINGTONE",
        MenuItem = "MENU_ITEM",
        Event = "EVENT",
    }
}

words! {
    /// What follows `CHAT`.
    ChatVerb {
        Create = "CREATE",
        FindUsingBlob = "FINDUSINGBLOB",
        CreateUsingBlob = "CREATEUSINGBLOB",
    }
}

words! {
    /// What follows `CLEAR`.
    History {
        Chats = "CHATHISTORY",
        Voicemails = "VOICEMAILHISTORY",
        Calls = "CALLHISTORY",
    }
}

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
        let words = &mut words;
        let Some(known) = Verb::parse(verb) else { return Self::parse_old_form(verb, text) };
        match known {
            Verb::Get => {
                words.mark();
                let what = Get::parse(words)?;
                Ok(Self::Get { head: words.marked(), what })
            }
            Verb::Set => {
                words.mark();
                let what = Set::parse(words)?;
                Ok(Self::Set { head: words.marked(), what })
            }
            Verb::Message => {
                let user = words.required(ErrorCode::INVALID_HANDLE)?;
                Ok(Self::Message { user, body: body(words)? })
            }
            Verb::ChatMessage => {
                let chat = words.required(ErrorCode::CHATMESSAGE_NO_CHAT)?;
                Ok(Self::ChatMessage { chat, body: body(words)? })
            }
            Verb::Search => {
                let word = words.next();
                let target = words.take_rest();
                Search::parse(word, target).map(|search| Self::Search { search, target })
            }
            Verb::Ping => {
                words.end(ErrorCode::UNKNOWN_COMMAND)?;
                Ok(Self::Ping)
            }
            Verb::Name => Ok(Self::Name(words.rest())),
            Verb::Protocol => {
                Protocol::negotiate(words.take_rest()).map(Self::Protocol).ok_or(ErrorCode::INVALID_VERSION)
            }
            Verb::Alter => Self::parse_alter(text, words),
            Verb::Create => Ok(Self::Create { what: Create::parse(words)?, head: words.marked() }),
            Verb::Delete => Ok(Self::Delete { what: Delete::parse(words)?, head: words.marked() }),
            Verb::Chat => Self::parse_chat(words),
            Verb::Call => {
                let targets = Items(words.take_rest());
                if targets.is_empty() { Err(ErrorCode::CALL_INVALID_HANDLE) } else { Ok(Self::Call { targets }) }
            }
            Verb::CallVoicemail | Verb::Voicemail => {
                let user = words.required(ErrorCode::CALL_INVALID_HANDLE)?;
                words.end(ErrorCode::CALL_INVALID_HANDLE)?;
                Ok(Self::CallVoicemail { user })
            }
            Verb::Clear => Ok(Self::Clear { what: Clear::parse(words)?, head: words.marked() }),
            Verb::Open => {
                let window = Window::parse(words.next()).ok_or(ErrorCode::OPEN_INVALID_WHAT)?;
                let target = words.take_rest();
                Ok(Self::Open { head: words.marked(), window, target })
            }
            Verb::Focus | Verb::Minimize => {
                words.end(ErrorCode::UNKNOWN_COMMAND)?;
                Ok(Self::ShowWindow { head: words.marked(), front: verb.eq_ignore_ascii_case(Verb::Focus.word()) })
            }
            Verb::ResetIdleTimer => {
                words.end(ErrorCode::UNKNOWN_COMMAND)?;
                Ok(Self::UserActivity { head: words.marked() })
            }
            Verb::ButtonPressed | Verb::ButtonReleased => {
                let key = words.next();
                words.end(ErrorCode::INVALID_KEY)?;
                let head = words.marked();
                if Key::is_key(key) { Ok(Self::UserActivity { head }) } else { Err(ErrorCode::INVALID_KEY) }
            }
        }
    }

    /// Two settings could once be set without the word SET (skype-api 3.2).
    fn parse_old_form(verb: &str, text: &'a str) -> Result<Self, ErrorCode> {
        match Setting::parse(verb) {
            Some(Setting::Mute | Setting::UserStatus) => {
                let mut words = Words::new(text);
                words.mark();
                let what = Set::parse(&mut words)?;
                Ok(Self::Set { head: words.marked(), what })
            }
            _ => Err(ErrorCode::UNKNOWN_COMMAND),
        }
    }

    fn parse_alter(text: &'a str, words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let what = Alter::parse(words)?;
        // Three objects leave out which one was altered (skype-api 3.6 and 3.16).
        let left_out = matches!(what, Alter::Chat { .. } | Alter::ChatMember { .. } | Alter::FileTransfer { .. });
        let head = if left_out {
            let mut parts = Words::new(text);
            let object_ends = parts.next().len() + 1 + parts.next().len();
            parts.next();
            Head { front: &text[..object_ends], back: parts.next() }
        } else {
            Head { front: words.marked(), back: "" }
        };
        Ok(Self::Alter { head, what })
    }

    fn parse_chat(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let verb = words.required(ErrorCode::CHAT_NO_ACTION)?;
        match ChatVerb::parse(verb).ok_or(ErrorCode::CHAT_UNKNOWN_ACTION)? {
            ChatVerb::Create => Ok(Self::ChatCreate { users: Items(words.take_rest()) }),
            ChatVerb::FindUsingBlob => {
                let blob = words.required(ErrorCode::FIND_BLOB_FAILED)?;
                Ok(Self::ChatBlob { blob, create: false })
            }
            ChatVerb::CreateUsingBlob => {
                let blob = words.required(ErrorCode::CREATE_BLOB_FAILED)?;
                Ok(Self::ChatBlob { blob, create: true })
            }
        }
    }
}

impl<'a> Clear<'a> {
    fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let target = words.required(ErrorCode::CLEAR_NO_TARGET)?;
        match History::parse(target).ok_or(ErrorCode::CLEAR_UNKNOWN_TARGET)? {
            History::Chats => words.end(ErrorCode::CLEAR_CHATHISTORY_ARGUMENTS).map(|()| Self::Chats),
            History::Voicemails => words.end(ErrorCode::CLEAR_VOICEMAILHISTORY_ARGUMENTS).map(|()| Self::Voicemails),
            History::Calls => {
                let which = CallHistory::parse(words.next()).ok_or(ErrorCode::CLEAR_CALLHISTORY_NO_TARGET)?;
                let user = words.take_rest();
                Ok(Self::Calls { which, user })
            }
        }
    }
}

/// The text of a message.
fn body<'a>(words: &Words<'a>) -> Result<&'a str, ErrorCode> {
    Some(words.rest()).filter(|body| !body.is_empty()).ok_or(ErrorCode::EMPTY_MESSAGE)
}

#[cfg(test)]
mod tests;
