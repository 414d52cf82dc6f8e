//! Keys at work: which provider holds one, and which bytes may leave.

use kmip_codec::spec::{CryptographicAlgorithm, ResultReason, WrappingMethod};
use kmip_codec::types::Object;

use super::View;
use super::overlay::is_guarded;
use crate::crypto::algorithm::{Derivation, KeyKind};
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::permits::{Checked, Leave};
use crate::crypto::{ClearKey, CryptoError, Key, Provider};
use crate::failure::{Failure, Outcome};
use crate::object::material::{Held, Material};
use crate::secret::Secret;
use crate::trust::policy::{Permitted, Use};

/// An object whose bytes may leave: only [`View::export`] makes one.
#[derive(Debug)]
pub struct Exportable(Object);

/// Whether a Wrapping Method hides the key that it wraps: one that is MACed or signed alone is as open as any.
pub fn hides(method: WrappingMethod) -> bool {
    method != WrappingMethod::MACSign
}

impl Exportable {
    /// The object.
    pub fn into_object(self) -> Object {
        self.0
    }
}

impl View {
    /// Lets the bytes of an object leave, in the clear or to be wrapped before they do. The one place that decides it.
    ///
    /// # Errors
    /// Not Extractable; Sensitive; Key Value Not Present; Object Destroyed.
    pub fn export(&mut self, permitted: &Permitted, wrapped: bool) -> Outcome<Exportable> {
        if permitted.is_destroyed() {
            return Err(Failure::new(ResultReason::ObjectDestroyed, "the object is destroyed"));
        }
        if !permitted.is_extractable() || is_guarded(permitted.residency) {
            return Err(Failure::new(ResultReason::NotExtractable, "the object is not Extractable"));
        }
        if permitted.is_sensitive() && !wrapped {
            return Err(Failure::new(ResultReason::Sensitive, "the object is Sensitive: it leaves only wrapped"));
        }
        match &*self.material(permitted)? {
            Material::Open(object) => Ok(Exportable((**object).clone())),
            Material::Guarded(_) => Err(Failure::new(ResultReason::NotExtractable, "the key cannot leave the module")),
        }
    }

    /// Whether the material rests encrypted, as it was wrapped by whoever brought it.
    ///
    /// # Errors
    /// Object Destroyed.
    pub fn rests_wrapped(&mut self, permitted: &Permitted) -> Outcome<bool> {
        Ok(match &*self.material(permitted)? {
            Material::Open(object) => {
                let wrapping = object.key_block().and_then(|block| block.key_wrapping_data.as_ref());
                wrapping.is_some_and(|wrapping| hides(wrapping.wrapping_method))
            }
            Material::Guarded(_) => false,
        })
    }

    /// Works with a secret or private key, wherever it lives.
    ///
    /// # Errors
    /// What the provider says; Invalid Object Type for a key that the server cannot use.
    pub fn with_key<T>(
        &mut self,
        permitted: &Permitted,
        work: impl FnOnce(&dyn Provider, Key<'_>) -> Result<T, CryptoError>,
    ) -> Outcome<T> {
        let material = self.material(permitted)?;
        let mut own = None;
        let key = match &*material {
            Material::Guarded(guarded) => Key::Guarded(guarded),
            Material::Open(held) => match &usable(permitted, held, &mut own)?.key {
                Form::Secret(key) => Key::Clear(key),
                Form::Public { .. } => return Err(wrong_type(permitted)),
            },
        };
        let provider = self.shared.providers.holder(&key).ok_or_else(|| {
            Failure::from(CryptoError::Unavailable("the key lives in a module, and none is configured".into()))
        })?;
        // Every use of a key passes here: as what it was permitted for, and by what is permitted of algorithms.
        let leave = match permitted.intent() {
            Use::Cryptography(purpose) if !purpose.protects() => Leave::PROCESS,
            _ => Leave::PROTECT,
        };
        let checked = Checked { provider, permits: &self.shared.settings.permits, leave };
        Ok(work(&checked, key)?)
    }

    /// Derives from bytes that a client brought and that are no object: by software, and by what is permitted of algorithms.
    ///
    /// # Errors
    /// What the provider says.
    pub fn derive_from_bytes(&self, bytes: &Secret, how: &Derivation<'_>, len: usize) -> Outcome<Secret> {
        let count = u32::try_from(bytes.expose().len()).unwrap_or(u32::MAX);
        let key = ClearKey::new(KeyKind::Generic { bytes: count }, bytes.clone());
        let key = Key::Clear(&key);
        let provider = self.shared.providers.holder(&key).ok_or_else(|| Failure::internal("there is no software"))?;
        let checked = Checked { provider, permits: &self.shared.settings.permits, leave: Leave::PROTECT };
        Ok(checked.derive(key, how, len)?)
    }

    /// The public half of a public key or certificate, as SubjectPublicKeyInfo DER.
    ///
    /// # Errors
    /// Invalid Object Type for anything else.
    pub fn public_key(&mut self, permitted: &Permitted) -> Outcome<Vec<u8>> {
        match &*self.material(permitted)? {
            Material::Open(held) => match &usable(permitted, held, &mut None)?.key {
                Form::Public { spki, .. } => Ok(spki.clone()),
                Form::Secret(_) => Err(wrong_type(permitted)),
            },
            Material::Guarded(_) => Err(wrong_type(permitted)),
        }
    }

    /// What an object's key is.
    ///
    /// # Errors
    /// Invalid Object Type for what is no key.
    pub fn key_kind(&mut self, permitted: &Permitted) -> Outcome<KeyKind> {
        match &*self.material(permitted)? {
            Material::Open(held) => Ok(match &usable(permitted, held, &mut None)?.key {
                Form::Secret(key) => key.kind(),
                Form::Public { kind, .. } => *kind,
            }),
            Material::Guarded(guarded) => Ok(guarded.kind),
        }
    }

    /// Whether the object's material lives in the module, so that its use belongs to the slow lane.
    pub fn is_guarded(&self, permitted: &Permitted) -> bool {
        is_guarded(permitted.residency)
    }
}

/// A key as providers take it, kept with the material that it was made of.
struct Usable {
    /// The algorithm that the key is of by its key block, or else by the attributes of its object.
    algorithm: Option<CryptographicAlgorithm>,
    key: Form,
}

enum Form {
    Secret(ClearKey),
    /// A public key as SubjectPublicKeyInfo DER.
    Public {
        kind: KeyKind,
        spki: Vec<u8>,
    },
}

/// The key that is kept with its material, made now if it is the first time. The attributes may have changed since where they
/// alone say the algorithm: then it is made for this time, in `own`.
fn usable<'a>(permitted: &Permitted, held: &'a Held, own: &'a mut Option<Usable>) -> Outcome<&'a Usable> {
    let algorithm = held.key_block().and_then(|block| block.cryptographic_algorithm).or(permitted.algorithm());
    let make = || -> Outcome<_> {
        Ok(Usable {
            algorithm,
            key: match canonical(permitted, held)? {
                Canonical::Secret { kind, bytes } => Form::Secret(ClearKey::new(kind, bytes)),
                Canonical::Public { kind, spki } => Form::Public { kind, spki },
            },
        })
    };
    match held.made::<Usable, _>(make)? {
        Some(kept) if kept.algorithm == algorithm => Ok(kept),
        _ => Ok(own.insert(make()?)),
    }
}

/// A key as providers take it. A key block may leave its algorithm to the attributes.
pub(super) fn canonical(permitted: &Permitted, object: &Object) -> Outcome<Canonical> {
    canonical_of(permitted.algorithm(), object)
}

/// The same for an object that is not there yet, with the algorithm of its attributes.
pub(super) fn canonical_of(algorithm: Option<CryptographicAlgorithm>, object: &Object) -> Outcome<Canonical> {
    let block =
        object.key_block().ok_or_else(|| Failure::new(ResultReason::InvalidObjectType, "the object is no key"))?;
    let mut block = block.clone();
    block.cryptographic_algorithm = block.cryptographic_algorithm.or(algorithm);
    keyblock::canonical(object.object_type(), &block)
}

fn wrong_type(permitted: &Permitted) -> Failure {
    Failure::new(ResultReason::InvalidObjectType, format!("a {} cannot be used so", permitted.object_type()))
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{CryptographicAlgorithm, KeyFormatType, Tag, Version};

    use super::super::testing::{Bench, block};
    use super::*;
    use crate::trust::policy::Use;

    /// A key is opened once for the material that it was read from, and no change of the attributes makes it another.
    #[test]
    fn what_is_made_of_a_key_stays_with_its_material() {
        let bench = Bench::new();
        let mut block = block(KeyFormatType::Raw, CryptographicAlgorithm::AES, &[7; 32]);
        block.cryptographic_algorithm = None;
        let algorithm = |code: CryptographicAlgorithm| (Tag::CryptographicAlgorithm, Value::Enumeration(code.into()));
        let object = Object::SymmetricKey(block);
        let aes = bench.object(object.clone(), vec![algorithm(CryptographicAlgorithm::AES)]);
        let mac = bench.object(object.clone(), vec![algorithm(CryptographicAlgorithm::HMACSHA256)]);
        let mut view = bench.view(Version::V2_1);
        let [aes, mac] = [aes, mac].map(|key| view.open(Some(&key), Use::Get).unwrap());
        let Material::Open(held) = Material::open(object) else { panic!() };

        let mut own = None;
        let kind = |permitted: &Permitted| match usable(permitted, &held, &mut None).unwrap().key {
            Form::Secret(ref key) => (key.kind(), std::ptr::from_ref(key)),
            Form::Public { .. } => panic!(),
        };
        let first = kind(&aes);
        assert_eq!(first.0, KeyKind::Aes { bits: 256 });
        assert_eq!(first, kind(&aes));
        // The same material under another algorithm, and again under the first.
        assert_eq!(kind(&mac).0, KeyKind::Generic { bytes: 32 });
        assert_eq!(first, kind(&aes));
        // A copy is another object.
        let copy = held.clone();
        let Form::Secret(key) = &usable(&aes, &copy, &mut own).unwrap().key else { panic!() };
        assert_ne!(first.1, std::ptr::from_ref(key));
    }

    #[test]
    fn the_algorithm_of_a_key_may_stand_in_its_attributes_alone() {
        let bench = Bench::new();
        let mut block = block(KeyFormatType::Raw, CryptographicAlgorithm::AES, &[7; 32]);
        block.cryptographic_algorithm = None;
        let algorithm = (Tag::CryptographicAlgorithm, Value::Enumeration(CryptographicAlgorithm::AES.into()));
        let key = bench.object(Object::SymmetricKey(block), vec![algorithm]);
        let mut view = bench.view(Version::V2_1);
        let permitted = view.open(Some(&key), Use::Get).unwrap();
        assert_eq!(view.key_kind(&permitted), Ok(KeyKind::Aes { bits: 256 }));
    }
}
