//! The frames of the SkypeProxy socket (transports 1.1).

use std::io;
use std::io::Read;

/// What is written for a line.
pub(crate) fn frame(line: &str) -> Vec<u8> {
    let length = u32::try_from(line.len()).expect("a short line");
    [&length.to_le_bytes(), line.as_bytes()].concat()
}

/// The next line.
pub(crate) fn read(stream: &mut impl Read) -> io::Result<String> {
    let mut length = [0; 4];
    stream.read_exact(&mut length)?;
    let mut line = vec![0; usize::try_from(u32::from_le_bytes(length)).expect("32 bits")];
    stream.read_exact(&mut line)?;
    String::from_utf8(line).map_err(io::Error::other)
}
