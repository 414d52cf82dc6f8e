//! Which objects the server made by itself, and what a request is about.

use std::collections::{HashMap, HashSet};

use kmip_codec::spec::{CryptographicAlgorithm, ObjectType, Operation, PaddingMethod, Tag, attribute_by_name};
use kmip_codec::ttlv::Value;

use crate::node::{Content, Node};

/// What is known of an object.
#[derive(Clone, Copy, Default, Debug)]
pub struct Made {
    /// The server generated it, or from something that it generated.
    pub generated: bool,
    /// A half of a key pair, or a certificate.
    pub asymmetric: bool,
    /// Its signatures have a random part.
    pub random_signatures: bool,
    /// A part of a key that a client gave: the parts are the server's, and make that key.
    pub part_of_given: bool,
}

/// Dates, by attribute.
type Dates = HashSet<(Tag, i64)>;

/// What the messages of a case so far tell.
#[derive(Clone, Default)]
pub struct Facts {
    made: HashMap<String, Made>,
    /// The dates that requests gave to objects.
    dates: HashMap<String, Dates>,
    /// The requests that wait, by Asynchronous Correlation Value.
    pending: Vec<(Value, Waiting)>,
    placeholder: Option<String>,
}

/// A request that the server answers later.
#[derive(Clone)]
struct Waiting {
    operation: u32,
    node: Option<Node>,
    request: Option<Value>,
}

/// What a batch item is about.
#[derive(Clone, Default)]
pub struct Subject {
    /// The operation; 0 before the first batch item.
    pub operation: u32,
    /// The Request Payload as it was sent; that of the request which is polled for.
    pub request: Option<Value>,
    /// The same as the case has it.
    node: Option<Node>,
    /// The object, if it can be told which it is.
    pub identifier: Option<String>,
    /// How it came to be.
    pub made: Made,
    /// The dates that the request gives.
    dates: Dates,
    /// The output of the operation is not the same each time, or follows from a generated key.
    pub free_output: bool,
    /// The key material is wrapped in a way that is not the same each time.
    pub free_wrapping: bool,
}

impl Subject {
    /// Whether it is this operation.
    pub fn is(&self, operation: Operation) -> bool {
        self.operation == u32::from(operation)
    }

    /// Whether the request has such an item.
    pub fn asks(&self, tag: Tag) -> bool {
        self.request.as_ref().is_some_and(|request| request.find(tag).is_some())
    }

    /// Whether the request has this enumeration value.
    pub fn asks_for(&self, tag: Tag, code: u32) -> bool {
        let request = self.request.as_ref().map(Value::elements).unwrap_or_default();
        request.iter().any(|element| element.tag == tag && element.value == Value::Enumeration(code))
    }
}

impl Facts {
    /// Forgets the dates of an earlier case.
    pub fn forget_dates(&mut self) {
        self.dates.clear();
    }

    /// Begins a message: its batch items have no object in common with those of the last.
    pub fn begin(&mut self) {
        self.placeholder = None;
    }

    /// Whether a request gave this date to this attribute of the object.
    pub fn gave(&self, subject: &Subject, tag: Tag, date: i64) -> bool {
        let before = subject.identifier.as_ref().and_then(|identifier| self.dates.get(identifier));
        subject.dates.contains(&(tag, date)) || before.is_some_and(|dates| dates.contains(&(tag, date)))
    }

    fn of(&self, identifier: Option<&str>) -> Made {
        identifier.and_then(|identifier| self.made.get(identifier)).copied().unwrap_or_default()
    }

    /// What a batch item is about. `node` is the Request Payload of the case, `request` the one sent, `answer` the Response
    /// Payload that came.
    pub fn subject(
        &self,
        operation: u32,
        node: Option<&Node>,
        request: Option<&Value>,
        expected: &Node,
        answer: Option<&Value>,
    ) -> Subject {
        // What a Poll brings is the answer to the request that waited (KMIP 2.1 §6.1.38).
        let value = request.and_then(|request| request.find(Tag::AsynchronousCorrelationValue));
        let waiting = value.and_then(|value| self.pending.iter().find(|(known, _)| known == value));
        if let Some((_, waiting)) = waiting.filter(|_| operation == u32::from(Operation::Poll)) {
            let Waiting { operation, node, request } = waiting;
            return self.subject(*operation, node.as_ref(), request.as_ref(), expected, answer);
        }
        // A reference within the batch is resolved by the server, whose answer is checked against the variable.
        let named = [request, answer].into_iter().flatten();
        let named = named.filter_map(|payload| payload.find(Tag::UniqueIdentifier)?.text()).next();
        let identifier = named.or(self.placeholder.as_deref());
        let made = self.of(identifier);
        let (identifier, dates) = (identifier.map(str::to_owned), request.map(dates_of).unwrap_or_default());
        let (request_sent, own_node) = (request.cloned(), node.cloned());
        let mut subject =
            Subject { operation, request: request_sent, node: own_node, identifier, made, dates, ..Subject::default() };
        let own = |tag| node.and_then(|node| node.search(tag)).and_then(Node::code);
        let padding = own(Tag::PaddingMethod).map(PaddingMethod::from);
        let server_iv = expected.search(Tag::IVCounterNonce).is_some();
        // What was encrypted by the server before must come back as it was.
        let returns = node.and_then(|node| node.find(Tag::Data));
        let returns = returns.is_some_and(|data| matches!(data.content, Content::Variable(..)));
        subject.free_output = if subject.is(Operation::Encrypt) {
            made.generated || server_iv || (made.asymmetric && padding != Some(PaddingMethod::None))
        } else if subject.is(Operation::Sign) {
            made.generated || made.random_signatures || padding == Some(PaddingMethod::PSS)
        } else if subject.is(Operation::Decrypt) {
            made.generated && !returns
        } else if subject.is(Operation::MAC) {
            made.generated
        } else {
            subject.is(Operation::RNGRetrieve)
        };
        let wrapping = request.and_then(|request| request.find(Tag::KeyWrappingSpecification));
        let wrapping = wrapping.and_then(|wrapping| wrapping.find(Tag::EncryptionKeyInformation));
        let wrapping = wrapping.and_then(|key| key.find(Tag::UniqueIdentifier)).and_then(Value::text);
        subject.free_wrapping = self.of(wrapping).generated;
        subject
    }

    /// Takes note of a request that is answered later.
    pub fn waits(&mut self, subject: &Subject, value: &Value) {
        let Subject { operation, node, request, .. } = subject.clone();
        self.pending.push((value.clone(), Waiting { operation, node, request }));
    }

    /// Takes note of what an answer tells of objects.
    pub fn answered(&mut self, subject: &Subject, response: &Value) {
        let texts = |tag| {
            let elements = response.elements().iter().filter(move |element| element.tag == tag);
            elements.filter_map(|element| element.value.text())
        };
        let identifiers: Vec<String> = texts(Tag::UniqueIdentifier).map(str::to_owned).collect();
        let pairs = texts(Tag::PrivateKeyUniqueIdentifier).chain(texts(Tag::PublicKeyUniqueIdentifier));
        for identifier in pairs {
            let random_signatures = subject.request.as_ref().is_some_and(signs_at_random);
            let made = Made { generated: true, asymmetric: true, random_signatures, ..Made::default() };
            self.made.insert(identifier.to_owned(), made);
        }
        let operation = Operation::from(subject.operation);
        let request = subject.request.as_ref();
        if operation != Operation::Locate {
            let both = [Tag::PrivateKeyUniqueIdentifier, Tag::PublicKeyUniqueIdentifier];
            for identifier in identifiers.iter().map(String::as_str).chain(both.into_iter().flat_map(texts)) {
                self.dates.entry(identifier.to_owned()).or_default().extend(&subject.dates);
            }
        }
        let made = match operation {
            Operation::Create | Operation::ReKey => Some(Made { generated: true, ..Made::default() }),
            Operation::CreateSplitKey => {
                let source = request.and_then(|request| request.find(Tag::UniqueIdentifier)).and_then(Value::text);
                let part_of_given = source.is_some() && !self.of(source).generated;
                Some(Made { generated: true, part_of_given, ..Made::default() })
            }
            Operation::Certify | Operation::ReCertify => {
                Some(Made { generated: true, asymmetric: true, ..Made::default() })
            }
            Operation::DeriveKey | Operation::JoinSplitKey => {
                let sources = request.map(Value::elements).unwrap_or_default().iter();
                let sources = sources.filter(|element| element.tag == Tag::UniqueIdentifier);
                let made = sources.filter_map(|source| source.value.text()).map(|id| self.of(Some(id)));
                let generated = made.clone().any(|made| made.generated && !made.part_of_given);
                Some(Made { generated, ..Made::default() })
            }
            Operation::Register | Operation::Import => {
                let kind = request.and_then(|request| request.find(Tag::ObjectType));
                let halves = [ObjectType::PrivateKey, ObjectType::PublicKey, ObjectType::Certificate];
                Some(Made {
                    generated: false,
                    asymmetric: halves.iter().any(|half| kind == Some(&Value::Enumeration((*half).into()))),
                    random_signatures: request.is_some_and(signs_at_random),
                    part_of_given: false,
                })
            }
            _ => None,
        };
        if let Some(made) = made {
            self.made.extend(identifiers.iter().map(|identifier| (identifier.clone(), made)));
        }
        if let [identifier] = identifiers.as_slice() {
            self.placeholder = Some(identifier.clone());
        } else if operation == Operation::Locate {
            self.placeholder = None;
        } else if let Some(identifier) = texts(Tag::PrivateKeyUniqueIdentifier).next() {
            self.placeholder = Some(identifier.to_owned());
        }
    }
}

/// The dates of a payload, by attribute.
fn dates_of(payload: &Value) -> Dates {
    fn collect(value: &Value, dates: &mut Dates) {
        let name = value.find(Tag::AttributeName).and_then(Value::text).and_then(attribute_by_name);
        for inner in value.elements() {
            let tag = match name {
                Some(row) if inner.tag == Tag::AttributeValue => row.tag,
                _ => inner.tag,
            };
            if let Value::DateTime(date) | Value::DateTimeExtended(date) = inner.value {
                dates.insert((tag, date));
            }
            collect(&inner.value, dates);
        }
    }
    let mut dates = Dates::new();
    collect(payload, &mut dates);
    dates
}

/// Whether the request describes a key whose signatures are never twice the same.
fn signs_at_random(request: &Value) -> bool {
    let random = [CryptographicAlgorithm::DSA, CryptographicAlgorithm::ECDSA, CryptographicAlgorithm::EC];
    let attribute = request.find(Tag::AttributeName).and_then(Value::text) == Some("Cryptographic Algorithm");
    request.elements().iter().any(|element| match element.value {
        Value::Enumeration(code) if element.tag == Tag::CryptographicAlgorithm || attribute => {
            random.contains(&CryptographicAlgorithm::from(code))
        }
        Value::Enumeration(code) if element.tag == Tag::PaddingMethod => {
            PaddingMethod::from(code) == PaddingMethod::PSS
        }
        _ => signs_at_random(&element.value),
    })
}
