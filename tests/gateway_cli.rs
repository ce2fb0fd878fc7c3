//! The program imo2skype-gateway from the outside.
#![cfg(all(unix, feature = "programs"))]

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
#[cfg(target_os = "linux")]
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use assert_cmd::assert::OutputAssertExt;
use assert_cmd::cargo::CommandCargoExt;

fn program(arguments: &[&str]) -> Command {
    let mut command = Command::cargo_bin("imo2skype-gateway").expect("built");
    command.args(arguments).env_remove("IMO2SKYPE_PASSWORD").env_remove("RUST_LOG").stdin(Stdio::null());
    command
}

/// Status, standard output, standard error.
fn run(command: &mut Command) -> (i32, String, String) {
    let output = command.output().expect("run");
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).expect("text");
    (output.status.code().expect("status"), text(&output.stdout), text(&output.stderr))
}

fn add(database: &Path, name: &str) {
    let database = database.to_str().expect("text");
    let mut command = program(&["user", "add", name, "--database", database]);
    command.env("IMO2SKYPE_PASSWORD", "secret").assert().success();
}

struct Served {
    child: Child,
    url: String,
}

impl Served {
    fn start(arguments: &[&str]) -> Self {
        Self::start_by(program(&[&["serve"], arguments].concat()))
    }

    fn start_by(mut program: Command) -> Self {
        let mut child = program.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("start");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("line");
        let url = line.trim_end().strip_prefix("listening: gateway ").expect(&line).to_owned();
        Self { child, url }
    }

    /// Status and standard error after `signal`.
    fn stop(mut self, signal: &str) -> (Option<i32>, String) {
        Command::new("kill").args([signal, &self.child.id().to_string()]).assert().success();
        let status = self.child.wait().expect("wait");
        let mut text = String::new();
        self.child.stderr.take().expect("stderr").read_to_string(&mut text).expect("text");
        (status.code(), text)
    }
}

#[test]
fn it_serves_until_it_is_told_to_stop() {
    let folder = tempfile::tempdir().expect("folder");
    let database = folder.path().join("gateway.db");
    let database = database.to_str().expect("text");
    for signal in ["-TERM", "-INT"] {
        let served = Served::start(&["--listen", "127.0.0.1:0", "--database", database]);
        assert!(served.url.starts_with("http://127.0.0.1:") && served.url.ends_with('/'), "{}", served.url);
        let (code, out, _) = run(&mut program(&["status", "--server", &served.url]));
        assert_eq!(code, 0);
        assert!(out.contains(": ok, version ") && out.contains("sessions 0"), "{out}");
        // Accounts are looked after while it runs.
        if signal == "-TERM" {
            add(Path::new(database), "alice");
        }
        assert_eq!(run(&mut program(&["user", "list", "--database", database])).1, "alice\n");
        let url = served.url.clone();
        assert_eq!(served.stop(signal), (Some(0), String::new()));
        let (code, _, err) = run(&mut program(&["status", "--server", &url]));
        assert_eq!(code, 1);
        assert!(err.starts_with("imo2skype-gateway: no gateway at") && err.contains("--server"), "{err}");
    }
}

#[test]
fn users_and_contacts() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let database = file.to_str().expect("text");
    let secret = folder.path().join("secret");
    std::fs::write(&secret, "from a file\nsecond line\n").expect("write");
    add(&file, "Bob");
    let secret = secret.to_str().expect("text");
    let table: &[(&[&str], i32, &str)] = &[
        (&["user", "add", "alice", "--password-file", secret], 0, "added alice"),
        (&["user", "add", "ALICE", "--password-file", secret], 1, "already"),
        (&["user", "add", "a;b", "--password-file", secret], 1, "letters"),
        (&["user", "add", "echo123", "--password-file", secret], 1, "already"),
        (&["user", "add", "carol", "--password-file", "/nonexistent"], 1, "/nonexistent"),
        (&["user", "add", "carol"], 1, "--password-file"),
        (&["user", "passwd", "bob", "--password-file", secret], 0, "bob"),
        (&["user", "passwd", "nobody", "--password-file", secret], 1, "nobody"),
        (&["contact", "add", "alice", "bob"], 0, "alice and bob"),
        (&["contact", "add", "alice", "nobody"], 1, "nobody"),
        (&["contact", "add", "alice", "Alice"], 1, "own contact"),
        (&["contact", "add", "alice", "echo123"], 1, "built in"),
        (&["user", "list"], 0, "alice\nBob\n"),
        (&["user", "remove", "BOB"], 0, "removed"),
        (&["user", "remove", "bob"], 1, "user list"),
        (&["user", "list"], 0, "alice\n"),
    ];
    for (arguments, status, words) in table {
        let (code, out, err) = run(&mut program(&[arguments, ["--database", database].as_slice()].concat()));
        assert_eq!(code, *status, "{arguments:?} {err}");
        let told = if code == 0 { &out } else { &err };
        assert!(told.contains(words), "{arguments:?}: {told}");
        assert!(code == 0 || (err.starts_with("imo2skype-gateway: ") && err.lines().count() == 1), "{err}");
    }
}

#[test]
fn pictures_are_taken_by_what_is_in_them() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let database = file.to_str().expect("text");
    add(&file, "alice");
    let write = |name: &str, bytes: &[u8]| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).expect("write");
        path.to_str().expect("text").to_owned()
    };
    let png = b"\x89PNG\r\n\x1a\n".to_vec();
    let big = [png.as_slice(), &[0; 256 << 10]].concat();
    // What a file is called does not count.
    let (png, jpeg) = (write("picture.txt", &png), write("picture", b"\xff\xd8\xff\xe0"));
    let (gif, big) = (write("gif.png", b"GIF89a"), write("big.png", &big));
    let table: &[(&[&str], i32, &str)] = &[
        (&["alice", &png], 0, "changed the picture of alice"),
        (&["ALICE", &jpeg], 0, "changed"),
        (&["alice", &gif], 1, "gif.png: picture: it is no PNG and no JPEG"),
        (&["alice", &big], 1, "256 KiB"),
        (&["alice", "/nonexistent"], 1, "/nonexistent"),
        (&["nobody", &png], 1, "nobody"),
        (&["echo123", &png], 1, "built in"),
        (&["alice", "--remove"], 0, "removed the picture of alice"),
        (&["alice", "--remove"], 1, "no picture"),
        (&["alice"], 2, "FILE"),
        (&["alice", &png, "--remove"], 2, "--remove"),
    ];
    for (arguments, status, words) in table {
        let arguments = [&["user", "avatar"], *arguments, &["--database", database]].concat();
        let (code, out, err) = run(&mut program(&arguments));
        assert_eq!(code, *status, "{arguments:?} {err}");
        let told = if code == 0 { &out } else { &err };
        assert!(told.contains(words), "{arguments:?}: {told}");
    }
}

#[test]
fn waiting_messages_are_counted_for_who_asks() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let database = file.to_str().expect("text");
    add(&file, "alice");
    let list =
        |arguments: &[&str]| run(&mut program(&[&["user", "list", "--database", database], arguments].concat())).1;
    assert_eq!((list(&[]).as_str(), list(&["--waiting"]).as_str()), ("alice\n", "alice\t0\n"));
    let served = Served::start(&["--listen", "127.0.0.1:0", "--database", database]);
    let status = run(&mut program(&["status", "--server", &served.url])).1;
    assert!(status.trim_end().ends_with("sessions 0, waiting 0"), "{status}");
    assert_eq!(served.stop("-TERM").0, Some(0));
}

#[test]
fn misuse_is_status_two() {
    let table: &[&[&str]] = &[
        &[],
        &["dance"],
        &["serve", "--tls-cert", "x.pem"],
        &["user", "add"],
        &["user", "add", "alice", "secret"],
        &["contact", "add", "alice"],
    ];
    for arguments in table {
        assert_eq!(run(&mut program(arguments)).0, 2, "{arguments:?}");
    }
}

#[test]
fn what_cannot_be_served_is_said_in_one_line() {
    let folder = tempfile::tempdir().expect("folder");
    let text = folder.path().join("notes.txt");
    std::fs::write(&text, "no database ".repeat(200)).expect("write");
    let text = text.to_str().expect("text");
    let fine = folder.path().join("gateway.db");
    let fine = fine.to_str().expect("text");
    let served = Served::start(&["--listen", "127.0.0.1:0", "--database", fine]);
    let taken = served.url.trim_start_matches("http://").trim_end_matches('/').to_owned();
    let table: &[(&[&str], &str)] = &[
        (&["--listen", &taken, "--database", fine], "choose another port"),
        (&["--listen", "127.0.0.1:0", "--database", text], "notes.txt"),
        (&["--listen", "nonsense", "--database", fine], "nonsense"),
        (&["--listen", "127.0.0.1:0", "--database", fine, "--tls-cert", text, "--tls-key", text], "notes.txt"),
    ];
    for (arguments, words) in table {
        let (code, out, err) = run(&mut program(&[["serve"].as_slice(), arguments].concat()));
        assert_eq!((code, out.as_str()), (1, ""), "{err}");
        assert!(err.starts_with("imo2skype-gateway: ") && err.contains(words) && err.lines().count() == 1, "{err}");
    }
    assert_eq!(served.stop("-TERM").0, Some(0));
}

#[test]
fn passwords_in_the_open_are_warned_about() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    // 0.0.0.0 with port 0 is bound for the length of the test only.
    let served = Served::start(&["--listen", "0.0.0.0:0", "--database", file.to_str().expect("text")]);
    let (code, err) = served.stop("-TERM");
    assert_eq!(code, Some(0));
    assert!(err.contains("WARNING") && err.contains("--tls-cert"), "{err}");
}

#[test]
fn the_default_database_is_in_the_data_directory() {
    let folder = tempfile::tempdir().expect("folder");
    let mut command = program(&["user", "list"]);
    command.env("XDG_DATA_HOME", folder.path()).env("HOME", folder.path()).assert().success();
    assert!(folder.path().join("imo2skype/gateway.db").is_file());
}

/// Each session needs two connections.
#[cfg(target_os = "linux")]
#[test]
fn serve_takes_as_many_connections_as_it_may() {
    let mut shell = Command::new("sh");
    shell.args([
        "-c",
        "ulimit -S -n 64 && ulimit -H -n 512 && exec \"$0\" serve --listen 127.0.0.1:0 --database \"$1\"",
    ]);
    let folder = tempfile::tempdir().expect("folder");
    shell.arg(program(&[]).get_program()).arg(folder.path().join("gateway.db"));
    let served = Served::start_by(shell);
    let limits = std::fs::read_to_string(format!("/proc/{}/limits", served.child.id())).expect("limits");
    let files = limits.lines().find(|line| line.starts_with("Max open files")).expect("a line");
    assert_eq!(files.split_whitespace().skip(3).take(2).collect::<Vec<_>>(), ["512", "512"]);
    assert_eq!(served.stop("-TERM").0, Some(0));
}

/// Only guards against a program that does not do what it should.
#[cfg(target_os = "linux")]
const GUARD: Duration = Duration::from_secs(60);

/// A program at a terminal of its own, as somebody types at it.
#[cfg(target_os = "linux")]
struct Typist {
    master: std::fs::File,
    slave: std::os::fd::OwnedFd,
    child: Child,
    /// All that was on the screen.
    screen: String,
}

#[cfg(target_os = "linux")]
impl Typist {
    fn start(arguments: &[&str]) -> Self {
        let terminal = nix::pty::openpty(None, None).expect("a terminal");
        let end = || Stdio::from(terminal.slave.try_clone().expect("descriptor"));
        let program = program(&[]).get_program().to_owned();
        let mut command = Command::new("setsid");
        command.args(["--ctty", "--wait"]).arg(program).args(arguments).env_remove("IMO2SKYPE_PASSWORD");
        let child = command.stdin(end()).stdout(end()).stderr(end()).spawn().expect("start");
        Self { master: terminal.master.into(), slave: terminal.slave, child, screen: String::new() }
    }

    /// Types a line once it is asked for, and the terminal no longer shows what is typed.
    fn answer(&mut self, prompt: &str, line: &str) {
        use nix::sys::termios::LocalFlags;
        use nix::sys::termios::tcgetattr;
        use std::io::Write;
        let mut byte = [0];
        while !self.screen.ends_with(prompt) {
            self.master.read_exact(&mut byte).expect("the prompt");
            self.screen.push(char::from(byte[0]));
        }
        let begun = Instant::now();
        while tcgetattr(&self.slave).expect("state").local_flags.contains(LocalFlags::ECHO) {
            assert!(begun.elapsed() < GUARD, "what is typed is shown");
            std::thread::yield_now();
        }
        self.master.write_all(format!("{line}\n").as_bytes()).expect("typed");
    }

    /// Status, and all that was on the screen.
    fn leave(mut self) -> (Option<i32>, String) {
        let status = self.child.wait().expect("end");
        drop(self.slave);
        // Without anybody at the other end, reading ends with an error, after all that there is.
        let mut rest = Vec::new();
        drop(self.master.read_to_end(&mut rest));
        (status.code(), self.screen + &String::from_utf8_lossy(&rest))
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_password_is_asked_for_twice_and_never_shown() {
    let folder = tempfile::tempdir().expect("folder");
    let database = folder.path().join("gateway.db");
    let database = database.to_str().expect("text");
    for (second, status, said) in [("open sesamy", Some(1), "the two passwords differ"), ("open sesame", Some(0), "")] {
        let mut typist = Typist::start(&["user", "add", "alice", "--database", database]);
        typist.answer("Password for alice: ", "open sesame");
        typist.answer("Once more: ", second);
        let (code, screen) = typist.leave();
        assert_eq!(code, status, "{screen}");
        assert!(screen.contains(said) && !screen.contains("open"), "{screen}");
    }
    let (status, users, _) = run(&mut program(&["user", "list", "--database", database]));
    assert_eq!((status, users.as_str()), (0, "alice\n"));
}
