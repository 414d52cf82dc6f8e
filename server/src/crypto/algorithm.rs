//! What a provider is asked to do, in its own words: neither KMIP's enumerations nor PKCS#11's mechanisms.
//!
//! `ops/` translates Cryptographic Parameters into these in one place; each provider translates these into its library.

use std::num::NonZeroU32;

pub use crate::object::guarded::{Curve, Edwards, Family, KeyKind, ParameterSet};

/// A hash function (FIPS 180-4, FIPS 202 and, for digests alone, older ones).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Hash {
    /// MD2 (RFC 1319); only for digests.
    Md2,
    /// MD4 (RFC 1320); only for digests.
    Md4,
    /// MD5 (RFC 1321); only for digests, never for signatures or MACs made here.
    Md5,
    /// RIPEMD-160 (ISO/IEC 10118-3); only for digests.
    Ripemd160,
    /// Tiger with 192 bits (Anderson and Biham 1996); only for digests.
    Tiger,
    /// Whirlpool (ISO/IEC 10118-3); only for digests.
    Whirlpool,
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

/// Padding of a block cipher. Every one of them adds a byte at least, and up to a block.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Padding {
    /// None: the data must be whole blocks.
    None,
    /// PKCS#5 / PKCS#7 (RFC 5652 §6.3): every byte is their number.
    Pkcs5,
    /// ANSI X9.23: zeros, and in the last byte their number with it.
    AnsiX923,
    /// ISO 10126-2: random bytes, and in the last byte their number with it.
    Iso10126,
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
    /// AES in CCM (SP 800-38C, RFC 3610). On encryption the tag is returned apart; on decryption it is given here.
    AesCcm {
        /// The nonce, 7 to 13 bytes: the longer it is, the shorter the data may be.
        nonce: &'a [u8],
        /// Additional authenticated data.
        aad: &'a [u8],
        /// Length of the tag: an even number from 4 to 16.
        tag_len: usize,
        /// The tag, when decrypting.
        tag: &'a [u8],
    },
    /// AES in CTR (SP 800-38A), the lower end of the block a big-endian counter. A counter that would wrap is refused.
    AesCtr {
        /// The first counter block, 16 bytes.
        iv: &'a [u8],
        /// Length of the counter in bits, 1 to 128.
        bits: u8,
    },
    /// AES in XTS (SP 800-38E, IEEE 1619), with a key of twice the cipher's length. All of the data is one data unit.
    AesXts {
        /// The tweak, 16 bytes: the number of the data unit, the least significant byte first.
        tweak: &'a [u8],
    },
    /// A key wrap of AES (SP 800-38F) as a mode: it authenticates, and has neither nonce nor tag.
    AesWrap(Wrap),
    /// AES in ECB (SP 800-38A).
    AesEcb {
        /// Padding.
        padding: Padding,
    },
    /// AES in CFB with segments of a block (SP 800-38A).
    AesCfb {
        /// 16 bytes.
        iv: &'a [u8],
    },
    /// AES in OFB (SP 800-38A).
    AesOfb {
        /// 16 bytes.
        iv: &'a [u8],
    },
    /// Triple DES in CBC (SP 800-67, SP 800-38A).
    TdesCbc {
        /// 8 bytes.
        iv: &'a [u8],
        /// Padding.
        padding: Padding,
    },
    /// Triple DES in ECB.
    TdesEcb {
        /// Padding.
        padding: Padding,
    },
    /// ChaCha20, without authentication.
    ChaCha20 {
        /// 12 bytes (RFC 8439), or the 8 bytes of the cipher as it was first published.
        nonce: &'a [u8],
        /// The number of the first block of key stream. It may not wrap: 32 bits with 12 bytes of nonce.
        counter: u64,
    },
    /// ChaCha20 and Poly1305 (RFC 8439 §2.8).
    ChaCha20Poly1305 {
        /// 12 bytes.
        nonce: &'a [u8],
        /// Additional authenticated data.
        aad: &'a [u8],
        /// Length of the tag: 12 to 16, the leftmost bytes.
        tag_len: usize,
        /// The tag, when decrypting.
        tag: &'a [u8],
    },
}

impl Cipher<'_> {
    /// A name for people.
    pub const fn name(&self) -> &'static str {
        match self {
            Self::AesGcm { .. } => "AES-GCM",
            Self::AesCcm { .. } => "AES-CCM",
            Self::AesXts { .. } => "AES-XTS",
            Self::AesWrap(Wrap::AesKw) => "AES key wrap",
            Self::AesWrap(Wrap::AesKwp) => "AES key wrap with padding",
            Self::AesCbc { .. } => "AES-CBC",
            Self::AesCtr { .. } => "AES-CTR",
            Self::AesEcb { .. } => "AES-ECB",
            Self::AesCfb { .. } => "AES-CFB",
            Self::AesOfb { .. } => "AES-OFB",
            Self::TdesCbc { .. } => "triple DES in CBC",
            Self::TdesEcb { .. } => "triple DES in ECB",
            Self::ChaCha20 { .. } => "ChaCha20",
            Self::ChaCha20Poly1305 { .. } => "ChaCha20-Poly1305",
        }
    }

    /// How the last block is padded.
    pub const fn padding(&self) -> Padding {
        match self {
            Self::AesCbc { padding, .. }
            | Self::AesEcb { padding }
            | Self::TdesCbc { padding, .. }
            | Self::TdesEcb { padding } => *padding,
            _ => Padding::None,
        }
    }

    /// Length in bytes of what is worked on at once: of a block, or of a block of key stream.
    pub const fn unit(&self) -> usize {
        match self {
            Self::TdesCbc { .. } | Self::TdesEcb { .. } => 8,
            Self::ChaCha20 { .. } | Self::ChaCha20Poly1305 { .. } => 64,
            _ => 16,
        }
    }

    /// The IV, counter or nonce.
    pub const fn iv(&self) -> &[u8] {
        match self {
            Self::AesGcm { iv, .. }
            | Self::AesCbc { iv, .. }
            | Self::AesCtr { iv, .. }
            | Self::AesXts { tweak: iv }
            | Self::AesCfb { iv }
            | Self::AesOfb { iv }
            | Self::TdesCbc { iv, .. } => iv,
            Self::AesCcm { nonce, .. } | Self::ChaCha20 { nonce, .. } | Self::ChaCha20Poly1305 { nonce, .. } => nonce,
            Self::AesEcb { .. } | Self::TdesEcb { .. } | Self::AesWrap(_) => &[],
        }
    }

    /// Additional authenticated data.
    pub const fn aad(&self) -> &[u8] {
        match self {
            Self::AesGcm { aad, .. } | Self::AesCcm { aad, .. } | Self::ChaCha20Poly1305 { aad, .. } => aad,
            _ => &[],
        }
    }

    /// The tag that must verify.
    pub const fn tag(&self) -> &[u8] {
        match self {
            Self::AesGcm { tag, .. } | Self::AesCcm { tag, .. } | Self::ChaCha20Poly1305 { tag, .. } => tag,
            _ => &[],
        }
    }

    /// Length of the tag in bytes; 0 where the mode has none.
    pub const fn tag_len(&self) -> usize {
        match self {
            Self::AesGcm { tag_len, .. } | Self::AesCcm { tag_len, .. } | Self::ChaCha20Poly1305 { tag_len, .. } => {
                *tag_len
            }
            _ => 0,
        }
    }

    /// The same without what is borrowed.
    pub const fn bare(&self) -> Cipher<'static> {
        self.with(&[], &[], &[])
    }

    /// The same with other bytes.
    pub const fn with<'b>(&self, iv: &'b [u8], aad: &'b [u8], tag: &'b [u8]) -> Cipher<'b> {
        match *self {
            Self::AesGcm { tag_len, .. } => Cipher::AesGcm { iv, aad, tag_len, tag },
            Self::AesCcm { tag_len, .. } => Cipher::AesCcm { nonce: iv, aad, tag_len, tag },
            Self::AesCbc { padding, .. } => Cipher::AesCbc { iv, padding },
            Self::AesCtr { bits, .. } => Cipher::AesCtr { iv, bits },
            Self::AesXts { .. } => Cipher::AesXts { tweak: iv },
            Self::AesWrap(wrap) => Cipher::AesWrap(wrap),
            Self::AesEcb { padding } => Cipher::AesEcb { padding },
            Self::AesCfb { .. } => Cipher::AesCfb { iv },
            Self::AesOfb { .. } => Cipher::AesOfb { iv },
            Self::TdesCbc { padding, .. } => Cipher::TdesCbc { iv, padding },
            Self::TdesEcb { padding } => Cipher::TdesEcb { padding },
            Self::ChaCha20 { counter, .. } => Cipher::ChaCha20 { nonce: iv, counter },
            Self::ChaCha20Poly1305 { tag_len, .. } => Cipher::ChaCha20Poly1305 { nonce: iv, aad, tag_len, tag },
        }
    }

    /// The same without padding.
    #[must_use]
    pub const fn unpadded(mut self) -> Self {
        if let Self::AesCbc { padding, .. }
        | Self::AesEcb { padding }
        | Self::TdesCbc { padding, .. }
        | Self::TdesEcb { padding } = &mut self
        {
            *padding = Padding::None;
        }
        self
    }

    /// Whether the data must be whole blocks once it is padded.
    pub const fn is_blocks(&self) -> bool {
        matches!(self, Self::AesCbc { .. } | Self::AesEcb { .. } | Self::TdesCbc { .. } | Self::TdesEcb { .. })
    }

    /// Whether the mode has a tag: then nothing is decrypted before it verifies.
    pub const fn is_authenticated(&self) -> bool {
        matches!(self, Self::AesGcm { .. } | Self::AesCcm { .. } | Self::ChaCha20Poly1305 { .. })
    }

    /// Whether nothing can be done before all of the data is there.
    pub const fn is_whole(&self) -> bool {
        self.is_authenticated() || matches!(self, Self::AesXts { .. } | Self::AesWrap(_))
    }
}

/// A way to encrypt with an RSA public key and to decrypt with the private one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RsaCipher<'a> {
    /// RSAES-OAEP (RFC 8017 §7.1), MGF1.
    Oaep {
        /// Hash of the label.
        hash: Hash,
        /// Hash of the mask generation function.
        mgf: Hash,
        /// The label: what KMIP calls P Source.
        label: &'a [u8],
    },
    /// RSAES-PKCS1-v1_5 (RFC 8017 §7.2).
    Pkcs1,
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
    /// RSASSA-PKCS1-v1_5 of the digest as it is, whatever made it, without a DigestInfo: what PKCS#11 calls CKM_RSA_PKCS.
    RsaPkcs1Bare,
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
    /// ECDSA of a digest of any length, whatever made it: it is read as a number (FIPS 186-5 §6.4.1).
    EcdsaBare,
    /// ML-DSA (FIPS 204 §5.2), pure, with an empty context: the data is signed, never its digest.
    MlDsa,
    /// SLH-DSA (FIPS 205 §10.2.1), pure, with an empty context: the data is signed, never its digest.
    SlhDsa,
    /// Ed25519 and Ed448 (RFC 8032 §5.1, §5.2) without a context, of the data itself.
    Eddsa,
}

/// A message authentication code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mac {
    /// HMAC (RFC 2104, FIPS 198-1).
    Hmac(Hash),
    /// CMAC with AES (SP 800-38B, RFC 4493).
    Cmac,
    /// Poly1305 (RFC 8439 §2.5). Two messages under one key give the key away: it is for one.
    Poly1305,
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
    /// The shared secret that a ciphertext of ML-KEM holds, 32 bytes (FIPS 203 §7.3). A ciphertext that was changed gives
    /// another secret and no error.
    Decapsulate {
        /// The ciphertext.
        ciphertext: &'a [u8],
    },
}

impl Derivation<'_> {
    /// What it is called, with what of its parameters providers may treat in another way, and nothing of the data.
    pub fn name(&self) -> String {
        match self {
            Self::Hash(hash) => format!("the digest {}", hash.name()),
            Self::Hmac { hash, .. } => format!("HMAC with {}", hash.name()),
            Self::Encrypt { cipher, .. } => format!("encryption in {}", cipher.name()),
            Self::Pbkdf2 { hash, .. } => format!("PBKDF2 with {}", hash.name()),
            Self::Nist800108 { mode, hash, .. } => match mode {
                Iteration::Counter => format!("SP 800-108 in counter mode with {}", hash.name()),
                Iteration::Feedback([]) => format!("SP 800-108 in feedback mode with {}", hash.name()),
                Iteration::Feedback(_) => format!("SP 800-108 in feedback mode with {} and an IV", hash.name()),
                Iteration::DoublePipeline => format!("SP 800-108 in double-pipeline mode with {}", hash.name()),
            },
            Self::Hkdf { hash, salt: [], .. } => format!("HKDF with {} and no salt", hash.name()),
            Self::Hkdf { hash, .. } => format!("HKDF with {}", hash.name()),
            Self::AwsSignature4 { .. } => "AWS Signature Version 4".to_owned(),
            Self::Ecdh { .. } => "ECDH".to_owned(),
            Self::Decapsulate { .. } => "decapsulation".to_owned(),
        }
    }
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
    /// Its name, as its standard writes it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Md2 => "MD2",
            Self::Md4 => "MD4",
            Self::Md5 => "MD5",
            Self::Ripemd160 => "RIPEMD-160",
            Self::Tiger => "Tiger",
            Self::Whirlpool => "Whirlpool",
            Self::Sha1 => "SHA-1",
            Self::Sha224 => "SHA-224",
            Self::Sha256 => "SHA-256",
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
            Self::Sha512_224 => "SHA-512/224",
            Self::Sha512_256 => "SHA-512/256",
            Self::Sha3_224 => "SHA3-224",
            Self::Sha3_256 => "SHA3-256",
            Self::Sha3_384 => "SHA3-384",
            Self::Sha3_512 => "SHA3-512",
        }
    }

    /// Length of the digest in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no digest is empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Md2 | Self::Md4 | Self::Md5 => 16,
            Self::Sha1 | Self::Ripemd160 => 20,
            Self::Tiger => 24,
            Self::Sha224 | Self::Sha512_224 | Self::Sha3_224 => 28,
            Self::Sha256 | Self::Sha512_256 | Self::Sha3_256 => 32,
            Self::Sha384 | Self::Sha3_384 => 48,
            Self::Sha512 | Self::Sha3_512 | Self::Whirlpool => 64,
        }
    }

    /// Whether this hash function makes digests and nothing else: signatures, MACs, derived keys and OAEP keep to SHA-1,
    /// SHA-2 and SHA-3.
    pub const fn is_for_digests_alone(self) -> bool {
        matches!(self, Self::Md2 | Self::Md4 | Self::Md5 | Self::Ripemd160 | Self::Tiger | Self::Whirlpool)
    }

    /// Length in bytes of the blocks that the hash function takes (FIPS 180-4 §1, FIPS 202 §7).
    pub const fn block_len(self) -> usize {
        match self {
            Self::Md2 => 16,
            Self::Md4 | Self::Md5 | Self::Ripemd160 | Self::Tiger | Self::Whirlpool => 64,
            Self::Sha1 | Self::Sha224 | Self::Sha256 => 64,
            Self::Sha384 | Self::Sha512 | Self::Sha512_224 | Self::Sha512_256 => 128,
            Self::Sha3_224 => 144,
            Self::Sha3_256 => 136,
            Self::Sha3_384 => 104,
            Self::Sha3_512 => 72,
        }
    }
}
