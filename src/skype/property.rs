//! The properties of every object (skype-api 4), one row each: name, first protocol version that is
//! told of changes. Every property can be asked for at every version (skype-api 8).

use crate::skype::Protocol;

/// Defines the properties of one object.
macro_rules! properties {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $since:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            /// Every property of the object.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The name, as it is written.
            #[must_use]
            pub fn name(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// The first version that is told when the property changes.
            #[must_use]
            pub fn since(self) -> Protocol {
                match self {
                    $(Self::$variant => Protocol::new($since),)*
                }
            }

            /// Reads the name in any case of letters.
            #[must_use]
            pub fn parse(name: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.name().eq_ignore_ascii_case(name))
            }
        }
    };
}

properties! {
    /// Properties of a USER (skype-api 4.1).
    UserProperty {
        Handle "HANDLE" 1,
        FullName "FULLNAME" 1,
        DisplayName "DISPLAYNAME" 5,
        Birthday "BIRTHDAY" 1,
        Sex "SEX" 1,
        Language "LANGUAGE" 1,
        Country "COUNTRY" 1,
        Province "PROVINCE" 1,
        City "CITY" 1,
        PhoneHome "PHONE_HOME" 1,
        PhoneOffice "PHONE_OFFICE" 1,
        PhoneMobile "PHONE_MOBILE" 1,
        Homepage "HOMEPAGE" 1,
        About "ABOUT" 1,
        HasCallEquipment "HASCALLEQUIPMENT" 1,
        IsVideoCapable "IS_VIDEO_CAPABLE" 5,
        IsVoicemailCapable "IS_VOICEMAIL_CAPABLE" 5,
        BuddyStatus "BUDDYSTATUS" 1,
        IsAuthorized "ISAUTHORIZED" 1,
        IsBlocked "ISBLOCKED" 1,
        OnlineStatus "ONLINESTATUS" 1,
        LastOnlineTimestamp "LASTONLINETIMESTAMP" 1,
        CanLeaveVoicemail "CAN_LEAVE_VM" 5,
        SpeedDial "SPEEDDIAL" 5,
        ReceivedAuthRequest "RECEIVEDAUTHREQUEST" 4,
        MoodText "MOOD_TEXT" 5,
        RichMoodText "RICH_MOOD_TEXT" 7,
        Aliases "ALIASES" 5,
        Timezone "TIMEZONE" 5,
        IsCallForwardActive "IS_CF_ACTIVE" 5,
        NumberOfAuthedBuddies "NROF_AUTHED_BUDDIES" 5,
    }
}

properties! {
    /// Properties of the own PROFILE (skype-api 4.2).
    ProfileProperty {
        FullName "FULLNAME" 1,
        MoodText "MOOD_TEXT" 5,
    }
}

properties! {
    /// Properties of a CHAT (skype-api 4.5).
    ChatProperty {
        Name "NAME" 3,
        Timestamp "TIMESTAMP" 3,
        Adder "ADDER" 3,
        Status "STATUS" 3,
        Posters "POSTERS" 3,
        Members "MEMBERS" 3,
        ActiveMembers "ACTIVEMEMBERS" 3,
        Topic "TOPIC" 3,
        TopicXml "TOPICXML" 7,
        ChatMessages "CHATMESSAGES" 3,
        RecentChatMessages "RECENTCHATMESSAGES" 5,
        FriendlyName "FRIENDLYNAME" 3,
        Bookmarked "BOOKMARKED" 6,
        MemberObjects "MEMBEROBJECTS" 7,
        PasswordHint "PASSWORDHINT" 7,
        Guidelines "GUIDELINES" 7,
        Options "OPTIONS" 7,
        Description "DESCRIPTION" 7,
        DialogPartner "DIALOG_PARTNER" 7,
        ActivityTimestamp "ACTIVITY_TIMESTAMP" 7,
        Type "TYPE" 7,
        MyStatus "MYSTATUS" 7,
        MyRole "MYROLE" 7,
        Blob "BLOB" 7,
        Applicants "APPLICANTS" 7,
    }
}

properties! {
    /// Properties of a CHATMEMBER (skype-api 4.6).
    ChatMemberProperty {
        ChatName "CHATNAME" 7,
        Identity "IDENTITY" 7,
        Role "ROLE" 7,
        IsActive "IS_ACTIVE" 7,
    }
}

properties! {
    /// Properties of a CHATMESSAGE (skype-api 4.7) and of the older MESSAGE (4.4); either is asked
    /// for in the words of the other too.
    ChatMessageProperty {
        Timestamp "TIMESTAMP" 1,
        FromHandle "FROM_HANDLE" 3,
        FromDisplayName "FROM_DISPNAME" 3,
        PartnerHandle "PARTNER_HANDLE" 1,
        PartnerDisplayName "PARTNER_DISPNAME" 1,
        ConferenceId "CONF_ID" 1,
        Type "TYPE" 1,
        Status "STATUS" 1,
        FailureReason "FAILUREREASON" 1,
        LeaveReason "LEAVEREASON" 3,
        ChatName "CHATNAME" 3,
        Users "USERS" 3,
        IsEditable "IS_EDITABLE" 7,
        EditedBy "EDITED_BY" 7,
        EditedTimestamp "EDITED_TIMESTAMP" 7,
        Options "OPTIONS" 7,
        Role "ROLE" 7,
        Body "BODY" 1,
    }
}
