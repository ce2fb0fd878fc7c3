//! The examples in C and C++, compiled and run as their readers do; each once more with sanitizers.
#![cfg(all(unix, feature = "capi", feature = "gateway", feature = "imo"))]

#[path = "support/program.rs"]
mod program;
#[path = "c_examples/running.rs"]
mod running;
#[path = "c_examples/wrapper.rs"]
mod wrapper;

use std::fs;
use std::process::Command;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use nix::sys::signal::Signal;

use program::Program;
use program::SANITIZERS;
use program::root;
use program::text;
use running::End;
use running::GUARD;
use running::Running;

fn both(compile: impl Fn(&[&str]) -> Program, test: impl Fn(&Program)) {
    for flags in [&[][..], &SANITIZERS] {
        test(&compile(flags));
    }
}

fn c(name: &str, test: impl Fn(&Program)) {
    both(|flags| Program::c(&format!("examples/c/{name}.c"), flags), test);
}

fn cpp(name: &str, test: impl Fn(&Program)) {
    both(|flags| Program::cpp(&format!("examples/cpp/{name}.cpp"), flags), test);
}

fn glib(test: impl Fn(&Program)) {
    let found = Command::new("pkg-config").args(["--cflags", "--libs", "glib-2.0"]).output();
    let found = found.expect("pkg-config is needed for this test (Debian: apt-get install pkg-config)");
    let needed = "GLib is needed for this test (Debian: apt-get install libglib2.0-dev)";
    assert!(found.status.success(), "{needed}\n{}", text(&found));
    let found = String::from_utf8(found.stdout).expect("UTF-8");
    let found: Vec<_> = found.split_whitespace().collect();
    both(|flags| Program::c("examples/c/glib.c", &[flags, &found].concat()), test);
}

/// How long the terminals wait for lines after the end of input, at least: two seconds as GLib counts them, in ticks
/// of one that began before.
const LINGER: Duration = Duration::from_secs(1);

/// On the network inside the program itself.
fn start(example: &Program) -> Running {
    Running::start(example.command(&[]))
}

fn gateway() -> Gateway {
    Gateway::start(GatewayConfig::embedded(None)).expect("a gateway")
}

fn open(gateway: &Gateway, name: &str, password: &str) -> Session {
    let mut config = Config::new(name, password);
    config.server = Some(gateway.url().to_owned());
    Session::open(config).expect("a session")
}

/// The number of a message that this line tells to have come.
fn received(line: &str) -> Option<u32> {
    line.strip_prefix("CHATMESSAGE ")?.strip_suffix(" STATUS RECEIVED")?.parse().ok()
}

/// It ended well, and had nothing to complain about.
fn well(end: &End) {
    assert_eq!((end.status, end.errors.as_str()), (Some(0), ""), "{end:#?}");
}

/// A server that cannot be, and a password that is not the user's: the reason, and status 1.
fn says_why_it_cannot_log_in(example: &Program, name: &str) {
    let gateway = gateway();
    let _alice = open(&gateway, "alice", "another");
    for (server, reason) in [("ftp://nowhere/", "ftp:"), (gateway.url(), "alice")] {
        let mut running = Running::start(example.command(&[server]));
        running.end_input();
        let end = running.end();
        assert_eq!((end.status, end.rest.as_slice()), (Some(1), &[][..]), "{server}: {end:#?}");
        let errors = end.errors.trim_end();
        assert!(errors.starts_with(&format!("{name}: ")) && errors.contains(reason), "{errors}");
        assert_eq!(errors.lines().count(), 1, "{errors}");
    }
}

/// The password of the user comes from the environment.
fn takes_the_password_from_the_environment(example: &Program) -> (Gateway, Running) {
    let gateway = gateway();
    drop(open(&gateway, "alice", "another"));
    let mut command = example.command(&[gateway.url()]);
    command.env("IMO2SKYPE_PASSWORD", "another");
    let mut running = Running::start(command);
    running.hear("CURRENTUSERHANDLE alice");
    (gateway, running)
}

// ---- chat ------------------------------------------------------------------

fn chats(example: &Program) {
    let end = start(example).end();
    well(&end);
    assert!(end.rest.last().is_some_and(|line| line.ends_with(" BODY hello")), "{end:#?}");
    says_why_it_cannot_log_in(example, "chat");
}

#[test]
fn chat() {
    c("chat", chats);
}

#[test]
fn chat_in_cpp() {
    cpp("chat", chats);
}

#[test]
fn chat_is_short() {
    let example = fs::read_to_string(root().join("examples/c/chat.c")).expect("the example is there");
    assert!(example.lines().count() < 60);
}

// ---- poll, glib: a terminal ------------------------------------------------

/// Several lines at once, what comes of them later, and a last line without an end.
fn lingers(example: &Program) {
    let mut running = start(example);
    running.write("#1 PING\n#2 PING\nMESSAGE echo123 hello\n#3 PING");
    running.hear("#1 PONG");
    running.hear("#2 PONG");
    // Before the end of input: how long the echo takes is up to the machine.
    running.catch("the echo", received);
    let ended = Instant::now();
    running.end_input();
    running.hear("#3 PONG");
    well(&running.end());
    assert!(ended.elapsed() >= LINGER, "it waited for {:?} only", ended.elapsed());
}

/// The parts of a line come when they come, and a line of the other side may have several.
fn prints_what_comes(example: &Program, further: &str) {
    let (gateway, mut running) = takes_the_password_from_the_environment(example);
    let bob = open(&gateway, "bob", "secret");
    for part in ["#1 PI", "NG\n#2 P", "ING\n"] {
        running.write(part);
    }
    running.hear("#1 PONG");
    running.hear("#2 PONG");
    bob.send_skype_command("MESSAGE alice one\ntwo").expect("it is sent");
    let id = running.catch("a message", received);
    running.write(format!("GET CHATMESSAGE {id} BODY\n"));
    running.hear(&format!("CHATMESSAGE {id} BODY one"));
    running.hear(further);
    running.end_input();
    well(&running.end());
}

/// More commands at once than a session lets wait unread.
fn keeps_up(example: &Program) {
    let mut running = start(example);
    running.write("PING\n".repeat(70_000));
    running.end_input();
    let end = running.end();
    well(&end);
    assert_eq!(end.rest.iter().filter(|line| *line == "PONG").count(), 70_000);
}

/// What the library does not take is told, and the next line is a command again.
fn goes_on_after_what_is_no_text(example: &Program, name: &str) {
    let mut running = start(example);
    running.write(b"PING \xff\n#1 PING\n");
    running.hear("#1 PONG");
    running.end_input();
    let end = running.end();
    assert_eq!(end.status, Some(1), "{end:#?}");
    assert!(end.errors.starts_with(&format!("{name}: command: not UTF-8")), "{end:#?}");
}

#[test]
fn poll() {
    c("poll", |example| {
        lingers(example);
        prints_what_comes(example, "\ttwo");
        keeps_up(example);
        goes_on_after_what_is_no_text(example, "poll");
        says_why_it_cannot_log_in(example, "poll");
    });
}

#[test]
fn poll_ends_when_told_to() {
    c("poll", |example| {
        let mut running = start(example);
        running.write("#1 PING\nquit\n#2 PING\n");
        // The input goes on, and nothing lingers.
        let end = running.end();
        well(&end);
        assert!(!end.rest.contains(&"#2 PONG".to_owned()), "{end:#?}");
    });
}

/// The end of a line that was given up must not become a command.
#[test]
fn poll_takes_no_part_of_a_line() {
    c("poll", |example| {
        let mut running = start(example);
        running.write([b'x'; 16383]);
        let end = running.end();
        assert_eq!((end.status, end.errors.as_str()), (Some(1), "poll: this line is too long\n"), "{end:#?}");
    });
}

#[test]
fn glib_main_loop() {
    glib(|example| {
        lingers(example);
        prints_what_comes(example, "two");
        keeps_up(example);
        goes_on_after_what_is_no_text(example, "glib");
        says_why_it_cannot_log_in(example, "glib");
        let mut running = start(example);
        running.hear("CURRENTUSERHANDLE alice");
        running.signal(Signal::SIGINT);
        well(&running.end());
    });
}

// ---- threads ---------------------------------------------------------------

#[test]
fn threads() {
    c("threads", |example| {
        let (_gateway, mut running) = takes_the_password_from_the_environment(example);
        running.write("MESSAGE echo123 hello\n");
        // The reply comes on one thread, the news on the other.
        let sent = |line: &str| line.strip_suffix(" STATUS SENDING").map(|message| format!("{message} STATUS SENT"));
        let sent = running.catch("the reply", sent);
        running.hear(&sent);
        running.catch("the echo", received);
        running.write(b"\xff\nPING");
        running.end_input();
        running.hear("PONG");
        let end = running.end();
        assert_eq!((end.status, end.errors.lines().count()), (Some(1), 1), "{end:#?}");
        assert!(end.errors.starts_with("threads: command: not UTF-8"), "{end:#?}");

        let mut running = start(example);
        running.end_input();
        well(&running.end());
        says_why_it_cannot_log_in(example, "threads");
    });
}

// ---- callback, bot ---------------------------------------------------------

/// Answers "ping" and nothing else, also when it comes from the echo, and logs out when stopped.
fn answers(example: &Program, name: &str) -> [End; 2] {
    let (gateway, running) = takes_the_password_from_the_environment(example);
    let bob = open(&gateway, "bob", "secret");
    for body in ["hello", "pingping", "ping"] {
        bob.send_skype_command(&format!("MESSAGE alice {body}")).expect("it is sent");
    }
    let deadline = Instant::now() + GUARD;
    let answer = loop {
        let left = deadline.saturating_duration_since(Instant::now());
        let line = bob.poll_skype_notification(Some(left)).expect("an open session").expect("an answer in time");
        if let Some(id) = received(&line) {
            break bob.invoke(&format!("GET CHATMESSAGE {id} BODY"), GUARD).expect("a reply");
        }
    };
    assert!(answer.ends_with(" BODY pong"), "{answer}");
    running.signal(Signal::SIGTERM);
    let stopped = running.end();
    well(&stopped);

    let mut running = start(example);
    running.catch("the echo of the first ping", received);
    running.signal(Signal::SIGINT);
    let interrupted = running.end();
    well(&interrupted);
    says_why_it_cannot_log_in(example, name);
    [stopped, interrupted]
}

#[test]
fn callback() {
    c("callback", |example| {
        for end in answers(example, "callback") {
            assert_eq!(end.rest.last().map(String::as_str), Some("answered 1 times"), "{end:#?}");
        }
    });
}

#[test]
fn bot_in_cpp() {
    cpp("bot", |example| {
        answers(example, "bot");
    });
}
