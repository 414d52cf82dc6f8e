//! AES Key Wrap (RFC 3394, RFC 5649, SP 800-38F): aws-lc-rs for 128 and 256 bits, RustCrypto for 192. The lengths have
//! been checked before.

use aes::Aes192;
use aes_kw::{AesKw, AesKwp, KeyInit};
use aws_lc_rs::key_wrap::{AES_128, AES_256, AesKek, KeyWrap, KeyWrapPadded};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::crypto::algorithm::Wrap;
use crate::secret::Secret;

pub(super) fn wrap(key: &[u8], wrap: Wrap, bytes: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut out = vec![0; bytes.len().next_multiple_of(8) + 8];
    let len = match (wrap, native(key)?) {
        (Wrap::AesKw, Some(kek)) => kek.wrap(bytes, &mut out).map(|out| out.len()).ok(),
        (Wrap::AesKwp, Some(kek)) => kek.wrap_with_padding(bytes, &mut out).map(|out| out.len()).ok(),
        (Wrap::AesKw, None) => {
            let kek = AesKw::<Aes192>::new_from_slice(key).map_err(|_| WRONG_KEY)?;
            kek.wrap_key(bytes, &mut out).map(<[u8]>::len).ok()
        }
        (Wrap::AesKwp, None) => {
            let kek = AesKwp::<Aes192>::new_from_slice(key).map_err(|_| WRONG_KEY)?;
            kek.wrap_key(bytes, &mut out).map(<[u8]>::len).ok()
        }
    };
    out.truncate(len.ok_or(CryptoError::Failed("the key cannot be wrapped"))?);
    Ok(out)
}

pub(super) fn unwrap(key: &[u8], wrap: Wrap, wrapped: &[u8]) -> Result<Secret, CryptoError> {
    let mut out = Zeroizing::new(vec![0; wrapped.len()]);
    let len = match (wrap, native(key)?) {
        (Wrap::AesKw, Some(kek)) => kek.unwrap(wrapped, &mut out).map(|out| out.len()).ok(),
        (Wrap::AesKwp, Some(kek)) => kek.unwrap_with_padding(wrapped, &mut out).map(|out| out.len()).ok(),
        (Wrap::AesKw, None) => {
            let kek = AesKw::<Aes192>::new_from_slice(key).map_err(|_| WRONG_KEY)?;
            kek.unwrap_key(wrapped, &mut out).map(<[u8]>::len).ok()
        }
        (Wrap::AesKwp, None) => {
            let kek = AesKwp::<Aes192>::new_from_slice(key).map_err(|_| WRONG_KEY)?;
            kek.unwrap_key(wrapped, &mut out).map(<[u8]>::len).ok()
        }
    };
    let bytes = len.and_then(|len| out.get(..len)).ok_or(CryptoError::Failed("the wrapped key does not verify"))?;
    Ok(Secret::copy_of(bytes))
}

const WRONG_KEY: CryptoError = CryptoError::Failed("not a key that wraps");

/// The key in aws-lc-rs, which does not have it for 192 bits.
fn native(key: &[u8]) -> Result<Option<AesKek>, CryptoError> {
    let algorithm = match key.len() {
        16 => &AES_128,
        24 => return Ok(None),
        _ => &AES_256,
    };
    AesKek::new(algorithm, key).map(Some).map_err(|_| WRONG_KEY)
}
