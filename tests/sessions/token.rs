//! Clients to whom the server is a PKCS #11 token.

use kmip_codec::spec::{
    InteropFunction, Operation, Pkcs11Function as Function, Pkcs11ReturnCode as Code, ResultReason,
    RevocationReasonCode, State, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{Operations, Right, Rights};
use kmipd::ops;
use kmipd::ops::pkcs11::codec::Writer;

use crate::common;
use crate::harness::kmip::name;
use crate::harness::token::{Token, p, ulong};
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

/// A template of these attributes behind what was written.
fn template(out: Writer, attributes: &[(u64, Writer)]) -> Writer {
    let with = |out: Writer, (kind, value): &(u64, Writer)| out.ulong(*kind).flag(true).flag(true).raw(value.written());
    attributes.iter().fold(out.count(attributes.len()), with)
}

/// A new AES key that stays: CKM_AES_KEY_GEN with CKA_TOKEN, CKA_VALUE_LEN and CKA_LABEL.
fn generated(token: &Token, kmip: &mut Kmip, session: u64, label: &str) -> u64 {
    let attributes = [(1, p().flag(true)), (0x161, p().ulong(32)), (3, p().bytes(label.as_bytes()))];
    let made = template(p().ulong(session).ulong(0x1080).flag(false), &attributes);
    ulong(&token.ask(kmip, Function::GenerateKey, made))
}

fn found(token: &Token, kmip: &mut Kmip, session: u64, label: &str) -> Vec<u64> {
    let search = template(p().ulong(session), &[(3, p().bytes(label.as_bytes()))]);
    token.ask(kmip, Function::FindObjectsInit, search);
    let found = token.ask(kmip, Function::FindObjects, p().ulong(session).count(9));
    token.ask(kmip, Function::FindObjectsFinal, p().ulong(session));
    found[4..].chunks(8).map(ulong).collect()
}

#[test]
fn what_the_token_makes_is_there_for_the_protocol_and_for_nobody_else() {
    let mut kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let token = Token::initialise(&mut kmip);
    let session = token.session(&mut kmip);
    let key = generated(&token, &mut kmip, session, "from the token");
    let located = kmip.locate(vec![name("from the token")]);
    assert_eq!(located.len(), 1);
    assert_eq!(kmip.state(&located[0]), State::Active);
    // Another client sees no such object, neither by its label nor by its handle.
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), V);
    let others = Token::initialise(&mut other);
    let own = others.session(&mut other);
    assert!(found(&others, &mut other, own, "from the token").is_empty());
    let init = |session| p().ulong(session).ulong(0x1081).flag(false).ulong(key);
    others.comes_to(&mut other, Code::KeyHandleInvalid, Function::EncryptInit, init(own));
    others.comes_to(&mut other, Code::ObjectHandleInvalid, Function::DestroyObject, p().ulong(own).ulong(key));
    // A key that the protocol revokes is of no use to what the token has begun.
    token.ask(&mut kmip, Function::EncryptInit, init(session));
    let part = || p().ulong(session).bytes(&[7; 16]).flag(true).count(99);
    token.ask(&mut kmip, Function::EncryptUpdate, part());
    kmip.revoke(&located[0], RevocationReasonCode::CessationOfOperation);
    token.comes_to(&mut kmip, Code::KeyFunctionNotPermitted, Function::EncryptUpdate, part());
    token.comes_to(&mut kmip, Code::OperationNotInitialized, Function::EncryptFinal, p().ulong(session).flag(false));
    // Instances are not stored, objects are. A session object that was left is cleared away with the next instance.
    let left = template(p().ulong(session).ulong(0x1080).flag(false), &[(0x161, p().ulong(16))]);
    token.ask(&mut kmip, Function::GenerateKey, left);
    assert_eq!(kmip.locate(vec![]).len(), 2);
    assert!(kmipd.terminate().success());
    kmipd.restart();
    let mut kmip = kmipd.kmip(V);
    assert_eq!(token.refusal(&mut kmip, Function::GetInfo, p()), GONE);
    let token = Token::initialise(&mut kmip);
    assert_eq!(kmip.locate(vec![]), located);
    let session = token.session(&mut kmip);
    assert_eq!(found(&token, &mut kmip, session, "from the token"), [key]);
}

#[test]
fn a_ticket_has_the_right_to_what_a_function_does() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(V);
    let owner = Token::initialise(&mut kmip);
    let session = owner.session(&mut kmip);
    let key = generated(&owner, &mut kmip, session, "a key");
    let mut with = |operations: &[Operation]| {
        let operations = Some(Operations { operations: operations.to_vec() });
        let right = Right { usage_limits: None, operations, objects: None, object_groups: None };
        let request = ops::delegated_login::Request {
            lease_time: None,
            request_count: None,
            usage_limits: None,
            rights: Rights { rights: vec![right] },
        };
        let ticket = kmip.ask::<ops::login::Response>(Operation::DelegatedLogin, &request).ticket;
        let credentials = vec![common::ticket(V, &ticket)];
        let request = ops::pkcs11::Request {
            interface: None,
            function: ops::pkcs11::Called::Standard(Function::EncryptInit),
            correlation_value: Some(owner.correlation.clone()),
            input_parameters: Some(Blob::new(p().ulong(session).ulong(0x1081).flag(false).ulong(key).finish())),
        };
        let answer = common::attempt::<ops::pkcs11::Response>(&mut kmip, credentials, Operation::Pkcs11, &request);
        answer.map(|answer| answer.return_code)
    };
    assert_eq!(with(&[Operation::Encrypt]), Err(ResultReason::NotAuthorised));
    assert_eq!(with(&[Operation::Pkcs11]), Ok(Code::FunctionRejected));
    assert_eq!(with(&[Operation::Pkcs11, Operation::Encrypt]), Ok(Code::Ok));
}

/// Many connections of one client call under one Correlation Value: none sees another's half of a step.
#[test]
fn calls_at_the_same_time_are_done_or_put_off() {
    let kmipd = Kmipd::dev();
    let token = Token::initialise(&mut kmipd.kmip(V));
    let opened: Vec<u64> = std::thread::scope(|scope| {
        let calling: Vec<_> = (0..4)
            .map(|_| {
                scope.spawn(|| {
                    let mut kmip = kmipd.kmip(V);
                    let open = || p().ulong(1).ulong(4);
                    let mut opened = Vec::new();
                    while opened.len() < 5 {
                        match token.attempt(&mut kmip, Function::OpenSession, open()) {
                            (Code::Ok, output) => opened.push(ulong(&output)),
                            (code, _) => assert_eq!(code, Code::FunctionFailed),
                        }
                    }
                    opened
                })
            })
            .collect();
        calling.into_iter().flat_map(|calling| calling.join().unwrap()).collect()
    });
    let mut handles = opened;
    handles.sort_unstable();
    assert_eq!(handles, (1..=20).collect::<Vec<u64>>());
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
