//! Messages that may have arrived already, and those that are taken back.

use std::time::Duration;

use imo2skype::backend::Action;
use imo2skype::backend::Backend;
use imo2skype::backend::Failure;
use imo2skype::backend::Lost;
use imo2skype::backend::Receipt;
use imo2skype::backend::Ticket;
use serde_json::json;

use crate::client::Client;
use crate::server::Call;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

/// The text and the mark of the next message, which must be posted in the session `ssid`.
fn sent(server: &Server, ssid: &str) -> (Call, String, String) {
    let call = server.request("send_im");
    assert_eq!(call.envelope["ssid"], ssid);
    let text = |name: &str| call.message()["data"]["data"][name].as_str().expect("a text").to_owned();
    let (body, mark) = (text("msg"), text("client_msg_id"));
    (call, body, mark)
}

/// The message that comes next is delivered.
fn deliver(server: &Server, ssid: &str, seq: u64, wanted: [&str; 2]) {
    let (call, body, mark) = sent(server, ssid);
    assert_eq!([body.as_str(), mark.as_str()], wanted);
    let request_id = call.message()["data"]["request_id"].clone();
    call.accept(json!([down(seq, "internal", json!({"request_id": request_id, "response": {"timestamp": 9}}))]));
}

/// Lets a client in whose last session is over.
fn let_in_again(server: &Server, client: &Client, epoch: u32) {
    server.poll_of("T").accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(epoch);
}

const DELIVERED: Result<Receipt, Failure> = Ok(Receipt { time: Some(9), remote: None, conversation: None });

/// A client that has lost the answer to the message 6, and then the session; 7 waits.
fn forgotten(server: &Server) -> Client {
    let mut client = Client::online(server);
    let _poll = server.poll();
    client.send(5, "accepted");
    server.request("send_im").accept(json!([]));
    client.send(6, "unclear");
    drop(server.request("send_im"));
    client.unreachable(1);
    client.send(7, "waits");
    client.connect(2);
    server.request("send_im").answer(0, json!([]));
    client
}

#[test]
fn what_may_be_lost_with_a_session_is_sent_again_in_the_next_before_all_else() {
    let server = Server::knowing_marks();
    let client = forgotten(&server);
    server.let_in("T");
    assert_eq!(client.done(5), Ok(Receipt::default()));
    let_in_again(&server, &client, 2);
    deliver(&server, "T", 1, ["unclear", "6"]);
    assert_eq!(client.done(6), DELIVERED);
    deliver(&server, "T", 2, ["waits", "7"]);
    assert_eq!(client.done(7), DELIVERED);
    client.end();
}

#[test]
fn the_next_server_may_not_know_what_was_sent_to_the_last() {
    let mut server = Server::knowing_marks();
    let client = forgotten(&server);
    server.knows_marks = false;
    server.let_in("T");
    assert_eq!(client.done(5), Ok(Receipt::default()));
    let_in_again(&server, &client, 2);
    assert_eq!(client.done(6), Err(Failure::Unclear));
    deliver(&server, "T", 1, ["waits", "7"]);
    assert_eq!(client.done(7), DELIVERED);
    client.end();
}

#[test]
fn what_is_under_way_when_the_server_ends_the_session_goes_on_in_the_next() {
    for marks in [true, false] {
        let server = if marks { Server::knowing_marks() } else { Server::start() };
        let mut client = Client::online(&server);
        client.send(5, "under way");
        let held = server.request("send_im");
        // The message is not among what it has taken.
        server.poll().answer(4, json!([down(2, "reset", json!({"name": "reset"}))]));
        if !marks {
            assert_eq!(client.done(5), Err(Failure::Unclear));
        }
        assert!(matches!(client.lost(1), Lost::Ended));
        client.connect(2);
        server.let_in("T");
        let_in_again(&server, &client, 2);
        if marks {
            deliver(&server, "T", 1, ["under way", "5"]);
            assert_eq!(client.done(5), DELIVERED);
        }
        drop(held);
        client.end();
    }
}

#[test]
fn what_a_program_before_may_have_sent_is_sent_only_to_a_server_that_can_tell() {
    let server = Server::knowing_marks();
    let mut client = Client::online(&server);
    client.send_again(5, "again", "a7");
    client.send(6, "new");
    deliver(&server, "S", 2, ["again", "a7"]);
    assert_eq!(client.done(5), DELIVERED);
    deliver(&server, "S", 3, ["new", "6"]);
    assert_eq!(client.done(6), DELIVERED);
    client.end();

    let server = Server::start();
    let mut client = Client::online(&server);
    client.send_again(5, "again", "a7");
    client.send(6, "new");
    assert_eq!(client.done(5), Err(Failure::Unclear));
    deliver(&server, "S", 2, ["new", "6"]);
    assert_eq!(client.done(6), DELIVERED);
    client.end();
}

#[test]
fn what_a_resumed_session_knew_it_knows() {
    let server = Server::knowing_marks();
    let mut client = Client::online(&server);
    drop(server.poll());
    client.unreachable(1);
    client.send_again(5, "again", "a7");
    client.connect(2);
    server.request("observed_user_activity").accept(json!([]));
    client.expect_resumed(2);
    deliver(&server, "S", 2, ["again", "a7"]);
    assert_eq!(client.done(5), DELIVERED);
    client.end();
}

#[test]
fn at_the_end_what_may_have_arrived_is_unclear() {
    let server = Server::knowing_marks();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    client.send(5, "hi");
    let _held = server.request("send_im");
    client.send(6, "waits");
    client.send_again(7, "again", "a7");
    client.backend.stop(Duration::ZERO);
    assert_eq!(client.done(5), Err(Failure::Unclear));
    assert_eq!(client.done(6), Err(Failure::NotConnected));
    assert_eq!(client.done(7), Err(Failure::Unclear));
    client.end();
}

#[test]
fn what_was_not_begun_is_taken_back_also_offline() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.send(5, "no");
    client.send(6, "yes");
    for ticket in [99, 5, 5] {
        client.submit(Action::Withdraw { ticket: Ticket(ticket) });
    }
    assert_eq!(client.done(5), Err(Failure::NotConnected));
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    // Begun, it goes its way.
    let (call, body, _) = sent(&server, "S");
    assert_eq!(body, "yes");
    client.send(7, "no");
    for ticket in [6, 7] {
        client.submit(Action::Withdraw { ticket: Ticket(ticket) });
    }
    call.accept(json!([down(1, "internal", json!({"request_id": 0, "response": {"timestamp": 9}}))]));
    assert_eq!(client.done(6), DELIVERED);
    assert_eq!(client.done(7), Err(Failure::NotConnected));
    client.send(8, "yes");
    deliver(&server, "S", 2, ["yes", "8"]);
    assert_eq!(client.done(8), DELIVERED);
    client.end();
}
