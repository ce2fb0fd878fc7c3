//! From the plan to the end: what happens is waited for here, and done to the accounts.

use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use crossbeam_channel::unbounded;
use imo2skype::transport::console::Ended;

use crate::accounts::Accounts;
use crate::console;
use crate::desk::Desk;
use crate::detach;
use crate::failure::Failure;
use crate::inherited;
use crate::inherited::Sockets;
use crate::log::Log;
use crate::notify;
use crate::notify::Manager;
use crate::options::Arguments;
use crate::pid_file::PidFile;
use crate::plan::Plan;
use crate::plan::Wanted;
use crate::settings::Settings;
use crate::signals;
use crate::signals::Signals;
use crate::sources::Sources;
use crate::start::Id;
use crate::start::Running;

/// What the main thread waits for.
pub(crate) enum Event {
    /// Somebody wants the program to end.
    Stop,
    /// Somebody has changed the configuration.
    Reload,
    /// An account stands, or does not.
    Started(Id, Result<Running, Failure>),
    /// An account is gone.
    Stopped(Id),
    /// The console is over.
    ConsoleEnded(imo2skype::Result<Ended>),
}

/// Does what is asked for, until somebody stops it.
pub(crate) fn run(arguments: Arguments) -> Result<(), Failure> {
    // First: reading the configuration may take its time, and whoever changes it meanwhile is to be heard.
    let signals = signals::listen()?;
    let plan = Plan::new(arguments)?;
    let watchdog = notify::watchdog();
    let sockets = inherited::hand_out(&plan.accounts)?;
    // Before there is any thread.
    let readiness = if plan.detach { Some(detach::detach()?) } else { None };
    let mut daemon = Daemon { readiness, watchdog, _pid_file: None };
    let outcome = daemon.serve(plan, sockets, signals);
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
    fn serve(&mut self, plan: Plan, sockets: Sockets, signals: Signals) -> Result<(), Failure> {
        let log = Log::start(plan.verbose, plan.log_file.as_deref())?;
        let (sender, events) = unbounded();
        signals::watch(signals, sender.clone(), log.reopener())?;
        self._pid_file = plan.pid_file.map(PidFile::write).transpose()?;

        let mut accounts = Accounts::new(plan.data_dir, sockets, sender.clone());
        accounts.apply(plan.accounts, plan.several);
        accounts.prepare();
        // Before the accounts, so that it can be asked how far they are.
        let desk = Desk::open(plan.desk, accounts.reports())?;
        accounts.start();
        let Some(reload) = wait_for_all(&mut accounts, plan.several, &events)? else {
            accounts.stop();
            return Ok(());
        };
        if reload {
            // Nobody else takes events before that one.
            let _ = sender.send(Event::Reload);
        }
        let mut manager = Manager::new(self.watchdog, accounts.reports());
        // Before anybody is told where to connect: what becomes of those who do belongs in the log.
        log.unmute();
        accounts.announce(desk.places());
        if let Some(readiness) = self.readiness.take() {
            readiness.ready().map_err(|error| Failure::service(format!("cannot let go of the console: {error}")))?;
        }
        if let Some((session, linger)) = accounts.console() {
            console::start(session, accounts.only_console().then_some(linger), sender)?;
        }
        manager.ready();
        let mut service =
            Service { accounts, manager, log, sources: plan.sources, whole: plan.whole, is_reloading: false };
        let outcome = service.go_on(&events);
        service.manager.stopping();
        drop(desk);
        service.accounts.stop();
        outcome
    }
}

/// Waits until every account stands or does not. Inside: whether the configuration has changed meanwhile; `None` if
/// somebody stops the program.
fn wait_for_all(accounts: &mut Accounts, several: bool, events: &Receiver<Event>) -> Result<Option<bool>, Failure> {
    let mut reload = false;
    let mut last = None;
    while !accounts.is_settled() {
        match events.recv() {
            Ok(Event::Started(id, outcome)) => {
                if let Some(failure) = accounts.started(id, outcome) {
                    if several {
                        failure.tell();
                    }
                    last = Some(failure);
                }
            }
            Ok(Event::Stopped(id)) => accounts.stopped(id),
            Ok(Event::Reload) => reload = true,
            Ok(Event::Stop | Event::ConsoleEnded(_)) | Err(_) => return Ok(None),
        }
    }
    if accounts.any_runs() {
        return Ok(Some(reload));
    }
    Err(last.filter(|_| !several).unwrap_or_else(|| Failure::service("no account is left to run")))
}

/// The program that stands.
struct Service {
    accounts: Accounts,
    manager: Manager,
    log: Log,
    sources: Sources,
    /// What was said for the whole program at its start.
    whole: Settings,
    /// Whether the service manager waits for the end of a reload.
    is_reloading: bool,
}

impl Service {
    /// Waits until the program is to end.
    fn go_on(&mut self, events: &Receiver<Event>) -> Result<(), Failure> {
        loop {
            match self.manager.wait(events, self.accounts.next_try()) {
                Ok(Event::Stop) | Err(RecvTimeoutError::Disconnected) => return Ok(()),
                Err(RecvTimeoutError::Timeout) => self.accounts.start(),
                Ok(Event::Reload) => self.reload(),
                Ok(Event::Started(id, outcome)) => {
                    if let Some(failure) = self.accounts.started(id, outcome) {
                        self.log.complain(failure.text());
                    }
                    self.accounts.announce(&[]);
                }
                Ok(Event::Stopped(id)) => self.accounts.stopped(id),
                Ok(Event::ConsoleEnded(ended)) => match ended {
                    Ok(Ended::Session) => return Err(Failure::service("the session has ended by itself")),
                    Err(error) if self.accounts.only_console() => return Err(error.into()),
                    Err(error) => self.log.complain(&error.chain()),
                    Ok(_) if self.accounts.only_console() => return Ok(()),
                    Ok(_) => {}
                },
            }
            if self.is_reloading && self.accounts.is_settled() {
                self.is_reloading = false;
                self.manager.ready();
            }
        }
    }

    /// Reads the configuration again. Whatever is wrong with it, nothing that runs ends by that.
    fn reload(&mut self) {
        self.manager.reloading();
        self.is_reloading = true;
        if !self.sources.has_file() {
            self.log.complain("warning: SIGHUP: there is no configuration file (--config) that could be read again");
            return;
        }
        if let Err(failure) = self.reread() {
            self.log.complain(&format!("the configuration stays as it was: {}", failure.text()));
        }
    }

    fn reread(&mut self) -> Result<(), Failure> {
        let Wanted { whole, accounts: wanted } = self.sources.wanted()?;
        let several = wanted.len() > 1;
        let accounts = &self.accounts;
        let plan = self.sources.plan_again(wanted, accounts.data_dir(), |name| accounts.password(name))?;
        for name in self.whole.other_for_the_program(&whole) {
            self.log.complain(&format!("warning: {name} changes when the program is started again"));
        }
        for text in self.accounts.apply(plan, several) {
            self.log.complain(&text);
        }
        self.accounts.start();
        Ok(())
    }
}
