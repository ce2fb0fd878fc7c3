//! Commands and their replies.

use std::sync::Arc;
use std::time::Duration;

use imo2skype::Click;
use imo2skype::Config;
use imo2skype::Error;
use imo2skype::Session;
use imo2skype::backend::Action;
use imo2skype::backend::Task;
use imo2skype::model::Handle;
use imo2skype::session::MAX_COMMAND;

use crate::GUARD;
use crate::fake::Answer;
use crate::fake::Fake;
use crate::fake::Submit;
use crate::mood_line;
use crate::next;
use crate::online;
use crate::online_on;
use crate::outcome;
use crate::start;
use crate::unread;

#[test]
fn invoke_takes_the_reply_and_leaves_the_notifications_in_order() {
    let (_network, session) = online(1000);
    session.send_skype_command("#before PING").expect("open");
    for number in 0..3 {
        let reply = session.invoke(&format!("#{number} SET PROFILE MOOD_TEXT {number}"), GUARD);
        assert_eq!(reply.expect("open"), mood_line(number));
    }
    session.send_skype_command("#after PING").expect("open");
    assert_eq!(session.invoke("#7 DANCE", GUARD).expect("open"), "ERROR 2 Unknown command");
    assert_eq!(unread(&session), ["#before PONG", &mood_line(0), &mood_line(1), &mood_line(2), "#after PONG"]);
}

#[test]
fn threads_that_invoke_at_once_get_their_own_replies() {
    const EACH: usize = 500;
    let (_network, session) = online(8 * EACH + 1);
    let session = Arc::new(session);
    let threads: Vec<_> = (0..8)
        .map(|thread| {
            let session = Arc::clone(&session);
            start(move || {
                for number in 0..EACH {
                    let text = format!("{thread}x{number}");
                    // The same id everywhere: it is not what tells them apart.
                    let reply = session.invoke(&format!("#1 SET PROFILE MOOD_TEXT {text}"), GUARD);
                    assert_eq!(reply.expect("open"), mood_line(text));
                }
            })
        })
        .collect();
    threads.iter().for_each(outcome);
    let mut told = unread(&session);
    let all = (0..8).flat_map(|thread| (0..EACH).map(move |number| mood_line(format!("{thread}x{number}"))));
    let mut all: Vec<_> = all.collect();
    told.sort();
    all.sort();
    assert_eq!(told, all, "every notification once, and no reply");
}

#[test]
fn an_invoke_without_time_takes_a_reply_that_is_there() {
    let (_network, session) = online(1000);
    assert_eq!(session.invoke("PING", Duration::ZERO).expect("open"), "PONG");
}

#[test]
fn a_command_that_can_never_be_taken_harms_nothing() {
    let (_network, session) = online(1000);
    for wrong in ["x".repeat(MAX_COMMAND + 1), "PING\0".to_owned(), "\0".to_owned()] {
        for refused in [session.send_skype_command(&wrong), session.invoke(&wrong, GUARD).map(drop)] {
            assert!(matches!(refused, Err(Error::InvalidArgument { name: "command", .. })), "{refused:?}");
        }
    }
    assert_eq!(session.unread(), 0);
    // The longest there is, and a reply to it.
    let longest = format!("#1 {}", "x".repeat(MAX_COMMAND - 3));
    session.send_skype_command(&longest).expect("not too long");
    assert_eq!(next(&session), "#1 ERROR 2 Unknown command");
    assert_eq!(session.invoke("PING", GUARD).expect("open"), "PONG");
}

#[test]
fn a_message_that_the_network_has_no_room_for_is_tried_again() {
    let network = Fake::scripted(Answer::Accepts, Submit::Refuses, |typed| Some(Handle::new(typed)), Vec::new());
    let session = online_on(&network, 1000);
    let reply = session.invoke("MESSAGE bob hello", GUARD).expect("open");
    let message = reply.strip_suffix(" STATUS SENDING").expect("what a message is answered");
    let mark = || loop {
        let action = network.actions().recv_timeout(GUARD).expect("one more attempt");
        if let Action::Task { task: Task::SendText { mark, .. }, .. } = action {
            break mark;
        }
    };
    assert_eq!(mark(), mark(), "the same message");
    assert_eq!(session.invoke(&format!("GET {message} STATUS"), GUARD).expect("open"), reply);
    assert_eq!(session.invoke("PING", GUARD).expect("open"), "PONG");
}

#[test]
fn a_click_reaches_the_client_that_made_the_item() {
    let network = Fake::new(Answer::Accepts);
    let session = Session::with_backend(&Config::new("alice", "secret"), Box::new(network.clone())).expect("a session");
    let other = session.attach().expect("a client");
    let reply = session.invoke("CREATE EVENT news CAPTION \"News\" HINT \"Click here\"", GUARD);
    assert_eq!(reply.expect("a reply"), "EVENT news CREATED");
    session.click(&Click::Event { id: "news".to_owned() }).expect("an open session");
    other.send_skype_command("PING").expect("an open session");
    let mut heard = Vec::new();
    while let Some(line) = session.poll_skype_notification(Some(Duration::ZERO)).expect("an open session") {
        heard.push(line);
    }
    assert_eq!(heard.last().map(String::as_str), Some("EVENT news CLICKED"));
    while let Some(line) = other.poll_skype_notification(Some(Duration::ZERO)).expect("an open session") {
        assert!(!line.starts_with("EVENT"), "{line}");
    }
    session.close();
    assert!(matches!(session.click(&Click::Event { id: "news".to_owned() }), Err(Error::Closed)));
}
