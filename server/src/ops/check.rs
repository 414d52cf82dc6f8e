//! Check (KMIP 2.1 §6.1.7, 1.4 §4.10).

use kmip_codec::schema::Interval;
use kmip_codec::spec::CryptographicUsageMask;
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::UniqueIdentifier;

use super::Handler;
use crate::failure::Outcome;
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The request; the answer has the same fields, and holds those that the server refuses.
    pub struct Request {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// Units that the client wants to protect.
        pub usage_limits_count: Option<i64> = UsageLimitsCount,
        /// Uses that the client wants to make.
        pub cryptographic_usage_mask: Option<CryptographicUsageMask> = CryptographicUsageMask,
        /// How long the client wants to keep the object, in seconds.
        pub lease_time: Option<Interval> = LeaseTime,
    }
}

/// Check.
pub struct Check;

impl Handler for Check {
    type Request = Request;
    type Response = Request;

    fn run(view: &mut View, request: Request) -> Outcome<Request> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Check)?;
        let limits = object.usage_limits();
        let count = request
            .usage_limits_count
            .filter(|&asked| limits.as_ref().is_some_and(|limits| asked > limits.count.unwrap_or(limits.total)));
        let mask = request.cryptographic_usage_mask.filter(|&asked| !object.usage_mask().contains(asked));
        let lease = request.lease_time.filter(|&Interval(asked)| i64::from(asked) > view.longest_lease());
        let permitted = count.is_none() && mask.is_none() && lease.is_none();
        if !permitted {
            view.clear_placeholder();
        }
        Ok(Request {
            unique_identifier: permitted.then(|| UniqueIdentifier::Text(object.identifier())),
            usage_limits_count: count,
            cryptographic_usage_mask: mask,
            lease_time: lease,
        })
    }

    fn identifiers(response: &Request) -> Vec<Text> {
        match &response.unique_identifier {
            Some(UniqueIdentifier::Text(text)) => vec![text.clone()],
            _ => Vec::new(),
        }
    }
}
