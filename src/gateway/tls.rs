//! Connections with TLS. Nothing but [`Gateway::start_tls`](super::Gateway::start_tls) leads here, so that a program
//! without it does not carry it.

use std::fmt::Display;
use std::io;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use rustls::ServerConfig;
use rustls::pki_types::CertificateDer;
use rustls::pki_types::PrivateKeyDer;
use rustls::pki_types::pem::PemObject;
use tokio::net::TcpStream;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;

use crate::error::Error;
use crate::error::Result;

use super::TlsFiles;
use super::listener::Accept;

/// How long a client has to agree on TLS.
const HANDSHAKE: Duration = Duration::from_secs(10);

#[derive(Clone)]
pub(super) struct Tls(TlsAcceptor);

impl Tls {
    pub(super) fn new(files: &TlsFiles) -> Result<Self> {
        let invalid = |file: &Path, problem: &dyn Display| Error::InvalidArgument {
            name: "tls",
            problem: format!("{}: {problem}", file.display()),
        };
        let chain: Vec<_> = CertificateDer::pem_file_iter(&files.cert)
            .and_then(Iterator::collect)
            .map_err(|error| invalid(&files.cert, &error))?;
        if chain.is_empty() {
            return Err(invalid(&files.cert, &"no certificate in it; it takes PEM"));
        }
        let key = PrivateKeyDer::from_pem_file(&files.key).map_err(|error| invalid(&files.key, &error))?;
        // The provider is named, not installed: that is for programs to do.
        let provider = Arc::new(rustls::crypto::ring::default_provider());
        let mut config = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()
            .and_then(|builder| builder.with_no_client_auth().with_single_cert(chain, key))
            .map_err(|error| invalid(&files.cert, &error))?;
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self(TlsAcceptor::from(Arc::new(config))))
    }
}

impl Accept for Tls {
    type Stream = TlsStream<TcpStream>;

    const SECURE: bool = true;

    async fn accept(&self, stream: TcpStream) -> io::Result<Self::Stream> {
        tokio::time::timeout(HANDSHAKE, self.0.accept(stream)).await?
    }
}
