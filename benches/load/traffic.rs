//! Messages at a steady rate. Each has the time at which it is due, whatever became of those before
//! it, and its latency counts from then until the poll of the receiver has brought it: a gateway
//! that falls behind is not spared the messages that it held up.

use std::net::SocketAddr;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use tokio::task::JoinSet;
use tokio::time::sleep_until;
use tokio::time::timeout;

use super::client::Poll;
use super::client::Requests;
use super::client::log_in;
use super::gateway::name;

/// How long the last message may take.
const PATIENCE: Duration = Duration::from_secs(60);
/// What people write, after the time.
const TEXT: &str = "is when this was due; the rest is about as long as what people write to each other.";

/// One who writes to another. Both hold a poll, as every client does.
struct Pair {
    sender: Requests,
    receiver: Poll,
    receiver_name: String,
}

/// What became of the messages.
pub(crate) struct Outcome {
    /// In order of size.
    latencies: Vec<Duration>,
    /// From when the first was due until the last was there.
    took: Duration,
}

impl Outcome {
    pub(crate) fn rate(&self) -> f64 {
        self.latencies.len() as f64 / self.took.as_secs_f64()
    }

    pub(crate) fn messages(&self) -> usize {
        self.latencies.len()
    }

    /// The latency that `share` of the messages did not exceed.
    pub(crate) fn latency(&self, share: f64) -> Duration {
        let last = self.latencies.len() - 1;
        self.latencies[((last as f64 * share).ceil() as usize).min(last)]
    }
}

/// Users who are logged in, in pairs.
pub(crate) struct Traffic {
    pairs: Vec<Pair>,
    /// The polls of those who send.
    _senders: JoinSet<()>,
}

impl Traffic {
    /// Logs in `user0` to `user<2 * pairs - 1>`; the even ones write to their neighbours.
    pub(crate) async fn new(address: SocketAddr, pairs: u32) -> Self {
        let mut senders = JoinSet::new();
        let mut all = Vec::new();
        for number in 0..pairs {
            let (sender, mut poll) = log_in(address, name(2 * number)).await;
            senders.spawn(async move {
                loop {
                    poll.next().await;
                }
            });
            let receiver_name = name(2 * number + 1);
            let (_, receiver) = log_in(address, receiver_name.clone()).await;
            all.push(Pair { sender, receiver, receiver_name });
        }
        Self { pairs: all, _senders: senders }
    }

    /// Sends `rate` messages a second for `time`, evenly spread over time and pairs.
    pub(crate) async fn offer(&mut self, rate: u32, time: Duration) -> Outcome {
        let count = self.pairs.len() as u32;
        let interval = Duration::from_secs(1) / rate;
        let turns = (time.as_secs_f64() * f64::from(rate) / f64::from(count)) as u32;
        let begin = Instant::now() + Duration::from_millis(10);
        let mut sending = JoinSet::new();
        let mut receiving = JoinSet::new();
        for (place, pair) in self.pairs.drain(..).enumerate() {
            let Pair { mut sender, mut receiver, receiver_name } = pair;
            let first = begin + interval * place as u32;
            let between = interval * count;
            sending.spawn(async move {
                for turn in 0..turns {
                    let due = between * turn;
                    sleep_until((first + due).into()).await;
                    sender.send(&receiver_name, &format!("{} {TEXT}", due.as_micros())).await;
                }
                (place, sender, receiver_name)
            });
            receiving.spawn(async move {
                let mut latencies = Vec::with_capacity(turns as usize);
                while latencies.len() < turns as usize {
                    let news = receiver.next().await;
                    let now = Instant::now();
                    latencies.extend(news.iter().filter_map(due).map(|due| now.duration_since(first + due)));
                }
                (place, receiver, latencies)
            });
        }
        let all = async { (sending.join_all().await, receiving.join_all().await) };
        let (mut senders, mut receivers) = timeout(time + PATIENCE, all).await.expect("every message in time");
        let took = begin.elapsed();
        senders.sort_by_key(|(place, ..)| *place);
        receivers.sort_by_key(|(place, ..)| *place);
        let mut latencies = Vec::new();
        for ((_, sender, receiver_name), (_, receiver, theirs)) in senders.into_iter().zip(receivers) {
            self.pairs.push(Pair { sender, receiver, receiver_name });
            latencies.extend(theirs);
        }
        latencies.sort_unstable();
        Outcome { latencies, took }
    }
}

/// When a message was due, by its text.
fn due(event: &Value) -> Option<Duration> {
    let text = event["edata"]["msg"].as_str().filter(|_| event["name"] == "recv_im")?;
    let (micros, _) = text.split_once(' ')?;
    micros.parse().ok().map(Duration::from_micros)
}
