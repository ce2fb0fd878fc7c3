//! What users and chats are called, and how big things may be.

use crate::imo::PROTO;

use super::members::ChatId;

/// Longest user name, in bytes.
const NAME_LIMIT: usize = 128;
/// Longest body of a message, in bytes.
pub(crate) const BODY_LIMIT: usize = 65_536;
/// Longest mood text, alias, greeting or topic, in bytes.
pub(crate) const TEXT_LIMIT: usize = 4_096;
/// Longest password, in bytes: Argon2 would take more, an attacker's time should not.
pub(crate) const PASSWORD_LIMIT: usize = 1_024;
/// Contacts that one account may have.
pub(crate) const CONTACT_LIMIT: u64 = 10_000;
/// Messages that wait for an account that is away; beyond it senders are refused.
pub(crate) const STORED_LIMIT: u64 = 100_000;
/// How long it is known which messages were taken, in seconds.
pub(crate) const SENT_LIFETIME: u64 = 30 * 24 * 3_600;
/// Chats that one account may be in.
pub(crate) const CHAT_LIMIT: u64 = 250;
/// Members that a chat may have.
pub(crate) const MEMBER_LIMIT: usize = 250;
/// Longest name of a chat, in bytes.
pub(crate) const CHAT_NAME_LIMIT: usize = 256;
/// Calls that one account may have at a time.
pub(crate) const CALL_LIMIT: usize = 10;
/// Biggest picture of a user, in bytes.
pub(crate) const PICTURE_LIMIT: usize = 256 << 10;
/// The built-in contact that answers every message with the same text.
pub(crate) const ECHO: &str = "echo123";

/// Whether `name` can be registered.
///
/// # Errors
///
/// What is wrong with it, for people.
pub(crate) fn check_name(name: &str) -> Result<(), String> {
    let good = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-');
    if name.is_empty() || name.len() > NAME_LIMIT || !name.bytes().all(good) {
        return Err(format!(
            "{:?} cannot be a user name; it takes 1 to {NAME_LIMIT} letters (a-z), digits and . _ -",
            name.chars().take(NAME_LIMIT).collect::<String>()
        ));
    }
    Ok(())
}

/// Whether `password` can be set.
///
/// # Errors
///
/// What is wrong with it, for people.
pub(crate) fn check_password(password: &str) -> Result<(), String> {
    if password.is_empty() || password.len() > PASSWORD_LIMIT {
        return Err(format!("a password takes 1 to {PASSWORD_LIMIT} bytes"));
    }
    Ok(())
}

/// The `gid` of a chat: with the `epoch` of the database, because others count from 1, too.
pub(crate) fn gid(epoch: &str, chat: ChatId) -> String {
    format!("g{chat}-{epoch}")
}

/// The chat behind a `gid` of this database.
pub(crate) fn chat_of_gid(epoch: &str, gid: &str) -> Option<ChatId> {
    let (number, rest) = gid.strip_prefix('g')?.split_once('-')?;
    let chat = number.parse().ok()?;
    // Only as we write it: no leading zeros, no sign.
    (rest == epoch && self::gid(epoch, chat) == gid).then_some(chat)
}

/// The `buid` of a chat (imo-protocol 6.2).
pub(crate) fn chat_buid(gid: &str) -> String {
    format!("{gid};")
}

/// The `buid` of a member of a chat (imo-protocol 6.2).
pub(crate) fn member_buid(gid: &str, name: &str) -> String {
    format!("{gid};{name};{PROTO}")
}

/// The `gid` and the name in the `buid` of a member.
pub(crate) fn split_member(buid: &str) -> Option<(&str, &str)> {
    let mut parts = buid.split(';');
    let (gid, name, proto) = (parts.next()?, parts.next()?, parts.next()?);
    (parts.next().is_none() && proto.eq_ignore_ascii_case(PROTO)).then_some((gid, name))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_names_of_chats_are_read_as_they_are_written() {
        for chat in [0, 1, 17, ChatId::MAX] {
            assert_eq!(chat_of_gid("e5", &gid("e5", chat)), Some(chat));
        }
        for other in ["", "g", "g1", "1-e5", "g1-e6", "g01-e5", "g+1-e5", "g1-e5;", "G1-e5", "g-e5", "g1-e5-e5"] {
            assert_eq!(chat_of_gid("e5", other), None, "{other}");
        }
        assert_eq!(split_member(&member_buid("g1-e5", "bob")), Some(("g1-e5", "bob")));
        assert_eq!(split_member("g1;bob;PRPL-SKYPE"), Some(("g1", "bob")));
        for other in ["", "bob", "g1;", "g1;bob", "g1;bob;", "g1;bob;prpl-jabber", "g1;bob;prpl-skype;"] {
            assert_eq!(split_member(other), None, "{other}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_read_or_refused(
            text in ".*",
            chat in 0..=ChatId::MAX,
            epoch in "[0-9a-f]{12}",
            name in "[A-Za-z0-9._-]{1,9}",
        ) {
            let _ = (chat_of_gid(&epoch, &text), split_member(&text));
            let gid = gid(&epoch, chat);
            prop_assert_eq!(chat_of_gid(&epoch, &gid), Some(chat));
            let member = member_buid(&gid, &name);
            prop_assert_eq!(split_member(&member), Some((gid.as_str(), name.as_str())));
        }
    }

    #[test]
    fn names() {
        let longest = "x".repeat(128);
        for good in ["a", "alice", "A.b_c-9", ECHO, &longest] {
            assert_eq!(check_name(good), Ok(()), "{good}");
        }
        let too_long = "x".repeat(129);
        for bad in ["", "a b", "a;b", "g1;", "zoë", "a\0", "%s%n", "a/b", &too_long] {
            assert!(check_name(bad).is_err(), "{bad}");
        }
    }

    #[test]
    fn passwords() {
        assert!(check_password("").is_err());
        assert!(check_password("pässword with blanks").is_ok());
        assert!(check_password(&"x".repeat(PASSWORD_LIMIT + 1)).is_err());
    }
}
