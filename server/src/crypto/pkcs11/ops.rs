//! Work with keys in the module: each algorithm in the module's words.

use aws_lc_rs::digest;
use cryptoki::error::RvError;
use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE, CKG_MGF1_SHA1, CKG_MGF1_SHA3_224, CKG_MGF1_SHA3_256,
    CKG_MGF1_SHA3_384, CKG_MGF1_SHA3_512, CKG_MGF1_SHA224, CKG_MGF1_SHA256, CKG_MGF1_SHA384,
    CKG_MGF1_SHA512, CKM_AES_CBC, CKM_AES_CBC_PAD, CKM_AES_CTR, CKM_AES_ECB, CKM_AES_GCM,
    CKM_ECDSA, CKM_RSA_PKCS, CKM_RSA_PKCS_PSS, CKM_SHA_1, CKM_SHA_1_HMAC, CKM_SHA3_224,
    CKM_SHA3_224_HMAC, CKM_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_384, CKM_SHA3_384_HMAC,
    CKM_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA224, CKM_SHA224_HMAC, CKM_SHA256, CKM_SHA256_HMAC,
    CKM_SHA384, CKM_SHA384_HMAC, CKM_SHA512, CKM_SHA512_224_HMAC, CKM_SHA512_256_HMAC,
    CKM_SHA512_HMAC,
};
use zeroize::Zeroizing;

use super::Pkcs11Provider;
use super::attr::Mechanism;
use super::fault::Fault;
use super::handles::Object;
use super::raw::Handle;
use super::session::Work;
use super::template::curve_bytes;
use super::{der, keywrap};
use crate::crypto::algorithm::{
    Cipher, Encrypted, Hash, KeyKind, Mac, Message, Padding, Signature, Wrap,
};
use crate::crypto::{CryptoError, Guarded};
use crate::secret::Secret;

const BLOCK: usize = 16;
const NOT_WHOLE: CryptoError = CryptoError::Failed("the data is not whole blocks");
const BAD_PADDING: CryptoError = CryptoError::Failed("the padding is wrong");
const BAD_TAG: CryptoError = CryptoError::Failed("the tag does not verify");

fn bad(text: &str) -> CryptoError {
    CryptoError::BadParameters(text.to_owned())
}

fn unsupported(text: &str) -> CryptoError {
    CryptoError::Unsupported(text.to_owned())
}

impl Pkcs11Provider {
    pub(super) fn encrypt_with(
        &self,
        key: &Guarded,
        cipher: &Cipher<'_>,
        data: &[u8],
    ) -> Result<Encrypted, CryptoError> {
        must_be_aes(key)?;
        let (mechanism, tag_len) = self.mechanism(cipher, data.len())?;
        let padded;
        let (data, room) = match cipher {
            Cipher::AesGcm { .. } => (data, data.len().saturating_add(tag_len)),
            Cipher::AesCbc {
                padding: Padding::Pkcs5,
                ..
            } => (data, data.len().saturating_add(BLOCK)),
            Cipher::AesEcb {
                padding: Padding::Pkcs5,
            } => {
                padded = pad(data);
                (padded.as_slice(), padded.len())
            }
            Cipher::AesCbc { .. } | Cipher::AesEcb { .. } if !data.len().is_multiple_of(BLOCK) => {
                return Err(NOT_WHOLE);
            }
            _ => (data, data.len()),
        };
        let mut out = if room == 0 {
            // Nothing comes of nothing, but only if the key is there.
            self.use_key(key, |_, _| Ok(Vec::new()))??
        } else {
            self.use_key(key, |work, handle| {
                work.raw
                    .encrypt(work.session, &mechanism, handle, data, room)
            })??
        };
        let cut = out
            .len()
            .checked_sub(tag_len)
            .ok_or_else(|| too_short("C_Encrypt"))?;
        let tag = out.split_off(cut);
        Ok(Encrypted { data: out, tag })
    }

    pub(super) fn decrypt_with(
        &self,
        key: &Guarded,
        cipher: &Cipher<'_>,
        data: &[u8],
    ) -> Result<Secret, CryptoError> {
        must_be_aes(key)?;
        let (mechanism, tag_len) = self.mechanism(cipher, data.len())?;
        let joined;
        let (data, failed) = match cipher {
            Cipher::AesGcm { tag, .. } if tag.len() != tag_len => {
                return Err(bad("the tag has not the tag length"));
            }
            Cipher::AesGcm { tag, .. } => {
                joined = [data, tag].concat();
                (joined.as_slice(), BAD_TAG)
            }
            Cipher::AesCbc { .. } | Cipher::AesEcb { .. } if !data.len().is_multiple_of(BLOCK) => {
                return Err(NOT_WHOLE);
            }
            Cipher::AesCbc {
                padding: Padding::Pkcs5,
                ..
            }
            | Cipher::AesEcb {
                padding: Padding::Pkcs5,
            } => {
                if data.is_empty() {
                    return Err(BAD_PADDING);
                }
                (data, BAD_PADDING)
            }
            _ => (data, NOT_WHOLE),
        };
        let out = if data.is_empty() {
            self.use_key(key, |_, _| Ok(Zeroizing::new(Vec::new())))?
        } else {
            self.use_key(key, |work, handle| {
                work.raw.decrypt(work.session, &mechanism, handle, data)
            })?
        };
        let out = match out {
            Ok(out) => out,
            Err(fault) if fault.blames_data() => return Err(failed),
            // The code may mean the data or the module. The module is asked for something that cannot fail.
            Err(fault) if fault.is_vague() => {
                return Err(if self.answers(key) {
                    failed
                } else {
                    fault.into()
                });
            }
            Err(fault) => return Err(fault.into()),
        };
        if matches!(
            cipher,
            Cipher::AesEcb {
                padding: Padding::Pkcs5
            }
        ) {
            return unpad(&out).map(Secret::copy_of);
        }
        Ok(Secret::copy_of(&out))
    }

    pub(super) fn sign_with(
        &self,
        key: &Guarded,
        scheme: Signature,
        message: Message<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        let (Signature::RsaPkcs1(hash) | Signature::RsaPss { hash, .. } | Signature::Ecdsa(hash)) =
            scheme;
        let digest = digest_of(hash, message)?;
        match (key.kind, scheme) {
            (KeyKind::Rsa { bits }, Signature::RsaPkcs1(hash)) => {
                self.must_have(CKM_RSA_PKCS, "RSA PKCS#1")?;
                let info = der::digest_info(hash, &digest)
                    .ok_or_else(|| unsupported("MD5 signs nothing here"))?;
                self.sign_raw(key, &Mechanism::Plain(CKM_RSA_PKCS), &info, byte_len(bits))
            }
            (KeyKind::Rsa { bits }, Signature::RsaPss { hash, mgf, salt }) => {
                self.must_have(CKM_RSA_PKCS_PSS, "RSA-PSS")?;
                let room = byte_len(bits);
                let longest = room
                    .checked_sub(hash.len() + 2)
                    .ok_or_else(|| bad("the hash is too long for the key"))?;
                if salt > longest {
                    return Err(bad("the salt is too long for key and hash"));
                }
                let (Some((hash, _)), Some((_, mgf))) = (pss(hash), pss(mgf)) else {
                    return Err(unsupported("RSA-PSS with this hash in the HSM module"));
                };
                let salt = salt.try_into().map_err(|_| bad("the salt is too long"))?;
                self.sign_raw(key, &Mechanism::Pss { hash, mgf, salt }, &digest, room)
            }
            (KeyKind::Ec { curve }, Signature::Ecdsa(_)) => {
                self.must_have(CKM_ECDSA, "ECDSA")?;
                let order = curve_bytes(curve);
                // FIPS 186-5 §6.4.1: the leftmost bits of a longer digest. All orders here are whole bytes, but P-521's,
                // which is longer than any digest.
                let digest = digest.get(..order).unwrap_or(&digest);
                let raw = self.sign_raw(key, &Mechanism::Plain(CKM_ECDSA), digest, 2 * order)?;
                der::ecdsa_signature(&raw).ok_or_else(|| too_short("C_Sign"))
            }
            _ => Err(bad("the signature scheme does not fit the key")),
        }
    }

    pub(super) fn mac_with(
        &self,
        key: &Guarded,
        mac: Mac,
        data: &[u8],
    ) -> Result<Vec<u8>, CryptoError> {
        let Mac::Hmac(hash) = mac;
        let KeyKind::Generic { bytes } = key.kind else {
            return Err(bad("HMAC takes a key for HMAC"));
        };
        let mechanism = hmac(hash).filter(|mechanism| self.token.has(*mechanism));
        let mechanism = mechanism.ok_or_else(|| {
            CryptoError::Unsupported(format!("HMAC with {hash:?} in the HSM module"))
        })?;
        let answer = self.use_key(key, |work, handle| {
            work.raw.sign(
                work.session,
                &Mechanism::Plain(mechanism),
                handle,
                data,
                hash.len(),
            )
        })?;
        match answer {
            Err(Fault {
                error: RvError::KeySizeRange,
                ..
            }) => Err(CryptoError::Unsupported(format!(
                "HMAC with {hash:?} and a key of {bytes} bytes in the HSM module"
            ))),
            answer => Ok(answer?),
        }
    }

    pub(super) fn wrap_with(
        &self,
        key: &Guarded,
        wrap: Wrap,
        bytes: &Secret,
    ) -> Result<Vec<u8>, CryptoError> {
        must_be_aes(key)?;
        self.must_have(CKM_AES_ECB, "AES-ECB")?;
        let object = self.object(key)?;
        let encrypt = |block: &[u8; 16]| {
            let out = self.use_object(&object, |work, handle| ecb(work, handle, block))?;
            whole_block(&out, "C_Encrypt")
        };
        match wrap {
            Wrap::AesKw => keywrap::wrap(encrypt, bytes.expose()),
            Wrap::AesKwp => keywrap::wrap_padded(encrypt, bytes.expose()),
        }
    }

    pub(super) fn unwrap_with(
        &self,
        key: &Guarded,
        wrap: Wrap,
        wrapped: &[u8],
    ) -> Result<Secret, CryptoError> {
        must_be_aes(key)?;
        self.must_have(CKM_AES_ECB, "AES-ECB")?;
        let object = self.object(key)?;
        let decrypt = |block: &[u8; 16]| {
            let out = self.use_object(&object, |work, handle| {
                work.raw
                    .decrypt(work.session, &Mechanism::Plain(CKM_AES_ECB), handle, block)
            })?;
            whole_block(&out, "C_Decrypt")
        };
        let bytes = match wrap {
            Wrap::AesKw => keywrap::unwrap(decrypt, wrapped)?,
            Wrap::AesKwp => keywrap::unwrap_padded(decrypt, wrapped)?,
        };
        Ok(Secret::copy_of(&bytes))
    }

    /// Runs a call with a key's handle. The outer error is one of finding the key.
    fn use_key<T>(
        &self,
        key: &Guarded,
        run: impl FnOnce(&Work<'_>, Handle) -> Result<T, Fault>,
    ) -> Result<Result<T, Fault>, CryptoError> {
        let object = self.object(key)?;
        Ok(self.use_object(&object, run))
    }

    /// Runs a call with a handle, in a session of the same epoch.
    fn use_object<T>(
        &self,
        object: &Object,
        run: impl FnOnce(&Work<'_>, Handle) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.token.sessions.work(|work| {
            if work.epoch == object.epoch {
                run(work, object.handle)
            } else {
                Err(Fault {
                    call: "reconnecting to the module",
                    error: RvError::FunctionCanceled,
                })
            }
        })
    }

    /// Whether module and key work.
    fn answers(&self, key: &Guarded) -> bool {
        matches!(
            self.use_key(key, |work, handle| ecb(work, handle, &[0; 16])),
            Ok(Ok(_))
        )
    }

    fn sign_raw(
        &self,
        key: &Guarded,
        mechanism: &Mechanism<'_>,
        data: &[u8],
        room: usize,
    ) -> Result<Vec<u8>, CryptoError> {
        let answer = self.use_key(key, |work, handle| {
            work.raw.sign(work.session, mechanism, handle, data, room)
        })?;
        match answer {
            Err(fault) if fault.blames_data() => {
                Err(CryptoError::Failed("the digest does not fit the key"))
            }
            answer => Ok(answer?),
        }
    }

    /// The mechanism, and the length of its tag.
    fn mechanism<'a>(
        &self,
        cipher: &Cipher<'a>,
        len: usize,
    ) -> Result<(Mechanism<'a>, usize), CryptoError> {
        let iv_block =
            |iv: &[u8]| <[u8; BLOCK]>::try_from(iv).map_err(|_| bad("the IV must have 16 bytes"));
        Ok(match *cipher {
            Cipher::AesGcm {
                iv, aad, tag_len, ..
            } => {
                self.must_have(CKM_AES_GCM, "AES-GCM")?;
                if iv.is_empty() {
                    return Err(bad("GCM needs a nonce"));
                }
                let tag_bits = match tag_len {
                    4 => 32,
                    8 => 64,
                    12 => 96,
                    13 => 104,
                    14 => 112,
                    15 => 120,
                    16 => 128,
                    _ => return Err(bad("a GCM tag has 4, 8 or 12 to 16 bytes")),
                };
                (Mechanism::Gcm { iv, aad, tag_bits }, tag_len)
            }
            Cipher::AesCbc { iv, padding } => {
                iv_block(iv)?;
                let mechanism = if padding == Padding::Pkcs5 {
                    CKM_AES_CBC_PAD
                } else {
                    CKM_AES_CBC
                };
                self.must_have(mechanism, "AES-CBC")?;
                (Mechanism::Iv(mechanism, iv), 0)
            }
            Cipher::AesCtr { iv } => {
                self.must_have(CKM_AES_CTR, "AES-CTR")?;
                let counter = iv_block(iv)?;
                let steps = u128::try_from(len.div_ceil(BLOCK))
                    .unwrap_or(u128::MAX)
                    .saturating_sub(1);
                if u128::from_be_bytes(counter).checked_add(steps).is_none() {
                    return Err(bad("the counter would wrap"));
                }
                (Mechanism::Ctr(counter), 0)
            }
            Cipher::AesEcb { .. } => {
                self.must_have(CKM_AES_ECB, "AES-ECB")?;
                (Mechanism::Plain(CKM_AES_ECB), 0)
            }
        })
    }

    fn must_have(&self, mechanism: CK_MECHANISM_TYPE, name: &str) -> Result<(), CryptoError> {
        if self.token.has(mechanism) {
            Ok(())
        } else {
            Err(CryptoError::Unsupported(format!(
                "the HSM module has no {name}"
            )))
        }
    }
}

fn must_be_aes(key: &Guarded) -> Result<(), CryptoError> {
    if matches!(key.kind, KeyKind::Aes { .. }) {
        Ok(())
    } else {
        Err(bad("the key is not an AES key"))
    }
}

fn too_short(call: &str) -> CryptoError {
    CryptoError::Unavailable(format!("{call} answered less than it must"))
}

fn ecb(work: &Work<'_>, key: Handle, block: &[u8; 16]) -> Result<Vec<u8>, Fault> {
    work.raw.encrypt(
        work.session,
        &Mechanism::Plain(CKM_AES_ECB),
        key,
        block,
        BLOCK,
    )
}

fn whole_block(bytes: &[u8], call: &str) -> Result<Zeroizing<[u8; 16]>, CryptoError> {
    bytes
        .try_into()
        .map(Zeroizing::new)
        .map_err(|_| too_short(call))
}

const fn byte_len(bits: u32) -> usize {
    bits.div_ceil(8) as usize
}

/// PKCS#5 padding (RFC 8018 §6.1.1).
fn pad(data: &[u8]) -> Zeroizing<Vec<u8>> {
    let fill = BLOCK - data.len() % BLOCK;
    let mut padded = Zeroizing::new(Vec::with_capacity(data.len() + fill));
    padded.extend_from_slice(data);
    padded.resize(data.len() + fill, u8::try_from(fill).unwrap_or(0));
    padded
}

fn unpad(data: &[u8]) -> Result<&[u8], CryptoError> {
    let last = *data.last().ok_or(BAD_PADDING)?;
    let fill = usize::from(last);
    let (kept, padding) = data
        .len()
        .checked_sub(fill)
        .and_then(|cut| data.split_at_checked(cut))
        .ok_or(BAD_PADDING)?;
    if !(1..=BLOCK).contains(&fill)
        || padding.iter().fold(0, |bits, byte| bits | (byte ^ last)) != 0
    {
        return Err(BAD_PADDING);
    }
    Ok(kept)
}

/// The digest that is signed. Hashing needs no key and is done here, so that the module gets a few bytes.
fn digest_of(hash: Hash, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
    let data = match message {
        Message::Digest(digest) if digest.len() == hash.len() => return Ok(digest.to_vec()),
        Message::Digest(_) => return Err(bad("the digest has not the length of the hash")),
        Message::Data(data) => data,
    };
    let algorithm = match hash {
        Hash::Sha1 => &digest::SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => &digest::SHA224,
        Hash::Sha256 => &digest::SHA256,
        Hash::Sha384 => &digest::SHA384,
        Hash::Sha512 => &digest::SHA512,
        Hash::Sha512_256 => &digest::SHA512_256,
        Hash::Sha3_256 => &digest::SHA3_256,
        Hash::Sha3_384 => &digest::SHA3_384,
        Hash::Sha3_512 => &digest::SHA3_512,
        Hash::Md5 | Hash::Sha512_224 | Hash::Sha3_224 => {
            return Err(CryptoError::Unsupported(format!(
                "signing data with {hash:?}"
            )));
        }
    };
    Ok(digest::digest(algorithm, data).as_ref().to_vec())
}

const fn hmac(hash: Hash) -> Option<CK_MECHANISM_TYPE> {
    Some(match hash {
        Hash::Md5 => return None,
        Hash::Sha1 => CKM_SHA_1_HMAC,
        Hash::Sha224 => CKM_SHA224_HMAC,
        Hash::Sha256 => CKM_SHA256_HMAC,
        Hash::Sha384 => CKM_SHA384_HMAC,
        Hash::Sha512 => CKM_SHA512_HMAC,
        Hash::Sha512_224 => CKM_SHA512_224_HMAC,
        Hash::Sha512_256 => CKM_SHA512_256_HMAC,
        Hash::Sha3_224 => CKM_SHA3_224_HMAC,
        Hash::Sha3_256 => CKM_SHA3_256_HMAC,
        Hash::Sha3_384 => CKM_SHA3_384_HMAC,
        Hash::Sha3_512 => CKM_SHA3_512_HMAC,
    })
}

/// The hash and the mask generation function of PSS.
const fn pss(hash: Hash) -> Option<(CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE)> {
    Some(match hash {
        Hash::Sha1 => (CKM_SHA_1, CKG_MGF1_SHA1),
        Hash::Sha224 => (CKM_SHA224, CKG_MGF1_SHA224),
        Hash::Sha256 => (CKM_SHA256, CKG_MGF1_SHA256),
        Hash::Sha384 => (CKM_SHA384, CKG_MGF1_SHA384),
        Hash::Sha512 => (CKM_SHA512, CKG_MGF1_SHA512),
        Hash::Sha3_224 => (CKM_SHA3_224, CKG_MGF1_SHA3_224),
        Hash::Sha3_256 => (CKM_SHA3_256, CKG_MGF1_SHA3_256),
        Hash::Sha3_384 => (CKM_SHA3_384, CKG_MGF1_SHA3_384),
        Hash::Sha3_512 => (CKM_SHA3_512, CKG_MGF1_SHA3_512),
        Hash::Md5 | Hash::Sha512_224 | Hash::Sha512_256 => return None,
    })
}
