//! What is done to chats: `ALTER CHAT`, `ALTER CHATMEMBER` (skype-api 3.6, 7.4).

use crate::backend::Ability;
use crate::backend::Change;
use crate::model::ChatIndex;
use crate::model::Handle;
use crate::model::Kind;
use crate::model::Member;
use crate::model::Message;
use crate::model::MyStatus;
use crate::model::ObjectId;
use crate::model::Place;
use crate::model::Role;
use crate::model::State;
use crate::skype::AlterChat;
use crate::skype::ChatMemberProperty;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::Items;
use crate::skype::Line;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::conversation::Undo;
use crate::translate::engine::Answer;
use crate::translate::profile::without_tags;

/// Bits of `SETOPTIONS` (skype-api 4.5): ordinary members only listen; only the upper ones set the topic.
pub(super) const USERS_ARE_LISTENERS: u32 = 16;
const TOPIC_LOCKED: u32 = 32;

impl Engine {
    pub(super) fn alter_chat(
        &mut self,
        reply: Line,
        name: &str,
        action: AlterChat<'_>,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        let chat = self.chats.by_name(name).ok_or(ErrorCode::CHAT_NOT_FOUND)?;
        match action {
            AlterChat::Bookmark(bookmarked) => self.bookmark(chat, bookmarked, out),
            AlterChat::ClearRecentMessages => {
                let newest = self.chats.newest(chat, 1);
                self.chats.chat_mut(chat).recent_from = newest.first().map(|newest| ObjectId(newest.id.0 + 1));
            }
            AlterChat::SetAlertString(text) => {
                text.clone_into(&mut self.chats.chat_mut(chat).alert);
                self.announce_chat(chat, ChatProperty::AlertString, out);
            }
            AlterChat::AddMembers(users) => self.add_members(chat, users, now, out)?,
            // All else is for chats of several, and for the network.
            _ if self.chats.chat(chat).partner().is_some() || !self.wants_online() => {
                return Err(ErrorCode::CHAT_ACTION_FAILED);
            }
            AlterChat::Join => self.enter(chat, Change::Join, out)?,
            AlterChat::AcceptAdd => {
                if self.chats.chat(chat).my_status != MyStatus::AcceptRequired {
                    return Err(ErrorCode::CHAT_ACTION_FAILED);
                }
                self.enter(chat, Change::Accept, out)?;
            }
            AlterChat::EnterPassword(password) => self.enter(chat, Change::EnterPassword(password.to_owned()), out)?,
            _ if self.chats.chat(chat).my_status != MyStatus::Subscribed => {
                return Err(ErrorCode::CHAT_ACTION_FAILED);
            }
            AlterChat::SetTopic(topic) => self.set_topic(chat, topic.to_owned(), String::new(), now, out)?,
            AlterChat::SetTopicXml(xml) => self.set_topic(chat, without_tags(xml), xml.to_owned(), now, out)?,
            AlterChat::SetGuidelines(text) => self.set_guidelines(chat, text, now, out)?,
            AlterChat::SetDescription(text) => self.change_description(chat, text, out)?,
            AlterChat::SetOptions(bits) => {
                self.may(chat, Role::Master)?;
                let said = self.say_own(chat, Kind::Options(bits), String::new(), now, out);
                self.change(chat, Change::Options(bits), Undo::Options(bits), Some(said), out);
            }
            AlterChat::SetPassword { password, hint } => {
                self.may(chat, Role::Master)?;
                let before = std::mem::replace(&mut self.chats.chat_mut(chat).password_hint, hint.to_owned());
                self.announce_chat(chat, ChatProperty::PasswordHint, out);
                let change = Change::Password { password: password.to_owned(), hint: hint.to_owned() };
                self.change(chat, change, Undo::PasswordHint(before), None, out);
            }
            AlterChat::Kick { users, ban } => self.kick(chat, users, ban, now, out)?,
            AlterChat::Leave => self.leave(chat, now, out),
            AlterChat::Disband => {
                self.may(chat, Role::Creator)?;
                let before = self.chats.chat(chat).my_status;
                self.set_my_status(chat, MyStatus::Disbanded, out);
                self.change(chat, Change::Disband, Undo::MyStatus(before), None, out);
            }
        }
        Ok(reply)
    }

    pub(super) fn set_description(&mut self, reply: Line, name: &str, text: &str, out: &mut Vec<Output>) -> Answer {
        let chat = self.chats.by_name(name).ok_or(ErrorCode::CHAT_INVALID_NAME)?;
        let here = self.chats.chat(chat);
        if here.partner().is_some() || here.my_status != MyStatus::Subscribed || !self.wants_online() {
            return Err(ErrorCode::CHAT_ACTION_FAILED);
        }
        self.change_description(chat, text, out)?;
        Ok(reply.part(text))
    }

    /// Whether our role allows what is asked; where the network knows no roles, it decides.
    fn may(&self, chat: ChatIndex, at_least: Role) -> Result<(), ErrorCode> {
        // The highest role comes first.
        let enough = self.chats.chat(chat).role_of(&self.me.handle) <= at_least;
        if enough || !self.capabilities.can(Ability::Roles) { Ok(()) } else { Err(ErrorCode::CHAT_ACTION_FAILED) }
    }

    fn bookmark(&mut self, chat: ChatIndex, bookmarked: bool, out: &mut Vec<Output>) {
        self.chats.chat_mut(chat).bookmarked = bookmarked;
        self.announce_chat(chat, ChatProperty::Bookmarked, out);
    }

    /// A message of ours that tells what we do.
    fn say_own(&mut self, chat: ChatIndex, kind: Kind, body: String, now: Now, out: &mut Vec<Output>) -> ObjectId {
        let message = Message::new(chat, self.me.handle.clone(), kind, State::Sending, now.unix);
        let id = self.new_id();
        self.chats.say(id, Message { body, ..message });
        self.announce_status(id, out);
        id
    }

    fn set_topic(
        &mut self,
        chat: ChatIndex,
        topic: String,
        xml: String,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        if self.chats.chat(chat).options & TOPIC_LOCKED != 0 {
            self.may(chat, Role::Helper)?;
        }
        let with_tags = !xml.is_empty();
        let changed = self.chats.chat_mut(chat);
        let before = Undo::Topic(
            std::mem::replace(&mut changed.topic, topic.clone()),
            std::mem::replace(&mut changed.topic_xml, xml),
        );
        if with_tags {
            self.announce_chat(chat, ChatProperty::TopicXml, out);
        }
        self.announce_chat_properties(chat, &[ChatProperty::Topic, ChatProperty::FriendlyName], out);
        let said = self.say_own(chat, Kind::Topic, topic.clone(), now, out);
        self.change(chat, Change::Topic(topic), before, Some(said), out);
        Ok(())
    }

    fn set_guidelines(
        &mut self,
        chat: ChatIndex,
        text: &str,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        self.may(chat, Role::Master)?;
        let before = std::mem::replace(&mut self.chats.chat_mut(chat).guidelines, text.to_owned());
        self.announce_chat(chat, ChatProperty::Guidelines, out);
        let said = self.say_own(chat, Kind::Guidelines, text.to_owned(), now, out);
        self.change(chat, Change::Guidelines(text.to_owned()), Undo::Guidelines(before), Some(said), out);
        Ok(())
    }

    fn change_description(&mut self, chat: ChatIndex, text: &str, out: &mut Vec<Output>) -> Result<(), ErrorCode> {
        self.may(chat, Role::Master)?;
        let before = std::mem::replace(&mut self.chats.chat_mut(chat).description, text.to_owned());
        self.announce_chat(chat, ChatProperty::Description, out);
        self.change(chat, Change::Description(text.to_owned()), Undo::Description(before), None, out);
        Ok(())
    }

    fn add_members(
        &mut self,
        chat: ChatIndex,
        users: Items<'_>,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        let parsed = users.iter().map(|typed| self.names.parse(typed).ok_or(ErrorCode::CHAT_ADDMEMBERS_HANDLES));
        let handles = parsed.collect::<Result<Vec<_>, _>>()?;
        let here = self.chats.chat(chat);
        // Already in it, or we are not (any more) (skype-api 3.6).
        if handles.iter().any(|handle| here.has(handle))
            || here.my_status != MyStatus::Subscribed
            || !self.wants_online()
        {
            return Err(ErrorCode::CHAT_ACTION_FAILED);
        }
        if let Some(partner) = here.partner().cloned() {
            // The dialog becomes a chat of several and keeps its name; what is said to the partner
            // alone from now on has a dialog of its own (skype-api 7.4).
            self.chats.settle(chat, Place::Unnamed);
            self.announce_chat(chat, ChatProperty::Status, out);
            self.put_members(chat, &handles);
            let said = self.announce_added(chat, &handles, now, out);
            let all = std::iter::once(partner.clone()).chain(handles).collect();
            self.found(chat, all, Some(said), Some(partner), out);
        } else {
            self.put_members(chat, &handles);
            let said = self.announce_added(chat, &handles, now, out);
            self.change(chat, Change::Invite(handles.clone()), Undo::Added(handles), Some(said), out);
        }
        Ok(())
    }

    pub(super) fn put_members(&mut self, chat: ChatIndex, handles: &[Handle]) {
        for handle in handles {
            let here = self.chats.chat(chat);
            let (id, role) = match here.place_of(handle).map(|place| &here.members[place]) {
                Some(member) if member.present => (member.id, member.role),
                Some(member) => (member.id, Role::User),
                None => (self.new_id(), Role::User),
            };
            self.chats.put_member(chat, handle, role, id);
        }
    }

    fn announce_added(&mut self, chat: ChatIndex, handles: &[Handle], now: Now, out: &mut Vec<Output>) -> ObjectId {
        self.announce_chat_properties(chat, &[ChatProperty::Members, ChatProperty::FriendlyName], out);
        self.say_own(chat, Kind::Added(handles.to_vec()), String::new(), now, out)
    }

    /// Takes members out of a chat, and says who is left; tells what they were in it.
    pub(super) fn take_out(&mut self, chat: ChatIndex, handles: &[Handle], out: &mut Vec<Output>) -> Vec<Member> {
        let name = self.friendly_name(chat);
        let here = self.chats.chat_mut(chat);
        let mut gone = Vec::new();
        for member in here.members.iter_mut().filter(|member| handles.contains(&member.handle)) {
            gone.push(member.clone());
            member.present = false;
            member.active = false;
        }
        self.announce_chat_properties(chat, &[ChatProperty::Members, ChatProperty::ActiveMembers], out);
        self.announce_new_name(chat, &name, out);
        gone
    }

    fn kick(
        &mut self,
        chat: ChatIndex,
        users: Items<'_>,
        ban: bool,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Result<(), ErrorCode> {
        self.may(chat, Role::Master)?;
        let handles: Option<Vec<_>> = users.iter().map(|typed| self.names.parse(typed)).collect();
        let handles = handles.ok_or(ErrorCode::CHAT_ACTION_FAILED)?;
        let here = self.chats.chat(chat);
        if handles.iter().any(|handle| !here.has(handle) || *handle == self.me.handle) {
            return Err(ErrorCode::CHAT_ACTION_FAILED);
        }
        let kind = if ban { Kind::Banned(handles.clone()) } else { Kind::Kicked(handles.clone()) };
        let said = self.say_own(chat, kind, String::new(), now, out);
        let gone = self.take_out(chat, &handles, out);
        self.change(chat, Change::Kick { users: handles, ban }, Undo::Removed(gone), Some(said), out);
        Ok(())
    }

    fn leave(&mut self, chat: ChatIndex, now: Now, out: &mut Vec<Output>) {
        let said = self.say_own(chat, Kind::Left, String::new(), now, out);
        let me = self.me.handle.clone();
        let gone = self.take_out(chat, &[me], out);
        self.set_my_status(chat, MyStatus::Unsubscribed, out);
        let bookmarked = self.chats.chat(chat).bookmarked;
        self.bookmark(chat, false, out);
        self.change(chat, Change::Leave, Undo::Left { gone, bookmarked }, Some(said), out);
    }

    /// Begins to take part; the network tells how that goes on.
    fn enter(&mut self, chat: ChatIndex, change: Change, out: &mut Vec<Output>) -> Result<(), ErrorCode> {
        let before = self.chats.chat(chat).my_status;
        // Only the network that named a chat can let us in; who is in need not enter.
        let nowhere = matches!(self.chats.chat(chat).place, Place::Unnamed) && self.founding_of(chat).is_none();
        if before == MyStatus::Subscribed || nowhere {
            return Err(ErrorCode::CHAT_ACTION_FAILED);
        }
        let bookmarked = self.chats.chat(chat).bookmarked;
        self.set_my_status(chat, MyStatus::Connecting, out);
        // Who joins has a bookmark, until they leave (skype-api 7.4).
        if change == Change::Join && !bookmarked {
            self.bookmark(chat, true, out);
        }
        self.change(chat, change, Undo::Entering { before, bookmarked }, None, out);
        Ok(())
    }

    pub(super) fn set_my_status(&mut self, chat: ChatIndex, status: MyStatus, out: &mut Vec<Output>) {
        self.chats.chat_mut(chat).my_status = status;
        self.announce_chat_properties(chat, &[ChatProperty::MyStatus, ChatProperty::Status], out);
    }

    pub(super) fn alter_member(
        &mut self,
        reply: Line,
        id: ObjectId,
        role: Role,
        only_ask: bool,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        let (chat, member) = self.chats.member(id).ok_or(ErrorCode::CHAT_ACTION_FAILED)?;
        let (handle, before) = (member.handle.clone(), member.role);
        let can = self.can_set_role(chat, &handle, role);
        if only_ask {
            return Ok(reply.boolean(can));
        }
        if !can {
            return Err(ErrorCode::CHAT_ACTION_FAILED);
        }
        let said = self.say_own(chat, Kind::Role(handle.clone(), role), String::new(), now, out);
        self.give_role(chat, &handle, role, out);
        let change = Change::Role { user: handle.clone(), role };
        self.change(chat, change, Undo::Role(handle, before), Some(said), out);
        Ok(reply)
    }

    pub(super) fn give_role(&mut self, chat: ChatIndex, handle: &Handle, role: Role, out: &mut Vec<Output>) {
        let Some(place) = self.chats.chat(chat).place_of(handle) else { return };
        self.chats.chat_mut(chat).members[place].role = role;
        self.announce_member(chat, place, ChatMemberProperty::Role, out);
        if *handle == self.me.handle {
            self.announce_chat(chat, ChatProperty::MyRole, out);
        }
    }

    /// Whether we may give a member a role (skype-api 4.5).
    fn can_set_role(&self, index: ChatIndex, handle: &Handle, role: Role) -> bool {
        let chat = self.chats.chat(index);
        let (mine, theirs) = (chat.role_of(&self.me.handle), chat.role_of(handle));
        let may_appoint = match mine {
            Role::Creator => true,
            Role::Master => role != Role::Master && theirs > Role::Master,
            Role::Helper | Role::User | Role::Listener | Role::Applicant => false,
        };
        let given = match role {
            Role::Creator | Role::Applicant => false,
            Role::Listener => chat.options & USERS_ARE_LISTENERS == 0,
            Role::Master | Role::Helper | Role::User => true,
        };
        self.capabilities.can(Ability::Roles) && may_appoint && given && chat.has(handle) && theirs != Role::Creator
    }
}
