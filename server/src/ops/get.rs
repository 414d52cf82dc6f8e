//! Get (KMIP 2.1 §6.1.19, 1.4 §4.11).

use kmip_codec::Value;
use kmip_codec::spec::{KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType, ResultReason, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{KeyWrappingSpecification, Object, UniqueIdentifier};

use super::Handler;
use super::wrapping;
use crate::crypto::keyblock;
use crate::failure::{Failure, Outcome};
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

/// Get.
pub struct Get;

impl Handler for Get {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let permitted = view.open(request.unique_identifier.as_ref(), Use::Get)?;
        let specification = request.key_wrapping_specification;
        let mut object = view.export(&permitted, specification.is_some())?.into_object();
        let is_wrapped = object.key_block().is_some_and(|block| block.key_wrapping_data.is_some());
        match request.key_wrap_type {
            None | Some(KeyWrapType::AsRegistered) => {}
            Some(KeyWrapType::NotWrapped) if !is_wrapped => {}
            Some(KeyWrapType::NotWrapped) => {
                return Err(Failure::new(
                    ResultReason::KeyWrapTypeNotSupported,
                    "the key was registered wrapped and is kept so",
                ));
            }
            Some(other) => {
                return Err(Failure::new(
                    ResultReason::KeyWrapTypeNotSupported,
                    format!("there is no Key Wrap Type {other}"),
                ));
            }
        }
        keyblock::convert(&mut object, request.key_format_type, request.key_compression_type)?;
        if let Some(specification) = specification {
            wrapping::wrap(view, &permitted, &mut object, &specification)?;
        }
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
