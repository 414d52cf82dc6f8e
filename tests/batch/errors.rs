//! Batch Error Continuation Option (KMIP 2.1 §9.5): Continue, Stop and Undo; and items that nobody can do.

use kmip_codec::message::{MessageExtension, RequestBatchItem, RequestHeader, RequestedOperation};
use kmip_codec::schema::decode;
use kmip_codec::spec::{BatchErrorContinuationOption as OnError, Operation, ResultReason, ResultStatus, State, Tag};
use kmip_codec::types::Attribute;
use kmip_codec::{Element, Value};
use kmipd::ops;

use crate::common::{VERSIONS, nobody};
use crate::harness::Kmipd;
use crate::harness::kmip::{
    Came, Kmip, Nothing, bytes_of, create, delete, get, get_attributes, header, identifier, message, modify, name,
    new_attribute, object, register, secret, text,
};

fn on_error(kmip: &Kmip, option: Option<OnError>) -> RequestHeader {
    RequestHeader { batch_error_continuation_option: option, ..header(kmip.version) }
}

fn status(came: &Came) -> ResultStatus {
    came.as_ref().map_or_else(|refused| refused.status, |_| ResultStatus::Success)
}

/// An item that fails between two that do not.
fn broken_batch(kmip: &Kmip, mark: &str) -> Vec<RequestBatchItem> {
    vec![
        kmip.item(Operation::Create, &create(vec![name(&format!("{mark} first"))])),
        kmip.item(Operation::Get, &get(Some(&nobody()))),
        kmip.item(Operation::Create, &create(vec![name(&format!("{mark} last"))])),
    ]
}

#[test]
fn an_item_that_fails_ends_the_batch_or_not() {
    const SUCCESS: ResultStatus = ResultStatus::Success;
    const FAILED: ResultStatus = ResultStatus::OperationFailed;
    const UNDONE: ResultStatus = ResultStatus::OperationUndone;
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let cases = [
            (None, vec![SUCCESS, FAILED], [true, false]),
            (Some(OnError::Stop), vec![SUCCESS, FAILED], [true, false]),
            (Some(OnError::Continue), vec![SUCCESS, FAILED, SUCCESS], [true, true]),
            (Some(OnError::Undo), vec![UNDONE, FAILED], [false, false]),
        ];
        for (option, statuses, stays) in cases {
            let mark = format!("{version} {option:?}");
            let request = message(version, on_error(&kmip, option), broken_batch(&kmip, &mark));
            let answer = kmip.exchange(&request);
            assert_eq!(answer.header.batch_count as usize, statuses.len(), "{mark}");
            // Every answer, undone or not, says which item it belongs to.
            for (item, asked) in answer.items.iter().zip(&request.items) {
                assert_eq!(item.operation, Some(asked.operation), "{mark}");
                assert_eq!(item.unique_batch_item_id, asked.unique_batch_item_id, "{mark}");
                // What was done and undone is answered as it was.
                assert_eq!(item.response_payload.is_some(), item.result_status != FAILED, "{mark}");
                assert_eq!(item.result_reason.is_some(), item.result_status == FAILED, "{mark}");
            }
            let came: Vec<ResultStatus> = answer.items.iter().map(|item| item.result_status).collect();
            assert_eq!(came, statuses, "{mark}");
            let found = ["first", "last"].map(|which| !kmip.locate(vec![name(&format!("{mark} {which}"))]).is_empty());
            assert_eq!(found, stays, "{mark}");
        }
    }
}

/// Everything that can be seen of an object.
fn all_of(kmip: &mut Kmip, identifier: &kmip_codec::ttlv::Text) -> Vec<Attribute> {
    let response: ops::get_attributes::Response =
        kmip.ask(Operation::GetAttributes, &get_attributes(Some(identifier), Vec::new()));
    response.attributes.0
}

#[test]
fn undo_takes_everything_back() {
    let mut kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mark = version.to_string();
        let mut kmip = kmipd.kmip(version);
        let old_name = name(&format!("{mark} old"));
        let new_name = name(&format!("{mark} new"));
        let other_name = name(&format!("{mark} other"));
        let changed = kmip.create(vec![old_name.clone(), text(Tag::ContactInformation, "before")]);
        let doomed = kmip.register(
            secret(b"must stay"),
            vec![other_name.clone(), crate::harness::kmip::mask(kmip_codec::spec::CryptographicUsageMask::empty())],
        );
        // From now on it is not Fresh any more.
        kmip.get(&doomed);
        let before = [all_of(&mut kmip, &changed), all_of(&mut kmip, &doomed)];

        let current = version.is_v2().then(|| old_name.clone());
        let contact = text(Tag::ContactInformation, "after");
        let items = vec![
            kmip.item(Operation::ModifyAttribute, &modify(Some(&changed), current, new_name.clone())),
            kmip.item(Operation::ModifyAttribute, &modify(Some(&changed), None, contact)),
            kmip.item(Operation::AddAttribute, &new_attribute(Some(&changed), text(Tag::ObjectGroup, "group"))),
            // The name that was given up goes to another object, and so does the one of a destroyed object.
            kmip.item(Operation::Create, &create(vec![old_name.clone()])),
            kmip.item(Operation::Destroy, &object(Some(&doomed))),
            kmip.item(Operation::Create, &create(vec![other_name.clone()])),
            kmip.item(Operation::Activate, &object(Some(&changed))),
            kmip.item(Operation::DeleteAttribute, &delete(Some(&changed), Tag::ContactInformation.into(), None)),
            kmip.item(
                Operation::Register,
                &register(
                    secret(b"gone"),
                    vec![crate::harness::kmip::mask(kmip_codec::spec::CryptographicUsageMask::empty())],
                ),
            ),
            kmip.item(Operation::Get, &get(Some(&nobody()))),
        ];
        let count = items.len();
        let all_before = kmip.locate(Vec::new());
        let came = kmip.batch(on_error(&kmip, Some(OnError::Undo)), items);
        let statuses: Vec<ResultStatus> = came.iter().map(status).collect();
        let mut expected = vec![ResultStatus::OperationUndone; count - 1];
        expected.push(ResultStatus::OperationFailed);
        assert_eq!(statuses, expected, "{came:?}");

        for is_restarted in [false, true] {
            if is_restarted {
                assert!(kmipd.terminate().success());
                kmipd.restart();
                kmip = kmipd.kmip(version);
            }
            assert_eq!(kmip.locate(Vec::new()), all_before);
            assert_eq!([all_of(&mut kmip, &changed), all_of(&mut kmip, &doomed)], before);
            assert_eq!(bytes_of(&kmip.get(&doomed)), b"must stay");
            assert_eq!(kmip.state(&changed), State::PreActive);
            assert_eq!(kmip.locate(vec![old_name.clone()]), std::slice::from_ref(&changed));
            assert_eq!(kmip.locate(vec![other_name.clone()]), std::slice::from_ref(&doomed));
            assert_eq!(kmip.locate(vec![new_name.clone()]), [] as [&str; 0]);
            assert_eq!(kmip.locate(vec![text(Tag::ObjectGroup, "group")]), [] as [&str; 0]);
        }
        // And the name that was never taken is free.
        kmip.create(vec![new_name]);
    }
}

#[test]
fn an_item_that_fails_leaves_nothing_of_itself() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(kmip_codec::spec::Version::V2_1);
    let taken = kmip.create(vec![name("taken")]);
    // The second name is taken: the first one must not stay behind.
    let came = kmip.batch(
        on_error(&kmip, Some(OnError::Continue)),
        vec![
            kmip.item(Operation::Create, &create(vec![name("half"), name("taken")])),
            kmip.item(Operation::Create, &create(vec![name("half")])),
            kmip.item(Operation::Activate, &object(None)),
        ],
    );
    assert_eq!(came[0].as_ref().unwrap_err().reason(), ResultReason::NonUniqueNameAttribute);
    let made = identifier(&came[1]);
    assert_eq!(identifier(&came[2]), made);
    assert_eq!(kmip.locate(vec![name("half")]), [made]);
    assert_eq!(kmip.locate(vec![name("taken")]), [taken]);
}

#[test]
fn an_unknown_operation_fails_its_item_alone() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        // A number that no version has; one that this version does not have; one that no server does; an extension.
        let newer = if version < kmip_codec::spec::Version::V2_1 { Operation::Ping.0 } else { 0x7E };
        for code in [0x7F, newer, Operation::Notify.0, 0x8000_0001] {
            let unknown = kmip.item(Operation(code), &Nothing);
            let items = vec![kmip.item(Operation::Create, &create(vec![])), unknown.clone(), {
                kmip.item(Operation::Activate, &object(None))
            }];
            let request = message(version, on_error(&kmip, Some(OnError::Continue)), items);
            let answer = kmip.exchange(&request);
            assert_eq!(answer.items.len(), 3);
            assert_eq!(answer.items[0].result_status, ResultStatus::Success);
            assert_eq!(answer.items[1].operation, Some(RequestedOperation(Operation(code))));
            assert_eq!(answer.items[1].result_reason, Some(ResultReason::OperationNotSupported));
            assert_eq!(answer.items[2].result_status, ResultStatus::Success, "{:?}", answer.items[2]);
            // Alone, too.
            let alone = kmip.items(vec![unknown]);
            assert_eq!(alone[0].as_ref().unwrap_err().reason(), ResultReason::OperationNotSupported);
        }
    }
}

#[test]
fn a_payload_that_nobody_understands_fails_its_item_alone() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let mut strange = kmip.item(Operation::Get, &get(None));
        strange.request_payload = Some(Element::new(
            Tag::RequestPayload,
            Value::Structure(vec![Element::new(Tag::new(0x42_0FFF), Value::Integer(1))]),
        ));
        let mut absent = kmip.item(Operation::Get, &get(None));
        absent.request_payload = None;
        let create = kmip.item(Operation::Create, &create(vec![]));
        let came = kmip.batch(on_error(&kmip, Some(OnError::Continue)), vec![strange, absent, create]);
        let unknown = if version.is_v2() { ResultReason::InvalidMessage } else { ResultReason::InvalidField };
        assert_eq!(came[0].as_ref().unwrap_err().reason(), unknown);
        assert_eq!(came[1].as_ref().unwrap_err().reason(), ResultReason::InvalidMessage);
        decode::<ops::create::Response>(came[2].clone().unwrap(), version).unwrap();
    }
}

#[test]
fn an_unknown_message_extension_counts_if_it_is_critical() {
    let kmipd = Kmipd::dev();
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let extended = |kmip: &Kmip, is_critical| {
            let mut item = kmip.item(Operation::Create, &create(vec![name(&format!("{version} {is_critical}"))]));
            item.message_extension = vec![MessageExtension {
                vendor_identification: "nobody".into(),
                criticality_indicator: is_critical,
                vendor_extension: Element::new(
                    Tag::VendorExtension,
                    Value::Structure(vec![Element::new(Tag::new(0x54_0001), Value::Integer(7))]),
                ),
            }];
            item
        };
        let items = vec![extended(&kmip, true), extended(&kmip, false)];
        let came = kmip.batch(on_error(&kmip, Some(OnError::Continue)), items);
        let reason =
            if version.is_v2() { ResultReason::UnknownMessageExtension } else { ResultReason::FeatureNotSupported };
        assert_eq!(came[0].as_ref().unwrap_err().reason(), reason);
        assert_eq!(kmip.locate(vec![name(&format!("{version} true"))]), [] as [&str; 0]);
        assert_eq!(kmip.locate(vec![name(&format!("{version} false"))]), [identifier(&came[1])]);
    }
}
