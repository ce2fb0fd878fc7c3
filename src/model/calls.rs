//! Calls (skype-api 4.3).

use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::collections::HashMap;

use serde::Deserialize;
use serde::Serialize;

use crate::model::CallStatus;
use crate::model::CallType;
use crate::model::Change;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::RemoteId;
use crate::model::VideoStreamStatus;
use crate::model::changed::Changed;

/// How many ended calls are kept in memory.
const KEPT_CALLS: usize = 10_000;

/// Somebody in a conference besides the partner.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Participant {
    /// Who.
    pub handle: Handle,
    /// From which side, over what.
    pub kind: CallType,
    /// How far.
    pub status: CallStatus,
}

/// One call.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct Call {
    /// What the network calls it, once known.
    pub remote: Option<RemoteId>,
    /// The other side.
    pub partner: Handle,
    /// From which side, over what.
    pub kind: CallType,
    /// How far.
    pub status: CallStatus,
    /// When it was placed, in seconds since 1970 UTC.
    pub time: u64,
    /// How long it has been going on, in seconds.
    pub duration: u64,
    /// When it was answered, in seconds since 1970 UTC.
    pub answered: Option<u64>,
    /// The number of skype-api 4.3; 0 if it has not failed.
    pub failure: u8,
    /// The conference it is part of; 0 if none.
    pub conference: u32,
    /// Who else is in the conference.
    pub participants: Vec<Participant>,
    /// Our picture.
    pub video_send: VideoStreamStatus,
    /// Theirs.
    pub video_receive: VideoStreamStatus,
    /// Whether the user has seen that it was missed.
    pub seen: bool,
    /// How a transfer stands.
    pub transfer: Option<CallStatus>,
    /// Who transferred it to us.
    pub transferred_by: Option<Handle>,
    /// To whom we transferred it.
    pub transferred_to: Option<Handle>,
    /// Where sound comes from and goes to, in the notation of skype-api 3.7: input, output, microphone.
    pub devices: [String; 3],
}

impl Call {
    /// A call that was just begun.
    #[must_use]
    pub fn new(partner: Handle, kind: CallType, status: CallStatus, time: u64) -> Self {
        Self {
            remote: None,
            partner,
            kind,
            status,
            time,
            duration: 0,
            answered: None,
            failure: 0,
            conference: 0,
            participants: Vec::new(),
            video_send: VideoStreamStatus::NotAvailable,
            video_receive: VideoStreamStatus::NotAvailable,
            seen: false,
            transfer: None,
            transferred_by: None,
            transferred_to: None,
            devices: Default::default(),
        }
    }

    /// Whether the other side began it.
    #[must_use]
    pub fn is_incoming(&self) -> bool {
        matches!(self.kind, CallType::IncomingP2p | CallType::IncomingPstn)
    }

    /// Whether it has come to its end (skype-api 4.3).
    #[must_use]
    pub fn is_over(&self) -> bool {
        is_final(self.status)
    }

    /// Whether it was missed and nobody has seen that.
    #[must_use]
    pub fn is_missed(&self) -> bool {
        self.status == CallStatus::Missed && !self.seen
    }
}

/// Whether a call in this state has come to its end (skype-api 4.3).
fn is_final(status: CallStatus) -> bool {
    matches!(
        status,
        CallStatus::Finished
            | CallStatus::Failed
            | CallStatus::Missed
            | CallStatus::Refused
            | CallStatus::Busy
            | CallStatus::Cancelled
            | CallStatus::Transferred
            | CallStatus::VoicemailSent
            | CallStatus::VoicemailCancelled
            | CallStatus::VoicemailFailed
    )
}

/// All calls of an account.
#[derive(Debug, Default)]
pub struct Calls {
    calls: BTreeMap<ObjectId, Call>,
    by_remote: HashMap<RemoteId, ObjectId>,
    active: BTreeSet<ObjectId>,
    changed: Changed,
}

impl Calls {
    /// Goes on with calls that were kept. What goes on at the network is told by it anew: a call that had not ended
    /// is over here.
    pub fn restore(&mut self, calls: impl Iterator<Item = (u32, Call)>) {
        self.changed.watch();
        for (id, mut call) in calls {
            let open = !call.is_over();
            if open {
                let unanswered = call.is_incoming() && call.answered.is_none();
                call.status = if unanswered { CallStatus::Missed } else { CallStatus::Finished };
            }
            self.by_remote.extend(call.remote.clone().map(|remote| (remote, ObjectId(id))));
            self.calls.insert(ObjectId(id), call);
            if open {
                self.changed.note(id);
            }
        }
    }

    /// What has to be kept.
    pub fn changes(&self, changes: &mut Vec<Change<'_>>) {
        let call = |id| Change::object(ObjectKind::Call, id, self.calls.get(&ObjectId(id)));
        changes.extend(self.changed.iter().map(call));
    }

    /// Whether anything has to be kept.
    #[must_use]
    pub fn has_changes(&self) -> bool {
        !self.changed.is_empty()
    }

    /// All of it is kept now.
    pub fn saved(&mut self) {
        self.changed.clear();
    }

    /// The call of this number.
    #[must_use]
    pub fn get(&self, id: ObjectId) -> Option<&Call> {
        self.calls.get(&id)
    }

    /// The number of the call that the network calls so.
    #[must_use]
    pub fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.by_remote.get(remote).copied()
    }

    /// Adds a call.
    pub fn add(&mut self, id: ObjectId, call: Call) {
        if let Some(remote) = &call.remote {
            self.by_remote.insert(remote.clone(), id);
        }
        self.calls.insert(id, call);
        self.note(id);
        if self.calls.len() > KEPT_CALLS {
            let oldest = self.calls.iter().find(|(_, call)| call.is_over()).map(|(id, _)| *id);
            if let Some(oldest) = oldest {
                self.forget(oldest);
            }
        }
    }

    /// Changes a call.
    pub fn change<T>(&mut self, id: ObjectId, change: impl FnOnce(&mut Call) -> T) -> Option<T> {
        let call = self.calls.get_mut(&id)?;
        let result = change(call);
        if let Some(remote) = &call.remote {
            self.by_remote.insert(remote.clone(), id);
        }
        self.note(id);
        Some(result)
    }

    fn note(&mut self, id: ObjectId) {
        self.changed.note(id.0);
        if self.calls.get(&id).is_some_and(|call| !call.is_over()) {
            self.active.insert(id);
        } else {
            self.active.remove(&id);
        }
    }

    fn forget(&mut self, id: ObjectId) {
        self.changed.note(id.0);
        if let Some(remote) = self.calls.remove(&id).and_then(|call| call.remote) {
            self.by_remote.remove(&remote);
        }
    }

    /// Forgets the ended calls that `which` chooses.
    pub fn clear(&mut self, which: impl Fn(&Call) -> bool) {
        let gone: Vec<_> =
            self.calls.iter().filter(|(_, call)| call.is_over() && which(call)).map(|(id, _)| *id).collect();
        for id in gone {
            self.forget(id);
        }
    }

    /// Every call, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (ObjectId, &Call)> {
        self.calls.iter().rev().map(|(id, call)| (*id, call))
    }

    /// Those that have not ended, newest first.
    pub fn active(&self) -> impl Iterator<Item = (ObjectId, &Call)> {
        self.active.iter().rev().filter_map(|id| self.calls.get(id).map(|call| (*id, call)))
    }
}
