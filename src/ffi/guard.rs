//! The wrapper around every function that can fail: panics and errors become a status and a text.

use std::any::Any;
use std::cell::Cell;
use std::cell::RefCell;
use std::ffi::CString;
use std::ffi::c_char;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;

use crate::error::Error;
use crate::ffi::library::imo2skype_status;
use crate::ffi::library::imo2skype_status::*;
use crate::ffi::text::to_c;

/// The longest text of a failure, in bytes before line breaks and the like are shown as escapes.
const LONGEST: usize = 800;

thread_local! {
    static LAST_ERROR: RefCell<CString> = RefCell::default();
    /// Whether there is one. Nearly every call only looks here.
    static FAILED: Cell<bool> = const { Cell::new(false) };
}

/// Why a function did not do its work.
#[derive(Debug)]
pub(super) struct Failure {
    pub(super) status: imo2skype_status,
    pub(super) text: String,
}

impl Failure {
    /// For a pointer that must not be NULL.
    pub(super) fn null(name: &str) -> Self {
        Self { status: IMO2SKYPE_INVALID_ARGUMENT, text: format!("{name}: is NULL") }
    }

    fn panic(payload: &(dyn Any + Send)) -> Self {
        let what = payload
            .downcast_ref::<&str>()
            .copied()
            .or_else(|| payload.downcast_ref::<String>().map(String::as_str))
            .unwrap_or("of unknown kind");
        Self { status: IMO2SKYPE_INTERNAL, text: format!("internal error: panic {what}") }
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        // Without a `_` arm: a new error must not compile until it has a number.
        let status = match &error {
            Error::Closed | Error::Detached { .. } => IMO2SKYPE_CLOSED,
            Error::QueueFull { .. } => IMO2SKYPE_QUEUE_FULL,
            Error::NoReply => IMO2SKYPE_TIMEOUT,
            Error::InvalidArgument { .. } => IMO2SKYPE_INVALID_ARGUMENT,
            Error::LoginRefused { .. } => IMO2SKYPE_LOGIN_REFUSED,
            Error::Network { .. } => IMO2SKYPE_NETWORK,
            Error::Store { .. } => IMO2SKYPE_STORE,
            Error::Internal(_) => IMO2SKYPE_INTERNAL,
        };
        Self { status, text: error.chain() }
    }
}

/// Runs the body of a function that returns a status.
pub(super) fn guard(body: impl FnOnce() -> Result<(), Failure>) -> imo2skype_status {
    match outcome(body) {
        Ok(()) => IMO2SKYPE_OK,
        Err(status) => status,
    }
}

/// Runs the body of a function without a status; `harmless` is what it returns instead.
pub(super) fn guard_or<T>(harmless: T, body: impl FnOnce() -> Result<T, Failure>) -> T {
    outcome(body).unwrap_or(harmless)
}

/// Runs the body of a function that releases something. It leaves the text of a failure before it,
/// which is often printed only after everything was released.
pub(super) fn release(body: impl FnOnce()) {
    if let Err(failure) = catch(|| {
        body();
        Ok(())
    }) {
        remember(&failure.text);
    }
}

fn outcome<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, imo2skype_status> {
    let result = catch(body);
    match &result {
        Ok(_) if !FAILED.get() => {}
        Ok(_) => remember(""),
        Err(failure) => remember(&failure.text),
    }
    result.map_err(|failure| failure.status)
}

fn catch<T>(body: impl FnOnce() -> Result<T, Failure>) -> Result<T, Failure> {
    // Unwind safe: what a panic leaves behind is behind locks, and a session closes itself on one.
    catch_unwind(AssertUnwindSafe(body)).unwrap_or_else(|payload| Err(Failure::panic(&*payload)))
}

/// What is told: one line that a log can bear, whatever a caller or a server brought into it. Of a text
/// that is too long the middle goes: the beginning says what was wrong, the end what would be right.
fn one_line(text: &str) -> String {
    let boundary = |at: usize| (0..=at).rev().find(|at| text.is_char_boundary(*at)).unwrap_or(0);
    let (begin, end) = match text.len() {
        ..=LONGEST => (text, ""),
        length => (&text[..boundary(LONGEST / 2)], &text[boundary(length - LONGEST / 2)..]),
    };
    let gap = if end.is_empty() { "" } else { " [...] " };
    let mut line = String::new();
    for character in [begin, gap, end].into_iter().flat_map(str::chars) {
        if character.is_control() { line.extend(character.escape_default()) } else { line.push(character) }
    }
    line
}

fn remember(text: &str) {
    FAILED.set(!text.is_empty());
    // Not while the thread is being taken down: then nobody can ask any more either.
    let _ = LAST_ERROR.try_with(|last| *last.borrow_mut() = to_c(one_line(text)));
}

/// The text of this thread's last failure.
pub(super) fn last_error() -> *const c_char {
    LAST_ERROR.try_with(|last| last.borrow().as_ptr()).unwrap_or(c"".as_ptr())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ffi::text::tests::read;

    #[test]
    fn a_panic_becomes_a_status_and_a_text() {
        assert_eq!(guard(|| panic!("on {}", "purpose")), IMO2SKYPE_INTERNAL);
        assert_eq!(read(last_error()), "internal error: panic on purpose");
        assert_eq!(guard_or(-1, || panic!("again")), -1);
        assert_eq!(read(last_error()), "internal error: panic again");
        assert_eq!(guard(|| Ok(())), IMO2SKYPE_OK);
        assert_eq!(read(last_error()), "");
    }

    #[test]
    fn releasing_leaves_the_text_of_the_failure_before() {
        assert_eq!(guard(|| Err(Failure::null("here"))), IMO2SKYPE_INVALID_ARGUMENT);
        release(|| ());
        assert_eq!(read(last_error()), "here: is NULL");
        release(|| panic!("on purpose"));
        assert_eq!(read(last_error()), "internal error: panic on purpose");
    }

    #[test]
    fn the_text_names_every_cause() {
        let refused = std::io::Error::other("connection refused");
        let error = Error::Network { server: "example.org".to_owned(), source: refused.into() };
        assert_eq!(guard(|| Err(error.into())), IMO2SKYPE_NETWORK);
        assert_eq!(read(last_error()), "cannot reach example.org: connection refused");
    }

    #[test]
    fn the_text_is_one_line_that_a_log_can_bear() {
        let fail = |text: String| {
            assert_eq!(guard(|| Err(Failure { status: IMO2SKYPE_STORE, text })), IMO2SKYPE_STORE);
            read(last_error())
        };
        assert_eq!(fail("a\nb\r\u{7f}\u{85}ü".to_owned()), "a\\nb\\r\\u{7f}\\u{85}ü");
        for unit in ["a", "ü", "€", "😀"] {
            let text = fail(format!("name: {}; give another", unit.repeat(10 << 20)));
            assert!(text.starts_with(&format!("name: {unit}")) && text.ends_with(&format!("{unit}; give another")));
            assert!(text.contains(&format!("{unit} [...] {unit}")) && text.len() < LONGEST + 20, "{text}");
        }
    }

    #[test]
    fn each_thread_has_its_own_text() {
        assert_eq!(guard(|| Err(Failure::null("here"))), IMO2SKYPE_INVALID_ARGUMENT);
        let other = std::thread::spawn(|| read(last_error())).join().expect("no panic");
        assert_eq!(other, "");
        assert_eq!(read(last_error()), "here: is NULL");
    }
}
