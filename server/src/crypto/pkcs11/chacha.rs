//! ChaCha20 in the module's words: its parameters in C.

use cryptoki_sys::{
    CK_CHACHA20_PARAMS, CK_MECHANISM, CK_MECHANISM_TYPE, CK_SALSA20_CHACHA20_POLY1305_PARAMS, CKM_CHACHA20,
    CKM_CHACHA20_POLY1305,
};

use super::raw::{input, laid, length};
use crate::crypto::CryptoError;
use crate::crypto::algorithm::Cipher;

/// Length of the nonce in bytes.
const NONCE: usize = 12;
/// Length of the tag in bytes, which the module answers behind the data.
const TAG: usize = 16;

/// With Poly1305 or without.
#[derive(Debug, Clone, Copy)]
pub(super) enum ChaCha20<'a> {
    /// The key stream from a block on, its number with the least byte first.
    Stream { nonce: &'a [u8], counter: [u8; 4] },
    /// What is authenticated.
    Sealed { nonce: &'a [u8], aad: &'a [u8] },
}

impl<'a> ChaCha20<'a> {
    /// The mechanism of a cipher, if it is one of these.
    pub(super) const fn number(cipher: &Cipher<'_>) -> Option<CK_MECHANISM_TYPE> {
        match cipher {
            Cipher::ChaCha20 { .. } => Some(CKM_CHACHA20),
            Cipher::ChaCha20Poly1305 { .. } => Some(CKM_CHACHA20_POLY1305),
            _ => None,
        }
    }

    /// A cipher with its parameters.
    ///
    /// # Errors
    /// Unsupported for the nonce of 64 bits, with which PKCS#11 has a counter of as many and no module that is known does, and
    /// for a part of a tag, which PKCS#11 has not.
    pub(super) fn of(cipher: &Cipher<'a>) -> Result<Self, CryptoError> {
        match *cipher {
            Cipher::ChaCha20 { nonce, counter } if nonce.len() == NONCE => {
                let counter = u32::try_from(counter);
                let counter = counter.map_err(|_| CryptoError::BadParameters("the counter would wrap".to_owned()))?;
                Ok(Self::Stream { nonce, counter: counter.to_le_bytes() })
            }
            Cipher::ChaCha20Poly1305 { nonce, aad, tag_len: TAG, .. } => Ok(Self::Sealed { nonce, aad }),
            other => {
                let what = "with such a nonce or tag in the HSM module";
                Err(CryptoError::Unsupported(format!("{} {what}", other.name())))
            }
        }
    }

    /// Lays it out in C for the length of a call.
    pub(super) fn lay<T>(self, run: impl FnOnce(*mut CK_MECHANISM) -> T) -> T {
        match self {
            Self::Stream { nonce, mut counter } => {
                let mut parameter = CK_CHACHA20_PARAMS {
                    pBlockCounter: counter.as_mut_ptr(),
                    blockCounterBits: length(&counter).saturating_mul(8),
                    pNonce: input(nonce),
                    ulNonceBits: length(nonce).saturating_mul(8),
                };
                run(&mut laid(CKM_CHACHA20, &mut parameter))
            }
            Self::Sealed { nonce, aad } => {
                let mut parameter = CK_SALSA20_CHACHA20_POLY1305_PARAMS {
                    pNonce: input(nonce),
                    ulNonceLen: length(nonce),
                    pAAD: input(aad),
                    ulAADLen: length(aad),
                };
                run(&mut laid(CKM_CHACHA20_POLY1305, &mut parameter))
            }
        }
    }
}
