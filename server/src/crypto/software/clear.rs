//! What costs more than its use: the schedule of a cipher's key, and a private key that has been taken apart and checked.

use std::fmt;
use std::sync::OnceLock;

use aws_lc_rs::aead::LessSafeKey;

use super::{Prepared, gcm};
use crate::crypto::CryptoError;
use crate::crypto::algorithm::KeyKind;
use crate::secret::Secret;

/// A key that the server may hold: its bytes, and what the provider has made of them when it was first used. To open a key
/// on P-256 costs two thirds of a signature, and one of RSA half of it.
///
/// It has no life of its own: whoever keeps a key keeps this in its place. Both the bytes and what was made of them are
/// wiped when it goes.
pub struct ClearKey {
    kind: KeyKind,
    bytes: Secret,
    form: OnceLock<Form>,
}

enum Form {
    Gcm(LessSafeKey),
    Pair(Prepared),
}

impl ClearKey {
    /// A key: a symmetric one raw, a private one as PKCS#8 DER (RFC 5208). Nothing is made of it yet.
    pub const fn new(kind: KeyKind, bytes: Secret) -> Self {
        Self { kind, bytes, form: OnceLock::new() }
    }

    /// What it is.
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The bytes.
    pub const fn bytes(&self) -> &Secret {
        &self.bytes
    }

    /// The public half of a private key, as SubjectPublicKeyInfo DER (RFC 5280 §4.1).
    ///
    /// # Errors
    /// A key that is malformed, or that this provider cannot use.
    pub fn public(&self) -> Result<Vec<u8>, CryptoError> {
        self.pair()?.public()
    }

    /// The schedule for GCM.
    pub(super) fn gcm(&self) -> Result<&LessSafeKey, CryptoError> {
        if self.form.get().is_none() {
            let KeyKind::Aes { .. } = self.kind else { return Err(not_for_this()) };
            // Another thread may have been faster: theirs is the same.
            let _theirs = self.form.set(Form::Gcm(gcm::less_safe(self.bytes.expose())?));
        }
        match self.form.get() {
            Some(Form::Gcm(key)) => Ok(key),
            _ => Err(not_for_this()),
        }
    }

    /// The private key, opened and checked.
    pub(super) fn pair(&self) -> Result<&Prepared, CryptoError> {
        if self.form.get().is_none() {
            let _theirs = self.form.set(Form::Pair(Prepared::new(self.kind, &self.bytes)?));
        }
        match self.form.get() {
            Some(Form::Pair(pair)) => Ok(pair),
            _ => Err(not_for_this()),
        }
    }
}

fn not_for_this() -> CryptoError {
    CryptoError::BadParameters("the key is not of a kind that can do this".into())
}

impl fmt::Debug for ClearKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ClearKey({:?})", self.kind)
    }
}
