//! The skypenet socket: one connection is one client, which says who it is first (transports 6).

mod codec;

use std::net::SocketAddr;
use std::sync::Arc;

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

/// The port that clients try when nobody tells them another.
pub const DEFAULT_PORT: u16 = 5000;

const KIND: Kind = Kind { name: "skypenet", port_option: "--skypenet-port", attachment: Attachment::Named };

/// A socket that is bound but answers nobody yet.
#[derive(Debug)]
pub struct Skypenet(Listeners);

impl Skypenet {
    /// Binds the socket.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`](crate::Error::InvalidArgument) for a place that cannot be taken, and for an address
    /// beyond loopback without a key.
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
        let account = session.overview().account;
        let protocol = move |key: Option<&_>| Box::new(Talk::new(Door::new(&account, key))) as Box<dyn Protocol>;
        Serving::start(&KIND, self.0, session, Box::new(protocol))
    }
}

/// What one client has said.
struct Talk {
    decoder: Decoder,
    door: Door,
    admitted: bool,
}

impl Talk {
    fn new(door: Door) -> Self {
        Self { decoder: Decoder::default(), door, admitted: false }
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
        let Some(message) = self.decoder.next().map_err(|error| error.to_string())? else { return Ok(None) };
        let text = codec::text(message);
        let turned_away = |reason| Step::TurnAway { pause: WRONG_PASSWORD_PAUSE, answer: b"ERROR 68\x17", reason };
        // Whenever it comes: a password is no command.
        if let Some((user, password)) = text.and_then(codec::login) {
            if !self.door.opens(user, password) {
                return Ok(Some(turned_away("wrong user or password")));
            }
            self.admitted = true;
            codec::encode("LOGIN", out);
            return Ok(Some(Step::Answered));
        }
        Ok(Some(match text {
            Some("QUIT") => Step::Goodbye,
            _ if !self.admitted => turned_away("no LOGIN"),
            // Between two ends.
            Some("") => Step::Answered,
            Some(text) => Step::Command(text),
            None => Step::Garbage,
        }))
    }

    fn encode(&mut self, line: &str, out: &mut Vec<u8>) {
        codec::encode(line, out);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use secrecy::SecretString;

    fn talk(key: Option<&str>) -> Talk {
        Talk::new(Door::new("alice", key.map(SecretString::from).as_ref()))
    }

    #[test]
    fn nothing_reaches_the_session_before_the_login() {
        for said in
            [&b"GET USERSTATUS\x17"[..], b"PING\x17", b"LOGIN alice wrong\x17", b"LOGIN\x17", b"\xff\x17", b"\x17"]
        {
            let (mut talk, mut out) = (talk(Some("secret")), Vec::new());
            talk.feed(said);
            let step = talk.next(&mut out);
            assert!(matches!(step, Ok(Some(Step::TurnAway { pause, .. })) if !pause.is_zero()), "{said:?}: {step:?}");
            assert!(out.is_empty() && !talk.admitted());
        }
    }

    #[test]
    fn after_the_login_messages_are_commands() {
        let (mut talk, mut out) = (talk(Some("secret")), Vec::new());
        talk.feed(b"LOGIN Alice secret\x17#0 NAME Pidgin\x17\x17\xff\x17LOGIN alice secret\x17QUIT\x17");
        let expected = [
            Step::Answered,
            Step::Command("#0 NAME Pidgin"),
            Step::Answered,
            Step::Garbage,
            Step::Answered,
            Step::Goodbye,
        ];
        for step in expected {
            assert_eq!(talk.next(&mut out), Ok(Some(step)));
        }
        assert_eq!(talk.next(&mut out), Ok(None));
        assert_eq!(out, b"LOGIN\x17LOGIN\x17");
    }
}
