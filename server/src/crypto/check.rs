//! What can be told from the parameters alone, the same for every provider: which key a mechanism takes, which lengths
//! fit. A provider calls these first, so that all of them refuse the same request with the same kind of error.

use super::CryptoError;
use super::algorithm::{Cipher, Curve, Hash, KeyKind, Mac, Message, Padding, Signature, Wrap};

/// Length of an AES block in bytes.
const BLOCK: usize = 16;
/// The longest plaintext of GCM in bytes (SP 800-38D §5.2.1.1).
const GCM_MAX: u64 = (1 << 36) - 32;
/// The longest symmetric key that is not AES, in bytes. Far above any use; it bounds what is held in memory.
const GENERIC_MAX: u32 = 1 << 16;

impl Cipher<'_> {
    /// Refuses what cannot be encrypted: a key that is not AES, an IV or tag length that the mode does not have, data of
    /// a length (in bytes) that does not fit.
    pub fn check_encrypt(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        self.check_parameters(key, len)?;
        match self {
            Self::AesCbc { padding: Padding::None, .. } | Self::AesEcb { padding: Padding::None } => whole_blocks(len),
            _ => Ok(()),
        }
    }

    /// Refuses what cannot be decrypted, as [`Cipher::check_encrypt`] does, and a tag that is not as long as said.
    pub fn check_decrypt(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        self.check_parameters(key, len)?;
        match self {
            Self::AesGcm { tag_len, tag, .. } if tag.len() != *tag_len => {
                Err(bad(format!("the tag has {} bytes where {tag_len} were announced", tag.len())))
            }
            Self::AesCbc { padding: Padding::None, .. } | Self::AesEcb { padding: Padding::None } => whole_blocks(len),
            Self::AesCbc { .. } | Self::AesEcb { .. } if len == 0 => {
                Err(CryptoError::Failed("padded ciphertext has at least one block"))
            }
            Self::AesCbc { .. } | Self::AesEcb { .. } => whole_blocks(len),
            _ => Ok(()),
        }
    }

    fn check_parameters(&self, key: KeyKind, len: usize) -> Result<(), CryptoError> {
        check_aes(key)?;
        match self {
            Self::AesGcm { iv: [], .. } => Err(bad("GCM needs a nonce")),
            Self::AesGcm { tag_len, .. } if !matches!(tag_len, 4 | 8 | 12..=16) => {
                Err(bad(format!("GCM has no tag of {tag_len} bytes")))
            }
            Self::AesGcm { .. } if len as u64 > GCM_MAX => Err(CryptoError::Failed("data too long for GCM")),
            Self::AesCbc { iv, .. } | Self::AesCtr { iv } if iv.len() != BLOCK => {
                Err(bad(format!("the IV has {} bytes, not {BLOCK}", iv.len())))
            }
            Self::AesCtr { iv } if ctr_wraps(iv, len) => Err(bad("the counter would wrap")),
            _ => Ok(()),
        }
    }
}

impl Signature {
    /// Refuses what cannot be signed or verified: a key of the wrong kind, a hash that is not for signatures, a digest
    /// of the wrong length, a salt that does not fit into the modulus.
    pub fn check(&self, key: KeyKind, message: Message<'_>) -> Result<(), CryptoError> {
        let hash = self.hash();
        match (self, key) {
            (Self::RsaPkcs1(_) | Self::RsaPss { .. }, KeyKind::Rsa { .. }) | (Self::Ecdsa(_), KeyKind::Ec { .. }) => {}
            _ => {
                return Err(bad(format!("{self:?} does not go with a key that is {key:?}")));
            }
        }
        if hash == Hash::Md5 || matches!(self, Self::RsaPss { mgf: Hash::Md5, .. }) {
            return Err(CryptoError::Unsupported("MD5 in signatures".into()));
        }
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

    /// The hash of the message.
    pub const fn hash(&self) -> Hash {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss { hash, .. } | Self::Ecdsa(hash) => *hash,
        }
    }
}

impl Mac {
    /// Refuses a key that is not for MACs, and a hash that is not.
    pub fn check(&self, key: KeyKind) -> Result<(), CryptoError> {
        let Self::Hmac(hash) = self;
        match key {
            KeyKind::Generic { bytes: 1..=GENERIC_MAX } => {}
            _ => return Err(bad(format!("HMAC does not go with a key that is {key:?}"))),
        }
        if *hash == Hash::Md5 {
            return Err(CryptoError::Unsupported("HMAC with MD5".into()));
        }
        Ok(())
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
    /// Refuses a kind that does not exist: AES of another length than 128, 192 and 256 bits, no bytes at all, or an RSA
    /// modulus below 512 or above 16384 bits.
    pub fn check(&self) -> Result<(), CryptoError> {
        match self {
            Self::Aes { bits: 128 | 192 | 256 }
            | Self::Generic { bytes: 1..=GENERIC_MAX }
            | Self::Rsa { bits: 512..=16384 }
            | Self::Ec { .. } => Ok(()),
            _ => Err(bad(format!("there is no key that is {self:?}"))),
        }
    }

    /// Length in bytes of the raw bytes of a symmetric key; `None` for a pair.
    pub const fn raw_len(&self) -> Option<usize> {
        match self {
            Self::Aes { bits } => Some(*bits as usize / 8),
            Self::Generic { bytes } => Some(*bytes as usize),
            Self::Rsa { .. } | Self::Ec { .. } => None,
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

fn check_aes(key: KeyKind) -> Result<(), CryptoError> {
    match key {
        KeyKind::Aes { .. } => key.check(),
        _ => Err(bad(format!("AES does not go with a key that is {key:?}"))),
    }
}

fn whole_blocks(len: usize) -> Result<(), CryptoError> {
    if len.is_multiple_of(BLOCK) { Ok(()) } else { Err(CryptoError::Failed("the data is not whole blocks")) }
}

fn ctr_wraps(iv: &[u8], len: usize) -> bool {
    let Ok(iv) = <[u8; BLOCK]>::try_from(iv) else {
        return false;
    };
    let further = len.div_ceil(BLOCK).saturating_sub(1) as u128;
    u128::from_be_bytes(iv).checked_add(further).is_none()
}

fn bad(text: impl Into<String>) -> CryptoError {
    CryptoError::BadParameters(text.into())
}
