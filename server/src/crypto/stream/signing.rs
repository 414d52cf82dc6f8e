//! What is signed or verified in parts.

use zeroize::Zeroizing;

use super::hold;
use crate::crypto::CryptoError;
use crate::crypto::algorithm::{Message, Signature};
use crate::crypto::public::Hasher;

/// A signature under way, made or verified.
#[derive(Clone)]
pub enum Signing {
    /// The digest of what has come.
    Digest(Box<Hasher>),
    /// All of it, where the data itself is signed, and the most that it may be, in bytes.
    Waiting(Zeroizing<Vec<u8>>, usize),
}

/// All that is signed.
pub enum Gathered {
    /// Its digest.
    Digest(Vec<u8>),
    /// The data itself.
    Data(Zeroizing<Vec<u8>>),
}

impl Signing {
    /// Begins one, of which at most so many bytes wait for its last part; `None` for a scheme of which nothing says the hash
    /// function.
    pub fn begin(scheme: Signature, most: usize) -> Option<Self> {
        match scheme.hash() {
            Some(hash) => Some(Self::Digest(Box::new(Hasher::new(hash)))),
            None if scheme.is_pure() => Some(Self::Waiting(Zeroizing::new(Vec::new()), most)),
            None => None,
        }
    }

    /// The next data.
    ///
    /// # Errors
    /// TooMuch for more than can wait.
    pub fn update(&mut self, data: &[u8]) -> Result<(), CryptoError> {
        match self {
            Self::Digest(hasher) => {
                hasher.update(data);
                Ok(())
            }
            Self::Waiting(waiting, most) => hold(waiting, data, *most),
        }
    }

    /// How many bytes wait for the last part.
    pub fn waiting(&self) -> usize {
        match self {
            Self::Digest(_) => 0,
            Self::Waiting(waiting, _) => waiting.len(),
        }
    }

    /// What is signed, when all of it has come.
    pub fn finish(self) -> Gathered {
        match self {
            Self::Digest(hasher) => Gathered::Digest(hasher.finish()),
            Self::Waiting(waiting, _) => Gathered::Data(waiting),
        }
    }
}

impl Gathered {
    /// As providers take it.
    pub fn message(&self) -> Message<'_> {
        match self {
            Self::Digest(digest) => Message::Digest(digest),
            Self::Data(data) => Message::Data(data),
        }
    }
}
