//! What stays in the process: parsing, printing, a local command through a session, fan-out.

#[path = "../tests/support/fake.rs"]
mod fake;

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
use imo2skype::backend::Ability;
use imo2skype::backend::Address;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Contact;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Kind;
use imo2skype::backend::Message;
use imo2skype::backend::Names;
use imo2skype::backend::Presence;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;
use imo2skype::skype::Line;
use imo2skype::skype::Request;
use imo2skype::translate::Attachment;
use imo2skype::translate::ClientId;
use imo2skype::translate::Engine;
use imo2skype::translate::Now;
use imo2skype::translate::Output;
use imo2skype::translate::Setup;
use imo2skype::translate::Token;

use fake::Answer;
use fake::Fake;
use fake::Submit;

const CLIENT: ClientId = ClientId(1);
const NOW: Now = Now { monotonic: Duration::from_secs(60), unix: 1_357_987_847 };

struct AnyName;

impl Names for AnyName {
    fn parse(&self, typed: &str) -> Option<Handle> {
        (!typed.is_empty()).then(|| Handle::new(typed))
    }
}

fn session(contacts: usize) -> Session {
    let mut config = Config::new("alice", "secret");
    config.queue_limit = 1 << 24;
    let contact = |number| Contact {
        presence: Some(Presence::Available),
        ..Contact::named(Handle::new(format!("user{number}")))
    };
    let mut contacts: Vec<_> = (0..contacts).map(contact).collect();
    contacts.push(Contact::named(Handle::new("bob")));
    let network = Fake::scripted(Answer::Accepts, Submit::Takes, |typed| Some(Handle::new(typed)), contacts);
    let session = Session::with_backend(&config, Box::new(network)).expect("a session");
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

/// An engine with so many contacts, each with a dialog and a message, and the last message's number.
fn crowd(size: usize) -> (Engine, String) {
    let mut engine = Engine::new(Setup {
        username: "alice".to_owned(),
        capabilities: Capabilities::messages_only(1 << 16).with(Ability::ALL),
        names: Arc::new(AnyName),
        local_time: false,
        files: None,
        send_limit: Duration::from_secs(86_400),
        seed: 1,
    });
    let mut out = Vec::new();
    engine.attach(CLIENT, Attachment::Direct, &mut out);
    engine.login(NOW, &mut out);
    let name = |number: usize| Handle::new(format!("user{number}"));
    let contact = |number| Contact { presence: Some(Presence::Available), ..Contact::named(name(number)) };
    engine.backend_event(Event::Contacts { contacts: (0..size).map(contact).collect(), complete: true }, NOW, &mut out);
    let connected = Event::Connected { epoch: Epoch(1), me: Handle::new("alice"), display_name: None };
    engine.backend_event(connected, NOW, &mut out);
    let mut last = String::new();
    for number in 0..size {
        out.clear();
        let message = Message {
            remote: RemoteId::new(format!("r{number}")),
            conversation: Address::User(name(number)),
            author: name(number),
            author_name: None,
            kind: Kind::Text,
            body: "hello".to_owned(),
            time: None,
            mark: None,
        };
        engine.backend_event(Event::Message(message), NOW, &mut out);
        let status = out.iter().rev().find_map(|output| match output {
            Output::ToClient(_, line) => line.strip_prefix("CHATMESSAGE "),
            _ => None,
        });
        last = status.and_then(|rest| rest.split(' ').next()).expect("a message").to_owned();
    }
    (engine, last)
}

/// Every property of a user, a message, its chat, a member and the groups, asked once each.
fn questions(engine: &mut Engine, message: &str) -> Vec<String> {
    let ask = |engine: &mut Engine, line: &str| {
        let mut out = Vec::new();
        engine.client_line(CLIENT, Token(0), line, NOW, &mut out);
        match out.swap_remove(0) {
            Output::Reply { line, .. } => line.rsplit(' ').next().expect("a value").to_owned(),
            other => panic!("no reply: {other:?}"),
        }
    };
    let chat = ask(engine, &format!("GET CHATMESSAGE {message} CHATNAME"));
    let member = ask(engine, &format!("GET CHAT {chat} MEMBEROBJECTS"));
    let objects =
        [("USER", "user3"), ("CHATMESSAGE", message), ("CHAT", &chat), ("CHATMEMBER", &member), ("GROUP", "2")];
    let mut questions = vec!["GET USERSTATUS".to_owned(), "GET PROFILE CITY".to_owned()];
    for row in imo2skype::skype::property_rows() {
        // A list is as long as what is in it, and pictures are in files.
        let apart = matches!((row.object, row.name), ("GROUP", "USERS") | ("USER", "AVATAR"));
        let object = objects.iter().find(|object| object.0 == row.object);
        if let Some((object, id)) = object.filter(|_| row.access.read && !apart) {
            questions.push(format!("GET {object} {id} {}", row.name));
        }
    }
    questions
}

fn crowds(criterion: &mut Criterion) {
    let mut group = criterion.benchmark_group("engine");
    for size in [10, 1_000, 100_000] {
        let (mut engine, message) = crowd(size);
        let questions = questions(&mut engine, &message);
        let mut out = Vec::new();
        group.throughput(Throughput::Elements(questions.len() as u64));
        group.bench_function(BenchmarkId::new("every property once", size), |bencher| {
            bencher.iter(|| {
                for question in &questions {
                    out.clear();
                    engine.client_line(CLIENT, Token(0), black_box(question), NOW, &mut out);
                }
            });
        });
        group.throughput(Throughput::Elements(size as u64));
        group.bench_function(BenchmarkId::new("SEARCH FRIENDS", size), |bencher| {
            bencher.iter(|| {
                out.clear();
                engine.client_line(CLIENT, Token(0), black_box("SEARCH FRIENDS"), NOW, &mut out);
            });
        });
    }
    group.finish();
}

criterion_group!(benches, language, round_trip, fan_out, crowds);
criterion_main!(benches);
