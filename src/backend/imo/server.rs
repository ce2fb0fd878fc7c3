//! Where the service is, and which certificates prove it: what [`open`](super::open) checks.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Host;
use url::Url;

use crate::config::Config;
use crate::error::Error;
use crate::error::Result;

/// The addresses of one service.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// `GET` for cookies (imo-protocol 1).
    pub(super) root: Url,
    /// `POST` for everything else.
    pub(super) imo: Url,
    /// Whether it is on this machine.
    pub(super) loopback: bool,
    /// Roots to trust beside those of the system.
    pub(super) roots: Vec<CertificateDer<'static>>,
}

impl Server {
    /// Reads `server`, `insecure_http` and `ca_file` of the options.
    pub(super) fn of(config: &Config) -> Result<Self> {
        let address =
            config.server.as_deref().ok_or_else(|| bad("missing; give the address of a server".to_owned()))?;
        // The parser's own texts name no part of the address, so no secret either.
        let mut root = Url::parse(address)
            .map_err(|error| bad(format!("no URL ({error}); write for example https://imo.example/")))?;
        if !root.username().is_empty() || root.password().is_some() {
            return Err(bad("must not hold a user name or password; give them as username and password".to_owned()));
        }
        if root.query().is_some() || root.fragment().is_some() {
            return Err(bad("must not hold ? or #; only a path may follow the host".to_owned()));
        }
        let loopback = match root.host() {
            Some(Host::Domain(name)) => name == "localhost" || name.ends_with(".localhost"),
            Some(Host::Ipv4(address)) => address.is_loopback(),
            Some(Host::Ipv6(address)) => address.is_loopback(),
            None => false,
        };
        match root.scheme() {
            "https" => {}
            "http" if loopback || config.insecure_http => {}
            "http" => {
                return Err(bad(
                    "http: would show the password to everyone on the way; use https:, or set insecure_http".to_owned(),
                ));
            }
            other => return Err(bad(format!("the scheme {other}: is unknown; use https:"))),
        }
        if !root.path().ends_with('/') {
            let path = format!("{}/", root.path());
            root.set_path(&path);
        }
        let imo = root.join("imo").map_err(|error| bad(error.to_string()))?;
        let roots = config.ca_file.as_deref().map(read_roots).transpose()?.unwrap_or_default();
        Ok(Self { root, imo, loopback, roots })
    }

    /// Host and port, for people.
    pub(super) fn name(&self) -> String {
        let host = self.root.host_str().unwrap_or_default();
        self.root.port().map_or_else(|| host.to_owned(), |port| format!("{host}:{port}"))
    }
}

fn bad(problem: String) -> Error {
    Error::InvalidArgument { name: "server", problem }
}

fn read_roots(path: &str) -> Result<Vec<CertificateDer<'static>>> {
    let bad = |problem: String| Error::InvalidArgument { name: "ca_file", problem };
    let pem = std::fs::read(path).map_err(|error| bad(format!("cannot read {path}: {error}")))?;
    let roots: Vec<_> = CertificateDer::pem_slice_iter(&pem)
        .collect::<std::result::Result<_, _>>()
        .map_err(|error| bad(format!("{path} is no PEM file: {error}")))?;
    if roots.is_empty() {
        return Err(bad(format!("{path} holds no certificate; it takes a PEM file with BEGIN CERTIFICATE")));
    }
    let mut store = rustls::RootCertStore::empty();
    for root in &roots {
        store.add(root.clone()).map_err(|error| bad(format!("{path} holds a broken certificate: {error}")))?;
    }
    Ok(roots)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn server(address: &str, insecure: bool) -> Result<Server> {
        let mut config = Config::new("alice", "secret");
        config.server = Some(address.to_owned());
        config.insecure_http = insecure;
        Server::of(&config)
    }

    #[test]
    fn good_addresses() {
        let table = [
            ("https://imo.example", "https://imo.example/", "https://imo.example/imo", "imo.example"),
            ("https://imo.example:8/a", "https://imo.example:8/a/", "https://imo.example:8/a/imo", "imo.example:8"),
            ("http://127.0.0.1:80/b/", "http://127.0.0.1/b/", "http://127.0.0.1/b/imo", "127.0.0.1"),
            ("http://[::1]:81", "http://[::1]:81/", "http://[::1]:81/imo", "[::1]:81"),
            ("http://localhost:1", "http://localhost:1/", "http://localhost:1/imo", "localhost:1"),
        ];
        for (address, root, imo, name) in table {
            let server = server(address, false).expect(address);
            assert_eq!((server.root.as_str(), server.imo.as_str(), server.name().as_str()), (root, imo, name));
            assert_eq!(server.loopback, root.starts_with("http:"));
        }
        assert!(!server("http://imo.example/", true).expect("insecure").loopback);
    }

    #[test]
    fn bad_addresses_name_the_cure() {
        let table = [
            ("imo.example", "https://imo.example/"),
            ("ftp://imo.example/", "use https:"),
            ("http://imo.example/", "insecure_http"),
            ("https://alice:hush@imo.example/", "username"),
            ("https://imo.example/?a", "only a path"),
        ];
        for (address, cure) in table {
            let error = server(address, false).expect_err(address).to_string();
            assert!(error.starts_with("server: ") && error.contains(cure), "{error}");
            assert!(!error.contains("hush"));
        }
        let error = Server::of(&Config::new("alice", "secret")).expect_err("no server").to_string();
        assert!(error.starts_with("server: missing"));
    }

    #[test]
    fn bad_root_files_are_named() {
        let folder = tempfile::tempdir().expect("a folder");
        let broken = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
        for (name, content) in [("missing", None), ("empty", Some("")), ("text", Some("hi")), ("broken", Some(broken))]
        {
            let path = folder.path().join(name);
            if let Some(content) = content {
                std::fs::write(&path, content).expect("written");
            }
            let mut config = Config::new("alice", "secret");
            config.server = Some("https://imo.example/".to_owned());
            config.ca_file = path.to_str().map(str::to_owned);
            let error = Server::of(&config).expect_err(name).to_string();
            assert!(error.starts_with("ca_file: ") && error.contains(name), "{error}");
        }
    }
}
