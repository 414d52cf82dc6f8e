//! Get (KMIP 2.1 §6.1.19, 1.4 §4.11).

use kmip_codec::Value;
use kmip_codec::spec::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{KeyWrappingSpecification, Object, UniqueIdentifier};

use super::Handler;
use super::outgoing::{self, Wanted};
use crate::failure::Outcome;
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The format that the key should have.
        pub key_format_type: Option<KeyFormatType> = KeyFormatType,
        /// Whether a key that was registered wrapped should stay so.
        pub key_wrap_type: Option<KeyWrapType> = KeyWrapType since V1_4,
        /// How a point should be written.
        pub key_compression_type: Option<KeyCompressionType> = KeyCompressionType,
        /// How the key should be wrapped.
        pub key_wrapping_specification: Option<KeyWrappingSpecification> = KeyWrappingSpecification,
    }

    /// The answer.
    pub struct Response {
        /// The type of the object.
        pub object_type: ObjectType = ObjectType,
        /// The object's identifier.
        pub unique_identifier: Text = UniqueIdentifier,
        /// The object.
        pub object: Object = Objects,
    }
}

impl Request {
    /// A request for an object as it is.
    pub const fn of(identifier: UniqueIdentifier) -> Self {
        Self {
            unique_identifier: Some(identifier),
            key_format_type: None,
            key_wrap_type: None,
            key_compression_type: None,
            key_wrapping_specification: None,
        }
    }
}

/// Get.
pub struct Get;

impl Handler for Get {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let permitted = view.open(request.unique_identifier.as_ref(), Use::Get)?;
        let wanted = Wanted {
            format: request.key_format_type,
            wrap_type: request.key_wrap_type,
            compression: request.key_compression_type,
            specification: request.key_wrapping_specification,
        };
        let object = outgoing::give(view, &permitted, &wanted)?;
        if permitted.attributes.boolean(Tag::Fresh) == Some(true) {
            view.edit(&permitted, |object| {
                object.attributes.set(Tag::Fresh, Value::Boolean(false));
                Ok(())
            })?;
        }
        Ok(Response { object_type: permitted.object_type(), unique_identifier: permitted.identifier(), object })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

#[cfg(test)]
mod formats;
#[cfg(test)]
mod tests;
