//! A conversation by value, and the list of what is said.

use std::collections::HashMap;

use crate::harness::{Kmipd, Wire};
use crate::tags::*;
use crate::ttlv::{Item, Node, Variables, compare, e, i, read, s, vd, vt, vx, write, x};
use crate::{asynchronous, attributes, certificates, cryptography, life, objects, parts, sessions, token};

/// A connection on which messages of one version are said.
pub(crate) struct Talk {
    wire: Wire,
    pub(crate) version: (i32, i32),
    pub(crate) variables: Variables,
    said: u8,
}

impl Talk {
    pub(crate) fn new(wire: Wire, version: (i32, i32)) -> Self {
        Self { wire, version, variables: HashMap::new(), said: 0 }
    }

    pub(crate) const fn is_v2(&self) -> bool {
        self.version.0 >= 2
    }

    pub(crate) fn version_node(version: (i32, i32)) -> Node {
        s(PROTOCOL_VERSION, vec![i(PROTOCOL_VERSION_MAJOR, version.0), i(PROTOCOL_VERSION_MINOR, version.1)])
    }

    /// Says a message with one item and answers the message that comes, whose header has been looked at, and the mark of the
    /// item.
    fn say(&mut self, operation: u32, payload: Vec<Node>, item: impl FnOnce(Node) -> Vec<Node>) {
        self.say_so(vec![], operation, payload, operation, item);
    }

    /// The same with more in the header, and with an answer about another operation.
    fn say_so(
        &mut self,
        header: Vec<Node>,
        operation: u32,
        payload: Vec<Node>,
        answered: u32,
        item: impl FnOnce(Node) -> Vec<Node>,
    ) {
        // Another mark for each item, of another length.
        self.said += 1;
        let mark = vec![self.said; usize::from(self.said)];
        let version = Self::version_node(self.version);
        let request = s(
            REQUEST_MESSAGE,
            vec![
                s(REQUEST_HEADER, [vec![version.clone()], header, vec![i(BATCH_COUNT, 1)]].concat()),
                s(
                    BATCH_ITEM,
                    vec![e(OPERATION, operation), x(UNIQUE_BATCH_ITEM_ID, &mark), s(REQUEST_PAYLOAD, payload)],
                ),
            ],
        );
        let bytes = self.wire.ask(&write(&request, &self.variables)).unwrap();
        let (answer, length) = read(&bytes);
        assert_eq!(length, bytes.len());
        let mut fields = vec![e(OPERATION, answered)];
        fields.extend(item(x(UNIQUE_BATCH_ITEM_ID, &mark)));
        let mut header = vec![version, vd(TIME_STAMP, "time")];
        // Each answer has a name of its own from 1.4 on.
        if self.version >= (1, 4) {
            header.push(vt(SERVER_CORRELATION_VALUE, "correlation"));
        }
        header.push(i(BATCH_COUNT, 1));
        let expected = s(RESPONSE_MESSAGE, vec![s(RESPONSE_HEADER, header), s(BATCH_ITEM, fields)]);
        self.variables.remove("time");
        let before = self.variables.remove("correlation");
        compare(&answer, &expected, &mut self.variables, "");
        if let (Some(Item::Text(before)), Some(Item::Text(now))) = (before, self.variables.get("correlation")) {
            assert_ne!(before, *now);
        }
        let Some(Item::DateTime(time)) = self.variables.get("time") else { panic!("no time") };
        assert!(time.abs_diff(crate::harness::kmip::now()) < 60, "{time}");
    }

    /// Says an operation and compares the whole answer with this payload.
    pub(crate) fn ask(&mut self, operation: u32, payload: Vec<Node>, answer: Vec<Node>) {
        self.say(operation, payload, |mark| vec![mark, e(RESULT_STATUS, 0), s(RESPONSE_PAYLOAD, answer)]);
    }

    /// Says an operation that fails for this reason.
    pub(crate) fn fail(&mut self, operation: u32, payload: Vec<Node>, reason: u32) {
        self.say(operation, payload, |mark| {
            vec![mark, e(RESULT_STATUS, 1), e(RESULT_REASON, reason), vt(RESULT_MESSAGE, "")]
        });
    }

    /// Says an operation that must be answered later, and notes what to poll for.
    pub(crate) fn later(&mut self, operation: u32, payload: Vec<Node>, noted: &str) {
        let mandatory = vec![e(ASYNCHRONOUS_INDICATOR, 1)];
        self.say_so(mandatory, operation, payload, operation, |mark| {
            vec![mark, e(RESULT_STATUS, 2), vx(ASYNCHRONOUS_CORRELATION_VALUE, noted)]
        });
    }

    /// Polls for what was noted: the answer is this one, of another operation.
    pub(crate) fn poll(&mut self, noted: &str, answered: u32, answer: Vec<Node>) {
        self.say_so(vec![], 0x1A, vec![vx(ASYNCHRONOUS_CORRELATION_VALUE, noted)], answered, |mark| {
            vec![mark, e(RESULT_STATUS, 0), s(RESPONSE_PAYLOAD, answer)]
        });
    }

    /// One of two, by the kind of version.
    pub(crate) fn either<T>(&self, v1: T, v2: T) -> T {
        if self.is_v2() { v2 } else { v1 }
    }

    /// Attributes of a new object, given by the name that 1.x has for them: Template-Attribute or Attributes.
    pub(crate) fn attributes(&self, tags: (u32, u32), list: Vec<(&str, Node)>) -> Node {
        if self.is_v2() {
            return s(tags.1, list.into_iter().map(|(_, node)| node).collect());
        }
        s(tags.0, list.into_iter().map(|(name, node)| attribute(name, None, node)).collect())
    }

    /// Registers the AES key of FIPS 197, appendix C.1, for some use, activates it and notes its identifier under a name.
    pub(crate) fn key(&mut self, noted: &str, algorithm: u32, bytes: &[u8], mask: i32) {
        let attributes = self.attributes(
            (TEMPLATE_ATTRIBUTE, ATTRIBUTES),
            vec![("Cryptographic Usage Mask", i(CRYPTOGRAPHIC_USAGE_MASK, mask))],
        );
        let bits = i32::try_from(bytes.len()).unwrap() * 8;
        let key = symmetric_key(bytes, algorithm, bits);
        self.ask(0x03, vec![e(OBJECT_TYPE, 2), attributes, key], vec![vt(UNIQUE_IDENTIFIER, noted)]);
        self.ask(0x12, vec![vt(UNIQUE_IDENTIFIER, noted)], vec![vt(UNIQUE_IDENTIFIER, noted)]);
    }
}

/// An attribute of 1.x.
pub(crate) fn attribute(name: &str, index: Option<i32>, value: Node) -> Node {
    let mut fields = vec![crate::ttlv::t(ATTRIBUTE_NAME, name)];
    fields.extend(index.map(|index| i(ATTRIBUTE_INDEX, index)));
    fields.push(Node { tag: ATTRIBUTE_VALUE, item: value.item });
    s(ATTRIBUTE, fields)
}

/// A Symmetric Key whose Key Format Type is Raw.
pub(crate) fn symmetric_key(bytes: &[u8], algorithm: u32, bits: i32) -> Node {
    s(
        SYMMETRIC_KEY,
        vec![s(
            KEY_BLOCK,
            vec![
                e(KEY_FORMAT_TYPE, 1),
                s(KEY_VALUE, vec![x(KEY_MATERIAL, bytes)]),
                e(CRYPTOGRAPHIC_ALGORITHM, algorithm),
                i(CRYPTOGRAPHIC_LENGTH, bits),
            ],
        )],
    )
}

/// A Name that is an Uninterpreted Text String.
pub(crate) fn name(name: &str) -> Node {
    s(NAME, vec![crate::ttlv::t(NAME_VALUE, name), e(NAME_TYPE, 1)])
}

/// An operation, the first version that has it, and what is said of it.
type Said = (u32, (i32, i32), fn(&mut Talk));

/// The operations by their numbers, each with its conversation and the first version that has it.
const SAID: &[Said] = &[
    (0x01, (1, 0), objects::create),
    (0x02, (1, 0), objects::create_key_pair),
    (0x03, (1, 0), objects::register),
    (0x05, (1, 0), cryptography::derive_key),
    (0x04, (1, 0), life::re_key),
    (0x06, (1, 0), certificates::certify),
    (0x07, (1, 0), certificates::re_certify),
    (0x17, (1, 0), certificates::validate),
    (0x08, (1, 0), objects::locate),
    (0x09, (1, 0), objects::check),
    (0x0A, (1, 0), objects::get),
    (0x0B, (1, 0), attributes::get_attributes),
    (0x0C, (1, 0), attributes::get_attribute_list),
    (0x0D, (1, 0), attributes::add_attribute),
    (0x0E, (1, 0), attributes::modify_attribute),
    (0x0F, (1, 0), attributes::delete_attribute),
    (0x10, (1, 0), life::obtain_lease),
    (0x11, (1, 0), life::get_usage_allocation),
    (0x12, (1, 0), objects::activate),
    (0x13, (1, 0), objects::revoke),
    (0x14, (1, 0), objects::destroy),
    (0x15, (1, 0), life::archive),
    (0x16, (1, 0), life::recover),
    (0x18, (1, 0), objects::query),
    (0x19, (1, 0), asynchronous::cancel),
    (0x1A, (1, 0), asynchronous::poll),
    (0x1D, (1, 1), life::re_key_key_pair),
    (0x1E, (1, 1), objects::discover_versions),
    (0x1F, (1, 2), cryptography::encrypt),
    (0x20, (1, 2), cryptography::decrypt),
    (0x21, (1, 2), cryptography::sign),
    (0x22, (1, 2), cryptography::signature_verify),
    (0x23, (1, 2), cryptography::mac),
    (0x24, (1, 2), cryptography::mac_verify),
    (0x25, (1, 2), cryptography::rng_retrieve),
    (0x26, (1, 2), cryptography::rng_seed),
    (0x27, (1, 2), cryptography::hash),
    (0x28, (1, 2), parts::create_split_key),
    (0x29, (1, 2), parts::join_split_key),
    (0x2A, (1, 4), parts::import),
    (0x2B, (1, 4), parts::export),
    (0x2C, (2, 0), sessions::log),
    (0x2D, (2, 0), sessions::login),
    (0x2E, (2, 0), sessions::logout),
    (0x2F, (2, 0), sessions::delegated_login),
    (0x30, (2, 0), attributes::adjust_attribute),
    (0x31, (2, 0), attributes::set_attribute),
    (0x32, (2, 0), asynchronous::set_endpoint_role),
    (0x33, (2, 0), token::pkcs11),
    (0x35, (2, 0), sessions::re_provision),
    (0x36, (2, 1), sessions::set_defaults),
    (0x37, (2, 1), sessions::set_constraints),
    (0x38, (2, 1), sessions::get_constraints),
    (0x39, (2, 1), asynchronous::query_asynchronous_requests),
    (0x3A, (2, 1), asynchronous::process),
    (0x3B, (2, 1), sessions::ping),
    (0x34, (2, 0), objects::interop),
];

#[test]
fn every_operation_is_said_by_value() {
    for row in kmipd::ops::OPERATIONS {
        let code = u32::from(row.operation);
        assert!(SAID.iter().any(|(said, ..)| *said == code), "nothing by value says {} ({code:#x})", row.operation);
    }
    let kmipd = Kmipd::dev();
    for version in [(1, 0), (1, 2), (1, 4), (2, 0), (2, 1)] {
        for (code, since, conversation) in SAID {
            println!("{version:?}: operation {code:#04x}");
            let mut talk = Talk::new(kmipd.connect(), version);
            if version >= *since {
                conversation(&mut talk);
            } else {
                talk.fail(*code, vec![], 5);
            }
        }
        // What no version has.
        Talk::new(kmipd.connect(), version).fail(0x7F, vec![], 5);
    }
}
