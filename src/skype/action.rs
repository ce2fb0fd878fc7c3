//! What can be done to an object with ALTER, and where a window can be opened (skype-api 3): one
//! row each.

use crate::skype::table::words;

words! {
    /// `ALTER CHAT <chat> …` (skype-api 3.6)
    ChatAction {
        SetTopic = "SETTOPIC",
        SetTopicXml = "SETTOPICXML",
        AddMembers = "ADDMEMBERS",
        Leave = "LEAVE",
        Bookmark = "BOOKMARK",
        Unbookmark = "UNBOOKMARK",
        Join = "JOIN",
        ClearRecentMessages = "CLEARRECENTMESSAGES",
        SetAlertString = "SETALERTSTRING",
        AcceptAdd = "ACCEPTADD",
        Disband = "DISBAND",
        SetPassword = "SETPASSWORD",
        EnterPassword = "ENTERPASSWORD",
        SetOptions = "SETOPTIONS",
        Kick = "KICK",
        KickBan = "KICKBAN",
        SetGuidelines = "SETGUIDELINES",
        SetDescription = "SETDESCRIPTION",
    }
}

words! {
    /// `ALTER CHATMEMBER <n> …` (skype-api 3.6)
    MemberAction {
        SetRoleTo = "SETROLETO",
        CanSetRoleTo = "CANSETROLETO",
    }
}

words! {
    /// `ALTER CALL <n> …` (skype-api 3.7)
    CallAction {
        Answer = "ANSWER",
        Hold = "HOLD",
        Resume = "RESUME",
        Hangup = "HANGUP",
        /// `END HANGUP`, `END REDIRECT_TO_VOICEMAIL`, `END FORWARD_CALL`
        End = "END",
        Dtmf = "DTMF",
        JoinConference = "JOIN_CONFERENCE",
        Transfer = "TRANSFER",
        StartVideoSend = "START_VIDEO_SEND",
        StopVideoSend = "STOP_VIDEO_SEND",
        StartVideoReceive = "START_VIDEO_RECEIVE",
        StopVideoReceive = "STOP_VIDEO_RECEIVE",
        SetInput = "SET_INPUT",
        SetOutput = "SET_OUTPUT",
        SetCaptureMic = "SET_CAPTURE_MIC",
    }
}

words! {
    /// What follows `ALTER CALL <n> END`.
    CallEnd {
        Hangup = "HANGUP",
        RedirectToVoicemail = "REDIRECT_TO_VOICEMAIL",
        ForwardCall = "FORWARD_CALL",
    }
}

words! {
    /// `ALTER VOICEMAIL <n> …` (skype-api 3.8)
    VoicemailAction {
        StartPlayback = "STARTPLAYBACK",
        StopPlayback = "STOPPLAYBACK",
        StartPlaybackInCall = "STARTPLAYBACKINCALL",
        Upload = "UPLOAD",
        Download = "DOWNLOAD",
        StartRecording = "STARTRECORDING",
        StopRecording = "STOPRECORDING",
        Delete = "DELETE",
        SetUnplayed = "SETUNPLAYED",
        SetInput = "SET_INPUT",
        SetOutput = "SET_OUTPUT",
        SetCaptureMic = "SET_CAPTURE_MIC",
    }
}

words! {
    /// `ALTER APPLICATION <name> …` (skype-api 3.10)
    ApplicationAction {
        Connect = "CONNECT",
        Disconnect = "DISCONNECT",
        Write = "WRITE",
        Read = "READ",
        Datagram = "DATAGRAM",
    }
}

words! {
    /// `ALTER GROUP <n> …` (skype-api 3.11)
    GroupAction {
        AddUser = "ADDUSER",
        RemoveUser = "REMOVEUSER",
        Share = "SHARE",
        Accept = "ACCEPT",
        Decline = "DECLINE",
    }
}

words! {
    /// `ALTER FILETRANSFER <n> …` (skype-api 3.16)
    FileTransferAction {
        Accept = "ACCEPT",
        Cancel = "CANCEL",
    }
}

words! {
    /// `OPEN …` (skype-api 3.13)
    Window {
        AddAFriend = "ADDAFRIEND",
        Authorization = "AUTHORIZATION",
        BlockedUsers = "BLOCKEDUSERS",
        CallHistory = "CALLHISTORY",
        Chat = "CHAT",
        Conference = "CONFERENCE",
        Contacts = "CONTACTS",
        Dialpad = "DIALPAD",
        FileTransfer = "FILETRANSFER",
        GettingStarted = "GETTINGSTARTED",
        Im = "IM",
        ImportContacts = "IMPORTCONTACTS",
        LiveTab = "LIVETAB",
        Options = "OPTIONS",
        Profile = "PROFILE",
        Search = "SEARCH",
        SendContacts = "SENDCONTACTS",
        Sms = "SMS",
        UserInfo = "USERINFO",
        VideoTest = "VIDEOTEST",
        Voicemail = "VOICEMAIL",
    }
}

words! {
    /// `CLEAR CALLHISTORY …` (skype-api 3.15)
    CallHistory {
        All = "ALL",
        Missed = "MISSED",
        Incoming = "INCOMING",
        Outgoing = "OUTGOING",
    }
}

words! {
    /// `SEARCH GROUPS …` (skype-api 3.5)
    GroupSelection {
        All = "ALL",
        Custom = "CUSTOM",
        Hardwired = "HARDWIRED",
    }
}

words! {
    /// Keys of `BTN_PRESSED` and `BTN_RELEASED` (skype-api 3.13).
    Key {
        Up = "UP",
        Down = "DOWN",
        Yes = "YES",
        No = "NO",
        PageUp = "PAGEUP",
        PageDown = "PAGEDOWN",
        Skype = "SKYPE",
    }
}

impl Key {
    /// Whether `word` is a key: one of these words, or one letter, digit or sign of a phone.
    pub(super) fn is_key(word: &str) -> bool {
        let sign = matches!(word.as_bytes(), [sign] if sign.is_ascii_alphanumeric() || b"*#+".contains(sign));
        sign || Self::parse(word).is_some()
    }
}
