//! Whatever a client sends, at every protocol version: one reply, with its id, and nothing changes on ERROR.

use std::sync::Arc;
use std::time::Duration;

use imo2skype::backend::Ability;
use imo2skype::backend::Address;
use imo2skype::backend::Capabilities;
use imo2skype::backend::Contact;
use imo2skype::backend::Epoch;
use imo2skype::backend::Event;
use imo2skype::backend::Kind;
use imo2skype::backend::Message;
use imo2skype::backend::Names;
use imo2skype::model::Handle;
use imo2skype::model::RemoteId;
use imo2skype::translate::Attachment;
use imo2skype::translate::ClientId;
use imo2skype::translate::Engine;
use imo2skype::translate::Now;
use imo2skype::translate::Output;
use imo2skype::translate::Setup;
use imo2skype::translate::Token;
use proptest::prelude::*;

struct AnyName;

impl Names for AnyName {
    fn parse(&self, typed: &str) -> Option<Handle> {
        typed.bytes().all(|byte| byte.is_ascii_alphanumeric()).then(|| Handle::new(typed))
    }
}

const CLIENT: ClientId = ClientId(1);
const NOW: Now = Now { monotonic: Duration::from_secs(60), unix: 1_357_987_847 };

/// Online, with a contact and a message that was not seen.
fn engine() -> Engine {
    let mut engine = Engine::new(Setup {
        username: "alice".to_owned(),
        capabilities: Capabilities::messages_only(65_536).with(Ability::ALL),
        names: Arc::new(AnyName),
        local_time: false,
        files: None,
        seed: 1,
    });
    let mut out = Vec::new();
    engine.attach(CLIENT, Attachment::Direct, &mut out);
    engine.login(NOW, &mut out);
    let bob = Handle::new("bob");
    let events = [
        Event::Contacts { contacts: vec![Contact::named(bob.clone())], complete: true },
        Event::Connected { epoch: Epoch(1), me: Handle::new("alice"), display_name: None },
        Event::Message(Message {
            remote: RemoteId::new("r1"),
            conversation: Address::User(bob.clone()),
            author: bob,
            author_name: None,
            kind: Kind::Text,
            body: "two\nlines".to_owned(),
            time: None,
        }),
    ];
    for event in events {
        engine.backend_event(event, NOW, &mut out);
    }
    engine
}

fn send(engine: &mut Engine, line: &str) -> Vec<Output> {
    let mut out = Vec::new();
    engine.client_line(CLIENT, Token(7), line, NOW, &mut out);
    out
}

fn reply(outputs: &[Output]) -> (&str, usize) {
    let replies: Vec<_> = outputs
        .iter()
        .filter_map(|output| match output {
            Output::Reply { line, start, .. } => Some((line.as_str(), *start)),
            _ => None,
        })
        .collect();
    assert_eq!(replies.len(), 1, "{outputs:?}");
    assert!(matches!(outputs[0], Output::Reply { .. }), "the reply comes first: {outputs:?}");
    replies[0]
}

fn line() -> impl Strategy<Value = String> {
    let word = prop::sample::select(vec![
        "GET",
        "set",
        "SEARCH",
        "MESSAGE",
        "CHATMESSAGE",
        "CHAT",
        "ALTER",
        "CREATE",
        "DELETE",
        "CALL",
        "OPEN",
        "PING",
        "NAME",
        "USER",
        "PROFILE",
        "CHATMEMBER",
        "Bob",
        "alice",
        "zoe",
        "100002",
        "100003",
        "7",
        "BODY",
        "STATUS",
        "TYPE",
        "USERS",
        "SEEN",
        "USERSTATUS",
        "OFFLINE",
        "AWAY",
        "ONLINE",
        "BUDDYSTATUS",
        "1",
        "2",
        "FRIENDS",
        "MISSEDMESSAGES",
        "CHATS",
        "MESSAGES",
        "FULLNAME",
        "onlinestatus",
        "ISAUTHORIZED",
        "TRUE",
        "MOOD_TEXT",
        "hello",
        "",
        "\n",
        "PRIVILEGE",
        "SKYPEOUT",
        "CONNSTATUS",
        "MEMBERS",
        "IDENTITY",
    ]);
    let id = prop::option::of("#[!-~]{1,5} ");
    (id, prop::collection::vec(word, 0..6), ".{0,5}")
        .prop_map(|(id, words, rest)| format!("{}{}{rest}", id.unwrap_or_default(), words.join(" ")))
}

proptest! {
    #[test]
    fn one_reply_with_its_id(protocol in 1..=8u8, lines in prop::collection::vec(line(), 1..12)) {
        let mut engine = engine();
        send(&mut engine, &format!("PROTOCOL {protocol}"));
        for line in &lines {
            let outputs = send(&mut engine, line);
            let (reply, start) = reply(&outputs);
            let trimmed = line.trim_start_matches(' ');
            let id = trimmed.split(' ').next().filter(|word| word.starts_with('#') && word.len() > 1);
            match id.filter(|id| !id[1..].contains(char::is_whitespace)) {
                Some(id) => prop_assert_eq!(&reply[..start], format!("{} ", id)),
                None => prop_assert_eq!(start, 0),
            }
            if reply[start..].starts_with("ERROR ") {
                prop_assert_eq!(outputs.len(), 1, "{:?} was refused and yet did something: {:?}", line, outputs);
            }
        }
    }

    #[test]
    fn the_head_comes_back_in_the_letters_it_was_typed(
        handle in "[A-Za-z]{1,8}",
        property in prop::sample::select(vec!["FULLNAME", "fullName", "OnlineStatus", "MOOD_TEXT"]),
    ) {
        let mut engine = engine();
        let outputs = send(&mut engine, &format!("GET USER {handle} {property}"));
        let expected = format!("USER {handle} {property} ");
        prop_assert!(reply(&outputs).0.starts_with(&expected));
    }
}
