//! Obtain Lease (KMIP 2.1 §6.1.35, 1.4 §4.17).

use kmip_codec::schema::{DateTime, Interval};
use kmip_codec::spec::{ResultReason, State, Tag};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;

use super::Handler;
use super::activate::Request;
use crate::failure::{Failure, Outcome};
use crate::trust::policy::Use;
use crate::view::View;

structure! {
    /// The answer.
    pub struct Response {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// How long it may be used, in seconds; 0 for without limit.
        pub lease_time: Interval = LeaseTime,
        /// When it or one of its attributes was last changed.
        pub last_change_date: DateTime = LastChangeDate,
    }
}

/// Obtain Lease. The request is that of Activate.
pub struct ObtainLease;

impl Handler for ObtainLease {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Lease)?;
        // A compromised object may be used by clients alone that are trusted with such: nobody is by default.
        let state = object.state();
        if object.is_destroyed() || state == State::Compromised {
            return Err(Failure::new(
                ResultReason::PermissionDenied,
                format!("no lease is given for an object in the state {state}"),
            ));
        }
        let used_up = object.usage_limits().is_some_and(|limits| limits.count == Some(0));
        if used_up {
            return Err(Failure::new(ResultReason::UsageLimitExceeded, "the Usage Limits of the object are used up"));
        }
        let initial = object.attributes.date(Tag::InitialDate).unwrap_or_else(|| view.now());
        Ok(Response {
            unique_identifier: object.identifier(),
            lease_time: Interval(object.lease_time().unwrap_or_else(|| view.longest_lease())),
            last_change_date: DateTime(object.attributes.date(Tag::LastChangeDate).unwrap_or(initial)),
        })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask as Mask, RevocationReasonCode, Version};
    use kmip_codec::types::{RevocationReason, UniqueIdentifier};

    use super::*;
    use crate::ops::destroy::Destroy;
    use crate::ops::get_usage_allocation::{self, GetUsageAllocation};
    use crate::ops::revoke::{self, Revoke};
    use crate::view::Settings;
    use crate::view::testing::{Bench, NOW, limits};

    fn lease(bench: &Bench, key: &UniqueIdentifier) -> Outcome<Response> {
        bench.run::<ObtainLease>(Version::V2_1, Request { unique_identifier: Some(key.clone()) })
    }

    #[test]
    fn a_lease_has_the_objects_time_and_its_last_change() {
        let bench = Bench::with(Settings { longest_lease: 60, ..Settings::default() }, None);
        let key = bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, Vec::new());
        bench.pass(7);
        let answer = lease(&bench, &key).unwrap();
        assert_eq!((answer.lease_time, answer.last_change_date), (Interval(60), DateTime(NOW)));
    }

    #[test]
    fn what_may_not_be_used_gets_no_lease() {
        let bench = Bench::new();
        let key = |more| bench.key(CryptographicAlgorithm::AES, &[1; 16], Mask::ENCRYPT, more);
        let stolen = key(Vec::new());
        let reason = RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None };
        let request = revoke::Request {
            unique_identifier: Some(stolen.clone()),
            revocation_reason: reason,
            compromise_occurrence_date: None,
        };
        bench.run::<Revoke>(Version::V2_1, request).unwrap();
        let gone = key(vec![(Tag::ActivationDate, Value::DateTime(NOW + 99))]);
        bench.run::<Destroy>(Version::V2_1, Request { unique_identifier: Some(gone.clone()) }).unwrap();
        for object in [stolen, gone] {
            assert_eq!(lease(&bench, &object).unwrap_err().reason, ResultReason::PermissionDenied);
        }
        let limited = key(vec![limits(3)]);
        assert!(lease(&bench, &limited).is_ok());
        let request = get_usage_allocation::Request { unique_identifier: Some(limited.clone()), usage_limits_count: 3 };
        bench.run::<GetUsageAllocation>(Version::V2_1, request).unwrap();
        assert_eq!(lease(&bench, &limited).unwrap_err().reason, ResultReason::UsageLimitExceeded);
    }
}
