//! One set of options, whether from the command line, a configuration file or one of its accounts.

use std::net::IpAddr;
use std::net::SocketAddr;
use std::path::Path;
use std::path::PathBuf;

use imo2skype::model::Admission;
use imo2skype::model::Grants;
use serde::Deserialize;
use serde::Serialize;

use crate::failure::Failure;
use crate::plan::MEMORY;
use crate::plan::modes;

/// A connection point.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize, Serialize)]
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
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
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

/// Behind the name of an option.
pub(crate) const MISPLACED: &str = "is for the whole program: it belongs above the [[account]] tables";

/// What clients may do whose name is in no table.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Others {
    /// everything
    All,
    /// nothing: only those in a [[client]] table are let in
    Known,
}

/// A `[[client]]` table: what a client may do that says this name.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Client {
    name: String,
    allow: Vec<Grant>,
}

/// A word of `allow`.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize)]
#[serde(try_from = "String", into = "String")]
struct Grant(String, Grants);

impl From<Grant> for String {
    fn from(grant: Grant) -> Self {
        grant.0
    }
}

impl TryFrom<String> for Grant {
    type Error = String;

    fn try_from(word: String) -> Result<Self, String> {
        let known = || Grants::WORDS.map(|(word, _)| word).join(", ");
        let grants = Grants::named(&word).ok_or_else(|| format!("unknown grant; known are {}", known()))?;
        Ok(Self(word, grants))
    }
}

/// Every option; what is `None` was not given.
#[derive(Clone, Default, PartialEq, Deserialize, Serialize)]
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
    pub(crate) skypenet_port: Option<u16>,
    pub(crate) skyped_port: Option<u16>,
    pub(crate) skyped_cert: Option<PathBuf>,
    pub(crate) skyped_key: Option<PathBuf>,
    pub(crate) key: Option<String>,
    pub(crate) allow_clients: Option<Others>,
    pub(crate) keep_online: Option<bool>,
    pub(crate) display: Option<String>,
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
    pub(crate) control: Option<PathBuf>,
    pub(crate) metrics: Option<SocketAddr>,
    pub(crate) history: Option<PathBuf>,
    pub(crate) history_days: Option<u64>,
    pub(crate) history_messages: Option<u64>,
    pub(crate) send_limit: Option<u64>,
    pub(crate) linger: Option<f64>,
    pub(crate) username: Option<String>,
    pub(crate) client: Vec<Client>,
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
            let before = &text[..error.span().map_or(0, |span| span.start)];
            let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
            format!("line {}, column {column}: {}", before.matches('\n').count() + 1, without_value(&error))
        })?;
        if settings.username.is_some() && !settings.account.is_empty() {
            return Err("username belongs into an [[account]] table like the others".to_owned());
        }
        for settings in settings.account.iter().chain([&settings]) {
            let mut names: Vec<_> = settings.client.iter().map(|client| &client.name).collect();
            names.sort_unstable();
            if let Some(pair) = names.windows(2).find(|pair| pair[0] == pair[1]) {
                return Err(format!("two [[client]] tables have the name {:?}", pair[0]));
            }
        }
        for account in &settings.account {
            if let Some(name) = account.misplaced().first() {
                return Err(format!("{name} {MISPLACED}"));
            }
        }
        Ok(settings)
    }

    /// What stands in the table of an account and is for the whole program.
    pub(crate) fn misplaced(&self) -> Vec<&'static str> {
        let given = [
            ("account", !self.account.is_empty()),
            ("daemon", self.daemon.is_some()),
            ("control", self.control.is_some()),
            ("data_dir", self.data_dir.is_some()),
            ("log_file", self.log_file.is_some()),
            ("metrics", self.metrics.is_some()),
            ("pid_file", self.pid_file.is_some()),
            ("verbose", self.verbose.is_some()),
        ];
        given.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
    }

    /// Leaves an option out; whether it was given.
    pub(crate) fn forget(&mut self, key: &str) -> bool {
        let Ok(mut value) = serde_json::to_value(&*self) else { return false };
        let given = value.get_mut(key).filter(|value| !value.is_null()).map(serde_json::Value::take).is_some();
        if let (true, Ok(without)) = (given, serde_json::from_value(value)) {
            *self = without;
            return true;
        }
        false
    }

    /// The same with files that are found from every directory; they are named as seen from this one.
    pub(crate) fn rooted(mut self, directory: &Path) -> Self {
        let history = self.history.as_mut().filter(|history| history.as_path() != Path::new(MEMORY));
        let files = [
            &mut self.socket,
            &mut self.ca_file,
            &mut self.files,
            &mut self.password_file,
            &mut self.skyped_cert,
            &mut self.skyped_key,
        ];
        for file in files.into_iter().flatten().chain(history) {
            // An empty one is refused where it is used.
            if !file.as_os_str().is_empty() {
                let rooted = directory.join(&*file);
                *file = std::path::absolute(&rooted).unwrap_or(rooted);
            }
        }
        self
    }

    /// What an account has to be started again for when it changes. Its password is compared apart, wherever it is from.
    pub(crate) fn of_account(&self) -> Self {
        Self {
            mode: Some(Modes::Many(modes(self))),
            daemon: None,
            pid_file: None,
            verbose: None,
            log_file: None,
            data_dir: None,
            control: None,
            metrics: None,
            password_file: None,
            allow_clients: None,
            client: Vec::new(),
            account: Vec::new(),
            ..self.clone()
        }
    }

    /// What is for the whole program, and is not the same in these other settings.
    pub(crate) fn other_for_the_program(&self, other: &Self) -> Vec<&'static str> {
        let changed = [
            ("daemon", self.daemon != other.daemon),
            ("control", self.control != other.control),
            ("data_dir", self.data_dir != other.data_dir),
            ("log_file", self.log_file != other.log_file),
            ("metrics", self.metrics != other.metrics),
            ("pid_file", self.pid_file != other.pid_file),
            ("verbose", self.verbose != other.verbose),
        ];
        changed.into_iter().filter(|(_, changed)| *changed).map(|(name, _)| name).collect()
    }

    /// Who may do what.
    pub(crate) fn admission(&self) -> Admission {
        let granted = |client: &Client| client.allow.iter().fold(Grants::ATTACH, |all, grant| all.and(grant.1));
        Admission {
            known: self.client.iter().map(|client| (client.name.clone(), granted(client))).collect(),
            others: if self.allow_clients == Some(Others::Known) { Grants::NONE } else { Grants::ALL },
        }
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
            skypenet_port: over.skypenet_port.or(below.skypenet_port),
            skyped_port: over.skyped_port.or(below.skyped_port),
            skyped_cert: over.skyped_cert.or(below.skyped_cert),
            skyped_key: over.skyped_key.or(below.skyped_key),
            key: over.key.or(below.key),
            allow_clients: over.allow_clients.or(below.allow_clients),
            keep_online: over.keep_online.or(below.keep_online),
            display: over.display.or(below.display),
            dbus_system: over.dbus_system.or(below.dbus_system),
            reply_delay: over.reply_delay.or(below.reply_delay),
            server: over.server.or(below.server),
            insecure_http: over.insecure_http.or(below.insecure_http),
            ca_file: over.ca_file.or(below.ca_file),
            files: over.files.or(below.files),
            network: over.network.or(below.network),
            password_file: over.password_file.or(below.password_file),
            data_dir: over.data_dir.or(below.data_dir),
            control: over.control.or(below.control),
            metrics: over.metrics.or(below.metrics),
            history: over.history.or(below.history),
            history_days: over.history_days.or(below.history_days),
            history_messages: over.history_messages.or(below.history_messages),
            send_limit: over.send_limit.or(below.send_limit),
            linger: over.linger.or(below.linger),
            username: over.username.or(below.username),
            client: if over.client.is_empty() { below.client } else { over.client },
            account: over.account,
        }
    }
}

/// What is wrong with a file; its text is left out, and any value with it: there may be a key in it.
pub(crate) fn without_value(error: &toml::de::Error) -> String {
    let message = error.message();
    match message.rsplit_once(", expected ") {
        // As in "invalid type: integer `17`", "unknown variant `secret`".
        Some((found, expected)) if found.starts_with("invalid ") || found.starts_with("unknown variant ") => {
            let kind = found.split(['`', '"']).next().unwrap_or_default().trim_end();
            format!("{kind}, expected {expected}")
        }
        _ => message.to_owned(),
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
        assert!(text.starts_with("line 2, column 1: ") && text.contains("keyy") && !text.contains("geheim"), "{text}");
        let text = problem("[[account]]\nusername = 'a'\nlog-file = 'x'\n");
        assert!(text.starts_with("line 3, column 1: ") && text.contains("log-file"), "{text}");
    }

    #[test]
    fn no_value_is_in_an_error() {
        for (line, known) in [
            ("key = 4711", "column 7: invalid type: integer, expected a string"),
            ("key = ['geheim', 4711]", "column 7: invalid type: sequence, expected a string"),
            ("key = { geheim = 4711 }", "column 7: invalid type: map, expected a string"),
            ("key = 'geheim", "invalid literal string"),
            ("key = geheim", "string values must be quoted"),
            ("key = 4711geheim", "column 11: "),
            ("key = 'a' 'geheim'", "column 11: "),
            ("key = \"\\geheim\"", "column 9: "),
            ("key = '\u{fc}' geheim", "column 11: "),
            ("key 'geheim'", "column 5: "),
            ("key: 'geheim'", "column "),
            ("password = 'geheim'", "column 1: unknown field `password`"),
            ("port = 'geheim, expected x'", "column 8: invalid type: string, expected u16"),
            ("port = 471147", "column 8: invalid value: integer, expected u16"),
            ("verbose = 'geheim'", "column 11: invalid type: string, expected a boolean"),
            ("host = 'geheim'", "column 8: invalid IP address"),
            ("metrics = 'geheim'", "column 11: invalid socket address"),
            ("mode = 'geheim'", "column 8: mode must be one of"),
            ("allow_clients = 'geheim'", "column 17: unknown variant, expected `all` or `known`"),
            ("client = [{ name = 'a', allow = ['geheim'] }]", "column 33: unknown grant; known are read"),
            ("client = [{ name = 4711, allow = [] }]", "column 20: invalid type: integer, expected a string"),
        ] {
            let text = problem(&format!("\n{line}\n"));
            assert!(text.starts_with("line 2, ") && text.contains(known), "{line}: {text}");
            assert!(!text.contains("geheim") && !text.contains("4711"), "{line}: {text}");
        }
    }

    #[test]
    fn clients_are_granted_what_their_table_says() {
        let file = Settings::parse(
            "allow_clients = 'known'\n[[client]]\nname = 'Kopete'\nallow = ['read', 'calls']\n\
             [[client]]\nname = ''\nallow = []\n\
             [[account]]\nusername = 'alice'\n\
             [[account]]\nusername = 'bob'\nallow_clients = 'all'\n\
             [[account.client]]\nname = 'Kopete'\nallow = ['send']\n",
        )
        .expect("a good file");
        let of = |number: usize| file.account[number].over(&file).admission();
        let read_and_call = Grants::ATTACH.and(Grants::READ).and(Grants::CALLS);
        assert_eq!(
            [of(0).of("Kopete"), of(0).of(""), of(0).of("kopete")],
            [read_and_call, Grants::ATTACH, Grants::NONE]
        );
        assert_eq!([of(1).of("Kopete"), of(1).of("")], [Grants::ATTACH.and(Grants::SEND), Grants::ALL]);
        assert_eq!(Settings::default().admission(), Admission::default());
    }

    #[test]
    fn errors_in_tables_of_clients_are_named() {
        let text = problem("[[client]]\nname = 'a'\nallow = ['raed']\n");
        assert!(text.starts_with("line 3, column 9: unknown grant"), "{text}");
        assert!(text.contains("known are read, send, contacts, files, calls"), "{text}");
        let text = problem("[[client]]\nname = 'a'\n");
        assert!(text.contains("allow"), "{text}");
        let text = problem("[[client]]\nname = 'a'\nallow = []\n[[client]]\nname = 'a'\nallow = []\n");
        assert!(text.contains("two [[client]] tables") && text.contains("\"a\""), "{text}");
        let text = problem("allow_clients = 'some'\n");
        assert!(text.starts_with("line 1, ") && text.contains("`all` or `known`"), "{text}");
    }

    #[test]
    fn what_is_for_the_whole_program_is_no_option_of_an_account() {
        let text = problem("[[account]]\nusername = 'a'\ndaemon = true\n");
        assert!(text.starts_with("daemon is for the whole program"), "{text}");
        let text = problem("username = 'a'\n[[account]]\nusername = 'b'\n");
        assert!(text.contains("[[account]]"), "{text}");
    }
}
