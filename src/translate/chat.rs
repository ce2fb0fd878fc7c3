//! Chats and their members (skype-api 4.5, 4.6, 7.2).

use std::hash::Hasher;

use siphasher::sip::SipHasher24;

use crate::backend::Address;
use crate::model::Chat;
use crate::model::ChatIndex;
use crate::model::Handle;
use crate::model::Member;
use crate::model::ObjectId;
use crate::model::Place;
use crate::skype::ChatMemberProperty;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;

impl Engine {
    pub(super) fn get_chat(&self, reply: Line, name: &str, property: ChatProperty) -> Answer {
        // The lists have an error of their own (skype-api 3.6).
        let unknown = match property {
            ChatProperty::ChatMessages | ChatProperty::RecentChatMessages => ErrorCode::CHAT_NOT_FOUND,
            _ => ErrorCode::CHAT_INVALID_NAME,
        };
        let index = self.chats.by_name(name).ok_or(unknown)?;
        Ok(self.chat_value(reply, self.chats.chat(index), property))
    }

    /// Adds the value of a property to a line.
    fn chat_value(&self, line: Line, chat: &Chat, property: ChatProperty) -> Line {
        let dialog = chat.partner().is_some();
        match property {
            ChatProperty::Name => line.part(&chat.name),
            ChatProperty::Timestamp => line.value(chat.created),
            ChatProperty::ActivityTimestamp => line.value(chat.activity),
            ChatProperty::Status => line.part(if dialog { "DIALOG" } else { "MULTI_SUBSCRIBED" }),
            ChatProperty::Type => line.part(if dialog { "DIALOG" } else { "MULTICHAT" }),
            ChatProperty::MyStatus => line.part("SUBSCRIBED"),
            ChatProperty::MyRole => line.part("USER"),
            ChatProperty::Members => line.list(Separator::Space, chat.members.iter().map(|member| &member.handle)),
            ChatProperty::ActiveMembers => {
                let active = chat.members.iter().filter(|member| member.active);
                line.list(Separator::Space, active.map(|member| &member.handle))
            }
            ChatProperty::MemberObjects => {
                line.list(Separator::CommaSpace, chat.members.iter().map(|member| member.id))
            }
            ChatProperty::Posters => line.list(Separator::Space, &chat.posters),
            ChatProperty::DialogPartner => line.part(chat.partner().map_or("", Handle::as_str)),
            ChatProperty::FriendlyName => match chat.partner() {
                Some(partner) => line.one_line(&format!("{} | {}", self.display_name(partner), chat.last_text)),
                None => {
                    let others = chat.members.iter().filter(|member| member.handle != self.me.handle);
                    line.list(Separator::CommaSpace, others.map(|member| self.display_name(&member.handle)))
                }
            },
            ChatProperty::ChatMessages | ChatProperty::RecentChatMessages => {
                line.list(Separator::CommaSpace, chat.messages.iter().rev())
            }
            ChatProperty::Bookmarked => line.boolean(false),
            ChatProperty::Options => line.value(0),
            ChatProperty::Adder
            | ChatProperty::Topic
            | ChatProperty::TopicXml
            | ChatProperty::PasswordHint
            | ChatProperty::Guidelines
            | ChatProperty::Description
            | ChatProperty::Blob
            | ChatProperty::Applicants => line.part(""),
        }
    }

    pub(super) fn announce_chat(&self, index: ChatIndex, property: ChatProperty, out: &mut Vec<Output>) {
        let chat = self.chats.chat(index);
        let line = Line::about("CHAT", &chat.name, property.name());
        self.announce(property.since(), self.chat_value(line, chat, property), out);
    }

    pub(super) fn get_chat_member(&self, reply: Line, id: ObjectId, property: ChatMemberProperty) -> Answer {
        let (chat, member) = self.chats.member(id).ok_or(ErrorCode::GET_INVALID_WHAT)?;
        Ok(member_value(reply, chat, member, property))
    }

    fn announce_member(&self, index: ChatIndex, place: usize, property: ChatMemberProperty, out: &mut Vec<Output>) {
        let chat = self.chats.chat(index);
        let member = &chat.members[place];
        let line = Line::about("CHATMEMBER", member.id, property.name());
        self.announce(property.since(), member_value(line, chat, member, property), out);
    }

    pub(super) fn create_chat(&mut self, reply: Line, typed: &str, now: Now, out: &mut Vec<Output>) -> Answer {
        let partner = self.names.parse(typed).ok_or(ErrorCode::CHAT_CREATE_INVALID_HANDLE)?;
        if partner == self.me.handle {
            return Err(ErrorCode::CHAT_CREATE_FAILED);
        }
        let (index, new) = self.dialog_with(&partner, now);
        if new {
            self.announce_new_chat(index, out);
        }
        let chat = self.chats.chat(index);
        Ok(reply.part("CHAT").part(&chat.name).part(ChatProperty::Status.name()).part("DIALOG"))
    }

    /// The dialog with a user, and whether it has just been begun.
    pub(super) fn dialog_with(&mut self, partner: &Handle, now: Now) -> (ChatIndex, bool) {
        if let Some(index) = self.chats.dialog(partner) {
            return (index, false);
        }
        // A client reads the partner of a dialog out of its name (clients 4.3).
        let hash = stable_hash(&[self.me.handle.as_str(), partner.as_str()]);
        let name = format!("#{}/${partner};{hash:016x}", self.me.handle);
        let members = [(self.me.handle.clone(), true), (partner.clone(), false)];
        let members = members.map(|(handle, active)| Member { id: self.new_id(), handle, active }).into();
        (self.chats.add(new_chat(name, Place::Dialog(partner.clone()), members, now)), true)
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
        let name = format!("#{author}/${:016x}", stable_hash(&[conversation.as_str()]));
        let mut handles = vec![self.me.handle.clone()];
        handles.extend((*author != self.me.handle).then(|| author.clone()));
        let members = handles.into_iter().map(|handle| Member { id: self.new_id(), handle, active: true }).collect();
        (self.chats.add(new_chat(name, Place::Group(conversation.clone()), members, now)), true)
    }

    /// What is said of a chat that has just appeared (skype-api 7.2), as far as it does not depend
    /// on what was said in it.
    pub(super) fn announce_new_chat(&self, index: ChatIndex, out: &mut Vec<Output>) {
        self.announce_chat(index, ChatProperty::Name, out);
        self.announce_chat(index, ChatProperty::Status, out);
        self.announce_member(index, 0, ChatMemberProperty::Role, out);
        for property in [
            ChatProperty::MyRole,
            ChatProperty::Members,
            ChatProperty::ActiveMembers,
            ChatProperty::Status,
            ChatProperty::Timestamp,
        ] {
            self.announce_chat(index, property, out);
        }
        if self.chats.chat(index).partner().is_some() {
            self.announce_chat(index, ChatProperty::DialogPartner, out);
        }
    }

    /// The partner of a dialog has taken part.
    pub(super) fn activate_partner(&mut self, index: ChatIndex, out: &mut Vec<Output>) {
        let me = &self.me.handle;
        let members = &mut self.chats.chat_mut(index).members;
        let Some(place) = members.iter().position(|member| member.handle != *me && !member.active) else { return };
        members[place].active = true;
        self.announce_member(index, place, ChatMemberProperty::IsActive, out);
        self.announce_chat(index, ChatProperty::ActiveMembers, out);
    }
}

fn member_value(line: Line, chat: &Chat, member: &Member, property: ChatMemberProperty) -> Line {
    match property {
        ChatMemberProperty::ChatName => line.part(&chat.name),
        ChatMemberProperty::Identity => line.part(member.handle.as_str()),
        ChatMemberProperty::Role => line.part("USER"),
        ChatMemberProperty::IsActive => line.boolean(member.active),
    }
}

fn new_chat(name: String, place: Place, members: Vec<Member>, now: Now) -> Chat {
    Chat {
        name,
        place,
        created: now.unix,
        activity: 0,
        members,
        posters: Vec::new(),
        last_text: String::new(),
        messages: std::collections::VecDeque::new(),
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
