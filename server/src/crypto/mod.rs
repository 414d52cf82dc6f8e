//! Where cryptography is done: the [`Provider`] trait, what it is asked ([`algorithm`]), and the providers.
//!
//! A key reaches a provider as a [`Key`]: bytes that the server may hold, or a [`Guarded`] key that only the module can
//! use. There is no function that turns the second into the first.

pub mod algorithm;
pub mod authority;
pub mod certificate;
pub mod chain;
mod check;
mod crmf;
mod ec;
mod evp;
pub mod hpke;
pub mod keyblock;
pub mod keyformat;
pub mod names;
mod openpgp;
mod padding;
pub mod permits;
pub mod pkcs11;
pub mod pkcs12;
pub mod providers;
pub mod public;
pub mod rsa;
mod seed;
pub mod sharing;
mod signed;
pub mod signing_request;
pub mod software;
pub mod stream;
#[cfg(test)]
pub(crate) mod suite;
#[cfg(test)]
pub(crate) mod testing;

use kmip_codec::spec::{RNGAlgorithm, ResultReason};
use kmip_codec::types::RngParameters;

use crate::failure::Failure;
pub use crate::object::guarded::{Guarded, Place};
use crate::secret::Secret;
use algorithm::{Cipher, Derivation, Encrypted, KeyKind, Mac, Message, RsaCipher, Signature, Wrap};
pub use software::ClearKey;

/// A secret or private key as a provider is given it.
#[derive(Debug, Clone, Copy)]
pub enum Key<'a> {
    /// A key that the server may hold.
    Clear(&'a ClearKey),
    /// A key that stays in the module.
    Guarded(&'a Guarded),
}

impl Key<'_> {
    /// What the key is.
    pub fn kind(&self) -> KeyKind {
        match self {
            Self::Clear(key) => key.kind(),
            Self::Guarded(guarded) => guarded.kind,
        }
    }
}

/// A key that was just made or brought in, as the caller must store it.
#[derive(Debug, Clone)]
pub enum Made {
    /// The bytes, to be sealed by the caller; shape as in [`ClearKey::new`].
    Clear(Secret),
    /// A key that stayed in the module.
    Guarded(Guarded),
}

/// A key pair that was just made.
#[derive(Debug, Clone)]
pub struct MadePair {
    /// The private half.
    pub private: Made,
    /// The public half as SubjectPublicKeyInfo DER (RFC 5280 §4.1).
    pub public: Vec<u8>,
}

/// How a new key is to be guarded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Residency {
    /// The server may hold the bytes; they rest sealed.
    Sealed,
    /// Made in the module, wrapped by its wrapping key.
    Wrapped,
    /// A token object. The identity was fixed, and its intent committed, before.
    Token([u8; 16]),
}

/// How a cache of handles fares.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct HandleCount {
    /// Handles in the cache now.
    pub held: usize,
    /// Uses that found a handle.
    pub hits: u64,
    /// Uses that had to unwrap or find the key.
    pub misses: u64,
}

/// Why a provider did not do it. `Display` holds no secret.
#[derive(Debug, thiserror::Error)]
pub enum CryptoError {
    /// The provider lacks it (Unsupported Cryptographic Parameters).
    #[error("not supported: {0}")]
    Unsupported(String),
    /// The parameters contradict each other or the key (Bad Cryptographic Parameters).
    #[error("bad parameters: {0}")]
    BadParameters(String),
    /// The data does not fit: a wrong length, a wrong padding, a tag that does not verify (Cryptographic Failure).
    #[error("{0}")]
    Failed(&'static str),
    /// The server could, and its configuration does not permit it (Unsupported Cryptographic Parameters). The text says
    /// which rule.
    #[error("not permitted: {0}")]
    Forbidden(String),
    /// More than the server keeps of an operation in several parts (Server Limit Exceeded).
    #[error("{0}")]
    TooMuch(&'static str),
    /// The module does not answer, or lost its token or the key. The log gets the text, the client does not.
    #[error("module unavailable: {0}")]
    Unavailable(String),
}

/// What does not decrypt with a symmetric key: its padding, its tag or its length is wrong, and nobody is told which.
pub const UNDECRYPTABLE: CryptoError = CryptoError::Failed("the data does not decrypt");

/// One that does cryptography with keys. Every method is synchronous and may be slow; callers choose the lane.
///
/// Every provider must pass `suite`.
pub trait Provider: Send + Sync {
    /// A short name for logs and Query's answer.
    fn name(&self) -> &str;

    /// Whether keys of this kind can have this residency here.
    fn offers(&self, kind: KeyKind, residency: Residency) -> bool;

    /// Makes a symmetric key.
    fn generate(&self, kind: KeyKind, residency: Residency) -> Result<Made, CryptoError>;

    /// Makes a key pair. The public half is not secret and is returned.
    fn generate_pair(&self, kind: KeyKind, residency: Residency) -> Result<MadePair, CryptoError>;

    /// Brings a key in from the clear, to be guarded from now on.
    fn adopt(&self, kind: KeyKind, bytes: &Secret, residency: Residency) -> Result<Made, CryptoError>;

    /// Drops every handle of a guarded key, and destroys the object if it is a token object.
    /// A key that is already gone is no error.
    fn destroy(&self, key: &Guarded) -> Result<(), CryptoError>;

    /// Lets go of the handle of a guarded key, and of work in parts with it where that is to end; the key stays. From now on
    /// nobody finds them. Who drops what is answered may wait for the module.
    fn release(&self, _key: &Guarded, _ends_work: bool) -> Option<Box<dyn Send>> {
        None
    }

    /// How the cache of handles fares, where there is one.
    fn handles(&self) -> Option<HandleCount> {
        None
    }

    /// Encrypts with a symmetric key.
    fn encrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Encrypted, CryptoError>;

    /// Decrypts with a symmetric key.
    fn decrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError>;

    /// Decrypts with an RSA private key. Whatever does not decrypt is Failed, with one text for all of it.
    fn decrypt_rsa(&self, key: Key<'_>, cipher: &RsaCipher<'_>, data: &[u8]) -> Result<Secret, CryptoError>;

    /// Decrypts with a private key of ML-KEM what was encrypted to its public half ([`hpke::seal`]). Whatever does not decrypt
    /// is Failed, with one text for all of it.
    fn open_hpke(&self, key: Key<'_>, _aad: &[u8], _data: &[u8]) -> Result<Secret, CryptoError> {
        Err(CryptoError::Unsupported(format!("decryption with a key that is {:?} and stays in the module", key.kind())))
    }

    /// Signs with a private key.
    fn sign(&self, key: Key<'_>, scheme: Signature, message: Message<'_>) -> Result<Vec<u8>, CryptoError>;

    /// Computes a MAC of full length. Comparison is the caller's, in constant time.
    fn mac(&self, key: Key<'_>, mac: Mac, data: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Begins a MAC whose state the provider keeps; `None` where it keeps none, and takes all of the data at once.
    fn begin_mac(&self, _key: Key<'_>, _mac: Mac) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        Ok(None)
    }

    /// The same for an encryption that authenticates.
    fn begin_encryption(&self, _key: Key<'_>, _cipher: &Cipher<'_>) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        Ok(None)
    }

    /// Derives so many bytes from a key, for the server to hold. A provider whose keys never give anything that the server
    /// may hold need not have it.
    fn derive(&self, _key: Key<'_>, _how: &Derivation<'_>, _len: usize) -> Result<Secret, CryptoError> {
        Err(CryptoError::Unsupported("deriving from a key that stays in the module".into()))
    }

    /// Derives a symmetric key, as [`Provider::generate`] makes one. From a key that must not leave comes one that does not:
    /// it is born where that one lives.
    fn derive_key(
        &self,
        key: Key<'_>,
        how: &Derivation<'_>,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        match (residency, kind.raw_len()) {
            (Residency::Sealed, Some(len)) => self.derive(key, how, len).map(Made::Clear),
            _ => Err(CryptoError::Unsupported(format!("deriving a key that is {kind:?} with residency {residency:?}"))),
        }
    }

    /// Wraps bytes that the server may hold with a key that it may not.
    fn wrap(&self, key: Key<'_>, wrap: Wrap, bytes: &Secret) -> Result<Vec<u8>, CryptoError>;

    /// Unwraps to bytes that the server may hold.
    fn unwrap(&self, key: Key<'_>, wrap: Wrap, wrapped: &[u8]) -> Result<Secret, CryptoError>;

    /// Refuses what the provider may not be asked for with a key of this kind, where the caller carries an encryption or
    /// decryption on by itself.
    fn admit_cipher(&self, _key: KeyKind, _cipher: &Cipher<'_>) -> Result<(), CryptoError> {
        Ok(())
    }

    /// The same for a MAC.
    fn admit_mac(&self, _key: KeyKind, _mac: Mac) -> Result<(), CryptoError> {
        Ok(())
    }

    /// The generator behind [`Provider::random`], as far as it is known.
    fn generator(&self) -> RngParameters {
        RngParameters {
            algorithm: RNGAlgorithm::Unspecified,
            cryptographic_algorithm: None,
            cryptographic_length: None,
            hashing_algorithm: None,
            drbg_algorithm: None,
            recommended_curve: None,
            fips186_variation: None,
            prediction_resistance: None,
        }
    }

    /// Fills with random bytes.
    fn random(&self, out: &mut [u8]) -> Result<(), CryptoError>;

    /// Mixes bytes into the generator, as far as it takes them; answers how many it took.
    fn seed(&self, bytes: &[u8]) -> Result<usize, CryptoError>;
}

/// Work in parts whose state a provider keeps until it ends, or is dropped. After an error it has ended.
pub trait Holding: Send {
    /// The next data; answers what comes out of it, which of a MAC is nothing.
    fn update(&mut self, data: &[u8]) -> Result<Vec<u8>, CryptoError>;

    /// Ends it; answers the MAC, or the tag behind what is left of the ciphertext.
    fn finish(&mut self) -> Result<Vec<u8>, CryptoError>;
}

impl From<CryptoError> for Failure {
    fn from(error: CryptoError) -> Self {
        match error {
            CryptoError::Unsupported(what) => {
                Self::new(ResultReason::UnsupportedCryptographicParameters, format!("not supported: {what}"))
            }
            CryptoError::Forbidden(rule) => {
                Self::new(ResultReason::UnsupportedCryptographicParameters, format!("not permitted: {rule}"))
            }
            CryptoError::BadParameters(what) => Self::new(ResultReason::BadCryptographicParameters, what),
            CryptoError::Failed(what) => Self::new(ResultReason::CryptographicFailure, what),
            CryptoError::TooMuch(what) => Self::new(ResultReason::ServerLimitExceeded, what),
            CryptoError::Unavailable(what) => Self {
                reason: ResultReason::GeneralFailure,
                message: "the cryptographic module is not available at the moment".into(),
                log: Some(what),
                older: None,
            },
        }
    }
}
