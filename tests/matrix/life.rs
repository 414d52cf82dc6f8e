//! The operations that lease, count, put away and replace objects.

use kmip_codec::Value;
use kmip_codec::schema::{DateTime, Interval};
use kmip_codec::spec::{CryptographicUsageMask as Mask, Operation, ResultReason, RevocationReasonCode, Tag};
use kmip_codec::ttlv::Text;
use kmipd::ops;

use crate::cell::Cell;
use crate::harness::kmip::{self, allocation, limits, object};

pub(crate) fn obtain_lease(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    let lease: ops::obtain_lease::Response = cell.kmip.ask(Operation::ObtainLease, &object(Some(&key)));
    assert_eq!((lease.unique_identifier, lease.lease_time), (key.clone(), Interval(3600)));
    assert_eq!(Value::DateTime(lease.last_change_date.0), cell.kmip.value(&key, Tag::LastChangeDate));
    assert!(lease.last_change_date <= DateTime(kmip::now()));
    assert_eq!(cell.kmip.value(&key, Tag::LeaseTime), Value::Interval(3600));
    cell.kmip.revoke(&key, RevocationReasonCode::KeyCompromise);
    assert_eq!(cell.kmip.refusal(Operation::ObtainLease, &object(Some(&key))), ResultReason::PermissionDenied);
}

pub(crate) fn get_usage_allocation(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![limits(10)]);
    let denied = ResultReason::PermissionDenied;
    // Not before it may protect.
    assert_eq!(cell.kmip.refusal(Operation::GetUsageAllocation, &allocation(Some(&key), 1)), denied);
    cell.kmip.activate(&key);
    let granted: ops::activate::Response = cell.kmip.ask(Operation::GetUsageAllocation, &allocation(Some(&key), 7));
    assert_eq!(granted.unique_identifier, key);
    let exceeded = cell.reason(ResultReason::UsageLimitExceeded);
    assert_eq!(cell.kmip.refusal(Operation::GetUsageAllocation, &allocation(Some(&key), 4)), exceeded);
    let left = cell.kmip.value(&key, Tag::UsageLimits);
    assert_eq!(left.find(Tag::UsageLimitsCount), Some(&Value::LongInteger(3)));
    // What is used stands.
    let read_only = cell.reason(ResultReason::AttributeReadOnly);
    let more = kmip::modify(Some(&key), None, limits(20));
    assert_eq!(cell.kmip.refusal(Operation::ModifyAttribute, &more), read_only);
    let none = cell.key(Mask::ENCRYPT, vec![]);
    cell.kmip.activate(&none);
    let reason = cell.kmip.refusal(Operation::GetUsageAllocation, &allocation(Some(&none), 1));
    let expected = if cell.is_v2() { ResultReason::AttributeNotFound } else { ResultReason::IllegalOperation };
    assert_eq!(reason, expected);
}

fn done(cell: &mut Cell, operation: Operation, key: &Text) {
    let done: ops::activate::Response = cell.kmip.ask(operation, &object(Some(key)));
    assert_eq!(done.unique_identifier, *key);
}

pub(crate) fn archive(cell: &mut Cell) {
    let name = cell.name();
    let key = cell.key(Mask::ENCRYPT, vec![name.clone()]);
    done(cell, Operation::Archive, &key);
    assert!(matches!(cell.kmip.value(&key, Tag::ArchiveDate), Value::DateTime(date) if date <= kmip::now()));
    for (operation, request) in [(Operation::Archive, object(Some(&key))), (Operation::ObtainLease, object(Some(&key)))]
    {
        assert_eq!(cell.kmip.refusal(operation, &request), ResultReason::ObjectArchived);
    }
    assert_eq!(cell.kmip.refusal(Operation::Get, &kmip::get(Some(&key))), ResultReason::ObjectArchived);
    assert!(cell.kmip.locate(vec![name]).is_empty());
}

pub(crate) fn recover(cell: &mut Cell) {
    let name = cell.name();
    let key = cell.key(Mask::ENCRYPT, vec![name.clone()]);
    for _ in 0..2 {
        done(cell, Operation::Archive, &key);
        done(cell, Operation::Recover, &key);
        assert_eq!(cell.kmip.values(&key, Tag::ArchiveDate), []);
        assert_eq!(cell.kmip.locate(vec![name.clone()]), std::slice::from_ref(&key));
    }
    // What is on-line stays so.
    done(cell, Operation::Recover, &key);
}
