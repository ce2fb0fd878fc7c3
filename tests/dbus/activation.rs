//! What is installed: the file by which a bus starts the daemon, and the policy for the system bus.

use std::fs;
use std::path::Path;
use std::process::Command;

use nix::sys::signal::Signal;

use crate::Bob;
use crate::Bus;
use crate::Running;
use crate::SESSION;
use crate::imo2sproxy;
use crate::root;
use crate::signal;

/// What the system bus allows anybody; the rest is for policies.
const SYSTEM: &str = r#"<type>system</type><policy context="default"><allow user="*"/><deny own="*"/>
    <deny send_type="method_call"/><allow send_type="signal"/>
    <allow send_requested_reply="true" send_type="method_return"/>
    <allow send_requested_reply="true" send_type="error"/>
    <allow receive_type="method_call"/><allow receive_type="method_return"/><allow receive_type="error"/>
    <allow receive_type="signal"/><allow send_destination="org.freedesktop.DBus"/></policy>"#;

/// What `id` says.
fn who(option: &str) -> String {
    let output = Command::new("id").arg(option).output().expect("id");
    String::from_utf8(output.stdout).expect("UTF-8").trim().to_owned()
}

fn dist(name: &str) -> String {
    fs::read_to_string(root().join("dist/dbus").join(name)).expect("a file of the package")
}

#[test]
fn a_bus_starts_the_daemon_when_a_client_looks_for_a_skype() {
    let home = tempfile::tempdir().expect("a temporary folder");
    let settings = home.path().join(".config/imo2skype");
    fs::create_dir_all(&settings).expect("a folder");
    let process = home.path().join("process");
    fs::write(settings.join("password"), "secret\n").expect("a file");
    let text = format!(
        "username = 'alice'\npassword_file = '{}'\nmode = 'd'\nhistory = 'memory'\npid_file = '{}'\n",
        settings.join("password").display(),
        process.display()
    );
    fs::write(settings.join("imo2sproxy.toml"), text).expect("a file");
    let program = imo2sproxy();
    let folder = program.parent().and_then(Path::to_str).expect("UTF-8");
    let service = dist("com.Skype.API.service.in").replace("@bindir@", folder);
    let bus = Bus::start(SESSION, &service, &[("HOME", home.path())], false);
    assert!(!process.exists());
    let replies = bus.client_succeeds("invoke.py", &["NAME x", "PROTOCOL 8", "GET CURRENTUSERHANDLE"]);
    assert_eq!(replies, "OK\nPROTOCOL 8\nCURRENTUSERHANDLE alice\n");
    let number = fs::read_to_string(&process).expect("the daemon runs").trim().parse().expect("a number");
    let mut waits = Running::start(&mut bus.client("waits.py", &[]), "/usr/bin/python3");
    waits.told("waiting");
    waits.told("attached");
    signal(number, Signal::SIGTERM);
    let (status, errors) = waits.status();
    assert_eq!(status, 0, "{errors:#?}");
}

#[test]
fn the_policy_lets_one_user_be_a_skype_and_a_group_use_it() {
    let (user, group) = (who("-un"), who("-gn"));
    let policy = dist("com.Skype.API.conf");
    let policy = policy.split_once("<busconfig>").and_then(|(_, rest)| rest.split_once("</busconfig>"));
    let policy = policy.expect("a configuration").0;
    let mine = policy
        .replace("user=\"imo2skype\"", &format!("user=\"{user}\""))
        .replace("group=\"imo2skype\"", &format!("group=\"{group}\""));
    let bus = Bus::start(&format!("{SYSTEM}{mine}"), "", &[], true);
    let daemon = bus.daemon(&["--dbus-system"]);
    let bob = Bob::friend_of(&daemon.gateway);
    assert_eq!(bus.client_succeeds("small.py", &[]), "ok\n");
    drop(bob);
    assert_eq!(daemon.running.stop().0, 0);

    // For who is not that user, the policy as it is.
    let bus = Bus::start(&format!("{SYSTEM}{policy}"), "", &[], true);
    let output = bus.daemon_command(&["--dbus-system"]).output().expect("the program starts");
    let errors = String::from_utf8(output.stderr).expect("UTF-8");
    assert_eq!(output.status.code(), Some(1), "{errors}");
    let refused = "imo2sproxy: dbus: the system bus does not let this user own com.Skype.API; install the policy";
    assert!(errors.starts_with(refused), "{errors}");

    // And who is not of the group, is not heard.
    let own = mine.replace("<allow send_destination=\"com.Skype.API\"/>", "");
    let bus = Bus::start(&format!("{SYSTEM}{own}"), "", &[], true);
    let daemon = bus.daemon(&["--dbus-system"]);
    let output = bus.client("invoke.py", &["NAME x"]).output().expect("python3");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success() && errors.contains("AccessDenied"), "{errors}");
    assert_eq!(daemon.running.stop().0, 0);
}
