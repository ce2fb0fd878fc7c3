//! The accounts of a daemon, and the clients that each lets in.

use std::process::Command;

use nix::sys::signal::Signal;

use crate::Plugin;
use crate::Running;
use crate::dead_port;
use crate::home;
use crate::imo2sproxy;
use crate::reload::Daemon;
use crate::reload::table;
use crate::reload::write;
use crate::status;
use crate::text;

#[test]
fn clients_may_do_what_the_file_grants_their_name() {
    let home = home();
    let config = "allow_clients = 'known'\nport = 0\nkeep_online = true\n\
                  [[client]]\nname = 'Kopete'\nallow = ['read', 'contacts']\n\
                  [[client]]\nname = 'writer'\nallow = ['send']\n";
    std::fs::write(home.path().join("config"), config).expect("a file");
    let mut running = Running::start(imo2sproxy(&home, &["--config", "config", "alice", "secret"]));
    let address = running.told("listening: skypeproxy ");
    let [mut nobody, mut kopete, mut writer] = std::array::from_fn(|_| Plugin::connect(&address));
    assert_eq!(nobody.send("PING").line(), "PONG");
    assert_eq!(nobody.send("#1 PROTOCOL 7").line(), "#1 ERROR 68");
    assert_eq!(nobody.send("#2 NAME kopete").line(), "#2 ERROR 68");
    assert_eq!(kopete.send("NAME Kopete").line(), "OK");
    kopete.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    assert_eq!(kopete.send("#1 MESSAGE echo123 hi").line(), "#1 ERROR 68");
    assert_eq!(writer.send("NAME writer").line(), "OK");
    writer.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    // Who may write does not hear the echo, which comes before the answer to what is asked then.
    assert!(writer.send("#1 MESSAGE echo123 hi").line().starts_with("#1 CHATMESSAGE "));
    while !kopete.wait("CHATMESSAGE ").ends_with(" STATUS RECEIVED") {}
    assert_eq!(writer.send("#2 SEARCH FRIENDS").line(), "#2 ERROR 68");
    // Who goes leaves the account to the others.
    assert_eq!(kopete.send("#2 SET USERSTATUS OFFLINE").wait("#2"), "#2 USERSTATUS OFFLINE");
    assert_eq!(kopete.wait("USERSTATUS"), "USERSTATUS OFFLINE");
    assert_eq!(writer.send("#3 GET USERSTATUS").line(), "#3 USERSTATUS ONLINE");
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
}

/// What is said of a configuration that is not good, when it is looked at and when it is started.
fn told(config: &str) -> [String; 2] {
    let home = home();
    std::fs::write(home.path().join("config"), config).expect("a file");
    [(&["--check-config"][..], 2), (&[], 1)].map(|(arguments, expected)| {
        let mut command: Command = imo2sproxy(&home, &[&["--config", "config"], arguments].concat());
        command.env("IMO2SKYPE_PASSWORD", "secret").env("DBUS_SESSION_BUS_ADDRESS", "unix:path=/nowhere");
        let output = command.output().expect("the program starts");
        let errors = text(&output.stderr);
        assert_eq!(status(&output), expected, "{config}: {errors}");
        errors
    })
}

#[test]
fn what_there_is_once_belongs_to_one_account() {
    // Nobody can be reached there: none goes on, whether it gets its place or not.
    let nowhere = format!("server = 'http://127.0.0.1:{}/'\n", dead_port());
    let port = dead_port().to_string();
    for (alice, bob, key, place) in [
        ("port = PORT", "port = PORT", "port", "127.0.0.1:PORT"),
        ("port = PORT", "mode = 'n'\nskypenet_port = PORT", "skypenet_port", "127.0.0.1:PORT"),
        ("mode = 'n'\nskypenet_port = PORT", "mode = 'n'\nskypenet_port = PORT", "skypenet_port", "127.0.0.1:PORT"),
        ("mode = 'l'\nskyped_port = PORT", "mode = 'l'\nskyped_port = PORT", "skyped_port", "127.0.0.1:PORT"),
        ("socket = '/nowhere/s'", "socket = '/nowhere/s'", "socket", "/nowhere/s"),
        ("mode = 'x'\ndisplay = ':4711'", "mode = 'x'\ndisplay = ':4711.0'", "display", ":4711.0"),
        ("mode = 'd'", "mode = ['s', 'd']\nport = 0", "mode", "com.Skype.API (session bus)"),
        ("mode = 'c'", "mode = 'c'", "mode", "the console"),
        ("port = 0\nhistory = 'h'", "port = 0\nhistory = './h'", "history", "/h"),
    ] {
        let [alice, bob, place] = [alice, bob, place].map(|text| text.replace("PORT", &port));
        let tables = format!("{}{alice}\n{}{bob}\n", table("alice"), table("bob"));
        for errors in told(&format!("{nowhere}{tables}")) {
            let cure = format!("{place} belongs to alice already; give one of the two another {key}");
            let line = errors.lines().find(|line| line.contains(&format!("bob: {key}: ")) && line.contains(&cure));
            assert!(line.is_some(), "{cure:?} is not said of {tables}: {errors}");
        }
    }
    for errors in told(&format!("{nowhere}port = 0\n{}{}", table("alice"), table("Alice"))) {
        assert!(errors.contains("Alice: username: alice on imo http://127.0.0.1:"), "{errors}");
    }
    // The same bus or port, in another place.
    let apart = "mode = ['d', 's']\ndbus_system = true\nhost = '127.0.0.2'\nport = 1402";
    let tables = format!("{}mode = ['d', 'n']\nskypenet_port = 1402\n{}{apart}\n", table("alice"), table("bob"));
    let home = home();
    std::fs::write(home.path().join("config"), tables).expect("a file");
    let mut command = imo2sproxy(&home, &["--check-config", "--config", "config"]);
    let output = command.env("IMO2SKYPE_PASSWORD", "secret").output().expect("the program starts");
    let places = "alice: imo, embedded gateway, skypenet 127.0.0.1:1402, dbus com.Skype.API (session bus)\n\
                  bob: imo, embedded gateway, skypeproxy 127.0.0.2:1402, dbus com.Skype.API (system bus)\n";
    assert!(text(&output.stdout).ends_with(places), "{output:?}");
}

#[test]
fn a_wrong_password_is_the_trouble_of_one_account() {
    let home = home();
    let password = |text: &str| std::fs::write(home.path().join("bobs"), text).expect("a file");
    password("geheim");
    write(&home, &format!("{}{}password_file = 'bobs'\n", table("alice"), table("bob")));
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let mut plugin = Plugin::connect(&daemon.listens("alice"));
    Plugin::connect(&daemon.listens("bob")).send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    password("falsch");
    daemon.reload();
    let refused = |daemon: Daemon| {
        daemon.says("bob: ");
        Daemon::stands(&home, &[("alice", "running"), ("bob", "failed")]);
        let output = imo2sproxy(&home, &["--status"]).output().expect("the program starts");
        let told = text(&output.stdout);
        assert!(
            told.lines().any(|line| line.starts_with("bob: failed: ") && line.contains("wrong user name")),
            "{told}"
        );
        assert!(!told.contains("falsch") && !told.contains("geheim"), "{told}");
        assert_eq!((status(&output), text(&output.stderr)), (1, "imo2sproxy: not online: bob\n".to_owned()));
        daemon
    };
    daemon = refused(daemon);
    assert_eq!(plugin.send("#1 PING").wait("#1"), "#1 PONG");
    daemon.stop();
    let mut daemon = Daemon::start(&home, &["--config", "config"]);
    let mut plugin = Plugin::connect(&daemon.listens("alice"));
    daemon = refused(daemon);
    password("geheim");
    daemon.reload();
    daemon.listens("bob");
    assert_eq!(plugin.send("#1 PING").wait("#1"), "#1 PONG");
    daemon.stop();
}
