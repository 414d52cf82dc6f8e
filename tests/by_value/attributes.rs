//! The operations on attributes: by name and index in 1.x, by tag and value in 2.x.

use crate::tags::*;
use crate::talk::{Talk, attribute};
use crate::ttlv::{Node, e, i, n, s, t, vt, x};

fn contact(text: &str) -> Node {
    t(CONTACT_INFORMATION, text)
}

fn group(text: &str) -> Node {
    t(OBJECT_GROUP, text)
}

fn just() -> Vec<Node> {
    vec![vt(UNIQUE_IDENTIFIER, "key")]
}

/// With the object before it.
fn of_key(mut nodes: Vec<Node>) -> Vec<Node> {
    nodes.insert(0, vt(UNIQUE_IDENTIFIER, "key"));
    nodes
}

/// A key whose attributes are played with.
fn key(talk: &mut Talk) {
    let list = vec![
        ("Cryptographic Algorithm", e(CRYPTOGRAPHIC_ALGORITHM, 3)),
        ("Cryptographic Length", i(CRYPTOGRAPHIC_LENGTH, 256)),
        ("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 0x0C)),
        ("Object Group", group("one")),
        ("Object Group", group("two")),
    ];
    let payload = vec![e(OBJECT_TYPE, 2), talk.attributes((TEMPLATE_ATTRIBUTE, ATTRIBUTES), list)];
    talk.ask(0x01, payload, vec![e(OBJECT_TYPE, 2), vt(UNIQUE_IDENTIFIER, "key")]);
}

/// What Get Attributes says of some attributes.
fn assert_has(talk: &mut Talk, name: &str, tag: u32, values: Vec<(Option<i32>, Node)>) {
    let request = talk.either(t(ATTRIBUTE_NAME, name), e(ATTRIBUTE_REFERENCE, tag));
    let mut answer = just();
    if talk.is_v2() {
        answer.push(s(ATTRIBUTES, values.into_iter().map(|(_, node)| node).collect()));
    } else {
        answer.extend(values.into_iter().map(|(index, node)| attribute(name, index, node)));
    }
    talk.ask(0x0B, of_key(vec![request]), answer);
}

pub(crate) fn get_attributes(talk: &mut Talk) {
    key(talk);
    assert_has(talk, "Object Group", OBJECT_GROUP, vec![(None, group("one")), (Some(1), group("two"))]);
    assert_has(talk, "State", STATE, vec![(None, e(STATE, 1))]);
    assert_has(talk, "Contact Information", CONTACT_INFORMATION, vec![]);
    // Several, in the order in which they are asked for.
    let (request, answer) = talk.either(
        (
            vec![t(ATTRIBUTE_NAME, "State"), t(ATTRIBUTE_NAME, "Object Type")],
            vec![attribute("State", None, e(STATE, 1)), attribute("Object Type", None, e(OBJECT_TYPE, 2))],
        ),
        (
            vec![e(ATTRIBUTE_REFERENCE, STATE), e(ATTRIBUTE_REFERENCE, OBJECT_TYPE)],
            vec![s(ATTRIBUTES, vec![e(STATE, 1), e(OBJECT_TYPE, 2)])],
        ),
    );
    talk.ask(0x0B, of_key(request), of_key(answer));
    // An attribute of another's kind of version (Invalid Message, in 1.x Invalid Field), or of nobody's: Invalid Attribute,
    // which stands in the tables of 2.0 and 2.1, in 1.x Invalid Field.
    let (foreign, unknown) = talk.either(
        (e(ATTRIBUTE_REFERENCE, STATE), t(ATTRIBUTE_NAME, "Colour")),
        (t(ATTRIBUTE_NAME, "State"), e(ATTRIBUTE_REFERENCE, 0x42_0FFF)),
    );
    talk.fail(0x0B, of_key(vec![foreign]), talk.either(0x07, 0x04));
    talk.fail(0x0B, of_key(vec![unknown]), talk.either(0x07, 0x2C));
}

pub(crate) fn get_attribute_list(talk: &mut Talk) {
    let list = vec![("Object Group", group("list")), ("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, 0))];
    let list = talk.attributes((TEMPLATE_ATTRIBUTE, ATTRIBUTES), list);
    // Secret Data that is a Password, whose Key Format Type is Opaque.
    let block = s(KEY_BLOCK, vec![e(KEY_FORMAT_TYPE, 2), s(KEY_VALUE, vec![x(KEY_MATERIAL, b"password")])]);
    let secret = s(0x42_0085, vec![e(0x42_0086, 1), block]);
    talk.ask(0x03, vec![e(OBJECT_TYPE, 7), list, secret], just());
    let mut names = vec![
        ("Unique Identifier", UNIQUE_IDENTIFIER, (1, 0)),
        ("Short Unique Identifier", 0x42_0136, (2, 0)),
        ("Object Type", OBJECT_TYPE, (1, 0)),
        ("Object Group", OBJECT_GROUP, (1, 0)),
        ("Cryptographic Usage Mask", CRYPTOGRAPHIC_USAGE_MASK, (1, 0)),
        ("State", STATE, (1, 0)),
        ("Initial Date", 0x42_0039, (1, 0)),
        ("Last Change Date", 0x42_0048, (1, 0)),
        ("Lease Time", LEASE_TIME, (1, 0)),
        ("Fresh", 0x42_00A8, (1, 1)),
        ("Sensitive", 0x42_0120, (1, 4)),
        ("Extractable", 0x42_0122, (1, 4)),
        ("Protection Storage Mask", 0x42_015E, (2, 0)),
        ("Key Format Type", KEY_FORMAT_TYPE, (2, 0)),
        ("Always Sensitive", 0x42_0121, (1, 4)),
        ("Never Extractable", 0x42_0123, (1, 4)),
        ("Digest", 0x42_0034, (1, 0)),
    ];
    names.retain(|(_, _, since)| talk.version >= *since);
    let names =
        names.into_iter().map(|(name, tag, _)| talk.either(t(ATTRIBUTE_NAME, name), e(ATTRIBUTE_REFERENCE, tag)));
    let names = of_key(names.collect());
    talk.ask(0x0C, just(), names);
    talk.fail(0x0C, vec![t(UNIQUE_IDENTIFIER, "nobody")], talk.either(0x01, 0x37));
}

fn new(talk: &Talk, name: &str, index: Option<i32>, value: Node) -> Node {
    if talk.is_v2() { s(NEW_ATTRIBUTE, vec![value]) } else { attribute(name, index, value) }
}

/// What an answer says of the attribute that was changed: 1.x says it, 2.x does not.
fn changed(talk: &Talk, name: &str, index: Option<i32>, value: Node) -> Vec<Node> {
    if talk.is_v2() { just() } else { of_key(vec![attribute(name, index, value)]) }
}

pub(crate) fn add_attribute(talk: &mut Talk) {
    key(talk);
    let request = new(talk, "Object Group", None, group("three"));
    let answer = changed(talk, "Object Group", Some(2), group("three"));
    talk.ask(0x0D, of_key(vec![request]), answer);
    let request = new(talk, "Contact Information", None, contact("desk"));
    let answer = changed(talk, "Contact Information", None, contact("desk"));
    talk.ask(0x0D, of_key(vec![request]), answer);
    assert_has(talk, "Contact Information", CONTACT_INFORMATION, vec![(None, contact("desk"))]);
    // Attribute Single Valued, Read Only Attribute; Invalid Field, Permission Denied in 1.x.
    let second = new(talk, "Contact Information", None, contact("other"));
    talk.fail(0x0D, of_key(vec![second]), talk.either(0x07, 0x23));
    let state = new(talk, "State", None, e(STATE, 2));
    talk.fail(0x0D, of_key(vec![state]), talk.either(0x0C, 0x1D));
}

pub(crate) fn modify_attribute(talk: &mut Talk) {
    key(talk);
    let request = talk.either(
        vec![attribute("Object Group", Some(1), group("three"))],
        vec![s(CURRENT_ATTRIBUTE, vec![group("two")]), s(NEW_ATTRIBUTE, vec![group("three")])],
    );
    let answer = changed(talk, "Object Group", Some(1), group("three"));
    talk.ask(0x0E, of_key(request), answer);
    assert_has(talk, "Object Group", OBJECT_GROUP, vec![(None, group("one")), (Some(1), group("three"))]);
    // Attribute Not Found, Attribute Instance Not Found; Item Not Found in 1.x.
    let absent = new(talk, "Contact Information", None, contact("desk"));
    talk.fail(0x0E, of_key(vec![absent]), talk.either(0x01, 0x21));
    let instance = talk.either(
        vec![attribute("Object Group", Some(7), group("four"))],
        vec![s(CURRENT_ATTRIBUTE, vec![group("two")]), s(NEW_ATTRIBUTE, vec![group("four")])],
    );
    talk.fail(0x0E, of_key(instance), talk.either(0x01, 0x20));
}

pub(crate) fn delete_attribute(talk: &mut Talk) {
    key(talk);
    let request = talk.either(
        vec![t(ATTRIBUTE_NAME, "Object Group"), i(ATTRIBUTE_INDEX, 1)],
        vec![s(CURRENT_ATTRIBUTE, vec![group("two")])],
    );
    let answer = changed(talk, "Object Group", Some(1), group("two"));
    talk.ask(0x0F, of_key(request), answer);
    assert_has(talk, "Object Group", OBJECT_GROUP, vec![(None, group("one"))]);
    let request = talk.either(t(ATTRIBUTE_NAME, "Object Group"), e(ATTRIBUTE_REFERENCE, OBJECT_GROUP));
    let answer = changed(talk, "Object Group", None, group("one"));
    talk.ask(0x0F, of_key(vec![request.clone()]), answer);
    assert_has(talk, "Object Group", OBJECT_GROUP, vec![]);
    talk.fail(0x0F, of_key(vec![request]), talk.either(0x01, 0x21));
    let needed = talk.either(t(ATTRIBUTE_NAME, "State"), e(ATTRIBUTE_REFERENCE, STATE));
    // Attribute Read Only.
    talk.fail(0x0F, of_key(vec![needed]), talk.either(0x0C, 0x22));
}

pub(crate) fn set_attribute(talk: &mut Talk) {
    key(talk);
    for text in ["first", "second"] {
        let comment = t(COMMENT, text);
        talk.ask(0x31, of_key(vec![s(NEW_ATTRIBUTE, vec![comment.clone()])]), just());
        assert_has(talk, "Comment", COMMENT, vec![(None, comment)]);
    }
    // Multi Valued Attribute: the object has two of them.
    talk.fail(0x31, of_key(vec![s(NEW_ATTRIBUTE, vec![group("three")])]), 0x1E);
    talk.fail(0x31, of_key(vec![s(NEW_ATTRIBUTE, vec![e(STATE, 2)])]), 0x1D);
}

pub(crate) fn adjust_attribute(talk: &mut Talk) {
    key(talk);
    let period = |kind, more: Vec<Node>| {
        let mut fields = vec![e(ATTRIBUTE_REFERENCE, PROTECTION_PERIOD), e(ADJUSTMENT_TYPE, kind)];
        fields.extend(more);
        of_key(fields)
    };
    // From nothing up by thirty seconds, and down by the one that is left out.
    talk.ask(0x30, period(1, vec![n(ADJUSTMENT_VALUE, 30)]), just());
    talk.ask(0x30, period(2, vec![]), just());
    assert_has(talk, "Protection Period", PROTECTION_PERIOD, vec![(None, n(PROTECTION_PERIOD, 29))]);
    // Numeric Range, Invalid Data Type, Read Only Attribute.
    talk.fail(0x30, period(2, vec![n(ADJUSTMENT_VALUE, 30)]), 0x1B);
    talk.fail(0x30, period(3, vec![]), 0x1C);
    let length = of_key(vec![e(ATTRIBUTE_REFERENCE, CRYPTOGRAPHIC_LENGTH), e(ADJUSTMENT_TYPE, 1)]);
    talk.fail(0x30, length, 0x1D);
}
