//! What a client says to others, and that it types.

use crate::imo::Arguments;
use crate::imo::Im;
use crate::imo::is_client_msg_id;

use super::accounts::User;
use super::accounts::UserId;
use super::core::Core;
use super::core::Now;
use super::db::DbResult;
use super::events;
use super::mail::Said;
use super::mail::Stored;
use super::members::Chat;
use super::methods::ACCEPTED;
use super::methods::NO_USER;
use super::methods::NOBODY;
use super::methods::ONESELF;
use super::methods::Outcome;
use super::methods::refuse;
use super::names::BODY_LIMIT;
use super::names::STORED_LIMIT;

const NO_BODY: &str = "the text is empty or too long";
pub(super) const NO_CHAT: &str = "there is no such chat, or one is no member";
pub(super) const FULL: &str = "too many messages wait for a member";

/// A `send_im` on its way in.
struct Sending<'a> {
    /// From which session, by whom.
    ssid: &'a str,
    own: &'a User,
    request_id: Option<u64>,
    /// To whom, as the sender says it.
    buid: &'a str,
    body: &'a str,
    client_msg_id: Option<&'a str>,
    now: Now,
}

impl Core {
    /// Takes a message, once: what was taken before is acknowledged as it was then, whatever has
    /// changed since.
    pub(super) fn send_im(
        &mut self,
        ssid: &str,
        own: &User,
        request_id: Option<u64>,
        arguments: &Arguments,
        now: Now,
    ) -> Outcome {
        let client_msg_id = arguments.client_msg_id.as_deref().filter(|id| is_client_msg_id(id));
        if let Some(id) = client_msg_id
            && let Some(sent_at) = self.db.sent_at(own.id, id)?
        {
            tracing::debug!("sent again");
            if let Some(request_id) = request_id {
                self.push(ssid, events::delivery(request_id, sent_at));
            }
            return ACCEPTED;
        }
        let Some(buid) = arguments.buid.as_deref() else { return refuse(NOBODY) };
        let Some(body) = body(arguments) else { return refuse(NO_BODY) };
        let sending = Sending { ssid, own, request_id, buid, body, client_msg_id, now };
        if buid.contains(';') { self.send_to_chat(&sending) } else { self.send_to_user(&sending) }
    }

    fn send_to_user(&mut self, sending: &Sending<'_>) -> Outcome {
        let Sending { own, buid, body, now, .. } = *sending;
        let Some(other) = self.db.user(buid)? else { return refuse(NO_USER) };
        if other.id == own.id {
            return refuse(ONESELF);
        }
        let theirs = self.db.relation(other.id, own.id)?;
        if theirs.blocked {
            return refuse("the receiver blocks the sender");
        }
        let message = if other.id == self.echo {
            // The echo hears it at once; its answer is a message like any other, with its own id.
            let back = self.db.relation(own.id, other.id)?;
            if back.blocked { None } else { Some((own.id, self.store(&other, own.id, back.alias, body, now)?)) }
        } else {
            if self.is_full(other.id)? {
                return refuse("too many messages wait for the receiver");
            }
            Some((other.id, self.store(own, other.id, theirs.alias, body, now)?))
        };
        // Sent and received message have one id between them; the letter keeps them apart where
        // one account sees both.
        let msg_id = message.as_ref().map(|(_, stored)| format!("{}-s{}", self.epoch, stored.id));
        self.taken(sending, &other.name, msg_id)?;
        if let Some((to, stored)) = message {
            self.deliver(to, &stored);
        }
        ACCEPTED
    }

    /// Remembers that a message to `buid` was taken, and tells the sender's side.
    fn taken(&mut self, sending: &Sending<'_>, buid: &str, msg_id: Option<String>) -> DbResult<()> {
        let Sending { ssid, own, request_id, body, client_msg_id, now, .. } = *sending;
        if let Some(id) = client_msg_id {
            self.db.add_sent(own.id, id, now.unix)?;
        }
        self.metrics.messages_in.inc();
        // First the acknowledgement, so that a sender never hears an answer before it. Version 0
        // has none (imo-protocol 11).
        if let Some(request_id) = request_id {
            self.push(ssid, events::delivery(request_id, now.unix));
        }
        let sent = || Im {
            buid: Some(buid.to_owned()),
            msg: Some(body.to_owned()),
            timestamp: Some(now.unix),
            msg_id,
            client_msg_id: client_msg_id.map(str::to_owned),
            ..Im::default()
        };
        self.push_others(own.id, ssid, |name| events::reflect_im(name, sent()));
        Ok(())
    }

    /// Stores a message; [`deliver`](Self::deliver) queues it for the logins of its receiver.
    fn store(&mut self, sender: &User, to: UserId, alias: Option<String>, body: &str, now: Now) -> DbResult<Stored> {
        let id = self.db.add_message(sender.id, to, body, now.unix)?;
        Ok(Stored { id, sender: sender.clone(), alias, body: body.to_owned(), sent_at: now.unix, said: None })
    }

    /// Whether somebody who is away has so many messages waiting that there is no room for more.
    fn is_full(&self, account: UserId) -> DbResult<bool> {
        Ok(!self.is_online(account) && self.db.waiting_for(account)? >= STORED_LIMIT)
    }

    fn send_to_chat(&mut self, sending: &Sending<'_>) -> Outcome {
        let Sending { own, buid, body, now, .. } = *sending;
        let Some(chat) = self.chat(own, buid.strip_suffix(';'))? else { return refuse(NO_CHAT) };
        let Some(copies) = self.say(own, &chat, body, false, now)? else { return refuse(FULL) };
        // Stored before anything is told, so that nothing is told that could not be stored.
        let echoed = match self.db.user_by_id(self.echo)? {
            Some(echo) if self.db.chat_of(echo.id, chat.id)?.is_some() => self.say(&echo, &chat, body, false, now)?,
            _ => None,
        };
        let echoed = echoed.unwrap_or_default();
        let said = copies.first().and_then(|(_, stored)| stored.said.as_ref());
        let msg_id = said.map(|said| events::said_id(&self.epoch, said.id));
        self.taken(sending, buid, msg_id)?;
        self.deliver_all(&copies);
        self.deliver_all(&echoed);
        ACCEPTED
    }

    /// Stores what `sender` says for every other member. `None` where one has no room for it:
    /// nobody gets it then, so that all have the same.
    pub(super) fn say(
        &mut self,
        sender: &User,
        chat: &Chat,
        body: &str,
        topic: bool,
        now: Now,
    ) -> DbResult<Option<Vec<(UserId, Stored)>>> {
        let mut members = self.db.member_ids(chat.id)?;
        members.retain(|member| *member != sender.id && *member != self.echo);
        for member in &members {
            if self.is_full(*member)? {
                return Ok(None);
            }
        }
        let mut copies = Vec::with_capacity(members.len());
        if members.is_empty() {
            return Ok(Some(copies));
        }
        let id = self.db.add_said(chat.id, body, topic)?;
        for member in members {
            let said = Said { id, chat: chat.id, name: Some(chat.name.clone()), topic };
            let stored = Stored {
                id: self.db.add_copy(id, sender.id, member, now.unix)?,
                sender: sender.clone(),
                alias: None,
                body: body.to_owned(),
                sent_at: now.unix,
                said: Some(said),
            };
            copies.push((member, stored));
        }
        Ok(Some(copies))
    }

    pub(super) fn deliver_all(&mut self, copies: &[(UserId, Stored)]) {
        for (member, stored) in copies {
            self.deliver(*member, stored);
        }
    }

    pub(super) fn im_typing(&mut self, own: &User, other: &User, arguments: &Arguments) -> Outcome {
        let state = arguments.typing_state.as_deref().unwrap_or_default();
        if !matches!(state, "typing" | "typed" | "not_typing") {
            return refuse("it is no state of typing");
        }
        if self.db.relation(other.id, own.id)?.blocked {
            return refuse("the receiver blocks the sender");
        }
        self.push_all(other.id, |name| events::typing(name, &own.name, state));
        ACCEPTED
    }
}

/// The text of a message, if it can be one.
fn body(arguments: &Arguments) -> Option<&str> {
    arguments.msg.as_deref().filter(|body| !body.is_empty() && body.len() <= BODY_LIMIT)
}
