//! Messages that come again with the `client_msg_id` of their sender.

use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::http;
use super::client::on_disk;
use super::client::open;
use super::client::post;

/// Sends a message that must be accepted; the time that its acknowledgement tells.
fn send(session: &mut Session, to: &str, text: &str, id: &Value) -> u64 {
    let request = session.requests;
    assert!(session.request("send_im", json!({"buid": to, "msg": text, "client_msg_id": id})), "{id}");
    let delivery = session.find(|message| message["data"]["request_id"] == request);
    assert_eq!(delivery["from"]["system"], "internal");
    delivery["data"]["response"]["timestamp"].as_u64().expect("a time")
}

/// The texts that came, and nothing else did.
fn texts(session: &mut Session) -> Vec<String> {
    let text = |event: &Value| {
        assert_eq!(event["name"], "recv_im", "{event}");
        event["edata"]["msg"].as_str().expect("a text").to_owned()
    };
    session.everything().iter().map(text).collect()
}

#[test]
fn a_gateway_says_that_it_knows_marks() {
    let gateway = open();
    for method in ["get_cookie_and_ssid", "get_ssid"] {
        let data = json!({"messages": [{"data": {"method": method, "data": {}}, "seq": 0}]});
        let answer = post(&http(), gateway.url(), "rest_rpc", &data.to_string()).text().expect("text");
        let answer: Value = serde_json::from_str(&answer).expect("json");
        assert_eq!((&answer["method"], &answer["data"]["client_msg_ids"]), (&json!("rest_rpc"), &json!(true)));
        assert!(answer["data"]["ssid"].is_string(), "{answer}");
    }
}

#[test]
fn a_message_that_comes_again_arrives_once() {
    let gateway = open();
    let [mut alice, mut phone] = [(); 2].map(|()| Session::login(&gateway, "alice"));
    let mut bob = Session::login(&gateway, "bob");
    let first = send(&mut alice, "bob", "hi", &json!("a7"));
    let reflected = phone.event("reflect");
    assert_eq!((&reflected["edata"]["msg"], &reflected["edata"]["client_msg_id"]), (&json!("hi"), &json!("a7")));
    // From any login; whatever else it says, it is the same message.
    for text in ["hi", "other"] {
        assert_eq!(send(&mut alice, "BOB", text, &json!("a7")), first);
        assert_eq!(send(&mut phone, "bob", text, &json!("a7")), first);
    }
    let mut late = Session::login(&gateway, "alice");
    assert_eq!(send(&mut late, "bob", "hi", &json!("a7")), first);
    for session in [&mut alice, &mut phone, &mut late] {
        let again = |event: &Value| event["edata"]["buid"] == "bob" && event["name"] == "reflect";
        assert!(!session.everything().iter().any(again), "told to nobody again");
    }
    assert_eq!(texts(&mut bob), ["hi"]);
    // Others have their own.
    send(&mut bob, "alice", "hi yourself", &json!("a7"));
    assert_eq!(alice.event("recv_im")["edata"]["client_msg_id"], Value::Null);
}

#[test]
fn the_echo_answers_a_message_once() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    for _ in 0..3 {
        send(&mut alice, "echo123", "hi", &json!("a7"));
    }
    assert_eq!(texts(&mut alice), ["hi"]);
}

#[test]
fn a_chat_hears_a_message_once() {
    let gateway = open();
    let [mut alice, mut phone] = [(); 2].map(|()| Session::login(&gateway, "alice"));
    let [mut bob, mut carol] = ["bob", "carol"].map(|name| Session::login(&gateway, name));
    assert!(alice.request("create_shared_group", json!({"name": "chat"})));
    let chat = alice.event("buddy_added")["edata"][0]["buid"].as_str().expect("buid").to_owned();
    for name in ["bob", "carol", "echo123"] {
        assert!(alice.request("invite_to_group", json!({"gid": chat.trim_end_matches(';'), "ibuid": name})));
    }
    for session in [&mut alice, &mut phone, &mut bob, &mut carol] {
        session.everything();
    }
    let first = send(&mut alice, &chat, "hi all", &json!("a7"));
    assert_eq!(phone.event("reflect")["edata"]["client_msg_id"], "a7");
    assert_eq!(send(&mut phone, &chat, "hi all", &json!("a7")), first);
    // She has left meanwhile, and yet has said it.
    assert!(alice.request("leave_group", json!({"gid": chat.trim_end_matches(';')})));
    assert_eq!(send(&mut alice, &chat, "hi all", &json!("a7")), first);
    assert!(!alice.request("send_im", json!({"buid": chat, "msg": "hi all", "client_msg_id": "a8"})));
    for session in [&mut bob, &mut carol] {
        session.event("buddy_removed");
        assert_eq!(texts(session), ["hi all", "hi all"], "hers and that of the echo");
    }
}

#[test]
fn what_is_no_mark_counts_as_none() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    let (longest, longer) = ("x".repeat(128), "x".repeat(129));
    // mark, how often it arrives
    let table = [(json!(longest), 1), (json!(longer), 2), (json!(""), 2), (json!(7), 2), (json!(null), 2)];
    for (mark, times) in table {
        for _ in 0..2 {
            send(&mut alice, "bob", "hi", &mark);
        }
        assert_eq!(texts(&mut bob).len(), times, "{mark}");
    }
}

#[test]
fn a_gateway_that_is_started_again_knows_what_was_sent_before() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let gateway = on_disk(&file);
    let mut alice = Session::login(&gateway, "alice");
    Session::login(&gateway, "bob");
    let first = send(&mut alice, "bob", "hi", &json!("a7"));
    gateway.stop();

    let gateway = on_disk(&file);
    let mut alice = Session::login(&gateway, "alice");
    assert_eq!(send(&mut alice, "bob", "hi", &json!("a7")), first);
    send(&mut alice, "bob", "another", &json!("a8"));
    assert_eq!(texts(&mut Session::login(&gateway, "bob")), ["hi", "another"]);
}
