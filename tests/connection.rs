//! A session on a network that fails, with a gateway behind it: what is lost is seen and found again.
#![cfg(all(feature = "gateway", feature = "imo"))]

#[path = "support/proxy.rs"]
mod proxy;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;
use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use imo2skype::backend::Action;
use imo2skype::backend::Address;
use imo2skype::backend::Backend;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Events;
use imo2skype::backend::Mark;
use imo2skype::backend::Presence;
use imo2skype::backend::Task;
use imo2skype::backend::Ticket;
use imo2skype::backend::imo::ImoBackend;
use imo2skype::backend::imo::Limits;
use imo2skype::backend::imo::open_with;
use imo2skype::model::Handle;
use rand::RngExt;
use rand::SeedableRng;
use rand::rngs::StdRng;

use proxy::Proxy;
use proxy::Weather;

/// Only guards against a test that hangs.
const GUARD: Duration = Duration::from_secs(120);

/// A gateway that holds a poll for a moment only, and the way to it.
fn gateway() -> (Gateway, Proxy) {
    let mut config = GatewayConfig::embedded(None);
    config.poll_limit = Duration::from_millis(100);
    let gateway = Gateway::start(config).expect("a gateway");
    let server = gateway.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    (gateway, Proxy::before(&server))
}

/// The same times as ever, only shorter.
fn limits() -> Limits {
    let second = Duration::from_secs(1);
    Limits { connect: second, request: second, poll: second, login: 3 * second, ..Limits::default() }
}

fn config(name: &str, url: &str) -> Config {
    let mut config = Config::new(name, "secret");
    config.server = Some(url.to_owned());
    config
}

fn ask(session: &Session, command: &str) -> String {
    session.invoke(command, GUARD).expect("a reply")
}

/// Waits for a line that `wanted` takes; those before it are dropped.
fn hear_any(session: &Session, wanted: impl Fn(&str) -> bool) -> String {
    let deadline = Instant::now() + GUARD;
    let mut heard = Vec::new();
    loop {
        let left = deadline.saturating_duration_since(Instant::now());
        match session.poll_skype_notification(Some(left)).expect("an open session") {
            Some(line) if wanted(&line) => return line,
            Some(line) => heard.push(line),
            None => panic!("it did not come, only {heard:#?}"),
        }
    }
}

fn hear(session: &Session, wanted: &str) {
    hear_any(session, |line| line == wanted);
}

/// The texts of messages that have arrived, until there are so many.
fn bodies(session: &Session, count: usize) -> Vec<String> {
    let body = |_| {
        let line = hear_any(session, |line| line.starts_with("CHATMESSAGE ") && line.ends_with(" STATUS RECEIVED"));
        let id = line.split(' ').nth(1).expect("an id").to_owned();
        ask(session, &format!("GET CHATMESSAGE {id} BODY")).split(' ').next_back().expect("a word").to_owned()
    };
    (0..count).map(body).collect()
}

/// Alice behind the proxy and bob before the gateway, contacts of each other.
fn friends(gateway: &Gateway, proxy: &Proxy) -> (Session, Session) {
    let through = config("alice", &format!("http://{}/", proxy.address));
    let backend = Box::new(open_with(&through, limits()).expect("a back end"));
    let alice = Session::with_backend(&through, backend).expect("a session");
    let bob = Session::open(config("bob", gateway.url())).expect("a session");
    ask(&alice, "SET USER bob BUDDYSTATUS 2 please");
    hear(&bob, "USER alice RECEIVEDAUTHREQUEST please");
    ask(&bob, "SET USER alice ISAUTHORIZED TRUE");
    hear(&alice, "USER bob ONLINESTATUS ONLINE");
    (alice, bob)
}

#[test]
fn a_network_that_swallows_everything_is_seen_and_what_was_missed_is_caught_up() {
    let (gateway, proxy) = gateway();
    let (alice, bob) = friends(&gateway, &proxy);
    proxy.turn(Weather::BlackHole);
    let begun = Instant::now();
    hear(&alice, "CONNSTATUS PAUSING");
    // The limits of this test are a fortieth of the real ones.
    assert!(begun.elapsed() < Duration::from_secs(30));
    hear(&alice, "USER bob ONLINESTATUS OFFLINE");
    for number in 0..20 {
        ask(&bob, &format!("MESSAGE alice {number}"));
        ask(&alice, &format!("MESSAGE bob {number}"));
    }
    ask(&bob, "SET USERSTATUS DND");
    hear(&alice, "CONNSTATUS CONNECTING");
    hear(&alice, "CONNSTATUS PAUSING");
    proxy.turn(Weather::Clear);
    // The connections that fell into the hole never come back.
    proxy.cut();
    hear(&alice, "CONNSTATUS ONLINE");
    let wanted: Vec<_> = (0..20).map(|number| number.to_string()).collect();
    assert_eq!(bodies(&bob, 20), wanted);
    assert_eq!(bodies(&alice, 20), wanted);
    assert_eq!(ask(&alice, "GET USER bob ONLINESTATUS"), "USER bob ONLINESTATUS DND");
    // Nothing is repeated: what comes next is what is said next.
    ask(&bob, "MESSAGE alice last");
    ask(&alice, "MESSAGE bob last");
    assert_eq!((bodies(&alice, 1), bodies(&bob, 1)), (vec!["last".to_owned()], vec!["last".to_owned()]));
}

#[test]
fn a_contact_who_was_there_all_the_time_is_there_again() {
    let (gateway, proxy) = gateway();
    let (alice, _bob) = friends(&gateway, &proxy);
    proxy.cut();
    hear(&alice, "USER bob ONLINESTATUS OFFLINE");
    hear(&alice, "CONNSTATUS ONLINE");
    hear(&alice, "USER bob ONLINESTATUS ONLINE");
}

#[test]
fn what_only_waits_is_not_lost() {
    let (gateway, proxy) = gateway();
    let (alice, bob) = friends(&gateway, &proxy);
    proxy.turn(Weather::Stalled);
    ask(&alice, "MESSAGE bob waits");
    ask(&bob, "MESSAGE alice waits");
    proxy.turn(Weather::Clear);
    assert_eq!((bodies(&alice, 1), bodies(&bob, 1)), (vec!["waits".to_owned()], vec!["waits".to_owned()]));
}

#[test]
fn going_offline_waits_for_no_network() {
    let (gateway, proxy) = gateway();
    let (alice, _bob) = friends(&gateway, &proxy);
    proxy.turn(Weather::BlackHole);
    assert_eq!(ask(&alice, "SET USERSTATUS OFFLINE"), "USERSTATUS OFFLINE");
    hear(&alice, "CONNSTATUS OFFLINE");
    proxy.turn(Weather::Clear);
    proxy.cut();
    ask(&alice, "SET USERSTATUS ONLINE");
    hear(&alice, "CONNSTATUS ONLINE");
}

struct Sink(Sender<Event>);

impl Events for Sink {
    fn deliver(&self, event: Event) {
        let _ = self.0.send(event);
    }

    fn wait_for_room(&self) {}
}

/// A back end that is connected again whenever it is lost, and what has come of it.
struct Stubborn {
    backend: ImoBackend,
    events: Receiver<Event>,
    epoch: u32,
    received: Vec<String>,
    sent: BTreeMap<u64, bool>,
}

impl Stubborn {
    fn new(name: &str, url: &str) -> Self {
        let mut backend = open_with(&config(name, url), limits()).expect("a back end");
        let (sender, events) = unbounded();
        backend.start(Arc::new(Sink(sender)));
        let mut this = Self { backend, events, epoch: 0, received: Vec::new(), sent: BTreeMap::new() };
        this.connect();
        while !matches!(this.events.recv_timeout(GUARD).expect("an event"), Event::Connected { .. }) {}
        this
    }

    fn connect(&mut self) {
        self.epoch += 1;
        let (epoch, presence, mood) = (Epoch(self.epoch), Presence::Available, String::new());
        self.backend.submit(Action::Connect { epoch, presence, mood }).expect("never full");
    }

    fn send(&mut self, to: &str, number: u64) {
        let task = Task::SendText {
            to: Address::User(Handle::new(to)),
            body: number.to_string(),
            mark: Mark::new(number.to_string()),
        };
        self.backend.submit(Action::Task { ticket: Ticket(number), task }).expect("room");
    }

    /// Takes in one event.
    fn take(&mut self, event: Event) {
        match event {
            Event::Disconnected { .. } => self.connect(),
            Event::Message(message) => self.received.push(message.body),
            Event::Done { ticket, outcome } => {
                assert!(self.sent.insert(ticket.0, outcome.is_ok()).is_none(), "told twice");
            }
            _ => {}
        }
    }
}

#[test]
fn numbered_messages_pass_each_other_through_cuts_anywhere() {
    const COUNT: u64 = 60;
    for seed in [1, 2, 3] {
        let (gateway, proxy) = gateway();
        drop(friends(&gateway, &proxy));
        let mut alice = Stubborn::new("alice", &format!("http://{}/", proxy.address));
        let mut bob = Stubborn::new("bob", gateway.url());
        let mut random = StdRng::seed_from_u64(seed);
        proxy.cut_after(Box::new(move || random.random_range(500..12_000)));
        proxy.cut();
        for number in 0..COUNT {
            alice.send("bob", number);
            bob.send("alice", number);
        }
        let deadline = Instant::now() + GUARD;
        let count = usize::try_from(COUNT).expect("small");
        let done = |end: &Stubborn| end.received.len() >= count && end.sent.len() >= count;
        while !(done(&alice) && done(&bob)) {
            let left = deadline.saturating_duration_since(Instant::now());
            crossbeam_channel::select! {
                recv(alice.events) -> event => alice.take(event.expect("it lives")),
                recv(bob.events) -> event => bob.take(event.expect("it lives")),
                default(left) => panic!("seed {seed}: {:?} {:?}", alice.received, bob.received),
            }
        }
        let wanted: Vec<_> = (0..COUNT).map(|number| number.to_string()).collect();
        assert_eq!((&alice.received, &bob.received), (&wanted, &wanted), "seed {seed}");
        assert!(alice.sent.values().chain(bob.sent.values()).all(|sent| *sent), "seed {seed}");
        assert!(proxy.cuts() > 3, "seed {seed}: {} cuts", proxy.cuts());
        for mut end in [alice, bob] {
            end.backend.stop(Duration::ZERO);
            let rest = end.events.try_iter().filter(|event| matches!(event, Event::Message(_) | Event::Done { .. }));
            assert_eq!(rest.count(), 0, "seed {seed}: something was repeated");
        }
    }
}
