//! skypenet, skyped and SkypeProxy: the program from the outside, and the clients that speak these protocols.
#![cfg(all(unix, feature = "programs"))]

#[path = "support/bob.rs"]
mod bob;
#[path = "support/people.rs"]
mod people;

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Accounts;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;

use bob::Bob;
use people::ask;
use people::open;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

fn imo2sproxy(home: &Path, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("imo2sproxy"));
    command.env_clear().env("HOME", home).env("XDG_DATA_HOME", home.join("data")).current_dir(home);
    command.args(arguments).args(["alice", "secret"]);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A daemon with all sockets.
struct Daemon {
    home: TempDir,
    child: Child,
    skypeproxy: String,
    skypenet: String,
    skyped: String,
    gateway: String,
}

impl Daemon {
    fn start(arguments: &[&str]) -> Self {
        Self::start_in(tempfile::tempdir().expect("a folder"), arguments)
    }

    fn start_in(home: TempDir, arguments: &[&str]) -> Self {
        let ports = ["-ms", "-mn", "-ml", "-p", "0", "--skypenet-port", "0", "--skyped-port", "0"];
        let ours = [&ports[..], &["--history", "memory"]].concat();
        let mut child = imo2sproxy(home.path(), &[&ours, arguments].concat()).spawn().expect("it starts");
        let mut lines = BufReader::new(child.stdout.take().expect("piped")).lines();
        let mut told = |head: &str| {
            let line = lines.next().and_then(Result::ok).unwrap_or_default();
            let port = line.strip_prefix(head).unwrap_or_else(|| panic!("{line:?} does not begin with {head:?}"));
            port.to_owned()
        };
        let skypeproxy = told("listening: skypeproxy 127.0.0.1:");
        let skypenet = told("listening: skypenet 127.0.0.1:");
        let skyped = told("listening: skyped 127.0.0.1:");
        let gateway = told("listening: gateway ");
        Self { home, child, skypeproxy, skypenet, skyped, gateway }
    }

    fn certificate(&self) -> PathBuf {
        self.home.path().join("data/imo2skype/skyped.pem")
    }

    fn bitlbee(&self, user: &str, password: &str, scenarios: &[&str]) -> Command {
        let certificate = self.certificate();
        let certificate = certificate.to_str().expect("UTF-8");
        client("bitlbee.py", &[&[self.skyped.as_str(), certificate, user, password], scenarios].concat())
    }

    fn libskype(&self, user: &str, password: &str, scenario: &str) -> Command {
        client("skypenet.py", &[&self.skypenet, user, password, scenario])
    }

    fn miranda(&self, password: &str, protocol: &str, scenarios: &[&str]) -> Command {
        client("miranda.py", &[&[self.skypeproxy.as_str(), password, protocol], scenarios].concat())
    }

    /// Its home, after it has ended as it was asked to.
    fn stop(mut self) -> TempDir {
        let id = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(id), Signal::SIGTERM).expect("it runs");
        let mut errors = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut errors).expect("UTF-8");
        assert!(self.child.wait().expect("it ends").success(), "{errors}");
        std::mem::replace(&mut self.home, tempfile::tempdir().expect("a folder"))
    }
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // Only after a failure of the test; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn client(name: &str, arguments: &[&str]) -> Command {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/lines/clients");
    let mut command = Command::new("python3");
    command.arg("-B").arg(folder.join(name)).args(arguments);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn good(output: Output) {
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
}

fn run(mut command: Command) {
    good(command.output().expect("python3"));
}

#[test]
fn bitlbee_lives_with_the_lines_of_skyped() {
    let daemon = Daemon::start(&["-kgeheim"]);
    let scenarios = ["talk", "groups", "info", "chats", "buddies", "calls"];
    run(daemon.bitlbee("Alice", "geheim", &scenarios));
    daemon.stop();
}

#[test]
fn libskype_logs_in_over_skypenet_and_bitlbee_reads_every_line_that_it_writes() {
    let daemon = Daemon::start(&["-kgeheim"]);
    let mut bitlbee = daemon.bitlbee("alice", "geheim", &["lines"]).spawn().expect("python3");
    let mut ready = String::new();
    BufReader::new(bitlbee.stdout.take().expect("piped")).read_line(&mut ready).expect("UTF-8");
    run(daemon.libskype("ALICE", "geheim", "talk"));
    good(bitlbee.wait_with_output().expect("it ends"));
    daemon.stop();
}

#[test]
fn miranda_lives_with_the_socket_of_skypeproxy() {
    let home = tempfile::tempdir().expect("a folder");
    let data = home.path().join("data/imo2skype");
    std::fs::create_dir_all(&data).expect("a folder");
    let accounts = Accounts::open(&data.join("gateway.db")).expect("the accounts");
    accounts.add("bob", "secret").expect("a user");
    // More than goes into a slot at once.
    accounts.set_picture("bob", &[b"\x89PNG\r\n\x1a\n".as_slice(), &[7; 40_000]].concat()).expect("a picture");
    let daemon = Daemon::start_in(home, &["-kgeheim"]);
    let _bob = Bob::friend_of(&daemon.gateway);
    let [cecil, daniel] = ["cecil", "daniel"].map(|name| open(&daemon.gateway, name));
    ask(&cecil, "SET USER alice BUDDYSTATUS 2 It is me");
    let scenarios = ["details", "talk", "typing", "avatars", "authorization", "chats", "calls", "leave"];
    let mut miranda = daemon.miranda("geheim", "7", &scenarios).spawn().expect("python3");
    let mut ready = String::new();
    BufReader::new(miranda.stdout.take().expect("piped")).read_line(&mut ready).expect("UTF-8");
    ask(&daniel, "SET USER alice BUDDYSTATUS 2 And me");
    good(miranda.wait_with_output().expect("it ends"));
    run(daemon.miranda("geheim", "7", &["missed"]));
    run(daemon.miranda("geheim", "3", &["talk"]));
    ["", "falsch"].into_iter().for_each(|password| run(daemon.miranda(password, "7", &["refused"])));
    daemon.stop();
    // A password that nobody wants.
    let daemon = Daemon::start(&[]);
    let _bob = Bob::friend_of(&daemon.gateway);
    run(daemon.miranda("whatever", "7", &["talk"]));
    daemon.stop();
}

#[test]
fn nobody_comes_in_who_is_somebody_else() {
    let daemon = Daemon::start(&["-kgeheim"]);
    for (user, password) in [("alice", "falsch"), ("bob", "geheim")] {
        let begun = Instant::now();
        let clients = [daemon.bitlbee(user, password, &["refused"]), daemon.libskype(user, password, "refused")];
        let clients = clients.map(|mut client| client.spawn().expect("python3"));
        clients.into_iter().for_each(|client| good(client.wait_with_output().expect("it ends")));
        assert!(begun.elapsed() >= Duration::from_secs(1), "it costs a guesser nothing");
    }
    daemon.stop();
    // On loopback, without a key, any password will do.
    let daemon = Daemon::start(&[]);
    run(daemon.bitlbee("alice", "whatever", &["talk"]));
    run(daemon.bitlbee("bob", "whatever", &["refused"]));
    daemon.stop();
}

#[test]
fn the_certificate_stays_the_same_or_is_that_of_the_user() {
    let daemon = Daemon::start(&[]);
    let file = daemon.certificate();
    let made = std::fs::read_to_string(&file).expect("a certificate");
    assert_eq!(file.metadata().expect("it is there").permissions().mode() & 0o777, 0o600);
    let daemon = Daemon::start_in(daemon.stop(), &[]);
    assert_eq!(std::fs::read_to_string(&file).expect("a certificate"), made);
    let home = daemon.stop();
    // Given by the user, in two files; the one that was made is not looked at.
    let (key, cert) = made.split_at(made.find("-----BEGIN CERTIFICATE").expect("PEM"));
    std::fs::write(home.path().join("cert.pem"), cert).expect("a file");
    std::fs::write(home.path().join("key.pem"), key).expect("a file");
    std::fs::write(&file, "letter").expect("a file");
    let daemon = Daemon::start_in(home, &["--skyped-cert", "cert.pem", "--skyped-key", "key.pem"]);
    std::fs::write(&file, cert).expect("a file");
    run(daemon.bitlbee("alice", "whatever", &["talk"]));
    daemon.stop();
}

#[test]
fn what_cannot_be_is_refused_with_the_cure() {
    let home = tempfile::tempdir().expect("a folder");
    for (arguments, status, text) in [
        (&["-mn", "-h", "0.0.0.0"][..], 2, "IMO2SPROXY_KEY"),
        (&["-ml", "-h", "0.0.0.0"], 2, "IMO2SPROXY_KEY"),
        (&["-ml", "--skyped-key", "key.pem"], 2, "--skyped-cert"),
        (&["-ml", "--skyped-port", "0", "--skyped-cert", "nowhere.pem"], 1, "nowhere.pem"),
    ] {
        let output = imo2sproxy(home.path(), arguments).output().expect("it starts");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert_eq!(output.status.code(), Some(status), "{arguments:?}: {errors}");
        assert!(errors.contains(text), "{arguments:?}: {errors}");
    }
}
