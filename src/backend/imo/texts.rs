//! The messages of a session: each arrives once, as far as the server lets us know. Pure.

use super::answers::Purpose;
use super::chats::Chats;
use super::session::Request;
use super::session::Session;
use crate::backend::Action;
use crate::backend::Address;
use crate::backend::Event;
use crate::backend::Failure;
use crate::backend::Mark;
use crate::backend::Receipt;
use crate::backend::Task;
use crate::backend::Ticket;
use crate::imo;

/// A message whose outcome is not known yet.
pub(super) struct Text {
    pub(super) ticket: Ticket,
    pub(super) to: Address,
    pub(super) body: String,
    pub(super) mark: Mark,
    pub(super) accepted: bool,
}

impl Text {
    /// The task that it was.
    pub(super) fn again(self) -> Action {
        let task = Task::SendText { to: self.to, body: self.body, mark: self.mark };
        Action::Task { ticket: self.ticket, task }
    }
}

/// What a session leaves behind.
#[derive(Debug, Default)]
pub(super) struct Rest {
    /// The outcomes of everything that cannot go on in the next.
    pub(super) events: Vec<Event>,
    /// The messages that can, in the order in which they were sent.
    pub(super) texts: Vec<Action>,
}

impl Session {
    /// Whether a message with this mark may be sent: where a repeat would be another message, one
    /// that may have arrived already may not.
    pub(super) fn may_send(&self, mark: &Mark) -> bool {
        !mark.repeated || self.is_safe(mark)
    }

    /// Whether the server would take a repeat of the message with this mark for what it is.
    fn is_safe(&self, mark: &Mark) -> bool {
        self.knows_marks && imo::is_client_msg_id(&mark.id)
    }

    /// Registers a message before it is posted, as its acknowledgement may come before the answer
    /// (imo-protocol 12, flaw 5).
    pub(super) fn send(&mut self, ticket: Ticket, to: Address, uid: &str, body: String, mark: Mark) {
        let request_id = self.next_request_id;
        self.next_request_id += 1;
        let number = self.acknowledges().then_some(request_id);
        let draft = self.caller().send_im(number, uid, &body, &mark.id);
        self.texts.insert(request_id, Text { ticket, to, body, mark, accepted: false });
        self.ask(draft, Purpose::Text(request_id));
    }

    /// Ends the session.
    pub(super) fn close(mut self, chats: &mut Chats) -> Rest {
        let mut rest = Rest::default();
        let mut unposted = None;
        if let Some(Request { purpose, posts, .. }) = self.unanswered.take() {
            unposted = Some(purpose.clone()).filter(|_| posts == 0);
            rest.events.extend(self.cut_off(purpose, Failure::Unclear, chats));
        }
        for (id, mut text) in std::mem::take(&mut self.texts) {
            if text.accepted {
                rest.events.push(Event::Done { ticket: text.ticket, outcome: Ok(Receipt::default()) });
            } else if unposted == Some(Purpose::Text(id)) {
                rest.texts.push(text.again());
            } else if self.is_safe(&text.mark) {
                // The next server may be one that cannot tell.
                text.mark.repeated = true;
                rest.texts.push(text.again());
            } else {
                rest.events.push(Event::Done { ticket: text.ticket, outcome: Err(Failure::Unclear) });
            }
        }
        rest.events.extend(self.calls.close());
        rest
    }
}
