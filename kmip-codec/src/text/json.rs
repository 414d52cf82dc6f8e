//! The JSON encoding (KMIP Additional Message Encodings 1.0 §4).

use std::cell::Cell;
use std::fmt;

use serde::de::{DeserializeSeed, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

use super::value::{self, fixed, meaning, read_tag, tag_name, type_name, wide};
use super::{Said, TextError, TextErrorKind};
use crate::spec::{Tag, mask_of};
use crate::ttlv::{Blob, Element, ItemType, Limits, Value};

/// Numbers from here on are written as hexadecimal strings: a reader may keep numbers as floating point (§4.1.6.5).
const NUMBERS: u64 = 1 << 52;

/// JSON values in one item: its object, and its properties `tag`, `name`, `type` and `value`.
const PARTS: usize = 5;

/// Reads one element. Tags and values are known by name or number; elements have no offset.
///
/// # Errors
/// What is not well-formed, with its line and column; what is not known by its name, of another type or beyond the limits,
/// with the tags that lead there.
pub fn read(json: &str, limits: &Limits) -> Result<Element, TextError> {
    let left = Cell::new(limits.items.saturating_mul(PARTS));
    let mut reader = serde_json::Deserializer::from_str(json);
    let parts = Seed { left: &left }.deserialize(&mut reader).and_then(|parts| reader.end().map(|()| parts));
    let parts = parts.map_err(|error| {
        // Only the seed's own errors are of the data; `left` tells them apart.
        let kind = match (left.get(), json.trim_ascii().is_empty(), error.is_data()) {
            (0, ..) => TextErrorKind::TooManyItems,
            (_, true, _) => TextErrorKind::NotOne,
            (_, _, true) => TextErrorKind::Unexpected,
            _ => TextErrorKind::Malformed,
        };
        TextError { line: error.line(), column: error.column(), ..TextError::new(kind) }
    })?;
    let mut reading = Reading { limits, items: 0, path: Vec::new(), said: Said::default() };
    let read = reading.element(parts, &[]);
    read.map_err(|kind| TextError { path: reading.path, version: reading.said.0, ..TextError::new(kind) })
}

/// Writes an element, each item on a line of its own.
///
/// # Errors
/// None: JSON has every character. The result is there for what both encodings are used by.
pub fn write(element: &Element) -> Result<String, TextError> {
    let mut json = String::new();
    write_element(&mut json, element, None, 0);
    json.push('\n');
    Ok(json)
}

/// JSON as it stands there. Texts are wiped when they go.
enum Parts {
    Null,
    Boolean(bool),
    Number(i64),
    /// A fraction, or beyond 63 bits.
    OtherNumber,
    Text(Zeroizing<String>),
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
}

/// Reads [`Parts`], so many values at the most.
#[derive(Clone, Copy)]
struct Seed<'l> {
    left: &'l Cell<usize>,
}

impl<'de> DeserializeSeed<'de> for Seed<'_> {
    type Value = Parts;

    fn deserialize<D: Deserializer<'de>>(self, deserializer: D) -> Result<Parts, D::Error> {
        let left = self.left.get().checked_sub(1).filter(|&left| left > 0);
        self.left.set(left.unwrap_or(0));
        left.ok_or_else(|| D::Error::custom("too many"))?;
        deserializer.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Seed<'_> {
    type Value = Parts;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a JSON value")
    }

    fn visit_unit<E>(self) -> Result<Parts, E> {
        Ok(Parts::Null)
    }

    fn visit_bool<E>(self, value: bool) -> Result<Parts, E> {
        Ok(Parts::Boolean(value))
    }

    fn visit_i64<E>(self, value: i64) -> Result<Parts, E> {
        Ok(Parts::Number(value))
    }

    fn visit_u64<E>(self, value: u64) -> Result<Parts, E> {
        Ok(i64::try_from(value).map_or(Parts::OtherNumber, Parts::Number))
    }

    fn visit_f64<E>(self, _: f64) -> Result<Parts, E> {
        Ok(Parts::OtherNumber)
    }

    fn visit_str<E>(self, value: &str) -> Result<Parts, E> {
        Ok(Parts::Text(Zeroizing::new(value.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Parts, A::Error> {
        let mut list = Vec::new();
        while let Some(parts) = seq.next_element_seed(self)? {
            list.push(parts);
        }
        Ok(Parts::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Parts, A::Error> {
        let mut object: Vec<(String, Parts)> = Vec::new();
        while let Some(name) = map.next_key::<String>()? {
            // Which of the two would count is left open by JSON, so that two readers may see different messages.
            if object.iter().any(|(other, _)| *other == name) || object.len() >= PARTS {
                return Err(A::Error::custom("a property that is unknown, or stands there twice"));
            }
            object.push((name, map.next_value_seed(self)?));
        }
        Ok(Parts::Object(object))
    }
}

struct Reading<'l> {
    limits: &'l Limits,
    items: usize,
    /// The tags of the items that are being read, outermost first; where an error was found, those that lead there.
    path: Vec<Tag>,
    said: Said,
}

impl Reading<'_> {
    fn element(&mut self, parts: Parts, siblings: &[Element]) -> Result<Element, TextErrorKind> {
        self.items += 1;
        if self.items > self.limits.items {
            return Err(TextErrorKind::TooManyItems);
        }
        let Parts::Object(properties) = parts else { return Err(TextErrorKind::Unexpected) };
        let (mut tag, mut item, mut value) = (None, ItemType::Structure, None);
        for (name, part) in properties {
            match (&*name, part) {
                ("tag", Parts::Text(text)) => tag = Some(read_tag(&text)?),
                ("type", Parts::Text(text)) => {
                    item = value::item_type(&text).ok_or(TextErrorKind::UnknownType)?;
                }
                // A name beside a number is for readers.
                ("name", Parts::Text(_)) => {}
                ("value", part) => value = Some(part),
                _ => return Err(TextErrorKind::Unexpected),
            }
        }
        let tag = tag.ok_or(TextErrorKind::UnknownTag)?;
        self.path.push(tag);
        let value = match (item, value) {
            (ItemType::Structure, None | Some(Parts::Null)) => Value::Structure(Vec::new()),
            (ItemType::Structure, Some(Parts::List(list))) => Value::Structure(self.structure(list)?),
            (ItemType::Structure, Some(_)) | (_, None) => return Err(TextErrorKind::Shape),
            (item, Some(part)) => leaf(item, part, meaning(tag, siblings))?,
        };
        self.path.pop();
        let element = Element::new(tag, value);
        self.said.note(&element);
        Ok(element)
    }

    fn structure(&mut self, list: Vec<Parts>) -> Result<Vec<Element>, TextErrorKind> {
        if self.path.len() > self.limits.depth {
            return Err(TextErrorKind::TooDeep);
        }
        let mut elements = Vec::with_capacity(list.len());
        for parts in list {
            let element = self.element(parts, &elements)?;
            elements.push(element);
        }
        Ok(elements)
    }
}

/// Reads a leaf: what has the same text in XML goes the same way (§4.1.6.3 to §4.1.6.12).
fn leaf(item: ItemType, part: Parts, meaning: Tag) -> Result<Value, TextErrorKind> {
    let invalid = TextErrorKind::InvalidValue;
    Ok(match (item, part) {
        (ItemType::Integer, Parts::Number(number)) => Value::Integer(i32::try_from(number).map_err(|_| invalid)?),
        (ItemType::Integer, Parts::Text(text)) => Value::Integer(match (fixed::<8>(&text), mask_of(meaning)) {
            (Some(bits), _) => bits.cast_signed(),
            (None, Some(mask)) => value::read_mask(mask, &text)?,
            (None, None) => return Err(invalid),
        }),
        (ItemType::LongInteger, Parts::Number(number)) => Value::LongInteger(exact(number)?),
        (ItemType::LongInteger, Parts::Text(text)) => Value::LongInteger(wide(&text).ok_or(invalid)?),
        (ItemType::BigInteger, Parts::Number(number)) => {
            Value::BigInteger(Blob::copy_of(&exact(number)?.to_be_bytes()))
        }
        (ItemType::BigInteger, Parts::Text(text)) if !text.starts_with("0x") => return Err(invalid),
        (ItemType::Enumeration, Parts::Number(code)) => Value::Enumeration(u32::try_from(code).map_err(|_| invalid)?),
        (ItemType::Boolean, Parts::Boolean(value)) => Value::Boolean(value),
        (ItemType::Boolean, Parts::Text(text)) => Value::Boolean(match wide(&text) {
            Some(0) => false,
            Some(1) => true,
            _ => return Err(invalid),
        }),
        (ItemType::Interval, Parts::Number(seconds)) => Value::Interval(u32::try_from(seconds).map_err(|_| invalid)?),
        (ItemType::Interval, Parts::Text(text)) => Value::Interval(fixed::<8>(&text).ok_or(invalid)?),
        (item, Parts::Text(text)) => value::read(item, &text, meaning)?,
        _ => return Err(TextErrorKind::Shape),
    })
}

/// A number that every reader keeps as it is.
fn exact(number: i64) -> Result<i64, TextErrorKind> {
    if number.unsigned_abs() < NUMBERS { Ok(number) } else { Err(TextErrorKind::InvalidValue) }
}

fn write_element(json: &mut String, element: &Element, parent: Option<&Element>, depth: usize) {
    let indent = "  ".repeat(depth);
    let name = tag_name(element.tag).unwrap_or_else(|number| number);
    json.push_str(&indent);
    json.push_str("{\"tag\":");
    quote(json, &name);
    match &element.value {
        Value::Structure(elements) if elements.is_empty() => json.push_str(",\"value\":[]}"),
        Value::Structure(elements) => {
            json.push_str(",\"value\":[\n");
            for (place, inner) in elements.iter().enumerate() {
                if place > 0 {
                    json.push_str(",\n");
                }
                write_element(json, inner, Some(element), depth + 1);
            }
            json.push('\n');
            json.push_str(&indent);
            json.push_str("]}");
        }
        leaf => {
            json.push_str(",\"type\":");
            quote(json, &type_name(leaf.item_type()));
            json.push_str(",\"value\":");
            let siblings = parent.map(|parent| parent.value.elements()).unwrap_or_default();
            write_leaf(json, leaf, meaning(element.tag, siblings));
            json.push('}');
        }
    }
}

fn write_leaf(json: &mut String, leaf: &Value, meaning: Tag) {
    let text = value::write(leaf, meaning, "|");
    match leaf {
        Value::Integer(_) if mask_of(meaning).is_some() => quote(json, &text),
        Value::LongInteger(number) if number.unsigned_abs() >= NUMBERS => quote(json, &format!("{number:#018x}")),
        Value::Integer(_) | Value::LongInteger(_) | Value::Boolean(_) | Value::Interval(_) => json.push_str(&text),
        Value::BigInteger(_) => quote(json, &format!("0x{text}")),
        _ => quote(json, &text),
    }
}

/// A string of JSON (RFC 8259 §7).
fn quote(json: &mut String, text: &str) {
    json.push('"');
    for character in text.chars() {
        match character {
            '"' => json.push_str("\\\""),
            '\\' => json.push_str("\\\\"),
            '\0'..='\x1f' | '\x7f' | '\u{2028}' | '\u{2029}' => {
                json.push_str(&format!("\\u{:04x}", u32::from(character)));
            }
            other => json.push(other),
        }
    }
    json.push('"');
}

#[cfg(test)]
#[path = "json_tests.rs"]
mod tests;
