//! What ends the waiting of the thread besides the display: lines of the sessions, and the end.

use std::io;
use std::io::PipeReader;
use std::io::PipeWriter;
use std::io::Read;
use std::io::Write;
use std::os::fd::AsFd;
use std::os::fd::BorrowedFd;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;
use std::time::Duration;

use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;
use rustix::io::Errno;

/// A pipe with a byte in it while somebody has rung and nobody has answered.
#[derive(Debug)]
pub(super) struct Bell {
    reader: PipeReader,
    writer: PipeWriter,
    /// Keeps the pipe from ever being full: ringing waits for nothing.
    rung: AtomicBool,
}

impl Bell {
    pub(super) fn new() -> io::Result<Self> {
        let (reader, writer) = io::pipe()?;
        Ok(Self { reader, writer, rung: AtomicBool::new(false) })
    }

    /// Wakes the thread; never waits.
    pub(super) fn ring(&self) {
        if !self.rung.swap(true, Ordering::SeqCst) {
            // Cannot fail: the bell holds both ends.
            let _ = (&self.writer).write(&[1]);
        }
    }

    /// Answers, if somebody has rung; whoever rings from now on is heard again.
    fn answer(&self) {
        if self.rung.load(Ordering::SeqCst) {
            // The byte is there or comes at once. (The other order would leave it for the next waiting.)
            let _ = (&self.reader).read(&mut [0]);
            self.rung.store(false, Ordering::SeqCst);
        }
    }
}

/// Whoever drops this tells the thread to end.
#[derive(Debug)]
pub(super) struct Stop(PipeWriter);

/// Where the thread hears that it is to end: readable for ever once the other side is dropped.
#[derive(Debug)]
pub(super) struct Stopped(PipeReader);

impl Stop {
    pub(super) fn new() -> io::Result<(Self, Stopped)> {
        let (reader, writer) = io::pipe()?;
        Ok((Self(writer), Stopped(reader)))
    }

    /// Tells it by being dropped.
    pub(super) fn tell(self) {
        drop(self.0);
    }
}

impl Stopped {
    /// Waits until `connection` is as `wanted`; an error when `patience` is over and, unless the thread is at its
    /// last words, when it is to end.
    pub(super) fn wait_for(
        &self,
        connection: BorrowedFd<'_>,
        wanted: PollFlags,
        patience: Option<Duration>,
        last_words: bool,
    ) -> io::Result<()> {
        let mut waiting = [PollFd::from_borrowed_fd(connection, wanted), self.poll()];
        let waiting = if last_words { &mut waiting[..1] } else { &mut waiting[..] };
        if !poll(waiting, patience)? {
            return Err(io::Error::new(io::ErrorKind::TimedOut, "the display does not answer"));
        }
        if waiting[0].revents().is_empty() {
            return Err(io::Error::other("the connection point was stopped"));
        }
        Ok(())
    }

    /// Waits until `connection` can be read, somebody rings, the thread is to end or `timeout` is over. Whether
    /// the thread is to end.
    pub(super) fn wait(
        &self,
        connection: Option<BorrowedFd<'_>>,
        bell: &Bell,
        timeout: Option<Duration>,
    ) -> io::Result<bool> {
        let mut waiting = vec![self.poll(), PollFd::from_borrowed_fd(bell.reader.as_fd(), PollFlags::IN)];
        waiting.extend(connection.map(|connection| PollFd::from_borrowed_fd(connection, PollFlags::IN)));
        poll(&mut waiting, timeout)?;
        let stopped = !waiting[0].revents().is_empty();
        bell.answer();
        Ok(stopped)
    }

    fn poll(&self) -> PollFd<'_> {
        PollFd::from_borrowed_fd(self.0.as_fd(), PollFlags::IN)
    }
}

/// Whether one of them is ready before `timeout` is over.
fn poll(waiting: &mut [PollFd<'_>], timeout: Option<Duration>) -> io::Result<bool> {
    let timeout = timeout.and_then(|timeout| Timespec::try_from(timeout).ok());
    loop {
        match rustix::event::poll(waiting, timeout.as_ref()) {
            Ok(ready) => return Ok(ready > 0),
            Err(Errno::INTR) => {}
            Err(error) => return Err(error.into()),
        }
    }
}
