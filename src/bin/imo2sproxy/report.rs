//! How the accounts of the program stand, for whoever looks after it.

use std::sync::Arc;

use imo2skype::session::Overview;

/// How an account stands.
#[derive(Clone, Debug)]
pub(crate) struct Report {
    /// The name in the configuration.
    pub(crate) username: String,
    pub(crate) state: State,
    /// Its connection points, as the `listening:` lines tell them.
    pub(crate) places: Vec<String>,
    /// What its session tells, if there is one.
    pub(crate) overview: Option<Overview>,
}

/// What became of an account.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum State {
    Starting,
    Running,
    /// Why, in one line for people.
    Failed(String),
    Stopped,
}

impl State {
    /// The word for it.
    pub(crate) fn word(&self) -> &'static str {
        match self {
            Self::Starting => "starting",
            Self::Running => "running",
            Self::Failed(_) => "failed",
            Self::Stopped => "stopped",
        }
    }
}

impl Report {
    /// Whether the network is there for its clients.
    pub(crate) fn is_online(&self) -> bool {
        self.state == State::Running && self.overview.as_ref().is_some_and(|overview| overview.connection == "ONLINE")
    }
}

/// Asks every account how it stands.
pub(crate) type Reports = Arc<dyn Fn() -> Vec<Report> + Send + Sync>;
