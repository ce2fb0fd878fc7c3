use super::*;
use serde_json::json;

fn news(system: &str, data: Value) -> News {
    let message =
        imo::Message { data, to: imo::System::named("client"), from: imo::System::named(system), seq: Some(7) };
    read(&message, &Handle::new("alice"), "S")
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
}

#[test]
fn what_does_not_matter_is_skipped() {
    let skipped = [
        im("recv_im", json!({"buid": "ALICE", "msg": "echo"})),
        im("recv_im", json!({"buid": "g123;", "alias": "chat", "author": "g123;bob;prpl-skype", "msg": "hi"})),
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
        im("buddy_icon", json!([{"buid": "bob", "icon": "a"}])),
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
fn contacts_are_read_without_group_chats() {
    let long = "x".repeat(300);
    let News::Added(contacts) = im(
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
    assert_eq!((contacts[0].name.as_deref(), contacts[0].alias.as_deref()), (Some("Bob B"), None));
    assert_eq!(contacts[0].mood.as_deref(), Some("at work"));
    assert_eq!(contacts[0].agreed, Some(true));
    let presences: Vec<_> = contacts.iter().map(|contact| contact.presence).collect();
    assert_eq!(presences, [Some(Presence::Available), Some(Presence::Offline), Some(Presence::Away)]);

    let News::Changed(contacts) = im("buddy_status", json!([{"buid": "bob", "status": "lunch"}])) else {
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
        let News::Removed(handles) = im("buddy_removed", edata) else { panic!("not removed") };
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
