//! The events a gateway sends (imo-protocol 5), ready to be queued.

use serde::Serialize;
use serde_json::Value;

use crate::imo::Buddy;
use crate::imo::Event;
use crate::imo::Im;
use crate::imo::Message;
use crate::imo::PROTO;
use crate::imo::Response;
use crate::imo::System;

use super::accounts::MessageId;
use super::accounts::Stored;

/// What an event costs besides its texts.
const OVERHEAD: usize = 250;

/// What somebody shows of himself (imo-protocol 6.1), in the order in which logins are merged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Presence {
    #[default]
    Offline,
    Invisible,
    Away,
    Busy,
    Available,
}

impl Presence {
    /// Reads a `primitive`, in any case of letters.
    pub(crate) fn parse(primitive: &str) -> Option<Self> {
        [Self::Offline, Self::Invisible, Self::Away, Self::Busy, Self::Available]
            .into_iter()
            .find(|presence| presence.primitive().eq_ignore_ascii_case(primitive))
    }

    /// The word of the protocol.
    pub(crate) fn primitive(self) -> &'static str {
        match self {
            Self::Offline => "offline",
            Self::Invisible => "invisible",
            Self::Away => "away",
            Self::Busy => "busy",
            Self::Available => "available",
        }
    }

    /// What others see.
    pub(crate) fn seen_by_others(self) -> Self {
        if self == Self::Invisible { Self::Offline } else { self }
    }
}

/// An event on its way into a session's queue.
#[derive(Clone, Debug)]
pub(crate) struct Outgoing {
    /// About how many bytes it takes.
    pub(crate) cost: usize,
    /// The stored message that it delivers.
    pub(crate) message_id: Option<MessageId>,
    pub(crate) message: Message,
}

fn value(data: &impl Serialize) -> Value {
    // Our own shapes are plain text and numbers: they always fit.
    serde_json::to_value(data).unwrap_or_default()
}

fn outgoing(system: &str, event: &Event, cost: usize) -> Outgoing {
    let message = Message { data: value(event), to: System::named("client"), from: System::named(system), seq: None };
    Outgoing { cost: OVERHEAD + cost, message_id: None, message }
}

fn named(name: &str, uid: &str, edata: &impl Serialize) -> Event {
    Event {
        name: Some(name.to_owned()),
        proto: Some(PROTO.to_owned()),
        uid: Some(uid.to_owned()),
        edata: value(edata),
        ..Event::default()
    }
}

fn im(name: &str, uid: &str, edata: &impl Serialize) -> Outgoing {
    outgoing("im", &named(name, uid, edata), 0)
}

/// The login is complete.
pub(crate) fn signed_on(uid: &str, alias: &str) -> Outgoing {
    im("signed_on", uid, &Buddy { alias: Some(alias.to_owned()), ..Buddy::default() })
}

/// The login was refused.
pub(crate) fn disconnect(uid: &str, reason: &str) -> Outgoing {
    im("disconnect", uid, &Buddy { msg: Some(reason.to_owned()), ..Buddy::default() })
}

/// Contacts, new or all of them.
pub(crate) fn buddy_added(uid: &str, items: &[Buddy]) -> Outgoing {
    outgoing("im", &named("buddy_added", uid, &items), cost(items))
}

/// Something about contacts changed.
pub(crate) fn buddy_status(uid: &str, items: &[Buddy]) -> Outgoing {
    outgoing("im", &named("buddy_status", uid, &items), cost(items))
}

fn cost(items: &[Buddy]) -> usize {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    items.iter().map(|item| 100 + length(&item.buid) + length(&item.alias) + length(&item.status)).sum()
}

/// A contact was removed.
pub(crate) fn buddy_removed(uid: &str, buid: &str) -> Outgoing {
    im("buddy_removed", uid, &Buddy { buid: Some(buid.to_owned()), ..Buddy::default() })
}

/// Somebody asks for authorisation.
pub(crate) fn buddy_request(uid: &str, buid: &str, words: &str) -> Outgoing {
    let edata = Buddy { buid: Some(buid.to_owned()), msg: Some(words.to_owned()), ..Buddy::default() };
    outgoing("im", &named("buddy_request", uid, &edata), words.len())
}

/// Somebody types, or no longer does.
pub(crate) fn typing(uid: &str, buid: &str, state: &str) -> Outgoing {
    #[derive(Serialize)]
    struct Typing<'a> {
        buid: &'a str,
        typing_state: &'a str,
    }
    im("im_typing", uid, &Typing { buid, typing_state: state })
}

/// A message. `epoch` makes the id one of this database.
pub(crate) fn recv_im(uid: &str, epoch: &str, stored: &Stored) -> Outgoing {
    let names = [stored.alias.as_ref(), Some(&stored.sender.alias), Some(&stored.sender.name)];
    // A message whose alias equals its text would announce a new topic (imo-protocol 5).
    let alias = names.into_iter().flatten().find(|alias| **alias != stored.body).cloned();
    let edata = Im {
        buid: Some(stored.sender.name.clone()),
        alias,
        msg: Some(stored.body.clone()),
        timestamp: Some(stored.sent_at),
        msg_id: Some(format!("{epoch}-{}", stored.id)),
        ..Im::default()
    };
    let event = outgoing("im", &named("recv_im", uid, &edata), stored.body.len());
    Outgoing { message_id: Some(stored.id), ..event }
}

/// The message of the request `request_id` was taken.
pub(crate) fn delivery(request_id: u64, timestamp: u64) -> Outgoing {
    let event = Event {
        request_id: Some(request_id),
        response: Some(Response { timestamp: Some(timestamp) }),
        ..Event::default()
    };
    outgoing("internal", &event, 0)
}

/// Another login of the account sent a message.
pub(crate) fn reflect_im(uid: &str, buid: &str, body: &str, timestamp: u64, msg_id: String) -> Outgoing {
    let edata = Im {
        r_name: Some("send_im".to_owned()),
        buid: Some(buid.to_owned()),
        msg: Some(body.to_owned()),
        timestamp: Some(timestamp),
        msg_id: Some(msg_id),
        ..Im::default()
    };
    let event = Event { kind: Some("conv".to_owned()), ..named("reflect", uid, &edata) };
    outgoing("im", &event, body.len())
}

/// Another login of the account changed its presence.
pub(crate) fn reflect_status(uid: &str, presence: Presence, mood: &str) -> Outgoing {
    let edata = Im {
        r_name: Some("set_status".to_owned()),
        primitive: Some(presence.primitive().to_owned()),
        status: Some(mood.to_owned()),
        ..Im::default()
    };
    let event = Event { kind: Some("account".to_owned()), ..named("reflect", uid, &edata) };
    outgoing("im", &event, mood.len())
}

#[cfg(test)]
mod tests {
    use super::super::accounts::User;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shapes_are_those_of_the_protocol() {
        let item = Buddy { buid: Some("bob".to_owned()), primitive: Some("away".to_owned()), ..Buddy::default() };
        let table = [
            (
                signed_on("alice", "Alice A"),
                json!({"name":"signed_on","proto":"prpl-skype","uid":"alice","edata":{"alias":"Alice A"}}),
            ),
            (
                disconnect("alice", "uidpassword"),
                json!({"name":"disconnect","proto":"prpl-skype","uid":"alice","edata":{"msg":"uidpassword"}}),
            ),
            (
                buddy_status("alice", &[item]),
                json!({"name":"buddy_status","proto":"prpl-skype","uid":"alice","edata":[{"buid":"bob","primitive":"away"}]}),
            ),
            (buddy_added("alice", &[]), json!({"name":"buddy_added","proto":"prpl-skype","uid":"alice","edata":[]})),
            (delivery(0, 5), json!({"request_id":0,"response":{"timestamp":5}})),
            (
                reflect_im("alice", "bob", "hi", 5, "e-1".to_owned()),
                json!({"name":"reflect","type":"conv","proto":"prpl-skype","uid":"alice",
                    "edata":{"r_name":"send_im","buid":"bob","msg":"hi","timestamp":5,"msg_id":"e-1"}}),
            ),
        ];
        for (outgoing, data) in table {
            assert_eq!(outgoing.message.data, data);
            assert_eq!(outgoing.message.to.system, "client");
        }
    }

    #[test]
    fn no_message_looks_like_a_topic() {
        let sender = User { id: 1, name: "bob".to_owned(), alias: "Bob B".to_owned(), mood: String::new() };
        let stored = |body: &str, alias: Option<&str>| Stored {
            id: 1,
            sender: sender.clone(),
            alias: alias.map(str::to_owned),
            body: body.to_owned(),
            sent_at: 1,
        };
        for (body, own, shown) in
            [("hi", Some("B"), "B"), ("hi", None, "Bob B"), ("B", Some("B"), "Bob B"), ("Bob B", None, "bob")]
        {
            let data = recv_im("alice", "e", &stored(body, own)).message.data;
            assert_eq!(data["edata"]["alias"], shown, "{body}");
        }
    }

    #[test]
    fn presences_merge_by_order_and_read_in_any_case() {
        assert_eq!(Presence::parse("BUSY"), Some(Presence::Busy));
        assert_eq!(Presence::parse("%s"), None);
        let merged = [Presence::Away, Presence::Available, Presence::Invisible].into_iter().max();
        assert_eq!(merged, Some(Presence::Available));
        assert_eq!(Presence::Invisible.seen_by_others(), Presence::Offline);
    }
}
