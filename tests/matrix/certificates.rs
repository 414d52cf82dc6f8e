//! The operations with certificates.

use kmip_codec::Value;
use kmip_codec::schema::{DateTime, Interval};
use kmip_codec::spec::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm, CryptographicUsageMask as Mask, LinkType,
    Operation, ResultReason, RevocationReasonCode, State, Tag, ValidityIndicator,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Attributes, Certificate, Object, UniqueIdentifier};
use kmipd::ops;

use crate::cell::Cell;
use crate::harness::kmip::{self, date, enumeration, mask, number};
use crate::life::{assert_replaced, linked};

/// A certificate request for a key that no cell has.
const FOREIGN: &str = "3081cb30720201003010310e300c06035504030c056f746865723059301306072a8648ce3d020106082a8648ce3d0301070342000439bbb273b2151cc35e34f0e0e196bd42bdc29a720ebbceca54b6d1545dc16f1eef7f016e0e5e225b27c5e3aaf6c5188c4e2f6c98a5dfe35bb286518001235126a000300a06082a8648ce3d04030203490030460221008789786252bb1c9240de4587c15b642caf5838e7de4d66c0f9fca94f6b65f111022100d4230ab4599b8baca5180dc3038d18c62cbde996d1b8e1e9e3bdf1d1f44189ac";

fn list(list: Vec<Attribute>) -> Attributes {
    Attributes { templates: Vec::new(), list }
}

/// A key pair whose private key lives with the cell's provider: the private and the public key.
fn pair(cell: &mut Cell) -> (Text, Text) {
    let (private, public) = (cell.name(), cell.name());
    let both = vec![
        enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::ECDSA),
        number(Tag::CryptographicLength, 256),
    ];
    let request = ops::create_key_pair::Request {
        common: list(both),
        private: list(cell.protected(vec![private, mask(Mask::SIGN)])),
        public: list(vec![public, mask(Mask::VERIFY)]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    let made: ops::create_key_pair::Response = cell.kmip.ask(Operation::CreateKeyPair, &request);
    cell.assert_home(&made.private_key);
    (made.private_key, made.public_key)
}

/// A request to certify a key by its identifier alone.
fn request(key: &Text, name: Attribute) -> ops::certify::Request {
    let kind = enumeration(Tag::CertificateType, CertificateType::X509);
    ops::certify::Request {
        unique_identifier: Some(UniqueIdentifier::Text(key.clone())),
        certificate_request_type: None,
        certificate_request: None,
        certificate_request_value: None,
        attributes: list(vec![kind, name, mask(Mask::VERIFY)]),
        protection_storage_masks: None,
    }
}

/// The certificate of an object, in DER.
fn value(cell: &mut Cell, certificate: &Text) -> Blob {
    let got: ops::get::Response = cell.kmip.ask(Operation::Get, &kmip::get(Some(certificate)));
    match got.object {
        Object::Certificate(certificate) => certificate.certificate_value,
        other => panic!("{other:?}"),
    }
}

pub(crate) fn certify(cell: &mut Cell) {
    let (_, public) = pair(cell);
    let name = cell.name();
    let made: ops::activate::Response = cell.kmip.ask(Operation::Certify, &request(&public, name.clone()));
    let certificate = made.unique_identifier;
    assert_eq!(cell.kmip.locate(vec![name]), std::slice::from_ref(&certificate));
    assert_eq!(linked(cell, &certificate, LinkType::PublicKeyLink), Value::TextString(public.clone()));
    assert_eq!(linked(cell, &public, LinkType::CertificateLink), Value::TextString(certificate.clone()));
    assert_eq!(cell.kmip.state(&certificate), State::PreActive);
    let length = i32::try_from(value(cell, &certificate).len()).unwrap();
    assert_eq!(cell.newest(|kmip| kmip.value(&certificate, Tag::CertificateLength)), Value::Integer(length));
    // A request that was made for another key.
    let name = cell.name();
    let foreign = ops::certify::Request {
        certificate_request_type: Some(CertificateRequestType::Pkcs10),
        certificate_request: Some(Blob::new(hex::decode(FOREIGN).unwrap())),
        ..request(&public, name.clone())
    };
    let invalid = cell.reason(ResultReason::InvalidCSR);
    assert_eq!(cell.kmip.refusal(Operation::Certify, &foreign), invalid);
    // A certificate is no key.
    let expected = if cell.is_v2() { ResultReason::InvalidObjectType } else { ResultReason::PermissionDenied };
    assert_eq!(cell.kmip.refusal(Operation::Certify, &request(&certificate, name)), expected);
}

/// Renews a certificate without a request.
fn renewal(certificate: &Text, attributes: Vec<Attribute>) -> ops::re_certify::Request {
    ops::re_certify::Request {
        unique_identifier: Some(UniqueIdentifier::Text(certificate.clone())),
        certificate_request_identifier: None,
        certificate_request_type: None,
        certificate_request: None,
        certificate_request_value: None,
        offset: None,
        attributes: list(attributes),
        protection_storage_masks: None,
    }
}

pub(crate) fn re_certify(cell: &mut Cell) {
    let (private, public) = pair(cell);
    let name = cell.name();
    let made: ops::activate::Response = cell.kmip.ask(Operation::Certify, &request(&public, name.clone()));
    let former = made.unique_identifier;
    let made: ops::activate::Response = cell.kmip.ask(Operation::ReCertify, &renewal(&former, vec![]));
    let latest = made.unique_identifier;
    assert_replaced(cell, &former, &latest, &name);
    assert_eq!(linked(cell, &public, LinkType::CertificateLink), Value::TextString(latest.clone()));
    assert_eq!(linked(cell, &latest, LinkType::PublicKeyLink), Value::TextString(public));
    assert_ne!(value(cell, &former), value(cell, &latest));
    let both = ops::re_certify::Request {
        offset: Some(Interval(0)),
        ..renewal(&latest, vec![date(Tag::DeactivationDate, kmip::now() + 3600)])
    };
    assert_eq!(cell.kmip.refusal(Operation::ReCertify, &both), ResultReason::InvalidMessage);
    let expected = if cell.is_v2() { ResultReason::InvalidObjectType } else { ResultReason::PermissionDenied };
    assert_eq!(cell.kmip.refusal(Operation::ReCertify, &renewal(&private, vec![])), expected);
}

pub(crate) fn validate(cell: &mut Cell) {
    let (private, public) = pair(cell);
    let name = cell.name();
    let made: ops::activate::Response = cell.kmip.ask(Operation::Certify, &request(&public, name));
    let certificate = made.unique_identifier;
    let value = value(cell, &certificate);
    let named = |object: &Text| vec![UniqueIdentifier::Text(object.clone())];
    let chain = |certificates: Vec<Blob>, unique_identifiers, date: Option<i64>| ops::validate::Request {
        certificates: certificates
            .into_iter()
            .map(|certificate_value| Certificate { certificate_type: CertificateType::X509, certificate_value })
            .collect(),
        unique_identifiers,
        validity_date: date.map(DateTime),
    };
    // It is the server's own authority that made it.
    for request in [chain(vec![], named(&certificate), None), chain(vec![value.clone()], vec![], None)] {
        let answer: ops::validate::Response = cell.kmip.ask(Operation::Validate, &request);
        assert_eq!(answer.validity_indicator, ValidityIndicator::Valid);
    }
    let ended = chain(vec![value], vec![], Some(kmip::now() + 1000 * 24 * 3600));
    let answer: ops::validate::Response = cell.kmip.ask(Operation::Validate, &ended);
    assert_eq!(answer.validity_indicator, ValidityIndicator::Invalid);
    cell.kmip.revoke(&certificate, RevocationReasonCode::KeyCompromise);
    let answer: ops::validate::Response = cell.kmip.ask(Operation::Validate, &chain(vec![], named(&certificate), None));
    assert_eq!(answer.validity_indicator, ValidityIndicator::Invalid);
    assert_eq!(cell.kmip.refusal(Operation::Validate, &chain(vec![], vec![], None)), ResultReason::InvalidMessage);
    let expected = if cell.is_v2() { ResultReason::InvalidObjectType } else { ResultReason::InvalidMessage };
    assert_eq!(cell.kmip.refusal(Operation::Validate, &chain(vec![], named(&private), None)), expected);
}
