//! How other threads reach the one that has the connection.

use std::future::Future;
use std::future::poll_fn;
use std::pin::pin;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::task::Context;
use std::task::Poll;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;
use futures_util::task::AtomicWaker;

use crate::session::Session;

/// What wakes the thread. Ringing never waits for anything.
#[derive(Debug)]
pub(super) struct Bell {
    waker: AtomicWaker,
    stopping: AtomicBool,
    session: Mutex<Option<Arc<Session>>>,
    /// Clients for whom lines wait. A session rings once until its queue was found empty, so this is as long as there
    /// are clients.
    ready: (Sender<Arc<str>>, Receiver<Arc<str>>),
}

/// The connection point is to end.
#[derive(Debug)]
pub(super) struct Stopping;

impl Bell {
    pub(super) fn new() -> Self {
        Self {
            waker: AtomicWaker::new(),
            stopping: AtomicBool::new(false),
            session: Mutex::new(None),
            ready: unbounded(),
        }
    }

    pub(super) fn stop(&self) {
        self.stopping.store(true, Ordering::SeqCst);
        self.waker.wake();
    }

    /// Says whose clients they are.
    pub(super) fn serve(&self, session: Arc<Session>) {
        *self.session.lock().unwrap_or_else(PoisonError::into_inner) = Some(session);
        self.waker.wake();
    }

    /// Lines wait for a client.
    pub(super) fn ring(&self, client: Arc<str>) {
        // Cannot fail: this holds the receiver.
        let _ = self.ready.0.send(client);
        self.waker.wake();
    }

    /// Has this task woken from now on.
    pub(super) fn listen(&self, context: &Context<'_>) {
        self.waker.register(context.waker());
    }

    pub(super) fn is_stopping(&self) -> bool {
        self.stopping.load(Ordering::SeqCst)
    }

    /// The next client for whom lines wait.
    pub(super) fn next_ready(&self) -> Option<Arc<str>> {
        self.ready.1.try_recv().ok()
    }

    /// Waits until somebody says whose clients they are.
    pub(super) async fn session(&self) -> Result<Arc<Session>, Stopping> {
        let session = poll_fn(|context| {
            self.listen(context);
            let session = self.session.lock().unwrap_or_else(PoisonError::into_inner).take();
            session.map_or(Poll::Pending, Poll::Ready)
        });
        self.unless_stopped(session).await
    }

    /// Waits for `future`, but no longer than until the connection point is to end.
    pub(super) async fn unless_stopped<T>(&self, future: impl Future<Output = T>) -> Result<T, Stopping> {
        let mut future = pin!(future);
        poll_fn(|context| {
            self.listen(context);
            if self.is_stopping() {
                return Poll::Ready(Err(Stopping));
            }
            future.as_mut().poll(context).map(Ok)
        })
        .await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stopping_cuts_every_wait_short() {
        let bell = Arc::new(Bell::new());
        let theirs = Arc::clone(&bell);
        let waiting = std::thread::spawn(move || {
            zbus::block_on(async {
                (theirs.session().await.is_err(), theirs.unless_stopped(async { 1 }).await.is_err())
            })
        });
        bell.stop();
        assert_eq!(waiting.join().expect("no panic"), (true, true));
    }

    #[test]
    fn what_rings_before_somebody_listens_is_not_lost() {
        let bell = Bell::new();
        bell.ring(Arc::from(":1.5"));
        bell.ring(Arc::from(":1.6"));
        assert_eq!((bell.next_ready().as_deref(), bell.next_ready().as_deref()), (Some(":1.5"), Some(":1.6")));
        assert_eq!(bell.next_ready(), None);
        assert_eq!(zbus::block_on(bell.unless_stopped(async { 1 })).ok(), Some(1));
    }
}
