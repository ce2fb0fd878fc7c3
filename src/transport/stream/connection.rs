//! One connection: its socket, its protocol, and its client of the session.

use std::io;
use std::io::Read;
use std::io::Write;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use mio::Registry;
use mio::event::Event;
use mio::event::Source;

use crate::error::Error;
use crate::session::Carried;
use crate::session::Session;
use crate::transport::stream::Protocol;
use crate::transport::stream::Step;
use crate::transport::stream::server::Bell;

/// Lines that wait are written together up to about so many bytes.
const BATCH: usize = 32 * 1024;

/// The room that an idle connection keeps.
const IDLE_ROOM: usize = 1024;

/// How long a client may take to give its password.
const ADMISSION: Duration = Duration::from_secs(60);

/// How long a client that was given up may read nothing of what was still for it.
const STUCK: Duration = Duration::from_secs(5);

/// How long a client may take to find a place for a file (transports 1.6).
const SLOT: Duration = Duration::from_secs(10);

/// After so long a silence the system asks whether the other side is still there.
const KEEPALIVE: Duration = Duration::from_secs(60);

/// The reply to what can be no command.
const SYNTAX_ERROR: &str = "ERROR 1 General syntax error";

pub(super) enum Stream {
    Tcp(mio::net::TcpStream),
    #[cfg(unix)]
    Unix(mio::net::UnixStream),
}

impl Stream {
    pub(super) fn source(&mut self) -> &mut dyn Source {
        match self {
            Self::Tcp(stream) => stream,
            #[cfg(unix)]
            Self::Unix(stream) => stream,
        }
    }

    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.read(buffer),
            #[cfg(unix)]
            Self::Unix(stream) => stream.read(buffer),
        }
    }

    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        match self {
            Self::Tcp(stream) => stream.write(bytes),
            #[cfg(unix)]
            Self::Unix(stream) => stream.write(bytes),
        }
    }

    /// Has the system acknowledge at once what has come. Clients write a length and a text one after the other
    /// (transports 1.1), and the system of a client may hold back the text until then, which by itself takes 40 ms.
    fn acknowledge(&self) {
        #[cfg(target_os = "linux")]
        if let Self::Tcp(stream) = self {
            // It only is slower without.
            let _ = socket2::SockRef::from(stream).set_tcp_quickack(true);
        }
    }
}

/// What a connection wants after its turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Next {
    /// To be told when there is something.
    Wait,
    /// Another turn at once.
    Again,
}

/// Why a connection ends.
#[derive(Debug)]
pub(super) enum Parting {
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

/// A client that has to wait before it is shown the door.
struct TurnedAway {
    at: Instant,
    answer: &'static [u8],
    reason: &'static str,
}

pub(super) struct Connection {
    pub(super) peer: String,
    pub(super) bell: Arc<Bell>,
    /// When it wants a turn by itself.
    pub(super) due: Option<Instant>,
    stream: Stream,
    protocol: Box<dyn Protocol>,
    /// Since the first command.
    client: Option<Session>,
    /// What is to be written, and how much of it was.
    out: Vec<u8>,
    written: usize,
    /// Whether the socket may have something for us, and room for something of ours.
    readable: bool,
    writable: bool,
    /// The end of what the other side says is on its way.
    ending: bool,
    /// The other side says nothing more, but may still listen.
    ended: bool,
    /// A command for which there was no room among the unread lines; `None` inside is garbage.
    held: Option<Option<String>>,
    turned_away: Option<TurnedAway>,
    /// Until when the password has to be given.
    admission: Option<Instant>,
    /// Since when a client that was given up has read nothing.
    stuck: Option<Instant>,
    /// Whether the client wants to have pictures brought.
    takes_pictures: bool,
    /// The file that the client finds a place for, and until when.
    asked: Option<(Carried, Instant)>,
}

impl Connection {
    pub(super) fn new(
        mut stream: Stream,
        peer: String,
        protocol: Box<dyn Protocol>,
        bell: Bell,
        now: Instant,
        register: impl FnOnce(&mut Stream) -> io::Result<()>,
    ) -> io::Result<Self> {
        if let Stream::Tcp(stream) = &stream {
            stream.set_nodelay(true)?;
            let keepalive = socket2::TcpKeepalive::new().with_time(KEEPALIVE);
            socket2::SockRef::from(stream).set_tcp_keepalive(&keepalive)?;
        }
        register(&mut stream)?;
        let admission = (!protocol.admitted()).then(|| now + ADMISSION);
        Ok(Self {
            peer,
            bell: Arc::new(bell),
            due: admission,
            stream,
            protocol,
            client: None,
            out: Vec::new(),
            written: 0,
            readable: false,
            writable: true,
            ending: false,
            ended: false,
            held: None,
            turned_away: None,
            admission,
            stuck: None,
            takes_pictures: false,
            asked: None,
        })
    }

    /// The system says that there is something.
    pub(super) fn told(&mut self, event: &Event) {
        self.ending |= event.is_read_closed();
        self.readable |= event.is_readable() || event.is_error() || self.ending;
        self.writable |= event.is_writable() || event.is_error();
    }

    pub(super) fn close(&mut self, registry: &Registry) {
        // It is closed anyway.
        let _ = registry.deregister(self.stream.source());
        if let Some(client) = self.client.take() {
            client.close();
        }
    }

    /// Does what there is to do, but not without end.
    pub(super) fn go(
        &mut self,
        attach: &dyn Fn(&str) -> Result<Session, Error>,
        buffer: &mut [u8],
        now: Instant,
    ) -> Result<Next, Parting> {
        self.look_at_the_clock(now)?;
        let read = self.read(buffer)?;
        let asked = self.follow(attach, now)?;
        if read && !asked {
            self.stream.acknowledge();
        }
        let more = self.tell(now)?;
        self.set_the_clock(now);
        // What cannot be written holds back lines, and a queue of lines holds back commands: the socket tells when it
        // goes on.
        let more = self.out.is_empty() && (more || self.held.is_some());
        // Also what could not be taken before: nobody tells of it again.
        let may_read = self.readable && self.held.is_none() && !self.ended;
        Ok(if more || may_read { Next::Again } else { Next::Wait })
    }

    fn look_at_the_clock(&mut self, now: Instant) -> Result<(), Parting> {
        if let Some(TurnedAway { at, answer, reason }) = &self.turned_away
            && *at <= now
        {
            self.protocol.farewell(answer, &mut self.out);
            let reason = (*reason).to_owned();
            // One byte or a few words: there is room, or the other side does not want to know.
            let _ = self.flush();
            return Err(Parting::Closed(reason));
        }
        if self.admission.is_some_and(|until| until <= now) {
            return Err(Parting::Closed("no password came".to_owned()));
        }
        if self.asked.as_ref().is_some_and(|(_, until)| *until <= now) {
            self.carried(false);
        }
        if self.stuck.is_some_and(|since| since + STUCK <= now) {
            self.client.as_ref().map_or(Ok(()), Session::standing)?;
        }
        Ok(())
    }

    fn set_the_clock(&mut self, now: Instant) {
        if self.protocol.admitted() {
            self.admission = None;
        }
        let given_up = self.client.as_ref().is_some_and(|client| client.standing().is_err());
        if given_up && self.stuck.is_none() {
            self.stuck = Some(now);
        }
        let turned_away = self.turned_away.as_ref().map(|turned_away| turned_away.at);
        let asked = self.asked.as_ref().map(|(_, until)| *until);
        let stuck = self.stuck.map(|since| since + STUCK);
        self.due = [turned_away, self.admission, asked, stuck].into_iter().flatten().min();
    }

    /// Takes a piece of what has come; whether there was one.
    fn read(&mut self, buffer: &mut [u8]) -> Result<bool, Parting> {
        while self.readable && self.held.is_none() && !self.ended {
            match self.stream.read(buffer) {
                Ok(0) => {
                    self.ended = true;
                    return Ok(true);
                }
                Ok(read) => {
                    // A short piece was all that there is: the system tells of the next, but of the end only once.
                    self.readable = self.ending || read == buffer.len();
                    if self.turned_away.is_none() {
                        self.protocol.feed(&buffer[..read]);
                    }
                    return Ok(true);
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => self.readable = false,
                    _ => return Err(Parting::Gone),
                },
            }
        }
        Ok(false)
    }

    /// Does what the bytes ask for; whether they ask for anything yet.
    fn follow(&mut self, attach: &dyn Fn(&str) -> Result<Session, Error>, now: Instant) -> Result<bool, Parting> {
        let mut asked = false;
        if let Some(held) = self.held.take() {
            self.held = say(&mut self.client, attach, &self.peer, held.as_deref())?;
        }
        while self.held.is_none() && self.turned_away.is_none() {
            let step = self.protocol.next(&mut self.out).map_err(Parting::Closed)?;
            asked |= step.is_some();
            match step {
                None => break,
                Some(Step::Answered) => {}
                Some(Step::Command(text)) => self.held = say(&mut self.client, attach, &self.peer, Some(text))?,
                Some(Step::Garbage) => self.held = say(&mut self.client, attach, &self.peer, None)?,
                Some(Step::TakesPictures) => {
                    self.takes_pictures = true;
                    attached(&mut self.client, attach, &self.peer)?.carry_pictures();
                }
                Some(Step::Slot(slot)) => self.bring(slot),
                Some(Step::TurnAway { pause, answer, reason }) => {
                    self.turned_away = Some(TurnedAway { at: now + pause, answer, reason });
                }
                Some(Step::Goodbye) => return Err(Parting::Gone),
            }
        }
        Ok(asked)
    }

    /// Writes what there is for the client; whether there may be more.
    fn tell(&mut self, now: Instant) -> Result<bool, Parting> {
        let mut over = None;
        if let Some(client) = &self.client {
            self.bell.hush();
            while self.out.len() < BATCH {
                match client.poll_skype_notification(Some(Duration::ZERO)) {
                    Ok(Some(line)) => self.protocol.encode(&line, &mut self.out),
                    Ok(None) => break,
                    Err(error) => {
                        over = Some(error);
                        break;
                    }
                }
            }
            if self.takes_pictures
                && self.asked.is_none()
                && self.out.len() < BATCH
                && let Some(carried) = client.picture_to_carry()
            {
                let until = now + SLOT;
                let open = self.protocol.open(&carried.path, &mut self.out);
                self.asked = Some((carried, until));
                if !open {
                    self.carried(false);
                }
            }
        }
        let full = self.out.len() >= BATCH;
        self.flush()?;
        let all = self.out.is_empty();
        match over {
            // It reads on to the end of what was for it, and then sees the end.
            Some(error) if all => Err(error.into()),
            None if all && self.ended && self.held.is_none() => Err(Parting::Gone),
            _ => Ok(full),
        }
    }

    fn flush(&mut self) -> Result<(), Parting> {
        while self.writable && self.written < self.out.len() {
            match self.stream.write(&self.out[self.written..]) {
                Ok(0) => return Err(Parting::Gone),
                Ok(written) => {
                    self.written += written;
                    self.stuck = None;
                }
                Err(error) => match error.kind() {
                    io::ErrorKind::Interrupted => {}
                    io::ErrorKind::WouldBlock => self.writable = false,
                    _ => return Err(Parting::Gone),
                },
            }
        }
        if self.written == self.out.len() {
            self.written = 0;
            self.out.clear();
            self.out.shrink_to(IDLE_ROOM);
        }
        Ok(())
    }

    /// The client has found a place for the file it was asked about, or not.
    fn bring(&mut self, slot: Option<u8>) {
        // It may come after we have given up waiting for it.
        let Some((carried, _)) = &self.asked else { return };
        if let Some(slot) = slot {
            self.protocol.bring(slot, &carried.picture, &mut self.out);
        }
        self.carried(slot.is_some());
    }

    /// Says what became of the file that the client was asked about.
    fn carried(&mut self, done: bool) {
        if let (Some((carried, _)), Some(client)) = (self.asked.take(), &self.client) {
            client.picture_carried(carried.number, done);
        }
    }
}

/// Hands on a command; `None` is one that cannot be one. Gives it back if there is no room for what it brings.
fn say(
    client: &mut Option<Session>,
    attach: &dyn Fn(&str) -> Result<Session, Error>,
    peer: &str,
    text: Option<&str>,
) -> Result<Option<Option<String>>, Parting> {
    let client = attached(client, attach, peer)?;
    let outcome = match text {
        Some(text) => client.send_skype_command(text),
        None => client.answer(SYNTAX_ERROR),
    };
    match outcome {
        Ok(()) => Ok(None),
        // The client has to read before it may ask more; what it sends waits in the socket.
        Err(Error::QueueFull { .. }) => Ok(Some(text.map(str::to_owned))),
        // The client is told what it still can be, and then the end.
        Err(Error::Detached { .. }) => Ok(None),
        Err(error) => Err(error.into()),
    }
}

/// The client, which is attached by the first thing that needs it.
fn attached<'a>(
    client: &'a mut Option<Session>,
    attach: &dyn Fn(&str) -> Result<Session, Error>,
    peer: &str,
) -> Result<&'a Session, Parting> {
    match client {
        Some(client) => Ok(client),
        None => {
            let attached = attach(peer)?;
            tracing::debug!(peer, client = attached.client(), "client attached");
            Ok(client.insert(attached))
        }
    }
}
