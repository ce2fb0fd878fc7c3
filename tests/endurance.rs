//! Nothing is lost and nothing is doubled through `kill -9`: real processes, clients that do what a good client does, and
//! a network that cuts.
//!
//! In several worlds at once, each with a gateway and three people with a daemon each, numbered messages go both ways
//! while gateway, connections and daemons are killed at random. Every message for which there was a reply arrives
//! exactly once, in order, and is SENT in the end; an id never names two texts; the history forgets nothing.
//!
//! | variable | meaning |
//! |---|---|
//! | `IMO2SKYPE_KILLS` | how many kills there are in all, without it 50; `IMO2SKYPE_KILLS=1000` is for the night |
//! | `IMO2SKYPE_MESSAGES` | how many messages go each way, in all, without it 10,000 |
//! | `IMO2SKYPE_KILL` | what is killed: of `gateway`, `connection`, `daemon` and `late` (a daemon whose last request arrives after its next login), with commas between |
//! | `IMO2SKYPE_SEED` | makes the same choices again; the seed is printed. Time remains that of the machine |
//!
//! `cargo test --test endurance -- --nocapture` shows how it goes.
#![cfg(all(unix, feature = "programs"))]
#![expect(clippy::print_stdout, reason = "the seed and the outcome are worth to be seen")]

#[path = "support/frames.rs"]
mod frames;
#[path = "endurance/ledger.rs"]
mod ledger;
#[path = "endurance/person.rs"]
mod person;
#[path = "endurance/plan.rs"]
mod plan;
#[path = "endurance/process.rs"]
mod process;
#[path = "support/proxy.rs"]
mod proxy;
#[path = "endurance/socket.rs"]
mod socket;
#[path = "endurance/world.rs"]
mod world;

use std::env;
use std::thread;
use std::time::Instant;

use plan::Kind;

/// What is killed where `IMO2SKYPE_KILL` says nothing.
const KILLED: &str = "gateway,connection,daemon,late";

/// Worlds at once: while the daemons of one wait until they try again, others go on.
const WORLDS: usize = 10;

const KILLS: usize = 50;
/// Two processors need a quarter of a minute for so many.
const MESSAGES: usize = 10_000;

fn setting<T: std::str::FromStr>(name: &str) -> Option<T> {
    let text = env::var(name).ok()?;
    Some(text.parse().unwrap_or_else(|_| panic!("{name}: {text:?} is no number")))
}

fn kinds() -> Vec<Kind> {
    let names = env::var("IMO2SKYPE_KILL").unwrap_or_else(|_| KILLED.to_owned());
    let kind = |name: &str| Kind::NAMES.iter().find(|(known, _)| *known == name).map(|(_, kind)| *kind);
    names.split(',').map(|name| kind(name).unwrap_or_else(|| panic!("IMO2SKYPE_KILL: {name:?} is none"))).collect()
}

#[test]
fn nothing_is_lost_and_nothing_doubled_through_kills() {
    let seed = setting("IMO2SKYPE_SEED").unwrap_or_else(rand::random::<u64>);
    let (kills, messages) =
        (setting("IMO2SKYPE_KILLS").unwrap_or(KILLS), setting("IMO2SKYPE_MESSAGES").unwrap_or(MESSAGES));
    let kinds = kinds();
    println!("IMO2SKYPE_SEED={seed}: {kills} kills of {kinds:?}, {messages} messages each way");
    // Each world has two dialogs.
    let messages = messages.div_ceil(2 * WORLDS);
    let start = Instant::now();
    let outcomes: Vec<_> = thread::scope(|scope| {
        let worlds: Vec<_> = (0..WORLDS)
            .map(|world| {
                let share = kills / WORLDS + usize::from(world < kills % WORLDS);
                let plan = plan::kills(seed.wrapping_add(world as u64), &kinds, share, messages);
                scope.spawn(move || world::run(messages, &plan))
            })
            .collect();
        worlds.into_iter().map(|world| world.join().expect("no panic")).collect()
    });
    let mut failures = Vec::new();
    for (world, outcome) in outcomes.into_iter().enumerate() {
        if let Err(failure) = outcome {
            failures.push(format!("world {world}, {failure}"));
        }
    }
    println!("{:?}", start.elapsed());
    assert!(failures.is_empty(), "IMO2SKYPE_SEED={seed}\n{}", failures.join("\n\n"));
}
