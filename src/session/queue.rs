//! The queue of one client: lines in order, a bound, a descriptor and every way of waiting.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU8;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use crossbeam_channel::unbounded;

use crate::error::Error;
use crate::error::Result;
use crate::session::signal::Signal;

/// What a connection point wants to be called with when lines wait. It must not wait for anything: whoever pushes
/// the line calls it, under the lock of the session.
pub type Waker = Arc<dyn Fn() + Send + Sync>;

/// How lines leave the queue.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub(super) enum Mode {
    /// By [`Queue::poll`].
    Polling,
    /// By the callback thread.
    Callback,
    /// Not any more: the client closed.
    Closed,
    /// By [`Queue::poll`] until it is empty, and never more after that.
    Detached,
}

impl Mode {
    const ALL: [Self; 4] = [Self::Polling, Self::Callback, Self::Closed, Self::Detached];
}

/// The lines that one client has not read yet.
///
/// The channel itself is unbounded so that an idle client costs next to nothing; the bound is kept
/// by whoever pushes, which happens under the lock of the session only.
pub(super) struct Queue {
    lines: (Sender<String>, Receiver<String>),
    limit: usize,
    mode: AtomicU8,
    /// Waiters hold the receiver; dropping the sender wakes them all to look at the mode again.
    wake: Mutex<(Sender<()>, Receiver<()>)>,
    /// Whether the descriptor was signalled and no reader has answered yet.
    signalled: AtomicBool,
    signal: OnceLock<Signal>,
    /// Whether the callback thread was told and has not answered yet. Apart from `signalled`: the
    /// mode may change while a line is pushed.
    told: AtomicBool,
    waker: OnceLock<Waker>,
    /// Whether the waker was called and the queue has not been found empty since.
    woken: AtomicBool,
    /// Told when a reader made room, if somebody waits for it. Whoever is told passes it on.
    room: (Sender<()>, Receiver<()>),
    room_wanted: AtomicUsize,
}

impl Queue {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            lines: unbounded(),
            limit,
            mode: AtomicU8::new(Mode::Polling as u8),
            wake: Mutex::new(bounded(0)),
            signalled: AtomicBool::new(false),
            signal: OnceLock::new(),
            told: AtomicBool::new(false),
            waker: OnceLock::new(),
            woken: AtomicBool::new(false),
            room: bounded(1),
            room_wanted: AtomicUsize::new(0),
        }
    }

    pub(super) fn mode(&self) -> Mode {
        // Only values of `Mode` are ever stored.
        Mode::ALL[usize::from(self.mode.load(Ordering::Acquire))]
    }

    /// Changes how lines leave and wakes everyone who waits the old way. A closed or detached
    /// queue stays so; returns whether the mode was changed.
    pub(super) fn set_mode(&self, mode: Mode) -> bool {
        let mut wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
        let may = match self.mode() {
            Mode::Polling | Mode::Callback => true,
            Mode::Detached => mode == Mode::Closed,
            Mode::Closed => false,
        };
        if may {
            self.mode.store(mode as u8, Ordering::Release);
            *wake = bounded(0);
            self.signalled.store(false, Ordering::SeqCst);
            self.woken.store(false, Ordering::SeqCst);
            let _ = self.room.0.try_send(());
        }
        drop(wake);
        if may {
            self.raise();
        }
        may
    }

    pub(super) fn len(&self) -> usize {
        self.lines.1.len()
    }

    /// How many more lines fit.
    pub(super) fn room(&self) -> usize {
        self.limit.saturating_sub(self.len())
    }

    pub(super) fn is_full(&self) -> bool {
        self.len() >= self.limit
    }

    /// Puts a line at the end. Returns whether the callback thread has to be told.
    pub(super) fn push(&self, line: String) -> bool {
        // Cannot fail: the queue holds the receiver.
        let _ = self.lines.0.send(line);
        // Push, then signal (the reader clears, then pops): a wake-up may be spurious, never lost.
        self.raise();
        self.mode() == Mode::Callback && !self.told.swap(true, Ordering::SeqCst)
    }

    fn raise(&self) {
        if let Some(signal) = self.signal.get()
            && !self.signalled.swap(true, Ordering::SeqCst)
        {
            signal.raise();
        }
        if let Some(waker) = self.waker.get()
            && !self.woken.swap(true, Ordering::SeqCst)
        {
            waker();
        }
    }

    /// Has `waker` called when a line comes, or the end, after the queue was found empty. The first one stays.
    pub(super) fn set_waker(&self, waker: Waker) {
        let _ = self.waker.set(waker);
        if self.len() > 0 || matches!(self.mode(), Mode::Closed | Mode::Detached) {
            self.raise();
        }
    }

    /// The next line, if there is one.
    pub(super) fn pop(&self) -> Option<String> {
        let mut line = self.lines.1.try_recv().ok();
        if line.is_none() && self.woken.swap(false, Ordering::SeqCst) {
            // A line that came before the flag was down has called nobody.
            line = self.lines.1.try_recv().ok();
            self.woken.fetch_or(line.is_some(), Ordering::SeqCst);
        }
        self.taken();
        line
    }

    /// After every attempt to take a line: keeps the descriptor true and makes room known.
    fn taken(&self) {
        if let Some(signal) = self.signal.get() {
            signal.clear();
            self.signalled.store(false, Ordering::SeqCst);
            // Asked after the flag is down, so a line pushed meanwhile is seen here or raises itself.
            // A closed queue stays readable for ever: whoever waits for the descriptor has to find out.
            if self.len() > 0 || matches!(self.mode(), Mode::Closed | Mode::Detached) {
                self.raise();
            }
        }
        if self.room_wanted.load(Ordering::SeqCst) > 0 && !self.is_full() {
            let _ = self.room.0.try_send(());
        }
    }

    /// For the callback thread: before it pops, so that what is pushed later is told again.
    pub(super) fn answer(&self) {
        self.told.store(false, Ordering::SeqCst);
    }

    /// Waits for the next line; `None` waits for ever.
    pub(super) fn poll(&self, timeout: Option<Duration>) -> Result<Option<String>> {
        let deadline = timeout.and_then(|timeout| Instant::now().checked_add(timeout));
        loop {
            match self.mode() {
                Mode::Polling => {}
                Mode::Callback => {
                    return Err(Error::InvalidArgument {
                        name: "session",
                        problem: "a notification callback is set; take it off to poll".to_owned(),
                    });
                }
                Mode::Closed => return Err(Error::Closed),
                Mode::Detached => {
                    return self.pop().map(Some).ok_or(Error::Detached { unread: self.limit });
                }
            }
            if let Some(line) = self.pop() {
                return Ok(Some(line));
            }
            if timeout.is_some_and(|timeout| timeout.is_zero()) {
                return Ok(None);
            }
            let wake = {
                let wake = self.wake.lock().unwrap_or_else(PoisonError::into_inner);
                if self.mode() != Mode::Polling {
                    continue;
                }
                wake.1.clone()
            };
            let timer = match deadline {
                Some(deadline) => crossbeam_channel::at(deadline),
                None => crossbeam_channel::never(),
            };
            crossbeam_channel::select! {
                recv(self.lines.1) -> line => {
                    self.taken();
                    // Cannot be an error: the queue holds the sender.
                    return Ok(line.ok());
                }
                recv(wake) -> _ => {}
                recv(timer) -> _ => return Ok(None),
            }
        }
    }

    /// Waits until the queue is below its limit or `still` says that waiting is pointless.
    pub(super) fn wait_for_room(&self, still: impl Fn() -> bool) {
        self.room_wanted.fetch_add(1, Ordering::SeqCst);
        while self.is_full() && matches!(self.mode(), Mode::Polling | Mode::Callback) && still() {
            // The limit only guards against a reader that vanished without closing.
            let _ = self.room.1.recv_timeout(Duration::from_secs(1));
        }
        if self.room_wanted.fetch_sub(1, Ordering::SeqCst) > 1 {
            self.reconsider_room();
        }
    }

    /// Wakes [`wait_for_room`](Self::wait_for_room) to ask again whether it should go on.
    pub(super) fn reconsider_room(&self) {
        let _ = self.room.0.try_send(());
    }

    /// The descriptor that is readable while lines wait, made at the first call.
    #[cfg(unix)]
    pub(super) fn descriptor(&self) -> Result<std::os::fd::RawFd> {
        if self.signal.get().is_none() {
            let made = Signal::new().map_err(|error| Error::Internal(format!("no descriptor left: {error}")))?;
            // Another thread may have been faster; then its signal stays.
            let _ = self.signal.set(made);
            if self.len() > 0 || matches!(self.mode(), Mode::Closed | Mode::Detached) {
                self.raise();
            }
        }
        self.signal.get().map(Signal::descriptor).ok_or_else(|| Error::Internal("no descriptor".to_owned()))
    }
}
