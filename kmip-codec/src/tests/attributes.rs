//! Attributes by value in both dialects (KMIP 2.1 §4, §5, 1.4 §2.1.1, §2.1.8), and the structures that hold them.

use super::{boolean, element, enumeration, integer, item, kind, read, structure, text, text_value, written};
use crate::dialect;
use crate::schema::{Decode, Fields, Lifetime};
use crate::spec::{KeyFormatType, LinkType, NameType, Tag, UniqueIdentifierEnumeration, Version};
use crate::ttlv::{Blob, Element, ErrorKind, ItemType, Value, Writer};
use crate::types::{
    Attribute, AttributeList, AttributeReference, AttributeReferences, Attributes, ChangedAttribute, CurrentAttribute,
    KeyBlock, KeyMaterial, KeyValue, Link, Name, NewAttribute, Object, UniqueIdentifier,
};

crate::structure! {
    struct Making {
        attributes: Attributes = Attributes,
        old: Option<Attributes> = CommonAttributes until V1_4,
        new: Option<Attributes> = PublicKeyAttributes since V2_0,
    }

    struct Changing {
        unique_identifier: Option<UniqueIdentifier> = UniqueIdentifier,
        current: CurrentAttribute = CurrentAttribute,
        new: NewAttribute = NewAttribute,
    }

    struct Changed {
        unique_identifier: UniqueIdentifier = UniqueIdentifier,
        attribute: ChangedAttribute = Attribute,
    }

    struct Asking {
        names: AttributeReferences = AttributeReference,
    }

    struct Answering {
        attributes: AttributeList = Attributes,
    }

    struct Holding {
        object: Object = SymmetricKey,
    }
}

const V1: [Version; 5] = [Version::V1_0, Version::V1_1, Version::V1_2, Version::V1_3, Version::V1_4];
const V2: [Version; 2] = [Version::V2_0, Version::V2_1];

fn name_fields(name: &str) -> [String; 2] {
    [text("420055", name), enumeration("420054", 1)]
}

/// An attribute of 1.x whose value is already an item of tag Attribute Value.
fn named(name: &str, index: Option<i32>, value: String) -> String {
    let index = index.map(|index| integer("420009", index)).unwrap_or_default();
    structure("420008", &[text("42000A", name), index, value])
}

fn vendor(vendor: &str, name: &str, value: String) -> String {
    structure("420008", &[text("42009D", vendor), text("42000A", name), value])
}

fn vendor_attribute(vendor: &str, name: &str, value: Value) -> Attribute {
    let text = |tag, text: &str| Element::new(tag, text_value(text));
    let fields = [text(Tag::VendorIdentification, vendor), text(Tag::AttributeName, name)];
    let value = Element::new(Tag::AttributeValue, value);
    Attribute::new(Tag::Attribute, Value::Structure(fields.into_iter().chain([value]).collect()))
}

fn name_value(name: &str) -> Value {
    Value::Structure(vec![
        Element::new(Tag::NameValue, text_value(name)),
        Element::new(Tag::NameType, Value::Enumeration(1)),
    ])
}

#[test]
fn a_template_attribute_with_names_indices_and_a_custom_attribute() {
    let hex = structure(
        "420091",
        &[
            structure("420053", &name_fields("Template1")),
            named("Cryptographic Algorithm", None, enumeration("42000B", 3)),
            named("Name", Some(2), structure("42000B", &name_fields("Key1"))),
            named("x-foo", Some(3), integer("42000B", 7)),
            named("y-a-b", None, structure("42000B", &[boolean("420099", true)])),
        ],
    );
    let inner = Element::new(Tag::Username, Value::Boolean(true));
    let expected = Attributes {
        templates: vec![Name { value: "Template1".into(), kind: NameType::UninterpretedTextString }],
        list: vec![
            Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(3)),
            Attribute { index: Some(2), ..Attribute::new(Tag::Name, name_value("Key1")) },
            Attribute { index: Some(3), ..vendor_attribute("x", "foo", Value::Integer(7)) },
            vendor_attribute("y", "a-b", Value::Structure(vec![inner])),
        ],
    };
    for version in V1 {
        let attributes = dialect::read_attributes(element(&hex), version).unwrap();
        assert_eq!(attributes, expected);
        let mut writer = Writer::new(version);
        dialect::write_attributes(&attributes, dialect::attributes_tag(Tag::Attributes, version), &mut writer);
        assert_eq!(hex::encode_upper(writer.finish()), hex);
    }
}

#[test]
fn attributes_of_2_x() {
    let hex = structure(
        "420125",
        &[
            enumeration("420028", 3),
            structure("420053", &name_fields("Key1")),
            vendor("x", "foo", integer("42000B", 7)),
            vendor("ACME", "size", text("42000B", "L")),
        ],
    );
    let list = vec![
        Attribute::new(Tag::CryptographicAlgorithm, Value::Enumeration(3)),
        Attribute::new(Tag::Name, name_value("Key1")),
        vendor_attribute("x", "foo", Value::Integer(7)),
        vendor_attribute("ACME", "size", text_value("L")),
    ];
    for version in V2 {
        let attributes = dialect::read_attributes(element(&hex), version).unwrap();
        assert_eq!(attributes, Attributes { templates: Vec::new(), list: list.clone() });
        let mut writer = Writer::new(version);
        dialect::write_attributes(&attributes, Tag::Attributes, &mut writer);
        assert_eq!(hex::encode_upper(writer.finish()), hex);
    }
    // In 1.x the same list has x-foo under its name, and no place for another vendor's.
    let attributes = Attributes { templates: Vec::new(), list };
    let mut writer = Writer::new(Version::V1_4);
    dialect::write_attributes(&attributes, Tag::TemplateAttribute, &mut writer);
    let expected = [
        named("Cryptographic Algorithm", None, enumeration("42000B", 3)),
        named("Name", None, structure("42000B", &name_fields("Key1"))),
        named("x-foo", None, integer("42000B", 7)),
    ];
    assert_eq!(hex::encode_upper(writer.finish()), structure("420091", &expected));
}

#[test]
fn attributes_that_a_version_lacks() {
    let read_v1 = |attribute: &str, version| {
        kind(dialect::read_attributes(element(&structure("420091", &[attribute.into()])), version))
    };
    let path = vec![Tag::Attribute, Tag::AttributeName];
    for (name, version) in [
        ("Alternative Name", Version::V1_1),
        ("Comment", Version::V1_3),
        ("Short Unique Identifier", Version::V1_4),
        ("Rotate Name", Version::V1_4),
        ("Vendor Attribute", Version::V1_4),
        ("Custom Attribute", Version::V1_4),
        ("Attribute", Version::V1_4),
        ("name", Version::V1_4),
        ("", Version::V1_4),
        ("z-foo", Version::V1_4),
    ] {
        let read = read_v1(&named(name, None, text("42000B", "v")), version);
        assert_eq!(read, (ErrorKind::UnknownAttribute(name.into()), path.clone()));
    }
    // A name without end is not repeated without end.
    let long = read_v1(&named(&"ä".repeat(100_000), None, text("42000B", "v")), Version::V1_0);
    assert_eq!(long.0, ErrorKind::UnknownAttribute("ä".repeat(64)));

    let read_v2 = |attribute: &str, version| {
        kind(dialect::read_attributes(element(&structure("420125", &[attribute.into()])), version))
    };
    let policy = (Tag::OperationPolicyName, text("42005D", "default"), Version::V2_0);
    let rotate = (Tag::RotateAutomatic, boolean(&format!("{:06X}", Tag::RotateAutomatic.code()), true), Version::V2_0);
    for (tag, item, version) in [policy, rotate] {
        assert_eq!(read_v2(&item, version), (ErrorKind::NotInVersion { tag, version }, Vec::new()));
    }
    // The name of a structure that is no attribute, and a tag that has no name.
    let unknown = |name: &str| (ErrorKind::UnknownAttribute(name.into()), Vec::new());
    assert_eq!(read_v2(&structure("42000F", &[]), Version::V2_1), unknown("Batch Item"));
    assert_eq!(read_v2(&integer("42FFFF", 1), Version::V2_1), unknown("0x42ffff"));
    assert_eq!(read_v2(&integer("540001", 1), Version::V2_1), unknown("0x540001"));
}

#[test]
fn values_that_an_attribute_cannot_have() {
    let wrong = |expected, found| ErrorKind::WrongType { expected, found };
    let unknown = |value, version| ErrorKind::UnknownEnumeration { value, version };
    for (name, tag, value, expected) in [
        ("Cryptographic Length", "42002A", enumeration("42000B", 128), wrong("Integer", ItemType::Enumeration)),
        ("Name", "420053", text("42000B", "Key1"), wrong("Structure", ItemType::TextString)),
        ("Contact Information", "420022", item("42000B", 8, b"x"), wrong("Text String", ItemType::ByteString)),
        ("Activation Date", "420001", item("42000B", 11, &[0; 8]), wrong("Date-Time", ItemType::DateTimeExtended)),
    ] {
        let path = vec![Tag::Attribute, Tag::AttributeValue];
        let v1 = structure("420091", &[named(name, None, value.clone())]);
        assert_eq!(kind(dialect::read_attributes(element(&v1), Version::V1_4)), (expected.clone(), path), "{name}");
        let v2 = structure("420125", &[value.replacen("42000B", tag, 1)]);
        let outer = Tag::new(u32::from_str_radix(tag, 16).unwrap());
        if name != "Activation Date" {
            assert_eq!(kind(dialect::read_attributes(element(&v2), Version::V2_1)), (expected, vec![outer]), "{name}");
        }
    }
    // Object Group is text without a table; Quantum Safe algorithms came with 2.0 and are unknown before.
    for (code, version, known) in
        [(3, Version::V1_0, true), (0x4000, Version::V2_1, false), (0x8000_0001, Version::V1_0, true)]
    {
        let v = structure("420091", &[named("Cryptographic Algorithm", None, enumeration("42000B", code))]);
        let v2 = structure("420125", &[enumeration("420028", code)]);
        let read = dialect::read_attributes(element(if version.is_v2() { &v2 } else { &v }), version);
        match known {
            true => assert_eq!(read.unwrap().list[0].value, Value::Enumeration(code)),
            false => assert_eq!(kind(read).0, unknown(code, version)),
        }
    }
    // An element keeps what the structures refuse.
    assert_eq!(element(&enumeration("420028", 0x4000)).value, Value::Enumeration(0x4000));
}

#[test]
fn fields_of_attributes_in_their_versions() {
    let parameters = |field: String| structure("42000B", &[field]);
    let read = |field: String, version| {
        let attribute = named("Cryptographic Parameters", None, parameters(field));
        dialect::read_attributes(element(&structure("420091", &[attribute])), version)
    };
    let tag = |tag: Tag| format!("{:06X}", tag.code());
    let random_iv = || boolean(&tag(Tag::RandomIV), true);
    let path = vec![Tag::Attribute, Tag::AttributeValue];
    let expected = ErrorKind::NotInVersion { tag: Tag::RandomIV, version: Version::V1_1 };
    assert_eq!(kind(read(random_iv(), Version::V1_1)), (expected, path.clone()));
    assert!(read(random_iv(), Version::V1_2).is_ok());
    let twice = read(random_iv() + &random_iv(), Version::V1_2);
    assert_eq!(kind(twice), (ErrorKind::Repeated(Tag::RandomIV), path.clone()));
    let foreign = read(text("420055", "x"), Version::V1_2);
    assert_eq!(kind(foreign), (ErrorKind::Unexpected(Tag::NameValue), path));
    // What the version lacks within a value stays out of its answers, and so does a value of which nothing is left.
    let write = |field: String| {
        let list = read(field, Version::V1_2).unwrap().list;
        let mut writer = Writer::new(Version::V1_1);
        dialect::write_attribute(&list[0], &mut writer);
        writer.finish()
    };
    assert!(write(random_iv()).is_empty());
    let padding = || enumeration(&tag(Tag::PaddingMethod), 3);
    assert_eq!(write(padding() + &random_iv()), write(padding()));
    assert!(!write(padding()).is_empty());
}

#[test]
fn attributes_that_are_no_attributes() {
    let v1 =
        |attribute: String| kind(dialect::read_attributes(element(&structure("420091", &[attribute])), Version::V1_2));
    let value = || integer("42000B", 1);
    let within = |tag| (ErrorKind::Missing(tag), vec![Tag::Attribute]);
    assert_eq!(v1(structure("420008", &[value()])), within(Tag::AttributeName));
    assert_eq!(v1(structure("420008", &[text("42000A", "x-a")])), within(Tag::AttributeValue));
    assert_eq!(v1(named("x-a", Some(-1), value())).1, [Tag::Attribute, Tag::AttributeIndex]);
    assert_eq!(v1(named("x-a", None, value() + &value())).0, ErrorKind::Repeated(Tag::AttributeValue));
    assert_eq!(v1(enumeration("420028", 3)).0, ErrorKind::Unexpected(Tag::CryptographicAlgorithm));

    let v2 = |items: &[String]| kind(dialect::read_attributes(element(&structure("420125", items)), Version::V2_1));
    let missing = |tag| (ErrorKind::Missing(tag), vec![Tag::Attribute]);
    assert_eq!(v2(&[structure("420008", &[text("42000A", "foo"), value()])]), missing(Tag::VendorIdentification));
    assert_eq!(v2(&[structure("420008", &[text("42009D", "x"), value()])]), missing(Tag::AttributeName));
    let indexed = structure("420008", &[text("42009D", "x"), text("42000A", "foo"), integer("420009", 1), value()]);
    assert_eq!(v2(&[indexed]), (ErrorKind::Unexpected(Tag::AttributeIndex), vec![Tag::Attribute]));

    // Of our own making: without names there is nothing to write, and the row of all custom attributes is none.
    for version in [Version::V1_4, Version::V2_1] {
        let mut writer = Writer::new(version);
        dialect::write_attribute(&Attribute::new(Tag::Attribute, Value::Structure(Vec::new())), &mut writer);
        dialect::write_attribute(&Attribute::new(Tag::CustomAttribute, text_value("v")), &mut writer);
        assert!(writer.is_empty(), "{version}");
    }
}

#[test]
fn references_by_name_by_tag_and_by_vendor() {
    let foo = AttributeReference::Vendor { vendor: "x".into(), name: "foo".into() };
    let acme = AttributeReference::Vendor { vendor: "ACME".into(), name: "size".into() };
    let state = AttributeReference::Tag(Tag::State);
    let v1 = structure("420079", &[text("42000A", "State"), text("42000A", "x-foo")]);
    let v2 = structure(
        "420079",
        &[enumeration("42013B", 0x42_008D), structure("42013B", &[text("42009D", "x"), text("42000A", "foo")])],
    );
    for (hex, versions) in [(&v1, &V1[..]), (&v2, &V2)] {
        for &version in versions {
            let asking = read::<Asking>(hex, version).unwrap();
            assert_eq!(asking.names.0, [state.clone(), foo.clone()]);
            assert_eq!(written(&asking, Tag::RequestPayload, version), *hex);
        }
    }
    // Each dialect writes what it has.
    let all = |tags: &[Tag]| {
        let tags = tags.iter().copied().map(AttributeReference::Tag);
        Asking { names: AttributeReferences(tags.chain([acme.clone()]).collect()) }
    };
    let asking = all(&[Tag::ShortUniqueIdentifier, Tag::OperationPolicyName]);
    let expected = structure("420079", &[text("42000A", "Operation Policy Name")]);
    assert_eq!(written(&asking, Tag::RequestPayload, Version::V1_4), expected);
    let acme = structure("42013B", &[text("42009D", "ACME"), text("42000A", "size")]);
    let expected = structure("420079", &[enumeration("42013B", 0x42_0136), acme]);
    assert_eq!(written(&asking, Tag::RequestPayload, Version::V2_0), expected);

    let wrong = |item: String, version| kind(read::<Asking>(&structure("420079", &[item]), version));
    let unknown = |name: &str, path: &[Tag]| (ErrorKind::UnknownAttribute(name.into()), path.to_vec());
    let name = [Tag::AttributeName, Tag::AttributeName];
    assert_eq!(wrong(text("42000A", "Stat"), Version::V1_0).0, unknown("Stat", &name).0);
    for (code, name) in [
        (0x42_000F, "Batch Item"),
        (0x42_005D, "Operation Policy Name"),
        (0x1242_0094, "Unique Identifier"),
        (0, "0x000000"),
    ] {
        assert_eq!(wrong(enumeration("42013B", code), Version::V2_1), unknown(name, &[Tag::AttributeReference]));
    }
    let half = structure("42013B", &[text("42009D", "x")]);
    assert_eq!(wrong(half, Version::V2_1), (ErrorKind::Missing(Tag::AttributeName), vec![Tag::AttributeReference]));
    assert_eq!(wrong(text("42000A", "State"), Version::V2_1).0, ErrorKind::Unexpected(Tag::AttributeName));
    let expected = ErrorKind::NotInVersion { tag: Tag::AttributeReference, version: Version::V1_4 };
    assert_eq!(wrong(enumeration("42013B", 0x42_008D), Version::V1_4).0, expected);
}

#[test]
fn new_current_and_changed_attributes() {
    let name = Attribute::new(Tag::Name, name_value("Key1"));
    let old = Attribute::new(Tag::Name, name_value("Key0"));
    let uid = text("420094", "uid");
    let v1 = structure("420079", &[uid.clone(), named("Name", Some(2), structure("42000B", &name_fields("Key1")))]);
    let current = structure("42013C", &[structure("420053", &name_fields("Key0"))]);
    let new = structure("42013D", &[structure("420053", &name_fields("Key1"))]);
    let v2 = structure("420079", &[uid.clone(), current.clone(), new.clone()]);

    let changing = read::<Changing>(&v1, Version::V1_0).unwrap();
    assert_eq!(changing.new.0, Attribute { index: Some(2), ..name.clone() });
    assert_eq!(changing.current.0, None);
    assert_eq!(written(&changing, Tag::RequestPayload, Version::V1_0), v1);
    let changing = read::<Changing>(&v2, Version::V2_0).unwrap();
    assert_eq!((&changing.new.0, &changing.current.0), (&name, &Some(old)));
    assert_eq!(written(&changing, Tag::RequestPayload, Version::V2_0), v2);

    let wrong = |items: &[String], version| kind(read::<Changing>(&structure("420079", items), version));
    let two = structure("42013D", &[enumeration("420028", 3), integer("42002A", 128)]);
    let expected = (ErrorKind::Unexpected(Tag::CryptographicLength), vec![Tag::NewAttribute]);
    assert_eq!(wrong(&[two], Version::V2_1), expected);
    let none = structure("42013D", &[]);
    assert_eq!(wrong(&[none], Version::V2_1), (ErrorKind::InvalidValue("holds no attribute"), vec![Tag::NewAttribute]));
    assert_eq!(wrong(&[], Version::V2_1), (ErrorKind::Missing(Tag::NewAttribute), vec![]));
    assert_eq!(wrong(&[], Version::V1_1), (ErrorKind::Missing(Tag::Attribute), vec![]));
    let version = Version::V1_4;
    let expected = ErrorKind::NotInVersion { tag: Tag::CurrentAttribute, version };
    let attribute = named("Name", None, structure("42000B", &name_fields("Key1")));
    assert_eq!(wrong(&[current, attribute.clone()], version).0, expected);

    // Answers of 1.x repeat the attribute, those of 2.x do not.
    let answer = structure("420079", &[uid.clone(), attribute]);
    let changed = read::<Changed>(&answer, Version::V1_3).unwrap();
    assert_eq!(changed.attribute.0, Some(name));
    assert_eq!(written(&changed, Tag::RequestPayload, Version::V1_3), answer);
    assert_eq!(written(&changed, Tag::RequestPayload, Version::V2_0), structure("420079", &[uid]));
    assert_eq!(
        kind(read::<Changed>(&answer, Version::V2_0)).0,
        ErrorKind::NotInVersion { tag: Tag::Attribute, version: Version::V2_0 }
    );
}

#[test]
fn attributes_keep_the_lifetime_of_their_field() {
    let list =
        || Attributes { templates: vec![], list: vec![Attribute::new(Tag::CryptographicLength, Value::Integer(128))] };
    let all = Making { attributes: list(), old: Some(list()), new: Some(list()) };
    let v1 = |tag: &str| structure(tag, &[named("Cryptographic Length", None, integer("42000B", 128))]);
    let v2 = |tag: &str| structure(tag, &[integer("42002A", 128)]);
    let expected_v1 = structure("420079", &[v1("420091"), v1("42001F")]);
    let public = format!("{:06X}", Tag::PublicKeyAttributes.code());
    let expected_v2 = structure("420079", &[v2("420125"), v2(&public)]);
    assert_eq!(written(&all, Tag::RequestPayload, Version::V1_2), expected_v1);
    assert_eq!(written(&all, Tag::RequestPayload, Version::V2_1), expected_v2);
    assert_eq!(read::<Making>(&expected_v1, Version::V1_2).unwrap(), Making { new: None, ..all.clone() });
    assert_eq!(read::<Making>(&expected_v2, Version::V2_1).unwrap(), Making { old: None, ..all });
    for (tag, version) in [(Tag::PublicKeyTemplateAttribute, Version::V1_4), (Tag::CommonAttributes, Version::V2_0)] {
        let item = structure(&format!("{:06X}", tag.code()), &[]);
        let read = kind(read::<Making>(&structure("420079", &[item]), version));
        assert_eq!(read, (ErrorKind::NotInVersion { tag, version }, vec![]));
    }
}

#[test]
fn unique_identifiers() {
    let forms = [
        (text("420094", "uid"), UniqueIdentifier::from("uid")),
        (enumeration("420094", 1), UniqueIdentifier::Named(UniqueIdentifierEnumeration::from(1))),
        (integer("420094", -2), UniqueIdentifier::Number(-2)),
    ];
    for (hex, identifier) in &forms {
        for version in V1.into_iter().chain(V2) {
            let read = read::<UniqueIdentifier>(hex, version);
            if version.is_v2() || matches!(identifier, UniqueIdentifier::Text(_)) {
                assert_eq!(read.as_ref(), Ok(identifier));
                assert_eq!(written(identifier, Tag::UniqueIdentifier, version), *hex);
            } else {
                assert!(matches!(kind(read).0, ErrorKind::WrongType { expected: "Text String", .. }), "{version}");
            }
        }
    }
    let unknown = ErrorKind::UnknownEnumeration { value: 0x999, version: Version::V2_1 };
    assert_eq!(kind(read::<UniqueIdentifier>(&enumeration("420094", 0x999), Version::V2_1)).0, unknown);
    assert!(read::<UniqueIdentifier>(&boolean("420094", true), Version::V2_1).is_err());
}

#[test]
fn a_key_block_with_attributes_and_a_wrapped_one() {
    let material = item("420043", 8, &[1; 16]);
    let block = |value: String| {
        structure("420040", &[enumeration("420042", 1), value, enumeration("420028", 3), integer("42002A", 128)])
    };
    let v1 = block(structure("420045", &[material.clone(), named("x-a", None, integer("42000B", 1))]));
    let attributes = structure("420125", &[vendor("x", "a", integer("42000B", 1))]);
    let v2 = block(structure("420045", &[material, attributes]));
    for (hex, version) in [(&v1, Version::V1_0), (&v2, Version::V2_1)] {
        let read = read::<KeyBlock>(hex, version).unwrap();
        assert_eq!(read.key_format_type, KeyFormatType::Raw);
        let Some(KeyValue::Plain { material, attributes }) = &read.key_value else { panic!("{read:?}") };
        assert_eq!(*material, KeyMaterial::Bytes(Blob::copy_of(&[1; 16])));
        assert_eq!(attributes.0, [vendor_attribute("x", "a", Value::Integer(1))]);
        assert_eq!(written(&read, Tag::KeyBlock, version), *hex);
        let object = Holding { object: Object::SymmetricKey(read) };
        let payload = structure("420079", &[structure("42008F", std::slice::from_ref(hex))]);
        assert_eq!(written(&object, Tag::RequestPayload, version), payload);
        assert_eq!(super::read::<Holding>(&payload, version), Ok(object));
    }
    let wrapped = block(item("420045", 8, &[9; 24]));
    let read = read::<KeyBlock>(&wrapped, Version::V1_4).unwrap();
    assert_eq!(read.key_value, Some(KeyValue::Wrapped(Blob::copy_of(&[9; 24]))));
    assert_eq!(written(&read, Tag::KeyBlock, Version::V1_4), wrapped);
    let foreign = block(structure("420045", &[item("420043", 8, &[1]), named("Nonsense", None, integer("42000B", 1))]));
    let path = vec![Tag::KeyValue, Tag::Attribute, Tag::AttributeName];
    let expected = (ErrorKind::UnknownAttribute("Nonsense".into()), path);
    assert_eq!(kind(super::read::<KeyBlock>(&foreign, Version::V1_4)), expected);
}

#[test]
fn lists_of_attributes_stand_bare_in_1_x_and_together_in_2_x() {
    let items =
        [named("Cryptographic Length", None, integer("42000B", 128)), named("x-a", Some(1), integer("42000B", 1))];
    let v1 = structure("42007C", &items);
    let v2 =
        structure("42007C", &[structure("420125", &[integer("42002A", 128), vendor("x", "a", integer("42000B", 1))])]);
    for (hex, version) in [(&v1, Version::V1_0), (&v2, Version::V2_0)] {
        let answer = read::<Answering>(hex, version).unwrap();
        assert_eq!(answer.attributes.0.len(), 2);
        assert_eq!(written(&answer, Tag::ResponsePayload, version), *hex);
    }
    let none = Answering { attributes: AttributeList::default() };
    for version in [Version::V1_0, Version::V2_0] {
        assert_eq!(written(&none, Tag::ResponsePayload, version), structure("42007C", &[]));
    }
}

#[test]
fn a_link_names_an_object_in_each_form() {
    let link = structure("42004A", &[enumeration("42004B", 0x102), enumeration("42004C", 1)]);
    let read = read::<Link>(&link, Version::V2_1).unwrap();
    let linked = UniqueIdentifier::Named(UniqueIdentifierEnumeration::from(1));
    assert_eq!(read, Link { kind: LinkType::PublicKeyLink, linked });
    assert_eq!(written(&read, Tag::Link, Version::V2_1), link);
    assert!(super::read::<Link>(&link, Version::V1_4).is_err());
}

#[test]
fn a_tag_as_a_value_has_three_bytes() {
    let read = |code| Tag::decode(element(&enumeration("42013B", code)), Version::V2_1);
    assert_eq!(read(0x42_0094), Ok(Tag::UniqueIdentifier));
    let version = Version::V2_1;
    assert_eq!(kind(read(0x1242_0094)).0, ErrorKind::UnknownEnumeration { value: 0x1242_0094, version });
}

#[test]
fn fields_are_taken_in_any_order_and_each_once() {
    let item = |tag, value| Element::new(tag, Value::Integer(value));
    let structure = |items| Fields::open(Element::new(Tag::RequestPayload, Value::Structure(items)), Version::V2_1);
    let (a, b) = (Tag::BatchCount, Tag::MaximumItems);
    let mut fields = structure(vec![item(a, 1), item(b, 2), item(a, 3), item(b, 4), item(a, 5)]).unwrap();
    let mut value = |tag| match fields.next(tag).map(|element| element.value) {
        Some(Value::Integer(value)) => Some(value),
        _ => None,
    };
    let taken = [b, a, a, b, b, a, a].map(&mut value);
    assert_eq!(taken, [Some(2), Some(1), Some(3), Some(4), None, Some(5), None]);
    assert_eq!(fields.peek(), None);
    assert!(fields.finish().is_ok());

    // Tags whose last six bits are the same.
    let (c, d) = (Tag::new(0x42_0005), Tag::new(0x42_0045));
    let mut fields = structure(vec![item(d, 1), item(d, 2)]).unwrap();
    assert_eq!((fields.has(c), fields.next(c)), (false, None));
    assert_eq!(fields.optional::<i32>(c, Lifetime::ALWAYS), Ok(None));
    assert_eq!(fields.repeated::<i32>(c, Lifetime::ALWAYS), Ok(Vec::new()));
    assert_eq!(fields.optional::<i32>(d, Lifetime::ALWAYS).unwrap_err().kind, ErrorKind::Repeated(d));
    let mut fields = structure(vec![item(d, 1), item(c, 2)]).unwrap();
    assert_eq!(fields.optional::<i32>(d, Lifetime::ALWAYS), Ok(Some(1)));
    assert_eq!(fields.optional::<i32>(c, Lifetime::ALWAYS), Ok(Some(2)));
    assert!(fields.finish().is_ok());

    // Many behind one that nobody takes: a search that began anew each time would not end in a test's time.
    let mut items = vec![item(b, 0)];
    items.extend((0..200_000).map(|value| item(a, value)));
    let mut fields = structure(items).unwrap();
    let values: Vec<i32> = fields.repeated(a, Lifetime::ALWAYS).unwrap();
    assert!(values.iter().copied().eq(0..200_000));
    assert_eq!((fields.has(a), fields.peek()), (false, Some(b)));
    assert_eq!(fields.finish().unwrap_err().kind, ErrorKind::Unexpected(b));
}

/// The first byte is the version's place in `Version::ALL`.
#[test]
fn seeds_are_such_attributes() {
    let parameters = [enumeration("420011", 9), boolean(&format!("{:06X}", Tag::RandomIV.code()), true)];
    let link = [enumeration("42004B", 0x102), text("42004C", "uid")];
    let v1 = structure(
        "420091",
        &[
            structure("420053", &name_fields("Template1")),
            named("Cryptographic Algorithm", None, enumeration("42000B", 3)),
            named("Cryptographic Parameters", None, structure("42000B", &parameters)),
            named("Activation Date", None, item("42000B", 9, &7_i64.to_be_bytes())),
            named("Link", Some(2), structure("42000B", &link)),
            named("x-foo", Some(3), integer("42000B", 7)),
        ],
    );
    let v2 = structure(
        "420125",
        &[
            enumeration("420028", 3),
            structure("42002B", &parameters),
            structure("42004A", &link),
            boolean(&format!("{:06X}", Tag::RotateAutomatic.code()), true),
            vendor("ACME", "size", text("42000B", "L")),
        ],
    );
    for (name, version, hex) in [("template", Version::V1_2, v1), ("attributes", Version::V2_1, v2)] {
        assert!(dialect::read_attributes(element(&hex), version).is_ok());
        let place = Version::ALL.iter().position(|&one| one == version).unwrap();
        super::seed("attributes", name, &[vec![u8::try_from(place).unwrap()], super::bytes(&hex)].concat());
    }
}
