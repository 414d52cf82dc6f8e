//! Keys from keys, and copies. The vectors are those of SP 800-38A, RFC 5869 and FIPS 180-4.

use cryptoki_sys as ck;
use kmip_codec::spec::{CryptographicUsageMask as Mask, LinkType, Tag};
use kmip_codec::types::Link;

use super::objects::{V, aes, append, b};
use super::*;

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// A generic secret of these bytes that may derive.
fn secret(bytes: &[u8], more: &[(u64, V)]) -> Vec<(u64, V)> {
    let own = [
        (ck::CKA_TOKEN, V::Bool(true)),
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_GENERIC_SECRET)),
        (ck::CKA_VALUE, b(bytes)),
        (ck::CKA_DERIVE, V::Bool(true)),
    ];
    [&own, more].concat()
}

/// What is to be derived.
fn wanted(kind: u64, bytes: u64, more: &[(u64, V)]) -> Vec<(u64, V)> {
    let own = [
        (ck::CKA_TOKEN, V::Bool(true)),
        (ck::CKA_CLASS, V::Ulong(ck::CKO_SECRET_KEY)),
        (ck::CKA_KEY_TYPE, V::Ulong(kind)),
        (ck::CKA_VALUE_LEN, V::Ulong(bytes)),
    ];
    [&own, more].concat()
}

fn asked(session: u64, mechanism: u64, parameter: Option<Writer>, base: u64, template: &[(u64, V)]) -> Writer {
    let out = p().ulong(session).ulong(mechanism).flag(parameter.is_some());
    let out = parameter.into_iter().fold(out, |out, parameter| out.bytes(&parameter.finish()));
    append(out.ulong(base), template)
}

fn hkdf(salt: &[u8], info: &[u8]) -> Option<Writer> {
    let out = p().flag(true).flag(true).ulong(ck::CKM_SHA256).ulong(ck::CKF_HKDF_SALT_DATA);
    Some(out.bytes(salt).ulong(0).bytes(info))
}

#[test]
fn published_keys_are_derived() {
    let client = Client::new();
    let session = client.session();
    let derived = |mechanism, parameter, base, template: &[(u64, V)]| {
        let key = ulong(&client.ask(Function::DeriveKey, asked(session, mechanism, parameter, base, template)));
        (key, client.value(session, key, ck::CKA_VALUE))
    };
    // RFC 5869 A.1.
    let base = client.create(session, &secret(&[0x0b; 22], &[]));
    let okm = hex("3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865");
    let parameter = || hkdf(&hex("000102030405060708090a0b0c"), &hex("f0f1f2f3f4f5f6f7f8f9"));
    let (key, value) = derived(
        ck::CKM_HKDF_DERIVE,
        parameter(),
        base,
        &wanted(ck::CKK_GENERIC_SECRET, 42, &[(ck::CKA_LABEL, b(b"okm"))]),
    );
    assert_eq!(value, okm);
    assert_eq!(client.value(session, key, ck::CKA_LABEL), b"okm");
    let (_, value) = derived(ck::CKM_HKDF_DERIVE, parameter(), base, &wanted(ck::CKK_AES, 32, &[]));
    assert_eq!(value, okm[..32]);
    // It is what Derive Key makes, links and all.
    let object = client.managed(key);
    let links: Vec<LinkType> = object.attributes.structures::<Link>(Tag::Link).map(|link| link.kind).collect();
    assert_eq!(links, [LinkType::DerivationBaseObjectLink]);
    // FIPS 180-4: the digest of "abc".
    let abc = client.create(session, &secret(b"abc", &[]));
    let (_, value) = derived(ck::CKM_SHA256_KEY_DERIVATION, None, abc, &wanted(ck::CKK_AES, 16, &[]));
    assert_eq!(value, hex("ba7816bf8f01cfea414140de5dae2223"));
    // SP 800-38A F.1.1 and F.2.1.
    let aes_key =
        client.create(session, &aes(&hex("2b7e151628aed2a6abf7158809cf4f3c"), &[(ck::CKA_DERIVE, V::Bool(true))]));
    let data = hex("6bc1bee22e409f96e93d7e117393172a");
    let ecb = Some(p().bytes(&data));
    let (_, value) = derived(ck::CKM_AES_ECB_ENCRYPT_DATA, ecb, aes_key, &wanted(ck::CKK_AES, 16, &[]));
    assert_eq!(value, hex("3ad77bb40d7a3660a89ecaf32466ef97"));
    let cbc = Some(p().raw(&hex("000102030405060708090a0b0c0d0e0f")).bytes(&data));
    let (_, value) = derived(ck::CKM_AES_CBC_ENCRYPT_DATA, cbc, aes_key, &wanted(ck::CKK_AES, 16, &[]));
    assert_eq!(value, hex("7649abac8119b246cee98e9b12e9197d"));
}

/// RFC 5903 §8.1: both sides on P-256 come to one secret.
#[test]
fn an_agreement_takes_the_others_point_in_every_form() {
    let client = Client::new();
    let session = client.session();
    let own = hex("c88f01f510d9ac3f70a292daa2316de544e9aab8afe84049c62a9c57862d1433");
    let curve = crate::crypto::keyformat::curve_parameters(crate::crypto::algorithm::Curve::P256).unwrap();
    let private = client.create(
        session,
        &[
            (ck::CKA_TOKEN, V::Bool(true)),
            (ck::CKA_CLASS, V::Ulong(ck::CKO_PRIVATE_KEY)),
            (ck::CKA_KEY_TYPE, V::Ulong(ck::CKK_EC)),
            (ck::CKA_EC_PARAMS, b(&curve)),
            (ck::CKA_VALUE, b(&own)),
            (ck::CKA_DERIVE, V::Bool(true)),
        ],
    );
    let x = "d12dfb5289c8d4f81208b70270398c342296970a0bccb74c736fc7554494bf63";
    let y = "56fbf3ca366cc23e8157854c13c58d6aac23f046ada30f8353e74f33039872ab";
    let template = wanted(ck::CKK_GENERIC_SECRET, 32, &[]);
    let ask = |function: u64, shared: &[u8], point: &str| {
        let parameter = p().ulong(function).bytes(shared).bytes(&hex(point));
        asked(session, ck::CKM_ECDH1_DERIVE, Some(parameter), private, &template)
    };
    let (whole, wrapped) = (format!("04{x}{y}"), format!("044104{x}{y}"));
    // The y of the test vector is odd.
    for point in [&whole, &wrapped, &format!("03{x}"), &format!("07{x}{y}")] {
        let key = ulong(&client.ask(Function::DeriveKey, ask(1, b"", point)));
        let value = client.value(session, key, ck::CKA_VALUE);
        assert_eq!(value, hex("d6840f6b42f6edafd13116e0e12565202fef8e9ece7dce03812464d04b9442de"));
    }
    // A point beside the curve, half a point, a function on the secret, data for it.
    let beside = format!("04{x}{x}");
    for (function, shared, point) in [
        (1, &b""[..], &*beside),
        (1, b"", whole.get(..128).unwrap()),
        (ck::CKD_SHA256_KDF, b"", &whole),
        (1, b"data", &whole),
    ] {
        client.comes_to(Code::MechanismParamInvalid, Function::DeriveKey, ask(function, shared, point));
    }
    // More than the secret has.
    let long = wanted(ck::CKK_GENERIC_SECRET, 33, &[]);
    let parameter = p().ulong(1).bytes(b"").bytes(&hex(&whole));
    let refused = asked(session, ck::CKM_ECDH1_DERIVE, Some(parameter), private, &long);
    let answer =
        client.bench.run::<Pkcs11>(V, request(Some(&client.correlation), Function::DeriveKey, refused)).unwrap();
    assert_ne!(answer.return_code, Code::Ok);
}

#[test]
fn what_may_not_derive_or_not_so() {
    let client = Client::new();
    let session = client.session();
    let refused = |code, mechanism, parameter, base, template: &[(u64, V)]| {
        client.comes_to(code, Function::DeriveKey, asked(session, mechanism, parameter, base, template));
    };
    let template = wanted(ck::CKK_AES, 16, &[]);
    let plain = client.create(session, &aes(&[7; 16], &[]));
    refused(Code::KeyFunctionNotPermitted, ck::CKM_SHA256_KEY_DERIVATION, None, plain, &template);
    refused(Code::KeyHandleInvalid, ck::CKM_SHA256_KEY_DERIVATION, None, 999, &template);
    refused(Code::MechanismInvalid, ck::CKM_SHA256, None, plain, &template);
    let base = client.create(session, &secret(&[7; 32], &[(ck::CKA_SENSITIVE, V::Bool(true))]));
    refused(Code::MechanismParamInvalid, ck::CKM_SHA256_KEY_DERIVATION, Some(p().bytes(b"x")), base, &template);
    refused(Code::TemplateIncomplete, ck::CKM_SHA256_KEY_DERIVATION, None, base, &template[..3]);
    // Of what is sensitive comes what is sensitive.
    let open = wanted(ck::CKK_AES, 16, &[(ck::CKA_SENSITIVE, V::Bool(false))]);
    refused(Code::TemplateInconsistent, ck::CKM_SHA256_KEY_DERIVATION, None, base, &open);
    let key =
        ulong(&client.ask(Function::DeriveKey, asked(session, ck::CKM_SHA256_KEY_DERIVATION, None, base, &template)));
    assert_eq!(client.value(session, key, ck::CKA_SENSITIVE), [1]);
    for wrong in [
        p().flag(true).flag(false).ulong(ck::CKM_SHA256).ulong(2).bytes(b"").ulong(0).bytes(b""),
        p().flag(true).flag(true).ulong(ck::CKM_AES_CBC).ulong(2).bytes(b"").ulong(0).bytes(b""),
        p().flag(true).flag(true).ulong(ck::CKM_SHA256).ulong(1).bytes(b"salt").ulong(0).bytes(b""),
        p().flag(true).flag(true).ulong(ck::CKM_SHA256).ulong(4).bytes(b"").ulong(base).bytes(b""),
    ] {
        refused(Code::MechanismParamInvalid, ck::CKM_HKDF_DERIVE, Some(wrong), base, &template);
    }
}

#[test]
fn copies_are_objects_of_their_own() {
    let client = Client::new();
    let session = client.session();
    let more = [(ck::CKA_LABEL, b(b"one")), (ck::CKA_ID, b(&[1])), (ck::CKA_ENCRYPT, V::Bool(true))];
    let key = client.create(session, &aes(&[7; 16], &more));
    let copy = |object, template: &[(u64, V)]| append(p().ulong(session).ulong(object), template);
    assert_eq!(client.value(session, key, ck::CKA_COPYABLE), [1]);
    let same = ulong(&client.ask(Function::CopyObject, copy(key, &[])));
    assert_ne!(same, key);
    for kind in [ck::CKA_LABEL, ck::CKA_ID, ck::CKA_VALUE, ck::CKA_TOKEN, ck::CKA_KEY_TYPE, ck::CKA_ENCRYPT] {
        assert_eq!(client.value(session, same, kind), client.value(session, key, kind), "{kind:#x}");
    }
    assert_eq!(client.managed(same).usage_mask(), Mask::ENCRYPT);
    let changed = [
        (ck::CKA_LABEL, b(b"other")),
        (ck::CKA_TOKEN, V::Bool(false)),
        (ck::CKA_ENCRYPT, V::Bool(false)),
        (ck::CKA_DECRYPT, V::Bool(true)),
        (ck::CKA_EXTRACTABLE, V::Bool(false)),
        (ck::CKA_SENSITIVE, V::Bool(true)),
    ];
    let other = ulong(&client.ask(Function::CopyObject, copy(key, &changed)));
    assert_eq!(client.managed(other).usage_mask(), Mask::DECRYPT);
    assert_eq!(client.value(session, other, ck::CKA_COPYABLE), [0]);
    client.comes_to(Code::ActionProhibited, Function::CopyObject, copy(other, &[]));
    // The first outlives its copies.
    client.ask(Function::DestroyObject, p().ulong(session).ulong(same));
    client.ask(Function::CloseSession, p().ulong(session));
    let session = client.session();
    assert_eq!(client.find(session, &[(ck::CKA_LABEL, b(b"other"))]), Vec::<u64>::new());
    assert_eq!(client.value(session, key, ck::CKA_VALUE), [7; 16]);
    for wrong in
        [(ck::CKA_VALUE, b(&[8; 16])), (ck::CKA_SENSITIVE, V::Bool(false)), (ck::CKA_EXTRACTABLE, V::Bool(true))]
    {
        let asked = append(p().ulong(session).ulong(key), &[wrong]);
        client.comes_to(Code::AttributeReadOnly, Function::CopyObject, asked);
    }
    let data = [(ck::CKA_TOKEN, V::Bool(true)), (ck::CKA_CLASS, V::Ulong(ck::CKO_DATA)), (ck::CKA_VALUE, b(b"data"))];
    let data = client.create(session, &data);
    let copied = ulong(&client.ask(Function::CopyObject, append(p().ulong(session).ulong(data), &[])));
    assert_eq!(client.value(session, copied, ck::CKA_VALUE), b"data");
    let reading = ulong(&client.ask(Function::OpenSession, p().ulong(1).ulong(4)));
    client.comes_to(Code::SessionReadOnly, Function::CopyObject, append(p().ulong(reading).ulong(key), &[]));
}
