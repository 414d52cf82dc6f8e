//! Derive Key: what is refused, and why; the vectors of the methods are the provider suite's.

use kmip_codec::Value;
use kmip_codec::spec::{
    BlockCipherMode, CryptographicUsageMask as Mask, HashingAlgorithm, KeyFormatType, ResultReason as Reason,
    RevocationReasonCode, Version,
};
use kmip_codec::types::{Attribute, KeyMaterial, KeyValue, Link, RevocationReason};

use super::*;
use crate::crypto::ClearKey;
use crate::ops::revoke::{self, Revoke};
use crate::view::testing::{Bench, block, secret, usage};

const V: Version = Version::V2_1;
const BYTES: [u8; 16] = [7; 16];

fn key(bench: &Bench, more: Vec<(Tag, Value)>) -> UniqueIdentifier {
    bench.key(Algorithm::AES, &BYTES, Mask::DERIVE_KEY, more)
}

fn secret_data(bench: &Bench, bytes: &[u8]) -> UniqueIdentifier {
    bench.object(secret(bytes), vec![usage(Mask::DERIVE_KEY)])
}

fn sha256() -> DerivationParameters {
    let parameters = Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..Parameters::default() };
    DerivationParameters { cryptographic_parameters: Some(parameters), ..DerivationParameters::default() }
}

fn with_data(data: &[u8]) -> DerivationParameters {
    DerivationParameters { derivation_data: vec![Blob::copy_of(data)], ..sha256() }
}

fn attributes(bits: i32) -> Vec<Attribute> {
    vec![
        Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(Algorithm::AES.into())),
        Attribute::new(Tag::CryptographicLength, Value::Integer(bits)),
    ]
}

fn request(bases: &[&UniqueIdentifier], method: Method, parameters: DerivationParameters) -> Request {
    Request {
        object_type: ObjectType::SymmetricKey,
        unique_identifiers: bases.iter().map(|&base| base.clone()).collect(),
        derivation_method: method,
        derivation_parameters: parameters,
        attributes: Attributes { list: attributes(128), ..Attributes::default() },
        protection_storage_masks: None,
    }
}

fn bytes(bench: &Bench, derived: &Response) -> Vec<u8> {
    let mut view = bench.view(V);
    let object = view.open(Some(&UniqueIdentifier::Text(derived.unique_identifier.clone())), Use::Get).unwrap();
    let object = view.export(&object, false).unwrap().into_object();
    match object.key_block().and_then(|block| block.key_value.as_ref()) {
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn reason(bench: &Bench, request: Request) -> Reason {
    bench.run::<DeriveKey>(V, request).unwrap_err().reason
}

#[test]
fn data_comes_with_the_request_or_from_secret_data() {
    let bench = Bench::new();
    let (key, data) = (key(&bench, vec![]), secret_data(&bench, b"data"));
    let said = bench.run::<DeriveKey>(V, request(&[&key], Method::HMAC, with_data(b"data"))).unwrap();
    let brought = bench.run::<DeriveKey>(V, request(&[&key, &data], Method::HMAC, sha256())).unwrap();
    assert_eq!(bytes(&bench, &said), bytes(&bench, &brought));
    let mut view = bench.view(V);
    let object = view.open(Some(&UniqueIdentifier::Text(brought.unique_identifier)), Use::ReadAttributes).unwrap();
    let links: Vec<UniqueIdentifier> = object
        .attributes
        .structures::<Link>(Tag::Link)
        .filter(|link| link.kind == LinkType::DerivationBaseObjectLink)
        .map(|link| link.linked)
        .collect();
    assert_eq!(links, [key.clone(), data.clone()]);

    // Both in one place are ambiguous, and so is a Secret Data that HASH or PBKDF2 has for its own.
    assert_eq!(reason(&bench, request(&[&key, &data], Method::HMAC, with_data(b"data"))), Reason::InvalidMessage);
    assert_eq!(reason(&bench, request(&[&data], Method::HASH, with_data(b"data"))), Reason::InvalidMessage);
    let bad = Reason::BadCryptographicParameters;
    assert_eq!(reason(&bench, request(&[&key], Method::HASH, with_data(b"data"))), bad);
    assert_eq!(reason(&bench, request(&[&key], Method::HMAC, sha256())), bad);
    assert_eq!(reason(&bench, request(&[&data, &key], Method::HMAC, sha256())), bad);
}

#[test]
fn an_hmac_key_settles_its_hash() {
    let bench = Bench::new();
    let key = bench.key(Algorithm::HMACSHA1, &BYTES, Mask::DERIVE_KEY, vec![]);
    let derived = bench.run::<DeriveKey>(V, request(&[&key], Method::HMAC, with_data(b"x"))).unwrap();
    let expected = crate::crypto::Provider::mac(
        &crate::crypto::software::SoftwareProvider,
        Key::Clear(&ClearKey::new(KeyKind::Generic { bytes: 16 }, Secret::copy_of(&BYTES))),
        crate::crypto::algorithm::Mac::Hmac(Hash::Sha1),
        b"x",
    );
    assert_eq!(bytes(&bench, &derived), expected.unwrap()[..16]);
}

#[test]
fn encryption_has_an_iv_of_zeros_where_none_is_given() {
    let bench = Bench::new();
    let key = key(&bench, vec![]);
    let cbc = |iv: Option<&[u8]>, data: &[u8]| DerivationParameters {
        cryptographic_parameters: Some(Parameters {
            block_cipher_mode: Some(BlockCipherMode::CBC),
            ..Parameters::default()
        }),
        initialization_vector: iv.map(Blob::copy_of),
        derivation_data: vec![Blob::copy_of(data)],
        ..DerivationParameters::default()
    };
    let derive = |iv| {
        let derived = bench.run::<DeriveKey>(V, request(&[&key], Method::ENCRYPT, cbc(iv, &[1; 16])));
        bytes(&bench, &derived.unwrap())
    };
    assert_eq!(derive(None), derive(Some(&[0; 16])));
    assert_ne!(derive(None), derive(Some(&[1; 16])));
    // A Random IV would be one that nobody learns.
    let mut random = request(&[&key], Method::ENCRYPT, cbc(None, &[1; 16]));
    let parameters = random.derivation_parameters.cryptographic_parameters.as_mut().unwrap();
    parameters.random_iv = Some(true);
    assert_eq!(reason(&bench, random), Reason::BadCryptographicParameters);
    // The ciphertext is shorter than what is asked for.
    let mut long = request(&[&key], Method::ENCRYPT, cbc(None, &[1; 16]));
    long.attributes.list = attributes(256);
    assert_eq!(reason(&bench, long), Reason::CryptographicFailure);
}

#[test]
fn what_is_missing_or_means_nothing_is_refused() {
    let bench = Bench::new();
    let (key, data) = (key(&bench, vec![]), secret_data(&bench, b"data"));
    let bad = Reason::BadCryptographicParameters;
    assert_eq!(reason(&bench, request(&[], Method::HASH, sha256())), Reason::InvalidMessage);
    assert_eq!(reason(&bench, request(&[&key, &key], Method::HASH, sha256())), Reason::InvalidField);
    let salt = Some(Blob::copy_of(b"salt"));
    let pbkdf2 = |salt: &Option<Blob>, iteration_count| DerivationParameters {
        salt: salt.clone(),
        iteration_count,
        ..DerivationParameters::default()
    };
    for parameters in [pbkdf2(&None, Some(1)), pbkdf2(&salt, None), pbkdf2(&salt, Some(0)), pbkdf2(&salt, Some(-1))] {
        assert_eq!(reason(&bench, request(&[&data], Method::PBKDF2, parameters)), bad);
    }
    let salted = DerivationParameters { salt, ..sha256() };
    assert_eq!(reason(&bench, request(&[&key], Method::HASH, salted)), bad);
    let unsaid = DerivationParameters::default();
    assert_eq!(reason(&bench, request(&[&key], Method::HASH, unsaid.clone())), bad);
    let unknown = Method(0x8000_0001);
    assert_eq!(reason(&bench, request(&[&key], unknown, sha256())), Reason::InvalidField);
    let pair = request(&[&key, &data], Method::AsymmetricKey, unsaid);
    assert_eq!(reason(&bench, pair), Reason::InvalidObjectType);

    let mut without = request(&[&key], Method::HASH, sha256());
    without.attributes.list.pop();
    assert_eq!(reason(&bench, without), Reason::InvalidAttribute);
    let mut without = request(&[&key], Method::HASH, sha256());
    without.attributes.list.remove(0);
    assert_eq!(reason(&bench, without.clone()), Reason::InvalidAttribute);
    // Secret Data needs no algorithm.
    without.object_type = ObjectType::SecretData;
    assert_eq!(bytes(&bench, &bench.run::<DeriveKey>(V, without).unwrap()).len(), 16);
    let mut odd = request(&[&key], Method::HASH, sha256());
    odd.attributes.list = attributes(129);
    assert_eq!(reason(&bench, odd), Reason::InvalidField);
    let mut pair = request(&[&key], Method::HASH, sha256());
    pair.object_type = ObjectType::PublicKey;
    assert_eq!(reason(&bench, pair), Reason::InvalidObjectType);
}

#[test]
fn only_active_keys_that_may_derive_do() {
    let bench = Bench::new();
    let other = bench.key(Algorithm::AES, &BYTES, Mask::ENCRYPT, vec![]);
    let asked = request(&[&other], Method::HASH, sha256());
    assert_eq!(reason(&bench, asked), Reason::IncompatibleCryptographicUsageMask);
    let key = key(&bench, vec![]);
    let revoked = revoke::Request {
        unique_identifier: Some(key.clone()),
        revocation_reason: RevocationReason { code: RevocationReasonCode::Unspecified, message: None },
        compromise_occurrence_date: None,
    };
    bench.run::<Revoke>(V, revoked).unwrap();
    assert_eq!(reason(&bench, request(&[&key], Method::HASH, sha256())), Reason::WrongKeyLifecycleState);
    let nobody = UniqueIdentifier::Text("nobody".into());
    assert_eq!(reason(&bench, request(&[&nobody], Method::HASH, sha256())), Reason::ObjectNotFound);
}

#[test]
fn the_strictest_flags_are_inherited() {
    let bench = Bench::new();
    let strict = vec![(Tag::Sensitive, Value::Boolean(true)), (Tag::Extractable, Value::Boolean(false))];
    let strict = bench.key(Algorithm::AES, &BYTES, Mask::DERIVE_KEY, strict);
    let data = secret_data(&bench, b"data");
    let derived = bench.run::<DeriveKey>(V, request(&[&strict, &data], Method::HMAC, sha256())).unwrap();
    let mut view = bench.view(V);
    let object = view.open(Some(&UniqueIdentifier::Text(derived.unique_identifier)), Use::ReadAttributes).unwrap();
    assert!(object.is_sensitive() && !object.is_extractable());
    assert_eq!(object.attributes.boolean(Tag::NeverExtractable), Some(true));
    // A key that was to be had once, or seen: what comes of it is guarded as it is, and was not always.
    let once = bench.key(Algorithm::AES, &BYTES, Mask::DERIVE_KEY, vec![]);
    let mut asked = request(&[&once], Method::HMAC, with_data(b"data"));
    for (tag, value) in [(Tag::Sensitive, true), (Tag::Extractable, false)] {
        asked.attributes.list.push(Attribute::new(tag, Value::Boolean(value)));
    }
    let derived = bench.run::<DeriveKey>(V, asked).unwrap();
    let mut view = bench.view(V);
    let object = view.open(Some(&UniqueIdentifier::Text(derived.unique_identifier)), Use::ReadAttributes).unwrap();
    assert!(object.is_sensitive() && !object.is_extractable());
    for history in [Tag::AlwaysSensitive, Tag::NeverExtractable] {
        assert_eq!(object.attributes.boolean(history), Some(false), "{history}");
    }
    for looser in [(Tag::Sensitive, false), (Tag::Extractable, true)] {
        let mut asked = request(&[&strict, &data], Method::HMAC, sha256());
        asked.attributes.list.push(Attribute::new(looser.0, Value::Boolean(looser.1)));
        assert_eq!(reason(&bench, asked), Reason::InvalidAttribute);
    }
}

#[test]
fn a_pair_agrees_with_another() {
    let bench = Bench::new();
    let generate = || {
        let kind = KeyKind::Ec { curve: crate::crypto::algorithm::Curve::P256 };
        let software = crate::crypto::software::SoftwareProvider;
        let pair = crate::crypto::Provider::generate_pair(&software, kind, crate::crypto::Residency::Sealed).unwrap();
        let Made::Clear(private) = pair.private else { panic!("not in the clear") };
        let private = Object::PrivateKey(block(KeyFormatType::Pkcs8, Algorithm::EC, private.expose()));
        let public = Object::PublicKey(block(KeyFormatType::X509, Algorithm::EC, &pair.public));
        [private, public].map(|object| bench.object(object, vec![usage(Mask::DERIVE_KEY)]))
    };
    let (one, other) = (generate(), generate());
    let derive = |bases: [&UniqueIdentifier; 2]| {
        let asked = request(&bases, Method::AsymmetricKey, DerivationParameters::default());
        bytes(&bench, &bench.run::<DeriveKey>(V, asked).unwrap())
    };
    assert_eq!(derive([&one[0], &other[1]]), derive([&one[1], &other[0]]));
    let mut long = request(&[&one[0], &other[1]], Method::AsymmetricKey, DerivationParameters::default());
    long.object_type = ObjectType::SecretData;
    long.attributes.list = attributes(264).split_off(1);
    assert_eq!(reason(&bench, long), Reason::CryptographicFailure);
}

// ML-KEM (docs/adr/0009).

use crate::crypto::algorithm::ParameterSet;
use crate::crypto::permits::{Permits, Preset};
use crate::crypto::software::SoftwareProvider;
use crate::crypto::{MadePair, Provider};
use crate::ops::decrypt::{self, Decrypt};
use crate::ops::encrypt::{self, Encrypt};
use crate::view::Settings;

const KEMS: [ParameterSet; 3] = [ParameterSet::MlKem512, ParameterSet::MlKem768, ParameterSet::MlKem1024];

/// Private and public.
fn kem(bench: &Bench, set: ParameterSet) -> [UniqueIdentifier; 2] {
    let kind = KeyKind::PostQuantum { set };
    let MadePair { private, public } = SoftwareProvider.generate_pair(kind, crate::crypto::Residency::Sealed).unwrap();
    let Made::Clear(private) = private else { panic!("not in the clear") };
    let private = Object::PrivateKey(block(KeyFormatType::Pkcs8, set.algorithm(), private.expose()));
    let public = Object::PublicKey(block(KeyFormatType::X509, set.algorithm(), &public));
    let mask = Mask::DERIVE_KEY | Mask::ENCRYPT | Mask::DECRYPT;
    [private, public].map(|key| bench.object(key, vec![usage(mask)]))
}

fn ciphertext(bench: &Bench, derived: &Response) -> Vec<u8> {
    let mut view = bench.view(V);
    let object = view.open(Some(&UniqueIdentifier::Text(derived.unique_identifier.clone())), Use::Get).unwrap();
    let found = object.attributes.iter().find(|attribute| attribute.tag == Tag::Attribute).expect("no attribute");
    assert_eq!(kmip_codec::types::vendor(&found.value), Some((&"y".into(), &"Encapsulation".into())));
    match found.value.find(Tag::AttributeValue) {
        Some(Value::ByteString(bytes)) => bytes.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn decapsulate(bench: &Bench, key: &UniqueIdentifier, ciphertext: &[u8]) -> Outcome<Response> {
    let given = DerivationParameters { derivation_data: vec![Blob::copy_of(ciphertext)], ..Default::default() };
    bench.run::<DeriveKey>(V, request(&[key], Method::AsymmetricKey, given))
}

#[test]
fn two_sides_agree_on_a_key_by_ml_kem() {
    let bench = Bench::new();
    for set in KEMS {
        let [private, public] = kem(&bench, set);
        let made = bench.run::<DeriveKey>(V, request(&[&public], Method::AsymmetricKey, Default::default())).unwrap();
        let mut sent = ciphertext(&bench, &made);
        assert_eq!(sent.len(), set.output_len());
        let found = decapsulate(&bench, &private, &sent).unwrap();
        assert_eq!(bytes(&bench, &made), bytes(&bench, &found));
        let again = bench.run::<DeriveKey>(V, request(&[&public], Method::AsymmetricKey, Default::default())).unwrap();
        assert_ne!(bytes(&bench, &made), bytes(&bench, &again));
        // Rejection is in secret: another key, and no error.
        sent[0] ^= 1;
        let other = decapsulate(&bench, &private, &sent).unwrap();
        assert_ne!(bytes(&bench, &made), bytes(&bench, &other));
        let refused = decapsulate(&bench, &private, &sent[1..]).unwrap_err();
        assert_eq!(refused.reason, Reason::CryptographicFailure);
        for (key, given) in [(&private, DerivationParameters::default()), (&public, with_data(&sent))] {
            let refused = bench.run::<DeriveKey>(V, request(&[key], Method::AsymmetricKey, given)).unwrap_err();
            assert_eq!(refused.reason, Reason::BadCryptographicParameters);
        }
        let mut long = request(&[&public], Method::AsymmetricKey, Default::default());
        long.object_type = ObjectType::SecretData;
        let length = Attribute::new(Tag::CryptographicLength, Value::Integer(264));
        long.attributes = Attributes { list: vec![length], ..Attributes::default() };
        assert_eq!(bench.run::<DeriveKey>(V, long).unwrap_err().reason, Reason::CryptographicFailure);
    }
}

fn encrypted(bench: &Bench, key: &UniqueIdentifier, data: Option<&[u8]>, aad: Option<&[u8]>) -> Outcome<Vec<u8>> {
    let request = encrypt::Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: None,
        data: data.map(|data| crate::ops::data::Data::Bytes(Blob::copy_of(data))),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: aad.map(Blob::copy_of),
    };
    let answer = bench.run::<Encrypt>(V, request)?;
    assert!(answer.authenticated_encryption_tag.is_none() && answer.iv_counter_nonce.is_none());
    Ok(answer.data.unwrap().to_vec())
}

fn decrypted(bench: &Bench, key: &UniqueIdentifier, data: &[u8], aad: Option<&[u8]>) -> Outcome<Vec<u8>> {
    let request = decrypt::Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: None,
        data: Some(crate::ops::data::Data::Bytes(Blob::copy_of(data))),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: aad.map(Blob::copy_of),
        authenticated_encryption_tag: None,
    };
    Ok(bench.run::<Decrypt>(V, request)?.data.unwrap().to_vec())
}

#[test]
fn what_is_encrypted_to_a_key_of_ml_kem_is_decrypted_with_it() {
    let bench = Bench::new();
    for set in KEMS {
        let [private, public] = kem(&bench, set);
        let sealed = encrypted(&bench, &public, Some(b"data"), Some(b"more")).unwrap();
        assert_eq!(sealed.len(), set.output_len() + 4 + 16);
        assert_eq!(decrypted(&bench, &private, &sealed, Some(b"more")).unwrap(), b"data");
        let mut changed = sealed.clone();
        changed[0] ^= 1;
        // One answer for all that does not open, the bare ciphertext of the KEM among them.
        let answers =
            [(&sealed[..], None), (&changed, Some(&b"more"[..])), (&sealed[..set.output_len()], None), (b"", None)];
        let mut told = answers.map(|(data, aad)| decrypted(&bench, &private, data, aad).unwrap_err());
        assert_eq!(told[0].reason, Reason::CryptographicFailure);
        told.rotate_left(1);
        assert!(told.iter().all(|failure| *failure == told[0]), "{told:?}");
        assert_eq!(encrypted(&bench, &public, None, None).unwrap_err().reason, Reason::InvalidMessage);
    }
    let permits = Permits::preset(Preset::Cnsa2);
    let bench = Bench::with(Settings { permits, ..Settings::default() }, None);
    let [_, small] = kem(&bench, ParameterSet::MlKem768);
    let refused = encrypted(&bench, &small, Some(b"data"), None).unwrap_err();
    assert_eq!(refused.reason, Reason::UnsupportedCryptographicParameters);
    let [_, large] = kem(&bench, ParameterSet::MlKem1024);
    encrypted(&bench, &large, Some(b"data"), None).unwrap();
}
