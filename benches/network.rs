//! What a message costs over loopback: `MESSAGE` until `STATUS SENT`, beside a bare keep-alive POST to
//! the same gateway. The ratio of the two is what counts; both are measured in one run.

use std::time::Duration;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;

const LIMIT: Option<Duration> = Some(Duration::from_secs(30));

/// Waits for a line that ends so.
fn wait_for(session: &Session, end: &str) {
    loop {
        let line = session.poll_skype_notification(LIMIT).expect("an open session").expect("a line in time");
        if line.ends_with(end) {
            return;
        }
    }
}

fn message(criterion: &mut Criterion) {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let mut group = criterion.benchmark_group("loopback");

    let client = reqwest::blocking::Client::new();
    let address = format!("{}imo", gateway.url());
    group.bench_function("a bare keep-alive POST", |bencher| {
        // A call of the protocol that does no more than be answered.
        let form = [("method", "echo"), ("data", r#"{"t":"0"}"#)];
        bencher.iter(|| client.post(&address).form(&form).send().expect("an answer").bytes().expect("a body"));
    });

    let mut config = Config::new("alice", "secret");
    config.server = Some(gateway.url().to_owned());
    let session = Session::open(config.clone()).expect("a session");
    config.username = "bob".to_owned();
    let bob = Session::open(config).expect("a session");
    session.send_skype_command("MESSAGE bob hello").expect("sent");
    wait_for(&session, "STATUS SENT");
    group.bench_function("MESSAGE until STATUS SENT", |bencher| {
        bencher.iter(|| {
            let reply = session.invoke("MESSAGE bob hello", Duration::from_secs(30)).expect("a reply");
            wait_for(&session, &reply.replace("SENDING", "SENT"));
            // The receiver reads too, or the gateway would pile up what it has for it.
            while bob.poll_skype_notification(Some(Duration::ZERO)).expect("an open session").is_some() {}
        });
    });
    group.finish();
}

criterion_group!(benches, message);
criterion_main!(benches);
