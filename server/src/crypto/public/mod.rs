//! What needs no secret, and is done in software whoever holds the private half: digests, and verification with a
//! public key.

mod edwards;
mod hash;
mod rsa;

use aws_lc_rs::digest;
use aws_lc_rs::signature::{self, ParsedPublicKey, VerificationAlgorithm};

use super::algorithm::{Curve, KeyKind, Message, Signature};
use super::keyformat;
use super::software::verify_post_quantum;
use super::{CryptoError, ec};

pub(super) use hash::aws_digest;
pub use hash::{Hasher, hash, hash_named, hmac_hash};
pub(super) use rsa::digest_info;
pub use rsa::recover;

/// Verifies a signature with a public key given as SubjectPublicKeyInfo DER (RFC 5280 §4.1).
///
/// A signature that is malformed or of the wrong length does not verify: `Ok(false)`. A key that is malformed, or that
/// does not go with the scheme, is `BadParameters`; a digest of the wrong length is `Failed`.
pub fn verify(spki: &[u8], scheme: Signature, message: Message<'_>, signature: &[u8]) -> Result<bool, CryptoError> {
    let kind = keyformat::identify_public(spki)?;
    scheme.check(kind, message)?;
    if let (Signature::MlDsa | Signature::SlhDsa, Message::Data(data)) = (scheme, message) {
        return verify_post_quantum(spki, data, signature);
    }
    if let (KeyKind::Edwards { .. }, Message::Data(data)) = (kind, message) {
        return edwards::verify(spki, data, signature);
    }
    let computed;
    let digest = match message {
        Message::Digest(digest) => digest,
        Message::Data(data) => {
            let by = scheme.hash().ok_or(CryptoError::Failed("nothing says how the data is hashed"))?;
            computed = hash(by, data);
            &computed
        }
    };
    match (kind, scheme) {
        (KeyKind::Rsa { bits }, _) => rsa::verify(spki, bits, scheme, digest, signature),
        (KeyKind::Ec { curve }, _) => verify_ecdsa(spki, curve, digest, signature),
        _ => Err(CryptoError::BadParameters("not a public key that verifies".into())),
    }
}

fn verify_ecdsa(spki: &[u8], curve: Curve, digest: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let algorithm: &'static dyn VerificationAlgorithm = match curve {
        Curve::P224 => return ec::verify(spki, digest, signature),
        Curve::P256 => &signature::ECDSA_P256_SHA256_ASN1,
        Curve::P384 => &signature::ECDSA_P384_SHA384_ASN1,
        Curve::P521 => &signature::ECDSA_P521_SHA512_ASN1,
        Curve::Secp256k1 => &signature::ECDSA_P256K1_SHA256_ASN1,
    };
    let key = ParsedPublicKey::new(algorithm, spki)
        .map_err(|_| CryptoError::BadParameters("the public key is not a point of its curve".into()))?;
    Ok(key.verify_digest_sig(&ecdsa_digest(curve, digest)?, signature).is_ok())
}

/// A digest in the length that the library's algorithm for this curve takes.
///
/// ECDSA reads a digest as an integer of its leftmost bits, as many as the order of the curve has (FIPS 186-5 §6.4.1).
/// So a longer digest may be cut to the length of the order, and a shorter one be filled with zeros on the left,
/// without changing the integer: one algorithm for each curve serves every hash.
pub(super) fn ecdsa_digest(curve: Curve, digest: &[u8]) -> Result<digest::Digest, CryptoError> {
    let algorithm = match curve {
        Curve::P224 => return Err(CryptoError::Failed("the library takes any digest on P-224")),
        Curve::P256 | Curve::Secp256k1 => &digest::SHA256,
        Curve::P384 => &digest::SHA384,
        // The order has 521 bits, more than any hash: nothing is ever cut.
        Curve::P521 => &digest::SHA512,
    };
    let mut buffer = [0; digest::MAX_OUTPUT_LEN];
    let len = algorithm.output_len();
    let used = digest.len().min(len);
    let fitted = buffer.get_mut(len - used..len).zip(digest.get(..used));
    if let Some((to, from)) = fitted {
        to.copy_from_slice(from);
    }
    buffer
        .get(..len)
        .and_then(|fitted| digest::Digest::import_less_safe(fitted, algorithm).ok())
        .ok_or(CryptoError::Failed("the digest does not fit"))
}

impl From<keyformat::FormatError> for CryptoError {
    fn from(error: keyformat::FormatError) -> Self {
        Self::BadParameters(error.to_string())
    }
}

#[cfg(test)]
mod tests;
#[cfg(test)]
mod vectors;
