//! Sessions.

use std::cell::Cell;
use std::ffi::c_char;
use std::ffi::c_int;
use std::ffi::c_void;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::time::Duration;

use crate::error::Error;
use crate::ffi::config::imo2skype_config;
use crate::ffi::config::snapshot;
use crate::ffi::guard::Failure;
use crate::ffi::guard::guard;
use crate::ffi::guard::guard_or;
use crate::ffi::guard::release;
use crate::ffi::handle::Table;
use crate::ffi::library::imo2skype_status;
use crate::ffi::library::imo2skype_status::IMO2SKYPE_TIMEOUT;
use crate::ffi::text::from_c;
use crate::ffi::text::give;
use crate::ffi::text::result;
use crate::ffi::text::take_back;
use crate::ffi::text::to_c;
use crate::session::Session;

/// One client of a login: commands go in, replies and notifications come out.
/// Made by imo2skype_session_open() and imo2skype_session_attach(), ended by
/// imo2skype_session_close().
pub struct imo2skype_session {
    _opaque: [u8; 0],
}

/// Is called with each line. The text is valid during the call only. The
/// function may call everything in this header, also take itself off or close
/// the session. It must return: no longjmp(), no C++ exception.
pub type imo2skype_notification_fn = Option<unsafe extern "C" fn(notification: *const c_char, user_data: *mut c_void)>;

/// Each call holds the read lock while it is inside, so that close can wait for all to have left.
type Client = RwLock<Option<Session>>;

static SESSIONS: Table<imo2skype_session, Client> = Table::new();

thread_local! {
    /// Whether this thread is inside a callback: then close must not wait for other calls, as one of
    /// them may be waiting for the callback.
    static IN_CALLBACK: Cell<bool> = const { Cell::new(false) };
}

#[inline(always)]
fn find(session: *const imo2skype_session) -> Result<Arc<Client>, Failure> {
    let unknown = || if session.is_null() { Failure::null("session") } else { Error::Closed.into() };
    SESSIONS.get(session).ok_or_else(unknown)
}

/// Does something with a session.
fn with<T>(session: *const imo2skype_session, work: impl FnOnce(&Session) -> Result<T, Failure>) -> Result<T, Failure> {
    let client = find(session)?;
    let client = client.read().unwrap_or_else(PoisonError::into_inner);
    work(client.as_ref().ok_or_else(|| Error::Closed)?)
}

fn hand_over(session: Session) -> *mut imo2skype_session {
    SESSIONS.insert(RwLock::new(Some(session)))
}

/// Opens a session and logs in.
///
/// Returns when the login has succeeded or failed (IMO2SKYPE_LOGIN_REFUSED,
/// IMO2SKYPE_NETWORK); with the option autologin=false at once, offline, and
/// the command "SET USERSTATUS ONLINE" logs in later. Without the option "server"
/// the network is a gateway in the memory of this process, which all such
/// sessions share. The options are copied.
/// On success stores a session to be ended with imo2skype_session_close(),
/// otherwise NULL. Any thread may call this. Since 0.1.0.
///
/// # Safety
///
/// `out` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_session_open(
    config: *const imo2skype_config,
    out: *mut *mut imo2skype_session,
) -> imo2skype_status {
    guard(|| {
        // SAFETY: our contract.
        let out = unsafe { result("out", out) }?;
        *out = hand_over(Session::open(snapshot(config)?)?);
        Ok(())
    })
}

/// Hands one line of the Skype API to the session, "MESSAGE echo123 hello" for
/// one. Never waits for the network.
///
/// What the Skype API refuses is a reply, "ERROR n text", not a failure here.
/// IMO2SKYPE_QUEUE_FULL while too many lines wait unread. The text is copied.
/// Any thread may call this, also while others use the same session.
/// Since 0.1.0.
///
/// # Safety
///
/// `command` must be NULL or end in a NUL.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_send_skype_command(
    session: *mut imo2skype_session,
    command: *const c_char,
) -> imo2skype_status {
    guard(|| {
        // SAFETY: our contract.
        let command = unsafe { from_c("command", command) }?;
        with(session, |session| Ok(session.send_skype_command(command)?))
    })
}

/// Takes the next reply or notification, waiting up to `timeout_ms`
/// milliseconds: negative waits for ever, 0 not at all.
///
/// Stores text to be released with imo2skype_string_free(), or NULL unless the
/// status is IMO2SKYPE_OK. IMO2SKYPE_TIMEOUT if no line came,
/// IMO2SKYPE_CLOSED once the session is closed, also for those who wait,
/// IMO2SKYPE_INVALID_ARGUMENT while a callback is set. Any thread may call
/// this, also while others use the same session. Since 0.1.0.
///
/// # Safety
///
/// `notification` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_poll_skype_notification(
    session: *mut imo2skype_session,
    timeout_ms: c_int,
    notification: *mut *mut c_char,
) -> imo2skype_status {
    guard(|| {
        // SAFETY: our contract.
        let notification = unsafe { result("notification", notification) }?;
        let late = || Failure { status: IMO2SKYPE_TIMEOUT, text: "no line came in time".to_owned() };
        let line = with(session, |session| Ok(session.poll_skype_notification(timeout(timeout_ms))?))?;
        *notification = give(&line.ok_or_else(late)?)?;
        Ok(())
    })
}

/// Sends a command and waits for the reply to it, up to `timeout_ms`
/// milliseconds: negative waits for ever, 0 takes only what comes at once.
///
/// Stores the reply without its "#id", whatever it says ("ERROR n text" too),
/// to be released with imo2skype_string_free(), or NULL unless the status is
/// IMO2SKYPE_OK. Notifications stay in the queue. After IMO2SKYPE_TIMEOUT the
/// reply is dropped when it comes. Inside a callback, where a long timeout would
/// let other callbacks wait, 0 is enough for what the session knows: GET, SEARCH.
/// Any thread may call this, also while others use the same session. Since 0.1.0.
///
/// # Safety
///
/// `command` must be NULL or end in a NUL; `reply` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_invoke(
    session: *mut imo2skype_session,
    command: *const c_char,
    timeout_ms: c_int,
    reply: *mut *mut c_char,
) -> imo2skype_status {
    guard(|| {
        // SAFETY: our contract.
        let (reply, command) = unsafe { (result("reply", reply)?, from_c("command", command)?) };
        let wait = timeout(timeout_ms).unwrap_or(Duration::MAX);
        *reply = give(&with(session, |session| Ok(session.invoke(command, wait)?))?)?;
        Ok(())
    })
}

/// Releases a text that a function here stored. Takes NULL.
///
/// Not for texts that a function returns: those stay with the library. Any
/// thread may call this. Since 0.1.0.
///
/// # Safety
///
/// `text` must be NULL or a text that was stored and not released yet.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_string_free(text: *mut c_char) {
    // SAFETY: our contract. Nothing here can panic.
    unsafe { take_back(text) };
}

/// A descriptor that is readable while lines wait, for poll(2), select(2) and
/// event loops.
///
/// When it is, call imo2skype_poll_skype_notification() with the timeout 0
/// until IMO2SKYPE_TIMEOUT; that nothing waits after all can happen. It is
/// readable for good once the client was detached. The descriptor belongs to the
/// session, which closes it at its end: do not read it, do not close it, and
/// take it out of your event loop before imo2skype_session_close(). It means
/// nothing while a callback is set. -1 on failure and on Windows. Any thread may
/// call this. Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_notification_fd(session: *mut imo2skype_session) -> c_int {
    guard_or(-1, || with(session, descriptor))
}

#[cfg(unix)]
fn descriptor(session: &Session) -> Result<c_int, Failure> {
    Ok(session.notification_fd()?)
}

#[cfg(not(unix))]
fn descriptor(_: &Session) -> Result<c_int, Failure> {
    Err(Error::Internal("this system has no descriptors to wait for".to_owned()).into())
}

/// Has `callback` called with each line instead of polling; NULL gives polling
/// back.
///
/// Callbacks run on one thread of the library, one at a time, while no lock of
/// the library is held. Lines that wait already come first. A poll that waits, and
/// every later one, returns IMO2SKYPE_INVALID_ARGUMENT until the callback is taken
/// off. When this function returns IMO2SKYPE_OK, the callback before does not run
/// any more and never will, unless it is the caller: `user_data` of old may be
/// released then. On IMO2SKYPE_CLOSED it may still be running: wait for the
/// imo2skype_session_close() that closed the session. Of a detachment a callback is
/// not told; the next call returns IMO2SKYPE_CLOSED. Any thread may call this.
/// Since 0.1.0.
///
/// # Safety
///
/// `callback` must be NULL, or callable with `user_data` on another thread until
/// it is taken off or the session is closed.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_set_notification_callback(
    session: *mut imo2skype_session,
    callback: imo2skype_notification_fn,
    user_data: *mut c_void,
) -> imo2skype_status {
    guard(|| {
        let target = callback.map(|call| Target { call, user_data });
        with(session, |session| {
            let callback = target.map(|target| Box::new(move |line: &str| target.call(line)) as _);
            Ok(session.set_notification_callback(callback)?)
        })
    })
}

/// The caller's function and its data.
struct Target {
    call: unsafe extern "C" fn(*const c_char, *mut c_void),
    user_data: *mut c_void,
}

// SAFETY: whoever sets a callback allows it to be called on another thread.
unsafe impl Send for Target {}

impl Target {
    fn call(&self, line: &str) {
        let line = to_c(line);
        IN_CALLBACK.set(true);
        // SAFETY: callable by the contract of `imo2skype_set_notification_callback`.
        unsafe { (self.call)(line.as_ptr(), self.user_data) };
        IN_CALLBACK.set(false);
    }
}

/// One more client of the same login, with its own protocol version, ids and
/// queue.
///
/// On success stores a session to be ended with imo2skype_session_close(),
/// otherwise NULL. Closing one client does not close the others. Any thread may
/// call this, also while others use the same session. Since 0.1.0.
///
/// # Safety
///
/// `client` must be NULL or writable.
#[unsafe(no_mangle)]
pub unsafe extern "C" fn imo2skype_session_attach(
    session: *mut imo2skype_session,
    client: *mut *mut imo2skype_session,
) -> imo2skype_status {
    guard(|| {
        // SAFETY: our contract.
        let client = unsafe { result("client", client) }?;
        *client = hand_over(with(session, |session| Ok(session.attach()?))?);
        Ok(())
    })
}

/// Closes this client; the last client of a login logs out. Takes NULL.
///
/// Every call that waits on it returns IMO2SKYPE_CLOSED, and so does every later
/// one: a closed session is recognized, and closing it again does nothing (a
/// debug build of the library notes it in the log). Returns when those calls and
/// a running callback have ended, unless the callback itself is the caller; who
/// closes it again does not wait. So where a callback closes its own session, wait
/// for that callback before you release its `user_data`. Any thread may call this.
/// Since 0.1.0.
#[unsafe(no_mangle)]
pub extern "C" fn imo2skype_session_close(session: *mut imo2skype_session) {
    release(|| {
        let Some(client) = SESSIONS.remove("imo2skype_session_close", session) else { return };
        if let Some(session) = &*client.read().unwrap_or_else(PoisonError::into_inner) {
            session.close();
        }
        let last = if IN_CALLBACK.get() {
            // Where another call is still inside, that one ends the session when it leaves.
            client.try_write().ok().and_then(|mut client| client.take())
        } else {
            client.write().unwrap_or_else(PoisonError::into_inner).take()
        };
        drop(last);
    });
}

/// Negative waits for ever.
fn timeout(timeout_ms: c_int) -> Option<Duration> {
    u64::try_from(timeout_ms).ok().map(Duration::from_millis)
}
