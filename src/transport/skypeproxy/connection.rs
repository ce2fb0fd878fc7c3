//! One connection: the thread that reads, and the thread that writes once there is something to say.

use std::io;
use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use secrecy::ExposeSecret;
use subtle::ConstantTimeEq;

use super::STACK;
use super::Server;
use super::codec;
use super::codec::Decoder;
use super::codec::Item;
use crate::error::Error;
use crate::session::Session;
use crate::translate::Attachment;

/// What a reader takes from the socket at once.
const PIECE: usize = 16 * 1024;

/// Frames that wait are written together up to about so many bytes.
const BATCH: usize = 32 * 1024;

/// How long the answer to a wrong password takes; it keeps the connection from guessing faster.
const WRONG_PASSWORD_PAUSE: Duration = Duration::from_secs(1);

/// How often a writer that cannot write asks whether its client was given up meanwhile.
const STUCK: Duration = Duration::from_secs(5);

/// After so long a silence the system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The reply to a frame that can be no command.
const SYNTAX_ERROR: &str = "ERROR 1 General syntax error";

/// The socket of a connection; what is written at once stays together.
#[derive(Debug)]
pub(super) struct Wire {
    stream: TcpStream,
    writing: Mutex<()>,
}

impl Wire {
    pub(super) fn new(stream: TcpStream) -> io::Result<Self> {
        stream.set_nodelay(true)?;
        stream.set_write_timeout(Some(STUCK))?;
        let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
        socket2::SockRef::from(&stream).set_tcp_keepalive(&keepalive)?;
        Ok(Self { stream, writing: Mutex::new(()) })
    }

    pub(super) fn stream(&self) -> &TcpStream {
        &self.stream
    }

    /// Writes all of `bytes`, however long the other side takes, as long as `session` stands.
    fn write(&self, mut bytes: &[u8], session: Option<&Session>) -> Result<(), Parting> {
        let _together = self.writing.lock().unwrap_or_else(PoisonError::into_inner);
        while !bytes.is_empty() {
            match (&self.stream).write(bytes) {
                Ok(0) => return Err(Parting::Gone),
                Ok(written) => bytes = &bytes[written..],
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock | io::ErrorKind::TimedOut => {
                        session.map_or(Ok(()), Session::standing)?;
                    }
                    _ => return Err(Parting::Gone),
                },
            }
        }
        Ok(())
    }
}

/// Why a connection ends.
#[derive(Debug)]
enum Parting {
    /// The other side closed it.
    Gone,
    /// We close it.
    Closed(String),
}

impl From<Error> for Parting {
    fn from(error: Error) -> Self {
        Self::Closed(error.chain())
    }
}

/// Serves a connection to its end.
pub(super) fn run(server: &Arc<Server>, wire: &Arc<Wire>, peer: SocketAddr) {
    let mut connection =
        Connection { server, wire, peer, admitted: server.key.is_none(), password_next: false, client: None };
    let parting = connection.read();
    if let Some(client) = connection.client.take() {
        client.end(wire);
    }
    match parting {
        _ if server.stopping() => {}
        Ok(()) | Err(Parting::Gone) => tracing::debug!(%peer, "client gone"),
        Err(Parting::Closed(reason)) => tracing::warn!(%peer, reason, "connection closed"),
    }
}

struct Connection<'a> {
    server: &'a Arc<Server>,
    wire: &'a Arc<Wire>,
    peer: SocketAddr,
    /// Whether the password was given, if one is needed.
    admitted: bool,
    /// Whether the next frame is a password, and no command.
    password_next: bool,
    /// Since the first text frame.
    client: Option<Client>,
}

impl Connection<'_> {
    fn read(&mut self) -> Result<(), Parting> {
        let mut decoder = Decoder::default();
        let mut piece = vec![0; PIECE];
        loop {
            let read = match self.wire.stream().read(&mut piece) {
                Ok(0) => return Ok(()),
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(_) => return Err(Parting::Gone),
            };
            decoder.feed(&piece[..read]);
            while let Some(item) = decoder.next().map_err(|error| Parting::Closed(error.to_string()))? {
                self.take(item)?;
            }
        }
    }

    fn take(&mut self, item: Item<'_>) -> Result<(), Parting> {
        match item {
            Item::Capabilities => self.say(if self.server.key.is_some() { codec::USE_AUTHENTICATION } else { 0 }),
            // We offer no data slots, so there is nothing to agree on.
            Item::MyCapabilities(_) => Ok(()),
            Item::Authenticate => {
                self.password_next = self.server.key.is_some();
                self.say(u8::from(self.password_next))
            }
            Item::Frame(frame) if self.password_next => self.password(codec::without_padding(frame)),
            // Swallowed without a reply: clients expect it so (transports 1.4).
            Item::Frame(_) if !self.admitted => Ok(()),
            Item::Frame(frame) => self.command(codec::text(frame)),
        }
    }

    /// Answers one raw byte.
    fn say(&self, byte: u8) -> Result<(), Parting> {
        let session = self.client.as_ref().map(|client| &*client.session);
        self.wire.write(&[byte], session)
    }

    fn password(&mut self, given: &[u8]) -> Result<(), Parting> {
        self.password_next = false;
        let right = self.server.key.as_ref().is_some_and(|key| key.expose_secret().as_bytes().ct_eq(given).into());
        if right {
            self.admitted = true;
            return self.say(1);
        }
        // Only this thread waits; it keeps its place among the connections for so long.
        self.server.rest(WRONG_PASSWORD_PAUSE);
        self.say(0)?;
        Err(Parting::Closed("wrong password".to_owned()))
    }

    /// Hands on a command; `None` is a frame that cannot be one.
    fn command(&mut self, text: Option<&str>) -> Result<(), Parting> {
        let client = match &self.client {
            Some(client) => client,
            None => {
                let client = Client::attach(self.server, self.wire, self.peer)?;
                self.client.insert(client)
            }
        };
        loop {
            let outcome = match text {
                Some(text) => client.session.send_skype_command(text),
                None => client.session.answer(SYNTAX_ERROR),
            };
            match outcome {
                Ok(()) => return Ok(()),
                // The client has to read before it may ask more; what it sends waits in the socket.
                Err(Error::QueueFull { .. }) => client.progress.recv().map_err(|_| Parting::Gone)?,
                // The writer tells the client what it still can, and then why.
                Err(Error::Detached { .. }) => return Err(Parting::Gone),
                Err(error) => return Err(error.into()),
            }
        }
    }
}

/// The part of a connection that begins with its first text frame.
struct Client {
    session: Arc<Session>,
    writer: JoinHandle<()>,
    /// Told by the writer that it has written something.
    progress: Receiver<()>,
}

impl Client {
    fn attach(server: &Server, wire: &Arc<Wire>, peer: SocketAddr) -> Result<Self, Parting> {
        let session = Arc::new(server.session.attach_as(Attachment::Remote, format!("skypeproxy {peer}"))?);
        tracing::debug!(%peer, client = session.client(), "client attached");
        let (written, progress) = bounded(1);
        let (theirs, wire) = (Arc::clone(&session), Arc::clone(wire));
        let writer = thread::Builder::new()
            .name("skypeproxy-write".to_owned())
            .stack_size(STACK)
            .spawn(move || {
                if let Err(Parting::Closed(reason)) = write(&theirs, &wire, &written) {
                    tracing::warn!(%peer, client = theirs.client(), reason, "connection closed");
                }
                // Wakes the reader.
                wire.shut();
            })
            .map_err(|error| Parting::Closed(format!("cannot start a thread: {error}")))?;
        Ok(Self { session, writer, progress })
    }

    fn end(self, wire: &Wire) {
        if !matches!(self.session.standing(), Err(Error::Detached { .. })) {
            // Nobody listens any more. (A client that was given up reads on to the end of its queue.)
            self.session.close();
            wire.shut();
        }
        super::join(self.writer);
        self.session.close();
    }
}

/// Brings lines to the client until it has gone, one way or the other.
fn write(session: &Session, wire: &Wire, written: &Sender<()>) -> Result<(), Parting> {
    let mut batch = Vec::new();
    loop {
        let mut next = match session.poll_skype_notification(None) {
            // The reader closed it, and knows why.
            Err(Error::Closed) => return Ok(()),
            line => line?,
        };
        // What waits already goes out together. An error is found again by the next wait.
        while let Some(line) = next {
            codec::encode(&line, &mut batch);
            next = if batch.len() < BATCH {
                session.poll_skype_notification(Some(Duration::ZERO)).unwrap_or_default()
            } else {
                None
            };
        }
        wire.write(&batch, Some(session))?;
        batch.clear();
        batch.shrink_to(BATCH);
        // A token that was not taken yet says the same.
        let _ = written.try_send(());
    }
}
