//! HTTP with a blocking face: a request can be cut short from another thread at once.
//!
//! `reqwest::blocking` cannot do that. So one thread of the process drives the sockets of all
//! accounts, and a caller waits for its answer and for its cut, whichever comes first.

use std::future::Future;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::PoisonError;
use std::sync::Weak;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::bounded;
use crossbeam_channel::select;
use reqwest::Client;
use reqwest::RequestBuilder;
use reqwest::header::CONTENT_TYPE;
use reqwest::header::COOKIE;
use reqwest::header::HeaderValue;
use reqwest::header::SET_COOKIE;
use reqwest::redirect::Policy;
use tokio::runtime::Handle;
use tokio::sync::oneshot;
use url::Url;

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
    #[error("the HTTP thread has ended")]
    Ended,
    #[error("the answer is longer than {MAX_BODY} bytes")]
    TooLong,
    #[error("HTTP status {0}")]
    Status(u16),
    #[error("the answer is not JSON (HTTP status {0})")]
    NotJson(u16),
    #[error("no word on the login within {0:?}")]
    NoLogin(Duration),
    #[error("{0} was refused")]
    Refused(&'static str),
}

/// Why a request has no answer.
#[derive(Debug)]
pub(super) enum HttpError {
    /// It was cut short.
    Cut,
    /// It failed.
    Trouble(Trouble),
}

/// The way of one account to its server.
pub(super) struct Line {
    http: Arc<Http>,
    client: Client,
}

impl Line {
    /// The line to `server`; starts the HTTP thread if there is none.
    pub(super) fn to(server: &Server, connect: Duration) -> Result<Self> {
        let http = Http::shared()?;
        let client = if server.roots.is_empty() { http.client(server, connect)? } else { client(server, connect)? };
        Ok(Self { http, client })
    }

    /// Fetches `url`.
    pub(super) fn get(
        &self,
        url: &Url,
        cookies: Option<HeaderValue>,
        timeout: Duration,
        cut: &Receiver<()>,
    ) -> std::result::Result<Reply, HttpError> {
        self.perform(self.client.get(url.clone()), cookies, timeout, cut)
    }

    /// Posts a form; any end of `cut` cuts it short.
    pub(super) fn post(
        &self,
        url: &Url,
        form: &[(&str, &str)],
        cookies: Option<HeaderValue>,
        timeout: Duration,
        cut: &Receiver<()>,
    ) -> std::result::Result<Reply, HttpError> {
        let request =
            self.client.post(url.clone()).header(CONTENT_TYPE, "application/x-www-form-urlencoded").body(encode(form));
        self.perform(request, cookies, timeout, cut)
    }

    fn perform(
        &self,
        mut request: RequestBuilder,
        cookies: Option<HeaderValue>,
        timeout: Duration,
        cut: &Receiver<()>,
    ) -> std::result::Result<Reply, HttpError> {
        if let Some(cookies) = cookies {
            request = request.header(COOKIE, cookies);
        }
        let answer = read(request.timeout(timeout), timeout);
        match self.http.run(answer, cut) {
            Ok(reply) => reply.map_err(HttpError::Trouble),
            Err(error) => Err(error),
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

async fn read(request: RequestBuilder, timeout: Duration) -> std::result::Result<Reply, Trouble> {
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
        if body.len() + chunk.len() > MAX_BODY {
            return Err(Trouble::TooLong);
        }
        body.extend_from_slice(&chunk);
    }
    Ok(Reply { status, cookies, body })
}

fn client(server: &Server, connect: Duration) -> Result<Client> {
    let tls = tls::config(server.root.scheme() == "https", &server.roots)?;
    let mut builder = Client::builder()
        .tls_backend_preconfigured(tls)
        .http1_only()
        .user_agent("XMLHttpRequest/1.0")
        .redirect(Policy::none())
        .connect_timeout(connect)
        // Below what servers commonly keep, so that a request rarely meets a connection just closed.
        .pool_idle_timeout(Duration::from_secs(30))
        .tcp_nodelay(true);
    if server.loopback {
        builder = builder.no_proxy();
    }
    builder.build().map_err(|error| Error::Internal(format!("no HTTP client: {error}")))
}

/// The HTTP thread, shared by all accounts of the process; it ends with the last of them.
struct Http {
    runtime: Handle,
    clients: Mutex<[[Option<Client>; 2]; 2]>,
    end: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

static HTTP: Mutex<Weak<Http>> = Mutex::new(Weak::new());

impl Http {
    fn shared() -> Result<Arc<Self>> {
        let mut shared = HTTP.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(http) = shared.upgrade() {
            return Ok(http);
        }
        let http = Arc::new(Self::start().map_err(|error| Error::Internal(format!("no HTTP thread: {error}")))?);
        *shared = Arc::downgrade(&http);
        Ok(http)
    }

    fn start() -> std::io::Result<Self> {
        let runtime = tokio::runtime::Builder::new_current_thread()
            .enable_all()
            // Threads for looking up names, which the system cannot do without one.
            .max_blocking_threads(4)
            .thread_keep_alive(Duration::from_secs(1))
            .thread_name("imo2skype-dns")
            .build()?;
        let handle = runtime.handle().clone();
        let (end, ended) = oneshot::channel();
        let body = move || {
            let _ = runtime.block_on(ended);
            runtime.shutdown_timeout(LOOKUP_GRACE);
        };
        let thread = thread::Builder::new().name("imo2skype-http".to_owned()).stack_size(1 << 20).spawn(body)?;
        Ok(Self { runtime: handle, clients: Mutex::default(), end: Some(end), thread: Some(thread) })
    }

    /// The client for servers without roots of their own; one for each kind of server.
    fn client(&self, server: &Server, connect: Duration) -> Result<Client> {
        let secure = server.root.scheme() == "https";
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let shared = &mut clients[usize::from(secure)][usize::from(server.loopback)];
        if let Some(client) = shared {
            return Ok(client.clone());
        }
        Ok(shared.insert(client(server, connect)?).clone())
    }

    /// Runs `work` on the HTTP thread and waits for its result, or until `cut` ends.
    fn run<T, F>(&self, work: F, cut: &Receiver<()>) -> std::result::Result<T, HttpError>
    where
        T: Send + 'static,
        F: Future<Output = T> + Send + 'static,
    {
        let (sender, result) = bounded(1);
        let task = self.runtime.spawn(async move {
            let _ = sender.send(work.await);
        });
        select! {
            recv(result) -> result => result.map_err(|_| HttpError::Trouble(Trouble::Ended)),
            recv(cut) -> _ => {
                task.abort();
                Err(HttpError::Cut)
            }
        }
    }
}

impl Drop for Http {
    fn drop(&mut self) {
        drop(self.end.take());
        if let Some(thread) = self.thread.take() {
            // Nobody can wait for himself.
            if thread.thread().id() != thread::current().id() {
                let _ = thread.join();
            }
        }
    }
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
        let http = Http::start().expect("a thread");
        let (sender, cut) = bounded::<()>(0);
        drop(sender);
        assert!(matches!(http.run(std::future::pending::<()>(), &cut), Err(HttpError::Cut)));
    }

    #[test]
    fn the_last_user_may_be_on_the_http_thread_itself() {
        let http = Arc::new(Http::start().expect("a thread"));
        let (sender, dropped) = bounded(1);
        let (go, wait) = oneshot::channel::<()>();
        let last = http.clone();
        http.runtime.spawn(async move {
            let _ = wait.await;
            drop(last);
            let _ = sender.send(());
        });
        drop(http);
        let _ = go.send(());
        dropped.recv_timeout(Duration::from_secs(60)).expect("no deadlock");
    }
}
