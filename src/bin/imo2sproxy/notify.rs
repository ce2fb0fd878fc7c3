//! What a service manager such as systemd wants to be told (sd_notify). Without one, nothing is done here.

use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;
use sd_notify::NotifyState;

use crate::report::Report;
use crate::report::Reports;

/// The way to the service manager.
pub(crate) struct Manager {
    reports: Reports,
    /// How often it wants to hear that the program lives.
    beat: Option<Duration>,
    next: Instant,
    /// What it was told last.
    status: String,
}

/// How long the service manager waits between two signs of life, as the environment says. Asked for before the process
/// detaches: it is meant for the one that was started.
pub(crate) fn watchdog() -> Option<Duration> {
    sd_notify::watchdog_enabled().filter(|patience| !patience.is_zero())
}

/// The daemon with this number stands, and goes on when this process ends.
pub(crate) fn detached(daemon: u32) {
    tell(&[NotifyState::MainPid(daemon), NotifyState::Ready]);
}

impl Manager {
    /// Knows how to see that the program lives.
    pub(crate) fn new(watchdog: Option<Duration>, reports: Reports) -> Self {
        let beat = watchdog.map(|patience| patience / 2);
        Self { reports, beat, next: Instant::now(), status: String::new() }
    }

    /// Every connection point stands.
    pub(crate) fn ready(&mut self) {
        self.tell_with_status(NotifyState::Ready);
        self.beat();
    }

    /// The configuration is read again; [`ready`](Self::ready) ends that.
    pub(crate) fn reloading(&self) {
        match NotifyState::monotonic_usec_now() {
            Ok(now) => tell(&[NotifyState::Reloading, now]),
            Err(error) => tracing::warn!(%error, "cannot tell the service manager of a reload"),
        }
    }

    /// The program is about to end.
    pub(crate) fn stopping(&self) {
        tell(&[NotifyState::Stopping, NotifyState::Status("logging out")]);
    }

    /// The next event, or that it is late enough; signs of life are given meanwhile.
    pub(crate) fn wait<T>(&mut self, events: &Receiver<T>, until: Option<Instant>) -> Result<T, RecvTimeoutError> {
        loop {
            let beat = self.beat.map(|_| self.next);
            // Without a watchdog nothing wakes the program for nothing.
            let Some(deadline) = beat.into_iter().chain(until).min() else {
                return events.recv().map_err(|_| RecvTimeoutError::Disconnected);
            };
            match events.recv_deadline(deadline) {
                Err(RecvTimeoutError::Timeout) if beat == Some(deadline) => self.beat(),
                outcome => return outcome,
            }
        }
    }

    /// A sign of life. The lock of every session is taken for it: where one does not come free, there is none.
    fn beat(&mut self) {
        if let Some(beat) = self.beat {
            self.tell_with_status(NotifyState::Watchdog);
            self.next = Instant::now() + beat;
        }
    }

    fn tell_with_status(&mut self, state: NotifyState<'_>) {
        if std::env::var_os("NOTIFY_SOCKET").is_none() {
            return;
        }
        let status = summary(&(self.reports)());
        if status == self.status {
            tell(&[state]);
        } else {
            tell(&[state, NotifyState::Status(&status)]);
            self.status = status;
        }
    }
}

fn tell(states: &[NotifyState<'_>]) {
    if let Err(error) = sd_notify::notify(states) {
        tracing::warn!(%error, "cannot tell the service manager");
    }
}

/// How many accounts are online, in a line for people.
fn summary(reports: &[Report]) -> String {
    let online = reports.iter().filter(|report| report.is_online()).count();
    let clients = reports.iter().filter_map(|report| Some(report.overview.as_ref()?.clients.len())).sum::<usize>();
    let plural = |many: usize| if many == 1 { "" } else { "s" };
    let all = reports.len();
    format!("{online} of {all} account{} online, {clients} client{}", plural(all), plural(clients))
}
