//! Two operations at a time, messages, recovery, digests of keys, and what ends what is under way.

use cryptoki_sys as ck;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask};
use kmip_codec::types::UniqueIdentifier;

use super::cryptography::{init, pair};
use super::objects::{V, aes, append, b};
use super::*;
use crate::view::testing::limits;

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn data(session: u64, data: &[u8], room: usize) -> Writer {
    p().ulong(session).bytes(data).flag(true).count(room)
}

fn iv() -> Option<Writer> {
    Some(p().bytes(&[7; 16]))
}

fn sha256(data: &[u8]) -> Vec<u8> {
    crate::crypto::public::hash(crate::crypto::algorithm::Hash::Sha256, data)
}

/// A byte string at the beginning, and what stands behind it.
fn split(output: &[u8]) -> (Vec<u8>, Vec<u8>) {
    let length = u32::from_be_bytes(output[..4].try_into().unwrap()) as usize;
    (output[4..4 + length].to_vec(), output[4 + length..].to_vec())
}

#[test]
fn what_is_encrypted_and_decrypted_is_digested() {
    let client = Client::new();
    let session = client.session();
    let key = client.create(session, &aes(&[1; 16], &[]));
    let digest = || client.ask(Function::DigestInit, p().ulong(session).ulong(ck::CKM_SHA256).flag(false));
    let update = |code, function, part: &[u8], room| client.comes_to(code, function, data(session, part, room));
    let (plain, both) = ([9_u8; 40], Function::DigestEncryptUpdate);
    update(Code::OperationNotInitialized, both, &plain, 99);
    digest();
    update(Code::OperationNotInitialized, both, &plain, 99);
    // What failed is over, and the digest stands alone.
    assert!(client.ends(Function::DigestFinal, session).len() == 32);
    digest();
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CBC_PAD, iv(), key));
    // Nothing of it counts before there is room, and then it counts once.
    assert_eq!(update(Code::BufferTooSmall, both, &plain, 31), [0, 0, 0, 32]);
    assert_eq!(client.ask(both, p().ulong(session).bytes(&plain).flag(false)), [0, 0, 0, 32]);
    let mut cipher = client.gives(both, session, &plain);
    cipher.extend(client.ends(Function::EncryptFinal, session));
    assert_eq!(client.ends(Function::DigestFinal, session), sha256(&plain));
    digest();
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CBC_PAD, iv(), key));
    let both = Function::DecryptDigestUpdate;
    assert_eq!(update(Code::BufferTooSmall, both, &cipher, 31), [0, 0, 0, 32]);
    assert_eq!(client.gives(both, session, &cipher), plain[..32]);
    assert_eq!(client.ends(Function::DigestFinal, session), sha256(&plain[..32]));
    assert_eq!(client.ends(Function::DecryptFinal, session), plain[32..]);
}

#[test]
fn what_is_encrypted_and_decrypted_is_signed_and_verified() {
    let client = Client::new();
    let session = client.session();
    let key = client.create(session, &aes(&[1; 16], &[]));
    let own = [
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)),
        (ck::CKA_VALUE, b(&[2; 32])),
    ];
    let mac_key = client.create(session, &own);
    let mac = || init(session, ck::CKM_SHA256_HMAC, None, mac_key);
    let plain = [9_u8; 32];
    client.ask(Function::SignInit, mac());
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
    client.comes_to(Code::BufferTooSmall, Function::SignEncryptUpdate, data(session, &plain, 1));
    let cipher = client.gives(Function::SignEncryptUpdate, session, &plain);
    client.ends(Function::EncryptFinal, session);
    let code = client.ends(Function::SignFinal, session);
    client.ask(Function::SignInit, mac());
    assert_eq!(client.gives(Function::Sign, session, &plain), code);
    let verify = |wanted: Code, code: &[u8]| {
        client.ask(Function::VerifyInit, mac());
        client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
        assert_eq!(client.gives(Function::DecryptVerifyUpdate, session, &cipher), plain);
        client.ends(Function::DecryptFinal, session);
        client.comes_to(wanted, Function::VerifyFinal, p().ulong(session).bytes(code));
    };
    verify(Code::Ok, &code);
    verify(Code::SignatureInvalid, &[7; 32]);
    // Where one of them cannot go on, the other is over, too.
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
    client.comes_to(Code::OperationNotInitialized, Function::DecryptVerifyUpdate, data(session, &cipher, 99));
    client.comes_to(Code::OperationNotInitialized, Function::DecryptUpdate, data(session, &cipher, 99));
}

/// SHA-256 of a key is that of its value, and the value of a key that must not leave is not digested.
#[test]
fn keys_are_digested_if_they_may_leave() {
    let client = Client::new();
    let session = client.session();
    let digest = |key| p().ulong(session).ulong(key);
    let open = client.create(session, &aes(&[3; 16], &[]));
    client.comes_to(Code::OperationNotInitialized, Function::DigestKey, digest(open));
    client.ask(Function::DigestInit, p().ulong(session).ulong(ck::CKM_SHA256).flag(false));
    client.ask(Function::DigestUpdate, p().ulong(session).bytes(b"before"));
    client.ask(Function::DigestKey, digest(open));
    let sensitive = client.create(session, &aes(&[4; 16], &[(ck::CKA_SENSITIVE, V::Bool(true))]));
    let kept = client.create(session, &aes(&[5; 16], &[(ck::CKA_EXTRACTABLE, V::Bool(false))]));
    let stuff = [(ck::CKA_TOKEN, V::Bool(true)), (ck::CKA_CLASS, V::Ulong(ck::CKO_DATA)), (ck::CKA_VALUE, b(b"x"))];
    let stuff = client.create(session, &stuff);
    for key in [sensitive, kept, stuff] {
        client.comes_to(Code::KeyIndigestible, Function::DigestKey, digest(key));
    }
    client.comes_to(Code::KeyHandleInvalid, Function::DigestKey, digest(999));
    // What was refused has not ended it.
    let expected = sha256(&[&b"before"[..], &[3; 16]].concat());
    assert_eq!(client.ends(Function::DigestFinal, session), expected);
}

#[test]
fn states_stay_and_operations_are_cancelled() {
    let client = Client::new();
    let session = client.session();
    let key = client.create(session, &aes(&[1; 16], &[]));
    let state = |code| client.comes_to(code, Function::GetOperationState, p().ulong(session).flag(false));
    state(Code::OperationNotInitialized);
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
    client.ask(Function::DigestInit, p().ulong(session).ulong(ck::CKM_SHA256).flag(false));
    client.ask(Function::FindObjectsInit, p().ulong(session).count(0));
    state(Code::StateUnsaveable);
    let saved = p().ulong(session).bytes(b"state").ulong(0).ulong(0);
    client.comes_to(Code::SavedStateInvalid, Function::SetOperationState, saved);
    client.ask(Function::SessionCancel, p().ulong(session).ulong(ck::CKF_ENCRYPT | ck::CKF_FIND_OBJECTS));
    client.comes_to(Code::OperationNotInitialized, Function::EncryptFinal, p().ulong(session).flag(false));
    client.comes_to(Code::OperationNotInitialized, Function::FindObjects, p().ulong(session).count(1));
    assert_eq!(client.ends(Function::DigestFinal, session), sha256(b""));
    client.ask(Function::SessionCancel, p().ulong(session).ulong(u64::MAX));
    client.comes_to(Code::SessionHandleInvalid, Function::SessionCancel, p().ulong(99).ulong(1));
    let login = |pin: &[u8], name: &[u8]| p().ulong(session).ulong(ck::CKU_USER).bytes(pin).bytes(name);
    client.comes_to(Code::PinIncorrect, Function::LoginUser, login(b"1234", b""));
    client.comes_to(Code::PinIncorrect, Function::LoginUser, login(b"", b"somebody"));
    client.ask(Function::LoginUser, login(b"", b""));
    client.comes_to(Code::UserAlreadyLoggedIn, Function::LoginUser, login(b"", b""));
}

#[test]
fn rsa_signatures_give_back_what_was_signed() {
    let client = Client::new();
    let session = client.session();
    let template = |more: &[(u64, V)]| append(p(), more).finish();
    let public = [(ck::CKA_MODULUS_BITS, V::Ulong(2048)), (ck::CKA_VERIFY_RECOVER, V::Bool(true))];
    let asked = p().ulong(session).ulong(ck::CKM_RSA_PKCS_KEY_PAIR_GEN).flag(false);
    let asked = asked.raw(&template(&public)).raw(&template(&[(ck::CKA_SIGN_RECOVER, V::Bool(true))]));
    let made = client.ask(Function::GenerateKeyPair, asked);
    let (public, private) = (ulong(&made[..8]), ulong(&made[8..]));
    let mechanism = ck::CKM_RSA_PKCS;
    client.ask(Function::SignRecoverInit, init(session, mechanism, None, private));
    client.comes_to(Code::OperationActive, Function::SignRecoverInit, init(session, mechanism, None, private));
    client.comes_to(Code::BufferTooSmall, Function::SignRecover, data(session, b"what is signed", 255));
    let signature = client.gives(Function::SignRecover, session, b"what is signed");
    let begin = || client.ask(Function::VerifyRecoverInit, init(session, mechanism, None, public));
    begin();
    assert_eq!(
        client.comes_to(Code::BufferTooSmall, Function::VerifyRecover, data(session, &signature, 1)),
        [0, 0, 0, 14]
    );
    assert_eq!(client.gives(Function::VerifyRecover, session, &signature), b"what is signed");
    begin();
    client.comes_to(Code::SignatureInvalid, Function::VerifyRecover, data(session, &[7; 256], 999));
    begin();
    client.comes_to(Code::SignatureLenRange, Function::VerifyRecover, data(session, &signature[1..], 999));
    client.comes_to(Code::OperationNotInitialized, Function::VerifyRecover, data(session, &signature, 999));
    // Who did not ask for it does not get it.
    let plain = pair(&client, session, ck::CKM_RSA_PKCS_KEY_PAIR_GEN, (ck::CKA_MODULUS_BITS, V::Ulong(2048)));
    assert_eq!(client.value(session, plain.1, ck::CKA_SIGN_RECOVER), [0]);
    let refused = |function, key| init_refused(&client, function, init(session, mechanism, None, key));
    assert_eq!(refused(Function::SignRecoverInit, plain.1), Code::KeyFunctionNotPermitted);
    assert_eq!(refused(Function::VerifyRecoverInit, plain.0), Code::KeyFunctionNotPermitted);
    let other = init(session, ck::CKM_SHA256_RSA_PKCS, None, private);
    client.comes_to(Code::MechanismInvalid, Function::SignRecoverInit, other);
}

fn init_refused(client: &Client, function: Function, asked: Writer) -> Code {
    let asked = request(Some(&client.correlation), function, asked);
    client.bench.run::<Pkcs11>(V21, asked).unwrap().return_code
}

const V21: Version = Version::V2_1;

/// CK_GCM_MESSAGE_PARAMS.
fn gcm(nonce: &[u8], by: u64, tag: &[u8]) -> Vec<u8> {
    p().bytes(nonce).ulong(0).ulong(by).bytes(tag).ulong(tag.len() as u64 * 8).finish()
}

/// Test case 2 of the submission of GCM, at once and in parts; and nonces that the server makes.
#[test]
fn messages_have_their_nonces_and_tags() {
    let client = Client::new();
    let session = client.session();
    let key = client.create(session, &aes(&[0; 16], &[]));
    let begin = |function, code| client.comes_to(code, function, init(session, ck::CKM_AES_GCM, None, key));
    let message =
        |parameter: &[u8], aad: &[u8], data: &[u8]| p().ulong(session).bytes(parameter).bytes(aad).bytes(data);
    let (cipher, tag) = (hex("0388dace60b6a392f328c2b971b2fe78"), hex("ab6e47d42cec13bdf53a67b21257bddf"));
    let given = gcm(&[0; 12], ck::CKG_NO_GENERATE, &[0; 16]);
    let none = message(&given, b"", &[0; 16]).flag(true).count(99);
    client.comes_to(Code::OperationNotInitialized, Function::EncryptMessage, none);
    begin(Function::MessageEncryptInit, Code::Ok);
    begin(Function::MessageEncryptInit, Code::OperationActive);
    let asked = |room: Writer| message(&given, b"", &[0; 16]).raw(&room.finish());
    assert_eq!(client.ask(Function::EncryptMessage, asked(p().flag(false))), [0, 0, 0, 16]);
    client.comes_to(Code::BufferTooSmall, Function::EncryptMessage, asked(p().flag(true).count(15)));
    let (parameter, rest) = split(&client.ask(Function::EncryptMessage, asked(p().flag(true).count(16))));
    assert_eq!(parameter, gcm(&[0; 12], ck::CKG_NO_GENERATE, &tag));
    assert_eq!(split(&rest).0, cipher);
    // In parts; a part for which there is no room comes again.
    let next = |parameter: &[u8], data: &[u8], room: usize, flags: u64| {
        p().ulong(session).bytes(parameter).bytes(data).flag(true).count(room).ulong(flags)
    };
    let (function, nexts) = (Function::EncryptMessageBegin, Function::EncryptMessageNext);
    client.ask(function, p().ulong(session).bytes(&given).bytes(b""));
    client.comes_to(Code::OperationActive, function, p().ulong(session).bytes(&given).bytes(b""));
    client.comes_to(Code::OperationActive, Function::EncryptMessage, asked(p().flag(true).count(16)));
    client.comes_to(Code::BufferTooSmall, nexts, next(&given, &[0; 5], 4, 0));
    let (_, first) = split(&client.ask(nexts, next(&given, &[0; 5], 5, 0)));
    let (parameter, second) = split(&client.ask(nexts, next(&given, &[0; 11], 11, 1)));
    assert_eq!(parameter, gcm(&[0; 12], ck::CKG_NO_GENERATE, &tag));
    assert_eq!([split(&first).0, split(&second).0].concat(), cipher);
    // The nonces of two messages are the server's, and differ. They are counted, and those of the client are not.
    assert_eq!(client.bench.nonces(key), 0);
    let made = gcm(&[0; 12], ck::CKG_GENERATE_RANDOM, &[0; 16]);
    let sealed: Vec<(Vec<u8>, Vec<u8>)> = (0..2)
        .map(|_| {
            let asked = message(&made, b"aad", b"data").flag(true).count(99);
            let (parameter, rest) = split(&client.ask(Function::EncryptMessage, asked));
            (parameter, split(&rest).0)
        })
        .collect();
    assert_ne!(sealed[0].0[..16], sealed[1].0[..16]);
    assert!(client.bench.nonces(key) > 1);
    for (fixed, by, nonce) in [(32, ck::CKG_GENERATE, 12), (0, ck::CKG_GENERATE_COUNTER, 12), (0, ck::CKG_GENERATE, 8)]
    {
        let wrong = p().bytes(&vec![0; nonce]).ulong(fixed).ulong(by).bytes(&[0; 16]).ulong(128).finish();
        let asked = message(&wrong, b"", b"data").flag(true).count(99);
        client.comes_to(Code::MechanismParamInvalid, Function::EncryptMessage, asked);
    }
    client.ask(Function::MessageEncryptFinal, p().ulong(session));
    client.comes_to(Code::OperationNotInitialized, Function::MessageEncryptFinal, p().ulong(session));
    // All of it goes back, and nothing that was changed does.
    begin(Function::MessageDecryptInit, Code::Ok);
    for (parameter, cipher) in &sealed {
        let asked = message(parameter, b"aad", cipher).flag(true).count(99);
        assert_eq!(split(&client.ask(Function::DecryptMessage, asked)).0, b"data");
        let wrong = message(parameter, b"AAD", cipher).flag(true).count(99);
        client.comes_to(Code::AeadDecryptFailed, Function::DecryptMessage, wrong);
    }
    let (parameter, cipher) = &sealed[0];
    client.ask(Function::DecryptMessageBegin, p().ulong(session).bytes(parameter).bytes(b"aad"));
    let part = client.ask(Function::DecryptMessageNext, next(parameter, &cipher[..2], 99, 0));
    assert_eq!(part, [0; 4]);
    let last = client.ask(Function::DecryptMessageNext, next(parameter, &cipher[2..], 99, 1));
    assert_eq!(split(&last).0, b"data");
    let over = next(parameter, b"", 99, 1);
    client.comes_to(Code::OperationNotInitialized, Function::DecryptMessageNext, over);
    let plain = init(session, ck::CKM_AES_CBC, iv(), key);
    client.comes_to(Code::MechanismInvalid, Function::MessageEncryptInit, plain);
}

/// Under a key that is not extractable the server makes the nonces, also those of messages.
#[test]
fn messages_of_kept_keys_and_counted_ones() {
    let client = Client::new();
    let session = client.session();
    let kept = client.create(session, &aes(&[1; 16], &[(ck::CKA_EXTRACTABLE, V::Bool(false))]));
    client.ask(Function::MessageEncryptInit, init(session, ck::CKM_AES_GCM, None, kept));
    let asked = |by| {
        let parameter = gcm(&[0; 12], by, &[0; 16]);
        p().ulong(session).bytes(&parameter).bytes(b"").bytes(b"data").flag(true).count(99)
    };
    client.comes_to(Code::FunctionRejected, Function::EncryptMessage, asked(ck::CKG_NO_GENERATE));
    client.ask(Function::EncryptMessage, asked(ck::CKG_GENERATE_RANDOM));
    client.ask(Function::MessageEncryptFinal, p().ulong(session));
    let key = client.bench.key(Algorithm::AES, &[7; 16], Mask::ENCRYPT, vec![limits(1)]);
    let UniqueIdentifier::Text(name) = &key else { panic!("no identifier") };
    let handle = client.find(session, &[(ck::CKA_UNIQUE_ID, b(name.as_bytes()))])[0];
    client.ask(Function::MessageEncryptInit, init(session, ck::CKM_AES_GCM, None, handle));
    client.ask(Function::EncryptMessage, asked(ck::CKG_GENERATE));
    client.comes_to(Code::KeyFunctionNotPermitted, Function::EncryptMessage, asked(ck::CKG_GENERATE));
}

/// SP 800-38C example 1 and RFC 8439 §2.8.2, as messages.
#[test]
fn messages_of_ccm_and_of_chacha20() {
    let client = Client::new();
    let session = client.session();
    let key = client.create(session, &aes(&hex("404142434445464748494a4b4c4d4e4f"), &[]));
    client.ask(Function::MessageEncryptInit, init(session, ck::CKM_AES_CCM, None, key));
    let ccm = |length: u64, tag: &[u8]| {
        p().ulong(length).bytes(&hex("10111213141516")).ulong(0).ulong(ck::CKG_NO_GENERATE).bytes(tag).finish()
    };
    let asked = |length, data: &[u8]| {
        let out = p().ulong(session).bytes(&ccm(length, &[0; 4])).bytes(&hex("0001020304050607")).bytes(data);
        out.flag(true).count(99)
    };
    let (parameter, rest) = split(&client.ask(Function::EncryptMessage, asked(4, &hex("20212223"))));
    assert_eq!(parameter, ccm(4, &hex("4dac255d")));
    assert_eq!(split(&rest).0, hex("7162015b"));
    client.comes_to(Code::DataLenRange, Function::EncryptMessage, asked(5, &hex("20212223")));
    let own = [
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_CHACHA20)),
        (ck::CKA_VALUE, b(&[1; 32])),
    ];
    let key = client.create(session, &own);
    let mechanism = ck::CKM_CHACHA20_POLY1305;
    client.ask(Function::SessionCancel, p().ulong(session).ulong(ck::CKF_MESSAGE_ENCRYPT));
    client.ask(Function::MessageEncryptInit, init(session, mechanism, None, key));
    let sealed = p().bytes(&[2; 12]).bytes(&[0; 16]).finish();
    let asked = p().ulong(session).bytes(&sealed).bytes(b"aad").bytes(b"data").flag(true).count(99);
    let (parameter, rest) = split(&client.ask(Function::EncryptMessage, asked));
    let nonce = Some(p().bytes(&[2; 12]).bytes(b"aad"));
    client.ask(Function::DecryptInit, init(session, mechanism, nonce, key));
    let whole = [split(&rest).0, parameter[20..].to_vec()].concat();
    assert_eq!(client.gives(Function::Decrypt, session, &whole), b"data");
}

#[test]
fn messages_are_signed_and_verified() {
    let client = Client::new();
    let session = client.session();
    let curve = (ck::CKA_EC_PARAMS, b(&hex("06082a8648ce3d030107")));
    let (public, private) = pair(&client, session, ck::CKM_EC_KEY_PAIR_GEN, curve);
    let mechanism = ck::CKM_ECDSA_SHA256;
    let sign = |parameter: &[u8], room: Writer| p().ulong(session).bytes(parameter).bytes(b"data").raw(&room.finish());
    client.comes_to(Code::OperationNotInitialized, Function::SignMessage, sign(b"", p().flag(false)));
    client.ask(Function::MessageSignInit, init(session, mechanism, None, private));
    client.comes_to(Code::OperationActive, Function::MessageSignInit, init(session, mechanism, None, private));
    assert_eq!(client.ask(Function::SignMessage, sign(b"", p().flag(false))), [0, 0, 0, 64]);
    client.comes_to(Code::MechanismParamInvalid, Function::SignMessage, sign(b"x", p().flag(false)));
    let whole = split(&client.ask(Function::SignMessage, sign(b"", p().flag(true).count(64)))).0;
    client.comes_to(Code::OperationNotInitialized, Function::SignMessageNext, sign(b"", p().flag(false)));
    client.ask(Function::SignMessageBegin, p().ulong(session).bytes(b""));
    let part = |data: &[u8]| p().ulong(session).bytes(b"").bytes(data);
    client.ask(Function::SignMessageNext, part(b"da").flag(false));
    let last = |room: Writer| part(b"ta").flag(true).raw(&room.finish());
    client.comes_to(Code::BufferTooSmall, Function::SignMessageNext, last(p().flag(true).count(63)));
    assert_eq!(client.ask(Function::SignMessageNext, last(p().flag(false))), [0, 0, 0, 64]);
    let parts = split(&client.ask(Function::SignMessageNext, last(p().flag(true).count(64)))).0;
    client.ask(Function::MessageSignFinal, p().ulong(session));
    client.comes_to(Code::OperationNotInitialized, Function::MessageSignFinal, p().ulong(session));
    client.ask(Function::MessageVerifyInit, init(session, mechanism, None, public));
    for signature in [&whole, &parts] {
        client.ask(Function::VerifyMessage, part(b"data").bytes(signature));
        client.comes_to(Code::SignatureInvalid, Function::VerifyMessage, part(b"Data").bytes(signature));
        client.ask(Function::VerifyMessageBegin, p().ulong(session).bytes(b""));
        client.comes_to(Code::OperationActive, Function::VerifyMessage, part(b"data").bytes(signature));
        client.ask(Function::VerifyMessageNext, part(b"dat").flag(false));
        client.ask(Function::VerifyMessageNext, part(b"a").flag(true).bytes(signature));
    }
    client.ask(Function::MessageVerifyFinal, p().ulong(session));
}

/// A client's sessions, searches and what waits in them have one bound, and what goes makes room.
#[test]
fn what_a_library_keeps_is_bounded() {
    let limits = crate::session::parts::Limits { bytes_per_client: 200_000, ..Default::default() };
    let client = Client::on(Bench::limited(limits));
    let session = client.session();
    let key = client.create(session, &aes(&[0; 16], &[]));
    let parameter = || Some(p().bytes(&[0; 12]).ulong(96).bytes(b"").ulong(128));
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_GCM, parameter(), key));
    client.ask(Function::DecryptUpdate, data(session, &[0; 60_000], 99));
    let more = || data(session, &[0; 150_000], 99);
    client.comes_to(Code::DeviceMemory, Function::DecryptUpdate, more());
    // What there is no room for has not happened: the rest still does.
    client.ask(Function::DecryptUpdate, data(session, &[0; 100], 99));
    let other = client.session();
    client.ask(Function::SignInit, init(other, ck::CKM_SHA256_HMAC, None, hmac(&client, other)));
    let aad = Some(p().bytes(&[0; 12]).ulong(96).bytes(&[0; 150_000]).ulong(128));
    client.comes_to(Code::DeviceMemory, Function::EncryptInit, init(other, ck::CKM_AES_GCM, aad, key));
    client.comes_to(Code::OperationNotInitialized, Function::EncryptFinal, p().ulong(other).flag(false));
    client.ask(Function::SessionCancel, p().ulong(session).ulong(ck::CKF_DECRYPT));
    let aad = Some(p().bytes(&[0; 12]).ulong(96).bytes(&[0; 150_000]).ulong(128));
    client.ask(Function::EncryptInit, init(other, ck::CKM_AES_GCM, aad, key));
    // Another library of the client shares the bound; one that is finalised leaves room.
    let second = client.bench.run::<Pkcs11>(V21, request(None, Function::Initialize, p().flag(true))).unwrap();
    let second = Client { bench: client.bench, correlation: second.correlation_value.unwrap() };
    let own = second.session();
    let aad = || Some(p().bytes(&[0; 12]).ulong(96).bytes(&[0; 150_000]).ulong(128));
    second.comes_to(Code::DeviceMemory, Function::EncryptInit, init(own, ck::CKM_AES_GCM, aad(), key));
    let first = request(Some(&client.correlation), Function::Finalize, p());
    assert_eq!(second.bench.run::<Pkcs11>(V21, first).unwrap().return_code, Code::Ok);
    second.ask(Function::EncryptInit, init(own, ck::CKM_AES_GCM, aad(), key));
}

fn hmac(client: &Client, session: u64) -> u64 {
    let own = [
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)),
        (ck::CKA_VALUE, b(&[2; 32])),
    ];
    client.create(session, &own)
}

/// What docs/pkcs11-clients.md says that there is not, is all that there is not.
#[test]
fn the_documentation_names_what_is_not_there() {
    let text = include_str!("../../../../../docs/pkcs11-clients.md");
    let (_, rest) = text.split_once("Every other function answers").unwrap();
    let absent: Vec<&str> = rest.split("\n\n").next().unwrap().split([' ', ',', '(', ')', '.', '\n']).collect();
    for number in 1..=0x5C {
        let function = Function(number);
        let is_there = function == Function::Initialize || FUNCTIONS.iter().any(|(named, _)| *named == function);
        assert_eq!(absent.contains(&function.name().unwrap()), !is_there, "{function}");
    }
}

/// A flag of a mechanism is a function that takes it: what has no parameter begins with a key of its kind, and what has one says
/// so; nothing that is listed is not there.
#[test]
fn what_a_mechanism_is_listed_for_begins() {
    let client = Client::new();
    let session = client.session();
    let signs = [(ck::CKA_SIGN, V::Bool(true)), (ck::CKA_VERIFY, V::Bool(true)), (ck::CKA_ENCRYPT, V::Bool(true))];
    let both = [&signs[..], &[(ck::CKA_DECRYPT, V::Bool(true))]].concat();
    let key = client.create(session, &aes(&[7; 16], &both));
    let begins = [
        (ck::CKF_ENCRYPT, Function::EncryptInit),
        (ck::CKF_DECRYPT, Function::DecryptInit),
        (ck::CKF_SIGN, Function::SignInit),
        (ck::CKF_VERIFY, Function::VerifyInit),
        (ck::CKF_SIGN_RECOVER, Function::SignRecoverInit),
        (ck::CKF_VERIFY_RECOVER, Function::VerifyRecoverInit),
        (ck::CKF_MESSAGE_ENCRYPT, Function::MessageEncryptInit),
        (ck::CKF_MESSAGE_DECRYPT, Function::MessageDecryptInit),
        (ck::CKF_MESSAGE_SIGN, Function::MessageSignInit),
        (ck::CKF_MESSAGE_VERIFY, Function::MessageVerifyInit),
    ];
    let all = client.ask(Function::GetMechanismList, p().ulong(1).flag(true).count(999));
    for mechanism in all[5..].chunks(8).map(ulong) {
        let info = client.ask(Function::GetMechanismInfo, p().ulong(1).ulong(mechanism));
        let flags = ulong(&info[16..]);
        for (flag, function) in begins {
            let code = init_refused(&client, function, init(session, mechanism, None, key));
            client.ask(Function::SessionCancel, p().ulong(session).ulong(u64::MAX));
            assert_eq!(code == Code::MechanismInvalid, flags & flag == 0, "{mechanism:#x} {function}");
        }
        let digests = p().ulong(session).ulong(mechanism).flag(false);
        let code = init_refused(&client, Function::DigestInit, digests);
        client.ask(Function::SessionCancel, p().ulong(session).ulong(u64::MAX));
        assert_eq!(code, if flags & ck::CKF_DIGEST == 0 { Code::MechanismInvalid } else { Code::Ok });
    }
}

/// Keys of every type of a pair, and one for XTS, are wrapped and copied, and come back as what they were.
#[test]
fn keys_of_all_types_are_wrapped_and_copied() {
    let client = Client::new();
    let session = client.session();
    let wraps = [(ck::CKA_WRAP, V::Bool(true)), (ck::CKA_UNWRAP, V::Bool(true))];
    let wrapping = client.create(session, &aes(&[1; 32], &wraps));
    let params = |oid: &str| (ck::CKA_EC_PARAMS, b(&hex(oid)));
    let private = |mechanism, public| pair(&client, session, mechanism, public).1;
    let xts =
        append(p().ulong(session).ulong(ck::CKM_AES_XTS_KEY_GEN).flag(false), &[(ck::CKA_VALUE_LEN, V::Ulong(32))]);
    let xts = ulong(&client.ask(Function::GenerateKey, xts));
    let mechanism = ck::CKM_AES_KEY_WRAP_KWP;
    for key in [
        private(ck::CKM_EC_KEY_PAIR_GEN, params("06082a8648ce3d030107")),
        private(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, params("06032b6570")),
        private(ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, params("06032b656e")),
        private(ck::CKM_ML_DSA_KEY_PAIR_GEN, (ck::CKA_PARAMETER_SET, V::Ulong(ck::CKP_ML_DSA_44))),
        xts,
    ] {
        let (class, kind) = (client.value(session, key, ck::CKA_CLASS), client.value(session, key, ck::CKA_KEY_TYPE));
        let asked = p().ulong(session).ulong(mechanism).flag(false).ulong(wrapping).ulong(key).flag(true).count(9999);
        let wrapped = client.ask(Function::WrapKey, asked)[4..].to_vec();
        let template = |kind| [(ck::CKA_CLASS, V::Ulong(ulong(&class))), (ck::CKA_KEY_TYPE, V::Ulong(kind))];
        let unwrap = |kind| {
            let asked = p().ulong(session).ulong(mechanism).flag(false).ulong(wrapping).bytes(&wrapped);
            append(asked, &template(kind))
        };
        let back = ulong(&client.ask(Function::UnwrapKey, unwrap(ulong(&kind))));
        let copy = ulong(&client.ask(Function::CopyObject, append(p().ulong(session).ulong(key), &[])));
        for same in [back, copy] {
            assert_eq!(client.value(session, same, ck::CKA_KEY_TYPE), kind);
            if key == xts {
                assert_eq!(client.value(session, same, ck::CKA_VALUE), client.value(session, key, ck::CKA_VALUE));
            }
        }
        if key != xts {
            client.comes_to(Code::TemplateInconsistent, Function::UnwrapKey, unwrap(ck::CKK_RSA));
        }
    }
}
