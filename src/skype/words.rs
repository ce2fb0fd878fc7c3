//! Cutting a command into its words (skype-api 1.4).

use std::borrow::Cow;

use crate::skype::ErrorCode;

/// The words of a command, one blank between them.
pub(super) struct Words<'a> {
    text: &'a str,
    /// Where the next word begins; past the end once the last was taken.
    at: usize,
    /// Where the last word ended.
    end: usize,
    /// What the reply echoes: from here, up to the end of the last word or to a point before.
    mark: (usize, Option<usize>),
}

impl<'a> Words<'a> {
    pub(super) fn new(text: &'a str) -> Self {
        Self { text, at: 0, end: 0, mark: (0, None) }
    }

    /// The next word; empty at the end, and where two blanks meet.
    pub(super) fn next(&mut self) -> &'a str {
        let rest = self.rest();
        let word = rest.split(' ').next().unwrap_or("");
        self.end = self.at.min(self.text.len()) + word.len();
        self.at = self.end + 1;
        word
    }

    pub(super) fn required(&mut self, missing: ErrorCode) -> Result<&'a str, ErrorCode> {
        Some(self.next()).filter(|word| !word.is_empty()).ok_or(missing)
    }

    pub(super) fn number(&mut self, invalid: ErrorCode) -> Result<u32, ErrorCode> {
        let word = self.next();
        if word.is_empty() || !word.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid);
        }
        // No object ever has a number that does not fit, and none has the highest.
        Ok(word.parse().unwrap_or(u32::MAX))
    }

    /// `TRUE` or `FALSE`, in any case of letters.
    pub(super) fn boolean(&mut self, invalid: ErrorCode) -> Result<bool, ErrorCode> {
        let value = boolean(self.next()).ok_or(invalid)?;
        self.end(invalid)?;
        Ok(value)
    }

    /// Everything behind the last word, blanks and line breaks included.
    pub(super) fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    /// The same without blanks at its end, as part of what the reply echoes.
    pub(super) fn take_rest(&mut self) -> &'a str {
        let rest = self.rest().trim_end_matches(' ');
        if !rest.is_empty() {
            self.end = self.at + rest.len();
        }
        self.at = self.text.len() + 1;
        rest
    }

    /// Makes sure that nothing but blanks is left.
    pub(super) fn end(&self, too_much: ErrorCode) -> Result<(), ErrorCode> {
        if self.rest().bytes().all(|byte| byte == b' ') { Ok(()) } else { Err(too_much) }
    }

    /// From here on the reply echoes the command…
    pub(super) fn mark(&mut self) {
        self.mark = (self.at.min(self.text.len()), None);
    }

    /// … up to the last word taken.
    pub(super) fn mark_end(&mut self) {
        self.mark.1 = Some(self.end);
    }

    pub(super) fn marked(&self) -> &'a str {
        &self.text[self.mark.0..self.mark.1.unwrap_or(self.end)]
    }
}

pub(super) fn boolean(word: &str) -> Option<bool> {
    [("TRUE", true), ("FALSE", false)].into_iter().find(|row| row.0.eq_ignore_ascii_case(word)).map(|row| row.1)
}

/// Names or numbers in a list; commas and blanks separate them (skype-api 1.6), and a line break is in none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Items<'a>(pub(super) &'a str);

impl<'a> Items<'a> {
    /// Each of them, as typed.
    pub fn iter(self) -> impl Iterator<Item = &'a str> {
        // One client puts the whole list between quotes (skype-api 3.7).
        self.0.trim_matches('"').split([',', ' ', '\n', '\r']).filter(|item| !item.is_empty())
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(self) -> bool {
        self.iter().next().is_none()
    }
}

/// A name and its value in `CAPTION "Say hello" ENABLED true`.
pub(super) type Field<'a> = (&'a str, Cow<'a, str>);

/// Cuts `NAME value NAME "value in quotes"` apart; quotes in quotes are doubled, and may be left
/// out around one word (skype-api 1.4). `None` if it has another shape.
pub(super) fn fields(text: &str) -> Option<Vec<Field<'_>>> {
    let mut fields = Vec::new();
    let mut rest = text.trim_matches(' ');
    while !rest.is_empty() {
        let (name, behind) = rest.split_once(' ')?;
        let (value, behind) = match behind.strip_prefix('"') {
            Some(quoted) => unquote(quoted)?,
            None => {
                let (word, behind) = behind.split_once(' ').unwrap_or((behind, ""));
                (Cow::Borrowed(word), behind)
            }
        };
        fields.push((name, value));
        rest = behind.trim_start_matches(' ');
    }
    Some(fields)
}

/// The text up to the closing quote, and what is behind it.
fn unquote(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let mut at = 0;
    loop {
        let quote = at + text[at..].find('"')?;
        let behind = &text[quote + 1..];
        if behind.starts_with('"') {
            at = quote + 2;
            continue;
        }
        let inside = &text[..quote];
        let value = if inside.contains('"') { Cow::Owned(inside.replace("\"\"", "\"")) } else { Cow::Borrowed(inside) };
        return Some((value, behind));
    }
}

/// A stream of an APPLICATION, `bob:1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StreamName<'a> {
    /// The user at the other end.
    pub user: &'a str,
    /// Which of the streams to them.
    pub number: u32,
}

impl<'a> StreamName<'a> {
    pub(super) fn parse(word: &'a str) -> Option<Self> {
        let (user, number) = word.rsplit_once(':')?;
        let number = number.parse().ok()?;
        (!user.is_empty()).then_some(Self { user, number })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_quoted_or_one_word() {
        let read = |text| fields(text).map(|fields| fields.into_iter().map(|(n, v)| (n, v.into_owned())).collect());
        let pairs = |pairs: &[(&'static str, &str)]| {
            Some(pairs.iter().map(|(name, value)| (*name, (*value).to_owned())).collect::<Vec<_>>())
        };
        assert_eq!(
            read(r#"CAPTION "Say ""hi"" now" ENABLED true"#),
            pairs(&[("CAPTION", r#"Say "hi" now"#), ("ENABLED", "true"),])
        );
        assert_eq!(read(r#" CAPTION Hello HINT "" "#), pairs(&[("CAPTION", "Hello"), ("HINT", "")]));
        assert_eq!(read(""), pairs(&[]));
        for wrong in ["CAPTION", r#"CAPTION "no end"#, r#"CAPTION "a"" "#] {
            assert_eq!(read(wrong), None::<Vec<_>>, "{wrong}");
        }
    }

    #[test]
    fn lists_take_commas_and_blanks() {
        let items = |text| Items(text).iter().collect::<Vec<_>>();
        assert_eq!(items("bob, cecil"), ["bob", "cecil"]);
        assert_eq!(items("bob,cecil daniel"), ["bob", "cecil", "daniel"]);
        assert_eq!(items("\"bob, cecil\""), ["bob", "cecil"]);
        assert!(Items(" , ").is_empty());
    }

    #[test]
    fn streams_have_a_user_and_a_number() {
        assert_eq!(StreamName::parse("bob:1"), Some(StreamName { user: "bob", number: 1 }));
        for wrong in ["bob", ":1", "bob:", "bob:x", "bob:-1", ""] {
            assert_eq!(StreamName::parse(wrong), None, "{wrong}");
        }
    }
}
