//! Who has the name, and what happens when somebody goes: a client, the daemon, the bus.

use crate::Bus;
use crate::Running;

#[test]
fn a_client_from_before_the_daemon_hears_of_its_beginning_and_its_end() {
    let bus = Bus::session();
    let mut waits = Running::start(&mut bus.client("waits.py", &[]), "/usr/bin/python3");
    waits.told("waiting");
    let daemon = bus.daemon(&[]);
    waits.told("attached");
    let (status, _) = daemon.running.stop();
    assert_eq!(status, 0);
    let (status, errors) = waits.status();
    assert_eq!(status, 0, "{errors:#?}");
}

#[test]
fn the_name_of_another_is_told_with_its_process_and_the_cure() {
    let bus = Bus::session();
    let daemon = bus.daemon(&[]);
    let output = bus.daemon_command(&["--data-dir", "other"]).output().expect("the program starts");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{errors}");
    assert!(output.stdout.is_empty(), "{:?}", output.stdout);
    let start = "imo2sproxy: dbus: com.Skype.API on the session bus is owned by :1.";
    let process = format!("(process {})", daemon.running.id());
    assert!(errors.starts_with(start) && errors.contains(&process) && errors.contains("--dbus-system"), "{errors}");
    assert_eq!(errors.lines().count(), 1, "{errors}");
    // The first goes on.
    assert_eq!(bus.client_succeeds("invoke.py", &["NAME x", "PING"]), "OK\nPONG\n");
}

#[test]
fn without_a_bus_the_variable_is_named() {
    let mut bus = Bus::session();
    // It is too young to be asked.
    drop(bus.process.take());
    for (arguments, system) in [(&[][..], false), (&["--dbus-system"][..], true)] {
        bus.system = system;
        let output = bus.daemon_command(arguments).output().expect("the program starts");
        let errors = String::from_utf8(output.stderr).expect("UTF-8");
        let (kind, variable) =
            if system { ("system", "DBUS_SYSTEM_BUS_ADDRESS") } else { ("session", "DBUS_SESSION_BUS_ADDRESS") };
        assert_eq!(output.status.code(), Some(1), "{errors}");
        assert!(errors.starts_with(&format!("imo2sproxy: dbus: cannot reach the {kind} bus: ")), "{errors}");
        assert!(errors.contains(&format!("{variable} is {}", bus.address())), "{errors}");
    }
}

#[test]
fn a_bus_that_comes_back_is_found_again_and_one_that_does_not_holds_nobody_up() {
    let mut bus = Bus::session();
    let daemon = bus.daemon(&[]);
    let asked = ["NAME x", "PROTOCOL 8", "SET PROFILE MOOD_TEXT kept", "GET PROFILE MOOD_TEXT"];
    let before = bus.client_succeeds("invoke.py", &asked);
    assert!(before.ends_with("PROFILE MOOD_TEXT kept\n"), "{before}");
    bus.process.take().expect("it runs").stop();
    daemon.running.complains("the session bus has gone");
    bus.run(&[]);
    daemon.running.complains("com.Skype.API is on the session bus again");
    // The account was there all the time.
    let after = bus.client_succeeds("invoke.py", &["NAME x", "PROTOCOL 8", "GET PROFILE MOOD_TEXT", "GET CONNSTATUS"]);
    assert_eq!(after, "OK\nPROTOCOL 8\nPROFILE MOOD_TEXT kept\nCONNSTATUS ONLINE\n");
    bus.process.take().expect("it runs").stop();
    daemon.running.complains("the session bus has gone");
    daemon.running.complains("not on the bus yet");
    assert_eq!(daemon.running.stop().0, 0);
}
