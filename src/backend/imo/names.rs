//! How imo user names become handles: one token that no client splits or reads as something else.

use std::fmt::Write;

use crate::backend::Names;
use crate::model::Handle;

/// The longest name that is believed or that a client may type, in bytes.
pub(super) const MAX_NAME: usize = 1024;

/// The names of the imo network.
///
/// A handle is the name itself as far as it consists of ASCII letters and digits, `.`, `_`, `+`,
/// `-` and letters beyond ASCII. Every other byte is written `_xHH`, and an underscore that would
/// read as such an escape is written `_x5f`.
#[derive(Clone, Copy, Debug, Default)]
pub struct ImoNames;

impl ImoNames {
    /// The handle of the user whom the network calls `uid`.
    #[must_use]
    pub fn handle(uid: &str) -> Handle {
        if !uid.contains(|letter| letter == '_' || !is_plain(letter)) {
            return Handle::new(uid);
        }
        let mut text = String::with_capacity(uid.len() + 8);
        for (at, letter) in uid.char_indices() {
            let escaped = match letter {
                '_' => read_escape(&uid[at..]).is_some(),
                _ => !is_plain(letter),
            };
            if escaped {
                for byte in letter.encode_utf8(&mut [0; 4]).bytes() {
                    let _ = write!(text, "_x{byte:02x}");
                }
            } else {
                text.push(letter);
            }
        }
        Handle::new(text)
    }

    /// What the network calls the user behind `handle`; the inverse of [`handle`](Self::handle).
    #[must_use]
    pub fn uid(handle: &Handle) -> String {
        // Only a handle that this back end did not make can fail to be a name.
        decode(handle.as_str()).unwrap_or_else(|| handle.as_str().to_owned())
    }
}

impl Names for ImoNames {
    fn parse(&self, typed: &str) -> Option<Handle> {
        let fits = (1..=MAX_NAME).contains(&typed.len()) && typed.chars().all(is_plain);
        // Through the name, so that a needless escape does not make a second handle of one user.
        fits.then(|| decode(typed)).flatten().map(|uid| Self::handle(&uid))
    }
}

fn is_plain(letter: char) -> bool {
    letter.is_ascii_alphanumeric() || "._+-".contains(letter) || (!letter.is_ascii() && letter.is_alphabetic())
}

/// The byte of the escape at the head of `text`. In any case of letters: clients may change it.
fn read_escape(text: &str) -> Option<u8> {
    let digits = text.as_bytes().get(..4)?;
    let escape = digits[0] == b'_' && digits[1].eq_ignore_ascii_case(&b'x');
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    escape.then(|| Some(digit(digits[2])? << 4 | digit(digits[3])?)).flatten()
}

fn decode(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('_') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        rest = &rest[at..];
        let length = match read_escape(rest) {
            Some(byte) => {
                bytes.push(byte);
                4
            }
            None => {
                bytes.push(b'_');
                1
            }
        };
        rest = &rest[length..];
    }
    bytes.extend_from_slice(rest.as_bytes());
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn handles_are_tokens() {
        let table = [
            ("bob", "bob"),
            ("Bob.B+1-2_3", "Bob.B+1-2_3"),
            ("b b", "b_x20b"),
            ("g1;bob,c:d/e$f#g=h%i@j", "g1_x3bbob_x2cc_x3ad_x2fe_x24f_x23g_x3dh_x25i_x40j"),
            ("_x20", "_x5fx20"),
            ("_X2F", "_x5fX2F"),
            ("__x20", "__x5fx20"),
            ("_x2", "_x2"),
            ("_xé", "_xé"),
            ("müller", "müller"),
            ("a\u{1f600}\u{7f}", "a_xf0_x9f_x98_x80_x7f"),
        ];
        for (uid, handle) in table {
            assert_eq!(ImoNames::handle(uid).as_str(), handle);
            assert_eq!(ImoNames::uid(&Handle::new(handle)), uid);
        }
    }

    #[test]
    fn typed_names_are_checked() {
        let long = "a".repeat(MAX_NAME + 1);
        for typed in ["", "a b", "a,b", "bob;", "a:b", "\0", "_xff", "100%", &long] {
            assert!(ImoNames.parse(typed).is_none(), "{typed}");
        }
        for (typed, handle) in [("bob", "bob"), ("_x41nn", "Ann"), ("a_X20b", "a_x20b"), ("_", "_")] {
            assert_eq!(ImoNames.parse(typed).expect(typed).as_str(), handle);
        }
    }

    proptest! {
        #[test]
        fn handle_and_uid_are_inverse(uid in "([a-fA-F0-9_xX ,;é%]|\\PC){0,12}") {
            let handle = ImoNames::handle(&uid);
            prop_assert_eq!(ImoNames::uid(&handle), uid.clone());
            prop_assert!(handle.as_str().chars().all(is_plain));
            if !uid.is_empty() {
                let typed = ImoNames.parse(handle.as_str());
                prop_assert_eq!(typed.as_ref().map(Handle::as_str), Some(handle.as_str()));
            }
        }

        #[test]
        fn parse_never_panics(typed in ".*") {
            if let Some(handle) = ImoNames.parse(&typed) {
                let again = ImoNames::handle(&ImoNames::uid(&handle));
                prop_assert_eq!(again.as_str(), handle.as_str());
            }
        }
    }
}
