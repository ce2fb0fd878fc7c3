//! The JSON shapes of the imo.im protocol, shared by the back end and the gateway.
//!
//! Only shapes: what a field means and when it is sent is decided on either side for itself, so
//! that a session never behaves better against our own gateway than against a stranger's server.
//! Reading is tolerant: a field that is missing or of the wrong type is `None`, never a failure
//! (imo-protocol 12, flaws 18 to 20).

mod json;

use std::fmt;
use std::marker::PhantomData;

use serde::Deserialize;
use serde::Deserializer;
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;
use serde::de::MapAccess;
use serde::de::SeqAccess;
use serde::de::Visitor;
use serde::de::value::MapAccessDeserializer;
use serde_json::Value;

pub use json::parse;

/// `proto` of every account and event: the one network that is spoken of.
pub const PROTO: &str = "prpl-skype";
/// Outer method of the call that opens a session (imo-protocol 3.1).
pub const REST_RPC: &str = "rest_rpc";
/// Outer method of every other call.
pub const FORWARD_TO_SERVER: &str = "forward_to_server";
/// Outer method of every answer that carries an envelope.
pub const FORWARD_TO_CLIENT: &str = "forward_to_client";
/// `version` of `get_cookie_and_ssid`.
pub const CLIENT_VERSION: &str = "1336611734.48";
/// Member of the answer that opens a session: `true` says that the server knows messages by their
/// `client_msg_id`. Not of the original protocol; our gateway adds it, other programs ignore it.
pub const CLIENT_MSG_IDS: &str = "client_msg_ids";
/// The longest `client_msg_id`, in bytes.
pub const CLIENT_MSG_ID_LIMIT: usize = 128;

/// What a client posts in the form field `data` (imo-protocol 2.1), and what `data` of an answer
/// holds (2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Envelope {
    /// The next `seq` that the sender of this envelope expects from the other side.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub ack: Option<u64>,
    /// The session; absent in answers. Version 0 writes the number 0 before a session exists.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub ssid: Option<String>,
    /// The messages; none in a client's envelope makes it a long poll.
    #[serde(default, deserialize_with = "each")]
    pub messages: Vec<Message>,
}

/// One message of an [`Envelope`].
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Message {
    /// A [`Call`] on the way up, an [`Event`] on the way down.
    #[serde(default)]
    pub data: Value,
    /// The receiver.
    #[serde(default, deserialize_with = "lenient_default")]
    pub to: System,
    /// The sender.
    #[serde(default, deserialize_with = "lenient_default")]
    pub from: System,
    /// The sender's sequence number.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub seq: Option<u64>,
}

/// An end of a [`Message`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct System {
    /// `client`, or a part of the service: `session`, `im`, `av`, `alpha`, `preference`, `internal`, `reset`.
    #[serde(default, deserialize_with = "lenient_default")]
    pub system: String,
    /// The session, where a client is the sender.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub ssid: Option<String>,
}

impl System {
    /// A part of the service.
    pub fn named(system: &str) -> Self {
        Self { system: system.to_owned(), ssid: None }
    }

    /// A client of the session `ssid`.
    pub fn client(ssid: &str) -> Self {
        Self { system: "client".to_owned(), ssid: Some(ssid.to_owned()) }
    }
}

/// A call to the service: `data` of a message on the way up (imo-protocol 4).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Call {
    /// The inner method, `send_im` for one.
    #[serde(default, deserialize_with = "lenient_default")]
    pub method: String,
    /// Names the delivery acknowledgement of a `send_im`.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<u64>,
    /// The arguments.
    #[serde(default)]
    pub data: Value,
}

/// The arguments that a gateway reads from a [`Call`]; each method uses some of them.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(default)]
pub struct Arguments {
    /// The account.
    #[serde(deserialize_with = "lenient")]
    pub uid: Option<String>,
    /// Its network; [`PROTO`].
    #[serde(deserialize_with = "lenient")]
    pub proto: Option<String>,
    /// The password of `account_login`.
    #[serde(deserialize_with = "lenient")]
    pub passwd: Option<String>,
    /// The other user, chat or chat member.
    #[serde(deserialize_with = "lenient")]
    pub buid: Option<String>,
    /// The text of `send_im`; the greeting of `add_buddy` where a client has one.
    #[serde(deserialize_with = "lenient")]
    pub msg: Option<String>,
    /// The contact group.
    #[serde(deserialize_with = "lenient")]
    pub group: Option<String>,
    /// The new name of `change_buddy_alias`.
    #[serde(deserialize_with = "lenient")]
    pub alias: Option<String>,
    /// The presence of `set_status`.
    #[serde(deserialize_with = "lenient")]
    pub primitive: Option<String>,
    /// The mood text of `set_status`.
    #[serde(deserialize_with = "lenient")]
    pub status: Option<String>,
    /// What `im_typing` tells: `typing`, `typed` or `not_typing`.
    #[serde(deserialize_with = "lenient")]
    pub typing_state: Option<String>,
    /// The chat of `invite_to_group`, `set_group_topic` and `leave_group`, without a semicolon.
    #[serde(deserialize_with = "lenient")]
    pub gid: Option<String>,
    /// The name of the chat that `create_shared_group` founds.
    #[serde(deserialize_with = "lenient")]
    pub name: Option<String>,
    /// The topic of `set_group_topic`.
    #[serde(deserialize_with = "lenient")]
    pub topic: Option<String>,
    /// Whom `invite_to_group` invites.
    #[serde(deserialize_with = "lenient")]
    pub ibuid: Option<String>,
    /// The sender's own id of the message of `send_im`, the same when it is sent again. Not of the
    /// original protocol; see [`CLIENT_MSG_IDS`] and [`is_client_msg_id`].
    #[serde(deserialize_with = "lenient")]
    pub client_msg_id: Option<String>,
}

/// The body of an HTTP answer (imo-protocol 2.2).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Answer {
    /// [`FORWARD_TO_CLIENT`], or anything else for "accepted, nothing to do".
    #[serde(default, deserialize_with = "lenient_default")]
    pub method: String,
    /// The envelope, kept raw: `rest_rpc` answers with something else.
    #[serde(default)]
    pub data: Value,
}

/// An event: `data` of a message on the way down (imo-protocol 5).
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(default)]
pub struct Event {
    /// What happened; absent in acknowledgements and preferences.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub name: Option<String>,
    /// The network; events of others than [`PROTO`] (in any case of letters) are skipped.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub proto: Option<String>,
    /// The account.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub uid: Option<String>,
    /// Kind, for `reflect` and calls.
    #[serde(rename = "type", deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub kind: Option<String>,
    /// The details: an object or an array, by `name`.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub edata: Value,
    /// Delivery acknowledgement: which `send_im`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub request_id: Option<u64>,
    /// Delivery acknowledgement: when.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub response: Option<Response>,
    /// Preferences of the account.
    #[serde(skip_serializing_if = "Value::is_null")]
    pub preferences: Value,
}

/// `response` of a delivery acknowledgement.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Response {
    /// Seconds since 1970 UTC.
    #[serde(default, deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
}

/// An item of `buddy_added`, `buddy_status`, `buddy_removed`, `buddy_request` and `buddy_icon`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Buddy {
    /// The contact, the chat (`g123;`) or the chat member (`g123;bob;prpl-skype`).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub buid: Option<String>,
    /// The name for people.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// `Skype`, `Buddies` or `Offline` for a contact, the chat's id for a member.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub group: Option<String>,
    /// The presence (imo-protocol 6.1).
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub primitive: Option<String>,
    /// The mood text.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
    /// Present in group chats only.
    #[serde(rename = "type", skip_serializing_if = "Value::is_null")]
    pub kind: Value,
    /// The topic of a chat.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub display: Option<String>,
    /// Who invited, to a chat.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub inviter: Option<String>,
    /// The words of a `buddy_request`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// The name of a picture in a `buddy_icon`; `GET /b/<icon>` fetches it.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub icon: Option<String>,
}

/// `edata` of `recv_im`, of a reflected `send_im` or `set_status` and of `im_typing`.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Im {
    /// The sender, or the chat; in a reflection the receiver.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub buid: Option<String>,
    /// The sender's name for people.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub alias: Option<String>,
    /// The sender, in a chat.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub author: Option<String>,
    /// The text.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub msg: Option<String>,
    /// Seconds since 1970 UTC.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub timestamp: Option<u64>,
    /// An id of the message that stays the same when it is sent again. The original protocol has
    /// none; our gateway adds it, other programs ignore it, and a session does without.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub msg_id: Option<String>,
    /// The `client_msg_id` of a reflected `send_im`, if it had one.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub client_msg_id: Option<String>,
    /// `typing`, `typed` or `not_typing`, in an `im_typing`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub typing_state: Option<String>,
    /// What a reflection reflects, `send_im` or `set_status`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub r_name: Option<String>,
    /// The presence of a reflected `set_status`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub primitive: Option<String>,
    /// The mood text of a reflected `set_status`.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub status: Option<String>,
}

/// `edata` of `streams_info`, `answered` and `ended`: a call (imo-protocol 5).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Streams {
    /// The other side; the protocol has no id for a call.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub buid: Option<String>,
    /// Whether the call is ours.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub is_initiator: Option<bool>,
    /// The name of what we send.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub send_stream: Option<String>,
    /// The name of what we receive.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub recv_stream: Option<String>,
    /// The path of the call page, below the address of the service. Not of the original protocol;
    /// our gateway adds it, other programs ignore it.
    #[serde(deserialize_with = "lenient", skip_serializing_if = "Option::is_none")]
    pub page: Option<String>,
}

/// Reads `value` as a `T`; anything that is none counts as the empty `T`.
pub fn read<T: DeserializeOwned + Default>(value: &Value) -> T {
    T::deserialize(value).unwrap_or_default()
}

/// Like [`read`], without a copy of what is in `value`.
pub fn take<T: DeserializeOwned + Default>(value: Value) -> T {
    T::deserialize(value).unwrap_or_default()
}

/// Reads one item or an array of items; those that are none are left out.
pub fn read_items<T: DeserializeOwned>(value: &Value) -> Vec<T> {
    match value {
        Value::Array(items) => items.iter().filter_map(|item| T::deserialize(item).ok()).collect(),
        Value::Null => Vec::new(),
        item => T::deserialize(item).into_iter().collect(),
    }
}

/// The first member called `ssid` with a text in it, at any depth (imo-protocol 3.1, step 4).
pub fn find_ssid(value: &Value) -> Option<&str> {
    match value {
        Value::Object(members) => members.iter().find_map(|(name, member)| match member {
            Value::String(text) if name == "ssid" => Some(text.as_str()),
            _ => find_ssid(member),
        }),
        Value::Array(items) => items.iter().find_map(find_ssid),
        _ => None,
    }
}

/// Whether this can be a `client_msg_id`; any other counts as absent.
pub fn is_client_msg_id(id: &str) -> bool {
    (1..=CLIENT_MSG_ID_LIMIT).contains(&id.len())
}

/// What a member is read as; of another type, it counts as absent.
trait Member: Sized {
    fn from_text(_text: String) -> Option<Self> {
        None
    }

    fn from_number(_number: u64) -> Option<Self> {
        None
    }

    fn from_bool(_truth: bool) -> Option<Self> {
        None
    }

    fn from_object<'de, A: MapAccess<'de>>(mut object: A) -> Result<Option<Self>, A::Error> {
        while object.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}

impl Member for String {
    fn from_text(text: String) -> Option<Self> {
        Some(text)
    }
}

impl Member for u64 {
    fn from_number(number: u64) -> Option<Self> {
        Some(number)
    }
}

impl Member for bool {
    fn from_bool(truth: bool) -> Option<Self> {
        Some(truth)
    }
}

impl Member for System {
    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
}

impl Member for Response {
    fn from_object<'de, A: MapAccess<'de>>(object: A) -> Result<Option<Self>, A::Error> {
        Self::deserialize(MapAccessDeserializer::new(object)).map(Some)
    }
}

/// Takes whatever is there without a detour over a copy of it: an envelope is read for every
/// message, on both sides.
struct MemberVisitor<T>(PhantomData<T>);

impl<'de, T: Member> Visitor<'de> for MemberVisitor<T> {
    type Value = Option<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("anything")
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(T::from_text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Self::Value, E> {
        Ok(T::from_text(text))
    }

    fn visit_u64<E>(self, number: u64) -> Result<Self::Value, E> {
        Ok(T::from_number(number))
    }

    fn visit_i64<E>(self, number: i64) -> Result<Self::Value, E> {
        Ok(u64::try_from(number).ok().and_then(T::from_number))
    }

    fn visit_f64<E>(self, _number: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, truth: bool) -> Result<Self::Value, E> {
        Ok(T::from_bool(truth))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, object: A) -> Result<Self::Value, A::Error> {
        T::from_object(object)
    }
}

fn lenient<'de, D: Deserializer<'de>, T: Member>(deserializer: D) -> Result<Option<T>, D::Error> {
    deserializer.deserialize_any(MemberVisitor(PhantomData))
}

fn lenient_default<'de, D: Deserializer<'de>, T: Member + Default>(deserializer: D) -> Result<T, D::Error> {
    lenient(deserializer).map(Option::unwrap_or_default)
}

fn each<'de, D, T>(deserializer: D) -> Result<Vec<T>, D::Error>
where
    D: Deserializer<'de>,
    T: DeserializeOwned,
{
    Ok(match Value::deserialize(deserializer)? {
        Value::Array(items) => items.into_iter().filter_map(|item| T::deserialize(item).ok()).collect(),
        item => T::deserialize(item).into_iter().collect(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn wrong_types_are_absent_not_fatal() {
        let envelope: Envelope = read(&json!({
            "ack": "five", "ssid": 0,
            "messages": [7, {"data": 1, "to": "x", "from": {"system": 9}, "seq": -1}, {"seq": 4}]
        }));
        assert_eq!(envelope.ack, None);
        assert_eq!(envelope.ssid, None);
        let seqs: Vec<_> = envelope.messages.iter().map(|message| message.seq).collect();
        assert_eq!(seqs, [None, Some(4)]);
    }

    #[test]
    fn a_number_is_no_text() {
        let buddy: Buddy = read(&json!({"buid": 5, "alias": "Bob"}));
        assert_eq!(buddy, Buddy { alias: Some("Bob".to_owned()), ..Buddy::default() });
    }

    #[test]
    fn one_item_and_many_read_alike() {
        let one: Vec<Buddy> = read_items(&json!({"buid": "bob"}));
        let many: Vec<Buddy> = read_items(&json!([{"buid": "bob"}, 3]));
        assert_eq!(one, many);
        assert!(read_items::<Buddy>(&Value::Null).is_empty());
    }

    #[test]
    fn the_session_id_is_found_at_any_depth() {
        let answer = json!({"method": "rest_rpc", "data": [{"x": {"ssid": 3}}, {"y": {"ssid": "TrzB"}}]});
        assert_eq!(find_ssid(&answer), Some("TrzB"));
        assert_eq!(find_ssid(&json!({"data": "ssid"})), None);
    }
}
