//! By what an object is found: the terms that become index rows. The vault hashes them; nothing here is stored as it is.

use kmip_codec::spec::{AttributeKind, StorageStatusMask, Tag, Version, attribute_by_tag};
use kmip_codec::ttlv::Writer;
use kmip_codec::types::{Attribute, AttributeReference};
use kmip_codec::{Element, Value};

use super::Managed;

/// Bytes that stand for (owner, attribute, value).
pub type Term = Vec<u8>;

/// How an attribute is found by its value.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Index {
    /// One row of its own, and only one object may have it.
    Unique,
    /// A row for each value, and one for each enumeration in it.
    Posting,
    /// A part of the object's class: objects share it with many others and keep it for life, and classes are few.
    Class,
    /// A part of the object's variant: as of a class, but it changes.
    Variant,
    /// Rows for the spans of time that it lies in.
    Date,
    /// Not at all: the record is opened and compared.
    None,
}

/// How an attribute is indexed. As few rows as the filters need: each one costs a write at a random place.
pub fn index_of(attribute: &Attribute) -> Index {
    match (attribute.tag, &attribute.value) {
        (Tag::Name, _) => Index::Unique,
        // Every object has one of its own: a row at a random place for each would slow down every Create.
        (Tag::UniqueIdentifier | Tag::ShortUniqueIdentifier | Tag::Digest, _) => Index::None,
        // Keys have one of few lengths; what else has one, such as passwords, has any.
        (Tag::CryptographicLength, Value::Integer(bits)) if *bits % 64 != 0 || *bits > 8192 => Index::Posting,
        (
            Tag::ObjectType
            | Tag::CryptographicAlgorithm
            | Tag::CryptographicLength
            | Tag::CryptographicUsageMask
            | Tag::KeyFormatType
            | Tag::CertificateType
            | Tag::OpaqueDataType
            | Tag::ProtectionStorageMask
            | Tag::RandomNumberGenerator
            | Tag::LeaseTime,
            _,
        ) => Index::Class,
        (Tag::Sensitive | Tag::AlwaysSensitive, Value::Boolean(false))
        | (Tag::Extractable, Value::Boolean(true))
        | (Tag::NeverExtractable, Value::Boolean(false))
        | (Tag::Fresh, _) => Index::Variant,
        (tag, _) => match attribute_by_tag(tag).map(|row| row.kind) {
            Some(AttributeKind::DateTime) => Index::Date,
            Some(_) => Index::Posting,
            None => Index::None,
        },
    }
}

/// All terms of an object, by index.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Terms {
    /// Terms that no other object may have.
    pub unique: Vec<Term>,
    /// Terms with a row each.
    pub postings: Vec<Term>,
    /// What makes the object's class.
    pub class: Vec<Term>,
    /// What makes its variant.
    pub variant: Vec<Term>,
    /// Dates that are found by themselves, in seconds.
    pub dates: Vec<(Tag, i64)>,
    /// Initial Date, by which the order of creation is found.
    pub born: Option<i64>,
    /// When the sweeper must look at the object, in seconds.
    pub due: Option<i64>,
}

/// The terms of an object. A destroyed object keeps them, but for its names, which are free again.
pub fn terms(object: &Managed) -> Terms {
    let owner = &*object.owner;
    let born = object.attributes.date(Tag::InitialDate);
    let mut terms = Terms { born, due: object.due(), ..Terms::default() };
    terms.variant.push(status(owner, object.storage_status()));
    for attribute in object.attributes.iter() {
        match index_of(attribute) {
            Index::Unique if !object.is_destroyed() => terms.unique.push(term(owner, attribute)),
            Index::Unique => terms.postings.push(term(owner, attribute)),
            Index::Posting => {
                if has_posting(attribute) {
                    terms.postings.push(term(owner, attribute));
                }
                terms.postings.extend(parts(owner, attribute));
            }
            Index::Class => terms.class.extend(parts(owner, attribute)),
            Index::Variant => terms.variant.extend(parts(owner, attribute)),
            Index::Date => match (attribute.tag, &attribute.value) {
                (Tag::InitialDate, _) => {}
                (tag, Value::DateTime(date)) if may_be_born(tag) && Some(*date) == born => {
                    terms.variant.push(born_with(owner, tag));
                }
                (tag, Value::DateTime(date)) => terms.dates.push((tag, *date)),
                _ => {}
            },
            Index::None => {}
        }
    }
    terms
}

/// The terms of an object that no other object may have.
pub fn unique(object: &Managed) -> Vec<Term> {
    if object.is_destroyed() {
        return Vec::new();
    }
    let names = object.attributes.iter().filter(|attribute| index_of(attribute) == Index::Unique);
    names.map(|attribute| term(&object.owner, attribute)).collect()
}

/// Whether the date of an object that nobody has changed is its Initial Date: such a date needs no rows.
pub const fn may_be_born(tag: Tag) -> bool {
    matches!(tag, Tag::OriginalCreationDate | Tag::LastChangeDate)
}

/// Whether a date changes with every change of an object.
pub const fn is_volatile(tag: Tag) -> bool {
    matches!(tag, Tag::LastChangeDate)
}

/// The term of a date that is the Initial Date.
pub fn born_with(owner: &str, tag: Tag) -> Term {
    written(owner, tag, &Value::Boolean(true))
}

/// Whether the whole value has a row. Of a structure with fields that may be left out, only the parts have.
fn has_posting(attribute: &Attribute) -> bool {
    match attribute_by_tag(attribute.tag).map(|row| row.kind) {
        Some(AttributeKind::Structure(_)) => !whole(attribute.tag).is_empty(),
        _ => true,
    }
}

/// What an object has if it has a value, and many objects have in common: the bits of a mask, the enumerations of a
/// structure, a namespace, or the value itself. A whole value that has a row is none.
pub fn parts(owner: &str, attribute: &Attribute) -> Vec<Term> {
    let tag = attribute.tag;
    let row = attribute_by_tag(tag);
    match (row.map(|row| row.kind), &attribute.value) {
        (Some(AttributeKind::Mask(_)), Value::Integer(mask)) => {
            let bits = (0..i32::BITS).map(|bit| 1_i32 << bit).filter(|bit| mask & bit != 0);
            bits.map(|bit| written(owner, tag, &Value::Integer(bit))).collect()
        }
        // What a vendor puts there is nothing that we know.
        (Some(AttributeKind::Structure(_)), Value::Structure(fields)) if tag != Tag::Attribute => {
            let is_part = |field: &&Element| {
                matches!(field.value, Value::Enumeration(_)) || field.tag == Tag::ApplicationNamespace
            };
            let known = fields.iter().filter(is_part);
            known.map(|field| written(owner, tag, &Value::Structure(vec![field.clone()]))).collect()
        }
        (Some(AttributeKind::Structure(_)), _) => Vec::new(),
        _ if index_of(attribute) == Index::Posting => Vec::new(),
        (_, value) => vec![written(owner, tag, value)],
    }
}

/// The term of one value, in our codec's canonical form.
pub fn term(owner: &str, attribute: &Attribute) -> Term {
    if let AttributeReference::Vendor { vendor, name } = attribute.reference() {
        let mut writer = Writer::new(Version::V2_1);
        writer.text(Tag::Username, owner);
        writer.text(Tag::VendorIdentification, &vendor);
        writer.text(Tag::AttributeName, &name);
        if let Some(value) = attribute.value.find(Tag::AttributeValue) {
            writer.value(Tag::AttributeValue, value);
        }
        return writer.finish();
    }
    match ordered(attribute) {
        Some(value) => written(owner, attribute.tag, &value),
        None => written(owner, attribute.tag, &attribute.value),
    }
}

fn written(owner: &str, tag: Tag, value: &Value) -> Term {
    // An owner and a number: most terms are no longer.
    let mut writer = Writer::with_capacity(Version::V2_1, 48 + owner.len());
    writer.text(Tag::Username, owner);
    writer.value(tag, value);
    writer.finish()
}

/// A value with its fields in the order of the table: one that a client writes in another order is the same value.
fn ordered(attribute: &Attribute) -> Option<Value> {
    match (attribute_by_tag(attribute.tag).map(|row| &row.kind), &attribute.value) {
        (Some(AttributeKind::Structure(rows)), Value::Structure(fields)) => {
            let mut fields = fields.clone();
            fields.sort_by_key(|field| rows.iter().position(|row| row.tag == field.tag));
            Some(Value::Structure(fields))
        }
        _ => None,
    }
}

/// The term of a storage status, which is no attribute.
pub fn status(owner: &str, status: StorageStatusMask) -> Term {
    let mut writer = Writer::new(Version::V2_1);
    writer.text(Tag::Username, owner);
    writer.integer(Tag::StorageStatusMask, status.bits().cast_signed());
    writer.finish()
}

/// The fields that every value of a structure has, and no other; empty where some values have more.
const fn whole(tag: Tag) -> &'static [Tag] {
    match tag {
        Tag::Name => &[Tag::NameValue, Tag::NameType],
        Tag::Link => &[Tag::LinkType, Tag::LinkedObjectIdentifier],
        Tag::ApplicationSpecificInformation => &[Tag::ApplicationNamespace, Tag::ApplicationData],
        Tag::AlternativeName => &[Tag::AlternativeNameValue, Tag::AlternativeNameType],
        Tag::X509CertificateIdentifier => &[Tag::IssuerDistinguishedName, Tag::CertificateSerialNumber],
        Tag::Attribute => &[Tag::VendorIdentification, Tag::AttributeName, Tag::AttributeValue],
        _ => &[],
    }
}

/// Whether a value can be looked up as it is: every field of a structure that objects have is there.
pub fn is_exact(attribute: &Attribute) -> bool {
    has_posting(attribute)
        && whole(attribute.tag).iter().all(|tag| match (tag, attribute.value.find(*tag)) {
            (&Tag::LinkedObjectIdentifier, linked) => matches!(linked, Some(Value::TextString(_))),
            (_, field) => field.is_some(),
        })
}

#[cfg(test)]
mod tests {
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
