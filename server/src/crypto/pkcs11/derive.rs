//! Keys from keys within the module: what is derived is born there, and is wrapped there or stays on the token. Nothing of
//! it is computed outside.
//!
//! What modules do with a length that is not that of the whole result differs, and no list tells. So before a derivation of
//! some shape is used for the first time, it is tried with a key that is known, and what comes out is compared: a module that
//! derives another key than the software does lacks the derivation.

use std::borrow::Cow;
use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use cryptoki::error::RvError;

use super::Pkcs11Provider;
use super::attr::{Attr, Mechanism};
use super::deriving::Deriving;
use super::fault::Fault;
use super::ops::of_cipher;
use super::raw::Handle;
use super::session::Work;
use super::template;
use crate::crypto::algorithm::{Cipher, Derivation, Hash, KeyKind, Mac, Padding};
use crate::crypto::software::{self, SoftwareProvider};
use crate::crypto::{ClearKey, CryptoError, Guarded, Key, Made, MadePair, Place, Provider as _, Residency};
use crate::secret::Secret;

/// Which shapes of derivation were compared, and whether they came out right.
#[derive(Default)]
pub(super) struct Proofs(Mutex<HashMap<String, bool>>);

/// The most shapes that are remembered: clients choose lengths.
const MOST: usize = 1024;

impl Proofs {
    fn find(&self, shape: &str) -> Option<bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(shape).copied()
    }

    fn note(&self, shape: String, is_right: bool) {
        let mut proofs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if proofs.len() >= MOST {
            proofs.clear();
        }
        proofs.insert(shape, is_right);
    }
}

impl Pkcs11Provider {
    /// Derives a key that stays in the module, from one that is there.
    pub(super) fn derive_within(
        &self,
        base: &Guarded,
        how: &Derivation<'_>,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        let len = kind.raw_len().ok_or_else(|| CryptoError::BadParameters("what is derived is no pair".to_owned()))?;
        let base = match how {
            Derivation::Encrypt { cipher, .. } => of_cipher(base, cipher)?,
            // To the rest a key is bytes, which modules have a type of their own for.
            _ if base.kind == KeyKind::ChaCha20 && base.place != Place::Token => {
                Cow::Owned(Guarded { kind: base.kind.as_bytes(), ..base.clone() })
            }
            _ => Cow::Borrowed(base),
        };
        let deriving = Deriving::of(base.kind, how, len)?;
        self.must_have(deriving.mechanism(), &how.name())?;
        // What the software refuses, whatever the key, is refused here: lengths, and points that are on no curve.
        SoftwareProvider.derive(Key::Clear(&Known::new(base.kind)?.key), how, len)?;
        self.must_offer(kind, residency)?;
        self.must_be_right(base.kind, how, kind)?;
        self.bear(&base, &deriving, kind, residency)
    }

    fn bear(
        &self,
        base: &Guarded,
        deriving: &Deriving<'_>,
        kind: KeyKind,
        residency: Residency,
    ) -> Result<Made, CryptoError> {
        let object = self.object(base)?;
        let Residency::Token(id) = residency else {
            let wrapped = self.use_object(&object, |work, handle| self.bear_wrapped(work, handle, deriving, kind));
            return self.wrapped(kind, wrapped.map_err(underivable)?);
        };
        let mut template = template::what(kind);
        template.extend(template::length(kind));
        template.extend(template::on_token(kind, &id));
        template.extend(self.token.confined());
        // What a first run of the message left cannot be told from anything else; it goes, and the same comes again.
        self.destroy_on_token(&id)?;
        let outcome = self.use_object(&object, |work, handle| born(work, handle, deriving, &template).map(drop));
        match outcome {
            // SoftHSM makes the object as it is to stay, and cannot write its value then.
            Err(Fault { error: RvError::AttributeReadOnly, .. }) => {
                self.destroy_on_token(&id)?;
                let mut template = template::unwrapped(kind);
                template.extend(template::length(kind));
                template.extend(self.token.confined());
                self.use_object(&object, |work, handle| {
                    let born = born(work, handle, deriving, &template)?;
                    work.raw.copy_object(work.session, born, &template::settling(&id))?;
                    work.raw.destroy_object(work.session, born)
                })
            }
            outcome => outcome,
        }
        .map_err(underivable)?;
        let made = Guarded { id, kind, place: Place::Token };
        self.settle(&made)?;
        Ok(Made::Guarded(made))
    }

    /// A key that is derived only to be wrapped.
    fn bear_wrapped(
        &self,
        work: &Work<'_>,
        base: Handle,
        deriving: &Deriving<'_>,
        kind: KeyKind,
    ) -> Result<Vec<u8>, Fault> {
        let mut template = template::what(kind);
        template.extend(template::length(kind));
        template.extend(template::passing(kind));
        let born = born(work, base, deriving, &template)?;
        self.wrap_and_destroy(work, kind, born)
    }

    /// Compares, the first time, what the module derives from a known key with what the software does.
    fn must_be_right(&self, base: KeyKind, how: &Derivation<'_>, kind: KeyKind) -> Result<(), CryptoError> {
        let len = kind.raw_len().unwrap_or(0);
        let what = match kind {
            KeyKind::TripleDes { .. } => "triple DES",
            KeyKind::ChaCha20 => "ChaCha20",
            _ => "bytes",
        };
        let shape = format!("{base:?} {len} {what} {}", how.name());
        let is_right = match self.proofs.find(&shape) {
            Some(is_right) => is_right,
            None => {
                let is_right = self.comes_out_right(base, how, kind)?;
                self.proofs.note(shape, is_right);
                is_right
            }
        };
        if is_right {
            Ok(())
        } else {
            Err(CryptoError::Unsupported(format!("{len} bytes by {} in the HSM module", how.name())))
        }
    }

    fn comes_out_right(&self, base: KeyKind, how: &Derivation<'_>, kind: KeyKind) -> Result<bool, CryptoError> {
        let len = kind.raw_len().unwrap_or(0);
        // The length of a generic secret changes nothing, and not every length can be wrapped.
        let base = if let KeyKind::Generic { .. } = base { KeyKind::Generic { bytes: 32 } } else { base };
        let kind = match (kind, u32::try_from(len).unwrap_or(u32::MAX)) {
            (KeyKind::TripleDes { .. } | KeyKind::ChaCha20, _) => kind,
            (_, bytes @ (16 | 24 | 32)) => KeyKind::Aes { bits: bytes * 8 },
            (_, bytes) => KeyKind::Generic { bytes },
        };
        let known = Known::new(base)?;
        let encapsulated;
        let how = match how {
            // What was made for another key would give what is rejected, and nothing else.
            Derivation::Decapsulate { .. } => {
                encapsulated = software::encapsulate(&known.public)?.0;
                &Derivation::Decapsulate { ciphertext: &encapsulated }
            }
            how => how,
        };
        let expected = ClearKey::new(kind, SoftwareProvider.derive(Key::Clear(&known.key), how, len)?);
        let deriving = Deriving::of(base, how, len)?;
        // Keys that are not wrapped derive too.
        let wrapped =
            self.with_known(base, known.key.bytes(), |work, base| self.bear_wrapped(work, base, &deriving, kind))?;
        let derived = guarded(self.wrapped(kind, wrapped.map_err(underivable)?)?)?;
        let is_same = self.is_same(&derived, &expected);
        self.destroy_key(&derived)?;
        is_same
    }

    /// Whether a key in the module does what one outside does.
    pub(super) fn is_same(&self, inside: &Guarded, outside: &ClearKey) -> Result<bool, CryptoError> {
        let both = |made: Result<Vec<u8>, CryptoError>, expected: Result<Vec<u8>, CryptoError>| Ok(made? == expected?);
        let cipher = match inside.kind {
            KeyKind::Aes { .. } => Some(Cipher::AesEcb { padding: Padding::None }),
            KeyKind::TripleDes { .. } => Some(Cipher::TdesEcb { padding: Padding::None }),
            KeyKind::ChaCha20 => Some(Cipher::ChaCha20 { nonce: &[0; 12], counter: 0 }),
            _ => None,
        };
        if let Some(cipher) = cipher {
            let expected = SoftwareProvider.encrypt(Key::Clear(outside), &cipher, &[0; 16]);
            return both(
                self.encrypt_with(inside, &cipher, &[0; 16]).map(|out| out.data),
                expected.map(|out| out.data),
            );
        }
        // Some want a key as long as the digest.
        for hash in [Hash::Sha256, Hash::Sha1] {
            match self.mac_with(inside, Mac::Hmac(hash), b"the same") {
                Err(CryptoError::Unsupported(_)) => {}
                made => return both(made, SoftwareProvider.mac(Key::Clear(outside), Mac::Hmac(hash), b"the same")),
            }
        }
        Ok(false)
    }
}

/// A key that everybody may know. One of triple DES has odd parity: a module may insist on it.
pub(super) struct Known {
    pub(super) key: ClearKey,
    /// Its public half, of a pair.
    public: Vec<u8>,
}

impl Known {
    pub(super) fn new(kind: KeyKind) -> Result<Self, CryptoError> {
        let (bytes, public) = match kind.raw_len() {
            Some(len) => {
                let parity = |byte: u8| match kind {
                    KeyKind::TripleDes { .. } => byte ^ u8::from(byte.count_ones().is_multiple_of(2)),
                    _ => byte,
                };
                (Secret::new((1..=u8::MAX).cycle().take(len).map(parity).collect()), Vec::new())
            }
            None => match SoftwareProvider.generate_pair(kind, Residency::Sealed)? {
                MadePair { private: Made::Clear(bytes), public } => (bytes, public),
                MadePair { .. } => return Err(CryptoError::Unavailable("the software guards a key".to_owned())),
            },
        };
        Ok(Self { key: ClearKey::new(kind, bytes), public })
    }
}

/// The key that comes of a derivation.
fn born(work: &Work<'_>, base: Handle, deriving: &Deriving<'_>, template: &[Attr<'_>]) -> Result<Handle, Fault> {
    let mechanism = Mechanism::Deriving(deriving);
    match deriving {
        Deriving::Decapsulate(ciphertext) => work.raw.decapsulate(work.session, &mechanism, base, ciphertext, template),
        _ => work.raw.derive_key(work.session, &mechanism, base, template),
    }
}

fn guarded(made: Made) -> Result<Guarded, CryptoError> {
    match made {
        Made::Guarded(guarded) => Ok(guarded),
        Made::Clear(_) => Err(CryptoError::Unavailable("the module gave a key away".to_owned())),
    }
}

/// What a refused derivation means. The parameters have been checked: what the module does not take, it does not have.
fn underivable(fault: Fault) -> CryptoError {
    match fault.error {
        // A token object that was made before keys could derive stays so.
        RvError::KeyFunctionNotPermitted
        | RvError::KeySizeRange
        | RvError::TemplateInconsistent
        | RvError::TemplateIncomplete
        | RvError::AttributeValueInvalid
        | RvError::AttributeTypeInvalid => CryptoError::Unsupported(format!("deriving in the HSM module ({fault})")),
        _ => fault.into(),
    }
}
