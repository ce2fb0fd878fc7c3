//! Opens the pages of calls in the user's browser, for those who want that (interfaces 3, `-i`).

use std::sync::Arc;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;

use crate::threads::without_signals;

/// Opens one page; it may take as long as the browser runs.
pub type Opener = Arc<dyn Fn(&str) -> std::io::Result<()> + Send + Sync>;

/// How many browsers may be on their way at once.
const MOST_AT_ONCE: usize = 4;

/// The user's browser.
pub(super) struct Browser {
    open: Opener,
    busy: Arc<AtomicUsize>,
}

impl Browser {
    pub(super) fn new(open: Opener) -> Self {
        Self { open, busy: Arc::default() }
    }

    /// The browser that the user has chosen for everything.
    pub(super) fn of_the_user() -> Self {
        Self::new(Arc::new(open_by_system))
    }

    /// Opens a page on a thread of its own that nobody waits for: a browser may run for days.
    pub(super) fn open(&self, page: String) {
        if self.busy.fetch_add(1, Ordering::SeqCst) >= MOST_AT_ONCE {
            self.busy.fetch_sub(1, Ordering::SeqCst);
            tracing::warn!(limit = MOST_AT_ONCE, "too many browsers on their way: a call page is not opened");
            return;
        }
        let (open, busy) = (Arc::clone(&self.open), Arc::clone(&self.busy));
        let work = move || {
            // The address may let others into the call: it is not for the log.
            if let Err(error) = open(&page) {
                tracing::warn!(%error, "cannot open the page of a call");
            }
            busy.fetch_sub(1, Ordering::SeqCst);
        };
        let builder = thread::Builder::new().name("imo2skype-page".to_owned());
        if let Err(error) = without_signals(|| builder.spawn(work)) {
            self.busy.fetch_sub(1, Ordering::SeqCst);
            tracing::warn!(%error, "no thread: the page of a call is not opened");
        }
    }
}

#[cfg(feature = "imo")]
fn open_by_system(page: &str) -> std::io::Result<()> {
    webbrowser::open(page)
}

/// Only the imo network has such pages.
#[cfg(not(feature = "imo"))]
fn open_by_system(_page: &str) -> std::io::Result<()> {
    Err(std::io::ErrorKind::Unsupported.into())
}
