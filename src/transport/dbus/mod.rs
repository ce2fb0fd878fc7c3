//! D-Bus: `com.Skype.API` on a bus; one connection to the bus is one client (transports 2).

mod bell;
mod bus;
mod calls;
mod clients;
mod worker;

use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::bounded;

use crate::error::Error;
use crate::error::Result;
use crate::session::Session;

use bell::Bell;

/// The name by which clients find a Skype.
pub const NAME: &str = "com.Skype.API";

/// Commands run on the stack of the one thread.
const STACK: usize = 512 * 1024;

/// Callers wait 3 s for a reply and no longer, some of them (transports 2.5).
const LONGEST_DELAY: Duration = Duration::from_secs(1);

/// Which bus, and how to answer.
#[derive(Clone, Copy, Debug, Default)]
pub struct Options {
    /// The system bus instead of the session bus.
    pub system: bool,
    /// How long replies to commands with an `#id` wait (transports 2.5).
    pub reply_delay: Duration,
}

impl Options {
    /// Whether this can be, without trying.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for a delay that clients would not wait for.
    pub fn check(&self) -> Result<()> {
        if self.reply_delay > LONGEST_DELAY {
            return Err(Error::InvalidArgument {
                name: "reply_delay",
                problem: format!("at most {}: clients give up", LONGEST_DELAY.as_millis()),
            });
        }
        Ok(())
    }

    /// What clients look for, and on which bus.
    #[must_use]
    pub fn place(&self) -> String {
        format!("{NAME} ({})", self.bus())
    }

    /// What people call the bus.
    fn bus(&self) -> &'static str {
        if self.system { "system bus" } else { "session bus" }
    }
}

/// The name, owned, but nobody is answered yet.
#[derive(Debug)]
pub struct Dbus(Connected);

impl Dbus {
    /// Connects to the bus and takes the name.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] when there is no such bus, or the name is another's.
    pub fn bind(options: Options) -> Result<Self> {
        options.check()?;
        let bell = Arc::new(Bell::new());
        let (opened, outcome) = bounded(1);
        let theirs = Arc::clone(&bell);
        let span = tracing::Span::current();
        let thread = thread::Builder::new()
            .name("dbus".to_owned())
            .stack_size(STACK)
            .spawn(move || span.in_scope(|| worker::run(options, &theirs, &opened)))
            .map_err(|error| Error::Internal(format!("cannot start the thread of D-Bus: {error}")))?;
        let connected = Connected { options, bell, thread: Some(thread) };
        match outcome.recv() {
            Ok(outcome) => outcome.map(|()| Self(connected)),
            Err(_) => Err(Error::Internal("the thread of D-Bus has ended".to_owned())),
        }
    }

    /// Attaches whoever calls to `session`, until the result is stopped.
    ///
    /// # Errors
    ///
    /// None so far.
    pub fn serve(self, session: Arc<Session>) -> Result<impl super::Serving> {
        self.0.bell.serve(session);
        Ok(self.0)
    }
}

/// The thread that has the connection.
#[derive(Debug)]
struct Connected {
    options: Options,
    bell: Arc<Bell>,
    thread: Option<JoinHandle<()>>,
}

impl super::Serving for Connected {
    fn place(&self) -> String {
        format!("dbus {}", self.options.place())
    }

    fn stop(&mut self) {
        self.bell.stop();
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

impl Drop for Connected {
    fn drop(&mut self) {
        super::Serving::stop(self);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_delay_that_clients_do_not_wait_for_is_refused() {
        Options { reply_delay: Duration::from_secs(1), ..Options::default() }.check().expect("a second");
        let error = Options { reply_delay: Duration::from_millis(1001), ..Options::default() }.check();
        assert_eq!(error.expect_err("too long").to_string(), "reply_delay: at most 1000: clients give up");
    }
}
