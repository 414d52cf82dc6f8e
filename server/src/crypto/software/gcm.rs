//! AES in GCM (SP 800-38D).
//!
//! With a nonce of 12 bytes and a full tag everything is aws-lc-rs. It knows no other nonce and verifies no shortened
//! tag; these go through GHASH and CTR of RustCrypto, put together here as §7 says.

use aes::{Aes128, Aes192, Aes256};
use aws_lc_rs::aead::{AES_128_GCM, AES_192_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use cipher::{BlockCipherEncrypt, BlockSizeUser, InnerIvInit, KeyInit, StreamCipher, StreamCipherSeek, consts::U16};
use ctr::{Ctr32BE, CtrCore};
use ghash::GHash;
use ghash::universal_hash::UniversalHash;
use zeroize::Zeroizing;

use super::ClearKey;
use crate::crypto::algorithm::Encrypted;
use crate::crypto::{CryptoError, UNDECRYPTABLE};
use crate::secret::{self, Secret};

/// Length of the nonce that every GCM has, in bytes.
const NONCE: usize = 12;
/// Length of a full tag, in bytes.
const TAG: usize = 16;

pub(super) fn seal(
    key: &ClearKey,
    iv: &[u8],
    aad: &[u8],
    tag_len: usize,
    data: &[u8],
) -> Result<Encrypted, CryptoError> {
    let (data, tag) = match <[u8; NONCE]>::try_from(iv) {
        Ok(nonce) => {
            let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(aad));
            let (mut out, mut tag) = (vec![0; data.len()], vec![0; TAG]);
            let sealed = key.gcm()?.seal_out_of_place_scatter(nonce, aad, data, &mut out, &[], &mut tag);
            sealed.map_err(|_| failed())?;
            (out, tag)
        }
        Err(_) => {
            let mut out = data.to_vec();
            let tag = with_cipher(key.bytes().expose(), General::Seal { iv, aad, data: &mut out })?;
            (out, tag.to_vec())
        }
    };
    let mut tag = tag;
    // A shortened tag is the leftmost bytes of the full one (§7.1 step 6).
    tag.truncate(tag_len);
    Ok(Encrypted { data, tag })
}

pub(super) fn open(key: &ClearKey, iv: &[u8], aad: &[u8], tag: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
    let mut out = Zeroizing::new(vec![0; data.len()]);
    match <[u8; NONCE]>::try_from(iv) {
        Ok(nonce) if tag.len() == TAG => {
            let (nonce, aad) = (Nonce::assume_unique_for_key(nonce), Aad::from(aad));
            key.gcm()?.open_separate_gather(nonce, aad, data, tag, &mut out).map_err(|_| UNDECRYPTABLE)?;
        }
        _ => {
            out.copy_from_slice(data);
            with_cipher(key.bytes().expose(), General::Open { iv, aad, tag, data: &mut out })?;
        }
    }
    Ok(Secret::new(std::mem::take(&mut *out)))
}

/// A key's schedule.
pub(super) fn less_safe(key: &[u8]) -> Result<LessSafeKey, CryptoError> {
    let algorithm = match key.len() {
        16 => &AES_128_GCM,
        24 => &AES_192_GCM,
        _ => &AES_256_GCM,
    };
    UnboundKey::new(algorithm, key).map(LessSafeKey::new).map_err(|_| failed())
}

/// What to do with a nonce or a tag that aws-lc-rs does not take; the data is changed in place.
enum General<'a> {
    Seal { iv: &'a [u8], aad: &'a [u8], data: &'a mut [u8] },
    Open { iv: &'a [u8], aad: &'a [u8], tag: &'a [u8], data: &'a mut [u8] },
}

fn with_cipher(key: &[u8], work: General<'_>) -> Result<[u8; TAG], CryptoError> {
    match key.len() {
        16 => general::<Aes128>(key, work),
        24 => general::<Aes192>(key, work),
        _ => general::<Aes256>(key, work),
    }
}

/// Algorithms 4 and 5 (§7.1, §7.2), with the same names. Answers the full tag.
fn general<C>(key: &[u8], work: General<'_>) -> Result<[u8; TAG], CryptoError>
where
    C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
{
    let cipher = C::new_from_slice(key).map_err(|_| failed())?;
    let mut h = ghash::Key::default();
    cipher.encrypt_block(&mut h);
    let hash = GHash::new(&h);
    zeroize::Zeroize::zeroize(&mut h[..]);

    let (General::Seal { iv, .. } | General::Open { iv, .. }) = &work;
    let j0 = first_block(&hash, iv);
    // The first block of the key stream, E(J0), masks the tag; the data starts with the block after it.
    let mut stream = Ctr32BE::from_core(CtrCore::inner_iv_init(cipher, &j0.into()));
    let mut mask = [0; TAG];
    stream.apply_keystream(&mut mask);

    let mask_with = |mut tag: [u8; TAG]| {
        tag.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        tag
    };
    match work {
        General::Seal { aad, data, .. } => {
            stream.apply_keystream(data);
            Ok(mask_with(finish(hash, aad, data)))
        }
        General::Open { aad, tag, data, .. } => {
            let full = mask_with(finish(hash, aad, data));
            let expected = full.get(..tag.len()).ok_or(UNDECRYPTABLE)?;
            // Nothing is decrypted before the tag is right.
            if !secret::equal(expected, tag) {
                return Err(UNDECRYPTABLE);
            }
            stream.apply_keystream(data);
            Ok(full)
        }
    }
}

/// An encryption that goes on from part to part. Of the key it keeps the hash key alone: the key comes with each part.
#[derive(Clone)]
pub struct Sealing {
    j0: [u8; TAG],
    hash: GHash,
    aad: u64,
    done: u64,
    /// Ciphertext that is no whole block yet.
    waiting: Vec<u8>,
}

impl Sealing {
    /// Begins one.
    ///
    /// # Errors
    /// A key of a wrong length.
    pub fn begin(key: &[u8], iv: &[u8], aad: &[u8]) -> Result<Self, CryptoError> {
        let mut h = ghash::Key::default();
        encrypt_block(key, &mut h)?;
        let mut hash = GHash::new(&h);
        zeroize::Zeroize::zeroize(&mut h[..]);
        let j0 = first_block(&hash, iv);
        hash.update_padded(aad);
        Ok(Self { j0, hash, aad: aad.len() as u64, done: 0, waiting: Vec::new() })
    }

    /// Encrypts the next data.
    ///
    /// # Errors
    /// More data than GCM takes.
    pub fn step(&mut self, key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        const MOST: u64 = (1 << 36) - 32;
        let after = self.done.saturating_add(data.len() as u64);
        if after > MOST {
            return Err(CryptoError::Failed("data too long for GCM"));
        }
        let mut out = data.to_vec();
        match key.len() {
            16 => self.apply::<Aes128>(key, &mut out)?,
            24 => self.apply::<Aes192>(key, &mut out)?,
            _ => self.apply::<Aes256>(key, &mut out)?,
        }
        self.done = after;
        self.waiting.extend_from_slice(&out);
        let whole = self.waiting.len() / TAG * TAG;
        let rest = self.waiting.split_off(whole);
        self.hash.update_padded(&std::mem::replace(&mut self.waiting, rest));
        Ok(out)
    }

    fn apply<C>(&self, key: &[u8], data: &mut [u8]) -> Result<(), CryptoError>
    where
        C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit,
    {
        let cipher = C::new_from_slice(key).map_err(|_| failed())?;
        let mut stream = Ctr32BE::from_core(CtrCore::inner_iv_init(cipher, &self.j0.into()));
        // The first block masks the tag.
        stream.try_seek(self.done + TAG as u64).map_err(|_| failed())?;
        stream.try_apply_keystream(data).map_err(|_| failed())
    }

    /// Ends it: the tag.
    ///
    /// # Errors
    /// A key of a wrong length.
    pub fn finish(mut self, key: &[u8], tag_len: usize) -> Result<Vec<u8>, CryptoError> {
        self.hash.update_padded(&self.waiting);
        let mut tag = closed(self.hash, self.aad, self.done);
        let mut mask = ghash::Block::default();
        mask.copy_from_slice(&self.j0);
        encrypt_block(key, &mut mask)?;
        tag.iter_mut().zip(mask).for_each(|(byte, mask)| *byte ^= mask);
        tag.get(..tag_len).map(<[u8]>::to_vec).ok_or_else(failed)
    }
}

fn encrypt_block(key: &[u8], block: &mut ghash::Block) -> Result<(), CryptoError> {
    fn with<C: BlockCipherEncrypt + BlockSizeUser<BlockSize = U16> + KeyInit>(
        key: &[u8],
        block: &mut ghash::Block,
    ) -> Result<(), CryptoError> {
        C::new_from_slice(key).map_err(|_| failed())?.encrypt_block(block);
        Ok(())
    }
    match key.len() {
        16 => with::<Aes128>(key, block),
        24 => with::<Aes192>(key, block),
        _ => with::<Aes256>(key, block),
    }
}

/// J0 (§7.1 step 2).
fn first_block(hash: &GHash, iv: &[u8]) -> [u8; TAG] {
    match <[u8; NONCE]>::try_from(iv) {
        Ok(nonce) => {
            let mut block = [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1];
            block.iter_mut().zip(nonce).for_each(|(to, from)| *to = from);
            block
        }
        Err(_) => finish(hash.clone(), &[], iv),
    }
}

/// GHASH of both parts, each filled to whole blocks, and their lengths in bits (§6.4, §7.1 step 5).
fn finish(mut hash: GHash, aad: &[u8], data: &[u8]) -> [u8; TAG] {
    hash.update_padded(aad);
    hash.update_padded(data);
    closed(hash, aad.len() as u64, data.len() as u64)
}

/// The last block, of both lengths in bits.
fn closed(mut hash: GHash, aad: u64, data: u64) -> [u8; TAG] {
    let mut lengths = ghash::Block::default();
    let bits = ((u128::from(aad) * 8) << 64) | (u128::from(data) * 8);
    lengths.copy_from_slice(&bits.to_be_bytes());
    hash.update(&[lengths]);
    hash.finalize().into()
}

fn failed() -> CryptoError {
    CryptoError::Failed("the cipher failed")
}
