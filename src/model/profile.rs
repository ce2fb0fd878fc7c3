//! What is told of a person besides name and presence.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::skype::ProfileProperty;
use crate::skype::Sex;

/// A country or a language: a code of two letters and a name.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Region {
    /// ISO 3166-1 or ISO 639-1, lower case.
    pub code: String,
    /// The name, in English.
    pub name: String,
}

/// What a network may tell of a user besides name and presence; what it does not tell is empty.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Details {
    /// As `YYYYMMDD`.
    pub birthday: Option<u32>,
    /// As far as told.
    pub sex: Option<Sex>,
    /// The language.
    pub language: Option<Region>,
    /// The country.
    pub country: Option<Region>,
    /// The province.
    pub province: String,
    /// The city.
    pub city: String,
    /// The number at home.
    pub phone_home: String,
    /// The number at work.
    pub phone_office: String,
    /// The number of the mobile phone.
    pub phone_mobile: String,
    /// The address of a page.
    pub homepage: String,
    /// Any text; may hold line breaks.
    pub about: String,
    /// The offset from UTC, in seconds.
    pub timezone: Option<i32>,
    /// How many contacts the user has who authorised them.
    pub contacts: u32,
    /// Whether the user can take part in video calls.
    pub video: bool,
    /// Other names of the user.
    pub aliases: Vec<String>,
}

/// The own profile, as far as the session keeps it and the network does not.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Profile {
    values: BTreeMap<ProfileProperty, String>,
    #[serde(skip)]
    changed: bool,
}

impl Profile {
    /// Whether anything has to be kept.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// All of it is kept now.
    pub fn saved(&mut self) {
        self.changed = false;
    }

    /// The value; empty until it was set.
    #[must_use]
    pub fn get(&self, property: ProfileProperty) -> &str {
        self.values.get(&property).map_or("", String::as_str)
    }

    /// Keeps a value.
    pub fn set(&mut self, property: ProfileProperty, value: String) {
        self.changed = true;
        self.values.insert(property, value);
    }
}
