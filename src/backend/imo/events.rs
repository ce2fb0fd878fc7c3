//! What a message of the server means (imo-protocol 5): pure.

use serde_json::Value;

use super::names::ImoNames;
use crate::backend::Address;
use crate::backend::Contact;
use crate::backend::Event;
use crate::backend::Kind;
use crate::backend::Message;
use crate::backend::Presence;
use crate::backend::Typing;
use crate::imo;
use crate::model::Handle;
use crate::model::RemoteId;

/// What a message of the server means to us.
#[derive(Debug)]
pub(super) enum News {
    /// The login succeeded.
    SignedOn { display_name: Option<String> },
    /// Contacts that are new, or at login all of them.
    Added(Vec<Contact>),
    /// Contacts that changed.
    Changed(Vec<Contact>),
    /// They are no contacts any more.
    Removed(Vec<Handle>),
    /// Passed on as it is.
    Told(Event),
    /// Another login changed our presence.
    OwnPresence { presence: Presence, mood: Option<String> },
    /// The server delivered the message of this `request_id`.
    Delivered { request_id: u64, time: Option<u64> },
    /// The server would set us to away by itself.
    AutoAway,
    /// The login failed or ended for this reason.
    Disconnect { reason: String },
    /// The session is over.
    Over,
    /// Nothing that matters here.
    Nothing,
}

/// How a message is to be treated before the login has succeeded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Urgency {
    /// Contacts are told before the success of the login.
    Contacts,
    /// Decides on the session itself.
    Session,
    /// Waits until the login has succeeded.
    Rest,
}

/// Reads just enough of `message` to tell when its turn is.
pub(super) fn urgency(message: &imo::Message) -> Urgency {
    if message.from.system == "internal" || message.from.system == "reset" {
        return Urgency::Session;
    }
    match message.data.get("name").and_then(Value::as_str) {
        Some("buddy_added") => Urgency::Contacts,
        Some("signed_on" | "disconnect" | "expired") => Urgency::Session,
        _ => Urgency::Rest,
    }
}

/// Reads one message; `me` is our own user, `ssid` makes message ids where the server gives none.
pub(super) fn read(message: &imo::Message, me: &Handle, ssid: &str) -> News {
    if message.to.system != "client" {
        return News::Nothing;
    }
    let event: imo::Event = imo::read(&message.data);
    if event.proto.as_deref().is_some_and(|proto| !proto.eq_ignore_ascii_case(imo::PROTO)) {
        return News::Nothing;
    }
    match message.from.system.as_str() {
        "internal" => match event.request_id {
            Some(request_id) => {
                News::Delivered { request_id, time: event.response.and_then(|response| response.timestamp) }
            }
            None => News::Nothing,
        },
        "preference" => read_preferences(&event.preferences),
        "reset" => News::Over,
        "im" | "av" => read_event(&event, message.seq, me, ssid),
        other => {
            tracing::debug!(system = other, "message skipped");
            News::Nothing
        }
    }
}

fn read_event(event: &imo::Event, seq: Option<u64>, me: &Handle, ssid: &str) -> News {
    match event.name.as_deref().unwrap_or_default() {
        "signed_on" => {
            let edata: imo::Buddy = imo::read(&event.edata);
            News::SignedOn { display_name: clean(edata.alias) }
        }
        "disconnect" => {
            let edata: imo::Im = imo::read(&event.edata);
            News::Disconnect { reason: clean(edata.msg).unwrap_or_default() }
        }
        "expired" => News::Over,
        "buddy_added" => News::Added(contacts(&event.edata, Some(true))),
        "buddy_status" => News::Changed(contacts(&event.edata, None)),
        "buddy_removed" => {
            let buddies: Vec<imo::Buddy> = imo::read_items(&event.edata);
            News::Removed(buddies.iter().filter_map(user).collect())
        }
        "buddy_request" => {
            let buddy: imo::Buddy = imo::read(&event.edata);
            match user(&buddy) {
                Some(user) => News::Told(Event::AuthRequest { user, text: clean(buddy.msg).unwrap_or_default() }),
                None => News::Nothing,
            }
        }
        "im_typing" => typed(&imo::read(&event.edata), me),
        "recv_im" => received(imo::read(&event.edata), seq, me, ssid),
        "reflect" => reflected(event.kind.as_deref(), imo::read(&event.edata), seq, me, ssid),
        other => {
            tracing::debug!(name = other, "event skipped");
            News::Nothing
        }
    }
}

/// The contacts among `items`; group chats and their members are left out for now.
fn contacts(items: &Value, agreed: Option<bool>) -> Vec<Contact> {
    let buddies: Vec<imo::Buddy> = imo::read_items(items);
    let contact = |buddy: imo::Buddy| {
        let handle = user(&buddy)?;
        Some(Contact {
            // What we call them and what they call themselves is one field.
            name: clean(buddy.alias),
            presence: buddy.primitive.as_deref().map(presence),
            mood: clean(buddy.status),
            agreed,
            ..Contact::named(handle)
        })
    };
    buddies.into_iter().filter_map(contact).collect()
}

/// The user of an item, unless it belongs to a group chat (imo-protocol 5, buddy_added).
fn user(buddy: &imo::Buddy) -> Option<Handle> {
    let uid = buddy.buid.as_deref()?;
    let group = buddy.group.as_deref();
    let ordinary = group.is_none_or(|group| matches!(group, "" | "Skype" | "Buddies" | "Offline"));
    if !buddy.kind.is_null() || !ordinary || is_group(uid) {
        tracing::debug!(buid = uid, "group chat skipped");
        return None;
    }
    (!uid.is_empty()).then(|| ImoNames::handle(uid))
}

/// Whether this is `g123;` or `g123;bob;prpl-skype` (imo-protocol 6.2).
fn is_group(uid: &str) -> bool {
    uid.ends_with(';') || uid.rsplit(';').next().is_some_and(|last| last.eq_ignore_ascii_case(imo::PROTO))
}

/// The name and shape of this event are a guess (imo-protocol 5).
fn typed(im: &imo::Im, me: &Handle) -> News {
    match (partner(im), im.typing_state.as_deref().and_then(typing)) {
        (Some(user), Some(typing)) if user != *me => News::Told(Event::Typing { user, typing }),
        _ => News::Nothing,
    }
}

fn received(im: imo::Im, seq: Option<u64>, me: &Handle, ssid: &str) -> News {
    let Some(partner) = partner(&im) else { return News::Nothing };
    // The echo of our own message.
    if partner == *me {
        return News::Nothing;
    }
    let name = im.alias.clone();
    message(im, partner.clone(), partner, clean(name), seq, ssid)
}

fn reflected(kind: Option<&str>, im: imo::Im, seq: Option<u64>, me: &Handle, ssid: &str) -> News {
    match (kind, im.r_name.as_deref()) {
        (Some("account"), Some("set_status")) => match im.primitive.as_deref() {
            Some(primitive) => News::OwnPresence { presence: presence(primitive), mood: clean(im.status) },
            None => News::Nothing,
        },
        (Some("conv"), Some("send_im")) => match partner(&im) {
            Some(partner) => message(im, partner, me.clone(), None, seq, ssid),
            None => News::Nothing,
        },
        _ => News::Nothing,
    }
}

fn partner(im: &imo::Im) -> Option<Handle> {
    let uid = im.buid.as_deref().filter(|uid| !uid.is_empty())?;
    if is_group(uid) {
        tracing::debug!(buid = uid, "message of a group chat skipped");
        return None;
    }
    Some(ImoNames::handle(uid))
}

fn message(
    im: imo::Im,
    partner: Handle,
    author: Handle,
    author_name: Option<String>,
    seq: Option<u64>,
    ssid: &str,
) -> News {
    let Some(body) = clean(im.msg) else {
        tracing::debug!("message without text skipped");
        return News::Nothing;
    };
    let remote = match im.msg_id.filter(|id| !id.is_empty()) {
        Some(id) => RemoteId::new(id),
        None => RemoteId::new(format!("{ssid}/{}", seq.unwrap_or_default())),
    };
    let conversation = Address::User(partner);
    let (kind, time) = (Kind::Text, im.timestamp);
    News::Told(Event::Message(Message { remote, conversation, author, author_name, kind, body, time }))
}

fn read_preferences(preferences: &Value) -> News {
    // Read by hand: the value may be of any type.
    let is = |item: &Value, name: &str, value: &Value| item.get(name) == Some(value);
    let auto_away = |item: &Value| {
        is(item, "kind", &"impref".into()) && is(item, "pref", &"auto_away".into()) && is(item, "value", &true.into())
    };
    let items = preferences.as_array().map(Vec::as_slice).unwrap_or_default();
    if items.iter().any(auto_away) { News::AutoAway } else { News::Nothing }
}

/// No client takes a NUL.
fn clean(text: Option<String>) -> Option<String> {
    text.map(|mut text| {
        if text.contains('\0') {
            text.retain(|letter| letter != '\0');
        }
        text
    })
}

/// The presence behind a `primitive` (imo-protocol 6.1).
pub(super) fn presence(primitive: &str) -> Presence {
    let table = [
        ("available", Presence::Available),
        ("away", Presence::Away),
        ("idle", Presence::Away),
        ("busy", Presence::Busy),
        ("invisible", Presence::Invisible),
    ];
    let found = table.iter().find(|(word, _)| word.eq_ignore_ascii_case(primitive));
    found.map_or(Presence::Offline, |(_, presence)| *presence)
}

/// The `primitive` of a presence (imo-protocol 6.1).
pub(super) fn primitive(presence: Presence) -> &'static str {
    match presence {
        Presence::Available => "available",
        Presence::Away => "away",
        Presence::Busy | Presence::NotAvailable => "busy",
        Presence::Invisible => "invisible",
        Presence::Offline => "offline",
    }
}

/// What a `typing_state` means (imo-protocol 4).
fn typing(state: &str) -> Option<Typing> {
    let all = [Typing::Typing, Typing::Typed, Typing::Stopped];
    all.into_iter().find(|typing| typing_state(*typing).eq_ignore_ascii_case(state))
}

/// The `typing_state` that means this (imo-protocol 4).
pub(super) fn typing_state(typing: Typing) -> &'static str {
    match typing {
        Typing::Typing => "typing",
        Typing::Typed => "typed",
        Typing::Stopped => "not_typing",
    }
}

#[cfg(test)]
#[path = "events_tests.rs"]
mod tests;
