//! 2.0 and 2.1: attributes by tag, vendor attributes, references by tag (KMIP 2.1 §4, §5).

use crate::dialect::{check, complete};
use crate::schema::{Fields, Lifetime, wrong_type};
use crate::spec::{Tag, Version, attribute_by_tag};
use crate::ttlv::{Element, Error, ErrorKind, Result, Value, Writer};
use crate::types::{Attribute, AttributeReference, Attributes};

pub(super) fn read_attributes(element: Element, version: Version) -> Result<Attributes> {
    let mut fields = Fields::open(element, version)?;
    let list = fields.rest().into_iter().map(|element| read_attribute(element, version)).collect::<Result<_>>()?;
    Ok(Attributes { templates: Vec::new(), list })
}

pub(super) fn write_attributes(attributes: &Attributes, tag: Tag, writer: &mut Writer) {
    writer.structure(tag, |w| {
        attributes.list.iter().for_each(|attribute| super::write_attribute(attribute, w));
    });
}

pub(super) fn read_attribute(element: Element, version: Version) -> Result<Attribute> {
    let Element { tag, offset, value } = element;
    let row = attribute_by_tag(tag).filter(|row| row.known_in(version));
    let Some(row) = row else {
        let kind = match attribute_by_tag(tag) {
            Some(_) => ErrorKind::NotInVersion { tag, version },
            None => ErrorKind::UnknownAttribute(tag.to_string()),
        };
        return Err(Error::new(kind, offset as usize));
    };
    check(row, &value, version).map_err(|error| error.at(offset).within(tag))?;
    if tag == Tag::Attribute {
        // Without its two names it is no attribute, not even one to search for.
        complete(row, &value).map_err(|error| error.at(offset))?;
    }
    Ok(Attribute::new(tag, value))
}

pub(super) fn write_attribute(attribute: &Attribute, writer: &mut Writer) {
    writer.value(attribute.tag, &attribute.value);
}

pub(super) fn read_only(element: Element, version: Version) -> Result<Attribute> {
    let offset = element.offset;
    let mut list = read_attributes(element, version)?.list.into_iter();
    match (list.next(), list.next()) {
        (Some(only), None) => Ok(only),
        (None, _) => Err(Error::new(ErrorKind::InvalidValue("holds no attribute"), offset as usize)),
        (Some(_), Some(second)) => Err(Error::new(ErrorKind::Unexpected(second.tag), offset as usize)),
    }
}

pub(super) fn read_reference(element: Element, version: Version) -> Result<AttributeReference> {
    let offset = element.offset;
    match element.value {
        Value::Enumeration(code) => {
            let tag = Tag::new(code);
            match attribute_by_tag(tag).filter(|row| row.known_in(version) && tag.code() == code) {
                Some(_) => Ok(AttributeReference::Tag(tag)),
                None => Err(Error::new(ErrorKind::UnknownAttribute(tag.to_string()), offset as usize)),
            }
        }
        Value::Structure(_) => {
            let mut fields = Fields::open(element, version)?;
            let mut text = |tag| match fields.optional(tag, Lifetime::ALWAYS)? {
                Some(text) => Ok(text),
                None => Err(fields.missing(tag)),
            };
            let vendor = text(Tag::VendorIdentification)?;
            let name = text(Tag::AttributeName)?;
            fields.finish()?;
            Ok(AttributeReference::Vendor { vendor, name })
        }
        other => Err(wrong_type("Enumeration or Structure", &other).at(offset)),
    }
}

pub(super) fn write_reference(reference: &AttributeReference, writer: &mut Writer) {
    match reference {
        AttributeReference::Tag(tag) => {
            let known = attribute_by_tag(*tag).filter(|row| row.known_in(writer.version()));
            if known.is_some() {
                writer.enumeration(Tag::AttributeReference, tag.code());
            }
        }
        AttributeReference::Vendor { vendor, name } => writer.structure(Tag::AttributeReference, |w| {
            w.text(Tag::VendorIdentification, vendor);
            w.text(Tag::AttributeName, name);
        }),
    }
}
