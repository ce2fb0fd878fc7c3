//! Chats and their members (skype-api 4.5, 4.6, 7.2, 7.4).

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::backend::Address;
use crate::model::Chat;
use crate::model::ChatIndex;
use crate::model::Entry;
use crate::model::Handle;
use crate::model::Member;
use crate::model::MyStatus;
use crate::model::ObjectId;
use crate::model::Place;
use crate::model::Role;
use crate::model::Which;
use crate::skype::ChatMemberProperty;
use crate::skype::ChatProperty;
use crate::skype::ChatStatus;
use crate::skype::ChatType;
use crate::skype::ErrorCode;
use crate::skype::Items;
use crate::skype::Line;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::profile::escape;

/// How many messages `RECENTCHATMESSAGES` names.
const RECENT: usize = 50;

impl Engine {
    pub(super) fn get_chat(&self, reply: Line, name: &str, property: ChatProperty) -> Answer {
        // The lists have an error of their own (skype-api 3.6).
        let unknown = match property {
            ChatProperty::ChatMessages | ChatProperty::RecentChatMessages => ErrorCode::CHAT_NOT_FOUND,
            _ => ErrorCode::CHAT_INVALID_NAME,
        };
        let index = self.chats.by_name(name).ok_or(unknown)?;
        let chat = self.chats.chat(index);
        let ids = |messages: Vec<Entry>| messages.into_iter().map(|message| message.id);
        Ok(match property {
            ChatProperty::ChatMessages => reply.list(Separator::CommaSpace, ids(self.chats.list(Which::In(index)))),
            ChatProperty::RecentChatMessages => {
                let recent = ids(self.chats.newest(index, RECENT));
                reply.list(Separator::CommaSpace, recent.filter(|id| Some(*id) >= chat.recent_from))
            }
            property => self.chat_value(reply, chat, property),
        })
    }

    /// Adds the value of a property to a line.
    fn chat_value(&self, line: Line, chat: &Chat, property: ChatProperty) -> Line {
        let handles = |line: Line, of: &mut dyn Iterator<Item = &Member>| {
            line.list(Separator::Space, of.map(|member| &member.handle))
        };
        match property {
            ChatProperty::Name => line.part(&chat.name),
            ChatProperty::Timestamp => line.value(chat.created),
            ChatProperty::ActivityTimestamp => line.value(chat.activity),
            ChatProperty::Status => line.part(chat_status(chat).word()),
            ChatProperty::Type => {
                line.part(if chat.partner().is_some() { ChatType::Dialog } else { ChatType::MultiChat }.word())
            }
            ChatProperty::MyStatus => line.part(chat.my_status.word()),
            ChatProperty::MyRole => line.part(chat.role_of(&self.me.handle).word()),
            ChatProperty::Members => handles(line, &mut chat.present()),
            ChatProperty::ActiveMembers => handles(line, &mut chat.present().filter(|member| member.active)),
            ChatProperty::MemberObjects => line.list(Separator::CommaSpace, chat.present().map(|member| member.id)),
            ChatProperty::Applicants => {
                let waits = |member: &&Member| member.present && member.role == Role::Applicant;
                handles(line, &mut chat.members.iter().filter(waits))
            }
            ChatProperty::Posters => line.list(Separator::Space, &chat.posters),
            ChatProperty::DialogPartner => line.part(chat.partner().map_or("", Handle::as_str)),
            ChatProperty::FriendlyName => match chat.partner() {
                Some(partner) => line.one_line(&format!("{} | {}", self.display_name(partner), chat.last_text)),
                None if !chat.topic.is_empty() => line.one_line(&chat.topic),
                None => {
                    let others = chat.present().filter(|member| member.handle != self.me.handle);
                    line.list(Separator::CommaSpace, others.map(|member| self.display_name(&member.handle)))
                }
            },
            // Lists are asked for, and never told.
            ChatProperty::ChatMessages | ChatProperty::RecentChatMessages => line,
            ChatProperty::Bookmarked => line.boolean(chat.bookmarked),
            ChatProperty::Options => line.value(chat.options),
            ChatProperty::Adder => line.part(chat.adder.as_ref().map_or("", Handle::as_str)),
            ChatProperty::Topic => line.one_line(&chat.topic),
            ChatProperty::TopicXml if chat.topic_xml.is_empty() => line.one_line(&escape(&chat.topic)),
            ChatProperty::TopicXml => line.one_line(&chat.topic_xml),
            ChatProperty::PasswordHint => line.one_line(&chat.password_hint),
            ChatProperty::Guidelines => line.part(&chat.guidelines),
            ChatProperty::Description => line.one_line(&chat.description),
            ChatProperty::Blob => line.part(&chat.blob),
            ChatProperty::AlertString => line.one_line(&chat.alert),
            // Only told, and not by us: there is no window (clients 2, rule 11).
            ChatProperty::Opened | ChatProperty::Closed => line,
        }
    }

    pub(super) fn announce_chat(&self, index: ChatIndex, property: ChatProperty, out: &mut Vec<Output>) {
        let chat = self.chats.chat(index);
        let line = Line::about("CHAT", &chat.name, property.word());
        self.announce(property.since(), self.chat_value(line, chat, property), out);
    }

    /// The FRIENDLYNAME, to see whether it changes.
    pub(super) fn friendly_name(&self, index: ChatIndex) -> String {
        self.chat_value(Line::notification(), self.chats.chat(index), ChatProperty::FriendlyName).finish().0
    }

    /// Says the FRIENDLYNAME if it is not what it was.
    pub(super) fn announce_new_name(&self, index: ChatIndex, before: &str, out: &mut Vec<Output>) {
        if self.friendly_name(index) != before {
            self.announce_chat(index, ChatProperty::FriendlyName, out);
        }
    }

    /// Says several properties, one after the other.
    pub(super) fn announce_chat_properties(
        &self,
        index: ChatIndex,
        properties: &[ChatProperty],
        out: &mut Vec<Output>,
    ) {
        for property in properties {
            self.announce_chat(index, *property, out);
        }
    }

    pub(super) fn get_chat_member(&self, reply: Line, id: ObjectId, property: ChatMemberProperty) -> Answer {
        let (chat, member) = self.chats.member(id).ok_or(ErrorCode::GET_INVALID_WHAT)?;
        Ok(member_value(reply, self.chats.chat(chat), member, property))
    }

    pub(super) fn announce_member(
        &self,
        index: ChatIndex,
        place: usize,
        property: ChatMemberProperty,
        out: &mut Vec<Output>,
    ) {
        let chat = self.chats.chat(index);
        let member = &chat.members[place];
        let line = Line::about("CHATMEMBER", member.id, property.word());
        self.announce(property.since(), member_value(line, chat, member, property), out);
    }

    pub(super) fn create_chat(&mut self, reply: Line, users: Items<'_>, now: Now, out: &mut Vec<Output>) -> Answer {
        let parsed = users.iter().map(|typed| self.names.parse(typed).ok_or(ErrorCode::CHAT_CREATE_INVALID_HANDLE));
        let handles = parsed.collect::<Result<Vec<_>, _>>()?;
        if handles.contains(&self.me.handle) {
            return Err(ErrorCode::CHAT_CREATE_FAILED);
        }
        let index = match &handles[..] {
            [partner] => {
                let (index, new) = self.dialog_with(partner, now);
                if new {
                    self.announce_new_chat(index, out);
                }
                index
            }
            _ if !self.wants_online() => return Err(ErrorCode::CHAT_CREATE_FAILED),
            _ => self.found_chat(&handles, now, out),
        };
        let chat = self.chats.chat(index);
        let status = chat_status(chat).word();
        Ok(reply.part("CHAT").part(&chat.name).part(ChatProperty::Status.word()).part(status))
    }

    /// The dialog with a user, and whether it has just been begun.
    pub(super) fn dialog_with(&mut self, partner: &Handle, now: Now) -> (ChatIndex, bool) {
        if let Some(index) = self.chats.dialog(partner) {
            return (index, false);
        }
        // A client reads the partner of a dialog out of its name (clients 4.3).
        let me = self.me.handle.clone();
        let name = self.free_name(&format!("#{me}/${partner};"), &[me.as_str(), partner.as_str()]);
        let members = [(me, true), (partner.clone(), false)];
        let members = members.map(|(handle, active)| self.new_member(handle, active)).into();
        (self.chats.add(Chat::new(name, Place::Dialog(partner.clone()), members, now.unix)), true)
    }

    pub(super) fn new_member(&mut self, handle: Handle, active: bool) -> Member {
        Member { id: self.new_id(), handle, role: Role::User, present: true, active }
    }

    /// The chat at an address, and whether it is new.
    pub(super) fn chat_at(&mut self, address: &Address, author: &Handle, now: Now) -> (ChatIndex, bool) {
        let conversation = match address {
            Address::User(partner) => return self.dialog_with(partner, now),
            Address::Conversation(conversation) => conversation,
        };
        if let Some(index) = self.chats.by_conversation(conversation) {
            return (index, false);
        }
        let name = self.free_name(&format!("#{author}/$"), &[conversation.as_str()]);
        let mut handles = vec![self.me.handle.clone()];
        handles.extend((*author != self.me.handle).then(|| author.clone()));
        let members = handles.into_iter().map(|handle| self.new_member(handle, true)).collect();
        (self.chats.add(Chat::new(name, Place::Group(conversation.clone()), members, now.unix)), true)
    }

    /// A name that no chat has: the same for the same parts, for ever, unless another has taken it
    /// (a dialog that became a chat of several keeps its name, skype-api 7.4).
    pub(super) fn free_name(&self, front: &str, parts: &[&str]) -> String {
        let mut hash = stable_hash(parts);
        loop {
            let name = format!("{front}{hash:016x}");
            if self.chats.by_name(&name).is_none() {
                return name;
            }
            hash = hash.wrapping_add(1);
        }
    }

    /// What is said of a chat that has just appeared (skype-api 7.2), as far as it does not depend
    /// on what was said in it.
    pub(super) fn announce_new_chat(&self, index: ChatIndex, out: &mut Vec<Output>) {
        self.announce_chat_properties(index, &[ChatProperty::Name, ChatProperty::Status], out);
        self.announce_member(index, 0, ChatMemberProperty::Role, out);
        let told = [
            ChatProperty::MyRole,
            ChatProperty::Members,
            ChatProperty::ActiveMembers,
            ChatProperty::Status,
            ChatProperty::Timestamp,
        ];
        self.announce_chat_properties(index, &told, out);
        if self.chats.chat(index).partner().is_some() {
            self.announce_chat(index, ChatProperty::DialogPartner, out);
        }
    }

    /// Somebody takes part.
    pub(super) fn activate(&mut self, index: ChatIndex, handle: &Handle, out: &mut Vec<Output>) {
        let Some(place) = self.chats.chat(index).place_of(handle) else { return };
        if !self.chats.chat(index).members[place].active {
            self.chats.chat_mut(index).members[place].active = true;
            self.announce_member(index, place, ChatMemberProperty::IsActive, out);
            self.announce_chat(index, ChatProperty::ActiveMembers, out);
        }
    }
}

/// What clients are told of how we stand to a chat.
fn chat_status(chat: &Chat) -> ChatStatus {
    match chat.my_status {
        _ if chat.partner().is_some() => ChatStatus::Dialog,
        MyStatus::Subscribed => ChatStatus::Subscribed,
        MyStatus::AcceptRequired => ChatStatus::NeedAccept,
        _ => ChatStatus::Unsubscribed,
    }
}

fn member_value(line: Line, chat: &Chat, member: &Member, property: ChatMemberProperty) -> Line {
    match property {
        ChatMemberProperty::ChatName => line.part(&chat.name),
        ChatMemberProperty::Identity => line.part(member.handle.as_str()),
        ChatMemberProperty::Role => line.part(member.role.word()),
        ChatMemberProperty::IsActive => line.boolean(member.present && member.active),
    }
}

/// The same for the same parts, for ever: clients store chat names.
fn stable_hash(parts: &[&str]) -> u64 {
    let mut hasher = SipHasher24::new_with_keys(0x696d_6f32_736b_7970, 0x6520_6368_6174_2031);
    for part in parts {
        hasher.write(part.to_ascii_lowercase().as_bytes());
        hasher.write_u8(0);
    }
    hasher.finish()
}

#[cfg(test)]
mod tests {
    use super::stable_hash;

    #[test]
    fn names_of_chats_stay_the_same_for_ever() {
        assert_eq!(stable_hash(&["alice", "Bob"]), stable_hash(&["alice", "bob"]));
        assert_ne!(stable_hash(&["alice", "bob"]), stable_hash(&["aliceb", "ob"]));
        // Changing this value breaks what clients have stored.
        assert_eq!(stable_hash(&["alice", "bob"]), 749_074_825_117_140_876);
    }
}
