//! Logout (KMIP 2.1 §6.1.31, 2.0 §6.1.30).

use kmip_codec::spec::ResultReason;
use kmip_codec::structure;
use kmip_codec::types::Ticket;

use super::Handler;
use crate::failure::{Failure, Outcome};
use crate::trust::ticket::{self, Stored};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The ticket that ends.
        pub ticket: Ticket = Ticket,
    }

    /// The answer.
    pub struct Response {
    }
}

/// Logout.
pub struct Logout;

impl Handler for Logout {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let name = ticket::name(&view.shared().vault, &request.ticket.ticket_value);
        let row = ticket::row(&name);
        let stored = view.meta(&row)?.ok_or_else(ticket::invalid)?;
        let stored = Stored::read(&stored)?;
        if stored.until.0 <= view.now() {
            return Err(ticket::invalid());
        }
        if *stored.owner != *view.requester().owner {
            return Err(Failure::new(ResultReason::PermissionDenied, "the ticket stands for somebody else"));
        }
        view.set_meta(&row, None)?;
        // Requests with the ticket count there all the time: nothing hangs on what it was.
        view.drop_meta(&ticket::count_row(&name));
        Ok(Response {})
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{TicketType, Version};
    use kmip_codec::ttlv::Blob;
    use kmip_codec::types::TicketTime;

    use super::*;
    use crate::ops::login::{self, Login};
    use crate::view::testing::Bench;

    fn login(bench: &Bench) -> Ticket {
        let request =
            login::Request { lease_time: Some(TicketTime::Interval(60)), request_count: Some(2), usage_limits: None };
        bench.run::<Login>(Version::V2_1, request).unwrap().ticket
    }

    #[test]
    fn a_ticket_ends_once() {
        let bench = Bench::new();
        let ticket = login(&bench);
        bench.run::<Logout>(Version::V2_1, Request { ticket: ticket.clone() }).unwrap();
        let again = bench.run::<Logout>(Version::V2_1, Request { ticket }).unwrap_err();
        assert_eq!(again.reason, ResultReason::InvalidTicket);
        assert!(bench.view(Version::V2_1).shared().vault.meta_names("ticket").unwrap().is_empty());
        let nobody = Ticket { ticket_type: TicketType::Login, ticket_value: Blob::copy_of(&[7; 32]) };
        let failure = bench.run::<Logout>(Version::V2_1, Request { ticket: nobody }).unwrap_err();
        assert_eq!(failure.reason, ResultReason::InvalidTicket);
    }

    #[test]
    fn a_ticket_that_has_ended_cannot_be_given_back() {
        let bench = Bench::new();
        let ticket = login(&bench);
        bench.pass(60);
        let failure = bench.run::<Logout>(Version::V2_1, Request { ticket }).unwrap_err();
        assert_eq!(failure.reason, ResultReason::InvalidTicket);
    }

    #[test]
    fn nobody_gives_back_what_is_not_his() {
        let bench = Bench::new();
        let ticket = login(&bench);
        let mut view = bench.view_of("bob", Version::V2_1);
        let failure = Logout::run(&mut view, Request { ticket }).unwrap_err();
        assert_eq!(failure.reason, ResultReason::PermissionDenied);
    }
}
