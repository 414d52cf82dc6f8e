//! Keys in every format: the same key in numbers, and in the DER of another tool.

use crate::objects::just;
use crate::tags::*;
use crate::talk::Talk;
use crate::ttlv::{Node, big, e, i, s, vt, x};

const NEW: (u32, u32) = (TEMPLATE_ATTRIBUTE, ATTRIBUTES);

/// A public key for Diffie-Hellman in the group of RFC 5114 §2.1, as OpenSSL writes it; and its numbers, each of a multiple of
/// eight bytes.
const DH: &str = "308201b73082012c06072a8648ce3e02013082011f02818100b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c013ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a437102818100a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f5504f213160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f531dbf0a0169b6a28ad662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5021500f518aa8781a8df278aba4e7d64b7cb9d49462353038184000281800ae851351f166c27729082de7129b408de6a2f7f23948127d9b28eff4ff2c8b26091172cd03a7ade42df532c4ea5e15819d20fba4cd8fd34d3d9f54e4c16c0132f7e9a7513600970fa20d72c1deba0070e54f112b60a11ae9656ee31941a12874b019546b050414cd25262742dd7926687405eb4a9b7ca99128188ef6b6f01c0";
const DH_P: &str = "0000000000000000b10b8f96a080e01dde92de5eae5d54ec52c99fbcfb06a3c69a6a9dca52d23b616073e28675a23d189838ef1e2ee652c013ecb4aea906112324975c3cd49b83bfaccbdd7d90c4bd7098488e9c219a73724effd6fae5644738faa31a4ff55bccc0a151af5f0dc8b4bd45bf37df365c1a65e68cfda76d4da708df1fb2bc2e4a4371";
const DH_G: &str = "0000000000000000a4d1cbd5c3fd34126765a442efb99905f8104dd258ac507fd6406cff14266d31266fea1e5c41564b777e690f5504f213160217b4b01b886a5e91547f9e2749f4d7fbd7d3b9a92ee1909d0d2263f80a76a6a24c087a091f531dbf0a0169b6a28ad662a4d18e73afa32d779d5918d08bc8858f4dcef97c2a24855e6eeb22b3b2e5";
const DH_Q: &str = "00000000f518aa8781a8df278aba4e7d64b7cb9d49462353";
const DH_Y: &str = "0ae851351f166c27729082de7129b408de6a2f7f23948127d9b28eff4ff2c8b26091172cd03a7ade42df532c4ea5e15819d20fba4cd8fd34d3d9f54e4c16c0132f7e9a7513600970fa20d72c1deba0070e54f112b60a11ae9656ee31941a12874b019546b050414cd25262742dd7926687405eb4a9b7ca99128188ef6b6f01c0";

/// SubjectPublicKeyInfo on P-256 up to the point; and its base point (SP 800-186 §3.2.1.3), x and y.
const P256: &str = "301306072a8648ce3d020106082a8648ce3d030107";
const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const Y_OF_X: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn hex(text: &str) -> Vec<u8> {
    hex::decode(text).unwrap()
}

/// A Public Key.
fn public(format: u32, compression: Option<u32>, material: Node, algorithm: u32, bits: i32) -> Node {
    let mut block = vec![e(KEY_FORMAT_TYPE, format)];
    block.extend(compression.map(|form| e(KEY_COMPRESSION_TYPE, form)));
    block.push(s(KEY_VALUE, vec![material]));
    block.extend([e(CRYPTOGRAPHIC_ALGORITHM, algorithm), i(CRYPTOGRAPHIC_LENGTH, bits)]);
    s(PUBLIC_KEY, vec![s(KEY_BLOCK, block)])
}

fn given(noted: &str, key: Node) -> Vec<Node> {
    vec![e(OBJECT_TYPE, 3), vt(UNIQUE_IDENTIFIER, noted), key]
}

fn register(talk: &Talk, key: Node) -> Vec<Node> {
    let mask = talk.attributes(NEW, vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 2))]);
    vec![e(OBJECT_TYPE, 3), mask, key]
}

/// A point as X.509, in its form.
fn point(tag: &str, more: &str, form: u32) -> Node {
    let point = hex(&format!("00{tag}{X}{more}"));
    let string = [&[3, u8::try_from(point.len()).unwrap()], &*point].concat();
    let body = [hex(P256), string].concat();
    let key = [&[0x30, u8::try_from(body.len()).unwrap()], &*body].concat();
    // X.509, ECDSA.
    public(5, Some(form), x(KEY_MATERIAL, &key), 6, 256)
}

pub(crate) fn get(talk: &mut Talk) {
    let der = || public(5, None, x(KEY_MATERIAL, &hex(DH)), 0x0D, 1024);
    // P, Q, G, Y; without J.
    let fields = [(P, DH_P), (Q, DH_Q), (G, DH_G), (Y, DH_Y)];
    let numbers = fields.map(|(tag, number)| big(tag, &hex(number))).to_vec();
    let transparent = || public(0x0D, None, s(KEY_MATERIAL, numbers.clone()), 0x0D, 1024);
    let as_format = |noted: &str, format| vec![vt(UNIQUE_IDENTIFIER, noted), e(KEY_FORMAT_TYPE, format)];
    for (noted, key) in [("numbers", transparent()), ("der", der())] {
        let registered = register(talk, key.clone());
        talk.ask(0x03, registered, just(noted));
        talk.ask(0x0A, just(noted), given(noted, key));
        talk.ask(0x0A, as_format(noted, 5), given(noted, der()));
        talk.ask(0x0A, as_format(noted, 0x0D), given(noted, transparent()));
        // DSA, and PKCS#1: Key Format Type Not Supported.
        talk.fail(0x0A, as_format(noted, 9), 0x10);
        talk.fail(0x0A, as_format(noted, 3), 0x10);
    }
    // The same number for every y but the group's: Invalid Field.
    let one = [(P, DH_P), (Q, DH_Q), (G, DH_G), (Y, "0000000000000001")];
    let one = one.map(|(tag, number)| big(tag, &hex(number))).to_vec();
    let refused = register(talk, public(0x0D, None, s(KEY_MATERIAL, one), 0x0D, 1024));
    talk.fail(0x03, refused, 0x07);

    let forms = [(1, point("04", Y_OF_X, 1)), (2, point("03", "", 2)), (4, point("07", Y_OF_X, 4))];
    for (_, key) in &forms {
        let registered = register(talk, key.clone());
        talk.ask(0x03, registered, just("point"));
        for (form, expected) in &forms {
            let asked = vec![vt(UNIQUE_IDENTIFIER, "point"), e(KEY_COMPRESSION_TYPE, *form)];
            talk.ask(0x0A, asked, given("point", expected.clone()));
        }
        // The form of curves over binary fields: Key Compression Type Not Supported.
        talk.fail(0x0A, vec![vt(UNIQUE_IDENTIFIER, "point"), e(KEY_COMPRESSION_TYPE, 3)], 0x11);
        talk.variables.remove("point");
    }
    // A point beside the curve; one that is in another form than its block says.
    for wrong in [point("04", X, 1), point("06", Y_OF_X, 4), point("04", Y_OF_X, 2)] {
        let refused = register(talk, wrong);
        talk.fail(0x03, refused, 0x07);
    }
}
