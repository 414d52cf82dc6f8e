//! AES Key Wrap (RFC 3394) and its padded form (RFC 5649) over a block cipher that is somewhere else.
//!
//! A key in the module may encrypt and decrypt blocks; the wrapping key's template forbids it to wrap keys, or it would
//! become a way out for others. So the rounds are made here, and each block in the module.

use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::secret;

const BAD: CryptoError = CryptoError::Failed("the wrapped key does not verify");
/// The initial value of RFC 3394 §2.2.3.1.
const IV: [u8; 8] = [0xa6; 8];
/// The constant half of the alternative initial value, RFC 5649 §3.
const AIV: [u8; 4] = [0xa6, 0x59, 0x59, 0xa6];

type Block = Zeroizing<[u8; 16]>;

/// One block through the cipher, in either direction.
pub(super) trait Cipher {
    fn block(&mut self, block: &[u8; 16]) -> Result<Block, CryptoError>;
}

impl<F: FnMut(&[u8; 16]) -> Result<Block, CryptoError>> Cipher for F {
    fn block(&mut self, block: &[u8; 16]) -> Result<Block, CryptoError> {
        self(block)
    }
}

/// RFC 3394 §2.2.1.
pub(super) fn wrap(cipher: impl Cipher, key: &[u8]) -> Result<Vec<u8>, CryptoError> {
    if key.len() < 16 || !key.len().is_multiple_of(8) {
        return Err(CryptoError::Failed("AES key wrap takes a multiple of 8 bytes, at least 16"));
    }
    rounds(cipher, IV, key)
}

/// RFC 5649 §4.1.
pub(super) fn wrap_padded(mut cipher: impl Cipher, key: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let length = u32::try_from(key.len()).ok().filter(|length| *length > 0);
    let Some(length) = length else {
        return Err(CryptoError::Failed("AES key wrap with padding takes 1 byte at least"));
    };
    let initial = join(&AIV, &length.to_be_bytes());
    let mut padded = Zeroizing::new(Vec::with_capacity(key.len().next_multiple_of(8)));
    padded.extend_from_slice(key);
    padded.resize(key.len().next_multiple_of(8), 0);
    if let Ok(only) = <[u8; 8]>::try_from(padded.as_slice()) {
        return cipher.block(&pair(initial, only)).map(|block| block.to_vec());
    }
    rounds(cipher, initial, &padded)
}

/// RFC 3394 §2.2.2.
pub(super) fn unwrap(cipher: impl Cipher, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    if wrapped.len() < 24 || !wrapped.len().is_multiple_of(8) {
        return Err(BAD);
    }
    let (initial, key) = unrounds(cipher, wrapped)?;
    if secret::equal(&initial, &IV) { Ok(key) } else { Err(BAD) }
}

/// RFC 5649 §4.2.
pub(super) fn unwrap_padded(mut cipher: impl Cipher, wrapped: &[u8]) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    if wrapped.len() < 16 || !wrapped.len().is_multiple_of(8) {
        return Err(BAD);
    }
    let (initial, mut key) = if let Ok(block) = <[u8; 16]>::try_from(wrapped) {
        let (initial, key) = halves(&*cipher.block(&block)?);
        (initial, Zeroizing::new(key.to_vec()))
    } else {
        unrounds(cipher, wrapped)?
    };
    let (constant, length) = split4(initial);
    let length = usize::try_from(u32::from_be_bytes(length)).unwrap_or(usize::MAX);
    let fits = length <= key.len() && length.saturating_add(8) > key.len();
    let clean = fits && key.iter().skip(length).fold(0, |bits, byte| bits | byte) == 0;
    if !clean || !secret::equal(&constant, &AIV) {
        return Err(BAD);
    }
    key.truncate(length);
    Ok(key)
}

/// The six passes of RFC 3394 §2.2.1, by index.
fn rounds(mut cipher: impl Cipher, initial: [u8; 8], key: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut a = initial;
    let mut registers: Zeroizing<Vec<[u8; 8]>> = Zeroizing::new(key.as_chunks::<8>().0.to_vec());
    let mut step = 0_u64;
    for _ in 0..6 {
        for register in registers.iter_mut() {
            step += 1;
            let (left, right) = halves(&*cipher.block(&pair(a, *register))?);
            a = xor(left, step.to_be_bytes());
            *register = right;
        }
    }
    let mut out = a.to_vec();
    out.extend(registers.iter().flatten());
    Ok(out)
}

/// The same backwards: the initial value and the key.
fn unrounds(mut cipher: impl Cipher, wrapped: &[u8]) -> Result<([u8; 8], Zeroizing<Vec<u8>>), CryptoError> {
    let (blocks, _) = wrapped.as_chunks::<8>();
    let Some((first, rest)) = blocks.split_first() else {
        return Err(BAD);
    };
    let mut a = *first;
    let mut registers = Zeroizing::new(rest.to_vec());
    let mut step = registers.len() as u64 * 6;
    for _ in 0..6 {
        for register in registers.iter_mut().rev() {
            let (left, right) = halves(&*cipher.block(&pair(xor(a, step.to_be_bytes()), *register))?);
            a = left;
            *register = right;
            step -= 1;
        }
    }
    let mut key = Zeroizing::new(Vec::with_capacity(registers.len() * 8));
    key.extend(registers.iter().flatten());
    Ok((a, key))
}

fn pair(left: [u8; 8], right: [u8; 8]) -> Block {
    let mut block = Zeroizing::new([0; 16]);
    for (to, from) in block.iter_mut().zip(left.into_iter().chain(right)) {
        *to = from;
    }
    block
}

fn halves(block: &[u8; 16]) -> ([u8; 8], [u8; 8]) {
    let (mut left, mut right) = ([0; 8], [0; 8]);
    for (to, from) in left.iter_mut().chain(right.iter_mut()).zip(block) {
        *to = *from;
    }
    (left, right)
}

fn xor(one: [u8; 8], other: [u8; 8]) -> [u8; 8] {
    (u64::from_be_bytes(one) ^ u64::from_be_bytes(other)).to_be_bytes()
}

fn join(left: &[u8; 4], right: &[u8; 4]) -> [u8; 8] {
    (u64::from(u32::from_be_bytes(*left)) << 32 | u64::from(u32::from_be_bytes(*right))).to_be_bytes()
}

fn split4(both: [u8; 8]) -> ([u8; 4], [u8; 4]) {
    let [a, b, c, d, e, f, g, h] = both;
    ([a, b, c, d], [e, f, g, h])
}
