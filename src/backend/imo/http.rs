//! HTTP with a blocking face: every wait can be cut short from another thread at once.
//!
//! `reqwest::blocking` cannot do that, and costs two changes of thread for each request. So each
//! thread of an account drives a connection of its own: it runs the asynchronous client of the same
//! crate until the answer is there, or until it is told to stop waiting.

use std::cell::RefCell;
use std::future::Future;
use std::future::pending;
use std::pin::pin;
use std::time::Duration;

use reqwest::Client;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::COOKIE;
use reqwest::header::HeaderValue;
use reqwest::header::SET_COOKIE;
use reqwest::redirect::Policy;
use rustls::ClientConfig;
use tokio::runtime::Runtime;
use tokio::sync::watch;
use url::Url;

use super::account::Limits;
use super::server::Server;
use super::tls;
use crate::error::Error;
use crate::error::Result;

/// The longest body that is read.
pub(super) const MAX_BODY: usize = 4 << 20;
/// How long a closed client waits for a look-up of a name that cannot be cut short.
const LOOKUP_GRACE: Duration = Duration::from_millis(100);

/// What an HTTP server answered.
#[derive(Debug)]
pub(super) struct Reply {
    pub(super) status: u16,
    pub(super) cookies: Vec<String>,
    pub(super) body: Vec<u8>,
}

/// Why there is no answer that makes sense.
#[derive(Debug, thiserror::Error)]
pub(super) enum Trouble {
    #[error("cannot connect")]
    Connect(#[source] reqwest::Error),
    #[error("no answer within {0:?}")]
    Timeout(Duration),
    #[error("the connection broke")]
    Broken(#[source] reqwest::Error),
    #[error("the answer is longer than {0} bytes")]
    TooLong(usize),
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("the answer is not JSON (HTTP status {0})")]
    NotJson(u16),
    #[error("no word on the login within {0:?}")]
    NoLogin(Duration),
    #[error("{0} was refused")]
    Refused(&'static str),
    #[error("an internal error, which the log tells more of")]
    Panic,
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum HttpError {
    /// It was cut short.
    Cut,
    /// It failed.
    Trouble(Trouble),
}

/// Ends waits: dropping it does, and nothing else.
pub(super) type Cutter = watch::Sender<()>;

/// What a wait looks at to know when to end.
#[derive(Clone)]
pub(super) struct Cut(Option<watch::Receiver<()>>);

impl Cut {
    /// A cut and what it ends.
    pub(super) fn new() -> (Cutter, Self) {
        let (cutter, cut) = watch::channel(());
        (cutter, Self(Some(cut)))
    }

    /// A wait that nobody cuts short.
    pub(super) fn never() -> Self {
        Self(None)
    }

    async fn happened(self) {
        match self.0 {
            // Nothing is ever sent: this ends with an error, when the cutter is gone.
            Some(mut cut) => drop(cut.changed().await),
            None => pending().await,
        }
    }
}

/// The way of one thread to its server: one connection, kept alive while it is used.
pub(super) struct Line {
    // Before the runtime, so that it goes first.
    client: RefCell<Option<Client>>,
    runtime: Option<Runtime>,
    tls: ClientConfig,
    loopback: bool,
    connect: Duration,
    idle: Duration,
}

impl Line {
    /// A line to `server`; it connects when it is used.
    pub(super) fn to(server: &Server, limits: &Limits) -> Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // A thread for looking up names, which the system cannot do without one.
            .max_blocking_threads(1)
            .thread_keep_alive(Duration::from_secs(1))
            .thread_name("imo2skype-dns")
            .build()
            .map_err(|error| Error::Internal(format!("no way to wait for the network: {error}")))?;
        let line = Self {
            client: RefCell::default(),
            runtime: Some(runtime),
            tls: tls::config(server.root.scheme() == "https", &server.roots)?,
            loopback: server.loopback,
            connect: limits.connect,
            idle: limits.idle,
        };
        line.client().map_err(|error| Error::Internal(format!("no HTTP client: {error}")))?;
        Ok(line)
    }

    /// The client, with the connection that it keeps.
    fn client(&self) -> reqwest::Result<Client> {
        let mut kept = self.client.borrow_mut();
        if let Some(client) = &*kept {
            return Ok(client.clone());
        }
        let client = self.new_client()?;
        *kept = Some(client.clone());
        Ok(client)
    }

    fn new_client(&self) -> reqwest::Result<Client> {
        let mut builder = Client::builder()
            .tls_backend_preconfigured(self.tls.clone())
            .http1_only()
            .user_agent("XMLHttpRequest/1.0")
            .redirect(Policy::none())
            .connect_timeout(self.connect)
            // `rest` sees to that: the pool would wake up for ever.
            .pool_idle_timeout(None)
            .tcp_nodelay(true);
        if self.loopback {
            builder = builder.no_proxy();
        }
        builder.build()
    }

    /// Fetches `url`.
    pub(super) fn get(
        &self,
        url: &Url,
        cookies: Option<HeaderValue>,
        timeout: Duration,
        cut: &Cut,
    ) -> std::result::Result<Reply, HttpError> {
        self.perform(|client| client.get(url.clone()), cookies, timeout, cut)
    }

    /// Fetches `url` as long as nothing `urgent` happens, and no more than `limit` bytes; `None` if
    /// something did.
    pub(super) fn get_meanwhile(
        &self,
        url: &Url,
        cookies: Option<HeaderValue>,
        (timeout, limit): (Duration, usize),
        urgent: impl Future<Output = ()>,
        cut: &Cut,
    ) -> std::result::Result<Option<Reply>, HttpError> {
        let request = self.request(|client| client.get(url.clone()), cookies, timeout)?;
        let work = async {
            tokio::select! {
                biased;
                () = urgent => Ok(None),
                reply = read(request, timeout, limit) => reply.map(Some),
            }
        };
        self.wait(work, cut).ok_or(HttpError::Cut)?.map_err(HttpError::Trouble)
    }

    /// Posts a form.
    pub(super) fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        cookies: Option<HeaderValue>,
        timeout: Duration,
        cut: &Cut,
    ) -> std::result::Result<Reply, HttpError> {
        let body = encode(form);
        let request = |client: &Client| {
            client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(body)
        };
        self.perform(request, cookies, timeout, cut)
    }

    fn perform(
        &self,
        request: impl FnOnce(&Client) -> RequestBuilder,
        cookies: Option<HeaderValue>,
        timeout: Duration,
        cut: &Cut,
    ) -> std::result::Result<Reply, HttpError> {
        let request = self.request(request, cookies, timeout)?;
        match self.wait(read(request, timeout, MAX_BODY), cut) {
            Some(reply) => reply.map_err(HttpError::Trouble),
            None => Err(HttpError::Cut),
        }
    }

    fn request(
        &self,
        request: impl FnOnce(&Client) -> RequestBuilder,
        cookies: Option<HeaderValue>,
        timeout: Duration,
    ) -> std::result::Result<RequestBuilder, HttpError> {
        let client = self.client().map_err(|error| HttpError::Trouble(Trouble::Connect(error)))?;
        let request = request(&client).timeout(timeout);
        Ok(match cookies {
            Some(cookies) => request.header(COOKIE, cookies),
            None => request,
        })
    }

    /// Waits for `work`; `None` if it was cut short. Meanwhile the connection is looked after: one
    /// that the server closes while nothing is asked is not taken for the next request.
    pub(super) fn wait<T>(&self, work: impl Future<Output = T>, cut: &Cut) -> Option<T> {
        self.runtime.as_ref()?.block_on(async {
            tokio::select! {
                biased;
                () = cut.clone().happened() => None,
                result = work => Some(result),
            }
        })
    }

    /// Waits for `work` while there is nothing to ask. After some time the connection is closed, and nothing wakes up any
    /// more but what is waited for.
    pub(super) fn rest<T>(&self, work: impl Future<Output = T>, cut: &Cut) -> Option<T> {
        let mut work = pin!(work);
        if self.client.borrow().is_some() {
            let done = self.wait(async { tokio::time::timeout(self.idle, &mut work).await }, cut)?;
            if let Ok(done) = done {
                return Some(done);
            }
            self.client.take();
        }
        self.wait(work, cut)
    }

    /// Lets time pass; `None` if that was cut short.
    pub(super) fn pause(&self, time: Duration, cut: &Cut) -> Option<()> {
        self.wait(async { drop(tokio::time::timeout(time, pending::<()>()).await) }, cut)
    }
}

impl Drop for Line {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_timeout(LOOKUP_GRACE);
        }
    }
}

/// Percent-encodes like the original: a blank is `%20`, which also readers understand that take
/// `+` for itself (imo-protocol 1).
fn encode(form: &[(&str, &str)]) -> String {
    let encoded = |text: &str| {
        let text: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        text.replace('+', "%20").replace('*', "%2A")
    };
    let fields: Vec<_> = form.iter().map(|(name, value)| [encoded(name), encoded(value)].join("=")).collect();
    fields.join("&")
}

async fn read(request: RequestBuilder, timeout: Duration, limit: usize) -> std::result::Result<Reply, Trouble> {
    let trouble = |error: reqwest::Error| {
        let error = error.without_url();
        if error.is_connect() {
            Trouble::Connect(error)
        } else if error.is_timeout() {
            Trouble::Timeout(timeout)
        } else {
            Trouble::Broken(error)
        }
    };
    let mut response = request.send().await.map_err(trouble)?;
    let status = response.status().as_u16();
    let cookies = response.headers().get_all(SET_COOKIE).iter();
    let cookies = cookies.filter_map(|value| value.to_str().ok().map(str::to_owned)).collect();
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(trouble)? {
        if body.len() + chunk.len() > limit {
            return Err(Trouble::TooLong(limit));
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, cookies, body })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn forms_are_percent_encoded() {
        let form = [("method", "echo"), ("data", "{\"a b\":\"+*~é\"}")];
        assert_eq!(encode(&form), "method=echo&data=%7B%22a%20b%22%3A%22%2B%2A%7E%C3%A9%22%7D");
    }

    #[test]
    fn a_wait_is_cut_short() {
        let mut config = crate::config::Config::new("alice", "secret");
        config.server = Some("http://127.0.0.1:1/".to_owned());
        let server = Server::of(&config).expect("a server");
        let line = Line::to(&server, &Limits::default()).expect("a line");
        let (cutter, cut) = Cut::new();
        let cutting = std::thread::spawn(|| drop(cutter));
        assert_eq!(line.wait(pending::<()>(), &cut), None);
        cutting.join().expect("no panic");
        assert_eq!(line.wait(async { 7 }, &Cut::never()), Some(7));
    }
}
