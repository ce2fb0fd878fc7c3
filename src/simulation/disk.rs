//! The history of the account, which outlives the program, on a disk that may be full.

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;

use crate::model::Archive;
use crate::model::ArchiveError;
use crate::model::Change;
use crate::model::Entry;
use crate::model::Message;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::RemoteId;
use crate::model::Which;
use crate::store::Store;

#[derive(Clone)]
pub(super) struct Disk(Arc<Mutex<State>>);

struct State {
    /// Away only for a moment.
    store: Option<Store>,
    full: bool,
    behind: bool,
}

impl Disk {
    pub(super) fn new() -> Self {
        Self(Arc::new(Mutex::new(State { store: Some(Store::in_memory()), full: false, behind: false })))
    }

    /// A disk for another world.
    pub(super) fn clear(&self) {
        let mut state = self.lock();
        state.store = state.store.take().map(Store::emptied);
        (state.full, state.behind) = (false, false);
    }

    /// The program is dead; the next one opens the history again.
    pub(super) fn open_again(&self) {
        let mut state = self.lock();
        state.store = state.store.take().map(Store::opened_again);
        state.behind = false;
    }

    pub(super) fn set_full(&self, full: bool) {
        self.lock().full = full;
    }

    pub(super) fn is_full(&self) -> bool {
        self.lock().full
    }

    /// Whether the program knows something that it could not keep.
    pub(super) fn is_behind(&self) -> bool {
        self.lock().behind
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn read<T: Default>(&self, read: impl FnOnce(&Store) -> T) -> T {
        self.lock().store.as_ref().map(read).unwrap_or_default()
    }
}

impl Archive for Disk {
    fn objects(&self, kind: ObjectKind) -> Vec<(String, String)> {
        self.read(|store| store.objects(kind))
    }

    fn message(&self, id: ObjectId) -> Option<Message> {
        self.read(|store| store.message(id))
    }

    fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.read(|store| store.by_remote(remote))
    }

    fn list(&self, which: Which, below: ObjectId, limit: usize) -> Vec<Entry> {
        self.read(|store| store.list(which, below, limit))
    }

    fn save(&self, changes: &[Change<'_>]) -> Result<(), ArchiveError> {
        let mut state = self.lock();
        state.behind = true;
        if state.full {
            return Err("the disk is full".into());
        }
        state.store.as_ref().map_or(Ok(()), |store| store.save(changes))?;
        state.behind = false;
        Ok(())
    }
}
