//! The values of leaves as text (KMIP Additional Message Encodings 1.0 §6.1.6).

use time::format_description::well_known::Rfc3339;
use time::{Duration, OffsetDateTime};

use super::TextErrorKind;
use crate::spec::{EnumInfo, MaskInfo, Tag, attribute_by_name, enumeration_of, mask_of, xml_name};
use crate::ttlv::{Blob, Element, ItemType, Value};

const MICROSECONDS: i64 = 1_000_000;

/// The type of that name, as XML and JSON write it.
pub(super) fn item_type(name: &str) -> Option<ItemType> {
    (1..=11).filter_map(ItemType::from_code).find(|item| type_name(*item) == name)
}

/// The name of a type: the standard's, in one word.
pub(super) fn type_name(item: ItemType) -> String {
    xml_name(item.name())
}

/// The name of a tag, or its number where it has none that reads the same.
pub(super) fn tag_name(tag: Tag) -> Result<String, String> {
    let name = tag.name().map(xml_name).filter(|name| Tag::from_xml_name(name) == Some(tag));
    name.ok_or_else(|| format!("{:#08x}", tag.code()))
}

/// A tag by its number or its name.
pub(super) fn read_tag(text: &str) -> Result<Tag, TextErrorKind> {
    let number = fixed::<6>(text).filter(|tag| matches!(tag >> 16, 0x42 | 0x54)).map(Tag::new);
    number.or_else(|| Tag::from_xml_name(text)).ok_or(TextErrorKind::UnknownTag)
}

/// The tag whose enumeration or mask a value is of: its own, or in 1.x that of the attribute that its sibling names.
pub(super) fn meaning(tag: Tag, siblings: &[Element]) -> Tag {
    if tag != Tag::AttributeValue {
        return tag;
    }
    let name = siblings.iter().find(|element| element.tag == Tag::AttributeName);
    let row = name.and_then(|name| name.value.text()).and_then(attribute_by_name);
    row.map_or(tag, |row| row.tag)
}

/// Reads a leaf. `tag` says which enumeration or mask its names are of.
pub(super) fn read(item: ItemType, text: &str, tag: Tag) -> Result<Value, TextErrorKind> {
    let invalid = TextErrorKind::InvalidValue;
    Ok(match item {
        ItemType::Structure => return Err(TextErrorKind::Shape),
        ItemType::Integer => Value::Integer(match (text.trim().parse(), mask_of(tag)) {
            (Ok(number), _) => number,
            (Err(_), Some(mask)) => read_mask(mask, text)?,
            (Err(_), None) => fixed::<8>(text).map(u32::cast_signed).ok_or(invalid)?,
        }),
        ItemType::LongInteger => Value::LongInteger(long(text).ok_or(invalid)?),
        ItemType::BigInteger => {
            let bytes = hex_bytes(text.strip_prefix("0x").unwrap_or(text)).ok_or(invalid)?;
            if bytes.is_empty() || !bytes.len().is_multiple_of(8) {
                return Err(invalid);
            }
            Value::BigInteger(bytes)
        }
        ItemType::Enumeration => Value::Enumeration(match fixed::<8>(text) {
            Some(code) => code,
            None => enumeration_of(tag).and_then(|info| info.from_xml_name(text)).ok_or(TextErrorKind::UnknownName)?,
        }),
        ItemType::Boolean => Value::Boolean(match text {
            "true" | "1" => true,
            "false" | "0" => false,
            _ => return Err(invalid),
        }),
        ItemType::TextString => Value::TextString(text.into()),
        ItemType::ByteString => Value::ByteString(hex_bytes(text).ok_or(invalid)?),
        ItemType::DateTime => Value::DateTime(match wide(text) {
            Some(seconds) => seconds,
            None => date(text).ok_or(invalid)?.unix_timestamp(),
        }),
        ItemType::Interval => Value::Interval(text.parse().ok().or_else(|| fixed::<8>(text)).ok_or(invalid)?),
        ItemType::DateTimeExtended => Value::DateTimeExtended(match wide(text) {
            Some(microseconds) => microseconds,
            None => i64::try_from(date(text).ok_or(invalid)?.unix_timestamp_nanos().div_euclid(1000))
                .map_err(|_| invalid)?,
        }),
    })
}

/// Writes a leaf, the bits of a mask with this between them; a structure has no such text.
pub(super) fn write(value: &Value, tag: Tag, between: &str) -> String {
    match value {
        Value::Structure(_) => String::new(),
        Value::Integer(value) => match mask_of(tag) {
            Some(mask) => write_mask(mask, value.cast_unsigned(), between),
            None => value.to_string(),
        },
        Value::LongInteger(value) => value.to_string(),
        Value::Enumeration(code) => enumeration_of(tag)
            .and_then(|info| enumeration_name(info, *code))
            .unwrap_or_else(|| format!("{code:#010x}")),
        Value::Boolean(value) => value.to_string(),
        Value::TextString(text) => text.to_string(),
        Value::ByteString(bytes) | Value::BigInteger(bytes) => bytes
            .iter()
            .flat_map(|byte| [byte >> 4, byte & 15])
            .filter_map(|digit| char::from_digit(digit.into(), 16))
            .collect(),
        Value::DateTime(seconds) => write_date(*seconds, 0).unwrap_or_else(|| format!("{seconds:#018x}")),
        Value::Interval(seconds) => seconds.to_string(),
        Value::DateTimeExtended(value) => write_date(value.div_euclid(MICROSECONDS), value.rem_euclid(MICROSECONDS))
            .unwrap_or_else(|| format!("{value:#018x}")),
    }
}

/// The name of a value, if reading the name gives the value back.
fn enumeration_name(info: &EnumInfo, code: u32) -> Option<String> {
    let name = xml_name(info.find(code)?.name);
    (info.from_xml_name(&name) == Some(code)).then_some(name)
}

/// XML separates by blanks and JSON by bars; published XML does either.
pub(super) fn read_mask(mask: &MaskInfo, text: &str) -> Result<i32, TextErrorKind> {
    let bit = |name: &str| fixed::<8>(name).or_else(|| mask.from_xml_name(name)).ok_or(TextErrorKind::UnknownName);
    let names = text.split(|c: char| c.is_ascii_whitespace() || c == '|').filter(|name| !name.is_empty());
    let bits = names.map(bit).try_fold(0, |all, bit| bit.map(|bit| all | bit))?;
    Ok(bits.cast_signed())
}

fn write_mask(mask: &MaskInfo, value: u32, between: &str) -> String {
    let bits = mask.bits.iter().filter(|bit| value & bit.bit != 0);
    let mut parts: Vec<String> = bits.map(|bit| xml_name(bit.name)).collect();
    let rest = value & !mask.named();
    if rest != 0 || parts.is_empty() {
        parts.push(format!("{rest:#010x}"));
    }
    parts.join(between)
}

/// `0x` and exactly that many digits.
fn digits(text: &str, count: usize) -> Option<&str> {
    let digits = text.strip_prefix("0x")?;
    (digits.len() == count && digits.bytes().all(|byte| byte.is_ascii_hexdigit())).then_some(digits)
}

/// A number of that many hexadecimal digits, 8 at the most.
pub(super) fn fixed<const DIGITS: usize>(text: &str) -> Option<u32> {
    digits(text, DIGITS).and_then(|digits| u32::from_str_radix(digits, 16).ok())
}

/// 64 bits in hexadecimal.
pub(super) fn wide(text: &str) -> Option<i64> {
    digits(text, 16).and_then(|digits| u64::from_str_radix(digits, 16).ok()).map(u64::cast_signed)
}

fn long(text: &str) -> Option<i64> {
    text.trim().parse().ok().or_else(|| wide(text))
}

/// Pairs of hexadecimal digits. The bytes are wiped when they go; the text that they came from is the caller's.
fn hex_bytes(text: &str) -> Option<Blob> {
    let pair = |pair: &[u8]| match *pair {
        [high, low] => Some(digit(high)? << 4 | digit(low)?),
        _ => None,
    };
    text.as_bytes().chunks(2).map(pair).collect::<Option<Vec<u8>>>().map(Blob::new)
}

fn digit(character: u8) -> Option<u8> {
    char::from(character).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

/// A date with its offset; without one it is in UTC.
fn date(text: &str) -> Option<OffsetDateTime> {
    let text = text.trim();
    OffsetDateTime::parse(text, &Rfc3339).or_else(|_| OffsetDateTime::parse(&format!("{text}Z"), &Rfc3339)).ok()
}

/// A date of the years 0 to 9999; others have no such text.
fn write_date(seconds: i64, microseconds: i64) -> Option<String> {
    let date = OffsetDateTime::from_unix_timestamp(seconds).ok()?;
    date.checked_add(Duration::microseconds(microseconds))?.format(&Rfc3339).ok()
}
