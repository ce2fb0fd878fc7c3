//! A program that ends in the middle of sending, and the next one with the same account: on a gateway of ours.

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::backend::Address;
use imo2skype::backend::Event;
use imo2skype::backend::Mark;
use imo2skype::backend::Message;
use imo2skype::backend::Receipt;
use imo2skype::backend::imo::Limits;
use imo2skype::model::Handle;

use crate::client::Client;

/// A program that is online with the account `name`.
fn online(gateway: &Gateway, name: &str) -> Client {
    let mut client = Client::named(name, gateway.url(), Limits::default());
    client.connect(1);
    find(&client, |event| matches!(event, Event::Connected { .. }).then_some(()));
    client
}

/// The next event of which `wanted` makes something.
fn find<T>(client: &Client, wanted: impl Fn(&Event) -> Option<T>) -> T {
    loop {
        if let Some(found) = wanted(&client.event()) {
            return found;
        }
    }
}

fn message(client: &Client) -> Message {
    find(client, |event| if let Event::Message(message) = event { Some(message.clone()) } else { None })
}

fn receipt(client: &Client) -> Receipt {
    let outcome =
        find(client, |event| if let Event::Done { outcome, .. } = event { Some(outcome.clone()) } else { None });
    outcome.expect("sent")
}

/// Everything that bob hears up to the end is this.
fn hears(bob: &Client, alice: &mut Client, wanted: &[&str]) {
    alice.send(99, "the end");
    for wanted in wanted.iter().chain(&["the end"]) {
        assert_eq!(message(bob).body, *wanted);
    }
}

#[test]
fn what_the_program_before_has_sent_arrives_once_and_is_told_to_be_sent() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [bob, mut alice] = ["bob", "alice"].map(|name| online(&gateway, name));
    alice.send_marked(1, "hi", Mark::new("a7"));
    // The gateway has it; what it says of that is not read any more.
    let heard = message(&bob);
    assert_eq!(heard.body, "hi");
    drop(alice);

    let mut alice = online(&gateway, "alice");
    alice.send_again(1, "hi", "a7");
    assert_eq!(receipt(&alice).time, heard.time, "of the first");
    hears(&bob, &mut alice, &[]);
}

#[test]
fn what_the_program_before_has_not_sent_is_sent() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [bob, mut alice] = ["bob", "alice"].map(|name| online(&gateway, name));
    alice.send_again(1, "hi", "a7");
    receipt(&alice);
    hears(&bob, &mut alice, &["hi"]);
}

#[test]
fn the_first_copy_may_arrive_after_the_next_program() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [bob, mut late, mut alice] = ["bob", "alice", "alice"].map(|name| online(&gateway, name));
    // Still on its way when the next program is there, which hears of it as of any other login.
    late.send_marked(1, "hi", Mark::new("a7"));
    let reflected = message(&alice);
    assert_eq!((reflected.body.as_str(), reflected.mark.as_deref()), ("hi", Some("a7")));
    assert_eq!(reflected.conversation, Address::User(Handle::new("bob")));
    alice.send_again(1, "hi", "a7");
    assert_eq!(receipt(&alice).time, reflected.time);

    // Or even after the repeat: then it is the one that is dropped.
    alice.send_again(2, "there", "a8");
    let time = receipt(&alice).time;
    late.send_marked(2, "there", Mark::new("a8"));
    receipt(&late);
    assert_eq!(receipt(&late).time, time);
    hears(&bob, &mut alice, &["hi", "there"]);
}
