//! There is no service manager that wants to be told anything here.

use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Receiver;
use crossbeam_channel::RecvTimeoutError;

use crate::report::Reports;

pub(crate) struct Manager;

pub(crate) fn watchdog() -> Option<Duration> {
    None
}

impl Manager {
    pub(crate) fn new(_watchdog: Option<Duration>, _reports: Reports) -> Self {
        Self
    }

    pub(crate) fn ready(&mut self) {}

    pub(crate) fn reloading(&self) {}

    pub(crate) fn stopping(&self) {}

    pub(crate) fn wait<T>(&mut self, events: &Receiver<T>, until: Option<Instant>) -> Result<T, RecvTimeoutError> {
        match until {
            Some(until) => events.recv_deadline(until),
            None => events.recv().map_err(|_| RecvTimeoutError::Disconnected),
        }
    }
}
