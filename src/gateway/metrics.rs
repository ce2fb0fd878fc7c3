//! What `/metrics` tells.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// The counters of one gateway. Clones count together.
#[derive(Clone, Debug, Default)]
pub(crate) struct Metrics {
    pub(crate) sessions: Gauge,
    pub(crate) polls_held: Gauge,
    pub(crate) messages_in: Counter,
    pub(crate) messages_delivered: Counter,
    pub(crate) messages_waiting: Gauge,
    pub(crate) errors: Counter,
    pub(crate) logins_refused: Counter,
}

impl Metrics {
    /// The text format of Prometheus.
    pub(crate) fn text(&self) -> String {
        let mut registry = Registry::with_prefix("imo2skype_gateway");
        registry.register("sessions", "Sessions that are open", self.sessions.clone());
        registry.register("polls_held", "Long polls that wait for an event", self.polls_held.clone());
        registry.register("messages_in", "Messages taken from senders", self.messages_in.clone());
        registry.register(
            "messages_delivered",
            "Messages that a login of the receiver has acknowledged",
            self.messages_delivered.clone(),
        );
        registry.register(
            "messages_waiting",
            "Messages that no login of the receiver has acknowledged yet",
            self.messages_waiting.clone(),
        );
        registry.register("errors", "Requests that failed inside the gateway", self.errors.clone());
        registry.register("logins_refused", "Logins with a wrong name or password", self.logins_refused.clone());
        let mut text = String::new();
        // Writing to a String cannot fail; if it did, the page would be cut, no more.
        if encode(&mut text, &registry).is_err() {
            tracing::error!(page = "metrics", "cannot encode");
        }
        text
    }
}

/// Counts a held poll for as long as it lives, also when the client hangs up.
pub(crate) struct HeldPoll(Gauge);

impl HeldPoll {
    pub(crate) fn new(metrics: &Metrics) -> Self {
        metrics.polls_held.inc();
        Self(metrics.polls_held.clone())
    }
}

impl Drop for HeldPoll {
    fn drop(&mut self) {
        self.0.dec();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_counter_is_on_the_page() {
        let metrics = Metrics::default();
        metrics.messages_in.inc();
        {
            let _held = HeldPoll::new(&metrics);
            assert!(metrics.text().contains("imo2skype_gateway_polls_held 1"));
        }
        let text = metrics.text();
        for line in [
            "imo2skype_gateway_sessions 0",
            "imo2skype_gateway_polls_held 0",
            "imo2skype_gateway_messages_in_total 1",
            "imo2skype_gateway_messages_delivered_total 0",
            "imo2skype_gateway_messages_waiting 0",
            "imo2skype_gateway_errors_total 0",
            "imo2skype_gateway_logins_refused_total 0",
        ] {
            assert!(text.contains(line), "{line} in {text}");
        }
    }
}
