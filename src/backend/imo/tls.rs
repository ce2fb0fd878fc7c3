//! Which certificates are believed: those of the system and those of `ca_file`, by ring.

use std::sync::Arc;

use rustls::ClientConfig;
use rustls::RootCertStore;
use rustls::crypto::CryptoProvider;
use rustls::crypto::ring;
use rustls::pki_types::CertificateDer;
use rustls_platform_verifier::Verifier;

use crate::error::Error;
use crate::error::Result;

/// The TLS options of a client. The provider is named here, as a library must not choose one for
/// the whole process. Without `secure` the roots of the system are not even read.
pub(super) fn config(secure: bool, roots: &[CertificateDer<'static>]) -> Result<ClientConfig> {
    let provider = Arc::new(ring::default_provider());
    let builder = ClientConfig::builder_with_provider(provider.clone())
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::Internal(format!("no TLS: {error}")))?;
    if secure {
        match verifier(roots, provider) {
            // `dangerous` is the only door for a verifier that is not built from a list of roots.
            Ok(verifier) => {
                let verifier = Arc::new(verifier);
                return Ok(builder.dangerous().with_custom_certificate_verifier(verifier).with_no_client_auth());
            }
            Err(error) => tracing::warn!(%error, "no root certificates"),
        }
    }
    // No root at all: no certificate is believed, and plain HTTP goes on working.
    Ok(builder.with_root_certificates(RootCertStore::empty()).with_no_client_auth())
}

#[cfg(not(target_os = "android"))]
fn verifier(
    roots: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> std::result::Result<Verifier, rustls::Error> {
    Verifier::new_with_extra_roots(roots.iter().cloned(), provider)
}

#[cfg(target_os = "android")]
fn verifier(
    _roots: &[CertificateDer<'static>],
    provider: Arc<CryptoProvider>,
) -> std::result::Result<Verifier, rustls::Error> {
    Verifier::new(provider)
}
