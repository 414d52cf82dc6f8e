//! Key Block and what it holds (KMIP 2.1 §3.1 to §3.4, §7.18).

use crate::schema::{Decode, Encode, Field, Fields, Lifetime, wrong_type};
use crate::spec::{
    CryptographicAlgorithm, EncodingOption, KeyCompressionType, KeyFormatType, Tag, Version, WrappingMethod,
};
use crate::ttlv::{Blob, Element, Result, Text, Value, Writer};
use crate::types::{AttributeList, CryptographicParameters, UniqueIdentifier};

crate::structure! {
    /// Key Block (KMIP 2.1 §3.1).
    #[derive(Eq)]
    pub struct KeyBlock {
        /// The format of the key material.
        pub key_format_type: KeyFormatType = KeyFormatType,
        /// How an elliptic curve point is written.
        pub key_compression_type: Option<KeyCompressionType> = KeyCompressionType,
        /// The key; absent for an object of which the server holds the metadata alone.
        pub key_value: Option<KeyValue> = KeyValue,
        /// What the key is for.
        pub cryptographic_algorithm: Option<CryptographicAlgorithm> = CryptographicAlgorithm,
        /// Length of the key, in bits.
        pub cryptographic_length: Option<i32> = CryptographicLength,
        /// How the key value is wrapped, if it is.
        pub key_wrapping_data: Option<KeyWrappingData> = KeyWrappingData,
    }

    /// Key Wrapping Data (KMIP 2.1 §3.3).
    #[derive(Eq)]
    pub struct KeyWrappingData {
        /// Encrypted, MACed or signed, in which order.
        pub wrapping_method: WrappingMethod = WrappingMethod,
        /// The key that encrypts.
        pub encryption_key_information: Option<EncryptionKeyInformation> = EncryptionKeyInformation,
        /// The key that MACs or signs.
        pub mac_signature_key_information: Option<MacSignatureKeyInformation> = MACSignatureKeyInformation,
        /// The MAC or signature.
        pub mac_signature: Option<Blob> = MACSignature,
        /// The IV, counter or nonce.
        pub iv_counter_nonce: Option<Blob> = IVCounterNonce,
        /// Whether the Key Value structure or the bare key material was wrapped.
        pub encoding_option: Option<EncodingOption> = EncodingOption since V1_1,
    }

    /// Key Wrapping Specification (KMIP 2.1 §7.18): how a key is to be wrapped.
    #[derive(Eq)]
    pub struct KeyWrappingSpecification {
        /// Encrypt, MAC or sign, in which order.
        pub wrapping_method: WrappingMethod = WrappingMethod,
        /// The key that encrypts.
        pub encryption_key_information: Option<EncryptionKeyInformation> = EncryptionKeyInformation,
        /// The key that MACs or signs.
        pub mac_signature_key_information: Option<MacSignatureKeyInformation> = MACSignatureKeyInformation,
        /// Attributes to wrap with the key.
        pub attribute_names: Vec<Text> = AttributeName,
        /// Whether the Key Value structure or the bare key material is wrapped.
        pub encoding_option: Option<EncodingOption> = EncodingOption since V1_1,
    }

    /// Encryption Key Information (KMIP 2.1 §3.3).
    #[derive(Eq)]
    pub struct EncryptionKeyInformation {
        /// The key.
        pub unique_identifier: UniqueIdentifier = UniqueIdentifier,
        /// How it is used.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
    }

    /// MAC/Signature Key Information (KMIP 2.1 §3.3).
    #[derive(Eq)]
    pub struct MacSignatureKeyInformation {
        /// The key.
        pub unique_identifier: UniqueIdentifier = UniqueIdentifier,
        /// How it is used.
        pub cryptographic_parameters: Option<CryptographicParameters> = CryptographicParameters,
    }

    /// Transparent Symmetric Key (KMIP 2.1 §3.4).
    #[derive(Eq)]
    pub struct TransparentSymmetricKey {
        /// The key.
        pub key: Blob = Key,
    }
}

/// Key Value (KMIP 2.1 §3.2): plain, or wrapped to bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyValue {
    /// The key material and the attributes that travel with it.
    Plain {
        /// The key material.
        material: KeyMaterial,
        /// The attributes.
        attributes: AttributeList,
    },
    /// The wrapped Key Value structure, or the wrapped key material alone.
    Wrapped(Blob),
}

/// Key Material (KMIP 2.1 §3.2).
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum KeyMaterial {
    /// Raw, Opaque, PKCS#1, PKCS#8, X.509, ECPrivateKey and extensions.
    Bytes(Blob),
    /// The transparent formats, taken apart by who knows the Key Format Type.
    Structure(Vec<Element>),
}

impl KeyValue {
    /// A plain key value without attributes.
    pub fn bytes(material: Blob) -> Self {
        Self::Plain { material: KeyMaterial::Bytes(material), attributes: AttributeList::default() }
    }
}

impl Encode for KeyValue {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        match self {
            Self::Wrapped(bytes) => writer.bytes(tag, bytes),
            Self::Plain { material, attributes } => writer.structure(tag, |w| {
                material.encode(Tag::KeyMaterial, w);
                attributes.put(Tag::Attributes, Lifetime::ALWAYS, w);
            }),
        }
    }
}

impl Decode for KeyValue {
    fn decode(element: Element, version: Version) -> Result<Self> {
        match element.value {
            Value::ByteString(bytes) => Ok(Self::Wrapped(bytes)),
            Value::Structure(_) => {
                let mut fields = Fields::open(element, version)?;
                let material = Field::take(&mut fields, Tag::KeyMaterial, Lifetime::ALWAYS)?;
                let attributes = Field::take(&mut fields, Tag::Attributes, Lifetime::ALWAYS)?;
                fields.finish()?;
                Ok(Self::Plain { material, attributes })
            }
            other => Err(wrong_type("Structure or Byte String", &other)),
        }
    }
}

impl Encode for KeyMaterial {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        match self {
            Self::Bytes(bytes) => writer.bytes(tag, bytes),
            Self::Structure(elements) => {
                writer.structure(tag, |w| elements.iter().for_each(|element| w.element(element)));
            }
        }
    }
}

impl Decode for KeyMaterial {
    fn decode(element: Element, _: Version) -> Result<Self> {
        match element.value {
            Value::ByteString(bytes) => Ok(Self::Bytes(bytes)),
            Value::Structure(elements) => Ok(Self::Structure(elements)),
            other => Err(wrong_type("Byte String or Structure", &other)),
        }
    }
}
