//! What AWS-LC does with elliptic curves and aws-lc-rs does not offer: P-224, and key agreement on secp256k1. Both have
//! private-key operations there that keep their time.

#![allow(unsafe_code, reason = "the library's interface is C")]

use std::mem::MaybeUninit;
use std::ptr::null_mut;

use aws_lc_sys as c;
use zeroize::Zeroizing;

use super::CryptoError;
use super::algorithm::Curve;
use super::evp::{Context, Key, check, rejected};
use crate::secret::Secret;

/// A private key that has been opened and checked. The library wipes it.
pub(super) struct EcKey(Key);

impl EcKey {
    /// Opens a PKCS#8 private key.
    ///
    /// # Errors
    /// Bad Parameters for numbers that do not belong together.
    pub(super) fn new(pkcs8: &Secret) -> Result<Self, CryptoError> {
        Key::private(pkcs8).map(Self)
    }

    /// Makes a private key.
    ///
    /// # Errors
    /// Unsupported for a curve that others make keys on.
    pub(super) fn generate(curve: Curve) -> Result<Self, CryptoError> {
        let nid = match curve {
            Curve::P224 => c::NID_secp224r1,
            other => return Err(CryptoError::Unsupported(format!("making a key on {other:?} here"))),
        };
        let context = Context::of(c::EVP_PKEY_EC)?;
        let mut key = null_mut();
        // SAFETY: the context is alive, and belongs to this thread alone; what the last call writes is ours.
        unsafe {
            check(c::EVP_PKEY_keygen_init(context.as_ptr()))?;
            check(c::EVP_PKEY_CTX_set_ec_paramgen_curve_nid(context.as_ptr(), nid))?;
            check(c::EVP_PKEY_keygen(context.as_ptr(), &mut key))?;
        }
        Key::owned(key).map(Self)
    }

    /// The key as PKCS#8 DER.
    ///
    /// # Errors
    /// Failed for want of memory.
    pub(super) fn pkcs8(&self) -> Result<Secret, CryptoError> {
        // SAFETY: both pointers are alive for the call.
        written(|bytes| unsafe { c::EVP_marshal_private_key(bytes, self.0.as_ptr()) }).map(|der| Secret::copy_of(&der))
    }

    /// The public half as SubjectPublicKeyInfo DER.
    ///
    /// # Errors
    /// Failed for want of memory.
    pub(super) fn public(&self) -> Result<Vec<u8>, CryptoError> {
        // SAFETY: as above.
        written(|bytes| unsafe { c::EVP_marshal_public_key(bytes, self.0.as_ptr()) }).map(|der| der.to_vec())
    }

    /// ECDSA of a digest of any length, as Ecdsa-Sig-Value DER.
    ///
    /// # Errors
    /// Bad Parameters if the library refuses.
    pub(super) fn sign(&self, digest: &[u8]) -> Result<Vec<u8>, CryptoError> {
        let context = Context::new(&self.0)?;
        let mut out = vec![0; self.0.len()];
        let mut len = out.len();
        // SAFETY: both slices are given with their own lengths; the library writes no more than `len` and says how much.
        unsafe {
            check(c::EVP_PKEY_sign_init(context.as_ptr()))?;
            check(c::EVP_PKEY_sign(context.as_ptr(), out.as_mut_ptr(), &mut len, digest.as_ptr(), digest.len()))?;
        }
        out.truncate(len);
        Ok(out)
    }

    /// The x-coordinate of the shared point, as long as a coordinate.
    ///
    /// # Errors
    /// Bad Parameters for a peer, as SubjectPublicKeyInfo DER, that is not a point of the same curve.
    pub(super) fn agree(&self, peer: &[u8]) -> Result<Secret, CryptoError> {
        let peer = Key::public(peer)?;
        let context = Context::new(&self.0)?;
        let mut out = Zeroizing::new([0; 66]);
        let mut len = out.len();
        // SAFETY: as in `sign`; the peer is alive for the calls.
        unsafe {
            check(c::EVP_PKEY_derive_init(context.as_ptr()))?;
            check(c::EVP_PKEY_derive_set_peer(context.as_ptr(), peer.as_ptr()))?;
            check(c::EVP_PKEY_derive(context.as_ptr(), out.as_mut_ptr(), &mut len))?;
        }
        out.get(..len).map(Secret::copy_of).ok_or_else(|| rejected("the shared secret is too long"))
    }
}

/// Whether an Ecdsa-Sig-Value is a signature of the digest, of any length.
///
/// # Errors
/// Bad Parameters for a public key that is not a point of its curve.
pub(super) fn verify(spki: &[u8], digest: &[u8], signature: &[u8]) -> Result<bool, CryptoError> {
    let key = Key::public(spki)?;
    let context = Context::new(&key)?;
    // SAFETY: as in `sign`.
    unsafe {
        check(c::EVP_PKEY_verify_init(context.as_ptr()))?;
        let verified =
            c::EVP_PKEY_verify(context.as_ptr(), signature.as_ptr(), signature.len(), digest.as_ptr(), digest.len());
        Ok(check(verified).is_ok())
    }
}

/// What the library writes into a buffer of its own, which it wipes.
fn written(write: impl FnOnce(*mut c::CBB) -> i32) -> Result<Zeroizing<Vec<u8>>, CryptoError> {
    let mut buffer = MaybeUninit::<c::CBB>::zeroed();
    let (mut data, mut len) = (null_mut(), 0);
    // SAFETY: CBB_init makes the structure whole, even where it fails; CBB_finish hands the bytes over, to be freed here,
    // and CBB_cleanup frees them where it is not reached or fails.
    unsafe {
        check(c::CBB_init(buffer.as_mut_ptr(), 0))?;
        if write(buffer.as_mut_ptr()) != 1 || c::CBB_finish(buffer.as_mut_ptr(), &mut data, &mut len) != 1 {
            c::CBB_cleanup(buffer.as_mut_ptr());
            return Err(rejected("the key cannot be written"));
        }
        let bytes = Zeroizing::new(std::slice::from_raw_parts(data, len).to_vec());
        c::OPENSSL_free(data.cast());
        Ok(bytes)
    }
}
