//! SIGTERM and SIGINT: the first asks to stop, the second insists. SIGHUP: the configuration file has changed. SIGUSR1: the
//! log file was moved away.

use crossbeam_channel::Sender;

use crate::failure::Failure;
use crate::run::Event;

#[cfg(unix)]
pub(crate) use signal_hook::iterator::Signals;

#[cfg(unix)]
fn failed(error: std::io::Error) -> Failure {
    Failure::service(format!("cannot watch for signals: {error}"))
}

/// Has the signals that must not end the program wait for [`watch`].
#[cfg(unix)]
pub(crate) fn listen() -> Result<Signals, Failure> {
    Signals::new([signal_hook::consts::SIGHUP, signal_hook::consts::SIGUSR1]).map_err(failed)
}

#[cfg(unix)]
pub(crate) fn watch(
    mut signals: Signals,
    events: Sender<Event>,
    reopen_log: impl Fn() + Send + 'static,
) -> Result<(), Failure> {
    use std::sync::Arc;
    use std::sync::atomic::AtomicBool;

    use signal_hook::consts::SIGHUP;
    use signal_hook::consts::SIGINT;
    use signal_hook::consts::SIGTERM;
    use signal_hook::consts::SIGUSR1;

    let asked = Arc::new(AtomicBool::new(false));
    for signal in [SIGINT, SIGTERM] {
        // In this order: the first signal raises the flag only after it was looked at.
        signal_hook::flag::register_conditional_shutdown(signal, 1, Arc::clone(&asked)).map_err(failed)?;
        signal_hook::flag::register(signal, Arc::clone(&asked)).map_err(failed)?;
        signals.add_signal(signal).map_err(failed)?;
    }
    std::thread::Builder::new()
        .name("imo2sproxy-signals".to_owned())
        .stack_size(64 * 1024)
        .spawn(move || {
            for signal in signals.forever() {
                let event = match signal {
                    SIGUSR1 => {
                        reopen_log();
                        continue;
                    }
                    SIGHUP => Event::Reload,
                    _ => Event::Stop,
                };
                // Nobody listens any more when the program is stopping already.
                let _ = events.send(event);
            }
        })
        .map_err(failed)?;
    Ok(())
}

#[cfg(not(unix))]
pub(crate) struct Signals;

#[cfg(not(unix))]
pub(crate) fn listen() -> Result<Signals, Failure> {
    Ok(Signals)
}

#[cfg(not(unix))]
pub(crate) fn watch(
    _signals: Signals,
    _events: Sender<Event>,
    _reopen_log: impl Fn() + Send + 'static,
) -> Result<(), Failure> {
    // The system ends the program; the network finds out by itself.
    Ok(())
}
