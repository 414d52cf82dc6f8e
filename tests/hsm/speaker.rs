//! A client that writes down all that goes over its wire, in the clear.

use bytes::Bytes;
use kmip_codec::spec::{ResultReason, Tag};
use kmip_codec::ttlv::{Limits, parse, write};
use kmip_codec::{Element, Value, text};

use crate::harness::{Client, Kmipd, Wire};
use crate::xml::{bo, bytes, en, id, int, st, text as txt};

/// A version, as in `(2, 1)`.
pub(crate) type Version = (i32, i32);
pub(crate) const V2_1: Version = (2, 1);

/// A client on one connection.
pub(crate) struct Speaker {
    wire: Wire,
    /// What the server said.
    pub(crate) heard: Vec<u8>,
}

impl Speaker {
    pub(crate) fn of(kmipd: &Kmipd) -> Self {
        Self::with(&kmipd.client())
    }

    pub(crate) fn with(client: &Client) -> Self {
        Self { wire: client.connect().unwrap(), heard: Vec::new() }
    }

    /// Sends items; answers what came of each: the payload, or why there is none.
    pub(crate) fn batch(&mut self, version: Version, items: &[(&str, String)]) -> Vec<Result<Value, ResultReason>> {
        self.batch_or(version, "Stop", items)
    }

    /// The same, and what is to be done when an item fails.
    pub(crate) fn batch_or(
        &mut self,
        version: Version,
        or: &str,
        items: &[(&str, String)],
    ) -> Vec<Result<Value, ResultReason>> {
        let (major, minor) = version;
        let version = st(
            "ProtocolVersion",
            &[int("ProtocolVersionMajor", &major.to_string()), int("ProtocolVersionMinor", &minor.to_string())],
        );
        let header = st(
            "RequestHeader",
            &[version, en("BatchErrorContinuationOption", or), int("BatchCount", &items.len().to_string())],
        );
        let items: Vec<String> = items
            .iter()
            .enumerate()
            .map(|(place, (operation, payload))| {
                let mark = bytes("UniqueBatchItemID", &[u8::try_from(place).unwrap()]);
                let payload = st("RequestPayload", std::slice::from_ref(payload));
                st("BatchItem", &[en("Operation", operation), mark, payload])
            })
            .collect();
        let request = st("RequestMessage", &[header, items.concat()]);
        let request =
            text::xml::read(&request, &Limits::default()).unwrap_or_else(|error| panic!("{error}: {request}"));
        let answer = self.wire.ask(&write(&request)).unwrap();
        self.heard.extend(&answer);
        let answer = parse(&Bytes::from(answer), &Limits::default()).unwrap();
        let items = answer.value.elements().iter().filter(|element| element.tag == Tag::BatchItem);
        items.map(came).collect()
    }

    /// Sends one item.
    pub(crate) fn attempt(
        &mut self,
        version: Version,
        operation: &str,
        payload: &[String],
    ) -> Result<Value, ResultReason> {
        let mut came = self.batch(version, &[(operation, payload.concat())]);
        assert_eq!(came.len(), 1);
        came.remove(0)
    }

    /// Sends one item of KMIP 2.1 that succeeds.
    #[track_caller]
    pub(crate) fn ask(&mut self, operation: &str, payload: &[String]) -> Value {
        self.attempt(V2_1, operation, payload).unwrap_or_else(|reason| panic!("{operation}: {reason}"))
    }

    /// Sends one item of KMIP 2.1 that fails, and answers why.
    #[track_caller]
    pub(crate) fn refusal(&mut self, operation: &str, payload: &[String]) -> ResultReason {
        self.attempt(V2_1, operation, payload).err().unwrap_or_else(|| panic!("{operation} succeeded"))
    }

    /// Creates a symmetric key, and activates it.
    #[track_caller]
    pub(crate) fn create(&mut self, algorithm: &str, bits: &str, mask: &str, more: &[String]) -> String {
        let attributes = [
            &[en("CryptographicAlgorithm", algorithm), int("CryptographicLength", bits)][..],
            &[int("CryptographicUsageMask", mask)],
            more,
        ];
        let made = self.ask("Create", &[en("ObjectType", "SymmetricKey"), st("Attributes", &attributes.concat())]);
        let made = identifier(&made);
        self.ask("Activate", &[id(&made)]);
        made
    }

    /// Registers an AES key, and activates it.
    #[track_caller]
    pub(crate) fn register(&mut self, key: &[u8], more: &[String]) -> String {
        let made = identifier(&self.ask("Register", &aes(key, more)));
        self.ask("Activate", &[id(&made)]);
        made
    }

    /// Encrypts one block with AES-ECB: the same key gives the same.
    #[track_caller]
    pub(crate) fn block(&mut self, key: &str) -> Vec<u8> {
        let answer = self.ask("Encrypt", &[id(key), ecb(), bytes("Data", b"sixteen letters.")]);
        octets(&answer, Tag::Data)
    }

    /// The values of an attribute.
    #[track_caller]
    pub(crate) fn values(&mut self, object: &str, attribute: &str) -> Vec<Value> {
        let answer = self.ask("GetAttributes", &[id(object), en("AttributeReference", attribute)]);
        let found = answer.find(Tag::Attributes).map(|list| list.elements().to_vec()).unwrap_or_default();
        found.into_iter().map(|element| element.value).collect()
    }

    /// The value of an attribute that is true or false.
    #[track_caller]
    pub(crate) fn flag(&mut self, object: &str, attribute: &str) -> bool {
        match self.values(object, attribute)[..] {
            [Value::Boolean(flag)] => flag,
            ref other => panic!("{attribute}: {other:?}"),
        }
    }

    /// The Protection Storage Mask.
    #[track_caller]
    pub(crate) fn protection(&mut self, object: &str) -> i32 {
        match self.values(object, "ProtectionStorageMask")[..] {
            [Value::Integer(mask)] => mask,
            ref other => panic!("{other:?}"),
        }
    }
}

/// Register's payload for an AES key.
pub(crate) fn aes(key: &[u8], more: &[String]) -> Vec<String> {
    let block = [
        en("KeyFormatType", "Raw"),
        st("KeyValue", &[bytes("KeyMaterial", key)]),
        en("CryptographicAlgorithm", "AES"),
        int("CryptographicLength", &(key.len() * 8).to_string()),
    ];
    let attributes = [&[int("CryptographicUsageMask", "Encrypt Decrypt WrapKey")], more].concat();
    vec![en("ObjectType", "SymmetricKey"), st("Attributes", &attributes), st("SymmetricKey", &[st("KeyBlock", &block)])]
}

/// AES-ECB without padding.
pub(crate) fn ecb() -> String {
    st(
        "CryptographicParameters",
        &[en("BlockCipherMode", "ECB"), en("PaddingMethod", "None"), en("CryptographicAlgorithm", "AES")],
    )
}

/// Get's specification to wrap with a key.
pub(crate) fn wrapped_with(key: &str, encoding: &str) -> String {
    let parameters = st("CryptographicParameters", &[en("BlockCipherMode", "NISTKeyWrap")]);
    st(
        "KeyWrappingSpecification",
        &[
            en("WrappingMethod", "Encrypt"),
            st("EncryptionKeyInformation", &[id(key), parameters]),
            en("EncodingOption", encoding),
        ],
    )
}

/// Extractable false.
pub(crate) fn stays() -> Vec<String> {
    vec![bo("Extractable", false)]
}

/// New Attribute.
pub(crate) fn new(attribute: String) -> String {
    st("NewAttribute", &[attribute])
}

/// A Name.
pub(crate) fn name(value: &str) -> String {
    st("Name", &[txt("NameValue", value), en("NameType", "UninterpretedTextString")])
}

/// The Unique Identifier in a payload.
#[track_caller]
pub(crate) fn identifier(payload: &Value) -> String {
    payload.find(Tag::UniqueIdentifier).and_then(Value::text).unwrap().to_owned()
}

/// A Byte String in a payload.
#[track_caller]
pub(crate) fn octets(payload: &Value, tag: Tag) -> Vec<u8> {
    match payload.find(tag) {
        Some(Value::ByteString(bytes)) => bytes.to_vec(),
        other => panic!("{tag}: {other:?}"),
    }
}

fn came(item: &Element) -> Result<Value, ResultReason> {
    match (item.value.find(Tag::ResultStatus), item.value.find(Tag::ResultReason)) {
        (Some(Value::Enumeration(0)), None) => {
            Ok(item.value.find(Tag::ResponsePayload).cloned().unwrap_or(Value::Structure(Vec::new())))
        }
        (_, Some(&Value::Enumeration(reason))) => Err(ResultReason(reason)),
        // Operation Undone has no reason of its own.
        (Some(Value::Enumeration(3)), None) => Err(ResultReason::GeneralFailure),
        other => panic!("{other:?}"),
    }
}
