//! 1.0 to 1.4: attributes by name and index, Template-Attribute, custom attributes (KMIP 1.4 §2.1.1, §2.1.8, §3).

use crate::dialect::check;
use crate::schema::{Encode, Fields, Lifetime};
use crate::spec::{AttributeRow, Tag, Version, attribute_by_name, attribute_by_tag};
use crate::ttlv::{Element, Error, ErrorKind, Result, Text, Value, Writer};
use crate::types::{Attribute, AttributeReference, Attributes, vendor};

pub(super) fn attributes_tag(tag: Tag) -> Tag {
    match tag {
        Tag::Attributes => Tag::TemplateAttribute,
        Tag::CommonAttributes => Tag::CommonTemplateAttribute,
        Tag::PrivateKeyAttributes => Tag::PrivateKeyTemplateAttribute,
        Tag::PublicKeyAttributes => Tag::PublicKeyTemplateAttribute,
        other => other,
    }
}

pub(super) fn read_attributes(element: Element, version: Version) -> Result<Attributes> {
    let mut fields = Fields::open(element, version)?;
    let templates = fields.repeated(Tag::Name, Lifetime::ALWAYS)?;
    let read = |element| read_attribute(element, version).map_err(|error| error.within(Tag::Attribute));
    let list = fields.all(Tag::Attribute, Lifetime::ALWAYS).into_iter().map(read).collect::<Result<_>>()?;
    fields.finish()?;
    Ok(Attributes { templates, list })
}

pub(super) fn write_attributes(attributes: &Attributes, tag: Tag, writer: &mut Writer) {
    if attributes.templates.is_empty() && attributes.list.is_empty() {
        return;
    }
    writer.structure(tag, |w| {
        attributes.templates.iter().for_each(|name| name.encode(Tag::Name, w));
        attributes.list.iter().for_each(|attribute| super::write_attribute(attribute, w));
    });
}

pub(super) fn read_attribute(element: Element, version: Version) -> Result<Attribute> {
    let offset = element.offset;
    let mut fields = Fields::open(element, version)?;
    let name: Option<Text> = fields.optional(Tag::AttributeName, Lifetime::ALWAYS)?;
    let name = name.ok_or_else(|| fields.missing(Tag::AttributeName))?;
    let index: Option<i32> = fields.optional(Tag::AttributeIndex, Lifetime::ALWAYS)?;
    let value: Option<Element> = fields.optional(Tag::AttributeValue, Lifetime::ALWAYS)?;
    let value = value.ok_or_else(|| fields.missing(Tag::AttributeValue))?;
    fields.finish()?;
    if index.is_some_and(|index| index < 0) {
        return Err(Error::new(ErrorKind::InvalidValue("an Attribute Index is not negative"), offset as usize)
            .within(Tag::AttributeIndex));
    }
    let at = value.offset;
    let (tag, value) = match reference(&name) {
        AttributeReference::Vendor { vendor, name } => (Tag::Attribute, vendor_value(vendor, name, value.value)),
        AttributeReference::Tag(tag) => (tag, value.value),
    };
    if tag != Tag::Attribute {
        let row = known(tag, version).ok_or_else(|| unknown(&name, offset))?;
        check(row, &value, version).map_err(|error| error.at(at).within(Tag::AttributeValue))?;
    }
    Ok(Attribute { tag, index, value })
}

pub(super) fn write_attribute(attribute: &Attribute, writer: &mut Writer) {
    let (name, value) = match vendor(&attribute.value) {
        Some((vendor, name)) if attribute.tag == Tag::Attribute => {
            (format!("{vendor}-{name}"), attribute.value.find(Tag::AttributeValue))
        }
        _ => {
            let Some(row) = attribute_by_tag(attribute.tag) else { return };
            (row.name().to_owned(), Some(&attribute.value))
        }
    };
    writer.structure(Tag::Attribute, |w| {
        w.text(Tag::AttributeName, &name);
        if let Some(index) = attribute.index.filter(|&index| index != 0) {
            w.integer(Tag::AttributeIndex, index);
        }
        if let Some(value) = value {
            w.value(Tag::AttributeValue, value);
        }
    });
}

pub(super) fn read_reference(element: Element) -> Result<AttributeReference> {
    let offset = element.offset;
    let Value::TextString(name) = element.value else {
        return Err(crate::schema::wrong_type("Text String", &element.value).at(offset));
    };
    let reference = reference(&name);
    match reference {
        // Tag 0 stands for no attribute: a name that no version knows.
        AttributeReference::Tag(tag) if attribute_by_tag(tag).is_none() => Err(unknown(&name, offset)),
        _ => Ok(reference),
    }
}

pub(super) fn write_reference(reference: &AttributeReference, writer: &mut Writer) {
    match reference {
        AttributeReference::Vendor { vendor, name } if is_custom(vendor) => {
            writer.text(Tag::AttributeName, &format!("{vendor}-{name}"));
        }
        AttributeReference::Vendor { .. } => {}
        AttributeReference::Tag(tag) => {
            if let Some(row) = known(*tag, writer.version()) {
                writer.text(Tag::AttributeName, row.name());
            }
        }
    }
}

/// Whether a vendor's attributes have a name in 1.x: the client's `x-` and the server's `y-`.
pub(super) fn is_custom(vendor: &str) -> bool {
    matches!(vendor, "x" | "y")
}

fn reference(name: &Text) -> AttributeReference {
    match name.split_once('-') {
        Some((vendor, rest)) if is_custom(vendor) => {
            AttributeReference::Vendor { vendor: vendor.into(), name: rest.into() }
        }
        _ => AttributeReference::Tag(attribute_by_name(name).map_or(Tag::new(0), |row| row.tag)),
    }
}

fn vendor_value(vendor: Text, name: Text, value: Value) -> Value {
    Value::Structure(vec![
        Element::new(Tag::VendorIdentification, Value::TextString(vendor)),
        Element::new(Tag::AttributeName, Value::TextString(name)),
        Element::new(Tag::AttributeValue, value),
    ])
}

fn known(tag: Tag, version: Version) -> Option<&'static AttributeRow> {
    attribute_by_tag(tag).filter(|row| row.known_in(version))
}

/// Attribute names are no secrets, but a client's text is not echoed without bounds.
fn unknown(name: &Text, offset: u32) -> Box<Error> {
    Error::new(ErrorKind::UnknownAttribute(name.chars().take(64).collect()), offset as usize).within(Tag::AttributeName)
}
