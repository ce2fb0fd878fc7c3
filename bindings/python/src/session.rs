//! `Session`, and the replies that asyncio waits for.

use std::sync::Arc;
use std::sync::OnceLock;
use std::time::Duration;

use imo2skype::Config;
use imo2skype::Error;
use imo2skype::session::Pending;
use pyo3::Borrowed;
use pyo3::Bound;
use pyo3::FromPyObject;
use pyo3::Py;
use pyo3::PyAny;
use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::Python;
use pyo3::pyclass;
use pyo3::pymethods;
use pyo3::types::PyAnyMethods;
use pyo3::types::PyDict;
use pyo3::types::PyInt;
use pyo3::types::PyTuple;

use crate::errors::raise;
use crate::text::Text;
use crate::wait::Timeout;
use crate::wait::aside;
use crate::wait::in_slices;

/// One account, logged in on one network, that speaks the Skype API.
///
/// Commands go in by send_skype_command(); replies and notifications come out, as lines of text in one
/// ordered stream, by poll_skype_notification(), by iteration, or with asyncio by notifications().
///
/// username and password name the account. server is the URL of an imo-compatible server; None starts a
/// gateway in the memory of this process, shared by all sessions without a server. network is "imo". With
/// autologin the constructor returns when the login has succeeded; without it the session is offline until
/// SET USERSTATUS ONLINE. local_time stamps messages with the local clock instead of the server's. history
/// is the path of a file for this account alone, in which messages, chats and their numbers outlive the session;
/// "memory", as None, writes no file. history_days and history_messages bound how long and about how many
/// messages are kept in it; 0 sets no bound. send_limit is for how many seconds it is tried to send a message,
/// 10 to 2592000. queue_limit bounds how many lines may wait unread, 16 to 16777216. insecure_http takes
/// http: for other hosts than this one. ca_file is the path of a PEM file with one more root certificate to trust.
///
/// Raises LoginRefusedError or NetworkError when the login fails; StoreError when the file of the history can't
/// be used, because another session or program has it for one; ValueError, with the parameter's name, for a
/// value that can't be.
///
/// Any thread may use a session, several at once too. As a context manager it closes itself; iterating over
/// it gives line after line until it is closed.
#[pyclass(module = "imo2skype", frozen, subclass)]
#[derive(Default)]
pub(crate) struct Session(OnceLock<Arc<imo2skype::Session>>);

impl Drop for Session {
    fn drop(&mut self) {
        // A logout takes its time, in which the other threads of the interpreter may run; unless
        // there is none any more.
        let Some(session) = self.0.take() else { return };
        if Python::try_attach(|py| py.detach(|| session.close())).is_none() {
            session.close();
        }
    }
}

/// A Python int as text, so that one of any size is refused by its name and not as an overflow; none for the default.
#[derive(Default)]
struct Number(Option<String>);

impl Number {
    fn text(&self) -> Option<Text> {
        self.0.as_deref().map(Text::new)
    }
}

impl<'py> FromPyObject<'_, 'py> for Number {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        Ok(Self(Some(value.cast::<PyInt>()?.to_string())))
    }
}

impl Session {
    fn of(session: imo2skype::Session) -> Self {
        Self(OnceLock::from(Arc::new(session)))
    }

    fn get(&self, py: Python<'_>) -> PyResult<&Arc<imo2skype::Session>> {
        self.0.get().ok_or_else(|| {
            let problem = "was never opened; a subclass has to call super().__init__()".to_owned();
            raise(py, &Error::InvalidArgument { name: "session", problem })
        })
    }
}

#[pymethods]
impl Session {
    /// Takes anything, so that the __init__() of a subclass may.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(username, password, *, server=None, network='imo', autologin=True, local_time=False, \
        history=None, history_days=0, history_messages=0, send_limit=86400, queue_limit=65536, insecure_http=False, \
        ca_file=None)")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    #[pyo3(signature = (
        username, password, *, server=None, network=Text::new("imo"), autologin=true, local_time=false, history=None,
        history_days=Number::default(), history_messages=Number::default(), send_limit=Number::default(),
        queue_limit=Number::default(), insecure_http=false, ca_file=None,
    ))]
    #[expect(clippy::too_many_arguments, reason = "they are keywords")]
    fn __init__(
        &self,
        py: Python<'_>,
        username: Text,
        password: Text,
        server: Option<Text>,
        network: Text,
        autologin: bool,
        local_time: bool,
        history: Option<Text>,
        history_days: Number,
        history_messages: Number,
        send_limit: Number,
        queue_limit: Number,
        insecure_http: bool,
        ca_file: Option<Text>,
    ) -> PyResult<()> {
        let twice = || {
            let problem = "is open already; make another one".to_owned();
            raise(py, &Error::InvalidArgument { name: "session", problem })
        };
        if self.0.get().is_some() {
            return Err(twice());
        }
        let flag = |flag: bool| Some(Text::new(&flag.to_string()));
        let options = [
            ("server", server),
            ("network", Some(network)),
            ("autologin", flag(autologin)),
            ("local_time", flag(local_time)),
            ("history", history),
            ("history_days", history_days.text()),
            ("history_messages", history_messages.text()),
            ("send_limit", send_limit.text()),
            ("queue_limit", queue_limit.text()),
            ("insecure_http", flag(insecure_http)),
            ("ca_file", ca_file),
        ];
        let mut config = Config::new(username.of(py, "username")?, password.of(py, "password")?);
        for (key, value) in options {
            if let Some(value) = value {
                config.set(key, &value.of(py, key)?).map_err(|error| raise(py, &error))?;
            }
        }
        // A session that comes after Ctrl-C is dropped, which closes it.
        let session = aside(py, "imo2skype-open", move || imo2skype::Session::open(config))?;
        self.0.set(Arc::new(session)).map_err(|_| twice())
    }

    /// Hands one line of the Skype API to the session, "MESSAGE echo123 hello" for one, and returns at once.
    /// The reply is a line of poll_skype_notification(); what the Skype API refuses is a reply too, "ERROR n text".
    ///
    /// Raises ValueError for a command longer than 1 MiB or with a NUL in it, QueueFullError while too many
    /// lines wait unread, ClosedError.
    fn send_skype_command(&self, py: Python<'_>, command: Text) -> PyResult<()> {
        let session = self.get(py)?;
        let command = command.of(py, "command")?;
        py.detach(|| session.send_skype_command(&command)).map_err(|error| raise(py, &error))
    }

    /// Returns the next reply or notification, or None when none came within timeout seconds. None waits for
    /// ever, 0 returns at once.
    ///
    /// Raises ClosedError once the session is closed, also while it waits; DetachedError when too much was
    /// left unread; ValueError for a negative timeout.
    #[pyo3(signature = (timeout=Timeout::FOR_EVER), text_signature = "($self, timeout=None)")]
    fn poll_skype_notification(&self, py: Python<'_>, timeout: Timeout) -> PyResult<Option<String>> {
        let session = self.get(py)?;
        in_slices(py, &timeout, |slice| session.poll_skype_notification(Some(slice)))
    }

    /// Sends command and returns the reply to it, without its #id, whatever it is: "ERROR n text" too.
    /// Notifications stay where they are. timeout is in seconds, None waits for ever.
    ///
    /// Raises NoReplyError, which is a TimeoutError, when none came within timeout; else as send_skype_command().
    #[pyo3(signature = (command, timeout=Timeout::TEN_SECONDS), text_signature = "($self, command, timeout=10.0)")]
    fn invoke(&self, py: Python<'_>, command: Text, timeout: Timeout) -> PyResult<String> {
        let session = self.get(py)?;
        let command = command.of(py, "command")?;
        let pending = py.detach(|| session.begin(&command)).map_err(|error| raise(py, &error))?;
        in_slices(py, &timeout, |slice| pending.wait(slice))?.ok_or_else(|| raise(py, &Error::NoReply))
    }

    /// Returns one more Session of the same login, with its own protocol version, command ids and queue of
    /// lines. The login ends when the last of them is closed.
    ///
    /// Raises ClosedError when this one is closed.
    fn attach(&self, py: Python<'_>) -> PyResult<Self> {
        let session = self.get(py)?;
        py.detach(|| session.attach()).map(Self::of).map_err(|error| raise(py, &error))
    }

    /// Returns a descriptor for select and its kin that is readable while lines wait, and once the session is
    /// closed. It belongs to the session: do not read it, do not close it.
    ///
    /// Raises Imo2SkypeError when the process has no descriptor left, OSError where there are no descriptors
    /// to select (Windows).
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "the same interface everywhere"))]
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        #[cfg(unix)]
        return self.get(py)?.notification_fd().map_err(|error| raise(py, &error));
        #[cfg(not(unix))]
        return Err(no_descriptor());
    }

    /// Closes the session and wakes everyone who waits on it. The last one of a login logs out, which takes
    /// a few seconds at most. Closing twice does nothing.
    ///
    /// Raises Imo2SkypeError when the machine has no thread left to do it.
    fn close(&self, py: Python<'_>) -> PyResult<()> {
        let Some(session) = self.0.get().map(Arc::clone) else { return Ok(()) };
        aside(py, "imo2skype-close", move || {
            session.close();
            Ok(())
        })
    }

    fn __enter__(this: Py<Self>) -> Py<Self> {
        this
    }

    #[pyo3(signature = (_exc_type=None, _exc_value=None, _traceback=None, /))]
    fn __exit__(
        &self,
        py: Python<'_>,
        _exc_type: Option<Bound<'_, PyAny>>,
        _exc_value: Option<Bound<'_, PyAny>>,
        _traceback: Option<Bound<'_, PyAny>>,
    ) -> PyResult<()> {
        self.close(py)
    }

    fn __iter__(this: Py<Self>) -> Py<Self> {
        this
    }

    /// Ends with the session, by nothing else: a detached session has lost lines, which has to be seen.
    fn __next__(&self, py: Python<'_>) -> PyResult<Option<String>> {
        let session = self.get(py)?;
        let next = in_slices(py, &Timeout::FOR_EVER, |slice| match session.poll_skype_notification(Some(slice)) {
            Ok(line) => Ok(line.map(Some)),
            Err(Error::Closed) => Ok(Some(None)),
            Err(error) => Err(error),
        })?;
        Ok(next.flatten())
    }

    /// Returns an asynchronous iterator over the lines, for asyncio: async for line in session.notifications().
    /// It ends when the session is closed. It costs no thread; a cancelled wait loses no line. Several tasks
    /// may iterate at once; each line goes to one of them.
    ///
    /// The iterator raises DetachedError when too much was left unread.
    fn notifications<'py>(this: &Bound<'py, Self>) -> PyResult<Bound<'py, PyAny>> {
        this.py().import("imo2skype._asyncio")?.getattr("Notifications")?.call1((this,))
    }

    /// As invoke(), for asyncio: await session.ainvoke("GET USERSTATUS"). It costs no thread, and may be
    /// cancelled; the reply is dropped then. The command is sent when it is first awaited; timeout is in
    /// seconds, None waits for ever.
    ///
    /// Raises ValueError at once for a timeout that can't be; awaited, it raises as invoke() does.
    #[pyo3(signature = (command, timeout=Timeout::TEN_SECONDS), text_signature = "($self, command, timeout=10.0)")]
    fn ainvoke<'py>(this: &Bound<'py, Self>, command: Text, timeout: Timeout) -> PyResult<Bound<'py, PyAny>> {
        let command = command.of(this.py(), "command")?;
        this.py().import("imo2skype._asyncio")?.getattr("ainvoke")?.call1((this, command, timeout.seconds()))
    }

    /// The first half of ainvoke().
    fn _begin(&self, py: Python<'_>, command: Text) -> PyResult<Reply> {
        let session = self.get(py)?;
        let command = command.of(py, "command")?;
        py.detach(|| session.begin(&command)).map(Reply).map_err(|error| raise(py, &error))
    }
}

/// A command whose reply was not taken yet; for ainvoke().
#[pyclass(module = "imo2skype._imo2skype", frozen)]
pub(crate) struct Reply(Pending);

#[pymethods]
impl Reply {
    /// Returns the reply, or None when it has not come yet. Raises ClosedError when none will.
    fn take(&self, py: Python<'_>) -> PyResult<Option<String>> {
        self.0.wait(Duration::ZERO).map_err(|error| raise(py, &error))
    }

    /// Returns a descriptor that becomes readable when there is something to take, and stays so. Raises as
    /// Session.fileno().
    #[cfg_attr(not(unix), expect(clippy::unused_self, reason = "the same interface everywhere"))]
    fn fileno(&self, py: Python<'_>) -> PyResult<i32> {
        #[cfg(unix)]
        return self.0.descriptor().map_err(|error| raise(py, &error));
        #[cfg(not(unix))]
        return Err(no_descriptor());
    }
}

#[cfg(not(unix))]
fn no_descriptor() -> PyErr {
    pyo3::exceptions::PyOSError::new_err("there is no descriptor to select on this system")
}
