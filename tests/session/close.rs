//! How a session ends, and who learns of it.

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::bounded;
use imo2skype::Error;
use imo2skype::Session;
use imo2skype::backend::Action;
use imo2skype::backend::Event;
use imo2skype::backend::StreamAction;
use imo2skype::backend::StreamEvent;
use imo2skype::backend::Task;
use imo2skype::model::Handle;

use crate::GUARD;
use crate::attach;
use crate::fake::Answer;
use crate::fake::Fake;
use crate::fake::Submit;
use crate::mood;
use crate::online;
use crate::online_on;
use crate::outcome;
use crate::start;
use crate::until;

/// Does something again and again, on a thread of its own, until it fails.
fn repeat<T>(session: &Arc<Session>, work: impl Fn(&Session) -> Result<T, Error> + Send + 'static) -> Receiver<Error> {
    let session = Arc::clone(session);
    let (begun, begins) = bounded(1);
    let failure = start(move || {
        begun.send(()).expect("the test waits for it");
        loop {
            if let Err(failure) = work(&session) {
                return failure;
            }
        }
    });
    outcome(&begins);
    failure
}

#[test]
fn close_wakes_everybody_who_polls() {
    for timeout in [None, Some(GUARD * 2)] {
        for _ in 0..100 {
            let (_network, session) = online(1000);
            let session = Arc::new(session);
            let waiting = [(); 3].map(|()| repeat(&session, move |session| session.poll_skype_notification(timeout)));
            session.close();
            for waiting in waiting {
                let end = outcome(&waiting);
                assert!(matches!(end, Error::Closed), "{end}");
            }
        }
    }
}

#[test]
fn close_ends_the_invokes() {
    for _ in 0..100 {
        let (_network, session) = online(1000);
        let session = Arc::new(session);
        let waiting = [(); 3].map(|()| repeat(&session, |session| session.invoke("PING", GUARD * 2)));
        session.close();
        for waiting in waiting {
            let end = outcome(&waiting);
            assert!(matches!(end, Error::Closed), "{end}");
        }
    }
}

#[test]
fn close_releases_every_thread_of_the_network_that_waits_for_room() {
    // Takes no time if nobody is forgotten.
    let rounds = start(|| {
        for _ in 0..100 {
            let (network, session) = online(16);
            for number in 0..16 {
                network.deliver(mood(number));
            }
            let waiting = ["a", "b", "c"].map(|name| network.deliver_all([mood(name)]));
            until(|| waiting.iter().all(|delivery| delivery.begun() == 1));
            session.close();
            for delivery in waiting {
                delivery.finish(GUARD);
            }
        }
    });
    outcome(&rounds);
}

#[test]
fn the_last_client_stops_the_network_once() {
    let (network, first) = online(1000);
    let second = attach(&first);
    first.close();
    first.close();
    assert_eq!(network.stops(), 0);
    assert!(matches!(first.send_skype_command("PING"), Err(Error::Closed)));
    assert!(matches!(first.invoke("PING", GUARD), Err(Error::Closed)));
    assert!(matches!(first.poll_skype_notification(None), Err(Error::Closed)));
    assert!(matches!(first.attach(), Err(Error::Closed)));
    assert!(matches!(first.set_notification_callback(None), Err(Error::Closed)));
    assert_eq!(second.invoke("PING", GUARD).expect("open"), "PONG");
    second.close();
    assert_eq!(network.stops(), 1);
    second.close();
    drop(first);
    drop(second);
    assert_eq!(network.stops(), 1);
}

#[test]
fn what_a_client_leaves_behind_is_told_to_the_network() {
    let alone = |client: Session, _others: &Session| client.close();
    let last = |client: Session, others: &Session| {
        others.close();
        client.close();
    };
    let kept = |client: Session, _others: &Session| {
        client.keep_only();
        drop(client);
    };
    for leave in [alone, last, kept] {
        let (network, others) = online(1000);
        let client = attach(&others);
        assert_eq!(client.invoke("CREATE APPLICATION chess", GUARD).expect("open"), "CREATE APPLICATION chess");
        let (application, user, number) = ("chess".to_owned(), Handle::new("bob"), 1);
        let event = StreamEvent::Opened;
        network.deliver(Event::Stream { application: application.clone(), user: user.clone(), number, event });
        network.actions().try_iter().for_each(drop);
        leave(client, &others);
        let tasks: Vec<_> = network
            .actions()
            .try_iter()
            .filter_map(|action| if let Action::Task { task, .. } = action { Some(task) } else { None })
            .collect();
        assert_eq!(tasks, [Task::Stream { application, user, number, action: StreamAction::Close }]);
    }
}

#[test]
fn threads_that_close_at_once_stop_the_network_once() {
    for _ in 0..50 {
        let (network, session) = online(1000);
        let clients = [Arc::new(attach(&session)), Arc::new(session)];
        let closing: Vec<_> = (0..4)
            .map(|number| {
                let client = Arc::clone(&clients[number % 2]);
                start(move || client.close())
            })
            .collect();
        closing.iter().for_each(outcome);
        assert_eq!(network.stops(), 1);
    }
}

#[test]
fn events_after_the_end_are_for_nobody() {
    let (network, session) = online(16);
    session.close();
    network.deliver_all((0..1000).map(mood)).finish(GUARD);
    assert_eq!(session.unread(), 0);
    drop(session);
    network.deliver_all((0..1000).map(mood)).finish(GUARD);
}

#[test]
fn a_command_is_either_carried_out_or_refused_while_its_client_closes() {
    let (network, session) = online(1000);
    session.keep_only();
    network.actions().try_iter().for_each(drop);
    for round in 0..500 {
        let client = Arc::new(attach(&session));
        let sent = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&sent);
        let end = repeat(&client, move |client| {
            // One action each.
            client.send_skype_command("SET USERSTATUS ONLINE")?;
            counter.fetch_add(1, Ordering::SeqCst);
            while client.poll_skype_notification(Some(Duration::ZERO))?.is_some() {}
            Ok(())
        });
        until(|| sent.load(Ordering::SeqCst) > 0);
        client.close();
        let end = outcome(&end);
        assert!(matches!(end, Error::Closed), "{end}");
        assert_eq!(network.actions().try_iter().count(), sent.load(Ordering::SeqCst), "in round {round}");
    }
}

/// A session that a certain name brings down.
fn fragile() -> (Fake, Session) {
    let spelling = |typed: &str| {
        assert_ne!(typed, "boom", "the script says so");
        Some(Handle::new(typed))
    };
    let network = Fake::scripted(Answer::Accepts, Submit::Takes, spelling, Vec::new());
    let session = online_on(&network, 16);
    (network, session)
}

#[test]
fn a_panic_under_the_lock_closes_the_session_for_everybody() {
    let (network, session) = fragile();
    let other = Arc::new(attach(&session));
    let called = attach(&session);
    called.set_notification_callback(Some(Box::new(|_| {}))).expect("open");
    let waiting = repeat(&other, |other| other.poll_skype_notification(None));
    let end = session.send_skype_command("MESSAGE boom hello");
    assert!(matches!(end, Err(Error::Internal(_))), "{end:?}");
    assert!(matches!(outcome(&waiting), Error::Closed));
    for client in [&session, &*other, &called] {
        assert!(matches!(client.poll_skype_notification(None), Err(Error::Closed)));
        assert!(matches!(client.send_skype_command("PING"), Err(Error::Closed)));
        assert!(matches!(client.attach(), Err(Error::Closed)));
    }
    network.deliver_all((0..100).map(mood)).finish(GUARD);
    drop((session, called));
    assert_eq!(network.stops(), 0);
    drop(other);
    assert_eq!(network.stops(), 1);
}

#[test]
fn a_panic_under_the_lock_ends_an_invoke_and_releases_the_network() {
    let (network, session) = fragile();
    let session = Arc::new(session);
    let delivery = network.deliver_all((0..100).map(mood));
    until(|| delivery.begun() == 17);
    session.poll_skype_notification(None).expect("open");
    // The network fills the queue again; then nobody reads any more.
    let end = loop {
        match session.invoke("MESSAGE boom hello", GUARD) {
            Err(Error::QueueFull { .. }) => session.poll_skype_notification(None).map(drop).expect("open"),
            end => break end,
        }
    };
    assert!(matches!(end, Err(Error::Internal(_))), "{end:?}");
    delivery.finish(GUARD);
    session.close();
    assert_eq!(network.stops(), 1);
}

#[test]
fn logging_out_and_in_again_keeps_the_session() {
    let (network, session) = online(1000);
    network.actions().try_iter().for_each(drop);
    session.send_skype_command("SET USERSTATUS OFFLINE").expect("open");
    assert_eq!(network.actions().recv_timeout(GUARD).expect("an action"), Action::Disconnect);
    session.send_skype_command("SET USERSTATUS ONLINE").expect("open");
    while crate::next(&session) != "CONNSTATUS ONLINE" {}
    assert_eq!(network.stops(), 0);
}
