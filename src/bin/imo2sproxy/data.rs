//! The data directory: the gateway of the program and the histories of its accounts are kept there.

use std::path::Path;
use std::path::PathBuf;

use imo2skype::Config;
use imo2skype::model::Handle;
use percent_encoding::AsciiSet;
use percent_encoding::NON_ALPHANUMERIC;
use percent_encoding::utf8_percent_encode;
use url::Url;

use crate::failure::Failure;

/// What every file system takes in a name, and means the same by.
const ENCODED: &AsciiSet = &NON_ALPHANUMERIC.remove(b'.').remove(b'_').remove(b'-');

/// The data directory. One that cannot be found stops only those who need it.
#[derive(Clone)]
pub(crate) struct DataDir(Option<PathBuf>);

impl DataDir {
    /// The directory that the user named, or that of the platform.
    pub(crate) fn new(named: Option<PathBuf>) -> Self {
        Self(named)
    }

    pub(crate) fn path(&self) -> Result<PathBuf, Failure> {
        use etcetera::BaseStrategy;
        if let Some(named) = &self.0 {
            return Ok(named.clone());
        }
        let strategy = etcetera::choose_base_strategy().map_err(|error| {
            Failure::service(format!("where is the data directory? {error}; name one by --data-dir"))
        })?;
        Ok(strategy.data_dir().join("imo2skype"))
    }

    /// The database of the gateway inside the program, in a directory that is there.
    pub(crate) fn gateway(&self) -> Result<PathBuf, Failure> {
        let directory = self.path()?;
        make_directory(&directory).map_err(|failure| failure.with("choose another --data-dir"))?;
        Ok(directory.join("gateway.db"))
    }

    /// The certificate of the skyped sockets, where the user names none.
    pub(crate) fn certificate(&self) -> Result<PathBuf, Failure> {
        Ok(self.path()?.join("skyped.pem"))
    }

    /// The history of an account, where the user says nothing else.
    pub(crate) fn history(&self, config: &Config) -> Result<PathBuf, Failure> {
        Ok(self.path()?.join("history").join(file_name(config)))
    }
}

/// The name of the default file: two accounts never share one, nor one account on two servers.
fn file_name(config: &Config) -> String {
    let encoded = |text: &str| utf8_percent_encode(text, ENCODED).to_string();
    let (network, account) = (encoded(&config.network), encoded(&Handle::fold(&config.username)));
    let server = config.server.as_deref().map(|server| format!("@{}", encoded(&host_and_port(server))));
    format!("{network}-{account}{}.db", server.unwrap_or_default())
}

/// An address that is none is refused later, in better words.
fn host_and_port(server: &str) -> String {
    let Ok(url) = Url::parse(server) else { return server.to_owned() };
    let host = url.host_str().unwrap_or_default();
    url.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
}

/// Makes a directory that nobody else can look into, if there is none.
pub(crate) fn make_directory(directory: &Path) -> Result<(), Failure> {
    let mut builder = std::fs::DirBuilder::new();
    builder.recursive(true);
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
        .create(directory)
        .map_err(|error| Failure::service(format!("cannot make the directory {}: {error}", directory.display())))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_named_after_network_account_and_server() {
        for (username, server, name) in [
            ("alice", None, "imo-alice.db"),
            ("Alice.B_c-d", None, "imo-alice.b_c-d.db"),
            ("a/../b@c", None, "imo-a%2F..%2Fb%40c.db"),
            ("gr\u{fc}n", None, "imo-gr%C3%BCn.db"),
            ("alice", Some("https://imo.example/"), "imo-alice@imo.example.db"),
            ("alice", Some("https://IMO.example:443/path"), "imo-alice@imo.example.db"),
            ("alice", Some("http://127.0.0.1:8080/"), "imo-alice@127.0.0.1%3A8080.db"),
            ("alice", Some("http://[::1]:8080/"), "imo-alice@%5B%3A%3A1%5D%3A8080.db"),
        ] {
            let mut config = Config::new(username, "");
            config.server = server.map(str::to_owned);
            assert_eq!(file_name(&config), name);
        }
    }
}
