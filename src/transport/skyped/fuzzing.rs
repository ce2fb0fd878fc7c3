//! A door for the fuzz target `skyped`.

use super::codec;
use super::codec::Decoder;
use super::codec::Said;

/// The lines in these records; `None` is what can be no line, and the end is where a line is too long.
pub fn decode<'a>(records: impl Iterator<Item = &'a [u8]>) -> Vec<Option<String>> {
    let (mut decoder, mut lines) = (Decoder::default(), Vec::new());
    for record in records {
        decoder.feed(record);
        loop {
            match decoder.next() {
                Ok(Some(Said::Line(line))) => lines.push(Some(line.to_owned())),
                Ok(Some(Said::Garbage)) => lines.push(None),
                Ok(None) => break,
                Err(_) => return lines,
            }
        }
    }
    lines
}

/// The records for a line of the session.
#[must_use]
pub fn encode(line: &str) -> Vec<String> {
    let mut records = Vec::new();
    codec::encode(line, |record| records.push(record.to_owned()));
    records
}
