//! The provider in software: for keys that the server may hold. aws-lc-rs does everything with a private key and all
//! that it has of the rest; RustCrypto does the rest, which each module names.

mod block;
mod ccm;
mod clear;
mod derive;
mod edwards;
mod gcm;
mod mac;
mod poly;
mod postquantum;
mod private;
mod slhdsa;
mod unhurried;
mod wrap;
mod xts;

use aws_lc_rs::rand;
use kmip_codec::spec::{CryptographicAlgorithm, DRBGAlgorithm, RNGAlgorithm};
use kmip_codec::types::RngParameters;

use super::algorithm::{Cipher, Derivation, Encrypted, KeyKind, Mac, Message, RsaCipher, Signature, Wrap};
use super::{CryptoError, Guarded, Key, Made, MadePair, Provider, Residency, UNDECRYPTABLE, hpke, rsa};
use crate::secret::Secret;

pub use clear::ClearKey;
pub use gcm::Sealing;
pub use mac::{Cmac, OneTime};
pub use postquantum::{encapsulate, expanded_key, verify as verify_post_quantum};
pub use private::Prepared;
pub(super) use unhurried::unhurried;

/// Cryptography in this process. It takes [`Key::Clear`] only: a guarded key is another provider's.
#[derive(Debug, Clone, Copy, Default)]
pub struct SoftwareProvider;

impl Provider for SoftwareProvider {
    fn name(&self) -> &str {
        "software"
    }

    fn offers(&self, kind: KeyKind, residency: Residency) -> bool {
        residency == Residency::Sealed && kind.check().is_ok() && private::offers(kind)
    }

    fn generate(&self, kind: KeyKind, residency: Residency) -> Result<Made, CryptoError> {
        sealed_only(residency)?;
        kind.check()?;
        let Some(len) = kind.raw_len() else {
            return Err(CryptoError::BadParameters("a pair is made by generate_pair".into()));
        };
        let mut bytes = vec![0; len];
        self.random(&mut bytes)?;
        Ok(Made::Clear(Secret::new(bytes)))
    }

    fn generate_pair(&self, kind: KeyKind, residency: Residency) -> Result<MadePair, CryptoError> {
        sealed_only(residency)?;
        kind.check()?;
        let (private, public) = private::generate(kind)?;
        Ok(MadePair { private: Made::Clear(private), public })
    }

    fn adopt(&self, kind: KeyKind, bytes: &Secret, residency: Residency) -> Result<Made, CryptoError> {
        sealed_only(residency)?;
        check_key(kind, bytes)?;
        if kind.is_pair() {
            Prepared::new(kind, bytes)?;
        }
        Ok(Made::Clear(bytes.clone()))
    }

    fn destroy(&self, _key: &Guarded) -> Result<(), CryptoError> {
        Err(guarded())
    }

    fn encrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Encrypted, CryptoError> {
        let key = clear(key)?;
        cipher.check_encrypt(key.kind(), data.len())?;
        check_key(key.kind(), key.bytes())?;
        let bytes = key.bytes();
        match cipher {
            Cipher::AesGcm { iv, aad, tag_len, .. } => gcm::seal(key, iv, aad, *tag_len, data),
            Cipher::ChaCha20Poly1305 { nonce, aad, tag_len, .. } => {
                poly::seal(bytes.expose(), nonce, aad, *tag_len, data)
            }
            Cipher::AesCcm { nonce, aad, tag_len, .. } => ccm::seal(bytes.expose(), nonce, aad, *tag_len, data),
            Cipher::AesWrap(how) => Ok(Encrypted { data: wrap::wrap(bytes.expose(), *how, data)?, tag: Vec::new() }),
            _ => Ok(Encrypted { data: block::encrypt(bytes.expose(), cipher, data)?, tag: Vec::new() }),
        }
    }

    fn decrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        let key = clear(key)?;
        cipher.check_decrypt(key.kind(), data.len())?;
        check_key(key.kind(), key.bytes())?;
        let bytes = key.bytes();
        match cipher {
            Cipher::AesGcm { iv, aad, tag, .. } => gcm::open(key, iv, aad, tag, data),
            Cipher::ChaCha20Poly1305 { nonce, aad, tag, .. } => poly::open(bytes.expose(), nonce, aad, tag, data),
            Cipher::AesCcm { nonce, aad, tag, .. } => ccm::open(bytes.expose(), nonce, aad, tag, data),
            Cipher::AesWrap(how) => wrap::unwrap(bytes.expose(), *how, data).map_err(|_| UNDECRYPTABLE),
            _ => block::decrypt(bytes.expose(), cipher, data),
        }
    }

    fn decrypt_rsa(&self, key: Key<'_>, cipher: &RsaCipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        let key = clear(key)?;
        let (kind, key) = (key.kind(), key.bytes());
        cipher.check(kind)?;
        if !private::offers(kind) {
            return Err(CryptoError::Unsupported(format!("private keys that are {kind:?}")));
        }
        rsa::decrypt(key, cipher, data)
    }

    fn open_hpke(&self, key: Key<'_>, aad: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
        let key = clear(key)?;
        match key.kind() {
            KeyKind::PostQuantum { set } if set.is_kem() => {
                let pair = key.pair()?;
                hpke::open(set, aad, data, |encapsulated, text| {
                    Ok(hpke::extract(&pair.decapsulate(encapsulated)?, text))
                })
            }
            kind => Err(CryptoError::BadParameters(format!("ML-KEM does not go with a key that is {kind:?}"))),
        }
    }

    fn sign(&self, key: Key<'_>, scheme: Signature, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        let key = clear(key)?;
        // Before the key is opened: what is refused costs nothing.
        scheme.check(key.kind(), message)?;
        if private::is_native(scheme) {
            key.pair()?.sign(scheme, message)
        } else {
            private::sign_with_any_hash(key.kind(), key.bytes(), scheme, message)
        }
    }

    fn mac(&self, key: Key<'_>, mac: Mac, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let key = clear(key)?;
        let (kind, key) = (key.kind(), key.bytes());
        mac.check(kind)?;
        check_key(kind, key)?;
        match mac {
            Mac::Hmac(hash) => mac::hmac(key.expose(), hash, data),
            Mac::Cmac => mac::cmac(key.expose(), data),
            Mac::Poly1305 => mac::poly1305(key.expose(), data),
        }
    }

    fn derive(&self, key: Key<'_>, how: &Derivation<'_>, len: usize) -> Result<Secret, CryptoError> {
        let clear = clear(key)?;
        let (kind, bytes) = (clear.kind(), clear.bytes());
        match how {
            Derivation::Encrypt { cipher, data } => {
                let encrypted = Secret::new(self.encrypt(key, cipher, data)?.data);
                derive::leftmost(encrypted.expose(), len)
            }
            Derivation::Decapsulate { ciphertext } => {
                derive::leftmost(clear.pair()?.decapsulate(ciphertext)?.expose(), len)
            }
            _ => {
                check_key(kind, bytes)?;
                derive::derive(kind, bytes, how, len)
            }
        }
    }

    fn wrap(&self, key: Key<'_>, wrap: Wrap, bytes: &Secret) -> Result<Vec<u8>, CryptoError> {
        let key = clear(key)?;
        let (kind, key) = (key.kind(), key.bytes());
        wrap.check_wrap(kind, bytes.len())?;
        check_key(kind, key)?;
        wrap::wrap(key.expose(), wrap, bytes.expose())
    }

    fn unwrap(&self, key: Key<'_>, wrap: Wrap, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        let key = clear(key)?;
        let (kind, key) = (key.kind(), key.bytes());
        wrap.check_unwrap(kind, wrapped.len())?;
        check_key(kind, key)?;
        wrap::unwrap(key.expose(), wrap, wrapped)
    }

    /// The library's own: CTR_DRBG with AES-256 (SP 800-90A §10.2.1), seeded from the system.
    fn generator(&self) -> RngParameters {
        RngParameters {
            algorithm: RNGAlgorithm::DRBG,
            cryptographic_algorithm: Some(CryptographicAlgorithm::AES),
            cryptographic_length: Some(256),
            hashing_algorithm: None,
            drbg_algorithm: Some(DRBGAlgorithm::CTR),
            recommended_curve: None,
            fips186_variation: None,
            prediction_resistance: None,
        }
    }

    fn random(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        rand::fill(out).map_err(|_| CryptoError::Unavailable("the random generator failed".into()))
    }

    /// The generator seeds itself from the system and takes nothing from outside: the answer is always 0.
    fn seed(&self, _bytes: &[u8]) -> Result<usize, CryptoError> {
        Ok(0)
    }
}

fn clear(key: Key<'_>) -> Result<&ClearKey, CryptoError> {
    match key {
        Key::Clear(key) => Ok(key),
        Key::Guarded(_) => Err(guarded()),
    }
}

fn guarded() -> CryptoError {
    CryptoError::Unsupported("the software provider holds no guarded keys".into())
}

fn sealed_only(residency: Residency) -> Result<(), CryptoError> {
    match residency {
        Residency::Sealed => Ok(()),
        Residency::Wrapped | Residency::Token(_) => Err(guarded()),
    }
}

/// Refuses bytes that are not as long as their kind says. Private keys are checked where they are opened.
fn check_key(kind: KeyKind, bytes: &Secret) -> Result<(), CryptoError> {
    kind.check()?;
    match kind.raw_len() {
        Some(len) if len != bytes.len() => {
            Err(CryptoError::BadParameters(format!("a key that is {kind:?} does not have {} bytes", bytes.len())))
        }
        _ => Ok(()),
    }
}

#[cfg(test)]
mod tests;
