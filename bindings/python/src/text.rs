//! Text arguments: a wrong type is pyo3's to tell, a wrong value is told with the argument's name.

use pyo3::Borrowed;
use pyo3::FromPyObject;
use pyo3::PyAny;
use pyo3::PyErr;
use pyo3::PyResult;
use pyo3::Python;
use pyo3::exceptions::PyValueError;
use pyo3::types::PyString;
use pyo3::types::PyStringMethods;

/// A Python str, or why it can't be one of ours: it may hold halves of characters.
pub(crate) struct Text(PyResult<String>);

impl Text {
    pub(crate) fn new(text: &str) -> Self {
        Self(Ok(text.to_owned()))
    }

    /// The text of the argument `name`.
    pub(crate) fn of(self, py: Python<'_>, name: &str) -> PyResult<String> {
        self.0.map_err(|error| {
            let wrong = PyValueError::new_err(format!("{name}: has half of a character, which UTF-8 cannot hold"));
            wrong.set_cause(py, Some(error));
            wrong
        })
    }
}

impl<'py> FromPyObject<'_, 'py> for Text {
    type Error = PyErr;

    fn extract(value: Borrowed<'_, 'py, PyAny>) -> PyResult<Self> {
        let text = value.cast::<PyString>()?;
        Ok(Self(text.to_cow().map(std::borrow::Cow::into_owned)))
    }
}
