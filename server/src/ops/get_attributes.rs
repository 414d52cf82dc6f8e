//! Get Attributes (KMIP 2.1 §6.1.20, 1.4 §4.12).

use std::collections::{HashMap, HashSet};

use kmip_codec::spec::ResultReason;
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, AttributeReference, AttributeReferences, FoundAttributes, UniqueIdentifier};

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
        pub attributes: FoundAttributes = Attributes,
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
        let mut seen = HashSet::with_capacity(wanted.len());
        if !wanted.iter().all(|reference| seen.insert(reference)) {
            return Err(Failure::new(ResultReason::InvalidField, "an attribute is asked for more than once"));
        }
        let shown = || object.shown(view.version());
        let list = if wanted.is_empty() {
            shown().cloned().collect()
        } else {
            let mut instances: HashMap<AttributeReference, Vec<&Attribute>> = HashMap::new();
            for attribute in shown() {
                instances.entry(attribute.reference()).or_default().push(attribute);
            }
            wanted.iter().filter_map(|reference| instances.get(reference)).flatten().copied().cloned().collect()
        };
        Ok(Response { unique_identifier: object.identifier(), attributes: FoundAttributes(list) })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
