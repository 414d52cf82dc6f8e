//! Managed objects as they travel (KMIP 2.1 §2).

use crate::schema::{BigInteger, Decode, Encode, Field, Fields, Lifetime, decode};
use crate::spec::{
    CertificateRequestType, CertificateType, ObjectType, OpaqueDataType, SecretDataType, SplitKeyMethod, Tag, Version,
};
use crate::ttlv::{Blob, Element, Error, ErrorKind, Result, Writer};
use crate::types::{AttributeList, KeyBlock};

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

    /// Split Key (KMIP 2.1 §2.8): one of the parts of a key.
    #[derive(Eq)]
    pub struct SplitKey {
        /// How many parts there are.
        pub split_key_parts: i32 = SplitKeyParts,
        /// Which part this is, from 1.
        pub key_part_identifier: i32 = KeyPartIdentifier,
        /// How many parts are needed to join the key.
        pub split_key_threshold: i32 = SplitKeyThreshold,
        /// How it was split.
        pub split_key_method: SplitKeyMethod = SplitKeyMethod,
        /// The prime of Polynomial Sharing Prime Field.
        pub prime_field_size: Option<BigInteger> = PrimeFieldSize,
        /// The part.
        pub key_block: KeyBlock = KeyBlock,
    }

    /// Template (KMIP 1.4 §2.2.6): attributes that requests take by the template's Name.
    #[derive(Eq)]
    pub struct Template {
        /// The attributes.
        pub attributes: AttributeList = Attribute,
    }

    /// PGP Key (KMIP 2.1 §2.4): the ASCII-armored export, opaque to the server.
    #[derive(Eq)]
    pub struct PgpKey {
        /// 3 or 4.
        pub pgp_key_version: i32 = PGPKeyVersion,
        /// The key.
        pub key_block: KeyBlock = KeyBlock,
    }

    /// Certificate Request (KMIP 2.1 §2.2).
    #[derive(Eq)]
    pub struct CertificateRequest {
        /// The format of the request.
        pub certificate_request_type: CertificateRequestType = CertificateRequestType,
        /// The request.
        pub certificate_request_value: Blob = CertificateRequestValue,
    }
}

/// One list makes the enumeration, its types and tags, its reader and its writer. The last word says whether the
/// structure is the object's own, or is a key block in a structure of the object's tag.
macro_rules! objects {
    ($($(#[$meta:meta])* $name:ident($type:ty) $as:ident,)*) => {
        /// A managed object. As a field it is whichever of the objects' tags stands there; the tag that a structure
        /// declares for it is of no meaning.
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub enum Object {
            $($(#[$meta])* $name($type),)*
        }

        impl Object {
            /// Every type of object that this codec reads and writes; which versions have it says the enumeration.
            pub const TYPES: &[ObjectType] = &[$(ObjectType::$name),*];

            /// Its type.
            pub const fn object_type(&self) -> ObjectType {
                match self {
                    $(Self::$name(_) => ObjectType::$name,)*
                }
            }
        }

        /// The tag of each type.
        const TAGS: &[(Tag, ObjectType)] = &[$((Tag::$name, ObjectType::$name)),*];

        fn read(kind: ObjectType, element: Element, version: Version) -> Result<Object> {
            match kind {
                $(ObjectType::$name => $as::read(element, version).map(Object::$name),)*
                _ => Err(Error::new(ErrorKind::Unexpected(element.tag), element.offset as usize)),
            }
        }

        fn write(object: &Object, writer: &mut Writer) {
            match object {
                $(Object::$name(value) => $as::write(value, Tag::$name, writer),)*
            }
        }
    };
}

objects! {
    /// A certificate.
    Certificate(Certificate) whole,
    /// A symmetric key.
    SymmetricKey(KeyBlock) key,
    /// A public key.
    PublicKey(KeyBlock) key,
    /// A private key.
    PrivateKey(KeyBlock) key,
    /// A share of a key.
    SplitKey(SplitKey) whole,
    /// Attributes for objects to come, 1.x alone.
    Template(Template) whole,
    /// A password or seed.
    SecretData(SecretData) whole,
    /// Bytes.
    OpaqueObject(OpaqueObject) whole,
    /// A PGP key.
    PGPKey(PgpKey) whole,
    /// A request for a certificate.
    CertificateRequest(CertificateRequest) whole,
}

impl Object {
    /// The key block of a key or secret.
    pub const fn key_block(&self) -> Option<&KeyBlock> {
        match self {
            Self::SymmetricKey(block) | Self::PublicKey(block) | Self::PrivateKey(block) => Some(block),
            Self::SplitKey(split) => Some(&split.key_block),
            Self::SecretData(secret) => Some(&secret.key_block),
            Self::PGPKey(key) => Some(&key.key_block),
            Self::Certificate(_) | Self::Template(_) | Self::OpaqueObject(_) | Self::CertificateRequest(_) => None,
        }
    }

    /// The key block of a key or secret, to be changed.
    pub const fn key_block_mut(&mut self) -> Option<&mut KeyBlock> {
        match self {
            Self::SymmetricKey(block) | Self::PublicKey(block) | Self::PrivateKey(block) => Some(block),
            Self::SplitKey(split) => Some(&mut split.key_block),
            Self::SecretData(secret) => Some(&mut secret.key_block),
            Self::PGPKey(key) => Some(&mut key.key_block),
            Self::Certificate(_) | Self::Template(_) | Self::OpaqueObject(_) | Self::CertificateRequest(_) => None,
        }
    }

    /// The types of objects that a version has.
    pub fn types(version: Version) -> impl Iterator<Item = ObjectType> {
        Self::TYPES.iter().copied().filter(move |kind| kind.known_in(version))
    }
}

/// Objects whose structure is a type of its own.
mod whole {
    use super::{Decode, Element, Encode, Result, Tag, Version, Writer, decode};

    pub(super) fn read<T: Decode>(element: Element, version: Version) -> Result<T> {
        decode(element, version)
    }

    pub(super) fn write(object: &impl Encode, tag: Tag, writer: &mut Writer) {
        object.encode(tag, writer);
    }
}

/// Objects that are a key block and nothing else.
mod key {
    use super::{Element, Encode, Key, KeyBlock, Result, Tag, Version, Writer, decode};

    pub(super) fn read(element: Element, version: Version) -> Result<KeyBlock> {
        decode::<Key>(element, version).map(|key| key.key_block)
    }

    pub(super) fn write(block: &KeyBlock, tag: Tag, writer: &mut Writer) {
        writer.structure(tag, |w| block.encode(Tag::KeyBlock, w));
    }
}

impl Field for Object {
    fn take(fields: &mut Fields, _: Tag, _: Lifetime) -> Result<Self> {
        let version = fields.version();
        let found = TAGS.iter().find_map(|&(tag, kind)| fields.next(tag).map(|element| (kind, element)));
        let Some((kind, element)) = found else {
            return Err(Error::of(ErrorKind::InvalidValue("the managed object is missing")));
        };
        if !kind.known_in(version) {
            return Err(Error::new(ErrorKind::NotInVersion { tag: element.tag, version }, element.offset as usize));
        }
        read(kind, element, version)
    }

    fn put(&self, _: Tag, _: Lifetime, writer: &mut Writer) {
        write(self, writer);
    }
}

impl Field for Option<Object> {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        match TAGS.iter().any(|&(tag, _)| fields.has(tag)) {
            true => Object::take(fields, tag, lifetime).map(Some),
            false => Ok(None),
        }
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if let Some(object) = self {
            object.put(tag, lifetime, writer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Enumeration;

    #[test]
    fn every_type_has_the_tag_of_its_name() {
        for (tag, object_type) in TAGS {
            let row = ObjectType::TABLE.iter().find(|row| row.value == object_type.0).unwrap();
            assert_eq!(tag.name().unwrap(), row.name);
        }
        assert!(Object::TYPES.is_sorted());
    }
}
