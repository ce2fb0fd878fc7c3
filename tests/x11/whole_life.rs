//! How a connection point comes, goes, and outlives its display.

use std::time::Duration;
use std::time::Instant;

use crate::programs::Running;
use crate::programs::alice;
use crate::programs::attached;
use crate::programs::client;
use crate::programs::compile;
use crate::programs::daemon;
use crate::programs::home;
use crate::screen::Screen;

#[test]
fn a_display_has_one_skype() {
    let (home, screen) = (home(), Screen::start());
    let first = alice(&home, &screen);
    let output = daemon(&home, &["-mx", "--data-dir", "other", "bob"]).env("DISPLAY", screen.name()).output();
    let output = output.expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.contains(screen.name()) && errors.contains("another Skype or imo2sproxy"), "{errors}");
    // The first one is not disturbed.
    let pipe = compile(&home, "pipe");
    attached(&pipe, &screen).send("#1 PING").says(&["#1 PONG"]);
    assert_eq!(first.stop(), "");
}

#[test]
fn a_display_that_is_not_there_has_status_1_and_a_cure() {
    let home = home();
    // Nobody has that many.
    let output = daemon(&home, &["-mx", "alice"]).env("SKYPEDISPLAY", ":59000").output();
    let output = output.expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.contains("cannot be reached") && errors.contains("DISPLAY"), "{errors}");
}

#[test]
fn a_display_with_a_cookie_lets_in_who_knows_it() {
    let home = home();
    let authority = home.path().join("authority");
    // Any host, any display; the numbers have their high byte first, and each text its length before it.
    let mut entry = vec![0xff, 0xff];
    for text in [&b""[..], b"", b"MIT-MAGIC-COOKIE-1", b"0123456789abcdef"] {
        entry.extend(u16::try_from(text.len()).expect("short").to_be_bytes());
        entry.extend(text);
    }
    std::fs::write(&authority, entry).expect("a file");
    let screen = Screen::start_closed(&authority);
    let arguments = ["-mx", "--display", screen.name(), "alice"];
    let output = daemon(&home, &arguments).output().expect("the program starts");
    let errors = String::from_utf8_lossy(&output.stderr);
    assert_eq!((output.status.code(), errors.lines().count()), (Some(1), 1), "{errors}");
    assert!(errors.contains(screen.name()) && errors.contains("XAUTHORITY"), "{errors}");
    let mut command = daemon(&home, &arguments);
    command.env("XAUTHORITY", &authority);
    let mut daemon = Running::start(command);
    assert_eq!(daemon.line(), format!("listening: x11 {}", screen.name()));
    assert_eq!(daemon.stop(), "");
}

#[test]
fn what_a_dead_skype_left_is_overwritten_and_what_we_leave_is_nothing() {
    let (home, screen) = (home(), Screen::start());
    let pipe = compile(&home, "pipe");
    let mut tool = Running::start(client(&pipe, &screen, &[]));
    tool.send("!stale").says(&["!stale"]);
    // Nobody says which display: SKYPEDISPLAY counts before DISPLAY.
    let mut command = daemon(&home, &["-mx", "alice"]);
    command.env("SKYPEDISPLAY", screen.name()).env("DISPLAY", ":nowhere");
    let mut daemon = Running::start(command);
    assert_eq!(daemon.line(), format!("listening: x11 {}", screen.name()));
    let mut told = attached(&pipe, &screen);
    // Who has not said its name hears nothing by itself.
    let mut silent = Running::start(client(&pipe, &screen, &[]));
    silent.send("PING").says(&["PONG"]);
    assert_eq!(daemon.stop(), "");
    told.says(&["CONNSTATUS OFFLINE", "USERSTATUS LOGGEDOUT"]);
    silent.send("!sync").says(&["!synced"]);
    for tool in [told, silent] {
        assert_eq!(tool.end(), (Vec::new(), Some(0), String::new()));
    }
    // The tool that made the property did not look for a Skype since.
    let (said, status, errors) = {
        tool.send("PING");
        tool.end()
    };
    assert_eq!((said, status), (Vec::new(), Some(1)), "{errors}");
    assert!(errors.contains("no _SKYPE_INSTANCE"), "{errors}");
}

#[test]
fn a_client_sees_its_skype_go_and_come() {
    let (home, screen) = (home(), Screen::start());
    let first = alice(&home, &screen);
    let mut skype4py = Running::start(client(&compile(&home, "skype4py"), &screen, &["watch"]));
    skype4py.says(&["attached"]);
    assert_eq!(first.stop(), "");
    skype4py.says(&["not available"]);
    let second = alice(&home, &screen);
    skype4py.says(&["done"]);
    let (said, status, errors) = skype4py.end();
    assert_eq!((said, status), (Vec::new(), Some(0)), "{errors}");
    assert_eq!(second.stop(), "");
}

#[test]
fn an_account_outlives_its_display() {
    let (home, mut screen) = (home(), Screen::start());
    let mut daemon = Running::start(daemon(&home, &["-mx", "-mc", "--display", screen.name(), "alice"]));
    daemon.wait("listening: gateway ");
    let pipe = compile(&home, "pipe");
    let mut tool = attached(&pipe, &screen);
    tool.send("#1 SET USERSTATUS AWAY").wait("#1 USERSTATUS AWAY");
    daemon.wait("USERSTATUS AWAY");
    screen.die_and_come_back();
    let mut again = Running::start(client(&pipe, &screen, &[]));
    again.send("!await").says(&["!there"]);
    // A client of before was of the display that is no more.
    again.send("GET USERSTATUS").send("NAME again").send("PROTOCOL 8").says(&["ERROR 68", "OK", "PROTOCOL 8"]);
    again.says(&["CONNSTATUS ONLINE", "CURRENTUSERHANDLE alice", "USERSTATUS AWAY"]);
    // Nothing happened meanwhile.
    daemon.send("#1 GET CONNSTATUS").says(&["#1 CONNSTATUS ONLINE"]);
    let errors = daemon.stop();
    assert!(errors.contains("display gone"), "{errors}");
    again.says(&["CONNSTATUS OFFLINE", "USERSTATUS LOGGEDOUT"]);
    assert_eq!(again.end().1, Some(0));
    // Xlib ends its program when the connection breaks.
    let (_, status, errors) = tool.end();
    assert_ne!(status, Some(0), "{errors}");
}

#[test]
fn replies_to_numbers_can_be_made_to_wait() {
    const DELAY: Duration = Duration::from_millis(150);
    let (home, screen) = (home(), Screen::start());
    let delay = DELAY.as_millis().to_string();
    let arguments = ["-mx", "--display", screen.name(), "--reply-delay", &delay, "alice"];
    let mut daemon = Running::start(daemon(&home, &arguments));
    daemon.wait("listening: gateway ");
    let mut tool = attached(&compile(&home, "pipe"), &screen);
    let asked = Instant::now();
    tool.send("#1 PING").send("PING").send("#2 PING").says(&["#1 PONG", "PONG"]);
    assert!(asked.elapsed() >= DELAY);
    let asked = Instant::now();
    tool.says(&["#2 PONG"]).send("#3 PING").says(&["#3 PONG"]);
    assert!(asked.elapsed() >= DELAY);
    assert_eq!(daemon.stop(), "");
}
