//! The state of a gateway under a clock of our own.

use std::net::IpAddr;
use std::net::Ipv4Addr;
use std::time::Duration;
use std::time::Instant;

use serde_json::Value;
use serde_json::json;

use crate::imo::Envelope;
use crate::imo::Message;
use crate::imo::read;

use super::accounts::Relation;
use super::core::Core;
use super::core::Now;
use super::core::PollStep;
use super::db::Database;
use super::methods::Step;
use super::metrics::Metrics;
use super::names::CALL_LIMIT;
use super::names::CHAT_LIMIT;
use super::names::CONTACT_LIMIT;
use super::names::MEMBER_LIMIT;
use super::names::SENT_LIFETIME;
use super::names::STORED_LIMIT;

const EXPIRY: Duration = Duration::from_secs(120);

struct World {
    core: Core,
    now: Now,
    seq: u64,
}

impl World {
    fn new() -> Self {
        let database = Database::open(None).expect("open");
        for name in ["alice", "bob"] {
            database.add_user(name, "hash").expect("add");
        }
        let core = Core::new(database, Metrics::default(), EXPIRY).expect("core");
        Self { core, now: Now { instant: Instant::now(), unix: 1 }, seq: 0 }
    }

    fn login(&mut self, name: &str) -> String {
        let ssid = self.core.open_session(self.now).expect("session");
        let user = self.core.db.user(name).expect("look").expect("there");
        self.core.log_in(&ssid, &user).expect("login");
        ssid
    }

    /// Whether the request was accepted.
    fn request(&mut self, ssid: &str, method: &str, arguments: Value) -> bool {
        self.seq += 1;
        let message: Message = read(&json!({"data": {"method": method, "data": arguments}}));
        let address = IpAddr::V4(Ipv4Addr::LOCALHOST);
        match self.core.request(ssid, None, message, self.seq, address, self.now).expect("request") {
            Step::Answer(answer) => !answer.messages.is_empty() || answer.ack > Some(self.seq),
            Step::Unknown | Step::Login(_) => false,
        }
    }

    fn send(&mut self, ssid: &str, to: &str, text: &str) {
        assert!(self.request(ssid, "send_im", json!({"buid": to, "msg": text})));
    }

    fn poll(&mut self, ssid: &str, ack: u64) -> PollStep {
        self.core.poll(ssid, Some(ack), self.now).expect("poll")
    }

    /// The texts of everything that waits, acknowledged as it is read.
    fn texts(&mut self, ssid: &str) -> Vec<String> {
        let mut texts = Vec::new();
        let mut ack = 0;
        while let PollStep::Answer(Envelope { messages, .. }) = self.poll(ssid, ack) {
            for message in messages {
                ack = message.seq.expect("seq") + 1;
                texts.extend(message.data["edata"]["msg"].as_str().map(str::to_owned));
            }
        }
        texts
    }
}

#[test]
fn a_session_ends_after_its_time_without_a_sign_of_life() {
    let mut world = World::new();
    let quiet = world.login("alice");
    let busy = world.login("alice");
    let polling = world.login("bob");
    world.texts(&polling);
    let PollStep::Hold(_, held) = world.poll(&polling, 2) else { panic!("nothing to tell") };
    world.now.instant += EXPIRY - Duration::from_secs(1);
    assert!(world.request(&busy, "observed_user_activity", json!({})));
    world.now.instant += Duration::from_secs(1);
    world.core.tick(world.now).expect("tick");
    let lives = |world: &mut World, ssid: &str| world.core.seen(ssid, None, world.now).expect("seen");
    assert!(!lives(&mut world, &quiet) && lives(&mut world, &busy));
    // The client of the held poll hangs up: from now on its time runs.
    drop(held);
    world.now.instant += EXPIRY;
    world.core.tick(world.now).expect("tick");
    assert!(!world.request(&polling, "observed_user_activity", json!({})), "{polling} is over");
}

#[test]
fn what_one_login_has_read_is_kept_for_one_that_lags() {
    let mut world = World::new();
    let bob = world.login("bob");
    let (fast, slow) = (world.login("alice"), world.login("alice"));
    let big = |number: u32| format!("{number:03} {}", "x".repeat(64_000));
    let mut read = Vec::new();
    for number in 0..400 {
        world.send(&bob, "alice", &big(number));
        if number % 50 == 0 {
            world.texts(&bob);
        }
    }
    read.extend(world.texts(&fast));
    assert_eq!(read.len(), 400);
    // Somebody who comes now gets nothing that was read already, the slow one all of it.
    let late = world.login("alice");
    assert!(world.request(&late, "get_unread_msgs", json!({})));
    assert_eq!(world.texts(&slow), read);
    let account = world.core.db.user("alice").expect("look").expect("there").id;
    assert_eq!(world.core.db.waiting_for(account).expect("count"), 0, "nothing is left behind");
    assert_eq!(world.core.metrics.messages_delivered.get(), 400);
}

#[test]
fn a_client_that_never_reads_loses_its_session_and_no_message() {
    let mut world = World::new();
    let bob = world.login("bob");
    let deaf = world.login("alice");
    world.send(&bob, "alice", "hello");
    assert!(world.request(&bob, "add_buddy", json!({"buid": "alice"})));
    assert!(world.request(&deaf, "auth_add", json!({"buid": "bob"})));
    for number in 0..20_001 {
        let primitive = if number % 2 == 0 { "away" } else { "available" };
        assert!(world.request(&bob, "set_status", json!({"primitive": primitive})));
    }
    assert!(matches!(world.poll(&deaf, 0), PollStep::Answer(Envelope { ack: Some(0), .. })));
    let anew = world.login("alice");
    assert!(world.request(&anew, "get_unread_msgs", json!({})));
    assert!(world.texts(&anew).contains(&"hello".to_owned()));
}

#[test]
fn what_could_not_be_written_is_told_to_nobody() {
    let mut world = World::new();
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    world.texts(&alice);
    world.core.db.commit().expect("commit");
    let PollStep::Hold(_, mut held) = world.poll(&alice, 2) else { panic!("nothing to tell") };
    world.send(&bob, "alice", "lost");
    world.core.lose();
    world.core.flush();
    assert!(held.try_recv().expect("answered").messages.is_empty());
    for ssid in [&alice, &bob] {
        assert!(matches!(world.poll(ssid, 0), PollStep::Answer(Envelope { ack: Some(0), .. })), "a new login is due");
    }
}

impl World {
    fn send_marked(&mut self, ssid: &str, to: &str, text: &str, id: &str) -> bool {
        self.request(ssid, "send_im", json!({"buid": to, "msg": text, "client_msg_id": id}))
    }

    fn waiting(&self, name: &str) -> u64 {
        let account = self.core.db.user(name).expect("look").expect("there").id;
        self.core.db.waiting_for(account).expect("count")
    }
}

#[test]
fn a_message_is_known_again_for_a_month() {
    let mut world = World::new();
    world.now.unix = 10 * SENT_LIFETIME;
    let alice = world.login("alice");
    for (seconds, messages) in [(0, 1), (SENT_LIFETIME, 1), (1, 2), (0, 2)] {
        world.now.unix += seconds;
        world.core.tick(world.now).expect("tick");
        assert!(world.send_marked(&alice, "bob", "hi", "a7"));
        assert_eq!(world.waiting("bob"), messages, "after {seconds} s more");
    }
}

#[test]
fn what_was_refused_or_could_not_be_written_is_not_known() {
    let mut world = World::new();
    let alice = world.login("alice");
    let [alice_id, bob_id] = ["alice", "bob"].map(|name| world.core.db.user(name).expect("look").expect("there").id);
    let blocked = Relation { blocked: true, ..Relation::default() };
    world.core.db.set_relation(bob_id, alice_id, &blocked).expect("set");
    assert!(!world.send_marked(&alice, "bob", "hi", "a7"));
    world.core.db.set_relation(bob_id, alice_id, &Relation::default()).expect("set");
    // It is in the transaction of the message.
    assert!(world.send_marked(&alice, "bob", "hi", "a7"));
    world.core.db.end_operation(false).expect("end");
    assert_eq!(world.waiting("bob"), 0);
    assert!(world.send_marked(&alice, "bob", "hi", "a7"));
    assert_eq!(world.waiting("bob"), 1);
    // Whatever has changed since: it was taken.
    world.core.db.set_relation(bob_id, alice_id, &blocked).expect("set");
    assert!(world.send_marked(&alice, "bob", "hi", "a7"));
    world.core.db.remove_user(bob_id).expect("remove");
    assert!(world.send_marked(&alice, "bob", "hi", "a7"));
    assert!(!world.send_marked(&alice, "bob", "hi", "a8"));
}

#[test]
fn a_removed_user_is_logged_out() {
    let mut world = World::new();
    let alice = world.login("alice");
    let id = world.core.db.user("alice").expect("look").expect("there").id;
    world.core.db.remove_user(id).expect("remove");
    assert!(!world.request(&alice, "send_im", json!({"buid": "bob", "msg": "boo"})));
    assert_eq!(world.texts(&alice), ["uidpassword"]);
}

impl World {
    fn add(&mut self, name: &str) -> String {
        self.core.db.add_user(name, "hash").expect("add");
        name.to_owned()
    }

    fn found(&mut self, ssid: &str) -> Option<String> {
        if !self.request(ssid, "create_shared_group", json!({"name": "chat"})) {
            return None;
        }
        let PollStep::Answer(answer) = self.poll(ssid, 0) else { panic!("nothing was told") };
        let data = &answer.messages.last().expect("a message").data["edata"][0]["buid"];
        data.as_str().map(|buid| buid.trim_end_matches(';').to_owned())
    }

    fn names(&mut self, ssid: &str) -> Vec<String> {
        let PollStep::Answer(answer) = self.poll(ssid, 0) else { return Vec::new() };
        answer.messages.iter().filter_map(|message| message.data["name"].as_str().map(str::to_owned)).collect()
    }
}

#[test]
fn a_call_that_nobody_answers_ends_after_a_minute() {
    let mut world = World::new();
    let carol = world.add("carol");
    let [alice, bob, carol] = ["alice", "bob", &carol].map(|name| world.login(name));
    assert!(world.request(&alice, "start_audio_chat", json!({"buid": "bob"})));
    assert!(world.request(&carol, "start_audio_chat", json!({"buid": "bob"})));
    assert!(world.request(&bob, "accept_audio_chat", json!({"buid": "carol"})));
    let ended = |world: &mut World, ssid: &str| world.names(ssid).iter().filter(|name| *name == "ended").count();
    for (seconds, over) in [(59, 0), (1, 1), (3_600, 1)] {
        world.now.instant += Duration::from_secs(seconds);
        // They are there all the time.
        for ssid in [&alice, &bob, &carol] {
            world.core.seen(ssid, None, world.now).expect("seen");
        }
        world.core.tick(world.now).expect("tick");
        let counts = [&alice, &bob, &carol].map(|ssid| ended(&mut world, ssid));
        assert_eq!(counts, [over, over, 0], "after {seconds} s more");
    }
    // The end of a session ends the call.
    world.now.instant += EXPIRY;
    world.core.seen(&carol, None, world.now).expect("seen");
    world.core.tick(world.now).expect("tick");
    assert_eq!(ended(&mut world, &carol), 1);
}

#[test]
fn an_account_has_so_many_calls() {
    let mut world = World::new();
    let alice = world.login("alice");
    for number in 0..=CALL_LIMIT {
        let name = world.add(&format!("user{number}"));
        world.login(&name);
        let started = world.request(&alice, "start_audio_chat", json!({"buid": name}));
        assert_eq!(started, number < CALL_LIMIT, "{number}");
    }
}

#[test]
fn chats_have_so_many_members_and_accounts_so_many_chats() {
    let mut world = World::new();
    let (alice, bob) = (world.login("alice"), world.login("bob"));
    let full = world.found(&alice).expect("a chat");
    for number in 1..=MEMBER_LIMIT {
        let name = world.add(&format!("user{number}"));
        let invited = world.request(&alice, "invite_to_group", json!({"gid": full, "ibuid": name}));
        assert_eq!(invited, number < MEMBER_LIMIT, "{number}");
    }
    for number in 1..=CHAT_LIMIT {
        assert_eq!(world.found(&alice).is_some(), number < CHAT_LIMIT, "{number}");
    }
    let other = world.found(&bob).expect("a chat");
    assert!(!world.request(&bob, "invite_to_group", json!({"gid": other, "ibuid": "alice"})), "in too many");
    assert!(world.request(&alice, "leave_group", json!({"gid": full})));
    assert!(world.request(&bob, "invite_to_group", json!({"gid": other, "ibuid": "alice"})));
}

#[test]
fn an_account_has_so_many_contacts() {
    let mut world = World::new();
    let alice = world.login("alice");
    let id = world.core.db.user("alice").expect("look").expect("there").id;
    let listed = Relation { listed: true, ..Relation::default() };
    // The echo is one.
    for number in 2..CONTACT_LIMIT {
        let user = world.core.db.add_user(&format!("user{number}"), "hash").expect("add").expect("new");
        world.core.db.set_relation(id, user, &listed).expect("set");
    }
    let last = world.add("last");
    assert!(world.request(&alice, "add_buddy", json!({"buid": last})));
    assert!(!world.request(&alice, "add_buddy", json!({"buid": "bob"})));
    assert!(!world.request(&alice, "auth_add", json!({"buid": "bob"})));
}

#[test]
fn a_member_whose_box_is_full_stops_the_chat_for_all() {
    let mut world = World::new();
    let alice = world.login("alice");
    let carol = world.add("carol");
    let gid = world.found(&alice).expect("a chat");
    for name in ["bob", &carol] {
        assert!(world.request(&alice, "invite_to_group", json!({"gid": gid, "ibuid": name})));
    }
    let [alice_id, bob_id, carol_id] =
        ["alice", "bob", "carol"].map(|name| world.core.db.user(name).expect("look").expect("there").id);
    for _ in 0..STORED_LIMIT {
        world.core.db.add_message(alice_id, bob_id, "x", 1).expect("add");
    }
    let buid = format!("{gid};");
    let said = |world: &mut World| world.request(&alice, "send_im", json!({"buid": buid, "msg": "hi"}));
    assert!(!said(&mut world));
    assert!(!world.request(&alice, "send_im", json!({"buid": "bob", "msg": "hi"})));
    assert_eq!(world.core.db.waiting_for(carol_id).expect("count"), 0, "all or nobody");
    assert!(world.request(&alice, "kick_member", json!({"buid": format!("{buid}bob;prpl-skype")})));
    assert!(said(&mut world));
    assert_eq!(world.core.db.waiting_for(carol_id).expect("count"), 1);
}
