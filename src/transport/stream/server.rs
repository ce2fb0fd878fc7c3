//! The thread of a connection point: it waits for sockets, and for sessions that have lines for their clients.

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::io;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use mio::Events;
use mio::Interest;
use mio::Poll;
use mio::Registry;
use mio::Token;
use mio::Waker;
use secrecy::SecretString;

use crate::error::Error;
use crate::error::Result;
use crate::session::Session;
use crate::translate::Attachment;
use crate::transport::stream::Listeners;
use crate::transport::stream::Protocol;
use crate::transport::stream::STACK;
use crate::transport::stream::connection::Connection;
use crate::transport::stream::connection::Next;
use crate::transport::stream::connection::Parting;
use crate::transport::stream::connection::Stream;

/// More connections than this are turned away.
const MOST_CONNECTIONS: usize = 4096;

/// How long a listener rests after a failure that trying again at once would not cure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// What is read at once, from one connection before it is another's turn.
const PIECE: usize = 16 * 1024;

const WAKE: Token = Token(usize::MAX);

/// A connection point of this kind, as people know it.
pub(in crate::transport) struct Kind {
    /// What it is called: `skypeproxy`.
    pub(in crate::transport) name: &'static str,
    /// The option of its port, for advice.
    pub(in crate::transport) port_option: &'static str,
    /// How its clients come to the session.
    pub(in crate::transport) attachment: Attachment,
}

/// Makes the protocol of a connection; what it gets is the password that clients have to give.
pub(in crate::transport) type Factory = Box<dyn Fn(Option<&SecretString>) -> Box<dyn Protocol> + Send>;

/// A connection point that answers. Dropping it stops it.
pub struct Serving {
    place: String,
    board: Arc<Board>,
    thread: Option<JoinHandle<()>>,
}

/// What the thread and those who wake it share.
pub(super) struct Board {
    waker: Waker,
    /// Whether the thread looks at `ready` before it waits again, so that nobody has to wake it.
    awake: AtomicBool,
    ready: Mutex<Vec<Token>>,
    stopping: AtomicBool,
}

impl Board {
    fn wake(&self) {
        if !self.awake.swap(true, Ordering::SeqCst) {
            // If that fails, the system has nothing left, and the next event wakes it.
            let _ = self.waker.wake();
        }
    }
}

/// What the session of a connection rings when it has something for it.
pub(super) struct Bell {
    board: Arc<Board>,
    token: Token,
    rung: AtomicBool,
}

impl Bell {
    fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            self.board.ready.lock().unwrap_or_else(PoisonError::into_inner).push(self.token);
            self.board.wake();
        }
    }

    /// Whoever looks what there is need not be told of it.
    pub(super) fn hush(&self) {
        self.rung.store(false, Ordering::SeqCst);
    }
}

impl Serving {
    /// Serves `session` on its own thread.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when no thread can be started.
    pub(in crate::transport) fn start(
        kind: &'static Kind,
        listeners: Listeners,
        session: Arc<Session>,
        protocol: Factory,
    ) -> Result<Self> {
        let failed = |error: io::Error| Error::Internal(format!("cannot serve {}: {error}", kind.name));
        let poll = Poll::new().map_err(failed)?;
        let waker = Waker::new(poll.registry(), WAKE).map_err(failed)?;
        let board = Arc::new(Board {
            waker,
            awake: AtomicBool::new(true),
            ready: Mutex::default(),
            stopping: AtomicBool::new(false),
        });
        let place = format!("{} {}", kind.name, listeners.places().join(" "));
        let mut server = Server {
            kind,
            poll,
            listeners,
            session,
            protocol,
            board: Arc::clone(&board),
            connections: BTreeMap::new(),
            next: 0,
            timed: BTreeSet::new(),
            accept_again: None,
            buffer: vec![0; PIECE],
        };
        server.listen().map_err(failed)?;
        let span = tracing::Span::current();
        let thread = thread::Builder::new()
            .name(format!("{}-serve", kind.name))
            .stack_size(STACK)
            .spawn(move || span.in_scope(|| server.run()))
            .map_err(failed)?;
        Ok(Self { place, board, thread: Some(thread) })
    }
}

impl crate::transport::Serving for Serving {
    fn place(&self) -> String {
        self.place.clone()
    }

    /// Closes the sockets and every connection, and waits for the thread.
    fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.board.stopping.store(true, Ordering::SeqCst);
        self.board.awake.store(false, Ordering::SeqCst);
        self.board.wake();
        // A panic of that thread was reported when it happened.
        let _ = thread.join();
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        crate::transport::Serving::stop(self);
    }
}

struct Server {
    kind: &'static Kind,
    poll: Poll,
    listeners: Listeners,
    session: Arc<Session>,
    protocol: Factory,
    board: Arc<Board>,
    connections: BTreeMap<Token, Connection>,
    /// The listeners have the first numbers; none is given twice.
    next: usize,
    /// Connections to look at by themselves, and when.
    timed: BTreeSet<(Instant, Token)>,
    accept_again: Option<Instant>,
    buffer: Vec<u8>,
}

impl Server {
    /// Has the system tell of whoever wants to connect.
    fn listen(&mut self) -> io::Result<()> {
        let registry = self.poll.registry();
        for (listener, _) in &mut self.listeners.tcp {
            registry.register(listener, Token(self.next), Interest::READABLE)?;
            self.next += 1;
        }
        #[cfg(unix)]
        for (listener, _) in &mut self.listeners.unix {
            registry.register(listener, Token(self.next), Interest::READABLE)?;
            self.next += 1;
        }
        Ok(())
    }

    fn run(mut self) {
        let mut events = Events::with_capacity(256);
        // Those that have more to do than one turn is long.
        let mut again: Vec<Token> = Vec::new();
        let mut turn: Vec<Token> = Vec::new();
        let listeners = self.next;
        loop {
            // From here on whoever has something wakes us; what came before is looked at now.
            self.board.awake.store(false, Ordering::SeqCst);
            self.take_ready(&mut again);
            let wait = if again.is_empty() { self.wait() } else { Some(Duration::ZERO) };
            if let Err(error) = self.poll.poll(&mut events, wait)
                && error.kind() != io::ErrorKind::Interrupted
            {
                tracing::error!(%error, kind = self.kind.name, "the connection point has ended");
                return;
            }
            self.board.awake.store(true, Ordering::SeqCst);
            if self.board.stopping.load(Ordering::SeqCst) {
                return;
            }
            turn.append(&mut again);
            let mut accept = false;
            for event in &events {
                match event.token() {
                    WAKE => {}
                    Token(number) if number < listeners => accept = true,
                    token => {
                        if let Some(connection) = self.connections.get_mut(&token) {
                            connection.told(event);
                            turn.push(token);
                        }
                    }
                }
            }
            let now = Instant::now();
            if accept || self.accept_again.is_some_and(|at| at <= now) {
                self.accept_all(now);
            }
            while let Some((_, token)) = self.timed.first().copied().filter(|(at, _)| *at <= now) {
                self.timed.pop_first();
                turn.push(token);
            }
            self.take_ready(&mut turn);
            turn.sort_unstable();
            turn.dedup();
            for token in turn.drain(..) {
                if self.go(token, now) {
                    again.push(token);
                }
            }
        }
    }

    /// Adds those whose session has something, unless they have looked since it rang, as they do after their own commands.
    fn take_ready(&self, turn: &mut Vec<Token>) {
        let rings = |token: &Token| {
            self.connections.get(token).is_some_and(|connection| connection.bell.rung.load(Ordering::SeqCst))
        };
        turn.extend(self.board.ready.lock().unwrap_or_else(PoisonError::into_inner).drain(..).filter(rings));
    }

    /// How long nothing has to be done by itself.
    fn wait(&self) -> Option<Duration> {
        let timed = self.timed.first().map(|(at, _)| *at);
        let next = [timed, self.accept_again].into_iter().flatten().min()?;
        Some(next.saturating_duration_since(Instant::now()))
    }

    /// A connection's turn; whether it wants another at once.
    fn go(&mut self, token: Token, now: Instant) -> bool {
        let Some(connection) = self.connections.get_mut(&token) else { return false };
        if let Some(due) = connection.due {
            self.timed.remove(&(due, token));
        }
        let session = &self.session;
        let attachment = self.kind.attachment;
        let bell = Arc::clone(&connection.bell);
        let attach = |peer: &str| {
            let client = session.attach_as(attachment, peer.to_owned())?;
            let bell = Arc::clone(&bell);
            client.set_waker(Arc::new(move || bell.ring()));
            Ok(client)
        };
        match connection.go(&attach, &mut self.buffer, now) {
            Ok(next) => {
                if let Some(due) = connection.due {
                    self.timed.insert((due, token));
                }
                next == Next::Again
            }
            Err(parting) => {
                self.part(token, &parting);
                false
            }
        }
    }

    fn part(&mut self, token: Token, parting: &Parting) {
        let Some(mut connection) = self.connections.remove(&token) else { return };
        let peer = &connection.peer;
        match parting {
            Parting::Gone => tracing::debug!(peer, "client gone"),
            Parting::Closed(reason) => tracing::warn!(peer, reason, "connection closed"),
        }
        connection.close(self.poll.registry());
        // Somebody who was turned away for want of descriptors may come in now.
        if self.accept_again.is_some() {
            self.accept_again = Some(Instant::now());
        }
    }

    /// Takes in whoever waits to be taken in.
    fn accept_all(&mut self, now: Instant) {
        self.accept_again = None;
        let mut first = 0;
        while first < self.listeners.tcp.len() {
            let accepted = self.listeners.tcp[first].0.accept();
            if !self.welcome(accepted.map(|(stream, peer)| (Stream::Tcp(stream), peer.to_string())), now) {
                first += 1;
            }
        }
        #[cfg(unix)]
        {
            first = 0;
            while first < self.listeners.unix.len() {
                let accepted = self.listeners.unix[first].0.accept();
                let name = &self.listeners.unix[first].1.name;
                let accepted = accepted.map(|(stream, _)| (Stream::Unix(stream), name.clone()));
                if !self.welcome(accepted, now) {
                    first += 1;
                }
            }
        }
    }

    /// Takes in one; whether there may be more.
    fn welcome(&mut self, accepted: io::Result<(Stream, String)>, now: Instant) -> bool {
        let outcome = accepted.and_then(|(stream, peer)| {
            let peer = format!("{} {peer}", self.kind.name);
            if self.connections.len() >= MOST_CONNECTIONS {
                tracing::warn!(peer, reason = "too many connections", "connection closed");
                return Ok(());
            }
            let protocol = (self.protocol)(self.listeners.key.as_ref());
            let token = Token(self.next);
            let bell = Bell { board: Arc::clone(&self.board), token, rung: AtomicBool::new(false) };
            let register = registered(self.poll.registry(), token);
            let connection = Connection::new(stream, peer, protocol, bell, now, register)?;
            self.next += 1;
            if let Some(due) = connection.due {
                self.timed.insert((due, token));
            }
            self.connections.insert(token, connection);
            Ok(())
        });
        match outcome {
            Ok(()) => true,
            Err(error) => match error.kind() {
                io::ErrorKind::WouldBlock => false,
                // Of one connection only: the client was faster away than we were there.
                io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted => true,
                _ => {
                    tracing::warn!(%error, "cannot take a connection");
                    self.accept_again = Some(now + ACCEPT_PAUSE);
                    false
                }
            },
        }
    }
}

/// Has the system tell of a stream.
fn registered(registry: &Registry, token: Token) -> impl FnOnce(&mut Stream) -> io::Result<()> {
    move |stream| registry.register(stream.source(), token, Interest::READABLE | Interest::WRITABLE)
}
