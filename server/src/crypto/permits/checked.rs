//! A provider that does what is permitted, and nothing else.

use kmip_codec::types::RngParameters;

use super::{Leave, Permits};
use crate::crypto::algorithm::{Cipher, Derivation, Encrypted, KeyKind, Mac, Message, RsaCipher, Signature, Wrap};
use crate::crypto::{CryptoError, Guarded, Holding, Key, Made, MadePair, Provider, Residency};
use crate::secret::Secret;

/// A provider with what it is permitted, for one use of one key.
pub struct Checked<'a> {
    /// Who does it.
    pub provider: &'a dyn Provider,
    /// What is permitted.
    pub permits: &'a Permits,
    /// Whether the key protects here, or processes what is protected.
    pub leave: Leave,
}

impl Provider for Checked<'_> {
    fn name(&self) -> &str {
        self.provider.name()
    }

    fn offers(&self, kind: KeyKind, residency: Residency) -> bool {
        self.permits.key(kind, Leave::MAKE).is_ok() && self.provider.offers(kind, residency)
    }

    fn generate(&self, kind: KeyKind, residency: Residency) -> Result<Made, CryptoError> {
        self.permits.key(kind, Leave::MAKE)?;
        self.provider.generate(kind, residency)
    }

    fn generate_pair(&self, kind: KeyKind, residency: Residency) -> Result<MadePair, CryptoError> {
        self.permits.key(kind, Leave::MAKE)?;
        self.provider.generate_pair(kind, residency)
    }

    fn adopt(&self, kind: KeyKind, bytes: &Secret, residency: Residency) -> Result<Made, CryptoError> {
        self.permits.key(kind, Leave::KEEP)?;
        self.provider.adopt(kind, bytes, residency)
    }

    fn destroy(&self, key: &Guarded) -> Result<(), CryptoError> {
        self.provider.destroy(key)
    }

    fn encrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Encrypted, CryptoError> {
        self.permits.cipher(key.kind(), cipher, self.leave)?;
        self.provider.encrypt(key, cipher, data)
    }

    fn decrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        self.permits.cipher(key.kind(), cipher, self.leave)?;
        self.provider.decrypt(key, cipher, data)
    }

    fn decrypt_rsa(&self, key: Key<'_>, cipher: &RsaCipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        self.permits.rsa_cipher(key.kind(), cipher, self.leave)?;
        self.provider.decrypt_rsa(key, cipher, data)
    }

    fn open_hpke(&self, key: Key<'_>, aad: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
        self.permits.hpke(key.kind(), self.leave)?;
        self.provider.open_hpke(key, aad, data)
    }

    fn sign(&self, key: Key<'_>, scheme: Signature, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        self.permits.signature(key.kind(), scheme, self.leave)?;
        self.provider.sign(key, scheme, message)
    }

    fn mac(&self, key: Key<'_>, mac: Mac, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.permits.mac(key.kind(), mac, self.leave)?;
        self.provider.mac(key, mac, data)
    }

    fn begin_mac(&self, key: Key<'_>, mac: Mac) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        self.permits.mac(key.kind(), mac, self.leave)?;
        self.provider.begin_mac(key, mac)
    }

    fn begin_encryption(&self, key: Key<'_>, cipher: &Cipher<'_>) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        self.permits.cipher(key.kind(), cipher, self.leave)?;
        self.provider.begin_encryption(key, cipher)
    }

    fn derive(&self, key: Key<'_>, how: &Derivation<'_>, len: usize) -> Result<Secret, CryptoError> {
        self.permits.derivation(key.kind(), how, self.leave)?;
        self.provider.derive(key, how, len)
    }

    fn derive_key(
        &self,
        key: Key<'_>,
        how: &Derivation<'_>,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        self.permits.derivation(key.kind(), how, self.leave)?;
        self.permits.key(kind, Leave::MAKE)?;
        self.provider.derive_key(key, how, kind, residency)
    }

    fn wrap(&self, key: Key<'_>, wrap: Wrap, bytes: &Secret) -> Result<Vec<u8>, CryptoError> {
        self.permits.wrap(key.kind(), wrap, self.leave)?;
        self.provider.wrap(key, wrap, bytes)
    }

    fn unwrap(&self, key: Key<'_>, wrap: Wrap, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        self.permits.wrap(key.kind(), wrap, self.leave)?;
        self.provider.unwrap(key, wrap, wrapped)
    }

    fn admit_cipher(&self, key: KeyKind, cipher: &Cipher<'_>) -> Result<(), CryptoError> {
        self.permits.cipher(key, cipher, self.leave)
    }

    fn admit_mac(&self, key: KeyKind, mac: Mac) -> Result<(), CryptoError> {
        self.permits.mac(key, mac, self.leave)
    }

    fn generator(&self) -> RngParameters {
        self.provider.generator()
    }

    fn random(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        self.provider.random(out)
    }

    fn seed(&self, bytes: &[u8]) -> Result<usize, CryptoError> {
        self.provider.seed(bytes)
    }
}
