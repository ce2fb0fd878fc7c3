//! Messages that no login of the receiver has acknowledged yet, and which were taken before: what
//! the database knows of them.

use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::accounts::User;
use super::accounts::UserId;
use super::accounts::user;
use super::db::Database;
use super::db::DbResult;
use super::members::ChatId;

/// A row of `messages`.
pub(crate) type MessageId = i64;
/// A row of `chat_messages`.
pub(crate) type SaidId = i64;

/// A message that waits.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Stored {
    pub(crate) id: MessageId,
    pub(crate) sender: User,
    /// The receiver's own name for the sender, outside chats.
    pub(crate) alias: Option<String>,
    pub(crate) body: String,
    pub(crate) sent_at: u64,
    /// Where it was said, unless to the receiver alone.
    pub(crate) said: Option<Said>,
}

/// What a message to a chat has besides.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Said {
    /// The same for all members.
    pub(crate) id: SaidId,
    pub(crate) chat: ChatId,
    /// The name of the chat, unless it is over.
    pub(crate) name: Option<String>,
    /// It is the new topic.
    pub(crate) topic: bool,
}

fn stored(row: &Row<'_>) -> DbResult<Stored> {
    let sent_at: i64 = row.get(7)?;
    let said = match row.get(8)? {
        Some(id) => Some(Said { id, chat: row.get(9)?, topic: row.get(10)?, name: row.get(11)? }),
        None => None,
    };
    Ok(Stored {
        sender: user(row)?,
        alias: row.get(4)?,
        id: row.get(5)?,
        body: row.get(6)?,
        sent_at: sent_at.cast_unsigned(),
        said,
    })
}

impl Database {
    pub(crate) fn add_message(&self, from: UserId, to: UserId, body: &str, sent_at: u64) -> DbResult<MessageId> {
        let sql = self.sql()?;
        sql.prepare_cached("INSERT INTO messages (sender, receiver, body, sent_at) VALUES (?1, ?2, ?3, ?4)")?
            .execute(params![from, to, body, sent_at.cast_signed()])?;
        Ok(sql.last_insert_rowid())
    }

    /// What somebody says in a chat; each member gets it by [`add_copy`](Self::add_copy).
    pub(crate) fn add_said(&self, chat: ChatId, body: &str, topic: bool) -> DbResult<SaidId> {
        let sql = self.sql()?;
        sql.prepare_cached("INSERT INTO chat_messages (chat, topic, body) VALUES (?1, ?2, ?3)")?
            .execute(params![chat, topic, body])?;
        Ok(sql.last_insert_rowid())
    }

    pub(crate) fn add_copy(&self, said: SaidId, from: UserId, to: UserId, sent_at: u64) -> DbResult<MessageId> {
        let sql = self.sql()?;
        sql.prepare_cached(
            "INSERT INTO messages (sender, receiver, body, sent_at, chat_message) VALUES (?1, ?2, '', ?3, ?4)",
        )?
        .execute(params![from, to, sent_at.cast_signed(), said])?;
        Ok(sql.last_insert_rowid())
    }

    /// The first `limit` waiting messages of `receiver` from the one with `first` on.
    pub(crate) fn messages(&self, receiver: UserId, first: MessageId, limit: usize) -> DbResult<Vec<Stored>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.id, u.name, u.alias, u.mood, CASE WHEN s.id IS NULL THEN c.alias END, m.id,
                 coalesce(s.body, m.body), m.sent_at, s.id, s.chat, s.topic, h.name
             FROM messages m JOIN users u ON u.id = m.sender
             LEFT JOIN contacts c ON c.owner = m.receiver AND c.buddy = m.sender
             LEFT JOIN chat_messages s ON s.id = m.chat_message
             LEFT JOIN chats h ON h.id = s.chat
             WHERE m.receiver = ?1 AND m.id >= ?2 ORDER BY m.id LIMIT ?3",
        )?;
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        query.query_map(params![receiver, first, limit], stored)?.collect()
    }

    /// How many messages wait for `receiver`.
    pub(crate) fn waiting_for(&self, receiver: UserId) -> DbResult<u64> {
        let mut query = self.sql()?.prepare_cached("SELECT waiting FROM users WHERE id = ?1")?;
        query.query_row([receiver], |row| row.get(0)).map(i64::cast_unsigned)
    }

    /// How many messages wait for anybody.
    pub(crate) fn waiting(&self) -> DbResult<u64> {
        let mut query = self.sql()?.prepare_cached("SELECT waiting FROM totals")?;
        query.query_row([], |row| row.get(0)).map(i64::cast_unsigned)
    }

    /// Who has messages waiting, and how many.
    pub(crate) fn waiting_by_user(&self) -> DbResult<Vec<(String, u64)>> {
        let mut query = self.sql()?.prepare_cached("SELECT name, waiting FROM users ORDER BY name")?;
        query.query_map([], |row| Ok((row.get(0)?, row.get::<_, i64>(1)?.cast_unsigned())))?.collect()
    }

    /// Forgets a message that was delivered.
    pub(crate) fn remove_message(&self, id: MessageId) -> DbResult<bool> {
        Ok(self.sql()?.prepare_cached("DELETE FROM messages WHERE id = ?1")?.execute([id])? > 0)
    }

    /// When the message that `sender` calls so was taken, if it was.
    pub(crate) fn sent_at(&self, sender: UserId, client_msg_id: &str) -> DbResult<Option<u64>> {
        let mut query =
            self.sql()?.prepare_cached("SELECT sent_at FROM sent WHERE sender = ?1 AND client_msg_id = ?2")?;
        query.query_row(params![sender, client_msg_id], |row| row.get(0).map(i64::cast_unsigned)).optional()
    }

    /// Remembers that the message that `sender` calls so was taken.
    pub(crate) fn add_sent(&self, sender: UserId, client_msg_id: &str, sent_at: u64) -> DbResult<()> {
        self.sql()?
            .prepare_cached("INSERT INTO sent (sender, client_msg_id, sent_at) VALUES (?1, ?2, ?3)")?
            .execute(params![sender, client_msg_id, sent_at.cast_signed()])
            .map(drop)
    }

    /// Forgets what was taken before that time, at most `limit` of it.
    pub(crate) fn forget_sent(&self, before: u64, limit: usize) -> DbResult<usize> {
        let limit = i64::try_from(limit).unwrap_or(i64::MAX);
        self.sql()?
            .prepare_cached(
                "DELETE FROM sent WHERE (sender, client_msg_id) IN
                 (SELECT sender, client_msg_id FROM sent WHERE sent_at < ?1 ORDER BY sent_at LIMIT ?2)",
            )?
            .execute(params![before.cast_signed(), limit])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn users<const N: usize>(database: &Database, names: [&str; N]) -> [UserId; N] {
        names.map(|name| database.add_user(name, "hash").expect("add").expect("new"))
    }

    #[test]
    fn any_text_is_stored_as_it_is() {
        let database = Database::open(None).expect("open");
        let [alice, bob] = users(&database, ["alice", "bob"]);
        let bodies = ["%s%n", "a\r\nb", "'; DROP TABLE users; --", "\u{1f600}", "nul \0 inside", "\u{fffd}"];
        for body in bodies {
            database.add_message(alice, bob, body, 1).expect("add");
        }
        let stored: Vec<_> = database.messages(bob, 0, 100).expect("list").into_iter().map(|m| m.body).collect();
        assert_eq!(stored, bodies);
        database.remove_user(alice).expect("remove");
        assert_eq!(database.waiting_for(bob).expect("count"), 0);
    }

    #[test]
    fn what_was_sent_is_known_by_its_sender_and_its_exact_id() {
        let database = Database::open(None).expect("open");
        let [alice, bob] = users(&database, ["alice", "bob"]);
        for (number, id) in ["a7", "A7", "a7 ", "nul \0 inside", "nul \0 after"].into_iter().enumerate() {
            assert_eq!(database.sent_at(alice, id).expect("look"), None, "{id:?}");
            database.add_sent(alice, id, number as u64).expect("add");
            assert_eq!(database.sent_at(alice, id).expect("look"), Some(number as u64), "{id:?}");
            assert_eq!(database.sent_at(bob, id).expect("look"), None, "{id:?}");
        }
        database.add_sent(bob, "a7", 1).expect("add");
        database.remove_user(alice).expect("remove");
        assert_eq!(database.sent_at(alice, "a7").expect("look"), None);
        assert_eq!(database.sent_at(bob, "a7").expect("look"), Some(1));
    }

    #[test]
    fn the_oldest_is_forgotten_first_and_no_more_than_the_limit() {
        let database = Database::open(None).expect("open");
        let [alice, bob] = users(&database, ["alice", "bob"]);
        for time in 1..=6 {
            let sender = if time % 2 == 0 { alice } else { bob };
            database.add_sent(sender, &(7 - time).to_string(), time).expect("add");
        }
        let known = || -> Vec<u64> {
            let sql = database.sql().expect("begin");
            let mut query = sql.prepare("SELECT sent_at FROM sent ORDER BY sent_at").expect("query");
            let times = query.query_map([], |row| row.get::<_, i64>(0)).expect("rows");
            times.map(|time| time.expect("a time").cast_unsigned()).collect()
        };
        assert_eq!(database.forget_sent(5, 3).expect("forget"), 3);
        assert_eq!(known(), [4, 5, 6]);
        assert_eq!(database.forget_sent(5, 3).expect("forget"), 1);
        assert_eq!(database.forget_sent(5, 3).expect("forget"), 0);
        assert_eq!(known(), [5, 6]);
    }

    #[test]
    fn what_is_said_in_a_chat_is_kept_once_until_the_last_member_has_it() {
        let database = Database::open(None).expect("open");
        let [alice, bob, carol] = users(&database, ["alice", "bob", "carol"]);
        let chat = database.add_chat("plans").expect("chat");
        let said = database.add_said(chat, "hi all", false).expect("said");
        let copies = [bob, carol].map(|to| database.add_copy(said, alice, to, 5).expect("copy"));
        let kept = || -> i64 {
            let sql = database.sql().expect("begin");
            sql.query_row("SELECT count(*) FROM chat_messages", [], |row| row.get(0)).expect("count")
        };
        let stored = database.messages(carol, 0, 9).expect("list").remove(0);
        assert_eq!((stored.body.as_str(), stored.sent_at), ("hi all", 5));
        assert_eq!(stored.said, Some(Said { id: said, chat, name: Some("plans".to_owned()), topic: false }));
        for (copy, left) in copies.into_iter().zip([1, 0]) {
            assert!(database.remove_message(copy).expect("remove"));
            assert_eq!(kept(), left);
        }
        assert_eq!(database.waiting().expect("count"), 0);
    }
}
