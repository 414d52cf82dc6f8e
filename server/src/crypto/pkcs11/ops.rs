//! Work with keys in the module: each algorithm in the module's words. The parameters have been checked before, the same
//! for every provider; what is refused here is what the module lacks.

use std::borrow::Cow;

use cryptoki::error::RvError;
use cryptoki_sys::{
    CK_MECHANISM_TYPE, CK_RSA_PKCS_MGF_TYPE, CKG_MGF1_SHA1, CKG_MGF1_SHA3_224, CKG_MGF1_SHA3_256, CKG_MGF1_SHA3_384,
    CKG_MGF1_SHA3_512, CKG_MGF1_SHA224, CKG_MGF1_SHA256, CKG_MGF1_SHA384, CKG_MGF1_SHA512, CKM_AES_CBC, CKM_AES_CCM,
    CKM_AES_CFB128, CKM_AES_CMAC, CKM_AES_CTR, CKM_AES_ECB, CKM_AES_GCM, CKM_AES_OFB, CKM_DES3_CBC, CKM_DES3_ECB,
    CKM_ECDSA, CKM_EDDSA, CKM_ML_DSA, CKM_ML_KEM, CKM_RSA_PKCS, CKM_RSA_PKCS_OAEP, CKM_RSA_PKCS_PSS, CKM_SHA_1,
    CKM_SHA_1_HMAC, CKM_SHA3_224, CKM_SHA3_224_HMAC, CKM_SHA3_256, CKM_SHA3_256_HMAC, CKM_SHA3_384, CKM_SHA3_384_HMAC,
    CKM_SHA3_512, CKM_SHA3_512_HMAC, CKM_SHA224, CKM_SHA224_HMAC, CKM_SHA256, CKM_SHA256_HMAC, CKM_SHA384,
    CKM_SHA384_HMAC, CKM_SHA512, CKM_SHA512_224_HMAC, CKM_SHA512_256_HMAC, CKM_SHA512_HMAC, CKM_SLH_DSA,
};
use zeroize::Zeroizing;

use super::Pkcs11Provider;
use super::attr::Mechanism;
use super::chacha::ChaCha20;
use super::fault::Fault;
use super::handles::Object;
use super::raw::Handle;
use super::session::Work;
use super::{der, keywrap, template};
use crate::crypto::algorithm::{
    Cipher, Edwards, Encrypted, Family, Hash, KeyKind, Mac, Message, Padding, RsaCipher, Signature, Wrap,
};
use crate::crypto::keyblock;
use crate::crypto::public::hash;
use crate::crypto::{CryptoError, Guarded, Place, UNDECRYPTABLE, hpke, padding};
use crate::secret::Secret;

const BLOCK: usize = 16;
/// Length of a shared secret of ML-KEM in bytes.
const SHARED_SECRET: u32 = 32;
const ECB: Mechanism<'static> = Mechanism::Plain(CKM_AES_ECB);

impl Pkcs11Provider {
    pub(super) fn encrypt_with(
        &self,
        key: &Guarded,
        cipher: &Cipher<'_>,
        data: &[u8],
    ) -> Result<Encrypted, CryptoError> {
        cipher.check_encrypt(key.kind, data.len())?;
        if let Cipher::AesWrap(how) = cipher {
            return Ok(Encrypted { data: self.wrap_with(key, *how, &Secret::copy_of(data))?, tag: Vec::new() });
        }
        let (mechanism, tag_len) = self.mechanism(cipher, data.len())?;
        let object = self.object(of_cipher(key, cipher)?.as_ref())?;
        // Padding is put on and taken off here: PKCS#11 has one method of several, and that for CBC alone.
        let padded = match cipher.padding() {
            Padding::None => None,
            method => Some(padding::pad(method, data, cipher.unit())?),
        };
        let data = padded.as_ref().map_or(data, |padded| padded.as_slice());
        let room = data.len().saturating_add(tag_len);
        let mut out = Vec::new();
        if room > 0 {
            out = self
                .use_object(&object, |work, handle| work.raw.encrypt(work.session, &mechanism, handle, data, room))?;
        }
        if out.len() != room {
            return Err(too_short("C_Encrypt"));
        }
        let tag = out.split_off(data.len());
        Ok(Encrypted { data: out, tag })
    }

    pub(super) fn decrypt_with(&self, key: &Guarded, cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        cipher.check_decrypt(key.kind, data.len())?;
        if let Cipher::AesWrap(how) = cipher {
            return self.unwrap_with(key, *how, data).map_err(|error| match error {
                CryptoError::Failed(_) => UNDECRYPTABLE,
                error => error,
            });
        }
        let (mechanism, _) = self.mechanism(cipher, data.len())?;
        let object = self.object(of_cipher(key, cipher)?.as_ref())?;
        let joined;
        let data = match cipher.tag() {
            [] => data,
            tag => {
                joined = [data, tag].concat();
                joined.as_slice()
            }
        };
        if data.is_empty() {
            return Ok(Secret::copy_of(&[]));
        }
        let expected = data.len().saturating_sub(cipher.tag().len());
        let answer = self.use_object(&object, |work, handle| work.raw.decrypt(work.session, &mechanism, handle, data));
        let out = match answer {
            Ok(out) => out,
            Err(fault) if fault.blames_data() => return Err(UNDECRYPTABLE),
            // The code may mean the data or the module: the module is asked for something that cannot fail.
            Err(fault) if fault.is_vague() => {
                let probe = self.use_object(&object, |work, handle| probe(work, handle, cipher, &mechanism));
                return Err(if probe.is_ok() { UNDECRYPTABLE } else { fault.into() });
            }
            Err(fault) => return Err(fault.into()),
        };
        if out.len() != expected {
            return Err(too_short("C_Decrypt"));
        }
        padding::unpad(cipher.padding(), &out, cipher.unit()).map(Secret::copy_of)
    }

    pub(super) fn decrypt_rsa_with(
        &self,
        key: &Guarded,
        cipher: &RsaCipher<'_>,
        data: &[u8],
    ) -> Result<Secret, CryptoError> {
        const UNDECRYPTABLE: CryptoError =
            CryptoError::Failed("the ciphertext does not decrypt with this key and padding");
        cipher.check(key.kind)?;
        let mechanism = match *cipher {
            RsaCipher::Pkcs1 => {
                self.must_have(CKM_RSA_PKCS, "RSA PKCS#1")?;
                Mechanism::Plain(CKM_RSA_PKCS)
            }
            RsaCipher::Oaep { hash, mgf, label } => {
                self.must_have(CKM_RSA_PKCS_OAEP, "RSA-OAEP")?;
                let (Some((hash, _)), Some((_, mgf))) = (pss(hash), pss(mgf)) else {
                    return Err(CryptoError::Unsupported(format!("OAEP with {hash:?} and {mgf:?} in the HSM module")));
                };
                Mechanism::Oaep { hash, mgf, label }
            }
        };
        // RFC 8017 §7.1.2 step 1, §7.2.2 step 1. kryoptic takes a ciphertext whose leading zero is left out.
        if data.len() != keyblock::length_of(key.kind).div_ceil(8) as usize {
            return Err(UNDECRYPTABLE);
        }
        let object = self.object(key)?;
        match self.use_object(&object, |work, handle| work.raw.decrypt(work.session, &mechanism, handle, data)) {
            Ok(out) => Ok(Secret::copy_of(&out)),
            Err(Fault { error: RvError::MechanismParamInvalid | RvError::ArgumentsBad, .. }) => {
                Err(CryptoError::Unsupported("OAEP with these parameters in the HSM module".to_owned()))
            }
            // Which code a module has for a wrong padding differs; none of them may tell more than that it failed.
            Err(fault) if fault.blames_data() => Err(UNDECRYPTABLE),
            Err(fault) if fault.is_vague() && self.token.sessions.epoch() == object.epoch => Err(UNDECRYPTABLE),
            Err(fault) => Err(fault.into()),
        }
    }

    pub(super) fn sign_with(
        &self,
        key: &Guarded,
        scheme: Signature,
        message: Message<'_>,
    ) -> Result<Vec<u8>, CryptoError> {
        scheme.check(key.kind, message)?;
        if scheme.is_pure() {
            return self.sign_whole(key, message);
        }
        // Hashing needs no key and is done here, so that the module gets a few bytes.
        let digest = match message {
            Message::Digest(digest) => digest.to_vec(),
            Message::Data(data) => {
                hash(scheme.hash().ok_or(CryptoError::Failed("nothing says how the data is hashed"))?, data)
            }
        };
        match (key.kind, scheme) {
            (KeyKind::Rsa { bits }, Signature::RsaPkcs1(hash)) => {
                self.must_have(CKM_RSA_PKCS, "RSA PKCS#1")?;
                let info = der::digest_info(hash, &digest)
                    .ok_or_else(|| CryptoError::Unsupported("MD5 in signatures".to_owned()))?;
                self.sign_raw(key, &Mechanism::Plain(CKM_RSA_PKCS), &info, byte_len(bits))
            }
            (KeyKind::Rsa { bits }, Signature::RsaPkcs1Bare) => {
                self.must_have(CKM_RSA_PKCS, "RSA PKCS#1")?;
                self.sign_raw(key, &Mechanism::Plain(CKM_RSA_PKCS), &digest, byte_len(bits))
            }
            (KeyKind::Rsa { bits }, Signature::RsaPss { hash, mgf, salt }) => {
                self.must_have(CKM_RSA_PKCS_PSS, "RSA-PSS")?;
                let (Some((hash, _)), Some((_, mgf))) = (pss(hash), pss(mgf)) else {
                    return Err(CryptoError::Unsupported(format!("{scheme:?} in the HSM module")));
                };
                let salt =
                    salt.try_into().map_err(|_| CryptoError::BadParameters("the salt is too long".to_owned()))?;
                self.sign_raw(key, &Mechanism::Pss { hash, mgf, salt }, &digest, byte_len(bits))
            }
            (KeyKind::Ec { curve }, Signature::Ecdsa(_) | Signature::EcdsaBare) => {
                self.must_have(CKM_ECDSA, "ECDSA")?;
                // FIPS 186-5 §6.4.1: the leftmost bits of a digest that is longer than the order. Only P-521's order is
                // not whole bytes, and no digest is longer than that.
                let digest = digest.get(..curve.coordinate_len()).unwrap_or(&digest);
                let raw = self.sign_raw(key, &Mechanism::Plain(CKM_ECDSA), digest, 2 * curve.coordinate_len())?;
                der::ecdsa_signature(&raw).ok_or_else(|| too_short("C_Sign"))
            }
            _ => Err(CryptoError::BadParameters("the signature scheme does not fit the key".to_owned())),
        }
    }

    /// Signs with a scheme that takes the data itself.
    fn sign_whole(&self, key: &Guarded, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        let unfit = || CryptoError::BadParameters("the signature scheme does not fit the key".to_owned());
        let (number, name, mechanism, room) = match key.kind {
            KeyKind::Edwards { curve: Edwards::Ed25519 } => (CKM_EDDSA, "EdDSA", Mechanism::Plain(CKM_EDDSA), 64),
            KeyKind::Edwards { curve: Edwards::Ed448 } => (CKM_EDDSA, "EdDSA", Mechanism::Eddsa, 114),
            // Without parameters: hedged where the module can, with an empty context.
            KeyKind::PostQuantum { set } if set.family() == Family::MlDsa => {
                (CKM_ML_DSA, "ML-DSA", Mechanism::Plain(CKM_ML_DSA), set.output_len())
            }
            KeyKind::PostQuantum { set } if set.family() == Family::SlhDsa => {
                (CKM_SLH_DSA, "SLH-DSA", Mechanism::Plain(CKM_SLH_DSA), set.output_len())
            }
            _ => return Err(unfit()),
        };
        self.must_have(number, name)?;
        match message {
            Message::Data(data) => self.sign_raw(key, &mechanism, data, room),
            Message::Digest(_) => Err(unfit()),
        }
    }

    /// Decrypts what was encrypted to the public half of a key of ML-KEM. The shared secret stays in the module; what comes
    /// out of it is the secret of this one message.
    pub(super) fn open_hpke_with(&self, key: &Guarded, aad: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
        let set = match key.kind {
            KeyKind::PostQuantum { set } if set.is_kem() => set,
            kind => return Err(CryptoError::BadParameters(format!("ML-KEM does not go with a key that is {kind:?}"))),
        };
        self.must_have(CKM_ML_KEM, "ML-KEM")?;
        self.must_have(CKM_SHA512_HMAC, "HMAC with SHA-512")?;
        let object = self.object(key)?;
        let template = template::unwrapped(KeyKind::Generic { bytes: SHARED_SECRET });
        hpke::open(set, aad, data, |encapsulated, labelled| {
            let made = self.use_object(&object, |work, handle| {
                // After an error the session is closed, and what was made in it ends with it.
                let kem = Mechanism::Plain(CKM_ML_KEM);
                let shared = work.raw.decapsulate(work.session, &kem, handle, encapsulated, &template)?;
                let extract = Mechanism::Plain(CKM_SHA512_HMAC);
                let made = work.raw.sign(work.session, &extract, shared, labelled, Hash::Sha512.len())?;
                work.raw.destroy_object(work.session, shared)?;
                Ok(made)
            });
            Ok(Secret::new(made?))
        })
    }

    pub(super) fn mac_with(&self, key: &Guarded, mac: Mac, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let mechanism = self.mac_mechanism(key, mac)?;
        let object = self.object(key)?;
        let answer =
            self.use_object(&object, |work, handle| work.raw.sign(work.session, &mechanism, handle, data, mac.len()));
        match answer.map_err(|fault| mac_fault(fault, key, mac))? {
            code if code.len() == mac.len() => Ok(code),
            _ => Err(too_short("C_Sign")),
        }
    }

    /// The mechanism of a MAC.
    pub(super) fn mac_mechanism(&self, key: &Guarded, mac: Mac) -> Result<Mechanism<'static>, CryptoError> {
        mac.check(key.kind)?;
        let mechanism = match mac {
            Mac::Hmac(hash) => hmac(hash),
            Mac::Cmac => Some(CKM_AES_CMAC),
            Mac::Poly1305 => None,
        };
        let mechanism = mechanism.filter(|mechanism| self.token.has(*mechanism));
        mechanism.map(Mechanism::Plain).ok_or_else(|| lacks_mac(key, mac))
    }

    pub(super) fn wrap_with(&self, key: &Guarded, wrap: Wrap, bytes: &Secret) -> Result<Vec<u8>, CryptoError> {
        wrap.check_wrap(key.kind, bytes.len())?;
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

    pub(super) fn unwrap_with(&self, key: &Guarded, wrap: Wrap, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        wrap.check_unwrap(key.kind, wrapped.len())?;
        self.must_have(CKM_AES_ECB, "AES-ECB")?;
        let object = self.object(key)?;
        let decrypt = |block: &[u8; 16]| {
            let out = self.use_object(&object, |work, handle| work.raw.decrypt(work.session, &ECB, handle, block))?;
            whole_block(&out, "C_Decrypt")
        };
        let bytes = match wrap {
            Wrap::AesKw => keywrap::unwrap(decrypt, wrapped)?,
            Wrap::AesKwp => keywrap::unwrap_padded(decrypt, wrapped)?,
        };
        Ok(Secret::copy_of(&bytes))
    }

    /// Runs a call with a handle, in a session of the same epoch.
    pub(super) fn use_object<T>(
        &self,
        object: &Object,
        run: impl FnOnce(&Work<'_>, Handle) -> Result<T, Fault>,
    ) -> Result<T, Fault> {
        self.token.sessions.work(|work| {
            if work.epoch == object.epoch {
                run(work, object.handle)
            } else {
                Err(Fault { call: "reconnecting to the module", error: RvError::FunctionCanceled })
            }
        })
    }

    fn sign_raw(
        &self,
        key: &Guarded,
        mechanism: &Mechanism<'_>,
        data: &[u8],
        room: usize,
    ) -> Result<Vec<u8>, CryptoError> {
        let object = self.object(key)?;
        let answer =
            self.use_object(&object, |work, handle| work.raw.sign(work.session, mechanism, handle, data, room));
        match answer {
            Err(fault) if fault.blames_data() => Err(CryptoError::Failed("the digest does not fit the key")),
            // Every signature has one length.
            Ok(signature) if signature.len() != room => Err(too_short("C_Sign")),
            answer => Ok(answer?),
        }
    }

    /// The mechanism for so many bytes without a tag, and the length of the tag.
    pub(super) fn mechanism<'a>(&self, cipher: &Cipher<'a>, len: usize) -> Result<(Mechanism<'a>, usize), CryptoError> {
        let number = match cipher {
            Cipher::AesGcm { .. } => CKM_AES_GCM,
            Cipher::AesCcm { .. } => CKM_AES_CCM,
            Cipher::AesCbc { .. } => CKM_AES_CBC,
            Cipher::AesCtr { .. } => CKM_AES_CTR,
            Cipher::AesEcb { .. } => CKM_AES_ECB,
            Cipher::AesCfb { .. } => CKM_AES_CFB128,
            Cipher::AesOfb { .. } => CKM_AES_OFB,
            Cipher::TdesCbc { .. } => CKM_DES3_CBC,
            Cipher::TdesEcb { .. } => CKM_DES3_ECB,
            other => ChaCha20::number(other)
                .ok_or_else(|| CryptoError::Unsupported(format!("in the HSM module: {}", other.name())))?,
        };
        self.must_have(number, cipher.name())?;
        let bad = |_| CryptoError::BadParameters("a length is out of range".to_owned());
        Ok(match *cipher {
            Cipher::AesGcm { iv, aad, tag_len, .. } => {
                let tag_bits = u32::try_from(tag_len * 8).map_err(bad)?.into();
                (Mechanism::Gcm { iv, aad, tag_bits }, tag_len)
            }
            Cipher::AesCcm { nonce, aad, tag_len, .. } => (Mechanism::Ccm { nonce, aad, tag_len, len }, tag_len),
            Cipher::AesCbc { iv, .. } | Cipher::AesCfb { iv } | Cipher::AesOfb { iv } | Cipher::TdesCbc { iv, .. } => {
                (Mechanism::Iv(number, iv), 0)
            }
            Cipher::AesCtr { iv, .. } => {
                let counter =
                    iv.try_into().map_err(|_| CryptoError::BadParameters("the IV has not 16 bytes".to_owned()))?;
                (Mechanism::Ctr(counter), 0)
            }
            Cipher::ChaCha20 { .. } | Cipher::ChaCha20Poly1305 { .. } => {
                (Mechanism::ChaCha20(ChaCha20::of(cipher)?), cipher.tag_len())
            }
            _ => (Mechanism::Plain(number), 0),
        })
    }

    pub(super) fn must_have(&self, mechanism: CK_MECHANISM_TYPE, name: &str) -> Result<(), CryptoError> {
        if self.token.has(mechanism) {
            Ok(())
        } else {
            Err(CryptoError::Unsupported(format!("the HSM module has no {name}")))
        }
    }
}

fn lacks_mac(key: &Guarded, mac: Mac) -> CryptoError {
    CryptoError::Unsupported(format!("{mac:?} with a key that is {:?} in the HSM module", key.kind))
}

/// What a refused MAC means.
pub(super) fn mac_fault(fault: Fault, key: &Guarded, mac: Mac) -> CryptoError {
    match fault.error {
        // SoftHSM wants a key as long as the digest; and a token object that was made when AES keys were for encryption
        // alone stays so.
        RvError::KeySizeRange | RvError::KeyFunctionNotPermitted => lacks_mac(key, mac),
        _ => fault.into(),
    }
}

/// A module that leaves out a part of its answer is as good as none: what is missing would be missed by whoever reads it.
pub(super) fn too_short(call: &str) -> CryptoError {
    CryptoError::Unavailable(format!("{call} answered another length than it must"))
}

/// The key as what a cipher takes that has a kind of keys to itself. What came into the module as bytes, because it was not
/// asked for such keys or did not have them then, is unwrapped as what it is; on the token it stays what it was made as.
pub(super) fn of_cipher<'a>(key: &'a Guarded, cipher: &Cipher<'_>) -> Result<Cow<'a, Guarded>, CryptoError> {
    let kind = match (cipher, key.kind) {
        (Cipher::TdesCbc { .. } | Cipher::TdesEcb { .. }, KeyKind::Generic { bytes }) => KeyKind::TripleDes { bytes },
        (Cipher::ChaCha20 { .. } | Cipher::ChaCha20Poly1305 { .. }, KeyKind::Generic { .. }) => KeyKind::ChaCha20,
        _ => return Ok(Cow::Borrowed(key)),
    };
    match key.place {
        Place::Wrapped(_) => Ok(Cow::Owned(Guarded { kind, ..key.clone() })),
        Place::Token => {
            Err(CryptoError::Unsupported(format!("{} with a key that is bytes on the token", cipher.name())))
        }
    }
}

/// Something that cannot fail with a key for this cipher. What comes out is for nobody.
fn probe(work: &Work<'_>, key: Handle, cipher: &Cipher<'_>, mechanism: &Mechanism<'_>) -> Result<(), Fault> {
    let out = match cipher {
        Cipher::TdesCbc { .. } | Cipher::TdesEcb { .. } | Cipher::ChaCha20 { .. } | Cipher::ChaCha20Poly1305 { .. } => {
            let block = vec![0; cipher.unit()];
            let room = block.len().saturating_add(cipher.tag_len());
            work.raw.encrypt(work.session, mechanism, key, &block, room)
        }
        _ => ecb(work, key, &[0; BLOCK]),
    };
    out.map(drop)
}

fn ecb(work: &Work<'_>, key: Handle, block: &[u8; BLOCK]) -> Result<Vec<u8>, Fault> {
    work.raw.encrypt(work.session, &ECB, key, block, BLOCK)
}

fn whole_block(bytes: &[u8], call: &str) -> Result<Zeroizing<[u8; BLOCK]>, CryptoError> {
    bytes.try_into().map(Zeroizing::new).map_err(|_| too_short(call))
}

const fn byte_len(bits: u32) -> usize {
    bits.div_ceil(8) as usize
}

pub(super) const fn hmac(hash: Hash) -> Option<CK_MECHANISM_TYPE> {
    Some(match hash {
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => return None,
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
        Hash::Sha512_224 | Hash::Sha512_256 => return None,
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => return None,
    })
}
