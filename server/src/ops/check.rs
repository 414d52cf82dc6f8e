//! Check (KMIP 2.1 §6.1.7, 1.4 §4.10).

use kmip_codec::schema::Interval;
use kmip_codec::spec::{CryptographicUsageMask, ObjectType, ResultReason, Tag, Version};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::UniqueIdentifier;

use super::Handler;
use super::activate::Response;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
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

/// Check. What is refused fails, with a reason for each field (KMIP 2.1 §6.1.7.1; 1.4 §11.11 has one for all of them), and
/// empties the ID Placeholder. The answer is that of Activate.
pub struct Check;

impl Handler for Check {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Check)?;
        if let Err(failure) = permit(&object, &request, view.longest_lease()) {
            view.clear_placeholder();
            return Err(failure);
        }
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

fn permit(object: &Permitted, request: &Request, longest: u32) -> Outcome<()> {
    if object.object_type() == ObjectType::Template {
        return Err(Failure::new(ResultReason::IllegalObjectType, "a Template has no use that could be checked")
            .before(Version::V2_0, ResultReason::IllegalOperation));
    }
    let refused = |reason, tag: Tag| Err(Failure::new(reason, format!("the object may not be used with this {tag}")));
    if object.object_type() == ObjectType::OpaqueObject && request.cryptographic_usage_mask.is_some() {
        // It is no Managed Cryptographic Object, and has no such attribute.
        return refused(ResultReason::IllegalObjectType, Tag::CryptographicUsageMask);
    }
    if request.cryptographic_usage_mask.is_some_and(|asked| !object.usage_mask().contains(asked)) {
        return refused(ResultReason::IncompatibleCryptographicUsageMask, Tag::CryptographicUsageMask);
    }
    if request.usage_limits_count.is_some_and(|asked| asked < 0) {
        return Err(Failure::invalid_field("Usage Limits Count is negative"));
    }
    let left = object.usage_limits().map(|limits| limits.count.unwrap_or(limits.total));
    if matches!((request.usage_limits_count, left), (Some(asked), Some(left)) if asked > left) {
        return refused(ResultReason::UsageLimitExceeded, Tag::UsageLimitsCount);
    }
    // A Lease Time of 0 is one without limit.
    let longest = object.lease_time().unwrap_or(longest);
    if request.lease_time.is_some_and(|Interval(asked)| longest != 0 && asked > longest) {
        return refused(ResultReason::PermissionDenied, Tag::LeaseTime);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask as Mask};

    use super::*;
    use crate::view::testing::{Bench, limits};

    #[test]
    fn each_field_that_is_refused_has_its_reason() {
        let bench = Bench::new();
        let key = bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT | Mask::DECRYPT, vec![limits(10)]);
        let nothing = || Request {
            unique_identifier: Some(key.clone()),
            usage_limits_count: None,
            cryptographic_usage_mask: None,
            lease_time: None,
        };
        let asked = |request| {
            let outcome = bench.run::<Check>(Version::V2_1, request);
            outcome.map_err(|failure| (failure.reason, failure.reason_in(None, Version::V1_4))).map(|_| ())
        };
        let count = |count| Request { usage_limits_count: Some(count), ..nothing() };
        let mask = |mask| Request { cryptographic_usage_mask: Some(mask), ..nothing() };
        let lease = |seconds| Request { lease_time: Some(Interval(seconds)), ..nothing() };
        for may in [nothing(), count(10), mask(Mask::ENCRYPT), lease(3600)] {
            assert_eq!(asked(may), Ok(()));
        }
        let denied = ResultReason::PermissionDenied;
        assert_eq!(asked(count(11)), Err((ResultReason::UsageLimitExceeded, denied)));
        let wrong = ResultReason::IncompatibleCryptographicUsageMask;
        assert_eq!(asked(mask(Mask::ENCRYPT | Mask::SIGN)), Err((wrong, denied)));
        assert_eq!(asked(lease(3601)), Err((denied, denied)));
        assert_eq!(asked(count(-1)).unwrap_err().0, ResultReason::InvalidField);
    }

    #[test]
    fn a_refusal_empties_the_placeholder() {
        let bench = Bench::new();
        let key = bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, Vec::new());
        let UniqueIdentifier::Text(text) = &key else { panic!("an identifier is text") };
        for (mask, kept) in [(Mask::ENCRYPT, true), (Mask::DECRYPT, false)] {
            let mut view = bench.view(Version::V2_1);
            view.set_placeholder(Some(text.clone()));
            view.begin_item();
            let request = Request {
                unique_identifier: None,
                usage_limits_count: None,
                cryptographic_usage_mask: Some(mask),
                lease_time: None,
            };
            assert_eq!(Check::run(&mut view, request).is_ok(), kept);
            assert_eq!(view.placeholder().is_some(), kept);
        }
    }
}
