//! The ways by which a client in another process attaches to a session.
//!
//! Each is a pure codec and the thread that moves its bytes; none knows another. Those over streams have the thread in
//! common (`stream`).

pub mod console;
#[cfg(all(unix, feature = "dbus"))]
pub mod dbus;
pub mod skyped;
pub mod skypenet;
pub mod skypeproxy;
pub mod stream;
#[cfg(all(unix, feature = "x11"))]
pub mod x11;

/// A connection point that answers. Dropping it stops it.
pub trait Serving: Send {
    /// What it is, and where clients find it: `skypeproxy 127.0.0.1:1401`.
    fn place(&self) -> String;

    /// Lets go of every client, and waits for what it has started.
    fn stop(&mut self);
}
