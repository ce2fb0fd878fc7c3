//! One thread per process that tells sessions when their time has come.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::thread;
use std::thread::JoinHandle;
use std::time::Instant;

use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;

use crate::error::Error;
use crate::error::Result;
use crate::threads::without_signals;

/// Enough for whatever a session does when its time has come, keeping its history too.
const STACK: usize = 512 * 1024;

/// Somebody who wants to be called at a certain time.
pub(super) trait Alarm: Send + Sync {
    /// The time that was asked for has come.
    fn ring(&self);
}

struct Order {
    at: Instant,
    who: Weak<dyn Alarm>,
}

impl PartialEq for Order {
    fn eq(&self, other: &Self) -> bool {
        self.at == other.at
    }
}
impl Eq for Order {}
impl PartialOrd for Order {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}
impl Ord for Order {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.at.cmp(&other.at)
    }
}

/// The thread; it ends with the last session that uses it.
pub(super) struct Timer {
    orders: Option<Sender<Order>>,
    thread: Option<JoinHandle<()>>,
}

static SHARED: Mutex<Weak<Timer>> = Mutex::new(Weak::new());

impl Timer {
    pub(super) fn shared() -> Result<Arc<Self>> {
        let mut shared = SHARED.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(timer) = shared.upgrade() {
            return Ok(timer);
        }
        let (sender, orders) = unbounded::<Order>();
        let builder = thread::Builder::new().name("imo2skype-timer".to_owned()).stack_size(STACK);
        let thread = without_signals(|| {
            builder.spawn(move || {
                let mut waiting = BinaryHeap::new();
                loop {
                    let order = match waiting.peek() {
                        Some(Reverse(Order { at, .. })) => orders.recv_deadline(*at),
                        None => orders.recv().map_err(RecvTimeoutError::from),
                    };
                    match order {
                        Ok(order) => waiting.push(Reverse(order)),
                        Err(RecvTimeoutError::Disconnected) => return,
                        Err(RecvTimeoutError::Timeout) => {
                            if let Some(who) = waiting.pop().and_then(|Reverse(order)| order.who.upgrade()) {
                                who.ring();
                            }
                        }
                    }
                }
            })
        })
        .map_err(|error| Error::Internal(format!("cannot start the timer thread: {error}")))?;
        let timer = Arc::new(Self { orders: Some(sender), thread: Some(thread) });
        *shared = Arc::downgrade(&timer);
        Ok(timer)
    }

    /// Asks for one call at `at`. Never waits.
    pub(super) fn order(&self, at: Instant, who: Weak<dyn Alarm>) {
        if let Some(orders) = &self.orders {
            let _ = orders.send(Order { at, who });
        }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        drop(self.orders.take());
        super::join(self.thread.take());
    }
}
