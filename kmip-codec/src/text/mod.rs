//! Renderings of elements as text (KMIP Additional Message Encodings 1.0): the same elements, other bytes.

mod error;
mod value;
pub mod xml;

pub use error::{TextError, TextErrorKind};
