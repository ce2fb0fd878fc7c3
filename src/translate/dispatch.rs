//! Which part of the engine answers which command, and takes in which event.

use crate::backend::Event;
use crate::backend::Ticket;
use crate::model::ObjectId;
use crate::skype::Alter;
use crate::skype::Clear;
use crate::skype::Command;
use crate::skype::Create;
use crate::skype::Delete;
use crate::skype::ErrorCode;
use crate::skype::Get;
use crate::skype::Head;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Set;
use crate::skype::UserChange;
use crate::skype::UserStatus;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::engine::Answer;
use crate::translate::engine::Client;
use crate::translate::engine::Outcome;
use crate::translate::engine::Pending;
use crate::translate::refusal::need;
use crate::translate::user::status_word;

impl Engine {
    pub(super) fn command(
        &mut self,
        client: usize,
        id: Option<&str>,
        command: &Command<'_>,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        if let Some(refusal) = self.refusal(command) {
            return Err(refusal);
        }
        let Client { id: client, protocol, .. } = self.clients[client];
        let reply = Line::reply(id);
        match *command {
            Command::Ping => Ok(reply.part("PONG")),
            // Always, also while the account is offline: a client that hears CONNSTATUS OFFLINE here
            // (skype-api 1.3) goes away, and could never ask for ONLINE (clients 3.4).
            Command::Name(name) => {
                let welcome = self.name_client(client, name);
                if welcome { Ok(reply.part("OK")) } else { Err(ErrorCode::ACCESS_DENIED) }
            }
            Command::Protocol(protocol) => {
                if let Some(client) = self.clients.iter_mut().find(|known| known.id == client) {
                    client.protocol = protocol;
                }
                Ok(reply.part("PROTOCOL").value(protocol.number()))
            }
            Command::Get { head, ref what } => self.get(reply, head, what, protocol),
            Command::Set { head, ref what } => self.set(reply.part(head), client, what, protocol, now, out),
            Command::Search { search, target } => {
                self.search(reply.part(search.head(protocol.has_chat_messages())), search, target, protocol)
            }
            Command::Message { user, body } => self.message_to_user(reply, user, body, protocol, now, out),
            Command::ChatMessage { chat, body } => self.message_to_chat(reply, chat, body, protocol, now, out),
            Command::ChatCreate { users } => self.create_chat(reply, users, now, out),
            Command::ChatBlob { blob, create } => self.chat_by_blob(reply, blob, create, now, out),
            Command::Alter { head, ref what } => {
                let Head { front, back } = head;
                let reply = if back.is_empty() { reply.part(front) } else { reply.part(front).part(back) };
                self.alter(reply, client, what, now, out)
            }
            Command::Create { head, ref what } => self.create(reply, head, client, what, out),
            Command::Delete { head, what } => self.delete(reply.part(head), client, what, out),
            Command::Call { targets } => self.place_call(reply, targets, now, out),
            Command::CallVoicemail { user } => self.call_voicemail(reply, user, now, out),
            Command::Clear { head, what } => self.clear(reply.part(head), what, out),
            Command::Open { head, window, target } => self.open(reply.part(head), window, target, out),
            Command::ShowWindow { head, front } => {
                self.show_window(front, out);
                Ok(reply.part(head))
            }
            Command::UserActivity { head } => Ok(reply.part(head)),
        }
    }

    /// The answer to a command that the network cannot do, or is too far behind to be asked.
    pub(super) fn refusal(&self, command: &Command<'_>) -> Option<ErrorCode> {
        let need = need(command)?;
        (!self.capabilities.can(need.ability) || !self.may_ask()).then_some(need.refusal)
    }

    fn get(&self, reply: Line, head: &str, what: &Get<'_>, protocol: Protocol) -> Answer {
        let reply = match *what {
            Get::Setting(setting) => return Ok(self.setting_value(reply.part(setting.head(head)), setting, protocol)),
            _ => reply.part(head),
        };
        match *what {
            Get::Privilege(privilege) => Ok(reply.boolean(self.has_privilege(privilege))),
            Get::Profile(property) => Ok(self.profile_value(reply, property, protocol)),
            Get::User { handle, property } => self.get_user(reply, handle, property, protocol),
            Get::Chat { chat, property } => self.get_chat(reply, chat, property),
            Get::ChatMember { id, property } => self.get_chat_member(reply, ObjectId(id), property),
            Get::ChatMessage { id, property, legacy } => {
                self.get_message(reply, ObjectId(id), property, legacy || !protocol.has_chat_messages())
            }
            Get::Call { id, property, argument } => self.get_call(reply, ObjectId(id), property, argument, protocol),
            Get::Voicemail { id, property } => self.get_voicemail(reply, ObjectId(id), property),
            Get::Sms { id, property, chunk } => self.get_sms(reply, ObjectId(id), property, chunk),
            Get::Application { name, property } => self.get_application(reply, name, property),
            Get::Group { id, property } => self.get_group(reply, ObjectId(id), property),
            Get::FileTransfer { id, property } => self.get_transfer(reply, ObjectId(id), property),
            Get::Ringtone { id, status: true } => Ok(reply.part(self.settings.rings(id).word())),
            // No sound is played here, so no file is named.
            Get::Ringtone { status: false, .. } => Ok(reply.part("")),
            // Taken before, by `begin_file`; settings above.
            Get::UserAvatar { .. } | Get::Avatar { .. } => Err(ErrorCode::AVATAR_CANNOT_LOAD),
            Get::Setting(_) => Err(ErrorCode::GET_INVALID_WHAT),
        }
    }

    fn set(
        &mut self,
        reply: Line,
        client: ClientId,
        what: &Set<'_>,
        protocol: Protocol,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        match *what {
            Set::UserStatus(UserStatus::Offline) if self.keep_online && self.wants_online() => {
                // Of several who use the account one goes (clients 4.5).
                let line = Line::notification().part("USERSTATUS").part(status_word(UserStatus::Offline, protocol));
                out.push(Output::ToClient(client, line.finish().0));
                Ok(reply)
            }
            Set::UserStatus(status) => {
                self.set_user_status(status, now, out);
                Ok(reply)
            }
            Set::Setting { setting, value } => self.set_setting(reply, setting, value, out),
            Set::Profile { property, value } => self.set_profile(reply, property, value, protocol, out),
            Set::User { handle, change } => match change {
                UserChange::BuddyStatus { status, greeting } => {
                    self.set_buddy_status(reply, handle, status, greeting, out)
                }
                UserChange::IsAuthorized(accept) => self.set_authorized(reply, handle, accept, out),
                UserChange::IsBlocked(blocked) => self.set_blocked(reply, handle, blocked, out),
                UserChange::SpeedDial(code) => self.set_speed_dial(reply, handle, code, out),
                UserChange::DisplayName(name) => self.set_alias(reply, handle, name, out),
            },
            Set::ChatMessageSeen { id } => self.set_seen(reply, ObjectId(id), out),
            Set::ChatMessageBody { id, body } => self.edit_message(reply, ObjectId(id), body, now, out),
            Set::ChatDescription { chat, text } => self.set_description(reply, chat, text, out),
            Set::Call { id, change } => self.set_call(reply, ObjectId(id), change, protocol, out),
            Set::GroupName { id, name } => self.set_group_name(reply, ObjectId(id), name, out),
            Set::Sms { id, change } => self.set_sms(reply, ObjectId(id), change, out),
            // Without a path, the own picture is taken away; with one, `begin_file` has taken it.
            Set::Avatar { id, .. } => self.remove_avatar(reply, id, out),
            // Whatever it is, it cannot be played here.
            Set::Ringtone { .. } => Err(ErrorCode::INVALID_RINGTONE),
            Set::RingtoneStatus { id, status } => {
                self.settings.set_rings(id, status);
                let line = Line::about("RINGTONE", id, "STATUS").part(status.word());
                self.announce(Protocol::LOWEST, line, out);
                Ok(reply)
            }
            Set::MenuItem { id, property, ref value } => self.set_menu_item(reply, client, id, property, value),
        }
    }

    fn alter(&mut self, reply: Line, client: ClientId, what: &Alter<'_>, now: Now, out: &mut Vec<Output>) -> Answer {
        match *what {
            Alter::Chat { chat, action } => self.alter_chat(reply, chat, action, now, out),
            Alter::ChatMember { id, role, only_ask } => {
                self.alter_member(reply, ObjectId(id), role, only_ask, now, out)
            }
            Alter::Call { id, action } => self.alter_call(reply, ObjectId(id), action, out),
            Alter::Voicemail { id, action, device } => self.alter_voicemail(reply, ObjectId(id), action, device, out),
            Alter::SmsSend { id } => self.send_sms(reply, ObjectId(id), now, out),
            Alter::Application { name, action } => self.alter_application(reply, client, name, action, out),
            Alter::Group { id, action, user } => self.alter_group(reply, ObjectId(id), action, user, out),
            Alter::FileTransfer { id, accept } => self.alter_transfer(reply, ObjectId(id), accept, out),
        }
    }

    fn create(
        &mut self,
        reply: Line,
        head: &str,
        client: ClientId,
        what: &Create<'_>,
        out: &mut Vec<Output>,
    ) -> Answer {
        match *what {
            Create::Application { name } => self.create_application(reply.part(head), client, name),
            Create::Group { name } => self.create_group(reply.part(head), name, out),
            Create::Sms { kind, targets } => self.create_sms(reply, kind, targets, out),
            Create::Event { id } => self.create_event(reply, client, id),
            Create::MenuItem { id, context, ref caption, ref hint, enabled } => {
                self.create_menu_item(reply, client, id, context, caption, hint, enabled)
            }
        }
    }

    fn delete(&mut self, reply: Line, client: ClientId, what: Delete<'_>, out: &mut Vec<Output>) -> Answer {
        match what {
            Delete::Application(name) => self.delete_application(reply, client, name, out),
            Delete::Group(id) => self.delete_group(reply, ObjectId(id), out),
            Delete::Sms(id) => self.delete_sms(reply, ObjectId(id)),
            Delete::Event(id) => self.delete_event(reply, client, id),
            Delete::MenuItem(id) => self.delete_menu_item(reply, client, id),
        }
    }

    fn clear(&mut self, reply: Line, what: Clear<'_>, out: &mut Vec<Output>) -> Answer {
        match what {
            Clear::Chats => {
                self.chats.clear();
                self.announce(Protocol::LOWEST, Line::notification().part("IMHISTORYCHANGED"), out);
                Ok(reply)
            }
            Clear::Voicemails => {
                self.voicemails.clear();
                Ok(reply)
            }
            Clear::Calls { which, user } => self.clear_calls(reply, which, user, out),
        }
    }

    /// Handles one event of the network.
    pub fn backend_event(&mut self, event: Event, now: Now, out: &mut Vec<Output>) {
        match event {
            Event::Connected { epoch, me, display_name } => self.connected(epoch, me, display_name, now, out),
            Event::Disconnected { epoch, reason } => self.disconnected(epoch, reason, now, out),
            Event::Contacts { contacts, complete } => self.contacts(contacts, complete, now, out),
            Event::ContactRemoved(user) => self.contact_removed(&user, out),
            Event::AuthRequest { user, text } => self.auth_request(&user, text, now, out),
            Event::Message(message) => self.receive(message, now, out),
            Event::Edited { message, author, body, time } => self.edited(&message, author, body, time, now, out),
            Event::Seen(message) => self.seen_elsewhere(&message, out),
            Event::Done { ticket, outcome } => self.done(ticket, outcome, now, out),
            Event::OwnPresence { presence, mood } => self.own_presence(presence, mood, out),
            Event::Conversation(conversation) => self.conversation(conversation, now, out),
            Event::Typing { user, typing } => self.typing(&user, typing, out),
            Event::Stream { application, user, number, event } => {
                self.stream_event(&application, &user, number, event, out);
            }
            Event::Connectable { application, users } => self.connectable(&application, users, out),
            Event::Avatar { user, picture } => self.avatar_changed(&user, picture),
            Event::Call(call) => self.call_event(call, now, out),
            Event::Voicemail(voicemail) => self.voicemail_event(voicemail, now, out),
            Event::Sms(sms) => self.sms_event(sms, now, out),
            Event::File(file) => self.file_event(file, now, out),
        }
    }

    pub(super) fn done(&mut self, ticket: Ticket, outcome: Outcome, now: Now, out: &mut Vec<Output>) {
        match self.pending.remove(&ticket) {
            Some(Pending::Message(id)) => self.message_done(id, outcome, now, out),
            Some(Pending::Edit(editing)) => self.edit_done(editing, &outcome, out),
            Some(Pending::Contact(change)) => self.contact_done(change, outcome.is_ok(), out),
            Some(Pending::Name(before)) => self.name_done(before, outcome.is_ok(), out),
            Some(Pending::Founding(founding)) => self.founding_done(founding, outcome, now, out),
            Some(Pending::Change(changing)) => self.change_done(changing, outcome, out),
            Some(Pending::Connect(application, user, number)) => {
                self.connect_done(&application, &user, number, outcome.is_ok(), out);
            }
            Some(Pending::Write(application, user, number, length)) => {
                self.write_done(&application, &user, number, length, out);
            }
            Some(Pending::PlaceCall(call)) => self.place_call_done(call, outcome, out),
            Some(Pending::Call(call, undo)) => self.call_done(call, undo, outcome.is_ok(), out),
            Some(Pending::Sms(sms)) => self.sms_done(sms, outcome, out),
            Some(Pending::Avatar(before)) => self.own_picture_done(before, outcome.is_ok()),
            Some(Pending::Nothing) | None => {}
        }
    }
}
