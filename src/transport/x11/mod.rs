//! A window on an X11 display: each window that sends messages to it is one client (transports 3).

mod client;
mod codec;
mod display;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod server;
mod wake;

use std::env;
use std::io;
use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use x11rb::reexports::x11rb_protocol::parse_display::parse_display;

use crate::error::Error;
use crate::error::Result;
use crate::session::Session;

use display::Display;
use display::Trouble;
use server::Server;
use wake::Bell;
use wake::Stop;
use wake::Stopped;

/// Commands run on the stack of the thread.
const STACK: usize = 256 * 1024;

/// Which display, and how fast to answer.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The name of the display; without it, what SKYPEDISPLAY says, or else DISPLAY.
    pub display: Option<String>,
    /// What is said to a client after a command with an id waits for so long.
    pub reply_delay: Duration,
}

impl Options {
    /// Whether there may be such a display, without trying.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when no display is named, and for what is no name of one.
    pub fn check(&self) -> Result<()> {
        self.screen().map(drop)
    }

    /// Where clients look for the window, under one name only: `:0` is `:0.0`.
    ///
    /// # Errors
    ///
    /// As [`check`](Self::check).
    pub fn screen(&self) -> Result<String> {
        let name = self.name()?;
        let parsed = parse_display(Some(&name)).map_err(|error| refused(&name, &error.into()))?;
        Ok(format!("{}:{}.{}", parsed.host, parsed.display, parsed.screen))
    }

    fn name(&self) -> Result<String> {
        let variable = |name| env::var(name).ok();
        let names = [self.display.clone(), variable("SKYPEDISPLAY"), variable("DISPLAY")];
        names.into_iter().flatten().find(|name| !name.is_empty()).ok_or_else(|| Error::InvalidArgument {
            name: "display",
            problem: "no X11 display is named; set DISPLAY, or give one by --display".to_owned(),
        })
    }
}

fn refused(name: &str, trouble: &Trouble) -> Error {
    let cure = if matches!(trouble, Trouble::Unreachable(_)) {
        "; is it running, and may this user use it? (DISPLAY, XAUTHORITY, --display)"
    } else {
        ""
    };
    Error::InvalidArgument { name: "display", problem: format!("{name} {trouble}{cure}") }
}

/// A display on which nobody is answered yet.
#[derive(Debug)]
pub struct X11 {
    name: String,
    reply_delay: Duration,
    display: Display,
    bell: Arc<Bell>,
    stop: Stop,
    stopped: Arc<Stopped>,
}

impl X11 {
    /// Connects to the display, and makes what clients have to find there.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for a display that cannot be used, because another Skype is there for instance.
    pub fn bind(options: Options) -> Result<Self> {
        let name = options.name()?;
        let no_pipe = |error: io::Error| Error::Internal(format!("cannot make a pipe: {error}"));
        let bell = Arc::new(Bell::new().map_err(no_pipe)?);
        let (stop, stopped) = Stop::new().map_err(no_pipe)?;
        let stopped = Arc::new(stopped);
        let display = Display::connect(&name, &stopped)
            .and_then(|display| display.check().map(|()| display))
            .map_err(|trouble| refused(&name, &trouble))?;
        Ok(Self { name, reply_delay: options.reply_delay, display, bell, stop, stopped })
    }

    /// Lets clients find the window, and attaches them to `session`, until the result is stopped.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when another Skype came to the display meanwhile, or it has gone;
    /// [`Error::Internal`] when no thread can be started.
    pub fn serve(self, session: Arc<Session>) -> Result<Serving> {
        let Self { name, reply_delay, display, bell, stop, stopped } = self;
        display.claim().map_err(|trouble| refused(&name, &trouble))?;
        let place = format!("x11 {name}");
        let server = Server { session, name, reply_delay, bell, stopped };
        let span = tracing::Span::current();
        let thread = thread::Builder::new()
            .name("x11".to_owned())
            .stack_size(STACK)
            .spawn(move || span.in_scope(|| server.run(display)))
            .map_err(|error| Error::Internal(format!("cannot start the thread of the display: {error}")))?;
        Ok(Serving { place, running: Some((stop, thread)) })
    }
}

/// A window that answers. Dropping it stops it.
#[derive(Debug)]
pub struct Serving {
    place: String,
    running: Option<(Stop, JoinHandle<()>)>,
}

impl super::Serving for Serving {
    fn place(&self) -> String {
        self.place.clone()
    }

    fn stop(&mut self) {
        if let Some((stop, thread)) = self.running.take() {
            stop.tell();
            // A panic of that thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Serving {
    fn drop(&mut self) {
        super::Serving::stop(self);
    }
}
