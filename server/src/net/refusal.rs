//! Why a client was not admitted: which certificate, why in words, and what helps.

use std::fmt;

use rustls::pki_types::{CertificateDer, UnixTime};
use rustls::{AlertDescription, CertificateError, Error as TlsError};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;
use x509_cert::der::Decode;
use x509_cert::{Certificate, Version};

use crate::trust::identity::Fingerprint;

/// How to make a certificate of version 3.
pub(crate) const MAKE_V3: &str = "sign it again as version 3: openssl x509 -req -in client.csr -CA ca.pem -CAkey ca.key \
     -days 365 -extfile <(printf 'basicConstraints=CA:FALSE\\nextendedKeyUsage=clientAuth\\n') -out client.pem";

/// What the log says of a certificate. Nothing in it is trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Described {
    /// The subject, if the certificate can be read.
    pub(crate) subject: String,
    /// Who signed it, by its own words.
    pub(crate) issuer: String,
    /// The serial number in hexadecimal digits.
    pub(crate) serial: String,
    /// SHA-256.
    pub(crate) fingerprint: Fingerprint,
}

impl Described {
    /// Describes a certificate; the second part is the certificate, if it can be read.
    pub(crate) fn of(der: &CertificateDer<'_>) -> (Self, Option<Certificate>) {
        let fingerprint = Fingerprint::of(der);
        let unreadable = || "(unreadable)".to_owned();
        match Certificate::from_der(der) {
            Ok(certificate) => {
                let tbs = &certificate.tbs_certificate;
                let described = Self {
                    subject: printable(&tbs.subject.to_string()),
                    issuer: printable(&tbs.issuer.to_string()),
                    serial: hex::encode(tbs.serial_number.as_bytes()),
                    fingerprint,
                };
                (described, Some(certificate))
            }
            Err(_) => (Self { subject: unreadable(), issuer: unreadable(), serial: unreadable(), fingerprint }, None),
        }
    }
}

/// A client's text, fit for a line of the log: short, and without control characters.
fn printable(text: &str) -> String {
    text.chars().take(256).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect()
}

/// A client that was not admitted.
#[derive(Debug, Clone)]
pub(crate) struct Refusal {
    /// Its certificate, if it sent one.
    pub(crate) certificate: Option<Described>,
    /// Why, and what helps.
    pub(crate) why: String,
    /// What the client is told.
    pub(crate) alert: TlsError,
    /// Whether it is nothing to report: somebody looked whether the port is open.
    pub(crate) quiet: bool,
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.why)
    }
}

impl Refusal {
    /// A refused certificate.
    pub(super) fn certificate(described: Described, why: String, alert: impl Into<TlsError>) -> Self {
        Self { certificate: Some(described), why, alert: alert.into(), quiet: false }
    }

    /// A certificate that the chain's verifier refused.
    pub(super) fn chain(described: Described, certificate: Option<&Certificate>, error: TlsError) -> Self {
        let why = explain_chain(&described, certificate, &error);
        Self { certificate: Some(described), why, alert: error, quiet: false }
    }

    /// A handshake that failed for another reason than the client's certificate.
    pub(super) fn handshake(error: &std::io::Error) -> Self {
        let tls = error.get_ref().and_then(|inner| inner.downcast_ref::<TlsError>());
        let (why, alert) = match tls {
            Some(tls) => (explain_handshake(tls), tls.clone()),
            None => (
                format!("the connection ended during the TLS handshake: {error}"),
                TlsError::General("connection ended".to_owned()),
            ),
        };
        Self { certificate: None, why, alert, quiet: tls.is_none() }
    }

    /// The client was too slow.
    pub(super) fn timeout(seconds: u64) -> Self {
        Self {
            certificate: None,
            why: format!(
                "the TLS handshake was not finished after {seconds} s ([limits] handshake_seconds): the client is not \
                 speaking TLS, or the network loses its packets"
            ),
            alert: TlsError::General("timeout".to_owned()),
            quiet: false,
        }
    }
}

fn explain_chain(described: &Described, certificate: Option<&Certificate>, error: &TlsError) -> String {
    if certificate.is_some_and(|certificate| certificate.tbs_certificate.version != Version::V3) {
        return format!("it is an X.509 version 1 certificate, which the TLS library does not accept; {MAKE_V3}");
    }
    let TlsError::InvalidCertificate(error) = error else {
        return format!("it cannot be verified: {error}");
    };
    match error {
        CertificateError::Expired => "it has expired; renew it".to_owned(),
        CertificateError::ExpiredContext { not_after, .. } => {
            format!("it, or one above it, expired at {}; renew it", date(*not_after))
        }
        CertificateError::NotValidYet => "it is not valid yet; check the clocks".to_owned(),
        CertificateError::NotValidYetContext { not_before, .. } => {
            format!("it, or one above it, is valid from {} on; check the clocks", date(*not_before))
        }
        CertificateError::UnknownIssuer => format!(
            "its issuer \"{}\" is not among the authorities of [tls] client_ca; add that authority there, or have the \
             client send the certificates between",
            described.issuer
        ),
        CertificateError::BadSignature => format!(
            "its signature does not fit the authority \"{}\" of [tls] client_ca: another authority with the same name \
             signed it",
            described.issuer
        ),
        CertificateError::Revoked => "it is revoked by a list of [tls] crl; give the client a new one".to_owned(),
        CertificateError::ExpiredRevocationList | CertificateError::ExpiredRevocationListContext { .. } => {
            "the revocation list of its authority has expired; fetch the present one to [tls] crl".to_owned()
        }
        CertificateError::InvalidPurpose | CertificateError::InvalidPurposeContext { .. } => {
            "its extended key usage does not allow a TLS client; sign it with extendedKeyUsage=clientAuth, or without \
             extended key usage"
                .to_owned()
        }
        CertificateError::BadEncoding => "it is not correctly encoded; sign it again".to_owned(),
        other => format!("it cannot be verified: {other:?}"),
    }
}

fn explain_handshake(error: &TlsError) -> String {
    match error {
        TlsError::NoCertificatesPresented => {
            "the client sent no certificate; give it one that an authority of [tls] client_ca signed, with its key"
                .to_owned()
        }
        TlsError::PeerIncompatible(what) => format!(
            "the client and this server have no protocol in common ({what:?}): kmipd speaks TLS 1.3, and TLS 1.2 with \
             ECDHE and AES-GCM or ChaCha20; allow one of these in the client"
        ),
        TlsError::InvalidMessage(_) => "the client does not speak TLS, or sent broken messages".to_owned(),
        TlsError::AlertReceived(
            alert @ (AlertDescription::UnknownCA
            | AlertDescription::BadCertificate
            | AlertDescription::CertificateUnknown
            | AlertDescription::CertificateExpired
            | AlertDescription::UnsupportedCertificate),
        ) => format!(
            "the client refused the server's certificate ({alert:?}): give the client the authority that signed [tls] \
             certificate, and connect by a name that stands in it"
        ),
        TlsError::AlertReceived(alert) => format!("the client ended the TLS handshake ({alert:?})"),
        other => format!("the TLS handshake failed: {other}"),
    }
}

fn date(time: UnixTime) -> String {
    i64::try_from(time.as_secs())
        .ok()
        .and_then(|seconds| OffsetDateTime::from_unix_timestamp(seconds).ok())
        .and_then(|date| date.format(&Rfc3339).ok())
        .unwrap_or_else(|| "a date that cannot be written".to_owned())
}
