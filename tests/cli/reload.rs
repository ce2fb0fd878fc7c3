//! SIGHUP: accounts that come, change and go beside others that go on.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Write;
use std::net::TcpListener;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::net::UnixStream;
use std::process::Stdio;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use serde_json::Value;
use tempfile::TempDir;

use crate::GUARD;
use crate::Plugin;
use crate::Running;
use crate::dead_port;
use crate::home;
use crate::imo2sproxy;
use crate::program;
use crate::service::Manager;

/// A daemon of which every line can be waited for.
pub(crate) struct Daemon {
    running: Running,
    errors: Receiver<String>,
    manager: Manager,
}

impl Daemon {
    pub(crate) fn start(home: &TempDir, arguments: &[&str]) -> Self {
        // That of the one before.
        let _ = std::fs::remove_file(home.path().join("notify"));
        let manager = Manager::new(home);
        let mut command = imo2sproxy(home, arguments);
        command.env("IMO2SKYPE_PASSWORD", "secret").env("NOTIFY_SOCKET", home.path().join("notify"));
        let mut running = Running::start({
            command.stdin(Stdio::piped());
            command
        });
        let errors = BufReader::new(running.child.stderr.take().expect("piped"));
        let (sender, lines) = unbounded();
        std::thread::spawn(move || errors.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { running, errors: lines, manager }
    }

    /// The address of the next connection point, which must be that of this account.
    pub(crate) fn listens(&mut self, name: &str) -> String {
        loop {
            let told = self.running.told("listening: ");
            if let Some(told) = told.strip_prefix("skypeproxy ") {
                return told.strip_suffix(&format!(" ({name})")).unwrap_or_else(|| panic!("{told}")).to_owned();
            }
        }
    }

    /// Waits until it says so.
    pub(crate) fn says(&self, text: &str) {
        while !self.errors.recv_timeout(GUARD).unwrap_or_else(|_| panic!("{text:?} is not said")).contains(text) {}
    }

    /// Has the file read again; all accounts stand then, or do not.
    pub(crate) fn reload(&self) {
        self.running.signal(Signal::SIGHUP);
        for state in ["RELOADING=1", "READY=1"] {
            while self.manager.told()[0] != state {}
        }
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
    pub(crate) fn stands(home: &TempDir, expected: &[(&str, &str)]) {
        let begun = Instant::now();
        loop {
            let states = Self::states(home);
            if states.iter().map(|(name, state)| (name.as_str(), state.as_str())).eq(expected.iter().copied()) {
                return;
            }
            assert!(begun.elapsed() < GUARD, "{states:?} instead of {expected:?}");
        }
    }

    pub(crate) fn stop(mut self) {
        self.running.signal(Signal::SIGTERM);
        assert!(self.running.child.wait().expect("it ends").success());
        let errors: Vec<_> = self.errors.iter().collect();
        assert!(!errors.iter().any(|line| line.contains("HISTORY") || line.contains("panicked")), "{errors:?}");
    }
}

pub(crate) fn write(home: &TempDir, text: &str) {
    std::fs::write(home.path().join("config"), format!("data_dir = 'data/imo2skype'\nport = 0\n{text}"))
        .expect("a file");
}

pub(crate) fn table(name: &str) -> String {
    format!("[[account]]\nusername = '{name}'\n")
}

#[test]
fn a_reload_adds_changes_and_removes_accounts_beside_one_that_goes_on() {
    let home = home();
    let [alice, bob, carol, dave] = ["alice", "bob", "carol", "dave"].map(table);
    write(&home, &[alice.as_str(), &bob, &carol].concat());
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let [mut plugin, mut changed, mut gone] =
        ["alice", "bob", "carol"].map(|name| Plugin::connect(&daemon.listens(name)));
    for plugin in [&mut plugin, &mut changed, &mut gone] {
        plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    }
    write(&home, &format!("{alice}{bob}keep_online = true\n{dave}"));
    daemon.running.signal(Signal::SIGHUP);
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
    let file = home.path().join("file");
    std::fs::write(&file, "letter").expect("a file");
    let [alice, bob] = ["alice", "bob"].map(table);
    write(&home, &format!("{alice}{bob}socket = 'file'\n"));
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let mut plugin = Plugin::connect(&daemon.listens("alice"));
    daemon.says("is no socket");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "failed")]);
    daemon.reload();
    daemon.says("is no socket");
    write(&home, &format!("{alice}{bob}password_file = 'nowhere'\n"));
    daemon.reload();
    daemon.says("cannot read the password file");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "failed")]);
    write(&home, &format!("{alice}{bob}"));
    daemon.reload();
    daemon.listens("bob");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running")]);
    // What was in the way may go without a change of the file.
    write(&home, &format!("{alice}{bob}socket = 'file'\n"));
    daemon.reload();
    daemon.says("is no socket");
    std::fs::remove_file(&file).expect("a file");
    daemon.reload();
    assert!(daemon.listens("bob").ends_with(&file.display().to_string()));
    assert_eq!(plugin.send("PING").line(), "PONG");
    daemon.stop();
}

#[test]
fn what_a_reload_takes_away_is_told_to_the_client() {
    let home = home();
    write(&home, "");
    let mut daemon = Daemon::start(&home, &["--config", "config", "alice"]);
    let address = daemon.running.told("listening: skypeproxy ");
    let mut plugin = Plugin::connect(&address);
    plugin.send("NAME Kopete").send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    write(&home, "[[client]]\nname = 'Kopete'\nallow = []\n");
    daemon.reload();
    assert_eq!(plugin.line(), "ERROR 68");
    assert_eq!(plugin.send("#1 SEARCH FRIENDS").line(), "#1 ERROR 68");
    // No second time, and it is the same connection.
    daemon.reload();
    assert_eq!(plugin.send("#2 PING").line(), "#2 PONG");
    write(&home, "[[client]]\nname = 'Kopete'\nallow = ['read']\n");
    daemon.reload();
    assert_eq!(plugin.send("#3 SEARCH FRIENDS").line(), "#3 USERS echo123");
    let mut other = Plugin::connect(&address);
    assert_eq!(other.send("PING").line(), "PONG");
    daemon.stop();
}

#[test]
fn a_server_that_cannot_be_reached_is_tried_again() {
    let home = home();
    let port = dead_port();
    write(&home, &format!("{}{}server = 'http://127.0.0.1:{port}/'\n", table("alice"), table("bob")));
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
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
    let mut daemon = Daemon::start(&home, &["-p0", "alice"]);
    let mut plugin = Plugin::connect(&daemon.running.told("listening: skypeproxy "));
    daemon.reload();
    daemon.says("SIGHUP: there is no configuration file");
    assert_eq!(plugin.send("PING").line(), "PONG");
    daemon.stop();
}

#[test]
fn a_place_of_another_is_not_taken_by_a_reload() {
    let home = home();
    let [alice, bob, carol] = [("alice", "a", ""), ("bob", "b", "history = 'h'\n"), ("carol", "a", "history = 'h'\n")]
        .map(|(name, place, history)| format!("{}socket = '{place}'\n{history}", table(name)));
    let tables = |tables: &[&str]| {
        std::fs::write(home.path().join("config"), format!("data_dir = 'data/imo2skype'\n{}", tables.concat()))
            .expect("a file");
    };
    tables(&[&alice, &carol]);
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let place = |name: &str| home.path().join(name).display().to_string();
    assert_eq!(daemon.listens("alice"), place("a"));
    let taken = format!("carol: socket: {} belongs to alice already", place("a"));
    daemon.says(&taken);
    Daemon::stands(&home, &[("alice", "running"), ("carol", "failed")]);
    // One that gets nothing keeps nothing from others.
    tables(&[&alice, &carol, &bob]);
    daemon.reload();
    daemon.says(&taken);
    assert_eq!(daemon.listens("bob"), place("b"));
    // One that runs goes on where it is.
    tables(&[&alice, &bob.replace("'b'", "'a'"), &carol.replace("'a'\nhistory = 'h'", "'c'")]);
    daemon.reload();
    daemon.says(&taken.replace("carol", "bob"));
    assert_eq!(daemon.listens("carol"), place("c"));
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running"), ("carol", "running")]);
    UnixStream::connect(place("b")).expect("it listens");
    daemon.stop();
}

#[test]
fn what_has_the_console_keeps_it() {
    let home = home();
    let [alice, bob] = [format!("{}mode = 'c'\n", table("alice")), table("bob")];
    write(&home, &[alice.as_str(), &bob].concat());
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    daemon.listens("bob");
    let mut input = daemon.running.child.stdin.take().expect("piped");
    let mut console = |daemon: &mut Daemon| {
        input.write_all(b"#1 GET CURRENTUSERHANDLE\n").expect("it reads");
        while daemon.running.told("") != "#1 CURRENTUSERHANDLE alice" {}
    };
    console(&mut daemon);
    write(&home, &format!("{alice}keep_online = true\n{bob}mode = ['s', 'c']\n"));
    daemon.reload();
    daemon.says("alice: the console (-m c) begins with the program: start that again");
    daemon.says("bob: mode: the console belongs to alice already");
    console(&mut daemon);
    write(&home, &format!("{}mode = 's'\n{bob}mode = ['s', 'c']\n", table("alice")));
    daemon.reload();
    daemon.says("alice: what has the console changes when the program is started again");
    daemon.says("bob: the console (-m c) begins with the program: start that again");
    console(&mut daemon);
    write(&home, &bob);
    daemon.reload();
    daemon.says("alice: what has the console goes when the program is started again");
    console(&mut daemon);
    Daemon::stands(&home, &[("bob", "running"), ("alice", "running")]);
    daemon.stop();
}

#[test]
fn what_is_for_the_whole_program_waits_for_the_next_start() {
    let home = home();
    let file = |options: &str, tables: &str| {
        std::fs::write(home.path().join("config"), format!("port = 0\n{options}{tables}")).expect("a file");
    };
    file("", &table("alice"));
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let mut plugin = Plugin::connect(&daemon.running.told("listening: skypeproxy "));
    let options = [
        ("control", "'c'"),
        ("daemon", "true"),
        ("data_dir", "'d'"),
        ("log_file", "'l'"),
        ("metrics", "'127.0.0.1:0'"),
        ("pid_file", "'p'"),
        ("verbose", "true"),
    ];
    let changed: String = options.iter().map(|(name, value)| format!("{name} = {value}\n")).collect();
    file(&changed, &[table("alice"), table("bob")].concat());
    daemon.reload();
    let mut names: Vec<_> = options.map(|(name, _)| name).into();
    while !names.is_empty() {
        let line = daemon.errors.recv_timeout(GUARD).unwrap_or_else(|_| panic!("no warning of {names:?}"));
        let warning = line.strip_prefix("imo2sproxy: warning: ").expect("a warning");
        let name = warning.strip_suffix(" changes when the program is started again").expect("of an option");
        names.retain(|known| *known != name);
    }
    // The rest of the file counts.
    daemon.listens("bob");
    assert_eq!(plugin.send("PING").line(), "PONG");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running")]);
    for name in ["c", "d", "l", "p"] {
        assert!(!home.path().join(name).exists(), "{name} was made");
    }
    daemon.stop();
}

/// The other end of a pipe in the file system, once somebody reads there.
fn reader(path: &std::path::Path) -> std::fs::File {
    let begun = Instant::now();
    loop {
        match std::fs::File::options().write(true).custom_flags(nix::libc::O_NONBLOCK).open(path) {
            Ok(pipe) => return pipe,
            Err(error) => assert!(begun.elapsed() < GUARD, "nobody reads: {error}"),
        }
    }
}

#[test]
fn a_hangup_while_the_configuration_is_read_is_not_lost() {
    let home = home();
    let config = home.path().join("config");
    nix::unistd::mkfifo(&config, nix::sys::stat::Mode::S_IRWXU).expect("a pipe");
    let tables = |names: &[&str]| format!("port = 0\n{}", names.iter().map(|name| table(name)).collect::<String>());
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let mut pipe = reader(&config);
    daemon.running.signal(Signal::SIGUSR1);
    daemon.running.signal(Signal::SIGHUP);
    pipe.write_all(tables(&["alice"]).as_bytes()).expect("it reads");
    drop(pipe);
    daemon.running.told("listening: skypeproxy ");
    reader(&config).write_all(tables(&["alice", "bob"]).as_bytes()).expect("it reads again");
    daemon.listens("bob");
    daemon.stop();
}

#[test]
fn a_hangup_while_accounts_log_in_is_not_lost() {
    let home = home();
    let silent = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let server = format!("server = 'http://{}/'\n", silent.local_addr().expect("bound"));
    let [alice, bob] = ["alice", "bob"].map(table);
    write(&home, &format!("{alice}{bob}{server}"));
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let connection = silent.accept().expect("it logs in");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "starting")]);
    write(&home, &format!("{alice}{bob}"));
    daemon.running.signal(Signal::SIGHUP);
    drop((connection, silent));
    daemon.says("bob: cannot reach");
    daemon.listens("alice");
    daemon.listens("bob");
    Daemon::stands(&home, &[("alice", "running"), ("bob", "running")]);
    daemon.stop();
}

#[test]
fn names_of_files_count_from_where_a_daemon_was_started() {
    let home = home();
    let file = |name: &str, text: &str| std::fs::write(home.path().join(name), text).expect("a file");
    let account = |name: &str| format!("{}password_file = '{name}.pw'\nsocket = '{name}.socket'\n", table(name));
    file("alice.pw", "geheim");
    file("bob.pw", "geheim");
    file("config", &format!("data_dir = 'd'\npid_file = 'pid'\nlog_file = 'log'\ndaemon = true\n{}", account("alice")));
    let output = imo2sproxy(&home, &["--config", "config"]).output().expect("the program starts");
    assert!(output.status.success(), "{output:?}");
    let connect = |name: &str| UnixStream::connect(home.path().join(name));
    let mut alice = connect("alice.socket").expect("it listens");
    alice.set_read_timeout(Some(GUARD)).expect("not zero");
    let id = std::fs::read_to_string(home.path().join("pid")).expect("the pid file");
    let signal = |signal| kill(Pid::from_raw(id.trim().parse().expect("a number")), signal).expect("it runs");
    file(
        "config",
        &format!(
            "data_dir = 'd'\npid_file = 'pid'\nlog_file = 'log'\ndaemon = true\n{}{}",
            account("alice"),
            account("bob")
        ),
    );
    signal(Signal::SIGHUP);
    let begun = Instant::now();
    while connect("bob.socket").is_err() {
        assert!(begun.elapsed() < GUARD, "{:?}", std::fs::read_to_string(home.path().join("log")));
    }
    signal(Signal::SIGTERM);
    let _ = std::io::Read::read_to_end(&mut alice, &mut Vec::new());
    let log = std::fs::read_to_string(home.path().join("log")).expect("the log");
    assert_eq!(log, "", "nothing was wrong");
}
