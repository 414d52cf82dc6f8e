//! What can be wrong with a text.

use std::fmt;

use crate::spec::Tag;
use crate::types::ProtocolVersion;

/// An error that names where it is. It never quotes the text, which could be a secret.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TextError {
    /// What is wrong.
    pub kind: TextErrorKind,
    /// The line, from 1; 0 where the place is known by its tags alone, or an element cannot be written.
    pub line: usize,
    /// The column in bytes, from 1: just behind the wrong part, or where it was noticed.
    pub column: usize,
    /// The tags that lead there, as far as they were read.
    pub path: Vec<Tag>,
    /// The version that the message says it has, if that much could be read: an answer should have it.
    pub version: Option<ProtocolVersion>,
}

impl TextError {
    /// An error without a place.
    pub fn new(kind: TextErrorKind) -> Self {
        Self { kind, line: 0, column: 0, path: Vec::new(), version: None }
    }
}

impl fmt::Display for TextError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", self.kind)?;
        if self.line > 0 {
            write!(f, " at line {}, column {}", self.line, self.column)?;
        }
        for (depth, tag) in self.path.iter().enumerate() {
            write!(f, "{}{tag}", if depth == 0 { " in " } else { " / " })?;
        }
        Ok(())
    }
}

impl std::error::Error for TextError {}

/// What is wrong.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TextErrorKind {
    /// Not well-formed.
    #[error("the text is not well-formed")]
    Malformed,
    /// Something that messages do not have: text between elements, a document type, an entity, an attribute.
    #[error("a message has no such part")]
    Unexpected,
    /// No message, or something behind it.
    #[error("the text is not one element")]
    NotOne,
    /// A tag that no version has.
    #[error("there is no such tag")]
    UnknownTag,
    /// A type that does not exist.
    #[error("there is no such type")]
    UnknownType,
    /// A leaf without a value, or a structure with one.
    #[error("a structure holds elements, anything else has a value")]
    Shape,
    /// A value that is none of its type.
    #[error("the value is not one of its type")]
    InvalidValue,
    /// The name of an enumeration value or mask bit that the tables do not have.
    #[error("the tables have no value of this name")]
    UnknownName,
    /// Structures within structures, too many.
    #[error("structures are nested too deep")]
    TooDeep,
    /// More items than the limit.
    #[error("there are too many items")]
    TooManyItems,
    /// A character that the text cannot hold.
    #[error("a text holds a character that this encoding does not have")]
    Unwritable,
}
