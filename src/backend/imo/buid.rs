//! What a `buid` names (imo-protocol 6.2).

use crate::imo;

/// A user, a chat or somebody in a chat, as the network calls them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Buid<'a> {
    /// `bob`.
    User(&'a str),
    /// `g123;`: the `gid` is all before the last semicolon.
    Chat(&'a str),
    /// `g123;bob;prpl-skype`.
    Member { gid: &'a str, name: &'a str },
}

impl<'a> Buid<'a> {
    /// Reads a `buid`.
    pub(super) fn read(buid: &'a str) -> Self {
        let Some((front, last)) = buid.rsplit_once(';') else { return Self::User(buid) };
        if !last.eq_ignore_ascii_case(imo::PROTO) {
            return if last.is_empty() { Self::Chat(front) } else { Self::User(buid) };
        }
        match front.split_once(';') {
            Some((gid, name)) if !name.is_empty() => Self::Member { gid, name },
            _ => Self::Chat(front),
        }
    }

    /// The name of a message's author: the second part of a member, or the whole.
    pub(super) fn name(author: &'a str) -> &'a str {
        match Self::read(author) {
            Self::Member { name, .. } => name,
            Self::Chat(_) => author,
            Self::User(whole) => whole.split_once(';').map_or(whole, |(_, name)| name),
        }
    }
}

/// The `buid` of a chat.
pub(super) fn chat(gid: &str) -> String {
    format!("{gid};")
}

/// The `buid` of somebody in a chat.
pub(super) fn member(gid: &str, name: &str) -> String {
    format!("{gid};{name};{}", imo::PROTO)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_buid_names_a_user_a_chat_or_a_member() {
        let table = [
            ("bob", Buid::User("bob")),
            ("", Buid::User("")),
            ("a;b", Buid::User("a;b")),
            ("g123;", Buid::Chat("g123")),
            ("g1;2;", Buid::Chat("g1;2")),
            (";", Buid::Chat("")),
            ("g123;bob;prpl-skype", Buid::Member { gid: "g123", name: "bob" }),
            ("g123;bob;PRPL-Skype", Buid::Member { gid: "g123", name: "bob" }),
            ("g123;b;b;prpl-skype", Buid::Member { gid: "g123", name: "b;b" }),
            ("g123;prpl-skype", Buid::Chat("g123")),
            ("g123;;prpl-skype", Buid::Chat("g123;")),
        ];
        for (text, wanted) in table {
            assert_eq!(Buid::read(text), wanted, "{text}");
        }
        assert_eq!(Buid::read(&chat("g1")), Buid::Chat("g1"));
        assert_eq!(Buid::read(&member("g1", "b b")), Buid::Member { gid: "g1", name: "b b" });
    }

    #[test]
    fn an_author_is_a_member_or_a_user() {
        for (author, name) in [("g123;bob;prpl-skype", "bob"), ("bob", "bob"), ("g123;bob", "bob"), ("g123;", "g123;")]
        {
            assert_eq!(Buid::name(author), name);
        }
    }
}
