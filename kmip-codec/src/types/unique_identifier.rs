//! Unique Identifier (KMIP 2.1 §4.58): text in 1.x; text, enumeration or number in 2.x.

use crate::schema::{Decode, Encode, wrong_type};
use crate::spec::{Enumeration, Tag, UniqueIdentifierEnumeration, Version};
use crate::ttlv::{Element, Error, ErrorKind, Result, Text, Value, Writer};

/// What names an object in a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum UniqueIdentifier {
    /// The identifier itself.
    Text(Text),
    /// The ID Placeholder, or the object of the last operation of a kind.
    Named(UniqueIdentifierEnumeration),
    /// The number of an identifier in the response so far, from 0; negative counts back.
    Number(i32),
}

impl From<&str> for UniqueIdentifier {
    fn from(text: &str) -> Self {
        Self::Text(text.into())
    }
}

impl Encode for UniqueIdentifier {
    fn encode(&self, tag: Tag, writer: &mut Writer) {
        match self {
            Self::Text(text) => writer.text(tag, text),
            Self::Named(named) => writer.enumeration(tag, (*named).into()),
            Self::Number(number) => writer.integer(tag, *number),
        }
    }
}

impl Decode for UniqueIdentifier {
    fn decode(element: Element, version: Version) -> Result<Self> {
        let two = version.is_v2();
        match element.value {
            Value::TextString(text) => Ok(Self::Text(text)),
            Value::Integer(number) if two => Ok(Self::Number(number)),
            Value::Enumeration(code) if two => {
                let named = UniqueIdentifierEnumeration::from(code);
                if named.allowed_in(version) {
                    Ok(Self::Named(named))
                } else {
                    Err(Error::of(ErrorKind::UnknownEnumeration { value: code, version }))
                }
            }
            other if two => Err(wrong_type("Text String, Enumeration or Integer", &other)),
            other => Err(wrong_type("Text String", &other)),
        }
    }
}
