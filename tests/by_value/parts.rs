//! Keys in parts, and objects that move from server to server.

use crate::tags::*;
use crate::talk::{Talk, symmetric_key};
use crate::ttlv::{Item, Node, b, e, i, s, t, vt, vx, x};

const NEW: (u32, u32) = (TEMPLATE_ATTRIBUTE, ATTRIBUTES);

fn just(noted: &str) -> Vec<Node> {
    vec![vt(UNIQUE_IDENTIFIER, noted)]
}

/// A Split Key of AES, 128 bits, in four parts of which two join it, over GF(2^8).
fn part(number: i32, material: Node) -> Node {
    let block = vec![
        e(KEY_FORMAT_TYPE, 1),
        s(KEY_VALUE, vec![material]),
        e(CRYPTOGRAPHIC_ALGORITHM, 3),
        i(CRYPTOGRAPHIC_LENGTH, 128),
    ];
    s(
        SPLIT_KEY,
        vec![
            i(SPLIT_KEY_PARTS, 4),
            i(KEY_PART_IDENTIFIER, number),
            i(SPLIT_KEY_THRESHOLD, 2),
            e(SPLIT_KEY_METHOD, 4),
            s(KEY_BLOCK, block),
        ],
    )
}

fn attributes(talk: &Talk, list: Vec<(&str, Node)>) -> Node {
    talk.attributes(NEW, list)
}

/// Encrypt and decrypt.
fn mask(talk: &Talk) -> Node {
    attributes(talk, vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 0x0C))])
}

/// To split a key over GF(2^8) in four parts, of which two join it.
fn splitting(key: Option<Node>, attributes: Node) -> Vec<Node> {
    let mut payload = vec![e(OBJECT_TYPE, 5)];
    payload.extend(key);
    payload.extend([i(SPLIT_KEY_PARTS, 4), i(SPLIT_KEY_THRESHOLD, 2), e(SPLIT_KEY_METHOD, 4), attributes]);
    payload
}

const PARTS: [&str; 4] = ["part 1", "part 2", "part 3", "part 4"];

pub(crate) fn create_split_key(talk: &mut Talk) {
    let bytes: Vec<u8> = (1..=16).collect();
    talk.key("key", 3, &bytes, 0x0C);
    let made: Vec<Node> = PARTS.iter().map(|part| vt(UNIQUE_IDENTIFIER, part)).collect();
    let request = splitting(Some(vt(UNIQUE_IDENTIFIER, "key")), attributes(talk, vec![]));
    talk.ask(0x28, request, made);
    for (place, name) in PARTS.iter().enumerate() {
        let number = i32::try_from(place).unwrap() + 1;
        let answer = vec![
            e(OBJECT_TYPE, 5),
            vt(UNIQUE_IDENTIFIER, name),
            part(number, vx(KEY_MATERIAL, &format!("bytes {number}"))),
        ];
        talk.ask(0x0A, just(name), answer);
    }
    let joining = vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "part 4"), vt(UNIQUE_IDENTIFIER, "part 2"), mask(talk)];
    talk.ask(0x29, joining, just("joined"));
    let answer = vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "joined"), symmetric_key(&bytes, 3, 128)];
    talk.ask(0x0A, just("joined"), answer);
    // A Symmetric Key is no Split Key: Invalid Object Type in 2.x, Invalid Field in 1.x.
    let mut wrong = splitting(Some(vt(UNIQUE_IDENTIFIER, "key")), attributes(talk, vec![]));
    wrong[0] = e(OBJECT_TYPE, 2);
    talk.fail(0x28, wrong, talk.either(0x07, 0x30));
    // Item Not Found.
    let missing = splitting(Some(t(UNIQUE_IDENTIFIER, "nobody")), attributes(talk, vec![]));
    talk.fail(0x28, missing, 0x01);
}

pub(crate) fn join_split_key(talk: &mut Talk) {
    // Parts of 01 to 10 that another server made: the published test case TC-SJ-3.
    let made = ["66C46A7754F94DE420C7B1A7FFF5EC56", "CF93D1E2A7E593CD5B8D6247F4E5D49C"];
    for (place, hex) in made.iter().enumerate() {
        let number = i32::try_from(place).unwrap() + 1;
        let split = part(number, x(KEY_MATERIAL, &hex::decode(hex).unwrap()));
        let request = vec![e(OBJECT_TYPE, 5), mask(talk), split.clone()];
        talk.ask(0x03, request, just(PARTS[place]));
        let answer = vec![e(OBJECT_TYPE, 5), vt(UNIQUE_IDENTIFIER, PARTS[place]), split];
        talk.ask(0x0A, just(PARTS[place]), answer);
    }
    let joining = |parts: &[&str], attributes: Node| {
        let mut payload = vec![e(OBJECT_TYPE, 2)];
        payload.extend(parts.iter().map(|part| vt(UNIQUE_IDENTIFIER, part)));
        payload.push(attributes);
        payload
    };
    talk.ask(0x29, joining(&PARTS[..2], mask(talk)), just("joined"));
    let bytes: Vec<u8> = (1..=16).collect();
    let answer = vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "joined"), symmetric_key(&bytes, 3, 128)];
    talk.ask(0x0A, just("joined"), answer);
    // Cryptographic Failure: one part is fewer than the threshold.
    talk.fail(0x29, joining(&PARTS[..1], mask(talk)), 0x0A);
}

pub(crate) fn import(talk: &mut Talk) {
    let identifier = format!("imported {:?}", talk.version);
    let bytes: Vec<u8> = (1..=16).collect();
    let importing = |talk: &Talk, replace: bool| {
        let mut payload = vec![t(UNIQUE_IDENTIFIER, &identifier)];
        payload.extend(talk.is_v2().then(|| e(OBJECT_TYPE, 2)));
        payload.extend(replace.then(|| b(REPLACE_EXISTING, true)));
        let mask = i(CRYPTOGRAPHIC_USAGE_MASK, 0x0C);
        // State is the server's elsewhere; here the object brings it: Deactivated.
        payload.extend(if talk.is_v2() {
            vec![s(ATTRIBUTES, vec![mask, e(STATE, 3)])]
        } else {
            vec![
                crate::talk::attribute("Cryptographic Usage Mask", None, mask),
                crate::talk::attribute("State", None, e(STATE, 3)),
            ]
        });
        payload.push(symmetric_key(&bytes, 3, 128));
        payload
    };
    talk.ask(0x2A, importing(talk, false), vec![t(UNIQUE_IDENTIFIER, &identifier)]);
    let answer = vec![e(OBJECT_TYPE, 2), t(UNIQUE_IDENTIFIER, &identifier), symmetric_key(&bytes, 3, 128)];
    talk.ask(0x0A, vec![t(UNIQUE_IDENTIFIER, &identifier)], answer);
    // Wrong Key Lifecycle State: it is Deactivated.
    talk.fail(0x12, vec![t(UNIQUE_IDENTIFIER, &identifier)], talk.either(0x0C, 0x43));
    // Object Already Exists, unless it is to be replaced.
    talk.fail(0x2A, importing(talk, false), 0x18);
    talk.ask(0x2A, importing(talk, true), vec![t(UNIQUE_IDENTIFIER, &identifier)]);
}

pub(crate) fn export(talk: &mut Talk) {
    let bytes: Vec<u8> = (1..=16).collect();
    talk.key("key", 3, &bytes, 0x0C);
    if talk.is_v2() {
        // All attributes, whatever they are: what they are say the operations that read them.
        let attributes = Node { tag: ATTRIBUTES, item: Item::Variable(1, String::new()) };
        let answer = vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "key"), attributes, symmetric_key(&bytes, 3, 128)];
        talk.ask(0x2B, just("key"), answer);
    }
    // Object Not Found in 2.x, Item Not Found in 1.x; Key Format Type Not Supported.
    talk.fail(0x2B, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
    talk.fail(0x2B, vec![vt(UNIQUE_IDENTIFIER, "key"), e(KEY_FORMAT_TYPE, 3)], 0x10);
}
