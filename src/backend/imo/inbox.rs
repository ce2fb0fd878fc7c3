//! The order of the server's messages (imo-protocol 3.2): each once, in order, and acknowledged
//! only when it has been handled. Pure.

use std::collections::VecDeque;

use super::events::Urgency;
use super::events::urgency;
use crate::imo;

/// How many messages wait at most. The rest is not taken in, so the server sends it again.
const MAX_WAITING: usize = 65_536;

/// The messages of one session that the server has sent.
#[derive(Default)]
pub(super) struct Inbox {
    /// One above the highest `seq` that was taken in.
    taken: u64,
    /// Taken in and not yet handled, by rising `seq`.
    waiting: VecDeque<(u64, imo::Message)>,
    /// Being handled; the first of several.
    current: Option<u64>,
}

impl Inbox {
    /// Whether a message of this number was taken in already.
    pub(super) fn is_repeat(&self, seq: u64) -> bool {
        seq < self.taken
    }

    /// Takes in the messages of one answer; tells how many of them were new.
    pub(super) fn accept(&mut self, mut messages: Vec<imo::Message>) -> usize {
        // A message without a number can neither be acknowledged nor told from its repeat.
        messages.retain(|message| message.seq.is_some_and(|seq| seq >= self.taken));
        messages.sort_by_key(|message| message.seq);
        let mut new = 0;
        for message in messages {
            let seq = message.seq.unwrap_or_default();
            if seq < self.taken || self.waiting.len() >= MAX_WAITING {
                continue;
            }
            self.taken = seq.saturating_add(1);
            self.waiting.push_back((seq, message));
            new += 1;
        }
        new
    }

    /// The message whose turn it is, if none is being handled. Before the login has succeeded
    /// these are the contacts, then what decides on the session; all else waits.
    pub(super) fn next(&mut self, online: bool) -> Option<imo::Message> {
        if self.current.is_some() {
            return None;
        }
        let find = |wanted| self.waiting.iter().position(|(_, message)| urgency(message) == wanted);
        let at = if online { 0 } else { find(Urgency::Contacts).or_else(|| find(Urgency::Session))? };
        let (seq, message) = self.waiting.remove(at)?;
        self.current = Some(seq);
        Some(message)
    }

    /// The message after the one of [`next`](Self::next), to be handled together with it, if it is something that was
    /// said.
    pub(super) fn next_said(&mut self, online: bool) -> Option<imo::Message> {
        let (_, next) = self.waiting.front().filter(|_| online)?;
        let said = next.data.get("name").is_some_and(|name| name == "recv_im");
        said.then(|| self.waiting.pop_front())?.map(|(_, message)| message)
    }

    /// Everything that was given out has been handled.
    pub(super) fn handled(&mut self) {
        self.current = None;
    }

    /// The `ack` to send: the lowest `seq` that has not been handled.
    pub(super) fn ack(&self) -> u64 {
        let waiting = self.waiting.front().map(|(seq, _)| *seq);
        [self.current, waiting].into_iter().flatten().min().unwrap_or(self.taken)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde_json::json;

    fn message(seq: u64, name: &str) -> imo::Message {
        imo::Message { data: json!({"name": name}), seq: Some(seq), ..imo::Message::default() }
    }

    fn drain(inbox: &mut Inbox, online: bool) -> Vec<u64> {
        let mut seqs = Vec::new();
        while let Some(message) = inbox.next(online) {
            seqs.extend(message.seq);
            inbox.handled();
        }
        seqs
    }

    #[test]
    fn repeats_are_dropped_and_disorder_is_sorted() {
        let mut inbox = Inbox::default();
        assert_eq!(inbox.accept(vec![message(1, "b"), message(0, "a"), message(1, "b")]), 2);
        assert_eq!(drain(&mut inbox, true), [0, 1]);
        assert_eq!(inbox.ack(), 2);
        let unnumbered = imo::Message::default();
        assert_eq!(inbox.accept(vec![message(1, "b"), unnumbered, message(2, "c")]), 1);
        assert_eq!(drain(&mut inbox, true), [2]);
        assert_eq!(inbox.ack(), 3);
    }

    #[test]
    fn nothing_is_acknowledged_before_it_was_handled() {
        let mut inbox = Inbox::default();
        inbox.accept(vec![message(4, "a"), message(5, "b")]);
        assert_eq!(inbox.ack(), 4);
        assert!(inbox.next(true).is_some());
        assert_eq!(inbox.ack(), 4);
        assert!(inbox.next(true).is_none(), "one at a time");
        inbox.handled();
        assert_eq!(inbox.ack(), 5);
        assert_eq!(drain(&mut inbox, true), [5]);
        assert_eq!(inbox.ack(), 6);
    }

    #[test]
    fn what_was_said_may_be_handled_together() {
        let mut inbox = Inbox::default();
        inbox.accept(vec![message(3, "recv_im"), message(4, "recv_im"), message(5, "buddy_status")]);
        assert!(inbox.next(true).is_some_and(|message| message.seq == Some(3)));
        assert!(inbox.next_said(false).is_none());
        assert!(inbox.next_said(true).is_some_and(|message| message.seq == Some(4)));
        assert!(inbox.next_said(true).is_none(), "a presence is not said");
        assert_eq!(inbox.ack(), 3, "nothing before all of it");
        inbox.handled();
        assert_eq!(inbox.ack(), 5);
    }

    #[test]
    fn before_the_login_contacts_go_first_and_messages_wait() {
        let mut inbox = Inbox::default();
        inbox.accept(vec![message(0, "recv_im"), message(1, "signed_on"), message(2, "buddy_added")]);
        assert_eq!(drain(&mut inbox, false), [2, 1]);
        assert_eq!(inbox.ack(), 0);
        assert_eq!(drain(&mut inbox, true), [0]);
        assert_eq!(inbox.ack(), 3);
    }

    #[test]
    fn what_does_not_fit_is_left_with_the_server() {
        let mut inbox = Inbox::default();
        let many = MAX_WAITING as u64 + 5;
        assert_eq!(inbox.accept((0..many).map(|seq| message(seq, "recv_im")).collect()), MAX_WAITING);
        assert_eq!(drain(&mut inbox, true).len(), MAX_WAITING);
        assert_eq!(inbox.ack(), MAX_WAITING as u64);
    }

    proptest! {
        #[test]
        fn each_message_once_and_in_order(answers in prop::collection::vec(prop::collection::vec(0..40_u64, 0..10), 0..10)) {
            let mut inbox = Inbox::default();
            let mut seen = Vec::new();
            for answer in answers {
                inbox.accept(answer.into_iter().map(|seq| message(seq, "recv_im")).collect());
                seen.extend(drain(&mut inbox, true));
                prop_assert_eq!(inbox.ack(), seen.last().map_or(0, |seq| seq + 1));
            }
            prop_assert!(seen.is_sorted_by(|a, b| a < b));
        }
    }
}
