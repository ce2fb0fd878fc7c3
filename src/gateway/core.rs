//! The state of a gateway and what holds between its parts: sessions, logins, presence, delivery.
//!
//! Everything here runs under one lock and takes the time as a value. What a single method of
//! the protocol does is in `methods`.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;
use std::time::Instant;

use rand::TryRng;
use rand::rngs::SysRng;
use tokio::sync::oneshot;

use crate::imo::Buddy;
use crate::imo::Envelope;

use super::accounts::Contact;
use super::accounts::Relation;
use super::accounts::User;
use super::accounts::UserId;
use super::calls::Calls;
use super::db::Database;
use super::db::DbError;
use super::db::DbResult;
use super::events;
use super::events::Outgoing;
use super::events::Presence;
use super::limits::Attempts;
use super::mail::MessageId;
use super::mail::Stored;
use super::metrics::Metrics;
use super::names::ECHO;
use super::names::SENT_LIFETIME;
use super::pictures::PictureMark;
use super::session::Login;
use super::session::Session;

/// Sessions that may be open, logged in or not.
const SESSION_LIMIT: usize = 100_000;
/// Stored messages read at once.
const PULL: usize = 500;
/// Sent messages forgotten at once.
const FORGET: usize = 2_000;

/// The moment of a call.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Now {
    pub(crate) instant: Instant,
    /// Seconds since 1970 UTC.
    pub(crate) unix: u64,
}

/// An account with at least one login.
#[derive(Debug, Default)]
struct Online {
    name: String,
    /// Session ids.
    logins: Vec<String>,
    /// What others were told last.
    shown: (Presence, String),
    /// Delivered messages that are kept for a login that lags behind.
    taken: BTreeSet<MessageId>,
}

/// What becomes of a poll.
pub(crate) enum PollStep {
    /// Answer now.
    Answer(Envelope),
    /// Wait for the receiver; at the end of the time ask [`Core::poll_is_due`] with the number.
    Hold(u64, oneshot::Receiver<Envelope>),
}

/// Everything a gateway knows.
pub(crate) struct Core {
    pub(crate) db: Database,
    pub(crate) metrics: Metrics,
    pub(super) attempts: Attempts,
    pub(super) epoch: String,
    pub(super) echo: UserId,
    sessions: HashMap<String, Session>,
    online: HashMap<UserId, Online>,
    pub(super) calls: Calls,
    /// The last change of a picture that was told.
    pub(super) pictures: PictureMark,
    /// Sessions with new events whose poll is held.
    woken: Vec<String>,
    expiry: Duration,
    closing: bool,
}

impl Core {
    pub(crate) fn new(db: Database, metrics: Metrics, expiry: Duration) -> DbResult<Self> {
        let epoch = db.epoch()?;
        let echo = db.user(ECHO)?.ok_or(DbError::QueryReturnedNoRows)?.id;
        let pictures = db.picture_mark()?;
        db.commit()?;
        Ok(Self {
            db,
            metrics,
            attempts: Attempts::default(),
            epoch,
            echo,
            sessions: HashMap::new(),
            online: HashMap::new(),
            calls: Calls::default(),
            pictures,
            woken: Vec::new(),
            expiry,
            closing: false,
        })
    }

    /// Opens a session (imo-protocol 3.1); `None` when there are too many.
    pub(crate) fn open_session(&mut self, now: Now) -> Option<String> {
        if self.sessions.len() >= SESSION_LIMIT || self.closing {
            return None;
        }
        let ssid = token()?;
        self.sessions.insert(ssid.clone(), Session::new(now.instant));
        self.metrics.sessions.inc();
        Some(ssid)
    }

    pub(super) fn session(&mut self, ssid: &str) -> Option<&mut Session> {
        self.sessions.get_mut(ssid)
    }

    pub(super) fn login(&self, ssid: &str) -> Option<Login> {
        self.sessions.get(ssid)?.login.clone()
    }

    /// A sign of life with the client's `ack`. False for an unknown session.
    pub(crate) fn seen(&mut self, ssid: &str, ack: Option<u64>, now: Now) -> DbResult<bool> {
        let Some(session) = self.sessions.get_mut(ssid) else { return Ok(false) };
        if session.doomed {
            self.drop_session(ssid)?;
            return Ok(false);
        }
        session.last_seen = now.instant;
        let delivered = ack.map_or_else(Vec::new, |ack| session.acknowledge(ack));
        let drained = session.missed_from.is_some() && session.has_drained();
        if let Some(login) = session.login.as_ref().map(|login| login.id) {
            for id in delivered {
                self.forget_message(ssid, login, id)?;
            }
        }
        if drained {
            self.pull(ssid)?;
        }
        Ok(true)
    }

    /// One login has the message; only one that lags behind the others may still want it.
    fn forget_message(&mut self, ssid: &str, account: UserId, id: MessageId) -> DbResult<()> {
        let Some(online) = self.online.get_mut(&account) else { return Ok(()) };
        let lags = |other: &String| other != ssid && self.sessions.get(other).is_some_and(|s| s.lagging_from.is_some());
        if online.logins.iter().any(lags) {
            if online.taken.insert(id) {
                self.metrics.messages_delivered.inc();
            }
        } else {
            let kept = online.taken.remove(&id);
            if self.db.remove_message(id)? && !kept {
                self.metrics.messages_delivered.inc();
            }
        }
        Ok(())
    }

    /// Drops what was kept for logins that lag, once none does.
    fn forget_taken(&mut self, account: UserId) -> DbResult<()> {
        let Some(online) = self.online.get_mut(&account) else { return Ok(()) };
        let lags = |ssid: &String| self.sessions.get(ssid).is_some_and(|session| session.lagging_from.is_some());
        if !online.taken.is_empty() && !online.logins.iter().any(lags) {
            for id in std::mem::take(&mut online.taken) {
                self.db.remove_message(id)?;
            }
        }
        Ok(())
    }

    /// A long poll (imo-protocol 3.4).
    pub(crate) fn poll(&mut self, ssid: &str, ack: Option<u64>, now: Now) -> DbResult<PollStep> {
        let closing = self.closing;
        if !self.seen(ssid, ack, now)? {
            return Ok(PollStep::Answer(Envelope { ack: Some(0), ..Envelope::default() }));
        }
        let Some(session) = self.sessions.get_mut(ssid) else {
            return Ok(PollStep::Answer(Envelope { ack: Some(0), ..Envelope::default() }));
        };
        if session.has_events() {
            session.end_poll();
            return Ok(PollStep::Answer(session.answer()));
        }
        if closing {
            return Ok(PollStep::Answer(session.empty_answer()));
        }
        let (number, receiver) = session.hold();
        Ok(PollStep::Hold(number, receiver))
    }

    /// The time of a held poll is up.
    pub(crate) fn poll_is_due(&mut self, ssid: &str, number: u64, now: Now) -> Envelope {
        match self.sessions.get_mut(ssid) {
            Some(session) => {
                session.last_seen = now.instant;
                session.poll_is_due(number)
            }
            None => Envelope { ack: Some(0), ..Envelope::default() },
        }
    }

    /// Answers the held polls of sessions with new events; called when those are on disk.
    pub(crate) fn flush(&mut self) {
        for ssid in std::mem::take(&mut self.woken) {
            if let Some(session) = self.sessions.get_mut(&ssid) {
                session.wake();
            }
        }
    }

    /// What was told since the last flush is not on disk, and its ids will be given again: every
    /// session ends, and what a client finds in a new one is true.
    pub(crate) fn lose(&mut self) {
        self.woken.clear();
        for session in self.sessions.values_mut() {
            session.clear();
            session.end_poll();
            session.doomed = true;
        }
    }

    /// Ends sessions of which nothing was heard for long and calls that nobody answers, looks for
    /// new pictures, and forgets what was sent long ago.
    pub(crate) fn tick(&mut self, now: Now) -> DbResult<()> {
        let mut over = Vec::new();
        for (ssid, session) in &mut self.sessions {
            if session.doomed {
                over.push(ssid.clone());
            } else if session.is_polled() {
                session.last_seen = now.instant;
            } else if now.instant.saturating_duration_since(session.last_seen) >= self.expiry {
                over.push(ssid.clone());
            }
        }
        for ssid in over {
            tracing::debug!(event = "expired", "session");
            self.drop_session(&ssid)?;
        }
        self.end_unanswered(now);
        self.notice_pictures()?;
        self.db.forget_sent(now.unix.saturating_sub(SENT_LIFETIME), FORGET).map(drop)
    }

    /// Answers all held polls; later ones are answered at once.
    pub(crate) fn close(&mut self) {
        self.closing = true;
        for session in self.sessions.values_mut() {
            session.end_poll();
        }
    }

    fn drop_session(&mut self, ssid: &str) -> DbResult<()> {
        self.log_out(ssid)?;
        if let Some(mut session) = self.sessions.remove(ssid) {
            self.metrics.sessions.dec();
            session.end_poll();
        }
        Ok(())
    }

    // ---- logins and presence ----

    /// Logs `user` in: the whole list, `signed_on`, and who waits for authorisation.
    pub(super) fn log_in(&mut self, ssid: &str, user: &User) -> DbResult<()> {
        let Some(session) = self.sessions.get_mut(ssid) else { return Ok(()) };
        if session.login.as_ref().is_none_or(|login| login.id != user.id) {
            session.login = Some(Login { id: user.id, name: user.name.clone(), presence: Presence::Available });
            // What comes from now on comes behind what was missed.
            session.missed_from = Some(0);
            let online = self.online.entry(user.id).or_default();
            online.name.clone_from(&user.name);
            online.logins.push(ssid.to_owned());
        }
        // Before the list, which shows the own presence in chats.
        self.publish(user.id)?;
        let mut items: Vec<_> = self.db.contacts(user.id)?.iter().map(|contact| self.item(contact)).collect();
        for chat in self.db.chats(user.id)? {
            items.extend(self.chat_items(user.id, &chat)?);
        }
        // One event: a client takes what is not in the list of a login for gone (imo-protocol 5).
        self.push(ssid, events::buddy_added(&user.name, &items));
        self.push(ssid, events::signed_on(&user.name, &user.alias));
        for (name, words) in self.db.requests(user.id)? {
            self.push(ssid, events::buddy_request(&user.name, &name, &words));
        }
        let icons = self.db.icons_seen_by(user.id)?;
        if !icons.is_empty() {
            self.push(ssid, events::buddy_icon(&user.name, &icons));
        }
        for call in self.calls.events(user.id) {
            self.push(ssid, call);
        }
        Ok(())
    }

    /// Ends the login of a session, not the session.
    pub(super) fn log_out(&mut self, ssid: &str) -> DbResult<()> {
        let Some(session) = self.sessions.get_mut(ssid) else { return Ok(()) };
        session.clear();
        session.end_poll();
        let Some(login) = session.login.take() else { return Ok(()) };
        if let Some(online) = self.online.get_mut(&login.id) {
            online.logins.retain(|other| other != ssid);
        }
        self.forget_taken(login.id)?;
        self.publish(login.id)?;
        if self.online.get(&login.id).is_some_and(|online| online.logins.is_empty()) {
            self.online.remove(&login.id);
            self.end_calls(login.id);
        }
        Ok(())
    }

    /// Tells those who may know what the logins of `account` show together, if that changed.
    pub(super) fn publish(&mut self, account: UserId) -> DbResult<()> {
        let Some(user) = self.db.user_by_id(account)? else { return Ok(()) };
        let Some(online) = self.online.get_mut(&account) else { return Ok(()) };
        let presences = online.logins.iter().filter_map(|ssid| Some(self.sessions.get(ssid)?.login.as_ref()?.presence));
        let shown = (presences.max().unwrap_or_default().seen_by_others(), user.mood.clone());
        if online.shown == shown {
            return Ok(());
        }
        online.shown = shown;
        for watcher in self.db.watchers(account)? {
            if self.online.contains_key(&watcher) {
                self.tell_presence(watcher, &user)?;
            }
        }
        Ok(())
    }

    /// Tells `viewer`, if it is there, what it may see of `user`: on its list and in chats.
    pub(super) fn tell_presence(&mut self, viewer: UserId, user: &User) -> DbResult<()> {
        if !self.online.contains_key(&viewer) {
            return Ok(());
        }
        let own = self.db.relation(viewer, user.id)?;
        let item = self.item_of(viewer, user, &own)?;
        let chats = self.db.shared_chats(viewer, user.id)?;
        let mut items: Vec<_> = chats.into_iter().map(|chat| self.as_member(chat, item.clone())).collect();
        if own.listed {
            items.insert(0, item);
        }
        if !items.is_empty() {
            self.push_all(viewer, |name| events::buddy_status(name, &items));
        }
        Ok(())
    }

    /// `user` as an item of `viewer`'s list; `own` is what `viewer` thinks of `user`.
    pub(super) fn item_of(&self, viewer: UserId, user: &User, own: &Relation) -> DbResult<Buddy> {
        let visible = self.db.relation(user.id, viewer)?.shows_presence();
        Ok(self.item(&Contact { user: user.clone(), alias: own.alias.clone(), visible }))
    }

    /// Somebody as an item of a list.
    pub(super) fn item(&self, contact: &Contact) -> Buddy {
        let user = &contact.user;
        let (presence, mood) = match self.online.get(&user.id) {
            _ if user.id == self.echo => (Presence::Available, ""),
            Some(online) if contact.visible => (online.shown.0, user.mood.as_str()),
            None if contact.visible => (Presence::Offline, user.mood.as_str()),
            Some(_) | None => (Presence::Offline, ""),
        };
        let group = if presence == Presence::Offline { "Offline" } else { "Skype" };
        Buddy {
            buid: Some(user.name.clone()),
            alias: Some(contact.alias.as_ref().unwrap_or(&user.alias).clone()),
            group: Some(group.to_owned()),
            primitive: Some(presence.primitive().to_owned()),
            status: Some(mood.to_owned()),
            ..Buddy::default()
        }
    }

    pub(super) fn is_online(&self, account: UserId) -> bool {
        self.online.contains_key(&account)
    }

    // ---- events ----

    /// Queues an event for one session.
    pub(super) fn push(&mut self, ssid: &str, outgoing: Outgoing) {
        let Some(session) = self.sessions.get_mut(ssid) else { return };
        if session.is_hopeless() {
            // The client does not read. Its session ends, and what it finds in a new one is
            // complete.
            session.doomed = true;
            return;
        }
        session.push(outgoing);
        self.woken.push(ssid.to_owned());
    }

    /// Queues an event for every login of `account`.
    pub(super) fn push_all(&mut self, account: UserId, event: impl FnOnce(&str) -> Outgoing) {
        self.push_others(account, "", event);
    }

    /// Queues an event for every login of `account` but the one of the session `ssid`.
    pub(super) fn push_others(&mut self, account: UserId, ssid: &str, event: impl FnOnce(&str) -> Outgoing) {
        let Some(online) = self.online.get(&account) else { return };
        let others: Vec<_> = online.logins.iter().filter(|other| *other != ssid).cloned().collect();
        if others.is_empty() {
            return;
        }
        let outgoing = event(&online.name);
        for other in others {
            self.push(&other, outgoing.clone());
        }
    }

    /// Queues a stored message for every login of its receiver that has room. For the others it
    /// stays in the database.
    pub(super) fn deliver(&mut self, receiver: UserId, stored: &Stored) {
        let Some(online) = self.online.get(&receiver) else { return };
        let outgoing = events::recv_im(&online.name, &self.epoch, stored);
        for ssid in online.logins.clone() {
            let Some(session) = self.sessions.get_mut(&ssid) else { continue };
            if session.missed_from.is_none() && session.has_room() {
                self.push(&ssid, outgoing.clone());
            } else {
                session.missed_from.get_or_insert(stored.id);
                session.lagging_from.get_or_insert(stored.id);
            }
        }
    }

    /// Queues stored messages for a session, from its `missed_from` on, as long as there is room.
    pub(super) fn pull(&mut self, ssid: &str) -> DbResult<()> {
        loop {
            let Some(session) = self.sessions.get_mut(ssid) else { return Ok(()) };
            let Some(login) = session.login.clone() else { return Ok(()) };
            let Some(first) = session.missed_from else { return Ok(()) };
            if !session.has_room() {
                return Ok(());
            }
            let batch = self.db.messages(login.id, first, PULL)?;
            let lagging_from = session.lagging_from.unwrap_or(MessageId::MAX);
            for stored in &batch {
                let Some(session) = self.sessions.get_mut(ssid) else { return Ok(()) };
                if !session.has_room() {
                    session.missed_from = Some(stored.id);
                    return Ok(());
                }
                let taken = self.online.get(&login.id).is_some_and(|online| online.taken.contains(&stored.id));
                if session.has_queued(stored.id) || (taken && stored.id < lagging_from) {
                    continue;
                }
                let outgoing = events::recv_im(&login.name, &self.epoch, stored);
                self.push(ssid, outgoing);
            }
            let Some(session) = self.sessions.get_mut(ssid) else { return Ok(()) };
            match batch.last() {
                Some(last) if batch.len() == PULL => session.missed_from = Some(last.id + 1),
                _ => {
                    session.missed_from = None;
                    if session.lagging_from.take().is_some() {
                        self.forget_taken(login.id)?;
                    }
                    return Ok(());
                }
            }
        }
    }
}

/// 16 characters of `A-Za-z0-9` from the generator of the operating system.
pub(crate) fn token() -> Option<String> {
    const LETTERS: &[u8; 62] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
    let mut token = String::with_capacity(16);
    while token.len() < 16 {
        let mut bytes = [0; 32];
        SysRng.try_fill_bytes(&mut bytes).inspect_err(|error| tracing::error!(%error, "random")).ok()?;
        // Bytes from 248 on would favour the first letters.
        let letters = bytes.iter().filter(|byte| **byte < 248).map(|byte| char::from(LETTERS[usize::from(byte % 62)]));
        token.extend(letters.take(16 - token.len()));
    }
    Some(token)
}
