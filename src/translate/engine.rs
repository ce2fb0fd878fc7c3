//! The engine: one account's state, and the clients that look at it.

use std::collections::BTreeMap;
use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use crate::backend::Action;
use crate::backend::Capabilities;
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
use crate::skype::Command;
use crate::skype::ConnectionStatus;
use crate::skype::ErrorCode;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Request;
use crate::translate::avatar::Avatars;
use crate::translate::avatar::FileTask;
use crate::translate::call::CallUndo;
use crate::translate::connection::Connection;
use crate::translate::conversation::Changing;
use crate::translate::conversation::Founding;
use crate::translate::keeping::Keeping;
use crate::translate::keeping::Told;
use crate::translate::message::Editing;
use crate::translate::outbox::Outbox;
use crate::translate::user::ContactChange;
use crate::translate::user::status_word;

/// How many tasks may wait for the network's answer; what needs one more is refused, not lost.
const MOST_PENDING: usize = 10_000;

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
    /// The same, and nothing but PING is answered before it has said its NAME (transports 8.6).
    Named,
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
    /// The line before this tells the client of the arrival or the outcome of a message: say when it has taken the
    /// line ([`Engine::heard`]), or will never take it ([`Engine::not_taken`]).
    Offered(ClientId, ObjectId),
    /// The page on which the network lets people talk in a call that begins.
    CallPage(String),
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
    /// How long it is tried to send a message.
    pub send_limit: Duration,
    /// Seed of everything random (the jitter of retries).
    pub seed: u64,
}

/// A client, as the engine sees it.
pub(super) struct Client {
    pub(super) id: ClientId,
    pub(super) protocol: Protocol,
    /// What it calls itself.
    pub(super) name: Option<Box<str>>,
    /// Whether it has to say its name before anything else.
    pub(super) must_name: bool,
    /// Whether files that it asks for are brought over its connection.
    pub(super) carries_files: bool,
    /// Whether notifications go to it.
    listening: bool,
    /// Whether it was told how the session stands.
    pub(super) greeted: bool,
}

/// What an unanswered task was about.
pub(super) enum Pending {
    /// A message that is sent.
    Message(ObjectId),
    Edit(Editing),
    Contact(ContactChange),
    /// Our own name before.
    Name(String),
    /// Our own picture before.
    Avatar(Option<Arc<[u8]>>),
    Founding(Founding),
    Change(Changing),
    /// A stream that is being opened, and its application.
    Connect(String, Handle, u32),
    /// A text on a stream: the application, and how long it is.
    Write(String, Handle, u32, usize),
    /// A call that was placed.
    PlaceCall(ObjectId),
    /// A call to which something is done, and what to go back to if the network refuses.
    Call(ObjectId, Option<CallUndo>),
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
    pub(super) outbox: Outbox,
    pub(super) pending: HashMap<Ticket, Pending>,
    /// When calls in progress are told to be longer.
    pub(super) next_second: Duration,
    pub(super) keeping: Keeping,
    pub(super) told: Told,
    /// Begins the marks of our messages.
    pub(super) origin: u64,
    next_id: u32,
    next_ticket: u64,
    pub(super) clients: Vec<Client>,
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
            keeping: Keeping::default(),
            told: Told::default(),
            origin: setup.seed,
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
            outbox: Outbox::new(setup.send_limit),
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
            Attachment::Remote | Attachment::Named => (Protocol::REMOTE_DEFAULT, false),
        };
        let must_name = attachment == Attachment::Named;
        self.clients.push(Client {
            id,
            protocol,
            name: None,
            must_name,
            carries_files: false,
            listening,
            greeted: listening,
        });
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
            refused if !self.may_speak(index, &refused) => (
                refused.map_or_else(|refused| refused.id, |request| request.id),
                Some(Err(ErrorCode::ACCESS_DENIED)),
                false,
            ),
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

    /// The number that the next object will have.
    pub(super) fn next_id(&self) -> ObjectId {
        ObjectId(self.next_id)
    }

    /// Leaves out the numbers below `next`.
    pub(super) fn skip_to(&mut self, next: ObjectId) {
        self.next_id = self.next_id.max(next.0);
    }

    pub(super) fn new_id(&mut self) -> ObjectId {
        let id = ObjectId(self.next_id);
        self.next_id += 1;
        id
    }

    /// Whether the network has answered enough of what it was asked to be asked more.
    pub(super) fn may_ask(&self) -> bool {
        self.pending.len() < MOST_PENDING
    }

    /// Has the network do something, and remembers what it is about until that is answered.
    pub(super) fn ask(&mut self, task: Task, pending: Pending, out: &mut Vec<Output>) -> Ticket {
        let ticket = self.expect(pending);
        out.push(Output::ToBackend(Action::Task { ticket, task }));
        ticket
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
        let told = self.listening().filter(|client| client.protocol >= since);
        out.extend(told.map(|client| Output::ToClient(client.id, line.clone())));
    }

    /// Whether somebody listens in a protocol below `limit`.
    pub(super) fn is_heard_below(&self, limit: Protocol) -> bool {
        self.listening().any(|client| client.protocol < limit)
    }

    /// Tells every client in the words of its protocol; nothing where there are none.
    pub(super) fn announce_by(&self, line: impl Fn(Protocol) -> Option<Line>, out: &mut Vec<Output>) {
        for client in self.listening() {
            out.extend(line(client.protocol).map(|line| Output::ToClient(client.id, line.finish().0)));
        }
    }

    /// Tells some clients.
    pub(super) fn announce_to(&self, clients: &[u32], line: Line, out: &mut Vec<Output>) {
        let (line, _) = line.finish();
        let told = self.listening().filter(|client| clients.contains(&client.id.0));
        out.extend(told.map(|client| Output::ToClient(client.id, line.clone())));
    }

    /// How the session stands, for a client that has just come (skype-api 1.3).
    fn greet(&mut self, client: ClientId, out: &mut Vec<Output>) {
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
        self.tell_unheard(client, protocol, out);
    }

    /// The clients to whom notifications go.
    pub(super) fn listening(&self) -> impl Iterator<Item = &Client> {
        self.clients.iter().filter(|client| client.listening)
    }
}

/// The reply to a command.
pub(super) fn reply_to(client: ClientId, token: Token, command_id: Option<&str>, answer: Answer) -> Output {
    let (line, start) = answer.unwrap_or_else(|code| Line::reply(command_id).value(code)).finish();
    Output::Reply { client, token, line, start }
}
