//! The operations that make, find, give and end objects.

use crate::tags::*;
use crate::talk::{Talk, name, symmetric_key};
use crate::ttlv::{Node, d, e, i, n, s, t, vt, vx, x};

const NEW: (u32, u32) = (TEMPLATE_ATTRIBUTE, ATTRIBUTES);

/// AES, 128 bits, to encrypt and decrypt.
fn aes(talk: &Talk, more: Vec<(&'static str, Node)>) -> Vec<Node> {
    let mut list = vec![
        ("Cryptographic Algorithm", e(CRYPTOGRAPHIC_ALGORITHM, 3)),
        ("Cryptographic Length", i(CRYPTOGRAPHIC_LENGTH, 128)),
        ("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 0x0C)),
    ];
    list.extend(more);
    vec![e(OBJECT_TYPE, 2), talk.attributes(NEW, list)]
}

/// Creates a key and notes its identifier.
pub(crate) fn created(talk: &mut Talk, noted: &str, more: Vec<(&'static str, Node)>) {
    let payload = aes(talk, more);
    talk.ask(0x01, payload, vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, noted)]);
}

pub(crate) fn just(noted: &str) -> Vec<Node> {
    vec![vt(UNIQUE_IDENTIFIER, noted)]
}

fn own(talk: &Talk, what: &str) -> String {
    format!("{what} {:?}", talk.version)
}

pub(crate) fn create(talk: &mut Talk) {
    let mine = name(&own(talk, "created"));
    created(talk, "key", vec![("Name", mine.clone())]);
    let again = aes(talk, vec![("Name", mine)]);
    // Non Unique Name Attribute in 2.x, Invalid Field in 1.x.
    talk.fail(0x01, again, talk.either(0x07, 0x35));
    // A Public Key is not created alone: Invalid Object Type, Invalid Field.
    let mut wrong = aes(talk, vec![]);
    wrong[0] = e(OBJECT_TYPE, 3);
    talk.fail(0x01, wrong, talk.either(0x07, 0x30));
}

pub(crate) fn create_key_pair(talk: &mut Talk) {
    let both = talk.attributes(
        (COMMON_TEMPLATE_ATTRIBUTE, COMMON_ATTRIBUTES),
        vec![
            // ECDSA on a curve of 256 bits.
            ("Cryptographic Algorithm", e(CRYPTOGRAPHIC_ALGORITHM, 6)),
            ("Cryptographic Length", i(CRYPTOGRAPHIC_LENGTH, 256)),
        ],
    );
    let sign = talk.attributes(
        (PRIVATE_KEY_TEMPLATE_ATTRIBUTE, PRIVATE_KEY_ATTRIBUTES),
        vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 1))],
    );
    let verify = talk.attributes(
        (PUBLIC_KEY_TEMPLATE_ATTRIBUTE, PUBLIC_KEY_ATTRIBUTES),
        vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 2))],
    );
    talk.ask(
        0x02,
        vec![both, sign, verify],
        vec![vt(PRIVATE_KEY_UNIQUE_IDENTIFIER, "private"), vt(PUBLIC_KEY_UNIQUE_IDENTIFIER, "public")],
    );
    assert_ne!(talk.variables["private"], talk.variables["public"]);
    talk.ask(0x12, just("private"), just("private"));
    talk.ask(0x12, just("public"), just("public"));
}

pub(crate) fn register(talk: &mut Talk) {
    let mask = talk.attributes(NEW, vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 0x0C))]);
    let bytes: Vec<u8> = (1..=32).collect();
    let key = symmetric_key(&bytes, 3, 256);
    talk.ask(0x03, vec![e(OBJECT_TYPE, 2), mask.clone(), key.clone()], just("key"));
    talk.ask(0x0A, just("key"), vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "key"), key]);
    // An Object Type that is not the object's; a length that is not the key's.
    let wrong = symmetric_key(&bytes, 3, 128);
    talk.fail(0x03, vec![e(OBJECT_TYPE, 2), mask.clone(), wrong], 0x07);
    let other = symmetric_key(&bytes, 3, 256);
    talk.fail(0x03, vec![e(OBJECT_TYPE, 7), mask, other], 0x07);
}

pub(crate) fn locate(talk: &mut Talk) {
    let group = own(talk, "group");
    let group = || t(OBJECT_GROUP, &group);
    created(talk, "first", vec![("Object Group", group())]);
    created(talk, "second", vec![("Object Group", group())]);
    let filter = |talk: &Talk| -> Node {
        if talk.is_v2() { s(ATTRIBUTES, vec![group()]) } else { crate::talk::attribute("Object Group", None, group()) }
    };
    let filter = filter(talk);
    // The newest first.
    talk.ask(0x08, vec![filter.clone()], [just("second"), just("first")].concat());
    talk.ask(0x08, vec![i(MAXIMUM_ITEMS, 1), filter.clone()], just("second"));
    if talk.version >= (1, 3) {
        let skipping = vec![i(MAXIMUM_ITEMS, 5), i(OFFSET_ITEMS, 1), filter];
        talk.ask(0x08, skipping, vec![i(LOCATED_ITEMS, 2), vt(UNIQUE_IDENTIFIER, "first")]);
    }
    let state = e(STATE, 4);
    let none = talk.either(crate::talk::attribute("State", None, state.clone()), s(ATTRIBUTES, vec![state]));
    talk.ask(0x08, vec![none], vec![]);
}

pub(crate) fn check(talk: &mut Talk) {
    created(talk, "key", vec![]);
    let may = vec![vt(UNIQUE_IDENTIFIER, "key"), i(CRYPTOGRAPHIC_USAGE_MASK, 4), n(LEASE_TIME, 60)];
    talk.ask(0x09, may, just("key"));
    // Incompatible Cryptographic Usage Mask in 2.x, Permission Denied in 1.x; Permission Denied.
    let sign = vec![vt(UNIQUE_IDENTIFIER, "key"), i(CRYPTOGRAPHIC_USAGE_MASK, 1)];
    talk.fail(0x09, sign, talk.either(0x0C, 0x29));
    talk.fail(0x09, vec![vt(UNIQUE_IDENTIFIER, "key"), n(LEASE_TIME, 0x7FFF_FFFF)], 0x0C);
}

pub(crate) fn get(talk: &mut Talk) {
    created(talk, "key", vec![]);
    let block = s(
        KEY_BLOCK,
        vec![
            e(KEY_FORMAT_TYPE, 1),
            s(KEY_VALUE, vec![vx(KEY_MATERIAL, "bytes")]),
            e(CRYPTOGRAPHIC_ALGORITHM, 3),
            i(CRYPTOGRAPHIC_LENGTH, 128),
        ],
    );
    let answer = vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "key"), s(SYMMETRIC_KEY, vec![block])];
    talk.ask(0x0A, just("key"), answer.clone());
    talk.ask(0x0A, vec![vt(UNIQUE_IDENTIFIER, "key"), e(KEY_FORMAT_TYPE, 1)], answer);
    // Object Not Found in 2.x, Item Not Found in 1.x, which is the answer where the ID Placeholder is empty, too; Key Format
    // Type Not Supported.
    talk.fail(0x0A, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
    talk.fail(0x0A, vec![], talk.either(0x01, 0x37));
    talk.fail(0x0A, vec![vt(UNIQUE_IDENTIFIER, "key"), e(KEY_FORMAT_TYPE, 3)], 0x10);
    crate::formats::get(talk);
}

pub(crate) fn activate(talk: &mut Talk) {
    created(talk, "key", vec![]);
    talk.ask(0x12, just("key"), just("key"));
    // Wrong Key Lifecycle State in 2.x, Permission Denied in 1.x.
    talk.fail(0x12, just("key"), talk.either(0x0C, 0x43));
}

pub(crate) fn revoke(talk: &mut Talk) {
    created(talk, "key", vec![("Activation Date", d(ACTIVATION_DATE, 1_000_000_000))]);
    let why = s(REVOCATION_REASON, vec![e(REVOCATION_REASON_CODE, 5), t(REVOCATION_MESSAGE, "no more")]);
    talk.ask(0x13, vec![vt(UNIQUE_IDENTIFIER, "key"), why.clone()], just("key"));
    talk.fail(0x13, vec![vt(UNIQUE_IDENTIFIER, "key"), why], talk.either(0x0C, 0x43));
    talk.fail(0x13, just("key"), 0x04);
}

pub(crate) fn destroy(talk: &mut Talk) {
    created(talk, "key", vec![]);
    talk.ask(0x14, just("key"), just("key"));
    // Object Destroyed in 2.x, Item Not Found in 1.x.
    talk.fail(0x14, just("key"), talk.either(0x01, 0x36));
    talk.fail(0x0A, just("key"), talk.either(0x01, 0x36));
}

pub(crate) fn query(talk: &mut Talk) {
    // KMIP 1.0 §9.1.3.2.11, 1.2 §9.1.3.2.12, 2.0 §11.33: Templates are of 1.x, PGP Keys since 1.2, requests since 2.0.
    let known: &[u32] = match talk.version {
        (1, 0 | 1) => &[1, 2, 3, 4, 5, 6, 7, 8],
        (1, _) => &[1, 2, 3, 4, 5, 6, 7, 8, 9],
        _ => &[1, 2, 3, 4, 5, 7, 8, 9, 10],
    };
    let objects: Vec<Node> = known.iter().map(|&object_type| e(OBJECT_TYPE, object_type)).collect();
    talk.ask(0x18, vec![e(QUERY_FUNCTION, 2)], objects.clone());
    let known = crate::harness::kmip::offered(kmip_version(talk.version)).into_iter();
    let operations: Vec<Node> = known.map(|operation| e(OPERATION, operation.into())).collect();
    talk.ask(0x18, vec![e(QUERY_FUNCTION, 2), e(QUERY_FUNCTION, 1)], [operations, objects].concat());
    // What Server Information may hold is optional, and 1.x has nothing for it (KMIP 2.1 §7.37).
    let fields =
        [(SERVER_VERSION, "version"), (SERVER_LOAD, "load"), (PRODUCT_NAME, "product"), (BUILD_LEVEL, "level")];
    let fields = fields.map(|(tag, noted)| vt(tag, noted)).to_vec();
    let about = vec![vt(VENDOR_IDENTIFICATION, ""), s(SERVER_INFORMATION, talk.either(vec![], fields))];
    talk.ask(0x18, vec![e(QUERY_FUNCTION, 3)], about);
    talk.fail(0x18, vec![], 0x07);
}

/// The one thing that comes from our tables: which operations there are.
fn kmip_version(version: (i32, i32)) -> kmip_codec::spec::Version {
    kmip_codec::spec::Version::supported(version.0, version.1).unwrap()
}

pub(crate) fn discover_versions(talk: &mut Talk) {
    let all = [(2, 1), (2, 0), (1, 4), (1, 3), (1, 2), (1, 1), (1, 0)].map(Talk::version_node).to_vec();
    talk.ask(0x1E, vec![], all);
    let some = [(1, 1), (7, 7), (2, 0)].map(Talk::version_node).to_vec();
    talk.ask(0x1E, some, [(2, 0), (1, 1)].map(Talk::version_node).to_vec());
    talk.ask(0x1E, vec![Talk::version_node((7, 7))], vec![]);
    // What no table has is no part of a request: Invalid Message, in 1.x Invalid Field.
    talk.fail(0x1E, vec![x(0x42_0FFF, b"")], talk.either(0x07, 0x04));
}

/// Only a server for tests has it.
pub(crate) fn interop(talk: &mut Talk) {
    for function in [1, 2, 3] {
        talk.fail(0x34, vec![e(INTEROP_FUNCTION, function), t(INTEROP_IDENTIFIER, "a test")], 0x05);
    }
}
