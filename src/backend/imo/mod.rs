//! The imo network: the client's side of the imo.im protocol (imo-protocol).

#[allow(dead_code)]
mod http;
mod names;
#[allow(dead_code)]
mod server;
mod tls;

pub use names::ImoNames;
