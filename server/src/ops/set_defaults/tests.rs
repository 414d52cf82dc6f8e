//! Set Defaults: what is refused, and which operations take the defaults.

use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm, CryptographicUsageMask, DerivationMethod, HashingAlgorithm, KeyFormatType, SplitKeyMethod,
    Tag, Version,
};
use kmip_codec::types::{AttributeList, Attributes, KeyBlock, ObjectDefaults, ObjectTypes, UniqueIdentifier};

use super::*;
use crate::object::AttributeSet;
use crate::ops::create::{self, Create};
use crate::ops::create_split_key::{self, CreateSplitKey};
use crate::ops::derive_key::{self, DeriveKey};
use crate::ops::import::{self, Import};
use crate::ops::join_split_key::{self, JoinSplitKey};
use crate::ops::re_key::{self, ReKey};
use crate::ops::register::{self, Register};
use crate::trust::policy::Use;
use crate::trust::requester::Requester;
use crate::view::Settings;
use crate::view::testing::{Bench, block, usage};

fn length(bits: i32) -> Attribute {
    Attribute::new(Tag::CryptographicLength, Value::Integer(bits))
}

fn group(name: &str) -> Attribute {
    Attribute::new(Tag::ObjectGroup, Value::TextString(name.into()))
}

fn defaults(kind: ObjectType, list: Vec<Attribute>, groups: &[&str]) -> ObjectDefaults {
    let object_groups: Vec<_> = groups.iter().map(|name| (*name).into()).collect();
    ObjectDefaults {
        object_type: None,
        object_types: Some(ObjectTypes { object_types: vec![kind] }),
        attributes: Attributes { list, ..Attributes::default() },
        object_groups: (!groups.is_empty()).then_some(ObjectGroups { groups: object_groups }),
    }
}

fn set(bench: &Bench, object_defaults: Option<Vec<ObjectDefaults>>) -> Outcome<Response> {
    let mut view = bench.view(Version::V2_1);
    view.set_requester(Requester { administrator: true, ..Requester::new("alice") });
    let defaults_information = object_defaults.map(|object_defaults| DefaultsInformation { object_defaults });
    let outcome = SetDefaults::run(&mut view, Request { defaults_information });
    if outcome.is_ok() {
        bench.commit(&view);
    }
    outcome
}

/// The length of an AES key that is made so.
fn made(bench: &Bench, mut list: Vec<Attribute>) -> Option<i32> {
    let algorithm = Value::Enumeration(CryptographicAlgorithm::AES.into());
    list.push(Attribute::new(Tag::CryptographicAlgorithm, algorithm));
    let mask = CryptographicUsageMask::ENCRYPT.bits().cast_signed();
    list.push(Attribute::new(Tag::CryptographicUsageMask, Value::Integer(mask)));
    let request = create::Request {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes { list, ..Attributes::default() },
        protection_storage_masks: None,
    };
    let response = bench.run::<Create>(Version::V2_1, request).unwrap();
    let identifier = kmip_codec::types::UniqueIdentifier::Text(response.unique_identifier);
    let mut view = bench.view(Version::V2_1);
    view.open(Some(&identifier), Use::ReadAttributes).unwrap().attributes.integer(Tag::CryptographicLength)
}

#[test]
fn a_new_object_has_what_the_defaults_say_and_its_client_does_not() {
    let bench = Bench::new();
    let symmetric = ObjectType::SymmetricKey;
    set(
        &bench,
        Some(vec![
            defaults(symmetric, vec![length(192)], &[]),
            defaults(symmetric, vec![length(128)], &["short", "other"]),
            defaults(ObjectType::SecretData, vec![length(64)], &[]),
        ]),
    )
    .unwrap();
    assert_eq!(made(&bench, vec![]), Some(192));
    assert_eq!(made(&bench, vec![length(256)]), Some(256));
    assert_eq!(made(&bench, vec![group("short")]), Some(128));
    assert_eq!(made(&bench, vec![group("long")]), Some(192));
    set(&bench, None).unwrap();
    assert_eq!(bench.view(Version::V2_1).defaults().unwrap().object_defaults, []);
}

#[test]
fn errors_are_those_of_the_table() {
    let settings = Settings { object_groups: vec!["known".to_owned()], ..Settings::default() };
    let bench = Bench::with(settings, None);
    let symmetric = ObjectType::SymmetricKey;
    let state = Attribute::new(Tag::State, Value::Enumeration(2));
    let foreign = Attribute::new(Tag::CertificateType, Value::Enumeration(1));
    let both = ObjectDefaults { object_type: Some(symmetric), ..defaults(symmetric, vec![], &[]) };
    let neither = ObjectDefaults { object_types: None, ..defaults(symmetric, vec![], &[]) };
    for (wrong, expected) in [
        (both, ResultReason::InvalidField),
        (neither, ResultReason::InvalidField),
        (defaults(symmetric, vec![state], &[]), ResultReason::InvalidField),
        (defaults(symmetric, vec![foreign], &[]), ResultReason::InvalidField),
        (defaults(ObjectType::Template, vec![], &[]), ResultReason::InvalidObjectType),
        (defaults(symmetric, vec![length(128)], &["unknown"]), ResultReason::UnknownObjectGroup),
    ] {
        let failure = set(&bench, Some(vec![wrong.clone()])).unwrap_err();
        assert_eq!(failure.reason, expected, "{wrong:?}: {failure}");
    }
    set(&bench, Some(vec![defaults(symmetric, vec![length(128)], &["known"])])).unwrap();
    let denied = bench.run::<SetDefaults>(Version::V2_1, Request { defaults_information: None }).unwrap_err();
    assert_eq!(denied.reason, ResultReason::PermissionDenied);
}

/// The attributes of an object.
fn of(bench: &Bench, identifier: impl Into<kmip_codec::ttlv::Text>) -> AttributeSet {
    let mut view = bench.view(Version::V2_1);
    let identifier = UniqueIdentifier::Text(identifier.into());
    view.open(Some(&identifier), Use::ReadAttributes).unwrap().attributes.clone()
}

fn algorithm(algorithm: CryptographicAlgorithm) -> Attribute {
    Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into()))
}

fn mask(mask: CryptographicUsageMask) -> Attribute {
    let (tag, value) = usage(mask);
    Attribute::new(tag, value)
}

fn comment() -> Attribute {
    Attribute::new(Tag::Comment, Value::TextString("made here".into()))
}

/// A server whose Symmetric Keys are ChaCha20 keys with a Comment that sign, unless somebody says otherwise.
fn strange(kind: ObjectType) -> Bench {
    let bench = Bench::new();
    let list = vec![algorithm(CryptographicAlgorithm::ChaCha20), length(256), mask(SIGN), comment()];
    set(&bench, Some(vec![defaults(kind, list, &[])])).unwrap();
    bench
}

const SIGN: CryptographicUsageMask = CryptographicUsageMask::SIGN;

/// Algorithm, length, mask, and whether there is a Comment.
fn told(attributes: &AttributeSet) -> (Option<CryptographicAlgorithm>, Option<i32>, Option<i32>, bool) {
    (
        attributes.enumeration(Tag::CryptographicAlgorithm),
        attributes.integer(Tag::CryptographicLength),
        attributes.integer(Tag::CryptographicUsageMask),
        attributes.get(Tag::Comment).is_some(),
    )
}

const DEFAULTS: (Option<CryptographicAlgorithm>, Option<i32>, Option<i32>, bool) =
    (Some(CryptographicAlgorithm::ChaCha20), Some(256), Some(SIGN.bits().cast_signed()), true);

/// An AES key of 128 bits that encrypts.
fn registered(bench: &Bench) -> UniqueIdentifier {
    let request = register::Request {
        object_type: ObjectType::SymmetricKey,
        attributes: Attributes { list: vec![mask(CryptographicUsageMask::ENCRYPT)], ..Attributes::default() },
        object: Object::SymmetricKey(block(KeyFormatType::Raw, CryptographicAlgorithm::AES, &[7; 16])),
        protection_storage_masks: None,
    };
    UniqueIdentifier::Text(bench.run::<Register>(Version::V2_1, request).unwrap().unique_identifier)
}

#[test]
fn what_is_registered_speaks_for_itself() {
    let bench = strange(ObjectType::SymmetricKey);
    let register = |block: KeyBlock| {
        let request = register::Request {
            object_type: ObjectType::SymmetricKey,
            attributes: Attributes::default(),
            object: Object::SymmetricKey(block),
            protection_storage_masks: None,
        };
        of(&bench, bench.run::<Register>(Version::V2_1, request).unwrap().unique_identifier)
    };
    let key = |bytes: &[u8]| block(KeyFormatType::Raw, CryptographicAlgorithm::AES, bytes);
    let mask = Some(SIGN.bits().cast_signed());
    // A key block that says algorithm and length; one that says neither, of whose bytes the length is known.
    assert_eq!(told(&register(key(&[1; 16]))), (Some(CryptographicAlgorithm::AES), Some(128), mask, true));
    let silent = KeyBlock { cryptographic_algorithm: None, cryptographic_length: None, ..key(&[2; 32]) };
    assert_eq!(told(&register(silent)), DEFAULTS);
    let silent = KeyBlock { cryptographic_length: None, ..key(&[3; 24]) };
    assert_eq!(told(&register(silent)), (Some(CryptographicAlgorithm::AES), Some(192), mask, true));
}

#[test]
fn what_is_derived_takes_the_defaults() {
    let bench = strange(ObjectType::SymmetricKey);
    let guarded = vec![(Tag::Sensitive, Value::Boolean(true))];
    let derive = CryptographicUsageMask::DERIVE_KEY;
    let base = bench.key(CryptographicAlgorithm::AES, &[7; 16], derive, guarded);
    let not = Attribute::new(Tag::Sensitive, Value::Boolean(false));
    let list = vec![algorithm(CryptographicAlgorithm::ChaCha20), length(256), mask(SIGN), comment(), not];
    set(&bench, Some(vec![defaults(ObjectType::SymmetricKey, list, &[])])).unwrap();
    let parameters = kmip_codec::types::CryptographicParameters {
        hashing_algorithm: Some(HashingAlgorithm::SHA256),
        ..Default::default()
    };
    let request = derive_key::Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: vec![base],
        derivation_method: DerivationMethod::HMAC,
        derivation_parameters: derive_key::DerivationParameters {
            cryptographic_parameters: Some(parameters),
            derivation_data: vec![kmip_codec::ttlv::Blob::copy_of(b"data")],
            ..Default::default()
        },
        attributes: Attributes::default(),
        protection_storage_masks: None,
    };
    let derived = of(&bench, bench.run::<DeriveKey>(Version::V2_1, request).unwrap().unique_identifier);
    assert_eq!(told(&derived), DEFAULTS);
    // What guards the base guards what comes of it, whatever the default says.
    assert_eq!(derived.boolean(Tag::Sensitive), Some(true));
}

#[test]
fn parts_are_of_their_key_and_the_whole_is_of_its_parts() {
    let bench = strange(ObjectType::SplitKey);
    let split = |key: Option<UniqueIdentifier>| {
        let request = create_split_key::Request {
            object_type: ObjectType::SplitKey,
            unique_identifier: key,
            split_key_parts: 2,
            split_key_threshold: 2,
            split_key_method: SplitKeyMethod::XOR,
            prime_field_size: None,
            attributes: Attributes::default(),
            protection_storage_masks: None,
        };
        bench.run::<CreateSplitKey>(Version::V2_1, request).unwrap().unique_identifiers
    };
    let signing = Some(SIGN.bits().cast_signed());
    assert_eq!(told(&of(&bench, split(None)[0].clone())), DEFAULTS);
    let parts = split(Some(registered(&bench)));
    assert_eq!(told(&of(&bench, parts[0].clone())), (Some(CryptographicAlgorithm::AES), Some(128), signing, true));

    let list = vec![algorithm(CryptographicAlgorithm::ChaCha20), length(256), mask(SIGN), comment()];
    set(&bench, Some(vec![defaults(ObjectType::SymmetricKey, list, &[])])).unwrap();
    let request = join_split_key::Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: parts.into_iter().map(UniqueIdentifier::Text).collect(),
        secret_data_type: None,
        attributes: Attributes::default(),
        protection_storage_masks: None,
    };
    let joined = of(&bench, bench.run::<JoinSplitKey>(Version::V2_1, request).unwrap().unique_identifier);
    assert_eq!(told(&joined), (Some(CryptographicAlgorithm::AES), Some(128), signing, true));
}

#[test]
fn a_replacement_and_an_import_take_nothing() {
    let bench = Bench::new();
    let key = registered(&bench);
    let list = vec![algorithm(CryptographicAlgorithm::ChaCha20), length(256), mask(SIGN), comment()];
    set(&bench, Some(vec![defaults(ObjectType::SymmetricKey, list, &[])])).unwrap();
    let own = Some(CryptographicUsageMask::ENCRYPT.bits().cast_signed());
    let request = re_key::Request {
        unique_identifier: Some(key),
        offset: None,
        attributes: Attributes::default(),
        protection_storage_masks: None,
    };
    let replaced = of(&bench, bench.run::<ReKey>(Version::V2_1, request).unwrap().unique_identifier);
    assert_eq!(told(&replaced), (Some(CryptographicAlgorithm::AES), Some(128), own, false));
    let request = import::Request {
        unique_identifier: "from-elsewhere".into(),
        object_type: Some(ObjectType::SymmetricKey),
        replace_existing: None,
        key_wrap_type: None,
        attributes: AttributeList(vec![mask(CryptographicUsageMask::ENCRYPT)]),
        object: Object::SymmetricKey(block(KeyFormatType::Raw, CryptographicAlgorithm::AES, &[7; 16])),
    };
    let imported = of(&bench, bench.run::<Import>(Version::V2_1, request).unwrap().unique_identifier);
    assert_eq!(told(&imported), (Some(CryptographicAlgorithm::AES), Some(128), own, false));
}
