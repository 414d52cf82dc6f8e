//! RSA: PKCS#1 (RFC 8017 appendix A.1) and the numbers of a key.

use der::asn1::{AnyRef, UintRef};
use der::{Decode, Encode};
use pkcs1::{RsaPrivateKey, RsaPublicKey};
use pkcs8::PrivateKeyInfoRef;
use pkcs8::spki::{AlgorithmIdentifierRef, SubjectPublicKeyInfoRef};

use super::{
    FormatError, RSA_ENCRYPTION, close_pkcs8, close_spki, encode_secret, open_pkcs8, open_spki, rsa_algorithm,
};
use crate::crypto::algorithm::KeyKind;
use crate::secret::Secret;

type PrivateRef<'a> = RsaPrivateKey<UintRef<'a>>;
type PublicRef<'a> = RsaPublicKey<UintRef<'a>>;

/// The numbers of an RSA public key, big-endian without leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPublicParts {
    /// n
    pub modulus: Vec<u8>,
    /// e
    pub exponent: Vec<u8>,
}

/// The numbers of an RSA private key, big-endian. Leading zeros are accepted when building, and never returned.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RsaPrivateParts {
    /// n
    pub modulus: Vec<u8>,
    /// e
    pub public_exponent: Vec<u8>,
    /// d
    pub private_exponent: Secret,
    /// First prime.
    pub p: Secret,
    /// Second prime.
    pub q: Secret,
    /// d mod (p - 1)
    pub dp: Secret,
    /// d mod (q - 1)
    pub dq: Secret,
    /// The inverse of q mod p.
    pub qinv: Secret,
}

impl RsaPublicParts {
    /// Takes a SubjectPublicKeyInfo apart.
    pub fn from_spki(spki: &[u8]) -> Result<Self, FormatError> {
        let info = open_spki(spki)?;
        let key = open_public(&info)?;
        Ok(Self { modulus: key.modulus.as_bytes().to_vec(), exponent: key.public_exponent.as_bytes().to_vec() })
    }

    /// Builds a SubjectPublicKeyInfo.
    pub fn to_spki(&self) -> Result<Vec<u8>, FormatError> {
        let key = PublicRef { modulus: uint(&self.modulus)?, public_exponent: uint(&self.exponent)? };
        check_numbers(&key.modulus, &key.public_exponent)?;
        let key = key.to_der().map_err(|_| FormatError::Malformed("RSAPublicKey"))?;
        close_spki(rsa_algorithm(), &key)
    }
}

impl RsaPrivateParts {
    /// Takes a PKCS#8 PrivateKeyInfo apart. A key of more than two primes is refused.
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, FormatError> {
        let info = open_pkcs8(pkcs8)?;
        let key = open_private(&info)?;
        let secret = |number: &UintRef<'_>| Secret::copy_of(number.as_bytes());
        Ok(Self {
            modulus: key.modulus.as_bytes().to_vec(),
            public_exponent: key.public_exponent.as_bytes().to_vec(),
            private_exponent: secret(&key.private_exponent),
            p: secret(&key.prime1),
            q: secret(&key.prime2),
            dp: secret(&key.exponent1),
            dq: secret(&key.exponent2),
            qinv: secret(&key.coefficient),
        })
    }

    /// Builds a PKCS#8 PrivateKeyInfo. Whether the numbers belong together is checked when a provider adopts the key.
    pub fn to_pkcs8(&self) -> Result<Secret, FormatError> {
        let key = PrivateRef {
            modulus: uint(&self.modulus)?,
            public_exponent: uint(&self.public_exponent)?,
            private_exponent: uint(self.private_exponent.expose())?,
            prime1: uint(self.p.expose())?,
            prime2: uint(self.q.expose())?,
            exponent1: uint(self.dp.expose())?,
            exponent2: uint(self.dq.expose())?,
            coefficient: uint(self.qinv.expose())?,
            other_prime_infos: None,
        };
        check_numbers(&key.modulus, &key.public_exponent)?;
        let key = encode_secret(&key, "RSAPrivateKey")?;
        close_pkcs8(rsa_algorithm(), key.expose())
    }

    /// The public half.
    pub fn public(&self) -> RsaPublicParts {
        RsaPublicParts { modulus: self.modulus.clone(), exponent: self.public_exponent.clone() }
    }
}

/// RSAPrivateKey to PKCS#8.
pub fn pkcs1_private_to_pkcs8(pkcs1: &[u8]) -> Result<Secret, FormatError> {
    parse_private(pkcs1)?;
    close_pkcs8(rsa_algorithm(), pkcs1)
}

/// PKCS#8 to RSAPrivateKey.
pub fn pkcs8_to_pkcs1_private(pkcs8: &[u8]) -> Result<Secret, FormatError> {
    let info = open_pkcs8(pkcs8)?;
    open_private(&info)?;
    Ok(Secret::copy_of(info.private_key.as_bytes()))
}

/// RSAPublicKey to SubjectPublicKeyInfo.
pub fn pkcs1_public_to_spki(pkcs1: &[u8]) -> Result<Vec<u8>, FormatError> {
    parse_public(pkcs1)?;
    close_spki(rsa_algorithm(), pkcs1)
}

/// SubjectPublicKeyInfo to RSAPublicKey.
pub fn spki_to_pkcs1_public(spki: &[u8]) -> Result<Vec<u8>, FormatError> {
    let info = open_spki(spki)?;
    open_public(&info)?;
    Ok(info.subject_public_key.raw_bytes().to_vec())
}

pub(super) fn kind_of_private(info: &PrivateKeyInfoRef<'_>) -> Result<KeyKind, FormatError> {
    Ok(kind(&open_private(info)?.modulus))
}

pub(super) fn kind_of_public(info: &SubjectPublicKeyInfoRef<'_>) -> Result<KeyKind, FormatError> {
    Ok(kind(&open_public(info)?.modulus))
}

fn open_private<'a>(info: &PrivateKeyInfoRef<'a>) -> Result<PrivateRef<'a>, FormatError> {
    check_algorithm(&info.algorithm)?;
    parse_private(info.private_key.as_bytes())
}

fn open_public<'a>(info: &SubjectPublicKeyInfoRef<'a>) -> Result<PublicRef<'a>, FormatError> {
    check_algorithm(&info.algorithm)?;
    let bytes = info.subject_public_key.as_bytes();
    parse_public(bytes.ok_or(FormatError::Invalid("the public key is not whole bytes"))?)
}

fn check_algorithm(algorithm: &AlgorithmIdentifierRef<'_>) -> Result<(), FormatError> {
    if algorithm.oid != RSA_ENCRYPTION {
        return Err(FormatError::Invalid("not an RSA key"));
    }
    // RFC 8017 appendix A.1: the parameters shall be present and NULL.
    if algorithm.parameters != Some(AnyRef::NULL) {
        return Err(FormatError::Invalid("the parameters of an RSA key are not NULL"));
    }
    Ok(())
}

fn parse_private(pkcs1: &[u8]) -> Result<PrivateRef<'_>, FormatError> {
    let key = PrivateRef::from_der(pkcs1).map_err(|_| FormatError::Malformed("RSAPrivateKey"))?;
    if key.other_prime_infos.is_some() {
        return Err(FormatError::Invalid("an RSA key of more than two primes"));
    }
    check_numbers(&key.modulus, &key.public_exponent)?;
    Ok(key)
}

fn parse_public(pkcs1: &[u8]) -> Result<PublicRef<'_>, FormatError> {
    let key = PublicRef::from_der(pkcs1).map_err(|_| FormatError::Malformed("RSAPublicKey"))?;
    check_numbers(&key.modulus, &key.public_exponent)?;
    Ok(key)
}

fn check_numbers(modulus: &UintRef<'_>, exponent: &UintRef<'_>) -> Result<(), FormatError> {
    let odd = |number: &UintRef<'_>| number.as_bytes().last().is_some_and(|byte| byte & 1 == 1);
    if !odd(modulus) || !odd(exponent) || exponent.as_bytes() == [1] {
        return Err(FormatError::Invalid("not the modulus or the public exponent of an RSA key"));
    }
    kind(modulus).check().map_err(|_| FormatError::Invalid("the RSA modulus is too short or too long"))
}

/// The kind by the exact length of the modulus. DER allows no superfluous zeros, so the first byte is not zero.
fn kind(modulus: &UintRef<'_>) -> KeyKind {
    let bytes = modulus.as_bytes();
    let zeros = bytes.first().map_or(0, |byte| byte.leading_zeros());
    let bits = u32::try_from(bytes.len()).unwrap_or(u32::MAX / 8).saturating_mul(8);
    KeyKind::Rsa { bits: bits.saturating_sub(zeros) }
}

fn uint(bytes: &[u8]) -> Result<UintRef<'_>, FormatError> {
    UintRef::new(bytes).map_err(|_| FormatError::Invalid("a number of an RSA key is too long"))
}
