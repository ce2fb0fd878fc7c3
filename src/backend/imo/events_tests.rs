use super::*;
use serde_json::json;

fn news(system: &str, data: Value) -> News {
    let message =
        imo::Message { data, to: imo::System::named("client"), from: imo::System::named(system), seq: Some(7) };
    read(&message, &Handle::new("alice"), &mut Stamp::new("S", Some(7)))
}

fn im(name: &str, edata: Value) -> News {
    news("im", json!({"name": name, "proto": "prpl-skype", "uid": "alice", "edata": edata}))
}

fn message_of(news: News) -> Message {
    match news {
        News::Told(Event::Message(message)) => message,
        other => panic!("no message: {other:?}"),
    }
}

#[test]
fn messages_have_an_id_of_their_own_or_one_of_the_session() {
    let plain = message_of(im("recv_im", json!({"buid": "bob", "alias": "Bob B", "msg": "h\0i %s", "timestamp": 5})));
    assert_eq!(plain.remote.as_str(), "S/7");
    assert_eq!(plain.conversation, Address::User(Handle::new("bob")));
    assert_eq!(plain.author, Handle::new("bob"));
    assert_eq!(plain.author_name.as_deref(), Some("Bob B"));
    assert_eq!((plain.kind, plain.body.as_str(), plain.time), (Kind::Text, "hi %s", Some(5)));
    let named = message_of(im("recv_im", json!({"buid": "bob", "msg": "hi", "msg_id": "m9"})));
    assert_eq!((named.remote.as_str(), named.author_name, named.time), ("m9", None, None));
}

#[test]
fn a_reflected_message_is_ours() {
    let data = json!({"name": "reflect", "type": "conv", "proto": "PRPL-Skype",
        "edata": {"r_name": "send_im", "buid": "b b", "msg": "x"}});
    let message = message_of(news("im", data));
    assert_eq!(message.author, Handle::new("alice"));
    assert_eq!(message.conversation, Address::User(Handle::new("b_x20b")));
    assert_eq!(message.mark, None);
}

#[test]
fn only_our_own_messages_have_marks() {
    let reflected = |mark: serde_json::Value| {
        let edata = json!({"r_name": "send_im", "buid": "bob", "msg": "x", "client_msg_id": mark});
        message_of(news("im", json!({"name": "reflect", "type": "conv", "edata": edata}))).mark
    };
    assert_eq!(reflected(json!("a7")).as_deref(), Some("a7"));
    for other in [json!(""), json!("x".repeat(129)), json!(7), json!(null)] {
        assert_eq!(reflected(other.clone()), None, "{other}");
    }
    let received = message_of(im("recv_im", json!({"buid": "bob", "msg": "x", "client_msg_id": "a7"})));
    assert_eq!(received.mark, None);
}

#[test]
fn what_does_not_matter_is_skipped() {
    let skipped = [
        im("recv_im", json!({"buid": "ALICE", "msg": "echo"})),
        im("recv_im", json!({"buid": "g123;", "alias": "chat", "author": "g123;Alice;prpl-skype", "msg": "echo"})),
        im("recv_im", json!({"buid": ";", "author": "bob", "msg": "hi"})),
        im("recv_im", json!({"buid": "x".repeat(1025), "msg": "hi"})),
        im("recv_im", json!({"buid": "bob"})),
        im("recv_im", json!({"msg": "hi"})),
        im("recv_im", json!([5])),
        im("recv_im", json!(null)),
        im("buddy_request", json!({"msg": "who"})),
        im("im_typing", json!({"buid": "bob"})),
        im("im_typing", json!({"typing_state": "typing"})),
        im("im_typing", json!({"buid": "bob", "typing_state": "dancing %s"})),
        im("im_typing", json!({"buid": "bob", "typing_state": 1})),
        im("im_typing", json!({"buid": "Alice", "typing_state": "typing"})),
        im("im_typing", json!({"buid": "g123;", "author": "g123;bob;prpl-skype", "typing_state": "typing"})),
        im("im_typing", json!([7])),
        news("av", json!({"name": "streams_info", "type": "av", "edata": {}})),
        news("im", json!({"name": "reflect", "type": "account", "edata": {"r_name": "set_status"}})),
        news("im", json!({"name": "recv_im", "proto": "prpl-aim", "edata": {"buid": "b", "msg": "x"}})),
        news("mars", json!({"name": "recv_im", "edata": {"buid": "b", "msg": "x"}})),
        news("internal", json!({"response": {}})),
        news("preference", json!({"preferences": [{"kind": "impref", "pref": "auto_away", "value": false}]})),
        news("preference", json!({"preferences": {"kind": 5}})),
        news("im", json!(5)),
    ];
    for news in skipped {
        assert!(matches!(news, News::Nothing), "{news:?}");
    }
}

#[test]
fn contacts_are_told_from_group_chats() {
    let long = "x".repeat(300);
    let News::Added { contacts, items } = im(
        "buddy_added",
        json!([
            {"buid": "bob", "alias": "Bob B", "group": "Skype", "primitive": "Available", "status": "at work"},
            7,
            {"buid": "dave", "alias": 5, "group": "Offline", "primitive": "dancing"},
            {"buid": "g123;", "alias": "chat", "group": "Skype", "type": "group"},
            {"buid": "g123;bob;prpl-skype", "group": "g123"},
            {"buid": ""}, {"alias": "none"},
            {"buid": long, "primitive": "idle"}
        ]),
    ) else {
        panic!("not added")
    };
    let names: Vec<_> = contacts.iter().map(|contact| contact.handle.as_str()).collect();
    assert_eq!(names, ["bob", "dave", &long]);
    assert_eq!(items.len(), 2);
    assert_eq!((contacts[0].name.as_deref(), contacts[0].alias.as_deref()), (Some("Bob B"), None));
    assert_eq!(contacts[0].mood.as_deref(), Some("at work"));
    assert_eq!(contacts[0].agreed, Some(true));
    let presences: Vec<_> = contacts.iter().map(|contact| contact.presence).collect();
    assert_eq!(presences, [Some(Presence::Available), Some(Presence::Offline), Some(Presence::Away)]);

    let News::Changed { contacts, .. } = im("buddy_status", json!([{"buid": "bob", "status": "lunch"}])) else {
        panic!("not changed")
    };
    assert_eq!(contacts, [Contact { mood: Some("lunch".to_owned()), ..Contact::named(Handle::new("bob")) }]);
}

#[test]
fn typing_is_told_in_any_case_of_letters() {
    for (state, wanted) in [("typing", Typing::Typing), ("Typed", Typing::Typed), ("NOT_TYPING", Typing::Stopped)] {
        match im("im_typing", json!({"buid": "b b", "typing_state": state})) {
            News::Told(Event::Typing { user, typing }) => {
                assert_eq!((user.as_str(), typing), ("b_x20b", wanted));
            }
            other => panic!("not typing: {other:?}"),
        }
        assert_eq!(typing_state(wanted), state.to_lowercase());
    }
}

#[test]
fn removed_contacts_come_alone_or_in_a_list() {
    for edata in [json!({"buid": "bob"}), json!([{"buid": "bob"}, {"buid": "g123;carol;prpl-skype"}])] {
        let News::Removed { users: handles, .. } = im("buddy_removed", edata) else { panic!("not removed") };
        assert_eq!(handles, [Handle::new("bob")]);
    }
}

#[test]
fn the_session_is_told_apart() {
    assert!(
        matches!(im("signed_on", json!({"alias": "Alice A"})), News::SignedOn { display_name: Some(name) } if name == "Alice A")
    );
    assert!(matches!(im("signed_on", json!(null)), News::SignedOn { display_name: None }));
    assert!(
        matches!(im("disconnect", json!({"msg": "uidpassword"})), News::Disconnect { reason } if reason == "uidpassword")
    );
    assert!(matches!(im("expired", json!(null)), News::Over));
    assert!(matches!(news("reset", json!({"name": "reset"})), News::Over));
    assert!(matches!(
        news("internal", json!({"request_id": 0, "response": {"timestamp": 9}})),
        News::Delivered { request_id: 0, time: Some(9) }
    ));
    assert!(matches!(
        news("preference", json!({"preferences": [3, {"kind": "impref", "pref": "auto_away", "value": true}]})),
        News::AutoAway
    ));
}

#[test]
fn presences_map_both_ways() {
    for known in [Presence::Available, Presence::Away, Presence::Busy, Presence::Invisible, Presence::Offline] {
        assert_eq!(presence(&primitive(known).to_uppercase()), known);
    }
    assert_eq!(presence("idle"), Presence::Away);
    assert_eq!(presence("%s%n"), Presence::Offline);
}

#[test]
fn what_belongs_to_a_chat_is_told_by_its_name_its_type_or_its_group() {
    let of = |gid: &str, member: Option<&str>| (gid.to_owned(), member.map(Handle::new));
    let table = [
        (json!({"buid": "g1;"}), of("g1", None)),
        (json!({"buid": "g1;2;", "group": "Skype"}), of("g1;2", None)),
        (json!({"buid": "g1", "type": "group"}), of("g1", None)),
        (json!({"buid": "g1", "type": 7, "group": "Skype"}), of("g1", None)),
        (json!({"buid": "g1;b b;prpl-skype", "group": "g1"}), of("g1", Some("b_x20b"))),
        (json!({"buid": "g1;bob;PRPL-skype", "type": "group"}), of("g1", Some("bob"))),
        (json!({"buid": "bob", "group": "g1"}), of("g1", Some("bob"))),
    ];
    for name in ["buddy_added", "buddy_status", "buddy_removed"] {
        for (item, wanted) in table.clone() {
            let items = match im(name, json!([item])) {
                News::Added { contacts, items } | News::Changed { contacts, items } if contacts.is_empty() => items,
                News::Removed { users, items, .. } if users.is_empty() => items,
                other => panic!("a contact: {other:?}"),
            };
            assert_eq!(items.into_iter().map(|item| (item.gid, item.member)).collect::<Vec<_>>(), [wanted]);
        }
    }
    let endless = "x".repeat(1025);
    let odd = json!([
        {"buid": ";"}, {"buid": ";bob;prpl-skype"}, {"type": "group"}, {"buid": format!("{endless};")},
        {"buid": format!("g1;{endless};prpl-skype")}, {"buid": "bob", "group": endless}, {"buid": endless}, {"buid": 5}, 5, null
    ]);
    let News::Added { contacts, items } = im("buddy_added", odd) else { panic!("not added") };
    assert_eq!((contacts, items), (vec![], vec![]));
    let News::Added { items, .. } =
        im("buddy_added", json!({"buid": "g1;", "alias": "a\nb", "display": "%s\0%n", "inviter": "g1;bob;prpl-skype"}))
    else {
        panic!("not added")
    };
    let (alias, topic) = (Some("a b".to_owned()), Some("%s%n".to_owned()));
    assert_eq!(items, [Item { gid: "g1".to_owned(), member: None, alias, topic, inviter: Some(Handle::new("bob")) }]);
}

#[test]
fn who_has_removed_members_is_the_uid() {
    for (uid, wanted) in
        [(json!("carol"), "carol"), (json!("ALICE"), "alice"), (json!(5), "alice"), (json!(""), "alice")]
    {
        let data = json!({"name": "buddy_removed", "uid": uid, "edata": {"buid": "g1;bob;prpl-skype"}});
        let News::Removed { by, .. } = news("im", data) else { panic!("not removed") };
        assert_eq!(by, Handle::new(wanted));
    }
}

#[test]
fn messages_of_a_chat_have_its_gid_and_their_author() {
    let table = [
        (json!({"buid": "g1;", "alias": "chat", "author": "g1;bob;prpl-skype", "msg": "hi"}), "g1", "bob"),
        (json!({"buid": "g1;2;", "author": "bob", "msg": "hi"}), "g1;2", "bob"),
        (json!({"buid": "g1;bob;prpl-skype", "msg": "hi"}), "g1", "bob"),
        (json!({"buid": "g1;", "author": 7, "msg": "hi"}), "g1", "g1_x3b"),
        // Only of a chat the name that is said is the new topic.
        (json!({"buid": "g1;", "alias": "Hi", "author": "bob", "msg": "hi"}), "g1", "bob"),
    ];
    for (edata, gid, author) in table {
        let message = message_of(im("recv_im", edata));
        assert_eq!(message.conversation, Address::Conversation(ConversationId::new(gid)));
        assert_eq!((message.author.as_str(), message.author_name, message.kind), (author, None, Kind::Text));
    }
    let dialog = message_of(im("recv_im", json!({"buid": "bob", "alias": "hi", "msg": "hi"})));
    assert_eq!((dialog.kind, dialog.conversation), (Kind::Text, Address::User(Handle::new("bob"))));
    let data = json!({"name": "reflect", "type": "conv", "edata": {"r_name": "send_im", "buid": "g1;", "msg": "x"}});
    let own = message_of(news("im", data));
    assert_eq!((own.author.as_str(), own.conversation), ("alice", Address::Conversation(ConversationId::new("g1"))));
}

#[test]
fn a_chat_that_says_its_own_name_has_another_topic() {
    let told = |author: Value| {
        let edata = json!({"buid": "g1;", "alias": "Plans", "msg": "Plans", "author": author, "timestamp": 5});
        match im("recv_im", edata) {
            News::Topic { gid, topic, author, time } => {
                assert_eq!((gid.as_str(), topic.as_str(), time), ("g1", "Plans", Some(5)));
                author
            }
            other => panic!("no topic: {other:?}"),
        }
    };
    assert_eq!(told(json!("g1;bob;prpl-skype")), Some(Handle::new("bob")));
    assert_eq!(told(json!(null)), None);
}

#[test]
fn icons_are_told_of_users() {
    let News::Icons(icons) = im(
        "buddy_icon",
        json!([{"buid": "bob", "icon": "a1"}, {"buid": "b b"}, {"buid": "g1;", "icon": "x"}, {"icon": "x"}, {"buid": "eve", "icon": "x".repeat(1025)}, 7]),
    ) else {
        panic!("no icons")
    };
    let wanted = [(Handle::new("bob"), "a1".to_owned()), (Handle::new("b_x20b"), String::new())];
    assert_eq!(icons, wanted);
}

/// What is odd in a text, and what becomes of it in a name and in a text of several lines.
fn odd_texts() -> Vec<(String, String, String)> {
    let plain = ["%s%n%d", "müller \u{1f600}", "", " blanks ", "<b>&amp;", "ERROR 2"];
    let mut texts: Vec<_> = plain.iter().map(|text| [*text; 3].map(str::to_owned).into()).collect();
    let (name, text) = ("x".repeat(300), "y".repeat(65_536));
    texts.push([name.clone(), name.clone(), name].into());
    texts.push((text.clone(), "y".repeat(MAX_ALIAS), text));
    texts.push(("é".repeat(MAX_TEXT + 9), "é".repeat(MAX_ALIAS), "é".repeat(MAX_TEXT)));
    texts.push(["a\0b\u{1b}[2J\r\nc\u{85}d", "ab [2J  c d", "ab\u{1b}[2J\r\nc\u{85}d"].map(str::to_owned).into());
    texts
}

#[test]
fn texts_are_clean_wherever_they_stand() {
    for (odd, name, text) in odd_texts() {
        let News::Changed { contacts, .. } = im("buddy_status", json!({"buid": "bob", "alias": odd, "status": odd}))
        else {
            panic!("not changed")
        };
        assert_eq!((contacts[0].name.as_ref(), contacts[0].mood.as_ref()), (Some(&name), Some(&text)));
        let News::SignedOn { display_name } = im("signed_on", json!({"alias": odd})) else { panic!("not signed on") };
        assert_eq!(display_name.as_ref(), Some(&name));
        let News::Told(Event::AuthRequest { text: words, .. }) =
            im("buddy_request", json!({"buid": "eve", "msg": odd}))
        else {
            panic!("no request")
        };
        assert_eq!(words, text);
        let data = json!({"name": "reflect", "type": "account",
            "edata": {"r_name": "set_status", "primitive": odd, "status": odd}});
        let News::OwnPresence { mood, .. } = news("im", data) else { panic!("no presence") };
        assert_eq!(mood.as_ref(), Some(&text));
        let News::Topic { topic, .. } = im("recv_im", json!({"buid": "g1;", "alias": odd, "msg": odd})) else {
            panic!("no topic")
        };
        assert_eq!(topic, text);
        // What somebody says arrives as it is, but for the NUL that no client takes.
        let message = message_of(im("recv_im", json!({"buid": "bob", "alias": odd, "msg": odd, "msg_id": odd})));
        assert_eq!(message.body, odd.replace('\0', ""));
        assert_eq!(message.author_name.as_ref(), Some(&name));
    }
}

#[test]
fn a_name_of_any_kind_is_a_token_or_nobody() {
    for uid in ["%s%n", "a b", "a,b", "a\nb", "a\0b", "\u{1f600}", "ERROR", &"x".repeat(300), &"x".repeat(1024)] {
        let message = message_of(im("recv_im", json!({"buid": uid, "msg": "hi"})));
        let handle = message.author.as_str();
        assert!(!handle.contains([' ', ',', '\n', '\0', '%', ':', '/', ';']), "{handle}");
        assert_eq!(ImoNames::uid(&message.author), uid);
    }
}

#[test]
fn wrong_types_are_as_good_as_missing_in_every_event() {
    let names = [
        "signed_on",
        "disconnect",
        "expired",
        "buddy_added",
        "buddy_status",
        "buddy_removed",
        "buddy_request",
        "buddy_icon",
        "im_typing",
        "recv_im",
        "reflect",
        "streams_info",
        "answered",
        "ended",
        "dancing",
    ];
    let fields = [
        "buid",
        "alias",
        "group",
        "primitive",
        "status",
        "type",
        "display",
        "inviter",
        "msg",
        "icon",
        "author",
        "timestamp",
        "msg_id",
        "typing_state",
        "r_name",
        "is_initiator",
        "send_stream",
        "pipe",
        "page",
    ];
    let values = [
        json!(null),
        json!(true),
        json!(-1),
        json!(1.5),
        json!(u64::MAX),
        json!("x"),
        json!([]),
        json!([{}]),
        json!({"buid": {}}),
    ];
    for name in names {
        for value in &values {
            for field in fields {
                let mut edata = json!({"buid": "bob", "msg": "hi"});
                edata[field] = value.clone();
                for edata in [edata.clone(), json!([edata]), value.clone()] {
                    im(name, edata);
                }
            }
            for outer in ["name", "proto", "uid", "type", "edata", "request_id", "response", "preferences"] {
                let mut data = json!({"name": name, "edata": {"buid": "bob"}});
                data[outer] = value.clone();
                for system in ["im", "av", "internal", "preference", "reset"] {
                    news(system, data.clone());
                }
            }
        }
    }
}
