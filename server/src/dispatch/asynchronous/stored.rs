//! A message that is answered later, as it rests: the request, who made it, and what came of its items.

use std::sync::Arc;

use kmip_codec::spec::{Operation, ResultReason, Tag, Version};
use kmip_codec::ttlv::{Blob, Limits, Text, Writer, frame, parse};
use kmip_codec::wipe::Wiped;
use kmip_codec::{Element, Value};

use crate::dispatch::answer::{Failed, ItemAnswer, Success};
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;

const STORED: Tag = Tag::new(0x54_0010);
const OWNER: Tag = Tag::new(0x54_0011);
const SUBMITTED: Tag = Tag::new(0x54_0012);
const WAKE: Tag = Tag::new(0x54_0013);
const REQUEST: Tag = Tag::new(0x54_0014);
const ITEM: Tag = Tag::new(0x54_0015);
const ASKED: Tag = Tag::new(0x54_0016);
const STAGE: Tag = Tag::new(0x54_0017);
const ANSWER: Tag = Tag::new(0x54_0018);
const KIND: Tag = Tag::new(0x54_0019);
const MAJOR: Tag = Tag::new(0x54_001A);
const MINOR: Tag = Tag::new(0x54_001B);
const TICKET: Tag = Tag::new(0x54_001C);
const CERTIFICATE: Tag = Tag::new(0x54_001D);

/// Bytes of a correlation value.
pub(super) const CORRELATION: usize = 16;

/// What stands in an Asynchronous Correlation Value of ours: random bytes.
pub(super) type Correlation = [u8; CORRELATION];

/// The items of one message that are answered later.
#[derive(Clone)]
pub(super) struct Stored {
    /// Who asked.
    pub(super) owner: Arc<str>,
    /// The name under which the ticket rests that it was asked with: its rights hold when it is done, too.
    pub(super) ticket: Option<Arc<str>>,
    /// The certificates of the connection on which it was asked.
    pub(super) certificates: Vec<Blob>,
    /// The version of the request, and so of its answers.
    pub(super) version: Version,
    /// When it was asked, in seconds.
    pub(super) submitted: i64,
    /// When it is to be processed, or when its answers expire, in seconds.
    pub(super) wake: i64,
    /// The request message: its header, and these items.
    pub(super) request: Blob,
    /// The items in their order.
    pub(super) items: Vec<StoredItem>,
}

/// One of them.
#[derive(Clone)]
pub(super) struct StoredItem {
    /// What the client polls for.
    pub(super) correlation: Correlation,
    /// What was asked.
    pub(super) operation: Operation,
    /// Whether Process was called for it.
    pub(super) is_asked: bool,
    /// How far it is.
    pub(super) stage: Stage,
}

/// How far an item is.
#[derive(Clone)]
pub(super) enum Stage {
    /// Nothing was done yet.
    Submitted,
    /// It is answered: once, or once for each object that it meant.
    Completed(Vec<ItemAnswer>),
    /// Its answer was obtained, or it was canceled.
    Over,
}

fn certificate(element: &Element) -> Option<Blob> {
    match &element.value {
        Value::ByteString(bytes) if element.tag == CERTIFICATE => Some(bytes.clone()),
        _ => None,
    }
}

impl Stored {
    /// Whether nobody waits for any of it.
    pub(super) fn is_over(&self) -> bool {
        self.items.iter().all(|item| matches!(item.stage, Stage::Over))
    }

    /// Whether there is something to do.
    pub(super) fn is_submitted(&self) -> bool {
        self.items.iter().any(|item| matches!(item.stage, Stage::Submitted))
    }

    /// The stored form.
    pub(super) fn write(&self) -> Secret {
        let mut writer = Writer::new(Version::V2_1);
        writer.structure(STORED, |w| {
            w.text(OWNER, &self.owner);
            if let Some(ticket) = &self.ticket {
                w.text(TICKET, ticket);
            }
            self.certificates.iter().for_each(|certificate| w.bytes(CERTIFICATE, certificate));
            w.integer(MAJOR, self.version.major.into());
            w.integer(MINOR, self.version.minor.into());
            w.long_integer(SUBMITTED, self.submitted);
            w.long_integer(WAKE, self.wake);
            w.bytes(REQUEST, &self.request);
            for item in &self.items {
                w.structure(ITEM, |w| item.write(w));
            }
        });
        Secret::new(writer.finish())
    }

    /// Reads the stored form. The sealing vouches for its bytes: a fault is ours.
    pub(super) fn read(bytes: &Secret) -> Outcome<Self> {
        let bad = || Failure::internal("a request that is to be answered later cannot be read");
        let own = Limits { depth: usize::MAX, items: usize::MAX };
        let root = parse(&frame::protect(bytes.expose().to_vec()), &own).map_err(|_| bad())?;
        let value = &root.value;
        let text = |tag| value.find(tag).and_then(Value::text);
        let number = |tag| match value.find(tag) {
            Some(&Value::LongInteger(number)) => Ok(number),
            _ => Err(bad()),
        };
        let small = |tag| match value.find(tag) {
            Some(&Value::Integer(number)) => Ok(number),
            _ => Err(bad()),
        };
        let items = value.elements().iter().filter(|element| element.tag == ITEM);
        Ok(Self {
            owner: text(OWNER).ok_or_else(bad)?.into(),
            ticket: text(TICKET).map(Into::into),
            certificates: value.elements().iter().filter_map(certificate).collect(),
            version: Version::supported(small(MAJOR)?, small(MINOR)?).ok_or_else(bad)?,
            submitted: number(SUBMITTED)?,
            wake: number(WAKE)?,
            request: bytes_of(value, REQUEST).ok_or_else(bad)?,
            items: items.map(|item| StoredItem::read(&item.value).ok_or_else(bad)).collect::<Outcome<_>>()?,
        })
    }
}

impl StoredItem {
    fn write(&self, w: &mut Writer) {
        w.bytes(Tag::AsynchronousCorrelationValue, &self.correlation);
        w.enumeration(Tag::Operation, self.operation.into());
        w.boolean(ASKED, self.is_asked);
        let (stage, answers) = match &self.stage {
            Stage::Submitted => (1, None),
            Stage::Completed(answers) => (2, Some(answers)),
            Stage::Over => (3, None),
        };
        w.enumeration(STAGE, stage);
        for answer in answers.into_iter().flatten() {
            w.structure(ANSWER, |w| write_answer(answer, w));
        }
    }

    fn read(value: &Value) -> Option<Self> {
        let operation = Operation::from(code(value, Tag::Operation)?);
        let answers = value.elements().iter().filter(|element| element.tag == ANSWER);
        let stage = match code(value, STAGE)? {
            1 => Stage::Submitted,
            2 => Stage::Completed(answers.map(|answer| read_answer(answer, operation)).collect::<Option<_>>()?),
            3 => Stage::Over,
            _ => return None,
        };
        Some(Self {
            correlation: bytes_of(value, Tag::AsynchronousCorrelationValue)?[..].try_into().ok()?,
            operation,
            is_asked: matches!(value.find(ASKED), Some(Value::Boolean(true))),
            stage,
        })
    }
}

fn write_answer(answer: &ItemAnswer, w: &mut Writer) {
    match &answer.result {
        Ok(Success::Payload(payload)) => {
            w.enumeration(KIND, 1);
            w.bytes(Tag::ResponsePayload, payload);
        }
        Err(Failed::Failure(failure)) => {
            w.enumeration(KIND, 2);
            w.enumeration(Tag::ResultReason, failure.reason.into());
            w.text(Tag::ResultMessage, &failure.message);
        }
        // Nothing that was done is pending still: what was stored is answered at once when it is done.
        Err(Failed::Undone(None)) | Ok(Success::Pending(_)) => w.enumeration(KIND, 3),
        Err(Failed::Undone(Some(payload))) => {
            w.enumeration(KIND, 3);
            w.bytes(Tag::ResponsePayload, payload);
        }
    }
}

fn read_answer(answer: &Element, operation: Operation) -> Option<ItemAnswer> {
    let value = &answer.value;
    let payload = || bytes_of(value, Tag::ResponsePayload).map(|payload| Wiped::from(payload.to_vec()));
    let result = match code(value, KIND)? {
        1 => Ok(Success::Payload(payload()?)),
        2 => {
            let message = value.find(Tag::ResultMessage).and_then(Value::text).map(Text::from)?;
            let reason = ResultReason::from(code(value, Tag::ResultReason)?);
            Err(Failed::Failure(Failure::new(reason, message.to_string())))
        }
        3 => Err(Failed::Undone(payload())),
        _ => return None,
    };
    Some(ItemAnswer { item: 0, operation: Some(operation), mark: None, result })
}

fn code(value: &Value, tag: Tag) -> Option<u32> {
    match value.find(tag) {
        Some(&Value::Enumeration(code)) => Some(code),
        _ => None,
    }
}

fn bytes_of(value: &Value, tag: Tag) -> Option<Blob> {
    match value.find(tag) {
        Some(Value::ByteString(bytes)) => Some(bytes.clone()),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_stored_comes_back() {
        let answer = |result| ItemAnswer { item: 0, operation: Some(Operation::Create), mark: None, result };
        let failure = Failure::new(ResultReason::InvalidField, "no");
        let stages = [
            Stage::Submitted,
            Stage::Completed(vec![
                answer(Ok(Success::Payload(Wiped::from(vec![1, 2, 3])))),
                answer(Err(Failed::Failure(failure))),
                answer(Err(Failed::Undone(Some(Wiped::from(vec![4]))))),
                answer(Err(Failed::Undone(None))),
            ]),
            Stage::Over,
        ];
        let item = |(number, stage)| StoredItem {
            correlation: [number; CORRELATION],
            operation: Operation::Create,
            is_asked: number == 2,
            stage,
        };
        let stored = Stored {
            ticket: Some("name".into()),
            certificates: vec![Blob::copy_of(b"own"), Blob::copy_of(b"above")],
            owner: "alice".into(),
            version: Version::V1_2,
            submitted: 5,
            wake: 7,
            request: Blob::copy_of(b"request"),
            items: (1..).zip(stages).map(item).collect(),
        };
        assert!(stored.is_submitted() && !stored.is_over());
        let read = Stored::read(&stored.write()).unwrap();
        assert_eq!((&*read.owner, read.version, read.submitted, read.wake), ("alice", Version::V1_2, 5, 7));
        assert_eq!(&read.request[..], b"request");
        assert_eq!(read.write(), stored.write());
        let [_, second, third] = &read.items[..] else { panic!() };
        assert!(second.is_asked && second.correlation == [2; CORRELATION] && matches!(third.stage, Stage::Over));
        let Stage::Completed(answers) = &second.stage else { panic!() };
        assert!(matches!(&answers[0].result, Ok(Success::Payload(payload)) if payload[..] == [1, 2, 3]));
        assert!(matches!(&answers[1].result, Err(Failed::Failure(failure)) if failure.message == "no"));
        assert!(matches!(&answers[2].result, Err(Failed::Undone(Some(payload))) if payload[..] == [4]));
        assert!(matches!(&answers[3].result, Err(Failed::Undone(None))));
        assert!(Stored::read(&Secret::copy_of(b"no")).is_err());
    }
}
