//! The gateway from the outside: raw HTTP, as the protocol describes it.
#![cfg(feature = "gateway")]

#[path = "gateway/calls.rs"]
mod calls;
#[path = "gateway/chats.rs"]
mod chats;
#[path = "gateway/client.rs"]
mod client;
#[path = "gateway/disk.rs"]
mod disk;
#[cfg(all(unix, feature = "programs"))]
#[path = "gateway/killed.rs"]
mod killed;
#[path = "gateway/marks.rs"]
mod marks;
#[path = "gateway/people.rs"]
mod people;
#[path = "gateway/pictures.rs"]
mod pictures;
#[path = "gateway/protocol.rs"]
mod protocol;
#[path = "gateway/server.rs"]
mod server;
