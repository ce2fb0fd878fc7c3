//! What was said: the newest messages in memory, and where there is an archive all of them there.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::collections::HashMap;
use std::collections::VecDeque;

use crate::model::Archive;
use crate::model::Change;
use crate::model::ChatIndex;
use crate::model::Class;
use crate::model::Entry;
use crate::model::Kind;
use crate::model::Message;
use crate::model::ObjectId;
use crate::model::RemoteId;
use crate::model::State;
use crate::model::Which;
use crate::model::changed::Changed;

/// How many messages are in memory where nothing else keeps them; beyond it the oldest that need
/// no more attention go.
const KEPT_ALONE: usize = if cfg!(test) { 60 } else { 100_000 };
/// How many are in memory beside an archive, where the others are found.
const KEPT_BESIDE: usize = if cfg!(test) { 5 } else { 2_000 };

/// What was said.
#[derive(Default)]
pub struct History {
    archive: Option<Box<dyn Archive>>,
    /// The newest, and older ones whose outcome is open or that are not kept as they are now.
    messages: HashMap<ObjectId, Message>,
    /// From here on every message is in memory; those below are in the archive.
    floor: ObjectId,
    /// The messages from `floor` on, oldest first.
    order: VecDeque<ObjectId>,
    by_chat: HashMap<ChatIndex, VecDeque<ObjectId>>,
    /// Those in memory that arrived and were not seen.
    missed: BTreeSet<ObjectId>,
    /// Ours whose outcome is open; all of them are in memory.
    sending: BTreeSet<ObjectId>,
    /// What the network calls the newest messages.
    known: HashMap<RemoteId, ObjectId>,
    known_order: VecDeque<RemoteId>,
    changed: Changed,
    cleared: bool,
}

impl std::fmt::Debug for History {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("History").field("in_memory", &self.messages.len()).finish_non_exhaustive()
    }
}

impl History {
    /// Goes on with what an archive holds; new messages have numbers from `next` on.
    pub(super) fn open(archive: Box<dyn Archive>, next: ObjectId) -> Self {
        let mut history = Self { floor: next, ..Self::default() };
        history.changed.watch();
        for entry in archive.list(Which::Sending, next, usize::MAX) {
            if let Some(message) = archive.message(entry.id) {
                history.sending.insert(entry.id);
                history.messages.insert(entry.id, message);
            }
        }
        history.archive = Some(archive);
        history
    }

    pub(super) fn archive(&self) -> Option<&dyn Archive> {
        self.archive.as_deref()
    }

    pub(super) fn leave_archive(&mut self) {
        self.archive = None;
    }

    /// Adds a message, whose number is above all others.
    pub(super) fn add(&mut self, id: ObjectId, message: Message) {
        self.by_chat.entry(message.chat).or_default().push_back(id);
        self.order.push_back(id);
        self.note(id, message.state);
        if let Some(remote) = &message.remote {
            self.know(remote, id);
        }
        self.messages.insert(id, message);
        if self.archive.is_none() {
            self.trim();
        }
    }

    /// The message of this number.
    pub(super) fn get(&self, id: ObjectId) -> Option<Cow<'_, Message>> {
        match self.messages.get(&id) {
            Some(message) => Some(Cow::Borrowed(message)),
            // One that has changed and is not in memory was cleared.
            None if id < self.floor && !self.changed.contains(id.0) => {
                let message = self.archive.as_ref()?.message(id);
                message.filter(|message| !self.cleared || message.matters()).map(Cow::Owned)
            }
            None => None,
        }
    }

    /// Changes a message.
    pub(super) fn change<T>(&mut self, id: ObjectId, change: impl FnOnce(&mut Message) -> T) -> Option<T> {
        if let Cow::Owned(message) = self.get(id)? {
            self.messages.insert(id, message);
        }
        let message = self.messages.get_mut(&id)?;
        let result = change(message);
        let state = message.state;
        self.note(id, state);
        Some(result)
    }

    fn note(&mut self, id: ObjectId, state: State) {
        self.changed.note(id.0);
        for (set, is_in) in [(&mut self.missed, state == State::Received), (&mut self.sending, state == State::Sending)]
        {
            if is_in {
                set.insert(id);
            } else {
                set.remove(&id);
            }
        }
    }

    /// From now on a message of the network is known.
    pub(super) fn know(&mut self, remote: &RemoteId, id: ObjectId) {
        if self.known.insert(remote.clone(), id).is_none() {
            self.known_order.push_back(remote.clone());
            // Repeats come soon, or are found in the archive.
            let most = if self.archive.is_some() { KEPT_BESIDE } else { KEPT_ALONE };
            if self.known_order.len() > most
                && let Some(oldest) = self.known_order.front()
                && !self.known.get(oldest).is_some_and(|id| self.changed.contains(id.0))
                && let Some(oldest) = self.known_order.pop_front()
            {
                self.known.remove(&oldest);
            }
        }
    }

    /// What a message of the network is called here.
    pub(super) fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        let archived = || self.archive.as_ref()?.by_remote(remote);
        self.known.get(remote).copied().or_else(archived)
    }

    /// Messages, newest first, at most as many as are kept in memory where there is no archive.
    pub(super) fn list(&self, which: Which) -> Vec<Entry> {
        self.list_some(which, KEPT_ALONE)
    }

    pub(super) fn list_some(&self, which: Which, limit: usize) -> Vec<Entry> {
        let here: &mut dyn Iterator<Item = &ObjectId> = match which {
            Which::All => &mut self.order.iter().rev(),
            Which::In(chat) => &mut self.by_chat.get(&chat).into_iter().flatten().rev(),
            Which::Missed => &mut self.missed.iter().rev(),
            Which::Sending => &mut self.sending.iter().rev(),
            Which::Untold => return Vec::new(),
        };
        let entry = |id: &ObjectId| self.messages.get(id).map(|message| entry(*id, message));
        let mut list: Vec<_> = here.filter_map(entry).take(limit).collect();
        let Some(archive) = self.archive.as_ref().filter(|_| which != Which::Sending) else { return list };
        // Of what is there, some may be in memory as it is now, or have been cleared.
        let older =
            archive.list(which, self.floor, if self.cleared { usize::MAX } else { limit + self.messages.len() });
        if which == Which::Missed {
            let here = |id| self.messages.contains_key(&id) || self.changed.contains(id.0);
            list.extend(older.into_iter().filter(|entry| !here(entry.id)));
            list.sort_by_key(|entry| std::cmp::Reverse(entry.id));
        } else {
            list.extend(older.into_iter().filter(|entry| !self.cleared || self.get(entry.id).is_some()));
        }
        list.truncate(limit);
        list
    }

    /// Forgets every message that needs no more attention.
    pub(super) fn clear(&mut self) {
        self.messages.retain(|_, message| message.matters());
        let kept = &self.messages;
        self.order.retain(|id| kept.contains_key(id));
        for list in self.by_chat.values_mut() {
            list.retain(|id| kept.contains_key(id));
        }
        self.by_chat.retain(|_, list| !list.is_empty());
        self.cleared = self.archive.is_some();
    }

    /// What has to be kept.
    pub(super) fn changes<'a>(&'a self, changes: &mut Vec<Change<'a>>) {
        changes.extend(self.cleared.then_some(Change::Clear));
        // One that has changed and was cleared before that was kept is in the archive as it was.
        let message = |id| self.messages.get(&id).map_or(Change::Forget(id), |message| Change::Message(id, message));
        changes.extend(self.changed.iter().map(ObjectId).map(message));
    }

    pub(super) fn has_changes(&self) -> bool {
        self.cleared || !self.changed.is_empty()
    }

    /// All of it is kept now.
    pub(super) fn saved(&mut self) {
        for id in self.changed.iter().map(ObjectId).take_while(|id| *id < self.floor) {
            if self.messages.get(&id).is_some_and(|message| message.state != State::Sending) {
                self.messages.remove(&id);
                self.missed.remove(&id);
            }
        }
        self.changed.clear();
        self.cleared = false;
        self.trim();
    }

    /// Keeps the memory in bounds, but never at the price of a message that still matters.
    fn trim(&mut self) {
        let most = if self.archive.is_some() { KEPT_BESIDE } else { KEPT_ALONE };
        while self.order.len() > most {
            let Some(oldest) = self.order.front().copied() else { return };
            let Some(message) = self.messages.get(&oldest) else { return };
            let kept = self.archive.is_some() && !self.changed.contains(oldest.0);
            if !kept && (message.matters() || self.order.len() <= KEPT_ALONE) {
                return;
            }
            if let Some(list) = self.by_chat.get_mut(&message.chat) {
                // Numbers grow within a chat as they grow overall: the oldest comes first.
                if list.front() == Some(&oldest) {
                    list.pop_front();
                }
                if list.is_empty() {
                    self.by_chat.remove(&message.chat);
                }
            }
            if !kept || message.state != State::Sending {
                self.messages.remove(&oldest);
                self.changed.forget(oldest.0);
            }
            self.missed.remove(&oldest);
            self.order.pop_front();
            self.floor = ObjectId(oldest.0 + 1);
        }
    }
}

fn entry(id: ObjectId, message: &Message) -> Entry {
    Entry { id, chat: message.chat, class: message.kind.class() }
}

impl Kind {
    /// For whom a message of this kind is.
    #[must_use]
    pub fn class(&self) -> Class {
        match self {
            Self::Text | Self::Emote => Class::Text,
            Self::AuthRequest => Class::AuthRequest,
            _ => Class::Other,
        }
    }
}

#[cfg(test)]
#[path = "history_tests.rs"]
mod tests;
