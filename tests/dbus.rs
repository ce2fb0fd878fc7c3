//! The program imo2sproxy on a private bus, used by clients that behave like those that there are (clients 3 to 9).
//!
//! Needs dbus-daemon, and Python with dbus-python and PyGObject (Debian: dbus, python3-dbus, python3-gi).
#![cfg(all(target_os = "linux", feature = "programs"))]

#[path = "dbus/activation.rs"]
mod activation;
#[path = "support/bob.rs"]
mod bob;
#[path = "dbus/clients.rs"]
mod clients;
#[path = "dbus/life.rs"]
mod life;
#[path = "dbus/npm.rs"]
mod npm;

use std::fs;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::thread;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use tempfile::TempDir;

use bob::Bob;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(60);

/// The session bus lets everybody do everything.
const SESSION: &str = r#"<type>session</type><policy context="default"><allow send_destination="*" eavesdrop="true"/>
    <allow eavesdrop="true"/><allow own="*"/></policy>"#;

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A program that goes on until it is stopped; what it writes comes line by line.
struct Running {
    child: Child,
    lines: Receiver<String>,
    errors: Receiver<String>,
}

impl Running {
    fn start(command: &mut Command, what: &str) -> Self {
        let piped = command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = piped.spawn().unwrap_or_else(|error| panic!("{what} is needed for this test: {error}"));
        let lines = by_line(child.stdout.take().expect("piped"));
        let errors = by_line(child.stderr.take().expect("piped"));
        Self { child, lines, errors }
    }

    /// What stands behind `head` in the next line of standard output.
    fn told(&self, head: &str) -> String {
        let line = self.lines.recv_timeout(GUARD).unwrap_or_else(|_| {
            panic!("instead of {head:?} nothing came, but {:#?}", self.errors.try_iter().collect::<Vec<_>>())
        });
        line.strip_prefix(head).unwrap_or_else(|| panic!("{line:?} does not begin with {head:?}")).to_owned()
    }

    /// Waits for a line of standard error that has this in it.
    fn complains(&self, text: &str) -> String {
        let mut heard = Vec::new();
        loop {
            match self.errors.recv_timeout(GUARD) {
                Ok(line) if line.contains(text) => return line,
                Ok(line) => heard.push(line),
                Err(_) => panic!("{text:?} is not among {heard:#?}"),
            }
        }
    }

    fn id(&self) -> u32 {
        self.child.id()
    }

    /// Asks it to stop; its exit status, and what was left on standard error.
    fn stop(mut self) -> (i32, Vec<String>) {
        signal(self.id(), Signal::SIGTERM);
        self.status()
    }

    /// Waits for its end.
    fn status(&mut self) -> (i32, Vec<String>) {
        let status = self.child.wait().expect("it ends").code().expect("an exit status");
        (status, self.errors.iter().collect())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn signal(process: u32, signal: Signal) {
    kill(Pid::from_raw(i32::try_from(process).expect("a process number")), signal).expect("it runs");
}

fn by_line(stream: impl Read + Send + 'static) -> Receiver<String> {
    let (sender, lines) = unbounded();
    thread::spawn(move || BufReader::new(stream).lines().map_while(Result::ok).try_for_each(|line| sender.send(line)));
    lines
}

/// A private bus; its folder goes with it.
struct Bus {
    folder: TempDir,
    process: Option<Running>,
    /// Whether clients and daemon take it for the system bus.
    system: bool,
}

impl Bus {
    fn session() -> Self {
        Self::start(SESSION, "", &[], false)
    }

    /// A bus with this configuration, that starts this service with these variables.
    fn start(configuration: &str, service: &str, environment: &[(&str, &Path)], system: bool) -> Self {
        let folder = TempDir::new().expect("a temporary folder");
        let services = folder.path().join("services");
        fs::create_dir(&services).expect("a folder");
        if !service.is_empty() {
            fs::write(services.join("com.Skype.API.service"), service).expect("a file");
        }
        let text = format!(
            "<!DOCTYPE busconfig PUBLIC \"-//freedesktop//DTD D-Bus Bus Configuration 1.0//EN\"\n \
             \"http://www.freedesktop.org/standards/dbus/1.0/busconfig.dtd\">\n<busconfig>\n\
             <listen>unix:path={}</listen><auth>EXTERNAL</auth><servicedir>{}</servicedir>\n{configuration}\n</busconfig>",
            folder.path().join("bus").display(),
            services.display(),
        );
        fs::write(folder.path().join("bus.conf"), text).expect("a file");
        let mut bus = Self { folder, process: None, system };
        bus.run(environment);
        bus
    }

    /// Has the bus run; not again before it has ended.
    fn run(&mut self, environment: &[(&str, &Path)]) {
        let mut command = Command::new("dbus-daemon");
        command.arg("--config-file").arg(self.folder.path().join("bus.conf")).args(["--nofork", "--print-address"]);
        command.env_clear().env("PATH", path()).envs(environment.iter().copied());
        let process = Running::start(&mut command, "dbus-daemon (Debian: apt-get install dbus)");
        process.told("unix:path=");
        self.process = Some(process);
    }

    fn address(&self) -> String {
        format!("unix:path={}", self.folder.path().join("bus").display())
    }

    /// A program that finds this bus and nothing else.
    fn program(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        let variable = if self.system { "DBUS_SYSTEM_BUS_ADDRESS" } else { "DBUS_SESSION_BUS_ADDRESS" };
        command.env_clear().env("PATH", path()).env("HOME", self.folder.path()).env(variable, self.address());
        command.env("PYTHONDONTWRITEBYTECODE", "1").current_dir(self.folder.path());
        command
    }

    /// The daemon with the account alice.
    fn daemon(&self, arguments: &[&str]) -> Daemon {
        let place = if self.system { "com.Skype.API (system bus)" } else { "com.Skype.API (session bus)" };
        let mut command = self.daemon_command(arguments);
        let running = Running::start(&mut command, "imo2sproxy");
        assert_eq!(running.told("listening: dbus "), place);
        let gateway = if arguments.contains(&"--server") { String::new() } else { running.told("listening: gateway ") };
        Daemon { running, gateway }
    }

    fn daemon_command(&self, arguments: &[&str]) -> Command {
        let mut command = self.program(imo2sproxy());
        command.env("IMO2SKYPE_PASSWORD", "secret").env("RUST_LOG", "warn,imo2skype::transport=debug");
        command.args(["-md", "--history", "memory"]).args(arguments).arg("alice");
        command
    }

    /// A client that is a script.
    fn client(&self, script: &str, arguments: &[&str]) -> Command {
        // The system's own: dbus-python is no package of PyPI that would install without a compiler.
        let mut command = self.program("/usr/bin/python3");
        command.arg(root().join("tests/dbus/clients").join(script)).args(arguments);
        command
    }

    /// Runs a client to its good end; what it writes.
    fn client_succeeds(&self, script: &str, arguments: &[&str]) -> String {
        let output = self.client(script, arguments).output();
        let output = output.expect("/usr/bin/python3 (Debian: apt-get install python3-dbus python3-gi)");
        let errors = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{script}: {}\n{errors}", output.status);
        String::from_utf8(output.stdout).expect("UTF-8")
    }
}

fn path() -> std::ffi::OsString {
    std::env::var_os("PATH").unwrap_or_else(|| "/usr/bin:/bin".into())
}

fn imo2sproxy() -> PathBuf {
    assert_cmd::cargo::cargo_bin("imo2sproxy")
}

struct Daemon {
    running: Running,
    gateway: String,
}
