//! Who may come in where clients give a user name and a password.

use std::time::Duration;

use secrecy::ExposeSecret;
use secrecy::SecretString;
use subtle::ConstantTimeEq;

/// How long the answer to a wrong password takes; it keeps the connection from guessing faster.
pub(in crate::transport) const WRONG_PASSWORD_PAUSE: Duration = Duration::from_secs(1);

/// The account is the user; where no key is set, any password will do.
#[derive(Clone)]
pub(in crate::transport) struct Door {
    account: String,
    key: Option<SecretString>,
}

impl Door {
    pub(in crate::transport) fn new(account: &str, key: Option<&SecretString>) -> Self {
        Self { account: account.to_ascii_lowercase(), key: key.cloned() }
    }

    /// Whether this user comes in with this password.
    pub(in crate::transport) fn opens(&self, user: &str, password: &str) -> bool {
        let user = user.to_ascii_lowercase().as_bytes().ct_eq(self.account.as_bytes());
        let key = self.key.as_ref().map_or(1.into(), |key| key.expose_secret().as_bytes().ct_eq(password.as_bytes()));
        (user & key).into()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_user_is_the_account_and_the_password_the_key() {
        let key = SecretString::from("a key");
        let (locked, open) = (Door::new("Alice", Some(&key)), Door::new("Alice", None));
        for (user, password, with_key, without) in [
            ("alice", "a key", true, true),
            ("ALICE", "a key", true, true),
            ("alice", "a Key", false, true),
            ("alice", "a key ", false, true),
            ("alice", "", false, true),
            ("bob", "a key", false, false),
            ("", "a key", false, false),
        ] {
            assert_eq!(locked.opens(user, password), with_key, "{user} {password}");
            assert_eq!(open.opens(user, password), without, "{user} {password}");
        }
    }
}
