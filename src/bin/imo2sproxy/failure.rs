//! What ends the program, or an account, and the exit status that it has.

use std::io::Write;
use std::process::ExitCode;

use imo2skype::Error;

use crate::journal;
use crate::journal::Priority;

/// The exit statuses of the contract, except 0.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Status {
    /// Something did not work.
    Service = 1,
    /// Something was asked for that cannot be.
    Usage = 2,
    /// The network does not accept the account.
    Refused = 3,
}

impl From<Status> for ExitCode {
    fn from(status: Status) -> Self {
        Self::from(status as u8)
    }
}

/// Why something did not work, in one line for people.
#[derive(Clone, Debug)]
pub(crate) struct Failure {
    pub(crate) status: Status,
    /// Whether trying again may help.
    pub(crate) passing: bool,
    text: String,
}

impl Failure {
    pub(crate) fn usage(text: impl Into<String>) -> Self {
        Self { status: Status::Usage, passing: false, text: text.into() }
    }

    pub(crate) fn service(text: impl Into<String>) -> Self {
        Self { status: Status::Service, passing: false, text: text.into() }
    }

    /// The same, with the account it is about.
    pub(crate) fn of(self, account: &str) -> Self {
        Self { text: format!("{account}: {}", self.text), ..self }
    }

    /// The same, with what may help.
    pub(crate) fn with(self, cure: &str) -> Self {
        Self { text: format!("{}; {cure}", self.text), ..self }
    }

    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// Says it on standard error.
    pub(crate) fn tell(&self) {
        complain(&self.text);
    }
}

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        let text = error.chain();
        match error {
            Error::InvalidArgument { .. } => Self::usage(text),
            Error::LoginRefused { .. } => {
                let cure = "wrong user name or password";
                let text = if text.contains(cure) { text } else { format!("{text} ({cure})") };
                Self { status: Status::Refused, passing: false, text }
            }
            Error::Network { .. } => {
                let text = format!("{text}; is the address right (--server), and is the server running?");
                Self { passing: true, ..Self::service(text) }
            }
            Error::Store { .. } => Self::service(format!("{text}; another --data-dir may help")),
            _ => Self::service(text),
        }
    }
}

/// Says as loudly as can be that an account goes on without a file for its history.
pub(crate) fn history_is_not_kept(username: &str, problem: &str) {
    let text = format!(
        "{username}: THE HISTORY IS NOT KEPT: {problem}; the account goes on in memory, and what is said is lost when \
         it ends. Free or repair the file, move it away, or name another by --history; then start again"
    );
    complain(&text);
    tracing::error!("{text}");
}

/// Says something about the program itself.
pub(crate) fn complain(text: &str) {
    let mut line = format!("imo2sproxy: {}\n", text.replace('\n', " "));
    if journal::listens() {
        let priority = if text.starts_with("warning: ") { Priority::Warning } else { Priority::Error };
        line = journal::marked(&line, priority);
    }
    // One write, so that lines of several threads stay whole. If nobody hears it, nothing is left to do.
    let _ = std::io::stderr().write_all(line.as_bytes());
}
