//! The private key of ML-KEM from its seed (FIPS 203 §7.1, `ML-KEM.KeyGen_internal`), which AWS-LC has and aws-lc-rs does not
//! offer: through the reading of PKCS#8 that the library has.

#![allow(unsafe_code, reason = "the library's interface is C; every unsafe block for it is in this file")]

use std::mem::MaybeUninit;
use std::ptr::NonNull;

use aws_lc_sys as c;
use zeroize::Zeroizing;

use super::CryptoError;
use crate::secret::Secret;

/// A key in the library's memory, which wipes it.
struct Key(NonNull<c::EVP_PKEY>);

impl Drop for Key {
    fn drop(&mut self) {
        // SAFETY: this is the only owner.
        unsafe { c::EVP_PKEY_free(self.0.as_ptr()) };
    }
}

/// The expanded private key, `len` bytes, of a PKCS#8 PrivateKeyInfo that has the seed alone (RFC 9935 §6).
///
/// # Errors
/// Failed for what the library does not take.
pub(super) fn expand(pkcs8: &Secret, len: usize) -> Result<Secret, CryptoError> {
    let der = pkcs8.expose();
    let mut bytes = MaybeUninit::<c::CBS>::uninit();
    // SAFETY: CBS_init writes the whole structure; pointer and length are those of one slice, which outlives both calls.
    let key = unsafe {
        c::CBS_init(bytes.as_mut_ptr(), der.as_ptr(), der.len());
        c::EVP_parse_private_key(bytes.as_mut_ptr())
    };
    let key = NonNull::new(key).map(Key).ok_or_else(failed)?;
    let mut out = Zeroizing::new(vec![0; len]);
    let mut written = out.len();
    // SAFETY: the key is alive; the buffer is given with its own length, of which the library writes no more.
    let done = unsafe { c::EVP_PKEY_get_raw_private_key(key.0.as_ptr(), out.as_mut_ptr(), &mut written) };
    if done == 1 && written == len { Ok(Secret::copy_of(&out)) } else { Err(failed()) }
}

/// What went wrong stays in a queue of the thread: it is emptied, so that nothing else finds it there.
fn failed() -> CryptoError {
    // SAFETY: it takes nothing and touches the queue of this thread alone.
    unsafe { c::ERR_clear_error() };
    CryptoError::Failed("the key cannot be made of its seed")
}
