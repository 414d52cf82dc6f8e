//! Create Split Key and Join Split Key: every method, what is taken over, and each error. The parts over bytes are those
//! of the published test case TC-SJ-3.

use kmip_codec::Value;
use kmip_codec::schema::BigInteger;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, KeyFormatType, ObjectType,
    ResultReason as Reason, SecretDataType, SplitKeyMethod as Method, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Attributes, KeyMaterial, KeyValue, Object, SecretData, SplitKey, UniqueIdentifier};

use super::{JoinSplitKey, Request};
use crate::failure::Outcome;
use crate::ops::activate;
use crate::ops::create_split_key::{self, CreateSplitKey};
use crate::ops::destroy::Destroy;
use crate::ops::get::{self, Get};
use crate::trust::policy::Use;
use crate::view::testing::{Bench, block, secret, structured, usage};

const KEY: [u8; 16] = [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16];

fn list(list: Vec<(Tag, Value)>) -> Attributes {
    let list = list.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
    Attributes { templates: Vec::new(), list }
}

fn splitting(key: Option<&UniqueIdentifier>, parts: i32, threshold: i32, method: Method) -> create_split_key::Request {
    create_split_key::Request {
        object_type: ObjectType::SplitKey,
        unique_identifier: key.cloned(),
        split_key_parts: parts,
        split_key_threshold: threshold,
        split_key_method: method,
        prime_field_size: None,
        attributes: Attributes::default(),
        protection_storage_masks: None,
    }
}

fn split(bench: &Bench, request: create_split_key::Request) -> Outcome<Vec<UniqueIdentifier>> {
    let made = bench.run::<CreateSplitKey>(Version::V2_1, request)?;
    Ok(made.unique_identifiers.into_iter().map(UniqueIdentifier::Text).collect())
}

fn joining(object_type: ObjectType, parts: &[UniqueIdentifier]) -> Request {
    Request {
        object_type,
        unique_identifiers: parts.to_vec(),
        secret_data_type: None,
        attributes: Attributes::default(),
        protection_storage_masks: None,
    }
}

fn join(bench: &Bench, request: Request) -> Outcome<UniqueIdentifier> {
    let joined = bench.run::<JoinSplitKey>(Version::V2_1, request)?;
    Ok(UniqueIdentifier::Text(joined.unique_identifier))
}

fn got(bench: &Bench, object: &UniqueIdentifier) -> Outcome<Object> {
    let request = get::Request::of(object.clone());
    bench.run::<Get>(Version::V2_1, request).map(|answer| answer.object)
}

fn bytes(object: &Object) -> Vec<u8> {
    match &object.key_block().unwrap().key_value {
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => bytes.to_vec(),
        _ => panic!("no bytes"),
    }
}

fn flag(bench: &Bench, object: &UniqueIdentifier, tag: Tag) -> Option<bool> {
    let mut view = bench.view(Version::V2_1);
    view.open(Some(object), Use::ReadAttributes).unwrap().attributes.boolean(tag)
}

fn reason<T>(outcome: Outcome<T>) -> Option<Reason> {
    outcome.err().map(|failure| failure.reason)
}

fn key(bench: &Bench, more: Vec<(Tag, Value)>) -> UniqueIdentifier {
    bench.key(Algorithm::AES, &KEY, Mask::ENCRYPT, more)
}

const METHODS: [(Method, i32); 4] = [
    (Method::XOR, 5),
    (Method::PolynomialSharingGF28, 3),
    (Method::PolynomialSharingGF216, 3),
    (Method::PolynomialSharingPrimeField, 3),
];

#[test]
fn a_key_comes_back_from_as_many_parts_as_it_takes() {
    for (method, threshold) in METHODS {
        let bench = Bench::new();
        let parts = split(&bench, splitting(Some(&key(&bench, vec![])), 5, threshold, method)).unwrap();
        assert_eq!(parts.len(), 5);
        for (place, part) in parts.iter().enumerate() {
            let Object::SplitKey(part) = got(&bench, part).unwrap() else { panic!("no Split Key") };
            assert_eq!((part.split_key_parts, part.split_key_threshold, part.split_key_method), (5, threshold, method));
            assert_eq!(part.key_part_identifier, i32::try_from(place).unwrap() + 1);
            assert_eq!(part.key_block.cryptographic_algorithm, Some(Algorithm::AES));
            assert_eq!(part.prime_field_size.is_some(), method == Method::PolynomialSharingPrimeField);
            assert_ne!(bytes(&Object::SplitKey(part)), KEY);
        }
        let needed = usize::try_from(threshold).unwrap();
        let some: Vec<_> = parts.iter().rev().take(needed).cloned().collect();
        let joined = join(&bench, joining(ObjectType::SymmetricKey, &some)).unwrap();
        let object = got(&bench, &joined).unwrap();
        assert_eq!(bytes(&object), KEY, "{method}");
        assert_eq!(object.key_block().unwrap().cryptographic_algorithm, Some(Algorithm::AES));
        let fewer = joining(ObjectType::SymmetricKey, &some[1..]);
        assert_eq!(reason(join(&bench, fewer)), Some(Reason::CryptographicFailure), "{method}");
        let mut twice = some.clone();
        twice[0] = twice[1].clone();
        let twice = joining(ObjectType::SymmetricKey, &twice);
        assert_eq!(reason(join(&bench, twice)), Some(Reason::CryptographicFailure), "{method}");
    }
}

#[test]
fn a_key_is_made_for_its_parts_alone() {
    let bench = Bench::new();
    let mut request = splitting(None, 3, 2, Method::PolynomialSharingGF28);
    let algorithm = (Tag::CryptographicAlgorithm, Value::Enumeration(Algorithm::AES.into()));
    request.attributes = list(vec![algorithm, (Tag::CryptographicLength, Value::Integer(192))]);
    let parts = split(&bench, request).unwrap();
    let pairs = [[0, 1], [0, 2], [1, 2]].map(|places| places.map(|place: usize| parts[place].clone()));
    let keys = pairs
        .map(|pair| bytes(&got(&bench, &join(&bench, joining(ObjectType::SymmetricKey, &pair)).unwrap()).unwrap()));
    assert_eq!(keys[0].len(), 24);
    assert!(keys.iter().all(|key| *key == keys[0]));
}

#[test]
fn secrets_and_private_keys_are_split_too() {
    let bench = Bench::new();
    // A password whose length no attribute tells, with a zero before it.
    let password = bench.object(secret(b"\0word"), vec![]);
    for (method, threshold) in METHODS {
        let made = split(&bench, splitting(Some(&password), 5, threshold, method));
        if method == Method::PolynomialSharingGF216 {
            assert_eq!(reason(made), Some(Reason::BadCryptographicParameters), "two bytes at a time");
            continue;
        }
        let request = Request {
            secret_data_type: Some(SecretDataType::Password),
            ..joining(ObjectType::SecretData, &made.unwrap())
        };
        let object = got(&bench, &join(&bench, request).unwrap()).unwrap();
        let Object::SecretData(SecretData { secret_data_type, .. }) = &object else { panic!("no secret") };
        assert_eq!(*secret_data_type, SecretDataType::Password);
        // Modulo a prime it is a number: zeros before it are lost where nothing tells the length.
        let expected: &[u8] = if method == Method::PolynomialSharingPrimeField { b"word" } else { b"\0word" };
        assert_eq!(bytes(&object), expected, "{method}");
    }
    let der = crate::crypto::keyformat::EcPrivateParts {
        curve: crate::crypto::algorithm::Curve::P256,
        d: crate::secret::Secret::new(vec![7; 32]),
    };
    let pkcs8 = der.to_pkcs8().unwrap();
    let object = Object::PrivateKey(block(KeyFormatType::Pkcs8, Algorithm::EC, pkcs8.expose()));
    let private = bench.object(object, vec![usage(Mask::SIGN)]);
    let parts = split(&bench, splitting(Some(&private), 2, 2, Method::PolynomialSharingGF28)).unwrap();
    let joined = got(&bench, &join(&bench, joining(ObjectType::PrivateKey, &parts)).unwrap()).unwrap();
    assert_eq!(bytes(&joined), pkcs8.expose());
    assert_eq!(joined.key_block().unwrap().key_format_type, KeyFormatType::Pkcs8);
}

/// A part as another server made it.
fn foreign(number: i32, hex: &str) -> Object {
    let mut key_block = block(KeyFormatType::Raw, Algorithm::AES, &hex::decode(hex).unwrap());
    key_block.cryptographic_algorithm = None;
    Object::SplitKey(SplitKey {
        split_key_parts: 4,
        key_part_identifier: number,
        split_key_threshold: 2,
        split_key_method: Method::PolynomialSharingGF28,
        prime_field_size: None,
        key_block,
    })
}

#[test]
fn parts_of_another_server_are_joined() {
    let bench = Bench::new();
    let parts = [(1, "66C46A7754F94DE420C7B1A7FFF5EC56"), (3, "A855B891F61AD9217240D8EC061E37DA")]
        .map(|(number, hex)| bench.object(foreign(number, hex), vec![]));
    let mut request = joining(ObjectType::SymmetricKey, &parts);
    let algorithm = (Tag::CryptographicAlgorithm, Value::Enumeration(Algorithm::AES.into()));
    request.attributes = list(vec![algorithm, (Tag::CryptographicLength, Value::Integer(128))]);
    assert_eq!(bytes(&got(&bench, &join(&bench, request).unwrap()).unwrap()), KEY);
    // Parts of different keys are not joined.
    let mut other = foreign(2, "CF93D1E2A7E593CD5B8D6247F4E5D49C");
    if let Object::SplitKey(other) = &mut other {
        other.split_key_parts = 5;
    }
    let mixed = [parts[0].clone(), bench.object(other, vec![])];
    let mixed = join(&bench, joining(ObjectType::SymmetricKey, &mixed));
    assert_eq!(reason(mixed), Some(Reason::BadCryptographicParameters));
}

#[test]
fn the_strictest_flags_stay() {
    let boolean = |tag, value| (tag, Value::Boolean(value));
    let bench = Bench::new();
    let sensitive = key(&bench, vec![boolean(Tag::Sensitive, true)]);
    let mut request = splitting(Some(&sensitive), 2, 2, Method::PolynomialSharingGF28);
    request.attributes = list(vec![boolean(Tag::Sensitive, false)]);
    let parts = split(&bench, request).unwrap();
    for part in &parts {
        assert_eq!(flag(&bench, part, Tag::Sensitive), Some(true));
        assert_eq!(flag(&bench, part, Tag::AlwaysSensitive), Some(true));
        assert_eq!(reason(got(&bench, part)), Some(Reason::Sensitive));
    }
    let mut request = joining(ObjectType::SymmetricKey, &parts);
    request.attributes = list(vec![boolean(Tag::Sensitive, false)]);
    let joined = join(&bench, request).unwrap();
    assert_eq!(flag(&bench, &joined, Tag::Sensitive), Some(true));
    assert_eq!(flag(&bench, &joined, Tag::AlwaysSensitive), Some(true));
    // One part that may not leave, and the whole may not; parts of a key that was open once were not always sensitive.
    let parts = split(&bench, splitting(Some(&key(&bench, vec![])), 2, 2, Method::XOR)).unwrap();
    let mut view = bench.view(Version::V2_1);
    let part = view.open(Some(&parts[1]), Use::ChangeAttributes).unwrap();
    view.edit(&part, |object| {
        object.attributes.set(Tag::Extractable, Value::Boolean(false));
        object.attributes.set(Tag::Sensitive, Value::Boolean(true));
        Ok(())
    })
    .unwrap();
    bench.commit(&view);
    let joined = join(&bench, joining(ObjectType::SymmetricKey, &parts)).unwrap();
    assert_eq!(reason(got(&bench, &joined)), Some(Reason::NotExtractable));
    assert_eq!(flag(&bench, &joined, Tag::NeverExtractable), Some(false));
    assert_eq!(flag(&bench, &joined, Tag::AlwaysSensitive), Some(false));
    // A key that may not leave is not split.
    let kept = key(&bench, vec![boolean(Tag::Extractable, false)]);
    let refused = split(&bench, splitting(Some(&kept), 2, 2, Method::XOR));
    assert_eq!(reason(refused), Some(Reason::PermissionDenied));
}

#[test]
fn what_is_not_split() {
    let bench = Bench::new();
    let whole = key(&bench, vec![]);
    let refused = |request| reason(split(&bench, request));
    let gf8 = Method::PolynomialSharingGF28;
    let wrong_type =
        create_split_key::Request { object_type: ObjectType::SymmetricKey, ..splitting(Some(&whole), 2, 2, gf8) };
    assert_eq!(refused(wrong_type), Some(Reason::InvalidObjectType));
    assert_eq!(refused(splitting(Some(&"nobody".into()), 2, 2, gf8)), Some(Reason::ItemNotFound));
    let opaque = bench.object(
        Object::OpaqueObject(kmip_codec::types::OpaqueObject {
            opaque_data_type: kmip_codec::spec::OpaqueDataType(0x8000_0001),
            opaque_data_value: Blob::copy_of(b"x"),
        }),
        vec![],
    );
    assert_eq!(refused(splitting(Some(&opaque), 2, 2, gf8)), Some(Reason::InvalidObjectType));
    assert_eq!(refused(splitting(Some(&whole), 2, 3, gf8)), Some(Reason::BadCryptographicParameters));
    assert_eq!(refused(splitting(Some(&whole), 3, 2, Method::XOR)), Some(Reason::BadCryptographicParameters));
    for (parts, threshold) in [(0, 0), (-1, 1), (2, 0)] {
        assert_eq!(refused(splitting(Some(&whole), parts, threshold, gf8)), Some(Reason::InvalidField));
    }
    assert_eq!(refused(splitting(Some(&whole), 256, 2, gf8)), Some(Reason::ServerLimitExceeded));
    let extension = splitting(Some(&whole), 2, 2, Method(0x8000_0001));
    assert_eq!(refused(extension), Some(Reason::UnsupportedCryptographicParameters));
    let prime = |method, bytes: &[u8]| create_split_key::Request {
        prime_field_size: Some(BigInteger(Blob::copy_of(bytes))),
        ..splitting(Some(&whole), 2, 2, method)
    };
    assert_eq!(refused(prime(gf8, &[7])), Some(Reason::InvalidField));
    let field = Method::PolynomialSharingPrimeField;
    for bytes in [&[0x10][..], &[0x80, 1], &[], &[0, 0, 0, 0, 0, 1, 0, 1]] {
        assert_eq!(refused(prime(field, bytes)), Some(Reason::BadCryptographicParameters), "{bytes:?}");
    }
    // A Mersenne prime: 2^521 - 1.
    let mersenne = [vec![1], vec![0xFF; 65]].concat();
    assert_eq!(refused(prime(field, &mersenne)), None);
    let name = kmip_codec::types::Name { value: Text::from("one"), kind: kmip_codec::spec::NameType(1) };
    let mut named = splitting(Some(&whole), 2, 2, gf8);
    named.attributes = list(vec![structured(Tag::Name, &name)]);
    assert_eq!(refused(named), Some(Reason::NonUniqueNameAttribute));
    let destroyed = bench.object(secret(b"s"), vec![(Tag::ActivationDate, Value::DateTime(i64::MAX))]);
    bench.run::<Destroy>(Version::V2_1, activate::Request { unique_identifier: Some(destroyed.clone()) }).unwrap();
    assert_eq!(refused(splitting(Some(&destroyed), 2, 2, gf8)), Some(Reason::ItemNotFound));
}

#[test]
fn what_is_not_joined() {
    let bench = Bench::new();
    let whole = key(&bench, vec![]);
    let parts = split(&bench, splitting(Some(&whole), 2, 2, Method::PolynomialSharingGF28)).unwrap();
    let refused = |request| reason(join(&bench, request));
    assert_eq!(refused(joining(ObjectType::Certificate, &parts)), Some(Reason::InvalidObjectType));
    let whole = [parts[0].clone(), whole];
    assert_eq!(refused(joining(ObjectType::SymmetricKey, &whole)), Some(Reason::InvalidObjectType));
    let missing = [parts[0].clone(), "nobody".into()];
    assert_eq!(refused(joining(ObjectType::SymmetricKey, &missing)), Some(Reason::ObjectNotFound));
    assert_eq!(refused(joining(ObjectType::SymmetricKey, &[])), Some(Reason::InvalidField));
    let typed = Request { secret_data_type: Some(SecretDataType::Seed), ..joining(ObjectType::SymmetricKey, &parts) };
    assert_eq!(refused(typed), Some(Reason::InvalidField));
    let mut contradicts = joining(ObjectType::SymmetricKey, &parts);
    contradicts.attributes = list(vec![(Tag::CryptographicLength, Value::Integer(256))]);
    assert_eq!(refused(contradicts), Some(Reason::InvalidField));
}
