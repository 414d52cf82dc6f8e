//! What a key is, and a key that only the module can use. There is nothing here that gives its bytes.

use std::fmt;
use std::sync::Arc;

/// A named curve.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Curve {
    /// NIST P-224 (secp224r1).
    P224,
    /// NIST P-256 (secp256r1).
    P256,
    /// NIST P-384 (secp384r1).
    P384,
    /// NIST P-521 (secp521r1).
    P521,
    /// secp256k1.
    Secp256k1,
}

pub use super::postquantum::{Family, ParameterSet};

/// An Edwards curve for signatures (RFC 8032), or a Montgomery one for key agreement (RFC 7748). Their keys are bytes, not
/// points and numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Edwards {
    /// Ed25519, for signatures.
    Ed25519,
    /// Ed448, for signatures.
    Ed448,
    /// X25519, for key agreement.
    X25519,
    /// X448, for key agreement.
    X448,
}

impl Edwards {
    /// Whether its keys sign; else they agree.
    pub const fn signs(self) -> bool {
        matches!(self, Self::Ed25519 | Self::Ed448)
    }

    /// Length of a private and of a public key, in bytes.
    #[expect(clippy::len_without_is_empty, reason = "no key is empty")]
    pub const fn len(self) -> usize {
        match self {
            Self::Ed25519 | Self::X25519 => 32,
            Self::X448 => 56,
            Self::Ed448 => 57,
        }
    }
}

/// What a key is. Lengths are in bits unless the name says bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum KeyKind {
    /// An AES key of 128, 192 or 256 bits.
    Aes {
        /// Length in bits.
        bits: u32,
    },
    /// Bytes for HMAC, or any other symmetric key that only HMAC can use.
    Generic {
        /// Length in bytes.
        bytes: u32,
    },
    /// A key of triple DES with its parity bits, whatever they are: 16 bytes for two keys, of which the first comes again as
    /// the third, or 24 for three (SP 800-67 §2).
    TripleDes {
        /// Length in bytes.
        bytes: u32,
    },
    /// A key of ChaCha20, with Poly1305 or without: 32 bytes.
    ChaCha20,
    /// RSA with public exponent 65537.
    Rsa {
        /// Length of the modulus in bits.
        bits: u32,
    },
    /// An elliptic curve key.
    Ec {
        /// The curve.
        curve: Curve,
    },
    /// A key of ML-KEM, ML-DSA or SLH-DSA.
    PostQuantum {
        /// The parameter set.
        set: ParameterSet,
    },
    /// A key of RFC 8410.
    Edwards {
        /// The curve, and what it is for.
        curve: Edwards,
    },
}

impl KeyKind {
    /// Whether such a key comes as a pair.
    pub const fn is_pair(self) -> bool {
        matches!(self, Self::Rsa { .. } | Self::Ec { .. } | Self::PostQuantum { .. } | Self::Edwards { .. })
    }

    /// What a symmetric key is to a provider that has nothing to do with its kind but to keep it.
    #[must_use]
    pub const fn as_bytes(self) -> Self {
        match self {
            Self::TripleDes { bytes } => Self::Generic { bytes },
            Self::ChaCha20 => Self::Generic { bytes: 32 },
            kind => kind,
        }
    }
}

/// Where a guarded key rests.
#[derive(Clone, PartialEq, Eq)]
pub enum Place {
    /// In our store, wrapped by the module's wrapping key; used through an unwrapped session object.
    Wrapped(Arc<[u8]>),
    /// In the module, as a token object that is found by its identity.
    Token,
}

/// A key that never leaves the module. It has no byte accessor.
#[derive(Clone, PartialEq, Eq)]
pub struct Guarded {
    /// The identity: CKA_ID of the object, and the name under which a handle is cached.
    pub id: [u8; 16],
    /// What it is.
    pub kind: KeyKind,
    /// Where it rests.
    pub place: Place,
}

impl Guarded {
    /// A key on the token of which only the identity is known. That is enough to destroy it.
    pub const fn unknown_on_token(id: [u8; 16]) -> Self {
        Self { id, kind: KeyKind::Generic { bytes: 0 }, place: Place::Token }
    }
}

impl fmt::Debug for Guarded {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let place = match self.place {
            Place::Wrapped(_) => "wrapped",
            Place::Token => "token",
        };
        write!(f, "Guarded({}, {:?}, {place})", hex::encode(self.id), self.kind)
    }
}
