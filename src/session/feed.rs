//! How the events of a back end come to the session.

use std::sync::Arc;
use std::sync::PoisonError;
use std::sync::Weak;
use std::sync::atomic::Ordering;

use crate::backend::Event;
use crate::backend::Events;
use crate::session::Shared;

/// Brings the events of a back end to the session, for as long as there is one.
pub(super) struct Feed(pub(super) Weak<Shared>);

impl Events for Feed {
    fn deliver(&self, event: Event) {
        self.deliver_all(vec![event]);
    }

    fn deliver_all(&self, events: Vec<Event>) {
        // What comes of what we have asked comes of it again if it is asked again.
        let unsettled = events.iter().any(|event| !matches!(event, Event::Done { .. }));
        let mut events = events.into_iter();
        while !events.as_slice().is_empty() {
            self.wait_for_room();
            let Some(shared) = self.0.upgrade() else { return };
            shared.unsettled.fetch_or(unsettled, Ordering::AcqRel);
            let room = shared.only_queue().map_or(usize::MAX, |queue| queue.room());
            let taken = shared.turn(|core, now| {
                core.last_event = Some(now.monotonic);
                // At least one, and no more than there is room for, as far as that can be known.
                for event in events.by_ref() {
                    core.counts.received += u64::from(matches!(event, Event::Message(_)));
                    core.engine.backend_event(event, now, &mut core.outputs);
                    if core.outputs.len() >= room {
                        break;
                    }
                }
            });
            if taken.is_err() {
                // The session is closed; then the events stay with the network.
                return;
            }
        }
    }

    fn settle(&self) {
        if let Some(shared) = self.0.upgrade()
            && let Some(disk) = &shared.disk
        {
            // Whoever comes while another is about it waits too.
            let _one = shared.settling.lock().unwrap_or_else(PoisonError::into_inner);
            if shared.unsettled.swap(false, Ordering::AcqRel) {
                disk.settle();
            }
        }
    }

    fn wait_for_room(&self) {
        let Some(shared) = self.0.upgrade() else { return };
        while let Some(queue) = shared.only_queue() {
            if !queue.is_full() || shared.over.load(Ordering::SeqCst) {
                return;
            }
            queue.wait_for_room(|| {
                !shared.over.load(Ordering::SeqCst)
                    && shared.only_queue().is_some_and(|only| Arc::ptr_eq(&only, &queue))
            });
        }
    }
}
