//! Short messages (skype-api 4.9).

use crate::model::RemoteId;
use crate::model::SmsFailure;
use crate::model::SmsStatus;
use crate::model::SmsTargetStatus;
use crate::model::SmsType;

/// A phone to which a short message goes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SmsTarget {
    /// The number, with `+`.
    pub number: String,
    /// How it stands there.
    pub status: SmsTargetStatus,
}

/// One short message.
#[derive(Clone, Debug)]
pub struct Sms {
    /// What the network calls it, once known.
    pub remote: Option<RemoteId>,
    /// What kind.
    pub kind: SmsType,
    /// How far it has come.
    pub status: SmsStatus,
    /// Why it failed, if it did.
    pub failure: Option<SmsFailure>,
    /// Whether nobody has seen that it failed.
    pub failed_unseen: bool,
    /// When it was sent or arrived, in seconds since 1970 UTC; 0 before.
    pub time: u64,
    /// The text.
    pub body: String,
    /// To whom it goes, or from whom it came.
    pub targets: Vec<SmsTarget>,
    /// Where answers go.
    pub reply_to: String,
    /// The price as a whole number, if known.
    pub price: Option<i64>,
    /// Where the comma of the price is, and its currency.
    pub currency: (u8, String),
}

impl Sms {
    /// A short message that was just begun.
    #[must_use]
    pub fn new(kind: SmsType, targets: Vec<SmsTarget>) -> Self {
        Self {
            remote: None,
            kind,
            status: SmsStatus::Composing,
            failure: None,
            failed_unseen: false,
            time: 0,
            body: String::new(),
            targets,
            reply_to: String::new(),
            price: Some(0),
            currency: (3, "EUR".to_owned()),
        }
    }

    /// The text in parts as phones take them, and how many characters the last one has room for.
    ///
    /// 160 characters of the phones' own alphabet, 70 of any other; less in each part if there are
    /// several, for the number that joins them.
    #[must_use]
    pub fn parts(&self) -> (Vec<String>, usize) {
        let plain = self.body.is_ascii();
        let (one, each) = if plain { (160, 153) } else { (70, 67) };
        let units = |char: char| if plain { 1 } else { char.len_utf16() };
        let total: usize = self.body.chars().map(units).sum();
        let limit = if total <= one { one } else { each };
        let (mut parts, mut used) = (vec![String::new()], 0);
        for char in self.body.chars() {
            if used + units(char) > limit {
                parts.push(String::new());
                used = 0;
            }
            used += units(char);
            if let Some(part) = parts.last_mut() {
                part.push(char);
            }
        }
        (parts, limit - used)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_texts_go_in_parts_that_make_up_the_whole() {
        let table = [
            (String::new(), 1, 160),
            ("a".repeat(160), 1, 0),
            ("a".repeat(161), 2, 145),
            ("é".repeat(70), 1, 0),
            ("\u{1f600}".repeat(36), 2, 61),
        ];
        for (body, parts, left) in table {
            let mut sms = Sms::new(SmsType::Outgoing, Vec::new());
            sms.body = body;
            let (texts, room) = sms.parts();
            assert_eq!((texts.len(), room), (parts, left), "{}", sms.body);
            assert_eq!(texts.concat(), sms.body);
        }
    }
}
