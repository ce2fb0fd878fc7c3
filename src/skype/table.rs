//! The shapes of the tables: words, actions and properties, one row each.

use crate::skype::Protocol;

/// Defines an enum whose variants are words of the language.
macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)* }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
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

        impl serde::Serialize for $name {
            fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(self.word())
            }
        }

        impl<'de> serde::Deserialize<'de> for $name {
            fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                // No word has anything to be escaped.
                let word = <&str>::deserialize(deserializer)?;
                Self::parse(word).ok_or_else(|| serde::de::Error::custom(format!("unknown word {word:?}")))
            }
        }
    };
}

/// Defines the properties of one object: name, first protocol version that is told of changes,
/// what clients may do with it. Every property can be asked for at every version (skype-api 8).
macro_rules! properties {
    ($(#[$doc:meta])* $name:ident { $($variant:ident $word:literal $since:literal $access:ident,)* }) => {
        words! { $(#[$doc])* $name { $($variant = $word,)* } }

        impl $name {
            /// The first version that is told when the property changes.
            #[must_use]
            pub fn since(self) -> $crate::skype::Protocol {
                match self {
                    $(Self::$variant => $crate::skype::Protocol::new($since),)*
                }
            }

            /// What clients may do with it.
            #[must_use]
            pub fn access(self) -> $crate::skype::Access {
                match self {
                    $(Self::$variant => $crate::skype::table::$access,)*
                }
            }
        }
    };
}

pub(super) use properties;
pub(super) use words;

/// What clients may do with a property (the column A of skype-api 4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// GET answers it.
    pub read: bool,
    /// SET changes it.
    pub write: bool,
}

/// Read only.
pub(super) const R: Access = Access { read: true, write: false };
/// Read and write.
pub(super) const RW: Access = Access { read: true, write: true };
/// Write only.
pub(super) const W: Access = Access { read: false, write: true };
/// Told, and not asked for.
pub(super) const N: Access = Access { read: false, write: false };

/// A row of the coverage: a property of an object.
#[derive(Clone, Copy, Debug)]
pub struct PropertyRow {
    /// The object, `CHAT` for one.
    pub object: &'static str,
    /// The name of the property.
    pub name: &'static str,
    /// The first version that is told of changes.
    pub since: Protocol,
    /// What clients may do with it.
    pub access: Access,
}
