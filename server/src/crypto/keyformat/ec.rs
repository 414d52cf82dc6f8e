//! Elliptic curves: ECPrivateKey (RFC 5915, SEC 1 appendix C.4), points (SEC 1 §2.3.3) and the numbers of a key.

use der::asn1::{AnyRef, UintRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode, Reader, SliceReader};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use sec1::{EcParameters, EcPrivateKey};

use super::{EC_PUBLIC_KEY, FormatError, close_pkcs8, close_spki, encode_secret, open_pkcs8, open_spki};
use crate::crypto::algorithm::Curve;
use crate::secret::Secret;

/// The curves and their names (RFC 5480 §2.1.1.1, SEC 2).
const CURVES: [(Curve, ObjectIdentifier); 5] = [
    (Curve::P224, ObjectIdentifier::new_unwrap("1.3.132.0.33")),
    (Curve::P256, ObjectIdentifier::new_unwrap("1.2.840.10045.3.1.7")),
    (Curve::P384, ObjectIdentifier::new_unwrap("1.3.132.0.34")),
    (Curve::P521, ObjectIdentifier::new_unwrap("1.3.132.0.35")),
    (Curve::Secp256k1, ObjectIdentifier::new_unwrap("1.3.132.0.10")),
];

/// A public key on a curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcPublicParts {
    /// The curve.
    pub curve: Curve,
    /// The point in the octet form of SEC 1 §2.3.3, compressed, whole or both.
    pub point: Vec<u8>,
}

/// A private key on a curve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EcPrivateParts {
    /// The curve.
    pub curve: Curve,
    /// The private number, big-endian. Returned in the full length of the order; when building, shorter and longer
    /// forms of the same number are accepted.
    pub d: Secret,
}

impl EcPublicParts {
    /// Takes a SubjectPublicKeyInfo apart.
    pub fn from_spki(spki: &[u8]) -> Result<Self, FormatError> {
        let info = open_spki(spki)?;
        let (curve, point) = open_public(&info)?;
        Ok(Self { curve, point: point.to_vec() })
    }

    /// Builds a SubjectPublicKeyInfo. The form of the point is checked, not that it lies on the curve.
    pub fn to_spki(&self) -> Result<Vec<u8>, FormatError> {
        check_point(self.curve, &self.point)?;
        let oid = oid_of(self.curve)?;
        close_spki(algorithm(&oid), &self.point)
    }
}

impl EcPrivateParts {
    /// Takes a PKCS#8 PrivateKeyInfo apart.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, FormatError> {
        let info = open_pkcs8(pkcs8)?;
        let (curve, key) = open_private(&info)?;
        Ok(Self { curve, d: full_length(curve, key.private_key)? })
    }

    /// Builds a PKCS#8 PrivateKeyInfo without the public key, which a provider computes when it adopts the key.
    pub fn to_pkcs8(&self) -> Result<Secret, FormatError> {
        let d = full_length(self.curve, self.d.expose())?;
        close(self.curve, &EcPrivateKey { private_key: d.expose(), parameters: None, public_key: None })
    }
}

/// ECPrivateKey to PKCS#8. The curve is the one that the structure names; without, see [`ec_private_to_pkcs8_on`].
pub fn ec_private_to_pkcs8(sec1: &[u8]) -> Result<Secret, FormatError> {
    let key = parse_private(sec1)?;
    let oid = key.parameters.and_then(EcParameters::named_curve);
    let curve = curve_of(&oid.ok_or(FormatError::Invalid("the ECPrivateKey does not name its curve"))?)?;
    rewrap(curve, &key)
}

/// ECPrivateKey to PKCS#8, where the curve is known from elsewhere. If the structure names another, it is refused.
pub fn ec_private_to_pkcs8_on(curve: Curve, sec1: &[u8]) -> Result<Secret, FormatError> {
    let key = parse_private(sec1)?;
    check_same_curve(curve, &key)?;
    rewrap(curve, &key)
}

/// PKCS#8 to ECPrivateKey that names its curve (RFC 5915 §3 requires it where the structure stands alone).
pub fn pkcs8_to_ec_private(pkcs8: &[u8]) -> Result<Secret, FormatError> {
    let info = open_pkcs8(pkcs8)?;
    let (curve, key) = open_private(&info)?;
    let d = full_length(curve, key.private_key)?;
    let parameters = Some(EcParameters::NamedCurve(oid_of(curve)?));
    let key = EcPrivateKey { private_key: d.expose(), parameters, public_key: key.public_key };
    encode_secret(&key, "ECPrivateKey")
}

/// The name of a curve as EcParameters (RFC 5480 §2.1.1) in DER.
pub fn curve_parameters(curve: Curve) -> Result<Vec<u8>, FormatError> {
    oid_of(curve)?.to_der().map_err(|_| FormatError::Malformed("EcParameters"))
}

/// The curve that EcParameters in DER name.
pub fn curve_of_parameters(parameters: &[u8]) -> Result<Curve, FormatError> {
    curve_of(&ObjectIdentifier::from_der(parameters).map_err(|_| FormatError::Malformed("EcParameters"))?)
}

/// Ecdsa-Sig-Value (RFC 3279 §2.2.3) of two numbers of one length side by side, as PKCS #11 has them.
pub fn ecdsa_signature(raw: &[u8]) -> Option<Vec<u8>> {
    if raw.is_empty() || !raw.len().is_multiple_of(2) {
        return None;
    }
    let (r, s) = raw.split_at_checked(raw.len() / 2)?;
    let number = |bytes| UintRef::new(bytes).ok()?.to_der().ok();
    let numbers = [number(r)?, number(s)?].concat();
    AnyRef::new(der::Tag::Sequence, &numbers).ok()?.to_der().ok()
}

/// The two numbers of an Ecdsa-Sig-Value side by side, each in so many bytes.
pub fn ecdsa_halves(signature: &[u8], length: usize) -> Option<Vec<u8>> {
    let mut reader = SliceReader::new(signature).ok()?;
    let numbers =
        reader.sequence(|inner| Ok::<_, der::Error>([UintRef::decode(inner)?, UintRef::decode(inner)?])).ok()?;
    let mut halves = Vec::with_capacity(length.saturating_mul(2));
    for number in numbers {
        let bytes = number.as_bytes();
        halves.resize(halves.len().saturating_add(length.checked_sub(bytes.len())?), 0);
        halves.extend_from_slice(bytes);
    }
    Some(halves)
}

pub(super) fn open_private<'a>(info: &PrivateKeyInfoRef<'a>) -> Result<(Curve, EcPrivateKey<'a>), FormatError> {
    let curve = curve_of_algorithm(&info.algorithm)?;
    let key = parse_private(info.private_key.as_bytes())?;
    check_same_curve(curve, &key)?;
    check_key(curve, &key)?;
    Ok((curve, key))
}

pub(super) fn open_public<'a>(info: &SubjectPublicKeyInfoRef<'a>) -> Result<(Curve, &'a [u8]), FormatError> {
    let curve = curve_of_algorithm(&info.algorithm)?;
    let point = info.subject_public_key.as_bytes();
    let point = point.ok_or(FormatError::Invalid("the public key is not whole bytes"))?;
    check_point(curve, point)?;
    Ok((curve, point))
}

/// Inside PKCS#8 the curve stands in the algorithm, and the length is that of the order: what some writers leave out
/// or add is put right.
fn rewrap(curve: Curve, key: &EcPrivateKey<'_>) -> Result<Secret, FormatError> {
    check_key(curve, key)?;
    let d = full_length(curve, key.private_key)?;
    close(curve, &EcPrivateKey { private_key: d.expose(), parameters: None, public_key: key.public_key })
}

fn close(curve: Curve, key: &EcPrivateKey<'_>) -> Result<Secret, FormatError> {
    let key = encode_secret(key, "ECPrivateKey")?;
    let oid = oid_of(curve)?;
    close_pkcs8(algorithm(&oid), key.expose())
}

fn parse_private(sec1: &[u8]) -> Result<EcPrivateKey<'_>, FormatError> {
    EcPrivateKey::from_der(sec1).map_err(|_| FormatError::Malformed("ECPrivateKey"))
}

fn check_same_curve(curve: Curve, key: &EcPrivateKey<'_>) -> Result<(), FormatError> {
    match key.parameters.and_then(EcParameters::named_curve) {
        Some(oid) if curve_of(&oid)? != curve => Err(FormatError::Invalid("the key names two different curves")),
        _ => Ok(()),
    }
}

fn check_key(curve: Curve, key: &EcPrivateKey<'_>) -> Result<(), FormatError> {
    full_length(curve, key.private_key)?;
    key.public_key.map_or(Ok(()), |point| check_point(curve, point))
}

/// The octet form: 04 x y, or 02 or 03 and x, or 06 or 07 and both. The point at infinity is no public key.
fn check_point(curve: Curve, point: &[u8]) -> Result<(), FormatError> {
    let len = curve.coordinate_len();
    match point.split_first() {
        Some((4 | 6 | 7, rest)) if rest.len() == 2 * len => Ok(()),
        Some((2 | 3, rest)) if rest.len() == len => Ok(()),
        _ => Err(FormatError::Invalid("not a point of the curve in its octet form")),
    }
}

/// A private number in the length of the order: filled with zeros or freed of them on the left. Zero is refused.
fn full_length(curve: Curve, d: &[u8]) -> Result<Secret, FormatError> {
    const INVALID: FormatError = FormatError::Invalid("not a private number of the curve");
    let len = curve.coordinate_len();
    let significant = d.len() - d.iter().take_while(|byte| **byte == 0).count();
    if significant == 0 || significant > len {
        return Err(INVALID);
    }
    let number = d.get(d.len() - significant..).ok_or(INVALID)?;
    let mut full = vec![0; len];
    full.get_mut(len - significant..).ok_or(INVALID)?.copy_from_slice(number);
    Ok(Secret::new(full))
}

fn algorithm(curve: &ObjectIdentifier) -> AlgorithmIdentifierRef<'_> {
    AlgorithmIdentifierRef { oid: EC_PUBLIC_KEY, parameters: Some(AnyRef::from(curve)) }
}

fn curve_of_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Curve, FormatError> {
    if algorithm.oid != EC_PUBLIC_KEY {
        return Err(FormatError::Invalid("not an elliptic curve key"));
    }
    let oid = algorithm.parameters.and_then(|parameters| parameters.decode_as::<ObjectIdentifier>().ok());
    curve_of(&oid.ok_or(FormatError::Invalid("the curve is not named"))?)
}

fn curve_of(oid: &ObjectIdentifier) -> Result<Curve, FormatError> {
    let found = CURVES.iter().find(|(_, name)| name == oid);
    found.map(|(curve, _)| *curve).ok_or_else(|| FormatError::UnknownAlgorithm(oid.to_string()))
}

fn oid_of(curve: Curve) -> Result<ObjectIdentifier, FormatError> {
    let found = CURVES.iter().find(|(known, _)| *known == curve);
    found.map(|(_, oid)| *oid).ok_or(FormatError::Invalid("a curve without a name"))
}
