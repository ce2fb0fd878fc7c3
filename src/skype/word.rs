//! Words that stand for states (skype-api 4).

use crate::skype::table::words;

words! {
    /// `CONNSTATUS`: how the session stands to its network.
    ConnectionStatus {
        Offline = "OFFLINE",
        Connecting = "CONNECTING",
        /// Waiting to try again.
        Pausing = "PAUSING",
        Online = "ONLINE",
        LoggedOut = "LOGGEDOUT",
    }
}

words! {
    /// `USERSTATUS`, and `ONLINESTATUS` of a user.
    UserStatus {
        Unknown = "UNKNOWN",
        Online = "ONLINE",
        Offline = "OFFLINE",
        SkypeMe = "SKYPEME",
        Away = "AWAY",
        NotAvailable = "NA",
        DoNotDisturb = "DND",
        Invisible = "INVISIBLE",
        LoggedOut = "LOGGEDOUT",
    }
}

words! {
    /// `BUDDYSTATUS`: how a user stands to the contact list.
    BuddyStatus {
        /// Never been on it.
        Never = "0",
        /// Taken off it.
        Deleted = "1",
        /// Asked, not answered yet.
        Pending = "2",
        /// On it.
        Friend = "3",
    }
}

words! {
    /// `CHATMESSAGE n TYPE`.
    ChatMessageType {
        /// Text; `TEXT` at protocols 1 and 2.
        Said = "SAID",
        Emoted = "EMOTED",
        SetTopic = "SETTOPIC",
        AddedMembers = "ADDEDMEMBERS",
        SawMembers = "SAWMEMBERS",
        CreatedChatWith = "CREATEDCHATWITH",
        /// The sender left, or sending failed.
        Left = "LEFT",
        PostedContacts = "POSTEDCONTACTS",
        GapInChat = "GAP_IN_CHAT",
        SetRole = "SETROLE",
        Kicked = "KICKED",
        KickBanned = "KICKBANNED",
        SetOptions = "SETOPTIONS",
        SetPicture = "SETPICTURE",
        SetGuidelines = "SETGUIDELINES",
        JoinedAsApplicant = "JOINEDASAPPLICANT",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// `CHATMESSAGE n STATUS`.
    ChatMessageStatus {
        Sending = "SENDING",
        Sent = "SENT",
        Received = "RECEIVED",
        Read = "READ",
        /// Never to be sent; not in the reference for CHATMESSAGE, but what clients wait for
        /// (clients 5.4) and what the older MESSAGE had.
        Failed = "FAILED",
    }
}

words! {
    /// `CHATMESSAGE n LEAVEREASON`.
    LeaveReason {
        UserNotFound = "USER_NOT_FOUND",
        UserIncapable = "USER_INCAPABLE",
        AdderMustBeFriend = "ADDER_MUST_BE_FRIEND",
        AddedMustBeAuthorized = "ADDED_MUST_BE_AUTHORIZED",
        Unsubscribe = "UNSUBSCRIBE",
    }
}

words! {
    /// `CHAT c TYPE`.
    ChatType {
        Dialog = "DIALOG",
        MultiChat = "MULTICHAT",
    }
}

words! {
    /// `CHAT c STATUS`.
    ChatStatus {
        Dialog = "DIALOG",
        /// In the spelling that a client knows (skype-api 8).
        NeedAccept = "MULTI_NEED_ACCEPT",
        Subscribed = "MULTI_SUBSCRIBED",
        Unsubscribed = "UNSUBSCRIBED",
    }
}

words! {
    /// `CHAT c MYSTATUS`.
    MyStatus {
        Connecting = "CONNECTING",
        WaitingRemoteAccept = "WAITING_REMOTE_ACCEPT",
        AcceptRequired = "ACCEPT_REQUIRED",
        PasswordRequired = "PASSWORD_REQUIRED",
        Subscribed = "SUBSCRIBED",
        Unsubscribed = "UNSUBSCRIBED",
        Disbanded = "CHAT_DISBANDED",
        Full = "QUEUED_BECAUSE_CHAT_IS_FULL",
        ApplicationDenied = "APPLICATION_DENIED",
        Kicked = "KICKED",
        Banned = "BANNED",
        RetryConnecting = "RETRY_CONNECTING",
    }
}

words! {
    /// `CHATMEMBER n ROLE`, `CHAT c MYROLE`; the highest first.
    Role {
        Creator = "CREATOR",
        Master = "MASTER",
        Helper = "HELPER",
        User = "USER",
        Listener = "LISTENER",
        Applicant = "APPLICANT",
    }
}

words! {
    /// `CALL n STATUS`.
    CallStatus {
        Unplaced = "UNPLACED",
        Routing = "ROUTING",
        EarlyMedia = "EARLYMEDIA",
        Ringing = "RINGING",
        InProgress = "INPROGRESS",
        /// At protocol 1, and what SET understands.
        OnHold = "ONHOLD",
        LocalHold = "LOCALHOLD",
        RemoteHold = "REMOTEHOLD",
        Finished = "FINISHED",
        Failed = "FAILED",
        Missed = "MISSED",
        Refused = "REFUSED",
        Busy = "BUSY",
        Cancelled = "CANCELLED",
        Transferring = "TRANSFERRING",
        Transferred = "TRANSFERRED",
        VoicemailBufferingGreeting = "VM_BUFFERING_GREETING",
        VoicemailPlayingGreeting = "VM_PLAYING_GREETING",
        VoicemailRecording = "VM_RECORDING",
        VoicemailUploading = "VM_UPLOADING",
        VoicemailSent = "VM_SENT",
        VoicemailCancelled = "VM_CANCELLED",
        VoicemailFailed = "VM_FAILED",
        WaitingRedialCommand = "WAITING_REDIAL_COMMAND",
        RedialPending = "REDIAL_PENDING",
    }
}

words! {
    /// `CALL n TYPE`.
    CallType {
        IncomingPstn = "INCOMING_PSTN",
        OutgoingPstn = "OUTGOING_PSTN",
        IncomingP2p = "INCOMING_P2P",
        OutgoingP2p = "OUTGOING_P2P",
    }
}

words! {
    /// `CALL n VIDEO_STATUS`.
    VideoStatus {
        None = "VIDEO_NONE",
        Send = "VIDEO_SEND_ENABLED",
        Receive = "VIDEO_RECV_ENABLED",
        Both = "VIDEO_BOTH_ENABLED",
    }
}

words! {
    /// `CALL n VIDEO_SEND_STATUS` and `VIDEO_RECEIVE_STATUS`.
    VideoStreamStatus {
        NotAvailable = "NOT_AVAILABLE",
        Available = "AVAILABLE",
        Starting = "STARTING",
        Rejected = "REJECTED",
        Running = "RUNNING",
        Stopping = "STOPPING",
        Paused = "PAUSED",
    }
}

words! {
    /// `VOICEMAIL n TYPE`.
    VoicemailType {
        Incoming = "INCOMING",
        Outgoing = "OUTGOING",
        DefaultGreeting = "DEFAULT_GREETING",
        CustomGreeting = "CUSTOM_GREETING",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// `VOICEMAIL n STATUS`.
    VoicemailStatus {
        NotDownloaded = "NOTDOWNLOADED",
        Downloading = "DOWNLOADING",
        Unplayed = "UNPLAYED",
        Buffering = "BUFFERING",
        Playing = "PLAYING",
        Played = "PLAYED",
        Blank = "BLANK",
        Recording = "RECORDING",
        Recorded = "RECORDED",
        Uploading = "UPLOADING",
        Uploaded = "UPLOADED",
        Deleting = "DELETING",
        Failed = "FAILED",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// `VOICEMAIL n FAILUREREASON`.
    VoicemailFailure {
        Unknown = "UNKNOWN",
        NoError = "NOERROR",
        Miscellaneous = "MISC_ERROR",
        Connect = "CONNECT_ERROR",
        NoPrivilege = "NO_VOICEMAIL_PRIVILEGE",
        NoSuchVoicemail = "NO_SUCH_VOICEMAIL",
        FileRead = "FILE_READ_ERROR",
        FileWrite = "FILE_WRITE_ERROR",
        Recording = "RECORDING_ERROR",
        Playback = "PLAYBACK_ERROR",
    }
}

words! {
    /// `SMS n TYPE`.
    SmsType {
        Incoming = "INCOMING",
        Outgoing = "OUTGOING",
        ConfirmationCodeRequest = "CONFIRMATION_CODE_REQUEST",
        ConfirmationCodeSubmit = "CONFIRMATION_CODE_SUBMIT",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// `SMS n STATUS`.
    SmsStatus {
        Composing = "COMPOSING",
        SendingToServer = "SENDING_TO_SERVER",
        SentToServer = "SENT_TO_SERVER",
        Delivered = "DELIVERED",
        SomeTargetsFailed = "SOME_TARGETS_FAILED",
        Failed = "FAILED",
        Received = "RECEIVED",
        Read = "READ",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// `SMS n FAILUREREASON`.
    SmsFailure {
        Miscellaneous = "MISC_ERROR",
        ServerConnectFailed = "SERVER_CONNECT_FAILED",
        NoSmsCapability = "NO_SMS_CAPABILITY",
        InsufficientFunds = "INSUFFICIENT_FUNDS",
        InvalidConfirmationCode = "INVALID_CONFIRMATION_CODE",
        UserBlocked = "USER_BLOCKED",
        IpBlocked = "IP_BLOCKED",
        NodeBlocked = "NODE_BLOCKED",
        NoSenderIdCapability = "NO_SENDERID_CAPABILITY",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// A status in `SMS n TARGET_STATUSES`.
    SmsTargetStatus {
        Undefined = "TARGET_UNDEFINED",
        Analyzing = "TARGET_ANALYZING",
        Acceptable = "TARGET_ACCEPTABLE",
        NotRoutable = "TARGET_NOT_ROUTABLE",
        DeliveryPending = "TARGET_DELIVERY_PENDING",
        DeliverySuccessful = "TARGET_DELIVERY_SUCCESSFUL",
        DeliveryFailed = "TARGET_DELIVERY_FAILED",
        Unknown = "UNKNOWN",
    }
}

words! {
    /// `GROUP n TYPE`; all but the last three always exist.
    GroupType {
        AllUsers = "ALL_USERS",
        AllFriends = "ALL_FRIENDS",
        SkypeFriends = "SKYPE_FRIENDS",
        SkypeOutFriends = "SKYPEOUT_FRIENDS",
        OnlineFriends = "ONLINE_FRIENDS",
        UnknownOrPendingAuthFriends = "UNKNOWN_OR_PENDINGAUTH_FRIENDS",
        RecentlyContactedUsers = "RECENTLY_CONTACTED_USERS",
        UsersWaitingMyAuthorization = "USERS_WAITING_MY_AUTHORIZATION",
        UsersAuthorizedByMe = "USERS_AUTHORIZED_BY_ME",
        UsersBlockedByMe = "USERS_BLOCKED_BY_ME",
        UngroupedFriends = "UNGROUPED_FRIENDS",
        Custom = "CUSTOM_GROUP",
        Shared = "SHARED_GROUP",
        ProposedShared = "PROPOSED_SHARED_GROUP",
    }
}

words! {
    /// `FILETRANSFER n TYPE`.
    FileTransferType {
        Incoming = "INCOMING",
        Outgoing = "OUTGOING",
    }
}

words! {
    /// `FILETRANSFER n STATUS`.
    FileTransferStatus {
        New = "NEW",
        Connecting = "CONNECTING",
        WaitingForAccept = "WAITING_FOR_ACCEPT",
        Transferring = "TRANSFERRING",
        TransferringOverRelay = "TRANSFERRING_OVER_RELAY",
        Paused = "PAUSED",
        RemotelyPaused = "REMOTELY_PAUSED",
        Cancelled = "CANCELLED",
        Completed = "COMPLETED",
        Failed = "FAILED",
    }
}

words! {
    /// `FILETRANSFER n FAILUREREASON`.
    FileTransferFailure {
        Unknown = "UNKNOWN",
        SenderNotAuthorized = "SENDER_NOT_AUTHORIZED",
        RemotelyCancelled = "REMOTELY_CANCELLED",
        FailedRead = "FAILED_READ",
        FailedRemoteRead = "FAILED_REMOTE_READ",
        FailedWrite = "FAILED_WRITE",
        FailedRemoteWrite = "FAILED_REMOTE_WRITE",
        RemoteDoesNotSupport = "REMOTE_DOES_NOT_SUPPORT_FT",
        /// In the spelling that most know (skype-api 8).
        RemoteOfflineTooLong = "REMOTE_OFFLINE_FOR_TOO_LONG",
    }
}

words! {
    /// `WINDOWSTATE`.
    WindowState {
        Normal = "NORMAL",
        Minimized = "MINIMIZED",
        Maximized = "MAXIMIZED",
        Hidden = "HIDDEN",
    }
}

words! {
    /// `USER u SEX`.
    Sex {
        Unknown = "UNKNOWN",
        Male = "MALE",
        Female = "FEMALE",
    }
}

words! {
    /// Where a MENU_ITEM stands.
    MenuContext {
        Chat = "CHAT",
        Call = "CALL",
        Myself = "MYSELF",
        Contact = "CONTACT",
        Tools = "TOOLS",
    }
}

words! {
    /// `PRIVILEGE x`.
    Privilege {
        SkypeOut = "SKYPEOUT",
        SkypeIn = "SKYPEIN",
        Voicemail = "VOICEMAIL",
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_read_in_any_case_and_written_in_one() {
        assert_eq!(UserStatus::parse("dNd"), Some(UserStatus::DoNotDisturb));
        assert_eq!(UserStatus::DoNotDisturb.word(), "DND");
        assert_eq!(UserStatus::parse("LUNCH"), None);
    }
}
