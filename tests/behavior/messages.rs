//! Messages between two.

use imo2skype::backend::Address;
use imo2skype::backend::Kind;
use imo2skype::backend::Mark;
use imo2skype::backend::Task;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::friends;

pub(crate) fn bodies_arrive_as_they_were_sent(network: &dyn Network) {
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    let bodies = [
        "hi",
        " ",
        "\t\n ",
        "a\r\nb\nc\r",
        "%s%n%d%%",
        "\u{1f600}\u{200d}\u{1f468}\u{0301}",
        "\u{feff}\u{202e}text",
        "\"quoted\" 'x' \\ \\n \\u0041 / &amp; <b> + = ; # ?",
        "#7 MESSAGE eve boo",
        "{\"method\":\"signoff_all\"}",
        "alice",
        "bob",
        "\u{1}\u{7f}\u{85}\u{2028}",
    ];
    for body in bodies {
        alice.says("bob", body);
        bob.says("alice", body);
    }
    for (person, other) in [(&alice, "bob"), (&bob, "alice")] {
        person.until("all of them", |view| (view.said_by(other).len() == bodies.len()).then_some(()));
        person.now(|view| {
            assert_eq!(view.said_by(other), bodies);
            for message in &view.messages {
                assert_eq!((&message.kind, &message.conversation), (&Kind::Text, &Address::User(Handle::new(other))));
            }
        });
    }
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn the_longest_body_arrives(network: &dyn Network) {
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let room = alice.max_body();
    let bodies = ["x".repeat(room), "\u{1f600}".repeat(room / 4), "\\\"\n".repeat(room / 3)];
    for body in &bodies {
        alice.says("bob", body);
    }
    bob.until("all of them", |view| (view.said_by("alice").len() == bodies.len()).then_some(()));
    bob.now(|view| assert!(view.said_by("alice").iter().eq(&bodies), "they differ"));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn messages_arrive_in_order(network: &dyn Network) {
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let carol = Person::online(network, "carol");
    // None waits for the one before.
    let tickets: Vec<_> = (0..100)
        .flat_map(|number| [("bob", number), ("carol", number)])
        .map(|(to, n)| alice.send(to, &n.to_string()))
        .collect();
    for ticket in tickets {
        alice.outcome(ticket).expect("a message that is sent");
    }
    let wanted: Vec<_> = (0..100).map(|number| number.to_string()).collect();
    for person in [&bob, &carol] {
        person.until("all of them", |view| (view.said_by("alice").len() == wanted.len()).then_some(()));
        person.now(|view| assert_eq!(view.said_by("alice"), wanted));
    }
    for person in [alice, bob, carol] {
        person.stops(GUARD);
    }
}

pub(crate) fn two_talk_at_once(network: &dyn Network) {
    let [alice, bob] = friends(network, ["alice", "bob"]);
    std::thread::scope(|scope| {
        for (mut person, other) in [(alice, "bob"), (bob, "alice")] {
            scope.spawn(move || {
                (0..50).for_each(|number| {
                    person.send(other, &number.to_string());
                });
                let wanted: Vec<_> = (0..50).map(|number| number.to_string()).collect();
                person.until("the other's words", |view| (view.said_by(other).len() == 50).then_some(()));
                person.now(|view| assert_eq!(view.said_by(other), wanted));
                person.stops(GUARD);
            });
        }
    });
}

pub(crate) fn a_message_waits_for_who_is_away(network: &dyn Network) {
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    bob.stops(GUARD);
    for body in ["one", "two", "three"] {
        alice.says("bob", body);
    }
    let mut bob = Person::online(network, "bob");
    bob.until("all of them", |view| (view.said_by("alice").len() == 3).then_some(()));
    bob.now(|view| assert_eq!(view.said_by("alice"), ["one", "two", "three"]));
    // What comes after them tells that they have been handled, so that the network may know.
    bob.says("alice", "I have read them");
    bob.stops(GUARD);
    // Once is enough.
    let bob = Person::online(network, "bob");
    alice.says("bob", "four");
    bob.until("the next", |view| view.said_by("alice").contains(&"four").then_some(()));
    bob.now(|view| assert_eq!(view.said_by("alice"), ["four"]));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_message_to_nobody_fails(network: &dyn Network) {
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let to = Address::User(Handle::new("nobody.at.all"));
    alice.fails(Task::SendText { to, body: "hello?".to_owned(), mark: Mark::new("hello?") });
    alice.says("bob", "nobody there");
    bob.until("her words", |view| (view.said_by("alice") == ["nobody there"]).then_some(()));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn messages_submitted_offline_are_sent_later(network: &dyn Network) {
    let bob = Person::online(network, "bob");
    let mut alice = Person::offline(network, "alice");
    let tickets: Vec<_> = (0..10).map(|number| alice.send("bob", &number.to_string())).collect();
    alice.now(|view| assert!(view.outcomes.is_empty(), "nobody can know yet"));
    alice.connect();
    for ticket in tickets {
        alice.outcome(ticket).expect("a message that is sent");
    }
    bob.until("all of them", |view| (view.said_by("alice").len() == 10).then_some(()));
    let wanted: Vec<_> = (0..10).map(|number| number.to_string()).collect();
    bob.now(|view| assert_eq!(view.said_by("alice"), wanted));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}
