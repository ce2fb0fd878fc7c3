use std::collections::BTreeMap;
use std::sync::Arc;
use std::sync::Mutex;

use proptest::prelude::*;

use super::*;
use crate::model::ArchiveError;
use crate::model::Handle;
use crate::model::ObjectKind;

/// An archive in memory, whose disk may be full.
#[derive(Clone, Default)]
struct Shelf(Arc<Mutex<(BTreeMap<ObjectId, Message>, bool)>>);

impl Shelf {
    fn with<T>(&self, work: impl FnOnce(&mut BTreeMap<ObjectId, Message>, &mut bool) -> T) -> T {
        let (messages, full) = &mut *self.0.lock().expect("no panic");
        work(messages, full)
    }
}

impl Archive for Shelf {
    fn objects(&self, _: ObjectKind) -> Vec<(String, String)> {
        Vec::new()
    }

    fn message(&self, id: ObjectId) -> Option<Message> {
        self.with(|messages, _| messages.get(&id).cloned())
    }

    fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        self.with(|messages, _| {
            messages.iter().find(|(_, message)| message.remote.as_ref() == Some(remote)).map(|(id, _)| *id)
        })
    }

    fn list(&self, which: Which, below: ObjectId, limit: usize) -> Vec<Entry> {
        self.with(|messages, _| {
            let below = messages.range(..below).rev().filter(|(_, message)| is_in(message, which));
            below.map(|(id, message)| entry(*id, message)).take(limit).collect()
        })
    }

    fn save(&self, changes: &[Change<'_>]) -> Result<(), ArchiveError> {
        self.with(|messages, full| {
            if *full {
                return Err("full".into());
            }
            for change in changes {
                match change {
                    Change::Clear => messages.retain(|_, message| message.matters()),
                    Change::Forget(id) => drop(messages.remove(id)),
                    Change::Message(id, message) => drop(messages.insert(*id, (*message).clone())),
                    Change::Object(..) => unreachable!("a history has none"),
                }
            }
            Ok(())
        })
    }
}

fn is_in(message: &Message, which: Which) -> bool {
    match which {
        Which::All => true,
        Which::In(chat) => message.chat == chat,
        Which::Missed => message.state == State::Received,
        Which::Sending => message.state == State::Sending,
        Which::Untold => message.untold,
    }
}

#[derive(Clone, Debug)]
enum Step {
    Say { chat: usize, state: State, named: bool },
    Move(usize, State),
    Name(usize),
    Edit(usize),
    Save,
    Full(bool),
    Clear,
    Crash,
}

fn state() -> impl Strategy<Value = State> {
    prop::sample::select(vec![State::Sending, State::Sent, State::Received, State::Read])
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        6 => (0..3_usize, state(), any::<bool>()).prop_map(|(chat, state, named)| Step::Say { chat, state, named }),
        4 => (any::<usize>(), state()).prop_map(|(which, state)| Step::Move(which, state)),
        1 => any::<usize>().prop_map(Step::Name),
        1 => any::<usize>().prop_map(Step::Edit),
        6 => Just(Step::Save),
        1 => any::<bool>().prop_map(Step::Full),
        1 => Just(Step::Clear),
        2 => Just(Step::Crash),
    ]
}

/// A history beside what it should hold, and what its archive should.
struct Pair {
    history: History,
    shelf: Shelf,
    now: BTreeMap<ObjectId, Message>,
    kept: BTreeMap<ObjectId, Message>,
    next: u32,
}

impl Pair {
    fn new(archive: bool) -> Self {
        let shelf = Shelf::default();
        let history = if archive { History::open(Box::new(shelf.clone()), ObjectId(1)) } else { History::default() };
        Self { history, shelf, now: BTreeMap::new(), kept: BTreeMap::new(), next: 1 }
    }

    fn pick(&self, which: usize) -> Option<ObjectId> {
        self.now.keys().nth(which % self.now.len().max(1)).copied()
    }

    fn change(&mut self, id: ObjectId, change: impl Fn(&mut Message)) {
        assert!(self.history.change(id, &change).is_some());
        change(self.now.get_mut(&id).expect("picked"));
    }

    fn take(&mut self, step: Step) {
        match step {
            Step::Say { chat, state, named } => {
                let id = ObjectId(self.next);
                self.next += 1;
                let message = Message::new(ChatIndex::at(chat), Handle::new("bob"), Kind::Text, state, 1);
                let message = Message { remote: named.then(|| remote(id)), ..message };
                self.history.add(id, message.clone());
                self.now.insert(id, message);
            }
            Step::Move(which, state) => {
                if let Some(id) = self.pick(which) {
                    self.change(id, |message| message.state = state);
                }
            }
            Step::Name(which) => {
                if let Some(id) = self.pick(which) {
                    self.history.know(&remote(id), id);
                    self.change(id, |message| message.remote = Some(remote(id)));
                }
            }
            Step::Edit(which) => {
                if let Some(id) = self.pick(which) {
                    self.change(id, |message| message.body.push('!'));
                }
            }
            Step::Full(full) => self.shelf.with(|_, is_full| *is_full = full),
            Step::Clear => {
                self.history.clear();
                self.now.retain(|_, message| message.matters());
            }
            Step::Save => {
                let mut changes = Vec::new();
                self.history.changes(&mut changes);
                assert_eq!(changes.is_empty(), !self.history.has_changes());
                if self.history.archive().is_some_and(|archive| archive.save(&changes).is_ok()) {
                    self.history.saved();
                    self.kept.clone_from(&self.now);
                }
            }
            Step::Crash => {
                if self.history.archive().is_some() {
                    self.history = History::open(Box::new(self.shelf.clone()), ObjectId(self.next));
                    self.now.clone_from(&self.kept);
                }
            }
        }
    }

    fn compare(&self) {
        let show = |message: Option<&Message>| format!("{message:?}");
        for id in (1..self.next).map(ObjectId) {
            assert_eq!(show(self.history.get(id).as_deref()), show(self.now.get(&id)), "message {id}");
            let named = self.now.get(&id).is_some_and(|message| message.remote.is_some());
            if named {
                assert_eq!(self.history.by_remote(&remote(id)), Some(id));
            }
        }
        for which in [Which::All, Which::In(ChatIndex::at(1)), Which::Missed, Which::Sending] {
            let expected = self.now.iter().rev().filter(|(_, message)| is_in(message, which));
            let expected: Vec<_> = expected.map(|(id, message)| entry(*id, message)).collect();
            assert_eq!(self.history.list(which), expected, "{which:?}");
            assert_eq!(self.history.list_some(which, 3), expected[..expected.len().min(3)], "{which:?}");
        }
    }
}

fn remote(id: ObjectId) -> RemoteId {
    RemoteId::new(format!("r{id}"))
}

proptest! {
    #[test]
    fn a_history_is_what_was_said(archive in any::<bool>(), steps in prop::collection::vec(step(), 0..50)) {
        let mut pair = Pair::new(archive);
        for step in steps {
            pair.take(step);
            pair.compare();
        }
    }

    #[test]
    fn the_memory_stays_small_beside_an_archive(steps in prop::collection::vec(step(), 0..200)) {
        let mut pair = Pair::new(true);
        for step in steps.into_iter().filter(|step| !matches!(step, Step::Full(_))) {
            pair.take(step);
            pair.take(Step::Save);
            let open = pair.now.values().filter(|message| message.state == State::Sending).count();
            prop_assert!(pair.history.messages.len() <= KEPT_BESIDE + open);
            prop_assert!(pair.history.known.len() <= KEPT_BESIDE);
            let lists = [pair.history.order.len(), pair.history.by_chat.values().map(VecDeque::len).sum()];
            prop_assert_eq!(lists, [pair.history.order.len(); 2]);
            prop_assert!(pair.history.order.len() <= KEPT_BESIDE && pair.history.missed.len() <= KEPT_BESIDE);
        }
    }
}

#[test]
fn without_an_archive_the_oldest_that_need_no_attention_go() {
    let mut pair = Pair::new(false);
    let (read, missed) = (State::Read, State::Received);
    for _ in 0..KEPT_ALONE + 3 {
        pair.take(Step::Say { chat: 1, state: read, named: true });
    }
    let oldest = |history: &History| history.list(Which::All).last().map(|entry| entry.id);
    assert_eq!(oldest(&pair.history), Some(ObjectId(4)));
    assert_eq!(pair.history.list(Which::In(ChatIndex::at(1))).len(), KEPT_ALONE);
    assert_eq!(pair.history.by_remote(&remote(ObjectId(3))), None);
    // One that was not seen is kept, and all that came after it.
    pair.change(ObjectId(4), |message| message.state = missed);
    pair.take(Step::Say { chat: 1, state: read, named: false });
    assert_eq!(pair.history.get(ObjectId(4)).map(|message| message.state), Some(missed));
}
