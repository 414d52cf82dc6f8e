//! Delegated Login (KMIP 2.1 §6.1.12, 2.0 §6.1.12).

use kmip_codec::spec::ResultReason;
use kmip_codec::structure;
use kmip_codec::types::{Rights, Ticket, TicketTime, UsageLimits};

use super::Handler;
use super::login::Response;
use super::tickets::{Wanted, issue};
use crate::failure::{Failure, Outcome};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// How long the ticket should live; none and 0 for as long as the server gives.
        pub lease_time: Option<TicketTime> = LeaseTime,
        /// How many requests it should be good for; none and 0 for any number.
        pub request_count: Option<i32> = RequestCount,
        /// How many operations it should be good for.
        pub usage_limits: Option<UsageLimits> = UsageLimits,
        /// What its holder may do.
        pub rights: Rights = Rights,
    }
}

/// Delegated Login.
pub struct DelegatedLogin;

impl Handler for DelegatedLogin {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { lease_time, request_count, usage_limits, rights } = request;
        if view.requester().grant.as_ref().is_some_and(|grant| !grant.includes(&rights)) {
            return Err(Failure::new(
                ResultReason::NotAuthorised,
                "the rights of the ticket do not include what is to be delegated",
            ));
        }
        let wanted = Wanted { lease_time, request_count, usage_limits, rights: Some(rights) };
        let ticket: Ticket = issue(view, wanted)?;
        Ok(Response { ticket })
    }
}
