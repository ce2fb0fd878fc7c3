//! What a server says: read by a session of the imo network, and told to the clients of an account that has one of
//! everything.
//!
//! Whatever comes: no `ack` falls, every task has one outcome, and nothing that clients see holds a NUL or is out of
//! all proportion to what was said.

#![no_main]

#[path = "../../tests/support/world.rs"]
mod world;

use std::collections::BTreeMap;

use imo2skype::backend::Event;
use imo2skype::backend::imo::fuzzing::Asked;
use imo2skype::backend::imo::fuzzing::Client;
use libfuzzer_sys::fuzz_target;

use world::World;

/// Above the tickets of the account.
const TICKETS: u64 = 1 << 32;
/// The longest a byte can become: `_x00`, in an event that names the user three times.
const GROWTH: usize = 16;
const ROOM: usize = 4096;

/// The login, so that what follows is heard.
const SIGNED_ON: &[u8] = br#"{"method":"forward_to_client","data":{"ack":0,"messages":[
    {"to":{"system":"client"},"from":{"system":"im"},"seq":0,"data":{"name":"signed_on","edata":{"alias":"Alice"}}}]}}"#;

#[derive(Default)]
struct Outcomes(BTreeMap<u64, usize>);

impl Outcomes {
    fn note(&mut self, events: &[Event]) {
        for event in events {
            if let Event::Done { ticket, .. } = event {
                *self.0.entry(ticket.0).or_default() += 1;
            }
        }
    }
}

fuzz_target!(|data: &[u8]| {
    let mut client = Client::new(TICKETS);
    let mut world = World::whole();
    let mut outcomes = Outcomes::default();
    let mut said = 0;
    // An answer for each part; no JSON holds a NUL.
    let mut parts: Vec<_> = data.split(|byte| *byte == 0).take(32).collect();
    // The first may ask for a session that is not logged in.
    if parts.first().is_some_and(|part| *part != b"-") {
        parts.insert(0, SIGNED_ON);
    }
    for part in parts {
        let (asked, body) = match part.split_first() {
            Some((b't', body)) => (Asked::Text, body),
            Some((b'r', body)) => (Asked::Removal, body),
            Some((b'b', body)) => (Asked::Block, body),
            Some((b'f', body)) => (Asked::Found, body),
            Some((b'c', body)) => (Asked::Call, body),
            Some((b'e', body)) => (Asked::Errand, body),
            _ => (Asked::Poll, part),
        };
        said += body.len();
        let (session, before) = client.ack();
        let events = client.answer(asked, body);
        let (now, after) = client.ack();
        assert!(now > session || after >= before, "ack fell from {before:?} to {after:?}");
        outcomes.note(&events);
        for event in events {
            let text = clean(&format!("{event:?}"));
            assert!(!text.contains("\\0"), "a NUL: {text}");
            assert!(text.len() <= GROWTH * said + ROOM, "{} bytes made of {said}", text.len());
            for line in world.tell(event) {
                assert!(!line.is_empty() && !line.contains('\0'), "{line:?}");
            }
        }
    }
    let tickets = client.tickets();
    outcomes.note(&client.close());
    let wanted: BTreeMap<_, _> = (TICKETS + 1..=tickets).map(|ticket| (ticket, 1)).collect();
    assert_eq!(outcomes.0, wanted, "one outcome for each task");
});

/// What `Debug` writes of an event, without backslashes that are meant so and without the network's own ids, which no
/// client sees.
fn clean(text: &str) -> String {
    let text = text.replace("\\\\", "").replace("\\\"", "");
    let mut pieces = text.split("RemoteId(\"");
    let first = pieces.next().unwrap_or_default().to_owned();
    let rest = pieces.filter_map(|piece| piece.split_once('"').map(|(_, rest)| rest));
    rest.fold(first, |text, piece| text + piece)
}
