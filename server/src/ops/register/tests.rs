//! Every type of object registered, got, located and destroyed; templates; what holds an object back.

use kmip_codec::schema::{BigInteger, decode};
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, KeyFormatType, ObjectType, ResultReason as Reason, SplitKeyMethod, State, Tag,
    Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{
    Attribute, AttributeList, AttributeReferences, Attributes, CertificateRequest, Name, Object, PgpKey, SplitKey,
    Template, UniqueIdentifier,
};
use kmip_codec::{Element, Value};

use rustls::pki_types::CertificateDer;
use rustls::pki_types::pem::PemObject;

use super::{Register, Request};
use crate::failure::{Outcome, reason_in};
use crate::ops::activate::{self, Activate};
use crate::ops::create::{self, Create};
use crate::ops::create_key_pair::{self, CreateKeyPair};
use crate::ops::destroy::Destroy;
use crate::ops::get::{self, Get};
use crate::ops::get_attributes::{self, GetAttributes};
use crate::ops::locate::{self, Locate};
use crate::view::Settings;
use crate::view::testing::{Bench, block, secret, usage};

/// A PKCS#10 request for a P-256 key, made with another tool.
const PKCS10: &str = include_str!("request.hex");

fn named(name: &str) -> Attribute {
    let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
    let kind = Element::new(Tag::NameType, Value::Enumeration(1));
    Attribute::new(Tag::Name, Value::Structure(vec![text(Tag::NameValue, name), kind]))
}

fn group(name: &str) -> Attribute {
    Attribute::new(Tag::ObjectGroup, Value::TextString(name.into()))
}

fn custom(name: &str, value: &str) -> Attribute {
    let text = |tag, text: &str| Element::new(tag, Value::TextString(text.into()));
    let fields =
        vec![text(Tag::VendorIdentification, "x"), text(Tag::AttributeName, name), text(Tag::AttributeValue, value)];
    Attribute::new(Tag::Attribute, Value::Structure(fields))
}

fn number(tag: Tag, value: i32) -> Attribute {
    Attribute::new(tag, Value::Integer(value))
}

fn list(list: Vec<Attribute>) -> Attributes {
    Attributes { templates: Vec::new(), list }
}

/// Attributes after the templates of these names.
fn after(names: &[&str], list: Vec<Attribute>) -> Attributes {
    let name = |name: &&str| Name { value: Text::from(*name), kind: kmip_codec::spec::NameType(1) };
    Attributes { templates: names.iter().map(name).collect(), list }
}

fn register(bench: &Bench, version: Version, object: Object, attributes: Attributes) -> Outcome<UniqueIdentifier> {
    let request = Request { object_type: object.object_type(), attributes, object, protection_storage_masks: None };
    bench.run::<Register>(version, request).map(|made| UniqueIdentifier::Text(made.unique_identifier))
}

fn got(bench: &Bench, version: Version, identifier: &UniqueIdentifier) -> Outcome<Object> {
    let request = get::Request::of(identifier.clone());
    bench.run::<Get>(version, request).map(|answer| answer.object)
}

fn attributes(bench: &Bench, version: Version, identifier: &UniqueIdentifier) -> Vec<Attribute> {
    let request = get_attributes::Request {
        unique_identifier: Some(identifier.clone()),
        attributes: AttributeReferences::default(),
    };
    bench.run::<GetAttributes>(version, request).unwrap().attributes.0
}

fn values(list: &[Attribute], tag: Tag) -> Vec<Value> {
    list.iter().filter(|attribute| attribute.tag == tag).map(|attribute| attribute.value.clone()).collect()
}

fn of(identifier: &UniqueIdentifier) -> activate::Request {
    activate::Request { unique_identifier: Some(identifier.clone()) }
}

fn split(parts: i32, part: i32, threshold: i32, method: SplitKeyMethod) -> SplitKey {
    SplitKey {
        split_key_parts: parts,
        key_part_identifier: part,
        split_key_threshold: threshold,
        split_key_method: method,
        prime_field_size: None,
        key_block: block(KeyFormatType::Raw, Algorithm::AES, &[7; 16]),
    }
}

fn pgp(version: i32) -> Object {
    let mut key_block = block(KeyFormatType::Raw, Algorithm::RSA, b"-----BEGIN PGP PUBLIC KEY BLOCK-----");
    key_block.cryptographic_algorithm = None;
    Object::PGPKey(PgpKey { pgp_key_version: version, key_block })
}

fn request() -> Object {
    Object::CertificateRequest(CertificateRequest {
        certificate_request_type: kmip_codec::spec::CertificateRequestType::Pkcs10,
        certificate_request_value: Blob::new(hex::decode(PKCS10.trim()).unwrap()),
    })
}

fn template(attributes: Vec<Attribute>) -> Object {
    Object::Template(Template { attributes: AttributeList(attributes) })
}

fn reason<T>(outcome: Outcome<T>) -> Option<Reason> {
    outcome.err().map(|failure| failure.reason)
}

#[test]
fn every_further_type_comes_back_as_it_was_in_each_version_that_has_it() {
    let objects = [
        Object::SplitKey(split(4, 1, 3, SplitKeyMethod::PolynomialSharingGF216)),
        template(vec![group("g")]),
        pgp(4),
        request(),
    ];
    for object in objects {
        for &version in Version::ALL.iter().filter(|version| object.object_type().known_in(**version)) {
            let bench = Bench::new();
            let identifier = register(&bench, version, object.clone(), list(vec![named("n")])).unwrap();
            assert_eq!(got(&bench, version, &identifier).unwrap(), object, "{version}");
            let kind = Value::Enumeration(object.object_type().into());
            assert_eq!(values(&attributes(&bench, version, &identifier), Tag::ObjectType), [kind.clone()]);
            let find = locate::Request {
                maximum_items: None,
                offset_items: None,
                storage_status_mask: None,
                object_group_member: None,
                template_attribute: None,
                attributes: AttributeList(vec![Attribute::new(Tag::ObjectType, kind)]),
            };
            let found = bench.run::<Locate>(version, find).unwrap().unique_identifiers;
            assert_eq!(found.into_iter().map(UniqueIdentifier::Text).collect::<Vec<_>>(), [identifier.clone()]);
            bench.run::<Destroy>(version, of(&identifier)).unwrap();
            assert_eq!(reason(got(&bench, version, &identifier)), Some(Reason::ObjectDestroyed));
        }
    }
}

#[test]
fn a_version_sees_no_object_of_a_type_that_it_does_not_have() {
    let bench = Bench::new();
    let kept = register(&bench, Version::V1_4, template(vec![group("g")]), list(vec![group("all")])).unwrap();
    let asked = register(&bench, Version::V2_0, request(), list(vec![group("all")])).unwrap();
    let find = || locate::Request {
        maximum_items: None,
        offset_items: None,
        storage_status_mask: None,
        object_group_member: None,
        template_attribute: None,
        attributes: AttributeList(vec![group("all")]),
    };
    for (version, seen, hidden) in [(Version::V1_4, &kept, &asked), (Version::V2_1, &asked, &kept)] {
        assert_eq!(reason(got(&bench, version, hidden)), Some(Reason::ObjectNotFound));
        let found = bench.run::<Locate>(version, find()).unwrap().unique_identifiers;
        assert_eq!(found.into_iter().map(UniqueIdentifier::Text).collect::<Vec<_>>(), std::slice::from_ref(seen));
    }
}

#[test]
fn a_certificate_request_says_what_its_key_is() {
    let bench = Bench::new();
    let identifier = register(&bench, Version::V2_1, request(), list(vec![])).unwrap();
    let list = attributes(&bench, Version::V2_1, &identifier);
    assert_eq!(values(&list, Tag::CryptographicAlgorithm), [Value::Enumeration(Algorithm::EC.into())]);
    assert_eq!(values(&list, Tag::CryptographicLength), [Value::Integer(256)]);
    assert_eq!(values(&list, Tag::Digest).len(), 1);
    let broken = Object::CertificateRequest(CertificateRequest {
        certificate_request_type: kmip_codec::spec::CertificateRequestType::Pkcs10,
        certificate_request_value: Blob::copy_of(b"nothing"),
    });
    let refused = register(&bench, Version::V2_1, broken, Attributes::default());
    assert_eq!(reason(refused), Some(Reason::InvalidField));
}

#[test]
fn parts_and_versions_are_in_their_range() {
    use SplitKeyMethod as Method;
    let bench = Bench::new();
    let mut wrong = vec![
        Object::SplitKey(split(3, 0, 2, Method::PolynomialSharingGF216)),
        Object::SplitKey(split(3, 4, 2, Method::PolynomialSharingGF216)),
        Object::SplitKey(split(3, 1, 4, Method::PolynomialSharingGF216)),
        Object::SplitKey(split(3, 1, 0, Method::PolynomialSharingGF216)),
        Object::SplitKey(split(3, 1, 2, Method::XOR)),
        Object::SplitKey(split(3, 1, 2, Method::PolynomialSharingPrimeField)),
        pgp(2),
        pgp(5),
    ];
    for object in wrong.drain(..) {
        let refused = register(&bench, Version::V2_1, object.clone(), Attributes::default());
        assert_eq!(reason(refused), Some(Reason::InvalidField), "{object:?}");
    }
    let mut prime = split(3, 1, 2, Method::PolynomialSharingPrimeField);
    prime.prime_field_size = Some(BigInteger(Blob::copy_of(&[0, 0, 0, 0, 0, 1, 0, 1])));
    assert!(register(&bench, Version::V2_1, Object::SplitKey(prime), Attributes::default()).is_ok());
}

#[test]
fn a_template_has_attributes_of_its_own_and_no_life() {
    let bench = Bench::new();
    let inner = vec![
        group("inner"),
        custom("id", "inner"),
        Attribute::new(Tag::OperationPolicyName, Value::TextString("default".into())),
        Attribute::new(Tag::ActivationDate, Value::DateTime(1)),
    ];
    let own = list(vec![named("t"), custom("id", "own")]);
    let identifier = register(&bench, Version::V1_2, template(inner.clone()), own).unwrap();
    let Object::Template(back) = got(&bench, Version::V1_2, &identifier).unwrap() else { panic!("no Template") };
    assert_eq!(back.attributes.0, inner);
    let list = attributes(&bench, Version::V1_2, &identifier);
    assert_eq!(values(&list, Tag::Attribute), [custom("id", "own").value]);
    for tag in [Tag::State, Tag::Digest, Tag::Fresh, Tag::ObjectGroup, Tag::ActivationDate] {
        assert_eq!(values(&list, tag), [], "{tag}");
    }
    let illegal = bench.run::<Activate>(Version::V1_2, of(&identifier));
    assert_eq!(reason(illegal), Some(Reason::IllegalOperation));
    assert!(bench.run::<Destroy>(Version::V1_2, of(&identifier)).is_ok());

    // Its Name stands beside it: within, it would be the Name of every object that is made by it.
    let named = register(&bench, Version::V1_2, template(vec![named("inner")]), Attributes::default());
    assert_eq!(reason(named), Some(Reason::InvalidField));
    // In 1.0 it was the Template's own there.
    let identifier =
        register(&bench, Version::V1_0, template(vec![self::named("inner")]), Attributes::default()).unwrap();
    assert_eq!(values(&attributes(&bench, Version::V1_0, &identifier), Tag::Name), [self::named("inner").value]);
    let Object::Template(back) = got(&bench, Version::V1_0, &identifier).unwrap() else { panic!("no Template") };
    assert!(back.attributes.0.is_empty());
    let state = Attribute::new(Tag::State, Value::Enumeration(State::Active.into()));
    let refused = register(&bench, Version::V1_2, template(vec![state]), Attributes::default());
    assert!(refused.is_err());
}

fn create(bench: &Bench, attributes: Attributes) -> Outcome<UniqueIdentifier> {
    let object_type = ObjectType::SymmetricKey;
    let request = create::Request { object_type, attributes, protection_storage_masks: None };
    bench.run::<Create>(Version::V1_2, request).map(|made| UniqueIdentifier::Text(made.unique_identifier))
}

#[test]
fn requests_take_the_attributes_of_templates() {
    let bench = Bench::new();
    let algorithm = Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(Algorithm::AES.into()));
    let (tag, mask) = usage(kmip_codec::spec::CryptographicUsageMask::ENCRYPT);
    let contact = |text: &str| Attribute::new(Tag::ContactInformation, Value::TextString(text.into()));
    let first = vec![
        algorithm,
        Attribute::new(tag, mask),
        number(Tag::CryptographicLength, 128),
        group("one"),
        custom("id", "one"),
        contact("one"),
    ];
    let second = vec![number(Tag::CryptographicLength, 192), group("two"), group("one"), contact("two")];
    register(&bench, Version::V1_2, template(first), list(vec![named("first")])).unwrap();
    let second = register(&bench, Version::V1_2, template(second), list(vec![named("second")])).unwrap();

    // The last template wins over the one before it, the request over both; of several instances all are taken.
    let own = vec![custom("id", "own"), group("own"), contact("own")];
    let key = create(&bench, after(&["first", "second"], own)).unwrap();
    let found = attributes(&bench, Version::V1_2, &key);
    assert_eq!(values(&found, Tag::CryptographicLength), [Value::Integer(192)]);
    assert_eq!(values(&found, Tag::ContactInformation), [Value::TextString("own".into())]);
    let groups = ["one", "two", "own"].map(|group| Value::TextString(group.into()));
    assert_eq!(values(&found, Tag::ObjectGroup), groups);
    assert_eq!(values(&found, Tag::Attribute), [custom("id", "one").value, custom("id", "own").value]);
    let key = create(&bench, after(&["second", "first"], vec![])).unwrap();
    assert_eq!(values(&attributes(&bench, Version::V1_2, &key), Tag::CryptographicLength), [Value::Integer(128)]);

    // One that does not exist, any more, or is an object of another type.
    let missing = create(&bench, after(&["third"], vec![]));
    assert_eq!(reason(missing), Some(Reason::ItemNotFound));
    bench.run::<Destroy>(Version::V1_2, of(&second)).unwrap();
    assert_eq!(reason(create(&bench, after(&["first", "second"], vec![]))), Some(Reason::ItemNotFound));
    register(&bench, Version::V1_2, secret(b"s"), list(vec![named("secret")])).unwrap();
    assert_eq!(reason(create(&bench, after(&["secret"], vec![]))), Some(Reason::ItemNotFound));
}

#[test]
fn a_pair_takes_its_own_templates_before_the_common_attributes() {
    let bench = Bench::new();
    let algorithm = Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(Algorithm::ECDSA.into()));
    let contact = |text: &str| Attribute::new(Tag::ContactInformation, Value::TextString(text.into()));
    let mask = |mask| {
        let (tag, value) = usage(mask);
        Attribute::new(tag, value)
    };
    let keys =
        |name: &str, list_of| register(&bench, Version::V1_2, template(list_of), list(vec![named(name)])).unwrap();
    keys("common", vec![algorithm, contact("common template")]);
    keys("private", vec![contact("private template")]);
    let request = create_key_pair::Request {
        common: after(&["common"], vec![contact("common")]),
        private: after(&["private"], vec![mask(kmip_codec::spec::CryptographicUsageMask::SIGN)]),
        public: list(vec![mask(kmip_codec::spec::CryptographicUsageMask::VERIFY)]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    let pair = bench.run::<CreateKeyPair>(Version::V1_2, request).unwrap();
    for (key, from) in [(pair.private_key, "private template"), (pair.public_key, "common")] {
        let found = attributes(&bench, Version::V1_2, &UniqueIdentifier::Text(key));
        assert_eq!(values(&found, Tag::ContactInformation), [Value::TextString(from.into())]);
    }
}

#[test]
fn sensitive_and_extractable_hold_back_objects_of_every_type() {
    let flag = |tag, value| Attribute::new(tag, Value::Boolean(value));
    let certificate = || {
        let authority = kmipd_certs::Authority::new().unwrap();
        let der = CertificateDer::from_pem_slice(authority.cert_pem().as_bytes()).unwrap();
        Object::Certificate(kmip_codec::types::Certificate {
            certificate_type: kmip_codec::spec::CertificateType::X509,
            certificate_value: Blob::copy_of(&der),
        })
    };
    let objects =
        [secret(b"s"), Object::SplitKey(split(2, 1, 2, SplitKeyMethod::XOR)), pgp(4), request(), certificate()];
    for object in objects {
        let bench = Bench::new();
        let held = |attribute| {
            let identifier = register(&bench, Version::V2_1, object.clone(), list(vec![attribute])).unwrap();
            reason(got(&bench, Version::V2_1, &identifier))
        };
        assert_eq!(held(flag(Tag::Sensitive, true)), Some(Reason::Sensitive), "{object:?}");
        assert_eq!(held(flag(Tag::Extractable, false)), Some(Reason::NotExtractable), "{object:?}");
        assert_eq!(held(flag(Tag::Sensitive, false)), None);
    }
    assert_eq!(reason_in(Version::V1_3, Reason::Sensitive), Reason::PermissionDenied);
}

#[test]
fn the_default_of_extractable_is_for_what_hides_something() {
    let bench = Bench::with(Settings { extractable: false, ..Settings::default() }, None);
    for (object, version, open) in [
        (secret(b"s"), Version::V1_2, false),
        (pgp(4), Version::V1_2, false),
        (template(vec![]), Version::V1_4, true),
        (request(), Version::V2_1, true),
    ] {
        let identifier = register(&bench, version, object, Attributes::default()).unwrap();
        assert_eq!(got(&bench, version, &identifier).is_ok(), open);
    }
}

#[test]
fn keys_in_formats_that_2_x_dropped_are_kept_whole() {
    let bench = Bench::new();
    let mut key_block = block(KeyFormatType::TransparentECDSAPrivateKey, Algorithm::ECDSA, &[]);
    key_block.cryptographic_length = Some(256);
    let curve = Element::new(Tag::RecommendedCurve, Value::Enumeration(6));
    let scalar = Element::new(Tag::D, Value::BigInteger(Blob::copy_of(&[1; 32])));
    key_block.key_value = Some(kmip_codec::types::KeyValue::Plain {
        material: kmip_codec::types::KeyMaterial::Structure(vec![curve, scalar]),
        attributes: AttributeList::default(),
    });
    let object = Object::PrivateKey(key_block);
    let identifier = register(&bench, Version::V1_2, object.clone(), Attributes::default()).unwrap();
    let Object::PrivateKey(back) = got(&bench, Version::V1_2, &identifier).unwrap() else { panic!("no key") };
    assert_eq!(back.key_format_type, KeyFormatType::TransparentECDSAPrivateKey);
}

#[test]
fn the_type_is_that_of_the_object() {
    let bench = Bench::new();
    let request = Request {
        object_type: ObjectType::SplitKey,
        attributes: Attributes::default(),
        object: secret(b"s"),
        protection_storage_masks: None,
    };
    assert_eq!(reason(bench.run::<Register>(Version::V2_1, request)), Some(Reason::InvalidField));
    // A template is no object of 2.x.
    let fields = vec![
        Element::new(Tag::ObjectType, Value::Enumeration(ObjectType::Template.into())),
        Element::new(Tag::Attributes, Value::Structure(Vec::new())),
        Element::new(Tag::Template, Value::Structure(Vec::new())),
    ];
    let payload = Element::new(Tag::RequestPayload, Value::Structure(fields));
    assert!(decode::<Request>(payload, Version::V2_0).is_err());
}
