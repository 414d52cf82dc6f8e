//! AES in CBC, CTR and ECB (SP 800-38A), by aws-lc-rs. The parameters have been checked before.
//!
//! Padding (RFC 5652 §6.3) is put on and taken off here: that keeps one way for padded and unpadded data, and takes
//! it off without looking at the bytes one after the other.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use subtle::{Choice, ConstantTimeEq, ConstantTimeGreater};
use zeroize::Zeroizing;

use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Cipher, Padding};
use crate::secret::Secret;

const BLOCK: usize = 16;

pub(super) fn encrypt(key: &[u8], cipher: &Cipher<'_>, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut buffer = match padding(cipher) {
        Padding::None => data.to_vec(),
        Padding::Pkcs5 => pad(data),
    };
    if buffer.is_empty() {
        return Ok(buffer);
    }
    let key = unbound(key)?;
    let (key, context) = match cipher {
        Cipher::AesCbc { iv, .. } => (EncryptingKey::cbc(key), EncryptionContext::Iv128(fixed(iv)?)),
        Cipher::AesCtr { iv } => (EncryptingKey::ctr(key), EncryptionContext::Iv128(fixed(iv)?)),
        Cipher::AesEcb { .. } => (EncryptingKey::ecb(key), EncryptionContext::None),
        Cipher::AesGcm { .. } => return Err(failed()),
    };
    key.and_then(|key| key.less_safe_encrypt(&mut buffer, context)).map_err(|_| failed())?;
    Ok(buffer)
}

pub(super) fn decrypt(key: &[u8], cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
    let mut buffer = Zeroizing::new(data.to_vec());
    if !buffer.is_empty() {
        let key = unbound(key)?;
        let (key, context) = match cipher {
            Cipher::AesCbc { iv, .. } => (DecryptingKey::cbc(key), DecryptionContext::Iv128(fixed(iv)?)),
            Cipher::AesCtr { iv } => (DecryptingKey::ctr(key), DecryptionContext::Iv128(fixed(iv)?)),
            Cipher::AesEcb { .. } => (DecryptingKey::ecb(key), DecryptionContext::None),
            Cipher::AesGcm { .. } => return Err(failed()),
        };
        let key = key.map_err(|_| failed())?;
        key.decrypt(&mut buffer, context).map_err(|_| failed())?;
    }
    match padding(cipher) {
        Padding::None => Ok(Secret::new(std::mem::take(&mut *buffer))),
        Padding::Pkcs5 => {
            let len = padded_len(&buffer).ok_or(CryptoError::Failed("wrong padding"))?;
            Ok(Secret::copy_of(buffer.get(..len).unwrap_or_default()))
        }
    }
}

fn padding(cipher: &Cipher<'_>) -> Padding {
    match cipher {
        Cipher::AesCbc { padding, .. } | Cipher::AesEcb { padding } => *padding,
        Cipher::AesCtr { .. } | Cipher::AesGcm { .. } => Padding::None,
    }
}

fn pad(data: &[u8]) -> Vec<u8> {
    let fill = BLOCK - data.len() % BLOCK;
    let mut buffer = Vec::with_capacity(data.len() + fill);
    buffer.extend_from_slice(data);
    buffer.resize(data.len() + fill, u8::try_from(fill).unwrap_or(0));
    buffer
}

/// Length without the padding, or `None` if the padding is wrong; the time does not tell which byte was.
fn padded_len(data: &[u8]) -> Option<usize> {
    let block = data.last_chunk::<BLOCK>()?;
    let fill = *block.last()?;
    let mut good = !fill.ct_eq(&0) & !fill.ct_gt(&16);
    for (byte, from_end) in block.iter().rev().zip(1_u8..) {
        let beyond: Choice = from_end.ct_gt(&fill);
        good &= beyond | byte.ct_eq(&fill);
    }
    bool::from(good).then(|| data.len() - usize::from(fill))
}

fn unbound(key: &[u8]) -> Result<UnboundCipherKey, CryptoError> {
    let algorithm: &'static Algorithm = match key.len() {
        16 => &AES_128,
        24 => &AES_192,
        _ => &AES_256,
    };
    UnboundCipherKey::new(algorithm, key).map_err(|_| failed())
}

fn fixed(iv: &[u8]) -> Result<FixedLength<BLOCK>, CryptoError> {
    <&[u8; BLOCK]>::try_from(iv).map(FixedLength::from).map_err(|_| failed())
}

fn failed() -> CryptoError {
    CryptoError::Failed("the cipher failed")
}
