//! The items of a structure: what must be there, what may be besides, and where the order is free.

use kmip_codec::spec::{Operation, QueryFunction, Tag, Version, attribute_by_tag};
use kmip_codec::ttlv::{Element, Value};

use super::{Compare, Difference, Outcome, show};
use crate::node::{Content, Node};
use crate::permit::Variation;

impl Compare<'_> {
    pub(super) fn list(&mut self, expected: &[Node], got: &[Element]) -> Outcome {
        let (free, ordered): (Vec<&Node>, Vec<&Node>) = expected.iter().partition(|node| self.unordered(node.tag));
        let (found, came): (Vec<&Element>, Vec<&Element>) = got.iter().partition(|element| self.unordered(element.tag));
        self.sequence(&ordered, &came, expected, got)?;
        self.bag(free, found, expected, got)
    }

    /// Whether the order of such items does not count: attributes, and what Query lists.
    fn unordered(&self, tag: Tag) -> bool {
        match self.open.last() {
            Some(&Tag::Attributes) => true,
            Some(&Tag::ResponsePayload) if self.subject.is(Operation::Query) => true,
            Some(&Tag::RequestPayload) if self.subject.is(Operation::Query) => true,
            _ => {
                matches!(tag, Tag::Attribute | Tag::AttributeReference)
                    || (tag == Tag::AttributeName && self.open.last() == Some(&Tag::ResponsePayload))
            }
        }
    }

    fn sequence(&mut self, expected: &[&Node], got: &[&Element], all: &[Node], came: &[Element]) -> Outcome {
        let mut rest = got.iter().peekable();
        for node in expected {
            while let Some(extra) =
                rest.peek().filter(|element| element.tag != node.tag || self.other_version(node, element))
            {
                let Some(variation) = self.may_add(extra, all, came) else { break };
                self.course.used.insert((variation, extra.tag));
                rest.next();
            }
            match rest.peek() {
                Some(element) if element.tag == node.tag => {
                    self.element(node, element)?;
                    rest.next();
                }
                other => {
                    let got = other.map_or("nothing".to_owned(), |element| element.tag.to_string());
                    self.may_miss(node, got)?;
                }
            }
        }
        for extra in rest {
            self.extra(extra, all, came)?;
        }
        Ok(())
    }

    /// Whether the answer names a version that the case does not have here; the versions keep their order.
    fn other_version(&self, node: &Node, got: &Element) -> bool {
        let numbers = [Tag::ProtocolVersionMajor, Tag::ProtocolVersionMinor];
        let part = |tag| node.find(tag).and_then(Node::fixed) != got.value.find(tag);
        node.tag == Tag::ProtocolVersion
            && self.open.last() == Some(&Tag::ResponsePayload)
            && numbers.into_iter().any(part)
    }

    fn bag(&mut self, mut expected: Vec<&Node>, mut got: Vec<&Element>, all: &[Node], came: &[Element]) -> Outcome {
        // Those that leave the least open choose first.
        expected.sort_by_key(|node| self.open_variables(node));
        for node in expected {
            let mut best: Option<Box<Difference>> = None;
            let mut found = None;
            for (i, element) in got.iter().enumerate().filter(|(_, element)| alike(node, element)) {
                let before = self.course.clone();
                match self.element(node, element) {
                    Ok(()) => {
                        found = Some(i);
                        break;
                    }
                    Err(difference) => {
                        *self.course = before;
                        // Of names and numbers any other is as far away.
                        if !node.inner().is_empty() {
                            best.get_or_insert(difference);
                        }
                    }
                }
            }
            match (found, best) {
                (Some(i), _) => {
                    got.remove(i);
                }
                (None, Some(difference)) => return Err(difference),
                (None, None) => self.may_miss(node, "nothing".to_owned())?,
            }
        }
        got.iter().try_for_each(|extra| self.extra(extra, all, came))
    }

    fn open_variables(&self, node: &Node) -> usize {
        match &node.content {
            Content::Variable(name, _) => usize::from(self.course.bindings.get(name).is_none()),
            _ => node.inner().iter().map(|inner| self.open_variables(inner)).sum(),
        }
    }

    fn may_miss(&mut self, node: &Node, got: String) -> Outcome {
        let variation = match node.tag {
            Tag::AttributeIndex if self.index_is_optional() && node.fixed() == Some(&Value::Integer(0)) => {
                Variation::AttributeIndex
            }
            Tag::ResultMessage => Variation::ResultMessage,
            Tag::ServerCorrelationValue => Variation::ServerCorrelationValue,
            Tag::VendorIdentification => Variation::VendorIdentification,
            Tag::ExtensionInformation => Variation::Extensions,
            Tag::ApplicationNamespace => Variation::Namespaces,
            tag if template(tag) && self.open.last() == Some(&Tag::ResponsePayload) => Variation::TemplateAttribute,
            tag => {
                let name = node.find(Tag::AttributeName).and_then(Node::text);
                let value = match (&node.content, name) {
                    (Content::Fixed(value), _) => format!(" {}", show(tag, value)),
                    (_, Some(name)) => format!(" {name:?}"),
                    _ => String::new(),
                };
                return self.differs(tag, format!("{tag}{value}"), got);
            }
        };
        self.course.used.insert((variation, node.tag));
        Ok(())
    }

    fn extra(&mut self, extra: &Element, all: &[Node], came: &[Element]) -> Outcome {
        let Some(variation) = self.may_add(extra, all, came) else {
            let name = extra.value.find(Tag::AttributeName).and_then(Value::text);
            let got = match (name, &extra.value) {
                (Some(name), _) => format!("{} {name:?}", extra.tag),
                (None, Value::Structure(_)) => extra.tag.to_string(),
                (None, leaf) => format!("{} {}", extra.tag, show(extra.tag, leaf)),
            };
            return self.differs(extra.tag, "nothing more", got);
        };
        self.course.used.insert((variation, extra.tag));
        Ok(())
    }

    fn index_is_optional(&self) -> bool {
        self.course.version >= Version::V1_1
    }

    /// The variation that permits an item beyond those of the case: `expected` and `came` are the whole lists.
    fn may_add(&self, extra: &Element, expected: &[Node], came: &[Element]) -> Option<Variation> {
        let parent = self.open.last().copied()?;
        let payload = parent == Tag::ResponsePayload;
        let (tag, value) = (extra.tag, &extra.value);
        let queried = |function: QueryFunction| {
            payload && self.subject.is(Operation::Query) && self.subject.asks_for(Tag::QueryFunction, function.into())
        };
        let same = |variation, kind: kmip_codec::ttlv::ItemType| {
            (value.item_type() == kind && once(extra, came)).then_some(variation)
        };
        use kmip_codec::ttlv::ItemType::{Enumeration, Integer, Structure, TextString};
        match tag {
            Tag::AttributeIndex if parent == Tag::Attribute && self.index_is_optional() => {
                (*value == Value::Integer(0)).then(|| same(Variation::AttributeIndex, Integer))?
            }
            Tag::ResultMessage if parent == Tag::BatchItem => same(Variation::ResultMessage, TextString),
            Tag::ServerCorrelationValue if parent == Tag::ResponseHeader => {
                same(Variation::ServerCorrelationValue, TextString)
            }
            Tag::Authentication if parent == Tag::RequestHeader => same(Variation::Authentication, Structure),
            Tag::MessageExtension if parent == Tag::BatchItem => {
                let critical = value.find(Tag::CriticalityIndicator);
                (critical == Some(&Value::Boolean(false))).then(|| same(Variation::MessageExtension, Structure))?
            }
            Tag::Operation if queried(QueryFunction::QueryOperations) => same(Variation::Operations, Enumeration),
            Tag::ObjectType if queried(QueryFunction::QueryObjects) => same(Variation::ObjectTypes, Enumeration),
            Tag::ApplicationNamespace if queried(QueryFunction::QueryApplicationNamespaces) => {
                same(Variation::Namespaces, TextString)
            }
            Tag::ExtensionInformation
                if queried(QueryFunction::QueryExtensionList) || queried(QueryFunction::QueryExtensionMap) =>
            {
                same(Variation::Extensions, Structure)
            }
            Tag::VendorIdentification if queried(QueryFunction::QueryServerInformation) => {
                same(Variation::VendorIdentification, TextString)
            }
            Tag::ProtocolVersion
                if payload && self.subject.is(Operation::DiscoverVersions) && !self.subject.asks(tag) =>
            {
                same(Variation::ProtocolVersions, Structure)
            }
            tag if template(tag) && payload => same(Variation::TemplateAttribute, Structure),
            _ => self.further_attribute(parent, extra, expected, came).then_some(Variation::Attributes),
        }
    }

    /// Whether it is an attribute that the case does not note, in an answer that lists all there are.
    fn further_attribute(&self, parent: Tag, extra: &Element, expected: &[Node], came: &[Element]) -> bool {
        let every = (self.subject.is(Operation::GetAttributes) || self.subject.is(Operation::GetAttributeList))
            && !self.subject.asks(Tag::AttributeName)
            && !self.subject.asks(Tag::AttributeReference);
        let sends = self.subject.is(Operation::Export) || self.subject.is(Operation::Put);
        if !(every || sends) || !once(extra, came) {
            return false;
        }
        let unnoted = !expected.iter().any(|node| alike(node, extra));
        match (parent, extra.tag) {
            (Tag::ResponsePayload | Tag::RequestPayload, Tag::Attribute) => unnoted || group(extra),
            (Tag::ResponsePayload, Tag::AttributeReference | Tag::AttributeName) => {
                matches!(extra.value, Value::Enumeration(_) | Value::TextString(_) | Value::Structure(_))
                    && !empty_structure(extra)
            }
            (Tag::Attributes, Tag::ObjectGroup) => true,
            (Tag::Attributes, Tag::Attribute) => unnoted,
            (Tag::Attributes, tag) => unnoted && attribute_by_tag(tag).is_some(),
            _ => false,
        }
    }
}

fn empty_structure(element: &Element) -> bool {
    matches!(&element.value, Value::Structure(elements) if elements.is_empty())
}

fn group(element: &Element) -> bool {
    element.value.find(Tag::AttributeName).and_then(Value::text) == Some("Object Group")
}

fn once(element: &Element, came: &[Element]) -> bool {
    came.iter().filter(|other| *other == element).count() == 1
}

fn template(tag: Tag) -> bool {
    matches!(tag, Tag::TemplateAttribute | Tag::PrivateKeyTemplateAttribute | Tag::PublicKeyTemplateAttribute)
}

/// Whether both are the same kind of item: the same tag, and for an Attribute the same name.
fn alike(node: &Node, element: &Element) -> bool {
    let vendor = [Tag::AttributeName, Tag::VendorIdentification];
    node.tag == element.tag
        && vendor.iter().all(|part| {
            let expected = node.find(*part).and_then(Node::text);
            node.tag != Tag::Attribute || expected == element.value.find(*part).and_then(Value::text)
        })
}
