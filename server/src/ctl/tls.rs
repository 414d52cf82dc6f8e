//! The client's side of TLS, and what goes wrong in it, in words.

use std::io;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, pem};
use rustls::{AlertDescription, CertificateError, ClientConfig, RootCertStore};

use super::connection::Settings;
use super::{Error, Outcome};

/// Loads the files: TLS 1.2 and 1.3, the server's certificate checked against the authority alone.
///
/// # Errors
/// Which file cannot be read or does not hold what it should.
pub(super) fn config(settings: &Settings) -> Outcome<ClientConfig> {
    let mut roots = RootCertStore::empty();
    for certificate in certificates(&settings.ca)? {
        let added = roots.add(certificate);
        added.map_err(|error| Error::failed(format!("{} is no authority: {error}", settings.ca.display())))?;
    }
    let chain = certificates(&settings.cert)?;
    let key = PrivateKeyDer::from_pem_file(&settings.key)
        .map_err(|error| Error::failed(unreadable(&settings.key, &error, "a private key (not an encrypted one)")))?;
    let provider = Arc::new(rustls::crypto::aws_lc_rs::default_provider());
    ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .map_err(|error| Error::failed(format!("TLS cannot be set up: {error}")))?
        .with_root_certificates(roots)
        .with_client_auth_cert(chain, key)
        .map_err(|error| match error {
            rustls::Error::InconsistentKeys(_) => Error::failed(format!(
                "the key in {} does not belong to the certificate in {}",
                settings.key.display(),
                settings.cert.display()
            )),
            other => Error::failed(format!("{} cannot be used: {other}", settings.cert.display())),
        })
}

fn certificates(path: &Path) -> Outcome<Vec<CertificateDer<'static>>> {
    let read = |error: &pem::Error| Error::failed(unreadable(path, error, "a certificate"));
    let list: Vec<_> = CertificateDer::pem_file_iter(path).and_then(Iterator::collect).map_err(|error| read(&error))?;
    if list.is_empty() { Err(read(&pem::Error::NoItemsFound)) } else { Ok(list) }
}

/// The parser's own words may quote the file: they are not passed on.
fn unreadable(path: &Path, error: &pem::Error, wanted: &str) -> String {
    match error {
        pem::Error::Io(error) if error.kind() == io::ErrorKind::NotFound => {
            format!("there is no file {}", path.display())
        }
        pem::Error::Io(error) => format!("cannot read {}: {error}", path.display()),
        pem::Error::NoItemsFound => format!("{} holds no PEM of {wanted}", path.display()),
        _ => format!("{} is not well-formed PEM", path.display()),
    }
}

/// What went wrong between us and the server.
pub(super) fn explain(error: &io::Error, settings: &Settings) -> Error {
    let place = format!("{}:{}", settings.host, settings.port);
    if let Some(tls) = error.get_ref().and_then(|inner| inner.downcast_ref::<rustls::Error>()) {
        return Error::failed(explain_tls(tls, settings, &place));
    }
    Error::failed(match error.kind() {
        io::ErrorKind::ConnectionRefused => {
            format!("nothing listens at {place} (connection refused): is kmipd running? start it with `kmipd dev`")
        }
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => {
            format!("{place} did not answer within {} seconds", settings.timeout.as_secs())
        }
        io::ErrorKind::UnexpectedEof | io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => {
            format!("{place} closed the connection without an answer")
        }
        _ => format!("no connection to {place}: {error}"),
    })
}

fn explain_tls(error: &rustls::Error, settings: &Settings, place: &str) -> String {
    let (ca, cert) = (settings.ca.display(), settings.cert.display());
    let server = format!("the certificate of {place}");
    match error {
        rustls::Error::InvalidCertificate(problem) => match problem {
            CertificateError::Expired | CertificateError::ExpiredContext { .. } => format!("{server} has expired"),
            CertificateError::NotValidYet | CertificateError::NotValidYetContext { .. } => {
                format!("{server} is not valid yet: is this machine's clock right?")
            }
            CertificateError::UnknownIssuer | CertificateError::BadSignature => {
                format!("{server} was not issued by the authority in {ca}")
            }
            CertificateError::NotValidForName => format!("{server} does not name {}", settings.host),
            CertificateError::NotValidForNameContext { presented, .. } => {
                let names = if presented.is_empty() { "nobody".to_owned() } else { presented.join(", ") };
                format!("{server} does not name {}: it names {names}", settings.host)
            }
            CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
                format!("{server} is not a server's")
            }
            CertificateError::Revoked => format!("{server} is revoked"),
            other => format!("{server} cannot be trusted: {other}"),
        },
        rustls::Error::AlertReceived(alert) => match alert {
            AlertDescription::UnknownCA => {
                format!("{place} does not trust the authority of the client's certificate {cert}")
            }
            AlertDescription::CertificateExpired => format!("{place} says that the certificate {cert} has expired"),
            AlertDescription::CertificateRevoked => format!("{place} says that the certificate {cert} is revoked"),
            AlertDescription::CertificateRequired
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::UnsupportedCertificate
            | AlertDescription::AccessDenied
            | AlertDescription::DecryptError => format!("{place} refuses the certificate {cert} ({alert:?})"),
            AlertDescription::ProtocolVersion | AlertDescription::HandshakeFailure => {
                format!("{place} has no version or cipher suite of TLS in common with us ({alert:?})")
            }
            other => format!("{place} ended the TLS connection: {other:?}"),
        },
        rustls::Error::InvalidMessage(_) => format!("{place} does not speak TLS"),
        rustls::Error::PeerIncompatible(_) => {
            format!("{place} has no version or cipher suite of TLS in common with us")
        }
        other => format!("TLS with {place} failed: {other}"),
    }
}
