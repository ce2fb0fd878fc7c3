//! What a message of the server means (imo-protocol 5): pure.

use serde_json::Value;

use super::buid::Buid;
use super::calls;
use super::calls::CallNews;
use super::chats::Item;
use super::names::ImoNames;
use super::names::MAX_NAME;
use crate::backend::Address;
use crate::backend::Contact;
use crate::backend::Event;
use crate::backend::Kind;
use crate::backend::Message;
use crate::backend::Presence;
use crate::backend::Typing;
use crate::imo;
use crate::model::ConversationId;
use crate::model::Handle;
use crate::model::RemoteId;

/// The longest name for people, in characters.
const MAX_ALIAS: usize = 1024;
/// The longest text beside a name: mood, topic, words of a request; in characters.
const MAX_TEXT: usize = 65_536;

/// What a message of the server means to us.
#[derive(Debug)]
pub(super) enum News {
    /// The login succeeded.
    SignedOn { display_name: Option<String> },
    /// Contacts and chats that are new, or at login all of them.
    Added { contacts: Vec<Contact>, items: Vec<Item> },
    /// Contacts and chats that changed.
    Changed { contacts: Vec<Contact>, items: Vec<Item> },
    /// They are no contacts, or in no chat, any more.
    Removed { users: Vec<Handle>, items: Vec<Item>, by: Handle },
    /// Passed on as it is.
    Told(Event),
    /// A chat has this topic now; a message if it is known who has set it.
    Topic { gid: String, topic: String, author: Option<Handle>, time: Option<u64> },
    /// Users have these pictures now.
    Icons(Vec<(Handle, String)>),
    /// Something about a call.
    Call(CallNews),
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

/// Makes the ids of what one message of the server tells: the same when it is told again.
#[derive(Clone, Debug)]
pub(super) struct Stamp<'a> {
    ssid: &'a str,
    seq: u64,
    count: u32,
}

impl<'a> Stamp<'a> {
    pub(super) fn new(ssid: &'a str, seq: Option<u64>) -> Self {
        Self { ssid, seq: seq.unwrap_or_default(), count: 0 }
    }

    pub(super) fn next(&mut self) -> RemoteId {
        let count = self.count;
        self.count += 1;
        let Self { ssid, seq, .. } = self;
        RemoteId::new(if count == 0 { format!("{ssid}/{seq}") } else { format!("{ssid}/{seq}/{count}") })
    }
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

/// Reads one message; `me` is our own user, `stamp` makes message ids where the server gives none.
pub(super) fn read(message: &imo::Message, me: &Handle, stamp: &mut Stamp<'_>) -> News {
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
        "im" | "av" => read_event(&event, me, stamp),
        other => {
            tracing::debug!(system = other, "message skipped");
            News::Nothing
        }
    }
}

fn read_event(event: &imo::Event, me: &Handle, stamp: &mut Stamp<'_>) -> News {
    match event.name.as_deref().unwrap_or_default() {
        "signed_on" => {
            let edata: imo::Buddy = imo::read(&event.edata);
            News::SignedOn { display_name: name_of(edata.alias) }
        }
        "disconnect" => {
            let edata: imo::Im = imo::read(&event.edata);
            News::Disconnect { reason: name_of(edata.msg).unwrap_or_default() }
        }
        "expired" => News::Over,
        "buddy_added" => {
            let (contacts, items) = buddies(&event.edata, Some(true));
            News::Added { contacts, items }
        }
        "buddy_status" => {
            let (contacts, items) = buddies(&event.edata, None);
            News::Changed { contacts, items }
        }
        "buddy_removed" => {
            let (contacts, items) = buddies(&event.edata, None);
            let users = contacts.into_iter().map(|contact| contact.handle).collect();
            let by = event.uid.as_deref().and_then(user_of).unwrap_or_else(|| me.clone());
            News::Removed { users, items, by }
        }
        "buddy_request" => {
            let buddy: imo::Buddy = imo::read(&event.edata);
            match buddy.buid.as_deref().and_then(user_of) {
                Some(user) => News::Told(Event::AuthRequest { user, text: text_of(buddy.msg).unwrap_or_default() }),
                None => News::Nothing,
            }
        }
        "buddy_icon" => {
            let buddies: Vec<imo::Buddy> = imo::read_items(&event.edata);
            let icon = |buddy: imo::Buddy| Some((user_of(buddy.buid.as_deref()?)?, buddy.icon.unwrap_or_default()));
            let fits = |(_, icon): &(Handle, String)| icon.len() <= MAX_NAME;
            News::Icons(buddies.into_iter().filter_map(icon).filter(fits).collect())
        }
        "im_typing" => typed(&imo::read(&event.edata), me),
        "recv_im" => received(imo::read(&event.edata), me, stamp),
        "reflect" => reflected(event.kind.as_deref(), imo::read(&event.edata), me, stamp),
        "streams_info" | "answered" | "ended" => calls::read(event).map_or(News::Nothing, News::Call),
        other => {
            tracing::debug!(name = other, "event skipped");
            News::Nothing
        }
    }
}

/// The user whom the network calls so; nobody for a chat, somebody in a chat, or an endless name.
pub(super) fn user_of(buid: &str) -> Option<Handle> {
    match Buid::read(buid) {
        Buid::User(uid) => handle_of(uid),
        Buid::Chat(_) | Buid::Member { .. } => None,
    }
}

fn handle_of(uid: &str) -> Option<Handle> {
    if uid.len() > MAX_NAME {
        tracing::warn!(length = uid.len(), "a name that is too long: skipped");
    }
    (1..=MAX_NAME).contains(&uid.len()).then(|| ImoNames::handle(uid))
}

/// The contacts among `edata`, and what belongs to group chats.
fn buddies(edata: &Value, agreed: Option<bool>) -> (Vec<Contact>, Vec<Item>) {
    let (mut contacts, mut items) = (Vec::new(), Vec::new());
    for buddy in imo::read_items::<imo::Buddy>(edata) {
        let uid = buddy.buid.as_deref().unwrap_or_default();
        let group = buddy.group.as_deref();
        let ordinary = group.is_none_or(|group| matches!(group, "" | "Skype" | "Buddies" | "Offline"));
        let (gid, member) = match Buid::read(uid) {
            Buid::User(uid) if buddy.kind.is_null() && ordinary => {
                contacts.extend(handle_of(uid).map(|handle| contact(handle, buddy, agreed)));
                continue;
            }
            Buid::Chat(gid) => (gid, None),
            Buid::Member { gid, name } => (gid, Some(name)),
            Buid::User(gid) if !buddy.kind.is_null() => (gid, None),
            // Who is in a group of contacts that is none is in the chat of that name.
            Buid::User(name) => (group.unwrap_or_default(), Some(name)),
        };
        if !(1..=MAX_NAME).contains(&gid.len()) || member.is_some_and(|name| handle_of(name).is_none()) {
            continue;
        }
        let (gid, member) = (gid.to_owned(), member.and_then(handle_of));
        let inviter = buddy.inviter.as_deref().map(Buid::name).and_then(handle_of);
        items.push(Item { gid, member, alias: name_of(buddy.alias), topic: text_of(buddy.display), inviter });
    }
    (contacts, items)
}

fn contact(handle: Handle, buddy: imo::Buddy, agreed: Option<bool>) -> Contact {
    Contact {
        // What we call them and what they call themselves is one field.
        name: name_of(buddy.alias),
        presence: buddy.primitive.as_deref().map(presence),
        mood: text_of(buddy.status),
        agreed,
        ..Contact::named(handle)
    }
}

/// The name and shape of this event are a guess (imo-protocol 5).
fn typed(im: &imo::Im, me: &Handle) -> News {
    match (im.buid.as_deref().and_then(user_of), im.typing_state.as_deref().and_then(typing)) {
        (Some(user), Some(typing)) if user != *me => News::Told(Event::Typing { user, typing }),
        _ => News::Nothing,
    }
}

fn received(im: imo::Im, me: &Handle, stamp: &mut Stamp<'_>) -> News {
    let buid = im.buid.clone().unwrap_or_default();
    let gid = match Buid::read(&buid) {
        Buid::User(uid) => {
            // From ourselves it is an echo.
            let Some(partner) = handle_of(uid).filter(|partner| partner != me) else { return News::Nothing };
            let name = name_of(im.alias.clone());
            return text(im, Address::User(partner.clone()), partner, name, stamp);
        }
        Buid::Chat(gid) | Buid::Member { gid, .. } if (1..=MAX_NAME).contains(&gid.len()) => gid,
        Buid::Chat(_) | Buid::Member { .. } => return News::Nothing,
    };
    let author = im.author.as_deref().map(Buid::name).and_then(handle_of);
    if let Some(topic) = im.msg.clone().filter(|msg| im.alias.as_ref() == Some(msg)) {
        let topic = text_of(Some(topic)).unwrap_or_default();
        return News::Topic { gid: gid.to_owned(), topic, author, time: im.timestamp };
    }
    // Where nobody is named, the chat itself has said it.
    let author = author.or_else(|| handle_of(Buid::name(&buid))).filter(|author| author != me);
    match author {
        Some(author) => text(im, Address::Conversation(ConversationId::new(gid)), author, None, stamp),
        None => News::Nothing,
    }
}

fn reflected(kind: Option<&str>, im: imo::Im, me: &Handle, stamp: &mut Stamp<'_>) -> News {
    match (kind, im.r_name.as_deref()) {
        (Some("account"), Some("set_status")) => match im.primitive.as_deref() {
            Some(primitive) => News::OwnPresence { presence: presence(primitive), mood: text_of(im.status) },
            None => News::Nothing,
        },
        (Some("conv"), Some("send_im")) => match im.buid.as_deref().and_then(address) {
            Some(to) => {
                // Only here: what another account calls its message means nothing to us.
                let mark = im.client_msg_id.clone().filter(|id| imo::is_client_msg_id(id));
                match text(im, to, me.clone(), None, stamp) {
                    News::Told(Event::Message(message)) => News::Told(Event::Message(Message { mark, ..message })),
                    news => news,
                }
            }
            None => News::Nothing,
        },
        _ => News::Nothing,
    }
}

/// Where a message to this `buid` goes.
fn address(buid: &str) -> Option<Address> {
    match Buid::read(buid) {
        Buid::User(uid) | Buid::Member { name: uid, .. } => handle_of(uid).map(Address::User),
        Buid::Chat(gid) => (1..=MAX_NAME).contains(&gid.len()).then(|| Address::Conversation(ConversationId::new(gid))),
    }
}

fn text(
    im: imo::Im,
    conversation: Address,
    author: Handle,
    author_name: Option<String>,
    stamp: &mut Stamp<'_>,
) -> News {
    let Some(body) = without_nul(im.msg) else {
        tracing::debug!("message without text skipped");
        return News::Nothing;
    };
    let remote = match im.msg_id.filter(|id| (1..=MAX_NAME).contains(&id.len())) {
        Some(id) => RemoteId::new(id),
        None => stamp.next(),
    };
    let time = im.timestamp;
    let message = message(remote, conversation, author, Kind::Text);
    News::Told(Event::Message(Message { author_name, body, time, ..message }))
}

/// A message without text.
pub(super) fn message(remote: RemoteId, conversation: Address, author: Handle, kind: Kind) -> Message {
    Message { remote, conversation, author, author_name: None, kind, body: String::new(), time: None, mark: None }
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

/// A name for people: one line that can be shown, and not endless.
fn name_of(text: Option<String>) -> Option<String> {
    let shown = |letter: char| if letter.is_control() { ' ' } else { letter };
    without_nul(text).map(|text| text.chars().take(MAX_ALIAS).map(shown).collect())
}

/// A text that may have lines, and is not endless.
fn text_of(text: Option<String>) -> Option<String> {
    without_nul(text).map(|mut text| {
        if let Some((end, _)) = text.char_indices().nth(MAX_TEXT) {
            text.truncate(end);
        }
        text
    })
}

/// No client takes a NUL.
fn without_nul(text: Option<String>) -> Option<String> {
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
