//! Attributes in the one inner shape: tag, number, value (KMIP 2.1 §4, §5). How they are written is the dialect's.

use crate::dialect;
use crate::schema::{Field, Fields, Lifetime};
use crate::spec::Tag;
use crate::ttlv::{Error, Result, Text, Value, Writer};
use crate::types::Name;

/// One instance of an attribute.
///
/// A Vendor Attribute has the tag Attribute, and so has a custom attribute of 1.x: `x-foo` is vendor `x`, name `foo`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Attribute {
    /// Which attribute.
    pub tag: Tag,
    /// The number of the instance, never reused: the Attribute Index of 1.x. `None` where a request gave none.
    pub index: Option<i32>,
    /// Its value.
    pub value: Value,
}

/// Attributes of an object to be: Attributes in 2.x, Template-Attribute with the names of templates in 1.x.
///
/// A structure declares it with the tag of 2.x.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Attributes {
    /// Templates whose attributes are to be taken too, 1.x alone.
    pub templates: Vec<Name>,
    /// The attributes.
    pub list: Vec<Attribute>,
}

/// Attributes that stand in the structure itself in 1.x and within Attributes in 2.x.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeList(pub Vec<Attribute>);

/// The attributes that an answer is about: like [`AttributeList`], but that 2.x has Attributes even where there is none.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct FoundAttributes(pub Vec<Attribute>);

/// Which attribute is meant: by its tag, or a vendor's.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum AttributeReference {
    /// An attribute of the standard.
    Tag(Tag),
    /// A vendor's, or of 1.x a custom attribute.
    Vendor {
        /// Vendor Identification.
        vendor: Text,
        /// Attribute Name.
        name: Text,
    },
}

/// Repeated Attribute Names in 1.x, repeated Attribute References in 2.x.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct AttributeReferences(pub Vec<AttributeReference>);

/// The attribute to add, set or change to: Attribute in 1.x, New Attribute in 2.x.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NewAttribute(pub Attribute);

/// The instance that is meant, by its value; 2.x alone.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct CurrentAttribute(pub Option<Attribute>);

/// The instance that was added, changed or deleted: answers of 1.x name it, those of 2.x do not.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct ChangedAttribute(pub Option<Attribute>);

impl Attribute {
    /// An attribute without a number yet.
    pub const fn new(tag: Tag, value: Value) -> Self {
        Self { tag, index: None, value }
    }

    /// What refers to it.
    pub fn reference(&self) -> AttributeReference {
        let named = if self.tag == Tag::Attribute { vendor(&self.value) } else { None };
        match named {
            Some((vendor, name)) => AttributeReference::Vendor { vendor: vendor.clone(), name: name.clone() },
            None => AttributeReference::Tag(self.tag),
        }
    }
}

/// Vendor Identification and Attribute Name of a Vendor Attribute's value.
pub fn vendor(value: &Value) -> Option<(&Text, &Text)> {
    let text = |tag| match value.find(tag) {
        Some(Value::TextString(text)) => Some(text),
        _ => None,
    };
    Some((text(Tag::VendorIdentification)?, text(Tag::AttributeName)?))
}

impl AttributeReference {
    /// Whether the attribute is meant.
    pub fn matches(&self, attribute: &Attribute) -> bool {
        let named = if attribute.tag == Tag::Attribute { vendor(&attribute.value) } else { None };
        match (self, named) {
            (Self::Tag(tag), None) => *tag == attribute.tag,
            (Self::Vendor { vendor, name }, Some(named)) => (vendor, name) == named,
            _ => false,
        }
    }
}

impl From<Tag> for AttributeReference {
    fn from(tag: Tag) -> Self {
        Self::Tag(tag)
    }
}

impl Field for Attributes {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        <Option<Self> as Field>::take(fields, tag, lifetime).map(Option::unwrap_or_default)
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if lifetime.covers(writer.version()) {
            dialect::write_attributes(self, dialect::attributes_tag(tag, writer.version()), writer);
        }
    }
}

impl Field for Option<Attributes> {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        let version = fields.version();
        let tag = dialect::attributes_tag(tag, version);
        let Some(element) = fields.optional(tag, lifetime)? else { return Ok(None) };
        dialect::read_attributes(element, version).map(Some).map_err(|error| error.within(tag))
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if let Some(attributes) = self {
            attributes.put(tag, lifetime, writer);
        }
    }
}

impl Field for AttributeList {
    fn take(fields: &mut Fields, _: Tag, lifetime: Lifetime) -> Result<Self> {
        let version = fields.version();
        if version.is_v2() {
            let attributes: Attributes = Field::take(fields, Tag::Attributes, lifetime)?;
            return Ok(Self(attributes.list));
        }
        let read = |element| {
            dialect::read_attribute(element, version).map_err(|error: Box<Error>| error.within(Tag::Attribute))
        };
        fields.all(Tag::Attribute, lifetime).into_iter().map(read).collect::<Result<_>>().map(Self)
    }

    fn put(&self, _: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if self.0.is_empty() || !lifetime.covers(writer.version()) {
            return;
        }
        let write = |w: &mut Writer| self.0.iter().for_each(|attribute| dialect::write_attribute(attribute, w));
        if writer.version().is_v2() {
            writer.structure(Tag::Attributes, write);
        } else {
            write(writer);
        }
    }
}

impl Field for FoundAttributes {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        AttributeList::take(fields, tag, lifetime).map(|AttributeList(list)| Self(list))
    }

    fn put(&self, tag: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if writer.version().is_v2() {
            Attributes { templates: Vec::new(), list: self.0.clone() }.put(tag, lifetime, writer);
        } else {
            AttributeList(self.0.clone()).put(tag, lifetime, writer);
        }
    }
}

impl Field for AttributeReferences {
    fn take(fields: &mut Fields, _: Tag, lifetime: Lifetime) -> Result<Self> {
        let version = fields.version();
        let tag = dialect::reference_tag(version);
        let read = |element| dialect::read_reference(element, version).map_err(|error: Box<Error>| error.within(tag));
        fields.all(tag, lifetime).into_iter().map(read).collect::<Result<_>>().map(Self)
    }

    fn put(&self, _: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if lifetime.covers(writer.version()) {
            self.0.iter().for_each(|reference| dialect::write_reference(reference, writer));
        }
    }
}

impl Field for NewAttribute {
    fn take(fields: &mut Fields, _: Tag, lifetime: Lifetime) -> Result<Self> {
        let tag = if fields.version().is_v2() { Tag::NewAttribute } else { Tag::Attribute };
        match single(fields, tag, lifetime)? {
            Some(attribute) => Ok(Self(attribute)),
            None => Err(fields.missing(tag)),
        }
    }

    fn put(&self, _: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if lifetime.covers(writer.version()) {
            put_single(&self.0, Tag::NewAttribute, writer);
        }
    }
}

impl Field for CurrentAttribute {
    fn take(fields: &mut Fields, _: Tag, lifetime: Lifetime) -> Result<Self> {
        single(fields, Tag::CurrentAttribute, lifetime.and(Lifetime::V2)).map(Self)
    }

    fn put(&self, _: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if let (Some(attribute), true) = (&self.0, lifetime.and(Lifetime::V2).covers(writer.version())) {
            put_single(attribute, Tag::CurrentAttribute, writer);
        }
    }
}

impl Field for ChangedAttribute {
    fn take(fields: &mut Fields, _: Tag, lifetime: Lifetime) -> Result<Self> {
        single(fields, Tag::Attribute, lifetime.and(Lifetime::V1)).map(Self)
    }

    fn put(&self, _: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if let (Some(attribute), true) = (&self.0, lifetime.and(Lifetime::V1).covers(writer.version())) {
            dialect::write_attribute(attribute, writer);
        }
    }
}

/// One attribute: itself in 1.x, the only one within a structure in 2.x.
fn single(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Option<Attribute>> {
    let version = fields.version();
    let Some(element) = fields.optional(tag, lifetime)? else { return Ok(None) };
    let read =
        if version.is_v2() { dialect::read_only(element, version) } else { dialect::read_attribute(element, version) };
    read.map(Some).map_err(|error| error.within(tag))
}

fn put_single(attribute: &Attribute, tag: Tag, writer: &mut Writer) {
    if writer.version().is_v2() {
        writer.structure(tag, |w| dialect::write_attribute(attribute, w));
    } else {
        dialect::write_attribute(attribute, writer);
    }
}
