//! Ciphers that do not authenticate: AES (SP 800-38A) by aws-lc-rs, triple DES and ChaCha20 by RustCrypto. The parameters
//! have been checked before.
//!
//! Padding is put on and taken off here, not by the library: that keeps one way for padded and unpadded data.

use aws_lc_rs::cipher::{
    AES_128, AES_192, AES_256, Algorithm, DecryptingKey, DecryptionContext, EncryptingKey, EncryptionContext,
    UnboundCipherKey,
};
use aws_lc_rs::iv::FixedLength;
use chacha20::{ChaCha20, ChaCha20Legacy};
use cipher::{BlockCipherDecrypt, BlockCipherEncrypt, KeyInit, KeyIvInit, StreamCipher, StreamCipherSeek};
use des::TdesEde3;
use zeroize::Zeroizing;

use super::xts;
use crate::crypto::algorithm::{Cipher, Padding};
use crate::crypto::{CryptoError, padding};
use crate::secret::Secret;

/// Length of an AES block in bytes.
const BLOCK: usize = 16;
/// Length of a DES block in bytes.
const SMALL: usize = 8;
/// Length in bytes of a block of ChaCha20's key stream.
const STREAM: u64 = 64;

pub(super) fn encrypt(key: &[u8], cipher: &Cipher<'_>, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let mut buffer = padding::pad(cipher.padding(), data, cipher.unit())?;
    if !buffer.is_empty() {
        apply(key, cipher, &mut buffer, true)?;
    }
    Ok(std::mem::take(&mut *buffer))
}

pub(super) fn decrypt(key: &[u8], cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
    let mut buffer = Zeroizing::new(data.to_vec());
    if !buffer.is_empty() {
        apply(key, cipher, &mut buffer, false)?;
    }
    match cipher.padding() {
        Padding::None => Ok(Secret::new(std::mem::take(&mut *buffer))),
        method => padding::unpad(method, &buffer, cipher.unit()).map(Secret::copy_of),
    }
}

/// Works on whole blocks, or bytes of a key stream, where they stand; pads nothing.
pub(super) fn apply(key: &[u8], cipher: &Cipher<'_>, buffer: &mut [u8], encrypts: bool) -> Result<(), CryptoError> {
    match *cipher {
        Cipher::TdesEcb { .. } => tdes(key, None, buffer, encrypts),
        Cipher::TdesCbc { iv, .. } => tdes(key, Some(iv.try_into().map_err(|_| failed())?), buffer, encrypts),
        Cipher::ChaCha20 { nonce, counter } => chacha20(key, nonce, counter, buffer),
        Cipher::AesXts { tweak } => xts::apply(key, tweak, buffer, encrypts),
        Cipher::AesGcm { .. } | Cipher::AesCcm { .. } | Cipher::AesWrap(_) | Cipher::ChaCha20Poly1305 { .. } => {
            Err(failed())
        }
        _ if encrypts => encrypt_aes(key, cipher, buffer),
        _ => decrypt_aes(key, cipher, buffer),
    }
}

fn encrypt_aes(key: &[u8], cipher: &Cipher<'_>, buffer: &mut [u8]) -> Result<(), CryptoError> {
    let key = unbound(key)?;
    let (key, iv) = match cipher {
        Cipher::AesCbc { iv, .. } => (EncryptingKey::cbc(key), Some(iv)),
        Cipher::AesCtr { iv, .. } => (EncryptingKey::ctr(key), Some(iv)),
        Cipher::AesCfb { iv } => (EncryptingKey::cfb128(key), Some(iv)),
        Cipher::AesOfb { iv } => (EncryptingKey::ofb(key), Some(iv)),
        Cipher::AesEcb { .. } => (EncryptingKey::ecb(key), None),
        _ => return Err(failed()),
    };
    let context = match iv {
        Some(iv) => EncryptionContext::Iv128(fixed(iv)?),
        None => EncryptionContext::None,
    };
    key.and_then(|key| key.less_safe_encrypt(buffer, context)).map_err(|_| failed())?;
    Ok(())
}

fn decrypt_aes(key: &[u8], cipher: &Cipher<'_>, buffer: &mut [u8]) -> Result<(), CryptoError> {
    let key = unbound(key)?;
    let (key, iv) = match cipher {
        Cipher::AesCbc { iv, .. } => (DecryptingKey::cbc(key), Some(iv)),
        Cipher::AesCtr { iv, .. } => (DecryptingKey::ctr(key), Some(iv)),
        Cipher::AesCfb { iv } => (DecryptingKey::cfb128(key), Some(iv)),
        Cipher::AesOfb { iv } => (DecryptingKey::ofb(key), Some(iv)),
        Cipher::AesEcb { .. } => (DecryptingKey::ecb(key), None),
        _ => return Err(failed()),
    };
    let context = match iv {
        Some(iv) => DecryptionContext::Iv128(fixed(iv)?),
        None => DecryptionContext::None,
    };
    key.map_err(|_| failed())?.decrypt(buffer, context).map_err(|_| failed())?;
    Ok(())
}

/// Triple DES in ECB, or in CBC where there is an IV. Keys whose parts are alike are taken as they are: they are old, and
/// their owners need what they have encrypted with them.
fn tdes(key: &[u8], mut iv: Option<[u8; SMALL]>, buffer: &mut [u8], encrypts: bool) -> Result<(), CryptoError> {
    // With 16 bytes the first key comes again as the third (SP 800-67 §2).
    let first = key.get(..SMALL).ok_or_else(failed)?;
    let whole = Zeroizing::new(if key.len() == 2 * SMALL { [key, first].concat() } else { key.to_vec() });
    let cipher = TdesEde3::new_from_slice(&whole).map_err(|_| failed())?;
    for block in buffer.chunks_exact_mut(SMALL) {
        let before = <[u8; SMALL]>::try_from(&*block).map_err(|_| failed())?;
        let mut work = cipher::Block::<TdesEde3>::from(before);
        if encrypts {
            mix(&mut work, iv);
            cipher.encrypt_block(&mut work);
            iv = iv.map(|_| work.into());
        } else {
            cipher.decrypt_block(&mut work);
            mix(&mut work, iv);
            iv = iv.map(|_| before);
        }
        block.copy_from_slice(&work);
    }
    Ok(())
}

fn mix(block: &mut [u8], iv: Option<[u8; SMALL]>) {
    for (byte, with) in block.iter_mut().zip(iv.unwrap_or_default()) {
        *byte ^= with;
    }
}

/// ChaCha20 from a block of its key stream on. Encryption and decryption are the same.
pub(super) fn chacha20(key: &[u8], nonce: &[u8], counter: u64, buffer: &mut [u8]) -> Result<(), CryptoError> {
    let from = counter.checked_mul(STREAM).ok_or_else(failed)?;
    if nonce.len() == SMALL {
        let mut stream = ChaCha20Legacy::new_from_slices(key, nonce).map_err(|_| failed())?;
        stream.try_seek(from).map_err(|_| failed())?;
        return stream.try_apply_keystream(buffer).map_err(|_| failed());
    }
    let mut stream = ChaCha20::new_from_slices(key, nonce).map_err(|_| failed())?;
    stream.try_seek(from).map_err(|_| failed())?;
    stream.try_apply_keystream(buffer).map_err(|_| failed())
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
