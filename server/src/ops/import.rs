//! Import (KMIP 2.1 §6.1.25, 1.4 §4.41).

use kmip_codec::Value;
use kmip_codec::spec::{KeyWrapType, ObjectType, ProtectionStorageMask, ResultReason, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{AttributeList, Attributes, Object, ProtectionStorageMasks};

use super::Handler;
use super::incoming::{self, Incoming};
use super::new_object::Given;
use super::parents::Parents;
use super::wrapping;
use crate::failure::{Failure, Outcome};
use crate::object::Origin;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The identifier that the object has.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Its type; 1.4 leaves it to the object.
        pub object_type: Option<ObjectType> = ObjectType,
        /// Whether an object that has the identifier is replaced.
        pub replace_existing: Option<bool> = ReplaceExisting,
        /// Whether a key that comes wrapped is kept so.
        pub key_wrap_type: Option<KeyWrapType> = KeyWrapType,
        /// All its attributes.
        pub attributes: AttributeList = Attributes,
        /// The object.
        pub object: Object = Objects,
    }

    /// The answer.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
    }
}

/// Import.
pub struct Import;

impl Handler for Import {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { unique_identifier, object_type, replace_existing, key_wrap_type, attributes, mut object } =
            request;
        if unique_identifier.is_empty() {
            return Err(Failure::invalid_field("the Unique Identifier is empty"));
        }
        match object_type {
            Some(said) => incoming::same_type(said, &object)?,
            None if view.version().is_v2() => return Err(Failure::invalid_field("the Object Type is missing")),
            None => {}
        }
        let place = view.replaced(&unique_identifier, replace_existing == Some(true))?;
        let parents = unwrap(view, key_wrap_type, &mut object)?;
        let mut attributes = Attributes { templates: Vec::new(), list: attributes.0 };
        incoming::take_inner(&object, &mut attributes);
        let mut given = Given::carry(view, attributes.list, object.object_type())?;
        given.says(Tag::UniqueIdentifier, &Value::TextString(unique_identifier.clone()))?;
        given.says(Tag::ObjectType, &Value::Enumeration(object.object_type().into()))?;
        if let Some(parents) = parents {
            parents.restrict(&mut given);
        }
        let masks = given.integer(Tag::ProtectionStorageMask).map(|bits| ProtectionStorageMasks {
            masks: vec![ProtectionStorageMask::from_bits_retain(bits.cast_unsigned())],
        });
        let incoming = Incoming::examine(view, object, &given)?;
        let new = incoming.keep(view, given, masks.as_ref(), Origin::Registered)?;
        view.restore(&unique_identifier, new, place.as_ref())?;
        Ok(Response { unique_identifier })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// A key that comes wrapped says what becomes of it, and no other does (since 2.0; 1.4 lets it say nothing). Answers the flags
/// of the key that has opened it.
fn unwrap(view: &mut View, wrap_type: Option<KeyWrapType>, object: &mut Object) -> Outcome<Option<Parents>> {
    let is_wrapped = object.key_block().is_some_and(|block| block.key_wrapping_data.is_some());
    match (wrap_type, is_wrapped) {
        (None, true) if view.version().is_v2() => Err(Failure::invalid_field("a wrapped key needs a Key Wrap Type")),
        (None, _) | (Some(KeyWrapType::AsRegistered), true) => Ok(None),
        (Some(KeyWrapType::NotWrapped), true) => wrapping::unwrap(view, object).map_err(|failure| {
            let listed = matches!(
                failure.reason,
                ResultReason::EncodingOptionError | ResultReason::FeatureNotSupported | ResultReason::PermissionDenied
            );
            if listed { failure } else { Failure { reason: ResultReason::InvalidField, ..failure } }
        }),
        (Some(_), false) if view.version().is_v2() => {
            Err(Failure::invalid_field("a Key Wrap Type goes with a wrapped key alone"))
        }
        (Some(KeyWrapType::AsRegistered | KeyWrapType::NotWrapped), false) => Ok(None),
        (Some(other), _) => Err(Failure::invalid_field(format!("there is no Key Wrap Type {other}"))),
    }
}

#[cfg(test)]
mod tests;
