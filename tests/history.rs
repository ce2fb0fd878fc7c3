//! What outlives a session: a real gateway, real files.
#![cfg(all(feature = "gateway", feature = "history", feature = "imo"))]

use std::path::Path;
use std::time::Duration;

use imo2skype::Config;
use imo2skype::Error;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;

/// A limit for waits that end much earlier.
const GUARD: Duration = Duration::from_secs(60);

fn config(gateway: &Gateway, name: &str, history: &str) -> Config {
    let mut config = Config::new(name, "secret");
    config.server = Some(gateway.url().to_owned());
    config.set("history", history).expect("a history");
    config
}

fn open(gateway: &Gateway, name: &str, file: &Path) -> Session {
    Session::open(config(gateway, name, file.to_str().expect("UTF-8"))).expect("a session")
}

/// Reads until a line of which `is` says so.
fn until(session: &Session, what: &str, is: impl Fn(&str) -> bool) -> String {
    loop {
        let line = session.poll_skype_notification(Some(GUARD)).expect("open");
        let line = line.unwrap_or_else(|| panic!("{what} never came"));
        if is(&line) {
            return line;
        }
    }
}

fn ask(session: &Session, command: &str) -> String {
    session.invoke(command, GUARD).expect("open")
}

#[test]
fn messages_chats_and_numbers_outlive_the_session() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.db");
    let session = open(&gateway, "alice", &file);
    let sent = ask(&session, "MESSAGE echo123 two\nlines");
    let sent = sent.strip_suffix(" STATUS SENDING").expect("on its way");
    let received = until(&session, "the echo", |line| line.ends_with("STATUS RECEIVED"));
    let received = received.strip_suffix(" STATUS RECEIVED").expect("the end");
    assert_eq!(ask(&session, &format!("SET {received} SEEN")), format!("{received} STATUS READ"));
    let chat = ask(&session, &format!("GET {sent} CHATNAME"));
    assert_eq!(ask(&session, "SET PROFILE MOOD_TEXT thinking"), "PROFILE MOOD_TEXT thinking");
    let questions = [
        format!("GET {sent} BODY"),
        format!("GET {sent} STATUS"),
        format!("GET {sent} TIMESTAMP"),
        format!("GET {received} STATUS"),
        "SEARCH CHATMESSAGES".to_owned(),
        "SEARCH CHATMESSAGES echo123".to_owned(),
        "SEARCH CHATS".to_owned(),
        format!("GET CHAT {} MEMBEROBJECTS", chat.rsplit_once(' ').expect("a name").1),
        format!("GET CHAT {} FRIENDLYNAME", chat.rsplit_once(' ').expect("a name").1),
        "GET PROFILE MOOD_TEXT".to_owned(),
    ];
    let before = questions.each_ref().map(|question| ask(&session, question));
    assert!(before[0].ends_with("BODY two\nlines") && before[1].ends_with("STATUS SENT"), "{before:?}");
    session.close();

    let session = open(&gateway, "alice", &file);
    assert_eq!(questions.each_ref().map(|question| ask(&session, question)), before);
    // A number is never given twice.
    let newer = ask(&session, "MESSAGE echo123 more");
    assert!(newer.split(' ').nth(1) > received.split(' ').nth(1), "{newer} after {received}");
    drop(session);
    gateway.stop();
}

#[test]
fn files_that_cannot_be_used_are_named() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let folder = tempfile::tempdir().expect("a folder");
    let path = |name: &str| folder.path().join(name);
    std::fs::write(path("notes"), "no database, but long enough to be looked at".repeat(40)).expect("write");
    drop(open(&gateway, "bob", &path("bob")));
    let mine = open(&gateway, "alice", &path("mine"));
    for (name, words) in
        [("notes", "not a database"), ("bob", "history of bob"), ("mine", "in use"), ("no/folder", "No such file")]
    {
        let refused = Session::open(config(&gateway, "alice", path(name).to_str().expect("UTF-8"))).expect_err(name);
        assert!(matches!(refused, Error::Store { .. }), "{refused:?}");
        let text = refused.chain();
        assert!(text.contains(words) && text.contains(path(name).to_str().expect("UTF-8")), "{text}");
    }
    drop(mine);
    gateway.stop();
}

/// Up to which number clients have heard of messages, as it is kept.
fn heard(file: &Path) -> u64 {
    let connection = rusqlite::Connection::open(file).expect("a database");
    let sql = "SELECT value FROM objects WHERE kind = 'single' AND key = 'numbers'";
    let numbers: String = connection.query_row(sql, [], |row| row.get(0)).expect("numbers");
    serde_json::from_str::<serde_json::Value>(&numbers).expect("JSON")["heard"].as_u64().expect("a number")
}

#[test]
fn what_a_client_has_heard_is_kept_though_nothing_else_happens() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.db");
    let session = open(&gateway, "alice", &file);
    let (keeper, reader) = (session.attach().expect("a client"), session);
    // Nobody reads this one.
    let before = heard(&file);
    ask(&reader, "MESSAGE echo123 hello");
    let received = until(&reader, "the echo", |line| line.ends_with("STATUS RECEIVED"));
    let received = received.split(' ').nth(1).and_then(|id| id.parse().ok()).expect("a number");
    assert!(before < received);
    let begun = std::time::Instant::now();
    while heard(&file) < received {
        assert!(begun.elapsed() < GUARD, "{} is kept, {received} was heard", heard(&file));
        // What else is said is not about messages.
        let _ = reader.poll_skype_notification(Some(Duration::from_millis(20)));
    }
    drop((keeper, reader));
    gateway.stop();
}

#[test]
fn a_message_that_no_client_read_is_told_to_the_next() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("history.db");
    let bob = Session::open(config(&gateway, "bob", "memory")).expect("a session");
    let alice = open(&gateway, "alice", &file);
    let reply = ask(&bob, "MESSAGE alice one");
    until(&bob, "the outcome", |line| reply.replace("SENDING", "SENT") == line);
    // It is in her queue, unread, before she answers.
    let mut told = String::new();
    while told.is_empty() {
        told = ask(&alice, "SEARCH MISSEDCHATMESSAGES").replace("CHATMESSAGES ", "");
    }
    alice.close();
    let alice = open(&gateway, "alice", &file);
    let first = until(&alice, "the message", |line| line.starts_with("CHATMESSAGE "));
    assert_eq!(first, format!("CHATMESSAGE {told} STATUS RECEIVED"));
    // Now it was read.
    alice.close();
    let alice = open(&gateway, "alice", &file);
    until(&alice, "the login", |line| line == "CONNSTATUS ONLINE");
    while let Some(line) = alice.poll_skype_notification(Some(Duration::ZERO)).expect("open") {
        assert!(!line.starts_with("CHATMESSAGE "), "{line}");
    }
    assert_eq!(ask(&alice, "SEARCH MISSEDCHATMESSAGES"), format!("CHATMESSAGES {told}"));
    drop((alice, bob));
    gateway.stop();
}
