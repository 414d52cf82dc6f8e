//! What the Request Header says, and what the Response Header says to it (KMIP 2.1 §8.2, §8.5, §9).

use bytes::Bytes;
use kmip_codec::message::{Asynchronous, RequestHeader, RequestMessage};
use kmip_codec::schema::DateTime;
use kmip_codec::spec::{
    AsynchronousIndicator, BatchErrorContinuationOption as OnError, Operation, ResultReason, ResultStatus, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Limits, Writer};
use kmip_codec::types::{Authentication, Credential};
use kmipd::ops;

use crate::common::VERSIONS;
use crate::harness::Kmipd;
use crate::harness::kmip::{
    Kmip, create, get_attributes, header, identifier, mask, message, name, now, object, secret,
};

#[test]
fn several_items_need_their_unique_batch_item_ids() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let mark = version.to_string();
        let item = kmip.item(Operation::Create, &create(vec![name(&mark)]));
        // One item needs none, and what it has is echoed to the byte.
        assert_eq!(
            kmip.exchange(&message(version, header(version), vec![item.clone()])).items[0].unique_batch_item_id,
            None
        );
        let query = kmip.item(Operation::Locate, &crate::harness::kmip::locate(vec![]));
        for id in [&b""[..], b"\0", b"an identifier of a length of its own"] {
            let mut item = query.clone();
            item.unique_batch_item_id = Some(Blob::copy_of(id));
            let answer = kmip.exchange(&message(version, header(version), vec![item]));
            assert_eq!(answer.items[0].unique_batch_item_id.as_deref(), Some(id));
        }
        // Two need both; nothing is done.
        let other = kmip.item(Operation::Create, &create(vec![name(&format!("{mark} other"))]));
        for with in [None, Some(0), Some(1)] {
            let mut items = vec![other.clone(), other.clone()];
            if let Some(with) = with {
                items[with].unique_batch_item_id = Some(Blob::copy_of(b"1"));
            }
            let header = RequestHeader { batch_count: 2, ..header(version) };
            let answer = kmip.exchange(&RequestMessage { version, header, items });
            assert_eq!(answer.items.len(), 1);
            assert_eq!(answer.items[0].result_reason, Some(ResultReason::InvalidMessage));
        }
        assert!(kmip.locate(vec![name(&format!("{mark} other"))]).is_empty());
    }
}

#[test]
fn answers_come_in_the_order_of_the_items_whatever_batch_order_says() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        for order in [None, Some(true), Some(false)] {
            let mut items = vec![kmip.item(Operation::Create, &create(vec![]))];
            items.extend((0..5).map(|_| kmip.item(Operation::GetAttributeList, &object(None))));
            let request = message(version, RequestHeader { batch_order_option: order, ..header(version) }, items);
            let answer = kmip.exchange(&request);
            let marks = |list: Vec<Option<Blob>>| list;
            assert_eq!(
                marks(answer.items.iter().map(|item| item.unique_batch_item_id.clone()).collect()),
                marks(request.items.iter().map(|item| item.unique_batch_item_id.clone()).collect())
            );
            assert!(answer.items.iter().all(|item| item.result_status == ResultStatus::Success));
        }
    }
}

fn limited(kmip: &Kmip, bytes: usize, on_error: Option<OnError>) -> RequestHeader {
    RequestHeader {
        maximum_response_size: Some(i32::try_from(bytes).unwrap()),
        batch_error_continuation_option: on_error,
        ..header(kmip.version)
    }
}

#[test]
fn an_answer_that_is_too_large_fails_its_item_and_changes_nothing() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let make = |kmip: &Kmip, mark: &str| kmip.item(Operation::Create, &create(vec![name(mark)]));
        // How long the answer to one Create is.
        let sample = message(version, header(version), vec![make(&kmip, &format!("{version} sample"))]);
        let fits = kmip.wire.ask(&sample.write()).unwrap().len();
        for (bytes, is_made) in [(0, false), (fits - 1, false), (fits, true), (fits + 1, true)] {
            let mark = format!("{version} {bytes}");
            let request = message(version, limited(&kmip, bytes, None), vec![make(&kmip, &mark)]);
            let answer = kmip.exchange(&request);
            let reason = (!is_made).then_some(ResultReason::ResponseTooLarge);
            assert_eq!(answer.items[0].result_reason, reason, "{bytes} bytes of {fits}");
            assert_eq!(answer.items[0].operation, Some(request.items[0].operation));
            assert_eq!(!kmip.locate(vec![name(&mark)]).is_empty(), is_made, "{bytes} bytes of {fits}");
        }
        // The one in the middle is too large: what comes before stays, what comes behind depends.
        for (on_error, first, last) in
            [(OnError::Stop, true, false), (OnError::Continue, true, true), (OnError::Undo, false, false)]
        {
            let marks = ["first", "large", "last"].map(|which| format!("{version} {on_error:?} {which}"));
            let bare = mask(kmip_codec::spec::CryptographicUsageMask::empty());
            let stored = kmip.register(secret(&[7; 4000]), vec![bare]);
            let items = vec![
                make(&kmip, &marks[0]),
                kmip.item(Operation::Get, &crate::harness::kmip::get(Some(&stored))),
                make(&kmip, &marks[2]),
            ];
            let came = kmip.batch(limited(&kmip, 2000, Some(on_error)), items);
            assert_eq!(came[1].as_ref().unwrap_err().reason(), ResultReason::ResponseTooLarge);
            assert_eq!(!kmip.locate(vec![name(&marks[0])]).is_empty(), first);
            assert_eq!(!kmip.locate(vec![name(&marks[2])]).is_empty(), last);
            // To get it changes Fresh: not so where nobody got it.
            if version.is_v2() {
                assert_eq!(kmip.value(&stored, Tag::Fresh), kmip_codec::Value::Boolean(true));
                kmip.get(&stored);
                assert_eq!(kmip.value(&stored, Tag::Fresh), kmip_codec::Value::Boolean(false));
            }
        }
        let request = message(
            version,
            RequestHeader { maximum_response_size: Some(-1), ..header(version) },
            vec![make(&kmip, &format!("{version} negative"))],
        );
        assert_eq!(kmip.exchange(&request).items[0].result_reason, Some(ResultReason::InvalidField));
        assert!(kmip.locate(vec![name(&format!("{version} negative"))]).is_empty());
    }
}

#[test]
fn the_clock_of_the_client_may_be_a_little_wrong() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        for (skew, is_taken) in [(0, true), (-250, true), (250, true), (-400, false), (400, false)] {
            let mark = format!("{version} {skew}");
            let stamped = RequestHeader { time_stamp: Some(DateTime(now() + skew)), ..header(version) };
            let item = kmip.item(Operation::Create, &create(vec![name(&mark)]));
            let answer = kmip.exchange(&message(version, stamped, vec![item]));
            let reason = (!is_taken).then_some(ResultReason::InvalidField);
            assert_eq!(answer.items[0].result_reason, reason, "{skew} seconds");
            assert!(answer.header.time_stamp.0.abs_diff(now()) < 60);
            assert_eq!(!kmip.locate(vec![name(&mark)]).is_empty(), is_taken);
        }
    }
}

#[test]
fn answers_come_at_once_or_not_at_all() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        for indicator in
            [AsynchronousIndicator::Mandatory, AsynchronousIndicator::Optional, AsynchronousIndicator::Prohibited]
        {
            let mark = format!("{version} {indicator}");
            let asked = RequestHeader { asynchronous_indicator: Some(Asynchronous(indicator)), ..header(version) };
            let item = kmip.item(Operation::Create, &create(vec![name(&mark)]));
            let answer = kmip.exchange(&message(version, asked, vec![item]));
            // The Boolean of 1.x says that the client can wait, not that it must.
            let waits = version.is_v2() && indicator == AsynchronousIndicator::Mandatory;
            let status = if waits { ResultStatus::OperationPending } else { ResultStatus::Success };
            assert_eq!(answer.items[0].result_status, status);
            assert_eq!(answer.items[0].asynchronous_correlation_value.is_some(), waits);
            assert_eq!(kmip.locate(vec![name(&mark)]).is_empty(), waits);
        }
    }
    // Each kind of version refuses the type of the other.
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let mut writer = Writer::new(version);
        writer.structure(Tag::RequestMessage, |w| {
            w.structure(Tag::RequestHeader, |w| {
                w.structure(Tag::ProtocolVersion, |w| {
                    w.integer(Tag::ProtocolVersionMajor, version.major.into());
                    w.integer(Tag::ProtocolVersionMinor, version.minor.into());
                });
                if version.is_v2() {
                    w.boolean(Tag::AsynchronousIndicator, false);
                } else {
                    w.enumeration(Tag::AsynchronousIndicator, AsynchronousIndicator::Prohibited.0);
                }
                w.integer(Tag::BatchCount, 1);
            });
            w.structure(Tag::BatchItem, |w| {
                w.enumeration(Tag::Operation, Operation::Query.0);
                w.structure(Tag::RequestPayload, |w| w.enumeration(Tag::QueryFunction, 1));
            });
        });
        let answer = kmip.wire.ask(&writer.finish()).unwrap();
        let answer = kmip_codec::message::ResponseMessage::read(&Bytes::from(answer), &Limits::default()).unwrap();
        assert_eq!(answer.items[0].result_reason, Some(ResultReason::InvalidMessage));
    }
}

#[test]
fn credentials_are_refused_as_there_are_no_users() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let credentials = vec![Credential::password("somebody", "something secret")];
        let who = RequestHeader { authentication: Some(Authentication { credentials }), ..header(version) };
        let item = kmip.item(Operation::Create, &create(vec![name(&version.to_string())]));
        let answer = kmip.exchange(&message(version, who, vec![item]));
        assert_eq!(answer.items[0].result_reason, Some(ResultReason::AuthenticationNotSuccessful));
        assert!(kmip.locate(vec![name(&version.to_string())]).is_empty());
    }
    assert!(!kmipd.log().contains("something secret"));
}

#[test]
fn two_versions_share_a_connection() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V1_0);
    let made =
        kmip.create(vec![name("shared"), crate::harness::kmip::vendor("x", "mark", kmip_codec::Value::Integer(7))]);
    for version in [Version::V2_1, Version::V1_0, Version::V1_4, Version::V2_0, Version::V1_0, Version::V2_1] {
        kmip.version = version;
        assert_eq!(kmip.locate(vec![name("shared")]), std::slice::from_ref(&made));
        let all: ops::get_attributes::Response =
            kmip.ask(Operation::GetAttributes, &get_attributes(Some(&made), vec![]));
        let known = |attribute: &kmip_codec::types::Attribute| {
            attribute.tag == Tag::Attribute
                || kmip_codec::spec::attribute_by_tag(attribute.tag).unwrap().known_in(version)
        };
        assert!(all.attributes.0.iter().all(known), "{version}: {:?}", all.attributes);
        assert!(all.attributes.0.iter().any(|attribute| attribute.tag == Tag::Attribute), "{version}");
        let fresh = all.attributes.0.iter().any(|attribute| attribute.tag == Tag::Fresh);
        assert_eq!(fresh, version >= Version::V1_1, "{version}");
    }
}

#[test]
fn the_clients_correlation_value_is_for_the_log() {
    let kmipd = Kmipd::dev();
    for version in [Version::V1_4, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let marked = RequestHeader { client_correlation_value: Some("mine".into()), ..header(version) };
        let item = kmip.item(Operation::Create, &create(vec![]));
        let answer = kmip.exchange(&message(version, marked, vec![item]));
        // KMIP 2.1 §9.9: from client to server it stands in the request.
        assert_eq!(answer.header.client_correlation_value, None);
        identifier(&crate::harness::kmip::came(answer)[0]);
        let marked =
            RequestHeader { client_correlation_value: Some(format!("to find {version}").into()), ..header(version) };
        let nothing = kmipd::ops::activate::Request { unique_identifier: Some("nothing".into()) };
        let item = kmip.item(Operation::Activate, &nothing);
        kmip.exchange(&message(version, marked, vec![item]));
        kmipd.wait_for(&format!("to find {version}"));
    }
}
