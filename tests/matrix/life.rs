//! The operations that lease, count, put away and replace objects.

use kmip_codec::Value;
use kmip_codec::schema::{DateTime, Interval};
use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask as Mask, LinkType, Operation, ResultReason, RevocationReasonCode,
    State, Tag,
};
use kmip_codec::ttlv::Text;
use kmip_codec::types::{Attribute, Attributes};
use kmipd::ops;

use crate::cell::Cell;
use crate::harness::kmip::{self, allocation, date, enumeration, limits, mask, number, object};

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

/// The identifier that the only Link of a type has.
pub(crate) fn linked(cell: &mut Cell, object: &Text, kind: LinkType) -> Value {
    let links = cell.kmip.values(object, Tag::Link);
    let of_kind = |link: &&Value| link.find(Tag::LinkType) == Some(&Value::Enumeration(kind.into()));
    let mut found = links.iter().filter(of_kind);
    let link = found.next().unwrap_or_else(|| panic!("{object} has no {kind}: {links:?}"));
    assert_eq!(found.next(), None);
    link.find(Tag::LinkedObjectIdentifier).unwrap().clone()
}

pub(crate) fn assert_replaced(cell: &mut Cell, former: &Text, latest: &Text, name: &Attribute) {
    assert_ne!(former, latest);
    assert_eq!(cell.kmip.locate(vec![name.clone()]), std::slice::from_ref(latest));
    assert_eq!(cell.kmip.values(former, Tag::Name), []);
    assert_eq!(linked(cell, former, LinkType::ReplacementObjectLink), Value::TextString(latest.clone()));
    assert_eq!(linked(cell, latest, LinkType::ReplacedObjectLink), Value::TextString(former.clone()));
    for (object, generation, is_latest) in [(former, 0, false), (latest, 1, true)] {
        assert_eq!(cell.newest(|kmip| kmip.value(object, Tag::RotateGeneration)), Value::Integer(generation));
        assert_eq!(cell.newest(|kmip| kmip.value(object, Tag::RotateLatest)), Value::Boolean(is_latest));
    }
}

pub(crate) fn re_key(cell: &mut Cell) {
    let name = cell.name();
    let hour_ago = date(Tag::ActivationDate, kmip::now() - 3600);
    let attributes = cell.protected(vec![mask(Mask::ENCRYPT), name.clone(), hour_ago]);
    let former = cell.kmip.create(attributes);
    let made: ops::activate::Response = cell.kmip.ask(Operation::ReKey, &kmip::re_key(Some(&former), vec![]));
    let latest = made.unique_identifier;
    assert_replaced(cell, &former, &latest, &name);
    cell.assert_home(&latest);
    assert_eq!((cell.kmip.state(&former), cell.kmip.state(&latest)), (State::Active, State::Active));
    // Dates are counted from the new Activation Date.
    let offset = ops::re_key::Request { offset: Some(Interval(100)), ..kmip::re_key(Some(&latest), vec![]) };
    let later: ops::activate::Response = cell.kmip.ask(Operation::ReKey, &offset);
    let Value::DateTime(activation) = cell.kmip.value(&later.unique_identifier, Tag::ActivationDate) else { panic!() };
    assert!((90..=100).contains(&(activation - kmip::now())), "{activation}");
    assert_eq!(cell.kmip.state(&later.unique_identifier), State::PreActive);
    let both = ops::re_key::Request {
        offset: Some(Interval(0)),
        ..kmip::re_key(Some(&latest), vec![date(Tag::DeactivationDate, kmip::now())])
    };
    assert_eq!(cell.kmip.refusal(Operation::ReKey, &both), ResultReason::InvalidMessage);
    let other = cell.kmip.register(kmip::secret(b"seed"), vec![mask(Mask::empty())]);
    let reason = cell.kmip.refusal(Operation::ReKey, &kmip::re_key(Some(&other), vec![]));
    let expected = if cell.is_v2() { ResultReason::InvalidObjectType } else { ResultReason::PermissionDenied };
    assert_eq!(reason, expected);
}

pub(crate) fn re_key_key_pair(cell: &mut Cell) {
    let (private, public) = (cell.name(), cell.name());
    let list = |list| Attributes { templates: Vec::new(), list };
    let both = vec![
        enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::ECDSA),
        number(Tag::CryptographicLength, 256),
        date(Tag::ActivationDate, kmip::now() - 3600),
    ];
    let request = ops::create_key_pair::Request {
        common: list(both),
        private: list(cell.protected(vec![private.clone(), mask(Mask::SIGN)])),
        public: list(vec![public.clone(), mask(Mask::VERIFY)]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    let former: ops::create_key_pair::Response = cell.kmip.ask(Operation::CreateKeyPair, &request);
    let again = kmip::re_key_key_pair(Some(&former.private_key));
    let latest: ops::create_key_pair::Response = cell.kmip.ask(Operation::ReKeyKeyPair, &again);
    assert_replaced(cell, &former.private_key, &latest.private_key, &private);
    assert_replaced(cell, &former.public_key, &latest.public_key, &public);
    cell.assert_home(&latest.private_key);
    let public_key = linked(cell, &latest.private_key, LinkType::PublicKeyLink);
    assert_eq!(public_key, Value::TextString(latest.public_key.clone()));
    let private_key = linked(cell, &latest.public_key, LinkType::PrivateKeyLink);
    assert_eq!(private_key, Value::TextString(latest.private_key.clone()));
    // The public key alone is not replaced.
    let wrong = kmip::re_key_key_pair(Some(&latest.public_key));
    let reason = cell.kmip.refusal(Operation::ReKeyKeyPair, &wrong);
    let expected = if cell.is_v2() { ResultReason::InvalidObjectType } else { ResultReason::PermissionDenied };
    assert_eq!(reason, expected);
}
