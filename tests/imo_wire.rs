//! The imo back end against a scripted service, written from imo-protocol alone.

#![cfg(feature = "imo")]

#[path = "imo_wire/client.rs"]
mod client;
#[path = "imo_wire/server.rs"]
mod server;

#[path = "imo_wire/actions.rs"]
mod actions;
#[path = "imo_wire/answers.rs"]
mod answers;
#[path = "imo_wire/calls.rs"]
mod calls;
#[path = "imo_wire/chats.rs"]
mod chats;
#[cfg(feature = "gateway")]
#[path = "imo_wire/crash.rs"]
mod crash;
#[path = "imo_wire/login.rs"]
mod login;
#[path = "imo_wire/loss.rs"]
mod loss;
#[path = "imo_wire/marks.rs"]
mod marks;
#[path = "imo_wire/panics.rs"]
mod panics;
#[path = "imo_wire/pictures.rs"]
mod pictures;
#[path = "imo_wire/session.rs"]
mod session;
