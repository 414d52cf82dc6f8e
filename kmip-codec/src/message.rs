//! Request and response messages (KMIP 2.1 §8).
//!
//! Headers and batch items are typed; a payload stays an element until the operation's own structure reads it, so that
//! a payload that nobody understands fails its item and not the message.

use bytes::Bytes;

use crate::schema::{DateTime, Decode, Encode, Field, Fields, Lifetime, decode, wrong_type};
use crate::spec::{
    AsynchronousIndicator, AttestationType, BatchErrorContinuationOption, Operation, ResultReason, ResultStatus, Tag,
    Version,
};
use crate::ttlv::{Blob, Element, Error, ErrorKind, Limits, Result, Text, Value, Writer, parse};
use crate::types::{Authentication, Nonce, ProtocolVersion};

crate::structure! {
    /// Request Header (KMIP 2.1 §8.2).
    pub struct RequestHeader {
        /// The version of the whole message, and of its answer.
        pub protocol_version: ProtocolVersion = ProtocolVersion,
        /// The longest answer that the client takes, in bytes.
        pub maximum_response_size: Option<i32> = MaximumResponseSize,
        /// The client's own mark, for logs.
        pub client_correlation_value: Option<Text> = ClientCorrelationValue since V1_4,
        /// The server's mark of an earlier answer.
        pub server_correlation_value: Option<Text> = ServerCorrelationValue since V1_4,
        /// Whether the answer may come later.
        pub asynchronous_indicator: Option<Asynchronous> = AsynchronousIndicator,
        /// Whether the client can attest itself.
        pub attestation_capable_indicator: Option<bool> = AttestationCapableIndicator since V1_2,
        /// The attestations that the client can give.
        pub attestation_type: Vec<AttestationType> = AttestationType since V1_2,
        /// Who the client says it is.
        pub authentication: Option<Authentication> = Authentication,
        /// What an item that fails does to the others; Stop if absent.
        pub batch_error_continuation_option: Option<BatchErrorContinuationOption> = BatchErrorContinuationOption,
        /// Whether the items are done in their order; false if absent in 1.x, true in 2.x.
        pub batch_order_option: Option<bool> = BatchOrderOption,
        /// The client's time.
        pub time_stamp: Option<DateTime> = TimeStamp,
        /// How many items follow.
        pub batch_count: i32 = BatchCount,
    }

    /// Request Batch Item (KMIP 2.1 §8.3).
    pub struct RequestBatchItem {
        /// What is asked.
        pub operation: RequestedOperation = Operation,
        /// Whether the output stays with the server.
        pub ephemeral: Option<bool> = Ephemeral since V2_0,
        /// The client's mark of the item; required where there are several.
        pub unique_batch_item_id: Option<Blob> = UniqueBatchItemID,
        /// The operation's parameters.
        pub request_payload: Option<Element> = RequestPayload,
        /// Extensions.
        pub message_extension: Vec<MessageExtension> = MessageExtension,
    }

    /// Message Extension (KMIP 2.1 §9.13).
    pub struct MessageExtension {
        /// Whose extension it is.
        pub vendor_identification: Text = VendorIdentification,
        /// Whether who does not know it must refuse the item.
        pub criticality_indicator: bool = CriticalityIndicator,
        /// Anything.
        pub vendor_extension: Element = VendorExtension,
    }

    /// Response Header (KMIP 2.1 §8.5).
    pub struct ResponseHeader {
        /// The version of the request.
        pub protocol_version: ProtocolVersion = ProtocolVersion,
        /// The server's time.
        pub time_stamp: DateTime = TimeStamp,
        /// A nonce for an attestation.
        pub nonce: Option<Nonce> = Nonce since V1_2,
        /// The proof that the server knows a hashed password.
        pub server_hashed_password: Option<Blob> = ServerHashedPassword since V2_0,
        /// The attestations that the server takes.
        pub attestation_type: Vec<AttestationType> = AttestationType since V1_2,
        /// The client's mark.
        pub client_correlation_value: Option<Text> = ClientCorrelationValue since V1_4,
        /// The server's mark, for its logs.
        pub server_correlation_value: Option<Text> = ServerCorrelationValue since V1_4,
        /// How many items follow.
        pub batch_count: i32 = BatchCount,
    }

    /// Response Batch Item (KMIP 2.1 §8.6).
    pub struct ResponseBatchItem {
        /// What was asked; absent where the request could not be read that far.
        pub operation: Option<RequestedOperation> = Operation,
        /// The client's mark of the item.
        pub unique_batch_item_id: Option<Blob> = UniqueBatchItemID,
        /// How it went.
        pub result_status: ResultStatus = ResultStatus,
        /// Why it failed.
        pub result_reason: Option<ResultReason> = ResultReason,
        /// Why, in words.
        pub result_message: Option<Text> = ResultMessage,
        /// What to poll for.
        pub asynchronous_correlation_value: Option<Blob> = AsynchronousCorrelationValue,
        /// The operation's answer.
        pub response_payload: Option<Element> = ResponsePayload,
        /// Extensions.
        pub message_extension: Vec<MessageExtension> = MessageExtension,
    }
}

/// The operation of a batch item. Any value is read: one that is unknown fails its item, not the message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestedOperation(pub Operation);

impl Encode for RequestedOperation {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        writer.enumeration(tag, self.0.into());
    }
}

impl Decode for RequestedOperation {
    fn decode(element: Element, _: Version) -> Result<Self> {
        match element.value {
            Value::Enumeration(code) => Ok(Self(Operation::from(code))),
            other => Err(wrong_type("Enumeration", &other)),
        }
    }
}

/// Asynchronous Indicator (KMIP 2.1 §9.2): a Boolean in 1.x, an enumeration in 2.x.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asynchronous(pub AsynchronousIndicator);

impl Encode for Asynchronous {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        if writer.version().is_v2() {
            self.0.encode(tag, writer);
        } else {
            writer.boolean(tag, self.0 != AsynchronousIndicator::Prohibited);
        }
    }
}

impl Decode for Asynchronous {
    fn decode(element: Element, version: Version) -> Result<Self> {
        if version.is_v2() {
            return AsynchronousIndicator::decode(element, version).map(Self);
        }
        let may = bool::decode(element, version)?;
        Ok(Self(if may { AsynchronousIndicator::Optional } else { AsynchronousIndicator::Prohibited }))
    }
}

/// A request.
#[derive(Debug, Clone, PartialEq)]
pub struct RequestMessage {
    /// Its version, known and supported.
    pub version: Version,
    /// The header.
    pub header: RequestHeader,
    /// The items, as many as the header counts.
    pub items: Vec<RequestBatchItem>,
}

/// A response, as a client reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct ResponseMessage {
    /// Its version.
    pub version: Version,
    /// The header.
    pub header: ResponseHeader,
    /// The items, as many as the header counts.
    pub items: Vec<ResponseBatchItem>,
}

/// Why a message cannot be read, and as much of its header as a proper answer needs.
#[derive(Debug, Clone, PartialEq)]
pub struct Unreadable {
    /// What is wrong.
    pub error: Box<Error>,
    /// The version that the message says it has, spoken or not, if that much could be read.
    pub version: Option<ProtocolVersion>,
}

impl RequestHeader {
    /// A header without options, for that many items.
    pub fn new(version: Version, batch_count: i32) -> Self {
        Self {
            protocol_version: version.into(),
            maximum_response_size: None,
            client_correlation_value: None,
            server_correlation_value: None,
            asynchronous_indicator: None,
            attestation_capable_indicator: None,
            attestation_type: Vec::new(),
            authentication: None,
            batch_error_continuation_option: None,
            batch_order_option: None,
            time_stamp: None,
            batch_count,
        }
    }
}

impl RequestMessage {
    /// Reads a request.
    ///
    /// # Errors
    /// Whatever is wrong, with the version that an answer should have.
    pub fn read(frame: &Bytes, limits: &Limits) -> Result<Self, Unreadable> {
        let (version, header, items) = read(frame, limits, Tag::RequestMessage, Tag::RequestHeader)?;
        let message = Self { version, header, items };
        let unreadable =
            |error: Box<Error>| Unreadable { error: error.within(Tag::RequestMessage), version: Some(version.into()) };
        counted(message.header.batch_count, message.items.len()).map_err(unreadable)?;
        Ok(message)
    }

    /// The binary form.
    pub fn write(&self) -> Vec<u8> {
        write(self.version, Tag::RequestMessage, Tag::RequestHeader, &self.header, &self.items)
    }
}

impl ResponseMessage {
    /// Reads a response.
    ///
    /// # Errors
    /// Whatever is wrong.
    pub fn read(frame: &Bytes, limits: &Limits) -> Result<Self, Unreadable> {
        let (version, header, items) = read(frame, limits, Tag::ResponseMessage, Tag::ResponseHeader)?;
        let message = Self { version, header, items };
        let unreadable =
            |error: Box<Error>| Unreadable { error: error.within(Tag::ResponseMessage), version: Some(version.into()) };
        counted(message.header.batch_count, message.items.len()).map_err(unreadable)?;
        Ok(message)
    }

    /// The binary form.
    pub fn write(&self) -> Vec<u8> {
        write(self.version, Tag::ResponseMessage, Tag::ResponseHeader, &self.header, &self.items)
    }
}

impl From<Version> for ProtocolVersion {
    fn from(version: Version) -> Self {
        Self { major: version.major.into(), minor: version.minor.into() }
    }
}

/// The parts of a message of either direction.
fn read<H: Decode, I: Encode + Decode>(
    frame: &Bytes,
    limits: &Limits,
    message: Tag,
    header: Tag,
) -> Result<(Version, H, Vec<I>), Unreadable> {
    let (version, mut fields) = open(frame, limits, message, header)?;
    let unreadable = |error: Box<Error>| Unreadable { error: error.within(message), version: Some(version.into()) };
    let header = required(&mut fields, header).map_err(unreadable)?;
    let items = items(&mut fields).map_err(unreadable)?;
    fields.finish().map_err(unreadable)?;
    Ok((version, header, items))
}

fn write<H: Encode, I: Encode + Decode>(
    version: Version,
    message: Tag,
    tag: Tag,
    header: &H,
    items: &Vec<I>,
) -> Vec<u8> {
    let mut writer = Writer::new(version);
    writer.structure(message, |w| {
        header.encode(tag, w);
        items.put(Tag::BatchItem, Lifetime::ALWAYS, w);
    });
    writer.finish()
}

fn required<T: Decode>(fields: &mut Fields, tag: Tag) -> Result<T> {
    fields.optional(tag, Lifetime::ALWAYS)?.ok_or_else(|| fields.missing(tag))
}

/// The items of a message, of which there is at least one.
fn items<T: Decode>(fields: &mut Fields) -> Result<Vec<T>> {
    let items = fields.repeated(Tag::BatchItem, Lifetime::ALWAYS)?;
    if items.is_empty() { Err(fields.missing(Tag::BatchItem)) } else { Ok(items) }
}

fn counted(said: i32, found: usize) -> Result<()> {
    if usize::try_from(said).is_ok_and(|said| said == found) {
        Ok(())
    } else {
        Err(Error::of(ErrorKind::InvalidValue("Batch Count is not the number of Batch Items")))
    }
}

/// Parses the frame, and finds the version before anything is read that depends on it.
fn open(frame: &Bytes, limits: &Limits, tag: Tag, header: Tag) -> Result<(Version, Fields), Unreadable> {
    let unreadable = |error, version| Unreadable { error, version };
    let element = parse(frame, limits).map_err(|error| unreadable(error, early_version(frame)))?;
    if element.tag != tag {
        return Err(unreadable(Error::of(ErrorKind::Unexpected(element.tag)), early_version(frame)));
    }
    let said = said_version(&element, header).map_err(|error| unreadable(error.within(tag), None))?;
    let Some(version) = Version::supported(said.major, said.minor) else {
        return Err(unreadable(
            Error::of(ErrorKind::InvalidValue("the protocol version is not supported")).within(tag),
            Some(said),
        ));
    };
    let fields = Fields::open(element, version).map_err(|error| unreadable(error.within(tag), Some(said)))?;
    Ok((version, fields))
}

fn said_version(message: &Element, header: Tag) -> Result<ProtocolVersion> {
    let header = find(message, header)?;
    let version = find(header, Tag::ProtocolVersion).map_err(|error| error.within(header.tag))?;
    // As nearly everybody writes it: nothing is copied to look at it.
    if let [major, minor] = version.value.elements()
        && let (Tag::ProtocolVersionMajor, &Value::Integer(major)) = (major.tag, &major.value)
        && let (Tag::ProtocolVersionMinor, &Value::Integer(minor)) = (minor.tag, &minor.value)
    {
        return Ok(ProtocolVersion { major, minor });
    }
    decode(version.clone(), Version::V1_0).map_err(|error| error.within(header.tag))
}

fn find(structure: &Element, tag: Tag) -> Result<&Element> {
    let found = structure.value.elements().iter().find(|element| element.tag == tag);
    found.ok_or_else(|| Error::new(ErrorKind::Missing(tag), structure.offset as usize))
}

/// The version of a message whose rest cannot be parsed: the standard puts it first in the first header, at a fixed
/// place, so that an error can be answered in the right version.
pub fn early_version(frame: &Bytes) -> Option<ProtocolVersion> {
    /// Message header, header's header, Protocol Version's header.
    const PLACE: usize = 16;
    const LENGTH: usize = 40;
    let part = frame.get(PLACE..PLACE + LENGTH)?;
    let element = parse(&frame.slice_ref(part), &Limits::default()).ok()?;
    (element.tag == Tag::ProtocolVersion).then(|| decode(element, Version::V1_0).ok()).flatten()
}
