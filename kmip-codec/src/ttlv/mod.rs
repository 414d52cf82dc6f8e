//! Elements and their binary form: tag, type, length, value (KMIP 2.1 §10.1).

mod blob;
mod element;
mod error;
pub mod frame;
mod parse;
#[cfg(test)]
mod tests;
mod write;

pub use blob::Blob;
pub use bytestring::ByteString as Text;
pub use element::{Element, ItemType, Value};
pub use error::{Error, ErrorKind, Result};
pub use parse::{Limits, parse};
pub use write::{Writer, write};
