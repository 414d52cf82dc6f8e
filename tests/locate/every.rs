//! Every attribute of the table as a filter, by every value that objects have. What Locate should answer is worked out
//! from what Get Attributes says of each object.

use std::collections::BTreeSet;

use kmip_codec::spec::{
    AttributeKind, AttributeRow, CertificateType, CryptographicAlgorithm, CryptographicUsageMask, FieldRow, LinkType,
    ObjectType, Operation, RecommendedCurve, RevocationReasonCode, Setters, StorageStatusMask, Tag, UsageLimitsUnit,
    Version, attribute_by_tag, attributes, enumeration_of,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, Attributes, Certificate, Object};
use kmip_codec::{Element, Value};
use kmipd::ops;

use crate::harness::Kmipd;
use crate::harness::kmip::{
    Kmip, date, enumeration, get_attributes, locate, mask, name, number, opaque, secret, structure, text, vendor,
};

/// Attributes of the table that no object of this server has, since no operation sets them yet.
const NEVER: &[Tag] = &[
    Tag::ArchiveDate,
    Tag::CertificateIssuerC,
    Tag::CertificateIssuerDC,
    Tag::CertificateIssuerDNQualifier,
    Tag::CertificateIssuerEmail,
    Tag::CertificateIssuerL,
    Tag::CertificateIssuerO,
    Tag::CertificateIssuerOU,
    Tag::CertificateIssuerST,
    Tag::CertificateIssuerSerialNumber,
    Tag::CertificateIssuerTitle,
    Tag::CertificateIssuerUID,
    Tag::CertificateSubjectC,
    Tag::CertificateSubjectDC,
    Tag::CertificateSubjectDNQualifier,
    Tag::CertificateSubjectEmail,
    Tag::CertificateSubjectL,
    Tag::CertificateSubjectO,
    Tag::CertificateSubjectOU,
    Tag::CertificateSubjectST,
    Tag::CertificateSubjectSerialNumber,
    Tag::CertificateSubjectTitle,
    Tag::CertificateSubjectUID,
    // Stands for the vendors' attributes in 1.x, which have the tag Attribute here.
    Tag::CustomAttribute,
    Tag::KeyValuePresent,
    Tag::RotateDate,
    Tag::RotateGeneration,
    Tag::RotateLatest,
];

/// A value of an attribute's type; another one for each variant.
fn value(tag: Tag, kind: AttributeKind, variant: i32) -> Value {
    let unsigned = u32::try_from(variant).unwrap();
    match kind {
        AttributeKind::Integer | AttributeKind::Mask(_) => Value::Integer(variant + 1),
        AttributeKind::LongInteger => Value::LongInteger(i64::from(variant) + 1),
        AttributeKind::BigInteger => Value::BigInteger(Blob::new(vec![0, 0, 0, 0, 0, 0, 0, 1 + variant as u8])),
        AttributeKind::Enumeration => {
            let rows = enumeration_of(tag).unwrap().values;
            let known: Vec<u32> = rows.iter().filter(|row| row.until.is_none()).map(|row| row.value).collect();
            Value::Enumeration(known[variant as usize % known.len()])
        }
        AttributeKind::Boolean => Value::Boolean(variant % 2 == 0),
        AttributeKind::Text | AttributeKind::Identifier | AttributeKind::Any => {
            Value::TextString(format!("{tag} {variant}").into())
        }
        AttributeKind::Bytes => Value::ByteString(Blob::new(vec![0xA0 + variant as u8; 9])),
        AttributeKind::DateTime => Value::DateTime(4_000_000_000 + i64::from(variant)),
        // Long enough that nothing is rotated while the test runs.
        AttributeKind::Interval => Value::Interval(1_000_000 + unsigned),
        AttributeKind::Structure(fields) => {
            let field = |row: &FieldRow| Element::new(row.tag, value(row.tag, row.kind, variant));
            Value::Structure(fields.iter().map(field).collect())
        }
    }
}

/// Every attribute that a client may give a new object of this type in this version, but those that say what the object is.
fn settable(object: ObjectType, version: Version, variant: i32, without: &[Tag]) -> Vec<Attribute> {
    let special = [
        Tag::CryptographicAlgorithm,
        Tag::CryptographicLength,
        Tag::CryptographicDomainParameters,
        Tag::CryptographicUsageMask,
        Tag::KeyFormatType,
        Tag::CertificateType,
        Tag::CertificateLength,
        Tag::DigitalSignatureAlgorithm,
        Tag::OpaqueDataType,
        Tag::UsageLimits,
        Tag::Attribute,
        Tag::CustomAttribute,
        Tag::Sensitive,
        Tag::Extractable,
        Tag::Fresh,
        Tag::OriginalCreationDate,
        // Only the one that the server has.
        Tag::RandomNumberGenerator,
    ];
    let by_client = |row: &&AttributeRow| {
        row.set_by.contains(Setters::CLIENT)
            && row.applies_to(object, version)
            && !special.contains(&row.tag)
            && !without.contains(&row.tag)
            // Not every key is; what has no algorithm may say so.
            && (row.tag != Tag::QuantumSafe || object == ObjectType::OpaqueObject)
    };
    let mut list: Vec<Attribute> = attributes()
        .iter()
        .filter(by_client)
        .map(|row| Attribute::new(row.tag, value(row.tag, row.kind, variant)))
        .collect();
    list.push(vendor("x", "mark", Value::TextString(format!("vendor {variant}").into())));
    list.push(mask(match variant % 3 {
        0 => CryptographicUsageMask::ENCRYPT | CryptographicUsageMask::DECRYPT,
        1 => CryptographicUsageMask::ENCRYPT,
        _ => CryptographicUsageMask::SIGN | CryptographicUsageMask::VERIFY,
    }));
    list
}

/// One of everything that can be made, and in every state.
fn make(kmip: &mut Kmip) {
    let symmetric = |version, variant| {
        let mut list = settable(ObjectType::SymmetricKey, version, variant, &[]);
        list.push(enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::AES));
        list.push(number(Tag::CryptographicLength, [128, 192, 256][variant as usize % 3]));
        list.push(structure(
            Tag::UsageLimits,
            vec![
                (Tag::UsageLimitsTotal, Value::LongInteger(1000 * i64::from(variant + 1))),
                (Tag::UsageLimitsUnit, Value::Enumeration(UsageLimitsUnit::Byte.0)),
            ],
        ));
        list
    };
    kmip.create(symmetric(Version::V2_1, 0));
    let mut several = symmetric(Version::V2_1, 1);
    several.extend([
        name("second name"),
        text(Tag::ObjectGroup, "second group"),
        vendor("other", "mark", Value::DateTime(7)),
        vendor("x", "structure", Value::Structure(vec![Element::new(Tag::Comment, Value::TextString("in it".into()))])),
        crate::harness::kmip::boolean(Tag::Sensitive, true),
    ]);
    let source = kmip.create(several);
    kmip.create(vec![
        crate::harness::kmip::boolean(Tag::Extractable, false),
        structure(
            Tag::Link,
            vec![
                (Tag::LinkType, Value::Enumeration(LinkType::DerivationBaseObjectLink.0)),
                (Tag::LinkedObjectIdentifier, Value::TextString(source)),
            ],
        ),
    ]);
    // 1.x gives some attributes that 2.x cannot.
    kmip.version = Version::V1_4;
    kmip.create(symmetric(Version::V1_4, 2));
    kmip.version = Version::V2_1;

    let list = |list| Attributes { templates: Vec::new(), list };
    let domain = structure(
        Tag::CryptographicDomainParameters,
        vec![(Tag::RecommendedCurve, Value::Enumeration(RecommendedCurve::P256.0))],
    );
    let pair = ops::create_key_pair::Request {
        common: list(vec![enumeration(Tag::CryptographicAlgorithm, CryptographicAlgorithm::EC), domain]),
        private: list(settable(ObjectType::PrivateKey, Version::V2_1, 3, &[])),
        public: list(settable(ObjectType::PublicKey, Version::V2_1, 4, &[])),
        common_protection: None,
        private_protection: None,
        public_protection: None,
    };
    kmip.ask::<ops::create_key_pair::Response>(Operation::CreateKeyPair, &pair);

    let register = |kmip: &mut Kmip, object: Object, variant| {
        let list = settable(object.object_type(), Version::V2_1, variant, &[]);
        kmip.register(object, list)
    };
    register(kmip, secret(b"a secret"), 5);
    register(kmip, opaque(b"some bytes"), 6);
    for (variant, common_name) in [(7, "one"), (8, "two")] {
        let issued = kmipd_certs::Authority::named(common_name).unwrap().issue_client("holder").unwrap();
        use rustls::pki_types::pem::PemObject;
        let der = rustls::pki_types::CertificateDer::from_pem_slice(issued.cert_pem.as_bytes()).unwrap();
        let certificate =
            Certificate { certificate_type: CertificateType::X509, certificate_value: Blob::copy_of(&der) };
        register(kmip, Object::Certificate(certificate), variant);
    }

    // Past dates, each in its time, and every end that there is.
    let past = |tag, before: i64| date(tag, crate::harness::kmip::now() - before);
    kmip.create(vec![past(Tag::ActivationDate, 500), past(Tag::DeactivationDate, 300), name("over")]);
    let compromised = kmip.create(vec![past(Tag::ActivationDate, 400), name("compromised")]);
    kmip.revoke(&compromised, RevocationReasonCode::KeyCompromise);
    let revoked = kmip.create(vec![past(Tag::ActivationDate, 400), name("revoked")]);
    kmip.revoke(&revoked, RevocationReasonCode::Superseded);
    let destroyed = kmip.create(vec![name("destroyed"), text(Tag::ObjectGroup, "second group")]);
    kmip.destroy(&destroyed);
    let both = kmip.create(vec![past(Tag::ActivationDate, 400), vendor("x", "mark", Value::Integer(1))]);
    kmip.revoke(&both, RevocationReasonCode::CACompromise);
    kmip.destroy(&both);
}

/// An object as Get Attributes shows it.
struct Seen {
    identifier: Text,
    attributes: Vec<Attribute>,
}

fn look(kmip: &mut Kmip, identifiers: &[Text]) -> Vec<Seen> {
    let mut all = Vec::new();
    for identifier in identifiers {
        let response: ops::get_attributes::Response =
            kmip.ask(Operation::GetAttributes, &get_attributes(Some(identifier), vec![]));
        all.push(Seen { identifier: identifier.clone(), attributes: response.attributes.0 });
    }
    all
}

/// Whether a value is what a filter asks for, by the rules of the standard.
fn is_asked(tag: Tag, present: &Value, asked: &Value) -> bool {
    match (tag, present, asked) {
        (Tag::CryptographicUsageMask, Value::Integer(present), Value::Integer(asked)) => present & asked == *asked,
        (Tag::UsageLimits, Value::Structure(_), Value::Structure(fields)) => {
            fields.iter().all(|field| match (present.find(field.tag), &field.value) {
                (Some(Value::LongInteger(present)), Value::LongInteger(asked)) => present >= asked,
                (present, asked) => present == Some(asked),
            })
        }
        (_, Value::Structure(_), Value::Structure(fields)) => fields.iter().all(|field| {
            present.elements().iter().any(|element| {
                element.tag == field.tag
                    && match (&element.value, &field.value) {
                        (Value::Structure(_), Value::Structure(_)) => is_asked(tag, &element.value, &field.value),
                        (present, asked) => present == asked,
                    }
            })
        }),
        (_, present, asked) => present == asked,
    }
}

fn expected(seen: &[Seen], asked: &Attribute) -> Vec<Text> {
    let has = |seen: &&Seen| {
        let mut own = seen.attributes.iter().filter(|own| own.tag == asked.tag);
        own.any(|own| is_asked(own.tag, &own.value, &asked.value))
    };
    seen.iter().filter(has).map(|seen| seen.identifier.clone()).collect()
}

fn find(kmip: &mut Kmip, filter: Vec<Attribute>) -> Vec<Text> {
    let request = ops::locate::Request {
        storage_status_mask: kmip.version.is_v2().then(StorageStatusMask::all),
        ..locate(filter)
    };
    kmip.ask::<ops::locate::Response>(Operation::Locate, &request).unique_identifiers
}

/// A structure with some of its fields: each alone, and all but each. A vendor's attribute keeps its two names.
fn parts(attribute: &Attribute) -> Vec<Attribute> {
    let Value::Structure(fields) = &attribute.value else { return Vec::new() };
    let keeps =
        |tag: Tag| attribute.tag == Tag::Attribute && matches!(tag, Tag::VendorIdentification | Tag::AttributeName);
    let with = |test: &dyn Fn(usize) -> bool| {
        let kept = fields.iter().enumerate().filter(|(place, field)| keeps(field.tag) || test(*place));
        Attribute::new(attribute.tag, Value::Structure(kept.map(|(_, field)| field.clone()).collect()))
    };
    (0..fields.len()).flat_map(|one| [with(&|place| place == one), with(&|place| place != one)]).collect()
}

#[test]
fn every_attribute_is_found_by_every_value_that_an_object_has() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    make(&mut kmip);
    let all = find(&mut kmip, vec![]);
    assert_eq!(all.len(), 15);

    let mut covered = BTreeSet::new();
    let mut count = 0;
    for version in [Version::V2_1, Version::V2_0, Version::V1_4, Version::V1_2, Version::V1_0] {
        kmip.version = version;
        // 1.x knows nothing of destroyed objects.
        let there = find(&mut kmip, vec![]);
        let seen = look(&mut kmip, &there);
        let mut asked: Vec<Attribute> = Vec::new();
        for attribute in seen.iter().flat_map(|seen| &seen.attributes) {
            covered.insert(attribute.tag);
            let attribute = Attribute { index: None, ..attribute.clone() };
            // A value of a vendor's attribute cannot be left out in 1.x; fields of other structures can.
            let mut all = if version.is_v2() || attribute.tag != Tag::Attribute { parts(&attribute) } else { vec![] };
            all.push(attribute);
            asked.extend(all.into_iter().filter(|new| !asked.contains(new)).collect::<Vec<_>>());
        }
        for asked in asked {
            count += 1;
            let found = find(&mut kmip, vec![asked.clone()]);
            assert_eq!(found, expected(&seen, &asked), "{version}, {}: {:?}", asked.tag, asked.value);
            assert!(!found.is_empty());
        }
    }
    println!("{count} filters");
    assert!(count > 400, "{count}");
    let missing: Vec<Tag> = attributes().iter().map(|row| row.tag).filter(|tag| !covered.contains(tag)).collect();
    let expected: Vec<Tag> = attributes().iter().map(|row| row.tag).filter(|tag| NEVER.contains(tag)).collect();
    assert_eq!(missing, expected, "attributes that no object of this test has");
}

#[test]
fn a_value_that_no_object_has_finds_none() {
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    make(&mut kmip);
    // What every object of 2.1 may be asked for: another value of each attribute finds nothing.
    for row in attributes().iter().filter(|row| row.known_in(Version::V2_1)) {
        let strange = match (row.tag, row.kind) {
            (Tag::Attribute, _) => vendor("x", "nobody", Value::Integer(1)),
            // More than anybody has left.
            (Tag::UsageLimits, _) => structure(row.tag, vec![(Tag::UsageLimitsTotal, Value::LongInteger(1_000_000))]),
            // These have few values, and objects that have them.
            (_, AttributeKind::Boolean | AttributeKind::Enumeration) => continue,
            (tag, AttributeKind::Mask(_)) => Attribute::new(tag, Value::Integer(1 << 20)),
            (tag, kind) => Attribute::new(tag, value(tag, kind, 90)),
        };
        let found = find(&mut kmip, vec![strange]);
        assert_eq!(found, [] as [&str; 0], "{}", attribute_by_tag(row.tag).unwrap().name());
    }
}
