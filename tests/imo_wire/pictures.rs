//! Pictures of users.

use std::time::Duration;

use imo2skype::backend::Backend;
use imo2skype::backend::Event;
use serde_json::Value;
use serde_json::json;

use crate::actions::delivered;
use crate::client::Client;
use crate::server::Server;
use crate::server::event;

fn icons(seq: u64, icons: Value) -> Value {
    event(seq, "buddy_icon", icons)
}

fn picture(client: &Client) -> (String, Option<usize>) {
    match client.event() {
        Event::Avatar { user, picture } => (user.to_string(), picture.map(|picture| picture.len())),
        other => panic!("no picture: {other:?}"),
    }
}

#[test]
fn pictures_come_one_after_the_other_and_only_once() {
    let server = Server::start();
    let mut client = Client::online(&server);
    let told =
        json!([{"buid": "bob", "icon": "a 1%"}, {"buid": "carol", "icon": "b"}, {"buid": "dave", "icon": "a 1%"}]);
    server.poll().accept(json!([icons(2, told.clone())]));
    let call = server.request("GET /pre/b/a%201%25 HTTP/1.1");
    assert!(call.header("Cookie").is_some_and(|cookie| cookie.contains("c=1")));
    call.raw("200 OK", "Content-Type: image/png\r\n", "first");
    assert_eq!([picture(&client), picture(&client)], [("bob".to_owned(), Some(5)), ("dave".to_owned(), Some(5))]);
    server.request("GET /pre/b/b HTTP/1.1").raw("200 OK", "", "second");
    assert_eq!(picture(&client), ("carol".to_owned(), Some(6)));

    // The next login says it again, and of somebody more.
    server.poll().accept(json!([event(3, "expired", json!(null))]));
    client.lost(1);
    client.connect(2);
    server.let_in("T");
    let poll = server.polls.iter().find(|poll| poll.envelope["ssid"] == "T").expect("a poll");
    let more = json!([{"buid": "erik", "icon": "b"}, {"buid": "bob", "icon": ""}, {"buid": "bob", "icon": null}]);
    poll.accept(json!([event(0, "signed_on", json!({"alias": "Alice A"})), icons(1, told), icons(2, more)]));
    client.expect_connected(2);
    assert_eq!([picture(&client), picture(&client)], [("erik".to_owned(), Some(6)), ("bob".to_owned(), None)]);
    client.send(1, "hi");
    server.request("send_im").accept(json!([delivered(3, 0)]));
    client.done(1).expect("delivered");
    client.end();
}

#[test]
fn what_is_no_picture_does_no_harm() {
    let server = Server::start();
    let client = Client::online(&server);
    let long = " ".repeat((256 << 10) + 1);
    let names = ["../secret", "a/b", "..", "", "x\u{0}", "missing", "broken", "long", "empty", "good"];
    let told: Value = names.iter().map(|icon| json!({"buid": format!("u{}", icon.len()), "icon": icon})).collect();
    server.poll().accept(json!([icons(2, told)]));
    server.request("GET /pre/b/missing HTTP/1.1").raw("404 Not Found", "", "none");
    drop(server.request("GET /pre/b/broken HTTP/1.1"));
    let mut next = server.requests.recv_timeout(crate::server::GUARD).expect("a request");
    if next.name().contains("broken") {
        // Once more, on a fresh connection.
        drop(next);
        next = server.requests.recv_timeout(crate::server::GUARD).expect("a request");
    }
    assert_eq!(next.name(), "GET /pre/b/long HTTP/1.1");
    next.raw("200 OK", "", &long);
    server.request("GET /pre/b/empty HTTP/1.1").raw("200 OK", "", "");
    server.request("GET /pre/b/good HTTP/1.1").raw("200 OK", "", &long[1..]);
    assert_eq!(picture(&client), ("u4".to_owned(), Some(256 << 10)));
    client.end();
}

#[test]
fn a_picture_holds_nothing_up() {
    let server = Server::start();
    let mut client = Client::online(&server);
    server.poll().accept(json!([icons(2, json!([{"buid": "bob", "icon": "a"}]))]));
    let held = server.request("GET /pre/b/a HTTP/1.1");
    client.send(1, "hi");
    server.request("send_im").accept(json!([delivered(3, 0)]));
    client.done(1).expect("delivered");
    // Then it is its turn again; and to stop waits for none.
    let again = server.request("GET /pre/b/a HTTP/1.1");
    client.backend.stop(Duration::ZERO);
    drop((held, again));
    client.end();
}
