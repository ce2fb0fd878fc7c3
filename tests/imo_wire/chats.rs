//! Group chats: founded, changed, told of, lost and found again.

use std::time::Duration;

use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::Change;
use imo2skype::backend::Conversation;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::Kind;
use imo2skype::backend::Lost;
use imo2skype::backend::Mark;
use imo2skype::backend::Message;
use imo2skype::backend::Receipt;
use imo2skype::backend::Task;
use imo2skype::backend::imo::Limits;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;
use imo2skype::model::MyStatus;
use serde_json::Value;
use serde_json::json;

use crate::actions::arguments;
use crate::actions::delivered;
use crate::client::Client;
use crate::server::Call;
use crate::server::Server;
use crate::server::down;
use crate::server::event;

fn handles(users: &[&str]) -> Vec<Handle> {
    users.iter().map(|user| Handle::new(*user)).collect()
}

fn found(client: &mut Client, ticket: u64, users: &[&str]) {
    client.task(ticket, Task::Found { users: handles(users) });
}

fn change(client: &mut Client, ticket: u64, change: Change) {
    client.task(ticket, Task::Change { conversation: ConversationId::new("g1"), change });
}

fn conversation(client: &Client) -> Conversation {
    match client.event() {
        Event::Conversation(conversation) => conversation,
        other => panic!("no conversation: {other:?}"),
    }
}

fn message(client: &Client) -> Message {
    match client.event() {
        Event::Message(message) => message,
        other => panic!("no message: {other:?}"),
    }
}

/// Who is told to be in a chat; of those who are invited, `-carol`.
fn members(conversation: &Conversation) -> Vec<String> {
    let members = conversation.members.iter().flatten();
    members.map(|member| format!("{}{}", if member.active { "" } else { "-" }, member.handle)).collect()
}

fn founded(gid: &str) -> Result<Receipt, Failure> {
    Ok(Receipt { conversation: Some(ConversationId::new(gid)), ..Receipt::default() })
}

/// The name under which a chat is founded.
fn name(call: &Call) -> String {
    arguments(call)["name"].as_str().expect("a name").to_owned()
}

fn ours(seq: u64, name: &str) -> Value {
    event(seq, "buddy_added", json!([{"buid": "g1;", "alias": name, "type": "group", "group": "Skype"}]))
}

/// Online and in g1 with bob; the next messages have seq 2.
fn in_a_chat(server: &Server) -> Client {
    let mut client = Client::of(&server.url);
    client.connect(1);
    server.let_in("S");
    let list = json!([{"buid": "g1;", "type": "group"}, {"buid": "g1;bob;prpl-skype", "group": "g1"}]);
    let signed_on = event(0, "signed_on", json!({"alias": "Alice A"}));
    server.poll().accept(json!([signed_on, event(1, "buddy_added", list)]));
    assert!(matches!(client.event(), Event::Contacts { complete: true, .. }));
    let told = conversation(&client);
    assert_eq!((members(&told), told.my_status), (vec!["alice".into(), "bob".into()], Some(MyStatus::Subscribed)));
    client.expect_connected(1);
    client
}

#[test]
fn a_chat_is_founded_and_filled_whenever_the_news_of_it_comes() {
    for when in ["before", "in", "after"] {
        let server = Server::start();
        let mut client = Client::online(&server);
        found(&mut client, 1, &["bob", "c_x20d"]);
        let call = server.request("create_shared_group");
        let name = name(&call);
        assert!(name.parse::<u64>().is_ok_and(|seconds| seconds > 1_700_000_000), "{name}");
        let wanted = json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "is_native": false, "name": name});
        assert_eq!((arguments(&call), &call.message()["to"]["system"]), (wanted, &json!("im")));
        match when {
            "before" => {
                server.poll().accept(json!([ours(2, &name)]));
                assert_eq!(client.done(1), founded("g1"));
                call.accept(json!([]));
            }
            "in" => call.accept(json!([ours(2, &name)])),
            _ => {
                call.accept(json!([]));
                server.poll().accept(json!([ours(2, &name)]));
            }
        }
        if when != "before" {
            assert_eq!(client.done(1), founded("g1"));
        }
        assert_eq!(members(&conversation(&client)), ["alice", "-bob", "-c_x20d"]);
        // What is said meanwhile comes after those who are to hear it.
        let to = Address::Conversation(ConversationId::new("g1"));
        client.task(2, Task::SendText { to, body: "hello".to_owned(), mark: Mark::new("2") });
        for (user, refused) in [("bob", 0), ("c d", 1)] {
            let call = server.request("invite_to_group");
            let wanted = json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "gid": "g1",
                "iproto": "prpl-skype", "iuid": "alice", "ibuid": user});
            assert_eq!(arguments(&call), wanted);
            let seq = call.seq();
            call.answer(seq + 1 - refused, json!([]));
        }
        assert_eq!(members(&conversation(&client)), ["alice", "-bob"]);
        let call = server.request("send_im");
        let wanted = json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "g1;", "msg": "hello",
            "client_msg_id": "2"});
        assert_eq!(arguments(&call), wanted);
        call.accept(json!([delivered(3, 0)]));
        client.done(2).expect("delivered");
        client.end();
    }
}

#[test]
fn a_chat_that_is_refused_or_never_comes_is_told_once() {
    let server = Server::start();
    let mut client = Client::with(&server.url, Limits { found: Duration::from_millis(1), ..Limits::default() });
    client.connect(1);
    server.let_in("S");
    server.poll().accept(json!([event(0, "signed_on", json!({"alias": "Alice A"}))]));
    client.expect_connected(1);
    found(&mut client, 1, &["bob"]);
    let call = server.request("create_shared_group");
    let seq = call.seq();
    call.answer(seq, json!([]));
    assert_eq!(client.done(1), Err(Failure::Refused));
    found(&mut client, 2, &["bob"]);
    server.request("create_shared_group").accept(json!([]));
    assert_eq!(client.done(2), Err(Failure::Unclear));
    client.end();

    // Nor does it wait for a connection, or for ever.
    let mut client = Client::of(&server.url);
    found(&mut client, 1, &["bob"]);
    assert_eq!(client.done(1), Err(Failure::NotConnected));
    let server = Server::start();
    let mut client = Client::online(&server);
    let _poll = server.poll();
    found(&mut client, 2, &["bob"]);
    server.request("create_shared_group").accept(json!([]));
    client.backend.stop(Duration::ZERO);
    assert_eq!(client.done(2), Err(Failure::Unclear));
}

#[test]
fn a_chat_whose_answer_was_lost_is_completed_from_the_list() {
    for there in [true, false] {
        let server = Server::start();
        let mut client = Client::online(&server);
        let held = server.poll();
        found(&mut client, 1, &["bob", "carol"]);
        let call = server.request("create_shared_group");
        let name = name(&call);
        drop(call);
        client.unreachable(1);
        drop(held);
        client.connect(2);
        server.request("create_shared_group").raw("500 Unknown", "", "");
        server.let_in("T");
        let signed_on = event(0, "signed_on", json!({"alias": "Alice A"}));
        let list =
            json!([{"buid": "g1;", "alias": name, "type": "group"}, {"buid": "g1;bob;prpl-skype", "group": "g1"}]);
        let list = event(1, "buddy_added", if there { list } else { json!([]) });
        let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
        poll.accept(json!([signed_on, list]));
        assert!(matches!(client.event(), Event::Contacts { complete: true, .. }));
        if there {
            assert_eq!(client.done(1), founded("g1"));
            assert_eq!(members(&conversation(&client)), ["alice", "bob", "-carol"]);
            client.expect_connected(2);
        } else {
            client.expect_connected(2);
            let again = server.request("create_shared_group");
            assert_eq!(arguments(&again)["name"], json!(name));
            again.accept(json!([ours(2, &name)]));
            assert_eq!(client.done(1), founded("g1"));
            assert_eq!(members(&conversation(&client)), ["alice", "-bob", "-carol"]);
            assert_eq!(arguments(&server.request("invite_to_group"))["ibuid"], "bob");
            continue;
        }
        let call = server.request("invite_to_group");
        assert_eq!(arguments(&call)["ibuid"], "carol");
        call.accept(json!([]));
        client.end();
    }
}

#[test]
fn members_are_invited_and_removed_the_topic_set_and_the_chat_left() {
    let server = Server::start();
    let mut client = in_a_chat(&server);
    change(&mut client, 1, Change::Invite(handles(&["carol", "dave"])));
    for user in ["carol", "dave"] {
        let call = server.request("invite_to_group");
        assert_eq!((arguments(&call)["ibuid"].as_str(), arguments(&call)["gid"].as_str()), (Some(user), Some("g1")));
        call.accept(json!([]));
    }
    assert_eq!(client.done(1), Ok(Receipt::default()));
    let came = json!([{"buid": "g1;carol;prpl-skype", "group": "g1", "inviter": "alice"}]);
    server.poll().accept(json!([event(2, "buddy_added", came)]));
    assert_eq!(members(&conversation(&client)), ["alice", "bob", "carol", "-dave"]);

    change(&mut client, 2, Change::Kick { users: handles(&["b_x20b", "bob"]), ban: false });
    for (user, refused) in [("g1;b b;prpl-skype", 1), ("g1;bob;prpl-skype", 0)] {
        let call = server.request("kick_member");
        assert_eq!(arguments(&call), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": user}));
        let seq = call.seq();
        call.answer(seq + 1 - refused, json!([]));
    }
    assert_eq!(client.done(2), Ok(Receipt::default()));
    assert_eq!(members(&conversation(&client)), ["alice", "bob", "carol", "-dave"]);

    for (ticket, topic, refused, wanted) in
        [(3, "Plans % \u{1f600}", 0, Ok(Receipt::default())), (4, "", 1, Err(Failure::Refused))]
    {
        change(&mut client, ticket, Change::Topic(topic.to_owned()));
        let call = server.request("set_group_topic");
        let arguments = arguments(&call);
        assert_eq!(arguments, json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "gid": "g1", "topic": topic}));
        let seq = call.seq();
        call.answer(seq + 1 - refused, json!([]));
        assert_eq!(client.done(ticket), wanted);
    }

    change(&mut client, 5, Change::Leave);
    let call = server.request("leave_group");
    assert_eq!(arguments(&call), json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "gid": "g1"}));
    call.accept(json!([]));
    assert_eq!(client.done(5), Ok(Receipt::default()));
    // What comes of what we have done is no news: bob's going, our topic, our going.
    let topic = json!({"buid": "g1;", "alias": "Plans % \u{1f600}", "msg": "Plans % \u{1f600}", "author": "g1;alice;prpl-skype"});
    server.poll().accept(json!([
        event(3, "buddy_removed", json!({"buid": "g1;bob;prpl-skype"})),
        event(4, "recv_im", topic),
        event(5, "buddy_removed", json!([{"buid": "g1;alice;prpl-skype"}, {"buid": "g1;"}])),
        event(6, "recv_im", json!({"buid": "bob", "msg": "last"})),
    ]));
    // The topic before was refused and forgotten with it, so that this one is told of.
    assert_eq!(client.body(), "Plans % \u{1f600}");
    assert_eq!(client.body(), "last");
    client.end();
}

#[test]
fn what_happens_in_chats_is_told() {
    let server = Server::start();
    let client = in_a_chat(&server);
    let member = |name: &str| format!("g1;{name};prpl-skype");
    let said = |msg: &str, alias: &str| json!({"buid": "g1;", "alias": alias, "author": member("bob"), "msg": msg, "timestamp": 9});
    let reflected = json!({"name": "reflect", "type": "conv", "proto": "prpl-skype", "uid": "alice",
        "edata": {"r_name": "send_im", "buid": "g1;", "msg": "by phone"}});
    server.poll().accept(json!([
        event(2, "recv_im", said("hi all", "chat")),
        event(3, "recv_im", said("Plans", "Plans")),
        event(4, "buddy_status", json!([{"buid": "g1;", "display": "Other plans"}])),
        event(5, "buddy_added", json!([{"buid": member("carol"), "group": "g1", "inviter": "bob"}])),
        event(6, "buddy_removed", json!([{"buid": member("carol")}])),
        down(7, "im", reflected),
        event(8, "buddy_added", json!([{"buid": "g2;", "type": "group", "display": "News", "inviter": "bob"}, {"buid": "g2;bob;prpl-skype", "group": "g2"}])),
        event(9, "buddy_removed", json!({"buid": member("alice")})),
        event(10, "buddy_removed", json!({"buid": "g2;"})),
    ]));
    let g1 = Address::Conversation(ConversationId::new("g1"));
    let hi = message(&client);
    assert_eq!((hi.remote.as_str(), &hi.conversation, hi.author.as_str(), hi.time), ("S/2", &g1, "bob", Some(9)));
    assert_eq!((hi.kind, hi.body.as_str()), (Kind::Text, "hi all"));
    let topic = message(&client);
    assert_eq!((topic.kind, topic.body.as_str(), topic.author.as_str()), (Kind::Topic, "Plans", "bob"));
    assert_eq!(conversation(&client).topic.as_deref(), Some("Other plans"));
    let added = message(&client);
    assert_eq!((added.kind, added.author.as_str()), (Kind::Added(handles(&["carol"])), "bob"));
    // imo-protocol 8: the author is the uid of the event.
    let kicked = message(&client);
    assert_eq!((kicked.kind, kicked.author.as_str()), (Kind::Kicked(handles(&["carol"])), "alice"));
    let own = message(&client);
    assert_eq!((own.author.as_str(), &own.conversation, own.body.as_str()), ("alice", &g1, "by phone"));
    let other = conversation(&client);
    assert_eq!(
        (other.id.as_str(), other.topic.as_deref(), members(&other)),
        ("g2", Some("News"), vec!["alice".into(), "bob".into()])
    );
    assert_eq!((other.adder, other.my_status), (Some(Handle::new("bob")), Some(MyStatus::Subscribed)));
    let gone = message(&client);
    assert_eq!((gone.kind, gone.conversation), (Kind::Kicked(handles(&["alice"])), g1));
    assert_eq!(message(&client).kind, Kind::Left);
    client.end();
}

#[test]
fn another_login_tells_only_what_has_changed() {
    let server = Server::start();
    let mut client = in_a_chat(&server);
    server.poll().accept(json!([event(2, "expired", json!(null))]));
    assert!(matches!(client.lost(1), imo2skype::backend::Lost::Ended));
    client.connect(2);
    server.let_in("T");
    let list = json!([{"buid": "g2;", "type": "group", "inviter": "carol"}]);
    let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
    poll.accept(json!([event(0, "buddy_added", list), event(1, "signed_on", json!({"alias": "Alice A"}))]));
    assert!(matches!(client.event(), Event::Contacts { complete: true, .. }));
    // Messages would be repeated at each login; only what is so now is told.
    let (left, there) = (conversation(&client), conversation(&client));
    assert_eq!(
        (left.id.as_str(), left.my_status, members(&left)),
        ("g1", Some(MyStatus::Unsubscribed), vec!["bob".into()])
    );
    assert_eq!((there.id.as_str(), there.adder), ("g2", Some(Handle::new("carol"))));
    client.expect_connected(2);
    client.end();
}

#[test]
fn a_cut_round_is_told_and_not_repeated_in_another_session() {
    let server = Server::start();
    let mut client = in_a_chat(&server);
    let _poll = server.poll();
    change(&mut client, 1, Change::Invite(handles(&["carol", "dave"])));
    server.request("invite_to_group").accept(json!([]));
    let second = server.request("invite_to_group");
    let repeated = second.message().clone();
    drop(second);
    client.unreachable(1);
    client.connect(2);
    // The session goes on: the same once more, with its number.
    let again = server.request("invite_to_group");
    assert_eq!(*again.message(), repeated);
    again.answer(0, json!([]));
    server.let_in("T");
    assert_eq!(client.done(1), Err(Failure::Unclear));
    client.end();
}

#[test]
fn a_round_that_the_end_of_the_session_interrupts_is_told() {
    for end in ["in the answer", "in a poll"] {
        let server = Server::start();
        let mut client = in_a_chat(&server);
        let reset = json!([down(2, "reset", json!({"name": "reset"}))]);
        change(&mut client, 1, Change::Invite(handles(&["carol", "dave"])));
        let call = server.request("invite_to_group");
        if end == "in the answer" {
            call.accept(reset);
        } else {
            server.poll().answer(call.seq(), reset);
            call.accept(json!([]));
        }
        assert_eq!(client.done(1), Err(Failure::Unclear), "{end}");
        assert!(matches!(client.lost(1), Lost::Ended), "{end}");
        client.end();
    }
}
