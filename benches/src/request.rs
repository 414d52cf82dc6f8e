//! Requests as bytes. A header and the items are made before the clock runs; a message is their concatenation, with its
//! length filled in.

use kmip_codec::message::RequestHeader;
use kmip_codec::schema::{Encode, Field, Lifetime};
use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm, CryptographicUsageMask, HashingAlgorithm, KeyFormatType, NameType,
    ObjectType, Operation, RecommendedCurve, RevocationReasonCode, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Element, Value, Writer, frame};
use kmip_codec::types::{
    Attribute, AttributeList, Attributes, CryptographicParameters, KeyBlock, KeyValue, RevocationReason,
};

/// Where the mark of an item stands in it: after the headers of the item, of its operation and of the mark.
const MARK: std::ops::Range<usize> = 32..40;

/// What a message of so many items begins with.
#[derive(Debug)]
pub struct Head {
    bytes: Vec<u8>,
    count: usize,
}

impl Head {
    /// The beginning of messages of `count` items.
    pub fn new(version: Version, count: usize) -> Self {
        let header = RequestHeader {
            // The items of 1.x have no order of their own.
            batch_order_option: (count > 1 && !version.is_v2()).then_some(true),
            ..RequestHeader::new(version, i32::try_from(count).unwrap_or(i32::MAX))
        };
        let mut writer = Writer::new(version);
        writer.structure(Tag::RequestMessage, |w| header.encode(Tag::RequestHeader, w));
        Self { bytes: writer.finish(), count }
    }

    /// Appends a message whose items `item` appends, each called with its place.
    pub fn message(&self, out: &mut Vec<u8>, mut item: impl FnMut(usize, &mut Vec<u8>)) {
        let start = out.len();
        out.extend_from_slice(&self.bytes);
        for place in 0..self.count {
            let begin = out.len();
            item(place, out);
            if self.count > 1
                && let Some(mark) = out.get_mut(begin + MARK.start..begin + MARK.end)
            {
                mark.copy_from_slice(&(place as u64).to_be_bytes());
            }
        }
        let length = u32::try_from(out.len() - start - frame::HEADER).unwrap_or(u32::MAX);
        if let Some(place) = out.get_mut(start + 4..start + frame::HEADER) {
            place.copy_from_slice(&length.to_be_bytes());
        }
    }

    /// The message of these items.
    pub fn of(version: Version, items: &[Vec<u8>]) -> Vec<u8> {
        let mut message = Vec::new();
        Self::new(version, items.len()).message(&mut message, |place, out| {
            out.extend_from_slice(items.get(place).map(Vec::as_slice).unwrap_or_default());
        });
        message
    }
}

/// How items are written: in which version, and whether they have a mark, which they must have where there are several.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The version.
    pub version: Version,
    /// Whether there are several items in a message.
    pub several: bool,
}

impl Form {
    /// An item with this payload.
    pub fn item(self, operation: Operation, payload: impl FnOnce(&mut Writer)) -> Vec<u8> {
        let mut writer = Writer::new(self.version);
        writer.structure(Tag::BatchItem, |w| {
            w.enumeration(Tag::Operation, operation.into());
            if self.several {
                w.bytes(Tag::UniqueBatchItemID, &[0; 8]);
            }
            w.structure(Tag::RequestPayload, payload);
        });
        writer.finish()
    }

    /// An item whose payload is the identifier and what `rest` writes.
    pub fn about(self, operation: Operation, id: &str, rest: impl FnOnce(&mut Writer)) -> Vec<u8> {
        self.item(operation, |w| {
            w.text(Tag::UniqueIdentifier, id);
            rest(w);
        })
    }

    /// Get.
    pub fn get(self, id: &str) -> Vec<u8> {
        self.about(Operation::Get, id, |_| ())
    }

    /// Get Attributes, all of them.
    pub fn get_attributes(self, id: &str) -> Vec<u8> {
        self.about(Operation::GetAttributes, id, |_| ())
    }

    /// Locate by Name.
    pub fn locate(self, name: &str) -> Vec<u8> {
        let filter = AttributeList(vec![name_attribute(name)]);
        self.item(Operation::Locate, |w| filter.put(Tag::Attributes, Lifetime::ALWAYS, w))
    }

    /// Create.
    pub fn create(self, attributes: Vec<Attribute>) -> Vec<u8> {
        self.item(Operation::Create, |w| {
            w.enumeration(Tag::ObjectType, ObjectType::SymmetricKey.into());
            put(attributes, Tag::Attributes, w);
        })
    }

    /// Register, of a symmetric key.
    pub fn register(self, attributes: Vec<Attribute>, algorithm: CryptographicAlgorithm, key: &[u8]) -> Vec<u8> {
        let block = KeyBlock {
            key_format_type: KeyFormatType::Raw,
            key_compression_type: None,
            key_value: Some(KeyValue::bytes(Blob::copy_of(key))),
            cryptographic_algorithm: Some(algorithm),
            cryptographic_length: i32::try_from(key.len() * 8).ok(),
            key_wrapping_data: None,
        };
        self.item(Operation::Register, |w| {
            w.enumeration(Tag::ObjectType, ObjectType::SymmetricKey.into());
            put(attributes, Tag::Attributes, w);
            w.structure(Tag::SymmetricKey, |w| block.encode(Tag::KeyBlock, w));
        })
    }

    /// Create Key Pair.
    pub fn create_key_pair(self, common: Vec<Attribute>, private: Vec<Attribute>, public: Vec<Attribute>) -> Vec<u8> {
        self.item(Operation::CreateKeyPair, |w| {
            put(common, Tag::CommonAttributes, w);
            put(private, Tag::PrivateKeyAttributes, w);
            put(public, Tag::PublicKeyAttributes, w);
        })
    }

    /// Revoke, because the key is not used any more.
    pub fn revoke(self, id: &str) -> Vec<u8> {
        let reason = RevocationReason { code: RevocationReasonCode::CessationOfOperation, message: None };
        self.about(Operation::Revoke, id, |w| reason.encode(Tag::RevocationReason, w))
    }

    /// An operation of a key on data.
    pub fn cryptography(
        self,
        operation: Operation,
        id: &str,
        parameters: &CryptographicParameters,
        data: &[u8],
        rest: impl FnOnce(&mut Writer),
    ) -> Vec<u8> {
        self.about(operation, id, |w| {
            parameters.encode(Tag::CryptographicParameters, w);
            w.bytes(Tag::Data, data);
            rest(w);
        })
    }
}

fn put(list: Vec<Attribute>, tag: Tag, writer: &mut Writer) {
    Attributes { templates: Vec::new(), list }.put(tag, Lifetime::ALWAYS, writer);
}

/// The Name of an object.
pub fn name_attribute(name: &str) -> Attribute {
    let parts = vec![
        Element::new(Tag::NameValue, Value::TextString(name.into())),
        Element::new(Tag::NameType, Value::Enumeration(NameType::UninterpretedTextString.into())),
    ];
    Attribute::new(Tag::Name, Value::Structure(parts))
}

/// The curve of a key pair.
pub fn curve_attribute(curve: RecommendedCurve) -> Attribute {
    let parts = vec![Element::new(Tag::RecommendedCurve, Value::Enumeration(curve.into()))];
    Attribute::new(Tag::CryptographicDomainParameters, Value::Structure(parts))
}

/// Cryptographic Algorithm and Length, as a pair has them in common.
pub fn kind_attributes(algorithm: CryptographicAlgorithm, bits: i32) -> Vec<Attribute> {
    vec![
        Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into())),
        Attribute::new(Tag::CryptographicLength, Value::Integer(bits)),
    ]
}

/// Cryptographic Usage Mask.
pub fn usage_attribute(mask: CryptographicUsageMask) -> Attribute {
    Attribute::new(Tag::CryptographicUsageMask, Value::Integer(mask.into()))
}

/// AES in GCM with a nonce that the server makes.
pub fn gcm() -> CryptographicParameters {
    CryptographicParameters {
        block_cipher_mode: Some(BlockCipherMode::GCM),
        random_iv: Some(true),
        tag_length: Some(16),
        ..CryptographicParameters::default()
    }
}

/// AES in GCM, for decryption.
pub fn gcm_back() -> CryptographicParameters {
    CryptographicParameters { random_iv: None, ..gcm() }
}

/// The hash function of a signature or MAC.
pub fn sha256() -> CryptographicParameters {
    CryptographicParameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..CryptographicParameters::default() }
}
