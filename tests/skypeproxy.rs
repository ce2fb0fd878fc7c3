//! The SkypeProxy socket and the console on a session whose network is a stub.
#![cfg(feature = "transport")]

#[path = "support/fake.rs"]
mod fake;

use std::io::Read;
use std::io::Write;
use std::net::SocketAddr;
use std::net::TcpStream;
use std::sync::Arc;
use std::sync::Mutex;
use std::time::Duration;
#[cfg(target_os = "linux")]
use std::time::Instant;

use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::Contact;
use imo2skype::backend::Event;
use imo2skype::model::Handle;
use imo2skype::transport::Serving as _;
use imo2skype::transport::console;
use imo2skype::transport::skypeproxy::SkypeProxy;
use imo2skype::transport::stream;
use imo2skype::transport::stream::BindOptions;
use secrecy::SecretString;

use fake::Answer;
use fake::Fake;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(30);

fn session(queue_limit: usize) -> Arc<Session> {
    let mut config = Config::new("alice", "secret");
    config.autologin = false;
    config.queue_limit = queue_limit;
    Arc::new(Session::with_backend(&config, Box::new(Fake::new(Answer::Nothing))).expect("nothing can fail offline"))
}

/// A connection point, and where it is.
struct Serving {
    point: stream::Serving,
    address: SocketAddr,
}

impl Serving {
    fn start(options: BindOptions, session: Arc<Session>) -> Self {
        let proxy = SkypeProxy::bind(options).expect("a port");
        let address = proxy.address().expect("a port");
        Self { point: proxy.serve(session).expect("a thread"), address }
    }

    fn address(&self) -> SocketAddr {
        self.address
    }
}

/// A server on a session of its own, kept as the daemon keeps it.
fn serve(key: Option<&str>, queue_limit: usize) -> (Serving, Arc<Session>) {
    let session = session(queue_limit);
    session.keep_only();
    let key = key.map(SecretString::from);
    (Serving::start(BindOptions { key, ..BindOptions::loopback(0) }, Arc::clone(&session)), session)
}

/// What a program on the other side does.
struct Plugin(TcpStream);

impl Plugin {
    fn connect(address: SocketAddr) -> Self {
        let stream = TcpStream::connect(address).expect("the socket listens");
        stream.set_nodelay(true).expect("an option of every system");
        stream.set_read_timeout(Some(GUARD)).expect("not zero");
        stream.set_write_timeout(Some(GUARD)).expect("not zero");
        Self(stream)
    }

    fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.0.write_all(bytes).expect("the server reads");
        self
    }

    fn send(&mut self, text: &[u8]) -> &mut Self {
        self.raw(&frame(text))
    }

    fn byte(&mut self) -> u8 {
        let mut byte = [0];
        self.0.read_exact(&mut byte).expect("one byte");
        byte[0]
    }

    fn line(&mut self) -> String {
        let mut length = [0; 4];
        self.0.read_exact(&mut length).expect("a length");
        let mut text = vec![0; usize::try_from(u32::from_le_bytes(length)).expect("32 bits")];
        self.0.read_exact(&mut text).expect("as many bytes as the length says");
        String::from_utf8(text).expect("UTF-8")
    }

    /// Reads what still comes, to the end of the connection.
    fn rest(&mut self) -> Vec<u8> {
        let mut rest = Vec::new();
        match self.0.read_to_end(&mut rest) {
            Ok(_) => {}
            // Bytes of ours that nobody read any more make an end of this kind.
            Err(error) if error.kind() == std::io::ErrorKind::ConnectionReset => {}
            Err(error) => panic!("the connection was not closed: {error}"),
        }
        rest
    }
}

fn frame(text: &[u8]) -> Vec<u8> {
    let length = u32::try_from(text.len()).expect("a short text");
    [&length.to_le_bytes()[..], text].concat()
}

const PING: &[u8] = b"\x04\0\0\0PING";
const CAPABILITIES: &[u8] = b"\0\0\0\0\x02";
const AUTHENTICATE: &[u8] = b"\0\0\0\0\x01";
const SYNTAX_ERROR: &str = "ERROR 1 General syntax error";

#[test]
fn a_plugin_without_a_password_attaches() {
    // transports 1.5
    let (serving, _session) = serve(None, 1000);
    let mut plugin = Plugin::connect(serving.address());
    assert_eq!(plugin.raw(CAPABILITIES).byte(), 2);
    assert_eq!(plugin.raw(AUTHENTICATE).byte(), 0);
    // Not taken for a password, and the first thing that comes is a whole frame.
    plugin.raw(PING);
    let mut reply = [0; 8];
    plugin.0.read_exact(&mut reply).expect("a frame");
    assert_eq!(&reply, b"\x04\0\0\0PONG");
}

#[test]
fn a_plugin_with_the_password_attaches() {
    // transports 1.5; MY_CAPABILITIES has no answer.
    let (serving, _session) = serve(Some("secret"), 1000);
    let mut plugin = Plugin::connect(serving.address());
    assert_eq!(plugin.raw(AUTHENTICATE).byte(), 1);
    assert_eq!(plugin.send(b"secret").byte(), 1);
    assert_eq!(plugin.raw(CAPABILITIES).byte(), 3);
    assert_eq!(plugin.raw(b"\0\0\0\0\x03\x02").raw(PING).line(), "PONG");
}

#[test]
fn a_wrong_password_is_answered_and_ends_the_connection() {
    let (serving, _session) = serve(Some("secret"), 1000);
    for wrong in ["Secret", "secre", "secret ", "SECRET\0x"] {
        let mut plugin = Plugin::connect(serving.address());
        assert_eq!(plugin.raw(AUTHENTICATE).byte(), 1);
        plugin.send(wrong.as_bytes());
        assert_eq!(plugin.rest(), b"\0", "{wrong}");
    }
}

#[test]
fn text_before_the_password_is_swallowed() {
    let (serving, session) = serve(Some("secret"), 1000);
    let mut plugin = Plugin::connect(serving.address());
    plugin.raw(PING).raw(PING);
    assert_eq!(plugin.raw(AUTHENTICATE).byte(), 1, "nothing came before");
    assert_eq!(plugin.send(b"secret\0").byte(), 1);
    assert_eq!(plugin.raw(PING).line(), "PONG");
    // Of all that was said, only the last PING made a client: the next is its direct neighbour.
    assert_eq!(session.attach().expect("open").client(), session.client() + 2);
}

#[test]
fn a_wrong_password_delays_nobody_else() {
    let (serving, _session) = serve(Some("secret"), 1000);
    let mut wrong: Vec<_> = (0..16)
        .map(|_| {
            let mut plugin = Plugin::connect(serving.address());
            assert_eq!(plugin.raw(AUTHENTICATE).byte(), 1);
            plugin.send(b"guess");
            plugin
        })
        .collect();
    let mut right = Plugin::connect(serving.address());
    assert_eq!(right.raw(AUTHENTICATE).byte(), 1);
    assert_eq!(right.send(b"secret").byte(), 1);
    assert_eq!(right.raw(PING).line(), "PONG");
    for plugin in &mut wrong {
        assert_eq!(plugin.rest(), b"\0");
    }
}

#[test]
fn bytes_may_come_one_by_one() {
    let (serving, _session) = serve(Some("secret"), 1000);
    let mut plugin = Plugin::connect(serving.address());
    let stream = [AUTHENTICATE, &frame(b"secret"), CAPABILITIES, b"\0\0\0\0\x03\x02", PING, PING].concat();
    for byte in stream {
        plugin.raw(&[byte]);
    }
    assert_eq!([plugin.byte(), plugin.byte(), plugin.byte()], [1, 1, 3]);
    assert_eq!([plugin.line(), plugin.line()], ["PONG", "PONG"]);
}

/// A client that writes the length and the text of a command one after the other, and lets its system choose the time.
#[cfg(target_os = "linux")]
#[test]
fn a_command_in_two_pieces_waits_for_nothing() {
    let (serving, _session) = serve(None, 1000);
    let mut plugin = Plugin::connect(serving.address());
    plugin.0.set_nodelay(false).expect("an option of every system");
    let mut took = [Vec::new(), Vec::new()];
    for _ in 0..21 {
        for (pieces, took) in [&[PING][..], &[&PING[..4], &PING[4..]]].iter().zip(&mut took) {
            let begun = Instant::now();
            for piece in *pieces {
                plugin.raw(piece);
            }
            assert_eq!(plugin.line(), "PONG");
            took.push(begun.elapsed());
        }
    }
    let [whole, halves] = took.map(|mut took| {
        took.sort();
        took[took.len() / 2]
    });
    // 40 ms, if the second piece waits until the first is acknowledged.
    assert!(halves < 100 * whole, "{halves:?} instead of {whole:?}");
}

#[test]
fn many_frames_may_come_at_once() {
    let (serving, _session) = serve(None, 100_000);
    let mut plugin = Plugin::connect(serving.address());
    plugin.raw(&PING.repeat(5000));
    for number in 0..5000 {
        assert_eq!(plugin.line(), "PONG", "reply {number}");
    }
}

#[test]
fn more_commands_than_the_queue_holds_are_all_answered() {
    let (serving, _session) = serve(None, 16);
    let mut plugin = Plugin::connect(serving.address());
    let mut writer = Plugin(plugin.0.try_clone().expect("a descriptor"));
    let commands = std::thread::spawn(move || writer.raw(&PING.repeat(50_000)).0.set_nodelay(true));
    for number in 0..50_000 {
        assert_eq!(plugin.line(), "PONG", "reply {number}");
    }
    commands.join().expect("no panic").expect("the connection stands");
}

#[test]
fn a_frame_that_is_no_text_is_answered_in_its_place() {
    let (serving, _session) = serve(None, 1000);
    let mut plugin = Plugin::connect(serving.address());
    plugin.raw(&[PING, &frame(b"PING \xff"), PING, &frame(b"PI\0NG"), &frame(b"PING\0\0")].concat());
    let lines: Vec<_> = (0..5).map(|_| plugin.line()).collect();
    assert_eq!(lines, ["PONG", SYNTAX_ERROR, "PONG", SYNTAX_ERROR, "PONG"]);
}

#[test]
fn a_frame_that_is_no_text_may_be_the_first() {
    let (serving, _session) = serve(None, 1000);
    let mut plugin = Plugin::connect(serving.address());
    assert_eq!(plugin.send(b"\xff").line(), SYNTAX_ERROR);
    assert_eq!(plugin.raw(PING).line(), "PONG");
}

#[test]
fn whoever_misbehaves_is_dropped_alone() {
    let (serving, _session) = serve(None, 1000);
    let mut good = Plugin::connect(serving.address());
    assert_eq!(good.raw(PING).line(), "PONG");
    let streams: [&[u8]; 5] =
        [b"\xff\xff\xff\xff", b"\x01\0\x10\0", b"\0\0\0\0\x04", b"\0\0\0\0\x00", b"\xff\xff\xff\xffPING"];
    for stream in streams {
        let mut bad = Plugin::connect(serving.address());
        bad.raw(stream);
        assert_eq!(bad.rest(), b"", "{stream:?}");
        assert_eq!(good.raw(PING).line(), "PONG");
    }
    // After a good start, too; half a frame does no harm either.
    let mut bad = Plugin::connect(serving.address());
    assert_eq!(bad.raw(PING).line(), "PONG");
    bad.raw(b"\xff\xff\xff\xff");
    assert_eq!(bad.rest(), b"");
    Plugin::connect(serving.address()).raw(b"\x10\0\0\0PI");
    assert_eq!(good.raw(PING).line(), "PONG");
}

#[test]
fn the_longest_command_is_one_mebibyte() {
    let (serving, _session) = serve(None, 1000);
    let mut plugin = Plugin::connect(serving.address());
    let mut text = vec![b'x'; 1 << 20];
    assert!(plugin.send(&text).line().starts_with("ERROR "));
    // What a client is told when it attaches may come first.
    plugin.raw(PING);
    while plugin.line() != "PONG" {}
    text.push(b'x');
    // The end may come while we still write.
    let _ = plugin.0.write_all(&frame(&text));
    assert_eq!(plugin.rest(), b"");
}

#[test]
fn a_client_that_has_gone_is_detached() {
    let (serving, session) = serve(None, 16);
    for _ in 0..50 {
        let mut plugin = Plugin::connect(serving.address());
        assert_eq!(plugin.raw(PING).line(), "PONG");
    }
    let mut plugin = Plugin::connect(serving.address());
    assert_eq!(plugin.raw(PING).line(), "PONG");
    drop(serving);
    assert_eq!(plugin.rest(), b"");
    session.close();
}

#[test]
fn who_does_not_read_delays_nobody() {
    let (serving, _session) = serve(None, 64);
    let mut slow = Plugin::connect(serving.address());
    slow.0.set_nonblocking(true).expect("an option of every system");
    // Until nothing more fits: the reader of this connection waits for its writer, which is stuck.
    let flood = PING.repeat(1000);
    let mut idle = 0;
    let mut other = Plugin::connect(serving.address());
    while idle < 200 {
        match slow.0.write(&flood) {
            Ok(_) => idle = 0,
            Err(error) if error.kind() == std::io::ErrorKind::WouldBlock => idle += 1,
            Err(error) => panic!("{error}"),
        }
        assert_eq!(other.raw(PING).line(), "PONG");
    }
    drop(slow);
    assert_eq!(other.raw(PING).line(), "PONG");
}

#[test]
fn who_does_not_read_is_given_up_and_told_so_by_the_end() {
    let network = Fake::new(Answer::Accepts);
    let mut config = Config::new("alice", "secret");
    config.queue_limit = 64;
    let session = Session::with_backend(&config, Box::new(network.clone())).expect("the script says so");
    session.keep_only();
    let serving = Serving::start(BindOptions::loopback(0), Arc::new(session));
    let mut plugins = [Plugin::connect(serving.address()), Plugin::connect(serving.address())];
    for plugin in &mut plugins {
        plugin.send(b"PROTOCOL 7");
        while plugin.line() != "USERSTATUS ONLINE" {}
    }
    let [slow, quick] = &mut plugins;
    // Far more than sockets and queue hold. The quick one gets each before the next is made.
    let mut bytes = 0;
    for number in 0..400 {
        let mut contact = Contact::named(Handle::new("bob"));
        contact.name = Some(format!("{number} {}", "x".repeat(50_000)));
        network.deliver(Event::Contacts { contacts: vec![contact], complete: false });
        while !quick.line().starts_with(&format!("USER bob FULLNAME {number} ")) {}
        bytes += 50_000;
    }
    // It gets what was sent before, and then the end.
    let rest = slow.rest().len();
    assert!(rest < bytes, "{rest} of {bytes} bytes arrived: it was not given up");
    quick.raw(PING);
    while quick.line() != "PONG" {}
}

/// A session whose network says what it is told to.
fn serve_online() -> (Serving, Fake) {
    let network = Fake::new(Answer::Accepts);
    let session = Session::with_backend(&Config::new("alice", "secret"), Box::new(network.clone()));
    let session = session.expect("the script says so");
    session.keep_only();
    (Serving::start(BindOptions::loopback(0), Arc::new(session)), network)
}

fn mood(number: usize) -> Event {
    let mut contact = Contact::named(Handle::new("bob"));
    contact.mood = Some(format!("mood {number} {}", "x".repeat(number % 300)));
    Event::Contacts { contacts: vec![contact], complete: false }
}

#[test]
fn replies_and_notifications_never_mix() {
    let (serving, network) = serve_online();
    let mut plugin = Plugin::connect(serving.address());
    plugin.send(b"PROTOCOL 7");
    while plugin.line() != "USERSTATUS ONLINE" {}
    const MANY: usize = 500;
    let delivery = network.deliver_all((0..MANY).map(mood));
    for number in 0..MANY {
        plugin.send(format!("#{number} PING").as_bytes());
    }
    let (mut replies, mut moods) = (0, 0);
    while replies < MANY || moods < MANY {
        let line = plugin.line();
        if line == format!("#{replies} PONG") {
            replies += 1;
        } else if line == format!("USER bob MOOD_TEXT mood {moods} {}", "x".repeat(moods % 300)) {
            moods += 1;
        } else {
            // That there is somebody, and the same for those who ask for more.
            let rich = |number: usize| format!("USER bob RICH_MOOD_TEXT mood {number} {}", "x".repeat(number % 300));
            let first = moods == 0 && line.starts_with("USER bob ");
            assert!(first || line == rich(moods - 1), "{line:?}");
        }
    }
    delivery.finish(GUARD);
}

#[test]
fn half_a_frame_holds_back_no_notification() {
    let (serving, network) = serve_online();
    let mut plugin = Plugin::connect(serving.address());
    plugin.send(b"PROTOCOL 7");
    while plugin.line() != "USERSTATUS ONLINE" {}
    plugin.raw(&PING[..6]);
    network.deliver(mood(1));
    while plugin.line() != "USER bob MOOD_TEXT mood 1 x" {}
    plugin.raw(&PING[6..]);
    while plugin.line() != "PONG" {}
}

#[test]
fn who_says_nothing_more_hears_the_replies_to_what_was_said() {
    let (serving, _session) = serve(None, 16);
    let mut plugin = Plugin::connect(serving.address());
    plugin.raw(&PING.repeat(1000));
    plugin.0.shutdown(std::net::Shutdown::Write).expect("it stands");
    assert_eq!(plugin.rest().len(), 1000 * PING.len());
}

#[test]
fn nothing_comes_before_the_first_text() {
    let (serving, network) = serve_online();
    let mut plugin = Plugin::connect(serving.address());
    // transports 1.3: the client takes the first byte for the answer.
    assert_eq!(plugin.raw(CAPABILITIES).byte(), 2);
    plugin.raw(b"\0\0\0\0\x03\x02");
    network.deliver(mood(1));
    assert_eq!(plugin.raw(CAPABILITIES).byte(), 2);
    // PING asks for nothing either, and what was before is not told later.
    assert_eq!(plugin.raw(PING).line(), "PONG");
    network.deliver(mood(2));
    assert_eq!(plugin.send(b"PROTOCOL 7").line(), "PROTOCOL 7");
    assert_eq!(plugin.line(), "CONNSTATUS ONLINE");
}

/// A client that wants to have pictures brought, and has been told how the session stands.
fn with_slots(address: SocketAddr) -> Plugin {
    let mut plugin = Plugin::connect(address);
    assert_eq!(plugin.raw(CAPABILITIES).byte(), 2);
    plugin.raw(b"\0\0\0\0\x03\x02").send(b"PROTOCOL 7");
    while plugin.line() != "USERSTATUS ONLINE" {}
    plugin
}

fn picture(user: &str, bytes: &[u8]) -> Event {
    Event::Avatar { user: Handle::new(user), picture: Some(bytes.into()) }
}

/// What the server sends to a client with slots.
#[derive(Debug, PartialEq, Eq)]
enum Sent {
    Line(String),
    Open(String),
    Data(u8, Vec<u8>),
    Close(u8),
}

impl Plugin {
    fn bytes<const N: usize>(&mut self) -> [u8; N] {
        let mut bytes = [0; N];
        self.0.read_exact(&mut bytes).expect("more bytes");
        bytes
    }

    fn many(&mut self, length: usize) -> Vec<u8> {
        let mut bytes = vec![0; length];
        self.0.read_exact(&mut bytes).expect("as many bytes as the length says");
        bytes
    }

    fn sent(&mut self) -> Sent {
        let length = u32::from_le_bytes(self.bytes());
        if length > 0 {
            let text = self.many(usize::try_from(length).expect("32 bits"));
            return Sent::Line(String::from_utf8(text).expect("UTF-8"));
        }
        match self.byte() {
            4 => {
                let length = u16::from_le_bytes(self.bytes());
                let mut name = self.many(length.into());
                assert_eq!(name.pop(), Some(0), "the client needs the NUL");
                Sent::Open(String::from_utf8(name).expect("UTF-8"))
            }
            5 => {
                let slot = self.byte();
                let length = u32::from_le_bytes(self.bytes());
                Sent::Data(slot, self.many(usize::try_from(length).expect("32 bits")))
            }
            6 => Sent::Close(self.byte()),
            other => panic!("{other} is no command"),
        }
    }
}

#[test]
fn a_picture_is_brought_to_who_asked_for_that() {
    // transports 1.6
    let (serving, network) = serve_online();
    let bytes: Vec<u8> = (0..=255).cycle().take(40_000).collect();
    network.deliver(picture("bob", &bytes));
    network.deliver(picture("cecil", b"\xff\xd8\xff small"));
    let mut plugin = with_slots(serving.address());
    let bob = "USER bob AVATAR 1 C:\\client\\bob.jpg";
    plugin.send(format!("GET {bob}").as_bytes());
    assert_eq!(plugin.sent(), Sent::Open("C:\\client\\bob.jpg".to_owned()));
    // What the client had sent before it saw the question, then the answer and the next command together.
    plugin.raw(PING).raw(&[b"\x01", &frame(b"#7 GET USER cecil AVATAR 1 c:\\x")[..], PING].concat());
    let mut sent: Vec<_> = (0..7).map(|_| plugin.sent()).collect();
    // The answers to PING come when they come.
    sent.retain(|sent| *sent != Sent::Line("PONG".to_owned()));
    let parts = bytes.split_at(32_768);
    let expected = [
        Sent::Data(1, parts.0.to_vec()),
        Sent::Data(1, parts.1.to_vec()),
        Sent::Close(1),
        Sent::Line(bob.to_owned()),
        // One slot at a time: the first is closed before the second is asked for.
        Sent::Open("c:\\x".to_owned()),
    ];
    for (sent, expected) in sent.iter().zip(&expected) {
        assert!(sent == expected, "{:.100}", format!("{sent:?}"));
    }
    assert_eq!(sent.len(), expected.len());
    plugin.raw(b"\x02");
    let sent = [plugin.sent(), plugin.sent(), plugin.sent()];
    let reply = Sent::Line("#7 USER cecil AVATAR 1 c:\\x".to_owned());
    assert_eq!(sent, [Sent::Data(2, b"\xff\xd8\xff small".to_vec()), Sent::Close(2), reply]);
}

#[test]
fn a_slot_that_cannot_be_had_is_an_error() {
    let (serving, network) = serve_online();
    network.deliver(picture("bob", b"\xff\xd8\xff"));
    let mut plugin = with_slots(serving.address());
    for none in [0, 255] {
        plugin.send(b"#1 GET USER bob AVATAR 1 /x");
        assert_eq!(plugin.sent(), Sent::Open("/x".to_owned()));
        plugin.raw(&[none]);
        let line = plugin.line();
        assert!(line.starts_with("#1 ERROR "), "{line}");
    }
    // No room for the name on the other side; no such picture; and who has not asked for slots needs a folder.
    let long = format!("#2 GET USER bob AVATAR 1 /{}", "x".repeat(259));
    assert!(plugin.send(long.as_bytes()).line().starts_with("#2 ERROR "));
    assert_eq!(plugin.send(b"#3 GET USER cecil AVATAR 1 /x").line(), "#3 ERROR 122 GET Unable to load avatar");
    let mut other = Plugin::connect(serving.address());
    other.send(b"PROTOCOL 7");
    while other.line() != "USERSTATUS ONLINE" {}
    assert!(other.send(b"#4 GET USER bob AVATAR 1 /x").line().starts_with("#4 ERROR "));
    // Who never answers is answered, and may answer late.
    plugin.send(b"#5 GET USER bob AVATAR 1 /x");
    assert_eq!(plugin.sent(), Sent::Open("/x".to_owned()));
    assert!(plugin.line().starts_with("#5 ERROR "));
    assert!(plugin.send(b"#6 GET USER bob AVATAR 1 /x").line().starts_with("#6 ERROR "));
    plugin.raw(b"\x01");
    plugin.send(b"#7 PING");
    assert_eq!(plugin.line(), "#7 PONG");
    plugin.send(b"#8 GET USER bob AVATAR 1 /x");
    assert_eq!(plugin.sent(), Sent::Open("/x".to_owned()));
    plugin.raw(b"\x01");
    assert_eq!([plugin.sent(), plugin.sent()], [Sent::Data(1, b"\xff\xd8\xff".to_vec()), Sent::Close(1)]);
    assert_eq!(plugin.line(), "#8 USER bob AVATAR 1 /x");
}

#[cfg(unix)]
#[test]
fn a_socket_in_the_file_system_speaks_the_same() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("skype");
    let options = BindOptions { tcp: None, unix: Some(path.clone()), ..BindOptions::loopback(0) };
    let session = session(1000);
    session.keep_only();
    let mut serving = SkypeProxy::bind(options).expect("a place").serve(session).expect("a thread");
    assert_eq!(serving.place(), format!("skypeproxy {}", path.display()));
    let mut plugin = std::os::unix::net::UnixStream::connect(&path).expect("it listens");
    plugin.set_read_timeout(Some(GUARD)).expect("not zero");
    plugin.write_all(PING).expect("it reads");
    let mut reply = [0; 8];
    plugin.read_exact(&mut reply).expect("a frame");
    assert_eq!(&reply, b"\x04\0\0\0PONG");
    serving.stop();
    assert!(!path.exists());
    assert_eq!(plugin.read(&mut reply).expect("the end"), 0);
}

#[test]
fn stopping_ends_every_connection() {
    let (mut serving, session) = serve(Some("secret"), 1000);
    let address = serving.address();
    let mut idle = Plugin::connect(address);
    let mut attached = Plugin::connect(address);
    assert_eq!(attached.raw(AUTHENTICATE).byte(), 1);
    assert_eq!(attached.send(b"secret").byte(), 1);
    assert_eq!(attached.raw(PING).line(), "PONG");
    assert_eq!(idle.raw(AUTHENTICATE).byte(), 1);
    serving.point.stop();
    assert_eq!(idle.rest(), b"");
    assert_eq!(attached.rest(), b"");
    TcpStream::connect(address).expect_err("nobody listens any more");
    // The login outlives its clients.
    session.attach().expect("open");
}

#[test]
fn a_closed_session_ends_its_connections() {
    let (serving, session) = serve(None, 1000);
    let mut plugin = Plugin::connect(serving.address());
    assert_eq!(plugin.raw(PING).line(), "PONG");
    session.close();
    let mut late = Plugin::connect(serving.address());
    late.raw(PING);
    assert_eq!(late.rest(), b"");
}

/// A console over memory.
fn console(input: impl Read + Send + 'static, session: &Arc<Session>) -> (console::Ended, String, Vec<String>) {
    let complaints = Arc::new(Mutex::new(Vec::new()));
    let theirs = Arc::clone(&complaints);
    let complain = move |text| theirs.lock().expect("no panic").push(text);
    let mut output = Vec::new();
    let ended = console::run(session, input, &mut output, complain, Some(Duration::ZERO)).expect("memory takes all");
    let complaints = complaints.lock().expect("no panic").clone();
    (ended, String::from_utf8(output).expect("UTF-8"), complaints)
}

fn pongs(output: &str) -> usize {
    output.lines().filter(|line| *line == "PONG").count()
}

#[test]
fn the_console_answers_every_command_and_ends_with_its_input() {
    let session = session(16);
    let (ended, output, complaints) = console(&b"PING\n\n  \r\nPING\r\nPING"[..], &session);
    assert_eq!((ended, pongs(&output), complaints), (console::Ended::Input, 3, vec![]));
    session.send_skype_command("PING").expect_err("closed");
}

#[test]
fn the_console_complains_and_goes_on() {
    let session = session(1000);
    let mut input = b"PING\nPI\xffNG\nPI\0NG\n".to_vec();
    input.extend(vec![b'x'; (1 << 20) + 1]);
    input.extend_from_slice(b"\nPING\n");
    let (ended, output, complaints) = console(std::io::Cursor::new(input), &session);
    assert_eq!((ended, pongs(&output)), (console::Ended::Input, 2));
    let [utf8, nul, long] = &complaints[..] else { panic!("{complaints:?}") };
    assert!(utf8.starts_with("line 2 ") && utf8.contains("UTF-8"), "{utf8}");
    assert!(nul.starts_with("line 3 ") && nul.contains("NUL"), "{nul}");
    assert!(long.starts_with("line 4 ") && long.contains("1048576"), "{long}");
}

#[test]
fn the_console_takes_more_commands_than_the_queue_holds() {
    let session = session(16);
    let (ended, output, complaints) = console(std::io::Cursor::new(b"PING\n".repeat(20_000)), &session);
    assert_eq!((ended, pongs(&output), complaints), (console::Ended::Input, 20_000, vec![]));
}

#[test]
fn a_body_of_several_lines_is_indented() {
    let session = session(1000);
    session.answer("CHATMESSAGE 1 BODY one\ntwo\n\nfour").expect("room");
    let (_, output, _) = console(std::io::empty(), &session);
    assert!(output.contains("CHATMESSAGE 1 BODY one\n\ttwo\n\t\n\tfour\n"), "{output}");
}

#[test]
fn a_closed_output_ends_the_console_quietly() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let session = session(1000);
    let input = std::io::Cursor::new(b"PING\n");
    let ended = console::run(&session, input, Closed, |_| {}, None).expect("no failure");
    assert_eq!(ended, console::Ended::Output);
}
