//! A gateway that is killed in the middle of its work.

use std::collections::HashMap;
use std::io::BufRead;
use std::io::BufReader;
use std::path::Path;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering;

use assert_cmd::cargo::CommandCargoExt;
use serde_json::Value;
use serde_json::json;

use super::client::Session;
use super::client::ack;
use super::client::is_empty;

fn serve(database: &Path) -> (Child, String) {
    let mut command = Command::cargo_bin("imo2skype-gateway").expect("built");
    command.args(["serve", "--listen", "127.0.0.1:0", "--open-registration", "--database"]).arg(database);
    let mut child = command.env_remove("RUST_LOG").stdout(Stdio::piped()).spawn().expect("start");
    let mut line = String::new();
    BufReader::new(child.stdout.take().expect("stdout")).read_line(&mut line).expect("line");
    let url = line.trim_end().strip_prefix("listening: gateway ").expect("an address").to_owned();
    (child, url)
}

/// Sends numbered texts to both receivers in turn until nobody answers; those that were
/// acknowledged.
fn send_until_the_end(session: &mut Session, receivers: [&str; 2], sent: &AtomicUsize) -> Vec<String> {
    let mut acknowledged = Vec::new();
    for number in 0.. {
        let text = format!("{} {number}", session.name);
        let message = session.message(session.seq, "send_im", json!({"buid": receivers[number % 2], "msg": text}));
        let data = json!({"ack": session.ack, "ssid": session.ssid, "messages": message}).to_string();
        let form = [("method", "forward_to_server"), ("data", data.as_str())];
        let answer = session.http.post(format!("{}imo", session.url)).form(&form).send();
        let Ok(text_of_answer) = answer.and_then(|answer| answer.text()) else { break };
        let Ok(answer) = serde_json::from_str::<Value>(&text_of_answer) else { break };
        session.seq += 1;
        assert!(!is_empty(&answer["data"]) || ack(&answer["data"]) == session.seq, "refused: {text_of_answer}");
        session.read(&answer["data"]);
        acknowledged.push(text);
        sent.fetch_add(1, Ordering::Relaxed);
    }
    acknowledged
}

#[test]
fn what_was_acknowledged_outlives_a_kill_and_comes_once() {
    let folder = tempfile::tempdir().expect("folder");
    let file = folder.path().join("gateway.db");
    let (mut child, url) = serve(&file);
    let mut bob = Session::login_at(&url, "bob");
    let mut senders = ["ann", "ben", "cay"].map(|name| Session::login_at(&url, name));
    assert!(senders[0].request("create_shared_group", json!({"name": "chat"})));
    let chat = senders[0].event("buddy_added")["edata"][0]["buid"].as_str().expect("buid").to_owned();
    for name in ["ben", "cay", "bob"] {
        let invitation = json!({"gid": chat.trim_end_matches(';'), "ibuid": name});
        assert!(senders[0].request("invite_to_group", invitation));
    }
    assert!(bob.request("signoff_all", json!({})));

    let sent = AtomicUsize::new(0);
    let acknowledged: Vec<Vec<String>> = std::thread::scope(|scope| {
        let threads: Vec<_> = senders
            .iter_mut()
            .map(|sender| scope.spawn(|| send_until_the_end(sender, ["bob", &chat], &sent)))
            .collect();
        while sent.load(Ordering::Relaxed) < 150 {
            std::thread::yield_now();
        }
        // SIGKILL.
        child.kill().expect("kill");
        child.wait().expect("wait");
        threads.into_iter().map(|thread| thread.join().expect("sender")).collect()
    });
    assert!(acknowledged.iter().map(Vec::len).sum::<usize>() >= 150);

    let (mut child, url) = serve(&file);
    let mut bob = Session::login_at(&url, "bob");
    let mut times = HashMap::<String, u32>::new();
    for event in bob.everything().iter().filter(|event| event["name"] == "recv_im") {
        *times.entry(event["edata"]["msg"].as_str().expect("text").to_owned()).or_default() += 1;
    }
    for text in acknowledged.iter().flatten() {
        assert_eq!(times.get(text), Some(&1), "{text}");
    }
    assert!(times.values().all(|times| *times == 1), "{times:?}");
    child.kill().expect("kill");
    child.wait().expect("wait");
}
