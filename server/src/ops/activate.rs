//! Activate (KMIP 2.1 §6.1.1, 1.4 §4.19).

use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::UniqueIdentifier;

use super::Handler;
use crate::failure::Outcome;
use crate::object::state::Event;
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The request: the object, or the ID Placeholder.
    pub struct Request {
        /// The object.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
    }

    /// The answer.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
    }
}

/// Activate.
pub struct Activate;

impl Handler for Activate {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Activate)?;
        let now = view.now();
        view.edit(&object, |object| Ok(object.happen(Event::Activate, now)?))?;
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
