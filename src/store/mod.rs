//! The history of an account in an SQLite file (docs/history.md).

mod durable;
mod schema;
mod transfer;

use std::cell::Cell;
use std::cell::RefCell;
use std::collections::HashMap;
use std::fs::File;
use std::hash::DefaultHasher;
use std::hash::Hasher;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use std::time::SystemTime;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use rusqlite::params_from_iter;

use crate::error::Error;
use crate::model::Archive;
use crate::model::ArchiveError;
use crate::model::Change;
use crate::model::ChatIndex;
use crate::model::Class;
use crate::model::Entry;
use crate::model::Handle;
use crate::model::Kind;
use crate::model::Message;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::RemoteId;
use crate::model::State;
use crate::model::Undeliverable;
use crate::model::Which;

pub use durable::Durable;
pub use transfer::Imported;
pub use transfer::TransferError;

/// How long a statement waits for another program that looks into the file.
const BUSY: Duration = Duration::from_secs(5);
/// Every so many changes, what is too old is looked for, and so much of it is removed at a time.
const SWEEP: u32 = 64;
const SWEPT: usize = 500;

const MESSAGE: &str = "SELECT chat, author, kind, state, body, time, remote, edit, untold FROM messages WHERE id = ?1";
const PUT_MESSAGE: &str = "INSERT INTO messages
    (id, chat, author, kind, class, state, body, time, remote, edit, untold)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)
    ON CONFLICT (id) DO UPDATE SET state = excluded.state, body = excluded.body, time = excluded.time,
    remote = excluded.remote, edit = excluded.edit, untold = excluded.untold";

/// How much of a history is kept; what is `None` has no bound.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Retention {
    /// Messages older than this are removed.
    pub age: Option<Duration>,
    /// Of more messages than this, the oldest are removed.
    pub messages: Option<u64>,
}

/// The history of one account. Only one program at a time has it.
pub struct Store {
    connection: Connection,
    path: PathBuf,
    durable: Arc<Durable>,
    retention: Retention,
    /// Counts the changes since the last sweep.
    changes: Cell<u32>,
    /// How many messages there are, if that matters, and the number of the newest.
    messages: Cell<u64>,
    newest: Cell<u32>,
    /// Hashes of the users as they are kept: most of what changes of a user is not.
    users: RefCell<HashMap<String, u64>>,
    /// Held as long as the store is open.
    _lock: File,
}

impl Store {
    /// Opens the history of an account, or begins it in a new file that nobody else can read.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the file cannot be used, is damaged, is in use, or belongs to another account, program or
    /// a newer version.
    pub fn open(path: &Path, network: &str, username: &str, retention: Retention) -> Result<Self, Error> {
        let failed = |source| Error::Store { path: path.display().to_string(), source };
        let lock = lock(path).map_err(failed)?;
        let connection = connect(path).map_err(failed)?;
        let account = Handle::fold(username).into_owned();
        prepare(&connection, path, network, &account).map_err(failed)?;
        let durable = Arc::new(Durable::of(path));
        let store = Self {
            connection,
            path: path.to_owned(),
            durable,
            retention,
            changes: Cell::new(0),
            messages: Cell::new(0),
            newest: Cell::new(0),
            users: RefCell::default(),
            _lock: lock,
        };
        if retention.messages.is_some() {
            let sql = "SELECT count(*), coalesce(max(id), 0) FROM messages";
            let count = store.connection.query_row(sql, [], |row| Ok((row.get(0)?, row.get(1)?)));
            let (count, newest) = count.map_err(|error| failed(error.into()))?;
            store.messages.set(count);
            store.newest.set(newest);
        }
        Ok(store)
    }

    /// A history in memory, and nothing in it.
    #[cfg(test)]
    pub(crate) fn in_memory() -> Self {
        let connection = Connection::open_in_memory().expect("memory");
        prepare(&connection, Path::new(""), "imo", "alice").expect("tables");
        Self {
            connection,
            path: PathBuf::new(),
            durable: Arc::new(Durable::of(Path::new("no"))),
            retention: Retention::default(),
            changes: Cell::new(0),
            messages: Cell::new(0),
            newest: Cell::new(0),
            users: RefCell::default(),
            _lock: tempfile::tempfile().expect("a file"),
        }
    }

    /// The program that had the history is dead: only what it has kept is left.
    #[cfg(test)]
    pub(crate) fn opened_again(self) -> Self {
        Self { changes: Cell::new(0), messages: Cell::new(0), newest: Cell::new(0), users: RefCell::default(), ..self }
    }

    /// Nothing is left of what was kept.
    #[cfg(test)]
    pub(crate) fn emptied(self) -> Self {
        self.connection.execute_batch("DELETE FROM messages; DELETE FROM objects").expect("emptied");
        self.opened_again()
    }

    /// What makes changes outlive a power failure, for whoever has to wait for that.
    #[must_use]
    pub fn durable(&self) -> Arc<Durable> {
        Arc::clone(&self.durable)
    }

    /// The value of a read, if it can be read.
    fn read<T>(&self, result: rusqlite::Result<T>) -> Option<T> {
        result
            .inspect_err(|error| tracing::error!(path = %self.path.display(), %error, "the history cannot be read"))
            .ok()
    }

    fn query_list(&self, which: Which, below: ObjectId, limit: usize) -> rusqlite::Result<Vec<Entry>> {
        let place = match which {
            Which::All => "",
            Which::In(_) => "AND chat = ?3",
            Which::Missed => "AND state = 2",
            Which::Sending => "AND state = 0",
            Which::Untold => "AND untold",
        };
        let sql = format!("SELECT id, chat, class FROM messages WHERE id < ?1 {place} ORDER BY id DESC LIMIT ?2");
        let mut values = vec![i64::from(below.0), i64::try_from(limit).unwrap_or(i64::MAX)];
        if let Which::In(chat) = which {
            values.push(i64::try_from(chat.number()).unwrap_or(-1));
        }
        let mut statement = self.connection.prepare_cached(&sql)?;
        let entry = |row: &Row<'_>| {
            let class = match row.get(2)? {
                0 => Class::Text,
                1 => Class::AuthRequest,
                _ => Class::Other,
            };
            Ok(Entry { id: ObjectId(row.get(0)?), chat: ChatIndex::at(row.get(1)?), class })
        };
        statement.query_map(params_from_iter(values), entry)?.collect()
    }

    fn put(&self, change: &Change<'_>) -> Result<(), ArchiveError> {
        let connection = &self.connection;
        match change {
            Change::Clear => {
                let gone = connection.execute("DELETE FROM messages WHERE state NOT IN (0, 2)", [])?;
                self.messages.set(self.messages.get().saturating_sub(gone as u64));
            }
            Change::Forget(id) => {
                let gone = connection.execute("DELETE FROM messages WHERE id = ?1", [id.0])?;
                self.messages.set(self.messages.get().saturating_sub(gone as u64));
            }
            Change::Message(id, message) => {
                if id.0 > self.newest.get() {
                    self.newest.set(id.0);
                    self.messages.set(self.messages.get() + 1);
                }
                let kind = (message.kind != Kind::Text).then(|| serde_json::to_string(&message.kind)).transpose()?;
                let edit = message.edit.as_ref().map(serde_json::to_string).transpose()?;
                connection.prepare_cached(PUT_MESSAGE)?.execute(params![
                    id.0,
                    message.chat.number(),
                    message.author.as_str(),
                    kind,
                    class_number(message.kind.class()),
                    state_number(message.state),
                    message.body,
                    message.time,
                    message.remote.as_ref().map(RemoteId::as_str),
                    edit,
                    message.untold,
                ])?;
            }
            Change::Object(kind, key, Some(value)) => {
                if *kind == ObjectKind::User && !self.is_new(key, value) {
                    return Ok(());
                }
                put_object(connection, *kind, key, value)?;
            }
            Change::Object(kind, key, None) => {
                let sql = "DELETE FROM objects WHERE kind = ?1 AND key = ?2";
                connection.prepare_cached(sql)?.execute(params![kind.word(), key])?;
            }
        }
        Ok(())
    }

    /// Whether a user is not kept like this.
    fn is_new(&self, key: &str, value: &str) -> bool {
        self.users.borrow().get(key) != Some(&hash(value))
    }

    /// Removes some of what is kept no longer.
    fn sweep(&self) -> rusqlite::Result<()> {
        if let Some(age) = self.retention.age {
            let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
            let oldest = now.saturating_sub(age).as_secs();
            let sql = "DELETE FROM messages
                WHERE id IN (SELECT id FROM messages ORDER BY id LIMIT ?1) AND time < ?2 AND state <> 0";
            let gone = self.connection.prepare_cached(sql)?.execute(params![SWEPT, oldest])?;
            self.messages.set(self.messages.get().saturating_sub(gone as u64));
        }
        if let Some(most) = self.retention.messages {
            let excess = self.messages.get().saturating_sub(most).min(SWEPT as u64);
            let sql = "DELETE FROM messages
                WHERE id IN (SELECT id FROM messages WHERE state <> 0 ORDER BY id LIMIT ?1)";
            let gone = self.connection.prepare_cached(sql)?.execute(params![excess])?;
            self.messages.set(self.messages.get().saturating_sub(gone as u64));
        }
        Ok(())
    }
}

impl Archive for Store {
    fn objects(&self, kind: ObjectKind) -> Vec<(String, String)> {
        let objects = || -> rusqlite::Result<Vec<(String, String)>> {
            let mut statement =
                self.connection.prepare("SELECT key, value FROM objects WHERE kind = ?1 ORDER BY rowid")?;
            statement.query_map([kind.word()], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
        };
        let objects = self.read(objects()).unwrap_or_default();
        if kind == ObjectKind::User {
            let mut users = self.users.borrow_mut();
            users.extend(objects.iter().map(|(key, value)| (key.clone(), hash(value))));
        }
        objects
    }

    fn message(&self, id: ObjectId) -> Option<Message> {
        let message = || self.connection.prepare_cached(MESSAGE)?.query_row([id.0], read_message).optional();
        self.read(message()).flatten()
    }

    fn by_remote(&self, remote: &RemoteId) -> Option<ObjectId> {
        let sql = "SELECT id FROM messages WHERE remote = ?1";
        let id = || self.connection.prepare_cached(sql)?.query_row([remote.as_str()], |row| row.get(0)).optional();
        self.read(id()).flatten().map(ObjectId)
    }

    fn list(&self, which: Which, below: ObjectId, limit: usize) -> Vec<Entry> {
        self.read(self.query_list(which, below, limit)).unwrap_or_default()
    }

    fn save(&self, changes: &[Change<'_>]) -> Result<(), ArchiveError> {
        let transaction = self.connection.unchecked_transaction()?;
        changes.iter().try_for_each(|change| self.put(change))?;
        self.changes.set(self.changes.get() + 1);
        if self.retention != Retention::default() && self.changes.get() >= SWEEP {
            self.changes.set(0);
            self.sweep()?;
        }
        transaction.commit()?;
        for change in changes {
            if let Change::Object(ObjectKind::User, key, Some(value)) = change {
                self.users.borrow_mut().insert(key.clone(), hash(value));
            }
        }
        Ok(())
    }
}

/// Gives an object a value. Its row stays in its place: the order of users and chats is that in which they became known.
fn put_object(connection: &Connection, kind: ObjectKind, key: &str, value: &str) -> Result<(), ArchiveError> {
    let sql = "INSERT INTO objects (kind, key, value) VALUES (?1, ?2, ?3)
        ON CONFLICT (kind, key) DO UPDATE SET value = excluded.value";
    connection.prepare_cached(sql)?.execute(params![kind.word(), key, value])?;
    Ok(())
}

fn hash(value: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    hasher.write(value.as_bytes());
    hasher.finish()
}

fn read_message(row: &Row<'_>) -> rusqlite::Result<Message> {
    let kind: Option<String> = row.get(2)?;
    // One that this version cannot read is something that is missing.
    let kind = kind.map_or(Kind::Text, |kind| serde_json::from_str(&kind).unwrap_or(Kind::Gap));
    let edit: Option<String> = row.get(7)?;
    Ok(Message {
        chat: ChatIndex::at(row.get(0)?),
        author: Handle::new(row.get::<_, String>(1)?),
        kind,
        state: state_of(row.get(3)?),
        body: row.get(4)?,
        time: row.get(5)?,
        remote: row.get::<_, Option<String>>(6)?.map(RemoteId::new),
        edit: edit.and_then(|edit| serde_json::from_str(&edit).ok()),
        untold: row.get(8)?,
    })
}

fn class_number(class: Class) -> u8 {
    match class {
        Class::Text => 0,
        Class::AuthRequest => 1,
        Class::Other => 2,
    }
}

const STATES: [State; 7] = [
    State::Sending,
    State::Sent,
    State::Received,
    State::Read,
    State::Failed(Undeliverable::UnknownUser),
    State::Failed(Undeliverable::Refused),
    State::Failed(Undeliverable::Unclear),
];

fn state_number(state: State) -> usize {
    STATES.iter().position(|known| *known == state).unwrap_or_default()
}

fn state_of(number: usize) -> State {
    STATES.get(number).copied().unwrap_or(State::Read)
}

/// Makes an empty file that only its owner can read, if there is none; SQLite gives its side files the same mode.
fn create(path: &Path) -> std::io::Result<File> {
    let mut options = std::fs::OpenOptions::new();
    options.read(true).write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Takes hold of the history: not by the file itself, whose locks are SQLite's.
fn lock(path: &Path) -> Result<File, ArchiveError> {
    let mut name = path.as_os_str().to_owned();
    name.push("-lock");
    let lock = create(Path::new(&name))?;
    match lock.try_lock() {
        Ok(()) => Ok(lock),
        Err(std::fs::TryLockError::WouldBlock) => Err("it is in use by another session or program".into()),
        // A file system without locks: nobody can be kept off.
        Err(std::fs::TryLockError::Error(error)) if error.kind() == std::io::ErrorKind::Unsupported => Ok(lock),
        Err(std::fs::TryLockError::Error(error)) => Err(error.into()),
    }
}

fn connect(path: &Path) -> Result<Connection, ArchiveError> {
    create(path)?;
    // A path is a path, also one that looks like SQLite's own URIs.
    let flags = OpenFlags::default() - OpenFlags::SQLITE_OPEN_URI;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(32);
    Ok(connection)
}

fn prepare(connection: &Connection, path: &Path, network: &str, account: &str) -> Result<(), ArchiveError> {
    // Most changes touch a few rows here and there: less is written with small pages. Has no effect on a file that exists.
    connection.pragma_update(None, "page_size", 2048)?;
    let mode: String = connection.pragma_update_and_check(None, "journal_mode", "WAL", |row| row.get(0))?;
    // With a log, a change outlives this program at once, and a power failure as soon as somebody waits for that.
    let synchronous = if mode.eq_ignore_ascii_case("wal") { "NORMAL" } else { "FULL" };
    connection.pragma_update(None, "synchronous", synchronous)?;
    // Copying the log into the file once for many changes is less work than once for a few.
    connection.pragma_update(None, "wal_autocheckpoint", 8000)?;
    // What was cleared is gone.
    connection.pragma_update(None, "secure_delete", true)?;
    schema::migrate(connection, path)?;
    if !belongs(connection, network, account)? {
        connection.execute("INSERT INTO account (network, name) VALUES (?1, ?2)", [network, account])?;
    }
    Ok(())
}

/// Whether it is the history of this account already; an error if it is that of another.
fn belongs(connection: &Connection, network: &str, account: &str) -> Result<bool, ArchiveError> {
    let owner = connection.query_row("SELECT network, name FROM account", [], |row| {
        Ok((row.get::<_, String>(0)?, row.get::<_, String>(1)?))
    });
    match owner.optional()? {
        None => Ok(false),
        Some((of, name)) if of == network && name == account => Ok(true),
        Some((of, name)) => Err(format!("it is the history of {name} on {of}; name another file").into()),
    }
}

#[cfg(test)]
mod tests;
