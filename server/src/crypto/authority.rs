//! The certification authority: makes X.509 certificates (RFC 5280) for keys that clients name, and for nothing that could
//! certify others.
//!
//! What is certified is decided here and nowhere else: names, uses and dates within the authority's terms. Who signs is the
//! caller's to say, since the authority's key may be in a file or in the store.

use std::time::Duration;

use kmip_codec::spec::{CryptographicUsageMask as Mask, ResultReason};
use kmip_codec::ttlv::Text;
use x509_cert::certificate::{Certificate, TbsCertificate, Version};
use x509_cert::der::asn1::{BitString, GeneralizedTime, Null, ObjectIdentifier, OctetString, UtcTime};
use x509_cert::der::flagset::FlagSet;
use x509_cert::der::oid::AssociatedOid;
use x509_cert::der::{self, Any, Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::name::GeneralNames;
use x509_cert::ext::pkix::{
    AuthorityKeyIdentifier, BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName,
    SubjectKeyIdentifier,
};
use x509_cert::name::Name;
use x509_cert::serial_number::SerialNumber;
use x509_cert::spki::{AlgorithmIdentifierOwned, SubjectPublicKeyInfoOwned};
use x509_cert::time::{Time, Validity};

use super::ClearKey;
use super::algorithm::{Curve, Hash, KeyKind, Signature};
use super::signed::{self, Signed, Verdict};
use super::{keyformat, public};
use crate::failure::{Failure, Outcome};

const DAY: i64 = 24 * 3600;

/// How far back a certificate begins that is valid from now on, so that a peer whose clock is a little slow accepts it.
const CLOCK_SKEW: i64 = 300;

/// The shortest RSA key that is certified, in bits.
const LEAST_RSA_BITS: u32 = 2048;

/// The length of a serial number in bytes; of its bits all but two are random.
pub const SERIAL_BYTES: usize = 16;

/// A certification authority.
#[derive(Debug)]
pub struct Authority {
    /// Its certificate, and those between it and its root.
    chain: Vec<Vec<u8>>,
    subject: Name,
    /// As SubjectPublicKeyInfo DER.
    public_key: Vec<u8>,
    key_identifier: Vec<u8>,
    /// From when to when it is valid, in seconds.
    validity: (i64, i64),
    scheme: Signature,
    key: SigningKey,
    terms: Terms,
}

/// Where the authority's private key is.
#[derive(Debug)]
pub enum SigningKey {
    /// In the server's memory.
    Held(ClearKey),
    /// A managed Private Key, wherever it lives: its owner and its Unique Identifier. It must be permitted to sign
    /// certificates.
    Managed {
        /// Whose it is.
        owner: Text,
        /// Its identifier.
        identifier: Text,
    },
}

/// What the authority certifies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Terms {
    /// How long a certificate is valid for which nobody says it, in days.
    pub days: u32,
    /// The longest that one is valid, in days.
    pub longest_days: u32,
    /// The uses that a certificate may have, and all of which it has if its request names none. None at all: certificates
    /// say nothing of it.
    pub extended: Vec<ObjectIdentifier>,
}

/// A certificate that is to be made.
#[derive(Debug, Clone)]
pub struct Wanted {
    /// Whom it is for.
    pub subject: Name,
    /// Further names.
    pub names: GeneralNames,
    /// The key that it certifies, as SubjectPublicKeyInfo DER.
    pub public_key: Vec<u8>,
    /// What the key is for.
    pub key_usage: Option<KeyUsage>,
    /// What it is for, more exactly.
    pub extended: Option<Vec<ObjectIdentifier>>,
    /// The identifier of the key; one is made from the key where there is none.
    pub key_identifier: Option<Vec<u8>>,
    /// From when to when it is valid, in seconds.
    pub validity: (i64, i64),
}

impl Terms {
    /// From when to when a certificate is valid that is made now: the dates that are asked for, as far as the terms go.
    ///
    /// # Errors
    /// Invalid Field for one that would be over already.
    pub fn validity(&self, now: i64, from: Option<i64>, until: Option<i64>) -> Outcome<(i64, i64)> {
        let seconds = |days: u32| i64::from(days).saturating_mul(DAY);
        let from = from.filter(|from| *from > now).unwrap_or(now.saturating_sub(CLOCK_SKEW));
        let start = from.max(now);
        let last = start.saturating_add(seconds(self.longest_days));
        let until = until.unwrap_or_else(|| start.saturating_add(seconds(self.days)));
        if until <= start {
            return Err(Failure::invalid_field("the certificate would be over when it begins"));
        }
        Ok((from, until.min(last)))
    }
}

impl Authority {
    /// An authority from its certificate, followed by those between it and its root, all in DER.
    ///
    /// # Errors
    /// Why they are none, in words.
    pub fn new(chain: Vec<Vec<u8>>, key: SigningKey, terms: Terms) -> Result<Self, String> {
        let own = chain.first().ok_or("there is no certificate")?;
        let certificate = Certificate::from_der(own).map_err(|_| "the first certificate is not in X.509")?;
        let body = certificate.tbs_certificate;
        let wrong = |_| "an extension of its certificate cannot be read".to_owned();
        match body.get::<BasicConstraints>().map_err(wrong)? {
            Some((_, constraints)) if constraints.ca => {}
            _ => return Err("the certificate is not that of a certification authority: Basic Constraints".to_owned()),
        }
        if body.get::<KeyUsage>().map_err(wrong)?.is_some_and(|(_, usage)| !usage.key_cert_sign()) {
            return Err("the certificate is not that of a certification authority: Key Usage".to_owned());
        }
        let public_key = body.subject_public_key_info.to_der().map_err(wrong)?;
        let kind = keyformat::identify_public(&public_key).map_err(|error| error.to_string())?;
        let scheme = match kind {
            KeyKind::Rsa { .. } => Signature::RsaPkcs1(Hash::Sha256),
            KeyKind::Ec { curve: Curve::P256 } => Signature::Ecdsa(Hash::Sha256),
            KeyKind::Ec { curve: Curve::P384 } => Signature::Ecdsa(Hash::Sha384),
            KeyKind::Ec { curve: Curve::P521 } => Signature::Ecdsa(Hash::Sha512),
            other => signed::own_scheme(other).ok_or(
                "its key is neither RSA, on one of the curves P-256, P-384, P-521, Ed25519 and Ed448, ML-DSA nor SLH-DSA",
            )?,
        };
        if let SigningKey::Held(key) = &key {
            let public = key.public().map_err(|_| "the key cannot be used")?;
            if public != public_key {
                return Err("the key does not belong to the certificate".to_owned());
            }
        }
        let key_identifier = match body.get::<SubjectKeyIdentifier>().map_err(wrong)? {
            Some((_, identifier)) => identifier.0.as_bytes().to_vec(),
            None => key_identifier(&body.subject_public_key_info),
        };
        let seconds = |time: Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap_or(i64::MAX);
        let validity = (seconds(body.validity.not_before), seconds(body.validity.not_after));
        Ok(Self { chain, subject: body.subject, public_key, key_identifier, validity, scheme, key, terms })
    }

    /// Its certificate in DER, and those between it and its root.
    pub fn chain(&self) -> &[Vec<u8>] {
        &self.chain
    }

    /// Its name.
    pub const fn name(&self) -> &Name {
        &self.subject
    }

    /// Its public key as SubjectPublicKeyInfo DER.
    pub fn public_key(&self) -> &[u8] {
        &self.public_key
    }

    /// Where its key is.
    pub const fn key(&self) -> &SigningKey {
        &self.key
    }

    /// What it certifies.
    pub const fn terms(&self) -> &Terms {
        &self.terms
    }

    /// Whether it has made a certificate, given in DER.
    pub fn has_issued(&self, certificate: &[u8]) -> bool {
        let named = Certificate::from_der(certificate).is_ok_and(|own| own.tbs_certificate.issuer == self.subject);
        named && Signed::open(certificate).is_ok_and(|signed| matches!(signed.by(&self.public_key), Verdict::Good(_)))
    }

    /// Whether a certificate, given in DER, is of the authority's own key.
    pub fn is_key_of(&self, certificate: &[u8]) -> bool {
        super::certificate::public_key(certificate).is_ok_and(|key| key == self.public_key)
    }

    /// Makes a certificate, in DER. `serial` is random; `sign` signs bytes with the authority's key.
    ///
    /// # Errors
    /// Invalid Field for a certificate of nobody, and for one that would end before it begins; Permission Denied for a key or a
    /// use that the authority does not certify; what `sign` says.
    pub fn issue(
        &self,
        wanted: &Wanted,
        serial: &[u8],
        sign: impl FnOnce(Signature, &[u8]) -> Outcome<Vec<u8>>,
    ) -> Outcome<Vec<u8>> {
        if wanted.subject.is_empty() && wanted.names.is_empty() {
            return Err(Failure::invalid_field("a certificate without any name is one of nobody"));
        }
        let kind = keyformat::identify_public(&wanted.public_key)?;
        if matches!(kind, KeyKind::Rsa { bits } if bits < LEAST_RSA_BITS) {
            return Err(denied(format!("no RSA key of less than {LEAST_RSA_BITS} bits is certified")));
        }
        let (from, until) = (wanted.validity.0.max(self.validity.0), wanted.validity.1.min(self.validity.1));
        if until <= from {
            return Err(Failure::invalid_field("the certificate would end before it begins"));
        }
        let algorithm = self.algorithm()?;
        let subject_public_key_info = SubjectPublicKeyInfoOwned::from_der(&wanted.public_key).map_err(unwritten)?;
        let body = TbsCertificate {
            version: Version::V3,
            serial_number: positive(serial).map_err(unwritten)?,
            signature: algorithm.clone(),
            issuer: self.subject.clone(),
            validity: Validity { not_before: time(from)?, not_after: time(until)? },
            subject: wanted.subject.clone(),
            extensions: Some(self.extensions(wanted, kind, &subject_public_key_info)?),
            subject_public_key_info,
            issuer_unique_id: None,
            subject_unique_id: None,
        };
        let signature = sign(self.scheme, &body.to_der().map_err(unwritten)?)?;
        let signature = BitString::from_bytes(&signature).map_err(unwritten)?;
        let certificate = Certificate { tbs_certificate: body, signature_algorithm: algorithm, signature };
        certificate.to_der().map_err(unwritten)
    }

    fn algorithm(&self) -> Outcome<AlgorithmIdentifierOwned> {
        let key = keyformat::identify_public(&self.public_key)?;
        let oid = signed::oid_of(self.scheme, key).and_then(|oid| ObjectIdentifier::new(&oid).ok());
        let oid = oid.ok_or_else(|| Failure::internal("the authority signs with an algorithm without a name"))?;
        let parameters = match self.scheme {
            Signature::RsaPkcs1(_) => Some(Any::from(Null)),
            _ => None,
        };
        Ok(AlgorithmIdentifierOwned { oid, parameters })
    }

    fn extensions(
        &self,
        wanted: &Wanted,
        kind: KeyKind,
        public_key: &SubjectPublicKeyInfoOwned,
    ) -> Outcome<Vec<Extension>> {
        let own = wanted.key_identifier.clone().unwrap_or_else(|| key_identifier(public_key));
        let octets = |bytes: &[u8]| OctetString::new(bytes).map_err(unwritten);
        let authority =
            AuthorityKeyIdentifier { key_identifier: Some(octets(&self.key_identifier)?), ..Default::default() };
        let mut all = vec![
            extension(&BasicConstraints { ca: false, path_len_constraint: None }, true)?,
            extension(&self.key_usage(wanted, kind)?, true)?,
            extension(&SubjectKeyIdentifier(octets(&own)?), false)?,
            extension(&authority, false)?,
        ];
        let uses = wanted.extended.as_ref().unwrap_or(&self.terms.extended);
        if let Some(other) = uses.iter().find(|used| !self.terms.extended.contains(used)) {
            return Err(denied(format!("no key is certified for the extended use {other}")));
        }
        if !uses.is_empty() {
            all.push(extension(&ExtendedKeyUsage(uses.clone()), false)?);
        }
        if !wanted.names.is_empty() {
            all.push(extension(&SubjectAltName(wanted.names.clone()), wanted.subject.is_empty())?);
        }
        Ok(all)
    }

    /// What is asked for, or what keys of the kind are for; never to certify.
    fn key_usage(&self, wanted: &Wanted, kind: KeyKind) -> Outcome<KeyUsage> {
        let default = match kind {
            KeyKind::Rsa { .. } => KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment,
            // RFC 9935 §5: a key of ML-KEM is for nothing else.
            KeyKind::PostQuantum { set } if set.is_kem() => KeyUsages::KeyEncipherment.into(),
            // RFC 8410 §5.
            KeyKind::Edwards { curve } if !curve.signs() => KeyUsages::KeyAgreement.into(),
            _ => KeyUsages::DigitalSignature.into(),
        };
        let usage = wanted.key_usage.unwrap_or(KeyUsage(default));
        if usage.key_cert_sign() || usage.crl_sign() {
            return Err(denied("no key is certified to sign certificates or their revocation lists".to_owned()));
        }
        if !fits(kind, usage) {
            return Err(denied("a key of this algorithm is not certified for these uses".to_owned()));
        }
        Ok(usage)
    }
}

/// Whether a certificate may say these uses of a key: one of ML-KEM enciphers keys and does nothing else (RFC 9935 §5), one of
/// ML-DSA or SLH-DSA signs (RFC 9881 §5, RFC 9909 §5). Of other keys nothing is asked.
pub fn fits(kind: KeyKind, usage: KeyUsage) -> bool {
    let KeyKind::PostQuantum { set } = kind else { return true };
    let may = if set.is_kem() {
        KeyUsages::KeyEncipherment.into()
    } else {
        KeyUsages::DigitalSignature | KeyUsages::NonRepudiation | KeyUsages::KeyCertSign | KeyUsages::CRLSign
    };
    !usage.0.is_empty() && may.contains(usage.0)
}

/// The Key Usage of a certificate whose key may be used so; `None` where the mask says nothing that a certificate could. What
/// Encrypt does with a key of ML-KEM is to encipher one of the message (docs/adr/0009).
pub fn usage_of(mask: Mask, kind: KeyKind) -> Option<KeyUsage> {
    let is_kem = matches!(kind, KeyKind::PostQuantum { set } if set.is_kem());
    let encrypts = if is_kem { KeyUsages::KeyEncipherment } else { KeyUsages::DataEncipherment };
    let pairs = [
        (Mask::SIGN | Mask::VERIFY, KeyUsages::DigitalSignature),
        (Mask::WRAP_KEY | Mask::UNWRAP_KEY, KeyUsages::KeyEncipherment),
        (Mask::ENCRYPT | Mask::DECRYPT, encrypts),
        (Mask::KEY_AGREEMENT, KeyUsages::KeyAgreement),
        (Mask::CERTIFICATE_SIGN, KeyUsages::KeyCertSign),
        (Mask::CRL_SIGN, KeyUsages::CRLSign),
    ];
    let said = pairs.into_iter().filter(|(bits, _)| mask.intersects(*bits));
    let usages: FlagSet<KeyUsages> = said.fold(FlagSet::default(), |all, (_, usage)| all | usage);
    (!usages.is_empty()).then_some(KeyUsage(usages))
}

/// What the public key in a certificate may be used for, by its Key Usage.
pub fn mask_of(usage: KeyUsage) -> Mask {
    let mut mask = Mask::empty();
    for (says, bit) in [
        (usage.digital_signature() || usage.non_repudiation(), Mask::VERIFY),
        (usage.key_encipherment(), Mask::WRAP_KEY),
        (usage.data_encipherment(), Mask::ENCRYPT),
        (usage.key_agreement(), Mask::KEY_AGREEMENT),
    ] {
        mask.set(bit, says);
    }
    mask
}

fn denied(why: String) -> Failure {
    Failure::new(ResultReason::PermissionDenied, why)
}

/// What we put together ourselves can be written; what came from a client was read as what it is written as.
fn unwritten(error: der::Error) -> Failure {
    Failure::internal(format!("a certificate cannot be written: {error}"))
}

/// A serial number that is positive and as long as the bytes.
fn positive(random: &[u8]) -> der::Result<SerialNumber> {
    let mut bytes = random.to_vec();
    if let Some(first) = bytes.first_mut() {
        *first = *first & 0x7f | 0x40;
    }
    SerialNumber::new(&bytes)
}

/// RFC 7093 §2: the leftmost 160 bits of SHA-256.
fn key_identifier(key: &SubjectPublicKeyInfoOwned) -> Vec<u8> {
    let mut digest = public::hash(Hash::Sha256, key.subject_public_key.raw_bytes());
    digest.truncate(20);
    digest
}

/// RFC 5280 §4.1.2.5: UTCTime through 2049, GeneralizedTime from then on.
fn time(seconds: i64) -> Outcome<Time> {
    let since = Duration::from_secs(u64::try_from(seconds).unwrap_or(0));
    UtcTime::from_unix_duration(since)
        .map(Time::UtcTime)
        .or_else(|_| GeneralizedTime::from_unix_duration(since).map(Time::GeneralTime))
        .map_err(|_| Failure::invalid_field("a date that no certificate can have"))
}

fn extension<T: AssociatedOid + Encode>(value: &T, critical: bool) -> Outcome<Extension> {
    let extn_value = value.to_der().and_then(OctetString::new).map_err(unwritten)?;
    Ok(Extension { extn_id: T::OID, critical, extn_value })
}
