//! The descriptor that `poll(2)` waits for.

use std::os::fd::BorrowedFd;
use std::sync::Arc;
use std::time::Duration;

use imo2skype::Error;
use imo2skype::Session;
use rustix::event::PollFd;
use rustix::event::PollFlags;
use rustix::event::Timespec;

use crate::GUARD;
use crate::attach;
use crate::mood;
use crate::mood_line;
use crate::online;
use crate::outcome;
use crate::start;
use crate::unread;

/// Whether the descriptor is readable, or becomes so within `timeout`.
fn readable(session: &Session, timeout: Duration) -> bool {
    let descriptor = session.notification_fd().expect("a descriptor");
    #[expect(unsafe_code, reason = "the number is what a program in C gets")]
    // SAFETY: it belongs to the session, which outlives this function.
    let descriptor = unsafe { BorrowedFd::borrow_raw(descriptor) };
    let mut waits = [PollFd::new(&descriptor, PollFlags::IN)];
    let timeout = Timespec::try_from(timeout).expect("a short time");
    rustix::event::poll(&mut waits, Some(&timeout)).expect("no signal comes") == 1
}

#[test]
fn it_is_readable_while_lines_wait() {
    let (network, session) = online(1000);
    assert!(!readable(&session, Duration::ZERO));
    for lines in [1, 2, 100] {
        for number in 0..lines {
            network.deliver(mood(format!("{lines} {number}")));
        }
        for _ in 0..lines {
            assert!(readable(&session, Duration::ZERO));
            crate::next(&session);
        }
        assert!(!readable(&session, Duration::ZERO));
    }
}

#[test]
fn made_late_it_knows_what_waits() {
    let (network, session) = online(1000);
    network.deliver(mood("early"));
    assert!(readable(&session, Duration::ZERO));
    unread(&session);
    assert!(!readable(&session, Duration::ZERO));
}

#[test]
fn it_stays_readable_after_the_end() {
    let (_network, session) = online(1000);
    let other = attach(&session);
    assert!(!readable(&session, Duration::ZERO));
    session.close();
    other.close();
    // Made before the end, and after it.
    for client in [session, other] {
        for _ in 0..3 {
            assert!(readable(&client, Duration::ZERO));
            assert!(matches!(client.poll_skype_notification(None), Err(Error::Closed)));
        }
    }
}

#[test]
fn it_stays_readable_for_a_client_that_was_detached() {
    let (network, slow) = online(16);
    let quick = attach(&slow);
    assert!(!readable(&slow, Duration::ZERO));
    for number in 0..17 {
        network.deliver(mood(number));
        unread(&quick);
    }
    for number in 0..16 {
        assert!(readable(&slow, Duration::ZERO));
        assert_eq!(crate::next(&slow), mood_line(number));
    }
    for _ in 0..3 {
        assert!(readable(&slow, Duration::ZERO));
        assert!(matches!(slow.poll_skype_notification(None), Err(Error::Detached { .. })));
    }
}

#[test]
fn one_who_reads_only_when_told_misses_nothing() {
    const LINES: usize = 20_000;
    let (network, session) = online(64);
    let delivery = network.deliver_all((0..LINES).map(mood));
    let mut number = 0;
    while number < LINES {
        assert!(readable(&session, GUARD), "nothing told that {number} waits");
        // One line for each time; being told for nothing is allowed.
        if let Some(line) = session.poll_skype_notification(Some(Duration::ZERO)).expect("open") {
            assert_eq!(line, mood_line(number));
            number += 1;
        }
    }
    delivery.finish(GUARD);
    assert!(!readable(&session, Duration::ZERO));
}

#[test]
fn several_who_read_only_when_told_miss_nothing() {
    const EACH: usize = 10_000;
    let (network, session) = online(64);
    let session = Arc::new(session);
    let readers = [(); 3].map(|()| {
        let session = Arc::clone(&session);
        start(move || {
            let mut lines = 0;
            loop {
                assert!(readable(&session, GUARD), "nothing told of a line or of the end");
                match session.poll_skype_notification(Some(Duration::ZERO)) {
                    Ok(line) => lines += usize::from(line.is_some()),
                    Err(Error::Closed) => return lines,
                    Err(other) => panic!("{other}"),
                }
            }
        })
    });
    let writers =
        ["a", "b"].map(|name| network.deliver_all((0..EACH).map(move |number| mood(format!("{name}{number}")))));
    for writer in writers {
        writer.finish(GUARD);
    }
    crate::until(|| session.unread() == 0);
    session.close();
    let lines: usize = readers.iter().map(outcome).sum();
    assert_eq!(lines, 2 * EACH);
}

#[test]
fn it_tells_those_who_wait_that_a_callback_was_set_and_works_again_after_it() {
    let (network, session) = online(1000);
    assert!(!readable(&session, Duration::ZERO));
    let (heard, lines) = crossbeam_channel::unbounded();
    let callback = move |line: &str| heard.send(line.to_owned()).expect("the test listens");
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    network.deliver(mood("called"));
    assert_eq!(lines.recv_timeout(GUARD).expect("a call"), mood_line("called"));
    session.set_notification_callback(None).expect("open");
    assert_eq!(unread(&session), [""; 0]);
    network.deliver(mood("polled"));
    assert!(readable(&session, Duration::ZERO));
    assert_eq!(crate::next(&session), mood_line("polled"));
    assert!(!readable(&session, Duration::ZERO));
}

#[test]
fn it_tells_of_every_line_also_when_a_callback_is_taken_off_as_lines_come() {
    let (network, session) = online(1000);
    // The thread of the callbacks is busy all the time: every line is left for polling.
    let (_, busy) = online(1000);
    let (open, gate) = crossbeam_channel::bounded::<()>(0);
    let callback = move |_: &str| assert!(gate.recv().is_err(), "it is never opened");
    busy.set_notification_callback(Some(Box::new(callback))).expect("open");
    busy.send_skype_command("PING").expect("open");
    for round in 0..200 {
        session.set_notification_callback(Some(Box::new(|_| {}))).expect("open");
        let delivery = network.deliver_all((0..5).map(move |number| mood(format!("{round} {number}"))));
        crate::until(|| session.unread() > 0);
        session.set_notification_callback(None).expect("open");
        let mut number = 0;
        while number < 5 {
            assert!(readable(&session, GUARD), "nothing told of line {number} in round {round}");
            if let Some(line) = session.poll_skype_notification(Some(Duration::ZERO)).expect("open") {
                assert_eq!(line, mood_line(format!("{round} {number}")));
                number += 1;
            }
        }
        delivery.finish(GUARD);
    }
    drop(open);
}
