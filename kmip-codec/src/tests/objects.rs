//! Managed objects by value: every type, and the versions that have it.

use super::*;
use crate::schema::{Field, Fields, Lifetime};
use crate::spec::{ObjectType, SplitKeyMethod};
use crate::types::{Object, SplitKey};

/// An object as a field of a structure.
fn object(hex: &str, version: Version) -> Result<Object> {
    let mut fields = Fields::open(element(&structure("420079", &[hex.to_owned()])), version)?;
    let object = Object::take(&mut fields, Tag::Objects, Lifetime::ALWAYS)?;
    fields.finish()?;
    Ok(object)
}

fn put(object: &Object, version: Version) -> String {
    let mut writer = Writer::new(version);
    object.put(Tag::Objects, Lifetime::ALWAYS, &mut writer);
    hex::encode_upper(writer.finish())
}

/// A Key Block of raw bytes.
fn block(material: &[u8]) -> String {
    let value = structure("420045", &[item("420043", 8, material)]);
    structure("420040", &[enumeration("420042", 1), value])
}

fn split(method: u32, prime: Option<&[u8]>) -> String {
    let mut fields =
        vec![integer("42008B", 4), integer("420044", 2), integer("42008C", 3), enumeration("42008A", method)];
    fields.extend(prime.map(|prime| item("420062", 4, prime)));
    fields.push(block(b"share"));
    structure("420089", &fields)
}

#[test]
fn split_keys() {
    let digits = split(3, Some(&[0, 0, 0, 0, 0, 0, 1, 1]));
    for &version in Version::ALL {
        let Object::SplitKey(read) = object(&digits, version).unwrap() else { panic!("no Split Key") };
        assert_eq!((read.split_key_parts, read.key_part_identifier, read.split_key_threshold), (4, 2, 3));
        assert_eq!(read.split_key_method, SplitKeyMethod::PolynomialSharingPrimeField);
        assert_eq!(&*read.prime_field_size.as_ref().unwrap().0, [0, 0, 0, 0, 0, 0, 1, 1]);
        assert_eq!(put(&Object::SplitKey(read), version), digits);
    }
    let Object::SplitKey(SplitKey { prime_field_size, .. }) = object(&split(1, None), Version::V2_1).unwrap() else {
        panic!("no Split Key")
    };
    assert_eq!(prime_field_size, None);
    // Sharing in GF(2^8) came with 1.2.
    assert!(object(&split(4, None), Version::V1_2).is_ok());
    let unknown = ErrorKind::UnknownEnumeration { value: 4, version: Version::V1_1 };
    assert_eq!(kind(object(&split(4, None), Version::V1_1)), (unknown, vec![Tag::SplitKey, Tag::SplitKeyMethod]));
}

#[test]
fn templates_are_of_1_x() {
    let fields = [text("42000A", "Object Group"), text("42000B", "shelf")];
    let digits = structure("420090", &[structure("420008", &fields)]);
    for version in [Version::V1_0, Version::V1_4] {
        let Object::Template(read) = object(&digits, version).unwrap() else { panic!("no Template") };
        assert_eq!(read.attributes.0.len(), 1);
        assert_eq!(put(&Object::Template(read), version), digits);
    }
    let gone = ErrorKind::NotInVersion { tag: Tag::Template, version: Version::V2_0 };
    assert_eq!(kind(object(&digits, Version::V2_0)).0, gone);
}

#[test]
fn pgp_keys_are_since_1_2() {
    let digits = structure("4200BD", &[integer("4200BE", 4), block(b"armour")]);
    for version in [Version::V1_2, Version::V2_1] {
        let Object::PGPKey(read) = object(&digits, version).unwrap() else { panic!("no PGP Key") };
        assert_eq!(read.pgp_key_version, 4);
        assert_eq!(put(&Object::PGPKey(read), version), digits);
    }
    let early = ErrorKind::NotInVersion { tag: Tag::PGPKey, version: Version::V1_1 };
    assert_eq!(kind(object(&digits, Version::V1_1)).0, early);
}

#[test]
fn certificate_requests_are_objects_since_2_0() {
    let digits = structure("420018", &[enumeration("420019", 2), item("420140", 8, b"request")]);
    for version in [Version::V2_0, Version::V2_1] {
        let Object::CertificateRequest(read) = object(&digits, version).unwrap() else { panic!("no request") };
        assert_eq!(&*read.certificate_request_value, b"request");
        assert_eq!(put(&Object::CertificateRequest(read), version), digits);
    }
    let early = ErrorKind::NotInVersion { tag: Tag::CertificateRequest, version: Version::V1_4 };
    assert_eq!(kind(object(&digits, Version::V1_4)).0, early);
}

#[test]
fn an_object_may_be_left_out_where_it_is_optional() {
    let none = element(&structure("420079", &[text("420094", "id")]));
    let mut fields = Fields::open(none, Version::V2_1).unwrap();
    assert_eq!(<Option<Object> as Field>::take(&mut fields, Tag::Objects, Lifetime::ALWAYS), Ok(None));
    let some = element(&structure("420079", &[split(1, None)]));
    let mut fields = Fields::open(some, Version::V2_1).unwrap();
    let object = <Option<Object> as Field>::take(&mut fields, Tag::Objects, Lifetime::ALWAYS).unwrap().unwrap();
    assert_eq!(object.object_type(), ObjectType::SplitKey);
}

#[test]
fn the_types_of_a_version_are_those_of_the_enumeration() {
    use ObjectType as O;
    let first = [
        O::Certificate,
        O::SymmetricKey,
        O::PublicKey,
        O::PrivateKey,
        O::SplitKey,
        O::Template,
        O::SecretData,
        O::OpaqueObject,
    ];
    assert_eq!(Object::types(Version::V1_0).collect::<Vec<_>>(), first);
    assert_eq!(Object::types(Version::V1_4).count(), 9);
    let newest: Vec<_> = Object::types(Version::V2_1).collect();
    assert!(newest.contains(&O::CertificateRequest) && newest.contains(&O::PGPKey) && !newest.contains(&O::Template));
    // Every type that the standard names is one that we have.
    assert_eq!(<O as crate::spec::Enumeration>::TABLE.len(), Object::TYPES.len());
}
