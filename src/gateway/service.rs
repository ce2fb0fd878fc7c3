//! The outer methods of the protocol, and where the work is done: at once when everything is in
//! memory, on a thread of its own when there is a disk to wait for.

#[cfg(feature = "fuzzing")]
pub mod fuzzing;

use std::net::IpAddr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::thread::JoinHandle;
use std::time::Duration;
use std::time::Instant;
use std::time::SystemTime;

use serde_json::Value;
use serde_json::json;
use tokio::sync::Semaphore;
use tokio::sync::mpsc;
use tokio::sync::oneshot;

use crate::error::Error;
use crate::imo::Answer;
use crate::imo::CLIENT_MSG_IDS;
use crate::imo::Call;
use crate::imo::Envelope;
use crate::imo::FORWARD_TO_CLIENT;
use crate::imo::FORWARD_TO_SERVER;
use crate::imo::REST_RPC;
use crate::imo::read;
use crate::imo::take;
use crate::threads::without_signals;

use super::calls::View;
use super::core::Core;
use super::core::Now;
use super::core::PollStep;
use super::db::DbError;
use super::db::DbResult;
use super::methods::Attempt;
use super::methods::Step;
use super::methods::Verdict;
use super::metrics::HeldPoll;
use super::metrics::Metrics;
use super::names;
use super::password;

/// Jobs that wait for the database thread; further requests wait outside.
const JOBS: usize = 1_024;
/// Jobs that share one write to disk.
const BATCH: usize = 256;
/// Passwords that are checked at the same time; each takes 19 MiB.
pub(super) const CHECKS: usize = 2;

/// Why a request has no answer in the protocol.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Failure {
    /// The client sent something that is no request; the text says what.
    Malformed(String),
    /// There are too many sessions.
    Full,
    /// The database failed, or the gateway stops.
    Internal,
}

type Done = Box<dyn FnOnce(bool) + Send>;
type Job = Box<dyn FnOnce(&mut Core) -> Done + Send>;

/// One gateway, without its sockets.
pub(crate) struct Service {
    core: Arc<Mutex<Core>>,
    /// Where there is a disk to wait for.
    jobs: Option<mpsc::Sender<Job>>,
    checks: Semaphore,
    metrics: Metrics,
    open_registration: bool,
    poll_limit: Duration,
}

fn lock(core: &Mutex<Core>) -> MutexGuard<'_, Core> {
    // A panic in one request must not end the service for all.
    core.lock().unwrap_or_else(PoisonError::into_inner)
}

fn now() -> Now {
    let unix = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_secs();
    Now { instant: Instant::now(), unix }
}

/// Runs `work` as one operation of the database.
fn operate<T>(core: &mut Core, work: impl FnOnce(&mut Core) -> DbResult<T>) -> DbResult<T> {
    let result = work(core);
    core.db.end_operation(result.is_ok())?;
    result
}

/// Puts what was done on disk, and then tells it.
fn end(core: &mut Core) -> DbResult<()> {
    let committed = core.db.commit();
    match &committed {
        Ok(()) => core.flush(),
        Err(error) => {
            tracing::error!(%error, "commit");
            core.lose();
        }
    }
    committed
}

impl Service {
    /// A service, and for a database on disk the thread that writes it.
    pub(crate) fn new(
        core: Core,
        durable: bool,
        open_registration: bool,
        poll_limit: Duration,
    ) -> Result<(Self, Option<JoinHandle<()>>), Error> {
        let metrics = core.metrics.clone();
        let core = Arc::new(Mutex::new(core));
        let (jobs, thread) = if durable {
            let (sender, receiver) = mpsc::channel(JOBS);
            let theirs = Arc::clone(&core);
            let builder = std::thread::Builder::new().name("imo2skype-gw-db".to_owned());
            let thread = without_signals(|| builder.spawn(move || write(&theirs, receiver)))
                .map_err(|error| Error::Internal(format!("cannot start a thread: {error}")))?;
            (Some(sender), Some(thread))
        } else {
            (None, None)
        };
        let checks = Semaphore::new(CHECKS);
        Ok((Self { core, jobs, checks, metrics, open_registration, poll_limit }, thread))
    }

    /// Runs `work` on the state; its result is there when it is on disk.
    async fn run<T, F>(&self, work: F) -> Result<T, Failure>
    where
        T: Send + 'static,
        F: FnOnce(&mut Core) -> DbResult<T> + Send + 'static,
    {
        let Some(jobs) = &self.jobs else {
            let mut core = lock(&self.core);
            let result = operate(&mut core, work);
            let result = end(&mut core).and(result);
            return result.map_err(|error| self.internal(&error));
        };
        let (sender, receiver) = oneshot::channel();
        let job: Job = Box::new(move |core| {
            let result = operate(core, work);
            Box::new(move |committed| {
                let result = if committed { result.map_err(Some) } else { Err(None) };
                // The client may have gone meanwhile.
                drop(sender.send(result));
            })
        });
        jobs.send(job).await.map_err(|_| Failure::Internal)?;
        match receiver.await {
            Ok(Ok(value)) => Ok(value),
            Ok(Err(Some(error))) => Err(self.internal(&error)),
            Ok(Err(None)) | Err(_) => {
                self.metrics.errors.inc();
                Err(Failure::Internal)
            }
        }
    }

    fn internal(&self, error: &DbError) -> Failure {
        tracing::error!(%error, "database");
        self.metrics.errors.inc();
        Failure::Internal
    }

    /// Answers one `POST /imo`.
    pub(crate) async fn post(&self, method: &str, data: &str, address: IpAddr) -> Result<Answer, Failure> {
        let data: Value =
            serde_json::from_str(data).map_err(|error| Failure::Malformed(format!("data is no JSON: {error}")))?;
        if !data.is_object() {
            return Err(Failure::Malformed("data must be a JSON object".to_owned()));
        }
        match method {
            FORWARD_TO_SERVER => {
                let envelope = self.forward(data, address).await?;
                let data = serde_json::to_value(&envelope).map_err(|_| Failure::Internal)?;
                Ok(Answer { method: FORWARD_TO_CLIENT.to_owned(), data })
            }
            REST_RPC => self.rest(&data).await,
            // imo-protocol 2.3; the form of the answer is unknown.
            "echo" => Ok(Answer { method: "echo".to_owned(), data }),
            _ => Err(Failure::Malformed("method must be forward_to_server, rest_rpc or echo".to_owned())),
        }
    }

    async fn rest(&self, data: &Value) -> Result<Answer, Failure> {
        let envelope: Envelope = read(data);
        let call: Call = envelope.messages.first().map(|message| read(&message.data)).unwrap_or_default();
        // The latter is what version 0 asks (imo-protocol 11).
        if !matches!(call.method.as_str(), "get_cookie_and_ssid" | "get_ssid") {
            return Err(Failure::Malformed("rest_rpc knows the methods get_cookie_and_ssid and get_ssid".to_owned()));
        }
        let now = now();
        let ssid = self.run(move |core| Ok(core.open_session(now))).await?.ok_or(Failure::Full)?;
        Ok(Answer { method: REST_RPC.to_owned(), data: json!({ "ssid": ssid, CLIENT_MSG_IDS: true }) })
    }

    async fn forward(&self, data: Value, address: IpAddr) -> Result<Envelope, Failure> {
        let sent = data.get("messages").and_then(Value::as_array).map(Vec::len);
        let Some(sent) = sent else {
            return Err(Failure::Malformed("data.messages must be an array".to_owned()));
        };
        let envelope: Envelope = take(data);
        let Some(ssid) = envelope.ssid else {
            return Err(Failure::Malformed("data.ssid must be a string".to_owned()));
        };
        if envelope.messages.len() < sent {
            return Err(Failure::Malformed("data.messages must hold objects".to_owned()));
        }
        if envelope.messages.is_empty() {
            return self.poll(ssid, envelope.ack).await;
        }
        let mut answer = Envelope::default();
        for message in envelope.messages {
            let Some(seq) = message.seq else {
                return Err(Failure::Malformed("data.messages[].seq must be a whole number from 0".to_owned()));
            };
            if !message.data.is_object() {
                return Err(Failure::Malformed("data.messages[].data must be an object".to_owned()));
            }
            let (theirs, ack, now) = (ssid.clone(), envelope.ack, now());
            let step = self.run(move |core| core.request(&theirs, ack, message, seq, address, now)).await;
            answer = match step {
                Ok(Step::Answer(answer)) => answer,
                Ok(Step::Unknown) => return Ok(Envelope { ack: Some(0), ..Envelope::default() }),
                Ok(Step::Login(attempt)) => {
                    let done = self.log_in(&ssid, attempt).await;
                    self.forget_failed(&ssid, seq, done)?
                }
                Err(failure) => self.forget_failed(&ssid, seq, Err(failure))?,
            };
            // Refused: what follows in the same envelope is not carried out.
            if answer.messages.is_empty() && answer.ack <= Some(seq) {
                break;
            }
        }
        Ok(answer)
    }

    /// What failed on our side may come again with the same `seq`.
    fn forget_failed<T>(&self, ssid: &str, seq: u64, result: Result<T, Failure>) -> Result<T, Failure> {
        if result.is_err() {
            lock(&self.core).failed(ssid, seq);
        }
        result
    }

    async fn poll(&self, ssid: String, ack: Option<u64>) -> Result<Envelope, Failure> {
        let (theirs, at) = (ssid.clone(), now());
        let (number, receiver) = match self.run(move |core| core.poll(&theirs, ack, at)).await? {
            PollStep::Answer(answer) => return Ok(answer),
            PollStep::Hold(number, receiver) => (number, receiver),
        };
        let _held = HeldPoll::new(&self.metrics);
        match tokio::time::timeout(self.poll_limit, receiver).await {
            Ok(Ok(answer)) => Ok(answer),
            // Nothing here touches the database.
            Ok(Err(_)) | Err(_) => Ok(lock(&self.core).poll_is_due(&ssid, number, now())),
        }
    }

    /// Checks a password away from the lock and from the threads that serve.
    async fn log_in(&self, ssid: &str, attempt: Attempt) -> Result<Envelope, Failure> {
        loop {
            let name = attempt.name.clone();
            let stored = self.run(move |core| core.db.password(&name)).await?;
            let theirs = attempt.clone();
            let open = self.open_registration;
            let permit = self.checks.acquire().await.map_err(|_| Failure::Internal)?;
            let verdict = tokio::task::spawn_blocking(move || check(&theirs, stored, open)).await;
            drop(permit);
            let verdict = verdict.map_err(|_| Failure::Internal)?;
            let (theirs, attempt, at) = (ssid.to_owned(), attempt.clone(), now());
            let answer = self
                .run(move |core| {
                    let finished = core.finish_login(&theirs, &attempt, &verdict, at)?;
                    let unknown = Envelope { ack: Some(0), ..Envelope::default() };
                    Ok(finished.then(|| core.accepted(&theirs).unwrap_or(unknown)))
                })
                .await?;
            if let Some(answer) = answer {
                return Ok(answer);
            }
        }
    }

    /// Asks the database how many messages wait, for `metrics` to tell.
    pub(crate) async fn count_waiting(&self) -> Result<(), Failure> {
        let waiting = self.run(|core| core.db.waiting()).await?;
        self.metrics.messages_waiting.set(waiting.cast_signed());
        Ok(())
    }

    /// The media type and the bytes of a picture.
    pub(crate) async fn picture(&self, icon: String) -> Result<Option<(String, Vec<u8>)>, Failure> {
        self.run(move |core| core.db.picture(&icon)).await
    }

    /// What the page of a call shows.
    pub(crate) async fn view_call(&self, page: String) -> Result<Option<View>, Failure> {
        self.run(move |core| Ok(core.view_call(&page))).await
    }

    /// A button on the page of a call was pressed.
    pub(crate) async fn press(&self, page: String, accept: bool) -> Result<bool, Failure> {
        self.run(move |core| Ok(core.press(&page, accept))).await
    }

    pub(crate) fn metrics(&self) -> &Metrics {
        &self.metrics
    }

    /// What is due: sessions of which nothing was heard, calls that nobody answers, new pictures.
    pub(crate) async fn tick(&self) {
        let at = now();
        if self.run(move |core| core.tick(at)).await.is_err() {
            tracing::warn!(what = "tick", "postponed");
        }
    }

    /// Answers all held polls and holds no more.
    pub(crate) fn close(&self) {
        lock(&self.core).close();
    }
}

/// The thread that writes to disk: takes what waits, carries it out, and tells everybody once it
/// is written. One write to disk serves many senders.
fn write(core: &Mutex<Core>, mut jobs: mpsc::Receiver<Job>) {
    while let Some(first) = jobs.blocking_recv() {
        let mut guard = lock(core);
        let mut done = vec![first(&mut guard)];
        while done.len() < BATCH
            && let Ok(job) = jobs.try_recv()
        {
            done.push(job(&mut guard));
        }
        let committed = end(&mut guard);
        drop(guard);
        for done in done {
            done(committed.is_ok());
        }
    }
}

/// The slow part of a login. It takes as long for an unknown name as for a known one.
fn check(attempt: &Attempt, stored: Option<Option<String>>, open_registration: bool) -> Verdict {
    let usable = names::check_password(&attempt.password).is_ok();
    match stored {
        Some(Some(hash)) if usable && password::matches(&attempt.password, &hash) => Verdict::Right,
        Some(Some(_)) => Verdict::Wrong,
        None if open_registration && usable && names::check_name(&attempt.name).is_ok() => {
            password::hash(&attempt.password).map_or(Verdict::Wrong, Verdict::New)
        }
        None | Some(None) => {
            drop(password::hash(&attempt.password));
            Verdict::Wrong
        }
    }
}
