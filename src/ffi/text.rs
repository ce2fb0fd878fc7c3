//! Text and results across the border.

use std::ffi::CStr;
use std::ffi::CString;
use std::ffi::c_char;
use std::ptr;

use crate::ffi::guard::Failure;
use crate::ffi::library::imo2skype_status::IMO2SKYPE_INVALID_UTF8;

/// The text that C gave for the parameter `name`.
///
/// # Safety
///
/// `text` must be NULL, or end in a NUL and not change for as long as `'a`.
pub(super) unsafe fn from_c<'a>(name: &str, text: *const c_char) -> Result<&'a str, Failure> {
    // SAFETY: our own contract.
    unsafe { optional_from_c(name, text) }?.ok_or_else(|| Failure::null(name))
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
    // SAFETY: not NULL; the rest is our own contract.
    let text = unsafe { CStr::from_ptr(text) };
    text.to_str().map(Some).map_err(|error| Failure {
        status: IMO2SKYPE_INVALID_UTF8,
        text: format!("{name}: not UTF-8 after {} bytes", error.valid_up_to()),
    })
}

/// A text for C. The Skype API has no NUL; what a defect might bring is shown as a replacement.
pub(super) fn to_c(text: impl Into<String>) -> CString {
    CString::new(text.into()).unwrap_or_else(|error| {
        let text = String::from_utf8_lossy(&error.into_vec()).replace('\0', "\u{fffd}");
        CString::new(text).unwrap_or_default()
    })
}

/// The place for a result, set to NULL before anything else happens.
///
/// # Safety
///
/// `place` must be NULL, or writable for as long as `'a` and used by nobody else meanwhile.
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
    fn a_nul_does_not_cut_a_text() {
        assert_eq!(to_c("a\0b").to_str(), Ok("a\u{fffd}b"));
        assert_eq!(to_c("").to_str(), Ok(""));
    }
}
