//! Texts in pieces of 20 bytes, without any display (transports 3.2).

use std::collections::HashMap;
use std::time::Duration;

use crate::session::MAX_COMMAND;

/// How many bytes a client message carries.
pub(super) const PIECE: usize = 20;

/// What a client message carries.
pub(super) type Piece = [u8; PIECE];

/// So long after its last piece an unfinished message is forgotten.
const PATIENCE: Duration = Duration::from_secs(10);

/// More unfinished messages than this are not kept; the one that has waited longest for a piece goes.
const MOST_UNFINISHED: usize = 64;

/// Cuts a text into pieces; the last one has a NUL behind the text, and zeros.
pub(super) fn cut(text: &str) -> impl Iterator<Item = Piece> {
    let bytes = text.as_bytes();
    // One more piece where the text fills the last: it says by a NUL alone that nothing follows.
    (0..=bytes.len() / PIECE).map(move |number| {
        let part = &bytes[number * PIECE..bytes.len().min((number + 1) * PIECE)];
        let mut piece = [0; PIECE];
        piece[..part.len()].copy_from_slice(part);
        piece
    })
}

/// A message that is whole.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Message {
    /// A text.
    Text(String),
    /// Not UTF-8, or longer than any command can be.
    Unreadable,
}

/// A message of which more is to come.
#[derive(Debug)]
struct Unfinished {
    bytes: Vec<u8>,
    /// When the last piece came.
    last: Duration,
}

/// Puts the pieces of many senders together again.
#[derive(Debug, Default)]
pub(super) struct Assembly {
    unfinished: HashMap<u32, Unfinished>,
}

impl Assembly {
    /// Takes a piece of the window `sender`, and gives the message that it ends.
    pub(super) fn take(&mut self, sender: u32, begins: bool, piece: &Piece, now: Duration) -> Option<Message> {
        self.forget_old(now);
        let before = self.unfinished.remove(&sender);
        let mut bytes = match before {
            _ if begins => Vec::new(),
            Some(before) => before.bytes,
            None => return None,
        };
        // Rests of other texts may stand behind the NUL.
        let end = piece.iter().position(|byte| *byte == 0);
        bytes.extend_from_slice(&piece[..end.unwrap_or(PIECE)]);
        if bytes.len() > MAX_COMMAND {
            // What follows of it has no beginning any more.
            return Some(Message::Unreadable);
        }
        if end.is_some() {
            // Only now: a piece may end in the middle of a letter.
            return Some(String::from_utf8(bytes).map_or(Message::Unreadable, Message::Text));
        }
        if self.unfinished.len() >= MOST_UNFINISHED {
            let oldest = self.unfinished.iter().min_by_key(|(sender, message)| (message.last, **sender));
            if let Some(oldest) = oldest.map(|(sender, _)| *sender) {
                self.unfinished.remove(&oldest);
            }
        }
        self.unfinished.insert(sender, Unfinished { bytes, last: now });
        None
    }

    /// Forgets what a window has begun: it is gone.
    pub(super) fn forget(&mut self, sender: u32) {
        self.unfinished.remove(&sender);
    }

    /// Forgets what has waited too long for its next piece.
    pub(super) fn forget_old(&mut self, now: Duration) {
        self.unfinished.retain(|_, message| now.saturating_sub(message.last) < PATIENCE);
    }

    /// When there is something to forget, if nothing comes before.
    pub(super) fn due(&self) -> Option<Duration> {
        self.unfinished.values().map(|message| message.last + PATIENCE).min()
    }
}

/// Whether a command has an `#id`: its reply can be told from all else.
pub(super) fn has_id(command: &str) -> bool {
    command.trim_start_matches(' ').starts_with('#')
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    const START: Duration = Duration::from_secs(1_000);

    fn text(text: &str) -> Option<Message> {
        Some(Message::Text(text.to_owned()))
    }

    /// A piece with `rest` behind its NUL or, if it is full, without any.
    fn piece(bytes: &[u8], rest: u8) -> Piece {
        let mut piece = [rest; PIECE];
        piece[..bytes.len()].copy_from_slice(bytes);
        if let Some(end) = piece.get_mut(bytes.len()) {
            *end = 0;
        }
        piece
    }

    fn feed(assembly: &mut Assembly, sender: u32, line: &str, now: Duration) -> Vec<Option<Message>> {
        let pieces = cut(line).enumerate();
        pieces.map(|(number, piece)| assembly.take(sender, number == 0, &piece, now)).collect()
    }

    #[test]
    fn the_examples_of_the_description_are_cut_so() {
        let table: [(&str, &[&str]); 4] = [
            ("NAME TestPlugin", &["NAME TestPlugin\0\0\0\0\0"]),
            (
                "MESSAGE bob Gr\u{fc}\u{df}e an alle",
                &["MESSAGE bob Gr\u{fc}\u{df}e ", "an alle\0\0\0\0\0\0\0\0\0\0\0\0\0"],
            ),
            ("GET USER bobby ABOUT", &["GET USER bobby ABOUT", "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"]),
            ("", &["\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0"]),
        ];
        for (line, expected) in table {
            let pieces: Vec<_> = cut(line).collect();
            let expected: Vec<_> = expected.iter().map(|piece| piece.as_bytes()).collect();
            assert_eq!(pieces, expected, "{line:?}");
        }
    }

    #[test]
    fn what_stands_behind_the_nul_is_no_part_of_it() {
        let mut assembly = Assembly::default();
        // As Skype4Py leaves it there.
        assert_eq!(assembly.take(1, true, b"#0 NAME a\0NAME aaaaa", START), text("#0 NAME a"));
        assert_eq!(assembly.take(1, true, b"GET USER bobby ABOUT", START), None);
        assert_eq!(assembly.take(1, false, b"\0ET USER bobby ABOUT", START), text("GET USER bobby ABOUT"));
    }

    #[test]
    fn a_beginning_discards_what_was_begun_before() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(1, true, &piece(&[b'x'; 20], 0), START), None);
        assert_eq!(assembly.take(1, true, &piece(b"PING", 1), START), text("PING"));
        // Nothing is left that this could belong to.
        assert_eq!(assembly.take(1, false, &piece(b"PING", 1), START), None);
    }

    #[test]
    fn senders_do_not_disturb_each_other() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(1, true, &piece(&[b'a'; 20], 0), START), None);
        assert_eq!(assembly.take(2, true, &piece(&[b'b'; 20], 0), START), None);
        assert_eq!(assembly.take(3, false, &piece(b"c", 0), START), None);
        assert_eq!(assembly.take(1, false, &piece(b"A", 0), START), text("aaaaaaaaaaaaaaaaaaaaA"));
        assert_eq!(assembly.take(2, false, &piece(b"B", 0), START), text("bbbbbbbbbbbbbbbbbbbbB"));
    }

    #[test]
    fn what_is_not_utf_8_is_unreadable_and_over() {
        let mut assembly = Assembly::default();
        assert_eq!(assembly.take(1, true, &piece(b"PING \xff", 0), START), Some(Message::Unreadable));
        assert_eq!(assembly.take(1, false, &piece(b"more", 0), START), None);
    }

    #[test]
    fn the_longest_command_comes_through_and_one_byte_more_does_not() {
        for (length, expected) in [(MAX_COMMAND, true), (MAX_COMMAND + 1, false), (MAX_COMMAND + 100, false)] {
            let mut assembly = Assembly::default();
            let line = "x".repeat(length);
            let messages: Vec<_> = feed(&mut assembly, 1, &line, START).into_iter().flatten().collect();
            let expected = if expected { Message::Text(line) } else { Message::Unreadable };
            // Compared without printing a megabyte.
            assert!(messages == [expected], "{} messages of {length} bytes", messages.len());
            assert!(assembly.unfinished.is_empty());
        }
    }

    #[test]
    fn an_unfinished_message_is_forgotten_after_a_while() {
        let mut assembly = Assembly::default();
        let full = piece(&[b'x'; 20], 0);
        assert_eq!(assembly.due(), None);
        assert_eq!(assembly.take(1, true, &full, START), None);
        assert_eq!(assembly.take(2, true, &full, START), None);
        let nearly = START + PATIENCE - Duration::from_millis(1);
        // What goes on may take as long as it likes.
        assert_eq!(assembly.take(1, false, &full, nearly), None);
        assert_eq!(assembly.due(), Some(START + PATIENCE));
        assert_eq!(assembly.take(2, false, &piece(b"", 0), START + PATIENCE), None);
        assert_eq!(assembly.take(1, false, &piece(b"", 0), START + PATIENCE), text(&"x".repeat(40)));
        assert_eq!(assembly.due(), None);
    }

    #[test]
    fn many_unfinished_messages_take_no_more_room_than_some() {
        let mut assembly = Assembly::default();
        let full = piece(&[b'x'; 20], 0);
        for sender in 0..1000 {
            assert_eq!(assembly.take(sender, true, &full, START + Duration::from_millis(sender.into())), None);
            assert!(assembly.unfinished.len() <= MOST_UNFINISHED);
        }
        let now = START + Duration::from_secs(1);
        assert_eq!(assembly.take(0, false, &piece(b"", 0), now), None);
        assert_eq!(assembly.take(999, false, &piece(b"", 0), now), text(&"x".repeat(20)));
        assembly.forget(998);
        assert_eq!(assembly.take(998, false, &piece(b"", 0), now), None);
    }

    #[test]
    fn an_id_is_seen_behind_blanks() {
        for (command, expected) in [("#0 PING", true), ("  #1 PING", true), ("PING", false), ("MESSAGE bob #1", false)]
        {
            assert_eq!(has_id(command), expected, "{command:?}");
        }
    }

    /// Cuts a line, leaves `rest` behind its NUL, and puts it together again.
    fn there_and_back(line: &str, rest: u8) -> Vec<Option<Message>> {
        let mut assembly = Assembly::default();
        let pieces: Vec<_> = cut(line).collect();
        let last = pieces.len() - 1;
        let messages = pieces.into_iter().enumerate().map(|(number, mut piece)| {
            if number == last {
                piece[line.len() % PIECE + 1..].fill(rest);
            }
            assembly.take(7, number == 0, &piece, START)
        });
        messages.collect()
    }

    #[test]
    fn every_length_comes_through() {
        // Letters of one to four bytes lie across the borders of the pieces.
        for letter in ["x", "\u{fc}", "\u{20ac}", "\u{1f600}"] {
            for length in 0..=5 * PIECE {
                let line = "y".repeat(length % letter.len()) + &letter.repeat(length / letter.len());
                assert_eq!(line.len(), length);
                let mut expected = vec![None; length / PIECE];
                expected.push(text(&line));
                assert_eq!(there_and_back(&line, b'?'), expected, "{length} bytes");
            }
        }
    }

    proptest! {
        #[test]
        fn putting_together_is_the_inverse_of_cutting(line in "[^\0]{0,90}", rest in any::<u8>()) {
            let messages: Vec<_> = there_and_back(&line, rest).into_iter().flatten().collect();
            prop_assert_eq!(messages, [Message::Text(line)]);
        }

        #[test]
        fn any_pieces_are_survived(
            pieces in proptest::collection::vec((0_u32..4, any::<bool>(), any::<Piece>(), 0_u64..4_000), 0..200),
        ) {
            let (mut assembly, mut now) = (Assembly::default(), START);
            for (sender, begins, piece, pause) in pieces {
                now += Duration::from_millis(pause);
                if let Some(Message::Text(text)) = assembly.take(sender, begins, &piece, now) {
                    prop_assert!(!text.contains('\0') && text.len() <= MAX_COMMAND);
                }
                prop_assert!(assembly.due().is_none_or(|due| due > now));
            }
        }
    }
}
