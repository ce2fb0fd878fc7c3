//! The pages of calls, in a browser that the test plays.

use std::sync::Arc;

use crossbeam_channel::Receiver;
use crossbeam_channel::bounded;
use crossbeam_channel::unbounded;
use imo2skype::Session;
use imo2skype::backend::Call;
use imo2skype::backend::Event;
use imo2skype::model::CallStatus;
use imo2skype::model::CallType;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;

use crate::GUARD;
use crate::config;
use crate::fake::Answer;
use crate::fake::Fake;
use crate::next;
use crate::unread;

fn call(number: usize, page: Option<&str>) -> Event {
    Event::Call(Call {
        id: RemoteId::new(format!("c{number}")),
        partner: Handle::new("bob"),
        kind: CallType::IncomingP2p,
        status: CallStatus::Ringing,
        time: None,
        failure: None,
        participants: None,
        video_send: None,
        video_receive: None,
        transfer: None,
        transferred_by: None,
        page: page.map(str::to_owned),
    })
}

/// A session whose browser never comes to an end by itself, and what that is asked to open.
fn session(interactive: bool, network: &Fake) -> (Session, Receiver<String>, impl Drop) {
    let mut config = config(true, 1000);
    config.interactive = interactive;
    let (opened, pages) = unbounded();
    let (running, end) = bounded::<()>(0);
    let open = move |page: &str| {
        opened.send(page.to_owned()).expect("the test looks at it");
        let _ = end.recv();
        Ok(())
    };
    let session = Session::with_browser(&config, Box::new(network.clone()), Arc::new(open)).expect("a session");
    unread(&session);
    struct Running(Option<crossbeam_channel::Sender<()>>);
    impl Drop for Running {
        fn drop(&mut self) {
            self.0.take();
        }
    }
    (session, pages, Running(Some(running)))
}

#[test]
fn the_page_of_a_call_is_opened_and_nobody_waits_for_the_browser() {
    let network = Fake::new(Answer::Accepts);
    let (session, pages, _running) = session(true, &network);
    network.deliver(call(1, Some("https://imo.example/call/1")));
    assert_eq!(pages.recv_timeout(GUARD).expect("a page"), "https://imo.example/call/1");
    network.deliver(call(2, None));
    assert!(next(&session).ends_with("CONF_ID 0"));
    // At most four are on their way; to close the session none of them has to end.
    for number in 3..9 {
        network.deliver(call(number, Some("https://imo.example/call/n")));
    }
    for _ in 0..3 {
        assert_eq!(pages.recv_timeout(GUARD).expect("a page"), "https://imo.example/call/n");
    }
    session.close();
    assert!(pages.is_empty());
}

#[test]
fn unless_it_is_wanted_no_page_is_opened() {
    let network = Fake::new(Answer::Accepts);
    let (session, pages, _running) = session(false, &network);
    network.deliver(call(1, Some("https://imo.example/call/1")));
    assert!(next(&session).ends_with("CONF_ID 0"));
    session.close();
    assert!(pages.is_empty());
}
