//! The gateway: a chat network inside the caller's process.

use std::ffi::CString;
use std::ffi::c_char;
use std::path::PathBuf;
use std::ptr;
use std::sync::Mutex;
use std::sync::PoisonError;

use crate::error::Error;
use crate::ffi::guard::Failure;
use crate::ffi::guard::guard;
use crate::ffi::guard::guard_or;
use crate::ffi::guard::release;
use crate::ffi::handle::Table;
use crate::ffi::library::imo2skype_status;
use crate::ffi::text::optional_from_c;
use crate::ffi::text::result;
use crate::ffi::text::to_c;
use crate::gateway::Gateway;
use crate::gateway::GatewayConfig;

/// A running gateway. Made by imo2skype_gateway_start(), ended by
/// imo2skype_gateway_stop().
pub struct imo2skype_gateway {
    _opaque: [u8; 0],
}

struct Running {
    gateway: Mutex<Option<Gateway>>,
    /// Handed out until the gateway stops.
    url: CString,
}

static GATEWAYS: Table<imo2skype_gateway, Running> = Table::new();

/// Starts a chat network inside this process, for sessions of this and other
/// programs on this machine. When this returns, it can be reached.
///
/// It registers an unknown user name at its first login and knows the contact
/// echo123, which answers every message with the same text. `database` is the
/// path of its SQLite file, made when it is not there; NULL keeps everything in
/// memory. `listen` is the address and port to listen on; NULL means
/// "127.0.0.1:0", a free port. On success stores a gateway to be ended with
/// imo2skype_gateway_stop(), otherwise NULL. Any thread may call this.
/// Since 0.1.0.
///
/// # Safety
///
/// `database` and `listen` must be NULL or end in a NUL; `out` must be NULL or
/// writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_gateway_start(
    database: *const c_char,
    listen: *const c_char,
    out: *mut *mut imo2skype_gateway,
) -> imo2skype_status {
    guard(|| {
        // SAFETY: our contract.
        let (out, database, listen) = unsafe {
            (result("out", out)?, optional_from_c("database", database)?, optional_from_c("listen", listen)?)
        };
        let mut config = GatewayConfig::embedded(database.map(PathBuf::from));
        if let Some(listen) = listen {
            config.listen = listen.to_owned();
        }
        let gateway = Gateway::start(config)?;
        let url = to_c(gateway.url());
        *out = GATEWAYS.insert(Running { gateway: Mutex::new(Some(gateway)), url });
        Ok(())
    })
}

/// Where the gateway is reached, "http://127.0.0.1:41234/" for one: a value for
/// the option "server".
///
/// The text belongs to the gateway and is valid until imo2skype_gateway_stop():
/// copy it where another thread may call that. NULL for NULL and for a gateway
/// that was stopped. Any thread may call this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_gateway_url(gateway: *const imo2skype_gateway) -> *const c_char {
    guard_or(ptr::null(), || {
        if gateway.is_null() {
            return Err(Failure::null("gateway"));
        }
        let stopped =
            || Error::InvalidArgument { name: "gateway", problem: "was stopped, or never was one".to_owned() };
        Ok(GATEWAYS.get(gateway).ok_or_else(stopped)?.url.as_ptr())
    })
}

/// Stops a gateway and returns when it has ended. Takes NULL.
///
/// Sessions on it find their network gone and look for it until they are closed;
/// close them first. Stopping it again does nothing; a debug build of the library
/// notes it in the log. Any thread may call this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_gateway_stop(gateway: *mut imo2skype_gateway) {
    release(|| {
        if let Some(running) = GATEWAYS.remove("imo2skype_gateway_stop", gateway) {
            // Taken out, so that it ends here even if another thread is asking for the URL.
            let gateway = running.gateway.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(gateway) = gateway {
                gateway.stop();
            }
        }
    });
}
