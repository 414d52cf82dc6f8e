//! Managed objects as they travel (KMIP 2.1 §2).

use crate::schema::{Encode, Field, Fields, Lifetime, decode};
use crate::spec::{CertificateType, ObjectType, OpaqueDataType, SecretDataType, Tag};
use crate::ttlv::{Blob, Error, ErrorKind, Result, Writer};
use crate::types::KeyBlock;

crate::structure! {
    /// Certificate (KMIP 2.1 §2.1).
    #[derive(Eq)]
    pub struct Certificate {
        /// X.509 or PGP.
        pub certificate_type: CertificateType = CertificateType,
        /// The certificate, DER for X.509.
        pub certificate_value: Blob = CertificateValue,
    }

    /// Symmetric Key, Public Key or Private Key (KMIP 2.1 §2.9, §2.6, §2.5).
    #[derive(Eq)]
    struct Key {
        /// The key.
        pub key_block: KeyBlock = KeyBlock,
    }

    /// Secret Data (KMIP 2.1 §2.7).
    #[derive(Eq)]
    pub struct SecretData {
        /// Password or seed.
        pub secret_data_type: SecretDataType = SecretDataType,
        /// The secret.
        pub key_block: KeyBlock = KeyBlock,
    }

    /// Opaque Object (KMIP 2.1 §2.3).
    #[derive(Eq)]
    pub struct OpaqueObject {
        /// What its owner says it is.
        pub opaque_data_type: OpaqueDataType = OpaqueDataType,
        /// The bytes.
        pub opaque_data_value: Blob = OpaqueDataValue,
    }
}

/// A managed object. As a field it is whichever of the objects' tags stands there; the tag that a structure declares for
/// it is of no meaning.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Object {
    /// A certificate.
    Certificate(Certificate),
    /// A symmetric key.
    SymmetricKey(KeyBlock),
    /// A public key.
    PublicKey(KeyBlock),
    /// A private key.
    PrivateKey(KeyBlock),
    /// A password or seed.
    SecretData(SecretData),
    /// Bytes.
    OpaqueObject(OpaqueObject),
}

impl Object {
    /// The types of objects that can be read and written, in the order of their numbers.
    pub const TYPES: &'static [ObjectType] = &[
        ObjectType::Certificate,
        ObjectType::SymmetricKey,
        ObjectType::PublicKey,
        ObjectType::PrivateKey,
        ObjectType::SecretData,
        ObjectType::OpaqueObject,
    ];

    /// Its type.
    pub const fn object_type(&self) -> ObjectType {
        match self {
            Self::Certificate(_) => ObjectType::Certificate,
            Self::SymmetricKey(_) => ObjectType::SymmetricKey,
            Self::PublicKey(_) => ObjectType::PublicKey,
            Self::PrivateKey(_) => ObjectType::PrivateKey,
            Self::SecretData(_) => ObjectType::SecretData,
            Self::OpaqueObject(_) => ObjectType::OpaqueObject,
        }
    }

    /// The key block of a key or secret.
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::SymmetricKey(block) | Self::PublicKey(block) | Self::PrivateKey(block) => Some(block),
            Self::SecretData(secret) => Some(&secret.key_block),
            Self::Certificate(_) | Self::OpaqueObject(_) => None,
        }
    }
}

const TAGS: [Tag; 10] = [
    Tag::Certificate,
    Tag::SymmetricKey,
    Tag::PublicKey,
    Tag::PrivateKey,
    Tag::SecretData,
    Tag::OpaqueObject,
    Tag::SplitKey,
    Tag::Template,
    Tag::PGPKey,
    Tag::CertificateRequest,
];

impl Field for Object {
    fn take(fields: &mut Fields, _: Tag, _: Lifetime) -> Result<Self> {
        let Some(element) = TAGS.into_iter().find_map(|tag| fields.next(tag)) else {
            return Err(Error::from(ErrorKind::InvalidValue("the managed object is missing")));
        };
        let (tag, offset, version) = (element.tag, element.offset, fields.version());
        let key = |element| decode::<Key>(element, version).map(|key| key.key_block);
        match tag {
            Tag::Certificate => decode(element, version).map(Self::Certificate),
            Tag::SymmetricKey => key(element).map(Self::SymmetricKey),
            Tag::PublicKey => key(element).map(Self::PublicKey),
            Tag::PrivateKey => key(element).map(Self::PrivateKey),
            Tag::SecretData => decode(element, version).map(Self::SecretData),
            Tag::OpaqueObject => decode(element, version).map(Self::OpaqueObject),
            other => Err(Error::new(ErrorKind::Unexpected(other), offset as usize)),
        }
    }

    fn put(&self, _: Tag, _: Lifetime, writer: &mut Writer) {
        let key = |tag: Tag, block: &KeyBlock, writer: &mut Writer| {
            writer.structure(tag, |w| block.encode(Tag::KeyBlock, w));
        };
        match self {
            Self::Certificate(certificate) => certificate.encode(Tag::Certificate, writer),
            Self::SymmetricKey(block) => key(Tag::SymmetricKey, block, writer),
            Self::PublicKey(block) => key(Tag::PublicKey, block, writer),
            Self::PrivateKey(block) => key(Tag::PrivateKey, block, writer),
            Self::SecretData(secret) => secret.encode(Tag::SecretData, writer),
            Self::OpaqueObject(opaque) => opaque.encode(Tag::OpaqueObject, writer),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Enumeration, Version};
    use crate::ttlv::{Element, Value};

    #[test]
    fn the_types_are_those_that_can_be_read() {
        for (tag, object_type) in TAGS.into_iter().zip([1, 2, 3, 4, 7, 8, 5, 6, 9, 10].map(ObjectType)) {
            let row = ObjectType::TABLE.iter().find(|row| row.value == object_type.0).unwrap();
            assert_eq!(tag.name().unwrap(), row.name);
            let version = row.until.unwrap_or(Version::V2_1);
            let empty = Element::new(tag, Value::Structure(Vec::new()));
            let frame = Element::new(Tag::ResponsePayload, Value::Structure(vec![empty]));
            let read = Object::take(&mut Fields::open(frame, version).unwrap(), Tag::Objects, Lifetime::ALWAYS);
            let is_unknown =
                matches!(read.map_err(|error| error.kind), Err(ErrorKind::Unexpected(found)) if found == tag);
            assert_eq!(Object::TYPES.contains(&object_type), !is_unknown, "{object_type}");
        }
        assert!(Object::TYPES.is_sorted());
    }
}
