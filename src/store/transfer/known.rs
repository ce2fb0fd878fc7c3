//! The groups and calls of a history to which another one is added: which of them are those that are brought.

use std::collections::HashMap;
use std::collections::HashSet;

use crate::model::Call;
use crate::model::Group;
use crate::model::Handle;
use crate::model::ObjectId;
use crate::model::RemoteId;

/// Groups that are here, by name; several may have one.
#[derive(Default)]
pub(super) struct Groups {
    by_name: HashMap<String, Vec<u32>>,
    /// The new ones: what they were, and what they are here.
    brought: HashMap<u32, u32>,
}

impl Groups {
    pub(super) fn add(&mut self, number: u32, group: &Group) {
        self.by_name.entry(group.name.clone()).or_default().push(number);
    }

    /// The group here that is this one; none is found twice.
    pub(super) fn same(&mut self, group: &Group) -> Option<u32> {
        self.by_name.get_mut(&group.name)?.pop()
    }

    pub(super) fn bring(&mut self, number: u32, here: u32) {
        self.brought.insert(number, here);
    }

    /// What a group is here that was not here before.
    pub(super) fn brought(&self, group: ObjectId) -> Option<ObjectId> {
        self.brought.get(&group.0).copied().map(ObjectId)
    }
}

/// A call that is here.
struct Here {
    number: u32,
    remote: Option<RemoteId>,
}

/// Calls that are here.
#[derive(Default)]
pub(super) struct Calls {
    by_remote: HashMap<RemoteId, u32>,
    /// By partner and time.
    by_time: HashMap<(String, u64), Vec<Here>>,
    found: HashSet<u32>,
    /// Conferences of new calls: what they were, and what they are here.
    conferences: HashMap<u32, u32>,
}

impl Calls {
    pub(super) fn add(&mut self, number: u32, call: &Call) {
        if let Some(remote) = &call.remote {
            self.by_remote.insert(remote.clone(), number);
        }
        self.by_time.entry(key(call)).or_default().push(Here { number, remote: call.remote.clone() });
    }

    /// The call here that is this one; none is found twice.
    pub(super) fn same(&mut self, number: u32, call: &Call) -> Option<u32> {
        let by_remote = call.remote.as_ref().and_then(|remote| self.by_remote.get(remote)).copied();
        let by_remote = by_remote.filter(|here| !self.found.contains(here));
        let by_time = || {
            let could_be = |here: &&Here| {
                let differ = matches!((&here.remote, &call.remote), (Some(a), Some(b)) if a != b);
                !differ && !self.found.contains(&here.number)
            };
            let here = || self.by_time.get(&key(call)).into_iter().flatten().filter(could_be).map(|here| here.number);
            here().find(|here| *here == number).or_else(|| here().next())
        };
        let here = by_remote.or_else(by_time)?;
        self.found.insert(here);
        Some(here)
    }

    pub(super) fn conference(&self, number: u32) -> Option<u32> {
        self.conferences.get(&number).copied()
    }

    pub(super) fn bring_conference(&mut self, number: u32, here: u32) {
        self.conferences.insert(number, here);
    }
}

fn key(call: &Call) -> (String, u64) {
    (Handle::fold(call.partner.as_str()).into_owned(), call.time)
}
