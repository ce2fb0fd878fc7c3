//! Pictures of users.

use std::sync::Arc;

use imo2skype::backend::Ability;
use imo2skype::backend::Task;

use crate::network::Network;
use crate::network::lacks;
use crate::person::GUARD;
use crate::person::Person;
use crate::person::friends;

/// Enough of a PNG to be taken for one.
const PICTURE: &[u8] = b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR\0\0\0\x01\0\0\0\x01\x08\x06\0\0\0\x1f\x15\xc4\x89\0\xff%s";

fn sees(person: &Person, wanted: Option<&[u8]>) {
    person.until("her picture", |view| (view.avatars.get("alice")?.as_deref() == wanted).then_some(()));
}

pub(crate) fn a_picture_reaches_those_who_know_us(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Avatars, Ability::OwnAvatar]) {
        return;
    }
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    let other: Arc<[u8]> = [PICTURE, b"another"].concat().into();
    for picture in [Arc::from(PICTURE), other.clone()] {
        alice.does(Task::SetAvatar { picture: Some(picture.clone()) });
        sees(&bob, Some(&picture));
    }
    // And who comes later.
    let again = Person::online(network, "bob");
    sees(&again, Some(&other));
    for person in [alice, bob, again] {
        person.stops(GUARD);
    }
}

pub(crate) fn a_picture_is_taken_away(network: &dyn Network) {
    if lacks(network, &[Ability::Contacts, Ability::Avatars, Ability::OwnAvatar]) {
        return;
    }
    let [mut alice, bob] = friends(network, ["alice", "bob"]);
    alice.does(Task::SetAvatar { picture: Some(PICTURE.into()) });
    sees(&bob, Some(PICTURE));
    alice.does(Task::SetAvatar { picture: None });
    sees(&bob, None);
    for person in [alice, bob] {
        person.stops(GUARD);
    }
}
