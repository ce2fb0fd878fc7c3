//! The options of a session.

use std::ffi::CString;
use std::ffi::c_char;
use std::ptr;
use std::sync::Arc;
use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use crate::config::Config;
use crate::error::Error;
use crate::ffi::guard::Failure;
use crate::ffi::guard::guard;
use crate::ffi::guard::guard_or;
use crate::ffi::guard::release;
use crate::ffi::handle::Table;
use crate::ffi::library::imo2skype_status;
use crate::ffi::text::from_c;
use crate::ffi::text::optional_from_c;
use crate::ffi::text::to_c;

/// The options of a session. Made by imo2skype_config_new(), released by
/// imo2skype_config_free().
pub struct imo2skype_config {
    _opaque: [u8; 0],
}

static CONFIGS: Table<imo2skype_config, Mutex<Config>> = Table::new();

/// The help texts, made into C text once.
struct Help {
    /// All keys, separated by blanks.
    keys: CString,
    /// Each key with its line.
    lines: Vec<(&'static str, CString)>,
}

static HELP: OnceLock<Help> = OnceLock::new();

fn help() -> &'static Help {
    HELP.get_or_init(|| {
        let keys: Vec<_> = Config::keys().iter().map(|key| key.name).collect();
        let lines = Config::keys().iter().map(|key| (key.name, to_c(format!("{} ({})", key.help, key.values))));
        Help { keys: to_c(keys.join(" ")), lines: lines.collect() }
    })
}

fn find(config: *const imo2skype_config) -> Result<Arc<Mutex<Config>>, Failure> {
    if config.is_null() {
        return Err(Failure::null("config"));
    }
    let freed = || Error::InvalidArgument { name: "config", problem: "was freed, or never was one".to_owned() };
    Ok(CONFIGS.get(config).ok_or_else(freed)?)
}

/// A copy of the options, for whoever opens a session with them.
pub(super) fn snapshot(config: *const imo2skype_config) -> Result<Config, Failure> {
    Ok(find(config)?.lock().unwrap_or_else(PoisonError::into_inner).clone())
}

/// Options for this account, everything else at its default.
///
/// Both texts are copied; the password is wiped when the options are freed.
/// NULL on failure, with the reason in imo2skype_last_error(). Release the
/// result with imo2skype_config_free(). Any thread may call this. Since 0.1.0.
///
/// # Safety
///
/// `username` and `password` must be NULL or end in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_config_new(
    username: *const c_char,
    password: *const c_char,
) -> *mut imo2skype_config {
    guard_or(ptr::null_mut(), || {
        // SAFETY: our contract.
        let (username, password) = unsafe { (from_c("username", username)?, from_c("password", password)?) };
        Ok(CONFIGS.insert(Mutex::new(Config::new(username, password))))
    })
}

/// Sets one option by name; booleans are "true" and "false".
///
/// IMO2SKYPE_INVALID_ARGUMENT for an unknown key (imo2skype_last_error() then
/// names the known ones) and for a value that this key does not take. Sessions
/// that are open already do not change. Any thread may call this. Since 0.1.0.
///
/// # Safety
///
/// `key` and `value` must be NULL or end in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_config_set(
    config: *mut imo2skype_config,
    key: *const c_char,
    value: *const c_char,
) -> imo2skype_status {
    guard(|| {
        let config = find(config)?;
        // SAFETY: our contract.
        let (key, value) = unsafe { (from_c("key", key)?, from_c("value", value)?) };
        Ok(config.lock().unwrap_or_else(PoisonError::into_inner).set(key, value)?)
    })
}

/// One line of help for a key of imo2skype_config_set(), and what it takes.
///
/// With NULL, the known keys separated by blanks. NULL for an unknown key. The
/// text is constant. Any thread may call this. Since 0.1.0.
///
/// # Safety
///
/// `key` must be NULL or end in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_config_describe(key: *const c_char) -> *const c_char {
    guard_or(ptr::null(), || {
        // SAFETY: our contract.
        let Some(key) = (unsafe { optional_from_c("key", key) })? else { return Ok(help().keys.as_ptr()) };
        match help().lines.iter().find(|(name, _)| *name == key) {
            Some((_, line)) => Ok(line.as_ptr()),
            None => Err(Error::InvalidArgument { name: "key", problem: format!("unknown key {key:?}") }.into()),
        }
    })
}

/// Releases options. Takes NULL. Sessions that were opened with them go on.
///
/// Releasing them again does nothing; a debug build of the library notes it in
/// the log. Any thread may call this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_config_free(config: *mut imo2skype_config) {
    release(|| drop(CONFIGS.remove("imo2skype_config_free", config)));
}
