//! Keys and operations of AWS-LC's own interface, for what aws-lc-rs does not offer of the same library. Every pointer that
//! the library gives is freed where it goes out of scope.

#![allow(
    unsafe_code,
    reason = "the library's interface is C; this file and the ones that call it say why each call is right"
)]

use std::ffi::c_int;
use std::mem::MaybeUninit;
use std::ptr::{NonNull, null_mut};

use aws_lc_sys as c;

use super::CryptoError;
use crate::secret::Secret;

/// A key in the library's memory, which wipes it.
pub(super) struct Key(NonNull<c::EVP_PKEY>);

impl Key {
    /// A private key given as PKCS#8 DER.
    pub(super) fn private(pkcs8: &Secret) -> Result<Self, CryptoError> {
        Self::parse(pkcs8.expose(), |bytes| {
            // SAFETY: `bytes` is initialised and points into `pkcs8`, which outlives the call.
            unsafe { c::EVP_parse_private_key(bytes) }
        })
    }

    /// A public key given as SubjectPublicKeyInfo DER.
    pub(super) fn public(spki: &[u8]) -> Result<Self, CryptoError> {
        Self::parse(spki, |bytes| {
            // SAFETY: `bytes` is initialised and points into `spki`, which outlives the call.
            unsafe { c::EVP_parse_public_key(bytes) }
        })
    }

    fn parse(der: &[u8], parse: impl FnOnce(*mut c::CBS) -> *mut c::EVP_PKEY) -> Result<Self, CryptoError> {
        let mut bytes = MaybeUninit::<c::CBS>::uninit();
        // SAFETY: CBS_init writes the whole structure; pointer and length are those of one slice.
        unsafe { c::CBS_init(bytes.as_mut_ptr(), der.as_ptr(), der.len()) };
        let key = NonNull::new(parse(bytes.as_mut_ptr())).map(Self);
        key.ok_or_else(|| rejected("the key is not one that the library takes"))
    }

    /// Takes over a key that the library made.
    pub(super) fn owned(key: *mut c::EVP_PKEY) -> Result<Self, CryptoError> {
        NonNull::new(key).map(Self).ok_or_else(|| rejected("the library made no key"))
    }

    /// For the library's functions; alive as long as this is.
    pub(super) const fn as_ptr(&self) -> *mut c::EVP_PKEY {
        self.0.as_ptr()
    }

    /// Length in bytes of the modulus, or of the longest signature.
    pub(super) fn len(&self) -> usize {
        // SAFETY: the key is alive.
        let len = unsafe { c::EVP_PKEY_size(self.0.as_ptr()) };
        usize::try_from(len).unwrap_or(0)
    }
}

// SAFETY: the library counts references with atomic operations, and changes no key once it is made: whatever many threads
// do with one at a time only reads it.
unsafe impl Send for Key {}
// SAFETY: as above.
unsafe impl Sync for Key {}

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: this is the only owner.
        unsafe { c::EVP_PKEY_free(self.0.as_ptr()) };
    }
}

/// An operation under way. It holds a reference of its own to the key.
pub(super) struct Context(NonNull<c::EVP_PKEY_CTX>);

impl Context {
    pub(super) fn new(key: &Key) -> Result<Self, CryptoError> {
        // SAFETY: the key is alive; the library counts the reference.
        let context = unsafe { c::EVP_PKEY_CTX_new(key.0.as_ptr(), null_mut()) };
        NonNull::new(context).map(Self).ok_or_else(|| rejected("no memory"))
    }

    /// For making a key of a kind.
    pub(super) fn of(kind: c_int) -> Result<Self, CryptoError> {
        // SAFETY: there is no engine.
        let context = unsafe { c::EVP_PKEY_CTX_new_id(kind, null_mut()) };
        NonNull::new(context).map(Self).ok_or_else(|| rejected("no memory"))
    }

    /// For the library's functions; alive as long as this is.
    pub(super) const fn as_ptr(&self) -> *mut c::EVP_PKEY_CTX {
        self.0.as_ptr()
    }
}

impl Drop for Context {
    fn drop(&mut self) {
        // SAFETY: this is the only owner.
        unsafe { c::EVP_PKEY_CTX_free(self.0.as_ptr()) };
    }
}

/// The answer of the library's functions: 1 is success.
pub(super) fn check(done: c_int) -> Result<(), CryptoError> {
    if done == 1 { Ok(()) } else { Err(rejected("the library refuses these parameters")) }
}

/// What went wrong stays in a queue of the thread: it is emptied, so that nothing else finds it there.
pub(super) fn rejected(what: &str) -> CryptoError {
    // SAFETY: it takes nothing and touches the queue of this thread alone.
    unsafe { c::ERR_clear_error() };
    CryptoError::BadParameters(what.into())
}
