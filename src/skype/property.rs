//! The properties of every object (skype-api 4).

use crate::skype::table::PropertyRow;
use crate::skype::table::properties;
use crate::skype::table::words;

properties! {
    /// Properties of a USER (skype-api 4.1).
    UserProperty {
        Handle "HANDLE" 1 R,
        FullName "FULLNAME" 1 R,
        DisplayName "DISPLAYNAME" 5 RW,
        Birthday "BIRTHDAY" 1 R,
        Sex "SEX" 1 R,
        Language "LANGUAGE" 1 R,
        Country "COUNTRY" 1 R,
        Province "PROVINCE" 1 R,
        City "CITY" 1 R,
        PhoneHome "PHONE_HOME" 1 R,
        PhoneOffice "PHONE_OFFICE" 1 R,
        PhoneMobile "PHONE_MOBILE" 1 R,
        Homepage "HOMEPAGE" 1 R,
        About "ABOUT" 1 R,
        HasCallEquipment "HASCALLEQUIPMENT" 1 R,
        IsVideoCapable "IS_VIDEO_CAPABLE" 5 R,
        IsVoicemailCapable "IS_VOICEMAIL_CAPABLE" 5 R,
        BuddyStatus "BUDDYSTATUS" 1 RW,
        IsAuthorized "ISAUTHORIZED" 1 RW,
        IsBlocked "ISBLOCKED" 1 RW,
        OnlineStatus "ONLINESTATUS" 1 R,
        LastOnlineTimestamp "LASTONLINETIMESTAMP" 1 R,
        CanLeaveVoicemail "CAN_LEAVE_VM" 5 R,
        SpeedDial "SPEEDDIAL" 5 RW,
        ReceivedAuthRequest "RECEIVEDAUTHREQUEST" 4 R,
        MoodText "MOOD_TEXT" 5 R,
        RichMoodText "RICH_MOOD_TEXT" 7 R,
        Aliases "ALIASES" 5 R,
        Timezone "TIMEZONE" 5 R,
        IsCallForwardActive "IS_CF_ACTIVE" 5 R,
        NumberOfAuthedBuddies "NROF_AUTHED_BUDDIES" 5 R,
        Avatar "AVATAR" 7 R,
    }
}

properties! {
    /// Properties of the own PROFILE (skype-api 4.2).
    ProfileProperty {
        PstnBalance "PSTN_BALANCE" 3 R,
        PstnBalanceCurrency "PSTN_BALANCE_CURRENCY" 3 R,
        FullName "FULLNAME" 1 RW,
        Birthday "BIRTHDAY" 1 RW,
        Sex "SEX" 1 RW,
        Languages "LANGUAGES" 1 RW,
        Country "COUNTRY" 1 RW,
        IpCountry "IPCOUNTRY" 1 R,
        Province "PROVINCE" 1 RW,
        City "CITY" 1 RW,
        PhoneHome "PHONE_HOME" 1 RW,
        PhoneOffice "PHONE_OFFICE" 1 RW,
        PhoneMobile "PHONE_MOBILE" 1 RW,
        Homepage "HOMEPAGE" 1 RW,
        About "ABOUT" 1 RW,
        MoodText "MOOD_TEXT" 5 RW,
        RichMoodText "RICH_MOOD_TEXT" 7 RW,
        Timezone "TIMEZONE" 5 RW,
        CallApplyForwarding "CALL_APPLY_CF" 5 RW,
        CallNoAnswerTimeout "CALL_NOANSWER_TIMEOUT" 5 RW,
        CallForwardRules "CALL_FORWARD_RULES" 5 RW,
        CallNoAnswerAction "CALL_NOANSWER_ACTION" 1 RW,
        CallSendToVoicemail "CALL_SEND_TO_VM" 5 RW,
        SmsValidatedNumbers "SMS_VALIDATED_NUMBERS" 6 R,
        IsVideoCapable "IS_VIDEO_CAPABLE" 5 R,
    }
}

properties! {
    /// Properties of a CHAT (skype-api 4.5; ALERTSTRING is in clients 3.3).
    ChatProperty {
        Name "NAME" 3 R,
        Timestamp "TIMESTAMP" 3 R,
        Adder "ADDER" 3 R,
        Status "STATUS" 3 R,
        Posters "POSTERS" 3 R,
        Members "MEMBERS" 3 R,
        ActiveMembers "ACTIVEMEMBERS" 3 R,
        Topic "TOPIC" 3 R,
        TopicXml "TOPICXML" 7 R,
        ChatMessages "CHATMESSAGES" 3 R,
        RecentChatMessages "RECENTCHATMESSAGES" 5 R,
        FriendlyName "FRIENDLYNAME" 3 R,
        Bookmarked "BOOKMARKED" 6 R,
        MemberObjects "MEMBEROBJECTS" 7 R,
        PasswordHint "PASSWORDHINT" 7 R,
        Guidelines "GUIDELINES" 7 R,
        Options "OPTIONS" 7 R,
        Description "DESCRIPTION" 7 RW,
        DialogPartner "DIALOG_PARTNER" 7 R,
        ActivityTimestamp "ACTIVITY_TIMESTAMP" 7 R,
        Type "TYPE" 7 R,
        MyStatus "MYSTATUS" 7 R,
        MyRole "MYROLE" 7 R,
        Blob "BLOB" 7 R,
        Applicants "APPLICANTS" 7 R,
        AlertString "ALERTSTRING" 7 R,
        Opened "OPENED" 8 N,
        Closed "CLOSED" 8 N,
    }
}

properties! {
    /// Properties of a CHATMEMBER (skype-api 4.6).
    ChatMemberProperty {
        ChatName "CHATNAME" 7 R,
        Identity "IDENTITY" 7 R,
        Role "ROLE" 7 R,
        IsActive "IS_ACTIVE" 7 R,
    }
}

properties! {
    /// Properties of a CHATMESSAGE (skype-api 4.7) and of the older MESSAGE (4.4); either is asked
    /// for in the words of the other too.
    ChatMessageProperty {
        Timestamp "TIMESTAMP" 1 R,
        FromHandle "FROM_HANDLE" 3 R,
        FromDisplayName "FROM_DISPNAME" 3 R,
        PartnerHandle "PARTNER_HANDLE" 1 R,
        PartnerDisplayName "PARTNER_DISPNAME" 1 R,
        ConferenceId "CONF_ID" 1 R,
        Type "TYPE" 1 R,
        Status "STATUS" 1 R,
        FailureReason "FAILUREREASON" 1 R,
        LeaveReason "LEAVEREASON" 3 R,
        ChatName "CHATNAME" 3 R,
        Users "USERS" 3 R,
        IsEditable "IS_EDITABLE" 7 R,
        EditedBy "EDITED_BY" 7 R,
        EditedTimestamp "EDITED_TIMESTAMP" 7 R,
        Options "OPTIONS" 7 R,
        Role "ROLE" 7 R,
        Body "BODY" 1 RW,
        Seen "SEEN" 1 W,
        Guid "GUID" 8 R,
        FileTransfers "FILETRANSFERS" 3 R,
    }
}

properties! {
    /// Properties of a CALL (skype-api 4.3).
    CallProperty {
        Timestamp "TIMESTAMP" 1 R,
        PartnerHandle "PARTNER_HANDLE" 1 R,
        PartnerDisplayName "PARTNER_DISPNAME" 1 R,
        TargetIdentity "TARGET_IDENTITY" 7 R,
        ConferenceId "CONF_ID" 1 R,
        Type "TYPE" 1 R,
        Status "STATUS" 1 RW,
        VideoStatus "VIDEO_STATUS" 5 R,
        VideoSendStatus "VIDEO_SEND_STATUS" 5 R,
        VideoReceiveStatus "VIDEO_RECEIVE_STATUS" 5 R,
        FailureReason "FAILUREREASON" 1 R,
        Subject "SUBJECT" 1 R,
        PstnNumber "PSTN_NUMBER" 1 R,
        Duration "DURATION" 1 R,
        PstnStatus "PSTN_STATUS" 1 R,
        ConferenceParticipantsCount "CONF_PARTICIPANTS_COUNT" 1 R,
        ConferenceParticipant "CONF_PARTICIPANT" 1 R,
        VoicemailDuration "VM_DURATION" 5 R,
        VoicemailAllowedDuration "VM_ALLOWED_DURATION" 5 R,
        Rate "RATE" 6 R,
        RateCurrency "RATE_CURRENCY" 6 R,
        RatePrecision "RATE_PRECISION" 6 R,
        Input "INPUT" 6 R,
        Output "OUTPUT" 6 R,
        CaptureMic "CAPTURE_MIC" 6 R,
        VaaInputStatus "VAA_INPUT_STATUS" 6 R,
        ForwardedBy "FORWARDED_BY" 6 R,
        TransferActive "TRANSFER_ACTIVE" 7 R,
        TransferStatus "TRANSFER_STATUS" 7 R,
        TransferredBy "TRANSFERRED_BY" 7 R,
        TransferredTo "TRANSFERRED_TO" 7 R,
        CanTransfer "CAN_TRANSFER" 7 R,
        Seen "SEEN" 1 RW,
        Dtmf "DTMF" 1 W,
        JoinConference "JOIN_CONFERENCE" 1 W,
    }
}

properties! {
    /// Properties of a VOICEMAIL (skype-api 4.8).
    VoicemailProperty {
        Type "TYPE" 5 R,
        PartnerHandle "PARTNER_HANDLE" 5 R,
        PartnerDisplayName "PARTNER_DISPNAME" 5 R,
        Status "STATUS" 5 R,
        FailureReason "FAILUREREASON" 5 R,
        Timestamp "TIMESTAMP" 5 R,
        Duration "DURATION" 5 R,
        AllowedDuration "ALLOWED_DURATION" 5 R,
        Input "INPUT" 6 R,
        Output "OUTPUT" 6 R,
        CaptureMic "CAPTURE_MIC" 6 R,
    }
}

properties! {
    /// Properties of an SMS (skype-api 4.9).
    SmsProperty {
        Body "BODY" 6 RW,
        Type "TYPE" 6 R,
        Status "STATUS" 6 R,
        FailureReason "FAILUREREASON" 6 R,
        IsFailedUnseen "IS_FAILED_UNSEEN" 6 R,
        Timestamp "TIMESTAMP" 6 R,
        Price "PRICE" 6 R,
        PricePrecision "PRICE_PRECISION" 6 R,
        PriceCurrency "PRICE_CURRENCY" 6 R,
        ReplyToNumber "REPLY_TO_NUMBER" 6 RW,
        TargetNumbers "TARGET_NUMBERS" 6 RW,
        TargetStatuses "TARGET_STATUSES" 6 R,
        Chunking "CHUNKING" 6 R,
        Chunk "CHUNK" 6 R,
        Seen "SEEN" 6 W,
    }
}

properties! {
    /// Properties of an APPLICATION (skype-api 4.10).
    ApplicationProperty {
        Connectable "CONNECTABLE" 5 R,
        Connecting "CONNECTING" 5 R,
        Streams "STREAMS" 5 R,
        Sending "SENDING" 5 R,
        Received "RECEIVED" 5 R,
        Datagram "DATAGRAM" 5 N,
    }
}

properties! {
    /// Properties of a GROUP (skype-api 4.11).
    GroupProperty {
        Type "TYPE" 5 R,
        CustomGroupId "CUSTOM_GROUP_ID" 5 R,
        DisplayName "DISPLAYNAME" 5 RW,
        NumberOfUsers "NROFUSERS" 5 R,
        NumberOfUsersOnline "NROFUSERS_ONLINE" 5 R,
        Users "USERS" 5 R,
        Visible "VISIBLE" 5 R,
        Expanded "EXPANDED" 5 R,
    }
}

properties! {
    /// Properties of a FILETRANSFER (skype-api 4.12; the last one is of the proxies, 3.16).
    FileTransferProperty {
        Type "TYPE" 1 R,
        Status "STATUS" 1 R,
        FailureReason "FAILUREREASON" 1 R,
        PartnerHandle "PARTNER_HANDLE" 1 R,
        PartnerDisplayName "PARTNER_DISPNAME" 1 R,
        StartTime "STARTTIME" 1 R,
        FinishTime "FINISHTIME" 1 R,
        FilePath "FILEPATH" 1 R,
        FileName "FILENAME" 1 R,
        FileSize "FILESIZE" 1 R,
        BytesPerSecond "BYTESPERSECOND" 1 R,
        BytesTransferred "BYTESTRANSFERRED" 1 R,
        ChatMessage "CHATMESSAGE" 1 R,
    }
}

properties! {
    /// Properties of a MENU_ITEM (skype-api 3.14).
    MenuItemProperty {
        Caption "CAPTION" 6 W,
        Hint "HINT" 6 W,
        Enabled "ENABLED" 6 W,
        Clicked "CLICKED" 6 N,
    }
}

/// Every property of every object, for the table of coverage.
#[must_use]
pub fn property_rows() -> Vec<PropertyRow> {
    macro_rules! rows {
        ($($object:literal $table:ident,)*) => {{
            let mut rows = Vec::new();
            $(rows.extend($table::ALL.iter().map(|property| PropertyRow {
                object: $object,
                name: property.word(),
                since: property.since(),
                access: property.access(),
            }));)*
            rows
        }};
    }
    rows! {
        "USER" UserProperty,
        "PROFILE" ProfileProperty,
        "CALL" CallProperty,
        "CHAT" ChatProperty,
        "CHATMEMBER" ChatMemberProperty,
        "CHATMESSAGE" ChatMessageProperty,
        "VOICEMAIL" VoicemailProperty,
        "SMS" SmsProperty,
        "APPLICATION" ApplicationProperty,
        "GROUP" GroupProperty,
        "FILETRANSFER" FileTransferProperty,
        "MENU_ITEM" MenuItemProperty,
    }
}
