//! The pictures of others, from the database of a gateway to a file of a client.

use std::fs;
use std::path::Path;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Accounts;
use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;

use crate::GUARD;
use crate::ask;
use crate::hear;

const PNG: &[u8] = b"\x89PNG\r\n\x1a\n\0 and some more";
const JPEG: &[u8] = b"\xff\xd8\xff\xe0\0 and some more";

/// Asks until the answer is this one: of pictures that have come no line tells.
fn ask_until(session: &Session, command: &str, wanted: &str) {
    let late = Instant::now() + GUARD;
    loop {
        let reply = ask(session, command);
        if reply == wanted {
            return;
        }
        assert!(reply.starts_with("ERROR 122 ") && Instant::now() < late, "{command} gave {reply}");
        thread::yield_now();
    }
}

/// Has a picture written, and reads it.
fn picture(session: &Session, whose: &str, path: &Path) -> Vec<u8> {
    let about = format!("{whose} 1 {}", path.display());
    ask_until(session, &format!("GET {about}"), &about);
    fs::read(path).expect("the picture")
}

#[test]
fn a_picture_that_the_gateway_has_is_in_the_file_of_a_client() {
    let folder = tempfile::tempdir().expect("a folder");
    let database = folder.path().join("gateway.db");
    let mut config = GatewayConfig::embedded(Some(database.clone()));
    config.tick = Duration::from_millis(20);
    let gateway = Gateway::start(config).expect("a gateway");
    let accounts = Accounts::open(&database).expect("the accounts");
    for name in ["alice", "bob"] {
        accounts.add(name, "secret").expect("a user");
    }
    accounts.connect("alice", "bob").expect("contacts");
    accounts.set_picture("bob", PNG).expect("a picture");
    accounts.set_picture("alice", JPEG).expect("a picture");

    let files = tempfile::tempdir().expect("a folder");
    let mut config = Config::new("alice", "secret");
    config.server = Some(gateway.url().to_owned());
    config.files = files.path().to_str().map(str::to_owned);
    let alice = Session::open(config).expect("a session");
    hear(&alice, "USERSTATUS ONLINE");
    let path = |name: &str| files.path().join(name);
    assert_eq!(picture(&alice, "USER bob AVATAR", &path("bob.png")), PNG);
    assert_eq!(picture(&alice, "AVATAR", &path("alice.jpg")), JPEG);

    // Taken away, and another one, while she is there.
    accounts.remove_picture("bob").expect("a picture less");
    let late = Instant::now() + GUARD;
    let mut number = 0;
    let gone = loop {
        number += 1;
        let reply = ask(&alice, &format!("GET USER bob AVATAR 1 {}", path(&format!("gone{number}.png")).display()));
        if reply.starts_with("ERROR") {
            break reply;
        }
        assert!(Instant::now() < late, "it is not taken away");
    };
    assert_eq!(gone, "ERROR 122 GET Unable to load avatar");
    accounts.set_picture("bob", JPEG).expect("another picture");
    assert_eq!(picture(&alice, "USER bob AVATAR", &path("bob.jpg")), JPEG);
}
