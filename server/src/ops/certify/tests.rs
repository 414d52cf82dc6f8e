use std::sync::Arc;

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateType, CryptographicAlgorithm, CryptographicUsageMask as Mask, KeyFormatType, NameType, Operation,
    RevocationReasonCode, State,
};
use kmip_codec::types::{Attribute, CertificateRequest, Link, Name, Object, RevocationReason};
use x509_cert::der::asn1::{Ia5String, ObjectIdentifier, OctetString};
use x509_cert::der::{Decode, Encode};
use x509_cert::ext::pkix::name::GeneralName;
use x509_cert::ext::pkix::{
    BasicConstraints, ExtendedKeyUsage, KeyUsage, KeyUsages, SubjectAltName, SubjectKeyIdentifier,
};

use super::*;
use crate::crypto::algorithm::KeyKind;
use crate::crypto::authority::{Authority, SigningKey, Wanted};
use crate::crypto::keyblock::Canonical;
use crate::crypto::permits::{Permits, Preset};
use crate::crypto::testing::{Crmf, DAY, Entity, extension, raw_extension, terms};
use crate::crypto::{keyblock, keyformat};
use crate::object::material::Material;
use crate::ops::revoke::{self, Revoke};
use crate::view::Settings;
use crate::view::testing::{Bench, NOW, structured, usage};

const V: Version = Version::V2_1;

/// A server with a certification authority.
fn bench() -> Bench {
    with(|_| {})
}

fn with(change: impl FnOnce(&mut Settings)) -> Bench {
    let authority = Arc::new(Entity::new("CN=Authority,O=Test").certifying(terms()));
    let mut settings = Settings { authority: Some(authority), ..Settings::default() };
    change(&mut settings);
    Bench::with(settings, None)
}

fn public_key(bench: &Bench, entity: &Entity) -> UniqueIdentifier {
    bench.object(entity.public_key(), vec![usage(Mask::VERIFY)])
}

fn attributes(list: Vec<(Tag, Value)>) -> Attributes {
    let list = list.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
    Attributes { templates: Vec::new(), list }
}

fn request(key: Option<&UniqueIdentifier>, csr: Option<Vec<u8>>) -> Request {
    Request {
        unique_identifier: key.cloned(),
        certificate_request_type: csr.is_some().then_some(CertificateRequestType::Pkcs10),
        certificate_request: None,
        certificate_request_value: csr.map(Blob::new),
        attributes: Attributes::default(),
        protection_storage_masks: None,
    }
}

fn certified(bench: &Bench, request: Request) -> UniqueIdentifier {
    UniqueIdentifier::Text(bench.run::<Certify>(V, request).unwrap().unique_identifier)
}

fn reason(bench: &Bench, request: Request) -> ResultReason {
    let failure = bench.run::<Certify>(V, request).unwrap_err();
    failure.reason_in(Some(Operation::Certify), V)
}

fn open(bench: &Bench, object: &UniqueIdentifier) -> Permitted {
    bench.view(V).open(Some(object), Use::ReadAttributes).unwrap()
}

fn der(bench: &Bench, object: &UniqueIdentifier) -> Vec<u8> {
    let mut view = bench.view(V);
    let object = view.open(Some(object), Use::Get).unwrap();
    match &*view.material(&object).unwrap() {
        Material::Open(object) => match &**object {
            Object::Certificate(certificate) => certificate.certificate_value.to_vec(),
            _ => panic!("no certificate"),
        },
        Material::Guarded(_) => panic!("in the module"),
    }
}

fn parsed(bench: &Bench, object: &UniqueIdentifier) -> x509_cert::Certificate {
    x509_cert::Certificate::from_der(&der(bench, object)).unwrap()
}

fn links(object: &Permitted) -> Vec<(LinkType, UniqueIdentifier)> {
    object.attributes.structures::<Link>(Tag::Link).map(|link| (link.kind, link.linked)).collect()
}

fn certificate_type() -> (Tag, Value) {
    (Tag::CertificateType, Value::Enumeration(CertificateType::X509.into()))
}

fn date(tag: Tag, date: i64) -> (Tag, Value) {
    (tag, Value::DateTime(date))
}

fn validity(certificate: &x509_cert::Certificate) -> (i64, i64) {
    let validity = certificate.tbs_certificate.validity;
    let seconds = |time: x509_cert::time::Time| i64::try_from(time.to_unix_duration().as_secs()).unwrap();
    (seconds(validity.not_before), seconds(validity.not_after))
}

#[test]
fn a_request_becomes_a_certificate_of_its_key_and_its_names() {
    let bench = bench();
    let entity = Entity::new("CN=service,OU=one,OU=two,O=Test");
    let key = public_key(&bench, &entity);
    let name = structured(Tag::Name, &Name { value: "n".into(), kind: NameType::UninterpretedTextString });
    let alternative = GeneralName::DnsName(Ia5String::new("service.example").unwrap());
    let csr = entity.request(vec![extension(&SubjectAltName(vec![alternative.clone()]), false)]);
    let wanted =
        Request { attributes: attributes(vec![name.clone(), usage(Mask::VERIFY)]), ..request(Some(&key), Some(csr)) };
    let certificate = certified(&bench, wanted);
    let object = open(&bench, &certificate);
    assert_eq!(object.object_type(), ObjectType::Certificate);
    assert_eq!(object.state(), State::PreActive);
    assert_eq!(object.attributes.get(Tag::Name), Some(&name.1));
    assert_eq!(links(&object), [(LinkType::PublicKeyLink, key.clone())]);
    assert_eq!(links(&open(&bench, &key)), [(LinkType::CertificateLink, certificate.clone())]);
    let of = |tag| object.attributes.values(tag).filter_map(Value::text).collect::<Vec<_>>();
    assert_eq!(of(Tag::CertificateSubjectOU), ["two", "one"]);
    assert_eq!((of(Tag::CertificateSubjectCN), of(Tag::CertificateIssuerCN)), (vec!["service"], vec!["Authority"]));
    assert_eq!(object.attributes.integer(Tag::CertificateLength), Some(der(&bench, &certificate).len() as i32));
    assert_eq!(object.attributes.integer(Tag::CryptographicLength), Some(256));
    assert!(object.attributes.has(Tag::Digest) && object.attributes.has(Tag::DigitalSignatureAlgorithm));
    let body = parsed(&bench, &certificate).tbs_certificate;
    assert_eq!(body.subject, entity.name);
    assert_eq!(body.subject_public_key_info.to_der().unwrap(), entity.spki);
    assert_eq!(body.get::<SubjectAltName>().unwrap().unwrap().1.0, [alternative]);
    assert_eq!(
        body.get::<BasicConstraints>().unwrap(),
        Some((true, BasicConstraints { ca: false, path_len_constraint: None }))
    );
    let server = ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.1");
    assert_eq!(body.get::<ExtendedKeyUsage>().unwrap().unwrap().1.0, [server]);
    let authority = bench.view(V).authority().unwrap();
    assert!(authority.has_issued(&der(&bench, &certificate)));
    assert!(
        !authority
            .has_issued(&entity.named("CN=Authority,O=Test").certificate(&entity.named("CN=Authority,O=Test"), |_| {}))
    );
}

#[test]
fn what_a_request_says_goes_before_the_attributes() {
    let bench = bench();
    let entity = Entity::new("CN=asked");
    let key = public_key(&bench, &entity);
    let agreement = KeyUsage(KeyUsages::KeyAgreement.into());
    let said = attributes(vec![usage(Mask::VERIFY), (Tag::CertificateSubjectCN, Value::TextString("said".into()))]);
    let csr = entity.request(vec![extension(&agreement, true)]);
    let certificate = certified(&bench, Request { attributes: said, ..request(Some(&key), Some(csr)) });
    assert_eq!(parsed(&bench, &certificate).tbs_certificate.subject, entity.name);
    assert_eq!(parsed(&bench, &certificate).tbs_certificate.get::<KeyUsage>().unwrap(), Some((true, agreement)));
    assert_eq!(open(&bench, &certificate).usage_mask(), Mask::KEY_AGREEMENT);
}

#[test]
fn without_a_request_attributes_say_whom_the_certificate_is_for() {
    let bench = bench();
    let entity = Entity::new("CN=entity");
    let key = public_key(&bench, &entity);
    let text = |tag, text: &str| (tag, Value::TextString(text.into()));
    let parts = vec![
        certificate_type(),
        text(Tag::CertificateSubjectC, "AU"),
        text(Tag::CertificateSubjectO, "Example"),
        text(Tag::CertificateSubjectCN, "said"),
        usage(Mask::VERIFY | Mask::WRAP_KEY),
    ];
    let certificate = certified(&bench, Request { attributes: attributes(parts), ..request(Some(&key), None) });
    let body = parsed(&bench, &certificate).tbs_certificate;
    assert_eq!(body.subject.to_string(), "CN=said,O=Example,C=AU");
    let usage = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment);
    assert_eq!(body.get::<KeyUsage>().unwrap(), Some((true, usage)));
    // Or nobody does: then the key's identifier is its name.
    let certificate =
        certified(&bench, Request { attributes: attributes(vec![certificate_type()]), ..request(Some(&key), None) });
    let UniqueIdentifier::Text(identifier) = &key else { panic!("no text") };
    assert_eq!(parsed(&bench, &certificate).tbs_certificate.subject.to_string(), format!("CN={identifier}"));
    assert_eq!(open(&bench, &certificate).usage_mask(), Mask::VERIFY);
    // The type must be said.
    assert_eq!(reason(&bench, request(Some(&key), None)), ResultReason::InvalidField);
    let pgp = (Tag::CertificateType, Value::Enumeration(CertificateType::PGP.into()));
    let other = Request { attributes: attributes(vec![pgp]), ..request(Some(&key), None) };
    assert_eq!(reason(&bench, other), ResultReason::FeatureNotSupported);
    let nobody = vec![certificate_type(), structured_subject(&[])];
    let other = Request { attributes: attributes(nobody), ..request(Some(&key), None) };
    assert_eq!(reason(&bench, other), ResultReason::InvalidField);
}

/// X.509 Certificate Subject with these bytes as the name.
fn structured_subject(name: &[u8]) -> (Tag, Value) {
    let name = kmip_codec::Element::new(Tag::SubjectDistinguishedName, Value::ByteString(Blob::copy_of(name)));
    (Tag::X509CertificateSubject, Value::Structure(vec![name]))
}

#[test]
fn dates_are_those_of_the_object_as_far_as_the_terms_go() {
    let bench = bench();
    let entity = Entity::new("CN=entity");
    let key = public_key(&bench, &entity);
    let dates = |list: Vec<(Tag, Value)>| {
        let wanted = Request { attributes: attributes(list), ..request(Some(&key), Some(entity.request(vec![]))) };
        let certificate = certified(&bench, wanted);
        let state = open(&bench, &certificate).state();
        let (from, until) = validity(&parsed(&bench, &certificate));
        (from - NOW, until - NOW, state)
    };
    assert_eq!(dates(vec![]), (-300, 365 * DAY, State::PreActive));
    let asked = vec![date(Tag::ActivationDate, NOW + DAY), date(Tag::DeactivationDate, NOW + 9 * DAY)];
    assert_eq!(dates(asked), (DAY, 9 * DAY, State::PreActive));
    let long = vec![date(Tag::ActivationDate, NOW - DAY), date(Tag::DeactivationDate, NOW + 9000 * DAY)];
    assert_eq!(dates(long), (-300, 730 * DAY, State::Active));
    let over = vec![date(Tag::DeactivationDate, NOW - DAY)];
    let wanted = Request { attributes: attributes(over), ..request(Some(&key), Some(entity.request(vec![]))) };
    assert_eq!(reason(&bench, wanted), ResultReason::InvalidField);
}

#[test]
fn requests_that_are_not_granted() {
    let bench = bench();
    let entity = Entity::new("CN=entity");
    let key = public_key(&bench, &entity);
    let asks = |extensions| reason(&bench, request(Some(&key), Some(entity.request(extensions))));
    let authority = BasicConstraints { ca: true, path_len_constraint: None };
    assert_eq!(asks(vec![extension(&authority, true)]), ResultReason::PermissionDenied);
    for usage in [KeyUsages::KeyCertSign, KeyUsages::CRLSign] {
        assert_eq!(asks(vec![extension(&KeyUsage(usage.into()), true)]), ResultReason::PermissionDenied);
    }
    let client = ExtendedKeyUsage(vec![ObjectIdentifier::new_unwrap("1.3.6.1.5.5.7.3.2")]);
    assert_eq!(asks(vec![extension(&client, false)]), ResultReason::PermissionDenied);
    let unknown = raw_extension(ObjectIdentifier::new_unwrap("1.2.3.4"), false, &[5, 0]);
    assert_eq!(asks(vec![unknown]), ResultReason::FeatureNotSupported);
    let garbled = raw_extension(ObjectIdentifier::new_unwrap("2.5.29.17"), false, &[1]);
    assert_eq!(asks(vec![garbled]), ResultReason::InvalidCSR);
    let none = extension(&BasicConstraints { ca: false, path_len_constraint: None }, true);
    assert_eq!(asks(vec![none.clone(), none]), ResultReason::InvalidCSR);
}

#[test]
fn requests_that_are_none() {
    let bench = bench();
    let (entity, other) = (Entity::new("CN=entity"), Entity::new("CN=other"));
    let key = public_key(&bench, &entity);
    let refused = |kind, bytes: Vec<u8>| {
        let wanted = Request { certificate_request_type: kind, ..request(Some(&key), Some(bytes)) };
        let failure = bench.run::<Certify>(V, wanted).unwrap_err();
        (failure.reason, failure.reason_in(None, Version::V1_4))
    };
    let pkcs10 = Some(CertificateRequestType::Pkcs10);
    let invalid = (ResultReason::InvalidCSR, ResultReason::InvalidField);
    assert_eq!(refused(pkcs10, b"none".to_vec()), invalid);
    assert_eq!(refused(Some(CertificateRequestType::PEM), entity.request(vec![])), invalid);
    // Who asks does not have the key.
    assert_eq!(refused(pkcs10, other.request_for(&entity.spki, vec![])), invalid);
    // A good request, for another key.
    assert_eq!(refused(pkcs10, other.request(vec![])), invalid);
    let unsupported = ResultReason::FeatureNotSupported;
    assert_eq!(refused(Some(CertificateRequestType::PGP), entity.request(vec![])), (unsupported, unsupported));
    assert_eq!(refused(None, entity.request(vec![])), (ResultReason::InvalidField, ResultReason::InvalidField));
    let typed = Request { certificate_request_type: pkcs10, ..request(Some(&key), None) };
    assert_eq!(reason(&bench, typed), ResultReason::InvalidField);
    let both = Request { certificate_request: Some(Blob::new(vec![1])), ..request(Some(&key), Some(vec![1])) };
    assert_eq!(reason(&bench, both), ResultReason::InvalidField);
}

#[test]
fn requests_in_pem() {
    let bench = bench();
    let entity = Entity::new("CN=entity");
    let key = public_key(&bench, &entity);
    for label in ["CERTIFICATE REQUEST", "NEW CERTIFICATE REQUEST"] {
        let pem = x509_cert::der::pem::encode_string(label, Default::default(), &entity.request(vec![])).unwrap();
        let wanted = Request {
            certificate_request_type: Some(CertificateRequestType::PEM),
            ..request(Some(&key), Some(pem.into_bytes()))
        };
        assert_eq!(parsed(&bench, &certified(&bench, wanted)).tbs_certificate.subject, entity.name);
    }
}

#[test]
fn requests_in_crmf() {
    let bench = bench();
    let (entity, other) = (Entity::new("CN=entity"), Entity::new("CN=other"));
    let authority = Entity::new("CN=Authority,O=Test").name;
    let key = public_key(&bench, &entity);
    let crmf = |request: Crmf, signer: &Entity| Request {
        certificate_request_type: Some(CertificateRequestType::CRMF),
        ..self::request(Some(&key), Some(request.signed(signer)))
    };
    // What the request says goes before the attributes; what it does not say is theirs.
    let dates = vec![date(Tag::ActivationDate, NOW + 3 * DAY), date(Tag::DeactivationDate, NOW + 9 * DAY)];
    let asked = Crmf::of(&entity).by(&authority).valid(Some(NOW + 2 * DAY), None);
    let certificate = certified(&bench, Request { attributes: attributes(dates), ..crmf(asked, &entity) });
    let made = parsed(&bench, &certificate);
    assert_eq!(made.tbs_certificate.subject, entity.name);
    assert_eq!(validity(&made), (NOW + 2 * DAY, NOW + 9 * DAY));
    let object = open(&bench, &certificate);
    let said = [Tag::ActivationDate, Tag::DeactivationDate].map(|tag| object.attributes.date(tag));
    assert_eq!(said, [Some(NOW + 2 * DAY), Some(NOW + 9 * DAY)]);
    assert_eq!(links(&object), [(LinkType::PublicKeyLink, key.clone())]);
    // As far as the terms go; and an object without these attributes does not get them so.
    let asked = Crmf::of(&entity).valid(None, Some(NOW + 9000 * DAY));
    let certificate = certified(&bench, crmf(asked, &entity));
    assert_eq!(validity(&parsed(&bench, &certificate)), (NOW - 300, NOW + 730 * DAY));
    assert!(!open(&bench, &certificate).attributes.has(Tag::DeactivationDate));
    let over = Crmf::of(&entity).valid(None, Some(NOW - DAY));
    assert_eq!(reason(&bench, crmf(over, &entity)), ResultReason::InvalidField);
    // To another authority, for another key, and of one who has another key.
    assert_eq!(reason(&bench, crmf(Crmf::of(&entity).by(&other.name), &entity)), ResultReason::InvalidCSR);
    assert_eq!(reason(&bench, crmf(Crmf::of(&other), &other)), ResultReason::InvalidCSR);
    assert_eq!(reason(&bench, crmf(Crmf::of(&entity), &other)), ResultReason::InvalidCSR);
    // As an object of its own.
    let request = CertificateRequest {
        certificate_request_type: CertificateRequestType::CRMF,
        certificate_request_value: Blob::new(Crmf::of(&entity).signed(&entity)),
    };
    let registered = bench.object(Object::CertificateRequest(request), Vec::new());
    let certificate = certified(&bench, self::request(Some(&registered), None));
    assert_eq!(links(&open(&bench, &certificate)), [(LinkType::PublicKeyLink, key)]);
}

#[test]
fn a_request_for_another_key_gives_its_names_where_that_is_allowed() {
    let bench = with(|settings| settings.accept_foreign_request = true);
    let (entity, other) = (Entity::new("CN=entity"), Entity::new("CN=other"));
    let key = public_key(&bench, &entity);
    let identifier = OctetString::new([7; 20]).unwrap();
    let csr = other.request(vec![extension(&SubjectKeyIdentifier(identifier.clone()), false)]);
    let certificate = certified(&bench, request(Some(&key), Some(csr)));
    let body = parsed(&bench, &certificate).tbs_certificate;
    assert_ne!(body.get::<SubjectKeyIdentifier>().unwrap().unwrap().1.0, identifier);
    // The link says the truth: the certificate has the named key.
    assert_eq!(body.subject_public_key_info.to_der().unwrap(), entity.spki);
    assert_eq!(body.subject, other.name);
    // Nobody's name is taken that has not signed for it.
    let forged = other.request_for(&entity.named("CN=x").spki, vec![]);
    assert_eq!(reason(&bench, request(Some(&key), Some(forged))), ResultReason::InvalidCSR);
}

#[test]
fn a_certificate_request_may_be_an_object_or_stand_alone() {
    let bench = bench();
    let entity = Entity::new("CN=entity");
    let registered = bench.object(
        Object::CertificateRequest(CertificateRequest {
            certificate_request_type: CertificateRequestType::Pkcs10,
            certificate_request_value: Blob::new(entity.request(vec![])),
        }),
        Vec::new(),
    );
    // The key is no object: there is nothing to link with.
    for wanted in [request(Some(&registered), None), request(None, Some(entity.request(vec![])))] {
        assert_eq!(links(&open(&bench, &certified(&bench, wanted))), []);
    }
    let key = public_key(&bench, &entity);
    for wanted in [request(Some(&registered), None), request(None, Some(entity.request(vec![])))] {
        let certificate = certified(&bench, wanted);
        assert_eq!(links(&open(&bench, &certificate)), [(LinkType::PublicKeyLink, key.clone())]);
    }
    let both = request(Some(&registered), Some(entity.request(vec![])));
    assert_eq!(reason(&bench, both), ResultReason::InvalidField);
    // 1.x needs to know the key.
    let alone = request(None, Some(entity.request(vec![])));
    assert_eq!(bench.run::<Certify>(Version::V1_4, alone).unwrap_err().reason, ResultReason::ObjectNotFound);
}

#[test]
fn what_cannot_be_certified() {
    let bench = bench();
    let entity = Entity::new("CN=entity");
    let refused = |key: &UniqueIdentifier| {
        let failure = bench.run::<Certify>(V, request(Some(key), Some(entity.request(vec![])))).unwrap_err();
        let operation = Some(Operation::Certify);
        (failure.reason_in(operation, V), failure.reason_in(operation, Version::V1_4))
    };
    let denied = (ResultReason::PermissionDenied, ResultReason::PermissionDenied);
    let unknown = UniqueIdentifier::Text("nobody".into());
    assert_eq!(refused(&unknown), (ResultReason::ItemNotFound, ResultReason::ItemNotFound));
    let secret = bench.object(crate::view::testing::secret(b"s"), Vec::new());
    assert_eq!(refused(&secret), (ResultReason::InvalidObjectType, ResultReason::PermissionDenied));
    let stolen = public_key(&bench, &entity);
    let revocation = revoke::Request {
        unique_identifier: Some(stolen.clone()),
        revocation_reason: RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None },
        compromise_occurrence_date: None,
    };
    bench.run::<Revoke>(V, revocation).unwrap();
    assert_eq!(refused(&stolen), denied);
    let Object::PublicKey(mut block) = entity.public_key() else { panic!("no key") };
    block.key_value = None;
    let elsewhere = bench.object(Object::PublicKey(block), Vec::new());
    assert_eq!(refused(&elsewhere), denied);
    let weak = keyformat::RsaPublicParts { modulus: vec![0xC5; 128], exponent: vec![1, 0, 1] }.to_spki().unwrap();
    let weak = Canonical::Public { kind: KeyKind::Rsa { bits: 1024 }, spki: weak };
    let weak = keyblock::block(&weak, Some(CryptographicAlgorithm::RSA), KeyFormatType::X509).unwrap();
    let short = bench.object(Object::PublicKey(weak), Vec::new());
    let wanted = Request { attributes: attributes(vec![certificate_type()]), ..request(Some(&short), None) };
    assert_eq!(reason(&bench, wanted), ResultReason::PermissionDenied);
    let none = Bench::new();
    let key = public_key(&none, &entity);
    let wanted = request(Some(&key), Some(entity.request(vec![])));
    assert_eq!(reason(&none, wanted), ResultReason::OperationNotSupported);
}

#[test]
fn the_authority_may_have_its_key_in_the_store() {
    let root = Entity::new("CN=Authority");
    let held = root.certifying(terms());
    let managed = |identifier: &str| {
        let key = SigningKey::Managed { owner: "alice".into(), identifier: identifier.into() };
        Arc::new(Authority::new(held.chain().to_vec(), key, terms()).unwrap())
    };
    // The identifier is the server's to choose, so that the authority is there after the key.
    let keep = |mask| {
        let bench = Bench::new();
        let key = Canonical::Secret { kind: root.kind, bytes: root.pkcs8.clone() };
        let block = keyblock::block(&key, Some(CryptographicAlgorithm::EC), KeyFormatType::Pkcs8);
        let key = bench.object(Object::PrivateKey(block.unwrap()), vec![usage(mask)]);
        let UniqueIdentifier::Text(identifier) = key else { panic!("no text") };
        let authority = managed(&identifier);
        let entity = Entity::new("CN=entity");
        let wanted = Wanted {
            subject: entity.name.clone(),
            names: Default::default(),
            public_key: entity.spki.clone(),
            key_usage: None,
            extended: None,
            key_identifier: None,
            validity: (NOW, NOW + DAY),
        };
        // Whoever asks: the key is not theirs.
        bench.view_of("bob", V).issue(&authority, &wanted).map(|der| held.has_issued(&der))
    };
    assert_eq!(keep(Mask::CERTIFICATE_SIGN), Ok(true));
    // A key for other things certifies nothing, and whoever asks reads nothing of it.
    assert_eq!(keep(Mask::SIGN).unwrap_err().reason, ResultReason::InternalServerError);
}

#[test]
fn an_authority_signs_by_what_is_permitted_alone() {
    for name in ["ECDSA", "P-256", "SHA-256"] {
        let entity = Entity::new("CN=Somebody");
        let forbid = [name.to_owned()];
        let mut bench = with(|_| {});
        let key = public_key(&bench, &entity);
        bench.permit(Permits::changed(Preset::Legacy, &[], &[], &forbid).unwrap());
        let refused = bench.run::<Certify>(V, request(Some(&key), Some(entity.request(vec![])))).unwrap_err();
        assert_eq!(refused.reason, ResultReason::FeatureNotSupported, "{name}: {}", refused.message);
        assert!(refused.message.contains(&format!("{name} may not be ")), "{}", refused.message);
    }
}

/// Keys that say by themselves how they sign: as the authority's, as who asks, and as what is certified (RFC 8410 §5, RFC 9881,
/// RFC 9909, RFC 9935 §5).
#[test]
fn keys_of_ml_dsa_and_their_like_are_certified_and_certify() {
    use crate::crypto::algorithm::{Edwards, ParameterSet, Signature};
    let of_set = |set| KeyKind::PostQuantum { set };
    let own = [
        (KeyKind::Edwards { curve: Edwards::Ed25519 }, Signature::Eddsa, "1.3.101.112"),
        (of_set(ParameterSet::MlDsa65), Signature::MlDsa, "2.16.840.1.101.3.4.3.18"),
        (of_set(ParameterSet::SlhDsaSha2_128f), Signature::SlhDsa, "2.16.840.1.101.3.4.3.21"),
    ];
    for (kind, scheme, oid) in own {
        let root = Entity::pure("CN=Authority", kind, scheme, oid);
        let authority = Arc::new(root.certifying(terms()));
        let bench = Bench::with(Settings { authority: Some(Arc::clone(&authority)), ..Settings::default() }, None);
        let entity = Entity::pure("CN=entity", kind, scheme, oid);
        let key = public_key(&bench, &entity);
        let certificate = certified(&bench, request(Some(&key), Some(entity.request(vec![]))));
        let parsed = parsed(&bench, &certificate);
        assert_eq!(parsed.signature_algorithm.oid.to_string(), oid);
        assert_eq!(parsed.signature_algorithm.parameters, None);
        assert_eq!(parsed.signature_algorithm, parsed.tbs_certificate.signature);
        let (_, usages) = parsed.tbs_certificate.get::<KeyUsage>().unwrap().unwrap();
        assert_eq!(usages, KeyUsage(KeyUsages::DigitalSignature.into()));
        assert!(authority.has_issued(&der(&bench, &certificate)));
        // The attributes say what the key is; for the signature the standard has no value.
        let object = open(&bench, &certificate);
        assert_eq!(object.algorithm(), keyblock::algorithm_of(kind));
        let length = i32::try_from(keyblock::length_of(kind)).unwrap();
        assert_eq!(object.attributes.integer(Tag::CryptographicLength), Some(length));
        assert!(!object.attributes.has(Tag::DigitalSignatureAlgorithm));
        // Who asks has the key.
        let mut forged = entity.request(vec![]);
        *forged.last_mut().unwrap() ^= 1;
        assert_eq!(reason(&bench, request(Some(&key), Some(forged))), ResultReason::InvalidCSR);
        // Nor is it certified for what its algorithm does not do.
        if let KeyKind::PostQuantum { .. } = kind {
            let wrong = KeyUsage(KeyUsages::DigitalSignature | KeyUsages::KeyEncipherment);
            let asked = entity.request(vec![extension(&wrong, true)]);
            assert_eq!(reason(&bench, request(Some(&key), Some(asked))), ResultReason::PermissionDenied);
        }
    }
}

/// RFC 9935 §5.
#[test]
fn a_key_of_ml_kem_is_certified_to_encipher_keys_and_for_nothing_else() {
    use crate::crypto::algorithm::{ParameterSet, Signature};
    let bench = bench();
    // It signs nothing, no request either.
    let kind = KeyKind::PostQuantum { set: ParameterSet::MlKem768 };
    let key = public_key(&bench, &Entity::pure("CN=entity", kind, Signature::MlDsa, "2.16.840.1.101.3.4.4.2"));
    let asked = |said: Option<Mask>| {
        let said = [Some(certificate_type()), said.map(usage)];
        Request { attributes: attributes(said.into_iter().flatten().collect()), ..request(Some(&key), None) }
    };
    for mask in [None, Some(Mask::ENCRYPT), Some(Mask::WRAP_KEY), Some(Mask::ENCRYPT | Mask::WRAP_KEY)] {
        let certificate = certified(&bench, asked(mask));
        let (_, usages) = parsed(&bench, &certificate).tbs_certificate.get::<KeyUsage>().unwrap().unwrap();
        assert_eq!(usages, KeyUsage(KeyUsages::KeyEncipherment.into()));
    }
    for mask in [Mask::VERIFY, Mask::ENCRYPT | Mask::VERIFY, Mask::KEY_AGREEMENT] {
        assert_eq!(reason(&bench, asked(Some(mask))), ResultReason::PermissionDenied);
    }
}
