//! What one server exports, another imports as the same object; replacing; wrapped keys; each error.

use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, EncodingOption,
    KeyFormatType, KeyWrapType, ObjectType, ResultReason as Reason, RevocationReasonCode, State, Tag, UsageLimitsUnit,
    Version, WrappingMethod,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    Attribute, AttributeList, CryptographicParameters, EncryptionKeyInformation, KeyValue, KeyWrappingData, Name,
    Object, RevocationReason, UniqueIdentifier, UsageLimits,
};
use kmip_codec::{Element, Value};

use super::{Import, Request};
use crate::failure::Outcome;
use crate::ops::activate;
use crate::ops::destroy::Destroy;
use crate::ops::encrypt::{self, Encrypt};
use crate::ops::export::{self, Export};
use crate::ops::get::{self, Get};
use crate::ops::revoke::{self, Revoke};
use crate::view::testing::{Bench, block, secret, structured};

const V: Version = Version::V2_1;

fn exporting(object: &UniqueIdentifier) -> export::Request {
    export::Request {
        unique_identifier: Some(object.clone()),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

fn exported(bench: &Bench, object: &UniqueIdentifier) -> Outcome<export::Response> {
    bench.run::<Export>(V, exporting(object))
}

/// The request that brings in what was exported.
fn importing(exported: &export::Response, replace: bool) -> Request {
    Request {
        unique_identifier: exported.unique_identifier.clone(),
        object_type: Some(exported.object_type),
        replace_existing: replace.then_some(true),
        key_wrap_type: None,
        attributes: exported.attributes.clone(),
        object: exported.object.clone(),
    }
}

fn import(bench: &Bench, request: Request) -> Outcome<UniqueIdentifier> {
    bench.run::<Import>(V, request).map(|made| UniqueIdentifier::Text(made.unique_identifier))
}

fn plain(name: &str, object: Object) -> Request {
    Request {
        unique_identifier: name.into(),
        object_type: Some(object.object_type()),
        replace_existing: None,
        key_wrap_type: None,
        attributes: AttributeList::default(),
        object,
    }
}

fn reason<T>(outcome: Outcome<T>) -> Option<Reason> {
    outcome.err().map(|failure| failure.reason)
}

fn got(bench: &Bench, object: &UniqueIdentifier) -> Outcome<Object> {
    let request = get::Request::of(object.clone());
    bench.run::<Get>(V, request).map(|answer| answer.object)
}

fn named(name: &str) -> (Tag, Value) {
    structured(Tag::Name, &Name { value: name.into(), kind: kmip_codec::spec::NameType(1) })
}

fn sorted(exported: &export::Response) -> Vec<(Tag, String)> {
    // The bench leaves out what Register finds out, and Import finds out too.
    let found = [Tag::CryptographicLength, Tag::SecretDataType];
    let mut list: Vec<(Tag, String)> = exported
        .attributes
        .0
        .iter()
        .filter(|attribute| !found.contains(&attribute.tag))
        .map(|attribute| (attribute.tag, format!("{:?}", values(&attribute.value))))
        .collect();
    list.sort();
    list
}

/// A value with its leaves shown, which `Debug` does not.
fn values(value: &Value) -> Vec<u8> {
    let mut writer = kmip_codec::ttlv::Writer::new(V);
    writer.value(Tag::AttributeValue, value);
    writer.finish()
}

#[test]
fn another_server_has_the_same_object() {
    let limits = UsageLimits { total: 5, count: Some(5), unit: UsageLimitsUnit::Object };
    let more = vec![
        named("n"),
        structured(Tag::UsageLimits, &limits),
        (Tag::ObjectGroup, Value::TextString("one".into())),
        (Tag::ObjectGroup, Value::TextString("two".into())),
        (Tag::Sensitive, Value::Boolean(false)),
    ];
    let here = Bench::new();
    let key = here.key(Algorithm::AES, &[7; 16], Mask::ENCRYPT, more);
    let parameters =
        CryptographicParameters { block_cipher_mode: Some(BlockCipherMode::ECB), ..CryptographicParameters::default() };
    let encrypt = |bench: &Bench| {
        let field = |tag, value| Element::new(tag, value);
        let UniqueIdentifier::Text(identifier) = &key else { panic!("no text") };
        let (_, parameters) = structured(Tag::CryptographicParameters, &parameters);
        bench.send::<Encrypt>(
            V,
            vec![
                field(Tag::UniqueIdentifier, Value::TextString(identifier.clone())),
                field(Tag::CryptographicParameters, parameters),
                field(Tag::Data, Value::ByteString(Blob::copy_of(&[0; 16]))),
            ],
        )
    };
    let _: encrypt::Response = encrypt(&here).unwrap();
    assert!(got(&here, &key).is_ok());
    here.pass(100);
    let sent = exported(&here, &key).unwrap();
    assert_eq!(sent.object_type, ObjectType::SymmetricKey);

    let there = Bench::new();
    there.pass(5000);
    assert_eq!(import(&there, importing(&sent, false)), Ok(key.clone()));
    let again = exported(&there, &key).unwrap();
    assert_eq!(again.object, sent.object);
    assert_eq!(sorted(&again), sorted(&sent));
    // What was used there is used here: one of five is gone.
    assert_eq!(there.usage_left(&key), Some(4));
    for _ in 0..4 {
        encrypt(&there).unwrap();
    }
    assert_eq!(reason(encrypt(&there)), Some(Reason::UsageLimitExceeded));
    // And brought in again, it may be used as often as it says.
    import(&there, importing(&sent, true)).unwrap();
    assert_eq!(there.usage_left(&key), Some(4));
    assert!(encrypt(&there).is_ok());
}

#[test]
fn an_object_is_replaced_if_the_client_says_so() {
    let bench = Bench::new();
    let object = bench.object(secret(b"one"), vec![named("n"), (Tag::ActivationDate, Value::DateTime(i64::MAX))]);
    let sent = exported(&bench, &object).unwrap();
    for replace in [None, Some(false)] {
        let request = Request { replace_existing: replace, ..importing(&sent, false) };
        assert_eq!(reason(import(&bench, request)), Some(Reason::ObjectAlreadyExists));
    }
    let mut other = importing(&sent, true);
    other.object = secret(b"two");
    other.attributes.0.retain(|attribute| attribute.tag != Tag::Digest);
    assert_eq!(import(&bench, other), Ok(object.clone()));
    assert_eq!(got(&bench, &object), Ok(secret(b"two")));
    // A destroyed one is there too; replaced, it lives.
    bench.run::<Destroy>(V, activate::Request { unique_identifier: Some(object.clone()) }).unwrap();
    let remains = exported(&bench, &object).unwrap();
    assert_eq!(remains.object.key_block().unwrap().key_value, None);
    assert_eq!(reason(import(&bench, importing(&sent, false))), Some(Reason::ObjectAlreadyExists));
    import(&bench, importing(&sent, true)).unwrap();
    assert_eq!(got(&bench, &object), Ok(secret(b"one")));
    // Somebody else's is not replaced.
    let mut view = bench.view_of("bob", V);
    let refused = <Import as crate::ops::Handler>::run(&mut view, importing(&sent, true));
    assert_eq!(reason(refused), Some(Reason::PermissionDenied));
}

#[test]
fn the_state_and_its_dates_are_carried() {
    let here = Bench::new();
    let object = here.object(secret(b"s"), vec![]);
    let revoke = revoke::Request {
        unique_identifier: Some(object.clone()),
        revocation_reason: RevocationReason { code: RevocationReasonCode::KeyCompromise, message: None },
        compromise_occurrence_date: None,
    };
    here.run::<Revoke>(V, revoke).unwrap();
    let sent = exported(&here, &object).unwrap();
    let there = Bench::new();
    there.pass(77);
    import(&there, importing(&sent, false)).unwrap();
    let again = exported(&there, &object).unwrap();
    assert_eq!(sorted(&again), sorted(&sent));
    let state = Attribute::new(Tag::State, Value::Enumeration(State::Compromised.into()));
    assert!(again.attributes.0.iter().any(|attribute| attribute.tag == state.tag && attribute.value == state.value));
    // Destroyed here, it is destroyed there.
    here.run::<Destroy>(V, activate::Request { unique_identifier: Some(object.clone()) }).unwrap();
    import(&there, importing(&exported(&here, &object).unwrap(), true)).unwrap();
    assert_eq!(reason(got(&there, &object)), Some(Reason::ObjectDestroyed));
}

#[test]
fn what_the_client_does_not_say_is_as_of_any_new_object() {
    let bench = Bench::new();
    let object = import(&bench, plain("mine", secret(b"s"))).unwrap();
    assert_eq!(object, UniqueIdentifier::from("mine"));
    let found = exported(&bench, &object).unwrap().attributes.0;
    let value = |tag| found.iter().find(|attribute| attribute.tag == tag).map(|attribute| attribute.value.clone());
    assert_eq!(value(Tag::State), Some(Value::Enumeration(State::PreActive.into())));
    assert_eq!(value(Tag::Fresh), Some(Value::Boolean(true)));
    assert!(value(Tag::Digest).is_some() && value(Tag::InitialDate).is_some());
    // What only a server sets it may say; what no such object has, or only one of, it may not.
    let with = |attributes: Vec<(Tag, Value)>| {
        let list = attributes.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
        reason(import(&bench, Request { attributes: AttributeList(list), ..plain("other", secret(b"s")) }))
    };
    let initial = |seconds| (Tag::InitialDate, Value::DateTime(seconds));
    assert_eq!(with(vec![initial(1), initial(2)]), Some(Reason::AttributeSingleValued));
    let certificate = (Tag::CertificateLength, Value::Integer(3));
    assert_eq!(with(vec![certificate]), Some(Reason::InvalidAttribute));
    let identifier = (Tag::UniqueIdentifier, Value::TextString("another".into()));
    assert_eq!(with(vec![identifier]), Some(Reason::InvalidAttributeValue));
    assert_eq!(with(vec![(Tag::ProtectionStorageMask, Value::Integer(2))]), Some(Reason::ProtectionStorageUnavailable));
    bench.object(secret(b"s"), vec![named("taken")]);
    assert_eq!(with(vec![named("taken")]), Some(Reason::NonUniqueNameAttribute));
    assert_eq!(with(vec![initial(1)]), None);
}

#[test]
fn requests_that_contradict_themselves() {
    let bench = Bench::new();
    let wrong = Request { object_type: Some(ObjectType::SymmetricKey), ..plain("x", secret(b"s")) };
    assert_eq!(reason(import(&bench, wrong)), Some(Reason::InvalidField));
    assert_eq!(reason(import(&bench, plain("", secret(b"s")))), Some(Reason::InvalidField));
    let untyped = || Request { object_type: None, ..plain("x", secret(b"s")) };
    assert_eq!(reason(import(&bench, untyped())), Some(Reason::InvalidField));
    // 1.4 has no Object Type in it.
    assert!(bench.run::<Import>(Version::V1_4, untyped()).is_ok());
    let wrapped = Request { key_wrap_type: Some(KeyWrapType::NotWrapped), ..plain("y", secret(b"s")) };
    assert_eq!(reason(import(&bench, wrapped)), Some(Reason::InvalidField));
}

#[test]
fn wrapped_keys_are_opened_or_kept() {
    let bench = Bench::new();
    let kek: Vec<u8> = (0..16).collect();
    let kek = bench.key(Algorithm::AES, &kek, Mask::UNWRAP_KEY, vec![]);
    let object = |kek: &UniqueIdentifier| {
        let mut key_block = block(KeyFormatType::Raw, Algorithm::AES, b"");
        let bytes = hex::decode("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5").unwrap();
        key_block.key_value = Some(KeyValue::Wrapped(Blob::new(bytes)));
        key_block.key_wrapping_data = Some(KeyWrappingData {
            wrapping_method: WrappingMethod::Encrypt,
            encryption_key_information: Some(EncryptionKeyInformation {
                unique_identifier: kek.clone(),
                cryptographic_parameters: Some(CryptographicParameters {
                    block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
                    ..CryptographicParameters::default()
                }),
            }),
            mac_signature_key_information: None,
            mac_signature: None,
            iv_counter_nonce: None,
            encoding_option: Some(EncodingOption::NoEncoding),
        });
        Object::SymmetricKey(key_block)
    };
    let with = |name: &str, kek: &UniqueIdentifier, wrap_type| {
        import(&bench, Request { key_wrap_type: wrap_type, ..plain(name, object(kek)) })
    };
    let opened = with("opened", &kek, Some(KeyWrapType::NotWrapped)).unwrap();
    let value = got(&bench, &opened).unwrap().key_block().unwrap().key_value.clone();
    let expected = hex::decode("00112233445566778899aabbccddeeff").unwrap();
    assert_eq!(value, Some(KeyValue::bytes(Blob::new(expected))));
    let kept = with("kept", &kek, Some(KeyWrapType::AsRegistered)).unwrap();
    assert_eq!(got(&bench, &kept), Ok(object(&kek)));
    assert_eq!(reason(with("unsaid", &kek, None)), Some(Reason::InvalidField));
    let lost = with("lost", &"nobody".into(), Some(KeyWrapType::NotWrapped));
    assert_eq!(reason(lost), Some(Reason::InvalidField));
}

#[test]
fn what_may_not_leave_is_not_exported() {
    let bench = Bench::new();
    for tag in [Tag::Sensitive, Tag::Extractable] {
        let held = bench.object(secret(b"s"), vec![(tag, Value::Boolean(tag == Tag::Sensitive))]);
        assert_eq!(reason(exported(&bench, &held)), Some(Reason::PermissionDenied));
    }
    assert_eq!(reason(exported(&bench, &"nobody".into())), Some(Reason::ObjectNotFound));
    let key = bench.key(Algorithm::AES, &[7; 16], Mask::ENCRYPT, vec![]);
    let format = export::Request { key_format_type: Some(KeyFormatType::Pkcs1), ..exporting(&key) };
    assert_eq!(reason(bench.run::<Export>(V, format)), Some(Reason::KeyFormatTypeNotSupported));
    // It is no use of the object: it is as fresh as before.
    assert!(exported(&bench, &key).is_ok());
    let found = exported(&bench, &key).unwrap().attributes.0;
    assert!(found.iter().any(|attribute| attribute.tag == Tag::Fresh && attribute.value == Value::Boolean(true)));
}
