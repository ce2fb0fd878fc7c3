//! What is promised, and the load that tries it.

use std::process::ExitCode;
use std::sync::Arc;
use std::time::Duration;
use std::time::Instant;

use nix::sys::resource::Resource;
use nix::sys::resource::getrlimit;
use nix::sys::resource::setrlimit;
use tokio::sync::Semaphore;
use tokio::task::JoinSet;
use tokio::time::sleep;

use super::client::Connection;
use super::client::log_in;
use super::gateway::Gateway;
use super::gateway::Population;
use super::gateway::name;
use super::gateway::own_processor_time;
use super::traffic::Traffic;

/// What idle sessions may take.
const MEMORY: u64 = 400_000_000;
/// Sessions that log in at the same time.
const LOGINS: usize = 64;
/// So many of the idle users are registered by their login, at full cost.
const NEW: u32 = 16;

/// Messages a second.
const RATE: u32 = 5_000;
/// Those who write, and those who are written to.
const PAIRS: u32 = 200;
/// 99 of 100 messages are there within this time.
const LATENCY: Duration = Duration::from_millis(50);

/// What a message may cost where much is stored, against where little is. Trees of the database
/// that are ten thousand times as big are a few steps deeper.
const RATIO: f64 = 1.5;

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    // Not measured, but built: `cargo test --benches`.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let parts: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| *wanted == part);
    // Every session has two connections; the gateway inherits the limit.
    let (_, most) = getrlimit(Resource::RLIMIT_NOFILE).expect("a limit");
    setrlimit(Resource::RLIMIT_NOFILE, most, most).expect("a limit");

    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().expect("a runtime");
    let mut kept = true;
    if wanted("idle") {
        kept &= runtime.block_on(idle(quick));
    }
    if wanted("rate") {
        kept &= runtime.block_on(rate(quick));
    }
    if wanted("flat") {
        kept &= runtime.block_on(flat(quick));
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints whether a promise was kept.
fn promise(words: &str, kept: bool) -> bool {
    println!("  {}: {words}", if kept { "kept" } else { "BROKEN" });
    kept
}

/// Sessions with an account of their own and ten contacts each, all logged in, all with a held poll.
async fn idle(quick: bool) -> bool {
    let (sessions, time) = if quick { (500_u32, Duration::from_secs(3)) } else { (5_000, Duration::from_secs(30)) };
    println!("idle: {sessions} sessions");
    let users = sessions - NEW;
    let gateway = Gateway::start(&Population { users, owners: users, contacts: 10, waiting: 0 });
    let address = gateway.address;
    let empty = gateway.memory("VmRSS");
    let begin = Instant::now();
    let mut clients = JoinSet::new();
    let permits = Arc::new(Semaphore::new(LOGINS));
    for number in 0..sessions {
        let permits = Arc::clone(&permits);
        clients.spawn(async move {
            let permit = permits.acquire_owned().await.expect("it stays open");
            let (_requests, mut poll) = log_in(address, name(number)).await;
            drop(permit);
            loop {
                poll.next().await;
            }
        });
    }
    let mut probe = Connection::open(address).await;
    while held(&mut probe).await < sessions {
        assert!(clients.try_join_next().is_none(), "a client failed");
        sleep(Duration::from_millis(100)).await;
    }
    println!("  all logged in and polling after {:.1} s", begin.elapsed().as_secs_f64());
    // In the long run each poll comes to its end and is followed by another.
    let (begin, before) = (Instant::now(), gateway.processor_time());
    let mut most = 0;
    while begin.elapsed() < time {
        sleep(Duration::from_millis(500)).await;
        most = most.max(gateway.memory("VmRSS"));
    }
    let spent = gateway.processor_time() - before;
    println!(
        "  {:.1} MB resident, {:.1} MB at its peak, {:.1} MB before; {:.1} KB a session; {:.2} % of a processor",
        most as f64 / 1e6,
        gateway.memory("VmHWM") as f64 / 1e6,
        empty as f64 / 1e6,
        (most - empty) as f64 / 1e3 / f64::from(sessions),
        100.0 * spent.as_secs_f64() / begin.elapsed().as_secs_f64(),
    );
    promise(&format!("{} MB", MEMORY / 1_000_000), most < MEMORY)
}

/// How many polls the gateway holds.
async fn held(probe: &mut Connection) -> u32 {
    let page = probe.get("/metrics").await;
    let line = page.lines().find_map(|line| line.strip_prefix("imo2skype_gateway_polls_held "));
    line.and_then(|count| count.parse().ok()).expect("a number")
}

/// Messages between users at a steady rate.
async fn rate(quick: bool) -> bool {
    let time = Duration::from_secs(if quick { 5 } else { 30 });
    println!("rate: {RATE} messages a second for {} s, {PAIRS} pairs", time.as_secs());
    let users = 2 * PAIRS;
    let gateway = Gateway::start(&Population { users, owners: users, contacts: 10, waiting: 0 });
    let mut traffic = Traffic::new(gateway.address, PAIRS).await;
    // Caches are warm, threads and buffers are there.
    traffic.offer(RATE, Duration::from_secs(2)).await;
    let (theirs, ours) = (gateway.processor_time(), own_processor_time());
    let outcome = traffic.offer(RATE, time).await;
    let (theirs, ours) = (gateway.processor_time() - theirs, own_processor_time() - ours);
    let each = |spent: Duration| 1e6 * spent.as_secs_f64() / outcome.messages() as f64;
    let millis = |share| 1e3 * outcome.latency(share).as_secs_f64();
    println!(
        "  {:.0} a second; latency {:.1} ms (half), {:.1} ms (99 of 100), {:.1} ms (999 of 1000), {:.1} ms (all)",
        outcome.rate(),
        millis(0.5),
        millis(0.99),
        millis(0.999),
        millis(1.0),
    );
    println!(
        "  time of processors for a message: gateway {:.0} us ({:.2} s), this program {:.0} us ({:.2} s)",
        each(theirs),
        theirs.as_secs_f64(),
        each(ours),
        ours.as_secs_f64(),
    );
    let steady = promise(&format!("{RATE} messages a second"), outcome.rate() >= 0.99 * f64::from(RATE));
    let fast = promise(&format!("{} ms for 99 of 100", LATENCY.as_millis()), outcome.latency(0.99) < LATENCY);
    steady && fast
}

/// The cost of a message with little and with much in the database. Two gateways take turns, so that
/// a change of the machine's mood meets both.
async fn flat(quick: bool) -> bool {
    const PAIRS: u32 = 20;
    const RATE: u32 = 1_000;
    let (rounds, time) = if quick { (2, Duration::from_secs(2)) } else { (6, Duration::from_secs(5)) };
    let owners = 2 * PAIRS;
    println!("flat: 10 contacts and 10 waiting messages against 10,000 contacts and 100,000 waiting messages");
    let little = Population { users: owners, owners, contacts: 10, waiting: 10 };
    let much = Population { users: 100_000, owners, contacts: 10_000, waiting: 100_000 };
    let mut sides = Vec::new();
    for population in [little, much] {
        let gateway = Gateway::start(&population);
        let mut traffic = Traffic::new(gateway.address, PAIRS).await;
        traffic.offer(RATE, Duration::from_secs(1)).await;
        sides.push((gateway, traffic, Duration::ZERO, 0));
    }
    for _ in 0..rounds {
        for (gateway, traffic, spent, messages) in &mut sides {
            let before = gateway.processor_time();
            *messages += traffic.offer(RATE, time).await.messages();
            *spent += gateway.processor_time() - before;
        }
    }
    let costs: Vec<_> =
        sides.iter().map(|(_, _, spent, messages)| 1e6 * spent.as_secs_f64() / *messages as f64).collect();
    let ratio = costs[1] / costs[0];
    println!("  time of processors for a message: {:.0} us and {:.0} us, {ratio:.2} times", costs[0], costs[1]);
    promise(&format!("at most {RATIO} times"), ratio <= RATIO)
}
