//! What goes to the network and what comes from it while the account is online.

use std::time::Duration;

use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::Contact;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Ticket;
use imo2skype::backend::imo::Limits;
use imo2skype::model::Handle;
use serde_json::Value;
use serde_json::json;

use crate::client::Client;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

fn delivered(seq: u64, request_id: u64) -> Value {
    down(seq, "internal", json!({"request_id": request_id, "response": {"timestamp": 1_353_571_201}}))
}

#[test]
fn a_delivery_is_told_before_in_and_after_the_answer() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let receipt = Ok(Receipt { time: Some(1_353_571_201), remote: None });

    client.send(10, "a\r\nb \u{1f600}+&=%");
    let call = server.request("send_im");
    assert_eq!(
        *call.message(),
        json!({"data": {"method": "send_im", "request_id": 0, "data": {
                "ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "bob", "msg": "a\r\nb \u{1f600}+&=%"}},
            "to": {"system": "im"}, "from": {"system": "client", "ssid": "S"}, "seq": 4})
    );
    server.poll().accept(json!([delivered(2, 0), delivered(3, 77)]));
    assert_eq!(client.done(10), receipt);
    call.accept(json!([]));

    client.send(11, "in");
    let call = server.request("send_im");
    assert_eq!((call.message()["data"]["request_id"].as_u64(), call.seq()), (Some(1), 5));
    call.accept(json!([delivered(4, 1)]));
    assert_eq!(client.done(11), receipt);

    client.send(12, "after");
    server.request("send_im").accept(json!([]));
    server.poll().accept(json!([delivered(5, 2), delivered(6, 2)]));
    assert_eq!(client.done(12), receipt);

    client.send(13, "refused");
    let call = server.request("send_im");
    let seq = call.seq();
    call.answer(seq, json!([]));
    assert_eq!(client.done(13), Err(Failure::Refused));
    client.end();
}

#[test]
fn contacts_are_added_removed_and_answered() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    let arguments = |call: &crate::server::Call| call.message()["data"]["data"].clone();

    let user = Handle::new("z_x20oe");
    client.submit(Action::AddContact { ticket: Ticket(1), user: user.clone(), greeting: "hello".to_owned() });
    let call = server.request("add_buddy");
    let wanted =
        json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "z oe", "group": "Offline", "msg": "hello"});
    assert_eq!(arguments(&call), wanted);
    call.accept(json!([]));
    assert_eq!(client.done(1), Ok(Receipt::default()));

    client.submit(Action::RemoveContact { ticket: Ticket(2), user });
    let call = server.request("del_buddy");
    assert_eq!(arguments(&call)["group"], "Offline");
    call.accept(json!([]));
    assert_eq!(client.done(2), Ok(Receipt::default()));

    for (ticket, refused, wanted) in [(3, 0, Ok(Receipt::default())), (4, 1, Err(Failure::Refused))] {
        client.submit(Action::RemoveContact { ticket: Ticket(ticket), user: Handle::new("Bob") });
        let call = server.request("del_buddy");
        assert_eq!(arguments(&call)["group"], "Skype");
        let seq = call.seq();
        call.answer(seq, json!([]));
        let call = server.request("del_buddy");
        assert_eq!((arguments(&call)["group"].as_str(), call.seq()), (Some("Buddies"), seq + 1));
        call.answer(seq + 2 - refused, json!([]));
        assert_eq!(client.done(ticket), wanted);
    }

    for (ticket, accept, method) in [(5, true, "auth_add"), (6, false, "auth_deny")] {
        client.submit(Action::AnswerAuthRequest { ticket: Ticket(ticket), user: Handle::new("eve"), accept });
        let call = server.request(method);
        assert_eq!(arguments(&call), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "eve"}));
        call.accept(json!([]));
        assert_eq!(client.done(ticket), Ok(Receipt::default()));
    }
    client.end();
}

#[test]
fn offline_contacts_fail_at_once_and_messages_wait() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.send(1, "waits");
    client.submit(Action::RemoveContact { ticket: Ticket(2), user: Handle::new("bob") });
    assert_eq!(client.done(2), Err(Failure::NotConnected));
    for ticket in 3..=1025 {
        client.send(ticket, "waits too");
    }
    let to = Address::User(Handle::new("bob"));
    let more = Action::SendText { ticket: Ticket(9999), to, body: "no room".to_owned() };
    assert_eq!(client.backend.submit(more.clone()), Err(more));
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    let call = server.request("send_im");
    assert_eq!(call.message()["data"]["data"]["msg"], "waits");
    call.accept(json!([delivered(1, 0)]));
    assert_eq!(client.done(1), Ok(Receipt { time: Some(1_353_571_201), remote: None }));
}

#[test]
fn presence_goes_out_and_comes_back() {
    let server = Server::start();
    let mut client = Client::online(&server);
    client.submit(Action::SetPresence { presence: Presence::Invisible, mood: "hush".to_owned() });
    let call = server.request("set_status");
    let wanted = json!({"ssid": "S", "ad": "", "primitive": "invisible", "status": "hush", "auto_away": false});
    assert_eq!((&call.message()["data"]["data"], &call.message()["to"]), (&wanted, &json!({"system": "session"})));
    call.accept(json!([]));

    let away = json!({"name": "reflect", "type": "account", "proto": "prpl-skype", "uid": "alice",
        "edata": {"r_name": "set_status", "primitive": "away", "status": "lunch"}});
    server.poll().accept(json!([down(2, "im", away)]));
    match client.event() {
        Event::OwnPresence { presence, mood } => {
            assert_eq!((presence, mood.as_deref()), (Presence::Away, Some("lunch")))
        }
        other => panic!("not our presence: {other:?}"),
    }
    server.request("observed_user_activity").accept(json!([]));

    let preference = json!({"preferences": [{"kind": "impref", "pref": "auto_away", "value": true}]});
    server.poll().accept(json!([down(3, "preference", preference)]));
    let call = server.request("set");
    assert_eq!(
        (&call.message()["data"], &call.message()["to"]["system"]),
        (
            &json!({"method": "set", "data": {"accounts": [{"uid": "alice", "proto": "prpl-skype"}],
                "preferences": [{"kind": "impref", "pref": "auto_away", "value": false}]}}),
            &json!("preference")
        )
    );
    call.accept(json!([]));
    client.end();
}

#[test]
fn the_user_is_said_to_be_there_between_polls() {
    let server = Server::start();
    let mut client = Client::with(&server.url, Limits { activity: Duration::ZERO, ..Limits::default() });
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    server.request("observed_user_activity").accept(json!([]));
    server.poll().accept(json!([]));
    server.request("observed_user_activity").accept(json!([]));
    client.end();
}

#[test]
fn contacts_and_requests_come_in() {
    let server = Server::start();
    let client = Client::online(&server);
    server.poll().accept(json!([
        event(2, "buddy_added", json!([{"buid": "dave", "alias": "Dave"}, {"buid": "g1;", "type": "group"}])),
        event(3, "buddy_status", json!([{"buid": "bob", "primitive": "away"}])),
        event(4, "buddy_request", json!({"buid": "eve", "msg": "Hi, add me"})),
        event(5, "buddy_removed", json!({"buid": "bob"})),
        event(6, "dancing", json!([])),
        down(7, "im", json!({"name": "recv_im", "proto": "prpl-aim", "edata": {"buid": "x", "msg": "not ours"}})),
        event(8, "recv_im", json!({"buid": "alice", "msg": "echo"})),
        event(9, "recv_im", json!({"buid": "bob", "msg": "at last"})),
    ]));
    match client.event() {
        Event::Contacts { contacts, complete } => {
            let mut dave = Contact::named(Handle::new("dave"));
            dave.name = Some("Dave".to_owned());
            dave.agreed = Some(true);
            assert_eq!((contacts, complete), (vec![dave], false));
        }
        other => panic!("no contact: {other:?}"),
    }
    match client.event() {
        Event::Contacts { contacts, complete: false } => assert_eq!(contacts[0].presence, Some(Presence::Away)),
        other => panic!("no contact: {other:?}"),
    }
    assert!(
        matches!(client.event(), Event::AuthRequest { user, text } if user.as_str() == "eve" && text == "Hi, add me")
    );
    assert!(matches!(client.event(), Event::ContactRemoved(user) if user.as_str() == "bob"));
    assert_eq!(client.body(), "at last");
    client.end();
}
