//! Groups of users: those that always exist, and those that clients make (skype-api 4.11).

use std::collections::BTreeMap;

use serde::Deserialize;
use serde::Serialize;

use crate::model::Change;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::User;
use crate::model::Users;
use crate::model::changed::Changed;
use crate::skype::GroupType;

/// A group that always exists; its number is its place in [`ALL`](Self::ALL), from 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hardwired(pub GroupType);

impl Hardwired {
    /// Every one of them, in the order of their numbers.
    pub const ALL: [Self; 11] = [
        Self(GroupType::AllUsers),
        Self(GroupType::AllFriends),
        Self(GroupType::SkypeFriends),
        Self(GroupType::SkypeOutFriends),
        Self(GroupType::OnlineFriends),
        Self(GroupType::UnknownOrPendingAuthFriends),
        Self(GroupType::RecentlyContactedUsers),
        Self(GroupType::UsersWaitingMyAuthorization),
        Self(GroupType::UsersAuthorizedByMe),
        Self(GroupType::UsersBlockedByMe),
        Self(GroupType::UngroupedFriends),
    ];

    /// The group of this number.
    #[must_use]
    pub fn by_number(id: ObjectId) -> Option<(usize, Self)> {
        let place = (id.0 as usize).checked_sub(1)?;
        Self::ALL.get(place).map(|group| (place, *group))
    }
}

/// What a group is to be asked about.
#[derive(Clone, Copy, Debug)]
pub enum GroupKind<'a> {
    /// One that always exists, and its place among them.
    Hardwired(usize, Hardwired),
    /// One that a client made.
    Custom(&'a Group),
}

/// A group that a client made.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Group {
    /// Its name.
    pub name: String,
    /// Who is in it, in the order in which they were added.
    pub members: Vec<Handle>,
    /// How many of them are there.
    #[serde(skip)]
    pub online: usize,
}

/// How many groups clients may make.
const MOST_GROUPS: usize = 10_000;

/// The groups that clients made.
#[derive(Debug, Default)]
pub struct Groups {
    groups: BTreeMap<ObjectId, Group>,
    changed: Changed,
}

impl Groups {
    /// Goes on with groups that were kept.
    pub fn restore(&mut self, groups: impl Iterator<Item = (u32, Group)>) {
        self.groups.extend(groups.map(|(id, group)| (ObjectId(id), group)));
        self.changed.watch();
    }

    /// What has to be kept.
    pub fn changes(&self, changes: &mut Vec<Change<'_>>) {
        let group = |id| Change::object(ObjectKind::Group, id, self.groups.get(&ObjectId(id)));
        changes.extend(self.changed.iter().map(group));
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

    /// The group of this number, hardwired or made.
    #[must_use]
    pub fn find(&self, id: ObjectId) -> Option<GroupKind<'_>> {
        match Hardwired::by_number(id) {
            Some((place, group)) => Some(GroupKind::Hardwired(place, group)),
            None => self.groups.get(&id).map(GroupKind::Custom),
        }
    }

    /// The group of this number that a client made.
    #[must_use]
    pub fn custom(&self, id: ObjectId) -> Option<&Group> {
        self.groups.get(&id)
    }

    /// The same, to be changed.
    pub fn custom_mut(&mut self, id: ObjectId) -> Option<&mut Group> {
        self.changed.note(id.0);
        self.groups.get_mut(&id)
    }

    /// Adds an empty group.
    pub fn add(&mut self, id: ObjectId, name: String) {
        self.changed.note(id.0);
        self.groups.insert(id, Group { name, members: Vec::new(), online: 0 });
    }

    /// Whether one more may be made.
    #[must_use]
    pub fn has_room(&self) -> bool {
        self.groups.len() < MOST_GROUPS
    }

    /// Takes a group away.
    pub fn remove(&mut self, id: ObjectId) -> Option<Group> {
        self.changed.note(id.0);
        self.groups.remove(&id)
    }

    /// The numbers of the groups that clients made, oldest first.
    pub fn ids(&self) -> impl Iterator<Item = ObjectId> {
        self.groups.keys().copied()
    }
}

impl User {
    /// Whether the user is in a hardwired group, as far as the user alone decides that.
    #[must_use]
    pub fn is_in(&self, group: Hardwired) -> bool {
        match group.0 {
            GroupType::AllUsers => true,
            GroupType::AllFriends | GroupType::SkypeFriends => self.is_listed() && !self.is_phone(),
            GroupType::SkypeOutFriends => self.is_listed() && self.is_phone(),
            GroupType::OnlineFriends => self.is_listed() && self.is_online(),
            GroupType::UnknownOrPendingAuthFriends => self.is_asked(),
            GroupType::RecentlyContactedUsers => self.contacted,
            GroupType::UsersWaitingMyAuthorization => self.request.is_some(),
            GroupType::UsersAuthorizedByMe => self.authorized,
            GroupType::UsersBlockedByMe => self.blocked,
            GroupType::UngroupedFriends => self.is_listed() && self.groups.is_empty(),
            GroupType::Custom | GroupType::Shared | GroupType::ProposedShared => false,
        }
    }
}

impl Users {
    /// Who is in a hardwired group.
    pub fn in_group(&self, group: Hardwired) -> impl Iterator<Item = &User> {
        self.iter().filter(move |user| user.is_in(group))
    }
}
