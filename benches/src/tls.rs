//! TLS on both sides: the client's, and the limit's, which is configured as kmipd's is.

use std::path::Path;
use std::sync::Arc;

use rustls::client::Resumption;
use rustls::crypto::aws_lc_rs as provider;
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ServerSessionMemoryCache, WebPkiClientVerifier};
use rustls::{ClientConfig, RootCertStore, ServerConfig, SupportedProtocolVersion};

use crate::options::TlsVersion;
use crate::{Error, Outcome};

/// Servers whose sessions a client keeps.
const SESSIONS: usize = 16;
/// Sessions kept for clients of TLS 1.2 that know no tickets.
const SESSION_CACHE: usize = 4096;

/// The files of one side, PEM.
#[derive(Debug, Clone, Copy)]
pub struct Files<'a> {
    /// The authorities of the other side.
    pub ca: &'a Path,
    /// The own certificate, and those between it and its root.
    pub certificate: &'a Path,
    /// The own private key.
    pub key: &'a Path,
}

/// The client's side; sessions are resumed or not.
///
/// # Errors
/// A file that cannot be used.
pub fn client(files: Files<'_>, version: TlsVersion, resume: bool) -> Outcome<Arc<ClientConfig>> {
    let version: &SupportedProtocolVersion = match version {
        TlsVersion::V1_2 => &rustls::version::TLS12,
        TlsVersion::V1_3 => &rustls::version::TLS13,
    };
    let (roots, chain, key) = files.read()?;
    let mut config = ClientConfig::builder_with_provider(Arc::new(provider::default_provider()))
        .with_protocol_versions(&[version])
        .map_err(unusable)?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(unusable)?;
    config.resumption = if resume { sessions() } else { Resumption::disabled() };
    Ok(Arc::new(config))
}

/// Sessions to resume, none yet.
pub fn sessions() -> Resumption {
    Resumption::in_memory_sessions(SESSIONS)
}

/// The limit's side: a certificate is required of clients, TLS 1.2 and 1.3, tickets.
///
/// # Errors
/// A file that cannot be used.
pub fn server(files: Files<'_>) -> Outcome<Arc<ServerConfig>> {
    let provider = Arc::new(provider::default_provider());
    let (roots, chain, key) = files.read()?;
    let verifier = WebPkiClientVerifier::builder_with_provider(Arc::new(roots), Arc::clone(&provider))
        .build()
        .map_err(|error| Error::new(error.to_string()))?;
    let mut config = ServerConfig::builder_with_provider(provider)
        .with_protocol_versions(&[&rustls::version::TLS13, &rustls::version::TLS12])
        .map_err(unusable)?
        .with_client_cert_verifier(verifier)
        .with_single_cert(chain, key)
        .map_err(unusable)?;
    config.ticketer = provider::Ticketer::new().map_err(unusable)?;
    config.session_storage = ServerSessionMemoryCache::new(SESSION_CACHE);
    config.send_tls13_tickets = 1;
    Ok(Arc::new(config))
}

type Read = (RootCertStore, Vec<CertificateDer<'static>>, PrivateKeyDer<'static>);

impl Files<'_> {
    fn read(self) -> Outcome<Read> {
        let wrong = |path: &Path, error: &dyn std::fmt::Display| Error::new(format!("{}: {error}", path.display()));
        let certificates = |path: &Path| {
            let found = CertificateDer::pem_file_iter(path).and_then(Iterator::collect::<Result<Vec<_>, _>>);
            found.map_err(|error| wrong(path, &error))
        };
        let mut roots = RootCertStore::empty();
        for root in certificates(self.ca)? {
            roots.add(root).map_err(|error| wrong(self.ca, &error))?;
        }
        let key = PrivateKeyDer::from_pem_file(self.key).map_err(|error| wrong(self.key, &error))?;
        Ok((roots, certificates(self.certificate)?, key))
    }
}

fn unusable(error: rustls::Error) -> Error {
    Error::new(format!("TLS: {error}"))
}
