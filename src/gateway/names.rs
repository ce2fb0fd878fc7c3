//! What users may be called, and how big things may be.

/// Longest user name, in bytes.
const NAME_LIMIT: usize = 128;
/// Longest body of a message, in bytes.
pub(crate) const BODY_LIMIT: usize = 65_536;
/// Longest mood text, alias or greeting, in bytes.
pub(crate) const TEXT_LIMIT: usize = 4_096;
/// Longest password, in bytes: Argon2 would take more, an attacker's time should not.
pub(crate) const PASSWORD_LIMIT: usize = 1_024;
/// Contacts that one account may have.
pub(crate) const CONTACT_LIMIT: u64 = 10_000;
/// Messages that wait for an account that is away; beyond it senders are refused.
pub(crate) const STORED_LIMIT: u64 = 100_000;
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

#[cfg(test)]
mod tests {
    use super::*;

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
