use super::*;

fn me() -> Handle {
    Handle::new("alice")
}

fn item(gid: &str) -> Item {
    Item { gid: gid.to_owned(), member: None, alias: None, topic: None, inviter: None }
}

fn called(gid: &str, alias: &str) -> Item {
    Item { alias: Some(alias.to_owned()), ..item(gid) }
}

fn member(gid: &str, who: &str) -> Item {
    Item { member: Some(Handle::new(who)), ..item(gid) }
}

fn by(item: Item, inviter: &str) -> Item {
    Item { inviter: Some(Handle::new(inviter)), ..item }
}

fn handles(users: &[&str]) -> Vec<Handle> {
    users.iter().map(|user| Handle::new(*user)).collect()
}

/// What is told, in the words of the transcripts: `g1 by=bob in=alice,-carol topic=Plans Subscribed`,
/// `g1 r5 bob Added alice`.
fn told(events: &[Event]) -> Vec<String> {
    let names = |users: &[Handle]| users.iter().map(Handle::as_str).collect::<Vec<_>>().join(",");
    let word = |event: &Event| match event {
        Event::Conversation(told) => {
            let mut text = told.id.as_str().to_owned();
            let mut add = |name: &str, value: Option<String>| {
                text.extend(value.map(|value| format!(" {name}{value}")));
            };
            add("by=", told.adder.as_ref().map(Handle::to_string));
            let name =
                |member: &ConversationMember| format!("{}{}", if member.active { "" } else { "-" }, member.handle);
            add("in=", told.members.as_ref().map(|all| all.iter().map(name).collect::<Vec<_>>().join(",")));
            add("topic=", told.topic.clone());
            add("", told.my_status.map(|status| format!("{status:?}")));
            text
        }
        Event::Message(message) => {
            let Address::Conversation(id) = &message.conversation else { panic!("a dialog") };
            let what = match &message.kind {
                Kind::Added(users) => format!("Added {}", names(users)),
                Kind::Kicked(users) => format!("Kicked {}", names(users)),
                kind => format!("{kind:?}"),
            };
            format!("{} {} {} {what}", id.as_str(), message.remote.as_str(), message.author)
        }
        Event::Done { ticket, outcome: Ok(receipt) } => {
            format!("{} ok {}", ticket.0, receipt.conversation.as_ref().map_or("", ConversationId::as_str))
        }
        Event::Done { ticket, outcome: Err(failure) } => format!("{} {failure:?}", ticket.0),
        other => panic!("not about a chat: {other:?}"),
    };
    events.iter().map(word).collect()
}

fn added(chats: &mut Chats, seq: u64, items: Vec<Item>) -> Vec<String> {
    told(&chats.added(items, false, &me(), &mut Stamp::new("S", Some(seq))))
}

fn listed(chats: &mut Chats, items: Vec<Item>) -> Vec<String> {
    told(&chats.added(items, true, &me(), &mut Stamp::new("S", Some(0))))
}

fn removed(chats: &mut Chats, seq: u64, who: &str, items: Vec<Item>) -> Vec<String> {
    told(&chats.removed(items, &Handle::new(who), &me(), &mut Stamp::new("S", Some(seq))))
}

/// In g1 with bob and carol.
fn chats() -> Chats {
    let mut chats = Chats::default();
    listed(&mut chats, vec![item("g1"), member("g1", "bob"), member("g1", "carol")]);
    chats
}

#[test]
fn the_list_of_a_login_tells_where_we_are_and_where_no_more() {
    let mut chats = Chats::default();
    let list = || {
        let plans = Item { topic: Some("Plans".to_owned()), ..by(called("g1", "chat"), "bob") };
        vec![plans, member("g1", "bob"), member("g1", "Alice"), item("g2")]
    };
    // Who has added us, and when, nobody can say: it is no news.
    let first = ["g1 in=alice,bob topic=Plans Subscribed", "g1 by=bob", "g2 in=alice Subscribed"];
    assert_eq!(listed(&mut chats, list()), first);
    // The next login says the same, so that nothing is new.
    let whole = ["g1 by=bob in=alice,bob topic=Plans Subscribed", "g2 in=alice Subscribed"];
    assert_eq!(listed(&mut chats, list()), whole);
    assert_eq!(listed(&mut chats, vec![item("g2")]), ["g1 in=bob Unsubscribed", "g2 in=alice Subscribed"]);
    assert_eq!(listed(&mut chats, vec![]), ["g2 in= Unsubscribed"]);
    assert_eq!(listed(&mut chats, vec![]), [""; 0]);
    // And back.
    assert_eq!(listed(&mut chats, vec![item("g2")]), ["g2 in=alice Subscribed"]);
    // What is there for the first time at a later login is news.
    let third = listed(&mut chats, vec![item("g2"), by(item("g3"), "bob")]);
    assert_eq!(third, ["g2 in=alice Subscribed", "g3 by=bob in=alice Subscribed"]);
}

#[test]
fn a_chat_appears_with_whoever_has_added_us() {
    let mut chats = Chats::default();
    let items = vec![by(item("g1"), "bob"), member("g1", "bob")];
    assert_eq!(added(&mut chats, 5, items), ["g1 by=bob in=alice,bob Subscribed"]);
    let items = vec![item("g2"), by(member("g2", "Alice"), "bob"), by(member("g2", "carol"), "dave")];
    assert_eq!(added(&mut chats, 6, items), ["g2 by=bob in=alice,carol Subscribed"]);
    // Without a word on that it was another login of ours.
    assert_eq!(added(&mut chats, 7, vec![item("g3")]), ["g3 in=alice Subscribed", "g3 S/7 alice Added alice"]);
    // By its first member.
    assert_eq!(added(&mut chats, 8, vec![by(member("g4", "bob"), "bob")])[0], "g4 in=alice,bob Subscribed");
    // Who was there before us comes later, and is nobody new.
    assert_eq!(added(&mut chats, 9, vec![member("g3", "bob")]), ["g3 in=alice,bob"]);
    assert_eq!(added(&mut chats, 10, vec![by(member("g3", "carol"), "bob")]), ["g3 S/10 bob Added carol"]);
}

#[test]
fn others_are_added_once() {
    let mut chats = chats();
    let items = vec![
        by(member("g1", "dave"), "bob"),
        by(member("g1", "erik"), "carol"),
        by(member("g1", "fred"), "BOB"),
        member("g1", "gerd"),
        by(member("g1", "bob"), "carol"),
    ];
    let wanted = ["g1 S/5 bob Added dave,fred", "g1 S/5/1 carol Added erik", "g1 S/5/2 gerd Added gerd"];
    assert_eq!(added(&mut chats, 5, items.clone()), wanted);
    assert_eq!(added(&mut chats, 6, items), [""; 0]);
}

#[test]
fn members_go_and_so_do_we() {
    let mut chats = chats();
    assert_eq!(removed(&mut chats, 5, "alice", vec![member("g1", "bob")]), ["g1 S/5 alice Kicked bob"]);
    assert_eq!(removed(&mut chats, 6, "alice", vec![member("g1", "bob")]), [""; 0]);
    assert_eq!(removed(&mut chats, 7, "carol", vec![member("g1", "Alice"), item("g1")]), ["g1 S/7 carol Kicked alice"]);
    assert_eq!(removed(&mut chats, 8, "alice", vec![member("g1", "carol"), item("g9")]), [""; 0]);
    // Of others there we hear no more, until somebody has added us again.
    assert_eq!(added(&mut chats, 9, vec![by(member("g1", "dave"), "carol")]), [""; 0]);
    let items = vec![by(item("g1"), "carol"), member("g1", "carol")];
    assert_eq!(added(&mut chats, 10, items), ["g1 S/10 carol Added alice", "g1 by=carol in=alice,carol Subscribed"]);
    assert_eq!(removed(&mut chats, 10, "CAROL", vec![member("g1", "carol")]), ["g1 S/10 CAROL Left"]);
    // Gone with the chat: another login has left it.
    assert_eq!(removed(&mut chats, 11, "alice", vec![item("g1")]), ["g1 S/11 alice Left"]);
}

#[test]
fn what_we_have_done_ourselves_is_no_news() {
    let mut chats = chats();
    let kick = Round::new(Some(Ticket(1)), "g1", Errand::Kick, handles(&["bob"]));
    chats.begin(&kick);
    assert_eq!(removed(&mut chats, 5, "alice", vec![member("g1", "bob")]), [""; 0]);
    let invite = Round::new(Some(Ticket(2)), "g1", Errand::Invite, handles(&["dave"]));
    chats.begin(&invite);
    assert_eq!(added(&mut chats, 6, vec![by(member("g1", "dave"), "alice")]), ["g1 in=alice,carol,dave"]);
    chats.leave("g1", true);
    assert_eq!(removed(&mut chats, 7, "alice", vec![item("g1"), member("g1", "alice")]), [""; 0]);
}

#[test]
fn a_topic_comes_without_a_message_or_is_our_own() {
    let mut chats = chats();
    let topic = |gid: &str, text: &str| Item { topic: Some(text.to_owned()), ..item(gid) };
    assert_eq!(added(&mut chats, 5, vec![topic("g1", "Plans")]), ["g1 topic=Plans"]);
    assert_eq!(told(&chats.changed(vec![topic("g1", ""), topic("g9", "x"), member("g1", "bob")])), ["g1 topic="]);
    chats.set_topic("g1", "Plans".to_owned());
    assert!(!chats.is_own_topic("g1", "Other plans"));
    assert!(chats.is_own_topic("g1", "Plans"));
    assert!(!chats.is_own_topic("g1", "Plans"), "told back once");
}

#[test]
fn a_round_is_done_when_all_are_answered() {
    let table = [
        ([true, true], vec!["1 ok "]),
        ([false, false], vec!["1 Refused"]),
        ([true, false], vec!["1 ok ", "g1 in=alice,bob,carol,-dave"]),
    ];
    for (answers, wanted) in table {
        let mut chats = chats();
        let mut round = Round::new(Some(Ticket(1)), "g1", Errand::Invite, handles(&["dave", "erik"]));
        chats.begin(&round);
        assert!(round.answered(answers[0]));
        assert!(!round.answered(answers[1]));
        assert_eq!(told(&chats.finish(round, &me())), wanted);
    }
    // Cut off, whoever waits is told; nobody counts as invited any more.
    let mut chats = chats();
    let round = Round::new(Some(Ticket(1)), "g1", Errand::Invite, handles(&["dave", "erik"]));
    chats.begin(&round);
    assert_eq!(told(&chats.interrupt(round, Failure::Unclear).into_iter().collect::<Vec<_>>()), ["1 Unclear"]);
    assert_eq!(added(&mut chats, 5, vec![by(member("g1", "dave"), "bob")]), ["g1 S/5 bob Added dave"]);
}

/// One that is wanted with bob and carol.
fn founding(chats: &mut Chats) -> String {
    chats.found(Ticket(7), handles(&["bob", "carol"]), 1_795_333_452)
}

#[test]
fn a_chat_of_ours_is_recognised_by_its_name_or_as_the_first_without_inviter() {
    let ours = ["7 ok g1", "g1 in=alice,-bob,-carol Subscribed"];
    for named in [called("g1", "1795333452"), Item { topic: Some("1795333452".to_owned()), ..item("g1") }, item("g1")] {
        let mut chats = Chats::default();
        assert_eq!(founding(&mut chats), "1795333452");
        assert_eq!(added(&mut chats, 4, vec![by(called("g0", "other"), "bob")]), ["g0 by=bob in=alice Subscribed"]);
        assert_eq!(added(&mut chats, 5, vec![named]), ours);
        let round = chats.next_invitations().expect("somebody to invite");
        assert_eq!(
            (round.ticket, round.gid.as_str(), Vec::from(round.users)),
            (None, "g1", handles(&["bob", "carol"]))
        );
        assert!(chats.next_invitations().is_none() && !chats.has_invitations());
        assert_eq!(added(&mut chats, 6, vec![by(member("g1", "bob"), "alice")]), ["g1 in=alice,bob,-carol"]);
    }
}

#[test]
fn chats_that_are_founded_at_once_have_names_of_their_own() {
    let mut chats = Chats::default();
    assert_eq!(founding(&mut chats), "1795333452");
    assert_eq!(chats.found(Ticket(8), vec![], 1_795_333_452), "1795333453");
    // The second may be there first.
    assert_eq!(added(&mut chats, 5, vec![called("g2", "1795333453")])[0], "8 ok g2");
    assert_eq!(added(&mut chats, 6, vec![called("g1", "1795333452")])[0], "7 ok g1");
}

#[test]
fn a_chat_that_the_last_session_left_is_found_in_the_list_or_asked_for_again() {
    let mut chats = Chats::default();
    let name = founding(&mut chats);
    chats.ask_again(&name);
    assert!(chats.has_unasked());
    // What else is in the list is none of ours.
    assert_eq!(listed(&mut chats, vec![item("g0")]), ["g0 in=alice Subscribed"]);
    assert_eq!(chats.next_founding(), Some(name.clone()));
    assert_eq!(chats.next_founding(), None);

    chats.ask_again(&name);
    let there = vec![called("g1", &name), member("g1", "bob")];
    assert_eq!(listed(&mut chats, there), ["g0 in= Unsubscribed", "7 ok g1", "g1 in=alice,bob,-carol Subscribed"]);
    assert!(!chats.has_unasked());
    // Who is in it already need not be invited.
    assert_eq!(chats.next_invitations().expect("carol").users, handles(&["carol"]));
}

#[test]
fn nothing_waits_for_ever() {
    let mut chats = Chats::default();
    let name = founding(&mut chats);
    assert_eq!(told(&chats.give_up(&name, Failure::Refused).into_iter().collect::<Vec<_>>()), ["7 Refused"]);
    assert!(chats.give_up(&name, Failure::Refused).is_none());
    founding(&mut chats);
    let other = chats.found(Ticket(8), vec![], 0);
    chats.ask_again(&other);
    assert_eq!(told(&chats.abandon()), ["7 Unclear", "8 Unclear"]);
    assert!(chats.abandon().is_empty());
}

#[test]
fn memory_is_bounded() {
    let mut chats = Chats::default();
    listed(&mut chats, (0..MAX_CHATS + 5).map(|number| item(&format!("g{number}"))).collect());
    assert_eq!(chats.known.len(), MAX_CHATS);
    assert_eq!(added(&mut chats, 5, vec![item("new")]), [""; 0]);
    // One that we have left makes room.
    removed(&mut chats, 6, "alice", vec![item("g7")]);
    assert_eq!(added(&mut chats, 7, vec![item("new")]).len(), 2);
    assert_eq!(chats.known.len(), MAX_CHATS);
    listed(&mut chats, (0..MAX_MEMBERS + 5).map(|number| member("g0", &format!("u{number}"))).collect());
    assert_eq!(chats.known["g0"].members.0.len(), MAX_MEMBERS);
}
