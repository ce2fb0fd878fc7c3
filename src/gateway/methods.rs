//! What each inner method of the protocol does (imo-protocol 4).

use std::net::IpAddr;

use crate::imo::Arguments;
use crate::imo::Buddy;
use crate::imo::Call;
use crate::imo::Envelope;
use crate::imo::Message;
use crate::imo::PROTO;
use crate::imo::read;
use crate::imo::take;

use super::accounts::Relation;
use super::accounts::Stored;
use super::accounts::User;
use super::core::Core;
use super::core::Now;
use super::db::DbResult;
use super::events;
use super::events::Presence;
use super::names::BODY_LIMIT;
use super::names::CONTACT_LIMIT;
use super::names::STORED_LIMIT;
use super::names::TEXT_LIMIT;
use super::session::Login;

/// What becomes of a request.
pub(crate) enum Step {
    /// Answer with this.
    Answer(Envelope),
    /// The session is unknown.
    Unknown,
    /// Check this password, then say so to [`Core::finish_login`].
    Login(Attempt),
}

/// A login that is being checked.
#[derive(Clone)]
pub(crate) struct Attempt {
    pub(crate) name: String,
    pub(crate) password: String,
    pub(crate) address: IpAddr,
}

/// What came out of checking a password.
pub(crate) enum Verdict {
    Right,
    Wrong,
    /// Unknown name, open registration: this is the hash.
    New(String),
}

/// Accepted (`Some`) or refused.
type Outcome = DbResult<Option<()>>;

const ACCEPTED: Outcome = Ok(Some(()));
const REFUSED: Outcome = Ok(None);

impl Core {
    /// Carries out a request, unless it came before. Refused is `ack` = its own `seq`, accepted
    /// is anything above (imo-protocol 3.2).
    pub(crate) fn request(
        &mut self,
        ssid: &str,
        ack: Option<u64>,
        message: Message,
        seq: u64,
        address: IpAddr,
        now: Now,
    ) -> DbResult<Step> {
        if !self.seen(ssid, ack, now)? {
            return Ok(Step::Unknown);
        }
        let call: Call = take(message.data);
        let accepted = match self.session(ssid).and_then(|session| session.outcome(seq)) {
            Some(accepted) => accepted,
            None if call.method == "account_login" => {
                if let Some(session) = self.session(ssid) {
                    session.record(seq, true);
                }
                if let Some(attempt) = self.begin_login(ssid, &read(&call.data), address, now) {
                    return Ok(Step::Login(attempt));
                }
                true
            }
            None => {
                let accepted = self.call(ssid, &call, now)?.is_some();
                if let Some(session) = self.session(ssid) {
                    session.record(seq, accepted);
                }
                if !accepted {
                    tracing::debug!(method = call.method, seq, "refused");
                }
                accepted
            }
        };
        let Some(session) = self.session(ssid) else { return Ok(Step::Unknown) };
        Ok(Step::Answer(if !accepted {
            Envelope { ack: Some(seq), ..Envelope::default() }
        } else if call.method == "send_im" {
            // Spares the client a poll for the delivery acknowledgement.
            session.answer()
        } else {
            session.empty_answer()
        }))
    }

    /// A request failed on our side: when it comes again it is carried out.
    pub(crate) fn failed(&mut self, ssid: &str, seq: u64) {
        if let Some(session) = self.session(ssid) {
            session.forget(seq);
        }
    }

    /// The answer to a request that was accepted.
    pub(crate) fn accepted(&mut self, ssid: &str) -> Option<Envelope> {
        self.session(ssid).map(|session| session.empty_answer())
    }

    /// `None` when the login is refused already; the client was told.
    fn begin_login(&mut self, ssid: &str, arguments: &Arguments, address: IpAddr, now: Now) -> Option<Attempt> {
        let name = arguments.uid.clone().unwrap_or_default();
        let other = self.login(ssid).is_some_and(|login| !login.name.eq_ignore_ascii_case(&name));
        if other || !is_ours(arguments) {
            self.refuse_login(ssid, &name, "uidpassword");
            return None;
        }
        if !self.attempts.allowed(&name, address, now.instant) {
            self.refuse_login(ssid, &name, "toomanyattempts");
            return None;
        }
        Some(Attempt { name, password: arguments.passwd.clone().unwrap_or_default(), address })
    }

    fn refuse_login(&mut self, ssid: &str, name: &str, reason: &str) {
        self.metrics.logins_refused.inc();
        let name: String = name.chars().take(128).collect();
        tracing::info!(user = name, reason, "login refused");
        self.push(ssid, events::disconnect(&name, reason));
    }

    /// Ends a login. False when somebody else registered the name meanwhile: check again.
    pub(crate) fn finish_login(
        &mut self,
        ssid: &str,
        attempt: &Attempt,
        verdict: &Verdict,
        now: Now,
    ) -> DbResult<bool> {
        match verdict {
            Verdict::Right => {}
            Verdict::New(hash) => {
                if self.db.add_user(&attempt.name, hash)?.is_none() {
                    return Ok(false);
                }
                tracing::info!(user = attempt.name, "registered");
            }
            Verdict::Wrong => {
                self.attempts.failed(&attempt.name, attempt.address, now.instant);
                self.refuse_login(ssid, &attempt.name, "uidpassword");
                return Ok(true);
            }
        }
        self.attempts.succeeded(&attempt.name, attempt.address);
        match self.db.user(&attempt.name)? {
            Some(user) => self.log_in(ssid, &user)?,
            None => self.refuse_login(ssid, &attempt.name, "uidpassword"),
        }
        Ok(true)
    }

    fn call(&mut self, ssid: &str, call: &Call, now: Now) -> Outcome {
        let Some(own) = self.login(ssid) else {
            // Before the login there is nothing to do, and nothing to refuse about being active.
            return if call.method == "observed_user_activity" { ACCEPTED } else { REFUSED };
        };
        let arguments: Arguments = read(&call.data);
        if !is_ours(&arguments) || arguments.uid.as_ref().is_some_and(|uid| !uid.eq_ignore_ascii_case(&own.name)) {
            return REFUSED;
        }
        if self.db.user_by_id(own.id)?.is_none() {
            // Removed by the administrator.
            self.log_out(ssid)?;
            self.push(ssid, events::disconnect(&own.name, "uidpassword"));
            return REFUSED;
        }
        match call.method.as_str() {
            "observed_user_activity" | "get_alpha_for_user" => return ACCEPTED,
            // We never set anybody away, so there is nothing that a preference could change.
            "set" => return ACCEPTED,
            "signoff_all" => return self.log_out(ssid).map(Some),
            "set_status" => return self.set_status(ssid, &own, &arguments),
            "get_unread_msgs" => {
                if let Some(session) = self.session(ssid) {
                    session.missed_from = Some(0);
                }
                return self.pull(ssid).map(Some);
            }
            _ => {}
        }
        let Some(other) = arguments.buid.as_deref().map(|name| self.db.user(name)).transpose()?.flatten() else {
            return REFUSED;
        };
        if other.id == own.id {
            return REFUSED;
        }
        match call.method.as_str() {
            "send_im" => self.send_im(ssid, &own, &other, &arguments, call.request_id, now),
            "im_typing" => self.im_typing(&own, &other, call),
            "add_buddy" => self.add_buddy(&own, &other, arguments.msg.as_deref().unwrap_or_default()),
            "del_buddy" => self.del_buddy(&own, &other),
            "change_buddy_alias" => self.change_buddy_alias(&own, &other, arguments.alias),
            "block_buddy" => self.change(&own, &other, |relation| relation.blocked = true),
            "unblock_buddy" => self.change(&own, &other, |relation| relation.blocked = false),
            "auth_add" => self.auth_add(&own, &other),
            "auth_deny" => self.change(&own, &other, |relation| {
                relation.request = None;
                relation.authorised = false;
            }),
            "auth_block" => self.change(&own, &other, |relation| {
                relation.request = None;
                relation.authorised = false;
                relation.blocked = true;
            }),
            // Group chats and calls among them.
            _ => REFUSED,
        }
    }

    fn set_status(&mut self, ssid: &str, own: &Login, arguments: &Arguments) -> Outcome {
        let Some(presence) = arguments.primitive.as_deref().and_then(Presence::parse) else { return REFUSED };
        let Some(user) = self.db.user_by_id(own.id)? else { return REFUSED };
        let mood = arguments.status.as_deref().unwrap_or(&user.mood);
        if mood.len() > TEXT_LIMIT {
            return REFUSED;
        }
        if mood != user.mood {
            self.db.set_mood(own.id, mood)?;
        }
        if let Some(login) = self.session(ssid).and_then(|session| session.login.as_mut()) {
            login.presence = presence;
        }
        self.push_others(own.id, ssid, |name| events::reflect_status(name, presence, mood));
        self.publish(own.id).map(Some)
    }

    fn send_im(
        &mut self,
        ssid: &str,
        own: &Login,
        other: &User,
        arguments: &Arguments,
        request_id: Option<u64>,
        now: Now,
    ) -> Outcome {
        let body = arguments.msg.as_deref().unwrap_or_default();
        if body.is_empty() || body.len() > BODY_LIMIT {
            return REFUSED;
        }
        let theirs = self.db.relation(other.id, own.id)?;
        if theirs.blocked {
            return REFUSED;
        }
        let sender = User { id: own.id, name: own.name.clone(), alias: own.alias.clone(), mood: String::new() };
        let message = if other.id == self.echo {
            // The echo hears it at once; its answer is a message like any other, with its own id.
            let back = self.db.relation(own.id, other.id)?;
            if back.blocked { None } else { Some((own.id, self.store(other, own.id, back.alias, body, now)?)) }
        } else {
            if !self.is_online(other.id) && self.db.count_messages(other.id, STORED_LIMIT)? >= STORED_LIMIT {
                return REFUSED;
            }
            Some((other.id, self.store(&sender, other.id, theirs.alias, body, now)?))
        };
        self.metrics.messages_in.inc();
        // First the acknowledgement, so that a sender never hears an answer before it.
        if let Some(request_id) = request_id {
            self.push(ssid, events::delivery(request_id, now.unix));
        }
        // Sent and received message have one id between them; the letter keeps them apart where
        // one account sees both.
        let id = message.as_ref().map_or(0, |(_, stored)| stored.id);
        let msg_id = format!("{}-s{id}", self.epoch);
        self.push_others(own.id, ssid, |name| events::reflect_im(name, &other.name, body, now.unix, msg_id));
        if let Some((to, stored)) = message {
            self.deliver(to, &stored);
        }
        ACCEPTED
    }

    /// Stores a message; [`deliver`](Self::deliver) queues it for the logins of its receiver.
    fn store(&mut self, sender: &User, to: i64, alias: Option<String>, body: &str, now: Now) -> DbResult<Stored> {
        let id = self.db.add_message(sender.id, to, body, now.unix)?;
        Ok(Stored { id, sender: sender.clone(), alias, body: body.to_owned(), sent_at: now.unix })
    }

    fn im_typing(&mut self, own: &Login, other: &User, call: &Call) -> Outcome {
        let state = call.data.get("typing_state").and_then(serde_json::Value::as_str).unwrap_or_default();
        if !matches!(state, "typing" | "typed" | "not_typing") || self.db.relation(other.id, own.id)?.blocked {
            return REFUSED;
        }
        self.push_all(other.id, |name| events::typing(name, &own.name, state));
        ACCEPTED
    }

    fn add_buddy(&mut self, own: &Login, other: &User, words: &str) -> Outcome {
        if words.len() > TEXT_LIMIT {
            return REFUSED;
        }
        let Some(before) = self.list(own, other)? else { return REFUSED };
        let mut theirs = self.db.relation(other.id, own.id)?;
        if !theirs.authorised {
            if other.id == self.echo {
                theirs.authorised = true;
            } else if !theirs.blocked {
                theirs.request = Some(words.to_owned());
                self.push_all(other.id, |name| events::buddy_request(name, &own.name, words));
            }
            self.db.set_relation(other.id, own.id, &theirs)?;
        }
        self.show_list(own, other, &before)
    }

    fn auth_add(&mut self, own: &Login, other: &User) -> Outcome {
        match self.list(own, other)? {
            Some(before) => self.show_list(own, other, &before),
            None => REFUSED,
        }
    }

    /// Puts `other` on the list and lets it see our presence. Returns what was before.
    fn list(&mut self, own: &Login, other: &User) -> DbResult<Option<Relation>> {
        let before = self.db.relation(own.id, other.id)?;
        if !before.listed && self.db.count_contacts(own.id)? >= CONTACT_LIMIT {
            return Ok(None);
        }
        let after = Relation { listed: true, authorised: true, request: None, ..before.clone() };
        self.db.set_relation(own.id, other.id, &after)?;
        Ok(Some(before))
    }

    /// Tells both sides after [`list`](Self::list).
    fn show_list(&mut self, own: &Login, other: &User, before: &Relation) -> Outcome {
        let item = self.item_of(own.id, other, before)?;
        self.push_all(own.id, |name| events::buddy_added(name, &[item]));
        if !before.authorised {
            self.tell_own_presence(own, other)?;
        }
        ACCEPTED
    }

    fn del_buddy(&mut self, own: &Login, other: &User) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        if !before.listed {
            return REFUSED;
        }
        let after = Relation { blocked: before.blocked, ..Relation::default() };
        self.db.set_relation(own.id, other.id, &after)?;
        // What we asked of them is off, too.
        let theirs = self.db.relation(other.id, own.id)?;
        if theirs.request.is_some() {
            self.db.set_relation(other.id, own.id, &Relation { request: None, ..theirs })?;
        }
        self.push_all(own.id, |name| events::buddy_removed(name, &other.name));
        if before.shows_presence() {
            self.tell_own_presence(own, other)?;
        }
        ACCEPTED
    }

    fn change_buddy_alias(&mut self, own: &Login, other: &User, alias: Option<String>) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        let alias = alias.filter(|alias| !alias.is_empty());
        if !before.listed || alias.as_ref().is_some_and(|alias| alias.len() > TEXT_LIMIT) {
            return REFUSED;
        }
        let after = Relation { alias, ..before };
        self.db.set_relation(own.id, other.id, &after)?;
        let item: Buddy = self.item_of(own.id, other, &after)?;
        self.push_all(own.id, |name| events::buddy_status(name, &[item]));
        ACCEPTED
    }

    /// Changes what we think of `other`, and tells it what it now sees of us.
    fn change(&mut self, own: &Login, other: &User, change: impl FnOnce(&mut Relation)) -> Outcome {
        let before = self.db.relation(own.id, other.id)?;
        let mut after = before.clone();
        change(&mut after);
        if after != before {
            self.db.set_relation(own.id, other.id, &after)?;
            if after.shows_presence() != before.shows_presence() {
                self.tell_own_presence(own, other)?;
            }
        }
        ACCEPTED
    }

    fn tell_own_presence(&mut self, own: &Login, other: &User) -> DbResult<()> {
        match self.db.user_by_id(own.id)? {
            Some(user) => self.tell_presence(other.id, &user),
            None => Ok(()),
        }
    }
}

/// Whether the arguments speak of our network, or of none.
fn is_ours(arguments: &Arguments) -> bool {
    arguments.proto.as_ref().is_none_or(|proto| proto.eq_ignore_ascii_case(PROTO))
}
