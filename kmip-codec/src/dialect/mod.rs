//! Every difference between the versions' ways to write attributes: `v1` has Template-Attribute and names, `v2`
//! has Attributes and tags. Everything else is `since` and `until` in the tables and structures.

mod check;
mod v1;
mod v2;

pub use check::{check, complete};

use crate::spec::{Tag, Version};
use crate::ttlv::{Element, Result, Writer};
use crate::types::{Attribute, AttributeReference, Attributes};

/// The tag under which a version has what 2.x calls `tag`.
pub fn attributes_tag(tag: Tag, version: Version) -> Tag {
    if version.is_v2() { tag } else { v1::attributes_tag(tag) }
}

/// The tag of a reference to an attribute.
pub const fn reference_tag(version: Version) -> Tag {
    if version.is_v2() { Tag::AttributeReference } else { Tag::AttributeName }
}

/// Reads Attributes or a Template-Attribute.
pub fn read_attributes(element: Element, version: Version) -> Result<Attributes> {
    if version.is_v2() { v2::read_attributes(element, version) } else { v1::read_attributes(element, version) }
}

/// Writes Attributes or a Template-Attribute under its tag.
pub fn write_attributes(attributes: &Attributes, tag: Tag, writer: &mut Writer) {
    if writer.version().is_v2() {
        v2::write_attributes(attributes, tag, writer);
    } else {
        v1::write_attributes(attributes, tag, writer);
    }
}

/// Reads one attribute as the version writes it.
pub fn read_attribute(element: Element, version: Version) -> Result<Attribute> {
    if version.is_v2() { v2::read_attribute(element, version) } else { v1::read_attribute(element, version) }
}

/// Writes one attribute as the version has it, unless the version does not have it.
pub fn write_attribute(attribute: &Attribute, writer: &mut Writer) {
    let Some(attribute) = check::fitted(attribute, writer.version()) else { return };
    if writer.version().is_v2() {
        v2::write_attribute(&attribute, writer);
    } else {
        v1::write_attribute(&attribute, writer);
    }
}

/// Reads the only attribute within a structure (New Attribute, Current Attribute).
pub fn read_only(element: Element, version: Version) -> Result<Attribute> {
    v2::read_only(element, version)
}

/// Reads a reference to an attribute.
pub fn read_reference(element: Element, version: Version) -> Result<AttributeReference> {
    if version.is_v2() { v2::read_reference(element, version) } else { v1::read_reference(element) }
}

/// Reads the name of an attribute, which a Key Wrapping Specification has in every version.
pub fn read_name(element: Element) -> Result<AttributeReference> {
    v1::read_reference(element)
}

/// Writes a reference to an attribute, unless the version does not have it.
pub fn write_reference(reference: &AttributeReference, writer: &mut Writer) {
    if writer.version().is_v2() {
        v2::write_reference(reference, writer);
    } else {
        v1::write_reference(reference, writer);
    }
}
