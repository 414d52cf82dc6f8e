//! EdDSA, verified (RFC 8032 §5.1.7, §5.2.7): Ed25519 by aws-lc-rs, Ed448 by RustCrypto.

use aws_lc_rs::signature::{ED25519, UnparsedPublicKey};
use ed448_goldilocks::{Signature, VerifyingKey};

use crate::crypto::CryptoError;
use crate::crypto::algorithm::Edwards;
use crate::crypto::keyformat::EdwardsPublic;

/// Whether a signature is one of the data; a public key that is no point verifies nothing.
pub(super) fn verify(spki: &[u8], data: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let EdwardsPublic { curve, key } = EdwardsPublic::from_spki(spki)?;
    Ok(match curve {
        Edwards::Ed25519 => UnparsedPublicKey::new(&ED25519, &key).verify(data, signature).is_ok(),
        Edwards::Ed448 => verify_448(&key, data, signature).unwrap_or(false),
        Edwards::X25519 | Edwards::X448 => {
            return Err(CryptoError::BadParameters("a key for agreement verifies nothing".into()));
        }
    })
}

fn verify_448(key: &[u8], data: &[u8], signature: &[u8]) -> Option<bool> {
    // The crate ignores seven bits that are no part of a point, and with which a signature would have others beside it.
    let is_whole = |point: &[u8]| point.get(56).is_some_and(|last| last & 0x7f == 0);
    if !is_whole(key) || !is_whole(signature) {
        return None;
    }
    let key = VerifyingKey::from_bytes(&key.try_into().ok()?).ok()?;
    let signature = Signature::from_bytes(signature.try_into().ok()?);
    Some(key.verify_raw(&signature, data).is_ok())
}
