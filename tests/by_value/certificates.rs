//! Certificates.

use crate::objects::just;
use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{Node, d, e, i, n, s, t, vt, vx, x};

/// A public key on P-256, as SubjectPublicKeyInfo; and a request for it in PKCS#10. Made with OpenSSL.
const KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004dfd57077712b01d2ece4f7cc4bf8ac83ea9542d4f4cea481a976a473d8c38cced6c9dc3a103fb93b34a4495b29c5fe0b194eb3915b0a1f940d269dff9b69593c";
const REQUEST: &str = "3081f330819b0201003039310b30090603550406130241553110300e060355040a0c074578616d706c653118301606035504030c0f736572766963652e6578616d706c653059301306072a8648ce3d020106082a8648ce3d03010703420004dfd57077712b01d2ece4f7cc4bf8ac83ea9542d4f4cea481a976a473d8c38cced6c9dc3a103fb93b34a4495b29c5fe0b194eb3915b0a1f940d269dff9b69593ca000300a06082a8648ce3d04030203470030440220559dfb7c98904654e6a6e874220eb040c2221bff3d326cfdb5fa497b4f24848202200d3f12b34598dbd85cb92f1bb5db432b13492d2f8470668bdb36aac314a0cffe";

/// Another key on P-256, and a request for it in CRMF (RFC 4211). Made with `openssl cmp -cmd cr -popo 1 -reqout`, of whose
/// message it is the body.
const CRMF_KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab321";
const CRMF: &str = "308201013081fe3081a202010030819ca53f303d310b30090603550406130241553110300e060355040a0c074578616d706c65311c301a06035504030c13736572766963652e6578616d706c652e636f6da659301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab321a157300a06082a8648ce3d040302034900304602210095d3a49264d7b2ac0f6709615a3e3707e2c6059f4501b11523661e74fdc5e5c4022100efe894b44ce523fb74ffdba194f93953c6443dd6d7a664e6e22ea0b8935a05a2";

/// The same with `-popo 0`.
const VOUCHED: &str = "307630743070020100306ba50e300c310a300806035504030c0178a659301306072a8648ce3d020106082a8648ce3d0301070342000476285254ee632d0a69cf99e80cc4633527a22fadb5a1dfdbaffaaabcaa5685d1e70d64d4d2a40a6ac6da1c150fe1b8ae1d467893bfd4cd6f4c9f9146751ab3218000";

/// Registers the public key.
fn registered(talk: &mut Talk) {
    register(talk, KEY, "key");
}

/// Registers a public key, and notes its identifier.
fn register(talk: &mut Talk, key: &str, noted: &str) {
    let uses = talk.attributes(
        (TEMPLATE_ATTRIBUTE, ATTRIBUTES),
        vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 2))],
    );
    let key = s(
        PUBLIC_KEY,
        vec![s(
            KEY_BLOCK,
            vec![
                // X.509.
                e(KEY_FORMAT_TYPE, 5),
                s(KEY_VALUE, vec![x(KEY_MATERIAL, &hex::decode(key).unwrap())]),
                // ECDSA.
                e(CRYPTOGRAPHIC_ALGORITHM, 6),
                i(CRYPTOGRAPHIC_LENGTH, 256),
            ],
        )],
    );
    talk.ask(0x03, vec![e(OBJECT_TYPE, 3), uses, key], just(noted));
}

/// A request in CRMF (1), PKCS#10 (2) or PEM (3).
fn request(talk: &Talk, about: &str, kind: u32, bytes: &[u8]) -> Vec<Node> {
    let value = talk.either(CERTIFICATE_REQUEST, CERTIFICATE_REQUEST_VALUE);
    vec![vt(UNIQUE_IDENTIFIER, about), e(CERTIFICATE_REQUEST_TYPE, kind), x(value, bytes)]
}

pub(crate) fn certify(talk: &mut Talk) {
    registered(talk);
    let bytes = hex::decode(REQUEST).unwrap();
    talk.ask(0x06, request(talk, "key", 2, &bytes), just("certificate"));
    assert_ne!(talk.variables["key"], talk.variables["certificate"]);
    // X.509.
    let certificate = s(CERTIFICATE, vec![e(CERTIFICATE_TYPE, 1), vx(CERTIFICATE_VALUE, "der")]);
    let got = vec![e(OBJECT_TYPE, 1), vt(UNIQUE_IDENTIFIER, "certificate"), certificate];
    talk.ask(0x0A, just("certificate"), got);
    // Clients of 2.x have the request under its name of 1.x, too.
    let older = vec![vt(UNIQUE_IDENTIFIER, "key"), e(CERTIFICATE_REQUEST_TYPE, 2), x(CERTIFICATE_REQUEST, &bytes)];
    talk.ask(0x06, older, just("second"));
    // No request at all: Invalid Field, Invalid CSR.
    let failure = talk.either(0x07, 0x2F);
    talk.fail(0x06, request(talk, "key", 3, &bytes), failure);
    // A registration authority vouches for the possession of the key: Feature Not Supported.
    talk.fail(0x06, request(talk, "key", 1, &hex::decode(VOUCHED).unwrap()), 0x08);
    // Neither a request nor a type: Invalid Field. Nobody: Item Not Found, which 2.1 has here, too.
    talk.fail(0x06, just("key"), 0x07);
    talk.fail(0x06, vec![t(UNIQUE_IDENTIFIER, "nobody")], 0x01);
    // CRMF: of the key that it is for, and not of another.
    let bytes = hex::decode(CRMF).unwrap();
    talk.fail(0x06, request(talk, "key", 1, &bytes), failure);
    register(talk, CRMF_KEY, "other");
    talk.ask(0x06, request(talk, "other", 1, &bytes), just("third"));
    talk.ask(0x07, request(talk, "third", 1, &bytes), just("fourth"));
}

pub(crate) fn re_certify(talk: &mut Talk) {
    registered(talk);
    let bytes = hex::decode(REQUEST).unwrap();
    talk.ask(0x06, request(talk, "key", 2, &bytes), just("former"));
    talk.ask(0x07, just("former"), just("latest"));
    assert_ne!(talk.variables["former"], talk.variables["latest"]);
    // The request, then how far the Activation Date is away.
    let later = [request(talk, "latest", 2, &bytes), vec![n(OFFSET, 60)]].concat();
    talk.ask(0x07, later, just("later"));
    // An Offset beside a date: Invalid Message.
    let dates = vec![("Deactivation Date", d(0x42_002F, 4_000_000_000))];
    let dates = talk.attributes((TEMPLATE_ATTRIBUTE, ATTRIBUTES), dates);
    talk.fail(0x07, vec![vt(UNIQUE_IDENTIFIER, "later"), n(OFFSET, 60), dates], 0x04);
    // A key: Permission Denied, Invalid Object Type. Nobody: Item Not Found, Object Not Found.
    talk.fail(0x07, just("key"), talk.either(0x0C, 0x30));
    talk.fail(0x07, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
}

pub(crate) fn validate(talk: &mut Talk) {
    registered(talk);
    let bytes = hex::decode(REQUEST).unwrap();
    talk.ask(0x06, request(talk, "key", 2, &bytes), just("certificate"));
    let certificate = s(CERTIFICATE, vec![e(CERTIFICATE_TYPE, 1), vx(CERTIFICATE_VALUE, "der")]);
    let got = vec![e(OBJECT_TYPE, 1), vt(UNIQUE_IDENTIFIER, "certificate"), certificate.clone()];
    talk.ask(0x0A, just("certificate"), got);
    // Valid, by its bytes and by its identifier, which are the same one; in 2100 not any more.
    talk.ask(0x17, vec![certificate.clone(), vt(UNIQUE_IDENTIFIER, "certificate")], vec![e(VALIDITY_INDICATOR, 1)]);
    talk.ask(0x17, vec![certificate.clone(), d(VALIDITY_DATE, 4_102_444_800)], vec![e(VALIDITY_INDICATOR, 2)]);
    // Key Compromise.
    let why = s(REVOCATION_REASON, vec![e(REVOCATION_REASON_CODE, 2)]);
    talk.ask(0x13, vec![vt(UNIQUE_IDENTIFIER, "certificate"), why], just("certificate"));
    talk.ask(0x17, vec![certificate], vec![e(VALIDITY_INDICATOR, 2)]);
    // No chain: Invalid Message. A key: the same, Invalid Object Type. Nobody: Item Not Found, Object Not Found.
    talk.fail(0x17, vec![], 0x04);
    talk.fail(0x17, just("key"), talk.either(0x04, 0x30));
    talk.fail(0x17, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
    talk.ask(0x14, just("certificate"), just("certificate"));
}
