//! The ways by which a client in another process attaches to a session.
//!
//! Each is a pure codec and the threads that move its bytes; none knows another.

pub mod console;
pub mod skypeproxy;
