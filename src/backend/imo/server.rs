//! Where the service is, and which certificates prove it: what [`open`](super::open) checks.

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;
use url::Host;
use url::Url;

use crate::config::Config;
use crate::error::Error;
use crate::error::Result;

/// Which form of the protocol a service speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Version {
    /// The older service (imo-protocol 11).
    Zero,
    /// All others.
    One,
}

/// Where the older service was.
const OLD_HOST: &str = "o.imo.im";

/// The longest path of a picture or a call page, in bytes.
const MAX_PATH: usize = 1024;

/// The addresses of one service.
#[derive(Clone, Debug)]
pub(super) struct Server {
    /// `GET` for cookies (imo-protocol 1).
    pub(super) root: Url,
    /// `POST` for everything else.
    pub(super) imo: Url,
    pub(super) version: Version,
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
        let version = if root.host_str() == Some(OLD_HOST) { Version::Zero } else { Version::One };
        Ok(Self { root, imo, version, loopback, roots })
    }

    /// Where a picture is (imo-protocol 1); an icon that is more than the name of a file is none.
    pub(super) fn picture(&self, icon: &str) -> Option<Url> {
        let plain = !icon.contains(['/', '\\']) && !icon.contains(char::is_control) && icon != "." && icon != "..";
        if !plain || !(1..=MAX_PATH).contains(&icon.len()) {
            return None;
        }
        let mut url = self.root.clone();
        url.path_segments_mut().ok()?.pop_if_empty().extend(["b", icon]);
        Some(url)
    }

    /// Where a call page is: a path below the root, and nothing that leads elsewhere.
    pub(super) fn page(&self, path: &str) -> Option<Url> {
        let strange = |letter: char| letter.is_control() || letter.is_whitespace() || letter == '\\';
        let upwards = path.contains("..") || path.to_ascii_lowercase().contains("%2e");
        let fits = (1..=MAX_PATH).contains(&path.len());
        if !fits || upwards || path.contains(strange) || Url::parse(path).is_ok() {
            return None;
        }
        let page = self.root.join(path).ok()?;
        let below = page.origin() == self.root.origin() && page.path().starts_with(self.root.path());
        (below && page.username().is_empty() && page.password().is_none()).then_some(page)
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
    fn the_older_service_is_known_by_its_host() {
        for (address, version) in [
            ("https://o.imo.im/", Version::Zero),
            ("https://O.IMO.im:444", Version::Zero),
            ("https://imo.im/", Version::One),
            ("https://o.imo.im.example/", Version::One),
        ] {
            assert_eq!(server(address, false).expect(address).version, version, "{address}");
        }
    }

    #[test]
    fn pictures_are_plain_files() {
        let server = server("http://127.0.0.1:1/pre", false).expect("a server");
        let picture = |icon| server.picture(icon).map(|url| url.to_string());
        for (icon, wanted) in
            [("a1b2c3", "a1b2c3"), ("a b%?#.png", "a%20b%25%3F%23.png"), ("...", "..."), ("é", "%C3%A9")]
        {
            assert_eq!(picture(icon), Some(format!("http://127.0.0.1:1/pre/b/{wanted}")));
        }
        let long = "a".repeat(MAX_PATH + 1);
        for icon in ["", ".", "..", "../a", "a/b", "/a", "a\\b", "a\0", "a\nb", &long] {
            assert_eq!(picture(icon), None, "{icon:?}");
        }
    }

    #[test]
    fn call_pages_are_below_the_root() {
        let below = server("https://imo.example/pre/", false).expect("a server");
        let page = |path| below.page(path).map(|url| url.to_string());
        for path in ["call", "call/c1?key=a%20b&x#f", "/pre/call", "./call"] {
            let wanted = path.trim_start_matches("./").trim_start_matches("/pre/");
            assert_eq!(page(path), Some(format!("https://imo.example/pre/{wanted}")));
        }
        let long = "a".repeat(MAX_PATH + 1);
        let bad = [
            "",
            "/call",
            "..",
            "../call",
            "a/../b",
            "%2e%2e/call",
            ".%2E/call",
            "//evil.example/pre/call",
            "\\\\evil.example\\pre",
            "https://imo.example/pre/call",
            "https:call",
            "javascript:alert(1)",
            "file:///etc/passwd",
            "mailto:bob",
            "ca\nll",
            "ca ll",
            "call\0",
            "//alice@imo.example/pre/x",
            &long,
        ];
        for path in bad {
            assert_eq!(page(path), None, "{path:?}");
        }
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
