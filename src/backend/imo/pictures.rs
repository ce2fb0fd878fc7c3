//! The pictures of users: which are wanted, and which are kept (imo-protocol 1, 5). Pure.

use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::sync::Arc;

use crate::backend::Event;
use crate::model::Handle;

/// The longest picture, in bytes.
pub(super) const MAX_PICTURE: usize = 256 << 10;
/// How much memory the pictures of an account take.
const MAX_MEMORY: usize = 32 << 20;
/// How many users may have pictures.
const MAX_USERS: usize = 65_536;

/// The pictures of one account. They outlive its sessions, so that a login fetches none again.
#[derive(Debug, Default)]
pub(super) struct Pictures {
    /// By the name of the icon.
    kept: HashMap<String, Arc<[u8]>>,
    memory: usize,
    /// Who has which icon.
    icons: HashMap<String, String>,
    /// Icons to fetch, and who waits for them.
    wanted: VecDeque<String>,
    waiting: HashMap<String, Vec<Handle>>,
}

impl Pictures {
    /// A user has this icon now; an empty one is none.
    pub(super) fn told(&mut self, user: Handle, icon: String) -> Option<Event> {
        let key = Handle::fold(user.as_str()).into_owned();
        if icon.is_empty() {
            return self.icons.remove(&key).map(|_| Event::Avatar { user, picture: None });
        }
        if self.icons.get(&key) == Some(&icon) {
            return None;
        }
        let full = self.icons.len() >= MAX_USERS && !self.icons.contains_key(&key);
        if full || self.wanted.len() >= MAX_USERS {
            tracing::warn!(user = %user, "too many pictures: skipped");
            return None;
        }
        self.icons.insert(key, icon.clone());
        if let Some(picture) = self.kept.get(&icon) {
            return Some(Event::Avatar { user, picture: Some(Arc::clone(picture)) });
        }
        let waiting = self.waiting.entry(icon.clone()).or_default();
        if waiting.is_empty() {
            self.wanted.push_back(icon);
        }
        waiting.push(user);
        None
    }

    /// The icon to fetch next; it stays the next until it is fetched or given up.
    pub(super) fn next(&self) -> Option<&str> {
        self.wanted.front().map(String::as_str)
    }

    /// An icon is there: who waited for it, and still has it, has this picture.
    pub(super) fn fetched(&mut self, icon: &str, picture: Arc<[u8]>) -> Vec<Event> {
        if self.memory + picture.len() > MAX_MEMORY {
            self.forget_unused();
        }
        if self.memory + picture.len() > MAX_MEMORY {
            tracing::warn!(icon, limit = MAX_MEMORY, "no memory for one more picture: skipped");
            self.give_up(icon);
            return Vec::new();
        }
        self.memory += picture.len();
        self.kept.insert(icon.to_owned(), Arc::clone(&picture));
        let has_it = |user: &Handle| self.icons.get(&*Handle::fold(user.as_str())).is_some_and(|known| known == icon);
        let told = |user| Event::Avatar { user, picture: Some(Arc::clone(&picture)) };
        let users = take(&mut self.wanted, &mut self.waiting, icon);
        users.into_iter().filter(has_it).map(told).collect()
    }

    /// An icon cannot be had; it is tried again when the server tells of it again.
    pub(super) fn give_up(&mut self, icon: &str) {
        for user in take(&mut self.wanted, &mut self.waiting, icon) {
            let key = Handle::fold(user.as_str());
            if self.icons.get(&*key).is_some_and(|known| known == icon) {
                self.icons.remove(&*key);
            }
        }
    }

    fn forget_unused(&mut self) {
        let used: HashSet<_> = self.icons.values().collect();
        self.kept.retain(|icon, _| used.contains(icon));
        self.memory = self.kept.values().map(|picture| picture.len()).sum();
    }
}

/// Nobody waits for this icon any more; tells who did.
fn take(wanted: &mut VecDeque<String>, waiting: &mut HashMap<String, Vec<Handle>>, icon: &str) -> Vec<Handle> {
    wanted.retain(|known| known != icon);
    waiting.remove(icon).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(event: &Event) -> (&str, Option<usize>) {
        match event {
            Event::Avatar { user, picture } => (user.as_str(), picture.as_ref().map(|picture| picture.len())),
            other => panic!("no picture: {other:?}"),
        }
    }

    fn tell(pictures: &mut Pictures, user: &str, icon: &str) -> Option<Event> {
        pictures.told(Handle::new(user), icon.to_owned())
    }

    fn bytes(length: usize) -> Arc<[u8]> {
        vec![1; length].into()
    }

    #[test]
    fn one_icon_is_fetched_once_for_all_who_have_it() {
        let mut pictures = Pictures::default();
        assert!(tell(&mut pictures, "bob", "a").is_none());
        assert!(tell(&mut pictures, "carol", "a").is_none());
        assert!(tell(&mut pictures, "dave", "b").is_none());
        assert_eq!(pictures.next(), Some("a"));
        let events = pictures.fetched("a", bytes(3));
        assert_eq!(events.iter().map(told).collect::<Vec<_>>(), [("bob", Some(3)), ("carol", Some(3))]);
        assert_eq!(pictures.next(), Some("b"));
        // Told again, for instance after a new login, and by somebody else.
        assert!(tell(&mut pictures, "Bob", "a").is_none());
        assert_eq!(told(&tell(&mut pictures, "erik", "a").expect("kept")), ("erik", Some(3)));
        assert_eq!(told(&tell(&mut pictures, "bob", "").expect("gone")), ("bob", None));
        assert!(tell(&mut pictures, "bob", "").is_none());
    }

    #[test]
    fn who_has_another_icon_by_then_gets_that() {
        let mut pictures = Pictures::default();
        tell(&mut pictures, "bob", "a");
        tell(&mut pictures, "bob", "b");
        assert!(pictures.fetched("a", bytes(1)).is_empty());
        assert_eq!(pictures.fetched("b", bytes(2)).iter().map(told).collect::<Vec<_>>(), [("bob", Some(2))]);
    }

    #[test]
    fn what_cannot_be_had_is_tried_again_when_it_is_told_again() {
        let mut pictures = Pictures::default();
        tell(&mut pictures, "bob", "a");
        pictures.give_up("a");
        assert_eq!(pictures.next(), None);
        tell(&mut pictures, "bob", "a");
        assert_eq!(pictures.next(), Some("a"));
    }

    #[test]
    fn users_and_wishes_are_bounded() {
        let mut pictures = Pictures::default();
        for number in 0..MAX_USERS + 5 {
            tell(&mut pictures, "bob", &number.to_string());
            tell(&mut pictures, &format!("u{number}"), "one");
        }
        assert_eq!((pictures.wanted.len(), pictures.waiting.len()), (MAX_USERS, MAX_USERS));
        assert!(pictures.icons.len() <= MAX_USERS);
    }

    #[test]
    fn memory_is_bounded_and_goes_to_those_in_use() {
        let mut pictures = Pictures::default();
        let most = MAX_MEMORY / MAX_PICTURE;
        let fetch = |pictures: &mut Pictures, user: &str, icon: &str| {
            tell(pictures, user, icon);
            pictures.fetched(icon, bytes(MAX_PICTURE)).len()
        };
        for number in 0..most {
            assert_eq!(fetch(&mut pictures, &format!("u{number}"), &format!("i{number}")), 1);
        }
        assert_eq!(fetch(&mut pictures, "late", "late"), 0);
        assert_eq!(pictures.next(), None);
        // Of somebody who has another picture, the one before is forgotten.
        assert_eq!(fetch(&mut pictures, "u0", "other"), 1);
        assert!(pictures.memory <= MAX_MEMORY);
    }
}
