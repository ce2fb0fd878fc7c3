//! Text and results across the border.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ffi::c_void;
use std::ptr;

use crate::ffi::guard::Failure;
use crate::ffi::library::imo2skype_status::IMO2SKYPE_INTERNAL;
use crate::ffi::library::imo2skype_status::IMO2SKYPE_INVALID_UTF8;

unsafe extern "C" {
    fn malloc(size: usize) -> *mut c_void;
    fn free(memory: *mut c_void);
}

/// The text that C gave for the parameter `name`.
///
/// # Safety
///
/// `text` must be NULL, or end in a NUL and not change for as long as `'a`.
#[inline(always)]
pub(super) unsafe fn from_c<'a>(name: &str, text: *const c_char) -> Result<&'a str, Failure> {
    if text.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not NULL; the rest is our own contract.
    utf8(name, unsafe { CStr::from_ptr(text) })
}

/// The text that C gave for the parameter `name`, which may be NULL.
///
/// # Safety
///
/// As [`from_c`].
pub(super) unsafe fn optional_from_c<'a>(name: &str, text: *const c_char) -> Result<Option<&'a str>, Failure> {
    if text.is_null() {
        return Ok(None);
    }
    // SAFETY: our own contract.
    unsafe { from_c(name, text) }.map(Some)
}

#[inline]
fn utf8<'a>(name: &str, text: &'a CStr) -> Result<&'a str, Failure> {
    let bytes = text.to_bytes();
    if is_ascii(bytes) {
        // SAFETY: ASCII is UTF-8.
        return Ok(unsafe { str::from_utf8_unchecked(bytes) });
    }
    str::from_utf8(bytes).map_err(|error| Failure {
        status: IMO2SKYPE_INVALID_UTF8,
        text: format!("{name}: not UTF-8 after {} bytes", error.valid_up_to()),
    })
}

/// Nearly every command is, and it is seen eight bytes at a time. The last eight may overlap those before.
#[inline]
fn is_ascii(bytes: &[u8]) -> bool {
    let Some(last) = bytes.last_chunk::<8>() else { return bytes.is_ascii() };
    let (words, _) = bytes.as_chunks::<8>();
    let all = words.iter().fold(u64::from_ne_bytes(*last), |all, word| all | u64::from_ne_bytes(*word));
    all & 0x8080_8080_8080_8080 == 0
}

/// A text that stays ours. The Skype API has no NUL; what a defect might bring is shown as a replacement.
pub(super) fn to_c(text: impl Into<String>) -> CString {
    CString::new(text.into()).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).unwrap_or_default()
    })
}

/// A text for the caller, until [`take_back`]. It lies in memory of the C library, which is released without a length:
/// callers write into what is theirs, and a NUL in the middle must do no harm.
pub(super) fn give(text: &str) -> Result<*mut c_char, Failure> {
    // SAFETY: as many bytes as are written, and the result is looked at before.
    let given = unsafe {
        let given: *mut c_char = malloc(text.len() + 1).cast();
        if given.is_null() {
            return Err(Failure { status: IMO2SKYPE_INTERNAL, text: "no memory for a text".to_owned() });
        }
        given.copy_from_nonoverlapping(text.as_ptr().cast(), text.len());
        given.add(text.len()).write(0);
        given
    };
    // SAFETY: it was just written, with a NUL at its end.
    if unsafe { CStr::from_ptr(given) }.count_bytes() == text.len() {
        return Ok(given);
    }
    // SAFETY: it was just given, to nobody yet.
    unsafe { take_back(given) };
    give(&text.replace('\0', "\u{fffd}"))
}

/// Releases a text that was given.
///
/// # Safety
///
/// `text` must be NULL or a text that was given and not taken back yet.
pub(super) unsafe fn take_back(text: *mut c_char) {
    // SAFETY: from `malloc` by our own contract, or NULL, which it takes.
    unsafe { free(text.cast()) };
}

/// The place for a result, set to NULL before anything else happens.
///
/// # Safety
///
/// `place` must be NULL, or writable for as long as `'a` and used by nobody else meanwhile.
#[inline(always)]
pub(super) unsafe fn result<'a, T>(name: &str, place: *mut *mut T) -> Result<&'a mut *mut T, Failure> {
    if place.is_null() {
        return Err(Failure::null(name));
    }
    // SAFETY: not NULL; the rest is our own contract. Written before it is borrowed, since C need not
    // have set it.
    unsafe {
        place.write(ptr::null_mut());
        Ok(&mut *place)
    }
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;
    use crate::ffi::library::imo2skype_status::IMO2SKYPE_INVALID_ARGUMENT;

    pub(in crate::ffi) fn read(text: *const c_char) -> String {
        // SAFETY: the tests pass what the library returned, which ends in a NUL.
        let text = unsafe { from_c("text", text) };
        text.expect("UTF-8").to_owned()
    }

    #[test]
    fn what_is_wrong_with_a_text_names_the_parameter() {
        // SAFETY: NULL and constant texts.
        let (null, bad) = unsafe { (from_c("key", ptr::null()), from_c("key", c"ab\xff".as_ptr())) };
        let (null, bad) = (null.expect_err("NULL"), bad.expect_err("not UTF-8"));
        assert_eq!((null.status, null.text.as_str()), (IMO2SKYPE_INVALID_ARGUMENT, "key: is NULL"));
        assert_eq!((bad.status, bad.text.as_str()), (IMO2SKYPE_INVALID_UTF8, "key: not UTF-8 after 2 bytes"));
    }

    #[test]
    fn one_byte_that_is_not_ascii_is_seen_wherever_it_is() {
        for length in 0..40 {
            let mut bytes = vec![b'a'; length];
            assert!(is_ascii(&bytes));
            for place in 0..length {
                bytes[place] = 0xc3;
                assert!(!is_ascii(&bytes), "{place} of {length}");
                bytes[place] = 0x7f;
            }
        }
    }

    #[test]
    fn a_nul_does_not_cut_a_text() {
        for (text, shown) in [("a\0b", "a\u{fffd}b"), ("\0", "\u{fffd}"), ("", ""), ("ü", "ü")] {
            assert_eq!(to_c(text).to_str(), Ok(shown));
            let given = give(text).expect("memory");
            assert_eq!(read(given), shown);
            // SAFETY: given above.
            unsafe { take_back(given) };
        }
    }
}
