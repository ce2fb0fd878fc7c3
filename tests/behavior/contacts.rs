//! The contact list.

use imo2skype::backend::Ability;
use imo2skype::backend::Presence;
use imo2skype::backend::Task;
use imo2skype::backend::Typing;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::befriend;
use crate::person::friends;

pub(crate) fn a_contact_is_asked_and_agrees(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Authorization]) {
        return;
    }
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Person::online(network, name));
    alice.adds("bob", "50 % of me\nis \u{1f600}");
    alice.until("a contact", |view| view.contacts.get("bob").map(drop));
    alice.now(|view| assert_ne!(view.presence_of("bob"), Some(Presence::Available), "he has not agreed yet"));
    let request = bob.until("a request", |view| view.requests.first().cloned());
    assert_eq!(request, (Handle::new("alice"), "50 % of me\nis \u{1f600}".to_owned()));
    bob.does(Task::AnswerAuthRequest { user: Handle::new("alice"), accept: true });
    alice.until("his presence", |view| (view.presence_of("bob") == Some(Presence::Available)).then_some(()));
    bob.until("hers", |view| (view.presence_of("alice") == Some(Presence::Available)).then_some(()));
    // The list is the network's: another login has it.
    let again = Person::online(network, "alice");
    again.now(|view| assert!(view.contacts.contains_key("bob")));
    for person in [alice, bob, again] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_contact_is_asked_and_denies(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Authorization]) {
        return;
    }
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Person::online(network, name));
    alice.adds("bob", "");
    let request = bob.until("a request", |view| view.requests.first().cloned());
    assert_eq!(request, (Handle::new("alice"), String::new()));
    bob.does(Task::AnswerAuthRequest { user: Handle::new("alice"), accept: false });
    bob.show(Presence::Away, "not for alice");
    // Whatever was told of the answer was told before this.
    bob.says("alice", "no");
    alice.until("his words", |view| (view.said_by("bob") == ["no"]).then_some(()));
    alice.now(|view| {
        assert!(matches!(view.presence_of("bob"), None | Some(Presence::Offline)), "{:?}", view.presence_of("bob"));
        assert_eq!(view.mood_of("bob"), "");
    });
    bob.now(|view| assert!(!view.contacts.contains_key("alice")));
    // The answer stays: another login is not asked again.
    let again = Person::online(network, "bob");
    alice.says("bob", "why?");
    again.until("her words", |view| (view.said_by("alice") == ["why?"]).then_some(()));
    again.now(|view| assert!(view.requests.is_empty(), "{:?}", view.requests));
    for person in [alice, bob, again] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_removed_contact_is_none_any_more(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts]) {
        return;
    }
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    alice.does(Task::RemoveContact { user: Handle::new("bob") });
    alice.until("his removal", |view| (!view.contacts.contains_key("bob")).then_some(()));
    if bob.can(Ability::Authorization) {
        bob.until("that he sees her no more", |view| {
            (view.presence_of("alice") != Some(Presence::Available)).then_some(())
        });
    }
    let again = Person::online(network, "alice");
    again.now(|view| assert!(!view.contacts.contains_key("bob")));
    alice.fails(Task::RemoveContact { user: Handle::new("bob") });
    for person in [alice, bob, again] {
        person.stops(GUARD);
    }
}

pub(crate) fn who_is_blocked_is_not_heard_and_sees_nobody(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Blocking]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    let mut carol = Person::online(network, "carol");
    bob.does(Task::Block { user: Handle::new("alice"), blocked: true });
    alice.until("that he hides", |view| (view.presence_of("bob") == Some(Presence::Offline)).then_some(()));
    alice.types("bob", Typing::Typing);
    alice.send("bob", "let me in");
    // Both are dealt with by now, so they would have come before the words of Carol.
    let last = alice.send("carol", "what now?");
    let _ = alice.outcome(last);
    carol.says("bob", "hello");
    bob.until("her words", |view| (view.said_by("carol") == ["hello"]).then_some(()));
    bob.now(|view| {
        assert!(view.said_by("alice").is_empty());
        assert!(view.typing.is_empty(), "{:?}", view.typing);
    });
    bob.does(Task::Block { user: Handle::new("alice"), blocked: false });
    alice.until("that he is back", |view| (view.presence_of("bob") == Some(Presence::Available)).then_some(()));
    alice.says("bob", "thanks");
    bob.until("her words", |view| view.said_by("alice").contains(&"thanks").then_some(()));
    for person in [alice, bob, carol] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_name_of_ones_own_is_kept(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Aliases]) {
        return;
    }
    let quirks = network.quirks();
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let called = |person: &Person, wanted: &str| {
        person.until(wanted, |view| {
            let contact = view.contacts.get("bob")?;
            let told = if quirks.alias_is_name { &contact.name } else { &contact.alias };
            (told.as_deref() == Some(wanted)).then_some(())
        });
    };
    for alias in ["Bobby %s \u{1f600}", "Robert"] {
        alice.does(Task::SetAlias { user: Handle::new("bob"), alias: alias.to_owned() });
        called(&alice, alias);
        let again = Person::online(network, "alice");
        called(&again, alias);
        again.stops(GUARD);
    }
    alice.does(Task::SetAlias { user: Handle::new("bob"), alias: String::new() });
    called(&alice, if quirks.alias_is_name { "bob" } else { "" });
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn who_does_not_exist_cannot_be_added(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts]) {
        return;
    }
    let mut alice = Person::online(network, "alice");
    alice.fails(Task::AddContact { user: Handle::new("nobody.at.all"), greeting: String::new() });
    let mut bob = Person::online(network, "bob");
    befriend(&mut alice, &mut bob);
    alice.now(|view| assert!(!view.contacts.contains_key("nobody.at.all")));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}
