//! What a client does with its contacts: asking, answering, removing, blocking (imo-protocol 4).

use super::accounts::Relation;
use super::accounts::User;
use super::core::Core;
use super::db::DbResult;
use super::events;
use super::methods::ACCEPTED;
use super::methods::Outcome;
use super::methods::refuse;
use super::names::CONTACT_LIMIT;
use super::names::TEXT_LIMIT;

const TOO_MANY: &str = "there are too many contacts";

impl Core {
    pub(super) fn add_buddy(&mut self, own: &User, other: &User, words: &str) -> Outcome {
        if words.len() > TEXT_LIMIT {
            return refuse("the greeting is too long");
        }
        let Some(before) = self.list(own, other)? else { return refuse(TOO_MANY) };
        let mut theirs = self.db.relation(other.id, own.id)?;
        if !theirs.authorised {
            if other.id == self.echo {
                theirs.authorised = true;
            } else if !theirs.blocked {
                theirs.request = Some(words.to_owned());
                self.push_all(other.id, |name| events::buddy_request(name, &own.name, words));
            }
            self.db.set_relation(other.id, own.id, &theirs)?;
        }
        self.show_list(own, other, &before)
    }

    pub(super) fn auth_add(&mut self, own: &User, other: &User) -> Outcome {
        match self.list(own, other)? {
            Some(before) => self.show_list(own, other, &before),
            None => refuse(TOO_MANY),
        }
    }

    /// Puts `other` on the list and lets it see our presence. Returns what was before.
    fn list(&mut self, own: &User, other: &User) -> DbResult<Option<Relation>> {
        let before = self.db.relation(own.id, other.id)?;
        if !before.listed && self.db.count_contacts(own.id)? >= CONTACT_LIMIT {
            return Ok(None);
        }
        let after = Relation { listed: true, authorised: true, request: None, ..before.clone() };
        self.db.set_relation(own.id, other.id, &after)?;
        Ok(Some(before))
    }

    /// Tells both sides after [`list`](Self::list).
    fn show_list(&mut self, own: &User, other: &User, before: &Relation) -> Outcome {
        let item = self.item_of(own.id, other, before)?;
        self.push_all(own.id, |name| events::buddy_added(name, &[item]));
        self.tell_picture(own.id, other)?;
        if !before.authorised {
            self.tell_presence(other.id, own)?;
        }
        ACCEPTED
    }

    pub(super) fn del_buddy(&mut self, own: &User, other: &User) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        if !before.listed {
            return refuse("it is no contact");
        }
        let after = Relation { blocked: before.blocked, ..Relation::default() };
        self.db.set_relation(own.id, other.id, &after)?;
        // What we asked of them is off, too.
        let theirs = self.db.relation(other.id, own.id)?;
        if theirs.request.is_some() {
            if !theirs.listed {
                self.push_all(other.id, |name| events::buddy_removed(name, &own.name));
            }
            self.db.set_relation(other.id, own.id, &Relation { request: None, ..theirs })?;
        }
        self.push_all(own.id, |name| events::buddy_removed(name, &other.name));
        if before.alias.is_some() {
            // In a chat the contact has its own name again.
            self.tell_presence(own.id, other)?;
        }
        if before.shows_presence() {
            self.tell_presence(other.id, own)?;
        }
        ACCEPTED
    }

    pub(super) fn change_buddy_alias(&mut self, own: &User, other: &User, alias: Option<String>) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        let alias = alias.filter(|alias| !alias.is_empty());
        if !before.listed {
            return refuse("it is no contact");
        }
        if alias.as_ref().is_some_and(|alias| alias.len() > TEXT_LIMIT) {
            return refuse("the alias is too long");
        }
        self.db.set_relation(own.id, other.id, &Relation { alias, ..before })?;
        self.tell_presence(own.id, other).map(Some)
    }

    /// Changes what we think of `other`, and tells it what it now sees of us.
    pub(super) fn change(&mut self, own: &User, other: &User, change: impl FnOnce(&mut Relation)) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.db.set_relation(own.id, other.id, &after)?;
            if after.shows_presence() != before.shows_presence() {
                self.tell_presence(other.id, own)?;
            }
        }
        ACCEPTED
    }

    /// Blocks `other`; a call between the two is over.
    pub(super) fn block_buddy(&mut self, own: &User, other: &User) -> Outcome {
        self.end_call(own.id, other.id);
        self.change(own, other, |relation| relation.blocked = true)
    }

    /// Refuses authorisation. The other logins forget who asked.
    pub(super) fn refuse_request(&mut self, ssid: &str, own: &User, other: &User, block: bool) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        if before.request.is_some() && !before.listed {
            self.push_others(own.id, ssid, |name| events::buddy_removed(name, &other.name));
        }
        if block {
            self.end_call(own.id, other.id);
        }
        self.change(own, other, |relation| {
            relation.request = None;
            relation.authorised = false;
            relation.blocked |= block;
        })
    }
}
