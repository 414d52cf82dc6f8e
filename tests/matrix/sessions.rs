//! The operations about who asks, and about what the server gives to all.

use kmip_codec::Value;
use kmip_codec::message::{RequestHeader, ResponseMessage};
use kmip_codec::schema::Encode;
use kmip_codec::spec::{
    BatchErrorContinuationOption, CertificateType, CredentialType, ObjectType, Operation, ResultReason, ResultStatus,
    Tag,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    Attributes, Authentication, Certificate, Constraint, Constraints, Credential, DefaultsInformation, ObjectDefaults,
    ObjectTypes, Operations, Right, Rights, Ticket, TicketCredential,
};
use kmipd::ops;

use crate::cell::{Cell, Provider};
use crate::harness::kmip::{Nothing, create, get, header, item, message, number, payload};

/// A credential with a ticket.
fn credential(cell: &Cell, ticket: &Ticket) -> Credential {
    let value = payload(cell.version(), &TicketCredential { ticket: ticket.clone() });
    Credential::new(CredentialType::Ticket, value.value.elements().to_vec())
}

/// Asks with a ticket.
fn with(cell: &mut Cell, ticket: &Ticket, operation: Operation, request: &impl Encode) -> ResponseMessage {
    let version = cell.version();
    let credentials = vec![credential(cell, ticket)];
    let header = RequestHeader { authentication: Some(Authentication { credentials }), ..header(version) };
    cell.kmip.exchange(&message(version, header, vec![item(version, operation, request)]))
}

/// Asks with a ticket, and expects success or this reason.
#[track_caller]
fn comes_to(
    cell: &mut Cell,
    ticket: &Ticket,
    operation: Operation,
    request: &impl Encode,
    reason: Option<ResultReason>,
) {
    let answer = with(cell, ticket, operation, request);
    assert_eq!(answer.items.len(), 1);
    assert_eq!(answer.items[0].result_reason, reason, "{:?}", answer.items[0].result_message);
    assert_eq!(answer.items[0].operation.map(|operation| operation.0), Some(operation));
    assert_eq!(answer.items[0].result_status == ResultStatus::Success, reason.is_none());
}

fn login_with(cell: &mut Cell, requests: i32) -> Ticket {
    let request = ops::login::Request { lease_time: None, request_count: Some(requests), usage_limits: None };
    cell.kmip.ask::<ops::login::Response>(Operation::Login, &request).ticket
}

fn discover() -> ops::discover_versions::Versions {
    ops::discover_versions::Versions { versions: Vec::new() }
}

pub(crate) fn log(cell: &mut Cell) {
    let request = ops::log::Request { log_message: cell.mark().into() };
    cell.kmip.ask::<ops::log::Response>(Operation::Log, &request);
    let long = ops::log::Request { log_message: "x".repeat(5000).into() };
    assert_eq!(cell.kmip.refusal(Operation::Log, &long), ResultReason::InvalidField);
}

pub(crate) fn ping(cell: &mut Cell) {
    cell.kmip.ask::<ops::ping::Response>(Operation::Ping, &Nothing);
}

pub(crate) fn login(cell: &mut Cell) {
    let ticket = login_with(cell, 2);
    comes_to(cell, &ticket, Operation::DiscoverVersions, &discover(), None);
    comes_to(cell, &ticket, Operation::DiscoverVersions, &discover(), None);
    let exceeded = Some(ResultReason::UsageLimitExceeded);
    comes_to(cell, &ticket, Operation::DiscoverVersions, &discover(), exceeded);
    let wrong = ops::login::Request { lease_time: None, request_count: Some(-1), usage_limits: None };
    assert_eq!(cell.kmip.refusal(Operation::Login, &wrong), ResultReason::InvalidField);
}

pub(crate) fn logout(cell: &mut Cell) {
    let ticket = login_with(cell, 0);
    let request = ops::logout::Request { ticket: ticket.clone() };
    comes_to(cell, &ticket, Operation::Logout, &request, None);
    let invalid = ResultReason::InvalidTicket;
    comes_to(cell, &ticket, Operation::DiscoverVersions, &discover(), Some(invalid));
    assert_eq!(cell.kmip.refusal(Operation::Logout, &request), invalid);
}

pub(crate) fn delegated_login(cell: &mut Cell) {
    let operations = Some(Operations { operations: vec![Operation::DiscoverVersions] });
    let right = Right { usage_limits: None, operations, objects: None, object_groups: None };
    let request = ops::delegated_login::Request {
        lease_time: None,
        request_count: None,
        usage_limits: None,
        rights: Rights { rights: vec![right] },
    };
    let ticket = cell.kmip.ask::<ops::login::Response>(Operation::DelegatedLogin, &request).ticket;
    comes_to(cell, &ticket, Operation::DiscoverVersions, &discover(), None);
    let denied = Some(ResultReason::NotAuthorised);
    comes_to(cell, &ticket, Operation::Create, &create(vec![]), denied);
}

fn attributes(length: i32) -> Attributes {
    Attributes { list: vec![number(Tag::CryptographicLength, length)], ..Attributes::default() }
}

fn symmetric() -> Option<ObjectTypes> {
    Some(ObjectTypes { object_types: vec![ObjectType::SymmetricKey] })
}

pub(crate) fn set_defaults(cell: &mut Cell) {
    let set = |cell: &mut Cell, defaults: Option<DefaultsInformation>| {
        let request = ops::set_defaults::Request { defaults_information: defaults };
        cell.kmip.ask::<ops::set_defaults::Response>(Operation::SetDefaults, &request);
    };
    let defaults = ObjectDefaults {
        object_type: None,
        object_types: symmetric(),
        attributes: attributes(192),
        object_groups: None,
    };
    set(cell, Some(DefaultsInformation { object_defaults: vec![defaults] }));
    let mut request = create(vec![]);
    request.attributes.list.retain(|attribute| attribute.tag != Tag::CryptographicLength);
    let made: ops::create::Response = cell.kmip.ask(Operation::Create, &request);
    assert_eq!(cell.kmip.value(&made.unique_identifier, Tag::CryptographicLength), Value::Integer(192));
    set(cell, None);
}

pub(crate) fn constraints(cell: &mut Cell) {
    let set = |cell: &mut Cell, constraints: Option<Constraints>| {
        let request = ops::set_constraints::Request { constraints };
        cell.kmip.ask::<ops::set_constraints::Response>(Operation::SetConstraints, &request);
    };
    let constraint = Constraint { object_types: symmetric(), object_groups: None, attributes: Some(attributes(192)) };
    let constraints = Constraints { constraints: vec![constraint] };
    set(cell, Some(constraints.clone()));
    let said: ops::get_constraints::Response = cell.kmip.ask(Operation::GetConstraints, &Nothing);
    let violation = cell.kmip.refusal(Operation::Create, &create(vec![number(Tag::CryptographicLength, 128)]));
    let made = cell.kmip.attempt::<ops::create::Response>(
        Operation::Create,
        &create(cell.protected(vec![number(Tag::CryptographicLength, 192)])),
    );
    set(cell, None);
    assert_eq!(said.constraints, Some(constraints));
    assert_eq!(violation, ResultReason::ConstraintViolation);
    assert!(made.is_ok(), "{made:?} with {:?}", Provider::Software);
    let said: ops::get_constraints::Response = cell.kmip.ask(Operation::GetConstraints, &Nothing);
    assert_eq!(said.constraints, None);
}

/// The client of the cells stays who it is: what was made is undone, and then it is as if nobody had asked.
pub(crate) fn re_provision(cell: &mut Cell) {
    let version = cell.version();
    let nothing = ops::re_provision::Request { certificate_request: None, certificate: None };
    let undo =
        RequestHeader { batch_error_continuation_option: Some(BatchErrorContinuationOption::Undo), ..header(version) };
    let items = vec![
        item(version, Operation::ReProvision, &nothing),
        // The private key is one that the client gets, wherever other keys live.
        item(version, Operation::Get, &get(None)),
        item(version, Operation::Get, &get(Some(&"nobody".into()))),
    ];
    let came = cell.kmip.batch(undo, items);
    let reasons: Vec<ResultStatus> = came.iter().map(|came| came.as_ref().unwrap_err().status).collect();
    let [undone, failed] = [ResultStatus::OperationUndone, ResultStatus::OperationFailed];
    assert_eq!(reasons, [undone, undone, failed], "{came:?}");
    let certificate_value = Blob::new(b"no certificate".to_vec());
    let certificate = Some(Certificate { certificate_type: CertificateType::X509, certificate_value });
    let wrong = ops::re_provision::Request { certificate_request: None, certificate };
    assert_eq!(cell.kmip.refusal(Operation::ReProvision, &wrong), ResultReason::PermissionDenied);
}
