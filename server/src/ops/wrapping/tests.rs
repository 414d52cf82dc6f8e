//! Every Wrapping Method with every kind of key, out by Get and in by Import; what was changed on the way; what may not
//! leave so; the reasons.

use kmip_codec::Value;
use kmip_codec::schema::Encode;
use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, EncodingOption,
    HashingAlgorithm, KeyFormatType, KeyWrapType, LinkType, PaddingMethod, ResultReason as Reason, SecretDataType, Tag,
    Version, WrappingMethod as By,
};
use kmip_codec::ttlv::{Blob, Writer};
use kmip_codec::types::{
    AttributeList, CryptographicParameters as Parameters, EncryptionKeyInformation, KeyMaterial, KeyValue,
    KeyWrappingData, KeyWrappingSpecification, Link, MacSignatureKeyInformation, Object, UniqueIdentifier,
};

use crate::crypto::algorithm::{Curve, Hash, KeyKind, Mac, Message, RsaCipher, Signature};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{ClearKey, Key, Made, Provider, Residency, public};
use crate::failure::Outcome;
use crate::ops::get::{self, Get};
use crate::ops::import::{self, Import};
use crate::secret::Secret;
use crate::view::testing::{Bench, block, limits, structured, usage};

const V: Version = Version::V2_1;
const KEY: [u8; 32] = [0x5a; 32];
const KEK: [u8; 32] = [0x17; 32];
const MAC_KEY: [u8; 40] = [0x2b; 40];
const METHODS: [By; 4] = [By::Encrypt, By::MACSign, By::EncryptThenMACSign, By::MACSignThenEncrypt];

/// Keys that wrap.
struct House {
    bench: Bench,
    key: UniqueIdentifier,
    aes: UniqueIdentifier,
    mac: UniqueIdentifier,
    rsa: Pair,
    curve: Pair,
}

struct Pair {
    private: UniqueIdentifier,
    public: UniqueIdentifier,
    pkcs8: Secret,
    spki: Vec<u8>,
}

fn pair(bench: &Bench, kind: KeyKind, algorithm: Algorithm) -> Pair {
    let made = SoftwareProvider.generate_pair(kind, Residency::Sealed).unwrap();
    let Made::Clear(pkcs8) = made.private else { panic!("software makes keys in the clear") };
    let private = Object::PrivateKey(block(KeyFormatType::Pkcs8, algorithm, pkcs8.expose()));
    let public = Object::PublicKey(block(KeyFormatType::X509, algorithm, &made.public));
    let linked = |kind, to: &UniqueIdentifier| structured(Tag::Link, &Link { kind, linked: to.clone() });
    let public = bench.object(public, vec![usage(Mask::WRAP_KEY | Mask::VERIFY)]);
    let to_public = linked(LinkType::PublicKeyLink, &public);
    let private = bench.object(private, vec![usage(Mask::UNWRAP_KEY | Mask::SIGN), to_public]);
    let mut view = bench.view(V);
    crate::ops::new_object::link(&mut view, &text(&public), LinkType::PrivateKeyLink, &text(&private)).unwrap();
    bench.commit(&view);
    Pair { private, public, pkcs8, spki: made.public }
}

fn text(identifier: &UniqueIdentifier) -> kmip_codec::ttlv::Text {
    match identifier {
        UniqueIdentifier::Text(text) => text.clone(),
        _ => panic!("no text"),
    }
}

impl House {
    fn new() -> Self {
        let bench = Bench::new();
        Self {
            key: bench.key(Algorithm::AES, &KEY, Mask::ENCRYPT, Vec::new()),
            aes: bench.key(Algorithm::AES, &KEK, Mask::WRAP_KEY | Mask::UNWRAP_KEY, Vec::new()),
            mac: bench.key(Algorithm::HMACSHA256, &MAC_KEY, Mask::MAC_GENERATE | Mask::MAC_VERIFY, Vec::new()),
            rsa: pair(&bench, KeyKind::Rsa { bits: 2048 }, Algorithm::RSA),
            curve: pair(&bench, KeyKind::Ec { curve: Curve::P256 }, Algorithm::EC),
            bench,
        }
    }

    fn get(&self, key: &UniqueIdentifier, how: KeyWrappingSpecification) -> Outcome<Object> {
        let request = get::Request { key_wrapping_specification: Some(how), ..get::Request::of(key.clone()) };
        self.bench.run::<Get>(V, request).map(|answer| answer.object)
    }

    fn import(&self, object: Object) -> Outcome<UniqueIdentifier> {
        let request = import::Request {
            unique_identifier: "imported".into(),
            object_type: Some(object.object_type()),
            replace_existing: Some(true),
            key_wrap_type: Some(KeyWrapType::NotWrapped),
            attributes: AttributeList::default(),
            object,
        };
        self.bench.run::<Import>(V, request).map(|made| UniqueIdentifier::Text(made.unique_identifier))
    }

    /// The bytes of a key that came wrapped.
    fn opened(&self, object: Object) -> Vec<u8> {
        let identifier = self.import(object).unwrap();
        let got = self.bench.run::<Get>(V, get::Request::of(identifier)).unwrap().object;
        match &got.key_block().unwrap().key_value {
            Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => bytes.to_vec(),
            other => panic!("{other:?}"),
        }
    }

    /// What wraps with the AES key by key wrap and the HMAC key.
    fn specification(&self, method: By) -> KeyWrappingSpecification {
        KeyWrappingSpecification {
            wrapping_method: method,
            encryption_key_information: (method != By::MACSign).then(|| encrypting(&self.aes, mode(Mode::NISTKeyWrap))),
            mac_signature_key_information: (method != By::Encrypt).then(|| signing(&self.mac, None)),
            attribute_names: Vec::new(),
            encoding_option: Some(EncodingOption::NoEncoding),
        }
    }
}

fn encrypting(key: &UniqueIdentifier, parameters: Parameters) -> EncryptionKeyInformation {
    EncryptionKeyInformation { unique_identifier: key.clone(), cryptographic_parameters: Some(parameters) }
}

fn signing(key: &UniqueIdentifier, parameters: Option<Parameters>) -> MacSignatureKeyInformation {
    MacSignatureKeyInformation { unique_identifier: key.clone(), cryptographic_parameters: parameters }
}

fn mode(mode: Mode) -> Parameters {
    Parameters { block_cipher_mode: Some(mode), ..Parameters::default() }
}

fn data(object: &Object) -> &KeyWrappingData {
    object.key_block().unwrap().key_wrapping_data.as_ref().unwrap()
}

fn bytes(object: &Object) -> Vec<u8> {
    match &object.key_block().unwrap().key_value {
        Some(KeyValue::Wrapped(bytes)) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

/// The TTLV of the Key Value of the key without attributes.
fn ttlv() -> Vec<u8> {
    let mut writer = Writer::new(V);
    KeyValue::bytes(Blob::copy_of(&KEY)).encode(Tag::KeyValue, &mut writer);
    writer.finish()
}

fn hmac(data: &[u8]) -> Vec<u8> {
    let key = ClearKey::new(KeyKind::Generic { bytes: 40 }, Secret::copy_of(&MAC_KEY));
    SoftwareProvider.mac(Key::Clear(&key), Mac::Hmac(Hash::Sha256), data).unwrap()
}

fn reason<T>(outcome: Outcome<T>) -> Option<Reason> {
    outcome.err().map(|failure| failure.reason)
}

#[test]
fn every_method_and_encoding_opens_to_the_key_again() {
    let house = House::new();
    for method in METHODS {
        for encoding in [None, Some(EncodingOption::NoEncoding), Some(EncodingOption::TTLVEncoding)] {
            let how = KeyWrappingSpecification { encoding_option: encoding, ..house.specification(method) };
            let object = house.get(&house.key, how).unwrap();
            let plain = if encoding == Some(EncodingOption::NoEncoding) { KEY.to_vec() } else { ttlv() };
            let wrapping = data(&object);
            // What is MACed is what the order of the method says.
            let expected = match method {
                By::Encrypt => None,
                By::EncryptThenMACSign => Some(hmac(&bytes(&object))),
                _ => Some(hmac(&plain)),
            };
            assert_eq!(wrapping.mac_signature.as_deref(), expected.as_deref(), "{method} {encoding:?}");
            assert_eq!(bytes(&object) == plain, method == By::MACSign, "{method} {encoding:?}");
            assert_eq!((wrapping.wrapping_method, wrapping.encoding_option), (method, encoding));
            assert_eq!(house.opened(object), KEY, "{method} {encoding:?}");
        }
    }
}

#[test]
fn what_was_changed_on_the_way_does_not_open_and_nobody_learns_what_it_was() {
    let house = House::new();
    let mut texts = Vec::new();
    let mut refused = |object: Object, what: &str| {
        let failure = house.import(object).expect_err(what);
        assert_eq!(failure.reason, Reason::InvalidField, "{what}");
        texts.push(failure.message);
    };
    for method in METHODS {
        let cbc = Parameters { padding_method: Some(PaddingMethod::PKCS5), ..mode(Mode::CBC) };
        let mut how = house.specification(method);
        if let Some(information) = &mut how.encryption_key_information {
            information.cryptographic_parameters =
                Some(if method == By::Encrypt { mode(Mode::NISTKeyWrap) } else { cbc });
        }
        let object = house.get(&house.key, how).unwrap();
        let wrapped = bytes(&object);
        for place in [0, wrapped.len() - 1] {
            let mut other = object.clone();
            let mut changed = wrapped.clone();
            changed[place] ^= 1;
            other.key_block_mut().unwrap().key_value = Some(KeyValue::Wrapped(Blob::new(changed)));
            refused(other, &format!("{method} {place}"));
        }
        let mut shorter = object.clone();
        let cut = wrapped[..wrapped.len() - 1].to_vec();
        shorter.key_block_mut().unwrap().key_value = Some(KeyValue::Wrapped(Blob::new(cut)));
        refused(shorter, &format!("{method} cut"));
        let mac = data(&object).mac_signature.clone();
        if let Some(mac) = mac {
            for changed in [mac[1..].to_vec(), [&mac[..31], &[mac[31] ^ 1]].concat(), Vec::new()] {
                let mut other = object.clone();
                let wrapping = other.key_block_mut().unwrap().key_wrapping_data.as_mut().unwrap();
                wrapping.mac_signature = Some(Blob::new(changed));
                refused(other, &format!("{method} MAC"));
            }
        }
    }
    texts.dedup();
    assert_eq!(texts.len(), 1, "{texts:?}");
}

#[test]
fn an_aes_key_wraps_in_every_mode() {
    let house = House::new();
    let padded = |parameters| Parameters { padding_method: Some(PaddingMethod::PKCS5), ..parameters };
    let tagged = |parameters| Parameters { tag_length: Some(16), ..parameters };
    for (parameters, iv, length) in [
        (mode(Mode::NISTKeyWrap), 0, 40),
        (mode(Mode::AESKeyWrapPadding), 0, 40),
        (mode(Mode::CBC), 16, 32),
        (padded(mode(Mode::CBC)), 16, 48),
        (mode(Mode::ECB), 0, 32),
        (mode(Mode::CTR), 16, 32),
        (mode(Mode::CFB), 16, 32),
        (mode(Mode::OFB), 16, 32),
        // The tag stands behind the ciphertext.
        (tagged(mode(Mode::GCM)), 12, 48),
        (tagged(mode(Mode::CCM)), 12, 48),
    ] {
        let what = format!("{parameters:?}");
        let how = KeyWrappingSpecification {
            encryption_key_information: Some(encrypting(&house.aes, parameters)),
            ..house.specification(By::Encrypt)
        };
        let object = house.get(&house.key, how.clone()).unwrap();
        let wrapping = data(&object);
        assert_eq!(wrapping.iv_counter_nonce.as_ref().map_or(0, |iv| iv.len()), iv, "{what}");
        assert_eq!(bytes(&object).len(), length, "{what}");
        let again = house.get(&house.key, how).unwrap();
        // Another IV each time.
        assert_eq!(bytes(&again) == bytes(&object), iv == 0, "{what}");
        assert_eq!(house.opened(object.clone()), KEY, "{what}");
        if iv > 0 {
            let mut without = object;
            without.key_block_mut().unwrap().key_wrapping_data.as_mut().unwrap().iv_counter_nonce = None;
            assert_eq!(reason(house.import(without)), Some(Reason::InvalidField), "{what}");
        }
    }
}

#[test]
fn an_rsa_pair_wraps_with_its_one_half_and_unwraps_with_the_other() {
    let house = House::new();
    let oaep = Parameters {
        padding_method: Some(PaddingMethod::OAEP),
        hashing_algorithm: Some(HashingAlgorithm::SHA256),
        mask_generator_hashing_algorithm: Some(HashingAlgorithm::SHA256),
        ..Parameters::default()
    };
    let pkcs1 = Parameters { padding_method: Some(PaddingMethod::PKCS1V15), ..Parameters::default() };
    for (parameters, cipher) in
        [(oaep, RsaCipher::Oaep { hash: Hash::Sha256, mgf: Hash::Sha256, label: &[] }), (pkcs1, RsaCipher::Pkcs1)]
    {
        let how = KeyWrappingSpecification {
            encryption_key_information: Some(encrypting(&house.rsa.public, parameters)),
            ..house.specification(By::Encrypt)
        };
        let object = house.get(&house.key, how).unwrap();
        let private = ClearKey::new(KeyKind::Rsa { bits: 2048 }, house.rsa.pkcs8.clone());
        let plain = SoftwareProvider.decrypt_rsa(Key::Clear(&private), &cipher, &bytes(&object)).unwrap();
        assert_eq!(plain.expose(), KEY);
        assert_eq!(house.opened(object.clone()), KEY);
        // The private half may be named as well.
        let mut named = object;
        let wrapping = named.key_block_mut().unwrap().key_wrapping_data.as_mut().unwrap();
        wrapping.encryption_key_information.as_mut().unwrap().unique_identifier = house.rsa.private.clone();
        assert_eq!(house.opened(named), KEY);
    }
    let none = KeyWrappingSpecification {
        encryption_key_information: Some(encrypting(&house.rsa.public, Parameters::default())),
        ..house.specification(By::Encrypt)
    };
    assert_eq!(reason(house.get(&house.key, none)), Some(Reason::BadCryptographicParameters));
    let curve = KeyWrappingSpecification {
        encryption_key_information: Some(encrypting(
            &house.curve.public,
            Parameters { padding_method: Some(PaddingMethod::PKCS1V15), ..Parameters::default() },
        )),
        ..house.specification(By::Encrypt)
    };
    assert_eq!(reason(house.get(&house.key, curve)), Some(Reason::FeatureNotSupported));
}

#[test]
fn cmac_and_a_shortened_code_witness_a_key() {
    let house = House::new();
    let both = Mask::MAC_GENERATE | Mask::MAC_VERIFY;
    let aes = house.bench.key(Algorithm::AES, &KEK, both, Vec::new());
    let shortened = Parameters { tag_length: Some(12), ..mode(Mode::CMAC) };
    for (parameters, length) in [(mode(Mode::CMAC), 16), (shortened, 12)] {
        let how = KeyWrappingSpecification {
            mac_signature_key_information: Some(signing(&aes, Some(parameters))),
            ..house.specification(By::EncryptThenMACSign)
        };
        let object = house.get(&house.key, how).unwrap();
        assert_eq!(data(&object).mac_signature.as_ref().unwrap().len(), length);
        assert_eq!(house.opened(object.clone()), KEY);
        let mut other = object;
        let wrapping = other.key_block_mut().unwrap().key_wrapping_data.as_mut().unwrap();
        wrapping.mac_signature = Some(Blob::new(vec![0; length]));
        assert_eq!(reason(house.import(other)), Some(Reason::InvalidField));
    }
}

#[test]
fn a_pair_signs_and_either_half_is_named() {
    let house = House::new();
    let sha256 = Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..Parameters::default() };
    for (pair, scheme) in
        [(&house.rsa, Signature::RsaPkcs1(Hash::Sha256)), (&house.curve, Signature::Ecdsa(Hash::Sha256))]
    {
        for named in [&pair.private, &pair.public] {
            for method in [By::MACSign, By::EncryptThenMACSign, By::MACSignThenEncrypt] {
                let how = KeyWrappingSpecification {
                    mac_signature_key_information: Some(signing(named, Some(sha256.clone()))),
                    ..house.specification(method)
                };
                let object = house.get(&house.key, how).unwrap();
                let signature = data(&object).mac_signature.clone().unwrap();
                let signed = if method == By::MACSignThenEncrypt { KEY.to_vec() } else { bytes(&object) };
                assert!(public::verify(&pair.spki, scheme, Message::Data(&signed), &signature).unwrap());
                assert_eq!(data(&object).mac_signature_key_information.as_ref().unwrap().unique_identifier, *named);
                assert_eq!(house.opened(object.clone()), KEY);
                let mut other = object;
                let wrapping = other.key_block_mut().unwrap().key_wrapping_data.as_mut().unwrap();
                wrapping.mac_signature = Some(Blob::new([&signature[..signature.len() - 1], &[0]].concat()));
                assert_eq!(reason(house.import(other)), Some(Reason::InvalidField));
            }
        }
    }
}

#[test]
fn a_key_that_is_only_signed_is_in_the_clear_and_one_that_may_not_leave_so_does_not() {
    let house = House::new();
    let sensitive = vec![(Tag::Sensitive, Value::Boolean(true))];
    let kept = vec![(Tag::Extractable, Value::Boolean(false))];
    let secret = house.bench.key(Algorithm::AES, &KEY, Mask::ENCRYPT, sensitive.clone());
    let stays = house.bench.key(Algorithm::AES, &KEY, Mask::ENCRYPT, kept);
    for method in METHODS {
        let expected = (method == By::MACSign).then_some(Reason::Sensitive);
        assert_eq!(reason(house.get(&secret, house.specification(method))), expected, "{method}");
        assert_eq!(reason(house.get(&stays, house.specification(method))), Some(Reason::NotExtractable), "{method}");
    }
    // Nor does one leave that came so.
    let object = house.get(&house.key, house.specification(By::MACSign)).unwrap();
    let came = house.bench.object(object.clone(), sensitive.clone());
    assert_eq!(reason(house.bench.run::<Get>(V, get::Request::of(came))), Some(Reason::Sensitive));
    let hidden = house.get(&house.key, house.specification(By::EncryptThenMACSign)).unwrap();
    let came = house.bench.object(hidden, sensitive);
    assert_eq!(reason(house.bench.run::<Get>(V, get::Request::of(came))), None);
    // The structure that the bytes are the encoding of is MACed alike.
    let encoded = KeyWrappingSpecification { encoding_option: None, ..house.specification(By::MACSign) };
    let mut object = house.get(&house.key, encoded).unwrap();
    object.key_block_mut().unwrap().key_value = Some(KeyValue::bytes(Blob::copy_of(&KEY)));
    assert_eq!(house.opened(object), KEY);
}

#[test]
fn the_keys_that_wrap_must_be_for_it() {
    let house = House::new();
    let bench = &house.bench;
    let encrypts = bench.key(Algorithm::AES, &KEK, Mask::ENCRYPT, Vec::new());
    let verifies = bench.key(Algorithm::HMACSHA256, &MAC_KEY, Mask::MAC_VERIFY, Vec::new());
    let template = |method| house.specification(method);
    let with_aes = |key: &UniqueIdentifier| KeyWrappingSpecification {
        encryption_key_information: Some(encrypting(key, mode(Mode::NISTKeyWrap))),
        ..template(By::Encrypt)
    };
    let with_mac = |key: &UniqueIdentifier| KeyWrappingSpecification {
        mac_signature_key_information: Some(signing(key, None)),
        ..template(By::EncryptThenMACSign)
    };
    let get = |how| reason(house.get(&house.key, how));
    assert_eq!(get(with_aes(&encrypts)), Some(Reason::IncompatibleCryptographicUsageMask));
    assert_eq!(get(with_mac(&verifies)), Some(Reason::IncompatibleCryptographicUsageMask));
    assert_eq!(get(with_aes(&"nobody".into())), Some(Reason::WrappingObjectNotFound));
    assert_eq!(get(with_mac(&"nobody".into())), Some(Reason::WrappingObjectNotFound));
    let secret = Object::SecretData(kmip_codec::types::SecretData {
        secret_data_type: SecretDataType::Password,
        key_block: block(KeyFormatType::Raw, Algorithm::AES, &KEK),
    });
    let secret = bench.object(secret, vec![usage(Mask::WRAP_KEY)]);
    assert_eq!(get(with_aes(&secret)), Some(Reason::InvalidObjectType));
    // What the method needs, and what it has no place for.
    let missing = |how: KeyWrappingSpecification, method| KeyWrappingSpecification { wrapping_method: method, ..how };
    assert_eq!(get(missing(template(By::Encrypt), By::MACSign)), Some(Reason::InvalidMessage));
    assert_eq!(get(missing(template(By::Encrypt), By::EncryptThenMACSign)), Some(Reason::InvalidMessage));
    assert_eq!(get(missing(template(By::MACSign), By::MACSignThenEncrypt)), Some(Reason::InvalidMessage));
    assert_eq!(get(missing(template(By::EncryptThenMACSign), By::Encrypt)), Some(Reason::InvalidField));
    assert_eq!(get(missing(template(By::EncryptThenMACSign), By::MACSign)), Some(Reason::InvalidField));
    assert_eq!(get(missing(template(By::Encrypt), By::TR31)), Some(Reason::FeatureNotSupported));
    // Parameters that are given must be the key's, if it has any.
    let own = vec![structured(Tag::CryptographicParameters, &mode(Mode::CBC))];
    let chosen = bench.key(Algorithm::AES, &KEK, Mask::WRAP_KEY, own);
    assert_eq!(get(with_aes(&chosen)), Some(Reason::BadCryptographicParameters));
    let left = KeyWrappingSpecification {
        encryption_key_information: Some(EncryptionKeyInformation {
            unique_identifier: chosen,
            cryptographic_parameters: None,
        }),
        ..template(By::Encrypt)
    };
    assert_eq!(data(&house.get(&house.key, left).unwrap()).iv_counter_nonce.as_ref().unwrap().len(), 16);
    // A key that has been used up MACs no more.
    let once = bench.key(Algorithm::HMACSHA256, &MAC_KEY, Mask::MAC_GENERATE, vec![limits(1)]);
    assert_eq!(get(with_mac(&once)), None);
    assert_eq!(get(with_mac(&once)), Some(Reason::UsageLimitExceeded));
}

#[test]
fn a_key_wrap_has_no_place_for_what_other_modes_have() {
    let house = House::new();
    let with = |more: Parameters| {
        let parameters = Parameters { block_cipher_mode: Some(Mode::NISTKeyWrap), ..more };
        KeyWrappingSpecification {
            encryption_key_information: Some(encrypting(&house.aes, parameters)),
            ..house.specification(By::Encrypt)
        }
    };
    let wrapped = house.get(&house.key, with(Parameters::default())).unwrap();
    let refused = [
        Parameters { padding_method: Some(PaddingMethod::PKCS5), ..Parameters::default() },
        Parameters { tag_length: Some(16), ..Parameters::default() },
        Parameters { iv_length: Some(64), ..Parameters::default() },
        Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..Parameters::default() },
        Parameters { cryptographic_algorithm: Some(Algorithm::DES3), ..Parameters::default() },
    ];
    for more in refused {
        let how = with(more.clone());
        let given = how.encryption_key_information.clone();
        assert_eq!(reason(house.get(&house.key, how)), Some(Reason::BadCryptographicParameters), "{more:?}");
        let mut object = wrapped.clone();
        let data = object.key_block_mut().unwrap().key_wrapping_data.as_mut().unwrap();
        data.encryption_key_information = given;
        // The table of Import has no reason that speaks of Cryptographic Parameters.
        assert_eq!(reason(house.import(object)), Some(Reason::InvalidField), "{more:?}");
    }
    let more =
        Parameters { cryptographic_algorithm: Some(Algorithm::AES), random_iv: Some(true), ..Parameters::default() };
    assert_eq!(house.opened(house.get(&house.key, with(more)).unwrap()), KEY);
}

#[test]
fn attributes_are_wrapped_with_the_key_where_the_encoding_has_a_place_for_them() {
    let house = House::new();
    for method in METHODS {
        let with = KeyWrappingSpecification {
            attribute_names: vec!["Cryptographic Usage Mask".into()],
            ..house.specification(method)
        };
        assert_eq!(reason(house.get(&house.key, with.clone())), Some(Reason::EncodingOptionError), "{method}");
        let encoded = KeyWrappingSpecification { encoding_option: None, ..with };
        assert_eq!(house.opened(house.get(&house.key, encoded).unwrap()), KEY, "{method}");
    }
}
