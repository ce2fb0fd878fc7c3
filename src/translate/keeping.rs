//! What outlives the session: taken over from an archive when it begins, and kept there at every change.

use std::collections::BTreeSet;
use std::collections::HashMap;
use std::time::Duration;

use serde::Deserialize;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::model::Archive;
use crate::model::ArchiveError;
use crate::model::Change;
use crate::model::Class;
use crate::model::Numbers;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::State;
use crate::model::Which;
use crate::skype::Protocol;
use crate::translate::ClientId;
use crate::translate::Engine;
use crate::translate::Now;
use crate::translate::Output;
use crate::translate::message::status_line;

/// How many numbers are reserved at a time, so that one that was given is never given again, whatever happens.
const RESERVE: u32 = 10_000;
/// How long it takes at most to keep what clients have heard; a message that was heard in between is told once more
/// after a crash, under the same number.
const HEARD_DELAY: Duration = Duration::from_secs(1);
/// The pause before something is kept again that could not be.
const RETRY: Duration = Duration::from_secs(10);

/// How many missed messages are looked at at a time.
const MISSED: usize = if cfg!(test) { 3 } else { 1_000 };

/// The keys of what there is one of.
const PERSON: &str = "person";
const SETTINGS: &str = "settings";
const PROFILE: &str = "profile";

/// What the network does not tell us of ourselves.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
struct Person {
    name: String,
    mood: String,
}

/// What of an engine is kept, and how that goes.
#[derive(Debug, Default)]
pub(super) struct Keeping {
    numbers: Numbers,
    person: Person,
    /// When to keep what clients have heard.
    heard_due: Option<Duration>,
    /// When to try again after a failure.
    retry: Option<Duration>,
}

/// Which messages clients have been told of.
#[derive(Debug, Default)]
pub(super) struct Told {
    /// Messages of whose arrival no client has heard for certain.
    arrivals: BTreeSet<ObjectId>,
    /// The newest message that has arrived.
    newest: ObjectId,
    /// Messages of ours of whose outcome no client has heard for certain.
    outcomes: BTreeSet<ObjectId>,
    /// Those among them that are on their way to so many clients.
    offered: HashMap<ObjectId, u32>,
}

impl Engine {
    /// Goes on where the session before has ended. To be called before anything else happens.
    ///
    /// # Errors
    ///
    /// The archive cannot keep anything. Nobody may begin so: the numbers that this session gave would be given again
    /// by the next.
    pub fn restore(&mut self, archive: Box<dyn Archive>) -> Result<(), ArchiveError> {
        let singles: HashMap<String, String> = archive.objects(ObjectKind::Single).into_iter().collect();
        let numbers: Numbers = single(&singles, Numbers::KEY);
        let person: Person = single(&singles, PERSON);
        self.settings = single(&singles, SETTINGS);
        self.profile = single(&singles, PROFILE);
        self.me.name.clone_from(&person.name);
        self.me.mood.clone_from(&person.mood);
        self.origin = if numbers.next == 0 { self.origin } else { numbers.origin };
        self.skip_to(ObjectId(numbers.next));
        let numbers = Numbers { next: self.next_id().0 + RESERVE, origin: self.origin, ..numbers };
        archive.save(&[Change::object(ObjectKind::Single, Numbers::KEY, Some(&numbers))])?;

        let objects = |kind| archive.objects(kind);
        let users = values::<String, _>(ObjectKind::User, objects(ObjectKind::User));
        self.users.restore(users.map(|(_, user)| user));
        self.groups.restore(values(ObjectKind::Group, objects(ObjectKind::Group)));
        self.calls.restore(values(ObjectKind::Call, objects(ObjectKind::Call)));
        let heard = ObjectId(numbers.heard);
        self.told.arrivals = arrived_since(&*archive, heard, self.next_id());
        self.told.newest = self.told.arrivals.last().copied().unwrap_or(heard);
        let outcomes = archive.list(Which::Untold, self.next_id(), usize::MAX);
        self.told.outcomes = outcomes.into_iter().map(|entry| entry.id).collect();
        let next = self.next_id();
        self.chats.restore(values(ObjectKind::Chat, objects(ObjectKind::Chat)), archive, next);
        self.keeping.numbers = numbers;
        self.keeping.person = person;
        Ok(())
    }

    /// Takes up what the session before had begun; how that goes is told like everything else.
    pub fn resume(&mut self, now: Now, out: &mut Vec<Output>) {
        if self.chats.archive().is_some() {
            self.resume_sending(now, out);
        }
    }

    /// Keeps what has changed. What was said meanwhile may go out after this, and not before: so nobody is told
    /// what is not kept. Where it cannot be kept, the session goes on with what it has in memory, and says so in the log.
    pub fn save(&mut self, now: Now) {
        if self.chats.archive().is_none() || self.keeping.retry.is_some_and(|retry| now.monotonic < retry) {
            return;
        }
        let numbers = self.numbers();
        let heard = numbers.heard != self.keeping.numbers.heard;
        let scarce = self.next_id().0 + RESERVE / 2 > numbers.next;
        let due = self.keeping.heard_due.is_some_and(|due| due <= now.monotonic);
        if !(scarce || due || self.has_changes()) {
            // It goes with the next change, or when its time comes.
            self.keeping.heard_due = self.keeping.heard_due.or(heard.then_some(now.monotonic + HEARD_DELAY));
            return;
        }
        let next = if scarce { self.next_id().0 + RESERVE } else { numbers.next };
        self.save_all(Numbers { next, ..numbers }, now);
    }

    /// Keeps everything when the session ends in an orderly way, and lets go of the archive.
    pub fn finish(&mut self, now: Now) {
        if self.chats.archive().is_some() {
            self.keeping.retry = None;
            // Nothing more gets a number, so none has to be left out.
            let numbers = Numbers { next: self.next_id().0, ..self.numbers() };
            self.save_all(numbers, now);
            self.chats.leave_archive();
        }
    }

    fn save_all(&mut self, numbers: Numbers, now: Now) {
        let person = Person { name: self.me.name.clone(), mood: self.me.mood.clone() };
        let mut changes = Vec::new();
        self.chats.changes(&mut changes);
        self.users.changes(&mut changes);
        self.groups.changes(&mut changes);
        self.calls.changes(&mut changes);
        if numbers != self.keeping.numbers {
            changes.push(Change::object(ObjectKind::Single, Numbers::KEY, Some(&numbers)));
        }
        if person != self.keeping.person {
            changes.push(Change::object(ObjectKind::Single, PERSON, Some(&person)));
        }
        if self.settings.has_changed() {
            changes.push(Change::object(ObjectKind::Single, SETTINGS, Some(&self.settings)));
        }
        if self.profile.has_changed() {
            changes.push(Change::object(ObjectKind::Single, PROFILE, Some(&self.profile)));
        }
        if changes.is_empty() {
            self.keeping.heard_due = None;
            self.keeping.retry = None;
            return;
        }
        let Some(archive) = self.chats.archive() else { return };
        match archive.save(&changes) {
            Ok(()) => {
                if self.keeping.retry.take().is_some() {
                    tracing::warn!("the history is kept again");
                }
                self.chats.saved();
                self.users.saved();
                self.groups.saved();
                self.calls.saved();
                self.settings.saved();
                self.profile.saved();
                self.keeping = Keeping { numbers, person, heard_due: None, retry: None };
            }
            Err(error) => {
                if self.keeping.retry.is_none() {
                    tracing::error!(
                        error = %error,
                        "THE HISTORY CANNOT BE KEPT: the session goes on in memory, and what is not kept is lost when it ends"
                    );
                }
                self.keeping.retry = Some(now.monotonic + RETRY);
            }
        }
    }

    fn has_changes(&self) -> bool {
        self.chats.has_changes()
            || self.users.has_changes()
            || self.groups.has_changes()
            || self.calls.has_changes()
            || self.settings.has_changed()
            || self.profile.has_changed()
            || self.me.name != self.keeping.person.name
            || self.me.mood != self.keeping.person.mood
    }

    fn numbers(&self) -> Numbers {
        let heard = self.told.arrivals.first().map_or(self.told.newest.0, |first| first.0 - 1);
        Numbers { heard, origin: self.origin, ..self.keeping.numbers }
    }

    /// When to call [`save`](Self::save) though nothing has changed.
    pub(super) fn save_timeout(&self) -> Option<Duration> {
        self.keeping.retry.or(self.keeping.heard_due)
    }

    // ---- what clients have heard ----

    /// The arrival or the outcome of a message is told now.
    pub(super) fn offer(&mut self, id: ObjectId, state: State, out: &mut Vec<Output>) {
        let before = out.len();
        out.extend(self.listening().map(|client| Output::Offered(client.id, id)));
        let clients = out.len() - before;
        if clients > 0 {
            *self.told.offered.entry(id).or_default() += u32::try_from(clients).unwrap_or(u32::MAX);
        }
        if state == State::Received {
            self.told.arrivals.insert(id);
            self.told.newest = self.told.newest.max(id);
        } else {
            self.told.outcomes.insert(id);
            self.chats.set_untold(id, true);
        }
    }

    /// Nobody needs to be told of a message any more: a client has taken the line of an [`Output::Offered`].
    pub fn heard(&mut self, id: ObjectId) {
        self.told.offered.remove(&id);
        self.told.arrivals.remove(&id);
        if self.told.outcomes.remove(&id) {
            self.chats.set_untold(id, false);
        }
    }

    /// A client is gone without having taken the line of an [`Output::Offered`].
    pub fn not_taken(&mut self, id: ObjectId, out: &mut Vec<Output>) {
        let Some(clients) = self.told.offered.get_mut(&id) else { return };
        *clients = clients.saturating_sub(1);
        if *clients == 0 {
            self.told.offered.remove(&id);
            // Who came meanwhile was not told of it.
            let first = self.listening().next().map(|client| (client.id, client.protocol));
            if let Some((client, protocol)) = first {
                self.tell_unheard(client, protocol, out);
            }
        }
    }

    /// Tells a client that has just come what nobody has heard of yet.
    pub(super) fn tell_unheard(&mut self, client: ClientId, protocol: Protocol, out: &mut Vec<Output>) {
        let unheard = self.told.arrivals.union(&self.told.outcomes);
        let unheard: Vec<_> = unheard.filter(|id| !self.told.offered.contains_key(id)).copied().collect();
        for id in unheard {
            let line = self.chats.message(id).and_then(|message| status_line(id, &message, protocol));
            match line {
                Some(line) => {
                    out.push(Output::ToClient(client, line.finish().0));
                    out.push(Output::Offered(client, id));
                    self.told.offered.insert(id, 1);
                }
                // It was forgotten.
                None => self.heard(id),
            }
        }
    }
}

/// What somebody said and was not seen, above a number.
fn arrived_since(archive: &dyn Archive, heard: ObjectId, next: ObjectId) -> BTreeSet<ObjectId> {
    let (mut arrived, mut below) = (BTreeSet::new(), next);
    loop {
        // Some never say that they have seen anything: not all that was missed is looked at.
        let missed = archive.list(Which::Missed, below, MISSED);
        let new = missed.iter().take_while(|entry| entry.id > heard);
        arrived.extend(new.filter(|entry| entry.class == Class::Text).map(|entry| entry.id));
        match missed.last() {
            Some(last) if missed.len() == MISSED && last.id > heard => below = last.id,
            _ => return arrived,
        }
    }
}

/// What there is one of, as it was kept, or as it is at first.
fn single<T: DeserializeOwned + Default>(singles: &HashMap<String, String>, key: &str) -> T {
    singles.get(key).and_then(|value| read(ObjectKind::Single, key, value)).unwrap_or_default()
}

/// A value that was kept; one that this version cannot read is as good as not there.
fn read<T: DeserializeOwned>(kind: ObjectKind, key: &str, value: &str) -> Option<T> {
    // By way of a value: much less code than one parser for each type.
    let value = serde_json::from_str::<Value>(value).and_then(|value| T::deserialize(&value));
    value.inspect_err(|error| tracing::error!(kind = kind.word(), key, %error, "kept and not readable: skipped")).ok()
}

fn values<K: std::str::FromStr, T: DeserializeOwned>(
    kind: ObjectKind,
    objects: Vec<(String, String)>,
) -> impl Iterator<Item = (K, T)> {
    objects.into_iter().filter_map(move |(key, value)| Some((key.parse().ok()?, read(kind, &key, &value)?)))
}
