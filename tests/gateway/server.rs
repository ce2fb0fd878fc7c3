//! The server itself: pages, polls, what is no request, how it starts and stops.

use std::io::Cursor;
use std::io::Read;
use std::io::Write;
use std::net::TcpStream;
use std::path::Path;
use std::time::Duration;

use imo2skype::Error;
use imo2skype::Gateway;
use imo2skype::GatewayConfig;
use imo2skype::TlsFiles;
use reqwest::blocking::Body;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::http;
use super::client::is_empty;
use super::client::open;
use super::client::post;
use super::client::trusting;

#[test]
fn the_pages() {
    let gateway = open();
    Session::login(&gateway, "alice");
    let http = http();
    let get = |path: &str| http.get(format!("{}{path}", gateway.url())).send().expect("get");
    let start = get("");
    let cookie = start.headers()["set-cookie"].to_str().expect("text").to_owned();
    assert!(cookie.contains("HttpOnly") && cookie.contains("SameSite"), "{cookie}");
    assert!(start.text().expect("text").contains("imo2skype gateway"));
    let health: Value = serde_json::from_str(&get("healthz").text().expect("text")).expect("json");
    assert_eq!((&health["status"], &health["sessions"]), (&json!("ok"), &json!(1)));
    let metrics = get("metrics").text().expect("text");
    assert!(metrics.contains("imo2skype_gateway_sessions 1"), "{metrics}");
    for path in ["b/a1b2c3", "nothing", "imo/../../etc/passwd"] {
        assert_eq!(get(path).status(), 404, "{path}");
    }
    assert_eq!(get("imo").status(), 405);
}

#[test]
fn what_stops_a_start_is_said_with_its_cure() {
    let gateway = open();
    let taken = gateway.url().trim_start_matches("http://").trim_end_matches('/').to_owned();
    let mut config = GatewayConfig::default();
    config.listen.clone_from(&taken);
    let error = Gateway::start(config.clone()).expect_err("taken");
    assert!(matches!(error, Error::InvalidArgument { name: "listen", .. }), "{error:?}");
    assert!(error.to_string().contains(&taken) && error.to_string().contains("choose another port"), "{error}");
    config.listen = "nonsense".to_owned();
    let error = Gateway::start(config.clone()).expect_err("no address").to_string();
    assert!(error.contains("nonsense") && error.contains("127.0.0.1:8014"), "{error}");
    let folder = tempfile::tempdir().expect("folder");
    config.listen = "127.0.0.1:0".to_owned();
    config.database = Some(folder.path().join("no/such/gateway.db"));
    let error = Gateway::start(config).expect_err("no folder");
    assert!(matches!(error, Error::Store { .. }) && error.chain().contains("no/such"), "{error:?}");
}
#[test]
fn what_is_no_request_is_answered_and_does_no_harm() {
    let gateway = open();
    let url = gateway.url();
    let mut alice = Session::login(&gateway, "alice");
    let http = http();
    let deep = format!("{{\"messages\":{}1{}}}", "[".repeat(5_000), "]".repeat(5_000));
    let ssid = alice.ssid.clone();
    let table = [
        ("forward_to_server", "".to_owned(), "JSON"),
        ("forward_to_server", "{".to_owned(), "JSON"),
        ("forward_to_server", "[1]".to_owned(), "object"),
        ("forward_to_server", "7".to_owned(), "object"),
        ("forward_to_server", "\"\\ud83d\"".to_owned(), "JSON"),
        ("forward_to_server", deep, "JSON"),
        ("forward_to_server", "{}".to_owned(), "messages"),
        ("forward_to_server", json!({"messages": []}).to_string(), "ssid"),
        ("forward_to_server", json!({"ssid": 0, "messages": []}).to_string(), "ssid"),
        ("forward_to_server", json!({"ssid": ssid, "messages": {}}).to_string(), "messages"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [5]}).to_string(), "objects"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [{"seq": -1, "data": {}}]}).to_string(), "seq"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [{"seq": 1.5, "data": {}}]}).to_string(), "seq"),
        ("forward_to_server", json!({"ssid": ssid, "messages": [{"seq": 1, "data": 5}]}).to_string(), "data"),
        ("rest_rpc", "{}".to_owned(), "get_cookie_and_ssid"),
        ("dance", "{}".to_owned(), "forward_to_server"),
    ];
    for (method, data, word) in table {
        let answer = post(&http, url, method, &data);
        assert_eq!(answer.status(), 400, "{data}");
        let text = answer.text().expect("text");
        let answer: Value = serde_json::from_str(&text).expect("json");
        assert!(answer["error"].as_str().expect("error").contains(word), "{text}");
    }
    let form = "application/x-www-form-urlencoded";
    let raw = |body: Vec<u8>, kind: &str| {
        let request = http.post(format!("{url}imo")).header("content-type", kind).body(body);
        request.send().map(|answer| answer.status().as_u16())
    };
    assert_eq!(raw(b"method=echo&data=%FF".to_vec(), form).expect("answer"), 400);
    assert_eq!(raw(b"method=echo&data=\xff".to_vec(), form).expect("answer"), 400);
    assert_eq!(raw(vec![0xff; 4_096], form).expect("answer"), 400);
    assert_eq!(raw(b"method=echo".to_vec(), form).expect("answer"), 400);
    assert_eq!(raw(b"method=echo&data={}".to_vec(), "text/plain").expect("answer"), 415);
    assert_eq!(raw(b"method=echo&data={}".to_vec(), form).expect("answer"), 200);
    // Refused by its announced length, before it is read.
    let address = url.trim_start_matches("http://").trim_end_matches('/');
    let mut socket = TcpStream::connect(address).expect("connect");
    let head = format!("POST /imo HTTP/1.1\r\nHost: x\r\nContent-Type: {form}\r\nContent-Length: 4294967295\r\n\r\n");
    socket.write_all(head.as_bytes()).expect("write");
    let mut line = [0; 12];
    socket.read_exact(&mut line).expect("read");
    assert_eq!(&line, b"HTTP/1.1 413");
    // No HTTP at all.
    let mut socket = TcpStream::connect(address).expect("connect");
    socket.write_all(&[0xff; 512]).expect("write");
    drop(socket);
    assert!(alice.send("echo123", "alive"));
    alice.event("recv_im");
}

#[test]
fn a_stop_answers_the_polls_that_are_held() {
    let gateway = open();
    let alice = Session::login(&gateway, "alice");
    let url = gateway.url().to_owned();
    std::thread::scope(|scope| {
        let held = scope.spawn(|| alice.envelope(json!([])));
        let metrics = || http().get(format!("{url}metrics")).send().expect("get").text().expect("text");
        while !metrics().contains("polls_held 1") {}
        gateway.stop();
        assert!(is_empty(&held.join().expect("answered")));
    });
    assert!(http().get(&url).send().is_err(), "nobody listens any more");
}

#[test]
fn a_new_poll_ends_the_old_and_an_idle_one_ends_by_itself() {
    let mut config = GatewayConfig::embedded(None);
    config.poll_limit = Duration::from_millis(50);
    let gateway = Gateway::start(config).expect("start");
    let mut alice = Session::login(&gateway, "alice");
    alice.poll();
    assert!(is_empty(&alice.envelope(json!([]))));

    let gateway = open();
    let alice = Session::login(&gateway, "alice");
    std::thread::scope(|scope| {
        let old = scope.spawn(|| alice.envelope(json!([])));
        // A metric tells when it is held.
        let held = || http().get(format!("{}metrics", gateway.url())).send().expect("get").text().expect("text");
        while !held().contains("polls_held 1") {}
        let new = scope.spawn(|| alice.envelope(json!([])));
        assert!(is_empty(&old.join().expect("old")));
        let message = alice.message(alice.seq, "change_buddy_alias", json!({"buid": "echo123", "alias": "Echo"}));
        assert!(is_empty(&alice.envelope(message)), "events are for the poll");
        assert!(!is_empty(&new.join().expect("new")));
    });
}

#[test]
fn what_is_too_long_is_refused_and_the_client_goes_on() {
    let gateway = open();
    let mut alice = Session::login(&gateway, "alice");
    let url = format!("{}imo", gateway.url());
    let form = "application/x-www-form-urlencoded";
    for size in [(1 << 20) + 1, 2 << 20, 5 << 20] {
        for chunked in [false, true] {
            let body = vec![b'x'; size];
            let request = alice.http.post(&url).header("content-type", form);
            let request = if chunked { request.body(Body::new(Cursor::new(body))) } else { request.body(body) };
            let answer = request.send().expect("an answer");
            assert_eq!(answer.status(), 413, "{size} {chunked}");
            assert!(answer.text().expect("text").contains("1 MiB"));
            assert!(alice.send("echo123", "next"), "{size} {chunked}");
        }
    }
    // The longest message fits, however it is escaped.
    assert!(alice.send("echo123", &"\u{1}".repeat(65_536)));
}

#[test]
fn https_is_served_with_the_certificate_that_was_named() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/tls");
    let files = TlsFiles { cert: folder.join("here.pem"), key: folder.join("here.key") };
    let gateway = Gateway::start_tls(GatewayConfig::embedded(None), &files).expect("start");
    assert!(gateway.url().starts_with("https://127.0.0.1:"), "{}", gateway.url());
    let authority = CertificateDer::from_pem_file(folder.join("ca.pem")).expect("certificate");
    let trusting = trusting([authority]);
    let start = trusting.get(gateway.url()).send().expect("page");
    assert!(start.headers()["set-cookie"].to_str().expect("text").contains("Secure"));
    assert_eq!(post(&trusting, gateway.url(), "echo", "{}").status(), 200);
    assert!(http().get(gateway.url()).send().is_err(), "not for who does not trust it");
    assert!(http().get(gateway.url().replace("https", "http")).send().is_err(), "nothing goes unprotected");
}
