//! The lines of clients in the log: `003> GET USERSTATUS` came from client 3, `003< ...` went to it; and who comes and goes.
//!
//! They are what people write to each other, so they have a target of their own and the lowest level: nobody
//! sees them who does not ask for them. Passwords are taken out here, before any log can have them.

use std::borrow::Cow;

use crate::translate::ClientId;

/// Tells of a command.
pub(super) fn command(client: ClientId, line: &str) {
    tracing::trace!(target: "imo2skype::lines", "{:03}> {}", client.0, shown(line));
}

/// Tells of a reply or a notification.
pub(super) fn notification(client: ClientId, line: &str) {
    tracing::trace!(target: "imo2skype::lines", "{:03}< {}", client.0, shown(line));
}

/// Tells that a client has come.
pub(super) fn attached(client: ClientId, peer: &str) {
    tracing::info!(target: "imo2skype::clients", client = client.0, peer, "client attached");
}

/// Tells that a client has gone.
pub(super) fn detached(client: ClientId, peer: &str) {
    tracing::info!(target: "imo2skype::clients", client = client.0, peer, "client detached");
}

/// One entry, its further lines indented, without the password of a chat (`ALTER CHAT c SETPASSWORD word hint`).
fn shown(line: &str) -> Cow<'_, str> {
    let upper = line.to_ascii_uppercase();
    let ends = ["SETPASSWORD ", "ENTERPASSWORD "].map(|word| upper.find(word).map(|start| start + word.len()));
    let line = match ends.into_iter().flatten().min() {
        Some(end) => Cow::Owned(format!("{}***", &line[..end])),
        None => Cow::Borrowed(line),
    };
    if line.contains('\n') { Cow::Owned(line.replace('\n', "\n\t")) } else { line }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn passwords_of_chats_are_not_shown() {
        let table = [
            ("ALTER CHAT #a/$b SETPASSWORD geheim hint", "ALTER CHAT #a/$b SETPASSWORD ***"),
            ("#7 alter chat #a/$b enterpassword geheim", "#7 alter chat #a/$b enterpassword ***"),
            ("ALTER CHAT SETPASSWORD", "ALTER CHAT SETPASSWORD"),
            ("GET USERSTATUS", "GET USERSTATUS"),
            ("CHATMESSAGE 1 BODY a\nb", "CHATMESSAGE 1 BODY a\n\tb"),
        ];
        for (line, entry) in table {
            assert_eq!(shown(line), entry);
        }
    }
}
