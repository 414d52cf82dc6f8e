//! Values in reports: never key material.

use kmip_codec::spec::{Tag, enumeration_of, mask_of, xml_name};
use kmip_codec::ttlv::Value;

/// A value as a report shows it: bytes by their number, secrets not at all.
pub fn show(tag: Tag, value: &Value) -> String {
    match value {
        Value::Structure(elements) => format!("a structure of {} items", elements.len()),
        Value::ByteString(bytes) | Value::BigInteger(bytes) => format!("{} bytes", bytes.len()),
        Value::TextString(_) if matches!(tag, Tag::Password | Tag::KeyMaterial) => "a text".to_owned(),
        Value::TextString(text) => format!("{text:?}"),
        Value::Enumeration(code) => match enumeration_of(tag).and_then(|info| info.find(*code)) {
            Some(row) => xml_name(row.name),
            None => format!("{code:#010x}"),
        },
        Value::Integer(mask) if mask_of(tag).is_some() => format!("{mask:#010x}"),
        other => format!("{other:?}"),
    }
}
