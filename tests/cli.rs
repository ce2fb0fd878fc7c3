//! The program imo2sproxy from the outside.
#![cfg(all(unix, feature = "programs"))]

#[path = "cli/accounts.rs"]
mod accounts;
#[path = "cli/activation.rs"]
mod activation;
#[path = "cli/check.rs"]
mod check;
#[path = "cli/history.rs"]
mod history;
#[path = "cli/install.rs"]
mod install;
#[path = "cli/reload.rs"]
mod reload;
#[path = "cli/scripts.rs"]
mod scripts;
#[path = "cli/service.rs"]
mod service;
#[path = "cli/status.rs"]
mod status_of_a_daemon;
#[path = "cli/transfer.rs"]
mod transfer;

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::net::TcpStream;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

/// A program that finds nothing of its environment but a place for its data.
fn program(name: &str, home: &Path) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin(name));
    command.env_clear().env("HOME", home).env("XDG_DATA_HOME", home.join("data")).current_dir(home);
    if let Some(path) = std::env::var_os("PATH") {
        command.env("PATH", path);
    }
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

fn imo2sproxy(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = program("imo2sproxy", home.path());
    command.args(arguments);
    command
}

/// Runs to the end with `input`.
fn pipe(mut command: Command, input: &str) -> Output {
    let mut child = command.stdin(Stdio::piped()).spawn().expect("the program starts");
    // It may end without reading everything.
    let _ = child.stdin.take().expect("piped").write_all(input.as_bytes());
    child.wait_with_output().expect("the program ends")
}

fn status(output: &Output) -> i32 {
    output.status.code().unwrap_or_else(|| panic!("no exit status: {output:?}"))
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).expect("UTF-8")
}

/// Runs the program and expects it to fail; what it says on standard error.
fn failure(home: &TempDir, arguments: &[&str], expected: i32) -> String {
    let output = imo2sproxy(home, arguments).output().expect("the program starts");
    let errors = text(&output.stderr);
    assert_eq!(status(&output), expected, "{arguments:?}: {errors}");
    assert!(output.stdout.is_empty(), "{arguments:?}: {output:?}");
    assert!(!errors.contains("panicked"), "{errors}");
    errors
}

/// A program that goes on until it is stopped.
struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = unbounded();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    /// What stands behind `head` in the next line of standard output.
    fn told(&mut self, head: &str) -> String {
        let Ok(line) = self.lines.recv_timeout(GUARD) else {
            let _ = self.child.kill();
            let mut errors = String::new();
            let _ = self.child.stderr.take().map(|mut stream| stream.read_to_string(&mut errors));
            panic!("instead of {head:?} nothing came, but {errors:?}");
        };
        line.strip_prefix(head).unwrap_or_else(|| panic!("{line:?} does not begin with {head:?}")).to_owned()
    }

    fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    /// Asks it to stop; the exit status and what it said on standard error.
    fn stop(mut self, signal: Signal) -> (i32, String) {
        self.signal(signal);
        let mut errors = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut errors).expect("UTF-8");
        let status = self.child.wait().expect("it ends");
        (status.code().expect("an exit status"), errors)
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after a failure of the test; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A client of the socket.
struct Plugin(TcpStream);

impl Plugin {
    fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("the socket listens");
        stream.set_read_timeout(Some(GUARD)).expect("not zero");
        Self(stream)
    }

    fn send(&mut self, command: &str) -> &mut Self {
        let length = u32::try_from(command.len()).expect("short");
        self.0.write_all(&[&length.to_le_bytes(), command.as_bytes()].concat()).expect("the server reads");
        self
    }

    fn line(&mut self) -> String {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).expect("a length");
        let mut line = vec![0; usize::try_from(u32::from_le_bytes(length)).expect("32 bits")];
        self.0.read_exact(&mut line).expect("as many bytes as the length says");
        text(&line)
    }

    /// The first line that begins so.
    fn wait(&mut self, head: &str) -> String {
        loop {
            let line = self.line();
            if line.starts_with(head) {
                return line;
            }
        }
    }

    /// Waits for the end of the connection.
    fn end(&mut self) {
        let _ = self.0.read_to_end(&mut Vec::new());
    }
}

#[test]
fn help_names_every_option_and_no_secret() {
    let home = home();
    let mut command = imo2sproxy(&home, &["--help"]);
    command.env("IMO2SPROXY_KEY", "geheim").env("IMO2SKYPE_PASSWORD", "geheim");
    let output = command.output().expect("the program starts");
    let help = text(&output.stdout);
    assert_eq!(status(&output), 0);
    let options = [
        "--daemon",
        "--pid-file",
        "--verbose",
        "--log-file",
        "--local-time",
        "--interactive",
        "-m ",
        "--host",
        "--port",
        "--key",
        "--allow-clients",
        "--keep-online",
        "--display",
        "--dbus-system",
        "--reply-delay",
        "--server",
        "--insecure-http",
        "--ca-file",
        "--files",
        "--network",
        "--password-file",
        "--data-dir",
        "--history ",
        "--export",
        "--import",
        "--history-days",
        "--history-messages",
        "--send-limit",
        "--control",
        "--metrics",
        "--check-config",
        "--status",
        "--json",
        "--config",
        "--linger",
        "--help",
        "--version",
        "[USERNAME]",
        "[PASSWORD]",
        "IMO2SPROXY_KEY",
        "1401",
        "127.0.0.1",
    ];
    for option in options {
        assert!(help.contains(option), "{option} is missing in {help}");
    }
    assert!(!help.contains("geheim"), "{help}");
}

#[test]
fn version_is_that_of_the_package() {
    let output = imo2sproxy(&home(), &["--version"]).output().expect("the program starts");
    assert_eq!(text(&output.stdout), format!("imo2sproxy {}\n", env!("CARGO_PKG_VERSION")));
    assert_eq!(status(&output), 0);
}

#[test]
fn wrong_usage_has_status_2_and_says_what_would_be_right() {
    let home = home();
    std::fs::write(home.path().join("empty"), "\n").expect("a file");
    std::fs::write(home.path().join("typo.toml"), "[[account]]\nusername = 'a'\nkeyy = 'geheim'\n").expect("a file");
    let table: &[(&[&str], &str)] = &[
        (&[], "USERNAME"),
        (&["alice"], "IMO2SKYPE_PASSWORD"),
        (&["--sever", "x", "alice", "secret"], "--server"),
        (&["-m", "q", "alice", "secret"], "possible values"),
        (&["-ma", "alice", "secret"], "not in this build"),
        (&["-mx", "alice", "secret"], "DISPLAY"),
        (&["-mx", "--display", "here", "alice", "secret"], "no name of a display"),
        (&["-m", "d", "--reply-delay", "1001", "alice", "secret"], "reply_delay: "),
        (&["-h", "0.0.0.0", "alice", "secret"], "IMO2SPROXY_KEY"),
        (&["-h", "somewhere", "alice", "secret"], "--host"),
        (&["-p", "65536", "alice", "secret"], "--port"),
        (&["-k", "", "alice", "secret"], "key: must not be empty"),
        (&["--network", "icq", "alice", "secret"], "network: "),
        (&["--linger=-1", "alice", "secret"], "linger: "),
        (&["--history", "", "alice", "secret"], "--history"),
        (&["--history-days", "40000", "alice", "secret"], "history_days: "),
        (&["--history-messages=-1", "alice", "secret"], "--history-messages"),
        (&["--send-limit", "1", "alice", "secret"], "send_limit: "),
        (&["-d", "-m", "c", "alice", "secret"], "do not go together"),
        (&["--password-file", "nowhere", "alice"], "nowhere"),
        (&["--password-file", "empty", "alice"], "is empty"),
        (&["--config", "nowhere.toml"], "nowhere.toml"),
        (&["--config", "typo.toml"], "line 3, column 1: unknown field `keyy`"),
        (&["--server", "http://192.0.2.1/", "-p0", "alice", "secret"], "insecure"),
    ];
    for (arguments, hint) in table {
        let errors = failure(&home, arguments, 2);
        assert!(errors.contains(hint), "{arguments:?}: {errors}");
        assert!(!errors.contains("geheim"), "{errors}");
    }
}

/// A port of this machine where nobody listens.
fn dead_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    listener.local_addr().expect("bound").port()
}

#[test]
fn a_server_that_is_not_there_has_status_1() {
    let server = format!("http://127.0.0.1:{}/", dead_port());
    let home = home();
    std::fs::write(home.path().join("password"), "secret\n").expect("a file");
    let arguments = ["--server", &server, "-p0", "--password-file", "password", "alice"];
    let errors = failure(&home, &arguments, 1);
    assert!(errors.starts_with("imo2sproxy: cannot reach") && errors.contains("--server"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    // The same through a daemon: its parent tells.
    let errors = failure(&home, &[&["-d"], &arguments[..]].concat(), 1);
    assert!(errors.contains("cannot reach"), "{errors}");
}

#[test]
fn a_port_in_use_has_status_1_and_a_cure() {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let port = listener.local_addr().expect("bound").port().to_string();
    let errors = failure(&home(), &["-p", &port, "alice", "secret"], 1);
    assert!(errors.contains(&port) && errors.contains("in use") && errors.contains("--port"), "{errors}");
}

#[test]
fn a_password_on_the_command_line_is_warned_of_once() {
    let home = home();
    let output = pipe(imo2sproxy(&home, &["-mc", "--linger", "0.1", "alice", "secret"]), "");
    let errors = text(&output.stderr);
    assert_eq!((status(&output), errors.matches("can see").count()), (0, 1), "{errors}");
    assert!(!errors.contains("secret"), "{errors}");
    let mut command = imo2sproxy(&home, &["-mc", "--linger", "0.1", "alice"]);
    command.env("IMO2SKYPE_PASSWORD", "secret");
    let output = pipe(command, "");
    assert_eq!((status(&output), text(&output.stderr)), (0, String::new()));
}

#[test]
fn the_console_answers_and_ends_with_its_input() {
    let home = home();
    let input = "#1 PING\n\n#2 GET CURRENTUSERHANDLE\r\n#3 DANCE";
    let output = pipe(imo2sproxy(&home, &["-m", "c", "--linger", "0.3", "alice", "secret"]), input);
    let lines = text(&output.stdout);
    assert_eq!(status(&output), 0, "{output:?}");
    assert!(lines.starts_with("listening: gateway http://127.0.0.1:"), "{lines}");
    for line in ["#1 PONG", "#2 CURRENTUSERHANDLE alice", "#3 ERROR 2 Unknown command"] {
        assert!(lines.lines().any(|known| known == line), "{line} is missing in {lines}");
    }
    use std::os::unix::fs::PermissionsExt;
    let directory = home.path().join("data/imo2skype");
    let mode = std::fs::metadata(&directory).expect("the default directory").permissions().mode();
    assert_eq!(mode & 0o777, 0o700);
    assert!(directory.join("gateway.db").exists());
}

#[test]
fn the_echo_comes_before_the_console_ends() {
    let home = home();
    let mut command = imo2sproxy(&home, &["-mc", "--linger", "600", "alice", "secret"]);
    let mut running = Running::start({
        command.stdin(Stdio::piped());
        command
    });
    let mut input = running.child.stdin.take().expect("piped");
    input.write_all(b"MESSAGE echo123 one two\n").expect("the program reads");
    // The end of input.
    drop(input);
    for status in ["SENT", "RECEIVED"] {
        while !running.told("").ends_with(&format!(" STATUS {status}")) {}
    }
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
}

#[test]
fn a_wrong_password_has_status_3() {
    let home = home();
    let first = pipe(imo2sproxy(&home, &["-mc", "--linger", "0", "--data-dir", "d", "alice", "secret"]), "");
    assert_eq!(status(&first), 0, "{first:?}");
    let mut command = imo2sproxy(&home, &["-p0", "--data-dir", "d", "alice"]);
    command.env("IMO2SKYPE_PASSWORD", "geheim");
    let output = command.output().expect("the program starts");
    let errors = text(&output.stderr);
    assert_eq!((status(&output), errors.lines().count()), (3, 1), "{errors}");
    assert!(errors.contains("wrong user name or password") && !errors.contains("geheim"), "{errors}");
}

#[test]
fn sigterm_and_sigint_stop_it_as_asked() {
    for signal in [Signal::SIGTERM, Signal::SIGINT] {
        let home = home();
        let mut running = Running::start(imo2sproxy(&home, &["-p0", "alice", "secret"]));
        let address = running.told("listening: skypeproxy ");
        assert!(running.told("listening: gateway http://127.0.0.1:").ends_with('/'));
        let mut plugin = Plugin::connect(&address);
        assert_eq!(plugin.send("PROTOCOL 7").line(), "PROTOCOL 7");
        assert_eq!(plugin.line(), "CONNSTATUS ONLINE");
        assert_eq!(plugin.line(), "CURRENTUSERHANDLE alice");
        assert_eq!(plugin.line(), "USERSTATUS ONLINE");
        let (status, errors) = running.stop(signal);
        assert_eq!(status, 0, "{errors}");
        plugin.end();
        assert_eq!(errors.lines().count(), 1, "only the warning of the password: {errors}");
    }
}

#[test]
fn it_can_be_stopped_while_the_server_does_not_answer() {
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = format!("http://{}/", silent.local_addr().expect("bound"));
    let home = home();
    let running = Running::start(imo2sproxy(&home, &["-p0", "--server", &server, "alice", "secret"]));
    let _connection = silent.accept().expect("it logs in");
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
}

#[test]
fn the_end_of_the_console_does_not_end_the_socket() {
    let home = home();
    let mut running = Running::start(imo2sproxy(&home, &["-mc", "-ms", "-p0", "--linger", "0", "alice", "secret"]));
    let address = running.told("listening: skypeproxy ");
    running.told("listening: gateway ");
    let mut plugin = Plugin::connect(&address);
    assert_eq!(plugin.send("PING").line(), "PONG");
    // The console goes on to tell what happens.
    plugin.send("#1 SET USERSTATUS AWAY").wait("#1");
    while running.told("") != "USERSTATUS AWAY" {}
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
}

#[test]
fn the_key_comes_from_the_environment() {
    let home = home();
    let mut command = imo2sproxy(&home, &["-p0", "-h", "127.0.0.1", "alice", "secret"]);
    command.env("IMO2SPROXY_KEY", "geheim");
    let mut running = Running::start(command);
    let mut plugin = Plugin::connect(&running.told("listening: skypeproxy "));
    let mut byte = [0];
    plugin.0.write_all(b"\0\0\0\0\x01").expect("the server reads");
    plugin.0.read_exact(&mut byte).expect("an answer");
    assert_eq!(byte, [1]);
    plugin.send("geheim").0.read_exact(&mut byte).expect("an answer");
    assert_eq!(byte, [1]);
    assert_eq!(plugin.send("PING").line(), "PONG");
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
}

#[test]
fn the_verbose_log_has_every_line_and_no_password() {
    let home = home();
    let arguments = ["-v", "-l", "log", "-mc", "--linger", "0.1", "--data-dir", "d", "alice", "secret"];
    let output = pipe(imo2sproxy(&home, &arguments), "#1 PING\nALTER CHAT #a/$b;1 ENTERPASSWORD geheim\n");
    assert_eq!(status(&output), 0, "{output:?}");
    let log = std::fs::read_to_string(home.path().join("log")).expect("the log");
    for line in ["001> #1 PING", "001< #1 PONG", "001> ALTER CHAT #a/$b;1 ENTERPASSWORD ***"] {
        // Behind the time.
        assert!(
            log.lines().any(|known| known.split_once("Z ").is_some_and(|(_, known)| known == line)),
            "{line}: {log}"
        );
    }
    assert!(!log.contains("geheim") && !log.contains("secret"), "{log}");
    use std::os::unix::fs::PermissionsExt;
    let mode = std::fs::metadata(home.path().join("log")).expect("the log").permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    // Without a file it goes to standard error; a log is appended to.
    let output =
        pipe(imo2sproxy(&home, &["-v", "-mc", "--linger", "0.1", "--data-dir", "d", "alice", "secret"]), "PING\n");
    assert!(text(&output.stderr).lines().any(|line| line == "001> PING"), "{output:?}");
    pipe(imo2sproxy(&home, &arguments), "#2 PING\n");
    let longer = std::fs::read_to_string(home.path().join("log")).expect("the log");
    assert!(longer.starts_with(&log) && longer.contains("#2 PONG"), "{longer}");
}

#[test]
fn nothing_is_left_in_the_current_directory() {
    let home = home();
    let here = home.path().join("here");
    std::fs::create_dir(&here).expect("a directory");
    let mut command = imo2sproxy(&home, &["-mc", "--linger", "0.1", "--data-dir", "../d", "alice", "secret"]);
    command.current_dir(&here);
    let output = pipe(command, "MESSAGE echo123 hi\n");
    assert_eq!(status(&output), 0, "{output:?}");
    let left: Vec<_> = std::fs::read_dir(&here).expect("a directory").collect();
    assert!(left.is_empty(), "{left:?}");
    // What is kept is kept for its owner only, cookies and all.
    use std::os::unix::fs::PermissionsExt;
    for entry in std::fs::read_dir(home.path().join("d")).expect("the data directory") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("metadata").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{:?}", entry.path());
    }
}

#[test]
fn a_daemon_leaves_its_parent_when_it_stands() {
    let home = home();
    let arguments = ["-d", "--pid-file", "pid", "-p0", "--data-dir", "d", "alice", "secret"];
    let output = imo2sproxy(&home, &arguments).output().expect("the program starts");
    let lines = text(&output.stdout);
    assert_eq!(status(&output), 0, "{output:?}");
    let address = lines.lines().find_map(|line| line.strip_prefix("listening: skypeproxy ")).expect("an address");
    let id = std::fs::read_to_string(home.path().join("pid")).expect("the pid file");
    let mut plugin = Plugin::connect(address);
    assert_eq!(plugin.send("PING").line(), "PONG");
    kill(Pid::from_raw(id.trim().parse().expect("a number")), Signal::SIGTERM).expect("it runs");
    plugin.end();
    assert!(home.path().join("d/gateway.db").exists());
}

#[test]
fn a_daemon_that_logs_to_the_console_stays_there() {
    let home = home();
    let mut running = Running::start(imo2sproxy(&home, &["-d", "-v", "-p0", "alice", "secret"]));
    running.told("listening: skypeproxy ");
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
    assert!(errors.contains("warning: the verbose log needs the console"), "{errors}");
}

#[test]
fn several_accounts_run_in_one_process_and_a_bad_one_stops_none() {
    let home = home();
    let write = |name: &str, text: &str| std::fs::write(home.path().join(name), text).expect("a file");
    write("secret", "secret\n");
    write(
        "config",
        "data_dir = 'd'\npassword_file = 'secret'\nport = 0\n\
        [[account]]\nusername = 'alice'\n\
        [[account]]\nusername = 'bob'\npassword_file = 'nowhere'\n\
        [[account]]\nusername = 'carol'\n",
    );
    let mut running = Running::start(imo2sproxy(&home, &["--config", "config"]));
    for name in ["alice", "carol"] {
        let told = running.told("listening: skypeproxy ");
        let address = told.strip_suffix(&format!(" ({name})")).unwrap_or_else(|| panic!("{told} is not for {name}"));
        let mut plugin = Plugin::connect(address);
        plugin.send("#1 GET CURRENTUSERHANDLE");
        assert_eq!(plugin.wait("#1"), format!("#1 CURRENTUSERHANDLE {name}"));
    }
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!(status, 0, "{errors}");
    assert!(errors.contains("imo2sproxy: bob: cannot read the password file"), "{errors}");
    // Only this one is wanted, and it has the options of its table.
    let errors = failure(&home, &["--config", "config", "bob"], 2);
    assert!(errors.contains("nowhere"), "{errors}");
    // None is left.
    write("config", "[[account]]\nusername = 'a'\nmode = 'x'\n[[account]]\nusername = 'b'\nmode = 'd'\n");
    failure(&home, &["--config", "config"], 1);
}

#[test]
fn two_daemons_become_contacts_and_exchange_messages() {
    let home = home();
    let mut gateway = program("imo2skype-gateway", home.path());
    gateway.args(["serve", "--listen", "127.0.0.1:0", "--open-registration", "--database", "gateway.db"]);
    let mut gateway = Running::start(gateway);
    let server = gateway.told("listening: gateway ");
    let mut daemons = Vec::new();
    let mut plugins = Vec::new();
    for name in ["alice", "bob"] {
        let mut daemon = Running::start(imo2sproxy(&home, &["-p0", "--server", &server, name, "secret"]));
        let mut plugin = Plugin::connect(&daemon.told("listening: skypeproxy "));
        plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
        daemons.push(daemon);
        plugins.push(plugin);
    }
    // One asks, the other agrees, and each sees that the other is there, and how.
    plugins[0].send("SET USER bob BUDDYSTATUS 2 Please, let me see you");
    plugins[1].wait("USER alice RECEIVEDAUTHREQUEST Please, let me see you");
    plugins[1].send("SET USER alice ISAUTHORIZED TRUE").wait("USER alice BUDDYSTATUS 3");
    plugins[1].wait("USER alice ONLINESTATUS ONLINE");
    plugins[0].wait("USER bob ONLINESTATUS ONLINE");
    plugins[0].send("SET USERSTATUS DND");
    plugins[1].wait("USER alice ONLINESTATUS DND");
    for (plugin, friends) in plugins.iter_mut().zip(["#0 USERS echo123, bob", "#0 USERS echo123, alice"]) {
        plugin.send("#0 SEARCH FRIENDS");
        assert_eq!(plugin.wait("#0"), friends);
    }
    for (from, to, name, body) in [(0, 1, "bob", "gr\u{fc}\u{df} dich"), (1, 0, "alice", "back\nagain")] {
        plugins[from].send(&format!("#1 MESSAGE {name} {body}"));
        assert!(plugins[from].wait("#1").starts_with("#1 CHATMESSAGE "));
        let to: &mut Plugin = &mut plugins[to];
        let received = loop {
            let line = to.wait("CHATMESSAGE ");
            if let Some(head) = line.strip_suffix(" STATUS RECEIVED") {
                break head.to_owned();
            }
        };
        to.send(&format!("#2 GET {received} BODY"));
        assert_eq!(to.wait("#2"), format!("#2 {received} BODY {body}"));
    }
    for running in daemons.into_iter().chain([gateway]) {
        let (status, errors) = running.stop(Signal::SIGTERM);
        assert_eq!(status, 0, "{errors}");
    }
}
