use proptest::prelude::*;

use super::*;
use crate::model::Edit;
use crate::model::Role;

fn folder() -> tempfile::TempDir {
    tempfile::tempdir().expect("a folder")
}

fn open(path: &Path) -> Store {
    keeping(path, Retention::default())
}

fn keeping(path: &Path, retention: Retention) -> Store {
    Store::open(path, "imo", "Alice", retention).expect("a history")
}

fn text(chat: usize, body: &str, state: State, time: u64) -> Message {
    let message = Message::new(ChatIndex::at(chat), Handle::new("bob"), Kind::Text, state, time);
    Message { body: body.to_owned(), ..message }
}

fn put(store: &Store, id: u32, message: &Message) {
    store.save(&[Change::Message(ObjectId(id), message)]).expect("kept");
}

fn ids(list: Vec<Entry>) -> Vec<u32> {
    list.into_iter().map(|entry| entry.id.0).collect()
}

const ALL: ObjectId = ObjectId(u32::MAX);

fn handle() -> impl Strategy<Value = Handle> {
    "\\PC{1,8}".prop_map(Handle::new)
}

fn kind() -> impl Strategy<Value = Kind> {
    let handles = || prop::collection::vec(handle(), 0..4);
    prop_oneof![
        Just(Kind::Text),
        Just(Kind::Emote),
        Just(Kind::AuthRequest),
        Just(Kind::Topic),
        Just(Kind::Left),
        handles().prop_map(Kind::Created),
        handles().prop_map(Kind::Added),
        handles().prop_map(Kind::Kicked),
        any::<u32>().prop_map(Kind::Options),
        handle().prop_map(|handle| Kind::Role(handle, Role::Helper)),
        Just(Kind::Undeliverable(Undeliverable::Refused)),
    ]
}

fn message() -> impl Strategy<Value = Message> {
    let texts = (".*", prop::option::of("\\PC{1,12}"), prop::option::of((handle(), any::<u32>())));
    let rest = (0..5_usize, handle(), kind(), 0..STATES.len(), any::<u32>(), any::<bool>());
    (texts, rest).prop_map(|((body, remote, edit), (chat, author, kind, state, time, untold))| Message {
        chat: ChatIndex::at(chat),
        author,
        kind,
        state: STATES[state],
        body,
        time: time.into(),
        remote: remote.map(RemoteId::new),
        edit: edit.map(|(author, time)| Box::new(Edit { author, time: time.into() })),
        untold,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn what_was_kept_is_found_again(messages in prop::collection::vec(message(), 1..12)) {
        let folder = folder();
        let path = folder.path().join("history.db");
        let store = open(&path);
        let numbered = || messages.iter().enumerate().map(|(place, message)| (ObjectId(place as u32 + 1), message));
        let changes: Vec<_> = numbered().map(|(id, message)| Change::Message(id, message)).collect();
        store.save(&changes).expect("kept");
        drop(store);
        let store = open(&path);
        for (id, message) in numbered() {
            prop_assert_eq!(format!("{:?}", store.message(id)), format!("{:?}", Some(message)));
        }
        let which = |filter: &dyn Fn(&Message) -> bool| {
            let mut ids: Vec<_> = numbered().filter(|(_, message)| filter(message)).map(|(id, _)| id.0).collect();
            ids.reverse();
            ids
        };
        let list = |which| ids(store.list(which, ALL, 100));
        prop_assert_eq!(list(Which::All), which(&|_| true));
        prop_assert_eq!(list(Which::In(ChatIndex::at(1))), which(&|message| message.chat == ChatIndex::at(1)));
        prop_assert_eq!(list(Which::Missed), which(&|message| message.state == State::Received));
        prop_assert_eq!(list(Which::Sending), which(&|message| message.state == State::Sending));
        prop_assert_eq!(list(Which::Untold), which(&|message| message.untold));
        let classes: Vec<_> = store.list(Which::All, ALL, 100).into_iter().rev().map(|entry| entry.class).collect();
        prop_assert_eq!(classes, messages.iter().map(|message| message.kind.class()).collect::<Vec<_>>());
    }
}

#[test]
fn a_list_has_an_end_and_a_beginning() {
    let folder = folder();
    let store = open(&folder.path().join("history.db"));
    for id in 1..=10 {
        put(&store, id, &text(id as usize % 2, "x", State::Read, 1));
    }
    assert_eq!(ids(store.list(Which::All, ObjectId(9), 3)), [8, 7, 6]);
    assert_eq!(ids(store.list(Which::In(ChatIndex::at(1)), ObjectId(9), 2)), [7, 5]);
    assert_eq!(ids(store.list(Which::All, ObjectId(3), usize::MAX)), [2, 1]);
}

#[test]
fn on_a_full_disk_nothing_is_kept_by_half() {
    let folder = folder();
    let path = folder.path().join("history.db");
    let store = open(&path);
    put(&store, 1, &text(0, "before", State::Read, 1));
    let pages: u32 = store.connection.pragma_query_value(None, "page_count", |row| row.get(0)).expect("a number");
    let limit = |pages: u32| {
        let sql = format!("PRAGMA max_page_count = {pages}");
        store.connection.query_row(&sql, [], |row| row.get::<_, u32>(0)).expect("a limit")
    };
    limit(pages);
    let (small, large) = (text(0, "small", State::Read, 2), text(0, &"large".repeat(10_000), State::Read, 2));
    let changes = [Change::Message(ObjectId(2), &small), Change::Message(ObjectId(3), &large)];
    for _ in 0..2 {
        let error = store.save(&changes).expect_err("no room").to_string();
        assert!(error.contains("full"), "{error}");
        assert_eq!(ids(store.list(Which::All, ALL, 10)), [1]);
    }
    limit(1_000_000);
    store.save(&changes).expect("room");
    assert_eq!(ids(store.list(Which::All, ALL, 10)), [3, 2, 1]);
}

#[test]
fn objects_keep_their_order_and_users_are_written_when_they_change() {
    let folder = folder();
    let store = open(&folder.path().join("history.db"));
    let user = |key: &str, value: &str| {
        let change = Change::Object(ObjectKind::User, key.to_owned(), Some(value.to_owned()));
        store.save(&[change]).expect("kept");
        store.connection.total_changes()
    };
    user("zoe", "1");
    let changes = user("bob", "1");
    assert_eq!(user("bob", "1"), changes, "as it was");
    assert_eq!(user("bob", "2"), changes + 1);
    let expected = [("zoe", "1"), ("bob", "2")].map(|(key, value)| (key.to_owned(), value.to_owned()));
    assert_eq!(store.objects(ObjectKind::User), expected);
    store.save(&[Change::Object(ObjectKind::User, "zoe".to_owned(), None)]).expect("removed");
    assert_eq!(store.objects(ObjectKind::User), expected[1..]);
}

#[test]
fn what_is_too_much_or_too_old_goes_and_what_is_not_sent_stays() {
    let folder = folder();
    let age = Retention { age: Some(Duration::from_secs(3600)), messages: None };
    let number = Retention { age: None, messages: Some(100) };
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).expect("after 1970").as_secs();
    for (name, retention, times) in [("age", age, [1, now]), ("number", number, [now, now])] {
        let path = folder.path().join(name);
        for session in 0..3_u32 {
            // What was counted before counts on.
            let store = keeping(&path, retention);
            for id in session * 200 + 1..=session * 200 + 200 {
                let state = if id == 1 { State::Sending } else { State::Received };
                put(&store, id, &text(0, "x", state, times[usize::from(id > 500)]));
            }
        }
        let left = ids(keeping(&path, retention).list(Which::All, ALL, 1000));
        assert_eq!(left.last(), Some(&1), "not sent yet");
        assert!((100..=100 + SWEEP as usize).contains(&left.len()), "{name}: {}", left.len());
        assert!(left[..100].is_sorted_by(|a, b| a == &(b + 1)) && left[0] == 600, "the newest");
    }
}

#[test]
fn what_was_cleared_is_gone_from_the_file() {
    let folder = folder();
    let path = folder.path().join("history.db");
    let store = open(&path);
    put(&store, 1, &text(0, "zanzibar", State::Read, 1));
    put(&store, 2, &text(0, "not seen yet", State::Received, 1));
    store.save(&[Change::Clear]).expect("cleared");
    assert_eq!(ids(store.list(Which::All, ALL, 10)), [2]);
    drop(store);
    let mut bytes = std::fs::read(&path).expect("the file");
    bytes.extend(std::fs::read(folder.path().join("history.db-wal")).unwrap_or_default());
    let has = |word: &str| bytes.windows(word.len()).any(|window| window == word.as_bytes());
    assert!(has("not seen yet") && !has("zanzibar"));
}

#[cfg(unix)]
#[test]
fn nobody_else_can_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = folder();
    let store = open(&folder.path().join("history.db"));
    put(&store, 1, &text(0, "secret", State::Read, 1));
    let mut names = Vec::new();
    for entry in std::fs::read_dir(folder.path()).expect("the folder") {
        let entry = entry.expect("an entry");
        let mode = entry.metadata().expect("there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{entry:?}");
        names.push(entry.file_name().into_string().expect("UTF-8"));
    }
    names.sort();
    assert_eq!(names, ["history.db", "history.db-lock", "history.db-shm", "history.db-wal"]);
    store.durable().settle();
}

#[test]
fn a_damaged_file_is_as_good_as_an_empty_one() {
    let folder = folder();
    let path = folder.path().join("history.db");
    let store = open(&path);
    let message = text(0, &"x".repeat(100), State::Read, 1);
    let changes: Vec<_> = (1..=2000).map(|id| Change::Message(ObjectId(id), &message)).collect();
    store.save(&changes).expect("kept");
    drop(store);
    let mut bytes = std::fs::read(&path).expect("the file");
    let end = bytes.len();
    // The head and the first tables are whole, the rest is not.
    bytes[end / 4..].fill(0xA5);
    std::fs::write(&path, bytes).expect("write");
    let store = open(&path);
    assert!((1..=2000).any(|id| store.message(ObjectId(id)).is_none()));
    let _ = store.list(Which::All, ALL, 5000);
    assert!(schema::check(&store.connection).is_err());
}
