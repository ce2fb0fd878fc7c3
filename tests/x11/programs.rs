//! Programs that the tests run: clients in C, and the daemon.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Output;
use std::process::Stdio;

use crossbeam_channel::Receiver;
use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;

use crate::GUARD;
use crate::screen::Screen;

/// A place for compiled clients, and for what a daemon keeps.
pub(crate) fn home() -> TempDir {
    tempfile::tempdir().expect("a temporary directory")
}

/// Compiles a client.
pub(crate) fn compile(home: &TempDir, name: &str) -> PathBuf {
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/x11/clients").join(format!("{name}.c"));
    let program = home.path().join(name);
    let compiler = std::env::var("CC").unwrap_or_else(|_| "cc".to_owned());
    let output = Command::new(&compiler)
        .args(["-std=c99", "-D_DEFAULT_SOURCE", "-Wall", "-Wextra", "-Wpedantic", "-Werror"])
        .arg(&source)
        .arg("-o")
        .arg(&program)
        .arg("-lX11")
        .output()
        .unwrap_or_else(|error| panic!("{compiler} is needed (Debian: apt-get install gcc libx11-dev): {error}"));
    assert!(output.status.success(), "{name} does not compile: {}", errors(&output));
    program
}

/// A client of this display.
pub(crate) fn client(program: &Path, screen: &Screen, arguments: &[&str]) -> Command {
    let mut command = Command::new(program);
    command.args(arguments).env("DISPLAY", screen.name());
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

fn errors(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

/// Expects a client to find everything as it has to be.
pub(crate) fn succeeds(name: &str, child: Child) {
    let output = child.wait_with_output().expect("it ends");
    assert!(output.status.success(), "{name}: {} {}", output.status, errors(&output));
    assert!(output.stdout.ends_with(b"done\n"), "{name}: {output:?}");
}

/// A daemon that finds nothing of its environment but a place for its data.
pub(crate) fn daemon(home: &TempDir, arguments: &[&str]) -> Command {
    let mut command = Command::new(assert_cmd::cargo::cargo_bin("imo2sproxy"));
    command.env_clear().env("HOME", home.path()).env("XDG_DATA_HOME", home.path().join("data"));
    command.env("IMO2SKYPE_PASSWORD", "secret").current_dir(home.path()).args(arguments);
    command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command
}

/// A daemon for alice on this display.
pub(crate) fn alice(home: &TempDir, screen: &Screen) -> Running {
    let mut running = Running::start(daemon(home, &["-mx", "--display", screen.name(), "alice"]));
    assert_eq!(running.line(), format!("listening: x11 {}", screen.name()));
    running.wait("listening: gateway ");
    running
}

/// A program that goes on, line by line.
pub(crate) struct Running {
    child: Child,
    lines: Receiver<String>,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        let mut child = command.spawn().expect("the program starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = unbounded();
        std::thread::spawn(move || output.lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { child, lines }
    }

    pub(crate) fn send(&mut self, line: &str) -> &mut Self {
        let input = self.child.stdin.as_mut().expect("piped");
        input.write_all(format!("{line}\n").as_bytes()).expect("the program reads");
        self
    }

    /// The next line of standard output.
    pub(crate) fn line(&mut self) -> String {
        self.lines.recv_timeout(GUARD).unwrap_or_else(|_| {
            let _ = self.child.kill();
            let mut errors = String::new();
            let _ = self.child.stderr.take().map(|mut stream| stream.read_to_string(&mut errors));
            panic!("no line came, but {errors:?}");
        })
    }

    /// The next line that begins so.
    pub(crate) fn wait(&mut self, head: &str) -> String {
        let mut others = Vec::new();
        loop {
            match self.lines.recv_timeout(GUARD) {
                Ok(line) if line.starts_with(head) => return line,
                Ok(line) => others.push(line),
                Err(_) => panic!("instead of {head:?} came {others:#?}"),
            }
        }
    }

    /// Expects these lines, and none between.
    pub(crate) fn says(&mut self, expected: &[&str]) -> &mut Self {
        for expected in expected {
            assert_eq!(self.line(), *expected);
        }
        self
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    /// Waits for the end; what was said until then, the exit status (none after a signal), and the errors.
    pub(crate) fn end(mut self) -> (Vec<String>, Option<i32>, String) {
        drop(self.child.stdin.take());
        let mut errors = String::new();
        self.child.stderr.take().expect("piped").read_to_string(&mut errors).expect("UTF-8");
        let status = self.child.wait().expect("it ends");
        (self.lines.iter().collect(), status.code(), errors)
    }

    /// Has a daemon end in order; what it said on standard error.
    pub(crate) fn stop(self) -> String {
        self.signal(Signal::SIGTERM);
        let (_, status, errors) = self.end();
        assert_eq!(status, Some(0), "{errors}");
        errors
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after a failure of the test; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A pipe tool that has said its name.
pub(crate) fn attached(pipe: &Path, screen: &Screen) -> Running {
    let mut tool = Running::start(client(pipe, screen, &[]));
    tool.send("NAME pipe").send("PROTOCOL 8").says(&["OK", "PROTOCOL 8"]);
    tool.wait("USERSTATUS ");
    tool
}
