//! What clients of a connection point may do, by the names that they say.

/// What a client may do: a set.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grants(u8);

impl Grants {
    /// Nothing: the client is refused.
    pub const NONE: Self = Self(0);
    /// To be there: the protocol, the state of the account and of the connection, windows and menus.
    pub const ATTACH: Self = Self(1);
    /// To ask for anything, to hear of it, and to say what was seen.
    pub const READ: Self = Self(2);
    /// To write messages, and to change chats.
    pub const SEND: Self = Self(4);
    /// To change contacts and groups, and what others see of the account.
    pub const CONTACTS: Self = Self(8);
    /// To have files sent, received, read and written.
    pub const FILES: Self = Self(16);
    /// To call, and to change calls.
    pub const CALLS: Self = Self(32);
    /// Everything.
    pub const ALL: Self = Self(63);

    /// The words for what can be granted.
    pub const WORDS: [(&str, Self); 5] = [
        ("read", Self::READ),
        ("send", Self::SEND),
        ("contacts", Self::CONTACTS),
        ("files", Self::FILES),
        ("calls", Self::CALLS),
    ];

    /// What a word stands for.
    #[must_use]
    pub fn named(word: &str) -> Option<Self> {
        Self::WORDS.iter().find(|(known, _)| *known == word).map(|(_, grants)| *grants)
    }

    /// Both.
    #[must_use]
    pub const fn and(self, other: Self) -> Self {
        Self(self.0 | other.0)
    }

    /// Whether all of `other` is in it.
    #[must_use]
    pub const fn has(self, other: Self) -> bool {
        self.0 & other.0 == other.0
    }
}

/// Who may do what. A name is what a client says of itself: this keeps apart programs that mean well.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Admission {
    /// Names, compared letter for letter, and what those who say them may do. The empty name stands for those who say none.
    pub known: Vec<(String, Grants)>,
    /// What all others may do.
    pub others: Grants,
}

impl Default for Admission {
    fn default() -> Self {
        Self { known: Vec::new(), others: Grants::ALL }
    }
}

impl Admission {
    /// What a client of this name may do.
    #[must_use]
    pub fn of(&self, name: &str) -> Grants {
        self.known.iter().find(|(known, _)| known == name).map_or(self.others, |(_, grants)| *grants)
    }
}
