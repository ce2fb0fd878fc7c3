//! Conversations and what was said in them.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;

use crate::model::ConversationId;
use crate::model::Edit;
use crate::model::Handle;
use crate::model::Message;
use crate::model::MyStatus;
use crate::model::ObjectId;
use crate::model::RemoteId;
use crate::model::Role;
use crate::model::State;

/// How many messages are kept in memory; beyond it the oldest that need no more attention go.
const KEPT_MESSAGES: usize = 100_000;

/// Which chat; an index that stays valid as long as the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatIndex(usize);

/// Somebody in a chat, now or once: the number stays theirs.
#[derive(Clone, Debug)]
pub struct Member {
    /// The number behind CHATMEMBER.
    pub id: ObjectId,
    /// Who.
    pub handle: Handle,
    /// What they may do.
    pub role: Role,
    /// Whether they are in the chat.
    pub present: bool,
    /// Whether they are known to take part.
    pub active: bool,
}

/// What kind of conversation, and how the network knows it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Place {
    /// The dialog with this user.
    Dialog(Handle),
    /// A conversation of several that the network named.
    Group(ConversationId),
    /// A conversation of several that the network has not named yet, or never will.
    Unnamed,
}

/// A conversation.
#[derive(Clone, Debug)]
pub struct Chat {
    /// The name that clients use; looked up, never parsed.
    pub name: String,
    /// What kind it is.
    pub place: Place,
    /// Since when, in seconds since 1970 UTC.
    pub created: u64,
    /// When the last message was, in seconds since 1970 UTC; 0 if there is none.
    pub activity: u64,
    /// Who is or was in it, ourselves first.
    pub members: Vec<Member>,
    /// Who has said something, in the order of their first message.
    pub posters: Vec<Handle>,
    /// The beginning of what was said last.
    pub last_text: String,
    /// The messages, oldest first.
    pub messages: VecDeque<ObjectId>,
    /// The first message that counts as recent, see `CLEARRECENTMESSAGES`.
    pub recent_from: Option<ObjectId>,
    /// How we stand to it.
    pub my_status: MyStatus,
    /// Who added us, if somebody did.
    pub adder: Option<Handle>,
    /// What it is about.
    pub topic: String,
    /// The same with tags; empty if it was set without.
    pub topic_xml: String,
    /// Rules of conduct.
    pub guidelines: String,
    /// More words about it.
    pub description: String,
    /// The bits of skype-api 4.5.
    pub options: u32,
    /// What reminds of the password.
    pub password_hint: String,
    /// What a public chat is found by.
    pub blob: String,
    /// Whether the user wants to find it again.
    pub bookmarked: bool,
    /// What in a message calls the user's attention.
    pub alert: String,
}

impl Chat {
    /// The other user of a dialog.
    #[must_use]
    pub fn partner(&self) -> Option<&Handle> {
        match &self.place {
            Place::Dialog(partner) => Some(partner),
            Place::Group(_) | Place::Unnamed => None,
        }
    }

    /// Who is in it.
    pub fn present(&self) -> impl Iterator<Item = &Member> {
        self.members.iter().filter(|member| member.present && member.role != Role::Applicant)
    }

    /// The place of a member who is or was in it.
    #[must_use]
    pub fn place_of(&self, handle: &Handle) -> Option<usize> {
        self.members.iter().position(|member| member.handle == *handle)
    }

    /// Whether somebody is in it.
    #[must_use]
    pub fn has(&self, handle: &Handle) -> bool {
        self.present().any(|member| member.handle == *handle)
    }

    /// What somebody may do in it.
    #[must_use]
    pub fn role_of(&self, handle: &Handle) -> Role {
        self.place_of(handle).map_or(Role::User, |place| self.members[place].role)
    }
}

/// All conversations of an account.
#[derive(Debug, Default)]
pub struct Chats {
    chats: Vec<Chat>,
    by_name: HashMap<String, ChatIndex>,
    by_partner: HashMap<Box<str>, ChatIndex>,
    by_conversation: HashMap<ConversationId, ChatIndex>,
    members: HashMap<ObjectId, (ChatIndex, usize)>,
    messages: HashMap<ObjectId, Message>,
    order: VecDeque<ObjectId>,
    missed: BTreeSet<ObjectId>,
    /// Messages of the network that were taken in, and what they became.
    known: HashMap<RemoteId, Option<ObjectId>>,
    known_order: VecDeque<RemoteId>,
}

impl Chats {
    /// The chat behind an index.
    #[must_use]
    pub fn chat(&self, index: ChatIndex) -> &Chat {
        &self.chats[index.0]
    }

    /// The chat behind an index, to be changed. Its place is changed by [`settle`](Self::settle).
    pub fn chat_mut(&mut self, index: ChatIndex) -> &mut Chat {
        &mut self.chats[index.0]
    }

    /// The chat of this name.
    #[must_use]
    pub fn by_name(&self, name: &str) -> Option<ChatIndex> {
        self.by_name.get(name).copied()
    }

    /// The dialog with a user.
    #[must_use]
    pub fn dialog(&self, partner: &Handle) -> Option<ChatIndex> {
        self.by_partner.get(&*Handle::fold(partner.as_str())).copied()
    }

    /// The chat that the network calls so.
    #[must_use]
    pub fn by_conversation(&self, conversation: &ConversationId) -> Option<ChatIndex> {
        self.by_conversation.get(conversation).copied()
    }

    /// Every chat, oldest first.
    pub fn iter(&self) -> impl Iterator<Item = (ChatIndex, &Chat)> {
        self.chats.iter().enumerate().map(|(index, chat)| (ChatIndex(index), chat))
    }

    /// Adds a chat whose name is not taken.
    pub fn add(&mut self, mut chat: Chat) -> ChatIndex {
        let index = ChatIndex(self.chats.len());
        self.by_name.insert(chat.name.clone(), index);
        let place = std::mem::replace(&mut chat.place, Place::Unnamed);
        for (place, member) in chat.members.iter().enumerate() {
            self.members.insert(member.id, (index, place));
        }
        self.chats.push(chat);
        self.settle(index, place);
        index
    }

    /// Says where a chat takes place from now on.
    pub fn settle(&mut self, index: ChatIndex, place: Place) {
        if let Some(partner) = self.chats[index.0].partner() {
            self.by_partner.remove(&*Handle::fold(partner.as_str()));
        }
        match &place {
            Place::Dialog(partner) => drop(self.by_partner.insert(Handle::fold(partner.as_str()).into(), index)),
            Place::Group(conversation) => drop(self.by_conversation.insert(conversation.clone(), index)),
            Place::Unnamed => {}
        }
        self.chats[index.0].place = place;
    }

    /// The member of this number, and the chat.
    #[must_use]
    pub fn member(&self, id: ObjectId) -> Option<(ChatIndex, &Member)> {
        let (index, place) = self.members.get(&id)?;
        Some((*index, &self.chat(*index).members[*place]))
    }

    /// Puts somebody into a chat, with the number `id` if they were never in it; tells their place.
    pub fn put_member(&mut self, index: ChatIndex, handle: &Handle, role: Role, id: ObjectId) -> usize {
        let chat = &mut self.chats[index.0];
        if let Some(place) = chat.place_of(handle) {
            chat.members[place].present = true;
            chat.members[place].role = role;
            return place;
        }
        let place = chat.members.len();
        chat.members.push(Member { id, handle: handle.clone(), role, present: true, active: false });
        self.members.insert(id, (index, place));
        place
    }

    /// Whether a message of the network was taken in already.
    #[must_use]
    pub fn is_known(&self, remote: &RemoteId) -> bool {
        self.known.contains_key(remote)
    }

    /// From now on a message of the network is known, as `id` if it became one of ours.
    pub fn know(&mut self, remote: &RemoteId, id: Option<ObjectId>) {
        if self.known.insert(remote.clone(), id).is_none() {
            self.known_order.push_back(remote.clone());
            // Repeats come soon or not at all.
            if self.known_order.len() > KEPT_MESSAGES
                && let Some(oldest) = self.known_order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }

    /// What became of a message of the network.
    #[must_use]
    pub fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.known.get(remote).copied().flatten()
    }

    /// Adds a message to its chat.
    pub fn say(&mut self, id: ObjectId, message: Message) {
        let chat = self.chat_mut(message.chat);
        chat.messages.push_back(id);
        if message.kind.is_text() {
            chat.activity = message.time;
            chat.last_text = first_words(&message.body);
        }
        if message.state == State::Received {
            self.missed.insert(id);
        }
        if let Some(remote) = &message.remote {
            self.know(remote, Some(id));
        }
        self.messages.insert(id, message);
        self.order.push_back(id);
        self.forget_oldest();
    }

    /// Keeps the memory in bounds, but never at the price of a message that still matters.
    fn forget_oldest(&mut self) {
        while self.order.len() > KEPT_MESSAGES {
            let Some(oldest) = self.order.front().copied() else { return };
            let Some(message) = self.messages.get(&oldest) else { return };
            if matches!(message.state, State::Sending | State::Received) {
                return;
            }
            let messages = &mut self.chats[message.chat.0].messages;
            // Ids grow within a chat as they grow overall: the oldest comes first.
            if messages.front() == Some(&oldest) {
                messages.pop_front();
            }
            self.messages.remove(&oldest);
            self.order.pop_front();
        }
    }

    /// Forgets every message that needs no more attention.
    pub fn clear(&mut self) {
        let matters = |message: &Message| matches!(message.state, State::Sending | State::Received);
        self.messages.retain(|_, message| matters(message));
        let kept = &self.messages;
        self.order.retain(|id| kept.contains_key(id));
        for chat in &mut self.chats {
            chat.messages.retain(|id| kept.contains_key(id));
            chat.last_text.clear();
        }
    }

    /// The message of this number.
    #[must_use]
    pub fn message(&self, id: ObjectId) -> Option<&Message> {
        self.messages.get(&id)
    }

    /// Moves a message on; returns whether it was not there yet.
    pub fn set_state(&mut self, id: ObjectId, state: State) -> bool {
        let Some(message) = self.messages.get_mut(&id) else { return false };
        let changed = message.state != state;
        message.state = state;
        if state == State::Received {
            self.missed.insert(id);
        } else {
            self.missed.remove(&id);
        }
        changed
    }

    /// Corrects the time of a message by the network's clock.
    pub fn set_time(&mut self, id: ObjectId, time: u64) {
        if let Some(message) = self.messages.get_mut(&id) {
            message.time = time;
        }
    }

    /// Remembers what the network calls a message.
    pub fn set_remote(&mut self, id: ObjectId, remote: &RemoteId) {
        self.know(remote, Some(id));
        if let Some(message) = self.messages.get_mut(&id) {
            message.remote = Some(remote.clone());
        }
    }

    /// Gives a message another text; tells what it had before.
    pub fn edit(&mut self, id: ObjectId, body: String, edit: Option<Box<Edit>>) -> Option<(String, Option<Box<Edit>>)> {
        let message = self.messages.get_mut(&id)?;
        let before = (std::mem::replace(&mut message.body, body), std::mem::replace(&mut message.edit, edit));
        let text = first_words(&message.body);
        let chat = &mut self.chats[message.chat.0];
        if chat.messages.back() == Some(&id) {
            chat.last_text = text;
        }
        Some(before)
    }

    /// Messages that arrived and were not seen, newest first.
    pub fn missed(&self) -> impl Iterator<Item = ObjectId> {
        self.missed.iter().rev().copied()
    }

    /// Every message, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = ObjectId> {
        self.order.iter().rev().copied()
    }
}

/// The beginning of a text, in one line.
fn first_words(body: &str) -> String {
    body.lines().next().unwrap_or("").chars().take(80).collect()
}
