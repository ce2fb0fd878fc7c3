//! What concerns the library as a whole: status, versions, the last error.

use std::ffi::CStr;
use std::ffi::c_char;
use std::ffi::c_int;

use crate::ffi::guard::last_error;

/// How a call went. Numbers are never changed and never reused; later versions
/// may add some, so treat an unknown one as a failure.
#[repr(C)]
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum imo2skype_status {
    /// Done.
    IMO2SKYPE_OK = 0,
    /// Nothing came within the time given. Trying again is fine.
    IMO2SKYPE_TIMEOUT = 1,
    /// The session was closed, here or on another thread, or this client was
    /// detached because it left too much unread.
    IMO2SKYPE_CLOSED = 2,
    /// An argument that can never be accepted, a NULL among them.
    IMO2SKYPE_INVALID_ARGUMENT = 3,
    /// A text that is not UTF-8.
    IMO2SKYPE_INVALID_UTF8 = 4,
    /// The server does not take this user name with this password.
    IMO2SKYPE_LOGIN_REFUSED = 5,
    /// The server cannot be reached. Trying again later may help.
    IMO2SKYPE_NETWORK = 6,
    /// A database cannot be opened, read or written.
    IMO2SKYPE_STORE = 7,
    /// A defect of this library, or a resource of the machine that ran out.
    IMO2SKYPE_INTERNAL = 8,
    /// Too many lines wait unread; take some, then send again.
    IMO2SKYPE_QUEUE_FULL = 9,
}

/// The number of the binary interface of this header. It grows only if programs
/// compiled with an older header would break; then the library has another SONAME.
pub const IMO2SKYPE_ABI_VERSION: u32 = 1;

/// The version of the library that runs, "1.2.3"; IMO2SKYPE_VERSION is the one
/// that the program was compiled with.
///
/// The text is constant. Any thread may call this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_version() -> *const c_char {
    const VERSION: &CStr = match CStr::from_bytes_with_nul(concat!(env!("CARGO_PKG_VERSION"), "\0").as_bytes()) {
        Ok(version) => version,
        Err(_) => c"",
    };
    VERSION.as_ptr()
}

/// IMO2SKYPE_ABI_VERSION of the library that runs.
///
/// Any thread may call this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_abi_version() -> u32 {
    IMO2SKYPE_ABI_VERSION
}

/// What a status means, in a few words of English; "unknown status" for a
/// number that is none.
///
/// imo2skype_last_error() tells more. The text is constant. Any thread may call
/// this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_status_text(status: c_int) -> *const c_char {
    let text = match status {
        0 => c"done",
        1 => c"nothing came in time",
        2 => c"the session is closed",
        3 => c"invalid argument",
        4 => c"text is not UTF-8",
        5 => c"login refused",
        6 => c"cannot reach the server",
        7 => c"cannot use the database",
        8 => c"internal error",
        9 => c"too many lines wait unread",
        _ => c"unknown status",
    };
    text.as_ptr()
}

/// What went wrong in the last call that this thread made: one line that names
/// the argument, server or file. Empty if nothing did.
///
/// Never NULL. The text belongs to the library and is valid until this thread's
/// next call of any other function here. What only releases (_free, _close,
/// _stop) leaves the text of the failure before it. Every thread has its own.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_last_error() -> *const c_char {
    last_error()
}
