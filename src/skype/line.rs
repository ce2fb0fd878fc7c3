//! Writing a line: every reply and notification is put together here and nowhere else.

use std::fmt::Display;
use std::fmt::Write;

/// What stands between the items of a list (skype-api 1.6).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Separator {
    /// `, `
    CommaSpace,
    /// One blank.
    Space,
    /// `,`
    Comma,
}

/// A line in the making. Parts are separated by one blank, which stays when a part is empty:
/// clients crash without it (clients 2, rule 3).
#[derive(Debug)]
pub struct Line {
    text: String,
    start: usize,
}

impl Line {
    /// The reply to a command with this id.
    #[must_use]
    pub fn reply(id: Option<&str>) -> Self {
        // Room for a usual line, so that it is written without moving.
        let mut text = String::with_capacity(64);
        if let Some(id) = id {
            text.push('#');
            text.push_str(id);
            text.push(' ');
        }
        let start = text.len();
        Self { text, start }
    }

    /// A notification.
    #[must_use]
    pub fn notification() -> Self {
        Self::reply(None)
    }

    /// A notification about a property of a named object, before its value.
    #[must_use]
    pub fn about(object: &str, id: impl Display, property: &str) -> Self {
        Self::notification().part(object).value(id).part(property)
    }

    /// Adds a word or a text as it is.
    #[must_use]
    pub fn part(mut self, part: &str) -> Self {
        self.separate();
        self.text.push_str(part);
        self
    }

    /// Adds a text in one line: line breaks become blanks.
    #[must_use]
    pub fn one_line(mut self, part: &str) -> Self {
        self.separate();
        self.text.extend(part.chars().map(|char| if char == '\n' || char == '\r' { ' ' } else { char }));
        self
    }

    /// Adds a number, or what else prints itself.
    #[must_use]
    pub fn value(mut self, value: impl Display) -> Self {
        self.separate();
        // Writing to a String does not fail.
        let _ = write!(self.text, "{value}");
        self
    }

    /// Adds `TRUE` or `FALSE`.
    #[must_use]
    pub fn boolean(self, value: bool) -> Self {
        self.part(if value { "TRUE" } else { "FALSE" })
    }

    /// Adds a list.
    #[must_use]
    pub fn list<T: Display>(mut self, separator: Separator, items: impl IntoIterator<Item = T>) -> Self {
        self.separate();
        let between = match separator {
            Separator::CommaSpace => ", ",
            Separator::Space => " ",
            Separator::Comma => ",",
        };
        for (index, item) in items.into_iter().enumerate() {
            if index > 0 {
                self.text.push_str(between);
            }
            let _ = write!(self.text, "{item}");
        }
        self
    }

    /// Begins again behind the `#id`.
    #[must_use]
    pub fn restart(mut self) -> Self {
        self.text.truncate(self.start);
        self
    }

    /// The line, and where it begins behind the `#id`.
    #[must_use]
    pub fn finish(self) -> (String, usize) {
        (self.text, self.start)
    }

    fn separate(&mut self) {
        if self.text.len() > self.start {
            self.text.push(' ');
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_blank_between_parts_and_before_an_empty_one() {
        let (text, start) = Line::reply(Some("G12")).part("USER").part("bob").part("MOOD_TEXT").part("").finish();
        assert_eq!((text.as_str(), start), ("#G12 USER bob MOOD_TEXT ", 5));
    }

    #[test]
    fn lists_have_their_separator_and_an_empty_one_its_blank() {
        let line = |separator, items: &[u32]| Line::notification().part("X").list(separator, items).finish().0;
        assert_eq!(line(Separator::CommaSpace, &[1, 2]), "X 1, 2");
        assert_eq!(line(Separator::Space, &[1, 2]), "X 1 2");
        assert_eq!(line(Separator::Space, &[]), "X ");
    }
}
