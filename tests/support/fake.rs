//! A network that does what a test says: shared by tests and benches.
#![allow(dead_code, reason = "no user of this file needs all of it")]

use std::sync::Arc;
use std::sync::Mutex;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;
use std::thread;
use std::thread::JoinHandle;
use std::time::Duration;

use crossbeam_channel::Receiver;
use crossbeam_channel::Sender;
use crossbeam_channel::bounded;
use crossbeam_channel::unbounded;
use imo2skype::backend::Ability;
use imo2skype::backend::Action;
use imo2skype::backend::Backend;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Contact;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Events;
use imo2skype::backend::Lost;
use imo2skype::backend::Names;
use imo2skype::model::Handle;

/// How many actions are kept.
const MOST_ACTIONS: usize = 1 << 20;

/// What becomes of a login.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Answer {
    Accepts,
    Refuses,
    CannotBeReached,
    Nothing,
}

/// What becomes of an action in [`Backend::submit`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Submit {
    Takes,
    Refuses,
    Panics,
}

/// How names are spelled.
pub(crate) type Spelling = fn(&str) -> Option<Handle>;

/// The script, and the test's end of the network.
#[derive(Clone)]
pub(crate) struct Fake(Arc<Script>);

struct Script {
    answer: Answer,
    submit: Submit,
    spelling: Spelling,
    contacts: Vec<Contact>,
    events: Mutex<Option<Arc<dyn Events>>>,
    logins: Mutex<Vec<JoinHandle<()>>>,
    actions: (Sender<Action>, Receiver<Action>),
    stops: AtomicUsize,
}

impl Fake {
    /// Nothing but how logins go; any name is one.
    pub(crate) fn new(answer: Answer) -> Self {
        Self::scripted(answer, Submit::Takes, |typed| Some(Handle::new(typed)), Vec::new())
    }

    pub(crate) fn scripted(answer: Answer, submit: Submit, spelling: Spelling, contacts: Vec<Contact>) -> Self {
        Self(Arc::new(Script {
            answer,
            submit,
            spelling,
            contacts,
            events: Mutex::new(None),
            logins: Mutex::new(Vec::new()),
            actions: unbounded(),
            stops: AtomicUsize::new(0),
        }))
    }

    /// The actions that were submitted, in order; at most so many wait to be read.
    pub(crate) fn actions(&self) -> &Receiver<Action> {
        &self.0.actions.1
    }

    /// How often the network was stopped.
    pub(crate) fn stops(&self) -> usize {
        self.0.stops.load(Ordering::SeqCst)
    }

    /// Returns when the event has been handled.
    pub(crate) fn deliver(&self, event: Event) {
        let events = self.0.events.lock().expect("no panic").clone().expect("started");
        events.deliver(event);
    }

    /// Returns when the events have been handled, all of them at once.
    pub(crate) fn deliver_together(&self, these: Vec<Event>) {
        let events = self.0.events.lock().expect("no panic").clone().expect("started");
        events.deliver_all(these);
    }

    /// Returns when nothing can undo what was delivered.
    pub(crate) fn settle(&self) {
        let events = self.0.events.lock().expect("no panic").clone().expect("started");
        events.settle();
    }

    /// Delivers on a thread of its own, as a network does.
    pub(crate) fn deliver_all(&self, these: impl IntoIterator<Item = Event> + Send + 'static) -> Delivery {
        let (this, begun, handled) = (self.clone(), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let counters = (Arc::clone(&begun), Arc::clone(&handled));
        let (ending, end) = bounded(0);
        let thread = thread::spawn(move || {
            for event in these {
                counters.0.fetch_add(1, Ordering::SeqCst);
                this.deliver(event);
                counters.1.fetch_add(1, Ordering::SeqCst);
            }
            drop(ending);
        });
        Delivery { begun, handled, end, thread }
    }
}

/// Events on their way.
pub(crate) struct Delivery {
    begun: Arc<AtomicUsize>,
    handled: Arc<AtomicUsize>,
    end: Receiver<()>,
    thread: JoinHandle<()>,
}

impl Delivery {
    /// How many events were brought to the session, the one it has not taken yet among them.
    pub(crate) fn begun(&self) -> usize {
        self.begun.load(Ordering::SeqCst)
    }

    /// How many events the session has taken.
    pub(crate) fn handled(&self) -> usize {
        self.handled.load(Ordering::SeqCst)
    }

    /// Waits until all have been taken.
    pub(crate) fn finish(self, guard: Duration) {
        self.end.recv_timeout(guard).expect_err("nothing is ever sent");
        assert!(self.begun() == self.handled(), "the session does not take event {}", self.begun());
        self.thread.join().expect("no panic");
    }
}

impl Names for Fake {
    fn parse(&self, typed: &str) -> Option<Handle> {
        (self.0.spelling)(typed)
    }
}

impl Backend for Fake {
    fn capabilities(&self) -> Capabilities {
        Capabilities::messages_only(1 << 20).with(&[
            Ability::Mood,
            Ability::Streams,
            Ability::Avatars,
            Ability::OwnAvatar,
        ])
    }

    fn names(&self) -> Arc<dyn Names> {
        Arc::new(self.clone())
    }

    fn start(&mut self, events: Arc<dyn Events>) {
        *self.0.events.lock().expect("no panic") = Some(events);
    }

    fn submit(&mut self, action: Action) -> Result<(), Action> {
        // A bench reads none.
        if self.0.actions.1.len() < MOST_ACTIONS {
            self.0.actions.0.send(action.clone()).expect("the receiver is here");
        }
        match (&action, self.0.submit) {
            (_, Submit::Panics) => panic!("the script says so"),
            (Action::Connect { epoch, .. }, _) => {
                let (this, epoch) = (self.clone(), *epoch);
                // Not under the lock of the session.
                self.0.logins.lock().expect("no panic").push(thread::spawn(move || this.log_in(epoch)));
                Ok(())
            }
            (_, Submit::Refuses) => Err(action),
            (_, Submit::Takes) => Ok(()),
        }
    }

    fn stop(&mut self, _grace: Duration) {
        self.0.stops.fetch_add(1, Ordering::SeqCst);
        for login in self.0.logins.lock().expect("no panic").drain(..) {
            login.join().expect("no panic");
        }
    }
}

impl Fake {
    fn log_in(&self, epoch: Epoch) {
        let reason = match self.0.answer {
            Answer::Accepts => {
                self.deliver(Event::Contacts { contacts: self.0.contacts.clone(), complete: true });
                let me = Handle::new("alice");
                return self.deliver(Event::Connected { epoch, me, display_name: None });
            }
            Answer::Refuses => Lost::Refused { reason: "wrong password".to_owned() },
            Answer::CannotBeReached => Lost::Unreachable { error: "no route".into() },
            Answer::Nothing => return,
        };
        self.deliver(Event::Disconnected { epoch, reason });
    }
}
