//! Requests that are answered later (KMIP 2.1 §9.1, §9.2): they rest in the store, are done once, and wait to be fetched.

use std::fs::OpenOptions;
use std::io::Write as _;

use kmip_codec::message::{Asynchronous, RequestBatchItem, RequestHeader, RequestedOperation, ResponseBatchItem};
use kmip_codec::schema::decode;
use kmip_codec::spec::{
    AsynchronousIndicator, BatchErrorContinuationOption as OnError, CancellationResult, Operation, ProcessingStage,
    ResultReason, ResultStatus, State, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmipd::ops;
use kmipd::ops::query_asynchronous_requests as query;

use crate::common::nobody;
use crate::harness::Kmipd;
use crate::harness::kmip::{Kmip, create, get, header, locate, message, name, object};

/// A server that processes nothing by itself, unless the settings say otherwise.
fn kmipd(settings: &str) -> Kmipd {
    let mut kmipd = Kmipd::dev();
    assert!(kmipd.terminate().success());
    let mut file = OpenOptions::new().append(true).open(kmipd.dir.join("kmipd.toml")).unwrap();
    let delay = if settings.contains("delay_seconds") { "" } else { "delay_seconds = 100000\n" };
    write!(file, "\n[asynchronous]\n{delay}{settings}\n").unwrap();
    kmipd.restart();
    kmipd
}

fn later(version: Version, indicator: AsynchronousIndicator) -> RequestHeader {
    RequestHeader { asynchronous_indicator: Some(Asynchronous(indicator)), ..header(version) }
}

/// Sends items that must wait; what to poll for.
#[track_caller]
fn submit_with(kmip: &mut Kmip, header: RequestHeader, items: Vec<RequestBatchItem>) -> Vec<Blob> {
    let request = message(kmip.version, header, items);
    let answer = kmip.exchange(&request);
    assert_eq!(answer.items.len(), request.items.len());
    let pending = answer.items.into_iter().zip(&request.items).map(|(item, asked)| {
        assert_eq!(item.result_status, ResultStatus::OperationPending, "{item:?}");
        assert_eq!(item.operation, Some(asked.operation));
        assert_eq!(item.unique_batch_item_id, asked.unique_batch_item_id);
        item.asynchronous_correlation_value.unwrap()
    });
    pending.collect()
}

#[track_caller]
fn submit(kmip: &mut Kmip, items: Vec<RequestBatchItem>) -> Vec<Blob> {
    let header = later(kmip.version, AsynchronousIndicator::Mandatory);
    submit_with(kmip, header, items)
}

#[track_caller]
fn submit_create(kmip: &mut Kmip, mark: &str) -> Blob {
    let item = kmip.item(Operation::Create, &create(vec![name(mark)]));
    submit(kmip, vec![item]).remove(0)
}

fn poll_request(value: &Blob) -> ops::poll::Request {
    ops::poll::Request { asynchronous_correlation_value: value.clone() }
}

/// Polls: the answer is about the operation that is polled for.
fn poll(kmip: &mut Kmip, value: &Blob) -> ResponseBatchItem {
    let item = kmip.item(Operation::Poll, &poll_request(value));
    let mut answer = kmip.exchange(&message(kmip.version, header(kmip.version), vec![item]));
    assert_eq!(answer.items.len(), 1);
    answer.items.remove(0)
}

fn created(kmip: &Kmip, item: ResponseBatchItem) -> Text {
    assert_eq!(item.result_status, ResultStatus::Success, "{item:?}");
    assert_eq!(item.operation, Some(RequestedOperation(Operation::Create)));
    let response: ops::create::Response = decode(item.response_payload.unwrap(), kmip.version).unwrap();
    response.unique_identifier
}

#[track_caller]
fn process(kmip: &mut Kmip, value: &Blob) {
    let request = ops::process::Request { asynchronous_correlation_value: value.clone() };
    kmip.ask::<ops::process::Response>(Operation::Process, &request);
}

#[track_caller]
fn cancel(kmip: &mut Kmip, value: &Blob) -> CancellationResult {
    let request = ops::cancel::Request { asynchronous_correlation_value: value.clone() };
    kmip.ask::<ops::cancel::Response>(Operation::Cancel, &request).cancellation_result
}

fn outstanding(kmip: &mut Kmip) -> Vec<(Blob, ProcessingStage)> {
    let request = query::Request { asynchronous_correlation_values: None, operations: None };
    let answer: query::Response = kmip.ask(Operation::QueryAsynchronousRequests, &request);
    let pair = |request: query::AsynchronousRequest| (request.asynchronous_correlation_value, request.processing_stage);
    answer.requests.into_iter().map(pair).collect()
}

#[test]
fn what_waits_is_its_requesters_alone_and_is_fetched_once() {
    let kmipd = kmipd("");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let value = submit_create(&mut kmip, "later");
    assert!(kmip.locate(vec![name("later")]).is_empty());
    let pending = poll(&mut kmip, &value);
    assert_eq!(pending.result_status, ResultStatus::OperationPending);
    assert_eq!((pending.response_payload, pending.asynchronous_correlation_value), (None, Some(value.clone())));
    assert_eq!(outstanding(&mut kmip), [(value.clone(), ProcessingStage::Submitted)]);

    let mut other = Kmip::new(kmipd.client_named("stranger").connect().unwrap(), Version::V2_1);
    let request = poll_request(&value);
    for operation in [Operation::Poll, Operation::Process, Operation::Cancel] {
        assert_eq!(other.refusal(operation, &request), ResultReason::InvalidAsynchronousCorrelationValue);
    }
    assert_eq!(outstanding(&mut other), []);

    process(&mut kmip, &value);
    assert_eq!(kmip.refusal(Operation::Process, &request), ResultReason::DuplicateProcessRequest);
    assert_eq!(outstanding(&mut kmip), [(value.clone(), ProcessingStage::Completed)]);
    assert_eq!(cancel(&mut kmip, &value), CancellationResult::Completed);
    // In another version the answer would be another one.
    let mut older = kmipd.kmip(Version::V1_4);
    assert_eq!(older.refusal(Operation::Poll, &request), ResultReason::InvalidField);
    // An answer that is too long for a Poll waits on.
    let item = kmip.item(Operation::Poll, &request);
    let tight = RequestHeader { maximum_response_size: Some(100), ..header(Version::V2_1) };
    assert_eq!(kmip.batch(tight, vec![item])[0].as_ref().unwrap_err().reason(), ResultReason::ResponseTooLarge);

    let answer = poll(&mut kmip, &value);
    let made = created(&kmip, answer);
    assert_eq!(kmip.locate(vec![name("later")]), [made]);
    assert_eq!(outstanding(&mut kmip), []);
    assert_eq!(kmip.refusal(Operation::Poll, &request), ResultReason::InvalidAsynchronousCorrelationValue);
}

#[test]
fn what_waits_outlives_the_server_and_is_done_once() {
    let mut kmipd = kmipd("");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let items =
        vec![kmip.item(Operation::Create, &create(vec![name("batch")])), kmip.item(Operation::Activate, &object(None))];
    let batch = submit(&mut kmip, items);
    let canceled = submit_create(&mut kmip, "canceled");
    kmipd.kill();
    kmipd.restart();

    let mut kmip = kmipd.kmip(Version::V2_1);
    let all = [&batch[..], &[canceled.clone()]].concat();
    assert_eq!(
        outstanding(&mut kmip),
        all.iter().cloned().map(|value| (value, ProcessingStage::Submitted)).collect::<Vec<_>>()
    );
    assert_eq!(cancel(&mut kmip, &canceled), CancellationResult::Canceled);
    // The second refers to the first: both are done, in their order.
    process(&mut kmip, &batch[1]);
    process(&mut kmip, &batch[0]);
    kmipd.kill();
    kmipd.restart();

    let mut kmip = kmipd.kmip(Version::V2_1);
    let answer = poll(&mut kmip, &batch[0]);
    let made = created(&kmip, answer);
    assert_eq!(kmip.locate(vec![name("batch")]), [made.clone()]);
    assert_eq!(kmip.state(&made), State::Active);
    let activated = poll(&mut kmip, &batch[1]);
    assert_eq!(activated.operation, Some(RequestedOperation(Operation::Activate)));
    assert_eq!(activated.result_status, ResultStatus::Success);
    assert_eq!(
        kmip.refusal(Operation::Poll, &poll_request(&canceled)),
        ResultReason::InvalidAsynchronousCorrelationValue
    );
    assert!(kmip.locate(vec![name("canceled")]).is_empty());
    assert_eq!(outstanding(&mut kmip), []);
}

#[test]
fn a_client_of_1_x_that_can_wait_polls_for_its_answer() {
    let kmipd = kmipd("whenever_possible = true");
    for version in [Version::V1_0, Version::V1_4, Version::V2_0] {
        let mut kmip = kmipd.kmip(version);
        let mark = version.to_string();
        let made = kmip.create(vec![name(&mark)]);
        let find = kmip.item(Operation::Locate, &locate(vec![name(&mark)]));
        let header = later(version, AsynchronousIndicator::Optional);
        let values = submit_with(&mut kmip, header.clone(), vec![find.clone(), find.clone()]);
        // There is no Process: to poll is to ask for it.
        for value in &values {
            let answer = poll(&mut kmip, value);
            let found: ops::locate::Response = decode(answer.response_payload.unwrap(), version).unwrap();
            assert_eq!(found.unique_identifiers, [made.clone()]);
        }
        let value = submit_with(&mut kmip, header, vec![find]).remove(0);
        assert_eq!(cancel(&mut kmip, &value), CancellationResult::Canceled);
        let reason = kmipd::failure::reason_in(version, ResultReason::InvalidAsynchronousCorrelationValue);
        assert_eq!(kmip.refusal(Operation::Poll, &poll_request(&value)), reason);
    }
}

#[test]
fn what_nobody_asks_for_is_done_after_the_delay() {
    let kmipd = kmipd("delay_seconds = 0");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let value = submit_create(&mut kmip, "delayed");
    let mut stages = vec![];
    while stages != [(value.clone(), ProcessingStage::Completed)] {
        stages = outstanding(&mut kmip);
    }
    process(&mut kmip, &value);
    let answer = poll(&mut kmip, &value);
    let made = created(&kmip, answer);
    assert_eq!(kmip.locate(vec![name("delayed")]), [made]);
}

#[test]
fn an_answer_that_nobody_fetches_expires() {
    let kmipd = kmipd("keep_seconds = 0");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let value = submit_create(&mut kmip, "expired");
    process(&mut kmip, &value);
    while !outstanding(&mut kmip).is_empty() {}
    assert_eq!(kmip.refusal(Operation::Poll, &poll_request(&value)), ResultReason::InvalidAsynchronousCorrelationValue);
    assert_eq!(kmip.locate(vec![name("expired")]).len(), 1);
}

#[test]
fn a_client_has_so_many_that_wait() {
    let kmipd = kmipd("waiting_per_client = 2");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let first = submit_create(&mut kmip, "1");
    submit_create(&mut kmip, "2");
    let item = kmip.item(Operation::Create, &create(vec![name("3")]));
    let came = kmip.batch(later(Version::V2_1, AsynchronousIndicator::Mandatory), vec![item]);
    assert_eq!(came[0].as_ref().unwrap_err().reason(), ResultReason::ServerLimitExceeded);
    let mut other = Kmip::new(kmipd.client_named("stranger").connect().unwrap(), Version::V2_1);
    submit_create(&mut other, "3");
    assert_eq!(cancel(&mut kmip, &first), CancellationResult::Canceled);
    submit_create(&mut kmip, "3");
}

#[test]
fn what_fails_later_fails_as_it_would_have_at_once() {
    let kmipd = kmipd("");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let absent = nobody();
    for (on_error, first, last) in [
        (OnError::Stop, ResultStatus::Success, Some(ResultReason::GeneralFailure)),
        (OnError::Continue, ResultStatus::Success, None),
        (OnError::Undo, ResultStatus::OperationUndone, Some(ResultReason::GeneralFailure)),
    ] {
        let mark = format!("{on_error}");
        let items = vec![
            kmip.item(Operation::Create, &create(vec![name(&mark)])),
            kmip.item(Operation::Get, &get(Some(&absent))),
            kmip.item(Operation::Create, &create(vec![])),
        ];
        let mandatory = later(Version::V2_1, AsynchronousIndicator::Mandatory);
        let header = RequestHeader { batch_error_continuation_option: Some(on_error), ..mandatory };
        let values = submit_with(&mut kmip, header, items);
        process(&mut kmip, &values[0]);
        assert_eq!(cancel(&mut kmip, &values[1]), CancellationResult::Failed);
        let answers = [0, 1, 2].map(|place| poll(&mut kmip, &values[place]));
        assert_eq!(answers[0].result_status, first);
        assert_eq!(answers[1].operation, Some(RequestedOperation(Operation::Get)));
        assert_eq!(answers[1].result_reason, Some(ResultReason::ObjectNotFound));
        assert_eq!(answers[2].result_reason, last);
        assert_eq!(kmip.locate(vec![name(&mark)]).is_empty(), on_error == OnError::Undo);
    }
}

#[test]
fn what_is_about_requests_that_wait_does_not_wait_itself() {
    let kmipd = kmipd("whenever_possible = true");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let value = submit_create(&mut kmip, "it");
    let request = poll_request(&value);
    for operation in [Operation::Poll, Operation::Process, Operation::Cancel] {
        let item = kmip.item(operation, &request);
        let came = kmip.batch(later(Version::V2_1, AsynchronousIndicator::Mandatory), vec![item]);
        assert_eq!(came[0].as_ref().unwrap_err().reason(), ResultReason::FeatureNotSupported);
    }
    // Where the server may choose, each item is done in its own way; and Undo takes back what was to wait, too.
    let items = vec![
        kmip.item(Operation::Create, &create(vec![name("undone")])),
        kmip.item(Operation::Process, &request),
        kmip.item(Operation::Process, &request),
    ];
    let optional = later(Version::V2_1, AsynchronousIndicator::Optional);
    let header = RequestHeader { batch_error_continuation_option: Some(OnError::Undo), ..optional };
    let answer = kmip.exchange(&message(Version::V2_1, header, items));
    let statuses: Vec<ResultStatus> = answer.items.iter().map(|item| item.result_status).collect();
    assert_eq!(statuses, [ResultStatus::OperationUndone, ResultStatus::OperationUndone, ResultStatus::OperationFailed]);
    assert_eq!(answer.items[2].result_reason, Some(ResultReason::DuplicateProcessRequest));
    // What was processed is done all the same: it was another message.
    assert_eq!(outstanding(&mut kmip), [(value, ProcessingStage::Completed)]);
}
