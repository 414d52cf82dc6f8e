//! Messages that cannot be read get an answer of their version, and nothing of them is done.

use bytes::Bytes;
use kmip_codec::message::ResponseMessage;
use kmip_codec::spec::{Operation, ResultReason, ResultStatus, Tag, Version};
use kmip_codec::ttlv::{Limits, Writer};

use crate::common::VERSIONS;
use crate::harness::kmip::{create, header, message, name};
use crate::harness::{Kmip, Kmipd};

fn read(answer: Vec<u8>) -> ResponseMessage {
    ResponseMessage::read(&Bytes::from(answer), &Limits::default()).unwrap()
}

/// A message of a single Query, with whatever in its header and behind it.
fn query(version: (i32, i32), count: i32, inside: impl Fn(&mut Writer), behind: impl Fn(&mut Writer)) -> Vec<u8> {
    let mut writer = Writer::new(Version::V1_0);
    writer.structure(Tag::RequestMessage, |w| {
        w.structure(Tag::RequestHeader, |w| {
            w.structure(Tag::ProtocolVersion, |w| {
                w.integer(Tag::ProtocolVersionMajor, version.0);
                w.integer(Tag::ProtocolVersionMinor, version.1);
            });
            inside(w);
            w.integer(Tag::BatchCount, count);
        });
        w.structure(Tag::BatchItem, |w| {
            w.enumeration(Tag::Operation, Operation::Query.0);
            w.structure(Tag::RequestPayload, |w| w.enumeration(Tag::QueryFunction, 1));
        });
        behind(w);
    });
    writer.finish()
}

fn numbers(version: Version) -> (i32, i32) {
    (version.major.into(), version.minor.into())
}

/// The refusal of a whole message: one item, that says no operation.
fn assert_refused(answer: &ResponseMessage, version: Version, reason: ResultReason) {
    assert_eq!(answer.version, version);
    assert_eq!(answer.items.len(), 1);
    assert_eq!(answer.items[0].operation, None);
    assert_eq!(answer.items[0].result_status, ResultStatus::OperationFailed);
    assert_eq!(answer.items[0].result_reason, Some(reason), "{:?}", answer.items[0].result_message);
    assert!(answer.items[0].response_payload.is_none());
}

fn still_answers(kmip: &mut Kmip) {
    kmip.locate(vec![]);
}

#[test]
fn a_message_that_is_wrong_is_answered_in_its_version_and_the_next_is_read() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let said = numbers(version);
        let nothing = |_: &mut Writer| {};
        for wrong in [
            // A field that no header has; one with a wrong type; one that is there twice.
            query(said, 1, |w| w.integer(Tag::new(0x42_0FFF), 1), nothing),
            query(said, 1, |w| w.text(Tag::MaximumResponseSize, "much"), nothing),
            query(said, 1, |w| w.integer(Tag::BatchCount, 1), nothing),
            query(said, 1, |w| w.enumeration(Tag::BatchErrorContinuationOption, 9), nothing),
            // Too many or too few items.
            query(said, 2, nothing, nothing),
            query(said, 0, nothing, nothing),
            query(said, -1, nothing, nothing),
            // Something behind the items.
            query(said, 1, nothing, |w| w.integer(Tag::BatchCount, 1)),
        ] {
            assert_refused(&read(kmip.wire.ask(&wrong).unwrap()), version, ResultReason::InvalidMessage);
            still_answers(&mut kmip);
        }
        // A header without items.
        let mut writer = Writer::new(version);
        writer.structure(Tag::RequestMessage, |w| {
            w.structure(Tag::RequestHeader, |w| {
                w.structure(Tag::ProtocolVersion, |w| {
                    w.integer(Tag::ProtocolVersionMajor, said.0);
                    w.integer(Tag::ProtocolVersionMinor, said.1);
                });
                w.integer(Tag::BatchCount, 0);
            });
        });
        assert_refused(&read(kmip.wire.ask(&writer.finish()).unwrap()), version, ResultReason::InvalidMessage);
        still_answers(&mut kmip);
    }
}

#[test]
fn what_newer_versions_have_is_refused_in_older_ones() {
    let kmipd = Kmipd::dev();
    let nothing = |_: &mut Writer| {};
    let mut kmip = kmipd.kmip(Version::V1_0);
    let wrong = query((1, 0), 1, |w| w.text(Tag::ClientCorrelationValue, "mine"), nothing);
    assert_refused(&read(kmip.wire.ask(&wrong).unwrap()), Version::V1_0, ResultReason::InvalidMessage);
    still_answers(&mut kmip);
    let right = query((1, 4), 1, |w| w.text(Tag::ClientCorrelationValue, "mine"), nothing);
    assert_eq!(read(kmip.wire.ask(&right).unwrap()).items[0].result_status, ResultStatus::Success);
}

#[test]
fn a_version_that_is_not_spoken_is_answered_in_the_nearest() {
    let kmipd = Kmipd::dev();
    let nothing = |_: &mut Writer| {};
    let mut kmip = kmipd.kmip(Version::V1_2);
    for (said, nearest, reason) in [
        ((3, 0), Version::V2_1, ResultReason::UnsupportedProtocolVersion),
        ((2, 2), Version::V2_1, ResultReason::UnsupportedProtocolVersion),
        ((9, 9), Version::V2_1, ResultReason::UnsupportedProtocolVersion),
        // The versions of 1.x have no reason of that name.
        ((1, 5), Version::V1_4, ResultReason::InvalidMessage),
        ((0, 9), Version::V1_0, ResultReason::InvalidMessage),
        ((-1, 0), Version::V1_0, ResultReason::InvalidMessage),
    ] {
        let answer = read(kmip.wire.ask(&query(said, 1, nothing, nothing)).unwrap());
        assert_refused(&answer, nearest, reason);
        let message = answer.items[0].result_message.clone().unwrap();
        assert!(message.contains(&format!("{}.{}", said.0, said.1)), "{message}");
        still_answers(&mut kmip);
    }
}

#[test]
fn bytes_that_are_no_elements_are_answered_and_end_the_connection() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let kmip = kmipd.kmip(version);
        let mark = format!("{version} broken");
        let request =
            message(version, header(version), vec![kmip.item(Operation::Create, &create(vec![name(&mark)]))]).write();
        // Behind message, header and version: the lengths of what comes then, its types, its padding.
        let item = request.windows(3).position(|tag| tag == [0x42, 0x00, 0x0f]).unwrap();
        for (place, byte) in [(item + 3, 0x0c), (item + 7, 0xff), (item + 4, 0x7f), (item + 8 + 3, 0)] {
            let mut broken = request.clone();
            broken[place] = byte;
            let mut kmip = kmipd.kmip(version);
            assert_refused(&read(kmip.wire.ask(&broken).unwrap()), version, ResultReason::InvalidMessage);
            kmip.wire.end().unwrap();
        }
        assert!(kmipd.kmip(version).locate(vec![name(&mark)]).is_empty());
    }
    // Bytes that do not even begin a message.
    let mut kmip = kmipd.kmip(Version::V1_0);
    let answer = read(kmip.wire.ask(b"GET / HTTP/1.1\r\nHost: nobody\r\n\r\n").unwrap());
    assert_eq!(answer.items[0].result_reason, Some(ResultReason::InvalidMessage));
    kmip.wire.end().unwrap();
}
