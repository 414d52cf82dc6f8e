//! Bytes that are wiped when they go, as fast as memory can be written.

use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::{Zeroize, optimization_barrier};

/// A buffer whose bytes, and whatever else stood in its memory, are overwritten before that is given back. A buffer that
/// grows by itself leaves its old place unwiped: give it its capacity beforehand.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Wiped(Vec<u8>);

impl Wiped {
    /// Takes the bytes out; who takes them wipes them.
    pub fn take(&mut self) -> Vec<u8> {
        std::mem::take(&mut self.0)
    }
}

impl Zeroize for Wiped {
    fn zeroize(&mut self) {
        wipe(&mut self.0);
    }
}

impl Drop for Wiped {
    fn drop(&mut self) {
        wipe(&mut self.0);
    }
}

/// Overwrites a buffer to the end of its memory, and empties it.
pub fn wipe(buffer: &mut Vec<u8>) {
    buffer.clear();
    // No more than the capacity, so that it stays where it is.
    buffer.resize(buffer.capacity(), 0);
    optimization_barrier(buffer.as_slice());
    buffer.clear();
}

/// Overwrites bytes.
pub fn wipe_slice(bytes: &mut [u8]) {
    bytes.fill(0);
    optimization_barrier(bytes);
}

impl From<Vec<u8>> for Wiped {
    fn from(bytes: Vec<u8>) -> Self {
        Self(bytes)
    }
}

impl AsRef<[u8]> for Wiped {
    fn as_ref(&self) -> &[u8] {
        &self.0
    }
}

impl Deref for Wiped {
    type Target = Vec<u8>;

    fn deref(&self) -> &Vec<u8> {
        &self.0
    }
}

impl DerefMut for Wiped {
    fn deref_mut(&mut self) -> &mut Vec<u8> {
        &mut self.0
    }
}

/// They may be secret.
impl fmt::Debug for Wiped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Wiped({} bytes)", self.0.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_of_the_memory_is_overwritten() {
        let mut buffer = Vec::with_capacity(64);
        buffer.extend_from_slice(&[7; 64]);
        buffer.truncate(10);
        let place = buffer.as_ptr();
        wipe(&mut buffer);
        assert!(buffer.is_empty() && buffer.capacity() >= 64);
        assert_eq!(buffer.as_ptr(), place, "it was wiped where it is");
        // What a new tenant of the same memory would find: `resize` writes nothing below the old length.
        buffer.resize(64, 1);
        wipe_slice(&mut buffer);
        assert_eq!(buffer, [0; 64]);
    }
}
