//! The certificate authority.

use std::fmt;

use rcgen::{
    BasicConstraints, CertificateParams, CertificateRevocationListParams, DistinguishedName, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, RevokedCertParams, SerialNumber,
};
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use crate::profile::{common_name, distinguished_name};
use crate::{Error, Profile, Validity, load};

/// How long an authority lasts: ten years.
const AUTHORITY_LIFETIME: Duration = Duration::days(3652);

/// How long a revocation list is current.
const LIST_LIFETIME: Duration = Duration::days(30);

/// A certificate authority, with an ECDSA P-256 key unless said otherwise, that signs certificates of servers and clients, and no
/// further authorities.
pub struct Authority {
    cert_pem: String,
    key: Zeroizing<KeyPair>,
    params: CertificateParams,
}

impl Authority {
    /// Makes a new authority, valid from a few minutes ago for ten years.
    ///
    /// # Errors
    /// [`Error::Make`] if there is no randomness for the key.
    pub fn new() -> Result<Self, Error> {
        Self::named("kmipd development CA")
    }

    /// Makes a new authority with this Common Name.
    ///
    /// # Errors
    /// As for [`Authority::new`].
    pub fn named(name: &str) -> Result<Self, Error> {
        Self::made(common_name(name), Zeroizing::new(KeyPair::generate()?))
    }

    fn made(name: DistinguishedName, key: Zeroizing<KeyPair>) -> Result<Self, Error> {
        let validity = Validity::lasting(AUTHORITY_LIFETIME);
        let mut params = CertificateParams::default();
        params.distinguished_name = name;
        params.not_before = validity.not_before;
        params.not_after = validity.not_after;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        params.key_usages = vec![KeyUsagePurpose::KeyCertSign, KeyUsagePurpose::CrlSign];
        let cert_pem = params.self_signed(&*key)?.pem();
        Ok(Self { cert_pem, key, params })
    }

    /// Makes a new authority with these parts of its name, each the short form of its type (RFC 4514 section 3) and its value,
    /// and with an RSA key of 2048 bits: for peers that know nothing newer.
    ///
    /// # Errors
    /// [`Error::Name`] for a type that is not known here or a value that it cannot have; otherwise as for
    /// [`Authority::new`].
    pub fn with_rsa(name: &[(&str, &str)]) -> Result<Self, Error> {
        let key = Zeroizing::new(KeyPair::generate_rsa_for(&rcgen::PKCS_RSA_SHA256, rcgen::RsaKeySize::_2048)?);
        Self::made(distinguished_name(name)?, key)
    }

    /// Loads an authority from its certificate and its private key, each in PEM (the key in PKCS#8).
    ///
    /// # Errors
    /// If either cannot be read, if they do not belong together, if the certificate is not that of an authority,
    /// or if its subject cannot be repeated exactly as issuer.
    pub fn from_pem(cert_pem: &str, key_pem: &str) -> Result<Self, Error> {
        let key = Zeroizing::new(KeyPair::from_pem(key_pem).map_err(|_| Error::Key)?);
        let params = load::authority(cert_pem, &key)?;
        Ok(Self { cert_pem: cert_pem.to_owned(), key, params })
    }

    /// The authority's own certificate in PEM: what servers and clients are told to trust.
    pub fn cert_pem(&self) -> &str {
        &self.cert_pem
    }

    /// The authority's private key in PEM (PKCS#8).
    pub fn key_pem(&self) -> Zeroizing<String> {
        Zeroizing::new(self.key.serialize_pem())
    }

    /// Makes a key and a certificate for a server that is reached under these host names and addresses.
    ///
    /// # Errors
    /// [`Error::NoName`] or [`Error::Name`] for the names; otherwise as for [`Authority::issue`].
    pub fn issue_server(&self, names: &[&str]) -> Result<Issued, Error> {
        self.issue(&Profile::server(names)?)
    }

    /// Makes a key and a certificate for a client with this Common Name.
    ///
    /// # Errors
    /// As for [`Authority::issue`].
    pub fn issue_client(&self, common_name: &str) -> Result<Issued, Error> {
        self.issue(&Profile::client(common_name))
    }

    /// Makes an ECDSA P-256 key and the certificate that the profile describes.
    ///
    /// # Errors
    /// [`Error::Name`] for a name that no certificate can carry, [`Error::Validity`] if the certificate would end
    /// before it begins, [`Error::Make`] if there is no randomness for the key.
    pub fn issue(&self, profile: &Profile) -> Result<Issued, Error> {
        let params = profile.params(self.params.not_after)?;
        let key = Zeroizing::new(KeyPair::generate()?);
        let cert = params.signed_by(&*key, &self.issuer())?;
        Ok(Issued { cert_pem: cert.pem(), key_pem: Zeroizing::new(key.serialize_pem()) })
    }

    /// Makes a revocation list (RFC 5280 section 5) in PEM that names these certificates, each given in PEM. `number`
    /// must grow from list to list.
    ///
    /// # Errors
    /// [`Error::Certificate`] if one of them is not a certificate.
    pub fn revocation_list(&self, number: u64, revoked: &[&str]) -> Result<String, Error> {
        let this_update = Validity::lasting(LIST_LIFETIME).not_before;
        let revoked_certs = revoked
            .iter()
            .map(|pem| {
                Ok(RevokedCertParams {
                    serial_number: SerialNumber::from_slice(&load::serial(pem)?),
                    revocation_time: this_update,
                    reason_code: None,
                    invalidity_date: None,
                })
            })
            .collect::<Result<_, Error>>()?;
        let list = CertificateRevocationListParams {
            this_update,
            next_update: OffsetDateTime::now_utc() + LIST_LIFETIME,
            crl_number: SerialNumber::from(number),
            issuing_distribution_point: None,
            revoked_certs,
            key_identifier_method: self.params.key_identifier_method.clone(),
        };
        Ok(list.signed_by(&self.issuer())?.pem()?)
    }

    fn issuer(&self) -> Issuer<'_, &KeyPair> {
        Issuer::from_params(&self.params, &*self.key)
    }
}

impl fmt::Debug for Authority {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Authority").field("subject", &self.params.distinguished_name).finish_non_exhaustive()
    }
}

/// A certificate with its private key.
#[derive(Clone)]
pub struct Issued {
    /// The certificate, one, in PEM.
    pub cert_pem: String,
    /// The private key in PEM (PKCS#8); wiped when dropped.
    pub key_pem: Zeroizing<String>,
}

impl fmt::Debug for Issued {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Issued").field("cert_pem", &self.cert_pem).finish_non_exhaustive()
    }
}

#[cfg(test)]
#[path = "tests.rs"]
mod tests;
