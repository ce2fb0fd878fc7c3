//! Requests: carried out once, logins, and which inner method of the protocol (imo-protocol 4) is
//! looked after where.

use std::net::IpAddr;

use crate::imo::Arguments;
use crate::imo::Call;
use crate::imo::Envelope;
use crate::imo::Message;
use crate::imo::PROTO;
use crate::imo::read;
use crate::imo::take;

use super::accounts::User;
use super::core::Core;
use super::core::Now;
use super::db::DbResult;
use super::events;
use super::events::Presence;
use super::names::TEXT_LIMIT;

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
pub(super) type Outcome = DbResult<Option<()>>;

pub(super) const ACCEPTED: Outcome = Ok(Some(()));
pub(super) const NOBODY: &str = "it says about nobody";
pub(super) const NO_USER: &str = "there is no such user";
pub(super) const ONESELF: &str = "it is about oneself";

/// Refuses a request. The protocol has no room for the reason; the log has.
pub(super) fn refuse(reason: &'static str) -> Outcome {
    tracing::debug!(reason, "refused");
    Ok(None)
}

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
            return match call.method.as_str() {
                // Before the login there is nothing to refuse about being active, nor about the
                // cookie that version 0 announces (imo-protocol 11).
                "observed_user_activity" | "cookie_login" | "reui_session" => ACCEPTED,
                _ => refuse("nobody is logged in"),
            };
        };
        let arguments: Arguments = read(&call.data);
        if !is_ours(&arguments) || arguments.uid.as_ref().is_some_and(|uid| !uid.eq_ignore_ascii_case(&own.name)) {
            return refuse("it is in the name of another account");
        }
        let Some(user) = self.db.user_by_id(own.id)? else {
            // Removed by the administrator.
            self.log_out(ssid)?;
            self.push(ssid, events::disconnect(&own.name, "uidpassword"));
            return refuse("the account was removed");
        };
        match call.method.as_str() {
            // We never set anybody away, so there is nothing that a preference (`set`) could change.
            "observed_user_activity" | "get_alpha_for_user" | "set" | "cookie_login" | "reui_session" => ACCEPTED,
            "signoff_all" => self.log_out(ssid).map(Some),
            "set_status" => self.set_status(ssid, &user, &arguments),
            "get_unread_msgs" => {
                if let Some(session) = self.session(ssid) {
                    session.missed_from = Some(0);
                }
                self.pull(ssid).map(Some)
            }
            "create_shared_group" => self.create_shared_group(&user, &arguments),
            "invite_to_group" => self.invite_to_group(&user, &arguments),
            "kick_member" => self.kick_member(&user, &arguments),
            "set_group_topic" => self.set_group_topic(&user, &arguments, now),
            "leave_group" => self.leave_group(&user, &arguments),
            "send_im" => self.send_im(ssid, &user, call.request_id, &arguments, now),
            _ => self.call_about(ssid, &user, call, arguments, now),
        }
    }

    /// A method about another user.
    fn call_about(&mut self, ssid: &str, own: &User, call: &Call, arguments: Arguments, now: Now) -> Outcome {
        let Some(buid) = arguments.buid.as_deref() else { return refuse(NOBODY) };
        let Some(other) = self.db.user(buid)? else { return refuse(NO_USER) };
        if other.id == own.id {
            return refuse(ONESELF);
        }
        match call.method.as_str() {
            "im_typing" => self.im_typing(own, &other, &arguments),
            "add_buddy" => self.add_buddy(own, &other, arguments.msg.as_deref().unwrap_or_default()),
            "del_buddy" => self.del_buddy(own, &other),
            "change_buddy_alias" => self.change_buddy_alias(own, &other, arguments.alias),
            "block_buddy" => self.block_buddy(own, &other),
            "unblock_buddy" => self.change(own, &other, |relation| relation.blocked = false),
            "auth_add" => self.auth_add(own, &other),
            "auth_deny" => self.refuse_request(ssid, own, &other, false),
            "auth_block" => self.refuse_request(ssid, own, &other, true),
            "start_audio_chat" => self.start_audio_chat(own, &other, now),
            "accept_audio_chat" => self.accept_audio_chat(own, &other),
            "end_audio_chat" => self.end_audio_chat(own, &other),
            _ => refuse("there is no such method"),
        }
    }

    fn set_status(&mut self, ssid: &str, own: &User, arguments: &Arguments) -> Outcome {
        let Some(presence) = arguments.primitive.as_deref().and_then(Presence::parse) else {
            return refuse("it is no presence");
        };
        let mood = arguments.status.as_deref().unwrap_or(&own.mood);
        if mood.len() > TEXT_LIMIT {
            return refuse("the mood text is too long");
        }
        if mood != own.mood {
            self.db.set_mood(own.id, mood)?;
        }
        if let Some(login) = self.session(ssid).and_then(|session| session.login.as_mut()) {
            login.presence = presence;
        }
        self.push_others(own.id, ssid, |name| events::reflect_status(name, presence, mood));
        self.publish(own.id).map(Some)
    }
}

/// Whether the arguments speak of our network, or of none.
fn is_ours(arguments: &Arguments) -> bool {
    arguments.proto.as_ref().is_none_or(|proto| proto.eq_ignore_ascii_case(PROTO))
}
