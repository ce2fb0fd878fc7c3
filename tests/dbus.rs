//! The program imo2sproxy on a private bus, used by clients that behave like those that there are (clients 3 to 9).
//!
//! Needs dbus-daemon, and Python with dbus-python and PyGObject (Debian: dbus, python3-dbus, python3-gi).
#![cfg(all(target_os = "linux", feature = "programs"))]

#[path = "dbus/activation.rs"]
mod activation;
#[path = "dbus/bus.rs"]
mod bus;
#[path = "dbus/clients.rs"]
mod clients;
#[path = "dbus/life.rs"]
mod life;
#[path = "dbus/npm.rs"]
mod npm;
#[path = "support/people.rs"]
mod people;

use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use bus::Bus;
use bus::Running;
use bus::SESSION;
use bus::imo2sproxy;
use bus::root;
use bus::signal;
use imo2skype::Session;
use people::ask;
use people::befriend;
use people::open;
use people::received;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

/// The other end: says what it is asked to say, and types when alice does.
struct Bob {
    session: Arc<Session>,
    thread: Option<JoinHandle<()>>,
}

impl Bob {
    /// Bob, who is a contact of alice and she of him.
    fn friend_of(gateway: &str) -> Self {
        let [alice, bob] = ["alice", "bob"].map(|name| open(gateway, name));
        befriend(&alice, ["alice", "bob"], &bob);
        drop(alice);
        ask(&bob, "CREATE APPLICATION libpurple_typing");
        let session = Arc::new(bob);
        let theirs = Arc::clone(&session);
        let thread = thread::spawn(move || {
            // Until it is closed.
            while let Ok(line) = theirs.poll_skype_notification(None) {
                line.into_iter().for_each(|line| answer(&theirs, &line));
            }
        });
        Self { session, thread: Some(thread) }
    }
}

fn answer(bob: &Session, line: &str) {
    let typing = "APPLICATION libpurple_typing DATAGRAM alice:1 PURPLE_TYPING";
    if line == typing {
        ask(bob, &format!("ALTER {typing}"));
    }
    let Some(number) = received(line) else { return };
    let head = format!("CHATMESSAGE {number} BODY ");
    let body = ask(bob, &format!("GET CHATMESSAGE {number} BODY"));
    if let Some(text) = body.strip_prefix(&head).and_then(|body| body.strip_prefix("say ")) {
        ask(bob, &format!("MESSAGE alice {text}"));
    }
}

impl Drop for Bob {
    fn drop(&mut self) {
        self.session.close();
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}
