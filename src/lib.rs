//! Keeps Skype API plugins alive on chat networks that exist.

mod config;
mod error;
#[cfg(feature = "capi")]
mod ffi;
#[cfg(feature = "gateway")]
mod gateway;

// Not in the contract: open for the programs and the tests of this package.
#[doc(hidden)]
pub mod backend;
#[doc(hidden)]
pub mod imo;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod session;
#[doc(hidden)]
pub mod translate;

pub mod skype;

pub use config::Config;
pub use config::Key;
pub use error::Error;
pub use error::Result;
#[cfg(feature = "gateway")]
pub use gateway::Gateway;
#[cfg(feature = "gateway")]
pub use gateway::GatewayConfig;
#[cfg(feature = "gateway")]
pub use gateway::TlsFiles;
pub use session::Callback;
pub use session::Session;

// Not in the contract: for the program imo2skype-gateway.
#[cfg(feature = "gateway")]
#[doc(hidden)]
pub use gateway::Accounts;
