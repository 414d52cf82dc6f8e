//! Keys of ML-KEM (RFC 9935), ML-DSA (RFC 9881) and SLH-DSA (RFC 9909): one bit string or octet string under an object
//! identifier that says the parameter set, without parameters. A private key of ML-KEM or ML-DSA is its seed, the expanded key
//! that is made of it, or both; one of SLH-DSA is its bytes.

use der::asn1::OctetStringRef;
use der::oid::ObjectIdentifier;
use der::{Decode, Reader, SliceReader, TagMode, TagNumber};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::{FormatError, close_pkcs8, close_spki, open_pkcs8, open_spki};
use crate::crypto::algorithm::{Family, ParameterSet};
use crate::secret::Secret;

/// id-alg-ml-kem-… (RFC 9935 §3), id-ml-dsa-… (RFC 9881 §2) and id-slh-dsa-… (RFC 9909 §3). Those that sign name the
/// signature too.
const IDENTIFIERS: [(ParameterSet, ObjectIdentifier); 18] = [
    (ParameterSet::MlKem512, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.4.1")),
    (ParameterSet::MlKem768, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.4.2")),
    (ParameterSet::MlKem1024, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.4.3")),
    (ParameterSet::MlDsa44, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.17")),
    (ParameterSet::MlDsa65, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.18")),
    (ParameterSet::MlDsa87, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.19")),
    (ParameterSet::SlhDsaSha2_128s, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.20")),
    (ParameterSet::SlhDsaSha2_128f, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.21")),
    (ParameterSet::SlhDsaSha2_192s, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.22")),
    (ParameterSet::SlhDsaSha2_192f, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.23")),
    (ParameterSet::SlhDsaSha2_256s, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.24")),
    (ParameterSet::SlhDsaSha2_256f, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.25")),
    (ParameterSet::SlhDsaShake128s, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.26")),
    (ParameterSet::SlhDsaShake128f, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.27")),
    (ParameterSet::SlhDsaShake192s, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.28")),
    (ParameterSet::SlhDsaShake192f, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.29")),
    (ParameterSet::SlhDsaShake256s, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.30")),
    (ParameterSet::SlhDsaShake256f, ObjectIdentifier::new_unwrap("2.16.840.1.101.3.4.3.31")),
];

/// Context-specific 0, implicitly an OCTET STRING: the seed.
const SEED: TagNumber = TagNumber(0);
const NAME: &str = "private key of RFC 9881 or RFC 9935";
const WRONG_LENGTH: FormatError =
    FormatError::Invalid("the private key does not have the lengths of its parameter set");

/// What a private key is made of: at least one of the two.
#[derive(Debug)]
pub struct PostQuantumPrivateParts {
    /// The parameter set.
    pub set: ParameterSet,
    /// d and z, 64 bytes, or ξ, 32 bytes. SLH-DSA has none.
    pub seed: Option<Secret>,
    /// The private key as the standards write it: of ML-KEM and ML-DSA the expanded key.
    pub expanded: Option<Secret>,
}

impl PostQuantumPrivateParts {
    /// Takes a PKCS#8 PrivateKeyInfo apart.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, FormatError> {
        let info = open_pkcs8(pkcs8)?;
        let set = set_of(&info.algorithm)?;
        let (seed, expanded) = open(set, info.private_key.as_bytes())?;
        Ok(Self { set, seed: seed.map(Secret::copy_of), expanded: expanded.map(Secret::copy_of) })
    }

    /// A private key as its bytes alone, which by their length are the seed or the expanded key.
    pub fn from_raw(set: ParameterSet, raw: &[u8]) -> Result<Self, FormatError> {
        match raw.len() {
            len if Some(len) == set.seed_len() => Ok(Self { set, seed: Some(Secret::copy_of(raw)), expanded: None }),
            len if len == set.expanded_len() => Ok(Self { set, seed: None, expanded: Some(Secret::copy_of(raw)) }),
            _ => Err(FormatError::Invalid(
                "a raw private key has the length neither of the seed nor of the expanded key",
            )),
        }
    }

    /// Builds a PKCS#8 PrivateKeyInfo of what there is.
    pub fn to_pkcs8(&self) -> Result<Secret, FormatError> {
        let octets = |bytes: &Secret| tagged(0x04, &[bytes.expose()]);
        let key = match (&self.seed, &self.expanded) {
            (None, Some(key)) if self.set.family() == Family::SlhDsa => key.clone(),
            (Some(seed), None) => tagged(0x80, &[seed.expose()]),
            (None, Some(expanded)) => octets(expanded),
            (Some(seed), Some(expanded)) => tagged(0x30, &[octets(seed).expose(), octets(expanded).expose()]),
            (None, None) => return Err(FormatError::Invalid("a private key of nothing")),
        };
        let oid = oid_of(self.set)?;
        close_pkcs8(AlgorithmIdentifierRef { oid, parameters: None }, key.expose())
    }
}

/// A public key of its bytes.
pub fn post_quantum_spki(set: ParameterSet, raw: &[u8]) -> Result<Vec<u8>, FormatError> {
    check_public(set, raw)?;
    close_spki(AlgorithmIdentifierRef { oid: oid_of(set)?, parameters: None }, raw)
}

/// The bytes of a public key.
pub fn post_quantum_public(spki: &[u8]) -> Result<(ParameterSet, Vec<u8>), FormatError> {
    let info = open_spki(spki)?;
    let set = set_of(&info.algorithm)?;
    Ok((set, open_public(set, &info)?.to_vec()))
}

/// The parameter set that an object identifier names.
pub(super) fn named(oid: ObjectIdentifier) -> Option<ParameterSet> {
    IDENTIFIERS.iter().find(|row| row.1 == oid).map(|row| row.0)
}

pub(super) fn check_private(set: ParameterSet, info: &PrivateKeyInfoRef<'_>) -> Result<(), FormatError> {
    set_of(&info.algorithm)?;
    open(set, info.private_key.as_bytes()).map(|_| ())
}

pub(super) fn open_public<'a>(set: ParameterSet, info: &SubjectPublicKeyInfoRef<'a>) -> Result<&'a [u8], FormatError> {
    set_of(&info.algorithm)?;
    let raw = info.subject_public_key.as_bytes();
    let raw = raw.ok_or(FormatError::Invalid("the public key is not whole bytes"))?;
    check_public(set, raw)?;
    Ok(raw)
}

fn check_public(set: ParameterSet, raw: &[u8]) -> Result<(), FormatError> {
    if raw.len() == set.public_len() {
        Ok(())
    } else {
        Err(FormatError::Invalid("the public key does not have the length of its parameter set"))
    }
}

fn set_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<ParameterSet, FormatError> {
    let set = named(algorithm.oid).ok_or_else(|| FormatError::UnknownAlgorithm(algorithm.oid.to_string()))?;
    match algorithm.parameters {
        None => Ok(set),
        Some(_) => Err(FormatError::Invalid("the algorithm of the key has parameters")),
    }
}

/// The object identifier of a parameter set: of its keys, and of the signatures with them.
pub(super) fn oid_of(set: ParameterSet) -> Result<ObjectIdentifier, FormatError> {
    let found = IDENTIFIERS.iter().find(|row| row.0 == set);
    found.map(|row| row.1).ok_or(FormatError::Invalid("a parameter set without a name"))
}

/// A seed and an expanded key, each where it is there.
type Parts<'a> = (Option<&'a [u8]>, Option<&'a [u8]>);

/// Seed and expanded key of the CHOICE that is the private key (RFC 9881 §6, RFC 9935 §6); one of SLH-DSA is its bytes (RFC
/// 9909 §6).
fn open(set: ParameterSet, key: &[u8]) -> Result<Parts<'_>, FormatError> {
    let Some(seed_len) = set.seed_len() else {
        return if key.len() == set.expanded_len() { Ok((None, Some(key))) } else { Err(WRONG_LENGTH) };
    };
    let malformed = |_| FormatError::Malformed(NAME);
    let mut reader = SliceReader::new(key).map_err(malformed)?;
    let (seed, expanded) = match key.first() {
        Some(0x80) => {
            let seed = reader.context_specific::<&OctetStringRef>(SEED, TagMode::Implicit).map_err(malformed)?;
            (seed, None)
        }
        Some(0x04) => (None, Some(<&OctetStringRef>::decode(&mut reader).map_err(malformed)?)),
        _ => {
            let both = reader.sequence(|inner| {
                Ok::<_, der::Error>((<&OctetStringRef>::decode(inner)?, <&OctetStringRef>::decode(inner)?))
            });
            let (seed, expanded) = both.map_err(malformed)?;
            (Some(seed), Some(expanded))
        }
    };
    reader.finish().map_err(malformed)?;
    let (seed, expanded) = (seed.map(OctetStringRef::as_bytes), expanded.map(OctetStringRef::as_bytes));
    let fits = |part: Option<&[u8]>, len: usize| part.is_none_or(|part| part.len() == len);
    if (seed.is_none() && expanded.is_none()) || !fits(seed, seed_len) || !fits(expanded, set.expanded_len()) {
        return Err(WRONG_LENGTH);
    }
    Ok((seed, expanded))
}

/// DER of a tag and its contents, all of which is shorter than 64 KiB.
fn tagged(tag: u8, parts: &[&[u8]]) -> Secret {
    let len = parts.iter().map(|part| part.len()).sum::<usize>();
    // Room for the longest head at once: no copy of a secret is left behind by growing.
    let mut out = Vec::with_capacity(len.saturating_add(4));
    out.push(tag);
    match u16::try_from(len).unwrap_or(u16::MAX).to_be_bytes() {
        [0, low] if low < 0x80 => out.push(low),
        [0, low] => out.extend([0x81, low]),
        [high, low] => out.extend([0x82, high, low]),
    }
    parts.iter().for_each(|part| out.extend_from_slice(part));
    Secret::new(out)
}
