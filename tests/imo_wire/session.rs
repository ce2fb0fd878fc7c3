//! The whole way: what a client of a session hears of what the service tells.

use std::sync::Arc;

use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::imo::Limits;
use imo2skype::backend::imo::open_with;
use serde_json::Value;
use serde_json::json;

use crate::actions::arguments;
use crate::actions::delivered;
use crate::server::Call;
use crate::server::GUARD;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

/// A session that is online in `S`, where `list` is the list of its login; the next message has seq 2.
fn online(server: &Server, list: Value, open: impl Fn(&str) + Send + Sync + 'static) -> Session {
    let mut config = Config::new("alice", "secret");
    config.server = Some(server.url.clone());
    config.interactive = true;
    config.autologin = false;
    let backend = open_with(&config, Limits::default()).expect("a back end");
    let open = move |page: &str| {
        open(page);
        Ok(())
    };
    let session = Session::with_browser(&config, Box::new(backend), Arc::new(open)).expect("a session");
    ask(&session, "SET USERSTATUS ONLINE");
    server.let_in("S");
    let signed_on = event(1, "signed_on", json!({"alias": "Alice A"}));
    server.poll().accept(json!([event(0, "buddy_added", list), signed_on]));
    hear(&session, "CONNSTATUS ONLINE");
    session
}

fn ask(session: &Session, command: &str) -> String {
    session.invoke(command, GUARD).expect("a reply")
}

/// The lines up to one that `wanted` takes.
fn heard(session: &Session, wanted: impl Fn(&str) -> bool) -> Vec<String> {
    let mut lines = Vec::new();
    loop {
        let line = session.poll_skype_notification(Some(GUARD)).expect("open").unwrap_or_else(|| panic!("{lines:#?}"));
        lines.push(line);
        if lines.last().is_some_and(|line| wanted(line)) {
            return lines;
        }
    }
}

fn hear(session: &Session, wanted: &str) -> Vec<String> {
    heard(session, |line| line == wanted)
}

/// The number of the message of which this line is told.
fn message(session: &Session, status: &str) -> String {
    let lines = heard(session, |line| line.starts_with("CHATMESSAGE ") && line.ends_with(status));
    let last = lines.last().expect("a line");
    last.split(' ').nth(1).expect("a number").to_owned()
}

fn get(session: &Session, what: &str) -> String {
    ask(session, &format!("GET {what}")).strip_prefix(what).expect(what).trim_start().to_owned()
}

/// Nobody is there to say goodbye to.
fn close(server: Server, session: &Session) {
    drop(server);
    session.close();
}

fn accept(call: Call) {
    call.accept(json!([]));
}

#[test]
fn who_is_added_to_a_chat_hears_of_it_once_and_for_all() {
    let server = Server::start();
    let session = online(&server, json!([]), |_| ());
    let chat = || {
        json!([{"buid": "g1;", "alias": "chat", "type": "group", "display": "Plans", "inviter": "bob"},
            {"buid": "g1;bob;prpl-skype", "group": "g1"}])
    };
    server.poll().accept(json!([event(2, "buddy_added", chat())]));
    let added = message(&session, " STATUS RECEIVED");
    assert_eq!(get(&session, &format!("CHATMESSAGE {added} TYPE")), "ADDEDMEMBERS");
    assert_eq!(get(&session, &format!("CHATMESSAGE {added} FROM_HANDLE")), "bob");
    let name = get(&session, &format!("CHATMESSAGE {added} CHATNAME"));
    assert_eq!(get(&session, &format!("CHAT {name} TOPIC")), "Plans");
    assert_eq!(get(&session, &format!("CHAT {name} MEMBERS")), "alice bob");
    let saw = message(&session, " STATUS SENT");
    assert_eq!(get(&session, &format!("CHATMESSAGE {saw} TYPE")), "SAWMEMBERS");

    // The list of the next login says it again.
    server.poll().accept(json!([event(3, "expired", json!(null))]));
    server.let_in("T");
    let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
    let said = json!({"buid": "g1;", "alias": "chat", "author": "g1;bob;prpl-skype", "msg": "hi"});
    poll.accept(json!([
        event(0, "buddy_added", chat()),
        event(1, "signed_on", json!({"alias": "Alice A"})),
        event(2, "recv_im", said)
    ]));
    let lines = heard(&session, |line| line.starts_with("CHATMESSAGE "));
    let told: Vec<_> = lines.iter().filter(|line| line.starts_with("CHAT ")).collect();
    assert!(told.iter().all(|line| line.contains(" POSTERS ") || line.contains(" ACTIVITY_TIMESTAMP ")), "{told:?}");
    let text = lines.last().and_then(|line| line.split(' ').nth(1)).expect("a number");
    assert_eq!(get(&session, &format!("CHATMESSAGE {text} BODY")), "hi");

    // And whoever is removed hears that.
    let poll = server.polls.iter().find(|poll| poll.envelope["ack"] == 3).expect("a poll");
    poll.accept(json!([event(3, "buddy_removed", json!({"buid": "g1;alice;prpl-skype"}))]));
    hear(&session, &format!("CHAT {name} MYSTATUS KICKED"));
    close(server, &session);
}

#[test]
fn a_chat_is_made_and_spoken_in_at_once() {
    let server = Server::start();
    let session = online(&server, json!([{"buid": "bob"}, {"buid": "carol"}]), |_| ());
    let created = ask(&session, "CHAT CREATE bob, carol");
    let name = created.split(' ').nth(1).expect("a name").to_owned();
    ask(&session, &format!("CHATMESSAGE {name} hello"));
    ask(&session, &format!("ALTER CHAT {name} SETTOPIC Plans"));
    let call = server.request("create_shared_group");
    let called = arguments(&call)["name"].clone();
    call.accept(json!([event(2, "buddy_added", json!([{"buid": "g1;", "alias": called, "type": "group"}]))]));
    server.request("invite_to_group").accept(json!([]));
    server.request("invite_to_group").accept(json!([]));
    let call = server.request("send_im");
    assert_eq!((&arguments(&call)["buid"], &arguments(&call)["msg"]), (&json!("g1;"), &json!("hello")));
    call.accept(json!([delivered(3, 0)]));
    let call = server.request("set_group_topic");
    assert_eq!(arguments(&call)["topic"], "Plans");
    accept(call);
    let sent = message(&session, " STATUS SENT");
    assert_eq!(get(&session, &format!("CHATMESSAGE {sent} BODY")), "hello");
    // Both come; that is told, and is no message.
    let came =
        json!([{"buid": "g1;bob;prpl-skype", "inviter": "alice"}, {"buid": "g1;carol;prpl-skype", "inviter": "alice"}]);
    server.poll().accept(json!([event(4, "buddy_added", came)]));
    hear(&session, &format!("CHAT {name} ACTIVEMEMBERS alice bob carol"));
    assert_eq!(get(&session, &format!("CHAT {name} MEMBERS")), "alice bob carol");
    assert_eq!(get(&session, &format!("CHAT {name} TOPIC")), "Plans");
    close(server, &session);
}

#[test]
fn calls_ring_are_answered_and_end_and_their_page_is_opened() {
    let server = Server::start();
    let (opened, pages) = crossbeam_channel::unbounded();
    let open = move |page: &str| opened.send(page.to_owned()).expect("the test looks at it");
    let session = online(&server, json!([{"buid": "bob", "primitive": "available"}]), open);
    let av = |seq, name: &str, more: Value| {
        let mut edata = json!({"buid": "bob", "send_stream": "a", "recv_stream": "b"});
        edata.as_object_mut().expect("an object").extend(more.as_object().expect("an object").clone());
        down(seq, "av", json!({"name": name, "type": "call", "proto": "prpl-skype", "uid": "alice", "edata": edata}))
    };
    let reply = ask(&session, "CALL bob");
    let id = reply.split(' ').nth(1).expect("a number").to_owned();
    server.request("start_audio_chat").accept(json!([av(
        2,
        "streams_info",
        json!({"is_initiator": true, "page": "call/7"})
    )]));
    hear(&session, &format!("CALL {id} STATUS RINGING"));
    assert_eq!(pages.recv_timeout(GUARD).expect("a page"), format!("{}/call/7", server.url));
    server.poll().accept(json!([av(3, "answered", json!({}))]));
    hear(&session, &format!("CALL {id} STATUS INPROGRESS"));
    server.poll().accept(json!([av(4, "ended", json!({}))]));
    hear(&session, &format!("CALL {id} STATUS FINISHED"));

    server.poll().accept(json!([av(5, "streams_info", json!({"page": "https://evil.example/"}))]));
    let lines = heard(&session, |line| line.ends_with(" STATUS RINGING"));
    let id = lines.last().and_then(|line| line.split(' ').nth(1)).expect("a number").to_owned();
    assert_eq!(get(&session, &format!("CALL {id} TYPE")), "INCOMING_P2P");
    ask(&session, &format!("ALTER CALL {id} ANSWER"));
    accept(server.request("accept_audio_chat"));
    hear(&session, &format!("CALL {id} STATUS INPROGRESS"));
    ask(&session, &format!("ALTER CALL {id} HANGUP"));
    accept(server.request("end_audio_chat"));
    hear(&session, &format!("CALL {id} STATUS FINISHED"));
    close(server, &session);
    assert_eq!(pages.try_iter().count(), 0);
}

#[test]
fn a_text_about_oneself_is_sent_with_the_status_that_follows() {
    let server = Server::start();
    let session = online(&server, json!([]), |_| ());
    ask(&session, "SET PROFILE MOOD_TEXT out to lunch");
    ask(&session, "SET USERSTATUS AWAY");
    let call = server.request("set_status");
    assert_eq!((&arguments(&call)["primitive"], &arguments(&call)["status"]), (&json!("away"), &json!("out to lunch")));
    accept(call);
    close(server, &session);
}
