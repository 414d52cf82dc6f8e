//! The tables against the published text, if a copy of it is at hand: KMIPD_REFERENCE names a folder with `kmip/spec` (tables of
//! each version) and `kmip/testcases`. Without it there is nothing to compare with and the tests pass.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::*;

/// Spellings of the text that are slips or were dropped: value names as 1.x or a table wrote them, and the row's name.
const OTHER_SPELLINGS: &[(&str, &str)] = &[
    ("(PGP", "PGP"),
    ("MFG1", "MGF1"),
    ("Object archived", "Object Archived"),
    ("Polynomial Sharing GF (216)", "Polynomial Sharing GF (2^16)"),
    ("Polynomial Sharing GF(216)", "Polynomial Sharing GF (2^16)"),
    ("Polynomial Sharing GF (28)", "Polynomial Sharing GF (2^8)"),
    ("RSASSA-PSS (PKCS#1 v2.1)", "RSASSA-PSS"),
];

/// Names that some test cases use and no table has.
const OTHER_NAMES: &[(&str, &str)] =
    &[("ResultReason", "NotAuthorized"), ("CryptographicUsageMask", "ContentCommitment")];

fn reference() -> Option<PathBuf> {
    std::env::var_os("KMIPD_REFERENCE").map(|folder| Path::new(&folder).join("kmip"))
}

fn read(reference: &Path, version: Version, start: &str, end: &str) -> String {
    let path = reference.join(format!("spec/v{version}/{start}-v{version}.{end}"));
    std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()))
}

/// Rows of a table: name and code, and before them the table's name if there are several.
fn tsv(text: &str) -> Vec<Vec<&str>> {
    let rows = text.lines().map(|line| line.split('\t').collect::<Vec<_>>());
    rows.filter(|row| !row.iter().any(|cell| cell.contains("Reserved") || cell.contains("(Unused)"))).collect()
}

fn number(hex: &str) -> u32 {
    u32::from_str_radix(hex.strip_prefix("0x").unwrap(), 16).unwrap()
}

/// The extracted tables leave out what the text marks as deprecated.
fn deprecated(text: &str, name: &str, digits: &str) -> bool {
    text.contains(&format!("| {name} | {digits} (deprecated"))
}

#[test]
fn tags() {
    let Some(reference) = reference() else { return };
    for &version in Version::ALL {
        let table = read(&reference, version, "tags", "tsv");
        let text = read(&reference, version, "kmip-spec", "md");
        let published: BTreeMap<u32, &str> = tsv(&table).iter().map(|row| (number(row[1]), row[0])).collect();
        for (&code, &name) in &published {
            assert_eq!(Tag::new(code).name(), Some(name), "{version}");
            assert!(Tag::new(code).known_in(version), "{version} {name}");
        }
        for info in Tag::all().iter().filter(|info| info.tag.known_in(version)) {
            let code = info.tag.code();
            let found = published.contains_key(&code) || deprecated(&text, info.name, &format!("{code:06X}"));
            assert!(found, "{version} {}", info.name);
        }
    }
}

/// The table of an enumeration or mask, by the title of the section that defines it.
fn table_of(section: &str) -> Vec<EnumValue> {
    let (_, title) = section.split_once(' ').unwrap();
    let title = title.split(" for ECDSA").next().unwrap();
    let title = title.strip_suffix(" Enumeration").unwrap_or(title);
    if let Some(mask) = Tag::from_name(title).and_then(mask_of) {
        let row = |bit: &MaskBit| EnumValue { value: bit.bit, name: bit.name, since: bit.since, until: bit.until };
        return mask.bits.iter().map(row).collect();
    }
    let info = all_enumerations().find(|info| info.name == title);
    info.unwrap_or_else(|| panic!("{section}")).values.to_vec()
}

/// What 3.0 names and 2.1 does not, by the name of the enumeration: the tables may be ahead of what is spoken.
fn ahead(reference: &Path) -> BTreeSet<(String, String, u32)> {
    let path = reference.join("spec/v3.0/kmip-spec-enumerations-v3.0-os_enumerations.csv");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|e| panic!("{}: {e}", path.display()));
    let row = |line: &str| {
        let cells: Vec<&str> = line.split(',').collect();
        let &[enumeration, name, value] = cells.as_slice() else { return None };
        Some((enumeration.to_owned(), name.to_owned(), u32::from_str_radix(value.trim(), 16).ok()?))
    };
    text.lines().filter_map(row).collect()
}

#[test]
fn enumerations_and_masks() {
    let Some(reference) = reference() else { return };
    let ahead = ahead(&reference);
    for &version in Version::ALL {
        let table = read(&reference, version, "enums", "tsv");
        let text = read(&reference, version, "kmip-spec", "md");
        let mut published: BTreeMap<&str, BTreeSet<u32>> = BTreeMap::new();
        for row in tsv(&table) {
            let (section, name, value) = (row[0], row[1], number(row[2]));
            published.entry(section).or_default().insert(value);
            let ours = table_of(section).into_iter().find(|ours| ours.value == value);
            let ours = ours.unwrap_or_else(|| panic!("{version} {section} {name}"));
            let same = ours.name == name
                || OTHER_SPELLINGS.contains(&(name, ours.name))
                || name.strip_suffix(" (PKCS#1 v1.5)") == Some(ours.name)
                || name.replace("SHA-3-", "SHA3-") == ours.name;
            assert!(same, "{version} {section}: {name}, here {}", ours.name);
            assert!(version.within(ours.since, ours.until), "{version} {section} {name}");
        }
        for (section, values) in published {
            for ours in table_of(section).iter().filter(|ours| version.within(ours.since, ours.until)) {
                let found =
                    values.contains(&ours.value) || deprecated(&text, ours.name, &format!("{:08X}", ours.value));
                let (_, title) = section.split_once(' ').unwrap();
                let title = title.strip_suffix(" Enumeration").unwrap_or(title).to_owned();
                let is_ahead = version.is_v2() && ahead.contains(&(title, ours.name.to_owned(), ours.value));
                assert!(found || is_ahead, "{version} {section} {}", ours.name);
            }
        }
    }
}

#[test]
fn attribute_rules() {
    let Some(reference) = reference() else { return };
    for &version in Version::ALL {
        let rules: serde_json::Value =
            serde_json::from_str(&read(&reference, version, "attribute-rules", "json")).unwrap();
        let mut published = BTreeSet::new();
        // The first entry explains the table.
        for entry in rules.as_array().unwrap().iter().skip(1) {
            let (_, name) = entry["section"].as_str().unwrap().split_once(' ').unwrap();
            // Its items are the attributes; the first stands for all.
            let row = match name {
                "Certificate Attributes" => attribute_by_tag(Tag::CertificateSubjectCN),
                name => attribute_by_tag(Tag::from_name(name).unwrap_or_else(|| panic!("{name}"))),
            };
            let row = row.unwrap_or_else(|| panic!("{version} {name}"));
            assert!(row.known_in(version), "{version} {name}");
            published.insert(row.tag);

            let rule = |key: &str| entry["rules"][key].as_str().unwrap_or_default();
            let may = |condition: Condition| condition != Condition::Never;
            let always = format!("{}{}", rule("SHALL always have a value"), rule("Shall always have a value"));
            if (row.tag, version.is_v2()) != (Tag::Fresh, false) {
                assert_eq!(always.starts_with("Yes"), !row.always.is_empty(), "{version} {name}");
            }
            assert_eq!(rule("Initially set by").contains("Client"), row.set_by.contains(Setters::CLIENT), "{name}");
            assert_eq!(rule("Initially set by").contains("Server"), row.set_by.contains(Setters::SERVER), "{name}");
            assert_eq!(rule("Modifiable by server").starts_with("Yes"), may(row.modify_server), "{name}");
            assert_eq!(rule("Modifiable by client").starts_with("Yes"), may(row.modify_client), "{name}");
            assert_eq!(rule("Deletable by client").starts_with("Yes"), may(row.delete_client), "{name}");
            assert_eq!(rule("Multiple instances permitted").starts_with("Yes"), !row.multi.is_empty(), "{name}");
            let restricted = rule("Applies to Object Types") != "All Objects";
            let objects = if version.is_v2() { row.objects } else { row.objects_v1 };
            assert_eq!(restricted, objects != ObjectTypes::ALL, "{version} {name}");
        }
        for row in attributes().iter().filter(|row| row.known_in(version)) {
            let by_table = published.contains(&row.tag);
            let item = row.name().starts_with("Certificate Subject ") || row.name().starts_with("Certificate Issuer ");
            assert!(by_table || item || row.tag == Tag::Attribute, "{version} {}", row.name());
        }
    }
}

/// One element of a test case: its name and its attributes type and value.
fn elements(xml: &str) -> impl Iterator<Item = (&str, Option<&str>, Option<&str>)> {
    fn attribute<'a>(element: &'a str, name: &str) -> Option<&'a str> {
        let (_, rest) = element.split_once(&format!("{name}=\""))?;
        rest.split('"').next()
    }
    let starts = xml.split('<').skip(1).filter(|rest| rest.starts_with(|c: char| c.is_ascii_alphabetic()));
    starts.map(|rest| {
        let name = rest.split(|c: char| !(c.is_ascii_alphanumeric() || c == '_')).next().unwrap();
        let element = rest.split('>').next().unwrap();
        (name, attribute(element, "type"), attribute(element, "value"))
    })
}

fn is_number(value: &str) -> bool {
    value.starts_with("0x") || value.starts_with('$') || value.parse::<i64>().is_ok()
}

/// Whether an enumeration's or a mask's value has a name in the tables; other values have none to look up.
fn is_named(tag: Tag, kind: &str, value: &str) -> bool {
    match kind {
        "Enumeration" => {
            is_number(value) || enumeration_of(tag).is_some_and(|info| info.from_xml_name(value).is_some())
        }
        "Integer" => mask_of(tag).is_none_or(|mask| {
            value.split([' ', '|']).all(|bit| bit.is_empty() || is_number(bit) || mask.from_xml_name(bit).is_some())
        }),
        _ => true,
    }
}

#[test]
fn names_in_the_test_cases() {
    let Some(reference) = reference() else { return };
    let mut folders = Vec::new();
    for version in ["1.0", "1.2", "1.4", "2.0", "2.1"] {
        let groups = std::fs::read_dir(reference.join("testcases").join(version)).unwrap();
        folders.extend(groups.map(|group| group.unwrap().path()));
    }
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(folder).unwrap());
    let mut unknown = BTreeSet::new();
    for path in files.map(|file| file.unwrap().path()).filter(|path| path.extension().is_some_and(|e| e == "xml")) {
        let place = path.display().to_string();
        let mut attribute = None;
        for (name, kind, value) in elements(&std::fs::read_to_string(&path).unwrap()) {
            if matches!(name, "KMIP" | "KmipTestCase" | "TTLV") {
                continue;
            }
            let Some(tag) = Tag::from_xml_name(name) else {
                unknown.insert(format!("{place}: {name}"));
                continue;
            };
            if tag == Tag::AttributeName {
                attribute = value.and_then(attribute_by_name);
            }
            let (Some(kind), Some(value)) = (kind, value) else {
                continue;
            };
            let named = match (tag, attribute) {
                (Tag::AttributeValue, Some(row)) if row.kind != AttributeKind::Any => is_named(row.tag, kind, value),
                (Tag::AttributeValue, _) => true,
                (tag, _) => is_named(tag, kind, value),
            };
            if !named && !OTHER_NAMES.contains(&(name, value)) {
                unknown.insert(format!("{place}: {name} {value}"));
            }
        }
    }
    assert!(unknown.is_empty(), "{unknown:#?}");
}
