//! What stays in the process: parsing, printing, a local command through a session, fan-out.

#[path = "../tests/support/fake.rs"]
mod fake;

use std::hint::black_box;
use std::time::Duration;

use criterion::BenchmarkId;
use criterion::Criterion;
use criterion::Throughput;
use criterion::criterion_group;
use criterion::criterion_main;
use imo2skype::Config;
use imo2skype::Session;
use imo2skype::backend::Contact;
use imo2skype::backend::Presence;
use imo2skype::model::Handle;
use imo2skype::skype::Line;
use imo2skype::skype::Request;

use fake::Answer;
use fake::Fake;
use fake::Submit;

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

criterion_group!(benches, language, round_trip, fan_out);
criterion_main!(benches);
