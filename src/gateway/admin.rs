//! The accounts of a database, for the program that looks after them.

use std::path::Path;

use crate::error::Error;
use crate::error::Result;

use super::accounts::Relation;
use super::accounts::User;
use super::db::Database;
use super::db::DbResult;
use super::names;
use super::password;
use super::pictures;

/// The accounts in the database of a gateway, which may be running.
pub struct Accounts {
    db: Database,
}

impl Accounts {
    /// Opens or makes a database.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if it cannot be used.
    pub fn open(database: &Path) -> Result<Self> {
        Database::open(Some(database)).map(|db| Self { db })
    }

    /// Registers `name`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if the name or the password cannot be one or the name is taken,
    /// [`Error::Store`] if the database fails.
    pub fn add(&self, name: &str, password: &str) -> Result<()> {
        names::check_name(name).map_err(|problem| invalid("name", problem))?;
        let hash = hash(password)?;
        let added = self.run(|| self.db.add_user(name, &hash))?;
        added.map(drop).ok_or_else(|| invalid("name", format!("there is a user {name} already; try user passwd")))
    }

    /// Gives `name` a new password.
    ///
    /// # Errors
    ///
    /// As [`add`](Self::add), and if there is no such user.
    pub fn set_password(&self, name: &str, password: &str) -> Result<()> {
        let user = self.user(name)?;
        let hash = hash(password)?;
        self.run(|| self.db.set_password(&user.name, &hash)).map(drop)
    }

    /// Removes `name` with its contacts and messages.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if there is no such user, [`Error::Store`] if the database fails.
    pub fn remove(&self, name: &str) -> Result<()> {
        let user = self.user(name)?;
        self.run(|| self.db.remove_user(user.id))
    }

    /// The names of all users, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the database fails.
    pub fn list(&self) -> Result<Vec<String>> {
        let users = self.run(|| self.db.users())?;
        Ok(users.into_iter().map(|user| user.name).filter(|name| name != names::ECHO).collect())
    }

    /// The names of all users with the number of messages that wait for each, in order.
    ///
    /// # Errors
    ///
    /// [`Error::Store`] if the database fails.
    pub fn waiting(&self) -> Result<Vec<(String, u64)>> {
        let mut users = self.run(|| self.db.waiting_by_user())?;
        users.retain(|(name, _)| name != names::ECHO);
        Ok(users)
    }

    /// Gives `name` a picture: PNG or JPEG, up to 256 KiB. A running gateway shows it within
    /// seconds.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if there is no such user or `picture` is none that can be taken,
    /// [`Error::Store`] if the database fails.
    pub fn set_picture(&self, name: &str, picture: &[u8]) -> Result<()> {
        let kind = pictures::check(picture).map_err(|problem| invalid("picture", problem))?;
        let user = self.user(name)?;
        self.run(|| self.db.set_picture(user.id, kind, picture))
    }

    /// Takes the picture of `name` away.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if there is no such user or it has no picture, [`Error::Store`]
    /// if the database fails.
    pub fn remove_picture(&self, name: &str) -> Result<()> {
        let user = self.user(name)?;
        if self.run(|| self.db.remove_picture(user.id))? {
            return Ok(());
        }
        Err(invalid("name", format!("{} has no picture", user.name)))
    }

    /// Makes two users contacts of each other.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if one is no user or both are the same, [`Error::Store`] if the
    /// database fails.
    pub fn connect(&self, one: &str, other: &str) -> Result<()> {
        let (one, other) = (self.user(one)?, self.user(other)?);
        if one.id == other.id {
            return Err(invalid("name", format!("{} cannot be its own contact", one.name)));
        }
        self.run(|| {
            for (owner, buddy) in [(one.id, other.id), (other.id, one.id)] {
                let before = self.db.relation(owner, buddy)?;
                let both = Relation { listed: true, authorised: true, request: None, ..before };
                self.db.set_relation(owner, buddy, &both)?;
            }
            Ok(())
        })
    }

    fn user(&self, name: &str) -> Result<User> {
        match self.run(|| self.db.user(name))? {
            Some(user) if user.name != names::ECHO => Ok(user),
            Some(_) => Err(invalid("name", format!("{name} is built in and stays as it is"))),
            None => {
                Err(invalid("name", format!("there is no user {name:?}; user list shows them, user add makes one")))
            }
        }
    }

    fn run<T>(&self, work: impl FnOnce() -> DbResult<T>) -> Result<T> {
        let result = work();
        let ended = self.db.end_operation(result.is_ok()).and_then(|()| self.db.commit());
        result.and_then(|value| ended.map(|()| value)).map_err(|error| self.db.error(error))
    }
}

fn invalid(name: &'static str, problem: String) -> Error {
    Error::InvalidArgument { name, problem }
}

fn hash(password: &str) -> Result<String> {
    names::check_password(password).map_err(|problem| invalid("password", problem))?;
    password::hash(password).ok_or_else(|| Error::Internal("cannot hash the password".to_owned()))
}
