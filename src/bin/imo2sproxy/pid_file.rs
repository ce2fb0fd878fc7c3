//! The file with the number of the process.

use std::fs::File;
use std::fs::TryLockError;
use std::io;
use std::io::Read;
use std::io::Seek;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;

use crate::failure::Failure;

/// The longest number, with its end of line.
const LONGEST: u64 = 32;

/// Ours as long as the lock of the file is held; gone with the program.
pub(crate) struct PidFile {
    path: PathBuf,
    file: File,
}

impl PidFile {
    /// Writes the number. The file of a daemon that lives is left alone.
    pub(crate) fn write(path: PathBuf) -> Result<Self, Failure> {
        let failed = |error| Failure::service(format!("cannot write the pid file {}: {error}", path.display()));
        loop {
            let mut file =
                File::options().read(true).write(true).create(true).truncate(false).open(&path).map_err(failed)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => {
                    let number = number(&mut file).map_err(failed)?.map(|number| format!(" as process {number}"));
                    return Err(Failure::service(format!(
                        "the pid file {} belongs to an imo2sproxy that is running{}; stop that one, or name another file",
                        path.display(),
                        number.unwrap_or_default()
                    )));
                }
                Err(TryLockError::Error(error)) => return Err(failed(error)),
            }
            // Its daemon may have taken it away between opening and locking.
            if !is_at(&file, &path) {
                continue;
            }
            if number(&mut file).map_err(failed)?.is_none() {
                return Err(failed(io::Error::other("there is something else in it than the number of a process")));
            }
            file.set_len(0).map_err(failed)?;
            file.rewind().and_then(|()| writeln!(file, "{}", std::process::id())).map_err(failed)?;
            return Ok(Self { path, file });
        }
    }
}

impl Drop for PidFile {
    fn drop(&mut self) {
        if is_at(&self.file, &self.path) {
            let _ = std::fs::remove_file(&self.path);
        }
    }
}

/// The number in the file, empty if nothing is in it; `None` if there is anything else.
fn number(file: &mut File) -> io::Result<Option<String>> {
    let mut text = Vec::new();
    file.rewind()?;
    file.take(LONGEST + 1).read_to_end(&mut text)?;
    let text = String::from_utf8(text).unwrap_or_else(|_| "?".to_owned());
    let number = text.trim();
    let fits = text.len() as u64 <= LONGEST && number.chars().all(|digit| digit.is_ascii_digit());
    Ok(fits.then(|| number.to_owned()))
}

/// Whether this is still the file that has the name.
#[cfg(unix)]
fn is_at(file: &File, path: &Path) -> bool {
    use std::os::unix::fs::MetadataExt;
    let place = |metadata: std::fs::Metadata| (metadata.dev(), metadata.ino());
    match (file.metadata(), std::fs::metadata(path)) {
        (Ok(ours), Ok(there)) => place(ours) == place(there),
        _ => false,
    }
}

/// An open file keeps its name.
#[cfg(not(unix))]
fn is_at(_file: &File, _path: &Path) -> bool {
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_number_is_written_over() {
        let home = tempfile::tempdir().expect("a directory");
        let path = home.path().join("pid");
        let write = |text: &str| std::fs::write(&path, text).expect("a file");
        write("precious");
        let failure = PidFile::write(path.clone()).err().expect("not ours");
        assert!(failure.text().contains("something else"), "{}", failure.text());
        assert_eq!(std::fs::read_to_string(&path).expect("there"), "precious");
        for old in ["", "4711\n"] {
            write(old);
            let ours = PidFile::write(path.clone()).map_err(|failure| failure.text().to_owned()).expect("nobody's");
            assert_eq!(std::fs::read_to_string(&path).expect("there"), format!("{}\n", std::process::id()));
            let second = PidFile::write(path.clone()).err().expect("in use");
            assert!(second.text().contains(&format!("process {}", std::process::id())), "{}", second.text());
            drop(ours);
            assert!(!path.exists());
        }
        // Somebody else's by now.
        let ours = PidFile::write(path.clone()).map_err(|failure| failure.text().to_owned()).expect("nobody's");
        std::fs::remove_file(&path).expect("there");
        write("1\n");
        drop(ours);
        assert!(path.exists());
    }
}
