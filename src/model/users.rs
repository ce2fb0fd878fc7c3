//! Everybody the account has to do with.

use std::collections::HashMap;

use crate::model::Handle;
use crate::model::Presence;

/// How a user stands to the contact list.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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
#[derive(Clone, Debug)]
pub struct User {
    /// The handle, in the network's spelling.
    pub handle: Handle,
    /// The name for people; empty if the network tells none.
    pub name: String,
    /// Whether they are there, as far as we may know.
    pub presence: Presence,
    /// The text beside the presence.
    pub mood: String,
    /// How they stand to the contact list.
    pub relation: Relation,
    /// Whether they may see us.
    pub authorized: bool,
    /// The words with which they asked to become a contact, until answered.
    pub request: Option<String>,
    /// When they were last seen to leave, in seconds since 1970 UTC; 0 if never.
    pub last_online: u64,
}

impl User {
    /// A user of whom nothing but the handle is known.
    #[must_use]
    pub fn new(handle: Handle) -> Self {
        Self {
            handle,
            name: String::new(),
            presence: Presence::Offline,
            mood: String::new(),
            relation: Relation::default(),
            authorized: false,
            request: None,
            last_online: 0,
        }
    }

    /// Whether they are on the contact list, asked or agreed.
    #[must_use]
    pub fn is_listed(&self) -> bool {
        matches!(self.relation, Relation::Asked | Relation::Contact)
    }

    /// The name for people, or the handle.
    #[must_use]
    pub fn display_name(&self) -> &str {
        if self.name.is_empty() { self.handle.as_str() } else { &self.name }
    }
}

/// All users, in the order in which they became known.
#[derive(Debug, Default)]
pub struct Users {
    users: Vec<User>,
    by_handle: HashMap<Box<str>, usize>,
}

impl Users {
    /// The user called `handle`, in any case of letters.
    #[must_use]
    pub fn get(&self, handle: &str) -> Option<&User> {
        self.by_handle.get(&*Handle::fold(handle)).map(|index| &self.users[*index])
    }

    /// The user called `handle`, to be changed.
    pub fn get_mut(&mut self, handle: &Handle) -> Option<&mut User> {
        self.by_handle.get(&*Handle::fold(handle.as_str())).map(|index| &mut self.users[*index])
    }

    /// The user called `handle`, who becomes known if need be.
    pub fn entry(&mut self, handle: &Handle) -> &mut User {
        let key = Handle::fold(handle.as_str());
        let index = match self.by_handle.get(&*key) {
            Some(index) => *index,
            None => {
                self.users.push(User::new(handle.clone()));
                self.by_handle.insert(key.into(), self.users.len() - 1);
                self.users.len() - 1
            }
        };
        &mut self.users[index]
    }

    /// Everybody.
    pub fn iter(&self) -> impl Iterator<Item = &User> {
        self.users.iter()
    }

    /// Everybody, to be changed.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = &mut User> {
        self.users.iter_mut()
    }
}
