//! Messages in and out (skype-api 3.6, 4.4, 4.7, 7.2, 7.3).

use crate::backend;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Failure;
use crate::backend::Receipt;
use crate::model::ChatIndex;
use crate::model::Handle;
use crate::model::Kind;
use crate::model::Message;
use crate::model::ObjectId;
use crate::model::Place;
use crate::model::State;
use crate::model::Undeliverable;
use crate::skype::ChatMessageProperty;
use crate::skype::ChatMessageStatus;
use crate::skype::ChatMessageType;
use crate::skype::ChatProperty;
use crate::skype::ErrorCode;
use crate::skype::LeaveReason;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Separator;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Pending;

/// How many messages may be on their way; more are refused, not lost.
const MOST_SENDING: usize = 10_000;

/// A message on its way.
pub(super) struct Outgoing {
    id: ObjectId,
    /// The line that says that the dialog was begun, if this message began it.
    beginning: Option<ObjectId>,
}

impl Engine {
    pub(super) fn message_to_user(
        &mut self,
        reply: Line,
        typed: &str,
        body: &str,
        protocol: Protocol,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        let partner = self.names.parse(typed).ok_or(ErrorCode::INVALID_HANDLE)?;
        if partner == self.me.handle {
            return Err(ErrorCode::INVALID_HANDLE);
        }
        self.may_send(body)?;
        let (chat, new) = self.dialog_with(&partner, now);
        Ok(self.send(reply, chat, new, body, protocol, now, out))
    }

    pub(super) fn message_to_chat(
        &mut self,
        reply: Line,
        name: &str,
        body: &str,
        protocol: Protocol,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        let chat = self.chats.by_name(name).ok_or(ErrorCode::CHATMESSAGE_UNKNOWN_CHAT)?;
        self.may_send(body)?;
        Ok(self.send(reply, chat, false, body, protocol, now, out))
    }

    fn may_send(&self, body: &str) -> Result<(), ErrorCode> {
        if !self.wants_online() {
            Err(ErrorCode::MESSAGE_NOT_ONLINE)
        } else if body.len() > self.capabilities.max_body || self.pending.len() >= MOST_SENDING {
            Err(ErrorCode::CHATMESSAGE_FAILED)
        } else {
            Ok(())
        }
    }

    #[expect(clippy::too_many_arguments, reason = "what a command brings with it")]
    fn send(
        &mut self,
        reply: Line,
        chat: ChatIndex,
        new: bool,
        body: &str,
        protocol: Protocol,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Line {
        let say = |kind, body| Message {
            chat,
            author: self.me.handle.clone(),
            kind,
            state: State::Sending,
            body,
            time: now.unix,
        };
        let (beginning, message) = (say(Kind::CreatedChat, String::new()), say(Kind::Text, body.to_owned()));
        let beginning = new.then(|| {
            let id = self.new_id();
            self.chats.say(id, beginning);
            id
        });
        let id = self.new_id();
        self.chats.say(id, message);
        let ticket = self.expect(Pending::Message(Outgoing { id, beginning }));
        let to = match &self.chats.chat(chat).place {
            Place::Dialog(partner) => Address::User(partner.clone()),
            Place::Group(conversation) => Address::Conversation(conversation.clone()),
        };
        out.push(Output::ToBackend(Action::SendText { ticket, to, body: body.to_owned() }));
        let new_poster = self.note_poster(chat, &self.me.handle.clone());
        if let Some(beginning) = beginning {
            self.announce_begun_dialog(chat, out);
            self.announce_status(beginning, out);
            // To clients without CHAT objects the reply has said it all (skype-api 7.15).
            self.announce_modern_status(id, out);
        } else {
            if new_poster {
                self.announce_chat(chat, ChatProperty::Posters, out);
            }
            self.announce_chat(chat, ChatProperty::ActivityTimestamp, out);
        }
        let object = if protocol.has_chat_messages() { "CHATMESSAGE" } else { "MESSAGE" };
        reply.part(object).value(id).part("STATUS").part(ChatMessageStatus::Sending.word())
    }

    /// The whole block of a dialog that a first message has begun, as recorded in skype-api 7.2.
    fn announce_begun_dialog(&self, chat: ChatIndex, out: &mut Vec<Output>) {
        self.announce_new_chat(chat, out);
        for property in [
            ChatProperty::Members,
            ChatProperty::FriendlyName,
            ChatProperty::Posters,
            ChatProperty::ActivityTimestamp,
            ChatProperty::FriendlyName,
        ] {
            self.announce_chat(chat, property, out);
        }
    }

    /// Whether somebody says something in a chat for the first time.
    fn note_poster(&mut self, chat: ChatIndex, author: &Handle) -> bool {
        let posters = &mut self.chats.chat_mut(chat).posters;
        let new = !posters.contains(author);
        if new {
            posters.push(author.clone());
        }
        new
    }

    /// The network has answered for a message of ours.
    pub(super) fn message_done(
        &mut self,
        outgoing: &Outgoing,
        outcome: Result<Receipt, Failure>,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(chat) = self.chats.message(outgoing.id).map(|message| message.chat) else { return };
        match outcome {
            Ok(receipt) => {
                if let Some(remote) = &receipt.remote {
                    // Its echo, should there be one, is no new message.
                    self.chats.is_repeat(remote);
                }
                if let Some(time) = receipt.time.filter(|_| !self.local_time) {
                    self.chats.set_time(outgoing.id, time);
                }
                for id in outgoing.beginning.into_iter().chain([outgoing.id]) {
                    self.move_on(id, State::Sent, out);
                }
                if outgoing.beginning.is_some() {
                    self.activate_partner(chat, out);
                }
            }
            Err(failure) => {
                let reason = match failure {
                    Failure::UnknownUser => Undeliverable::UnknownUser,
                    Failure::Refused => Undeliverable::Refused,
                    Failure::NotConnected | Failure::Unclear => Undeliverable::Unclear,
                };
                for id in outgoing.beginning.into_iter().chain([outgoing.id]) {
                    self.move_on(id, State::Failed(reason), out);
                }
                self.say_undeliverable(chat, reason, now, out);
            }
        }
    }

    /// From protocol 3 on a failure is also a message of the user who cannot be reached (skype-api 7.2).
    fn say_undeliverable(&mut self, chat: ChatIndex, reason: Undeliverable, now: Now, out: &mut Vec<Output>) {
        let Some(author) = self.chats.chat(chat).partner().cloned() else { return };
        let id = self.new_id();
        let kind = Kind::Undeliverable(reason);
        self.chats.say(id, Message { chat, author, kind, state: State::Received, body: String::new(), time: now.unix });
        self.announce_status(id, out);
    }

    /// Takes in a message of the network; one that is known already is not told again.
    pub(super) fn receive(&mut self, message: backend::Message, now: Now, out: &mut Vec<Output>) {
        if self.chats.is_repeat(&message.remote) {
            return;
        }
        let backend::Message { conversation, author, author_name, body, time, .. } = message;
        let own = author == self.me.handle;
        if let Some(name) = author_name.filter(|_| !own) {
            let user = self.users.entry(&author);
            // A contact's name is told by the contact list.
            if !user.is_listed() {
                user.name = name;
            }
        }
        let (chat, new) = self.chat_at(&conversation, &author, now);
        let time = time.filter(|_| !self.local_time).unwrap_or(now.unix);
        let state = if own { State::Sent } else { State::Received };
        let id = self.new_id();
        let new_poster = self.note_poster(chat, &author);
        let partner_spoke = !own && !new;
        if new && !own {
            for member in &mut self.chats.chat_mut(chat).members {
                member.active = true;
            }
        }
        self.chats.say(id, Message { chat, author, kind: Kind::Text, state, body, time });
        if partner_spoke {
            self.activate_partner(chat, out);
        }
        if new {
            self.announce_begun_dialog(chat, out);
        } else {
            if new_poster {
                self.announce_chat(chat, ChatProperty::Posters, out);
            }
            self.announce_chat(chat, ChatProperty::ActivityTimestamp, out);
        }
        self.announce_status(id, out);
    }

    pub(super) fn set_seen(&mut self, reply: Line, id: ObjectId, out: &mut Vec<Output>) -> Answer {
        let message = self.chats.message(id).ok_or(ErrorCode::SET_MESSAGE_UNKNOWN)?;
        if message.state != State::Received {
            // Ours, or seen already (skype-api 7.3).
            return Err(ErrorCode::SET_MESSAGE_INVALID_WHAT);
        }
        self.move_on(id, State::Read, out);
        Ok(reply.part(ChatMessageProperty::Status.name()).part(ChatMessageStatus::Read.word()))
    }

    fn move_on(&mut self, id: ObjectId, state: State, out: &mut Vec<Output>) {
        if self.chats.set_state(id, state) {
            self.announce_status(id, out);
        }
    }

    /// Says how far a message has come, to every client in its own words.
    fn announce_status(&self, id: ObjectId, out: &mut Vec<Output>) {
        self.announce_modern_status(id, out);
        let Some(message) = self.chats.message(id).filter(|message| message.kind == Kind::Text) else { return };
        let line = Line::about("MESSAGE", id, ChatMessageProperty::Status.name());
        self.announce_legacy(line.part(status(message.state).word()), out);
    }

    fn announce_modern_status(&self, id: ObjectId, out: &mut Vec<Output>) {
        let Some(message) = self.chats.message(id) else { return };
        let line = Line::about("CHATMESSAGE", id, ChatMessageProperty::Status.name());
        self.announce(Protocol::CHAT_MESSAGES, line.part(status(message.state).word()), out);
    }

    pub(super) fn get_message(&self, reply: Line, id: ObjectId, property: ChatMessageProperty, legacy: bool) -> Answer {
        let message = self.chats.message(id).ok_or(ErrorCode::GET_MESSAGE_UNKNOWN)?;
        let chat = self.chats.chat(message.chat);
        // To MESSAGE the partner is the other side; to CHATMESSAGE the old name means the sender (skype-api 4.7).
        let partner = if legacy { chat.partner().unwrap_or(&message.author) } else { &message.author };
        Ok(match property {
            ChatMessageProperty::Timestamp => reply.value(message.time),
            ChatMessageProperty::FromHandle => reply.part(message.author.as_str()),
            ChatMessageProperty::FromDisplayName => reply.one_line(self.display_name(&message.author)),
            ChatMessageProperty::PartnerHandle => reply.part(partner.as_str()),
            ChatMessageProperty::PartnerDisplayName => reply.one_line(self.display_name(partner)),
            ChatMessageProperty::ConferenceId | ChatMessageProperty::Options => reply.value(0),
            ChatMessageProperty::Type => reply.part(type_word(message.kind, legacy)),
            ChatMessageProperty::Status => reply.part(status(message.state).word()),
            ChatMessageProperty::FailureReason => reply.value(failure_reason(message.state)),
            ChatMessageProperty::LeaveReason => reply.part(leave_reason(message.kind).map_or("", LeaveReason::word)),
            ChatMessageProperty::ChatName => reply.part(&chat.name),
            ChatMessageProperty::Users => {
                let users = chat.partner().into_iter().filter(|_| message.kind == Kind::CreatedChat);
                reply.list(Separator::Space, users)
            }
            ChatMessageProperty::IsEditable => reply.boolean(false),
            ChatMessageProperty::Role => reply.part("UNKNOWN"),
            ChatMessageProperty::Body => reply.part(&message.body),
            ChatMessageProperty::EditedBy | ChatMessageProperty::EditedTimestamp => reply.part(""),
        })
    }
}

fn status(state: State) -> ChatMessageStatus {
    match state {
        State::Sending => ChatMessageStatus::Sending,
        State::Sent => ChatMessageStatus::Sent,
        State::Failed(_) => ChatMessageStatus::Failed,
        State::Received => ChatMessageStatus::Received,
        State::Read => ChatMessageStatus::Read,
    }
}

fn type_word(kind: Kind, legacy: bool) -> &'static str {
    match kind {
        // The word of protocols 1 and 2 (skype-api 4.4).
        Kind::Text if legacy => "TEXT",
        Kind::Text => ChatMessageType::Said.word(),
        Kind::CreatedChat => ChatMessageType::CreatedChatWith.word(),
        Kind::Undeliverable(_) => ChatMessageType::Left.word(),
    }
}

fn leave_reason(kind: Kind) -> Option<LeaveReason> {
    match kind {
        Kind::Undeliverable(Undeliverable::UnknownUser) => Some(LeaveReason::UserNotFound),
        Kind::Undeliverable(Undeliverable::Refused) => Some(LeaveReason::AddedMustBeAuthorized),
        Kind::Undeliverable(Undeliverable::Unclear) => Some(LeaveReason::UserIncapable),
        Kind::Text | Kind::CreatedChat => None,
    }
}

/// The numbers of skype-api 4.4.
fn failure_reason(state: State) -> u8 {
    match state {
        State::Failed(Undeliverable::UnknownUser) => 2,
        State::Failed(Undeliverable::Refused) => 7,
        State::Failed(Undeliverable::Unclear) => 1,
        State::Sending | State::Sent | State::Received | State::Read => 0,
    }
}
