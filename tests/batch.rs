//! Messages over the wire: headers, several items, what an item may refer to, and what many clients see of each other.

#[cfg(test)]
mod harness;

#[cfg(test)]
#[path = "batch/asynchronous.rs"]
mod asynchronous;
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
#[path = "batch/unreadable.rs"]
mod unreadable;

#[cfg(test)]
mod common {
    use kmip_codec::spec::{BlockCipherMode, CryptographicUsageMask, EncodingOption, Version, WrappingMethod};
    use kmip_codec::ttlv::Text;
    use kmip_codec::types::{
        Attribute, CryptographicParameters, EncryptionKeyInformation, KeyWrappingSpecification, UniqueIdentifier,
    };
    use kmipd::ops;

    use super::harness::kmip::{get, mask};

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
}
