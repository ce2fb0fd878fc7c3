//! Pictures of users.

use std::time::Duration;

use imo2skype::Accounts;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::befriend;
use super::client::http;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n and some more";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0 and some more";

#[test]
fn pictures_are_told_served_and_changed_while_the_gateway_runs() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let mut config = GatewayConfig::embedded(Some(file.clone()));
    config.tick = Duration::from_millis(20);
    let gateway = Gateway::start(config).expect("start");
    let accounts = Accounts::open(&file).expect("open");
    for name in ["alice", "bob", "eve"] {
        accounts.add(name, "secret").expect("add");
    }
    accounts.connect("alice", "bob").expect("connect");
    accounts.set_picture("bob", PNG).expect("set");
    let mut alice = Session::login(&gateway, "alice");
    let told = |event: Value| event["edata"][0].clone();
    let first = told(alice.event("buddy_icon"));
    assert_eq!(first["buid"], "bob");

    let get = |icon: &Value| {
        let url = format!("{}b/{}", gateway.url(), icon.as_str().expect("icon"));
        http().get(url).send().expect("get")
    };
    let answer = get(&first["icon"]);
    assert_eq!(
        (answer.status().as_u16(), &answer.headers()["content-type"]),
        (200, &"image/png".parse().expect("text"))
    );
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    assert!(header("cache-control").contains("immutable") && header("x-content-type-options") == "nosniff");
    let tag = header("etag");
    let again = http().get(answer.url().clone()).header("if-none-match", tag).send().expect("get");
    assert_eq!(again.status(), 304);
    assert_eq!(answer.bytes().expect("body"), PNG);
    for other in ["bob", "0", "%00", &"0".repeat(32)] {
        assert_eq!(get(&json!(other)).status(), 404, "{other}");
    }

    // Another one, and one's own.
    accounts.set_picture("BOB", JPEG).expect("set");
    let second = told(alice.event("buddy_icon"));
    assert_eq!(second["buid"], "bob");
    assert_ne!(second["icon"], first["icon"]);
    assert_eq!(get(&second["icon"]).headers()["content-type"], "image/jpeg");
    assert_eq!(get(&first["icon"]).status(), 404);
    accounts.set_picture("alice", PNG).expect("set");
    assert_eq!(told(alice.event("buddy_icon"))["buid"], "alice");
    accounts.remove_picture("bob").expect("remove");
    assert_eq!(told(alice.event("buddy_icon")), json!({"buid": "bob", "icon": ""}));
    assert_eq!(get(&second["icon"]).status(), 404);
    assert!(accounts.remove_picture("bob").is_err() && accounts.set_picture("nobody", PNG).is_err());

    // In a chat, and of a new contact.
    let mut eve = Session::login(&gateway, "eve");
    befriend(&mut eve, &mut alice);
    assert!(alice.request("create_shared_group", json!({"name": "chat"})));
    let gid = alice.event("buddy_added")["edata"][0]["buid"].as_str().expect("buid").trim_end_matches(';').to_owned();
    assert!(alice.request("invite_to_group", json!({"gid": gid, "ibuid": "eve"})));
    assert_eq!(told(eve.event("buddy_icon"))["buid"], "alice");
    let mut phone = Session::login(&gateway, "alice");
    let icons = phone.event("buddy_icon")["edata"].clone();
    assert_eq!(icons.as_array().expect("icons").len(), 1, "only the own one is left: {icons}");
}
