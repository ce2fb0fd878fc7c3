//! The SkypeProxy socket: one TCP connection is one client (transports 1).

mod codec;
mod connection;

use std::collections::HashMap;
use std::io;
use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::net::Ipv6Addr;
use std::net::Shutdown;
use std::net::SocketAddr;
use std::net::TcpListener;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use secrecy::ExposeSecret;
use secrecy::SecretString;

use crate::error::Error;
use crate::error::Result;
use crate::session::Session;

use connection::Wire;

/// The port that clients try when nobody tells them another.
pub const DEFAULT_PORT: u16 = 1401;

/// More connections than this are turned away.
const MOST_CONNECTIONS: usize = 4096;

/// How long the listener rests after a failure that trying again at once would not cure.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// Commands run on the stack of the connection that brought them.
const STACK: usize = 256 * 1024;

/// Where to listen, and who may come.
#[derive(Clone, Debug)]
pub struct BindOptions {
    /// The address; any beyond loopback needs a key.
    pub address: IpAddr,
    /// The port; 0 picks a free one.
    pub port: u16,
    /// The password that clients have to give.
    pub key: Option<SecretString>,
}

impl Default for BindOptions {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), port: DEFAULT_PORT, key: None }
    }
}

impl BindOptions {
    /// Whether such a socket may be, without trying.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for an empty key, and for an address beyond loopback without one.
    pub fn check(&self) -> Result<()> {
        let Self { address, key, .. } = self;
        if key.as_ref().is_some_and(|key| key.expose_secret().is_empty()) {
            return Err(Error::InvalidArgument { name: "key", problem: "must not be empty".to_owned() });
        }
        if key.is_none() && !address.to_canonical().is_loopback() {
            return Err(Error::InvalidArgument {
                name: "host",
                problem: format!(
                    "{address} can be reached from other machines; set a key (-k or IMO2SPROXY_KEY), or bind 127.0.0.1"
                ),
            });
        }
        Ok(())
    }
}

/// A socket that is bound but answers nobody yet.
#[derive(Debug)]
pub struct SkypeProxy {
    listener: TcpListener,
    address: SocketAddr,
    key: Option<SecretString>,
}

impl SkypeProxy {
    /// Binds the socket.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for an address or port that cannot be bound, one that is in use
    /// for instance, and for an address beyond loopback without a key.
    pub fn bind(options: BindOptions) -> Result<Self> {
        options.check()?;
        let BindOptions { address, port, key } = options;
        let wanted = SocketAddr::new(address, port);
        let listener = TcpListener::bind(wanted).map_err(|error| cannot_bind(wanted, &error))?;
        let address = listener.local_addr().map_err(|error| cannot_bind(wanted, &error))?;
        Ok(Self { listener, address, key })
    }

    /// The address and the port that was bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// Attaches whoever connects to `session`, until the result is stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when no thread can be started.
    pub fn serve(self, session: Arc<Session>) -> Result<Serving> {
        let (stop, stopped) = bounded(0);
        let server = Arc::new(Server {
            session,
            key: self.key,
            stopping: AtomicBool::new(false),
            stopped,
            connections: Mutex::new(Connections::default()),
        });
        let listening = Arc::clone(&server);
        let listener = self.listener;
        let thread = thread::Builder::new()
            .name("skypeproxy-listen".to_owned())
            .stack_size(STACK)
            .spawn(move || listening.listen(&listener))
            .map_err(|error| Error::Internal(format!("cannot start the thread of the socket: {error}")))?;
        Ok(Serving { address: self.address, server, thread: Some(thread), stop: Some(stop) })
    }
}

fn cannot_bind(address: SocketAddr, error: &io::Error) -> Error {
    let (ip, port) = (address.ip(), address.port());
    let (name, problem) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            "port",
            format!(
                "{port} of {ip} is in use by another program; stop that one, or choose another --port (0 picks a free one)"
            ),
        ),
        io::ErrorKind::PermissionDenied => {
            ("port", format!("{port} of {ip} is not for this user; choose a --port above 1023 (0 picks a free one)"))
        }
        io::ErrorKind::AddrNotAvailable => {
            ("host", format!("{ip} is no address of this machine; 127.0.0.1 always is (--host)"))
        }
        _ => ("port", format!("cannot bind {address}: {error}")),
    };
    Error::InvalidArgument { name, problem }
}

/// A socket that answers. Dropping it stops it.
#[derive(Debug)]
pub struct Serving {
    address: SocketAddr,
    server: Arc<Server>,
    thread: Option<JoinHandle<()>>,
    stop: Option<Sender<()>>,
}

impl Serving {
    /// The address and the port that is bound.
    #[must_use]
    pub fn address(&self) -> SocketAddr {
        self.address
    }
}

impl super::Serving for Serving {
    fn place(&self) -> String {
        format!("skypeproxy {}", self.address)
    }

    fn stop(&mut self) {
        let Some(thread) = self.thread.take() else { return };
        self.server.stopping.store(true, Ordering::SeqCst);
        // Whoever waits for a while hears this.
        drop(self.stop.take());
        // Wakes the listener. If nothing more can be connected, it is awake already.
        let _ = TcpStream::connect_timeout(&reachable(self.address), Duration::from_secs(1));
        join(thread);
        let connections = std::mem::take(&mut *self.server.connections());
        for connection in connections.live.values() {
            connection.wire.shut();
        }
        for connection in connections.live.into_values() {
            join(connection.thread);
        }
        connections.ended.into_iter().for_each(join);
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        super::Serving::stop(self);
    }
}

/// The address by which a socket that listens at `address` is reached from here.
fn reachable(address: SocketAddr) -> SocketAddr {
    let ip = match address.ip() {
        ip if !ip.is_unspecified() => ip,
        IpAddr::V4(_) => Ipv4Addr::LOCALHOST.into(),
        IpAddr::V6(_) => Ipv6Addr::LOCALHOST.into(),
    };
    SocketAddr::new(ip, address.port())
}

fn join(thread: JoinHandle<()>) {
    // A panic of that thread was reported when it happened.
    let _ = thread.join();
}

/// What the listener and all connections share.
struct Server {
    session: Arc<Session>,
    key: Option<SecretString>,
    stopping: AtomicBool,
    /// Disconnected when the server stops.
    stopped: Receiver<()>,
    connections: Mutex<Connections>,
}

impl std::fmt::Debug for Server {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Server").field("session", &self.session).finish_non_exhaustive()
    }
}

#[derive(Default)]
struct Connections {
    next: u64,
    live: HashMap<u64, Live>,
    /// Threads at their very end, for the next that ends to wait for.
    ended: Vec<JoinHandle<()>>,
}

struct Live {
    wire: Arc<Wire>,
    thread: JoinHandle<()>,
}

impl Server {
    fn listen(self: Arc<Self>, listener: &TcpListener) {
        loop {
            let accepted = listener.accept();
            if self.stopping() {
                return;
            }
            match accepted.and_then(|(stream, peer)| self.welcome(stream, peer)) {
                Ok(()) => {}
                // Of one connection only: the client was faster away than we were there.
                Err(error) if matches!(error.kind(), io::ErrorKind::ConnectionAborted | io::ErrorKind::Interrupted) => {
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection");
                    if self.rest(ACCEPT_PAUSE) {
                        return;
                    }
                }
            }
        }
    }

    fn welcome(self: &Arc<Self>, stream: TcpStream, peer: SocketAddr) -> io::Result<()> {
        let mut connections = self.connections();
        if connections.live.len() >= MOST_CONNECTIONS {
            tracing::warn!(%peer, reason = "too many connections", "connection closed");
            return Ok(());
        }
        let wire = Arc::new(Wire::new(stream)?);
        let number = connections.next;
        let (server, theirs) = (Arc::clone(self), Arc::clone(&wire));
        // The lock is held until the thread is entered, so that it cannot end before.
        let thread = thread::Builder::new().name("skypeproxy-read".to_owned()).stack_size(STACK).spawn(move || {
            connection::run(&server, &theirs, peer);
            theirs.shut();
            server.ended(number);
        })?;
        connections.next += 1;
        connections.live.insert(number, Live { wire, thread });
        Ok(())
    }

    /// Called by the thread of a connection as its last act.
    fn ended(&self, number: u64) {
        let mut connections = self.connections();
        // Nothing is found when the server is stopping: then `Serving::stop` waits for the thread.
        if let Some(live) = connections.live.remove(&number) {
            let before = std::mem::replace(&mut connections.ended, vec![live.thread]);
            drop(connections);
            before.into_iter().for_each(join);
        }
    }

    fn connections(&self) -> MutexGuard<'_, Connections> {
        self.connections.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// Waits for a while; whether the server stopped meanwhile.
    fn rest(&self, pause: Duration) -> bool {
        self.stopped.recv_timeout(pause) == Err(RecvTimeoutError::Disconnected)
    }
}

impl Wire {
    /// Ends the connection in both directions and wakes whoever waits for it.
    fn shut(&self) {
        // An error means that the other side was faster.
        let _ = self.stream().shutdown(Shutdown::Both);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(options: BindOptions) -> String {
        SkypeProxy::bind(options).expect_err("must be refused").to_string()
    }

    #[test]
    fn beyond_loopback_a_key_is_needed() {
        for address in ["0.0.0.0", "::", "192.0.2.1", "::ffff:192.0.2.1"] {
            let address = address.parse().expect("an address");
            let text = problem(BindOptions { address, port: 0, key: None });
            assert!(text.starts_with("host: ") && text.contains("IMO2SPROXY_KEY"), "{text}");
        }
        let key = Some(SecretString::from("secret"));
        SkypeProxy::bind(BindOptions { address: Ipv4Addr::UNSPECIFIED.into(), port: 0, key }).expect("with a key");
    }

    #[test]
    fn an_empty_key_is_no_key() {
        let text = problem(BindOptions { port: 0, key: Some(SecretString::from("")), ..BindOptions::default() });
        assert_eq!(text, "key: must not be empty");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_cure() {
        let first = SkypeProxy::bind(BindOptions { port: 0, ..BindOptions::default() }).expect("a free port");
        let port = first.address().port();
        let text = problem(BindOptions { port, ..BindOptions::default() });
        assert!(text.starts_with(&format!("port: {port} of 127.0.0.1 is in use")) && text.contains("--port"), "{text}");
    }

    #[test]
    fn a_foreign_address_is_named() {
        let key = Some(SecretString::from("secret"));
        let text = problem(BindOptions { address: Ipv4Addr::new(192, 0, 2, 1).into(), port: 0, key });
        assert!(text.starts_with("host: 192.0.2.1 is no address of this machine"), "{text}");
    }
}
