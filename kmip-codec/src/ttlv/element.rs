//! The element: what every message, structure and stored record is made of.

use std::fmt;

use super::{Blob, Text};
use crate::spec::Tag;

/// The type of an item (KMIP 2.1 §10.1.2).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum ItemType {
    /// Elements in an order.
    Structure = 1,
    /// 32 bits, signed.
    Integer = 2,
    /// 64 bits, signed.
    LongInteger = 3,
    /// Two's complement, big-endian, a multiple of 8 bytes.
    BigInteger = 4,
    /// 32 bits, unsigned.
    Enumeration = 5,
    /// 8 bytes, 0 or 1.
    Boolean = 6,
    /// UTF-8.
    TextString = 7,
    /// Bytes.
    ByteString = 8,
    /// Seconds since 1970-01-01T00:00:00Z, 64 bits, signed.
    DateTime = 9,
    /// Seconds, 32 bits, unsigned.
    Interval = 10,
    /// Microseconds since 1970-01-01T00:00:00Z, 64 bits, signed; since 2.0.
    DateTimeExtended = 11,
}

impl ItemType {
    pub(crate) const fn from_code(code: u8) -> Option<Self> {
        Some(match code {
            1 => Self::Structure,
            2 => Self::Integer,
            3 => Self::LongInteger,
            4 => Self::BigInteger,
            5 => Self::Enumeration,
            6 => Self::Boolean,
            7 => Self::TextString,
            8 => Self::ByteString,
            9 => Self::DateTime,
            10 => Self::Interval,
            11 => Self::DateTimeExtended,
            _ => return None,
        })
    }

    /// The name that the standard gives it.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Structure => "Structure",
            Self::Integer => "Integer",
            Self::LongInteger => "Long Integer",
            Self::BigInteger => "Big Integer",
            Self::Enumeration => "Enumeration",
            Self::Boolean => "Boolean",
            Self::TextString => "Text String",
            Self::ByteString => "Byte String",
            Self::DateTime => "Date-Time",
            Self::Interval => "Interval",
            Self::DateTimeExtended => "Date-Time Extended",
        }
    }
}

/// The value of an item.
#[derive(Clone, PartialEq, Eq)]
pub enum Value {
    /// Elements in an order.
    Structure(Vec<Element>),
    /// 32 bits, signed; masks too.
    Integer(i32),
    /// 64 bits, signed.
    LongInteger(i64),
    /// Two's complement, big-endian; a multiple of 8 bytes on the wire.
    BigInteger(Blob),
    /// A value of some enumeration.
    Enumeration(u32),
    /// True or false.
    Boolean(bool),
    /// UTF-8 text.
    TextString(Text),
    /// Bytes.
    ByteString(Blob),
    /// Seconds since the epoch.
    DateTime(i64),
    /// Seconds.
    Interval(u32),
    /// Microseconds since the epoch.
    DateTimeExtended(i64),
}

impl Value {
    /// Its type.
    pub const fn item_type(&self) -> ItemType {
        match self {
            Self::Structure(_) => ItemType::Structure,
            Self::Integer(_) => ItemType::Integer,
            Self::LongInteger(_) => ItemType::LongInteger,
            Self::BigInteger(_) => ItemType::BigInteger,
            Self::Enumeration(_) => ItemType::Enumeration,
            Self::Boolean(_) => ItemType::Boolean,
            Self::TextString(_) => ItemType::TextString,
            Self::ByteString(_) => ItemType::ByteString,
            Self::DateTime(_) => ItemType::DateTime,
            Self::Interval(_) => ItemType::Interval,
            Self::DateTimeExtended(_) => ItemType::DateTimeExtended,
        }
    }

    /// The elements of a structure, or none.
    pub fn elements(&self) -> &[Element] {
        match self {
            Self::Structure(elements) => elements,
            _ => &[],
        }
    }

    /// The first element of a structure that has this tag.
    pub fn find(&self, tag: Tag) -> Option<&Value> {
        self.elements().iter().find(|element| element.tag == tag).map(|element| &element.value)
    }

    /// The text of a Text String.
    pub fn text(&self) -> Option<&str> {
        match self {
            Self::TextString(text) => Some(text),
            _ => None,
        }
    }
}

/// Texts and bytes may be secrets: their length is shown, not their content.
impl fmt::Debug for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Structure(elements) => f.debug_list().entries(elements).finish(),
            Self::Integer(value) => write!(f, "{value}"),
            Self::LongInteger(value) => write!(f, "{value}"),
            Self::Enumeration(value) => write!(f, "{value:#010x}"),
            Self::Boolean(value) => write!(f, "{value}"),
            Self::DateTime(value) => write!(f, "DateTime({value})"),
            Self::Interval(value) => write!(f, "Interval({value})"),
            Self::DateTimeExtended(value) => write!(f, "DateTimeExtended({value})"),
            Self::TextString(text) => write!(f, "Text({} bytes)", text.len()),
            Self::ByteString(bytes) | Self::BigInteger(bytes) => bytes.fmt(f),
        }
    }
}

/// A tag and its value, known to our tables or not.
#[derive(Clone, Eq)]
pub struct Element {
    /// The tag.
    pub tag: Tag,
    /// Where in the frame the element began, in bytes; 0 for an element that did not arrive. No part of equality.
    pub offset: u32,
    /// The value.
    pub value: Value,
}

impl Element {
    /// An element of our own making.
    pub const fn new(tag: Tag, value: Value) -> Self {
        Self { tag, offset: 0, value }
    }
}

impl PartialEq for Element {
    fn eq(&self, other: &Self) -> bool {
        self.tag == other.tag && self.value == other.value
    }
}

impl fmt::Debug for Element {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {:?}", self.tag, self.value)
    }
}
