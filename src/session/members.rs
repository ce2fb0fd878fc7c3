//! The clients of a session: what is put into their queues, and what they have taken of it.

use std::collections::VecDeque;
use std::sync::Arc;
use std::time::Duration;

use crate::model::ObjectId;
use crate::session::Core;
use crate::session::callbacks::Callbacks;
use crate::session::callbacks::Listener;
use crate::session::lines;
use crate::session::queue::Mode;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;

/// How long it takes at most to see that a client has heard of a message.
const LOOK: Duration = Duration::from_secs(1);

/// A client.
pub(super) struct Member {
    pub(super) id: ClientId,
    /// By which connection point it came, and whence; empty in the process.
    pub(super) peer: String,
    pub(super) listener: Arc<Listener>,
    pub(super) callbacks: Option<Arc<Callbacks>>,
    /// How many lines were put into its queue.
    pushed: usize,
    /// Lines that tell of messages: which of the lines, and which message.
    offers: VecDeque<(usize, ObjectId)>,
}

impl Member {
    pub(super) fn new(id: ClientId, peer: String, listener: Arc<Listener>) -> Self {
        Self { id, peer, listener, callbacks: None, pushed: 0, offers: VecDeque::new() }
    }

    /// Tells the engine of which messages a client that goes has not heard.
    pub(super) fn forget_offers(&mut self, engine: &mut Engine, outputs: &mut Vec<Output>) {
        for (_, message) in self.offers.drain(..) {
            engine.not_taken(message, outputs);
        }
    }
}

impl Core {
    /// Puts a line into a client's queue. A client that reads too slowly is given up for the sake of
    /// the others; the only client makes the network wait instead (`Events::wait_for_room`).
    pub(super) fn push(&mut self, client: ClientId, line: String) {
        let Ok(index) = self.clients.binary_search_by_key(&client, |member| member.id) else { return };
        lines::notification(client, &line);
        self.counts.lines += 1;
        let alone = self.clients.len() == 1;
        let member = &mut self.clients[index];
        member.pushed += 1;
        if member.listener.queue.is_full() && !alone {
            tracing::warn!(client = client.0, "detached: it left too many lines unread");
            let mut member = self.clients.remove(index);
            self.engine.detach(client, &mut self.outputs);
            member.forget_offers(&mut self.engine, &mut self.outputs);
            self.waiters.retain(|waiter| waiter.client != client);
            lines::detached(client, &member.peer);
            member.listener.queue.set_mode(Mode::Detached);
        } else if member.listener.queue.push(line)
            && let Some(callbacks) = &member.callbacks
        {
            callbacks.tell(&member.listener);
        }
    }

    /// Notes that the last line of a client tells of a message.
    pub(super) fn offer(&mut self, client: ClientId, message: ObjectId, now: Now) {
        match self.clients.binary_search_by_key(&client, |member| member.id) {
            Ok(index) => {
                let member = &mut self.clients[index];
                member.offers.push_back((member.pushed, message));
                self.look.get_or_insert(now.monotonic + LOOK);
            }
            Err(_) => self.engine.not_taken(message, &mut self.outputs),
        }
    }

    /// Tells the engine of which messages clients have heard.
    pub(super) fn see_what_was_taken(&mut self) {
        for member in self.clients.iter_mut().filter(|member| !member.offers.is_empty()) {
            // Lines only ever leave from the front.
            let taken = member.pushed - member.listener.queue.len().min(member.pushed);
            while let Some((_, message)) = member.offers.front().filter(|(line, _)| *line <= taken).copied() {
                member.offers.pop_front();
                self.engine.heard(message);
            }
        }
    }
}
