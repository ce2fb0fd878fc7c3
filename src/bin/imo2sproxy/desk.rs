//! Who looks after the program is answered here, on one thread that sessions never wait for.

use std::net::SocketAddr;
use std::thread::JoinHandle;

use tokio::sync::oneshot;

use crate::control::Control;
use crate::control::Place;
use crate::failure::Failure;
use crate::metrics::Metrics;
use crate::report::Reports;

/// What is to be answered, and where.
#[derive(Default)]
pub(crate) struct Wanted {
    pub(crate) control: Option<Place>,
    pub(crate) metrics: Option<SocketAddr>,
}

/// Answers until it is dropped.
pub(crate) struct Desk {
    places: Vec<String>,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Desk {
    /// Takes every place, and answers from now on.
    pub(crate) fn open(wanted: Wanted, reports: Reports) -> Result<Self, Failure> {
        let metrics = wanted.metrics.map(Metrics::bind).transpose()?;
        let control = wanted.control.map(Place::bind).transpose()?.flatten();
        let places = metrics.iter().map(Metrics::place).collect();
        if metrics.is_none() && control.is_none() {
            return Ok(Self { places, stop: None, thread: None });
        }
        let failed = |error| Failure::service(format!("cannot start the thread of the control socket: {error}"));
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build().map_err(failed)?;
        let (stop, stopped) = oneshot::channel();
        let thread = std::thread::Builder::new()
            .name("imo2sproxy-desk".to_owned())
            .stack_size(512 * 1024)
            .spawn(move || {
                runtime.block_on(async {
                    tokio::select! {
                        _ = stopped => {}
                        () = serve(control, metrics, reports) => {}
                    }
                });
            })
            .map_err(failed)?;
        Ok(Self { places, stop: Some(stop), thread: Some(thread) })
    }

    /// What is there for other programs, and where.
    pub(crate) fn places(&self) -> &[String] {
        &self.places
    }
}

impl Drop for Desk {
    fn drop(&mut self) {
        drop(self.stop.take());
        if let Some(thread) = self.thread.take() {
            // A panic of that thread was reported when it happened.
            let _ = thread.join();
        }
    }
}

async fn serve(control: Option<Control>, metrics: Option<Metrics>, reports: Reports) {
    let control = async {
        match control {
            Some(control) => control.serve(reports.clone()).await,
            None => Ok(()),
        }
    };
    let metrics = async {
        match metrics {
            Some(metrics) => metrics.serve(reports.clone()).await,
            None => Ok(()),
        }
    };
    let (control, metrics) = tokio::join!(control, metrics);
    for error in [control.err(), metrics.err()].into_iter().flatten() {
        tracing::error!(%error, "nobody can look after the program any more");
    }
}
