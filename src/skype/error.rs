//! What a client reads when a command is refused: `ERROR n text` (skype-api 6).

use std::fmt;

/// The number in `ERROR n text`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorCode(u16);

/// Defines a name for some rows of the table.
macro_rules! named {
    ($($name:ident = $number:literal,)*) => {
        #[allow(missing_docs, reason = "the text of the table is the documentation")]
        impl ErrorCode {
            $(pub const $name: Self = Self($number);)*
        }

        #[cfg(test)]
        const NAMED: &[ErrorCode] = &[$(ErrorCode::$name,)*];
    };
}

named! {
    GENERAL_SYNTAX_ERROR = 1,
    UNKNOWN_COMMAND = 2,
    SEARCH_UNKNOWN_WHAT = 3,
    SEARCH_EMPTY_TARGET = 4,
    SEARCH_CALLS_TARGET = 5,
    SEARCH_MISSEDCALLS_TARGET = 6,
    GET_INVALID_WHAT = 7,
    GET_USER_INVALID_HANDLE = 8,
    GET_USER_INVALID_PROPERTY = 10,
    GET_CALL_INVALID_ID = 11,
    GET_CALL_UNKNOWN = 12,
    GET_CALL_INVALID_PROPERTY = 13,
    GET_MESSAGE_INVALID_ID = 14,
    GET_MESSAGE_UNKNOWN = 15,
    GET_MESSAGE_INVALID_PROPERTY = 16,
    SET_INVALID_WHAT = 18,
    SET_CALL_INVALID_ID = 19,
    SET_CALL_INVALID_PROPERTY = 21,
    CALL_CANNOT_HOLD = 22,
    CALL_CANNOT_RESUME = 23,
    CALL_CANNOT_HANGUP = 24,
    SET_CALL_UNKNOWN_STATUS = 25,
    INVALID_HANDLE = 26,
    INVALID_VERSION = 27,
    UNKNOWN_USERSTATUS = 28,
    SEARCH_TARGET_NOT_ALLOWED = 29,
    SET_MESSAGE_INVALID_ID = 30,
    SET_MESSAGE_UNKNOWN = 31,
    SET_MESSAGE_INVALID_WHAT = 32,
    SET_MUTE_INVALID = 33,
    CALL_INVALID_HANDLE = 34,
    CALL_NOT_CONNECTED = 35,
    CALL_NOT_ONLINE = 36,
    MESSAGE_NOT_ONLINE = 38,
    USER_BLOCKED = 39,
    UNKNOWN_PRIVILEGE = 40,
    CALL_NOT_ACTIVE = 41,
    INVALID_DTMF = 42,
    EMPTY_MESSAGE = 43,
    CANNOT_SET_DEVICE = 50,
    SET_INVALID_VALUE = 53,
    SEARCH_FRIENDS_TARGET = 67,
    ACCESS_DENIED = 68,
    OPEN_INVALID_WHAT = 69,
    OPEN_INVALID_HANDLE = 70,
    CALL_INVALID_PARTICIPANT = 71,
    CANNOT_CREATE_CONFERENCE = 72,
    TOO_MANY_PARTICIPANTS = 73,
    INVALID_KEY = 74,
    CALL_UNRECOGNISED_NUMBER = 92,
    CALL_INVALID_NAME = 93,
    CALL_OWN_ACCOUNT = 94,
    CALL_BLOCKED_BY_US = 95,
    CALL_OTHER_OUTGOING = 96,
    CALL_ALREADY = 101,
    CHAT_INVALID_NAME = 105,
    CHAT_INVALID_PROPERTY = 106,
    SEARCH_CHATS_TARGET = 107,
    USER_NOT_CONTACT = 108,
    NO_SUCH_DIRECTORY = 109,
    NO_VOICEMAIL = 110,
    FILE_NOT_FOUND = 111,
    TOO_MANY_TARGETS = 112,
    INVALID_AVATAR = 114,
    INVALID_RINGTONE = 115,
    AVATAR_INVALID_ID = 116,
    AVATAR_NO_PATH = 121,
    AVATAR_CANNOT_LOAD = 122,
    AVATAR_NOT_EMPTY = 124,
    ALTER_CHAT_INVALID_NAME = 500,
    CHAT_NOT_FOUND = 501,
    CHAT_NO_ACTION = 502,
    CHAT_UNKNOWN_ACTION = 503,
    CHAT_ACTION_FAILED = 504,
    CHAT_LEAVE_ARGUMENTS = 505,
    CHAT_ADDMEMBERS_HANDLES = 506,
    CHAT_CREATE_INVALID_HANDLE = 507,
    CHAT_CREATE_FAILED = 508,
    CHATMESSAGE_NO_CHAT = 509,
    CHATMESSAGE_UNKNOWN_CHAT = 510,
    CHATMESSAGE_FAILED = 511,
    VOICEMAIL_INVALID_ID = 512,
    VOICEMAIL_INVALID_OBJECT = 513,
    VOICEMAIL_NO_PROPERTY = 514,
    SET_SPEEDDIAL_FAILED = 515,
    SET_AUTHORIZED_INVALID_VALUE = 516,
    SET_AUTHORIZED_FAILED = 517,
    SET_BUDDYSTATUS_INVALID = 518,
    SET_BUDDYSTATUS_FAILED = 519,
    CLEAR_NO_TARGET = 520,
    CLEAR_UNKNOWN_TARGET = 521,
    CLEAR_CHATHISTORY_ARGUMENTS = 522,
    CLEAR_VOICEMAILHISTORY_ARGUMENTS = 523,
    CLEAR_CALLHISTORY_NO_TARGET = 524,
    CLEAR_CALLHISTORY_HANDLE = 525,
    ALTER_NO_TYPE = 526,
    ALTER_UNKNOWN_TYPE = 527,
    ALTER_VOICEMAIL_NO_ID = 528,
    ALTER_VOICEMAIL_INVALID_ID = 529,
    ALTER_VOICEMAIL_NO_ACTION = 530,
    ALTER_VOICEMAIL_FAILED = 531,
    ALTER_VOICEMAIL_UNKNOWN_ACTION = 532,
    SEARCH_GREETING_HANDLE = 534,
    SEARCH_GREETING_FAILED = 535,
    CREATE_NO_TYPE = 536,
    CREATE_UNKNOWN_TYPE = 537,
    DELETE_NO_TYPE = 538,
    DELETE_UNKNOWN_TYPE = 539,
    CREATE_APPLICATION_NAME = 540,
    APPLICATION_FAILED = 541,
    DELETE_APPLICATION_NAME = 542,
    GET_APPLICATION_NAME = 543,
    GET_APPLICATION_PROPERTY = 544,
    ALTER_APPLICATION_NAME = 545,
    ALTER_APPLICATION_ACTION = 546,
    APPLICATION_CONNECT_HANDLE = 547,
    APPLICATION_DISCONNECT_STREAM = 548,
    APPLICATION_WRITE_STREAM = 549,
    APPLICATION_READ_STREAM = 550,
    APPLICATION_DATAGRAM_STREAM = 551,
    SET_PROFILE_INVALID = 552,
    SET_PROFILE_NO_VOICEMAIL = 553,
    ALTER_CALL_NO_ID = 555,
    ALTER_CALL_INVALID_ID = 556,
    ALTER_CALL_NO_ACTION = 557,
    ALTER_CALL_ARGUMENTS = 558,
    ALTER_CALL_FAILED = 559,
    ALTER_CALL_UNKNOWN_ACTION = 560,
    SEARCH_GROUPS_TARGET = 561,
    GROUP_INVALID_ID = 562,
    GROUP_INVALID_OBJECT = 563,
    GROUP_INVALID_PROPERTY = 564,
    GET_AEC_TARGET = 569,
    SET_AEC_INVALID = 570,
    GET_AGC_TARGET = 571,
    SET_AGC_INVALID = 572,
    INVALID_ROLE = 609,
    FIND_BLOB_FAILED = 610,
    CREATE_BLOB_FAILED = 611,
    CHAT_DISABLED = 615,
    INTERNAL_ERROR = 9901,
}

/// Every number that has a text, in order.
const TEXTS: &[(u16, &str)] = &[
    (1, "General syntax error"),
    (2, "Unknown command"),
    (3, "SEARCH: unknown WHAT"),
    (4, "Empty target not allowed"),
    (5, "SEARCH CALLS: invalid target"),
    (6, "SEARCH MISSEDCALLS: target not allowed"),
    (7, "GET: invalid WHAT"),
    (8, "Invalid user handle"),
    (9, "Unknown user"),
    (10, "Invalid PROP"),
    (11, "Invalid call id"),
    (12, "Unknown call"),
    (13, "Invalid PROP"),
    (14, "Invalid message id"),
    (15, "Unknown message"),
    (16, "Invalid PROP"),
    (18, "SET: invalid WHAT"),
    (19, "Invalid call id"),
    (20, "Unknown call"),
    (21, "Unknown/disallowed call prop"),
    (22, "Cannot hold this call at the moment"),
    (23, "Cannot resume this call at the moment"),
    (24, "Cannot hangup inactive call"),
    (25, "Unknown WHAT"),
    (26, "Invalid user handle"),
    (27, "Invalid version number"),
    (28, "Unknown userstatus"),
    (29, "SEARCH what: target not allowed"),
    (30, "Invalid message id"),
    (31, "Unknown message id"),
    (32, "Invalid WHAT"),
    (33, "invalid parameter"),
    (34, "invalid user handle"),
    (35, "Not connected"),
    (36, "Not online"),
    (37, "Not connected"),
    (38, "Not online"),
    (39, "user blocked"),
    (40, "Unknown privilege"),
    (41, "Call not active"),
    (42, "Invalid DTMF code"),
    (43, "cannot send empty message"),
    (50, "cannot set device"),
    (51, "invalid parameter"),
    (52, "invalid parameter"),
    (53, "invalid value"),
    (66, "Not connected"),
    (67, "Target not allowed with SEARCH FRIENDS"),
    (68, "Access denied"),
    (69, "Invalid open what"),
    (70, "Invalid handle"),
    (71, "Invalid conference participant NO"),
    (72, "Cannot create conference"),
    (73, "too many participants"),
    (74, "Invalid key"),
    (91, "call error"),
    (92, "CALL: Unrecognised identity"),
    (93, "call error"),
    (94, "call error"),
    (95, "Internal error"),
    (96, "Internal error"),
    (97, "Internal error"),
    (98, "Internal error"),
    (99, "Internal error"),
    (100, "Internal error"),
    (101, "Internal error"),
    (103, "Cannot hold"),
    (104, "Cannot resume"),
    (105, "Invalid chat name"),
    (106, "Invalid PROP"),
    (107, "Target not allowed with CHATS"),
    (108, "User not contact"),
    (109, "directory doesn't exist"),
    (110, "No voicemail capability"),
    (111, "SET File not found"),
    (112, "Too many targets"),
    (113, "Close: invalid WHAT"),
    (114, "Invalid avatar"),
    (115, "Invalid ringtone"),
    (116, "GET invalid ID"),
    (121, "GET File path doesn't exist"),
    (122, "GET Unable to load avatar"),
    (124, "GET Destination file is not empty"),
    (500, "CHAT: Invalid chat name given"),
    (501, "CHAT: No chat found for given chat"),
    (502, "CHAT: No action name given"),
    (503, "CHAT: Invalid or unknown action"),
    (504, "CHAT: action failed"),
    (505, "CHAT: LEAVE does not take arguments"),
    (506, "CHAT: ADDMEMBERS: invalid/missing user handle(s) as arguments"),
    (507, "CHAT: CREATE: invalid/missing user handle(s) as argument"),
    (508, "CHAT: CREATE: opening a dialog to the given user failed"),
    (509, "No chat name given"),
    (510, "Invalid/unknown chat name given"),
    (511, "Sending a message to chat fails"),
    (512, "Invalid voicemail id"),
    (513, "Invalid voicemail object"),
    (514, "No voicemail property given"),
    (515, "Assigning speeddial property failed"),
    (516, "Invalid value given to ISAUTHORIZED/ISBLOCKED"),
    (517, "Changing ISAUTHORIZED/ISBLOCKED failed"),
    (518, "Invalid status given for BUDDYSTATUS"),
    (519, "Updating BUDDYSTATUS failed"),
    (520, "CLEAR needs a target"),
    (521, "Invalid/unknown CLEAR target"),
    (522, "CLEAR CHATHISTORY takes no arguments"),
    (523, "CLEAR VOICEMAILHISTORY takes no arguments"),
    (524, "CLEAR CALLHISTORY: missing target argument"),
    (525, "CLEAR CALLHISTORY: invalid handle argument"),
    (526, "ALTER: no object type given"),
    (527, "ALTER: unknown object type given"),
    (528, "VOICEMAIL: No proper voicemail ID given"),
    (529, "VOICEMAIL: Invalid voicemail ID given"),
    (530, "VOICEMAIL: No action given"),
    (531, "VOICEMAIL: Action failed"),
    (532, "VOICEMAIL: Unknown action"),
    (534, "SEARCH GREETING: invalid handle"),
    (535, "SEARCH GREETING: unable to get greeting"),
    (536, "CREATE: no object type given"),
    (537, "CREATE: Unknown object type given"),
    (538, "DELETE: no object type given"),
    (539, "DELETE: unknown object type given"),
    (540, "CREATE APPLICATION: missing or invalid name"),
    (541, "APPLICATION: operation failed"),
    (542, "DELETE APPLICATION: missing or invalid application name"),
    (543, "GET APPLICATION: missing or invalid application name"),
    (544, "GET APPLICATION: missing or invalid property name"),
    (545, "ALTER APPLICATION: missing or invalid action"),
    (546, "ALTER APPLICATION: missing or invalid action"),
    (547, "ALTER APPLICATION CONNECT: Invalid user handle"),
    (548, "ALTER APPLICATION DISCONNECT: Invalid stream identifier"),
    (549, "ALTER APPLICATION WRITE: Missing or invalid stream identifier"),
    (550, "ALTER APPLICATION READ: Missing or invalid stream identifier"),
    (551, "ALTER APPLICATION DATAGRAM: Missing or invalid stream identifier"),
    (552, "SET PROFILE: invalid property profile given"),
    (553, "SET PROFILE CALL_SEND_TO_VM: no voicemail privilege, can't forward to voicemail"),
    (555, "CALL: No proper call ID given"),
    (556, "CALL: Invalid call ID given"),
    (557, "CALL: No action given"),
    (558, "CALL: Missing or invalid arguments"),
    (559, "CALL: Action failed"),
    (560, "CALL: Unknown action"),
    (561, "SEARCH GROUPS: invalid target"),
    (562, "SEARCH GROUPS: Invalid group id"),
    (563, "SEARCH GROUPS: Invalid group object"),
    (564, "SEARCH GROUPS: Invalid group property given"),
    (569, "GET AEC: target not allowed"),
    (570, "SET AEC: invalid value"),
    (571, "GET AGC: target not allowed"),
    (572, "SET AGC: invalid value"),
    (609, "CHATMEMBER: ALTER SETROLE/CANSETROLETO: Invalid role specified"),
    (610, "CHAT: FINDUSINGBLOB: No existing chat for given blob found or invalid blob"),
    (611, "CHAT: CREATEUSINGBLOB: Unable to create chat, invalid blob"),
    (615, "CHAT: chat with given contact is disabled"),
    (9901, "Internal error"),
];

impl ErrorCode {
    /// The error of this number, if there is one.
    #[must_use]
    pub fn by_number(number: u16) -> Option<Self> {
        TEXTS.binary_search_by_key(&number, |(number, _)| *number).ok().map(|row| Self(TEXTS[row].0))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u16 {
        self.0
    }

    /// The text that people read.
    #[must_use]
    pub fn text(self) -> &'static str {
        TEXTS.binary_search_by_key(&self.0, |(number, _)| *number).map_or("", |row| TEXTS[row].1)
    }
}

impl fmt::Display for ErrorCode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ERROR {}", self.0)?;
        // One number stands alone: clients compare the whole line (clients 2, rule 5).
        if *self == Self::ACCESS_DENIED { Ok(()) } else { write!(f, " {}", self.text()) }
    }
}

/// The reply to a command that is refused, with the command's own id.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorReply<'a> {
    /// The id of the command, without its `#`.
    pub id: Option<&'a str>,
    /// Why it is refused.
    pub code: ErrorCode,
}

impl fmt::Display for ErrorReply<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(id) = self.id {
            write!(f, "#{id} ")?;
        }
        self.code.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_table_is_sorted_and_every_name_has_a_text() {
        assert!(TEXTS.windows(2).all(|pair| pair[0].0 < pair[1].0));
        for code in NAMED {
            assert!(!code.text().is_empty(), "{code:?}");
        }
    }

    #[test]
    fn it_reads_as_skype_wrote_it() {
        assert_eq!(
            ErrorReply { id: Some("7"), code: ErrorCode::GET_INVALID_WHAT }.to_string(),
            "#7 ERROR 7 GET: invalid WHAT"
        );
        assert_eq!(ErrorReply { id: None, code: ErrorCode::UNKNOWN_COMMAND }.to_string(), "ERROR 2 Unknown command");
    }
}
