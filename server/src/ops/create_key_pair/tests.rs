//! Pairs of ML-KEM, ML-DSA and SLH-DSA: made, registered, got, used to sign, and kept from clients that cannot know them.

use kmip_codec::spec::{CryptographicUsageMask as Mask, HashingAlgorithm, KeyFormatType, Version};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    Attribute, CryptographicParameters as Parameters, KeyBlock, KeyMaterial, KeyValue, UniqueIdentifier,
};

use super::*;
use crate::crypto::algorithm::Family;
use crate::crypto::permits::{Permits, Preset};
use crate::ops::data::Data;
use crate::ops::get::{self, Get};
use crate::ops::register::{self, Register};
use crate::ops::sign::{self, Sign};
use crate::ops::signature_verify::{self, SignatureVerify};
use crate::view::Settings;
use crate::view::testing::{Bench, NOW, block, structured, usage};

const V: Version = Version::V2_1;

fn attributes(list: &[(Tag, Value)]) -> Attributes {
    let list = list.iter().map(|(tag, value)| Attribute::new(*tag, value.clone())).collect();
    Attributes { list, ..Attributes::default() }
}

fn code(algorithm: Algorithm) -> (Tag, Value) {
    (Tag::CryptographicAlgorithm, Value::Enumeration(algorithm.into()))
}

fn asked(algorithm: Algorithm, more: &[(Tag, Value)]) -> Request {
    let active = (Tag::ActivationDate, Value::DateTime(NOW));
    Request {
        common: attributes(&[&[code(algorithm), active], more].concat()),
        private: attributes(&[usage(Mask::SIGN | Mask::DECRYPT)]),
        public: attributes(&[usage(Mask::VERIFY | Mask::ENCRYPT)]),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    }
}

fn make(bench: &Bench, algorithm: Algorithm) -> [UniqueIdentifier; 2] {
    let made = bench.run::<CreateKeyPair>(V, asked(algorithm, &[])).unwrap();
    [made.private_key, made.public_key].map(UniqueIdentifier::Text)
}

fn got(bench: &Bench, key: &UniqueIdentifier, format: Option<KeyFormatType>) -> Outcome<KeyBlock> {
    let request = get::Request { key_format_type: format, ..get::Request::of(key.clone()) };
    Ok(bench.run::<Get>(V, request)?.object.key_block().unwrap().clone())
}

fn bytes(block: &KeyBlock) -> Vec<u8> {
    match &block.key_value {
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn register(bench: &Bench, object: Object, more: &[(Tag, Value)]) -> Outcome<UniqueIdentifier> {
    let active = (Tag::ActivationDate, Value::DateTime(NOW));
    let mask = usage(Mask::SIGN | Mask::VERIFY | Mask::ENCRYPT | Mask::DECRYPT);
    let request = register::Request {
        object_type: object.object_type(),
        attributes: attributes(&[&[active, mask], more].concat()),
        object,
        protection_storage_masks: None,
    };
    Ok(UniqueIdentifier::Text(bench.run::<Register>(V, request)?.unique_identifier))
}

fn sign(bench: &Bench, key: &UniqueIdentifier, given: Option<Parameters>, data: Data, digest: bool) -> Outcome<Blob> {
    let bytes = match &data {
        Data::Bytes(bytes) => bytes.clone(),
        Data::Earlier(_) => panic!("no bytes"),
    };
    let request = sign::Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: given,
        data: (!digest).then_some(data),
        digested_data: digest.then_some(bytes),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    Ok(bench.run::<Sign>(V, request)?.signature_data.unwrap())
}

fn is_valid(bench: &Bench, key: &UniqueIdentifier, data: &[u8], signature: &[u8]) -> bool {
    let request = signature_verify::Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: None,
        data: Some(Data::Bytes(Blob::copy_of(data))),
        digested_data: None,
        signature_data: Some(Blob::copy_of(signature)),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let answer = bench.run::<SignatureVerify>(V, request).unwrap().validity_indicator;
    answer == Some(kmip_codec::spec::ValidityIndicator::Valid)
}

/// Of SLH-DSA those that sign in less than a second where nothing is optimised; the others differ by their lengths alone.
fn quick() -> impl Iterator<Item = ParameterSet> {
    let fast = [ParameterSet::SlhDsaSha2_128f, ParameterSet::SlhDsaSha2_192f, ParameterSet::SlhDsaShake128f];
    ParameterSet::ALL.into_iter().filter(|set| set.family() != Family::SlhDsa).chain(fast)
}

#[test]
fn pairs_are_made_and_come_in_every_format() {
    let bench = Bench::new();
    for set in quick() {
        let [private, public] = make(&bench, set.algorithm());
        let kept = got(&bench, &private, None).unwrap();
        assert_eq!((kept.key_format_type, kept.cryptographic_algorithm), (KeyFormatType::Pkcs8, Some(set.algorithm())));
        assert_eq!(kept.cryptographic_length, i32::try_from(8 * set.public_len()).ok());
        let raw = got(&bench, &private, Some(KeyFormatType::Raw)).unwrap();
        assert_eq!(bytes(&raw).len(), set.expanded_len());
        let spki = bytes(&got(&bench, &public, None).unwrap());
        let point = bytes(&got(&bench, &public, Some(KeyFormatType::Raw)).unwrap());
        assert_eq!(point.len(), set.public_len());
        assert!(spki.ends_with(&point));
        for format in [KeyFormatType::Pkcs1, KeyFormatType::ECPrivateKey, KeyFormatType::TransparentECPrivateKey] {
            let refused = got(&bench, &private, Some(format)).unwrap_err();
            assert_eq!(refused.reason, ResultReason::KeyFormatTypeNotSupported);
        }
        let mut view = bench.view(V);
        for key in [&private, &public] {
            let key = view.open(Some(key), crate::trust::policy::Use::Get).unwrap();
            assert_eq!(key.attributes.boolean(Tag::QuantumSafe), Some(true));
        }
        // Each form is registered, and is the same key.
        let registered = [
            Object::PrivateKey(block(KeyFormatType::Pkcs8, set.algorithm(), &bytes(&kept))),
            Object::PrivateKey(block(KeyFormatType::Raw, set.algorithm(), &bytes(&raw))),
            Object::PublicKey(block(KeyFormatType::X509, set.algorithm(), &spki)),
            Object::PublicKey(block(KeyFormatType::Raw, set.algorithm(), &point)),
        ];
        let [seeded, expanded, open, other] = registered.map(|key| register(&bench, key, &[]).unwrap());
        assert_eq!(bytes(&got(&bench, &seeded, Some(KeyFormatType::Raw)).unwrap()), bytes(&raw));
        // The seed is gone: PKCS#8 has the expanded key.
        let again = bytes(&got(&bench, &expanded, Some(KeyFormatType::Pkcs8)).unwrap());
        assert!(again.ends_with(&bytes(&raw)));
        assert_eq!(bytes(&got(&bench, &other, Some(KeyFormatType::X509)).unwrap()), spki);
        if !set.is_kem() {
            for key in [&private, &seeded, &expanded] {
                let signature = sign(&bench, key, None, Data::Bytes(Blob::copy_of(b"data")), false).unwrap();
                assert_eq!(signature.len(), set.output_len());
                for key in [&public, &open, &other] {
                    assert!(is_valid(&bench, key, b"data", &signature));
                    assert!(!is_valid(&bench, key, b"date", &signature));
                    assert!(!is_valid(&bench, key, b"data", &signature[1..]));
                    let mut changed = signature.to_vec();
                    changed[0] ^= 1;
                    assert!(!is_valid(&bench, key, b"data", &changed));
                }
            }
        }
    }
}

#[test]
fn only_data_is_signed_with_ml_dsa() {
    let bench = Bench::new();
    let [private, _] = make(&bench, Algorithm::MLDSA44);
    let data = || Data::Bytes(Blob::copy_of(&[7; 32]));
    let refused = sign(&bench, &private, None, data(), true).unwrap_err();
    assert_eq!(refused.reason, ResultReason::UnsupportedCryptographicParameters);
    let hash = Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..Parameters::default() };
    let refused = sign(&bench, &private, Some(hash), data(), false).unwrap_err();
    assert_eq!(refused.reason, ResultReason::UnsupportedCryptographicParameters);
    let other = Parameters { cryptographic_algorithm: Some(Algorithm::MLDSA65), ..Parameters::default() };
    let refused = sign(&bench, &private, Some(other), data(), false).unwrap_err();
    assert_eq!(refused.reason, ResultReason::BadCryptographicParameters);
    let own = Parameters { cryptographic_algorithm: Some(Algorithm::MLDSA44), ..Parameters::default() };
    sign(&bench, &private, Some(own), data(), false).unwrap();
    // What encapsulates does not sign.
    let [private, _] = make(&bench, Algorithm::MLKEM512);
    let refused = sign(&bench, &private, None, data(), false).unwrap_err();
    assert_eq!(refused.reason, ResultReason::UnsupportedCryptographicParameters);
}

#[test]
fn keys_that_are_none_are_refused() {
    let bench = Bench::new();
    for set in [ParameterSet::MlKem768, ParameterSet::MlDsa65, ParameterSet::SlhDsaSha2_192f] {
        let [private, public] = make(&bench, set.algorithm());
        let raw = bytes(&got(&bench, &private, Some(KeyFormatType::Raw)).unwrap());
        let spki = bytes(&got(&bench, &public, None).unwrap());
        let wrong = if set.is_kem() { Algorithm::MLKEM512 } else { Algorithm::MLDSA44 };
        for object in [
            Object::PrivateKey(block(KeyFormatType::Raw, set.algorithm(), &raw[1..])),
            Object::PrivateKey(block(KeyFormatType::Raw, wrong, &raw)),
            Object::PublicKey(block(KeyFormatType::X509, wrong, &spki)),
            Object::PublicKey(block(KeyFormatType::Raw, set.algorithm(), &[1; 31])),
        ] {
            let refused = register(&bench, object, &[]).unwrap_err();
            assert_eq!(refused.reason, ResultReason::InvalidField);
        }
        let short = (Tag::CryptographicLength, Value::Integer(768));
        let refused = bench.run::<CreateKeyPair>(V, asked(set.algorithm(), &[short])).unwrap_err();
        assert_eq!(refused.reason, ResultReason::InvalidAttributeValue);
    }
}

/// The numbers are 3.0's: 2.x is offered them, and 1.x does not know them.
#[test]
fn older_clients_do_not_know_them() {
    for version in Version::ALL {
        for set in ParameterSet::ALL {
            assert_eq!(set.algorithm().known_in(*version), version.is_v2());
        }
    }
}

#[test]
fn cnsa_2_makes_the_largest_alone() {
    let permits = Permits::preset(Preset::Cnsa2);
    let bench = Bench::with(Settings { permits, ..Settings::default() }, None);
    for set in quick() {
        let answer = bench.run::<CreateKeyPair>(V, asked(set.algorithm(), &[]));
        let largest = matches!(set, ParameterSet::MlKem1024 | ParameterSet::MlDsa87);
        let reason = answer.err().map(|failure| failure.reason);
        assert_eq!(reason, (!largest).then_some(ResultReason::ConstraintViolation), "{set:?}");
    }
}

/// Domain parameters are of algorithms that have them.
#[test]
fn a_curve_or_a_length_that_has_no_place_is_refused() {
    let bench = Bench::new();
    let domain = |q_length, recommended_curve| {
        structured(Tag::CryptographicDomainParameters, &CryptographicDomainParameters { q_length, recommended_curve })
    };
    let reason = |algorithm, domain| {
        let answer = bench.run::<CreateKeyPair>(V, asked(algorithm, &[domain]));
        answer.err().map(|failure| failure.reason)
    };
    let refused = Some(ResultReason::InvalidAttributeValue);
    let p256 = Some(RecommendedCurve::P256);
    assert_eq!(reason(Algorithm::EC, domain(None, p256)), None);
    assert_eq!(reason(Algorithm::EC, domain(Some(256), p256)), refused);
    assert_eq!(reason(Algorithm::RSA, domain(None, p256)), refused);
    assert_eq!(reason(Algorithm::RSA, domain(Some(256), None)), refused);
    assert_eq!(reason(Algorithm::MLKEM768, domain(None, p256)), refused);
}
