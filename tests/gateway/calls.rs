//! Calls, and the pages of calls.

use reqwest::blocking::Response;
use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::http;
use super::client::open;

/// Calls; what each side is told.
fn call(caller: &mut Session, callee: &mut Session) -> [Value; 2] {
    let name = callee.name.clone();
    assert!(caller.request("start_audio_chat", json!({"buid": name})));
    [caller, callee].map(|session| {
        let message = session.find(|message| message["data"]["name"] == "streams_info");
        assert_eq!(message["from"]["system"], "av");
        message["data"].clone()
    })
}

fn about(session: &mut Session, name: &str) -> Value {
    let event = session.event(name);
    assert_eq!(event["type"], "call");
    event["edata"].clone()
}

#[test]
fn a_call_is_made_known_answered_and_ended() {
    let gateway = open();
    let [mut alice, mut bob, mut phone] = ["alice", "bob", "bob"].map(|name| Session::login(&gateway, name));
    let [hers, his] = call(&mut alice, &mut bob);
    assert_eq!((&hers["type"], &hers["uid"], &his["uid"]), (&json!("call"), &json!("alice"), &json!("bob")));
    assert_eq!(about(&mut phone, "streams_info"), his["edata"], "to every login");
    let (hers, his) = (&hers["edata"], &his["edata"]);
    assert_eq!((&hers["buid"], &hers["is_initiator"]), (&json!("bob"), &json!(true)));
    assert_eq!((&his["buid"], &his["is_initiator"]), (&json!("alice"), &json!(false)));
    assert_eq!((&hers["send_stream"], &hers["recv_stream"]), (&his["recv_stream"], &his["send_stream"]));
    assert_ne!(hers["send_stream"], hers["recv_stream"]);
    assert!(hers["page"].as_str().is_some_and(|page| page.starts_with("call/")) && hers["page"] != his["page"]);

    for (session, other) in [(&mut alice, "bob"), (&mut bob, "alice")] {
        assert!(!session.request("start_audio_chat", json!({"buid": other})), "one at a time");
    }
    assert!(!alice.request("accept_audio_chat", json!({"buid": "bob"})), "her own");
    assert!(bob.request("accept_audio_chat", json!({"buid": "alice"})));
    assert!(phone.request("accept_audio_chat", json!({"buid": "alice"})), "too late, and no harm");
    assert_eq!(about(&mut alice, "answered"), json!({"buid": "bob"}));
    assert_eq!(about(&mut bob, "answered"), json!({"buid": "alice"}));
    assert_eq!(about(&mut phone, "answered"), json!({"buid": "alice"}));
    // A login that comes later knows of it.
    let mut late = Session::login(&gateway, "alice");
    assert_eq!(&about(&mut late, "streams_info"), hers);
    assert_eq!(about(&mut late, "answered"), json!({"buid": "bob"}));

    assert!(alice.request("end_audio_chat", json!({"buid": "bob"})));
    for session in [&mut bob, &mut phone] {
        assert_eq!(about(session, "ended"), json!({"buid": "alice"}));
    }
    for session in [&mut alice, &mut late] {
        assert_eq!(about(session, "ended"), json!({"buid": "bob"}));
    }
    assert!(!bob.request("end_audio_chat", json!({"buid": "alice"})), "over is over");
    assert!(alice.names().is_empty());
}

#[test]
fn who_can_be_called() {
    let gateway = open();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Session::login(&gateway, name));
    Session::login(&gateway, "carol").request("signoff_all", json!({}));
    for name in ["carol", "echo123", "nobody", "alice", "g1;"] {
        assert!(!alice.request("start_audio_chat", json!({"buid": name})), "{name}");
    }
    // A block ends a call and stops the next, in both directions.
    call(&mut alice, &mut bob);
    assert!(bob.request("block_buddy", json!({"buid": "alice"})));
    about(&mut alice, "ended");
    assert!(!alice.request("start_audio_chat", json!({"buid": "bob"})));
    assert!(!bob.request("start_audio_chat", json!({"buid": "alice"})));
    assert!(bob.request("unblock_buddy", json!({"buid": "alice"})));
    // The last login that goes ends it.
    call(&mut bob, &mut alice);
    let mut phone = Session::login(&gateway, "bob");
    assert!(phone.request("signoff_all", json!({})));
    assert!(!alice.names().contains(&"ended".to_owned()));
    assert!(bob.request("signoff_all", json!({})));
    assert_eq!(about(&mut alice, "ended"), json!({"buid": "bob"}));
}

#[test]
fn a_call_has_a_page_for_each_side() {
    let gateway = open();
    let [mut alice, mut bob] = ["alice", "bob"].map(|name| Session::login(&gateway, name));
    let [hers, his] = call(&mut alice, &mut bob).map(|event| {
        let page = event["edata"]["page"].as_str().expect("page");
        format!("{}{page}", gateway.url())
    });
    let http = http();
    let get = |page: &str| http.get(page).send().expect("get");
    let text = |page: &str| get(page).text().expect("text");
    let origin = gateway.url().trim_end_matches('/');
    let press = |page: &str, action: &str, origin: &str| -> Response {
        let form = http.post(page).header("origin", origin).form(&[("action", action)]);
        form.send().expect("post")
    };
    let answer = get(&his);
    let header = |name: &str| answer.headers()[name].to_str().expect("text").to_owned();
    let policy = header("content-security-policy");
    assert!(policy.starts_with("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
    assert_eq!((header("cache-control").as_str(), header("x-content-type-options").as_str()), ("no-store", "nosniff"));
    let page = answer.text().expect("text");
    for word in ["alice calls bob", "Ringing", "Accept", "Hang up", "no sound"] {
        assert!(page.contains(word), "{word}: {page}");
    }
    assert!(!page.contains("src=") && !page.contains("href=") && !page.contains("<script"), "{page}");
    assert!(text(&hers).contains("Ringing") && !text(&hers).contains("Accept"));

    assert_eq!(press(&his, "accept", "http://evil.example").status(), 403);
    assert_eq!(http.post(&his).form(&[("action", "accept")]).send().expect("post").status(), 403);
    assert_eq!(press(&his, "dance", origin).status(), 400);
    assert_eq!(press(&his, &"x".repeat(2_000), origin).status(), 413);
    assert!(press(&hers, "accept", origin).text().expect("text").contains("Ringing"), "not hers to accept");
    // Redirected to the page, which says how it stands.
    assert!(press(&his, "accept", origin).text().expect("text").contains("In progress"));
    about(&mut alice, "answered");
    assert!(text(&hers).contains("In progress"));
    assert!(press(&hers, "hangup", origin).text().expect("text").contains("Over"));
    about(&mut bob, "ended");
    for page in [&hers, &his, &format!("{}call/nonsense", gateway.url())] {
        let answer = get(page);
        assert_eq!(answer.status(), 404, "{page}");
        assert!(answer.text().expect("text").contains("Over"));
        assert_eq!(press(page, "accept", origin).status(), 404);
    }
    for odd in ["%0A", "%2F%2Fevil.example", "%FF", "..%2Fimo"] {
        let answer = press(&format!("{}call/{odd}", gateway.url()), "accept", origin);
        assert!(answer.status().is_client_error() && answer.url().path().starts_with("/call/"), "{odd}");
    }
}
