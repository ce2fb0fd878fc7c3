//! What somebody knows of the network: everything that was heard, added up as the events are meant.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::sync::Arc;

use imo2skype::backend::Address;
use imo2skype::backend::Call;
use imo2skype::backend::Change;
use imo2skype::backend::Contact;
use imo2skype::backend::Conversation;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Kind;
use imo2skype::backend::Lost;
use imo2skype::backend::Message;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Typing;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;
use imo2skype::model::MyStatus;

/// A conversation of several.
#[derive(Clone, Debug, Default)]
pub(crate) struct Room {
    /// Folded names.
    pub(crate) members: BTreeSet<String>,
    pub(crate) topic: String,
    pub(crate) my_status: Option<MyStatus>,
}

#[derive(Debug, Default)]
pub(crate) struct View {
    pub(crate) me: Option<Handle>,
    pub(crate) connected: Vec<Epoch>,
    pub(crate) lost: Vec<(Epoch, Lost)>,
    /// By folded name.
    pub(crate) contacts: BTreeMap<String, Contact>,
    pub(crate) requests: Vec<(Handle, String)>,
    /// Each once, in the order of arrival; those that change a conversation among them.
    pub(crate) messages: Vec<Message>,
    /// By ticket: there should be one.
    pub(crate) outcomes: BTreeMap<u64, Vec<Result<Receipt, Failure>>>,
    pub(crate) own_presence: Option<(Presence, Option<String>)>,
    pub(crate) rooms: BTreeMap<String, Room>,
    pub(crate) typing: Vec<(Handle, Typing)>,
    /// By folded name.
    pub(crate) avatars: BTreeMap<String, Option<Arc<[u8]>>>,
    /// By id, as it is now.
    pub(crate) calls: BTreeMap<String, Call>,
}

pub(crate) fn fold(handle: &Handle) -> String {
    Handle::fold(handle.as_str()).into_owned()
}

impl View {
    pub(crate) fn hear(&mut self, event: Event) {
        match event {
            Event::Connected { epoch, me, .. } => {
                self.connected.push(epoch);
                self.me = Some(me);
            }
            Event::Disconnected { epoch, reason } => self.lost.push((epoch, reason)),
            Event::Contacts { contacts, complete } => {
                if complete {
                    let listed: BTreeSet<_> = contacts.iter().map(|contact| fold(&contact.handle)).collect();
                    self.contacts.retain(|name, _| listed.contains(name));
                }
                contacts.into_iter().for_each(|contact| self.learn(contact));
            }
            Event::ContactRemoved(user) => drop(self.contacts.remove(&fold(&user))),
            Event::AuthRequest { user, text } => self.requests.push((user, text)),
            // A known id is a repeat.
            Event::Message(message) if self.messages.iter().any(|known| known.remote == message.remote) => {}
            Event::Message(message) => {
                self.change(&message);
                self.messages.push(message);
            }
            Event::Done { ticket, outcome } => self.outcomes.entry(ticket.0).or_default().push(outcome),
            Event::OwnPresence { presence, mood } => self.own_presence = Some((presence, mood)),
            Event::Conversation(conversation) => self.converse(conversation),
            Event::Typing { user, typing } => self.typing.push((user, typing)),
            Event::Avatar { user, picture } => drop(self.avatars.insert(fold(&user), picture)),
            Event::Call(call) => drop(self.calls.insert(call.id.as_str().to_owned(), call)),
            _ => {}
        }
    }

    /// What is `None` has not changed.
    fn learn(&mut self, news: Contact) {
        let key = fold(&news.handle);
        let known = self.contacts.entry(key).or_insert_with(|| Contact::named(news.handle.clone()));
        known.name = news.name.or(known.name.take());
        known.presence = news.presence.or(known.presence);
        known.mood = news.mood.or(known.mood.take());
        known.agreed = news.agreed.or(known.agreed);
        known.blocked = news.blocked.or(known.blocked);
        known.alias = news.alias.or(known.alias.take());
    }

    fn converse(&mut self, news: Conversation) {
        let room = self.rooms.entry(news.id.as_str().to_owned()).or_default();
        if let Some(members) = news.members {
            room.members = members.iter().map(|member| fold(&member.handle)).collect();
        }
        room.topic = news.topic.unwrap_or(std::mem::take(&mut room.topic));
        room.my_status = news.my_status.or(room.my_status);
    }

    /// A message that changes a conversation of several is the change too.
    fn change(&mut self, message: &Message) {
        let Address::Conversation(id) = &message.conversation else { return };
        let me = self.me.as_ref().map(fold).unwrap_or_default();
        let room = self.rooms.entry(id.as_str().to_owned()).or_default();
        match &message.kind {
            Kind::Created(users) | Kind::Saw(users) | Kind::Added(users) => {
                room.members.extend(users.iter().map(fold));
                if users.iter().any(|user| fold(user) == me) {
                    room.my_status = Some(MyStatus::Subscribed);
                }
            }
            Kind::Left => {
                room.members.remove(&fold(&message.author));
                if fold(&message.author) == me {
                    room.my_status = Some(MyStatus::Unsubscribed);
                }
            }
            Kind::Kicked(users) | Kind::Banned(users) => {
                for user in users {
                    room.members.remove(&fold(user));
                    if fold(user) == me {
                        room.my_status = Some(MyStatus::Kicked);
                    }
                }
            }
            Kind::Topic => room.topic.clone_from(&message.body),
            _ => {}
        }
    }

    /// What we have changed ourselves, and the network has carried out, need not be told to us.
    pub(crate) fn changed(&mut self, id: &ConversationId, change: &Change) {
        let room = self.rooms.entry(id.as_str().to_owned()).or_default();
        match change {
            Change::Invite(users) => room.members.extend(users.iter().map(fold)),
            Change::Kick { users, .. } => room.members.retain(|member| !users.iter().any(|user| fold(user) == *member)),
            Change::Leave => room.my_status = Some(MyStatus::Unsubscribed),
            Change::Topic(topic) => room.topic.clone_from(topic),
            _ => {}
        }
    }

    // ---- questions ----

    pub(crate) fn presence_of(&self, name: &str) -> Option<Presence> {
        self.contacts.get(name)?.presence
    }

    pub(crate) fn mood_of(&self, name: &str) -> &str {
        self.contacts.get(name).and_then(|contact| contact.mood.as_deref()).unwrap_or_default()
    }

    /// Who said what to us, in the order of arrival.
    pub(crate) fn said_by(&self, author: &str) -> Vec<&str> {
        let said = |message: &&Message| message.kind == Kind::Text && fold(&message.author) == author;
        self.messages.iter().filter(said).map(|message| message.body.as_str()).collect()
    }

    /// What is said in a conversation of several.
    pub(crate) fn said_in(&self, id: &ConversationId) -> Vec<(String, &str)> {
        let wanted = Address::Conversation(id.clone());
        let said = |message: &&Message| message.kind == Kind::Text && message.conversation == wanted;
        self.messages.iter().filter(said).map(|message| (fold(&message.author), message.body.as_str())).collect()
    }

    pub(crate) fn room(&self, id: &ConversationId) -> Option<&Room> {
        self.rooms.get(id.as_str())
    }

    /// Whether exactly these are in the conversation, as far as we know.
    pub(crate) fn is_in(&self, id: &ConversationId, members: &[&str]) -> bool {
        self.room(id).is_some_and(|room| room.members.iter().eq(members))
    }

    pub(crate) fn reachable(&self, epoch: Epoch) -> bool {
        self.connected.contains(&epoch) && !self.lost.iter().any(|(lost, _)| *lost == epoch)
    }
}
