//! Users and contacts: what the database knows of them.

use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;

use super::db::Database;
use super::db::DbResult;

/// A row of `users`.
pub(crate) type UserId = i64;

/// One user.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct User {
    pub(crate) id: UserId,
    /// As it was spelt when it was registered.
    pub(crate) name: String,
    pub(crate) alias: String,
    pub(crate) mood: String,
}

/// What an owner thinks of a buddy.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Relation {
    pub(crate) alias: Option<String>,
    pub(crate) listed: bool,
    pub(crate) authorised: bool,
    pub(crate) blocked: bool,
    pub(crate) request: Option<String>,
}

impl Relation {
    /// Whether the buddy sees the owner's presence.
    pub(crate) fn shows_presence(&self) -> bool {
        self.authorised && !self.blocked
    }
}

/// A contact as its owner sees it.
#[derive(Clone, Debug)]
pub(crate) struct Contact {
    pub(crate) user: User,
    pub(crate) alias: Option<String>,
    /// The contact lets the owner see its presence.
    pub(crate) visible: bool,
}

/// The first four columns of `row`.
pub(super) fn user(row: &Row<'_>) -> DbResult<User> {
    Ok(User { id: row.get(0)?, name: row.get(1)?, alias: row.get(2)?, mood: row.get(3)? })
}

impl Database {
    /// What the ids of messages begin with: other databases count from 1, too.
    pub(crate) fn epoch(&self) -> DbResult<String> {
        self.sql()?.query_row("SELECT id FROM epoch", [], |row| row.get(0))
    }

    /// The user of that name, in any case of letters.
    pub(crate) fn user(&self, name: &str) -> DbResult<Option<User>> {
        let mut query = self.sql()?.prepare_cached("SELECT id, name, alias, mood FROM users WHERE name = ?1")?;
        query.query_row([name], user).optional()
    }

    pub(crate) fn user_by_id(&self, id: UserId) -> DbResult<Option<User>> {
        let mut query = self.sql()?.prepare_cached("SELECT id, name, alias, mood FROM users WHERE id = ?1")?;
        query.query_row([id], user).optional()
    }

    /// The password hash of `name`: `None` for no such user, `Some(None)` where nobody can log in.
    pub(crate) fn password(&self, name: &str) -> DbResult<Option<Option<String>>> {
        let mut query = self.sql()?.prepare_cached("SELECT password FROM users WHERE name = ?1")?;
        query.query_row([name], |row| row.get(0)).optional()
    }

    /// Registers `name` with the built-in contact on its list; `None` if there is one already.
    pub(crate) fn add_user(&self, name: &str, password: &str) -> DbResult<Option<UserId>> {
        let sql = self.sql()?;
        let added = sql
            .prepare_cached("INSERT OR IGNORE INTO users (name, password, alias) VALUES (?1, ?2, ?1)")?
            .execute([name, password])?;
        if added == 0 {
            return Ok(None);
        }
        let id = sql.last_insert_rowid();
        if let Some(echo) = self.user(super::names::ECHO)? {
            let both = Relation { listed: true, authorised: true, ..Relation::default() };
            self.set_relation(id, echo.id, &both)?;
            self.set_relation(echo.id, id, &Relation { authorised: true, ..Relation::default() })?;
        }
        Ok(Some(id))
    }

    pub(crate) fn set_password(&self, name: &str, password: &str) -> DbResult<bool> {
        let mut update = self.sql()?.prepare_cached("UPDATE users SET password = ?2 WHERE name = ?1")?;
        Ok(update.execute([name, password])? > 0)
    }

    /// Removes a user with everything that belongs to it.
    pub(crate) fn remove_user(&self, id: UserId) -> DbResult<()> {
        self.sql()?.execute("DELETE FROM users WHERE id = ?1", [id]).map(drop)
    }

    pub(crate) fn users(&self) -> DbResult<Vec<User>> {
        let mut query = self.sql()?.prepare_cached("SELECT id, name, alias, mood FROM users ORDER BY name")?;
        query.query_map([], user)?.collect()
    }

    pub(crate) fn set_mood(&self, id: UserId, mood: &str) -> DbResult<()> {
        self.sql()?.prepare_cached("UPDATE users SET mood = ?2 WHERE id = ?1")?.execute(params![id, mood]).map(drop)
    }

    pub(crate) fn relation(&self, owner: UserId, buddy: UserId) -> DbResult<Relation> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT alias, listed, authorised, blocked, request FROM contacts WHERE owner = ?1 AND buddy = ?2",
        )?;
        let relation = query.query_row([owner, buddy], |row| {
            Ok(Relation {
                alias: row.get(0)?,
                listed: row.get(1)?,
                authorised: row.get(2)?,
                blocked: row.get(3)?,
                request: row.get(4)?,
            })
        });
        Ok(relation.optional()?.unwrap_or_default())
    }

    pub(crate) fn set_relation(&self, owner: UserId, buddy: UserId, relation: &Relation) -> DbResult<()> {
        let Relation { alias, listed, authorised, blocked, request } = relation;
        let sql = self.sql()?;
        if *relation == Relation::default() {
            let mut delete = sql.prepare_cached("DELETE FROM contacts WHERE owner = ?1 AND buddy = ?2")?;
            return delete.execute([owner, buddy]).map(drop);
        }
        sql.prepare_cached(
            "INSERT OR REPLACE INTO contacts (owner, buddy, alias, listed, authorised, blocked, request)
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
        )?
        .execute(params![owner, buddy, alias, listed, authorised, blocked, request])
        .map(drop)
    }

    pub(crate) fn count_contacts(&self, owner: UserId) -> DbResult<u64> {
        let mut query = self.sql()?.prepare_cached("SELECT count(*) FROM contacts WHERE owner = ?1 AND listed")?;
        query.query_row([owner], |row| row.get(0)).map(i64::cast_unsigned)
    }

    /// The list of `owner`, in the order of names.
    pub(crate) fn contacts(&self, owner: UserId) -> DbResult<Vec<Contact>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.id, u.name, u.alias, u.mood, c.alias, coalesce(r.authorised AND NOT r.blocked, 0)
             FROM contacts c JOIN users u ON u.id = c.buddy
             LEFT JOIN contacts r ON r.owner = c.buddy AND r.buddy = c.owner
             WHERE c.owner = ?1 AND c.listed ORDER BY u.name",
        )?;
        let contact = |row: &Row<'_>| Ok(Contact { user: user(row)?, alias: row.get(4)?, visible: row.get(5)? });
        query.query_map([owner], contact)?.collect()
    }

    /// Who may see the presence of `owner`, on a list or in a chat.
    pub(crate) fn watchers(&self, owner: UserId) -> DbResult<Vec<UserId>> {
        let mut query =
            self.sql()?.prepare_cached("SELECT buddy FROM contacts WHERE owner = ?1 AND authorised AND NOT blocked")?;
        query.query_map([owner], |row| row.get(0))?.collect()
    }

    /// Who waits for the authorisation of `owner`, with their words.
    pub(crate) fn requests(&self, owner: UserId) -> DbResult<Vec<(String, String)>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.name, c.request FROM contacts c JOIN users u ON u.id = c.buddy
             WHERE c.owner = ?1 AND c.request IS NOT NULL ORDER BY u.name",
        )?;
        query.query_map([owner], |row| Ok((row.get(0)?, row.get(1)?)))?.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_new_user_knows_the_echo_and_nobody_else() {
        let database = Database::open(None).expect("open");
        let alice = database.add_user("Alice", "hash").expect("add").expect("new");
        assert_eq!(database.add_user("aLICE", "hash").expect("add"), None);
        assert_eq!(database.user("ALICE").expect("look").expect("there").name, "Alice");
        let names: Vec<_> =
            database.contacts(alice).expect("list").into_iter().map(|c| (c.user.name, c.visible)).collect();
        assert_eq!(names, [("echo123".to_owned(), true)]);
        assert_eq!(database.password("echo123").expect("look"), Some(None));
    }

    #[test]
    fn only_the_authorised_watch() {
        let database = Database::open(None).expect("open");
        let [alice, bob, eve] =
            ["alice", "bob", "eve"].map(|name| database.add_user(name, "hash").expect("add").expect("new"));
        let listed = Relation { listed: true, authorised: true, ..Relation::default() };
        database.set_relation(alice, bob, &listed).expect("set");
        database.set_relation(alice, eve, &Relation { blocked: true, ..listed.clone() }).expect("set");
        let echo = database.user(super::super::names::ECHO).expect("look").expect("there").id;
        assert_eq!(database.watchers(alice).expect("list"), [echo, bob]);
        assert!(database.watchers(bob).expect("list").contains(&echo));
        database.set_relation(alice, bob, &Relation::default()).expect("set");
        assert_eq!(database.watchers(alice).expect("list"), [echo]);
        assert_eq!(database.relation(alice, bob).expect("look"), Relation::default());
    }
}
