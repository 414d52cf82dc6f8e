//! Cryptographic Parameters of symmetric encryption turned into what a provider is asked (KMIP 2.1 §4.16).

use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, ObjectType, PaddingMethod, ResultReason, Tag, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use super::parameters::{bad, meaningless, only, unsupported, wrong_type};
use crate::crypto::algorithm::{Cipher, Padding};
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Permitted;
use crate::view::View;

/// Length of an AES block in bytes.
const BLOCK: usize = 16;
/// Length of a DES block in bytes, and of the nonce of the first ChaCha20.
const SMALL: usize = 8;
/// Length in bytes of a nonce of GCM or ChaCha20 that the server makes: all of it random (SP 800-38D §8.2.2).
const NONCE: usize = 12;
/// Length of the tag of Poly1305 in bytes, where the parameters do not say it.
const POLY1305: i32 = 16;

/// A way to encrypt or decrypt, before IV, additional data and tag are known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Enciphering {
    mode: Chaining,
    /// Length that the IV must have, in bytes, where the parameters say it.
    iv_len: Option<usize>,
    random_iv: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chaining {
    Gcm { tag_len: usize },
    Poly1305 { tag_len: usize },
    Cbc(Block, Padding),
    Ecb(Block, Padding),
    Ctr,
    Cfb,
    Ofb,
    ChaCha20 { counter: u64 },
}

/// What is chained.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Block {
    Aes,
    TripleDes,
}

/// What a request gives besides the data.
#[derive(Debug, Clone, Copy, Default)]
pub struct Accompanying<'a> {
    /// IV/Counter/Nonce.
    pub iv: Option<&'a Blob>,
    /// Authenticated Encryption Additional Data.
    pub aad: Option<&'a Blob>,
    /// Authenticated Encryption Tag; only for decryption.
    pub tag: Option<&'a Blob>,
}

impl Enciphering {
    /// Reads the parameters for a symmetric key, in the message of a view.
    ///
    /// # Errors
    /// Bad and Unsupported Cryptographic Parameters; Invalid Object Type for what does not encrypt.
    pub fn read(view: &View, parameters: &Parameters, key: &Permitted) -> Outcome<Self> {
        if key.object_type() != ObjectType::SymmetricKey {
            return Err(wrong_type(key.object_type()));
        }
        let algorithm = key.algorithm().unwrap_or(Algorithm(0));
        if parameters.cryptographic_algorithm.is_some_and(|given| given != algorithm) {
            return Err(bad(format!("the Cryptographic Algorithm of the parameters is not the key's, {algorithm}")));
        }
        let mode = match algorithm {
            Algorithm::AES => aes(parameters, view.version())?,
            Algorithm::DES3 => match block_mode(parameters, Block::TripleDes, "triple DES")? {
                mode @ (Chaining::Cbc(..) | Chaining::Ecb(..)) => mode,
                _ => return Err(unsupported("triple DES in other modes than CBC and ECB")),
            },
            Algorithm::ChaCha20 => chacha20(parameters)?,
            Algorithm::ChaCha20Poly1305 => poly1305(parameters, view.version())?,
            other => return Err(unsupported(format!("encryption with the algorithm {other}"))),
        };
        let iv_len = parameters.iv_length.map(|bits| iv_bytes(bits, mode)).transpose()?;
        Ok(Self { mode, iv_len, random_iv: parameters.random_iv == Some(true) })
    }

    /// How long an IV the server makes for an encryption for which the client gave none, in bytes; `None` where it makes
    /// none.
    ///
    /// # Errors
    /// Unsupported Cryptographic Parameters for a nonce of another length than ours.
    pub fn iv_to_make(&self) -> Outcome<Option<usize>> {
        if !self.random_iv {
            return Ok(None);
        }
        match self.mode {
            Chaining::Gcm { .. } | Chaining::ChaCha20 { .. } if self.iv_len.is_some_and(|len| len != NONCE) => {
                Err(unsupported("a nonce made by the server that has not 96 bits"))
            }
            Chaining::Gcm { .. } | Chaining::ChaCha20 { .. } => Ok(Some(NONCE)),
            _ => Ok(self.iv_needed()),
        }
    }

    /// How long an IV the mode must have, in bytes; `None` for one that has none, or of several lengths.
    pub fn iv_needed(&self) -> Option<usize> {
        match self.mode {
            Chaining::Ecb(..) | Chaining::Gcm { .. } | Chaining::ChaCha20 { .. } => None,
            Chaining::Cbc(Block::TripleDes, _) => Some(SMALL),
            Chaining::Poly1305 { .. } => Some(NONCE),
            Chaining::Cbc(Block::Aes, _) | Chaining::Ctr | Chaining::Cfb | Chaining::Ofb => Some(BLOCK),
        }
    }

    /// What the provider is asked to encrypt with.
    ///
    /// # Errors
    /// Missing Initialization Vector; Bad Cryptographic Parameters.
    pub fn encrypting<'a>(&self, with: Accompanying<'a>) -> Outcome<Cipher<'a>> {
        self.cipher(with, false)
    }

    /// What the provider is asked to decrypt with.
    ///
    /// # Errors
    /// Missing Initialization Vector; Missing Data where the tag is missing; Bad Cryptographic Parameters.
    pub fn decrypting<'a>(&self, with: Accompanying<'a>) -> Outcome<Cipher<'a>> {
        self.cipher(with, true)
    }

    fn cipher<'a>(&self, with: Accompanying<'a>, decrypt: bool) -> Outcome<Cipher<'a>> {
        let bytes = |blob: Option<&'a Blob>| blob.map(|blob| &**blob);
        if !matches!(self.mode, Chaining::Gcm { .. } | Chaining::Poly1305 { .. }) {
            let what = "a mode that does not authenticate";
            if with.aad.is_some() {
                return Err(meaningless(Tag::AuthenticatedEncryptionAdditionalData, what));
            }
            if with.tag.is_some() {
                return Err(meaningless(Tag::AuthenticatedEncryptionTag, what));
            }
        }
        if let Chaining::Ecb(block, padding) = self.mode {
            if with.iv.is_some() {
                return Err(meaningless(Tag::IVCounterNonce, "ECB"));
            }
            return Ok(match block {
                Block::Aes => Cipher::AesEcb { padding },
                Block::TripleDes => Cipher::TdesEcb { padding },
            });
        }
        let iv = bytes(with.iv).ok_or_else(|| {
            Failure::new(ResultReason::MissingInitializationVector, "the mode needs an IV/Counter/Nonce")
        })?;
        if self.iv_len.is_some_and(|len| len != iv.len()) {
            return Err(bad(format!("the IV/Counter/Nonce has {} bytes, which is not the IV Length", iv.len())));
        }
        let tag = || match bytes(with.tag) {
            Some(tag) => Ok(tag),
            None if decrypt => Err(super::data::missing(Tag::AuthenticatedEncryptionTag)),
            None => Ok(&[][..]),
        };
        let aad = bytes(with.aad).unwrap_or_default();
        Ok(match self.mode {
            Chaining::Gcm { tag_len } => Cipher::AesGcm { iv, aad, tag_len, tag: tag()? },
            Chaining::Poly1305 { tag_len } => Cipher::ChaCha20Poly1305 { nonce: iv, aad, tag_len, tag: tag()? },
            Chaining::Cbc(Block::Aes, padding) => Cipher::AesCbc { iv, padding },
            Chaining::Cbc(Block::TripleDes, padding) => Cipher::TdesCbc { iv, padding },
            Chaining::Ctr => Cipher::AesCtr { iv },
            Chaining::Cfb => Cipher::AesCfb { iv },
            Chaining::Ofb => Cipher::AesOfb { iv },
            Chaining::ChaCha20 { counter } => Cipher::ChaCha20 { nonce: iv, counter },
            Chaining::Ecb(_, padding) => Cipher::AesEcb { padding },
        })
    }
}

fn aes(parameters: &Parameters, version: Version) -> Outcome<Chaining> {
    match block_mode(parameters, Block::Aes, "this encryption")? {
        Chaining::Gcm { .. } => Ok(Chaining::Gcm { tag_len: tag_bytes(parameters.tag_length, version, "GCM")? }),
        mode => Ok(mode),
    }
}

/// The mode of a block cipher. The tag of GCM is not looked at.
fn block_mode(parameters: &Parameters, block: Block, what: &str) -> Outcome<Chaining> {
    let mut used =
        vec![Tag::BlockCipherMode, Tag::PaddingMethod, Tag::CryptographicAlgorithm, Tag::RandomIV, Tag::IVLength];
    if parameters.block_cipher_mode == Some(Mode::GCM) {
        used.push(Tag::TagLength);
    }
    only(parameters, &used, what)?;
    let padding = match parameters.padding_method {
        None | Some(PaddingMethod::None) => Padding::None,
        Some(PaddingMethod::PKCS5) => Padding::Pkcs5,
        Some(PaddingMethod::OAEP | PaddingMethod::PKCS1V15 | PaddingMethod::PSS) => {
            return Err(bad("that Padding Method is not for block ciphers"));
        }
        Some(other) => return Err(unsupported(format!("the Padding Method {other}"))),
    };
    let Some(mode) = parameters.block_cipher_mode else {
        return Err(bad("neither the request nor the key says a Block Cipher Mode"));
    };
    let mode = match mode {
        Mode::CBC => return Ok(Chaining::Cbc(block, padding)),
        Mode::ECB => return Ok(Chaining::Ecb(block, padding)),
        Mode::GCM => Chaining::Gcm { tag_len: 0 },
        Mode::CTR => Chaining::Ctr,
        Mode::CFB => Chaining::Cfb,
        Mode::OFB => Chaining::Ofb,
        other => return Err(unsupported(format!("the Block Cipher Mode {other}"))),
    };
    if padding == Padding::Pkcs5 { Err(bad("the Block Cipher Mode does not pad")) } else { Ok(mode) }
}

fn chacha20(parameters: &Parameters) -> Outcome<Chaining> {
    let used = [Tag::CryptographicAlgorithm, Tag::RandomIV, Tag::IVLength, Tag::InitialCounterValue];
    only(parameters, &used, "ChaCha20")?;
    let counter = u64::try_from(parameters.initial_counter_value.unwrap_or(0))
        .map_err(|_| bad("the Initial Counter Value is negative"))?;
    Ok(Chaining::ChaCha20 { counter })
}

fn poly1305(parameters: &Parameters, version: Version) -> Outcome<Chaining> {
    let used = [Tag::BlockCipherMode, Tag::CryptographicAlgorithm, Tag::RandomIV, Tag::IVLength, Tag::TagLength];
    only(parameters, &used, "ChaCha20-Poly1305")?;
    if !matches!(parameters.block_cipher_mode, None | Some(Mode::AEAD)) {
        return Err(bad("ChaCha20-Poly1305 has no other Block Cipher Mode than AEAD"));
    }
    match tag_bytes(parameters.tag_length.or(Some(POLY1305)), version, "Poly1305")? {
        tag_len @ 12..=16 => Ok(Chaining::Poly1305 { tag_len }),
        other => Err(bad(format!("Poly1305 has no tag of {other} bytes"))),
    }
}

/// Tag Length, in bytes. The standard requires it with GCM, and a guess would decide how much a forger has to guess.
fn tag_bytes(length: Option<i32>, version: Version, what: &str) -> Outcome<usize> {
    // Before 1.4 no message has a place for the tag, and none of them says that it should stand in the data.
    if !Tag::AuthenticatedEncryptionTag.known_in(version) {
        return Err(unsupported(format!("{what} in KMIP {version}, whose messages have no place for the tag")));
    }
    let length = length.ok_or_else(|| bad(format!("{what} needs a Tag Length")))?;
    match usize::try_from(length) {
        Ok(bytes @ (4 | 8 | 12..=16)) => Ok(bytes),
        _ => Err(bad(format!("{what} has no tag of {length} bytes"))),
    }
}

/// IV Length, from bits to bytes.
fn iv_bytes(bits: i32, mode: Chaining) -> Outcome<usize> {
    let wrong = || bad(format!("the mode has no IV of {bits} bits"));
    let bytes = usize::try_from(bits).ok().filter(|bits| bits.is_multiple_of(8)).ok_or_else(wrong)? / 8;
    let fits = match mode {
        Chaining::Ecb(..) => false,
        Chaining::Gcm { .. } => bytes > 0,
        Chaining::ChaCha20 { .. } => matches!(bytes, SMALL | NONCE),
        Chaining::Poly1305 { .. } => bytes == NONCE,
        Chaining::Cbc(Block::TripleDes, _) => bytes == SMALL,
        Chaining::Cbc(Block::Aes, _) | Chaining::Ctr | Chaining::Cfb | Chaining::Ofb => bytes == BLOCK,
    };
    if fits { Ok(bytes) } else { Err(wrong()) }
}
