use super::*;
use proptest::prelude::*;
use serde_json::Value;
use serde_json::json;

use crate::backend::Mark;
use crate::backend::Task;
use crate::backend::Typing;
use crate::backend::imo::answers::MAX_UNDELIVERED;
use crate::backend::imo::texts::Rest;

const EPOCH: Epoch = Epoch(3);

fn session() -> Session {
    Session::new("S".to_owned(), "alice", Handle::new("alice"), Version::One)
}

fn answer(data: Value) -> imo::Answer {
    imo::Answer { method: imo::FORWARD_TO_CLIENT.to_owned(), data }
}

fn down(seq: u64, name: &str, edata: Value) -> Value {
    json!({"to": {"system": "client"}, "from": {"system": "im"}, "seq": seq,
        "data": {"name": name, "proto": "prpl-skype", "edata": edata}})
}

fn take(session: &mut Session) -> Vec<Step> {
    let mut all = Vec::new();
    while let Some(steps) = session.step(EPOCH, &mut Chats::default()) {
        all.extend(steps);
        session.handled();
    }
    all
}

fn online() -> Session {
    let mut session = session();
    session.polled(answer(json!({"messages": [down(0, "signed_on", json!({}))]})));
    assert!(matches!(take(&mut session)[..], [Step::Deliver(Event::Connected { epoch: EPOCH, .. })]));
    session
}

/// Ends a session of which nothing goes on in the next.
fn close(session: Session, chats: &mut Chats) -> Vec<Event> {
    let Rest { events, texts } = session.close(chats);
    assert_eq!(texts, []);
    events
}

fn send(session: &mut Session, ticket: u64) -> u64 {
    send_marked(session, ticket, Mark::new(ticket.to_string()))
}

fn send_marked(session: &mut Session, ticket: u64, mark: Mark) -> u64 {
    session.send(Ticket(ticket), Address::User(Handle::new("bob")), "bob", "hi".to_owned(), mark);
    session.request().and_then(|envelope| envelope.messages[0].seq).expect("a request")
}

#[test]
fn answers_are_judged_by_their_ack() {
    // The answer to the request with seq 0; accepted, over.
    let over = json!({"from": {"system": "reset"}, "seq": 0});
    let table = [
        (json!({"ack": 1, "messages": []}), true, false),
        (json!({"ack": 2}), true, false),
        (json!({"ack": 0, "messages": []}), false, true),
        (json!({"messages": []}), false, false),
        (json!({"ack": "one"}), false, false),
        (json!({"ack": 0, "messages": [7]}), true, false),
        (json!({"ack": 1, "messages": [over]}), true, false),
        (json!({"ack": 0, "messages": [over]}), false, true),
        (json!({"messages": [over]}), false, false),
    ];
    for (data, accepted, ended) in table {
        let mut session = session();
        session.ask(session.caller().get_unread_msgs(), Purpose::Plain);
        let settled = session.settle(answer(data.clone()), &mut Chats::default());
        assert_eq!((settled.accepted, session.ended().is_some()), (accepted, ended), "{data}");
    }
    let mut session = session();
    session.ask(session.caller().get_unread_msgs(), Purpose::Plain);
    assert!(session.settle(imo::Answer::default(), &mut Chats::default()).accepted, "another outer method");
}

/// The name of a call, for one, is told before what the server says of that call.
#[test]
fn while_it_is_told_what_came_of_a_request_nothing_else_is() {
    let mut session = online();
    let over = json!({"from": {"system": "reset"}, "to": {"system": "client"}, "seq": 1});
    session.polled(answer(json!({"messages": [over]})));
    session.set_settling(true);
    assert!(take(&mut session).is_empty() && session.ended().is_none());
    session.set_settling(false);
    take(&mut session);
    session.set_settling(true);
    assert!(session.ended().is_none());
    session.set_settling(false);
    assert_eq!(session.ended(), Some(End::Over));
}

#[test]
fn a_request_keeps_its_number_and_takes_the_newest_ack() {
    let mut session = online();
    assert_eq!(send(&mut session, 1), 0);
    session.polled(answer(json!({"messages": [down(1, "x", json!({}))]})));
    take(&mut session);
    let again = session.request().expect("a request");
    assert_eq!((again.ack, again.messages[0].seq), (Some(2), Some(0)));
    session.settle(answer(json!({"ack": 1})), &mut Chats::default());
    assert!(session.request().is_none());
    assert_eq!(send(&mut session, 2), 1);
}

#[test]
fn the_end_of_a_session_settles_every_message_once() {
    let mut session = online();
    send(&mut session, 1);
    session.settle(answer(json!({"ack": 1})), &mut Chats::default());
    send(&mut session, 2);
    let outcomes = outcomes(close(session, &mut Chats::default()));
    assert_eq!(outcomes, [(1, Ok(Receipt::default())), (2, Err(Failure::Unclear))]);
}

#[test]
fn a_message_the_server_has_not_taken_is_handed_back() {
    let mut session = online();
    send(&mut session, 1);
    let settled = session.settle(answer(json!({"ack": 0})), &mut Chats::default());
    let task = Task::SendText { to: Address::User(Handle::new("bob")), body: "hi".to_owned(), mark: Mark::new("1") };
    let wanted = Action::Task { ticket: Ticket(1), task };
    assert!(matches!(&settled.steps[..], [Step::Requeue(action)] if *action == wanted));
    assert!(close(session, &mut Chats::default()).is_empty());

    // Posted twice, the first copy may have arrived.
    let mut session = online();
    send(&mut session, 1);
    session.request();
    assert!(session.settle(answer(json!({"ack": 0})), &mut Chats::default()).steps.is_empty());
    assert_eq!(close(session, &mut Chats::default()).len(), 1);
}

#[test]
fn a_server_that_knows_marks_is_sent_again_what_may_have_arrived() {
    let again = |ticket: u64, id: &str, repeated| {
        let mark = Mark { id: id.to_owned(), repeated };
        let task = Task::SendText { to: Address::User(Handle::new("bob")), body: "hi".to_owned(), mark };
        Action::Task { ticket: Ticket(ticket), task }
    };
    let mut session = online().knowing_marks(true);
    let seq = send(&mut session, 1);
    session.settle(answer(json!({"ack": seq + 1})), &mut Chats::default());
    // There is at most one without an answer; whatever brought about two, they would keep their order.
    send(&mut session, 3);
    send(&mut session, 2);
    let Rest { events, texts } = session.close(&mut Chats::default());
    assert_eq!(outcomes(events), [(1, Ok(Receipt::default()))]);
    assert_eq!(texts, [again(3, "3", true), again(2, "2", true)]);

    // Posted twice, which the server does not take for one request any more.
    let mut session = online().knowing_marks(true);
    send(&mut session, 1);
    session.request();
    assert!(session.settle(answer(json!({"ack": 0})), &mut Chats::default()).steps.is_empty());
    assert_eq!(session.close(&mut Chats::default()).texts, [again(1, "1", true)]);

    // What it has certainly not taken was never sent.
    let mut session = online().knowing_marks(true);
    send(&mut session, 1);
    let steps = session.settle(answer(json!({"ack": 0})), &mut Chats::default()).steps;
    assert!(matches!(&steps[..], [Step::Requeue(action)] if *action == again(1, "1", false)));
}

#[test]
fn what_may_have_arrived_is_sent_only_where_that_makes_no_second() {
    let long = "x".repeat(imo::CLIENT_MSG_ID_LIMIT);
    // The server knows marks, mark, repeated, may be sent, may be sent again
    let table = [
        (true, "1", true, true, true),
        (true, "1", false, true, true),
        (true, &long, true, true, true),
        (true, &format!("{long}x"), true, false, false),
        (true, "", true, false, false),
        (true, "", false, true, false),
        (false, "1", true, false, false),
        (false, "1", false, true, false),
    ];
    for (knows_marks, id, repeated, may, again) in table {
        let mut session = online().knowing_marks(knows_marks);
        let mark = Mark { id: id.to_owned(), repeated };
        assert_eq!(session.may_send(&mark), may, "{knows_marks} {id} {repeated}");
        send_marked(&mut session, 1, mark);
        assert_eq!(session.close(&mut Chats::default()).texts.len(), usize::from(again), "{knows_marks} {id}");
    }
}

#[test]
fn typing_is_not_told_again_after_a_loss() {
    let mut session = online();
    session.ask(session.caller().im_typing("bob", Typing::Typing), Purpose::Typing);
    let method = |session: &mut Session| {
        let envelope = session.request().expect("a request");
        (envelope.messages[0].data["method"].as_str().expect("a method").to_owned(), envelope.messages[0].seq)
    };
    assert_eq!(method(&mut session), ("im_typing".to_owned(), Some(0)));
    session.suspend();
    assert_eq!(method(&mut session), ("observed_user_activity".to_owned(), Some(0)));
    assert!(session.settle(answer(json!({"ack": 1})), &mut Chats::default()).accepted);

    // What somebody waits for is.
    session.ask(session.caller().block("bob", false), Purpose::Task(Ticket(1)));
    session.suspend();
    assert_eq!(method(&mut session), ("block_buddy".to_owned(), Some(1)));
}

#[test]
fn who_asks_waits_until_there_is_an_answer() {
    let eve = Handle::new("Eve");
    let asked = |session: &mut Session, seq| {
        session.polled(answer(json!({"messages": [down(seq, "buddy_request", json!({"buid": "eve"}))]})));
        assert!(matches!(take(session)[..], [Step::Deliver(Event::AuthRequest { .. })]));
    };
    let mut session = online();
    assert!(!session.take_asker(&eve));
    asked(&mut session, 1);
    assert!(session.take_asker(&eve));
    assert!(!session.take_asker(&eve));

    // Another login may have answered.
    for (seq, name) in [(2, "buddy_added"), (4, "buddy_removed")] {
        asked(&mut session, seq);
        session.polled(answer(json!({"messages": [down(seq + 1, name, json!([{"buid": "eve"}]))]})));
        take(&mut session);
        assert!(!session.take_asker(&eve), "{name}");
    }
}

#[test]
fn a_login_has_arrived_when_it_is_told_and_is_online_when_that_was_done() {
    let mut session = session();
    session.polled(answer(json!({"messages": [down(0, "signed_on", json!({}))]})));
    assert!(!session.has_arrived());
    session.step(EPOCH, &mut Chats::default()).expect("the success");
    assert_eq!((session.has_arrived(), session.is_online()), (true, false));
    session.handled();
    assert_eq!((session.has_arrived(), session.is_online()), (true, true));
    session.suspend();
    assert_eq!((session.has_arrived(), session.is_online()), (false, false));
}

#[test]
fn messages_without_acknowledgement_do_not_pile_up() {
    let mut session = online();
    for ticket in 0..=MAX_UNDELIVERED as u64 {
        let seq = send(&mut session, ticket);
        let steps = session.settle(answer(json!({"ack": seq + 1})), &mut Chats::default()).steps;
        assert_eq!(steps.len(), usize::from(ticket == MAX_UNDELIVERED as u64));
    }
    assert_eq!(close(session, &mut Chats::default()).len(), MAX_UNDELIVERED);
}

#[test]
fn only_the_first_list_is_complete() {
    let mut session = online();
    let bob = json!([{"buid": "bob", "primitive": "away"}]);
    let lists = json!([down(1, "buddy_added", json!([])), down(2, "buddy_added", bob)]);
    session.polled(answer(json!({"messages": lists})));
    let complete: Vec<_> = take(&mut session)
        .into_iter()
        .map(|step| match step {
            Step::Deliver(Event::Contacts { complete, contacts }) => (complete, contacts.len()),
            other => panic!("no contacts: {other:?}"),
        })
        .collect();
    assert_eq!(complete, [(true, 0), (false, 1)]);
    assert_eq!(session.group_of(&Handle::new("BOB")), "Skype");
    session
        .polled(answer(json!({"messages": [down(3, "buddy_status", json!({"buid": "bob", "primitive": "offline"}))]})));
    take(&mut session);
    assert_eq!(session.group_of(&Handle::new("bob")), "Offline");
}

#[test]
fn a_resumed_session_says_so_before_anything_else() {
    let mut session = online();
    session.suspend();
    session.polled(answer(json!({"messages": [down(1, "recv_im", json!({"buid": "bob", "msg": "hi"}))]})));
    assert!(take(&mut session).is_empty());
    assert!(!session.is_online());
    session.resume();
    assert!(matches!(
        take(&mut session)[..],
        [Step::Deliver(Event::Connected { .. }), Step::Deliver(Event::Message(_))]
    ));
}

#[test]
fn who_is_there_is_told_again_when_a_session_is_resumed() {
    let mut session = online();
    let buddies =
        json!([{"buid": "bob", "primitive": "away"}, {"buid": "carol", "primitive": "offline"}, {"buid": "dave"}]);
    session.polled(answer(json!({"messages": [down(1, "buddy_added", buddies)]})));
    take(&mut session);
    session.suspend();
    session.resume();
    match &take(&mut session)[..] {
        [Step::Deliver(Event::Contacts { contacts, complete: false }), Step::Deliver(Event::Connected { .. })] => {
            assert_eq!(*contacts, [Contact { presence: Some(Presence::Away), ..Contact::named(Handle::new("bob")) }]);
        }
        other => panic!("not bob and the login: {other:?}"),
    }
}

#[test]
fn a_disconnect_is_a_refusal_only_before_the_login_or_for_the_password() {
    let refused = |end| matches!(end, Some(End::Refused(_)));
    for (reason, early, late) in [("uidpassword", true, true), ("gone", true, false), ("", true, false)] {
        for (mut session, wanted) in [(session(), early), (online(), late)] {
            session.polled(answer(json!({"messages": [down(1, "disconnect", json!({"msg": reason}))]})));
            take(&mut session);
            assert_eq!(refused(session.ended()), wanted, "{reason}");
            assert!(session.ended().is_some());
        }
    }
}

/// The one outcome among events, by its ticket.
fn outcomes(events: Vec<Event>) -> Vec<(u64, Result<Receipt, Failure>)> {
    let outcome = |event| match event {
        Event::Done { ticket, outcome } => (ticket.0, outcome),
        other => panic!("no outcome: {other:?}"),
    };
    events.into_iter().map(outcome).collect()
}

#[test]
fn an_expiry_counts_only_as_the_last_of_a_batch() {
    let said = |seq| down(seq, "recv_im", json!({"buid": "bob", "msg": "hi"}));
    let expired = |seq| down(seq, "expired", json!(null));
    let table = [
        (json!([expired(1)]), true),
        (json!([said(1), expired(2)]), true),
        (json!([expired(2), said(1)]), true),
        (json!([expired(1), said(2)]), false),
        (json!([expired(1), expired(2)]), true),
    ];
    for (messages, over) in table {
        let mut session = online();
        session.polled(answer(json!({"messages": messages})));
        let handled = take(&mut session).len();
        assert_eq!(
            (session.ended().is_some(), handled),
            (over, messages.to_string().matches("recv_im").count()),
            "{messages}"
        );
        // In the answer to a request it does not put that in doubt, unless it counts.
        let mut session = online();
        session.ask(session.caller().get_unread_msgs(), Purpose::Plain);
        let settled = session.settle(answer(json!({"messages": messages})), &mut Chats::default());
        assert_eq!(settled.accepted, !over, "{messages}");
    }
}

#[test]
fn a_server_that_has_forgotten_the_session_says_so_under_any_number() {
    let reset = json!({"to": {"system": "client"}, "from": {"system": "reset"}, "seq": 0, "data": {"name": "reset"}});
    for end in [down(0, "expired", json!(null)), reset] {
        let mut session = online();
        let said = |seq| down(seq, "recv_im", json!({"buid": "bob", "msg": "hi"}));
        session.polled(answer(json!({"messages": [said(1), said(2)]})));
        assert_eq!(take(&mut session).len(), 2);
        session.polled(answer(json!({"messages": [said(1)]})));
        assert!(session.ended().is_none(), "a repeat");
        session.polled(answer(json!({"messages": [end]})));
        assert_eq!((session.ended(), take(&mut session).len()), (Some(End::Over), 0), "{end}");
    }
}

#[test]
fn what_certainly_was_not_sent_is_handed_back_whatever_happens() {
    let mut session = online();
    send(&mut session, 1);
    session.not_posted();
    session.request();
    let settled = session.settle(answer(json!({"ack": 0})), &mut Chats::default());
    assert!(matches!(settled.steps[..], [Step::Requeue(_)]));

    // The session may also end before it can be posted once more.
    for knows_marks in [false, true] {
        let mut session = online().knowing_marks(knows_marks);
        send(&mut session, 1);
        session.not_posted();
        let Rest { events, texts } = session.close(&mut Chats::default());
        assert!(events.is_empty());
        let [Action::Task { ticket: Ticket(1), task: Task::SendText { mark, .. } }] = &texts[..] else {
            panic!("{texts:?}")
        };
        assert_eq!(*mark, Mark::new("1"));
    }
}

#[test]
fn another_answer_may_tell_that_a_message_has_arrived() {
    for (ack, wanted) in [(0, Err(Failure::Unclear)), (1, Ok(Receipt::default()))] {
        let mut session = online();
        send(&mut session, 1);
        // The answer to a poll, while the answer to the message is lost.
        session.polled(answer(json!({"ack": ack, "messages": [down(1, "x", json!({}))]})));
        take(&mut session);
        assert_eq!(outcomes(close(session, &mut Chats::default())), [(1, wanted)]);
    }
}

#[test]
fn the_older_version_has_no_numbers_for_messages_and_no_acknowledgements() {
    let mut session = Session::new("S".to_owned(), "alice", Handle::new("alice"), Version::Zero);
    session.send(Ticket(1), Address::User(Handle::new("bob")), "bob", "hi".to_owned(), Mark::new("1"));
    let request = session.request().expect("a request");
    let data =
        json!({"ssid": "S", "uid": "alice", "proto": "prpl-skype", "buid": "bob", "msg": "hi", "client_msg_id": "1"});
    assert_eq!(request.messages[0].data, json!({"method": "send_im", "data": data}));
    let steps = session.settle(answer(json!({"ack": 1})), &mut Chats::default()).steps;
    let [Step::Deliver(Event::Done { ticket: Ticket(1), outcome: Ok(_) })] = &steps[..] else { panic!("{steps:?}") };
    assert!(close(session, &mut Chats::default()).is_empty());
}

#[test]
fn sessions_are_opened_in_the_words_of_their_version() {
    let caller = Caller { ssid: "XBxj", uid: "alice" };
    assert_eq!(
        opening(caller, Version::Zero),
        json!({"ack": 0, "ssid": 0, "messages": [{"data": {"method": "get_ssid", "data": {"ssid": "XBxj"}},
            "to": {"system": "ssid"}, "from": {"system": "client", "ssid": 0}, "seq": 0}]})
    );
    assert_eq!(
        opening(caller, Version::One),
        json!({"ack": 0, "ssid": "XBxj", "messages": [{"data": {"method": "get_cookie_and_ssid",
                "data": {"ssid": "XBxj", "kind": "reui", "version": "1336611734.48"}},
            "to": {"system": "session"}, "from": {"system": "client", "ssid": "XBxj"}, "seq": 0}]})
    );
}

#[test]
fn a_call_is_not_begun_again_after_a_loss() {
    let mut session = online();
    assert!(session.place_call(Ticket(1), Handle::new("bob")).is_empty());
    session.request();
    assert_eq!(outcomes(session.suspend()), [(1, Err(Failure::Unclear))]);
    let again = session.request().expect("its number has to be used");
    assert_eq!(again.messages[0].data["method"], "observed_user_activity");
    assert!(session.settle(answer(json!({"ack": 1})), &mut Chats::default()).steps.is_empty());
    // It may have begun: over there it ends, too.
    assert!(session.has_errands(&Chats::default()));
    session.run_errand(&mut Chats::default());
    let end = session.request().expect("a request");
    assert_eq!(
        (&end.messages[0].data["method"], &end.messages[0].to.system),
        (&json!("end_audio_chat"), &"av".to_owned())
    );
    assert!(!session.has_errands(&Chats::default()));
}

#[test]
fn a_chat_under_way_goes_on_in_the_next_session() {
    let mut chats = Chats::default();
    let mut session = online();
    let name = chats.found(Ticket(1), vec![Handle::new("bob")], 5);
    session.found(&name);
    session.request();
    assert!(close(session, &mut chats).is_empty());
    let mut session = online();
    assert!(!session.has_errands(&chats), "what is there is not known yet");
    session.polled(answer(json!({"messages": [down(1, "buddy_added", json!([]))]})));
    while session.step(EPOCH, &mut chats).is_some() {
        session.handled();
    }
    assert!(session.has_errands(&chats));
    assert_eq!(session.run_errand(&mut chats), Some(name));
    let request = session.request().expect("a request");
    assert_eq!(
        (&request.messages[0].data["method"], &request.messages[0].data["data"]["name"]),
        (&json!("create_shared_group"), &json!("5"))
    );
}

#[test]
fn a_topic_is_a_message_if_its_author_is_known_and_not_ourselves() {
    let mut chats = Chats::default();
    let mut session = online();
    session.polled(answer(json!({"messages": [down(1, "buddy_added", json!([{"buid": "g1;"}]))]})));
    let mut told = |chats: &mut Chats, seq: u64, author: Value| {
        let edata = json!({"buid": "g1;", "alias": "Plans", "msg": "Plans", "author": author, "timestamp": 5});
        session.polled(answer(json!({"messages": [down(seq, "recv_im", edata)]})));
        let mut steps = Vec::new();
        while let Some(more) = session.step(EPOCH, chats) {
            steps.extend(more);
            session.handled();
        }
        steps.pop()
    };
    match told(&mut chats, 2, json!("g1;bob;prpl-skype")) {
        Some(Step::Deliver(Event::Message(message))) => {
            assert_eq!((message.kind, message.body.as_str(), message.time), (Kind::Topic, "Plans", Some(5)));
            assert_eq!((message.author.as_str(), message.remote.as_str()), ("bob", "S/2"));
        }
        other => panic!("no message: {other:?}"),
    }
    match told(&mut chats, 3, json!(null)) {
        Some(Step::Deliver(Event::Conversation(told))) => assert_eq!(told.topic.as_deref(), Some("Plans")),
        other => panic!("no conversation: {other:?}"),
    }
    chats.set_topic("g1", "Plans".to_owned());
    assert!(told(&mut chats, 4, json!("alice")).is_none(), "we have set it");
    // By another login of ours.
    assert!(matches!(told(&mut chats, 5, json!("alice")), Some(Step::Deliver(Event::Message(_)))));
}

/// JSON of the members and words that mean something, put together at random.
fn any_json() -> impl Strategy<Value = Value> {
    let words = "(streams_info|answered|ended|av|call|buddy_icon|g1;|g1;bob;prpl-skype|g1|signed_on|buddy_added|buddy_removed|buddy_request|recv_im|im_typing|typed|reflect|disconnect|internal|client|im|set_status|bob|\\PC{0,9})";
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        words.prop_map(Value::from)
    ];
    let keys = "(alias|author|display|inviter|icon|is_initiator|pipe|page|data|name|edata|to|from|system|seq|buid|msg|group|type|primitive|typing_state|timestamp|request_id|response|preferences)";
    leaf.prop_recursive(5, 64, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..6).prop_map(Value::from),
            prop::collection::btree_map(keys, inner, 0..6).prop_map(|members| members.into_iter().collect()),
        ]
    })
}

proptest! {
    #[test]
    fn nothing_a_server_says_loses_what_follows(noise in prop::collection::vec(any_json(), 0..4), data in any_json()) {
        let mut session = online();
        let mut messages = noise;
        messages.push(json!({"to": {"system": "client"}, "from": {"system": "im"}, "seq": 1, "data": data}));
        messages.push(json!({"to": {"system": "client"}, "from": {"system": "im"}, "seq": u64::MAX - 1, "data": {
            "name": "recv_im", "edata": {"buid": "bob", "msg": "last"}}}));
        session.polled(answer(json!({"messages": messages})));
        let steps = take(&mut session);
        let last = steps.iter().any(|step| matches!(step, Step::Deliver(Event::Message(message)) if message.body == "last"));
        prop_assert!(last);
    }
}
