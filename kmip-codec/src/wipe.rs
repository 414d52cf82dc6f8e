//! Bytes that are wiped when they go, as fast as memory can be written.

use std::cell::RefCell;
use std::fmt;
use std::ops::{Deref, DerefMut};

use zeroize::{Zeroize, optimization_barrier};

/// A buffer whose bytes, and whatever else stood in its memory, are overwritten before that is given back. A buffer that
/// grows by itself leaves its old place unwiped: give it its capacity beforehand.
#[derive(Default, Clone, PartialEq, Eq)]
pub struct Wiped(Vec<u8>);

/// Buffers of this capacity, in bytes, wait wiped for the next one who needs more than [`SMALL`] on the same thread: a message
/// with a kibibyte of data takes several, and allocators hand out small ones quickly, and these not.
const KEPT: usize = 4096;

/// Up to here the allocator is quick.
const SMALL: usize = 1024;

/// So many of them wait on a thread.
const WAITING: usize = 8;

thread_local! {
    static POOL: RefCell<Vec<Vec<u8>>> = const { RefCell::new(Vec::new()) };
}

impl Wiped {
    /// An empty buffer with room for so many bytes.
    pub fn with_capacity(bytes: usize) -> Self {
        if bytes <= SMALL || bytes > KEPT {
            return Self(Vec::with_capacity(bytes));
        }
        let kept = POOL.try_with(|pool| pool.try_borrow_mut().ok()?.pop()).ok().flatten();
        Self(kept.unwrap_or_else(|| Vec::with_capacity(KEPT)))
    }

    /// A copy of bytes.
    pub fn copy_of(bytes: &[u8]) -> Self {
        let mut buffer = Self::with_capacity(bytes.len());
        buffer.0.extend_from_slice(bytes);
        buffer
    }

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
        if self.0.capacity() == KEPT {
            let buffer = std::mem::take(&mut self.0);
            let keep = |pool: &RefCell<Vec<Vec<u8>>>| {
                if let Ok(mut pool) = pool.try_borrow_mut()
                    && pool.len() < WAITING
                {
                    pool.push(buffer);
                }
            };
            // A thread that ends keeps nothing.
            let _ended = POOL.try_with(keep);
        }
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
    fn buffers_come_back_wiped_and_not_without_end() {
        let mut first = Wiped::copy_of(&[7; 3000]);
        let place = first.as_ptr();
        first.truncate(10);
        drop(first);
        let mut again = Wiped::with_capacity(2000);
        assert_eq!((again.as_ptr(), again.len(), again.capacity()), (place, 0, KEPT));
        // What is beyond its length was overwritten.
        again.resize(10, 1);
        let mut bytes = again.take();
        bytes.resize(KEPT, 0);
        assert!(bytes.iter().skip(10).all(|&byte| byte == 0));
        drop(Wiped::from(bytes));
        let many: Vec<Wiped> = (0..3 * WAITING).map(|_| Wiped::with_capacity(KEPT)).collect();
        drop(many);
        assert_eq!(POOL.with_borrow(Vec::len), WAITING);
        for other in [0, SMALL, KEPT + 1] {
            assert!(Wiped::with_capacity(other).capacity() != KEPT, "{other}");
        }
    }

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
