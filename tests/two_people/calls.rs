//! Calls, from one telephone to the other.

use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::Session;

use crate::ask;
use crate::catch;
use crate::friends;
use crate::hear;
use crate::open;

/// A call at one of its ends.
struct Call<'a> {
    session: &'a Session,
    id: String,
}

impl<'a> Call<'a> {
    /// Who calls Bob.
    fn placed(session: &'a Session) -> Self {
        let reply = ask(session, "CALL bob");
        let id = reply.strip_prefix("CALL ").and_then(|rest| rest.strip_suffix(" STATUS UNPLACED"));
        let call = Self { session, id: id.unwrap_or_else(|| panic!("{reply}")).to_owned() };
        call.is("ROUTING");
        call
    }

    /// Whose telephone rings.
    fn ringing(session: &'a Session) -> Self {
        let ringing = |line: &str| Some(line.strip_prefix("CALL ")?.strip_suffix(" STATUS RINGING")?.to_owned());
        Self { session, id: catch(session, "a call", ringing) }
    }

    fn is(&self, status: &str) {
        hear(self.session, &format!("CALL {} STATUS {status}", self.id));
    }

    /// Gives a command that is answered with what it says, as both forms are (skype-api 3.7).
    fn does(&self, command: &str) {
        let (verb, rest) = command.split_once(' ').expect("a verb");
        let about = format!("CALL {} {rest}", self.id);
        let reply = ask(self.session, &format!("{verb} {about}"));
        let wanted = if verb == "ALTER" { format!("ALTER {about}") } else { about };
        assert_eq!(reply, wanted);
    }

    fn get(&self, property: &str) -> String {
        let about = format!("CALL {} {property}", self.id);
        let reply = ask(self.session, &format!("GET {about}"));
        reply.strip_prefix(&about).unwrap_or_else(|| panic!("{reply}")).trim_start().to_owned()
    }
}

/// Alice and Bob, and a call from her to him that rings.
fn ring<'a>([alice, bob]: [&'a Session; 2]) -> [Call<'a>; 2] {
    let [outgoing, incoming] = [Call::placed(alice), Call::ringing(bob)];
    outgoing.is("RINGING");
    for (call, kind, partner) in [(&outgoing, "OUTGOING_P2P", "bob"), (&incoming, "INCOMING_P2P", "alice")] {
        assert_eq!([call.get("TYPE"), call.get("PARTNER_HANDLE")], [kind, partner]);
    }
    [outgoing, incoming]
}

#[test]
fn a_call_is_answered_and_ended_by_either_side_in_either_way() {
    for (answer, hang_up, by_caller) in [
        ("ALTER ANSWER", "ALTER HANGUP", true),
        ("ALTER ANSWER", "SET STATUS FINISHED", false),
        ("SET STATUS INPROGRESS", "SET STATUS FINISHED", true),
        ("SET STATUS INPROGRESS", "ALTER HANGUP", false),
    ] {
        let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
        let [alice, bob] = friends(&gateway);
        let [outgoing, incoming] = ring([&alice, &bob]);
        incoming.does(answer);
        for call in [&outgoing, &incoming] {
            call.is("INPROGRESS");
        }
        let again = ask(&alice, "CALL bob");
        assert!(again.starts_with("ERROR "), "the two have a call, but {again}");
        let end = if by_caller { &outgoing } else { &incoming };
        end.does(hang_up);
        for call in [&outgoing, &incoming] {
            call.is("FINISHED");
            assert_eq!(call.get("STATUS"), "FINISHED");
        }
        for session in [&alice, &bob] {
            assert_eq!(ask(session, "SEARCH ACTIVECALLS"), "CALLS ");
        }
    }
}

#[test]
fn a_call_is_refused_and_given_up() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    let [outgoing, incoming] = ring([&alice, &bob]);
    incoming.does("ALTER HANGUP");
    incoming.is("REFUSED");
    outgoing.is("FINISHED");
    let [outgoing, incoming] = ring([&alice, &bob]);
    outgoing.does("ALTER HANGUP");
    outgoing.is("CANCELLED");
    incoming.is("FINISHED");
}

#[test]
fn who_is_not_there_cannot_be_called() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    bob.close();
    hear(&alice, "USER bob ONLINESTATUS OFFLINE");
    let call = Call::placed(&alice);
    call.is("FAILED");
    assert_eq!(call.get("FAILUREREASON"), "3", "offline (skype-api 4.3)");
    // And when he is there again, he can.
    let bob = open(gateway.url(), "bob");
    hear(&alice, "USER bob ONLINESTATUS ONLINE");
    let [outgoing, incoming] = ring([&alice, &bob]);
    incoming.does("ALTER ANSWER");
    outgoing.is("INPROGRESS");
}

/// That the first call is over is told late, and is no end of the second.
#[test]
fn who_hangs_up_can_call_again_at_once() {
    let gateway = Gateway::start(GatewayConfig::embedded(None)).expect("a gateway");
    let [alice, bob] = friends(&gateway);
    let mut outgoing = Call::placed(&alice);
    for number in 0..20 {
        let incoming = Call::ringing(&bob);
        outgoing.is("RINGING");
        if number % 2 == 0 {
            incoming.does("ALTER ANSWER");
            outgoing.is("INPROGRESS");
        }
        outgoing.does("ALTER HANGUP");
        outgoing = Call::placed(&alice);
        incoming.is("FINISHED");
    }
    let incoming = Call::ringing(&bob);
    incoming.does("ALTER ANSWER");
    for call in [&outgoing, &incoming] {
        call.is("INPROGRESS");
        assert_eq!(call.get("STATUS"), "INPROGRESS");
    }
}
