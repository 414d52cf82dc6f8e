//! Get Usage Allocation (KMIP 2.1 §6.1.23, 1.4 §4.18).

use kmip_codec::spec::{ObjectType, ResultReason, Tag, Version};
use kmip_codec::structure;
use kmip_codec::ttlv::Text;
use kmip_codec::types::UniqueIdentifier;

use super::Handler;
use super::activate::Response;
use crate::failure::{Failure, Outcome};
use crate::object::usage;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

structure! {
    /// The request.
    pub struct Request {
        /// The object, or the ID Placeholder.
        pub unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        /// How many units the client is going to protect.
        pub usage_limits_count: i64 = UsageLimitsCount,
    }
}

/// Get Usage Allocation. The answer is that of Activate. What is granted counts as used at once.
pub struct GetUsageAllocation;

impl Handler for GetUsageAllocation {
    type Request = Request;
    type Response = Response;

    fn run(view: &mut View, request: Request) -> Outcome<Response> {
        let object = view.open(request.unique_identifier.as_ref(), Use::Allocate)?;
        let units = u64::try_from(request.usage_limits_count)
            .map_err(|_| Failure::invalid_field("Usage Limits Count is negative"))?;
        protects(&object, view.now())?;
        view.allocate(&object, units)?;
        let now = view.now();
        view.edit(&object, |object| {
            object.touch(now);
            Ok(())
        })?;
        Ok(Response { unique_identifier: object.identifier() })
    }

    fn identifiers(response: &Response) -> Vec<Text> {
        vec![response.unique_identifier.clone()]
    }
}

/// Whether the object has limits, and may be used to protect, now.
fn protects(object: &Permitted, now: i64) -> Outcome<()> {
    let kind = object.object_type();
    let is_key = !matches!(kind, ObjectType::Certificate | ObjectType::CertificateRequest | ObjectType::OpaqueObject);
    if !is_key || !object.usage_mask().intersects(usage::PROTECTING) {
        return Err(Failure::new(
            ResultReason::InvalidObjectType,
            format!("this {kind} cannot be used to apply cryptographic protection"),
        )
        .before(Version::V2_0, ResultReason::IllegalOperation));
    }
    if object.usage_limits().is_none() {
        return Err(Failure::new(ResultReason::AttributeNotFound, format!("the object has no {}", Tag::UsageLimits))
            .before(Version::V2_0, ResultReason::IllegalOperation));
    }
    usage::protects_at(object, now).map_err(|failure| Failure { reason: ResultReason::PermissionDenied, ..failure })
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{CryptographicAlgorithm, CryptographicUsageMask as Mask};

    use super::*;
    use crate::store::CommitError;
    use crate::view::testing::{Bench, NOW, limits, secret};

    fn key(bench: &Bench, mask: Mask, more: Vec<(Tag, Value)>) -> UniqueIdentifier {
        bench.key(CryptographicAlgorithm::AES, &[1; 16], mask, more)
    }

    fn allocate(bench: &Bench, key: &UniqueIdentifier, units: i64) -> Result<(), Failure> {
        let request = Request { unique_identifier: Some(key.clone()), usage_limits_count: units };
        bench.run::<GetUsageAllocation>(Version::V2_1, request).map(|_| ())
    }

    #[test]
    fn it_grants_what_is_left_and_no_more() {
        let bench = Bench::new();
        let key = key(&bench, Mask::ENCRYPT, vec![limits(1000)]);
        let exceeded = Err(ResultReason::UsageLimitExceeded);
        let units = |units| allocate(&bench, &key, units).map_err(|failure| failure.reason);
        assert_eq!(units(600), Ok(()));
        assert_eq!(units(401), exceeded);
        assert_eq!(bench.usage_left(&key), Some(400));
        assert_eq!(units(400), Ok(()));
        assert_eq!(units(1), exceeded);
        assert_eq!(units(-1), Err(ResultReason::InvalidField));
        assert_eq!(units(i64::MAX), exceeded);
        assert_eq!(bench.usage_left(&key), Some(0));
    }

    #[test]
    fn only_what_protects_now_and_has_limits() {
        let bench = Bench::new();
        let refused = |key: &UniqueIdentifier| {
            let failure = allocate(&bench, key, 1).unwrap_err();
            (failure.reason, failure.reason_in(None, Version::V1_4))
        };
        let none = key(&bench, Mask::ENCRYPT, Vec::new());
        assert_eq!(refused(&none), (ResultReason::AttributeNotFound, ResultReason::IllegalOperation));
        let reader = key(&bench, Mask::DECRYPT, vec![limits(9)]);
        let opaque = bench.object(secret(b"x"), vec![limits(9)]);
        for object in [reader, opaque] {
            assert_eq!(refused(&object), (ResultReason::InvalidObjectType, ResultReason::IllegalOperation));
        }
        let early = key(&bench, Mask::SIGN, vec![limits(9), (Tag::ActivationDate, Value::DateTime(NOW + 1))]);
        let late = key(&bench, Mask::WRAP_KEY, vec![limits(9), (Tag::ProtectStopDate, Value::DateTime(NOW))]);
        for object in [early, late] {
            assert_eq!(refused(&object), (ResultReason::PermissionDenied, ResultReason::PermissionDenied));
        }
    }

    /// Two messages that both saw enough: the writer lets one through.
    #[test]
    fn two_at_once_never_get_more_than_there_is() {
        let bench = Bench::new();
        let key = key(&bench, Mask::ENCRYPT, vec![limits(10)]);
        let mut views = [bench.view(Version::V2_1), bench.view(Version::V2_1)];
        for view in &mut views {
            let object = view.open(Some(&key), Use::Allocate).unwrap();
            view.allocate(&object, 6).unwrap();
        }
        let [first, second] = views;
        bench.commit(&first);
        let commit = second.commit().unwrap();
        let mut committed = second.shared().vault.commit(commit.batch);
        assert!(matches!(committed.try_recv().unwrap(), Err(CommitError::Refused(_) | CommitError::Conflict)));
        assert_eq!(bench.usage_left(&key), Some(4));
    }

    /// A total that is corrected while somebody takes: the correction must see it.
    #[test]
    fn limits_that_are_used_meanwhile_do_not_change() {
        let bench = Bench::new();
        let key = key(&bench, Mask::ENCRYPT, vec![limits(10)]);
        let mut correction = bench.view(Version::V2_1);
        let object = correction.open(Some(&key), Use::ChangeAttributes).unwrap();
        correction
            .edit(&object, |object| {
                let (tag, value) = limits(3);
                object.attributes.set(tag, value);
                Ok(())
            })
            .unwrap();
        let mut user = bench.view(Version::V2_1);
        let object = user.open(Some(&key), Use::Allocate).unwrap();
        user.take_usage(&object, 1).unwrap();
        bench.commit(&user);
        let commit = correction.commit().unwrap();
        let mut committed = correction.shared().vault.commit(commit.batch);
        assert!(committed.try_recv().unwrap().is_err());
        assert_eq!(bench.usage_left(&key), Some(9));
    }
}
