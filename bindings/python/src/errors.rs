//! Errors of the Rust interface as exceptions, all but those of Python itself below one base.

use imo2skype::Error;
use pyo3::Bound;
use pyo3::Py;
use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::Python;
use pyo3::exceptions::PyException;
use pyo3::exceptions::PyTimeoutError;
use pyo3::exceptions::PyValueError;
use pyo3::sync::PyOnceLock;
use pyo3::types::PyAnyMethods;
use pyo3::types::PyDict;
use pyo3::types::PyDictMethods;
use pyo3::types::PyModule;
use pyo3::types::PyModuleMethods;
use pyo3::types::PyTuple;
use pyo3::types::PyType;

/// The exceptions of the module; their documentation is where they are made.
struct Exceptions {
    base: Py<PyType>,
    closed: Py<PyType>,
    detached: Py<PyType>,
    queue_full: Py<PyType>,
    no_reply: Py<PyType>,
    login_refused: Py<PyType>,
    network: Py<PyType>,
    store: Py<PyType>,
}

static EXCEPTIONS: PyOnceLock<Exceptions> = PyOnceLock::new();

impl Exceptions {
    fn get(py: Python<'_>) -> PyResult<&Self> {
        EXCEPTIONS.get_or_try_init(py, || {
            let base = exception(
                "Imo2SkypeError",
                "Anything that can go wrong with a session or a gateway; the base of the others.",
                &[&py.get_type::<PyException>()],
            )?;
            let below = |name, doc| exception(name, doc, &[&base]).map(Bound::unbind);
            Ok(Self {
                closed: below("ClosedError", "The session was closed, here or on another thread.")?,
                detached: below(
                    "DetachedError",
                    "The session left so many lines unread that it was detached for the sake of the others that \
                     share its login. Poll more often, or raise queue_limit.",
                )?,
                queue_full: below(
                    "QueueFullError",
                    "So many lines wait unread that no more commands are taken. Poll them, then send again.",
                )?,
                no_reply: exception(
                    "NoReplyError",
                    "No reply to a command came in time. The reply is dropped when it comes.",
                    &[&base, &py.get_type::<PyTimeoutError>()],
                )?
                .unbind(),
                login_refused: below(
                    "LoginRefusedError",
                    "The network knows the account under another password, or not at all.",
                )?,
                network: below("NetworkError", "The network could not be reached; trying again later may help.")?,
                store: below("StoreError", "A database could not be opened, read or written.")?,
                base: base.unbind(),
            })
        })
    }
}

/// A new exception class. (Not by pyo3's macro: that knows one base only.)
fn exception<'py>(name: &str, doc: &str, bases: &[&Bound<'py, PyType>]) -> PyResult<Bound<'py, PyType>> {
    let py = bases[0].py();
    let members = PyDict::new(py);
    members.set_item("__doc__", doc)?;
    members.set_item("__module__", "imo2skype")?;
    let class = py.get_type::<PyType>().call1((name, PyTuple::new(py, bases)?, members))?;
    Ok(class.cast_into()?)
}

pub(crate) fn add_to(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    let all = Exceptions::get(py)?;
    for class in [
        &all.base,
        &all.closed,
        &all.detached,
        &all.queue_full,
        &all.no_reply,
        &all.login_refused,
        &all.network,
        &all.store,
    ] {
        let class = class.bind(py);
        module.add(class.getattr("__name__")?.cast_into()?, class)?;
    }
    Ok(())
}

/// The exception for `error`, with the whole chain of causes as its text and, link by link, as its `__cause__`.
pub(crate) fn raise(py: Python<'_>, error: &Error) -> PyErr {
    let text = error.chain();
    let all = match Exceptions::get(py) {
        Ok(all) => all,
        Err(failed) => return failed,
    };
    let class = match error {
        Error::InvalidArgument { .. } => return PyValueError::new_err(text),
        Error::Closed => &all.closed,
        Error::Detached { .. } => &all.detached,
        Error::QueueFull { .. } => &all.queue_full,
        Error::NoReply => &all.no_reply,
        Error::LoginRefused { .. } => &all.login_refused,
        Error::Network { .. } => &all.network,
        Error::Store { .. } => &all.store,
        // The enum may grow; what it has not told us apart is still of our family.
        _ => &all.base,
    };
    let raised = PyErr::from_type(class.bind(py).clone(), text);
    raised.set_cause(py, std::error::Error::source(error).map(|source| cause(py, &all.base, source)));
    raised
}

/// What lies below one of our exceptions: an OSError where the system said no, else one of the base's class.
fn cause(py: Python<'_>, base: &Py<PyType>, error: &(dyn std::error::Error + 'static)) -> PyErr {
    let system = error.downcast_ref::<std::io::Error>().filter(|error| error.raw_os_error().is_some());
    let made = match system {
        // With its number Python finds the class itself: ConnectionRefusedError for one.
        #[cfg(unix)]
        Some(system) => pyo3::exceptions::PyOSError::new_err((system.raw_os_error(), system.to_string())),
        #[cfg(not(unix))]
        Some(system) => std::io::Error::new(system.kind(), system.to_string()).into(),
        None => PyErr::from_type(base.bind(py).clone(), error.to_string()),
    };
    made.set_cause(py, error.source().map(|source| cause(py, base, source)));
    made
}
