//! `--metrics`: how the accounts stand, as Prometheus takes it, at `/metrics` of a loopback address.

use std::net::SocketAddr;
use std::net::TcpListener;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use axum::Router;
use axum::extract::State as Shared;
use axum::http::header;
use axum::response::IntoResponse;
use axum::response::Response;
use axum::routing::get;
use hyper::server::conn::http1;
use hyper_util::rt::TokioIo;
use hyper_util::rt::TokioTimer;
use hyper_util::service::TowerToHyperService;
use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::family::Family;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;
use tokio::sync::Semaphore;

use crate::failure::Failure;
use crate::report::Report;
use crate::report::Reports;
use crate::report::State;

/// How many connections there may be; others wait.
const AT_ONCE: usize = 64;

/// How long one connection may last: whoever scrapes makes another.
const PATIENCE: Duration = Duration::from_secs(300);

type Labels = Vec<(&'static str, String)>;
type Gauges = Family<Labels, Gauge>;
type Counters = Family<Labels, Counter>;

/// Whether the page may be there, without trying.
pub(crate) fn check(address: SocketAddr) -> Result<(), Failure> {
    if address.ip().to_canonical().is_loopback() {
        return Ok(());
    }
    Err(Failure::usage(format!(
        "metrics: {address} can be reached from other machines, and whoever reads the page needs no password; \
         it takes a loopback address, 127.0.0.1:9464 for one"
    )))
}

/// A page that has its place, and answers nobody yet.
pub(crate) struct Metrics {
    listener: TcpListener,
    address: SocketAddr,
    started: SystemTime,
}

impl Metrics {
    pub(crate) fn bind(address: SocketAddr) -> Result<Self, Failure> {
        let failed = |error| Failure::service(format!("cannot bind {address} for --metrics: {error}"));
        let listener = TcpListener::bind(address).map_err(failed)?;
        listener.set_nonblocking(true).map_err(failed)?;
        let address = listener.local_addr().map_err(failed)?;
        Ok(Self { listener, address, started: SystemTime::now() })
    }

    /// What it is, and where it is found.
    pub(crate) fn place(&self) -> String {
        format!("metrics http://{}/metrics", self.address)
    }

    /// Answers whoever asks, for as long as this is polled.
    pub(crate) async fn serve(self, reports: Reports) -> std::io::Result<()> {
        let listener = tokio::net::TcpListener::from_std(self.listener)?;
        let app = Router::new().route("/metrics", get(page)).with_state((reports, self.started));
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            // Never closed.
            let turn = Arc::clone(&turns).acquire_owned().await.map_err(std::io::Error::other)?;
            match listener.accept().await {
                Ok((stream, _)) => {
                    let service = TowerToHyperService::new(app.clone());
                    let connection =
                        http1::Builder::new().timer(TokioTimer::new()).serve_connection(TokioIo::new(stream), service);
                    tokio::spawn(async move {
                        // What a client does to its connection is its own affair.
                        let _ = tokio::time::timeout(PATIENCE, connection).await;
                        drop(turn);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection of the metrics");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }
}

async fn page(Shared((reports, started)): Shared<(Reports, SystemTime)>) -> Response {
    let kind = "application/openmetrics-text; version=1.0.0; charset=utf-8";
    ([(header::CONTENT_TYPE, kind)], text(&reports(), started)).into_response()
}

/// The text format of Prometheus.
fn text(reports: &[Report], started: SystemTime) -> String {
    let mut registry = Registry::with_prefix("imo2sproxy");
    let start = Gauge::<i64>::default();
    let since = started.duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    start.set(whole(since.as_secs()));
    registry.register("start_time_seconds", "When the program started, in seconds since 1970", start);
    let accounts = Gauges::default();
    for state in [State::Starting, State::Running, State::Failed(String::new()), State::Stopped] {
        let many = reports.iter().filter(|report| report.state.word() == state.word()).count();
        set(&accounts, vec![("state", state.word().to_owned())], many as u64);
    }
    registry.register("accounts", "Accounts by state", accounts);

    let gauges = |registry: &mut Registry, name: &str, help: &str| {
        let gauges = Gauges::default();
        registry.register(name, help, gauges.clone());
        gauges
    };
    let online = gauges(&mut registry, "online", "Whether the network is there for the account");
    let connection = gauges(&mut registry, "connection", "The word of CONNSTATUS as a label");
    let last_event = gauges(&mut registry, "last_event_age_seconds", "How long ago something came from the network");
    let clients = gauges(&mut registry, "clients", "Clients by connection point");
    let unread_max = gauges(&mut registry, "unread_lines_max", "Lines that wait for the slowest client");
    let unread_sum = gauges(&mut registry, "unread_lines", "Lines that wait for all clients");

    let counters = |registry: &mut Registry, name: &str, help: &str| {
        let counters = Counters::default();
        registry.register(name, help, counters.clone());
        counters
    };
    let commands = counters(&mut registry, "commands", "Commands of clients");
    let lines = counters(&mut registry, "lines", "Replies and notifications for clients");
    let received = counters(&mut registry, "messages_received", "Messages that the network has brought");
    let sent = counters(&mut registry, "messages_sent", "Messages that the network was given");

    for report in reports {
        let account = || ("account", report.username.clone());
        set(&online, vec![account()], u64::from(report.is_online()));
        let Some(overview) = &report.overview else { continue };
        set(&connection, vec![account(), ("status", overview.connection.to_owned())], 1);
        if let Some(age) = overview.last_event {
            set(&last_event, vec![account()], age.as_secs());
        }
        // A point without clients is told of, too.
        let points = report.places.iter().map(|place| (kind(place), 0));
        for (point, many) in points.chain(overview.clients.iter().map(|client| (kind(&client.peer), 1))) {
            clients.get_or_create(&vec![account(), ("connection_point", point)]).inc_by(many);
        }
        let unread = || overview.clients.iter().map(|client| client.unread as u64);
        set(&unread_max, vec![account()], unread().max().unwrap_or(0));
        set(&unread_sum, vec![account()], unread().sum());
        let counts = overview.counts;
        for (counter, count) in
            [(&commands, counts.commands), (&lines, counts.lines), (&received, counts.received), (&sent, counts.sent)]
        {
            counter.get_or_create(&vec![account()]).inc_by(count);
        }
    }
    let mut text = String::new();
    // Writing to a String cannot fail; if it did, the page would be cut, no more.
    if encode(&mut text, &registry).is_err() {
        tracing::error!(page = "metrics", "cannot encode");
    }
    text
}

fn set(gauges: &Gauges, labels: Labels, value: u64) {
    gauges.get_or_create(&labels).set(whole(value));
}

fn whole(value: u64) -> i64 {
    i64::try_from(value).unwrap_or(i64::MAX)
}

/// `skypeproxy` of `skypeproxy 127.0.0.1:1401`.
fn kind(place: &str) -> String {
    place.split_whitespace().next().unwrap_or("process").to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_taken() {
        for address in ["127.0.0.1:0", "127.8.9.10:9464", "[::1]:0", "[::ffff:127.0.0.1]:1"] {
            check(address.parse().expect("an address")).expect("loopback");
        }
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:9464", "[::ffff:192.0.2.1]:1"] {
            let failure = check(address.parse().expect("an address")).expect_err("not loopback");
            assert!(failure.text().starts_with(&format!("metrics: {address} ")), "{}", failure.text());
        }
    }

    #[test]
    fn an_account_that_has_failed_is_there() {
        let failed = State::Failed("why".to_owned());
        let report = Report { username: "a\"b".to_owned(), state: failed, places: Vec::new(), overview: None };
        let text = text(&[report], SystemTime::UNIX_EPOCH + Duration::from_secs(5));
        for line in [
            "imo2sproxy_start_time_seconds 5",
            "imo2sproxy_accounts{state=\"failed\"} 1",
            "imo2sproxy_accounts{state=\"running\"} 0",
            "imo2sproxy_online{account=\"a\\\"b\"} 0",
        ] {
            assert!(text.lines().any(|known| known == line), "{line} in {text}");
        }
        assert!(!text.contains("why"), "{text}");
    }
}
