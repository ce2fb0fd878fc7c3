//! People on a gateway, each with a session in this process.
#![allow(dead_code, reason = "no user of this file needs all of it")]

use std::time::Instant;

use imo2skype::Config;
use imo2skype::Session;

use crate::GUARD;

/// Somebody who is logged in.
pub(crate) fn open(server: &str, name: &str) -> Session {
    let mut config = Config::new(name, "secret");
    config.server = Some(server.to_owned());
    Session::open(config).expect("a session")
}

/// The reply to a command.
pub(crate) fn ask(session: &Session, command: &str) -> String {
    session.invoke(command, GUARD).expect("a reply")
}

/// Waits for a line of which `wanted` makes something; those before it are dropped.
pub(crate) fn catch<T>(session: &Session, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
    let deadline = Instant::now() + GUARD;
    let mut heard = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match session.poll_skype_notification(Some(left)).expect("an open session") {
            Some(line) => match wanted(&line) {
                Some(found) => return found,
                None => heard.push(line),
            },
            None => panic!("{what} did not come, only {heard:#?}"),
        }
    }
}

/// Waits for a line; those before it are dropped.
pub(crate) fn hear(session: &Session, wanted: &str) {
    catch(session, wanted, |line| (line == wanted).then_some(()));
}

/// The number of a message that this line tells to have come.
pub(crate) fn received(line: &str) -> Option<u32> {
    line.strip_prefix("CHATMESSAGE ")?.strip_suffix(" STATUS RECEIVED")?.parse().ok()
}

/// Makes two users contacts of each other.
pub(crate) fn befriend(alice: &Session, [name, other]: [&str; 2], bob: &Session) {
    assert_eq!(ask(alice, &format!("SET USER {other} BUDDYSTATUS 2 please")), format!("USER {other} BUDDYSTATUS 2"));
    hear(bob, &format!("USER {name} RECEIVEDAUTHREQUEST please"));
    let accepted = format!("USER {name} ISAUTHORIZED TRUE");
    assert_eq!(ask(bob, &format!("SET {accepted}")), accepted);
    hear(alice, &format!("USER {other} ONLINESTATUS ONLINE"));
}
