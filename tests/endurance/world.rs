//! A gateway, people with a daemon each, and a bad network between them; and the one who kills.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread;
use std::time::Duration;

use assert_cmd::assert::OutputAssertExt;
use crossbeam_channel::unbounded;
use tempfile::TempDir;

use crate::ledger::Failed;
use crate::ledger::Ledger;
use crate::person::Person;
use crate::plan::Cut;
use crate::plan::Kill;
use crate::plan::PEOPLE;
use crate::process::Slot;
use crate::process::listening;
use crate::process::program;
use crate::proxy::Proxy;
use crate::proxy::Trap;

/// Nothing goes on for so long only if something hangs. A daemon that was cut off again and again waits a minute before
/// each attempt (interfaces 2.6), and the first of them may be refused.
const GUARD: Duration = Duration::from_secs(240);

/// Who says nothing for so long is cut off where he is.
const SILENCE: Duration = Duration::from_secs(5);

/// What is late arrives after so many other messages.
const LATE: usize = 40;

/// How much of a log is shown if something fails.
const TAIL: usize = 3_000;

struct World {
    home: TempDir,
    gateway: Slot,
    proxies: Vec<Proxy>,
    daemons: Vec<Slot>,
}

/// Sends so many messages in each direction while it kills; what went wrong, if anything did.
pub(crate) fn run(messages: usize, kills: &[(usize, Kill)]) -> Result<(), String> {
    let world = World::start();
    let (senders, inputs): (Vec<_>, Vec<_>) = PEOPLE.iter().map(|_| unbounded()).unzip();
    let ledger = Ledger::new(messages, senders.clone());
    let mut people: Vec<_> = PEOPLE
        .into_iter()
        .zip(senders.into_iter().zip(inputs))
        .map(|(name, (sender, inputs))| Person::new(name, &ledger, sender, inputs))
        .collect();
    let done = thread::scope(|scope| {
        for (place, person) in people.iter_mut().enumerate() {
            let (world, ledger) = (&world, &ledger);
            scope.spawn(move || {
                // Whatever happens, the others must hear of it.
                let lives =
                    std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| world.live(place, person, ledger)));
                match lives {
                    Ok(Ok(())) => ledger.content(),
                    Ok(Err(Failed)) => {}
                    Err(_) => drop(ledger.fail(format!("{}: the test panicked", PEOPLE[place]))),
                }
            });
        }
        let done = world.kill_all(kills, &ledger);
        // Nobody waits for a daemon any more.
        world.daemons.iter().for_each(|daemon| _ = daemon.kill(Duration::ZERO));
        done
    });
    match ledger.failure() {
        None => Ok(()),
        Some(reason) => {
            let tails = people.iter().zip(PEOPLE).map(|(person, name)| format!("\n{name} said:\n{}", person.tail()));
            let logs = PEOPLE.into_iter().chain(["gateway"]).map(|name| {
                let log = fs::read(world.home.path().join(name)).unwrap_or_default();
                let tail = String::from_utf8_lossy(&log[log.len().saturating_sub(TAIL)..]).into_owned();
                format!("\nlog of {name}:\n{tail}")
            });
            let kills: Vec<_> = kills[..done].iter().map(|(_, kill)| kill).collect();
            Err(format!("after {kills:?}: {reason}\n{}", tails.chain(logs).collect::<String>()))
        }
    }
}

impl World {
    fn start() -> Self {
        let home = tempfile::tempdir().expect("a folder");
        for name in PEOPLE {
            gateway(home.path(), &["user", "add", name]).assert().success();
        }
        for name in &PEOPLE[1..] {
            gateway(home.path(), &["contact", "add", PEOPLE[0], name]).assert().success();
        }
        let slot = Slot::default();
        let address = serve(&slot, home.path());
        let proxies = PEOPLE.map(|_| Proxy::before(&address)).into();
        Self { home, gateway: slot, proxies, daemons: PEOPLE.map(|_| Slot::default()).into() }
    }

    /// Starts the daemon of a person as often as it ends.
    fn live(&self, place: usize, person: &mut Person<'_>, ledger: &Ledger) -> Result<(), Failed> {
        let (name, daemon) = (PEOPLE[place], &self.daemons[place]);
        loop {
            if ledger.failure().is_some() {
                return Err(Failed);
            }
            let server = format!("http://{}/", self.proxies[place].address);
            let mut command = program("imo2sproxy", self.home.path(), name);
            command.args(["-m", "s", "-p", "0", "--server", &server, "--data-dir", &format!("data-{name}"), name]);
            let output = daemon.start(command);
            let Some(address) = listening(output) else {
                // Without a network there is no first login, and its status is 1.
                match daemon.ended().map(|status| status.code()) {
                    None | Some(Some(1)) => continue,
                    Some(code) => return Err(ledger.fail(format!("the daemon of {name} does not start: {code:?}"))),
                }
            };
            if person.live(&address)? {
                return Ok(());
            }
            if daemon.is_filled() {
                return Err(ledger.fail(format!("the daemon of {name} ended the connection by itself")));
            }
        }
    }

    /// Kills as planned, and waits until all is over; how many kills there were.
    fn kill_all(&self, kills: &[(usize, Kill)], ledger: &Ledger) -> usize {
        let mut done = 0;
        for (point, kill) in kills {
            if ledger.wait_for(*point, GUARD).is_err() {
                return done;
            }
            let killed = self.kill(*kill, ledger);
            if !killed {
                ledger.fail(format!("{kill:?} was not possible for {GUARD:?}"));
                return done;
            }
            done += 1;
        }
        ledger.no_more_kills();
        // The reason is in the ledger.
        let _ = ledger.wait_for_content(GUARD);
        done
    }

    fn kill(&self, kill: Kill, ledger: &Ledger) -> bool {
        match kill {
            Kill::Gateway => {
                let killed = self.gateway.kill(GUARD);
                let address = serve(&self.gateway, self.home.path());
                self.proxies.iter().for_each(|proxy| proxy.lead_to(&address));
                killed
            }
            Kill::Connection(place, Cut::After(bytes)) => self.cut(place, Trap::After(bytes)),
            Kill::Connection(place, Cut::Answer) => self.cut(place, Trap::Answer),
            Kill::Connection(place, Cut::Refused(count)) => {
                self.proxies[place].refuse(count);
                self.proxies[place].cut();
                true
            }
            Kill::Daemon(place) => self.daemons[place].kill(GUARD),
            Kill::Late(place) => {
                self.proxies[place].hold(SILENCE);
                let killed = self.daemons[place].kill(GUARD);
                // If nothing goes on, the ledger says so.
                let _ = ledger.wait_for_more(LATE, GUARD);
                self.proxies[place].release();
                killed
            }
        }
    }

    /// Cuts as soon as the trap says, or without it where nothing is said.
    fn cut(&self, place: usize, trap: Trap) -> bool {
        if !self.proxies[place].cut_by(trap, SILENCE) {
            self.proxies[place].cut();
        }
        true
    }
}

fn gateway(home: &Path, arguments: &[&str]) -> Command {
    let mut command = program("imo2skype-gateway", home, "gateway");
    command.args(arguments).args(["--database", "gateway.db"]);
    command
}

/// Starts the gateway, and waits until it listens. The port may be another each time: the proxies know.
fn serve(slot: &Slot, home: &Path) -> String {
    let url = listening(slot.start(gateway(home, &["serve", "--listen", "127.0.0.1:0"])));
    let url = url.expect("the gateway starts");
    url.trim_start_matches("http://").trim_end_matches('/').to_owned()
}
