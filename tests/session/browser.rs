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
    let id = RemoteId::new(format!("c{number}"));
    let call = Call::named(id, Handle::new("bob"), CallType::IncomingP2p, CallStatus::Ringing);
    Event::Call(Call { page: page.map(str::to_owned), ..call })
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

/// The file in which the browser of the test below writes what it was given.
#[cfg(all(unix, feature = "imo"))]
const GIVEN: &str = "IMO2SKYPE_TEST_GIVEN";

/// An address that would do harm in a shell.
#[cfg(all(unix, feature = "imo"))]
const PAGE: &str = "https://imo.example/call/1?a=$(id)&b=`id`;id";

/// The process of the test below, with a browser of its own; alone it has nothing to do.
#[cfg(all(unix, feature = "imo"))]
#[test]
fn a_process_with_a_browser_of_its_own() {
    let Some(given) = std::env::var_os(GIVEN) else { return };
    let network = Fake::new(Answer::Accepts);
    let mut config = config(true, 1000);
    config.interactive = true;
    let session = Session::with_backend(&config, Box::new(network.clone())).expect("a session");
    network.deliver(call(1, Some("file:///etc/passwd")));
    network.deliver(call(2, Some(PAGE)));
    crate::until(|| std::path::Path::new(&given).exists());
    drop(session);
}

#[cfg(all(unix, feature = "imo"))]
#[test]
fn the_browser_that_the_user_names_is_given_the_address_and_no_shell_is() {
    use std::os::unix::fs::PermissionsExt;

    let folder = tempfile::tempdir().expect("a folder");
    let (browser, given) = (folder.path().join("browser"), folder.path().join("given"));
    let script = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{0}.part'\nmv '{0}.part' '{0}'\n", given.display());
    std::fs::write(&browser, script).expect("written");
    std::fs::set_permissions(&browser, std::fs::Permissions::from_mode(0o700)).expect("made a program");
    let program = std::env::current_exe().expect("this program");
    let output = std::process::Command::new(program)
        .args(["--exact", "browser::a_process_with_a_browser_of_its_own"])
        .env("BROWSER", &browser)
        .env(GIVEN, &given)
        .output()
        .expect("run");
    assert!(output.status.success(), "{output:?}");
    assert_eq!(std::fs::read_to_string(&given).expect("given"), format!("{PAGE}\n"));
}
