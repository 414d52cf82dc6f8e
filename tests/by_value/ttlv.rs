//! Tag, type, length, value, once more and for itself (KMIP 2.1 §10.1).

use std::collections::HashMap;

/// A value on the wire, or in an expectation a variable.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Item {
    Structure(Vec<Node>),
    Integer(i32),
    LongInteger(i64),
    BigInteger(Vec<u8>),
    Enumeration(u32),
    Boolean(bool),
    Text(String),
    Bytes(Vec<u8>),
    DateTime(i64),
    Interval(u32),
    /// A value of this type: the first time it is met it is noted, afterwards it must be the same. In a request it is
    /// what was noted. A name that is empty stands for any value.
    Variable(u8, String),
}

#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Node {
    pub(crate) tag: u32,
    pub(crate) item: Item,
}

pub(crate) type Variables = HashMap<String, Item>;

pub(crate) fn s(tag: u32, nodes: Vec<Node>) -> Node {
    Node { tag, item: Item::Structure(nodes) }
}

pub(crate) fn i(tag: u32, value: i32) -> Node {
    Node { tag, item: Item::Integer(value) }
}

pub(crate) fn l(tag: u32, value: i64) -> Node {
    Node { tag, item: Item::LongInteger(value) }
}

pub(crate) fn big(tag: u32, value: &[u8]) -> Node {
    Node { tag, item: Item::BigInteger(value.to_vec()) }
}

pub(crate) fn e(tag: u32, value: u32) -> Node {
    Node { tag, item: Item::Enumeration(value) }
}

pub(crate) fn b(tag: u32, value: bool) -> Node {
    Node { tag, item: Item::Boolean(value) }
}

pub(crate) fn t(tag: u32, value: &str) -> Node {
    Node { tag, item: Item::Text(value.to_owned()) }
}

pub(crate) fn x(tag: u32, value: &[u8]) -> Node {
    Node { tag, item: Item::Bytes(value.to_vec()) }
}

pub(crate) fn d(tag: u32, value: i64) -> Node {
    Node { tag, item: Item::DateTime(value) }
}

pub(crate) fn n(tag: u32, seconds: u32) -> Node {
    Node { tag, item: Item::Interval(seconds) }
}

/// A variable that is a Text String.
pub(crate) fn vt(tag: u32, name: &str) -> Node {
    Node { tag, item: Item::Variable(7, name.to_owned()) }
}

/// A variable that is a Byte String.
pub(crate) fn vx(tag: u32, name: &str) -> Node {
    Node { tag, item: Item::Variable(8, name.to_owned()) }
}

/// A variable that is a Date-Time.
pub(crate) fn vd(tag: u32, name: &str) -> Node {
    Node { tag, item: Item::Variable(9, name.to_owned()) }
}

impl Item {
    pub(crate) const fn code(&self) -> u8 {
        match self {
            Self::Structure(_) => 1,
            Self::Integer(_) => 2,
            Self::LongInteger(_) => 3,
            Self::BigInteger(_) => 4,
            Self::Enumeration(_) => 5,
            Self::Boolean(_) => 6,
            Self::Text(_) => 7,
            Self::Bytes(_) => 8,
            Self::DateTime(_) => 9,
            Self::Interval(_) => 10,
            Self::Variable(code, _) => *code,
        }
    }
}

/// The bytes of an item, padded to eight.
pub(crate) fn write(node: &Node, variables: &Variables) -> Vec<u8> {
    let item = match &node.item {
        Item::Variable(_, name) => &variables[name],
        item => item,
    };
    let value = match item {
        Item::Structure(nodes) => nodes.iter().flat_map(|node| write(node, variables)).collect(),
        Item::Integer(value) => value.to_be_bytes().to_vec(),
        Item::Enumeration(value) | Item::Interval(value) => value.to_be_bytes().to_vec(),
        Item::LongInteger(value) | Item::DateTime(value) => value.to_be_bytes().to_vec(),
        Item::Boolean(value) => u64::from(*value).to_be_bytes().to_vec(),
        Item::Text(text) => text.as_bytes().to_vec(),
        Item::BigInteger(bytes) | Item::Bytes(bytes) => bytes.clone(),
        Item::Variable(..) => panic!("a variable of a variable"),
    };
    let mut bytes = node.tag.to_be_bytes()[1..].to_vec();
    bytes.push(item.code());
    bytes.extend(u32::try_from(value.len()).unwrap().to_be_bytes());
    bytes.extend(value);
    while !bytes.len().is_multiple_of(8) {
        bytes.push(0);
    }
    bytes
}

/// Reads one item; answers it and how long it is. Panics where the bytes are not as the standard says.
pub(crate) fn read(bytes: &[u8]) -> (Node, usize) {
    let tag = u32::from_be_bytes([0, bytes[0], bytes[1], bytes[2]]);
    let length = u32::from_be_bytes(bytes[4..8].try_into().unwrap()) as usize;
    let end = 8 + length;
    let padded = end.next_multiple_of(8);
    let value = &bytes[8..end];
    assert!(bytes[end..padded].iter().all(|byte| *byte == 0), "padding of {tag:06x}");
    let word = || u32::from_be_bytes(value.try_into().unwrap());
    let long = || i64::from_be_bytes(value.try_into().unwrap());
    let item = match bytes[3] {
        1 => {
            let (mut nodes, mut place) = (Vec::new(), 0);
            while place < length {
                let (node, taken) = read(&value[place..]);
                nodes.push(node);
                place += taken;
            }
            assert_eq!(place, length);
            Item::Structure(nodes)
        }
        2 => Item::Integer(word().cast_signed()),
        3 => Item::LongInteger(long()),
        4 => {
            assert!(length.is_multiple_of(8));
            Item::BigInteger(value.to_vec())
        }
        5 => Item::Enumeration(word()),
        6 => Item::Boolean([false, true][usize::try_from(long()).unwrap()]),
        7 => Item::Text(String::from_utf8(value.to_vec()).unwrap()),
        8 => Item::Bytes(value.to_vec()),
        9 => Item::DateTime(long()),
        10 => Item::Interval(word()),
        other => panic!("type {other} of {tag:06x}"),
    };
    (Node { tag, item }, padded)
}

/// Compares what came with what was expected, order and all, and notes variables.
pub(crate) fn compare(found: &Node, expected: &Node, variables: &mut Variables, path: &str) {
    let path = format!("{path}/{:06x}", expected.tag);
    assert_eq!(found.tag, expected.tag, "{path}: {found:?}");
    assert_eq!(found.item.code(), expected.item.code(), "{path}: {found:?}");
    match (&found.item, &expected.item) {
        (Item::Structure(found), Item::Structure(expected)) => {
            let tags = |nodes: &[Node]| nodes.iter().map(|node| format!("{:06x}", node.tag)).collect::<Vec<_>>();
            assert_eq!(tags(found), tags(expected), "{path}: {found:?}");
            found.iter().zip(expected).for_each(|(found, expected)| compare(found, expected, variables, &path));
        }
        (found, Item::Variable(_, name)) if !name.is_empty() => {
            let noted = variables.entry(name.clone()).or_insert_with(|| found.clone());
            assert_eq!(found, noted, "{path}: {name}");
        }
        (_, Item::Variable(..)) => {}
        (found, expected) => assert_eq!(found, expected, "{path}"),
    }
}

/// The examples of the standard (KMIP 2.1 §10.1.5): what the rest relies on is right.
#[test]
fn the_examples_of_the_standard() {
    let none = Variables::new();
    let tag = 0x420020;
    for (node, bytes) in [
        (i(tag, 8), "420020 02 00000004 0000000800000000"),
        (l(tag, 123_456_789_000_000_000), "420020 03 00000008 01B69B4BA5749200"),
        (
            big(tag, &hex::decode("0000000003FD35EB6BC2DF4618080000").unwrap()),
            "420020 04 00000010 0000000003FD35EB6BC2DF4618080000",
        ),
        (e(tag, 255), "420020 05 00000004 000000FF00000000"),
        (b(tag, true), "420020 06 00000008 0000000000000001"),
        (t(tag, "Hello World"), "420020 07 0000000B 48656C6C6F20576F726C640000000000"),
        (x(tag, &[1, 2, 3]), "420020 08 00000003 0102030000000000"),
        (d(tag, 0x47DA_67F8), "420020 09 00000008 0000000047DA67F8"),
        (n(tag, 864_000), "420020 0A 00000004 000D2F0000000000"),
        (
            s(tag, vec![e(0x420004, 254), i(0x420005, 255)]),
            "420020 01 00000020 420004 05 00000004 000000FE00000000 420005 02 00000004 000000FF00000000",
        ),
    ] {
        let bytes = hex::decode(bytes.replace(' ', "")).unwrap();
        assert_eq!(write(&node, &none), bytes);
        assert_eq!(read(&bytes), (node, bytes.len()));
    }
}
