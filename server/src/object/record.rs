//! The stored form of an object: our own codec's, under tags of our own (54xxxx).

use std::sync::Arc;

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::{Limits, Text, Writer, frame, parse};
use kmip_codec::types::{Attribute, AttributeReference};
use kmip_codec::{Element, Value, spec::Version};

use super::{AttributeSet, Managed, Origin, Residency};
use crate::secret::Secret;

const RECORD: Tag = Tag::new(0x54_0001);
const OWNER: Tag = Tag::new(0x54_0002);
const RESIDENCY: Tag = Tag::new(0x54_0003);
const ORIGIN: Tag = Tag::new(0x54_0004);
/// The number of the instance that follows; left out where it is 0.
const INDEX: Tag = Tag::new(0x54_0005);
/// A number that may not come again.
const RETIRED: Tag = Tag::new(0x54_0006);

/// Most objects take less, in bytes.
const USUAL: usize = 2048;

/// What we sealed may be as long as it is: attributes come one by one and are more, in the end, than one message could
/// bring, and an object that does not open is lost.
pub(super) const OWN: Limits = Limits { depth: usize::MAX, items: usize::MAX };

/// A record that cannot be read: the sealing vouches for its bytes, so that this is a fault of ours.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a stored object cannot be read: {0}")]
pub struct Malformed(pub &'static str);

/// Writes an object.
pub fn write(object: &Managed) -> Secret {
    let mut writer = Writer::with_capacity(Version::V2_1, USUAL);
    writer.structure(RECORD, |w| {
        w.text(OWNER, &object.owner);
        w.enumeration(RESIDENCY, object.residency as u32);
        w.enumeration(ORIGIN, object.origin as u32);
        for attribute in object.attributes.iter() {
            if let Some(index) = attribute.index.filter(|&index| index != 0) {
                w.integer(INDEX, index);
            }
            w.value(attribute.tag, &attribute.value);
        }
        for (reference, index) in object.attributes.retired() {
            w.structure(RETIRED, |w| {
                w.integer(INDEX, *index);
                match reference {
                    AttributeReference::Tag(tag) => w.enumeration(Tag::AttributeReference, tag.code()),
                    AttributeReference::Vendor { vendor, name } => {
                        w.text(Tag::VendorIdentification, vendor);
                        w.text(Tag::AttributeName, name);
                    }
                }
            });
        }
    });
    Secret::new(writer.finish())
}

/// Reads an object.
///
/// # Errors
/// [`Malformed`] where the bytes are not what [`write()`] makes.
pub fn read(sequence: u64, bytes: &Secret) -> Result<Managed, Malformed> {
    let frame = frame::protect(bytes.expose().to_vec());
    let record = parse(&frame, &OWN).map_err(|_| Malformed("no elements"))?;
    let Value::Structure(elements) = record.value else { return Err(Malformed("no structure")) };
    if record.tag != RECORD {
        return Err(Malformed("no object"));
    }
    let (mut owner, mut residency, mut origin) = (None, None, None);
    let (mut list, mut retired) = (Vec::with_capacity(elements.len()), Vec::new());
    let mut index = 0;
    for Element { tag, value, .. } in elements {
        match (tag, value) {
            (OWNER, Value::TextString(text)) => owner = Some(Arc::from(&*text)),
            (RESIDENCY, Value::Enumeration(code)) => residency = residency_of(code),
            (ORIGIN, Value::Enumeration(code)) => origin = origin_of(code),
            (INDEX, Value::Integer(number)) => index = number,
            (RETIRED, value) => retired.push(read_retired(&value)?),
            (tag, value) => {
                list.push(Attribute { tag, index: Some(index), value });
                index = 0;
            }
        }
    }
    Ok(Managed {
        sequence,
        owner: owner.ok_or(Malformed("no owner"))?,
        residency: residency.ok_or(Malformed("no residency"))?,
        origin: origin.ok_or(Malformed("no origin"))?,
        attributes: AttributeSet::restore(list, retired),
    })
}

fn read_retired(value: &Value) -> Result<(AttributeReference, i32), Malformed> {
    let text = |tag| value.find(tag).and_then(Value::text).map(Text::from);
    let reference = match value.find(Tag::AttributeReference) {
        Some(&Value::Enumeration(code)) => AttributeReference::Tag(Tag::new(code)),
        _ => AttributeReference::Vendor {
            vendor: text(Tag::VendorIdentification).ok_or(Malformed("no vendor"))?,
            name: text(Tag::AttributeName).ok_or(Malformed("no name"))?,
        },
    };
    match value.find(INDEX) {
        Some(&Value::Integer(index)) => Ok((reference, index)),
        _ => Err(Malformed("no number")),
    }
}

fn residency_of(code: u32) -> Option<Residency> {
    [Residency::Sealed, Residency::Wrapped, Residency::Token].into_iter().find(|&residency| residency as u32 == code)
}

fn origin_of(code: u32) -> Option<Origin> {
    [Origin::Generated, Origin::Registered].into_iter().find(|&origin| origin as u32 == code)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_object_comes_back_as_it_was() {
        let mut attributes = AttributeSet::default();
        attributes.set(Tag::UniqueIdentifier, Value::TextString("id".into()));
        for name in ["a", "b"] {
            attributes.add(Attribute::new(Tag::ObjectGroup, Value::TextString(name.into())));
        }
        let vendor = Value::Structure(vec![
            Element::new(Tag::VendorIdentification, Value::TextString("x".into())),
            Element::new(Tag::AttributeName, Value::TextString("foo".into())),
            Element::new(Tag::AttributeValue, Value::Integer(7)),
        ]);
        attributes.add(Attribute::new(Tag::Attribute, vendor.clone()));
        let second = attributes.add(Attribute::new(Tag::Attribute, vendor));
        let reference = AttributeReference::Vendor { vendor: "x".into(), name: "foo".into() };
        assert!(attributes.remove(&reference, second).is_some());
        let object = Managed {
            sequence: 9,
            owner: Arc::from("somebody"),
            residency: Residency::Wrapped,
            origin: Origin::Registered,
            attributes,
        };
        assert_eq!(read(9, &write(&object)), Ok(object));
        assert_eq!(read(9, &Secret::copy_of(b"nonsense")), Err(Malformed("no elements")));
    }

    #[test]
    fn an_object_with_very_many_attributes_comes_back() {
        let group =
            |index| Attribute { tag: Tag::ObjectGroup, index: Some(index), value: Value::TextString("g".into()) };
        let mut list = vec![group(0)];
        list.extend((1..=60_000).map(group));
        let object = Managed {
            sequence: 9,
            owner: Arc::from("somebody"),
            residency: Residency::Sealed,
            origin: Origin::Registered,
            attributes: AttributeSet::restore(list, Vec::new()),
        };
        assert!(read(9, &write(&object)) == Ok(object));
    }
}
