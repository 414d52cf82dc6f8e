//! What a command has to say: tables for people, JSON for programs.
//!
//! Texts come from servers and from other clients: whatever could command a terminal is shown, not sent.

use std::fmt::Write;

use kmip_codec::spec::{AttributeKind, Tag, attribute_by_tag, enumeration_of, mask_of, xml_name};
use kmip_codec::types::{Attribute, vendor};
use kmip_codec::{Element, Value};
use serde_json::{Map, Value as Json};
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

/// What a command has to say.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Report {
    /// For people.
    pub text: String,
    /// For programs.
    pub json: Json,
    /// The identifiers alone, for `--quiet`.
    pub identifiers: Vec<String>,
}

impl Report {
    /// One thing: a line for each of its properties. Programs read the titles without spaces.
    pub fn record(rows: &[(&str, String)]) -> Self {
        let width = rows.iter().map(|(title, _)| title.chars().count()).max().unwrap_or(0);
        let mut text = String::new();
        let mut json = Map::new();
        for (title, value) in rows {
            let _ = writeln!(text, "{title:width$}  {}", clean(value));
            json.insert(xml_name(title), Json::String(value.clone()));
        }
        let identifiers = rows.iter().filter(|(title, _)| title.ends_with("Identifier")).map(|(_, id)| id.clone());
        Self { text, json: Json::Object(json), identifiers: identifiers.collect() }
    }

    /// Many things: a line for each. The text alone; the JSON is the caller's.
    pub fn table(titles: &[&str], rows: &[Vec<String>], json: Json) -> Self {
        let rows: Vec<Vec<String>> = rows.iter().map(|row| row.iter().map(|cell| clean(cell)).collect()).collect();
        let titles: Vec<String> = titles.iter().map(|title| title.to_uppercase()).collect();
        let width = |column: usize| {
            let cells = rows.iter().chain([&titles]).filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..titles.len()).map(width).collect();
        let mut text = String::new();
        for row in [&titles].into_iter().chain(&rows) {
            let cells: Vec<String> = row.iter().zip(&widths).map(|(cell, &width)| format!("{cell:width$}")).collect();
            text.push_str(cells.join("  ").trim_end());
            text.push('\n');
        }
        Self { text, json, identifiers: Vec::new() }
    }
}

/// A text in which nothing can command a terminal.
pub fn clean(text: &str) -> String {
    let unsafe_mark = |c: char| c.is_control() || matches!(c, '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}');
    text.chars().fold(String::with_capacity(text.len()), |mut out, c| {
        if unsafe_mark(c) {
            out.extend(c.escape_default())
        } else {
            out.push(c)
        }
        out
    })
}

/// The name of an attribute: the standard's, or the vendor's own.
pub fn name(attribute: &Attribute) -> String {
    match vendor(&attribute.value) {
        Some((vendor, name)) if attribute.tag == Tag::Attribute => match &**vendor {
            "x" | "y" => format!("{vendor}-{name}"),
            _ => format!("{vendor}:{name}"),
        },
        _ => attribute.tag.to_string(),
    }
}

/// The value of an attribute in one line; a vendor's without its name.
pub fn attribute(attribute: &Attribute) -> String {
    match attribute.value.find(Tag::AttributeValue) {
        Some(inner) if attribute.tag == Tag::Attribute => value(Tag::AttributeValue, inner),
        _ => value(attribute.tag, &attribute.value),
    }
}

/// A value in one line, in the form in which [`values`](super::values) reads it.
pub fn value(tag: Tag, value: &Value) -> String {
    match value {
        Value::Structure(elements) => {
            let fields = elements.iter().map(|Element { tag, value, .. }| format!("{tag}={}", field(*tag, value)));
            fields.collect::<Vec<_>>().join(", ")
        }
        Value::Integer(number) => match bit_names(tag, *number) {
            Some(names) => names.join(", "),
            None => number.to_string(),
        },
        Value::LongInteger(number) => number.to_string(),
        Value::BigInteger(bytes) | Value::ByteString(bytes) => hex::encode(&**bytes),
        Value::Enumeration(code) => enumeration_name(tag, *code),
        Value::Boolean(boolean) => boolean.to_string(),
        Value::TextString(text) if text.trim() != &**text || text.starts_with('"') => quoted(text),
        Value::TextString(text) => text.to_string(),
        Value::DateTime(seconds) => date(i128::from(*seconds) * 1_000_000_000),
        Value::DateTimeExtended(micros) => date(i128::from(*micros) * 1000),
        Value::Interval(seconds) => format!("{seconds}s"),
    }
}

/// A value for programs: numbers and booleans as such, structures as objects, everything else as text.
pub fn json(tag: Tag, value: &Value) -> Json {
    match value {
        Value::Structure(elements) => {
            let mut object = Map::new();
            for Element { tag, value, .. } in elements {
                let inner = json(*tag, value);
                match object.get_mut(&xml_name(&tag.to_string())) {
                    Some(Json::Array(list)) => list.push(inner),
                    Some(one) => *one = Json::Array(vec![one.take(), inner]),
                    None => {
                        object.insert(xml_name(&tag.to_string()), inner);
                    }
                }
            }
            Json::Object(object)
        }
        Value::Integer(number) => match bit_names(tag, *number) {
            Some(names) => names.into(),
            None => (*number).into(),
        },
        Value::LongInteger(number) => (*number).into(),
        Value::Interval(seconds) => (*seconds).into(),
        Value::Boolean(boolean) => (*boolean).into(),
        Value::TextString(text) => text.to_string().into(),
        _ => self::value(tag, value).into(),
    }
}

/// A field's value: a text that holds the marks of the form is quoted, a structure bracketed.
fn field(tag: Tag, value: &Value) -> String {
    match value {
        Value::TextString(text) if text.contains([',', '=', '"', '{', '}']) => quoted(text),
        Value::Structure(_) => format!("{{{}}}", self::value(tag, value)),
        // Bits are separated as fields are.
        Value::Integer(number) => bit_names(tag, *number).map_or_else(|| number.to_string(), |names| names.join("|")),
        _ => self::value(tag, value),
    }
}

fn quoted(text: &str) -> String {
    Json::String(text.to_owned()).to_string()
}

fn enumeration_name(tag: Tag, code: u32) -> String {
    let row = enumeration_of(tag).and_then(|info| info.find(code));
    row.map_or_else(|| format!("{code:#010x}"), |row| row.name.to_owned())
}

/// The names of the bits that are set, bits without a name together as a number; none if the integer is no mask.
fn bit_names(tag: Tag, number: i32) -> Option<Vec<String>> {
    let mask = match attribute_by_tag(tag).map(|row| row.kind) {
        Some(AttributeKind::Mask(mask)) => mask,
        _ => tag,
    };
    let info = mask_of(mask)?;
    let set = number.cast_unsigned();
    let mut names: Vec<String> =
        info.bits.iter().filter(|bit| set & bit.bit != 0).map(|bit| bit.name.to_owned()).collect();
    let nameless = set & !info.named();
    if nameless != 0 {
        names.push(format!("{nameless:#010x}"));
    }
    Some(names)
}

fn date(nanoseconds: i128) -> String {
    let moment = OffsetDateTime::from_unix_timestamp_nanos(nanoseconds).ok();
    let text = moment.and_then(|moment| moment.format(&Rfc3339).ok());
    text.unwrap_or_else(|| format!("{} s since 1970", nanoseconds / 1_000_000_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_in_words() {
        for (tag, value, shown) in [
            (Tag::State, Value::Enumeration(2), "Active"),
            (Tag::State, Value::Enumeration(0x8000_0001), "0x80000001"),
            (Tag::CryptographicUsageMask, Value::Integer(12), "Encrypt, Decrypt"),
            (Tag::CryptographicUsageMask, Value::Integer(0x4000_0004), "Encrypt, 0x40000000"),
            (Tag::ProtectionStorageMask, Value::Integer(3), "Software, Hardware"),
            (Tag::CryptographicLength, Value::Integer(12), "12"),
            (Tag::InitialDate, Value::DateTime(1_795_319_784), "2026-11-22T03:56:24Z"),
            (Tag::InitialDate, Value::DateTime(i64::MAX), "9223372036854775807 s since 1970"),
            (Tag::InitialDate, Value::DateTimeExtended(1_500_000), "1970-01-01T00:00:01.5Z"),
            (Tag::LeaseTime, Value::Interval(60), "60s"),
            (Tag::Fresh, Value::Boolean(true), "true"),
        ] {
            assert_eq!(self::value(tag, &value), shown);
        }
    }

    #[test]
    fn structures_for_programs() {
        let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
        let value = Value::Structure(vec![
            text(Tag::ObjectGroup, "a"),
            text(Tag::ObjectGroup, "b"),
            text(Tag::ObjectGroup, "c"),
            Element::new(Tag::CryptographicUsageMask, Value::Integer(1)),
        ]);
        let expected = serde_json::json!({ "ObjectGroup": ["a", "b", "c"], "CryptographicUsageMask": ["Sign"] });
        assert_eq!(json(Tag::Attributes, &value), expected);
    }

    #[test]
    fn a_table_is_as_wide_as_its_widest_cells() {
        let rows = [vec!["1".to_owned(), "größe".to_owned()], vec!["long\u{7}".to_owned(), String::new()]];
        let report = Report::table(&["Id", "Name"], &rows, Json::Null);
        assert_eq!(report.text, "ID         NAME\n1          größe\nlong\\u{7}\n");
    }

    #[test]
    fn a_record_knows_its_identifier() {
        let report = Report::record(&[("Unique Identifier", "42".to_owned()), ("State", "Active".to_owned())]);
        assert_eq!(report.text, "Unique Identifier  42\nState              Active\n");
        assert_eq!(report.json, serde_json::json!({ "UniqueIdentifier": "42", "State": "Active" }));
        assert_eq!(report.identifiers, ["42"]);
    }

    #[test]
    fn nothing_commands_the_terminal() {
        assert_eq!(clean("a\u{1b}[31m\r\n\u{202e}ü"), "a\\u{1b}[31m\\r\\n\\u{202e}ü");
    }
}
