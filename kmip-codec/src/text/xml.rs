//! The XML encoding (KMIP Additional Message Encodings 1.0 §6).

use std::fmt::Write as _;

use quick_xml::events::{BytesStart, Event};
use quick_xml::name::QName;
use quick_xml::{Reader, XmlVersion};

use super::value::{self, meaning, read_tag, tag_name, type_name};
use super::{Said, TextError, TextErrorKind};
use crate::spec::Tag;
use crate::ttlv::{Element, ItemType, Limits, Value};

/// Reads one element. Tags and values are known by name or number; elements have no offset.
///
/// # Errors
/// What is not well-formed, not known by its name, or beyond the limits, with its line and column.
pub fn read(xml: &str, limits: &Limits) -> Result<Element, TextError> {
    let mut reader = Reader::from_str(xml);
    let mut reading = Reading { limits, items: 0, open: Vec::new(), done: None, said: Said::default() };
    loop {
        let event = reader.read_event().map_err(|_| TextErrorKind::Malformed);
        let step = event.and_then(|event| reading.step(&event));
        match step {
            Ok(true) => {}
            Ok(false) => break,
            Err(kind) => {
                return Err(reading.at(kind, xml, reader.buffer_position().max(reader.error_position())));
            }
        }
    }
    let kind = if reading.open.is_empty() { TextErrorKind::NotOne } else { TextErrorKind::Malformed };
    let end = reading.at(kind, xml, reader.buffer_position());
    reading.done.filter(|_| reading.open.is_empty()).ok_or(end)
}

/// Writes an element, each item on a line of its own.
///
/// # Errors
/// A text with a character that XML does not have.
pub fn write(element: &Element) -> Result<String, TextError> {
    let mut xml = String::new();
    write_element(&mut xml, element, None, 0).map_err(TextError::new)?;
    Ok(xml)
}

struct Reading<'l> {
    limits: &'l Limits,
    items: usize,
    /// The structures that have begun, outermost first.
    open: Vec<(Tag, Vec<Element>)>,
    done: Option<Element>,
    said: Said,
}

impl Reading<'_> {
    /// An error at a position of the text, within the structures that are open.
    fn at(&self, kind: TextErrorKind, xml: &str, position: u64) -> TextError {
        let position = usize::try_from(position).unwrap_or(usize::MAX).min(xml.len());
        let before = xml.as_bytes().get(..position).unwrap_or_default();
        let line = before.iter().filter(|&&byte| byte == b'\n').count() + 1;
        let column = before.iter().rev().take_while(|&&byte| byte != b'\n').count() + 1;
        let path = self.open.iter().map(|(tag, _)| *tag).collect();
        TextError { kind, line, column, path, version: self.said.0 }
    }

    /// Takes one event; says whether there are more.
    fn step(&mut self, event: &Event<'_>) -> Result<bool, TextErrorKind> {
        match event {
            Event::Start(start) => match self.begin(start)? {
                Begun { tag, leaf: None } => {
                    if self.open.len() >= self.limits.depth {
                        return Err(TextErrorKind::TooDeep);
                    }
                    self.open.push((tag, Vec::new()));
                }
                // A leaf is an empty element: its end would be taken for that of a structure.
                Begun { leaf: Some(_), .. } => return Err(TextErrorKind::Shape),
            },
            Event::Empty(start) => {
                let Begun { tag, leaf } = self.begin(start)?;
                self.add(Element::new(tag, leaf.unwrap_or_else(|| Value::Structure(Vec::new()))))?;
            }
            Event::End(_) => {
                let (tag, elements) = self.open.pop().ok_or(TextErrorKind::Malformed)?;
                self.add(Element::new(tag, Value::Structure(elements)))?;
            }
            Event::Text(text) if text.trim_ascii().is_empty() => {}
            Event::Comment(_) | Event::Decl(_) => {}
            Event::Eof => return Ok(false),
            Event::Text(_) | Event::CData(_) | Event::PI(_) | Event::DocType(_) | Event::GeneralRef(_) => {
                return Err(TextErrorKind::Unexpected);
            }
        }
        Ok(true)
    }

    fn begin(&mut self, start: &BytesStart<'_>) -> Result<Begun, TextErrorKind> {
        self.items += 1;
        if self.items > self.limits.items {
            return Err(TextErrorKind::TooManyItems);
        }
        if self.done.is_some() {
            return Err(TextErrorKind::NotOne);
        }
        let parts = Parts::of(start)?;
        let local = start.local_name();
        let tag = match (local.as_ref(), &parts.tag) {
            ("TTLV", Some(tag)) => read_tag(tag)?,
            ("TTLV", None) => return Err(TextErrorKind::UnknownTag),
            (_, Some(_)) => return Err(TextErrorKind::Unexpected),
            (name, None) => Tag::from_xml_name(name).ok_or(TextErrorKind::UnknownTag)?,
        };
        let item = match &parts.item {
            Some(name) => value::item_type(name).ok_or(TextErrorKind::UnknownType)?,
            None => ItemType::Structure,
        };
        let leaf = match (item, &parts.value) {
            (ItemType::Structure, None) => None,
            (ItemType::Structure, Some(_)) | (_, None) => return Err(TextErrorKind::Shape),
            (item, Some(text)) => {
                let siblings = self.open.last().map(|(_, elements)| &elements[..]).unwrap_or_default();
                Some(value::read(item, text, meaning(tag, siblings))?)
            }
        };
        Ok(Begun { tag, leaf })
    }

    fn add(&mut self, element: Element) -> Result<(), TextErrorKind> {
        self.said.note(&element);
        match self.open.last_mut() {
            Some((_, elements)) => elements.push(element),
            None if self.done.is_some() => return Err(TextErrorKind::NotOne),
            None => self.done = Some(element),
        }
        Ok(())
    }
}

/// The start of an element: a structure's, or a whole leaf.
struct Begun {
    tag: Tag,
    leaf: Option<Value>,
}

/// The XML attributes of an element.
#[derive(Default)]
struct Parts {
    tag: Option<String>,
    item: Option<String>,
    value: Option<String>,
}

impl Parts {
    fn of(start: &BytesStart<'_>) -> Result<Self, TextErrorKind> {
        let mut parts = Self::default();
        for attribute in start.attributes() {
            let attribute = attribute.map_err(|_| TextErrorKind::Malformed)?;
            let text = attribute.normalized_value(XmlVersion::Explicit1_0).map_err(|_| TextErrorKind::Malformed)?;
            let text = text.into_owned();
            match attribute.key {
                QName("tag") => parts.tag = Some(text),
                QName("type") => parts.item = Some(text),
                QName("value") => parts.value = Some(text),
                // A name beside a number is for readers.
                QName("name" | "xmlns") => {}
                QName(key) if key.starts_with("xmlns:") => {}
                QName(_) => return Err(TextErrorKind::Unexpected),
            }
        }
        Ok(parts)
    }
}

fn write_element(
    xml: &mut String,
    element: &Element,
    parent: Option<&Element>,
    depth: usize,
) -> Result<(), TextErrorKind> {
    let (indent, tag) = ("  ".repeat(depth), element.tag);
    let (name, number) = match tag_name(tag) {
        Ok(name) => (name, String::new()),
        Err(number) => ("TTLV".to_owned(), format!(" tag=\"{number}\"")),
    };
    let _ = write!(xml, "{indent}<{name}{number}");
    match &element.value {
        Value::Structure(elements) if elements.is_empty() => xml.push_str("/>\n"),
        Value::Structure(elements) => {
            xml.push_str(">\n");
            elements.iter().try_for_each(|inner| write_element(xml, inner, Some(element), depth + 1))?;
            let _ = writeln!(xml, "{indent}</{name}>");
        }
        leaf => {
            let siblings = parent.map(|parent| parent.value.elements()).unwrap_or_default();
            let _ = write!(xml, " type=\"{}\" value=\"", type_name(leaf.item_type()));
            escape(xml, &value::write(leaf, meaning(tag, siblings), " "))?;
            xml.push_str("\"/>\n");
        }
    }
    Ok(())
}

/// Escapes what a value in quotes cannot hold; white space too, which XML would make a blank of.
fn escape(xml: &mut String, text: &str) -> Result<(), TextErrorKind> {
    for character in text.chars() {
        match character {
            '&' => xml.push_str("&amp;"),
            '<' => xml.push_str("&lt;"),
            '>' => xml.push_str("&gt;"),
            '"' => xml.push_str("&quot;"),
            '\t' | '\n' | '\r' => {
                let _ = write!(xml, "&#{};", u32::from(character));
            }
            '\0'..='\x1f' | '\u{fffe}' | '\u{ffff}' => return Err(TextErrorKind::Unwritable),
            other => xml.push(other),
        }
    }
    Ok(())
}

#[cfg(test)]
#[path = "tests.rs"]
pub(super) mod tests;
