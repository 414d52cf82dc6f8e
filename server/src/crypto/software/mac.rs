//! MACs. HMAC (RFC 2104, FIPS 198-1): aws-lc-rs for SHA-1 and the four SHA-2 that it has, RustCrypto for SHA-512/224,
//! SHA-512/256 and SHA-3. CMAC (SP 800-38B) by aws-lc-rs, and Poly1305 (RFC 8439 §2.5), which it has only within an AEAD,
//! by RustCrypto.

use std::sync::{Mutex, PoisonError};

use aws_lc_rs::cmac;
use aws_lc_rs::hmac as native;
use hmac::digest::common::BlockSizeUser;
use hmac::{KeyInit, Mac, SimpleHmac};
use poly1305::Poly1305;
use poly1305::universal_hash::UniversalHash;
use sha2::{Digest, Sha512_224, Sha512_256};
use sha3::{Sha3_224, Sha3_256, Sha3_384, Sha3_512};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::crypto::algorithm::Hash;

const FAILED: CryptoError = CryptoError::Failed("the MAC failed");
/// Length of a block of Poly1305 in bytes.
const BLOCK: usize = 16;

pub(super) fn hmac(key: &[u8], hash: Hash, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let algorithm = match hash {
        Hash::Sha1 => native::HMAC_SHA1_FOR_LEGACY_USE_ONLY,
        Hash::Sha224 => native::HMAC_SHA224,
        Hash::Sha256 => native::HMAC_SHA256,
        Hash::Sha384 => native::HMAC_SHA384,
        Hash::Sha512 => native::HMAC_SHA512,
        Hash::Sha512_224 => return compute::<Sha512_224>(key, data),
        Hash::Sha512_256 => return compute::<Sha512_256>(key, data),
        Hash::Sha3_224 => return compute::<Sha3_224>(key, data),
        Hash::Sha3_256 => return compute::<Sha3_256>(key, data),
        Hash::Sha3_384 => return compute::<Sha3_384>(key, data),
        Hash::Sha3_512 => return compute::<Sha3_512>(key, data),
        Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => {
            return Err(CryptoError::Unsupported(format!("HMAC with {hash:?}")));
        }
    };
    Ok(native::sign(&native::Key::new(algorithm, key), data).as_ref().to_vec())
}

fn compute<D: Digest + BlockSizeUser + Clone>(key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mac = SimpleHmac::<D>::new_from_slice(key).map_err(|_| FAILED)?;
    Ok(mac.chain_update(data).finalize().into_bytes().to_vec())
}

pub(super) fn cmac(key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut work = Cmac::begin(key)?;
    work.update(data)?;
    work.finish()
}

pub(super) fn poly1305(key: &[u8], data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut work = OneTime::begin(key)?;
    work.update(data);
    Ok(work.finish())
}

/// CMAC that can wait.
pub struct Cmac(Mutex<cmac::Context>);

impl Cmac {
    /// Begins one with an AES key.
    ///
    /// # Errors
    /// A key of a wrong length.
    pub fn begin(key: &[u8]) -> Result<Self, CryptoError> {
        let algorithm = match key.len() {
            16 => cmac::AES_128,
            24 => cmac::AES_192,
            _ => cmac::AES_256,
        };
        let key = cmac::Key::new(algorithm, key).map_err(|_| FAILED)?;
        Ok(Self(Mutex::new(cmac::Context::with_key(&key))))
    }

    /// The next data.
    ///
    /// # Errors
    /// What the library says.
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        self.0.get_mut().unwrap_or_else(PoisonError::into_inner).update(data).map_err(|_| FAILED)
    }

    /// The code.
    ///
    /// # Errors
    /// What the library says.
    pub fn finish(self) -> Result<Vec<u8>, CryptoError> {
        let tag = self.0.into_inner().unwrap_or_else(PoisonError::into_inner).sign().map_err(|_| FAILED)?;
        Ok(tag.as_ref().to_vec())
    }
}

impl Clone for Cmac {
    fn clone(&self) -> Self {
        Self(Mutex::new(self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()))
    }
}

/// Poly1305 that can wait.
#[derive(Clone)]
pub struct OneTime {
    hash: Poly1305,
    /// Data that is no whole block yet.
    waiting: Zeroizing<Vec<u8>>,
}

impl OneTime {
    /// Begins one.
    ///
    /// # Errors
    /// A key of a wrong length.
    pub fn begin(key: &[u8]) -> Result<Self, CryptoError> {
        let hash = Poly1305::new_from_slice(key).map_err(|_| FAILED)?;
        Ok(Self { hash, waiting: Zeroizing::new(Vec::with_capacity(BLOCK)) })
    }

    /// The next data.
    pub fn update(&mut self, mut data: &[u8]) {
        if !self.waiting.is_empty() {
            let (now, later) = data.split_at_checked(BLOCK - self.waiting.len()).unwrap_or((data, &[]));
            self.waiting.extend_from_slice(now);
            data = later;
            if self.waiting.len() == BLOCK {
                self.hash.update_padded(&self.waiting);
                self.waiting.clear();
            }
        }
        let (whole, rest) = data.split_at_checked(data.len() / BLOCK * BLOCK).unwrap_or((data, &[]));
        self.hash.update_padded(whole);
        self.waiting.extend_from_slice(rest);
    }

    /// The code.
    pub fn finish(self) -> Vec<u8> {
        self.hash.compute_unpadded(&self.waiting).to_vec()
    }
}
