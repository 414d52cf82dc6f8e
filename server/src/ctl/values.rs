//! Attributes as people write them: `Object Group=payroll`, `cryptographic-usage-mask=encrypt,decrypt`,
//! `Activation Date=+3600`, `Link=Link Type=Previous Link, Linked Object Identifier=42`.
//!
//! The type of a value is the attribute table's. Names of attributes, fields, enumeration values and bits are compared by
//! their letters and digits alone, so that `sha-256`, `SHA256` and `SHA-256` are the same.

use kmip_codec::dialect;
use kmip_codec::spec::{
    AttributeKind, AttributeRow, FieldRow, Tag, Version, attribute_by_tag, attributes, enumeration_of, mask_of,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, AttributeReference, vendor};
use kmip_codec::{Element, Value};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use super::{Error, Outcome};

/// Reads `NAME=VALUE`. `x-NAME=TEXT` is a client's own attribute; `VENDOR:NAME=TEXT` another vendor's. `now` is in seconds
/// since 1970-01-01T00:00:00Z.
///
/// # Errors
/// Usage: there is no such attribute, or the value is none of its type.
pub fn pair(text: &str, now: i64) -> Outcome<Attribute> {
    let (name, value) =
        text.split_once('=').ok_or_else(|| Error::usage(format!("{text:?} is no attribute: write NAME=VALUE")))?;
    match reference(name)? {
        AttributeReference::Tag(tag) => attribute(tag, value, now),
        AttributeReference::Vendor { vendor, name } => {
            let text = |tag, text: Text| Element::new(tag, Value::TextString(text));
            Ok(Attribute::new(
                Tag::Attribute,
                Value::Structure(vec![
                    text(Tag::VendorIdentification, vendor),
                    text(Tag::AttributeName, name),
                    text(Tag::AttributeValue, value.into()),
                ]),
            ))
        }
    }
}

/// Reads the name of an attribute.
///
/// # Errors
/// Usage: there is no such attribute.
pub fn reference(name: &str) -> Outcome<AttributeReference> {
    let name = name.trim();
    let clients_own = || name.split_once('-').filter(|(vendor, _)| matches!(*vendor, "x" | "y"));
    if let Some((vendor, name)) = name.split_once(':').or_else(clients_own) {
        return Ok(AttributeReference::Vendor { vendor: vendor.into(), name: name.into() });
    }
    let wanted = fold(name);
    let row = attributes()
        .iter()
        .find(|row| fold(row.name()) == wanted && !matches!(row.tag, Tag::Attribute | Tag::CustomAttribute));
    row.map(|row| AttributeReference::Tag(row.tag)).ok_or_else(|| Error::usage(unknown_attribute(name)))
}

/// Reads the value of an attribute.
///
/// # Errors
/// Usage: the value is none of the attribute's type.
pub fn attribute(tag: Tag, text: &str, now: i64) -> Outcome<Attribute> {
    let row = attribute_by_tag(tag).ok_or_else(|| Error::usage(format!("{tag} is no attribute")))?;
    let value = value(row.tag, &row.kind, text.trim(), now)
        .map_err(|problem| Error::usage(format!("{}: {problem}", row.name())))?;
    Ok(Attribute::new(tag, value))
}

/// Whether the version can say the attribute; what it cannot say would be left out of the message.
///
/// # Errors
/// Failed: the version has no such attribute, field or value.
pub fn check(list: &[Attribute], version: Version) -> Outcome<()> {
    for attribute in list {
        let unknown = |row: Option<&AttributeRow>| {
            let name = row.map_or_else(|| attribute.tag.to_string(), |row| row.name().to_owned());
            Error::failed(format!("KMIP {version} has no attribute {name}"))
        };
        let row = attribute_by_tag(attribute.tag);
        if attribute.tag == Tag::Attribute {
            let custom = vendor(&attribute.value).is_some_and(|(vendor, _)| matches!(&**vendor, "x" | "y"));
            if version.is_v2() || custom {
                continue;
            }
            return Err(unknown(row));
        }
        let row = row.filter(|row| row.known_in(version)).ok_or_else(|| unknown(row))?;
        dialect::check(row, &attribute.value, version)
            .map_err(|error| Error::failed(format!("{} in KMIP {version}: {error}", row.name())))?;
    }
    Ok(())
}

/// A value of an enumeration, by name or number.
///
/// # Errors
/// Usage: there is no such value.
pub fn enumeration<T: kmip_codec::spec::Enumeration>(text: &str) -> Outcome<T> {
    code(T::TAG, text).map(T::from).map_err(|problem| Error::usage(format!("{}: {problem}", T::NAME)))
}

/// Bits of the mask of that tag, by name, separated by commas.
///
/// # Errors
/// Usage: there is no such bit.
pub fn mask(tag: Tag, text: &str) -> Outcome<i32> {
    bits(tag, text).map_err(|problem| Error::usage(format!("{tag}: {problem}")))
}

/// A moment: RFC 3339, `now`, or from now as in `+90d`, `-3600`.
///
/// # Errors
/// Usage: neither.
pub fn date(text: &str, now: i64) -> Outcome<i64> {
    moment(text, now).map_err(Error::usage)
}

/// The letters and digits of a name, small.
pub fn fold(name: &str) -> String {
    name.chars().filter(|c| c.is_alphanumeric()).flat_map(char::to_lowercase).collect()
}

fn unknown_attribute(name: &str) -> String {
    let wanted = fold(name);
    let near: Vec<&str> = attributes()
        .iter()
        .map(AttributeRow::name)
        .filter(|known| !wanted.is_empty() && (fold(known).contains(&wanted) || wanted.contains(&fold(known))))
        .collect();
    let hint = if near.is_empty() {
        "an attribute of your own is x-NAME, a vendor's VENDOR:NAME".to_owned()
    } else {
        format!("there is {}", near.join(", "))
    };
    format!("there is no attribute {name:?}; {hint}")
}

fn value(tag: Tag, kind: &AttributeKind, text: &str, now: i64) -> Result<Value, String> {
    let number = |problem: std::num::ParseIntError| format!("{text:?} is no number that fits: {problem}");
    Ok(match kind {
        AttributeKind::Integer => Value::Integer(text.parse().map_err(number)?),
        AttributeKind::LongInteger => Value::LongInteger(text.parse().map_err(number)?),
        AttributeKind::BigInteger => Value::BigInteger(bytes(text)?),
        AttributeKind::Enumeration => Value::Enumeration(code(tag, text)?),
        AttributeKind::Mask(mask) => Value::Integer(bits(*mask, text)?),
        AttributeKind::Boolean => match fold(text).as_str() {
            "true" | "yes" => Value::Boolean(true),
            "false" | "no" => Value::Boolean(false),
            _ => return Err(format!("{text:?} is neither true nor false")),
        },
        AttributeKind::Text | AttributeKind::Identifier | AttributeKind::Any => {
            Value::TextString(unquoted(text)?.into())
        }
        AttributeKind::Bytes => Value::ByteString(bytes(text)?),
        AttributeKind::DateTime => Value::DateTime(moment(text, now)?),
        AttributeKind::Interval => {
            let seconds = u32::try_from(seconds(text)?);
            Value::Interval(seconds.map_err(|_| format!("{text:?} is too long"))?)
        }
        AttributeKind::Structure(rows) => Value::Structure(structure(rows, text, now)?),
    })
}

/// Fields by name; or, where a structure is no more than a text of some type, the text alone.
fn structure(rows: &'static [FieldRow], text: &str, now: i64) -> Result<Vec<Element>, String> {
    if let Some(elements) = typed_text(rows, text) {
        return Ok(elements);
    }
    let inner = text.strip_prefix('{').and_then(|text| text.strip_suffix('}')).unwrap_or(text);
    let names = || rows.iter().map(|row| row.tag.to_string()).collect::<Vec<_>>().join(", ");
    let mut elements: Vec<(usize, Element)> = Vec::new();
    for part in parts(inner) {
        let (name, given) =
            part.split_once('=').ok_or_else(|| format!("{part:?} is no FIELD=VALUE; the fields are {}", names()))?;
        let wanted = fold(name);
        let place = rows.iter().position(|row| fold(&row.tag.to_string()) == wanted);
        let found = place.and_then(|place| Some((place, rows.get(place)?)));
        let (place, row) = found.ok_or_else(|| format!("there is no field {:?}; there is {}", name.trim(), names()))?;
        if !row.multi && elements.iter().any(|(other, _)| *other == place) {
            return Err(format!("{} is given twice", row.tag));
        }
        let value =
            value(row.tag, &row.kind, given.trim(), now).map_err(|problem| format!("{}: {problem}", row.tag))?;
        elements.push((place, Element::new(row.tag, value)));
    }
    elements.sort_by_key(|(place, _)| *place);
    Ok(elements.into_iter().map(|(_, element)| element).collect())
}

/// Name, Rotate Name and their like: a text and its type, whose first value means uninterpreted text.
fn typed_text(rows: &[FieldRow], text: &str) -> Option<Vec<Element>> {
    let [FieldRow { tag, kind: AttributeKind::Text, .. }, FieldRow { tag: kind, kind: AttributeKind::Enumeration, .. }] =
        rows
    else {
        return None;
    };
    if parts(text).iter().any(|part| part.split_once('=').is_some_and(|(name, _)| fold(name) == fold(&tag.to_string())))
    {
        return None;
    }
    let plain = enumeration_of(*kind)?.values.first()?.value;
    let text = unquoted(text).ok()?;
    Some(vec![Element::new(*tag, Value::TextString(text.into())), Element::new(*kind, Value::Enumeration(plain))])
}

/// What commas separate, outside quotes and brackets.
fn parts(text: &str) -> Vec<&str> {
    let (mut parts, mut depth, mut quoted, mut escaped, mut start) = (Vec::new(), 0_usize, false, false, 0);
    for (place, c) in text.char_indices() {
        match c {
            _ if escaped => escaped = false,
            '\\' if quoted => escaped = true,
            '"' => quoted = !quoted,
            '{' if !quoted => depth += 1,
            '}' if !quoted => depth = depth.saturating_sub(1),
            ',' if !quoted && depth == 0 => {
                parts.extend(text.get(start..place));
                start = place + 1;
            }
            _ => {}
        }
    }
    parts.extend(text.get(start..));
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

/// A text as it stands, or what stands in its quotes as JSON writes it.
fn unquoted(text: &str) -> Result<String, String> {
    if text.len() > 1 && text.starts_with('"') && text.ends_with('"') {
        serde_json::from_str(text).map_err(|_| format!("{text} is not quoted as JSON does it"))
    } else {
        Ok(text.to_owned())
    }
}

fn code(tag: Tag, text: &str) -> Result<u32, String> {
    let info = enumeration_of(tag).ok_or_else(|| format!("{tag} has no names"))?;
    let wanted = fold(text);
    if let Some(row) = info.values.iter().find(|row| fold(row.name) == wanted) {
        return Ok(row.value);
    }
    text.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok()).ok_or_else(|| {
        let all: Vec<&str> = info.values.iter().map(|row| row.name).collect();
        format!("there is no {} {text:?}; there is {}", info.name, all.join(", "))
    })
}

fn bits(tag: Tag, text: &str) -> Result<i32, String> {
    let info = mask_of(tag).ok_or_else(|| format!("{tag} is no mask"))?;
    let mut mask = 0;
    for part in text.split([',', '|']).map(str::trim).filter(|part| !part.is_empty()) {
        let wanted = fold(part);
        let named = info.bits.iter().find(|bit| fold(bit.name) == wanted).map(|bit| bit.bit);
        let number = || part.strip_prefix("0x").and_then(|digits| u32::from_str_radix(digits, 16).ok());
        mask |= named.or_else(number).ok_or_else(|| {
            let all: Vec<&str> = info.bits.iter().map(|bit| bit.name).collect();
            format!("there is no bit {part:?}; there is {}", all.join(", "))
        })?;
    }
    Ok(mask.cast_signed())
}

fn bytes(text: &str) -> Result<Blob, String> {
    hex::decode(text).map(Blob::new).map_err(|_| "bytes are written as hexadecimal digits, two a byte".to_owned())
}

fn moment(text: &str, now: i64) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no moment: write 2026-12-31T23:59:59Z, now, +3600 or -30d");
    if text == "now" {
        return Ok(now);
    }
    if let Some(ahead) = text.strip_prefix('+') {
        return now.checked_add(seconds(ahead)?).ok_or_else(wrong);
    }
    match text.strip_prefix('-') {
        Some(back) => now.checked_sub(seconds(back)?).ok_or_else(wrong),
        None => OffsetDateTime::parse(text, &Rfc3339).map(OffsetDateTime::unix_timestamp).map_err(|_| wrong()),
    }
}

/// Seconds, or a number of `s`, `m`, `h` or `d`.
fn seconds(text: &str) -> Result<i64, String> {
    let wrong = || format!("{text:?} is no length of time: write 3600, 90m, 12h or 30d");
    let units = [('s', 1), ('m', 60), ('h', 3600), ('d', 86400)];
    let unit = units.iter().find_map(|(unit, factor)| Some((text.strip_suffix(*unit)?, *factor)));
    let (digits, factor) = unit.unwrap_or((text, 1));
    if digits.is_empty() || !digits.bytes().all(|digit| digit.is_ascii_digit()) {
        return Err(wrong());
    }
    digits.parse::<i64>().ok().and_then(|number| number.checked_mul(factor)).ok_or_else(wrong)
}

#[cfg(test)]
mod tests;
