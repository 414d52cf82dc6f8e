//! Login (KMIP 2.1 §6.1.30, 2.0 §6.1.29).

use kmip_codec::structure;
use kmip_codec::types::{Ticket, TicketTime, UsageLimits};

use super::Handler;
use super::tickets::{Wanted, issue};
use crate::failure::Outcome;
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
    }

    /// The answer.
    pub struct Response {
        /// The ticket.
        pub ticket: Ticket = Ticket,
    }
}

/// Login.
pub struct Login;

impl Handler for Login {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let Request { lease_time, request_count, usage_limits } = request;
        Ok(Response { ticket: issue(view, Wanted { lease_time, request_count, usage_limits, rights: None })? })
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{ResultReason, UsageLimitsUnit, Version};

    use super::*;
    use crate::trust::ticket::Grant;
    use crate::view::testing::{Bench, NOW};

    fn ask(
        bench: &Bench,
        lease: Option<TicketTime>,
        count: Option<i32>,
        limits: Option<UsageLimits>,
    ) -> Outcome<Ticket> {
        let request = Request { lease_time: lease, request_count: count, usage_limits: limits };
        bench.run::<Login>(Version::V2_1, request).map(|response| response.ticket)
    }

    fn limits(total: i64, count: Option<i64>, unit: UsageLimitsUnit) -> Option<UsageLimits> {
        Some(UsageLimits { total, count, unit })
    }

    #[test]
    fn limits_that_a_ticket_cannot_have_are_refused() {
        let bench = Bench::new();
        let day = 24 * 3600;
        for (lease, count, usage, expected) in [
            (Some(TicketTime::Interval(day + 1)), None, None, ResultReason::InvalidField),
            (Some(TicketTime::Until(NOW)), None, None, ResultReason::InvalidField),
            (Some(TicketTime::Until(NOW + i64::from(day) + 1)), None, None, ResultReason::InvalidField),
            (None, Some(-1), None, ResultReason::InvalidField),
            (None, None, limits(5, Some(6), UsageLimitsUnit::Object), ResultReason::InvalidField),
            (None, None, limits(5, Some(-1), UsageLimitsUnit::Object), ResultReason::InvalidField),
            (None, None, limits(5, Some(5), UsageLimitsUnit::Byte), ResultReason::FeatureNotSupported),
        ] {
            let failure = ask(&bench, lease, count, usage.clone()).unwrap_err();
            assert_eq!(failure.reason, expected, "{lease:?} {count:?} {usage:?}: {failure}");
        }
        ask(&bench, Some(TicketTime::Interval(day)), Some(1), limits(5, Some(5), UsageLimitsUnit::Object)).unwrap();
        ask(&bench, Some(TicketTime::Until(NOW + 1)), None, None).unwrap();
    }

    #[test]
    fn no_two_tickets_are_alike_and_none_rests_as_it_is() {
        let bench = Bench::new();
        let one = ask(&bench, None, Some(0), None).unwrap();
        let two = ask(&bench, Some(TicketTime::Interval(0)), None, None).unwrap();
        assert_ne!(one, two);
        assert_eq!(one.ticket_value.len(), 32);
        let names = bench.view(Version::V2_1).shared().vault.meta_names("ticket").unwrap();
        assert_eq!(names.len(), 4);
        assert!(names.iter().all(|name| !name.contains(&hex::encode(&one.ticket_value[..]))));
    }

    #[test]
    fn a_ticket_ends_with_its_time_and_not_when_its_row_goes() {
        let bench = Bench::new();
        let ticket = ask(&bench, Some(TicketTime::Until(NOW + 5)), None, None).unwrap();
        let admitted = |now| Grant::load(&bench.view(Version::V2_1).shared().vault, &ticket.ticket_value, now);
        assert_eq!(admitted(NOW + 4).unwrap().until(), NOW + 5);
        assert_eq!(admitted(NOW + 5).unwrap_err().reason, ResultReason::InvalidTicket);
    }

    #[test]
    fn there_are_only_so_many_tickets() {
        let settings = crate::view::Settings { most_tickets: 2, ..crate::view::Settings::default() };
        let bench = Bench::with(settings, None);
        ask(&bench, None, None, None).unwrap();
        ask(&bench, None, None, None).unwrap();
        assert_eq!(ask(&bench, None, None, None).unwrap_err().reason, ResultReason::ServerLimitExceeded);
    }
}
