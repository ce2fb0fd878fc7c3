//! Displays without a screen.

use std::ffi::OsStr;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Held by whoever takes a number: one that was let go is wanted again.
static NUMBERS: Mutex<()> = Mutex::new(());

fn numbers() -> MutexGuard<'static, ()> {
    NUMBERS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// An X server.
pub(crate) struct Screen {
    child: Child,
    name: String,
}

impl Screen {
    /// One with a number that nobody has.
    pub(crate) fn start() -> Self {
        let _one = numbers();
        Self::run(None, &[])
    }

    /// One that lets in only who knows the cookie in this file.
    pub(crate) fn start_closed(authority: &Path) -> Self {
        let _one = numbers();
        Self::run(None, &["-auth".as_ref(), authority.as_os_str()])
    }

    /// Dies without a word; another begins in its place.
    pub(crate) fn die_and_come_back(&mut self) {
        let _one = numbers();
        self.child.kill().expect("it runs");
        // Another takes the number over only once there is no such process.
        self.child.wait().expect("it ends");
        let name = self.name.clone();
        *self = Self::run(Some(&name), &[]);
        assert_eq!(self.name, name);
    }

    fn run(name: Option<&str>, more: &[&OsStr]) -> Self {
        let mut command = Command::new("Xvfb");
        command
            .args(name)
            .args(["-displayfd", "1", "-screen", "0", "64x64x8", "-nolisten", "tcp", "-noreset"])
            .args(more);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::null());
        let mut child =
            command.spawn().unwrap_or_else(|error| panic!("Xvfb is needed (Debian: apt-get install xvfb): {error}"));
        let mut number = String::new();
        BufReader::new(child.stdout.take().expect("piped")).read_line(&mut number).expect("a number");
        assert!(number.ends_with('\n'), "Xvfb {name:?} does not start");
        Self { child, name: format!(":{}", number.trim_end()) }
    }

    /// What DISPLAY is for its clients.
    pub(crate) fn name(&self) -> &str {
        &self.name
    }

    /// Takes and gives nothing from now on.
    pub(crate) fn freeze(&self) {
        let id = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(id), Signal::SIGSTOP).expect("it runs");
    }
}

impl Drop for Screen {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
