//! Keys in an HSM, through PKCS#11 (OASIS PKCS #11 2.40 to 3.1).
//!
//! [`Token::open`] loads the module and logs in; [`WrappingKey`] and [`HsmRoot`] are the two keys of ours on the token;
//! [`Pkcs11Provider::new`] tests the module and serves. A guarded key rests in our store, wrapped by the wrapping key, or
//! is a token object. There is no function here that answers the bytes of a guarded key.
//!
//! | file | what |
//! |---|---|
//! | `config` | what the operator says, and errors in the operator's words |
//! | `module`, `session`, `handles` | loading once; sessions that come and go; handles that are bounded |
//! | `raw`, `attr`, `fault` | the calls (all `unsafe` is in `raw`), what is said, what is answered |
//! | `token`, `wrapping`, `root` | the token and our two keys on it |
//! | `template`, `keys`, `ops`, `keywrap`, `chacha`, `der` | making keys and working with them |
//! | `derive`, `deriving` | keys from keys, within the module |
//! | `holding` | work in parts whose state the module keeps |
//! | `selftest`, `kinds` | what the module is seen to refuse, and to do |
//! | `dev` | a token of SoftHSM for development |

mod attr;
mod chacha;
mod config;
mod der;
mod derive;
mod deriving;
mod dev;
mod fault;
mod handles;
mod holding;
mod keys;
mod keywrap;
mod kinds;
mod module;
mod ops;
mod raw;
mod root;
mod selftest;
mod session;
mod template;
mod token;
mod wrapping;

#[cfg(test)]
mod tests;

use aws_lc_rs::rand::{SecureRandom, SystemRandom};
use cryptoki::error::RvError;

pub use config::{Config, Pkcs11Error, TokenChoice, find_softhsm, read_pin};
pub use dev::DevToken;
pub use root::HsmRoot;
pub use selftest::{Claims, Finding};
pub use token::Token;
pub use wrapping::WrappingKey;

use super::algorithm::{Cipher, Derivation, Encrypted, KeyKind, Mac, Message, RsaCipher, Signature, Wrap};
use super::{CryptoError, Guarded, HandleCount, Holding, Key, Made, MadePair, Provider, Residency};
use crate::secret::Secret;
use derive::Proofs;
use fault::Fault;
use handles::Handles;
use holding::Holdings;
use kinds::Kinds;

/// Does cryptography with keys that stay in a module. Keys that the server may hold are another provider's.
pub struct Pkcs11Provider {
    name: String,
    token: Token,
    /// `None` for a module that does not keep keys from leaving, and takes no such key.
    wrapping: Option<WrappingKey>,
    handles: Handles,
    holdings: Holdings,
    claims: Claims,
    kinds: Kinds,
    proofs: Proofs,
}

impl Pkcs11Provider {
    /// Tests the module and serves with it. [`Pkcs11Provider::claims`] says what was seen.
    ///
    /// # Errors
    /// A key cannot be made, wrapped and unwrapped at all.
    pub fn new(token: Token, wrapping: WrappingKey) -> Result<Self, Pkcs11Error> {
        let claims = selftest::run(&token, &wrapping)?;
        let handles = Handles::new(token.handle_bound);
        let name = "pkcs11".to_owned();
        let (holdings, wrapping) = (Holdings::default(), Some(wrapping));
        let mut provider =
            Self { name, token, wrapping, handles, holdings, claims, kinds: Kinds::all(), proofs: Proofs::default() };
        provider.kinds = Kinds::probe(&provider);
        Ok(provider)
    }

    /// Serves with a module that does not take the wrapping key, if the self-test sees why: it lets keys out. Such a module
    /// holds no keys of ours; its random numbers may be used.
    ///
    /// # Errors
    /// What the caller was told when the wrapping key was to be made, if the module lets nothing out: something else is
    /// wrong.
    pub fn without_keys(token: Token, refused: Pkcs11Error) -> Result<Self, Pkcs11Error> {
        let Ok(claims) = WrappingKey::passing(&token).and_then(|wrapping| selftest::run(&token, &wrapping)) else {
            return Err(refused);
        };
        if claims.non_exportable {
            return Err(refused);
        }
        let handles = Handles::new(token.handle_bound);
        let (name, holdings) = ("pkcs11".to_owned(), Holdings::default());
        Ok(Self {
            name,
            token,
            wrapping: None,
            handles,
            holdings,
            claims,
            kinds: Kinds::none(),
            proofs: Proofs::default(),
        })
    }

    /// What the self-test saw.
    pub fn claims(&self) -> &Claims {
        &self.claims
    }

    fn offers_key(&self, kind: KeyKind, residency: Residency) -> bool {
        residency != Residency::Sealed && self.claims.non_exportable && self.kinds.has(kind, residency)
    }
}

impl Provider for Pkcs11Provider {
    fn name(&self) -> &str {
        &self.name
    }

    fn offers(&self, kind: KeyKind, residency: Residency) -> bool {
        self.offers_key(kind, residency)
    }

    fn generate(&self, kind: KeyKind, residency: Residency) -> Result<Made, CryptoError> {
        self.generate_key(kind, residency)
    }

    fn generate_pair(&self, kind: KeyKind, residency: Residency) -> Result<MadePair, CryptoError> {
        self.generate_key_pair(kind, residency)
    }

    fn adopt(&self, kind: KeyKind, bytes: &Secret, residency: Residency) -> Result<Made, CryptoError> {
        self.adopt_key(kind, bytes, residency)
    }

    fn destroy(&self, key: &Guarded) -> Result<(), CryptoError> {
        self.destroy_key(key)
    }

    fn release(&self, key: &Guarded, ends_work: bool) -> Option<Box<dyn Send>> {
        self.release_key(key, ends_work).map(|released| Box::new(released) as Box<dyn Send>)
    }

    fn handles(&self) -> Option<HandleCount> {
        Some(self.handles.count())
    }

    fn encrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Encrypted, CryptoError> {
        self.encrypt_with(guarded(key)?, cipher, data)
    }

    fn decrypt(&self, key: Key<'_>, cipher: &Cipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        self.decrypt_with(guarded(key)?, cipher, data)
    }

    fn decrypt_rsa(&self, key: Key<'_>, cipher: &RsaCipher<'_>, data: &[u8]) -> Result<Secret, CryptoError> {
        self.decrypt_rsa_with(guarded(key)?, cipher, data)
    }

    fn open_hpke(&self, key: Key<'_>, aad: &[u8], data: &[u8]) -> Result<Secret, CryptoError> {
        self.open_hpke_with(guarded(key)?, aad, data)
    }

    fn sign(&self, key: Key<'_>, scheme: Signature, message: Message<'_>) -> Result<Vec<u8>, CryptoError> {
        self.sign_with(guarded(key)?, scheme, message)
    }

    fn mac(&self, key: Key<'_>, mac: Mac, data: &[u8]) -> Result<Vec<u8>, CryptoError> {
        self.mac_with(guarded(key)?, mac, data)
    }

    fn begin_mac(&self, key: Key<'_>, mac: Mac) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        self.hold_mac(guarded(key)?, mac)
    }

    fn begin_encryption(&self, key: Key<'_>, cipher: &Cipher<'_>) -> Result<Option<Box<dyn Holding>>, CryptoError> {
        self.hold_encryption(guarded(key)?, cipher)
    }

    fn derive_key(
        &self,
        key: Key<'_>,
        how: &Derivation<'_>,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        self.derive_within(guarded(key)?, how, kind, residency)
    }

    fn wrap(&self, key: Key<'_>, wrap: Wrap, bytes: &Secret) -> Result<Vec<u8>, CryptoError> {
        self.wrap_with(guarded(key)?, wrap, bytes)
    }

    fn unwrap(&self, key: Key<'_>, wrap: Wrap, wrapped: &[u8]) -> Result<Secret, CryptoError> {
        self.unwrap_with(guarded(key)?, wrap, wrapped)
    }

    fn random(&self, out: &mut [u8]) -> Result<(), CryptoError> {
        if out.is_empty() {
            return Ok(());
        }
        Ok(self.token.sessions.work(|work| {
            work.session.generate_random_slice(out).map_err(|error| Fault::from_cryptoki("C_GenerateRandom", &error))
        })?)
    }

    fn seed(&self, bytes: &[u8]) -> Result<usize, CryptoError> {
        if bytes.is_empty() {
            return Ok(0);
        }
        let answer = self
            .token
            .sessions
            .work(|work| work.session.seed_random(bytes).map_err(|error| Fault::from_cryptoki("C_SeedRandom", &error)));
        match answer {
            Ok(()) => Ok(bytes.len()),
            // A module may want more entropy at once than a client gives (kryoptic says so by its arguments).
            Err(Fault {
                error: RvError::RandomSeedNotSupported | RvError::FunctionNotSupported | RvError::ArgumentsBad,
                ..
            }) => Ok(0),
            Err(fault) => Err(fault.into()),
        }
    }
}

fn guarded(key: Key<'_>) -> Result<&Guarded, CryptoError> {
    match key {
        Key::Guarded(key) => Ok(key),
        Key::Clear(_) => Err(CryptoError::Unsupported(
            "the HSM works with its own keys; a key in the clear is not for it".to_owned(),
        )),
    }
}

/// An identity for a key.
fn random_id() -> Result<[u8; 16], CryptoError> {
    let mut id = [0; 16];
    SystemRandom::new().fill(&mut id).map_err(|_| CryptoError::Unavailable("no random bytes".to_owned()))?;
    Ok(id)
}
