//! A history that is written out and read in.

use std::fs::read_to_string;

use tempfile::TempDir;

use crate::failure;
use crate::history::Daemon;
use crate::history::mode;
use crate::home;
use crate::imo2sproxy;
use crate::pipe;
use crate::status;
use crate::text;

/// Runs the program to a good end; what it writes.
fn good(home: &TempDir, arguments: &[&str], input: &str) -> (String, String) {
    let output = pipe(imo2sproxy(home, arguments), input);
    assert_eq!(status(&output), 0, "{arguments:?}: {output:?}");
    (text(&output.stdout), text(&output.stderr))
}

#[test]
fn a_history_moves_to_another_place_with_every_number() {
    let home = home();
    let path = |name: &str| home.path().join(name);
    let mut daemon = Daemon::start(&home, &[]);
    daemon.talk();
    let said = daemon.ask("SEARCH CHATMESSAGES");
    // Written out while the daemon goes on; read in only without it.
    good(&home, &["--export", "running", "alice"], "");
    assert!(read_to_string(path("running")).expect("there").starts_with("{\"imo2skype_history\":1,"));
    assert_eq!(mode(&path("running")), 0o600);
    let errors = failure(&home, &["--import", "running", "alice"], 1);
    assert!(errors.contains("imo-alice.db") && errors.contains("in use"), "{errors}");
    assert_eq!(daemon.ask("PING"), "#1 PONG");
    daemon.stop();

    let (whole, _) = good(&home, &["--export", "-", "Alice"], "");
    let elsewhere = ["--data-dir", "elsewhere"];
    let (_, told) = good(&home, &[&elsewhere[..], &["--import", "-", "alice"]].concat(), &whole);
    assert!(!told.contains(" 0 of them"), "{told}");
    assert_eq!(mode(&path("elsewhere/history/imo-alice.db")), 0o600);
    let (again, _) = good(&home, &[&elsewhere[..], &["--export", "-", "alice"]].concat(), "");
    assert_eq!(again, whole);
    let (_, told) = good(&home, &[&elsewhere[..], &["--import", "-", "alice"]].concat(), &whole);
    assert!(told.contains(" 0 of them were new"), "{told}");
    let mut daemon = Daemon::start(&home, &elsewhere);
    assert_eq!(daemon.ask("SEARCH CHATMESSAGES"), said);
    daemon.stop();
}

#[test]
fn what_cannot_be_moved_is_told_and_leaves_all_as_it_was() {
    let home = home();
    let path = |name: &str| home.path().join(name);
    std::fs::write(path("text"), "earlier").expect("a file");
    let errors = failure(&home, &["--export", "text", "alice"], 1);
    assert!(errors.contains("imo-alice.db") && errors.contains("No such file"), "{errors}");
    assert_eq!(read_to_string(path("text")).expect("there"), "earlier");
    assert!(!path("text.part").exists() && !path("data").exists());
    let errors = failure(&home, &["--history", "here.db", "--import", "text", "alice"], 1);
    assert!(errors.contains("text: line 1: "), "{errors}");
    let errors = failure(&home, &["--history", "here.db", "--import", "nowhere", "alice"], 1);
    assert!(errors.contains("nowhere: No such file"), "{errors}");
    assert!(!path("here.db").exists());
}

#[test]
fn which_history_has_to_be_clear() {
    let home = home();
    let accounts = "[[account]]\nusername = 'alice'\n[[account]]\nusername = 'bob'\nhistory = 'bob.db'\n";
    std::fs::write(home.path().join("config"), accounts).expect("a file");
    let table: &[(&[&str], &str)] = &[
        (&["--export", "a", "--import", "b", "alice"], "cannot be used with"),
        (&["--export", "a", "alice", "secret"], "cannot be used with"),
        (&["--import", "a", "alice", "secret"], "cannot be used with"),
        (&["--export", "a"], "USERNAME"),
        (&["--history", "memory", "--export", "a", "alice"], "memory"),
        (&["--history", "memory", "--import", "a", "alice"], "memory"),
        (&["--config", "config", "--export", "a"], "USERNAME"),
        (&["--config", "config", "--import", "a"], "USERNAME"),
    ];
    for (arguments, hint) in table {
        let errors = failure(&home, arguments, 2);
        assert!(errors.contains(hint), "{arguments:?}: {errors}");
    }
    let errors = failure(&home, &["--config", "config", "--export", "a", "bob"], 1);
    assert!(errors.contains("bob.db"), "{errors}");
}
