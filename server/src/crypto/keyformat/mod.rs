//! The formats in which keys come and go, all as DER bytes: PKCS#8 (RFC 5208, RFC 5958), PKCS#1 (RFC 8017 appendix A.1),
//! ECPrivateKey (RFC 5915), SubjectPublicKeyInfo (RFC 5280 §4.1, RFC 5480, RFC 8410, RFC 9881, RFC 9909, RFC 9935), and the numbers that
//! they consist of.
//!
//! Inside the server a private key is PKCS#8 and a public key is SubjectPublicKeyInfo; everything else is converted at
//! the border. Here the form is checked, that is, DER, lengths and ranges; whether the numbers are a working key is
//! checked by the provider that adopts it. Bytes after the end of a structure are refused.

mod discrete;
mod ec;
mod edwards;
mod point;
mod postquantum;
mod rsa;

use der::asn1::{AnyRef, BitStringRef, OctetStringRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, Reader, SliceReader};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::algorithm::{Edwards, KeyKind, ParameterSet};
use crate::secret::Secret;

pub use discrete::{Discrete, DiscreteParts};
pub use ec::{
    EcPrivateParts, EcPublicParts, curve_of_parameters, curve_parameters, ec_private_to_pkcs8, ec_private_to_pkcs8_on,
    ecdsa_halves, ecdsa_signature, pkcs8_to_ec_private,
};
pub(in crate::crypto) use edwards::carried;
pub use edwards::{EdwardsPrivate, EdwardsPublic, edwards_of_parameters, edwards_parameters};
pub use point::PointForm;
pub use postquantum::{PostQuantumPrivateParts, post_quantum_public, post_quantum_spki};
pub use rsa::{
    RsaPrivateParts, RsaPublicParts, pkcs1_private_to_pkcs8, pkcs1_public_to_spki, pkcs8_to_pkcs1_private,
    spki_to_pkcs1_public,
};

const RSA_ENCRYPTION: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC_PUBLIC_KEY: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// Why bytes are not a key in the format that they are said to have. Holds nothing of the key.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum FormatError {
    /// Not DER of this structure, or bytes after its end.
    #[error("not a {0} in DER")]
    Malformed(&'static str),
    /// A key of an algorithm or a curve that is not known here; the object identifier.
    #[error("unknown key algorithm or curve {0}")]
    UnknownAlgorithm(String),
    /// A structure that is well formed, with contents that its standard does not allow.
    #[error("{0}")]
    Invalid(&'static str),
}

/// What the private key in a PKCS#8 PrivateKeyInfo is. The length of an RSA key is that of the modulus without leading
/// zeros, in bits.
pub fn identify_private(pkcs8: &[u8]) -> Result<KeyKind, FormatError> {
    let info = open_pkcs8(pkcs8)?;
    match info.algorithm.oid {
        RSA_ENCRYPTION => rsa::kind_of_private(&info),
        EC_PUBLIC_KEY => Ok(KeyKind::Ec { curve: ec::open_private(&info)?.0 }),
        other if edwards::is_known(&other) => Ok(KeyKind::Edwards { curve: edwards::open_private(&info)?.0 }),
        other => {
            let set = postquantum::named(other).ok_or_else(|| FormatError::UnknownAlgorithm(other.to_string()))?;
            postquantum::check_private(set, &info)?;
            Ok(KeyKind::PostQuantum { set })
        }
    }
}

/// A SubjectPublicKeyInfo with its point in the uncompressed form, where it has another one.
///
/// # Errors
/// A point that is not on its curve.
pub fn with_whole_point(spki: Vec<u8>) -> Result<Vec<u8>, FormatError> {
    let parts = EcPublicParts::from_spki(&spki)?;
    match PointForm::of(&parts.point) {
        Some(PointForm::Compressed | PointForm::Hybrid) => parts.in_form(PointForm::Uncompressed)?.to_spki(),
        _ => Ok(spki),
    }
}

/// What keys and signatures are called that go by one name: those of Ed25519 and Ed448 (RFC 8410 §6), ML-DSA (RFC 9881 §2) and
/// SLH-DSA (RFC 9909 §3).
const SIGN_BY_THEIR_NAME: [KeyKind; 2] =
    [KeyKind::Edwards { curve: Edwards::Ed25519 }, KeyKind::Edwards { curve: Edwards::Ed448 }];

/// The keys whose signatures have this object identifier, if it is that of the keys themselves.
pub(in crate::crypto) fn signers(oid: &str) -> Option<KeyKind> {
    signers_by_name().find(|kind| name_of(*kind).is_some_and(|own| own.to_string() == oid))
}

/// The object identifier of a key and of its signatures, where both have one.
pub(in crate::crypto) fn signer_oid(kind: KeyKind) -> Option<String> {
    signers_by_name().find(|own| *own == kind).and_then(name_of).map(|oid| oid.to_string())
}

fn signers_by_name() -> impl Iterator<Item = KeyKind> {
    let sets = ParameterSet::ALL.into_iter().filter(|set| !set.is_kem());
    SIGN_BY_THEIR_NAME.into_iter().chain(sets.map(|set| KeyKind::PostQuantum { set }))
}

fn name_of(kind: KeyKind) -> Option<ObjectIdentifier> {
    match kind {
        KeyKind::Edwards { curve } => edwards::name(curve),
        KeyKind::PostQuantum { set } => postquantum::oid_of(set).ok(),
        _ => None,
    }
}

/// Whether the bytes are an EncryptedPrivateKeyInfo (RFC 5208 §6): PKCS#8, and its owner's to open.
pub fn is_encrypted_private(der: &[u8]) -> bool {
    let parts = SliceReader::new(der).and_then(|mut reader| {
        reader.sequence(|inner| {
            Ok::<_, der::Error>((AlgorithmIdentifierRef::decode(inner)?, <&OctetStringRef>::decode(inner)?))
        })
    });
    parts.is_ok()
}

/// What the public key in a SubjectPublicKeyInfo is.
pub fn identify_public(spki: &[u8]) -> Result<KeyKind, FormatError> {
    let info = open_spki(spki)?;
    match info.algorithm.oid {
        RSA_ENCRYPTION => rsa::kind_of_public(&info),
        EC_PUBLIC_KEY => Ok(KeyKind::Ec { curve: ec::open_public(&info)?.0 }),
        other if edwards::is_known(&other) => Ok(KeyKind::Edwards { curve: edwards::open_public(&info)?.0 }),
        other => {
            let set = postquantum::named(other).ok_or_else(|| FormatError::UnknownAlgorithm(other.to_string()))?;
            postquantum::open_public(set, &info)?;
            Ok(KeyKind::PostQuantum { set })
        }
    }
}

fn open_pkcs8(der: &[u8]) -> Result<PrivateKeyInfoRef<'_>, FormatError> {
    PrivateKeyInfoRef::from_der(der).map_err(|_| FormatError::Malformed("PKCS#8 PrivateKeyInfo"))
}

fn open_spki(der: &[u8]) -> Result<SubjectPublicKeyInfoRef<'_>, FormatError> {
    SubjectPublicKeyInfoRef::from_der(der).map_err(|_| FormatError::Malformed("SubjectPublicKeyInfo"))
}

/// A PrivateKeyInfo around an algorithm's own private key.
fn close_pkcs8(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Secret, FormatError> {
    const NAME: &str = "PKCS#8 PrivateKeyInfo";
    let key = <&OctetStringRef>::try_from(key).map_err(|_| FormatError::Malformed(NAME))?;
    let info: PrivateKeyInfoRef<'_> = PrivateKeyInfoRef::new(algorithm, key);
    encode_secret(&info, NAME)
}

/// A SubjectPublicKeyInfo around an algorithm's own public key.
fn close_spki(algorithm: AlgorithmIdentifierRef<'_>, key: &[u8]) -> Result<Vec<u8>, FormatError> {
    const NAME: &str = "SubjectPublicKeyInfo";
    let subject_public_key = BitStringRef::from_bytes(key).map_err(|_| FormatError::Malformed(NAME))?;
    let info: SubjectPublicKeyInfoRef<'_> = SubjectPublicKeyInfoRef { algorithm, subject_public_key };
    info.to_der().map_err(|_| FormatError::Malformed(NAME))
}

/// Encodes into a buffer that has its exact size from the start, so that no unwiped copy is left by growing.
fn encode_secret(value: &impl Encode, name: &'static str) -> Result<Secret, FormatError> {
    let malformed = |_| FormatError::Malformed(name);
    let len = value.encoded_len().and_then(usize::try_from).map_err(malformed)?;
    let mut buffer = vec![0; len];
    value.encode_to_slice(&mut buffer).map_err(malformed)?;
    Ok(Secret::new(buffer))
}

fn rsa_algorithm() -> AlgorithmIdentifierRef<'static> {
    AlgorithmIdentifierRef { oid: RSA_ENCRYPTION, parameters: Some(AnyRef::NULL) }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
pub(crate) mod vectors;
