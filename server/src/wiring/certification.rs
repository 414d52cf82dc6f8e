//! The certification authority and what Validate trusts, from their files.

use std::fs;
use std::path::Path;
use std::sync::Arc;

use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use x509_cert::der::asn1::ObjectIdentifier;

use super::StartError;
use crate::config::{self, Config};
use crate::crypto::ClearKey;
use crate::crypto::authority::{Authority, SigningKey, Terms};
use crate::crypto::chain::Anchor;
use crate::crypto::keyformat;
use crate::secret::Secret;
use crate::trust::revocation::RevocationLists;

/// The authority of `[certification]`, if there is one.
///
/// # Errors
/// Why there can be none.
pub fn authority(config: &Config) -> Result<Option<Arc<Authority>>, StartError> {
    let Some(section) = &config.certification else { return Ok(None) };
    let refused = |why: String| StartError::Refused(format!("[certification] {why}"));
    let chain = certificates(&section.certificate).map_err(refused)?;
    let key = match section.signing_key().map_err(StartError::Refused)? {
        config::SigningKey::File(path) => held(path).map_err(refused)?,
        config::SigningKey::Managed(managed) => {
            SigningKey::Managed { owner: managed.owner.as_str().into(), identifier: managed.identifier.as_str().into() }
        }
    };
    let usages = section.usages().map_err(StartError::Refused)?;
    let usage = |number: &String| {
        ObjectIdentifier::new(number).map_err(|_| refused(format!("{number} is no extended key usage")))
    };
    let terms = Terms {
        days: section.days,
        longest_days: section.longest_days,
        extended: usages.iter().map(usage).collect::<Result<_, _>>()?,
    };
    let wrong = |why| refused(format!("{}: {why}", section.certificate.display()));
    Ok(Some(Arc::new(Authority::new(chain, key, terms).map_err(wrong)?)))
}

/// The certificates at which Validate ends a chain: those of `[validation]`, and the authority's.
///
/// # Errors
/// Which of them cannot be read or is none.
pub fn anchors(config: &Config, authority: Option<&Authority>) -> Result<Vec<Anchor>, StartError> {
    let mut anchors = Vec::new();
    for path in &config.validation.trusted {
        let wrong = |why: String| StartError::Refused(format!("[validation] trusted: {why}"));
        for der in certificates(path).map_err(wrong)? {
            let anchor =
                Anchor::new(der).map_err(|failure| wrong(format!("{}: {}", path.display(), failure.message)))?;
            anchors.push(anchor);
        }
    }
    if let Some(own) = authority.and_then(|authority| authority.chain().first()) {
        let wrong =
            |failure: crate::failure::Failure| StartError::Refused(format!("[certification] {}", failure.message));
        anchors.push(Anchor::new(own.clone()).map_err(wrong)?);
    }
    Ok(anchors)
}

/// The revocation lists of `[validation]`.
///
/// # Errors
/// Which of them cannot be read or is none.
pub fn revocation(config: &Config) -> Result<RevocationLists, StartError> {
    let wrong = |why| StartError::Refused(format!("[validation] crl: {why}"));
    RevocationLists::load(config.validation.crl.clone()).map_err(wrong)
}

pub(super) fn certificates(path: &Path) -> Result<Vec<Vec<u8>>, String> {
    let place = path.display();
    let pem = fs::read(path).map_err(|error| format!("{place} cannot be read: {error}"))?;
    let found: Vec<Vec<u8>> = CertificateDer::pem_slice_iter(&pem)
        .map(|certificate| certificate.map(|der| der.as_ref().to_vec()))
        .collect::<Result<_, _>>()
        .map_err(|error| format!("{place}: not certificates in PEM: {error}"))?;
    if found.is_empty() { Err(format!("{place} holds no certificate in PEM")) } else { Ok(found) }
}

pub(super) fn held(path: &Path) -> Result<SigningKey, String> {
    let place = path.display();
    let pem = zeroize::Zeroizing::new(fs::read(path).map_err(|error| format!("{place} cannot be read: {error}"))?);
    // What other errors say could speak of the key.
    let unusable = || format!("{place} holds no private key in PEM that is not encrypted");
    let pkcs8 = match PrivateKeyDer::from_pem_slice(&pem).map_err(|_| unusable())? {
        PrivateKeyDer::Pkcs8(der) => Secret::copy_of(der.secret_pkcs8_der()),
        PrivateKeyDer::Pkcs1(der) => {
            keyformat::pkcs1_private_to_pkcs8(der.secret_pkcs1_der()).map_err(|_| unusable())?
        }
        PrivateKeyDer::Sec1(der) => keyformat::ec_private_to_pkcs8(der.secret_sec1_der()).map_err(|_| unusable())?,
        _ => return Err(unusable()),
    };
    let kind = keyformat::identify_private(pkcs8.expose()).map_err(|_| unusable())?;
    Ok(SigningKey::Held(ClearKey::new(kind, pkcs8)))
}
