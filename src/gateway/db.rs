//! The SQLite file of the gateway, or its likeness in memory: opening, migrations, transactions.

use std::cell::Cell;
use std::path::Path;
use std::time::Duration;

use rusqlite::Connection;
use rusqlite::OpenFlags;

use crate::error::Error;

/// What the database said when a statement failed.
pub(crate) type DbError = rusqlite::Error;
/// The result of a statement.
pub(crate) type DbResult<T> = Result<T, DbError>;

/// How long a statement waits for another program that writes, `user add` for one.
const BUSY: Duration = Duration::from_secs(10);

/// Steps from one schema to the next; `PRAGMA user_version` counts those taken. Append only.
const MIGRATIONS: &[&str] = &[
    "
    CREATE TABLE users (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL UNIQUE COLLATE NOCASE,
        -- An Argon2id PHC string; NULL: nobody can log in.
        password TEXT,
        alias TEXT NOT NULL,
        mood TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE contacts (
        owner INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        buddy INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        -- The owner's own name for the buddy.
        alias TEXT,
        -- The buddy is on the owner's list.
        listed INTEGER NOT NULL DEFAULT 0,
        -- The buddy may see the owner's presence.
        authorised INTEGER NOT NULL DEFAULT 0,
        -- The owner wants nothing from the buddy.
        blocked INTEGER NOT NULL DEFAULT 0,
        -- The words of the buddy that waits for the owner's authorisation.
        request TEXT,
        PRIMARY KEY (owner, buddy)
    ) WITHOUT ROWID;
    CREATE INDEX contacts_by_buddy ON contacts (buddy);
    -- Messages that no login of the receiver has acknowledged yet.
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        sender INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        receiver INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        body TEXT NOT NULL,
        sent_at INTEGER NOT NULL
    );
    CREATE INDEX messages_by_receiver ON messages (receiver);
    -- Tells the message ids of this database from those of any other.
    CREATE TABLE epoch (id TEXT NOT NULL);
    INSERT INTO epoch (id) VALUES (lower(hex(randomblob(6))));
    INSERT INTO users (name, alias) VALUES ('echo123', 'Echo / Sound Test Service');
",
    "
    -- How many messages wait, kept by triggers: nothing is counted when one comes.
    ALTER TABLE users ADD COLUMN waiting INTEGER NOT NULL DEFAULT 0;
    CREATE TABLE totals (
        waiting INTEGER NOT NULL,
        -- Counts the changes of pictures.
        pictures INTEGER NOT NULL DEFAULT 0
    );
    UPDATE users SET waiting = (SELECT count(*) FROM messages WHERE receiver = users.id);
    INSERT INTO totals (waiting) SELECT count(*) FROM messages;
    CREATE TABLE chats (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        name TEXT NOT NULL,
        topic TEXT NOT NULL DEFAULT ''
    );
    CREATE TABLE members (
        chat INTEGER NOT NULL REFERENCES chats (id) ON DELETE CASCADE,
        user INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        -- NULL for the founder.
        inviter INTEGER REFERENCES users (id) ON DELETE SET NULL,
        PRIMARY KEY (chat, user)
    ) WITHOUT ROWID;
    CREATE INDEX members_by_user ON members (user);
    CREATE INDEX members_by_inviter ON members (inviter);
    -- The last to leave ends the chat; who cannot log in does not keep it alive.
    CREATE TRIGGER chat_ends AFTER DELETE ON members
    WHEN NOT EXISTS (
        SELECT 1 FROM members m JOIN users u ON u.id = m.user WHERE m.chat = OLD.chat AND u.password IS NOT NULL
    )
    BEGIN
        DELETE FROM chats WHERE id = OLD.chat;
    END;
    -- What was said in a chat, once for all members; a row of messages per member that has not
    -- got it yet. It outlives the chat: who was a member then still gets it.
    CREATE TABLE chat_messages (
        id INTEGER PRIMARY KEY AUTOINCREMENT,
        chat INTEGER NOT NULL,
        -- It is the new topic.
        topic INTEGER NOT NULL,
        body TEXT NOT NULL
    );
    ALTER TABLE messages ADD COLUMN chat_message INTEGER REFERENCES chat_messages (id);
    CREATE INDEX messages_by_chat_message ON messages (chat_message) WHERE chat_message IS NOT NULL;
    CREATE TRIGGER message_added AFTER INSERT ON messages
    BEGIN
        UPDATE users SET waiting = waiting + 1 WHERE id = NEW.receiver;
        UPDATE totals SET waiting = waiting + 1;
    END;
    CREATE TRIGGER message_removed AFTER DELETE ON messages
    BEGIN
        UPDATE users SET waiting = waiting - 1 WHERE id = OLD.receiver;
        UPDATE totals SET waiting = waiting - 1;
        DELETE FROM chat_messages WHERE id = OLD.chat_message
            AND NOT EXISTS (SELECT 1 FROM messages WHERE chat_message = OLD.chat_message);
    END;
    CREATE TABLE pictures (
        user INTEGER PRIMARY KEY REFERENCES users (id) ON DELETE CASCADE,
        -- A hash of the picture; all three are NULL when it was taken away.
        icon TEXT,
        kind TEXT,
        data BLOB,
        -- Which change it was, so that a running gateway finds the new ones.
        change INTEGER NOT NULL UNIQUE
    );
    CREATE INDEX pictures_by_icon ON pictures (icon);
",
    "
    -- What senders call the messages that were taken, so that a repeat is known.
    CREATE TABLE sent (
        sender INTEGER NOT NULL REFERENCES users (id) ON DELETE CASCADE,
        client_msg_id TEXT NOT NULL,
        sent_at INTEGER NOT NULL,
        PRIMARY KEY (sender, client_msg_id)
    ) WITHOUT ROWID;
    CREATE INDEX sent_by_time ON sent (sent_at);
",
];

/// One connection, with a transaction that begins with the first statement and ends with
/// [`commit`](Self::commit). Within it, each operation can fail alone.
pub(crate) struct Database {
    connection: Connection,
    /// For messages only.
    path: String,
    in_transaction: Cell<bool>,
    in_operation: Cell<bool>,
}

impl Database {
    /// Opens or creates the file; `None` keeps everything in memory.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] when the file cannot be used.
    pub(crate) fn open(file: Option<&Path>) -> Result<Self, Error> {
        let path = file.map_or_else(|| "in memory".to_owned(), |file| file.display().to_string());
        let store = |source: Box<dyn std::error::Error + Send + Sync>| Error::Store { path: path.clone(), source };
        let connection = match file {
            None => Connection::open_in_memory().map_err(|error| store(error.into()))?,
            Some(file) => {
                create(file).map_err(|error| store(error.into()))?;
                // A path is a path, also one that looks like SQLite's own URIs.
                let flags = OpenFlags::default() - OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(file, flags).map_err(|error| store(error.into()))?
            }
        };
        prepare(&connection, file.is_some()).map_err(store)?;
        Ok(Self { connection, path, in_transaction: Cell::new(false), in_operation: Cell::new(false) })
    }

    /// The connection, within a transaction. It is an immediate one: a transaction that begins
    /// with reading and finds another writer in its way could not wait.
    pub(super) fn sql(&self) -> DbResult<&Connection> {
        if !self.in_transaction.get() {
            self.connection.prepare_cached("BEGIN IMMEDIATE")?.execute([])?;
            self.in_transaction.set(true);
        }
        if !self.in_operation.get() {
            self.connection.prepare_cached("SAVEPOINT operation")?.execute([])?;
            self.in_operation.set(true);
        }
        Ok(&self.connection)
    }

    /// Ends an operation; one that was not `kept` leaves no trace.
    pub(crate) fn end_operation(&self, kept: bool) -> DbResult<()> {
        if !self.in_operation.replace(false) {
            return Ok(());
        }
        // A full disk can end the whole transaction behind our back.
        if self.connection.is_autocommit() {
            return Ok(());
        }
        if !kept {
            self.connection.prepare_cached("ROLLBACK TO operation")?.execute([])?;
        }
        self.connection.prepare_cached("RELEASE operation")?.execute([])?;
        Ok(())
    }

    /// Puts everything since the last call on disk.
    pub(crate) fn commit(&self) -> DbResult<()> {
        self.end_operation(true)?;
        if !self.in_transaction.replace(false) {
            return Ok(());
        }
        let done = self.connection.prepare_cached("COMMIT").and_then(|mut commit| commit.execute([]));
        if let Err(error) = done {
            if !self.connection.is_autocommit()
                && let Err(second) = self.connection.execute_batch("ROLLBACK")
            {
                tracing::error!(error = %second, "rollback");
            }
            return Err(error);
        }
        Ok(())
    }

    /// `source` as the error that users of the library see.
    pub(crate) fn error(&self, source: DbError) -> Error {
        Error::Store { path: self.path.clone(), source: source.into() }
    }
}

/// Makes an empty file that only its owner can read; SQLite gives its side files the same mode.
fn create(file: &Path) -> std::io::Result<()> {
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create(true).truncate(false);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(file).map(drop)
}

fn prepare(connection: &Connection, durable: bool) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    connection.busy_timeout(BUSY)?;
    connection.set_prepared_statement_cache_capacity(64);
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if version == 0 && tables > 0 {
        return Err("it belongs to another program; name another file".into());
    }
    if durable {
        connection.pragma_update(None, "journal_mode", "WAL")?;
        // A message that was acknowledged is on disk.
        connection.pragma_update(None, "synchronous", "FULL")?;
    }
    connection.pragma_update(None, "foreign_keys", true)?;
    connection.execute_batch("BEGIN IMMEDIATE")?;
    // Read again under the lock: another program may have been faster.
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let known = u32::try_from(MIGRATIONS.len())?;
    if version > known {
        return Err(format!(
            "a newer imo2skype wrote it (schema {version}, this one knows {known}); upgrade this program"
        )
        .into());
    }
    for step in MIGRATIONS.iter().skip(usize::try_from(version)?) {
        connection.execute_batch(step)?;
    }
    connection.pragma_update(None, "user_version", known)?;
    connection.execute_batch("COMMIT")?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn count(database: &Database) -> i64 {
        let sql = database.sql().expect("begin");
        sql.query_row("SELECT count(*) FROM users", [], |row| row.get(0)).expect("count")
    }

    fn add(database: &Database, name: &str) -> DbResult<usize> {
        database.sql()?.execute("INSERT INTO users (name, alias) VALUES (?1, ?1)", [name])
    }

    #[test]
    fn an_operation_fails_alone() {
        let database = Database::open(None).expect("open");
        add(&database, "alice").expect("alice");
        database.end_operation(true).expect("end");
        add(&database, "bob").expect("bob");
        assert!(add(&database, "ALICE").is_err(), "names differ by more than case");
        database.end_operation(false).expect("end");
        database.commit().expect("commit");
        assert_eq!(count(&database), 2, "alice and the echo");
    }

    #[test]
    fn files_that_cannot_be_used_are_named() {
        let folder = tempfile::tempdir().expect("folder");
        let text = folder.path().join("notes.txt");
        std::fs::write(&text, "this is no database, but it is long enough to be looked at".repeat(20)).expect("write");
        let other = folder.path().join("other.db");
        Connection::open(&other).expect("open").execute_batch("CREATE TABLE songs (name)").expect("create");
        let newer = folder.path().join("newer.db");
        drop(Database::open(Some(&newer)).expect("open"));
        Connection::open(&newer).expect("open").pragma_update(None, "user_version", 99).expect("set");
        let nowhere = folder.path().join("no/such/folder/gateway.db");
        for (file, words) in
            [(text, "not a database"), (other, "another program"), (newer, "newer"), (nowhere, "No such file")]
        {
            let error = Database::open(Some(&file)).err().expect("refused").chain();
            assert!(error.contains(words) && error.contains(&file.display().to_string()), "{error}");
        }
    }

    #[test]
    fn an_older_database_is_brought_up_to_date() {
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("gateway.db");
        let old = Connection::open(&file).expect("open");
        old.execute_batch(MIGRATIONS[0]).expect("schema 1");
        old.pragma_update(None, "user_version", 1).expect("set");
        old.execute_batch(
            "INSERT INTO users (name, password, alias) VALUES ('alice', 'hash', 'Alice A'), ('bob', 'hash', 'bob');
             INSERT INTO contacts (owner, buddy, alias, listed, authorised) VALUES (2, 3, 'Bobby', 1, 1);
             INSERT INTO messages (sender, receiver, body, sent_at) VALUES (2, 3, 'one', 7), (2, 3, 'two', 8);
             INSERT INTO messages (sender, receiver, body, sent_at) VALUES (3, 2, 'back', 9);",
        )
        .expect("content");
        let epoch: String = old.query_row("SELECT id FROM epoch", [], |row| row.get(0)).expect("epoch");
        drop(old);

        let database = Database::open(Some(&file)).expect("migrated");
        let alice = database.user("alice").expect("look").expect("there");
        let bob = database.user("bob").expect("look").expect("there");
        assert_eq!(alice.alias, "Alice A");
        assert_eq!(database.password("alice").expect("look"), Some(Some("hash".to_owned())));
        assert_eq!(database.relation(alice.id, bob.id).expect("look").alias.as_deref(), Some("Bobby"));
        let messages: Vec<_> = database.messages(bob.id, 0, 10).expect("list").into_iter().collect();
        let seen: Vec<_> = messages.iter().map(|m| (m.id, m.sender.id, m.body.as_str(), m.sent_at)).collect();
        assert_eq!(seen, [(1, alice.id, "one", 7), (2, alice.id, "two", 8)]);
        assert_eq!(database.epoch().expect("epoch"), epoch, "ids of messages stay what they were");
        let waiting = |id| database.waiting_for(id).expect("count");
        assert_eq!((waiting(alice.id), waiting(bob.id), database.waiting().expect("count")), (1, 2, 3));
        database.remove_message(1).expect("remove");
        assert_eq!((waiting(bob.id), database.waiting().expect("count")), (1, 2));
        database.remove_user(alice.id).expect("remove");
        assert_eq!((waiting(bob.id), database.waiting().expect("count")), (0, 0), "with what she had sent");
        assert_eq!(database.sent_at(bob.id, "a7").expect("look"), None);
        database.add_sent(bob.id, "a7", 9).expect("add");
        assert_eq!(database.sent_at(bob.id, "a7").expect("look"), Some(9));
        database.commit().expect("commit");
        drop(database);
        Database::open(Some(&file)).expect("once is enough");
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().expect("folder");
        let file = folder.path().join("gateway.db");
        let database = Database::open(Some(&file)).expect("open");
        add(&database, "alice").expect("alice");
        database.commit().expect("commit");
        for entry in std::fs::read_dir(folder.path()).expect("list") {
            let entry = entry.expect("entry");
            assert_eq!(entry.metadata().expect("metadata").permissions().mode() & 0o077, 0, "{:?}", entry.path());
        }
    }
}
