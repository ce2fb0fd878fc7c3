//! What makes changes outlive a power failure.

use std::fs::File;
use std::path::Path;
use std::path::PathBuf;

/// Puts what was kept on the disk itself, without holding up whoever keeps more.
///
/// A change that was kept outlives the program. Not before the network is told that it need not keep a message has it
/// to outlive the machine as well.
pub struct Durable {
    log: PathBuf,
}

impl Durable {
    pub(super) fn of(database: &Path) -> Self {
        let mut log = database.as_os_str().to_owned();
        log.push("-wal");
        Self { log: log.into() }
    }

    /// Returns when everything that was kept before is on the disk.
    pub fn settle(&self) {
        // Without a log, every change is on the disk already.
        let synced = match File::open(&self.log) {
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(()),
            file => file.and_then(|file| file.sync_data()),
        };
        if let Err(error) = synced {
            tracing::error!(path = %self.log.display(), %error, "the history is not on the disk");
        }
    }
}
