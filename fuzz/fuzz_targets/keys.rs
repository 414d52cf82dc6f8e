//! A key that is taken apart is put together again to the same key in every format that it has; whatever is no key is refused
//! without a panic. The first three bytes choose object type, format and algorithm; behind them stands the material: an
//! element in TTLV for the formats in numbers, else bytes.
#![no_main]

use bytes::Bytes;
use kmip_codec::Value;
use kmip_codec::spec::{
    CryptographicAlgorithm as Algorithm, Enumeration, KeyCompressionType, KeyFormatType as Format, ObjectType, Version,
};
use kmip_codec::ttlv::{Blob, Limits, parse};
use kmip_codec::types::{AttributeList, KeyBlock, KeyMaterial, KeyValue, Object, SecretData};
use kmipd::crypto::algorithm::{Edwards, KeyKind};
use kmipd::crypto::keyblock::{self, Canonical, FORMATS};
use libfuzzer_sys::fuzz_target;

const OBJECTS: [ObjectType; 4] =
    [ObjectType::SymmetricKey, ObjectType::PrivateKey, ObjectType::PublicKey, ObjectType::SecretData];

fuzz_target!(|data: &[u8]| {
    let [object, format, algorithm, material @ ..] = data else { return };
    let Some(&object) = OBJECTS.get(usize::from(*object)) else { return };
    let Some(&format) = FORMATS.get(usize::from(*format)) else { return };
    let algorithm = <Algorithm as Enumeration>::TABLE.get(usize::from(*algorithm)).map(|row| Algorithm(row.value));
    let Some(material) = read(material, format) else { return };
    let block = KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(KeyValue::Plain { material, attributes: AttributeList::default() }),
        cryptographic_algorithm: algorithm,
        cryptographic_length: None,
        key_wrapping_data: None,
    };
    let _ = keyblock::examine(object, &block);
    let _ = keyblock::kept(object, &block);
    let whole = of_type(object, block.clone());
    for version in [Version::V1_4, Version::V2_1] {
        let _ = keyblock::digests(&whole, version);
    }
    for &wanted in FORMATS {
        let mut whole = whole.clone();
        let _ =
            keyblock::convert(&mut whole, Some(wanted), Some(KeyCompressionType::ECPublicKeyTypeX962CompressedPrime));
    }
    let Ok(key) = keyblock::canonical(object, &block) else { return };
    // What is said of a key was compared with what it is before it is kept.
    let algorithm = keyblock::algorithm_of(key.kind()).or(algorithm);
    let is_x25519 = key.kind() == KeyKind::Edwards { curve: Edwards::X25519 };
    for &wanted in FORMATS {
        let Ok(block) = keyblock::block(&key, algorithm, wanted) else { continue };
        match keyblock::canonical(object, &block) {
            Ok(again) => assert!(is_same(&key, &again), "{object} from {format} as {wanted}: {:?}", again.kind()),
            // A secret in numbers is no secret any more, and no algorithm says that bytes are a key of X25519.
            Err(_) if wanted == Format::TransparentSymmetricKey || is_x25519 && wanted == Format::Raw => {}
            Err(failure) => panic!("{object} from {format} as {wanted}: {failure:?}"),
        }
    }
});

fn read(material: &[u8], format: Format) -> Option<KeyMaterial> {
    if !format.to_string().starts_with("Transparent") {
        return Some(KeyMaterial::Bytes(Blob::copy_of(material)));
    }
    match parse(&Bytes::copy_from_slice(material), &Limits::default()).ok()?.value {
        Value::Structure(numbers) => Some(KeyMaterial::Structure(numbers)),
        _ => None,
    }
}

fn of_type(object: ObjectType, block: KeyBlock) -> Object {
    match object {
        ObjectType::PrivateKey => Object::PrivateKey(block),
        ObjectType::PublicKey => Object::PublicKey(block),
        ObjectType::SecretData => Object::SecretData(SecretData {
            secret_data_type: kmip_codec::spec::SecretDataType::Seed,
            key_block: block,
        }),
        _ => Object::SymmetricKey(block),
    }
}

/// The same key; a private one may say more or less of its public half, and be written with or without its seed.
fn is_same(key: &Canonical, other: &Canonical) -> bool {
    let bytes = match (key, other) {
        (Canonical::Secret { kind, bytes }, Canonical::Secret { bytes: other, .. }) => kind.is_pair() || bytes == other,
        (Canonical::Public { .. }, Canonical::Public { .. }) => true,
        _ => false,
    };
    bytes && key.kind() == other.kind()
}
