//! What can be told from the parameters alone, the same for every provider: which key a mechanism takes, which lengths
//! fit. A provider calls these first, so that all of them refuse the same request with the same kind of error.

use super::algorithm::{Cipher, Curve, Family, Hash, KeyKind, Mac, Message, Padding, RsaCipher, Signature, Wrap};
use super::{CryptoError, UNDECRYPTABLE, keyblock};

/// Length of an AES block in bytes.
const BLOCK: usize = 16;
/// The longest plaintext of GCM in bytes (SP 800-38D §5.2.1.1).
const GCM_MAX: u64 = (1 << 36) - 32;
/// The longest data unit of XTS in bytes (SP 800-38E §4).
const XTS_MAX: usize = BLOCK << 20;
/// The longest symmetric key that is not AES, in bytes. Far above any use; it bounds what is held in memory.
const GENERIC_MAX: u32 = 1 << 16;

impl Cipher<'_> {
    /// Refuses what cannot be encrypted: a key that is not the cipher's, an IV or tag length that the mode does not have,
    /// data of a length (in bytes) that does not fit.
    pub fn check_encrypt(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        self.check_parameters(key, len)?;
        match self {
            Self::AesWrap(wrap) => wrap.check_wrap(key, len),
            _ if self.is_blocks() && self.padding() == Padding::None => whole_blocks(len, self.unit()),
            _ => Ok(()),
        }
    }

    /// Refuses what cannot be decrypted, as [`Cipher::check_encrypt`] does, and a tag that is not as long as said. A wrong
    /// length is told from no other failure.
    pub fn check_decrypt(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        self.check_decrypting(key, len).map_err(|error| match error {
            CryptoError::Failed(_) => UNDECRYPTABLE,
            error => error,
        })
    }

    fn check_decrypting(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        self.check_parameters(key, len)?;
        match self {
            Self::AesGcm { tag_len, tag, .. }
            | Self::AesCcm { tag_len, tag, .. }
            | Self::ChaCha20Poly1305 { tag_len, tag, .. }
                if tag.len() != *tag_len =>
            {
                Err(UNDECRYPTABLE)
            }
            Self::AesWrap(wrap) => wrap.check_unwrap(key, len),
            _ if self.is_blocks() && self.padding() != Padding::None && len == 0 => Err(UNDECRYPTABLE),
            _ if self.is_blocks() => whole_blocks(len, self.unit()),
            _ => Ok(()),
        }
    }

    fn check_parameters(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        let iv_of = |iv: &[u8], lengths: &[usize]| {
            if lengths.contains(&iv.len()) {
                Ok(())
            } else {
                Err(bad(format!("the IV has {} bytes, not {lengths:?}", iv.len())))
            }
        };
        match self {
            Self::TdesCbc { .. } | Self::TdesEcb { .. } if matches!(key, KeyKind::TripleDes { .. }) => key.check()?,
            Self::TdesCbc { .. } | Self::TdesEcb { .. } => check_bytes(key, "triple DES", &[16, 24])?,
            Self::ChaCha20 { .. } | Self::ChaCha20Poly1305 { .. } if key == KeyKind::ChaCha20 => {}
            Self::ChaCha20 { .. } | Self::ChaCha20Poly1305 { .. } => check_bytes(key, "ChaCha20", &[32])?,
            // Two keys of 128 bits, or two of 256.
            Self::AesXts { .. } if matches!(key, KeyKind::Aes { bits: 256 } | KeyKind::Generic { bytes: 64 }) => {}
            Self::AesXts { .. } => {
                return Err(bad(format!("XTS takes 256 or 512 bits, and not a key that is {key:?}")));
            }
            _ => check_aes(key)?,
        }
        match self {
            Self::AesGcm { iv: [], .. } => Err(bad("GCM needs a nonce")),
            Self::AesGcm { tag_len, .. } if !matches!(tag_len, 4 | 8 | 12..=16) => {
                Err(bad(format!("GCM has no tag of {tag_len} bytes")))
            }
            Self::AesGcm { .. } if len as u64 > GCM_MAX => Err(CryptoError::Failed("data too long for GCM")),
            Self::AesGcm { .. } | Self::AesEcb { .. } | Self::TdesEcb { .. } | Self::AesWrap(_) => Ok(()),
            Self::AesCcm { nonce, .. } if !matches!(nonce.len(), 7..=13) => {
                Err(bad(format!("CCM has no nonce of {} bytes", nonce.len())))
            }
            Self::AesCcm { tag_len, .. } if !matches!(tag_len, 4 | 6 | 8 | 10 | 12 | 14 | 16) => {
                Err(bad(format!("CCM has no tag of {tag_len} bytes")))
            }
            Self::AesCcm { nonce, .. } if ccm_overflows(nonce, len) => {
                Err(CryptoError::Failed("data too long for CCM with this nonce"))
            }
            Self::AesCcm { .. } => Ok(()),
            Self::AesXts { .. } if !(BLOCK..=XTS_MAX).contains(&len) => {
                Err(CryptoError::Failed("XTS takes 16 bytes to 16 MiB"))
            }
            Self::AesXts { tweak } => iv_of(tweak, &[BLOCK]),
            Self::AesCtr { iv, bits } => {
                iv_of(iv, &[BLOCK])?;
                if ctr_wraps(iv, *bits, len) { Err(bad("the counter would wrap")) } else { Ok(()) }
            }
            Self::AesCbc { iv, .. } | Self::AesCfb { iv } | Self::AesOfb { iv } => iv_of(iv, &[BLOCK]),
            Self::TdesCbc { iv, .. } => iv_of(iv, &[8]),
            Self::ChaCha20 { nonce, counter } => {
                iv_of(nonce, &[8, 12])?;
                let last = counter.checked_add(len.div_ceil(64).saturating_sub(1) as u64);
                let most = if nonce.len() == 12 { u64::from(u32::MAX) } else { u64::MAX };
                // The library has no block of key stream with the largest number.
                if last.is_some_and(|last| last < most) { Ok(()) } else { Err(bad("the counter would wrap")) }
            }
            Self::ChaCha20Poly1305 { tag_len, .. } if !matches!(tag_len, 12..=16) => {
                Err(bad(format!("Poly1305 has no tag of {tag_len} bytes")))
            }
            Self::ChaCha20Poly1305 { nonce, .. } => iv_of(nonce, &[12]),
        }
    }
}

impl Signature {
    /// Refuses what cannot be signed or verified: a key of the wrong kind, a hash that is not for signatures, a digest
    /// of the wrong length, a salt that does not fit into the modulus.
    pub fn check(&self, key: KeyKind, message: Message<'_>) -> Result<(), CryptoError> {
        match (self, key) {
            (Self::RsaPkcs1(_) | Self::RsaPkcs1Bare | Self::RsaPss { .. }, KeyKind::Rsa { .. })
            | (Self::Ecdsa(_) | Self::EcdsaBare, KeyKind::Ec { .. }) => {}
            (Self::MlDsa, KeyKind::PostQuantum { set }) if set.family() == Family::MlDsa => return data_alone(message),
            (Self::SlhDsa, KeyKind::PostQuantum { set }) if set.family() == Family::SlhDsa => {
                return data_alone(message);
            }
            (Self::Eddsa, KeyKind::Edwards { curve }) if curve.signs() => return data_alone(message),
            _ => {
                return Err(bad(format!("{self:?} does not go with a key that is {key:?}")));
            }
        }
        let Some(hash) = self.hash() else {
            return match message {
                // RFC 8017 §9.2: eleven bytes of the modulus are not for the message.
                Message::Digest([]) => Err(CryptoError::Failed("an empty digest")),
                Message::Digest(_) if matches!(key, KeyKind::Ec { .. }) => Ok(()),
                Message::Digest(digest) if digest.len() + 11 > keyblock::length_of(key).div_ceil(8) as usize => {
                    Err(CryptoError::Failed("the digest does not fit into the modulus"))
                }
                Message::Digest(_) => Ok(()),
                Message::Data(_) => Err(bad("nothing says how the data is hashed")),
            };
        };
        if let Self::RsaPss { mgf, .. } = self {
            not_for_digests_alone(*mgf, "signatures")?;
        }
        not_for_digests_alone(hash, "signatures")?;
        if let Message::Digest(digest) = message
            && digest.len() != hash.len()
        {
            return Err(CryptoError::Failed("the digest does not have the length of the hash"));
        }
        if let (Self::RsaPss { salt, .. }, KeyKind::Rsa { bits }) = (self, key) {
            // RFC 8017 §9.1.1 step 3, where the encoded message has one bit less than the modulus.
            let room = (bits.saturating_sub(1) as usize).div_ceil(8);
            if salt.saturating_add(hash.len() + 2) > room {
                return Err(bad(format!("a salt of {salt} bytes does not fit into {bits} bits")));
            }
        }
        Ok(())
    }

    /// The hash of the message; `None` where a digest is signed as it is.
    pub const fn hash(&self) -> Option<Hash> {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) => Some(*hash),
            Self::RsaPkcs1Bare | Self::EcdsaBare | Self::MlDsa | Self::SlhDsa | Self::Eddsa => None,
        }
    }

    /// Whether the data itself is signed, and never a digest of it.
    pub const fn is_pure(&self) -> bool {
        matches!(self, Self::MlDsa | Self::SlhDsa | Self::Eddsa)
    }
}

/// Refuses a digest where the data itself is signed.
fn data_alone(message: Message<'_>) -> Result<(), CryptoError> {
    match message {
        Message::Data(_) => Ok(()),
        Message::Digest(_) => Err(bad("this signature is of the data itself, and not of its digest")),
    }
}

impl RsaCipher<'_> {
    /// Refuses a key that is not RSA, and hash functions that are for digests alone.
    pub fn check(&self, key: KeyKind) -> Result<(), CryptoError> {
        if !matches!(key, KeyKind::Rsa { .. }) {
            return Err(bad(format!("RSA does not go with a key that is {key:?}")));
        }
        match self {
            Self::Oaep { hash, mgf, .. } => {
                not_for_digests_alone(*hash, "OAEP")?;
                not_for_digests_alone(*mgf, "OAEP")
            }
            Self::Pkcs1 => Ok(()),
        }
    }
}

impl Mac {
    /// Refuses a key that is not for MACs, and a hash that is not.
    pub fn check(&self, key: KeyKind) -> Result<(), CryptoError> {
        match (self, key) {
            (Self::Cmac, _) => check_aes(key),
            (Self::Poly1305, _) => check_bytes(key, "Poly1305", &[32]),
            (Self::Hmac(hash), KeyKind::Generic { bytes: 1..=GENERIC_MAX }) => not_for_digests_alone(*hash, "HMAC"),
            (Self::Hmac(_), _) => Err(bad(format!("HMAC does not go with a key that is {key:?}"))),
        }
    }

    /// Length of the whole code in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no code is empty")]
    pub const fn len(&self) -> usize {
        match self {
            Self::Hmac(hash) => hash.len(),
            Self::Cmac | Self::Poly1305 => BLOCK,
        }
    }
}

impl Wrap {
    /// Refuses a key that is not AES, and bytes of a length that cannot be wrapped.
    pub fn check_wrap(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        check_aes(key)?;
        match self {
            Self::AesKw if len < 16 || !len.is_multiple_of(8) => {
                Err(CryptoError::Failed("AES Key Wrap takes a multiple of 8 bytes, at least 16"))
            }
            Self::AesKwp if len == 0 || u32::try_from(len).is_err() => {
                Err(CryptoError::Failed("AES Key Wrap with Padding takes 1 byte to 4 GiB"))
            }
            _ => Ok(()),
        }
    }

    /// Refuses a key that is not AES, and bytes of a length that wrapping cannot have made.
    pub fn check_unwrap(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        check_aes(key)?;
        let least = match self {
            Self::AesKw => 24,
            Self::AesKwp => 16,
        };
        if len < least || !len.is_multiple_of(8) {
            return Err(CryptoError::Failed("not the length of a wrapped key"));
        }
        Ok(())
    }
}

impl KeyKind {
    /// Refuses a kind that does not exist: AES of another length than 128, 192 and 256 bits, triple DES of one or of four keys,
    /// no bytes at all, or an RSA modulus below 512 or above 16384 bits.
    pub fn check(&self) -> Result<(), CryptoError> {
        match self {
            Self::Aes { bits: 128 | 192 | 256 }
            | Self::Generic { bytes: 1..=GENERIC_MAX }
            | Self::TripleDes { bytes: 16 | 24 }
            | Self::ChaCha20
            | Self::Rsa { bits: 512..=16384 }
            | Self::Ec { .. }
            | Self::PostQuantum { .. }
            | Self::Edwards { .. } => Ok(()),
            _ => Err(bad(format!("there is no key that is {self:?}"))),
        }
    }

    /// Length in bytes of the raw bytes of a symmetric key; `None` for a pair.
    pub const fn raw_len(&self) -> Option<usize> {
        match self {
            Self::Aes { bits } => Some(*bits as usize / 8),
            Self::Generic { bytes } | Self::TripleDes { bytes } => Some(*bytes as usize),
            Self::ChaCha20 => Some(32),
            Self::Rsa { .. } | Self::Ec { .. } | Self::PostQuantum { .. } | Self::Edwards { .. } => None,
        }
    }
}

impl Curve {
    /// Length of the order, and of a coordinate, in bytes.
    pub const fn coordinate_len(self) -> usize {
        match self {
            Self::P224 => 28,
            Self::P256 | Self::Secp256k1 => 32,
            Self::P384 => 48,
            Self::P521 => 66,
        }
    }
}

fn not_for_digests_alone(hash: Hash, what: &str) -> Result<(), CryptoError> {
    if hash.is_for_digests_alone() {
        return Err(CryptoError::Unsupported(format!("{what} with {hash:?}")));
    }
    Ok(())
}

fn check_aes(key: KeyKind) -> Result<(), CryptoError> {
    match key {
        KeyKind::Aes { .. } => key.check(),
        _ => Err(bad(format!("AES does not go with a key that is {key:?}"))),
    }
}

/// A key that is nothing but bytes, of one of these lengths: where it has a kind of its own, one that was kept without it.
fn check_bytes(key: KeyKind, what: &str, lengths: &[u32]) -> Result<(), CryptoError> {
    match key {
        KeyKind::Generic { bytes } if lengths.contains(&bytes) => Ok(()),
        _ => Err(bad(format!("{what} does not go with a key that is {key:?}"))),
    }
}

fn whole_blocks(len: usize, block: usize) -> Result<(), CryptoError> {
    if len.is_multiple_of(block) { Ok(()) } else { Err(CryptoError::Failed("the data is not whole blocks")) }
}

/// Whether the blocks of so many bytes need a counter beyond the largest of its bits.
fn ctr_wraps(iv: &[u8], bits: u8, len: usize) -> bool {
    let Ok(iv) = <[u8; BLOCK]>::try_from(iv) else {
        return false;
    };
    let further = len.div_ceil(BLOCK).saturating_sub(1) as u128;
    let largest = ctr_largest(bits);
    (u128::from_be_bytes(iv) & largest).checked_add(further).is_none_or(|last| last > largest)
}

/// The largest counter of so many bits.
pub(super) const fn ctr_largest(bits: u8) -> u128 {
    match bits {
        0..=127 => (1 << bits) - 1,
        _ => u128::MAX,
    }
}

/// What the nonce leaves of 15 bytes says the length of the data (SP 800-38C §A.1).
fn ccm_overflows(nonce: &[u8], len: usize) -> bool {
    match 15_usize.saturating_sub(nonce.len()) {
        bytes @ 0..=7 => len as u64 >> (8 * bytes) != 0,
        _ => false,
    }
}

fn bad(text: impl Into<String>) -> CryptoError {
    CryptoError::BadParameters(text.into())
}
