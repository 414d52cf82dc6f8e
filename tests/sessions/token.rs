//! Clients to whom the server is a PKCS #11 token.

use kmip_codec::spec::{InteropFunction, Operation, Pkcs11Function as Function, ResultReason, Version};
use kmipd::ops;

use crate::harness::token::{Token, p};
use crate::harness::{Kmip, Kmipd};

const V: Version = Version::V2_1;
const GONE: ResultReason = ResultReason::InvalidAsynchronousCorrelationValue;

#[test]
fn an_instance_outlives_its_connection_and_is_its_owners() {
    let kmipd = Kmipd::dev();
    let token = Token::initialise(&mut kmipd.kmip(V));
    let session = token.session(&mut kmipd.kmip(Version::V2_0));
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), V);
    assert_eq!(token.refusal(&mut other, Function::GetSessionInfo, p().ulong(session)), GONE);
    assert_eq!(token.refusal(&mut other, Function::Finalize, p()), GONE);
    token.ask(&mut kmipd.kmip(V), Function::GetSessionInfo, p().ulong(session));
}

#[test]
fn reset_drops_instances_and_operations_in_parts() {
    let kmipd = Kmipd::dev_with(&["--conformance"]);
    let mut kmip = kmipd.kmip(V);
    let token = Token::initialise(&mut kmip);
    let parameters = kmip_codec::types::CryptographicParameters {
        hashing_algorithm: Some(kmip_codec::spec::HashingAlgorithm::SHA256),
        ..Default::default()
    };
    let mut hash = ops::hash::Request {
        cryptographic_parameters: parameters,
        data: Some(ops::data::Data::Bytes(kmip_codec::ttlv::Blob::copy_of(b"abc"))),
        correlation_value: None,
        init_indicator: Some(true),
        final_indicator: None,
    };
    let begun: ops::hash::Response = kmip.ask(Operation::Hash, &hash);
    (hash.correlation_value, hash.init_indicator) = (begun.correlation_value, None);
    let _: ops::hash::Response = kmip.ask(Operation::Hash, &hash);
    let reset = ops::interop::Request { function: InteropFunction::Reset, identifier: "a test".into() };
    let _: ops::interop::Response = kmip.ask(Operation::Interop, &reset);
    assert_eq!(kmip.refusal(Operation::Hash, &hash), ResultReason::InvalidCorrelationValue);
    assert_eq!(token.refusal(&mut kmip, Function::GetInfo, p()), GONE);
}
