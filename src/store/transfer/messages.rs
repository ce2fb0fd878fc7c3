//! Messages that are added to a history: which of them are there already, and what becomes of the others.

use rusqlite::OptionalExtension;
use rusqlite::params;
use serde_json::value::RawValue;

use crate::model::ArchiveError;
use crate::model::Edit;
use crate::model::Kind;
use crate::store::class_number;

use super::Said;
use super::Word;
use super::merge::Merge;

/// What was not found yet for another message.
const FREE: &str = "NOT EXISTS (SELECT 1 FROM numbers WHERE here = messages.id)";

impl Merge<'_> {
    pub(super) fn message(&mut self, said: &Said) -> Result<(), ArchiveError> {
        let chat = self.chats_here.get(&said.chat).copied();
        let chat = chat.ok_or_else(|| format!("there is no chat {} before it", said.chat))?;
        let kind = said.kind.as_deref().map(RawValue::get).map(serde_json::from_str).transpose()?.unwrap_or(Kind::Text);
        let _: Option<Edit> = said.edit.as_deref().map(RawValue::get).map(serde_json::from_str).transpose()?;
        let text = said.kind.as_deref().map(RawValue::get).filter(|_| kind != Kind::Text);
        if self.merging
            && let Some(here) = self.same(said, chat, text)?
        {
            return self.is_here(said.id, here);
        }
        let here = self.place(said.id)?;
        self.is_new();
        let state = match said.state {
            // Whoever had it to send may have done so since.
            Word::Sending if self.merging => Word::FailedUnclear,
            state => state,
        };
        let sql = "INSERT INTO messages (id, chat, author, kind, class, state, body, time, remote, edit, untold)
            VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
        let edit = said.edit.as_deref().map(RawValue::get);
        self.connection.prepare_cached(sql)?.execute(params![
            here,
            chat,
            said.author,
            text,
            class_number(kind.class()),
            state as u8,
            said.body,
            said.time,
            said.remote,
            edit,
            said.untold,
        ])?;
        Ok(())
    }

    /// The message here that is this one; none is found twice.
    fn same(&self, said: &Said, chat: usize, kind: Option<&str>) -> Result<Option<u32>, ArchiveError> {
        if let Some(remote) = &said.remote
            && let Some(here) = self.by_remote(remote)?
        {
            return Ok(Some(here));
        }
        if self.by_number(said, chat)? {
            return Ok(Some(said.id));
        }
        // An earlier import gave it another number.
        if said.remote.is_none() { self.by_time(said, chat, kind) } else { Ok(None) }
    }

    fn by_remote(&self, remote: &str) -> Result<Option<u32>, ArchiveError> {
        let sql = format!("SELECT id FROM messages WHERE remote = ?1 AND {FREE} LIMIT 1");
        Ok(self.connection.prepare_cached(&sql)?.query_row([remote], |row| row.get(0)).optional()?)
    }

    /// Whether the message of the same number is this one. Between two copies of a history it may have been edited, and
    /// the network may have named it and corrected its time.
    fn by_number(&self, said: &Said, chat: usize) -> Result<bool, ArchiveError> {
        let sql = format!(
            "SELECT author = ?3 COLLATE NOCASE
                AND (body = ?4 OR ?5 OR edit IS NOT NULL)
                AND (time = ?6 OR ?7 OR state = 0)
                AND (remote IS NULL OR ?8 IS NULL OR remote = ?8)
            FROM messages WHERE id = ?1 AND chat = ?2 AND {FREE}"
        );
        let (edited, sending) = (said.edit.is_some(), said.state == Word::Sending);
        let same = self.connection.prepare_cached(&sql)?.query_row(
            params![said.id, chat, said.author, said.body, edited, said.time, sending, said.remote],
            |row| row.get(0),
        );
        Ok(same.optional()?.unwrap_or(false))
    }

    fn by_time(&self, said: &Said, chat: usize, kind: Option<&str>) -> Result<Option<u32>, ArchiveError> {
        let sql = format!(
            "SELECT id FROM messages WHERE chat = ?1 AND time = ?2 AND author = ?3 COLLATE NOCASE AND body = ?4
                AND kind IS ?5 AND remote IS NULL AND {FREE} ORDER BY id LIMIT 1"
        );
        let here = self
            .connection
            .prepare_cached(&sql)?
            .query_row(params![chat, said.time, said.author, said.body, kind], |row| row.get(0));
        Ok(here.optional()?)
    }
}
