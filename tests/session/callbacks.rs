//! Callbacks: one thread, one line at a time, and every way of changing them.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use crossbeam_channel::unbounded;
use imo2skype::Callback;
use imo2skype::Error;

use crate::GUARD;
use crate::attach;
use crate::mood;
use crate::mood_line;
use crate::online;
use crate::outcome;
use crate::start;
use crate::unread;
use crate::until;

/// Sends every line on.
fn hear(lines: &Sender<String>) -> Option<Callback> {
    let lines = lines.clone();
    // At the end of a test nobody listens any more.
    Some(Box::new(move |line| drop(lines.send(line.to_owned()))))
}

fn heard(lines: &Receiver<String>) -> String {
    lines.recv_timeout(GUARD).expect("a call")
}

#[test]
fn lines_come_in_order_and_one_at_a_time() {
    const LINES: usize = 5000;
    let (network, session) = online(64);
    let (sender, lines) = unbounded();
    let busy = AtomicBool::new(false);
    let callback = move |line: &str| {
        let together = busy.swap(true, Ordering::SeqCst);
        thread::yield_now();
        sender.send((together, line.to_owned())).expect("the test listens");
        busy.store(false, Ordering::SeqCst);
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    let delivery = network.deliver_all((0..LINES).map(mood));
    for number in 0..LINES {
        assert_eq!(lines.recv_timeout(GUARD).expect("a call"), (false, mood_line(number)));
    }
    delivery.finish(GUARD);
    session.close();
    assert_eq!(lines.try_iter().count(), 0);
}

#[test]
fn what_waits_when_a_callback_is_set_is_told_first() {
    let (network, session) = online(1000);
    (0..200).for_each(|number| network.deliver(mood(number)));
    let (sender, lines) = unbounded();
    session.set_notification_callback(hear(&sender)).expect("open");
    (200..400).for_each(|number| network.deliver(mood(number)));
    for number in 0..400 {
        assert_eq!(heard(&lines), mood_line(number));
    }
}

#[test]
fn a_callback_ends_polling_and_taking_it_off_gives_it_back() {
    let (network, session) = online(1000);
    let session = Arc::new(session);
    let polling = Arc::clone(&session);
    let waiting = start(move || polling.poll_skype_notification(None));
    let (sender, lines) = unbounded();
    session.set_notification_callback(hear(&sender)).expect("open");
    for refused in [outcome(&waiting), session.poll_skype_notification(Some(Duration::ZERO))] {
        assert!(matches!(refused, Err(Error::InvalidArgument { name: "session", .. })), "{refused:?}");
    }
    // Replies to whoever waits for them still come.
    assert_eq!(session.invoke("PING", GUARD).expect("open"), "PONG");
    network.deliver(mood("called"));
    assert_eq!(heard(&lines), mood_line("called"));
    session.set_notification_callback(None).expect("open");
    network.deliver(mood("polled"));
    assert_eq!(unread(&session), [mood_line("polled")]);
    assert_eq!(lines.len(), 0);
}

#[test]
fn taking_off_and_closing_wait_for_a_callback_that_runs() {
    for closes in [false, true] {
        let (network, session) = online(1000);
        let session = Arc::new(session);
        let (enter, entered) = bounded(0);
        let (open, gate) = bounded::<()>(0);
        let ended = Arc::new(AtomicBool::new(false));
        let ends = Arc::clone(&ended);
        let callback = move |_: &str| {
            enter.send(()).expect("the test waits for it");
            gate.recv().expect("the test opens it");
            ends.store(true, Ordering::SeqCst);
        };
        session.set_notification_callback(Some(Box::new(callback))).expect("open");
        network.deliver(mood("only"));
        outcome(&entered);
        let changing = Arc::clone(&session);
        let seen = Arc::clone(&ended);
        let changed = start(move || {
            if closes {
                changing.close();
            } else {
                changing.set_notification_callback(None).expect("open");
            }
            seen.load(Ordering::SeqCst)
        });
        open.send(()).expect("the callback waits for it");
        assert!(outcome(&changed), "it returned while the callback ran");
    }
}

#[test]
fn taking_off_does_not_wait_for_all_lines() {
    let (_network, session) = online(1000);
    let session = Arc::new(session);
    let (enter, entered) = bounded(1);
    let talking = Arc::clone(&session);
    // It never runs out of lines, because it makes one for each.
    let callback = move |_: &str| {
        talking.send_skype_command("PING").expect("open");
        let _ = enter.try_send(());
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    session.send_skype_command("PING").expect("open");
    outcome(&entered);
    let changing = Arc::clone(&session);
    outcome(&start(move || changing.set_notification_callback(None))).expect("open");
    assert_eq!(unread(&session), ["PONG"]);
}

#[test]
fn a_callback_may_send_commands() {
    let (network, session) = online(1000);
    let session = Arc::new(session);
    let (sender, lines) = unbounded();
    let talking = Arc::clone(&session);
    let callback = move |line: &str| {
        if line == mood_line("go") {
            talking.send_skype_command("#1 PING").expect("open");
            assert_eq!(talking.invoke("PING", GUARD).expect("open"), "PONG");
        }
        sender.send(line.to_owned()).expect("the test listens");
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    network.deliver(mood("go"));
    assert_eq!([heard(&lines), heard(&lines)], [mood_line("go"), "#1 PONG".to_owned()]);
    // The callback has the session, and the session the callback.
    session.close();
}

#[test]
fn a_callback_may_close_its_own_session() {
    let (network, session) = online(1000);
    let session = Arc::new(session);
    let (sender, lines) = unbounded();
    let closing = Arc::clone(&session);
    let callback = move |line: &str| {
        closing.close();
        sender.send((line.to_owned(), closing.send_skype_command("PING"))).expect("the test listens");
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    network.deliver_all((0..10).map(mood)).finish(GUARD);
    let (line, refused) = lines.recv_timeout(GUARD).expect("a call");
    assert_eq!(line, mood_line(0));
    assert!(matches!(refused, Err(Error::Closed)), "{refused:?}");
    assert!(matches!(session.poll_skype_notification(None), Err(Error::Closed)));
    assert_eq!(network.stops(), 1);
    // The callback was the last to be called, and is gone with what it had.
    assert!(lines.recv_timeout(GUARD).is_err_and(|end| end.is_disconnected()));
}

#[test]
fn a_callback_may_replace_itself() {
    let (network, session) = online(1000);
    let session = Arc::new(session);
    let (sender, lines) = unbounded();
    let changing = Arc::clone(&session);
    let first = move |line: &str| {
        let (line, second) = (format!("first {line}"), sender.clone());
        sender.send(line).expect("the test listens");
        let second = move |line: &str| second.send(format!("second {line}")).expect("the test listens");
        changing.set_notification_callback(Some(Box::new(second))).expect("open");
    };
    (0..100).for_each(|number| network.deliver(mood(number)));
    session.set_notification_callback(Some(Box::new(first))).expect("open");
    (100..200).for_each(|number| network.deliver(mood(number)));
    assert_eq!(heard(&lines), format!("first {}", mood_line(0)));
    for number in 1..200 {
        assert_eq!(heard(&lines), format!("second {}", mood_line(number)));
    }
}

#[test]
fn a_callback_may_take_itself_off() {
    let (network, session) = online(1000);
    let session = Arc::new(session);
    let (sender, lines) = bounded::<String>(1);
    let changing = Arc::clone(&session);
    let callback = move |line: &str| {
        changing.set_notification_callback(None).expect("open");
        sender.send(line.to_owned()).expect("the test listens");
    };
    (0..10).for_each(|number| network.deliver(mood(number)));
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    assert_eq!(heard(&lines), mood_line(0));
    let rest: Vec<_> = (1..10).map(mood_line).collect();
    assert_eq!(unread(&session), rest);
    // It is dropped once it has returned.
    assert!(lines.recv_timeout(GUARD).is_err_and(|end| end.is_disconnected()));
}

#[test]
fn a_callback_that_panics_is_called_again() {
    let (network, session) = online(1000);
    let (sender, lines) = unbounded();
    let callback = move |line: &str| {
        assert_ne!(line, mood_line("boom"), "the script says so");
        sender.send(line.to_owned()).expect("the test listens");
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    ["before", "boom", "after"].into_iter().for_each(|text| network.deliver(mood(text)));
    assert_eq!([heard(&lines), heard(&lines)], [mood_line("before"), mood_line("after")]);
}

#[test]
fn sessions_share_one_thread_that_is_nobody_elses() {
    let (sender, threads) = unbounded();
    let sessions = [online(1000), online(1000)];
    let (_, first) = &sessions[0];
    let third = attach(first);
    for session in [first, &sessions[1].1, &third] {
        let sender = sender.clone();
        let callback = move |_: &str| sender.send(thread::current().id()).expect("the test listens");
        session.set_notification_callback(Some(Box::new(callback))).expect("open");
        session.send_skype_command("PING").expect("open");
    }
    let threads = [(); 3].map(|()| threads.recv_timeout(GUARD).expect("a call"));
    assert_eq!(threads, [threads[0]; 3]);
    assert_ne!(threads[0], thread::current().id());
}

#[test]
fn a_client_with_a_callback_makes_the_network_wait_too() {
    let (network, session) = online(16);
    let (step, steps) = bounded::<()>(0);
    let called = Arc::new(AtomicUsize::new(0));
    let calls = Arc::clone(&called);
    let callback = move |_: &str| {
        steps.recv().expect("the test steps");
        calls.fetch_add(1, Ordering::SeqCst);
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    let delivery = network.deliver_all((0..1000).map(mood));
    for number in 0..1000 {
        // One is being called with, so many wait.
        let taken = delivery.handled();
        assert!(taken <= number + 1 + 16, "{taken} events were taken when {number} was read");
        step.send(()).expect("the callback waits for it");
    }
    delivery.finish(GUARD);
    session.close();
    assert_eq!(called.load(Ordering::SeqCst), 1000);
}

#[test]
fn a_callback_set_from_anothers_callback_stays_where_it_was_put() {
    let (_network, one) = online(1000);
    let other = Arc::new(attach(&one));
    let (done, round_done) = unbounded();
    let changing = Arc::clone(&other);
    let callback = move |_: &str| {
        let changed = changing.set_notification_callback(None);
        done.send(changed).expect("the test listens");
    };
    one.set_notification_callback(Some(Box::new(callback))).expect("open");
    let (sender, lines) = unbounded();
    for round in 0..1000 {
        // Both at once, so that one finds the other at work.
        one.send_skype_command("PING").expect("open");
        while round_done.is_empty() {
            other.set_notification_callback(hear(&sender)).expect("open");
        }
        round_done.recv().expect("not empty").expect("open");
        other.set_notification_callback(hear(&sender)).expect("open");
        for number in 0..2 {
            other.send_skype_command(&format!("#{round}.{number} PING")).expect("open");
        }
        for number in 0..2 {
            assert_eq!(heard(&lines), format!("#{round}.{number} PONG"));
        }
    }
}

#[test]
fn setting_at_once_from_several_threads_ends_with_one_of_them() {
    let (_network, session) = online(1000);
    let session = Arc::new(session);
    let (sender, lines) = unbounded();
    for round in 0..2000 {
        let polling = Arc::clone(&session);
        let taken_off = start(move || polling.set_notification_callback(None));
        session.set_notification_callback(hear(&sender)).expect("open");
        outcome(&taken_off).expect("open");
        session.send_skype_command(&format!("#{round} PING")).expect("open");
        let line = match session.poll_skype_notification(Some(Duration::ZERO)) {
            Ok(line) => line.expect("the reply is there"),
            Err(Error::InvalidArgument { .. }) => heard(&lines),
            Err(other) => panic!("{other}"),
        };
        assert_eq!(line, format!("#{round} PONG"));
    }
}

#[test]
fn a_callback_set_while_the_session_closes_is_refused_or_dropped() {
    for _ in 0..500 {
        let (_network, session) = online(1000);
        let session = Arc::new(session);
        let closing = Arc::clone(&session);
        let (sender, lines) = bounded::<String>(1);
        let closed = start(move || closing.close());
        let changed = session.set_notification_callback(hear(&sender));
        outcome(&closed);
        drop(sender);
        assert!(matches!(changed, Ok(()) | Err(Error::Closed)), "{changed:?}");
        // Nothing keeps it, although there still is a handle.
        assert!(lines.try_recv().is_err_and(|end| end.is_disconnected()), "the callback was kept");
    }
}

#[test]
fn a_callback_with_the_last_handle_may_take_itself_off() {
    let (network, session) = online(1000);
    let session = Arc::new(session);
    let (enter, entered) = bounded(0);
    let changing = Arc::clone(&session);
    let callback = move |_: &str| {
        // Now the test lets go of its handle.
        enter.send(()).expect("the test waits for it");
        until(|| Arc::strong_count(&changing) == 1);
        changing.set_notification_callback(None).expect("open");
    };
    session.set_notification_callback(Some(Box::new(callback))).expect("open");
    network.deliver(mood("only"));
    outcome(&entered);
    drop(session);
    until(|| network.stops() == 1);
    network.deliver(mood("late"));
}

#[test]
fn closing_holds_no_lock_while_anothers_callback_ends() {
    for _ in 0..100 {
        let (_first, one) = online(1000);
        let (_second, other) = online(1000);
        let (one, other) = (Arc::new(one), Arc::new(other));
        let (enter, entered) = bounded(0);
        let (open, gate) = bounded::<()>(0);
        let (told, tells) = bounded(1);
        let (own, its) = (Arc::clone(&one), Arc::clone(&other));
        let callback = move |_: &str| {
            // From here on the other session alone keeps the thread.
            own.close();
            enter.send(()).expect("the test waits for it");
            gate.recv().expect("the test opens it");
            told.send(its.invoke("PING", GUARD)).expect("the test listens");
        };
        one.set_notification_callback(Some(Box::new(callback))).expect("open");
        other.set_notification_callback(Some(Box::new(|_| {}))).expect("open");
        one.send_skype_command("PING").expect("open");
        outcome(&entered);
        let closing = Arc::clone(&other);
        let closed = start(move || closing.close());
        open.send(()).expect("the callback waits for it");
        let told = outcome(&tells);
        assert!(matches!(told.as_deref(), Ok("PONG") | Err(Error::Closed)), "{told:?}");
        outcome(&closed);
    }
}
