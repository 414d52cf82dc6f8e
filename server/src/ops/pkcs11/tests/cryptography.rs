//! What keys of a client do. The vectors are those of SP 800-38A, of the GCM submission, of RFC 4231 and FIPS 180-4.

use cryptoki_sys as ck;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask};
use kmip_codec::types::UniqueIdentifier;

use super::objects::{V, aes, append, b};
use super::*;
use crate::crypto::permits::{Permits, Preset};
use crate::trust::policy::Use;
use crate::view::testing::limits;

const SP800_38A: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172aae2d8a571e03ac9c9eb76fac45af8e51";
const IV: &str = "000102030405060708090a0b0c0d0e0f";

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// What C_…Init takes.
pub(super) fn init(session: u64, mechanism: u64, parameter: Option<Writer>, key: u64) -> Writer {
    let out = p().ulong(session).ulong(mechanism).flag(parameter.is_some());
    let out = parameter.into_iter().fold(out, |out, parameter| out.bytes(&parameter.finish()));
    out.ulong(key)
}

fn iv() -> Option<Writer> {
    Some(p().bytes(&hex(IV)))
}

impl Client {
    /// A key of known bytes.
    fn known(&self, session: u64, bytes: &str) -> u64 {
        self.create(session, &aes(&hex(bytes), &[]))
    }

    /// A function that takes data and has room for much.
    #[track_caller]
    pub(super) fn gives(&self, function: Function, session: u64, data: &[u8]) -> Vec<u8> {
        self.ask(function, p().ulong(session).bytes(data).flag(true).count(9999))[4..].to_vec()
    }

    #[track_caller]
    pub(super) fn ends(&self, function: Function, session: u64) -> Vec<u8> {
        self.ask(function, p().ulong(session).flag(true).count(9999))[4..].to_vec()
    }
}

#[test]
fn published_ciphertexts_in_one_part_and_in_several() {
    let client = Client::new();
    let session = client.session();
    let key = client.known(session, SP800_38A);
    let cipher = "7649abac8119b246cee98e9b12e9197d5086cb9b507219ee95db113a917678b2";
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
    assert_eq!(client.gives(Function::Encrypt, session, &hex(PLAIN)), hex(cipher));
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
    let mut parts = client.gives(Function::EncryptUpdate, session, &hex(PLAIN)[..5]);
    assert!(parts.is_empty());
    parts.extend(client.gives(Function::EncryptUpdate, session, &hex(PLAIN)[5..]));
    parts.extend(client.ends(Function::EncryptFinal, session));
    assert_eq!(parts, hex(cipher));
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CBC, iv(), key));
    assert_eq!(client.gives(Function::Decrypt, session, &hex(cipher)), hex(PLAIN));
    let counter = Some(p().ulong(128).raw(&hex("f0f1f2f3f4f5f6f7f8f9fafbfcfdfeff")));
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CTR, counter, key));
    assert_eq!(client.gives(Function::Encrypt, session, &hex(PLAIN)[..16]), hex("874d6191b620e3261bef6864990db6ce"));
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_ECB, None, key));
    assert_eq!(client.gives(Function::Encrypt, session, &hex(PLAIN)[..16]), hex("3ad77bb40d7a3660a89ecaf32466ef97"));
    // Nothing is left of what came to its end.
    let more = p().ulong(session).bytes(b"").flag(true).count(9);
    client.comes_to(Code::OperationNotInitialized, Function::Encrypt, more);
}

#[test]
fn a_length_is_asked_for_as_often_as_one_likes() {
    let client = Client::new();
    let session = client.session();
    let key = client.known(session, SP800_38A);
    let data = [7; 20];
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CBC_PAD, iv(), key));
    let asked = |room: Writer| p().ulong(session).bytes(&data).raw(&room.finish());
    for _ in 0..2 {
        assert_eq!(client.ask(Function::Encrypt, asked(p().flag(false))), [0, 0, 0, 32]);
    }
    let small = client.comes_to(Code::BufferTooSmall, Function::Encrypt, asked(p().flag(true).count(31)));
    assert_eq!(small, [0, 0, 0, 32]);
    let cipher = client.ask(Function::Encrypt, asked(p().flag(true).count(32)))[4..].to_vec();
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CBC_PAD, iv(), key));
    let part = |data: &[u8], room: usize| p().ulong(session).bytes(data).flag(true).count(room);
    client.comes_to(Code::BufferTooSmall, Function::Decrypt, part(&cipher, 19));
    assert_eq!(client.ask(Function::Decrypt, part(&cipher, 20))[4..], data);
    // A part for which there was no room comes again, and counts once.
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CBC_PAD, iv(), key));
    client.comes_to(Code::BufferTooSmall, Function::DecryptUpdate, part(&cipher, 15));
    let mut plain = client.ask(Function::DecryptUpdate, part(&cipher, 16))[4..].to_vec();
    plain.extend(client.ends(Function::DecryptFinal, session));
    assert_eq!(plain, data);
}

#[test]
fn gcm_has_its_tag_behind_the_ciphertext() {
    let client = Client::new();
    let session = client.session();
    // Test case 2 of the submission.
    let key = client.known(session, &"00".repeat(16));
    let parameter = || Some(p().bytes(&[0; 12]).ulong(96).bytes(b"").ulong(128));
    let sealed = hex("0388dace60b6a392f328c2b971b2fe78ab6e47d42cec13bdf53a67b21257bddf");
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_GCM, parameter(), key));
    assert_eq!(client.gives(Function::Encrypt, session, &[0; 16]), sealed);
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_GCM, parameter(), key));
    assert_eq!(client.gives(Function::Decrypt, session, &sealed), [0; 16]);
    // In parts that do not care where the tag begins; nothing is shown before it is known.
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_GCM, parameter(), key));
    for part in sealed.chunks(7) {
        assert!(client.gives(Function::DecryptUpdate, session, part).is_empty());
    }
    assert_eq!(client.ends(Function::DecryptFinal, session), [0; 16]);
    let mut wrong = sealed.clone();
    wrong[31] ^= 1;
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_GCM, parameter(), key));
    let asked = p().ulong(session).bytes(&wrong).flag(true).count(99);
    client.comes_to(Code::AeadDecryptFailed, Function::Decrypt, asked);
    client.ask(Function::DecryptInit, init(session, ck::CKM_AES_GCM, parameter(), key));
    let short = p().ulong(session).bytes(&sealed[..15]).flag(true).count(99);
    client.comes_to(Code::AeadDecryptFailed, Function::Decrypt, short);
}

/// Whatever is wrong with a ciphertext, its padding, its tag or its length, at once and in parts: one code, and nothing with it.
#[test]
fn what_does_not_decrypt_is_told_in_one_way() {
    let client = Client::new();
    let session = client.session();
    let key = client.known(session, SP800_38A);
    let gcm = || Some(p().bytes(&[0; 12]).ulong(96).bytes(b"").ulong(128));
    let cases: [(u64, Code, &[usize]); 2] = [
        // No padding of zeros, nothing at all, and what is no whole blocks.
        (ck::CKM_AES_CBC_PAD, Code::EncryptedDataInvalid, &[16, 32, 0, 15, 17, 33]),
        (ck::CKM_AES_GCM, Code::AeadDecryptFailed, &[16, 17, 32, 0, 1, 15]),
    ];
    for (mechanism, code, lengths) in cases {
        let begin = || {
            let parameter = if mechanism == ck::CKM_AES_GCM { gcm() } else { iv() };
            client.ask(Function::DecryptInit, init(session, mechanism, parameter, key));
        };
        for &length in lengths {
            let wrong = vec![0x5a; length];
            begin();
            let asked = p().ulong(session).bytes(&wrong).flag(true).count(99);
            assert!(client.comes_to(code, Function::Decrypt, asked).is_empty(), "{length}");
            begin();
            for part in wrong.chunks(5) {
                let shown = client.gives(Function::DecryptUpdate, session, part);
                assert!(mechanism != ck::CKM_AES_GCM || shown.is_empty());
            }
            let asked = p().ulong(session).flag(true).count(99);
            assert!(client.comes_to(code, Function::DecryptFinal, asked).is_empty(), "{length}");
        }
    }
}

/// A client of the token always brings its own nonce: under a key that is not extractable that needs the configuration's leave.
#[test]
fn keys_that_stay_take_no_nonce_of_a_client() {
    for leave in [false, true] {
        let settings = Settings { client_nonces: leave, ..Settings::default() };
        let client = Client::on(Bench::with(settings, None));
        let session = client.session();
        for extractable in [false, true] {
            let key = client.create(session, &aes(&[7; 16], &[(ck::CKA_EXTRACTABLE, V::Bool(extractable))]));
            let gcm = || p().bytes(&[0; 12]).ulong(96).bytes(b"").ulong(128);
            let counter = || p().ulong(128).raw(&[7; 16]);
            for (mechanism, parameter) in [(ck::CKM_AES_GCM, gcm()), (ck::CKM_AES_CTR, counter())] {
                let code = if leave || extractable { Code::Ok } else { Code::FunctionRejected };
                client.comes_to(code, Function::EncryptInit, init(session, mechanism, Some(parameter), key));
                if code == Code::Ok {
                    client.gives(Function::Encrypt, session, b"data");
                }
            }
            client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CTR, Some(counter()), key));
            client.gives(Function::Decrypt, session, b"data");
        }
    }
}

/// A hash function that may process, and no more, has its mechanisms for signatures that are verified; a digest protects.
#[test]
fn digests_are_of_what_is_permitted() {
    let mut bench = Bench::new();
    let names = ["SHA-256".to_owned()];
    bench.permit(Permits::changed(Preset::Default, &[], &names, &[]).unwrap());
    let client = Client::on(bench);
    let session = client.session();
    let begin = |mechanism| p().ulong(session).ulong(mechanism).flag(false);
    client.comes_to(Code::MechanismInvalid, Function::DigestInit, begin(ck::CKM_SHA256));
    client.ask(Function::DigestInit, begin(ck::CKM_SHA384));
}

#[test]
fn what_keys_may_and_may_not() {
    let client = Client::new();
    let session = client.session();
    let only = client.create(session, &aes(&[7; 16], &[(ck::CKA_DECRYPT, V::Bool(true))]));
    let ask = |code, mechanism, parameter, key| {
        client.comes_to(code, Function::EncryptInit, init(session, mechanism, parameter, key));
    };
    ask(Code::KeyFunctionNotPermitted, ck::CKM_AES_ECB, None, only);
    ask(Code::KeyHandleInvalid, ck::CKM_AES_ECB, None, 999);
    ask(Code::MechanismInvalid, ck::CKM_SHA256, None, only);
    ask(Code::MechanismInvalid, ck::CKM_DES3_ECB, None, only);
    let key = client.known(session, SP800_38A);
    ask(Code::MechanismParamInvalid, ck::CKM_AES_CBC, None, key);
    ask(Code::Ok, ck::CKM_AES_CBC, iv(), key);
    ask(Code::OperationActive, ck::CKM_AES_CBC, iv(), key);
    let odd = p().ulong(session).bytes(&[7; 17]).flag(true).count(99);
    client.comes_to(Code::DataLenRange, Function::Encrypt, odd);
    // What failed is over.
    ask(Code::Ok, ck::CKM_AES_CBC, iv(), key);
    client.gives(Function::EncryptUpdate, session, &[7; 3]);
    let whole = p().ulong(session).bytes(&[7; 16]).flag(true).count(99);
    client.comes_to(Code::OperationActive, Function::Encrypt, whole);
    // A key that is revoked meanwhile is no key any more.
    let mut view = client.bench.view(V21);
    let object = view.open_numbered(key, Use::Revoke).unwrap();
    let now = view.now();
    view.edit(&object, |object| Ok(object.happen(crate::object::state::Event::Deactivate, now)?)).unwrap();
    client.bench.commit(&view);
    let more = p().ulong(session).bytes(&[7; 16]).flag(true).count(99);
    client.comes_to(Code::KeyFunctionNotPermitted, Function::EncryptUpdate, more);
}

const V21: Version = Version::V2_1;

#[test]
fn usage_is_counted_for_what_leaves() {
    let client = Client::new();
    let session = client.session();
    let key = client.bench.key(Algorithm::AES, &[7; 16], Mask::ENCRYPT, vec![limits(1)]);
    let UniqueIdentifier::Text(name) = &key else { panic!("no identifier") };
    let handle = client.find(session, &[(ck::CKA_UNIQUE_ID, b(name.as_bytes()))])[0];
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_ECB, None, handle));
    let asked = |room: Writer| p().ulong(session).bytes(&[7; 16]).raw(&room.finish());
    client.ask(Function::Encrypt, asked(p().flag(false)));
    client.comes_to(Code::BufferTooSmall, Function::Encrypt, asked(p().flag(true).count(1)));
    assert_eq!(client.bench.usage_left(&key), Some(1));
    client.ask(Function::Encrypt, asked(p().flag(true).count(16)));
    assert_eq!(client.bench.usage_left(&key), Some(0));
    client.ask(Function::EncryptInit, init(session, ck::CKM_AES_ECB, None, handle));
    client.comes_to(Code::KeyFunctionNotPermitted, Function::Encrypt, asked(p().flag(true).count(16)));
}

#[test]
fn macs_are_made_and_verified() {
    let client = Client::new();
    let session = client.session();
    // RFC 4231, test case 1.
    let mechanism = ck::CKM_SHA256_HMAC;
    let secret = [
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)),
        (ck::CKA_VALUE, b(&[0x0b; 20])),
    ];
    let key = client.create(session, &secret);
    let expected = hex("b0344c61d8db38535ca8afceaf0bf12b881dc200c9833da726e9376c2e32cff7");
    client.ask(Function::SignInit, init(session, mechanism, None, key));
    assert_eq!(client.ask(Function::Sign, p().ulong(session).bytes(b"Hi There").flag(false)), [0, 0, 0, 32]);
    assert_eq!(client.gives(Function::Sign, session, b"Hi There"), expected);
    client.ask(Function::SignInit, init(session, mechanism, None, key));
    client.ask(Function::SignUpdate, p().ulong(session).bytes(b"Hi "));
    client.ask(Function::SignUpdate, p().ulong(session).bytes(b"There"));
    assert_eq!(client.ends(Function::SignFinal, session), expected);
    let verify = |code, mac: &[u8]| {
        client.ask(Function::VerifyInit, init(session, mechanism, None, key));
        client.comes_to(code, Function::Verify, p().ulong(session).bytes(b"Hi There").bytes(mac));
    };
    verify(Code::Ok, &expected);
    verify(Code::SignatureInvalid, &[7; 32]);
    verify(Code::SignatureLenRange, &[7; 31]);
}

#[test]
fn digests_of_one_part_and_of_several() {
    let client = Client::new();
    let session = client.session();
    let begin = || client.ask(Function::DigestInit, p().ulong(session).ulong(ck::CKM_SHA256).flag(false));
    let expected = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    begin();
    assert_eq!(client.ask(Function::Digest, p().ulong(session).bytes(b"abc").flag(false)), [0, 0, 0, 32]);
    assert_eq!(client.gives(Function::Digest, session, b"abc"), expected);
    begin();
    client.ask(Function::DigestUpdate, p().ulong(session).bytes(b"ab"));
    client.comes_to(Code::OperationActive, Function::Digest, p().ulong(session).bytes(b"").flag(true).count(99));
    client.ask(Function::DigestUpdate, p().ulong(session).bytes(b"c"));
    client.comes_to(Code::BufferTooSmall, Function::DigestFinal, p().ulong(session).flag(true).count(31));
    assert_eq!(client.ends(Function::DigestFinal, session), expected);
    client.comes_to(Code::OperationNotInitialized, Function::DigestUpdate, p().ulong(session).bytes(b"c"));
}

/// Generates a pair; answers the public and the private key.
pub(super) fn pair(client: &Client, session: u64, mechanism: u64, public: (u64, V)) -> (u64, u64) {
    let asked = append(p().ulong(session).ulong(mechanism).flag(false), &[public]);
    let made = client.ask(Function::GenerateKeyPair, append(asked, &[]));
    (ulong(&made[..8]), ulong(&made[8..]))
}

#[test]
fn signatures_verify_and_others_do_not() {
    let client = Client::new();
    let session = client.session();
    let p256 = (ck::CKA_EC_PARAMS, b(&hex("06082a8648ce3d030107")));
    let ec = pair(&client, session, ck::CKM_EC_KEY_PAIR_GEN, p256);
    let rsa = pair(&client, session, ck::CKM_RSA_PKCS_KEY_PAIR_GEN, (ck::CKA_MODULUS_BITS, V::Ulong(2048)));
    let pss = || Some(p().ulong(ck::CKM_SHA256).ulong(ck::CKG_MGF1_SHA256).ulong(32));
    let digest = hex("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    type Case<'a> = (u64, fn() -> Option<Writer>, (u64, u64), &'a [u8], usize);
    let cases: [Case<'_>; 6] = [
        (ck::CKM_ECDSA_SHA256, || None, ec, b"abc", 64),
        (ck::CKM_ECDSA, || None, ec, &digest, 64),
        (ck::CKM_SHA256_RSA_PKCS, || None, rsa, b"abc", 256),
        (ck::CKM_RSA_PKCS, || None, rsa, b"what is signed as it is", 256),
        (ck::CKM_SHA256_RSA_PKCS_PSS, || Some(p().ulong(0x250).ulong(2).ulong(32)), rsa, b"abc", 256),
        (ck::CKM_RSA_PKCS_PSS, || Some(p().ulong(0x250).ulong(2).ulong(32)), rsa, &digest, 256),
    ];
    assert_eq!(pss().map(Writer::finish), cases[4].1().map(Writer::finish));
    for (mechanism, parameter, (public, private), data, length) in cases {
        client.ask(Function::SignInit, init(session, mechanism, parameter(), private));
        let asked = client.ask(Function::Sign, p().ulong(session).bytes(data).flag(false));
        assert_eq!(asked, u32::try_from(length).unwrap().to_be_bytes(), "{mechanism:#x}");
        let mut signature = client.gives(Function::Sign, session, data);
        assert_eq!(signature.len(), length);
        let verify = |code, signature: &[u8]| {
            client.ask(Function::VerifyInit, init(session, mechanism, parameter(), public));
            client.comes_to(code, Function::Verify, p().ulong(session).bytes(data).bytes(signature));
        };
        verify(Code::Ok, &signature);
        signature[length - 1] ^= 1;
        verify(Code::SignatureInvalid, &signature);
        verify(Code::SignatureLenRange, &signature[1..]);
    }
    // What one mechanism signs in parts, it verifies as a whole.
    client.ask(Function::SignInit, init(session, ck::CKM_ECDSA_SHA256, None, ec.1));
    client.ask(Function::SignUpdate, p().ulong(session).bytes(b"a"));
    client.ask(Function::SignUpdate, p().ulong(session).bytes(b"bc"));
    let signature = client.ends(Function::SignFinal, session);
    client.ask(Function::VerifyInit, init(session, ck::CKM_ECDSA_SHA256, None, ec.0));
    client.ask(Function::VerifyUpdate, p().ulong(session).bytes(b"abc"));
    client.ask(Function::VerifyFinal, p().ulong(session).bytes(&signature));
    // A key of the other kind, and a digest in parts.
    let other = init(session, ck::CKM_SHA256_RSA_PKCS, None, ec.1);
    client.comes_to(Code::KeyTypeInconsistent, Function::SignInit, other);
    client.ask(Function::SignInit, init(session, ck::CKM_ECDSA, None, ec.1));
    client.comes_to(Code::FunctionNotSupported, Function::SignUpdate, p().ulong(session).bytes(&digest));
}

#[test]
fn rsa_encrypts_and_decrypts() {
    let client = Client::new();
    let session = client.session();
    let (public, private) =
        pair(&client, session, ck::CKM_RSA_PKCS_KEY_PAIR_GEN, (ck::CKA_MODULUS_BITS, V::Ulong(2048)));
    let oaep = || Some(p().ulong(ck::CKM_SHA256).ulong(ck::CKG_MGF1_SHA256).ulong(1).bytes(b"label"));
    for (mechanism, parameter) in [(ck::CKM_RSA_PKCS, None), (ck::CKM_RSA_PKCS_OAEP, Some(oaep))] {
        let parameter = || parameter.and_then(|parameter| parameter());
        client.ask(Function::EncryptInit, init(session, mechanism, parameter(), public));
        let cipher = client.gives(Function::Encrypt, session, b"a secret");
        client.ask(Function::DecryptInit, init(session, mechanism, parameter(), private));
        assert_eq!(client.gives(Function::Decrypt, session, &cipher), b"a secret");
    }
    client.ask(Function::DecryptInit, init(session, ck::CKM_RSA_PKCS_OAEP, oaep(), private));
    let wrong = p().ulong(session).bytes(&[7; 256]).flag(true).count(999);
    client.comes_to(Code::EncryptedDataInvalid, Function::Decrypt, wrong);
}

#[test]
fn random_numbers_and_mechanisms() {
    let client = Client::new();
    let session = client.session();
    let random = || client.ask(Function::GenerateRandom, p().ulong(session).count(32));
    assert_ne!(random(), random());
    client.comes_to(Code::ArgumentsBad, Function::GenerateRandom, p().ulong(session).count(0));
    // The software's generator seeds itself.
    client.comes_to(Code::RandomSeedNotSupported, Function::SeedRandom, p().ulong(session).bytes(b"seed"));
    let length = client.ask(Function::GetMechanismList, p().ulong(1).flag(false));
    let count = usize::from(length[4]);
    let all = client.ask(Function::GetMechanismList, p().ulong(1).flag(true).count(count));
    assert_eq!(all.len(), 5 + 8 * count);
    for mechanism in all[5..].chunks(8) {
        let info = client.ask(Function::GetMechanismInfo, p().ulong(1).ulong(ulong(mechanism)));
        assert_eq!(info.len(), 24);
    }
    let unknown = p().ulong(1).ulong(0x8000_0001);
    client.comes_to(Code::MechanismInvalid, Function::GetMechanismInfo, unknown);
}
