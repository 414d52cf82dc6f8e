//! Whether a value is what the attribute table says, in a version.

use std::borrow::Cow;

use crate::schema::wrong_type;
use crate::spec::{AttributeKind, AttributeRow, FieldRow, Tag, Version, attribute_by_tag, enumeration_of};
use crate::ttlv::{Element, Error, ErrorKind, ItemType, Result, Value};
use crate::types::{Attribute, vendor};

/// Checks an attribute's value, and every field that is there of a structured one.
///
/// # Errors
/// What the version does not have, or what the standard's table of the attribute requires; the path begins below the
/// attribute.
pub fn check(row: &AttributeRow, value: &Value, version: Version) -> Result<()> {
    check_kind(row.tag, &row.kind, value, version)
}

/// The attribute as a version can write it: without the fields that the version does not have. `None` if the version does
/// not have the attribute, or a value that the attribute cannot do without.
pub(super) fn fitted(attribute: &Attribute, version: Version) -> Option<Cow<'_, Attribute>> {
    match attribute.tag {
        Tag::Attribute if version.is_v2() => {
            let row = attribute_by_tag(attribute.tag)?;
            check(row, &attribute.value, version).and_then(|()| complete(row, &attribute.value)).ok()?;
            Some(Cow::Borrowed(attribute))
        }
        // 1.x has x- and y- alone, and a value in every message that this server sends.
        Tag::Attribute => {
            let custom = vendor(&attribute.value).is_some_and(|(vendor, _)| super::v1::is_custom(vendor));
            (custom && attribute.value.find(Tag::AttributeValue).is_some()).then_some(Cow::Borrowed(attribute))
        }
        // The row stands for names that begin with x- or y-; their instances have the tag Attribute.
        Tag::CustomAttribute => None,
        tag => {
            let row = attribute_by_tag(tag).filter(|row| row.known_in(version))?;
            if check(row, &attribute.value, version).is_ok() {
                return Some(Cow::Borrowed(attribute));
            }
            let value = without_later_fields(row, &attribute.value, version)?;
            check(row, &value, version).and_then(|()| complete(row, &value)).ok()?;
            Some(Cow::Owned(Attribute { tag, index: attribute.index, value }))
        }
    }
}

fn without_later_fields(row: &AttributeRow, value: &Value, version: Version) -> Option<Value> {
    let (AttributeKind::Structure(rows), Value::Structure(elements)) = (row.kind, value) else { return None };
    let fits = |element: &&Element| {
        let row = rows.iter().find(|row| row.tag == element.tag);
        row.is_some_and(|row| {
            version.within(row.since, row.until) && check_kind(row.tag, &row.kind, &element.value, version).is_ok()
        })
    };
    let left: Vec<Element> = elements.iter().filter(fits).cloned().collect();
    (!left.is_empty()).then_some(Value::Structure(left))
}

fn check_kind(tag: Tag, kind: &AttributeKind, value: &Value, version: Version) -> Result<()> {
    let expected = match (kind, value) {
        (AttributeKind::Integer | AttributeKind::Mask(_), Value::Integer(_))
        | (AttributeKind::LongInteger, Value::LongInteger(_))
        | (AttributeKind::BigInteger, Value::BigInteger(_))
        | (AttributeKind::Boolean, Value::Boolean(_))
        | (AttributeKind::Text, Value::TextString(_))
        | (AttributeKind::Bytes, Value::ByteString(_))
        | (AttributeKind::DateTime, Value::DateTime(_))
        | (AttributeKind::Interval, Value::Interval(_))
        | (AttributeKind::Any, _) => return Ok(()),
        (AttributeKind::Identifier, Value::TextString(_)) => return Ok(()),
        (AttributeKind::Identifier, Value::Enumeration(_) | Value::Integer(_)) if version.is_v2() => return Ok(()),
        (AttributeKind::Enumeration, Value::Enumeration(code)) => return check_enumeration(tag, *code, version),
        (AttributeKind::Structure(rows), Value::Structure(_)) => return check_structure(rows, value, version),
        (AttributeKind::Integer | AttributeKind::Mask(_), _) => ItemType::Integer,
        (AttributeKind::LongInteger, _) => ItemType::LongInteger,
        (AttributeKind::BigInteger, _) => ItemType::BigInteger,
        (AttributeKind::Boolean, _) => ItemType::Boolean,
        (AttributeKind::Text | AttributeKind::Identifier, _) => ItemType::TextString,
        (AttributeKind::Bytes, _) => ItemType::ByteString,
        (AttributeKind::DateTime, _) => ItemType::DateTime,
        (AttributeKind::Interval, _) => ItemType::Interval,
        (AttributeKind::Enumeration, _) => ItemType::Enumeration,
        (AttributeKind::Structure(_), _) => ItemType::Structure,
    };
    Err(wrong_type(expected.name(), value))
}

fn check_enumeration(tag: Tag, code: u32, version: Version) -> Result<()> {
    let Some(info) = enumeration_of(tag) else { return Ok(()) };
    if info.allows(code, version) {
        Ok(())
    } else {
        Err(Error::of(ErrorKind::UnknownEnumeration { value: code, version }))
    }
}

fn check_structure(rows: &[FieldRow], value: &Value, version: Version) -> Result<()> {
    for element in value.elements() {
        let fail = |kind| Error::new(kind, element.offset as usize);
        let Some(row) = rows.iter().find(|row| row.tag == element.tag) else {
            return Err(fail(ErrorKind::Unexpected(element.tag)));
        };
        if !version.within(row.since, row.until) {
            return Err(fail(ErrorKind::NotInVersion { tag: element.tag, version }));
        }
        check_kind(row.tag, &row.kind, &element.value, version)
            .map_err(|error| error.at(element.offset).within(element.tag))?;
    }
    let twice = rows.iter().filter(|row| !row.multi).find(|row| count(value, row.tag) > 1);
    twice.map_or(Ok(()), |row| Err(Error::of(ErrorKind::Repeated(row.tag))))
}

/// Whether a value that is to be kept has every field that the table requires; a value to search for need not.
///
/// # Errors
/// The field that is missing.
pub fn complete(row: &AttributeRow, value: &Value) -> Result<()> {
    let AttributeKind::Structure(rows) = row.kind else { return Ok(()) };
    let missing = rows.iter().filter(|row| row.required).find(|row| count(value, row.tag) == 0);
    missing.map_or(Ok(()), |field| Err(Error::of(ErrorKind::Missing(field.tag)).within(row.tag)))
}

fn count(value: &Value, tag: Tag) -> usize {
    value.elements().iter().filter(|element| element.tag == tag).count()
}
