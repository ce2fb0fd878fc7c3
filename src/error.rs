//! The error of the Rust interface.

/// What can go wrong when a session or a gateway is opened or used.
///
/// What a chat network refuses later is no error of a function: it is told by an `ERROR n text`
/// reply or by a notification, as Skype did it.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The session was closed, here or on another thread.
    #[error("the session is closed")]
    Closed,
    /// The client left so many lines unread that it was detached for the sake of the others.
    #[error("the client was detached: it left {unread} lines unread; poll more often or raise queue_limit")]
    Detached {
        /// How many lines waited.
        unread: usize,
    },
    /// So many lines wait unread that no more commands are taken.
    #[error("{unread} lines wait unread; poll them before sending more")]
    QueueFull {
        /// How many lines wait.
        unread: usize,
    },
    /// A command that needs the network was not answered in time; the reply is dropped when it comes.
    #[error("no reply came in time")]
    NoReply,
    /// An argument can never be accepted; trying again will not help.
    #[error("{name}: {problem}")]
    InvalidArgument {
        /// The argument, as the caller knows it.
        name: &'static str,
        /// What is wrong with it, and what would be right.
        problem: String,
    },
    /// The network knows the account under another password, or not at all.
    #[error("login refused for {username} by {server}: {reason}")]
    LoginRefused {
        /// The account.
        username: String,
        /// The server, without any secret.
        server: String,
        /// What the server said.
        reason: String,
    },
    /// The network could not be reached; trying again later may help.
    #[error("cannot reach {server}")]
    Network {
        /// The server, without any secret.
        server: String,
        /// What happened on the way.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A database could not be opened, read or written.
    #[error("cannot use the database {path}")]
    Store {
        /// The file.
        path: String,
        /// What the database said.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A defect of this library, or a resource of the machine that ran out.
    #[error("internal error: {0}")]
    Internal(String),
}

/// Short for a result with [`Error`].
pub type Result<T> = std::result::Result<T, Error>;

impl Error {
    /// The error and its causes in one line, for people: `cannot reach x: connection refused`.
    ///
    /// # Examples
    ///
    /// ```
    /// let error = imo2skype::Error::Closed;
    /// assert_eq!(error.chain(), "the session is closed");
    /// ```
    #[must_use]
    pub fn chain(&self) -> String {
        let mut text = self.to_string();
        let mut cause = std::error::Error::source(self);
        while let Some(error) = cause {
            let next = error.to_string();
            // Some libraries repeat their source in their own text.
            if !text.ends_with(&next) {
                text.push_str(": ");
                text.push_str(&next);
            }
            cause = error.source();
        }
        text
    }
}
