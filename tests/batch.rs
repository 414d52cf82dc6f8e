//! Messages over the wire: headers, several items, what an item may refer to, and what many clients see of each other.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "batch/asynchronous.rs"]
mod asynchronous;
#[cfg(test)]
#[path = "batch/containers.rs"]
mod containers;
#[cfg(test)]
#[path = "batch/errors.rs"]
mod errors;
#[cfg(test)]
#[path = "batch/header.rs"]
mod header;
#[cfg(test)]
#[path = "batch/life.rs"]
mod life;
#[cfg(test)]
#[path = "batch/owners.rs"]
mod owners;
#[cfg(test)]
#[path = "batch/references.rs"]
mod references;
#[cfg(test)]
#[path = "batch/streams.rs"]
mod streams;
#[cfg(test)]
#[path = "batch/unreadable.rs"]
mod unreadable;

#[cfg(test)]
mod common {
    use kmip_codec::spec::{
        BlockCipherMode, CryptographicAlgorithm, CryptographicUsageMask, EncodingOption, ObjectType, SplitKeyMethod,
        Tag, Version, WrappingMethod,
    };
    use kmip_codec::ttlv::Text;
    use kmip_codec::types::{
        Attribute, AttributeList, Attributes, CryptographicParameters, EncryptionKeyInformation,
        KeyWrappingSpecification, Object, UniqueIdentifier,
    };
    use kmipd::ops;

    use super::harness::kmip::{enumeration, get, mask, number};

    /// A version of each kind, and the oldest.
    pub(crate) const VERSIONS: [Version; 3] = [Version::V1_0, Version::V1_4, Version::V2_1];

    /// An identifier that no object has.
    pub(crate) fn nobody() -> Text {
        "00000000-0000-4000-8000-000000000000".into()
    }

    /// What makes a key one that wraps others.
    pub(crate) fn wrapping() -> Attribute {
        mask(CryptographicUsageMask::WRAP_KEY | CryptographicUsageMask::UNWRAP_KEY)
    }

    /// A Get of a key, wrapped by another one: the use of a key that every version has.
    pub(crate) fn wrapped(identifier: &Text, wrapping: &Text, version: Version) -> ops::get::Request {
        let parameters = CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
            ..CryptographicParameters::default()
        };
        ops::get::Request {
            key_wrapping_specification: Some(KeyWrappingSpecification {
                wrapping_method: WrappingMethod::Encrypt,
                encryption_key_information: Some(EncryptionKeyInformation {
                    unique_identifier: UniqueIdentifier::Text(wrapping.clone()),
                    cryptographic_parameters: Some(parameters),
                }),
                mac_signature_key_information: None,
                attribute_names: Vec::new(),
                encoding_option: (version >= Version::V1_1).then_some(EncodingOption::NoEncoding),
            }),
            ..get(Some(identifier))
        }
    }

    /// To split a key into three parts of which two join it, or one that is made for them.
    pub(crate) fn split(key: Option<&Text>) -> ops::create_split_key::Request {
        let list = vec![
            enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES),
            number(Tag::CryptographicLength, 256),
        ];
        ops::create_split_key::Request {
            object_type: ObjectType::SplitKey,
            unique_identifier: key.cloned().map(UniqueIdentifier::Text),
            split_key_parts: 3,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::PolynomialSharingGF216,
            prime_field_size: None,
            attributes: Attributes { templates: Vec::new(), list },
            protection_storage_masks: None,
        }
    }

    /// To join parts to a key.
    pub(crate) fn join(parts: &[Text]) -> ops::join_split_key::Request {
        ops::join_split_key::Request {
            object_type: ObjectType::SymmetricKey,
            unique_identifiers: parts.iter().cloned().map(UniqueIdentifier::Text).collect(),
            secret_data_type: None,
            attributes: Attributes { templates: Vec::new(), list: vec![mask(CryptographicUsageMask::ENCRYPT)] },
            protection_storage_masks: None,
        }
    }

    pub(crate) fn export(identifier: Option<&Text>) -> ops::export::Request {
        ops::export::Request {
            unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
            key_format_type: None,
            key_wrap_type: None,
            key_compression_type: None,
            key_wrapping_specification: None,
        }
    }

    pub(crate) fn import(identifier: &Text, object: Object, replace: bool, version: Version) -> ops::import::Request {
        ops::import::Request {
            unique_identifier: identifier.clone(),
            object_type: version.is_v2().then_some(object.object_type()),
            replace_existing: Some(replace),
            key_wrap_type: None,
            attributes: AttributeList(vec![mask(CryptographicUsageMask::empty())]),
            object,
        }
    }
}
