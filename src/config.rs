//! The options of a session: one table of keys for C, Python, the configuration file and the command line.

use std::path::Path;
use std::time::Duration;

use secrecy::SecretString;

use crate::error::Error;
use crate::error::Result;
use crate::model::Admission;

/// What a session needs to know before it logs in.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Config {
    /// The account.
    pub username: String,
    /// Its password; prints redacted and is wiped when dropped.
    pub password: SecretString,
    /// The address of the server. `None` starts a gateway in the memory of this process, which
    /// all sessions without a server share.
    pub server: Option<String>,
    /// The chat network; `imo`.
    pub network: String,
    /// Log in when the session is opened.
    pub autologin: bool,
    /// Stamp messages with the local clock, not with the server's.
    pub local_time: bool,
    /// Where messages, chats and their numbers are kept: a file for this account alone, or `memory`, which writes none.
    pub history: String,
    /// How long messages are kept in the file; `None` for ever.
    pub history_age: Option<Duration>,
    /// How many messages are kept in the file, at least about so many; `None` all.
    pub history_messages: Option<u64>,
    /// How long it is tried to send a message before it counts as failed.
    pub send_limit: Duration,
    /// How many lines a client may leave unread.
    pub queue_limit: usize,
    /// Take `http:` for other hosts than this one.
    pub insecure_http: bool,
    /// One more root certificate to trust: a PEM file.
    pub ca_file: Option<String>,
    /// Open the call page of the network in the browser when a call starts: in that of the desktop, or the one
    /// that the environment variable `BROWSER` names. Only a page below the address of the server is opened.
    pub interactive: bool,
    /// The folder below which clients may have files (pictures of users) read and written. Without
    /// one they may not.
    pub files: Option<String>,
    /// `SET USERSTATUS OFFLINE` of a client is its own wish only: the account, which others use too, stays as it is.
    pub keep_online: bool,
    /// Who of those who come by a connection point may do what.
    #[doc(hidden)]
    pub admission: Admission,
}

/// One key of [`Config::set`].
#[derive(Debug)]
#[non_exhaustive]
pub struct Key {
    /// The name.
    pub name: &'static str,
    /// One line of help.
    pub help: &'static str,
    set: fn(&mut Config, &str) -> Option<()>,
    /// What a value looks like.
    pub values: &'static str,
}

const KEYS: &[Key] = &[
    Key {
        name: "server",
        help: "address of an imo-compatible server; empty: a gateway inside this process",
        values: "a URL",
        set: |config, value| {
            config.server = (!value.is_empty()).then(|| value.to_owned());
            Some(())
        },
    },
    Key {
        name: "network",
        help: "the chat network",
        values: "imo",
        set: |config, value| (value == "imo").then(|| config.network = value.to_owned()),
    },
    Key {
        name: "autologin",
        help: "log in when the session is opened",
        values: "true or false",
        set: |config, value| boolean(value).map(|value| config.autologin = value),
    },
    Key {
        name: "local_time",
        help: "stamp messages with the local clock, not with the server's",
        values: "true or false",
        set: |config, value| boolean(value).map(|value| config.local_time = value),
    },
    Key {
        name: "history",
        help: "where messages, chats and their numbers are kept",
        values: "the path of a file for this account alone, or memory",
        set: |config, value| {
            let fits = !value.is_empty() && !value.contains('\0');
            fits.then(|| config.history = value.to_owned())
        },
    },
    Key {
        name: "history_days",
        help: "for how many days messages are kept in the file; 0: for ever",
        values: "a number from 0 to 36500",
        set: |config, value| {
            let days: u64 = value.parse().ok().filter(|days| *days <= 36_500)?;
            config.history_age = (days > 0).then(|| Duration::from_secs(days * 24 * 60 * 60));
            Some(())
        },
    },
    Key {
        name: "history_messages",
        help: "how many messages are kept in the file; 0: all",
        values: "a number",
        set: |config, value| {
            let messages = value.parse().ok()?;
            config.history_messages = (messages > 0).then_some(messages);
            Some(())
        },
    },
    Key {
        name: "send_limit",
        help: "how long it is tried to send a message before it counts as failed",
        values: "a number of seconds from 10 to 2592000",
        set: |config, value| {
            // A server that knows a message from its repeat does so for 30 days (docs/gateway.md).
            let value = value.parse().ok().filter(|value| (10..=2_592_000).contains(value))?;
            config.send_limit = Duration::from_secs(value);
            Some(())
        },
    },
    Key {
        name: "queue_limit",
        help: "how many lines a client may leave unread",
        values: "a number from 16 to 16777216",
        set: |config, value| {
            let value = value.parse().ok()?;
            (16..=1 << 24).contains(&value).then(|| config.queue_limit = value)
        },
    },
    Key {
        name: "insecure_http",
        help: "take http: for other hosts than this one",
        values: "true or false",
        set: |config, value| boolean(value).map(|value| config.insecure_http = value),
    },
    Key {
        name: "ca_file",
        help: "one more root certificate to trust",
        values: "a PEM file",
        set: |config, value| {
            config.ca_file = (!value.is_empty()).then(|| value.to_owned());
            Some(())
        },
    },
    Key {
        name: "interactive",
        help: "open the call page of the network in the browser (BROWSER, or that of the desktop) when a call starts",
        values: "true or false",
        set: |config, value| boolean(value).map(|value| config.interactive = value),
    },
    Key {
        name: "files",
        help: "folder below which clients may have files read and written; empty: they may not",
        values: "an absolute path",
        set: |config, value| {
            config.files = (!value.is_empty()).then(|| value.to_owned());
            (value.is_empty() || std::path::Path::new(value).is_absolute()).then_some(())
        },
    },
];

fn boolean(value: &str) -> Option<bool> {
    match value {
        "true" | "1" => Some(true),
        "false" | "0" => Some(false),
        _ => None,
    }
}

impl Config {
    /// Options for `username` with everything else at its default.
    ///
    /// # Examples
    ///
    /// ```
    /// let mut config = imo2skype::Config::new("alice", "secret");
    /// config.set("queue_limit", "1024")?;
    /// assert!(!format!("{config:?}").contains("secret"));
    /// # Ok::<(), imo2skype::Error>(())
    /// ```
    #[must_use]
    pub fn new(username: impl Into<String>, password: impl Into<String>) -> Self {
        Self {
            username: username.into(),
            password: SecretString::from(password.into()),
            server: None,
            network: "imo".to_owned(),
            autologin: true,
            local_time: false,
            history: "memory".to_owned(),
            history_age: None,
            history_messages: None,
            send_limit: Duration::from_secs(24 * 60 * 60),
            queue_limit: 65_536,
            insecure_http: false,
            ca_file: None,
            interactive: false,
            files: None,
            keep_online: false,
            admission: Admission::default(),
        }
    }

    /// The file of the history, if there is to be one.
    pub(crate) fn history_file(&self) -> Option<&Path> {
        (self.history != "memory").then(|| Path::new(&self.history))
    }

    /// The keys that [`set`](Self::set) knows.
    #[must_use]
    pub fn keys() -> &'static [Key] {
        KEYS
    }

    /// Sets one option by name; booleans are `true` and `false`.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] if the key is unknown (the text names the known ones) or the
    /// value is none for that key.
    pub fn set(&mut self, key: &str, value: &str) -> Result<()> {
        let Some(known) = KEYS.iter().find(|known| known.name == key) else {
            let names: Vec<_> = KEYS.iter().map(|known| known.name).collect();
            return Err(Error::InvalidArgument {
                name: "key",
                problem: format!("unknown key {key:?}; known are {}", names.join(", ")),
            });
        };
        (known.set)(self, value).ok_or_else(|| Error::InvalidArgument {
            name: known.name,
            problem: format!("cannot be {value:?}; it takes {}", known.values),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_key_takes_a_good_value_and_names_itself_on_a_bad_one() {
        let good = [
            ("server", "https://imo.example/"),
            ("network", "imo"),
            ("autologin", "false"),
            ("local_time", "true"),
            ("history", "/home/alice/history.db"),
            ("history_days", "30"),
            ("history_messages", "1000"),
            ("send_limit", "3600"),
            ("queue_limit", "16"),
            ("insecure_http", "true"),
            ("ca_file", "/ca.pem"),
            ("interactive", "1"),
            ("files", "/home/alice/skype"),
        ];
        let mut config = Config::new("alice", "secret");
        for (key, value) in good {
            config.set(key, value).expect(key);
        }
        assert_eq!(good.len(), Config::keys().len());
        for key in [
            "network",
            "autologin",
            "local_time",
            "history_days",
            "history_messages",
            "send_limit",
            "queue_limit",
            "insecure_http",
            "interactive",
            "files",
        ] {
            let error = config.set(key, "\u{fffd}").expect_err(key).to_string();
            assert!(error.starts_with(key) && error.contains("it takes"), "{error}");
        }
        assert_eq!(config.queue_limit, 16);
    }

    #[test]
    fn an_unknown_key_is_told_the_known_ones() {
        let error = Config::new("a", "b").set("sever", "x").expect_err("unknown").to_string();
        assert!(error.contains("\"sever\"") && error.contains("server, network, autologin"), "{error}");
    }
}
