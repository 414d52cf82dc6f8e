//! Get Attributes (KMIP 2.1 §6.1.20, 1.4 §4.12).

use kmip_codec::spec::ResultReason;
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{AttributeList, AttributeReferences, UniqueIdentifier};

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// The attributes; all of them where none is named.
        pub attributes: AttributeReferences = AttributeReference,
    }

    /// The answer.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// Every instance of the attributes that the object has.
        pub attributes: AttributeList = Attributes,
    }
}

/// Get Attributes.
pub struct GetAttributes;

impl Handler for GetAttributes {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ReadAttributes)?;
        let wanted = request.attributes.0;
        let again = wanted.iter().enumerate().any(|(place, one)| wanted.iter().take(place).any(|other| other == one));
        if again {
            return Err(Failure::new(ResultReason::InvalidField, "an attribute is asked for more than once"));
        }
        let list = if wanted.is_empty() {
            object.attributes.iter().cloned().collect()
        } else {
            wanted.iter().flat_map(|reference| object.attributes.all(reference)).cloned().collect()
        };
        Ok(Response { unique_identifier: object.identifier(), attributes: AttributeList(list) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
