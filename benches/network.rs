//! What a message costs over loopback: `MESSAGE` until `STATUS SENT`, beside bare keep-alive POSTs to the
//! same gateway, one that carries the same `send_im` and one that asks nothing of it. The ratios are
//! what counts; all are measured in one run. The receiver is `echo123`, so that no other login competes
//! for the processors.

use std::time::Duration;
use std::time::Instant;

use criterion::Criterion;
use criterion::criterion_group;
use criterion::criterion_main;
use imo2skype::Config;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use reqwest::blocking::Client;
use serde_json::Value;
use serde_json::json;

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

/// A login without a session of ours: it posts what it is told to.
struct Caller<'a> {
    client: &'a Client,
    address: &'a str,
    ssid: String,
    seq: u64,
    ack: u64,
}

impl<'a> Caller<'a> {
    fn log_in(client: &'a Client, address: &'a str) -> Self {
        let mut caller = Self { client, address, ssid: String::new(), seq: 0, ack: 0 };
        let opened = caller.post("rest_rpc", "session", json!({"method": "get_cookie_and_ssid", "data": {}}));
        caller.ssid = opened["data"]["ssid"].as_str().expect("a session").to_owned();
        caller.seq = 0;
        let login = json!({"uid": "carol", "proto": "prpl-skype", "passwd": "secret"});
        caller.post("forward_to_server", "im", json!({"method": "account_login", "data": login}));
        caller
    }

    fn post(&mut self, method: &str, system: &str, call: Value) -> Value {
        let envelope = json!({"ack": self.ack, "ssid": self.ssid, "messages": [
            {"data": call, "to": {"system": system}, "from": {"system": "client", "ssid": self.ssid}, "seq": self.seq},
        ]});
        self.seq += 1;
        let form = [("method", method), ("data", &envelope.to_string())];
        let answer = self.client.post(self.address).form(&form).send().expect("an answer").bytes().expect("a body");
        serde_json::from_slice(&answer).expect("JSON")
    }

    fn send_im(&mut self) {
        let message = json!({"uid": "carol", "proto": "prpl-skype", "buid": "echo123", "msg": "hello"});
        let answer =
            self.post("forward_to_server", "im", json!({"method": "send_im", "request_id": self.seq, "data": message}));
        let last = answer["data"]["messages"].as_array().and_then(|messages| messages.last());
        self.ack = last.and_then(|message| message["seq"].as_u64()).expect("an acknowledgement") + 1;
    }
}

fn message(criterion: &mut Criterion) {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let mut group = criterion.benchmark_group("loopback");

    // reqwest leaves the choice to the program.
    rustls::crypto::ring::default_provider().install_default().expect("the first choice");
    let client = reqwest::blocking::Client::builder().no_proxy().build().expect("a client");
    let address = format!("{}imo", gateway.url());
    group.bench_function("a bare keep-alive POST", |bencher| {
        // A call of the protocol that does no more than be answered.
        let form = [("method", "echo"), ("data", r#"{"t":"0"}"#)];
        bencher.iter(|| client.post(&address).form(&form).send().expect("an answer").bytes().expect("a body"));
    });

    // The call that the session makes, by a login of its own.
    let mut caller = Caller::log_in(&client, &address);
    group.bench_function("a bare keep-alive POST of send_im", |bencher| bencher.iter(|| caller.send_im()));

    let mut config = Config::new("alice", "secret");
    config.server = Some(gateway.url().to_owned());
    let session = Session::open(config).expect("a session");
    session.send_skype_command("MESSAGE echo123 hello").expect("sent");
    wait_for(&session, "STATUS RECEIVED");
    group.bench_function("MESSAGE until STATUS SENT", |bencher| {
        bencher.iter_custom(|times| {
            let mut spent = Duration::ZERO;
            for _ in 0..times {
                let begun = Instant::now();
                let reply = session.invoke("MESSAGE echo123 hello", Duration::from_secs(30)).expect("a reply");
                wait_for(&session, &reply.replace("SENDING", "SENT"));
                spent += begun.elapsed();
                // Reading what the echo answered is no part of sending.
                wait_for(&session, "STATUS RECEIVED");
            }
            spent
        });
    });
    group.finish();
}

criterion_group!(benches, message);
criterion_main!(benches);
