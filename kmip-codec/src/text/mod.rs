//! Renderings of elements as text (KMIP Additional Message Encodings 1.0): the same elements, other bytes.

mod error;
pub mod json;
mod value;
pub mod xml;

pub use error::{TextError, TextErrorKind};

use crate::schema::decode;
use crate::spec::{Tag, Version};
use crate::ttlv::Element;
use crate::types::ProtocolVersion;

/// The version that a message says it has, noted as soon as it is read, so that an error behind it can be answered in it.
#[derive(Default)]
struct Said(Option<ProtocolVersion>);

impl Said {
    /// Looks at an element that was read.
    fn note(&mut self, element: &Element) {
        if self.0.is_none() && element.tag == Tag::ProtocolVersion {
            self.0 = decode(element.clone(), Version::V1_0).ok();
        }
    }
}
