//! What a client sends to the gateway: forms as they come, and calls of every method with any arguments, from sessions
//! that are logged in.
//!
//! Whatever comes: the gateway answers, a request that comes twice has one outcome, what is told is told under one
//! number, in order and to whom it concerns, and no answer is too long.

#![no_main]

use std::collections::BTreeMap;

use imo2skype::gateway_fuzzing::World;
use imo2skype::imo::Answer;
use imo2skype::imo::Envelope;
use imo2skype::imo::FORWARD_TO_CLIENT;
use libfuzzer_sys::fuzz_target;
use serde_json::Value;
use serde_json::json;

/// The third is another login of the first.
const NAMES: &[&str] = &["alice", "bob", "alice", "carol"];
/// The longest answer; an event is at most so long beyond the mebibyte at which an answer ends.
const LONGEST: usize = 2 << 20;

/// One session, as its client sees it.
#[derive(Default)]
struct Session {
    seq: u64,
    ack: u64,
    /// What was told under each number.
    told: BTreeMap<u64, Value>,
    /// The highest `ack` of an answer.
    heard: u64,
}

struct Gateway {
    world: World,
    sessions: Vec<Session>,
}

impl Gateway {
    /// Alice and Bob are contacts.
    fn new() -> Self {
        let sessions = NAMES.iter().map(|_| Session { seq: 1, ..Session::default() }).collect();
        let mut gateway = Self { world: World::new(NAMES), sessions };
        gateway.call(0, r#"{"method":"add_buddy","data":{"buid":"bob"}}"#);
        gateway.call(1, r#"{"method":"auth_add","data":{"buid":"alice"}}"#);
        gateway
    }

    /// Posts a call, twice.
    fn call(&mut self, who: usize, data: &str) {
        let session = &mut self.sessions[who];
        let (ack, seq) = (session.ack, session.seq);
        session.seq += 1;
        let ssid = self.world.ssid(who);
        let envelope = format!(
            r#"{{"ack":{ack},"ssid":"{ssid}","messages":[{{"data":{data},"to":{{"system":"im"}},"seq":{seq}}}]}}"#
        );
        let first = self.forward(who, &envelope).map(|envelope| accepted(&envelope, seq));
        let second = self.forward(who, &envelope).map(|envelope| accepted(&envelope, seq));
        // A call that ends the session is not known the second time.
        assert!(first == second || second == Some(None), "{first:?}, then {second:?}: {data}");
    }

    fn poll(&mut self, who: usize) -> bool {
        let envelope = json!({"ack": self.sessions[who].ack, "ssid": self.world.ssid(who), "messages": []});
        self.forward(who, &envelope.to_string()).is_some_and(|envelope| !envelope.messages.is_empty())
    }

    fn forward(&mut self, who: usize, envelope: &str) -> Option<Envelope> {
        let form = format!("method=forward_to_server&data={}", encode(envelope.as_bytes()));
        let answer = read(&self.world.post(form.as_bytes())?);
        assert_eq!(answer.method, FORWARD_TO_CLIENT);
        let envelope: Envelope = serde_json::from_value(answer.data).expect("an envelope");
        self.hear(who, &envelope);
        Some(envelope)
    }

    fn hear(&mut self, who: usize, envelope: &Envelope) {
        let session = &mut self.sessions[who];
        let ack = envelope.ack.expect("an ack");
        // Refused is the request's own number, below what was heard before; 0 is an unknown session.
        session.heard = session.heard.max(ack);
        let mut last = None;
        for message in &envelope.messages {
            assert_eq!(message.to.system, "client");
            let seq = message.seq.expect("a number");
            assert!(last < Some(seq), "{seq} after {last:?}");
            last = Some(seq);
            let before = session.told.insert(seq, message.data.clone());
            assert!(before.is_none_or(|before| before == message.data), "two events with the number {seq}");
            if let (Some(uid), Some(name)) = (message.data["uid"].as_str(), message.data["name"].as_str()) {
                assert!(name == "disconnect" || uid.eq_ignore_ascii_case(NAMES[who]), "{name} of {uid} for another");
            }
        }
        if let Some(last) = last {
            assert!(session.heard == ack, "ack fell from {} to {ack}", session.heard);
            session.ack = session.ack.max(last + 1);
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut gateway = Gateway::new();
    for part in data.split(|byte| *byte == 0).take(16) {
        let Some((kind, rest)) = part.split_first() else { continue };
        let who = usize::from(*kind) % NAMES.len();
        match kind {
            // A form as it is, `$0` to `$3` for the ids of the sessions.
            b'=' => {
                let mut form = rest.to_vec();
                for who in 0..NAMES.len() {
                    form = replace(&form, format!("${who}").as_bytes(), gateway.world.ssid(who).as_bytes());
                }
                gateway.world.post(&form).map(|answer| read(&answer));
            }
            b'+' => gateway.world.log_in(usize::from(rest.len() % NAMES.len()), rest.len() % 8 < 4),
            _ => {
                if let Ok(text) = std::str::from_utf8(rest) {
                    gateway.call(who, text);
                }
            }
        }
        gateway.poll(who);
    }
    for who in 0..NAMES.len() {
        // What waits comes to an end.
        assert!((0..10_000).any(|_| !gateway.poll(who)), "the events never end");
    }
});

/// Whether a request was accepted; `None` if the session is unknown.
fn accepted(envelope: &Envelope, seq: u64) -> Option<bool> {
    match envelope.ack {
        Some(0) => None,
        ack => Some(!envelope.messages.is_empty() || ack > Some(seq)),
    }
}

fn read(answer: &str) -> Answer {
    assert!(answer.len() <= LONGEST, "an answer of {} bytes", answer.len());
    serde_json::from_str(answer).expect("an answer")
}

fn encode(text: &[u8]) -> String {
    text.iter().map(|byte| format!("%{byte:02X}")).collect()
}

fn replace(text: &[u8], from: &[u8], to: &[u8]) -> Vec<u8> {
    let mut replaced = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some((first, others)) = rest.split_first() {
        if let Some(behind) = rest.strip_prefix(from) {
            replaced.extend_from_slice(to);
            rest = behind;
        } else {
            replaced.push(*first);
            rest = others;
        }
    }
    replaced
}
