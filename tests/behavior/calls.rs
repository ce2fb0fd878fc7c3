//! Calls between two.

use imo2skype::backend::Ability;
use imo2skype::backend::CallControl;
use imo2skype::backend::Task;
use imo2skype::model::CallStatus;
use imo2skype::model::CallType;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::friends;

fn call_to(user: &str) -> Task {
    Task::PlaceCall { users: vec![Handle::new(user)], voicemail: false }
}

fn is_over(status: CallStatus) -> bool {
    use CallStatus::*;
    matches!(status, Finished | Failed | Missed | Refused | Busy | Cancelled)
}

/// Waits until the call stands so.
fn stands(person: &Person, id: &RemoteId, what: &str, wanted: impl Fn(CallStatus) -> bool) {
    person.until(what, |view| view.calls.get(id.as_str()).is_some_and(|call| wanted(call.status)).then_some(()));
}

/// Alice calls Bob, whose phone rings: what each of them calls the call.
fn ring(alice: &mut Person, bob: &Person) -> [RemoteId; 2] {
    let outgoing = alice.does(call_to("bob")).remote.expect("the receipt names it");
    stands(alice, &outgoing, "the call", |status| matches!(status, CallStatus::Routing | CallStatus::Ringing));
    let incoming = bob.until("the phone to ring", |view| {
        view.calls.values().find(|call| call.status == CallStatus::Ringing).map(|call| call.id.clone())
    });
    for (person, id, partner, kind) in
        [(&*alice, &outgoing, "bob", CallType::OutgoingP2p), (bob, &incoming, "alice", CallType::IncomingP2p)]
    {
        person.now(|view| {
            let call = &view.calls[id.as_str()];
            assert_eq!((&call.partner, call.kind), (&Handle::new(partner), kind));
        });
    }
    [outgoing, incoming]
}

pub(crate) fn a_call_is_placed_answered_and_ended(network: &dyn Network) {
    if lacks(network, &[Ability::Calls]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    let mut before = None;
    // Whoever ends it; and the next call is another.
    for by_caller in [true, false] {
        let [outgoing, incoming] = ring(&mut alice, &bob);
        assert_ne!(before.as_ref(), Some(&outgoing));
        bob.does(Task::Call { call: incoming.clone(), control: CallControl::Answer });
        for (person, id) in [(&alice, &outgoing), (&bob, &incoming)] {
            stands(person, id, "the answer", |status| status == CallStatus::InProgress);
        }
        if by_caller {
            alice.does(Task::Call { call: outgoing.clone(), control: CallControl::End });
        } else {
            bob.does(Task::Call { call: incoming.clone(), control: CallControl::End });
        }
        for (person, id) in [(&alice, &outgoing), (&bob, &incoming)] {
            stands(person, id, "the end", |status| status == CallStatus::Finished);
        }
        before = Some(outgoing);
    }
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_call_is_refused(network: &dyn Network) {
    if lacks(network, &[Ability::Calls]) {
        return;
    }
    let [mut alice, mut bob] = friends(network, ["alice", "bob"]);
    let [outgoing, incoming] = ring(&mut alice, &bob);
    bob.does(Task::Call { call: incoming.clone(), control: CallControl::End });
    for (person, id) in [(&alice, &outgoing), (&bob, &incoming)] {
        stands(person, id, "the end", is_over);
    }
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_caller_gives_up(network: &dyn Network) {
    if lacks(network, &[Ability::Calls]) {
        return;
    }
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let [outgoing, incoming] = ring(&mut alice, &bob);
    alice.does(Task::Call { call: outgoing.clone(), control: CallControl::End });
    for (person, id) in [(&alice, &outgoing), (&bob, &incoming)] {
        stands(person, id, "the end", is_over);
    }
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}

/// Refused at once, or over before anybody answers: both will do.
pub(crate) fn who_is_away_cannot_be_called(network: &dyn Network) {
    if lacks(network, &[Ability::Calls]) {
        return;
    }
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    bob.stops(GUARD);
    let ticket = alice.task(call_to("bob"));
    if let Ok(receipt) = alice.outcome(ticket) {
        let id = receipt.remote.expect("the receipt names it");
        stands(&alice, &id, "the end", is_over);
    }
    alice.stops(GUARD);
}
