//! Reading a history in: all of it, or nothing.

use std::io::BufRead;
use std::io::Read;
use std::path::Path;

use serde::de::DeserializeOwned;
use serde::de::IgnoredAny;

use crate::error::Error;
use crate::model::ArchiveError;
use crate::model::Handle;
use crate::store::Retention;
use crate::store::Store;

use super::Header;
use super::Item;
use super::TransferError;
use super::VERSION;
use super::merge::Merge;

/// The longest line, in bytes: far more than a message or the members of a chat take.
const LONGEST: u64 = 64 << 20;

/// What an import has done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Imported {
    /// How many objects and messages were in the text.
    pub lines: u64,
    /// How many of them were not in the history before.
    pub new: u64,
}

impl Store {
    /// Adds what [`export`](Self::export) wrote to the history in a file, which begins with that if there is none.
    ///
    /// What is there already stays as it is. An object whose number is that of another one here gets a new number.
    /// After each line `progress` is told how many there were.
    ///
    /// # Errors
    ///
    /// Nothing is changed then. [`TransferError::Store`] as for [`open`](Self::open), [`TransferError::Line`] for a line
    /// that cannot be, [`TransferError::Text`] if `input` cannot be read.
    pub fn import(
        path: &Path,
        network: &str,
        username: &str,
        input: &mut impl BufRead,
        progress: &mut impl FnMut(u64),
    ) -> Result<Imported, TransferError> {
        let mut lines = Lines { input, line: Vec::new(), number: 0 };
        lines.header(network, username)?;
        let store = Self::open(path, network, username, Retention::default())?;
        let failed = |source| Error::Store { path: path.display().to_string(), source };
        let begin = || {
            // When this is over, it is on the disk.
            store.connection.pragma_update(None, "synchronous", "FULL")?;
            let transaction = store.connection.unchecked_transaction()?;
            Ok((Merge::new(&store.connection)?, transaction))
        };
        let (mut merge, transaction) = begin().map_err(failed)?;
        let mut count = 0;
        loop {
            match lines.next()? {
                None => return Err(lines.wrong("the text ends before its last line, which says how many there are")),
                Some(Item::End(expected)) if expected == count => break,
                Some(Item::End(expected)) => return Err(lines.wrong(format!("{count} lines are not {expected}"))),
                Some(item) => merge.take(item).map_err(|problem| lines.wrong(problem))?,
            }
            count += 1;
            progress(count);
        }
        if lines.next::<IgnoredAny>()?.is_some() {
            return Err(lines.wrong("there is more after the end"));
        }
        let new = merge.finish().map_err(failed)?;
        transaction.commit().map_err(|error| failed(error.into()))?;
        Ok(Imported { lines: count, new })
    }
}

/// Reads line by line.
struct Lines<'a, R> {
    input: &'a mut R,
    line: Vec<u8>,
    /// That of `line`, from 1.
    number: u64,
}

impl<R: BufRead> Lines<'_, R> {
    fn header(&mut self, network: &str, username: &str) -> Result<(), TransferError> {
        let header: Option<Header> = self.next()?;
        let header = header.ok_or_else(|| self.wrong("there is nothing to import"))?;
        if header.imo2skype_history != VERSION {
            let version = header.imo2skype_history;
            return Err(self.wrong(format!("the format is {version}, and this program knows {VERSION}")));
        }
        let account = Handle::fold(username);
        if header.network != network || Handle::fold(&header.account) != account {
            let (name, of) = (header.account, header.network);
            return Err(self.wrong(format!("it is the history of {name} on {of}, not of {account} on {network}")));
        }
        Ok(())
    }

    /// The next line that is not empty.
    fn next<T: DeserializeOwned>(&mut self) -> Result<Option<T>, TransferError> {
        loop {
            self.line.clear();
            self.number += 1;
            let read = self.input.by_ref().take(LONGEST).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            if read as u64 == LONGEST {
                return Err(self.wrong("it is too long"));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        let item = serde_json::from_slice(&self.line);
        // The parser sees one line at a time.
        item.map(Some).map_err(|error| self.wrong(error.to_string().replace(" at line 1 column ", " at column ")))
    }

    fn wrong(&self, problem: impl Into<ArchiveError>) -> TransferError {
        TransferError::Line { line: self.number, problem: problem.into().to_string() }
    }
}
