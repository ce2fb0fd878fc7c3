//! The bound of a queue, and several who read it.

use std::collections::HashMap;
use std::sync::Arc;

use imo2skype::Error;
use imo2skype::Session;

use crate::GUARD;
use crate::attach;
use crate::config;
use crate::fake::Answer;
use crate::fake::Fake;
use crate::mood;
use crate::mood_line;
use crate::next;
use crate::online;
use crate::outcome;
use crate::start;
use crate::unread;
use crate::until;

const LIMIT: usize = 16;

#[test]
fn the_only_client_makes_the_network_wait_and_hears_everything_in_order() {
    let (network, session) = online(LIMIT);
    let delivery = network.deliver_all((0..5000).map(mood));
    for number in 0..5000 {
        assert_eq!(next(&session), mood_line(number));
        assert!(session.unread() <= LIMIT, "{} lines wait", session.unread());
        // What was not read and is not waiting was not taken from the network.
        let taken = delivery.handled();
        assert!(taken <= number + 1 + LIMIT, "{taken} events were taken when {number} was read");
    }
    delivery.finish(GUARD);
}

#[test]
fn a_second_client_releases_the_network_and_the_slow_one_is_detached() {
    let (network, slow) = online(LIMIT);
    let delivery = network.deliver_all((0..1000).map(mood));
    until(|| delivery.begun() == LIMIT + 1 && delivery.handled() == LIMIT);
    let quick = slow.attach().expect("open");
    while next(&quick) != "USERSTATUS ONLINE" {}
    for number in LIMIT..1000 {
        assert_eq!(next(&quick), mood_line(number));
    }
    delivery.finish(GUARD);
    // It can still read what waited, and then it learns why there is no more.
    for number in 0..LIMIT {
        assert_eq!(next(&slow), mood_line(number));
    }
    for _ in 0..2 {
        let end = slow.poll_skype_notification(None);
        assert!(matches!(end, Err(Error::Detached { unread: LIMIT })), "{end:?}");
    }
    let refused = slow.send_skype_command("PING");
    assert!(matches!(refused, Err(Error::Detached { unread: LIMIT })), "{refused:?}");
    assert_eq!(quick.invoke("PING", GUARD).expect("open"), "PONG");
}

#[test]
fn when_the_others_have_gone_the_only_client_makes_the_network_wait() {
    let (network, session) = online(LIMIT);
    drop(attach(&session));
    let delivery = network.deliver_all((0..100).map(mood));
    until(|| delivery.begun() == LIMIT + 1);
    for number in 0..100 {
        assert_eq!(next(&session), mood_line(number));
    }
    delivery.finish(GUARD);
}

#[test]
fn room_wakes_every_thread_of_the_network_that_waits_for_it() {
    let (network, session) = online(LIMIT);
    // Takes no time if nobody is forgotten.
    let rounds = start(move || {
        for round in 0..100 {
            for number in 0..LIMIT {
                network.deliver(mood(format!("{round} {number}")));
            }
            let waiting = ["a", "b", "c"].map(|name| network.deliver_all([mood(format!("{round} {name}"))]));
            until(|| waiting.iter().all(|delivery| delivery.begun() == 1));
            for number in 0..LIMIT {
                assert_eq!(next(&session), mood_line(format!("{round} {number}")));
            }
            for delivery in waiting {
                delivery.finish(GUARD);
            }
            assert_eq!(unread(&session).len(), 3);
        }
    });
    outcome(&rounds);
}

#[test]
fn a_command_at_the_bound_is_refused_and_taken_again_after_reading() {
    let network = Fake::new(Answer::Nothing);
    let session = Session::with_backend(&config(false, LIMIT), Box::new(network)).expect("nothing can fail");
    let greeting = unread(&session).len();
    assert_eq!(greeting, 3);
    for _ in 0..LIMIT {
        session.send_skype_command("PING").expect("room");
    }
    for _ in 0..2 {
        let refused = session.send_skype_command("PING");
        assert!(matches!(refused, Err(Error::QueueFull { unread: LIMIT })), "{refused:?}");
        let refused = session.invoke("PING", GUARD);
        assert!(matches!(refused, Err(Error::QueueFull { unread: LIMIT })), "{refused:?}");
    }
    assert_eq!(next(&session), "PONG");
    session.send_skype_command("#last PING").expect("room again");
    let refused = session.send_skype_command("PING");
    assert!(matches!(refused, Err(Error::QueueFull { unread: LIMIT })), "{refused:?}");
    let lines = unread(&session);
    assert_eq!((lines.len(), lines.last().map(String::as_str)), (LIMIT, Some("#last PONG")));
}

#[test]
fn of_several_threads_that_poll_each_line_reaches_just_one() {
    const EACH: usize = 10_000;
    let (network, session) = online(64);
    let session = Arc::new(session);
    let readers: Vec<_> = (0..3)
        .map(|_| {
            let session = Arc::clone(&session);
            start(move || {
                let mut lines = Vec::new();
                loop {
                    match session.poll_skype_notification(None) {
                        Ok(line) => lines.push(line.expect("no time limit")),
                        Err(Error::Closed) => return lines,
                        Err(other) => panic!("{other}"),
                    }
                }
            })
        })
        .collect();
    let writers =
        ["a", "b"].map(|name| network.deliver_all((0..EACH).map(move |number| mood(format!("{name}{number}")))));
    for writer in writers {
        writer.finish(GUARD);
    }
    until(|| session.unread() == 0);
    session.close();
    let mut times = HashMap::new();
    for reader in &readers {
        let mut last = HashMap::new();
        for line in outcome(reader) {
            let text = line.strip_prefix("PROFILE MOOD_TEXT ").expect("nothing else is told");
            let (name, number) = text.split_at(1);
            let number: usize = number.parse().expect("a number");
            let before = last.insert(name.to_owned(), number);
            assert!(before.is_none_or(|before| before < number), "{name}{number} came after {before:?}");
            *times.entry(text.to_owned()).or_insert(0) += 1;
        }
    }
    assert_eq!(times.len(), 2 * EACH);
    assert!(times.values().all(|times| *times == 1));
}
