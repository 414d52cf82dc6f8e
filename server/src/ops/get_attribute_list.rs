//! Get Attribute List (KMIP 2.1 §6.1.21, 1.4 §4.13).

use std::collections::HashSet;

use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::AttributeReferences;

use super::Handler;
use super::activate::Request;
use crate::failure::Outcome;
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The answer.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// The attributes that it has, each once.
        pub attributes: AttributeReferences = AttributeReference,
    }
}

/// Get Attribute List.
pub struct GetAttributeList;

impl Handler for GetAttributeList {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::ReadAttributes)?;
        let mut seen = HashSet::new();
        let references = object.shown(view.version()).map(|attribute| attribute.reference());
        let names = references.filter(|reference| seen.insert(reference.clone())).collect();
        Ok(Response { unique_identifier: object.identifier(), attributes: AttributeReferences(names) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
