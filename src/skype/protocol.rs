//! Protocol versions 1 to 8 (skype-api 2), and what each of them shows.

/// The version of the Skype API that a client has asked for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Protocol(u8);

impl Protocol {
    /// The highest version there is.
    pub const HIGHEST: Self = Self(8);
    /// What a client over a wire is served until it asks for another.
    pub const REMOTE_DEFAULT: Self = Self(3);
    /// The first version with CHAT and CHATMESSAGE objects in place of MESSAGE.
    pub const CHAT_MESSAGES: Self = Self(3);
    /// The first version that shows the codes of countries and languages.
    pub const REGION_CODES: Self = Self(4);
    /// The first version where a request to become a contact is a property of the user.
    pub const AUTH_REQUESTS: Self = Self(4);
    /// The first version that says who holds a call, and that the caller gave up.
    pub const HOLDS: Self = Self(2);
    /// The first version in which calls are handed on.
    pub const CALL_TRANSFERS: Self = Self(7);
    /// The first version.
    pub const LOWEST: Self = Self(1);

    /// The version for a request of `version`: the highest if it is more than that, `None` for 0
    /// and for what is no number.
    #[must_use]
    pub fn negotiate(version: &str) -> Option<Self> {
        if version.is_empty() || !version.bytes().all(|byte| byte.is_ascii_digit()) {
            return None;
        }
        // A number with more digits than fit is certainly higher than the highest.
        let version = version.parse::<u64>().unwrap_or(u64::MAX);
        (version > 0).then(|| Self(u8::try_from(version).unwrap_or(u8::MAX).min(Self::HIGHEST.0)))
    }

    /// The number.
    #[must_use]
    pub fn number(self) -> u8 {
        self.0
    }

    /// The version `number`; for tables.
    #[must_use]
    pub(super) const fn new(number: u8) -> Self {
        Self(number)
    }

    /// Whether messages are CHATMESSAGE objects, as they are from version 3 on.
    #[must_use]
    pub fn has_chat_messages(self) -> bool {
        self >= Self::CHAT_MESSAGES
    }
}

#[cfg(test)]
mod tests {
    use super::Protocol;

    #[test]
    fn the_lower_of_the_two_wins() {
        let asked =
            [("1", Some(1)), ("8", Some(8)), ("9", Some(8)), ("9999", Some(8)), ("99999999999999999999999", Some(8))];
        let refused = [("0", None), ("", None), ("-1", None), ("+3", None), ("seven", None), ("7x", None)];
        for (version, expected) in asked.into_iter().chain(refused) {
            assert_eq!(Protocol::negotiate(version).map(Protocol::number), expected, "{version}");
        }
    }
}
