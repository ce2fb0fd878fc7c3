//! The translator: client lines and network events in, outputs out. No threads, no clock, no sockets.

mod chat;
mod connection;
mod engine;
mod message;
mod search;
mod user;

pub use engine::Attachment;
pub use engine::ClientId;
pub use engine::Engine;
pub use engine::Login;
pub use engine::Now;
pub use engine::Output;
pub use engine::Setup;
pub use engine::Token;
