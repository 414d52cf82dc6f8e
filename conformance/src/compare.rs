//! The comparison of an answer with the one that the case expects.

use std::collections::BTreeSet;
use std::fmt;

use kmip_codec::spec::{Operation, Tag, Version, attribute_by_name};
use kmip_codec::ttlv::{Element, Value};

use crate::bindings::{Bindings, identifier_tag};
use crate::case::{Step, Way};
use crate::node::{Content, Node};
use crate::permit::{Variation, output, server_date};
use crate::subject::{Facts, Subject};

mod lists;
mod show;

pub use show::show;

/// How far a date that a server sets may be from the clock: clocks differ, and so do zones that somebody set wrong.
const DAY: i64 = 86_400;

/// The first thing that differs. It holds no key material.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Difference {
    /// The tags that lead to it.
    pub path: String,
    /// What the case has there.
    pub expected: String,
    /// What came.
    pub got: String,
}

impl fmt::Display for Difference {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: expected {}, got {}", self.path, self.expected, self.got)
    }
}

/// A case in the course of being played.
#[derive(Clone)]
pub struct Course {
    /// The version of the case.
    pub version: Version,
    /// The variables.
    pub bindings: Bindings,
    /// What is known of the objects.
    pub facts: Facts,
    /// The variations that were made use of, with the tag of the item.
    pub used: BTreeSet<(Variation, Tag)>,
}

impl Course {
    /// At the start of a case; `start` is the time in seconds.
    pub fn new(version: Version, start: i64, salt: u64) -> Self {
        let bindings = Bindings::new(start, salt);
        Self { version, bindings, facts: Facts::default(), used: BTreeSet::new() }
    }

    /// Compares what came at a step: the answer to the request that was sent, or the server's own request.
    ///
    /// # Errors
    /// The first thing that differs.
    pub fn step(&mut self, step: &Step, sent: Option<&Element>, got: &Element) -> Result<(), Box<Difference>> {
        match step.way {
            Way::ToServer => self.compare(&step.request, sent.unwrap_or(got), &step.expected, got),
            Way::ToClient => self.compare(&step.request, got, &step.request, got),
        }
    }

    /// Compares a message. `node` is the request of the case, `request` the one sent; a request of the server is both.
    fn compare(
        &mut self,
        node: &Node,
        request: &Element,
        expected: &Node,
        got: &Element,
    ) -> Result<(), Box<Difference>> {
        self.facts.begin();
        self.bindings.hear(got);
        let nodes = node.all(Tag::BatchItem).collect();
        let sent = request.value.elements().iter().filter(|element| element.tag == Tag::BatchItem).collect();
        let header = request.value.find(Tag::RequestHeader);
        let client_value = header.and_then(|header| header.find(Tag::ClientCorrelationValue)).cloned();
        let subject = Subject::default();
        let mut compare =
            Compare { course: self, nodes, sent, client_value, item: 0, subject, open: Vec::new(), attribute: None };
        compare.element(expected, got)
    }
}

type Outcome = Result<(), Box<Difference>>;

struct Compare<'a> {
    course: &'a mut Course,
    /// The batch items of the request, in the case and as sent.
    nodes: Vec<&'a Node>,
    sent: Vec<&'a Element>,
    client_value: Option<Value>,
    /// How many batch items have begun.
    item: usize,
    subject: Subject,
    /// The tags around the current item.
    open: Vec<Tag>,
    /// The attribute that an Attribute Value is of.
    attribute: Option<Tag>,
}

impl Compare<'_> {
    fn differs<T>(&self, tag: Tag, expected: impl Into<String>, got: impl Into<String>) -> Result<T, Box<Difference>> {
        let tags: Vec<String> = self.open.iter().chain([&tag]).skip(1).map(|tag| tag.to_string()).collect();
        let item = if self.item > 1 { format!("item {}: ", self.item) } else { String::new() };
        let path = format!("{item}{}", tags.join("/"));
        Err(Box::new(Difference { path, expected: expected.into(), got: got.into() }))
    }

    fn element(&mut self, expected: &Node, got: &Element) -> Outcome {
        let tag = expected.tag;
        if tag != got.tag {
            return self.differs(tag, tag.to_string(), got.tag.to_string());
        }
        if expected.item_type() != got.value.item_type() {
            return self.differs(tag, expected.item_type().name(), got.value.item_type().name());
        }
        let Content::Structure(inner) = &expected.content else { return self.leaf(expected, got) };
        let batch_item = tag == Tag::BatchItem && self.open.len() == 1;
        if batch_item {
            self.begin_item(expected, got);
        }
        let attribute = self.attribute;
        if tag == Tag::Attribute {
            let name = expected.find(Tag::AttributeName).and_then(Node::text);
            self.attribute = name.and_then(attribute_by_name).map(|row| row.tag);
        } else if tag != Tag::AttributeValue {
            self.attribute = None;
        }
        self.open.push(tag);
        let outcome = self.list(inner, got.value.elements());
        self.open.pop();
        self.attribute = attribute;
        outcome?;
        if batch_item && let Some(value) = got.value.find(Tag::AsynchronousCorrelationValue) {
            self.course.facts.waits(&self.subject, value);
        }
        if batch_item && let Some(payload) = got.value.find(Tag::ResponsePayload) {
            self.course.facts.answered(&self.subject, payload);
        }
        Ok(())
    }

    fn begin_item(&mut self, expected: &Node, got: &Element) {
        let node = self.nodes.get(self.item);
        let payload = node.and_then(|node| node.find(Tag::RequestPayload));
        let sent = self.sent.get(self.item).and_then(|item| item.value.find(Tag::RequestPayload));
        let operation = node.and_then(|node| node.find(Tag::Operation)).and_then(Node::code).unwrap_or_default();
        let answer = got.value.find(Tag::ResponsePayload);
        self.subject = self.course.facts.subject(operation, payload, sent, expected, answer);
        self.item += 1;
    }

    /// The tag that says what a value is: that of the attribute for an Attribute Value.
    fn meaning(&self, tag: Tag) -> Tag {
        self.attribute.filter(|_| tag == Tag::AttributeValue).unwrap_or(tag)
    }

    fn leaf(&mut self, expected: &Node, got: &Element) -> Outcome {
        let tag = self.meaning(expected.tag);
        match &expected.content {
            Content::Structure(_) => Ok(()),
            Content::Variable(name, _) => self.bound(name, tag, got),
            Content::Now(offset, item) => {
                let value = self.course.bindings.date(*offset, *item);
                if value != got.value && self.date(tag, &value, &got.value) {
                    self.course.used.insert((Variation::Date, got.tag));
                    return Ok(());
                }
                self.fixed(tag, &value, got)
            }
            // A literal identifier is the name of a variable.
            Content::Fixed(Value::TextString(text)) if identifier_tag(tag) => {
                let outcome = self.bound(text, tag, got);
                if got.value.text() != Some(text) {
                    self.course.used.insert((Variation::Identifier, got.tag));
                }
                outcome
            }
            Content::Fixed(value) => self.fixed(tag, value, got),
        }
    }

    fn bound(&mut self, name: &str, tag: Tag, got: &Element) -> Outcome {
        match self.course.bindings.get(name) {
            Some(bound) if *bound == got.value => Ok(()),
            // A case has one name for the values of several requests.
            Some(bound)
                if tag == Tag::AsynchronousCorrelationValue
                    && !empty(&got.value)
                    && bound.item_type() == got.value.item_type() =>
            {
                self.course.bindings.bind(name, got.value.clone());
                self.course.used.insert((Variation::AsynchronousCorrelationValue, got.tag));
                Ok(())
            }
            Some(bound) => {
                let expected = format!("{} as ${name}", show(tag, bound));
                self.differs(got.tag, expected, show(tag, &got.value))
            }
            None if empty(&got.value) => self.differs(got.tag, "a value", "an empty one"),
            None if self.course.bindings.taken(name, &got.value) => {
                self.differs(got.tag, "another identifier", show(tag, &got.value))
            }
            None => {
                self.course.bindings.bind(name, got.value.clone());
                self.course.used.insert((Variation::Variable, got.tag));
                Ok(())
            }
        }
    }

    fn fixed(&mut self, tag: Tag, expected: &Value, got: &Element) -> Outcome {
        if tag == Tag::ClientCorrelationValue && self.open.last() == Some(&Tag::ResponseHeader) {
            // What the client sent comes back, whatever the case has.
            let sent = self.client_value.as_ref().unwrap_or(expected);
            return if *sent == got.value { Ok(()) } else { self.differs(tag, show(tag, sent), show(tag, &got.value)) };
        }
        if *expected == got.value {
            return Ok(());
        }
        match self.permitted(tag, expected, &got.value) {
            Some(variation) => {
                self.course.used.insert((variation, got.tag));
                Ok(())
            }
            None => self.differs(got.tag, show(tag, expected), show(tag, &got.value)),
        }
    }

    /// The variation that permits another value.
    fn permitted(&self, tag: Tag, expected: &Value, got: &Value) -> Option<Variation> {
        let made = self.subject.made;
        let within = |tag| self.open.contains(&tag) || self.attribute == Some(tag);
        let variation = match tag {
            Tag::TimeStamp if within(Tag::ResponseHeader) => {
                return near(got, self.course.bindings.start()).then_some(Variation::TimeStamp);
            }
            Tag::ServerCorrelationValue => Variation::ServerCorrelationValue,
            // That of an answer is the client's; in a request of the server it is the server's own.
            Tag::UniqueBatchItemID if self.open.first() == Some(&Tag::RequestMessage) => Variation::UniqueBatchItemID,
            Tag::AsynchronousCorrelationValue => Variation::AsynchronousCorrelationValue,
            Tag::ResultMessage => Variation::ResultMessage,
            Tag::VendorIdentification => Variation::VendorIdentification,
            tag if server_date(tag) => return self.date(tag, expected, got).then_some(Variation::Date),
            Tag::HashingAlgorithm | Tag::DigestValue | Tag::KeyFormatType if within(Tag::Digest) && made.generated => {
                Variation::Digest
            }
            Tag::KeyFormatType if within(Tag::KeyBlock) && made.generated => Variation::KeyFormatType,
            // It goes with the identifier, which the server chooses (KMIP 2.1 §4.56).
            Tag::ShortUniqueIdentifier => return same_length(expected, got).then_some(Variation::Identifier),
            // Its number and its length are the certificate's own.
            Tag::CertificateValue | Tag::SerialNumber | Tag::CertificateSerialNumber | Tag::CertificateLength
                if made.generated =>
            {
                Variation::KeyMaterial
            }
            tag if (tag == Tag::KeyValue || tag == Tag::KeyMaterial || within(Tag::KeyMaterial))
                && (made.generated || self.subject.free_wrapping) =>
            {
                return (made.asymmetric || same_length(expected, got)).then_some(Variation::KeyMaterial);
            }
            tag if output(tag) && self.subject.free_output => {
                // The bytes of a signature and of what was encrypted with padding vary, those of a cipher do not.
                let whole = self.subject.is(Operation::Encrypt) || self.subject.is(Operation::MAC);
                return (!whole || made.generated || same_length(expected, got)).then_some(Variation::Output);
            }
            _ => return None,
        };
        (!empty(got)).then_some(variation)
    }

    /// Whether a server may have set that date where the case has another.
    fn date(&self, tag: Tag, expected: &Value, got: &Value) -> bool {
        let start = self.course.bindings.start();
        match *expected {
            Value::DateTime(date) | Value::DateTimeExtended(date) => {
                // A date that a request gave must be that; another date is of this play.
                !self.course.facts.gave(&self.subject, tag, date) && near(got, start)
            }
            _ => false,
        }
    }
}

fn near(got: &Value, start: i64) -> bool {
    let seconds = match *got {
        Value::DateTime(seconds) => seconds,
        Value::DateTimeExtended(microseconds) => microseconds.div_euclid(1_000_000),
        _ => return false,
    };
    seconds.abs_diff(start) <= DAY.unsigned_abs()
}

fn length(value: &Value) -> Option<usize> {
    match value {
        Value::ByteString(bytes) | Value::BigInteger(bytes) => Some(bytes.len()),
        Value::TextString(text) => Some(text.len()),
        _ => None,
    }
}

fn empty(value: &Value) -> bool {
    length(value) == Some(0)
}

fn same_length(expected: &Value, got: &Value) -> bool {
    length(expected) == length(got)
}

#[cfg(test)]
mod tests;
