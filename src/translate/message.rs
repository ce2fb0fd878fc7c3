//! Messages in and out (skype-api 3.6, 4.4, 4.7, 7.2, 7.3).

use crate::backend;
use crate::backend::Ability;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Receipt;
use crate::backend::Task;
use crate::model::ChatIndex;
use crate::model::Edit;
use crate::model::Handle;
use crate::model::Kind;
use crate::model::Message;
use crate::model::MyStatus;
use crate::model::ObjectId;
use crate::model::Place;
use crate::model::RemoteId;
use crate::model::Role;
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
use crate::translate::alter::USERS_ARE_LISTENERS;
use crate::translate::engine::Answer;
use crate::translate::engine::Outcome;
use crate::translate::engine::Pending;

/// A change of a message that the network has not confirmed yet.
pub(super) struct Editing {
    id: ObjectId,
    /// What it was before, and the text it was given.
    before: (String, Option<Box<Edit>>),
    after: String,
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
        if self.users.get(partner.as_str()).is_some_and(|user| user.blocked) {
            return Err(ErrorCode::USER_BLOCKED);
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
        let index = self.chats.by_name(name).ok_or(ErrorCode::CHATMESSAGE_UNKNOWN_CHAT)?;
        self.may_send(body)?;
        let chat = self.chats.chat(index);
        let users_listen = chat.options & USERS_ARE_LISTENERS != 0 && self.capabilities.can(Ability::Roles);
        let lowest = if users_listen { Role::Helper } else { Role::User };
        // Who has left, or may only listen, says nothing.
        if chat.my_status != MyStatus::Subscribed || chat.role_of(&self.me.handle) > lowest {
            return Err(ErrorCode::CHATMESSAGE_FAILED);
        }
        Ok(self.send(reply, index, false, body, protocol, now, out))
    }

    fn may_send(&self, body: &str) -> Result<(), ErrorCode> {
        if !self.wants_online() {
            Err(ErrorCode::MESSAGE_NOT_ONLINE)
        } else if body.len() > self.capabilities.max_body || !self.may_ask() || !self.outbox.has_room() {
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
        let me = self.me.handle.clone();
        let partner = self.chats.chat(chat).partner().cloned();
        let beginning = new.then(|| {
            let id = self.new_id();
            let kind = Kind::Created(partner.iter().cloned().collect());
            self.chats.say(id, Message::new(chat, me.clone(), kind, State::Sending, now.unix));
            id
        });
        let id = self.new_id();
        let message = Message::new(chat, me.clone(), Kind::Text, State::Sending, now.unix);
        self.chats.say(id, Message { body: body.to_owned(), ..message });
        if let Some(partner) = partner {
            self.users.change(&partner, |user| user.contacted = true);
        }
        self.post(id, beginning, now, out);
        let new_poster = self.note_poster(chat, &me);
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
        let new = !self.chats.chat(chat).posters.contains(author);
        if new {
            self.chats.chat_mut(chat).posters.push(author.clone());
        }
        new
    }

    /// From protocol 3 on a failure is also a message of the user who cannot be reached (skype-api 7.2).
    pub(super) fn say_undeliverable(
        &mut self,
        chat: ChatIndex,
        reason: Undeliverable,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(author) = self.chats.chat(chat).partner().cloned() else { return };
        let id = self.new_id();
        let kind = Kind::Undeliverable(reason);
        self.chats.say(id, Message::new(chat, author, kind, State::Received, now.unix));
        self.announce_status(id, out);
    }

    /// Takes in a message of the network; one that is known already is not told again.
    pub(super) fn receive(&mut self, message: backend::Message, now: Now, out: &mut Vec<Output>) {
        if self.chats.by_remote(&message.remote).is_some() {
            return;
        }
        let backend::Message { remote, conversation, author, author_name, kind, body, time, mark } = message;
        let own = author == self.me.handle;
        if let Some(mark) = mark.filter(|_| own) {
            let receipt = Receipt { remote: Some(remote.clone()), time, conversation: None };
            if self.is_back(&mark, &receipt, out) {
                return;
            }
        }
        if !own {
            self.users.change(&author, |user| {
                user.contacted |= matches!(conversation, Address::User(_));
                // A contact's name is told by the contact list.
                if let Some(name) = author_name.filter(|_| !user.is_listed()) {
                    user.name = name;
                }
            });
        }
        let (chat, new) = self.chat_at(&conversation, &author, now);
        let time = time.filter(|_| !self.local_time).unwrap_or(now.unix);
        let state = if own { State::Sent } else { State::Received };
        let id = self.new_id();
        let said = kind.is_text();
        let new_poster = said && self.note_poster(chat, &author);
        if new && !own {
            for member in &mut self.chats.chat_mut(chat).members {
                member.active = true;
            }
        }
        let message = Message { body, remote: Some(remote), ..Message::new(chat, author.clone(), kind, state, time) };
        let (kind, body) = (message.kind.clone(), message.body.clone());
        self.chats.say(id, message);
        if said && !own && !new {
            self.activate(chat, &author, out);
        }
        if new {
            self.announce_begun_dialog(chat, out);
        } else if said {
            if new_poster {
                self.announce_chat(chat, ChatProperty::Posters, out);
            }
            self.announce_chat(chat, ChatProperty::ActivityTimestamp, out);
        }
        // Who goes says so first; that we have to go is told last (skype-api 7.4).
        let goes = match &kind {
            Kind::Left => true,
            Kind::Kicked(users) | Kind::Banned(users) => !users.contains(&self.me.handle),
            _ => false,
        };
        if goes {
            self.announce_status(id, out);
        }
        if !said {
            self.apply(chat, &author, &kind, &body, out);
        }
        if !goes {
            self.announce_status(id, out);
        }
    }

    /// The form that a request to become a contact has for clients of protocols 1 to 3 (skype-api 5).
    pub(super) fn say_auth_request(&mut self, author: &Handle, text: String, now: Now, out: &mut Vec<Output>) {
        // For nobody it would only be a message too many.
        if !self.is_heard_below(Protocol::AUTH_REQUESTS) {
            return;
        }
        let (chat, _) = self.dialog_with(author, now);
        let id = self.new_id();
        let message = Message::new(chat, author.clone(), Kind::AuthRequest, State::Received, now.unix);
        self.chats.say(id, Message { body: text, ..message });
        self.announce_status(id, out);
    }

    /// The network has another text of a message.
    pub(super) fn edited(
        &mut self,
        remote: &RemoteId,
        author: Handle,
        body: String,
        time: Option<u64>,
        now: Now,
        out: &mut Vec<Output>,
    ) {
        let Some(id) = self.chats.by_remote(remote) else { return };
        let edit = Edit { author, time: time.unwrap_or(now.unix) };
        if self.chats.message(id).is_some_and(|message| message.body == body && message.edit.is_some()) {
            return;
        }
        self.chats.edit(id, body, Some(Box::new(edit)));
        self.announce_edit(id, out);
    }

    /// A message was seen at another login.
    pub(super) fn seen_elsewhere(&mut self, remote: &RemoteId, out: &mut Vec<Output>) {
        let id = self.chats.by_remote(remote);
        let received = |id: &ObjectId| self.chats.message(*id).is_some_and(|message| message.state == State::Received);
        if let Some(id) = id.filter(received) {
            self.move_on(id, State::Read, out);
        }
    }

    /// Whether we may change a message (skype-api 3.6).
    fn is_editable(&self, message: &Message) -> bool {
        let chat = self.chats.chat(message.chat);
        let (mine, theirs) = (chat.role_of(&self.me.handle), chat.role_of(&message.author));
        let right = match mine {
            _ if message.author == self.me.handle => true,
            Role::Creator => true,
            Role::Master => theirs != Role::Creator,
            Role::Helper | Role::User | Role::Listener | Role::Applicant => false,
        };
        let settled = !matches!(message.state, State::Sending | State::Failed(_)) && message.remote.is_some();
        self.capabilities.can(Ability::Editing) && message.kind.is_text() && settled && right
    }

    pub(super) fn edit_message(
        &mut self,
        reply: Line,
        id: ObjectId,
        body: &str,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        let message = self.chats.message(id).ok_or(ErrorCode::SET_MESSAGE_UNKNOWN)?;
        let refused = ErrorCode::SET_MESSAGE_INVALID_WHAT;
        if !self.is_editable(&message) || !self.wants_online() || body.len() > self.capabilities.max_body {
            return Err(refused);
        }
        let remote = message.remote.clone().ok_or(refused)?;
        let conversation = self.address_of(message.chat).ok_or(refused)?;
        let edit = Box::new(Edit { author: self.me.handle.clone(), time: now.unix });
        let before = self.chats.edit(id, body.to_owned(), Some(edit)).ok_or(refused)?;
        let task = Task::Edit { conversation, message: remote, body: body.to_owned() };
        self.ask(task, Pending::Edit(Editing { id, before, after: body.to_owned() }), out);
        self.announce_edit(id, out);
        Ok(reply.part(body))
    }

    /// The network has answered; a change that it refused did not happen.
    pub(super) fn edit_done(&mut self, editing: Editing, outcome: &Outcome, out: &mut Vec<Output>) {
        // What has changed since then stays.
        let still = self.chats.message(editing.id).is_some_and(|message| message.body == editing.after);
        if outcome.is_err() && still {
            let (body, edit) = editing.before;
            self.chats.edit(editing.id, body, edit);
            self.announce_edit(editing.id, out);
        }
    }

    fn announce_edit(&self, id: ObjectId, out: &mut Vec<Output>) {
        let told = [ChatMessageProperty::EditedTimestamp, ChatMessageProperty::EditedBy, ChatMessageProperty::Body];
        for property in told {
            let line = Line::about("CHATMESSAGE", id, property.word());
            if let Ok(line) = self.get_message(line, id, property, false) {
                // Texts do not change for clients that know of no changes.
                self.announce(ChatMessageProperty::EditedBy.since(), line, out);
            }
        }
    }

    /// Where the network knows a chat.
    fn address_of(&self, chat: ChatIndex) -> Option<Address> {
        match &self.chats.chat(chat).place {
            Place::Dialog(partner) => Some(Address::User(partner.clone())),
            Place::Group(conversation) => Some(Address::Conversation(conversation.clone())),
            Place::Unnamed => None,
        }
    }

    pub(super) fn set_seen(&mut self, reply: Line, id: ObjectId, out: &mut Vec<Output>) -> Answer {
        let message = self.chats.message(id).ok_or(ErrorCode::SET_MESSAGE_UNKNOWN)?;
        if message.state != State::Received {
            // Ours, or seen already (skype-api 7.3).
            return Err(ErrorCode::SET_MESSAGE_INVALID_WHAT);
        }
        if self.capabilities.can(Ability::Receipts)
            && let (Some(message), Some(conversation)) = (message.remote.clone(), self.address_of(message.chat))
        {
            out.push(Output::ToBackend(Action::Seen { conversation, message }));
        }
        self.move_on(id, State::Read, out);
        Ok(reply.part(ChatMessageProperty::Status.word()).part(ChatMessageStatus::Read.word()))
    }

    pub(super) fn move_on(&mut self, id: ObjectId, state: State, out: &mut Vec<Output>) {
        if self.chats.set_state(id, state) {
            self.announce_status(id, out);
            if state == State::Read {
                self.heard(id);
            }
        }
    }

    /// Says how far a message has come, to every client in its own words.
    pub(super) fn announce_status(&mut self, id: ObjectId, out: &mut Vec<Output>) {
        let Some(message) = self.chats.message(id) else { return };
        self.announce_by(|protocol| status_line(id, &message, protocol), out);
        let (text, state) = (message.kind.is_text(), message.state);
        if text && matches!(state, State::Received | State::Sent | State::Failed(_)) {
            self.offer(id, state, out);
        }
    }

    fn announce_modern_status(&self, id: ObjectId, out: &mut Vec<Output>) {
        let Some(message) = self.chats.message(id) else { return };
        let line = Line::about("CHATMESSAGE", id, ChatMessageProperty::Status.word());
        self.announce(Protocol::CHAT_MESSAGES, line.part(status(message.state).word()), out);
    }

    pub(super) fn get_message(&self, reply: Line, id: ObjectId, property: ChatMessageProperty, legacy: bool) -> Answer {
        let message = self.chats.message(id).ok_or(ErrorCode::GET_MESSAGE_UNKNOWN)?;
        let chat = self.chats.chat(message.chat);
        let edit = message.edit.as_deref();
        // To MESSAGE the partner is the other side; to CHATMESSAGE the old name means the sender (skype-api 4.7).
        let partner = if legacy { chat.partner().unwrap_or(&message.author) } else { &message.author };
        Ok(match property {
            ChatMessageProperty::Timestamp => reply.value(message.time),
            ChatMessageProperty::FromHandle => reply.part(message.author.as_str()),
            ChatMessageProperty::FromDisplayName => reply.one_line(self.display_name(&message.author)),
            ChatMessageProperty::PartnerHandle => reply.part(partner.as_str()),
            ChatMessageProperty::PartnerDisplayName => reply.one_line(self.display_name(partner)),
            ChatMessageProperty::ConferenceId => reply.value(0),
            ChatMessageProperty::Type => reply.part(type_word(&message.kind, legacy)),
            ChatMessageProperty::Status => reply.part(status(message.state).word()),
            ChatMessageProperty::FailureReason => reply.value(failure_reason(message.state)),
            ChatMessageProperty::LeaveReason => reply.part(leave_reason(&message.kind).map_or("", LeaveReason::word)),
            ChatMessageProperty::ChatName => reply.part(&chat.name),
            ChatMessageProperty::Users => reply.list(Separator::Space, message.kind.users()),
            ChatMessageProperty::IsEditable => reply.boolean(self.is_editable(&message)),
            ChatMessageProperty::Role => match &message.kind {
                Kind::Role(_, role) => reply.part(role.word()),
                _ => reply.part("UNKNOWN"),
            },
            ChatMessageProperty::Options => match &message.kind {
                Kind::Options(bits) => reply.value(bits),
                _ => reply.value(0),
            },
            ChatMessageProperty::Body => reply.part(&message.body),
            ChatMessageProperty::EditedBy => reply.part(edit.map_or("", |edit| edit.author.as_str())),
            ChatMessageProperty::EditedTimestamp => match edit {
                Some(edit) => reply.value(edit.time),
                None => reply.part(""),
            },
            // Files are objects of their own, and only some proxies tie them to messages (skype-api 3.16).
            ChatMessageProperty::FileTransfers | ChatMessageProperty::Guid | ChatMessageProperty::Seen => {
                reply.part("")
            }
        })
    }
}

/// How far a message has come, in the words of a protocol; nothing if it is not for its clients.
pub(super) fn status_line(id: ObjectId, message: &Message, protocol: Protocol) -> Option<Line> {
    let object = match message.kind {
        // Once it was a message, then a property of the user (skype-api 5).
        Kind::AuthRequest => (protocol < Protocol::AUTH_REQUESTS).then_some("MESSAGE"),
        _ if protocol.has_chat_messages() => Some("CHATMESSAGE"),
        // Before there were chats, nothing but text was said.
        _ => message.kind.is_text().then_some("MESSAGE"),
    };
    Some(Line::about(object?, id, ChatMessageProperty::Status.word()).part(status(message.state).word()))
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

fn type_word(kind: &Kind, legacy: bool) -> &'static str {
    let modern = match kind {
        // The words of protocols 1 and 2 (skype-api 4.4).
        Kind::Text | Kind::Emote if legacy => return "TEXT",
        Kind::AuthRequest if legacy => return "AUTHREQUEST",
        Kind::Contacts(_) if legacy => return "CONTACTS",
        _ if legacy => ChatMessageType::Unknown,
        Kind::Text => ChatMessageType::Said,
        Kind::Emote => ChatMessageType::Emoted,
        Kind::Created(_) => ChatMessageType::CreatedChatWith,
        Kind::Saw(_) => ChatMessageType::SawMembers,
        Kind::Added(_) => ChatMessageType::AddedMembers,
        Kind::Left | Kind::Undeliverable(_) => ChatMessageType::Left,
        Kind::Kicked(_) => ChatMessageType::Kicked,
        Kind::Banned(_) => ChatMessageType::KickBanned,
        Kind::Topic => ChatMessageType::SetTopic,
        Kind::Guidelines => ChatMessageType::SetGuidelines,
        Kind::Options(_) => ChatMessageType::SetOptions,
        Kind::Role(..) => ChatMessageType::SetRole,
        Kind::Picture => ChatMessageType::SetPicture,
        Kind::Applicant => ChatMessageType::JoinedAsApplicant,
        Kind::Contacts(_) => ChatMessageType::PostedContacts,
        Kind::Gap => ChatMessageType::GapInChat,
        Kind::AuthRequest => ChatMessageType::Unknown,
    };
    modern.word()
}

fn leave_reason(kind: &Kind) -> Option<LeaveReason> {
    match kind {
        Kind::Left => Some(LeaveReason::Unsubscribe),
        Kind::Undeliverable(Undeliverable::UnknownUser) => Some(LeaveReason::UserNotFound),
        Kind::Undeliverable(Undeliverable::Refused) => Some(LeaveReason::AddedMustBeAuthorized),
        Kind::Undeliverable(Undeliverable::Unclear) => Some(LeaveReason::UserIncapable),
        _ => None,
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
