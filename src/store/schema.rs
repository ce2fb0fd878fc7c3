//! The tables of a history, and the way from one version of them to the next.

use std::path::Path;
use std::path::PathBuf;

use rusqlite::Connection;

use crate::model::ArchiveError;

/// Says in the file whose it is: "i2sk".
const APPLICATION: u32 = 0x6932_736b;

/// Steps from one schema to the next; `PRAGMA user_version` counts those taken. Append only.
const STEPS: &[&str] = &["
    -- Whose history this is.
    CREATE TABLE account (network TEXT NOT NULL, name TEXT NOT NULL);
    -- All but messages: values are JSON (docs/history.md).
    CREATE TABLE objects (
        kind TEXT NOT NULL,
        key TEXT NOT NULL,
        value TEXT NOT NULL,
        UNIQUE (kind, key)
    );
    CREATE TABLE messages (
        id INTEGER PRIMARY KEY,
        chat INTEGER NOT NULL,
        author TEXT NOT NULL,
        -- JSON; NULL for text.
        kind TEXT,
        -- 0 text, 1 request to become a contact, 2 all else.
        class INTEGER NOT NULL,
        -- 0 sending, 1 sent, 2 received, 3 read, 4 to 6 failed.
        state INTEGER NOT NULL,
        body TEXT NOT NULL,
        time INTEGER NOT NULL,
        -- What the network calls it.
        remote TEXT,
        -- JSON: who changed it, and when.
        edit TEXT,
        -- Its outcome is known, and no client was there to be told.
        untold INTEGER NOT NULL DEFAULT 0
    );
    CREATE INDEX messages_by_chat ON messages (chat, id, class);
    CREATE INDEX messages_by_remote ON messages (remote) WHERE remote IS NOT NULL;
    CREATE INDEX messages_missed ON messages (id, chat, class) WHERE state = 2;
    CREATE INDEX messages_sending ON messages (id, chat, class) WHERE state = 0;
    CREATE INDEX messages_untold ON messages (id, chat, class) WHERE untold;
"];

/// Brings the tables up to date. A file that has to be changed for that is checked first, and copied.
pub(super) fn migrate(connection: &Connection, path: &Path) -> Result<(), ArchiveError> {
    migrate_by(connection, path, STEPS)
}

fn migrate_by(connection: &Connection, path: &Path, steps: &[&str]) -> Result<(), ArchiveError> {
    let known = u32::try_from(steps.len())?;
    let version = version(connection, known)?;
    if version == known {
        return Ok(());
    }
    if version > 0 {
        check(connection)?;
        back_up(connection, path, version)?;
    }
    connection.execute_batch("BEGIN IMMEDIATE")?;
    let taken = steps.iter().skip(usize::try_from(version)?).try_for_each(|step| connection.execute_batch(step));
    let taken = taken
        .and_then(|()| connection.pragma_update(None, "application_id", APPLICATION))
        .and_then(|()| connection.pragma_update(None, "user_version", known))
        .and_then(|()| connection.execute_batch("COMMIT"));
    if taken.is_err() && !connection.is_autocommit() {
        connection.execute_batch("ROLLBACK")?;
    }
    Ok(taken?)
}

/// Looks whether the tables are those of this version, for whoever may not change them.
pub(super) fn recognise(connection: &Connection) -> Result<(), ArchiveError> {
    let known = u32::try_from(STEPS.len())?;
    match version(connection, known)? {
        0 => Err("there is no history in it".into()),
        version if version < known => Err("an older imo2skype wrote it; open it with this one first".into()),
        _ => Ok(()),
    }
}

/// How many steps were taken: 0 if there is nothing, and never more than are known.
fn version(connection: &Connection, known: u32) -> Result<u32, ArchiveError> {
    let version: u32 = connection.pragma_query_value(None, "user_version", |row| row.get(0))?;
    let application: u32 = connection.pragma_query_value(None, "application_id", |row| row.get(0))?;
    let tables: i64 = connection.query_row("SELECT count(*) FROM sqlite_schema", [], |row| row.get(0))?;
    if tables > 0 && application != APPLICATION {
        return Err("it belongs to another program; name another file".into());
    }
    if version > known {
        let problem =
            format!("a newer imo2skype wrote it (schema {version}, this one knows {known}); upgrade this program");
        return Err(problem.into());
    }
    Ok(version)
}

/// Looks whether the file is whole.
pub(super) fn check(connection: &Connection) -> Result<(), ArchiveError> {
    let found: String = connection.query_row("PRAGMA integrity_check(1)", [], |row| row.get(0))?;
    if found == "ok" { Ok(()) } else { Err(format!("it is damaged: {found}").into()) }
}

/// Copies the file to one beside it, `<name>.schema<version>`, that nobody else can read.
fn back_up(connection: &Connection, path: &Path, version: u32) -> Result<(), ArchiveError> {
    let mut copy = path.as_os_str().to_owned();
    copy.push(format!(".schema{version}"));
    let copy = PathBuf::from(copy);
    // One of an attempt that was interrupted is older than the file.
    match std::fs::remove_file(&copy) {
        Err(error) if error.kind() != std::io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    super::create(&copy)?;
    let text = copy.to_str().ok_or("its name is not UTF-8")?;
    connection.execute("VACUUM INTO ?1", [text])?;
    tracing::info!(copy = %copy.display(), "the history was copied before its tables are changed");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_copied_before_its_tables_are_changed() {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("history.db");
        let connection = Connection::open(&path).expect("open");
        migrate_by(&connection, &path, STEPS).expect("made");
        connection.execute("INSERT INTO account VALUES ('imo', 'alice')", []).expect("a row");
        let copy = folder.path().join("history.db.schema1");
        assert!(!copy.exists(), "nothing to copy");
        let steps = [STEPS, &["ALTER TABLE account ADD COLUMN colour TEXT"]].concat();
        for _ in 0..2 {
            migrate_by(&connection, &path, &steps).expect("changed");
        }
        let names = |connection: &Connection| {
            connection.query_row("SELECT name FROM account", [], |row| row.get::<_, String>(0)).expect("a row")
        };
        assert_eq!(names(&connection), "alice");
        assert_eq!(names(&Connection::open(&copy).expect("open")), "alice");
        assert!(connection.prepare("SELECT colour FROM account").is_ok());
        #[cfg(unix)]
        assert_eq!(
            std::os::unix::fs::PermissionsExt::mode(&copy.metadata().expect("there").permissions()) & 0o777,
            0o600
        );
        // A step that fails leaves everything as it was.
        let wrong = [&steps[..], &["CREATE TABLE songs (name); CREATE TABLE account (again)"]].concat();
        assert!(migrate_by(&connection, &path, &wrong).is_err());
        assert!(connection.prepare("SELECT * FROM songs").is_err());
        assert_eq!(names(&connection), "alice");
    }
}
