//! RSA as AWS-LC does it and aws-lc-rs does not offer it: OAEP with any two hash functions and a label, PKCS#1 v1.5 of
//! bytes without a DigestInfo, PSS with any hash, mask and salt.
//!
//! aws-lc-rs has OAEP with one hash for both purposes, and signatures with three hashes. What is missing goes through the
//! same library's own interface, because its private-key operations keep their time; those of the `rsa` crate do not
//! (RUSTSEC-2023-0071).

#![allow(unsafe_code, reason = "the library's interface is C")]

use std::ffi::c_int;

use aws_lc_sys as c;
use zeroize::Zeroizing;

use super::CryptoError;
use super::algorithm::{Hash, RsaCipher};
use super::evp::{Context, Key, check, rejected};
use crate::secret::Secret;

/// What decryption says of everything that does not decrypt: whoever learned why would learn the plaintext from it.
const UNDECRYPTABLE: CryptoError = CryptoError::Failed("the ciphertext does not decrypt with this key and padding");

/// How a number is made of what is signed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Encoding {
    /// EMSA-PKCS1-v1_5 of these bytes: a DigestInfo, or what the client wants in its place.
    Pkcs1,
    /// EMSA-PSS of a digest.
    Pss {
        /// Hash of the digest.
        hash: Hash,
        /// Hash of the mask generation function.
        mgf: Hash,
        /// Length of the salt in bytes.
        salt: usize,
    },
}

/// Encrypts with a public key given as SubjectPublicKeyInfo DER.
///
/// # Errors
/// Failed for data that is too long; Unsupported for a hash that the library lacks.
pub fn encrypt(spki: &[u8], cipher: &RsaCipher<'_>, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = Key::public(spki)?;
    let context = Context::new(&key)?;
    // SAFETY: the context is alive, and belongs to this thread alone.
    check(unsafe { c::EVP_PKEY_encrypt_init(context.as_ptr()) })?;
    context.set_cipher(cipher)?;
    let mut out = vec![0; key.len()];
    let mut len = out.len();
    // SAFETY: both slices are given with their own lengths; the library writes no more than `len` and says how much.
    let done = unsafe { c::EVP_PKEY_encrypt(context.as_ptr(), out.as_mut_ptr(), &mut len, data.as_ptr(), data.len()) };
    check(done).map_err(|_| CryptoError::Failed("the data is too long for the key and the padding"))?;
    out.truncate(len);
    Ok(out)
}

/// Decrypts with a private key given as PKCS#8 DER.
///
/// # Errors
/// Failed, and never why, for what does not decrypt; Unsupported for a hash that the library lacks.
pub(super) fn decrypt(pkcs8: &Secret, cipher: &RsaCipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
    let key = Key::private(pkcs8)?;
    let context = Context::new(&key)?;
    // SAFETY: as in `encrypt`.
    check(unsafe { c::EVP_PKEY_decrypt_init(context.as_ptr()) })?;
    context.set_cipher(cipher)?;
    let mut out = Zeroizing::new(vec![0; key.len()]);
    let mut len = out.len();
    // SAFETY: as in `encrypt`.
    let done = unsafe { c::EVP_PKEY_decrypt(context.as_ptr(), out.as_mut_ptr(), &mut len, data.as_ptr(), data.len()) };
    check(done).map_err(|_| UNDECRYPTABLE)?;
    out.get(..len).map(Secret::copy_of).ok_or(UNDECRYPTABLE)
}

/// Signs with a private key given as PKCS#8 DER.
///
/// # Errors
/// Failed for what does not fit into the modulus; Unsupported for a hash that the library lacks.
pub(super) fn sign(pkcs8: &Secret, encoding: Encoding, message: &[u8]) -> Result<Vec<u8>, CryptoError> {
    let key = Key::private(pkcs8)?;
    let context = Context::new(&key)?;
    let ctx = context.as_ptr();
    // SAFETY: as in `encrypt`; a digest's description is the library's own and lives for ever.
    check(unsafe { c::EVP_PKEY_sign_init(ctx) })?;
    match encoding {
        Encoding::Pkcs1 => check(unsafe { c::EVP_PKEY_CTX_set_rsa_padding(ctx, c::RSA_PKCS1_PADDING) })?,
        Encoding::Pss { hash, mgf, salt } => {
            let salt = c_int::try_from(salt).map_err(|_| CryptoError::BadParameters("the salt is too long".into()))?;
            let (hash, mgf) = (description(hash)?, description(mgf)?);
            // SAFETY: as above.
            unsafe {
                check(c::EVP_PKEY_CTX_set_rsa_padding(ctx, c::RSA_PKCS1_PSS_PADDING))?;
                check(c::EVP_PKEY_CTX_set_signature_md(ctx, hash))?;
                check(c::EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf))?;
                check(c::EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, salt))?;
            }
        }
    }
    let mut out = vec![0; key.len()];
    let mut len = out.len();
    // SAFETY: as in `encrypt`.
    let done = unsafe { c::EVP_PKEY_sign(ctx, out.as_mut_ptr(), &mut len, message.as_ptr(), message.len()) };
    check(done).map_err(|_| CryptoError::Failed("what is signed does not fit into the modulus"))?;
    out.truncate(len);
    Ok(out)
}

impl Context {
    fn set_cipher(&self, cipher: &RsaCipher<'_>) -> Result<(), CryptoError> {
        let ctx = self.as_ptr();
        match *cipher {
            // SAFETY: the context is alive and was initialised for encryption or decryption.
            RsaCipher::Pkcs1 => check(unsafe { c::EVP_PKEY_CTX_set_rsa_padding(ctx, c::RSA_PKCS1_PADDING) }),
            RsaCipher::Oaep { hash, mgf, label } => {
                let (hash, mgf) = (description(hash)?, description(mgf)?);
                // SAFETY: as above; digests' descriptions live for ever.
                unsafe {
                    check(c::EVP_PKEY_CTX_set_rsa_padding(ctx, c::RSA_PKCS1_OAEP_PADDING))?;
                    check(c::EVP_PKEY_CTX_set_rsa_oaep_md(ctx, hash))?;
                    check(c::EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, mgf))?;
                }
                if label.is_empty() { Ok(()) } else { self.set_label(label) }
            }
        }
    }

    fn set_label(&self, label: &[u8]) -> Result<(), CryptoError> {
        // SAFETY: the copy has the slice's length. The context owns it once the second call succeeds, and frees it; if
        // that fails it is still ours.
        unsafe {
            let copy = c::OPENSSL_memdup(label.as_ptr().cast(), label.len());
            if copy.is_null() {
                return Err(rejected("no memory"));
            }
            let done = c::EVP_PKEY_CTX_set0_rsa_oaep_label(self.as_ptr(), copy.cast(), label.len());
            if done != 1 {
                c::OPENSSL_free(copy);
            }
            check(done)
        }
    }
}

fn description(hash: Hash) -> Result<*const c::EVP_MD, CryptoError> {
    // SAFETY: these functions take nothing and answer pointers to constants.
    Ok(unsafe {
        match hash {
            Hash::Md2 | Hash::Md4 | Hash::Md5 | Hash::Ripemd160 | Hash::Tiger | Hash::Whirlpool => {
                return Err(CryptoError::Unsupported(format!("RSA with {hash:?}")));
            }
            Hash::Sha1 => c::EVP_sha1(),
            Hash::Sha224 => c::EVP_sha224(),
            Hash::Sha256 => c::EVP_sha256(),
            Hash::Sha384 => c::EVP_sha384(),
            Hash::Sha512 => c::EVP_sha512(),
            Hash::Sha512_224 => c::EVP_sha512_224(),
            Hash::Sha512_256 => c::EVP_sha512_256(),
            Hash::Sha3_224 => c::EVP_sha3_224(),
            Hash::Sha3_256 => c::EVP_sha3_256(),
            Hash::Sha3_384 => c::EVP_sha3_384(),
            Hash::Sha3_512 => c::EVP_sha3_512(),
        }
    })
}
