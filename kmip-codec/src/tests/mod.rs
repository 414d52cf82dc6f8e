//! Tests that take the whole crate: messages and attributes by value, in both dialects, and properties of all of them.
//!
//! Expected bytes are hexadecimal, made by hand after the standard's tables; the small functions here put items together
//! without the writer, so that writer and reader cannot agree on an error.

mod attributes;
mod messages;
mod objects;
mod properties;

use bytes::Bytes;

use crate::schema::{Decode, Encode};
use crate::spec::{Tag, Version};
use crate::ttlv::{Element, Error, ErrorKind, Limits, Result, Text, Value, Writer, parse};

/// Bytes from hexadecimal digits with spaces and lines between.
fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.split_whitespace().collect::<String>()).unwrap()
}

/// An item: tag and type, length, value, padding.
fn item(tag: &str, kind: u8, value: &[u8]) -> String {
    let padding = "00".repeat(value.len().next_multiple_of(8) - value.len());
    format!("{tag}{kind:02X}{:08X}{}{padding}", value.len(), hex::encode_upper(value))
}

/// A structure of items.
fn structure(tag: &str, items: &[String]) -> String {
    let content = items.concat();
    format!("{tag}01{:08X}{content}", content.len() / 2)
}

fn integer(tag: &str, value: i32) -> String {
    item(tag, 2, &value.to_be_bytes())
}

fn enumeration(tag: &str, value: u32) -> String {
    item(tag, 5, &value.to_be_bytes())
}

fn boolean(tag: &str, value: bool) -> String {
    item(tag, 6, &u64::from(value).to_be_bytes())
}

fn text(tag: &str, value: &str) -> String {
    item(tag, 7, value.as_bytes())
}

/// The element that the digits are.
fn element(hex: &str) -> Element {
    parse(&Bytes::from(bytes(hex)), &Limits::default()).unwrap()
}

/// The digits read as a structure.
fn read<T: Decode>(hex: &str, version: Version) -> Result<T> {
    T::decode(element(hex), version)
}

/// What is written under a tag, as digits.
fn written(value: &impl Encode, tag: Tag, version: Version) -> String {
    let mut writer = Writer::new(version);
    value.encode(tag, &mut writer);
    hex::encode_upper(writer.finish())
}

/// The kind of an error and the path to it.
fn kind<T: std::fmt::Debug>(result: Result<T>) -> (ErrorKind, Vec<Tag>) {
    let Error { kind, path, .. } = *result.unwrap_err();
    (kind, path)
}

fn text_value(text: &str) -> Value {
    Value::TextString(Text::from(text))
}

/// What these tests read is also what the fuzzers start from. KMIPD_WRITE_SEEDS writes the files anew.
pub(crate) fn seed(target: &str, name: &str, content: &[u8]) {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../fuzz/seeds").join(target);
    let path = folder.join(name);
    if std::env::var_os("KMIPD_WRITE_SEEDS").is_some() {
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(&path, content).unwrap();
    }
    assert_eq!(std::fs::read(&path).unwrap(), content, "{}", path.display());
}
