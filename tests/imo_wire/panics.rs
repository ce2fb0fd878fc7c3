//! A panic where an event is delivered, on either thread: it must not leave an account that only looks online.

use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Receipt;
use serde_json::Value;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

fn message(seq: u64, body: &str) -> Value {
    event(seq, "recv_im", json!({"buid": "bob", "msg": body}))
}

fn is_message(event: &Event) -> bool {
    matches!(event, Event::Message(_))
}

fn is_outcome(event: &Event) -> bool {
    matches!(event, Event::Done { .. })
}

fn is_login(event: &Event) -> bool {
    matches!(event, Event::Connected { .. })
}

/// The session was given up: there is another, in which `again` comes again.
fn come_back(server: &Server, client: &mut Client, again: Value) {
    assert!(client.unreachable(1).contains("internal error"));
    client.connect(2);
    server.let_in("T");
    server.poll_of("T").accept(json!([event(0, "signed_on", json!({"alias": "Alice A"})), again]));
    client.expect_connected(2);
}

/// A message is sent, delivered, and told to be so.
fn works(server: &Server, client: &mut Client, ticket: u64) {
    client.send(ticket, "still here");
    let call = server.request("send_im");
    let request_id = call.message()["data"]["request_id"].clone();
    call.accept(json!([down(9, "internal", json!({"request_id": request_id}))]));
    assert_eq!(client.done(ticket), Ok(Receipt::default()));
}

#[test]
fn a_panic_while_polling_costs_a_login_and_nothing_else() {
    for marks in [true, false] {
        let server = if marks { Server::knowing_marks() } else { Server::start() };
        let mut client = Client::online(&server);
        client.send(5, "under way");
        let held = server.request("send_im");
        client.send(6, "waits");
        client.panic_at(is_message);
        // The message that is sent is not among what the server has taken.
        server.poll().answer(4, json!([message(2, "lost"), message(3, "next")]));
        if !marks {
            assert_eq!(client.done(5), Err(Failure::Unclear));
        }
        // Not acknowledged, it comes again.
        come_back(&server, &mut client, message(1, "lost"));
        assert_eq!(client.body(), "lost");
        let bodies: &[_] = if marks { &["under way", "waits"] } else { &["waits"] };
        for (at, body) in bodies.iter().enumerate() {
            let call = server.request("send_im");
            assert_eq!(call.message()["data"]["data"]["msg"], *body);
            call.accept(json!([down(at as u64 + 2, "internal", json!({"request_id": at}))]));
            let ticket = 7 - (bodies.len() - at) as u64;
            assert_eq!(client.done(ticket), Ok(Receipt::default()));
        }
        works(&server, &mut client, 7);
        drop(held);
        client.end();
    }
}

#[test]
fn a_panic_while_asking_costs_a_login_and_nothing_else() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    client.panic_at(is_message);
    client.send(5, "hi");
    server.request("send_im").accept(json!([message(2, "lost"), message(3, "next")]));
    // The server had taken it.
    assert_eq!(client.done(5), Ok(Receipt::default()));
    come_back(&server, &mut client, message(1, "lost"));
    assert_eq!(client.body(), "lost");
    works(&server, &mut client, 6);
    client.end();
}

#[test]
fn a_panic_about_one_outcome_leaves_the_others() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    for ticket in [5, 6] {
        client.send(ticket, "hi");
        server.request("send_im").accept(json!([]));
    }
    client.panic_at(is_outcome);
    client.send(7, "hi");
    server.request("send_im").accept(json!([down(2, "reset", json!({"name": "reset"}))]));
    // What was told of 5 nobody heard.
    assert_eq!(client.done(6), Ok(Receipt::default()));
    assert_eq!(client.done(7), Ok(Receipt::default()));
    assert!(matches!(client.event(), Event::Disconnected { .. }));
    client.connect(2);
    server.let_in("T");
    server.poll_of("T").accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(2);
    works(&server, &mut client, 8);
    client.end();
}

#[test]
fn a_panic_in_the_middle_of_a_login_is_a_login_that_failed() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.panic_at(is_login);
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    come_back(&server, &mut client, message(1, "hi"));
    assert_eq!(client.body(), "hi");
    works(&server, &mut client, 5);
    client.end();
}
