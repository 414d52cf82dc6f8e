//! Notify (KMIP 2.1 §6.2.2, 1.4 §5.1): the server tells a client what has changed of an object. Only ever sent.

use kmip_codec::dialect;
use kmip_codec::schema::{Field, Fields, Lifetime};
use kmip_codec::spec::Tag;
use kmip_codec::structure;
use kmip_codec::ttlv::{Result, Text, Writer};
use kmip_codec::types::{AttributeList, AttributeReference, AttributeReferences};

structure! {
    /// The request.
    pub struct Request {
        /// The object.
        pub unique_identifier: Text = UniqueIdentifier,
        /// What has changed, Last Change Date always.
        pub attributes: AttributeList = Attributes,
        /// What was deleted.
        pub deleted: Deleted = AttributeReference,
    }
}

/// Attributes that were deleted: references in 2.x, in 1.x an Attribute without its value.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Deleted(pub Vec<AttributeReference>);

impl Field for Deleted {
    fn take(fields: &mut Fields, tag: Tag, lifetime: Lifetime) -> Result<Self> {
        // In 1.x they cannot be told from attributes that changed but by what they lack.
        if !fields.version().is_v2() {
            return Ok(Self::default());
        }
        AttributeReferences::take(fields, tag, lifetime).map(|references| Self(references.0))
    }

    fn put(&self, _: Tag, lifetime: Lifetime, writer: &mut Writer) {
        if !lifetime.covers(writer.version()) {
            return;
        }
        for reference in &self.0 {
            if writer.version().is_v2() {
                dialect::write_reference(reference, writer);
            } else {
                writer.structure(Tag::Attribute, |w| dialect::write_reference(reference, w));
            }
        }
    }
}
