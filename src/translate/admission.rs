//! Who may ask for what.

use crate::skype::Command;
use crate::skype::ErrorReply;
use crate::skype::Protocol;
use crate::skype::Request;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::user::status_word;

impl Engine {
    /// Whether a client has said enough of itself to be listened to: PING and NAME always are (transports 8.6).
    pub(super) fn may_speak(&self, client: usize, line: &Result<Request<'_>, ErrorReply<'_>>) -> bool {
        let client = &self.clients[client];
        let introduces = matches!(line, Ok(Request { command: Command::Ping | Command::Name(_), .. }));
        introduces || !client.must_name || client.name.is_some()
    }

    /// What a client calls itself, and the protocol that it speaks.
    #[must_use]
    pub fn client(&self, client: ClientId) -> Option<(Option<&str>, Protocol)> {
        let client = self.clients.iter().find(|known| known.id == client)?;
        Some((client.name.as_deref(), client.protocol))
    }

    /// The account, and the words for how it stands: CONNSTATUS and USERSTATUS.
    #[must_use]
    pub fn standing(&self) -> (&str, &'static str, &'static str) {
        let status = status_word(self.user_status(), Protocol::HIGHEST);
        (self.me.handle.as_str(), self.connection_status().word(), status)
    }

    /// A client has said its name. One that has to, and says it again, attaches anew (transports 2.2).
    pub(super) fn name_client(&mut self, client: ClientId, name: &str) {
        if let Some(client) = self.clients.iter_mut().find(|known| known.id == client) {
            if client.must_name && client.name.is_some() {
                client.protocol = Protocol::REMOTE_DEFAULT;
                client.greeted = false;
            }
            client.name = Some(name.into());
        }
    }
}
