//! A connection to a display, and all that is asked of it.

use std::io;
use std::io::IoSlice;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use rustix::event::PollFlags;
use x11rb::COPY_FROM_PARENT;
use x11rb::connection::Connection;
use x11rb::errors::ConnectError;
use x11rb::errors::ConnectionError;
use x11rb::errors::DisplayParsingError;
use x11rb::errors::ReplyError;
use x11rb::errors::ReplyOrIdError;
use x11rb::protocol::ErrorKind;
use x11rb::protocol::Event;
use x11rb::protocol::xproto::Atom;
use x11rb::protocol::xproto::AtomEnum;
use x11rb::protocol::xproto::ChangeWindowAttributesAux;
use x11rb::protocol::xproto::ClientMessageEvent;
use x11rb::protocol::xproto::ConnectionExt;
use x11rb::protocol::xproto::CreateWindowAux;
use x11rb::protocol::xproto::EventMask;
use x11rb::protocol::xproto::PropMode;
use x11rb::protocol::xproto::Window;
use x11rb::protocol::xproto::WindowClass;
use x11rb::reexports::x11rb_protocol::parse_display;
use x11rb::reexports::x11rb_protocol::xauth;
use x11rb::rust_connection::DefaultStream;
use x11rb::rust_connection::PollMode;
use x11rb::rust_connection::RustConnection;
use x11rb::rust_connection::Stream;
use x11rb::utils::RawFdContainer;
use x11rb::wrapper::ConnectionExt as _;

use super::codec;
use super::codec::Piece;
use super::wake::Stopped;

/// How long a display may take for what stands at the beginning.
const PATIENCE: Duration = Duration::from_secs(10);

/// How long it may take for the last words.
const LAST_WORDS: Duration = Duration::from_secs(2);

/// Why a display cannot be used.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    /// The name is none, or says nothing of where the display is.
    #[error("is no name of a display, such as :0")]
    Name(#[from] DisplayParsingError),
    /// It is not there, or lets nobody in.
    #[error("cannot be reached: {0}")]
    Unreachable(#[from] ConnectError),
    /// It was there.
    #[error("the connection is lost: {0}")]
    Lost(#[from] ConnectionError),
    /// It does not do what every display does.
    #[error("refuses what a connection point needs: {0}")]
    Refused(String),
    /// Clients would find somebody else.
    #[error(
        "has another Skype or imo2sproxy already (window {0:#x}); stop that one, or choose another --display. If there is \
         none: xprop -root -remove _SKYPE_INSTANCE"
    )]
    Occupied(Window),
}

impl From<io::Error> for Trouble {
    fn from(error: io::Error) -> Self {
        Self::Lost(error.into())
    }
}

impl From<ReplyError> for Trouble {
    fn from(error: ReplyError) -> Self {
        match error {
            ReplyError::ConnectionError(error) => Self::Lost(error),
            ReplyError::X11Error(error) => Self::Refused(format!("{error:?}")),
        }
    }
}

impl From<ReplyOrIdError> for Trouble {
    fn from(error: ReplyOrIdError) -> Self {
        match error {
            ReplyOrIdError::ConnectionError(error) => Self::Lost(error),
            other => Self::Refused(other.to_string()),
        }
    }
}

/// How long the connection may be waited for.
#[derive(Debug, Default)]
struct Waiting {
    /// Until then; without it, for ever.
    until: Option<Instant>,
    /// Whether the thread ends anyway.
    last_words: bool,
}

/// The stream of a connection; whoever waits for it hears that the thread is to end.
#[derive(Debug)]
struct Wire {
    stream: DefaultStream,
    stopped: Arc<Stopped>,
    waiting: Mutex<Waiting>,
}

impl Wire {
    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Stream for Wire {
    fn poll(&self, mode: PollMode) -> io::Result<()> {
        let mut wanted = PollFlags::empty();
        wanted.set(PollFlags::IN, mode.readable());
        wanted.set(PollFlags::OUT, mode.writable());
        let (patience, last_words) = {
            let waiting = self.waiting();
            (waiting.until.map(|until| until.saturating_duration_since(Instant::now())), waiting.last_words)
        };
        self.stopped.wait_for(self.stream.as_fd(), wanted, patience, last_words)
    }

    fn read(&self, buffer: &mut [u8], descriptors: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.read(buffer, descriptors)
    }

    fn write(&self, buffer: &[u8], descriptors: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.write(buffer, descriptors)
    }

    fn write_vectored(&self, buffers: &[IoSlice<'_>], descriptors: &mut Vec<RawFdContainer>) -> io::Result<usize> {
        self.stream.write_vectored(buffers, descriptors)
    }
}

/// What clients look for (transports 3.1).
#[derive(Debug)]
struct Atoms {
    instance: Atom,
    begin: Atom,
    more: Atom,
}

/// What a display tells.
#[derive(Debug)]
pub(super) enum Heard {
    /// A piece of a message, and the window that answers are for.
    Piece { sender: Window, begins: bool, piece: Piece },
    /// A window is no more.
    Gone(Window),
    /// Nothing of ours.
    Other,
}

/// A display on which clients can find a window of ours.
#[derive(Debug)]
pub(super) struct Display {
    connection: RustConnection<Wire>,
    atoms: Atoms,
    root: Window,
    window: Window,
}

impl Display {
    /// Connects, and makes all that clients have to find before they see the property (transports 3.3).
    pub(super) fn connect(name: &str, stopped: &Arc<Stopped>) -> Result<Self, Trouble> {
        let parsed = parse_display::parse_display(Some(name))?;
        let screen = usize::from(parsed.screen);
        let mut outcome = Err(DisplayParsingError::Unknown.into());
        for address in parsed.connect_instruction() {
            let (stream, (family, peer)) = match DefaultStream::connect(&address) {
                Ok(connected) => connected,
                Err(error) => {
                    outcome = Err(Trouble::Unreachable(error.into()));
                    continue;
                }
            };
            // Without a cookie it is tried all the same, as every client does.
            let (proof, data) = xauth::get_auth(family, &peer, parsed.display).ok().flatten().unwrap_or_default();
            let waiting = Mutex::new(Waiting { until: Instant::now().checked_add(PATIENCE), last_words: false });
            let wire = Wire { stream, stopped: Arc::clone(stopped), waiting };
            outcome = Ok(RustConnection::connect_to_stream_with_auth_info(wire, screen, proof, data)?);
            break;
        }
        let connection = outcome?;
        let root = connection.setup().roots[screen].root;
        let [instance, begin, more] = ["_SKYPE_INSTANCE", "SKYPECONTROLAPI_MESSAGE_BEGIN", "SKYPECONTROLAPI_MESSAGE"]
            .map(|name| connection.intern_atom(false, name.as_bytes()));
        let atoms = Atoms { instance: instance?.reply()?.atom, begin: begin?.reply()?.atom, more: more?.reply()?.atom };
        let window = connection.generate_id()?;
        connection
            .create_window(
                0,
                window,
                root,
                0,
                0,
                1,
                1,
                0,
                WindowClass::INPUT_ONLY,
                COPY_FROM_PARENT,
                &CreateWindowAux::new(),
            )?
            .check()?;
        let display = Self { connection, atoms, root, window };
        display.wire().waiting().until = None;
        Ok(display)
    }

    /// Who else is found here, if it is still alive.
    pub(super) fn check(&self) -> Result<(), Trouble> {
        self.in_time(PATIENCE, Self::check_now)
    }

    /// Has clients find this window, unless there is another.
    pub(super) fn claim(&self) -> Result<(), Trouble> {
        self.in_time(PATIENCE, |display| {
            display.alone(|display| {
                display.check_now()?;
                let (property, kind) = (display.atoms.instance, AtomEnum::WINDOW);
                let window = [display.window];
                display.connection.change_property32(PropMode::REPLACE, display.root, property, kind, &window)?;
                Ok(())
            })
        })
    }

    /// Has clients find nobody any more.
    pub(super) fn release(&self) -> Result<(), Trouble> {
        self.alone(|display| {
            // Whoever has overwritten it meanwhile is to be found.
            if display.instance()? == Some(display.window) {
                display.connection.delete_property(display.root, display.atoms.instance)?;
            }
            Ok(())
        })
    }

    /// From now on the thread ends: what is said still has a little time, whoever wants what.
    pub(super) fn begin_last_words(&self) {
        *self.wire().waiting() = Waiting { until: Instant::now().checked_add(LAST_WORDS), last_words: true };
    }

    /// What was told next, `None` if nothing has come. Whoever waits for more has to ask until then.
    pub(super) fn next(&self) -> Result<Option<Heard>, Trouble> {
        let Some(event) = self.connection.poll_for_event()? else { return Ok(None) };
        Ok(Some(match event {
            Event::ClientMessage(message) if message.format == 8 => {
                let begins = message.type_ == self.atoms.begin;
                // A message of ours would be answered by one more.
                if (!begins && message.type_ != self.atoms.more) || message.window == self.window {
                    return Ok(Some(Heard::Other));
                }
                Heard::Piece { sender: message.window, begins, piece: message.data.as_data8() }
            }
            Event::DestroyNotify(destroyed) => Heard::Gone(destroyed.window),
            // Of what was sent, or of the wish to hear of its end (transports 3.4).
            Event::Error(error) if error.error_kind == ErrorKind::Window => Heard::Gone(error.bad_value),
            Event::Error(error) => {
                tracing::debug!(?error, "the display refuses something");
                Heard::Other
            }
            _ => Heard::Other,
        }))
    }

    /// Asks to be told when this window is no more.
    pub(super) fn watch(&self, window: Window) -> Result<(), Trouble> {
        let wanted = ChangeWindowAttributesAux::new().event_mask(EventMask::STRUCTURE_NOTIFY);
        self.connection.change_window_attributes(window, &wanted)?;
        Ok(())
    }

    /// Asks to be told nothing of this window any more.
    pub(super) fn ignore(&self, window: Window) -> Result<(), Trouble> {
        let wanted = ChangeWindowAttributesAux::new().event_mask(EventMask::NO_EVENT);
        self.connection.change_window_attributes(window, &wanted)?;
        Ok(())
    }

    /// Says a line to a window. Waits while the display takes nothing.
    pub(super) fn say(&self, window: Window, line: &str) -> Result<(), Trouble> {
        for (number, piece) in codec::cut(line).enumerate() {
            let kind = if number == 0 { self.atoms.begin } else { self.atoms.more };
            let message = ClientMessageEvent::new(8, self.window, kind, piece);
            self.connection.send_event(false, window, EventMask::NO_EVENT, message)?;
        }
        Ok(())
    }

    /// Has what was said go out.
    pub(super) fn flush(&self) -> Result<(), Trouble> {
        Ok(self.connection.flush()?)
    }

    pub(super) fn descriptor(&self) -> BorrowedFd<'_> {
        self.wire().stream.as_fd()
    }

    fn wire(&self) -> &Wire {
        self.connection.stream()
    }

    fn in_time(&self, patience: Duration, work: impl FnOnce(&Self) -> Result<(), Trouble>) -> Result<(), Trouble> {
        self.wire().waiting().until = Instant::now().checked_add(patience);
        let outcome = work(self);
        self.wire().waiting().until = None;
        outcome
    }

    /// Does something while nobody else can do anything with the display.
    fn alone(&self, work: impl FnOnce(&Self) -> Result<(), Trouble>) -> Result<(), Trouble> {
        self.connection.grab_server()?;
        let outcome = work(self);
        self.connection.ungrab_server()?;
        // When this is answered, all before it is done.
        self.connection.sync()?;
        outcome
    }

    fn check_now(&self) -> Result<(), Trouble> {
        match self.instance()? {
            // What its owner left there when it died hinders nobody (transports 3.4).
            Some(other) if other != self.window && self.lives(other)? => Err(Trouble::Occupied(other)),
            _ => Ok(()),
        }
    }

    /// The window that clients find.
    fn instance(&self) -> Result<Option<Window>, Trouble> {
        let property = self.connection.get_property(false, self.root, self.atoms.instance, AtomEnum::WINDOW, 0, 1)?;
        let property = property.reply()?;
        Ok(property.value32().and_then(|mut windows| windows.next()))
    }

    fn lives(&self, window: Window) -> Result<bool, Trouble> {
        match self.connection.get_window_attributes(window)?.reply() {
            Ok(_) => Ok(true),
            Err(ReplyError::X11Error(error)) if error.error_kind == ErrorKind::Window => Ok(false),
            Err(error) => Err(error.into()),
        }
    }
}
