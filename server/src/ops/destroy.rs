//! Destroy (KMIP 2.1 §6.1.15, 1.4 §4.21).

use kmip_codec::ttlv::Text;

use super::Handler;
use super::activate::{Request, Response};
use crate::failure::Outcome;
use crate::trust::policy::Use;
use crate::view::View;

/// Destroy. Its payloads are those of Activate.
pub struct Destroy;

impl Handler for Destroy {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Destroy)?;
        view.destroy(&object)?;
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
