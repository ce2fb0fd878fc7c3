//! Contacts, presence, several logins of one account.

use serde_json::json;

use super::client::Session;
use super::client::befriend;
use super::client::open;

#[test]
fn presence_is_for_the_authorised() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    assert!(bob.request("set_status", json!({"ad": "", "primitive": "away", "status": "lunch", "auto_away": false})));

    // Alice asks; until Bob agrees she sees nothing of him.
    assert!(alice.request("add_buddy", json!({"buid": "BOB", "group": "Offline", "msg": "Hi, add me"})));
    let added = alice.event("buddy_added");
    let unseen = json!([{"buid": "bob", "alias": "bob", "group": "Offline", "primitive": "offline", "status": ""}]);
    assert_eq!(added["edata"], unseen);
    assert_eq!(bob.event("buddy_request")["edata"], json!({"buid": "alice", "msg": "Hi, add me"}));
    assert!(alice.names().is_empty());

    assert!(bob.request("auth_add", json!({"buid": "alice"})));
    let status = &alice.event("buddy_status")["edata"][0];
    assert_eq!(
        (&status["buid"], &status["primitive"], &status["status"]),
        (&json!("bob"), &json!("away"), &json!("lunch"))
    );
    let item = &bob.event("buddy_added")["edata"][0];
    assert_eq!((&item["buid"], &item["primitive"]), (&json!("alice"), &json!("available")), "asking authorises");

    assert!(alice.request("set_status", json!({"primitive": "BUSY", "status": "%s"})));
    let status = &bob.event("buddy_status")["edata"][0];
    assert_eq!((&status["primitive"], &status["status"]), (&json!("busy"), &json!("%s")));
    assert!(alice.request("set_status", json!({"primitive": "invisible"})));
    let status = &bob.event("buddy_status")["edata"][0];
    assert_eq!((&status["primitive"], &status["status"]), (&json!("offline"), &json!("%s")));
    assert!(alice.request("set_status", json!({"primitive": "offline"})));
    assert!(bob.names().is_empty(), "offline is offline");

    assert!(alice.request("change_buddy_alias", json!({"buid": "bob", "alias": "Bobby"})));
    assert_eq!(alice.event("buddy_status")["edata"][0]["alias"], "Bobby");
    assert!(bob.send("alice", "hi"));
    assert_eq!(alice.event("recv_im")["edata"]["alias"], "Bobby");

    // Bob removes Alice: she loses sight of him, he of her only by her own doing.
    assert!(bob.request("del_buddy", json!({"buid": "alice", "group": "Skype"})));
    assert_eq!(bob.event("buddy_removed")["edata"], json!({"buid": "alice"}));
    assert_eq!(alice.event("buddy_status")["edata"][0]["primitive"], "offline");
}

#[test]
fn requests_wait_for_the_one_who_is_asked() {
    let gateway = open();
    Session::login(&gateway, "bob").request("signoff_all", json!({}));
    let mut alice = Session::login(&gateway, "alice");
    assert!(alice.request("add_buddy", json!({"buid": "bob"})));
    let mut bob = Session::login(&gateway, "bob");
    assert_eq!(bob.event("buddy_request")["edata"], json!({"buid": "alice", "msg": ""}));
    assert!(bob.request("auth_deny", json!({"buid": "alice"})));
    assert!(bob.request("signoff_all", json!({})));
    let mut bob = Session::login(&gateway, "bob");
    assert!(!bob.names().contains(&"buddy_request".to_owned()), "denied is settled");

    assert!(alice.request("add_buddy", json!({"buid": "bob"})), "she may ask again");
    bob.event("buddy_request");
    assert!(bob.request("auth_block", json!({"buid": "alice"})));
    assert!(!alice.send("bob", "let me in"), "blocked");
    assert!(alice.request("add_buddy", json!({"buid": "bob"})));
    assert!(bob.names().is_empty(), "a blocked one can ask, but is not heard");
    assert!(bob.request("unblock_buddy", json!({"buid": "alice"})));
    assert!(alice.send("bob", "thanks"));
    bob.event("recv_im");
}

#[test]
fn a_block_hides_presence_and_stops_messages() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    befriend(&mut alice, &mut bob);
    assert!(bob.request("block_buddy", json!({"buid": "alice"})));
    assert_eq!(alice.event("buddy_status")["edata"][0]["primitive"], "offline");
    assert!(!alice.send("bob", "hello?"));
    assert!(!alice.request("im_typing", json!({"buid": "bob", "typing_state": "typing"})));
    assert!(bob.request("unblock_buddy", json!({"buid": "alice"})));
    assert_eq!(alice.event("buddy_status")["edata"][0]["primitive"], "available");
}

#[test]
fn several_logins_are_one_account() {
    let gateway = open();
    let mut bob = Session::login(&gateway, "bob");
    let mut desk = Session::login(&gateway, "alice");
    befriend(&mut desk, &mut bob);
    let mut phone = Session::login(&gateway, "alice");
    assert!(bob.names().is_empty(), "nothing changed for others");

    assert!(bob.send("alice", "hi"));
    let (one, other) = (desk.event("recv_im"), phone.event("recv_im"));
    assert_eq!(one, other, "both get it, with one id");

    assert!(phone.send("bob", "from the phone"));
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "from the phone");
    let reflected = desk.event("reflect");
    assert_eq!(reflected["type"], "conv");
    assert_eq!((&reflected["edata"]["r_name"], &reflected["edata"]["buid"]), (&json!("send_im"), &json!("bob")));
    assert_eq!(reflected["edata"]["msg"], "from the phone");
    assert!(!phone.names().contains(&"reflect".to_owned()), "not to the one that did it");
    desk.everything();

    // Presence is that of the most present login.
    assert!(desk.request("set_status", json!({"primitive": "away", "status": ""})));
    let reflected = phone.find(|message| message["data"]["type"] == "account");
    let reflected = &reflected["data"];
    assert_eq!(reflected["name"], "reflect");
    assert_eq!(reflected["edata"], json!({"r_name": "set_status", "primitive": "away", "status": ""}));
    assert!(bob.names().is_empty(), "the phone is still available");
    assert!(phone.request("signoff_all", json!({})));
    assert_eq!(bob.event("buddy_status")["edata"][0]["primitive"], "away");
    assert!(desk.request("signoff_all", json!({})));
    assert_eq!(bob.event("buddy_status")["edata"][0]["primitive"], "offline");
}

#[test]
fn the_other_logins_know_what_one_does() {
    let gateway = open();
    let [mut eve, mut bob] = ["eve", "bob"].map(|name| Session::login(&gateway, name));
    let [mut desk, mut phone] = ["alice", "alice"].map(|name| Session::login(&gateway, name));
    let added = |session: &mut Session| session.event("buddy_added")["edata"][0]["buid"].clone();
    assert!(desk.request("add_buddy", json!({"buid": "bob"})));
    assert_eq!((added(&mut desk), added(&mut phone)), (json!("bob"), json!("bob")));
    bob.event("buddy_request");
    assert!(desk.request("change_buddy_alias", json!({"buid": "bob", "alias": "Bobby"})));
    assert_eq!(phone.event("buddy_status")["edata"][0]["alias"], "Bobby");
    // What is asked no longer, is no longer there to be answered.
    assert!(desk.request("del_buddy", json!({"buid": "bob", "group": "Offline"})));
    assert_eq!(phone.event("buddy_removed")["edata"]["buid"], "bob");
    assert_eq!(bob.event("buddy_removed")["edata"]["buid"], "alice");
    // Who was refused is forgotten by the logins that did not do it.
    for method in ["auth_deny", "auth_block"] {
        assert!(eve.request("add_buddy", json!({"buid": "alice"})));
        phone.event("buddy_request");
        assert!(desk.request(method, json!({"buid": "eve"})));
        assert_eq!(phone.event("buddy_removed")["edata"], json!({"buid": "eve"}), "{method}");
    }
    assert!(desk.request("unblock_buddy", json!({"buid": "eve"})));
    assert!(eve.request("add_buddy", json!({"buid": "alice"})));
    assert!(desk.request("auth_add", json!({"buid": "eve"})));
    assert_eq!((added(&mut desk), added(&mut phone)), (json!("eve"), json!("eve")));
    // A chat is one of the account.
    assert!(desk.request("create_shared_group", json!({"name": "chat"})));
    let chat = added(&mut phone);
    let gid = chat.as_str().expect("buid").trim_end_matches(';').to_owned();
    assert!(desk.request("leave_group", json!({"gid": gid})));
    assert_eq!(phone.event("buddy_removed")["edata"]["buid"], format!("{gid};alice;prpl-skype"));
}
