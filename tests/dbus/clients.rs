//! Every kind of client, one after the other, on one daemon.

use crate::Bob;
use crate::Bus;

#[test]
fn every_client_is_served_as_it_expects() {
    let bus = Bus::session();
    let daemon = bus.daemon(&[]);
    let _bob = Bob::friend_of(&daemon.gateway);
    for script in ["small.py", "skype4py.py", "libskype.py", "kopete.py", "java.py", "leaves.py"] {
        assert_eq!(bus.client_succeeds(script, &[]), "ok\n", "{script}");
    }
    // Every connection that has sent a command was a client, and went as one.
    let mut attached = 0;
    for _ in 0..2 * 11 {
        let line = daemon.running.complains("client ");
        attached += usize::from(line.contains("client attached"));
        assert!(line.contains("client attached") || line.contains("client gone"), "{line}");
    }
    assert_eq!(attached, 11);
    let (status, errors) = daemon.running.stop();
    assert_eq!((status, errors), (0, vec![]));
}

#[test]
fn replies_wait_for_slow_clients_and_nobody_else_does() {
    let bus = Bus::session();
    let daemon = bus.daemon(&["--reply-delay", "400"]);
    assert_eq!(bus.client_succeeds("slow.py", &[]), "ok\n");
    assert_eq!(daemon.running.stop().0, 0);
}
