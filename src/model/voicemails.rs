//! Voicemails (skype-api 4.8).

use std::collections::BTreeMap;

use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::RemoteId;
use crate::model::VoicemailFailure;
use crate::model::VoicemailStatus;
use crate::model::VoicemailType;

/// One voicemail, or a greeting.
#[derive(Clone, Debug)]
pub struct Voicemail {
    /// What the network calls it.
    pub remote: RemoteId,
    /// What kind.
    pub kind: VoicemailType,
    /// Who spoke, or to whom.
    pub partner: Handle,
    /// How it stands.
    pub status: VoicemailStatus,
    /// Why something failed, if it did.
    pub failure: VoicemailFailure,
    /// When it was left, in seconds since 1970 UTC.
    pub time: u64,
    /// How long it is, in seconds.
    pub duration: u32,
    /// How long it may be, in seconds.
    pub allowed: u32,
    /// Where sound comes from and goes to, in the notation of skype-api 3.7: input, output, microphone.
    pub devices: [String; 3],
}

/// The voicemails of an account.
#[derive(Debug, Default)]
pub struct Voicemails(BTreeMap<ObjectId, Voicemail>);

impl Voicemails {
    /// The voicemail of this number.
    #[must_use]
    pub fn get(&self, id: ObjectId) -> Option<&Voicemail> {
        self.0.get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: ObjectId) -> Option<&mut Voicemail> {
        self.0.get_mut(&id)
    }

    /// The number of the voicemail that the network calls so.
    #[must_use]
    pub fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.0.iter().find(|(_, voicemail)| voicemail.remote == *remote).map(|(id, _)| *id)
    }

    /// Adds a voicemail.
    pub fn add(&mut self, id: ObjectId, voicemail: Voicemail) {
        self.0.insert(id, voicemail);
    }

    /// Takes a voicemail away.
    pub fn remove(&mut self, id: ObjectId) {
        self.0.remove(&id);
    }

    /// Every voicemail that is no greeting, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (ObjectId, &Voicemail)> {
        let messages = |kind| matches!(kind, VoicemailType::Incoming | VoicemailType::Outgoing);
        self.0.iter().rev().filter(move |(_, voicemail)| messages(voicemail.kind)).map(|(id, v)| (*id, v))
    }

    /// The greeting of a user.
    #[must_use]
    pub fn greeting(&self, user: &Handle) -> Option<ObjectId> {
        let greets = |kind| matches!(kind, VoicemailType::DefaultGreeting | VoicemailType::CustomGreeting);
        self.0.iter().find(|(_, v)| greets(v.kind) && v.partner == *user).map(|(id, _)| *id)
    }

    /// Forgets every voicemail that is no greeting.
    pub fn clear(&mut self) {
        self.0.retain(|_, v| matches!(v.kind, VoicemailType::DefaultGreeting | VoicemailType::CustomGreeting));
    }
}
