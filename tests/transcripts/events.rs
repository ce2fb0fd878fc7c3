//! Reading what the network tells: the words behind `<=`.

use imo2skype::backend::Address;
use imo2skype::backend::Call;
use imo2skype::backend::Contact;
use imo2skype::backend::Conversation;
use imo2skype::backend::ConversationMember;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Failure;
use imo2skype::backend::File;
use imo2skype::backend::Kind;
use imo2skype::backend::Lost;
use imo2skype::backend::Message;
use imo2skype::backend::Presence;
use imo2skype::backend::Receipt;
use imo2skype::backend::Sms;
use imo2skype::backend::StreamEvent;
use imo2skype::backend::Ticket;
use imo2skype::backend::Typing;
use imo2skype::backend::Voicemail;
use imo2skype::model::CallStatus;
use imo2skype::model::CallType;
use imo2skype::model::ConversationId;
use imo2skype::model::Details;
use imo2skype::model::FileTransferStatus;
use imo2skype::model::FileTransferType;
use imo2skype::model::Handle;
use imo2skype::model::MyStatus;
use imo2skype::model::Participant;
use imo2skype::model::Region;
use imo2skype::model::RemoteId;
use imo2skype::model::Role;
use imo2skype::model::Sex;
use imo2skype::model::SmsFailure;
use imo2skype::model::SmsStatus;
use imo2skype::model::SmsTarget;
use imo2skype::model::SmsTargetStatus;
use imo2skype::model::VideoStreamStatus;
use imo2skype::model::VoicemailFailure;
use imo2skype::model::VoicemailStatus;
use imo2skype::model::VoicemailType;

type Read<T> = Result<T, String>;

fn handle(text: &str) -> Handle {
    Handle::new(text)
}

fn handles(text: &str) -> Vec<Handle> {
    text.split(',').filter(|text| !text.is_empty()).map(handle).collect()
}

fn number<T: std::str::FromStr>(text: &str) -> Read<T> {
    text.parse().map_err(|_| format!("not a number: {text}"))
}

fn word<T>(found: Option<T>, text: &str) -> Read<T> {
    found.ok_or_else(|| format!("no such word: {text}"))
}

/// The `name=value` at the end of an event.
fn details<'a>(words: &'a [&'a str]) -> Read<Vec<(&'a str, &'a str)>> {
    words.iter().map(|word| word.split_once('=').ok_or_else(|| format!("not a detail: {word}"))).collect()
}

fn unknown<T>(detail: &str) -> Read<T> {
    Err(format!("no such detail: {detail}"))
}

pub(super) fn event(words: &[String], epoch: Epoch) -> Read<Event> {
    let words: Vec<_> = words.iter().map(String::as_str).collect();
    let ticket = |text: &str| number(&text[1..]).map(Ticket);
    let failed = |text: &str, failure| Ok(Event::Done { ticket: ticket(text)?, outcome: Err(failure) });
    let dialog = |id: &str, with: &str, author: &str, body: &str, time: Option<&str>| {
        message(id, Address::User(handle(with)), author, Kind::Text, body, time)
    };
    let lost = |reason| Ok(Event::Disconnected { epoch, reason });
    match words.as_slice() {
        ["Connected"] => {
            let display_name = Some("Alice Example".to_owned());
            Ok(Event::Connected { epoch, me: handle("alice"), display_name })
        }
        ["Lost", "ended"] => lost(Lost::Ended),
        ["Lost", "unreachable"] => lost(Lost::Unreachable { error: "gone".into() }),
        ["Lost", "refused", reason] => lost(Lost::Refused { reason: (*reason).to_owned() }),
        ["Contact", who, rest @ ..] => Ok(Event::Contacts { contacts: vec![contact(who, rest)?], complete: false }),
        ["Contacts", who @ ..] => {
            let agreed = |who: &&str| Contact { agreed: Some(true), ..Contact::named(handle(who)) };
            Ok(Event::Contacts { contacts: who.iter().map(agreed).collect(), complete: true })
        }
        ["ContactRemoved", who] => Ok(Event::ContactRemoved(handle(who))),
        ["AuthRequest", who, text] => Ok(Event::AuthRequest { user: handle(who), text: (*text).to_owned() }),
        ["Message", id, author, body] => dialog(id, author, author, body, None),
        ["Message", id, author, body, at] => dialog(id, author, author, body, Some(*at)),
        ["Reflected", id, to, body] => dialog(id, to, "alice", body, None),
        ["Said", conversation, id, author, rest @ ..] => said(conversation, id, author, rest),
        ["Conversation", id, rest @ ..] => conversation(id, rest),
        ["Edited", id, author, body, rest @ ..] => Ok(Event::Edited {
            message: RemoteId::new(*id),
            author: handle(author),
            body: (*body).to_owned(),
            time: rest.first().map(|time| number(time)).transpose()?,
        }),
        ["Seen", id] => Ok(Event::Seen(RemoteId::new(*id))),
        ["OwnPresence", word] => Ok(Event::OwnPresence { presence: presence(word)?, mood: None }),
        ["Done", which, rest @ ..] => Ok(Event::Done { ticket: ticket(which)?, outcome: Ok(receipt(rest)?) }),
        ["Failed", which, "refused"] => failed(which, Failure::Refused),
        ["Failed", which, "unknown-user"] => failed(which, Failure::UnknownUser),
        ["Failed", which, "not-connected"] => failed(which, Failure::NotConnected),
        ["Failed", which, "unclear"] => failed(which, Failure::Unclear),
        ["Typing", who, what] => {
            let typing = [("typing", Typing::Typing), ("typed", Typing::Typed), ("stopped", Typing::Stopped)];
            let typing = word(typing.into_iter().find(|(word, _)| word == what), what)?.1;
            Ok(Event::Typing { user: handle(who), typing })
        }
        ["Stream", application, stream, rest @ ..] => {
            let (user, stream) = stream.split_once(':').ok_or("not a stream")?;
            let event = match rest {
                ["opened"] => StreamEvent::Opened,
                ["closed"] => StreamEvent::Closed,
                ["received", text] => StreamEvent::Received((*text).to_owned()),
                ["datagram", text] => StreamEvent::Datagram((*text).to_owned()),
                other => return Err(format!("nothing that happens on a stream: {other:?}")),
            };
            let application = (*application).to_owned();
            Ok(Event::Stream { application, user: handle(user), number: number(stream)?, event })
        }
        ["Connectable", application, who @ ..] => {
            let users = who.iter().map(|who| handle(who)).collect();
            Ok(Event::Connectable { application: (*application).to_owned(), users })
        }
        ["Avatar", who, what] => {
            let picture = (*what == "picture").then(|| b"\xff\xd8\xffpicture".as_slice().into());
            Ok(Event::Avatar { user: handle(who), picture })
        }
        ["Call", id, who, kind, status, rest @ ..] => call(id, who, kind, status, rest),
        ["Voicemail", id, kind, who, status, rest @ ..] => voicemail(id, kind, who, status, rest),
        ["Sms", id, status, rest @ ..] => sms(id, status, rest),
        ["File", id, kind, who, status, rest @ ..] => file(id, kind, who, status, rest),
        other => Err(format!("no such event: {other:?}")),
    }
}

fn presence(text: &str) -> Read<Presence> {
    match text {
        "available" => Ok(Presence::Available),
        "away" => Ok(Presence::Away),
        "busy" => Ok(Presence::Busy),
        "invisible" => Ok(Presence::Invisible),
        "offline" => Ok(Presence::Offline),
        other => Err(format!("no such presence: {other}")),
    }
}

fn contact(who: &str, rest: &[&str]) -> Read<Contact> {
    let mut contact = Contact::named(handle(who));
    let mut more = Details::default();
    let region = |text: &str| {
        let (code, name) = text.split_once(':').ok_or("not a code and a name")?;
        Ok::<_, String>(Some(Region { code: code.to_owned(), name: name.to_owned() }))
    };
    for (name, value) in details(rest)? {
        match name {
            "presence" => contact.presence = Some(presence(value)?),
            "name" => contact.name = Some(value.to_owned()),
            "alias" => contact.alias = Some(value.to_owned()),
            "mood" => contact.mood = Some(value.to_owned()),
            "agreed" => contact.agreed = Some(value == "yes"),
            "blocked" => contact.blocked = Some(value == "yes"),
            "timezone" => more.timezone = Some(number(value)?),
            "language" => more.language = region(value)?,
            "country" => more.country = region(value)?,
            "birthday" => more.birthday = Some(number(value)?),
            "sex" => more.sex = Some(word(Sex::parse(value), value)?),
            "city" => value.clone_into(&mut more.city),
            "about" => value.clone_into(&mut more.about),
            other => return unknown(other),
        }
    }
    contact.details = (more != Details::default()).then(|| Box::new(more));
    Ok(contact)
}

fn message(id: &str, at: Address, author: &str, kind: Kind, body: &str, time: Option<&str>) -> Read<Event> {
    Ok(Event::Message(Message {
        remote: RemoteId::new(id),
        conversation: at,
        author: handle(author),
        author_name: None,
        kind,
        body: body.replace('⏎', "\n"),
        time: time.map(number).transpose()?,
        mark: None,
    }))
}

/// What was said or done in a conversation of several: a word for its kind, then what belongs to it.
fn said(conversation: &str, id: &str, author: &str, rest: &[&str]) -> Read<Event> {
    let (kind, body) = match rest {
        [text] if !text.chars().all(|char| char.is_ascii_uppercase()) => (Kind::Text, *text),
        ["EMOTE", text] => (Kind::Emote, *text),
        ["TOPIC", text] => (Kind::Topic, *text),
        ["GUIDELINES", text] => (Kind::Guidelines, *text),
        ["ADDED", users] => (Kind::Added(handles(users)), ""),
        ["LEFT"] => (Kind::Left, ""),
        ["KICKED", users] => (Kind::Kicked(handles(users)), ""),
        ["BANNED", users] => (Kind::Banned(handles(users)), ""),
        ["ROLE", user, role] => (Kind::Role(handle(user), word(Role::parse(role), role)?), ""),
        ["OPTIONS", bits] => (Kind::Options(number(bits)?), ""),
        ["PICTURE"] => (Kind::Picture, ""),
        ["APPLICANT"] => (Kind::Applicant, ""),
        ["CONTACTS", users] => (Kind::Contacts(handles(users)), ""),
        ["GAP"] => (Kind::Gap, ""),
        other => return Err(format!("nothing that is said: {other:?}")),
    };
    message(id, Address::Conversation(ConversationId::new(conversation)), author, kind, body, None)
}

fn conversation(id: &str, rest: &[&str]) -> Read<Event> {
    let mut conversation = Conversation::named(ConversationId::new(id));
    for (name, value) in details(rest)? {
        let text = || Some(value.to_owned());
        match name {
            "creator" => conversation.creator = Some(handle(value)),
            "created" => conversation.created = Some(number(value)?),
            "adder" => conversation.adder = Some(handle(value)),
            "members" => conversation.members = Some(value.split(',').map(member).collect::<Read<_>>()?),
            "status" => conversation.my_status = Some(word(MyStatus::parse(value), value)?),
            "topic" => conversation.topic = text(),
            "guidelines" => conversation.guidelines = text(),
            "description" => conversation.description = text(),
            "options" => conversation.options = Some(number(value)?),
            "hint" => conversation.password_hint = text(),
            "blob" => conversation.blob = text(),
            other => return unknown(other),
        }
    }
    Ok(Event::Conversation(conversation))
}

/// `bob`, `bob:MASTER`, `-bob` who does not take part yet.
fn member(text: &str) -> Read<ConversationMember> {
    let (text, active) = text.strip_prefix('-').map_or((text, true), |text| (text, false));
    let (who, role) = text.split_once(':').unwrap_or((text, "USER"));
    Ok(ConversationMember { handle: handle(who), role: word(Role::parse(role), role)?, active })
}

fn receipt(rest: &[&str]) -> Read<Receipt> {
    let mut receipt = Receipt::default();
    for detail in rest {
        match detail.split_once('=') {
            None => receipt.time = Some(number(detail)?),
            Some(("remote", id)) => receipt.remote = Some(RemoteId::new(id)),
            Some(("conversation", id)) => receipt.conversation = Some(ConversationId::new(id)),
            Some((other, _)) => return unknown(other),
        }
    }
    Ok(receipt)
}

fn call(id: &str, who: &str, kind: &str, status: &str, rest: &[&str]) -> Read<Event> {
    let (kind, status) = (word(CallType::parse(kind), kind)?, word(CallStatus::parse(status), status)?);
    let mut call = Call::named(RemoteId::new(id), handle(who), kind, status);
    for (name, value) in details(rest)? {
        match name {
            "failure" => call.failure = Some(number(value)?),
            "video_send" => call.video_send = Some(word(VideoStreamStatus::parse(value), value)?),
            "video_receive" => call.video_receive = Some(word(VideoStreamStatus::parse(value), value)?),
            "transfer" => call.transfer = Some(word(CallStatus::parse(value), value)?),
            "page" => call.page = Some(value.to_owned()),
            "transferred_by" => call.transferred_by = Some(handle(value)),
            "participants" => {
                let participant = |handle| Participant { handle, kind: call.kind, status: call.status };
                call.participants = Some(handles(value).into_iter().map(participant).collect());
            }
            other => return unknown(other),
        }
    }
    Ok(Event::Call(call))
}

fn voicemail(id: &str, kind: &str, who: &str, status: &str, rest: &[&str]) -> Read<Event> {
    let mut voicemail = Voicemail {
        id: RemoteId::new(id),
        kind: word(VoicemailType::parse(kind), kind)?,
        partner: handle(who),
        status: word(VoicemailStatus::parse(status), status)?,
        failure: None,
        time: None,
        duration: None,
    };
    for (name, value) in details(rest)? {
        match name {
            "failure" => voicemail.failure = Some(word(VoicemailFailure::parse(value), value)?),
            "duration" => {
                let (is, may) = value.split_once('/').ok_or("not two durations")?;
                voicemail.duration = Some((number(is)?, number(may)?));
            }
            other => return unknown(other),
        }
    }
    Ok(Event::Voicemail(voicemail))
}

fn sms(id: &str, status: &str, rest: &[&str]) -> Read<Event> {
    let mut sms = Sms {
        id: RemoteId::new(id),
        status: word(SmsStatus::parse(status), status)?,
        failure: None,
        time: None,
        arrived: None,
        targets: None,
        price: None,
    };
    let (mut from, mut body) = (None, String::new());
    for (name, value) in details(rest)? {
        match name {
            "failure" => sms.failure = Some(word(SmsFailure::parse(value), value)?),
            "price" => sms.price = Some(number(value)?),
            "from" => from = Some(value.to_owned()),
            "body" => value.clone_into(&mut body),
            "targets" => {
                let target = |text: &str| {
                    let (number, status) = text.split_once('=').ok_or("not a target")?;
                    let status = word(SmsTargetStatus::parse(status), status)?;
                    Ok::<_, String>(SmsTarget { number: number.to_owned(), status })
                };
                sms.targets = Some(value.split(',').map(target).collect::<Read<_>>()?);
            }
            other => return unknown(other),
        }
    }
    sms.arrived = from.map(|from| (from, body));
    Ok(Event::Sms(sms))
}

fn file(id: &str, kind: &str, who: &str, status: &str, rest: &[&str]) -> Read<Event> {
    let mut file = File {
        id: RemoteId::new(id),
        kind: word(FileTransferType::parse(kind), kind)?,
        partner: handle(who),
        status: word(FileTransferStatus::parse(status), status)?,
        failure: None,
        name: String::new(),
        path: None,
        size: 0,
        transferred: None,
        speed: None,
    };
    for (name, value) in details(rest)? {
        match name {
            "name" => value.clone_into(&mut file.name),
            "path" => file.path = Some(value.to_owned()),
            "size" => file.size = number(value)?,
            "transferred" => file.transferred = Some(number(value)?),
            "speed" => file.speed = Some(number(value)?),
            other => return unknown(other),
        }
    }
    Ok(Event::File(file))
}
