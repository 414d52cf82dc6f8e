//! Applies the attribute table: who may set, change and delete what, and when (KMIP 2.1 §4).

use kmip_codec::dialect::complete;
use kmip_codec::spec::{
    AttributeRow, Condition, ObjectType, ResultReason, Setters, State, Tag, UsageLimitsUnit, Version, attribute_by_tag,
};
use kmip_codec::types::{Attribute, AttributeReference, vendor};
use kmip_codec::{Element, Value};

use super::{AttributeSet, Managed};
use crate::failure::{Failure, Outcome};

/// The vendor that stands for the server itself.
const SERVER: &str = "y";

/// Checks the attributes that a client gives a new object of a type, and answers them as they are to be kept.
///
/// # Errors
/// Invalid Attribute for one that such objects do not have, Read Only Attribute for one that only the server sets,
/// Attribute Single Valued, Invalid Attribute Value.
pub fn admit(attributes: Vec<Attribute>, object: ObjectType, version: Version) -> Outcome<Vec<Attribute>> {
    let mut admitted: Vec<Attribute> = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let row = applicable(&attribute.reference(), object, version)?;
        settable(row, &attribute, Setters::CLIENT | Setters::REQUEST)?;
        let twin = |other: &&Attribute| other.tag == attribute.tag && other.tag != Tag::Attribute;
        if !row.is_multi(object) && admitted.iter().find(twin).is_some() {
            return Err(single(row));
        }
        if admitted.iter().any(|other| other.tag == attribute.tag && other.value == attribute.value) {
            return Err(repeated(row));
        }
        admitted.push(Attribute { value: begun(row.tag, attribute.value), ..attribute });
    }
    dated(&admitted)?;
    Ok(admitted)
}

/// Whether the dates of an object to be are in their order.
///
/// # Errors
/// Invalid Attribute Value.
pub fn dated(attributes: &[Attribute]) -> Outcome<()> {
    consistent_dates(&|tag| {
        attributes.iter().find(|attribute| attribute.tag == tag).and_then(|attribute| date(&attribute.value))
    })
}

/// Whether objects of this type may have several instances of an attribute.
pub fn is_multi(reference: &AttributeReference, object: ObjectType) -> bool {
    match reference {
        AttributeReference::Vendor { .. } => true,
        AttributeReference::Tag(tag) => attribute_by_tag(*tag).is_some_and(|row| row.is_multi(object)),
    }
}

/// Whether an object may have so many attributes.
///
/// # Errors
/// Server Limit Exceeded.
pub fn bounded(attributes: &AttributeSet, maximum: usize) -> Outcome<()> {
    if attributes.len() <= maximum {
        return Ok(());
    }
    Err(Failure::new(
        ResultReason::ServerLimitExceeded,
        format!("an object has at most {maximum} attributes here, every instance counted"),
    ))
}

/// Checks the attributes that an object brings from another server. Who sets them, and when, is no matter then; what they
/// are and how many there may be of each is (KMIP 2.1 §6.1.25).
///
/// # Errors
/// As [`admit`], but for Read Only Attribute.
pub fn carry(attributes: Vec<Attribute>, object: ObjectType, version: Version) -> Outcome<Vec<Attribute>> {
    let mut carried: Vec<Attribute> = Vec::with_capacity(attributes.len());
    for attribute in attributes {
        let row = applicable(&attribute.reference(), object, version)?;
        complete(row, &attribute.value).map_err(invalid_value)?;
        in_range(row, &attribute.value)?;
        let twin = |other: &&Attribute| other.tag == attribute.tag && other.tag != Tag::Attribute;
        if !row.is_multi(object) && carried.iter().find(twin).is_some() {
            return Err(single(row));
        }
        if carried.iter().any(|other| other.tag == attribute.tag && other.value == attribute.value) {
            return Err(repeated(row));
        }
        // The count of Usage Limits is carried too; where it is not said, all of them are left.
        let counted = row.tag != Tag::UsageLimits || attribute.value.find(Tag::UsageLimitsCount).is_some();
        let value = if counted { attribute.value } else { begun(row.tag, attribute.value) };
        carried.push(Attribute { value, ..attribute });
    }
    consistent_dates(&|tag| {
        carried.iter().find(|attribute| attribute.tag == tag).and_then(|attribute| date(&attribute.value))
    })?;
    Ok(carried)
}

/// Adds an instance on a client's behalf, and answers its number.
///
/// # Errors
/// As [`admit`]; and Read Only Attribute for a date that may not be set any more.
pub fn add(object: &mut Managed, attribute: Attribute, version: Version, now: i64) -> Outcome<i32> {
    let kind = object.object_type();
    let reference = attribute.reference();
    let row = applicable(&reference, kind, version)?;
    settable(row, &attribute, Setters::CLIENT)?;
    if row.modify_client != Condition::Never && row.modify_client != Condition::IfAbsent {
        permit(row, row.modify_client, object, None, false, now)?;
    }
    if object.attributes.all(&reference).next().is_some() && !row.is_multi(kind) {
        return Err(single(row));
    }
    if object.attributes.all(&reference).any(|other| other.value == attribute.value) {
        return Err(repeated(row));
    }
    uncounted(row, &attribute.value)?;
    let value = begun(row.tag, attribute.value);
    let index = object.attributes.add(Attribute { value, ..attribute });
    consistent_dates(&|tag| object.attributes.date(tag))?;
    object.touch(now);
    Ok(index)
}

/// Changes the value of an instance on a client's behalf. `used` says whether usage has been taken.
///
/// # Errors
/// Read Only Attribute where the table or the present state forbids it; Attribute Instance Not Found.
pub fn modify(
    object: &mut Managed,
    reference: &AttributeReference,
    index: i32,
    value: Value,
    version: Version,
    used: bool,
    now: i64,
) -> Outcome<()> {
    let row = applicable(reference, object.object_type(), version)?;
    let present = object.attributes.all(reference).find(|attribute| attribute.index == Some(index)).cloned();
    let present = present.ok_or_else(|| no_instance(row))?;
    let value = merged(row, &present.value, value)?;
    complete(row, &value).map_err(invalid_value)?;
    permit(row, row.modify_client, object, Some(&present.value), used, now)?;
    in_range(row, &value)?;
    if object.attributes.all(reference).any(|other| other.index != Some(index) && other.value == value) {
        return Err(repeated(row));
    }
    object.attributes.change(reference, index, begun(row.tag, value));
    consistent_dates(&|tag| object.attributes.date(tag))?;
    object.touch(now);
    Ok(())
}

/// Deletes an instance on a client's behalf, and answers it.
///
/// # Errors
/// Read Only Attribute where the table or the present state forbids it; Attribute Instance Not Found.
pub fn delete(
    object: &mut Managed,
    reference: &AttributeReference,
    index: i32,
    version: Version,
    used: bool,
    now: i64,
) -> Outcome<Attribute> {
    let kind = object.object_type();
    let row = applicable(reference, kind, version)?;
    let present = object.attributes.all(reference).find(|attribute| attribute.index == Some(index)).cloned();
    let present = present.ok_or_else(|| no_instance(row))?;
    if row.is_always(kind, version) && object.attributes.all(reference).count() == 1 {
        return Err(read_only(row, "must always have a value"));
    }
    permit(row, row.delete_client, object, Some(&present.value), used, now)?;
    let removed = object.attributes.remove(reference, index).ok_or_else(|| no_instance(row))?;
    object.touch(now);
    Ok(removed)
}

/// The row of an attribute that objects of this type may have.
///
/// # Errors
/// Invalid Attribute.
pub fn applicable(
    reference: &AttributeReference,
    object: ObjectType,
    version: Version,
) -> Outcome<&'static AttributeRow> {
    let row = match reference {
        // Custom attributes of 1.x and vendor attributes of 2.x are one thing here, and every object may have them.
        AttributeReference::Vendor { .. } => return vendor_row(),
        AttributeReference::Tag(tag) => attribute_by_tag(*tag),
    };
    match row {
        Some(row) if row.applies_to(object, version) => Ok(row),
        Some(row) => Err(Failure::new(
            ResultReason::InvalidAttribute,
            format!("a {object} has no {} in KMIP {version}", row.name()),
        )),
        None => Err(Failure::new(ResultReason::InvalidAttribute, "there is no such attribute")),
    }
}

fn vendor_row() -> Outcome<&'static AttributeRow> {
    attribute_by_tag(Tag::Attribute).ok_or_else(|| Failure::internal("the attribute table has no vendor attributes"))
}

/// Whether a client may set the attribute while it has no value.
fn settable(row: &AttributeRow, attribute: &Attribute, by: Setters) -> Outcome<()> {
    complete(row, &attribute.value).map_err(invalid_value)?;
    if let Some((vendor, name)) = vendor(&attribute.value).filter(|_| attribute.tag == Tag::Attribute) {
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'.';
        if vendor.is_empty() || !vendor.bytes().all(plain) {
            return Err(Failure::new(
                ResultReason::InvalidAttributeValue,
                "a Vendor Identification has letters, digits, underscores and periods alone",
            ));
        }
        if name.is_empty() {
            return Err(Failure::new(ResultReason::InvalidAttributeValue, "an Attribute Name is not empty"));
        }
        if &**vendor == SERVER {
            return Err(read_only(row, "of the vendor y is the server's to set"));
        }
        return Ok(());
    }
    if !row.set_by.intersects(by) {
        return Err(read_only(row, "is set by the server alone"));
    }
    in_range(row, &attribute.value)
}

/// Values that have the right type and are wrong nevertheless.
fn in_range(row: &AttributeRow, value: &Value) -> Outcome<()> {
    let wrong = |rule: &str| Err(Failure::new(ResultReason::InvalidAttributeValue, format!("{} {rule}", row.name())));
    match (row.tag, value) {
        (Tag::CryptographicLength | Tag::CertificateLength, Value::Integer(length)) if *length < 0 => {
            wrong("is not negative")
        }
        (Tag::Name, value) if value.find(Tag::NameValue).and_then(Value::text).is_none_or(str::is_empty) => {
            wrong("is not empty")
        }
        (Tag::UsageLimits, value) => match (value.find(Tag::UsageLimitsTotal), value.find(Tag::UsageLimitsUnit)) {
            // Limits that do not say how much of what limit nothing.
            (None, _) | (_, None) => wrong("has a total and a unit"),
            (Some(Value::LongInteger(total)), _) if *total < 0 => wrong("has a total that is not negative"),
            (_, Some(Value::Enumeration(unit)))
                if !matches!(UsageLimitsUnit(*unit), UsageLimitsUnit::Byte | UsageLimitsUnit::Object) =>
            {
                wrong("counts bytes or objects")
            }
            _ => Ok(()),
        },
        _ => Ok(()),
    }
}

/// The count of Usage Limits is the server's to set (KMIP 2.1 §4.59); one that says what the server would set is no harm.
fn uncounted(row: &AttributeRow, value: &Value) -> Outcome<()> {
    let count = value.find(Tag::UsageLimitsCount).filter(|_| row.tag == Tag::UsageLimits);
    if count.is_some() && count != value.find(Tag::UsageLimitsTotal) {
        return Err(read_only(row, "has a count that the server alone sets"));
    }
    Ok(())
}

/// A new value; of Usage Limits a client may correct the total or the unit alone.
fn merged(row: &AttributeRow, present: &Value, value: Value) -> Outcome<Value> {
    uncounted(row, &value)?;
    match value {
        Value::Structure(mut elements) if row.tag == Tag::UsageLimits => {
            for (place, tag) in [(0, Tag::UsageLimitsTotal), (elements.len(), Tag::UsageLimitsUnit)] {
                let has = elements.iter().any(|element| element.tag == tag);
                if let Some(present) = present.find(tag).filter(|_| !has) {
                    elements.insert(place.min(elements.len()), Element::new(tag, present.clone()));
                }
            }
            Ok(Value::Structure(elements))
        }
        other => Ok(other),
    }
}

/// A value as it is kept at first: the count of Usage Limits is the server's, and begins at the total.
pub fn begun(tag: Tag, value: Value) -> Value {
    match value {
        Value::Structure(mut elements) if tag == Tag::UsageLimits => {
            elements.retain(|element| element.tag != Tag::UsageLimitsCount);
            let total = elements.iter().find(|element| element.tag == Tag::UsageLimitsTotal).cloned();
            if let Some(Element { value, .. }) = total {
                elements.insert(1.min(elements.len()), Element::new(Tag::UsageLimitsCount, value));
            }
            Value::Structure(elements)
        }
        other => other,
    }
}

fn permit(
    row: &AttributeRow,
    condition: Condition,
    object: &Managed,
    present: Option<&Value>,
    used: bool,
    now: i64,
) -> Outcome<()> {
    let state = object.state();
    let early = matches!(state, State::PreActive | State::Active);
    match condition {
        Condition::Always => Ok(()),
        Condition::Never => Err(read_only(row, "cannot be changed by a client")),
        Condition::PreActive if state == State::PreActive => Ok(()),
        Condition::PreActive => Err(too_late(row, "can be changed in the state Pre-Active alone")),
        Condition::PreActiveOrActive if early => Ok(()),
        Condition::PreActiveOrActive => Err(too_late(row, "can be changed in the states Pre-Active and Active alone")),
        Condition::BeforeItsTime if early && present.and_then(date).is_none_or(|date| date > now) => Ok(()),
        Condition::BeforeItsTime if early => Err(read_only(row, "can be changed before it is reached")),
        Condition::BeforeItsTime => Err(too_late(row, "can be changed in the states Pre-Active and Active")),
        Condition::BeforeUse if !used => Ok(()),
        Condition::BeforeUse => Err(read_only(row, "cannot be changed once usage was taken")),
        Condition::IfAbsent if present.is_none() => Ok(()),
        Condition::IfAbsent => Err(read_only(row, "cannot be changed once it is set")),
        Condition::IfDataOmitted => Ok(()),
        Condition::OwnOnly if present.and_then(vendor).is_none_or(|(vendor, _)| &**vendor != SERVER) => Ok(()),
        Condition::OwnOnly => Err(read_only(row, "of the vendor y is the server's")),
    }
}

/// Process Start Date is not before Activation Date, Protect Stop Date not after Deactivation Date, and nothing ends
/// before it begins (KMIP 2.1 §4.1, §4.18, §4.40, §4.41).
fn consistent_dates(date: &dyn Fn(Tag) -> Option<i64>) -> Outcome<()> {
    let order = [
        (Tag::ActivationDate, Tag::ProcessStartDate),
        (Tag::ActivationDate, Tag::DeactivationDate),
        (Tag::ActivationDate, Tag::ProtectStopDate),
        (Tag::ProtectStopDate, Tag::DeactivationDate),
        (Tag::ProcessStartDate, Tag::DeactivationDate),
    ];
    let wrong =
        order.into_iter().find(|&(early, late)| matches!((date(early), date(late)), (Some(a), Some(b)) if a > b));
    match wrong {
        Some((early, late)) => {
            Err(Failure::new(ResultReason::InvalidAttributeValue, format!("the {late} is before the {early}")))
        }
        None => Ok(()),
    }
}

fn date(value: &Value) -> Option<i64> {
    match value {
        Value::DateTime(seconds) => Some(*seconds),
        _ => None,
    }
}

fn read_only(row: &AttributeRow, why: &str) -> Failure {
    Failure::new(ResultReason::ReadOnlyAttribute, format!("{} {why}", row.name()))
}

/// The state of the object forbids it: the error tables of the attribute operations have a reason for that since 2.1.
fn too_late(row: &AttributeRow, why: &str) -> Failure {
    Failure::new(ResultReason::WrongKeyLifecycleState, format!("{} {why}", row.name()))
        .before(Version::V2_1, ResultReason::PermissionDenied)
}

fn single(row: &AttributeRow) -> Failure {
    Failure::new(ResultReason::AttributeSingleValued, format!("an object has one {}", row.name()))
}

fn repeated(row: &AttributeRow) -> Failure {
    // A Name is unique among all objects, this one included.
    let reason = match row.tag {
        Tag::Name => ResultReason::NonUniqueNameAttribute,
        _ => ResultReason::InvalidAttributeValue,
    };
    Failure::new(reason, format!("the object has this very {} already", row.name()))
}

fn no_instance(row: &AttributeRow) -> Failure {
    Failure::new(ResultReason::AttributeInstanceNotFound, format!("the object has no such instance of {}", row.name()))
}

fn invalid_value(error: Box<kmip_codec::Error>) -> Failure {
    Failure::new(ResultReason::InvalidAttributeValue, error.to_string())
}

#[cfg(test)]
mod tests;
