//! The gateway under load: the program in a process of its own, with a database that was filled
//! beforehand, and what the machine says of the process.

use std::io::BufRead;
use std::io::BufReader;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;
use std::process::Child;
use std::process::Command;
use std::process::Stdio;
use std::time::Duration;

use argon2::Argon2;
use argon2::Params;
use argon2::PasswordHasher;
use argon2::password_hash::phc::PasswordHash;
use nix::sys::signal::Signal;
use nix::sys::signal::kill;
use nix::unistd::Pid;
use rusqlite::Connection;
use rusqlite::ToSql;
use rusqlite::params;
use tempfile::TempDir;

pub(crate) const PASSWORD: &str = "secret";

pub(crate) fn name(number: u32) -> String {
    format!("user{number}")
}

/// What is in the database before anybody logs in. User `i` has row `i + 2`, after the echo.
pub(crate) struct Population {
    pub(crate) users: u32,
    /// The first so many users have contacts, which are mutual: the users beside them, on both
    /// sides, the last being beside the first.
    pub(crate) owners: u32,
    /// Contacts of each of them.
    pub(crate) contacts: u32,
    /// Messages that wait for them, in equal parts.
    pub(crate) waiting: u32,
}

impl Population {
    /// Straight into the tables: through the gateway it would take an hour. All share one hash with
    /// the smallest parameters, so that what is measured is the gateway and not Argon2.
    fn write(&self, file: &Path) {
        // Makes the tables.
        drop(imo2skype::Accounts::open(file).expect("a database"));
        let database = Connection::open(file).expect("a database");
        let cheap = Argon2::from(Params::new(Params::MIN_M_COST, 1, 1, None).expect("parameters"));
        let hash: PasswordHash = cheap.hash_password(PASSWORD.as_bytes()).expect("a hash");
        let numbers = "WITH RECURSIVE numbers (i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM numbers WHERE i + 1 < ?1)";
        let run = |sql: &str, values: &[&dyn ToSql]| {
            database.execute(sql, values).expect("rows");
        };
        database.execute_batch("BEGIN").expect("a transaction");
        run(
            &format!(
                "INSERT INTO users (name, password, alias) {numbers} SELECT 'user' || i, ?2, 'User ' || i FROM numbers"
            ),
            params![self.users, hash.to_string()],
        );
        for sides in ["owner, buddy", "buddy, owner"] {
            run(
                &format!(
                    "INSERT OR IGNORE INTO contacts ({sides}, listed, authorised) {numbers}
                     SELECT u.id, 2 + (u.id - 2 + i + 1) % ?2, 1, 1 FROM numbers, users u WHERE u.id BETWEEN 2 AND 1 + ?3
                     UNION ALL
                     SELECT u.id, 2 + (u.id - 2 + ?2 - i - 1) % ?2, 1, 1 FROM numbers, users u
                     WHERE u.id BETWEEN 2 AND 1 + ?3"
                ),
                params![self.contacts / 2, self.users, self.owners],
            );
        }
        if self.waiting > 0 {
            run(
                &format!(
                    "INSERT INTO messages (sender, receiver, body, sent_at) {numbers}
                     SELECT 2 + (i + 1) % ?2, 2 + i % ?2, 'It waits since long.', 1 FROM numbers"
                ),
                params![self.waiting, self.owners],
            );
        }
        database.execute_batch("COMMIT").expect("rows");
    }
}

/// A running gateway. It is stopped when it is dropped.
pub(crate) struct Gateway {
    child: Child,
    pub(crate) address: SocketAddr,
    _folder: TempDir,
}

impl Gateway {
    pub(crate) fn start(population: &Population) -> Self {
        // Not in /tmp, which may be memory: a message that was taken is on disk.
        let folder = tempfile::tempdir_in(env!("CARGO_TARGET_TMPDIR")).expect("a folder");
        let file = folder.path().join("gateway.db");
        population.write(&file);
        let mut child = Command::new(env!("CARGO_BIN_EXE_imo2skype-gateway"))
            .args(["serve", "--listen", "127.0.0.1:0", "--open-registration", "--database"])
            .arg(file)
            .env_remove("RUST_LOG")
            .stdout(Stdio::piped())
            .spawn()
            .expect("a gateway");
        let mut line = String::new();
        BufReader::new(child.stdout.take().expect("its output")).read_line(&mut line).expect("a line");
        let address = line.trim_end().strip_prefix("listening: gateway http://").expect("an address");
        let address = address.trim_end_matches('/').parse().expect("an address");
        Self { child, address, _folder: folder }
    }

    /// Resident memory in bytes, now (`VmRSS`) or the most there ever was (`VmHWM`).
    pub(crate) fn memory(&self, what: &str) -> u64 {
        let text = std::fs::read_to_string(self.process().join("status")).expect("a running gateway");
        let line = text.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(':'));
        let kilobytes = line.and_then(|line| line.trim().strip_suffix(" kB")?.parse::<u64>().ok());
        kilobytes.expect("a size") << 10
    }

    /// The time of processors that it took so far.
    pub(crate) fn processor_time(&self) -> Duration {
        processor_time(&self.process())
    }

    fn process(&self) -> PathBuf {
        Path::new("/proc").join(self.child.id().to_string())
    }
}

impl Drop for Gateway {
    fn drop(&mut self) {
        let id = Pid::from_raw(self.child.id().cast_signed());
        match kill(id, Signal::SIGTERM).map(|()| self.child.wait()) {
            Ok(Ok(status)) if status.success() => {}
            // Not a panic: there may be one already.
            failed => println!("  the gateway did not stop as it should: {failed:?}"),
        }
    }
}

/// The time of processors that this program took so far.
pub(crate) fn own_processor_time() -> Duration {
    processor_time(Path::new("/proc/self"))
}

fn processor_time(process: &Path) -> Duration {
    let text = std::fs::read_to_string(process.join("stat")).expect("a running process");
    // The fields behind the name, which is in brackets: utime and stime are the 14th and 15th of
    // all, in hundredths of a second.
    let (_, fields) = text.rsplit_once(')').expect("a name");
    let ticks = fields.split_ascii_whitespace().skip(11).take(2).map(|ticks| ticks.parse::<u64>().expect("a number"));
    Duration::from_millis(10 * ticks.sum::<u64>())
}
