//! Elements against the examples and the rules of the standard (KMIP 2.1 §10.1, 1.4 §9.1.2). Bytes are written by hand.

use bytes::Bytes;
use proptest::prelude::*;

use super::{Blob, Element, Error, ErrorKind, ItemType, Limits, Text, Value, Writer, frame, parse, write};
use crate::spec::{Tag, Version};

/// The tag of the examples.
const TAG: Tag = Tag::new(0x42_0020);

fn bytes(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace([' ', '|', '\n'], "")).unwrap()
}

fn read(hex: &str) -> super::Result<Element> {
    parse(&bytes(hex).into(), &Limits::default())
}

fn text(text: &str) -> Value {
    Value::TextString(text.into())
}

fn blob(bytes: &[u8]) -> Value {
    Value::ByteString(Blob::copy_of(bytes))
}

fn integer(tag: u32, value: i32) -> Element {
    Element::new(Tag::new(tag), Value::Integer(value))
}

/// Every type once: bytes and value, the first ten after the text's examples.
fn examples() -> Vec<(&'static str, Value)> {
    vec![
        ("420020 02 00000004 0000000800000000", Value::Integer(8)),
        ("420020 03 00000008 01B69B4BA5749200", Value::LongInteger(123_456_789_000_000_000)),
        (
            "420020 04 00000010 0000000003FD35EB6BC2DF4618080000",
            Value::BigInteger(Blob::copy_of(&1_234_567_890_000_000_000_000_000_000_i128.to_be_bytes())),
        ),
        ("420020 05 00000004 000000FF00000000", Value::Enumeration(255)),
        ("420020 06 00000008 0000000000000001", Value::Boolean(true)),
        ("420020 07 0000000B 48656C6C6F20576F726C640000000000", text("Hello World")),
        ("420020 08 00000003 0102030000000000", blob(&[1, 2, 3])),
        ("420020 09 00000008 0000000047DA67F8", Value::DateTime(1_205_495_800)),
        ("420020 0A 00000004 000D2F0000000000", Value::Interval(10 * 24 * 60 * 60)),
        (
            "420020 01 00000020 420004 05 00000004 000000FE00000000 420005 02 00000004 000000FF00000000",
            Value::Structure(vec![Element::new(Tag::new(0x42_0004), Value::Enumeration(254)), integer(0x42_0005, 255)]),
        ),
        ("420020 0B 00000008 0000000000000001", Value::DateTimeExtended(1)),
        // The ends of the ranges.
        ("420020 02 00000004 FFFFFFFF00000000", Value::Integer(-1)),
        ("420020 02 00000004 8000000000000000", Value::Integer(i32::MIN)),
        ("420020 03 00000008 8000000000000000", Value::LongInteger(i64::MIN)),
        ("420020 04 00000008 FFFFFFFFFFFFFF80", Value::BigInteger(Blob::copy_of(&(-128_i64).to_be_bytes()))),
        ("420020 05 00000004 FFFFFFFF00000000", Value::Enumeration(u32::MAX)),
        ("420020 06 00000008 0000000000000000", Value::Boolean(false)),
        ("420020 07 00000000", text("")),
        ("420020 07 00000008 C3A4C3B6C3BCC39F", text("äöüß")),
        ("420020 08 00000000", blob(&[])),
        ("420020 08 00000008 0102030405060708", blob(&[1, 2, 3, 4, 5, 6, 7, 8])),
        ("420020 09 00000008 FFFFFFFFFFFFFFFF", Value::DateTime(-1)),
        ("420020 0A 00000004 FFFFFFFF00000000", Value::Interval(u32::MAX)),
        ("420020 0B 00000008 8000000000000000", Value::DateTimeExtended(i64::MIN)),
        ("420020 01 00000000", Value::Structure(Vec::new())),
    ]
}

#[test]
fn every_type_reads_and_writes_as_the_text_shows() {
    for (hex, value) in examples() {
        let element = read(hex).unwrap();
        assert_eq!(element, Element::new(TAG, value.clone()), "{hex}");
        assert_eq!(element.value.item_type(), value.item_type());
        assert_eq!(hex::encode_upper(write(&element)), hex.replace(' ', ""));
    }
}

#[test]
fn elements_know_where_they_began() {
    let element = read("420020 01 00000020 420004 05 00000004 000000FE00000000 420005 02 00000004 000000FF00000000");
    let offsets: Vec<u32> = element.unwrap().value.elements().iter().map(|element| element.offset).collect();
    assert_eq!(offsets, [8, 24]);
}

#[test]
fn an_extension_tag_is_kept() {
    let element = read("54ABCD 02 00000004 0000000100000000").unwrap();
    assert_eq!((element.tag.code(), element.tag.is_extension()), (0x54_ABCD, true));
}

#[test]
fn a_big_integer_is_extended_by_its_sign() {
    for (value, expected) in [
        (&[][..], "0000000000000000"),
        (&[0x7f], "000000000000007F"),
        (&[0x80], "FFFFFFFFFFFFFF80"),
        (&[1, 2, 3, 4, 5, 6, 7, 8, 9], "00000000000000010203040506070809"),
        (&[0xff, 2, 3, 4, 5, 6, 7, 8, 9], "FFFFFFFFFFFFFFFF0203040506070809"),
    ] {
        let mut writer = Writer::new(Version::V2_1);
        writer.big_integer(TAG, value);
        let header = format!("42002004{:08X}", expected.len() / 2);
        assert_eq!(hex::encode_upper(writer.finish()), header + expected);
    }
}

#[test]
fn a_message_cut_anywhere_is_an_error() {
    for (hex, _) in examples() {
        let whole = bytes(hex);
        for length in 0..whole.len() {
            let error = parse(&Bytes::copy_from_slice(&whole[..length]), &Limits::default()).unwrap_err();
            let Error { kind: ErrorKind::Truncated { need, have }, offset: 0, path } = *error else {
                panic!("{hex} cut to {length} bytes");
            };
            let (expected, header) = if length < 8 { (8, 0) } else { (whole.len() - 8, 8) };
            assert_eq!(have, length - header);
            assert!(have < need && need <= expected, "{hex} cut to {length} bytes: needs {need}");
            assert_eq!(path.is_empty(), length < 8);
        }
    }
}

/// An error of the one wrong item within 420020, which begins at byte 8.
fn inner(item: &str) -> Error {
    let item = bytes(item);
    let whole = [bytes("42002001"), u32::try_from(item.len()).unwrap().to_be_bytes().into(), item].concat();
    *parse(&whole.into(), &Limits::default()).unwrap_err()
}

#[test]
fn an_item_longer_than_its_structure_is_an_error_there() {
    let error = inner("420021 02 00000004 0000000100000000 420022 08 00000009 0102030405060708");
    assert_eq!(error.kind, ErrorKind::Truncated { need: 9, have: 8 });
    assert_eq!((error.offset, error.path), (24, vec![TAG, Tag::new(0x42_0022)]));
    // The bytes are there, but behind the structure's end.
    let error = read("420020 01 00000010 420021 08 00000010 0102030405060708 0102030405060708").unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::Truncated { need: 16, have: 8 }, 8));
}

#[test]
fn a_length_of_4_gib_is_only_a_number() {
    for kind in 1..=11 {
        let error = read(&format!("420020 {kind:02X} FFFFFFFF 0000000000000000")).unwrap_err();
        assert_eq!(error.kind, ErrorKind::Truncated { need: 0xFFFF_FFFF, have: 8 });
        assert_eq!((error.offset, error.path), (0, vec![TAG]));
    }
}

#[test]
fn padding_is_zero() {
    for (item, offset) in [
        ("420021 02 00000004 0000000100000001", 8 + 12),
        ("420021 05 00000004 0000000101000000", 8 + 12),
        ("420021 0A 00000004 0000000100010000", 8 + 12),
        ("420021 07 00000007 4142434445464720", 8 + 15),
        ("420021 08 00000001 01000000000000FF", 8 + 9),
    ] {
        let error = inner(item);
        assert_eq!(error.kind, ErrorKind::InvalidPadding, "{item}");
        assert_eq!((error.offset, error.path), (offset, vec![TAG, Tag::new(0x42_0021)]), "{item}");
    }
}

#[test]
fn each_type_has_its_lengths() {
    use ItemType::*;
    for (item, code, good) in [
        (Integer, 2, &[4][..]),
        (LongInteger, 3, &[8]),
        (BigInteger, 4, &[8, 16, 24]),
        (Enumeration, 5, &[4]),
        (Boolean, 6, &[8]),
        (DateTime, 9, &[8]),
        (Interval, 10, &[4]),
        (DateTimeExtended, 11, &[8]),
    ] {
        for length in (0..=24_usize).filter(|length| !good.contains(length)) {
            let error = inner(&format!("420021 {code:02X} {length:08X} {}", "00".repeat(length.next_multiple_of(8))));
            assert_eq!(error.kind, ErrorKind::InvalidLength { item, length });
            assert_eq!((error.offset, error.path), (8, vec![TAG, Tag::new(0x42_0021)]));
        }
    }
    // A structure holds whole items; what is left of one is a header cut short.
    for length in 1..8 {
        let error = inner(&format!("420021 01 {length:08X} 0000000000000000"));
        assert_eq!(error.kind, ErrorKind::InvalidLength { item: Structure, length }, "{length}");
    }
}

#[test]
fn types_tags_booleans_and_texts_that_do_not_exist() {
    let tag = Tag::new(0x42_0021);
    for code in (0..=0).chain(12..=255) {
        let error = inner(&format!("420021 {code:02X} 00000008 0000000000000000"));
        assert_eq!((error.kind, error.offset), (ErrorKind::InvalidType(code), 8));
        assert_eq!(error.path, [TAG, tag]);
    }
    for first in (0..=255).filter(|first| !matches!(first, 0x42 | 0x54)) {
        let error = inner(&format!("{first:02X}0021 02 00000004 0000000000000000"));
        assert_eq!((error.kind, error.offset), (ErrorKind::InvalidTag(first << 16 | 0x21), 8));
        assert_eq!(error.path, [TAG]);
    }
    for value in ["0000000000000002", "0100000000000000", "0000000100000000", "FFFFFFFFFFFFFFFF"] {
        let error = inner(&format!("420021 06 00000008 {value}"));
        assert_eq!((error.kind, error.offset, error.path), (ErrorKind::InvalidBoolean, 8, vec![TAG, tag]));
    }
    for value in ["FF00000000000000", "C000000000000000", "ED00000000000000"] {
        let error = inner(&format!("420021 07 00000001 {value}"));
        assert_eq!((error.kind, error.offset, error.path), (ErrorKind::InvalidUtf8, 8, vec![TAG, tag]));
    }
}

#[test]
fn nothing_follows_the_end() {
    for more in 1..=9 {
        let error = read(&format!("420020 02 00000004 0000000800000000 {}", "00".repeat(more))).unwrap_err();
        assert_eq!((error.kind, error.offset), (ErrorKind::Trailing(more), 16));
    }
}

/// Structures within each other, `depth` in all.
fn nested(depth: usize) -> Vec<u8> {
    let mut element = Element::new(TAG, Value::Structure(Vec::new()));
    for _ in 1..depth {
        element = Element::new(TAG, Value::Structure(vec![element]));
    }
    write(&element)
}

#[test]
fn depth_is_limited() {
    let limits = Limits { depth: 5, items: 100 };
    assert!(parse(&nested(5).into(), &limits).is_ok());
    let error = parse(&nested(6).into(), &limits).unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::TooDeep(5), 6 * 8));
    assert_eq!(error.path, [TAG; 6]);
    let default = Limits::default().depth;
    assert!(parse(&nested(default).into(), &Limits::default()).is_ok());
    assert!(parse(&nested(default + 1).into(), &Limits::default()).is_err());
}

#[test]
fn items_are_limited() {
    let limits = Limits { depth: 5, items: 3 };
    let structure = |count| write(&Element::new(TAG, Value::Structure(vec![integer(0x42_0021, 7); count])));
    assert!(parse(&structure(2).into(), &limits).is_ok());
    let error = parse(&structure(3).into(), &limits).unwrap_err();
    assert_eq!((error.kind, error.offset), (ErrorKind::TooManyItems(3), 8 + 2 * 16));
    assert_eq!(error.path, [TAG]);
}

#[test]
fn errors_are_told_with_their_place() {
    let error = inner("420094 06 00000008 0000000000000002");
    let expected = "a Boolean is neither 0 nor 1 at byte 8 in Compromise Date / Unique Identifier";
    assert_eq!(error.to_string(), expected);
    let name = ErrorKind::UnknownAttribute("a\n\"b".into());
    assert_eq!(name.to_string(), r#"there is no attribute "a\n\"b""#);
}

#[test]
fn contents_are_not_shown() {
    let items = vec![
        Element::new(TAG, text("secret!!")),
        Element::new(TAG, blob(b"secret!!")),
        Element::new(TAG, Value::BigInteger(Blob::copy_of(b"secret!!"))),
    ];
    let shown = format!("{:?}", Element::new(TAG, Value::Structure(items)));
    assert!(!shown.contains("secret") && !shown.contains("115"), "{shown}");
    assert_eq!(shown.matches("8 bytes").count(), 3);
}

#[test]
fn frames_tell_their_length() {
    let head = bytes("420078 01 00000120");
    for length in 0..8 {
        assert_eq!(frame::length(&head[..length], 1024), Ok(None));
    }
    assert_eq!(frame::length(&head, 1024), Ok(Some(0x128)));
    assert_eq!(frame::length(&[head.clone(), vec![0xff; 9]].concat(), 0x128), Ok(Some(0x128)));
    let fail = |head: &str| frame::length(&bytes(head), 0x127).map_err(|error| (error.kind, error.offset));
    assert_eq!(fail("420078 01 00000120"), Err((ErrorKind::TooLong { length: 0x128, limit: 0x127 }, 4)));
    assert_eq!(fail("420078 01 FFFFFFFF"), Err((ErrorKind::TooLong { length: 0x1_0000_0007, limit: 0x127 }, 4)));
    assert_eq!(fail("420078 02 00000004"), Err((ErrorKind::InvalidType(2), 3)));
    assert_eq!(fail("470045 54 202F2048"), Err((ErrorKind::InvalidTag(0x47_0045), 0)));
}

#[test]
fn a_writer_takes_back_what_was_too_much() {
    let mut writer = Writer::new(Version::V1_0);
    assert!(writer.is_empty());
    let start = writer.open(TAG);
    writer.integer(Tag::new(0x42_0021), 1);
    let length = writer.len();
    writer.text(Tag::new(0x42_0022), &"x".repeat(2000));
    writer.truncate(length);
    writer.close(start);
    assert_eq!(
        hex::encode_upper(writer.finish()),
        "4200200100000010420021020000000400000001 00000000".replace(' ', "")
    );
}

fn values() -> impl Strategy<Value = Value> {
    let big = proptest::collection::vec(any::<u64>(), 1..4)
        .prop_map(|words| Value::BigInteger(Blob::new(words.iter().flat_map(|word| word.to_be_bytes()).collect())));
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        big,
        any::<u32>().prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        any::<String>().prop_map(|string| Value::TextString(Text::from(string))),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::ByteString(Blob::new(bytes))),
        any::<i64>().prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
        any::<i64>().prop_map(Value::DateTimeExtended),
    ];
    leaf.prop_recursive(6, 64, 8, |inner| {
        let element = (tags(), inner).prop_map(|(tag, value)| Element::new(tag, value));
        proptest::collection::vec(element, 0..8).prop_map(Value::Structure)
    })
}

fn tags() -> impl Strategy<Value = Tag> {
    (prop_oneof![Just(0x42_0000_u32), Just(0x54_0000)], any::<u16>())
        .prop_map(|(high, low)| Tag::new(high | u32::from(low)))
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(tag in tags(), value in values()) {
        let element = Element::new(tag, value);
        let binary = write(&element);
        let read = parse(&binary.clone().into(), &Limits::default()).unwrap();
        prop_assert_eq!(&read, &element);
        prop_assert_eq!(write(&read), binary);
    }

    #[test]
    fn random_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(element) = parse(&bytes.clone().into(), &Limits::default()) {
            prop_assert_eq!(write(&element), bytes);
        }
    }

    #[test]
    fn changed_elements_are_read_or_refused(
        value in values(), place in any::<prop::sample::Index>(), byte in any::<u8>(), cut in any::<prop::sample::Index>(),
    ) {
        let mut binary = write(&Element::new(TAG, value));
        let place = place.index(binary.len());
        binary[place] = byte;
        for bytes in [&binary[..], &binary[..cut.index(binary.len())]] {
            match parse(&Bytes::copy_from_slice(bytes), &Limits::default()) {
                Ok(element) => prop_assert_eq!(write(&element), bytes),
                Err(error) => prop_assert!(error.offset <= bytes.len(), "{}", error),
            }
        }
    }
}
