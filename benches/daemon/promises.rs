//! What is promised, and how it is measured.

use std::io::Read;
use std::io::Write;
use std::net::TcpListener;
use std::path::Path;
use std::process::Command;
use std::process::ExitCode;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Gateway;
use imo2skype::GatewayConfig;

use super::process::Client;
use super::process::Process;
use super::process::frame;

/// The way of a local command and its reply, against that of as many bytes through an echo.
const RATIO: f64 = 1.2;

/// What an idle daemon with one account may have in memory.
const IDLE: u64 = 12 << 20;

/// What each further idle client may add.
const CLIENT: u64 = 24 << 10;

/// After this, what belongs to the login is over: the connection for requests is closed too.
const SETTLED: Duration = Duration::from_secs(45);

/// The threads that the poll wakes: the one that holds it, and none else.
const POLL: &str = "imo2skype-poll";

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if arguments.first().is_some_and(|argument| argument == "echo") {
        echo();
    }
    // Not measured, but built: `cargo test --benches`.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let parts: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| *wanted == part);
    let mut kept = true;
    if wanted("roundtrip") {
        kept &= round_trip(quick);
    }
    if wanted("idle") {
        kept &= idle(quick);
    }
    if wanted("clients") {
        kept &= clients(quick);
    }
    if kept { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Prints whether a promise was kept.
fn promise(words: &str, kept: bool) -> bool {
    println!("  {}: {words}", if kept { "kept" } else { "BROKEN" });
    kept
}

/// A daemon with one account, on the gateway of this program or on one of its own, and where its socket is.
fn daemon(gateway: Option<&Gateway>, folder: &Path) -> (Process, String) {
    let mut command = Command::new(env!("CARGO_BIN_EXE_imo2sproxy"));
    command.env("IMO2SKYPE_PASSWORD", "secret").args(["-p", "0", "alice", "--data-dir"]).arg(folder);
    if let Some(gateway) = gateway {
        command.args(["--server", gateway.url()]);
    }
    Process::start(command, "listening: skypeproxy ")
}

fn gateway() -> Gateway {
    Gateway::start(GatewayConfig::embedded(None)).expect("a gateway")
}

/// Gives back what comes, in the simplest way: a thread that reads and writes.
fn echo() -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("echo {}", listener.local_addr().expect("an address"));
    let (mut stream, _) = listener.accept().expect("a client");
    stream.set_nodelay(true).expect("an option of every system");
    let mut buffer = [0; 16 * 1024];
    while let Ok(read) = stream.read(&mut buffer)
        && read > 0
    {
        stream.write_all(&buffer[..read]).expect("it reads");
    }
    std::process::exit(0)
}

/// A local command over the socket, in turns with the same bytes through an echo in a process of its own.
fn round_trip(quick: bool) -> bool {
    println!("roundtrip: GET USERSTATUS over the socket, and as many bytes through an echo");
    let (gateway, folder) = (gateway(), tempfile::tempdir().expect("a folder"));
    let (_daemon, address) = daemon(Some(&gateway), folder.path());
    let mut command = Command::new(std::env::current_exe().expect("this program is a file"));
    command.arg("echo");
    let (_echo, echo) = Process::start(command, "echo ");
    let (mut command, mut echo) = (Client::attach(&address), Client::connect(&echo));
    // The reply is shorter than the command: both ways have to be the same on the other side.
    let (ask, reply) = (frame("GET USERSTATUS"), frame("USERSTATUS ONLINE"));
    let (turns, each) = if quick { (40, 50) } else { (400, 100) };
    let mut times = [Vec::new(), Vec::new()];
    for turn in 0..turns {
        let mut answer = vec![0; reply.len()];
        for _ in 0..each {
            let begin = Instant::now();
            command.round_trip(&ask, &mut answer);
            let time = begin.elapsed();
            assert_eq!(answer, reply);
            times[0].push(time);
        }
        for _ in 0..each {
            let begin = Instant::now();
            echo.round_trip(&reply, &mut answer);
            times[1].push(begin.elapsed());
        }
        if turn == turns / 10 {
            // Caches are warm.
            times = [Vec::new(), Vec::new()];
        }
    }
    let [command, echo] = times.map(|mut times| {
        times.sort_unstable();
        times[times.len() / 2].as_secs_f64()
    });
    let ratio = command / echo;
    println!("  medians: {:.1} us and {:.1} us, {ratio:.2} times", 1e6 * command, 1e6 * echo);
    promise(&format!("at most {RATIO} times"), ratio <= RATIO)
}

/// A daemon that nobody asks anything.
fn idle(quick: bool) -> bool {
    let time = Duration::from_secs(if quick { 5 } else { 60 });
    println!("idle: a daemon with one account, for {} s", time.as_secs());
    let (gateway, folder) = (gateway(), tempfile::tempdir().expect("a folder"));
    let (process, address) = daemon(Some(&gateway), folder.path());
    let _client = Client::attach(&address);
    std::thread::sleep(SETTLED);
    let before = process.waits();
    std::thread::sleep(time);
    let after = process.waits();
    let resident = process.memory("VmRSS");
    println!("  {:.1} MiB resident, {:.1} MiB of it no files", mib(resident), mib(process.memory("RssAnon")));
    let mut others = 0;
    for (name, waits) in after {
        let waits = waits - before.get(&name).copied().unwrap_or_default();
        if waits > 0 {
            println!("  {name} woke up {waits} times");
        }
        others += if name.starts_with(POLL) { 0 } else { waits };
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (process, address) = daemon(None, folder.path());
    let _client = Client::attach(&address);
    println!("  {:.1} MiB resident with a gateway inside", mib(process.memory("VmRSS")));
    let small = promise(&format!("{} MiB", IDLE >> 20), resident <= IDLE);
    promise("nothing wakes up but the poll", others == 0) && small
}

/// Clients that are attached, have been told how the session stands, and say nothing.
fn clients(quick: bool) -> bool {
    let clients = if quick { 100 } else { 1000 };
    println!("clients: {clients} idle clients on one account");
    let (gateway, folder) = (gateway(), tempfile::tempdir().expect("a folder"));
    let (process, address) = daemon(Some(&gateway), folder.path());
    let _first: Vec<_> = (0..10).map(|_| Client::attach(&address)).collect();
    let before = process.memory("VmRSS");
    let _clients: Vec<_> = (0..clients).map(|_| Client::attach(&address)).collect();
    let each = process.memory("VmRSS").saturating_sub(before) / clients;
    println!("  {:.1} KiB each", each as f64 / 1024.0);
    promise(&format!("{} KiB each", CLIENT >> 10), each <= CLIENT)
}

fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}
