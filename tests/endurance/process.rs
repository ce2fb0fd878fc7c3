//! Programs that are killed and started again.

use std::fs::File;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::ExitStatus;
use std::process::Stdio;
use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;

pub(crate) const PASSWORD: &str = "secret";

/// A program that finds nothing of its environment; it works in `home`, and its log is there.
pub(crate) fn program(program: &str, home: &Path, log: &str) -> Command {
    let file = File::options().append(true).create(true).open(home.join(log)).expect("a log");
    let mut command = Command::new(assert_cmd::cargo::cargo_bin(program));
    command.env_clear().env("HOME", home).env("IMO2SKYPE_PASSWORD", PASSWORD).current_dir(home);
    command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(file);
    command
}

/// Where a process is, if it runs. It ends with its place.
#[derive(Default)]
pub(crate) struct Slot {
    child: Mutex<Option<Child>>,
    filled: Condvar,
}

impl Slot {
    fn lock(&self) -> MutexGuard<'_, Option<Child>> {
        self.child.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Starts a program; its first line says where it listens, and is read by [`listening`].
    pub(crate) fn start(&self, mut command: Command) -> ChildStdout {
        let mut child = command.spawn().expect("the program starts");
        let output = child.stdout.take().expect("piped");
        *self.lock() = Some(child);
        self.filled.notify_all();
        output
    }

    /// SIGKILL to what runs here, or will within `limit`; whether there was anything.
    pub(crate) fn kill(&self, limit: Duration) -> bool {
        let waited = self.filled.wait_timeout_while(self.lock(), limit, |child| child.is_none());
        let mut child = waited.unwrap_or_else(PoisonError::into_inner).0;
        // Taken before anybody can see that it ended: so it is known who ended it.
        child.take().map(end).is_some()
    }

    /// Whether there is a process that nobody has killed, however it is.
    pub(crate) fn is_filled(&self) -> bool {
        self.lock().is_some()
    }

    /// Waits for the end of a process that is about to end; its status, if nobody has killed it.
    pub(crate) fn ended(&self) -> Option<ExitStatus> {
        self.lock().take().map(|mut child| child.wait().expect("it is ours"))
    }
}

impl Drop for Slot {
    fn drop(&mut self) {
        self.kill(Duration::ZERO);
    }
}

fn end(mut child: Child) {
    child.kill().expect("it is ours");
    child.wait().expect("it is ours");
}

/// The address that a program tells once it stands; `None` if it ends before.
pub(crate) fn listening(output: ChildStdout) -> Option<String> {
    let mut line = String::new();
    BufReader::new(output).read_line(&mut line).ok()?;
    line.trim_end().rsplit_once(' ').map(|(_, address)| address.to_owned())
}
