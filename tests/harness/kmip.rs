//! A client that speaks in the codec's types.

use bytes::Bytes;
use kmip_codec::message::{RequestBatchItem, RequestHeader, RequestMessage, RequestedOperation, ResponseMessage};
use kmip_codec::schema::{Decode, Encode, decode};
use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask, KeyFormatType, NameType, ObjectType, Operation, ResultReason,
    ResultStatus, State, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Limits, Text, Writer, parse};
use kmip_codec::types::{
    Attribute, AttributeReference, AttributeReferences, Attributes, KeyBlock, KeyValue, Name, Object, SecretData,
    UniqueIdentifier,
};
use kmip_codec::{Element, Value};
use kmipd::ops::{self, OPERATIONS, SENT};
use kmipd::view::value_of;

use super::Wire;

/// The operations that `kmipd dev` says it has in a version: all but the one that empties the store.
pub(crate) fn offered(version: Version) -> Vec<Operation> {
    let asked = OPERATIONS.iter().map(|row| row.operation).filter(|&operation| operation != Operation::Interop);
    asked.chain(SENT).filter(|operation| operation.known_in(version)).collect()
}

/// Why an item has no payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Refused {
    pub(crate) status: ResultStatus,
    pub(crate) reason: Option<ResultReason>,
    pub(crate) message: String,
}

impl Refused {
    /// The reason of an Operation Failed.
    pub(crate) fn reason(&self) -> ResultReason {
        assert_eq!(self.status, ResultStatus::OperationFailed, "{self:?}");
        self.reason.unwrap()
    }
}

/// What came of an item: its payload, or why there is none.
pub(crate) type Came = Result<Element, Refused>;

/// A connection on which messages of one version are sent.
pub(crate) struct Kmip {
    pub(crate) wire: Wire,
    pub(crate) version: Version,
}

impl Kmip {
    pub(crate) fn new(wire: Wire, version: Version) -> Self {
        Self { wire, version }
    }

    /// Sends a message and reads its answer, which has the same version.
    pub(crate) fn exchange(&mut self, message: &RequestMessage) -> ResponseMessage {
        let answer = self.wire.ask(&message.write()).unwrap();
        let answer = ResponseMessage::read(&Bytes::from(answer), &Limits::default()).unwrap();
        assert_eq!(answer.version, message.version);
        answer
    }

    /// Sends items under a header of their own, and answers what came of them.
    pub(crate) fn batch(&mut self, header: RequestHeader, items: Vec<RequestBatchItem>) -> Vec<Came> {
        came(self.exchange(&message(self.version, header, items)))
    }

    /// Sends items under a header without options.
    pub(crate) fn items(&mut self, items: Vec<RequestBatchItem>) -> Vec<Came> {
        self.batch(header(self.version), items)
    }

    /// An item of this connection's version.
    pub(crate) fn item(&self, operation: Operation, request: &impl Encode) -> RequestBatchItem {
        item(self.version, operation, request)
    }

    /// Sends one item. The answer echoes its operation.
    pub(crate) fn attempt<R: Decode>(&mut self, operation: Operation, request: &impl Encode) -> Result<R, Refused> {
        let answer = self.exchange(&message(self.version, header(self.version), vec![self.item(operation, request)]));
        assert_eq!(answer.items.len(), 1);
        assert_eq!(answer.items[0].operation, Some(RequestedOperation(operation)));
        let [came] = <[Came; 1]>::try_from(came(answer)).unwrap();
        came.map(|payload| decode(payload, self.version).unwrap())
    }

    /// Sends one item that succeeds.
    #[track_caller]
    pub(crate) fn ask<R: Decode>(&mut self, operation: Operation, request: &impl Encode) -> R {
        match self.attempt(operation, request) {
            Ok(response) => response,
            Err(refused) => panic!("{operation} in KMIP {}: {refused:?}", self.version),
        }
    }

    /// Sends one item that fails, and answers the reason.
    #[track_caller]
    pub(crate) fn refusal(&mut self, operation: Operation, request: &impl Encode) -> ResultReason {
        match self.attempt::<Element>(operation, request) {
            Err(refused) => refused.reason(),
            Ok(payload) => panic!("{operation} in KMIP {} succeeded: {payload:?}", self.version),
        }
    }

    /// Creates a 256-bit AES key.
    #[track_caller]
    pub(crate) fn create(&mut self, attributes: Vec<Attribute>) -> Text {
        let request = create(attributes);
        self.ask::<ops::create::Response>(Operation::Create, &request).unique_identifier
    }

    /// Registers an object.
    #[track_caller]
    pub(crate) fn register(&mut self, object: Object, attributes: Vec<Attribute>) -> Text {
        let request = register(object, attributes);
        self.ask::<ops::register::Response>(Operation::Register, &request).unique_identifier
    }

    /// Gets the values of an attribute.
    #[track_caller]
    pub(crate) fn values(&mut self, identifier: &Text, reference: impl Into<AttributeReference>) -> Vec<Value> {
        let request = get_attributes(Some(identifier), vec![reference.into()]);
        let response: ops::get_attributes::Response = self.ask(Operation::GetAttributes, &request);
        assert_eq!(response.unique_identifier, *identifier);
        response.attributes.0.into_iter().map(|attribute| attribute.value).collect()
    }

    /// Gets the only value of an attribute.
    #[track_caller]
    pub(crate) fn value(&mut self, identifier: &Text, tag: Tag) -> Value {
        let values = self.values(identifier, tag);
        assert_eq!(values.len(), 1, "{tag}: {values:?}");
        values.into_iter().next().unwrap()
    }

    /// The state of an object.
    #[track_caller]
    pub(crate) fn state(&mut self, identifier: &Text) -> State {
        match self.value(identifier, Tag::State) {
            Value::Enumeration(code) => State(code),
            other => panic!("a State is no {other:?}"),
        }
    }

    /// Finds objects.
    #[track_caller]
    pub(crate) fn locate(&mut self, attributes: Vec<Attribute>) -> Vec<Text> {
        let request = locate(attributes);
        self.ask::<ops::locate::Response>(Operation::Locate, &request).unique_identifiers
    }

    /// Gets an object.
    #[track_caller]
    pub(crate) fn get(&mut self, identifier: &Text) -> Object {
        self.ask::<ops::get::Response>(Operation::Get, &get(Some(identifier))).object
    }

    /// Activates an object.
    #[track_caller]
    pub(crate) fn activate(&mut self, identifier: &Text) {
        let response: ops::activate::Response = self.ask(Operation::Activate, &object(Some(identifier)));
        assert_eq!(response.unique_identifier, *identifier);
    }

    /// Destroys an object.
    #[track_caller]
    pub(crate) fn destroy(&mut self, identifier: &Text) {
        let response: ops::activate::Response = self.ask(Operation::Destroy, &object(Some(identifier)));
        assert_eq!(response.unique_identifier, *identifier);
    }

    /// Revokes an object.
    #[track_caller]
    pub(crate) fn revoke(&mut self, identifier: &Text, code: kmip_codec::spec::RevocationReasonCode) {
        let response: ops::activate::Response = self.ask(Operation::Revoke, &revoke(Some(identifier), code));
        assert_eq!(response.unique_identifier, *identifier);
    }
}

/// A structure as the payload of a request.
pub(crate) fn payload(version: Version, request: &impl Encode) -> Element {
    let mut writer = Writer::new(version);
    request.encode(Tag::RequestPayload, &mut writer);
    parse(&Bytes::from(writer.finish()), &Limits::default()).unwrap()
}

/// An item without a Unique Batch Item ID.
pub(crate) fn item(version: Version, operation: Operation, request: &impl Encode) -> RequestBatchItem {
    RequestBatchItem {
        operation: RequestedOperation(operation),
        ephemeral: None,
        unique_batch_item_id: None,
        request_payload: Some(payload(version, request)),
        message_extension: Vec::new(),
    }
}

/// A header without options.
pub(crate) fn header(version: Version) -> RequestHeader {
    RequestHeader::new(version, 0)
}

/// A message. Several items get Unique Batch Item IDs, unless they have them.
pub(crate) fn message(version: Version, mut header: RequestHeader, mut items: Vec<RequestBatchItem>) -> RequestMessage {
    header.batch_count = i32::try_from(items.len()).unwrap();
    if items.len() > 1 {
        for (place, item) in (0_u32..).zip(&mut items) {
            item.unique_batch_item_id.get_or_insert_with(|| Blob::copy_of(&place.to_be_bytes()));
        }
    }
    RequestMessage { version, header, items }
}

/// What came of the items.
pub(crate) fn came(answer: ResponseMessage) -> Vec<Came> {
    let came = |item: kmip_codec::message::ResponseBatchItem| match item.result_status {
        ResultStatus::Success => Ok(item.response_payload.unwrap()),
        status => Err(Refused {
            status,
            reason: item.result_reason,
            message: item.result_message.map(|text| text.to_string()).unwrap_or_default(),
        }),
    };
    answer.items.into_iter().map(came).collect()
}

/// The Unique Identifier of a payload.
#[track_caller]
pub(crate) fn identifier(came: &Came) -> Text {
    let payload = came.as_ref().unwrap();
    match payload.value.find(Tag::UniqueIdentifier) {
        Some(Value::TextString(text)) => text.clone(),
        other => panic!("a Unique Identifier is no {other:?}"),
    }
}

// ---- attributes

pub(crate) fn name(name: &str) -> Attribute {
    let name = Name { value: name.into(), kind: NameType::UninterpretedTextString };
    Attribute::new(Tag::Name, value_of(&name, Tag::Name).unwrap())
}

pub(crate) fn mask(mask: CryptographicUsageMask) -> Attribute {
    Attribute::new(Tag::CryptographicUsageMask, Value::Integer(mask.bits().cast_signed()))
}

pub(crate) fn text(tag: Tag, text: &str) -> Attribute {
    Attribute::new(tag, Value::TextString(text.into()))
}

pub(crate) fn date(tag: Tag, seconds: i64) -> Attribute {
    Attribute::new(tag, Value::DateTime(seconds))
}

pub(crate) fn number(tag: Tag, number: i32) -> Attribute {
    Attribute::new(tag, Value::Integer(number))
}

pub(crate) fn enumeration(tag: Tag, value: impl Into<u32>) -> Attribute {
    Attribute::new(tag, Value::Enumeration(value.into()))
}

pub(crate) fn boolean(tag: Tag, value: bool) -> Attribute {
    Attribute::new(tag, Value::Boolean(value))
}

pub(crate) fn structure(tag: Tag, fields: Vec<(Tag, Value)>) -> Attribute {
    let fields = fields.into_iter().map(|(tag, value)| Element::new(tag, value)).collect();
    Attribute::new(tag, Value::Structure(fields))
}

/// A vendor's attribute; of the vendor x it is a custom attribute of 1.x.
pub(crate) fn vendor(vendor: &str, name: &str, value: Value) -> Attribute {
    structure(
        Tag::Attribute,
        vec![
            (Tag::VendorIdentification, Value::TextString(vendor.into())),
            (Tag::AttributeName, Value::TextString(name.into())),
            (Tag::AttributeValue, value),
        ],
    )
}

/// Seconds since the epoch.
pub(crate) fn now() -> i64 {
    let since = std::time::SystemTime::now().duration_since(std::time::UNIX_EPOCH).unwrap();
    i64::try_from(since.as_secs()).unwrap()
}

// ---- requests

/// A request for a 256-bit AES key that may encrypt and decrypt, unless the attributes say otherwise.
pub(crate) fn create(mut attributes: Vec<Attribute>) -> ops::create::Request {
    let mut default = |attribute: Attribute| {
        if !attributes.iter().any(|other| other.tag == attribute.tag) {
            attributes.push(attribute);
        }
    };
    default(enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES));
    default(number(Tag::CryptographicLength, 256));
    default(mask(CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT));
    ops::create::Request {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes { templates: Vec::new(), list: attributes },
        protection_storage_masks: None,
    }
}

pub(crate) fn register(object: Object, attributes: Vec<Attribute>) -> ops::register::Request {
    ops::register::Request {
        object_type: object.object_type(),
        attributes: Attributes { templates: Vec::new(), list: attributes },
        object,
        protection_storage_masks: None,
    }
}

/// A Key Block of bytes.
pub(crate) fn block(
    format: KeyFormatType,
    bytes: &[u8],
    algorithm: Option<CryptographicAlgorithm>,
    bits: Option<i32>,
) -> KeyBlock {
    KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::bytes(Blob::copy_of(bytes))),
        cryptographic_algorithm: algorithm,
        cryptographic_length: bits,
        key_wrapping_data: None,
    }
}

/// A symmetric key of bytes.
pub(crate) fn key_of(algorithm: CryptographicAlgorithm, bytes: &[u8]) -> Object {
    let bits = i32::try_from(bytes.len() * 8).unwrap();
    Object::SymmetricKey(block(KeyFormatType::Raw, bytes, Some(algorithm), Some(bits)))
}

/// Secret Data of bytes.
pub(crate) fn secret(bytes: &[u8]) -> Object {
    Object::SecretData(SecretData {
        secret_data_type: kmip_codec::spec::SecretDataType::Seed,
        key_block: block(KeyFormatType::Opaque, bytes, None, None),
    })
}

/// An Opaque Object of bytes.
pub(crate) fn opaque(bytes: &[u8]) -> Object {
    Object::OpaqueObject(kmip_codec::types::OpaqueObject {
        opaque_data_type: kmip_codec::spec::OpaqueDataType(0x8000_0001),
        opaque_data_value: Blob::copy_of(bytes),
    })
}

/// The bytes of an object.
#[track_caller]
pub(crate) fn bytes_of(object: &Object) -> Vec<u8> {
    match (object, object.key_block().and_then(|block| block.key_value.as_ref())) {
        (_, Some(KeyValue::Plain { material: kmip_codec::types::KeyMaterial::Bytes(bytes), .. })) => bytes.to_vec(),
        (Object::OpaqueObject(opaque), _) => opaque.opaque_data_value.to_vec(),
        (Object::Certificate(certificate), _) => certificate.certificate_value.to_vec(),
        _ => panic!("no bytes in a {}", object.object_type()),
    }
}

/// The request of the operations that name an object and nothing else.
pub(crate) fn object(identifier: Option<&Text>) -> ops::activate::Request {
    ops::activate::Request { unique_identifier: identifier.cloned().map(UniqueIdentifier::Text) }
}

pub(crate) fn get(identifier: Option<&Text>) -> ops::get::Request {
    ops::get::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

pub(crate) fn check(identifier: Option<&Text>, uses: CryptographicUsageMask) -> ops::check::Request {
    ops::check::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        usage_limits_count: None,
        cryptographic_usage_mask: Some(uses),
        lease_time: None,
    }
}

pub(crate) fn re_key(identifier: Option<&Text>, list: Vec<Attribute>) -> ops::re_key::Request {
    ops::re_key::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        offset: None,
        attributes: Attributes { templates: Vec::new(), list },
        protection_storage_masks: None,
    }
}

pub(crate) fn re_key_key_pair(private_key: Option<&Text>) -> ops::re_key_key_pair::Request {
    ops::re_key_key_pair::Request {
        private_key: private_key.cloned().map(UniqueIdentifier::Text),
        offset: None,
        common: Attributes::default(),
        private: Attributes::default(),
        public: Attributes::default(),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    }
}

pub(crate) fn adjust(
    identifier: Option<&Text>,
    reference: kmip_codec::types::AttributeReference,
    by: Option<Value>,
) -> ops::adjust_attribute::Request {
    ops::adjust_attribute::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        attribute: kmip_codec::types::AttributeReferences(vec![reference]),
        adjustment_type: kmip_codec::spec::AdjustmentType::Increment,
        adjustment_value: by.map(|value| Element::new(Tag::AdjustmentValue, value)),
    }
}

pub(crate) fn allocation(identifier: Option<&Text>, units: i64) -> ops::get_usage_allocation::Request {
    ops::get_usage_allocation::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        usage_limits_count: units,
    }
}

/// Usage Limits of so many objects, as a client sets them.
pub(crate) fn limits(total: i64) -> Attribute {
    let unit = kmip_codec::spec::UsageLimitsUnit::Object;
    structure(
        Tag::UsageLimits,
        vec![
            (Tag::UsageLimitsTotal, Value::LongInteger(total)),
            (Tag::UsageLimitsUnit, Value::Enumeration(unit.into())),
        ],
    )
}

pub(crate) fn get_attributes(
    identifier: Option<&Text>,
    references: Vec<AttributeReference>,
) -> ops::get_attributes::Request {
    ops::get_attributes::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        attributes: AttributeReferences(references),
    }
}

pub(crate) fn new_attribute(identifier: Option<&Text>, attribute: Attribute) -> ops::attribute::NewRequest {
    ops::attribute::NewRequest {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        new_attribute: kmip_codec::types::NewAttribute(attribute),
    }
}

/// In 1.x the attribute's own number says which instance; in 2.x the current value does, or there is only one.
pub(crate) fn modify(
    identifier: Option<&Text>,
    current: Option<Attribute>,
    new: Attribute,
) -> ops::attribute::ModifyRequest {
    ops::attribute::ModifyRequest {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        current_attribute: kmip_codec::types::CurrentAttribute(current),
        new_attribute: kmip_codec::types::NewAttribute(new),
    }
}

/// By reference: all instances in 2.x; in 1.x the one with the index.
pub(crate) fn delete(
    identifier: Option<&Text>,
    reference: AttributeReference,
    index: Option<i32>,
) -> ops::attribute::DeleteRequest {
    ops::attribute::DeleteRequest {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        current_attribute: kmip_codec::types::CurrentAttribute(None),
        attribute: AttributeReferences(vec![reference]),
        attribute_index: index,
    }
}

pub(crate) fn locate(attributes: Vec<Attribute>) -> ops::locate::Request {
    ops::locate::Request {
        maximum_items: None,
        offset_items: None,
        storage_status_mask: None,
        object_group_member: None,
        template_attribute: None,
        attributes: kmip_codec::types::AttributeList(attributes),
    }
}

pub(crate) fn revoke(identifier: Option<&Text>, code: kmip_codec::spec::RevocationReasonCode) -> ops::revoke::Request {
    ops::revoke::Request {
        unique_identifier: identifier.cloned().map(UniqueIdentifier::Text),
        revocation_reason: kmip_codec::types::RevocationReason { code, message: None },
        compromise_occurrence_date: None,
    }
}

/// A request without a field.
pub(crate) struct Nothing;

impl Encode for Nothing {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.structure(tag, |_| {});
    }
}
