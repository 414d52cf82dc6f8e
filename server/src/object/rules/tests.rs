//! The attribute table applied: what clients may set, change and delete, and when.

use kmip_codec::spec::{AttributeKind, FieldRow, attributes, enumeration_of};
use kmip_codec::ttlv::Blob;

use super::*;
use crate::object::sample as object;

const NOW: i64 = 1_000_000;
const V: Version = Version::V2_1;

/// Two different values of a kind. Dates lie in the future.
fn values(tag: Tag, kind: AttributeKind) -> [Value; 2] {
    let fields = |rows: &'static [FieldRow], which: usize| {
        let field = |row: &FieldRow| {
            let [one, two] = values(row.tag, row.kind);
            Element::new(row.tag, if which == 0 { one } else { two })
        };
        Value::Structure(rows.iter().filter(|row| row.since <= V && row.until.is_none()).map(field).collect())
    };
    match kind {
        AttributeKind::Integer | AttributeKind::Mask(_) => [Value::Integer(1), Value::Integer(2)],
        AttributeKind::LongInteger => [Value::LongInteger(10), Value::LongInteger(20)],
        AttributeKind::BigInteger => [1, 2].map(|byte| Value::BigInteger(Blob::copy_of(&[byte; 8]))),
        AttributeKind::Boolean => [Value::Boolean(true), Value::Boolean(false)],
        AttributeKind::Text | AttributeKind::Identifier | AttributeKind::Any => {
            ["x", "other"].map(|text| Value::TextString(text.into()))
        }
        AttributeKind::Bytes => [1, 2].map(|byte| Value::ByteString(Blob::copy_of(&[byte]))),
        AttributeKind::DateTime => [Value::DateTime(NOW + 10), Value::DateTime(NOW + 20)],
        AttributeKind::Interval => [Value::Interval(1), Value::Interval(2)],
        AttributeKind::Enumeration => {
            let values = enumeration_of(tag).map(|info| info.values).unwrap_or_default();
            let mut known = values.iter().filter(|row| V.within(row.since, row.until)).map(|row| row.value);
            let first = known.next().unwrap_or(0x8000_0001);
            [first, known.next().unwrap_or(0x8000_0002)].map(Value::Enumeration)
        }
        AttributeKind::Structure(rows) => [fields(rows, 0), fields(rows, 1)],
    }
}

fn reason<T>(outcome: Outcome<T>) -> Result<(), ResultReason> {
    outcome.map(|_| ()).map_err(|failure| failure.reason)
}

/// Every row of 2.1, as an attribute of some object that may have it.
fn rows() -> impl Iterator<Item = (&'static AttributeRow, ObjectType, [Attribute; 2])> {
    let types = [ObjectType::SymmetricKey, ObjectType::Certificate, ObjectType::OpaqueObject, ObjectType::PGPKey];
    attributes().iter().filter(|row| row.known_in(V) && row.tag != Tag::Attribute).filter_map(move |row| {
        let kind = types.into_iter().find(|&kind| row.applies_to(kind, V))?;
        Some((row, kind, values(row.tag, row.kind).map(|value| Attribute::new(row.tag, value))))
    })
}

#[test]
fn a_client_gives_a_new_object_what_the_table_lets_it() {
    for (row, kind, [one, two]) in rows() {
        let may = row.set_by.intersects(Setters::CLIENT | Setters::REQUEST);
        let expected = if may { Ok(()) } else { Err(ResultReason::ReadOnlyAttribute) };
        assert_eq!(reason(admit(vec![one.clone()], kind, V)), expected, "{}", row.name());
        if may {
            let several = if row.is_multi(kind) { Ok(()) } else { Err(ResultReason::AttributeSingleValued) };
            assert_eq!(reason(admit(vec![one, two], kind, V)), several, "{}", row.name());
        }
    }
}

#[test]
fn adding_changing_and_deleting_follow_the_table_in_every_state() {
    for (row, kind, [one, two]) in rows() {
        for state in [State::PreActive, State::Active, State::Deactivated, State::Compromised] {
            let name = format!("{} in {state}", row.name());
            let holds = |condition| match condition {
                Condition::Always | Condition::IfDataOmitted | Condition::OwnOnly | Condition::BeforeUse => true,
                Condition::Never | Condition::IfAbsent => false,
                Condition::PreActive => state == State::PreActive,
                Condition::PreActiveOrActive | Condition::BeforeItsTime => {
                    matches!(state, State::PreActive | State::Active)
                }
            };
            let mut with = object(kind, state);
            with.attributes.add(one.clone());
            let reference = one.reference();
            let present = with.attributes.all(&reference).next().and_then(|attribute| attribute.index).unwrap();

            let changed = modify(&mut with.clone(), &reference, present, two.value.clone(), V, false, NOW);
            assert_eq!(changed.is_ok(), holds(row.modify_client), "modify {name}: {changed:?}");

            let gone = delete(&mut with.clone(), &reference, present, V, false, NOW);
            let may_go = holds(row.delete_client) && !row.is_always(kind, V);
            assert_eq!(gone.is_ok(), may_go, "delete {name}: {gone:?}");

            let mut without = object(kind, state);
            let had = without.attributes.has(row.tag);
            let added = add(&mut without, one.clone(), V, NOW);
            let late =
                !matches!(row.modify_client, Condition::Never | Condition::IfAbsent) && !holds(row.modify_client);
            let may_add = row.set_by.contains(Setters::CLIENT) && !late && !had;
            assert_eq!(added.is_ok(), may_add, "add {name}: {added:?}");

            let again = add(&mut with, two.clone(), V, NOW);
            let may_repeat = row.set_by.contains(Setters::CLIENT) && !late && row.is_multi(kind);
            assert_eq!(again.is_ok(), may_repeat, "add a second {name}: {again:?}");
        }
    }
}

/// Facts of the text, by value: what the table must say for the tests above to mean anything.
#[test]
fn facts_of_the_text() {
    let text = |tag, text: &str| Attribute::new(tag, Value::TextString(text.into()));
    let date = |tag, seconds| Attribute::new(tag, Value::DateTime(seconds));
    let key = ObjectType::SymmetricKey;
    let read_only = Err(ResultReason::ReadOnlyAttribute);
    for tag in [Tag::State, Tag::InitialDate, Tag::LastChangeDate, Tag::DestroyDate, Tag::CompromiseDate] {
        let [value, _] = values(tag, attribute_by_tag(tag).unwrap().kind);
        assert_eq!(reason(admit(vec![Attribute::new(tag, value.clone())], key, V)), read_only);
        assert_eq!(reason(add(&mut object(key, State::Active), Attribute::new(tag, value), V, NOW)), read_only);
    }
    let algorithm = Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(3));
    assert_eq!(reason(admit(vec![algorithm.clone()], key, V)), Ok(()));
    assert_eq!(reason(add(&mut object(key, State::PreActive), algorithm, V, NOW)), read_only);

    let groups = vec![text(Tag::ObjectGroup, "a"), text(Tag::ObjectGroup, "b")];
    assert_eq!(reason(admit(groups, key, V)), Ok(()));
    let twins = vec![text(Tag::ObjectGroup, "a"), text(Tag::ObjectGroup, "a")];
    assert_eq!(reason(admit(twins, key, V)), Err(ResultReason::InvalidAttributeValue));

    let name = || Attribute::new(Tag::Name, values(Tag::Name, attribute_by_tag(Tag::Name).unwrap().kind)[0].clone());
    assert_eq!(reason(admit(vec![name(), name()], key, V)), Err(ResultReason::NonUniqueNameAttribute));

    let activation = date(Tag::ActivationDate, NOW + 5);
    assert_eq!(reason(add(&mut object(key, State::PreActive), activation.clone(), V, NOW)), Ok(()));
    let late = Err(ResultReason::WrongKeyLifecycleState);
    assert_eq!(reason(add(&mut object(key, State::Active), activation, V, NOW)), late);
    let stop = date(Tag::ProtectStopDate, NOW + 5);
    assert_eq!(reason(add(&mut object(key, State::Deactivated), stop, V, NOW)), late);
    let backwards = vec![date(Tag::ActivationDate, 20), date(Tag::DeactivationDate, 10)];
    assert_eq!(reason(admit(backwards, key, V)), Err(ResultReason::InvalidAttributeValue));

    let mut reached = object(key, State::Active);
    reached.attributes.add(date(Tag::ProtectStopDate, NOW));
    let tag = AttributeReference::Tag(Tag::ProtectStopDate);
    let later = Value::DateTime(NOW + 9);
    assert_eq!(reason(modify(&mut reached, &tag, 0, later, V, false, NOW)), read_only);

    let certificate = text(Tag::ContactInformation, "me");
    assert_eq!(reason(admit(vec![certificate], ObjectType::Certificate, V)), Ok(()));
    let length = Attribute::new(Tag::CertificateLength, Value::Integer(9));
    assert_eq!(reason(admit(vec![length], key, V)), Err(ResultReason::InvalidAttribute));
}

#[test]
fn usage_limits_begin_full_and_stand_once_used() {
    let limits = |total, count| {
        Value::Structure(vec![
            Element::new(Tag::UsageLimitsTotal, Value::LongInteger(total)),
            Element::new(Tag::UsageLimitsCount, Value::LongInteger(count)),
            Element::new(Tag::UsageLimitsUnit, Value::Enumeration(UsageLimitsUnit::Object.into())),
        ])
    };
    let given = vec![Attribute::new(Tag::UsageLimits, limits(10, 3))];
    let admitted = admit(given, ObjectType::SymmetricKey, V).unwrap();
    assert_eq!(admitted[0].value.find(Tag::UsageLimitsCount), Some(&Value::LongInteger(10)));
    let mut key = object(ObjectType::SymmetricKey, State::Active);
    key.attributes.add(admitted[0].clone());
    let reference = AttributeReference::Tag(Tag::UsageLimits);
    let change = |key: &mut Managed, used| modify(key, &reference, 0, limits(20, 20), V, used, NOW);
    assert_eq!(reason(change(&mut key.clone(), true)), Err(ResultReason::ReadOnlyAttribute));
    assert_eq!(reason(change(&mut key, false)), Ok(()));
    // The total alone: the unit stays, and the count is the new total.
    let total = Value::Structure(vec![Element::new(Tag::UsageLimitsTotal, Value::LongInteger(7))]);
    assert_eq!(reason(modify(&mut key, &reference, 0, total.clone(), V, false, NOW)), Ok(()));
    assert_eq!(key.attributes.get(Tag::UsageLimits), Some(&limits(7, 7)));
    // The count is not the client's, and half of it is no limit.
    let counted = modify(&mut key, &reference, 0, limits(9, 8), V, false, NOW);
    assert_eq!(reason(counted), Err(ResultReason::ReadOnlyAttribute));
    let mut bare = object(ObjectType::SymmetricKey, State::Active);
    let half = add(&mut bare, Attribute::new(Tag::UsageLimits, total), V, NOW);
    assert_eq!(reason(half), Err(ResultReason::InvalidAttributeValue));
    let counted = add(&mut bare, Attribute::new(Tag::UsageLimits, limits(9, 8)), V, NOW);
    assert_eq!(reason(counted), Err(ResultReason::ReadOnlyAttribute));
}

#[test]
fn vendor_attributes_are_their_vendors() {
    let vendor = |vendor: &str, name: &str| {
        let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
        let value = text(Tag::AttributeValue, "v");
        let fields = vec![text(Tag::VendorIdentification, vendor), text(Tag::AttributeName, name), value];
        Attribute::new(Tag::Attribute, Value::Structure(fields))
    };
    let admitted = |attribute| reason(admit(vec![attribute], ObjectType::OpaqueObject, V));
    assert_eq!(admitted(vendor("x", "a")), Ok(()));
    assert_eq!(admitted(vendor("ACME.1", "a b")), Ok(()));
    assert_eq!(admitted(vendor("y", "a")), Err(ResultReason::ReadOnlyAttribute));
    assert_eq!(admitted(vendor("a-b", "a")), Err(ResultReason::InvalidAttributeValue));
    assert_eq!(admitted(vendor("x", "")), Err(ResultReason::InvalidAttributeValue));
    let both = vec![vendor("x", "a"), vendor("x", "b")];
    assert_eq!(reason(admit(both, ObjectType::OpaqueObject, V)), Ok(()));
}
