//! What can be seen only inside of the process: clients as the session counts them, and lines that wait.

use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::Contact;
use imo2skype::backend::Event;
use imo2skype::model::Handle;
use imo2skype::transport::Serving as _;
use imo2skype::transport::x11::Options;
use imo2skype::transport::x11::Serving;
use imo2skype::transport::x11::X11;
use nix::sys::signal::Signal;

use crate::GUARD;
use crate::fake::Answer;
use crate::fake::Fake;
use crate::programs::Running;
use crate::programs::attached;
use crate::programs::client;
use crate::programs::compile;
use crate::programs::home;
use crate::screen::Screen;

const SYNTAX_ERROR: &str = "ERROR 1 General syntax error";

/// A connection point on a session whose network is a stub, kept as the daemon keeps it.
struct Inside {
    fake: Fake,
    session: Arc<Session>,
    serving: Serving,
}

impl Inside {
    fn serve(screen: &Screen, queue_limit: usize, reply_delay: Duration) -> Self {
        let mut config = Config::new("alice", "secret");
        config.queue_limit = queue_limit;
        let fake = Fake::new(Answer::Accepts);
        let session = Session::with_backend(&config, Box::new(fake.clone())).expect("the script says so");
        session.keep_only();
        let session = Arc::new(session);
        let point = X11::bind(Options { display: Some(screen.name().to_owned()), reply_delay }).expect("a display");
        let serving = point.serve(Arc::clone(&session)).expect("nobody else is there");
        Self { fake, session, serving }
    }

    /// Where the clients came from that are attached.
    fn clients(&self) -> Vec<String> {
        self.session.overview().clients.into_iter().map(|client| client.peer).collect()
    }

    /// How many lines wait for each client.
    fn unread(&self) -> Vec<usize> {
        self.session.overview().clients.into_iter().map(|client| client.unread).collect()
    }
}

/// The window of a tool, and the one of its Skype.
fn windows(tool: &mut Running) -> [String; 2] {
    let line = tool.send("!id").wait("!id ");
    let mut windows = line.split(' ').skip(1).map(str::to_owned);
    [(); 2].map(|()| windows.next().expect("two windows"))
}

fn window(tool: &mut Running) -> String {
    let [own, _] = windows(tool);
    own
}

#[test]
fn a_window_that_is_gone_is_no_client_any_more() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let inside = Inside::serve(&screen, 1000, Duration::ZERO);
    let mut witness = attached(&pipe, &screen);
    let stays = format!("x11 {}", window(&mut witness));
    let ends: [fn(&mut Running); 3] = [
        |tool| tool.send("!destroy").says(&["!destroyed"]).send("!sync").says(&["!synced"]).signal(Signal::SIGKILL),
        |tool| tool.signal(Signal::SIGTERM),
        |tool| tool.signal(Signal::SIGKILL),
    ];
    for end in ends {
        let mut tool = attached(&pipe, &screen);
        let id = window(&mut tool);
        assert_eq!(inside.clients(), [stays.clone(), format!("x11 {id}")]);
        witness.send(&format!("!watch {id}")).says(&["!watching"]);
        end(&mut tool);
        witness.says(&["!gone"]);
        // The display tells us before it brings us this.
        witness.send("PING").says(&["PONG"]);
        assert_eq!(inside.clients(), std::slice::from_ref(&stays));
    }
    // One that has gone before it is answered: what it said counts.
    let mut tool = Running::start(client(&pipe, &screen, &[]));
    tool.send("NAME hasty").send("PROTOCOL 8").send("SET SILENT_MODE ON").send("!destroy");
    // Some answers may have come before that.
    tool.wait("!destroyed");
    witness.wait("SILENT_MODE ON");
    witness.send("PING").says(&["PONG"]).send("PING").says(&["PONG"]);
    assert_eq!(inside.clients(), [stays]);
    tool.send("!window").send("GET USERSTATUS").wait("ERROR 68");
}

#[test]
fn pieces_that_make_no_message_disturb_nobody() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let _inside = Inside::serve(&screen, 1000, Duration::ZERO);
    let mut tool = Running::start(client(&pipe, &screen, &[]));
    // Nothing that this could belong to, then one that another replaces, then rests behind the NUL.
    tool.send("!more PING_").send("!begin 01234567890123456789").send("!begin PING_rests");
    tool.says(&["PONG"]);
    tool.send("!begin #1 PING              ").send("!more _").says(&["#1 PONG"]);
    // Not UTF-8, also before the name.
    tool.send("!begin PING ^_").says(&[SYNTAX_ERROR]);
    tool.send("NAME pipe").says(&["OK"]).send("!begin NAME ^_").says(&[SYNTAX_ERROR]);
    // An empty command.
    tool.send("!begin _").says(&[SYNTAX_ERROR]);
}

#[test]
fn answers_go_to_no_window_that_would_answer_them() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let inside = Inside::serve(&screen, 1000, Duration::ZERO);
    let mut tool = attached(&pipe, &screen);
    let [own, skype] = windows(&mut tool);
    tool.send(&format!("!as {skype}")).send("DANCE").send(&format!("!as {own}")).send("#1 PING").says(&["#1 PONG"]);
    assert_eq!(inside.clients(), [format!("x11 {own}")]);
}

#[test]
fn more_clients_than_can_be_are_not_answered() {
    const MOST: usize = 1024;
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let inside = Inside::serve(&screen, 1000, Duration::ZERO);
    let (mut first, mut tool) = (attached(&pipe, &screen), attached(&pipe, &screen));
    for _ in 2..MOST {
        tool.send("!window").send("PING");
    }
    (2..MOST).for_each(|_| assert_eq!(tool.line(), "PONG"));
    tool.send("!window").send("PING").send("!sync").says(&["!synced"]);
    first.send("#1 PING").says(&["#1 PONG"]).send("#2 PING").says(&["#2 PONG"]);
    assert_eq!(inside.clients().len(), MOST);
    assert_eq!(tool.end(), (Vec::new(), Some(0), String::new()));
}

#[test]
fn a_command_without_an_end_is_refused() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let inside = Inside::serve(&screen, 1000, Duration::ZERO);
    let mut tool = Running::start(client(&pipe, &screen, &[]));
    // Pieces of one command, as many as are too many; the rest has no beginning.
    let too_many = imo2skype::session::MAX_COMMAND / 20 + 1;
    tool.send("!begin 01234567890123456789");
    for _ in 0..too_many + 10 {
        tool.send("!more 01234567890123456789");
    }
    tool.says(&[SYNTAX_ERROR]).send("PING").says(&["PONG"]);
    assert_eq!(inside.clients().len(), 1);
}

#[test]
fn what_waits_for_its_time_waits_in_order_and_hinders_nobody() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let mut inside = Inside::serve(&screen, 1000, Duration::from_secs(3600));
    let (mut slow, mut other) = (attached(&pipe, &screen), attached(&pipe, &screen));
    // The first of them has nothing to wait for.
    slow.send("GET CONNSTATUS\n#1 PING\nPING\n#2 PING").says(&["CONNSTATUS ONLINE"]);
    slow.send("!sync").says(&["!synced"]);
    // Twice: with the second, all is said that came before the first.
    other.send("PING").says(&["PONG"]).send("PING").says(&["PONG"]);
    assert_eq!(inside.unread(), [3, 0]);
    // At the end there is no time to wait.
    inside.serving.stop();
    slow.says(&["#1 PONG", "PONG", "#2 PONG", "CONNSTATUS OFFLINE", "USERSTATUS LOGGEDOUT"]);
    other.says(&["CONNSTATUS OFFLINE", "USERSTATUS LOGGEDOUT"]);
}

#[test]
fn more_commands_than_lines_may_wait_are_all_answered() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    // With a delay no line goes out by itself.
    let _inside = Inside::serve(&screen, 16, Duration::from_secs(3600));
    let mut tool = attached(&pipe, &screen);
    for number in 0..200 {
        tool.send(&format!("#{number} PING"));
    }
    // The last ones wait for their time.
    for number in 0..=200 - 16 - 1 {
        tool.says(&[&format!("#{number} PONG")]);
    }
}

/// What makes a line for every client that listens.
fn mood(number: usize, text: &str) -> Event {
    let mut contact = Contact::named(Handle::new("bob"));
    contact.mood = Some(format!("{number} {text}"));
    Event::Contacts { contacts: vec![contact], complete: false }
}

#[test]
fn a_client_that_is_given_up_may_come_again() {
    const LIMIT: usize = 16;
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let inside = Inside::serve(&screen, LIMIT, Duration::from_secs(3600));
    let (mut first, mut other) = (attached(&pipe, &screen), attached(&pipe, &screen));
    first.send("#1 PING").send("!sync").says(&["!synced"]);
    other.send("PING").says(&["PONG"]);
    // More than may wait: the one whose lines are held back goes, and the other is alone then.
    inside.fake.deliver_together((0..200).map(|number| mood(number, "moods")).collect());
    other.wait("USER bob MOOD_TEXT 199 ");
    let stays = format!("x11 {}", window(&mut other));
    // It has what waited for it, and nothing of what it was.
    first.says(&["#1 PONG"]);
    (1..LIMIT).for_each(|_| drop(first.line()));
    assert_eq!(inside.clients(), std::slice::from_ref(&stays));
    let again = format!("x11 {}", window(&mut first));
    first.send("GET USERSTATUS").says(&["ERROR 68"]).send("NAME again").says(&["OK"]);
    assert_eq!(inside.clients(), [stays, again]);
}

#[test]
fn a_display_that_takes_nothing_does_not_hinder_the_end() {
    const LIMIT: usize = 16;
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let mut inside = Inside::serve(&screen, LIMIT, Duration::ZERO);
    let _tool = attached(&pipe, &screen);
    screen.freeze();
    // More than fits between us and the display; the network waits for the rest.
    let text = "so many words ".repeat(4096);
    let delivery = inside.fake.deliver_all((0..200).map(move |number| mood(number, &text)));
    let begun = Instant::now();
    while inside.unread().iter().all(|waiting| *waiting < LIMIT) {
        assert!(begun.elapsed() < GUARD, "{:?} lines wait", inside.unread());
        std::thread::yield_now();
    }
    inside.serving.stop();
    assert_eq!(inside.clients(), Vec::<String>::new());
    delivery.finish(GUARD);
}
