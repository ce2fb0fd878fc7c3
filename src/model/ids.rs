//! Identifiers: types, so that the client's world and the network's cannot be mixed up.

use std::borrow::Cow;
use std::fmt;
use std::sync::Arc;

use serde::Deserialize;
use serde::Serialize;

/// A user as clients write and read it: one token without blanks, commas, colons or slashes.
///
/// The spelling is the network's; two handles that differ only in ASCII case name the same user.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(from = "String", into = "String")]
pub struct Handle(Arc<str>);

impl Handle {
    /// Takes a handle that a back end has made.
    pub fn new(text: impl Into<Arc<str>>) -> Self {
        Self(text.into())
    }

    /// The canonical spelling.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// The key under which a handle is looked up: ASCII lower case.
    #[must_use]
    pub fn fold(text: &str) -> Cow<'_, str> {
        if text.bytes().any(|byte| byte.is_ascii_uppercase()) {
            Cow::Owned(text.to_ascii_lowercase())
        } else {
            Cow::Borrowed(text)
        }
    }
}

impl From<String> for Handle {
    fn from(text: String) -> Self {
        Self::new(text)
    }
}

impl From<Handle> for String {
    fn from(handle: Handle) -> Self {
        handle.0.as_ref().to_owned()
    }
}

impl PartialEq for Handle {
    fn eq(&self, other: &Self) -> bool {
        self.0.eq_ignore_ascii_case(&other.0)
    }
}

impl Eq for Handle {}

impl fmt::Display for Handle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The number behind `CHATMESSAGE <id>`, `CHATMEMBER <id>` and every other numbered object:
/// one counter for all of them, never reused within an account's history (skype-api 1.7).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(transparent)]
pub struct ObjectId(pub u32);

impl fmt::Display for ObjectId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

/// Defines an id of the network: opaque to everyone but the back end that made it.
macro_rules! opaque {
    ($(#[$doc:meta])* $name:ident) => {
        $(#[$doc])*
        #[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
        #[serde(from = "String", into = "String")]
        pub struct $name(Arc<str>);

        impl From<String> for $name {
            fn from(text: String) -> Self {
                Self::new(text)
            }
        }

        impl From<$name> for String {
            fn from(id: $name) -> Self {
                id.0.as_ref().to_owned()
            }
        }

        impl $name {
            /// Takes an id that a back end has made.
            pub fn new(text: impl Into<Arc<str>>) -> Self {
                Self(text.into())
            }

            /// The id, for the back end that made it and for the store.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }
    };
}

opaque! {
    /// The network's own id of a message, a call, a file: opaque to everyone but the back end that made it.
    RemoteId
}

opaque! {
    /// The network's own id of a conversation (a room, a group): opaque like [`RemoteId`].
    ConversationId
}
