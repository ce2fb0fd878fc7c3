//! Somebody on the other side of the gateway of a daemon.

use std::sync::Arc;
use std::thread;
use std::thread::JoinHandle;

use imo2skype::Session;

use crate::people;
use crate::people::ask;

/// The other end: says and does what it is asked to, answers the telephone, and types when alice does.
pub(crate) struct Bob {
    session: Arc<Session>,
    thread: Option<JoinHandle<()>>,
}

impl Bob {
    /// Bob, who is a contact of alice and she of him.
    pub(crate) fn friend_of(gateway: &str) -> Self {
        let [alice, bob] = ["alice", "bob"].map(|name| people::open(gateway, name));
        people::befriend(&alice, ["alice", "bob"], &bob);
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
    if let Some(call) = line.strip_suffix(" STATUS RINGING") {
        // Refused if it is his own.
        ask(bob, &format!("ALTER {call} ANSWER"));
    }
    let Some(message) = line.strip_suffix(" STATUS RECEIVED") else { return };
    let get = |property: &str| {
        let about = format!("{message} {property} ");
        ask(bob, &format!("GET {about}")).strip_prefix(&about).unwrap_or_default().to_owned()
    };
    let (chat, body) = (get("CHATNAME"), get("BODY"));
    match body.split_once(' ') {
        Some(("say", text)) => drop(ask(bob, &format!("CHATMESSAGE {chat} {text}"))),
        Some(("do", command)) => drop(ask(bob, &command.replace("$chat", &chat))),
        _ => {}
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
