//! Ed25519, Ed448, X25519 and X448 in PKCS#8 and SubjectPublicKeyInfo (RFC 8410): keys that are bytes, under object identifiers of
//! their own and without parameters.

use der::asn1::{OctetStringRef, PrintableStringRef};
use der::oid::ObjectIdentifier;
use der::{Decode, Encode};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};
use zeroize::Zeroizing;

use super::{FormatError, close_pkcs8, close_spki, open_pkcs8, open_spki};
use crate::crypto::algorithm::Edwards;
use crate::secret::Secret;

/// RFC 8410 §3: the object identifier of keys on a curve, and the same in DER.
const CURVES: [(Edwards, ObjectIdentifier, &[u8]); 4] = [
    (Edwards::X25519, ObjectIdentifier::new_unwrap("1.3.101.110"), &[0x06, 0x03, 0x2b, 0x65, 0x6e]),
    (Edwards::X448, ObjectIdentifier::new_unwrap("1.3.101.111"), &[0x06, 0x03, 0x2b, 0x65, 0x6f]),
    (Edwards::Ed25519, ObjectIdentifier::new_unwrap("1.3.101.112"), &[0x06, 0x03, 0x2b, 0x65, 0x70]),
    (Edwards::Ed448, ObjectIdentifier::new_unwrap("1.3.101.113"), &[0x06, 0x03, 0x2b, 0x65, 0x71]),
];

/// What keys on a curve are called.
pub(super) fn name(curve: Edwards) -> Option<ObjectIdentifier> {
    CURVES.iter().find(|row| row.0 == curve).map(|row| row.1)
}

/// A public key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdwardsPublic {
    /// The curve.
    pub curve: Edwards,
    /// The key as RFC 8032 and RFC 7748 write it, `curve.len()` bytes.
    pub key: Vec<u8>,
}

/// A private key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EdwardsPrivate {
    /// The curve.
    pub curve: Edwards,
    /// The key as RFC 8032 and RFC 7748 write it, `curve.len()` bytes.
    pub key: Secret,
}

impl EdwardsPublic {
    /// Takes a SubjectPublicKeyInfo apart.
    ///
    /// # Errors
    /// What is not such a key in DER.
    pub fn from_spki(spki: &[u8]) -> Result<Self, FormatError> {
        let info = open_spki(spki)?;
        let (curve, key) = open_public(&info)?;
        Ok(Self { curve, key: key.to_vec() })
    }

    /// Builds a SubjectPublicKeyInfo. Whether the bytes are a point is not checked.
    ///
    /// # Errors
    /// A key of another length.
    pub fn to_spki(&self) -> Result<Vec<u8>, FormatError> {
        check(self.curve, &self.key)?;
        close_spki(algorithm(self.curve)?, &self.key)
    }
}

impl EdwardsPrivate {
    /// Takes a PKCS#8 PrivateKeyInfo apart.
    ///
    /// # Errors
    /// What is not such a key in DER.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, FormatError> {
        let info = open_pkcs8(pkcs8)?;
        let (curve, key) = open_private(&info)?;
        Ok(Self { curve, key: Secret::copy_of(key) })
    }

    /// Builds a PKCS#8 PrivateKeyInfo without the public key.
    ///
    /// # Errors
    /// A key of another length.
    pub fn to_pkcs8(&self) -> Result<Secret, FormatError> {
        const NAME: FormatError = FormatError::Malformed("CurvePrivateKey");
        check(self.curve, self.key.expose())?;
        let key = <&OctetStringRef>::try_from(self.key.expose()).map_err(|_| NAME)?;
        let mut buffer = Zeroizing::new(vec![0; self.curve.len() + 2]);
        let written = key.encode_to_slice(&mut buffer).map_err(|_| NAME)?;
        close_pkcs8(algorithm(self.curve)?, written)
    }
}

/// The name of a curve as CKA_EC_PARAMS has it (PKCS #11 3.0 §2.3.5): its object identifier in DER.
pub fn edwards_parameters(curve: Edwards) -> &'static [u8] {
    CURVES.iter().find(|row| row.0 == curve).map_or(&[], |row| row.2)
}

/// The curve that CKA_EC_PARAMS in DER name: by its object identifier, or by its name as a PrintableString.
pub fn edwards_of_parameters(parameters: &[u8]) -> Result<Edwards, FormatError> {
    if let Ok(oid) = ObjectIdentifier::from_der(parameters) {
        return curve_of(&AlgorithmIdentifierRef { oid, parameters: None });
    }
    let name = PrintableStringRef::from_der(parameters).map_err(|_| FormatError::Malformed("CKA_EC_PARAMS"))?;
    match name.as_str() {
        "edwards25519" => Ok(Edwards::Ed25519),
        "edwards448" => Ok(Edwards::Ed448),
        "curve25519" => Ok(Edwards::X25519),
        "curve448" => Ok(Edwards::X448),
        other => Err(FormatError::UnknownAlgorithm(other.to_owned())),
    }
}

/// The public key that a PKCS#8 PrivateKeyInfo carries along (RFC 8410 §7), if any.
pub(in crate::crypto) fn carried(pkcs8: &[u8]) -> Result<Option<Vec<u8>>, FormatError> {
    let info = open_pkcs8(pkcs8)?;
    Ok(info.public_key.and_then(|key| key.as_bytes()).map(<[u8]>::to_vec))
}

pub(super) fn is_known(oid: &ObjectIdentifier) -> bool {
    CURVES.iter().any(|(_, name, _)| name == oid)
}

pub(super) fn open_private<'a>(info: &PrivateKeyInfoRef<'a>) -> Result<(Edwards, &'a [u8]), FormatError> {
    let curve = curve_of(&info.algorithm)?;
    let key = <&OctetStringRef>::from_der(info.private_key.as_bytes())
        .map_err(|_| FormatError::Malformed("CurvePrivateKey"))?
        .as_bytes();
    check(curve, key)?;
    Ok((curve, key))
}

pub(super) fn open_public<'a>(info: &SubjectPublicKeyInfoRef<'a>) -> Result<(Edwards, &'a [u8]), FormatError> {
    let curve = curve_of(&info.algorithm)?;
    let key = info.subject_public_key.as_bytes();
    let key = key.ok_or(FormatError::Invalid("the public key is not whole bytes"))?;
    check(curve, key)?;
    Ok((curve, key))
}

fn check(curve: Edwards, key: &[u8]) -> Result<(), FormatError> {
    if key.len() == curve.len() { Ok(()) } else { Err(FormatError::Invalid("not as long as a key of the curve")) }
}

fn curve_of(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<Edwards, FormatError> {
    // RFC 8410 §3: the parameters must be absent.
    if algorithm.parameters.is_some() {
        return Err(FormatError::Invalid("a key of RFC 8410 has no parameters"));
    }
    let found = CURVES.iter().find(|(_, name, _)| *name == algorithm.oid);
    found.map(|(curve, ..)| *curve).ok_or_else(|| FormatError::UnknownAlgorithm(algorithm.oid.to_string()))
}

fn algorithm(curve: Edwards) -> Result<AlgorithmIdentifierRef<'static>, FormatError> {
    let oid = name(curve).ok_or(FormatError::Invalid("a curve without a name"))?;
    Ok(AlgorithmIdentifierRef { oid, parameters: None })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_curve_has_one_name_in_both_forms() {
        for (curve, oid, der) in CURVES {
            assert_eq!(oid.to_der().unwrap(), der);
            assert_eq!(edwards_of_parameters(edwards_parameters(curve)), Ok(curve));
        }
    }
}
