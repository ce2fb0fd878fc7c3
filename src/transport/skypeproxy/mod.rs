//! The SkypeProxy socket: one connection is one client (transports 1).

mod codec;
#[cfg(feature = "fuzzing")]
pub mod fuzzing;

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use secrecy::ExposeSecret;
use secrecy::SecretString;
use subtle::ConstantTimeEq;

use crate::error::Result;
use crate::session::Session;
use crate::translate::Attachment;
use crate::transport::stream::BindOptions;
use crate::transport::stream::Kind;
use crate::transport::stream::Listeners;
use crate::transport::stream::Protocol;
use crate::transport::stream::Serving;
use crate::transport::stream::Step;

use codec::Decoder;
use codec::Item;

/// The port that clients try when nobody tells them another.
pub const DEFAULT_PORT: u16 = 1401;

/// How long the answer to a wrong password takes; it keeps the connection from guessing faster.
const WRONG_PASSWORD_PAUSE: Duration = Duration::from_secs(1);

const KIND: Kind = Kind { name: "skypeproxy", port_option: "--port", attachment: Attachment::Remote };

/// A socket that is bound but answers nobody yet.
#[derive(Debug)]
pub struct SkypeProxy(Listeners);

impl SkypeProxy {
    /// Binds the socket.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a place that cannot be taken, one that is in use
    /// for instance, and for an address beyond loopback without a key.
    pub fn bind(options: BindOptions) -> Result<Self> {
        Listeners::bind(options, &KIND).map(Self)
    }

    /// The address and the port that was bound first, if there is one.
    #[must_use]
    pub fn address(&self) -> Option<SocketAddr> {
        self.0.address()
    }

    /// Attaches whoever connects to `session`, until the result is stopped.
    ///
    /// # Errors
    ///
    /// [`Error::Internal`](crate::Error::Internal) when no thread can be started.
    pub fn serve(self, session: Arc<Session>) -> Result<Serving> {
        Serving::start(&KIND, self.0, session, Box::new(|key| Box::new(Talk::new(key))))
    }
}

/// What one client has said.
struct Talk {
    decoder: Decoder,
    key: Option<SecretString>,
    /// Whether the password was given, if one is needed.
    admitted: bool,
    /// Whether the next frame is a password, and no command.
    password_next: bool,
}

impl Talk {
    fn new(key: Option<&SecretString>) -> Self {
        Self { decoder: Decoder::default(), key: key.cloned(), admitted: key.is_none(), password_next: false }
    }

    fn is_key(key: Option<&SecretString>, given: &[u8]) -> bool {
        key.is_some_and(|key| key.expose_secret().as_bytes().ct_eq(given).into())
    }
}

impl Protocol for Talk {
    fn admitted(&self) -> bool {
        self.admitted
    }

    fn feed(&mut self, bytes: &[u8]) {
        self.decoder.feed(bytes);
    }

    fn next(&mut self, out: &mut Vec<u8>) -> std::result::Result<Option<Step<'_>>, String> {
        let Some(item) = self.decoder.next().map_err(|error| error.to_string())? else { return Ok(None) };
        Ok(Some(match item {
            Item::Capabilities => {
                let password = if self.key.is_some() { codec::USE_AUTHENTICATION } else { 0 };
                // Offered to clients on this machine too: their names of files may mean nothing here (Wine).
                out.push(password | codec::USE_DATASLOTS);
                Step::Answered
            }
            Item::MyCapabilities(bits) if self.admitted && bits & codec::USE_DATASLOTS != 0 => Step::TakesPictures,
            Item::MyCapabilities(_) => Step::Answered,
            Item::Authenticate => {
                self.password_next = self.key.is_some();
                out.push(u8::from(self.password_next));
                Step::Answered
            }
            Item::Slot(slot) => Step::Slot((1..255).contains(&slot).then_some(slot)),
            Item::Frame(frame) if self.password_next => {
                self.password_next = false;
                if Self::is_key(self.key.as_ref(), codec::without_padding(frame)) {
                    self.admitted = true;
                    out.push(1);
                    Step::Answered
                } else {
                    Step::TurnAway { pause: WRONG_PASSWORD_PAUSE, answer: &[0], reason: "wrong password" }
                }
            }
            // Swallowed without a reply: clients expect it so (transports 1.4).
            Item::Frame(_) if !self.admitted => Step::Answered,
            Item::Frame(frame) => codec::text(frame).map_or(Step::Garbage, Step::Command),
        }))
    }

    fn encode(&mut self, line: &str, out: &mut Vec<u8>) {
        codec::encode(line, out);
    }

    fn open(&mut self, name: &str, out: &mut Vec<u8>) -> bool {
        // One slot at a time: a second before the first is answered is useless (transports 1.6).
        if self.decoder.expects_slot() || !codec::open_slot(name, out) {
            return false;
        }
        self.decoder.expect_slot();
        true
    }

    fn bring(&mut self, slot: u8, file: &[u8], out: &mut Vec<u8>) {
        codec::fill_slot(slot, file, out);
    }
}
