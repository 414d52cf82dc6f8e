//! ChaCha20 and Poly1305 (RFC 8439 §2.8), by aws-lc-rs. It verifies no shortened tag: then the tag is made anew from what
//! ChaCha20 alone decrypts, and nothing of that is shown before the two are the same.

use aws_lc_rs::aead::{Aad, CHACHA20_POLY1305, LessSafeKey, Nonce, UnboundKey};
use zeroize::Zeroizing;

use super::block::chacha20;
use crate::crypto::algorithm::Encrypted;
use crate::crypto::{CryptoError, UNDECRYPTABLE};
use crate::secret::{self, Secret};

const TAG: usize = 16;
const FAILED: CryptoError = CryptoError::Failed("the cipher failed");

pub(super) fn seal(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    tag_len: usize,
    data: &[u8],
) -> Result<Encrypted, CryptoError> {
    let key = UnboundKey::new(&CHACHA20_POLY1305, key).map(LessSafeKey::new).map_err(|_| FAILED)?;
    let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| FAILED)?;
    let mut out = vec![0; data.len()];
    let mut tag = vec![0; TAG];
    key.seal_out_of_place_scatter(nonce, Aad::from(aad), data, &mut out, &[], &mut tag).map_err(|_| FAILED)?;
    tag.truncate(tag_len);
    Ok(Encrypted { data: out, tag })
}

pub(super) fn open(key: &[u8], nonce: &[u8], aad: &[u8], tag: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
    let mut out = Zeroizing::new(data.to_vec());
    // The first block of key stream is Poly1305's (RFC 8439 §2.6).
    chacha20(key, nonce, 1, &mut out)?;
    let again = seal(key, nonce, aad, TAG, &out)?;
    let expected = again.tag.get(..tag.len()).ok_or(FAILED)?;
    if tag.is_empty() || !secret::equal(expected, tag) {
        return Err(UNDECRYPTABLE);
    }
    Ok(Secret::new(std::mem::take(&mut *out)))
}
