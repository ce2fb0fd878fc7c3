//! Adding the objects and messages of one history to another.

use std::collections::HashMap;

use rusqlite::Connection;
use rusqlite::OptionalExtension;
use serde::de::DeserializeOwned;

use crate::model::ArchiveError;
use crate::model::Chat;
use crate::model::Group;
use crate::model::Handle;
use crate::model::Hardwired;
use crate::model::Numbers;
use crate::model::ObjectId;
use crate::model::ObjectKind;
use crate::model::User;
use crate::store::put_object;

use super::Item;
use super::Object;
use super::known::Calls;
use super::known::Groups;

/// A history to which another one is added.
///
/// `brought` is what comes, `here` what it becomes or is already. Only what there may be any number of, messages, is
/// looked up in the file; the rest is in memory, as it is in a session.
pub(super) struct Merge<'a> {
    pub(super) connection: &'a Connection,
    /// Whether there is anything here: if not, everything comes as it is.
    pub(super) merging: bool,
    /// No number here is this one or above it.
    next: u32,
    numbers: Option<Numbers>,
    numbers_brought: Option<Numbers>,
    groups: Groups,
    calls: Calls,
    /// Chats here by name, and how many there are.
    chats: HashMap<String, usize>,
    next_chat: usize,
    /// What the chats that were brought are here.
    pub(super) chats_here: HashMap<usize, usize>,
    new: u64,
}

impl<'a> Merge<'a> {
    /// Looks at what is here. To be called within a transaction.
    pub(super) fn new(connection: &'a Connection) -> Result<Self, ArchiveError> {
        connection.execute_batch(
            "-- Numbers that were brought, and what they are here.
            CREATE TEMP TABLE numbers (brought INTEGER PRIMARY KEY, here INTEGER UNIQUE);
            -- Numbers here that are not those of messages.
            CREATE TEMP TABLE others (number INTEGER PRIMARY KEY);",
        )?;
        let there = "SELECT EXISTS (SELECT 1 FROM messages) OR EXISTS (SELECT 1 FROM objects)";
        let merging = connection.query_row(there, [], |row| row.get(0))?;
        let mut merge = Self {
            connection,
            merging,
            next: 0,
            numbers: None,
            numbers_brought: None,
            groups: Groups::default(),
            calls: Calls::default(),
            chats: HashMap::new(),
            next_chat: 0,
            chats_here: HashMap::new(),
            new: 0,
        };
        if merging {
            // Dropped at the end: only to find repeats of messages that the network has no name for.
            connection.execute_batch("CREATE INDEX import_by_time ON messages (chat, time)")?;
            merge.look()?;
        }
        Ok(merge)
    }

    fn look(&mut self) -> Result<(), ArchiveError> {
        let connection = self.connection;
        let newest: u32 = connection.query_row("SELECT coalesce(max(id), 0) FROM messages", [], |row| row.get(0))?;
        self.above(newest)?;
        let mut statement = connection.prepare("SELECT kind, key, value FROM objects ORDER BY rowid")?;
        let mut rows = statement.query([])?;
        while let Some(row) = rows.next()? {
            let (kind, key, value): (String, String, String) = (row.get(0)?, row.get(1)?, row.get(2)?);
            let Some(kind) = ObjectKind::ALL.into_iter().find(|known| known.word() == kind) else { continue };
            self.look_at(kind, &key, &value)?;
        }
        Ok(())
    }

    /// What cannot be read keeps its number and its place, and is like nothing that is brought.
    fn look_at(&mut self, kind: ObjectKind, key: &str, value: &str) -> Result<(), ArchiveError> {
        match kind {
            ObjectKind::User => {}
            ObjectKind::Single if key == Numbers::KEY => {
                let numbers: Numbers = serde_json::from_str(value)?;
                self.next = self.next.max(numbers.next);
                self.numbers = Some(numbers);
            }
            ObjectKind::Single => {}
            ObjectKind::Chat => {
                let index: usize = key.parse()?;
                self.next_chat = self.next_chat.max(index + 1);
                if let Ok(chat) = serde_json::from_str::<Chat>(value) {
                    chat.members.iter().try_for_each(|member| self.occupy(member.id.0))?;
                    self.chats.insert(chat.name, index);
                }
            }
            ObjectKind::Group => {
                let number = key.parse()?;
                self.occupy(number)?;
                if let Ok(group) = serde_json::from_str(value) {
                    self.groups.add(number, &group);
                }
            }
            ObjectKind::Call => {
                let number = key.parse()?;
                self.occupy(number)?;
                if let Ok(call) = serde_json::from_str(value) {
                    self.calls.add(number, &call);
                    if call.conference > 0 {
                        self.occupy(call.conference)?;
                    }
                }
            }
        }
        Ok(())
    }

    /// Adds one line.
    pub(super) fn take(&mut self, item: Item) -> Result<(), ArchiveError> {
        match item {
            Item::Single(object) => self.single(&object),
            Item::Group(object) => self.group(&object),
            Item::User(object) => self.user(&object),
            Item::Chat(object) => self.chat(&object),
            Item::Call(object) => self.call(&object),
            Item::Message(said) => self.message(&said),
            Item::End(_) => Err("it is the last line".into()),
        }
    }

    /// Says which numbers are given now; tells how much is new.
    pub(super) fn finish(self) -> Result<u64, ArchiveError> {
        let next = self.next;
        let numbers = match (&self.numbers, self.numbers_brought) {
            (Some(numbers), _) => Some(Numbers { next, ..numbers.clone() }),
            (None, Some(numbers)) => Some(Numbers { next, ..numbers }),
            // Nobody waits to hear of what another program wrote.
            (None, None) if next > 0 => Some(Numbers { next, heard: next - 1, origin: rand::random() }),
            (None, None) => None,
        };
        if let Some(numbers) = numbers.filter(|numbers| self.numbers.as_ref() != Some(numbers)) {
            put_object(self.connection, ObjectKind::Single, Numbers::KEY, &serde_json::to_string(&numbers)?)?;
        }
        self.connection.execute_batch("DROP INDEX IF EXISTS import_by_time")?;
        Ok(self.new)
    }

    fn single(&mut self, object: &Object<String>) -> Result<(), ArchiveError> {
        if object.key == Numbers::KEY {
            let numbers: Numbers = read(object)?;
            self.next = self.next.max(numbers.next);
            self.numbers_brought = Some(numbers);
            return Ok(());
        }
        read::<serde_json::Map<_, _>, _>(object)?;
        if get(self.connection, ObjectKind::Single, &object.key)?.is_none() {
            self.add(ObjectKind::Single, &object.key, object.value.get())?;
        }
        Ok(())
    }

    fn group(&mut self, object: &Object<u32>) -> Result<(), ArchiveError> {
        let group: Group = read(object)?;
        if Hardwired::by_number(ObjectId(object.key)).is_some() {
            return Err(format!("{} is the number of a group that is always there", object.key).into());
        }
        if let Some(here) = self.groups.same(&group) {
            return self.is_here(object.key, here);
        }
        let here = self.place(object.key)?;
        self.groups.bring(object.key, here);
        self.add(ObjectKind::Group, &here.to_string(), object.value.get())
    }

    fn user(&mut self, object: &Object<String>) -> Result<(), ArchiveError> {
        let mut user: User = read(object)?;
        if *Handle::fold(user.handle.as_str()) != object.key {
            return Err("the key is not the handle in lower case".into());
        }
        // A group that was here before has who it had before.
        let groups: Vec<_> = user.groups.iter().filter_map(|group| self.groups.brought(*group)).collect();
        if let Some(value) = get(self.connection, ObjectKind::User, &object.key)? {
            let Ok(mut here) = serde_json::from_str::<User>(&value) else { return Ok(()) };
            if groups.is_empty() {
                return Ok(());
            }
            here.groups.extend(groups);
            return put_object(self.connection, ObjectKind::User, &object.key, &serde_json::to_string(&here)?);
        }
        if groups == user.groups {
            return self.add(ObjectKind::User, &object.key, object.value.get());
        }
        user.groups = groups;
        self.add(ObjectKind::User, &object.key, &serde_json::to_string(&user)?)
    }

    fn chat(&mut self, object: &Object<usize>) -> Result<(), ArchiveError> {
        let mut chat: Chat = read(object)?;
        let here = self.chats.get(&chat.name).copied();
        let index = here.unwrap_or(self.next_chat);
        if self.chats_here.insert(object.key, index).is_some() {
            return Err(format!("the chat {} is there twice", object.key).into());
        }
        if let Some(here) = here {
            return self.posters(here, &chat);
        }
        self.next_chat += 1;
        self.chats.insert(chat.name.clone(), index);
        let mut same = true;
        for member in &mut chat.members {
            let number = self.place(member.id.0)?;
            same &= number == member.id.0;
            member.id = ObjectId(number);
        }
        let value = if same { object.value.get().to_owned() } else { serde_json::to_string(&chat)? };
        self.add(ObjectKind::Chat, &index.to_string(), &value)
    }

    /// Who has said something in a chat that is here already, with what is brought.
    fn posters(&self, index: usize, brought: &Chat) -> Result<(), ArchiveError> {
        let key = index.to_string();
        let Some(value) = get(self.connection, ObjectKind::Chat, &key)? else { return Ok(()) };
        let mut chat: Chat = serde_json::from_str(&value)?;
        let missing: Vec<_> = brought.posters.iter().filter(|poster| !chat.posters.contains(poster)).cloned().collect();
        if missing.is_empty() {
            return Ok(());
        }
        chat.posters.extend(missing);
        put_object(self.connection, ObjectKind::Chat, &key, &serde_json::to_string(&chat)?)
    }

    fn call(&mut self, object: &Object<u32>) -> Result<(), ArchiveError> {
        let mut call = read(object)?;
        if let Some(here) = self.calls.same(object.key, &call) {
            return self.is_here(object.key, here);
        }
        let here = self.place(object.key)?;
        let conference = match call.conference {
            0 => 0,
            conference => match self.calls.conference(conference) {
                Some(here) => here,
                None => {
                    let here = self.place(conference)?;
                    self.calls.bring_conference(conference, here);
                    here
                }
            },
        };
        let key = here.to_string();
        if conference == call.conference {
            return self.add(ObjectKind::Call, &key, object.value.get());
        }
        call.conference = conference;
        self.add(ObjectKind::Call, &key, &serde_json::to_string(&call)?)
    }

    // ---- numbers ----

    /// The number here of something new.
    pub(super) fn place(&mut self, brought: u32) -> Result<u32, ArchiveError> {
        self.new_number(brought).and_then(|here| self.is_here(brought, here).map(|()| here))
    }

    fn new_number(&mut self, brought: u32) -> Result<u32, ArchiveError> {
        let here = if self.merging && self.is_taken(brought)? { self.next } else { brought };
        self.above(here)?;
        Ok(here)
    }

    /// A number that was brought is this one here.
    pub(super) fn is_here(&self, brought: u32, here: u32) -> Result<(), ArchiveError> {
        let sql = "INSERT INTO numbers (brought, here) VALUES (?1, ?2) ON CONFLICT DO NOTHING";
        match self.connection.prepare_cached(sql)?.execute([brought, here])? {
            0 => Err(format!("the number {brought} is there twice").into()),
            _ => Ok(()),
        }
    }

    fn is_taken(&self, number: u32) -> Result<bool, ArchiveError> {
        let sql = "SELECT EXISTS (SELECT 1 FROM messages WHERE id = ?1)
            OR EXISTS (SELECT 1 FROM others WHERE number = ?1)
            OR EXISTS (SELECT 1 FROM numbers WHERE here = ?1)";
        Ok(self.connection.prepare_cached(sql)?.query_row([number], |row| row.get(0))?)
    }

    fn occupy(&mut self, number: u32) -> Result<(), ArchiveError> {
        self.connection.prepare_cached("INSERT OR IGNORE INTO others (number) VALUES (?1)")?.execute([number])?;
        self.above(number)
    }

    /// New numbers are above this one.
    fn above(&mut self, number: u32) -> Result<(), ArchiveError> {
        let next = number.checked_add(1).ok_or("there are no more numbers")?;
        self.next = self.next.max(next);
        Ok(())
    }

    // ---- the file ----

    fn add(&mut self, kind: ObjectKind, key: &str, value: &str) -> Result<(), ArchiveError> {
        self.is_new();
        put_object(self.connection, kind, key, value)
    }

    pub(super) fn is_new(&mut self) {
        self.new += 1;
    }
}

fn read<T: DeserializeOwned, K>(object: &Object<K>) -> Result<T, ArchiveError> {
    // Where in the value it is would be taken for the column of the line.
    let what = |error: serde_json::Error| error.to_string().split(" at line 1 column").next().map(str::to_owned);
    serde_json::from_str(object.value.get()).map_err(|error| what(error).unwrap_or_default().into())
}

fn get(connection: &Connection, kind: ObjectKind, key: &str) -> Result<Option<String>, ArchiveError> {
    let sql = "SELECT value FROM objects WHERE kind = ?1 AND key = ?2";
    Ok(connection.prepare_cached(sql)?.query_row([kind.word(), key], |row| row.get(0)).optional()?)
}
