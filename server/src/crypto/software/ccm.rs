//! AES in CCM (SP 800-38C, RFC 3610), put together from CBC and CTR as §6 says: aws-lc-rs has no CCM, and RustCrypto's
//! has nonce and tag in its types, so that each pair of lengths would be another copy of it.

use zeroize::Zeroizing;

use super::block;
use crate::crypto::algorithm::{Cipher, Encrypted, Padding};
use crate::crypto::{CryptoError, UNDECRYPTABLE};
use crate::secret::{self, Secret};

const BLOCK: usize = 16;
/// The longest associated data whose length takes two bytes (§A.2.2).
const SHORT: usize = 0xff00;

pub(super) fn seal(
    key: &[u8],
    nonce: &[u8],
    aad: &[u8],
    tag_len: usize,
    data: &[u8],
) -> Result<Encrypted, CryptoError> {
    let mut tag = code(key, nonce, aad, tag_len, data)?;
    mask(key, nonce, &mut tag)?;
    let mut out = data.to_vec();
    stream(key, nonce, &mut out)?;
    Ok(Encrypted { data: out, tag })
}

pub(super) fn open(key: &[u8], nonce: &[u8], aad: &[u8], tag: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
    let mut out = Zeroizing::new(data.to_vec());
    stream(key, nonce, &mut out)?;
    let mut expected = code(key, nonce, aad, tag.len(), &out)?;
    mask(key, nonce, &mut expected)?;
    // What has been decrypted is shown to nobody before the tag is right.
    if secret::equal(&expected, tag) { Ok(Secret::new(std::mem::take(&mut *out))) } else { Err(UNDECRYPTABLE) }
}

/// The code before it is masked: the last block of CBC with no IV over what §A.2 makes of nonce, associated data and data.
fn code(key: &[u8], nonce: &[u8], aad: &[u8], tag_len: usize, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut blocks = Zeroizing::new(Vec::with_capacity(aad.len() + data.len() + 4 * BLOCK));
    // Flags: whether there is associated data, the length of the tag, and that of the length of the data (§A.2.1).
    let length = 15_usize.saturating_sub(nonce.len());
    let flags = (usize::from(!aad.is_empty()) << 6) | ((tag_len.saturating_sub(2) / 2) << 3) | length.saturating_sub(1);
    blocks.push(u8::try_from(flags).map_err(|_| FAILED)?);
    blocks.extend_from_slice(nonce);
    let bytes = (data.len() as u128).to_be_bytes();
    blocks.extend_from_slice(bytes.get(BLOCK - length..).ok_or(FAILED)?);
    match (aad.len(), u16::try_from(aad.len()), u32::try_from(aad.len())) {
        (0, ..) => {}
        (..SHORT, Ok(len), _) => blocks.extend_from_slice(&len.to_be_bytes()),
        (_, _, Ok(len)) => {
            blocks.extend_from_slice(&[0xff, 0xfe]);
            blocks.extend_from_slice(&len.to_be_bytes());
        }
        _ => return Err(CryptoError::Failed("associated data too long for CCM")),
    }
    blocks.extend_from_slice(aad);
    fill(&mut blocks);
    blocks.extend_from_slice(data);
    fill(&mut blocks);
    block::apply(key, &Cipher::AesCbc { iv: &[0; BLOCK], padding: Padding::None }, &mut blocks, true)?;
    let last = blocks.len().checked_sub(BLOCK).and_then(|from| blocks.get(from..from + tag_len));
    last.map(<[u8]>::to_vec).ok_or(FAILED)
}

/// Zeros up to the next block.
fn fill(blocks: &mut Vec<u8>) {
    blocks.resize(blocks.len().next_multiple_of(BLOCK), 0);
}

/// The key stream from its first block, which masks the code.
fn mask(key: &[u8], nonce: &[u8], tag: &mut [u8]) -> Result<(), CryptoError> {
    block::apply(key, &Cipher::AesCtr { iv: &counter(nonce, 0), bits: 128 }, tag, true)
}

/// The key stream from its second block, which hides the data.
fn stream(key: &[u8], nonce: &[u8], data: &mut [u8]) -> Result<(), CryptoError> {
    if data.is_empty() {
        return Ok(());
    }
    block::apply(key, &Cipher::AesCtr { iv: &counter(nonce, 1), bits: 128 }, data, true)
}

/// A counter block (§A.3).
fn counter(nonce: &[u8], last: u8) -> [u8; BLOCK] {
    let mut block = [0; BLOCK];
    let flags = u8::try_from(14_usize.saturating_sub(nonce.len())).unwrap_or(0);
    let bytes = std::iter::once(flags).chain(nonce.iter().copied());
    block.iter_mut().zip(bytes).for_each(|(to, from)| *to = from);
    if let Some(end) = block.last_mut() {
        *end = last;
    }
    block
}

const FAILED: CryptoError = CryptoError::Failed("the cipher failed");
