//! File transfers (skype-api 4.12).

use std::collections::BTreeMap;
use std::collections::HashMap;

use crate::model::FileTransferFailure;
use crate::model::FileTransferStatus;
use crate::model::FileTransferType;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::RemoteId;

/// How many transfers are kept in memory.
const KEPT_TRANSFERS: usize = 10_000;

/// One file on its way.
#[derive(Clone, Debug)]
pub struct Transfer {
    /// What the network calls it.
    pub remote: RemoteId,
    /// From which side.
    pub kind: FileTransferType,
    /// The other side.
    pub partner: Handle,
    /// How it stands.
    pub status: FileTransferStatus,
    /// Why it failed, if it did.
    pub failure: Option<FileTransferFailure>,
    /// The name, without a folder.
    pub name: String,
    /// Where it is or goes; empty before that is known.
    pub path: String,
    /// How long it is, in bytes.
    pub size: u64,
    /// How much of it has come, in bytes.
    pub transferred: u64,
    /// How fast it comes, in bytes each second.
    pub speed: u64,
    /// When it began, in seconds since 1970 UTC.
    pub started: u64,
    /// When it ended or will, in seconds since 1970 UTC; 0 until known.
    pub finished: u64,
}

impl Transfer {
    /// Whether it has come to its end.
    #[must_use]
    pub fn is_over(&self) -> bool {
        matches!(
            self.status,
            FileTransferStatus::Completed | FileTransferStatus::Cancelled | FileTransferStatus::Failed
        )
    }
}

/// The file transfers of an account.
#[derive(Debug, Default)]
pub struct Transfers {
    transfers: BTreeMap<ObjectId, Transfer>,
    by_remote: HashMap<RemoteId, ObjectId>,
}

impl Transfers {
    /// The transfer of this number.
    #[must_use]
    pub fn get(&self, id: ObjectId) -> Option<&Transfer> {
        self.transfers.get(&id)
    }

    /// The same, to be changed.
    pub fn get_mut(&mut self, id: ObjectId) -> Option<&mut Transfer> {
        self.transfers.get_mut(&id)
    }

    /// The number of the transfer that the network calls so.
    #[must_use]
    pub fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.by_remote.get(remote).copied()
    }

    /// Adds a transfer.
    pub fn add(&mut self, id: ObjectId, transfer: Transfer) {
        self.by_remote.insert(transfer.remote.clone(), id);
        self.transfers.insert(id, transfer);
        if self.transfers.len() > KEPT_TRANSFERS {
            let oldest = self.transfers.iter().find(|(_, transfer)| transfer.is_over()).map(|(id, _)| *id);
            if let Some(gone) = oldest.and_then(|id| self.transfers.remove(&id)) {
                self.by_remote.remove(&gone.remote);
            }
        }
    }

    /// Every transfer, newest first.
    pub fn newest_first(&self) -> impl Iterator<Item = (ObjectId, &Transfer)> {
        self.transfers.iter().rev().map(|(id, transfer)| (*id, transfer))
    }
}
