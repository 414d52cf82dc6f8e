//! The operations on attributes.

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicUsageMask as Mask, Operation, ResultReason, Tag, Version};
use kmip_codec::types::{Attribute, AttributeReference};
use kmipd::ops;
use kmipd::ops::attribute::Response;

use crate::cell::Cell;
use crate::harness::kmip::{self, delete, modify, new_attribute, object, text, vendor};

fn marked(tag: Tag, mark: &str) -> Attribute {
    text(tag, mark)
}

/// What an answer says of the changed instance: 1.x says it, 2.x does not.
fn assert_said(cell: &Cell, response: &Response, index: i32, value: &Value) {
    match &response.attribute.0 {
        Some(said) => {
            assert!(!cell.is_v2());
            assert_eq!((said.index.unwrap_or(0), &said.value), (index, value));
        }
        None => assert!(cell.is_v2()),
    }
}

pub(crate) fn get_attributes(cell: &mut Cell) {
    let own = vendor("x", "disk", Value::Integer(7));
    let key = cell.key(Mask::ENCRYPT, vec![own.clone(), marked(Tag::ContactInformation, "desk")]);
    let reference = own.reference();
    assert_eq!(cell.kmip.values(&key, reference.clone()), [own.value]);
    assert_eq!(cell.kmip.values(&key, Tag::ContactInformation), [Value::TextString("desk".into())]);
    assert_eq!(cell.kmip.values(&key, Tag::ObjectGroup), []);
    // Those that are asked for, in their order; else all that the version knows.
    let ask = kmip::get_attributes(Some(&key), vec![Tag::State.into(), reference, Tag::ObjectType.into()]);
    let some: ops::get_attributes::Response = cell.kmip.ask(Operation::GetAttributes, &ask);
    let tags: Vec<Tag> = some.attributes.0.iter().map(|attribute| attribute.tag).collect();
    assert_eq!(tags, [Tag::State, Tag::Attribute, Tag::ObjectType]);
    let all: ops::get_attributes::Response =
        cell.kmip.ask(Operation::GetAttributes, &kmip::get_attributes(Some(&key), vec![]));
    let has = |tag| all.attributes.0.iter().any(|attribute| attribute.tag == tag);
    for tag in [Tag::UniqueIdentifier, Tag::Name, Tag::InitialDate, Tag::LastChangeDate, Tag::CryptographicLength] {
        assert!(has(tag), "{tag}");
    }
    assert_eq!(has(Tag::Fresh), cell.version() >= Version::V1_1);
    assert_eq!(has(Tag::Extractable), cell.version() >= Version::V1_4);
    assert_eq!(has(Tag::ProtectionStorageMask), cell.is_v2());
    let twice = kmip::get_attributes(Some(&key), vec![Tag::State.into(), Tag::State.into()]);
    assert_eq!(cell.kmip.refusal(Operation::GetAttributes, &twice), ResultReason::InvalidField);
}

pub(crate) fn get_attribute_list(cell: &mut Cell) {
    let second = cell.name();
    let key = cell.key(Mask::ENCRYPT, vec![second, vendor("x", "disk", Value::Integer(7))]);
    let list: ops::get_attribute_list::Response = cell.kmip.ask(Operation::GetAttributeList, &object(Some(&key)));
    assert_eq!(list.unique_identifier, key);
    // Each once, and just those that Get Attributes gives.
    let all: ops::get_attributes::Response =
        cell.kmip.ask(Operation::GetAttributes, &kmip::get_attributes(Some(&key), vec![]));
    let mut expected: Vec<AttributeReference> = Vec::new();
    for reference in all.attributes.0.iter().map(Attribute::reference) {
        if !expected.contains(&reference) {
            expected.push(reference);
        }
    }
    assert_eq!(list.attributes.0, expected);
    assert!(expected.contains(&AttributeReference::Vendor { vendor: "x".into(), name: "disk".into() }));
}

pub(crate) fn add_attribute(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    let marks = [cell.mark(), cell.mark()];
    for (index, mark) in (0..).zip(&marks) {
        let group = marked(Tag::ObjectGroup, mark);
        let added: Response = cell.kmip.ask(Operation::AddAttribute, &new_attribute(Some(&key), group.clone()));
        assert_eq!(added.unique_identifier, key);
        assert_said(cell, &added, index, &group.value);
        assert_eq!(cell.kmip.locate(vec![group]), std::slice::from_ref(&key));
    }
    let values = cell.kmip.values(&key, Tag::ObjectGroup);
    assert_eq!(values, marks.map(|mark| Value::TextString(mark.as_str().into())));
    // A second one of what has one value; one that only the server sets.
    let contact = marked(Tag::ContactInformation, "desk");
    cell.kmip.ask::<Response>(Operation::AddAttribute, &new_attribute(Some(&key), contact.clone()));
    let other = new_attribute(Some(&key), marked(Tag::ContactInformation, "other"));
    let single = cell.reason(ResultReason::AttributeSingleValued);
    assert_eq!(cell.kmip.refusal(Operation::AddAttribute, &other), single);
    let date = new_attribute(Some(&key), kmip::date(Tag::InitialDate, 1));
    let read_only = cell.reason(ResultReason::ReadOnlyAttribute);
    assert_eq!(cell.kmip.refusal(Operation::AddAttribute, &date), read_only);
    assert_eq!(cell.kmip.value(&key, Tag::ContactInformation), contact.value);
}

pub(crate) fn set_attribute(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    for mark in [cell.mark(), cell.mark()] {
        let comment = marked(Tag::Comment, &mark);
        let set: Response = cell.kmip.ask(Operation::SetAttribute, &new_attribute(Some(&key), comment.clone()));
        assert_eq!(set.unique_identifier, key);
        assert_eq!(cell.kmip.value(&key, Tag::Comment), comment.value);
    }
    let second = new_attribute(Some(&key), cell.name());
    cell.kmip.ask::<Response>(Operation::AddAttribute, &second);
    let third = new_attribute(Some(&key), cell.name());
    assert_eq!(cell.kmip.refusal(Operation::SetAttribute, &third), ResultReason::MultiValuedAttribute);
    let state = new_attribute(Some(&key), kmip::enumeration(Tag::State, kmip_codec::spec::State::Active));
    assert_eq!(cell.kmip.refusal(Operation::SetAttribute, &state), ResultReason::ReadOnlyAttribute);
}

pub(crate) fn modify_attribute(cell: &mut Cell) {
    let key = cell.key(Mask::ENCRYPT, vec![]);
    let marks = [cell.mark(), cell.mark(), cell.mark()];
    for mark in &marks[..2] {
        let request = new_attribute(Some(&key), marked(Tag::ObjectGroup, mark));
        cell.kmip.ask::<Response>(Operation::AddAttribute, &request);
    }
    // The second one: by its value in 2.x, by its index in 1.x.
    let new = Attribute { index: (!cell.is_v2()).then_some(1), ..marked(Tag::ObjectGroup, &marks[2]) };
    let current = cell.is_v2().then(|| marked(Tag::ObjectGroup, &marks[1]));
    let changed: Response = cell.kmip.ask(Operation::ModifyAttribute, &modify(Some(&key), current, new.clone()));
    assert_eq!(changed.unique_identifier, key);
    assert_said(cell, &changed, 1, &new.value);
    let expected = [&marks[0], &marks[2]].map(|mark| Value::TextString(mark.as_str().into()));
    assert_eq!(cell.kmip.values(&key, Tag::ObjectGroup), expected);
    assert!(cell.kmip.locate(vec![marked(Tag::ObjectGroup, &marks[1])]).is_empty());
    assert_eq!(cell.kmip.locate(vec![marked(Tag::ObjectGroup, &marks[2])]), std::slice::from_ref(&key));
    // What is not there, and what stands for ever.
    let absent = modify(Some(&key), None, marked(Tag::ContactInformation, "desk"));
    let not_found = cell.reason(ResultReason::AttributeNotFound);
    assert_eq!(cell.kmip.refusal(Operation::ModifyAttribute, &absent), not_found);
    let length = modify(Some(&key), None, kmip::number(Tag::CryptographicLength, 128));
    let read_only = cell.reason(ResultReason::AttributeReadOnly);
    assert_eq!(cell.kmip.refusal(Operation::ModifyAttribute, &length), read_only);
    // A name is taken by one object.
    let taken = cell.name();
    cell.key(Mask::ENCRYPT, vec![taken.clone()]);
    let own = cell.kmip.value(&key, Tag::Name);
    let current = cell.is_v2().then(|| Attribute::new(Tag::Name, own));
    let reason = cell.reason(ResultReason::NonUniqueNameAttribute);
    assert_eq!(cell.kmip.refusal(Operation::ModifyAttribute, &modify(Some(&key), current, taken)), reason);
}

pub(crate) fn delete_attribute(cell: &mut Cell) {
    let own = vendor("x", "disk", Value::Integer(7));
    let groups = [cell.mark(), cell.mark(), cell.mark()];
    let mut more: Vec<Attribute> = groups.iter().map(|mark| marked(Tag::ObjectGroup, mark)).collect();
    more.push(own.clone());
    let key = cell.key(Mask::ENCRYPT, more);
    let gone: Response = cell.kmip.ask(Operation::DeleteAttribute, &delete(Some(&key), own.reference(), None));
    assert_eq!(gone.unique_identifier, key);
    assert_eq!(cell.kmip.values(&key, own.reference()), []);
    // One of three: by its value in 2.x, by its index in 1.x.
    let one = ops::attribute::DeleteRequest {
        current_attribute: kmip_codec::types::CurrentAttribute(
            cell.is_v2().then(|| marked(Tag::ObjectGroup, &groups[1])),
        ),
        attribute: kmip_codec::types::AttributeReferences(
            (!cell.is_v2()).then(|| Tag::ObjectGroup.into()).into_iter().collect(),
        ),
        attribute_index: (!cell.is_v2()).then_some(1),
        ..delete(Some(&key), Tag::ObjectGroup.into(), None)
    };
    let gone: Response = cell.kmip.ask(Operation::DeleteAttribute, &one);
    assert_said(cell, &gone, 1, &Value::TextString(groups[1].as_str().into()));
    let left = [&groups[0], &groups[2]].map(|mark| Value::TextString(mark.as_str().into()));
    assert_eq!(cell.kmip.values(&key, Tag::ObjectGroup), left);
    assert!(cell.kmip.locate(vec![marked(Tag::ObjectGroup, &groups[1])]).is_empty());
    // By reference alone: all in 2.x, the first in 1.x.
    cell.kmip.ask::<Response>(Operation::DeleteAttribute, &delete(Some(&key), Tag::ObjectGroup.into(), None));
    let left = if cell.is_v2() { 0 } else { 1 };
    assert_eq!(cell.kmip.values(&key, Tag::ObjectGroup).len(), left);
    // What is not there, and what must be.
    let not_found = cell.reason(ResultReason::AttributeNotFound);
    let absent = delete(Some(&key), Tag::ContactInformation.into(), None);
    assert_eq!(cell.kmip.refusal(Operation::DeleteAttribute, &absent), not_found);
    let read_only = cell.reason(ResultReason::AttributeReadOnly);
    let needed = delete(Some(&key), Tag::CryptographicLength.into(), None);
    assert_eq!(cell.kmip.refusal(Operation::DeleteAttribute, &needed), read_only);
}

pub(crate) fn adjust_attribute(cell: &mut Cell) {
    let counter = vendor("acme", "uses", Value::Integer(1));
    let key = cell.key(Mask::ENCRYPT, vec![counter.clone()]);
    let reference = counter.reference();
    let up = kmip::adjust(Some(&key), reference.clone(), Some(Value::Integer(41)));
    let adjusted: ops::activate::Response = cell.kmip.ask(Operation::AdjustAttribute, &up);
    assert_eq!(adjusted.unique_identifier, key);
    let values = cell.kmip.values(&key, reference);
    assert_eq!(values[0].find(Tag::AttributeValue), Some(&Value::Integer(42)));
    let fixed = kmip::adjust(Some(&key), Tag::CryptographicLength.into(), None);
    assert_eq!(cell.kmip.refusal(Operation::AdjustAttribute, &fixed), ResultReason::ReadOnlyAttribute);
    let text = kmip::adjust(Some(&key), Tag::UniqueIdentifier.into(), None);
    assert_eq!(cell.kmip.refusal(Operation::AdjustAttribute, &text), ResultReason::InvalidDataType);
}
