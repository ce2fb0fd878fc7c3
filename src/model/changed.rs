//! What has changed since it was kept.

use std::collections::BTreeSet;

/// The numbers of what has changed since it was kept; none as long as nobody keeps it.
#[derive(Debug, Default)]
pub(super) struct Changed(Option<BTreeSet<u32>>);

impl Changed {
    /// From now on somebody keeps it.
    pub(super) fn watch(&mut self) {
        self.0.get_or_insert_default();
    }

    pub(super) fn note(&mut self, key: u32) {
        if let Some(keys) = &mut self.0 {
            keys.insert(key);
        }
    }

    pub(super) fn contains(&self, key: u32) -> bool {
        self.0.as_ref().is_some_and(|keys| keys.contains(&key))
    }

    pub(super) fn forget(&mut self, key: u32) {
        if let Some(keys) = &mut self.0 {
            keys.remove(&key);
        }
    }

    pub(super) fn iter(&self) -> impl Iterator<Item = u32> {
        self.0.iter().flatten().copied()
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.as_ref().is_none_or(BTreeSet::is_empty)
    }

    /// All of it is kept now.
    pub(super) fn clear(&mut self) {
        if let Some(keys) = &mut self.0 {
            keys.clear();
        }
    }
}
