//! Requests as XML, as short as it can be written.

use std::fmt::Write;

/// A structure.
pub(crate) fn st(name: &str, items: &[String]) -> String {
    format!("<{name}>{}</{name}>", items.concat())
}

/// An enumeration, by name or number.
pub(crate) fn en(name: &str, value: &str) -> String {
    leaf(name, "Enumeration", value)
}

/// An integer; or a mask by the names of its bits.
pub(crate) fn int(name: &str, value: &str) -> String {
    leaf(name, "Integer", value)
}

/// A boolean.
pub(crate) fn bo(name: &str, value: bool) -> String {
    leaf(name, "Boolean", if value { "true" } else { "false" })
}

/// A text string.
pub(crate) fn text(name: &str, value: &str) -> String {
    leaf(name, "TextString", value)
}

/// A byte string.
pub(crate) fn bytes(name: &str, value: &[u8]) -> String {
    let hex = value.iter().fold(String::new(), |mut hex, byte| {
        let _ = write!(hex, "{byte:02x}");
        hex
    });
    leaf(name, "ByteString", &hex)
}

/// The Unique Identifier.
pub(crate) fn id(value: &str) -> String {
    text("UniqueIdentifier", value)
}

fn leaf(name: &str, kind: &str, value: &str) -> String {
    format!("<{name} type=\"{kind}\" value=\"{value}\"/>")
}
