//! Conversations of several.

use imo2skype::backend::Ability;
use imo2skype::backend::Address;
use imo2skype::backend::Change;
use imo2skype::backend::Mark;
use imo2skype::backend::Task;
use imo2skype::model::ConversationId;
use imo2skype::model::Handle;
use imo2skype::model::MyStatus;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::befriend;

const NAMES: [&str; 3] = ["alice", "bob", "carol"];

/// Alice, who knows the others, Bob and Carol.
fn three(network: &dyn Network) -> [Person; 3] {
    let [mut alice, mut bob, mut carol] = NAMES.map(|name| Person::online(network, name));
    befriend(&mut alice, &mut bob);
    befriend(&mut alice, &mut carol);
    [alice, bob, carol]
}

fn found(founder: &mut Person, users: &[&str]) -> ConversationId {
    let users = users.iter().map(|user| Handle::new(*user)).collect();
    founder.does(Task::Found { users }).conversation.expect("the receipt names it")
}

fn all_are_in(id: &ConversationId, members: &[&str], people: &[&Person]) {
    for person in people {
        person.until(&format!("{members:?} to be in"), |view| view.is_in(id, members).then_some(()));
    }
}

fn hears(person: &Person, id: &ConversationId, author: &str, body: &str) {
    let wanted = (author.to_owned(), body);
    person.until(body, |view| view.said_in(id).contains(&wanted).then_some(()));
}

pub(crate) fn a_conversation_is_founded_and_everybody_hears_everybody(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations]) {
        return;
    }
    let [mut alice, mut bob, mut carol] = three(network);
    let id = found(&mut alice, &["bob", "carol"]);
    all_are_in(&id, &NAMES, &[&alice, &bob, &carol]);
    for body in ["hello all", "a\nb %s \u{1f600}", " "] {
        alice.says_in(&id, body);
        bob.says_in(&id, body);
        carol.says_in(&id, body);
    }
    for (person, others) in [(&alice, ["bob", "carol"]), (&bob, ["alice", "carol"]), (&carol, ["alice", "bob"])] {
        for other in others {
            hears(person, &id, other, " ");
            person.now(|view| {
                let said: Vec<_> = view.said_in(&id).into_iter().filter(|(author, _)| author == other).collect();
                let bodies: Vec<_> = said.iter().map(|(_, body)| *body).collect();
                assert_eq!(bodies, ["hello all", "a\nb %s \u{1f600}", " "], "of {other}");
            });
        }
    }
    for person in [alice, bob, carol] {
        let view = person.stops(GUARD);
        let dialogs = view.messages.iter().filter(|message| matches!(message.conversation, Address::User(_)));
        assert_eq!(dialogs.count(), 0, "none of it is a dialog");
    }
}

pub(crate) fn somebody_is_invited_later(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations]) {
        return;
    }
    let [mut alice, mut bob, mut carol] = three(network);
    let id = found(&mut alice, &["bob"]);
    all_are_in(&id, &NAMES[..2], &[&alice, &bob]);
    carol.now(|view| assert!(view.room(&id).is_none()));
    bob.changes(&id, Change::Invite(vec![Handle::new("carol")]));
    all_are_in(&id, &NAMES, &[&alice, &bob, &carol]);
    carol.says_in(&id, "here I am");
    for person in [&alice, &bob] {
        hears(person, &id, "carol", "here I am");
    }
    for person in [alice, bob, carol] {
        person.stops(GUARD);
    }
}

pub(crate) fn somebody_is_kicked(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations, Ability::Kicking]) {
        return;
    }
    let [mut alice, bob, mut carol] = three(network);
    let id = found(&mut alice, &["bob", "carol"]);
    all_are_in(&id, &NAMES, &[&alice, &bob, &carol]);
    alice.changes(&id, Change::Kick { users: vec![Handle::new("carol")], ban: false });
    all_are_in(&id, &NAMES[..2], &[&alice, &bob]);
    carol.until("that she is out", |view| {
        let status = view.room(&id).and_then(|room| room.my_status);
        matches!(status, Some(MyStatus::Kicked | MyStatus::Unsubscribed)).then_some(())
    });
    let to = Address::Conversation(id.clone());
    carol.fails(Task::SendText { to, body: "let me in".to_owned(), mark: Mark::new("let me in") });
    alice.says_in(&id, "she is gone");
    hears(&bob, &id, "alice", "she is gone");
    alice.says("carol", "sorry");
    carol.until("her words", |view| view.said_by("alice").contains(&"sorry").then_some(()));
    carol.now(|view| assert!(view.said_in(&id).is_empty(), "{:?}", view.said_in(&id)));
    for person in [alice, bob, carol] {
        person.stops(GUARD);
    }
}

pub(crate) fn somebody_leaves(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations]) {
        return;
    }
    let [mut alice, mut bob, carol] = three(network);
    let id = found(&mut alice, &["bob", "carol"]);
    all_are_in(&id, &NAMES, &[&alice, &bob, &carol]);
    bob.changes(&id, Change::Leave);
    all_are_in(&id, &["alice", "carol"], &[&alice, &carol]);
    alice.says_in(&id, "he is gone");
    hears(&carol, &id, "alice", "he is gone");
    alice.says("bob", "bye");
    bob.until("her words", |view| view.said_by("alice").contains(&"bye").then_some(()));
    bob.now(|view| assert!(view.said_in(&id).is_empty(), "{:?}", view.said_in(&id)));
    // Also at another login it is none of his any more.
    let again = Person::online(network, "bob");
    alice.says("bob", "again");
    again.until("her words", |view| view.said_by("alice").contains(&"again").then_some(()));
    again.now(|view| assert_ne!(view.room(&id).and_then(|room| room.my_status), Some(MyStatus::Subscribed)));
    for person in [alice, bob, carol, again] {
        person.stops(GUARD);
    }
}

pub(crate) fn the_topic_is_everybodys(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations, Ability::Topics]) {
        return;
    }
    let [mut alice, mut bob, carol] = three(network);
    let id = found(&mut alice, &["bob", "carol"]);
    all_are_in(&id, &NAMES, &[&alice, &bob, &carol]);
    for topic in ["Plans", "50 % \u{1f600} <b>"] {
        bob.changes(&id, Change::Topic(topic.to_owned()));
        for person in [&alice, &bob, &carol] {
            person.until(topic, |view| view.room(&id).is_some_and(|room| room.topic == topic).then_some(()));
        }
    }
    let again = Person::online(network, "carol");
    again
        .until("the topic", |view| view.room(&id).is_some_and(|room| room.topic == "50 % \u{1f600} <b>").then_some(()));
    for person in [alice, bob, carol, again] {
        person.stops(GUARD);
    }
}

pub(crate) fn two_conversations_are_two(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations]) {
        return;
    }
    let [mut alice, bob, carol] = three(network);
    let tickets = [(); 2].map(|()| alice.task(Task::Found { users: vec![Handle::new("bob")] }));
    let [one, other] = tickets.map(|ticket| alice.outcome(ticket).expect("founded").conversation.expect("a name"));
    assert_ne!(one, other);
    for (id, body) in [(&one, "first"), (&other, "second")] {
        all_are_in(id, &NAMES[..2], &[&alice, &bob]);
        alice.says_in(id, body);
        hears(&bob, id, "alice", body);
    }
    bob.now(|view| assert_eq!((view.said_in(&one).len(), view.said_in(&other).len()), (1, 1)));
    for person in [alice, bob, carol] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_conversation_is_still_there_after_a_cut(network: &dyn Network) {
    if lacks(network, &[Ability::Conversations]) {
        return;
    }
    let [mut alice, mut bob, carol] = three(network);
    let id = found(&mut alice, &["bob"]);
    all_are_in(&id, &NAMES[..2], &[&alice, &bob]);
    network.break_off("bob");
    bob.loses();
    alice.says_in(&id, "while you were away");
    alice.changes(&id, Change::Invite(vec![Handle::new("carol")]));
    all_are_in(&id, &NAMES, &[&alice, &carol]);
    network.heal("bob");
    bob.come_back();
    hears(&bob, &id, "alice", "while you were away");
    all_are_in(&id, &NAMES, &[&bob]);
    bob.says_in(&id, "back again");
    hears(&alice, &id, "bob", "back again");
    for person in [alice, bob, carol] {
        person.stops(GUARD);
    }
}
