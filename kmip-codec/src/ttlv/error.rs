//! What can be wrong with bytes, or with elements that do not make the structure they should.

use std::fmt;

use super::ItemType;
use crate::spec::{Tag, Version};

/// The codec's result. Errors are rare: one pointer in the place of each keeps the results small that are handed on.
pub type Result<T, E = Box<Error>> = std::result::Result<T, E>;

/// An error that names where it is: the offset in the message in bytes, and the tags from the outermost inwards.
/// It never quotes a value that could be secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Error {
    /// What is wrong.
    pub kind: ErrorKind,
    /// Where, in bytes from the start of the message; 0 where nothing arrived to point at.
    pub offset: usize,
    /// The tags that lead there.
    pub path: Vec<Tag>,
}

/// What is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ErrorKind {
    /// The bytes end before the item does.
    Truncated {
        /// Bytes that the item needs.
        need: usize,
        /// Bytes that are there.
        have: usize,
    },
    /// The message is longer than the limit.
    TooLong {
        /// Its length in bytes.
        length: usize,
        /// The limit.
        limit: usize,
    },
    /// A tag that begins with neither 42 nor 54 (hexadecimal).
    InvalidTag(u32),
    /// A type that does not exist.
    InvalidType(u8),
    /// A length that the type cannot have.
    InvalidLength {
        /// The type.
        item: ItemType,
        /// The length in bytes.
        length: usize,
    },
    /// Padding that is not zero.
    InvalidPadding,
    /// Text that is not UTF-8.
    InvalidUtf8,
    /// A Boolean that is neither 0 nor 1.
    InvalidBoolean,
    /// Structures within structures, too many.
    TooDeep(usize),
    /// More items than the limit.
    TooManyItems(usize),
    /// Bytes after the end of the message.
    Trailing(usize),
    /// An item of another type than its tag has.
    WrongType {
        /// What it should be.
        expected: &'static str,
        /// What it is.
        found: ItemType,
    },
    /// A required item is not there.
    Missing(Tag),
    /// An item that does not belong there.
    Unexpected(Tag),
    /// An item that may stand once stands twice.
    Repeated(Tag),
    /// An item that the message's version does not have.
    NotInVersion {
        /// The item.
        tag: Tag,
        /// The version.
        version: Version,
    },
    /// An enumeration value that the message's version does not have.
    UnknownEnumeration {
        /// The value.
        value: u32,
        /// The version.
        version: Version,
    },
    /// An attribute that the message's version does not have.
    UnknownAttribute(String),
    /// A value out of its range or against a rule; the text says which.
    InvalidValue(&'static str),
}

impl Error {
    /// An error at an offset; [`Error::within`] adds the path on the way out.
    #[cold]
    pub fn new(kind: ErrorKind, offset: usize) -> Box<Self> {
        Box::new(Self { kind, offset, path: Vec::new() })
    }

    /// An error that has no place yet.
    #[cold]
    pub fn of(kind: ErrorKind) -> Box<Self> {
        Self::new(kind, 0)
    }

    /// Adds an outer tag.
    #[must_use]
    #[cold]
    pub fn within(mut self: Box<Self>, tag: Tag) -> Box<Self> {
        self.path.insert(0, tag);
        self
    }

    /// Gives an error that has no place yet its element's.
    #[must_use]
    #[cold]
    pub fn at(mut self: Box<Self>, offset: u32) -> Box<Self> {
        if self.offset == 0 {
            self.offset = offset as usize;
        }
        self
    }
}

impl From<ErrorKind> for Box<Error> {
    fn from(kind: ErrorKind) -> Self {
        Error::of(kind)
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} at byte {}", self.kind, self.offset)?;
        for (depth, tag) in self.path.iter().enumerate() {
            write!(f, "{}{tag}", if depth == 0 { " in " } else { " / " })?;
        }
        Ok(())
    }
}

impl std::error::Error for Error {}

impl fmt::Display for ErrorKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Truncated { need, have } => write!(f, "needs {need} bytes, {have} are there"),
            Self::TooLong { length, limit } => write!(f, "a message of {length} bytes exceeds the limit of {limit}"),
            Self::InvalidTag(tag) => write!(f, "{tag:#08x} is no tag"),
            Self::InvalidType(code) => write!(f, "{code:#04x} is no item type"),
            Self::InvalidLength { item, length } => write!(f, "a {} cannot be {length} bytes long", item.name()),
            Self::InvalidPadding => write!(f, "padding is not zero"),
            Self::InvalidUtf8 => write!(f, "text is not UTF-8"),
            Self::InvalidBoolean => write!(f, "a Boolean is neither 0 nor 1"),
            Self::TooDeep(limit) => write!(f, "structures are nested deeper than {limit}"),
            Self::TooManyItems(limit) => write!(f, "there are more than {limit} items"),
            Self::Trailing(count) => write!(f, "{count} bytes follow the end"),
            Self::WrongType { expected, found } => write!(f, "is a {}, should be a {expected}", found.name()),
            Self::Missing(tag) => write!(f, "{tag} is missing"),
            Self::Unexpected(tag) => write!(f, "{tag} does not belong here"),
            Self::Repeated(tag) => write!(f, "{tag} stands here more than once"),
            Self::NotInVersion { tag, version } => write!(f, "KMIP {version} has no {tag} here"),
            Self::UnknownEnumeration { value, version } => {
                write!(f, "KMIP {version} does not have the enumeration value {value:#010x}")
            }
            Self::UnknownAttribute(name) => write!(f, "there is no attribute {name:?}"),
            Self::InvalidValue(rule) => f.write_str(rule),
        }
    }
}
