//! One thread per process on which every notification callback runs.

use std::collections::VecDeque;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::thread::ThreadId;

use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;

use crate::error::Error;
use crate::error::Result;
use crate::session::queue::Mode;
use crate::session::queue::Queue;

/// What a client wants to be called with: each line, one at a time.
pub type Callback = Box<dyn FnMut(&str) + Send>;

/// How many lines one client gets before it is another client's turn.
const TURN: usize = 64;

/// A client's callback and the queue that feeds it.
pub(super) struct Listener {
    pub(super) queue: Arc<Queue>,
    /// Held while the callback runs, so that taking it off waits for its end.
    callback: Mutex<Option<Callback>>,
    /// Left by a callback that changed its own callback.
    next: Mutex<Option<Option<Callback>>>,
    /// Whether the callback thread holds `callback`. Nobody else asks.
    running: AtomicBool,
}

impl Listener {
    pub(super) fn new(queue: Arc<Queue>) -> Self {
        Self { queue, callback: Mutex::new(None), next: Mutex::new(None), running: AtomicBool::new(false) }
    }

    fn turn(&self) -> bool {
        let mut callback = self.callback.lock().unwrap_or_else(PoisonError::into_inner);
        self.running.store(true, Ordering::Relaxed);
        for _ in 0..TURN {
            if self.queue.mode() != Mode::Callback {
                break;
            }
            let Some(call) = callback.as_mut() else { break };
            let Some(line) = self.queue.pop() else { break };
            if catch_unwind(AssertUnwindSafe(|| call(&line))).is_err() {
                tracing::error!("a notification callback panicked");
            }
            // The one that goes may have had the last handle of its session, and close it.
            while let Some(next) = self.next() {
                *callback = next;
            }
        }
        self.running.store(false, Ordering::Relaxed);
        drop(callback);
        self.queue.mode() == Mode::Callback && self.queue.len() > 0
    }

    fn next(&self) -> Option<Option<Callback>> {
        self.next.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

/// The thread; it ends with the last session that uses it.
pub(super) struct Callbacks {
    work: Option<Sender<Arc<Listener>>>,
    thread: Option<JoinHandle<()>>,
    id: ThreadId,
}

static SHARED: Mutex<Weak<Callbacks>> = Mutex::new(Weak::new());

impl Callbacks {
    pub(super) fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(callbacks) = shared.upgrade() {
            return Ok(callbacks);
        }
        let (work, todo) = unbounded::<Arc<Listener>>();
        let thread = thread::Builder::new()
            .name("imo2skype-callback".to_owned())
            .spawn(move || {
                // Listeners whose turn ended before their queue did.
                let mut again = VecDeque::new();
                loop {
                    let told = if again.is_empty() { todo.recv().ok() } else { todo.try_recv().ok() };
                    let Some(listener) = told.or_else(|| again.pop_front()) else { return };
                    listener.queue.answer();
                    if listener.turn() {
                        again.push_back(listener);
                    }
                }
            })
            .map_err(|error| Error::Internal(format!("cannot start the callback thread: {error}")))?;
        let callbacks = Arc::new(Self { work: Some(work), id: thread.thread().id(), thread: Some(thread) });
        *shared = Arc::downgrade(&callbacks);
        Ok(callbacks)
    }

    /// Has the thread look at the listener's queue. Never waits.
    pub(super) fn tell(&self, listener: &Arc<Listener>) {
        if let Some(work) = &self.work {
            let _ = work.send(Arc::clone(listener));
        }
    }

    /// Puts `callback` in place of the one before; when this returns, the one before does not run
    /// and never will, unless it is the one that called. Returns whether the client still takes
    /// part; if not, it has no callback any more.
    pub(super) fn set(&self, listener: &Arc<Listener>, mut callback: Option<Callback>) -> bool {
        let mode = if callback.is_some() { Mode::Callback } else { Mode::Polling };
        // The mode changes under the same lock, so that it fits the callback whoever else sets one.
        let own = self.id == thread::current().id() && listener.running.load(Ordering::Relaxed);
        let (stands, before) = if own {
            let mut next = listener.next.lock().unwrap_or_else(PoisonError::into_inner);
            let stands = listener.queue.set_mode(mode);
            let kept = if stands { callback.take() } else { None };
            (stands, next.replace(kept).flatten())
        } else {
            let mut slot = listener.callback.lock().unwrap_or_else(PoisonError::into_inner);
            let stands = listener.queue.set_mode(mode);
            let kept = if stands { callback.take() } else { None };
            (stands, std::mem::replace(&mut *slot, kept))
        };
        // Only here, without a lock: what goes with them may be a session.
        drop((before, callback));
        if stands && mode == Mode::Callback {
            self.tell(listener);
        }
        stands
    }
}

impl Drop for Callbacks {
    fn drop(&mut self) {
        drop(self.work.take());
        super::join(self.thread.take());
    }
}
