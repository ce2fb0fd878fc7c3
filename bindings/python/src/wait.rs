//! Waiting without the interpreter lock, in slices short enough for Ctrl-C.

use std::sync::mpsc::RecvTimeoutError;
use std::sync::mpsc::sync_channel;
use std::thread::Builder;
use std::time::Duration;
use std::time::Instant;

use imo2skype::Error;
use imo2skype::Result;
use pyo3::Borrowed;
use pyo3::FromPyObject;
use pyo3::PyAny;
use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::Python;
use pyo3::exceptions::PyOverflowError;
use pyo3::exceptions::PyValueError;
use pyo3::types::PyAnyMethods;

use crate::errors::raise;

/// After so long at the latest, Python looks at its signals.
const SLICE: Duration = Duration::from_millis(40);

/// How long to wait: seconds, not negative. What no clock can hold is for ever.
pub(crate) struct Timeout(Option<Duration>);

impl Timeout {
    pub(crate) const FOR_EVER: Self = Self(None);
    /// The default of `invoke`.
    pub(crate) const TEN_SECONDS: Self = Self(Some(Duration::from_secs(10)));

    /// As Python has it.
    pub(crate) fn seconds(&self) -> Option<f64> {
        self.0.map(|timeout| timeout.as_secs_f64())
    }
}

impl<'py> FromPyObject<'_, 'py> for Timeout {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        if value.is_none() {
            return Ok(Self::FOR_EVER);
        }
        let seconds: f64 = value.extract().map_err(|error: PyErr| {
            if error.is_instance_of::<PyOverflowError>(value.py()) {
                PyValueError::new_err("timeout: too large; None waits for ever")
            } else {
                error
            }
        })?;
        if seconds.is_nan() || seconds < 0.0 {
            let problem = format!("timeout: cannot be {seconds}; it takes seconds from 0 on, or None to wait for ever");
            return Err(PyValueError::new_err(problem));
        }
        Ok(Self(Duration::try_from_secs_f64(seconds).ok()))
    }
}

/// Has `wait` wait for short whiles until it has something or `timeout` is over, which is `None`.
pub(crate) fn in_slices<T: Send>(
    py: Python<'_>,
    timeout: &Timeout,
    wait: impl Fn(Duration) -> Result<Option<T>> + Send + Sync,
) -> PyResult<Option<T>> {
    // A deadline beyond what the clock can hold is none.
    let deadline = timeout.0.and_then(|timeout| Instant::now().checked_add(timeout));
    loop {
        let left = deadline.map(|deadline| deadline.saturating_duration_since(Instant::now()));
        let slice = left.map_or(SLICE, |left| left.min(SLICE));
        if let Some(found) = py.detach(|| wait(slice)).map_err(|error| raise(py, &error))? {
            return Ok(Some(found));
        }
        py.check_signals()?;
        if left.is_some_and(|left| left == slice) {
            return Ok(None);
        }
    }
}

/// Does `work`, which can't be cut into slices, on a thread of its own, and waits for that. When a
/// signal ends the waiting, the work goes on alone and what it makes is dropped.
pub(crate) fn aside<T: Send + 'static>(
    py: Python<'_>,
    thread: &str,
    work: impl FnOnce() -> Result<T> + Send + 'static,
) -> PyResult<T> {
    let (sender, outcome) = sync_channel(1);
    let spawned = Builder::new().name(thread.to_owned()).spawn(move || {
        // Fails when nobody waits any more.
        let _ = sender.send(work());
    });
    if let Err(error) = spawned {
        return Err(raise(py, &Error::Internal(format!("no thread left: {error}"))));
    }
    let mut outcome = outcome;
    loop {
        // Only one thread may have the receiver, so it goes there and back.
        let (back, made) = py.detach(move || {
            let made = outcome.recv_timeout(SLICE);
            (outcome, made)
        });
        outcome = back;
        match made {
            Ok(made) => return made.map_err(|error| raise(py, &error)),
            Err(RecvTimeoutError::Timeout) => py.check_signals()?,
            Err(RecvTimeoutError::Disconnected) => {
                return Err(raise(py, &Error::Internal(format!("the thread {thread} panicked"))));
            }
        }
    }
}
