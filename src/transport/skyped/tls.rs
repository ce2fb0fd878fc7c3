//! TLS for skyped lines: bytes in, records out, and no socket; and the certificate for it.

use std::fmt::Display;
use std::io;
use std::io::BufRead;
use std::io::Write;
use std::path::Path;
use std::path::PathBuf;
use std::sync::Arc;

use rustls::ServerConfig;
use rustls::ServerConnection;
use rustls::SupportedCipherSuite;
use rustls::crypto::ring::cipher_suite::TLS13_AES_128_GCM_SHA256;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;

use crate::error::Error;
use crate::error::Result;

/// Where the certificate of the socket is.
#[derive(Clone, Debug)]
pub enum Identity {
    /// In files of the user, PEM both; they may be one.
    Files {
        /// The certificate, and those that sign it.
        cert: PathBuf,
        /// Its private key.
        key: PathBuf,
    },
    /// In this file, which is made where there is none: clients remember a certificate that nobody signs.
    Kept(PathBuf),
}

impl Identity {
    /// What a server shows, and the fingerprint of its certificate.
    pub(super) fn load(&self) -> Result<(Arc<ServerConfig>, String)> {
        let (cert, key) = match self {
            Self::Files { cert, key } => (cert, key),
            Self::Kept(file) => {
                if !file.exists() {
                    make(file).map_err(|error| invalid(file, &error))?;
                }
                (file, file)
            }
        };
        let chain: Vec<_> =
            CertificateDer::pem_file_iter(cert).and_then(Iterator::collect).map_err(|error| invalid(cert, &error))?;
        let first = chain.first().ok_or_else(|| invalid(cert, &"no certificate in it; it takes PEM"))?;
        let fingerprint = fingerprint(first);
        let private = PrivateKeyDer::from_pem_file(key).map_err(|error| invalid(key, &error))?;
        // The provider is named, not installed: that is for programs to do.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, private))
            .map_err(|error| invalid(cert, &error))?;
        // A client stays for days; nothing is gained by resuming.
        config.send_tls13_tickets = 0;
        config.session_storage = Arc::new(rustls::server::NoServerSessionStorage {});
        Ok((Arc::new(config), fingerprint))
    }
}

fn invalid(file: &Path, problem: &dyn Display) -> Error {
    Error::InvalidArgument { name: "skyped_cert", problem: format!("{}: {problem}", file.display()) }
}

/// Makes a file with a certificate and its key, for this user alone: all of it or nothing, and never over another that
/// came first.
fn make(file: &Path) -> io::Result<()> {
    let names = ["localhost", "127.0.0.1", "::1"].map(str::to_owned);
    let made = rcgen::generate_simple_self_signed(names).map_err(io::Error::other)?;
    let text = made.signing_key.serialize_pem() + &made.cert.pem();
    let draft = file.with_extension(format!("{:016x}.new", rand::random::<u64>()));
    let mut options = std::fs::OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&draft)?;
    let outcome = written.write_all(text.as_bytes()).and_then(|()| written.sync_all()).and_then(|()| {
        match std::fs::hard_link(&draft, file) {
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
            outcome => outcome,
        }
    });
    let removed = std::fs::remove_file(&draft);
    outcome.and(removed)
}

/// SHA-256, as people compare it: `AB:CD:...`.
fn fingerprint(cert: &CertificateDer<'_>) -> String {
    let SupportedCipherSuite::Tls13(suite) = TLS13_AES_128_GCM_SHA256 else { return String::new() };
    let digest = suite.common.hash_provider.hash(cert);
    digest.as_ref().iter().map(|byte| format!("{byte:02X}")).collect::<Vec<_>>().join(":")
}

/// One connection.
pub(super) struct Channel(ServerConnection);

impl Channel {
    pub(super) fn new(config: Arc<ServerConfig>) -> std::result::Result<Self, rustls::Error> {
        let mut connection = ServerConnection::new(config)?;
        // What is written is taken out at once.
        connection.set_buffer_limit(None);
        Ok(Self(connection))
    }

    /// Takes bytes that came, and hands on the text of each record; whether the other side says that there will be
    /// no more.
    pub(super) fn feed(
        &mut self,
        mut bytes: &[u8],
        mut record: impl FnMut(&[u8]),
    ) -> std::result::Result<bool, String> {
        let mut over = false;
        while !bytes.is_empty() && !over {
            self.0.read_tls(&mut bytes).map_err(|error| error.to_string())?;
            over = self.0.process_new_packets().map_err(|error| error.to_string())?.peer_has_closed();
            let mut reader = self.0.reader();
            while let Ok(text) = reader.fill_buf() {
                if text.is_empty() {
                    break;
                }
                let length = text.len();
                record(text);
                reader.consume(length);
            }
        }
        Ok(over)
    }

    /// Has this text sent in a record of its own.
    pub(super) fn write(&mut self, text: &[u8]) {
        // It cannot fail: there is no limit, and no socket.
        let _ = self.0.writer().write_all(text);
    }

    /// Says that there will be no more.
    pub(super) fn close(&mut self) {
        self.0.send_close_notify();
    }

    /// Appends what is to be sent.
    pub(super) fn flush(&mut self, out: &mut Vec<u8>) {
        while self.0.wants_write() {
            if self.0.write_tls(out).is_err() {
                return;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_certificate_is_made_once_and_stays() {
        let folder = tempfile::tempdir().expect("a folder");
        let file = folder.path().join("skyped.pem");
        let (_, first) = Identity::Kept(file.clone()).load().expect("made");
        assert_eq!(first.len(), 32 * 3 - 1, "{first}");
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            let mode = std::fs::metadata(&file).expect("there").permissions().mode();
            assert_eq!(mode & 0o777, 0o600);
        }
        // Who comes second takes what is there.
        make(&file).expect("not over it");
        let (_, second) = Identity::Kept(file.clone()).load().expect("read");
        assert_eq!(first, second);
        let (_, given) = Identity::Files { cert: file.clone(), key: file.clone() }.load().expect("read");
        assert_eq!(first, given);
        assert_eq!(std::fs::read_dir(folder.path()).expect("a folder").count(), 1, "drafts are left");
        std::fs::write(&file, "letter").expect("a file");
        let error = Identity::Kept(file.clone()).load().expect_err("no certificate").to_string();
        assert!(error.starts_with("skyped_cert: ") && error.contains("skyped.pem"), "{error}");
        assert_eq!(std::fs::read(&file).expect("the file"), b"letter");
    }
}
