//! Nothing is lost and nothing comes twice, whatever dies when: worlds in which everything is real but the network, the
//! clock and the people.
//!
//! `SIMULATION_SEED=7 cargo test --lib simulation` shows the world of one seed; `SIMULATION_SEEDS=100000` asks for that
//! many of them.

mod dice;
mod disk;
mod gateway;
mod ledger;
mod program;
mod world;

use std::collections::HashMap;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::time::Duration;

use crate::translate::Now;
use disk::Disk;
use ledger::Asked;
use ledger::Ledger;
use ledger::Rules;
use ledger::Unkept;
use ledger::list_of;
use program::Program;
use world::World;

/// How many worlds there are if nobody says otherwise.
const WORLDS: u64 = 2_000;

#[test]
fn nothing_is_lost_and_nothing_comes_twice() {
    if let Some(seed) = setting("SIMULATION_SEED") {
        panic!("{}", story(seed));
    }
    let worlds = setting("SIMULATION_SEEDS").unwrap_or(WORLDS);
    let (next, failed) = (AtomicU64::new(0), AtomicBool::new(false));
    let run = || {
        let disk = Disk::new();
        while !failed.load(Ordering::Relaxed) {
            let seed = next.fetch_add(1, Ordering::Relaxed);
            if seed >= worlds {
                break;
            }
            let outcome = catch_unwind(AssertUnwindSafe(|| live(seed, &disk, false)));
            if outcome.is_err() || outcome.is_ok_and(|world| world.ledger.wrong.is_some()) {
                failed.store(true, Ordering::Relaxed);
                return Some(seed);
            }
        }
        None
    };
    let threads = thread::available_parallelism().map_or(1, usize::from);
    let seed = thread::scope(|scope| {
        let runs: Vec<_> = (0..threads).map(|_| scope.spawn(run)).collect();
        runs.into_iter().filter_map(|run| run.join().expect("a run")).min()
    });
    if let Some(seed) = seed {
        panic!("{}\nagain: SIMULATION_SEED={seed} cargo test --lib simulation", story(seed));
    }
}

fn setting(name: &str) -> Option<u64> {
    std::env::var(name).ok().map(|value| value.parse().expect("a number"))
}

/// All that happens in the world of a seed.
fn story(seed: u64) -> String {
    let world = live(seed, &Disk::new(), true);
    let trace = world.ledger.trace.unwrap_or_default().join("\n");
    format!(
        "the world of seed {seed}\n{trace}\nseed {seed}: {}",
        world.ledger.wrong.unwrap_or("all is well".to_owned())
    )
}

/// Runs the world of a seed to its end, and looks whether all promises were kept.
fn live(seed: u64, disk: &Disk, traced: bool) -> World {
    let mut world = World::new(seed, disk, traced);
    world.live();
    let mut done = |act: &dyn Fn(&mut World)| {
        if world.ledger.wrong.is_none() {
            act(&mut world);
        }
    };
    done(&World::settle);
    done(&judge);
    done(&World::die_and_come_again);
    done(&judge);
    world
}

/// Looks whether everything is as it should be.
fn judge(world: &mut World) {
    let mut history = Vec::new();
    let mut ids = list_of(&world.question("SEARCH CHATMESSAGES", &Asked::Other));
    ids.reverse();
    for id in ids {
        let mut get = |property: &str, asked: &Asked| {
            let reply = world.question(&format!("GET CHATMESSAGE {id} {property}"), asked);
            reply.rsplit_once(' ').map(|(_, value)| value.to_owned()).unwrap_or_default()
        };
        if get("TYPE", &Asked::Other) == "SAID" {
            history.push((id, get("BODY", &Asked::Body(id)), get("STATUS", &Asked::Other)));
        }
    }
    for id in world.ledger.bodies.keys().copied().collect::<Vec<_>>() {
        world.question(&format!("GET CHATMESSAGE {id} BODY"), &Asked::Body(id));
    }
    world.question("SEARCH MISSEDCHATMESSAGES", &Asked::Missed);
    let mut missed = list_of(&world.ledger.reply);
    missed.reverse();
    let received: Vec<_> = history.iter().filter(|(_, _, status)| status == "RECEIVED").map(|(id, ..)| *id).collect();
    world.ledger.must(missed == received, || format!("missed are {received:?}, found are {missed:?}"));
    let mut places: HashMap<&str, Vec<u32>> = HashMap::new();
    for (id, body, _) in &history {
        places.entry(body).or_default().push(*id);
    }
    judge_what_came(world, &places);
    judge_what_was_said(world, &history, &places);
}

/// What others have said is in the history, once, in order, and somebody was told.
fn judge_what_came(world: &mut World, places: &HashMap<&str, Vec<u32>>) {
    let mut last = HashMap::new();
    for sent in &world.sent {
        let ids = places.get(sent.body.as_str()).map_or(&[][..], Vec::as_slice);
        let lost = world.ledger.lost.contains(&Unkept::Body(sent.body.clone()));
        let ledger = &mut world.ledger;
        ledger
            .must(ids.len() == 1 || (lost && ids.is_empty()), || format!("{} is in the history as {ids:?}", sent.body));
        let Some(id) = ids.first() else { continue };
        ledger.must(ledger.heard.contains_key(id) || ledger.maybe_seen.contains(id), || {
            format!("nobody was told of {id}, {}", sent.body)
        });
        let before = last.insert(sent.place, *id);
        ledger.must(before < Some(*id), || format!("{} came before what was said before it", sent.body));
    }
}

/// What the account has said is in the history, once, with its end, and has arrived, once, in order.
fn judge_what_was_said(world: &mut World, history: &[(u32, String, String)], places: &HashMap<&str, Vec<u32>>) {
    let rules = world.ledger.rules;
    let mut arrived: HashMap<&str, usize> = HashMap::new();
    let mut last: HashMap<&str, u32> = HashMap::new();
    for delivery in &world.gateway.delivered {
        *arrived.entry(&delivery.body).or_default() += 1;
        let number: u32 = delivery.body[1..].parse().unwrap_or_default();
        let before = last.insert(&delivery.place, number);
        let in_order = before < Some(number);
        world.ledger.must(in_order || !rules.exactly_once(), || format!("{} arrived out of order", delivery.body));
    }
    for (body, count) in &arrived {
        world.ledger.must(*count == 1, || format!("{body} arrived {count} times"));
    }
    for (id, body, status) in history.iter().filter(|(_, body, _)| body.starts_with('o')) {
        let count = arrived.get(body.as_str()).copied().unwrap_or_default();
        let truthful = match status.as_str() {
            "SENT" => count == 1,
            "FAILED" => !rules.exactly_once(),
            _ => false,
        };
        world.ledger.must(truthful, || format!("{id}, {body}, is {status} and has arrived {count} times"));
    }
    for said in world.ledger.said.clone() {
        let ids = places.get(said.body.as_str()).map_or(&[][..], Vec::as_slice);
        let lost = world.ledger.lost.contains(&Unkept::Body(said.body.clone()));
        let known = ids == [said.id] || (lost && ids.is_empty());
        world.ledger.must(known, || format!("{}, {}, is in the history as {ids:?}", said.id, said.body));
        let told = world.ledger.heard.contains_key(&said.id);
        world.ledger.must(told || lost, || format!("nobody was told what became of {}, {}", said.id, said.body));
        let count = arrived.get(said.body.as_str()).copied().unwrap_or_default();
        world.ledger.must(count == 1 || lost || !rules.exactly_once(), || {
            format!("{}, {}, for {} has arrived {count} times", said.id, said.body, said.place)
        });
    }
}

#[test]
fn nobody_begins_with_a_history_that_can_keep_nothing() {
    let disk = Disk::new();
    let rules = Rules { marks: true, impatient: false };
    let mut ledger = Ledger::new(rules, disk.clone(), false);
    let now = Now { monotonic: Duration::ZERO, unix: 0 };
    disk.set_full(true);
    assert!(Program::start(1, &disk, Duration::MAX, None, now, &mut ledger).is_err());
}
