//! What the library has to tell, for the log of the program that uses it.
//!
//! Entries arise in the middle of our work, some under a lock. So they are handed over to a thread of their own,
//! and the caller's function may do what it likes: it holds nobody up, and nothing of ours is held while it runs.

use std::cell::Cell;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::fmt::Debug;
use std::fmt::Write;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::AtomicU64;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use tracing::Event;
use tracing::Metadata;
use tracing::Subscriber;
use tracing::field::Field;
use tracing::field::Visit;
use tracing::level_filters::LevelFilter;
use tracing::span;

use crate::error::Error;
use crate::ffi::guard::Failure;
use crate::ffi::guard::guard;
use crate::ffi::library::imo2skype_status;
use crate::ffi::text::to_c;

/// How much an entry of the log matters. Each level includes those above it.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imo2skype_log_level {
    /// Something does not work that should.
    IMO2SKYPE_LOG_ERROR = 1,
    /// Something is wrong, and the library goes on: a connection was lost.
    IMO2SKYPE_LOG_WARNING = 2,
    /// What happens seldom: the gateway registered a user.
    IMO2SKYPE_LOG_INFO = 3,
    /// What helps to find out why: an event of the network was skipped.
    IMO2SKYPE_LOG_DEBUG = 4,
    /// Every command and every line that a client gets, "003> GET USERSTATUS": what
    /// people write to each other is in it.
    IMO2SKYPE_LOG_TRACE = 5,
}

/// Is called with each entry of the log: how much it matters (an
/// imo2skype_log_level), and one entry in English, UTF-8, without a line break at
/// its end; a name=value for each detail comes after the words. Passwords are in
/// none. The text is valid during the call only. The function may call everything
/// in this header; what the library does within those calls is not logged. It must
/// return: no longjmp(), no C++ exception.
pub type imo2skype_log_fn = Option<unsafe extern "C" fn(level: c_int, entry: *const c_char, user_data: *mut c_void)>;

/// How many entries may wait for a slow callback. Sessions never wait for it.
const WAITING: usize = 4_096;

/// The log of now, if any.
static LOG: RwLock<Option<Arc<Log>>> = RwLock::new(None);

thread_local! {
    /// Whether this thread calls the caller's function: its own doings are not logged, or it would never end.
    static IN_LOG: Cell<bool> = const { Cell::new(false) };
}

struct Entry {
    level: tracing::Level,
    text: CString,
}

/// A callback and the thread that calls it.
struct Log {
    most: LevelFilter,
    /// Taken when the log ends; the thread still empties the queue.
    entries: Mutex<Option<Sender<Entry>>>,
    thread: Mutex<Option<JoinHandle<()>>>,
    /// How many entries found no room and were not told of yet.
    lost: Arc<AtomicU64>,
    /// Set where the callback itself ended its log: it is not called again.
    cut: Arc<AtomicBool>,
}

/// The caller's function and its data.
struct Target {
    call: unsafe extern "C" fn(c_int, *const c_char, *mut c_void),
    user_data: *mut c_void,
}

// SAFETY: whoever sets a callback allows it to be called on another thread.
unsafe impl Send for Target {}

impl Target {
    fn call(&self, level: tracing::Level, text: &CString) {
        // SAFETY: callable by the contract of `imo2skype_set_log_callback`.
        unsafe { (self.call)(number(level) as c_int, text.as_ptr(), self.user_data) };
    }
}

impl Log {
    fn start(most: LevelFilter, target: Target) -> Result<Self, Failure> {
        let (sender, entries) = bounded(WAITING);
        let (lost, cut) = (Arc::<AtomicU64>::default(), Arc::<AtomicBool>::default());
        let work = {
            let (lost, cut) = (Arc::clone(&lost), Arc::clone(&cut));
            move || write(&entries, &target, &lost, &cut)
        };
        let thread = thread::Builder::new()
            .name("imo2skype-log".to_owned())
            .spawn(work)
            .map_err(|error| Error::Internal(format!("cannot start the thread of the log: {error}")))?;
        Ok(Self { most, entries: Mutex::new(Some(sender)), thread: Mutex::new(Some(thread)), lost, cut })
    }

    fn put(&self, entry: Entry) {
        let entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(entries) = &*entries
            && entries.try_send(entry).is_err()
        {
            self.lost.fetch_add(1, Ordering::Relaxed);
        }
    }

    /// Returns when the callback has had what is there and never runs again.
    fn end(&self) {
        drop(self.entries.lock().unwrap_or_else(PoisonError::into_inner).take());
        let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() else { return };
        if thread.thread().id() == thread::current().id() {
            self.cut.store(true, Ordering::Relaxed);
        } else {
            // It does not panic but in the caller's function, which must not unwind.
            let _ = thread.join();
        }
    }
}

/// The thread of a log.
fn write(entries: &Receiver<Entry>, target: &Target, lost: &AtomicU64, cut: &AtomicBool) {
    IN_LOG.set(true);
    for entry in entries {
        let missing = lost.swap(0, Ordering::Relaxed);
        if missing > 0 {
            target.call(tracing::Level::WARN, &to_c(format!("the log callback is slow: {missing} entries lost")));
        }
        if cut.load(Ordering::Relaxed) {
            return;
        }
        target.call(entry.level, &entry.text);
        if cut.load(Ordering::Relaxed) {
            return;
        }
    }
}

/// The log of this process. It is there for good once a callback was set, and costs nothing while there is none:
/// what is not wanted is not even put together.
struct Entries;

impl Entries {
    /// Whether the entries of this library are ours to tell. In a program of Rust that has a log of its own, they
    /// go there.
    fn install() -> bool {
        static INSTALLED: OnceLock<bool> = OnceLock::new();
        *INSTALLED.get_or_init(|| tracing::subscriber::set_global_default(Self).is_ok())
    }

    fn log() -> Option<Arc<Log>> {
        LOG.read().unwrap_or_else(PoisonError::into_inner).clone()
    }

    fn most() -> LevelFilter {
        Self::log().map_or(LevelFilter::OFF, |log| log.most)
    }
}

impl Subscriber for Entries {
    fn enabled(&self, metadata: &Metadata<'_>) -> bool {
        let ours = metadata.target().split("::").next() == Some("imo2skype");
        ours && metadata.is_event() && *metadata.level() <= Self::most()
    }

    fn max_level_hint(&self) -> Option<LevelFilter> {
        Some(Self::most())
    }

    fn event(&self, event: &Event<'_>) {
        // No log while the thread is being taken down.
        if IN_LOG.try_with(Cell::get).unwrap_or(true) {
            return;
        }
        if let Some(log) = Self::log() {
            let mut text = Text::default();
            event.record(&mut text);
            log.put(Entry { level: *event.metadata().level(), text: to_c(text.message + &text.details) });
        }
    }

    // The library has no spans.
    fn new_span(&self, _span: &span::Attributes<'_>) -> span::Id {
        span::Id::from_u64(1)
    }

    fn record(&self, _span: &span::Id, _values: &span::Record<'_>) {}

    fn record_follows_from(&self, _span: &span::Id, _follows: &span::Id) {}

    fn enter(&self, _span: &span::Id) {}

    fn exit(&self, _span: &span::Id) {}
}

/// An entry as it is written: its words, then its details.
#[derive(Default)]
struct Text {
    message: String,
    details: String,
}

impl Visit for Text {
    fn record_debug(&mut self, field: &Field, value: &dyn Debug) {
        // Writing to a String does not fail.
        let _ = match field.name() {
            "message" => write!(self.message, "{value:?}"),
            name => write!(self.details, " {name}={value:?}"),
        };
    }
}

fn number(level: tracing::Level) -> imo2skype_log_level {
    match level {
        tracing::Level::ERROR => imo2skype_log_level::IMO2SKYPE_LOG_ERROR,
        tracing::Level::WARN => imo2skype_log_level::IMO2SKYPE_LOG_WARNING,
        tracing::Level::INFO => imo2skype_log_level::IMO2SKYPE_LOG_INFO,
        tracing::Level::DEBUG => imo2skype_log_level::IMO2SKYPE_LOG_DEBUG,
        tracing::Level::TRACE => imo2skype_log_level::IMO2SKYPE_LOG_TRACE,
    }
}

fn filter(level: c_int) -> Result<LevelFilter, Failure> {
    let levels = [LevelFilter::ERROR, LevelFilter::WARN, LevelFilter::INFO, LevelFilter::DEBUG, LevelFilter::TRACE];
    let problem = || format!("{level} is no imo2skype_log_level, which are 1 to {}", levels.len());
    let known = usize::try_from(level).ok().and_then(|level| levels.get(level.checked_sub(1)?)).copied();
    Ok(known.ok_or_else(|| Error::InvalidArgument { name: "level", problem: problem() })?)
}

/// Has `callback` called with what the library has to tell, up to `level` (an
/// imo2skype_log_level); NULL ends that, whatever the level. Without it nothing is
/// written anywhere.
///
/// One callback for the whole process. It runs on a thread of the library, one
/// entry at a time, while no lock of the library is held. A slow one holds nobody
/// up: entries that find no room are counted, and the next entry says how many.
/// When this function returns, the callback before has had all that was told
/// until then and never runs again, unless it is the caller: `user_data` of old
/// may be released then. Any thread may call this. Since 0.1.0.
///
/// # Safety
///
/// `callback` must be NULL, or callable with `user_data` on another thread until
/// it is replaced or taken off; take it off before the program ends.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_set_log_callback(
    level: c_int,
    callback: imo2skype_log_fn,
    user_data: *mut c_void,
) -> imo2skype_status {
    guard(|| {
        let log = match callback {
            Some(call) => {
                let most = filter(level)?;
                if !Entries::install() {
                    let problem = "this process has a log of its own for the library".to_owned();
                    return Err(Error::InvalidArgument { name: "callback", problem }.into());
                }
                Some(Arc::new(Log::start(most, Target { call, user_data })?))
            }
            None => None,
        };
        let before = std::mem::replace(&mut *LOG.write().unwrap_or_else(PoisonError::into_inner), log);
        // Which entries are put together at all is remembered at each place that has some.
        tracing::callsite::rebuild_interest_cache();
        // Only here, without a lock: the callback may be in the middle of a call of this function.
        if let Some(before) = before {
            before.end();
        }
        Ok(())
    })
}
