//! Writing a history out.

use std::io::Write;
use std::path::Path;

use rusqlite::Connection;
use rusqlite::OpenFlags;
use rusqlite::Row;
use serde::Serialize;
use serde_json::value::RawValue;

use crate::error::Error;
use crate::model::ArchiveError;
use crate::model::Handle;
use crate::model::ObjectKind;
use crate::store::BUSY;
use crate::store::Store;
use crate::store::belongs;
use crate::store::schema;

use super::Header;
use super::Item;
use super::Object;
use super::Said;
use super::TransferError;
use super::VERSION;
use super::Word;

impl Store {
    /// Writes the history in a file as JSON Lines, as it is at one moment; a session may use the file meanwhile. After
    /// each line `progress` is told how many there were. Returns how many there are.
    ///
    /// # Errors
    ///
    /// [`TransferError::Store`] if there is no history of this account in the file, or it cannot be read;
    /// [`TransferError::Text`] if `output` takes no more.
    pub fn export(
        path: &Path,
        network: &str,
        username: &str,
        output: &mut impl Write,
        progress: &mut impl FnMut(u64),
    ) -> Result<u64, TransferError> {
        let failed = |source| Error::Store { path: path.display().to_string(), source };
        let account = Handle::fold(username).into_owned();
        let connection = connect(path, network, &account).map_err(failed)?;
        let header = Header { imo2skype_history: VERSION, network: network.to_owned(), account };
        let mut lines = Lines { output, progress, written: 0 };
        line(lines.output, &header)?;
        let written = objects(&connection, &mut lines).and_then(|()| messages(&connection, &mut lines));
        written.map_err(|problem| match problem.downcast::<std::io::Error>() {
            Ok(error) => TransferError::Text(*error),
            Err(source) => failed(source).into(),
        })?;
        line(lines.output, &Item::End(lines.written))?;
        lines.output.flush()?;
        Ok(lines.written)
    }
}

/// Opens the file to read what is there now. What changes after that is not seen.
fn connect(path: &Path, network: &str, account: &str) -> Result<Connection, ArchiveError> {
    // SQLite tells no cause.
    path.metadata()?;
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let connection = Connection::open_with_flags(path, flags)?;
    connection.busy_timeout(BUSY)?;
    connection.execute_batch("BEGIN")?;
    schema::recognise(&connection)?;
    if !belongs(&connection, network, account)? {
        return Err("there is no history in it".into());
    }
    Ok(connection)
}

struct Lines<'a, W, P> {
    output: &'a mut W,
    progress: &'a mut P,
    written: u64,
}

impl<W: Write, P: FnMut(u64)> Lines<'_, W, P> {
    fn put(&mut self, item: &Item) -> std::io::Result<()> {
        line(self.output, item)?;
        self.written += 1;
        (self.progress)(self.written);
        Ok(())
    }
}

fn line(output: &mut impl Write, value: &impl Serialize) -> std::io::Result<()> {
    serde_json::to_writer(&mut *output, value)?;
    output.write_all(b"\n")
}

fn objects(connection: &Connection, lines: &mut Lines<'_, impl Write, impl FnMut(u64)>) -> Result<(), ArchiveError> {
    // What there is one of has no order of its own; the numbers that were given come before those that are.
    let sql = "SELECT key, value FROM objects WHERE kind = ?1 ORDER BY iif(kind = 'single', key, ''), rowid";
    let mut statement = connection.prepare(sql)?;
    // What others refer to comes first.
    let kinds = [ObjectKind::Single, ObjectKind::Group, ObjectKind::User, ObjectKind::Chat, ObjectKind::Call];
    for kind in kinds {
        let mut rows = statement.query([kind.word()])?;
        while let Some(row) = rows.next()? {
            let (key, value): (String, String) = (row.get(0)?, row.get(1)?);
            let item = object(kind, &key, value).map_err(|error| format!("{} {key}: {error}", kind.word()))?;
            lines.put(&item)?;
        }
    }
    Ok(())
}

fn object(kind: ObjectKind, key: &str, value: String) -> Result<Item, ArchiveError> {
    let value = raw(value)?;
    Ok(match kind {
        ObjectKind::Single => Item::Single(Object { key: key.to_owned(), value }),
        ObjectKind::Group => Item::Group(Object { key: key.parse()?, value }),
        ObjectKind::User => Item::User(Object { key: key.to_owned(), value }),
        ObjectKind::Chat => Item::Chat(Object { key: key.parse()?, value }),
        ObjectKind::Call => Item::Call(Object { key: key.parse()?, value }),
    })
}

/// JSON as it is kept; in one line, also if somebody else wrote it.
fn raw(text: String) -> serde_json::Result<Box<RawValue>> {
    if text.contains(['\n', '\r']) {
        return serde_json::value::to_raw_value(&serde_json::from_str::<serde_json::Value>(&text)?);
    }
    RawValue::from_string(text)
}

fn messages(connection: &Connection, lines: &mut Lines<'_, impl Write, impl FnMut(u64)>) -> Result<(), ArchiveError> {
    let sql = "SELECT id, chat, author, kind, state, body, time, remote, edit, untold FROM messages ORDER BY id";
    let mut statement = connection.prepare(sql)?;
    let mut rows = statement.query([])?;
    while let Some(row) = rows.next()? {
        lines.put(&Item::Message(said(row)?))?;
    }
    Ok(())
}

fn said(row: &Row<'_>) -> Result<Said, ArchiveError> {
    let (kind, edit): (Option<String>, Option<String>) = (row.get(3)?, row.get(8)?);
    Ok(Said {
        id: row.get(0)?,
        chat: row.get(1)?,
        author: row.get(2)?,
        kind: kind.map(raw).transpose()?,
        state: Word::of(row.get(4)?),
        body: row.get(5)?,
        time: row.get(6)?,
        remote: row.get(7)?,
        edit: edit.map(raw).transpose()?,
        untold: row.get(9)?,
    })
}
