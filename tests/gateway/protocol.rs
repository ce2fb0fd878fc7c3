//! Logins, messages, sequence numbers.

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::ack;
use super::client::http;
use super::client::is_empty;
use super::client::open;
use super::client::post;

#[test]
fn a_login_tells_the_list_and_then_that_it_is_complete() {
    let gateway = open();
    let mut alice = Session::new(&gateway);
    alice.try_login("Alice", "secret");
    alice.poll();
    let names: Vec<_> = alice.events.iter().map(|message| message["data"]["name"].clone()).collect();
    assert_eq!(names, ["buddy_added", "signed_on"]);
    let list = alice.event("buddy_added");
    let echo = json!([{"buid": "echo123", "alias": "Echo / Sound Test Service", "group": "Skype",
        "primitive": "available", "status": ""}]);
    assert_eq!((&list["edata"], &list["uid"], &list["proto"]), (&echo, &json!("Alice"), &json!("prpl-skype")));
    assert_eq!(alice.event("signed_on")["edata"]["alias"], "Alice");

    let mut again = Session::login(&gateway, "aLiCe");
    assert!(again.send("echo123", "x"));
    assert_eq!(again.event("recv_im")["uid"], "Alice", "the first spelling stays");
}

#[test]
fn a_wrong_password_disconnects_and_the_right_one_helps() {
    let gateway = open();
    Session::login(&gateway, "alice");
    let mut eve = Session::new(&gateway);
    for _ in 0..4 {
        eve.try_login("alice", "wrong");
        assert_eq!(eve.event("disconnect")["edata"]["msg"], "uidpassword");
    }
    assert!(!eve.request("get_unread_msgs", json!({})), "nobody is logged in");
    eve.try_login("alice", "secret");
    eve.event("signed_on");
    // The score is clean again. The fifth failure in a row is one too many.
    for _ in 0..5 {
        let mut eve = Session::new(&gateway);
        eve.try_login("ALICE", "wrong");
        assert_eq!(eve.event("disconnect")["edata"]["msg"], "uidpassword");
    }
    let mut late = Session::new(&gateway);
    late.try_login("alice", "wrong");
    let reason = late.event("disconnect")["edata"]["msg"].clone();
    assert!(reason == "toomanyattempts" || reason == "uidpassword", "{reason}");
}

#[test]
fn nobody_is_registered_where_registration_is_closed() {
    let gateway = Gateway::start(GatewayConfig::default()).expect("start");
    let mut alice = Session::new(&gateway);
    alice.try_login("alice", "secret");
    assert_eq!(alice.event("disconnect")["edata"]["msg"], "uidpassword");
    for (name, password) in [("echo123", ""), ("echo123", "x"), ("", ""), ("a;b", "x"), ("%s%n", "x")] {
        let gateway = open();
        let mut session = Session::new(&gateway);
        session.try_login(name, password);
        assert_eq!(session.event("disconnect")["edata"]["msg"], "uidpassword", "{name}");
    }
}

#[test]
fn the_echo_answers_every_message_byte_by_byte() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let long = "\u{1f600}".repeat(65_536 / 4);
    let bodies = ["hi", "%s%n%%", "a\r\nb\n", "\"quoted\" \\ 'x' &amp; +", "\u{1f600}\u{200d}", " ", "a\0b", &long];
    let mut ids = std::collections::HashSet::new();
    for body in bodies {
        let request = alice.requests;
        assert!(alice.send("ECHO123", body), "{body:?}");
        let delivery = alice.find(|message| message["data"]["request_id"] == request);
        assert_eq!(delivery["from"]["system"], "internal");
        assert!(delivery["data"]["response"]["timestamp"].as_u64().expect("time") > 1_600_000_000);
        let event = alice.event("recv_im");
        assert_eq!((&event["edata"]["msg"], &event["edata"]["buid"]), (&json!(body), &json!("echo123")));
        assert!(ids.insert(event["edata"]["msg_id"].as_str().expect("id").to_owned()));
    }
    let too_long = "x".repeat(65_537);
    for (to, body) in
        [("echo123", too_long.as_str()), ("echo123", ""), ("nobody", "hi"), ("g1;", "hi"), ("alice", "me")]
    {
        assert!(!alice.send(to, body), "{to}");
    }
}

#[test]
fn two_users_exchange_messages() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    for number in 0..20 {
        assert!(alice.send("bob", &format!("ping {number}")));
        let event = bob.event("recv_im");
        assert_eq!(event["edata"]["msg"], format!("ping {number}"));
        assert_eq!((&event["edata"]["buid"], &event["edata"]["alias"]), (&json!("alice"), &json!("alice")));
        assert!(bob.send("alice", "pong"));
        assert_eq!(alice.event("recv_im")["edata"]["msg"], "pong");
    }
    assert!(alice.request("im_typing", json!({"buid": "bob", "typing_state": "typing"})));
    assert_eq!(bob.event("im_typing")["edata"], json!({"buid": "alice", "typing_state": "typing"}));
    assert!(!alice.request("im_typing", json!({"buid": "bob", "typing_state": "%n"})));
}

#[test]
fn a_message_waits_for_a_receiver_who_is_away() {
    let gateway = open();
    Session::login(&gateway, "bob").request("signoff_all", json!({}));
    let mut alice = Session::login(&gateway, "alice");
    for text in ["one", "two", "three"] {
        assert!(alice.send("bob", text));
    }
    let page = |path: &str| http().get(format!("{}{path}", gateway.url())).send().expect("get").text().expect("text");
    assert!(page("metrics").contains("imo2skype_gateway_messages_waiting 3\n"));
    assert!(page("healthz").contains("\"waiting\":3"));
    let texts = |events: Vec<Value>| -> Vec<_> {
        events.into_iter().filter(|event| event["name"] == "recv_im").map(|event| event["edata"].clone()).collect()
    };
    // The first login reads them and dies before it has acknowledged them.
    let mut lost = Session::new(&gateway);
    lost.try_login("bob", "secret");
    assert!(lost.request("get_unread_msgs", json!({})));
    lost.ack = 0;
    let first = lost.envelope(json!([]));
    let first = texts(first["messages"].as_array().expect("messages").iter().map(|m| m["data"].clone()).collect());
    assert!(lost.request("signoff_all", json!({})));

    let mut bob = Session::login(&gateway, "bob");
    let second = texts(bob.everything());
    assert_eq!(second.iter().map(|edata| edata["msg"].clone()).collect::<Vec<_>>(), ["one", "two", "three"]);
    assert_eq!(first, second, "the same ids and times");
    assert!(bob.request("signoff_all", json!({})), "everything is acknowledged");

    let mut bob = Session::login(&gateway, "bob");
    assert!(texts(bob.everything()).is_empty(), "delivered once is enough");
    assert!(page("metrics").contains("imo2skype_gateway_messages_waiting 0\n"));
}

#[test]
fn server_messages_are_repeated_until_they_are_acknowledged() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let before = alice.ack;
    assert!(alice.send("echo123", "one"));
    alice.event("recv_im");
    let after = alice.ack;
    alice.ack = before;
    for _ in 0..2 {
        let answer = alice.envelope(json!([]));
        assert_eq!(answer["messages"].as_array().expect("messages").len() as u64, after - before);
        assert_eq!(answer["messages"][0]["seq"], before);
    }
    alice.ack = before + 1;
    assert_eq!(alice.envelope(json!([]))["messages"][0]["seq"], before + 1);
    alice.ack = u64::MAX;
    let message = alice.message(alice.seq, "observed_user_activity", json!({}));
    assert!(is_empty(&alice.envelope(message)));
}

#[test]
fn a_request_that_comes_twice_is_carried_out_once() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    let message = alice.message(alice.seq, "send_im", json!({"buid": "bob", "msg": "once"}));
    for _ in 0..3 {
        let answer = alice.envelope(message.clone());
        assert!(!is_empty(&answer) || ack(&answer) == alice.seq + 1);
        alice.read(&answer);
    }
    alice.seq += 1;
    let refused = alice.message(alice.seq, "send_im", json!({"buid": "nobody", "msg": "x"}));
    for _ in 0..2 {
        let answer = alice.envelope(refused.clone());
        assert!(is_empty(&answer) && ack(&answer) == alice.seq, "refused again: {answer}");
    }
    alice.seq += 1;
    // Over two connections the later one may be faster.
    let (early, late) = (alice.seq, alice.seq + 1);
    for (seq, text) in [(late, "late"), (early, "early")] {
        let message = alice.message(seq, "send_im", json!({"buid": "bob", "msg": text}));
        let answer = alice.envelope(message);
        assert!(!is_empty(&answer) || ack(&answer) == late + 1);
        alice.read(&answer);
    }
    assert!(alice.events.iter().filter(|message| message["from"]["system"] == "internal").count() == 3);
    let texts: Vec<_> = bob.everything().into_iter().map(|event| event["edata"]["msg"].clone()).collect();
    assert_eq!(texts, ["once", "late", "early"]);
}

#[test]
fn what_is_not_offered_is_refused() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    Session::login(&gateway, "bob");
    let table = [
        ("create_shared_group", json!({"is_native": false, "name": ""})),
        ("create_shared_group", json!({"is_native": false})),
        ("invite_to_group", json!({"gid": "g123", "iproto": "prpl-skype", "iuid": "alice", "ibuid": "bob"})),
        ("kick_member", json!({"buid": "g123;bob;prpl-skype"})),
        ("set_group_topic", json!({"gid": "g123", "topic": "Plans"})),
        ("leave_group", json!({"gid": "g123"})),
        ("accept_audio_chat", json!({"buid": "bob"})),
        ("end_audio_chat", json!({"buid": "bob"})),
        ("start_audio_chat", json!({"buid": "echo123"})),
        ("send_im", json!({"buid": "g123;", "msg": "hi"})),
        ("dance", json!({"buid": "bob"})),
        ("", json!({})),
        ("add_buddy", json!({"buid": "nobody"})),
        ("add_buddy", json!({"buid": "ALICE"})),
        ("add_buddy", json!({"buid": 5})),
        ("del_buddy", json!({"buid": "bob", "group": "Skype"})),
        ("change_buddy_alias", json!({"buid": "bob", "alias": "B"})),
        ("set_status", json!({"primitive": "%s", "status": ""})),
        ("set_status", json!({})),
    ];
    for (method, arguments) in table {
        let message = alice.message(alice.seq, method, arguments);
        let answer = alice.envelope(message);
        assert!(is_empty(&answer) && ack(&answer) == alice.seq && alice.seq > 0, "{method}: {answer}");
        alice.seq += 1;
    }
    // In the name of somebody else.
    alice.name = "bob".to_owned();
    assert!(!alice.send("echo123", "hi"));
    alice.name = "alice".to_owned();
    assert!(alice.send("echo123", "still here"));
}

#[test]
fn a_client_of_version_0_is_served() {
    let gateway = open();
    let mut bob = Session::login(&gateway, "bob");
    let own = "XBxjikeXRZcvnbMw";
    let data = json!({"ack": 0, "ssid": 0, "messages": [{
        "data": {"method": "get_ssid", "data": {"ssid": own}},
        "to": {"system": "ssid"}, "from": {"system": "client", "ssid": 0}, "seq": 0}]});
    let answer = post(&http(), gateway.url(), "rest_rpc", &data.to_string()).text().expect("text");
    let answer: Value = serde_json::from_str(&answer).expect("json");
    let mut alice = Session::new(&gateway);
    alice.ssid = answer["data"]["ssid"].as_str().expect("ssid").to_owned();
    assert!(alice.request("cookie_login", json!({})));
    alice.try_login("alice", "secret");
    alice.event("signed_on");
    // Without a request_id there is no acknowledgement of the delivery.
    let mut message = alice.message(alice.seq, "send_im", json!({"buid": "bob", "msg": "old"}));
    message[0]["data"].as_object_mut().expect("data").remove("request_id");
    let answer = alice.envelope(message);
    alice.seq += 1;
    assert!(is_empty(&answer) && ack(&answer) == alice.seq, "{answer}");
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "old");
}

#[test]
fn an_unknown_session_is_told_so() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    alice.ssid = "0123456789abcdef".to_owned();
    let request = alice.message(7, "get_unread_msgs", json!({}));
    for messages in [json!([]), request] {
        let answer = alice.envelope(messages);
        assert!(is_empty(&answer) && ack(&answer) == 0, "{answer}");
    }
}

#[test]
fn a_backlog_beyond_the_queue_comes_in_pieces() {
    let gateway = open();
    Session::login(&gateway, "bob").request("signoff_all", json!({}));
    let mut alice = Session::login(&gateway, "alice");
    let big = "x".repeat(65_000);
    for number in 0..300 {
        assert!(alice.send("bob", &format!("{number} {big}")));
    }
    let mut bob = Session::login(&gateway, "bob");
    assert!(alice.send("bob", "the last"));
    for number in 0..300 {
        let text = bob.event("recv_im")["edata"]["msg"].as_str().expect("text").to_owned();
        assert!(text.starts_with(&format!("{number} ")), "{}", &text[..10]);
    }
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "the last");
}

#[test]
fn what_comes_before_the_missed_messages_are_asked_for_comes_after_them() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    assert!(Session::login(&gateway, "bob").request("signoff_all", json!({})));
    assert!(alice.send("bob", "one"));
    let mut bob = Session::new(&gateway);
    bob.try_login("bob", "secret");
    bob.event("signed_on");
    assert!(alice.send("bob", "two"));
    assert!(bob.request("get_unread_msgs", json!({})));
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "one");
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "two");
}
