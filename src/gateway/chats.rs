//! Chats of several: founding, inviting, leaving, topics, and who is told (imo-protocol 4, 5, 6.2).
//!
//! The protocol knows no roles: every member may invite, remove and set the topic, and nobody else.

use serde_json::Value;

use crate::imo::Arguments;
use crate::imo::Buddy;

use super::accounts::Contact;
use super::accounts::User;
use super::accounts::UserId;
use super::core::Core;
use super::core::Now;
use super::db::DbResult;
use super::events;
use super::members::Chat;
use super::members::ChatId;
use super::members::Member;
use super::messages::FULL;
use super::messages::NO_CHAT;
use super::methods::ACCEPTED;
use super::methods::Outcome;
use super::methods::refuse;
use super::names::CHAT_LIMIT;
use super::names::CHAT_NAME_LIMIT;
use super::names::MEMBER_LIMIT;
use super::names::TEXT_LIMIT;
use super::names::chat_buid;
use super::names::chat_of_gid;
use super::names::gid;
use super::names::member_buid;
use super::names::split_member;

impl Core {
    /// The chat of that `gid`, if `own` is a member.
    pub(super) fn chat(&self, own: &User, gid: Option<&str>) -> DbResult<Option<Chat>> {
        match gid.and_then(|gid| chat_of_gid(&self.epoch, gid)) {
            Some(chat) => self.db.chat_of(own.id, chat),
            None => Ok(None),
        }
    }

    pub(super) fn create_shared_group(&mut self, own: &User, arguments: &Arguments) -> Outcome {
        let Some(name) = arguments.name.as_deref().filter(|name| !name.is_empty() && name.len() <= CHAT_NAME_LIMIT)
        else {
            return refuse("the name of the chat is empty or too long");
        };
        if self.db.count_chats(own.id)? >= CHAT_LIMIT {
            return refuse("one is in too many chats");
        }
        let chat = Chat { id: self.db.add_chat(name)?, name: name.to_owned(), topic: String::new() };
        self.db.add_member(chat.id, own.id, None)?;
        self.show_chat(own.id, &chat)?;
        ACCEPTED
    }

    pub(super) fn invite_to_group(&mut self, own: &User, arguments: &Arguments) -> Outcome {
        let Some(chat) = self.chat(own, arguments.gid.as_deref())? else { return refuse(NO_CHAT) };
        let Some(other) = arguments.ibuid.as_deref().map(|name| self.db.user(name)).transpose()?.flatten() else {
            return refuse("there is no such user");
        };
        let members = self.db.member_ids(chat.id)?;
        if members.contains(&other.id) {
            return ACCEPTED;
        }
        if self.db.relation(other.id, own.id)?.blocked {
            return refuse("who is invited blocks the one who invites");
        }
        if members.len() >= MEMBER_LIMIT {
            return refuse("the chat has too many members");
        }
        if other.id != self.echo && self.db.count_chats(other.id)? >= CHAT_LIMIT {
            return refuse("who is invited is in too many chats");
        }
        self.db.add_member(chat.id, other.id, Some(own.id))?;
        for member in members {
            if self.is_online(member) {
                let items = self.member_items(chat.id, member, Some(other.id))?;
                self.push_all(member, |name| events::buddy_added(name, &items));
                self.tell_picture(member, &other)?;
            }
        }
        self.show_chat(other.id, &chat)?;
        ACCEPTED
    }

    pub(super) fn kick_member(&mut self, own: &User, arguments: &Arguments) -> Outcome {
        let Some((gid, name)) = arguments.buid.as_deref().and_then(split_member) else {
            return refuse("it names no member of a chat");
        };
        let Some(chat) = self.chat(own, Some(gid))? else { return refuse(NO_CHAT) };
        let Some(other) = self.db.user(name)? else { return refuse("there is no such user") };
        self.end_membership(own, chat.id, &other)
    }

    pub(super) fn leave_group(&mut self, own: &User, arguments: &Arguments) -> Outcome {
        let Some(chat) = self.chat(own, arguments.gid.as_deref())? else { return refuse(NO_CHAT) };
        self.end_membership(own, chat.id, own)
    }

    /// `author` removes `other`, or leaves. All who were members are told, `other` among them.
    fn end_membership(&mut self, author: &User, chat: ChatId, other: &User) -> Outcome {
        let members = self.db.member_ids(chat)?;
        if !members.contains(&other.id) {
            return refuse("who is to be removed is no member");
        }
        self.db.remove_member(chat, other.id)?;
        let buid = member_buid(&gid(&self.epoch, chat), &other.name);
        for member in members {
            // The uid of this event is who did it (imo-protocol 8), to every receiver.
            self.push_all(member, |_| events::buddy_removed(&author.name, &buid));
        }
        ACCEPTED
    }

    pub(super) fn set_group_topic(&mut self, own: &User, arguments: &Arguments, now: Now) -> Outcome {
        let Some(chat) = self.chat(own, arguments.gid.as_deref())? else { return refuse(NO_CHAT) };
        let Some(topic) = arguments.topic.as_deref().filter(|topic| topic.len() <= TEXT_LIMIT) else {
            return refuse("the topic is missing or too long");
        };
        if topic == chat.topic {
            return ACCEPTED;
        }
        let Some(copies) = self.say(own, &chat, topic, true, now)? else { return refuse(FULL) };
        self.db.set_topic(chat.id, topic)?;
        let chat = Chat { topic: topic.to_owned(), ..chat };
        let item = self.chat_item(&chat);
        for member in self.db.member_ids(chat.id)? {
            self.push_all(member, |name| events::buddy_status(name, std::slice::from_ref(&item)));
        }
        self.deliver_all(&copies);
        ACCEPTED
    }

    /// Shows a chat that is new to `account` to all its logins.
    fn show_chat(&mut self, account: UserId, chat: &Chat) -> DbResult<()> {
        if !self.is_online(account) {
            return Ok(());
        }
        let items = self.chat_items(account, chat)?;
        self.push_all(account, |name| events::buddy_added(name, &items));
        let icons = self.db.icons_of_chat(account, chat.id)?;
        self.tell_icons(account, &icons);
        Ok(())
    }

    /// A chat and its members as `viewer` sees them.
    pub(super) fn chat_items(&self, viewer: UserId, chat: &Chat) -> DbResult<Vec<Buddy>> {
        let mut items = vec![self.chat_item(chat)];
        items.extend(self.member_items(chat.id, viewer, None)?);
        Ok(items)
    }

    fn chat_item(&self, chat: &Chat) -> Buddy {
        Buddy {
            buid: Some(chat_buid(&gid(&self.epoch, chat.id))),
            alias: Some(chat.name.clone()),
            group: Some("Skype".to_owned()),
            primitive: Some("available".to_owned()),
            kind: Value::from("group"),
            display: Some(chat.topic.clone()),
            ..Buddy::default()
        }
    }

    /// The members of a chat, or `only` one of them, as `viewer` sees them.
    fn member_items(&self, chat: ChatId, viewer: UserId, only: Option<UserId>) -> DbResult<Vec<Buddy>> {
        let members = self.db.members(chat, viewer, only)?;
        Ok(members.into_iter().map(|member| self.member_item(chat, member)).collect())
    }

    fn member_item(&self, chat: ChatId, member: Member) -> Buddy {
        let Member { user, inviter, alias, visible } = member;
        let item = self.item(&Contact { user, alias, visible });
        Buddy { inviter, ..self.as_member(chat, item) }
    }

    /// The item of a contact as that of a member.
    pub(super) fn as_member(&self, chat: ChatId, item: Buddy) -> Buddy {
        let gid = gid(&self.epoch, chat);
        let buid = item.buid.as_deref().map(|name| member_buid(&gid, name));
        Buddy { buid, group: Some(gid), status: None, ..item }
    }
}
