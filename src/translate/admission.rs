//! Who may ask for what.

use crate::model::Admission;
use crate::model::Grants;
use crate::skype::Alter;
use crate::skype::CallChange;
use crate::skype::Clear;
use crate::skype::Command;
use crate::skype::Create;
use crate::skype::Delete;
use crate::skype::ErrorCode;
use crate::skype::ErrorReply;
use crate::skype::Get;
use crate::skype::Line;
use crate::skype::Protocol;
use crate::skype::Request;
use crate::skype::Set;
use crate::skype::Setting;
use crate::skype::SmsChange;
use crate::skype::Window;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Output;
use crate::translate::user::status_word;

/// What a client has to be granted for `command`.
pub(super) fn grants(command: &Command<'_>) -> Grants {
    match command {
        Command::Ping | Command::Name(_) => Grants::NONE,
        Command::Protocol(_) | Command::ShowWindow { .. } | Command::UserActivity { .. } => Grants::ATTACH,
        Command::Get { what, .. } => grants_to_get(what),
        Command::Set { what, .. } => grants_to_set(what),
        Command::Search { .. } | Command::ChatBlob { create: false, .. } => Grants::READ,
        Command::Message { .. }
        | Command::ChatMessage { .. }
        | Command::ChatCreate { .. }
        | Command::ChatBlob { create: true, .. } => Grants::SEND,
        Command::Alter { what, .. } => match what {
            Alter::Chat { .. } | Alter::ChatMember { .. } | Alter::SmsSend { .. } | Alter::Application { .. } => {
                Grants::SEND
            }
            Alter::Group { .. } => Grants::CONTACTS,
            Alter::FileTransfer { .. } => Grants::FILES,
            Alter::Call { .. } | Alter::Voicemail { .. } => Grants::CALLS,
        },
        Command::Create { what, .. } => match what {
            Create::Application { .. } | Create::Sms { .. } => Grants::SEND,
            Create::Group { .. } => Grants::CONTACTS,
            Create::Event { .. } | Create::MenuItem { .. } => Grants::ATTACH,
        },
        Command::Delete { what, .. } => match what {
            Delete::Application(_) | Delete::Sms(_) => Grants::SEND,
            Delete::Group(_) => Grants::CONTACTS,
            Delete::Event(_) | Delete::MenuItem(_) => Grants::ATTACH,
        },
        Command::Clear { what: Clear::Chats, .. } => Grants::SEND,
        Command::Clear { what: Clear::Voicemails | Clear::Calls { .. }, .. }
        | Command::Call { .. }
        | Command::CallVoicemail { .. }
        | Command::Open { window: Window::Voicemail, .. } => Grants::CALLS,
        Command::Open { window: Window::FileTransfer, .. } => Grants::FILES,
        Command::Open { .. } => Grants::ATTACH,
    }
}

fn grants_to_get(what: &Get<'_>) -> Grants {
    match what {
        Get::Setting(
            Setting::SkypeVersion | Setting::CurrentUserHandle | Setting::UserStatus | Setting::ConnectionStatus,
        ) => Grants::ATTACH,
        // They write a file.
        Get::UserAvatar { .. } | Get::Avatar { .. } => Grants::FILES,
        Get::Setting(_)
        | Get::Privilege(_)
        | Get::Profile(_)
        | Get::User { .. }
        | Get::Ringtone { .. }
        | Get::Chat { .. }
        | Get::ChatMember { .. }
        | Get::ChatMessage { .. }
        | Get::Call { .. }
        | Get::Voicemail { .. }
        | Get::Sms { .. }
        | Get::Application { .. }
        | Get::Group { .. }
        | Get::FileTransfer { .. } => Grants::READ,
    }
}

fn grants_to_set(what: &Set<'_>) -> Grants {
    match what {
        Set::UserStatus(_) | Set::Profile { .. } | Set::User { .. } | Set::GroupName { .. } => Grants::CONTACTS,
        Set::ChatMessageSeen { .. }
        | Set::Call { change: CallChange::Seen, .. }
        | Set::Sms { change: SmsChange::Seen, .. } => Grants::READ,
        Set::ChatMessageBody { .. } | Set::ChatDescription { .. } | Set::Sms { .. } => Grants::SEND,
        Set::Avatar { .. } => Grants::FILES,
        Set::Call { .. } | Set::Setting { setting: Setting::Mute, .. } => Grants::CALLS,
        Set::Setting { .. } | Set::Ringtone { .. } | Set::RingtoneStatus { .. } | Set::MenuItem { .. } => {
            Grants::ATTACH
        }
    }
}

impl Engine {
    /// Whether a client may have a line answered: PING and NAME always are (transports 8.6).
    pub(super) fn may_speak(&self, client: usize, line: &Result<Request<'_>, ErrorReply<'_>>) -> bool {
        let client = &self.clients[client];
        let needed = line.as_ref().map_or(Grants::ATTACH, |request| grants(&request.command));
        needed == Grants::NONE || client.grants.has(needed) && (!client.must_name || client.name.is_some())
    }

    /// From now on these rules say who may do what. Those who lose something are told once, and attach again
    /// (skype-api 1.3).
    pub fn admit(&mut self, admission: Admission, out: &mut Vec<Output>) {
        for client in self.clients.iter_mut().filter(|client| client.remote) {
            let before = client.grants;
            client.grants = admission.of(client.name.as_deref().unwrap_or(""));
            if client.listening && !client.grants.has(before) {
                client.greeted = false;
                let denied = Line::notification().value(ErrorCode::ACCESS_DENIED);
                out.push(Output::ToClient(client.id, denied.finish().0));
            }
        }
        self.admission = admission;
    }

    /// Whether `SET USERSTATUS OFFLINE` of a client leaves the account as it is.
    pub fn set_keep_online(&mut self, keep_online: bool) {
        self.keep_online = keep_online;
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

    /// A client has said its name; whether it is welcome. One that has to, and says it again, attaches anew
    /// (transports 2.2).
    pub(super) fn name_client(&mut self, client: ClientId, name: &str) -> bool {
        let Some(client) = self.clients.iter_mut().find(|known| known.id == client) else { return false };
        if client.must_name && client.name.is_some() {
            client.protocol = Protocol::REMOTE_DEFAULT;
            client.greeted = false;
        }
        client.name = Some(name.into());
        if client.remote {
            client.grants = self.admission.of(name);
        }
        client.grants.has(Grants::ATTACH)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_kind_of_command_needs_what_it_touches() {
        let table: &[(Grants, &[&str])] = &[
            (Grants::NONE, &["PING", "NAME x", "NAME"]),
            (
                Grants::ATTACH,
                &[
                    "PROTOCOL 8",
                    "GET SKYPEVERSION",
                    "GET CURRENTUSERHANDLE",
                    "GET USERSTATUS",
                    "GET CONNSTATUS",
                    "SET SILENT_MODE ON",
                    "SET RINGTONE 1 a.wav",
                    "SET RINGTONE 1 STATUS ON",
                    "SET WINDOWSTATE HIDDEN",
                    "FOCUS",
                    "MINIMIZE",
                    "RESETIDLETIMER",
                    "BTN_PRESSED 1",
                    "OPEN CHAT #a/$b;1",
                    "OPEN OPTIONS",
                    "CREATE EVENT e CAPTION \"a\" HINT \"b\"",
                    "CREATE MENU_ITEM m CONTEXT TOOLS CAPTION \"a\" ENABLED true",
                    "SET MENU_ITEM m CAPTION \"b\"",
                    "DELETE EVENT e",
                    "DELETE MENU_ITEM m",
                ],
            ),
            (
                Grants::READ,
                &[
                    "GET AUTH_CONTACTS_PROFILES",
                    "GET MUTE",
                    "GET PRIVILEGE SKYPEOUT",
                    "GET PROFILE FULLNAME",
                    "GET USER bob FULLNAME",
                    "GET RINGTONE 1",
                    "GET CHAT #a/$b;1 MEMBERS",
                    "GET CHATMEMBER 1 ROLE",
                    "GET CHATMESSAGE 1 BODY",
                    "GET MESSAGE 1 BODY",
                    "GET CALL 1 STATUS",
                    "GET VOICEMAIL 1 STATUS",
                    "GET SMS 1 BODY",
                    "GET APPLICATION x STREAMS",
                    "GET GROUP 1 USERS",
                    "GET FILETRANSFER 1 STATUS",
                    "SEARCH FRIENDS",
                    "SEARCH CHATS",
                    "CHAT FINDUSINGBLOB b",
                    "SET CHATMESSAGE 1 SEEN",
                    "SET MESSAGE 1 SEEN",
                    "SET CALL 1 SEEN",
                    "SET SMS 1 SEEN",
                ],
            ),
            (
                Grants::SEND,
                &[
                    "MESSAGE bob hi",
                    "CHATMESSAGE #a/$b;1 hi",
                    "CHAT CREATE bob",
                    "CHAT CREATEUSINGBLOB b",
                    "ALTER CHAT #a/$b;1 SETTOPIC x",
                    "ALTER CHAT #a/$b;1 LEAVE",
                    "ALTER CHATMEMBER 1 SETROLETO USER",
                    "SET CHATMESSAGE 1 BODY x",
                    "SET CHAT #a/$b;1 DESCRIPTION x",
                    "CREATE SMS OUTGOING +4912",
                    "SET SMS 1 BODY x",
                    "ALTER SMS 1 SEND",
                    "DELETE SMS 1",
                    "CREATE APPLICATION x",
                    "ALTER APPLICATION x CONNECT bob",
                    "DELETE APPLICATION x",
                    "CLEAR CHATHISTORY",
                ],
            ),
            (
                Grants::CONTACTS,
                &[
                    "SET USERSTATUS OFFLINE",
                    "SET PROFILE MOOD_TEXT x",
                    "SET USER bob BUDDYSTATUS 2 hi",
                    "SET USER bob ISBLOCKED TRUE",
                    "SET USER bob DISPLAYNAME x",
                    "CREATE GROUP x",
                    "SET GROUP 1 DISPLAYNAME x",
                    "ALTER GROUP 1 ADDUSER bob",
                    "DELETE GROUP 1",
                ],
            ),
            (
                Grants::FILES,
                &[
                    "GET USER bob AVATAR 1 /pics/bob.jpg",
                    "GET AVATAR 1 /pics/me.jpg",
                    "SET AVATAR 1 /pics/me.jpg",
                    "ALTER FILETRANSFER 1 ACCEPT /pics",
                    "OPEN FILETRANSFER bob",
                ],
            ),
            (
                Grants::CALLS,
                &[
                    "CALL bob",
                    "CALLVOICEMAIL bob",
                    "SET CALL 1 STATUS FINISHED",
                    "ALTER CALL 1 ANSWER",
                    "ALTER VOICEMAIL 1 STARTPLAYBACK",
                    "OPEN VOICEMAIL 1",
                    "SET MUTE ON",
                    "CLEAR CALLHISTORY ALL",
                    "CLEAR VOICEMAILHISTORY",
                ],
            ),
        ];
        for (needed, lines) in table {
            for line in *lines {
                let request = Request::parse(line).unwrap_or_else(|refused| panic!("{line}: {refused}"));
                assert_eq!(grants(&request.command), *needed, "{line}");
            }
        }
    }
}
