//! Pictures of users: what the database knows of them, and who is told when one changes.
//!
//! `imo2skype-gateway user avatar` writes them into the database of a gateway that runs. SQLite
//! tells by one number whether another program wrote anything (`PRAGMA data_version`, no disk
//! access), so a gateway asks for that at every tick and looks for new pictures only then. A
//! notification over a socket would need an address, and would be lost while the gateway is down.

use std::hash::Hasher;

use rusqlite::OptionalExtension;
use rusqlite::Row;
use rusqlite::params;
use siphasher::sip128::Hasher128;
use siphasher::sip128::SipHasher24;

use crate::imo::Buddy;

use super::accounts::User;
use super::accounts::UserId;
use super::accounts::user;
use super::core::Core;
use super::db::Database;
use super::db::DbResult;
use super::events;
use super::members::ChatId;
use super::names::PICTURE_LIMIT;

/// What a picture may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Png,
    Jpeg,
}

impl Kind {
    /// Tells a picture by its signature.
    fn of(data: &[u8]) -> Option<Self> {
        if data.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else if data.starts_with(b"\xff\xd8\xff") {
            Some(Self::Jpeg)
        } else {
            None
        }
    }

    fn mime(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
        }
    }
}

/// Whether `data` can be a picture of a user.
///
/// # Errors
///
/// What is wrong with it, for people.
pub(crate) fn check(data: &[u8]) -> Result<Kind, String> {
    if data.len() > PICTURE_LIMIT {
        return Err(format!("a picture takes up to {} KiB; make it smaller", PICTURE_LIMIT >> 10));
    }
    Kind::of(data).ok_or_else(|| "it is no PNG and no JPEG picture".to_owned())
}

/// The name of a picture, which changes with what is in it.
fn icon(data: &[u8]) -> String {
    let mut hasher = SipHasher24::new();
    hasher.write(data);
    format!("{:032x}", hasher.finish128().as_u128())
}

/// How far the changes of pictures are known.
#[derive(Clone, Copy, Debug)]
pub(crate) struct PictureMark {
    /// Of the database, by anybody else.
    version: i64,
    /// Of a picture.
    change: i64,
}

fn item(row: &Row<'_>) -> DbResult<Buddy> {
    let (name, icon): (String, Option<String>) = (row.get(0)?, row.get(1)?);
    Ok(events::icon(&name, icon.as_deref()))
}

impl Database {
    pub(crate) fn set_picture(&self, user: UserId, kind: Kind, data: &[u8]) -> DbResult<()> {
        let change = self.next_change()?;
        let mut insert = self.sql()?.prepare_cached(
            "INSERT OR REPLACE INTO pictures (user, icon, kind, data, change) VALUES (?1, ?2, ?3, ?4, ?5)",
        )?;
        insert.execute(params![user, icon(data), kind.mime(), data, change]).map(drop)
    }

    /// Takes a picture away; false where there is none.
    pub(crate) fn remove_picture(&self, user: UserId) -> DbResult<bool> {
        let change = self.next_change()?;
        let mut update = self.sql()?.prepare_cached(
            "UPDATE pictures SET icon = NULL, kind = NULL, data = NULL, change = ?2
             WHERE user = ?1 AND icon IS NOT NULL",
        )?;
        Ok(update.execute([user, change])? > 0)
    }

    /// The number of the next change. It never comes again, also when a user is removed.
    fn next_change(&self) -> DbResult<i64> {
        let mut update = self.sql()?.prepare_cached("UPDATE totals SET pictures = pictures + 1 RETURNING pictures")?;
        update.query_row([], |row| row.get(0))
    }

    /// The media type and the bytes of a picture.
    pub(crate) fn picture(&self, icon: &str) -> DbResult<Option<(String, Vec<u8>)>> {
        let mut query = self.sql()?.prepare_cached("SELECT kind, data FROM pictures WHERE icon = ?1 LIMIT 1")?;
        query.query_row([icon], |row| Ok((row.get(0)?, row.get(1)?))).optional()
    }

    /// The picture of one user, as an item of `buddy_icon`.
    fn icon_of(&self, user: UserId) -> DbResult<Option<Buddy>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.name, p.icon FROM pictures p JOIN users u ON u.id = p.user
             WHERE p.user = ?1 AND p.icon IS NOT NULL",
        )?;
        query.query_row([user], item).optional()
    }

    /// The pictures of a user's contacts, of the members of its chats and of its own.
    pub(crate) fn icons_seen_by(&self, user: UserId) -> DbResult<Vec<Buddy>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.name, p.icon FROM (
                 SELECT ?1 AS id
                 UNION SELECT buddy FROM contacts WHERE owner = ?1 AND listed
                 UNION SELECT o.user FROM members m JOIN members o ON o.chat = m.chat WHERE m.user = ?1
             ) seen JOIN pictures p ON p.user = seen.id JOIN users u ON u.id = p.user
             WHERE p.icon IS NOT NULL ORDER BY u.name",
        )?;
        query.query_map([user], item)?.collect()
    }

    /// The pictures of the members of a chat, but not that of `user`.
    pub(crate) fn icons_of_chat(&self, user: UserId, chat: ChatId) -> DbResult<Vec<Buddy>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.name, p.icon FROM members m JOIN pictures p ON p.user = m.user JOIN users u ON u.id = m.user
             WHERE m.chat = ?2 AND m.user <> ?1 AND p.icon IS NOT NULL ORDER BY u.name",
        )?;
        query.query_map([user, chat], item)?.collect()
    }

    /// Who sees the picture of `user`: itself, who has it on a list, who is with it in a chat.
    fn picture_viewers(&self, user: UserId) -> DbResult<Vec<UserId>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT ?1 UNION SELECT owner FROM contacts WHERE buddy = ?1 AND listed
             UNION SELECT o.user FROM members m JOIN members o ON o.chat = m.chat WHERE m.user = ?1",
        )?;
        query.query_map([user], |row| row.get(0))?.collect()
    }

    /// Whose picture changed after `change`, the name of it, and the number of that change.
    fn pictures_after(&self, change: i64) -> DbResult<Vec<(User, Option<String>, i64)>> {
        let mut query = self.sql()?.prepare_cached(
            "SELECT u.id, u.name, u.alias, u.mood, p.icon, p.change FROM pictures p JOIN users u ON u.id = p.user
             WHERE p.change > ?1 ORDER BY p.change",
        )?;
        query.query_map([change], |row| Ok((user(row)?, row.get(4)?, row.get(5)?)))?.collect()
    }

    /// How far the changes of pictures are now.
    pub(crate) fn picture_mark(&self) -> DbResult<PictureMark> {
        let version = self.data_version()?;
        let change = self.sql()?.query_row("SELECT pictures FROM totals", [], |row| row.get(0))?;
        Ok(PictureMark { version, change })
    }

    fn data_version(&self) -> DbResult<i64> {
        self.sql()?.prepare_cached("PRAGMA data_version")?.query_row([], |row| row.get(0))
    }
}

impl Core {
    /// Tells `viewer` the picture of `user`, if there is one.
    pub(super) fn tell_picture(&mut self, viewer: UserId, user: &User) -> DbResult<()> {
        if self.is_online(viewer)
            && let Some(icon) = self.db.icon_of(user.id)?
        {
            self.tell_icons(viewer, &[icon]);
        }
        Ok(())
    }

    pub(super) fn tell_icons(&mut self, viewer: UserId, icons: &[Buddy]) {
        if !icons.is_empty() {
            self.push_all(viewer, |name| events::buddy_icon(name, icons));
        }
    }

    /// Tells the pictures that another program changed.
    pub(super) fn notice_pictures(&mut self) -> DbResult<()> {
        let version = self.db.data_version()?;
        if version == self.pictures.version {
            return Ok(());
        }
        for (user, icon, change) in self.db.pictures_after(self.pictures.change)? {
            let item = events::icon(&user.name, icon.as_deref());
            for viewer in self.db.picture_viewers(user.id)? {
                self.tell_icons(viewer, std::slice::from_ref(&item));
            }
            self.pictures.change = change;
        }
        self.pictures.version = version;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pictures_are_told_by_their_signature() {
        let mut big = b"\x89PNG\r\n\x1a\n".to_vec();
        big.resize(PICTURE_LIMIT, 0);
        assert_eq!(check(&big), Ok(Kind::Png));
        big.push(0);
        let table: [(&[u8], &str); 5] =
            [(&big, "256 KiB"), (b"", "no PNG"), (b"GIF89a", "no PNG"), (b"\x89PNG", "no PNG"), (b"<svg/>", "no PNG")];
        for (data, problem) in table {
            assert!(check(data).is_err_and(|told| told.contains(problem)), "{problem}");
        }
        assert_eq!(check(b"\xff\xd8\xff\xe0"), Ok(Kind::Jpeg));
    }

    #[test]
    fn no_change_is_overlooked_when_a_user_is_removed() {
        let database = Database::open(None).expect("open");
        let [alice, bob] = ["alice", "bob"].map(|name| database.add_user(name, "hash").expect("add").expect("new"));
        database.set_picture(alice, Kind::Png, b"one").expect("set");
        database.set_picture(bob, Kind::Png, b"two").expect("set");
        let seen = database.picture_mark().expect("mark").change;
        database.remove_user(bob).expect("remove");
        assert!(database.pictures_after(seen).expect("list").is_empty());
        assert!(database.remove_picture(alice).expect("remove") && !database.remove_picture(alice).expect("again"));
        let changed = database.pictures_after(seen).expect("list");
        assert_eq!(changed.into_iter().map(|(user, icon, _)| (user.id, icon)).collect::<Vec<_>>(), [(alice, None)]);
    }

    #[test]
    fn the_name_is_that_of_the_picture() {
        assert_eq!(icon(b"one").len(), 32);
        assert_eq!(icon(b"one"), icon(b"one"));
        assert_ne!(icon(b"one"), icon(b"two"));
    }
}
