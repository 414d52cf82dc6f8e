//! The JSON encoding by value, what it refuses and where, and that it loses nothing.

use proptest::prelude::*;

use super::{read, write};
use crate::spec::Tag;
use crate::text::xml::tests::{attribute, blob, create, tags, text, values};
use crate::text::{TextError, TextErrorKind, xml};
use crate::ttlv::{Element, Limits, Value};
use crate::types::ProtocolVersion;

fn element(json: &str) -> Result<Element, TextError> {
    read(json, &Limits::default())
}

/// Every kind of value, in the forms of §4.1.6.
const REQUEST: &str = r#"{"tag":"RequestMessage","value":[
  {"tag":"RequestHeader","type":"Structure","value":[
    {"tag":"ProtocolVersion","value":[
      {"tag":"ProtocolVersionMajor","type":"Integer","value":"0x00000001"},
      {"tag":"ProtocolVersionMinor","type":"Integer","value":2}
    ]},
    {"tag":"BatchOrderOption","type":"Boolean","value":true},
    {"tag":"TimeStamp","type":"DateTime","value":"2008-03-14T12:56:40+01:00"},
    {"tag":"BatchCount","type":"Integer","value":1}
  ]},
  {"tag":"BatchItem","value":[
    {"tag":"Operation","type":"Enumeration","value":"Create"},
    {"tag":"UniqueBatchItemID","type":"ByteString","value":"aBcD"},
    {"tag":"RequestPayload","value":[
      {"tag":"ObjectType","type":"Enumeration","value":2},
      {"tag":"TemplateAttribute","value":[
        {"tag":"Attribute","value":[
          {"tag":"AttributeName","type":"TextString","value":"Cryptographic Usage Mask"},
          {"tag":"AttributeValue","type":"Integer","value":"Encrypt|Decrypt|0x80000000"}
        ]},
        {"tag":"0x54ABCD","name":"Ours","type":"TextString","value":"a\"\\ \u00e4\n"},
        {"value":"0xffffffffffffffff","type":"LongInteger","tag":"UsageLimitsCount"}
      ]}
    ]}
  ]}
]}
"#;

#[test]
fn a_request_by_value() {
    let expected = create(vec![
        attribute("Cryptographic Usage Mask", Value::Integer(i32::MIN | 0xC)),
        Element::new(Tag::new(0x54_ABCD), text("a\"\\ ä\n")),
        Element::new(Tag::UsageLimitsCount, Value::LongInteger(-1)),
    ]);
    assert_eq!(element(REQUEST).unwrap(), expected);
    let written = write(&expected).unwrap();
    assert_eq!(element(&written).unwrap(), expected);
    // What any other reader of JSON would see.
    let plain: serde_json::Value = serde_json::from_str(&written).unwrap();
    let at = |pointer: &str| plain.pointer(pointer).unwrap().clone();
    assert_eq!(
        at("/value/0/value/0/value/1"),
        serde_json::json!({"tag": "ProtocolVersionMinor", "type": "Integer", "value": 2})
    );
    assert_eq!(at("/value/0/value/1/value"), serde_json::json!(true));
    assert_eq!(at("/value/0/value/2/value"), "2008-03-14T11:56:40Z");
    assert_eq!(at("/value/1/value/1/value"), "abcd");
    assert_eq!(at("/value/1/value/2/value/0/value"), "SymmetricKey");
    let template = "/value/1/value/2/value/1/value";
    assert_eq!(at(&format!("{template}/0/value/1/value")), "Encrypt|Decrypt|0x80000000");
    assert_eq!(
        at(&format!("{template}/1")),
        serde_json::json!({"tag": "0x54abcd", "type": "TextString", "value": "a\"\\ ä\n"})
    );
    assert_eq!(at(&format!("{template}/2/value")), -1);
}

#[test]
fn the_seed_is_this_request() {
    crate::tests::seed("json", "request", REQUEST.as_bytes());
}

#[test]
fn leaves_by_value() {
    let long = |number| (Tag::UsageLimitsCount, Value::LongInteger(number));
    for (tag, kind, json, (expected_tag, value)) in [
        ("BatchCount", "Integer", "-1", (Tag::BatchCount, Value::Integer(-1))),
        ("BatchCount", "Integer", r#""0x0000000A""#, (Tag::BatchCount, Value::Integer(10))),
        ("0x42000D", "Integer", r#""0xffffffff""#, (Tag::BatchCount, Value::Integer(-1))),
        (
            "CryptographicUsageMask",
            "Integer",
            r#""CertificateSign|0x00000004|0x00000008""#,
            (Tag::CryptographicUsageMask, Value::Integer(0x100C)),
        ),
        ("CryptographicUsageMask", "Integer", "12", (Tag::CryptographicUsageMask, Value::Integer(12))),
        ("CryptographicUsageMask", "Integer", r#""""#, (Tag::CryptographicUsageMask, Value::Integer(0))),
        ("UsageLimitsCount", "LongInteger", "-2", long(-2)),
        ("UsageLimitsCount", "LongInteger", r#""0xfffffffffffffffe""#, long(-2)),
        ("UsageLimitsCount", "LongInteger", r#""0x1000000000000000""#, long(1 << 60)),
        ("UsageLimitsCount", "LongInteger", "4503599627370495", long((1 << 52) - 1)),
        ("P", "BigInteger", "0", (Tag::P, Value::BigInteger(blob(&[0; 8])))),
        ("P", "BigInteger", "-1", (Tag::P, Value::BigInteger(blob(&[0xff; 8])))),
        (
            "P",
            "BigInteger",
            r#""0x00000000000000000000000000000102""#,
            (Tag::P, Value::BigInteger(blob(&[&[0; 14][..], &[1, 2]].concat()))),
        ),
        ("ObjectType", "Enumeration", "2", (Tag::ObjectType, Value::Enumeration(2))),
        ("ObjectType", "Enumeration", "4294967295", (Tag::ObjectType, Value::Enumeration(u32::MAX))),
        ("ObjectType", "Enumeration", r#""0x80000002""#, (Tag::ObjectType, Value::Enumeration(0x8000_0002))),
        ("ObjectType", "Enumeration", r#""SymmetricKey""#, (Tag::ObjectType, Value::Enumeration(2))),
        ("BatchOrderOption", "Boolean", "false", (Tag::BatchOrderOption, Value::Boolean(false))),
        ("BatchOrderOption", "Boolean", r#""0x0000000000000001""#, (Tag::BatchOrderOption, Value::Boolean(true))),
        ("Username", "TextString", r#""""#, (Tag::Username, text(""))),
        ("Data", "ByteString", r#""C50F77""#, (Tag::Data, Value::ByteString(blob(&[0xC5, 0x0F, 0x77])))),
        ("ArchiveDate", "DateTime", r#""0x000000003a505520""#, (Tag::ArchiveDate, Value::DateTime(978_343_200))),
        // Fractions are dropped (§4.1.6.11).
        (
            "ArchiveDate",
            "DateTime",
            r#""2001-01-01T10:00:00.9+10:00""#,
            (Tag::ArchiveDate, Value::DateTime(978_307_200)),
        ),
        ("Offset", "Interval", "27", (Tag::Offset, Value::Interval(27))),
        ("Offset", "Interval", r#""0x0000001b""#, (Tag::Offset, Value::Interval(27))),
        (
            "TimeStamp",
            "DateTimeExtended",
            r#""1970-01-01T00:00:01.000002Z""#,
            (Tag::TimeStamp, Value::DateTimeExtended(1_000_002)),
        ),
        ("RequestPayload", "Structure", "null", (Tag::RequestPayload, Value::Structure(Vec::new()))),
        ("RequestPayload", "Structure", "[]", (Tag::RequestPayload, Value::Structure(Vec::new()))),
    ] {
        let json = format!(r#"{{"tag":"{tag}","type":"{kind}","value":{json}}}"#);
        let expected = Element::new(expected_tag, value);
        assert_eq!(element(&json).as_ref(), Ok(&expected), "{json}");
        assert_eq!(element(&write(&expected).unwrap()), Ok(expected), "{json}");
    }
    let empty = Element::new(Tag::RequestPayload, Value::Structure(Vec::new()));
    assert_eq!(element(r#"{"tag":"RequestPayload"}"#), Ok(empty));
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use TextErrorKind::*;
    for (json, kind) in [
        ("", NotOne),
        (" \n ", NotOne),
        ("{", Malformed),
        (r#"{"tag":"BatchItem"} {}"#, Malformed),
        (r#"{"tag":"BatchItem",}"#, Malformed),
        (r#"{'tag':'BatchItem'}"#, Malformed),
        ("[]", Unexpected),
        ("1", Unexpected),
        (r#"{"tag":"BatchItem","tag":"BatchItem"}"#, Unexpected),
        (r#"{"tag":"BatchItem","kind":"x"}"#, Unexpected),
        (r#"{"tag":"BatchItem","name":1}"#, Unexpected),
        (r#"{"tag":1}"#, Unexpected),
        (r#"{"tag":"BatchItem","type":null}"#, Unexpected),
        (r#"{"tag":"BatchItem","value":[1]}"#, Unexpected),
        ("{}", UnknownTag),
        (r#"{"tag":"Nonsense"}"#, UnknownTag),
        (r#"{"tag":"0x430001"}"#, UnknownTag),
        (r#"{"tag":"BatchCount","type":"Identifier","value":1}"#, UnknownType),
        (r#"{"tag":"BatchCount","type":"Integer"}"#, Shape),
        (r#"{"tag":"BatchCount","type":"Integer","value":null}"#, Shape),
        (r#"{"tag":"BatchCount","type":"Integer","value":1.0}"#, Shape),
        (r#"{"tag":"BatchCount","type":"Integer","value":[]}"#, Shape),
        (r#"{"tag":"BatchItem","value":"x"}"#, Shape),
        (r#"{"tag":"BatchItem","value":{}}"#, Shape),
        (r#"{"tag":"ArchiveDate","type":"DateTime","value":978343200}"#, Shape),
        (r#"{"tag":"BatchCount","type":"Integer","value":2147483648}"#, InvalidValue),
        (r#"{"tag":"BatchCount","type":"Integer","value":"10"}"#, InvalidValue),
        (r#"{"tag":"BatchCount","type":"Integer","value":"0x0A"}"#, InvalidValue),
        (r#"{"tag":"UsageLimitsCount","type":"LongInteger","value":4503599627370496}"#, InvalidValue),
        (r#"{"tag":"UsageLimitsCount","type":"LongInteger","value":"-2"}"#, InvalidValue),
        (r#"{"tag":"P","type":"BigInteger","value":"0000000000000000"}"#, InvalidValue),
        (r#"{"tag":"P","type":"BigInteger","value":"0x01"}"#, InvalidValue),
        (r#"{"tag":"BatchOrderOption","type":"Boolean","value":"true"}"#, InvalidValue),
        (r#"{"tag":"Data","type":"ByteString","value":"0xab"}"#, InvalidValue),
        (r#"{"tag":"Offset","type":"Interval","value":-1}"#, InvalidValue),
        (r#"{"tag":"ObjectType","type":"Enumeration","value":-1}"#, InvalidValue),
        (r#"{"tag":"Operation","type":"Enumeration","value":"Gets"}"#, UnknownName),
        (r#"{"tag":"CryptographicUsageMask","type":"Integer","value":"Encrypt|Dig"}"#, UnknownName),
    ] {
        assert_eq!(element(json).map_err(|error| error.kind), Err(kind), "{json}");
    }
    let error = element("{\"tag\":\"BatchItem\",\n\"value\":[}").unwrap_err();
    assert_eq!(error.to_string(), "the text is not well-formed at line 2, column 10");
    let error = element(&REQUEST.replace("\"Create\"", "\"Make\"")).unwrap_err();
    assert_eq!(error.to_string(), "the tables have no value of this name in Request Message / Batch Item / Operation");
    // An answer can have the version of what was not understood.
    assert_eq!(error.version, Some(ProtocolVersion { major: 1, minor: 2 }));
}

#[test]
fn limits_are_kept() {
    let limits = Limits { depth: 3, items: 5 };
    let nested = |depth: usize| {
        "{\"tag\":\"BatchItem\",\"value\":[".repeat(depth - 1)
            + "{\"tag\":\"BatchItem\",\"value\":[]}"
            + &"]}".repeat(depth - 1)
    };
    assert!(read(&nested(3), &limits).is_ok());
    assert_eq!(read(&nested(4), &limits).unwrap_err().kind, TextErrorKind::TooDeep);
    let wide =
        |count: usize| format!(r#"{{"tag":"BatchItem","value":[{}]}}"#, vec![r#"{"tag":"Data"}"#; count].join(","));
    assert!(read(&wide(4), &limits).is_ok());
    assert_eq!(read(&wide(5), &limits).unwrap_err().kind, TextErrorKind::TooManyItems);
    // Before any of it is an item.
    let many = format!("[{}]", vec!["0"; 1000].join(","));
    assert_eq!(read(&many, &limits).unwrap_err().kind, TextErrorKind::TooManyItems);
    assert_eq!(read(&"[".repeat(100_000), &Limits::default()).unwrap_err().kind, TextErrorKind::Malformed);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(tag in tags(), value in values()) {
        let expected = Element::new(tag, value);
        prop_assert_eq!(element(&write(&expected).unwrap()), Ok(expected.clone()));
        // And both texts are of the same element.
        let xml = xml::write(&expected).unwrap();
        prop_assert_eq!(xml::read(&xml, &Limits::default()), Ok(expected));
    }

    #[test]
    fn any_text_is_read_or_refused(json in "[{}\\[\\]:,\"a-z0-9tagypevlu\\\\ ]{0,80}") {
        let _ = element(&json);
    }

    #[test]
    fn a_changed_message_is_read_or_refused(place in any::<prop::sample::Index>(), with in any::<char>()) {
        let mut characters: Vec<char> = REQUEST.chars().collect();
        let place = place.index(characters.len());
        characters[place] = with;
        let _ = element(&characters.into_iter().collect::<String>());
    }
}
