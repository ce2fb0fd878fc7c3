//! Accounts, and what people think of each other.

use std::sync::Arc;

use imo2skype::backend::Contact;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Message;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Typing;
use imo2skype::model::Handle;

use super::Outcome;
use super::State;
use crate::view::fold;

pub(super) struct Account {
    name: String,
    pub(super) password: String,
    mood: String,
    picture: Option<Arc<[u8]>>,
    /// What others were told last.
    shown: (Presence, String),
    /// Messages for nobody who was there.
    pub(super) kept: Vec<Message>,
}

/// What somebody thinks of somebody else.
#[derive(Clone, Default)]
pub(super) struct Relation {
    /// On the list.
    listed: bool,
    /// May see whether we are there.
    trusted: bool,
    pub(super) blocked: bool,
    alias: String,
    /// Has asked, in these words.
    asked: Option<String>,
}

impl Account {
    pub(super) fn new(name: &str, password: &str) -> Self {
        let shown = (Presence::Offline, String::new());
        let (name, password) = (name.to_owned(), password.to_owned());
        Self { name, password, mood: String::new(), picture: None, shown, kept: Vec::new() }
    }
}

impl State {
    /// The account of a user.
    pub(super) fn known(&self, user: &Handle) -> Result<String, Failure> {
        let key = fold(user);
        if self.accounts.contains_key(&key) { Ok(key) } else { Err(Failure::UnknownUser) }
    }

    pub(super) fn relation(&self, owner: &str, other: &str) -> Relation {
        self.relations.get(&(owner.to_owned(), other.to_owned())).cloned().unwrap_or_default()
    }

    fn relate(&mut self, owner: &str, other: &str, change: impl FnOnce(&mut Relation)) {
        change(self.relations.entry((owner.to_owned(), other.to_owned())).or_default());
    }

    /// What `viewer` may see of `other`.
    fn contact(&self, viewer: &str, other: &str) -> Contact {
        let (own, theirs) = (self.relation(viewer, other), self.relation(other, viewer));
        let account = &self.accounts[other];
        let visible = theirs.trusted && !theirs.blocked;
        let (presence, mood) = if visible { account.shown.clone() } else { (Presence::Offline, String::new()) };
        Contact {
            name: Some(account.name.clone()),
            presence: Some(presence),
            mood: Some(mood),
            agreed: Some(theirs.trusted),
            blocked: Some(own.blocked),
            alias: Some(own.alias),
            ..Contact::named(Handle::new(account.name.clone()))
        }
    }

    pub(super) fn list(&self, name: &str) -> Vec<Contact> {
        let listed = self.relations.iter().filter(|((owner, _), relation)| owner == name && relation.listed);
        listed.map(|((_, other), _)| self.contact(name, other)).collect()
    }

    /// Tells `viewer` of `other`, if that is a contact.
    fn tell_contact(&self, viewer: &str, other: &str) {
        if self.relation(viewer, other).listed {
            for login in self.present(viewer) {
                let contacts = vec![self.contact(viewer, other)];
                self.tell(login, Event::Contacts { contacts, complete: false });
            }
        }
    }

    pub(super) fn watchers(&self, name: &str) -> Vec<String> {
        let trusted = self.relations.iter().filter(|((owner, _), relation)| owner == name && relation.trusted);
        trusted.map(|((_, other), _)| other.clone()).collect()
    }

    /// What comes after a login besides contacts.
    pub(super) fn catch_up(&self, login: usize, name: &str) {
        for ((_, other), relation) in self.relations.iter().filter(|((owner, _), _)| owner == name) {
            if let Some(text) = &relation.asked {
                self.tell(login, Event::AuthRequest { user: Handle::new(other.clone()), text: text.clone() });
            }
            if let Some(picture) = self.accounts[other].picture.clone().filter(|_| relation.listed) {
                self.tell(login, Event::Avatar { user: Handle::new(other.clone()), picture: Some(picture) });
            }
        }
        self.tell_rooms(login, name);
    }

    pub(super) fn show(&mut self, id: usize, presence: Presence, mood: String) {
        let Some(login) = self.logins.get_mut(&id) else { return };
        login.presence = presence;
        let (online, name) = (login.online, login.account.clone());
        if !online {
            return;
        }
        if let Some(account) = self.accounts.get_mut(&name) {
            account.mood.clone_from(&mood);
        }
        for other in self.present(&name).into_iter().filter(|other| *other != id) {
            self.tell(other, Event::OwnPresence { presence, mood: Some(mood.clone()) });
        }
        self.publish(&name);
    }

    /// Tells others what the logins of an account show together.
    pub(super) fn publish(&mut self, name: &str) {
        let order = [Presence::Available, Presence::Busy, Presence::NotAvailable, Presence::Away];
        let there: Vec<_> = self.present(name).iter().map(|login| self.logins[login].presence).collect();
        let presence = order.into_iter().find(|presence| there.contains(presence)).unwrap_or(Presence::Offline);
        let Some(account) = self.accounts.get_mut(name) else { return };
        let shown = (presence, account.mood.clone());
        if account.shown != shown {
            account.shown = shown;
            for watcher in self.watchers(name) {
                self.tell_contact(&watcher, name);
            }
        }
    }

    pub(super) fn typing(&self, login: usize, user: &Handle, typing: Typing) {
        let own = self.account_of(login);
        if self.logins[&login].online && !self.relation(&fold(user), &own).blocked {
            for other in self.present(&fold(user)) {
                self.tell(other, Event::Typing { user: Handle::new(own.clone()), typing });
            }
        }
    }

    pub(super) fn add(&mut self, login: usize, user: &Handle, greeting: String) -> Outcome {
        let (own, other) = (self.account_of(login), self.known(user)?);
        self.trust(&own, &other);
        let theirs = self.relation(&other, &own);
        if !theirs.trusted && !theirs.blocked {
            for login in self.present(&other) {
                self.tell(login, Event::AuthRequest { user: Handle::new(own.clone()), text: greeting.clone() });
            }
            self.relate(&other, &own, |relation| relation.asked = Some(greeting));
        }
        Ok(Receipt::default())
    }

    /// Makes somebody a contact and lets him see us.
    fn trust(&mut self, own: &str, other: &str) {
        self.relate(own, other, |relation| {
            relation.listed = true;
            relation.trusted = true;
            relation.asked = None;
        });
        self.tell_contact(own, other);
        self.tell_contact(other, own);
    }

    pub(super) fn remove(&mut self, login: usize, user: &Handle) -> Outcome {
        let (own, other) = (self.account_of(login), self.known(user)?);
        if !self.relation(&own, &other).listed {
            return Err(Failure::Refused);
        }
        self.relate(&own, &other, |relation| *relation = Relation { blocked: relation.blocked, ..Relation::default() });
        for login in self.present(&own) {
            self.tell(login, Event::ContactRemoved(user.clone()));
        }
        self.tell_contact(&other, &own);
        Ok(Receipt::default())
    }

    pub(super) fn answer(&mut self, login: usize, user: &Handle, accept: bool) -> Outcome {
        let (own, other) = (self.account_of(login), self.known(user)?);
        if accept {
            self.trust(&own, &other);
        } else {
            self.relate(&own, &other, |relation| relation.asked = None);
        }
        Ok(Receipt::default())
    }

    pub(super) fn block(&mut self, login: usize, user: &Handle, blocked: bool) -> Outcome {
        let (own, other) = (self.account_of(login), self.known(user)?);
        self.relate(&own, &other, |relation| relation.blocked = blocked);
        self.tell_contact(&other, &own);
        Ok(Receipt::default())
    }

    pub(super) fn set_alias(&mut self, login: usize, user: &Handle, alias: String) -> Outcome {
        let (own, other) = (self.account_of(login), self.known(user)?);
        self.relate(&own, &other, |relation| relation.alias = alias);
        self.tell_contact(&own, &other);
        Ok(Receipt::default())
    }

    pub(super) fn set_avatar(&mut self, login: usize, picture: Option<Arc<[u8]>>) -> Outcome {
        let own = self.account_of(login);
        if let Some(account) = self.accounts.get_mut(&own) {
            account.picture.clone_from(&picture);
        }
        for name in self.watchers(&own).into_iter().chain([own.clone()]) {
            for login in self.present(&name) {
                self.tell(login, Event::Avatar { user: Handle::new(own.clone()), picture: picture.clone() });
            }
        }
        Ok(Receipt::default())
    }
}
