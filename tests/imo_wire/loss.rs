//! Connections, answers and sessions that are lost.

use std::net::TcpListener;
use std::time::Duration;

use imo2skype::backend::Action;
use imo2skype::backend::Backend;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Lost;
use imo2skype::backend::Receipt;
use imo2skype::backend::Typing;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

#[test]
fn a_broken_answer_keeps_the_session() {
    for broken in ["{\"method\":\"forward_to_client\",\"data\":{\"mess", "5", "", &"[".repeat(1000)] {
        let server = Server::start();
        let mut client = Client::online(&server);
        server.poll().raw("200 OK", "", broken);
        assert!(client.unreachable(1).contains("not JSON"));
        client.connect(2);
        let probe = server.request("observed_user_activity");
        assert_eq!((probe.seq(), probe.envelope["ssid"].as_str()), (4, Some("S")));
        probe.accept(json!([event(2, "recv_im", json!({"buid": "bob", "msg": "missed"}))]));
        client.expect_resumed(2);
        assert_eq!(client.body(), "missed");
        // Held until the end: a poll that is dropped is a connection lost.
        let poll = server.poll();
        assert_eq!(poll.envelope["ack"], 3);
        client.end();
    }
}

#[test]
fn repeats_after_a_lost_answer_are_dropped() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let message = |seq, body: &str| event(seq, "recv_im", json!({"buid": "bob", "msg": body}));
    server.poll().accept(json!([message(2, "one")]));
    assert_eq!(client.body(), "one");
    drop(server.poll());
    client.unreachable(1);
    client.connect(2);
    server.request("observed_user_activity").accept(json!([message(2, "one"), message(4, "three"), message(3, "two")]));
    client.expect_resumed(2);
    assert_eq!(client.body(), "two");
    assert_eq!(client.body(), "three");
    let poll = server.poll();
    assert_eq!(poll.envelope["ack"], 5);
    poll.accept(json!([7, {}, {"seq": "x"}, message(4, "three"), message(5, "four")]));
    assert_eq!(client.body(), "four");
    client.end();
}

#[test]
fn an_unanswered_message_is_sent_again_with_its_number() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    client.send(5, "hi");
    let first = server.request("send_im");
    let message = first.message().clone();
    drop(first);
    client.unreachable(1);
    client.send(6, "later");
    client.connect(2);
    let again = server.request("send_im");
    assert_eq!(*again.message(), message);
    again.accept(json!([down(2, "internal", json!({"request_id": 0, "response": {"timestamp": 9}}))]));
    assert_eq!(client.done(5), Ok(Receipt { time: Some(9), ..Receipt::default() }));
    server.request("observed_user_activity").accept(json!([]));
    client.expect_resumed(2);
    let later = server.request("send_im");
    assert_eq!(later.message()["data"]["data"]["msg"], "later");
    later.accept(json!([down(3, "internal", json!({"request_id": 1, "response": {}}))]));
    assert_eq!(client.done(6), Ok(Receipt::default()));
    client.end();
}

#[test]
fn typing_is_forgotten_with_the_connection() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    // Under way when the connection breaks: whether it arrived or not, it is not said again.
    client.typing("bob", Typing::Typing);
    let lost = server.request("im_typing");
    let seq = lost.seq();
    client.typing("carol", Typing::Typing);
    drop(lost);
    client.unreachable(1);
    client.connect(2);
    let instead = server.request("observed_user_activity");
    assert_eq!(instead.seq(), seq);
    instead.accept(json!([]));
    server.request("observed_user_activity").accept(json!([]));
    client.expect_resumed(2);
    // Nor is what waited.
    client.send(5, "hi");
    let call = server.request("send_im");
    assert_eq!(call.seq(), seq + 2);
    call.accept(json!([down(2, "internal", json!({"request_id": 0}))]));
    assert_eq!(client.done(5), Ok(Receipt::default()));
    client.end();
}

#[test]
fn a_session_the_server_has_forgotten_is_replaced() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    client.send(5, "accepted");
    server.request("send_im").accept(json!([]));
    client.send(6, "unclear");
    drop(server.request("send_im"));
    client.unreachable(1);
    client.connect(2);
    server.request("send_im").answer(0, json!([]));
    server.let_in("T");
    assert_eq!(client.done(5), Ok(Receipt::default()));
    assert_eq!(client.done(6), Err(Failure::Unclear));
    let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
    poll.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(2);
    client.end();
}

#[test]
fn an_error_page_after_a_loss_keeps_the_session_unless_a_new_one_opens() {
    let server = Server::start();
    let mut client = Client::online(&server);
    server.poll().raw("502 Bad Gateway", "", "");
    assert!(client.unreachable(1).contains("502"));
    client.connect(2);
    server.request("observed_user_activity").raw("502 Bad Gateway", "", "");
    server.request("GET /pre/ HTTP/1.1").raw("502 Bad Gateway", "", "");
    server.request("get_cookie_and_ssid").raw("502 Bad Gateway", "", "");
    client.unreachable(2);
    client.connect(3);
    let probe = server.request("observed_user_activity");
    assert_eq!((probe.envelope["ssid"].as_str(), probe.seq()), (Some("S"), 4));
    probe.raw("500 Unknown", "", "");
    server.let_in("T");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(3);
    client.end();
}

#[test]
fn an_end_by_the_server_is_told_once() {
    let ends = [
        json!([
            event(2, "expired", json!(null)),
            event(3, "recv_im", json!({"buid": "bob", "msg": "last"})),
            event(4, "expired", json!(null))
        ]),
        json!([event(3, "recv_im", json!({"buid": "bob", "msg": "last"})), down(4, "reset", json!({"name": "reset"}))]),
        json!([
            event(2, "recv_im", json!({"buid": "bob", "msg": "last"})),
            event(3, "disconnect", json!({"msg": "x"}))
        ]),
    ];
    for end in ends {
        let server = Server::start();
        let mut client = Client::online(&server);
        server.poll().accept(end);
        assert_eq!(client.body(), "last");
        assert!(matches!(client.lost(1), Lost::Ended));
        client.connect(2);
        server.let_in("T");
        let poll = server.poll();
        assert_eq!(poll.envelope, json!({"ack": 0, "ssid": "T", "messages": []}));
        client.end();
    }
}

#[test]
fn a_server_that_knows_no_request_has_lost_us() {
    let server = Server::start();
    let client = Client::online(&server);
    server.poll().answer(0, json!([]));
    assert!(matches!(client.lost(1), Lost::Ended));
    client.end();

    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    client.send(5, "hi");
    server.request("send_im").answer(0, json!([]));
    assert!(matches!(client.lost(1), Lost::Ended));
    client.connect(2);
    server.let_in("T");
    let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
    poll.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(2);
    // The server certainly had not taken it.
    let again = server.request("send_im");
    assert_eq!((again.message()["data"]["data"]["msg"].as_str(), again.seq()), (Some("hi"), 4));
    again.accept(json!([down(1, "internal", json!({"request_id": 0}))]));
    assert_eq!(client.done(5), Ok(Receipt::default()));
    client.end();
}

#[test]
fn however_a_session_ends_the_next_goes_on_with_what_was_not_sent() {
    let missed = || json!({"buid": "bob", "msg": "missed", "msg_id": "m1"});
    for end in ["expired", "reset", "disconnect", "ack 0", "HTTP 500"] {
        let server = Server::start();
        let mut client = Client::online(&server);
        let poll = server.poll();
        match end {
            "expired" => poll.accept(json!([event(2, "recv_im", missed()), event(3, "expired", json!(null))])),
            "reset" => poll.accept(json!([event(2, "recv_im", missed()), down(3, "reset", json!({"name": "reset"}))])),
            "disconnect" => {
                let gone = event(3, "disconnect", json!({"msg": "gone"}));
                poll.accept(json!([event(2, "recv_im", missed()), gone]));
            }
            "ack 0" => poll.answer(0, json!([])),
            _ => poll.raw("500 Unknown session", "", "<html>"),
        }
        if let "ack 0" | "HTTP 500" = end {
            client.lost(1);
        } else {
            assert_eq!(client.body(), "missed", "{end}");
            assert!(matches!(client.lost(1), Lost::Ended), "{end}");
        }
        client.send(5, "waits");
        client.connect(2);
        if end == "HTTP 500" {
            // The session may have outlived it; that it has not is told once more.
            server.request("observed_user_activity").raw("500 Unknown session", "", "<html>");
        }
        server.let_in("T");
        let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
        poll.accept(json!([
            event(0, "signed_on", json!({"alias": "Alice A"})),
            event(1, "recv_im", missed()),
            event(2, "recv_im", json!({"buid": "bob", "msg": "new"})),
        ]));
        client.expect_connected(2);
        // The same message has the same id, by which it is known.
        for wanted in ["m1", "T/2"] {
            match client.event() {
                Event::Message(message) => assert_eq!(message.remote.as_str(), wanted, "{end}"),
                other => panic!("no message: {other:?}"),
            }
        }
        let waited = server.request("send_im");
        assert_eq!((waited.envelope["ssid"].as_str(), waited.seq()), (Some("T"), 4), "{end}");
        waited.accept(json!([down(3, "internal", json!({"request_id": 0}))]));
        assert_eq!(client.done(5), Ok(Receipt::default()), "{end}");
        client.end();
    }
}

#[test]
fn nobody_at_the_door_is_told() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    let url = format!("http://{}/", listener.local_addr().expect("an address"));
    drop(listener);
    let mut client = Client::of(&url);
    for epoch in 1..4 {
        client.connect(epoch);
        assert!(client.unreachable(epoch).contains("cannot connect"));
    }
    client.end();

    // Somebody who does not speak TLS is as good as nobody.
    let server = Server::start();
    let mut client = Client::of(&server.url.replace("http:", "https:"));
    client.connect(1);
    assert!(client.unreachable(1).contains("cannot connect"));
    client.end();
}

#[test]
fn a_stop_waits_for_no_server() {
    // While the opening, a request or a poll is held; and whether or not it may log out.
    for grace in [Duration::ZERO, Duration::from_millis(10)] {
        let server = Server::start();
        let mut client = Client::of(&server.url);
        client.connect(1);
        let held = server.request("GET /pre/ HTTP/1.1");
        client.backend.stop(grace);
        drop(held);

        let mut client = Client::online(&server);
        let held = server.poll();
        client.send(5, "hi");
        let request = server.request("send_im");
        client.send(6, "waits");
        client.backend.stop(grace);
        assert_eq!(client.done(5), Err(Failure::Unclear));
        assert_eq!(client.done(6), Err(Failure::NotConnected));
        drop((held, request));
        client.end();
    }
}

#[test]
fn logging_out_cuts_short_and_is_silent() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let held = server.poll();
    client.submit(Action::Disconnect);
    let farewell = server.request("signoff_all");
    assert_eq!(farewell.message()["data"]["data"], json!({"ssid": "S"}));
    farewell.accept(json!([]));
    client.connect(2);
    server.let_in("T");
    drop(held);
    let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
    poll.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(2);
    client.end();
}

#[test]
fn what_comes_while_logging_out_is_not_acknowledged() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let held = server.poll();
    client.send(5, "bye");
    let cut = server.request("send_im");
    client.submit(Action::Disconnect);
    // Nobody reads it here any more: it has to come again at the next login.
    let late = json!([event(2, "recv_im", json!({"buid": "bob", "msg": "one more thing"}))]);
    let again = server.request("send_im");
    assert_eq!((again.seq(), &again.envelope["ack"]), (4, &json!(2)));
    again.accept(late.clone());
    let farewell = server.request("signoff_all");
    assert_eq!(farewell.envelope["ack"], 2);
    farewell.accept(late);
    assert_eq!(client.done(5), Ok(Receipt::default()));
    drop((held, cut));
    client.end();
}

#[test]
fn a_login_is_cut_short_by_logging_out() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.connect(1);
    let held = server.request("GET /pre/ HTTP/1.1");
    client.submit(Action::Disconnect);
    client.connect(2);
    server.let_in("S");
    let _poll = server.poll();
    drop(held);
    assert!(!client.events.try_iter().any(|event| matches!(event, Event::Disconnected { .. })));
    client.end();
}

#[test]
fn a_stop_with_grace_sends_and_says_goodbye() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    client.send(5, "bye");
    let script = std::thread::spawn(move || {
        server.request("send_im").accept(json!([]));
        let farewell = server.requests.recv_timeout(crate::server::GUARD).expect("a request");
        // Cut short by the stop, the message may come once more, with its number.
        let farewell = if farewell.name() == "send_im" {
            assert_eq!(farewell.seq(), 4);
            farewell.accept(json!([]));
            server.request("signoff_all")
        } else {
            farewell
        };
        assert_eq!(farewell.name(), "signoff_all");
        farewell.accept(json!([]));
    });
    client.backend.stop(crate::server::GUARD);
    script.join().expect("the script went to its end");
    assert_eq!(client.done(5), Ok(Receipt::default()));
    client.end();
}
