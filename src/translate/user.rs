//! Users and the contact list (skype-api 3.3, 4.1, 7.5).

use crate::backend::Ability;
use crate::backend::Contact;
use crate::backend::Presence;
use crate::backend::Task;
use crate::model::Details;
use crate::model::Handle;
use crate::model::Region;
use crate::model::Relation;
use crate::model::User;
use crate::skype::BuddyStatus;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::ProfileProperty;
use crate::skype::Protocol;
use crate::skype::Separator;
use crate::skype::Sex;
use crate::skype::UserProperty;
use crate::skype::UserStatus;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::connection::status_of;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;
use crate::translate::profile::escape;
use crate::translate::profile::region;

/// What somebody says who asks to become a contact and says nothing (skype-api 7.5, matrix-mapping 5.3).
const WORDLESS_REQUEST: &str = "Please allow me to see when you are online";

/// A change of a contact that the network has not confirmed yet.
pub(super) struct ContactChange {
    user: Handle,
    /// What to go back to if the network refuses.
    before: Before,
    /// The words of a request that the change has answered.
    request: Option<String>,
}

enum Before {
    /// How they stood to the list, whether they could see us, and whether they were there.
    Relation(Relation, bool, Presence),
    Authorized(bool),
    Blocked(bool),
    Alias(String),
}

impl Engine {
    pub(super) fn get_user(&self, reply: Line, typed: &str, property: UserProperty, protocol: Protocol) -> Answer {
        if let Some(user) = self.known_user(typed) {
            return Ok(self.user_value(reply, user, property, protocol));
        }
        let handle = self.names.parse(typed).ok_or(ErrorCode::GET_USER_INVALID_HANDLE)?;
        // A well-formed name that nobody here knows: empty values, no error (skype-api 8).
        let stranger = User::new(handle);
        let user = self.known_user(stranger.handle.as_str()).unwrap_or(&stranger);
        Ok(self.user_value(reply, user, property, protocol))
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
    fn user_value(&self, line: Line, user: &User, property: UserProperty, protocol: Protocol) -> Line {
        let me = self.is_me(user);
        // What we are is in the profile, under the same words (skype-api 4.1, 4.2).
        if me && let Some(own) = ProfileProperty::parse(property.word()) {
            return self.profile_value(line, own, protocol);
        }
        let details = user.details.as_deref();
        let text = |which: fn(&Details) -> &String| details.map_or("", |details| which(details).as_str());
        let place = |line: Line, place: Option<&Region>| match place {
            Some(place) => region(line, &place.code, &place.name, protocol),
            None => line.part(""),
        };
        match property {
            UserProperty::Handle => line.part(user.handle.as_str()),
            UserProperty::FullName => line.one_line(&user.name),
            UserProperty::DisplayName => line.one_line(&user.alias),
            UserProperty::MoodText => line.part(&user.mood),
            UserProperty::RichMoodText => line.part(&escape(&user.mood)),
            UserProperty::OnlineStatus => line.part(self.online_word(user, protocol)),
            UserProperty::BuddyStatus => {
                line.part(buddy_status(if me { Relation::Contact } else { user.relation }).word())
            }
            UserProperty::IsAuthorized => line.boolean(me || user.authorized),
            UserProperty::IsBlocked => line.boolean(user.blocked),
            UserProperty::ReceivedAuthRequest => line.part(user.request.as_deref().unwrap_or("")),
            UserProperty::LastOnlineTimestamp => line.value(user.last_online),
            UserProperty::HasCallEquipment => line.boolean(true),
            UserProperty::Sex => line.part(details.and_then(|details| details.sex).unwrap_or(Sex::Unknown).word()),
            UserProperty::Birthday => line.value(details.and_then(|details| details.birthday).unwrap_or(0)),
            UserProperty::Timezone => {
                line.value(details.and_then(|details| details.timezone).map_or(0, |offset| 86_400 + offset))
            }
            UserProperty::NumberOfAuthedBuddies if me => line.value(self.users.group_size(1)),
            UserProperty::NumberOfAuthedBuddies => line.value(details.map_or(0, |details| details.contacts)),
            UserProperty::IsVideoCapable => {
                line.boolean(details.is_some_and(|details| details.video) && self.capabilities.can(Ability::Video))
            }
            UserProperty::IsVoicemailCapable | UserProperty::CanLeaveVoicemail => {
                line.boolean(self.capabilities.can(Ability::Voicemails))
            }
            UserProperty::IsCallForwardActive => line.boolean(false),
            UserProperty::Language => place(line, details.and_then(|details| details.language.as_ref())),
            UserProperty::Country => place(line, details.and_then(|details| details.country.as_ref())),
            UserProperty::Province => line.one_line(text(|details| &details.province)),
            UserProperty::City => line.one_line(text(|details| &details.city)),
            UserProperty::PhoneHome => line.one_line(text(|details| &details.phone_home)),
            UserProperty::PhoneOffice => line.one_line(text(|details| &details.phone_office)),
            UserProperty::PhoneMobile => line.one_line(text(|details| &details.phone_mobile)),
            UserProperty::Homepage => line.one_line(text(|details| &details.homepage)),
            UserProperty::About => line.part(text(|details| &details.about)),
            UserProperty::SpeedDial => line.part(&user.speed_dial),
            UserProperty::Aliases => {
                line.list(Separator::Space, details.map_or(&[][..], |details| &details.aliases[..]))
            }
            // Written into a file, never into a line.
            UserProperty::Avatar => line.part(""),
        }
    }

    fn is_me(&self, user: &User) -> bool {
        std::ptr::eq(user, &raw const self.me)
    }

    /// What somebody is seen as: never invisible, and never UNKNOWN, for which a client would
    /// delete the contact (clients 2, rule 18).
    pub(super) fn online_word(&self, user: &User, protocol: Protocol) -> &'static str {
        let status = if self.is_me(user) {
            self.user_status()
        } else if user.is_phone() {
            return "SKYPEOUT";
        } else {
            status_of(user.presence)
        };
        status_word(status, protocol)
    }

    pub(super) fn announce_user(&self, user: &User, property: UserProperty, out: &mut Vec<Output>) {
        let line = |protocol| {
            let line = Line::about("USER", &user.handle, property.word());
            (protocol >= property.since()).then(|| self.user_value(line, user, property, protocol))
        };
        self.announce_by(line, out);
    }

    pub(super) fn announce_me(&self, property: UserProperty, out: &mut Vec<Output>) {
        self.announce_user(&self.me, property, out);
    }

    /// Says several properties of a user, one after the other.
    pub(super) fn announce_properties(&self, handle: &Handle, properties: &[UserProperty], out: &mut Vec<Output>) {
        if let Some(user) = self.users.get(handle.as_str()) {
            for property in properties {
                self.announce_user(user, *property, out);
            }
        }
    }

    /// Without a connection nobody is known to be there.
    pub(super) fn users_leave(&mut self, now: Now, out: &mut Vec<Output>) {
        let left = self.users.change_all(|user| {
            let there = std::mem::replace(&mut user.presence, Presence::Offline) != Presence::Offline;
            if there {
                user.last_online = now.unix;
            }
            there
        });
        for handle in left {
            self.announce_properties(&handle, &[UserProperty::OnlineStatus], out);
            self.recount_groups_of(&handle, out);
        }
    }

    pub(super) fn contacts(&mut self, contacts: Vec<Contact>, complete: bool, now: Now, out: &mut Vec<Output>) {
        if complete {
            self.remove_all_but(&contacts, out);
        }
        for contact in contacts {
            let handle = contact.handle.clone();
            let changed = self.users.change(&handle, |user| take_over(user, contact, now));
            // What was there before the login is told when it has succeeded.
            if self.is_online() {
                self.announce_properties(&handle, &changed, out);
            }
            if changed.contains(&UserProperty::OnlineStatus) {
                self.recount_groups_of(&handle, out);
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
        let known = self.users.get(handle.as_str());
        if known.is_some_and(User::is_listed) {
            self.take_off_the_list(handle, out);
        } else if known.is_some_and(|user| user.request.is_some()) {
            // Who is no contact has withdrawn the request, or was refused in another login.
            self.users.change(handle, |user| user.request = None);
            self.announce_properties(handle, &[UserProperty::ReceivedAuthRequest], out);
        }
        self.leave_groups(handle, out);
    }

    fn take_off_the_list(&mut self, handle: &Handle, out: &mut Vec<Output>) {
        self.users.change(handle, |user| {
            user.relation = Relation::Removed;
            user.presence = Presence::Offline;
        });
        self.announce_properties(handle, &[UserProperty::BuddyStatus], out);
    }

    pub(super) fn auth_request(&mut self, handle: &Handle, text: String, now: Now, out: &mut Vec<Output>) {
        // An empty value says that nobody asks (skype-api 3.3).
        let text = if text.is_empty() { WORDLESS_REQUEST.to_owned() } else { text };
        // Networks repeat what was not answered yet.
        if self.users.get(handle.as_str()).is_some_and(|user| user.request.as_ref() == Some(&text)) {
            return;
        }
        self.users.change(handle, |user| user.request = Some(text.clone()));
        self.announce_properties(handle, &[UserProperty::ReceivedAuthRequest], out);
        self.say_auth_request(handle, text, now, out);
    }

    /// The user that a command is about: one of the network, and not ourselves.
    fn other_user(&self, typed: &str, refused: ErrorCode) -> Result<Handle, ErrorCode> {
        let handle = self.names.parse(typed).ok_or(ErrorCode::INVALID_HANDLE)?;
        if handle == self.me.handle { Err(refused) } else { Ok(handle) }
    }

    /// The same, for what the network has to be there for.
    fn reachable_user(&self, typed: &str, refused: ErrorCode) -> Result<Handle, ErrorCode> {
        let handle = self.other_user(typed, refused)?;
        if self.is_online() { Ok(handle) } else { Err(refused) }
    }

    /// Has the network change something about a user; a request of theirs that this answers is no longer one.
    fn ask_about(&mut self, task: Task, change: ContactChange, out: &mut Vec<Output>) {
        let answers = change.request.as_ref().map(|_| change.user.clone());
        self.ask(task, Pending::Contact(change), out);
        if let Some(user) = answers {
            self.announce_properties(&user, &[UserProperty::ReceivedAuthRequest], out);
        }
    }

    pub(super) fn set_buddy_status(
        &mut self,
        reply: Line,
        typed: &str,
        status: BuddyStatus,
        greeting: &str,
        out: &mut Vec<Output>,
    ) -> Answer {
        let handle = self.reachable_user(typed, ErrorCode::SET_BUDDYSTATUS_FAILED)?;
        let known = self.users.get(handle.as_str());
        let (before, authorized, presence) = known.map_or((Relation::Stranger, false, Presence::Offline), |user| {
            (user.relation, user.authorized, user.presence)
        });
        let undo = Before::Relation(before, authorized, presence);
        let mut change = ContactChange { user: handle.clone(), before: undo, request: None };
        if status == BuddyStatus::Pending {
            if before != Relation::Contact {
                change.request = self.users.change(&handle, |user| {
                    user.relation = Relation::Asked;
                    user.authorized = true;
                    user.request.take()
                });
                let task = Task::AddContact { user: handle.clone(), greeting: greeting.to_owned() };
                self.ask_about(task, change, out);
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
            self.ask_about(Task::RemoveContact { user: handle.clone() }, change, out);
            self.take_off_the_list(&handle, out);
        }
        Ok(reply)
    }

    pub(super) fn set_authorized(&mut self, reply: Line, typed: &str, accept: bool, out: &mut Vec<Output>) -> Answer {
        let handle = self.reachable_user(typed, ErrorCode::SET_AUTHORIZED_FAILED)?;
        let (before, request) = self.users.change(&handle, |user| {
            let before = std::mem::replace(&mut user.authorized, accept);
            (before, user.request.take())
        });
        let task = Task::AnswerAuthRequest { user: handle.clone(), accept };
        let change = ContactChange { user: handle.clone(), before: Before::Authorized(before), request };
        self.ask_about(task, change, out);
        self.announce_properties(&handle, &[UserProperty::IsAuthorized, UserProperty::IsBlocked], out);
        Ok(reply)
    }

    pub(super) fn set_blocked(&mut self, reply: Line, typed: &str, blocked: bool, out: &mut Vec<Output>) -> Answer {
        let handle = self.reachable_user(typed, ErrorCode::SET_AUTHORIZED_FAILED)?;
        let (before, request) = self.users.change(&handle, |user| {
            let before = std::mem::replace(&mut user.blocked, blocked);
            // To block is an answer too.
            (before, if blocked { user.request.take() } else { None })
        });
        // Asked even if nothing changes here: not every network tells whom we have blocked before.
        let change = ContactChange { user: handle.clone(), before: Before::Blocked(before), request };
        self.ask_about(Task::Block { user: handle.clone(), blocked }, change, out);
        self.announce_properties(&handle, &[UserProperty::IsBlocked], out);
        Ok(reply)
    }

    pub(super) fn set_speed_dial(&mut self, reply: Line, typed: &str, code: &str, out: &mut Vec<Output>) -> Answer {
        let handle = self.other_user(typed, ErrorCode::SET_SPEEDDIAL_FAILED)?;
        // One code dials one user.
        if self.users.by_speed_dial(code).is_some_and(|user| user.handle != handle) {
            return Err(ErrorCode::SET_SPEEDDIAL_FAILED);
        }
        self.users.change(&handle, |user| code.clone_into(&mut user.speed_dial));
        self.announce_properties(&handle, &[UserProperty::SpeedDial], out);
        Ok(reply.part(code))
    }

    pub(super) fn set_alias(&mut self, reply: Line, typed: &str, alias: &str, out: &mut Vec<Output>) -> Answer {
        let handle = self.other_user(typed, ErrorCode::SET_INVALID_WHAT)?;
        // Kept by the session alone where the network has no place for it.
        let listed = self.users.get(handle.as_str()).is_some_and(User::is_listed);
        let shared = listed && self.is_online() && self.capabilities.can(Ability::Aliases);
        if shared && !self.may_ask() {
            return Err(ErrorCode::SET_INVALID_WHAT);
        }
        let before = self.users.change(&handle, |user| std::mem::replace(&mut user.alias, alias.to_owned()));
        if shared {
            let change = ContactChange { user: handle.clone(), before: Before::Alias(before), request: None };
            self.ask_about(Task::SetAlias { user: handle.clone(), alias: alias.to_owned() }, change, out);
        }
        self.announce_properties(&handle, &[UserProperty::DisplayName], out);
        Ok(reply.part(alias))
    }

    /// The network has answered; what it refused did not happen.
    pub(super) fn contact_done(&mut self, change: ContactChange, done: bool, out: &mut Vec<Output>) {
        if done {
            // Who is no contact any more is in no group.
            if matches!(change.before, Before::Relation(..))
                && self.users.get(change.user.as_str()).is_some_and(|user| !user.is_listed())
            {
                self.leave_groups(&change.user, out);
            }
            return;
        }
        let told = self.users.change(&change.user, |user| match change.before {
            Before::Relation(relation, authorized, presence) => {
                let told = [
                    (UserProperty::IsAuthorized, user.authorized != authorized),
                    (UserProperty::BuddyStatus, user.relation != relation),
                    (UserProperty::OnlineStatus, user.presence != presence),
                ];
                (user.relation, user.authorized, user.presence) = (relation, authorized, presence);
                told.into_iter().filter(|(_, changed)| *changed).map(|(property, _)| property).collect()
            }
            Before::Authorized(authorized) => {
                user.authorized = authorized;
                vec![UserProperty::IsAuthorized]
            }
            Before::Blocked(blocked) => {
                user.blocked = blocked;
                vec![UserProperty::IsBlocked]
            }
            Before::Alias(alias) => {
                user.alias = alias;
                vec![UserProperty::DisplayName]
            }
        });
        self.announce_properties(&change.user, &told, out);
        // Who asked still waits, unless they have asked again.
        if change.request.is_some() && self.users.get(change.user.as_str()).is_some_and(|user| user.request.is_none()) {
            self.users.change(&change.user, |user| user.request = change.request);
            self.announce_properties(&change.user, &[UserProperty::ReceivedAuthRequest], out);
        }
    }
}

/// Takes over what a network tells of a contact; returns what has changed, in the order in which
/// it is told (skype-api 7.5).
fn take_over(user: &mut User, contact: Contact, now: Now) -> Vec<UserProperty> {
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
    if let Some(alias) = contact.alias.filter(|alias| *alias != user.alias) {
        user.alias = alias;
        changed.push(UserProperty::DisplayName);
    }
    // Who hides is not there to others.
    let presence = contact.presence.map(|presence| match presence {
        Presence::Invisible => Presence::Offline,
        presence => presence,
    });
    if let Some(presence) = presence.filter(|presence| *presence != user.presence) {
        user.presence = presence;
        changed.push(UserProperty::OnlineStatus);
        if presence == Presence::Offline {
            user.last_online = now.unix;
            changed.push(UserProperty::LastOnlineTimestamp);
        }
    } else if changed.contains(&UserProperty::BuddyStatus) {
        changed.push(UserProperty::OnlineStatus);
    }
    if let Some(mood) = contact.mood.filter(|mood| *mood != user.mood) {
        user.mood = mood;
        changed.extend([UserProperty::MoodText, UserProperty::RichMoodText]);
    }
    if let Some(blocked) = contact.blocked.filter(|blocked| *blocked != user.blocked) {
        user.blocked = blocked;
        changed.push(UserProperty::IsBlocked);
    }
    if let Some(details) = contact.details {
        let before = user.details.take().unwrap_or_default();
        changed.extend(changed_details(&before, &details));
        user.details = Some(details);
    }
    changed
}

/// What is different in what a network tells of a user.
fn changed_details(before: &Details, after: &Details) -> impl Iterator<Item = UserProperty> {
    [
        (UserProperty::Timezone, before.timezone != after.timezone),
        (UserProperty::Language, before.language != after.language),
        (UserProperty::Country, before.country != after.country),
        (UserProperty::Province, before.province != after.province),
        (UserProperty::City, before.city != after.city),
        (UserProperty::Birthday, before.birthday != after.birthday),
        (UserProperty::Sex, before.sex != after.sex),
        (UserProperty::PhoneHome, before.phone_home != after.phone_home),
        (UserProperty::PhoneOffice, before.phone_office != after.phone_office),
        (UserProperty::PhoneMobile, before.phone_mobile != after.phone_mobile),
        (UserProperty::Homepage, before.homepage != after.homepage),
        (UserProperty::About, before.about != after.about),
        (UserProperty::NumberOfAuthedBuddies, before.contacts != after.contacts),
        (UserProperty::IsVideoCapable, before.video != after.video),
        (UserProperty::Aliases, before.aliases != after.aliases),
    ]
    .into_iter()
    .filter(|(_, changed)| *changed)
    .map(|(property, _)| property)
}

/// The word for a status; the first protocol had none for SKYPEME (skype-api 2).
pub(super) fn status_word(status: UserStatus, protocol: Protocol) -> &'static str {
    match status {
        UserStatus::SkypeMe if protocol == Protocol::LOWEST => UserStatus::Online.word(),
        status => status.word(),
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
