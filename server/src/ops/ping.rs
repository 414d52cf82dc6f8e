//! Ping (KMIP 2.1 §6.1.36).

use kmip_codec::structure;

use super::Handler;
use crate::failure::Outcome;
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
    }

    /// The answer.
    pub struct Response {
    }
}

/// Ping.
pub struct Ping;

impl Handler for Ping {
    type Request = Request;
    type Response = Response;

    fn run(_: &mut View, _: Request) -> Outcome<Response> {
        Ok(Response {})
    }
}
