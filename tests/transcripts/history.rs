//! The history of a conversation: a real file, on a disk that may be full.

use std::sync::Arc;
use std::sync::atomic::AtomicBool;
use std::sync::atomic::Ordering;

use imo2skype::model;
use imo2skype::model::Archive;
use imo2skype::model::ArchiveError;
use imo2skype::model::Change;
use imo2skype::model::Entry;
use imo2skype::model::ObjectId;
use imo2skype::model::ObjectKind;
use imo2skype::model::RemoteId;
use imo2skype::model::Which;
use imo2skype::store::Retention;
use imo2skype::store::Store;

/// A file, and whether there is room on its disk.
pub(crate) struct History {
    folder: tempfile::TempDir,
    full: Arc<AtomicBool>,
}

impl Default for History {
    fn default() -> Self {
        Self { folder: tempfile::tempdir().expect("a folder"), full: Arc::default() }
    }
}

impl History {
    pub(crate) fn open(&self) -> impl Archive + use<> {
        let path = self.folder.path().join("history.db");
        let store = Store::open(&path, "imo", "alice", Retention::default()).expect("a history");
        Disk { store, full: Arc::clone(&self.full) }
    }

    pub(crate) fn set_full(&self, full: bool) {
        self.full.store(full, Ordering::Relaxed);
    }
}

/// A history whose disk may be full.
struct Disk {
    store: Store,
    full: Arc<AtomicBool>,
}

impl Archive for Disk {
    fn objects(&self, kind: ObjectKind) -> Vec<(String, String)> {
        self.store.objects(kind)
    }

    fn message(&self, id: ObjectId) -> Option<model::Message> {
        self.store.message(id)
    }

    fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.store.by_remote(remote)
    }

    fn list(&self, which: Which, below: ObjectId, limit: usize) -> Vec<Entry> {
        self.store.list(which, below, limit)
    }

    fn save(&self, changes: &[Change<'_>]) -> Result<(), ArchiveError> {
        if self.full.load(Ordering::Relaxed) { Err("the disk is full".into()) } else { self.store.save(changes) }
    }
}
