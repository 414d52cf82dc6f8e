//! MAC and MAC Verify: the vectors are those of RFC 2202 and RFC 4231.

use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, HashingAlgorithm,
    ResultReason as Reason, Tag, UsageLimitsUnit, ValidityIndicator, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{CryptographicParameters as Parameters, UniqueIdentifier, UsageLimits};
use kmip_codec::{Element, Value};

use super::{Mac, Request, Response};
use crate::failure::Outcome;
use crate::ops::data::Data;
use crate::ops::mac_verify::{self, MacVerify};
use crate::view::testing::{Bench, NOW, secret, structured, usage};

const BOTH: Mask = Mask::MAC_GENERATE.union(Mask::MAC_VERIFY);

fn hmac(algorithm: Algorithm) -> Option<Parameters> {
    Some(Parameters { cryptographic_algorithm: Some(algorithm), ..Parameters::default() })
}

fn make(bench: &Bench, key: &UniqueIdentifier, parameters: Option<Parameters>, data: &[u8]) -> Outcome<Response> {
    let request = Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: parameters,
        data: Some(Data::Bytes(Blob::copy_of(data))),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    bench.run::<Mac>(Version::V2_1, request)
}

fn verify(
    bench: &Bench,
    key: &UniqueIdentifier,
    parameters: Option<Parameters>,
    data: Option<&[u8]>,
    mac: Option<&[u8]>,
) -> Outcome<Option<ValidityIndicator>> {
    let request = mac_verify::Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: parameters,
        data: data.map(|data| Data::Bytes(Blob::copy_of(data))),
        mac_data: mac.map(Blob::copy_of),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    bench.run::<MacVerify>(Version::V2_1, request).map(|answer| answer.validity_indicator)
}

#[test]
fn published_vectors_and_their_verification() {
    let bench = Bench::new();
    for (algorithm, expected) in [
        (Algorithm::HMACSHA1, "b617318655057264e28bc0b6fb378c8ef146be00"),
        (Algorithm::HMACSHA256, "b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7"),
        (
            Algorithm::HMACSHA512,
            "87aa7cdea5ef619d4ff0b4241a1d6cb02379f4e2ce4ec2787ad0b30545e17cdedaa833b7d6b8a702038b274eaea3f4e4\
             be9d914eeb61f1702e696c203a126854",
        ),
    ] {
        // The key's own algorithm is enough.
        let key = bench.key(algorithm, &[0x0b; 20], BOTH, vec![]);
        let mac = make(&bench, &key, None, b"Hi There").unwrap().mac_data.unwrap();
        assert_eq!(hex::encode(&*mac), expected);
        assert_eq!(verify(&bench, &key, None, Some(b"Hi There"), Some(&mac)), Ok(Some(ValidityIndicator::Valid)));
        let mut changed = mac.to_vec();
        *changed.last_mut().unwrap() ^= 1;
        for (data, mac) in [
            (&b"Hi there"[..], &mac[..]),
            (b"Hi There", &changed),
            (b"Hi There", &mac[..mac.len() - 1]),
            (b"Hi There", &[]),
        ] {
            assert_eq!(verify(&bench, &key, None, Some(data), Some(mac)), Ok(Some(ValidityIndicator::Invalid)));
        }
        let seed = bench.object(secret(&[0x0b; 20]), vec![usage(BOTH)]);
        let again = make(&bench, &seed, hmac(algorithm), b"Hi There").unwrap().mac_data.unwrap();
        assert_eq!(hex::encode(&*again), expected);
    }
}

#[test]
fn a_key_of_another_algorithm_makes_macs_where_its_mask_lets_it() {
    let bench = Bench::new();
    let own = structured(Tag::CryptographicParameters, &hmac(Algorithm::HMACSHA256).unwrap());
    let bytes = hex::decode("0123456789abcdef0123456789abcdef").unwrap();
    let key = bench.key(Algorithm::AES, &bytes, BOTH, vec![own]);
    let data = hex::decode("01020304050607080910111213141516").unwrap();
    let mac = make(&bench, &key, None, &data).unwrap().mac_data.unwrap();
    assert_eq!(hex::encode(&*mac), "c911e78196d64c30f631bb079ea37b97a95936d4da764d6a171df030c895ecf9");
}

/// RFC 4493 §4 and RFC 8439 §2.5.2, whole and in parts.
#[test]
fn cmac_and_poly1305() {
    let bench = Bench::new();
    let bytes = |text: &str| hex::decode(text).unwrap();
    let cmac = Parameters { block_cipher_mode: Some(BlockCipherMode::CMAC), ..Parameters::default() };
    let short = Parameters { tag_length: Some(8), cryptographic_algorithm: Some(Algorithm::AES), ..cmac.clone() };
    let aes = bench.key(Algorithm::AES, &bytes("2b7e151628aed2a6abf7158809cf4f3c"), BOTH, vec![]);
    let once = "85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b";
    let once = bench.key(Algorithm::Poly1305, &bytes(once), BOTH, vec![]);
    let data = bytes("6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e5130c81c46a35ce411");
    for (key, parameters, data, expected) in [
        (&aes, Some(cmac.clone()), &data[..], "dfa66747de9ae63030ca32611497c827"),
        (&aes, Some(cmac.clone()), &[], "bb1d6929e95937287fa37d129b756746"),
        (&aes, Some(short), &data[..], "dfa66747de9ae630"),
        (&once, None, b"Cryptographic Forum Research Group", "a8061dc1305136c6c22b8baf0c0127a9"),
        (&once, hmac(Algorithm::Poly1305), b"Cryptographic Forum Research Group", "a8061dc1305136c6c22b8baf0c0127a9"),
    ] {
        let mac = make(&bench, key, parameters.clone(), data).unwrap().mac_data.unwrap();
        assert_eq!(hex::encode(&*mac), expected);
        let check = |mac: &[u8]| verify(&bench, key, parameters.clone(), Some(data), Some(mac)).unwrap().unwrap();
        assert_eq!(check(&mac), ValidityIndicator::Valid);
        let mut changed = mac.to_vec();
        changed[0] ^= 1;
        for wrong in [&changed[..], &mac[..mac.len() - 1], &[], &[mac.to_vec(), vec![0]].concat()] {
            assert_eq!(check(wrong), ValidityIndicator::Invalid);
        }
        // In parts.
        let (first, second) = data.split_at(data.len().min(17));
        let part = |data: &[u8], init, correlation_value| {
            let request = Request {
                unique_identifier: Some(key.clone()),
                cryptographic_parameters: parameters.clone().filter(|_| init),
                data: Some(Data::Bytes(Blob::copy_of(data))),
                correlation_value,
                init_indicator: Some(init),
                final_indicator: Some(!init),
            };
            bench.run::<Mac>(Version::V2_1, request).unwrap()
        };
        let begun = part(first, true, None);
        assert_eq!(part(second, false, begun.correlation_value).mac_data, Some(mac.clone()));
        let part = |data: &[u8], mac: Option<&[u8]>, init, correlation_value| {
            let request = mac_verify::Request {
                unique_identifier: Some(key.clone()),
                cryptographic_parameters: parameters.clone().filter(|_| init),
                data: Some(Data::Bytes(Blob::copy_of(data))),
                mac_data: mac.map(Blob::copy_of),
                correlation_value,
                init_indicator: Some(init),
                final_indicator: Some(!init),
            };
            bench.run::<MacVerify>(Version::V2_1, request).unwrap()
        };
        for (claimed, expected) in [(&mac[..], ValidityIndicator::Valid), (&changed, ValidityIndicator::Invalid)] {
            let begun = part(first, None, true, None);
            let ended = part(second, Some(claimed), false, begun.correlation_value);
            assert_eq!(ended.validity_indicator, Some(expected));
        }
    }

    let reason = |key: &UniqueIdentifier, parameters| make(&bench, key, Some(parameters), b"").unwrap_err().reason;
    let (bad, feature) = (Reason::BadCryptographicParameters, Reason::FeatureNotSupported);
    for length in [-1, 0, 7, 17] {
        assert_eq!(reason(&aes, Parameters { tag_length: Some(length), ..cmac.clone() }), bad);
    }
    let named = |algorithm| Parameters { cryptographic_algorithm: Some(algorithm), ..cmac.clone() };
    assert_eq!(reason(&aes, named(Algorithm::DES3)), feature);
    assert_eq!(reason(&once, named(Algorithm::AES)), bad);
    assert_eq!(reason(&aes, named(Algorithm::HMACSHA256)), feature);
    assert_eq!(reason(&aes, hmac(Algorithm::Poly1305).unwrap()), bad);
    let chained = Parameters { block_cipher_mode: Some(BlockCipherMode::CBCMAC), ..Parameters::default() };
    assert_eq!(reason(&aes, chained), feature);
}

#[test]
fn what_is_refused_has_the_reason_of_the_table() {
    let bench = Bench::new();
    let key = bench.key(Algorithm::HMACSHA256, &[1; 32], BOTH, vec![]);
    let reason = |key: &UniqueIdentifier, parameters| make(&bench, key, parameters, b"").unwrap_err().reason;
    let (bad, feature) = (Reason::BadCryptographicParameters, Reason::FeatureNotSupported);
    let with = |change: fn(&mut Parameters)| {
        let mut parameters = hmac(Algorithm::HMACSHA256).unwrap();
        change(&mut parameters);
        Some(parameters)
    };
    assert_eq!(reason(&key, hmac(Algorithm::HMACSHA1)), bad);
    assert_eq!(reason(&key, with(|it| it.hashing_algorithm = Some(HashingAlgorithm::SHA1))), bad);
    assert_eq!(reason(&key, with(|it| it.hashing_algorithm = Some(HashingAlgorithm::Tiger))), bad);
    assert_eq!(reason(&key, with(|it| it.block_cipher_mode = Some(BlockCipherMode::CBC))), bad);
    assert_eq!(reason(&key, with(|it| it.tag_length = Some(7))), bad);
    assert_eq!(reason(&key, with(|it| it.tag_length = Some(33))), bad);
    assert_eq!(reason(&key, with(|it| it.counter_length = Some(16))), feature);
    assert_eq!(reason(&key, hmac(Algorithm::AES)), feature);
    let md5 = bench.key(Algorithm::HMACMD5, &[1; 16], BOTH, vec![]);
    assert_eq!(reason(&md5, None), feature);
    let seed = bench.object(secret(&[1; 16]), vec![usage(BOTH)]);
    assert_eq!(reason(&seed, None), bad);
    assert_eq!(reason(&UniqueIdentifier::Text("nobody".into()), None), Reason::ObjectNotFound);

    assert_eq!(verify(&bench, &key, None, None, Some(&[1; 32])).unwrap_err().reason, Reason::InvalidMessage);
    assert_eq!(verify(&bench, &key, None, Some(b""), None).unwrap_err().reason, Reason::InvalidMessage);
    assert!(make(&bench, &key, with(|it| it.hashing_algorithm = Some(HashingAlgorithm::SHA256)), b"").is_ok());
}

#[test]
fn mask_state_and_dates_are_kept_and_usage_is_counted() {
    let bench = Bench::new();
    let date = |tag, after: i64| (tag, Value::DateTime(NOW + after));
    let can = |mask, more| {
        let key = bench.key(Algorithm::HMACSHA256, &[1; 32], mask, more);
        let made = make(&bench, &key, None, b"").map(drop).map_err(|failure| failure.reason);
        let verified = verify(&bench, &key, None, Some(b""), Some(b"")).map(drop);
        (made, verified.map_err(|failure| failure.reason))
    };
    let (mask, state) = (Err(Reason::IncompatibleCryptographicUsageMask), Err(Reason::WrongKeyLifecycleState));
    assert_eq!(can(Mask::MAC_GENERATE, vec![]), (Ok(()), mask));
    assert_eq!(can(Mask::MAC_VERIFY, vec![]), (mask, Ok(())));
    assert_eq!(can(BOTH, vec![date(Tag::ActivationDate, 1)]), (state, state));
    assert_eq!(can(BOTH, vec![date(Tag::ProcessStartDate, 1)]), (Ok(()), state));
    assert_eq!(can(BOTH, vec![date(Tag::ProtectStopDate, 0)]), (state, Ok(())));

    let limits = structured(Tag::UsageLimits, &UsageLimits { total: 5, count: Some(5), unit: UsageLimitsUnit::Byte });
    let key = bench.key(Algorithm::HMACSHA256, &[1; 32], BOTH, vec![limits]);
    make(&bench, &key, None, b"1234").unwrap();
    verify(&bench, &key, None, Some(b"1234"), Some(b"")).unwrap();
    assert_eq!(bench.usage_left(&key), Some(1));
    assert_eq!(make(&bench, &key, None, b"12").unwrap_err().reason, Reason::UsageLimitExceeded);
}

#[test]
fn fields_of_streams_are_named_where_the_version_has_none() {
    let bench = Bench::new();
    let UniqueIdentifier::Text(key) = bench.key(Algorithm::HMACSHA256, &[1; 32], BOTH, vec![]) else {
        panic!("identifiers are text")
    };
    let fields = || {
        vec![
            Element::new(Tag::UniqueIdentifier, Value::TextString(key.clone())),
            Element::new(Tag::Data, Value::ByteString(Blob::copy_of(b"x"))),
            Element::new(Tag::CorrelationValue, Value::ByteString(Blob::copy_of(b"x"))),
        ]
    };
    let old = bench.send::<Mac>(Version::V1_2, fields()).unwrap_err();
    assert!(old.reason == Reason::InvalidMessage && old.message.contains("Correlation Value"), "{old}");
    assert_eq!(bench.send::<Mac>(Version::V1_3, fields()).unwrap_err().reason, Reason::InvalidCorrelationValue);
}
