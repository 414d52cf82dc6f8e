//! Attestation: who must show what runs on its machine gets at nothing without it.

use std::fs;
use std::path::Path;

use aws_lc_rs::digest::{SHA256, digest};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair};
use kmip_codec::message::{Asynchronous, RequestHeader, ResponseMessage};
use kmip_codec::schema::decode;
use kmip_codec::spec::{
    AsynchronousIndicator, AttestationType, BatchErrorContinuationOption, CredentialType, Operation, Pkcs11Function,
    QueryFunction, ResultReason, ResultStatus, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{AttestationCredential, Authentication, Credential, Nonce};
use kmipd::ops;
use rustls::pki_types::PrivatePkcs8KeyDer;
use rustls::pki_types::pem::PemObject;

use crate::common::credential;
use crate::harness::kmip::{create, get, header, item, message};
use crate::harness::token::{Token, p, ulong};
use crate::harness::{Kmip, Kmipd, openssl, served};

const VERSIONS: [Version; 4] = [Version::V1_2, Version::V1_4, Version::V2_0, Version::V2_1];

/// A TPM as far as its quotes go: a key, and register 7.
struct Tpm {
    key: EcdsaKeyPair,
    seven: [u8; 32],
}

impl Tpm {
    /// Its key is made in the folder, as `name`.key and `name`.pem.
    fn new(folder: &Path, name: &str) -> Self {
        openssl(folder, &format!("genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out {name}.key"));
        openssl(folder, &format!("pkey -in {name}.key -pubout -out {name}.pem"));
        let pem = fs::read(folder.join(format!("{name}.key"))).unwrap();
        let der = PrivatePkcs8KeyDer::from_pem_slice(&pem).unwrap();
        let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der()).unwrap();
        Self { key, seven: [7; 32] }
    }

    /// What `TPM2_Quote` answers.
    fn quote(&self, qualifying: &[u8]) -> Vec<u8> {
        let sized = |bytes: &[u8]| [&u16::try_from(bytes.len()).unwrap().to_be_bytes()[..], bytes].concat();
        let attest = [
            &[0xFF, 0x54, 0x43, 0x47, 0x80, 0x18][..],
            &sized(&[0x0B; 34]),
            &sized(qualifying),
            &[0; 25],
            &[0, 0, 0, 1, 0, 0x0B, 3, 0x80, 0, 0],
            &sized(digest(&SHA256, &self.seven).as_ref()),
        ]
        .concat();
        let signature = self.key.sign(&SystemRandom::new(), &attest).unwrap();
        let (r, s) = signature.as_ref().split_at(32);
        [&sized(&attest)[..], &[0, 0x18, 0, 0x0B], &sized(r), &sized(s)].concat()
    }
}

/// A server where Get needs a quote, and a TPM is known beside "client".
fn server(folder: &Path, more: &str) -> (Kmipd, Tpm) {
    let tpm = Tpm::new(folder, "ak");
    let more = format!(
        "[attestation]\noperations = [\"Get\"]\n{more}\n[[tpm]]\nname = \"host\"\nkey = \"ak.pem\"\n\
         identities = [\"client\"]\nregisters = [{{ sha256 = {{ 7 = \"{}\" }} }}]\n",
        "07".repeat(32)
    );
    (Kmipd::serve(&served(folder, &more)), tpm)
}

/// Sends one Get.
fn ask(kmip: &mut Kmip, key: &Text, capable: Option<bool>, credentials: Vec<Credential>) -> ResponseMessage {
    let version = kmip.version;
    let authentication = (!credentials.is_empty()).then_some(Authentication { credentials });
    let header = RequestHeader { authentication, attestation_capable_indicator: capable, ..header(version) };
    kmip.exchange(&message(version, header, vec![item(version, Operation::Get, &get(Some(key)))]))
}

fn attestation(nonce: Nonce, measurement: Vec<u8>) -> AttestationCredential {
    AttestationCredential {
        nonce,
        attestation_type: AttestationType::TPMQuote,
        attestation_measurement: Some(Blob::new(measurement)),
        attestation_assertion: None,
    }
}

fn shown(version: Version, given: &AttestationCredential) -> Vec<Credential> {
    vec![credential(version, CredentialType::Attestation, given)]
}

/// The nonce that the answer asks to attest with.
#[track_caller]
fn invited(answer: &ResponseMessage, reason: ResultReason) -> Nonce {
    assert_eq!(answer.items[0].result_reason, Some(reason), "{:?}", answer.items[0].result_message);
    assert_eq!(answer.header.attestation_type, [AttestationType::TPMQuote]);
    answer.header.nonce.clone().unwrap()
}

/// Refused, and not invited.
#[track_caller]
fn refused(answer: &ResponseMessage, reason: ResultReason) {
    assert_eq!(answer.items[0].result_reason, Some(reason), "{:?}", answer.items[0].result_message);
    assert_eq!((&answer.header.nonce, answer.header.attestation_type.len()), (&None, 0));
}

#[track_caller]
fn done(answer: &ResponseMessage) {
    assert_eq!(answer.items[0].result_status, ResultStatus::Success, "{:?}", answer.items[0].result_message);
    assert_eq!((&answer.header.nonce, answer.header.attestation_type.len()), (&None, 0));
}

#[test]
fn a_client_attests_itself_with_a_nonce_that_is_good_once() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, tpm) = server(folder.path(), "");
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        // What requires nothing is done without.
        let key = kmip.create(Vec::new());
        refused(&ask(&mut kmip, &key, None, vec![]), ResultReason::PermissionDenied);
        refused(&ask(&mut kmip, &key, Some(false), vec![]), ResultReason::PermissionDenied);
        let nonce = invited(&ask(&mut kmip, &key, Some(true), vec![]), ResultReason::AttestationRequired);
        assert!(nonce.nonce_value.len() >= 16);
        let right = shown(version, &attestation(nonce.clone(), tpm.quote(&nonce.nonce_value)));
        done(&ask(&mut kmip, &key, Some(true), right.clone()));
        // The same again; and what is invited with this answer is as good.
        let again = ask(&mut kmip, &key, Some(true), right);
        let next = invited(&again, ResultReason::AttestationFailed);
        let right = shown(version, &attestation(next.clone(), tpm.quote(&next.nonce_value)));
        // Who has attested itself need not say that it can.
        done(&ask(&mut kmip, &key, None, right));
    }
    // A version that knows nothing of it.
    let mut kmip = kmipd.kmip(Version::V1_1);
    let key = kmip.create(Vec::new());
    refused(&ask(&mut kmip, &key, None, vec![]), ResultReason::PermissionDenied);
}

#[test]
fn what_is_wrong_with_an_attestation_fails_it() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, tpm) = server(folder.path(), "");
    let stranger = Tpm::new(folder.path(), "stranger");
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), version);
    let (key, others) = (kmip.create(Vec::new()), other.create(Vec::new()));
    let mut tries = 0;
    let mut attempt = |change: &dyn Fn(&mut AttestationCredential), reason| {
        let nonce = invited(&ask(&mut kmip, &key, Some(true), vec![]), ResultReason::AttestationRequired);
        let quote = tpm.quote(&nonce.nonce_value);
        let mut given = attestation(nonce.clone(), quote.clone());
        change(&mut given);
        let answer = ask(&mut kmip, &key, Some(true), shown(version, &given));
        assert_eq!(answer.items[0].result_reason, Some(reason), "try {tries}: {:?}", answer.items[0].result_message);
        tries += 1;
    };
    let failed = ResultReason::AttestationFailed;
    // Another key, other registers, another nonce, bytes that are none, no bytes.
    attempt(&|given| given.attestation_measurement = Some(Blob::new(stranger.quote(&given.nonce.nonce_value))), failed);
    attempt(&|given| given.attestation_measurement = Some(Blob::new(tpm.quote(&given.nonce.nonce_id))), failed);
    attempt(&|given| given.attestation_measurement = Some(Blob::new(vec![0; 200])), failed);
    attempt(&|given| given.attestation_measurement = None, failed);
    attempt(&|given| given.nonce.nonce_id = Blob::new(vec![0; 16]), failed);
    attempt(
        &|given| {
            given.nonce.nonce_value = Blob::new(vec![0; 32]);
            given.attestation_measurement = Some(Blob::new(tpm.quote(&[0; 32])));
        },
        failed,
    );
    // What is not verified is not taken for granted.
    let unsupported = ResultReason::FeatureNotSupported;
    attempt(&|given| given.attestation_type = AttestationType::TCGIntegrityReport, unsupported);
    attempt(&|given| given.attestation_type = AttestationType::SAMLAssertion, unsupported);
    attempt(&|given| given.attestation_assertion = Some(Blob::new(vec![1])), unsupported);
    // Registers that are not the expected ones.
    let changed = Tpm { seven: [8; 32], ..tpm };
    let nonce = invited(&ask(&mut kmip, &key, Some(true), vec![]), ResultReason::AttestationRequired);
    let given = attestation(nonce.clone(), changed.quote(&nonce.nonce_value));
    let answer = ask(&mut kmip, &key, Some(true), shown(version, &given));
    assert!(answer.items[0].result_message.as_ref().unwrap().contains("registers"), "{answer:?}");
    // Another client: neither with this one's nonce nor with a quote of this one's TPM.
    let nonce = invited(&ask(&mut kmip, &key, Some(true), vec![]), ResultReason::AttestationRequired);
    let given = attestation(nonce.clone(), changed.quote(&nonce.nonce_value));
    let answer = ask(&mut other, &others, Some(true), shown(version, &given));
    invited(&answer, failed);
    let nonce = invited(&ask(&mut other, &others, Some(true), vec![]), ResultReason::AttestationRequired);
    let given = attestation(nonce.clone(), changed.quote(&nonce.nonce_value));
    let answer = ask(&mut other, &others, Some(true), shown(version, &given));
    assert!(answer.items[0].result_message.as_ref().unwrap().contains("no TPM that is known for this client"));
}

#[test]
fn a_wrong_attestation_fails_what_would_not_need_one() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, tpm) = server(folder.path(), "");
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let none = Nonce { nonce_id: Blob::new(vec![0; 16]), nonce_value: Blob::new(vec![0; 32]) };
    let wrong = attestation(none, tpm.quote(&[0; 32]));
    let authentication = Some(Authentication { credentials: shown(version, &wrong) });
    let header = RequestHeader { authentication, ..header(version) };
    let query = ops::query::Request { functions: vec![QueryFunction::QueryOperations], object_groups: None };
    let answer = kmip.exchange(&message(version, header, vec![item(version, Operation::Query, &query)]));
    // All credentials must be satisfied (KMIP 2.1 §9.4).
    refused(&answer, ResultReason::AttestationFailed);
}

#[test]
fn an_item_that_needs_it_fails_by_itself() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, tpm) = server(folder.path(), "");
    for version in VERSIONS {
        let mut kmip = kmipd.kmip(version);
        let key = kmip.create(Vec::new());
        let items = || {
            vec![
                item(version, Operation::Create, &create(Vec::new())),
                item(version, Operation::Get, &get(Some(&key))),
                item(version, Operation::Create, &create(Vec::new())),
            ]
        };
        let with = |authentication| RequestHeader {
            authentication,
            attestation_capable_indicator: Some(true),
            batch_error_continuation_option: Some(BatchErrorContinuationOption::Continue),
            batch_order_option: Some(true),
            ..header(version)
        };
        let answer = kmip.exchange(&message(version, with(None), items()));
        let reasons: Vec<Option<ResultReason>> = answer.items.iter().map(|item| item.result_reason).collect();
        assert_eq!(reasons, [None, Some(ResultReason::AttestationRequired), None]);
        let nonce = answer.header.nonce.unwrap();
        let given = attestation(nonce.clone(), tpm.quote(&nonce.nonce_value));
        let authentication = Some(Authentication { credentials: shown(version, &given) });
        let answer = kmip.exchange(&message(version, with(authentication), items()));
        assert!(answer.items.iter().all(|item| item.result_status == ResultStatus::Success), "{answer:?}");
    }
}

/// A function of PKCS #11 that does what Get does needs what Get needs.
#[test]
fn nothing_is_got_by_another_operation_without_it() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, _) = server(folder.path(), "");
    let mut kmip = kmipd.kmip(Version::V2_1);
    let token = Token::initialise(&mut kmip);
    let session = token.session(&mut kmip);
    // C_CreateObject of a data object (CKA_VALUE), which needs none; and its CKA_VALUE.
    let data = p().ulong(session).count(3).ulong(0).flag(true).flag(true).ulong(0);
    let data = data.ulong(1).flag(true).flag(true).flag(true).ulong(0x11).flag(true).flag(true).bytes(b"anything");
    let handle = ulong(&token.ask(&mut kmip, Pkcs11Function::CreateObject, data));
    let asked = || p().ulong(session).ulong(handle).count(1).ulong(0x11).flag(false).flag(true).count(99);
    let refused = |indicator: Option<bool>, kmip: &mut Kmip| {
        let header = RequestHeader { attestation_capable_indicator: indicator, ..header(Version::V2_1) };
        let request = token.request(Pkcs11Function::GetAttributeValue, asked());
        let answer = kmip.exchange(&message(Version::V2_1, header, vec![kmip.item(Operation::Pkcs11, &request)]));
        answer.items[0].result_reason
    };
    assert_eq!(refused(Some(true), &mut kmip), Some(ResultReason::AttestationRequired));
    // Who is not able to attest itself is told so by the return code.
    assert_eq!(refused(Some(false), &mut kmip), None);
    // Nor is it put off to a time when nobody asks for it.
    let header = RequestHeader {
        asynchronous_indicator: Some(Asynchronous(AsynchronousIndicator::Mandatory)),
        ..header(Version::V2_1)
    };
    let request = token.request(Pkcs11Function::GetAttributeValue, asked());
    let answer = kmip.exchange(&message(Version::V2_1, header, vec![kmip.item(Operation::Pkcs11, &request)]));
    assert_eq!(answer.items[0].result_status, ResultStatus::OperationFailed);
}

#[test]
fn what_is_answered_later_was_asked_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, tpm) = server(folder.path(), "");
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let key = kmip.create(Vec::new());
    let later = |kmip: &mut Kmip, credentials: Vec<Credential>| {
        let header = RequestHeader {
            authentication: (!credentials.is_empty()).then_some(Authentication { credentials }),
            attestation_capable_indicator: Some(true),
            asynchronous_indicator: Some(Asynchronous(AsynchronousIndicator::Mandatory)),
            ..header(version)
        };
        kmip.exchange(&message(version, header, vec![item(version, Operation::Get, &get(Some(&key)))]))
    };
    let nonce = invited(&later(&mut kmip, vec![]), ResultReason::AttestationRequired);
    let given = attestation(nonce.clone(), tpm.quote(&nonce.nonce_value));
    let pending = later(&mut kmip, shown(version, &given));
    assert_eq!(pending.items[0].result_status, ResultStatus::OperationPending);
    let correlation = pending.items[0].asynchronous_correlation_value.clone().unwrap();
    let process = ops::process::Request { asynchronous_correlation_value: correlation.clone() };
    kmip.ask::<ops::process::Response>(Operation::Process, &process);
    let poll = ops::poll::Request { asynchronous_correlation_value: correlation };
    let answer = kmip.exchange(&message(version, header(version), vec![item(version, Operation::Poll, &poll)]));
    assert_eq!(answer.items[0].result_status, ResultStatus::Success, "{answer:?}");
}

#[test]
fn the_server_says_what_it_verifies_and_of_whom_it_asks_it() {
    let folder = tempfile::tempdir().unwrap();
    let (kmipd, _) = server(folder.path(), "identities = [\"other\", \"user:alice\"]");
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    // Nothing is required of this one.
    let key = kmip.create(Vec::new());
    done(&ask(&mut kmip, &key, None, vec![]));
    let mut other = Kmip::new(kmipd.client_named("other").connect().unwrap(), version);
    let others = other.create(Vec::new());
    refused(&ask(&mut other, &others, None, vec![]), ResultReason::PermissionDenied);
    let functions = vec![QueryFunction::QueryAttestationTypes, QueryFunction::QueryCapabilities];
    let query = ops::query::Request { functions, object_groups: None };
    let query = message(version, header(version), vec![item(version, Operation::Query, &query)]);
    let said = |kmip: &mut Kmip| {
        let answer = kmip.exchange(&query).items.remove(0).response_payload.unwrap();
        let answer: ops::query::Response = decode(answer, version).unwrap();
        (answer.attestation_types, answer.capabilities[0].attestation)
    };
    assert_eq!(said(&mut kmip), (vec![AttestationType::TPMQuote], Some(true)));
    let bare = Kmipd::dev();
    assert_eq!(said(&mut bare.kmip(version)), (vec![], Some(false)));
}
