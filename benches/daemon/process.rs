//! A program that is measured from the outside, and a client of its socket.

use std::collections::BTreeMap;
use std::io::BufRead;
use std::io::BufReader;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;

/// A program; it ends with this.
pub(crate) struct Process(Child);

impl Process {
    /// Starts it, and waits for the address that it tells in a line of standard output which begins so.
    pub(crate) fn start(mut command: Command, head: &str) -> (Self, String) {
        let mut child = command.stdout(Stdio::piped()).spawn().expect("it starts");
        let output = BufReader::new(child.stdout.take().expect("piped"));
        let mut lines = output.lines().map(|line| line.expect("UTF-8"));
        let address = lines.find_map(|line| line.strip_prefix(head).map(str::to_owned)).expect("it tells");
        // It may go on to tell something.
        std::thread::spawn(move || lines.for_each(drop));
        (Self(child), address)
    }

    /// A number of `/proc/PID/status`, in bytes.
    pub(crate) fn memory(&self, name: &str) -> u64 {
        1024 * number(&format!("/proc/{}/status", self.0.id()), name)
    }

    /// How often each of its threads has waited for something, by name.
    pub(crate) fn waits(&self) -> BTreeMap<String, u64> {
        let mut waits = BTreeMap::new();
        for task in std::fs::read_dir(format!("/proc/{}/task", self.0.id())).expect("it runs") {
            let task = task.expect("an entry").path();
            let name = std::fs::read_to_string(task.join("comm")).unwrap_or_default().trim().to_owned();
            *waits.entry(name).or_default() +=
                number(&task.join("status").display().to_string(), "voluntary_ctxt_switches");
        }
        waits
    }
}

fn number(path: &str, name: &str) -> u64 {
    let status = std::fs::read_to_string(path).expect("a file of the system");
    let line = status.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix(':')).expect("the system tells");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A client that speaks in frames.
pub(crate) struct Client(TcpStream);

impl Client {
    pub(crate) fn connect(address: &str) -> Self {
        let stream = TcpStream::connect(address).expect("it listens");
        stream.set_nodelay(true).expect("an option of every system");
        Self(stream)
    }

    /// A client that has been told how the session stands.
    pub(crate) fn attach(address: &str) -> Self {
        let mut client = Self::connect(address);
        client.send("PROTOCOL 7");
        while !client.line().starts_with("USERSTATUS ") {}
        client
    }

    pub(crate) fn send(&mut self, text: &str) {
        self.0.write_all(&frame(text)).expect("it reads");
    }

    pub(crate) fn line(&mut self) -> String {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).expect("a length");
        let mut text = vec![0; usize::try_from(u32::from_le_bytes(length)).expect("32 bits")];
        self.0.read_exact(&mut text).expect("a text");
        String::from_utf8(text).expect("UTF-8")
    }

    /// Sends `bytes` and waits for as many as are in `answer`.
    pub(crate) fn round_trip(&mut self, bytes: &[u8], answer: &mut [u8]) {
        self.0.write_all(bytes).expect("it reads");
        self.0.read_exact(answer).expect("an answer");
    }
}

pub(crate) fn frame(text: &str) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("short");
    [&length.to_le_bytes(), text.as_bytes()].concat()
}
