//! Get Constraints (KMIP 2.1 §6.1.22).

use kmip_codec::structure;
use kmip_codec::types::Constraints;

use super::Handler;
use crate::failure::Outcome;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
    }

    /// The answer.
    pub struct Response {
        /// The constraints. The table requires them; the published cases show that none is said by leaving them out, as
        /// Set Constraints says it.
        pub constraints: Option<Constraints> = Constraints,
    }
}

/// Get Constraints.
pub struct GetConstraints;

impl Handler for GetConstraints {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, _: Request) -> Outcome<Response> {
        let constraints = view.constraints()?;
        Ok(Response { constraints: (!constraints.constraints.is_empty()).then_some(constraints) })
    }
}
