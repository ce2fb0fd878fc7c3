//! The actions that wait for the request thread. Pure.

use std::collections::VecDeque;

use crate::backend::Action;
use crate::backend::Task;
use crate::backend::Ticket;

/// How many actions wait at most.
const MAX_WAITING: usize = 1024;

/// The actions of one account, in order.
#[derive(Default)]
pub(super) struct Queue(VecDeque<Action>);

impl Queue {
    /// Takes an action, or gives it back when there is no room. Of what one user is told about our
    /// typing, only the newest stays.
    pub(super) fn push(&mut self, action: Action) -> Result<(), Action> {
        if let Action::Typing { user, .. } = &action {
            self.0.retain(|waiting| !matches!(waiting, Action::Typing { user: other, .. } if other == user));
        }
        if self.0.len() >= MAX_WAITING {
            return Err(action);
        }
        self.0.push_back(action);
        Ok(())
    }

    /// Takes an action back, before all others.
    pub(super) fn put_back(&mut self, action: Action) {
        self.0.push_front(action);
    }

    /// The action whose turn it is. Offline, messages wait for a connection, and what one may be
    /// told of our typing waits for somebody who wants to know.
    pub(super) fn next(&mut self, online: bool) -> Option<Action> {
        if online {
            return self.0.pop_front();
        }
        let waits = |action: &Action| {
            matches!(action, Action::Typing { .. } | Action::Task { task: Task::SendText { .. }, .. })
        };
        let at = self.0.iter().position(|action| !waits(action))?;
        self.0.remove(at)
    }

    pub(super) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Forgets what is old news on another connection.
    pub(super) fn forget_typing(&mut self) {
        self.0.retain(|action| !matches!(action, Action::Typing { .. }));
    }

    /// Empties the queue: the tickets that still wait for an outcome.
    pub(super) fn close(&mut self) -> Vec<Ticket> {
        let ticket = |action| if let Action::Task { ticket, .. } = action { Some(ticket) } else { None };
        self.0.drain(..).filter_map(ticket).collect()
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
        let task = Task::SendText {
            to: Address::User(Handle::new("bob")),
            body: "hi".to_owned(),
            mark: Mark::new(ticket.to_string()),
        };
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
    fn what_is_put_back_is_first() {
        let mut queue = of([text(1), text(2)]);
        let first = queue.next(true).expect("an action");
        queue.put_back(first);
        assert_eq!(drain(queue, true), [text(1), text(2)]);
    }
}
