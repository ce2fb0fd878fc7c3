//! The driver of a session, on a network that does what the test says.

#[path = "support/fake.rs"]
mod fake;

#[path = "session/browser.rs"]
mod browser;
#[path = "session/close.rs"]
mod close;
#[path = "session/commands.rs"]
mod commands;
#[path = "session/files.rs"]
mod files;
#[path = "session/open.rs"]
mod open;
#[path = "session/queue.rs"]
mod queue;

#[path = "session/callbacks.rs"]
mod callbacks;
#[cfg(unix)]
#[path = "session/descriptor.rs"]
mod descriptor;

use std::thread;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::bounded;
use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::Event;
use imo2skype::backend::Presence;

use fake::Answer;
use fake::Fake;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

fn config(autologin: bool, queue_limit: usize) -> Config {
    let mut config = Config::new("alice", "secret");
    config.autologin = autologin;
    config.queue_limit = queue_limit;
    config
}

/// A session on `network`, with nothing unread.
fn online_on(network: &Fake, queue_limit: usize) -> Session {
    let session = Session::with_backend(&config(true, queue_limit), Box::new(network.clone()));
    let session = session.expect("the script says so");
    unread(&session);
    session
}

fn online(queue_limit: usize) -> (Fake, Session) {
    let network = Fake::new(Answer::Accepts);
    let session = online_on(&network, queue_limit);
    (network, session)
}

/// A client of the same login, with nothing unread.
fn attach(session: &Session) -> Session {
    let client = session.attach().expect("open");
    unread(&client);
    client
}

/// An event that is told by exactly one line, unless it says the same as the one before.
fn mood(text: impl ToString) -> Event {
    Event::OwnPresence { presence: Presence::Available, mood: Some(text.to_string()) }
}

/// What is told of [`mood`], and what the command that sets it is answered.
fn mood_line(text: impl ToString) -> String {
    format!("PROFILE MOOD_TEXT {}", text.to_string())
}

/// The next line, which is on its way.
fn next(session: &Session) -> String {
    session.poll_skype_notification(Some(GUARD)).expect("open").expect("a line")
}

/// What waits.
fn unread(session: &Session) -> Vec<String> {
    let now = || session.poll_skype_notification(Some(Duration::ZERO)).expect("open");
    std::iter::from_fn(now).collect()
}

/// Waits until something is true that another thread brings about.
fn until(true_at_last: impl Fn() -> bool) {
    let late = Instant::now() + GUARD;
    while !true_at_last() {
        assert!(Instant::now() < late, "it does not come true");
        thread::yield_now();
    }
}

/// Runs `work` on a thread of its own; what comes of it is to be taken with [`outcome`].
fn start<T: Send + 'static>(work: impl FnOnce() -> T + Send + 'static) -> Receiver<T> {
    let (sender, receiver) = bounded(1);
    thread::spawn(move || sender.send(work()).expect("the test waits for it"));
    receiver
}

fn outcome<T>(started: &Receiver<T>) -> T {
    started.recv_timeout(GUARD).expect("it ends")
}
