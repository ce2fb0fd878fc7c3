//! Conversations and what was said in them.

use std::borrow::Cow;
use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use crate::model::Archive;
use crate::model::Change;
use crate::model::Class;
use crate::model::ConversationId;
use crate::model::Edit;
use crate::model::Entry;
use crate::model::Handle;
use crate::model::History;
use crate::model::Message;
use crate::model::MyStatus;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::RemoteId;
use crate::model::Role;
use crate::model::State;
use crate::model::Which;
use crate::model::changed::Changed;

/// How many chats in a row an archive may have lost.
const MOST_LOST: usize = 10_000;

/// Which chat; an index that stays valid as long as the history.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ChatIndex(pub(super) usize);

impl ChatIndex {
    /// The chat at this place of an archive.
    #[must_use]
    pub fn at(number: usize) -> Self {
        Self(number)
    }

    /// Its place in an archive.
    #[must_use]
    pub fn number(self) -> usize {
        self.0
    }
}

/// Somebody in a chat, now or once: the number stays theirs.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Place {
    /// The dialog with this user.
    Dialog(Handle),
    /// A conversation of several that the network named.
    Group(ConversationId),
    /// A conversation of several that the network has not named yet, or never will.
    Unnamed,
}

/// A conversation.
#[derive(Clone, Debug, Serialize, Deserialize)]
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
    /// A conversation of which nothing more is known; `created` is in seconds since 1970 UTC.
    #[must_use]
    pub fn new(name: String, place: Place, members: Vec<Member>, created: u64) -> Self {
        Self {
            name,
            place,
            created,
            activity: 0,
            members,
            posters: Vec::new(),
            last_text: String::new(),
            recent_from: None,
            my_status: MyStatus::Subscribed,
            adder: None,
            topic: String::new(),
            topic_xml: String::new(),
            guidelines: String::new(),
            description: String::new(),
            options: 0,
            password_hint: String::new(),
            blob: String::new(),
            bookmarked: false,
            alert: String::new(),
        }
    }

    /// In the place of one that cannot be read.
    fn lost(index: usize) -> Self {
        let lost = Self::new(format!("#lost/${index}"), Place::Unnamed, Vec::new(), 0);
        Self { my_status: MyStatus::Unsubscribed, ..lost }
    }

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
    history: History,
    changed: Changed,
}

impl Chats {
    /// Goes on with what an archive holds; new objects have numbers from `next` on.
    pub fn restore(&mut self, chats: impl Iterator<Item = (usize, Chat)>, archive: Box<dyn Archive>, next: ObjectId) {
        let mut chats: Vec<_> = chats.collect();
        chats.sort_by_key(|(place, _)| *place);
        for (place, chat) in chats {
            if place > self.chats.len() + MOST_LOST {
                tracing::error!(place, "a chat far from all others: skipped");
                continue;
            }
            // The messages name chats by their places: one that cannot be read keeps its place.
            while self.chats.len() < place {
                self.add(Chat::lost(self.chats.len()));
            }
            self.add(chat);
        }
        for (index, chat) in self.chats.iter_mut().enumerate() {
            let newest = archive.list(Which::In(ChatIndex(index)), next, 20);
            let newest = newest.into_iter().find(|entry| entry.class == Class::Text);
            if let Some(message) = newest.and_then(|entry| archive.message(entry.id)) {
                chat.activity = message.time;
                chat.last_text = first_words(&message.body);
            }
        }
        self.changed.watch();
        self.history = History::open(archive, next);
    }

    /// Who keeps all of this, if somebody does.
    #[must_use]
    pub fn archive(&self) -> Option<&dyn Archive> {
        self.history.archive()
    }

    /// From now on nobody keeps it.
    pub fn leave_archive(&mut self) {
        self.history.leave_archive();
    }

    /// What has to be kept.
    pub fn changes<'a>(&'a self, changes: &mut Vec<Change<'a>>) {
        self.history.changes(changes);
        let chat = |index| Change::object(ObjectKind::Chat, index, Some(&self.chats[index as usize]));
        changes.extend(self.changed.iter().map(chat));
    }

    /// Whether anything has to be kept.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        self.history.has_changes() || !self.changed.is_empty()
    }

    /// All of it is kept now.
    pub fn saved(&mut self) {
        self.history.saved();
        self.changed.clear();
    }

    /// The chat behind an index.
    #[must_use]
    pub fn chat(&self, index: ChatIndex) -> &Chat {
        &self.chats[index.0]
    }

    /// The chat behind an index, to be changed. Its place is changed by [`settle`](Self::settle).
    pub fn chat_mut(&mut self, index: ChatIndex) -> &mut Chat {
        self.changed.note(index.0 as u32);
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

    /// Chats of several of which we are members and that the network has not named yet.
    #[must_use]
    pub fn unnamed(&self) -> Vec<ChatIndex> {
        let unnamed = |chat: &Chat| chat.place == Place::Unnamed && chat.my_status == MyStatus::Subscribed;
        self.iter().filter(|(_, chat)| unnamed(chat)).map(|(index, _)| index).collect()
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
        self.changed.note(index.0 as u32);
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
        self.chat_mut(index).place = place;
    }

    /// The member of this number, and the chat.
    #[must_use]
    pub fn member(&self, id: ObjectId) -> Option<(ChatIndex, &Member)> {
        let (index, place) = self.members.get(&id)?;
        Some((*index, &self.chat(*index).members[*place]))
    }

    /// Puts somebody into a chat, with the number `id` if they were never in it; tells their place.
    pub fn put_member(&mut self, index: ChatIndex, handle: &Handle, role: Role, id: ObjectId) -> usize {
        self.changed.note(index.0 as u32);
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

    /// What a message of the network became.
    #[must_use]
    pub fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.history.by_remote(remote)
    }

    /// Adds a message to its chat; its number is above all others.
    pub fn say(&mut self, id: ObjectId, message: Message) {
        let chat = &mut self.chats[message.chat.0];
        if message.kind.is_text() {
            // Not kept with the chat: found again by its messages.
            chat.activity = message.time;
            chat.last_text = first_words(&message.body);
        }
        self.history.add(id, message);
    }

    /// Forgets every message that needs no more attention.
    pub fn clear(&mut self) {
        self.history.clear();
        for index in (0..self.chats.len()).map(ChatIndex) {
            self.chat_mut(index).last_text.clear();
        }
    }

    /// The message of this number.
    #[must_use]
    pub fn message(&self, id: ObjectId) -> Option<Cow<'_, Message>> {
        self.history.get(id)
    }

    /// Moves a message on; returns whether it was not there yet.
    pub fn set_state(&mut self, id: ObjectId, state: State) -> bool {
        self.history.change(id, |message| std::mem::replace(&mut message.state, state) != state).unwrap_or(false)
    }

    /// Corrects the time of a message by the network's clock.
    pub fn set_time(&mut self, id: ObjectId, time: u64) {
        self.history.change(id, |message| message.time = time);
    }

    /// Remembers what the network calls a message.
    pub fn set_remote(&mut self, id: ObjectId, remote: &RemoteId) {
        self.history.know(remote, id);
        self.history.change(id, |message| message.remote = Some(remote.clone()));
    }

    /// Remembers whether the outcome of a message is still to be told.
    pub fn set_untold(&mut self, id: ObjectId, untold: bool) {
        self.history.change(id, |message| message.untold = untold);
    }

    /// Gives a message another text; tells what it had before.
    pub fn edit(&mut self, id: ObjectId, body: String, edit: Option<Box<Edit>>) -> Option<(String, Option<Box<Edit>>)> {
        let chat = self.history.get(id)?.chat;
        if self.history.list_some(Which::In(chat), 1).first().is_some_and(|newest| newest.id == id) {
            self.chats[chat.0].last_text = first_words(&body);
        }
        self.history.change(id, |message| {
            (std::mem::replace(&mut message.body, body), std::mem::replace(&mut message.edit, edit))
        })
    }

    /// Messages, newest first; the newest 100,000 if there are more.
    #[must_use]
    pub fn list(&self, which: Which) -> Vec<Entry> {
        self.history.list(which)
    }

    /// The newest messages of a chat, newest first.
    #[must_use]
    pub fn newest(&self, chat: ChatIndex, most: usize) -> Vec<Entry> {
        self.history.list_some(Which::In(chat), most)
    }
}

/// The beginning of a text, in one line.
fn first_words(body: &str) -> String {
    body.lines().next().unwrap_or("").chars().take(80).collect()
}
