//! How a session begins.

use std::sync::Arc;
use std::time::Duration;

use imo2skype::Error;
use imo2skype::Session;
use imo2skype::backend::Action;
use imo2skype::model::Handle;

use crate::GUARD;
use crate::config;
use crate::fake::Answer;
use crate::fake::Fake;
use crate::fake::Submit;
use crate::next;
use crate::online;
use crate::outcome;
use crate::start;
use crate::unread;

fn open(network: &Fake) -> Result<Session, Error> {
    Session::with_backend(&config(true, 1000), Box::new(network.clone()))
}

#[test]
fn open_returns_after_the_login() {
    let (_network, session) = online(1000);
    assert_eq!(session.invoke("GET CONNSTATUS", GUARD).expect("a reply"), "CONNSTATUS ONLINE");
    assert_eq!(unread(&session), [""; 0], "everything was told before");
}

#[test]
fn a_refused_login_says_who_and_why_and_stops_the_network() {
    let network = Fake::new(Answer::Refuses);
    let refused = open(&network).expect_err("refused");
    let Error::LoginRefused { username, reason, .. } = refused else { panic!("{refused}") };
    assert_eq!((username.as_str(), reason.as_str()), ("alice", "wrong password"));
    assert_eq!(network.stops(), 1);
}

#[test]
fn a_network_that_cannot_be_reached_says_why_and_is_stopped() {
    let network = Fake::new(Answer::CannotBeReached);
    let failed = open(&network).expect_err("there is no way to it");
    assert!(matches!(failed, Error::Network { .. }), "{failed}");
    assert!(failed.chain().ends_with("no route"), "{}", failed.chain());
    assert_eq!(network.stops(), 1);
}

#[test]
fn a_panic_during_the_login_is_an_error_and_stops_the_network() {
    let network = Fake::scripted(Answer::Accepts, Submit::Panics, |typed| Some(Handle::new(typed)), Vec::new());
    let failed = open(&network).expect_err("it panicked");
    assert!(matches!(failed, Error::Internal(_)), "{failed}");
    assert_eq!(network.stops(), 1);
}

#[test]
fn without_autologin_the_status_logs_in_later() {
    let network = Fake::new(Answer::Accepts);
    let session = Session::with_backend(&config(false, 1000), Box::new(network.clone())).expect("nothing can fail");
    assert_eq!(network.actions().try_iter().count(), 0);
    assert_eq!(unread(&session), ["CONNSTATUS OFFLINE", "CURRENTUSERHANDLE alice", "USERSTATUS OFFLINE"]);
    session.send_skype_command("SET USERSTATUS ONLINE").expect("open");
    let action = network.actions().recv_timeout(GUARD).expect("an action");
    assert!(matches!(action, Action::Connect { .. }), "{action:?}");
    while next(&session) != "CONNSTATUS ONLINE" {}
    while next(&session) != "USERSTATUS ONLINE" {}
}

#[test]
fn a_silent_network_keeps_nobody_from_closing() {
    let network = Fake::new(Answer::Nothing);
    let session = Session::with_backend(&config(false, 1000), Box::new(network.clone())).expect("nothing can fail");
    let session = Arc::new(session);
    session.send_skype_command("SET USERSTATUS ONLINE").expect("open");
    let waiting = Arc::clone(&session);
    let waiting = start(move || {
        loop {
            if let Err(end) = waiting.poll_skype_notification(None) {
                return end;
            }
        }
    });
    session.close();
    assert!(matches!(outcome(&waiting), Error::Closed));
    assert_eq!(network.stops(), 1);
    assert!(matches!(session.poll_skype_notification(Some(Duration::ZERO)), Err(Error::Closed)));
}
