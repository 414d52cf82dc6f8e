use super::*;
use crate::case::Case;
use kmip_codec::text::xml;
use kmip_codec::ttlv::Limits;

const HEAD: &str = r#"<ProtocolVersion><ProtocolVersionMajor type="Integer" value="1"/>
    <ProtocolVersionMinor type="Integer" value="4"/></ProtocolVersion>"#;

/// A case of one step at a time, and the course of playing it.
struct Table {
    course: Course,
}

impl Table {
    fn new(version: Version) -> Self {
        Self { course: Course::new(version, 1_000_000, 1) }
    }

    /// Plays one operation: what was asked, what is expected, what came.
    fn play(&mut self, operation: &str, asked: &str, expected: &str, got: &str) -> Result<(), String> {
        let operation = format!(r#"<Operation type="Enumeration" value="{operation}"/>"#);
        let request = format!(
            "<RequestMessage><RequestHeader>{HEAD}</RequestHeader><BatchItem>{operation}\
             <RequestPayload>{asked}</RequestPayload></BatchItem></RequestMessage>"
        );
        let answer = |payload: &str| {
            format!(
                "<ResponseMessage><ResponseHeader>{HEAD}</ResponseHeader><BatchItem>{operation}\
                 <ResultStatus type=\"Enumeration\" value=\"Success\"/>\
                 <ResponsePayload>{payload}</ResponsePayload></BatchItem></ResponseMessage>"
            )
        };
        let text = format!("<KMIP>{request}{}</KMIP>", answer(expected));
        let case = Case::read(&text, String::new(), String::new()).unwrap();
        let step = &case.steps[0];
        let sent = step.request.fill(&mut self.course.bindings).unwrap();
        let got = xml::read(&answer(got), &Limits::default()).unwrap();
        self.course.step(step, Some(&sent), &got).map_err(|difference| difference.to_string())
    }

    /// A key that the server made, or that the client gave.
    fn with_key(version: Version, generated: bool) -> Self {
        let mut table = Self::new(version);
        let kind = r#"<ObjectType type="Enumeration" value="SymmetricKey"/>"#;
        let operation = if generated { "Create" } else { "Register" };
        table.play(operation, kind, &id("$UNIQUE_IDENTIFIER_0"), &id("a")).unwrap();
        table
    }
}

fn id(text: &str) -> String {
    format!(r#"<UniqueIdentifier type="TextString" value="{text}"/>"#)
}

fn material(hex: &str) -> String {
    format!(
        r#"{}<SymmetricKey><KeyBlock><KeyFormatType type="Enumeration" value="Raw"/><KeyValue>
        <KeyMaterial type="ByteString" value="{hex}"/></KeyValue></KeyBlock></SymmetricKey>"#,
        id("a")
    )
}

fn attribute(name: &str, item: &str, value: &str) -> String {
    format!(
        r#"<Attribute><AttributeName type="TextString" value="{name}"/><AttributeValue type="{item}" value="{value}"/>
        </Attribute>"#
    )
}

#[test]
fn a_variable_binds_once_and_agrees_afterwards() {
    let mut table = Table::with_key(Version::V1_4, true);
    let get = |table: &mut Table, expected: &str, got: &str| table.play("Activate", &id("a"), &id(expected), &id(got));
    get(&mut table, "$UNIQUE_IDENTIFIER_0", "a").unwrap();
    let said = get(&mut table, "$UNIQUE_IDENTIFIER_0", "b").unwrap_err();
    assert!(said.contains("Batch Item/Response Payload/Unique Identifier: expected \"a\""), "{said}");
    // Two objects have two identifiers, and none is empty.
    get(&mut table, "$UNIQUE_IDENTIFIER_1", "a").unwrap_err();
    get(&mut table, "$UNIQUE_IDENTIFIER_1", "").unwrap_err();
    get(&mut table, "$UNIQUE_IDENTIFIER_1", "c").unwrap();
    // An identifier that the case has written out is a variable too.
    get(&mut table, "literal", "d").unwrap();
    get(&mut table, "literal", "e").unwrap_err();
}

#[test]
fn key_material_may_differ_where_the_server_made_it_and_is_never_shown() {
    let get = |generated: bool, got: &str| {
        Table::with_key(Version::V1_4, generated).play("Get", &id("a"), &material("0102"), &material(got))
    };
    get(true, "0304").unwrap();
    get(false, "0102").unwrap();
    let said = get(false, "0304").unwrap_err();
    assert!(said.ends_with("expected 2 bytes, got 2 bytes"), "{said}");
    // A key of another length is another key.
    get(true, "030405").unwrap_err();
}

#[test]
fn the_order_of_attributes_is_free_and_their_number_is_not() {
    let (state, size) =
        (attribute("State", "Enumeration", "Active"), attribute("Cryptographic Length", "Integer", "128"));
    let asked = r#"<AttributeName type="TextString" value="State"/>"#;
    let play = |asked: &str, got: &str| {
        let expected = format!("{}{state}{size}", id("a"));
        let got = format!("{}{got}", id("a"));
        Table::with_key(Version::V1_4, true).play("GetAttributes", asked, &expected, &got)
    };
    play(asked, &format!("{size}{state}")).unwrap();
    play(asked, &size).unwrap_err();
    play(asked, &format!("{size}{state}{size}")).unwrap_err();
    play("", &format!("{size}{state}{size}")).unwrap_err();
    let more = attribute("x-more", "TextString", "x");
    play(asked, &format!("{size}{more}{state}")).unwrap_err();
    // Who asks for all attributes may get more than the case notes.
    play("", &format!("{size}{more}{state}")).unwrap();
    play("", &format!("{size}{more}{}", attribute("State", "Enumeration", "PreActive"))).unwrap_err();
}

#[test]
fn attribute_index_zero_may_be_absent_since_1_1() {
    let without = attribute("State", "Enumeration", "Active");
    let with = |index: &str| {
        let index = format!(r#"<AttributeIndex type="Integer" value="{index}"/><AttributeValue"#);
        without.replace("<AttributeValue", &index)
    };
    let play = |version, expected: &str, got: &str| Table::new(version).play("GetAttributes", "", expected, got);
    play(Version::V1_1, &without, &with("0")).unwrap();
    play(Version::V1_1, &with("0"), &without).unwrap();
    play(Version::V1_0, &with("0"), &without).unwrap_err();
    play(Version::V1_1, &with("1"), &without).unwrap_err();
    play(Version::V1_1, &with("1"), &with("0")).unwrap_err();
}

#[test]
fn dates_that_the_client_gave_stay_as_they_are() {
    let date = |value: &str| attribute("Activation Date", "DateTime", value);
    let play = |asked: &str, expected: &str, got: &str| {
        Table::new(Version::V1_4).play("GetAttributes", asked, &date(expected), &date(got))
    };
    let (given, other) = ("1970-01-12T00:00:00Z", "1970-01-12T00:00:01Z");
    play(&date(given), given, other).unwrap_err();
    play(&date(given), given, given).unwrap();
    // A time of now is that of the server, whatever it is the time of.
    let submitted = |value: &str| format!(r#"<SubmissionDate type="DateTime" value="{value}"/>"#);
    let play_submitted = |asked: &str, got: &str| {
        Table::new(Version::V2_1).play("QueryAsynchronousRequests", asked, &submitted("$NOW"), &submitted(got))
    };
    play_submitted("", "1970-01-12T13:46:45Z").unwrap();
    play_submitted("", "1980-01-12T13:46:45Z").unwrap_err();
    play_submitted(&submitted("$NOW"), "1970-01-12T13:46:45Z").unwrap_err();
    // Where nobody gave one, it is one of these days.
    play("", given, "1970-01-12T13:00:00Z").unwrap();
    play("", given, "1980-01-12T13:00:00Z").unwrap_err();
}

#[test]
fn query_and_discover_versions_may_say_more_where_nobody_limits_them() {
    let operation = |name: &str| format!(r#"<Operation type="Enumeration" value="{name}"/>"#);
    let function = r#"<QueryFunction type="Enumeration" value="QueryOperations"/>"#;
    let (get, both) = (operation("Get"), operation("Locate") + &operation("Get"));
    let play = |operation: &str, asked: &str, expected: &str, got: &str| {
        Table::new(Version::V1_4).play(operation, asked, expected, got)
    };
    play("Query", function, &get, &both).unwrap();
    play("Query", function, &both, &get).unwrap_err();
    play("Query", function, &get, &(both.clone() + &get)).unwrap_err();
    play("Query", "", &get, &both).unwrap_err();
    let (old, new) = (HEAD, HEAD.replace("\"4\"", "\"2\""));
    let more = format!("{old}{new}");
    play("DiscoverVersions", "", old, &more).unwrap();
    play("DiscoverVersions", &new, old, &more).unwrap_err();
    play("DiscoverVersions", "", &more, &new).unwrap_err();
    play("DiscoverVersions", "", &new, &more).unwrap();
}

#[test]
fn outputs_may_differ_where_they_must() {
    let data = |hex: &str| format!(r#"<Data type="ByteString" value="{hex}"/>"#);
    let play = |generated: bool, operation: &str, got: &str| {
        let asked = id("a") + &data("00");
        Table::with_key(Version::V1_4, generated).play(operation, &asked, &data("0102"), &data(got))
    };
    play(true, "Encrypt", "0304").unwrap();
    play(false, "Encrypt", "0304").unwrap_err();
    play(true, "Decrypt", "0304").unwrap();
    play(false, "Decrypt", "0304").unwrap_err();
    play(false, "RNGRetrieve", "0304").unwrap();
    play(false, "Hash", "0304").unwrap_err();
}

#[test]
fn a_poll_brings_the_answer_to_the_request_that_waited() {
    let value = r#"<AsynchronousCorrelationValue type="ByteString" value="01"/>"#;
    let waits = |table: &mut Table, operation: &str| {
        let operation = format!(r#"<Operation type="Enumeration" value="{operation}"/>"#);
        let request = format!(
            "<RequestMessage><RequestHeader>{HEAD}</RequestHeader><BatchItem>{operation}<RequestPayload/></BatchItem>\
             </RequestMessage>"
        );
        let answer = format!(
            "<ResponseMessage><ResponseHeader>{HEAD}</ResponseHeader><BatchItem>{operation}<ResultStatus \
             type=\"Enumeration\" value=\"OperationPending\"/>{value}</BatchItem></ResponseMessage>"
        );
        let case = Case::read(&format!("<KMIP>{request}{answer}</KMIP>"), String::new(), String::new()).unwrap();
        let sent = case.steps[0].request.fill(&mut table.course.bindings).unwrap();
        let got = xml::read(&answer, &Limits::default()).unwrap();
        table.course.step(&case.steps[0], Some(&sent), &got).unwrap();
    };
    // The key that comes with the answer is the server's, or the client's.
    for (operation, generated) in [("Create", true), ("Register", false)] {
        let mut table = Table::new(Version::V1_4);
        waits(&mut table, operation);
        table.play("Poll", value, &id("$UNIQUE_IDENTIFIER_0"), &id("a")).unwrap();
        let get = table.play("Get", &id("a"), &material("0102"), &material("0304"));
        assert_eq!(get.is_ok(), generated, "{operation}");
    }
}

#[test]
fn the_parts_of_a_key_vary_and_the_key_does_not() {
    for (generated, free) in [(true, true), (false, false)] {
        let mut table = Table::with_key(Version::V1_4, generated);
        let parts = id("$UNIQUE_IDENTIFIER_1") + &id("$UNIQUE_IDENTIFIER_2");
        table.play("CreateSplitKey", &id("a"), &parts, &(id("b") + &id("c"))).unwrap();
        let part = |part: &str| material(part).replace("\"a\"", "\"b\"");
        table.play("Get", &id("b"), &part("0102"), &part("0304")).unwrap();
        table.play("JoinSplitKey", &(id("b") + &id("c")), &id("$UNIQUE_IDENTIFIER_3"), &id("d")).unwrap();
        let joined = |joined: &str| material(joined).replace("\"a\"", "\"d\"");
        let get = table.play("Get", &id("d"), &joined("0102"), &joined("0304"));
        assert_eq!(get.is_ok(), free);
    }
}

#[test]
fn the_number_of_a_certificate_is_that_of_whoever_makes_it() {
    for operation in ["Certify", "Register"] {
        let answer = |number: &str, length: i32| {
            id("a")
                + &format!(
                    r#"<Attributes><CertificateLength type="Integer" value="{length}"/><X_509CertificateIdentifier>
        <IssuerDistinguishedName type="ByteString" value="3000"/>
        <CertificateSerialNumber type="ByteString" value="{number}"/></X_509CertificateIdentifier></Attributes>"#
                )
        };
        let play = |got: &str| {
            let mut table = Table::new(Version::V2_1);
            table.play(operation, "", &id("$UNIQUE_IDENTIFIER_0"), &id("a")).unwrap();
            table.play("GetAttributes", &id("a"), &answer("020107", 600), got)
        };
        play(&answer("020107", 600)).unwrap();
        assert_eq!(play(&answer("020108", 601)).is_ok(), operation == "Certify");
        // Who has made it is no matter of chance.
        play(&answer("020108", 601).replace("3000", "3001")).unwrap_err();
    }
}

#[test]
fn an_identifier_that_the_client_names_first_keeps_its_name() {
    let mut table = Table::new(Version::V1_4);
    table.play("Import", &id("mine"), &id("mine"), &id("other")).unwrap_err();
    table.play("Import", &id("mine"), &id("mine"), &id("mine")).unwrap();
}

#[test]
fn a_short_identifier_goes_with_the_other() {
    let short = |hex: &str| format!(r#"<ShortUniqueIdentifier type="ByteString" value="{hex}"/>"#);
    let play = |got: &str| Table::new(Version::V2_1).play("GetAttributes", "", &short("0102"), &short(got));
    play("0304").unwrap();
    play("030405").unwrap_err();
}
