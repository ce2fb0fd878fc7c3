//! What a command needs of the network, and what it is answered where the network cannot do that:
//! chosen here. Only `SET CALL … JOIN_CONFERENCE` looks for its call first, and so chooses in `call`.

use crate::backend::Ability;
use crate::skype::Alter;
use crate::skype::AlterApplication;
use crate::skype::AlterCall;
use crate::skype::AlterChat;
use crate::skype::Command;
use crate::skype::ErrorCode;
use crate::skype::ProfileProperty;
use crate::skype::Set;
use crate::skype::UserChange;
use crate::skype::Window;
use crate::translate::application::TYPING;

/// What a command needs, and the answer without it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Need {
    /// What the network has to be able to do.
    pub ability: Ability,
    /// The answer if it is not.
    pub refusal: ErrorCode,
}

const fn needs(ability: Ability, refusal: ErrorCode) -> Option<Need> {
    Some(Need { ability, refusal })
}

/// What `command` needs of the network; `None` if the session can answer it by itself.
#[must_use]
pub fn need(command: &Command<'_>) -> Option<Need> {
    match command {
        Command::Set { what, .. } => need_to_set(what),
        Command::Alter { what, .. } => need_to_alter(what),
        Command::ChatCreate { users } if users.iter().count() != 1 => {
            needs(Ability::Conversations, ErrorCode::CHAT_CREATE_FAILED)
        }
        Command::ChatBlob { create: true, .. } => needs(Ability::PublicChats, ErrorCode::CREATE_BLOB_FAILED),
        Command::Call { targets } if targets.iter().count() > 1 => {
            needs(Ability::Conferences, ErrorCode::CANNOT_CREATE_CONFERENCE)
        }
        // The number that says what it is: those of CALL itself are about the callee (skype-api 6).
        Command::Call { .. } => needs(Ability::Calls, ErrorCode::ALTER_CALL_FAILED),
        Command::Open { window: Window::Voicemail, .. } => needs(Ability::Voicemails, ErrorCode::VOICEMAIL_INVALID_ID),
        Command::CallVoicemail { .. } => needs(Ability::Voicemails, ErrorCode::NO_VOICEMAIL),
        Command::Name(_)
        | Command::Protocol(_)
        | Command::Ping
        | Command::Get { .. }
        | Command::Search { .. }
        | Command::Message { .. }
        | Command::ChatMessage { .. }
        | Command::ChatCreate { .. }
        | Command::ChatBlob { .. }
        | Command::Create { .. }
        | Command::Delete { .. }
        | Command::Clear { .. }
        | Command::Open { .. }
        | Command::ShowWindow { .. }
        | Command::UserActivity { .. } => None,
    }
}

fn need_to_set(what: &Set<'_>) -> Option<Need> {
    match what {
        Set::User { change, .. } => match change {
            UserChange::BuddyStatus { .. } => needs(Ability::Contacts, ErrorCode::SET_BUDDYSTATUS_FAILED),
            UserChange::IsAuthorized(_) => needs(Ability::Authorization, ErrorCode::SET_AUTHORIZED_FAILED),
            UserChange::IsBlocked(_) => needs(Ability::Blocking, ErrorCode::SET_AUTHORIZED_FAILED),
            // Kept by the session where the network cannot.
            UserChange::SpeedDial(_) | UserChange::DisplayName(_) => None,
        },
        Set::Profile { property, .. } => match property {
            ProfileProperty::MoodText | ProfileProperty::RichMoodText => {
                needs(Ability::Mood, ErrorCode::SET_PROFILE_INVALID)
            }
            ProfileProperty::FullName => needs(Ability::OwnName, ErrorCode::SET_PROFILE_INVALID),
            ProfileProperty::CallSendToVoicemail => needs(Ability::Voicemails, ErrorCode::SET_PROFILE_NO_VOICEMAIL),
            _ => None,
        },
        Set::ChatMessageBody { .. } => needs(Ability::Editing, ErrorCode::SET_MESSAGE_INVALID_WHAT),
        Set::ChatDescription { .. } => needs(Ability::ChatSettings, ErrorCode::CHAT_ACTION_FAILED),
        // Without the ability there is no such object.
        Set::Call { .. } => needs(Ability::Calls, ErrorCode::SET_CALL_INVALID_ID),
        Set::Avatar { .. } => needs(Ability::OwnAvatar, ErrorCode::INVALID_AVATAR),
        Set::UserStatus(_)
        | Set::Setting { .. }
        | Set::ChatMessageSeen { .. }
        // Short messages are composed on any network, and fail when they are sent.
        | Set::Sms { .. }
        | Set::GroupName { .. }
        | Set::Ringtone { .. }
        | Set::RingtoneStatus { .. }
        | Set::MenuItem { .. } => None,
    }
}

fn need_to_alter(what: &Alter<'_>) -> Option<Need> {
    let chat = |ability| needs(ability, ErrorCode::CHAT_ACTION_FAILED);
    match what {
        Alter::Chat { action, .. } => match action {
            AlterChat::SetTopic(_) | AlterChat::SetTopicXml(_) => chat(Ability::Topics),
            // Only a chat that is open to all can be entered from outside (skype-api 3.6).
            AlterChat::Join => chat(Ability::PublicChats),
            AlterChat::AddMembers(_) | AlterChat::Leave | AlterChat::AcceptAdd | AlterChat::Disband => {
                chat(Ability::Conversations)
            }
            AlterChat::Kick { ban: false, .. } => chat(Ability::Kicking),
            AlterChat::Kick { ban: true, .. } => chat(Ability::Banning),
            AlterChat::SetPassword { .. }
            | AlterChat::EnterPassword(_)
            | AlterChat::SetOptions(_)
            | AlterChat::SetGuidelines(_)
            | AlterChat::SetDescription(_) => chat(Ability::ChatSettings),
            AlterChat::Bookmark(_) | AlterChat::ClearRecentMessages | AlterChat::SetAlertString(_) => None,
        },
        Alter::ChatMember { only_ask: false, .. } => chat(Ability::Roles),
        Alter::Call { action: AlterCall::Transfer(_), .. } => {
            needs(Ability::CallTransfers, ErrorCode::ALTER_CALL_FAILED)
        }
        Alter::Call { action: AlterCall::Video { .. }, .. } => needs(Ability::Video, ErrorCode::ALTER_CALL_FAILED),
        Alter::Call { action: AlterCall::RedirectToVoicemail, .. } => {
            needs(Ability::Voicemails, ErrorCode::ALTER_CALL_FAILED)
        }
        Alter::Call { action: AlterCall::JoinConference(_), .. } => {
            needs(Ability::Conferences, ErrorCode::ALTER_CALL_FAILED)
        }
        Alter::Application { name, action } => {
            let ability = if *name == TYPING { Ability::Typing } else { Ability::Streams };
            let refusal = match action {
                AlterApplication::Connect(_) => ErrorCode::APPLICATION_FAILED,
                AlterApplication::Disconnect { .. } => ErrorCode::APPLICATION_DISCONNECT_STREAM,
                AlterApplication::Write(..) => ErrorCode::APPLICATION_WRITE_STREAM,
                AlterApplication::Read(_) => ErrorCode::APPLICATION_READ_STREAM,
                AlterApplication::Datagram(..) => ErrorCode::APPLICATION_DATAGRAM_STREAM,
            };
            needs(ability, refusal)
        }
        // Without the ability there is no such object.
        Alter::Call { .. } => needs(Ability::Calls, ErrorCode::ALTER_CALL_INVALID_ID),
        Alter::Voicemail { .. } => needs(Ability::Voicemails, ErrorCode::ALTER_VOICEMAIL_INVALID_ID),
        Alter::FileTransfer { .. } => needs(Ability::Files, ErrorCode::ALTER_UNKNOWN_TYPE),
        Alter::ChatMember { .. } | Alter::SmsSend { .. } | Alter::Group { .. } => None,
    }
}
