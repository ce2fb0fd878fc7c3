//! What a history in a file costs: messages received and kept, a message sent with and without one, and an archive of a
//! million messages. It fails where a promise is not kept.
//!
//! `-- --quick` is a short run; `-- receive`, `-- send` and `-- archive` are parts. The file is on the disk of the
//! temporary folder (TMPDIR).
#![expect(clippy::print_stdout, reason = "it is what a bench is for")]

#[path = "../tests/support/fake.rs"]
mod fake;

use std::path::Path;
use std::process::ExitCode;
use std::thread;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use imo2skype::backend::Address;
use imo2skype::backend::Event;
use imo2skype::backend::Message;
use imo2skype::model;
use imo2skype::model::Archive;
use imo2skype::model::Change;
use imo2skype::model::ChatIndex;
use imo2skype::model::Handle;
use imo2skype::model::Kind;
use imo2skype::model::ObjectId;
use imo2skype::model::ObjectKind;
use imo2skype::model::RemoteId;
use imo2skype::model::State;
use imo2skype::store::Retention;
use imo2skype::store::Store;

use fake::Answer;
use fake::Fake;

const GUARD: Duration = Duration::from_secs(60);
/// How many messages one answer of a server brings, after which it is told that they are there.
const BATCH: usize = 64;

struct Promises {
    kept: bool,
}

impl Promises {
    fn check(&mut self, kept: bool, what: &str) {
        println!("{} {what}", if kept { "kept  " } else { "BROKEN" });
        self.kept &= kept;
    }
}

fn config(history: Option<&Path>) -> Config {
    let mut config = Config::new("alice", "secret");
    if let Some(path) = history {
        config.set("history", path.to_str().expect("UTF-8")).expect("a path");
    }
    config
}

/// How many messages a second are taken in, kept, and read by a client.
fn receive(history: Option<&Path>, messages: usize) -> f64 {
    let network = Fake::new(Answer::Accepts);
    let session = Session::with_backend(&config(history), Box::new(network.clone())).expect("a session");
    let begun = Instant::now();
    thread::scope(|scope| {
        scope.spawn(|| {
            let message = |number: usize| {
                let author = Handle::new(format!("user{}", number % 100));
                Event::Message(Message {
                    remote: RemoteId::new(format!("5bd1e995-{number}")),
                    conversation: Address::User(author.clone()),
                    author,
                    author_name: None,
                    kind: Kind::Text,
                    body: format!("This is message {number}, and as long as most of them are."),
                    time: Some(1_357_987_847),
                    mark: None,
                })
            };
            for first in (0..messages).step_by(BATCH) {
                network.deliver_together((first..(first + BATCH).min(messages)).map(message).collect());
                network.settle();
            }
        });
        let mut seen = 0;
        while seen < messages {
            let line = session.poll_skype_notification(Some(GUARD)).expect("open").expect("a line in time");
            seen += usize::from(line.ends_with(" STATUS RECEIVED"));
        }
    });
    let rate = messages as f64 / begun.elapsed().as_secs_f64();
    session.close();
    rate
}

/// The time from `MESSAGE` to `STATUS SENT`.
fn send(session: &Session) -> Duration {
    let begun = Instant::now();
    let reply = session.invoke("MESSAGE bob Half past seven, as always?", GUARD).expect("open");
    let sent = reply.replace("STATUS SENDING", "STATUS SENT");
    while session.poll_skype_notification(Some(GUARD)).expect("open").expect("a line in time") != sent {}
    begun.elapsed()
}

fn median(mut times: Vec<Duration>) -> Duration {
    times.sort();
    times[times.len() / 2]
}

/// The medians of messages sent with a history and without, one after the other.
fn send_both(folder: &Path, messages: usize) -> (Duration, Duration) {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let open = |name: &str, history: Option<&Path>| {
        let mut config = config(history);
        name.clone_into(&mut config.username);
        config.server = Some(gateway.url().to_owned());
        Session::open(config).expect("a session")
    };
    drop(open("bob", None));
    let (kept, lost) = (open("alice", Some(&folder.join("send.db"))), open("carol", None));
    let (mut with, mut without) = (Vec::new(), Vec::new());
    for _ in 0..messages {
        with.push(send(&kept));
        without.push(send(&lost));
    }
    drop((kept, lost));
    gateway.stop();
    (median(with), median(without))
}

/// Keeps many messages of a thousand chats.
fn fill(path: &Path, messages: u32) {
    let store = Store::open(path, "imo", "alice", Retention::default()).expect("a history");
    let chats = (0..1000_usize).map(|chat| {
        let value = serde_json::json!({
            "name": format!("#alice/$user{chat};{chat:016x}"), "place": {"dialog": format!("user{chat}")},
            "created": 1, "activity": 1, "members": [], "posters": [], "last_text": "", "recent_from": null,
            "my_status": "SUBSCRIBED", "adder": null, "topic": "", "topic_xml": "", "guidelines": "", "description": "",
            "options": 0, "password_hint": "", "blob": "", "bookmarked": false, "alert": "",
        });
        Change::Object(ObjectKind::Chat, chat.to_string(), Some(value.to_string()))
    });
    let numbers = format!(r#"{{"next":{0},"heard":{0},"origin":1}}"#, 100_000 + messages);
    let mut changes: Vec<_> = chats.collect();
    changes.push(Change::Object(ObjectKind::Single, "numbers".to_owned(), Some(numbers)));
    store.save(&changes).expect("kept");
    for first in (0..messages).step_by(10_000) {
        let batch: Vec<_> = (first..(first + 10_000).min(messages))
            .map(|number| {
                let (chat, author) = (number as usize % 1000, Handle::new(format!("user{}", number % 1000)));
                let state = if number % 3 == 0 { State::Received } else { State::Read };
                let message = model::Message::new(ChatIndex::at(chat), author, Kind::Text, state, 1_357_987_847);
                let body = format!("This is message {number}, and as long as most of them are.");
                model::Message { body, remote: Some(RemoteId::new(format!("5bd1e995-{number}"))), ..message }
            })
            .collect();
        let changes: Vec<_> = batch
            .iter()
            .enumerate()
            .map(|(place, message)| Change::Message(ObjectId(100_000 + first + place as u32), message))
            .collect();
        store.save(&changes).expect("kept");
    }
}

/// The memory of this process, in KiB.
#[cfg(target_os = "linux")]
fn resident() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").expect("Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).expect("a line");
    line.trim().trim_end_matches(" kB").parse().expect("a number")
}

#[cfg(not(target_os = "linux"))]
fn resident() -> u64 {
    0
}

/// The time to open a session on an archive and to get a message of it, and the memory that this takes, in KiB.
fn use_archive(path: &Path, messages: u32) -> (Duration, Duration, u64) {
    let before = resident();
    let network = Fake::new(Answer::Accepts);
    let begun = Instant::now();
    let session = Session::with_backend(&config(Some(path)), Box::new(network)).expect("a session");
    let opened = begun.elapsed();
    let mut times = Vec::new();
    let mut number = 0_u32;
    for _ in 0..20_000 {
        // Far from each other, in no order.
        number = (number + 7_919 * 31) % messages;
        let command = format!("GET CHATMESSAGE {} BODY", 100_000 + number);
        let begun = Instant::now();
        let reply = session.invoke(&command, GUARD).expect("open");
        times.push(begun.elapsed());
        assert!(reply.ends_with(&format!("This is message {number}, and as long as most of them are.")), "{reply}");
    }
    let taken = resident().saturating_sub(before);
    session.close();
    (opened, median(times), taken)
}

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--bench").collect();
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let parts: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with("--")).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| *wanted == part);
    let folder = tempfile::tempdir().expect("a folder");
    let mut promises = Promises { kept: true };
    if wanted("receive") {
        let messages = if quick { 20_000 } else { 100_000 };
        let without = receive(None, messages);
        let with = receive(Some(&folder.path().join("receive.db")), messages);
        println!("receive: {messages} messages: {with:.0}/s with a history, {without:.0}/s without");
        promises.check(with >= 20_000.0, "20,000 received messages a second");
    }
    if wanted("send") {
        let (with, without) = send_both(folder.path(), if quick { 500 } else { 3_000 });
        let ratio = with.as_secs_f64() / without.as_secs_f64();
        println!("send: {with:?} with a history, {without:?} without: {ratio:.2} x");
        promises.check(ratio <= 1.5, "a message sent costs 1.5 times as much at most");
    }
    if wanted("archive") {
        let (small, large) = (folder.path().join("small.db"), folder.path().join("large.db"));
        let messages = if quick { 200_000 } else { 1_000_000 };
        fill(&small, 1_000);
        fill(&large, messages);
        let (_, _, little) = use_archive(&small, 1_000);
        let (opened, get, much) = use_archive(&large, messages);
        println!(
            "archive: {messages} messages: opened in {opened:?}, GET CHATMESSAGE {get:?}, {much} KiB (1,000: {little} KiB)"
        );
        promises.check(opened <= Duration::from_millis(300), "opened within 300 ms");
        promises.check(get <= Duration::from_micros(20), "a message of it within 20 µs");
        promises.check(much <= little + 4096, "memory that does not grow with the archive (up to 4 MiB of cache)");
    }
    if promises.kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}
