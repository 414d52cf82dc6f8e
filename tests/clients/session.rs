//! A client that writes each element itself.

use bytes::Bytes;
use kmip_codec::spec::{Operation, ResultReason, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Blob, Limits, Writer, parse};
use kmip_codec::{Element, Value};

use crate::harness::web::Web;
use crate::harness::{Client, Kmipd, Wire};

pub(crate) fn s(tag: Tag, fields: Vec<Element>) -> Element {
    Element::new(tag, Value::Structure(fields))
}

pub(crate) fn e(tag: Tag, value: impl Into<u32>) -> Element {
    Element::new(tag, Value::Enumeration(value.into()))
}

pub(crate) fn i(tag: Tag, value: i32) -> Element {
    Element::new(tag, Value::Integer(value))
}

pub(crate) fn t(tag: Tag, value: &str) -> Element {
    Element::new(tag, Value::TextString(value.into()))
}

pub(crate) fn x(tag: Tag, value: &[u8]) -> Element {
    Element::new(tag, Value::ByteString(Blob::copy_of(value)))
}

pub(crate) fn b(tag: Tag, value: bool) -> Element {
    Element::new(tag, Value::Boolean(value))
}

pub(crate) fn d(tag: Tag, seconds: i64) -> Element {
    Element::new(tag, Value::DateTime(seconds))
}

/// An attribute of 1.x.
pub(crate) fn attribute(name: &str, value: Value) -> Element {
    s(Tag::Attribute, vec![t(Tag::AttributeName, name), Element::new(Tag::AttributeValue, value)])
}

/// A Name as the value of an attribute.
pub(crate) fn named(name: &str) -> Element {
    attribute("Name", Value::Structure(vec![t(Tag::NameValue, name), e(Tag::NameType, 1_u32)]))
}

pub(crate) fn text(value: &str) -> Value {
    Value::TextString(value.into())
}

pub(crate) fn identifier(identifier: &str) -> Element {
    t(Tag::UniqueIdentifier, identifier)
}

/// The attributes of an AES key that may be used so.
pub(crate) fn aes(bits: i32, mask: i32) -> Vec<Element> {
    vec![
        attribute("Cryptographic Algorithm", Value::Enumeration(3)),
        attribute("Cryptographic Length", Value::Integer(bits)),
        attribute("Cryptographic Usage Mask", Value::Integer(mask)),
    ]
}

/// A Key Block of bytes; some clients leave algorithm and length out.
pub(crate) fn key_block(format: u32, material: &[u8], algorithm: Option<(u32, i32)>) -> Element {
    let mut fields = vec![e(Tag::KeyFormatType, format), s(Tag::KeyValue, vec![x(Tag::KeyMaterial, material)])];
    if let Some((algorithm, bits)) = algorithm {
        fields.extend([e(Tag::CryptographicAlgorithm, algorithm), i(Tag::CryptographicLength, bits)]);
    }
    s(Tag::KeyBlock, fields)
}

/// What came of an item.
#[derive(Debug, Clone)]
pub(crate) struct Item {
    pub(crate) operation: Option<Operation>,
    pub(crate) mark: Option<Vec<u8>>,
    status: u32,
    reason: Option<u32>,
    pub(crate) payload: Value,
}

impl Item {
    fn read(item: &Element) -> Self {
        let number = |tag| match item.value.find(tag) {
            Some(&Value::Enumeration(number)) => Some(number),
            _ => None,
        };
        Self {
            operation: number(Tag::Operation).map(Operation),
            mark: item.value.find(Tag::UniqueBatchItemID).map(|mark| match mark {
                Value::ByteString(bytes) => bytes.to_vec(),
                other => panic!("a mark is no {other:?}"),
            }),
            status: number(Tag::ResultStatus).expect("a Result Status"),
            reason: number(Tag::ResultReason),
            payload: item.value.find(Tag::ResponsePayload).cloned().unwrap_or(Value::Structure(Vec::new())),
        }
    }

    /// The item if it succeeded.
    #[track_caller]
    pub(crate) fn ok(self) -> Self {
        assert_eq!(self.status, ResultStatus::Success.0, "{self:?}");
        self
    }

    /// Why the item failed.
    #[track_caller]
    pub(crate) fn reason(&self) -> ResultReason {
        assert_eq!(self.status, ResultStatus::OperationFailed.0, "{self:?}");
        ResultReason(self.reason.expect("a Result Reason"))
    }

    /// The text of a field of the payload.
    #[track_caller]
    pub(crate) fn text(&self, tag: Tag) -> String {
        match self.payload.find(tag) {
            Some(Value::TextString(text)) => text.to_string(),
            other => panic!("{tag} is no {other:?} in {:?}", self.payload),
        }
    }

    /// The bytes of a field of the payload.
    #[track_caller]
    pub(crate) fn bytes(&self, tag: Tag) -> Vec<u8> {
        match self.payload.find(tag) {
            Some(Value::ByteString(bytes)) => bytes.to_vec(),
            other => panic!("{tag} is no {other:?}"),
        }
    }

    /// The Unique Identifier of the payload.
    #[track_caller]
    pub(crate) fn identifier(&self) -> String {
        self.text(Tag::UniqueIdentifier)
    }

    /// All fields of a tag.
    pub(crate) fn all(&self, tag: Tag) -> Vec<Value> {
        let fields = self.payload.elements().iter().filter(|element| element.tag == tag);
        fields.map(|element| element.value.clone()).collect()
    }

    /// The texts of all fields of a tag.
    pub(crate) fn texts(&self, tag: Tag) -> Vec<String> {
        let text = |value| match value {
            Value::TextString(text) => text.to_string(),
            other => panic!("{tag} is no {other:?}"),
        };
        self.all(tag).into_iter().map(text).collect()
    }

    /// The value of an attribute that 1.x calls so.
    #[track_caller]
    pub(crate) fn attribute(&self, name: &str) -> Value {
        let attributes = self.all(Tag::Attribute);
        let found = attributes.iter().find(|value| value.find(Tag::AttributeName) == Some(&text(name)));
        let value = found.and_then(|attribute| attribute.find(Tag::AttributeValue));
        value.unwrap_or_else(|| panic!("no {name} in {attributes:?}")).clone()
    }

    /// The Key Value of the object that came.
    #[track_caller]
    pub(crate) fn key_value(&self, object: Tag) -> Value {
        let block = self.payload.find(object).and_then(|object| object.find(Tag::KeyBlock));
        block.and_then(|block| block.find(Tag::KeyValue)).expect("a Key Value").clone()
    }

    /// The key material of the object that came, which is all that its Key Value has.
    #[track_caller]
    pub(crate) fn material(&self, object: Tag) -> Vec<u8> {
        let value = self.key_value(object);
        assert_eq!(value.elements().len(), 1, "clients break on attributes in a Key Value");
        match value.find(Tag::KeyMaterial) {
            Some(Value::ByteString(bytes)) => bytes.to_vec(),
            other => panic!("Key Material is no {other:?}"),
        }
    }
}

/// A client's connection, or its habit of making one for each message.
pub(crate) struct Session {
    client: Client,
    wire: Option<Wire>,
    web: Option<Web>,
    version: Version,
    /// Fields of each header between version and batch count, in their order.
    pub(crate) before: Vec<Element>,
    /// Whether each item has a Unique Batch Item ID, even a single one.
    pub(crate) marks: bool,
    /// Length of the last answer, in bytes.
    pub(crate) length: usize,
}

impl Session {
    /// On one connection for HTTPS, each message in a POST.
    pub(crate) fn posts(kmipd: &Kmipd, version: Version) -> Self {
        Self { web: Some(Web::of(kmipd)), ..Self::hasty(kmipd, version) }
    }

    /// On one connection.
    pub(crate) fn new(kmipd: &Kmipd, version: Version) -> Self {
        Self::of(kmipd.client(), version)
    }

    /// The same as this client.
    pub(crate) fn of(client: Client, version: Version) -> Self {
        let wire = client.connect().unwrap();
        Self { client, wire: Some(wire), web: None, version, before: Vec::new(), marks: false, length: 0 }
    }

    /// With a connection for each message.
    pub(crate) fn hasty(kmipd: &Kmipd, version: Version) -> Self {
        Self { client: kmipd.client(), wire: None, web: None, version, before: Vec::new(), marks: false, length: 0 }
    }

    /// Says something in another version from now on.
    pub(crate) fn speak(&mut self, version: Version) {
        self.version = version;
    }

    /// One item.
    #[track_caller]
    pub(crate) fn say(&mut self, operation: Operation, payload: Vec<Element>) -> Item {
        let mut items = self.batch(vec![(operation, payload)]);
        assert_eq!(items.len(), 1);
        let item = items.remove(0);
        assert_eq!(item.operation, Some(operation), "the operation is echoed");
        item
    }

    /// One item that succeeds.
    #[track_caller]
    pub(crate) fn ask(&mut self, operation: Operation, payload: Vec<Element>) -> Item {
        self.say(operation, payload).ok()
    }

    /// Several items, whose answers have the marks of their questions.
    #[track_caller]
    pub(crate) fn batch(&mut self, items: Vec<(Operation, Vec<Element>)>) -> Vec<Item> {
        let marks = self.marks || items.len() > 1;
        let count = items.len();
        let version = s(
            Tag::ProtocolVersion,
            vec![
                i(Tag::ProtocolVersionMajor, self.version.major.into()),
                i(Tag::ProtocolVersionMinor, self.version.minor.into()),
            ],
        );
        let mut header = vec![version.clone()];
        header.extend(self.before.iter().cloned());
        header.push(i(Tag::BatchCount, i32::try_from(count).unwrap()));
        let mut message = vec![s(Tag::RequestHeader, header)];
        for (place, (operation, payload)) in (1_u8..).zip(items) {
            let mut fields = vec![e(Tag::Operation, operation)];
            fields.extend(marks.then(|| x(Tag::UniqueBatchItemID, &[place])));
            fields.push(s(Tag::RequestPayload, payload));
            message.push(s(Tag::BatchItem, fields));
        }
        let mut writer = Writer::new(self.version);
        writer.element(&s(Tag::RequestMessage, message));
        let request = writer.finish();
        let answer = match (&mut self.wire, &mut self.web) {
            (_, Some(web)) => {
                let reply = web.post("application/octet-stream", &request);
                assert_eq!((reply.status, reply.field("content-type")), (200, Some("application/octet-stream")));
                reply.body
            }
            (Some(wire), None) => wire.ask(&request).unwrap(),
            (None, None) => self.client.ask(&request).unwrap(),
        };
        self.length = answer.len();
        let answer = parse(&Bytes::from(answer), &Limits::default()).unwrap();
        let header = answer.value.find(Tag::ResponseHeader).expect("a Response Header");
        assert_eq!(header.find(Tag::ProtocolVersion), Some(&version.value), "the answer has the request's version");
        let items = answer.value.elements().iter().filter(|element| element.tag == Tag::BatchItem);
        let items: Vec<Item> = items.map(Item::read).collect();
        assert_eq!(header.find(Tag::BatchCount), Some(&Value::Integer(i32::try_from(items.len()).unwrap())));
        for (place, item) in (1_u8..).zip(&items) {
            assert_eq!(item.mark, marks.then(|| vec![place]), "the Unique Batch Item ID is echoed");
        }
        items
    }
}
