//! The actions that wait for the request thread. Pure.

use std::collections::VecDeque;

use crate::backend::Action;
use crate::backend::Failure;
use crate::backend::Task;
use crate::backend::Ticket;

/// How many actions wait at most.
const MAX_WAITING: usize = 1024;

/// The actions of one account, in order.
#[derive(Default)]
pub(super) struct Queue {
    waiting: VecDeque<Action>,
    /// What became of those that were taken back, still to be told.
    withdrawn: VecDeque<(Ticket, Failure)>,
}

impl Queue {
    /// Takes an action, or gives it back when there is no room. Of what one user is told about our
    /// typing, only the newest stays.
    pub(super) fn push(&mut self, action: Action) -> Result<(), Action> {
        if let Action::Typing { user, .. } = &action {
            self.waiting.retain(|waiting| !matches!(waiting, Action::Typing { user: other, .. } if other == user));
        }
        if self.waiting.len() + self.withdrawn.len() >= MAX_WAITING {
            return Err(action);
        }
        self.waiting.push_back(action);
        Ok(())
    }

    /// Takes actions back in their order, before all others.
    pub(super) fn put_back(&mut self, actions: impl IntoIterator<Item = Action, IntoIter: DoubleEndedIterator>) {
        actions.into_iter().rev().for_each(|action| self.waiting.push_front(action));
    }

    /// Takes a task out that has not been begun, if it is there.
    pub(super) fn withdraw(&mut self, ticket: Ticket) {
        let is_it = |action: &Action| matches!(action, Action::Task { ticket: other, .. } if *other == ticket);
        let found = self.waiting.iter().position(is_it).and_then(|at| self.waiting.remove(at));
        self.withdrawn.extend(found.and_then(outcome));
    }

    /// What is to be told of a task that was taken out.
    pub(super) fn next_withdrawn(&mut self) -> Option<(Ticket, Failure)> {
        self.withdrawn.pop_front()
    }

    /// The action whose turn it is. Offline, messages wait for a connection, and what one may be
    /// told of our typing waits for somebody who wants to know.
    pub(super) fn next(&mut self, online: bool) -> Option<Action> {
        if online {
            return self.waiting.pop_front();
        }
        let waits = |action: &Action| {
            matches!(action, Action::Typing { .. } | Action::Task { task: Task::SendText { .. }, .. })
        };
        let at = self.waiting.iter().position(|action| !waits(action))?;
        self.waiting.remove(at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.waiting.is_empty() && self.withdrawn.is_empty()
    }

    /// Forgets what is old news on another connection.
    pub(super) fn forget_typing(&mut self) {
        self.waiting.retain(|action| !matches!(action, Action::Typing { .. }));
    }

    /// Empties the queue: what is to be told of the tasks that still wait for an outcome.
    pub(super) fn close(&mut self) -> Vec<(Ticket, Failure)> {
        self.withdrawn.drain(..).chain(self.waiting.drain(..).filter_map(outcome)).collect()
    }
}

/// What becomes of an action that is not begun any more.
fn outcome(action: Action) -> Option<(Ticket, Failure)> {
    match action {
        // Begun it was, in a session or a program before.
        Action::Task { ticket, task: Task::SendText { mark, .. } } if mark.repeated => Some((ticket, Failure::Unclear)),
        Action::Task { ticket, .. } => Some((ticket, Failure::NotConnected)),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::backend::Address;
    use crate::backend::Mark;
    use crate::backend::Typing;
    use crate::model::Handle;

    fn typing(user: &str, typing: Typing) -> Action {
        Action::Typing { user: Handle::new(user), typing }
    }

    fn text(ticket: u64) -> Action {
        marked(ticket, false)
    }

    fn marked(ticket: u64, repeated: bool) -> Action {
        let mark = Mark { id: ticket.to_string(), repeated };
        let task = Task::SendText { to: Address::User(Handle::new("bob")), body: "hi".to_owned(), mark };
        Action::Task { ticket: Ticket(ticket), task }
    }

    fn removal(ticket: u64) -> Action {
        Action::Task { ticket: Ticket(ticket), task: Task::RemoveContact { user: Handle::new("bob") } }
    }

    fn of(actions: impl IntoIterator<Item = Action>) -> Queue {
        let mut queue = Queue::default();
        for action in actions {
            queue.push(action).expect("room");
        }
        queue
    }

    fn drain(mut queue: Queue, online: bool) -> Vec<Action> {
        std::iter::from_fn(|| queue.next(online)).collect()
    }

    #[test]
    fn only_the_newest_typing_of_a_user_waits_and_in_its_place() {
        let queue = of([
            typing("bob", Typing::Typing),
            typing("carol", Typing::Typed),
            text(1),
            typing("BOB", Typing::Stopped),
        ]);
        let wanted = [typing("carol", Typing::Typed), text(1), typing("bob", Typing::Stopped)];
        assert_eq!(drain(queue, true), wanted);
    }

    #[test]
    fn offline_only_messages_and_typing_wait() {
        let waiting = [text(1), typing("bob", Typing::Typing)];
        let [first, second] = waiting.clone();
        let mut queue = of([first, removal(2), second, removal(3)]);
        assert_eq!(
            [queue.next(false), queue.next(false), queue.next(false)],
            [Some(removal(2)), Some(removal(3)), None]
        );
        assert_eq!(drain(queue, true), waiting);
    }

    #[test]
    fn typing_is_forgotten_and_nothing_else() {
        let mut queue = of([typing("bob", Typing::Typing), text(1), typing("carol", Typing::Typing), removal(2)]);
        queue.forget_typing();
        assert_eq!(drain(queue, true), [text(1), removal(2)]);
    }

    #[test]
    fn what_does_not_fit_comes_back_unless_it_takes_the_place_of_another() {
        let mut queue = of((1..MAX_WAITING as u64).map(text).chain([typing("bob", Typing::Typing)]));
        assert_eq!(queue.push(text(0)), Err(text(0)));
        assert_eq!(queue.push(typing("carol", Typing::Typing)), Err(typing("carol", Typing::Typing)));
        assert_eq!(queue.push(typing("bob", Typing::Stopped)), Ok(()));
        assert_eq!(queue.close().len(), MAX_WAITING - 1);
        assert_eq!(queue.close(), []);
    }

    #[test]
    fn what_is_put_back_is_first_and_keeps_its_order() {
        let mut queue = of([text(1), text(2), text(3)]);
        let first = [queue.next(true), queue.next(true)].into_iter().flatten();
        queue.put_back(first.collect::<Vec<_>>());
        assert_eq!(drain(queue, true), [text(1), text(2), text(3)]);
    }

    #[test]
    fn only_a_task_that_waits_is_withdrawn() {
        let mut queue = of([text(1), typing("bob", Typing::Typing), removal(2), marked(3, true)]);
        for ticket in [2, 9, 1, 3, 2] {
            queue.withdraw(Ticket(ticket));
        }
        // What may have been sent before may have arrived.
        let wanted = [(2, Failure::NotConnected), (1, Failure::NotConnected), (3, Failure::Unclear)];
        for (ticket, failure) in wanted {
            assert_eq!(queue.next_withdrawn(), Some((Ticket(ticket), failure)));
        }
        assert_eq!(queue.next_withdrawn(), None);
        assert_eq!(drain(queue, true), [typing("bob", Typing::Typing)]);
    }

    #[test]
    fn what_was_withdrawn_takes_its_room_until_it_is_told() {
        let mut queue = of((0..MAX_WAITING as u64).map(text));
        queue.withdraw(Ticket(5));
        assert_eq!(queue.push(text(1)), Err(text(1)));
        assert!(queue.next_withdrawn().is_some());
        assert_eq!(queue.push(text(5)), Ok(()));
        queue.withdraw(Ticket(5));
        while queue.next(true).is_some() {}
        assert!(!queue.is_empty());
        assert_eq!(queue.close(), [(Ticket(5), Failure::NotConnected)]);
        assert!(queue.is_empty());
    }

    #[test]
    fn what_may_have_been_sent_before_is_unclear_at_the_end() {
        let mut queue = of([marked(1, true), text(2), typing("bob", Typing::Typing), removal(3)]);
        let unclear = (Ticket(1), Failure::Unclear);
        let wanted = [unclear, (Ticket(2), Failure::NotConnected), (Ticket(3), Failure::NotConnected)];
        assert_eq!(queue.close(), wanted);
    }
}
