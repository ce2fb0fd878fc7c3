//! Chats of several.

use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::befriend;
use super::client::on_disk;
use super::client::open;

/// Founds a chat; its `gid`.
fn found(session: &mut Session) -> String {
    assert!(session.request("create_shared_group", json!({"is_native": false, "name": "1795333452"})));
    let event = session.event("buddy_added");
    let buid = event["edata"][0]["buid"].as_str().expect("buid");
    buid.strip_suffix(';').expect("a semicolon").to_owned()
}

fn invite(session: &mut Session, gid: &str, name: &str) -> bool {
    let own = session.name.clone();
    session.request("invite_to_group", json!({"gid": gid, "iproto": "prpl-skype", "iuid": own, "ibuid": name}))
}

/// A chat of all, with nothing left to read.
fn chat<const N: usize>(mut sessions: [&mut Session; N]) -> String {
    let gid = found(sessions[0]);
    for number in 1..N {
        let name = sessions[number].name.clone();
        assert!(invite(sessions[0], &gid, &name));
    }
    sessions.iter_mut().for_each(|session| drop(session.everything()));
    gid
}

fn member(gid: &str, name: &str) -> String {
    format!("{gid};{name};prpl-skype")
}

#[test]
fn a_chat_is_founded_and_others_are_invited() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    befriend(&mut alice, &mut bob);
    assert!(alice.request("create_shared_group", json!({"is_native": false, "name": "1795333452"})));
    let items = alice.event("buddy_added")["edata"].clone();
    let gid = items[0]["buid"].as_str().expect("buid").trim_end_matches(';').to_owned();
    assert!(!gid.contains(';'), "{gid}");
    let chat = json!({"buid": format!("{gid};"), "alias": "1795333452", "group": "Skype", "type": "group",
        "display": "", "primitive": "available"});
    let own = json!({"buid": member(&gid, "alice"), "alias": "alice", "group": gid, "primitive": "available"});
    assert_eq!(items, json!([chat, own]));

    assert!(invite(&mut alice, &gid, "BOB"));
    let guest = json!({"buid": member(&gid, "bob"), "alias": "bob", "group": gid, "primitive": "available",
        "inviter": "alice"});
    assert_eq!(alice.event("buddy_added")["edata"], json!([guest]));
    assert_eq!(bob.event("buddy_added")["edata"], json!([chat, own, guest]));
    assert!(invite(&mut alice, &gid, "bob"), "again");
    assert!(alice.names().is_empty() && bob.names().is_empty(), "changes nothing");

    // A stranger sees no presence, but may invite and be invited.
    let mut carol = Session::login(&gateway, "carol");
    assert!(invite(&mut bob, &gid, "carol"));
    let added = carol.event("buddy_added")["edata"].clone();
    assert_eq!(added.as_array().expect("items").len(), 4);
    let primitives: Vec<_> = (1..4).map(|number| added[number]["primitive"].clone()).collect();
    assert_eq!(primitives, ["offline", "offline", "available"]);
    assert_eq!(added[3]["inviter"], "bob");
    assert_eq!(alice.event("buddy_added")["edata"][0]["buid"], member(&gid, "carol"));

    // The whole list at login.
    let mut phone = Session::new(&gateway);
    phone.try_login("bob", "secret");
    let list = phone.event("buddy_added")["edata"].as_array().expect("items").clone();
    let at = list.iter().position(|item| *item == chat).expect("the chat, in one with the contacts");
    let buids: Vec<_> = list[at + 1..].iter().map(|item| item["buid"].clone()).collect();
    assert_eq!(buids, ["alice", "bob", "carol"].map(|name| member(&gid, name)));
    assert_eq!(phone.names()[0], "signed_on");
}

#[test]
fn what_is_said_reaches_every_member_once() {
    let gateway = open();
    let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Session::login(&gateway, name));
    let gid = chat([&mut alice, &mut bob, &mut carol]);
    let buid = format!("{gid};");
    let mut phone = Session::login(&gateway, "alice");
    phone.everything();
    // The name of the chat is no topic either.
    for text in ["hi all", "1795333452", "alice", "%s%n", "\u{1f600}"] {
        assert!(alice.send(&buid, text));
        let (one, other) = (bob.event("recv_im"), carol.event("recv_im"));
        assert_eq!(one["edata"], other["edata"]);
        let edata = &one["edata"];
        assert_eq!((&edata["buid"], &edata["author"]), (&json!(buid), &json!(member(&gid, "alice"))));
        assert_eq!(edata["msg"], text);
        assert_ne!(edata["alias"], text);
        let reflected = phone.event("reflect")["edata"].clone();
        assert_eq!((&reflected["r_name"], &reflected["buid"]), (&json!("send_im"), &json!(buid)));
        assert_eq!(reflected["msg_id"], edata["msg_id"]);
    }
    assert!(alice.everything().iter().all(|event| event["edata"]["author"].is_null()), "not to oneself");
    assert!(!alice.send(&buid, "") && !alice.send(&gid, "hi") && !alice.send(&format!("{gid};bob;"), "hi"));
    let typing = json!({"buid": buid, "typing_state": "typing"});
    assert!(!alice.request("im_typing", typing), "the protocol has no words for who types in a chat");
}

#[test]
fn a_topic_is_told_and_announced() {
    let gateway = open();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Session::login(&gateway, name));
    let gid = chat([&mut alice, &mut bob]);
    assert!(bob.request("set_group_topic", json!({"gid": gid, "topic": "Plans"})));
    for session in [&mut alice, &mut bob] {
        let item = session.event("buddy_status")["edata"][0].clone();
        assert_eq!((&item["buid"], &item["display"]), (&json!(format!("{gid};")), &json!("Plans")));
        assert_eq!((&item["alias"], &item["type"]), (&json!("1795333452"), &json!("group")));
    }
    let said = alice.event("recv_im")["edata"].clone();
    assert_eq!((&said["alias"], &said["msg"]), (&json!("Plans"), &json!("Plans")));
    assert_eq!(said["author"], member(&gid, "bob"));
    assert!(bob.request("set_group_topic", json!({"gid": gid, "topic": "Plans"})), "again");
    assert!(bob.names().is_empty() && alice.names().is_empty(), "changes nothing");
    let mut again = Session::new(&gateway);
    again.try_login("alice", "secret");
    let list = again.event("buddy_added")["edata"].clone();
    let mut items = list.as_array().expect("items").iter();
    assert!(items.any(|item| item["buid"] == format!("{gid};") && item["display"] == "Plans"), "{list}");
}

#[test]
fn members_go() {
    let gateway = open();
    let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Session::login(&gateway, name));
    let gid = chat([&mut alice, &mut bob, &mut carol]);
    let mut phone = Session::login(&gateway, "bob");
    assert!(alice.request("kick_member", json!({"buid": member(&gid, "BOB")})));
    for session in [&mut alice, &mut bob, &mut phone, &mut carol] {
        let event = session.event("buddy_removed");
        assert_eq!(event["edata"], json!({"buid": member(&gid, "bob")}));
        assert_eq!(event["uid"], "alice", "who did it (imo-protocol 8)");
    }
    assert!(!bob.send(&format!("{gid};"), "still here?"));
    assert!(carol.request("leave_group", json!({"gid": gid})));
    for session in [&mut alice, &mut carol] {
        let event = session.event("buddy_removed");
        assert_eq!((&event["uid"], &event["edata"]["buid"]), (&json!("carol"), &json!(member(&gid, "carol"))));
    }
    assert!(bob.names().is_empty() && !carol.request("leave_group", json!({"gid": gid})));
    assert!(invite(&mut alice, &gid, "bob"), "one may come back");
    assert_eq!(bob.event("buddy_added")["edata"].as_array().expect("items").len(), 3);
    assert!(bob.request("leave_group", json!({"gid": gid})) && alice.request("leave_group", json!({"gid": gid})));
    assert!(!invite(&mut alice, &gid, "bob"), "the last ended it");
    alice.everything();
    assert_ne!(found(&mut alice), gid, "and its name is not used again");
}

#[test]
fn only_members_do_things_in_a_chat() {
    let gateway = open();
    let [mut alice, mut bob, mut eve] = ["alice", "bob", "eve"].map(|name| Session::login(&gateway, name));
    let gid = chat([&mut alice, &mut bob]);
    let table = |gid: &str| {
        [
            ("invite_to_group", json!({"gid": gid, "ibuid": "eve"})),
            ("kick_member", json!({"buid": member(gid, "bob")})),
            ("set_group_topic", json!({"gid": gid, "topic": "Plans"})),
            ("leave_group", json!({"gid": gid})),
            ("send_im", json!({"buid": format!("{gid};"), "msg": "hi"})),
        ]
    };
    for (method, arguments) in table(&gid) {
        assert!(!eve.request(method, arguments), "{method}");
    }
    for other in ["", "g1", "g0", &gid.to_uppercase(), &format!("{gid}0"), "%s"] {
        for (method, arguments) in table(other) {
            assert!(!alice.request(method, arguments), "{method} {other}");
        }
    }
    let refused = [
        ("invite_to_group", json!({"gid": gid, "ibuid": "nobody"})),
        ("invite_to_group", json!({"gid": gid})),
        ("invite_to_group", json!({"ibuid": "eve"})),
        ("kick_member", json!({"buid": member(&gid, "eve")})),
        ("kick_member", json!({"buid": format!("{gid};bob")})),
        ("kick_member", json!({"buid": "bob"})),
        ("set_group_topic", json!({"gid": gid})),
        ("set_group_topic", json!({"gid": gid, "topic": "x".repeat(4_097)})),
        ("create_shared_group", json!({"name": "x".repeat(257)})),
    ];
    for (method, arguments) in refused {
        assert!(!alice.request(method, arguments), "{method}");
    }
    assert!(eve.request("block_buddy", json!({"buid": "alice"})));
    assert!(!invite(&mut alice, &gid, "eve"), "blocked");
    assert!(invite(&mut bob, &gid, "eve"), "by somebody else");
    eve.event("buddy_added");
    assert!(bob.names().contains(&"buddy_added".to_owned()));
}

#[test]
fn members_who_are_away_get_everything_once() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let gateway = on_disk(&file);
    let [mut alice, mut bob, mut carol] = ["alice", "bob", "carol"].map(|name| Session::login(&gateway, name));
    let gid = chat([&mut alice, &mut bob, &mut carol]);
    assert!(bob.request("signoff_all", json!({})) && carol.request("signoff_all", json!({})));
    assert!(alice.send(&format!("{gid};"), "one") && alice.send(&format!("{gid};"), "two"));
    assert!(alice.request("set_group_topic", json!({"gid": gid, "topic": "three"})));
    // One who is removed still gets what was said while he was there.
    assert!(alice.request("kick_member", json!({"buid": member(&gid, "carol")})));
    gateway.stop();

    let gateway = on_disk(&file);
    let texts = |session: &mut Session| -> Vec<Value> {
        let events = session.everything();
        events.iter().filter(|event| event["name"] == "recv_im").map(|event| event["edata"].clone()).collect()
    };
    let [mut bob, mut carol] = ["bob", "carol"].map(|name| Session::login(&gateway, name));
    let (his, hers) = (texts(&mut bob), texts(&mut carol));
    assert_eq!(his, hers);
    let said: Vec<_> = his.iter().map(|edata| (&edata["msg"], &edata["alias"])).collect();
    let name = json!("1795333452");
    let words = ["one", "two", "three"].map(Value::from);
    assert_eq!(said, [(&words[0], &name), (&words[1], &name), (&words[2], &words[2])]);
    assert_eq!(his[0]["author"], member(&gid, "alice"));
    let mut ids: Vec<_> = his.iter().map(|edata| edata["msg_id"].as_str().expect("id")).collect();
    ids.dedup();
    assert_eq!(ids.len(), 3);
    assert!(bob.request("signoff_all", json!({})), "everything is acknowledged");
    assert!(texts(&mut Session::login(&gateway, "bob")).is_empty(), "once is enough");
}

#[test]
fn presence_and_names_of_members_change() {
    let gateway = open();
    let [mut alice, mut bob, mut eve] = ["alice", "bob", "eve"].map(|name| Session::login(&gateway, name));
    befriend(&mut alice, &mut bob);
    let gid = chat([&mut alice, &mut bob, &mut eve]);
    assert!(bob.request("set_status", json!({"primitive": "away"})));
    let items = alice.event("buddy_status")["edata"].clone();
    assert_eq!((&items[0]["buid"], &items[0]["primitive"]), (&json!("bob"), &json!("away")));
    assert_eq!((&items[1]["buid"], &items[1]["primitive"]), (&json!(member(&gid, "bob")), &json!("away")));
    assert_eq!(items[1]["group"], json!(gid));
    assert!(eve.names().is_empty(), "presence is for the authorised, in a chat too");
    assert!(alice.request("change_buddy_alias", json!({"buid": "bob", "alias": "Bobby"})));
    let items = alice.event("buddy_status")["edata"].clone();
    assert_eq!((&items[0]["alias"], &items[1]["alias"]), (&json!("Bobby"), &json!("Bobby")));
    assert!(alice.request("del_buddy", json!({"buid": "bob", "group": "Skype"})));
    let items = alice.event("buddy_status")["edata"].clone();
    assert_eq!((&items[0]["buid"], &items[0]["alias"]), (&json!(member(&gid, "bob")), &json!("bob")));
    let items = bob.event("buddy_status")["edata"].clone();
    assert_eq!((&items[1]["buid"], &items[1]["primitive"]), (&json!(member(&gid, "alice")), &json!("offline")));
    // Whom one authorises without having him on a list sees the change in the chat.
    assert!(bob.request("signoff_all", json!({})));
    let items = alice.event("buddy_status")["edata"].clone();
    assert_eq!(items[0]["primitive"], "offline");
    assert_eq!(items.as_array().expect("items").len(), 1);
}

#[test]
fn the_echo_answers_in_a_chat_too() {
    let gateway = open();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Session::login(&gateway, name));
    let gid = chat([&mut alice, &mut bob]);
    assert!(invite(&mut alice, &gid, "echo123"));
    assert!(alice.send(&format!("{gid};"), "hello?"));
    let heard = alice.event("recv_im")["edata"].clone();
    assert_eq!((&heard["msg"], &heard["author"]), (&json!("hello?"), &json!(member(&gid, "echo123"))));
    for name in ["alice", "echo123"] {
        assert_eq!(bob.event("recv_im")["edata"]["author"], member(&gid, name));
    }
}
