//! Pieces of X11 messages, put together per sender.
//!
//! Whatever comes: what is put together could have been sent, and comes back when it is cut again.

#![no_main]

use std::time::Duration;

use imo2skype::session::MAX_COMMAND;
use imo2skype::transport::x11::fuzzing::PIECE;
use imo2skype::transport::x11::fuzzing::Pieces;
use imo2skype::transport::x11::fuzzing::cut;
use libfuzzer_sys::fuzz_target;

/// A sender that no byte names.
const ANOTHER: u32 = 1_000;

fuzz_target!(|data: &[u8]| {
    let mut pieces = Pieces::default();
    let mut now = Duration::ZERO;
    for part in data.chunks_exact(PIECE + 2) {
        let (head, piece) = part.split_at(2);
        let piece: &[u8; PIECE] = piece.try_into().expect("as long as a piece");
        now += Duration::from_secs(u64::from(head[1] % 16));
        let Some(whole) = pieces.take(u32::from(head[0] >> 1), head[0] & 1 == 1, piece, now) else { continue };
        let Some(text) = whole else { continue };
        assert!(!text.contains('\0') && text.len() <= MAX_COMMAND);
        let again = cut(&text).enumerate().filter_map(|(number, piece)| pieces.take(ANOTHER, number == 0, &piece, now));
        assert_eq!(again.collect::<Vec<_>>(), [Some(text.clone())]);
    }
});
