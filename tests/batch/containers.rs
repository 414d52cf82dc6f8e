//! Private keys and certificates in PKCS#12 containers, and certificates, as openssl makes and reads them.

use std::fs;
use std::path::Path;

use kmip_codec::Value;
use kmip_codec::spec::{
    CertificateType, CryptographicUsageMask as Mask, KeyFormatType, LinkType, ObjectType, Operation, ResultReason,
    RevocationReasonCode, SecretDataType, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, AttributeReference, Certificate, KeyBlock, KeyValue, Object, SecretData};
use kmipd::failure::reason_in;
use kmipd::ops;

use crate::harness::kmip::{block, bytes_of, enumeration, get, mask, new_attribute, register, secret, structure, text};
use crate::harness::{Kmip, Kmipd, openssl};

/// A key with its certificate and that of its issuer, in containers of two ages under the password "secret".
fn containers(folder: &Path) {
    for command in [
        "req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=Root -days 30",
        "req -newkey rsa:2048 -nodes -keyout leaf.key -out leaf.csr -subj /CN=Leaf",
        "x509 -req -in leaf.csr -CA ca.pem -CAkey ca.key -CAcreateserial -out leaf.pem -days 30",
        "x509 -in leaf.pem -outform DER -out leaf.der",
        "x509 -in ca.pem -outform DER -out ca.der",
        "pkcs8 -topk8 -nocrypt -in leaf.key -outform DER -out leaf.p8",
        "pkcs12 -export -inkey leaf.key -in leaf.pem -certfile ca.pem -name Mine -passout pass:secret -out new.p12",
        "pkcs12 -export -legacy -inkey leaf.key -in leaf.pem -certfile ca.pem -name Mine -passout pass:secret -out old.p12",
    ] {
        openssl(folder, command);
    }
}

fn password(kmip: &mut Kmip, password: &[u8], kind: SecretDataType) -> Text {
    let secret = SecretData { secret_data_type: kind, key_block: block(KeyFormatType::Raw, password, None, None) };
    kmip.register(Object::SecretData(secret), vec![mask(Mask::empty())])
}

fn link(kind: LinkType, to: &Text) -> Attribute {
    let fields = vec![
        (Tag::LinkType, Value::Enumeration(kind.into())),
        (Tag::LinkedObjectIdentifier, Value::TextString(to.clone())),
    ];
    structure(Tag::Link, fields)
}

/// The container as a private key, in the form of the version.
fn contained(version: Version, container: &[u8]) -> Object {
    let bytes = Blob::copy_of(container);
    let key_value = if version.is_v2() { KeyValue::bytes(bytes) } else { KeyValue::Wrapped(bytes) };
    Object::PrivateKey(KeyBlock { key_value: Some(key_value), ..block(KeyFormatType::Pkcs12, b"", None, None) })
}

fn in_container(identifier: &Text) -> ops::get::Request {
    ops::get::Request { key_format_type: Some(KeyFormatType::Pkcs12), ..get(Some(identifier)) }
}

/// The password of the containers, as a key may link to it.
fn active_password(kmip: &mut Kmip) -> Text {
    let secret = password(kmip, b"secret", SecretDataType::Password);
    kmip.activate(&secret);
    secret
}

/// The objects that links of a type lead to.
fn linked(kmip: &mut Kmip, identifier: &Text, kind: LinkType) -> Vec<Text> {
    let is = |link: &Value| link.find(Tag::LinkType) == Some(&Value::Enumeration(kind.into()));
    let links = kmip.values(identifier, AttributeReference::Tag(Tag::Link));
    let to = |link: &Value| match link.find(Tag::LinkedObjectIdentifier) {
        Some(Value::TextString(to)) => to.clone(),
        other => panic!("{other:?}"),
    };
    links.iter().filter(|link| is(link)).map(to).collect()
}

fn der(object: &Object) -> Vec<u8> {
    match object {
        Object::Certificate(certificate) => certificate.certificate_value.to_vec(),
        other => panic!("a {}", other.object_type()),
    }
}

#[test]
fn a_key_comes_and_goes_with_its_chain() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    containers(folder);
    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    let kmipd = Kmipd::dev();
    for version in [Version::V1_4, Version::V2_0, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let secret = active_password(&mut kmip);
        for container in ["new.p12", "old.p12"] {
            let attributes = vec![mask(Mask::SIGN), link(LinkType::Pkcs12PasswordLink, &secret)];
            let key = kmip.register(contained(version, &file(container)), attributes);
            // It rests as PKCS#8, under the name that the container had for it, with its certificates beside it.
            assert_eq!(bytes_of(&kmip.get(&key)), file("leaf.p8"), "{container} {version}");
            assert_eq!(kmip.value(&key, Tag::CryptographicLength), Value::Integer(2048));
            assert_eq!(kmip.value(&key, Tag::Pkcs12FriendlyName), Value::TextString("Mine".into()));
            let own = linked(&mut kmip, &key, LinkType::Pkcs12CertificateLink);
            assert_eq!(der(&kmip.get(&own[0])), file("leaf.der"));
            let issuer = linked(&mut kmip, &own[0], LinkType::CertificateLink);
            assert_eq!((der(&kmip.get(&issuer[0])), issuer.len()), (file("ca.der"), 1));
            // Out again it opens with the password, and has everything.
            let came: ops::get::Response = kmip.ask(Operation::Get, &in_container(&key));
            let Object::PrivateKey(found) = came.object else { panic!("{}", came.object_type) };
            assert_eq!((found.key_format_type, found.cryptographic_length), (KeyFormatType::Pkcs12, None));
            let bytes = match found.key_value {
                Some(KeyValue::Wrapped(bytes)) if !version.is_v2() => bytes.to_vec(),
                Some(value) if version.is_v2() => bytes_of(&Object::PrivateKey(KeyBlock {
                    key_value: Some(value),
                    ..block(KeyFormatType::Pkcs12, b"", None, None)
                })),
                other => panic!("{other:?}"),
            };
            fs::write(folder.join("out.p12"), bytes).unwrap();
            openssl(folder, "pkcs12 -in out.p12 -passin pass:secret -nodes -nocerts -out out.key");
            openssl(folder, "pkcs8 -topk8 -nocrypt -in out.key -outform DER -out out.p8");
            assert_eq!(file("out.p8"), file("leaf.p8"));
            let told = openssl(folder, "pkcs12 -in out.p12 -passin pass:secret -nokeys");
            assert_eq!(told.matches("BEGIN CERTIFICATE").count(), 2);
            let told = openssl(folder, "pkcs12 -in out.p12 -passin pass:secret -nodes -nocerts");
            assert!(told.contains("friendlyName: Mine"), "{told}");
        }
    }
}

/// What openssl makes otherwise: other ciphers, hashes and keys, no name, no chain, no encryption.
#[test]
fn every_container_of_openssl_is_read() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    for command in [
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -keyout own.key -out own.pem -subj /CN=Own -days 30",
        "pkcs8 -topk8 -nocrypt -in own.key -outform DER -out own.p8",
        "x509 -in own.pem -outform DER -out own.der",
    ] {
        openssl(folder, command);
    }
    let kmipd = Kmipd::dev();
    let mut kmip = kmipd.kmip(Version::V2_1);
    let secret = active_password(&mut kmip);
    let made = |options: &str| {
        let command = format!("pkcs12 -export {options} -inkey own.key -in own.pem -passout pass:secret -out own.p12");
        openssl(folder, &command);
        contained(Version::V2_1, &fs::read(folder.join("own.p12")).unwrap())
    };
    let attributes = vec![mask(Mask::SIGN), link(LinkType::Pkcs12PasswordLink, &secret)];
    for options in [
        "-keypbe AES-128-CBC -certpbe AES-192-CBC -macalg sha512",
        "-keypbe AES-256-CBC -certpbe NONE -macalg sha384",
        "-keypbe NONE -certpbe AES-256-CBC -iter 100000",
        "-keypbe NONE -certpbe NONE -noiter",
        "-legacy -descert -macalg sha1",
        "-legacy -keypbe PBE-SHA1-RC2-40 -certpbe PBE-SHA1-RC2-128",
    ] {
        let key = kmip.register(made(options), attributes.clone());
        assert_eq!(bytes_of(&kmip.get(&key)), fs::read(folder.join("own.p8")).unwrap(), "{options}");
        assert!(kmip.values(&key, AttributeReference::Tag(Tag::Pkcs12FriendlyName)).is_empty());
        let own = linked(&mut kmip, &key, LinkType::Pkcs12CertificateLink);
        assert_eq!(der(&kmip.get(&own[0])), fs::read(folder.join("own.der")).unwrap());
    }
    // Without a MAC there is nothing that says that it is whole.
    let unproven = register(made("-nomac"), attributes);
    assert_eq!(kmip.refusal(Operation::Register, &unproven), ResultReason::InvalidField);
}

/// Since 2.0 a certificate leaves in a container too, with those above it, under its own link to a password.
#[test]
fn a_certificate_leaves_in_a_container_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    containers(folder);
    let file = |name: &str| fs::read(folder.join(name)).unwrap();
    let kmipd = Kmipd::dev();
    for version in [Version::V1_4, Version::V2_0, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let secret = active_password(&mut kmip);
        let to_password = link(LinkType::Pkcs12PasswordLink, &secret);
        let key = kmip.register(contained(version, &file("new.p12")), vec![mask(Mask::SIGN), to_password.clone()]);
        let own = linked(&mut kmip, &key, LinkType::Pkcs12CertificateLink).remove(0);
        if !version.is_v2() {
            let refused = kmip.refusal(Operation::Get, &in_container(&own));
            assert_eq!(refused, ResultReason::KeyFormatTypeNotSupported);
            continue;
        }
        assert_eq!(kmip.refusal(Operation::Get, &in_container(&own)), ResultReason::BadPassword);
        for attribute in [to_password, text(Tag::Pkcs12FriendlyName, "leaf")] {
            kmip.ask::<ops::attribute::Response>(Operation::AddAttribute, &new_attribute(Some(&own), attribute));
        }
        let came: ops::get::Response = kmip.ask(Operation::Get, &in_container(&own));
        fs::write(folder.join("out.p12"), der(&came.object)).unwrap();
        let told = openssl(folder, "pkcs12 -in out.p12 -passin pass:secret -nodes");
        assert_eq!(told.matches("BEGIN CERTIFICATE").count(), 2, "{told}");
        assert!(told.contains("friendlyName: leaf\n") && !told.contains("PRIVATE KEY"), "{told}");
        // Otherwise it is as it was.
        assert_eq!(der(&kmip.get(&own)), file("leaf.der"));
    }
}

/// Serial numbers that RFC 5280 does not allow, as authorities make them all the same.
#[test]
fn a_certificate_with_an_odd_serial_number_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let folder = folder.path();
    openssl(folder, "ecparam -name prime256v1 -genkey -noout -out own.key");
    let kmipd = Kmipd::dev();
    let long = "a1".repeat(40);
    for (serial, octets) in [(&*format!("0x{long}"), format!("00{long}")), ("-129", "FF7F".into()), ("0", "00".into())]
    {
        let command =
            format!("req -x509 -new -key own.key -subj /CN=Odd -set_serial {serial} -outform DER -out own.der");
        openssl(folder, &command);
        let der = fs::read(folder.join("own.der")).unwrap();
        let certificate = Object::Certificate(Certificate {
            certificate_type: CertificateType::X509,
            certificate_value: Blob::copy_of(&der),
        });
        let key = kmipd.kmip(Version::V1_4).register(certificate.clone(), vec![mask(Mask::VERIFY)]);
        for version in [Version::V1_0, Version::V1_4, Version::V2_1] {
            let mut kmip = kmipd.kmip(version);
            assert_eq!(kmip.get(&key), certificate, "{serial} {version}");
            if version == Version::V1_0 {
                let named = kmip.value(&key, Tag::CertificateIdentifier);
                let text = named.find(Tag::SerialNumber).and_then(Value::text).map(str::to_owned);
                assert_eq!(text, Some(octets.to_uppercase()));
                continue;
            }
            let named = kmip.value(&key, Tag::X509CertificateIdentifier);
            let Some(Value::ByteString(number)) = named.find(Tag::CertificateSerialNumber) else { panic!("{named:?}") };
            let octets = hex::decode(&octets).unwrap();
            assert_eq!(**number, [vec![2, u8::try_from(octets.len()).unwrap()], octets].concat());
            // And it is found by it.
            let found = kmip.locate(vec![Attribute::new(Tag::X509CertificateIdentifier, named)]);
            assert_eq!(found, std::slice::from_ref(&key));
        }
    }
}

#[test]
fn the_password_must_be_one_and_ready() {
    let folder = tempfile::tempdir().unwrap();
    containers(folder.path());
    let container = fs::read(folder.path().join("new.p12")).unwrap();
    let kmipd = Kmipd::dev();
    for version in [Version::V1_4, Version::V2_1] {
        let mut kmip = kmipd.kmip(version);
        let certificates = enumeration(Tag::ObjectType, ObjectType::Certificate);
        let before = kmip.locate(vec![certificates.clone()]);
        let refused = |kmip: &mut Kmip, container: &[u8], more: Vec<Attribute>| {
            let attributes = [vec![mask(Mask::SIGN)], more].concat();
            kmip.refusal(Operation::Register, &register(contained(version, container), attributes))
        };
        let bad = if version.is_v2() { ResultReason::BadPassword } else { ResultReason::InvalidField };
        let to = |identifier: &Text| link(LinkType::Pkcs12PasswordLink, identifier);
        let right = password(&mut kmip, b"secret", SecretDataType::Password);
        let wrong = password(&mut kmip, b"other", SecretDataType::Password);
        let seed = password(&mut kmip, b"secret", SecretDataType::Seed);
        let early = if version.is_v2() { bad } else { ResultReason::PermissionDenied };
        assert_eq!(refused(&mut kmip, &container, vec![to(&right)]), early);
        [&right, &wrong, &seed].into_iter().for_each(|secret| kmip.activate(secret));
        let key = kmip.create(vec![]);
        for links in [vec![], vec![to(&right), to(&wrong)], vec![to(&wrong)], vec![to(&seed)], vec![to(&key)]] {
            assert_eq!(refused(&mut kmip, &container, links.clone()), bad, "{links:?}");
        }
        let nobody = "00000000-0000-4000-8000-000000000000".into();
        let absent = refused(&mut kmip, &container, vec![to(&nobody)]);
        assert_eq!(absent, reason_in(version, ResultReason::ObjectNotFound));
        assert_eq!(refused(&mut kmip, b"no container", vec![to(&right)]), ResultReason::InvalidField);
        let another = text(Tag::Pkcs12FriendlyName, "another");
        assert_eq!(refused(&mut kmip, &container, vec![to(&right), another]), ResultReason::InvalidField);
        // Nothing of what failed stayed.
        assert_eq!(kmip.locate(vec![certificates]), before);
        // Names are compared without regard to case; and a key without a password leaves in no container.
        let mine = text(Tag::Pkcs12FriendlyName, "mine");
        let key = kmip.register(contained(version, &container), vec![mask(Mask::SIGN), to(&right), mine]);
        kmip.revoke(&right, RevocationReasonCode::CessationOfOperation);
        assert_eq!(kmip.refusal(Operation::Get, &in_container(&key)), early);
        let other = kmip.register(secret(b"x"), vec![mask(Mask::empty())]);
        let unfit = kmip.refusal(Operation::Get, &in_container(&other));
        assert_eq!(unfit, ResultReason::KeyFormatTypeNotSupported);
    }
}
