//! Settings that a session keeps for its clients.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::skype::Setting;
use crate::skype::Switch;

/// Settings and ringtones.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
#[serde(default)]
pub struct Settings {
    values: BTreeMap<Setting, String>,
    ringing: BTreeMap<u32, Switch>,
    #[serde(skip)]
    changed: bool,
}

impl Settings {
    /// The value of a setting that is kept.
    #[must_use]
    pub fn get(&self, setting: Setting) -> &str {
        let default = match setting {
            Setting::Mute | Setting::AutoAway | Setting::SilentMode | Setting::PcSpeaker => "OFF",
            Setting::Agc | Setting::Aec => "ON",
            // There is no window to be seen.
            Setting::WindowState => "HIDDEN",
            Setting::UiLanguage => "en",
            _ => "",
        };
        self.values.get(&setting).map_or(default, String::as_str)
    }

    /// Whether anything has to be kept.
    #[must_use]
    pub fn has_changed(&self) -> bool {
        self.changed
    }

    /// All of it is kept now.
    pub fn saved(&mut self) {
        self.changed = false;
    }

    /// Keeps a value.
    pub fn set(&mut self, setting: Setting, value: &str) {
        self.changed = true;
        self.values.insert(setting, value.to_owned());
    }

    /// Whether a ringtone rings.
    #[must_use]
    pub fn rings(&self, ringtone: u32) -> Switch {
        self.ringing.get(&ringtone).copied().unwrap_or(Switch::Off)
    }

    /// Has a ringtone ring, or not.
    pub fn set_rings(&mut self, ringtone: u32, status: Switch) {
        self.changed = true;
        self.ringing.insert(ringtone, status);
    }
}
