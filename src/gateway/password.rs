//! Argon2id, as PHC strings.

use argon2::Argon2;
use argon2::PasswordHasher;
use argon2::PasswordVerifier;
use argon2::password_hash::phc::PasswordHash;

/// The hash of `password` under a fresh salt; `None` when the machine has no random numbers.
pub(crate) fn hash(password: &str) -> Option<String> {
    let hash: Result<PasswordHash, _> = Argon2::default().hash_password(password.as_bytes());
    hash.inspect_err(|error| tracing::error!(%error, "password hash")).ok().map(|hash| hash.to_string())
}

/// Whether `hash` is that of `password`; compared in constant time.
pub(crate) fn matches(password: &str, hash: &str) -> bool {
    match PasswordHash::new(hash) {
        Ok(hash) => Argon2::default().verify_password(password.as_bytes(), &hash).is_ok(),
        Err(error) => {
            tracing::error!(%error, "password hash");
            false
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hash_fits_its_password_only() {
        let known = hash("secret").expect("hash");
        assert!(known.starts_with("$argon2id$"), "{known}");
        assert!(matches("secret", &known) && !matches("Secret", &known) && !matches("secret", "nonsense"));
        assert_ne!(hash("secret"), Some(known), "salted");
    }
}
