//! The lines of skyped over TLS, for the module of bitlbee (transports 7, clients 6).
//!
//! skyped was a client itself, of version 5 of the protocol, and the module knows nothing of that: what skyped said to
//! attach is said here for it.

mod codec;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;
mod tls;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;

use crate::error::Result;
use crate::session::Session;
use crate::translate::Attachment;
use crate::transport::stream::BindOptions;
use crate::transport::stream::Door;
use crate::transport::stream::Kind;
use crate::transport::stream::Listeners;
use crate::transport::stream::Protocol;
use crate::transport::stream::Serving;
use crate::transport::stream::Step;
use crate::transport::stream::WRONG_PASSWORD_PAUSE;

use codec::Decoder;
use codec::Said;
use tls::Channel;
pub use tls::Identity;

/// The port that clients try when nobody tells them another.
pub const DEFAULT_PORT: u16 = 2727;

const KIND: Kind = Kind { name: "skyped", port_option: "--skyped-port", attachment: Attachment::Named };

/// What is said to attach, and the beginnings of the replies, which are not for the client.
const ATTACH: [&str; 2] = ["#skyped-name NAME skyped", "#skyped-protocol PROTOCOL 5"];
const ATTACHED: [&str; 2] = ["#skyped-name ", "#skyped-protocol "];

/// A socket that is bound but answers nobody yet.
pub struct Skyped {
    listeners: Listeners,
    config: Arc<ServerConfig>,
}

impl Skyped {
    /// Binds the socket, and finds or makes its certificate.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a place that cannot be taken, for an address
    /// beyond loopback without a key, and for a certificate that cannot be used.
    pub fn bind(options: BindOptions, identity: &Identity) -> Result<Self> {
        options.check()?;
        let (config, fingerprint) = identity.load()?;
        let listeners = Listeners::bind(options, &KIND)?;
        tracing::info!(fingerprint, "the certificate of the skyped socket (SHA-256)");
        Ok(Self { listeners, config })
    }

    /// The address and the port that was bound first, if there is one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.listeners.address()
    }

    /// Attaches whoever connects to `session`, until the result is stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](crate::Error::Internal) when no thread can be started.
    pub fn serve(self, session: Arc<Session>) -> Result<Serving> {
        let (account, config) = (session.overview().account, self.config);
        let protocol = move |key: Option<&_>| {
            Box::new(Talk::new(Arc::clone(&config), Door::new(&account, key))) as Box<dyn Protocol>
        };
        Serving::start(&KIND, self.listeners, session, Box::new(protocol))
    }
}

/// How far the client has come.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Stage {
    /// It has not said who it is.
    User,
    /// It has, and has to prove it.
    Password(String),
    /// It is in; so much was said to attach it.
    Attaching(usize),
    /// What it says is for the session.
    Attached,
}

/// What one client has said.
struct Talk {
    /// Why there is none.
    channel: std::result::Result<Channel, String>,
    decoder: Decoder,
    door: Door,
    stage: Stage,
    /// Replies that are not for the client.
    swallow: Vec<&'static str>,
    /// The client has said that it says nothing more.
    over: bool,
}

impl Talk {
    fn new(config: Arc<ServerConfig>, door: Door) -> Self {
        Self {
            channel: Channel::new(config).map_err(|error| error.to_string()),
            decoder: Decoder::default(),
            door,
            stage: Stage::User,
            swallow: ATTACHED.to_vec(),
            over: false,
        }
    }
}

/// The word in front of a line, and the rest.
fn word(line: &str) -> (&str, &str) {
    line.split_once(' ').unwrap_or((line, ""))
}

impl Protocol for Talk {
    fn admitted(&self) -> bool {
        matches!(self.stage, Stage::Attaching(_) | Stage::Attached)
    }

    fn feed(&mut self, bytes: &[u8]) {
        let Ok(channel) = &mut self.channel else { return };
        match channel.feed(bytes, |record| self.decoder.feed(record)) {
            Ok(over) => self.over |= over,
            Err(problem) => {
                tracing::debug!(problem, "no TLS");
                self.over = true;
                // The alert goes out before the end.
                self.stage = Stage::User;
                self.decoder = Decoder::default();
            }
        }
    }

    fn next(&mut self, out: &mut Vec<u8>) -> std::result::Result<Option<Step<'_>>, String> {
        let channel = self.channel.as_mut().map_err(|problem| problem.clone())?;
        channel.flush(out);
        if let Stage::Attaching(said) = &mut self.stage {
            let command = ATTACH[*said];
            *said += 1;
            if *said == ATTACH.len() {
                self.stage = Stage::Attached;
            }
            return Ok(Some(Step::Command(command)));
        }
        let turned_away = |reason| Step::TurnAway { pause: WRONG_PASSWORD_PAUSE, answer: b"PASSWORD KO\n", reason };
        let Some(said) = self.decoder.next().map_err(|error| error.to_string())? else {
            let failed = self.over && self.stage == Stage::User;
            return Ok(match self.over {
                // Alerts that are on their way arrive.
                true if failed => Some(Step::TurnAway { pause: Duration::ZERO, answer: b"", reason: "no TLS" }),
                true => Some(Step::Goodbye),
                false => None,
            });
        };
        let line = match said {
            Said::Line(line) => line,
            Said::Garbage if self.stage == Stage::Attached => return Ok(Some(Step::Garbage)),
            Said::Garbage => return Ok(Some(turned_away("garbage instead of a password"))),
        };
        match &self.stage {
            Stage::User => match word(line) {
                ("USERNAME", user) => {
                    self.stage = Stage::Password(user.trim().to_owned());
                    Ok(Some(Step::Answered))
                }
                _ => Ok(Some(turned_away("no USERNAME"))),
            },
            Stage::Password(user) => match word(line) {
                ("PASSWORD", password) if self.door.opens(user, password.trim()) => {
                    self.stage = Stage::Attaching(0);
                    channel.write(b"PASSWORD OK\n");
                    channel.flush(out);
                    Ok(Some(Step::Answered))
                }
                ("PASSWORD", _) => Ok(Some(turned_away("wrong user or password"))),
                _ => Ok(Some(turned_away("no PASSWORD"))),
            },
            Stage::Attaching(_) | Stage::Attached => match line.trim() {
                "PING" => {
                    channel.write(b"PONG\n");
                    channel.flush(out);
                    Ok(Some(Step::Answered))
                }
                // Nobody asked, but some answer.
                "PONG" => Ok(Some(Step::Answered)),
                _ => Ok(Some(Step::Command(line))),
            },
        }
    }

    fn encode(&mut self, line: &str, out: &mut Vec<u8>) {
        if let Some(head) = self.swallow.iter().position(|head| line.starts_with(head)) {
            self.swallow.remove(head);
            return;
        }
        let Ok(channel) = &mut self.channel else { return };
        codec::encode(line, |record| channel.write(record.as_bytes()));
        channel.flush(out);
    }

    fn farewell(&mut self, answer: &[u8], out: &mut Vec<u8>) {
        let Ok(channel) = &mut self.channel else { return };
        if !answer.is_empty() {
            channel.write(answer);
        }
        channel.close();
        channel.flush(out);
    }
}

#[cfg(test)]
mod tests;
