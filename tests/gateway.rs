//! The gateway from the outside: raw HTTP, as the protocol describes it.
#![cfg(feature = "gateway")]

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use imo2skype::Error;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use reqwest::blocking::Client;
use reqwest::blocking::Response;
use serde_json::Value;
use serde_json::json;

fn open() -> Gateway {
    Gateway::start(GatewayConfig::embedded(None)).expect("start")
}

fn on_disk(file: &Path) -> Gateway {
    Gateway::start(GatewayConfig::embedded(Some(file.to_owned()))).expect("start")
}

fn http() -> Client {
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let tls = rustls::ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(rustls::RootCertStore::empty())
        .with_no_client_auth();
    let builder = Client::builder().tls_backend_preconfigured(tls).no_proxy();
    builder.timeout(Duration::from_secs(60)).build().expect("client")
}

fn post(http: &Client, url: &str, method: &str, data: &str) -> Response {
    http.post(format!("{url}imo")).form(&[("method", method), ("data", data)]).send().expect("post")
}

fn ack(envelope: &Value) -> u64 {
    envelope["ack"].as_u64().expect("ack")
}

fn is_empty(envelope: &Value) -> bool {
    envelope["messages"].as_array().expect("messages").is_empty()
}

/// One session, written from the paragraphs on seq and ack alone.
struct Session {
    http: Client,
    url: String,
    ssid: String,
    name: String,
    seq: u64,
    ack: u64,
    requests: u64,
    /// Events that were read and not yet asked for.
    events: Vec<Value>,
}

impl Session {
    fn new(gateway: &Gateway) -> Self {
        let http = http();
        let url = gateway.url().to_owned();
        let own = "XBxjikeXRZcvnbMw";
        let data = json!({"ack": 0, "ssid": own, "messages": [{
            "data": {"method": "get_cookie_and_ssid", "data": {"ssid": own, "kind": "reui", "version": "1336611734.48"}},
            "to": {"system": "session"}, "from": {"system": "client", "ssid": own}, "seq": 0}]});
        let answer: Value =
            serde_json::from_str(&post(&http, &url, "rest_rpc", &data.to_string()).text().expect("text"))
                .expect("json");
        let ssid = answer["data"]["ssid"].as_str().expect("ssid").to_owned();
        assert!(ssid.len() == 16 && ssid.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{ssid}");
        assert_ne!(ssid, own);
        Self { http, url, ssid, name: String::new(), seq: 0, ack: 0, requests: 0, events: Vec::new() }
    }

    /// Logs in as `client_login` of the protocol does, up to the last request before the poll.
    fn login(gateway: &Gateway, name: &str) -> Self {
        let mut session = Self::new(gateway);
        session.try_login(name, "secret");
        session.event("buddy_added");
        session.event("signed_on");
        for method in ["get_unread_msgs", "get_alpha_for_user", "observed_user_activity"] {
            assert!(session.request(method, json!({})), "{method}");
        }
        session
    }

    fn try_login(&mut self, name: &str, password: &str) {
        self.name = name.to_owned();
        assert!(self.request("account_login", json!({"passwd": password, "captcha": null})));
    }

    fn envelope(&self, messages: Value) -> Value {
        let data = json!({"ack": self.ack, "ssid": self.ssid, "messages": messages}).to_string();
        let answer = post(&self.http, &self.url, "forward_to_server", &data);
        assert_eq!(answer.status(), 200);
        let answer: Value = serde_json::from_str(&answer.text().expect("text")).expect("json");
        assert_eq!(answer["method"], "forward_to_client");
        answer["data"].clone()
    }

    fn message(&self, seq: u64, method: &str, mut arguments: Value) -> Value {
        arguments["ssid"] = json!(self.ssid);
        arguments["uid"] = json!(self.name);
        arguments["proto"] = json!("prpl-skype");
        let mut data = json!({"method": method, "data": arguments});
        if method == "send_im" {
            data["request_id"] = json!(self.requests);
        }
        json!([{"data": data, "to": {"system": "im"}, "from": {"system": "client", "ssid": self.ssid}, "seq": seq}])
    }

    /// Whether the request was accepted.
    fn request(&mut self, method: &str, arguments: Value) -> bool {
        let message = self.message(self.seq, method, arguments);
        let answer = self.envelope(message);
        self.seq += 1;
        if method == "send_im" {
            self.requests += 1;
        }
        assert_ne!(answer["ack"], 0, "lost");
        let accepted = !is_empty(&answer) || ack(&answer) >= self.seq;
        self.read(&answer);
        accepted
    }

    fn send(&mut self, to: &str, text: &str) -> bool {
        self.request("send_im", json!({"buid": to, "msg": text}))
    }

    fn read(&mut self, answer: &Value) {
        for message in answer["messages"].as_array().expect("messages") {
            assert_eq!(message["to"]["system"], "client");
            let seq = message["seq"].as_u64().expect("seq");
            if seq >= self.ack {
                assert_eq!(seq, self.ack, "no gaps");
                self.ack = seq + 1;
                self.events.push(message.clone());
            }
        }
    }

    fn poll(&mut self) {
        let answer = self.envelope(json!([]));
        self.read(&answer);
    }

    /// Polls until an event of that name comes, and takes it.
    fn event(&mut self, name: &str) -> Value {
        self.find(|message| message["data"]["name"] == name)["data"].clone()
    }

    fn find(&mut self, wanted: impl Fn(&Value) -> bool) -> Value {
        loop {
            if let Some(place) = self.events.iter().position(&wanted) {
                return self.events.remove(place);
            }
            self.poll();
        }
    }

    /// What is told up to now: everything before the answer to an own message to the echo.
    fn everything(&mut self) -> Vec<Value> {
        let mark = format!("mark {}", self.seq);
        assert!(self.send("echo123", &mark));
        self.find(|message| message["data"]["edata"]["msg"] == mark.as_str());
        // Takes the acknowledgement along.
        assert!(self.request("observed_user_activity", json!({})));
        std::mem::take(&mut self.events)
            .into_iter()
            .map(|message| message["data"].clone())
            .filter(|event| event["request_id"].is_null())
            .collect()
    }

    fn names(&mut self) -> Vec<String> {
        self.everything().iter().filter_map(|event| event["name"].as_str().map(str::to_owned)).collect()
    }
}

/// Contacts of each other, with nothing left to read.
fn befriend(one: &mut Session, other: &mut Session) {
    assert!(one.request("add_buddy", json!({"buid": other.name, "group": "Offline"})));
    other.event("buddy_request");
    assert!(other.request("auth_add", json!({"buid": one.name})));
    one.everything();
    other.everything();
}

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
        ("create_shared_group", json!({"is_native": false, "name": "1795333452"})),
        ("invite_to_group", json!({"gid": "g123", "iproto": "prpl-skype", "iuid": "alice", "ibuid": "bob"})),
        ("kick_member", json!({"buid": "g123;bob;prpl-skype"})),
        ("set_group_topic", json!({"gid": "g123", "topic": "Plans"})),
        ("leave_group", json!({"gid": "g123"})),
        ("start_audio_chat", json!({"buid": "bob"})),
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
fn presence_is_for_the_authorised() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    assert!(bob.request("set_status", json!({"ad": "", "primitive": "away", "status": "lunch", "auto_away": false})));

    // Alice asks; until Bob agrees she sees nothing of him.
    assert!(alice.request("add_buddy", json!({"buid": "BOB", "group": "Offline", "msg": "Hi, add me"})));
    let added = alice.event("buddy_added");
    let unseen = json!([{"buid": "bob", "alias": "bob", "group": "Offline", "primitive": "offline", "status": ""}]);
    assert_eq!(added["edata"], unseen);
    assert_eq!(bob.event("buddy_request")["edata"], json!({"buid": "alice", "msg": "Hi, add me"}));
    assert!(alice.names().is_empty());

    assert!(bob.request("auth_add", json!({"buid": "alice"})));
    let status = &alice.event("buddy_status")["edata"][0];
    assert_eq!(
        (&status["buid"], &status["primitive"], &status["status"]),
        (&json!("bob"), &json!("away"), &json!("lunch"))
    );
    let item = &bob.event("buddy_added")["edata"][0];
    assert_eq!((&item["buid"], &item["primitive"]), (&json!("alice"), &json!("available")), "asking authorises");

    assert!(alice.request("set_status", json!({"primitive": "BUSY", "status": "%s"})));
    let status = &bob.event("buddy_status")["edata"][0];
    assert_eq!((&status["primitive"], &status["status"]), (&json!("busy"), &json!("%s")));
    assert!(alice.request("set_status", json!({"primitive": "invisible"})));
    let status = &bob.event("buddy_status")["edata"][0];
    assert_eq!((&status["primitive"], &status["status"]), (&json!("offline"), &json!("%s")));
    assert!(alice.request("set_status", json!({"primitive": "offline"})));
    assert!(bob.names().is_empty(), "offline is offline");

    assert!(alice.request("change_buddy_alias", json!({"buid": "bob", "alias": "Bobby"})));
    assert_eq!(alice.event("buddy_status")["edata"][0]["alias"], "Bobby");
    assert!(bob.send("alice", "hi"));
    assert_eq!(alice.event("recv_im")["edata"]["alias"], "Bobby");

    // Bob removes Alice: she loses sight of him, he of her only by her own doing.
    assert!(bob.request("del_buddy", json!({"buid": "alice", "group": "Skype"})));
    assert_eq!(bob.event("buddy_removed")["edata"], json!({"buid": "alice"}));
    assert_eq!(alice.event("buddy_status")["edata"][0]["primitive"], "offline");
}

#[test]
fn requests_wait_for_the_one_who_is_asked() {
    let gateway = open();
    Session::login(&gateway, "bob").request("signoff_all", json!({}));
    let mut alice = Session::login(&gateway, "alice");
    assert!(alice.request("add_buddy", json!({"buid": "bob"})));
    let mut bob = Session::login(&gateway, "bob");
    assert_eq!(bob.event("buddy_request")["edata"], json!({"buid": "alice", "msg": ""}));
    assert!(bob.request("auth_deny", json!({"buid": "alice"})));
    assert!(bob.request("signoff_all", json!({})));
    let mut bob = Session::login(&gateway, "bob");
    assert!(!bob.names().contains(&"buddy_request".to_owned()), "denied is settled");

    assert!(alice.request("add_buddy", json!({"buid": "bob"})), "she may ask again");
    bob.event("buddy_request");
    assert!(bob.request("auth_block", json!({"buid": "alice"})));
    assert!(!alice.send("bob", "let me in"), "blocked");
    assert!(alice.request("add_buddy", json!({"buid": "bob"})));
    assert!(bob.names().is_empty(), "a blocked one can ask, but is not heard");
    assert!(bob.request("unblock_buddy", json!({"buid": "alice"})));
    assert!(alice.send("bob", "thanks"));
    bob.event("recv_im");
}

#[test]
fn a_block_hides_presence_and_stops_messages() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    befriend(&mut alice, &mut bob);
    assert!(bob.request("block_buddy", json!({"buid": "alice"})));
    assert_eq!(alice.event("buddy_status")["edata"][0]["primitive"], "offline");
    assert!(!alice.send("bob", "hello?"));
    assert!(!alice.request("im_typing", json!({"buid": "bob", "typing_state": "typing"})));
    assert!(bob.request("unblock_buddy", json!({"buid": "alice"})));
    assert_eq!(alice.event("buddy_status")["edata"][0]["primitive"], "available");
}

#[test]
fn several_logins_are_one_account() {
    let gateway = open();
    let mut bob = Session::login(&gateway, "bob");
    let mut desk = Session::login(&gateway, "alice");
    befriend(&mut desk, &mut bob);
    let mut phone = Session::login(&gateway, "alice");
    assert!(bob.names().is_empty(), "nothing changed for others");

    assert!(bob.send("alice", "hi"));
    let (one, other) = (desk.event("recv_im"), phone.event("recv_im"));
    assert_eq!(one, other, "both get it, with one id");

    assert!(phone.send("bob", "from the phone"));
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "from the phone");
    let reflected = desk.event("reflect");
    assert_eq!(reflected["type"], "conv");
    assert_eq!((&reflected["edata"]["r_name"], &reflected["edata"]["buid"]), (&json!("send_im"), &json!("bob")));
    assert_eq!(reflected["edata"]["msg"], "from the phone");
    assert!(!phone.names().contains(&"reflect".to_owned()), "not to the one that did it");
    desk.everything();

    // Presence is that of the most present login.
    assert!(desk.request("set_status", json!({"primitive": "away", "status": ""})));
    let reflected = phone.find(|message| message["data"]["type"] == "account");
    let reflected = &reflected["data"];
    assert_eq!(reflected["name"], "reflect");
    assert_eq!(reflected["edata"], json!({"r_name": "set_status", "primitive": "away", "status": ""}));
    assert!(bob.names().is_empty(), "the phone is still available");
    assert!(phone.request("signoff_all", json!({})));
    assert_eq!(bob.event("buddy_status")["edata"][0]["primitive"], "away");
    assert!(desk.request("signoff_all", json!({})));
    assert_eq!(bob.event("buddy_status")["edata"][0]["primitive"], "offline");
}

#[test]
fn a_new_poll_ends_the_old_and_an_idle_one_ends_by_itself() {
    let mut config = GatewayConfig::embedded(None);
    config.poll_limit = Duration::from_millis(50);
    let gateway = Gateway::start(config).expect("start");
    let mut alice = Session::login(&gateway, "alice");
    alice.poll();
    assert!(is_empty(&alice.envelope(json!([]))));

    let gateway = open();
    let alice = Session::login(&gateway, "alice");
    std::thread::scope(|scope| {
        let old = scope.spawn(|| alice.envelope(json!([])));
        // A metric tells when it is held.
        let held = || http().get(format!("{}metrics", gateway.url())).send().expect("get").text().expect("text");
        while !held().contains("polls_held 1") {}
        let new = scope.spawn(|| alice.envelope(json!([])));
        assert!(is_empty(&old.join().expect("old")));
        let message = alice.message(alice.seq, "change_buddy_alias", json!({"buid": "echo123", "alias": "Echo"}));
        assert!(is_empty(&alice.envelope(message)), "events are for the poll");
        assert!(!is_empty(&new.join().expect("new")));
    });
}

#[test]
fn a_stop_answers_the_polls_that_are_held() {
    let gateway = open();
    let alice = Session::login(&gateway, "alice");
    let url = gateway.url().to_owned();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| alice.envelope(json!([])));
        let metrics = || http().get(format!("{url}metrics")).send().expect("get").text().expect("text");
        while !metrics().contains("polls_held 1") {}
        gateway.stop();
        assert!(is_empty(&held.join().expect("answered")));
    });
    assert!(http().get(&url).send().is_err(), "nobody listens any more");
}

#[test]
fn what_is_no_request_is_answered_and_does_no_harm() {
    let gateway = open();
    let url = gateway.url();
    let mut alice = Session::login(&gateway, "alice");
    let http = http();
    let deep = format!("{{\"messages\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let ssid = alice.ssid.clone();
    let table = [
        ("forward_to_server", "".to_owned(), "JSON"),
        ("forward_to_server", "{".to_owned(), "JSON"),
        ("forward_to_server", "[1]".to_owned(), "object"),
        ("forward_to_server", "7".to_owned(), "object"),
        ("forward_to_server", "\"\\ud83d\"".to_owned(), "JSON"),
        ("forward_to_server", deep, "JSON"),
        ("forward_to_server", "{}".to_owned(), "messages"),
        ("forward_to_server", json!({"messages": []}).to_string(), "ssid"),
        ("forward_to_server", json!({"ssid": 0, "messages": []}).to_string(), "ssid"),
        ("forward_to_server", json!({"ssid": ssid, "messages": {}}).to_string(), "messages"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [5]}).to_string(), "objects"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [{"seq": -1, "data": {}}]}).to_string(), "seq"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [{"seq": 1.5, "data": {}}]}).to_string(), "seq"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [{"seq": 1, "data": 5}]}).to_string(), "data"),
        ("rest_rpc", "{}".to_owned(), "get_cookie_and_ssid"),
        ("dance", "{}".to_owned(), "forward_to_server"),
    ];
    for (method, data, word) in table {
        let answer = post(&http, url, method, &data);
        assert_eq!(answer.status(), 400, "{data}");
        let text = answer.text().expect("text");
        let answer: Value = serde_json::from_str(&text).expect("json");
        assert!(answer["error"].as_str().expect("error").contains(word), "{text}");
    }
    let form = "application/x-www-form-urlencoded";
    let raw = |body: Vec<u8>, kind: &str| {
        let request = http.post(format!("{url}imo")).header("content-type", kind).body(body);
        request.send().map(|answer| answer.status().as_u16())
    };
    assert_eq!(raw(b"method=echo&data=%FF".to_vec(), form).expect("answer"), 400);
    assert_eq!(raw(b"method=echo&data=\xff".to_vec(), form).expect("answer"), 400);
    assert_eq!(raw(vec![0xff; 4_096], form).expect("answer"), 400);
    assert_eq!(raw(b"method=echo".to_vec(), form).expect("answer"), 400);
    assert_eq!(raw(b"method=echo&data={}".to_vec(), "text/plain").expect("answer"), 415);
    assert_eq!(raw(b"method=echo&data={}".to_vec(), form).expect("answer"), 200);
    // Refused by its announced length, before it is read.
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut socket = TcpStream::connect(address).expect("connect");
    let head = format!("POST /imo HTTP/1.1\r\nHost: x\r\nContent-Type: {form}\r\nContent-Length: 4294967295\r\n\r\n");
    socket.write_all(head.as_bytes()).expect("write");
    let mut line = [0; 12];
    socket.read_exact(&mut line).expect("read");
    assert_eq!(&line, b"HTTP/1.1 413");
    // No HTTP at all.
    let mut socket = TcpStream::connect(address).expect("connect");
    socket.write_all(&[0xff; 512]).expect("write");
    drop(socket);
    assert!(alice.send("echo123", "alive"));
    alice.event("recv_im");
}

#[test]
fn accounts_and_messages_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let gateway = on_disk(&file);
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    befriend(&mut alice, &mut bob);
    assert!(bob.request("set_status", json!({"primitive": "available", "status": "mood"})));
    assert!(bob.request("signoff_all", json!({})));
    assert!(alice.send("bob", "still there?"));
    gateway.stop();

    let gateway = on_disk(&file);
    let mut eve = Session::new(&gateway);
    eve.try_login("bob", "wrong");
    assert_eq!(eve.event("disconnect")["edata"]["msg"], "uidpassword", "registered already");
    let mut bob = Session::new(&gateway);
    bob.try_login("bob", "secret");
    let list = bob.event("buddy_added")["edata"].clone();
    let names: Vec<_> = list.as_array().expect("list").iter().map(|item| item["buid"].clone()).collect();
    assert_eq!(names, ["alice", "echo123"]);
    assert!(bob.request("get_unread_msgs", json!({})));
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "still there?");
}

#[test]
fn many_senders_at_once_lose_nothing_on_disk() {
    let folder = tempfile::tempdir().expect("folder");
    let gateway = on_disk(&folder.path().join("gateway.db"));
    let mut bob = Session::login(&gateway, "bob");
    let senders: Vec<_> = (0..4).map(|number| Session::login(&gateway, &format!("sender{number}"))).collect();
    std::thread::scope(|scope| {
        for mut sender in senders {
            scope.spawn(move || (0..25).for_each(|number| assert!(sender.send("bob", &number.to_string()))));
        }
        let mut next = std::collections::HashMap::<String, u32>::new();
        for _ in 0..100 {
            let event = bob.event("recv_im");
            let next = next.entry(event["edata"]["buid"].as_str().expect("sender").to_owned()).or_default();
            assert_eq!(event["edata"]["msg"], next.to_string(), "in the order of each sender");
            *next += 1;
        }
    });
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
fn the_pages() {
    let gateway = open();
    Session::login(&gateway, "alice");
    let http = http();
    let get = |path: &str| http.get(format!("{}{path}", gateway.url())).send().expect("get");
    let start = get("");
    let cookie = start.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite"), "{cookie}");
    assert!(start.text().expect("text").contains("imo2skype gateway"));
    let health: Value = serde_json::from_str(&get("healthz").text().expect("text")).expect("json");
    assert_eq!((&health["status"], &health["sessions"]), (&json!("ok"), &json!(1)));
    let metrics = get("metrics").text().expect("text");
    assert!(metrics.contains("imo2skype_gateway_sessions 1"), "{metrics}");
    for path in ["b/a1b2c3", "nothing", "imo/../../etc/passwd"] {
        assert_eq!(get(path).status(), 404, "{path}");
    }
    assert_eq!(get("imo").status(), 405);
}

#[test]
fn what_stops_a_start_is_said_with_its_cure() {
    let gateway = open();
    let taken = gateway.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut config = GatewayConfig::default();
    config.listen.clone_from(&taken);
    let error = Gateway::start(config.clone()).expect_err("taken");
    assert!(matches!(error, Error::InvalidArgument { name: "listen", .. }), "{error:?}");
    assert!(error.to_string().contains(&taken) && error.to_string().contains("choose another port"), "{error}");
    config.listen = "nonsense".to_owned();
    let error = Gateway::start(config.clone()).expect_err("no address").to_string();
    assert!(error.contains("nonsense") && error.contains("127.0.0.1:8014"), "{error}");
    let folder = tempfile::tempdir().expect("folder");
    config.listen = "127.0.0.1:0".to_owned();
    config.database = Some(folder.path().join("no/such/gateway.db"));
    let error = Gateway::start(config).expect_err("no folder");
    assert!(matches!(error, Error::Store { .. }) && error.chain().contains("no/such"), "{error:?}");
}
