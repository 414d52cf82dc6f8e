//! What is given: keys whose value is elsewhere, keys that came wrapped, keys in parts. The wrapped key is that of
//! RFC 3394 §4.1.

use kmip_codec::Value;
use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, EncodingOption,
    KeyFormatType, KeyWrapType, LinkType, ResultReason as Reason, Tag, Version, WrappingMethod,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    Attribute, AttributeReference, AttributeReferences, Attributes, CryptographicParameters, EncryptionKeyInformation,
    KeyMaterial, KeyValue, KeyWrappingData, KeyWrappingSpecification, Object, UniqueIdentifier,
};

use super::{Get, Request};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::{Made, Provider, Residency, software::SoftwareProvider};
use crate::failure::Outcome;
use crate::ops::get_attributes::{self, GetAttributes};
use crate::ops::register::{self, Register};
use crate::view::testing::{Bench, block, usage};

const KEK: [u8; 16] = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15];
const KEY: &str = "00112233445566778899aabbccddeeff";
const WRAPPED: &str = "1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5";

fn request(object: &UniqueIdentifier) -> Request {
    Request {
        unique_identifier: Some(object.clone()),
        key_format_type: None,
        key_wrap_type: None,
        key_compression_type: None,
        key_wrapping_specification: None,
    }
}

fn got(bench: &Bench, request: Request) -> Outcome<Object> {
    bench.run::<Get>(Version::V2_1, request).map(|answer| answer.object)
}

fn reason<T>(outcome: Outcome<T>) -> Option<Reason> {
    outcome.err().map(|failure| failure.reason)
}

fn register(bench: &Bench, object: Object, list: Vec<(Tag, Value)>) -> Outcome<UniqueIdentifier> {
    let list = list.into_iter().map(|(tag, value)| Attribute::new(tag, value)).collect();
    let request = register::Request {
        object_type: object.object_type(),
        attributes: Attributes { templates: Vec::new(), list },
        object,
        protection_storage_masks: None,
    };
    bench.run::<Register>(Version::V2_1, request).map(|made| UniqueIdentifier::Text(made.unique_identifier))
}

pub(super) fn values(bench: &Bench, object: &UniqueIdentifier, tag: Tag) -> Vec<Value> {
    let request = get_attributes::Request {
        unique_identifier: Some(object.clone()),
        attributes: AttributeReferences(vec![AttributeReference::Tag(tag)]),
    };
    let found = bench.run::<GetAttributes>(Version::V2_1, request).unwrap().attributes.0;
    found.into_iter().map(|attribute| attribute.value).collect()
}

fn information(kek: &UniqueIdentifier) -> EncryptionKeyInformation {
    EncryptionKeyInformation {
        unique_identifier: kek.clone(),
        cryptographic_parameters: Some(CryptographicParameters {
            block_cipher_mode: Some(BlockCipherMode::NISTKeyWrap),
            ..CryptographicParameters::default()
        }),
    }
}

fn wrapped(kek: &UniqueIdentifier, bytes: &str) -> Object {
    let mut key_block = block(KeyFormatType::Raw, Algorithm::AES, b"");
    key_block.cryptographic_length = Some(128);
    key_block.key_value = Some(KeyValue::Wrapped(Blob::new(hex::decode(bytes).unwrap())));
    key_block.key_wrapping_data = Some(KeyWrappingData {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(information(kek)),
        mac_signature_key_information: None,
        mac_signature: None,
        iv_counter_nonce: None,
        encoding_option: Some(EncodingOption::NoEncoding),
    });
    Object::SymmetricKey(key_block)
}

fn kek(bench: &Bench, mask: Mask) -> UniqueIdentifier {
    bench.key(Algorithm::AES, &KEK, mask, Vec::new())
}

fn not_wrapped(object: &UniqueIdentifier) -> Request {
    Request { key_wrap_type: Some(KeyWrapType::NotWrapped), ..request(object) }
}

#[test]
fn a_key_whose_value_is_elsewhere_is_given_without_it() {
    let bench = Bench::new();
    let mut key_block = block(KeyFormatType::Raw, Algorithm::AES, b"");
    key_block.key_value = None;
    key_block.cryptographic_length = Some(128);
    let object = Object::SymmetricKey(key_block);
    let identifier = register(&bench, object.clone(), vec![usage(Mask::WRAP_KEY)]).unwrap();
    assert_eq!(got(&bench, request(&identifier)), Ok(object));
    assert_eq!(values(&bench, &identifier, Tag::KeyValuePresent), [Value::Boolean(false)]);
    assert_eq!(values(&bench, &identifier, Tag::Digest), []);
    // There is nothing to convert, to wrap, or to work with.
    let other = Request { key_format_type: Some(KeyFormatType::TransparentSymmetricKey), ..request(&identifier) };
    assert_eq!(reason(got(&bench, other)), Some(Reason::KeyValueNotPresent));
    // A client cannot say it, and a key that is here does not have it.
    let present = bench.key(Algorithm::AES, &KEK, Mask::ENCRYPT, Vec::new());
    assert_eq!(values(&bench, &present, Tag::KeyValuePresent), []);
    let told = register(&bench, wrapped(&present, WRAPPED), vec![(Tag::KeyValuePresent, Value::Boolean(true))]);
    assert_eq!(reason(told), Some(Reason::ReadOnlyAttribute));
}

#[test]
fn a_key_that_came_wrapped_is_given_as_it_came_opened_or_wrapped_anew() {
    let bench = Bench::new();
    let key = kek(&bench, Mask::WRAP_KEY | Mask::UNWRAP_KEY);
    let object = wrapped(&key, WRAPPED);
    let identifier = register(&bench, object.clone(), vec![usage(Mask::ENCRYPT)]).unwrap();
    for wrap_type in [None, Some(KeyWrapType::AsRegistered)] {
        assert_eq!(got(&bench, Request { key_wrap_type: wrap_type, ..request(&identifier) }), Ok(object.clone()));
    }
    let opened = got(&bench, not_wrapped(&identifier)).unwrap();
    let block = opened.key_block().unwrap();
    assert_eq!(block.key_wrapping_data, None);
    assert_eq!(block.key_value, Some(KeyValue::bytes(Blob::new(hex::decode(KEY).unwrap()))));
    // Opened and wrapped again by the same key it is the same.
    let specification = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(information(&key)),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    };
    let again = Request { key_wrapping_specification: Some(specification.clone()), ..not_wrapped(&identifier) };
    assert_eq!(got(&bench, again), Ok(object));
    let twice = Request { key_wrapping_specification: Some(specification), ..request(&identifier) };
    assert_eq!(reason(got(&bench, twice)), Some(Reason::InvalidObjectType));
    assert_eq!(values(&bench, &identifier, Tag::Link).len(), 1);
    let link = values(&bench, &identifier, Tag::Link).remove(0);
    assert_eq!(link.find(Tag::LinkType), Some(&Value::Enumeration(LinkType::WrappingKeyLink.into())));
}

#[test]
fn wrapped_bytes_that_came_in_a_structure_are_opened_like_others() {
    let bench = Bench::new();
    let key = kek(&bench, Mask::UNWRAP_KEY);
    let mut object = wrapped(&key, WRAPPED);
    object.key_block_mut().unwrap().key_value = Some(KeyValue::bytes(Blob::new(hex::decode(WRAPPED).unwrap())));
    let identifier = register(&bench, object.clone(), vec![usage(Mask::ENCRYPT)]).unwrap();
    assert_eq!(got(&bench, request(&identifier)), Ok(object));
    let opened = got(&bench, not_wrapped(&identifier)).unwrap();
    let value = opened.key_block().unwrap().key_value.clone();
    assert_eq!(value, Some(KeyValue::bytes(Blob::new(hex::decode(KEY).unwrap()))));
}

#[test]
fn what_does_not_open_is_not_given() {
    let bench = Bench::new();
    // A key that may not unwrap, one that does not fit, and one that is not there.
    let wraps = kek(&bench, Mask::WRAP_KEY);
    let identifier = register(&bench, wrapped(&wraps, WRAPPED), vec![]).unwrap();
    assert_eq!(reason(got(&bench, not_wrapped(&identifier))), Some(Reason::IncompatibleCryptographicUsageMask));
    let unwraps = kek(&bench, Mask::UNWRAP_KEY);
    let broken = register(&bench, wrapped(&unwraps, &WRAPPED.replace("1f", "2f")), vec![]).unwrap();
    assert_eq!(reason(got(&bench, not_wrapped(&broken))), Some(Reason::CryptographicFailure));
    let lost = register(&bench, wrapped(&"nobody".into(), WRAPPED), vec![]).unwrap();
    assert_eq!(reason(got(&bench, not_wrapped(&lost))), Some(Reason::WrappingObjectNotFound));
    let other = Request { key_wrap_type: Some(KeyWrapType(0x8000_0001)), ..request(&identifier) };
    assert_eq!(reason(got(&bench, other)), Some(Reason::KeyWrapTypeNotSupported));
}

#[test]
fn a_sensitive_key_that_came_wrapped_leaves_wrapped() {
    let bench = Bench::new();
    let key = kek(&bench, Mask::WRAP_KEY | Mask::UNWRAP_KEY);
    let sensitive = vec![(Tag::Sensitive, Value::Boolean(true))];
    let identifier = register(&bench, wrapped(&key, WRAPPED), sensitive).unwrap();
    assert!(got(&bench, request(&identifier)).is_ok());
    assert_eq!(reason(got(&bench, not_wrapped(&identifier))), Some(Reason::Sensitive));
}

/// Who may unwrap with a key that must not leave would else have what it wraps by keeping that as it is and asking for it.
#[test]
fn a_key_that_came_wrapped_is_given_as_the_key_that_opens_it_would_be() {
    let bench = Bench::new();
    let mask = Mask::WRAP_KEY | Mask::UNWRAP_KEY;
    let wraps = kek(&bench, mask);
    let specification = KeyWrappingSpecification {
        wrapping_method: WrappingMethod::Encrypt,
        encryption_key_information: Some(information(&wraps)),
        mac_signature_key_information: None,
        attribute_names: Vec::new(),
        encoding_option: Some(EncodingOption::NoEncoding),
    };
    for (flag, value, clear, anew) in [
        (Tag::Sensitive, true, Some(Reason::Sensitive), None),
        (Tag::Extractable, false, Some(Reason::NotExtractable), Some(Reason::NotExtractable)),
        (Tag::Sensitive, false, None, None),
    ] {
        let opens = bench.key(Algorithm::AES, &KEK, mask, vec![(flag, Value::Boolean(value))]);
        let identifier = register(&bench, wrapped(&opens, WRAPPED), vec![usage(Mask::ENCRYPT)]).unwrap();
        assert!(got(&bench, request(&identifier)).is_ok());
        assert_eq!(reason(got(&bench, not_wrapped(&identifier))), clear, "{flag} {value}");
        let again = Request { key_wrapping_specification: Some(specification.clone()), ..not_wrapped(&identifier) };
        assert_eq!(reason(got(&bench, again)), anew, "{flag} {value}");
    }
}

#[test]
fn keys_in_numbers_come_in_bytes_and_their_digests_too() {
    let bench = Bench::new();
    let pair = SoftwareProvider.generate_pair(KeyKind::Rsa { bits: 2048 }, Residency::Sealed).unwrap();
    let Made::Clear(pkcs8) = pair.private else { panic!("no bytes") };
    let whole = Canonical::Secret { kind: KeyKind::Rsa { bits: 2048 }, bytes: pkcs8.clone() };
    let key_block = keyblock::block(&whole, Some(Algorithm::RSA), KeyFormatType::TransparentRSAPrivateKey).unwrap();
    let identifier = register(&bench, Object::PrivateKey(key_block), vec![usage(Mask::SIGN)]).unwrap();
    let wanted = Request { key_format_type: Some(KeyFormatType::Pkcs1), ..request(&identifier) };
    let object = got(&bench, wanted).unwrap();
    let Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) = &object.key_block().unwrap().key_value
    else {
        panic!("no bytes")
    };
    let pkcs1 = crate::crypto::keyformat::pkcs8_to_pkcs1_private(pkcs8.expose()).unwrap();
    assert_eq!(**bytes, *pkcs1.expose());
    assert_eq!(values(&bench, &identifier, Tag::CryptographicLength), [Value::Integer(2048)]);
    // One digest of each format: as it is kept, and the default of RSA keys.
    let formats: Vec<Value> = values(&bench, &identifier, Tag::Digest)
        .iter()
        .map(|digest| digest.find(Tag::KeyFormatType).unwrap().clone())
        .collect();
    let expected = [KeyFormatType::TransparentRSAPrivateKey, KeyFormatType::Pkcs1];
    assert_eq!(formats, expected.map(|format| Value::Enumeration(format.into())));
    let digest = values(&bench, &identifier, Tag::Digest).remove(1);
    let expected = crate::crypto::public::hash(crate::crypto::algorithm::Hash::Sha256, pkcs1.expose());
    assert_eq!(digest.find(Tag::DigestValue), Some(&Value::ByteString(Blob::new(expected))));
}
