//! A chat of several, as each of them reads it.

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;

use crate::ask;
use crate::befriend;
use crate::catch;
use crate::friends;
use crate::hear;
use crate::open;
use crate::received;

/// What is read of a message: TYPE, FROM_HANDLE, USERS and BODY.
type Read<'a> = [&'a str; 4];

/// A chat as one of its members has it, under a name of their own.
struct Member<'a> {
    session: &'a Session,
    chat: String,
}

impl<'a> Member<'a> {
    /// Who has made a chat with these users.
    fn founder(session: &'a Session, users: &str) -> Self {
        let reply = ask(session, &format!("CHAT CREATE {users}"));
        let chat = reply.strip_prefix("CHAT ").and_then(|rest| rest.strip_suffix(" STATUS MULTI_SUBSCRIBED"));
        Self { session, chat: chat.unwrap_or_else(|| panic!("{reply}")).to_owned() }
    }

    /// Who reads of being in a chat: by whom, and who has been added.
    fn added(session: &'a Session, adder: &str, users: &str) -> Self {
        let number = catch(session, "a message", received);
        let chat = value(session, &format!("CHATMESSAGE {number} CHATNAME"));
        let member = Self { session, chat };
        member.is(number, ["ADDEDMEMBERS", adder, users, ""]);
        member
    }

    /// Who finds a chat at another login.
    fn found(session: &'a Session) -> Self {
        let chat = catch(session, "a chat", |line| {
            let chat = line.strip_prefix("CHAT ")?.strip_suffix(" STATUS MULTI_SUBSCRIBED")?;
            Some(chat.to_owned())
        });
        assert_eq!(ask(session, "SEARCH CHATS"), format!("CHATS {chat}"), "it alone");
        Self { session, chat }
    }

    fn get(&self, property: &str) -> String {
        value(self.session, &format!("CHAT {} {property}", self.chat))
    }

    fn members(&self) -> Vec<String> {
        let mut members: Vec<_> = self.get("MEMBERS").split_terminator(' ').map(str::to_owned).collect();
        members.sort();
        members
    }

    fn alter(&self, action: &str) {
        let word = action.split(' ').next().unwrap_or(action);
        let reply = ask(self.session, &format!("ALTER CHAT {} {action}", self.chat));
        assert_eq!(reply, format!("ALTER CHAT {word}"));
    }

    fn says(&self, body: &str) {
        let reply = ask(self.session, &format!("CHATMESSAGE {} {body}", self.chat));
        assert!(reply.ends_with(" STATUS SENDING"), "{reply}");
    }

    /// The next message that comes is this one, and none is in between.
    fn reads(&self, wanted: Read<'_>) {
        let number = catch(self.session, &format!("{wanted:?}"), received);
        assert_eq!(value(self.session, &format!("CHATMESSAGE {number} CHATNAME")), self.chat);
        self.is(number, wanted);
    }

    fn is(&self, number: u32, wanted: Read<'_>) {
        let read = ["TYPE", "FROM_HANDLE", "USERS", "BODY"]
            .map(|property| value(self.session, &format!("CHATMESSAGE {number} {property}")));
        assert_eq!(read, wanted);
    }
}

/// What a GET is answered with.
fn value(session: &Session, what: &str) -> String {
    let reply = ask(session, &format!("GET {what}"));
    let value = reply.strip_prefix(what).and_then(|rest| rest.strip_prefix(' '));
    value.unwrap_or_else(|| panic!("GET {what} gave {reply}")).to_owned()
}

fn said<'a>(author: &'a str, body: &'a str) -> Read<'a> {
    ["SAID", author, "", body]
}

/// Alice, who knows the others, Bob and Carol.
fn three(gateway: &Gateway) -> [Session; 3] {
    let [alice, bob] = friends(gateway);
    let carol = open(gateway.url(), "carol");
    befriend(&alice, ["alice", "carol"], &carol);
    [alice, bob, carol]
}

#[test]
fn everybody_reads_what_is_said_and_done_in_a_chat() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob, carol] = three(&gateway);
    let dave = open(gateway.url(), "dave");
    let alice = Member::founder(&alice, "bob, carol");
    // Said at once, and yet heard by all who were to be in it.
    alice.says("hello");
    let bob = Member::added(&bob, "alice", "bob");
    bob.reads(["ADDEDMEMBERS", "alice", "carol", ""]);
    let carol = Member::added(&carol, "alice", "carol");
    for member in [&bob, &carol] {
        member.reads(said("alice", "hello"));
    }
    for (member, name) in [(&bob, "bob"), (&carol, "carol")] {
        let body = format!("hello from {name}");
        member.says(&body);
        for other in [&alice, &bob, &carol].into_iter().filter(|other| other.chat != member.chat) {
            other.reads(said(name, &body));
        }
    }
    for member in [&alice, &bob, &carol] {
        assert_eq!(member.members(), ["alice", "bob", "carol"]);
        assert_eq!(member.get("TOPIC"), "");
    }

    bob.alter("SETTOPIC Plans of ours");
    for other in [&alice, &carol] {
        other.reads(["SETTOPIC", "bob", "", "Plans of ours"]);
    }

    carol.alter("ADDMEMBERS dave");
    carol.says("dave is here");
    for other in [&alice, &bob] {
        other.reads(["ADDEDMEMBERS", "carol", "dave", ""]);
        other.reads(said("carol", "dave is here"));
    }
    let dave = Member::added(&dave, "carol", "dave");
    dave.reads(said("carol", "dave is here"));
    for member in [&alice, &bob, &carol, &dave] {
        assert_eq!(member.members(), ["alice", "bob", "carol", "dave"]);
        assert_eq!(member.get("TOPIC"), "Plans of ours");
    }

    alice.alter("KICK dave");
    for other in [&bob, &carol, &dave] {
        other.reads(["KICKED", "alice", "dave", ""]);
    }
    assert_eq!(dave.get("MYSTATUS"), "KICKED");
    bob.alter("LEAVE");
    for other in [&alice, &carol] {
        other.reads(["LEFT", "bob", "", ""]);
        assert_eq!(other.members(), ["alice", "carol"]);
    }
    assert_eq!(bob.get("MYSTATUS"), "UNSUBSCRIBED");

    // Who is gone hears nothing of it any more.
    alice.says("we are two");
    carol.reads(said("alice", "we are two"));
    for (gone, name) in [(&bob, "bob"), (&dave, "dave")] {
        assert!(ask(alice.session, &format!("MESSAGE {name} bye")).ends_with(" STATUS SENDING"));
        let number = catch(gone.session, "a message", received);
        assert_eq!(value(gone.session, &format!("CHATMESSAGE {number} BODY")), "bye");
    }
}

#[test]
fn a_chat_is_there_again_at_the_next_login_with_what_was_said_meanwhile() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [founder, second, third] = three(&gateway);
    let dave = open(gateway.url(), "dave");
    let alice = Member::founder(&founder, "bob, carol");
    let bob = Member::added(&second, "alice", "bob");
    bob.reads(["ADDEDMEMBERS", "alice", "carol", ""]);
    let carol = Member::added(&third, "alice", "carol");
    alice.says("before");
    for member in [&bob, &carol] {
        member.reads(said("alice", "before"));
    }

    third.close();
    alice.says("without carol");
    bob.reads(said("alice", "without carol"));
    bob.alter("SETTOPIC Without carol");
    alice.reads(["SETTOPIC", "bob", "", "Without carol"]);
    alice.alter("ADDMEMBERS dave");
    bob.reads(["ADDEDMEMBERS", "alice", "dave", ""]);
    let dave = Member::added(&dave, "alice", "dave");
    dave.says("hello");
    for member in [&alice, &bob] {
        member.reads(said("dave", "hello"));
    }

    let third = open(gateway.url(), "carol");
    let carol = Member::found(&third);
    carol.reads(said("alice", "without carol"));
    carol.reads(["SETTOPIC", "bob", "", "Without carol"]);
    carol.reads(said("dave", "hello"));
    assert_eq!(carol.members(), ["alice", "bob", "carol", "dave"]);
    assert_eq!(carol.get("TOPIC"), "Without carol");
    carol.says("back");
    for member in [&alice, &bob, &dave] {
        member.reads(said("carol", "back"));
    }

    // Who has founded it finds it by the same way, and has missed nothing.
    founder.close();
    let founder = open(gateway.url(), "alice");
    let alice = Member::found(&founder);
    carol.says("all of us");
    for member in [&alice, &bob, &dave] {
        member.reads(said("carol", "all of us"));
    }
    alice.says("all here");
    for member in [&bob, &carol, &dave] {
        member.reads(said("alice", "all here"));
    }
}

#[test]
fn a_chat_is_the_same_for_who_was_offline_for_a_while() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob, carol] = three(&gateway);
    let alice = Member::founder(&alice, "bob, carol");
    let bob = Member::added(&bob, "alice", "bob");
    bob.reads(["ADDEDMEMBERS", "alice", "carol", ""]);
    let carol = Member::added(&carol, "alice", "carol");
    assert_eq!(ask(carol.session, "SET USERSTATUS OFFLINE"), "USERSTATUS OFFLINE");
    hear(alice.session, "USER carol ONLINESTATUS OFFLINE");
    alice.says("without carol");
    bob.reads(said("alice", "without carol"));
    assert_eq!(ask(carol.session, "SET USERSTATUS ONLINE"), "USERSTATUS ONLINE");
    carol.reads(said("alice", "without carol"));
    carol.says("back");
    for member in [&alice, &bob] {
        member.reads(said("carol", "back"));
    }
}
