//! One set of options, whether from the command line, a configuration file or one of its accounts.

use std::net::IpAddr;
use std::path::Path;
use std::path::PathBuf;

use serde::Deserialize;

use crate::failure::Failure;

/// A connection point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Mode {
    /// SkypeProxy socket
    S,
    /// Skype API over window messages (Windows)
    A,
    /// D-Bus
    D,
    /// X11
    X,
    /// skypenet
    N,
    /// skyped lines over TLS
    L,
    /// console: commands on standard input, notifications on standard output
    C,
}

/// `mode = "s"` or `mode = ["s", "c"]`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(
    untagged,
    expecting = "mode must be one of \"s\", \"a\", \"d\", \"x\", \"n\", \"l\", \"c\", or a list of these"
)]
pub(crate) enum Modes {
    One(Mode),
    Many(Vec<Mode>),
}

impl Modes {
    pub(crate) fn list(&self) -> Vec<Mode> {
        match self {
            Self::One(mode) => vec![*mode],
            Self::Many(modes) => modes.clone(),
        }
    }
}

/// Every option; what is `None` was not given.
#[derive(Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Settings {
    pub(crate) daemon: Option<bool>,
    pub(crate) pid_file: Option<PathBuf>,
    pub(crate) verbose: Option<bool>,
    pub(crate) log_file: Option<PathBuf>,
    pub(crate) local_time: Option<bool>,
    pub(crate) interactive: Option<bool>,
    pub(crate) mode: Option<Modes>,
    pub(crate) host: Option<IpAddr>,
    pub(crate) port: Option<u16>,
    pub(crate) socket: Option<PathBuf>,
    pub(crate) key: Option<String>,
    pub(crate) dbus_system: Option<bool>,
    /// Milliseconds.
    pub(crate) reply_delay: Option<u64>,
    pub(crate) server: Option<String>,
    pub(crate) insecure_http: Option<bool>,
    pub(crate) ca_file: Option<PathBuf>,
    pub(crate) files: Option<PathBuf>,
    pub(crate) network: Option<String>,
    pub(crate) password_file: Option<PathBuf>,
    pub(crate) data_dir: Option<PathBuf>,
    pub(crate) history: Option<PathBuf>,
    pub(crate) history_days: Option<u64>,
    pub(crate) history_messages: Option<u64>,
    pub(crate) send_limit: Option<u64>,
    pub(crate) linger: Option<f64>,
    pub(crate) username: Option<String>,
    pub(crate) account: Vec<Settings>,
}

impl Settings {
    /// What a configuration file says.
    pub(crate) fn read(path: &Path) -> Result<Self, Failure> {
        let name = path.display();
        let text = std::fs::read_to_string(path)
            .map_err(|error| Failure::usage(format!("cannot read the configuration file {name}: {error}")))?;
        let settings = Self::parse(&text)
            .map_err(|problem| Failure::usage(format!("in the configuration file {name}: {problem}")))?;
        Ok(settings)
    }

    pub(crate) fn parse(text: &str) -> Result<Self, String> {
        let settings: Self = toml::from_str(text).map_err(|error| {
            // The text of the line is left out: there may be a key in it.
            let line = error.span().map_or(0, |span| text[..span.start].matches('\n').count()) + 1;
            format!("line {line}: {}", error.message())
        })?;
        if settings.username.is_some() && !settings.account.is_empty() {
            return Err("username belongs into an [[account]] table like the others".to_owned());
        }
        for account in &settings.account {
            let misplaced = [
                ("account", !account.account.is_empty()),
                ("daemon", account.daemon.is_some()),
                ("data_dir", account.data_dir.is_some()),
                ("log_file", account.log_file.is_some()),
                ("pid_file", account.pid_file.is_some()),
                ("verbose", account.verbose.is_some()),
            ];
            if let Some((name, _)) = misplaced.iter().find(|(_, given)| *given) {
                return Err(format!("{name} is for the whole program: it belongs above the [[account]] tables"));
            }
        }
        Ok(settings)
    }

    /// These settings, and where they say nothing, those `below`. The accounts stay.
    pub(crate) fn over(&self, below: &Self) -> Self {
        let (over, below) = (self.clone(), below.clone());
        Self {
            daemon: over.daemon.or(below.daemon),
            pid_file: over.pid_file.or(below.pid_file),
            verbose: over.verbose.or(below.verbose),
            log_file: over.log_file.or(below.log_file),
            local_time: over.local_time.or(below.local_time),
            interactive: over.interactive.or(below.interactive),
            mode: over.mode.or(below.mode),
            host: over.host.or(below.host),
            port: over.port.or(below.port),
            socket: over.socket.or(below.socket),
            key: over.key.or(below.key),
            dbus_system: over.dbus_system.or(below.dbus_system),
            reply_delay: over.reply_delay.or(below.reply_delay),
            server: over.server.or(below.server),
            insecure_http: over.insecure_http.or(below.insecure_http),
            ca_file: over.ca_file.or(below.ca_file),
            files: over.files.or(below.files),
            network: over.network.or(below.network),
            password_file: over.password_file.or(below.password_file),
            data_dir: over.data_dir.or(below.data_dir),
            history: over.history.or(below.history),
            history_days: over.history_days.or(below.history_days),
            history_messages: over.history_messages.or(below.history_messages),
            send_limit: over.send_limit.or(below.send_limit),
            linger: over.linger.or(below.linger),
            username: over.username.or(below.username),
            account: over.account,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(text: &str) -> String {
        Settings::parse(text).err().expect("must be refused")
    }

    #[test]
    fn a_file_has_options_and_accounts() {
        let file = Settings::parse(
            "server = 'https://imo.example/'\nverbose = true\nlinger = 0.5\nmode = 's'\n\
             [[account]]\nusername = 'alice'\npassword_file = '/a'\n\
             [[account]]\nusername = 'bob'\nport = 1402\nmode = ['s', 'c']\nserver = 'https://other.example/'\n",
        )
        .expect("a good file");
        let [alice, bob] = &file.account[..] else { panic!("two accounts") };
        let (alice, bob) = (alice.over(&file), bob.over(&file));
        assert_eq!(alice.server.as_deref(), Some("https://imo.example/"));
        assert_eq!(bob.server.as_deref(), Some("https://other.example/"));
        assert_eq!(alice.mode.map(|modes| modes.list()), Some(vec![Mode::S]));
        assert_eq!(bob.mode.map(|modes| modes.list()), Some(vec![Mode::S, Mode::C]));
        assert_eq!((alice.port, bob.port), (None, Some(1402)));
    }

    #[test]
    fn typing_errors_are_found_with_their_line() {
        let text = problem("verbose = true\nkeyy = 'geheim'\n");
        assert!(text.starts_with("line 2: ") && text.contains("keyy") && !text.contains("geheim"), "{text}");
        let text = problem("[[account]]\nusername = 'a'\nlog-file = 'x'\n");
        assert!(text.starts_with("line 3: ") && text.contains("log-file"), "{text}");
    }

    #[test]
    fn what_is_for_the_whole_program_is_no_option_of_an_account() {
        let text = problem("[[account]]\nusername = 'a'\ndaemon = true\n");
        assert!(text.starts_with("daemon is for the whole program"), "{text}");
        let text = problem("username = 'a'\n[[account]]\nusername = 'b'\n");
        assert!(text.contains("[[account]]"), "{text}");
    }
}
