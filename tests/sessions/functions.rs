//! Functions of the token over the wire, and the codes that they come to. Numbers are those of PKCS #11 3.0.

use std::fs;

use kmip_codec::spec::{Operation, Pkcs11Function as Function, Pkcs11ReturnCode as Code, ResultReason};
use kmip_codec::ttlv::Blob;
use kmipd::ops;
use kmipd::ops::pkcs11::codec::Writer;

use crate::harness::Kmipd;
use crate::harness::token::{Caller, SECRET, attribute, p, template, ulong};

const GENERIC: u64 = 0x10;
const AES: u64 = 0x1F;

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// RFC 5869 A.1, FIPS 180-4's digest of "abc", and what a base key may not.
#[test]
fn keys_are_derived() {
    let kmipd = Kmipd::dev();
    let mut caller = Caller::new(&kmipd);
    let derives = || attribute(0x10C, p().flag(true));
    let base = caller.secret(GENERIC, &[0x0b; 22], &[derives()]);
    let wanted = |kind: u64, bytes: u64| {
        [attribute(0x000, p().ulong(SECRET)), attribute(0x100, p().ulong(kind)), attribute(0x161, p().ulong(bytes))]
    };
    // CKM_HKDF_DERIVE with CKM_SHA256 and CKF_HKDF_SALT_DATA.
    let parameter = p().flag(true).flag(true).ulong(0x250).ulong(2).bytes(&hex("000102030405060708090a0b0c"));
    let parameter = parameter.ulong(0).bytes(&hex("f0f1f2f3f4f5f6f7f8f9"));
    let asked = template(caller.init(0x402A, Some(parameter), base), &wanted(GENERIC, 42));
    let key = ulong(&caller.ask(Function::DeriveKey, asked));
    let expected = "3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865";
    assert_eq!(caller.value(key), hex(expected));
    let abc = caller.secret(GENERIC, b"abc", &[derives()]);
    let asked = template(caller.init(0x393, None, abc), &wanted(AES, 16));
    let key = ulong(&caller.ask(Function::DeriveKey, asked));
    assert_eq!(caller.value(key), hex("ba7816bf8f01cfea414140de5dae2223"));
    let plain = caller.secret(AES, &[7; 16], &[]);
    let asked = template(caller.init(0x393, None, plain), &wanted(AES, 16));
    caller.comes_to(Code::KeyFunctionNotPermitted, Function::DeriveKey, asked);
    let asked = template(caller.init(0x393, None, abc), &wanted(AES, 16)[..2]);
    caller.comes_to(Code::TemplateIncomplete, Function::DeriveKey, asked);
    let asked = template(caller.init(0x250, None, abc), &wanted(AES, 16));
    caller.comes_to(Code::MechanismInvalid, Function::DeriveKey, asked);
}

/// RFC 3394 §4.1, and copies.
#[test]
fn keys_are_wrapped_unwrapped_and_copied() {
    let kmipd = Kmipd::dev();
    let mut caller = Caller::new(&kmipd);
    let wraps = [attribute(0x106, p().flag(true)), attribute(0x107, p().flag(true))];
    let wrapping = caller.secret(AES, &hex("000102030405060708090a0b0c0d0e0f"), &wraps);
    let key = caller.secret(AES, &hex("00112233445566778899aabbccddeeff"), &[attribute(3, p().bytes(b"one"))]);
    // CKM_AES_KEY_WRAP.
    let asked = |caller: &Caller, room: usize| caller.init(0x2109, None, wrapping).ulong(key).flag(true).count(room);
    let input = asked(&caller, 23);
    caller.comes_to(Code::BufferTooSmall, Function::WrapKey, input);
    let input = asked(&caller, 24);
    let wrapped = caller.ask(Function::WrapKey, input)[4..].to_vec();
    assert_eq!(wrapped, hex("1fa68b0a8112b447aef34bd8fb5a7b829d3e862371d2cfe5"));
    let wanted = [attribute(0x000, p().ulong(SECRET)), attribute(0x100, p().ulong(AES))];
    let unwrap =
        |caller: &Caller, wrapped: &[u8]| template(caller.init(0x2109, None, wrapping).bytes(wrapped), &wanted);
    let input = unwrap(&caller, &wrapped);
    let back = ulong(&caller.ask(Function::UnwrapKey, input));
    assert_eq!(caller.value(back), hex("00112233445566778899aabbccddeeff"));
    let input = unwrap(&caller, &[7; 24]);
    caller.comes_to(Code::WrappedKeyInvalid, Function::UnwrapKey, input);
    let input = template(caller.p().ulong(key), &[attribute(3, p().bytes(b"two")), attribute(0x103, p().flag(true))]);
    let copy = ulong(&caller.ask(Function::CopyObject, input));
    let read = caller.p().ulong(copy).count(1).ulong(0x11).flag(false).flag(true).count(99);
    caller.comes_to(Code::AttributeSensitive, Function::GetAttributeValue, read);
    let input = template(caller.p().ulong(copy), &[]);
    caller.comes_to(Code::ActionProhibited, Function::CopyObject, input);
    for (kind, value) in [(0x011, p().bytes(&[8; 16])), (0x100, p().ulong(GENERIC)), (0x103, p().flag(false))] {
        let input = template(caller.p().ulong(copy), &[attribute(kind, value)]);
        caller.comes_to(Code::AttributeReadOnly, Function::SetAttributeValue, input);
    }
}

#[test]
fn digests_of_keys_and_operations_in_pairs() {
    let kmipd = Kmipd::dev();
    let mut caller = Caller::new(&kmipd);
    let key = caller.secret(GENERIC, b"abc", &[]);
    let sensitive = caller.secret(GENERIC, b"abcabcabc", &[attribute(0x103, p().flag(true))]);
    let digest = |caller: &Caller| caller.p().ulong(0x250).flag(false);
    let input = digest(&caller);
    caller.ask(Function::DigestInit, input);
    let input = digest(&caller);
    caller.comes_to(Code::OperationActive, Function::DigestInit, input);
    let input = caller.p().ulong(sensitive);
    caller.comes_to(Code::KeyIndigestible, Function::DigestKey, input);
    let input = caller.p().ulong(key);
    caller.ask(Function::DigestKey, input);
    let input = caller.p().flag(true).count(31);
    caller.comes_to(Code::BufferTooSmall, Function::DigestFinal, input);
    let input = caller.p().flag(true).count(32);
    let digest_of_abc = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    assert_eq!(caller.ask(Function::DigestFinal, input)[4..], digest_of_abc);
    let aes = caller.secret(AES, &[7; 16], &[]);
    let input = digest(&caller);
    caller.ask(Function::DigestInit, input);
    // CKM_AES_CTR.
    let input = caller.init(0x1086, Some(p().ulong(128).raw(&[1; 16])), aes);
    caller.ask(Function::EncryptInit, input);
    let input = caller.data(b"abc", 99);
    caller.ask(Function::DigestEncryptUpdate, input);
    let input = caller.p().flag(true).count(99);
    caller.ask(Function::EncryptFinal, input);
    let input = caller.p().flag(true).count(99);
    assert_eq!(caller.ask(Function::DigestFinal, input)[4..], digest_of_abc);
}

/// Test case 2 of the submission of GCM as a message, and one whose nonce the server makes.
#[test]
fn messages_under_one_key() {
    let kmipd = Kmipd::dev();
    let mut caller = Caller::new(&kmipd);
    let key = caller.secret(AES, &[0; 16], &[]);
    let gcm = |nonce: &[u8], by: u64, tag: &[u8]| p().bytes(nonce).ulong(0).ulong(by).bytes(tag).ulong(128);
    let input = caller.init(0x1087, None, key);
    caller.ask(Function::MessageEncryptInit, input);
    let message = |caller: &Caller, parameter: &Writer, data: &[u8]| {
        caller.p().bytes(parameter.written()).bytes(b"").bytes(data).flag(true).count(99)
    };
    let input = message(&caller, &gcm(&[0; 12], 0, &[0; 16]), &[0; 16]);
    let sealed = caller.ask(Function::EncryptMessage, input);
    let tag = hex("ab6e47d42cec13bdf53a67b21257bddf");
    let expected = p().bytes(gcm(&[0; 12], 0, &tag).written()).bytes(&hex("0388dace60b6a392f328c2b971b2fe78"));
    assert_eq!(sealed, expected.written());
    // CKG_GENERATE_RANDOM.
    let input = message(&caller, &gcm(&[0; 12], 3, &[0; 16]), b"data");
    let sealed = caller.ask(Function::EncryptMessage, input);
    let (parameter, cipher) = (sealed[4..64].to_vec(), sealed[68..].to_vec());
    assert_ne!(parameter[4..16], [0; 12]);
    let input = caller.p();
    caller.ask(Function::MessageEncryptFinal, input);
    let input = caller.init(0x1087, None, key);
    caller.ask(Function::MessageDecryptInit, input);
    let open =
        |caller: &Caller, cipher: &[u8]| caller.p().bytes(&parameter).bytes(b"").bytes(cipher).flag(true).count(99);
    let input = open(&caller, &cipher);
    assert_eq!(caller.ask(Function::DecryptMessage, input)[4..], *b"data");
    let input = open(&caller, b"DATA");
    caller.comes_to(Code::AeadDecryptFailed, Function::DecryptMessage, input);
}

#[test]
fn functions_say_why_they_do_not_do_it() {
    let kmipd = Kmipd::dev();
    let mut caller = Caller::new(&kmipd);
    let key = caller.secret(AES, &[0; 16], &[]);
    let input = caller.init(0x999_9999, None, key);
    caller.comes_to(Code::MechanismInvalid, Function::EncryptInit, input);
    let input = caller.init(0x1082, None, key);
    caller.comes_to(Code::MechanismParamInvalid, Function::EncryptInit, input);
    // CKM_AES_XTS and CKM_CHACHA20_POLY1305 with an AES key.
    let input = caller.init(0x1071, Some(p().bytes(&[0; 16])), key);
    caller.comes_to(Code::KeyTypeInconsistent, Function::EncryptInit, input);
    let input = caller.init(0x4021, Some(p().bytes(&[0; 12]).bytes(b"")), key);
    caller.comes_to(Code::KeyTypeInconsistent, Function::EncryptInit, input);
    let input = caller.init(0x1081, None, key);
    caller.ask(Function::EncryptInit, input);
    let input = caller.init(0x1081, None, key);
    caller.comes_to(Code::OperationActive, Function::EncryptInit, input);
    let input = caller.data(&[0; 16], 15);
    caller.comes_to(Code::BufferTooSmall, Function::Encrypt, input);
    let input = caller.data(&[0; 15], 99);
    caller.comes_to(Code::DataLenRange, Function::Encrypt, input);
    let input = caller.data(&[0; 16], 99);
    caller.comes_to(Code::OperationNotInitialized, Function::Encrypt, input);
    let input = caller.p().flag(false);
    caller.comes_to(Code::OperationNotInitialized, Function::GetOperationState, input);
    caller.comes_to(Code::FunctionNotSupported, Function::InitToken, p().flag(false));
    caller.comes_to(Code::SessionHandleInvalid, Function::DigestKey, p().ulong(99).ulong(key));
    let input = p().ulong(1).ulong(0x999_9999);
    caller.comes_to(Code::MechanismInvalid, Function::GetMechanismInfo, input);
}

/// What waits in all streams of a client is bounded, and so is what it has open as a token.
#[test]
fn what_waits_is_bounded_for_a_client() {
    let mut kmipd = Kmipd::dev();
    let file = kmipd.dir.join("kmipd.toml");
    let text = fs::read_to_string(&file).unwrap();
    fs::write(&file, format!("{text}\n[limits]\nparts_bytes_per_client = 100000\n")).unwrap();
    assert!(kmipd.terminate().success());
    kmipd.restart();
    let mut caller = Caller::new(&kmipd);
    let key = caller.secret(AES, &[0; 16], &[]);
    let parameter = || Some(p().bytes(&[0; 12]).ulong(96).bytes(b"").ulong(128));
    let input = caller.init(0x1087, parameter(), key);
    caller.ask(Function::DecryptInit, input);
    let input = caller.data(&[0; 60_000], 99);
    caller.ask(Function::DecryptUpdate, input);
    // A MAC in parts keeps nothing that waits; a second decryption would.
    let begin = |bytes: usize| ops::decrypt::Request {
        unique_identifier: None,
        cryptographic_parameters: Some(kmip_codec::types::CryptographicParameters {
            block_cipher_mode: Some(kmip_codec::spec::BlockCipherMode::GCM),
            tag_length: Some(16),
            ..Default::default()
        }),
        data: Some(ops::data::Data::Bytes(Blob::new(vec![0; bytes]))),
        iv_counter_nonce: Some(Blob::copy_of(&[0; 12])),
        correlation_value: None,
        init_indicator: Some(true),
        final_indicator: None,
        additional_data: None,
        authenticated_encryption_tag: None,
    };
    let named = caller.kmip.locate(vec![]).remove(0);
    let named = |request: ops::decrypt::Request| ops::decrypt::Request {
        unique_identifier: Some(kmip_codec::types::UniqueIdentifier::Text(named.clone())),
        ..request
    };
    let refused = caller.kmip.refusal(Operation::Decrypt, &named(begin(60_000)));
    assert_eq!(refused, ResultReason::ServerLimitExceeded);
    let _: ops::decrypt::Response = caller.kmip.ask(Operation::Decrypt, &named(begin(20_000)));
    let input = caller.data(&[0; 60_000], 99);
    caller.comes_to(Code::DeviceMemory, Function::DecryptUpdate, input);
    caller.ask(Function::Finalize, p());
    let _: ops::decrypt::Response = caller.kmip.ask(Operation::Decrypt, &named(begin(60_000)));
}
