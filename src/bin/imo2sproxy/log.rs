//! The log: what goes wrong, and with `-v` every line that a client sends or gets.

use std::borrow::Cow;
use std::fs::File;
use std::io;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::TrySendError;
use crossbeam_channel::bounded;
use tracing::Event;
use tracing::Metadata;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing::level_filters::LevelFilter;
use tracing_subscriber::EnvFilter;
use tracing_subscriber::Layer;
use tracing_subscriber::filter::FilterExt;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::fmt::MakeWriter;
use tracing_subscriber::layer::Context;
use tracing_subscriber::layer::SubscriberExt;
use tracing_subscriber::util::SubscriberInitExt;

use crate::failure::Failure;

/// Where the library tells of lines.
const LINES: &str = "imo2skype::lines";

/// How many entries may wait for a slow file or terminal. Sessions never wait for it.
const WAITING: usize = 65_536;

/// Ends the log when it is dropped, after everything was written.
pub(crate) struct Log {
    thread: Option<JoinHandle<()>>,
    end: Sender<Entry>,
}

enum Entry {
    Text(Vec<u8>),
    End,
}

impl Log {
    /// Starts the log; to standard error without a file. Called once.
    pub(crate) fn start(verbose: bool, file: Option<&Path>) -> Result<Self, Failure> {
        let sink: Box<dyn Write + Send> =
            match file {
                Some(file) => Box::new(open(file).map_err(|error| {
                    Failure::service(format!("cannot open the log file {}: {error}", file.display()))
                })?),
                None => Box::new(io::stderr()),
            };
        let (sender, entries) = bounded(WAITING);
        let thread = std::thread::Builder::new()
            .name("imo2sproxy-log".to_owned())
            .stack_size(64 * 1024)
            .spawn(move || write(sink, &entries))
            .map_err(|error| Failure::service(format!("cannot start the thread of the log: {error}")))?;
        let target = Target { entries: sender.clone(), lost: Arc::default() };

        let is_line = |metadata: &Metadata<'_>| metadata.target() == LINES;
        let lines = verbose.then(|| {
            let only = filter_fn(is_line).with_max_level_hint(LevelFilter::TRACE);
            Lines(target.clone()).with_filter(only)
        });
        // RUST_LOG is for developers. It never shows lines: those pass by `Lines`, without passwords.
        let others = EnvFilter::try_from_default_env().unwrap_or_else(|_| EnvFilter::new("warn"));
        let messages = tracing_subscriber::fmt::layer()
            .with_writer(target)
            .with_ansi(false)
            .without_time()
            .with_target(false)
            .with_filter(others.and(filter_fn(move |metadata| !is_line(metadata))));
        tracing_subscriber::registry()
            .with(lines)
            .with(messages)
            .try_init()
            .map_err(|error| Failure::service(format!("cannot start the log: {error}")))?;
        Ok(Self { thread: Some(thread), end: sender })
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

fn write(mut sink: Box<dyn Write + Send>, entries: &Receiver<Entry>) {
    for entry in entries {
        let Entry::Text(text) = entry else { return };
        // A full disk does not stop the service.
        let _ = sink.write_all(&text);
    }
}

/// Takes entries without ever waiting.
#[derive(Clone)]
struct Target {
    entries: Sender<Entry>,
    /// How many entries found no room and were not told of yet.
    lost: Arc<AtomicU64>,
}

impl Target {
    fn put(&self, text: Vec<u8>) {
        let lost = self.lost.swap(0, Ordering::Relaxed);
        let text = if lost > 0 { [format!("({lost} entries lost)\n").as_bytes(), &text].concat() } else { text };
        if let Err(TrySendError::Full(_)) = self.entries.try_send(Entry::Text(text)) {
            self.lost.fetch_add(lost + 1, Ordering::Relaxed);
        }
    }
}

impl Write for Target {
    fn write(&mut self, text: &[u8]) -> io::Result<usize> {
        self.put(text.to_vec());
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
}

/// Writes the lines of clients: `003> GET USERSTATUS` came from client 3, `003< ...` went to it.
struct Lines(Target);

impl<S: Subscriber> Layer<S> for Lines {
    fn on_event(&self, event: &Event<'_>, _context: Context<'_, S>) {
        let mut line = Line::default();
        event.record(&mut line);
        if let Some(text) = line.text() {
            self.0.put(text.into_bytes());
        }
    }
}

#[derive(Default)]
struct Line {
    client: u64,
    text: Option<(char, String)>,
}

impl Line {
    fn text(self) -> Option<String> {
        let (direction, text) = self.text?;
        let text = without_password(&text).replace('\n', "\n\t");
        Some(format!("{:03}{direction} {text}\n", self.client))
    }
}

impl Visit for Line {
    fn record_u64(&mut self, field: &Field, value: u64) {
        if field.name() == "client" {
            self.client = value;
        }
    }

    fn record_str(&mut self, field: &Field, value: &str) {
        match field.name() {
            "command" => self.text = Some(('>', value.to_owned())),
            "notification" => self.text = Some(('<', value.to_owned())),
            _ => {}
        }
    }

    fn record_debug(&mut self, _field: &Field, _value: &dyn std::fmt::Debug) {}
}

/// The line without the password of a chat (`ALTER CHAT c SETPASSWORD word hint`).
fn without_password(line: &str) -> Cow<'_, str> {
    let upper = line.to_ascii_uppercase();
    let ends = ["SETPASSWORD ", "ENTERPASSWORD "].map(|word| upper.find(word).map(|start| start + word.len()));
    match ends.into_iter().flatten().min() {
        Some(end) => Cow::Owned(format!("{}***", &line[..end])),
        None => Cow::Borrowed(line),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_chats_are_not_shown() {
        let table = [
            ("ALTER CHAT #a/$b SETPASSWORD geheim hint", "ALTER CHAT #a/$b SETPASSWORD ***"),
            ("#7 alter chat #a/$b enterpassword geheim", "#7 alter chat #a/$b enterpassword ***"),
            ("ALTER CHAT SETPASSWORD", "ALTER CHAT SETPASSWORD"),
            ("GET USERSTATUS", "GET USERSTATUS"),
        ];
        for (line, shown) in table {
            assert_eq!(without_password(line), shown);
        }
    }

    #[test]
    fn lines_are_shaped_as_they_always_were() {
        let line = Line { client: 3, text: Some(('>', "GET USERSTATUS".to_owned())) };
        assert_eq!(line.text().as_deref(), Some("003> GET USERSTATUS\n"));
        let line = Line { client: 1234, text: Some(('<', "CHATMESSAGE 1 BODY a\nb".to_owned())) };
        assert_eq!(line.text().as_deref(), Some("1234< CHATMESSAGE 1 BODY a\n\tb\n"));
    }
}
