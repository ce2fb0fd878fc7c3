//! The accounts of the program: each is started, stopped and replaced without the others noticing.

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Sender;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;
use secrecy::ExposeSecret;
use secrecy::SecretString;
use tracing::Span;

use crate::data::DataDir;
use crate::data::make_directory;
use crate::failure::Failure;
use crate::inherited::Sockets;
use crate::log;
use crate::plan::Account;
use crate::report::Report;
use crate::report::Reports;
use crate::report::State;
use crate::run::Event;
use crate::sources::Planned;
use crate::start;
use crate::start::Id;
use crate::start::Running;

/// The first wait before a server that cannot be reached is tried again, and the longest.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_WAIT: Duration = Duration::from_secs(60);

pub(crate) struct Accounts {
    table: Arc<Mutex<Vec<Entry>>>,
    data_dir: Arc<DataDir>,
    sockets: Sockets,
    /// Started when the first account needs it.
    gateway: Option<Gateway>,
    gateway_is_told: bool,
    events: Sender<Event>,
    next: u64,
    several: bool,
}

struct Entry {
    id: Id,
    name: String,
    /// None if there cannot be such an account.
    account: Option<Arc<Account>>,
    phase: Phase,
    /// How often it was tried in vain.
    tries: u32,
    /// What was told of it last.
    told: Option<String>,
}

enum Phase {
    /// For those that leave: they may have what it needs.
    Waiting,
    Starting,
    /// With whether it was told where it is.
    Running(Running, bool),
    Failed {
        reason: String,
        again: Option<Instant>,
    },
    Leaving(Option<JoinHandle<()>>),
}

impl Accounts {
    pub(crate) fn new(data_dir: DataDir, sockets: Sockets, events: Sender<Event>) -> Self {
        Self {
            table: Arc::default(),
            data_dir: Arc::new(data_dir),
            sockets,
            gateway: None,
            gateway_is_told: false,
            events,
            next: 0,
            several: false,
        }
    }

    pub(crate) fn data_dir(&self) -> &DataDir {
        &self.data_dir
    }

    /// How the accounts stand. The lock is held meanwhile: nobody keeps a session that is to end.
    pub(crate) fn reports(&self) -> Reports {
        let table = Arc::clone(&self.table);
        Arc::new(move || {
            let table = lock(&table);
            let replaced = |entry: &Entry| {
                matches!(entry.phase, Phase::Leaving(_))
                    && table.iter().any(|other| other.id != entry.id && other.name == entry.name)
            };
            table.iter().filter(|entry| !replaced(entry)).map(Entry::report).collect()
        })
    }

    /// The password of an account of this name.
    pub(crate) fn password(&self, name: &str) -> Option<SecretString> {
        let table = lock(&self.table);
        let account = table.iter().filter(|entry| entry.name == name).find_map(|entry| entry.account.as_ref());
        account.map(|account| account.config.password.clone())
    }

    /// Makes the accounts those of the plan; what there is to be told of it. Those that are the same stay as they are.
    pub(crate) fn apply(&mut self, mut plan: Vec<Planned>, several: bool) -> Vec<String> {
        self.several = several;
        let mut told = Vec::new();
        let table = Arc::clone(&self.table);
        let mut table = lock(&table);
        let (leaving, mut old): (Vec<_>, Vec<_>) =
            table.drain(..).partition(|entry| matches!(entry.phase, Phase::Leaving(_)));
        let first = self.next == 0;
        let mut same: Vec<_> = plan
            .iter()
            .map(|planned| {
                let account = planned.account.as_ref().ok()?;
                let place = old.iter().position(|entry| entry.is_for(account))?;
                Some(old.remove(place))
            })
            .collect();
        for (mut planned, same) in plan.drain(..).zip(same.drain(..)) {
            let name = planned.name;
            if same.is_none() && !first && planned.account.as_ref().is_ok_and(|account| account.console) {
                planned.account = Err(Failure::usage("the console (-m c) begins with the program: start that again"));
            }
            match (planned.account, same) {
                (Ok(account), Some(mut entry)) => {
                    entry.renew(account);
                    table.push(entry);
                }
                (Ok(account), None) => {
                    let before = old.iter().position(|entry| entry.name == name);
                    if let Some(place) = before.filter(|place| old[*place].has_console()) {
                        told.push(format!("{name}: what has the console changes when the program is started again"));
                        table.push(old.remove(place));
                        continue;
                    }
                    table.push(self.entry(name, Some(account), Phase::Waiting));
                }
                (Err(failure), _) => {
                    let reason = failure.text().to_owned();
                    if !first {
                        told.push(format!("{name}: {reason}"));
                    }
                    match old.iter().position(|entry| entry.name == name && entry.account.is_some()) {
                        Some(place) => table.push(old.remove(place)),
                        None => table.push(self.entry(name, None, Phase::Failed { reason, again: None })),
                    }
                }
            }
        }
        for entry in old {
            if entry.has_console() {
                told.push(format!("{}: what has the console goes when the program is started again", entry.name));
                table.push(entry);
            } else {
                table.extend(entry.leave(&self.events));
            }
        }
        table.extend(leaving);
        told
    }

    fn entry(&mut self, name: String, account: Option<Account>, phase: Phase) -> Entry {
        self.next += 1;
        Entry { id: Id(self.next), name, account: account.map(Arc::new), phase, tries: 0, told: None }
    }

    /// Has what accounts need before they start.
    pub(crate) fn prepare(&mut self) {
        let accounts: Vec<_> = lock(&self.table).iter().filter_map(|entry| entry.account.clone()).collect();
        for account in accounts {
            // What goes wrong is told when the account is started.
            let _ = self.gateway_for(&account);
            if let Ok(Some(directory)) = &account.history_dir {
                let _ = make_directory(directory);
            }
        }
    }

    fn gateway_for(&mut self, account: &Account) -> Result<Option<String>, Failure> {
        if account.config.server.is_some() {
            return Ok(None);
        }
        let gateway = match self.gateway.take() {
            Some(gateway) => gateway,
            None => Gateway::start(GatewayConfig::embedded(Some(self.data_dir.gateway()?)))?,
        };
        Ok(Some(self.gateway.insert(gateway).url().to_owned()))
    }

    /// Starts those that wait, once nothing leaves, and those that it is time to try again.
    pub(crate) fn start(&mut self) {
        let mut ready = Vec::new();
        {
            let mut table = lock(&self.table);
            let leaving = table.iter().any(|entry| matches!(entry.phase, Phase::Leaving(_)));
            let now = Instant::now();
            for entry in table.iter_mut() {
                let due = match &entry.phase {
                    Phase::Waiting => !leaving,
                    Phase::Failed { again, .. } => again.is_some_and(|again| again <= now),
                    _ => false,
                };
                if let (true, Some(account)) = (due, &entry.account) {
                    ready.push((entry.id, Arc::clone(account)));
                    entry.phase = Phase::Starting;
                }
            }
        }
        for (id, account) in ready {
            // Whoever is alone needs no name.
            let span = if self.several { log::span(&account.config.username) } else { Span::none() };
            let sockets = self.sockets.get(&account.config.username).cloned().unwrap_or_default();
            let begun = self.gateway_for(&account).and_then(|gateway| {
                start::begin(id, span, account, sockets, gateway, Arc::clone(&self.data_dir), self.events.clone())
            });
            if let Err(failure) = begun {
                let _ = self.events.send(Event::Started(id, Err(failure)));
            }
        }
    }

    /// An account stands, or does not: then what there is to be told of it, unless it was told before.
    pub(crate) fn started(&mut self, id: Id, outcome: Result<Running, Failure>) -> Option<Failure> {
        let mut table = lock(&self.table);
        let place = table.iter().position(|entry| entry.id == id)?;
        if matches!(table[place].phase, Phase::Leaving(_)) {
            // It was taken away meanwhile.
            let mut entry = table.remove(place);
            if let Ok(running) = outcome {
                entry.phase = Phase::Running(running, true);
                table.extend(entry.leave(&self.events));
            } else {
                let _ = self.events.send(Event::Stopped(id));
            }
            return None;
        }
        let entry = &mut table[place];
        match outcome {
            Ok(running) => {
                if let Some(account) = &entry.account {
                    // The rules may have changed meanwhile.
                    let _ = running.session.admit(account.config.admission.clone());
                }
                entry.phase = Phase::Running(running, false);
                (entry.tries, entry.told) = (0, None);
                None
            }
            Err(failure) => {
                let again = failure.passing.then(|| Instant::now() + wait(entry.tries));
                entry.tries += 1;
                let reason = failure.text().to_owned();
                entry.phase = Phase::Failed { reason: reason.clone(), again };
                let failure = if self.several { failure.of(&entry.name) } else { failure };
                (entry.told.replace(reason.clone()) != Some(reason)).then_some(failure)
            }
        }
    }

    /// An account is gone.
    pub(crate) fn stopped(&mut self, id: Id) {
        lock(&self.table).retain(|entry| entry.id != id);
        self.start();
    }

    /// When one is to be tried again.
    pub(crate) fn next_try(&self) -> Option<Instant> {
        let again = |entry: &Entry| match entry.phase {
            Phase::Failed { again, .. } => again,
            _ => None,
        };
        lock(&self.table).iter().filter_map(again).min()
    }

    /// Whether nothing is about to start or to end.
    pub(crate) fn is_settled(&self) -> bool {
        let settled = |entry: &Entry| matches!(entry.phase, Phase::Running(..) | Phase::Failed { .. });
        lock(&self.table).iter().all(settled)
    }

    pub(crate) fn any_runs(&self) -> bool {
        lock(&self.table).iter().any(|entry| matches!(entry.phase, Phase::Running(..)))
    }

    /// Whether nobody can come by another connection point than the console.
    pub(crate) fn only_console(&self) -> bool {
        lock(&self.table).iter().all(|entry| match &entry.phase {
            Phase::Running(running, _) => running.points.is_empty(),
            _ => true,
        })
    }

    /// The account that has the console, and how long it lingers.
    pub(crate) fn console(&self) -> Option<(Arc<Session>, Duration)> {
        lock(&self.table).iter().find_map(|entry| match &entry.phase {
            Phase::Running(running, _) => Some((Arc::clone(&running.session), running.console?)),
            _ => None,
        })
    }

    /// Says where the connection points are that were not told of yet, and these others.
    pub(crate) fn announce(&mut self, others: &[String]) {
        let mut text = String::new();
        for entry in lock(&self.table).iter_mut() {
            let Phase::Running(running, told @ false) = &mut entry.phase else { continue };
            *told = true;
            for point in &running.points {
                let whose = if self.several { format!(" ({})", entry.name) } else { String::new() };
                text += &format!("listening: {}{whose}\n", point.place());
            }
        }
        if let (Some(gateway), false) = (&self.gateway, self.gateway_is_told) {
            self.gateway_is_told = true;
            text += &format!("listening: gateway {}\n", gateway.url());
        }
        for place in others {
            text += &format!("listening: {place}\n");
        }
        // Whoever closed standard output does not want to know.
        let mut output = std::io::stdout().lock();
        let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    }

    /// Ends all accounts at once, because each may take its time.
    pub(crate) fn stop(self) {
        let entries = std::mem::take(&mut *lock(&self.table));
        std::thread::scope(|scope| {
            for entry in entries {
                match entry.phase {
                    Phase::Running(running, _) => drop(scope.spawn(move || running.stop())),
                    Phase::Leaving(Some(thread)) => drop(scope.spawn(move || thread.join())),
                    _ => {}
                }
            }
        });
        if let Some(gateway) = self.gateway {
            gateway.stop();
        }
    }
}

impl Entry {
    fn is_for(&self, account: &Account) -> bool {
        self.account.as_ref().is_some_and(|ours| {
            ours.settings.of_account() == account.settings.of_account()
                && ours.config.password.expose_secret() == account.config.password.expose_secret()
        })
    }

    fn has_console(&self) -> bool {
        matches!(&self.phase, Phase::Running(running, _) if running.console.is_some())
    }

    /// The same account as it is planned now; if it had failed, it is tried again.
    fn renew(&mut self, account: Account) {
        match &self.phase {
            Phase::Running(running, _) => {
                // An error means that it is closed: nobody is admitted then.
                let _ = running.session.admit(account.config.admission.clone());
            }
            Phase::Failed { .. } => {
                self.phase = Phase::Waiting;
                (self.tries, self.told) = (0, None);
            }
            _ => {}
        }
        self.account = Some(Arc::new(account));
    }

    /// Logs out; that it is done is an event. None if there is nothing to wait for.
    fn leave(mut self, events: &Sender<Event>) -> Option<Self> {
        self.phase = match self.phase {
            Phase::Waiting | Phase::Failed { .. } => return None,
            Phase::Starting => Phase::Leaving(None),
            Phase::Leaving(thread) => Phase::Leaving(thread),
            Phase::Running(running, _) => {
                let (id, sender) = (self.id, events.clone());
                let thread = std::thread::Builder::new().name("imo2sproxy-stop".to_owned()).spawn(move || {
                    let stopped = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| running.stop()));
                    // A panic was reported when it happened.
                    drop(stopped);
                    let _ = sender.send(Event::Stopped(id));
                });
                if thread.is_err() {
                    // Dropped, and so stopped, already.
                    let _ = events.send(Event::Stopped(id));
                }
                Phase::Leaving(thread.ok())
            }
        };
        Some(self)
    }

    fn report(&self) -> Report {
        let mut report =
            Report { username: self.name.clone(), state: State::Starting, places: Vec::new(), overview: None };
        match &self.phase {
            Phase::Waiting | Phase::Starting => {}
            Phase::Running(running, _) => {
                report.state = State::Running;
                report.places = running.points.iter().map(|point| point.place()).collect();
                report.overview = Some(running.session.overview());
            }
            Phase::Failed { reason, .. } => report.state = State::Failed(reason.clone()),
            Phase::Leaving(_) => report.state = State::Stopped,
        }
        report
    }
}

/// How long to wait after so many tries: twice as long as before, ± 20 %, because others wait for the same server.
fn wait(tries: u32) -> Duration {
    let doubled = FIRST_WAIT.saturating_mul(1 << tries.min(10)).min(LONGEST_WAIT);
    doubled.mul_f64(rand::random_range(0.8..=1.2)).clamp(FIRST_WAIT, LONGEST_WAIT)
}

fn lock(table: &Mutex<Vec<Entry>>) -> MutexGuard<'_, Vec<Entry>> {
    table.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_wait_is_longer_and_none_is_that_of_the_others() {
        for (tries, least, most) in [(0, 1., 1.2), (1, 1.6, 2.4), (5, 25.6, 38.4), (6, 48., 60.), (u32::MAX, 48., 60.)]
        {
            let waits: Vec<_> = (0..100).map(|_| wait(tries).as_secs_f64()).collect();
            assert!(waits.iter().all(|wait| (least..=most).contains(wait)), "{tries}: {waits:?}");
            assert!(waits.iter().any(|wait| *wait != waits[0]), "no jitter: {waits:?}");
        }
    }
}
