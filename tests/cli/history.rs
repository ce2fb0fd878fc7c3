//! What outlives the program, and what happens where it cannot.

use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use nix::sys::signal::Signal;
use tempfile::TempDir;

use crate::Plugin;
use crate::Running;
use crate::failure;
use crate::home;
use crate::imo2sproxy;
use crate::pipe;
use crate::program;
use crate::status;
use crate::text;

const LOUD: &str = "THE HISTORY IS NOT KEPT";

/// A daemon whose plugin has talked with the echo, or with nobody yet.
pub(crate) struct Daemon {
    running: Running,
    address: String,
    plugin: Plugin,
}

impl Daemon {
    pub(crate) fn start(home: &TempDir, arguments: &[&str]) -> Self {
        let mut running = Running::start(imo2sproxy(home, &[&["-p0"], arguments, &["alice", "secret"]].concat()));
        let address = running.told("listening: skypeproxy ");
        let mut plugin = Plugin::connect(&address);
        plugin.send("PROTOCOL 7").wait("CONNSTATUS ONLINE");
        Self { running, address, plugin }
    }

    /// Where its socket is.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn ask(&mut self, command: &str) -> String {
        self.plugin.send(&format!("#1 {command}")).wait("#1")
    }

    /// Says something to the echo, and waits for its answer.
    pub(crate) fn talk(&mut self) {
        assert!(self.ask("MESSAGE echo123 hello").ends_with("STATUS SENDING"));
        while !self.plugin.wait("CHATMESSAGE ").ends_with("STATUS RECEIVED") {}
    }

    pub(crate) fn stop(self) -> String {
        let (status, errors) = self.running.stop(Signal::SIGTERM);
        assert_eq!(status, 0, "{errors}");
        errors
    }
}

pub(crate) fn mode(path: &Path) -> u32 {
    let metadata = path.metadata().unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    metadata.permissions().mode() & 0o777
}

/// The line of standard error that says loudly what is wrong; there is one.
fn loud(errors: &str) -> &str {
    let mut loud = errors.lines().filter(|line| line.contains(LOUD));
    let line = loud.next().unwrap_or_else(|| panic!("nothing said: {errors}"));
    assert_eq!(loud.next(), None, "said once");
    assert!(line.starts_with("imo2sproxy: alice: ") && line.contains("--history"), "{line}");
    line
}

#[test]
fn what_was_said_is_there_after_the_end_of_the_program() {
    let home = home();
    let mut daemon = Daemon::start(&home, &[]);
    daemon.talk();
    let said = daemon.ask("SEARCH CHATMESSAGES");
    // The beginning of the dialog, the message and the answer.
    assert_eq!(said.matches(',').count(), 2, "{said}");
    let directory = home.path().join("data/imo2skype/history");
    assert_eq!((mode(&directory), mode(&directory.join("imo-alice.db"))), (0o700, 0o600));
    // Killed in the middle of its work, then asked to end.
    daemon.running.signal(Signal::SIGKILL);
    daemon.running.child.wait().expect("it ends");
    for _ in 0..2 {
        daemon = Daemon::start(&home, &[]);
        assert_eq!(daemon.ask("SEARCH CHATMESSAGES"), said);
        let errors = daemon.stop();
        assert!(!errors.contains(LOUD), "{errors}");
    }
}

#[test]
fn a_history_that_cannot_be_used_is_told_loudly_and_stops_nobody() {
    let home = home();
    let path = |name: &str| home.path().join(name);
    let notes = "no database, but long enough to be looked at".repeat(40);
    std::fs::write(path("notes"), &notes).expect("a file");
    std::fs::create_dir(path("folder")).expect("a directory");
    std::fs::create_dir(path("d")).expect("a directory");
    std::fs::write(path("d/history"), "").expect("a file");
    for (arguments, file, cause) in [
        (&["--history", "notes"][..], "notes", "not a database"),
        (&["--history", "folder"], "folder", "directory"),
        (&["--history", "nowhere/file"], "nowhere/file", "No such file"),
        (&["--data-dir", "d"], "d/history", "cannot make the directory"),
    ] {
        let mut daemon = Daemon::start(&home, &[arguments, &["-l", "log"]].concat());
        daemon.talk();
        let errors = daemon.stop();
        let line = loud(&errors);
        assert!(line.contains(path(file).to_str().expect("UTF-8")) && line.contains(cause), "{line}");
        let log = std::fs::read_to_string(path("log")).expect("the log");
        assert!(log.contains(LOUD), "{log}");
        std::fs::remove_file(path("log")).expect("the log");
    }
    assert_eq!(std::fs::read_to_string(path("notes")).expect("there"), notes);
}

/// A gateway for accounts that name a server.
fn gateway(home: &TempDir) -> (Running, String) {
    let mut gateway = program("imo2skype-gateway", home.path());
    gateway.args(["serve", "--listen", "127.0.0.1:0", "--open-registration", "--database", "gateway.db"]);
    let mut gateway = Running::start(gateway);
    let server = gateway.told("listening: gateway ");
    (gateway, server)
}

#[test]
fn the_second_daemon_of_an_account_has_no_file() {
    let home = home();
    let (gateway, server) = gateway(&home);
    let mut first = Daemon::start(&home, &["--server", &server]);
    let mut second = Daemon::start(&home, &["--server", &server]);
    first.talk();
    second.talk();
    let errors = second.stop();
    let line = loud(&errors);
    let port = server.trim_end_matches('/').rsplit_once(':').expect("a port").1;
    assert!(line.contains("in use") && line.contains(&format!("imo-alice@127.0.0.1%3A{port}.db")), "{line}");
    assert!(!first.stop().contains(LOUD));
    gateway.stop(Signal::SIGTERM);
}

#[test]
fn memory_writes_nothing() {
    let home = home();
    let (gateway, server) = gateway(&home);
    let mut daemon = Daemon::start(&home, &["--server", &server, "--history", "memory"]);
    daemon.talk();
    assert!(!daemon.stop().contains(LOUD));
    assert!(!home.path().join("data").exists());
    gateway.stop(Signal::SIGTERM);
    let output = pipe(imo2sproxy(&home, &["-mc", "--history", "memory", "alice", "secret"]), "MESSAGE echo123 hi\n");
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(!home.path().join("data/imo2skype/history").exists() && !home.path().join("memory").exists());
}

#[test]
fn a_file_without_a_root_is_where_the_program_was_started() {
    let home = home();
    let arguments = ["-d", "--pid-file", "pid", "-p0", "--history", "here.db", "alice", "secret"];
    let output = imo2sproxy(&home, &arguments).output().expect("the program starts");
    assert_eq!((status(&output), text(&output.stderr).contains(LOUD)), (0, false), "{output:?}");
    let lines = text(&output.stdout);
    let address = lines.lines().find_map(|line| line.strip_prefix("listening: skypeproxy ")).expect("an address");
    let mut plugin = Plugin::connect(address);
    assert_eq!(plugin.send("PING").line(), "PONG");
    let id = std::fs::read_to_string(home.path().join("pid")).expect("the pid file");
    let id = nix::unistd::Pid::from_raw(id.trim().parse().expect("a number"));
    nix::sys::signal::kill(id, Signal::SIGTERM).expect("it runs");
    plugin.end();
    assert!(home.path().join("here.db").exists());
}

#[test]
fn a_file_belongs_to_one_account() {
    let home = home();
    let write = |text: &str| std::fs::write(home.path().join("config"), text).expect("a file");
    let accounts = "[[account]]\nusername = 'alice'\n[[account]]\nusername = 'bob'\n";
    write(accounts);
    let errors = failure(&home, &["--config", "config", "-p0", "--history", "both.db"], 1);
    assert!(errors.contains("/both.db belongs to alice already"), "{errors}");
    // What is no file may be for all, and each may have one of its own.
    write(
        "history = 'memory'\nhistory_days = 1\nhistory_messages = 2\nsend_limit = 10\nmode = 'c'\nlinger = 0.1\n\
        [[account]]\nusername = 'alice'\nhistory = 'mine.db'\n",
    );
    let mut command = imo2sproxy(&home, &["--config", "config"]);
    command.env("IMO2SKYPE_PASSWORD", "secret");
    let output = pipe(command, "");
    assert_eq!((status(&output), text(&output.stderr)), (0, String::new()));
    assert!(home.path().join("mine.db").exists());
}
