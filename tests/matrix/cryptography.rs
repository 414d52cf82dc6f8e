//! The cryptographic operations, with vectors of the standards that define them.

use kmip_codec::spec::{
    BlockCipherMode, CryptographicAlgorithm, CryptographicUsageMask as Mask, DigitalSignatureAlgorithm,
    HashingAlgorithm, Operation, PaddingMethod, ResultReason, ValidityIndicator, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{CryptographicParameters as Parameters, UniqueIdentifier};
use kmipd::ops;
use kmipd::ops::data::Data;
use p256::ecdsa::signature::Verifier;

use crate::cell::Cell;
use crate::harness::Kmip;
use crate::harness::kmip::key_of;
use crate::objects;

fn named(key: &Text) -> Option<UniqueIdentifier> {
    Some(UniqueIdentifier::Text(key.clone()))
}

fn data(bytes: &[u8]) -> Option<Data> {
    Some(Data::Bytes(Blob::copy_of(bytes)))
}

fn hex_bytes(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

fn mode(mode: BlockCipherMode) -> Parameters {
    Parameters { block_cipher_mode: Some(mode), ..Parameters::default() }
}

fn to_encrypt(key: &Text, how: Parameters, plain: &[u8], iv: Option<&[u8]>) -> ops::encrypt::Request {
    ops::encrypt::Request {
        unique_identifier: named(key),
        cryptographic_parameters: Some(how),
        data: data(plain),
        iv_counter_nonce: iv.map(Blob::copy_of),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: None,
    }
}

fn to_decrypt(key: &Text, how: Parameters, cipher: &[u8], iv: Option<&[u8]>) -> ops::decrypt::Request {
    ops::decrypt::Request {
        unique_identifier: named(key),
        cryptographic_parameters: Some(how),
        data: data(cipher),
        iv_counter_nonce: iv.map(Blob::copy_of),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
        additional_data: None,
        authenticated_encryption_tag: None,
    }
}

/// Encrypts blocks as they are.
pub(crate) fn ecb(kmip: &mut Kmip, key: &Text, plain: &[u8]) -> Vec<u8> {
    let request = to_encrypt(key, mode(BlockCipherMode::ECB), plain, None);
    let response: ops::encrypt::Response = kmip.ask(Operation::Encrypt, &request);
    response.data.unwrap().to_vec()
}

// NIST SP 800-38A, appendix F.2.1: AES-128 in CBC.
const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const IV: &str = "000102030405060708090a0b0c0d0e0f";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a ae2d8a571e03ac9c9eb76fac45af8e51";
const CIPHER: &str = "7649abac8119b246cee98e9b12e9197d 5086cb9b507219ee95db113a917678b2";

fn aes(cell: &mut Cell, uses: Mask) -> Text {
    cell.known(key_of(CryptographicAlgorithm::AES, &hex_bytes(KEY)), uses)
}

pub(crate) fn encrypt(cell: &mut Cell) {
    let key = aes(cell, Mask::ENCRYPT);
    let (plain, iv) = (hex_bytes(PLAIN), hex_bytes(IV));
    let request = to_encrypt(&key, mode(BlockCipherMode::CBC), &plain, Some(&iv));
    let made: ops::encrypt::Response = cell.kmip.ask(Operation::Encrypt, &request);
    assert_eq!(made.unique_identifier, key);
    assert_eq!(made.data.as_deref(), Some(&*hex_bytes(CIPHER)));
    assert_eq!(made.iv_counter_nonce, None);
    // With an IV of the server's own, which comes back, and padding.
    let random =
        Parameters { padding_method: Some(PaddingMethod::PKCS5), random_iv: Some(true), ..mode(BlockCipherMode::CBC) };
    let request = to_encrypt(&key, random, b"seventeen letters", None);
    let first: ops::encrypt::Response = cell.kmip.ask(Operation::Encrypt, &request);
    let second: ops::encrypt::Response = cell.kmip.ask(Operation::Encrypt, &request);
    assert_eq!(first.data.as_ref().unwrap().len(), 32);
    assert_eq!(first.iv_counter_nonce.as_ref().unwrap().len(), 16);
    assert_ne!(first, second);
    // For what the key is not meant, and before it is meant.
    let signing = aes(cell, Mask::SIGN);
    let request = to_encrypt(&signing, mode(BlockCipherMode::CBC), &plain, Some(&iv));
    let incompatible = cell.reason(ResultReason::IncompatibleCryptographicUsageMask);
    assert_eq!(cell.kmip.refusal(Operation::Encrypt, &request), incompatible);
    let early = cell.key(Mask::ENCRYPT, vec![]);
    let request = to_encrypt(&early, mode(BlockCipherMode::CBC), &plain, Some(&iv));
    let wrong = cell.reason(ResultReason::WrongKeyLifecycleState);
    assert_eq!(cell.kmip.refusal(Operation::Encrypt, &request), wrong);
}

pub(crate) fn decrypt(cell: &mut Cell) {
    let key = aes(cell, Mask::ENCRYPT | Mask::DECRYPT);
    let (cipher, iv) = (hex_bytes(CIPHER), hex_bytes(IV));
    let request = to_decrypt(&key, mode(BlockCipherMode::CBC), &cipher, Some(&iv));
    let made: ops::decrypt::Response = cell.kmip.ask(Operation::Decrypt, &request);
    assert_eq!(made.unique_identifier, key);
    assert_eq!(made.data.as_deref(), Some(&*hex_bytes(PLAIN)));
    // A padding that is none.
    let padded = Parameters { padding_method: Some(PaddingMethod::PKCS5), ..mode(BlockCipherMode::CBC) };
    let request = to_decrypt(&key, padded, &cipher, Some(&iv));
    assert_eq!(cell.kmip.refusal(Operation::Decrypt, &request), ResultReason::CryptographicFailure);
    if cell.version() < Version::V1_4 {
        return;
    }
    // What is authenticated comes back whole or not at all.
    let how = Parameters { tag_length: Some(16), random_iv: Some(true), ..mode(BlockCipherMode::GCM) };
    let aad = Some(Blob::copy_of(b"header"));
    let request = ops::encrypt::Request { additional_data: aad.clone(), ..to_encrypt(&key, how, b"secret", None) };
    let made: ops::encrypt::Response = cell.kmip.ask(Operation::Encrypt, &request);
    let how = Parameters { tag_length: Some(16), ..mode(BlockCipherMode::GCM) };
    let mut request = ops::decrypt::Request {
        additional_data: aad,
        authenticated_encryption_tag: made.authenticated_encryption_tag,
        ..to_decrypt(&key, how, &made.data.unwrap(), made.iv_counter_nonce.as_deref())
    };
    let opened: ops::decrypt::Response = cell.kmip.ask(Operation::Decrypt, &request);
    assert_eq!(opened.data.as_deref(), Some(&b"secret"[..]));
    request.additional_data = Some(Blob::copy_of(b"Header"));
    assert_eq!(cell.kmip.refusal(Operation::Decrypt, &request), ResultReason::CryptographicFailure);
}

fn ecdsa() -> Option<Parameters> {
    Some(Parameters {
        digital_signature_algorithm: Some(DigitalSignatureAlgorithm::ECDSAWithSHA256),
        ..Parameters::default()
    })
}

fn to_sign(key: &Text, bytes: &[u8]) -> ops::sign::Request {
    ops::sign::Request {
        unique_identifier: named(key),
        cryptographic_parameters: ecdsa(),
        data: data(bytes),
        digested_data: None,
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    }
}

/// A pair, active, and a signature that its private key made.
fn signed(cell: &mut Cell, bytes: &[u8]) -> (ops::create_key_pair::Response, Blob) {
    let names = [cell.name(), cell.name()];
    let pair = objects::pair(cell, &names);
    cell.assert_home(&pair.private_key);
    cell.kmip.activate(&pair.private_key);
    cell.kmip.activate(&pair.public_key);
    let made: ops::sign::Response = cell.kmip.ask(Operation::Sign, &to_sign(&pair.private_key, bytes));
    assert_eq!(made.unique_identifier, pair.private_key);
    (pair, made.signature_data.unwrap())
}

pub(crate) fn sign(cell: &mut Cell) {
    let (pair, signature) = signed(cell, b"a message");
    let public = objects::public_key(cell, &pair.public_key);
    let signature = p256::ecdsa::Signature::from_der(&signature)
        .or_else(|_| p256::ecdsa::Signature::from_slice(&signature))
        .unwrap();
    public.verify(b"a message", &signature).unwrap();
    public.verify(b"another message", &signature).unwrap_err();
    // A public key signs nothing.
    let incompatible = cell.reason(ResultReason::IncompatibleCryptographicUsageMask);
    assert_eq!(cell.kmip.refusal(Operation::Sign, &to_sign(&pair.public_key, b"a message")), incompatible);
}

pub(crate) fn signature_verify(cell: &mut Cell) {
    let (pair, signature) = signed(cell, b"a message");
    let mut verify = |bytes: &[u8]| {
        let request = ops::signature_verify::Request {
            unique_identifier: named(&pair.public_key),
            cryptographic_parameters: ecdsa(),
            data: data(bytes),
            digested_data: None,
            signature_data: Some(signature.clone()),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        let answer: ops::signature_verify::Response = cell.kmip.ask(Operation::SignatureVerify, &request);
        assert_eq!(answer.unique_identifier, pair.public_key);
        answer.validity_indicator
    };
    assert_eq!(verify(b"a message"), Some(ValidityIndicator::Valid));
    assert_eq!(verify(b"another message"), Some(ValidityIndicator::Invalid));
}

// RFC 4868, test case AUTH256-1, the whole MAC. SoftHSM takes no key that is shorter than the digest.
const HMAC_KEY: [u8; 32] = [0x0b; 32];
const HMAC_DATA: &[u8] = b"Hi There";
const HMAC: &str = "198a607eb44bfbc69903a0f1cf2bbdc5ba0aa3f3d9ae3c1c7a3b1696a0b68cf7";

fn hmac_key(cell: &mut Cell) -> Text {
    cell.known(key_of(CryptographicAlgorithm::HMACSHA256, &HMAC_KEY), Mask::MAC_GENERATE | Mask::MAC_VERIFY)
}

pub(crate) fn mac(cell: &mut Cell) {
    let key = hmac_key(cell);
    let request = ops::mac::Request {
        unique_identifier: named(&key),
        cryptographic_parameters: Some(Parameters {
            cryptographic_algorithm: Some(CryptographicAlgorithm::HMACSHA256),
            ..Parameters::default()
        }),
        data: data(HMAC_DATA),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    let made: ops::mac::Response = cell.kmip.ask(Operation::MAC, &request);
    assert_eq!(made.unique_identifier, key);
    assert_eq!(made.mac_data.as_deref(), Some(&*hex_bytes(HMAC)));
}

pub(crate) fn mac_verify(cell: &mut Cell) {
    let key = hmac_key(cell);
    let mut verify = |bytes: &[u8]| {
        let request = ops::mac_verify::Request {
            unique_identifier: named(&key),
            cryptographic_parameters: Some(Parameters {
                cryptographic_algorithm: Some(CryptographicAlgorithm::HMACSHA256),
                ..Parameters::default()
            }),
            data: data(bytes),
            mac_data: Some(Blob::new(hex_bytes(HMAC))),
            correlation_value: None,
            init_indicator: None,
            final_indicator: None,
        };
        let answer: ops::mac_verify::Response = cell.kmip.ask(Operation::MACVerify, &request);
        assert_eq!(answer.unique_identifier, key);
        answer.validity_indicator
    };
    assert_eq!(verify(HMAC_DATA), Some(ValidityIndicator::Valid));
    assert_eq!(verify(&HMAC_DATA[1..]), Some(ValidityIndicator::Invalid));
}

pub(crate) fn hash(cell: &mut Cell) {
    let request = |algorithm| ops::hash::Request {
        cryptographic_parameters: Parameters { hashing_algorithm: Some(algorithm), ..Parameters::default() },
        data: data(b"abc"),
        correlation_value: None,
        init_indicator: None,
        final_indicator: None,
    };
    // FIPS 180-4: the digests of "abc".
    for (algorithm, digest) in [
        (HashingAlgorithm::SHA1, "a9993e364706816aba3e25717850c26c9cd0d89d"),
        (HashingAlgorithm::SHA256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"),
    ] {
        let made: ops::hash::Response = cell.kmip.ask(Operation::Hash, &request(algorithm));
        assert_eq!(made.data.as_deref(), Some(&*hex_bytes(digest)));
    }
}

pub(crate) fn rng_retrieve(cell: &mut Cell) {
    let mut retrieve = |length| {
        let request = ops::rng_retrieve::Request { data_length: length };
        cell.kmip.ask::<ops::rng_retrieve::Response>(Operation::RNGRetrieve, &request).data
    };
    let (first, second) = (retrieve(32), retrieve(32));
    assert_eq!((first.len(), second.len()), (32, 32));
    assert_ne!(first, second);
    assert_eq!(retrieve(1).len(), 1);
    let negative = ops::rng_retrieve::Request { data_length: -1 };
    assert_eq!(cell.kmip.refusal(Operation::RNGRetrieve, &negative), ResultReason::InvalidField);
}

pub(crate) fn rng_seed(cell: &mut Cell) {
    let request = ops::rng_seed::Request { data: Data::Bytes(Blob::copy_of(&[7; 48])) };
    let taken: ops::rng_seed::Response = cell.kmip.ask(Operation::RNGSeed, &request);
    assert!((0..=48).contains(&taken.data_length), "{}", taken.data_length);
}
