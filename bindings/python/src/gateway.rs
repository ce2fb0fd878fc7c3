//! `Gateway`: a network of one's own.

use std::sync::Mutex;
use std::sync::OnceLock;
use std::sync::PoisonError;

use imo2skype::Error;
use imo2skype::GatewayConfig;
use pyo3::Bound;
use pyo3::Py;
use pyo3::PyAny;
use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::Python;
use pyo3::pyclass;
use pyo3::pymethods;
use pyo3::types::PyDict;
use pyo3::types::PyTuple;

use crate::errors::raise;
use crate::text::Text;
use crate::wait::aside;

/// A server in this process that speaks the protocol of imo.im: a network of one's own.
///
/// It registers an unknown user name at its first login, and knows the contact echo123, which answers every
/// message with the same text.
///
/// database is the path of the file that keeps accounts and messages; None keeps them in memory. listen is
/// the address and port to serve at, port 0 takes a free one.
///
/// Raises StoreError when the database can't be used; NetworkError when the address can't be had; ValueError,
/// with the parameter's name, for a value that can't be.
///
/// As a context manager it stops itself. Any thread may use it.
#[pyclass(module = "imo2skype", frozen, subclass)]
#[derive(Default)]
pub(crate) struct Gateway {
    /// Known once it was started.
    url: OnceLock<String>,
    /// None before it is started and once it is stopped.
    running: Mutex<Option<imo2skype::Gateway>>,
}

impl Gateway {
    fn take(&self) -> Option<imo2skype::Gateway> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner).take()
    }
}

fn problem(py: Python<'_>, problem: &str) -> PyErr {
    raise(py, &Error::InvalidArgument { name: "gateway", problem: problem.to_owned() })
}

impl Drop for Gateway {
    fn drop(&mut self) {
        // Stopping takes its time, in which the other threads of the interpreter may run; unless
        // there is none any more, when the fields' own drop stops it.
        let gateway = self.take();
        Python::try_attach(|py| py.detach(|| drop(gateway)));
    }
}

#[pymethods]
impl Gateway {
    /// Takes anything, so that the __init__() of a subclass may.
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = "(database=None, listen='127.0.0.1:0')")]
    fn new(_args: &Bound<'_, PyTuple>, _kwargs: Option<&Bound<'_, PyDict>>) -> Self {
        Self::default()
    }

    #[pyo3(signature = (database=None, listen=Text::new("127.0.0.1:0")))]
    fn __init__(&self, py: Python<'_>, database: Option<Text>, listen: Text) -> PyResult<()> {
        let twice = || problem(py, "was started already; make another one");
        if self.url.get().is_some() {
            return Err(twice());
        }
        let database = database.map(|database| database.of(py, "database")).transpose()?;
        let mut config = GatewayConfig::embedded(database.map(Into::into));
        config.listen = listen.of(py, "listen")?;
        let gateway = aside(py, "imo2skype-start", move || imo2skype::Gateway::start(config))?;
        self.url.set(gateway.url().to_owned()).map_err(|_| twice())?;
        *self.running.lock().unwrap_or_else(PoisonError::into_inner) = Some(gateway);
        Ok(())
    }

    /// The address to give to sessions as server, "http://127.0.0.1:PORT/" for one; the same after stop().
    ///
    /// Raises ValueError in a subclass that did not call the constructor.
    #[getter]
    fn url(&self, py: Python<'_>) -> PyResult<&str> {
        let url = self.url.get().map(String::as_str);
        url.ok_or_else(|| problem(py, "was never started; a subclass has to call super().__init__()"))
    }

    /// Stops serving and waits until that is done. Sessions notice and try to come back. Stopping twice does
    /// nothing.
    ///
    /// Raises Imo2SkypeError when the machine has no thread left to do it.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        let Some(gateway) = self.take() else { return Ok(()) };
        aside(py, "imo2skype-stop", move || {
            gateway.stop();
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
        self.stop(py)
    }
}
