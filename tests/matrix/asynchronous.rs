//! Requests that are answered later, and the roles of a connection.

use kmip_codec::Element;
use kmip_codec::message::{Asynchronous, RequestHeader, RequestedOperation};
use kmip_codec::schema::{Encode, decode};
use kmip_codec::spec::{
    AsynchronousIndicator, CancellationResult, CryptographicUsageMask, EndpointRole, Operation, ProcessingStage,
    ResultReason, ResultStatus,
};
use kmip_codec::ttlv::Blob;
use kmipd::ops;

use crate::cell::Cell;
use crate::harness::kmip::{create, header, message};

/// A Create that waits: what to poll for. In 1.x nothing must wait, and there is nothing to poll for.
fn pending(cell: &mut Cell) -> Option<Blob> {
    if !cell.is_v2() {
        return None;
    }
    let version = cell.version();
    let asked = Some(Asynchronous(AsynchronousIndicator::Mandatory));
    let header = RequestHeader { asynchronous_indicator: asked, ..header(version) };
    let name = cell.name();
    let attributes = cell.protected(vec![name]);
    let item = cell.kmip.item(Operation::Create, &create(attributes));
    let answer = cell.kmip.exchange(&message(version, header, vec![item]));
    let [item] = &answer.items[..] else { panic!("{answer:?}") };
    assert_eq!(item.result_status, ResultStatus::OperationPending);
    assert_eq!(item.response_payload, None);
    Some(item.asynchronous_correlation_value.clone().unwrap())
}

fn unknown(cell: &mut Cell, request: &impl Encode) {
    let reason = cell.reason(ResultReason::InvalidAsynchronousCorrelationValue);
    assert_eq!(cell.kmip.refusal(cell.operation, request), reason);
}

pub(crate) fn poll(cell: &mut Cell) {
    unknown(cell, &ops::poll::Request { asynchronous_correlation_value: Blob::copy_of(&[7; 16]) });
    let Some(correlation) = pending(cell) else { return };
    let request = ops::poll::Request { asynchronous_correlation_value: correlation.clone() };
    let version = cell.version();
    if Operation::Process.known_in(version) {
        let processed = ops::process::Request { asynchronous_correlation_value: correlation };
        cell.kmip.ask::<ops::process::Response>(Operation::Process, &processed);
    }
    let item = cell.kmip.item(Operation::Poll, &request);
    let answer = cell.kmip.exchange(&message(version, header(version), vec![item]));
    let [item] = <[_; 1]>::try_from(answer.items).unwrap();
    assert_eq!(item.operation, Some(RequestedOperation(Operation::Create)));
    assert_eq!(item.result_status, ResultStatus::Success);
    let created: ops::create::Response = decode(item.response_payload.unwrap(), version).unwrap();
    cell.assert_home(&created.unique_identifier);
    unknown(cell, &request);
}

pub(crate) fn cancel(cell: &mut Cell) {
    let absent = ops::cancel::Request { asynchronous_correlation_value: Blob::copy_of(&[7; 16]) };
    if cell.is_v2() {
        unknown(cell, &absent);
    } else {
        let answer: ops::cancel::Response = cell.kmip.ask(Operation::Cancel, &absent);
        assert_eq!(answer.cancellation_result, CancellationResult::Unavailable);
    }
    let Some(correlation) = pending(cell) else { return };
    let request = ops::cancel::Request { asynchronous_correlation_value: correlation.clone() };
    let answer: ops::cancel::Response = cell.kmip.ask(Operation::Cancel, &request);
    assert_eq!(answer.asynchronous_correlation_value, correlation);
    assert_eq!(answer.cancellation_result, CancellationResult::Canceled);
    let poll = ops::poll::Request { asynchronous_correlation_value: correlation };
    let reason = cell.kmip.attempt::<Element>(Operation::Poll, &poll).unwrap_err().reason();
    assert_eq!(reason, ResultReason::InvalidAsynchronousCorrelationValue);
}

pub(crate) fn process(cell: &mut Cell) {
    unknown(cell, &ops::process::Request { asynchronous_correlation_value: Blob::copy_of(&[7; 16]) });
    let Some(correlation) = pending(cell) else { return };
    let request = ops::process::Request { asynchronous_correlation_value: correlation.clone() };
    let answer: ops::process::Response = cell.kmip.ask(Operation::Process, &request);
    assert_eq!(answer.asynchronous_correlation_value, correlation);
    assert_eq!(cell.kmip.refusal(Operation::Process, &request), ResultReason::DuplicateProcessRequest);
}

pub(crate) fn query_asynchronous_requests(cell: &mut Cell) {
    let Some(correlation) = pending(cell) else { return };
    let of = |values: Vec<Blob>| ops::query_asynchronous_requests::Request {
        asynchronous_correlation_values: Some(ops::query_asynchronous_requests::Values { values }),
        operations: None,
    };
    let request = of(vec![correlation.clone()]);
    let ask = |cell: &mut Cell, request: &ops::query_asynchronous_requests::Request| {
        let answer: ops::query_asynchronous_requests::Response =
            cell.kmip.ask(Operation::QueryAsynchronousRequests, request);
        answer.requests.into_iter().map(|request| (request.operation, request.processing_stage)).collect::<Vec<_>>()
    };
    let stage = ask(cell, &request);
    assert_eq!(stage, [(Operation::Create, ProcessingStage::Submitted)]);
    let processed = ops::process::Request { asynchronous_correlation_value: correlation };
    cell.kmip.ask::<ops::process::Response>(Operation::Process, &processed);
    assert_eq!(ask(cell, &request), [(Operation::Create, ProcessingStage::Completed)]);
    assert_eq!(ask(cell, &of(vec![])), []);
}

pub(crate) fn set_endpoint_role(cell: &mut Cell) {
    // What comes after the other role is a test of its own: here the server stays what it is.
    let request = ops::set_endpoint_role::Role { endpoint_role: EndpointRole::Server };
    let answer: ops::set_endpoint_role::Role = cell.kmip.ask(Operation::SetEndpointRole, &request);
    assert_eq!(answer, request);
    cell.key(CryptographicUsageMask::ENCRYPT, vec![]);
}
