//! The bytes of a skypenet connection, without any socket (transports 6).

use crate::session::MAX_COMMAND;

/// What ends a message (ETB).
pub(super) const END: u8 = 0x17;

/// The room that an idle decoder keeps.
const IDLE_ROOM: usize = 16 * 1024;

/// A message is longer than any command can be.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("a message of more than {MAX_COMMAND} bytes")]
pub(super) struct TooLong;

/// Finds the messages in a stream of bytes that comes in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    /// Where the next message begins, and up to where no end was found.
    start: usize,
    looked: usize,
}

impl Decoder {
    /// Takes the next piece of the stream.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.start);
        self.looked -= self.start;
        self.start = 0;
        if self.bytes.is_empty() && self.bytes.capacity() > IDLE_ROOM {
            self.bytes = Vec::with_capacity(piece.len());
        }
        self.bytes.extend_from_slice(piece);
    }

    /// The next message, `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// When it is too long; the stream cannot be followed after that.
    pub(super) fn next(&mut self) -> Result<Option<&[u8]>, TooLong> {
        let found = self.bytes[self.looked..].iter().position(|byte| *byte == END);
        let end = found.map_or(self.bytes.len(), |found| self.looked + found);
        self.looked = end;
        if end - self.start > MAX_COMMAND {
            return Err(TooLong);
        }
        if found.is_none() {
            return Ok(None);
        }
        let start = std::mem::replace(&mut self.start, end + 1);
        self.looked = self.start;
        Ok(Some(&self.bytes[start..end]))
    }
}

/// The text of a message; `None` if it can be no API message.
pub(super) fn text(message: &[u8]) -> Option<&str> {
    str::from_utf8(message).ok().filter(|text| !text.contains('\0'))
}

/// User and password of `LOGIN <user> <password>`; `None` if it is something else.
pub(super) fn login(text: &str) -> Option<(&str, &str)> {
    let rest = text.strip_prefix("LOGIN").filter(|rest| rest.is_empty() || rest.starts_with(' '))?.trim_start();
    Some(rest.split_once(' ').unwrap_or((rest, "")))
}

/// Appends the message of a line to `buffer`, without what would end it before its end.
pub(super) fn encode(line: &str, buffer: &mut Vec<u8>) {
    buffer.reserve(line.len() + 1);
    buffer.extend(line.bytes().filter(|byte| *byte != END));
    buffer.push(END);
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    fn drain(decoder: &mut Decoder, messages: &mut Vec<Vec<u8>>) -> Result<(), TooLong> {
        while let Some(message) = decoder.next()? {
            messages.push(message.to_vec());
        }
        Ok(())
    }

    #[test]
    fn the_bytes_of_the_login_are_understood() {
        // transports 6.
        let stream = b"LOGIN alice secret\x17#0 NAME Pidgin\x17";
        for size in 1..=stream.len() {
            let (mut decoder, mut messages) = (Decoder::default(), Vec::new());
            for piece in stream.chunks(size) {
                decoder.feed(piece);
                drain(&mut decoder, &mut messages).expect("short");
            }
            assert_eq!(messages, [&b"LOGIN alice secret"[..], b"#0 NAME Pidgin"], "in pieces of {size}");
        }
    }

    #[test]
    fn a_login_has_a_user_and_the_rest_is_the_password() {
        for (text, expected) in [
            ("LOGIN alice secret", Some(("alice", "secret"))),
            ("LOGIN alice two words", Some(("alice", "two words"))),
            ("LOGIN alice ", Some(("alice", ""))),
            ("LOGIN alice", Some(("alice", ""))),
            ("LOGIN", Some(("", ""))),
            ("LOGINS alice secret", None),
            ("NAME Pidgin", None),
        ] {
            assert_eq!(login(text), expected, "{text}");
        }
    }

    #[test]
    fn a_message_without_end_is_refused_and_takes_no_more_room() {
        let mut decoder = Decoder::default();
        decoder.feed(&vec![b'x'; MAX_COMMAND]);
        assert_eq!(decoder.next(), Ok(None));
        decoder.feed(b"\x17");
        assert_eq!(decoder.next().map(|message| message.map(<[u8]>::len)), Ok(Some(MAX_COMMAND)));
        decoder.feed(b"PI");
        assert!(decoder.bytes.capacity() <= IDLE_ROOM);
        decoder.feed(&vec![b'x'; MAX_COMMAND]);
        assert_eq!(decoder.next(), Err(TooLong));
    }

    #[test]
    fn the_end_of_a_message_is_not_in_its_text() {
        let mut bytes = Vec::new();
        encode("USER bob MOOD_TEXT a\x17b", &mut bytes);
        assert_eq!(bytes, b"USER bob MOOD_TEXT ab\x17");
    }

    proptest! {
        #[test]
        fn any_segmentation_gives_the_same_messages(
            messages in proptest::collection::vec("[^\0\x17]{0,80}", 0..20),
            sizes in proptest::collection::vec(1_usize..100, 1..40),
        ) {
            let mut stream = Vec::new();
            messages.iter().for_each(|message| encode(message, &mut stream));
            let (mut decoder, mut found, mut rest) = (Decoder::default(), Vec::new(), &stream[..]);
            for size in sizes.iter().cycle() {
                if rest.is_empty() {
                    break;
                }
                let (piece, later) = rest.split_at((*size).min(rest.len()));
                decoder.feed(piece);
                prop_assert_eq!(drain(&mut decoder, &mut found), Ok(()));
                rest = later;
            }
            let texts: Vec<_> = found.iter().map(|message| text(message)).collect();
            let expected: Vec<_> = messages.iter().map(|message| Some(message.as_str())).collect();
            prop_assert_eq!(texts, expected);
        }

        #[test]
        fn any_bytes_are_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..32)) {
            let (mut decoder, mut messages) = (Decoder::default(), Vec::new());
            for piece in pieces {
                decoder.feed(&piece);
                prop_assert_eq!(drain(&mut decoder, &mut messages), Ok(()));
            }
            messages.iter().for_each(|message| { text(message); });
        }
    }
}
