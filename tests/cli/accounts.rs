//! The accounts of a daemon, and the clients that each lets in.

use nix::sys::signal::Signal;

use crate::Plugin;
use crate::Running;
use crate::failure;
use crate::home;
use crate::imo2sproxy;

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

#[test]
fn two_accounts_cannot_have_one_port() {
    let home = home();
    std::fs::write(home.path().join("secret"), "secret").expect("a file");
    for (place, text) in [("port = 1401", "port: 1401 of 127.0.0.1"), ("socket = '/s'", "socket: /s")] {
        let tables = "[[account]]\nusername = 'alice'\n[[account]]\nusername = 'bob'\n";
        std::fs::write(home.path().join("config"), format!("password_file = 'secret'\n{place}\n{tables}"))
            .expect("a file");
        let errors = failure(&home, &["--config", "config"], 2);
        assert!(errors.contains(text) && errors.contains("both alice and bob"), "{errors}");
    }
}
