//! What goes to the network and what comes from it while the account is online.

use std::time::Duration;

use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::CallControl;
use imo2skype::backend::Change;
use imo2skype::backend::Contact;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Mark;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Task;
use imo2skype::backend::Ticket;
use imo2skype::backend::Typing;
use imo2skype::backend::imo::Limits;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;
use serde_json::Value;
use serde_json::json;

use crate::client::Client;
use crate::server::Call;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

pub(crate) fn delivered(seq: u64, request_id: u64) -> Value {
    down(seq, "internal", json!({"request_id": request_id, "response": {"timestamp": 1_353_571_201}}))
}

/// What a call is about.
pub(crate) fn arguments(call: &Call) -> Value {
    call.message()["data"]["data"].clone()
}

#[test]
fn a_delivery_is_told_before_in_and_after_the_answer() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let receipt = Ok(Receipt { time: Some(1_353_571_201), ..Receipt::default() });

    client.send(10, "a\r\nb \u{1f600}+&=%");
    let call = server.request("send_im");
    assert_eq!(
        *call.message(),
        json!({"data": {"method": "send_im", "request_id": 0, "data": {"ssid": "S", "uid": "alice",
                "proto": "prpl-skype", "buid": "bob", "msg": "a\r\nb \u{1f600}+&=%", "client_msg_id": "10"}},
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
    let user = Handle::new("z_x20oe");
    client.task(1, Task::AddContact { user: user.clone(), greeting: "hello".to_owned() });
    let call = server.request("add_buddy");
    let wanted =
        json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "z oe", "group": "Offline", "msg": "hello"});
    assert_eq!(arguments(&call), wanted);
    call.accept(json!([]));
    assert_eq!(client.done(1), Ok(Receipt::default()));

    client.task(2, Task::RemoveContact { user });
    let call = server.request("del_buddy");
    assert_eq!(arguments(&call)["group"], "Offline");
    call.accept(json!([]));
    assert_eq!(client.done(2), Ok(Receipt::default()));

    for (ticket, refused, wanted) in [(3, 0, Ok(Receipt::default())), (4, 1, Err(Failure::Refused))] {
        client.task(ticket, Task::RemoveContact { user: Handle::new("Bob") });
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
        client.task(ticket, Task::AnswerAuthRequest { user: Handle::new("eve"), accept });
        let call = server.request(method);
        assert_eq!(arguments(&call), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "eve"}));
        call.accept(json!([]));
        assert_eq!(client.done(ticket), Ok(Receipt::default()));
    }
    client.end();
}

#[test]
fn contacts_are_blocked_and_named() {
    let server = Server::start();
    let mut client = Client::online(&server);
    server.poll().accept(json!([event(2, "buddy_request", json!({"buid": "eve", "msg": "Hi"}))]));
    assert!(matches!(client.event(), Event::AuthRequest { .. }));
    // Somebody who waits for an answer gets it, once.
    let table = [
        (1, "bob", true, "block_buddy"),
        (2, "eve", false, "unblock_buddy"),
        (3, "Eve", true, "auth_block"),
        (4, "eve", true, "block_buddy"),
    ];
    for (ticket, user, blocked, method) in table {
        client.task(ticket, Task::Block { user: Handle::new(user), blocked });
        let call = server.request(method);
        assert_eq!(arguments(&call), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": user}));
        call.accept(json!([]));
        assert_eq!(client.done(ticket), Ok(Receipt::default()));
    }

    for (ticket, alias, refused, wanted) in [(5, "B b", 0, Ok(Receipt::default())), (6, "", 1, Err(Failure::Refused))] {
        client.task(ticket, Task::SetAlias { user: Handle::new("z_x20oe"), alias: alias.to_owned() });
        let call = server.request("change_buddy_alias");
        let wanted_arguments =
            json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "z oe", "alias": alias});
        assert_eq!(arguments(&call), wanted_arguments);
        assert_eq!(call.message()["to"]["system"], "im");
        let seq = call.seq();
        call.answer(seq + 1 - refused, json!([]));
        assert_eq!(client.done(ticket), wanted);
    }
    client.end();
}

#[test]
fn an_answered_request_waits_no_longer() {
    let server = Server::start();
    let mut client = Client::online(&server);
    server.poll().accept(json!([event(2, "buddy_request", json!({"buid": "eve", "msg": "Hi"}))]));
    assert!(matches!(client.event(), Event::AuthRequest { .. }));
    let user = Handle::new("eve");
    client.task(1, Task::AnswerAuthRequest { user: user.clone(), accept: true });
    server.request("auth_add").accept(json!([]));
    client.task(2, Task::Block { user, blocked: true });
    server.request("block_buddy").accept(json!([]));
    assert_eq!([client.done(1), client.done(2)], [Ok(Receipt::default()), Ok(Receipt::default())]);
    client.end();
}

#[test]
fn our_typing_is_told_while_connected_and_only_the_newest() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.typing("bob", Typing::Typing);
    client.connect(1);
    server.let_in("S");
    // Not yet: the login may still fail.
    client.typing("bob", Typing::Typed);
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    client.send(1, "first");
    let first = server.request("send_im");
    for (user, typing) in [("b_x20b", Typing::Typing), ("carol", Typing::Typed), ("B_x20b", Typing::Stopped)] {
        client.typing(user, typing);
    }
    first.accept(json!([delivered(1, 0)]));
    for (seq, user, state, refused) in [(5, "carol", "typed", 1), (6, "B b", "not_typing", 0)] {
        let call = server.request("im_typing");
        assert_eq!(
            *call.message(),
            json!({"data": {"method": "im_typing", "data": {"ssid": "S", "uid": "alice", "proto": "prpl-skype",
                    "buid": user, "typing_state": state}},
                "to": {"system": "im"}, "from": {"system": "client", "ssid": "S"}, "seq": seq})
        );
        // Whether they take it or not, nobody waits for that.
        call.answer(seq + 1 - refused, json!([]));
    }
    assert_eq!(client.done(1).expect("delivered").time, Some(1_353_571_201));
    client.typing("bob", Typing::Typing);
    server.request("im_typing").accept(json!([]));
    client.end();
}

#[test]
fn their_typing_is_told() {
    let server = Server::start();
    let client = Client::online(&server);
    let typing = |seq, state: &str| event(seq, "im_typing", json!({"buid": "bob", "typing_state": state}));
    server.poll().accept(json!([
        typing(2, "typing"),
        typing(3, "dancing"),
        typing(4, "typed"),
        typing(5, "not_typing")
    ]));
    for wanted in [Typing::Typing, Typing::Typed, Typing::Stopped] {
        match client.event() {
            Event::Typing { user, typing } => assert_eq!((user, typing), (Handle::new("bob"), wanted)),
            other => panic!("not typing: {other:?}"),
        }
    }
    client.end();
}

#[test]
fn what_the_protocol_has_no_call_for_is_refused_and_asks_nothing() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    let capabilities = client.backend.capabilities();
    let has = [
        Ability::Contacts,
        Ability::Authorization,
        Ability::Mood,
        Ability::Blocking,
        Ability::Aliases,
        Ability::Avatars,
        Ability::Conversations,
        Ability::Topics,
        Ability::Kicking,
        Ability::Typing,
        Ability::Calls,
    ];
    for ability in Ability::ALL {
        assert_eq!(capabilities.can(*ability), has.contains(ability), "{ability:?}");
    }
    let bob = || Handle::new("bob");
    let change = |change| Task::Change { conversation: ConversationId::new("g1"), change };
    let call = |control| Task::Call { call: RemoteId::new("c1"), control };
    let tasks = [
        Task::SetName { name: "Alice".to_owned() },
        Task::SetAvatar { picture: None },
        Task::FindByBlob { blob: "b".to_owned() },
        change(Change::Kick { users: vec![bob()], ban: true }),
        change(Change::Join),
        change(Change::Disband),
        change(Change::Guidelines("be nice".to_owned())),
        Task::PlaceCall { users: vec![bob()], voicemail: true },
        Task::PlaceCall { users: vec![bob(), Handle::new("carol")], voicemail: false },
        // Of calls that are not there.
        call(CallControl::End),
        call(CallControl::Answer),
    ];
    for task in tasks.clone() {
        client.task(1, task);
        assert_eq!(client.done(1), Err(Failure::Refused));
    }
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    for task in tasks {
        client.task(2, task);
        assert_eq!(client.done(2), Err(Failure::Refused));
    }
    let seen = Action::Seen { conversation: Address::User(Handle::new("bob")), message: RemoteId::new("S/7") };
    client.submit(seen);
    client.send(3, "hi");
    server.request("send_im").accept(json!([delivered(1, 0)]));
    client.done(3).expect("delivered");
    client.end();
}

#[test]
fn offline_contacts_fail_at_once_and_messages_wait() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.send(1, "waits");
    client.task(2, Task::RemoveContact { user: Handle::new("bob") });
    assert_eq!(client.done(2), Err(Failure::NotConnected));
    for ticket in 3..=1025 {
        client.send(ticket, "waits too");
    }
    let to = Address::User(Handle::new("bob"));
    let more = Action::Task {
        ticket: Ticket(9999),
        task: Task::SendText { to, body: "no room".to_owned(), mark: Mark::new("9999") },
    };
    assert_eq!(client.backend.submit(more.clone()), Err(more));
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    let call = server.request("send_im");
    assert_eq!(call.message()["data"]["data"]["msg"], "waits");
    call.accept(json!([delivered(1, 0)]));
    assert_eq!(client.done(1), Ok(Receipt { time: Some(1_353_571_201), ..Receipt::default() }));
}

#[test]
fn contacts_do_not_wait_for_the_outcome_of_a_login() {
    let server = Server::start();
    let mut client = Client::of(&server.url);
    client.connect(1);
    server.let_in("S");
    let poll = server.poll();
    client.task(1, Task::Block { user: Handle::new("bob"), blocked: true });
    assert_eq!(client.done(1), Err(Failure::NotConnected));
    poll.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    client.task(2, Task::Block { user: Handle::new("bob"), blocked: true });
    server.request("block_buddy").accept(json!([]));
    assert_eq!(client.done(2), Ok(Receipt::default()));
    client.end();
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
fn a_mood_waits_for_a_presence_or_for_its_time() {
    let server = Server::start();
    let status = |client: &mut Client, presence, mood: &str| {
        client.submit(Action::SetPresence { presence, mood: mood.to_owned() });
    };
    // Told by the presence that follows, together.
    let mut client = Client::online(&server);
    let _poll = server.poll();
    status(&mut client, Presence::Available, "lunch");
    status(&mut client, Presence::Away, "lunch");
    let call = server.request("set_status");
    assert_eq!((&arguments(&call)["primitive"], &arguments(&call)["status"]), (&json!("away"), &json!("lunch")));
    call.accept(json!([]));
    // Nothing else goes out for a text alone, before its time has come.
    status(&mut client, Presence::Away, "siesta");
    client.send(1, "hi");
    server.request("send_im").accept(json!([delivered(2, 0)]));
    client.done(1).expect("delivered");
    client.end();

    let mut client = Client::with(&server.url, Limits { mood: Duration::from_millis(1), ..Limits::default() });
    client.connect(1);
    server.let_in("S");
    let poll = server.polls.iter().find(|poll| poll.envelope["ack"] == 0).expect("a poll");
    poll.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    status(&mut client, Presence::Available, "tea");
    assert_eq!(arguments(&server.request("set_status"))["status"], "tea");
    client.backend.stop(Duration::ZERO);

    // Whoever leaves waits for nothing.
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    status(&mut client, Presence::Available, "bye");
    let script = std::thread::spawn(move || {
        let call = server.request("set_status");
        assert_eq!(arguments(&call)["status"], "bye");
        call.accept(json!([]));
        server.request("signoff_all").accept(json!([]));
    });
    client.backend.stop(crate::server::GUARD);
    script.join().expect("the script went to its end");
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
fn a_connection_that_nothing_is_asked_on_is_closed() {
    let server = Server::start();
    let mut client = Client::with(&server.url, Limits { idle: Duration::from_millis(1), ..Limits::default() });
    client.connect(1);
    server.let_in("S");
    let signed_on = server.poll();
    // That of the poll stays: something is asked on it all the time.
    let closed = || server.closed.recv_timeout(crate::server::GUARD).expect("the other one is closed");
    closed();
    signed_on.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    client.send(1, "hi");
    server.request("send_im").accept(json!([delivered(1, 0)]));
    client.done(1).expect("delivered");
    closed();
    client.end();
}

#[test]
fn contacts_and_requests_come_in() {
    let server = Server::start();
    let client = Client::online(&server);
    server.poll().accept(json!([
        event(2, "buddy_added", json!([{"buid": "dave", "alias": "Dave"}])),
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
