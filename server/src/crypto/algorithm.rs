//! What a provider is asked to do, in its own words: neither KMIP's enumerations nor PKCS#11's mechanisms.
//!
//! `ops/` translates Cryptographic Parameters into these in one place; each provider translates these into its library.

use std::num::NonZeroU32;

pub use crate::object::guarded::{Curve, KeyKind};

/// A hash function (FIPS 180-4, FIPS 202, RFC 1321).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// MD5; only for digests, never for signatures or MACs made here.
    Md5,
    /// SHA-1.
    Sha1,
    /// SHA-224.
    Sha224,
    /// SHA-256.
    Sha256,
    /// SHA-384.
    Sha384,
    /// SHA-512.
    Sha512,
    /// SHA-512/224.
    Sha512_224,
    /// SHA-512/256.
    Sha512_256,
    /// SHA3-224.
    Sha3_224,
    /// SHA3-256.
    Sha3_256,
    /// SHA3-384.
    Sha3_384,
    /// SHA3-512.
    Sha3_512,
}

/// Padding of a block cipher.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// None: the data must be whole blocks.
    None,
    /// PKCS#5 / PKCS#7.
    Pkcs5,
}

/// A way to encrypt or decrypt. Lengths are in bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Cipher<'a> {
    /// AES in GCM (SP 800-38D). On encryption the tag is returned apart; on decryption it is given here.
    AesGcm {
        /// The nonce, any length from 1 byte that the provider can take (12 always).
        iv: &'a [u8],
        /// Additional authenticated data.
        aad: &'a [u8],
        /// Length of the tag: 4, 8 or 12 to 16.
        tag_len: usize,
        /// The tag, when decrypting.
        tag: &'a [u8],
    },
    /// AES in CBC (SP 800-38A).
    AesCbc {
        /// 16 bytes.
        iv: &'a [u8],
        /// Padding.
        padding: Padding,
    },
    /// AES in CTR (SP 800-38A), the whole block a big-endian counter. A counter that would wrap is refused.
    AesCtr {
        /// The first counter block, 16 bytes.
        iv: &'a [u8],
    },
    /// AES in ECB (SP 800-38A).
    AesEcb {
        /// Padding.
        padding: Padding,
    },
}

/// The answer of an encryption.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Encrypted {
    /// The ciphertext without the tag.
    pub data: Vec<u8>,
    /// The tag of an authenticated mode, else empty.
    pub tag: Vec<u8>,
}

/// What is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Message<'a> {
    /// The data; the provider hashes it.
    Data(&'a [u8]),
    /// The digest of the data by the scheme's hash, of exactly its length.
    Digest(&'a [u8]),
}

/// A signature scheme.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signature {
    /// RSASSA-PKCS1-v1_5 (RFC 8017 §8.2) with the DigestInfo of the hash.
    RsaPkcs1(Hash),
    /// RSASSA-PSS (RFC 8017 §8.1), MGF1.
    RsaPss {
        /// Hash of the message.
        hash: Hash,
        /// Hash of the mask generation function.
        mgf: Hash,
        /// Length of the salt in bytes.
        salt: usize,
    },
    /// ECDSA (FIPS 186-5 §6); the signature is the DER `Ecdsa-Sig-Value` (RFC 3279 §2.2.3).
    Ecdsa(Hash),
}

/// A message authentication code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mac {
    /// HMAC (RFC 2104, FIPS 198-1).
    Hmac(Hash),
}

/// A way to wrap the bytes of one key with another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wrap {
    /// AES Key Wrap (RFC 3394, SP 800-38F KW): the data is a multiple of 8 bytes, at least 16.
    AesKw,
    /// AES Key Wrap with Padding (RFC 5649, SP 800-38F KWP).
    AesKwp,
}

/// A way to derive bytes from a key. What is asked for is cut from the left of what comes out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Derivation<'a> {
    /// The digest of the key itself.
    Hash(Hash),
    /// HMAC of the data.
    Hmac {
        /// The hash function.
        hash: Hash,
        /// What is authenticated.
        data: &'a [u8],
    },
    /// The ciphertext of the data.
    Encrypt {
        /// How it is encrypted; no mode that authenticates.
        cipher: Cipher<'a>,
        /// What is encrypted.
        data: &'a [u8],
    },
    /// PBKDF2 (RFC 8018 §5.2) with HMAC; the key is the password.
    Pbkdf2 {
        /// The hash function of the HMAC.
        hash: Hash,
        /// The salt.
        salt: &'a [u8],
        /// The iteration count.
        iterations: NonZeroU32,
    },
    /// One of the modes of SP 800-108 with HMAC. Counter and length are numbers of 32 bits; the counter stands first of
    /// all in counter mode, and behind the fed-back value in the others.
    Nist800108 {
        /// The mode.
        mode: Iteration<'a>,
        /// The hash function of the HMAC.
        hash: Hash,
        /// Label, a zero byte, context.
        data: &'a [u8],
    },
    /// HKDF (RFC 5869): extract, then expand.
    Hkdf {
        /// The hash function of the HMAC.
        hash: Hash,
        /// The salt; empty for zeros as long as the hash.
        salt: &'a [u8],
        /// The info.
        info: &'a [u8],
    },
    /// The signing key of AWS Signature Version 4: HMACs with SHA-256, one after the other.
    AwsSignature4 {
        /// Date, region and service.
        scope: [&'a [u8]; 3],
    },
    /// The shared secret of a private key and a public one of the same curve: the x-coordinate of the point (SP 800-56A
    /// §5.7.1.2).
    Ecdh {
        /// The other side's key as SubjectPublicKeyInfo DER.
        peer: &'a [u8],
    },
}

/// How SP 800-108 iterates.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Iteration<'a> {
    /// Counter mode (§4.1).
    Counter,
    /// Feedback mode (§4.2), from this first value on.
    Feedback(&'a [u8]),
    /// Double-pipeline mode (§4.3).
    DoublePipeline,
}

impl Hash {
    /// Length of the digest in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no digest is empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Md5 => 16,
            Self::Sha1 => 20,
            Self::Sha224 | Self::Sha512_224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha512_256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 => 64,
        }
    }
}
