//! Replies that somebody waits for apart from the queue.

use std::sync::Arc;
use std::sync::Weak;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;

use crate::error::Error;
use crate::error::Result;
use crate::session::Shared;
use crate::session::signal::Signal;
use crate::translate::ClientId;
use crate::translate::Token;

/// The session's end of a [`Pending`]. Dropped without a reply, it tells that none will come.
pub(super) struct Waiter {
    pub(super) client: ClientId,
    pub(super) token: Token,
    pub(super) reply: Option<Sender<String>>,
    pub(super) signal: Option<Arc<Signal>>,
}

impl Waiter {
    pub(super) fn answer(self, line: String) {
        if let Some(reply) = &self.reply {
            // Whoever gave up waiting does not want it any more.
            let _ = reply.send(line);
        }
    }
}

impl Drop for Waiter {
    fn drop(&mut self) {
        // First the reply or the end of the channel, then the signal: who is woken has to find it.
        self.reply = None;
        #[cfg(unix)]
        if let Some(signal) = &self.signal {
            signal.raise();
        }
    }
}

/// A command whose reply was not taken yet. Dropping it drops the reply.
#[doc(hidden)]
pub struct Pending {
    pub(super) shared: Weak<Shared>,
    pub(super) token: Token,
    pub(super) reply: Receiver<String>,
    #[cfg(unix)]
    pub(super) signal: std::sync::OnceLock<Arc<Signal>>,
}

impl Pending {
    /// The reply, without its `#id`; `None` when it did not come within `timeout`. After a reply
    /// there is nothing to wait for any more.
    ///
    /// # Errors
    ///
    /// [`Error::Closed`] when the session was closed meanwhile, or the reply taken before.
    pub fn wait(&self, timeout: Duration) -> Result<Option<String>> {
        let reply = match Instant::now().checked_add(timeout) {
            Some(deadline) => self.reply.recv_deadline(deadline),
            None => self.reply.recv().map_err(|_| RecvTimeoutError::Disconnected),
        };
        match reply {
            Ok(reply) => Ok(Some(reply)),
            Err(RecvTimeoutError::Timeout) => Ok(None),
            Err(RecvTimeoutError::Disconnected) => Err(Error::Closed),
        }
    }

    /// A descriptor that becomes readable when [`wait`](Self::wait) would not block, and stays so.
    /// Do not read it, do not close it.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`] when the process has no descriptor left.
    #[cfg(unix)]
    pub fn descriptor(&self) -> Result<std::os::fd::RawFd> {
        if let Some(signal) = self.signal.get() {
            return Ok(signal.descriptor());
        }
        let made = Arc::new(Signal::new().map_err(|error| Error::Internal(format!("no descriptor left: {error}")))?);
        let signal = self.signal.get_or_init(|| made);
        // Under the lock no reply can slip through between the question and the answer.
        let waits = self.shared.upgrade().is_some_and(|shared| {
            let mut core = shared.lock();
            let waiter = core.waiters.iter_mut().find(|waiter| waiter.token == self.token);
            waiter.map(|waiter| waiter.signal = Some(Arc::clone(signal))).is_some()
        });
        if !waits {
            signal.raise();
        }
        Ok(signal.descriptor())
    }
}

impl Drop for Pending {
    fn drop(&mut self) {
        if let Some(shared) = self.shared.upgrade() {
            shared.lock().waiters.retain(|waiter| waiter.token != self.token);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pair() -> (Waiter, Pending) {
        let (sender, reply) = crossbeam_channel::bounded(1);
        let token = Token(1);
        let pending = Pending {
            shared: Weak::new(),
            token,
            reply,
            #[cfg(unix)]
            signal: std::sync::OnceLock::new(),
        };
        (Waiter { client: ClientId(1), token, reply: Some(sender), signal: None }, pending)
    }

    #[test]
    fn a_reply_is_taken_once() {
        let (waiter, pending) = pair();
        assert!(matches!(pending.wait(Duration::ZERO), Ok(None)));
        waiter.answer("PONG".to_owned());
        assert_eq!(pending.wait(Duration::MAX).expect("came"), Some("PONG".to_owned()));
        assert!(matches!(pending.wait(Duration::ZERO), Err(Error::Closed)));
    }

    #[test]
    fn a_waiter_that_is_dropped_ends_the_waiting() {
        let (waiter, pending) = pair();
        drop(waiter);
        assert!(matches!(pending.wait(Duration::MAX), Err(Error::Closed)));
    }

    #[cfg(unix)]
    #[test]
    fn the_descriptor_is_readable_with_the_reply_and_with_the_end() {
        for reply in [Some("PONG".to_owned()), None] {
            let (mut waiter, _pending) = pair();
            let signal = Arc::new(Signal::new().expect("a pipe"));
            waiter.signal = Some(Arc::clone(&signal));
            assert!(!signal.is_raised());
            match reply {
                Some(reply) => waiter.answer(reply),
                None => drop(waiter),
            }
            assert!(signal.is_raised());
        }
        let (_waiter, of_no_session) = pair();
        of_no_session.descriptor().expect("a pipe");
        assert!(of_no_session.signal.get().is_some_and(|signal| signal.is_raised()));
    }
}
