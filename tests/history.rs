//! What outlives a session: a real gateway, real files.

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
