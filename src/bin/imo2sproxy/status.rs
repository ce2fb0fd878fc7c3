//! `--status`: what a running daemon tells of itself, as JSON and for people.
//!
//! The keys stay as they are; others may be added.

use std::fmt::Write;
use std::io::Write as _;

use imo2skype::session::ClientOverview;
use serde::Deserialize;
use serde::Serialize;

use crate::control;
use crate::control::Place;
use crate::data::DataDir;
use crate::failure::Failure;
use crate::options::Arguments;
use crate::plan;
use crate::plan::Wanted;
use crate::report::Report;
use crate::report::State;

/// What the daemon is, and how its accounts stand.
#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Status {
    pub(crate) version: String,
    pub(crate) pid: u32,
    pub(crate) accounts: Vec<Account>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Account {
    username: String,
    /// `starting`, `running`, `failed` or `stopped`.
    state: String,
    /// Why it failed.
    reason: Option<String>,
    /// The word of CONNSTATUS, if there is a session.
    connection: Option<String>,
    /// The word of USERSTATUS, if there is a session.
    status: Option<String>,
    /// How long ago something came from the network.
    last_event_seconds: Option<u64>,
    connection_points: Vec<String>,
    clients: Vec<Client>,
}

#[derive(Debug, Deserialize, Serialize)]
pub(crate) struct Client {
    /// As the log shows it.
    number: u32,
    /// What it calls itself.
    name: Option<String>,
    /// By which connection point it came, and whence.
    peer: String,
    /// The version of the protocol that it speaks.
    protocol: u8,
    /// How many lines wait for it.
    unread: usize,
}

/// Asks the running daemon and tells what it says; whether all is well is the exit status.
pub(crate) fn run(json: bool, arguments: Arguments) -> Result<(), Failure> {
    let Wanted { whole, .. } = Wanted::of(arguments.settings, arguments.config)?;
    let data_dir = DataDir::new(plan::absolute(whole.data_dir)?);
    let place = Place::new(whole.control, &data_dir)?
        .ok_or_else(|| Failure::usage("control: none is no socket that could be asked"))?;
    let document = control::ask(place.path())?;
    let status: Status = serde_json::from_str(&document).map_err(|_| {
        Failure::service(format!("no imo2sproxy of this kind answers by the control socket {}", place.path().display()))
    })?;
    let text = if json { format!("{}\n", document.trim_end()) } else { status.text() };
    let mut output = std::io::stdout().lock();
    // Whoever closed standard output wants the exit status only.
    let _ = output.write_all(text.as_bytes()).and_then(|()| output.flush());
    let bad: Vec<_> =
        status.accounts.iter().filter(|account| !account.is_good()).map(|account| &account.username).collect();
    match bad[..] {
        _ if status.is_good() => Ok(()),
        [] => Err(Failure::service("there is no account")),
        [..] => Err(Failure::service(format!(
            "not online: {}",
            printable(&bad.into_iter().map(String::as_str).collect::<Vec<_>>().join(", "))
        ))),
    }
}

impl Status {
    pub(crate) fn of(reports: Vec<Report>) -> Self {
        Self {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            pid: std::process::id(),
            accounts: reports.into_iter().map(Account::from).collect(),
        }
    }

    /// Whether every account is there for its clients.
    pub(crate) fn is_good(&self) -> bool {
        !self.accounts.is_empty() && self.accounts.iter().all(Account::is_good)
    }

    /// The same for people.
    pub(crate) fn text(&self) -> String {
        let mut text = format!("imo2sproxy {}, process {}\n", printable(&self.version), self.pid);
        for account in &self.accounts {
            // Writing to a String cannot fail.
            let _ = account.write(&mut text);
        }
        text
    }
}

impl Account {
    fn is_good(&self) -> bool {
        self.state == State::Running.word() && self.connection.as_deref() == Some("ONLINE")
    }

    fn write(&self, text: &mut String) -> std::fmt::Result {
        write!(text, "{}: {}", printable(&self.username), printable(&self.state))?;
        for word in [&self.connection, &self.status].into_iter().flatten() {
            write!(text, ", {}", printable(word))?;
        }
        match self.last_event_seconds {
            Some(seconds) => write!(text, ", last event {} ago", ago(seconds))?,
            None if self.connection.is_some() => write!(text, ", no event yet")?,
            None => {}
        }
        if let Some(reason) = &self.reason {
            write!(text, ": {}", printable(reason))?;
        }
        writeln!(text)?;
        for place in &self.connection_points {
            writeln!(text, "  listening: {}", printable(place))?;
        }
        for client in &self.clients {
            let name = client.name.as_deref().map_or_else(|| "(no name)".into(), printable);
            let peer = if client.peer.is_empty() { "in the process".into() } else { printable(&client.peer) };
            let (number, protocol, unread) = (client.number, client.protocol, client.unread);
            writeln!(text, "  client {number:03}: {name}, {peer}, protocol {protocol}, {unread} unread")?;
        }
        Ok(())
    }
}

impl From<Report> for Account {
    fn from(report: Report) -> Self {
        let state = report.state.word().to_owned();
        let reason = if let State::Failed(reason) = report.state { Some(reason) } else { None };
        let overview = report.overview;
        Self {
            username: report.username,
            state,
            reason,
            connection: overview.as_ref().map(|overview| overview.connection.to_owned()),
            status: overview.as_ref().map(|overview| overview.status.to_owned()),
            last_event_seconds: overview.as_ref().and_then(|overview| Some(overview.last_event?.as_secs())),
            connection_points: report.places,
            clients: overview.into_iter().flat_map(|overview| overview.clients).map(Client::from).collect(),
        }
    }
}

impl From<ClientOverview> for Client {
    fn from(client: ClientOverview) -> Self {
        Self {
            number: client.number,
            name: client.name,
            peer: client.peer,
            protocol: client.protocol,
            unread: client.unread,
        }
    }
}

/// A client may call itself anything, and a terminal obeys much.
fn printable(text: &str) -> String {
    text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect()
}

fn ago(seconds: u64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        _ => format!("{} h", seconds / 3600),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(username: &str, state: State) -> Account {
        Account::from(Report { username: username.to_owned(), state, places: Vec::new(), overview: None })
    }

    #[test]
    fn people_are_told_everything_and_terminals_nothing() {
        let mut alice = account("alice", State::Running);
        alice.connection = Some("ONLINE".to_owned());
        alice.status = Some("AWAY".to_owned());
        alice.last_event_seconds = Some(150);
        alice.connection_points = vec!["skypeproxy 127.0.0.1:1401".to_owned()];
        alice.clients = vec![Client {
            number: 3,
            name: Some("evil\u{1b}[2J".to_owned()),
            peer: "skypeproxy 127.0.0.1:5".to_owned(),
            protocol: 7,
            unread: 12,
        }];
        let bob = account("bob", State::Failed("wrong user name or password".to_owned()));
        let mut status = Status { version: "1".to_owned(), pid: 7, accounts: vec![alice, bob] };
        let text = "imo2sproxy 1, process 7\n\
                    alice: running, ONLINE, AWAY, last event 2 min ago\n  \
                      listening: skypeproxy 127.0.0.1:1401\n  \
                      client 003: evil\u{fffd}[2J, skypeproxy 127.0.0.1:5, protocol 7, 12 unread\n\
                    bob: failed: wrong user name or password\n";
        assert_eq!(status.text(), text);
        assert!(!status.is_good());
        status.accounts.pop();
        assert!(status.is_good());
        status.accounts[0].connection = Some("CONNECTING".to_owned());
        assert!(!status.is_good());
        status.accounts.clear();
        assert!(!status.is_good(), "nobody is served");
    }
}
