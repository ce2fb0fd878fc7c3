//! What has gone through so far, seen from outside, and what must hold of it at any time.

use std::sync::Condvar;
use std::sync::Mutex;
use std::sync::MutexGuard;
use std::sync::PoisonError;
use std::time::Duration;
use std::time::Instant;

use crossbeam_channel::Sender;

use crate::plan::LANES;
use crate::plan::PEOPLE;
use crate::socket::Input;

/// How many messages may be between two people. More would only wait in the daemon, where no kill can hurt their commands.
const BETWEEN: usize = 100;

/// What is known of one direction of a dialog; messages are known by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Traffic {
    /// The ids of the messages for which there was a reply, or that were found in the history instead.
    pub(crate) taken: Vec<u32>,
    /// How many have arrived: in order, so these are the first.
    heard: usize,
}

struct State {
    lanes: Vec<Traffic>,
    /// How many messages were taken or heard.
    lines: usize,
    progress: Instant,
    kills_left: bool,
    /// How many people have found everything in order at the end.
    content: usize,
    failure: Option<String>,
}

impl State {
    fn is_through(&self, messages: usize) -> bool {
        self.lanes.iter().all(|lane| lane.heard == messages)
    }
}

pub(crate) struct Ledger {
    /// How many messages there are in each direction.
    messages: usize,
    state: Mutex<State>,
    changed: Condvar,
    people: Vec<Sender<Input>>,
}

/// Why somebody leaves what he does: the reason is in the ledger.
#[derive(Debug)]
pub(crate) struct Failed;

impl Ledger {
    pub(crate) fn new(messages: usize, people: Vec<Sender<Input>>) -> Self {
        let lanes = LANES.map(|_| Traffic::default()).into();
        let progress = Instant::now();
        let state = State { lanes, lines: 0, progress, kills_left: true, content: 0, failure: None };
        Self { messages, state: Mutex::new(state), changed: Condvar::new(), people }
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn progressed(&self, state: &mut State) {
        state.progress = Instant::now();
        self.changed.notify_all();
    }

    fn wake(&self, name: &str) {
        let _ =
            PEOPLE.iter().zip(&self.people).find(|(person, _)| **person == name).map(|(_, to)| to.send(Input::Wake));
    }

    /// Ends everything, with this reason unless there is one already.
    pub(crate) fn fail(&self, reason: String) -> Failed {
        self.lock().failure.get_or_insert(reason);
        self.changed.notify_all();
        PEOPLE.iter().for_each(|name| self.wake(name));
        Failed
    }

    pub(crate) fn failure(&self) -> Option<String> {
        self.lock().failure.clone()
    }

    /// The next message to send, if there is one and it may go.
    pub(crate) fn may_send(&self, lane: usize, number: usize) -> bool {
        number < self.messages && number < self.lock().lanes[lane].heard + BETWEEN
    }

    pub(crate) fn take(&self, lane: usize, number: usize, id: u32) -> Result<(), Failed> {
        let mut state = self.lock();
        let expected = state.lanes[lane].taken.len();
        if number != expected {
            drop(state);
            return Err(self.fail(format!("{:?}: {number} was taken where {expected} was due", LANES[lane])));
        }
        state.lanes[lane].taken.push(id);
        state.lines += 1;
        self.progressed(&mut state);
        Ok(())
    }

    pub(crate) fn taken(&self, lane: usize) -> Vec<u32> {
        self.lock().lanes[lane].taken.clone()
    }

    pub(crate) fn hear(&self, lane: usize, number: usize) -> Result<(), Failed> {
        let mut state = self.lock();
        let expected = state.lanes[lane].heard;
        if number != expected {
            drop(state);
            return Err(self.fail(format!("{:?}: {number} came where {expected} was due", LANES[lane])));
        }
        state.lanes[lane].heard += 1;
        state.lines += 1;
        self.progressed(&mut state);
        drop(state);
        self.wake(LANES[lane].from);
        self.wake_if_through();
        Ok(())
    }

    /// Whether it is time to look whether everything is in order.
    pub(crate) fn is_over(&self) -> bool {
        let state = self.lock();
        !state.kills_left && state.is_through(self.messages)
    }

    fn wake_if_through(&self) {
        if self.is_over() {
            PEOPLE.iter().for_each(|name| self.wake(name));
        }
    }

    /// Nobody will be killed any more.
    pub(crate) fn no_more_kills(&self) {
        self.lock().kills_left = false;
        self.wake_if_through();
    }

    /// Somebody is one step further in looking through everything.
    pub(crate) fn looked(&self) {
        self.progressed(&mut self.lock());
    }

    pub(crate) fn content(&self) {
        let mut state = self.lock();
        state.content += 1;
        self.progressed(&mut state);
    }

    /// Waits until so many more messages were taken or heard.
    pub(crate) fn wait_for_more(&self, more: usize, limit: Duration) -> Result<(), Failed> {
        let lines = self.lock().lines + more;
        self.wait_for(lines, limit)
    }

    /// Waits until so many messages were taken or heard, all are through, or something failed.
    pub(crate) fn wait_for(&self, lines: usize, limit: Duration) -> Result<(), Failed> {
        self.wait(limit, |state| state.lines >= lines || state.is_through(self.messages))
    }

    pub(crate) fn wait_for_content(&self, limit: Duration) -> Result<(), Failed> {
        self.wait(limit, |state| state.content == PEOPLE.len())
    }

    fn wait(&self, limit: Duration, done: impl Fn(&State) -> bool) -> Result<(), Failed> {
        let mut state = self.lock();
        while state.failure.is_none() && !done(&state) {
            let Some(left) = limit.checked_sub(state.progress.elapsed()) else {
                let missing = |(lane, traffic): (_, &Traffic)| {
                    format!("{lane:?}: {} taken, {} heard", traffic.taken.len(), traffic.heard)
                };
                let lanes: Vec<_> = LANES.iter().zip(&state.lanes).map(missing).collect();
                drop(state);
                return Err(self.fail(format!("nothing goes on for {limit:?}\n{}", lanes.join("\n"))));
            };
            state = self.changed.wait_timeout(state, left).unwrap_or_else(PoisonError::into_inner).0;
        }
        if state.failure.is_some() { Err(Failed) } else { Ok(()) }
    }
}
