//! A program that goes on until it is stopped, and what it prints meanwhile.

use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::process::Child;
use std::process::ChildStdin;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::unbounded;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;

/// Only guards against a test that hangs.
pub(crate) const GUARD: Duration = Duration::from_secs(60);

pub(crate) struct Running {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Vec<u8>>,
}

/// How a program ended.
#[derive(Debug)]
pub(crate) struct End {
    /// Its exit status.
    pub(crate) status: Option<i32>,
    /// The lines that nobody had asked for.
    pub(crate) rest: Vec<String>,
    pub(crate) errors: String,
}

impl Running {
    pub(crate) fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("what was compiled runs");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let (sender, lines) = unbounded();
        std::thread::spawn(move || output.split(b'\n').map_while(Result::ok).try_for_each(|line| sender.send(line)));
        Self { input: child.stdin.take(), child, lines }
    }

    /// Puts text into its standard input.
    pub(crate) fn write(&mut self, text: impl AsRef<[u8]>) {
        self.input.as_mut().expect("not ended").write_all(text.as_ref()).expect("the program reads");
    }

    /// Ends its standard input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits for a line of which `wanted` makes something; those before it are dropped.
    pub(crate) fn catch<T>(&mut self, what: &str, wanted: impl Fn(&str) -> Option<T>) -> T {
        let mut heard = Vec::new();
        while let Ok(line) = self.lines.recv_timeout(GUARD) {
            let line = String::from_utf8(line).expect("UTF-8");
            match wanted(&line) {
                Some(found) => return found,
                None => heard.push(line),
            }
        }
        let _ = self.child.kill();
        panic!("{what:?} did not come, only {heard:#?}\n{}", self.errors());
    }

    /// Waits for a line; those before it are dropped.
    pub(crate) fn hear(&mut self, wanted: &str) {
        self.catch(wanted, |line| (line == wanted).then_some(()));
    }

    pub(crate) fn signal(&self, signal: Signal) {
        let id = i32::try_from(self.child.id()).expect("a process number");
        kill(Pid::from_raw(id), signal).expect("it runs");
    }

    fn errors(&mut self) -> String {
        let mut errors = Vec::new();
        self.child.stderr.take().expect("piped").read_to_end(&mut errors).expect("it can be read");
        String::from_utf8_lossy(&errors).into_owned()
    }

    /// Waits for its end.
    pub(crate) fn end(mut self) -> End {
        let mut rest = Vec::new();
        loop {
            match self.lines.recv_timeout(GUARD) {
                Ok(line) => rest.push(String::from_utf8(line).expect("UTF-8")),
                Err(RecvTimeoutError::Disconnected) => break,
                Err(RecvTimeoutError::Timeout) => panic!("it does not end, and said {rest:#?}"),
            }
        }
        let errors = self.errors();
        End { status: self.child.wait().expect("it ends").code(), rest, errors }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // Only after a failure of the test; otherwise it has ended.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
