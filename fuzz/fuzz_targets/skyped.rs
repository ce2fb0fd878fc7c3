//! Records of a client of skyped, and lines of the session on their way to it.
//!
//! Whatever comes: a line is one line, no more is read than was written, and what is written can be read by a client
//! that takes 1024 bytes at once and keeps nothing.

#![no_main]

use imo2skype::transport::skyped::fuzzing::decode;
use imo2skype::transport::skyped::fuzzing::encode;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|data: &[u8]| {
    let records: Vec<_> = data.split(|byte| *byte == 0).collect();
    let lines = decode(records.iter().copied());
    let read: usize = lines.iter().flatten().map(String::len).sum();
    assert!(read <= data.len(), "{read} bytes of {}", data.len());
    for line in lines.iter().flatten() {
        assert!(!line.contains(['\n', '\0']) && !line.trim_ascii().is_empty(), "{line:?}");
    }
    // A record of 16 KiB is full, and its line goes on in the next.
    if data.len() >= 16 * 1024 {
        return;
    }
    // The same, written without record ends that mean something.
    let ended: Vec<_> = records.iter().flat_map(|record| [*record, b"\n".as_slice()].concat()).collect();
    assert_eq!(decode(std::iter::once(ended.as_slice())), lines);
    let Ok(text) = std::str::from_utf8(data) else { return };
    let records = encode(text);
    assert!(!records.is_empty());
    for record in &records {
        assert!(record.len() < 1024 && record.find(['\n', '\r']) == Some(record.len() - 1), "{record:?}");
    }
});
