//! The daemon as a service: what a service manager and its kin expect of it.

use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::os::unix::net::UnixDatagram;
use std::path::Path;
use std::process::Command;
use std::process::Stdio;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::GUARD;
use crate::Plugin;
use crate::Running;
use crate::failure;
use crate::home;
use crate::imo2sproxy;
use crate::status;
use crate::text;

/// The service manager's end of NOTIFY_SOCKET.
pub(crate) struct Manager(UnixDatagram);

impl Manager {
    pub(crate) fn new(home: &TempDir) -> Self {
        let socket = UnixDatagram::bind(home.path().join("notify")).expect("a socket");
        socket.set_read_timeout(Some(GUARD)).expect("not zero");
        Self(socket)
    }

    /// The next that is told, as lines.
    pub(crate) fn told(&self) -> Vec<String> {
        let mut buffer = [0; 4096];
        let length = self.0.recv(&mut buffer).expect("something is told");
        text(&buffer[..length]).lines().map(str::to_owned).collect()
    }

    /// Whether nothing was told that was not read yet.
    fn nothing(&self) -> bool {
        self.0.set_nonblocking(true).expect("a socket");
        let nothing = self.0.recv(&mut [0]).is_err_and(|error| error.kind() == ErrorKind::WouldBlock);
        self.0.set_nonblocking(false).expect("a socket");
        nothing
    }
}

fn command(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = imo2sproxy(home, &[&["-p0"], arguments, &["alice"]].concat());
    command.env("IMO2SKYPE_PASSWORD", "geheim");
    command
}

fn managed(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = command(home, arguments);
    command.env("NOTIFY_SOCKET", home.path().join("notify"));
    command
}

#[test]
fn the_service_manager_is_told_when_all_stands_and_when_it_ends() {
    let home = home();
    let manager = Manager::new(&home);
    let running = Running::start(managed(&home, &[]));
    assert_eq!(manager.told(), ["READY=1", "STATUS=1 of 1 account online, 0 clients"]);
    // Not before every connection point stood and was told of.
    assert!(running.lines.recv_timeout(GUARD).is_ok_and(|line| line.starts_with("listening: skypeproxy ")));
    let (status, errors) = running.stop(Signal::SIGTERM);
    assert_eq!((status, errors.as_str()), (0, ""));
    assert_eq!(manager.told(), ["STOPPING=1", "STATUS=logging out"]);
    assert!(manager.nothing(), "no watchdog was asked for");
}

#[test]
fn the_watchdog_hears_a_sign_of_life_again_and_again() {
    let home = home();
    let manager = Manager::new(&home);
    let mut command = managed(&home, &[]);
    command.env("WATCHDOG_USEC", "200000");
    let mut running = Running::start(command);
    assert_eq!(manager.told()[0], "READY=1");
    let mut plugin = Plugin::connect(&running.told("listening: skypeproxy "));
    plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    for _ in 0..3 {
        assert_eq!(manager.told()[0], "WATCHDOG=1");
    }
    // By and by it tells of what has changed, too.
    plugin.send("SET USERSTATUS OFFLINE").wait("CONNSTATUS OFFLINE");
    while manager.told().get(1).map(String::as_str) != Some("STATUS=0 of 1 account online, 1 client") {}
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    // One that is meant for another process is none.
    let manager_of_another =
        std::fs::remove_file(home.path().join("notify")).map(|()| Manager::new(&home)).expect("a file");
    let mut command = managed(&home, &[]);
    command.env("WATCHDOG_USEC", "1000").env("WATCHDOG_PID", "1");
    let mut running = Running::start(command);
    running.told("listening: skypeproxy ");
    assert_eq!(manager_of_another.told()[0], "READY=1");
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    assert_eq!(manager_of_another.told()[0], "STOPPING=1");
}

#[test]
fn a_daemon_that_detaches_says_which_process_it_is() {
    let home = home();
    let manager = Manager::new(&home);
    let output = managed(&home, &["-d", "--pid-file", "pid"]).output().expect("the program starts");
    assert_eq!(status(&output), 0, "{output:?}");
    let id = std::fs::read_to_string(home.path().join("pid")).expect("the pid file");
    let mut told: Vec<_> = (0..2).flat_map(|_| manager.told()).collect();
    told.sort();
    let id = id.trim();
    assert_eq!(told, [&format!("MAINPID={id}"), "READY=1", "READY=1", "STATUS=1 of 1 account online, 0 clients"]);
    kill(Pid::from_raw(id.parse().expect("a number")), Signal::SIGTERM).expect("it runs");
    assert_eq!(manager.told()[0], "STOPPING=1");
}

#[test]
fn the_pid_file_of_a_living_daemon_is_left_alone() {
    let home = home();
    let read = |name: &str| std::fs::read_to_string(home.path().join(name)).unwrap_or_default();
    let mut first = Running::start(command(&home, &["--pid-file", "pid"]));
    first.told("listening: skypeproxy ");
    let id = first.child.id().to_string();
    assert_eq!(read("pid"), format!("{id}\n"));
    let second = ["-p0", "--pid-file", "pid", "alice", "geheim"];
    let errors = failure(&home, &second, 1);
    assert!(errors.contains("pid belongs to an imo2sproxy") && errors.contains(&format!("process {id}")), "{errors}");
    // The same through a daemon: its parent tells.
    let errors = failure(&home, &[&["-d"], &second[..]].concat(), 1);
    assert!(errors.contains(&format!("process {id}")), "{errors}");
    assert_eq!(read("pid"), format!("{id}\n"));
    // One that was killed leaves its number behind, and nobody minds.
    first.signal(Signal::SIGKILL);
    first.child.wait().expect("it ends");
    let mut third = Running::start(command(&home, &["--pid-file", "pid"]));
    third.told("listening: skypeproxy ");
    assert_eq!(read("pid"), format!("{}\n", third.child.id()));
    assert_eq!(third.stop(Signal::SIGTERM).0, 0);
    assert!(!home.path().join("pid").exists());
    std::fs::write(home.path().join("precious"), "words").expect("a file");
    let errors = failure(&home, &["-p0", "--pid-file", "precious", "alice", "geheim"], 1);
    assert!(errors.contains("something else"), "{errors}");
    assert_eq!(read("precious"), "words");
}

/// The entries of a log without their times, which are in UTC.
fn entries(path: &Path) -> Vec<String> {
    let log = std::fs::read_to_string(path).expect("a log");
    let entry = |line: &str| {
        let (time, entry) = line.split_once("Z ").unwrap_or_else(|| panic!("no time in {line:?}"));
        assert!(time.starts_with("20") && time.as_bytes()[10] == b'T', "{line:?}");
        entry.to_owned()
    };
    // Further lines of an entry are indented.
    log.lines().filter(|line| !line.starts_with('\t')).map(entry).collect()
}

#[test]
fn a_log_that_is_moved_away_goes_on_in_a_new_file() {
    let home = home();
    let (log, old) = (home.path().join("log"), home.path().join("log.1"));
    let mut running = Running::start(command(&home, &["-v", "-l", "log"]));
    let mut plugin = Plugin::connect(&running.told("listening: skypeproxy "));
    let mut number = 0;
    let mut ping = |plugin: &mut Plugin| {
        number += 1;
        plugin.send(&format!("#{number} PING")).wait(&format!("#{number} PONG"));
        number
    };
    for _ in 0..100 {
        ping(&mut plugin);
    }
    std::fs::rename(&log, &old).expect("renamed");
    running.signal(Signal::SIGUSR1);
    // Meanwhile it goes on in the old one.
    let begun = std::time::Instant::now();
    while !log.exists() {
        ping(&mut plugin);
        assert!(begun.elapsed() < GUARD, "it is not opened again");
    }
    let last = ping(&mut plugin);
    let peer = plugin.0.local_addr().expect("connected");
    drop(plugin);
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    let both = [entries(&old), entries(&log)];
    assert!(both.iter().all(|entries| entries.iter().any(|entry| entry.contains("PONG"))), "{both:?}");
    let all = both.concat();
    for number in 1..=last {
        let many = |end: &str| all.iter().filter(|entry| entry.ends_with(&format!(" #{number} {end}"))).count();
        assert_eq!((many("PING"), many("PONG")), (1, 1), "number {number}");
    }
    for what in ["attached", "detached"] {
        let entry = format!("INFO client {what} client=2 peer=\"skypeproxy {peer}\"");
        assert!(all.iter().any(|known| known.trim_start() == entry), "{entry} is missing in {all:?}");
    }
}

#[test]
fn the_log_says_whose_account_it_is_where_there_are_several() {
    let home = home();
    let tables = "[[account]]\nusername = 'alice'\nmode = ['s', 'c']\n[[account]]\nusername = 'bob'\n";
    let write = |options: &str| {
        std::fs::write(home.path().join("config"), format!("port = 0\n{options}{tables}")).expect("a file");
    };
    write("");
    let mut command = imo2sproxy(&home, &["-v", "-l", "log", "--config", "config"]);
    let mut running = Running::start({
        command.env("IMO2SKYPE_PASSWORD", "geheim").stdin(Stdio::piped());
        command
    });
    let mut places = Vec::new();
    for name in ["alice", "bob"] {
        let place = running.told("listening: skypeproxy ").strip_suffix(&format!(" ({name})")).map(str::to_owned);
        places.push((name, place.expect("that of the account")));
    }
    let mut peers = Vec::new();
    for (number, (_, place)) in places.iter().enumerate() {
        let mut plugin = Plugin::connect(place);
        plugin.send("NAME Kopete").send(&format!("#{number} PING")).wait(&format!("#{number} PONG"));
        plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
        peers.push((plugin.0.local_addr().expect("connected"), plugin));
    }
    // On a thread of the program.
    let mut console = running.child.stdin.take().expect("piped");
    console.write_all(b"#9 PING\n").expect("it reads");
    while running.told("") != "#9 PONG" {}
    // On its main thread.
    write("[[client]]\nname = 'Kopete'\nallow = []\n");
    running.signal(Signal::SIGHUP);
    for (_, plugin) in &mut peers {
        plugin.wait("ERROR 68");
        // On that of the connection point: a frame that is too long.
        plugin.0.write_all(&[0xff; 4]).expect("the server reads");
        plugin.end();
    }
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    let entries = entries(&home.path().join("log"));
    for (number, ((name, _), (peer, _))) in places.iter().zip(&peers).enumerate() {
        let whose = format!("account{{user={name}}}: ");
        for entry in [
            format!("{whose}002> #{number} PING"),
            format!("{whose}002< #{number} PONG"),
            format!("{whose}001< CONNSTATUS ONLINE"),
            format!("{whose}002< ERROR 68"),
            format!("INFO {whose}client attached client=2 peer=\"skypeproxy {peer}\""),
            format!("INFO {whose}client detached client=2 peer=\"skypeproxy {peer}\""),
        ] {
            assert!(entries.iter().any(|known| known.trim_start() == entry), "{entry} is missing in {entries:#?}");
        }
        let closed = format!("WARN {whose}connection closed peer=\"skypeproxy {peer}\"");
        assert!(
            entries.iter().any(|known| known.trim_start().starts_with(&closed)),
            "{closed} is missing in {entries:#?}"
        );
    }
    assert!(entries.iter().all(|entry| entry.contains("account{user=")), "{entries:#?}");
}

#[test]
fn no_secret_is_in_a_verbose_log_of_a_whole_session() {
    let home = home();
    std::fs::write(home.path().join("password"), "Passwort\n").expect("a file");
    let mut command =
        imo2sproxy(&home, &["-p0", "-v", "-l", "log", "-k", "Schluessel", "--password-file", "password", "alice"]);
    command.env("RUST_LOG", "trace");
    let mut running = Running::start(command);
    let address = running.told("listening: skypeproxy ");
    let give = |key: &str| {
        let mut plugin = Plugin::connect(&address);
        let mut byte = [0];
        plugin.0.write_all(b"\0\0\0\0\x01").expect("the server reads");
        plugin.0.read_exact(&mut byte).expect("an answer");
        plugin.send(key).0.read_exact(&mut byte).expect("an answer");
        (plugin, byte)
    };
    assert_eq!(give("Falsches").1, [0]);
    let (mut plugin, admitted) = give("Schluessel");
    assert_eq!(admitted, [1]);
    plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    plugin.send("#1 CHAT CREATE echo123").wait("#1 ");
    plugin.send("#2 ALTER CHAT #alice/$echo123;1 SETPASSWORD Sesam Tipp").wait("#2 ");
    plugin.send("#3 ALTER CHAT #alice/$echo123;1 ENTERPASSWORD Sesam").wait("#3 ");
    plugin.send("#4 MESSAGE echo123 hello").wait("#4 ");
    while !plugin.wait("CHATMESSAGE ").ends_with("STATUS RECEIVED") {}
    plugin.send("#5 SET USERSTATUS OFFLINE").wait("CONNSTATUS OFFLINE");
    plugin.send("#6 SET USERSTATUS ONLINE").wait("CONNSTATUS ONLINE");
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    let log = std::fs::read_to_string(home.path().join("log")).expect("the log");
    assert!(log.contains("002> #4 MESSAGE echo123 hello"), "{log}");
    for secret in ["Passwort", "Schluessel", "Falsches", "Sesam"] {
        let line = log.lines().find(|line| line.contains(secret));
        assert_eq!(line, None, "{secret} is in the log");
    }
}

#[test]
fn the_journal_is_told_how_grave_a_line_is() {
    use std::os::unix::fs::MetadataExt;
    let home = home();
    let path = home.path().join("journal");
    for ours in [true, false] {
        let journal = std::fs::File::create(&path).expect("a file");
        let metadata = journal.metadata().expect("metadata");
        let inode = if ours { metadata.ino() } else { metadata.ino() + 1 };
        let mut command = imo2sproxy(&home, &["-p0", "-v", "alice", "geheim"]);
        command.env("JOURNAL_STREAM", format!("{}:{inode}", metadata.dev())).stderr(journal);
        let mut running = Running::start(command);
        let mut plugin = Plugin::connect(&running.told("listening: skypeproxy "));
        plugin.send("#1 PING").wait("#1 PONG");
        running.signal(Signal::SIGTERM);
        assert!(running.child.wait().expect("it ends").success());
        let told = std::fs::read_to_string(&path).expect("a file");
        for (mark, line) in
            [("<4>", "imo2sproxy: warning: "), ("<7>", "002> #1 PING"), ("<6>", " INFO client attached")]
        {
            let line = if ours { format!("{mark}{line}") } else { line.to_owned() };
            assert!(told.lines().any(|known| known.starts_with(&line)), "{line} is missing in {told}");
        }
    }
}
