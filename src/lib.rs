//! Keeps Skype API plugins alive on chat networks that exist.
//!
//! A [`Session`] logs in to a chat network and behaves, line by line, as Skype did: commands of the
//! Skype API go in, replies and notifications come out.
//!
//! ```
//! use std::time::Duration;
//!
//! use imo2skype::Config;
//! use imo2skype::Session;
//!
//! // Without a server, a gateway in the memory of this process is the network.
//! let session = Session::open(Config::new("alice", "secret"))?;
//! session.send_skype_command("MESSAGE echo123 hello")?;
//! while let Some(line) = session.poll_skype_notification(Some(Duration::from_secs(10)))? {
//!     println!("{line}");
//!     if line.ends_with("STATUS RECEIVED") {
//!         break; // The echo has arrived.
//!     }
//! }
//! # Ok::<(), imo2skype::Error>(())
//! ```
//!
//! # The main types
//!
//! - [`Session`] is one client of one account. [`Session::attach`] gives further clients of the same login.
//! - [`Config`] says which account, which server, and how.
//! - [`Gateway`] is a chat server of our own that speaks the imo.im protocol.
//! - [`skype`] is the language itself: parsing commands, writing lines, tables of errors and properties.
//! - [`Error`] is what can go wrong. What a network refuses later is a line, `ERROR n text`, as it was with Skype.
//!
//! # Features
//!
//! `capi` (the C interface), `history` (what a session knows outlives it, in a file), `imo` (the imo network), `gateway`, `transport` (the SkypeProxy socket), `programs` (what only
//! the programs need); all on by default. Without any of them the translator and the session are left, for a back end of
//! one's own.
//!
//! # What it does not do
//!
//! What the network cannot do is refused with the errors that Skype had for it; on imo these are files, short messages and a
//! picture of one's own. Calls carry no sound. Without [`Config::history`] messages are kept in memory only.

mod config;
mod error;
#[cfg(feature = "capi")]
mod ffi;
#[cfg(feature = "gateway")]
mod gateway;
#[cfg(all(test, feature = "history", feature = "imo"))]
mod simulation;
mod threads;

// Not in the contract: open for the programs and the tests of this package.
#[doc(hidden)]
pub mod backend;
#[doc(hidden)]
pub mod imo;
#[doc(hidden)]
pub mod model;
#[doc(hidden)]
pub mod session;
#[cfg(feature = "history")]
#[doc(hidden)]
pub mod store;
#[doc(hidden)]
pub mod translate;
#[cfg(feature = "transport")]
#[doc(hidden)]
pub mod transport;

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
pub use translate::Click;

// Not in the contract: for the program imo2skype-gateway.
#[cfg(feature = "gateway")]
#[doc(hidden)]
pub use gateway::Accounts;
// Not in the contract: for the fuzz target `call`.
#[cfg(all(feature = "fuzzing", feature = "gateway"))]
#[doc(hidden)]
pub use gateway::fuzzing as gateway_fuzzing;
