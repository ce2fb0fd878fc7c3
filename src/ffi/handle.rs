//! What C holds: numbers that look like pointers and are looked up, never followed.
//!
//! A session is closed by one thread while others are on their way into a call with it, and no rule
//! for callers could make an address safe there: the memory might be gone, or be another session. A
//! number is never given out twice, so a late call, or a second close, finds nothing and says so.

use std::collections::BTreeMap;
use std::marker::PhantomData;
use std::ptr;
use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::RwLock;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

/// Counts the handles of all kinds, so that one of another kind is not found either.
static NEXT: AtomicUsize = AtomicUsize::new(1);

/// Far enough apart to be aligned for anything, should a debugger or a sanitizer look.
const STRIDE: usize = 16;

/// The open handles of one kind: C sees `*mut H`, we keep a `T`.
pub(super) struct Table<H, T> {
    open: RwLock<BTreeMap<usize, Arc<T>>>,
    handle: PhantomData<fn() -> H>,
}

impl<H, T> Table<H, T> {
    pub(super) const fn new() -> Self {
        Self { open: RwLock::new(BTreeMap::new()), handle: PhantomData }
    }

    pub(super) fn insert(&self, value: T) -> *mut H {
        let handle = NEXT.fetch_add(1, Ordering::Relaxed) * STRIDE;
        self.open.write().unwrap_or_else(PoisonError::into_inner).insert(handle, Arc::new(value));
        ptr::without_provenance_mut(handle)
    }

    /// What `handle` stands for, unless it was removed.
    #[inline]
    pub(super) fn get(&self, handle: *const H) -> Option<Arc<T>> {
        self.open.read().unwrap_or_else(PoisonError::into_inner).get(&handle.addr()).cloned()
    }

    /// Ends `handle`. Of several threads that do, one gets what it stood for. Ending twice is a defect of the
    /// caller that does no harm here: a debug build notes in the log which `function` was called once too often.
    pub(super) fn remove(&self, function: &'static str, handle: *const H) -> Option<Arc<T>> {
        let removed = self.open.write().unwrap_or_else(PoisonError::into_inner).remove(&handle.addr());
        if cfg!(debug_assertions) && removed.is_none() && !handle.is_null() {
            tracing::warn!(function, handle = handle.addr(), "was ended before, or never was one");
        }
        removed
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Counts what is logged.
    #[derive(Clone, Default)]
    struct Counter(Arc<AtomicUsize>);

    impl tracing::Subscriber for Counter {
        fn enabled(&self, _: &tracing::Metadata<'_>) -> bool {
            true
        }
        fn new_span(&self, _: &tracing::span::Attributes<'_>) -> tracing::span::Id {
            tracing::span::Id::from_u64(1)
        }
        fn record(&self, _: &tracing::span::Id, _: &tracing::span::Record<'_>) {}
        fn record_follows_from(&self, _: &tracing::span::Id, _: &tracing::span::Id) {}
        fn event(&self, _: &tracing::Event<'_>) {
            self.0.fetch_add(1, Ordering::Relaxed);
        }
        fn enter(&self, _: &tracing::span::Id) {}
        fn exit(&self, _: &tracing::span::Id) {}
    }

    #[test]
    fn a_debug_build_notes_what_is_ended_twice() {
        let table: Table<u8, ()> = Table::new();
        let (handle, noted) = (table.insert(()), Counter::default());
        let noted_by = |end: *const u8| {
            noted.0.store(0, Ordering::Relaxed);
            tracing::subscriber::with_default(noted.clone(), || table.remove("end", end));
            noted.0.load(Ordering::Relaxed)
        };
        assert_eq!(noted_by(handle), 0);
        assert_eq!(noted_by(ptr::null()), 0);
        assert_eq!(noted_by(handle), usize::from(cfg!(debug_assertions)));
    }

    #[test]
    fn a_removed_handle_is_never_found_again() {
        struct Opaque;
        let table: Table<Opaque, &str> = Table::new();
        let first = table.insert("first");
        assert_eq!(table.get(first).as_deref(), Some(&"first"));
        assert_eq!(table.remove("end", first).as_deref(), Some(&"first"));
        let second = table.insert("second");
        assert_ne!(first, second);
        assert!(table.get(first).is_none() && table.remove("end", first).is_none());
        assert!(table.get(ptr::null()).is_none());
    }
}
