//! Going online and offline.

use std::time::Duration;

use imo2skype::backend::Ability;
use imo2skype::backend::Address;
use imo2skype::backend::Failure;
use imo2skype::backend::Lost;
use imo2skype::backend::Presence;
use imo2skype::backend::Task;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::befriend;
use crate::person::friends;

pub(crate) fn a_login_tells_who_we_are_and_whom_we_know(network: &dyn Network) {
    let [alice, bob] = friends(network, ["alice", "bob"]);
    alice.stops(GUARD);
    let mut alice = Person::offline(network, "alice");
    alice.connect();
    alice.arrive();
    // The contacts come before the success.
    alice.now(|view| {
        assert_eq!(view.me, Some(Handle::new("alice")));
        if bob.can(Ability::Contacts) {
            assert_eq!(view.presence_of("bob"), Some(Presence::Available));
        }
    });
    alice.stops(GUARD);
    bob.stops(GUARD);
}

pub(crate) fn a_wrong_password_is_refused_and_the_right_one_still_works(network: &dyn Network) {
    Person::online(network, "alice").stops(GUARD);
    let mut eve = Person::with_password(network, "alice", "wrong");
    for _ in 0..2 {
        eve.connect();
        eve.loses();
    }
    let view = eve.stops(GUARD);
    assert!(view.connected.is_empty());
    for (_, lost) in &view.lost {
        assert!(matches!(lost, Lost::Refused { reason } if !reason.is_empty()), "{lost:?}");
    }
    assert_eq!(view.lost.len(), 2, "each attempt fails once");
    Person::online(network, "alice").stops(GUARD);
}

pub(crate) fn a_network_that_is_not_there_is_unreachable_and_later_is_there(network: &dyn Network) {
    network.break_off("alice");
    let mut alice = Person::offline(network, "alice");
    for _ in 0..3 {
        alice.connect();
        alice.loses();
    }
    network.heal("alice");
    alice.connect();
    alice.arrive();
    let view = alice.stops(GUARD);
    assert_eq!((view.lost.len(), view.connected.len()), (3, 1));
    assert!(view.lost.iter().all(|(_, lost)| matches!(lost, Lost::Unreachable { .. })), "{:?}", view.lost);
}

pub(crate) fn logging_out_is_seen_and_logging_in_again_works(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts]) {
        return;
    }
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    for _ in 0..2 {
        alice.log_out();
        bob.until("that she is away", |view| (view.presence_of("alice") == Some(Presence::Offline)).then_some(()));
        alice.connect();
        alice.arrive();
        bob.until("that she is there", |view| (view.presence_of("alice") == Some(Presence::Available)).then_some(()));
    }
    alice.says("bob", "here again");
    bob.until("her words", |view| (view.said_by("alice") == ["here again"]).then_some(()));
    let view = alice.stops(GUARD);
    assert!(view.lost.is_empty(), "who logs out loses nothing: {:?}", view.lost);
    bob.stops(GUARD);
}

pub(crate) fn a_second_login_sees_what_the_first_did(network: &dyn Network) {
    let mut bob = Person::online(network, "bob");
    let mut desk = Person::online(network, "alice");
    befriend(&mut desk, &mut bob);
    let mut phone = Person::online(network, "alice");
    phone.says("bob", "from the phone");
    let own = desk.until("our own words", |view| view.messages.last().cloned());
    assert_eq!((own.author, own.body.as_str()), (Handle::new("alice"), "from the phone"));
    // Of a dialog the conversation is the other user, also when we are the author.
    assert_eq!(own.conversation, Address::User(Handle::new("bob")));
    bob.says("alice", "to both");
    for login in [&desk, &phone] {
        login.until("his words", |view| (view.said_by("bob") == ["to both"]).then_some(()));
    }
    // With one id, so that the account's history has it once.
    let ids = [&desk, &phone].map(|login| {
        login.now(|view| view.messages.iter().find(|message| message.body == "to both").map(|m| m.remote.clone()))
    });
    assert_eq!(ids[0], ids[1]);
    let view = phone.stops(GUARD);
    assert!(view.said_by("alice").is_empty(), "who sends a message is not told of it");
    desk.stops(GUARD);
    bob.stops(GUARD);
}

pub(crate) fn a_stop_cuts_short_and_nothing_is_heard_after_it(network: &dyn Network) {
    // Before it was ever online, while it logs in, and while much is to be done.
    Person::offline(network, "alice").stops(Duration::ZERO);
    let mut alice = Person::offline(network, "alice");
    alice.connect();
    alice.stops(Duration::ZERO);
    let mut alice = Person::online(network, "alice");
    Person::online(network, "bob").stops(GUARD);
    let texts: Vec<_> = (0..100).map(|number| alice.send("bob", &number.to_string())).collect();
    let view = alice.stops(Duration::ZERO);
    assert_eq!(view.outcomes.len(), texts.len());
}

pub(crate) fn a_stop_with_grace_says_goodbye(network: &dyn Network) {
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let ticket = alice.send("bob", "bye");
    let view = alice.stops(GUARD);
    assert!(view.outcomes[&ticket.0][0].is_ok());
    bob.until("her goodbye", |view| (view.said_by("alice") == ["bye"]).then_some(()));
    if bob.can(Ability::Contacts) {
        bob.until("that she is away", |view| (view.presence_of("alice") == Some(Presence::Offline)).then_some(()));
    }
    let mut bob = bob;
    bob.log_out();
    // Who has logged out does nothing any more but keep messages.
    if bob.can(Ability::Contacts) {
        assert_eq!(bob.fails(Task::RemoveContact { user: Handle::new("alice") }), Failure::NotConnected);
    }
    bob.stops(GUARD);
}
