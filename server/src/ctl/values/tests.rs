use std::collections::HashSet;

use kmip_codec::spec::{CryptographicAlgorithm, all_enumerations};

use super::*;
use crate::ctl::show;

const NOW: i64 = 1_800_000_000;

fn read(text: &str) -> Value {
    pair(text, NOW).unwrap().value
}

fn problem(text: &str) -> String {
    let error = pair(text, NOW).unwrap_err();
    assert_eq!(error.exit_code(), 2);
    error.to_string()
}

#[test]
fn names_are_told_apart_by_letters_and_digits() {
    for info in all_enumerations() {
        let mut seen = HashSet::new();
        for row in info.values {
            assert!(seen.insert(fold(row.name)), "{} {}", info.name, row.name);
        }
    }
    let mut seen = HashSet::new();
    assert!(attributes().iter().all(|row| seen.insert(fold(row.name()))));
}

#[test]
fn the_type_is_that_of_the_table() {
    assert_eq!(read("Object Group=payroll"), Value::TextString("payroll".into()));
    assert_eq!(read("object-group=a=b"), Value::TextString("a=b".into()));
    assert_eq!(read("cryptographic length=256"), Value::Integer(256));
    assert_eq!(read("CryptographicAlgorithm=aes"), Value::Enumeration(3));
    assert_eq!(read("Cryptographic Algorithm=0x80000001"), Value::Enumeration(0x8000_0001));
    assert_eq!(read("Sensitive=yes"), Value::Boolean(true));
    assert_eq!(read("Cryptographic Usage Mask=encrypt, wrap-key|0x400000"), Value::Integer(0x40_0014));
    assert_eq!(read("Activation Date=2026-11-22T00:00:00+01:00"), Value::DateTime(1_795_302_000));
    assert_eq!(read("Activation Date=+1d"), Value::DateTime(NOW + 86400));
    assert_eq!(read("Activation Date=-60"), Value::DateTime(NOW - 60));
    assert_eq!(read("Rotate Interval=2h"), Value::Interval(7200));
    assert_eq!(read("state=pre-active"), Value::Enumeration(1));
}

#[test]
fn structures_by_their_fields_in_any_order() {
    let link = read("link=linked object identifier=42, Link Type=Previous Link");
    assert_eq!(link.find(Tag::LinkedObjectIdentifier), Some(&Value::TextString("42".into())));
    assert_eq!(link.elements().first().unwrap().tag, Tag::LinkType);
    let parameters = read("cryptographic parameters={Block Cipher Mode=CBC, Padding Method=PKCS5}");
    assert_eq!(parameters.elements().len(), 2);
    let quoted = read(r#"Application Specific Information=Application Namespace="a, b", Application Data=c"#);
    assert_eq!(quoted.find(Tag::ApplicationNamespace), Some(&Value::TextString("a, b".into())));
}

#[test]
fn a_name_is_a_text_unless_its_type_is_said() {
    let name = read("Name=key, the first");
    assert_eq!(name.find(Tag::NameValue), Some(&Value::TextString("key, the first".into())));
    assert_eq!(name.find(Tag::NameType), Some(&Value::Enumeration(1)));
    let uri = read("Name=Name Value=http://a, Name Type=URI");
    assert_eq!(uri.find(Tag::NameType), Some(&Value::Enumeration(2)));
}

#[test]
fn attributes_of_ones_own() {
    let own = pair("x-Cost Center=7", NOW).unwrap();
    assert_eq!(vendor(&own.value).map(|(vendor, name)| (&**vendor, &**name)), Some(("x", "Cost Center")));
    let other = pair("acme:shelf=3", NOW).unwrap();
    assert_eq!(vendor(&other.value).map(|(vendor, name)| (&**vendor, &**name)), Some(("acme", "shelf")));
    assert!(check(&[own], Version::V1_0).is_ok());
    assert!(check(&[other], Version::V1_4).is_err());
}

#[test]
fn what_is_wrong_is_said_with_what_would_be_right() {
    assert!(problem("payroll").contains("NAME=VALUE"));
    assert!(problem("Groups=a").contains("x-NAME"));
    assert!(problem("Group=a").contains("Object Group"));
    assert!(problem("Cryptographic Algorithm=AESS").contains("3DES"));
    assert!(problem("Cryptographic Usage Mask=encrpyt").contains("Encrypt"));
    assert!(problem("Activation Date=tomorrow").contains("+3600"));
    assert!(problem("Rotate Interval=4294967296").contains("too long"));
    assert!(problem("Cryptographic Length=9999999999").contains("no number that fits"));
    assert!(problem("Link=42").contains("Linked Object Identifier"));
    assert!(problem("Link=Link Type=Parent, Link Type=Child").starts_with("Link: "));
    assert!(problem("Digest=Hashing Algorithm=SHA-256, Digest Value=abc").contains("hexadecimal"));
}

#[test]
fn a_version_refuses_what_it_does_not_have() {
    let sensitive = pair("Sensitive=true", NOW).unwrap();
    let error = check(std::slice::from_ref(&sensitive), Version::V1_2).unwrap_err();
    assert_eq!(error.to_string(), "KMIP 1.2 has no attribute Sensitive");
    assert!(check(&[sensitive], Version::V1_4).is_ok());
    let algorithm = pair("Cryptographic Algorithm=ChaCha20", NOW).unwrap();
    assert!(check(&[algorithm], Version::V1_0).is_err());
}

#[test]
fn what_is_shown_can_be_read() {
    for text in [
        "Object Group=payroll",
        "Object Group=\"  spaces \"",
        "Cryptographic Usage Mask=Encrypt, Decrypt",
        "Activation Date=2026-11-22T03:56:24Z",
        "Link=Link Type=Previous Link, Linked Object Identifier=42",
        r#"Name=Name Value="a, \"b\"=c", Name Type=URI"#,
        "Digest=Hashing Algorithm=SHA-256, Digest Value=00ff, Key Format Type=Raw",
        "Usage Limits=Usage Limits Total=10, Usage Limits Unit=Byte",
        "Always Sensitive=true",
        "Rotate Interval=90m",
    ] {
        let attribute = pair(text, NOW).unwrap();
        let shown = show::value(attribute.tag, &attribute.value);
        assert_eq!(super::attribute(attribute.tag, &shown, NOW).unwrap(), attribute, "{shown}");
    }
}

#[test]
fn enumerations_known_when_compiling() {
    assert_eq!(enumeration::<CryptographicAlgorithm>("hmac-sha256").unwrap(), CryptographicAlgorithm::HMACSHA256);
    assert_eq!(enumeration::<CryptographicAlgorithm>("none").unwrap_err().exit_code(), 2);
    assert_eq!(mask(Tag::StorageStatusMask, "destroyed storage").unwrap(), 4);
    assert_eq!(date("now", NOW).unwrap(), NOW);
}
