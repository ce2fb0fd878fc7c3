//! Two people on a gateway of ours, each with a session: what goes from one end to the other.
#![cfg(all(feature = "gateway", feature = "imo"))]

#[path = "two_people/calls.rs"]
mod calls;
#[path = "two_people/chats.rs"]
mod chats;
#[path = "support/people.rs"]
mod people;
#[path = "two_people/pictures.rs"]
mod pictures;

use std::time::Duration;

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use people::ask;
use people::befriend;
use people::catch;
use people::hear;
use people::open;
use people::received;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

/// Two contacts of each other.
fn friends(gateway: &Gateway) -> [Session; 2] {
    let [alice, bob] = ["alice", "bob"].map(|name| open(gateway.url(), name));
    befriend(&alice, ["alice", "bob"], &bob);
    [alice, bob]
}

#[test]
fn one_sees_that_the_other_types() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    for session in [&alice, &bob] {
        assert_eq!(ask(session, "CREATE APPLICATION libpurple_typing"), "CREATE APPLICATION libpurple_typing");
    }
    let connect = "ALTER APPLICATION libpurple_typing CONNECT bob";
    assert_eq!(ask(&alice, connect), connect);
    hear(&alice, "APPLICATION libpurple_typing STREAMS bob:1");
    for word in ["PURPLE_TYPING", "PURPLE_TYPED", "PURPLE_NOT_TYPING"] {
        let datagram = "ALTER APPLICATION libpurple_typing DATAGRAM bob:1";
        assert_eq!(ask(&alice, &format!("{datagram} {word}")), datagram);
        hear(&bob, &format!("APPLICATION libpurple_typing DATAGRAM alice:1 {word}"));
    }
    // And back, on the stream that opened by itself.
    ask(&bob, "ALTER APPLICATION libpurple_typing DATAGRAM alice:1 PURPLE_TYPING");
    hear(&alice, "APPLICATION libpurple_typing DATAGRAM bob:1 PURPLE_TYPING");
}

#[test]
fn who_is_blocked_is_heard_no_more_until_he_is_not() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    assert_eq!(ask(&bob, "SET USER alice ISBLOCKED TRUE"), "USER alice ISBLOCKED TRUE");
    hear(&bob, "USER alice ISBLOCKED TRUE");
    // Nothing is sent to whom one has blocked.
    assert_eq!(ask(&bob, "MESSAGE alice hi"), "ERROR 39 user blocked");
    // From then on the gateway tells that he is away.
    hear(&alice, "USER bob ONLINESTATUS OFFLINE");
    assert_eq!(ask(&bob, "SET USER alice ISBLOCKED FALSE"), "USER alice ISBLOCKED FALSE");
    hear(&alice, "USER bob ONLINESTATUS ONLINE");
    assert!(ask(&alice, "MESSAGE bob hello").ends_with("STATUS SENDING"));
    let number = catch(&bob, "a message", received);
    let body = format!("CHATMESSAGE {number} BODY");
    assert_eq!(ask(&bob, &format!("GET {body}")), format!("{body} hello"));
}

#[test]
fn a_name_of_ones_own_for_a_contact_is_kept_by_the_network() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    assert_eq!(ask(&alice, "SET USER bob DISPLAYNAME Bobby"), "USER bob DISPLAYNAME Bobby");
    // The network has one name for both (imo-protocol 5).
    hear(&alice, "USER bob FULLNAME Bobby");
    drop(bob);
}

#[test]
fn of_a_burst_every_message_can_be_read() {
    const MANY: usize = 1_000;
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    for number in 0..MANY {
        assert!(ask(&alice, &format!("MESSAGE bob number {number}")).ends_with("STATUS SENDING"));
    }
    let numbers: Vec<_> = (0..MANY).map(|_| catch(&bob, "a message", received)).collect();
    for (at, number) in numbers.into_iter().enumerate() {
        let body = format!("CHATMESSAGE {number} BODY");
        assert_eq!(ask(&bob, &format!("GET {body}")), format!("{body} number {at}"));
    }
}

#[test]
fn what_one_account_does_makes_no_gaps_in_the_ids_of_another() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = ["alice", "bob"].map(|name| open(gateway.url(), name));
    let send = |session: &Session| -> u32 {
        let reply = ask(session, "MESSAGE nobody.at.all hi");
        reply.split(' ').nth(1).and_then(|id| id.parse().ok()).unwrap_or_else(|| panic!("no id in {reply}"))
    };
    let first = send(&alice);
    for _ in 0..50 {
        send(&bob);
    }
    let second = send(&alice);
    assert!((first + 1..first + 50).contains(&second), "{first}, then {second}");
}
