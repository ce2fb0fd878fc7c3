//! Everybody the account has to do with.

use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use crate::model::Change;
use crate::model::Details;
use crate::model::Handle;
use crate::model::Hardwired;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::Presence;
use crate::model::changed::Changed;

/// How a user stands to the contact list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Relation {
    /// Never been on it.
    #[default]
    Stranger,
    /// Taken off it.
    Removed,
    /// Asked, not answered yet.
    Asked,
    /// On it.
    Contact,
}

/// A user other than ourselves.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct User {
    /// The handle, in the network's spelling.
    pub handle: Handle,
    /// The name for people; empty if the network tells none.
    pub name: String,
    /// The name that we gave them; empty if we gave none.
    pub alias: String,
    /// Whether they are there, as far as we may know. Not kept: the network says it at each login.
    #[serde(skip)]
    pub presence: Presence,
    /// The text beside the presence.
    pub mood: String,
    /// How they stand to the contact list.
    pub relation: Relation,
    /// Whether they may see us.
    pub authorized: bool,
    /// Whether we want to hear nothing of them.
    pub blocked: bool,
    /// The words with which they asked to become a contact, until answered.
    pub request: Option<String>,
    /// When they were last seen to leave, in seconds since 1970 UTC; 0 if never.
    pub last_online: u64,
    /// The code under which a phone dials them; empty if none.
    pub speed_dial: String,
    /// Whether there was a message or a call with them.
    pub contacted: bool,
    /// The groups that clients put them in.
    pub groups: Vec<ObjectId>,
    /// What else the network tells. Not kept, like the presence.
    #[serde(skip)]
    pub details: Option<Box<Details>>,
}

impl User {
    /// A user of whom nothing but the handle is known.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self {
            handle,
            name: String::new(),
            alias: String::new(),
            presence: Presence::Offline,
            mood: String::new(),
            relation: Relation::default(),
            authorized: false,
            blocked: false,
            request: None,
            last_online: 0,
            speed_dial: String::new(),
            contacted: false,
            groups: Vec::new(),
            details: None,
        }
    }

    /// Whether they are on the contact list, asked or agreed.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        matches!(self.relation, Relation::Asked | Relation::Contact)
    }

    /// Whether they were asked and have not agreed.
    #[must_use]
    pub fn is_asked(&self) -> bool {
        self.relation == Relation::Asked
    }

    /// Whether they are seen to be there.
    #[must_use]
    pub fn is_online(&self) -> bool {
        !matches!(self.presence, Presence::Offline | Presence::Invisible)
    }

    /// Whether this is a phone number and no account (skype-api 1.7).
    #[must_use]
    pub fn is_phone(&self) -> bool {
        is_phone_number(self.handle.as_str())
    }

    /// The name for people: the one that we gave, their own, or the handle.
    #[must_use]
    pub fn display_name(&self) -> &str {
        [self.alias.as_str(), &self.name].into_iter().find(|name| !name.is_empty()).unwrap_or(self.handle.as_str())
    }

    /// Which hardwired groups they are in: one bit each.
    fn bits(&self) -> u16 {
        Hardwired::ALL.iter().enumerate().fold(0, |bits, (place, group)| bits | u16::from(self.is_in(*group)) << place)
    }
}

/// Whether a handle is a phone number: `+` and digits.
#[must_use]
pub fn is_phone_number(handle: &str) -> bool {
    handle.strip_prefix('+').is_some_and(|digits| digits.len() > 2 && digits.bytes().all(|byte| byte.is_ascii_digit()))
}

/// How many users a hardwired group has, and how many of them are there.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    users: usize,
    online: usize,
}

/// All users, in the order in which they became known. Every change goes through
/// [`change`](Self::change), so that the sizes of the hardwired groups need no counting.
#[derive(Debug, Default)]
pub struct Users {
    users: Vec<User>,
    by_handle: HashMap<Box<str>, usize>,
    by_speed_dial: HashMap<String, usize>,
    counts: [Count; Hardwired::ALL.len()],
    changed: Changed,
}

impl Users {
    /// Goes on with users who were kept.
    pub fn restore(&mut self, users: impl Iterator<Item = User>) {
        for user in users {
            self.change(&user.handle.clone(), |known| *known = user);
        }
        self.changed.watch();
    }

    /// What has to be kept.
    pub fn changes(&self, changes: &mut Vec<Change<'_>>) {
        let user = |index| {
            let user = &self.users[index as usize];
            Change::object(ObjectKind::User, Handle::fold(user.handle.as_str()), Some(user))
        };
        changes.extend(self.changed.iter().map(user));
    }

    /// Whether anything has to be kept.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// All of it is kept now.
    pub fn saved(&mut self) {
        self.changed.clear();
    }

    /// The user called `handle`, in any case of letters.
    #[must_use]
    pub fn get(&self, handle: &str) -> Option<&User> {
        self.by_handle.get(&*Handle::fold(handle)).map(|index| &self.users[*index])
    }

    /// The user of a speed-dial code.
    #[must_use]
    pub fn by_speed_dial(&self, code: &str) -> Option<&User> {
        self.by_speed_dial.get(code).map(|index| &self.users[*index])
    }

    /// Changes the user called `handle`, who becomes known if need be.
    pub fn change<T>(&mut self, handle: &Handle, change: impl FnOnce(&mut User) -> T) -> T {
        let key = Handle::fold(handle.as_str());
        let index = match self.by_handle.get(&*key) {
            Some(index) => *index,
            None => {
                self.users.push(User::new(handle.clone()));
                let index = self.users.len() - 1;
                self.by_handle.insert(key.into(), index);
                let (bits, online) = (self.users[index].bits(), false);
                self.count(bits, online, 1);
                index
            }
        };
        self.change_at(index, change)
    }

    /// Changes every user; those for whom `change` says so are returned.
    pub fn change_all(&mut self, mut change: impl FnMut(&mut User) -> bool) -> Vec<Handle> {
        let changed = (0..self.users.len()).filter(|index| self.change_at(*index, &mut change)).collect::<Vec<_>>();
        changed.into_iter().map(|index| self.users[index].handle.clone()).collect()
    }

    fn change_at<T>(&mut self, index: usize, change: impl FnOnce(&mut User) -> T) -> T {
        self.changed.note(index as u32);
        let user = &mut self.users[index];
        let (bits, online) = (user.bits(), user.is_online());
        let code = user.speed_dial.clone();
        let result = change(user);
        let (new_bits, now_online, new_code) = (user.bits(), user.is_online(), user.speed_dial.clone());
        if (bits, online) != (new_bits, now_online) {
            self.count(bits, online, -1);
            self.count(new_bits, now_online, 1);
        }
        if code != new_code {
            self.by_speed_dial.remove(&code);
            if !new_code.is_empty() {
                self.by_speed_dial.insert(new_code, index);
            }
        }
        result
    }

    fn count(&mut self, bits: u16, online: bool, by: isize) {
        for (place, count) in self.counts.iter_mut().enumerate() {
            if bits & 1 << place != 0 {
                count.users = count.users.saturating_add_signed(by);
                count.online = count.online.saturating_add_signed(if online { by } else { 0 });
            }
        }
    }

    /// How many users the hardwired group at this place has.
    #[must_use]
    pub fn group_size(&self, place: usize) -> usize {
        self.counts[place].users
    }

    /// How many of them are there.
    #[must_use]
    pub fn group_online(&self, place: usize) -> usize {
        self.counts[place].online
    }

    /// Everybody.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn the_counts_are_those_of_a_walk(
            changes in prop::collection::vec((0..5_usize, 0..7_usize, any::<bool>()), 0..40),
        ) {
            let mut users = Users::default();
            for (who, what, value) in changes {
                users.change(&Handle::new(format!("user{who}")), |user| match what {
                    0 => user.relation = if value { Relation::Contact } else { Relation::Removed },
                    1 => user.relation = Relation::Asked,
                    2 => user.presence = if value { Presence::Away } else { Presence::Offline },
                    3 => user.blocked = value,
                    4 => user.request = value.then(String::new),
                    5 => user.groups = if value { vec![ObjectId(7)] } else { Vec::new() },
                    _ => user.authorized = value,
                });
                for (place, group) in Hardwired::ALL.into_iter().enumerate() {
                    prop_assert_eq!(users.group_size(place), users.in_group(group).count());
                    let online = users.in_group(group).filter(|user| user.is_online()).count();
                    prop_assert_eq!(users.group_online(place), online);
                }
            }
        }
    }

    #[test]
    fn phone_numbers_begin_with_a_plus() {
        for (handle, phone) in [("+491234", true), ("bob", false), ("+", false), ("+49x", false), ("4912", false)] {
            assert_eq!(is_phone_number(handle), phone, "{handle}");
        }
    }
}
