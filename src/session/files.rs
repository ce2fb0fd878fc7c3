//! Files that clients have read and written: below the folder that the user named, and nowhere else.

use std::fs;
use std::io::ErrorKind;
use std::io::Read;
use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use crate::session::Core;
use crate::session::Session;
use crate::translate::FileOutcome;
use crate::translate::FileTask;
use crate::translate::FileWork;

/// A picture that a client has brought over its connection.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Carried {
    /// Names it in [`Session::picture_carried`].
    pub number: u64,
    /// What the client calls the file.
    pub path: String,
    /// Its bytes.
    pub picture: Arc<[u8]>,
}

impl Session {
    /// From now on this client has pictures brought over its connection (SkypeProxy data slots, transports 1.6): they
    /// are for [`picture_to_carry`](Self::picture_to_carry) and no file is written for it.
    #[doc(hidden)]
    pub fn carry_pictures(&self) {
        // An error means that the session is closed, and nobody asks any more.
        let _ = self.shared.turn(|core, _| core.engine.carry_files(self.client));
    }

    /// The next picture to bring to this client; its command is answered by [`picture_carried`](Self::picture_carried).
    #[doc(hidden)]
    #[must_use]
    pub fn picture_to_carry(&self) -> Option<Carried> {
        let mut core = self.shared.lock();
        let next = core.files.iter().position(|task| task.carried_by == Some(self.client))?;
        let FileTask { number, path, work, .. } = core.files.remove(next);
        let FileWork::Write(picture) = work else { return None };
        Some(Carried { number, path, picture })
    }

    /// Whether a picture was brought to this client.
    #[doc(hidden)]
    pub fn picture_carried(&self, number: u64, done: bool) {
        let outcome = if done { FileOutcome::Written } else { FileOutcome::Failed };
        // An error means that the session is closed, and nobody waits any more.
        let _ = self.shared.turn(|core, _| core.engine.file_done(number, outcome, &mut core.outputs));
    }
}

impl Core {
    /// The next file for us to work on.
    pub(super) fn next_file(&mut self) -> Option<FileTask> {
        let next = self.files.iter().position(|task| task.carried_by.is_none())?;
        Some(self.files.remove(next))
    }
}

/// Does what `task` asks. Called on the client's own thread, without the lock of the session.
pub(super) fn work(task: &FileTask, folder: Option<&str>) -> FileOutcome {
    let path = Path::new(&task.path);
    let outcome = match (inside(path, folder), &task.work) {
        (Err(outcome), _) => Err(outcome),
        (Ok(()), FileWork::Write(bytes)) => write(path, bytes),
        (Ok(()), FileWork::Read(limit)) => read(path, *limit),
    };
    outcome.unwrap_or_else(|outcome| outcome)
}

/// Makes sure that no link leads out of the folder.
fn inside(path: &Path, folder: Option<&str>) -> Result<(), FileOutcome> {
    let real = |path: &Path| fs::canonicalize(path).map_err(|_| FileOutcome::NotFound);
    let folder = real(Path::new(folder.ok_or(FileOutcome::Failed)?))?;
    let place = real(path.parent().ok_or(FileOutcome::Failed)?)?;
    // A link in the place of the file itself could lead anywhere.
    let link = fs::symlink_metadata(path).is_ok_and(|found| found.file_type().is_symlink());
    if place.starts_with(folder) && !link { Ok(()) } else { Err(FileOutcome::Failed) }
}

fn write(path: &Path, bytes: &[u8]) -> Result<FileOutcome, FileOutcome> {
    let failed = |error: std::io::Error| match error.kind() {
        ErrorKind::NotFound => FileOutcome::NotFound,
        _ => FileOutcome::Failed,
    };
    // Clients make an empty file first, for its name (clients 5.5); anything else is not ours.
    let mut file = fs::OpenOptions::new().write(true).create(true).truncate(false).open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?;
    if !found.is_file() {
        return Err(FileOutcome::Failed);
    }
    if found.len() > 0 {
        return Err(FileOutcome::NotEmpty);
    }
    file.write_all(bytes).map_err(failed)?;
    Ok(FileOutcome::Written)
}

fn read(path: &Path, limit: u64) -> Result<FileOutcome, FileOutcome> {
    let file = fs::File::open(path).map_err(|_| FileOutcome::NotFound)?;
    if !file.metadata().is_ok_and(|found| found.is_file()) {
        return Err(FileOutcome::Failed);
    }
    let mut bytes = Vec::new();
    file.take(limit + 1).read_to_end(&mut bytes).map_err(|_| FileOutcome::Failed)?;
    if bytes.len() as u64 > limit { Err(FileOutcome::Failed) } else { Ok(FileOutcome::Read(bytes)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn task(path: &Path, work: FileWork) -> FileTask {
        FileTask { number: 1, path: path.to_str().expect("UTF-8").to_owned(), work, carried_by: None }
    }

    #[test]
    fn a_picture_is_written_once_and_read_back() {
        let folder = tempfile::tempdir().expect("a folder");
        let name = folder.path().to_str();
        let path = folder.path().join("bob.jpg");
        let picture = || FileWork::Write((*b"picture").into());
        assert_eq!(work(&task(&path, picture()), name), FileOutcome::Written);
        assert_eq!(fs::read(&path).expect("written"), b"picture");
        assert_eq!(work(&task(&path, picture()), name), FileOutcome::NotEmpty);
        assert_eq!(work(&task(&path, FileWork::Read(7)), name), FileOutcome::Read(b"picture".to_vec()));
        assert_eq!(work(&task(&path, FileWork::Read(6)), name), FileOutcome::Failed);
        fs::write(&path, b"").expect("emptied");
        assert_eq!(work(&task(&path, picture()), name), FileOutcome::Written, "an empty file may be filled");
        let nowhere = folder.path().join("nowhere/bob.jpg");
        assert_eq!(work(&task(&nowhere, picture()), name), FileOutcome::NotFound);
        let missing = folder.path().join("missing.jpg");
        assert_eq!(work(&task(&missing, FileWork::Read(7)), name), FileOutcome::NotFound);
    }

    #[cfg(unix)]
    #[test]
    fn no_link_leads_out_of_the_folder() {
        let (folder, outside) = (tempfile::tempdir().expect("a folder"), tempfile::tempdir().expect("another"));
        let name = folder.path().to_str();
        std::os::unix::fs::symlink(outside.path(), folder.path().join("way_out")).expect("a link");
        std::os::unix::fs::symlink(outside.path().join("x"), folder.path().join("link.jpg")).expect("a link");
        for path in ["way_out/bob.jpg", "link.jpg"] {
            let write = task(&folder.path().join(path), FileWork::Write((*b"picture").into()));
            assert_eq!(work(&write, name), FileOutcome::Failed, "{path}");
        }
        assert_eq!(fs::read_dir(outside.path()).expect("the folder").count(), 0);
        assert_eq!(work(&task(&folder.path().join("a.jpg"), FileWork::Read(1)), None), FileOutcome::Failed);
    }
}
