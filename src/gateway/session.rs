//! One session: what was received, what waits to be acknowledged, and the poll that is held.
//! No clock, no database, no sockets (imo-protocol 3).

use std::collections::BTreeMap;
use std::collections::HashSet;
use std::collections::VecDeque;
use std::time::Instant;

use tokio::sync::oneshot;

use crate::imo::Envelope;
use crate::imo::Message;

use super::accounts::UserId;
use super::events::Outgoing;
use super::events::Presence;
use super::mail::MessageId;

/// Events that may wait in one session; messages beyond it stay in the database.
const QUEUE_LIMIT: usize = 10_000;
/// Bytes that may wait in one session, likewise.
const QUEUE_BYTES: usize = 16 << 20;
/// Bytes of events in one answer; the rest comes with the next.
const ANSWER_BYTES: usize = 1 << 20;
/// Client sequence numbers whose outcome is remembered.
const WINDOW: usize = 1_024;

/// Who is logged in.
#[derive(Clone, Debug)]
pub(crate) struct Login {
    pub(crate) id: UserId,
    pub(crate) name: String,
    pub(crate) presence: Presence,
}

#[derive(Debug)]
struct Queued {
    cost: usize,
    message_id: Option<MessageId>,
    message: Message,
}

/// One session.
#[derive(Debug)]
pub(crate) struct Session {
    pub(crate) login: Option<Login>,
    pub(crate) last_seen: Instant,
    /// Where to go on reading stored messages, when there was no room for all.
    pub(crate) missed_from: Option<MessageId>,
    /// The first of those that came while the session was there.
    pub(crate) lagging_from: Option<MessageId>,
    /// So much was not read that events got lost: the session must not go on.
    pub(crate) doomed: bool,
    next_seq: u64,
    /// Server messages below this have been in an answer.
    sent: u64,
    queue: VecDeque<Queued>,
    bytes: usize,
    queued: HashSet<MessageId>,
    highest: Option<u64>,
    outcomes: BTreeMap<u64, bool>,
    poll: Option<oneshot::Sender<Envelope>>,
    /// How many were held so far; the number of the one that is.
    polls: u64,
}

impl Session {
    pub(crate) fn new(now: Instant) -> Self {
        Self {
            login: None,
            last_seen: now,
            missed_from: None,
            lagging_from: None,
            doomed: false,
            next_seq: 0,
            sent: 0,
            queue: VecDeque::new(),
            bytes: 0,
            queued: HashSet::new(),
            highest: None,
            outcomes: BTreeMap::new(),
            poll: None,
            polls: 0,
        }
    }

    /// What became of the request `seq` when it came before; `None` for a new one.
    pub(crate) fn outcome(&self, seq: u64) -> Option<bool> {
        match self.outcomes.get(&seq) {
            Some(accepted) => Some(*accepted),
            // Older than all that is remembered: surely carried out.
            None if self.outcomes.len() >= WINDOW
                && self.outcomes.first_key_value().is_some_and(|(low, _)| seq < *low) =>
            {
                Some(true)
            }
            None => None,
        }
    }

    /// Remembers what became of the request `seq`.
    pub(crate) fn record(&mut self, seq: u64, accepted: bool) {
        self.highest = self.highest.max(Some(seq));
        self.outcomes.insert(seq, accepted);
        if self.outcomes.len() > WINDOW {
            self.outcomes.pop_first();
        }
    }

    /// Forgets a request that failed on our side: it may come again.
    pub(crate) fn forget(&mut self, seq: u64) {
        self.outcomes.remove(&seq);
    }

    /// The next `seq` expected from the client.
    pub(crate) fn ack(&self) -> u64 {
        self.highest.map_or(0, |highest| highest.saturating_add(1))
    }

    /// Whether another stored message may be queued.
    pub(crate) fn has_room(&self) -> bool {
        self.queue.len() < QUEUE_LIMIT && self.bytes < QUEUE_BYTES
    }

    /// Whether it is time to read stored messages again.
    pub(crate) fn has_drained(&self) -> bool {
        self.queue.len() < QUEUE_LIMIT / 2 && self.bytes < QUEUE_BYTES / 2
    }

    /// Whether so much waits that only a new session helps.
    pub(crate) fn is_hopeless(&self) -> bool {
        self.queue.len() >= 2 * QUEUE_LIMIT || self.bytes >= 4 * QUEUE_BYTES
    }

    /// Whether the message is on its way already.
    pub(crate) fn has_queued(&self, id: MessageId) -> bool {
        self.queued.contains(&id)
    }

    /// Queues an event.
    pub(crate) fn push(&mut self, outgoing: Outgoing) {
        let Outgoing { cost, message_id, mut message } = outgoing;
        message.seq = Some(self.next_seq);
        self.next_seq += 1;
        self.bytes += cost;
        self.queued.extend(message_id);
        self.queue.push_back(Queued { cost, message_id, message });
    }

    /// Drops what the client has seen: everything below `ack`, as far as it was ever sent.
    /// Returns the messages among it.
    pub(crate) fn acknowledge(&mut self, ack: u64) -> Vec<MessageId> {
        let ack = ack.min(self.sent);
        let mut delivered = Vec::new();
        while self.queue.front().is_some_and(|first| first.message.seq < Some(ack)) {
            if let Some(first) = self.queue.pop_front() {
                self.bytes -= first.cost;
                if let Some(id) = first.message_id {
                    self.queued.remove(&id);
                    delivered.push(id);
                }
            }
        }
        delivered
    }

    /// Drops what waits, at the end of a login. The numbers go on.
    pub(crate) fn clear(&mut self) {
        self.queue.clear();
        self.queued.clear();
        self.bytes = 0;
        self.missed_from = None;
        self.lagging_from = None;
    }

    /// An answer with everything that is not acknowledged, or as much of it as is decent.
    pub(crate) fn answer(&mut self) -> Envelope {
        let mut bytes = 0;
        let mut messages = Vec::new();
        for queued in &self.queue {
            bytes += queued.cost;
            if bytes > ANSWER_BYTES && !messages.is_empty() {
                break;
            }
            messages.push(queued.message.clone());
        }
        if let Some(last) = messages.last().and_then(|message| message.seq) {
            self.sent = self.sent.max(last + 1);
        }
        Envelope { ack: Some(self.ack()), ssid: None, messages }
    }

    /// An answer without events.
    pub(crate) fn empty_answer(&self) -> Envelope {
        Envelope { ack: Some(self.ack()), ssid: None, messages: Vec::new() }
    }

    /// Whether events wait.
    pub(crate) fn has_events(&self) -> bool {
        !self.queue.is_empty()
    }

    /// Whether a poll is held whose client is still there.
    pub(crate) fn is_polled(&self) -> bool {
        self.poll.as_ref().is_some_and(|poll| !poll.is_closed())
    }

    /// Holds a poll. There is one at a time: the one before is answered with nothing.
    pub(crate) fn hold(&mut self) -> (u64, oneshot::Receiver<Envelope>) {
        self.end_poll();
        let (answer, receiver) = oneshot::channel();
        self.polls += 1;
        self.poll = Some(answer);
        (self.polls, receiver)
    }

    /// Answers the held poll with nothing.
    pub(crate) fn end_poll(&mut self) {
        if let Some(poll) = self.poll.take() {
            // An error says that the client has gone; it will poll again or expire.
            drop(poll.send(self.empty_answer()));
        }
    }

    /// Answers the held poll if events wait that were in no answer yet. Those that were and are
    /// not acknowledged come again with the next answer, should that one have been lost.
    pub(crate) fn wake(&mut self) {
        if self.sent < self.next_seq
            && let Some(poll) = self.poll.take()
        {
            let answer = self.answer();
            // As above; nothing is lost, because nothing is acknowledged yet.
            drop(poll.send(answer));
        }
    }

    /// The time of the poll `number` is up: what to answer.
    pub(crate) fn poll_is_due(&mut self, number: u64) -> Envelope {
        if number < self.polls {
            return self.empty_answer();
        }
        self.poll = None;
        self.answer()
    }
}

#[cfg(test)]
mod tests {
    use super::super::events;
    use super::*;

    fn typing(number: i64) -> Outgoing {
        Outgoing { message_id: Some(number), ..events::typing("alice", "bob", "typing") }
    }

    fn seqs(envelope: &Envelope) -> Vec<u64> {
        envelope.messages.iter().filter_map(|message| message.seq).collect()
    }

    #[test]
    fn events_are_repeated_until_they_are_acknowledged() {
        let mut session = Session::new(Instant::now());
        for number in 100..103 {
            session.push(typing(number));
        }
        assert_eq!(seqs(&session.answer()), [0, 1, 2]);
        // ack, what was delivered by it, what is repeated
        let table: [(u64, &[MessageId], &[u64]); 5] =
            [(0, &[], &[0, 1, 2]), (2, &[100, 101], &[2]), (1, &[], &[2]), (u64::MAX, &[102], &[]), (3, &[], &[])];
        for (ack, delivered, rest) in table {
            assert_eq!(session.acknowledge(ack), delivered, "ack {ack}");
            assert_eq!(seqs(&session.answer()), rest, "ack {ack}");
        }
        session.push(typing(103));
        assert!(session.acknowledge(u64::MAX).is_empty(), "never sent, so it cannot have been seen");
        assert_eq!(seqs(&session.answer()), [3]);
    }

    #[test]
    fn a_request_has_one_outcome() {
        let mut session = Session::new(Instant::now());
        assert_eq!((session.ack(), session.outcome(0)), (0, None));
        session.record(4, true);
        session.record(3, false);
        assert_eq!(session.ack(), 5);
        let table = [(0, None), (3, Some(false)), (4, Some(true)), (5, None)];
        for (seq, outcome) in table {
            assert_eq!(session.outcome(seq), outcome, "seq {seq}");
        }
        session.forget(4);
        assert_eq!(session.outcome(4), None);
        session.record(u64::MAX, true);
        assert_eq!(session.ack(), u64::MAX);
    }

    #[test]
    fn the_window_moves() {
        let mut session = Session::new(Instant::now());
        for seq in 10..10 + 2_000 {
            session.record(seq, seq % 2 == 0);
        }
        assert_eq!(session.outcomes.len(), WINDOW);
        assert_eq!(session.outcome(3), Some(true), "long past");
        assert_eq!(session.outcome(2_009), Some(false));
        assert_eq!(session.outcome(2_010), None);
    }

    #[test]
    fn one_poll_is_held() {
        let mut session = Session::new(Instant::now());
        let (first, mut first_answer) = session.hold();
        let (second, mut second_answer) = session.hold();
        assert!(first_answer.try_recv().expect("answered").messages.is_empty());
        session.wake();
        assert!(second_answer.try_recv().is_err(), "nothing to tell");
        session.push(typing(1));
        assert!(session.poll_is_due(first).messages.is_empty(), "the newer poll gets the event");
        session.wake();
        assert_eq!(seqs(&second_answer.try_recv().expect("answered")), [0]);
        assert_eq!(seqs(&session.poll_is_due(second)), [0], "told twice rather than never");
        let (_, third_answer) = session.hold();
        assert!(session.is_polled());
        drop(third_answer);
        assert!(!session.is_polled(), "the client hung up");
    }

    #[test]
    fn answers_and_queues_are_bounded() {
        let mut session = Session::new(Instant::now());
        let big = |number| Outgoing { cost: ANSWER_BYTES - 1, ..typing(number) };
        session.push(big(1));
        session.push(big(2));
        assert_eq!(seqs(&session.answer()), [0]);
        session.acknowledge(1);
        assert_eq!(seqs(&session.answer()), [1]);
        for number in 3..30 {
            session.push(big(number));
        }
        assert!(!session.has_room() && !session.has_drained() && !session.is_hopeless());
        session.clear();
        assert!(session.has_room() && session.has_drained() && !session.has_events());
        for number in 0..20_000 {
            session.push(typing(number));
        }
        assert!(session.is_hopeless());
    }
}
