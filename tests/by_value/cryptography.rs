//! The cryptographic operations, with vectors of the standards that define them.

use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{Item, Node, e, i, s, t, vt, vx, x};

// NIST SP 800-38A, appendix F.2.1: AES-128 in CBC.
const KEY: &str = "2b7e151628aed2a6abf7158809cf4f3c";
const IV: &str = "000102030405060708090a0b0c0d0e0f";
const PLAIN: &str = "6bc1bee22e409f96e93d7e117393172a";
const CIPHER: &str = "7649abac8119b246cee98e9b12e9197d";

/// CBC.
fn cbc() -> Node {
    s(CRYPTOGRAPHIC_PARAMETERS, vec![e(BLOCK_CIPHER_MODE, 1)])
}

fn h(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

fn id(noted: &str) -> Node {
    vt(UNIQUE_IDENTIFIER, noted)
}

pub(crate) fn derive_key(talk: &mut Talk) {
    // HMAC with SHA-256, to derive.
    talk.key("key", 9, &[0x0b; 20], 0x200);
    let request = |talk: &Talk, data: &[&[u8]]| {
        // HMAC, with SHA-256.
        let mut parameters = vec![s(CRYPTOGRAPHIC_PARAMETERS, vec![e(HASHING_ALGORITHM, 6)])];
        parameters.extend(data.iter().map(|data| x(DERIVATION_DATA, data)));
        let attributes = talk.attributes(
            (TEMPLATE_ATTRIBUTE, ATTRIBUTES),
            vec![
                ("Cryptographic Algorithm", e(CRYPTOGRAPHIC_ALGORITHM, 3)),
                ("Cryptographic Length", i(CRYPTOGRAPHIC_LENGTH, 128)),
                ("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 4)),
            ],
        );
        vec![e(OBJECT_TYPE, 2), id("key"), e(DERIVATION_METHOD, 3), s(DERIVATION_PARAMETERS, parameters), attributes]
    };
    let asked = request(talk, &[b"Hi There"]);
    talk.ask(0x05, asked, vec![id("derived")]);
    // RFC 4231, test case 1, as far as it goes.
    let bytes = h("b0344c61d8db38535ca8afceaf0bf12b");
    let key = crate::talk::symmetric_key(&bytes, 3, 128);
    talk.ask(0x0A, vec![id("derived")], vec![e(OBJECT_TYPE, 2), id("derived"), key]);
    // Bad Cryptographic Parameters in 2.x, Invalid Field in 1.x.
    let asked = request(talk, &[]);
    talk.fail(0x05, asked, talk.either(0x07, 0x24));
}

pub(crate) fn encrypt(talk: &mut Talk) {
    talk.key("key", 3, &h(KEY), 0x04);
    let (data, iv) = (x(DATA, &h(PLAIN)), x(IV_COUNTER_NONCE, &h(IV)));
    talk.ask(0x1F, vec![id("key"), cbc(), data.clone(), iv], vec![id("key"), x(DATA, &h(CIPHER))]);
    // Missing Initialization Vector in 2.x; Invalid Message in 1.x, as its published cases have it.
    talk.fail(0x1F, vec![id("key"), cbc(), data.clone()], talk.either(0x04, 0x34));
    // With a Random IV (0x4200C5) the server's comes behind the data.
    let random = s(CRYPTOGRAPHIC_PARAMETERS, vec![e(BLOCK_CIPHER_MODE, 1), crate::ttlv::b(0x42_00C5, true)]);
    let answer = vec![id("key"), vx(DATA, ""), vx(IV_COUNTER_NONCE, "made")];
    talk.ask(0x1F, vec![id("key"), random, data], answer);
    assert!(matches!(&talk.variables["made"], Item::Bytes(iv) if iv.len() == 16));
    if talk.version < (1, 4) {
        return;
    }
    // The GCM specification (McGrew and Viega), test case 2: AES-128, a key and a nonce of zeros.
    talk.key("zeros", 3, &[0; 16], 0x04);
    let gcm = s(CRYPTOGRAPHIC_PARAMETERS, vec![e(BLOCK_CIPHER_MODE, 9), i(TAG_LENGTH, 16)]);
    let request = vec![id("zeros"), gcm, x(DATA, &[0; 16]), x(IV_COUNTER_NONCE, &[0; 12])];
    talk.ask(
        0x1F,
        request,
        vec![
            id("zeros"),
            x(DATA, &h("0388dace60b6a392f328c2b971b2fe78")),
            x(AUTHENTICATED_ENCRYPTION_TAG, &h("ab6e47d42cec13bdf53a67b21257bddf")),
        ],
    );
}

pub(crate) fn decrypt(talk: &mut Talk) {
    talk.key("key", 3, &h(KEY), 0x08);
    let (data, iv) = (x(DATA, &h(CIPHER)), x(IV_COUNTER_NONCE, &h(IV)));
    talk.ask(0x20, vec![id("key"), cbc(), data.clone(), iv.clone()], vec![id("key"), x(DATA, &h(PLAIN))]);
    // Incompatible Cryptographic Usage Mask in 2.x, Permission Denied in 1.x.
    talk.fail(0x1F, vec![id("key"), cbc(), data, iv], talk.either(0x0C, 0x29));
    if talk.version < (1, 4) {
        return;
    }
    talk.key("zeros", 3, &[0; 16], 0x08);
    let request = |additional: Option<&[u8]>| {
        let mut fields = vec![
            id("zeros"),
            s(CRYPTOGRAPHIC_PARAMETERS, vec![e(BLOCK_CIPHER_MODE, 9), i(TAG_LENGTH, 16)]),
            x(DATA, &h("0388dace60b6a392f328c2b971b2fe78")),
            x(IV_COUNTER_NONCE, &[0; 12]),
        ];
        fields.extend(additional.map(|bytes| x(AUTHENTICATED_ENCRYPTION_ADDITIONAL_DATA, bytes)));
        fields.push(x(AUTHENTICATED_ENCRYPTION_TAG, &h("ab6e47d42cec13bdf53a67b21257bddf")));
        fields
    };
    talk.ask(0x20, request(None), vec![id("zeros"), x(DATA, &[0; 16])]);
    // Cryptographic Failure.
    talk.fail(0x20, request(Some(b"something else")), 0x0A);
}

/// ECDSA with SHA-256.
fn ecdsa() -> Node {
    s(CRYPTOGRAPHIC_PARAMETERS, vec![e(DIGITAL_SIGNATURE_ALGORITHM, 0x0E)])
}

pub(crate) fn sign(talk: &mut Talk) {
    crate::objects::create_key_pair(talk);
    let message = x(DATA, b"a message");
    let signature = vx(SIGNATURE_DATA, "signature");
    talk.ask(0x21, vec![id("private"), ecdsa(), message.clone()], vec![id("private"), signature]);
    // The public key cannot.
    talk.fail(0x21, vec![id("public"), ecdsa(), message], talk.either(0x0C, 0x29));
}

pub(crate) fn signature_verify(talk: &mut Talk) {
    sign(talk);
    for (message, validity) in [(b"a message", 1), (b"b message", 2)] {
        let request = vec![id("public"), ecdsa(), x(DATA, message), vx(SIGNATURE_DATA, "signature")];
        talk.ask(0x22, request, vec![id("public"), e(VALIDITY_INDICATOR, validity)]);
    }
}

// RFC 4231, test case 2: HMAC-SHA-256 with the key "Jefe".
const MAC: &str = "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843";
const MACED: &[u8] = b"what do ya want for nothing?";

/// HMAC-SHA256 as Cryptographic Algorithm.
fn hmac() -> Node {
    s(CRYPTOGRAPHIC_PARAMETERS, vec![e(CRYPTOGRAPHIC_ALGORITHM, 9)])
}

pub(crate) fn mac(talk: &mut Talk) {
    talk.key("key", 9, b"Jefe", 0x80);
    talk.ask(0x23, vec![id("key"), hmac(), x(DATA, MACED)], vec![id("key"), x(MAC_DATA, &h(MAC))]);
    talk.fail(0x23, vec![t(UNIQUE_IDENTIFIER, "nobody"), hmac(), x(DATA, MACED)], talk.either(0x01, 0x37));
}

pub(crate) fn mac_verify(talk: &mut Talk) {
    talk.key("key", 9, b"Jefe", 0x100);
    for (message, validity) in [(MACED, 1), (&MACED[1..], 2)] {
        let request = vec![id("key"), hmac(), x(DATA, message), x(MAC_DATA, &h(MAC))];
        talk.ask(0x24, request, vec![id("key"), e(VALIDITY_INDICATOR, validity)]);
    }
}

pub(crate) fn rng_retrieve(talk: &mut Talk) {
    talk.ask(0x25, vec![i(DATA_LENGTH, 24)], vec![vx(DATA, "first")]);
    talk.ask(0x25, vec![i(DATA_LENGTH, 24)], vec![vx(DATA, "second")]);
    assert!(matches!(&talk.variables["first"], Item::Bytes(bytes) if bytes.len() == 24));
    assert_ne!(talk.variables["first"], talk.variables["second"]);
    talk.fail(0x25, vec![i(DATA_LENGTH, -1)], 0x07);
}

pub(crate) fn rng_seed(talk: &mut Talk) {
    // The software generator needs no seed, and says that it took nothing of it.
    talk.ask(0x26, vec![x(DATA, b"anything")], vec![i(DATA_LENGTH, 0)]);
    talk.fail(0x26, vec![], 0x04);
}

pub(crate) fn hash(talk: &mut Talk) {
    let sha256 = s(CRYPTOGRAPHIC_PARAMETERS, vec![e(HASHING_ALGORITHM, 6)]);
    // FIPS 180-4: the digest of "abc".
    let digest = h("ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
    talk.ask(0x27, vec![sha256.clone(), x(DATA, b"abc")], vec![x(DATA, &digest)]);
    talk.fail(0x27, vec![sha256], 0x04);
}
