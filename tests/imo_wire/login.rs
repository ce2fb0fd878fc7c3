//! Opening a session, logging in, and the ways in which that fails.

use std::sync::atomic::Ordering;
use std::time::Duration;

use imo2skype::backend::Action;
use imo2skype::backend::Backend;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Lost;
use imo2skype::backend::Presence;
use imo2skype::backend::imo::Limits;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;
use crate::server::event;

#[test]
fn calls_come_in_order_with_cookies_on_few_connections() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.submit(Action::Connect { epoch: Epoch(1), presence: Presence::Busy, mood: "at work".to_owned() });

    let start = server.request("GET /pre/ HTTP/1.1");
    assert_eq!(start.header("User-Agent"), Some("XMLHttpRequest/1.0"));
    start.raw("404 Not Found", "Set-Cookie: a=1; Path=/\r\nSet-Cookie: b=2\r\n", "<html>");

    let opening = server.request("get_cookie_and_ssid");
    assert_eq!(opening.line, "POST /pre/imo HTTP/1.1");
    assert_eq!(opening.outer, "rest_rpc");
    assert_eq!(opening.header("Content-Type"), Some("application/x-www-form-urlencoded"));
    let id = opening.envelope["ssid"].as_str().expect("an id").to_owned();
    assert!(id.len() == 16 && id.bytes().all(|byte| byte.is_ascii_alphanumeric()), "{id}");
    assert_eq!(
        opening.envelope,
        json!({"ack": 0, "ssid": id, "messages": [{
            "data": {"method": "get_cookie_and_ssid",
                "data": {"ssid": id, "kind": "reui", "version": "1336611734.48"}},
            "to": {"system": "session"}, "from": {"system": "client", "ssid": id}, "seq": 0}]})
    );
    opening.json(&json!({"method": "rest_rpc", "data": [{"x": {"ssid": "S"}}]}));

    let account = json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype"});
    let mut login = account.clone();
    login["passwd"] = json!("s&cret =%");
    login["captcha"] = json!(null);
    let status = json!({"ssid": "S", "ad": "", "primitive": "busy", "status": "at work", "auto_away": false});
    let calls = [
        ("im", "account_login", login),
        ("im", "get_unread_msgs", account.clone()),
        ("alpha", "get_alpha_for_user", account),
        ("session", "observed_user_activity", json!({"ssid": "S"})),
        ("session", "set_status", status),
    ];
    for (seq, (system, method, arguments)) in calls.into_iter().enumerate() {
        let call = server.request(method);
        assert_eq!(call.outer, "forward_to_server");
        assert!(call.header("Cookie").is_some_and(|cookie| cookie.contains("a=1") && cookie.contains("b=2")));
        assert_eq!(
            call.envelope,
            json!({"ack": 0, "ssid": "S", "messages": [{
                "data": {"method": method, "data": arguments},
                "to": {"system": system}, "from": {"system": "client", "ssid": "S"}, "seq": seq}]})
        );
        call.accept(json!([]));
    }

    let poll = server.poll();
    assert_eq!(poll.envelope, json!({"ack": 0, "ssid": "S", "messages": []}));
    assert!(poll.header("Cookie").is_some_and(|cookie| cookie.contains("a=1")));
    poll.accept(json!([
        event(2, "recv_im", json!({"buid": "bob", "msg": "early"})),
        event(0, "signed_on", json!({"alias": "Alice A"})),
        event(1, "buddy_added", json!([{"buid": "bob"}])),
    ]));
    match client.event() {
        Event::Contacts { contacts, complete } => assert_eq!((contacts.len(), complete), (1, true)),
        other => panic!("not the contacts: {other:?}"),
    }
    client.expect_connected(1);
    assert_eq!(client.body(), "early");
    let poll = server.poll();
    assert_eq!(poll.envelope["ack"], 3);
    // One for the requests and one for the poll, and perhaps one that came too late to be used.
    assert!(server.connections.load(Ordering::SeqCst) <= 3);
    client.end();
}

#[test]
fn without_an_id_in_the_answer_our_own_stays() {
    for answer in [json!({}), json!({"data": {"ssid": "x".repeat(257)}}), json!({"data": {"ssid": 5}})] {
        let server = Server::start();
        let mut client = Client::of(&server.url);
        client.connect(1);
        server.request("GET /pre/ HTTP/1.1").raw("200 OK", "", "");
        let opening = server.request("get_cookie_and_ssid");
        let id = opening.envelope["ssid"].clone();
        opening.json(&answer);
        assert_eq!(server.request("account_login").envelope["ssid"], id);
        client.backend.stop(Duration::ZERO);
    }
}

#[test]
fn a_wrong_password_is_refused_once() {
    let table = [("uidpassword", "wrong user name or password"), ("toomanyattempts", "wait"), ("closed", "closed")];
    for (msg, wanted) in table {
        let server = Server::start();
        let mut client = Client::of(&server.url);
        client.connect(7);
        server.let_in("S");
        server.poll().accept(json!([event(0, "disconnect", json!({"msg": msg}))]));
        match client.lost(7) {
            Lost::Refused { reason } => assert!(reason.contains(wanted), "{reason}"),
            other => panic!("not refused: {other:?}"),
        }
        client.end();
    }
}

#[test]
fn an_error_page_is_no_session() {
    for (status, body) in [("404 Not Found", "<html>"), ("403 Forbidden", "{}"), ("500 Oops", "{}"), ("200 OK", "<p>")]
    {
        let server = Server::start();
        let mut client = Client::of(&server.url);
        client.connect(1);
        server.request("GET /pre/ HTTP/1.1").raw("200 OK", "", "");
        server.request("get_cookie_and_ssid").raw(status, "", body);
        let error = client.unreachable(1);
        assert!(error.contains(&status[..3]), "{error}");
        client.connect(2);
        server.let_in("S");
        client.end();
    }
}

#[test]
fn a_redirection_is_not_followed() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.connect(1);
    server.request("GET /pre/ HTTP/1.1").raw("302 Found", "Location: /other\r\n", "");
    server.request("get_cookie_and_ssid").raw("307 Elsewhere", "Location: /other\r\n", "");
    assert!(client.unreachable(1).contains("307"));
    client.end();
    assert!(server.requests.try_recv().is_err());
}

#[test]
fn a_body_without_end_is_not_read_to_it() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.connect(1);
    server.request("GET /pre/ HTTP/1.1").raw("200 OK", "", "");
    server.request("get_cookie_and_ssid").raw("200 OK", "", &" ".repeat((4 << 20) + 1));
    assert!(client.unreachable(1).contains("longer than"));
    client.end();
}

#[test]
fn a_login_without_outcome_ends() {
    let server = Server::start();
    let limits = Limits { login: Duration::from_millis(1), ..Limits::default() };
    let mut client = Client::with(&server.url, limits);
    client.connect(1);
    server.let_in("S");
    assert!(client.unreachable(1).contains("login"));
    client.end();
}

#[test]
fn a_refused_login_call_is_told() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.connect(1);
    server.request("GET /pre/ HTTP/1.1").raw("200 OK", "", "");
    server.request("get_cookie_and_ssid").json(&json!({"data": {"ssid": "S"}}));
    server.request("account_login").answer(0, json!([]));
    assert!(matches!(client.lost(1), Lost::Ended));
    client.end();
}
