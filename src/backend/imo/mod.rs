//! The imo network: the client's side of the imo.im protocol (imo-protocol).
//!
//! Two threads for each account, each with a connection of its own: one logs in and out and sends
//! requests, the other fetches what happens.

mod account;
mod answers;
mod buid;
mod calls;
mod chats;
mod drafts;
mod events;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod guard;
mod http;
mod inbox;
mod names;
mod pictures;
mod poll;
mod queue;
mod requests;
mod server;
mod session;
mod status;
mod tasks;
mod texts;
#[cfg(test)]
pub(crate) mod threadless;
mod tls;

use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use tokio::sync::watch;

use crate::backend::Ability;
use crate::backend::Action;
use crate::backend::Backend;
use crate::backend::Capabilities;
use crate::backend::Event;
use crate::backend::Events;
use crate::backend::Lost;
use crate::backend::Names;
use crate::config::Config;
use crate::error::Error;
use crate::threads::without_signals;
use account::Account;
pub use account::Limits;
use http::Line;
pub use names::ImoNames;
use server::Server;

/// The longest body of a message.
const MAX_BODY: usize = 65_536;
/// What there is a call for besides that.
const ABILITIES: &[Ability] = &[
    Ability::Contacts,
    Ability::Authorization,
    Ability::Mood,
    Ability::Blocking,
    Ability::Aliases,
    Ability::Avatars,
    Ability::Conversations,
    Ability::Topics,
    Ability::Kicking,
    Ability::Typing,
    Ability::Calls,
];
/// Enough for HTTP, TLS and an event on its way through the session, with room to spare.
const STACK: usize = 1 << 20;

/// An account on the imo network.
pub struct ImoBackend {
    account: Option<Arc<Account>>,
    /// For the two threads, until they are started.
    lines: Option<[Line; 2]>,
    threads: Vec<JoinHandle<()>>,
}

/// An account with the server, name and password of `config`; offline and without threads until it
/// is started.
///
/// # Errors
///
/// [`Error::InvalidArgument`] named `server` or `ca_file` if that option cannot be used;
/// [`Error::Internal`] if the machine has no room for one more thread.
pub fn open(config: &Config) -> Result<ImoBackend, Error> {
    open_with(config, Limits::default())
}

/// Like [`open`], with other limits of time.
///
/// # Errors
///
/// As [`open`].
pub fn open_with(config: &Config, limits: Limits) -> Result<ImoBackend, Error> {
    let server = Server::of(config)?;
    let lines = [Line::to(&server, &limits)?, Line::to(&server, &limits)?];
    let me = ImoNames::handle(&config.username);
    let account = Account::new(server, &config.username, me, config.password.clone(), limits);
    Ok(ImoBackend { account: Some(Arc::new(account)), lines: Some(lines), threads: Vec::new() })
}

impl ImoBackend {
    fn spawn(&mut self, account: &Arc<Account>) -> std::io::Result<()> {
        let Some([requests, polls]) = self.lines.take() else { return Ok(()) };
        let (next, ties) = watch::channel(None);
        let poller = account.clone();
        let span = tracing::Span::current();
        let poll = move || span.in_scope(|| poll::run(&poller, &polls, ties));
        self.threads.push(thread::Builder::new().name("imo2skype-poll".to_owned()).stack_size(STACK).spawn(poll)?);
        let requester = account.clone();
        let span = tracing::Span::current();
        let request = move || span.in_scope(|| requests::run(&requester, &requests, next));
        self.threads.push(thread::Builder::new().name("imo2skype-req".to_owned()).stack_size(STACK).spawn(request)?);
        Ok(())
    }
}

impl Backend for ImoBackend {
    fn capabilities(&self) -> Capabilities {
        Capabilities::messages_only(MAX_BODY).with(ABILITIES)
    }

    fn names(&self) -> Arc<dyn Names> {
        Arc::new(ImoNames)
    }

    fn start(&mut self, events: Arc<dyn Events>) {
        let Some(account) = self.account.clone() else { return };
        if !self.threads.is_empty() {
            return;
        }
        account.listen(events);
        if let Err(error) = without_signals(|| self.spawn(&account)) {
            // Nothing can be carried out: as good as a server that is not there.
            tracing::error!(%error, "no thread");
            self.stop(Duration::ZERO);
            let epoch = account.lock().epoch;
            account.deliver(Event::Disconnected { epoch, reason: Lost::Unreachable { error: Box::new(error) } });
        }
    }

    fn submit(&mut self, action: Action) -> Result<(), Action> {
        let Some(account) = &self.account else { return Err(action) };
        let mut state = account.lock();
        match action {
            Action::Connect { epoch, presence, mood } => {
                state.epoch = epoch;
                state.status.start(presence, mood);
                state.connect = true;
            }
            Action::Disconnect => {
                state.sign_off |= state.link.take().is_some();
                state.cut = None;
                state.connect = false;
                state.logout = true;
            }
            Action::SetPresence { presence, mood } => {
                state.status.set(presence, mood, Instant::now(), account.limits.mood);
            }
            // Old news by the time there is a connection.
            Action::Typing { .. } if !state.has_arrived() => {}
            // The protocol has no word for it.
            Action::Seen { .. } => {}
            // Told by the request thread: the session holds its lock.
            Action::Withdraw { ticket } => state.queue.withdraw(ticket),
            action @ (Action::Typing { .. } | Action::Task { .. }) => state.queue.push(action)?,
        }
        drop(state);
        account.wake();
        Ok(())
    }

    fn stop(&mut self, grace: Duration) {
        let Some(account) = self.account.take() else { return };
        {
            let mut state = account.lock();
            state.sign_off |= state.link.take().is_some();
            state.cut = None;
            state.stopping = Some(grace);
        }
        account.wake();
        for thread in self.threads.drain(..) {
            let _ = thread.join();
        }
    }
}

impl Drop for ImoBackend {
    fn drop(&mut self) {
        self.stop(Duration::ZERO);
    }
}
