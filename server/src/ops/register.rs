//! Register (KMIP 2.1 §6.1.43, 1.4 §4.3).

use kmip_codec::spec::ObjectType;
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attributes, Object, ProtectionStorageMasks};

use super::incoming::{self, Incoming};
use super::new_object::{self, Given};
use super::{Handler, containers};
use crate::failure::Outcome;
use crate::object::Origin;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// What is registered.
        pub object_type: ObjectType = ObjectType,
        /// Its attributes.
        pub attributes: Attributes = Attributes,
        /// The object.
        pub object: Object = Objects,
        /// Where it may live.
        pub protection_storage_masks: Option<ProtectionStorageMasks> = ProtectionStorageMasks since V2_0,
    }

    /// The answer.
    pub struct Response {
        /// The object's identifier.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Attributes that the server set without being told, 1.x; none.
        pub attributes: Option<Attributes> = Attributes until V1_4,
    }
}

/// Register.
pub struct Register;

impl Handler for Register {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { object_type, mut attributes, object, protection_storage_masks } = request;
        incoming::same_type(object_type, &object)?;
        let object = match object {
            Object::Template(template) => Object::Template(new_object::template(view, template, &mut attributes)?),
            object => object,
        };
        incoming::take_inner(&object, &mut attributes);
        let mut given = Given::with_defaults(view, attributes, object_type, &incoming::said(&object))?;
        let (object, chain) = containers::open(view, object, &mut given)?;
        let incoming = Incoming::examine(view, object, &given)?;
        let new = incoming.keep(view, given, protection_storage_masks.as_ref(), Origin::Registered)?;
        let unique_identifier = view.insert(new)?;
        containers::keep_chain(view, &unique_identifier, chain)?;
        Ok(Response { unique_identifier, attributes: None })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

#[cfg(test)]
mod tests;
