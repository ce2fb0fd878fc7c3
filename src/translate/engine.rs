//! The engine: one account's state, and the clients that look at it.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Action;
use crate::backend::Capabilities;
use crate::backend::Event;
use crate::backend::Names;
use crate::backend::Ticket;
use crate::model::Chats;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::User;
use crate::model::Users;
use crate::skype::Command;
use crate::skype::ConnectionStatus;
use crate::skype::ErrorCode;
use crate::skype::Get;
use crate::skype::Line;
use crate::skype::ProfileProperty;
use crate::skype::Protocol;
use crate::skype::Request;
use crate::skype::Set;
use crate::translate::connection::Connection;
use crate::translate::message::Outgoing;
use crate::translate::user::ContactChange;

/// What `GET SKYPEVERSION` answers: below 5 no client works around push faults of later versions.
const SKYPE_VERSION: &str = "4.3.0.37";

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

/// What an unanswered action was about.
pub(super) enum Pending {
    Message(Outgoing),
    Contact(ContactChange),
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
    pub(super) chats: Chats,
    pub(super) pending: HashMap<Ticket, Pending>,
    next_id: u32,
    next_ticket: u64,
    clients: Vec<Client>,
}

/// What a command is answered: the reply behind its `#id`, or why it is refused.
pub(super) type Answer = Result<Line, ErrorCode>;

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
            chats: Chats::default(),
            pending: HashMap::new(),
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

    /// Forgets a client.
    pub fn detach(&mut self, client: ClientId) {
        self.clients.retain(|known| known.id != client);
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
                (request.id, self.command(index, request.id, &request.command, now, out), greets)
            }
            Err(refused) => {
                self.clients[index].listening = true;
                (refused.id, Err(refused.code), true)
            }
        };
        let (line, start) = match answer {
            Ok(line) => line,
            Err(code) => Line::reply(command_id).value(code),
        }
        .finish();
        // The reply goes first (skype-api 9, rule 4).
        out.insert(before, Output::Reply { client: id, token, line, start });
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
        let protocol = self.clients[client].protocol;
        let reply = Line::reply(id);
        match *command {
            Command::Ping => Ok(reply.part("PONG")),
            Command::Name(_) => Ok(reply.part("OK")),
            Command::Protocol(protocol) => {
                self.clients[client].protocol = protocol;
                Ok(reply.part("PROTOCOL").value(protocol.number()))
            }
            Command::Get { head, ref what } => self.get(reply.part(head), what, protocol),
            Command::Set { head, ref what } => self.set(reply.part(head), what, now, out),
            Command::Search { search, target } => {
                self.search(reply.part(search.head(protocol.has_chat_messages())), search, target)
            }
            Command::Message { user, body } => self.message_to_user(reply, user, body, protocol, now, out),
            Command::ChatMessage { chat, body } => self.message_to_chat(reply, chat, body, protocol, now, out),
            Command::ChatCreate { user } => self.create_chat(reply, user, now, out),
            // The chats of this network are dialogs: nothing in them can be altered.
            Command::AlterChat { chat } => {
                Err(self.chats.by_name(chat).map_or(ErrorCode::CHAT_NOT_FOUND, |_| ErrorCode::CHAT_ACTION_FAILED))
            }
        }
    }

    fn get(&self, reply: Line, what: &Get<'_>, protocol: Protocol) -> Answer {
        match *what {
            Get::SkypeVersion => Ok(reply.part(SKYPE_VERSION)),
            Get::CurrentUserHandle => Ok(reply.part(self.me.handle.as_str())),
            Get::UserStatus => Ok(reply.part(self.user_status().word())),
            Get::ConnectionStatus => Ok(reply.part(self.connection_status().word())),
            Get::Privilege => Ok(reply.boolean(false)),
            Get::Profile(ProfileProperty::FullName) => Ok(reply.one_line(&self.me.name)),
            Get::Profile(ProfileProperty::MoodText) => Ok(reply.part(&self.me.mood)),
            Get::User { handle, property } => self.get_user(reply, handle, property),
            Get::Chat { chat, property } => self.get_chat(reply, chat, property),
            Get::ChatMember { id, property } => self.get_chat_member(reply, ObjectId(id), property),
            Get::ChatMessage { id, property, legacy } => {
                self.get_message(reply, ObjectId(id), property, legacy || !protocol.has_chat_messages())
            }
        }
    }

    fn set(&mut self, reply: Line, what: &Set<'_>, now: Now, out: &mut Vec<Output>) -> Answer {
        match *what {
            Set::UserStatus(status) => {
                self.set_user_status(status, now, out);
                Ok(reply)
            }
            Set::MoodText(text) => {
                self.set_mood(text, out);
                Ok(reply.part(text))
            }
            Set::BuddyStatus { handle, status, greeting } => {
                self.set_buddy_status(reply, handle, status, greeting, out)
            }
            Set::IsAuthorized { handle, value } => self.set_authorized(reply, handle, value, out),
            Set::ChatMessageSeen { id } => self.set_seen(reply, ObjectId(id), out),
        }
    }

    /// Handles one event of the network.
    pub fn backend_event(&mut self, event: Event, now: Now, out: &mut Vec<Output>) {
        match event {
            Event::Connected { epoch, me, display_name } => self.connected(epoch, me, display_name, now, out),
            Event::Disconnected { epoch, reason } => self.disconnected(epoch, reason, now, out),
            Event::Contacts { contacts, complete } => self.contacts(contacts, complete, now, out),
            Event::ContactRemoved(user) => self.contact_removed(&user, out),
            Event::AuthRequest { user, text } => self.auth_request(&user, text, out),
            Event::Message(message) => self.receive(message, now, out),
            Event::Done { ticket, outcome } => match self.pending.remove(&ticket) {
                Some(Pending::Message(outgoing)) => self.message_done(&outgoing, outcome, now, out),
                Some(Pending::Contact(change)) => self.contact_done(change, outcome.is_ok(), out),
                None => {}
            },
            Event::OwnPresence { presence, mood } => self.own_presence(presence, mood, out),
        }
    }

    pub(super) fn new_id(&mut self) -> ObjectId {
        let id = ObjectId(self.next_id);
        self.next_id += 1;
        id
    }

    /// Remembers what an action is about until it is answered.
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

    /// Tells clients of protocols 1 and 2 in words of their own.
    pub(super) fn announce_legacy(&self, line: Line, out: &mut Vec<Output>) {
        let (line, _) = line.finish();
        let told = self.clients.iter().filter(|client| client.listening && !client.protocol.has_chat_messages());
        out.extend(told.map(|client| Output::ToClient(client.id, line.clone())));
    }

    /// How the session stands, for a client that has just come (skype-api 1.3).
    fn greet(&self, client: ClientId, out: &mut Vec<Output>) {
        let lines = [
            Line::notification().part("CONNSTATUS").part(self.connection_status().word()),
            Line::notification().part("CURRENTUSERHANDLE").part(self.me.handle.as_str()),
            Line::notification().part("USERSTATUS").part(self.user_status().word()),
        ];
        // While a login runs, the rest is told to everybody when it has succeeded.
        let told = if self.connection_status() == ConnectionStatus::Connecting { 1 } else { lines.len() };
        out.extend(lines.into_iter().take(told).map(|line| Output::ToClient(client, line.finish().0)));
    }
}
