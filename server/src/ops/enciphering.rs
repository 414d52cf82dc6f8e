//! Cryptographic Parameters of symmetric encryption turned into what a provider is asked (KMIP 2.1 §4.16).

mod fields;

use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, ObjectType, PaddingMethod, ResultReason, Tag, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::CryptographicParameters as Parameters;

use super::parameters::{bad, meaningless, only, unsupported, wrong_type};
use crate::crypto::algorithm::{Cipher, Padding, Wrap};
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Permitted;
use crate::view::View;
use fields::Fields;

/// Length of an AES block in bytes.
const BLOCK: usize = 16;
/// Length of a DES block in bytes, and of the nonce of the first ChaCha20.
const SMALL: usize = 8;
/// Length in bytes of a nonce that the server makes, all of it random (SP 800-38D §8.2.2): one that is shorter comes twice
/// too soon.
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
    /// What the nonce is made of.
    fields: Fields,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Chaining {
    Gcm { tag_len: usize },
    Ccm { tag_len: usize },
    Xts,
    Wrap(Wrap),
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
        let mut algorithm = key.algorithm().unwrap_or(Algorithm(0));
        // The keys of both are the same, and one of ChaCha20 is used with Poly1305 where the parameters name that.
        if (algorithm, parameters.cryptographic_algorithm) == (Algorithm::ChaCha20, Some(Algorithm::ChaCha20Poly1305)) {
            algorithm = Algorithm::ChaCha20Poly1305;
        }
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
        let fields = Fields::read(parameters, mode == Chaining::Ctr)?;
        let fits = |bytes| fits_iv(mode, bytes) || fields.is_iv(bytes);
        let iv_len = parameters.iv_length.map(|bits| iv_bytes(bits, fits)).transpose()?;
        Ok(Self { mode, iv_len, random_iv: parameters.random_iv == Some(true), fields })
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
        self.fields.all_random()?;
        let len = match self.mode {
            Chaining::Gcm { .. } | Chaining::ChaCha20 { .. } if self.iv_len.is_some_and(|len| len != NONCE) => {
                return Err(unsupported("a nonce made by the server that has not 96 bits"));
            }
            Chaining::Gcm { .. } | Chaining::ChaCha20 { .. } => NONCE,
            Chaining::Ccm { .. } => self.iv_len.unwrap_or(NONCE),
            Chaining::Ctr => match self.fields.counted_from() {
                Some(_) => self.iv_len.or(self.fields.iv_len()).ok_or_else(|| {
                    bad("the server makes an IV before a counter where the IV Length or the Counter Length is given")
                })?,
                None => BLOCK,
            },
            _ => return Ok(self.iv_needed()),
        };
        if len < NONCE { Err(unsupported("a nonce made by the server of less than 96 bits")) } else { Ok(Some(len)) }
    }

    /// Makes an IV of so many bytes, as [`Self::iv_to_make`] says: random, but where its counter must have room.
    ///
    /// # Errors
    /// A generator that fails.
    pub fn make_iv(&self, view: &View, len: usize) -> Outcome<Blob> {
        let random = view.random(len)?;
        Ok(match <[u8; BLOCK]>::try_from(random.expose()) {
            Ok(block) => Blob::copy_of(&self.fields.leave_room(block)),
            Err(_) => Blob::copy_of(random.expose()),
        })
    }

    /// Whether an IV that the server makes is counted: one that is random, comes twice if there are too many of its
    /// length, and must not come twice.
    pub fn counts(&self, made: &Blob) -> bool {
        (made.len() < BLOCK || self.fields.begins_at_zero()) && self.is_nonce()
    }

    /// Refuses an IV that a client chooses for an encryption where the same one again would give away what was encrypted
    /// with it, under a key that the client could not use so elsewhere; the configuration may leave it to clients.
    ///
    /// # Errors
    /// Permission Denied.
    pub fn may_choose(&self, view: &View, key: &Permitted) -> Outcome<()> {
        if !self.is_nonce() || key.is_extractable() || view.shared().settings.client_nonces {
            return Ok(());
        }
        Err(Failure::new(
            ResultReason::PermissionDenied,
            "under a key that is not Extractable the server makes the nonces, with Random IV and no IV/Counter/Nonce: the \
             configuration leaves them to no client",
        ))
    }

    /// Whether the same IV twice gives away what is encrypted with it.
    const fn is_nonce(&self) -> bool {
        matches!(
            self.mode,
            Chaining::Gcm { .. }
                | Chaining::Ccm { .. }
                | Chaining::Ctr
                | Chaining::Ofb
                | Chaining::ChaCha20 { .. }
                | Chaining::Poly1305 { .. }
        )
    }

    /// How long an IV the mode must have, in bytes; `None` for one that has none, or of several lengths.
    pub fn iv_needed(&self) -> Option<usize> {
        match self.mode {
            Chaining::Ecb(..)
            | Chaining::Wrap(_)
            | Chaining::Gcm { .. }
            | Chaining::Ccm { .. }
            | Chaining::ChaCha20 { .. } => None,
            Chaining::Cbc(Block::TripleDes, _) => Some(SMALL),
            Chaining::Poly1305 { .. } => Some(NONCE),
            Chaining::Cbc(Block::Aes, _) | Chaining::Ctr | Chaining::Cfb | Chaining::Ofb | Chaining::Xts => Some(BLOCK),
        }
    }

    /// Checks the IV by what the parameters say of it, and puts the counter behind it where they say with which one it
    /// begins. Answers what the mode starts with if that is another than the IV.
    ///
    /// # Errors
    /// Bad Cryptographic Parameters.
    pub fn start(&self, iv: Option<&Blob>) -> Outcome<Option<Blob>> {
        let Some(iv) = iv else { return Ok(None) };
        if self.iv_len.is_some_and(|len| len != iv.len()) {
            return Err(bad(format!("the IV/Counter/Nonce has {} bytes, which is not the IV Length", iv.len())));
        }
        self.fields.start(iv)
    }

    /// Length of the tag in bytes; 0 where the mode has none.
    pub const fn tag_len(&self) -> usize {
        match self.mode {
            Chaining::Gcm { tag_len } | Chaining::Ccm { tag_len } | Chaining::Poly1305 { tag_len } => tag_len,
            _ => 0,
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
        if !matches!(self.mode, Chaining::Gcm { .. } | Chaining::Ccm { .. } | Chaining::Poly1305 { .. }) {
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
        if let Chaining::Wrap(wrap) = self.mode {
            return match with.iv {
                Some(_) => Err(meaningless(Tag::IVCounterNonce, "a key wrap")),
                None => Ok(Cipher::AesWrap(wrap)),
            };
        }
        let iv = bytes(with.iv).ok_or_else(|| {
            Failure::new(ResultReason::MissingInitializationVector, "the mode needs an IV/Counter/Nonce")
        })?;
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
            Chaining::Ccm { tag_len } => Cipher::AesCcm { nonce: iv, aad, tag_len, tag: tag()? },
            Chaining::Xts => Cipher::AesXts { tweak: iv },
            Chaining::Wrap(wrap) => Cipher::AesWrap(wrap),
            Chaining::Ctr => Cipher::AesCtr { iv, bits: self.fields.counter_bits() },
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
        Chaining::Ccm { .. } => Ok(Chaining::Ccm { tag_len: tag_bytes(parameters.tag_length, version, "CCM")? }),
        mode => Ok(mode),
    }
}

/// The mode of a block cipher. The tag is not looked at.
fn block_mode(parameters: &Parameters, block: Block, what: &str) -> Outcome<Chaining> {
    let more: &[Tag] = match parameters.block_cipher_mode {
        Some(Mode::GCM | Mode::CCM) => &[Tag::TagLength, Tag::FixedFieldLength, Tag::InvocationFieldLength],
        Some(Mode::CTR) => {
            &[Tag::CounterLength, Tag::InitialCounterValue, Tag::FixedFieldLength, Tag::InvocationFieldLength]
        }
        _ => &[],
    };
    let all = [Tag::BlockCipherMode, Tag::PaddingMethod, Tag::CryptographicAlgorithm, Tag::RandomIV, Tag::IVLength];
    let used = [&all[..], more].concat();
    only(parameters, &used, what)?;
    let padding = match parameters.padding_method {
        None | Some(PaddingMethod::None) => Padding::None,
        Some(PaddingMethod::PKCS5) => Padding::Pkcs5,
        Some(PaddingMethod::ANSIX923) => Padding::AnsiX923,
        Some(PaddingMethod::ISO10126) => Padding::Iso10126,
        Some(PaddingMethod::OAEP | PaddingMethod::PKCS1V15 | PaddingMethod::PSS) => {
            return Err(bad("that Padding Method is not for block ciphers"));
        }
        Some(PaddingMethod::Zeros) => {
            return Err(unsupported("the Padding Method Zeros, which does not show where the data ends"));
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
        Mode::CCM => Chaining::Ccm { tag_len: 0 },
        Mode::XTS => Chaining::Xts,
        Mode::NISTKeyWrap => Chaining::Wrap(Wrap::AesKw),
        Mode::AESKeyWrapPadding => Chaining::Wrap(Wrap::AesKwp),
        Mode::CMAC | Mode::CBCMAC => return Err(bad("that Block Cipher Mode is for MACs")),
        Mode::AEAD => return Err(unsupported("the Block Cipher Mode AEAD, which names no mode: GCM and CCM do")),
        Mode::CTR => Chaining::Ctr,
        Mode::CFB => Chaining::Cfb,
        Mode::OFB => Chaining::Ofb,
        other => return Err(unsupported(format!("the Block Cipher Mode {other}"))),
    };
    if padding == Padding::None { Ok(mode) } else { Err(bad("the Block Cipher Mode does not pad")) }
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
        Ok(bytes @ (4 | 6 | 8 | 10 | 12..=16)) => Ok(bytes),
        _ => Err(bad(format!("{what} has no tag of {length} bytes"))),
    }
}

/// IV Length, from bits to bytes.
fn iv_bytes(bits: i32, fits: impl FnOnce(usize) -> bool) -> Outcome<usize> {
    let bytes = usize::try_from(bits).ok().filter(|bits| bits.is_multiple_of(8)).map(|bits| bits / 8);
    bytes.filter(|&bytes| fits(bytes)).ok_or_else(|| bad(format!("the mode has no IV of {bits} bits")))
}

fn fits_iv(mode: Chaining, bytes: usize) -> bool {
    match mode {
        Chaining::Ecb(..) | Chaining::Wrap(_) => false,
        Chaining::Gcm { .. } => bytes > 0,
        Chaining::Ccm { .. } => matches!(bytes, 7..=13),
        Chaining::ChaCha20 { .. } => matches!(bytes, SMALL | NONCE),
        Chaining::Poly1305 { .. } => bytes == NONCE,
        Chaining::Cbc(Block::TripleDes, _) => bytes == SMALL,
        Chaining::Cbc(Block::Aes, _) | Chaining::Ctr | Chaining::Cfb | Chaining::Ofb | Chaining::Xts => bytes == BLOCK,
    }
}
