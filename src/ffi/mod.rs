//! The C interface: thin functions that check, convert, call the Rust interface and convert back.
//!
//! The comment of an exported function is its text in `include/imo2skype.h`, so it is written for
//! readers of C. What C holds are numbers in a table, never addresses (see [`handle`]); the only raw
//! pointers followed here are texts, out-parameters and the caller's callback.
#![expect(unsafe_code, reason = "the C border")]
#![expect(non_camel_case_types, reason = "the names that C sees")]
#![expect(unreachable_pub, reason = "seen by the linker and by cbindgen, not by Rust")]

mod config;
#[cfg(feature = "gateway")]
mod gateway;
mod guard;
mod handle;
mod library;
mod log;
mod session;
mod text;
