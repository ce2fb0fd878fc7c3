use super::*;
use serde_json::Value;
use serde_json::json;

fn read_call(name: &str, kind: Value, edata: Value) -> Option<CallNews> {
    read(&imo::read(&json!({"name": name, "type": kind, "edata": edata})))
}

fn began(calls: &mut Calls, seq: u64, outgoing: bool, streams: &str) -> Vec<Event> {
    let news = CallNews::Began { user: Handle::new("bob"), outgoing, streams: streams.to_owned(), page: None };
    calls.told(news, &mut Stamp::new("S", Some(seq)))
}

fn ended(calls: &mut Calls, user: &str) -> Vec<Event> {
    calls.told(CallNews::Ended(Handle::new(user)), &mut Stamp::new("S", Some(99)))
}

fn place(calls: &mut Calls) -> RemoteId {
    let id = RemoteId::new("S/call/4");
    assert!(calls.place(Ticket(7), id.clone(), Handle::new("bob")).is_empty());
    id
}

/// `c1 OUTGOING RINGING`, or the outcome of a ticket.
fn told(events: &[Event]) -> Vec<String> {
    let word = |event: &Event| match event {
        Event::Call(call) => {
            let side = if call.kind == CallType::OutgoingP2p { "out" } else { "in" };
            format!("{} {side} {:?}", call.id.as_str(), call.status)
        }
        Event::Done { ticket, outcome: Ok(receipt) } => {
            format!("{} is {}", ticket.0, receipt.remote.as_ref().expect("an id").as_str())
        }
        Event::Done { ticket, outcome: Err(failure) } => format!("{} {failure:?}", ticket.0),
        other => panic!("not about a call: {other:?}"),
    };
    events.iter().map(word).collect()
}

#[test]
fn both_forms_of_a_call_are_read_in_any_case_of_letters() {
    for kind in ["call", "Video", "AV"] {
        let news =
            read_call("streams_info", json!(kind), json!({"buid": "b b", "send_stream": "a", "recv_stream": "b"}));
        let user = Handle::new("b_x20b");
        assert_eq!(news, Some(CallNews::Began { user, outgoing: false, streams: "/a/b".to_owned(), page: None }));
    }
    let pipe =
        json!({"buid": "bob", "is_initiator": true, "page": "call/7", "pipe": {"ip": "192.0.2.1", "conv": "c1"}});
    let (user, page) = (Handle::new("bob"), Some("call/7".to_owned()));
    let wanted = CallNews::Began { user: user.clone(), outgoing: true, streams: "c1//".to_owned(), page };
    assert_eq!(read_call("streams_info", json!("call"), pipe), Some(wanted));
    for kind in [json!("av"), json!("call"), json!("VIDEO"), json!(null)] {
        assert_eq!(read_call("ended", kind.clone(), json!({"buid": "bob"})), Some(CallNews::Ended(user.clone())));
        assert_eq!(read_call("answered", kind, json!({"buid": "bob"})), Some(CallNews::Answered(user.clone())));
    }
}

#[test]
fn what_is_no_call_is_skipped() {
    let long = "x".repeat(5000);
    let edata = [
        json!(null),
        json!([1]),
        json!({}),
        json!({"buid": ""}),
        json!({"buid": 5}),
        json!({"buid": "g1;"}),
        json!({"buid": "g1;bob;prpl-skype"}),
        json!({"buid": long}),
    ];
    for edata in edata {
        for name in ["streams_info", "answered", "ended"] {
            assert_eq!(read_call(name, json!("av"), edata.clone()), None, "{name} {edata}");
        }
    }
    for kind in [json!(null), json!("dance"), json!(7), json!("")] {
        assert_eq!(read_call("streams_info", kind, json!({"buid": "bob"})), None);
    }
    // Of the wrong type is as good as missing.
    let odd = json!({"buid": "bob", "is_initiator": "yes", "page": 5, "pipe": 7, "send_stream": []});
    let (user, streams) = (Handle::new("bob"), "//".to_owned());
    let wanted = CallNews::Began { user, outgoing: false, streams, page: None };
    assert_eq!(read_call("streams_info", json!("av"), odd), Some(wanted));
}

#[test]
fn a_call_that_comes_is_answered_and_ends() {
    let mut calls = Calls::default();
    assert_eq!(told(&began(&mut calls, 5, false, "a")), ["S/5 in Ringing"]);
    assert!(began(&mut calls, 6, false, "a").is_empty(), "told again");
    assert_eq!(told(&began(&mut calls, 7, false, "b")), ["S/7 in Ringing"]);
    let id = RemoteId::new("S/5");
    assert_eq!(calls.partner(&id), Some(&Handle::new("bob")));
    assert_eq!(told(&calls.taken(&id).into_iter().collect::<Vec<_>>()), ["S/5 in InProgress"]);
    assert!(calls.taken(&id).is_none());
    assert!(ended(&mut calls, "carol").is_empty());
    assert_eq!(told(&ended(&mut calls, "BOB")), ["S/5 in Finished", "S/7 in Finished"]);
    assert!(ended(&mut calls, "bob").is_empty());
    assert_eq!(calls.partner(&id), None);
}

#[test]
fn a_call_of_ours_is_named_before_anything_is_told_of_it() {
    // The news before the answer, and after it.
    let mut calls = Calls::default();
    let id = place(&mut calls);
    assert_eq!(told(&began(&mut calls, 5, true, "a")), ["7 is S/call/4", "S/call/4 out Ringing"]);
    assert!(calls.placed(&id, Ok(())).is_none());
    assert!(calls.placed(&id, Err(Failure::Refused)).is_none());
    let answered = calls.told(CallNews::Answered(Handle::new("bob")), &mut Stamp::new("S", Some(6)));
    assert_eq!(told(&answered), ["S/call/4 out InProgress"]);

    let mut calls = Calls::default();
    let id = place(&mut calls);
    assert_eq!(told(&calls.placed(&id, Ok(())).into_iter().collect::<Vec<_>>()), ["7 is S/call/4"]);
    assert_eq!(told(&began(&mut calls, 5, true, "a")), ["S/call/4 out Ringing"]);
    // One of another login is another one.
    assert_eq!(told(&began(&mut calls, 6, true, "b")), ["S/6 out Ringing"]);

    // Ended and never told of.
    let mut calls = Calls::default();
    place(&mut calls);
    assert_eq!(told(&ended(&mut calls, "bob")), ["7 is S/call/4", "S/call/4 out Finished"]);
}

#[test]
fn a_call_that_is_refused_is_none() {
    let mut calls = Calls::default();
    let id = place(&mut calls);
    let refused = calls.placed(&id, Err(Failure::Refused));
    assert_eq!(told(&refused.into_iter().collect::<Vec<_>>()), ["7 Refused"]);
    assert!(ended(&mut calls, "bob").is_empty());
}

#[test]
fn who_hangs_up_hears_no_more_of_the_call() {
    let mut calls = Calls::default();
    let id = place(&mut calls);
    calls.placed(&id, Ok(()));
    assert!(calls.hung_up(&id).is_empty());
    assert_eq!(calls.partner(&id), None);
    assert!(began(&mut calls, 5, true, "late").is_empty());
    assert!(ended(&mut calls, "bob").is_empty());

    began(&mut calls, 6, false, "a");
    assert_eq!(told(&calls.hung_up(&RemoteId::new("S/6"))), ["S/6 in Finished"]);
    assert!(calls.hung_up(&RemoteId::new("S/6")).is_empty());
}

#[test]
fn the_end_of_one_call_is_not_that_of_the_next() {
    let mut calls = Calls::default();
    began(&mut calls, 5, true, "a");
    assert_eq!(told(&calls.hung_up(&RemoteId::new("S/5"))), ["S/5 out Finished"]);
    let id = place(&mut calls);
    calls.placed(&id, Ok(()));
    assert!(ended(&mut calls, "bob").is_empty(), "of the call that we have ended");
    assert_eq!(told(&began(&mut calls, 7, true, "b")), ["S/call/4 out Ringing"]);
    assert_eq!(told(&ended(&mut calls, "bob")), ["S/call/4 out Finished"]);

    // A server that does not tell of the end that we have made: by the next beginning it is past.
    began(&mut calls, 8, true, "c");
    calls.hung_up(&RemoteId::new("S/8"));
    began(&mut calls, 9, false, "d");
    place(&mut calls);
    assert_eq!(told(&ended(&mut calls, "bob")), ["S/9 in Finished", "7 is S/call/4", "S/call/4 out Finished"]);
}

#[test]
fn calls_end_with_the_connection_and_with_the_session() {
    let mut calls = Calls::default();
    place(&mut calls);
    began(&mut calls, 5, false, "a");
    assert_eq!(told(&calls.suspend()), ["7 Unclear"]);
    assert_eq!((calls.next_stale(), calls.next_stale()), (Some(Handle::new("bob")), Some(Handle::new("bob"))));
    assert!(!calls.has_stale());

    place(&mut calls);
    began(&mut calls, 5, false, "a");
    assert_eq!(told(&calls.close()), ["7 Unclear", "S/5 in Finished"]);
    assert!(!calls.has_stale());
}

#[test]
fn calls_do_not_pile_up() {
    let mut calls = Calls::default();
    for number in 0..MAX_CALLS as u64 {
        assert_eq!(began(&mut calls, number, false, &number.to_string()).len(), 1);
    }
    assert_eq!(told(&began(&mut calls, 900, false, "more")), ["S/0 in Finished", "S/900 in Ringing"]);
}
