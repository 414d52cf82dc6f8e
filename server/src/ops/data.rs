//! What the cryptographic operations are given to work on: Data (KMIP 2.1 §7.9), whole and not in parts.

use kmip_codec::schema::{Decode, Encode, wrong_type};
use kmip_codec::spec::{ResultReason, Tag, Version};
use kmip_codec::ttlv::{Blob, Result, Writer};
use kmip_codec::{Element, Value};

use crate::failure::{Failure, Outcome};

/// Data of a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Data {
    /// The bytes.
    Bytes(Blob),
    /// What an earlier item of the batch answered, as 2.x can name it: a Data Enumeration or an Integer.
    Earlier(Value),
}

impl Data {
    /// The bytes.
    ///
    /// # Errors
    /// Feature Not Supported for a reference to an earlier item.
    pub fn bytes(self) -> Outcome<Blob> {
        match self {
            Self::Bytes(bytes) => Ok(bytes),
            Self::Earlier(_) => Err(Failure::unsupported("Data that refers to an earlier item of the batch")),
        }
    }
}

impl Encode for Data {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        match self {
            Self::Bytes(bytes) => writer.bytes(tag, bytes),
            Self::Earlier(value) => writer.value(tag, value),
        }
    }
}

impl Decode for Data {
    fn decode(element: Element, version: Version) -> Result<Self> {
        match element.value {
            Value::ByteString(bytes) => Ok(Self::Bytes(bytes)),
            value @ (Value::Enumeration(_) | Value::Integer(_)) if version.is_v2() => Ok(Self::Earlier(value)),
            other => Err(wrong_type("ByteString", &other)),
        }
    }
}

/// The data that an operation on the whole needs.
///
/// # Errors
/// Missing Data; Feature Not Supported for a reference to an earlier item.
pub fn required(data: Option<Data>) -> Outcome<Blob> {
    data.ok_or_else(|| missing(Tag::Data))?.bytes()
}

/// The failure of a request that lacks what the operation needs.
pub fn missing(tag: Tag) -> Failure {
    Failure::new(ResultReason::InvalidMessage, format!("{tag} is missing"))
}
