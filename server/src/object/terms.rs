//! By what an object is found: the terms that become index rows. The vault hashes them; nothing here is stored as it is.

use kmip_codec::Value;
use kmip_codec::spec::{AttributeKind, StorageStatusMask, Tag, Version, attribute_by_tag};
use kmip_codec::ttlv::Writer;
use kmip_codec::types::{Attribute, AttributeReference};

use super::Managed;

/// Bytes that stand for (owner, attribute, value).
pub type Term = Vec<u8>;

/// How an attribute is found by its exact value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// One row of its own, and only one object may have it.
    Unique,
    /// A row for each value: few objects share it, or it must be found among very many.
    Posting,
    /// A fingerprint in the object's row of the owner's order: many objects share it.
    Print,
    /// Not at all: the record is opened and compared.
    None,
}

/// How an attribute is indexed. As few rows as the filters need: each one costs a write at a random place.
pub fn index_of(tag: Tag) -> Index {
    match tag {
        Tag::Name => Index::Unique,
        Tag::ObjectGroup
        | Tag::State
        | Tag::Link
        | Tag::ApplicationSpecificInformation
        | Tag::AlternativeName
        | Tag::Attribute
        | Tag::X509CertificateIdentifier => Index::Posting,
        Tag::ObjectType
        | Tag::CryptographicAlgorithm
        | Tag::CryptographicLength
        | Tag::KeyFormatType
        | Tag::CertificateType
        | Tag::OperationPolicyName
        | Tag::ContactInformation
        | Tag::Sensitive
        | Tag::Extractable
        | Tag::Fresh
        | Tag::ShortUniqueIdentifier => Index::Print,
        _ => Index::None,
    }
}

/// All terms of an object, by index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Terms that no other object may have.
    pub unique: Vec<Term>,
    /// Terms with a row each.
    pub postings: Vec<Term>,
    /// Terms with a fingerprint.
    pub prints: Vec<Term>,
    /// When the sweeper must look at the object, in seconds.
    pub due: Option<i64>,
}

/// The terms of an object. A destroyed object keeps them, but for its names, which are free again.
pub fn terms(object: &Managed) -> Terms {
    let mut terms = Terms { due: object.due(), ..Terms::default() };
    terms.prints.push(status(&object.owner, object.storage_status()));
    for attribute in object.attributes.iter() {
        let list = match index_of(attribute.tag) {
            Index::Unique if object.is_destroyed() => &mut terms.postings,
            Index::Unique => &mut terms.unique,
            Index::Posting => &mut terms.postings,
            Index::Print => &mut terms.prints,
            Index::None => continue,
        };
        list.push(term(&object.owner, attribute));
    }
    terms
}

/// The term of one value, in our codec's canonical form.
pub fn term(owner: &str, attribute: &Attribute) -> Term {
    let mut writer = Writer::new(Version::V2_1);
    writer.text(Tag::Username, owner);
    if let AttributeReference::Vendor { vendor, name } = attribute.reference() {
        writer.text(Tag::VendorIdentification, &vendor);
        writer.text(Tag::AttributeName, &name);
        if let Some(value) = attribute.value.find(Tag::AttributeValue) {
            writer.value(Tag::AttributeValue, value);
        }
    } else {
        writer.value(attribute.tag, &ordered(attribute));
    }
    writer.finish()
}

/// A value with its fields in the order of the table: one that a client writes in another order is the same value.
fn ordered(attribute: &Attribute) -> Value {
    match (attribute_by_tag(attribute.tag).map(|row| &row.kind), &attribute.value) {
        (Some(AttributeKind::Structure(rows)), Value::Structure(fields)) => {
            let mut fields = fields.clone();
            fields.sort_by_key(|field| rows.iter().position(|row| row.tag == field.tag));
            Value::Structure(fields)
        }
        (_, value) => value.clone(),
    }
}

/// The term of a storage status, which is no attribute.
pub fn status(owner: &str, status: StorageStatusMask) -> Term {
    let mut writer = Writer::new(Version::V2_1);
    writer.text(Tag::Username, owner);
    writer.integer(Tag::StorageStatusMask, status.bits().cast_signed());
    writer.finish()
}

/// Whether a value can be looked up as it is: every field of a structure that objects have is there.
pub fn is_exact(attribute: &Attribute) -> bool {
    let whole = |tags: &[Tag]| tags.iter().all(|tag| attribute.value.find(*tag).is_some());
    match attribute.tag {
        Tag::Name => whole(&[Tag::NameValue, Tag::NameType]),
        Tag::Link => {
            whole(&[Tag::LinkType])
                && matches!(attribute.value.find(Tag::LinkedObjectIdentifier), Some(Value::TextString(_)))
        }
        Tag::ApplicationSpecificInformation => whole(&[Tag::ApplicationNamespace, Tag::ApplicationData]),
        Tag::AlternativeName => whole(&[Tag::AlternativeNameValue, Tag::AlternativeNameType]),
        Tag::X509CertificateIdentifier => whole(&[Tag::IssuerDistinguishedName, Tag::CertificateSerialNumber]),
        Tag::Attribute => whole(&[Tag::VendorIdentification, Tag::AttributeName, Tag::AttributeValue]),
        _ => true,
    }
}

#[cfg(test)]
mod tests {
    use kmip_codec::Element;

    use super::*;

    #[test]
    fn the_order_of_fields_makes_no_other_name() {
        let mut fields = vec![
            Element::new(Tag::NameValue, Value::TextString("n".into())),
            Element::new(Tag::NameType, Value::Enumeration(1)),
        ];
        let name = Attribute::new(Tag::Name, Value::Structure(fields.clone()));
        fields.reverse();
        let reversed = Attribute::new(Tag::Name, Value::Structure(fields));
        assert_eq!(term("alice", &name), term("alice", &reversed));
        assert_ne!(term("alice", &name), term("bob", &name));
    }
}
