//! The bytes of a SkypeProxy connection, without any socket (transports 1.1 and 1.2).

use crate::session::MAX_COMMAND;

/// How many bytes the length of a frame has.
const LENGTH: usize = 4;

/// The room that an idle decoder keeps.
const IDLE_ROOM: usize = 16 * 1024;

/// In the answer to CAPABILITIES: a password is needed.
pub(super) const USE_AUTHENTICATION: u8 = 0x01;

/// In the answer to CAPABILITIES and in MY_CAPABILITIES: files come over the connection, into data slots.
pub(super) const USE_DATASLOTS: u8 = 0x02;

/// The longest name of a file with the NUL behind it: the room that the Miranda client has (transports 1.6).
const LONGEST_NAME: usize = 260;

/// How much of a file is sent at once.
const CHUNK: usize = 32_768;

/// What a client can send.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Item<'a> {
    /// A frame: one API message, or the password.
    Frame(&'a [u8]),
    /// The client wants to give a password.
    Authenticate,
    /// The client asks what the server can do.
    Capabilities,
    /// The client tells what it can do itself.
    MyCapabilities(u8),
    /// The slot that the client has opened for a file, 1 to 254; 0 and 255 are none.
    Slot(u8),
}

/// Why the bytes of a client cannot be followed any further.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Unreadable {
    /// A frame is longer than any command can be.
    #[error("a frame of {0} bytes; {MAX_COMMAND} are the most")]
    TooLong(u32),
    /// How many bytes belong to an unknown command is unknown too.
    #[error("unknown command byte {0:#04x}")]
    UnknownCommand(u8),
}

/// Finds the items in a stream of bytes that comes in pieces of any size.
#[derive(Debug, Default)]
pub(super) struct Decoder {
    bytes: Vec<u8>,
    /// Where the next item begins.
    start: usize,
    /// Whether the client owes us the number of a slot.
    slot_asked: bool,
}

impl Decoder {
    /// Takes the next piece of the stream.
    pub(super) fn feed(&mut self, piece: &[u8]) {
        self.bytes.drain(..self.start);
        self.start = 0;
        // Nothing is reserved for what a length only promises: room is taken for bytes that came.
        if self.bytes.is_empty() && self.bytes.capacity() > IDLE_ROOM {
            self.bytes = Vec::with_capacity(piece.len());
        }
        self.bytes.extend_from_slice(piece);
    }

    /// Looks out for the number of a slot, one raw byte anywhere between two items (transports 1.6).
    pub(super) fn expect_slot(&mut self) {
        self.slot_asked = true;
    }

    pub(super) fn expects_slot(&self) -> bool {
        self.slot_asked
    }

    /// How many bytes wait for more, and for how many there is room.
    #[cfg(feature = "fuzzing")]
    pub(super) fn room(&self) -> (usize, usize) {
        (self.bytes.len() - self.start, self.bytes.capacity())
    }

    /// The next item, `None` until more bytes come.
    ///
    /// # Errors
    ///
    /// When the stream makes no sense; it cannot be followed after that.
    pub(super) fn next(&mut self) -> Result<Option<Item<'_>>, Unreadable> {
        let waiting = &self.bytes[self.start..];
        if self.slot_asked {
            match waiting {
                // It stands alone, or a length follows it, whose last byte is 0. The first byte of a text or a command
                // never is.
                [slot] | [slot, _, _, _, 0, ..] => {
                    self.start += 1;
                    self.slot_asked = false;
                    return Ok(Some(Item::Slot(*slot)));
                }
                [_, _] | [_, _, _] | [_, _, _, _] => return Ok(None),
                _ => {}
            }
        }
        let Some((length, rest)) = waiting.split_first_chunk::<LENGTH>() else { return Ok(None) };
        let length = u32::from_le_bytes(*length);
        let (item, taken) = match (length, rest) {
            (0, []) | (0, [0x03]) => return Ok(None),
            (0, [0x01, ..]) => (Item::Authenticate, 1),
            (0, [0x02, ..]) => (Item::Capabilities, 1),
            (0, [0x03, bits, ..]) => (Item::MyCapabilities(*bits), 2),
            (0, [unknown, ..]) => return Err(Unreadable::UnknownCommand(*unknown)),
            (length, rest) => {
                let size = usize::try_from(length).ok().filter(|size| *size <= MAX_COMMAND);
                let size = size.ok_or(Unreadable::TooLong(length))?;
                let Some(frame) = rest.get(..size) else { return Ok(None) };
                (Item::Frame(frame), size)
            }
        };
        self.start += LENGTH + taken;
        Ok(Some(item))
    }
}

/// A frame without the NULs that some clients put behind their text.
pub(super) fn without_padding(frame: &[u8]) -> &[u8] {
    let end = frame.iter().rposition(|byte| *byte != 0).map_or(0, |last| last + 1);
    &frame[..end]
}

/// The text of a frame; `None` if it can be no API message.
pub(super) fn text(frame: &[u8]) -> Option<&str> {
    str::from_utf8(without_padding(frame)).ok().filter(|text| !text.contains('\0'))
}

/// Appends the frame of a line to `buffer`.
///
/// # Panics
///
/// On a line of 4 GiB, which no queue can hold.
pub(super) fn encode(line: &str, buffer: &mut Vec<u8>) {
    let length = u32::try_from(line.len()).expect("a line is shorter than 4 GiB");
    buffer.reserve(LENGTH + line.len());
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(line.as_bytes());
}

/// Asks the client to open a slot for the file of this name; whether it can be asked.
pub(super) fn open_slot(name: &str, buffer: &mut Vec<u8>) -> bool {
    let Some(length) = u16::try_from(name.len() + 1).ok().filter(|length| usize::from(*length) <= LONGEST_NAME) else {
        return false;
    };
    buffer.extend_from_slice(&[0, 0, 0, 0, 0x04]);
    buffer.extend_from_slice(&length.to_le_bytes());
    buffer.extend_from_slice(name.as_bytes());
    // The client adds no end of its own.
    buffer.push(0);
    true
}

/// Puts a file into an open slot, and closes it.
///
/// # Panics
///
/// On a machine where 32,768 is more than 32 bits hold.
pub(super) fn fill_slot(slot: u8, file: &[u8], buffer: &mut Vec<u8>) {
    // A chunk of nothing would be taken for the end of the connection: an empty file has none.
    for chunk in file.chunks(CHUNK) {
        let length = u32::try_from(chunk.len()).expect("a chunk is short");
        buffer.extend_from_slice(&[0, 0, 0, 0, 0x05, slot]);
        buffer.extend_from_slice(&length.to_le_bytes());
        buffer.extend_from_slice(chunk);
    }
    buffer.extend_from_slice(&[0, 0, 0, 0, 0x06, slot]);
}

#[cfg(test)]
mod tests {
    use super::*;

    use proptest::prelude::*;

    /// An item that owns its bytes.
    #[derive(Clone, Debug, PartialEq, Eq)]
    enum Owned {
        Frame(Vec<u8>),
        Authenticate,
        Capabilities,
        MyCapabilities(u8),
        Slot(u8),
    }

    impl From<Item<'_>> for Owned {
        fn from(item: Item<'_>) -> Self {
            match item {
                Item::Frame(frame) => Self::Frame(frame.to_vec()),
                Item::Authenticate => Self::Authenticate,
                Item::Capabilities => Self::Capabilities,
                Item::MyCapabilities(bits) => Self::MyCapabilities(bits),
                Item::Slot(slot) => Self::Slot(slot),
            }
        }
    }

    impl Owned {
        fn bytes(&self) -> Vec<u8> {
            match self {
                Self::Frame(frame) => {
                    let length = u32::try_from(frame.len()).expect("short");
                    [&length.to_le_bytes()[..], frame].concat()
                }
                Self::Authenticate => vec![0, 0, 0, 0, 1],
                Self::Capabilities => vec![0, 0, 0, 0, 2],
                Self::MyCapabilities(bits) => vec![0, 0, 0, 0, 3, *bits],
                Self::Slot(slot) => vec![*slot],
            }
        }
    }

    fn drain(decoder: &mut Decoder, items: &mut Vec<Owned>) -> Result<(), Unreadable> {
        while let Some(item) = decoder.next()? {
            items.push(item.into());
        }
        Ok(())
    }

    fn decode(stream: &[u8], pieces: usize) -> Result<Vec<Owned>, Unreadable> {
        let (mut decoder, mut items) = (Decoder::default(), Vec::new());
        for piece in stream.chunks(pieces) {
            decoder.feed(piece);
            drain(&mut decoder, &mut items)?;
        }
        Ok(items)
    }

    #[test]
    fn the_bytes_of_the_miranda_client_are_understood() {
        // transports 1.5: attach with a password.
        let stream = b"\0\0\0\0\x01\x06\0\0\0secret\0\0\0\0\x02\0\0\0\0\x03\x02\x0a\0\0\0PROTOCOL 7";
        let expected = [
            Owned::Authenticate,
            Owned::Frame(b"secret".to_vec()),
            Owned::Capabilities,
            Owned::MyCapabilities(2),
            Owned::Frame(b"PROTOCOL 7".to_vec()),
        ];
        for pieces in [1, 2, 3, 5, 7, stream.len()] {
            assert_eq!(decode(stream, pieces).as_deref(), Ok(&expected[..]), "in pieces of {pieces}");
        }
    }

    #[test]
    fn the_length_of_a_frame_counts_bytes() {
        // transports 1.5.
        let mut frame = Vec::new();
        encode("USER bob MOOD_TEXT gr\u{fc}\u{df}", &mut frame);
        assert_eq!(frame[..4], [0x19, 0, 0, 0]);
        assert_eq!(frame[frame.len() - 4..], [0xc3, 0xbc, 0xc3, 0x9f]);
    }

    #[test]
    fn a_frame_too_long_is_refused_by_its_length_alone() {
        for length in [u32::MAX, 0x1000_0000, 0x0010_0001] {
            let mut decoder = Decoder::default();
            decoder.feed(&length.to_le_bytes());
            assert_eq!(decoder.next(), Err(Unreadable::TooLong(length)));
            assert!(decoder.bytes.capacity() < 1024);
        }
        let mut decoder = Decoder::default();
        decoder.feed(&0x0010_0000_u32.to_le_bytes());
        assert_eq!(decoder.next(), Ok(None));
        assert!(decoder.bytes.capacity() < 1024, "room was taken for bytes that did not come");
    }

    #[test]
    fn the_room_of_a_long_frame_is_given_back() {
        let mut decoder = Decoder::default();
        decoder.feed(&0x0010_0000_u32.to_le_bytes());
        decoder.feed(&vec![b'x'; MAX_COMMAND]);
        assert!(matches!(decoder.next(), Ok(Some(Item::Frame(frame))) if frame.len() == MAX_COMMAND));
        decoder.feed(b"\x04\0");
        assert!(decoder.bytes.capacity() <= IDLE_ROOM);
    }

    #[test]
    fn the_number_of_a_slot_is_found_between_items() {
        let ping = b"\x04\0\0\0PING";
        let items = |slot: u8| [Owned::Frame(b"PING".to_vec()), Owned::Slot(slot), Owned::Frame(b"PING".to_vec())];
        for slot in [0, 1, 2, 3, 4, 254, 255] {
            let mut decoder = Decoder::default();
            decoder.expect_slot();
            let mut found = Vec::new();
            // What was on its way came first, then the number with the next frame, or alone.
            decoder.feed(&[&ping[..], &[slot], ping].concat());
            drain(&mut decoder, &mut found).expect("it can be followed");
            assert_eq!(found, items(slot), "slot {slot}");
            assert!(!decoder.expects_slot());
            decoder.expect_slot();
            decoder.feed(&[slot]);
            assert_eq!(decoder.next(), Ok(Some(Item::Slot(slot))));
        }
        // A command in the place of the number, and a frame of which only a part has come.
        let mut decoder = Decoder::default();
        decoder.expect_slot();
        decoder.feed(b"\0\0\0\0\x02\x04\0\0");
        assert_eq!(decoder.next(), Ok(Some(Item::Capabilities)));
        assert_eq!(decoder.next(), Ok(None));
        decoder.feed(b"\0PI");
        assert_eq!(decoder.next(), Ok(None));
        decoder.feed(b"NG");
        assert_eq!(decoder.next(), Ok(Some(Item::Frame(b"PING"))));
        assert!(decoder.expects_slot());
    }

    #[test]
    fn a_file_goes_into_a_slot_as_the_client_wants_it() {
        // transports 1.6.
        let mut bytes = Vec::new();
        assert!(open_slot("C:\\client\\bob.jpg", &mut bytes));
        assert_eq!(bytes, b"\0\0\0\0\x04\x12\0C:\\client\\bob.jpg\0");
        assert!(open_slot(&"x".repeat(259), &mut bytes) && !open_slot(&"x".repeat(260), &mut bytes));
        let mut bytes = Vec::new();
        fill_slot(1, &[7; 40_000], &mut bytes);
        assert_eq!(bytes[..10], [0, 0, 0, 0, 5, 1, 0, 0x80, 0, 0]);
        assert_eq!(bytes[10 + 32_768..][..10], [0, 0, 0, 0, 5, 1, 0x40, 0x1c, 0, 0]);
        assert_eq!(bytes[bytes.len() - 6..], [0, 0, 0, 0, 6, 1]);
        assert_eq!(bytes.len(), 40_000 + 10 + 10 + 6);
        let mut bytes = Vec::new();
        fill_slot(3, b"", &mut bytes);
        assert_eq!(bytes, [0, 0, 0, 0, 6, 3], "an empty file is opened and closed");
    }

    #[test]
    fn an_unknown_command_is_named() {
        for command in [0x00, 0x04, 0x05, 0x06, 0xff] {
            assert_eq!(decode(&[0, 0, 0, 0, command], 1), Err(Unreadable::UnknownCommand(command)));
        }
    }

    #[test]
    fn only_nuls_at_the_end_are_padding() {
        let table: [(&[u8], Option<&str>); 6] = [
            (b"PING", Some("PING")),
            (b"PING\0", Some("PING")),
            (b"PING\0\0\0", Some("PING")),
            (b"\0\0", Some("")),
            (b"PI\0NG", None),
            (b"PING \xff", None),
        ];
        for (frame, expected) in table {
            assert_eq!(text(frame), expected, "{frame:?}");
        }
    }

    fn any_item() -> impl Strategy<Value = Owned> {
        prop_oneof![
            4 => proptest::collection::vec(any::<u8>(), 1..300).prop_map(Owned::Frame),
            1 => Just(Owned::Authenticate),
            1 => Just(Owned::Capabilities),
            1 => any::<u8>().prop_map(Owned::MyCapabilities),
        ]
    }

    proptest! {
        #[test]
        fn any_segmentation_gives_the_same_items(
            items in proptest::collection::vec(any_item(), 0..20),
            sizes in proptest::collection::vec(1_usize..400, 1..40),
        ) {
            let stream: Vec<u8> = items.iter().flat_map(Owned::bytes).collect();
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
            prop_assert_eq!(found, items);
        }

        #[test]
        fn any_bytes_are_survived(pieces in proptest::collection::vec(proptest::collection::vec(any::<u8>(), 0..64), 0..32)) {
            let mut decoder = Decoder::default();
            for piece in pieces {
                decoder.feed(&piece);
                if drain(&mut decoder, &mut Vec::new()).is_err() {
                    break;
                }
            }
        }

        #[test]
        fn decoding_is_the_inverse_of_encoding(lines in proptest::collection::vec("[^\0]{1,80}", 0..20)) {
            let mut stream = Vec::new();
            for line in &lines {
                encode(line, &mut stream);
            }
            let mut decoder = Decoder::default();
            decoder.feed(&stream);
            for line in &lines {
                match decoder.next() {
                    Ok(Some(Item::Frame(frame))) => prop_assert_eq!(text(frame), Some(line.as_str())),
                    other => prop_assert!(false, "{:?}", other),
                }
            }
            prop_assert_eq!(decoder.next(), Ok(None));
        }
    }
}
