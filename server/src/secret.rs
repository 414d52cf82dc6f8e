//! Bytes that must not be seen: boxed, wiped on drop, redacted in `Debug`, compared in constant time.

use std::fmt;

use kmip_codec::wipe::{Wiped, wipe_slice};
use subtle::ConstantTimeEq;

/// Secret bytes. The only way to the bytes is [`Secret::expose`], so that every use can be found.
#[derive(Clone)]
pub struct Secret(Box<[u8]>);

impl Secret {
    /// Takes over a buffer. The buffer should have been sized exactly, so that no copy stays behind.
    pub fn new(bytes: Vec<u8>) -> Self {
        // `into_boxed_slice` moves the bytes when capacity and length differ, and frees the old place unwiped.
        if bytes.capacity() == bytes.len() {
            Self(bytes.into_boxed_slice())
        } else {
            let bytes = Wiped::from(bytes);
            Self::copy_of(&bytes)
        }
    }

    /// Copies bytes into a buffer of their exact size.
    pub fn copy_of(bytes: &[u8]) -> Self {
        Self(Box::from(bytes))
    }

    /// The bytes.
    pub fn expose(&self) -> &[u8] {
        &self.0
    }

    /// Length in bytes.
    pub fn len(&self) -> usize {
        self.0.len()
    }

    /// Whether there is no byte.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }
}

impl Drop for Secret {
    fn drop(&mut self) {
        wipe_slice(&mut self.0);
    }
}

impl PartialEq for Secret {
    fn eq(&self, other: &Self) -> bool {
        equal(&self.0, &other.0)
    }
}

impl Eq for Secret {}

/// Whether secrets, MACs, tags or digests are the same bytes. It takes the same time wherever they differ; different lengths
/// are different. Nothing else in kmipd compares what must not be found out byte by byte.
#[expect(clippy::disallowed_methods, reason = "this is the one place")]
pub fn equal(a: &[u8], b: &[u8]) -> bool {
    a.ct_eq(b).into()
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_compared_is_compared_whole() {
        assert!(equal(b"abc", b"abc") && equal(b"", b""));
        assert!(!equal(b"abc", b"abd") && !equal(b"abc", b"ab") && !equal(b"abc", b"bbc") && !equal(b"", b"a"));
        assert_eq!(Secret::copy_of(b"abc"), Secret::new(b"abc".to_vec()));
        assert_ne!(Secret::copy_of(b"abc"), Secret::copy_of(b"abd"));
    }
}
