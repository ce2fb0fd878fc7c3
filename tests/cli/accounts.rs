//! The accounts of a daemon, and the clients that each lets in.

use std::io::BufRead;
use std::io::BufReader;
use std::net::TcpListener;
use std::process::Command;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::GUARD;
use crate::Plugin;
use crate::Running;
use crate::dead_port;
use crate::failure;
use crate::home;
use crate::imo2sproxy;
use crate::program;

#[test]
fn clients_may_do_what_the_file_grants_their_name() {
    let home = home();
    let config = "allow_clients = 'known'\nport = 0\nkeep_online = true\n\
                  [[client]]\nname = 'Kopete'\nallow = ['read', 'contacts']\n\
                  [[client]]\nname = 'writer'\nallow = ['send']\n";
    std::fs::write(home.path().join("config"), config).expect("a file");
    let mut running = Running::start(imo2sproxy(&home, &["--config", "config", "alice", "secret"]));
    let address = running.told("listening: skypeproxy ");
    let [mut nobody, mut kopete, mut writer] = std::array::from_fn(|_| Plugin::connect(&address));
    assert_eq!(nobody.send("PING").line(), "PONG");
    assert_eq!(nobody.send("#1 PROTOCOL 7").line(), "#1 ERROR 68");
    assert_eq!(nobody.send("#2 NAME kopete").line(), "#2 ERROR 68");
    assert_eq!(kopete.send("NAME Kopete").line(), "OK");
    kopete.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    assert_eq!(kopete.send("#1 MESSAGE echo123 hi").line(), "#1 ERROR 68");
    assert_eq!(writer.send("NAME writer").line(), "OK");
    writer.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    // Who may write does not hear the echo, which comes before the answer to what is asked then.
    assert!(writer.send("#1 MESSAGE echo123 hi").line().starts_with("#1 CHATMESSAGE "));
    while !kopete.wait("CHATMESSAGE ").ends_with(" STATUS RECEIVED") {}
    assert_eq!(writer.send("#2 SEARCH FRIENDS").line(), "#2 ERROR 68");
    // Who goes leaves the account to the others.
    assert_eq!(kopete.send("#2 SET USERSTATUS OFFLINE").wait("#2"), "#2 USERSTATUS OFFLINE");
    assert_eq!(kopete.wait("USERSTATUS"), "USERSTATUS OFFLINE");
    assert_eq!(writer.send("#3 GET USERSTATUS").line(), "#3 USERSTATUS ONLINE");
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
}

#[test]
fn two_accounts_cannot_have_one_port() {
    let home = home();
    std::fs::write(home.path().join("secret"), "secret").expect("a file");
    for (place, text) in [("port = 1401", "port: 1401 of 127.0.0.1"), ("socket = '/s'", "socket: /s")] {
        let tables = "[[account]]\nusername = 'alice'\n[[account]]\nusername = 'bob'\n";
        std::fs::write(home.path().join("config"), format!("password_file = 'secret'\n{place}\n{tables}"))
            .expect("a file");
        let errors = failure(&home, &["--config", "config"], 2);
        assert!(errors.contains(text) && errors.contains("both alice and bob"), "{errors}");
    }
}

/// A daemon of which every line can be waited for.
struct Daemon {
    running: Running,
    errors: Receiver<String>,
}

impl Daemon {
    fn start(mut command: Command) -> Self {
        command.env("IMO2SKYPE_PASSWORD", "secret");
        let mut running = Running::start(command);
        let errors = BufReader::new(running.child.stderr.take().expect("piped"));
        let (sender, lines) = unbounded();
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { running, errors: lines }
    }

    /// The address of the next connection point, which must be that of this account.
    fn listens(&mut self, name: &str) -> String {
        loop {
            let told = self.running.told("listening: ");
            if let Some(told) = told.strip_prefix("skypeproxy ") {
                return told.strip_suffix(&format!(" ({name})")).unwrap_or_else(|| panic!("{told}")).to_owned();
            }
        }
    }

    /// Waits until it says so.
    fn says(&self, text: &str) {
        while !self.errors.recv_timeout(GUARD).unwrap_or_else(|_| panic!("{text:?} is not said")).contains(text) {}
    }

    fn reload(&self) {
        self.running.signal(Signal::SIGHUP);
    }

    /// The states of its accounts.
    fn states(home: &TempDir) -> Vec<(String, String)> {
        let output = imo2sproxy(home, &["--status", "--json"]).output().expect("the program starts");
        let told: Value = serde_json::from_slice(&output.stdout).expect("JSON");
        let word = |account: &Value, key: &str| account[key].as_str().expect("a word").to_owned();
        let accounts = told["accounts"].as_array().expect("accounts");
        accounts.iter().map(|account| (word(account, "username"), word(account, "state"))).collect()
    }

    /// Waits until these are all, and stand so.
    fn stands(home: &TempDir, expected: &[(&str, &str)]) {
        let begun = Instant::now();
        loop {
            let states = Self::states(home);
            if states.iter().map(|(name, state)| (name.as_str(), state.as_str())).eq(expected.iter().copied()) {
                return;
            }
            assert!(begun.elapsed() < GUARD, "{states:?} instead of {expected:?}");
        }
    }

    fn stop(mut self) {
        self.running.signal(Signal::SIGTERM);
        assert!(self.running.child.wait().expect("it ends").success());
        let errors: Vec<_> = self.errors.iter().collect();
        assert!(!errors.iter().any(|line| line.contains("HISTORY") || line.contains("panicked")), "{errors:?}");
    }
}

fn write(home: &TempDir, text: &str) {
    std::fs::write(home.path().join("config"), format!("data_dir = 'data/imo2skype'\nport = 0\n{text}"))
        .expect("a file");
}

fn table(name: &str) -> String {
    format!("[[account]]\nusername = '{name}'\n")
}

#[test]
fn a_reload_adds_changes_and_removes_accounts_beside_one_that_goes_on() {
    let home = home();
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(table);
    write(&home, &[alice.as_str(), &bob, &carol].concat());
    let mut daemon = Daemon::start(imo2sproxy(&home, &["--config", "config"]));
    let [mut plugin, mut changed, mut gone] =
        ["alice", "bob", "carol"].map(|name| Plugin::connect(&daemon.listens(name)));
    for plugin in [&mut plugin, &mut changed, &mut gone] {
        plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    }
    write(&home, &format!("{alice}{bob}keep_online = true\n{dave}"));
    daemon.reload();
    plugin.send("#1 MESSAGE echo123 hi").wait("#1 CHATMESSAGE ");
    while !plugin.wait("CHATMESSAGE ").ends_with(" STATUS RECEIVED") {}
    changed.end();
    gone.end();
    // Both start at once.
    let mut told: Vec<_> = (0..2)
        .map(|_| {
            loop {
                let told = daemon.running.told("listening: ");
                if let Some(told) = told.strip_prefix("skypeproxy ") {
                    break told.rsplit(' ').next().expect("a name").to_owned();
                }
            }
        })
        .collect();
    told.sort();
    assert_eq!(told, ["(bob)", "(dave)"]);
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running"), ("dave", "running")]);
    assert_eq!(plugin.send("#2 PING").wait("#2"), "#2 PONG");

    // A file that cannot be read changes nothing.
    write(&home, "[[account]\n");
    daemon.reload();
    daemon.says("the configuration stays as it was: in the configuration file");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running"), ("dave", "running")]);
    assert_eq!(plugin.send("#3 PING").wait("#3"), "#3 PONG");
    daemon.stop();
}

#[test]
fn a_bad_account_starts_once_the_file_is_right() {
    let home = home();
    let taken = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = taken.local_addr().expect("bound").port();
    let alice = table("alice");
    let bob = table("bob");
    write(&home, &format!("{alice}{bob}port = {port}\n"));
    let mut daemon = Daemon::start(imo2sproxy(&home, &["--config", "config"]));
    let mut plugin = Plugin::connect(&daemon.listens("alice"));
    daemon.says("bob: ");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "failed")]);
    write(&home, &format!("{alice}{bob}password_file = 'nowhere'\n"));
    daemon.reload();
    daemon.says("cannot read the password file");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "failed")]);
    write(&home, &format!("{alice}{bob}"));
    daemon.reload();
    daemon.listens("bob");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running")]);
    assert_eq!(plugin.send("PING").line(), "PONG");
    daemon.stop();
}

#[test]
fn what_a_reload_takes_away_is_told_to_the_client() {
    let home = home();
    write(&home, "");
    let mut daemon = Daemon::start(imo2sproxy(&home, &["--config", "config", "alice"]));
    let address = daemon.running.told("listening: skypeproxy ");
    let mut plugin = Plugin::connect(&address);
    plugin.send("NAME Kopete").send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    write(&home, "[[client]]\nname = 'Kopete'\nallow = []\n");
    daemon.reload();
    assert_eq!(plugin.line(), "ERROR 68");
    daemon.reload();
    // No second time, and it is the same connection.
    assert_eq!(plugin.send("#1 PING").line(), "#1 PONG");
    let mut other = Plugin::connect(&address);
    assert_eq!(other.send("PING").line(), "PONG");
    daemon.stop();
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_again() {
    let home = home();
    let port = dead_port();
    write(&home, &format!("{}{}server = 'http://127.0.0.1:{port}/'\n", table("alice"), table("bob")));
    let mut daemon = Daemon::start(imo2sproxy(&home, &["--config", "config"]));
    daemon.listens("alice");
    daemon.says("bob: cannot reach");
    let mut gateway = program("imo2skype-gateway", home.path());
    let listen = format!("127.0.0.1:{port}");
    gateway.args(["serve", "--listen", &listen, "--open-registration", "--database", "other.db"]);
    let mut gateway = Running::start(gateway);
    gateway.told("listening: gateway ");
    let mut plugin = Plugin::connect(&daemon.listens("bob"));
    assert_eq!(plugin.send("PING").line(), "PONG");
    daemon.stop();
    assert_eq!(gateway.stop(Signal::SIGTERM).0, 0);
}

#[test]
fn without_a_file_a_reload_changes_nothing() {
    let home = home();
    let mut daemon = Daemon::start(imo2sproxy(&home, &["-p0", "alice"]));
    let mut plugin = Plugin::connect(&daemon.running.told("listening: skypeproxy "));
    daemon.reload();
    daemon.says("SIGHUP: there is no configuration file");
    assert_eq!(plugin.send("PING").line(), "PONG");
    daemon.stop();
}
