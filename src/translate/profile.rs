//! The own profile and the settings (skype-api 3.2, 3.4, 4.2, 7.6).

use isocountry::CountryCode;

use crate::backend::Ability;
use crate::backend::Task;
use crate::model::Relation;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Privilege;
use crate::skype::ProfileProperty;
use crate::skype::Protocol;
use crate::skype::Separator;
use crate::skype::Setting;
use crate::skype::Sex;
use crate::skype::UserProperty;
use crate::skype::WindowState;
use crate::translate::Engine;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;
use crate::translate::user::status_word;

/// What `GET SKYPEVERSION` answers: below 5 no client works around push faults of later versions.
const SKYPE_VERSION: &str = "4.3.0.37";

impl Engine {
    /// Adds the value of a setting to a line.
    pub(super) fn setting_value(&self, line: Line, setting: Setting, protocol: Protocol) -> Line {
        match setting {
            Setting::SkypeVersion => line.part(SKYPE_VERSION),
            Setting::CurrentUserHandle => line.part(self.me.handle.as_str()),
            Setting::UserStatus => line.part(status_word(self.user_status(), protocol)),
            Setting::ConnectionStatus => line.part(self.connection_status().word()),
            Setting::AuthContactsProfiles => self.contact_records(line),
            // Nothing is dialled and no contact list is seen here.
            Setting::PredictiveDialerCountry | Setting::ContactsFocused => line.part(""),
            kept => line.part(self.settings.get(kept)),
        }
    }

    pub(super) fn set_setting(&mut self, reply: Line, setting: Setting, value: &str, out: &mut Vec<Output>) -> Answer {
        // There is something to be heard, or not, only during a call (skype-api 3.2).
        if setting == Setting::Mute && self.calls.active().next().is_none() {
            return Err(ErrorCode::SET_INVALID_VALUE);
        }
        self.keep_setting(setting, value, out);
        Ok(reply.part(value))
    }

    fn keep_setting(&mut self, setting: Setting, value: &str, out: &mut Vec<Output>) {
        self.settings.set(setting, value);
        self.announce(setting.since(), Line::notification().part(setting.word()).part(value), out);
    }

    /// There is no window, but clients want to know that it moved out of their way.
    pub(super) fn show_window(&mut self, front: bool, out: &mut Vec<Output>) {
        let state = if front { WindowState::Normal } else { WindowState::Minimized };
        if self.settings.get(Setting::WindowState) != state.word() {
            self.keep_setting(Setting::WindowState, state.word(), out);
        }
    }

    pub(super) fn has_privilege(&self, privilege: Privilege) -> bool {
        match privilege {
            Privilege::SkypeOut | Privilege::SkypeIn => false,
            Privilege::Voicemail => self.capabilities.can(Ability::Voicemails),
        }
    }

    /// One record for each contact (skype-api 3.16). The client cuts at semicolons and commas, so
    /// neither may be in a text.
    fn contact_records(&self, line: Line) -> Line {
        let plain = |text: &str| text.replace([';', ',', '\n', '\r'], " ");
        let contacts = self.users.iter().filter(|user| user.relation == Relation::Contact);
        let records = contacts.map(|user| {
            let phone = |which: fn(&crate::model::Details) -> &String| {
                user.details.as_deref().map(|details| plain(which(details))).unwrap_or_default()
            };
            [
                user.handle.to_string(),
                plain(&user.name),
                phone(|details| &details.phone_home),
                phone(|details| &details.phone_office),
                phone(|details| &details.phone_mobile),
                self.online_word(user, Protocol::HIGHEST).to_owned(),
                plain(&user.alias),
                if self.capabilities.can(Ability::Voicemails) { "TRUE" } else { "FALSE" }.to_owned(),
                plain(&user.mood),
            ]
            .join(";")
        });
        line.list(Separator::Comma, records)
    }

    /// Adds the value of a property of the profile to a line.
    pub(super) fn profile_value(&self, line: Line, property: ProfileProperty, protocol: Protocol) -> Line {
        let kept = self.profile.get(property);
        match property {
            ProfileProperty::FullName => line.one_line(&self.me.name),
            ProfileProperty::MoodText => line.part(&self.me.mood),
            ProfileProperty::RichMoodText if kept.is_empty() => line.part(&escape(&self.me.mood)),
            ProfileProperty::PstnBalance => line.value(0),
            ProfileProperty::Birthday | ProfileProperty::Timezone if kept.is_empty() => line.value(0),
            ProfileProperty::Sex if kept.is_empty() => line.part(Sex::Unknown.word()),
            ProfileProperty::Country => match CountryCode::for_alpha2_caseless(kept) {
                Ok(country) => region(line, kept, country.name(), protocol),
                Err(_) => line.part(kept),
            },
            ProfileProperty::CallNoAnswerTimeout if kept.is_empty() => line.value(15),
            ProfileProperty::CallNoAnswerAction if kept.is_empty() => line.part("REJECT"),
            ProfileProperty::CallApplyForwarding | ProfileProperty::CallSendToVoicemail if kept.is_empty() => {
                line.boolean(false)
            }
            ProfileProperty::IsVideoCapable => line.boolean(self.capabilities.can(Ability::Video)),
            // No network tells them.
            ProfileProperty::PstnBalanceCurrency
            | ProfileProperty::IpCountry
            | ProfileProperty::SmsValidatedNumbers => line.part(""),
            _ => line.part(kept),
        }
    }

    pub(super) fn set_profile(
        &mut self,
        reply: Line,
        property: ProfileProperty,
        typed: &str,
        protocol: Protocol,
        out: &mut Vec<Output>,
    ) -> Answer {
        let value = checked(property, typed).ok_or(ErrorCode::SET_PROFILE_INVALID)?;
        match property {
            ProfileProperty::MoodText => self.set_mood(&value, out),
            ProfileProperty::RichMoodText => {
                self.profile.set(property, String::new());
                self.set_mood(&without_tags(&value), out);
                self.profile.set(property, value);
                self.announce_profile(property, out);
            }
            ProfileProperty::FullName => {
                let before = std::mem::replace(&mut self.me.name, value.clone());
                self.ask(Task::SetName { name: value }, Pending::Name(before), out);
                self.announce_profile(property, out);
                self.announce_me(UserProperty::FullName, out);
            }
            _ => {
                self.profile.set(property, value);
                self.announce_profile(property, out);
            }
        }
        Ok(match property {
            // One client waits for the value that it sent, here the code alone (clients 2, rule 9).
            ProfileProperty::Country => reply.part(typed),
            _ => self.profile_value(reply, property, protocol),
        })
    }

    /// The network has answered; a name that it refused is not ours.
    pub(super) fn name_done(&mut self, before: String, done: bool, out: &mut Vec<Output>) {
        if !done {
            self.me.name = before;
            self.announce_profile(ProfileProperty::FullName, out);
            self.announce_me(UserProperty::FullName, out);
        }
    }

    pub(super) fn set_mood(&mut self, text: &str, out: &mut Vec<Output>) {
        self.take_over_mood(text, out);
        if self.is_online() {
            self.send_presence(out);
        }
    }

    /// We have another mood.
    pub(super) fn take_over_mood(&mut self, text: &str, out: &mut Vec<Output>) {
        text.clone_into(&mut self.me.mood);
        // A text with tags belongs to the mood before; one client keeps it until it hears another (clients 3.2).
        let had_tags = !self.profile.get(ProfileProperty::RichMoodText).is_empty();
        self.profile.set(ProfileProperty::RichMoodText, String::new());
        self.announce_profile(ProfileProperty::MoodText, out);
        if had_tags {
            self.announce_profile(ProfileProperty::RichMoodText, out);
        }
    }

    pub(super) fn announce_profile(&self, property: ProfileProperty, out: &mut Vec<Output>) {
        let line = |protocol| {
            let line = Line::notification().part("PROFILE").part(property.word());
            (protocol >= property.since()).then(|| self.profile_value(line, property, protocol))
        };
        self.announce_by(line, out);
    }
}

/// The value as it is kept, if a profile can have it (skype-api 4.2).
fn checked(property: ProfileProperty, value: &str) -> Option<String> {
    let trimmed = value.trim_end_matches(' ');
    let number = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
    let codes =
        |text: &str| text.split(' ').all(|code| code.len() == 2 && code.bytes().all(|b| b.is_ascii_alphabetic()));
    let good = match property {
        ProfileProperty::Birthday => trimmed == "0" || is_date(trimmed),
        ProfileProperty::Sex => Sex::parse(trimmed).is_some(),
        ProfileProperty::Languages => trimmed.is_empty() || codes(trimmed),
        ProfileProperty::Country => trimmed.is_empty() || CountryCode::for_alpha2_caseless(trimmed).is_ok(),
        ProfileProperty::Timezone => trimmed == "0" || trimmed.parse().is_ok_and(|zone: u32| zone <= 2 * 86_400),
        ProfileProperty::CallNoAnswerTimeout => !trimmed.is_empty() && trimmed.len() < 5 && number(trimmed),
        ProfileProperty::CallApplyForwarding | ProfileProperty::CallSendToVoicemail => {
            ["TRUE", "FALSE"].into_iter().any(|word| word.eq_ignore_ascii_case(trimmed))
        }
        ProfileProperty::CallNoAnswerAction => {
            ["REJECT", "FORWARD", "VOICEMAIL"].into_iter().any(|word| word.eq_ignore_ascii_case(trimmed))
        }
        ProfileProperty::CallForwardRules => trimmed.split(' ').all(|rule| {
            let parts: Vec<_> = rule.split(',').collect();
            rule.is_empty()
                || matches!(parts[..], [from, to, target] if number(from) && number(to) && !target.is_empty())
        }),
        _ => return Some(value.to_owned()),
    };
    let kept = match property {
        ProfileProperty::Sex
        | ProfileProperty::CallApplyForwarding
        | ProfileProperty::CallSendToVoicemail
        | ProfileProperty::CallNoAnswerAction => trimmed.to_ascii_uppercase(),
        ProfileProperty::Country | ProfileProperty::Languages => trimmed.to_ascii_lowercase(),
        _ => trimmed.to_owned(),
    };
    good.then_some(kept)
}

/// Whether a text is `YYYYMMDD`.
fn is_date(text: &str) -> bool {
    let part = |range| text.get::<std::ops::Range<usize>>(range).and_then(|part| part.parse::<u32>().ok());
    let digits = text.len() == 8 && text.bytes().all(|byte| byte.is_ascii_digit());
    digits
        && part(4..6).is_some_and(|month| (1..=12).contains(&month))
        && part(6..8).is_some_and(|day| (1..=31).contains(&day))
}

/// Adds a country or a language: by name alone before protocol 4 (skype-api 1.7).
pub(super) fn region(line: Line, code: &str, name: &str, protocol: Protocol) -> Line {
    if protocol >= Protocol::REGION_CODES { line.part(code).one_line(name) } else { line.one_line(name) }
}

/// A text with tags, without them.
pub(super) fn without_tags(xml: &str) -> String {
    let mut text = String::with_capacity(xml.len());
    let mut rest = xml;
    while let Some((before, tag)) = rest.split_once('<') {
        text.push_str(before);
        // What is not closed is no tag.
        let Some((_, behind)) = tag.split_once('>') else {
            rest = &rest[before.len()..];
            break;
        };
        rest = behind;
    }
    text.push_str(rest);
    for (entity, char) in [("&lt;", "<"), ("&gt;", ">"), ("&quot;", "\""), ("&apos;", "'"), ("&amp;", "&")] {
        text = text.replace(entity, char);
    }
    text
}

/// A text as it stands among tags.
pub(super) fn escape(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;")
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn tags_go_and_what_is_no_tag_stays() {
        let table = [
            ("plain", "plain"),
            ("<b>bold</b> &amp; <font color=\"#ff0000\">red</font>", "bold & red"),
            ("1 &lt; 2", "1 < 2"),
            ("a < b", "a < b"),
            ("<", "<"),
        ];
        for (xml, text) in table {
            assert_eq!(without_tags(xml), text, "{xml}");
        }
    }

    proptest! {
        #[test]
        fn an_escaped_text_comes_back(text in ".*") {
            prop_assert_eq!(without_tags(&escape(&text)), text);
        }
    }

    #[test]
    fn a_profile_takes_what_it_can_have() {
        let good = [
            (ProfileProperty::Birthday, "19781108", "19781108"),
            (ProfileProperty::Birthday, "0", "0"),
            (ProfileProperty::Sex, "female", "FEMALE"),
            (ProfileProperty::Country, "HU", "hu"),
            (ProfileProperty::Languages, "en hu", "en hu"),
            (ProfileProperty::CallForwardRules, "0,30,+3581234 30,60,bob", "0,30,+3581234 30,60,bob"),
            (ProfileProperty::About, "two\nlines ", "two\nlines "),
        ];
        for (property, value, kept) in good {
            assert_eq!(checked(property, value).as_deref(), Some(kept), "{value}");
        }
        let bad = [
            (ProfileProperty::Birthday, "19781308"),
            (ProfileProperty::Birthday, "yesterday"),
            (ProfileProperty::Sex, "often"),
            (ProfileProperty::Country, "Hungary"),
            (ProfileProperty::CallSendToVoicemail, "maybe"),
            (ProfileProperty::CallForwardRules, "0,30"),
            (ProfileProperty::Timezone, "east"),
        ];
        for (property, value) in bad {
            assert_eq!(checked(property, value), None, "{value}");
        }
    }
}
