//! Bytes whose content is nobody's business.

use std::fmt;
use std::ops::Deref;

use bytes::Bytes;

use crate::wipe::Wiped;

/// A Byte String or Big Integer: a reference-counted slice of the frame that it arrived in, or of a buffer of its own.
/// Either is wiped when its last slice goes. `Debug` shows the length alone.
#[derive(Clone, PartialEq, Eq, Hash, Default)]
pub struct Blob(Bytes);

impl Blob {
    /// Takes over bytes; they are wiped when the last clone goes.
    pub fn new(bytes: Vec<u8>) -> Self {
        Self(Bytes::from_owner(Wiped::from(bytes)))
    }

    /// Copies bytes.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Bytes::from_owner(Wiped::copy_of(bytes)))
    }

    /// Shares a slice of a frame that is wiped by its owner.
    pub(crate) fn share(bytes: Bytes) -> Self {
        Self(bytes)
    }
}

impl Deref for Blob {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        &self.0
    }
}

impl fmt::Debug for Blob {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Blob({} bytes)", self.0.len())
    }
}
