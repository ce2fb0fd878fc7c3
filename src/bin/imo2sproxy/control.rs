//! The control socket: by it a running daemon tells how it stands.
//!
//! One line asks, `status`; one JSON document answers ([`Status`]), and the connection ends. Only the user of the daemon
//! can reach it.

use std::fs::File;
use std::fs::Permissions;
use std::io::Read;
use std::io::Write;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixListener;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use socket2::Domain;
use socket2::SockAddr;
use socket2::Socket;
use socket2::Type;
use tokio::io::AsyncReadExt;
use tokio::io::AsyncWriteExt;
use tokio::sync::Semaphore;

use crate::data::DataDir;
use crate::data::make_directory;
use crate::failure::Failure;
use crate::failure::complain;
use crate::report::Reports;
use crate::status::Status;

/// In the place of a path: no socket.
pub(crate) const NONE: &str = "none";

/// How many may ask at the same time; others wait.
const AT_ONCE: usize = 16;

/// How long question and answer may take.
const PATIENCE: Duration = Duration::from_secs(5);

/// The longest question.
const LONGEST: u64 = 64;

/// The longest answer that is read: thousands of clients.
const LONGEST_ANSWER: u64 = 16 << 20;

/// Where the socket is to be.
pub(crate) struct Place {
    path: PathBuf,
    whence: Whence,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Whence {
    /// The user said so, and is to hear if it cannot be there.
    Named,
    /// A directory of ours in that of the user for what lives as long as the login.
    Runtime,
    /// The data directory, if there is one: whoever keeps nothing writes nothing.
    Data,
}

impl Place {
    /// The place that the user named, or the first that there is; `None` for none.
    pub(crate) fn new(named: Option<PathBuf>, data_dir: &DataDir) -> Result<Option<Self>, Failure> {
        let (path, whence) = match named {
            Some(none) if none == Path::new(NONE) => return Ok(None),
            Some(path) if path.as_os_str().is_empty() => {
                return Err(Failure::usage("control: takes the path of a socket, or none"));
            }
            Some(path) => (std::path::absolute(&path).unwrap_or(path), Whence::Named),
            None => default(data_dir)?,
        };
        Ok(Some(Self { path, whence }))
    }

    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Takes the place. Where there is another daemon already, that one keeps it; a socket that nobody listens at is
    /// replaced.
    pub(crate) fn bind(self) -> Result<Option<Control>, Failure> {
        if self.whence == Whence::Data && !self.path.parent().is_some_and(Path::is_dir) {
            return Ok(None);
        }
        match self.try_bind() {
            Ok(Some(control)) => Ok(Some(control)),
            Ok(None) => {
                complain(&format!(
                    "warning: another imo2sproxy has the control socket {}; this one goes on without, unless another is \
                     named by --control",
                    self.path.display()
                ));
                Ok(None)
            }
            Err(error) => {
                let failure =
                    Failure::service(format!("cannot make the control socket {}: {error}", self.path.display()))
                        .with("name another place by --control, or none");
                if self.whence == Whence::Named {
                    return Err(failure);
                }
                complain(&format!("warning: {}", failure.text()));
                Ok(None)
            }
        }
    }

    /// `None` if another daemon is there.
    fn try_bind(&self) -> std::io::Result<Option<Control>> {
        if self.whence == Whence::Runtime
            && let Some(directory) = self.path.parent()
        {
            make_directory(directory).map_err(|failure| std::io::Error::other(failure.text().to_owned()))?;
        }
        let mut lock = self.path.clone().into_os_string();
        lock.push(".lock");
        let lock = File::options().write(true).create(true).truncate(false).mode(0o600).open(lock)?;
        // The system lets go of it with the process, however that ends.
        match lock.try_lock() {
            Ok(()) => {}
            Err(std::fs::TryLockError::WouldBlock) => return Ok(None),
            Err(std::fs::TryLockError::Error(error)) => return Err(error),
        }
        match std::fs::symlink_metadata(&self.path) {
            Ok(metadata) if is_socket(&metadata) => std::fs::remove_file(&self.path)?,
            Ok(_) => return Err(std::io::Error::other("something else is there, which is no socket")),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
        }
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        // Linux gives the mode to the file, so that it is never open to others.
        let socket = File::from(OwnedFd::from(socket));
        let owner_only = Permissions::from_mode(0o600);
        let _ = socket.set_permissions(owner_only.clone());
        let socket = Socket::from(OwnedFd::from(socket));
        socket.bind(&SockAddr::unix(&self.path)?)?;
        let control =
            Control { listener: UnixListener::from(OwnedFd::from(socket)), file: SocketFile(self.path.clone(), lock) };
        std::fs::set_permissions(&self.path, owner_only)?;
        socket2::SockRef::from(&control.listener).listen(64)?;
        control.listener.set_nonblocking(true)?;
        Ok(Some(control))
    }
}

fn default(data_dir: &DataDir) -> Result<(PathBuf, Whence), Failure> {
    let runtime =
        std::env::var_os("XDG_RUNTIME_DIR").map(PathBuf::from).filter(|path| path.is_absolute() && path.is_dir());
    match runtime {
        Some(runtime) => Ok((runtime.join("imo2skype").join("control"), Whence::Runtime)),
        None => Ok((data_dir.path()?.join("control"), Whence::Data)),
    }
}

fn is_socket(metadata: &std::fs::Metadata) -> bool {
    std::os::unix::fs::FileTypeExt::is_socket(&metadata.file_type())
}

/// A socket that has its place, and answers nobody yet.
pub(crate) struct Control {
    listener: UnixListener,
    file: SocketFile,
}

/// The file of the socket, and the lock that makes it ours; gone with the program.
struct SocketFile(PathBuf, #[expect(dead_code, reason = "held, not used")] File);

impl Drop for SocketFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Control {
    /// Answers whoever asks, for as long as this is polled.
    pub(crate) async fn serve(self, reports: Reports) -> std::io::Result<()> {
        let Self { listener, file: _file } = self;
        let listener = tokio::net::UnixListener::from_std(listener)?;
        let turns = Arc::new(Semaphore::new(AT_ONCE));
        loop {
            // Never closed.
            let turn = Arc::clone(&turns).acquire_owned().await.map_err(std::io::Error::other)?;
            match listener.accept().await {
                Ok((stream, _)) => {
                    let reports = Arc::clone(&reports);
                    tokio::spawn(async move {
                        // Whoever asks and goes, or never asks, is not told.
                        let _ = tokio::time::timeout(PATIENCE, answer(stream, &reports)).await;
                        drop(turn);
                    });
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot take a connection of the control socket");
                    tokio::time::sleep(Duration::from_millis(200)).await;
                }
            }
        }
    }
}

async fn answer(mut stream: tokio::net::UnixStream, reports: &Reports) -> std::io::Result<()> {
    let mut line = Vec::new();
    while !line.contains(&b'\n') {
        let rest = LONGEST.saturating_sub(line.len() as u64);
        if rest == 0 || (&mut stream).take(rest).read_buf(&mut line).await? == 0 {
            break;
        }
    }
    let question = String::from_utf8_lossy(&line);
    let mut text = match question.lines().next() {
        Some("status") => serde_json::to_vec(&Status::of(reports()))?,
        _ => b"{\"error\":\"unknown; there is: status\"}".to_vec(),
    };
    text.push(b'\n');
    stream.write_all(&text).await?;
    stream.shutdown().await
}

/// Asks the daemon whose socket is there; the document as it came.
pub(crate) fn ask(path: &Path) -> Result<String, Failure> {
    use std::io::ErrorKind;
    let failed = |error: std::io::Error| {
        let name = path.display();
        Failure::service(match error.kind() {
            ErrorKind::NotFound | ErrorKind::ConnectionRefused => {
                format!(
                    "no imo2sproxy is running: nobody listens at its control socket {name}; another is named by --control"
                )
            }
            _ => format!("no answer by the control socket {name}: {error}"),
        })
    };
    let mut stream = UnixStream::connect(path).map_err(failed)?;
    // Longer than the daemon takes for the slowest before us.
    stream.set_read_timeout(Some(4 * PATIENCE)).map_err(failed)?;
    stream.write_all(b"status\n").map_err(failed)?;
    let mut text = String::new();
    stream.take(LONGEST_ANSWER).read_to_string(&mut text).map_err(failed)?;
    Ok(text)
}
