//! The imo protocol as it goes over the wire: the examples of the specification, replayed from both sides.
//!
//! A file of `tests/wire` is one conversation of Alice with a service:
//!
//! ```json
//! {"about": "imo-protocol 5, recv_im", "sides": ["client", "gateway"], "lines": [ ... ]}
//! ```
//!
//! On the side `client` a server plays the conversation to our back end, on the side `gateway` a client plays it to our
//! gateway; a file binds the sides that it names, each by itself. Alice is logged in when it begins, unless the file says
//! `"begin": "nothing"`. A line is an object with one of these:
//!
//! | member | what | client | gateway |
//! |---|---|---|---|
//! | `do` | what Alice wants, in the words of `Stage::want` | is done | - |
//! | `get` | the start page; for a client also a picture | must be fetched, next | is fetched |
//! | `up` | the `data` of a message to the service; `system` says to which part, `outer` the outer method if it is not `forward_to_server` | must be posted, next | is posted |
//! | `down` | the `data` of a message from the service; `system` says of which part, if it is not `im` | is sent | must come, in any order |
//! | `hears` | words of what is told to the session | must come, next | - |
//!
//! An `up` is accepted unless it has `"refused": true`; `answer` is the whole body of the answer instead. Lines with an
//! `as` are of somebody else, whom only the gateway sees; it must be logged in as whoever is named.
//!
//! What cannot be foreseen is compared by rule: envelopes have the session's id, the next `seq` and an `ack` that has
//! not run ahead; `"*"` stands for anything. To the gateway, members of [`VOLATILE`] are free, an event may have members
//! that a file does not know, and `g123` stands for the chat that it told of last.

#![cfg(all(feature = "gateway", feature = "imo"))]

#[allow(dead_code, reason = "shared with another test")]
#[path = "imo_wire/client.rs"]
mod client;
#[allow(dead_code, reason = "shared with another test")]
#[path = "imo_wire/server.rs"]
mod server;

#[path = "wire/client_side.rs"]
mod client_side;
#[path = "wire/gateway_side.rs"]
mod gateway_side;

use std::fs;
use std::path::Path;

use serde::Deserialize;
use serde_json::Value;

/// What a service chooses: any value will do.
const VOLATILE: &[&str] = &["ssid", "passwd", "timestamp", "alias", "icon", "send_stream", "recv_stream"];

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Conversation {
    about: String,
    sides: Vec<String>,
    #[serde(default)]
    begin: String,
    lines: Vec<Line>,
}

#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Line {
    #[serde(rename = "as")]
    who: Option<String>,
    #[serde(rename = "do")]
    want: Option<String>,
    get: Option<String>,
    up: Option<Value>,
    outer: Option<String>,
    system: Option<String>,
    refused: bool,
    answer: Option<Value>,
    down: Option<Value>,
    hears: Option<Vec<String>>,
}

impl Line {
    fn outer(&self) -> &str {
        self.outer.as_deref().unwrap_or("forward_to_server")
    }

    fn system(&self) -> &str {
        self.system.as_deref().unwrap_or("im")
    }
}

/// Whether `value` is what the file says; `free` members may be anything, and others may be there besides if `open`.
fn fits(wanted: &Value, value: &Value, free: &[&str], open: bool) -> bool {
    match (wanted, value) {
        (Value::String(any), _) if any == "*" => true,
        (Value::Object(wanted), Value::Object(value)) => {
            let member = |(name, wanted): (&String, &Value)| match value.get(name) {
                Some(value) => free.contains(&name.as_str()) || fits(wanted, value, free, open),
                None => false,
            };
            wanted.iter().all(member) && (open || wanted.len() == value.len())
        }
        (Value::Array(wanted), Value::Array(value)) => {
            wanted.len() == value.len()
                && wanted.iter().zip(value).all(|(wanted, value)| fits(wanted, value, free, open))
        }
        _ => wanted == value,
    }
}

/// Plays every file that binds `side`; returns how many.
fn play(side: &str, conversation: fn(&Conversation)) -> usize {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/wire");
    let paths = fs::read_dir(folder).expect("the folder").map(|entry| entry.expect("an entry").path());
    let mut files: Vec<_> = paths.filter(|path| path.extension().is_some_and(|kind| kind == "json")).collect();
    files.sort();
    let mut played = 0;
    for path in files {
        let text = fs::read_to_string(&path).expect("a file");
        let file: Conversation =
            serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        assert!(!file.about.is_empty() && !file.sides.is_empty(), "{}: what is it for?", path.display());
        for side in &file.sides {
            assert!(side == "client" || side == "gateway", "{}: no side {side}", path.display());
        }
        if file.sides.iter().any(|bound| bound == side) {
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            // The name of the file is in the name of the thread, and so in front of what fails.
            let thread = std::thread::Builder::new().name(format!("{side} of {name}"));
            std::thread::scope(|scope| {
                let done = thread.spawn_scoped(scope, || conversation(&file)).expect("a thread").join();
                assert!(done.is_ok(), "{name} goes otherwise");
            });
            played += 1;
        }
    }
    played
}

#[test]
fn the_client_speaks_as_the_examples() {
    assert!(play("client", client_side::play) > 0);
}

#[test]
fn the_gateway_speaks_as_the_examples() {
    assert!(play("gateway", gateway_side::play) > 0);
}

#[test]
fn values_fit_by_rule() {
    let value = serde_json::json!({"a": 1, "b": [{"ssid": "X"}], "c": 3});
    for (wanted, open, fit) in [
        (serde_json::json!({"a": 1, "b": [{"ssid": "S"}], "c": 3}), false, true),
        (serde_json::json!({"a": 1, "b": "*", "c": 3}), false, true),
        (serde_json::json!({"a": 1, "b": [{"ssid": "S"}]}), false, false),
        (serde_json::json!({"a": 1, "b": [{"ssid": "S"}]}), true, true),
        (serde_json::json!({"a": 2}), true, false),
        (serde_json::json!({"b": []}), true, false),
        (serde_json::json!({"d": null}), true, false),
    ] {
        assert_eq!(fits(&wanted, &value, VOLATILE, open), fit, "{wanted}");
    }
}
