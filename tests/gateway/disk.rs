//! What is on disk stays.

use serde_json::json;

use super::client::Session;
use super::client::befriend;
use super::client::on_disk;

#[test]
fn accounts_and_messages_outlive_a_restart() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let gateway = on_disk(&file);
    let mut alice = Session::login(&gateway, "alice");
    let mut bob = Session::login(&gateway, "bob");
    befriend(&mut alice, &mut bob);
    assert!(bob.request("set_status", json!({"primitive": "available", "status": "mood"})));
    assert!(bob.request("signoff_all", json!({})));
    assert!(alice.send("bob", "still there?"));
    gateway.stop();

    let gateway = on_disk(&file);
    let mut eve = Session::new(&gateway);
    eve.try_login("bob", "wrong");
    assert_eq!(eve.event("disconnect")["edata"]["msg"], "uidpassword", "registered already");
    let mut bob = Session::new(&gateway);
    bob.try_login("bob", "secret");
    let list = bob.event("buddy_added")["edata"].clone();
    let names: Vec<_> = list.as_array().expect("list").iter().map(|item| item["buid"].clone()).collect();
    assert_eq!(names, ["alice", "echo123"]);
    assert!(bob.request("get_unread_msgs", json!({})));
    assert_eq!(bob.event("recv_im")["edata"]["msg"], "still there?");
}

#[test]
fn many_senders_at_once_lose_nothing_on_disk() {
    let folder = tempfile::tempdir().expect("folder");
    let gateway = on_disk(&folder.path().join("gateway.db"));
    let mut bob = Session::login(&gateway, "bob");
    let senders: Vec<_> = (0..4).map(|number| Session::login(&gateway, &format!("sender{number}"))).collect();
    std::thread::scope(|scope| {
        for mut sender in senders {
            scope.spawn(move || (0..25).for_each(|number| assert!(sender.send("bob", &number.to_string()))));
        }
        let mut next = std::collections::HashMap::<String, u32>::new();
        for _ in 0..100 {
            let event = bob.event("recv_im");
            let next = next.entry(event["edata"]["buid"].as_str().expect("sender").to_owned()).or_default();
            assert_eq!(event["edata"]["msg"], next.to_string(), "in the order of each sender");
            *next += 1;
        }
    });
}
