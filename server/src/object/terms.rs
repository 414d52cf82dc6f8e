//! By what an object is found: the terms that become index rows. The vault hashes them; nothing here is stored as it is.

use std::iter;

use kmip_codec::spec::{AttributeKind, StorageStatusMask, Tag, Version, attribute_by_tag};
use kmip_codec::ttlv::Writer;
use kmip_codec::types::{Attribute, vendor};
use kmip_codec::wipe::Wiped;
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

/// Terms one behind the other. Of some twenty that an object has, each in a buffer of its own would take longer to ask for
/// than to write.
#[derive(Clone, PartialEq, Eq, Default)]
pub struct TermList {
    bytes: Wiped,
    /// Where each of them ends.
    ends: Vec<usize>,
}

impl TermList {
    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.ends.is_empty()
    }

    /// The terms.
    pub fn iter(&self) -> impl Iterator<Item = &[u8]> {
        let starts = iter::once(0).chain(self.ends.iter().copied());
        starts.zip(&self.ends).filter_map(|(start, &end)| self.bytes.get(start..end))
    }

    /// All terms in one: lists with the same terms in the same order have the same bytes.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Whether a term is among them.
    pub fn contains(&self, term: &[u8]) -> bool {
        self.iter().any(|other| other == term)
    }
}

/// Writes a list of terms.
struct TermWriter {
    writer: Writer,
    ends: Vec<usize>,
}

impl TermWriter {
    /// With room for so many bytes, and so many terms.
    fn with_capacity(bytes: usize, terms: usize) -> Self {
        Self { writer: Writer::with_capacity(Version::V2_1, bytes), ends: Vec::with_capacity(terms) }
    }

    fn finish(self) -> TermList {
        TermList { bytes: self.writer.into_buffer(), ends: self.ends }
    }

    /// The terms in buffers of their own.
    fn split(self) -> Vec<Term> {
        self.finish().iter().map(<[u8]>::to_vec).collect()
    }

    /// A term: the owner, and what `write` says of it.
    fn put(&mut self, owner: &str, write: impl FnOnce(&mut Writer)) {
        self.writer.text(Tag::Username, owner);
        write(&mut self.writer);
        self.ends.push(self.writer.len());
    }

    /// See [`status`].
    fn status(&mut self, owner: &str, status: StorageStatusMask) {
        self.put(owner, |w| w.integer(Tag::StorageStatusMask, status.bits().cast_signed()));
    }

    /// See [`born_with`].
    fn born_with(&mut self, owner: &str, tag: Tag) {
        self.put(owner, |w| w.boolean(tag, true));
    }

    /// See [`term`].
    fn whole(&mut self, owner: &str, attribute: &Attribute) {
        let tag = attribute.tag;
        if tag == Tag::Attribute
            && let Some((vendor, name)) = vendor(&attribute.value)
        {
            return self.put(owner, |w| {
                w.text(Tag::VendorIdentification, vendor);
                w.text(Tag::AttributeName, name);
                if let Some(value) = attribute.value.find(Tag::AttributeValue) {
                    w.value(Tag::AttributeValue, value);
                }
            });
        }
        match (attribute_by_tag(tag).map(|row| &row.kind), &attribute.value) {
            // With its fields in the order of the table: one that a client writes in another order is the same value.
            (Some(AttributeKind::Structure(rows)), Value::Structure(fields)) => {
                let mut fields: Vec<&Element> = fields.iter().collect();
                fields.sort_by_key(|field| rows.iter().position(|row| row.tag == field.tag));
                self.put(owner, |w| w.structure(tag, |w| fields.into_iter().for_each(|field| w.element(field))));
            }
            (_, value) => self.put(owner, |w| w.value(tag, value)),
        }
    }

    /// See [`parts`].
    fn parts(&mut self, owner: &str, attribute: &Attribute) {
        let tag = attribute.tag;
        match (attribute_by_tag(tag).map(|row| row.kind), &attribute.value) {
            (Some(AttributeKind::Mask(_)), Value::Integer(mask)) => {
                let bits = (0..i32::BITS).map(|bit| 1_i32 << bit).filter(|bit| mask & bit != 0);
                bits.for_each(|bit| self.put(owner, |w| w.integer(tag, bit)));
            }
            // What a vendor puts there is nothing that we know.
            (Some(AttributeKind::Structure(_)), Value::Structure(fields)) if tag != Tag::Attribute => {
                let is_part = |field: &&Element| {
                    matches!(field.value, Value::Enumeration(_)) || field.tag == Tag::ApplicationNamespace
                };
                let known = fields.iter().filter(is_part);
                known.for_each(|field| self.put(owner, |w| w.structure(tag, |w| w.element(field))));
            }
            (Some(AttributeKind::Structure(_)), _) => {}
            _ if index_of(attribute) == Index::Posting => {}
            (_, value) => self.put(owner, |w| w.value(tag, value)),
        }
    }
}

/// All terms of an object, by index.
#[derive(Default)]
pub struct Terms {
    /// Terms that no other object may have.
    pub unique: TermList,
    /// Terms with a row each.
    pub postings: TermList,
    /// What makes the object's class.
    pub class: TermList,
    /// What makes its variant.
    pub variant: TermList,
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
    let one = SHORT + owner.len();
    let (mut unique, mut postings) = (TermWriter::with_capacity(2 * one, 1), TermWriter::with_capacity(2 * one, 2));
    let (mut class, mut variant) = (TermWriter::with_capacity(16 * one, 16), TermWriter::with_capacity(8 * one, 8));
    let mut dates = Vec::new();
    variant.status(owner, object.storage_status());
    for attribute in object.attributes.iter() {
        match index_of(attribute) {
            Index::Unique if !object.is_destroyed() => unique.whole(owner, attribute),
            Index::Unique => postings.whole(owner, attribute),
            Index::Posting => {
                if has_posting(attribute) {
                    postings.whole(owner, attribute);
                }
                postings.parts(owner, attribute);
            }
            Index::Class => class.parts(owner, attribute),
            Index::Variant => variant.parts(owner, attribute),
            Index::Date => match (attribute.tag, &attribute.value) {
                (Tag::InitialDate, _) => {}
                (tag, Value::DateTime(date)) if may_be_born(tag) && Some(*date) == born => {
                    variant.born_with(owner, tag);
                }
                (tag, Value::DateTime(date)) => dates.push((tag, *date)),
                _ => {}
            },
            Index::None => {}
        }
    }
    let [unique, postings, class, variant] = [unique, postings, class, variant].map(TermWriter::finish);
    Terms { unique, postings, class, variant, dates, born, due: object.due() }
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
    single(owner, |terms| terms.born_with(owner, tag))
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
    let mut terms = TermWriter::with_capacity(SHORT + owner.len(), 1);
    terms.parts(owner, attribute);
    terms.split()
}

/// The term of one value, in our codec's canonical form.
pub fn term(owner: &str, attribute: &Attribute) -> Term {
    single(owner, |terms| terms.whole(owner, attribute))
}

/// The term of a storage status, which is no attribute.
pub fn status(owner: &str, status: StorageStatusMask) -> Term {
    single(owner, |terms| terms.status(owner, status))
}

/// Room for a term beside its owner, in bytes: a number, or an enumeration in a structure. Most terms are no longer.
const SHORT: usize = 48;

fn single(owner: &str, write: impl FnOnce(&mut TermWriter)) -> Term {
    let mut terms = TermWriter::with_capacity(SHORT + owner.len(), 1);
    write(&mut terms);
    terms.writer.finish()
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
    use kmip_codec::spec::{ObjectType, State};

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
    #[test]
    fn the_terms_of_an_object_are_those_that_are_looked_for() {
        let mut object = super::super::sample(ObjectType::SymmetricKey, State::PreActive);
        let name = |text: &str| {
            let fields = vec![
                Element::new(Tag::NameType, Value::Enumeration(1)),
                Element::new(Tag::NameValue, Value::TextString(text.into())),
            ];
            Attribute::new(Tag::Name, Value::Structure(fields))
        };
        let group = Attribute::new(Tag::ObjectGroup, Value::TextString("g".into()));
        let mask = Attribute::new(Tag::CryptographicUsageMask, Value::Integer(12));
        let (one, other) = (name("one"), name("other"));
        for attribute in [&one, &group, &mask, &other] {
            object.attributes.add(attribute.clone());
        }
        let Terms { unique: names, postings, class, variant, .. } = terms(&object);
        let list = |terms: &TermList| terms.iter().map(<[u8]>::to_vec).collect::<Vec<_>>();
        assert_eq!(list(&names), [term("owner", &one), term("owner", &other)]);
        assert_eq!(list(&names), unique(&object));
        assert!(list(&postings).contains(&term("owner", &group)) && postings.contains(&term("owner", &group)));
        let bits = parts("owner", &mask);
        assert_eq!(bits.len(), 2);
        assert!(bits.iter().all(|bit| class.contains(bit)));
        assert_eq!(list(&variant), [status("owner", StorageStatusMask::ON_LINE_STORAGE)]);
        assert_eq!(class.bytes(), list(&class).concat());
    }
}
