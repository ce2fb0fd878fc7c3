//! `CREATE …` and `DELETE …` (skype-api 3.9 to 3.14).

use std::borrow::Cow;

use crate::skype::ErrorCode;
use crate::skype::Items;
use crate::skype::MenuContext;
use crate::skype::SmsType;
use crate::skype::request::Object;
use crate::skype::words::Words;
use crate::skype::words::boolean;
use crate::skype::words::fields;

/// What `CREATE` makes.
#[derive(Clone, Debug, PartialEq)]
pub enum Create<'a> {
    /// `APPLICATION <name>`
    Application {
        /// Its name.
        name: &'a str,
    },
    /// `GROUP <name>`
    Group {
        /// Its name; may hold blanks.
        name: &'a str,
    },
    /// `SMS <type> <number>, …`
    Sms {
        /// What kind.
        kind: SmsType,
        /// To whom.
        targets: Items<'a>,
    },
    /// `EVENT <id> CAPTION "<text>" HINT "<text>"`
    Event {
        /// Its name.
        id: &'a str,
    },
    /// `MENU_ITEM <id> CONTEXT <context> CAPTION "<text>" …`
    MenuItem {
        /// Its name.
        id: &'a str,
        /// In which menu it stands.
        context: MenuContext,
        /// The text in the menu.
        caption: Cow<'a, str>,
        /// The text beside it.
        hint: Cow<'a, str>,
        /// Whether it can be chosen.
        enabled: bool,
    },
}

/// What `DELETE` takes away.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Delete<'a> {
    /// `APPLICATION <name>`
    Application(&'a str),
    /// `GROUP <id>`
    Group(u32),
    /// `SMS <id>`
    Sms(u32),
    /// `EVENT <id>`
    Event(&'a str),
    /// `MENU_ITEM <id>`
    MenuItem(&'a str),
}

impl<'a> Create<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let object = words.required(ErrorCode::CREATE_NO_TYPE)?;
        // No numbers are known for wrong arguments of what has no family of errors (skype-api 3.14).
        let wrong = ErrorCode::CREATE_UNKNOWN_TYPE;
        match Object::parse(object) {
            Some(Object::Application) => {
                let name = words.required(ErrorCode::CREATE_APPLICATION_NAME)?;
                words.end(ErrorCode::CREATE_APPLICATION_NAME)?;
                Some(Self::Application { name }).filter(|_| is_one_line(name)).ok_or(ErrorCode::CREATE_APPLICATION_NAME)
            }
            Some(Object::Group) => {
                let name = words.take_rest();
                Some(Self::Group { name })
                    .filter(|_| !name.is_empty() && is_one_line(name))
                    .ok_or(ErrorCode::GROUP_INVALID_PROPERTY)
            }
            Some(Object::Sms) => {
                let kind = SmsType::parse(words.next()).ok_or(wrong)?;
                let targets = Items(words.take_rest());
                let good = !matches!(kind, SmsType::Incoming | SmsType::Unknown) && !targets.is_empty();
                Some(Self::Sms { kind, targets }).filter(|_| good).ok_or(wrong)
            }
            Some(Object::Event) => {
                let id = words.required(wrong)?;
                let fields = fields(words.take_rest()).ok_or(wrong)?;
                let has = |name: &str| fields.iter().any(|field| field.0.eq_ignore_ascii_case(name));
                let known = fields.len() == 2 && has("CAPTION") && has("HINT");
                Some(Self::Event { id }).filter(|_| is_id(id) && known).ok_or(wrong)
            }
            Some(Object::MenuItem) => Self::menu_item(words).ok_or(wrong),
            _ => Err(wrong),
        }
    }

    fn menu_item(words: &mut Words<'a>) -> Option<Self> {
        let id = Some(words.next()).filter(|id| is_id(id))?;
        let (mut context, mut caption, mut hint, mut enabled) = (None, None, Cow::Borrowed(""), true);
        for (name, value) in fields(words.take_rest())? {
            match name.to_ascii_uppercase().as_str() {
                "CONTEXT" => context = Some(MenuContext::parse(&value)?),
                "CAPTION" => caption = Some(value),
                "HINT" => hint = value,
                "ENABLED" => enabled = boolean(&value)?,
                "ICON" => {}
                "CONTACT_TYPE_FILTER" => {
                    ["ALL", "SKYPE", "SKYPEOUT"].into_iter().find(|filter| filter.eq_ignore_ascii_case(&value))?;
                }
                "ENABLE_MULTIPLE_CONTACTS" => {
                    boolean(&value)?;
                }
                _ => return None,
            }
        }
        Some(Self::MenuItem { id, context: context?, caption: caption?, hint, enabled })
    }
}

impl<'a> Delete<'a> {
    pub(super) fn parse(words: &mut Words<'a>) -> Result<Self, ErrorCode> {
        let object = words.required(ErrorCode::DELETE_NO_TYPE)?;
        let wrong = ErrorCode::DELETE_UNKNOWN_TYPE;
        let (delete, too_much) = match Object::parse(object) {
            Some(Object::Application) => {
                let name = words.required(ErrorCode::DELETE_APPLICATION_NAME)?;
                (Self::Application(name), ErrorCode::DELETE_APPLICATION_NAME)
            }
            Some(Object::Group) => {
                (Self::Group(words.number(ErrorCode::GROUP_INVALID_ID)?), ErrorCode::GROUP_INVALID_ID)
            }
            Some(Object::Sms) => (Self::Sms(words.number(wrong)?), wrong),
            Some(Object::Event) => (Self::Event(words.required(wrong)?), wrong),
            Some(Object::MenuItem) => (Self::MenuItem(words.required(wrong)?), wrong),
            _ => return Err(wrong),
        };
        words.end(too_much)?;
        Ok(delete)
    }
}

/// The name of an event or a menu item (skype-api 3.14).
fn is_id(id: &str) -> bool {
    !id.is_empty() && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

/// Names come back in notifications, where a line break would begin another.
fn is_one_line(name: &str) -> bool {
    !name.contains(['\n', '\r'])
}
