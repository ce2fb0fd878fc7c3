//! The engine: one account's state, and the clients that look at it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Action;
use crate::backend::Capabilities;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Names;
use crate::backend::Receipt;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::model::Applications;
use crate::model::Calls;
use crate::model::Chats;
use crate::model::Groups;
use crate::model::Handle;
use crate::model::Menus;
use crate::model::ObjectId;
use crate::model::Profile;
use crate::model::Settings;
use crate::model::Sms;
use crate::model::Transfers;
use crate::model::User;
use crate::model::Users;
use crate::model::Voicemails;
use crate::skype::Alter;
use crate::skype::Clear;
use crate::skype::Command;
use crate::skype::ConnectionStatus;
use crate::skype::Create;
use crate::skype::Delete;
use crate::skype::ErrorCode;
use crate::skype::Get;
use crate::skype::Head;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Request;
use crate::skype::Set;
use crate::skype::UserChange;
use crate::translate::avatar::Avatars;
use crate::translate::avatar::FileTask;
use crate::translate::connection::Connection;
use crate::translate::conversation::Changing;
use crate::translate::conversation::Founding;
use crate::translate::message::Editing;
use crate::translate::message::Outgoing;
use crate::translate::refusal::need;
use crate::translate::user::ContactChange;
use crate::translate::user::status_word;

/// The first number given to an object: all numbers have the same length for long, because a
/// client compares them by prefix (clients 2, rule 12).
const FIRST_ID: u32 = 100_000;

/// A client of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct ClientId(pub u32);

/// Ties a reply to the command it answers, for whoever waits for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Token(pub u64);

/// The time, brought in from outside.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Now {
    /// Since the session began; never goes back.
    pub monotonic: Duration,
    /// Seconds since 1970 UTC.
    pub unix: u64,
}

/// How a client came to the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Attachment {
    /// In the process, or at the console: hears everything at once, in protocol 8.
    Direct,
    /// Over a wire: hears nothing before its first command (transports 0.5), protocol 3 until it asks for another.
    Remote,
}

/// What the engine has to say.
#[derive(Debug)]
#[non_exhaustive]
pub enum Output {
    /// The reply to a command.
    Reply {
        /// Who asked.
        client: ClientId,
        /// Which command it was.
        token: Token,
        /// The line, with the `#id` of the command.
        line: String,
        /// Where the reply begins behind the `#id`.
        start: usize,
    },
    /// A notification.
    ToClient(ClientId, String),
    /// Something to do for the network.
    ToBackend(Action),
    /// A file to read or write for a client, whose reply waits for it: hand the outcome to
    /// [`Engine::file_done`].
    File(FileTask),
    /// How a login went that was asked for with [`Engine::login`].
    Login(Login),
}

/// How a login went.
#[derive(Debug)]
#[non_exhaustive]
pub enum Login {
    /// The account is online.
    Succeeded,
    /// The network does not accept the account.
    Refused {
        /// What it said.
        reason: String,
    },
    /// The network could not be reached.
    Unreachable {
        /// What happened.
        error: Box<dyn std::error::Error + Send + Sync>,
    },
}

/// What an engine needs to know from the start.
pub struct Setup {
    /// The account.
    pub username: String,
    /// What the network can do.
    pub capabilities: Capabilities,
    /// How the network spells users.
    pub names: Arc<dyn Names>,
    /// Stamp messages with the local clock.
    pub local_time: bool,
    /// The folder below which clients may have files read and written; none if there is none.
    pub files: Option<String>,
    /// Seed of everything random (the jitter of retries).
    pub seed: u64,
}

/// A client, as the engine sees it.
struct Client {
    id: ClientId,
    protocol: Protocol,
    /// Whether notifications go to it.
    listening: bool,
    /// Whether it was told how the session stands.
    greeted: bool,
}

/// What an unanswered task was about.
pub(super) enum Pending {
    Message(Outgoing),
    Edit(Editing),
    Contact(ContactChange),
    /// Our own name before.
    Name(String),
    /// Whether our own picture is taken.
    Avatar,
    Founding(Founding),
    Change(Changing),
    /// A stream that is being opened, and its application.
    Connect(String, Handle, u32),
    /// A text on a stream: the application, and how long it is.
    Write(String, Handle, u32, usize),
    /// A call that was placed.
    PlaceCall(ObjectId),
    /// A call to which something is done.
    Call(ObjectId),
    /// A short message that is sent.
    Sms(ObjectId),
    /// What follows from it is told by events.
    Nothing,
}

/// One account's state, and the clients that look at it.
pub struct Engine {
    /// Ourselves. The presence is in `connection`.
    pub(super) me: User,
    pub(super) connection: Connection,
    pub(super) capabilities: Capabilities,
    pub(super) names: Arc<dyn Names>,
    pub(super) local_time: bool,
    pub(super) users: Users,
    pub(super) groups: Groups,
    pub(super) chats: Chats,
    pub(super) calls: Calls,
    pub(super) voicemails: Voicemails,
    pub(super) sms: BTreeMap<ObjectId, Sms>,
    pub(super) transfers: Transfers,
    pub(super) applications: Applications,
    pub(super) menus: Menus,
    pub(super) settings: Settings,
    pub(super) profile: Profile,
    pub(super) avatars: Avatars,
    pub(super) pending: HashMap<Ticket, Pending>,
    /// When calls in progress are told to be longer.
    pub(super) next_second: Duration,
    next_id: u32,
    next_ticket: u64,
    clients: Vec<Client>,
}

/// What a command is answered: the reply behind its `#id`, or why it is refused.
pub(super) type Answer = Result<Line, ErrorCode>;

/// How a task ended.
pub(super) type Outcome = Result<Receipt, Failure>;

impl Engine {
    /// An engine that is offline and has no clients.
    #[must_use]
    pub fn new(setup: Setup) -> Self {
        let me = setup.names.parse(&setup.username).unwrap_or_else(|| Handle::new(setup.username));
        Self {
            me: User::new(me),
            connection: Connection::new(setup.seed),
            capabilities: setup.capabilities,
            names: setup.names,
            local_time: setup.local_time,
            users: Users::default(),
            groups: Groups::default(),
            chats: Chats::default(),
            calls: Calls::default(),
            voicemails: Voicemails::default(),
            sms: BTreeMap::new(),
            transfers: Transfers::default(),
            applications: Applications::default(),
            menus: Menus::default(),
            settings: Settings::default(),
            profile: Profile::default(),
            avatars: Avatars::new(setup.files),
            pending: HashMap::new(),
            next_second: Duration::ZERO,
            next_id: FIRST_ID,
            next_ticket: 1,
            clients: Vec::new(),
        }
    }

    /// Has the next object numbered `id`; for tests that replay recordings.
    pub fn number_from(&mut self, id: u32) {
        self.next_id = id;
    }

    /// Adds a client.
    pub fn attach(&mut self, id: ClientId, attachment: Attachment, out: &mut Vec<Output>) {
        let (protocol, listening) = match attachment {
            Attachment::Direct => (Protocol::HIGHEST, true),
            Attachment::Remote => (Protocol::REMOTE_DEFAULT, false),
        };
        self.clients.push(Client { id, protocol, listening, greeted: listening });
        if listening {
            self.greet(id, out);
        }
    }

    /// Forgets a client, and what was there for it alone.
    pub fn detach(&mut self, client: ClientId, out: &mut Vec<Output>) {
        self.clients.retain(|known| known.id != client);
        for name in self.applications.of_client(client.0) {
            self.leave_application(&name, client, out);
        }
        self.menus.forget(client.0);
        self.avatars.forget(client);
    }

    /// Handles one line of a client: exactly one reply, then what the command changed.
    pub fn client_line(&mut self, id: ClientId, token: Token, line: &str, now: Now, out: &mut Vec<Output>) {
        let Some(index) = self.clients.iter().position(|client| client.id == id) else { return };
        let before = out.len();
        let (command_id, answer, greets) = match Request::parse(line) {
            Ok(request) => {
                // PING is asked by some before they say who they are (transports 0.4).
                let greets = !matches!(request.command, Command::Ping | Command::Name(_));
                self.clients[index].listening |= !matches!(request.command, Command::Ping);
                let answer = match self.begin_file(id, token, &request) {
                    Some(Ok(task)) => {
                        out.push(Output::File(task));
                        None
                    }
                    Some(Err(refused)) => Some(Err(refused)),
                    None => Some(self.command(index, request.id, &request.command, now, out)),
                };
                (request.id, answer, greets)
            }
            Err(refused) => {
                self.clients[index].listening = true;
                (refused.id, Some(Err(refused.code)), true)
            }
        };
        if let Some(answer) = answer {
            // The reply goes first (skype-api 9, rule 4).
            out.insert(before, reply_to(id, token, command_id, answer));
        }
        if greets && !std::mem::replace(&mut self.clients[index].greeted, true) {
            self.greet(id, out);
        }
    }

    fn command(
        &mut self,
        client: usize,
        id: Option<&str>,
        command: &Command<'_>,
        now: Now,
        out: &mut Vec<Output>,
    ) -> Answer {
        if let Some(need) = need(command)
            && !self.capabilities.can(need.ability)
        {
            return Err(need.refusal);
        }
        let Client { id: client, protocol, .. } = self.clients[client];
        let reply = Line::reply(id);
        match *command {
            Command::Ping => Ok(reply.part("PONG")),
            // Always, also while the account is offline: a client that hears CONNSTATUS OFFLINE here
            // (skype-api 1.3) goes away, and could never ask for ONLINE (clients 3.4).
            Command::Name(_) => Ok(reply.part("OK")),
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
            Command::Create { head, ref what } => self.create(reply, head, client, what, protocol, out),
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
        protocol: Protocol,
        out: &mut Vec<Output>,
    ) -> Answer {
        match *what {
            Create::Application { name } => self.create_application(reply.part(head), client, name),
            Create::Group { name } => self.create_group(reply.part(head), name, out),
            Create::Sms { kind, targets } => self.create_sms(reply, kind, targets, protocol, out),
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
            Some(Pending::Message(outgoing)) => self.message_done(&outgoing, outcome, now, out),
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
            Some(Pending::Call(call)) => self.call_done(call, outcome.is_ok(), out),
            Some(Pending::Sms(sms)) => self.sms_done(sms, outcome, out),
            Some(Pending::Avatar | Pending::Nothing) | None => {}
        }
    }

    pub(super) fn new_id(&mut self) -> ObjectId {
        let id = ObjectId(self.next_id);
        self.next_id += 1;
        id
    }

    /// Has the network do something, and remembers what it is about until that is answered.
    pub(super) fn ask(&mut self, task: Task, pending: Pending, out: &mut Vec<Output>) {
        let ticket = self.expect(pending);
        out.push(Output::ToBackend(Action::Task { ticket, task }));
    }

    /// Remembers what a task is about until it is answered.
    pub(super) fn expect(&mut self, pending: Pending) -> Ticket {
        let ticket = Ticket(self.next_ticket);
        self.next_ticket += 1;
        self.pending.insert(ticket, pending);
        ticket
    }

    /// Tells every client whose protocol is at least `since`, the one that caused it too.
    pub(super) fn announce(&self, since: Protocol, line: Line, out: &mut Vec<Output>) {
        let (line, _) = line.finish();
        let told = self.clients.iter().filter(|client| client.listening && client.protocol >= since);
        out.extend(told.map(|client| Output::ToClient(client.id, line.clone())));
    }

    /// Whether somebody listens in a protocol below `limit`.
    pub(super) fn is_heard_below(&self, limit: Protocol) -> bool {
        self.clients.iter().any(|client| client.listening && client.protocol < limit)
    }

    /// Tells every client in the words of its protocol; nothing where there are none.
    pub(super) fn announce_by(&self, line: impl Fn(Protocol) -> Option<Line>, out: &mut Vec<Output>) {
        for client in self.clients.iter().filter(|client| client.listening) {
            out.extend(line(client.protocol).map(|line| Output::ToClient(client.id, line.finish().0)));
        }
    }

    /// Tells some clients.
    pub(super) fn announce_to(&self, clients: &[u32], line: Line, out: &mut Vec<Output>) {
        let (line, _) = line.finish();
        let told = self.clients.iter().filter(|client| client.listening && clients.contains(&client.id.0));
        out.extend(told.map(|client| Output::ToClient(client.id, line.clone())));
    }

    /// How the session stands, for a client that has just come (skype-api 1.3).
    fn greet(&self, client: ClientId, out: &mut Vec<Output>) {
        let known = self.clients.iter().find(|known| known.id == client);
        let protocol = known.map_or(Protocol::HIGHEST, |known| known.protocol);
        let lines = [
            Line::notification().part("CONNSTATUS").part(self.connection_status().word()),
            Line::notification().part("CURRENTUSERHANDLE").part(self.me.handle.as_str()),
            Line::notification().part("USERSTATUS").part(status_word(self.user_status(), protocol)),
        ];
        // While a login runs, the rest is told to everybody when it has succeeded.
        let told = if self.connection_status() == ConnectionStatus::Connecting { 1 } else { lines.len() };
        out.extend(lines.into_iter().take(told).map(|line| Output::ToClient(client, line.finish().0)));
    }
}

/// The reply to a command.
pub(super) fn reply_to(client: ClientId, token: Token, command_id: Option<&str>, answer: Answer) -> Output {
    let (line, start) = answer.unwrap_or_else(|code| Line::reply(command_id).value(code)).finish();
    Output::Reply { client, token, line, start }
}
