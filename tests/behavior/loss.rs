//! Connections that break.

use imo2skype::backend::Ability;
use imo2skype::backend::Failure;
use imo2skype::backend::Presence;
use imo2skype::backend::Task;
use imo2skype::model::Handle;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::friends;

const ROUNDS: usize = 8;
const EACH: usize = 10;

/// Cuts somebody off in the middle of whatever goes on. Healed before that is told, it might go unnoticed.
fn cut(network: &dyn Network, person: &mut Person, name: &str) {
    network.break_off(name);
    person.loses();
    network.heal(name);
    person.come_back();
}

/// What was sent and may have been lost with the answer arrives once or not at all, all else once, and in order.
fn check(heard: &[String], sent: &[(String, Result<(), Failure>)]) {
    let unclear =
        |body: &String| sent.iter().any(|(other, outcome)| other == body && *outcome == Err(Failure::Unclear));
    let arrived: Vec<_> =
        sent.iter().map(|(body, _)| body).filter(|body| heard.contains(body) || !unclear(body)).collect();
    assert_eq!(heard.iter().collect::<Vec<_>>(), arrived);
    for (body, outcome) in sent {
        assert!(matches!(outcome, Ok(()) | Err(Failure::Unclear)), "{body}: {outcome:?}");
    }
}

pub(crate) fn a_cut_loses_nothing_and_doubles_nothing(network: &dyn Network) {
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    let mut tickets = Vec::new();
    for round in 0..ROUNDS {
        for number in 0..EACH {
            let body = format!("{round}.{number}");
            tickets.push((alice.send("bob", &body), body));
        }
        if round % 2 == 0 {
            cut(network, &mut alice, "alice");
        } else {
            cut(network, &mut bob, "bob");
        }
    }
    let sent: Vec<_> = tickets.into_iter().map(|(ticket, body)| (body, alice.outcome(ticket).map(drop))).collect();
    alice.says("bob", "the end");
    bob.until("the end", |view| view.said_by("alice").contains(&"the end").then_some(()));
    let view = bob.stops(GUARD);
    let heard: Vec<_> = view.said_by("alice").into_iter().map(str::to_owned).filter(|body| body != "the end").collect();
    check(&heard, &sent);
    alice.stops(GUARD);
}

pub(crate) fn what_was_missed_comes_after_the_cut(network: &dyn Network) {
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    network.break_off("bob");
    bob.loses();
    let wanted: Vec<_> = (0..EACH).map(|number| number.to_string()).collect();
    for body in &wanted {
        alice.says("bob", body);
    }
    network.heal("bob");
    bob.come_back();
    bob.until("all of them", |view| (view.said_by("alice").len() == EACH).then_some(()));
    bob.now(|view| assert_eq!(view.said_by("alice"), wanted));
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn every_task_has_one_outcome_whatever_happens(network: &dyn Network) {
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let user = || Handle::new("bob");
    for round in 0..ROUNDS {
        // Those that the network cannot do have an outcome, too.
        for number in 0..EACH {
            alice.send("bob", &format!("{round}.{number}"));
            alice.task(Task::Block { user: user(), blocked: number % 2 == 0 });
            alice.task(Task::SetAlias { user: user(), alias: format!("Bob {number}") });
            alice.task(Task::Found { users: vec![user()] });
            alice.task(Task::SetName { name: "Alice".to_owned() });
        }
        match round % 4 {
            0 => cut(network, &mut alice, "alice"),
            1 => network.break_off("alice"),
            2 => {
                network.heal("alice");
                alice.come_back();
            }
            _ => {
                alice.log_out();
                alice.come_back();
            }
        }
    }
    // Stopping looks at each ticket.
    alice.stops(GUARD);
    bob.stops(GUARD);
}

pub(crate) fn presence_is_caught_up_after_a_cut(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Mood]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    network.break_off("bob");
    bob.loses();
    alice.show(Presence::Busy, "without you");
    // By the time that this is sent, that is known.
    alice.says("bob", "are you there?");
    network.heal("bob");
    bob.come_back();
    bob.until("her presence", |view| {
        (view.presence_of("alice") == Some(Presence::Busy) && view.mood_of("alice") == "without you").then_some(())
    });
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}
