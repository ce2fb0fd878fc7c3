//! How answers are written: whatever JSON allows.

use imo2skype::backend::Event;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;
use crate::server::event;

/// An answer to a poll with one message, whose body is written so in JSON.
fn answer(seq: u64, body: &str) -> String {
    format!(
        r#"{{"method":"forward_to_client","data":{{"ack":4,"messages":[{{"to":{{"system":"client"}},
        "from":{{"system":"im"}},"seq":{seq},"data":{{"name":"recv_im","edata":{{"buid":"bob","msg":"{body}",
        "timestamp":1{seq}}}}}}}]}}}}"#
    )
}

#[test]
fn escapes_become_what_they_stand_for_and_numbers_keep_their_size() {
    let table = [
        (r"\ud83d\ude00", "\u{1f600}"),
        (r"\u00e9\u0301\ufeff", "\u{e9}\u{301}\u{feff}"),
        (r"a\u0001\u0007\tb\r\n", "a\u{1}\u{7}\tb\r\n"),
        (r#"\"\\\/\b\f"#, "\"\\/\u{8}\u{c}"),
        // No client takes a NUL.
        (r"a\u0000b", "ab"),
        // A server that says this again and again must be understood.
        (r"half a \ud83d character", "half a \u{fffd} character"),
    ];
    let server = Server::start();
    let client = Client::online(&server);
    // Beyond 32 bits.
    for (seq, (body, wanted)) in (1 << 40..).zip(table) {
        server.poll().raw("200 OK", "", &answer(seq, body));
        match client.event() {
            Event::Message(message) => {
                assert_eq!(message.body, wanted, "{body}");
                assert_eq!(message.time, Some(format!("1{seq}").parse().expect("a number")));
            }
            other => panic!("no message: {other:?}"),
        }
    }
    let poll = server.poll();
    assert_eq!(poll.envelope["ack"], (1_u64 << 40) + table.len() as u64);
    client.end();
}

#[test]
fn sessions_opened_at_once_have_ids_of_their_own() {
    let server = Server::start();
    let mut clients: Vec<_> = (0..8).map(|_| Client::of(&server.url)).collect();
    clients.iter_mut().for_each(|client| client.connect(1));
    let mut ids = std::collections::HashSet::new();
    // None may say that it is in before all have asked.
    let mut held = Vec::new();
    while ids.len() < clients.len() {
        let call = server.requests.recv_timeout(crate::server::GUARD).expect("a call");
        if call.name() == "get_cookie_and_ssid" {
            assert!(ids.insert(call.envelope["ssid"].as_str().expect("an id").to_owned()), "{:?}", call.envelope);
            held.push(call);
        } else {
            call.raw("200 OK", "", "");
        }
    }
    drop(held);
}

#[test]
fn a_contact_may_come_without_what_others_have() {
    let server = Server::start();
    let client = Client::online(&server);
    server.poll().accept(json!([
        event(2, "recv_im", json!({"buid": "bob", "msg": "nameless"})),
        event(3, "buddy_removed", json!([{"buid": "bob", "alias": "Bob", "group": "Skype"}])),
        event(4, "buddy_status", json!([{"buid": "dave", "primitive": "a".repeat(4000)}])),
        event(5, "buddy_added", json!([{"buid": "x".repeat(300)}])),
    ]));
    assert_eq!(client.body(), "nameless");
    assert!(matches!(client.event(), Event::ContactRemoved(user) if user.as_str() == "bob"));
    assert!(matches!(client.event(), Event::Contacts { contacts, .. } if contacts[0].handle.as_str() == "dave"));
    assert!(matches!(client.event(), Event::Contacts { contacts, .. } if contacts[0].handle.as_str().len() == 300));
    client.end();
}
