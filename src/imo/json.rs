//! JSON as services write it: also what only a strict reader takes for broken (imo-protocol 12, flaw 20).

use std::borrow::Cow;

use serde_json::Value;

/// Reads `bytes`. Text that is not UTF-8, and halves of characters in `\u` escapes, are read as
/// U+FFFD: a service that repeats such a message would never be understood again.
pub fn parse(bytes: &[u8]) -> Option<Value> {
    let strict = serde_json::from_slice(bytes);
    strict.or_else(|_| serde_json::from_str(&mend(&String::from_utf8_lossy(bytes)))).ok()
}

/// The same with `\ufffd` for the escapes of half a character. Backslashes are nowhere but in
/// strings, so the rest of the grammar does not matter.
fn mend(text: &str) -> Cow<'_, str> {
    let mut mended = String::new();
    let mut kept = 0;
    let mut at = 0;
    while let Some(found) = text[at..].find('\\') {
        let start = at + found;
        at = start + escape_length(&text[start..]);
        if let Some(0xd800..0xe000) = unit(&text[start..])
            && at == start + UNIT
        {
            mended.push_str(&text[kept..start]);
            mended.push_str("\\ufffd");
            kept = at;
        }
    }
    if kept == 0 { Cow::Borrowed(text) } else { Cow::Owned(mended + &text[kept..]) }
}

/// The length of an escape such as `\u00e9`.
const UNIT: usize = 6;

/// How long the escape at the head of `text` is; both halves of a character are one.
fn escape_length(text: &str) -> usize {
    match unit(text) {
        Some(0xd800..0xdc00) if matches!(unit(&text[UNIT..]), Some(0xdc00..0xe000)) => 2 * UNIT,
        Some(_) => UNIT,
        // The backslash, and what follows it.
        None => 1 + text.chars().nth(1).map_or(0, char::len_utf8),
    }
}

/// The number in such an escape at the head of `text`.
fn unit(text: &str) -> Option<u32> {
    let digits = text.strip_prefix("\\u")?.get(..4)?;
    digits.bytes().all(|digit| digit.is_ascii_hexdigit()).then(|| u32::from_str_radix(digits, 16).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    #[test]
    fn halves_of_characters_are_marked_and_the_rest_is_as_it_was() {
        let table: [(&[u8], &str); 12] = [
            (br#""a\ud83d\ude00b""#, "a\u{1f600}b"),
            (br#""a\ud83db""#, "a\u{fffd}b"),
            (br#""a\ud83d""#, "a\u{fffd}"),
            (br#""\uDE00\uD83D""#, "\u{fffd}\u{fffd}"),
            (br#""\ud83d\ud83d\ude00""#, "\u{fffd}\u{1f600}"),
            (br#""\ud83d\n\\ud83d""#, "\u{fffd}\n\\ud83d"),
            (br#""\\\ud83d\\""#, "\\\u{fffd}\\"),
            (br#""\ud83d\u0041""#, "\u{fffd}A"),
            (b"\"\xff\xfe\"", "\u{fffd}\u{fffd}"),
            (b"\"a\xf0\x9f\x98\"", "a\u{fffd}"),
            ("\"\\ud83dé\u{1f600}\"".as_bytes(), "\u{fffd}é\u{1f600}"),
            (b"\"\\udfff\xff\"", "\u{fffd}\u{fffd}"),
        ];
        for (bytes, text) in table {
            assert_eq!(parse(bytes), Some(json!(text)), "{}", bytes.escape_ascii());
        }
    }

    #[test]
    fn what_is_broken_otherwise_stays_broken() {
        let nested = "[".repeat(100_000);
        for bytes in
            ["", "{", "\"a", "\"\\", "\"\\u", "\"\\ud8", "\"\\ud83d", "\"\\x\"", "{\"a\":\\ud83d}", "<html>", &nested]
        {
            assert_eq!(parse(bytes.as_bytes()), None, "{bytes}");
        }
    }

    proptest! {
        #[test]
        fn any_text_is_mended_to_what_a_lossy_reader_makes_of_it(units in prop::collection::vec(any::<u16>(), 0..20)) {
            let escaped: String = units.iter().map(|unit| format!("\\u{unit:04x}")).collect();
            prop_assert_eq!(parse(format!("\"{escaped}\"").as_bytes()), Some(json!(String::from_utf16_lossy(&units))));
        }

        #[test]
        fn it_never_panics(bytes in "(\\\\|u|d83d|[\"{}:,é]|.){0,30}") {
            let _ = parse(bytes.as_bytes());
        }
    }
}
