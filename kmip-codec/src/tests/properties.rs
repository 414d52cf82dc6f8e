//! Properties of whole messages, and of every row of the attribute table in every version.

use bytes::Bytes;
use proptest::collection::vec;
use proptest::option;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use proptest::test_runner::{Config, TestRunner};

use crate::dialect;
use crate::message::{Asynchronous, RequestBatchItem, RequestHeader, RequestMessage, RequestedOperation};
use crate::message::{ResponseBatchItem, ResponseHeader, ResponseMessage};
use crate::schema::DateTime;
use crate::spec::{
    AsynchronousIndicator, AttestationType, AttributeKind, AttributeRow, BatchErrorContinuationOption, Enumeration,
    FieldRow, Operation, ResultReason, ResultStatus, Tag, Version, attributes, enumeration_of,
};
use crate::ttlv::{Blob, Element, Limits, Text, Value, Writer, parse};
use crate::types::{Attribute, Attributes, Authentication, Credential};

fn texts() -> impl Strategy<Value = Text> {
    ".{0,20}".prop_map(Text::from)
}

fn blobs() -> impl Strategy<Value = Blob> {
    vec(any::<u8>(), 0..20).prop_map(Blob::new)
}

fn versions() -> impl Strategy<Value = Version> {
    select(Version::ALL)
}

/// A value that the table allows in the version; structures have their required fields and some of the others.
fn value(tag: Tag, kind: AttributeKind, version: Version) -> BoxedStrategy<Value> {
    match kind {
        AttributeKind::Integer | AttributeKind::Mask(_) => any::<i32>().prop_map(Value::Integer).boxed(),
        AttributeKind::LongInteger => any::<i64>().prop_map(Value::LongInteger).boxed(),
        AttributeKind::BigInteger => {
            any::<i64>().prop_map(|number| Value::BigInteger(Blob::copy_of(&number.to_be_bytes()))).boxed()
        }
        AttributeKind::Enumeration => {
            let rows = enumeration_of(tag).unwrap().values.iter();
            let known = rows.filter(|row| version.within(row.since, row.until)).map(|row| row.value);
            select(known.chain([0x8000_0001]).collect::<Vec<u32>>()).prop_map(Value::Enumeration).boxed()
        }
        AttributeKind::Boolean => any::<bool>().prop_map(Value::Boolean).boxed(),
        AttributeKind::Text => texts().prop_map(Value::TextString).boxed(),
        AttributeKind::Bytes => blobs().prop_map(Value::ByteString).boxed(),
        AttributeKind::DateTime => any::<i64>().prop_map(Value::DateTime).boxed(),
        AttributeKind::Interval => any::<u32>().prop_map(Value::Interval).boxed(),
        AttributeKind::Identifier if version.is_v2() => prop_oneof![
            texts().prop_map(Value::TextString),
            any::<u32>().prop_map(Value::Enumeration),
            any::<i32>().prop_map(Value::Integer),
        ]
        .boxed(),
        AttributeKind::Identifier => texts().prop_map(Value::TextString).boxed(),
        AttributeKind::Any => prop_oneof![
            texts().prop_map(Value::TextString),
            any::<i64>().prop_map(Value::DateTimeExtended),
            vec(texts().prop_map(|text| Element::new(Tag::new(0x54_0001), Value::TextString(text))), 0..3)
                .prop_map(Value::Structure),
        ]
        .boxed(),
        AttributeKind::Structure(rows) => rows
            .iter()
            .filter(|row| version.within(row.since, row.until))
            .map(|row| field(row, version))
            .collect::<Vec<_>>()
            .prop_map(|fields| Value::Structure(fields.concat()))
            .boxed(),
    }
}

fn field(row: &'static FieldRow, version: Version) -> BoxedStrategy<Vec<Element>> {
    let range = match row {
        FieldRow { required: true, multi: false, .. } => 1..=1,
        FieldRow { required, multi: true, .. } => usize::from(*required)..=3,
        _ => 0..=1,
    };
    vec(value(row.tag, row.kind, version).prop_map(|value| Element::new(row.tag, value)), range).boxed()
}

/// An instance of a row's attribute. A Custom Attribute is a Vendor Attribute of x or y.
fn attribute(row: &'static AttributeRow, version: Version) -> BoxedStrategy<Attribute> {
    if row.tag != Tag::CustomAttribute {
        return value(row.tag, row.kind, version).prop_map(|value| Attribute::new(row.tag, value)).boxed();
    }
    let text = |tag, text| Element::new(tag, Value::TextString(text));
    (select(vec!["x", "y"]), texts(), value(row.tag, row.kind, version))
        .prop_map(move |(vendor, name, value)| {
            let names = [text(Tag::VendorIdentification, vendor.into()), text(Tag::AttributeName, name)];
            let fields = names.into_iter().chain([Element::new(Tag::AttributeValue, value)]);
            Attribute::new(Tag::Attribute, Value::Structure(fields.collect()))
        })
        .boxed()
}

fn known(version: Version) -> Vec<&'static AttributeRow> {
    attributes().iter().filter(|row| row.known_in(version)).collect()
}

fn written(attribute: &Attribute, version: Version) -> Vec<u8> {
    let mut writer = Writer::new(version);
    dialect::write_attribute(attribute, &mut writer);
    writer.finish()
}

fn element(binary: Vec<u8>) -> Element {
    parse(&binary.into(), &Limits::default()).unwrap()
}

#[test]
fn every_attribute_reads_as_it_was_written_where_it_exists_and_is_written_nowhere_else() {
    for &version in Version::ALL {
        for row in known(version) {
            let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(8) });
            let result = runner.run(&attribute(row, version), |attribute| {
                let binary = written(&attribute, version);
                prop_assert!(!binary.is_empty());
                prop_assert_eq!(dialect::read_attribute(element(binary), version), Ok(attribute.clone()));
                for &other in Version::ALL {
                    let binary = written(&attribute, other);
                    if binary.is_empty() {
                        continue;
                    }
                    let read = dialect::read_attribute(element(binary), other).unwrap();
                    // A version that lacks fields gets the others: no field is made up, none that it has is left out.
                    if read != attribute {
                        let fields = |value: &Value| value.elements().to_vec();
                        let (had, has) = (fields(&attribute.value), fields(&read.value));
                        prop_assert!(has.iter().all(|field| had.contains(field)) && has.len() < had.len());
                        let lost = had.into_iter().find(|field| !has.contains(field)).unwrap();
                        let alone = Attribute::new(attribute.tag, Value::Structure(vec![lost]));
                        prop_assert!(written(&alone, other).is_empty());
                    }
                    // The two rows that stand for names of their own share a tag.
                    prop_assert!(row.known_in(other) || attribute.tag == Tag::Attribute);
                }
                Ok(())
            });
            assert!(result.is_ok(), "{} in {version}: {}", row.name(), result.unwrap_err());
        }
    }
}

#[test]
fn an_attribute_stays_out_of_versions_that_lack_it() {
    for row in attributes() {
        let newest = *Version::ALL.iter().find(|&&version| row.known_in(version)).unwrap();
        let mut runner = TestRunner::new(Config { failure_persistence: None, ..Config::with_cases(4) });
        let result = runner.run(&attribute(row, newest), |attribute| {
            for &other in Version::ALL.iter().filter(|&&version| !row.known_in(version)) {
                let vendor = attribute.reference() != Tag::Attribute.into() && attribute.tag == Tag::Attribute;
                prop_assert!(vendor || written(&attribute, other).is_empty(), "{}", other);
            }
            Ok(())
        });
        assert!(result.is_ok(), "{}: {}", row.name(), result.unwrap_err());
    }
}

fn lists(version: Version) -> impl Strategy<Value = Attributes> {
    let index = if version.is_v2() { Just(None).boxed() } else { option::of(1..i32::MAX).boxed() };
    let one = select(known(version)).prop_flat_map(move |row| attribute(row, version));
    let list = vec((one, index).prop_map(|(attribute, index)| Attribute { index, ..attribute }), 1..6);
    list.prop_map(|list| Attributes { templates: Vec::new(), list })
}

fn header_fields() -> impl Strategy<Value = RequestHeader> {
    let extensions = prop_oneof![1_u32..=3, Just(0x8000_0001)];
    let credential = (texts(), texts()).prop_map(|(user, password)| Credential::password(&user, &password));
    (
        (option::of(any::<i32>()), option::of(texts()), option::of(texts())),
        option::of((1_u32..=3).prop_map(|value| Asynchronous(AsynchronousIndicator::from(value)))),
        (option::of(any::<bool>()), vec(extensions.clone().prop_map(AttestationType::from), 0..3)),
        option::of(credential.prop_map(|one| Authentication { credentials: vec![one] })),
        (option::of(extensions.prop_map(BatchErrorContinuationOption::from)), option::of(any::<bool>())),
        option::of(any::<i64>().prop_map(DateTime)),
    )
        .prop_map(|((size, client, server), asynchronous, attestation, authentication, batch, time_stamp)| {
            RequestHeader {
                protocol_version: Version::V1_0.into(),
                maximum_response_size: size,
                client_correlation_value: client,
                server_correlation_value: server,
                asynchronous_indicator: asynchronous,
                attestation_capable_indicator: attestation.0,
                attestation_type: attestation.1,
                authentication,
                batch_error_continuation_option: batch.0,
                batch_order_option: batch.1,
                time_stamp,
                batch_count: 0,
            }
        })
}

fn payload(tag: Tag, version: Version) -> impl Strategy<Value = Option<Element>> {
    option::of(lists(version).prop_map(move |attributes| {
        let mut writer = Writer::new(version);
        writer.structure(tag, |w| dialect::write_attributes(&attributes, Tag::Attributes, w));
        element(writer.finish())
    }))
}

fn requests() -> impl Strategy<Value = RequestMessage> {
    let of_version = |version| {
        let item =
            (any::<u32>(), option::of(any::<bool>()), option::of(blobs()), payload(Tag::RequestPayload, version));
        let item = item.prop_map(|(operation, ephemeral, id, request_payload)| RequestBatchItem {
            operation: RequestedOperation(Operation::from(operation)),
            ephemeral,
            unique_batch_item_id: id,
            request_payload,
            message_extension: Vec::new(),
        });
        (Just(version), header_fields(), vec(item, 1..4))
    };
    versions().prop_flat_map(of_version).prop_map(|(version, header, items)| {
        let batch_count = i32::try_from(items.len()).unwrap();
        let header = RequestHeader { protocol_version: version.into(), batch_count, ..header };
        RequestMessage { version, header, items }
    })
}

/// What is left of a request in a version: the fields that it has.
fn as_its_version_has_it(mut message: RequestMessage) -> RequestMessage {
    let (version, header) = (message.version, &mut message.header);
    if version < Version::V1_2 {
        header.attestation_capable_indicator = None;
        header.attestation_type.clear();
    }
    if version < Version::V1_4 {
        header.client_correlation_value = None;
        header.server_correlation_value = None;
    }
    if version < Version::V2_0 {
        if header.asynchronous_indicator == Some(Asynchronous(AsynchronousIndicator::Mandatory)) {
            header.asynchronous_indicator = Some(Asynchronous(AsynchronousIndicator::Optional));
        }
        message.items.iter_mut().for_each(|item| item.ephemeral = None);
    }
    message
}

fn responses() -> impl Strategy<Value = ResponseMessage> {
    let of_version = |version: Version| {
        let rows = ResultReason::TABLE.iter().filter(move |row| version.within(row.since, row.until));
        let reasons = select(rows.map(|row| ResultReason::from(row.value)).collect::<Vec<_>>());
        let item = (
            option::of(any::<u32>()),
            option::of(blobs()),
            (0_u32..=3, option::of(reasons), option::of(texts())),
            option::of(blobs()),
            payload(Tag::ResponsePayload, version),
        );
        let item = item.prop_map(|(operation, id, (status, reason, message), correlation, response_payload)| {
            ResponseBatchItem {
                operation: operation.map(|code| RequestedOperation(Operation::from(code))),
                unique_batch_item_id: id,
                result_status: ResultStatus::from(status),
                result_reason: reason,
                result_message: message,
                asynchronous_correlation_value: correlation,
                response_payload,
                message_extension: Vec::new(),
            }
        });
        (Just(version), any::<i64>(), vec(item, 1..4))
    };
    versions().prop_flat_map(of_version).prop_map(|(version, time, items)| {
        let header = ResponseHeader {
            protocol_version: version.into(),
            time_stamp: DateTime(time),
            nonce: None,
            server_hashed_password: None,
            attestation_type: Vec::new(),
            client_correlation_value: None,
            server_correlation_value: None,
            batch_count: i32::try_from(items.len()).unwrap(),
        };
        ResponseMessage { version, header, items }
    })
}

/// Reads bytes in every way there is, and checks what can be said of bytes of any content.
fn read_all(binary: &[u8]) -> Result<(), TestCaseError> {
    let (frame, limits) = (Bytes::copy_from_slice(binary), Limits::default());
    match RequestMessage::read(&frame, &limits) {
        Ok(message) => {
            prop_assert_eq!(RequestMessage::read(&message.write().into(), &limits), Ok(message.clone()));
        }
        Err(unreadable) => prop_assert!(unreadable.error.offset <= binary.len(), "{}", unreadable.error),
    }
    if let Ok(message) = ResponseMessage::read(&frame, &limits) {
        prop_assert_eq!(ResponseMessage::read(&message.write().into(), &limits), Ok(message.clone()));
    }
    if let Ok(element) = parse(&frame, &limits) {
        for &version in Version::ALL {
            let _ = dialect::read_attributes(element.clone(), version);
            let _ = dialect::read_attribute(element.clone(), version);
            let _ = dialect::read_reference(element.clone(), version);
            let _ = dialect::read_only(element.clone(), version);
        }
    }
    Ok(())
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::default() })]

    #[test]
    fn lists_of_attributes_read_as_they_were_written(
        (version, attributes) in versions().prop_flat_map(|version| (Just(version), lists(version))),
    ) {
        let mut writer = Writer::new(version);
        dialect::write_attributes(&attributes, dialect::attributes_tag(Tag::Attributes, version), &mut writer);
        let read = dialect::read_attributes(element(writer.finish()), version);
        prop_assert_eq!(read, Ok(attributes));
    }

    #[test]
    fn requests_read_as_they_were_written(message in requests()) {
        let read = RequestMessage::read(&message.write().into(), &Limits::default());
        prop_assert_eq!(read, Ok(as_its_version_has_it(message)));
    }

    #[test]
    fn responses_read_as_they_were_written(message in responses()) {
        let read = ResponseMessage::read(&message.write().into(), &Limits::default());
        prop_assert_eq!(read, Ok(message));
    }

    #[test]
    fn any_bytes_are_read_or_refused(binary in vec(any::<u8>(), 0..300)) {
        read_all(&binary)?;
    }

    #[test]
    fn changed_messages_are_read_or_refused(
        message in prop_oneof![
            requests().prop_map(|message| message.write()),
            responses().prop_map(|message| message.write()),
        ],
        changes in vec((any::<Index>(), any::<u8>()), 1..4),
        cut in any::<Index>(),
    ) {
        let mut binary = message;
        for (place, byte) in changes {
            let place = place.index(binary.len());
            binary[place] = byte;
        }
        read_all(&binary)?;
        read_all(&binary[..cut.index(binary.len())])?;
    }
}
