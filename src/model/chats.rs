//! Conversations and what was said in them.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::HashSet;
use std::collections::VecDeque;

use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::RemoteId;

/// How many messages are kept in memory; beyond it the oldest that need no more attention go.
const KEPT_MESSAGES: usize = 100_000;

/// Which chat; an index that stays valid as long as the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct ChatIndex(usize);

/// Somebody in a chat.
#[derive(Clone, Debug)]
pub struct Member {
    /// The number behind CHATMEMBER.
    pub id: ObjectId,
    /// Who.
    pub handle: Handle,
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
    /// Who is in it, ourselves first.
    pub members: Vec<Member>,
    /// Who has said something, in the order of their first message.
    pub posters: Vec<Handle>,
    /// The beginning of what was said last.
    pub last_text: String,
    /// The messages, oldest first.
    pub messages: VecDeque<ObjectId>,
}

impl Chat {
    /// The other user of a dialog.
    #[must_use]
    pub fn partner(&self) -> Option<&Handle> {
        match &self.place {
            Place::Dialog(partner) => Some(partner),
            Place::Group(_) => None,
        }
    }
}

/// What kind of message, as far as it is more than text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Text.
    Text,
    /// A new dialog was begun.
    CreatedChat,
    /// A message to this user could not be delivered.
    Undeliverable(Undeliverable),
}

/// Why a message could not be delivered.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Undeliverable {
    /// The network does not know the user.
    UnknownUser,
    /// The network, or the user, does not want it.
    Refused,
    /// Nobody knows whether it was delivered.
    Unclear,
}

/// How far a message has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Ours, on its way.
    Sending,
    /// Ours, taken by the network.
    Sent,
    /// Ours, given up.
    Failed(Undeliverable),
    /// Arrived.
    Received,
    /// Arrived and seen.
    Read,
}

/// One message.
#[derive(Clone, Debug)]
pub struct Message {
    /// Where it was said.
    pub chat: ChatIndex,
    /// By whom.
    pub author: Handle,
    /// What kind of message.
    pub kind: Kind,
    /// How far it has come.
    pub state: State,
    /// The text.
    pub body: String,
    /// When, in seconds since 1970 UTC.
    pub time: u64,
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
    known: HashSet<RemoteId>,
    known_order: VecDeque<RemoteId>,
}

impl Chats {
    /// The chat behind an index.
    #[must_use]
    pub fn chat(&self, index: ChatIndex) -> &Chat {
        &self.chats[index.0]
    }

    /// The chat behind an index, to be changed.
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

    /// Adds a chat.
    pub fn add(&mut self, chat: Chat) -> ChatIndex {
        let index = ChatIndex(self.chats.len());
        self.by_name.insert(chat.name.clone(), index);
        match &chat.place {
            Place::Dialog(partner) => drop(self.by_partner.insert(Handle::fold(partner.as_str()).into(), index)),
            Place::Group(conversation) => drop(self.by_conversation.insert(conversation.clone(), index)),
        }
        for (place, member) in chat.members.iter().enumerate() {
            self.members.insert(member.id, (index, place));
        }
        self.chats.push(chat);
        index
    }

    /// The member of this number, and the chat.
    #[must_use]
    pub fn member(&self, id: ObjectId) -> Option<(&Chat, &Member)> {
        let (index, place) = self.members.get(&id)?;
        let chat = self.chat(*index);
        Some((chat, &chat.members[*place]))
    }

    /// Whether a message of the network was taken in already. A new one counts as known from now on.
    pub fn is_repeat(&mut self, remote: &RemoteId) -> bool {
        if !self.known.insert(remote.clone()) {
            return true;
        }
        self.known_order.push_back(remote.clone());
        // Repeats come soon or not at all.
        if self.known_order.len() > KEPT_MESSAGES
            && let Some(oldest) = self.known_order.pop_front()
        {
            self.known.remove(&oldest);
        }
        false
    }

    /// Adds a message to its chat.
    pub fn say(&mut self, id: ObjectId, message: Message) {
        let chat = self.chat_mut(message.chat);
        chat.messages.push_back(id);
        if matches!(message.kind, Kind::Text) {
            chat.activity = message.time;
            chat.last_text = message.body.lines().next().unwrap_or("").chars().take(80).collect();
        }
        if message.state == State::Received {
            self.missed.insert(id);
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

    /// Messages that arrived and were not seen, newest first.
    pub fn missed(&self) -> impl Iterator<Item = ObjectId> {
        self.missed.iter().rev().copied()
    }

    /// Every message, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = ObjectId> {
        self.order.iter().rev().copied()
    }
}
