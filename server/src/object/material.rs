//! What an object is made of, and its stored form: the object as it was registered, or a key that the module holds.

use std::any::Any;
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, OnceLock};

use kmip_codec::schema::{Field, Fields, Lifetime};
use kmip_codec::spec::{Enumeration, Tag, Version};
use kmip_codec::ttlv::{Blob, Writer, frame, parse};
use kmip_codec::types::Object;
use kmip_codec::{Element, Value};

use super::guarded::{Curve, Edwards, Guarded, KeyKind, ParameterSet, Place};
use super::record::{Malformed, OWN};
use crate::secret::Secret;

const MATERIAL: Tag = Tag::new(0x54_0010);
const GUARDED: Tag = Tag::new(0x54_0011);
const IDENTITY: Tag = Tag::new(0x54_0012);
const KIND: Tag = Tag::new(0x54_0013);
const SIZE: Tag = Tag::new(0x54_0014);
/// The wrapped key; a token object has none.
const BLOB: Tag = Tag::new(0x54_0015);
/// The object that follows is written as 1.4 has it.
const OLDER: Tag = Tag::new(0x54_0016);

/// The material of an object.
#[derive(Debug, Clone, PartialEq)]
pub enum Material {
    /// The object with its bytes, in the format in which it was made or registered.
    Open(Held),
    /// A key that only the module can use.
    Guarded(Guarded),
}

impl Material {
    /// The material of an object with its bytes.
    pub fn open(object: Object) -> Self {
        Self::Open(Held { object: Box::new(object), made: OnceLock::new() })
    }
}

/// An object with its bytes, and what was made of them to use it. What is made is no part of the object: it is not stored,
/// compared or cloned, and goes when the object goes. So there is no second place that remembers keys, with a life of its own.
pub struct Held {
    object: Box<Object>,
    made: OnceLock<Box<dyn Any + Send + Sync>>,
}

impl Held {
    /// What was made of it, or is made now. Only one type can be asked for of an object: another is not found.
    ///
    /// # Errors
    /// What the making says; nothing is kept then.
    pub fn made<T: Any + Send + Sync, E>(&self, make: impl FnOnce() -> Result<T, E>) -> Result<Option<&T>, E> {
        if self.made.get().is_none() {
            // Another thread may have been faster: theirs is the same.
            let _theirs = self.made.set(Box::new(make()?));
        }
        Ok(self.made.get().and_then(|made| made.downcast_ref()))
    }
}

impl Deref for Held {
    type Target = Object;

    fn deref(&self) -> &Object {
        &self.object
    }
}

impl fmt::Debug for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.object.fmt(f)
    }
}

impl Clone for Held {
    fn clone(&self) -> Self {
        Self { object: self.object.clone(), made: OnceLock::new() }
    }
}

impl PartialEq for Held {
    fn eq(&self, other: &Self) -> bool {
        self.object == other.object
    }
}

/// The version in which an object can be written whole: the newest, or the last of 1.x for what 2.x does not have any more.
fn version_of(material: &Material) -> Version {
    match material {
        Material::Open(object) => {
            let format = object.key_block().map(|block| block.key_format_type);
            let newest = object.object_type().known_in(Version::V2_1)
                && format.is_none_or(|format| format.allowed_in(Version::V2_1));
            if newest { Version::V2_1 } else { Version::V1_4 }
        }
        Material::Guarded(_) => Version::V2_1,
    }
}

/// Writes material.
pub fn write(material: &Material) -> Secret {
    let version = version_of(material);
    let mut writer = Writer::new(version);
    writer.structure(MATERIAL, |w| match material {
        Material::Open(object) => {
            if !version.is_v2() {
                w.boolean(OLDER, true);
            }
            object.put(Tag::Objects, Lifetime::ALWAYS, w);
        }
        Material::Guarded(guarded) => w.structure(GUARDED, |w| {
            let (kind, size) = kind_code(guarded.kind);
            w.bytes(IDENTITY, &guarded.id);
            w.enumeration(KIND, kind);
            w.enumeration(SIZE, size);
            if let Place::Wrapped(blob) = &guarded.place {
                w.bytes(BLOB, blob);
            }
        }),
    });
    Secret::new(writer.finish())
}

/// Reads material.
///
/// # Errors
/// [`Malformed`] where the bytes are not what [`write()`] makes.
pub fn read(bytes: &Secret) -> Result<Material, Malformed> {
    let frame = frame::protect(bytes.expose().to_vec());
    let element = parse(&frame, &OWN).map_err(|_| Malformed("no elements"))?;
    if element.tag != MATERIAL {
        return Err(Malformed("no material"));
    }
    let version = if element.value.find(OLDER).is_some() { Version::V1_4 } else { Version::V2_1 };
    let mut fields = Fields::open(element, version).map_err(|_| Malformed("no structure"))?;
    if let Some(Element { value, .. }) = fields.next(GUARDED) {
        return read_guarded(&value).map(Material::Guarded);
    }
    let object = Object::take(&mut fields, Tag::Objects, Lifetime::ALWAYS).map_err(|_| Malformed("no object"))?;
    Ok(Material::open(object))
}

fn read_guarded(value: &Value) -> Result<Guarded, Malformed> {
    let bytes = |tag| match value.find(tag) {
        Some(Value::ByteString(bytes)) => Some(bytes),
        _ => None,
    };
    let number = |tag| match value.find(tag) {
        Some(&Value::Enumeration(number)) => Ok(number),
        _ => Err(Malformed("no number")),
    };
    let id = bytes(IDENTITY).and_then(|id: &Blob| <[u8; 16]>::try_from(&**id).ok()).ok_or(Malformed("no identity"))?;
    let kind = kind_of(number(KIND)?, number(SIZE)?).ok_or(Malformed("no kind"))?;
    let place = bytes(BLOB).map_or(Place::Token, |blob| Place::Wrapped(Arc::from(&**blob)));
    Ok(Guarded { id, kind, place })
}

const CURVES: [(u32, Curve); 5] =
    [(1, Curve::P224), (2, Curve::P256), (3, Curve::P384), (4, Curve::P521), (5, Curve::Secp256k1)];

const EDWARDS: [(u32, Edwards); 4] =
    [(1, Edwards::Ed25519), (2, Edwards::Ed448), (3, Edwards::X25519), (4, Edwards::X448)];

/// The stored numbers of a kind; they may never change their meaning.
fn kind_code(kind: KeyKind) -> (u32, u32) {
    match kind {
        KeyKind::Aes { bits } => (1, bits),
        KeyKind::Generic { bytes } => (2, bytes),
        KeyKind::Rsa { bits } => (3, bits),
        KeyKind::Ec { curve } => (4, CURVES.iter().find(|row| row.1 == curve).map_or(0, |row| row.0)),
        KeyKind::PostQuantum { set } => (5, set.code()),
        KeyKind::Edwards { curve } => (6, EDWARDS.iter().find(|row| row.1 == curve).map_or(0, |row| row.0)),
        KeyKind::TripleDes { bytes } => (7, bytes),
        KeyKind::ChaCha20 => (8, 256),
    }
}

fn kind_of(kind: u32, size: u32) -> Option<KeyKind> {
    Some(match kind {
        1 => KeyKind::Aes { bits: size },
        2 => KeyKind::Generic { bytes: size },
        3 => KeyKind::Rsa { bits: size },
        4 => KeyKind::Ec { curve: CURVES.iter().find(|row| row.0 == size)?.1 },
        5 => KeyKind::PostQuantum { set: ParameterSet::of_code(size)? },
        6 => KeyKind::Edwards { curve: EDWARDS.iter().find(|row| row.0 == size)?.1 },
        7 => KeyKind::TripleDes { bytes: size },
        8 => KeyKind::ChaCha20,
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use kmip_codec::spec::OpaqueDataType;
    use kmip_codec::types::OpaqueObject;

    #[test]
    fn material_comes_back_as_it_was() {
        let kinds = [
            KeyKind::Aes { bits: 256 },
            KeyKind::Generic { bytes: 20 },
            KeyKind::Rsa { bits: 2048 },
            KeyKind::Ec { curve: Curve::P384 },
            KeyKind::PostQuantum { set: ParameterSet::MlKem768 },
            KeyKind::PostQuantum { set: ParameterSet::MlDsa87 },
            KeyKind::Edwards { curve: Edwards::Ed448 },
            KeyKind::TripleDes { bytes: 24 },
            KeyKind::Edwards { curve: Edwards::X448 },
            KeyKind::ChaCha20,
        ];
        for kind in kinds {
            for place in [Place::Token, Place::Wrapped(Arc::from(&b"blob"[..]))] {
                let material = Material::Guarded(Guarded { id: [7; 16], kind, place });
                assert_eq!(read(&write(&material)), Ok(material));
            }
        }
        let opaque =
            OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0001), opaque_data_value: Blob::copy_of(b"x") };
        let material = Material::open(Object::OpaqueObject(opaque));
        assert_eq!(read(&write(&material)), Ok(material));
    }
}
