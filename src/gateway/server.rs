//! The life of a gateway: socket, runtime, threads.

use std::io::ErrorKind;
use std::net::TcpListener;
use std::net::ToSocketAddrs;
use std::sync::Arc;
use std::thread::JoinHandle;
use std::time::Duration;

use tokio::runtime::Builder;
use tokio::runtime::Runtime;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::error::Result;
use crate::threads::without_signals;

use super::GatewayConfig;
use super::core::Core;
use super::db::Database;
use super::http;
use super::listener;
use super::listener::Accept;
use super::metrics::Metrics;
use super::service::CHECKS;
use super::service::Service;

/// How long a stop waits for answers under way.
const GRACE: Duration = Duration::from_secs(2);

/// What runs.
#[derive(Debug)]
pub(super) struct Server {
    url: String,
    running: Option<Running>,
}

struct Running {
    runtime: Runtime,
    service: Arc<Service>,
    stop: oneshot::Sender<()>,
    serving: tokio::task::JoinHandle<()>,
    ticking: tokio::task::JoinHandle<()>,
    database: Option<JoinHandle<()>>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("Running").finish_non_exhaustive()
    }
}

impl Server {
    pub(super) fn start<A: Accept>(config: &GatewayConfig, accept: A) -> Result<Self> {
        let listener = listen(&config.listen)?;
        let internal = |error: std::io::Error| Error::Internal(format!("cannot start the gateway: {error}"));
        let address = listener.local_addr().map_err(internal)?;
        let durable = config.database.is_some();
        let db = Database::open(config.database.as_deref())?;
        let path = config.database.as_ref().map_or_else(String::new, |file| file.display().to_string());
        let core = Core::new(db, Metrics::default(), config.session_expiry)
            .map_err(|source| Error::Store { path, source: source.into() })?;
        let mut builder = Builder::new_multi_thread();
        builder
            .worker_threads(2)
            .thread_name("imo2skype-gw")
            // For passwords alone, each on a thread that may be there already: glibc keeps the
            // memory of a check for every thread that ever made one.
            .max_blocking_threads(CHECKS)
            .enable_all();
        let runtime = without_signals(|| builder.build()).map_err(internal)?;
        let (service, database) = Service::new(core, durable, config.open_registration, config.poll_limit)?;
        let service = Arc::new(service);
        let app = http::router(Arc::clone(&service), A::SECURE);
        let scheme = if A::SECURE { "https" } else { "http" };
        let (stop, stopped) = oneshot::channel();
        // The socket registers itself with the runtime.
        let guard = runtime.enter();
        let listener = tokio::net::TcpListener::from_std(listener).map_err(internal)?;
        drop(guard);
        let serving = runtime.spawn(listener::serve(listener, accept, app, stopped));
        let every = config.tick.max(Duration::from_millis(10));
        let theirs = Arc::clone(&service);
        let ticking = runtime.spawn(async move {
            let mut interval = tokio::time::interval(every);
            loop {
                interval.tick().await;
                theirs.tick().await;
            }
        });
        let url = format!("{scheme}://{address}/");
        tracing::info!(url, "gateway");
        Ok(Self { url, running: Some(Running { runtime, service, stop, serving, ticking, database }) })
    }

    pub(super) fn url(&self) -> &str {
        &self.url
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        let Some(running) = self.running.take() else { return };
        // On a thread of its own, because the caller may be inside a runtime, where waiting for
        // another one is forbidden.
        let builder = std::thread::Builder::new().name("imo2skype-gw".to_owned());
        let stop = without_signals(|| builder.spawn(move || running.stop()));
        match stop.map(JoinHandle::join) {
            Ok(Ok(())) => {}
            Ok(Err(_)) => tracing::error!(what = "stop", "panicked"),
            Err(error) => tracing::error!(%error, "stop"),
        }
    }
}

impl Running {
    fn stop(self) {
        let Self { runtime, service, stop, serving, ticking, database } = self;
        ticking.abort();
        service.close();
        drop(stop);
        if runtime.block_on(async { tokio::time::timeout(GRACE, serving).await }).is_err() {
            tracing::warn!("connections with answers under way are cut");
        }
        runtime.shutdown_timeout(GRACE);
        // The last holder of the sender: now the database thread ends.
        drop(service);
        if let Some(thread) = database
            && thread.join().is_err()
        {
            tracing::error!(what = "database thread", "panicked");
        }
    }
}

fn listen(address: &str) -> Result<TcpListener> {
    let invalid = |problem: String| Error::InvalidArgument { name: "listen", problem };
    let addresses: Vec<_> = address
        .to_socket_addrs()
        .map_err(|error| invalid(format!("{address:?} is no address and port such as 127.0.0.1:8014: {error}")))?
        .collect();
    let listener = TcpListener::bind(addresses.as_slice()).map_err(|error| {
        invalid(match error.kind() {
            ErrorKind::AddrInUse => {
                format!("another program listens on {address}; choose another port, 0 picks a free one")
            }
            ErrorKind::AddrNotAvailable => format!("{address} is no address of this machine; try 127.0.0.1"),
            ErrorKind::PermissionDenied => {
                format!("this user may not listen on {address}; choose a port from 1024 on, 0 picks a free one")
            }
            _ => format!("cannot listen on {address}: {error}"),
        })
    })?;
    listener.set_nonblocking(true).map_err(|error| invalid(format!("cannot listen on {address}: {error}")))?;
    Ok(listener)
}
