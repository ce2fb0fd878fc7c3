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
use nix::sched::CpuSet;
use nix::sched::sched_getaffinity;
use nix::sched::sched_setaffinity;
use nix::unistd::Pid;

use super::process::Client;
use super::process::Process;
use super::process::frame;

/// The way of a local command and its reply, against that of as many bytes through an echo.
const RATIO: f64 = 1.2;

/// What an idle daemon with one account may have in memory.
const IDLE: u64 = 12 << 20;

/// What each further idle client may add.
const CLIENT: u64 = 24 << 10;

/// After this, what belongs to the login is over: it can fail no more, and the connection for requests is closed.
const SETTLED: Duration = Duration::from_secs(70);

/// The threads that the poll wakes: the one that holds it, and none else.
const POLL: &str = "imo2skype-poll";

pub(crate) fn main() -> ExitCode {
    let arguments: Vec<_> = std::env::args().skip(1).collect();
    if let [word, way, ..] = arguments.as_slice()
        && word == "echo"
    {
        echo(way == "blocks");
    }
    // Not measured, but built: `cargo test --benches`.
    if !arguments.iter().any(|argument| argument == "--bench") {
        return ExitCode::SUCCESS;
    }
    let quick = arguments.iter().any(|argument| argument == "--quick");
    let parts: Vec<_> = arguments.iter().filter(|argument| !argument.starts_with('-')).collect();
    let wanted = |part: &str| parts.is_empty() || parts.iter().any(|wanted| *wanted == part);
    let mut kept = true;
    if wanted("idle") {
        kept &= idle(quick);
    }
    if wanted("clients") {
        kept &= clients(quick);
    }
    // Last: this thread stays where it is put.
    if wanted("roundtrip") {
        kept &= round_trip(quick);
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

/// Gives back what comes. It waits for its socket as the daemon does for all of its own, or in the call that reads.
fn echo(blocks: bool) -> ! {
    let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
    println!("echo {}", listener.local_addr().expect("an address"));
    let (stream, _) = listener.accept().expect("a client");
    stream.set_nodelay(true).expect("an option of every system");
    stream.set_nonblocking(!blocks).expect("an option of every system");
    let mut stream = mio::net::TcpStream::from_std(stream);
    let (mut poll, mut events) = (mio::Poll::new().expect("a way to wait"), mio::Events::with_capacity(16));
    let both = mio::Interest::READABLE | mio::Interest::WRITABLE;
    poll.registry().register(&mut stream, mio::Token(0), both).expect("a socket");
    let mut buffer = [0; 16 * 1024];
    loop {
        if !blocks {
            poll.poll(&mut events, None).expect("an event");
        }
        match stream.read(&mut buffer) {
            Ok(0) => std::process::exit(0),
            Ok(read) => stream.write_all(&buffer[..read]).expect("it reads"),
            Err(error) => assert_eq!(error.kind(), std::io::ErrorKind::WouldBlock, "{error}"),
        }
    }
}

/// A local command over the socket, in turns with as many bytes through echoes in processes of their own.
fn round_trip(quick: bool) -> bool {
    let processors = allowed_processors();
    let (here, there) = (processors[0], processors[processors.len() - 1]);
    println!("roundtrip: GET USERSTATUS over the socket, and as many bytes through echoes");
    // Where the system puts the two changes from one second to the next, and with it all the times.
    println!("  client and server on one processor, which is what it costs:");
    let [command, echo, blocking] = round_trips([here, here], quick);
    println!("  {command:.1} us; echo {echo:.1} us, {:.2} times; echo that blocks {blocking:.1} us", command / echo);
    println!("  each on its own, which is what one waits for:");
    let [command, echo, blocking] = round_trips([here, there], quick);
    println!("  {command:.1} us; echo {echo:.1} us, {:.2} times; echo that blocks {blocking:.1} us", command / echo);
    promise(&format!("at most {RATIO} times"), command / echo <= RATIO)
}

/// The medians of a command, an echo that waits as the daemon does, and one that blocks in reading, in microseconds,
/// with the client and the servers on these processors.
fn round_trips([here, there]: [usize; 2], quick: bool) -> [f64; 3] {
    // What is started from here stays there.
    stay_on(there);
    let (gateway, folder) = (gateway(), tempfile::tempdir().expect("a folder"));
    let (_daemon, address) = daemon(Some(&gateway), folder.path());
    let echoes = ["waits", "blocks"].map(|way| {
        let mut command = Command::new(std::env::current_exe().expect("this program is a file"));
        command.args(["echo", way]);
        Process::start(command, "echo ")
    });
    stay_on(here);
    // The reply is longer than the command: an echo has as much to write.
    let (ask, reply) = (frame("GET USERSTATUS"), frame("USERSTATUS ONLINE"));
    let [waits, blocks] = echoes.each_ref().map(|(_, address)| (Client::connect(address), &reply));
    let mut ways = [(Client::attach(&address), &ask), waits, blocks];
    let (turns, each) = if quick { (40, 50) } else { (400, 100) };
    let mut times = [const { Vec::new() }; 3];
    let mut answer = vec![0; reply.len()];
    for turn in 0..turns {
        for ((client, bytes), times) in ways.iter_mut().zip(&mut times) {
            for _ in 0..each {
                let begin = Instant::now();
                client.round_trip(bytes, &mut answer);
                let time = begin.elapsed();
                assert_eq!(answer, reply);
                // Until caches are warm.
                if turn > turns / 10 {
                    times.push(time);
                }
            }
        }
    }
    times.map(|mut times| 1e6 * median(&mut times))
}

fn allowed_processors() -> Vec<usize> {
    let set = sched_getaffinity(Pid::from_raw(0)).expect("the system tells");
    (0..CpuSet::count()).filter(|processor| set.is_set(*processor).unwrap_or_default()).collect()
}

/// Has this thread, and what it starts, stay on a processor.
fn stay_on(processor: usize) {
    let mut set = CpuSet::new();
    set.set(processor).expect("a processor");
    sched_setaffinity(Pid::from_raw(0), &set).expect("one that is allowed");
}

fn median(times: &mut [Duration]) -> f64 {
    times.sort_unstable();
    times[times.len() / 2].as_secs_f64()
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
