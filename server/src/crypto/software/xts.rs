//! AES in XTS (SP 800-38E, IEEE 1619-2018 §5) over the ECB of aws-lc-rs, which itself shows no XTS. The lengths have been
//! checked before: one data unit, of a block at least.

use zeroize::Zeroizing;

use super::block;
use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Cipher, Padding};
use crate::secret;

const BLOCK: usize = 16;
const ECB: Cipher<'static> = Cipher::AesEcb { padding: Padding::None };
const FAILED: CryptoError = CryptoError::Failed("the cipher failed");

/// Encrypts or decrypts a data unit where it stands.
pub(super) fn apply(key: &[u8], tweak: &[u8], data: &mut [u8], encrypts: bool) -> Result<(), CryptoError> {
    let (first, second) = key.split_at_checked(key.len() / 2).ok_or(FAILED)?;
    // With two halves that are alike the mode is not what it was shown to be (FIPS 140-3 IG C.I). What was encrypted so
    // elsewhere may be read.
    if encrypts && secret::equal(first, second) {
        return Err(CryptoError::BadParameters("the two halves of the XTS key are the same".into()));
    }
    let mut start: [u8; BLOCK] = tweak.try_into().map_err(|_| FAILED)?;
    block::apply(second, &ECB, &mut start, true)?;
    let blocks = data.len() / BLOCK;
    let rest = data.len() % BLOCK;
    if rest == 0 {
        return whiten(first, u128::from_le_bytes(start), data, encrypts);
    }
    // The last whole block lends its end to the rest (§5.3.2). On decryption it is the one with the last tweak that comes
    // first.
    let (head, tail) = data.split_at_mut_checked((blocks - 1) * BLOCK).ok_or(FAILED)?;
    whiten(first, u128::from_le_bytes(start), head, encrypts)?;
    let mut before = u128::from_le_bytes(start);
    for _ in 1..blocks {
        before = double(before);
    }
    let after = double(before);
    let (one, other) = if encrypts { (before, after) } else { (after, before) };
    let (whole, short) = tail.split_at_mut_checked(BLOCK).ok_or(FAILED)?;
    whiten(first, one, whole, encrypts)?;
    let mut last = Zeroizing::new([0; BLOCK]);
    last.copy_from_slice(whole);
    for (end, byte) in short.iter_mut().zip(last.iter_mut()) {
        std::mem::swap(end, byte);
    }
    whiten(first, other, &mut *last, encrypts)?;
    whole.copy_from_slice(&*last);
    Ok(())
}

/// Whole blocks, from this tweak on.
fn whiten(key: &[u8], from: u128, data: &mut [u8], encrypts: bool) -> Result<(), CryptoError> {
    if data.is_empty() {
        return Ok(());
    }
    mix(from, data);
    block::apply(key, &ECB, data, encrypts)?;
    mix(from, data);
    Ok(())
}

fn mix(mut tweak: u128, data: &mut [u8]) {
    for block in data.chunks_exact_mut(BLOCK) {
        block.iter_mut().zip(tweak.to_le_bytes()).for_each(|(byte, with)| *byte ^= with);
        tweak = double(tweak);
    }
}

/// Times x in GF(2^128) (§5.2), without looking at the tweak.
const fn double(tweak: u128) -> u128 {
    (tweak << 1) ^ (0x87 * (tweak >> 127))
}
