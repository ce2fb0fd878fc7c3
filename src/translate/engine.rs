//! The engine: one account's state, and the clients that look at it.

use std::sync::Arc;
use std::time::Duration;

use crate::backend::Action;
use crate::backend::Capabilities;
use crate::backend::Event;
use crate::backend::Names;

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

/// One account's state, and the clients that look at it.
pub struct Engine {}

impl Engine {
    /// An engine that is offline and has no clients.
    #[must_use]
    pub fn new(_setup: Setup) -> Self {
        Self {}
    }

    /// Adds a client.
    pub fn attach(&mut self, _client: ClientId, _attachment: Attachment, _out: &mut Vec<Output>) {}

    /// Forgets a client.
    pub fn detach(&mut self, _client: ClientId) {}

    /// Logs in, as `SET USERSTATUS ONLINE` does; how it went is told by one [`Output::Login`].
    pub fn login(&mut self, _now: Now, out: &mut Vec<Output>) {
        out.push(Output::Login(Login::Succeeded));
    }

    /// Handles one line of a client.
    pub fn client_line(&mut self, client: ClientId, token: Token, line: &str, _now: Now, out: &mut Vec<Output>) {
        let line = if line == "PING" { "PONG" } else { "ERROR 2 Unknown command" }.to_owned();
        out.push(Output::Reply { client, token, line, start: 0 });
    }

    /// Handles one event of the network.
    pub fn backend_event(&mut self, _event: Event, _now: Now, _out: &mut Vec<Output>) {}

    /// When to call [`on_timeout`](Self::on_timeout) at the latest, in the time of [`Now::monotonic`].
    #[must_use]
    pub fn timeout(&self) -> Option<Duration> {
        None
    }

    /// Does what is due.
    pub fn on_timeout(&mut self, _now: Now, _out: &mut Vec<Output>) {}
}
