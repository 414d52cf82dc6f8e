use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::spec::{CryptographicUsageMask as Mask, NameType, Operation, RevocationReasonCode};
use kmip_codec::types::{CertificateRequest, Name, RevocationReason};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::Extension;
use x509_cert::ext::pkix::{ExtendedKeyUsage, KeyUsage, KeyUsages};

use super::*;
use crate::crypto::authority::Terms;
use crate::crypto::testing::{DAY, Entity, authority, extension, terms};
use crate::ops::certify::{self, Certify};
use crate::ops::revoke::{self, Revoke};
use crate::view::Settings;
use crate::view::testing::{Bench, NOW, structured, usage};

const V: Version = Version::V2_1;

/// A server with an authority, a key, and its certificate.
struct House {
    bench: Bench,
    entity: Entity,
    key: UniqueIdentifier,
}

impl House {
    fn new() -> Self {
        Self::on(terms())
    }

    /// With an authority of these terms.
    fn on(terms: Terms) -> Self {
        let authority = Arc::new(Entity::new("CN=Authority,OU=Department").certifying(terms));
        let bench = Bench::with(Settings { authority: Some(authority), ..Settings::default() }, None);
        let entity = Entity::new("CN=entity,OU=one,OU=two");
        let key = bench.object(entity.public_key(), vec![usage(Mask::VERIFY)]);
        Self { bench, entity, key }
    }

    fn certificate(&self, attributes: Vec<(Tag, Value)>) -> UniqueIdentifier {
        let request = certify::Request {
            unique_identifier: Some(self.key.clone()),
            certificate_request_type: Some(CertificateRequestType::Pkcs10),
            certificate_request: Some(Blob::new(self.entity.request(Vec::new()))),
            certificate_request_value: None,
            attributes: list(attributes),
            protection_storage_masks: None,
        };
        UniqueIdentifier::Text(self.bench.run::<Certify>(V, request).unwrap().unique_identifier)
    }

    fn renewed(&self, request: Request) -> UniqueIdentifier {
        UniqueIdentifier::Text(self.bench.run::<ReCertify>(V, request).unwrap().unique_identifier)
    }

    fn reason(&self, request: Request) -> (ResultReason, ResultReason) {
        let failure = self.bench.run::<ReCertify>(V, request).unwrap_err();
        let operation = Some(Operation::ReCertify);
        (failure.reason_in(operation, V), failure.reason_in(operation, Version::V1_4))
    }

    fn open(&self, object: &UniqueIdentifier) -> Permitted {
        self.bench.view(V).open(Some(object), Use::ReadAttributes).unwrap()
    }

    fn body(&self, object: &UniqueIdentifier) -> x509_cert::TbsCertificate {
        let mut view = self.bench.view(V);
        let object = view.open(Some(object), Use::Get).unwrap();
        let Material::Open(material) = &*view.material(&object).unwrap() else { panic!("in the module") };
        let Object::Certificate(certificate) = &**material else { panic!("no certificate") };
        x509_cert::Certificate::from_der(&certificate.certificate_value).unwrap().tbs_certificate
    }

    fn revoke(&self, object: &UniqueIdentifier, code: RevocationReasonCode) {
        let revocation = revoke::Request {
            unique_identifier: Some(object.clone()),
            revocation_reason: RevocationReason { code, message: None },
            compromise_occurrence_date: None,
        };
        self.bench.run::<Revoke>(V, revocation).unwrap();
    }
}

fn list(attributes: Vec<(Tag, Value)>) -> Attributes {
    let list = attributes.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
    Attributes { templates: Vec::new(), list }
}

fn name(name: &str) -> (Tag, Value) {
    structured(Tag::Name, &Name { value: name.into(), kind: NameType::UninterpretedTextString })
}

fn date(tag: Tag, date: i64) -> (Tag, Value) {
    (tag, Value::DateTime(date))
}

fn request(certificate: &UniqueIdentifier) -> Request {
    Request {
        unique_identifier: Some(certificate.clone()),
        certificate_request_identifier: None,
        certificate_request_type: None,
        certificate_request: None,
        certificate_request_value: None,
        offset: None,
        attributes: Attributes::default(),
        protection_storage_masks: None,
    }
}

fn links(object: &Permitted) -> Vec<(LinkType, UniqueIdentifier)> {
    object.attributes.structures::<Link>(Tag::Link).map(|link| (link.kind, link.linked)).collect()
}

#[test]
fn a_new_certificate_takes_over_what_the_table_says() {
    let house = House::new();
    let former = house.certificate(vec![name("a"), (Tag::Comment, Value::TextString("c".into()))]);
    house.bench.pass(10);
    let wanted = Request { attributes: list(vec![name("b")]), ..request(&former) };
    let latest = house.renewed(wanted);
    let (old, new, key) = (house.open(&former), house.open(&latest), house.open(&house.key));
    let names = |object: &Permitted| object.attributes.values(Tag::Name).cloned().collect::<Vec<_>>();
    assert_eq!((names(&old), names(&new)), (vec![], vec![name("a").1, name("b").1]));
    assert_eq!(new.attributes.text(Tag::Comment), Some("c"));
    let to_key = (LinkType::PublicKeyLink, house.key.clone());
    assert_eq!(links(&old), [to_key.clone(), (LinkType::ReplacementObjectLink, latest.clone())]);
    assert_eq!(links(&new), [to_key, (LinkType::ReplacedObjectLink, former.clone())]);
    assert_eq!(links(&key), [(LinkType::CertificateLink, latest.clone())]);
    assert_eq!(new.attributes.date(Tag::InitialDate), Some(NOW + 10));
    assert_ne!(new.attributes.get(Tag::Digest), old.attributes.get(Tag::Digest));
    // The same key and the same names in another certificate; each fact of it once.
    let (one, two) = (house.body(&former), house.body(&latest));
    assert_eq!((one.subject, one.subject_public_key_info), (two.subject.clone(), two.subject_public_key_info));
    assert_ne!(one.serial_number, two.serial_number);
    assert_eq!(new.attributes.values(Tag::CertificateSubjectOU).count(), 2);
    let facts: Vec<_> = new.attributes.iter().filter(|attribute| is_of_certificate(attribute.tag)).collect();
    for (place, fact) in facts.iter().enumerate() {
        let same = |other: &&&Attribute| (other.tag, &other.value) == (fact.tag, &fact.value);
        assert_eq!(facts.iter().skip(place + 1).find(same), None);
    }
}

#[test]
fn a_further_renewal_counts_on() {
    let house = House::new();
    let first = house.certificate(vec![name("n")]);
    let second = house.renewed(request(&first));
    let third = house.open(&house.renewed(request(&second)));
    assert_eq!(third.attributes.integer(Tag::RotateGeneration), Some(2));
    assert_eq!(third.attributes.boolean(Tag::RotateLatest), Some(true));
    assert_eq!(house.open(&first).attributes.integer(Tag::RotateGeneration), Some(0));
    assert_eq!(house.open(&second).attributes.boolean(Tag::RotateLatest), Some(false));
}

#[test]
fn dates_are_those_of_the_existing_one_or_moved_by_the_offset() {
    let house = House::new();
    let dates = vec![date(Tag::ActivationDate, NOW - DAY), date(Tag::DeactivationDate, NOW + 9 * DAY)];
    let former = house.certificate(dates);
    let read = |certificate: &UniqueIdentifier| {
        let object = house.open(certificate);
        let of = |tag| object.attributes.date(tag).map(|date| date - NOW);
        let until = house.body(certificate).validity.not_after.to_unix_duration().as_secs();
        (of(Tag::ActivationDate), of(Tag::DeactivationDate), i64::try_from(until).unwrap() - NOW)
    };
    let copied = house.renewed(request(&former));
    assert_eq!(read(&copied), (Some(-DAY), Some(9 * DAY), 9 * DAY));
    let moved = house.renewed(Request { offset: Some(Interval(3600)), ..request(&copied) });
    assert_eq!(read(&moved), (Some(3600), Some(3600 + 10 * DAY), 3600 + 10 * DAY));
    for tag in [Tag::ActivationDate, Tag::DeactivationDate] {
        let dates = list(vec![date(tag, NOW + 99 * DAY)]);
        let both = Request { offset: Some(Interval(0)), attributes: dates, ..request(&moved) };
        assert_eq!(house.reason(both), (ResultReason::InvalidMessage, ResultReason::InvalidMessage));
    }
    // What would be over at once is not made.
    house.bench.pass(99 * DAY);
    assert_eq!(house.reason(request(&moved)).0, ResultReason::InvalidField);
}

#[test]
fn requests_for_a_renewal() {
    let house = House::new();
    let former = house.certificate(Vec::new());
    let csr = |entity: &Entity| {
        let value = Blob::new(entity.request(Vec::new()));
        Request {
            certificate_request_type: Some(CertificateRequestType::Pkcs10),
            certificate_request_value: Some(value),
            ..request(&former)
        }
    };
    let other = Entity::new("CN=other");
    assert_eq!(house.reason(csr(&other)), (ResultReason::InvalidCSR, ResultReason::InvalidField));
    let object = |entity: &Entity| {
        let request = CertificateRequest {
            certificate_request_type: CertificateRequestType::Pkcs10,
            certificate_request_value: Blob::new(entity.request(Vec::new())),
        };
        house.bench.object(Object::CertificateRequest(request), Vec::new())
    };
    let held = |identifier| Request { certificate_request_identifier: Some(identifier), ..request(&former) };
    assert_eq!(house.reason(held(object(&other))).0, ResultReason::InvalidCSR);
    assert_eq!(house.reason(held(house.key.clone())).0, ResultReason::InvalidObjectType);
    assert_eq!(house.reason(held(UniqueIdentifier::Text("nobody".into()))).0, ResultReason::ObjectNotFound);
    let two = Request { certificate_request_identifier: Some(object(&other)), ..csr(&house.entity) };
    assert_eq!(house.reason(two).0, ResultReason::InvalidField);
    // A request of the same key may change the name.
    let renamed = house.entity.named("CN=renamed");
    let latest = house.renewed(csr(&renamed));
    assert_eq!(house.body(&latest).subject, renamed.name);
    assert_eq!(house.body(&latest).subject_public_key_info.to_der().unwrap(), house.entity.spki);
    let again = Request { certificate_request_identifier: Some(object(&house.entity)), ..request(&latest) };
    assert_eq!(house.body(&house.renewed(again)).subject, house.entity.name);
}

#[test]
fn a_key_stays_for_what_it_was_certified() {
    let of = |oids: &[&str]| oids.iter().map(|oid| ObjectIdentifier::new_unwrap(oid)).collect::<Vec<_>>();
    let (server, client, email) = ("1.3.6.1.5.5.7.3.1", "1.3.6.1.5.5.7.3.2", "1.3.6.1.5.5.7.3.4");
    let house = House::on(Terms { extended: of(&[server, email]), ..terms() });
    let registered = |extensions: Vec<Extension>| {
        let der = house.entity.certificate(&Entity::new("CN=elsewhere"), |body| body.extensions = Some(extensions));
        let certificate = kmip_codec::types::Certificate {
            certificate_type: CertificateType::X509,
            certificate_value: Blob::new(der),
        };
        house.bench.object(Object::Certificate(certificate), vec![usage(Mask::VERIFY)])
    };
    let uses = |certificate: &UniqueIdentifier| {
        let body = house.body(certificate);
        let extended = body.get::<ExtendedKeyUsage>().unwrap().map(|(_, ExtendedKeyUsage(uses))| uses);
        (body.get::<KeyUsage>().unwrap().unwrap().1, extended.unwrap_or_default())
    };
    let usages = KeyUsage(KeyUsages::NonRepudiation | KeyUsages::KeyAgreement);
    let extended = |oids: &[&str]| extension(&ExtendedKeyUsage(of(oids)), false);
    let former = registered(vec![extension(&usages, true), extended(&[email])]);
    let latest = house.renewed(request(&former));
    assert_eq!(uses(&latest), (usages, of(&[email])));
    // What is wanted otherwise goes before it.
    let wanted = Request { attributes: list(vec![usage(Mask::VERIFY | Mask::WRAP_KEY)]), ..request(&latest) };
    let latest = house.renewed(wanted);
    let otherwise = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment);
    assert_eq!(uses(&latest), (otherwise, of(&[email])));
    let asks = vec![extended(&[server]), extension(&KeyUsage(KeyUsages::DigitalSignature.into()), true)];
    let wanted = Request {
        certificate_request_type: Some(CertificateRequestType::Pkcs10),
        certificate_request_value: Some(Blob::new(house.entity.request(asks))),
        ..request(&latest)
    };
    assert_eq!(uses(&house.renewed(wanted)), (KeyUsage(KeyUsages::DigitalSignature.into()), of(&[server])));
    // Of uses that were certified elsewhere those stay that the authority certifies, and never none of them.
    assert_eq!(uses(&house.renewed(request(&registered(vec![extended(&[client, server])])))).1, of(&[server]));
    let denied = ResultReason::PermissionDenied;
    assert_eq!(house.reason(request(&registered(vec![extended(&[client])]))).0, denied);
    // One that certifies others is not renewed as one that does not.
    assert_eq!(house.reason(request(&registered(authority(None)))).0, denied);
}

#[test]
fn what_cannot_be_renewed() {
    let house = House::new();
    let denied = (ResultReason::PermissionDenied, ResultReason::PermissionDenied);
    let unknown = UniqueIdentifier::Text("nobody".into());
    assert_eq!(house.reason(request(&unknown)), (ResultReason::ObjectNotFound, ResultReason::ItemNotFound));
    assert_eq!(house.reason(request(&house.key)), (ResultReason::InvalidObjectType, ResultReason::PermissionDenied));
    let stolen = house.certificate(Vec::new());
    house.revoke(&stolen, RevocationReasonCode::KeyCompromise);
    assert_eq!(house.reason(request(&stolen)), denied);
    let gone = house.certificate(Vec::new());
    let destroy = crate::ops::activate::Request { unique_identifier: Some(gone.clone()) };
    house.bench.run::<crate::ops::destroy::Destroy>(V, destroy).unwrap();
    assert_eq!(house.reason(request(&gone)), denied);
    let pgp = kmip_codec::types::Certificate {
        certificate_type: CertificateType::PGP,
        certificate_value: Blob::copy_of(b"pgp"),
    };
    let pgp = house.bench.object(Object::Certificate(pgp), Vec::new());
    assert_eq!(house.reason(request(&pgp)).0, ResultReason::FeatureNotSupported);
    let known = house.certificate(Vec::new());
    house.revoke(&house.key, RevocationReasonCode::KeyCompromise);
    assert_eq!(house.reason(request(&known)), denied);
    // Without an authority there is nobody who could.
    let none = Bench::new();
    let failure = none.run::<ReCertify>(V, request(&unknown)).unwrap_err();
    assert_eq!(failure.reason, ResultReason::OperationNotSupported);
}

#[test]
fn one_that_was_superseded_is_renewed_and_a_key_that_is_gone_is_no_hindrance() {
    let house = House::new();
    let former = house.certificate(vec![date(Tag::ActivationDate, NOW)]);
    house.revoke(&former, RevocationReasonCode::Superseded);
    let destroy = crate::ops::activate::Request { unique_identifier: Some(house.key.clone()) };
    house.revoke(&house.key, RevocationReasonCode::CessationOfOperation);
    house.bench.run::<crate::ops::destroy::Destroy>(V, destroy).unwrap();
    let wanted = Request { offset: Some(Interval(0)), ..request(&former) };
    // Its life was of no length, and so would be the new one's.
    assert_eq!(house.reason(wanted).0, ResultReason::InvalidField);
    let wanted = Request { attributes: list(vec![date(Tag::DeactivationDate, NOW + DAY)]), ..request(&former) };
    let latest = house.open(&house.renewed(wanted));
    assert_eq!(latest.state(), State::Active);
    assert!(!latest.attributes.has(Tag::RevocationReason));
}

#[test]
fn names_of_the_request_have_the_first_numbers_in_1_x() {
    let house = House::new();
    let names = |version| {
        let former = house.certificate(vec![name("old")]);
        let wanted = Request { attributes: list(vec![name("new")]), ..request(&former) };
        let latest = house.bench.run::<ReCertify>(version, wanted).unwrap().unique_identifier;
        let latest = UniqueIdentifier::Text(latest);
        let names: Vec<Value> = house.open(&latest).attributes.values(Tag::Name).cloned().collect();
        let destroy = crate::ops::activate::Request { unique_identifier: Some(latest) };
        house.bench.run::<crate::ops::destroy::Destroy>(V, destroy).unwrap();
        names
    };
    assert_eq!(names(Version::V1_2), [name("new").1, name("old").1]);
    assert_eq!(names(V), [name("old").1, name("new").1]);
}
