//! The log: what goes wrong, and with `-v` every line that a client sends or gets.

use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;
use crossbeam_channel::bounded;
use tracing::Metadata;
use tracing::Span;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::fmt::time::SystemTime;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;
use crate::failure::complain;
use crate::journal;
use crate::journal::Priority;

/// Where the library tells of lines.
const LINES: &str = "imo2skype::lines";

/// Where the library tells of clients that come and go.
const CLIENTS: &str = "imo2skype::clients";

/// The span of an account.
const ACCOUNT: &str = "account";

/// How many entries may wait for a slow file or terminal. Sessions never wait for it.
const WAITING: usize = 65_536;

/// Whose account it is that something is logged of: `account{user=alice}: `.
pub(crate) fn span(user: &str) -> Span {
    tracing::error_span!(ACCOUNT, %user)
}

/// Ends the log when it is dropped, after everything was written.
pub(crate) struct Log {
    thread: Option<JoinHandle<()>>,
    end: Sender<Entry>,
    muted: Arc<AtomicBool>,
    is_file: bool,
}

enum Entry {
    Text(Vec<u8>),
    Reopen,
    End,
}

impl Log {
    /// Starts the log; to standard error without a file. Called once.
    pub(crate) fn start(verbose: bool, file: Option<&Path>) -> Result<Self, Failure> {
        let sink = match file {
            Some(path) => Sink::File(
                open(path).map_err(|error| {
                    Failure::service(format!("cannot open the log file {}: {error}", path.display()))
                })?,
                path.to_owned(),
            ),
            None => Sink::Console,
        };
        let (sender, entries) = bounded(WAITING);
        let thread = std::thread::Builder::new()
            .name("imo2sproxy-log".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || write(sink, &entries))
            .map_err(|error| Failure::service(format!("cannot start the thread of the log: {error}")))?;
        let target = Target {
            entries: sender.clone(),
            lost: Arc::default(),
            muted: Arc::default(),
            journal: file.is_none() && journal::listens(),
            priority: Priority::Info,
        };
        // The console has no time: who sits there knows it, and the journal adds its own.
        let time = file.is_some();
        // What goes wrong before the program stands ends an account, and is told in words for people then.
        let muted = Arc::new(AtomicBool::new(file.is_none() && std::env::var_os("RUST_LOG").is_none()));

        let is_line = |metadata: &Metadata<'_>| metadata.target() == LINES;
        let is_account = |metadata: &Metadata<'_>| metadata.is_span() && metadata.name() == ACCOUNT;
        let is_client = move |metadata: &Metadata<'_>| verbose && metadata.target() == CLIENTS;
        let lines = verbose.then(|| {
            let plain = tracing_subscriber::fmt::layer().with_writer(target.clone()).with_ansi(false);
            let plain = plain.with_target(false).with_level(false);
            let plain = if time { plain.with_timer(SystemTime).boxed() } else { plain.without_time().boxed() };
            plain.with_filter(
                filter_fn(move |metadata| is_line(metadata) || is_account(metadata))
                    .with_max_level_hint(LevelFilter::TRACE),
            )
        });
        // RUST_LOG is for developers. It never shows lines: those are asked for by `-v`.
        let others = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
        let clients =
            filter_fn(is_client).with_max_level_hint(if verbose { LevelFilter::INFO } else { LevelFilter::OFF });
        let messages = tracing_subscriber::fmt::layer()
            .with_writer(Target { muted: Arc::clone(&muted), ..target })
            .with_ansi(false)
            .with_target(false);
        let messages = if time { messages.with_timer(SystemTime).boxed() } else { messages.without_time().boxed() };
        // Without a level of its own it would have every line put together, only to drop it.
        let no_lines = filter_fn(move |metadata| !is_line(metadata)).with_max_level_hint(LevelFilter::TRACE);
        let messages = messages.with_filter(others.or(clients).and(no_lines));
        tracing_subscriber::registry()
            .with(lines)
            .with(messages)
            .try_init()
            .map_err(|error| Failure::service(format!("cannot start the log: {error}")))?;
        Ok(Self { thread: Some(thread), end: sender, muted, is_file: file.is_some() })
    }

    /// Has the file opened again, by its name, for those who have moved it away.
    pub(crate) fn reopener(&self) -> impl Fn() + Send + 'static {
        let entries = self.end.clone();
        move || {
            // An error means that the log is over.
            let _ = entries.send(Entry::Reopen);
        }
    }

    /// Says something about the program itself, in the file too if there is one.
    pub(crate) fn complain(&self, text: &str) {
        complain(text);
        if self.is_file {
            tracing::warn!("{text}");
        }
    }

    /// Tells of failures from now on: the program stands.
    pub(crate) fn unmute(&self) {
        self.muted.store(false, Ordering::Relaxed);
    }
}

impl Drop for Log {
    fn drop(&mut self) {
        let _ = self.end.send(Entry::End);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

/// Nobody else may read what people write to each other.
fn open(file: &Path) -> io::Result<File> {
    let mut options = File::options();
    options.append(true).create(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file)
}

/// Where entries are written.
enum Sink {
    Console,
    File(File, PathBuf),
}

fn write(mut sink: Sink, entries: &Receiver<Entry>) {
    for entry in entries {
        match (entry, &mut sink) {
            // A full disk does not stop the service.
            (Entry::Text(text), Sink::Console) => drop(io::stderr().write_all(&text)),
            (Entry::Text(text), Sink::File(file, _)) => drop(file.write_all(&text)),
            (Entry::Reopen, Sink::Console) => {}
            (Entry::Reopen, Sink::File(file, path)) => match open(path) {
                Ok(new) => *file = new,
                // The old one goes on: nothing is lost.
                Err(error) => {
                    let _ = writeln!(file, "cannot open the log file {}: {error}", path.display());
                }
            },
            (Entry::End, _) => return,
        }
    }
}

/// Takes entries without ever waiting.
#[derive(Clone)]
struct Target {
    entries: Sender<Entry>,
    /// How many entries found no room and were not told of yet.
    lost: Arc<AtomicU64>,
    muted: Arc<AtomicBool>,
    /// Whether the journal takes the entries.
    journal: bool,
    priority: Priority,
}

impl Target {
    fn put(&self, text: Vec<u8>) {
        if self.muted.load(Ordering::Relaxed) {
            return;
        }
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let text = if lost > 0 { [format!("({lost} entries lost)\n").as_bytes(), &text].concat() } else { text };
        if let Err(TrySendError::Full(_)) = self.entries.try_send(Entry::Text(text)) {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

impl Write for Target {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        let marked = self.journal.then(|| journal::marked(&String::from_utf8_lossy(text), self.priority).into_bytes());
        self.put(marked.unwrap_or_else(|| text.to_vec()));
        Ok(text.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl MakeWriter<'_> for Target {
    type Writer = Self;

    fn make_writer(&self) -> Self {
        self.clone()
    }

    fn make_writer_for(&self, metadata: &Metadata<'_>) -> Self {
        Self { priority: (*metadata.level()).into(), ..self.clone() }
    }
}
