//! The group chats of an account: who is in which, and what of it we have asked for ourselves
//! (imo-protocol 4, 5, 6.2). Pure.
//!
//! They outlive a session, so that the next login tells only what has changed.

use std::collections::BTreeMap;
use std::collections::VecDeque;

use super::events::Stamp;
use super::events::message;
use crate::backend::Address;
use crate::backend::Conversation;
use crate::backend::ConversationMember;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Kind;
use crate::backend::Receipt;
use crate::backend::Ticket;
use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::MyStatus;
use crate::model::Role;

/// How many chats are known at most, and how many members of one.
const MAX_CHATS: usize = 4096;
const MAX_MEMBERS: usize = 4096;

/// What a list of buddies tells of a chat, or of somebody in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Item {
    pub(super) gid: String,
    /// Of whom it tells; of the chat itself if of nobody.
    pub(super) member: Option<Handle>,
    /// What the chat is called.
    pub(super) alias: Option<String>,
    /// What it is about.
    pub(super) topic: Option<String>,
    pub(super) inviter: Option<Handle>,
}

/// Something that the protocol asks for one user at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Round {
    /// Who waits for the outcome; nobody, if we have founded the chat with these users.
    pub(super) ticket: Option<Ticket>,
    pub(super) gid: String,
    pub(super) errand: Errand,
    /// Whom it is still to be asked for; the first is being asked.
    pub(super) users: VecDeque<Handle>,
    accepted: bool,
    refused: Vec<Handle>,
}

/// What is asked for several users.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Errand {
    Invite,
    Kick,
}

impl Round {
    pub(super) fn new(ticket: Option<Ticket>, gid: &str, errand: Errand, users: Vec<Handle>) -> Self {
        Self { ticket, gid: gid.to_owned(), errand, users: users.into(), accepted: false, refused: Vec::new() }
    }

    /// The server has answered for the first user; tells whether there are more.
    pub(super) fn answered(&mut self, accepted: bool) -> bool {
        let user = self.users.pop_front();
        if accepted {
            self.accepted = true;
        } else {
            self.refused.extend(user);
        }
        !self.users.is_empty()
    }
}

/// A chat that we want, until the server tells of it.
#[derive(Debug)]
struct Founding {
    ticket: Ticket,
    /// What we called it; names it in the list of the server.
    name: String,
    users: Vec<Handle>,
    asked: bool,
}

/// Users by what they are looked up by.
#[derive(Debug, Default)]
struct Crowd(BTreeMap<String, Handle>);

impl Crowd {
    fn insert(&mut self, user: Handle) {
        if self.0.len() < MAX_MEMBERS {
            self.0.insert(Handle::fold(user.as_str()).into_owned(), user);
        }
    }

    fn remove(&mut self, user: &Handle) -> bool {
        self.0.remove(&*Handle::fold(user.as_str())).is_some()
    }

    fn contains(&self, user: &Handle) -> bool {
        self.0.contains_key(&*Handle::fold(user.as_str()))
    }
}

impl Extend<Handle> for Crowd {
    fn extend<T: IntoIterator<Item = Handle>>(&mut self, users: T) {
        users.into_iter().for_each(|user| self.insert(user));
    }
}

#[derive(Debug, Default)]
struct Chat {
    /// Whether we are in it.
    here: bool,
    /// The others in it.
    members: Crowd,
    /// Whom we have invited, and who is not in it yet.
    invited: Crowd,
    /// Whom we have removed, and who is not gone yet.
    removed: Crowd,
    /// The topic that we have set, until it is told back.
    topic: Option<String>,
    /// Whether we have asked to leave.
    leaving: bool,
}

impl Chat {
    /// Everybody who is in it, and whom we have invited.
    fn members(&self, me: &Handle) -> Vec<ConversationMember> {
        let member = |handle: &Handle, active| ConversationMember { handle: handle.clone(), role: Role::User, active };
        let own = self.here.then(|| member(me, true));
        let others = self.members.0.values().map(|handle| member(handle, true));
        let invited = self.invited.0.values().filter(|handle| !self.members.contains(handle));
        own.into_iter().chain(others).chain(invited.map(|handle| member(handle, false))).collect()
    }

    fn as_told(&self, gid: &str, me: &Handle) -> Conversation {
        Conversation { members: Some(self.members(me)), ..Conversation::named(ConversationId::new(gid)) }
    }
}

/// The group chats of an account.
#[derive(Debug, Default)]
pub(super) struct Chats {
    known: BTreeMap<String, Chat>,
    /// Whether a login has told where we are: what is new in the next list is news.
    listed: bool,
    foundings: Vec<Founding>,
    /// Users of chats that we have founded, who are still to be invited.
    invitations: VecDeque<Round>,
}

impl Chats {
    /// We found a chat with these users; its name is the time, made unique (imo-protocol 6.2).
    pub(super) fn found(&mut self, ticket: Ticket, users: Vec<Handle>, unix: u64) -> String {
        let is_free = |name: &String| self.foundings.iter().all(|founding| founding.name != *name);
        let mut names = (unix..).map(|second| second.to_string());
        let name = names.find(is_free).unwrap_or_default();
        self.foundings.push(Founding { ticket, name: name.clone(), users, asked: true });
        name
    }

    /// The next chat that an earlier session has left unfounded; from now on it counts as asked.
    pub(super) fn next_founding(&mut self) -> Option<String> {
        let founding = self.foundings.iter_mut().find(|founding| !founding.asked)?;
        founding.asked = true;
        Some(founding.name.clone())
    }

    /// The session ended before the server has answered for a chat: if it is not there, it is asked for again.
    pub(super) fn ask_again(&mut self, name: &str) {
        if let Some(founding) = self.foundings.iter_mut().find(|founding| founding.name == name) {
            founding.asked = false;
        }
    }

    /// Nothing will come of a chat.
    pub(super) fn give_up(&mut self, name: &str, failure: Failure) -> Option<Event> {
        let at = self.foundings.iter().position(|founding| founding.name == name)?;
        Some(Event::Done { ticket: self.foundings.remove(at).ticket, outcome: Err(failure) })
    }

    /// Nobody goes on with what was begun.
    pub(super) fn abandon(&mut self) -> Vec<Event> {
        self.invitations.clear();
        // Whether it was ever founded nobody can say any more.
        let outcome = |founding: Founding| Event::Done { ticket: founding.ticket, outcome: Err(Failure::Unclear) };
        self.foundings.drain(..).map(outcome).collect()
    }

    /// What is to be asked on behalf of a chat that we have founded. Who is in it need not be invited.
    pub(super) fn next_invitations(&mut self) -> Option<Round> {
        while let Some(mut round) = self.invitations.pop_front() {
            let chat = self.known.get(&round.gid);
            round.users.retain(|user| chat.is_some_and(|chat| chat.here && !chat.members.contains(user)));
            if !round.users.is_empty() {
                return Some(round);
            }
        }
        None
    }

    /// Whether somebody is still to be invited.
    pub(super) fn has_invitations(&self) -> bool {
        !self.invitations.is_empty()
    }

    /// Whether a chat is to be founded that an earlier session has left.
    pub(super) fn has_unasked(&self) -> bool {
        self.foundings.iter().any(|founding| !founding.asked)
    }

    /// Something is asked for several users; what comes of it is no news.
    pub(super) fn begin(&mut self, round: &Round) {
        if let Some(chat) = self.known.get_mut(&round.gid) {
            let asked = match round.errand {
                Errand::Invite => &mut chat.invited,
                Errand::Kick => &mut chat.removed,
            };
            asked.extend(round.users.iter().cloned());
        }
    }

    /// The server has answered for every user of a round.
    pub(super) fn finish(&mut self, round: Round, me: &Handle) -> Vec<Event> {
        self.forget(&round.gid, round.errand, &round.refused);
        let mut events = Vec::new();
        if let Some(ticket) = round.ticket {
            let outcome = if round.accepted { Ok(Receipt::default()) } else { Err(Failure::Refused) };
            events.push(Event::Done { ticket, outcome });
        }
        // Of a part that was refused nothing else is told.
        if !round.refused.is_empty()
            && (round.accepted || round.ticket.is_none())
            && let Some(chat) = self.known.get(&round.gid)
        {
            events.push(Event::Conversation(chat.as_told(&round.gid, me)));
        }
        events
    }

    /// The session ended in the middle of a round: the users of a chat that we have founded are
    /// invited in the next, all else is over.
    pub(super) fn interrupt(&mut self, mut round: Round, failure: Failure) -> Option<Event> {
        round.refused.clear();
        let Some(ticket) = round.ticket else {
            self.invitations.push_back(round);
            return None;
        };
        self.forget(&round.gid, round.errand, round.users.make_contiguous());
        Some(Event::Done { ticket, outcome: Err(failure) })
    }

    fn forget(&mut self, gid: &str, errand: Errand, users: &[Handle]) {
        if let Some(chat) = self.known.get_mut(gid) {
            for user in users {
                match errand {
                    Errand::Invite => chat.invited.remove(user),
                    Errand::Kick => chat.removed.remove(user),
                };
            }
        }
    }

    /// We have asked to leave a chat, or that was refused.
    pub(super) fn leave(&mut self, gid: &str, leaving: bool) {
        if let Some(chat) = self.known.get_mut(gid) {
            chat.leaving = leaving;
        }
    }

    /// We have set a topic.
    pub(super) fn set_topic(&mut self, gid: &str, topic: String) {
        if let Some(chat) = self.known.get_mut(gid) {
            chat.topic = Some(topic);
        }
    }

    /// Whether this topic is the one that we have set, told back.
    pub(super) fn is_own_topic(&mut self, gid: &str, topic: &str) -> bool {
        self.known.get_mut(gid).is_some_and(|chat| chat.topic.take_if(|own| own == topic).is_some())
    }

    /// What `buddy_added` tells. At login it is the `whole` list: we are in no other chat.
    pub(super) fn added(&mut self, items: Vec<Item>, whole: bool, me: &Handle, stamp: &mut Stamp<'_>) -> Vec<Event> {
        let mut batch: Vec<(String, Vec<Item>)> = Vec::new();
        let mut places = BTreeMap::new();
        for item in items {
            let place = *places.entry(item.gid.clone()).or_insert(batch.len());
            if place == batch.len() {
                batch.push((item.gid.clone(), Vec::new()));
            }
            batch[place].1.push(item);
        }
        let mut events = Vec::new();
        if whole {
            for (gid, chat) in self.known.iter_mut().filter(|(gid, chat)| chat.here && !places.contains_key(*gid)) {
                chat.here = false;
                let gone = Conversation { my_status: Some(MyStatus::Unsubscribed), ..chat.as_told(gid, me) };
                events.push(Event::Conversation(gone));
            }
        }
        for (gid, items) in batch {
            let fits = self.known.contains_key(&gid) || self.has_room();
            match self.known.get(&gid) {
                Some(chat) if chat.here && !whole => self.grown(&gid, items, me, stamp, &mut events),
                // Members of a chat that is none of ours any more.
                Some(_) if !whole && items.iter().all(|item| item.member.as_ref().is_some_and(|who| who != me)) => {}
                None if !fits => tracing::warn!(gid, "too many chats: skipped"),
                _ => self.appeared(&gid, items, whole, me, stamp, &mut events),
            }
        }
        self.listed |= whole;
        events
    }

    /// Whether one more chat can be known, at the price of one that is none of ours any more.
    fn has_room(&mut self) -> bool {
        if self.known.len() >= MAX_CHATS {
            let left = self.known.iter().find(|(_, chat)| !chat.here).map(|(gid, _)| gid.clone());
            return left.is_some_and(|gid| self.known.remove(&gid).is_some());
        }
        true
    }

    /// We are in a chat, for the first time or again.
    fn appeared(
        &mut self,
        gid: &str,
        items: Vec<Item>,
        whole: bool,
        me: &Handle,
        stamp: &mut Stamp<'_>,
        events: &mut Vec<Event>,
    ) {
        let own = |item: &&Item| item.member.as_ref().is_none_or(|who| who == me);
        let inviter = items.iter().filter(own).find_map(|item| item.inviter.clone()).filter(|who| who != me);
        let mut topic = items.iter().find_map(|item| item.topic.clone());
        let fresh = !self.known.contains_key(gid);
        let founding = if fresh { self.recognise(&items, inviter.is_none() && !whole) } else { None };
        let chat = self.known.entry(gid.to_owned()).or_default();
        let again = !fresh && !chat.here && !whole;
        let old = whole && !self.listed;
        (chat.here, chat.leaving) = (true, false);
        chat.members = Crowd::default();
        chat.members.extend(items.into_iter().filter_map(|item| item.member).filter(|who| who != me));
        let id = ConversationId::new(gid);
        let ours = founding.is_some();
        if let Some(Founding { ticket, users, name, .. }) = founding {
            // What we called it is not what it is about.
            topic = topic.filter(|topic| *topic != name);
            let round = Round::new(None, gid, Errand::Invite, users);
            chat.invited.extend(round.users.iter().cloned());
            self.invitations.push_back(round);
            let receipt = Receipt { conversation: Some(id.clone()), ..Receipt::default() };
            events.push(Event::Done { ticket, outcome: Ok(receipt) });
        }
        // Without an inviter it was another login of ours.
        let adder = inviter.clone().unwrap_or_else(|| me.clone());
        let added = || {
            let conversation = Address::Conversation(id.clone());
            message(stamp.next(), conversation, adder, Kind::Added(vec![me.clone()]))
        };
        let told = |inviter| Conversation {
            adder: inviter,
            topic,
            my_status: Some(MyStatus::Subscribed),
            ..chat.as_told(gid, me)
        };
        if again {
            events.extend([Event::Message(added()), Event::Conversation(told(inviter))]);
        } else if fresh && !ours && !whole && inviter.is_none() {
            events.extend([Event::Conversation(told(None)), Event::Message(added())]);
        } else if old && inviter.is_some() {
            // Told apart, as somebody was told of it before: it would come as news at every login.
            let by = Conversation { adder: inviter, ..Conversation::named(id.clone()) };
            events.extend([Event::Conversation(told(None)), Event::Conversation(by)]);
        } else {
            events.push(Event::Conversation(told(inviter)));
        }
    }

    /// The chat of ours that the server tells of: it has the name, or else it is the first that we
    /// cannot have been invited to (imo-protocol 12, flaw 8).
    fn recognise(&mut self, items: &[Item], without_name: bool) -> Option<Founding> {
        let named = |founding: &Founding| {
            let is_name = |text: &Option<String>| text.as_ref() == Some(&founding.name);
            items.iter().any(|item| is_name(&item.alias) || is_name(&item.topic))
        };
        let at = self.foundings.iter().position(named);
        let first = || self.foundings.iter().position(|founding| founding.asked).filter(|_| without_name);
        let at = at.or_else(first)?;
        Some(self.foundings.remove(at))
    }

    /// A chat that we are in has more members, or another topic.
    fn grown(&mut self, gid: &str, items: Vec<Item>, me: &Handle, stamp: &mut Stamp<'_>, events: &mut Vec<Event>) {
        let Some(chat) = self.known.get_mut(gid) else { return };
        // Whoever is told of first was there before us (imo-protocol 8).
        let first = chat.members.0.is_empty();
        let mut changed = false;
        let mut topic = None;
        let mut newcomers: Vec<(Handle, Vec<Handle>)> = Vec::new();
        for item in items {
            topic = item.topic.or(topic);
            let Some(member) = item.member.filter(|who| who != me && !chat.members.contains(who)) else { continue };
            chat.members.insert(member.clone());
            chat.removed.remove(&member);
            let asked = chat.invited.remove(&member);
            if asked || first {
                changed = true;
                continue;
            }
            let adder = item.inviter.unwrap_or_else(|| member.clone());
            match newcomers.iter_mut().find(|(known, _)| *known == adder) {
                Some((_, added)) => added.push(member),
                None => newcomers.push((adder, vec![member])),
            }
        }
        let conversation = Address::Conversation(ConversationId::new(gid));
        events.extend(newcomers.into_iter().map(|(adder, added)| {
            Event::Message(message(stamp.next(), conversation.clone(), adder, Kind::Added(added)))
        }));
        if changed {
            events.push(Event::Conversation(Conversation { topic, ..chat.as_told(gid, me) }));
        } else if topic.is_some() {
            events.push(Event::Conversation(Conversation { topic, ..Conversation::named(ConversationId::new(gid)) }));
        }
    }

    /// What `buddy_status` tells: the topics of chats that we are in.
    pub(super) fn changed(&self, items: Vec<Item>) -> Vec<Event> {
        let here = |gid: &str| self.known.get(gid).is_some_and(|chat| chat.here);
        let told = |item: Item| {
            let topic = item.topic.filter(|_| item.member.is_none() && here(&item.gid))?;
            let named = Conversation::named(ConversationId::new(item.gid));
            Some(Event::Conversation(Conversation { topic: Some(topic), ..named }))
        };
        items.into_iter().filter_map(told).collect()
    }

    /// What `buddy_removed` tells: members that were removed `by` somebody, chats that we have left.
    pub(super) fn removed(&mut self, items: Vec<Item>, by: &Handle, me: &Handle, stamp: &mut Stamp<'_>) -> Vec<Event> {
        let mut events = Vec::new();
        for item in items {
            let Some(chat) = self.known.get_mut(&item.gid).filter(|chat| chat.here) else { continue };
            let kind = match item.member {
                Some(who) if who != *me => {
                    let known = chat.members.remove(&who) | chat.invited.remove(&who);
                    if chat.removed.remove(&who) || !known {
                        continue;
                    }
                    // Whoever removes themselves has left.
                    if who == *by { (by, Kind::Left) } else { (by, Kind::Kicked(vec![who])) }
                }
                member => {
                    chat.here = false;
                    if std::mem::take(&mut chat.leaving) {
                        continue;
                    }
                    // That the chat itself is gone tells nothing of somebody who has removed us.
                    if member.is_some() { (by, Kind::Kicked(vec![me.clone()])) } else { (me, Kind::Left) }
                }
            };
            let conversation = Address::Conversation(ConversationId::new(item.gid));
            events.push(Event::Message(message(stamp.next(), conversation, kind.0.clone(), kind.1)));
        }
        events
    }
}

#[cfg(test)]
#[path = "chats_tests.rs"]
mod tests;
