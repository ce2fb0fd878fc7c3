//! The translator: client lines and network events in, outputs out. No threads, no clock, no sockets.

mod admission;
mod alter;
mod application;
mod avatar;
mod call;
mod chat;
mod connection;
mod conversation;
mod dispatch;
mod engine;
mod group;
mod keeping;
mod menu;
mod message;
mod outbox;
mod profile;
mod refusal;
mod search;
mod sms;
mod transfer;
mod user;
mod voicemail;

pub use avatar::FileOutcome;
pub use avatar::FileTask;
pub use avatar::FileWork;
pub use engine::Attachment;
pub use engine::ClientId;
pub use engine::Engine;
pub use engine::Login;
pub use engine::Now;
pub use engine::Output;
pub use engine::Setup;
pub use engine::Token;
pub use menu::Click;
pub use refusal::Need;
pub use refusal::need;
