//! Menu items and events of clients (skype-api 3.14).

use std::collections::BTreeMap;

use crate::skype::MenuContext;

/// An item that a client wants to have in a menu.
#[derive(Clone, Debug)]
pub struct MenuItem {
    /// In which menu.
    pub context: MenuContext,
    /// The text in the menu.
    pub caption: String,
    /// The text beside it.
    pub hint: String,
    /// Whether it can be chosen.
    pub enabled: bool,
}

/// How many items, and how many events, there may be.
const MOST: usize = 1000;

/// What clients want to be told of when somebody clicks; each by client and name.
#[derive(Debug, Default)]
pub struct Menus {
    items: BTreeMap<(u32, String), MenuItem>,
    events: BTreeMap<(u32, String), ()>,
}

impl Menus {
    /// Adds an item; `false` if the client has one of this name, or there are too many.
    pub fn add_item(&mut self, client: u32, id: &str, item: MenuItem) -> bool {
        let key = (client, id.to_owned());
        let new = self.items.len() < MOST && !self.items.contains_key(&key);
        if new {
            self.items.insert(key, item);
        }
        new
    }

    /// An item of a client, to be changed.
    pub fn item_mut(&mut self, client: u32, id: &str) -> Option<&mut MenuItem> {
        self.items.get_mut(&(client, id.to_owned()))
    }

    /// Takes an item away; `false` if there is none.
    pub fn remove_item(&mut self, client: u32, id: &str) -> bool {
        self.items.remove(&(client, id.to_owned())).is_some()
    }

    /// Adds an event; `false` if the client has one of this name, or there are too many.
    pub fn add_event(&mut self, client: u32, id: &str) -> bool {
        self.events.len() < MOST && self.events.insert((client, id.to_owned()), ()).is_none()
    }

    /// Takes an event away; `false` if there is none.
    pub fn remove_event(&mut self, client: u32, id: &str) -> bool {
        self.events.remove(&(client, id.to_owned())).is_some()
    }

    /// The clients that have an item of this name which can be chosen, and where it stands.
    pub fn with_item<'a>(&'a self, id: &'a str) -> impl Iterator<Item = (u32, MenuContext)> + 'a {
        let chosen = self.items.iter().filter(move |((_, name), item)| name == id && item.enabled);
        chosen.map(|((client, _), item)| (*client, item.context))
    }

    /// The clients that have an event of this name.
    pub fn with_event<'a>(&'a self, id: &'a str) -> impl Iterator<Item = u32> + 'a {
        self.events.keys().filter(move |(_, name)| name == id).map(|(client, _)| *client)
    }

    /// Forgets what belongs to a client.
    pub fn forget(&mut self, client: u32) {
        self.items.retain(|(owner, _), _| *owner != client);
        self.events.retain(|(owner, _), ()| *owner != client);
    }
}
