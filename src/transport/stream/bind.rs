//! Where a connection point listens.

use std::io;
use std::net::Ipv4Addr;
use std::net::SocketAddr;
use std::path::PathBuf;

use secrecy::ExposeSecret;
use secrecy::SecretString;
use socket2::Domain;
use socket2::Socket;
use socket2::Type;

use crate::error::Error;
use crate::error::Result;
use crate::transport::stream::server::Kind;

/// How many clients may be on their way in.
const BACKLOG: i32 = 1024;

/// Where to listen, and who may come.
#[derive(Debug)]
pub struct BindOptions {
    /// The address and the port; any address beyond loopback needs a key, port 0 picks a free one.
    pub tcp: Option<SocketAddr>,
    /// The name of a socket in the file system, for this user alone.
    pub unix: Option<PathBuf>,
    /// Sockets that listen already.
    pub inherited: Vec<Inherited>,
    /// The password that clients have to give.
    pub key: Option<SecretString>,
}

/// A socket that another program, a service manager for one, has made.
#[derive(Debug)]
pub enum Inherited {
    /// Of an address and a port.
    Tcp(std::net::TcpListener),
    /// Of the file system.
    #[cfg(unix)]
    Unix(std::os::unix::net::UnixListener),
}

impl BindOptions {
    /// A port of this machine alone, open to all of its users.
    #[must_use]
    pub fn loopback(port: u16) -> Self {
        Self {
            tcp: Some(SocketAddr::new(Ipv4Addr::LOCALHOST.into(), port)),
            unix: None,
            inherited: Vec::new(),
            key: None,
        }
    }

    /// Whether such a socket may be, without trying.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for an empty key, and for an address beyond loopback without one.
    pub fn check(&self) -> Result<()> {
        if self.key.as_ref().is_some_and(|key| key.expose_secret().is_empty()) {
            return Err(Error::InvalidArgument { name: "key", problem: "must not be empty".to_owned() });
        }
        if cfg!(not(unix)) && self.unix.is_some() {
            return Err(Error::InvalidArgument {
                name: "socket",
                problem: "this system has no sockets in the file system; use --port".to_owned(),
            });
        }
        let inherited = self.inherited.iter().filter_map(|inherited| match inherited {
            Inherited::Tcp(listener) => listener.local_addr().ok(),
            #[cfg(unix)]
            Inherited::Unix(_) => None,
        });
        let open = self.tcp.into_iter().chain(inherited).find(|address| !address.ip().to_canonical().is_loopback());
        match open {
            Some(address) if self.key.is_none() => Err(Error::InvalidArgument {
                name: "host",
                problem: format!(
                    "{} can be reached from other machines; set a key (-k or IMO2SPROXY_KEY), or bind 127.0.0.1",
                    address.ip()
                ),
            }),
            _ => Ok(()),
        }
    }
}

/// Sockets that are bound but answer nobody yet.
#[derive(Debug)]
pub(in crate::transport) struct Listeners {
    pub(super) tcp: Vec<(mio::net::TcpListener, SocketAddr)>,
    #[cfg(unix)]
    pub(super) unix: Vec<(mio::net::UnixListener, Place)>,
    pub(super) key: Option<SecretString>,
}

/// The name of a socket in the file system; taken away with it, if it is ours.
#[cfg(unix)]
#[derive(Debug)]
pub(super) struct Place {
    pub(super) name: String,
    ours: Option<PathBuf>,
}

impl Listeners {
    /// Takes every place.
    ///
    /// # Errors
    ///
    /// [`Error::InvalidArgument`] for what [`BindOptions::check`] refuses, and for places that cannot be taken, those
    /// in use for instance.
    pub(in crate::transport) fn bind(options: BindOptions, kind: &Kind) -> Result<Self> {
        options.check()?;
        let mut listeners = Self {
            tcp: Vec::new(),
            #[cfg(unix)]
            unix: Vec::new(),
            key: options.key,
        };
        let failed = |error: io::Error| Error::Internal(format!("cannot use an inherited socket: {error}"));
        for inherited in options.inherited {
            match inherited {
                Inherited::Tcp(listener) => {
                    listener.set_nonblocking(true).map_err(failed)?;
                    let address = listener.local_addr().map_err(failed)?;
                    listeners.tcp.push((mio::net::TcpListener::from_std(listener), address));
                }
                #[cfg(unix)]
                Inherited::Unix(listener) => {
                    listener.set_nonblocking(true).map_err(failed)?;
                    let address = listener.local_addr().map_err(failed)?;
                    let name = address.as_pathname().map_or_else(String::new, |path| path.display().to_string());
                    listeners.unix.push((mio::net::UnixListener::from_std(listener), Place { name, ours: None }));
                }
            }
        }
        if let Some(wanted) = options.tcp {
            listeners.tcp.push(tcp(wanted).map_err(|error| cannot_bind(wanted, kind.port_option, &error))?);
        }
        #[cfg(unix)]
        if let Some(path) = options.unix {
            listeners.unix.push(unix::listen(path)?);
        }
        Ok(listeners)
    }

    /// The first address and port.
    pub(in crate::transport) fn address(&self) -> Option<SocketAddr> {
        self.tcp.first().map(|(_, address)| *address)
    }

    /// Where clients find them.
    pub(super) fn places(&self) -> Vec<String> {
        let places = self.tcp.iter().map(|(_, address)| address.to_string());
        #[cfg(unix)]
        let places = places.chain(self.unix.iter().map(|(_, place)| place.name.clone()));
        places.collect()
    }
}

fn tcp(wanted: SocketAddr) -> io::Result<(mio::net::TcpListener, SocketAddr)> {
    let socket = Socket::new(Domain::for_address(wanted), Type::STREAM, None)?;
    if wanted.is_ipv6() {
        // `::` is every address of this machine, those of IPv4 too, whatever the system thinks of it.
        socket.set_only_v6(false)?;
    }
    #[cfg(unix)]
    socket.set_reuse_address(true)?;
    socket.bind(&wanted.into())?;
    socket.listen(BACKLOG)?;
    socket.set_nonblocking(true)?;
    let listener = std::net::TcpListener::from(socket);
    let address = listener.local_addr()?;
    Ok((mio::net::TcpListener::from_std(listener), address))
}

fn cannot_bind(address: SocketAddr, option: &str, error: &io::Error) -> Error {
    let (ip, port) = (address.ip(), address.port());
    let (name, problem) = match error.kind() {
        io::ErrorKind::AddrInUse => (
            "port",
            format!(
                "{port} of {ip} is in use by another program; stop that one, or choose another {option} (0 picks a free \
                 one)"
            ),
        ),
        io::ErrorKind::PermissionDenied => {
            ("port", format!("{port} of {ip} is not for this user; choose a {option} above 1023 (0 picks a free one)"))
        }
        io::ErrorKind::AddrNotAvailable => {
            ("host", format!("{ip} is no address of this machine; 127.0.0.1 always is (--host)"))
        }
        _ => ("port", format!("cannot bind {address}: {error}")),
    };
    Error::InvalidArgument { name, problem }
}

#[cfg(unix)]
mod unix {
    use std::fs::Permissions;
    use std::io;
    use std::os::unix::fs::FileTypeExt;
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::net::UnixStream;
    use std::path::Path;
    use std::path::PathBuf;

    use socket2::Domain;
    use socket2::SockAddr;
    use socket2::Socket;
    use socket2::Type;

    use super::BACKLOG;
    use super::Place;
    use crate::error::Error;
    use crate::error::Result;

    /// Makes a socket that only this user can connect to.
    pub(super) fn listen(path: PathBuf) -> Result<(mio::net::UnixListener, Place)> {
        let name = path.display().to_string();
        let refused = |problem: String| Error::InvalidArgument { name: "socket", problem };
        let failed = |error: io::Error| refused(format!("cannot make {name}: {error}"));
        if UnixStream::connect(&path).is_ok() {
            return Err(refused(format!(
                "{name} is in use by another program; stop that one, or choose another --socket"
            )));
        }
        match std::fs::symlink_metadata(&path) {
            // Left behind by a program that was killed.
            Ok(found) if found.file_type().is_socket() => std::fs::remove_file(&path).map_err(failed)?,
            Ok(_) => {
                return Err(refused(format!("{name} is there already, and is no socket; choose another --socket")));
            }
            Err(_) => {}
        }
        let listener = listen_alone(&path).map_err(failed)?;
        Ok((listener, Place { name, ours: Some(path) }))
    }

    fn listen_alone(path: &Path) -> io::Result<mio::net::UnixListener> {
        let socket = Socket::new(Domain::UNIX, Type::STREAM, None)?;
        socket.bind(&SockAddr::unix(path)?)?;
        // Nobody can connect before it listens.
        std::fs::set_permissions(path, Permissions::from_mode(0o600))?;
        socket.listen(BACKLOG)?;
        socket.set_nonblocking(true)?;
        Ok(mio::net::UnixListener::from_std(socket.into()))
    }

    impl Drop for Place {
        fn drop(&mut self) {
            if let Some(path) = &self.ours {
                let _ = std::fs::remove_file(path);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    use crate::translate::Attachment;

    const KIND: Kind = Kind { name: "test", port_option: "--port", attachment: Attachment::Remote };

    fn problem(options: BindOptions) -> String {
        Listeners::bind(options, &KIND).expect_err("must be refused").to_string()
    }

    fn at(address: &str) -> BindOptions {
        BindOptions { tcp: Some(address.parse().expect("an address")), ..BindOptions::loopback(0) }
    }

    fn key() -> Option<SecretString> {
        Some(SecretString::from("secret"))
    }

    #[test]
    fn beyond_loopback_a_key_is_needed() {
        for address in ["0.0.0.0:0", "[::]:0", "192.0.2.1:0", "[::ffff:192.0.2.1]:0"] {
            let text = problem(at(address));
            assert!(text.starts_with("host: ") && text.contains("IMO2SPROXY_KEY"), "{text}");
        }
        Listeners::bind(BindOptions { key: key(), ..at("0.0.0.0:0") }, &KIND).expect("with a key");
        let inherited = Inherited::Tcp(std::net::TcpListener::bind("0.0.0.0:0").expect("a port"));
        let text = problem(BindOptions { tcp: None, inherited: vec![inherited], ..at("127.0.0.1:0") });
        assert!(text.starts_with("host: "), "{text}");
    }

    #[test]
    fn an_empty_key_is_no_key() {
        let text = problem(BindOptions { key: Some(SecretString::from("")), ..BindOptions::loopback(0) });
        assert_eq!(text, "key: must not be empty");
    }

    #[test]
    fn a_port_in_use_is_named_with_the_cure() {
        let first = Listeners::bind(BindOptions::loopback(0), &KIND).expect("a free port");
        let port = first.address().expect("a port").port();
        let text = problem(BindOptions::loopback(port));
        assert!(text.starts_with(&format!("port: {port} of 127.0.0.1 is in use")) && text.contains("--port"), "{text}");
    }

    #[test]
    fn a_foreign_address_is_named() {
        let text = problem(BindOptions { key: key(), ..at("192.0.2.1:0") });
        assert!(text.starts_with("host: 192.0.2.1 is no address of this machine"), "{text}");
    }

    #[test]
    fn the_unspecified_address_of_ipv6_is_that_of_ipv4_too() {
        // A machine may have no IPv6.
        let Ok(listeners) = Listeners::bind(BindOptions { key: key(), ..at("[::]:0") }, &KIND) else { return };
        let port = listeners.address().expect("a port").port();
        std::net::TcpStream::connect((Ipv4Addr::LOCALHOST, port)).expect("it listens");
    }

    #[cfg(unix)]
    #[test]
    fn a_socket_in_the_file_system_is_for_this_user_and_replaces_a_dead_one_only() {
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().join("skype");
        let options = || BindOptions { tcp: None, unix: Some(path.clone()), ..BindOptions::loopback(0) };
        // What a program leaves behind that was killed.
        drop(std::os::unix::net::UnixListener::bind(&path).expect("a socket"));
        let listeners = Listeners::bind(options(), &KIND).expect("in the place of the dead one");
        assert_eq!(listeners.places(), [path.display().to_string()]);
        let mode = std::fs::metadata(&path).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let text = problem(options());
        assert!(text.starts_with("socket: ") && text.contains("is in use"), "{text}");
        drop(listeners);
        assert!(!path.exists());
        std::fs::write(&path, "letter").expect("a file");
        let text = problem(options());
        assert!(text.contains("is no socket"), "{text}");
        assert_eq!(std::fs::read(&path).expect("the file"), b"letter");
    }
}
