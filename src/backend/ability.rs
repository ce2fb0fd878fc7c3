//! What networks can do.

/// Something that a network may be able to do besides sending and receiving text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ability {
    /// Contacts can be added and removed.
    Contacts,
    /// A new contact has to agree; requests arrive as [`Event::AuthRequest`](super::Event::AuthRequest).
    Authorization,
    /// A text beside the presence.
    Mood,
    /// Users can be blocked.
    Blocking,
    /// The name that we give to a contact is kept: [`Task::SetAlias`](super::Task::SetAlias).
    Aliases,
    /// Our own name for people can be changed.
    OwnName,
    /// Pictures of users.
    Avatars,
    /// Our own picture can be changed.
    OwnAvatar,
    /// Conversations of several can be founded, members invited and left.
    Conversations,
    /// Conversations of several have a topic that can be set.
    Topics,
    /// Members can be removed.
    Kicking,
    /// Members can be removed for good.
    Banning,
    /// Members have roles that decide what they may do.
    Roles,
    /// Conversations have options, a password, guidelines, a description.
    ChatSettings,
    /// Conversations can be found and joined from outside.
    PublicChats,
    /// A message can be changed after it was sent.
    Editing,
    /// The network wants to know what was seen.
    Receipts,
    /// Who is typing.
    Typing,
    /// Streams of text between programs.
    Streams,
    /// Calls.
    Calls,
    /// Calls of more than two.
    Conferences,
    /// Calls can be transferred.
    CallTransfers,
    /// Pictures in calls.
    Video,
    /// Voicemails.
    Voicemails,
    /// Short messages.
    Sms,
    /// Files.
    Files,
}

impl Ability {
    /// Every ability.
    pub const ALL: &[Self] = &[
        Self::Contacts,
        Self::Authorization,
        Self::Mood,
        Self::Blocking,
        Self::Aliases,
        Self::OwnName,
        Self::Avatars,
        Self::OwnAvatar,
        Self::Conversations,
        Self::Topics,
        Self::Kicking,
        Self::Banning,
        Self::Roles,
        Self::ChatSettings,
        Self::PublicChats,
        Self::Editing,
        Self::Receipts,
        Self::Typing,
        Self::Streams,
        Self::Calls,
        Self::Conferences,
        Self::CallTransfers,
        Self::Video,
        Self::Voicemails,
        Self::Sms,
        Self::Files,
    ];
}

/// What a network can do. The translator refuses what is missing (never silently).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Capabilities {
    abilities: u32,
    /// The longest body of a message, in bytes of UTF-8.
    pub max_body: usize,
}

impl Capabilities {
    /// A network that can do nothing but send and receive bodies of at most `max_body` bytes.
    #[must_use]
    pub const fn messages_only(max_body: usize) -> Self {
        Self { abilities: 0, max_body }
    }

    /// The same with these abilities too.
    #[must_use]
    pub fn with(self, abilities: &[Ability]) -> Self {
        let abilities = abilities.iter().fold(self.abilities, |bits, ability| bits | 1 << *ability as u32);
        Self { abilities, ..self }
    }

    /// Whether the network can do this.
    #[must_use]
    pub fn can(self, ability: Ability) -> bool {
        self.abilities & 1 << ability as u32 != 0
    }
}
