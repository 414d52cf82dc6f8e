//! An item of a case: what an element will be once the variables are filled in.

use std::fmt::Write as _;

use kmip_codec::spec::Tag;
use kmip_codec::text::{TextErrorKind, xml};
use kmip_codec::ttlv::{Blob, Element, ItemType, Limits, Value};

use crate::bindings::{Bindings, identifier_tag};

/// What an item of a case says about its value.
#[derive(Clone)]
pub enum Content {
    /// Items within it.
    Structure(Vec<Node>),
    /// A value as it stands in the case.
    Fixed(Value),
    /// A variable, by its name without the dollar sign.
    Variable(String, ItemType),
    /// A date counted from the start of the case, in seconds.
    Now(i64, ItemType),
}

/// An item of a case.
#[derive(Clone)]
pub struct Node {
    /// Its tag.
    pub tag: Tag,
    /// Its content.
    pub content: Content,
}

/// Why a request cannot be made of a case.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NodeError {
    /// The text of the case is none that a message can have.
    #[error("{0}: {1}")]
    Text(String, TextErrorKind),
    /// A variable that no answer has bound.
    #[error("${0} is used before an answer has it")]
    Unbound(String),
}

/// An item as the file has it.
#[derive(Debug, Clone, Default)]
pub(crate) struct Raw {
    pub(crate) name: String,
    pub(crate) tag: Option<String>,
    pub(crate) item: Option<String>,
    pub(crate) value: Option<String>,
    pub(crate) inner: Vec<Raw>,
}

/// Names that cases use and the tables do not have, with those of the tables.
const ALIASES: [(&str, &str, &str); 2] = [
    ("ResultReason", "NotAuthorized", "NotAuthorised"),
    ("CryptographicUsageMask", "ContentCommitment", "ContentCommitmentNonRepudiation"),
];

impl Raw {
    /// Reads the item with the tables of the codec, variables kept apart.
    pub(crate) fn read(&self) -> Result<Node, NodeError> {
        let mut text = String::new();
        self.write(None, &mut text);
        let element = xml::read(&text, &Limits::default()).map_err(|error| {
            // The columns are those of a text that nobody sees; the line counts the items.
            let near = text.lines().nth(error.line.saturating_sub(1)).unwrap_or_default();
            let near = near.split(' ').next().unwrap_or_default().trim_start_matches('<');
            NodeError::Text(near.to_owned(), error.kind)
        })?;
        Ok(self.join(element))
    }

    fn write(&self, attribute: Option<&str>, text: &mut String) {
        let _ = write!(text, "<{}", self.name);
        for (key, value) in [("tag", &self.tag), ("type", &self.item)] {
            if let Some(value) = value.as_ref().filter(|value| *value != "Structure") {
                let _ = write!(text, " {key}=\"{value}\"");
            }
        }
        if self.is_structure() {
            text.push_str(">\n");
            let name = self.inner.iter().find(|inner| inner.name == "AttributeName");
            let name = name.and_then(|name| name.value.as_deref()).map(|name| name.replace(char::is_whitespace, ""));
            self.inner.iter().for_each(|inner| inner.write(name.as_deref(), text));
            let _ = writeln!(text, "</{}>", self.name);
        } else {
            let value = escape(&self.plain(attribute.unwrap_or(&self.name)));
            let _ = writeln!(text, " value=\"{value}\"/>");
        }
    }

    fn is_structure(&self) -> bool {
        self.item.as_deref().is_none_or(|item| item == "Structure")
    }

    /// The value as the codec reads it; that of a variable is some value of its type.
    fn plain(&self, meaning: &str) -> String {
        let value = self.value.as_deref().unwrap_or_default();
        let item = self.item.as_deref().unwrap_or_default();
        if variable(value).is_some() {
            return match item {
                "ByteString" | "TextString" => String::new(),
                "BigInteger" => "00".repeat(8),
                "Boolean" => "false".to_owned(),
                "Enumeration" => "0x00000001".to_owned(),
                "DateTime" | "DateTimeExtended" => format!("0x{}", "0".repeat(16)),
                _ => "0".to_owned(),
            };
        }
        match item {
            "ByteString" | "BigInteger" => value.split_whitespace().collect(),
            "Enumeration" | "Integer" => {
                let words = value.split(|c: char| c.is_whitespace() || c == '|').filter(|word| !word.is_empty());
                let alias = |word| ALIASES.iter().find(|alias| (alias.0, alias.1) == (meaning, word));
                let words: Vec<&str> = words.map(|word| alias(word).map_or(word, |alias| alias.2)).collect();
                words.join(" ")
            }
            // A name that was broken over lines in the published text.
            _ if self.name == "AttributeName" => value.split_whitespace().collect::<Vec<_>>().join(" "),
            _ => value.to_owned(),
        }
    }

    fn join(&self, element: Element) -> Node {
        let tag = element.tag;
        let item = element.value.item_type();
        let value = self.value.as_deref().and_then(variable);
        let content = match (element.value, value) {
            (Value::Structure(elements), _) => {
                Content::Structure(self.inner.iter().zip(elements).map(|(raw, element)| raw.join(element)).collect())
            }
            (_, Some(Variable::Named(name))) => Content::Variable(name.to_owned(), item),
            (_, Some(Variable::Now(offset))) => Content::Now(offset, item),
            (value, None) => Content::Fixed(value),
        };
        Node { tag, content }
    }
}

enum Variable<'a> {
    Named(&'a str),
    Now(i64),
}

fn variable(value: &str) -> Option<Variable<'_>> {
    let name = value.trim().strip_prefix('$')?;
    match name.strip_prefix("NOW") {
        Some("") => Some(Variable::Now(0)),
        Some(offset) => offset.parse().ok().map(Variable::Now),
        None => name
            .bytes()
            .all(|b| b.is_ascii_uppercase() || b.is_ascii_digit() || b == b'_')
            .then_some(())
            .map(|()| Variable::Named(name)),
    }
}

fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for character in text.chars() {
        match character {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '"' => escaped.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(escaped, "&#{};", u32::from(character));
            }
            other => escaped.push(other),
        }
    }
    escaped
}

impl Node {
    /// The items within.
    pub fn inner(&self) -> &[Self] {
        match &self.content {
            Content::Structure(inner) => inner,
            _ => &[],
        }
    }

    /// The first item within of that tag.
    pub fn find(&self, tag: Tag) -> Option<&Self> {
        self.inner().iter().find(|node| node.tag == tag)
    }

    /// The items within of that tag.
    pub fn all(&self, tag: Tag) -> impl Iterator<Item = &Self> {
        self.inner().iter().filter(move |node| node.tag == tag)
    }

    /// The first item of that tag at any depth.
    pub fn search(&self, tag: Tag) -> Option<&Self> {
        if self.tag == tag { Some(self) } else { self.inner().iter().find_map(|inner| inner.search(tag)) }
    }

    /// The value, if the case has it fixed.
    pub fn fixed(&self) -> Option<&Value> {
        match &self.content {
            Content::Fixed(value) => Some(value),
            _ => None,
        }
    }

    /// The text, if the case has it fixed.
    pub fn text(&self) -> Option<&str> {
        self.fixed().and_then(Value::text)
    }

    /// The number of an enumeration, if the case has it fixed.
    pub fn code(&self) -> Option<u32> {
        match self.fixed() {
            Some(Value::Enumeration(code)) => Some(*code),
            _ => None,
        }
    }

    /// The type of the item.
    pub fn item_type(&self) -> ItemType {
        match &self.content {
            Content::Structure(_) => ItemType::Structure,
            Content::Fixed(value) => value.item_type(),
            Content::Variable(_, item) | Content::Now(_, item) => *item,
        }
    }

    /// The element, with the variables filled in.
    ///
    /// # Errors
    /// A variable that is not bound.
    pub fn fill(&self, bindings: &mut Bindings) -> Result<Element, NodeError> {
        let value = match &self.content {
            Content::Structure(inner) => {
                Value::Structure(inner.iter().map(|node| node.fill(bindings)).collect::<Result<_, _>>()?)
            }
            Content::Fixed(value) => match value.text().filter(|_| identifier_tag(self.tag)) {
                // What the client names first keeps its name.
                Some(text) => {
                    let known = bindings.get(text).cloned();
                    known.unwrap_or_else(|| {
                        bindings.bind(text, value.clone());
                        value.clone()
                    })
                }
                None => value.clone(),
            },
            Content::Variable(name, item) => match bindings.get(name) {
                Some(value) => value.clone(),
                // What the client is to make up.
                None if name.contains("_RANDOM_") => bindings.invent(name, *item),
                None => match bindings.named_after(name, *item) {
                    Some(value) => value,
                    None => return Err(NodeError::Unbound(name.clone())),
                },
            },
            Content::Now(offset, item) => bindings.date(*offset, *item),
        };
        Ok(Element::new(self.tag, value))
    }
}

/// Bytes of a value of the case's own making.
pub(crate) fn sample(name: &str, item: ItemType, salt: u64) -> Value {
    let bytes: Vec<u8> = name.bytes().chain(salt.to_be_bytes()).collect();
    match item {
        ItemType::TextString => Value::TextString(format!("{}-{salt}", name.to_lowercase()).into()),
        ItemType::ByteString => Value::ByteString(Blob::new(bytes)),
        ItemType::Integer => Value::Integer(i32::try_from(salt & 0x7FFF_FFFF).unwrap_or_default()),
        ItemType::LongInteger => Value::LongInteger(salt.cast_signed()),
        ItemType::BigInteger => Value::BigInteger(Blob::copy_of(&salt.to_be_bytes())),
        ItemType::Enumeration => Value::Enumeration(1),
        ItemType::Boolean => Value::Boolean(true),
        ItemType::Interval => Value::Interval(1),
        ItemType::DateTime => Value::DateTime(salt.cast_signed()),
        ItemType::DateTimeExtended => Value::DateTimeExtended(salt.cast_signed()),
        ItemType::Structure => Value::Structure(Vec::new()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn raw(name: &str, item: &str, value: &str) -> Raw {
        Raw { name: name.into(), item: Some(item.into()), value: Some(value.into()), ..Raw::default() }
    }

    #[test]
    fn names_masks_and_aliases_are_read() {
        let reason = raw("ResultReason", "Enumeration", "NotAuthorized").read().unwrap();
        assert_eq!(reason.code(), Some(0x39));
        for text in ["Sign ContentCommitment", "ContentCommitment | Sign", "0x00000401", "1025"] {
            let mask = raw("CryptographicUsageMask", "Integer", text).read().unwrap();
            assert_eq!(mask.fixed(), Some(&Value::Integer(0x401)), "{text}");
        }
        let custom = Raw { tag: Some("0x540001".into()), ..raw("TTLV", "TextString", "na") };
        assert_eq!(custom.read().unwrap().tag, Tag::new(0x54_0001));
        let wrong = raw("ResultReason", "Enumeration", "Nothing").read().err().unwrap();
        assert_eq!(wrong, NodeError::Text("ResultReason".into(), TextErrorKind::UnknownName));
    }

    #[test]
    fn an_attribute_of_1_x_gives_its_value_a_meaning() {
        let name = raw("AttributeName", "TextString", "Cryptographic   Usage Mask");
        let value = raw("AttributeValue", "Integer", "ContentCommitment");
        let attribute = Raw { name: "Attribute".into(), inner: vec![name, value], ..Raw::default() }.read().unwrap();
        assert_eq!(attribute.find(Tag::AttributeName).unwrap().text(), Some("Cryptographic Usage Mask"));
        assert_eq!(attribute.find(Tag::AttributeValue).unwrap().fixed(), Some(&Value::Integer(0x400)));
    }

    #[test]
    fn variables_are_filled_in_once_they_are_bound() {
        let mut bindings = Bindings::new(1_000, 7);
        let node = raw("UniqueIdentifier", "TextString", "$UNIQUE_IDENTIFIER_0").read().unwrap();
        assert_eq!(node.fill(&mut bindings), Err(NodeError::Unbound("UNIQUE_IDENTIFIER_0".into())));
        bindings.bind("UNIQUE_IDENTIFIER_0", Value::TextString("a".into()));
        assert_eq!(node.fill(&mut bindings).unwrap().value.text(), Some("a"));
        let node = raw("ActivationDate", "DateTime", "$NOW-400").read().unwrap();
        assert_eq!(node.fill(&mut bindings).unwrap().value, Value::DateTime(600));
        let node = raw("UniqueIdentifier", "TextString", "$UNIQUE_IDENTIFIER_RANDOM_0").read().unwrap();
        assert_eq!(node.fill(&mut bindings), node.fill(&mut bindings));
    }
}
