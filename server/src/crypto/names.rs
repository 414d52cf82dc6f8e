//! The names in a certificate as attributes (KMIP 2.1 §4.6, §4.61 to §4.63; 1.4 §3.13 to §3.15): distinguished names whole
//! (DER, and text after RFC 4514), part by part, and the alternative names.

use kmip_codec::spec::Tag;
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::{Element, Value};
use x509_cert::attr::AttributeTypeAndValue;
use x509_cert::der::asn1::{BmpString, Ia5StringRef, PrintableStringRef, TeletexStringRef, Utf8StringRef};
use x509_cert::der::{self, Encode, Tag as Type, Tagged};
use x509_cert::ext::pkix::name::{GeneralName, GeneralNames};
use x509_cert::ext::pkix::{IssuerAltName, SubjectAltName};
use x509_cert::name::Name;

use super::certificate::Certificate;

/// The parts of a name that are attributes, by object identifier: of the subject, and of the issuer.
const PARTS: [(&str, Tag, Tag); 12] = [
    ("2.5.4.3", Tag::CertificateSubjectCN, Tag::CertificateIssuerCN),
    ("2.5.4.10", Tag::CertificateSubjectO, Tag::CertificateIssuerO),
    ("2.5.4.11", Tag::CertificateSubjectOU, Tag::CertificateIssuerOU),
    ("1.2.840.113549.1.9.1", Tag::CertificateSubjectEmail, Tag::CertificateIssuerEmail),
    ("2.5.4.6", Tag::CertificateSubjectC, Tag::CertificateIssuerC),
    ("2.5.4.8", Tag::CertificateSubjectST, Tag::CertificateIssuerST),
    ("2.5.4.7", Tag::CertificateSubjectL, Tag::CertificateIssuerL),
    ("0.9.2342.19200300.100.1.1", Tag::CertificateSubjectUID, Tag::CertificateIssuerUID),
    ("2.5.4.5", Tag::CertificateSubjectSerialNumber, Tag::CertificateIssuerSerialNumber),
    ("2.5.4.12", Tag::CertificateSubjectTitle, Tag::CertificateIssuerTitle),
    ("0.9.2342.19200300.100.1.25", Tag::CertificateSubjectDC, Tag::CertificateIssuerDC),
    ("2.5.4.46", Tag::CertificateSubjectDNQualifier, Tag::CertificateIssuerDNQualifier),
];

/// The part of the subject's name that an attribute is, by object identifier.
pub fn subject_part(tag: Tag) -> Option<&'static str> {
    PARTS.iter().find(|row| row.1 == tag).map(|row| row.0)
}

/// All that a certificate says of who it is for and who made it.
pub(super) fn attributes(certificate: &Certificate) -> der::Result<Vec<(Tag, Value)>> {
    let body = &certificate.tbs_certificate;
    // An extension that cannot be read names nobody; it is no reason to refuse the certificate.
    let subject_names = body.get::<SubjectAltName>().ok().flatten().map(|(_, SubjectAltName(names))| names);
    let issuer_names = body.get::<IssuerAltName>().ok().flatten().map(|(_, IssuerAltName(names))| names);
    let (subject_names, issuer_names) = (subject_names.unwrap_or_default(), issuer_names.unwrap_or_default());
    let issuer = bytes(Tag::IssuerDistinguishedName, body.issuer.to_der()?);
    let subject = bytes(Tag::SubjectDistinguishedName, body.subject.to_der()?);
    let serial = bytes(Tag::CertificateSerialNumber, body.serial_number.to_der()?);
    let alternative = |tag, names: &GeneralNames| -> der::Result<Vec<Element>> {
        names.iter().map(|name| Ok(bytes(tag, name.to_der()?))).collect()
    };
    let mut found = vec![
        (Tag::X509CertificateIdentifier, Value::Structure(vec![issuer.clone(), serial])),
        (
            Tag::X509CertificateIssuer,
            Value::Structure([vec![issuer], alternative(Tag::IssuerAlternativeName, &issuer_names)?].concat()),
        ),
        (
            Tag::X509CertificateSubject,
            Value::Structure([vec![subject], alternative(Tag::SubjectAlternativeName, &subject_names)?].concat()),
        ),
    ];
    let (issuer, subject) = (body.issuer.to_string(), body.subject.to_string());
    // The octets of the INTEGER, the one that says the sign among them.
    let serial = hex::encode_upper(body.serial_number.as_bytes());
    let spoken = |tag, names: &GeneralNames| -> Vec<Element> {
        names.iter().filter_map(spoken).map(|name| text(tag, &name)).collect()
    };
    found.push((
        Tag::CertificateIdentifier,
        Value::Structure(vec![text(Tag::Issuer, &issuer), text(Tag::SerialNumber, &serial)]),
    ));
    let name = text(Tag::CertificateIssuerDistinguishedName, &issuer);
    let names = spoken(Tag::CertificateIssuerAlternativeName, &issuer_names);
    found.push((Tag::CertificateIssuer, Value::Structure([vec![name], names].concat())));
    let name = text(Tag::CertificateSubjectDistinguishedName, &subject);
    let names = spoken(Tag::CertificateSubjectAlternativeName, &subject_names);
    found.push((Tag::CertificateSubject, Value::Structure([vec![name], names].concat())));
    found.extend(parts(&body.subject, |row| row.1));
    found.extend(parts(&body.issuer, |row| row.2));
    Ok(found)
}

/// The parts of a name that are attributes.
fn parts(name: &Name, tag: impl Fn(&(&str, Tag, Tag)) -> Tag) -> Vec<(Tag, Value)> {
    let mut found: Vec<(Tag, Value)> = Vec::new();
    for part in name.0.iter().flat_map(|set| set.0.iter()) {
        let oid = part.oid.to_string();
        let Some(row) = PARTS.iter().find(|row| row.0 == oid) else { continue };
        let Some(value) = value(part) else { continue };
        let found_so = (tag(row), Value::TextString(value));
        // An attribute has no value twice, even where the name says it twice.
        if !found.contains(&found_so) {
            found.push(found_so);
        }
    }
    found
}

/// The text of a part; `None` for what is no text.
fn value(part: &AttributeTypeAndValue) -> Option<Text> {
    let any = &part.value;
    Some(match any.tag() {
        Type::Utf8String => any.decode_as::<Utf8StringRef<'_>>().ok()?.as_str().into(),
        Type::PrintableString => any.decode_as::<PrintableStringRef<'_>>().ok()?.as_str().into(),
        Type::NumericString => std::str::from_utf8(any.value()).ok()?.into(),
        Type::Ia5String => any.decode_as::<Ia5StringRef<'_>>().ok()?.as_str().into(),
        Type::TeletexString => any.decode_as::<TeletexStringRef<'_>>().ok()?.as_str().into(),
        Type::BmpString => any.decode_as::<BmpString>().ok()?.to_string().into(),
        _ => return None,
    })
}

/// An alternative name in words; `None` for those that have none.
fn spoken(name: &GeneralName) -> Option<String> {
    Some(match name {
        GeneralName::Rfc822Name(name) | GeneralName::DnsName(name) | GeneralName::UniformResourceIdentifier(name) => {
            name.to_string()
        }
        GeneralName::DirectoryName(name) => name.to_string(),
        GeneralName::RegisteredId(oid) => oid.to_string(),
        GeneralName::IpAddress(address) => match address.as_bytes().len() {
            4 => std::net::Ipv4Addr::from(<[u8; 4]>::try_from(address.as_bytes()).ok()?).to_string(),
            16 => std::net::Ipv6Addr::from(<[u8; 16]>::try_from(address.as_bytes()).ok()?).to_string(),
            _ => return None,
        },
        _ => return None,
    })
}

fn bytes(tag: Tag, bytes: Vec<u8>) -> Element {
    Element::new(tag, Value::ByteString(Blob::new(bytes)))
}

fn text(tag: Tag, text: &str) -> Element {
    Element::new(tag, Value::TextString(text.into()))
}

#[cfg(test)]
mod tests {
    use x509_cert::der::Decode;

    use super::*;

    /// A certificate with every part, two of one, a part that is no attribute, and alternative names; made with OpenSSL.
    const EVERY_PART: &str = include_str!("names.hex");

    fn found() -> Vec<(Tag, Value)> {
        let der = hex::decode(EVERY_PART.trim()).unwrap();
        attributes(&Certificate::from_der(&der).unwrap()).unwrap()
    }

    fn texts(found: &[(Tag, Value)], tag: Tag) -> Vec<String> {
        let texts = found.iter().filter(|(found, _)| *found == tag);
        texts.map(|(_, value)| value.text().unwrap().to_owned()).collect()
    }

    #[test]
    fn every_part_is_an_attribute_of_its_own() {
        let found = found();
        for (tag, expected) in [
            (Tag::CertificateSubjectCN, vec!["Every Part"]),
            (Tag::CertificateSubjectO, vec!["Example, Inc."]),
            (Tag::CertificateSubjectOU, vec!["one", "two"]),
            (Tag::CertificateSubjectEmail, vec!["every@example.com"]),
            (Tag::CertificateSubjectC, vec!["AU"]),
            (Tag::CertificateSubjectST, vec!["Queensland"]),
            (Tag::CertificateSubjectL, vec!["Brisbane"]),
            (Tag::CertificateSubjectUID, vec!["uid-7"]),
            (Tag::CertificateSubjectSerialNumber, vec!["serial-8"]),
            (Tag::CertificateSubjectTitle, vec!["Dr"]),
            (Tag::CertificateSubjectDC, vec!["example", "com"]),
            (Tag::CertificateSubjectDNQualifier, vec!["qualified"]),
            (Tag::CertificateIssuerCN, vec!["Every Part"]),
            (Tag::CertificateIssuerDC, vec!["example", "com"]),
        ] {
            assert_eq!(texts(&found, tag), expected, "{tag}");
        }
        // Both halves have each part once: twelve of them, two with a second value.
        let parts = found.iter().filter(|(_, value)| matches!(value, Value::TextString(_))).count();
        assert_eq!(parts, 28);
    }

    #[test]
    fn the_structures_of_1_x_are_text_and_those_since_1_1_are_bytes() {
        let found = found();
        let get = |tag| &found.iter().find(|(found, _)| *found == tag).unwrap().1;
        let subject = get(Tag::CertificateSubject);
        let name = subject.find(Tag::CertificateSubjectDistinguishedName).and_then(Value::text).unwrap();
        assert!(name.contains("CN=Every Part") && name.contains("O=Example\\, Inc."), "{name}");
        // RFC 4514 begins with the last part.
        assert!(name.find("C=AU").unwrap() > name.find("CN=Every Part").unwrap(), "{name}");
        let names: Vec<&str> = subject.elements().iter().skip(1).filter_map(|element| element.value.text()).collect();
        assert_eq!(names, ["alt.example.com", "alt@example.com", "192.0.2.7", "https://example.com/"]);
        let bytes = get(Tag::X509CertificateSubject);
        assert_eq!(bytes.elements().len(), 5);
        // A GeneralName: [2] for a DNS name.
        let Value::ByteString(dns) = &bytes.elements()[1].value else { panic!("no bytes") };
        assert_eq!((dns[0], dns[1], &dns[2..]), (0x82, 15, &b"alt.example.com"[..]));
        let identifier = get(Tag::CertificateIdentifier);
        assert_eq!(identifier.find(Tag::SerialNumber).and_then(Value::text), Some("01F4"));
        let Some(Value::ByteString(serial)) = get(Tag::X509CertificateIdentifier).find(Tag::CertificateSerialNumber)
        else {
            panic!("no number")
        };
        assert_eq!(**serial, [2, 2, 1, 0xF4]);
    }
}
