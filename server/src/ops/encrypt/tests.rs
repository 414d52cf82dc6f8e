//! Encrypt and Decrypt: the vectors are those of SP 800-38A and of the GCM submission.

use kmip_codec::spec::{
    BlockCipherMode as Mode, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask, HashingAlgorithm,
    KeyFormatType, KeyRoleType, PaddingMethod, ResultReason as Reason, Tag, UsageLimitsUnit, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{CryptographicParameters as Parameters, Object, UniqueIdentifier, UsageLimits};
use kmip_codec::{Element, Value};

use super::{Encrypt, Request, Response};
use crate::failure::{Failure, Outcome};
use crate::ops::data::Data;
use crate::ops::decrypt::{self, Decrypt};
use crate::view::testing::{Bench, NOW, block, secret, structured, usage};

mod modes;
mod parts;

const BOTH: Mask = Mask::ENCRYPT.union(Mask::DECRYPT);
const SP800_38A: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a";
const IV: &str = "000102030405060708090a0b0c0d0e0f";

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn blob(text: &str) -> Option<Blob> {
    Some(Blob::new(hex(text)))
}

fn mode(mode: Mode) -> Parameters {
    Parameters { block_cipher_mode: Some(mode), ..Parameters::default() }
}

fn gcm(tag_length: i32) -> Parameters {
    Parameters { tag_length: Some(tag_length), ..mode(Mode::GCM) }
}

fn cbc_padded() -> Parameters {
    Parameters { padding_method: Some(PaddingMethod::PKCS5), ..mode(Mode::CBC) }
}

fn aes(bench: &Bench, key: &str) -> UniqueIdentifier {
    bench.key(Algorithm::AES, &hex(key), BOTH, Vec::new())
}

fn request(key: &UniqueIdentifier, parameters: Option<Parameters>, data: &str) -> Request {
    Request {
        unique_identifier: Some(key.clone()),
        cryptographic_parameters: parameters,
        data: Some(Data::Bytes(Blob::new(hex(data)))),
        iv_counter_nonce: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: None,
    }
}

fn reverse(request: &Request, answer: &Response) -> decrypt::Request {
    decrypt::Request {
        unique_identifier: request.unique_identifier.clone(),
        cryptographic_parameters: request.cryptographic_parameters.clone(),
        data: answer.data.clone().map(Data::Bytes),
        iv_counter_nonce: request.iv_counter_nonce.clone().or(answer.iv_counter_nonce.clone()),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: request.additional_data.clone(),
        authenticated_encryption_tag: answer.authenticated_encryption_tag.clone(),
    }
}

fn encrypt(bench: &Bench, request: Request) -> Outcome<Response> {
    bench.run::<Encrypt>(Version::V2_1, request)
}

fn decrypt(bench: &Bench, request: decrypt::Request) -> Outcome<decrypt::Response> {
    bench.run::<Decrypt>(Version::V2_1, request)
}

#[track_caller]
fn refused<T>(outcome: Outcome<T>, reason: Reason, says: &str) -> Failure {
    let failure = outcome.err().expect("refused");
    assert_eq!(failure.reason, reason, "{failure}");
    assert!(failure.message.contains(says), "{failure}");
    failure
}

#[test]
fn published_vectors_go_both_ways() {
    let bench = Bench::new();
    for (key, parameters, data, iv, aad, expected, tag) in [
        (SP800_38A, mode(Mode::ECB), PLAIN, None, None, "3ad77bb40d7a3660a89ecaf32466ef97", None),
        (SP800_38A, mode(Mode::CBC), PLAIN, Some(IV), None, "7649abac8119b246cee98e9b12e9197d", None),
        (
            SP800_38A,
            mode(Mode::CTR),
            PLAIN,
            Some("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff"),
            None,
            "874d6191b620e3261bef6864990db6ce",
            None,
        ),
        (
            "00000000000000000000000000000000",
            gcm(16),
            "",
            Some("000000000000000000000000"),
            None,
            "",
            Some("58e2fccefa7e3061367f1d57a4e7455a"),
        ),
        (
            "00000000000000000000000000000000",
            gcm(12),
            "00000000000000000000000000000000",
            Some("000000000000000000000000"),
            None,
            "0388dace60b6a392f328c2b971b2fe78",
            Some("ab6e47d42cec13bdf53a67b2"),
        ),
        (
            "feffe9928665731c6d6a8f9467308308",
            gcm(16),
            "d9313225f88406e5a55909c5aff5269a86a7a9531534f7da2e4c303d8a318a721c3c0c95956809532fcf0e2449a6b525\
             b16aedf5aa0de657ba637b39",
            Some("cafebabefacedbad"),
            Some("feedfacedeadbeeffeedfacedeadbeefabaddad2"),
            "61353b4c2806934a777ff51fa22a4755699b2a714fcdc6f83766e5f97b6c742373806900e49f24b22b097544d4896b42\
             4989b5e1ebac0f07c23f4598",
            Some("3612d2e79e3b0785561be14aaca2fccb"),
        ),
    ] {
        let key = aes(&bench, key);
        let mut asked = request(&key, Some(parameters), data);
        asked.iv_counter_nonce = iv.and_then(blob);
        asked.additional_data = aad.and_then(blob);
        let answer = encrypt(&bench, asked.clone()).unwrap();
        assert_eq!(answer.data, blob(expected));
        assert_eq!(answer.authenticated_encryption_tag, tag.and_then(blob));
        assert_eq!(answer.iv_counter_nonce, None, "an IV that the client gave does not come back");
        let back = decrypt(&bench, reverse(&asked, &answer)).unwrap();
        assert_eq!(back.data, blob(data));
        assert_eq!(UniqueIdentifier::Text(back.unique_identifier), key);
    }
}

#[test]
fn a_random_iv_comes_back_and_is_not_the_same_twice() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    for (parameters, len) in [(cbc_padded(), 16), (mode(Mode::CTR), 16), (gcm(16), 12)] {
        let asked = request(&key, Some(Parameters { random_iv: Some(true), ..parameters.clone() }), "01");
        let [first, second] = [0, 1].map(|_| encrypt(&bench, asked.clone()).unwrap());
        assert_eq!(first.iv_counter_nonce.as_ref().unwrap().len(), len);
        assert_ne!(first.iv_counter_nonce, second.iv_counter_nonce);
        // Random IV says nothing for decryption: the IV that came back must be sent.
        assert_eq!(decrypt(&bench, reverse(&asked, &first)).unwrap().data, blob("01"));
        let mut without = reverse(&asked, &first);
        without.iv_counter_nonce = None;
        refused(decrypt(&bench, without), Reason::MissingInitializationVector, "IV");
    }
    // The client's own IV goes before, and does not come back.
    let mut asked = request(&key, Some(Parameters { random_iv: Some(true), ..mode(Mode::CBC) }), PLAIN);
    asked.iv_counter_nonce = blob(IV);
    let answer = encrypt(&bench, asked).unwrap();
    assert_eq!((answer.data, answer.iv_counter_nonce), (blob("7649abac8119b246cee98e9b12e9197d"), None));
    // ECB needs none, and none is made.
    let asked = request(&key, Some(Parameters { random_iv: Some(true), ..mode(Mode::ECB) }), PLAIN);
    assert_eq!(encrypt(&bench, asked).unwrap().iv_counter_nonce, None);
}

#[test]
fn the_keys_own_parameters_with_the_lowest_index_fill_in_and_are_never_mixed() {
    let bench = Bench::new();
    let own = vec![
        structured(Tag::CryptographicParameters, &mode(Mode::ECB)),
        structured(Tag::CryptographicParameters, &cbc_padded()),
    ];
    let key = bench.key(Algorithm::AES, &hex(SP800_38A), BOTH, own);
    let answer = encrypt(&bench, request(&key, None, PLAIN)).unwrap();
    assert_eq!(answer.data, blob("3ad77bb40d7a3660a89ecaf32466ef97"));
    // Those of the request alone: without a mode there is none, whatever the key says.
    let padding = Parameters { padding_method: Some(PaddingMethod::PKCS5), ..Parameters::default() };
    refused(
        encrypt(&bench, request(&key, Some(padding), PLAIN)),
        Reason::BadCryptographicParameters,
        "Block Cipher Mode",
    );
    let bare = aes(&bench, SP800_38A);
    refused(encrypt(&bench, request(&bare, None, PLAIN)), Reason::BadCryptographicParameters, "Block Cipher Mode");
}

#[test]
fn parameters_are_obeyed_or_refused() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let (bad, unsupported) = (Reason::BadCryptographicParameters, Reason::UnsupportedCryptographicParameters);
    let gcm16 = gcm(16);
    for (parameters, reason, says) in [
        (gcm(1), bad, "1 bytes"),
        (gcm(32), bad, "32 bytes"),
        (gcm(-16), bad, "-16"),
        (mode(Mode::GCM), bad, "Tag Length"),
        (Parameters { padding_method: Some(PaddingMethod::PKCS5), ..gcm16.clone() }, bad, "pad"),
        (Parameters { padding_method: Some(PaddingMethod::OAEP), ..mode(Mode::CBC) }, bad, "Padding Method"),
        (Parameters { padding_method: Some(PaddingMethod::Zeros), ..mode(Mode::CBC) }, unsupported, "Zeros"),
        (Parameters { padding_method: Some(PaddingMethod::SSL3), ..mode(Mode::CBC) }, unsupported, "SSL3"),
        (Parameters { padding_method: Some(PaddingMethod::ANSIX923), ..mode(Mode::CTR) }, bad, "pad"),
        (Parameters { tag_length: Some(16), ..mode(Mode::CBC) }, bad, "Tag Length"),
        (Parameters { iv_length: Some(96), ..mode(Mode::CBC) }, bad, "96 bits"),
        (Parameters { iv_length: Some(16), ..mode(Mode::CTR) }, bad, "16 bits"),
        (Parameters { iv_length: Some(128), ..gcm16.clone() }, bad, "IV Length"),
        (Parameters { iv_length: Some(97), ..gcm16.clone() }, bad, "97 bits"),
        (mode(Mode::XTS), bad, "XTS"),
        (mode(Mode::NISTKeyWrap), bad, "IV"),
        (mode(Mode::AESKeyWrapPadding), bad, "IV"),
        (mode(Mode::CCM), bad, "Tag Length"),
        (Parameters { tag_length: Some(13), ..mode(Mode::CCM) }, bad, "13 bytes"),
        (Parameters { tag_length: Some(6), ..mode(Mode::GCM) }, bad, "6 bytes"),
        (Parameters { tag_length: Some(12), iv_length: Some(112), ..mode(Mode::CCM) }, bad, "112 bits"),
        (mode(Mode::CMAC), bad, "MACs"),
        (mode(Mode::CBCMAC), bad, "MACs"),
        (mode(Mode::PCBC), unsupported, "PCBC"),
        (mode(Mode::AEAD), unsupported, "AEAD"),
        (mode(Mode::X9102AESKW), unsupported, "X9.102"),
        (mode(Mode::X9102TDKW), unsupported, "X9.102"),
        (mode(Mode::X9102AKW1), unsupported, "X9.102"),
        (mode(Mode::X9102AKW2), unsupported, "X9.102"),
        (Parameters { cryptographic_algorithm: Some(Algorithm::RSA), ..gcm16.clone() }, bad, "AES"),
        (Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..gcm16.clone() }, bad, "Hashing Algorithm"),
        (Parameters { salt_length: Some(20), ..gcm16.clone() }, bad, "Salt Length"),
        (Parameters { p_source: blob("00"), ..gcm16.clone() }, bad, "P Source"),
        (Parameters { trailer_field: Some(1), ..gcm16.clone() }, bad, "Trailer Field"),
        (Parameters { key_role_type: Some(KeyRoleType::DEK), ..gcm16.clone() }, unsupported, "Key Role Type"),
        (Parameters { counter_length: Some(32), ..mode(Mode::CTR) }, bad, "IV"),
        (Parameters { counter_length: Some(64), initial_counter_value: Some(1), ..mode(Mode::CTR) }, bad, "block"),
        (Parameters { counter_length: Some(32), ..gcm16.clone() }, unsupported, "Counter Length"),
        (Parameters { initial_counter_value: Some(1), ..gcm16.clone() }, unsupported, "Initial Counter Value"),
        (
            Parameters { fixed_field_length: Some(32), invocation_field_length: Some(32), ..gcm16.clone() },
            bad,
            "Fixed Field Length",
        ),
        (Parameters { fixed_field_length: Some(32), ..mode(Mode::CBC) }, unsupported, "Fixed Field Length"),
        (Parameters { invocation_field_length: Some(64), ..mode(Mode::OFB) }, unsupported, "Invocation Field Length"),
    ] {
        let mut asked = request(&key, Some(parameters.clone()), PLAIN);
        asked.iv_counter_nonce = blob("000102030405060708090a0b");
        let said = refused(encrypt(&bench, asked.clone()), reason, says);
        // Decrypt reads the same parameters and refuses them alike.
        let answer = Response {
            unique_identifier: "".into(),
            data: blob(PLAIN),
            iv_counter_nonce: None,
            correlation_value: None,
            authenticated_encryption_tag: blob(IV),
        };
        assert_eq!(decrypt(&bench, reverse(&asked, &answer)).unwrap_err().reason, said.reason, "{parameters:?}");
    }
    let long = Parameters { random_iv: Some(true), iv_length: Some(128), ..gcm16 };
    refused(encrypt(&bench, request(&key, Some(long), PLAIN)), unsupported, "96 bits");
    // What only repeats what is so anyway is obeyed.
    let repeated = Parameters {
        cryptographic_algorithm: Some(Algorithm::AES),
        padding_method: Some(PaddingMethod::None),
        random_iv: Some(false),
        iv_length: Some(128),
        ..mode(Mode::CBC)
    };
    let mut asked = request(&key, Some(repeated), PLAIN);
    asked.iv_counter_nonce = blob(IV);
    assert_eq!(encrypt(&bench, asked).unwrap().data, blob("7649abac8119b246cee98e9b12e9197d"));
}

#[test]
fn what_accompanies_the_data_must_fit_the_mode() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let bad = Reason::BadCryptographicParameters;
    let ask = |parameters, iv: Option<&str>, aad: Option<&str>| {
        let mut asked = request(&key, Some(parameters), PLAIN);
        asked.iv_counter_nonce = iv.and_then(blob);
        asked.additional_data = aad.and_then(blob);
        encrypt(&bench, asked)
    };
    refused(ask(mode(Mode::CBC), None, None), Reason::MissingInitializationVector, "IV");
    refused(ask(mode(Mode::CTR), None, None), Reason::MissingInitializationVector, "IV");
    refused(ask(gcm(16), None, None), Reason::MissingInitializationVector, "IV");
    refused(ask(mode(Mode::ECB), Some(IV), None), bad, "IV");
    refused(ask(mode(Mode::CBC), Some("00"), None), bad, "IV");
    refused(ask(mode(Mode::CBC), Some(IV), Some("00")), bad, "Additional Data");
    refused(ask(gcm(16), Some(""), None), bad, "nonce");

    // Two blocks from the last counter on.
    let mut wrapping = request(&key, Some(mode(Mode::CTR)), &PLAIN.repeat(2));
    wrapping.iv_counter_nonce = blob("ffffffffffffffffffffffffffffffff");
    refused(encrypt(&bench, wrapping), bad, "wrap");

    let odd = request(&key, Some(mode(Mode::ECB)), "00");
    refused(encrypt(&bench, odd), Reason::CryptographicFailure, "blocks");
    let mut nothing = request(&key, Some(mode(Mode::ECB)), "");
    nothing.data = None;
    refused(encrypt(&bench, nothing), Reason::InvalidMessage, "Data");
}

#[test]
fn decryption_fails_where_the_ciphertext_was_changed() {
    let bench = Bench::new();
    let key = aes(&bench, SP800_38A);
    let mut asked = request(&key, Some(gcm(12)), PLAIN);
    asked.iv_counter_nonce = blob("000102030405060708090a0b");
    asked.additional_data = blob("aa");
    let answer = encrypt(&bench, asked.clone()).unwrap();
    let good = reverse(&asked, &answer);
    assert_eq!(decrypt(&bench, good.clone()).unwrap().data, blob(PLAIN));
    let failure = Reason::CryptographicFailure;
    let changed = |change: &dyn Fn(&mut decrypt::Request)| {
        let mut request = good.clone();
        change(&mut request);
        decrypt(&bench, request)
    };
    refused(changed(&|request| request.additional_data = blob("ab")), failure, "decrypt");
    refused(changed(&|request| request.additional_data = None), failure, "decrypt");
    refused(changed(&|request| request.iv_counter_nonce = blob("ff0102030405060708090a0b")), failure, "decrypt");
    refused(changed(&|request| request.data = blob(PLAIN).map(Data::Bytes)), failure, "decrypt");
    let zeros = blob("000000000000000000000000");
    refused(changed(&|request| request.authenticated_encryption_tag = zeros.clone()), failure, "decrypt");
    // A tag of another length than announced would make a forgery cheaper.
    let four = Blob::copy_of(&good.authenticated_encryption_tag.as_ref().unwrap()[..4]);
    refused(changed(&|request| request.authenticated_encryption_tag = Some(four.clone())), failure, "decrypt");
    refused(changed(&|request| request.authenticated_encryption_tag = None), Reason::InvalidMessage, "Tag");

    let mut padded = request(&key, Some(cbc_padded()), "01");
    padded.iv_counter_nonce = blob(IV);
    let answer = encrypt(&bench, padded.clone()).unwrap();
    let mut wrong = reverse(&padded, &answer);
    wrong.iv_counter_nonce = blob("000102030405060708090a0b0c0d0eff");
    refused(decrypt(&bench, wrong), failure, "decrypt");
    let mut tagged = reverse(&padded, &answer);
    tagged.authenticated_encryption_tag = blob(IV);
    refused(decrypt(&bench, tagged), Reason::BadCryptographicParameters, "Tag");
}

#[test]
fn the_key_must_be_there_and_be_one_that_encrypts() {
    let bench = Bench::new();
    let ecb = Some(mode(Mode::ECB));
    let nobody = UniqueIdentifier::Text("nobody".into());
    refused(encrypt(&bench, request(&nobody, ecb.clone(), PLAIN)), Reason::ObjectNotFound, "");
    let mut unnamed = request(&nobody, ecb.clone(), PLAIN);
    unnamed.unique_identifier = None;
    refused(encrypt(&bench, unnamed), Reason::ObjectNotFound, "ID Placeholder");

    let others = aes(&bench, SP800_38A);
    let mut view = bench.view_of("bob", Version::V2_1);
    refused(
        <Encrypt as crate::ops::Handler>::run(&mut view, request(&others, ecb.clone(), PLAIN)),
        Reason::ObjectNotFound,
        "",
    );

    let seed = bench.object(secret(&[1; 16]), vec![usage(BOTH)]);
    refused(encrypt(&bench, request(&seed, ecb.clone(), PLAIN)), Reason::InvalidObjectType, "Secret Data");
    let public = Object::PublicKey(block(KeyFormatType::Pkcs1, Algorithm::RSA, &[0]));
    let public = bench.object(public, vec![usage(BOTH)]);
    refused(encrypt(&bench, request(&public, ecb.clone(), PLAIN)), Reason::InvalidField, "");
    let triple = bench.key(Algorithm::DES3, &[1; 24], BOTH, Vec::new());
    refused(encrypt(&bench, request(&triple, ecb.clone(), PLAIN)), Reason::UnsupportedCryptographicParameters, "3DES");
    let mut absent = block(KeyFormatType::Raw, Algorithm::AES, &[]);
    absent.key_value = None;
    let absent = bench.object(Object::SymmetricKey(absent), vec![usage(BOTH)]);
    refused(encrypt(&bench, request(&absent, ecb, PLAIN)), Reason::KeyValueNotPresent, "");
}

#[test]
fn mask_state_and_dates_are_kept() {
    let bench = Bench::new();
    let ecb = || Some(mode(Mode::ECB));
    let date = |tag, after: i64| (tag, Value::DateTime(NOW + after));
    let made = |mask, more| bench.key(Algorithm::AES, &hex(SP800_38A), mask, more);
    let can = |key: &UniqueIdentifier| {
        let asked = request(key, ecb(), PLAIN);
        let answer = Response {
            unique_identifier: "".into(),
            data: blob("3ad77bb40d7a3660a89ecaf32466ef97"),
            iv_counter_nonce: None,
            correlation_value: None,
            authenticated_encryption_tag: None,
        };
        let back = decrypt(&bench, reverse(&asked, &answer)).map_err(|failure| failure.reason);
        (encrypt(&bench, asked).map(drop).map_err(|failure| failure.reason), back.map(drop))
    };
    let (mask, state) = (Err(Reason::IncompatibleCryptographicUsageMask), Err(Reason::WrongKeyLifecycleState));
    assert_eq!(can(&made(BOTH, vec![])), (Ok(()), Ok(())));
    assert_eq!(can(&made(Mask::ENCRYPT, vec![])), (Ok(()), mask));
    assert_eq!(can(&made(Mask::DECRYPT, vec![])), (mask, Ok(())));
    assert_eq!(can(&made(BOTH, vec![date(Tag::ActivationDate, 60)])), (state, state));
    assert_eq!(can(&made(BOTH, vec![date(Tag::ProcessStartDate, 60)])), (Ok(()), state));
    assert_eq!(can(&made(BOTH, vec![date(Tag::ProtectStopDate, -60)])), (state, Ok(())));
    let aging = made(BOTH, vec![date(Tag::DeactivationDate, 60)]);
    assert_eq!(can(&aging), (Ok(()), Ok(())));
    bench.pass(60);
    assert_eq!(can(&aging), (state, Ok(())));
}

#[test]
fn usage_limits_are_taken_by_encryption_alone() {
    let bench = Bench::new();
    let limited = |unit, total| {
        let limits = UsageLimits { total, count: Some(total), unit };
        bench.key(Algorithm::AES, &hex(SP800_38A), BOTH, vec![structured(Tag::UsageLimits, &limits)])
    };
    let bytes = limited(UsageLimitsUnit::Byte, 40);
    let asked = request(&bytes, Some(mode(Mode::ECB)), PLAIN);
    let answer = encrypt(&bench, asked.clone()).unwrap();
    decrypt(&bench, reverse(&asked, &answer)).unwrap();
    assert_eq!(bench.usage_left(&bytes), Some(24));
    // What fails takes nothing.
    refused(encrypt(&bench, request(&bytes, Some(mode(Mode::ECB)), "00")), Reason::CryptographicFailure, "");
    assert_eq!(bench.usage_left(&bytes), Some(24));
    encrypt(&bench, asked.clone()).unwrap();
    refused(encrypt(&bench, asked), Reason::UsageLimitExceeded, "");
    assert_eq!(bench.usage_left(&bytes), Some(8));

    let objects = limited(UsageLimitsUnit::Object, 1);
    encrypt(&bench, request(&objects, Some(mode(Mode::ECB)), PLAIN)).unwrap();
    refused(encrypt(&bench, request(&objects, Some(mode(Mode::ECB)), PLAIN)), Reason::UsageLimitExceeded, "");
    assert_eq!(bench.usage_left(&objects), Some(0));
}

fn reverse_of(asked: &Request) -> decrypt::Request {
    decrypt::Request {
        unique_identifier: asked.unique_identifier.clone(),
        cryptographic_parameters: asked.cryptographic_parameters.clone(),
        data: asked.data.clone(),
        iv_counter_nonce: asked.iv_counter_nonce.clone(),
        correlation_value: asked.correlation_value.clone(),
        init_indicator: asked.init_indicator,
        final_indicator: asked.final_indicator,
        additional_data: asked.additional_data.clone(),
        authenticated_encryption_tag: None,
    }
}

#[test]
fn a_pair_encrypts_with_the_public_key_and_decrypts_with_the_private_one() {
    let bench = Bench::new();
    let kind = crate::crypto::algorithm::KeyKind::Rsa { bits: 2048 };
    let software = crate::crypto::software::SoftwareProvider;
    let pair = crate::crypto::Provider::generate_pair(&software, kind, crate::crypto::Residency::Sealed).unwrap();
    let crate::crypto::Made::Clear(private) = pair.private else { panic!("not in the clear") };
    let private = Object::PrivateKey(block(KeyFormatType::Pkcs8, Algorithm::RSA, private.expose()));
    let private = bench.object(private, vec![usage(BOTH)]);
    let public = Object::PublicKey(block(KeyFormatType::X509, Algorithm::RSA, &pair.public));
    let public = bench.object(public, vec![usage(BOTH)]);
    let oaep = Parameters {
        padding_method: Some(PaddingMethod::OAEP),
        hashing_algorithm: Some(HashingAlgorithm::SHA384),
        mask_generator_hashing_algorithm: Some(HashingAlgorithm::SHA256),
        p_source: blob("4b69"),
        ..Parameters::default()
    };
    let pkcs1 = Parameters { padding_method: Some(PaddingMethod::PKCS1V15), ..Parameters::default() };
    for parameters in [oaep.clone(), pkcs1.clone()] {
        let sealed = encrypt(&bench, request(&public, Some(parameters.clone()), PLAIN)).unwrap();
        let mut back = reverse_of(&request(&private, Some(parameters), ""));
        back.data = sealed.data.clone().map(Data::Bytes);
        assert_eq!(decrypt(&bench, back.clone()).unwrap().data, blob(PLAIN));
        // Another padding, another label, other data: one answer for all of them.
        let mut broken = sealed.data.unwrap().to_vec();
        broken[9] ^= 1;
        back.data = Some(Data::Bytes(Blob::new(broken)));
        refused_decrypt(decrypt(&bench, back));
    }
    let sealed = encrypt(&bench, request(&public, Some(oaep.clone()), PLAIN)).unwrap().data;
    let mut other = reverse_of(&request(&private, Some(Parameters { p_source: None, ..oaep.clone() }), ""));
    other.data = sealed.map(Data::Bytes);
    refused_decrypt(decrypt(&bench, other));

    let reason = |outcome: Outcome<Response>| outcome.unwrap_err().reason;
    let bad = Reason::BadCryptographicParameters;
    assert_eq!(reason(encrypt(&bench, request(&public, None, PLAIN))), bad);
    let pss = Parameters { padding_method: Some(PaddingMethod::PSS), ..Parameters::default() };
    assert_eq!(reason(encrypt(&bench, request(&public, Some(pss), PLAIN))), bad);
    let salted = Parameters { salt_length: Some(3), ..oaep.clone() };
    assert_eq!(reason(encrypt(&bench, request(&public, Some(salted), PLAIN))), bad);
    let hashed = Parameters { hashing_algorithm: Some(HashingAlgorithm::SHA256), ..pkcs1.clone() };
    assert_eq!(reason(encrypt(&bench, request(&public, Some(hashed), PLAIN))), bad);
    let mut with_iv = request(&public, Some(pkcs1.clone()), PLAIN);
    with_iv.iv_counter_nonce = blob(IV);
    assert_eq!(reason(encrypt(&bench, with_iv)), bad);
    let long = PLAIN.repeat(16);
    assert_eq!(reason(encrypt(&bench, request(&public, Some(pkcs1.clone()), &long))), Reason::CryptographicFailure);
    assert_eq!(reason(encrypt(&bench, request(&private, Some(pkcs1), PLAIN))), Reason::InvalidObjectType);
}

fn refused_decrypt(outcome: Outcome<decrypt::Response>) {
    let failure = outcome.unwrap_err();
    assert_eq!(failure.reason, Reason::CryptographicFailure);
    assert_eq!(failure.message, "the ciphertext does not decrypt with this key and padding");
}

/// RFC 8439 §2.8.2 and §2.4.2, SP 800-38A F.3.13 and F.4.1, and NIST's triple DES known answer of zeros.
#[test]
fn other_ciphers() {
    let bench = Bench::with(
        crate::view::Settings {
            permits: crate::crypto::permits::Permits::preset(crate::crypto::permits::Preset::Legacy),
            ..Default::default()
        },
        None,
    );
    let key = bench.key(Algorithm::AES, &hex(SP800_38A), BOTH, vec![]);
    for (named, cipher) in
        [(Mode::CFB, "3b3fd92eb72dad20333449f8e83cfb4a"), (Mode::OFB, "3b3fd92eb72dad20333449f8e83cfb4a")]
    {
        let mut asked = request(&key, Some(mode(named)), PLAIN);
        asked.iv_counter_nonce = blob(IV);
        assert_eq!(encrypt(&bench, asked).unwrap().data, blob(cipher));
    }
    let triple = bench.key(Algorithm::DES3, &[1; 24], BOTH, vec![]);
    let made = encrypt(&bench, request(&triple, Some(mode(Mode::ECB)), "0000000000000000")).unwrap();
    assert_eq!(made.data, blob("8ca64de9c1b123a7"));
    let key: Vec<u8> = (0..32).collect();
    let key = bench.key(Algorithm::ChaCha20, &key, BOTH, vec![]);
    let how = Parameters { initial_counter_value: Some(1), ..Parameters::default() };
    let mut asked = request(&key, Some(how), "4c616469657320616e642047656e746c");
    asked.iv_counter_nonce = blob("000000000000004a00000000");
    assert_eq!(encrypt(&bench, asked.clone()).unwrap().data, blob("6e2e359a2568f98041ba0728dd0d6981"));
    asked.iv_counter_nonce = blob("00");
    refused(encrypt(&bench, asked), Reason::BadCryptographicParameters, "IV");
}

#[test]
fn every_version_has_its_fields() {
    let bench = Bench::new();
    let UniqueIdentifier::Text(key) = aes(&bench, SP800_38A) else { panic!("identifiers are text") };
    let fields = |mode: Mode, more: Vec<Element>| {
        let element = |tag, value| Element::new(tag, value);
        let mode = element(Tag::BlockCipherMode, Value::Enumeration(mode.into()));
        let tag_length = element(Tag::TagLength, Value::Integer(16));
        let parameters =
            if mode.value == Value::Enumeration(Mode::GCM.into()) { vec![mode, tag_length] } else { vec![mode] };
        let mut fields = vec![
            element(Tag::UniqueIdentifier, Value::TextString(key.clone())),
            element(Tag::CryptographicParameters, Value::Structure(parameters)),
            element(Tag::Data, Value::ByteString(Blob::new(hex(PLAIN)))),
        ];
        fields.extend(more);
        fields
    };
    let bytes = |tag, len| Element::new(tag, Value::ByteString(Blob::new(vec![0; len])));
    let flag = |tag| Element::new(tag, Value::Boolean(true));
    let nonce = || bytes(Tag::IVCounterNonce, 12);
    for version in [Version::V1_2, Version::V1_3, Version::V1_4, Version::V2_0, Version::V2_1] {
        bench.send::<Encrypt>(version, fields(Mode::ECB, vec![])).unwrap();

        let whole = bench
            .send::<Encrypt>(version, fields(Mode::ECB, vec![flag(Tag::InitIndicator), flag(Tag::FinalIndicator)]));
        if version < Version::V1_3 {
            refused(whole, Reason::InvalidMessage, "Init Indicator");
        } else {
            whole.unwrap();
        }

        let authenticated = vec![nonce(), bytes(Tag::AuthenticatedEncryptionAdditionalData, 3)];
        let authenticated = bench.send::<Encrypt>(version, fields(Mode::GCM, authenticated));
        let plain = bench.send::<Encrypt>(version, fields(Mode::GCM, vec![nonce()]));
        let tagged = vec![nonce(), bytes(Tag::AuthenticatedEncryptionTag, 16)];
        let tagged = bench.send::<Decrypt>(version, fields(Mode::GCM, tagged));
        if version < Version::V1_4 {
            refused(authenticated, Reason::InvalidMessage, "Authenticated Encryption Additional Data");
            refused(tagged, Reason::InvalidMessage, "Authenticated Encryption Tag");
            // There is no place for the tag, and it is not thrown away.
            refused(plain, Reason::UnsupportedCryptographicParameters, "tag");
        } else {
            authenticated.unwrap();
            assert!(plain.unwrap().authenticated_encryption_tag.is_some());
            refused(tagged, Reason::CryptographicFailure, "decrypt");
        }

        let mut reference = fields(Mode::ECB, vec![]);
        reference[2] = Element::new(Tag::Data, Value::Enumeration(2));
        let reference = bench.send::<Encrypt>(version, reference);
        if version.is_v2() {
            refused(reference, Reason::FeatureNotSupported, "earlier item");
        } else {
            refused(reference, Reason::InvalidMessage, "ByteString");
        }
    }
}
