//! Recover (KMIP 2.1 §6.1.42, 1.4 §4.23).

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::Text;

use super::Handler;
use super::activate::{Request, Response};
use crate::failure::Outcome;
use crate::trust::policy::Use;
use crate::view::View;

/// Recover. Its payloads are those of Activate. An object that is on-line already stays so.
pub struct Recover;

impl Handler for Recover {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Recover)?;
        if object.is_archived() {
            let now = view.now();
            view.edit(&object, |object| {
                object.attributes.clear(Tag::ArchiveDate);
                object.touch(now);
                Ok(())
            })?;
        }
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}
