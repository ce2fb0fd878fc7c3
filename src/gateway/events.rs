//! The events a gateway sends (imo-protocol 5), ready to be queued.

use serde::Serialize;
use serde_json::Value;

use crate::imo::Buddy;
use crate::imo::Event;
use crate::imo::Im;
use crate::imo::Message;
use crate::imo::PROTO;
use crate::imo::Response;
use crate::imo::Streams;
use crate::imo::System;

use super::mail::MessageId;
use super::mail::SaidId;
use super::mail::Stored;
use super::names::chat_buid;
use super::names::gid;
use super::names::member_buid;

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
    let texts = |item: &Buddy| [&item.buid, &item.alias, &item.status, &item.display, &item.inviter].map(length);
    items.iter().map(|item| 100 + texts(item).iter().sum::<usize>()).sum()
}

/// Where pictures are.
pub(crate) fn buddy_icon(uid: &str, items: &[Buddy]) -> Outgoing {
    outgoing("im", &named("buddy_icon", uid, &items), cost(items))
}

/// The item of a [`buddy_icon`]; without a picture its name is empty.
pub(crate) fn icon(buid: &str, icon: Option<&str>) -> Buddy {
    Buddy { buid: Some(buid.to_owned()), icon: Some(icon.unwrap_or_default().to_owned()), ..Buddy::default() }
}

/// A contact was removed; or a member of a chat, and then `uid` is who removed it
/// (imo-protocol 8).
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
    let said = stored.said.as_ref();
    let names = [
        said.and_then(|said| said.name.as_ref()),
        stored.alias.as_ref(),
        Some(&stored.sender.alias),
        Some(&stored.sender.name),
    ];
    // A message whose alias equals its text announces a new topic (imo-protocol 5).
    let alias = match said {
        Some(said) if said.topic => Some(&stored.body),
        _ => names.into_iter().flatten().find(|alias| **alias != stored.body),
    };
    let chat = said.map(|said| gid(epoch, said.chat));
    let edata = Im {
        buid: Some(chat.as_deref().map_or_else(|| stored.sender.name.clone(), chat_buid)),
        author: chat.map(|chat| member_buid(&chat, &stored.sender.name)),
        alias: alias.cloned(),
        msg: Some(stored.body.clone()),
        timestamp: Some(stored.sent_at),
        msg_id: Some(match said {
            Some(said) => said_id(epoch, said.id),
            None => format!("{epoch}-{}", stored.id),
        }),
        ..Im::default()
    };
    let event = outgoing("im", &named("recv_im", uid, &edata), stored.body.len());
    Outgoing { message_id: Some(stored.id), ..event }
}

/// The id of a message to a chat, the same for everybody.
pub(crate) fn said_id(epoch: &str, said: SaidId) -> String {
    format!("{epoch}-c{said}")
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

/// Another login of the account sent this message.
pub(crate) fn reflect_im(uid: &str, sent: Im) -> Outgoing {
    let length = |text: &Option<String>| text.as_ref().map_or(0, String::len);
    let cost = length(&sent.msg) + length(&sent.client_msg_id);
    let edata = Im { r_name: Some("send_im".to_owned()), ..sent };
    let event = Event { kind: Some("conv".to_owned()), ..named("reflect", uid, &edata) };
    outgoing("im", &event, cost)
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

/// A call came about.
pub(crate) fn streams_info(uid: &str, streams: &Streams) -> Outgoing {
    av("streams_info", uid, streams)
}

/// The call with `buid` was accepted. Not of the original protocol.
pub(crate) fn answered(uid: &str, buid: &str) -> Outgoing {
    av("answered", uid, &Streams { buid: Some(buid.to_owned()), ..Streams::default() })
}

/// The call with `buid` is over.
pub(crate) fn ended(uid: &str, buid: &str) -> Outgoing {
    av("ended", uid, &Streams { buid: Some(buid.to_owned()), ..Streams::default() })
}

fn av(name: &str, uid: &str, streams: &Streams) -> Outgoing {
    outgoing("av", &Event { kind: Some("call".to_owned()), ..named(name, uid, streams) }, 100)
}

#[cfg(test)]
mod tests {
    use super::super::accounts::User;
    use super::super::mail::Said;
    use super::*;
    use serde_json::json;

    #[test]
    fn the_shapes_are_those_of_the_protocol() {
        let item = Buddy { buid: Some("bob".to_owned()), primitive: Some("away".to_owned()), ..Buddy::default() };
        let sent = Im {
            buid: Some("bob".to_owned()),
            msg: Some("hi".to_owned()),
            timestamp: Some(5),
            msg_id: Some("e-1".to_owned()),
            client_msg_id: Some("a7".to_owned()),
            ..Im::default()
        };
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
            (
                buddy_icon("alice", &[icon("bob", Some("a1")), icon("eve", None)]),
                json!({"name":"buddy_icon","proto":"prpl-skype","uid":"alice",
                    "edata":[{"buid":"bob","icon":"a1"},{"buid":"eve","icon":""}]}),
            ),
            (
                answered("alice", "bob"),
                json!({"name":"answered","type":"call","proto":"prpl-skype","uid":"alice","edata":{"buid":"bob"}}),
            ),
            (
                ended("alice", "bob"),
                json!({"name":"ended","type":"call","proto":"prpl-skype","uid":"alice","edata":{"buid":"bob"}}),
            ),
            (buddy_added("alice", &[]), json!({"name":"buddy_added","proto":"prpl-skype","uid":"alice","edata":[]})),
            (delivery(0, 5), json!({"request_id":0,"response":{"timestamp":5}})),
            (
                reflect_im("alice", sent),
                json!({"name":"reflect","type":"conv","proto":"prpl-skype","uid":"alice",
                    "edata":{"r_name":"send_im","buid":"bob","msg":"hi","timestamp":5,"msg_id":"e-1","client_msg_id":"a7"}}),
            ),
        ];
        for (outgoing, data) in table {
            assert_eq!(outgoing.message.data, data);
            assert_eq!(outgoing.message.to.system, "client");
        }
    }

    #[test]
    fn only_a_topic_looks_like_one() {
        let sender = User { id: 1, name: "bob".to_owned(), alias: "Bob B".to_owned(), mood: String::new() };
        let stored = |body: &str, alias: Option<&str>, chat: Option<&str>, topic| Stored {
            id: 1,
            sender: sender.clone(),
            alias: alias.map(str::to_owned),
            body: body.to_owned(),
            sent_at: 1,
            said: chat.map(|name| Said { id: 7, chat: 3, name: Some(name.to_owned()), topic }),
        };
        // text, alias, chat, a topic, what is shown
        let table = [
            ("hi", Some("B"), None, false, Some("B")),
            ("hi", None, None, false, Some("Bob B")),
            ("B", Some("B"), None, false, Some("Bob B")),
            ("Bob B", None, None, false, Some("bob")),
            ("hi", None, Some("chat"), false, Some("chat")),
            ("chat", None, Some("chat"), false, Some("Bob B")),
            ("Bob B", None, Some("Bob B"), false, Some("bob")),
            ("Plans", None, Some("chat"), true, Some("Plans")),
            ("chat", None, Some("chat"), true, Some("chat")),
            ("", None, Some("chat"), true, Some("")),
        ];
        for (body, alias, chat, topic, shown) in table {
            let edata = &recv_im("alice", "e", &stored(body, alias, chat, topic)).message.data["edata"];
            assert_eq!(edata["alias"].as_str(), shown, "{body}");
            let (buid, author, id) = match chat {
                Some(_) => ("g3-e;", json!("g3-e;bob;prpl-skype"), "e-c7"),
                None => ("bob", Value::Null, "e-1"),
            };
            assert_eq!((&edata["buid"], &edata["author"], &edata["msg_id"]), (&json!(buid), &author, &json!(id)));
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
