//! From the plan to the end: everything that runs is started and stopped here.

use std::io::Write;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::unbounded;
use imo2skype::Config;
use imo2skype::Error;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use imo2skype::transport::Serving;
use imo2skype::transport::console::Ended;

use crate::console;
use crate::data::make_directory;
use crate::desk::Desk;
use crate::detach;
use crate::failure::Failure;
use crate::failure::complain;
use crate::failure::history_is_not_kept;
use crate::inherited;
use crate::log::Log;
use crate::notify;
use crate::notify::Manager;
use crate::pid_file::PidFile;
use crate::plan::Account;
use crate::plan::Plan;
use crate::report::Report;
use crate::report::Reports;
use crate::report::State;
use crate::signals;

/// What the main thread waits for.
pub(crate) enum Event {
    /// Somebody wants the program to end.
    Stop,
    /// An account stands, or does not; the number is its place in the plan.
    Started(usize, Result<Running, Failure>),
    /// The console is over.
    ConsoleEnded(imo2skype::Result<Ended>),
}

/// An account that stands.
pub(crate) struct Running {
    username: String,
    session: Arc<Session>,
    points: Vec<Box<dyn Serving>>,
    /// The time to linger, if the account has the console.
    console: Option<Duration>,
}

/// Does what the plan says, until somebody stops it.
pub(crate) fn run(mut plan: Plan) -> Result<(), Failure> {
    let watchdog = notify::watchdog();
    inherited::hand_out(&mut plan.accounts)?;
    // Before there is any thread.
    let readiness = if plan.detach { Some(detach::detach()?) } else { None };
    let mut daemon = Daemon { readiness, watchdog, _pid_file: None };
    let outcome = daemon.serve(plan);
    if let (Err(failure), Some(readiness)) = (&outcome, daemon.readiness.take()) {
        // The parent is the one whose status somebody reads.
        let _ = readiness.tell(failure.status as u8);
    }
    outcome
}

struct Daemon {
    /// Until the program stands, the parent waits for this.
    readiness: Option<detach::Readiness>,
    watchdog: Option<Duration>,
    _pid_file: Option<PidFile>,
}

impl Daemon {
    fn serve(&mut self, plan: Plan) -> Result<(), Failure> {
        let log = Log::start(plan.verbose, plan.log_file.as_deref())?;
        let (sender, events) = unbounded();
        signals::watch(sender.clone(), log.reopener())?;
        self._pid_file = plan.pid_file.map(PidFile::write).transpose()?;

        let gateway = if plan.accounts.iter().any(|account| account.config.server.is_none()) {
            Some(Gateway::start(GatewayConfig::embedded(Some(plan.data_dir.gateway()?)))?)
        } else {
            None
        };
        let wanted = plan.accounts.len();
        for (number, mut account) in plan.accounts.into_iter().enumerate() {
            if let (None, Some(gateway)) = (&account.config.server, &gateway) {
                account.config.server = Some(gateway.url().to_owned());
            }
            begin(number, account, plan.several, sender.clone())?;
        }
        let Some(mut running) = wait_for_all(wanted, plan.several, &events)? else { return Ok(()) };

        let reports = reports_of(&running);
        let mut manager = Manager::new(self.watchdog, Arc::clone(&reports));
        let desk = Desk::open(plan.desk, reports)?;
        announce(&running, gateway.as_ref(), desk.places(), plan.several);
        if let Some(readiness) = self.readiness.take() {
            readiness.ready().map_err(|error| Failure::service(format!("cannot let go of the console: {error}")))?;
        }
        log.unmute();
        let only_console = running.iter().all(|account| account.points.is_empty());
        for account in &running {
            if let Some(linger) = account.console {
                console::start(Arc::clone(&account.session), only_console.then_some(linger), sender.clone())?;
            }
        }
        manager.ready();
        let outcome = wait_for_end(&events, &mut manager, only_console);
        manager.stopping();
        drop(desk);
        stop(&mut running);
        if let Some(gateway) = gateway {
            gateway.stop();
        }
        outcome
    }
}

/// Starts an account on a thread of its own, so that none waits for another's network.
fn begin(number: usize, account: Account, several: bool, events: Sender<Event>) -> Result<(), Failure> {
    std::thread::Builder::new()
        .name("imo2sproxy-start".to_owned())
        .spawn(move || {
            let username = account.config.username.clone();
            // Whatever happens, the main thread must hear of it.
            let outcome = catch_unwind(AssertUnwindSafe(|| start(account)))
                .unwrap_or_else(|_| Err(Failure::service("internal error: starting the account panicked")));
            let outcome = outcome.map_err(|failure| if several { failure.of(&username) } else { failure });
            // Nobody listens any more when the program is stopping already.
            let _ = events.send(Event::Started(number, outcome));
        })
        .map(drop)
        .map_err(|error| Failure::service(format!("cannot start a thread: {error}")))
}

fn start(account: Account) -> Result<Running, Failure> {
    let username = account.config.username.clone();
    // First, because it is quick to fail. Nobody is answered before the login.
    let bound = account.points.bind()?;
    let session = Arc::new(open(account.config, account.history_dir)?);
    if !account.console {
        session.keep_only();
    }
    let points = bound.into_iter().map(|serve| serve(Arc::clone(&session))).collect::<imo2skype::Result<_>>()?;
    Ok(Running { username, session, points, console: account.console.then_some(account.linger) })
}

/// Opens the session. Where the file of its history cannot be used, it goes on without.
fn open(mut config: Config, history_dir: Result<Option<PathBuf>, Failure>) -> Result<Session, Failure> {
    let made = history_dir.and_then(|directory| directory.as_deref().map_or(Ok(()), make_directory));
    let problem = match made.map(|()| Session::open(config.clone())) {
        // The gateway has an address already: the only database of a session is its history.
        Ok(Err(error @ Error::Store { .. })) => error.chain(),
        Ok(opened) => return Ok(opened?),
        Err(failure) => failure.text().to_owned(),
    };
    history_is_not_kept(&config.username, &problem);
    config.set("history", "memory")?;
    Ok(Session::open(config)?)
}

/// Waits until every account stands or does not; `None` if somebody stops the program meanwhile.
fn wait_for_all(wanted: usize, several: bool, events: &Receiver<Event>) -> Result<Option<Vec<Running>>, Failure> {
    let mut running: Vec<(usize, Running)> = Vec::new();
    let mut failures = Vec::new();
    while running.len() + failures.len() < wanted {
        match events.recv() {
            Ok(Event::Started(number, Ok(account))) => running.push((number, account)),
            Ok(Event::Started(_, Err(failure))) => {
                if several {
                    failure.tell();
                }
                failures.push(failure);
            }
            Ok(Event::Stop | Event::ConsoleEnded(_)) | Err(_) => {
                let mut running: Vec<_> = running.into_iter().map(|(_, account)| account).collect();
                stop(&mut running);
                return Ok(None);
            }
        }
    }
    if running.is_empty() {
        return Err(match failures.pop() {
            Some(failure) if !several => failure,
            _ => Failure::service("no account is left to run"),
        });
    }
    running.sort_by_key(|(number, _)| *number);
    Ok(Some(running.into_iter().map(|(_, account)| account).collect()))
}

/// How these accounts stand.
fn reports_of(running: &[Running]) -> Reports {
    let accounts: Vec<_> = running
        .iter()
        .map(|account| {
            let places: Vec<_> = account.points.iter().map(|point| point.place()).collect();
            (account.username.clone(), Arc::clone(&account.session), places)
        })
        .collect();
    let report = |(username, session, places): &(String, Arc<Session>, Vec<String>)| Report {
        username: username.clone(),
        state: State::Running,
        places: places.clone(),
        overview: Some(session.overview()),
    };
    Arc::new(move || accounts.iter().map(report).collect())
}

/// Says where the connection points are.
fn announce(running: &[Running], gateway: Option<&Gateway>, others: &[String], several: bool) {
    let mut text = String::new();
    for account in running {
        for point in &account.points {
            let whose = if several { format!(" ({})", account.username) } else { String::new() };
            text += &format!("listening: {}{whose}\n", point.place());
        }
    }
    if let Some(gateway) = gateway {
        text += &format!("listening: gateway {}\n", gateway.url());
    }
    for place in others {
        text += &format!("listening: {place}\n");
    }
    // Whoever closed standard output does not want to know.
    let mut output = std::io::stdout().lock();
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
}

/// Waits until the program is to end.
fn wait_for_end(events: &Receiver<Event>, manager: &mut Manager, only_console: bool) -> Result<(), Failure> {
    while let Some(event) = manager.wait(events) {
        match event {
            Event::Stop => return Ok(()),
            Event::Started(..) => {}
            Event::ConsoleEnded(Ok(Ended::Session)) => {
                return Err(Failure::service("the session has ended by itself"));
            }
            Event::ConsoleEnded(Err(error)) if only_console => return Err(error.into()),
            Event::ConsoleEnded(Err(error)) => complain(&error.chain()),
            Event::ConsoleEnded(Ok(Ended::Input | Ended::Output)) if only_console => return Ok(()),
            Event::ConsoleEnded(Ok(_)) => {}
        }
    }
    Ok(())
}

/// Ends the sockets, then logs out; all accounts at once, because each may take its time.
fn stop(running: &mut [Running]) {
    std::thread::scope(|scope| {
        for account in running {
            scope.spawn(move || {
                account.points.iter_mut().for_each(|point| point.stop());
                account.session.close();
            });
        }
    });
}
