//! Every type of object, in every format that it can be registered in, asked for in every format that there is: what comes,
//! and that nothing else does.

use kmip_codec::spec::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm as Algorithm, CryptographicUsageMask as Mask,
    Enumeration, KeyCompressionType as Compression, KeyFormatType as Format, ObjectType, OpaqueDataType,
    ResultReason as Reason, SplitKeyMethod, Tag, Version,
};
use kmip_codec::ttlv::Blob;
use kmip_codec::types::{
    Attribute, Attributes, Certificate, CertificateRequest, KeyBlock, KeyMaterial, KeyValue, Object, OpaqueObject,
    PgpKey, SplitKey, UniqueIdentifier,
};

use super::{Get, Request};
use crate::crypto::keyformat::vectors::*;
use crate::failure::Outcome;
use crate::ops::register::{self, Register};
use crate::view::testing::{Bench, block, secret, usage};

fn unhex(hex: &str) -> Vec<u8> {
    hex::decode(hex.replace(char::is_whitespace, "")).unwrap()
}

fn register(bench: &Bench, version: Version, object: Object) -> Outcome<UniqueIdentifier> {
    let (tag, mask) = usage(Mask::SIGN);
    let list = if object.key_block().is_some() { vec![Attribute::new(tag, mask)] } else { Vec::new() };
    let request = register::Request {
        object_type: object.object_type(),
        attributes: Attributes { templates: Vec::new(), list },
        object,
        protection_storage_masks: None,
    };
    bench.run::<Register>(version, request).map(|made| UniqueIdentifier::Text(made.unique_identifier))
}

fn get(bench: &Bench, version: Version, object: &UniqueIdentifier, format: Format) -> Result<Object, Reason> {
    let request = Request { key_format_type: Some(format), ..Request::of(object.clone()) };
    bench.run::<Get>(version, request).map(|answer| answer.object).map_err(|failure| failure.reason)
}

fn key(object: ObjectType, block: KeyBlock) -> Object {
    match object {
        ObjectType::PrivateKey => Object::PrivateKey(block),
        ObjectType::PublicKey => Object::PublicKey(block),
        _ => Object::SymmetricKey(block),
    }
}

fn bytes(object: &Object) -> Option<Vec<u8>> {
    match &object.key_block()?.key_value {
        Some(KeyValue::Plain { material: KeyMaterial::Bytes(bytes), .. }) => Some(bytes.to_vec()),
        _ => None,
    }
}

/// A key: what it is, its formats in bytes as another tool has written them, and its formats in numbers.
struct Row {
    object: ObjectType,
    algorithm: Algorithm,
    written: &'static [(Format, &'static str)],
    numbers: &'static [Format],
}

const EC_PRIVATE: &[Format] = &[
    Format::TransparentECPrivateKey,
    Format::TransparentECDSAPrivateKey,
    Format::TransparentECDHPrivateKey,
    Format::TransparentECMQVPrivateKey,
];
const EC_PUBLIC: &[Format] = &[
    Format::TransparentECPublicKey,
    Format::TransparentECDSAPublicKey,
    Format::TransparentECDHPublicKey,
    Format::TransparentECMQVPublicKey,
];

fn rows() -> Vec<Row> {
    let (private, public, symmetric) = (ObjectType::PrivateKey, ObjectType::PublicKey, ObjectType::SymmetricKey);
    let row = |object, algorithm, written, numbers| Row { object, algorithm, written, numbers };
    vec![
        row(
            private,
            Algorithm::RSA,
            &[(Format::Pkcs8, RSA_PKCS8), (Format::Pkcs1, RSA_PKCS1)],
            &[Format::TransparentRSAPrivateKey],
        ),
        row(
            public,
            Algorithm::RSA,
            &[(Format::X509, RSA_SPKI), (Format::Pkcs1, RSA_PUBLIC)],
            &[Format::TransparentRSAPublicKey],
        ),
        row(private, Algorithm::ECDSA, &[(Format::Pkcs8, EC_PKCS8), (Format::ECPrivateKey, EC_SEC1)], EC_PRIVATE),
        row(public, Algorithm::ECDSA, &[(Format::X509, EC_SPKI)], EC_PUBLIC),
        row(private, Algorithm::DSA, &[(Format::Pkcs8, DSA_PKCS8)], &[Format::TransparentDSAPrivateKey]),
        row(public, Algorithm::DSA, &[(Format::X509, DSA_SPKI)], &[Format::TransparentDSAPublicKey]),
        row(private, Algorithm::DH, &[(Format::Pkcs8, DH_PKCS8)], &[Format::TransparentDHPrivateKey]),
        row(public, Algorithm::DH, &[(Format::X509, DH_SPKI)], &[Format::TransparentDHPublicKey]),
        row(private, Algorithm::DH, &[(Format::Pkcs8, DHX_PKCS8)], &[Format::TransparentDHPrivateKey]),
        row(public, Algorithm::DH, &[(Format::X509, DHX_SPKI)], &[Format::TransparentDHPublicKey]),
        row(
            symmetric,
            Algorithm::AES,
            &[(Format::Raw, "000102030405060708090a0b0c0d0e0f"), (Format::Opaque, "000102030405060708090a0b0c0d0e0f")],
            &[Format::TransparentSymmetricKey],
        ),
        // Its password is its owner's.
        row(private, Algorithm::EC, &[(Format::Pkcs8, ENCRYPTED_PKCS8)], &[]),
    ]
}

#[test]
fn a_key_comes_in_the_formats_that_it_has_and_in_no_other() {
    let version = Version::V1_4;
    for row in rows() {
        let bench = Bench::new();
        let (first, written) = row.written[0];
        let mut start = block(first, row.algorithm, &unhex(written));
        start.cryptographic_length = None;
        let origin = register(&bench, version, key(row.object, start)).unwrap();
        // The key in each of its formats, as it was first registered.
        let formats = row.written.iter().map(|(format, _)| *format).chain(row.numbers.iter().copied());
        let known: Vec<(Format, Object)> =
            formats.map(|format| (format, get(&bench, version, &origin, format).unwrap())).collect();
        for (format, written) in row.written {
            let (_, object) = known.iter().find(|(known, _)| known == format).unwrap();
            assert_eq!(bytes(object), Some(unhex(written)), "{} as {format}", row.algorithm);
        }
        for (registered, object) in &known {
            let mut object = object.clone();
            if let Some(block) = object.key_block_mut() {
                // All that is said of the key is the material.
                (block.cryptographic_algorithm, block.cryptographic_length) = (Some(row.algorithm), None);
            }
            let again = register(&bench, version, object).unwrap();
            for asked in Format::TABLE.iter().map(|row| Format(row.value)).filter(|format| format.known_in(version)) {
                let found = get(&bench, version, &again, asked);
                let told = format!("{} {} from {registered} as {asked}", row.algorithm, row.object);
                match known.iter().find(|(format, _)| *format == asked) {
                    Some((_, expected)) => {
                        let found = found.unwrap_or_else(|reason| panic!("{told}: {reason}"));
                        let value = |object: &Object| object.key_block().unwrap().key_value.clone();
                        // The numbers of a private key do not say its public one.
                        let is_less = row.object == ObjectType::PrivateKey && bytes(&found) != bytes(expected);
                        let from_numbers = EC_PRIVATE.contains(registered);
                        assert!(value(&found) == value(expected) || is_less && from_numbers, "{told}");
                    }
                    // It could, if it were linked to a password.
                    None if asked == Format::Pkcs12 && row.object == ObjectType::PrivateKey => {
                        assert_eq!(found, Err(Reason::BadPassword), "{told}");
                    }
                    None => assert_eq!(found, Err(Reason::KeyFormatTypeNotSupported), "{told}"),
                }
            }
        }
    }
}

#[test]
fn what_is_no_key_comes_in_the_one_format_that_it_is() {
    let certificate = |kind, value: &[u8]| {
        Object::Certificate(Certificate { certificate_type: kind, certificate_value: Blob::copy_of(value) })
    };
    let split = SplitKey {
        split_key_parts: 3,
        key_part_identifier: 1,
        split_key_threshold: 2,
        split_key_method: SplitKeyMethod::PolynomialSharingGF216,
        prime_field_size: None,
        key_block: block(Format::Raw, Algorithm::AES, &[7; 16]),
    };
    let mut pgp = block(Format::Raw, Algorithm::RSA, b"-----BEGIN PGP PUBLIC KEY BLOCK-----");
    pgp.cryptographic_algorithm = None;
    let request = CertificateRequest {
        certificate_request_type: CertificateRequestType::Pkcs10,
        certificate_request_value: Blob::new(unhex(include_str!("../register/request.hex"))),
    };
    let opaque =
        OpaqueObject { opaque_data_type: OpaqueDataType(0x8000_0001), opaque_data_value: Blob::copy_of(b"opaque") };
    let x509 = unhex(include_str!("../../crypto/names.hex"));
    let rows: [(Object, &[Format]); 7] = [
        (certificate(CertificateType::X509, &x509), &[Format::X509]),
        (certificate(CertificateType::PGP, PGP), &[Format::Raw]),
        (Object::CertificateRequest(request), &[Format::Pkcs10]),
        (Object::OpaqueObject(opaque), &[Format::Opaque]),
        (Object::SplitKey(split), &[Format::Raw]),
        (Object::PGPKey(PgpKey { pgp_key_version: 4, key_block: pgp }), &[Format::Raw]),
        (secret(b"secret"), &[Format::Opaque, Format::Raw]),
    ];
    for (object, formats) in rows {
        let bench = Bench::new();
        let identifier = register(&bench, Version::V2_1, object.clone()).unwrap();
        for asked in Format::TABLE.iter().map(|row| Format(row.value)) {
            let found = get(&bench, Version::V2_1, &identifier, asked);
            let told = format!("{} as {asked}: {found:?}", object.object_type());
            if formats.first() == Some(&asked) {
                assert_eq!(found.as_ref(), Ok(&object), "{told}");
            } else if formats.contains(&asked) {
                assert_eq!(bytes(&found.unwrap()), bytes(&object), "{told}");
            } else if asked == Format::Pkcs12 && formats == [Format::X509] {
                // It would go in a container, had it a link to a password.
                assert_eq!(found, Err(Reason::BadPassword), "{told}");
            } else {
                assert_eq!(found, Err(Reason::KeyFormatTypeNotSupported), "{told}");
            }
        }
        // The attribute says the same.
        let said = super::tests::values(&bench, &identifier, Tag::KeyFormatType);
        assert_eq!(said, [kmip_codec::Value::Enumeration(formats[0].into())], "{}", object.object_type());
    }
}

/// What has no point on a curve comes in no form of one, and is not kept as if it did.
#[test]
fn key_compression_types_are_for_points() {
    let bench = Bench::new();
    let x509 = unhex(include_str!("../../crypto/names.hex"));
    let certificate = Object::Certificate(Certificate {
        certificate_type: CertificateType::X509,
        certificate_value: Blob::new(x509),
    });
    let aes = key(ObjectType::SymmetricKey, block(Format::Raw, Algorithm::AES, &[7; 16]));
    for object in [certificate, aes.clone()] {
        let identifier = register(&bench, Version::V2_1, object.clone()).unwrap();
        let get = |compression| {
            let request = Request { key_compression_type: Some(compression), ..Request::of(identifier.clone()) };
            bench.run::<Get>(Version::V2_1, request).map(|answer| answer.object).map_err(|failure| failure.reason)
        };
        assert_eq!(get(Compression::ECPublicKeyTypeUncompressed), Ok(object));
        for other in [Compression::ECPublicKeyTypeX962CompressedPrime, Compression(0x8000_0001)] {
            assert_eq!(get(other), Err(Reason::KeyCompressionTypeNotSupported));
        }
    }
    let rsa = key(ObjectType::PublicKey, block(Format::Pkcs1, Algorithm::RSA, &unhex(RSA_PUBLIC)));
    for mut object in [aes, rsa] {
        let compression = Some(Compression::ECPublicKeyTypeX962CompressedPrime);
        object.key_block_mut().unwrap().key_compression_type = compression;
        let refused = register(&bench, Version::V2_1, object).unwrap_err();
        assert_eq!(refused.reason, Reason::InvalidField);
    }
}

/// The beginning of an OpenPGP certificate: a public key packet of version 4 (RFC 4880 §5.5.2).
const PGP: &[u8] = &[0x98, 0x0C, 4, 0x60, 0, 0, 0, 1, 0, 8, 0xC5, 0, 2, 3];

#[test]
fn keys_that_contradict_what_is_said_of_them_are_refused() {
    let bench = Bench::new();
    let reason = |object, algorithm, format, hex: &str, length| {
        let mut block = block(format, algorithm, &unhex(hex));
        block.cryptographic_length = length;
        register(&bench, Version::V2_1, key(object, block)).map_err(|failure| failure.reason).err()
    };
    let (private, public) = (ObjectType::PrivateKey, ObjectType::PublicKey);
    // An algorithm and a length that are another key's.
    assert_eq!(reason(public, Algorithm::RSA, Format::X509, DSA_SPKI, None), Some(Reason::InvalidField));
    assert_eq!(reason(private, Algorithm::DH, Format::Pkcs8, DSA_PKCS8, None), Some(Reason::InvalidField));
    assert_eq!(reason(public, Algorithm::DSA, Format::X509, DSA_SPKI, Some(2048)), Some(Reason::InvalidField));
    assert_eq!(reason(public, Algorithm::DSA, Format::X509, DSA_SPKI, Some(1024)), None);
    // A point off its curve: the last byte of y.
    let off = format!("{}ee", EC_SPKI.strip_suffix("ef").unwrap());
    assert_eq!(reason(public, Algorithm::ECDSA, Format::X509, &off, None), Some(Reason::InvalidField));
    // Half a key.
    let half = DSA_SPKI.get(..200).unwrap();
    assert_eq!(reason(public, Algorithm::DSA, Format::X509, half, None), Some(Reason::InvalidField));
}
