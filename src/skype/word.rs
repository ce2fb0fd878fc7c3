//! Words that stand for states (skype-api 4).

/// Defines an enum whose variants are words of the language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[$variant_doc])* #[doc = concat!("`", $word, "`")] $variant,)*
        }

        impl $name {
            /// Every word.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The word, as it is written.
            #[must_use]
            pub fn word(self) -> &'static str {
                match self {
                    $(Self::$variant => $word,)*
                }
            }

            /// Reads the word in any case of letters.
            #[must_use]
            pub fn parse(word: &str) -> Option<Self> {
                Self::ALL.iter().copied().find(|known| known.word().eq_ignore_ascii_case(word))
            }
        }
    };
}

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
        CreatedChatWith = "CREATEDCHATWITH",
        /// The sender left, or sending failed.
        Left = "LEFT",
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
        AddedMustBeAuthorized = "ADDED_MUST_BE_AUTHORIZED",
        Unsubscribe = "UNSUBSCRIBE",
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
