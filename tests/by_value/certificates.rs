//! Certificates.

use crate::objects::just;
use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{Node, d, e, i, n, s, t, vt, vx, x};

/// A public key on P-256, as SubjectPublicKeyInfo; and a request for it in PKCS#10. Made with OpenSSL.
const KEY: &str = "3059301306072a8648ce3d020106082a8648ce3d03010703420004dfd57077712b01d2ece4f7cc4bf8ac83ea9542d4f4cea481a976a473d8c38cced6c9dc3a103fb93b34a4495b29c5fe0b194eb3915b0a1f940d269dff9b69593c";
const REQUEST: &str = "3081f330819b0201003039310b30090603550406130241553110300e060355040a0c074578616d706c653118301606035504030c0f736572766963652e6578616d706c653059301306072a8648ce3d020106082a8648ce3d03010703420004dfd57077712b01d2ece4f7cc4bf8ac83ea9542d4f4cea481a976a473d8c38cced6c9dc3a103fb93b34a4495b29c5fe0b194eb3915b0a1f940d269dff9b69593ca000300a06082a8648ce3d04030203470030440220559dfb7c98904654e6a6e874220eb040c2221bff3d326cfdb5fa497b4f24848202200d3f12b34598dbd85cb92f1bb5db432b13492d2f8470668bdb36aac314a0cffe";

/// Registers the public key.
fn registered(talk: &mut Talk) {
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
                s(KEY_VALUE, vec![x(KEY_MATERIAL, &hex::decode(KEY).unwrap())]),
                // ECDSA.
                e(CRYPTOGRAPHIC_ALGORITHM, 6),
                i(CRYPTOGRAPHIC_LENGTH, 256),
            ],
        )],
    );
    talk.ask(0x03, vec![e(OBJECT_TYPE, 3), uses, key], just("key"));
}

/// A request in PKCS#10 (2) or PEM (3).
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
    // CRMF: Feature Not Supported.
    talk.fail(0x06, request(talk, "key", 1, &bytes), 0x08);
    // Neither a request nor a type: Invalid Field. Nobody: Item Not Found, which 2.1 has here, too.
    talk.fail(0x06, just("key"), 0x07);
    talk.fail(0x06, vec![t(UNIQUE_IDENTIFIER, "nobody")], 0x01);
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
