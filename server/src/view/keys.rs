//! Keys at work: which provider holds one, and which bytes may leave.

use kmip_codec::spec::ResultReason;
use kmip_codec::types::Object;

use super::View;
use super::overlay::is_guarded;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::{CryptoError, Key, Provider};
use crate::failure::{Failure, Outcome};
use crate::object::material::Material;
use crate::trust::policy::Permitted;

/// An object whose bytes may leave: only [`View::export`] makes one.
#[derive(Debug)]
pub struct Exportable(Object);

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

    /// Whether the material rests as it was wrapped by whoever brought it.
    ///
    /// # Errors
    /// Object Destroyed.
    pub fn rests_wrapped(&mut self, permitted: &Permitted) -> Outcome<bool> {
        Ok(match &*self.material(permitted)? {
            Material::Open(object) => object.key_block().is_some_and(|block| block.key_wrapping_data.is_some()),
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
        let opened;
        let key = match &*material {
            Material::Guarded(guarded) => Key::Guarded(guarded),
            Material::Open(object) => {
                opened = canonical(permitted, object)?;
                match &opened {
                    Canonical::Secret { kind, bytes } => Key::Clear { kind: *kind, bytes },
                    Canonical::Public { .. } => return Err(wrong_type(permitted)),
                }
            }
        };
        let provider = self.shared.providers.holder(&key).ok_or_else(|| {
            Failure::from(CryptoError::Unavailable("the key lives in a module, and none is configured".into()))
        })?;
        Ok(work(provider, key)?)
    }

    /// The public half of a public key or certificate, as SubjectPublicKeyInfo DER.
    ///
    /// # Errors
    /// Invalid Object Type for anything else.
    pub fn public_key(&mut self, permitted: &Permitted) -> Outcome<Vec<u8>> {
        match &*self.material(permitted)? {
            Material::Open(object) => match canonical(permitted, object)? {
                Canonical::Public { spki, .. } => Ok(spki),
                Canonical::Secret { .. } => Err(wrong_type(permitted)),
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
            Material::Open(object) => Ok(canonical(permitted, object)?.kind()),
            Material::Guarded(guarded) => Ok(guarded.kind),
        }
    }

    /// Whether the object's material lives in the module, so that its use belongs to the slow lane.
    pub fn is_guarded(&self, permitted: &Permitted) -> bool {
        is_guarded(permitted.residency)
    }
}

/// A key as providers take it. A key block may leave its algorithm to the attributes.
pub(super) fn canonical(permitted: &Permitted, object: &Object) -> Outcome<Canonical> {
    let block =
        object.key_block().ok_or_else(|| Failure::new(ResultReason::InvalidObjectType, "the object is no key"))?;
    let mut block = block.clone();
    block.cryptographic_algorithm = block.cryptographic_algorithm.or(permitted.algorithm());
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
