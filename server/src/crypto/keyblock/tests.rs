//! What is taken apart, and how points are written.

use kmip_codec::spec::Enumeration;

use super::*;
use crate::crypto::algorithm::Curve;
use crate::crypto::keyformat::EcPublicParts;

#[test]
fn the_formats_are_those_that_are_taken_apart() {
    let kinds = [ObjectType::SymmetricKey, ObjectType::PublicKey, ObjectType::PrivateKey, ObjectType::SecretData];
    for row in Format::TABLE {
        let format = Format(row.value);
        let attributes = AttributeList::default;
        let materials = [
            KeyValue::bytes(Blob::copy_of(b"x")),
            KeyValue::Plain { material: KeyMaterial::Structure(Vec::new()), attributes: attributes() },
        ];
        let is_known = materials.into_iter().any(|key_value| {
            let block = KeyBlock {
                key_format_type: format,
                key_compression_type: None,
                key_value: Some(key_value),
                cryptographic_algorithm: None,
                cryptographic_length: None,
                key_wrapping_data: None,
            };
            let unsupported = ResultReason::KeyFormatTypeNotSupported;
            kinds.iter().any(|&kind| {
                let used = canonical(kind, &block).map_err(|failure| failure.reason).err() != Some(unsupported);
                used || kept(kind, &block) != Ok(None)
            })
        });
        assert_eq!(FORMATS.contains(&format), is_known, "{format}");
    }
}

/// The base point of P-256 (SP 800-186 §3.2.1.3).
const X: &str = "6b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296";
const Y: &str = "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5";

fn public_key(format: Format, point: &str) -> KeyBlock {
    let point = hex::decode(point).unwrap();
    let parts = EcPublicParts { curve: Curve::P256, point };
    let spki = parts.to_spki().unwrap();
    let key = Canonical::Public { kind: KeyKind::Ec { curve: Curve::P256 }, spki };
    block(&key, Some(Algorithm::ECDSA), format).unwrap()
}

/// Every form registered, and every form asked for.
#[test]
fn a_point_is_given_in_the_form_that_is_asked_for() {
    use KeyCompressionType as Form;
    let forms = [
        (Form::ECPublicKeyTypeUncompressed, format!("04{X}{Y}")),
        (Form::ECPublicKeyTypeX962CompressedPrime, format!("03{X}")),
        (Form::ECPublicKeyTypeX962Hybrid, format!("07{X}{Y}")),
    ];
    for format in [Format::X509, Format::TransparentECPublicKey, Format::TransparentECDSAPublicKey] {
        for (registered, point) in &forms {
            let mut given = public_key(format, point);
            given.key_compression_type = Some(*registered);
            examine(ObjectType::PublicKey, &given).unwrap();
            // Without a wish it comes as it is kept.
            let mut object = Object::PublicKey(given.clone());
            convert(&mut object, Some(format), None).unwrap();
            assert_eq!(object, Object::PublicKey(given.clone()));
            // In another format its point is whole: that is the default.
            let other = if format == Format::X509 { Format::TransparentECPublicKey } else { Format::X509 };
            convert(&mut object, Some(other), None).unwrap();
            assert_eq!(object, Object::PublicKey(public_key(other, &forms[0].1)));
            for (wanted, point) in &forms {
                let mut object = Object::PublicKey(given.clone());
                convert(&mut object, None, Some(*wanted)).unwrap();
                let expected = KeyBlock { key_compression_type: Some(*wanted), ..public_key(format, point) };
                assert_eq!(object, Object::PublicKey(expected), "{registered} as {wanted}");
            }
            for wanted in [Form::ECPublicKeyTypeX962CompressedChar2, Form(0x8000_0001)] {
                let refused = convert(&mut Object::PublicKey(given.clone()), None, Some(wanted)).unwrap_err();
                assert_eq!(refused.reason, ResultReason::KeyCompressionTypeNotSupported);
            }
        }
    }
    // One that says nothing of its form, and has the one that is meant then.
    let plain = public_key(Format::X509, &forms[0].1);
    let mut object = Object::PublicKey(plain.clone());
    convert(&mut object, None, Some(Form::ECPublicKeyTypeUncompressed)).unwrap();
    assert_eq!(object, Object::PublicKey(plain));
    let bytes = Canonical::Secret { kind: KeyKind::Aes { bits: 128 }, bytes: Secret::copy_of(&[7; 16]) };
    let mut object = Object::SymmetricKey(block(&bytes, Some(Algorithm::AES), Format::Raw).unwrap());
    convert(&mut object, None, Some(Form::ECPublicKeyTypeUncompressed)).unwrap();
    let refused = convert(&mut object, None, Some(Form::ECPublicKeyTypeX962CompressedPrime));
    assert_eq!(refused.unwrap_err().reason, ResultReason::KeyCompressionTypeNotSupported);
}

#[test]
fn points_that_contradict_their_block_or_their_curve_are_refused() {
    use KeyCompressionType as Form;
    let reason = |block: &KeyBlock| examine(ObjectType::PublicKey, block).map_err(|failure| failure.reason);
    let whole = public_key(Format::X509, &format!("04{X}{Y}"));
    assert_eq!(reason(&whole), Ok(()));
    for form in [Form::ECPublicKeyTypeX962CompressedPrime, Form::ECPublicKeyTypeX962CompressedChar2] {
        let block = KeyBlock { key_compression_type: Some(form), ..whole.clone() };
        assert_eq!(reason(&block), Err(ResultReason::InvalidField), "{form}");
    }
    let off = [format!("04{X}{X}"), format!("06{X}{Y}"), format!("02{}", "ff".repeat(32))];
    for point in off {
        for format in [Format::X509, Format::TransparentECPublicKey] {
            let spki = EcPublicParts { curve: Curve::P256, point: hex::decode(&point).unwrap() }.to_spki().unwrap();
            let key = Canonical::Public { kind: KeyKind::Ec { curve: Curve::P256 }, spki };
            let block = block(&key, Some(Algorithm::ECDSA), format).unwrap();
            assert_eq!(reason(&block), Err(ResultReason::InvalidField), "{point}");
        }
    }
}

#[test]
fn keys_of_unknown_algorithms_are_their_owners() {
    // RSASSA-PSS (RFC 4055 §3.1) with some numbers.
    let spki = hex::decode("3019300b06092a864886f70d01010a030a00300702020bb902010d").unwrap();
    let found = public(spki).unwrap_err().reason;
    assert_eq!(found, ResultReason::KeyFormatTypeNotSupported);
    assert_eq!(public(vec![0x30, 0]).unwrap_err().reason, ResultReason::InvalidField);
}
