//! Chats and their members: what the database knows of them.

use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::accounts::User;
use super::accounts::UserId;
use super::accounts::user;
use super::db::Database;
use super::db::DbResult;

/// A row of `chats`.
pub(crate) type ChatId = i64;

/// A chat of several.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Chat {
    pub(crate) id: ChatId,
    pub(crate) name: String,
    pub(crate) topic: String,
}

/// A member as another one sees it.
#[derive(Clone, Debug)]
pub(crate) struct Member {
    pub(crate) user: User,
    /// Nobody for the founder.
    pub(crate) inviter: Option<String>,
    /// The viewer's own name for the member.
    pub(crate) alias: Option<String>,
    /// The member lets the viewer see its presence.
    pub(crate) visible: bool,
}

fn chat(row: &Row<'_>) -> DbResult<Chat> {
    Ok(Chat { id: row.get(0)?, name: row.get(1)?, topic: row.get(2)? })
}

impl Database {
    pub(crate) fn add_chat(&self, name: &str) -> DbResult<ChatId> {
        let sql = self.sql()?;
        sql.prepare_cached("INSERT INTO chats (name) VALUES (?1)")?.execute([name])?;
        Ok(sql.last_insert_rowid())
    }

    /// The chat, if `user` is a member of it.
    pub(crate) fn chat_of(&self, user: UserId, id: ChatId) -> DbResult<Option<Chat>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT h.id, h.name, h.topic FROM members m JOIN chats h ON h.id = m.chat WHERE m.chat = ?1 AND m.user = ?2",
        )?;
        query.query_row([id, user], chat).optional()
    }

    /// The chats of `user`, in the order in which they were founded.
    pub(crate) fn chats(&self, user: UserId) -> DbResult<Vec<Chat>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT h.id, h.name, h.topic FROM members m JOIN chats h ON h.id = m.chat WHERE m.user = ?1 ORDER BY h.id",
        )?;
        query.query_map([user], chat)?.collect()
    }

    pub(crate) fn count_chats(&self, user: UserId) -> DbResult<u64> {
        let mut query = self.sql()?.prepare_cached("SELECT count(*) FROM members WHERE user = ?1")?;
        query.query_row([user], |row| row.get(0)).map(i64::cast_unsigned)
    }

    pub(crate) fn set_topic(&self, chat: ChatId, topic: &str) -> DbResult<()> {
        let mut update = self.sql()?.prepare_cached("UPDATE chats SET topic = ?2 WHERE id = ?1")?;
        update.execute(params![chat, topic]).map(drop)
    }

    pub(crate) fn add_member(&self, chat: ChatId, user: UserId, inviter: Option<UserId>) -> DbResult<()> {
        let mut insert = self.sql()?.prepare_cached("INSERT INTO members (chat, user, inviter) VALUES (?1, ?2, ?3)")?;
        insert.execute(params![chat, user, inviter]).map(drop)
    }

    /// Ends a membership; with the last one the chat.
    pub(crate) fn remove_member(&self, chat: ChatId, user: UserId) -> DbResult<()> {
        let mut delete = self.sql()?.prepare_cached("DELETE FROM members WHERE chat = ?1 AND user = ?2")?;
        delete.execute([chat, user]).map(drop)
    }

    pub(crate) fn member_ids(&self, chat: ChatId) -> DbResult<Vec<UserId>> {
        let mut query = self.sql()?.prepare_cached("SELECT user FROM members WHERE chat = ?1")?;
        query.query_map([chat], |row| row.get(0))?.collect()
    }

    /// The members of `chat` as `viewer` sees them, in the order of names; only the one called
    /// `only` where that is given.
    pub(crate) fn members(&self, chat: ChatId, viewer: UserId, only: Option<UserId>) -> DbResult<Vec<Member>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.id, u.name, u.alias, u.mood, i.name, c.alias,
                 u.id = ?2 OR coalesce(r.authorised AND NOT r.blocked, 0)
             FROM members m JOIN users u ON u.id = m.user
             LEFT JOIN users i ON i.id = m.inviter
             LEFT JOIN contacts c ON c.owner = ?2 AND c.buddy = m.user
             LEFT JOIN contacts r ON r.owner = m.user AND r.buddy = ?2
             WHERE m.chat = ?1 AND m.user BETWEEN ?3 AND ?4 ORDER BY u.name",
        )?;
        let member = |row: &Row<'_>| {
            Ok(Member { user: user(row)?, inviter: row.get(4)?, alias: row.get(5)?, visible: row.get(6)? })
        };
        let (first, last) = only.map_or((UserId::MIN, UserId::MAX), |only| (only, only));
        query.query_map([chat, viewer, first, last], member)?.collect()
    }

    /// The chats in which both are.
    pub(crate) fn shared_chats(&self, one: UserId, other: UserId) -> DbResult<Vec<ChatId>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT a.chat FROM members a JOIN members b ON b.chat = a.chat AND b.user = ?2 WHERE a.user = ?1",
        )?;
        query.query_map([one, other], |row| row.get(0))?.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_to_leave_ends_the_chat() {
        let database = Database::open(None).expect("open");
        let [alice, bob] = ["alice", "bob"].map(|name| database.add_user(name, "hash").expect("add").expect("new"));
        let echo = database.user(super::super::names::ECHO).expect("look").expect("there").id;
        let chats = || -> i64 {
            let sql = database.sql().expect("begin");
            sql.query_row("SELECT count(*) FROM chats", [], |row| row.get(0)).expect("count")
        };
        let found = |members: &[UserId]| {
            let chat = database.add_chat("plans").expect("chat");
            members.iter().for_each(|user| database.add_member(chat, *user, None).expect("member"));
            chat
        };
        let first = found(&[alice, bob, echo]);
        assert_eq!(database.shared_chats(bob, alice).expect("list"), [first]);
        database.remove_member(first, alice).expect("leave");
        assert_eq!((chats(), database.shared_chats(bob, alice).expect("list")), (1, vec![]));
        assert_eq!(database.chat_of(alice, first).expect("look"), None);
        database.remove_member(first, bob).expect("leave");
        assert_eq!(chats(), 0, "the echo alone is nobody");
        let second = found(&[alice]);
        assert!(second > first, "the name of a chat is never given again");
        database.remove_user(alice).expect("remove");
        assert_eq!(chats(), 0);
    }
}
