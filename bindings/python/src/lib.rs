//! The native half of the Python package `imo2skype`: it converts types and nothing else.

mod errors;
mod gateway;
mod session;
mod text;
mod wait;

/// The native half of the package `imo2skype`; import that one.
#[pyo3::pymodule(gil_used = false)]
mod _imo2skype {
    use pyo3::Bound;
    use pyo3::PyResult;
    use pyo3::types::PyModule;
    use pyo3::types::PyModuleMethods;

    #[pymodule_export]
    use crate::gateway::Gateway;
    #[pymodule_export]
    use crate::session::Reply;
    #[pymodule_export]
    use crate::session::Session;

    #[pymodule_init]
    fn init(module: &Bound<'_, PyModule>) -> PyResult<()> {
        module.add("__version__", env!("CARGO_PKG_VERSION"))?;
        crate::errors::add_to(module)
    }
}
