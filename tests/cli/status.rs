//! How a running daemon tells of itself: by its control socket, and to Prometheus.

use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::os::unix::net::UnixStream;
use std::path::Path;

use nix::sys::signal::Signal;
use serde_json::Value;
use tempfile::TempDir;

use crate::GUARD;
use crate::Plugin;
use crate::Running;
use crate::failure;
use crate::history::mode;
use crate::home;
use crate::imo2sproxy;
use crate::status;
use crate::text;

/// Asks the daemon; the exit status and what was told.
fn ask(home: &TempDir, arguments: &[&str]) -> (i32, String, String) {
    let output = imo2sproxy(home, &[&["--status"], arguments].concat()).output().expect("the program starts");
    (status(&output), text(&output.stdout), text(&output.stderr))
}

fn daemon(home: &TempDir, arguments: &[&str]) -> (Running, String) {
    let mut command = imo2sproxy(home, &[&["-p0"], arguments, &["alice"]].concat());
    command.env("IMO2SKYPE_PASSWORD", "geheim");
    let mut running = Running::start(command);
    let address = running.told("listening: skypeproxy ");
    running.told("listening: gateway ");
    (running, address)
}

#[test]
fn status_tells_of_accounts_and_clients() {
    let home = home();
    let (code, out, errors) = ask(&home, &[]);
    assert!(code == 1 && out.is_empty() && errors.contains("no imo2sproxy is running"), "{errors}");
    let (running, address) = daemon(&home, &[]);
    let mut plugin = Plugin::connect(&address);
    plugin.send("NAME pidgin").send("PROTOCOL 7").wait("USERSTATUS ONLINE");

    let (code, out, errors) = ask(&home, &[]);
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    let id = running.child.id();
    assert!(out.starts_with(&format!("imo2sproxy {}, process {id}\n", env!("CARGO_PKG_VERSION"))), "{out}");
    let peer = plugin.0.local_addr().expect("connected");
    for line in [
        "alice: running, ONLINE, ONLINE, last event ",
        &format!("  listening: skypeproxy {address}\n"),
        &format!(": pidgin, skypeproxy {peer}, protocol 7, "),
    ] {
        assert!(out.contains(line), "{line} is missing in {out}");
    }

    // Those who say nothing, or something else, are in nobody's way.
    let socket = home.path().join("data/imo2skype/control");
    assert_eq!(mode(&socket), 0o600);
    let _silent: Vec<_> = (0..5).map(|_| UnixStream::connect(&socket).expect("it listens")).collect();
    for question in ["dance\n", "a question without an end of line that is longer than any question can be....."] {
        let mut stream = UnixStream::connect(&socket).expect("it listens");
        stream.set_read_timeout(Some(GUARD)).expect("not zero");
        stream.write_all(question.as_bytes()).expect("it reads");
        let mut answer = String::new();
        // What it did not read may end the connection with an error, behind the answer.
        let _ = stream.read_to_string(&mut answer);
        assert!(answer.starts_with("{\"error\":"), "{question:?}: {answer}");
    }
    let (code, out, _) = ask(&home, &["--json"]);
    let told: Value = serde_json::from_str(&out).expect("JSON");
    let keys = |value: &Value| value.as_object().expect("an object").keys().cloned().collect::<Vec<_>>().join(" ");
    assert_eq!((code, keys(&told).as_str()), (0, "accounts pid version"));
    let account = &told["accounts"][0];
    let expected = "clients connection connection_points last_event_seconds reason state status username";
    assert_eq!(keys(account), expected);
    assert_eq!(keys(&account["clients"][0]), "name number peer protocol unread");
    assert_eq!((&account["connection"], &account["clients"][0]["name"]), (&"ONLINE".into(), &"pidgin".into()));
    // The bound of the test is the bound of the contract: everything else of it is told by `text`.
    assert!(account["last_event_seconds"].is_u64() && account["reason"].is_null(), "{out}");

    plugin.send("SET USERSTATUS OFFLINE").wait("CONNSTATUS OFFLINE");
    let (code, out, errors) = ask(&home, &[]);
    assert!(code == 1 && out.contains("alice: running, OFFLINE") && errors.contains("not online: alice"), "{out}");
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    assert!(!socket.exists());
    for arguments in [&["--json"][..], &["--status", "--control", "none"], &["--status", "--export", "x", "a"]] {
        failure(&home, arguments, 2);
    }
}

#[test]
fn a_second_daemon_leaves_the_socket_to_the_first() {
    let home = home();
    let process = |arguments: &[&str]| {
        let told: Value = serde_json::from_str(&ask(&home, &[arguments, &["--json"]].concat()).1).expect("JSON");
        told["pid"].as_u64()
    };
    let (first, _) = daemon(&home, &[]);
    let (second, _) = daemon(&home, &["--data-dir", "other", "--control", "data/imo2skype/control"]);
    let (third, _) = daemon(&home, &["--data-dir", "third", "--control", "here"]);
    assert_eq!(process(&[]), Some(first.child.id().into()));
    assert_eq!(process(&["--control", "here"]), Some(third.child.id().into()));
    let (code, errors) = second.stop(Signal::SIGTERM);
    assert!(code == 0 && errors.contains("warning: another imo2sproxy has the control socket"), "{errors}");
    assert_eq!(process(&[]), Some(first.child.id().into()), "taken away by one who did not have it");
    // A daemon that was killed leaves one that nobody listens at.
    let mut first = first;
    first.signal(Signal::SIGKILL);
    first.child.wait().expect("it ends");
    assert!(home.path().join("data/imo2skype/control").exists());
    assert_eq!(ask(&home, &[]).0, 1);
    let (again, _) = daemon(&home, &[]);
    assert_eq!(process(&[]), Some(again.child.id().into()));
    for running in [third, again] {
        let (code, errors) = running.stop(Signal::SIGTERM);
        assert_eq!((code, errors.as_str()), (0, ""));
    }
    // What was named has to be there.
    std::fs::write(home.path().join("file"), "precious").expect("a file");
    for place in ["nowhere/control", "file"] {
        let errors = failure(&home, &["-p0", "--control", place, "alice", "geheim"], 1);
        assert!(errors.contains(place) && errors.contains("--control"), "{errors}");
    }
    assert_eq!(std::fs::read_to_string(home.path().join("file")).expect("there"), "precious");
}

/// What is answered to a request for this page.
fn http(address: &str, request: &str) -> String {
    let mut stream = TcpStream::connect(address).expect("it listens");
    stream.set_read_timeout(Some(GUARD)).expect("not zero");
    write!(stream, "{request} HTTP/1.1\r\nHost: {address}\r\nConnection: close\r\n\r\n").expect("it reads");
    let mut answer = String::new();
    stream.read_to_string(&mut answer).expect("UTF-8");
    answer
}

#[test]
fn prometheus_is_told_numbers_and_no_text() {
    let home = home();
    let (mut running, address) = daemon(&home, &["--metrics", "127.0.0.1:0", "--control", "none"]);
    let metrics = running.told("listening: metrics http://");
    let metrics = metrics.strip_suffix("/metrics").expect("the page");
    let mut plugin = Plugin::connect(&address);
    plugin.send("PROTOCOL 7").wait("USERSTATUS ONLINE");
    plugin.send("MESSAGE echo123 Sesam");
    while !plugin.wait("CHATMESSAGE ").ends_with("STATUS RECEIVED") {}
    let page = http(metrics, "GET /metrics");
    assert!(page.starts_with("HTTP/1.1 200 ") && page.contains("content-type: application/openmetrics-text"), "{page}");
    for line in [
        "imo2sproxy_accounts{state=\"running\"} 1",
        "imo2sproxy_accounts{state=\"failed\"} 0",
        "imo2sproxy_online{account=\"alice\"} 1",
        "imo2sproxy_connection{account=\"alice\",status=\"ONLINE\"} 1",
        "imo2sproxy_clients{account=\"alice\",connection_point=\"skypeproxy\"} 1",
        "imo2sproxy_commands_total{account=\"alice\"} 2",
        "imo2sproxy_messages_sent_total{account=\"alice\"} 1",
        "imo2sproxy_messages_received_total{account=\"alice\"} 1",
    ] {
        assert!(page.lines().any(|known| known == line), "{line} is missing in {page}");
    }
    for name in ["lines_total", "unread_lines", "unread_lines_max", "last_event_age_seconds"] {
        assert!(page.contains(&format!("\nimo2sproxy_{name}{{account=\"alice\"}} ")), "{name} is missing in {page}");
    }
    assert!(page.contains("\nimo2sproxy_start_time_seconds "), "{page}");
    assert!(!page.contains("Sesam") && !page.contains("geheim"), "{page}");
    assert!(http(metrics, "GET /").starts_with("HTTP/1.1 404 "));
    assert!(http(metrics, "POST /metrics").starts_with("HTTP/1.1 405 "));
    assert_eq!(running.stop(Signal::SIGTERM).0, 0);
    assert!(!Path::new(&home.path().join("data/imo2skype/control")).exists(), "none was wanted");
    let errors = failure(&home, &["-p0", "--metrics", "0.0.0.0:0", "alice", "geheim"], 2);
    assert!(errors.contains("metrics: 0.0.0.0:0 can be reached from other machines"), "{errors}");
}
