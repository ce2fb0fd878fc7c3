use std::collections::BTreeMap;
use std::collections::BTreeSet;
use std::path::Path;

use proptest::prelude::*;
use rusqlite::Connection;
use serde_json::Value;
use serde_json::json;
use tempfile::TempDir;

use crate::model::Archive;
use crate::model::Change;
use crate::model::ObjectKind;
use crate::store::Retention;
use crate::store::Store;

use super::Imported;
use super::TransferError;

fn open(path: &Path) -> Store {
    Store::open(path, "imo", "Alice", Retention::default()).expect("open")
}

fn export(path: &Path) -> String {
    let mut text = Vec::new();
    Store::export(path, "imo", "alice", &mut text, &mut |_| {}).expect("written");
    String::from_utf8(text).expect("UTF-8")
}

fn import(path: &Path, text: &str) -> Result<Imported, TransferError> {
    Store::import(path, "imo", "ALICE", &mut text.as_bytes(), &mut |_| {})
}

fn folder() -> TempDir {
    tempfile::tempdir().expect("a folder")
}

/// A history in which these lines are.
fn history(folder: &TempDir, name: &str, lines: &[Value]) -> std::path::PathBuf {
    let path = folder.path().join(name);
    import(&path, &text(lines)).expect("good lines");
    path
}

/// What `export` writes for these lines.
fn text(lines: &[Value]) -> String {
    let header = json!({"imo2skype_history": 1, "network": "imo", "account": "alice"});
    let end = json!({"end": lines.len()});
    [&[header], lines, &[end]].concat().iter().map(|line| format!("{line}\n")).collect()
}

fn lines(path: &Path) -> Vec<Value> {
    let text = export(path);
    let lines: Vec<Value> = text.lines().map(|line| serde_json::from_str(line).expect("JSON")).collect();
    lines[1..lines.len() - 1].to_vec()
}

fn chat(key: usize, partner: &str, members: [u32; 2]) -> Value {
    let member =
        |id: u32, handle: &str| json!({"id": id, "handle": handle, "role": "USER", "present": true, "active": false});
    json!({"chat": {"key": key, "value": {
        "name": format!("#alice/${partner};1"), "place": {"dialog": partner}, "created": 1, "activity": 0,
        "members": [member(members[0], "alice"), member(members[1], partner)], "posters": [], "last_text": "",
        "recent_from": null, "my_status": "SUBSCRIBED", "adder": null, "topic": "", "topic_xml": "", "guidelines": "",
        "description": "", "options": 0, "password_hint": "", "blob": "", "bookmarked": false, "alert": "",
    }}})
}

fn with_posters(mut chat: Value, posters: &[&str]) -> Value {
    chat["chat"]["value"]["posters"] = json!(posters);
    chat
}

fn said(id: u32, chat: usize, body: &str, time: u64) -> Value {
    json!({"message": {"id": id, "chat": chat, "author": "bob", "state": "read", "body": body, "time": time}})
}

fn numbers(next: u32) -> Value {
    json!({"single": {"key": "numbers", "value": {"next": next, "heard": next - 1, "origin": u64::MAX}}})
}

fn user(name: &str, groups: &[u32]) -> Value {
    json!({"user": {"key": name, "value": {
        "handle": name, "name": "", "alias": "", "mood": "", "relation": "contact", "authorized": true,
        "blocked": false, "request": null, "last_online": 0, "speed_dial": "", "contacted": false, "groups": groups,
    }}})
}

fn group(id: u32, name: &str, members: &[&str]) -> Value {
    json!({"group": {"key": id, "value": {"name": name, "members": members}}})
}

fn call(id: u32, time: u64, remote: Option<&str>, conference: u32) -> Value {
    json!({"call": {"key": id, "value": {
        "remote": remote, "partner": "bob", "kind": "INCOMING_P2P", "status": "FINISHED", "time": time, "duration": 0,
        "answered": null, "failure": 0, "conference": conference, "participants": [], "video_send": "NOT_AVAILABLE",
        "video_receive": "NOT_AVAILABLE", "seen": false, "transfer": null, "transferred_by": null,
        "transferred_to": null, "devices": ["", "", ""],
    }}})
}

/// A value of what is at `pointer` in the only line that has it.
fn find<'a>(lines: &'a [Value], pointer: &str, wanted: &Value) -> &'a Value {
    let mut found = lines.iter().filter(|line| line.pointer(pointer) == Some(wanted));
    let line = found.next().unwrap_or_else(|| panic!("no line with {pointer} {wanted}"));
    assert_eq!(found.next(), None, "{pointer} {wanted}");
    line
}

#[test]
fn a_history_comes_back_as_it_was() {
    let folder = folder();
    let path = folder.path().join("history");
    let store = open(&path);
    // Not as this version would write it: more than it knows, in another order, in several lines.
    let odd = "{\"mood\":\"\u{fc}\\n\",\"more\":[1e3],\"name\":\"Alice\"}";
    let object = |kind, key: &str, value: &str| Change::Object(kind, key.to_owned(), Some(value.to_owned()));
    store
        .save(&[object(ObjectKind::Single, "person", odd), object(ObjectKind::Single, "settings", "{\n\"values\":{}}")])
        .expect("kept");
    drop(store);
    let more = [
        numbers(100_020),
        group(100_001, "Work", &["bob"]),
        user("bob", &[100_001]),
        chat(0, "bob", [100_002, 100_003]),
        call(100_004, 5, Some("c1"), 100_005),
        said(100_006, 0, "two\nlines, \u{1f600} and \"quotes\"", 7),
        json!({"message": {"id": 100_007, "chat": 0, "author": "alice", "kind": {"added": ["carol"]}, "state": "sending",
            "body": "", "time": 8, "remote": "r1", "edit": {"author": "alice", "time": 9}, "untold": true}}),
    ];
    import(&path, &text(&more[..6])).expect("good lines");
    let whole = export(&path);
    assert!(whole.contains(odd) && whole.ends_with("{\"end\":8}\n"), "{whole}");
    let copy = folder.path().join("copy");
    assert_eq!(import(&copy, &whole).expect("good lines"), Imported { lines: 8, new: 7 });
    assert_eq!(export(&copy), whole);
    // Into a new file everything comes as it is, into another what is on its way to the network does not.
    let new = history(&folder, "new", &more);
    assert_eq!(lines(&new), more);
    let stopped = history(&folder, "other", &[numbers(100_000)]);
    import(&stopped, &text(&more)).expect("good lines");
    assert_eq!(find(&lines(&stopped), "/message/remote", &json!("r1"))["message"]["state"], "failed_unclear");
    #[cfg(unix)]
    assert_eq!(std::os::unix::fs::PermissionsExt::mode(&copy.metadata().expect("there").permissions()) & 0o777, 0o600);
}

#[test]
fn numbers_that_are_taken_are_given_anew_and_what_refers_to_them_follows() {
    let folder = folder();
    let here = [
        numbers(100_010),
        user("bob", &[]),
        chat(0, "dave", [100_001, 100_002]),
        with_posters(chat(1, "bob", [100_003, 100_004]), &["alice"]),
        said(100_005, 1, "here", 5),
    ];
    let path = history(&folder, "here", &here);
    let brought = [
        numbers(100_030),
        group(100_002, "Work", &["bob", "erin"]),
        user("bob", &[100_002]),
        user("erin", &[100_002]),
        with_posters(chat(0, "bob", [100_001, 100_007]), &["ALICE", "bob"]),
        chat(1, "carol", [100_003, 100_008]),
        call(100_004, 5, None, 100_005),
        call(100_009, 6, None, 100_005),
        said(100_001, 0, "taken", 1),
        said(100_011, 1, "free", 2),
        said(100_012, 0, "free", 3),
    ];
    assert_eq!(import(&path, &text(&brought)).expect("good lines"), Imported { lines: 11, new: 8 });
    let after = lines(&path);
    let mut expected = here[2..].to_vec();
    expected[1] = with_posters(expected[1].clone(), &["alice", "bob"]);
    for line in &expected {
        assert!(after.contains(line), "{line} has changed");
    }
    let number =
        |line: &Value, key: &str| u32::try_from(line[key]["key"].as_u64().expect("a number")).expect("32 bits");
    let work = number(find(&after, "/group/value/name", &json!("Work")), "group");
    assert!(work >= 100_030, "{work}");
    for name in ["bob", "erin"] {
        assert_eq!(find(&after, "/user/key", &json!(name))["user"]["value"]["groups"], json!([work]));
    }
    let carol = &find(&after, "/chat/value/name", &json!("#alice/$carol;1"))["chat"];
    assert_eq!((carol["key"].as_u64(), carol["value"]["members"][1]["id"].as_u64()), (Some(2), Some(100_008)));
    assert!(carol["value"]["members"][0]["id"].as_u64() >= Some(100_030), "{carol}");
    let calls: Vec<_> = after.iter().filter_map(|line| line.get("call")).collect();
    assert!(calls[0]["key"].as_u64() >= Some(100_030) && calls[1]["key"] == 100_009, "{calls:?}");
    assert_eq!(calls[0]["value"]["conference"], calls[1]["value"]["conference"]);
    assert!(calls[0]["value"]["conference"].as_u64() >= Some(100_030), "{calls:?}");
    let taken = &find(&after, "/message/body", &json!("taken"))["message"];
    assert!(taken["chat"] == 1 && taken["id"].as_u64() >= Some(100_030), "{taken}");
    assert!(after.contains(&said(100_011, 2, "free", 2)) && after.contains(&said(100_012, 1, "free", 3)));
    let next = after[0]["single"]["value"]["next"].as_u64().expect("a number");
    assert!(after.iter().all(|line| line["message"]["id"].as_u64() < Some(next)), "{next}");
    // Once more changes nothing.
    assert_eq!(import(&path, &text(&brought)).expect("good lines"), Imported { lines: 11, new: 0 });
    assert_eq!(lines(&path), after);
}

#[test]
fn an_older_copy_of_the_same_history_repeats_nothing() {
    let folder = folder();
    let head = [numbers(100_010), chat(0, "bob", [100_001, 100_002])];
    let message = |id: u32, time: u64, state: &str, more: Value| {
        let mut line = said(id, 0, "hello", time);
        let fields = line["message"].as_object_mut().expect("an object");
        fields.insert("state".to_owned(), json!(state));
        fields.extend(more.as_object().expect("an object").clone());
        line
    };
    let old = [message(100_003, 1, "sending", json!({})), message(100_004, 2, "sent", json!({"remote": "r2"}))];
    let edit = json!({"body": "bye", "edit": {"author": "bob", "time": 9}, "remote": "r2"});
    let new = [message(100_003, 4, "sent", json!({"remote": "r1"})), message(100_004, 2, "sent", edit)];
    let path = history(&folder, "history", &[&head[..], &new].concat());
    assert_eq!(import(&path, &text(&[&head[..], &old].concat())).expect("good lines"), Imported { lines: 4, new: 0 });
    assert_eq!(lines(&path)[2..], new);
    // The other way round.
    let path = history(&folder, "old", &[&head[..], &old].concat());
    assert_eq!(import(&path, &text(&[&head[..], &new].concat())).expect("good lines"), Imported { lines: 4, new: 0 });
    // What the network calls otherwise is another one.
    let another = message(100_004, 2, "sent", json!({"remote": "r3"}));
    assert_eq!(import(&path, &text(&[&head[..], &[another]].concat())).expect("good lines").new, 1);
}

#[test]
fn a_line_that_cannot_be_is_named_and_nothing_is_changed() {
    let folder = folder();
    let path = history(&folder, "history", &[numbers(100_010), chat(0, "bob", [100_001, 100_002])]);
    let before = export(&path);
    let good = [chat(0, "carol", [100_011, 100_012]), said(100_020, 0, "hi", 1)];
    let wrong = |line: Value, words: &str| (text(&[&good[..], &[line]].concat()), 4, words.to_owned());
    let mut table = vec![
        wrong(json!({"massage": {}}), "unknown variant `massage`"),
        wrong(json!({"message": {"id": 1}}), "missing field `chat`"),
        wrong(json!({"message": {"id": 1, "colour": 2}}), "unknown field `colour`"),
        wrong(said(100_021, 9, "hi", 1), "no chat 9"),
        wrong(said(100_020, 0, "ho", 1), "the number 100020 is there twice"),
        wrong(said(u32::MAX, 0, "ho", 1), "no more numbers"),
        wrong(json!({"message": {"id": 1, "chat": 0, "author": "b", "state": "red", "body": "", "time": 1}}), "`red`"),
        wrong(chat(0, "dave", [1, 2]), "the chat 0 is there twice"),
        wrong(chat(7, "dave", [100_020, 2]), "the number 100020 is there twice"),
        wrong(json!({"chat": {"key": 5, "value": {"name": 1}}}), "invalid type: integer `1`, expected a string"),
        wrong(json!({"user": {"key": "Bob", "value": user("Bob", &[])["user"]["value"]}}), "lower case"),
        wrong(group(3, "Friends", &[]), "3 is the number of a group that is always there"),
        wrong(json!({"single": {"key": "numbers", "value": {}}}), "missing field `next`"),
        wrong(json!({"end": 7}), "2 lines are not 7"),
    ];
    let whole = text(&good);
    let header = whole.lines().next().expect("a header");
    let of = |old: &str, new: &str| whole.replacen(old, new, 1);
    table.extend([
        (String::new(), 1, "nothing to import".to_owned()),
        ("so\n".to_owned(), 1, "expected value at column 1".to_owned()),
        (of("\"alice\"", "\"bob\""), 1, "the history of bob on imo, not of alice on imo".to_owned()),
        (of("\"imo\"", "\"icq\""), 1, "the history of alice on icq".to_owned()),
        (of("history\":1", "history\":2"), 1, "the format is 2".to_owned()),
        (format!("{header}\n"), 2, "ends before its last line".to_owned()),
        (whole.replace("{\"end\":2}\n", ""), 4, "ends before its last line".to_owned()),
        (whole[..whole.len() - 60].to_owned(), 3, "EOF while parsing".to_owned()),
        (format!("{whole}\n{header}"), 6, "more after the end".to_owned()),
    ]);
    for (text, number, words) in table {
        match import(&path, &text) {
            Err(TransferError::Line { line, problem }) => {
                assert!(line == number && problem.contains(&words), "line {line}: {problem}; not {number}: {words}");
            }
            other => panic!("{words}: {other:?}"),
        }
        assert_eq!(export(&path), before, "{words}");
    }
    let new = folder.path().join("new");
    import(&new, "so\n").expect_err("no history");
    assert!(!new.exists());
}

#[test]
fn an_export_is_of_one_moment_and_an_import_wants_the_file_alone() {
    let folder = folder();
    let path = history(&folder, "history", &[numbers(100_010), chat(0, "bob", [1, 2]), said(100_001, 0, "hi", 1)]);
    let before = export(&path);
    let session = open(&path);
    let mut text = Vec::new();
    // The session goes on while it is written out.
    let mut change = |_| session.connection.execute("UPDATE messages SET body = 'ho'", []).map(drop).expect("kept");
    assert_eq!(Store::export(&path, "imo", "alice", &mut text, &mut change).expect("written"), 3);
    assert_eq!(String::from_utf8(text).expect("UTF-8"), before);
    assert!(export(&path).contains("\"ho\""));
    let refused = import(&path, &before).expect_err("in use");
    assert!(matches!(&refused, TransferError::Store(_)) && refused.to_string().contains("in use"), "{refused}");
}

#[test]
fn what_is_no_history_is_not_written_out() {
    let folder = folder();
    let path = |name: &str| folder.path().join(name);
    drop(open(&path("alice")));
    std::fs::write(path("empty"), "").expect("a file");
    std::fs::write(path("notes"), "no database, but long enough to be looked at".repeat(40)).expect("a file");
    Connection::open(path("other")).expect("open").execute_batch("CREATE TABLE songs (name)").expect("a table");
    for (name, username, words) in [
        ("nowhere", "alice", "No such file"),
        ("empty", "alice", "no history in it"),
        ("notes", "alice", "not a database"),
        ("other", "alice", "another program"),
        ("alice", "bob", "history of alice"),
    ] {
        let mut text = Vec::new();
        let refused = Store::export(&path(name), "imo", username, &mut text, &mut |_| {}).expect_err(name).to_string();
        assert!(refused.contains(words) && refused.contains(path(name).to_str().expect("UTF-8")), "{refused}");
        assert!(text.is_empty());
    }
    assert!(!path("nowhere").exists());
}

// ---- any history ----

/// One thing of a history, out of few, so that two histories have some in common and others that are alike.
#[derive(Clone, Debug)]
enum Thing {
    Chat(usize),
    Group(usize),
    User(usize, usize),
    Call { time: u64, remote: Option<u8>, conference: bool },
    Said { chat: usize, body: usize, time: u64, remote: Option<u8>, state: usize, edited: bool },
}

fn any_thing() -> impl Strategy<Value = Thing> {
    let remote = || prop::option::of(0..6_u8);
    prop_oneof![
        1 => (0..3_usize).prop_map(Thing::Chat),
        1 => (0..2_usize).prop_map(Thing::Group),
        1 => (0..3_usize, 0..4_usize).prop_map(|(name, groups)| Thing::User(name, groups)),
        1 => (0..2_u64, remote(), any::<bool>()).prop_map(|(time, remote, conference)| Thing::Call { time, remote, conference }),
        4 => (0..3_usize, 0..2_usize, 0..2_u64, remote(), 0..7_usize, any::<bool>())
            .prop_map(|(chat, body, time, remote, state, edited)| Thing::Said { chat, body, time, remote, state, edited }),
    ]
}

const NAMES: [&str; 3] = ["bob", "carol", "dave"];
const STATES: [&str; 7] =
    ["sending", "sent", "received", "read", "failed_unknown_user", "failed_refused", "failed_unclear"];

/// The lines of a history in which these things became known one after the other.
fn any_history() -> impl Strategy<Value = Vec<Value>> {
    prop::collection::vec((any_thing(), 1..3_u32), 0..25).prop_map(|things| {
        let mut next = 100_000;
        let [mut groups, mut users, mut chats, mut calls, mut messages] = [const { Vec::new() }; 5];
        let (mut known_chats, mut known_users) = (BTreeMap::new(), BTreeSet::new());
        let (mut remotes, mut conference) = (BTreeSet::new(), None);
        for (thing, gap) in things {
            let mut number = || {
                next += gap;
                next
            };
            match thing {
                Thing::Chat(name) if !known_chats.contains_key(&name) => {
                    chats.push(chat(known_chats.len(), NAMES[name], [number(), number()]));
                    known_chats.insert(name, known_chats.len());
                }
                Thing::Group(name) => groups.push(group(number(), ["Work", "Home"][name], &[])),
                Thing::User(name, some) if known_users.insert(name) => {
                    let numbers = groups.iter().take(some).map(|group| group["group"]["key"].as_u64());
                    let numbers: Vec<_> = numbers.flatten().flat_map(u32::try_from).collect();
                    users.push(user(NAMES[name], &numbers));
                }
                Thing::Call { time, remote, conference: joined } => {
                    let remote =
                        remote.filter(|remote| remotes.insert(("call", *remote))).map(|remote| format!("c{remote}"));
                    let id = number();
                    let conference = if joined { *conference.get_or_insert_with(&mut number) } else { 0 };
                    calls.push(call(id, time, remote.as_deref(), conference));
                }
                Thing::Said { chat, body, time, remote, state, edited } => {
                    let Some(chat) = known_chats.get(&chat) else { continue };
                    let mut line = said(number(), *chat, ["hi", "ho"][body], time);
                    line["message"]["state"] = json!(STATES[state]);
                    if let Some(remote) = remote.filter(|remote| remotes.insert(("message", *remote))) {
                        line["message"]["remote"] = json!(format!("m{remote}"));
                    }
                    if edited {
                        line["message"]["edit"] = json!({"author": "bob", "time": 9});
                    }
                    messages.push(line);
                }
                Thing::Chat(_) | Thing::User(..) => {}
            }
        }
        [vec![numbers(next + 1)], groups, users, chats, calls, messages].concat()
    })
}

/// The names of the chats by their numbers.
fn chat_names(lines: &[Value]) -> BTreeMap<String, String> {
    let chats = lines.iter().filter_map(|line| line.get("chat"));
    chats.map(|chat| (chat["key"].to_string(), chat["value"]["name"].to_string())).collect()
}

/// What was said, and how often, by messages of which `counts` says so.
fn contents(lines: &[Value], counts: impl Fn(&Value) -> bool) -> BTreeMap<String, usize> {
    let names = chat_names(lines);
    let mut contents = BTreeMap::new();
    for message in lines.iter().filter_map(|line| line.get("message")).filter(|message| counts(message)) {
        let chat = &names[&message["chat"].to_string()];
        let content = format!("{chat} {} {} {}", message["author"], message["body"], message["time"]);
        *contents.entry(content).or_default() += 1;
    }
    contents
}

/// Every number that is given.
fn given(lines: &[Value]) -> Vec<u64> {
    let mut given = Vec::new();
    let mut conferences = BTreeSet::new();
    for line in lines {
        for pointer in ["/message/id", "/group/key", "/call/key"] {
            given.extend(line.pointer(pointer).and_then(Value::as_u64));
        }
        let members = line.pointer("/chat/value/members").and_then(Value::as_array).into_iter().flatten();
        given.extend(members.filter_map(|member| member["id"].as_u64()));
        conferences.extend(line.pointer("/call/value/conference").and_then(Value::as_u64).filter(|number| *number > 0));
    }
    given.extend(conferences);
    given
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn any_history_comes_back_as_it_was_and_changes_nothing_in_itself(history_lines in any_history()) {
        let folder = folder();
        let path = history(&folder, "history", &history_lines);
        prop_assert_eq!(lines(&path), &history_lines[..]);
        let whole = export(&path);
        let again = import(&path, &whole).expect("good lines");
        prop_assert_eq!((again.lines, again.new), (history_lines.len() as u64, 0));
        prop_assert_eq!(export(&path), whole);
    }

    #[test]
    fn any_history_takes_up_any_other_and_takes_it_up_once(here in any_history(), brought in any_history()) {
        let folder = folder();
        let path = history(&folder, "history", &here);
        import(&path, &text(&brought)).expect("good lines");
        let after = lines(&path);
        for line in here.iter().filter(|line| line.get("single").is_none() && line.get("user").is_none()) {
            prop_assert!(after.contains(line), "{} is gone from {:?}", line, after);
        }
        let remotes = |lines: &[Value]| -> BTreeSet<_> {
            lines.iter().filter_map(|line| line.pointer("/message/remote")).map(Value::to_string).collect()
        };
        prop_assert!(remotes(&after).is_superset(&remotes(&here)));
        // Those that cannot be another form of one that was here.
        let taken: BTreeSet<_> = here.iter().filter_map(|line| line.pointer("/message/id")?.as_u64()).collect();
        let plain = |message: &Value| {
            message.get("remote").is_none() && !message["id"].as_u64().is_some_and(|id| taken.contains(&id))
        };
        let said = contents(&after, |_| true);
        for (content, times) in contents(&brought, plain) {
            prop_assert!(said.get(&content) >= Some(&times), "{} times {} of {:?}", times, content, said);
        }
        let given = given(&after);
        prop_assert_eq!(given.iter().collect::<BTreeSet<_>>().len(), given.len(), "{:?}", given);
        let next = after[0]["single"]["value"]["next"].as_u64().expect("a number");
        prop_assert!(given.iter().all(|number| *number < next));
        let groups: BTreeSet<_> = after.iter().filter_map(|line| line.pointer("/group/key")).map(Value::to_string).collect();
        for group in after.iter().filter_map(|line| line.pointer("/user/value/groups")?.as_array()).flatten() {
            prop_assert!(groups.contains(&group.to_string()), "{} of {:?}", group, groups);
        }
        prop_assert_eq!(import(&path, &text(&brought)).expect("good lines").new, 0);
        prop_assert_eq!(lines(&path), after);
    }
}
