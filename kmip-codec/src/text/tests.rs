//! The XML encoding by value, what it refuses and where, and that it loses nothing.

use proptest::prelude::*;

use super::{read, write};
use crate::spec::Tag;
use crate::text::{TextError, TextErrorKind};
use crate::ttlv::{Blob, Element, Limits, Value};

fn element(xml: &str) -> Result<Element, TextError> {
    read(xml, &Limits::default())
}

const REQUEST: &str = r#"<?xml version="1.0" encoding="UTF-8"?>
<!-- a request of 1.2 -->
<RequestMessage xmlns="urn:oasis:tc:kmip:xmlns">
  <RequestHeader type="Structure">
    <ProtocolVersion>
      <ProtocolVersionMajor type="Integer" value="1"/>
      <ProtocolVersionMinor type="Integer" value="2"/>
    </ProtocolVersion>
    <BatchOrderOption type="Boolean" value="true"/>
    <TimeStamp type="DateTime" value="2008-03-14T12:56:40+01:00"/>
    <BatchCount type="Integer" value="1"/>
  </RequestHeader>
  <BatchItem>
    <Operation type="Enumeration" value="Create"/>
    <UniqueBatchItemID type="ByteString" value="aBcD"/>
    <RequestPayload>
      <ObjectType type="Enumeration" value="SymmetricKey"/>
      <TemplateAttribute>
        <Attribute>
          <AttributeName type="TextString" value="Cryptographic Algorithm"/>
          <AttributeValue type="Enumeration" value="DES3"/>
        </Attribute>
        <Attribute>
          <AttributeName type="TextString" value="Cryptographic Usage Mask"/>
          <AttributeValue type="Integer" value="Encrypt  Decrypt 0x80000000"/>
        </Attribute>
        <TTLV tag="0x54ABCD" name="Ours" type="TextString" value="a&lt;b &#228;&amp;"/>
      </TemplateAttribute>
    </RequestPayload>
  </BatchItem>
</RequestMessage>
"#;

pub(crate) fn text(text: &str) -> Value {
    Value::TextString(text.into())
}

pub(crate) fn blob(bytes: &[u8]) -> Blob {
    Blob::copy_of(bytes)
}

pub(crate) fn structure(tag: Tag, elements: Vec<Element>) -> Element {
    Element::new(tag, Value::Structure(elements))
}

pub(crate) fn attribute(name: &str, value: Value) -> Element {
    let (name, value) = (Element::new(Tag::AttributeName, text(name)), Element::new(Tag::AttributeValue, value));
    structure(Tag::Attribute, vec![name, value])
}

/// The request that each encoding has by value: a Create of 1.2 with this Template-Attribute.
pub(crate) fn create(template: Vec<Element>) -> Element {
    let version = vec![
        Element::new(Tag::ProtocolVersionMajor, Value::Integer(1)),
        Element::new(Tag::ProtocolVersionMinor, Value::Integer(2)),
    ];
    let header = vec![
        structure(Tag::ProtocolVersion, version),
        Element::new(Tag::BatchOrderOption, Value::Boolean(true)),
        Element::new(Tag::TimeStamp, Value::DateTime(1_205_495_800)),
        Element::new(Tag::BatchCount, Value::Integer(1)),
    ];
    let payload =
        vec![Element::new(Tag::ObjectType, Value::Enumeration(2)), structure(Tag::TemplateAttribute, template)];
    let item = vec![
        Element::new(Tag::Operation, Value::Enumeration(1)),
        Element::new(Tag::UniqueBatchItemID, Value::ByteString(blob(&[0xAB, 0xCD]))),
        structure(Tag::RequestPayload, payload),
    ];
    structure(Tag::RequestMessage, vec![structure(Tag::RequestHeader, header), structure(Tag::BatchItem, item)])
}

#[test]
fn a_request_by_value() {
    let expected = create(vec![
        attribute("Cryptographic Algorithm", Value::Enumeration(2)),
        attribute("Cryptographic Usage Mask", Value::Integer(i32::MIN | 0xC)),
        Element::new(Tag::new(0x54_ABCD), text("a<b ä&")),
    ]);
    assert_eq!(element(REQUEST).unwrap(), expected);
    let written = write(&expected).unwrap();
    assert_eq!(element(&written).unwrap(), expected);
    for line in [
        "    <TimeStamp type=\"DateTime\" value=\"2008-03-14T11:56:40Z\"/>\n",
        "    <UniqueBatchItemID type=\"ByteString\" value=\"abcd\"/>\n",
        "          <AttributeValue type=\"Enumeration\" value=\"DES3\"/>\n",
        "value=\"Encrypt Decrypt 0x80000000\"/>\n",
        "        <TTLV tag=\"0x54abcd\" type=\"TextString\" value=\"a&lt;b ä&amp;\"/>\n",
    ] {
        assert!(written.contains(line), "{line} in {written}");
    }
}

#[test]
fn the_seed_is_this_request() {
    crate::tests::seed("xml", "request", REQUEST.as_bytes());
}

#[test]
fn leaves_by_value() {
    for (xml, tag, value) in [
        (r#"<BatchCount type="Integer" value="-1"/>"#, Tag::BatchCount, Value::Integer(-1)),
        (r#"<BatchCount type="Integer" value="0xffffffff"/>"#, Tag::BatchCount, Value::Integer(-1)),
        (
            r#"<CryptographicUsageMask type="Integer" value="CertificateSign 0x0000000c"/>"#,
            Tag::CryptographicUsageMask,
            Value::Integer(0x100C),
        ),
        (r#"<CryptographicUsageMask type="Integer" value="12"/>"#, Tag::CryptographicUsageMask, Value::Integer(12)),
        (
            r#"<UsageLimitsCount type="LongInteger" value="1152921504606846976"/>"#,
            Tag::UsageLimitsCount,
            Value::LongInteger(1 << 60),
        ),
        (
            r#"<P type="BigInteger" value="00000000000000ff"/>"#,
            Tag::P,
            Value::BigInteger(blob(&[0, 0, 0, 0, 0, 0, 0, 0xff])),
        ),
        (r#"<ObjectType type="Enumeration" value="0x80000002"/>"#, Tag::ObjectType, Value::Enumeration(0x8000_0002)),
        (r#"<BatchOrderOption type="Boolean" value="0"/>"#, Tag::BatchOrderOption, Value::Boolean(false)),
        (r#"<Username type="TextString" value=""/>"#, Tag::Username, text("")),
        (r#"<Username type="TextString" value="a&#10;b"/>"#, Tag::Username, text("a\nb")),
        (r#"<Data type="ByteString" value=""/>"#, Tag::Data, Value::ByteString(blob(&[]))),
        (
            r#"<ArchiveDate type="DateTime" value="2001-01-01T10:00:00+10:00"/>"#,
            Tag::ArchiveDate,
            Value::DateTime(978_307_200),
        ),
        (r#"<ArchiveDate type="DateTime" value="0x7fffffffffffffff"/>"#, Tag::ArchiveDate, Value::DateTime(i64::MAX)),
        (r#"<LeaseTime type="Interval" value="4294967295"/>"#, Tag::LeaseTime, Value::Interval(u32::MAX)),
        (
            r#"<TimeStamp type="DateTimeExtended" value="1970-01-01T00:00:01.000002Z"/>"#,
            Tag::TimeStamp,
            Value::DateTimeExtended(1_000_002),
        ),
        (r#"<TTLV tag="0x42005C" type="Enumeration" value="Get"/>"#, Tag::Operation, Value::Enumeration(0x0A)),
        (
            r#"<AttributeReference type="Enumeration" value="ActivationDate"/>"#,
            Tag::AttributeReference,
            Value::Enumeration(0x42_0001),
        ),
        ("<RequestPayload/>", Tag::RequestPayload, Value::Structure(Vec::new())),
        ("<RequestPayload></RequestPayload>", Tag::RequestPayload, Value::Structure(Vec::new())),
    ] {
        let expected = Element::new(tag, value);
        assert_eq!(element(xml).as_ref(), Ok(&expected), "{xml}");
        assert_eq!(element(&write(&expected).unwrap()), Ok(expected), "{xml}");
    }
}

#[test]
fn what_is_wrong_is_named_with_its_place() {
    use TextErrorKind::*;
    for (xml, kind) in [
        ("", NotOne),
        ("  ", NotOne),
        ("<BatchItem/><BatchItem/>", NotOne),
        ("<BatchItem></BatchItem><BatchItem></BatchItem>", NotOne),
        ("<BatchItem>", Malformed),
        ("<BatchItem></RequestHeader>", Malformed),
        ("</BatchItem>", Malformed),
        ("<BatchItem", Malformed),
        (r#"<BatchCount type="Integer" type="Integer" value="1"/>"#, Malformed),
        (r#"<Username type="TextString" value="&who;"/>"#, Malformed),
        ("<BatchItem>text</BatchItem>", Unexpected),
        ("<BatchItem>&amp;</BatchItem>", Unexpected),
        ("<BatchItem><![CDATA[x]]></BatchItem>", Unexpected),
        ("<!DOCTYPE a [<!ENTITY b \"c\">]><BatchItem/>", Unexpected),
        (r#"<BatchItem kind="x"/>"#, Unexpected),
        (r#"<BatchItem tag="0x42000F"/>"#, Unexpected),
        ("<Nonsense/>", UnknownTag),
        ("<TTLV/>", UnknownTag),
        (r#"<TTLV tag="0x430001"/>"#, UnknownTag),
        (r#"<TTLV tag="0x4200"/>"#, UnknownTag),
        (r#"<BatchCount type="Identifier" value="1"/>"#, UnknownType),
        (r#"<BatchCount type="Integer"/>"#, Shape),
        (r#"<BatchCount type="Integer" value="1"></BatchCount>"#, Shape),
        (r#"<BatchItem value="1"/>"#, Shape),
        (r#"<BatchCount type="Integer" value="2147483648"/>"#, InvalidValue),
        (r#"<BatchCount type="Integer" value="0x01"/>"#, InvalidValue),
        (r#"<BatchCount type="Integer" value="$COUNT"/>"#, InvalidValue),
        (r#"<P type="BigInteger" value="01"/>"#, InvalidValue),
        (r#"<P type="BigInteger" value=""/>"#, InvalidValue),
        (r#"<Data type="ByteString" value="abc"/>"#, InvalidValue),
        (r#"<Data type="ByteString" value="0xab"/>"#, InvalidValue),
        (r#"<Data type="ByteString" value="ää"/>"#, InvalidValue),
        (r#"<BatchOrderOption type="Boolean" value="TRUE"/>"#, InvalidValue),
        (r#"<TimeStamp type="DateTime" value="now"/>"#, InvalidValue),
        (r#"<TimeStamp type="DateTime" value="2001-02-30T00:00:00Z"/>"#, InvalidValue),
        (r#"<LeaseTime type="Interval" value="-1"/>"#, InvalidValue),
        (r#"<Operation type="Enumeration" value="Gets"/>"#, UnknownName),
        (r#"<Username type="Enumeration" value="Get"/>"#, UnknownName),
        (r#"<CryptographicUsageMask type="Integer" value="Encrypt Dig"/>"#, UnknownName),
    ] {
        let error = element(xml).unwrap_err();
        assert_eq!((error.kind, error.line), (kind, 1), "{xml}");
        let below = element(&format!("\n\n <RequestPayload>\n{xml}")).unwrap_err();
        assert!(below.line >= 4, "{xml}: {below}");
    }
    let error = element("<BatchItem>\n  <Operation type=\"Enumeration\" value=\"Gets\"/>\n</BatchItem>").unwrap_err();
    assert_eq!(error.to_string(), "the tables have no value of this name at line 2, column 47 in Batch Item");
}

#[test]
fn limits_are_kept() {
    let limits = Limits { depth: 3, items: 5 };
    let nested = |depth: usize| "<BatchItem>".repeat(depth) + &"</BatchItem>".repeat(depth);
    assert!(read(&nested(3), &limits).is_ok());
    assert_eq!(read(&nested(4), &limits).unwrap_err().kind, TextErrorKind::TooDeep);
    let wide = |count: usize| format!("<BatchItem>{}</BatchItem>", "<RequestPayload/>".repeat(count));
    assert!(read(&wide(4), &limits).is_ok());
    assert_eq!(read(&wide(5), &limits).unwrap_err().kind, TextErrorKind::TooManyItems);
}

#[test]
fn a_character_that_xml_lacks_is_refused() {
    for character in ['\0', '\x1f', '\u{ffff}'] {
        let error = write(&Element::new(Tag::Username, text(&format!("a{character}")))).unwrap_err();
        assert_eq!(error.kind, TextErrorKind::Unwritable);
    }
}

/// The messages of the published test cases, if they are at hand, see `spec::reference`.
#[test]
fn messages_of_the_test_cases_are_read_and_written() {
    let Some(folder) = std::env::var_os("KMIPD_REFERENCE") else { return };
    let folder = std::path::Path::new(&folder).join("kmip/testcases");
    let mut count = 0;
    for version in ["1.0", "1.2", "1.4", "2.0", "2.1"] {
        let groups = std::fs::read_dir(folder.join(version)).unwrap();
        let files = groups.flat_map(|group| std::fs::read_dir(group.unwrap().path()).unwrap());
        for path in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "xml")) {
            let content = std::fs::read_to_string(&path).unwrap();
            for end in ["RequestMessage", "ResponseMessage"] {
                let (start, end) = (format!("<{end}>"), format!("</{end}>"));
                for message in content.split(&start).skip(1) {
                    let message = message.split(&end).next().unwrap();
                    // What a run fills in, and names that no table has.
                    if ["$", "\"ContentCommitment\"", "\"NotAuthorized\""].iter().any(|odd| message.contains(odd)) {
                        continue;
                    }
                    let read = element(&format!("{start}{message}{end}"));
                    let read = read.unwrap_or_else(|error| panic!("{}: {error}: {message}", path.display()));
                    assert_eq!(element(&write(&read).unwrap()), Ok(read), "{}", path.display());
                    count += 1;
                }
            }
        }
    }
    assert!(count > 100, "{count}");
}

pub(in crate::text) fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        any::<i32>().prop_map(Value::Integer),
        any::<i64>().prop_map(Value::LongInteger),
        any::<i64>().prop_map(|number| Value::BigInteger(blob(&number.to_be_bytes()))),
        prop_oneof![any::<u32>(), 0_u32..40].prop_map(Value::Enumeration),
        any::<bool>().prop_map(Value::Boolean),
        "[\\PC\t\r\n]{0,20}".prop_map(|string| text(&string)),
        proptest::collection::vec(any::<u8>(), 0..40).prop_map(|bytes| Value::ByteString(blob(&bytes))),
        prop_oneof![any::<i64>(), -62_167_219_200_i64..253_402_300_800].prop_map(Value::DateTime),
        any::<u32>().prop_map(Value::Interval),
        prop_oneof![any::<i64>(), any::<i32>().prop_map(i64::from)].prop_map(Value::DateTimeExtended),
    ];
    leaf.prop_recursive(4, 32, 6, |inner| {
        let element = (tags(), inner).prop_map(|(tag, value)| Element::new(tag, value));
        proptest::collection::vec(element, 0..6).prop_map(Value::Structure)
    })
}

pub(in crate::text) fn tags() -> impl Strategy<Value = Tag> {
    let named = proptest::sample::select(Tag::all()).prop_map(|info| info.tag);
    prop_oneof![4 => named, 1 => any::<u16>().prop_map(|low| Tag::new(0x54_0000 | u32::from(low)))]
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn what_is_written_reads_the_same(tag in tags(), value in values()) {
        let expected = Element::new(tag, value);
        prop_assert_eq!(element(&write(&expected).unwrap()), Ok(expected));
    }

    #[test]
    fn any_text_is_read_or_refused(xml in "[<>/=\"a-z &;#TLVtagypevlu0x42 ]{0,80}") {
        let _ = element(&xml);
    }

    #[test]
    fn a_changed_message_is_read_or_refused(place in any::<prop::sample::Index>(), with in any::<char>()) {
        let mut characters: Vec<char> = REQUEST.chars().collect();
        let place = place.index(characters.len());
        characters[place] = with;
        let _ = element(&characters.into_iter().collect::<String>());
    }
}
