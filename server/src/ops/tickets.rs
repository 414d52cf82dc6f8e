//! What Login and Delegated Login have in common: a new ticket.

use kmip_codec::schema::DateTime;
use kmip_codec::spec::{ResultReason, TicketType, UsageLimitsUnit};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Rights, Ticket, TicketTime, UniqueIdentifier, UsageLimits};

use crate::failure::{Failure, Outcome};
use crate::trust::ticket::{self, DEPTH, LENGTH, Stored};
use crate::view::View;

/// What a client asks of a ticket.
pub(super) struct Wanted {
    /// How long it should live.
    pub(super) lease_time: Option<TicketTime>,
    /// How many requests it should be good for.
    pub(super) request_count: Option<i32>,
    /// How many operations it should be good for.
    pub(super) usage_limits: Option<UsageLimits>,
    /// What may be done with it.
    pub(super) rights: Option<Rights>,
}

/// Issues a ticket that stands for the requester. If the requester came with a ticket, the new one hangs on it.
///
/// # Errors
/// Invalid Field for limits that a ticket cannot have; Feature Not Supported for Usage Limits of bytes; Permission Denied
/// for a chain of tickets that is too long; Server Limit Exceeded where there are too many.
pub(super) fn issue(view: &mut View, wanted: Wanted) -> Outcome<Ticket> {
    let Wanted { lease_time, request_count, usage_limits, rights } = wanted;
    let settings = &view.shared().settings;
    let (longest, most) = (i64::from(settings.longest_ticket), settings.most_tickets);
    let last = view.now().saturating_add(longest);
    let until = match lease_time {
        // No time at all is no limit of its own, as no Request Count at all is none.
        None | Some(TicketTime::Interval(0)) => last,
        Some(TicketTime::Interval(seconds)) => view.now().saturating_add(seconds.into()),
        Some(TicketTime::Until(time)) => time,
    };
    if until <= view.now() || until > last {
        return Err(Failure::invalid_field(format!("the Lease Time of a ticket is at most {longest} seconds here")));
    }
    let requests = match request_count {
        None | Some(0) => None,
        Some(count) if count > 0 => Some(count.into()),
        Some(_) => return Err(Failure::invalid_field("Request Count is negative")),
    };
    let operations = usage_limits.as_ref().map(operations).transpose()?;
    for right in rights.iter().flat_map(|rights| &rights.rights) {
        right.usage_limits.as_ref().map(self::operations).transpose()?;
        let named = right.objects.iter().flat_map(|objects| &objects.unique_identifiers);
        if named.into_iter().any(|identifier| !matches!(identifier, UniqueIdentifier::Text(_))) {
            return Err(Failure::invalid_field("the Objects of a Right are named by their identifiers"));
        }
    }
    let parent = match &view.requester().grant {
        Some(grant) if grant.depth() >= DEPTH => {
            let why = format!("a ticket hangs on at most {} others", DEPTH - 1);
            return Err(Failure::new(ResultReason::PermissionDenied, why));
        }
        Some(grant) => Some(grant.name().into()),
        None => None,
    };
    if ticket::count(&view.shared().vault)? >= most {
        let why = format!("there are {most} tickets, which is all that this server gives at a time");
        return Err(Failure::new(ResultReason::ServerLimitExceeded, why));
    }
    let owner = (&*view.requester().owner).into();
    let certificates = view.requester().shown.certificates().to_vec();
    let stored = Stored { owner, until: DateTime(until), requests, operations, rights, parent, certificates };
    let value = view.random(LENGTH)?;
    let name = ticket::name(&view.shared().vault, value.expose());
    view.set_meta(&ticket::row(&name), Some(stored.write()))?;
    view.set_meta(&ticket::count_row(&name), Some(stored.counts()))?;
    Ok(Ticket { ticket_type: TicketType::Login, ticket_value: Blob::copy_of(value.expose()) })
}

/// How many operations Usage Limits are for.
fn operations(limits: &UsageLimits) -> Outcome<i64> {
    if limits.unit != UsageLimitsUnit::Object {
        return Err(Failure::unsupported("the Usage Limits of tickets count operations, not bytes"));
    }
    let count = limits.count.unwrap_or(limits.total);
    if count < 0 || count > limits.total {
        return Err(Failure::invalid_field("the Usage Limits Count is not within the Usage Limits Total"));
    }
    Ok(count)
}
