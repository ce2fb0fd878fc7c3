//! Calls: placed, taken, answered, ended.

use imo2skype::backend::Call;
use imo2skype::backend::CallControl;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Receipt;
use imo2skype::backend::Task;
use imo2skype::model::CallStatus;
use imo2skype::model::CallType;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;
use serde_json::Value;
use serde_json::json;

use crate::actions::arguments;
use crate::client::Client;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

fn av(seq: u64, name: &str, kind: &str, edata: Value) -> Value {
    down(seq, "av", json!({"name": name, "type": kind, "proto": "prpl-skype", "uid": "alice", "edata": edata}))
}

fn call(client: &Client) -> Call {
    match client.event() {
        Event::Call(call) => call,
        other => panic!("no call: {other:?}"),
    }
}

fn place(client: &mut Client, ticket: u64) {
    client.task(ticket, Task::PlaceCall { users: vec![Handle::new("bob")], voicemail: false });
}

fn control(client: &mut Client, ticket: u64, call: &RemoteId, control: CallControl) {
    client.task(ticket, Task::Call { call: call.clone(), control });
}

/// Bob has called; the next message has seq 3.
fn ringing(server: &Server, client: &Client) -> RemoteId {
    let edata = json!({"buid": "bob", "is_initiator": false, "send_stream": "a", "recv_stream": "b"});
    server.poll().accept(json!([av(2, "streams_info", "AV", edata)]));
    let call = call(client);
    assert_eq!((call.id.as_str(), call.partner.as_str(), call.page), ("S/2", "bob", None));
    assert_eq!((call.kind, call.status), (CallType::IncomingP2p, CallStatus::Ringing));
    call.id
}

#[test]
fn a_call_is_placed_answered_and_ends() {
    let server = Server::start();
    let mut client = Client::online(&server);
    place(&mut client, 1);
    let request = server.request("start_audio_chat");
    assert_eq!(arguments(&request), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "bob"}));
    assert_eq!(request.message()["to"]["system"], "av");
    request.accept(json!([]));
    let id = client.done(1).expect("placed").remote.expect("an id");
    let pipe = json!({"buid": "bob", "is_initiator": true, "pipe": {"ip": "192.0.2.1", "conv": "c1", "role": 1}});
    server.poll().accept(json!([
        av(2, "streams_info", "call", pipe),
        av(3, "answered", "call", json!({"buid": "bob"})),
        av(4, "ended", "av", json!({"buid": "bob"})),
        av(5, "ended", "video", json!({"buid": "bob"})),
    ]));
    for status in [CallStatus::Ringing, CallStatus::InProgress, CallStatus::Finished] {
        let call = call(&client);
        assert_eq!((call.id, call.kind, call.status), (id.clone(), CallType::OutgoingP2p, status));
    }
    client.end();
}

#[test]
fn the_news_of_a_call_may_be_faster_than_the_answer() {
    let server = Server::start();
    let mut client = Client::online(&server);
    place(&mut client, 1);
    let request = server.request("start_audio_chat");
    let streams = json!({"buid": "bob", "is_initiator": true, "send_stream": "a", "recv_stream": "b"});
    server.poll().accept(json!([av(2, "streams_info", "video", streams)]));
    let id = client.done(1).expect("placed").remote.expect("an id");
    assert_eq!(call(&client).id, id);
    request.accept(json!([]));
    control(&mut client, 2, &id, CallControl::End);
    let request = server.request("end_audio_chat");
    assert_eq!(arguments(&request), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "bob"}));
    request.accept(json!([]));
    assert_eq!(client.done(2), Ok(Receipt::default()));
    assert_eq!(call(&client).status, CallStatus::Finished);
    client.end();
}

#[test]
fn a_refused_call_is_none() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    place(&mut client, 1);
    let request = server.request("start_audio_chat");
    let seq = request.seq();
    request.answer(seq, json!([]));
    assert_eq!(client.done(1), Err(Failure::Refused));
    client.end();
}

#[test]
fn a_call_is_taken_if_the_server_lets_us() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let id = ringing(&server, &client);
    for (ticket, refused) in [(1, 1), (2, 0)] {
        control(&mut client, ticket, &id, CallControl::Answer);
        let request = server.request("accept_audio_chat");
        assert_eq!(arguments(&request), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "bob"}));
        assert_eq!(request.message()["to"]["system"], "av");
        let seq = request.seq();
        request.answer(seq + 1 - refused, json!([]));
    }
    assert_eq!((client.done(1), client.done(2)), (Err(Failure::Refused), Ok(Receipt::default())));
    assert_eq!(call(&client).status, CallStatus::InProgress);
    for (ticket, other) in [(3, CallControl::Hold(true)), (4, CallControl::Dtmf('1')), (5, CallControl::Redirect)] {
        control(&mut client, ticket, &id, other);
        assert_eq!(client.done(ticket), Err(Failure::Refused));
    }
    control(&mut client, 6, &id, CallControl::End);
    let request = server.request("end_audio_chat");
    let seq = request.seq();
    request.answer(seq, json!([]));
    assert_eq!(client.done(6), Err(Failure::Refused));
    client.end_with_calls(1);
}

#[test]
fn a_page_is_told_if_it_is_below_the_server() {
    let server = Server::start();
    let client = Client::online(&server);
    let pages = ["call/7?key=a", "../call", "https://evil.example/", "//evil.example/pre/x", "javascript:alert(1)"];
    let streams = pages.iter().zip(2..).map(|(page, seq)| {
        av(seq, "streams_info", "av", json!({"buid": format!("u{seq}"), "send_stream": "a", "page": page}))
    });
    server.poll().accept(streams.collect());
    assert_eq!(call(&client).page, Some(format!("{}/call/7?key=a", server.url)));
    for _ in 1..pages.len() {
        assert_eq!(call(&client).page, None);
    }
    client.end_with_calls(pages.len());
}

#[test]
fn calls_end_with_their_session_and_over_there_with_the_connection() {
    let server = Server::start();
    let client = Client::online(&server);
    let id = ringing(&server, &client);
    server.poll().accept(json!([event(3, "expired", json!(null))]));
    let over = call(&client);
    assert_eq!((over.id, over.status), (id, CallStatus::Finished));
    client.lost(1);
    client.end();

    let server = Server::start();
    let mut client = Client::online(&server);
    ringing(&server, &client);
    drop(server.poll());
    // Whoever hears of the loss knows that there are no calls.
    client.unreachable(1);
    client.connect(2);
    server.request("observed_user_activity").accept(json!([]));
    client.expect_resumed(2);
    assert_eq!(arguments(&server.request("end_audio_chat"))["buid"], "bob");
    client.end();
}
