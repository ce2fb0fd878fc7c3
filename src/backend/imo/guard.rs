//! What a panic leaves of an account: its threads, and not the session.

use std::any::Any;
use std::panic::AssertUnwindSafe;
use std::panic::catch_unwind;
use std::panic::resume_unwind;

use super::account::Account;
use super::http::Trouble;
use crate::backend::Event;
use crate::backend::Lost;

impl Account {
    /// Works for this account. A panic ends no thread, so that none looks online that is not: the
    /// session, of which nothing is certain any more, is given up, and the connection reported as lost.
    pub(super) fn guard<T>(&self, work: impl FnOnce() -> T) -> Option<T> {
        // Unwind safe: what a panic leaves behind is in the session, which is given up.
        let payload = match catch_unwind(AssertUnwindSafe(work)) {
            Ok(done) => return Some(done),
            Err(payload) => payload,
        };
        tracing::error!(server = self.server.name(), text = text_of(&*payload), "panic");
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| self.give_up())) {
            tracing::error!(server = self.server.name(), text = text_of(&*payload), "panic after a panic");
        }
        None
    }

    fn give_up(&self) {
        let mut state = self.lock();
        state.cut = None;
        state.sign_off = false;
        let linked = state.link.take().is_some();
        let epoch = state.epoch;
        let mut events = state.end_session();
        drop(state);
        if linked {
            events.push(Event::Disconnected { epoch, reason: Lost::Unreachable { error: Box::new(Trouble::Panic) } });
        }
        self.deliver_all(events);
        self.wake();
    }
}

/// Does the same with each; a panic about one goes on when the others have had their turn.
pub(super) fn each<T>(all: impl IntoIterator<Item = T>, mut work: impl FnMut(T)) {
    let mut panic = None;
    for one in all {
        if let Err(payload) = catch_unwind(AssertUnwindSafe(|| work(one))) {
            panic.get_or_insert(payload);
        }
    }
    if let Some(payload) = panic {
        resume_unwind(payload);
    }
}

/// What was said with a panic.
fn text_of(payload: &(dyn Any + Send)) -> &str {
    let text = payload.downcast_ref::<String>().map(String::as_str);
    text.or_else(|| payload.downcast_ref::<&str>().copied()).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;
    use std::sync::Mutex;

    use serde_json::Value;
    use serde_json::json;

    use super::super::account::Limits;
    use super::super::account::Tie;
    use super::super::server::Server;
    use super::super::server::Version;
    use super::super::session::Session;
    use super::*;
    use crate::backend::Events;
    use crate::config::Config;
    use crate::imo;
    use crate::model::Handle;

    /// Keeps what it is told, and panics at messages that say so.
    #[derive(Default)]
    struct Ear(Mutex<Vec<String>>);

    impl Events for Ear {
        fn deliver(&self, event: Event) {
            let text = match event {
                Event::Message(message) => message.body,
                Event::Connected { .. } => "connected".to_owned(),
                Event::Disconnected { reason, .. } => format!("{reason:?}"),
                other => panic!("not expected: {other:?}"),
            };
            assert_ne!(text, "panic");
            self.0.lock().expect("no panic").push(text);
        }

        fn wait_for_room(&self) {}
    }

    fn account(said: &[&str]) -> (Account, Tie, Arc<Ear>) {
        let mut config = Config::new("alice", "secret");
        config.server = Some("http://127.0.0.1:1/".to_owned());
        let (server, me) = (Server::of(&config).expect("a server"), Handle::new("alice"));
        let mut session = Session::new("S".to_owned(), "alice", me.clone(), Version::One);
        let down = |(seq, data): (usize, Value)| json!({"to": {"system": "client"}, "from": {"system": "im"}, "seq": seq, "data": data});
        let said = said.iter().map(|body| json!({"name": "recv_im", "edata": {"buid": "bob", "msg": body}}));
        let messages: Value = [json!({"name": "signed_on"})].into_iter().chain(said).enumerate().map(down).collect();
        session.polled(imo::Answer { method: imo::FORWARD_TO_CLIENT.to_owned(), data: json!({"messages": messages}) });
        let account = Account::new(server, "alice", me, config.password, Limits::default());
        let ear = Arc::new(Ear::default());
        account.listen(ear.clone());
        let tie = account.tie();
        account.lock().session = Some(session);
        (account, tie, ear)
    }

    #[test]
    fn the_message_of_a_panic_is_not_acknowledged_by_anybody() {
        let (account, tie, ear) = account(&["one", "panic", "two"]);
        assert!(catch_unwind(AssertUnwindSafe(|| account.drain(&tie))).is_err());
        // The other thread, before the session is given up.
        assert!(account.drain(&tie).is_none());
        // Nor what was told together with it.
        assert_eq!(account.with_session(&tie, |session| session.poll().ack).expect("a session"), Some(1));
        assert_eq!(*ear.0.lock().expect("no panic"), ["connected", "one"]);
    }

    #[test]
    fn after_a_panic_there_is_no_session_and_that_is_told_once() {
        let (account, tie, ear) = account(&["panic"]);
        assert!(account.guard(|| account.drain(&tie)).is_none());
        assert!(account.lock().session.is_none());
        assert!(account.with_session(&tie, |_| ()).is_err());
        assert!(account.guard::<()>(|| panic!("again")).is_none());
        let heard = std::mem::take(&mut *ear.0.lock().expect("no panic"));
        assert_eq!(heard, ["connected", "Unreachable { error: Panic }"]);
        assert_eq!(account.guard(|| 5), Some(5));
    }

    #[test]
    fn a_panic_about_one_does_not_spare_the_others() {
        let mut seen = Vec::new();
        let done = catch_unwind(AssertUnwindSafe(|| {
            each(1..=4, |number| {
                seen.push(number);
                assert_ne!(number % 2, 0, "number {number}");
            });
        }));
        let payload = done.expect_err("it goes on");
        assert_eq!(seen, [1, 2, 3, 4]);
        assert!(text_of(&*payload).contains("number 2"), "the first");
        assert_eq!(text_of(&"static"), "static");
        assert_eq!(text_of(&5), "");
    }
}
