//! Re-Provision: a client gets another certificate, and nobody gets another client's.

use std::fs;
use std::path::Path;

use kmip_codec::message::{Asynchronous, RequestHeader};
use kmip_codec::schema::decode;
use kmip_codec::spec::{
    AsynchronousIndicator, BatchErrorContinuationOption, CertificateRequestType, CertificateType, KeyFormatType,
    ObjectType, Operation, ResultReason, ResultStatus, RevocationReasonCode, State, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Certificate, CertificateRequest, Credential, KeyValue, Object};
use kmip_codec::{Element, Value};
use kmipd::crypto::keyformat;
use kmipd::ops;
use kmipd_certs::{Authority, Issued};
use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use crate::common::attempt;
use crate::harness::kmip::{Came, came, enumeration, get, header, identifier, item, locate, message, number};
use crate::harness::{Client, Kmip, Kmipd, openssl, served};

type Request = ops::re_provision::Request;

const REPLACED: ResultReason = ResultReason::AuthenticationNotSuccessful;
const DENIED: ResultReason = ResultReason::PermissionDenied;

fn der(pem: &str) -> Vec<u8> {
    CertificateDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec()
}

/// With a certificate that the client has got from elsewhere.
fn brings(issued: &Issued) -> Request {
    let certificate_value = Blob::new(der(&issued.cert_pem));
    let certificate = Certificate { certificate_type: CertificateType::X509, certificate_value };
    Request { certificate_request: None, certificate: Some(certificate) }
}

/// With a certificate request.
fn asks(pem: &str) -> Request {
    let request = CertificateRequest {
        certificate_request_type: CertificateRequestType::PEM,
        certificate_request_value: Blob::new(pem.as_bytes().to_vec()),
    };
    let request = kmipd::view::value_of(&request, Tag::CertificateRequest).unwrap();
    Request { certificate_request: Some(Element::new(Tag::CertificateRequest, request)), certificate: None }
}

/// With nothing.
fn nothing() -> Request {
    Request { certificate_request: None, certificate: None }
}

/// Makes a key, and a certificate request with it: name.key, and the answer.
fn request(folder: &Path, name: &str, more: &str) -> String {
    openssl(folder, &format!("req -new -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout {name}.key {more}"))
}

fn replace(kmip: &mut Kmip, request: &Request) -> Result<Text, ResultReason> {
    let answer = kmip.attempt::<ops::re_provision::Response>(Operation::ReProvision, request);
    answer.map(|response| response.unique_identifier).map_err(|refused| refused.reason())
}

/// Whether a client is let in as somebody who has this key.
#[track_caller]
fn has(client: &Client, key: &Text) {
    let mut kmip = Kmip::new(client.connect().unwrap(), Version::V2_1);
    assert_eq!(kmip.get(key).object_type(), ObjectType::SymmetricKey);
}

/// A client whose certificate was replaced gets one answer, and the connection ends.
#[track_caller]
fn is_refused(mut kmip: Kmip, key: &Text) {
    assert_eq!(kmip.refusal(Operation::Get, &get(Some(key))), REPLACED);
    assert!(kmip.wire.ask(&message(kmip.version, header(kmip.version), vec![]).write()).is_err());
}

#[test]
fn what_was_replaced_is_refused_at_once_on_every_connection_and_for_good() {
    let mut kmipd = Kmipd::dev();
    let version = Version::V2_1;
    let (mut first, mut second) = (kmipd.kmip(version), kmipd.kmip(version));
    let key = first.create(vec![]);
    assert_eq!(second.get(&key).object_type(), ObjectType::SymmetricKey);
    let issued = kmipd.authority().issue_client("client").unwrap();
    let kept = replace(&mut first, &brings(&issued)).unwrap();
    // The connection that it was asked on, one that was open, a new handshake, and a resumed one.
    let old = kmipd.client();
    is_refused(first, &key);
    is_refused(second, &key);
    is_refused(Kmip::new(old.connect().unwrap(), version), &key);
    is_refused(Kmip::new(old.connect().unwrap(), version), &key);
    let new = kmipd.client_with(&issued);
    has(&new, &key);
    let mut kmip = Kmip::new(new.connect().unwrap(), version);
    match kmip.get(&kept) {
        Object::Certificate(certificate) => assert_eq!(*certificate.certificate_value, *der(&issued.cert_pem)),
        other => panic!("{other:?}"),
    }
    assert_eq!(kmip.state(&kept), State::Active);
    let log = kmipd.wait_for("the client's certificate is replaced");
    assert!(log.contains(&kmipd::trust::identity::Fingerprint::of(&der(&issued.cert_pem)).to_string()), "{log}");
    // There is no way back.
    let before = fs::read_to_string(kmipd.dir.join("client.pem")).unwrap();
    let back = Issued { cert_pem: before, key_pem: String::new().into() };
    assert_eq!(replace(&mut kmip, &brings(&back)), Err(DENIED));
    kmipd.kill();
    kmipd.restart();
    is_refused(kmipd.kmip(version), &key);
    has(&kmipd.client_with(&issued), &key);
}

#[test]
fn a_certificate_request_gets_the_names_of_the_one_who_asks() {
    let kmipd = Kmipd::dev();
    let folder = tempfile::tempdir().unwrap();
    for version in [Version::V2_0, Version::V2_1] {
        let client = format!("client of {version}");
        let mut kmip = Kmip::new(kmipd.client_named(&client).connect().unwrap(), version);
        let key = kmip.create(vec![]);
        // Names of somebody else, by subject and beside it.
        for more in ["-subj /CN=other", "-subj /O=x/CN=client", "-subj / -addext subjectAltName=DNS:other"] {
            assert_eq!(replace(&mut kmip, &asks(&request(folder.path(), "wrong", more))), Err(DENIED), "{more}");
        }
        let right = folder.path().join("right.cnf");
        fs::write(&right, format!("[req]\nprompt = no\ndistinguished_name = dn\n[dn]\nCN = {client}\n")).unwrap();
        let ca = "-config right.cnf -addext basicConstraints=CA:TRUE";
        assert_eq!(replace(&mut kmip, &asks(&request(folder.path(), "wrong", ca))), Err(DENIED));
        let server = "-config right.cnf -addext extendedKeyUsage=serverAuth";
        assert_eq!(replace(&mut kmip, &asks(&request(folder.path(), "wrong", server))), Err(DENIED));
        let pem = request(folder.path(), "new", "-config right.cnf");
        // A request that is none, and one that its key has not signed.
        assert_eq!(replace(&mut kmip, &asks("nothing")), Err(ResultReason::InvalidField));
        let bytes = rustls::pki_types::CertificateSigningRequestDer::from_pem_slice(pem.as_bytes()).unwrap().to_vec();
        let as_bytes = |bytes: Vec<u8>| Request {
            certificate_request: Some(Element::new(Tag::CertificateRequest, Value::ByteString(Blob::new(bytes)))),
            certificate: None,
        };
        let mut broken = bytes.clone();
        *broken.last_mut().unwrap() ^= 1;
        assert_eq!(replace(&mut kmip, &as_bytes(broken)), Err(ResultReason::InvalidField));
        // The bytes alone, as the tag had them once, are as good as the object. The certificate is got in the same message.
        let items =
            vec![item(version, Operation::ReProvision, &as_bytes(bytes)), item(version, Operation::Get, &get(None))];
        let came = kmip.items(items);
        let got: ops::get::Response = decode(came[1].clone().unwrap(), version).unwrap();
        assert_eq!(got.unique_identifier, identifier(&came[0]));
        let Object::Certificate(certificate) = got.object else { panic!("no certificate") };
        assert_eq!(replace(&mut kmip, &nothing()), Err(REPLACED));
        let cert_pem = pem_of(&certificate.certificate_value);
        let key_pem = fs::read_to_string(folder.path().join("new.key")).unwrap();
        has(&kmipd.client_with(&Issued { cert_pem, key_pem: key_pem.into() }), &key);
    }
}

fn pem_of(der: &[u8]) -> String {
    use x509_cert::der::{Decode, EncodePem};
    x509_cert::Certificate::from_der(der).unwrap().to_pem(x509_cert::der::pem::LineEnding::LF).unwrap()
}

/// A message that has the server make key and certificate, and gets both.
fn made(version: Version) -> Vec<kmip_codec::message::RequestBatchItem> {
    let mut newest = locate(vec![enumeration(Tag::ObjectType, ObjectType::Certificate)]);
    newest.maximum_items = Some(1);
    let private = ops::get::Request { key_format_type: Some(KeyFormatType::Pkcs8), ..get(None) };
    vec![
        item(version, Operation::ReProvision, &nothing()),
        item(version, Operation::Get, &private),
        item(version, Operation::Locate, &newest),
        item(version, Operation::Get, &get(None)),
    ]
}

fn object_of(came: &Came, version: Version) -> Object {
    decode::<ops::get::Response>(came.clone().unwrap(), version).unwrap().object
}

#[test]
fn the_server_makes_key_and_certificate() {
    let kmipd = Kmipd::dev();
    for version in [Version::V2_0, Version::V2_1] {
        let mut kmip = Kmip::new(kmipd.client_named("carol").connect().unwrap(), version);
        let key = kmip.create(vec![]);
        let came = kmip.items(made(version));
        assert!(came.iter().all(Result::is_ok), "{came:?} {}", kmipd.log());
        let Object::PrivateKey(block) = object_of(&came[1], version) else { panic!("no private key: {came:?}") };
        let Some(KeyValue::Plain { material, .. }) = block.key_value else { panic!("no value") };
        let Object::Certificate(certificate) = object_of(&came[3], version) else { panic!("no certificate") };
        is_refused(kmip, &key);
        let pkcs8 = material_bytes(&material);
        assert!(keyformat::identify_private(&pkcs8).is_ok());
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("key.der"), &pkcs8).unwrap();
        let key_pem = openssl(folder.path(), "pkey -inform DER -in key.der");
        let cert_pem = pem_of(&certificate.certificate_value);
        let client = kmipd.client_with(&Issued { cert_pem, key_pem: key_pem.into() });
        has(&client, &key);
        let mut kmip = Kmip::new(client.connect().unwrap(), version);
        let private = identifier(&came[0]);
        assert_eq!(kmip.state(&private), State::Active);
        assert_eq!(kmip.value(&private, Tag::ObjectType), Value::Enumeration(ObjectType::PrivateKey.into()));
    }
}

fn material_bytes(material: &kmip_codec::types::KeyMaterial) -> Vec<u8> {
    match material {
        kmip_codec::types::KeyMaterial::Bytes(bytes) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_certificate_must_be_one_of_the_same_client_that_the_listener_lets_in() {
    let kmipd = Kmipd::dev();
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let authority = kmipd.authority();
    assert_eq!(replace(&mut kmip, &brings(&authority.issue_client("other").unwrap())), Err(DENIED));
    assert_eq!(replace(&mut kmip, &brings(&Authority::new().unwrap().issue_client("client").unwrap())), Err(DENIED));
    assert_eq!(replace(&mut kmip, &brings(&authority.issue_server(&["client"]).unwrap())), Err(DENIED));
    let own = fs::read_to_string(kmipd.dir.join("client.pem")).unwrap();
    let own = Issued { cert_pem: own, key_pem: String::new().into() };
    assert_eq!(replace(&mut kmip, &brings(&own)), Err(ResultReason::InvalidField));
    let mut both = brings(&authority.issue_client("client").unwrap());
    both.certificate_request = asks("x").certificate_request;
    assert_eq!(replace(&mut kmip, &both), Err(ResultReason::InvalidField));
    let mut pgp = brings(&own);
    pgp.certificate.as_mut().unwrap().certificate_type = CertificateType::PGP;
    assert_eq!(replace(&mut kmip, &pgp), Err(ResultReason::FeatureNotSupported));
    // Nothing of this has done anything.
    let key = kmip.create(vec![]);
    has(&kmipd.client(), &key);
}

#[test]
fn a_revoked_certificate_is_not_replaced() {
    let kmipd = Kmipd::dev();
    let version = Version::V2_1;
    for (name, reason) in [
        ("a", RevocationReasonCode::KeyCompromise),
        ("b", RevocationReasonCode::Superseded),
        ("c", RevocationReasonCode::CessationOfOperation),
    ] {
        let issued = kmipd.authority().issue_client(name).unwrap();
        let mut kmip = Kmip::new(kmipd.client_with(&issued).connect().unwrap(), version);
        let Request { certificate, .. } = brings(&issued);
        let own = kmip.register(Object::Certificate(certificate.unwrap()), vec![]);
        kmip.activate(&own);
        kmip.revoke(&own, reason);
        assert_eq!(replace(&mut kmip, &nothing()), Err(DENIED));
    }
}

#[test]
fn what_was_undone_has_replaced_nothing() {
    let kmipd = Kmipd::dev();
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let key = kmip.create(vec![]);
    let undo =
        RequestHeader { batch_error_continuation_option: Some(BatchErrorContinuationOption::Undo), ..header(version) };
    let unknown: Text = "nobody".into();
    let items =
        vec![item(version, Operation::ReProvision, &nothing()), item(version, Operation::Get, &get(Some(&unknown)))];
    let came = kmip.batch(undo, items);
    assert_eq!(came[0].as_ref().unwrap_err().status, ResultStatus::OperationUndone);
    assert_eq!(kmip.get(&key).object_type(), ObjectType::SymmetricKey);
    has(&kmipd.client(), &key);
    // Nor has what did not fit into the answer.
    let small = RequestHeader { maximum_response_size: Some(150), ..header(version) };
    let came = kmip.batch(small, vec![item(version, Operation::ReProvision, &nothing())]);
    assert_eq!(came[0].as_ref().unwrap_err().reason(), ResultReason::ResponseTooLarge);
    has(&kmipd.client(), &key);
}

#[test]
fn it_is_asked_by_the_client_itself_and_done_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let fred = "[[users]]\nname = \"fred\"\ncertificates = [\"client\"]\n[provisioning]\ncertificate = \"ca.pem\"\nkey = \"ca.key\"\n";
    let kmipd = Kmipd::serve(&served(folder.path(), fred));
    let version = Version::V2_1;
    let mut kmip = kmipd.kmip(version);
    let password = Credential::password("fred", "");
    let bare = Credential::new(password.kind, password.value[..1].to_vec());
    let came_of = attempt::<ops::re_provision::Response>(&mut kmip, vec![bare], Operation::ReProvision, &nothing());
    assert_eq!(came_of.err(), Some(DENIED));
    let later = RequestHeader {
        asynchronous_indicator: Some(Asynchronous(AsynchronousIndicator::Mandatory)),
        ..header(version)
    };
    let answer = kmip.exchange(&message(version, later, vec![item(version, Operation::ReProvision, &nothing())]));
    let correlation = answer.items[0].asynchronous_correlation_value.clone().unwrap();
    let process = ops::process::Request { asynchronous_correlation_value: correlation.clone() };
    kmip.ask::<ops::process::Response>(Operation::Process, &process);
    let poll = ops::poll::Request { asynchronous_correlation_value: correlation };
    let answer = kmip.exchange(&message(version, header(version), vec![item(version, Operation::Poll, &poll)]));
    assert_eq!(came(answer)[0].as_ref().unwrap_err().reason(), ResultReason::FeatureNotSupported);
    let key = kmip.create(vec![number(Tag::CryptographicLength, 128)]);
    has(&kmipd.client(), &key);
}

#[test]
fn it_is_offered_where_the_configuration_says_so() {
    let folder = tempfile::tempdir().unwrap();
    let kmipd = Kmipd::serve(&served(folder.path(), ""));
    assert_eq!(replace(&mut kmipd.kmip(Version::V2_1), &nothing()), Err(ResultReason::OperationNotSupported));
    let folder = tempfile::tempdir().unwrap();
    let kmipd = Kmipd::serve(&served(folder.path(), "[provisioning]\n"));
    let mut kmip = kmipd.kmip(Version::V2_1);
    assert_eq!(replace(&mut kmip, &nothing()), Err(ResultReason::FeatureNotSupported));
    let pem = request(folder.path(), "new", "-subj /CN=client");
    assert_eq!(replace(&mut kmip, &asks(&pem)), Err(ResultReason::FeatureNotSupported));
    let issued = kmipd.authority().issue_client("client").unwrap();
    assert!(replace(&mut kmip, &brings(&issued)).is_ok());
    // An older client knows nothing of it.
    let mut old = Kmip::new(kmipd.client_with(&issued).connect().unwrap(), Version::V1_4);
    assert_eq!(old.refusal(Operation::ReProvision, &nothing()), ResultReason::OperationNotSupported);
}

#[test]
fn one_of_two_at_a_time_wins() {
    let kmipd = Kmipd::dev();
    let version = Version::V2_1;
    let authority = kmipd.authority();
    for round in 0..5 {
        let before = authority.issue_client(&format!("racer {round}")).unwrap();
        let client = kmipd.client_with(&before);
        let racers: Vec<_> = (0..4)
            .map(|_| {
                let mut kmip = Kmip::new(client.connect().unwrap(), version);
                let request = brings(&authority.issue_client(&format!("racer {round}")).unwrap());
                std::thread::spawn(move || replace(&mut kmip, &request))
            })
            .collect();
        let came: Vec<Result<Text, ResultReason>> = racers.into_iter().map(|racer| racer.join().unwrap()).collect();
        assert_eq!(came.iter().filter(|came| came.is_ok()).count(), 1, "{came:?}");
        assert!(came.iter().all(|came| came.is_ok() || *came == Err(REPLACED)), "{came:?}");
    }
}
