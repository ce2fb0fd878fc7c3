//! Who is there, in what mood, and who types.

use imo2skype::backend::Ability;
use imo2skype::backend::Presence;
use imo2skype::backend::Typing;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::friends;

fn sees(person: &Person, name: &str, wanted: Presence) {
    person.until("a presence", |view| (view.presence_of(name) == Some(wanted)).then_some(()));
}

pub(crate) fn presence_goes_both_ways(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    for presence in [Presence::Away, Presence::Busy, Presence::Available] {
        alice.show(presence, "");
        sees(&bob, "alice", presence);
        bob.show(presence, "");
        sees(&alice, "bob", presence);
    }
    // Also what a login begins with.
    alice.log_out();
    sees(&bob, "alice", Presence::Offline);
    alice.connect_as(Presence::Away, "");
    sees(&bob, "alice", Presence::Away);
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn who_is_invisible_looks_offline(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    alice.show(Presence::Invisible, "");
    sees(&bob, "alice", Presence::Offline);
    // And is there nevertheless.
    bob.says("alice", "I know you are there");
    alice.until("his words", |view| (!view.said_by("bob").is_empty()).then_some(()));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn moods_go_both_ways(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Mood]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    // With a presence, because a network may let a mood alone wait for one (imo-protocol 6.3).
    let moods = ["at work", "50 % \u{1f600} <b> \\ \"", ""];
    for (presence, mood) in [Presence::Busy, Presence::Available, Presence::Busy].into_iter().zip(moods) {
        alice.show(presence, mood);
        bob.until("her mood", |view| (view.mood_of("alice") == mood).then_some(()));
        bob.show(presence, mood);
        alice.until("his mood", |view| (view.mood_of("bob") == mood).then_some(()));
    }
    alice.show(Presence::Away, "out");
    bob.until("both at once", |view| {
        (view.mood_of("alice") == "out" && view.presence_of("alice") == Some(Presence::Away)).then_some(())
    });
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn typing_goes_both_ways(network: &dyn Network) {
    if lacks(network, &[Ability::Typing]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    for typing in [Typing::Typing, Typing::Typed, Typing::Stopped] {
        alice.types("bob", typing);
        bob.until("her typing", |view| (view.typing.last() == Some(&(Handle::new("alice"), typing))).then_some(()));
        bob.types("alice", typing);
        alice.until("his typing", |view| (view.typing.last() == Some(&(Handle::new("bob"), typing))).then_some(()));
    }
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn another_login_hears_of_our_presence(network: &dyn Network) {
    let [desk, mut phone] = ["alice", "alice"].map(|name| Person::online(network, name));
    phone.show(Presence::Busy, "talking");
    let (presence, mood) = desk
        .until("our presence", |view| view.own_presence.clone().filter(|(presence, _)| *presence == Presence::Busy));
    assert_eq!(presence, Presence::Busy);
    if phone.can(Ability::Mood) {
        assert_eq!(mood.as_deref(), Some("talking"));
    }
    for person in [desk, phone] {
        person.stops(GUARD);
    }
}
