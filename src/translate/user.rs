//! Users and the contact list (skype-api 3.3, 4.1, 7.5).

use crate::backend::Action;
use crate::backend::Contact;
use crate::backend::Presence;
use crate::model::Handle;
use crate::model::Relation;
use crate::model::User;
use crate::skype::BuddyStatus;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::UserProperty;
use crate::skype::UserStatus;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::connection::status_of;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;

/// A change of the contact list that the network has not confirmed yet.
pub(super) struct ContactChange {
    user: Handle,
    /// What to go back to if the network refuses.
    before: Relation,
}

impl Engine {
    pub(super) fn get_user(&self, reply: Line, typed: &str, property: UserProperty) -> Answer {
        if let Some(user) = self.known_user(typed) {
            return Ok(self.user_value(reply, user, property));
        }
        let handle = self.names.parse(typed).ok_or(ErrorCode::GET_USER_INVALID_HANDLE)?;
        // A well-formed name that nobody here knows: empty values, no error (skype-api 8).
        let stranger = User::new(handle);
        Ok(self.user_value(reply, self.known_user(stranger.handle.as_str()).unwrap_or(&stranger), property))
    }

    /// Somebody known, ourselves included.
    fn known_user(&self, handle: &str) -> Option<&User> {
        if self.me.handle.as_str().eq_ignore_ascii_case(handle) { Some(&self.me) } else { self.users.get(handle) }
    }

    /// The name for people of somebody, known or not.
    pub(super) fn display_name<'a>(&'a self, handle: &'a Handle) -> &'a str {
        self.known_user(handle.as_str()).map_or(handle.as_str(), User::display_name)
    }

    /// Adds the value of a property to a line.
    fn user_value(&self, line: Line, user: &User, property: UserProperty) -> Line {
        let me = std::ptr::eq(user, &raw const self.me);
        match property {
            UserProperty::Handle => line.part(user.handle.as_str()),
            UserProperty::FullName => line.one_line(&user.name),
            UserProperty::MoodText => line.part(&user.mood),
            UserProperty::OnlineStatus if me => line.part(self.user_status().word()),
            UserProperty::OnlineStatus => line.part(online_status(user.presence).word()),
            UserProperty::BuddyStatus => {
                line.part(buddy_status(if me { Relation::Contact } else { user.relation }).word())
            }
            UserProperty::IsAuthorized => line.boolean(me || user.authorized),
            UserProperty::ReceivedAuthRequest => line.part(user.request.as_deref().unwrap_or("")),
            UserProperty::LastOnlineTimestamp => line.value(user.last_online),
            UserProperty::HasCallEquipment => line.boolean(true),
            UserProperty::Sex => line.part("UNKNOWN"),
            UserProperty::Birthday | UserProperty::Timezone | UserProperty::NumberOfAuthedBuddies => line.value(0),
            UserProperty::IsBlocked
            | UserProperty::IsVideoCapable
            | UserProperty::IsVoicemailCapable
            | UserProperty::CanLeaveVoicemail
            | UserProperty::IsCallForwardActive => line.boolean(false),
            // What these networks do not tell is empty, and keeps its blank.
            UserProperty::DisplayName
            | UserProperty::Language
            | UserProperty::Country
            | UserProperty::Province
            | UserProperty::City
            | UserProperty::PhoneHome
            | UserProperty::PhoneOffice
            | UserProperty::PhoneMobile
            | UserProperty::Homepage
            | UserProperty::About
            | UserProperty::SpeedDial
            | UserProperty::RichMoodText
            | UserProperty::Aliases => line.part(""),
        }
    }

    pub(super) fn announce_user(&self, user: &User, property: UserProperty, out: &mut Vec<Output>) {
        let line = Line::about("USER", &user.handle, property.name());
        self.announce(property.since(), self.user_value(line, user, property), out);
    }

    pub(super) fn announce_me(&self, property: UserProperty, out: &mut Vec<Output>) {
        self.announce_user(&self.me, property, out);
    }

    /// Says several properties of a user, one after the other.
    fn announce_properties(&self, handle: &Handle, properties: &[UserProperty], out: &mut Vec<Output>) {
        if let Some(user) = self.users.get(handle.as_str()) {
            for property in properties {
                self.announce_user(user, *property, out);
            }
        }
    }

    /// Without a connection nobody is known to be there.
    pub(super) fn users_leave(&mut self, now: Now, out: &mut Vec<Output>) {
        let mut left = Vec::new();
        for user in self.users.iter_mut() {
            if std::mem::replace(&mut user.presence, Presence::Offline) != Presence::Offline {
                user.last_online = now.unix;
                left.push(user.handle.clone());
            }
        }
        for handle in left {
            self.announce_properties(&handle, &[UserProperty::OnlineStatus], out);
        }
    }

    pub(super) fn contacts(&mut self, contacts: Vec<Contact>, complete: bool, now: Now, out: &mut Vec<Output>) {
        if complete {
            self.remove_all_but(&contacts, out);
        }
        for contact in contacts {
            let user = self.users.entry(&contact.handle);
            let mut changed = Vec::new();
            let relation = match contact.agreed {
                Some(false) => Relation::Asked,
                Some(true) => Relation::Contact,
                None if user.is_listed() => user.relation,
                None => Relation::Contact,
            };
            if std::mem::replace(&mut user.relation, relation) != relation {
                // We want them on our list, so they may see us.
                user.authorized = true;
                changed.push(UserProperty::BuddyStatus);
            }
            if let Some(name) = contact.name.filter(|name| *name != user.name) {
                user.name = name;
                changed.push(UserProperty::FullName);
            }
            if let Some(presence) = contact.presence.filter(|presence| *presence != user.presence) {
                if presence == Presence::Offline {
                    user.last_online = now.unix;
                }
                user.presence = presence;
                changed.push(UserProperty::OnlineStatus);
            } else if changed.contains(&UserProperty::BuddyStatus) {
                changed.push(UserProperty::OnlineStatus);
            }
            if let Some(mood) = contact.mood.filter(|mood| *mood != user.mood) {
                user.mood = mood;
                changed.push(UserProperty::MoodText);
            }
            // What was there before the login is told when it has succeeded.
            if self.is_online() {
                self.announce_properties(&contact.handle, &changed, out);
            }
        }
    }

    fn remove_all_but(&mut self, contacts: &[Contact], out: &mut Vec<Output>) {
        let listed: std::collections::HashSet<_> =
            contacts.iter().map(|contact| Handle::fold(contact.handle.as_str())).collect();
        let gone: Vec<_> = self
            .users
            .iter()
            .filter(|user| user.relation == Relation::Contact)
            .filter(|user| !listed.contains(&Handle::fold(user.handle.as_str())))
            .map(|user| user.handle.clone())
            .collect();
        for handle in gone {
            self.contact_removed(&handle, out);
        }
    }

    pub(super) fn contact_removed(&mut self, handle: &Handle, out: &mut Vec<Output>) {
        let Some(user) = self.users.get_mut(handle).filter(|user| user.is_listed()) else { return };
        user.relation = Relation::Removed;
        user.presence = Presence::Offline;
        self.announce_properties(handle, &[UserProperty::BuddyStatus], out);
    }

    pub(super) fn auth_request(&mut self, handle: &Handle, text: String, out: &mut Vec<Output>) {
        // Networks repeat what was not answered yet.
        if self.users.get(handle.as_str()).is_some_and(|user| user.request.as_ref() == Some(&text)) {
            return;
        }
        self.users.entry(handle).request = Some(text);
        self.announce_properties(handle, &[UserProperty::ReceivedAuthRequest], out);
    }

    pub(super) fn set_buddy_status(
        &mut self,
        reply: Line,
        typed: &str,
        status: BuddyStatus,
        greeting: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        let handle = self.names.parse(typed).ok_or(ErrorCode::INVALID_HANDLE)?;
        if !self.capabilities.contacts || !self.is_online() || handle == self.me.handle {
            return Err(ErrorCode::SET_BUDDYSTATUS_FAILED);
        }
        let before = self.users.get(handle.as_str()).map_or(Relation::Stranger, |user| user.relation);
        if status == BuddyStatus::Pending {
            let user = self.users.entry(&handle);
            if before != Relation::Contact {
                user.relation = Relation::Asked;
                user.authorized = true;
                let answered = user.request.take().is_some();
                let ticket = self.expect(Pending::Contact(ContactChange { user: handle.clone(), before }));
                let greeting = greeting.to_owned();
                out.push(Output::ToBackend(Action::AddContact { ticket, user: handle.clone(), greeting }));
                if answered {
                    self.announce_properties(&handle, &[UserProperty::ReceivedAuthRequest], out);
                }
            }
            let told = [
                UserProperty::IsAuthorized,
                UserProperty::IsBlocked,
                UserProperty::BuddyStatus,
                UserProperty::OnlineStatus,
                UserProperty::FullName,
            ];
            self.announce_properties(&handle, &told, out);
        } else if matches!(before, Relation::Asked | Relation::Contact) {
            let user = self.users.entry(&handle);
            user.relation = Relation::Removed;
            user.presence = Presence::Offline;
            let ticket = self.expect(Pending::Contact(ContactChange { user: handle.clone(), before }));
            out.push(Output::ToBackend(Action::RemoveContact { ticket, user: handle.clone() }));
            self.announce_properties(&handle, &[UserProperty::BuddyStatus], out);
        }
        Ok(reply)
    }

    pub(super) fn set_authorized(&mut self, reply: Line, typed: &str, accept: bool, out: &mut Vec<Output>) -> Answer {
        let handle = self.names.parse(typed).ok_or(ErrorCode::INVALID_HANDLE)?;
        if !self.capabilities.authorization || !self.is_online() || handle == self.me.handle {
            return Err(ErrorCode::SET_AUTHORIZED_FAILED);
        }
        let user = self.users.entry(&handle);
        let before = user.relation;
        user.authorized = accept;
        let answered = user.request.take().is_some();
        let ticket = self.expect(Pending::Contact(ContactChange { user: handle.clone(), before }));
        out.push(Output::ToBackend(Action::AnswerAuthRequest { ticket, user: handle.clone(), accept }));
        if answered {
            self.announce_properties(&handle, &[UserProperty::ReceivedAuthRequest], out);
        }
        self.announce_properties(&handle, &[UserProperty::IsAuthorized, UserProperty::IsBlocked], out);
        Ok(reply)
    }

    /// The network has answered; what it refused did not happen.
    pub(super) fn contact_done(&mut self, change: ContactChange, done: bool, out: &mut Vec<Output>) {
        let Some(user) = self.users.get_mut(&change.user).filter(|_| !done) else { return };
        if std::mem::replace(&mut user.relation, change.before) != change.before {
            self.announce_properties(&change.user, &[UserProperty::BuddyStatus], out);
        }
    }
}

/// What others are seen as: never invisible, and never UNKNOWN, for which a client would delete
/// the contact (clients 2, rule 18).
fn online_status(presence: Presence) -> UserStatus {
    match status_of(presence) {
        UserStatus::Invisible => UserStatus::Offline,
        status => status,
    }
}

fn buddy_status(relation: Relation) -> BuddyStatus {
    match relation {
        Relation::Stranger => BuddyStatus::Never,
        Relation::Removed => BuddyStatus::Deleted,
        Relation::Asked => BuddyStatus::Pending,
        Relation::Contact => BuddyStatus::Friend,
    }
}
