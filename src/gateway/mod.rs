//! A server that speaks the imo.im protocol, so that a network exists wherever one is wanted.
//!
//! It keeps accounts, contacts, chats, pictures and undelivered messages in SQLite and shares nothing with a
//! session but the wire shapes in `imo`.

mod accounts;
mod admin;
mod calls;
mod chats;
mod contacts;
mod core;
mod db;
mod events;
mod http;
mod limits;
mod listener;
mod mail;
mod members;
mod messages;
mod methods;
mod metrics;
mod names;
mod pages;
mod password;
mod pictures;
mod server;
mod service;
mod session;
#[cfg(test)]
mod tests;
mod tls;

use std::path::PathBuf;
use std::time::Duration;

use crate::error::Result;

pub use admin::Accounts;
#[cfg(feature = "fuzzing")]
pub use service::fuzzing;

/// How a gateway is run.
///
/// # Examples
///
/// ```
/// let mut config = imo2skype::GatewayConfig::default();
/// config.open_registration = true;
/// let gateway = imo2skype::Gateway::start(config)?;
/// assert!(gateway.url().starts_with("http://127.0.0.1:"));
/// gateway.stop();
/// # Ok::<(), imo2skype::Error>(())
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct GatewayConfig {
    /// The SQLite file; it is made when it is not there. `None` keeps everything in memory.
    pub database: Option<PathBuf>,
    /// Address and port to listen on; port 0 picks a free one.
    pub listen: String,
    /// Register an unknown name at its first login.
    pub open_registration: bool,
    /// How long a poll is held. For tests.
    #[doc(hidden)]
    pub poll_limit: Duration,
    /// How long a session lives without a sign of life. For tests.
    #[doc(hidden)]
    pub session_expiry: Duration,
    /// How often it looks for what is due: sessions and calls that are over, new pictures. For
    /// tests.
    #[doc(hidden)]
    pub tick: Duration,
}

/// Where the certificate of a gateway is.
#[derive(Clone, Debug)]
pub struct TlsFiles {
    /// The certificate and those that vouch for it, PEM.
    pub cert: PathBuf,
    /// Its private key, PEM.
    pub key: PathBuf,
}

impl Default for GatewayConfig {
    /// In memory, on a free port of this machine only, for registered users.
    fn default() -> Self {
        Self {
            database: None,
            listen: "127.0.0.1:0".to_owned(),
            open_registration: false,
            poll_limit: Duration::from_secs(25),
            session_expiry: Duration::from_secs(120),
            tick: Duration::from_secs(5),
        }
    }
}

impl GatewayConfig {
    /// A gateway for the programs of this machine: any unknown name is registered at its first
    /// login.
    ///
    /// # Examples
    ///
    /// ```
    /// let config = imo2skype::GatewayConfig::embedded(None);
    /// assert!(config.open_registration);
    /// ```
    #[must_use]
    pub fn embedded(database: Option<PathBuf>) -> Self {
        Self { database, open_registration: true, ..Self::default() }
    }
}

/// A running gateway; it stops when it is dropped.
#[derive(Debug)]
pub struct Gateway {
    server: server::Server,
}

const _: () = {
    const fn shared<T: Send + Sync>() {}
    shared::<Gateway>();
};

impl Gateway {
    /// Starts a gateway; when this returns, it can be reached.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) if the address cannot be listened
    /// on, [`Error::Store`](crate::Error::Store) if the database is not usable,
    /// [`Error::Internal`](crate::Error::Internal) if the machine has no more threads.
    pub fn start(config: GatewayConfig) -> Result<Self> {
        server::Server::start(&config, listener::Plain).map(|server| Self { server })
    }

    /// Starts a gateway that serves HTTPS.
    ///
    /// # Errors
    ///
    /// As [`start`](Self::start); [`Error::InvalidArgument`](crate::Error::InvalidArgument) also if the files
    /// are not usable.
    pub fn start_tls(config: GatewayConfig, files: &TlsFiles) -> Result<Self> {
        server::Server::start(&config, tls::Tls::new(files)?).map(|server| Self { server })
    }

    /// Where it is reached, `http://127.0.0.1:41234/` for one.
    #[must_use]
    pub fn url(&self) -> &str {
        self.server.url()
    }

    /// Answers the polls that are held, writes what is to be written and ends all threads.
    pub fn stop(self) {
        drop(self);
    }
}
