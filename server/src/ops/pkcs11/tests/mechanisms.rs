//! Mechanisms, and what configured algorithms leave of them. The vectors are those of RFC 3610's kind in SP 800-38C, RFC 4493,
//! IEEE 1619, RFC 8439, RFC 8032 and RFC 6070, and of NIST's examples of HMAC.

use cryptoki_sys as ck;

use super::cryptography::{init, pair};
use super::objects::{V, append, b};
use super::*;
use crate::crypto::permits::{Permits, Preset};

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text.replace(' ', "")).unwrap()
}

/// A secret key of a type and these bytes, which may do all that its type can.
fn secret(client: &Client, session: u64, kind: u64, bytes: &[u8], uses: &[u64]) -> u64 {
    let own =
        [(ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)), (ck::CKA_KEY_TYPE, V::Ulong(kind)), (ck::CKA_VALUE, b(bytes))];
    let uses = uses.iter().map(|kind| (*kind, V::Bool(true)));
    client.create(session, &own.into_iter().chain(uses).collect::<Vec<_>>())
}

/// Published ciphertext comes out, in one part and in parts of five bytes, and goes back.
#[test]
fn published_ciphertexts_of_other_ciphers() {
    let client = Client::new();
    let session = client.session();
    let long = |text: &str| text.repeat(16);
    let chacha: Vec<u8> = (0..32).collect();
    let sealing: Vec<u8> = (0x80..0xa0).collect();
    let sunscreen =
        b"Ladies and Gentlemen of the class of '99: If I could offer you only one tip for the future, sunscreen \
                      would be it.";
    type Case<'a> = (u64, u64, Vec<u8>, Box<dyn Fn() -> Writer>, Vec<u8>, &'a str);
    let cases: [Case<'_>; 5] = [
        (
            ck::CKM_AES_CCM,
            ck::CKK_AES,
            hex("404142434445464748494a4b4c4d4e4f"),
            Box::new(|| p().ulong(4).bytes(&hex("10111213141516")).bytes(&hex("0001020304050607")).ulong(4)),
            hex("20212223"),
            "7162015b4dac255d",
        ),
        (
            ck::CKM_AES_XTS,
            ck::CKK_AES_XTS,
            hex(&(long("11") + &long("22"))),
            Box::new(|| p().bytes(&hex("33333333330000000000000000000000"))),
            hex(&"44".repeat(32)),
            "c454185e6a16936e39334038acef838bfb186fff7480adc4289382ecd6d394f0",
        ),
        (
            ck::CKM_CHACHA20,
            ck::CKK_CHACHA20,
            chacha.clone(),
            Box::new(|| p().bytes(&[1, 0, 0, 0]).ulong(32).bytes(&hex("000000000000004a00000000")).ulong(96)),
            sunscreen[..16].to_vec(),
            "6e2e359a2568f98041ba0728dd0d6981",
        ),
        (
            ck::CKM_CHACHA20_POLY1305,
            ck::CKK_CHACHA20,
            sealing,
            Box::new(|| p().bytes(&hex("070000004041424344454647")).bytes(&hex("50515253c0c1c2c3c4c5c6c7"))),
            sunscreen.to_vec(),
            "d31a8d34648e60db7b86afbc53ef7ec2a4aded51296e08fea9e2b5a736ee62d63dbea45e8ca9671282fafb69da92728b1a71de0a9e06\
             0b2905d6a5b67ecd3b3692ddbd7f2d778b8c9803aee328091b58fab324e4fad675945585808b4831d7bc3ff4def08e4b7a9de576d265\
             86cec64b6116 1ae10b594f09e26a7e902ecbd0600691",
        ),
        (
            ck::CKM_CHACHA20,
            ck::CKK_CHACHA20,
            chacha,
            Box::new(|| p().bytes(&[1, 0, 0, 0, 0, 0, 0, 0]).count(64).bytes(&[0; 8]).count(64)),
            vec![0; 0],
            "",
        ),
    ];
    for (mechanism, kind, bytes, parameter, plain, expected) in cases {
        let key = secret(&client, session, kind, &bytes, &[]);
        client.ask(Function::EncryptInit, init(session, mechanism, Some(parameter()), key));
        assert_eq!(client.gives(Function::Encrypt, session, &plain), hex(expected), "{mechanism:#x}");
        client.ask(Function::EncryptInit, init(session, mechanism, Some(parameter()), key));
        let mut cipher = Vec::new();
        for part in plain.chunks(5) {
            cipher.extend(client.gives(Function::EncryptUpdate, session, part));
        }
        cipher.extend(client.ends(Function::EncryptFinal, session));
        assert_eq!(cipher, hex(expected), "{mechanism:#x}");
        client.ask(Function::DecryptInit, init(session, mechanism, Some(parameter()), key));
        assert_eq!(client.gives(Function::Decrypt, session, &cipher), plain, "{mechanism:#x}");
        if matches!(mechanism, ck::CKM_AES_CCM | ck::CKM_CHACHA20_POLY1305) {
            client.ask(Function::DecryptInit, init(session, mechanism, Some(parameter()), key));
            cipher[0] ^= 1;
            let wrong = p().ulong(session).bytes(&cipher).flag(true).count(999);
            client.comes_to(Code::AeadDecryptFailed, Function::Decrypt, wrong);
        }
    }
}

#[test]
fn the_length_that_ccm_was_told_must_be_that_of_the_data() {
    let client = Client::new();
    let session = client.session();
    let key = secret(&client, session, ck::CKK_AES, &[7; 16], &[]);
    let parameter = |length: u64| Some(p().ulong(length).bytes(&[7; 12]).bytes(b"").ulong(16));
    let data = |data: &[u8]| p().ulong(session).bytes(data).flag(true).count(99);
    for wrong in [3, 5] {
        client.ask(Function::EncryptInit, init(session, ck::CKM_AES_CCM, parameter(wrong), key));
        client.comes_to(Code::DataLenRange, Function::Encrypt, data(b"data"));
        client.ask(Function::DecryptInit, init(session, ck::CKM_AES_CCM, parameter(wrong), key));
        client.comes_to(Code::AeadDecryptFailed, Function::Decrypt, data(&[7; 20]));
    }
    for (nonce, tag) in [(&[7; 6][..], 16), (&[7; 12], 5), (&[7; 12], 2)] {
        let wrong = Some(p().ulong(4).bytes(nonce).bytes(b"").ulong(tag));
        client.comes_to(Code::MechanismParamInvalid, Function::EncryptInit, init(session, ck::CKM_AES_CCM, wrong, key));
    }
}

#[test]
fn keys_for_xts_are_for_nothing_else() {
    let client = Client::new();
    let session = client.session();
    let made = |mechanism: u64, more: &[(u64, V)]| {
        let asked = append(p().ulong(session).ulong(mechanism).flag(false), more);
        ulong(&client.ask(Function::GenerateKey, asked))
    };
    let sixteen = || Some(p().bytes(&[7; 16]));
    let common = made(ck::CKM_AES_KEY_GEN, &[(ck::CKA_VALUE_LEN, V::Ulong(32))]);
    let short = made(ck::CKM_AES_XTS_KEY_GEN, &[(ck::CKA_VALUE_LEN, V::Ulong(32))]);
    let whole = made(ck::CKM_AES_XTS_KEY_GEN, &[(ck::CKA_VALUE_LEN, V::Ulong(64))]);
    for (key, kind, by) in [
        (common, ck::CKK_AES, ck::CKM_AES_KEY_GEN),
        (short, ck::CKK_AES_XTS, ck::CKM_AES_XTS_KEY_GEN),
        (whole, ck::CKK_AES_XTS, ck::CKM_AES_XTS_KEY_GEN),
    ] {
        assert_eq!(client.value(session, key, ck::CKA_KEY_TYPE), kind.to_be_bytes());
        assert_eq!(client.value(session, key, ck::CKA_KEY_GEN_MECHANISM), by.to_be_bytes());
        let is_xts = kind == ck::CKK_AES_XTS;
        for (mechanism, parameter, fits) in [
            (ck::CKM_AES_XTS, sixteen(), is_xts),
            (ck::CKM_AES_CBC, sixteen(), !is_xts),
            (ck::CKM_AES_ECB, None, !is_xts),
        ] {
            let code = if fits { Code::Ok } else { Code::KeyTypeInconsistent };
            client.comes_to(code, Function::EncryptInit, init(session, mechanism, parameter, key));
            if fits {
                client.gives(Function::Encrypt, session, &[7; 32]);
            }
        }
        let found = client.find(session, &[(ck::CKA_KEY_TYPE, V::Ulong(kind))]);
        assert_eq!(found.contains(&short), is_xts);
    }
    let wrapped = p().ulong(session).ulong(ck::CKM_AES_KEY_WRAP).flag(false).ulong(short).ulong(common);
    client.comes_to(Code::WrappingKeyTypeInconsistent, Function::WrapKey, wrapped.flag(true).count(99));
    let other = [(ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_AES)), (ck::CKA_VALUE_LEN, V::Ulong(32))];
    let asked = append(p().ulong(session).ulong(ck::CKM_AES_XTS_KEY_GEN).flag(false), &other);
    client.comes_to(Code::TemplateInconsistent, Function::GenerateKey, asked);
}

#[test]
fn published_macs_whole_and_cut() {
    let client = Client::new();
    let session = client.session();
    let uses = [ck::CKA_SIGN, ck::CKA_VERIFY];
    let once = hex("85d6be7857556d337f4452fe42d506a80103808afb0db2fd4abff6af4149f51b");
    let sha3: Vec<u8> = (0..32).collect();
    let aes = hex("2b7e151628aed2a6abf7158809cf4f3c");
    let block = hex("6bc1bee22e409f96e93d7e117393172a");
    let sample = b"Sample message for keylen<blocklen";
    type Case<'a> = (u64, u64, &'a [u8], &'a [u8], &'a str);
    let cases: [Case<'_>; 3] = [
        (ck::CKM_AES_CMAC, ck::CKK_AES, &aes, &block, "070a16b46b4d4144f79bdd9dd04a287c"),
        (
            ck::CKM_POLY1305,
            ck::CKK_POLY1305,
            &once,
            b"Cryptographic Forum Research Group",
            "a8061dc1305136c6c22b8baf0c0127a9",
        ),
        (
            ck::CKM_SHA3_256_HMAC,
            ck::CKK_SHA3_256_HMAC,
            &sha3,
            sample,
            "4fe8e202c4f058e8dddc23d8c34e467343e23555e24fc2f025d598f558f67205",
        ),
    ];
    for (mechanism, kind, bytes, data, expected) in cases {
        let key = secret(&client, session, kind, bytes, &uses);
        assert_eq!(client.value(session, key, ck::CKA_KEY_TYPE), kind.to_be_bytes());
        client.ask(Function::SignInit, init(session, mechanism, None, key));
        assert_eq!(client.gives(Function::Sign, session, data), hex(expected));
        client.ask(Function::VerifyInit, init(session, mechanism, None, key));
        client.ask(Function::Verify, p().ulong(session).bytes(data).bytes(&hex(expected)));
        let general = match mechanism {
            ck::CKM_AES_CMAC => ck::CKM_AES_CMAC_GENERAL,
            ck::CKM_SHA3_256_HMAC => ck::CKM_SHA3_256_HMAC_GENERAL,
            _ => continue,
        };
        let cut = |length| init(session, general, Some(p().ulong(length)), key);
        client.ask(Function::SignInit, cut(8));
        client.ask(Function::SignUpdate, p().ulong(session).bytes(data));
        assert_eq!(client.ends(Function::SignFinal, session), hex(expected)[..8]);
        client.ask(Function::VerifyInit, cut(8));
        client.ask(Function::Verify, p().ulong(session).bytes(data).bytes(&hex(expected)[..8]));
        client.ask(Function::VerifyInit, cut(8));
        let whole = p().ulong(session).bytes(data).bytes(&hex(expected));
        client.comes_to(Code::SignatureLenRange, Function::Verify, whole);
        for wrong in [0, 7, 65] {
            client.comes_to(Code::MechanismParamInvalid, Function::SignInit, cut(wrong));
        }
    }
    // A key for one hash function makes no code of another, and a generic one is for SHA-256.
    let own = [(ck::CKA_VALUE_LEN, V::Ulong(40))];
    let key = ulong(
        &client.ask(Function::GenerateKey, append(p().ulong(session).ulong(ck::CKM_SHA512_KEY_GEN).flag(false), &own)),
    );
    client.comes_to(Code::KeyTypeInconsistent, Function::SignInit, init(session, ck::CKM_SHA384_HMAC, None, key));
    client.ask(Function::SignInit, init(session, ck::CKM_SHA512_HMAC, None, key));
    let named = [(ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_SHA256_HMAC))];
    let key = ulong(
        &client
            .ask(Function::GenerateKey, append(p().ulong(session).ulong(ck::CKM_SHA256_KEY_GEN).flag(false), &named)),
    );
    assert_eq!(client.value(session, key, ck::CKA_VALUE_LEN), 32_u64.to_be_bytes());
    assert_eq!(client.find(session, &named), [key]);
}

/// RFC 8032 §7.1, test 2; and the curve by its name and by its number.
#[test]
fn edwards_keys_come_sign_and_verify() {
    let client = Client::new();
    let session = client.session();
    let oid = hex("06032b6570");
    let name = [&[0x13, 12][..], b"edwards25519"].concat();
    let (d, point) = (
        hex("4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb"),
        hex("3d4017c3e843895a92b70aa74d1b7ebc9c982ccf2ec4968cc0cd55f12af4660c"),
    );
    let expected = hex("92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da\
                        085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00");
    let part = |class, value| {
        let own = [
            (ck::CKA_CLASS, V::Ulong(class)),
            (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_EC_EDWARDS)),
            (ck::CKA_EC_PARAMS, b(&name)),
        ];
        client.create(session, &[&own[..], &[value]].concat())
    };
    let wrapped = [&[4, 32][..], &point].concat();
    let private = part(ck::CKO_PRIVATE_KEY, (ck::CKA_VALUE, b(&d)));
    let public = part(ck::CKO_PUBLIC_KEY, (ck::CKA_EC_POINT, b(&wrapped)));
    assert_eq!(client.value(session, private, ck::CKA_EC_PARAMS), oid);
    assert_eq!(client.value(session, private, ck::CKA_VALUE), d);
    assert_eq!(client.value(session, public, ck::CKA_EC_POINT), wrapped);
    assert_eq!(client.value(session, public, ck::CKA_KEY_TYPE), ck::CKK_EC_EDWARDS.to_be_bytes());
    let pure = || Some(p().flag(false).bytes(b""));
    for parameter in [None, pure()] {
        client.ask(Function::SignInit, init(session, ck::CKM_EDDSA, parameter, private));
        assert_eq!(client.gives(Function::Sign, session, &[0x72]), expected);
    }
    // The data waits, since it is read twice.
    client.ask(Function::SignInit, init(session, ck::CKM_EDDSA, None, private));
    client.ask(Function::SignUpdate, p().ulong(session).bytes(b""));
    client.ask(Function::SignUpdate, p().ulong(session).bytes(&[0x72]));
    assert_eq!(client.ends(Function::SignFinal, session), expected);
    for (signature, code) in [(&expected, Code::Ok), (&vec![7; 64], Code::SignatureInvalid)] {
        client.ask(Function::VerifyInit, init(session, ck::CKM_EDDSA, None, public));
        client.comes_to(code, Function::Verify, p().ulong(session).bytes(&[0x72]).bytes(signature));
    }
    for wrong in [p().flag(true).bytes(b""), p().flag(false).bytes(b"context")] {
        let asked = init(session, ck::CKM_EDDSA, Some(wrong), private);
        client.comes_to(Code::MechanismParamInvalid, Function::SignInit, asked);
    }
    // Made here, and the other half verifies; a curve for agreement is none for signatures.
    let (public, private) = pair(&client, session, ck::CKM_EC_EDWARDS_KEY_PAIR_GEN, (ck::CKA_EC_PARAMS, b(&oid)));
    client.ask(Function::SignInit, init(session, ck::CKM_EDDSA, None, private));
    let signature = client.gives(Function::Sign, session, b"data");
    client.ask(Function::VerifyInit, init(session, ck::CKM_EDDSA, None, public));
    client.ask(Function::Verify, p().ulong(session).bytes(b"data").bytes(&signature));
    let ecdsa = init(session, ck::CKM_ECDSA_SHA256, None, private);
    client.comes_to(Code::KeyTypeInconsistent, Function::SignInit, ecdsa);
    let agrees = (ck::CKA_EC_PARAMS, b(&hex("06032b656e")));
    let asked = append(p().ulong(session).ulong(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN).flag(false), &[agrees]);
    client.comes_to(Code::CurveNotSupported, Function::GenerateKeyPair, append(asked, &[]));
    // Ed448 is not made unless the configuration says so.
    let ed448 = (ck::CKA_EC_PARAMS, b(&hex("06032b6571")));
    let asked = append(p().ulong(session).ulong(ck::CKM_EC_EDWARDS_KEY_PAIR_GEN).flag(false), &[ed448]);
    let refused = client
        .bench
        .run::<Pkcs11>(V21, request(Some(&client.correlation), Function::GenerateKeyPair, append(asked, &[])));
    assert!(refused.map_or(true, |answer| answer.return_code != Code::Ok));
}

const V21: Version = Version::V2_1;

/// ML-DSA by the numbers of version 3.2: made, signed at once and in parts, and its keys as bytes.
#[test]
fn ml_dsa_keys_come_sign_and_verify() {
    let client = Client::new();
    let session = client.session();
    let set = |number| (ck::CKA_PARAMETER_SET, V::Ulong(number));
    let (public, private) = pair(&client, session, ck::CKM_ML_DSA_KEY_PAIR_GEN, set(ck::CKP_ML_DSA_65));
    for key in [public, private] {
        assert_eq!(client.value(session, key, ck::CKA_KEY_TYPE), ck::CKK_ML_DSA.to_be_bytes());
        assert_eq!(client.value(session, key, ck::CKA_PARAMETER_SET), ck::CKP_ML_DSA_65.to_be_bytes());
    }
    assert_eq!(client.find(session, &[(ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_ML_DSA))]).len(), 2);
    let own = |class| {
        [(ck::CKA_CLASS, V::Ulong(class)), (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_ML_DSA)), set(ck::CKP_ML_DSA_65)]
    };
    let bytes = client.value(session, public, ck::CKA_VALUE);
    assert_eq!(bytes.len(), 1952);
    let again = client.create(session, &[&own(ck::CKO_PUBLIC_KEY)[..], &[(ck::CKA_VALUE, b(&bytes))]].concat());
    let seed = client.create(session, &[&own(ck::CKO_PRIVATE_KEY)[..], &[(ck::CKA_SEED, b(&[7; 32]))]].concat());
    assert_eq!(client.value(session, seed, ck::CKA_SEED), [7; 32]);
    let mechanism = ck::CKM_ML_DSA;
    for key in [private, seed] {
        client.ask(Function::SignInit, init(session, mechanism, None, key));
        let asked = client.ask(Function::Sign, p().ulong(session).bytes(b"data").flag(false));
        assert_eq!(asked, 3309_u32.to_be_bytes());
        let whole = client.gives(Function::Sign, session, b"data");
        client.ask(Function::SignInit, init(session, mechanism, Some(p().ulong(0).bytes(b"")), key));
        client.ask(Function::SignUpdate, p().ulong(session).bytes(b"da"));
        client.ask(Function::SignUpdate, p().ulong(session).bytes(b"ta"));
        let parts = client.ends(Function::SignFinal, session);
        let is_own = if key == private { Code::Ok } else { Code::SignatureInvalid };
        for (signature, public) in [(&whole, public), (&parts, again)] {
            client.ask(Function::VerifyInit, init(session, mechanism, None, public));
            client.comes_to(is_own, Function::Verify, p().ulong(session).bytes(b"data").bytes(signature));
        }
    }
    for wrong in [p().ulong(2).bytes(b""), p().ulong(0).bytes(b"context")] {
        let asked = init(session, mechanism, Some(wrong), private);
        client.comes_to(Code::MechanismParamInvalid, Function::SignInit, asked);
    }
    let ecdsa = init(session, ck::CKM_ECDSA_SHA256, None, private);
    client.comes_to(Code::KeyTypeInconsistent, Function::SignInit, ecdsa);
    let asked = append(p().ulong(session).ulong(ck::CKM_ML_DSA_KEY_PAIR_GEN).flag(false), &[set(9)]);
    client.comes_to(Code::AttributeValueInvalid, Function::GenerateKeyPair, append(asked, &[]));
}

#[test]
fn both_sides_agree_on_curve25519() {
    let client = Client::new();
    let session = client.session();
    let name = [&[0x13, 10][..], b"curve25519"].concat();
    let made = || pair(&client, session, ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, (ck::CKA_EC_PARAMS, b(&name)));
    let (one, other) = (made(), made());
    assert_eq!(client.value(session, one.0, ck::CKA_KEY_TYPE), ck::CKK_EC_MONTGOMERY.to_be_bytes());
    let secret = |private, point: &[u8]| {
        let template = [
            (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
            (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)),
            (ck::CKA_VALUE_LEN, V::Ulong(32)),
        ];
        let parameter = p().ulong(ck::CKD_NULL).bytes(b"").bytes(point).finish();
        let asked = p().ulong(session).ulong(ck::CKM_ECDH1_DERIVE).flag(true).bytes(&parameter).ulong(private);
        let key = ulong(&client.ask(Function::DeriveKey, append(asked, &template)));
        client.value(session, key, ck::CKA_VALUE)
    };
    let point = |public| client.value(session, public, ck::CKA_EC_POINT);
    let shared = secret(one.1, &point(other.0));
    assert_eq!(shared, secret(other.1, &point(one.0)[2..]));
    // Points of small order give no secret; one of another length is none.
    for (point, code) in [(vec![0; 32], None), (vec![7; 31], Some(Code::MechanismParamInvalid))] {
        let parameter = p().ulong(ck::CKD_NULL).bytes(b"").bytes(&point).finish();
        let asked = p().ulong(session).ulong(ck::CKM_ECDH1_DERIVE).flag(true).bytes(&parameter).ulong(one.1);
        let template = [(ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_AES)), (ck::CKA_VALUE_LEN, V::Ulong(32))];
        let asked = request(Some(&client.correlation), Function::DeriveKey, append(asked, &template));
        let answer = client.bench.run::<Pkcs11>(V21, asked).unwrap();
        assert_ne!(answer.return_code, Code::Ok);
        assert!(code.is_none_or(|code| code == answer.return_code));
    }
    let signs = init(session, ck::CKM_EDDSA, None, one.1);
    client.comes_to(Code::KeyFunctionNotPermitted, Function::SignInit, signs);
}

#[test]
fn signatures_with_sha3() {
    let client = Client::new();
    let session = client.session();
    let ec = pair(&client, session, ck::CKM_EC_KEY_PAIR_GEN, (ck::CKA_EC_PARAMS, b(&hex("06082a8648ce3d030107"))));
    let rsa = pair(&client, session, ck::CKM_RSA_PKCS_KEY_PAIR_GEN, (ck::CKA_MODULUS_BITS, V::Ulong(2048)));
    let pss = || Some(p().ulong(ck::CKM_SHA3_256).ulong(ck::CKG_MGF1_SHA3_256).ulong(32));
    type Case = (u64, fn() -> Option<Writer>, (u64, u64));
    let cases: [Case; 3] = [
        (ck::CKM_ECDSA_SHA3_512, || None, ec),
        (ck::CKM_SHA3_256_RSA_PKCS, || None, rsa),
        (ck::CKM_SHA3_256_RSA_PKCS_PSS, pss, rsa),
    ];
    for (mechanism, parameter, (public, private)) in cases {
        client.ask(Function::SignInit, init(session, mechanism, parameter(), private));
        let signature = client.gives(Function::Sign, session, b"data");
        for (data, code) in [(b"data", Code::Ok), (b"Data", Code::SignatureInvalid)] {
            client.ask(Function::VerifyInit, init(session, mechanism, parameter(), public));
            client.comes_to(code, Function::Verify, p().ulong(session).bytes(data).bytes(&signature));
        }
    }
}

/// RFC 6070; and keys of passwords are keys like others.
#[test]
fn a_password_makes_a_key() {
    let client = Client::new();
    let session = client.session();
    let parameter = |count: u64, password: &[u8]| {
        let out = p().ulong(ck::CKZ_SALT_SPECIFIED).bytes(b"salt").ulong(count).ulong(ck::CKP_PKCS5_PBKD2_HMAC_SHA1);
        out.bytes(b"").bytes(password)
    };
    let template = [
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)),
        (ck::CKA_VALUE_LEN, V::Ulong(20)),
    ];
    let asked = |parameter: Writer, template: &[(u64, V)]| {
        append(p().ulong(session).ulong(ck::CKM_PKCS5_PBKD2).flag(true).bytes(&parameter.finish()), template)
    };
    for (count, expected) in
        [(1, "0c60c80f961f0e71f3a9b524af6012062fe037a6"), (4096, "4b007901b765489abead49d926f721d065a429c1")]
    {
        let key = ulong(&client.ask(Function::GenerateKey, asked(parameter(count, b"password"), &template)));
        assert_eq!(client.value(session, key, ck::CKA_VALUE), hex(expected));
    }
    for wrong in [
        parameter(0, b"password"),
        p().ulong(7).bytes(b"salt").ulong(1).ulong(1).bytes(b"").bytes(b"password"),
        p().ulong(1).bytes(b"salt").ulong(1).ulong(2).bytes(b"").bytes(b"password"),
        p().ulong(1).bytes(b"salt").ulong(1).ulong(1).bytes(b"x").bytes(b"password"),
    ] {
        client.comes_to(Code::MechanismParamInvalid, Function::GenerateKey, asked(wrong, &template));
    }
    client.comes_to(Code::TemplateIncomplete, Function::GenerateKey, asked(parameter(1, b"x"), &template[..2]));
}

/// The three functions of SP 800-108 are those of Derive Key, and another order of their data is refused.
#[test]
fn functions_that_count() {
    let client = Client::new();
    let session = client.session();
    let base = secret(&client, session, ck::CKK_GENERIC_SECRET, &[7; 32], &[ck::CKA_DERIVE]);
    let counter = || p().flag(false).ulong(32).finish();
    let length = || p().ulong(1).flag(false).ulong(32).finish();
    let pieces = |iterates: u64, data: &[u8]| {
        let out = p().ulong(ck::CKM_SHA256_HMAC);
        let out = match iterates {
            ck::CKM_SP800_108_COUNTER_KDF => out.count(3).ulong(1).bytes(&counter()),
            _ => out.count(4).ulong(1).bytes(b"").ulong(2).bytes(&counter()),
        };
        let out = out.ulong(4).bytes(data).ulong(3).bytes(&length());
        let out = if iterates == ck::CKM_SP800_108_FEEDBACK_KDF { out.bytes(b"iv") } else { out };
        out.count(0)
    };
    let template = [(ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)), (ck::CKA_VALUE_LEN, V::Ulong(42))];
    let asked = |mechanism: u64, parameter: Writer, base: u64| {
        let out = p().ulong(session).ulong(mechanism).flag(true).bytes(&parameter.finish()).ulong(base);
        append(out, &template)
    };
    for (mechanism, mode) in [
        (ck::CKM_SP800_108_COUNTER_KDF, crate::crypto::algorithm::Iteration::Counter),
        (ck::CKM_SP800_108_FEEDBACK_KDF, crate::crypto::algorithm::Iteration::Feedback(b"iv")),
        (ck::CKM_SP800_108_DOUBLE_PIPELINE_KDF, crate::crypto::algorithm::Iteration::DoublePipeline),
    ] {
        let key = ulong(&client.ask(Function::DeriveKey, asked(mechanism, pieces(mechanism, b"data"), base)));
        let how = crate::crypto::algorithm::Derivation::Nist800108 {
            mode,
            hash: crate::crypto::algorithm::Hash::Sha256,
            data: b"data",
        };
        let view = client.bench.view(V21);
        let expected = view.derive_from_bytes(&crate::secret::Secret::copy_of(&[7; 32]), &how, 42).unwrap();
        assert_eq!(client.value(session, key, ck::CKA_VALUE), expected.expose());
    }
    let mechanism = ck::CKM_SP800_108_COUNTER_KDF;
    for wrong in [
        // Another function; the lowest byte first; no length; further keys.
        p().ulong(ck::CKM_AES_CMAC).count(2).ulong(1).bytes(&counter()).ulong(3).bytes(&length()).count(0),
        p().ulong(ck::CKM_SHA256_HMAC)
            .count(2)
            .ulong(1)
            .bytes(&p().flag(true).ulong(32).finish())
            .ulong(3)
            .bytes(&length())
            .count(0),
        p().ulong(ck::CKM_SHA256_HMAC).count(2).ulong(1).bytes(&counter()).ulong(4).bytes(b"data").count(0),
        p().ulong(ck::CKM_SHA256_HMAC).count(2).ulong(1).bytes(&counter()).ulong(3).bytes(&length()).count(1),
    ] {
        client.comes_to(Code::MechanismParamInvalid, Function::DeriveKey, asked(mechanism, wrong, base));
    }
    let other = secret(&client, session, ck::CKK_SHA512_HMAC, &[7; 32], &[ck::CKA_DERIVE]);
    let refused = asked(mechanism, pieces(mechanism, b"data"), other);
    client.comes_to(Code::KeyTypeInconsistent, Function::DeriveKey, refused);
}

/// What is not permitted is neither listed nor done, each use for itself.
#[test]
fn the_configured_algorithms_are_those_of_the_token() {
    let under = |preset| {
        let settings = Settings { permits: Permits::preset(preset), ..Settings::default() };
        Client::on(Bench::with(settings, None))
    };
    let flags = |client: &Client, mechanism: u64| {
        let asked = request(Some(&client.correlation), Function::GetMechanismInfo, p().ulong(1).ulong(mechanism));
        let answer = client.bench.run::<Pkcs11>(V21, asked).unwrap();
        answer.output_parameters.map(|output| ulong(&output[16..]))
    };
    let (legacy, fips, cnsa) = (under(Preset::Legacy), under(Preset::Fips), under(Preset::Cnsa2));
    for (mechanism, in_legacy, in_fips, in_cnsa) in [
        (ck::CKM_CHACHA20_POLY1305, Some(ck::CKF_ENCRYPT | ck::CKF_DECRYPT), None, None),
        (ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN, Some(ck::CKF_GENERATE_KEY_PAIR), None, None),
        (ck::CKM_SHA1_RSA_PKCS, Some(ck::CKF_SIGN | ck::CKF_VERIFY), Some(ck::CKF_VERIFY), None),
        (ck::CKM_ECDSA, Some(ck::CKF_SIGN | ck::CKF_VERIFY), None, None),
        (
            ck::CKM_RSA_PKCS,
            Some(ck::CKF_ENCRYPT | ck::CKF_DECRYPT | ck::CKF_SIGN | ck::CKF_VERIFY),
            Some(ck::CKF_DECRYPT),
            Some(ck::CKF_DECRYPT),
        ),
        (
            ck::CKM_ECDSA_SHA256,
            Some(ck::CKF_SIGN | ck::CKF_VERIFY),
            Some(ck::CKF_SIGN | ck::CKF_VERIFY),
            Some(ck::CKF_VERIFY),
        ),
        (ck::CKM_SHA256_KEY_DERIVATION, Some(ck::CKF_DERIVE), None, None),
        (ck::CKM_AES_KEY_GEN, Some(ck::CKF_GENERATE), Some(ck::CKF_GENERATE), Some(ck::CKF_GENERATE)),
    ] {
        let uses = ck::CKF_ENCRYPT
            | ck::CKF_DECRYPT
            | ck::CKF_SIGN
            | ck::CKF_VERIFY
            | ck::CKF_DERIVE
            | ck::CKF_GENERATE
            | ck::CKF_GENERATE_KEY_PAIR;
        let of = |client| flags(client, mechanism).map(|flags| flags & uses);
        assert_eq!((of(&legacy), of(&fips), of(&cnsa)), (in_legacy, in_fips, in_cnsa), "{mechanism:#x}");
    }
    let session = fips.session();
    let key = secret(&fips, session, ck::CKK_AES, &[7; 16], &[]);
    let nonce = Some(p().bytes(&[7; 12]).bytes(b""));
    let refused = init(session, ck::CKM_CHACHA20_POLY1305, nonce, key);
    fips.comes_to(Code::MechanismInvalid, Function::EncryptInit, refused);
}
