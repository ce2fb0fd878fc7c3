//! Clients as a test sees them, wherever they are attached: commands go in, lines come out.

use std::cell::RefCell;
use std::io;
use std::io::BufRead;
use std::io::BufReader;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::process::Child;
use std::process::ChildStdout;
use std::process::Command;
use std::process::Stdio;
use std::rc::Rc;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread;

use crossbeam_channel::Sender;
use rustls::ClientConfig;
use rustls::ClientConnection;
use rustls::RootCertStore;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::daemon::Daemon;
use crate::frames;
use crate::programs;

/// From whom a line came, and the line; none when no more will come.
pub(crate) type Input = (usize, Option<String>);

/// Says a command. Whether it arrives will be seen by the reply.
pub(crate) type Say = Box<dyn FnMut(&str)>;

/// A client that nobody knows yet.
pub(crate) struct Wire {
    pub(crate) kind: &'static str,
    pub(crate) say: Say,
}

/// Connects everybody; the numbers of the inputs are the places in the list.
pub(crate) fn connect(daemon: &Daemon, inputs: &Sender<Input>) -> Vec<Wire> {
    let mut wires = Wires { inputs, list: Vec::new() };
    for _ in 0..16 {
        let stream = tcp(&daemon.skypeproxy);
        let reader = frames(stream.try_clone().expect("a descriptor"));
        wires.add("tcp", reader, move |line| drop((&stream).write_all(&frames::frame(line))));
    }
    for _ in 0..8 {
        let stream = UnixStream::connect(daemon.socket()).expect("it listens");
        let reader = frames(stream.try_clone().expect("a descriptor"));
        wires.add("unix", reader, move |line| drop((&stream).write_all(&frames::frame(line))));
    }
    wires.add_dbus(daemon, 12);
    let pipe = programs::compile(&daemon.home, "pipe");
    for _ in 0..12 {
        let (mut tool, output) = Tool::start(programs::client(&pipe, &daemon.screen, &[]));
        wires.add("x11", pieces(output, b'\n'), move |line| tool.write(line));
    }
    for _ in 0..8 {
        let stream = tcp(&daemon.skypenet);
        let reader = pieces(stream.try_clone().expect("a descriptor"), 0x17);
        let say =
            wires.add("skypenet", reader, move |line| drop((&stream).write_all(format!("{line}\x17").as_bytes())));
        say("LOGIN alice whatever");
    }
    for _ in 0..8 {
        let tls = Tls::connect(daemon);
        let say = wires.add("skyped", pieces(tls.clone(), b'\n'), move |line| drop(tls.write(&format!("{line}\n"))));
        say("USERNAME alice");
        say("PASSWORD whatever");
    }
    wires.list
}

struct Wires<'a> {
    inputs: &'a Sender<Input>,
    list: Vec<Wire>,
}

impl Wires<'_> {
    /// One more client.
    fn add(
        &mut self,
        kind: &'static str,
        mut next: impl FnMut() -> Option<String> + Send + 'static,
        say: impl FnMut(&str) + 'static,
    ) -> &mut Say {
        let (number, inputs) = (self.list.len(), self.inputs.clone());
        thread::spawn(move || {
            while let Some(line) = next() {
                let _ = inputs.send((number, Some(line)));
            }
            let _ = inputs.send((number, None));
        });
        self.list.push(Wire { kind, say: Box::new(say) });
        &mut self.list.last_mut().expect("pushed").say
    }

    /// So many clients in one process.
    fn add_dbus(&mut self, daemon: &Daemon, count: usize) {
        let mut command = daemon.bus.client("pipe.py", &[&count.to_string()]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        let (tool, output) = Tool::start(command);
        let (first, tool, inputs) = (self.list.len(), Rc::new(RefCell::new(tool)), self.inputs.clone());
        for place in 0..count {
            let tool = Rc::clone(&tool);
            let say = move |line: &str| tool.borrow_mut().write(&format!("{place} {line}"));
            self.list.push(Wire { kind: "dbus", say: Box::new(say) });
        }
        let mut next = pieces(output, b'\n');
        thread::spawn(move || {
            while let Some(line) = next() {
                let (place, line) = line.split_once(' ').expect("a number first");
                let _ = inputs.send((first + place.parse::<usize>().expect("a number"), Some(line.to_owned())));
            }
            let _ = inputs.send((first, None));
        });
    }
}

fn tcp(address: &str) -> TcpStream {
    let stream = TcpStream::connect(address).expect("it listens");
    stream.set_nodelay(true).expect("an option of every system");
    stream
}

/// Pieces of a stream, each with this end.
fn pieces(stream: impl Read, end: u8) -> impl FnMut() -> Option<String> {
    let mut stream = BufReader::new(stream);
    move || {
        let mut piece = Vec::new();
        stream.read_until(end, &mut piece).ok()?;
        piece.pop().filter(|last| *last == end)?;
        String::from_utf8(piece).ok()
    }
}

fn frames(stream: impl Read) -> impl FnMut() -> Option<String> {
    let mut stream = BufReader::new(stream);
    move || frames::read(&mut stream).ok()
}

/// A program that speaks line by line; it ends with this.
struct Tool(Child);

impl Tool {
    fn start(mut command: Command) -> (Self, ChildStdout) {
        let mut child = command.stderr(Stdio::inherit()).spawn().expect("the program starts");
        let output = child.stdout.take().expect("piped");
        (Self(child), output)
    }

    fn write(&mut self, line: &str) {
        let input = self.0.stdin.as_mut().expect("piped");
        let _ = input.write_all(format!("{line}\n").as_bytes());
    }
}

impl Drop for Tool {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// Both ends of a connection over TLS; one thread may wait for more while another writes.
#[derive(Clone)]
struct Tls {
    stream: Arc<TcpStream>,
    connection: Arc<Mutex<ClientConnection>>,
}

impl Tls {
    fn connect(daemon: &Daemon) -> Self {
        let mut roots = RootCertStore::empty();
        roots.add(CertificateDer::from_pem_file(daemon.certificate()).expect("a certificate")).expect("a root");
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let config = ClientConfig::builder_with_provider(provider).with_safe_default_protocol_versions();
        let config = config.expect("versions").with_root_certificates(roots).with_no_client_auth();
        let name = "localhost".try_into().expect("a name");
        let mut connection = ClientConnection::new(Arc::new(config), name).expect("a client");
        let mut stream = tcp(&daemon.skyped);
        while connection.is_handshaking() {
            connection.complete_io(&mut stream).expect("TLS");
        }
        Self { stream: Arc::new(stream), connection: Arc::new(Mutex::new(connection)) }
    }

    fn lock(&self) -> MutexGuard<'_, ClientConnection> {
        self.connection.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn write(&self, text: &str) -> io::Result<()> {
        let mut connection = self.lock();
        connection.writer().write_all(text.as_bytes())?;
        while connection.wants_write() {
            connection.write_tls(&mut &*self.stream)?;
        }
        Ok(())
    }
}

impl Read for Tls {
    fn read(&mut self, room: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.lock().reader().read(room) {
                Err(error) if error.kind() == ErrorKind::WouldBlock => {}
                outcome => return outcome,
            }
            let mut bytes = [0; 4096];
            let count = (&*self.stream).read(&mut bytes)?;
            let mut connection = self.lock();
            connection.read_tls(&mut &bytes[..count])?;
            connection.process_new_packets().map_err(io::Error::other)?;
        }
    }
}
