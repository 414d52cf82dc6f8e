//! Sealing: bytes become unreadable, and cannot be moved or changed unnoticed.
//!
//! The cipher is XAES-256-GCM: with 192 random bits a nonce cannot repeat in practice, whatever a power cut or a restore
//! brings back.

use std::collections::BTreeMap;
use std::fmt;

use aws_lc_rs::hmac;
use kmip_codec::wipe::wipe_slice;
use xaes_256_gcm::Xaes256Gcm;
use xaes_256_gcm::aead::inout::InOutBuf;
use xaes_256_gcm::aead::{AeadInOut, KeyInit};
use zeroize::{Zeroize, Zeroizing};

use crate::secret::Secret;

/// Length of a nonce, in bytes.
const NONCE: usize = 24;
/// Length of a tag, in bytes.
const TAG: usize = 16;
/// Length of every key here, in bytes.
pub const KEY: usize = 32;
/// What sealing adds to the length, in bytes.
pub const OVERHEAD: usize = NONCE + TAG;

/// Why something was not sealed or opened. It names no secret.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SealError {
    /// A key is not 32 bytes long.
    #[error("a key has a wrong length")]
    KeyLength,
    /// The system has no random numbers.
    #[error("no random numbers")]
    Random,
    /// It is longer than the cipher may seal.
    #[error("too long to be sealed")]
    TooLong,
    /// The key is another one, or the bytes or what they are bound to were changed.
    #[error("it does not open: another key, or it was changed")]
    Open,
}

/// Fresh random bytes.
pub fn random<const N: usize>() -> Result<Zeroizing<[u8; N]>, SealError> {
    let mut bytes = Zeroizing::new([0; N]);
    aws_lc_rs::rand::fill(bytes.as_mut_slice()).map_err(|_| SealError::Random)?;
    Ok(bytes)
}

/// A key that seals.
pub struct SealKey(Xaes256Gcm);

impl SealKey {
    /// Takes a key of 32 bytes.
    pub fn new(key: &Secret) -> Result<Self, SealError> {
        Xaes256Gcm::new_from_slice(key.expose()).map(Self).map_err(|_| SealError::KeyLength)
    }

    /// Appends nonce, ciphertext and tag to `out`, bound to `context`.
    pub fn seal(&self, context: &[u8], plaintext: &[u8], out: &mut Vec<u8>) -> Result<(), SealError> {
        self.seal_with(&mut Nonces::default(), context, plaintext, out)
    }

    /// As [`seal`](Self::seal), with a nonce of several that were drawn together.
    pub(super) fn seal_with(
        &self,
        nonces: &mut Nonces,
        context: &[u8],
        plaintext: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), SealError> {
        let nonce = nonces.next()?;
        // All of it at once: a buffer that grows would leave plaintext behind.
        out.reserve(plaintext.len() + OVERHEAD);
        out.extend_from_slice(&nonce);
        let start = out.len();
        out.extend_from_slice(plaintext);
        let buffer = out.get_mut(start..).unwrap_or_default();
        match self.0.encrypt_inout_detached(&nonce.into(), context, InOutBuf::from(&mut *buffer)) {
            Ok(tag) => {
                out.extend_from_slice(&tag);
                Ok(())
            }
            Err(_) => {
                buffer.zeroize();
                Err(SealError::TooLong)
            }
        }
    }

    /// Opens what [`seal`](Self::seal) made.
    pub fn open(&self, context: &[u8], sealed: &[u8]) -> Result<Secret, SealError> {
        let (nonce, rest) = sealed.split_first_chunk::<NONCE>().ok_or(SealError::Open)?;
        let (ciphertext, tag) = rest.split_last_chunk::<TAG>().ok_or(SealError::Open)?;
        let mut buffer = Zeroizing::new(ciphertext.to_vec());
        self.0
            .decrypt_inout_detached(&(*nonce).into(), context, InOutBuf::from(buffer.as_mut_slice()), &(*tag).into())
            .map_err(|_| SealError::Open)?;
        Ok(Secret::new(std::mem::take(&mut *buffer)))
    }
}

impl fmt::Debug for SealKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealKey")
    }
}

/// How many nonces are drawn together: as many as a new object has sealed rows.
const TOGETHER: usize = 4;

/// Fresh random nonces, each for one use: asking for random numbers takes longer than sealing. They serve what is sealed in one
/// go, and are never kept: a copy of the machine would use them, too.
#[derive(Default)]
pub(super) struct Nonces {
    drawn: [[u8; NONCE]; TOGETHER],
    used: usize,
    is_drawn: bool,
}

impl Nonces {
    fn next(&mut self) -> Result<[u8; NONCE], SealError> {
        if !self.is_drawn || self.used >= TOGETHER {
            aws_lc_rs::rand::fill(self.drawn.as_flattened_mut()).map_err(|_| SealError::Random)?;
            (self.used, self.is_drawn) = (0, true);
        }
        let nonce = self.drawn.get(self.used).ok_or(SealError::Random)?;
        self.used += 1;
        Ok(*nonce)
    }
}

/// Messages of so many bytes are hashed where they are put together.
const SHORT: usize = 256;

/// A keyed hash: equal for equal values, and says nothing else to who has not the index key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Hash16(pub [u8; 16]);

/// The keys of a store: the index key, which stays, and the key-encryption keys by generation.
pub struct KeyRing {
    index: hmac::Key,
    generations: BTreeMap<u32, SealKey>,
    current: u32,
}

impl KeyRing {
    /// Puts keys together. `current` seals, every generation opens.
    pub fn new(index: &Secret, generations: &BTreeMap<u32, Secret>, current: u32) -> Result<Self, SealError> {
        if index.len() != KEY || !generations.contains_key(&current) {
            return Err(SealError::KeyLength);
        }
        let keys = generations.iter().map(|(number, key)| Ok((*number, SealKey::new(key)?)));
        Ok(Self {
            index: hmac::Key::new(hmac::HMAC_SHA256, index.expose()),
            generations: keys.collect::<Result<_, SealError>>()?,
            current,
        })
    }

    /// A ring of fresh random keys, for tests and new stores.
    pub fn random() -> Result<Self, SealError> {
        let index = Secret::copy_of(random::<KEY>()?.as_slice());
        let first = Secret::copy_of(random::<KEY>()?.as_slice());
        Self::new(&index, &BTreeMap::from([(1, first)]), 1)
    }

    /// The generation that seals.
    pub fn current(&self) -> u32 {
        self.current
    }

    /// The key of a generation.
    pub(super) fn key(&self, generation: u32) -> Option<&SealKey> {
        self.generations.get(&generation)
    }

    /// HMAC-SHA-256, cut to 16 bytes, over a domain and parts whose borders count.
    pub(super) fn hash(&self, domain: u8, parts: &[&[u8]]) -> Hash16 {
        Self::with_message(domain, parts, |message| self.hash_message(message))
    }

    /// Shows a domain and parts in one piece: a hash costs more by its calls than by its bytes.
    pub(super) fn with_message<T>(domain: u8, parts: &[&[u8]], show: impl FnOnce(&[u8]) -> T) -> T {
        let length = 1 + parts.iter().map(|part| size_of::<u64>() + part.len()).sum::<usize>();
        // Most are short, and wiped sooner than memory for them is asked for.
        let mut short = [0; SHORT];
        let mut long = Vec::new();
        let message = match short.get_mut(..length) {
            Some(message) => message,
            None => {
                long.resize(length, 0);
                long.as_mut_slice()
            }
        };
        let mut room = &mut *message;
        let mut put = |bytes: &[u8]| {
            if let Some((place, rest)) = std::mem::take(&mut room).split_at_mut_checked(bytes.len()) {
                place.copy_from_slice(bytes);
                room = rest;
            }
        };
        put(&[domain]);
        for part in parts {
            put(&(part.len() as u64).to_be_bytes());
            put(part);
        }
        let shown = show(message);
        wipe_slice(message);
        shown
    }

    /// The hash of what [`with_message`](Self::with_message) shows.
    pub(super) fn hash_message(&self, message: &[u8]) -> Hash16 {
        let tag = hmac::sign(&self.index, message);
        Hash16(tag.as_ref().first_chunk().copied().unwrap_or_default())
    }
}

impl fmt::Debug for KeyRing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyRing({} generations, current {})", self.generations.len(), self.current)
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use super::*;

    #[test]
    fn no_nonce_is_used_twice() {
        let (mut nonces, mut others) = (Nonces::default(), Nonces::default());
        let used = (0..3 * TOGETHER).flat_map(|_| [nonces.next().unwrap(), others.next().unwrap()]);
        let used: HashSet<_> = used.collect();
        assert_eq!(used.len(), 6 * TOGETHER);
        assert!(!used.contains(&[0; NONCE]));
    }

    /// Rows are found by these hashes for ever.
    #[test]
    fn short_and_long_values_are_hashed_alike() {
        let index = [5; KEY];
        let ring =
            KeyRing::new(&Secret::copy_of(&index), &BTreeMap::from([(1, Secret::copy_of(&[6; KEY]))]), 1).unwrap();
        for length in [0, 1, SHORT - 18, SHORT - 17, SHORT - 16, 5000] {
            let value = vec![7; length];
            let length = (length as u64).to_be_bytes();
            let message = [&[3][..], &length, &value, &2_u64.to_be_bytes(), b"ab"].concat();
            let expected = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &index), &message);
            assert_eq!(ring.hash(3, &[&value, b"ab"]).0, expected.as_ref()[..16]);
        }
    }

    #[test]
    fn what_is_sealed_with_nonces_drawn_together_opens_alone() {
        let key = SealKey::new(&Secret::copy_of(&[7; KEY])).unwrap();
        let mut nonces = Nonces::default();
        for number in 0..2 * TOGETHER {
            let mut out = b"before".to_vec();
            key.seal_with(&mut nonces, b"context", &[number as u8; 300], &mut out).unwrap();
            let sealed = out.strip_prefix(b"before").unwrap();
            assert_eq!(sealed.len(), 300 + OVERHEAD);
            assert_eq!(key.open(b"context", sealed).unwrap().expose(), [number as u8; 300]);
            assert_eq!(key.open(b"another", sealed).unwrap_err(), SealError::Open);
        }
    }
}
