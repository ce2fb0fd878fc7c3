//! What stays in the process: parsing, printing, a local command through a session, fan-out.

use std::hint::black_box;
use std::sync::Arc;
use std::time::Duration;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::Action;
use imo2skype::backend::Backend;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Contact;
use imo2skype::backend::Event;
use imo2skype::backend::Events;
use imo2skype::backend::Names;
use imo2skype::backend::Presence;
use imo2skype::model::Handle;
use imo2skype::skype::Line;
use imo2skype::skype::Request;

/// A network that is up at once and has the contacts it is given.
struct Instant {
    contacts: usize,
    events: Option<Arc<dyn Events>>,
    connect: Option<std::thread::JoinHandle<()>>,
}

struct AnyName;

impl Names for AnyName {
    fn parse(&self, typed: &str) -> Option<Handle> {
        Some(Handle::new(typed))
    }
}

impl Backend for Instant {
    fn capabilities(&self) -> Capabilities {
        Capabilities::messages_only(65_536)
    }

    fn names(&self) -> Arc<dyn Names> {
        Arc::new(AnyName)
    }

    fn start(&mut self, events: Arc<dyn Events>) {
        self.events = Some(events);
    }

    fn submit(&mut self, action: Action) -> Result<(), Action> {
        if let (Action::Connect { epoch, .. }, Some(events)) = (&action, &self.events) {
            let (epoch, events, contacts) = (*epoch, Arc::clone(events), self.contacts);
            self.connect = Some(std::thread::spawn(move || {
                let contact = |number| Contact {
                    presence: Some(Presence::Available),
                    ..Contact::named(Handle::new(format!("user{number}")))
                };
                let mut contacts: Vec<_> = (0..contacts).map(contact).collect();
                contacts.push(Contact::named(Handle::new("bob")));
                events.deliver(Event::Contacts { contacts, complete: true });
                events.deliver(Event::Connected { epoch, me: Handle::new("alice"), display_name: None });
            }));
        }
        Ok(())
    }

    fn stop(&mut self, _grace: Duration) {
        if let Some(connect) = self.connect.take() {
            connect.join().expect("the thread that connected");
        }
    }
}

fn session(contacts: usize) -> Session {
    let mut config = Config::new("alice", "secret");
    config.queue_limit = 1 << 24;
    let session = Session::with_backend(&config, Box::new(Instant { contacts, events: None, connect: None }));
    let session = session.expect("a session");
    drain(&session);
    session
}

fn drain(session: &Session) {
    while session.poll_skype_notification(Some(Duration::ZERO)).expect("an open session").is_some() {}
}

fn language(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("language");
    group.throughput(Throughput::Elements(1));
    for command in ["GET USER bob ONLINESTATUS", "#7 MESSAGE bob hello there", "SET USERSTATUS AWAY"] {
        group.bench_with_input(BenchmarkId::new("parse and print", command), command, |bencher, command| {
            bencher.iter(|| {
                let request = Request::parse(black_box(command)).expect("a command");
                Line::reply(request.id).part("USER").part("bob").part("ONLINESTATUS").part("ONLINE").finish()
            });
        });
    }
    group.finish();
}

fn round_trip(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("session");
    group.throughput(Throughput::Elements(1));
    for contacts in [10, 1_000, 100_000] {
        let session = session(contacts);
        group.bench_function(BenchmarkId::new("GET USER bob ONLINESTATUS and poll", contacts), |bencher| {
            bencher.iter(|| {
                session.send_skype_command(black_box("GET USER bob ONLINESTATUS")).expect("sent");
                session.poll_skype_notification(Some(Duration::ZERO)).expect("open").expect("a reply")
            });
        });
    }
    group.finish();
}

fn fan_out(criterion: &mut Criterion) {
    let session = session(10);
    let clients: Vec<_> = (0..100).map(|_| session.attach().expect("a client")).collect();
    let mut group = criterion.benchmark_group("session");
    group.throughput(Throughput::Elements(100));
    group.bench_function("a change told to 100 clients", |bencher| {
        bencher.iter(|| {
            session.send_skype_command("SET USERSTATUS ONLINE").expect("sent");
            drain(&session);
            clients.iter().for_each(drain);
        });
    });
    group.finish();
}

criterion_group!(benches, language, round_trip, fan_out);
criterion_main!(benches);
