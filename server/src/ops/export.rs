//! Export (KMIP 2.1 §6.1.18, 1.4 §4.40).

use kmip_codec::spec::{
    CertificateType, KeyCompressionType, KeyFormatType, KeyWrapType, ObjectType, OpaqueDataType, ResultReason,
    SecretDataType, Tag,
};
use kmip_codec::structure;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    AttributeList, Certificate, KeyBlock, KeyWrappingSpecification, Object, OpaqueObject, SecretData, UniqueIdentifier,
};

use super::Handler;
use super::outgoing::{self, Wanted};
use crate::failure::{Failure, Outcome};
use crate::object::Managed;
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
        pub key_wrap_type: Option<KeyWrapType> = KeyWrapType,
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
        /// All its attributes.
        pub attributes: AttributeList = Attributes,
        /// The object; without its material where it is destroyed.
        pub object: Object = Objects,
    }
}

/// Export.
pub struct Export;

impl Handler for Export {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let permitted = view.open(request.unique_identifier.as_ref(), Use::Export)?;
        let object = if permitted.is_destroyed() {
            remains(&permitted)?
        } else {
            let wanted = Wanted {
                format: request.key_format_type,
                wrap_type: request.key_wrap_type,
                compression: request.key_compression_type,
                specification: request.key_wrapping_specification,
            };
            outgoing::give(view, &permitted, &wanted).map_err(|failure| match failure.reason {
                ResultReason::Sensitive | ResultReason::NotExtractable => {
                    Failure { reason: ResultReason::PermissionDenied, ..failure }
                }
                _ => failure,
            })?
        };
        let attributes = AttributeList(permitted.shown(view.version()).cloned().collect());
        let unique_identifier = permitted.identifier();
        Ok(Response { object_type: permitted.object_type(), unique_identifier, attributes, object })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// What is left of a destroyed object: the object without its material, as far as its attributes tell.
///
/// # Errors
/// Key Value Not Present where they do not tell enough to write one.
fn remains(object: &Managed) -> Outcome<Object> {
    let block = || KeyBlock {
        key_format_type: object.attributes.enumeration(Tag::KeyFormatType).unwrap_or(KeyFormatType::Raw),
        key_compression_type: None,
        key_value: None,
        cryptographic_algorithm: object.algorithm(),
        cryptographic_length: object.attributes.integer(Tag::CryptographicLength),
        key_wrapping_data: None,
    };
    Ok(match object.object_type() {
        ObjectType::SymmetricKey => Object::SymmetricKey(block()),
        ObjectType::PublicKey => Object::PublicKey(block()),
        ObjectType::PrivateKey => Object::PrivateKey(block()),
        ObjectType::SecretData => Object::SecretData(SecretData {
            secret_data_type: object.attributes.enumeration(Tag::SecretDataType).unwrap_or(SecretDataType::Password),
            key_block: block(),
        }),
        ObjectType::Certificate => Object::Certificate(Certificate {
            certificate_type: object.attributes.enumeration(Tag::CertificateType).unwrap_or(CertificateType::X509),
            certificate_value: Blob::copy_of(&[]),
        }),
        ObjectType::OpaqueObject => Object::OpaqueObject(OpaqueObject {
            opaque_data_type: object.attributes.enumeration(Tag::OpaqueDataType).unwrap_or(OpaqueDataType(0x8000_0001)),
            opaque_data_value: Blob::copy_of(&[]),
        }),
        kind => {
            return Err(Failure::new(
                ResultReason::KeyValueNotPresent,
                format!("nothing but its attributes is left of the {kind}"),
            ));
        }
    })
}
