//! Between the key blocks of the protocol and what providers take: formats, kinds, lengths (KMIP 2.1 §3.1, §4.26).

mod discrete;
mod points;
mod transparent;

use kmip_codec::schema::Decode;
use kmip_codec::spec::{
    CertificateRequestType, CertificateType, CryptographicAlgorithm as Algorithm, KeyCompressionType,
    KeyFormatType as Format, ObjectType, RecommendedCurve, ResultReason, Tag, Version,
};
use kmip_codec::ttlv::{Blob, Writer};
use kmip_codec::types::{AttributeList, KeyBlock, KeyMaterial, KeyValue, Object, TransparentSymmetricKey};
use kmip_codec::{Element, Value};

use super::algorithm::{Curve, Edwards, KeyKind, ParameterSet};
use super::keyformat::{self, EdwardsPrivate, EdwardsPublic, FormatError, PostQuantumPrivateParts};
use super::software;
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;

pub use discrete::kept;
pub use points::examine;

/// The formats that [`canonical`] takes apart and [`block`] puts together, and those of keys that are kept and not used.
pub const FORMATS: &[Format] = &[
    Format::Raw,
    Format::Opaque,
    Format::Pkcs1,
    Format::Pkcs8,
    Format::X509,
    Format::ECPrivateKey,
    Format::TransparentSymmetricKey,
    Format::TransparentDSAPrivateKey,
    Format::TransparentDSAPublicKey,
    Format::TransparentDHPrivateKey,
    Format::TransparentDHPublicKey,
    Format::TransparentRSAPrivateKey,
    Format::TransparentRSAPublicKey,
    Format::TransparentECDSAPrivateKey,
    Format::TransparentECDSAPublicKey,
    Format::TransparentECDHPrivateKey,
    Format::TransparentECDHPublicKey,
    Format::TransparentECMQVPrivateKey,
    Format::TransparentECMQVPublicKey,
    Format::TransparentECPrivateKey,
    Format::TransparentECPublicKey,
];

/// A key as providers take it.
#[derive(Debug, Clone)]
pub enum Canonical {
    /// A symmetric key or secret, raw; or a private key, PKCS#8 DER.
    Secret {
        /// What it is.
        kind: KeyKind,
        /// The bytes.
        bytes: Secret,
    },
    /// A public key, SubjectPublicKeyInfo DER.
    Public {
        /// What it is.
        kind: KeyKind,
        /// The bytes.
        spki: Vec<u8>,
    },
}

impl Canonical {
    /// What the key is.
    pub const fn kind(&self) -> KeyKind {
        match self {
            Self::Secret { kind, .. } | Self::Public { kind, .. } => *kind,
        }
    }
}

impl From<FormatError> for Failure {
    fn from(error: FormatError) -> Self {
        Self::new(ResultReason::InvalidField, format!("the key material is {error}"))
    }
}

/// The kind of a symmetric key. Keys of algorithms that only the client uses are bytes to us.
pub fn symmetric_kind(algorithm: Option<Algorithm>, bytes: usize) -> KeyKind {
    let length = u32::try_from(bytes).unwrap_or(u32::MAX);
    match (algorithm, bytes) {
        (Some(Algorithm::AES), 16 | 24 | 32) => KeyKind::Aes { bits: length.saturating_mul(8) },
        (Some(Algorithm::DES3), 16 | 24) => KeyKind::TripleDes { bytes: length },
        (Some(Algorithm::ChaCha20 | Algorithm::ChaCha20Poly1305), 32) => KeyKind::ChaCha20,
        _ => KeyKind::Generic { bytes: length },
    }
}

/// The algorithm of a kind, where the kind alone says it.
pub const fn algorithm_of(kind: KeyKind) -> Option<Algorithm> {
    match kind {
        KeyKind::Aes { .. } => Some(Algorithm::AES),
        KeyKind::TripleDes { .. } => Some(Algorithm::DES3),
        KeyKind::Rsa { .. } => Some(Algorithm::RSA),
        KeyKind::PostQuantum { set } => Some(set.algorithm()),
        KeyKind::Edwards { curve: Edwards::Ed25519 } => Some(Algorithm::Ed25519),
        KeyKind::Edwards { curve: Edwards::Ed448 } => Some(Algorithm::Ed448),
        // The standard has an algorithm of its own for each of what a point is for.
        KeyKind::Edwards { curve: Edwards::X25519 | Edwards::X448 } | KeyKind::Ec { .. } | KeyKind::Generic { .. } => {
            None
        }
        // With Poly1305 and without, which is the same key.
        KeyKind::ChaCha20 => None,
    }
}

/// The Cryptographic Length of a kind, in bits; of triple DES with its parity bits.
pub const fn length_of(kind: KeyKind) -> u32 {
    match kind {
        KeyKind::Aes { bits } | KeyKind::Rsa { bits } => bits,
        KeyKind::Generic { bytes } | KeyKind::TripleDes { bytes } => bytes.saturating_mul(8),
        KeyKind::ChaCha20 => 256,
        KeyKind::PostQuantum { set } => set.bits(),
        KeyKind::Ec { curve } => match curve {
            Curve::P224 => 224,
            Curve::P256 | Curve::Secp256k1 => 256,
            Curve::P384 => 384,
            Curve::P521 => 521,
        },
        KeyKind::Edwards { curve } => match curve {
            Edwards::Ed25519 | Edwards::X25519 => 256,
            Edwards::X448 => 448,
            Edwards::Ed448 => 456,
        },
    }
}

/// The curve that the protocol calls so, if we have it.
pub const fn curve_of(curve: RecommendedCurve) -> Option<Curve> {
    Some(match curve {
        RecommendedCurve::P224 => Curve::P224,
        RecommendedCurve::P256 => Curve::P256,
        RecommendedCurve::P384 => Curve::P384,
        RecommendedCurve::P521 => Curve::P521,
        RecommendedCurve::SECP256K1 => Curve::Secp256k1,
        _ => return None,
    })
}

/// The protocol's name of a curve.
pub const fn recommended(curve: Curve) -> RecommendedCurve {
    match curve {
        Curve::P224 => RecommendedCurve::P224,
        Curve::P256 => RecommendedCurve::P256,
        Curve::P384 => RecommendedCurve::P384,
        Curve::P521 => RecommendedCurve::P521,
        Curve::Secp256k1 => RecommendedCurve::SECP256K1,
    }
}

/// The protocol's name of a curve of RFC 8410: that of the curve itself, whatever it is for.
pub const fn recommended_edwards(curve: Edwards) -> RecommendedCurve {
    match curve {
        Edwards::Ed25519 | Edwards::X25519 => RecommendedCurve::CURVE25519,
        Edwards::Ed448 | Edwards::X448 => RecommendedCurve::CURVE448,
    }
}

/// The protocol's name of the curve of a key, if it is on one.
pub const fn recommended_of(kind: KeyKind) -> Option<RecommendedCurve> {
    match kind {
        KeyKind::Ec { curve } => Some(recommended(curve)),
        KeyKind::Edwards { curve } => Some(recommended_edwards(curve)),
        _ => None,
    }
}

/// The format in which a key is kept that the server made. 2.x says which one that is (KMIP 2.1 §4.26).
pub const fn default_format(object: ObjectType, kind: KeyKind, version: Version) -> Format {
    match (object, kind) {
        (ObjectType::PrivateKey | ObjectType::PublicKey, KeyKind::Rsa { .. }) => Format::Pkcs1,
        (ObjectType::PrivateKey, KeyKind::PostQuantum { .. }) => Format::Pkcs8,
        (ObjectType::PublicKey, KeyKind::PostQuantum { .. }) => Format::X509,
        // Their keys are bytes: there are no numbers for a transparent format.
        (ObjectType::PrivateKey, KeyKind::Edwards { .. }) => Format::Pkcs8,
        (ObjectType::PublicKey, KeyKind::Edwards { .. }) => Format::X509,
        (ObjectType::PrivateKey, _) if version.is_v2() => Format::TransparentECPrivateKey,
        (ObjectType::PublicKey, _) if version.is_v2() => Format::TransparentECPublicKey,
        (ObjectType::PrivateKey, _) => Format::ECPrivateKey,
        (ObjectType::PublicKey, _) => Format::X509,
        _ => Format::Raw,
    }
}

/// What the digests of an object are computed over, and the format of each: that in which it is kept, and since 2.0 the
/// default of its kind where that is another and the server can make it (KMIP 2.1 §4.21, §4.26).
pub fn digests(object: &Object, version: Version) -> Vec<(Option<Format>, Secret)> {
    let kept = object.key_block().map(|block| block.key_format_type);
    let Some(bytes) = digested(object) else { return Vec::new() };
    let mut all = vec![(kept, bytes)];
    let other = in_default_format(object).filter(|_| version.is_v2());
    all.extend(other.and_then(|(format, object)| Some((Some(format), digested(&object)?))));
    all
}

/// The key material of a key block that is neither wrapped nor absent.
///
/// # Errors
/// Key Value Not Present; Invalid Object Type for one that is wrapped and so of no use to the server.
pub fn material(block: &KeyBlock) -> Outcome<&KeyMaterial> {
    match &block.key_value {
        Some(KeyValue::Plain { material, .. }) if block.key_wrapping_data.is_none() => Ok(material),
        Some(_) => Err(Failure::new(
            ResultReason::InvalidObjectType,
            "the key was registered wrapped; the server cannot use it",
        )),
        None => Err(Failure::new(ResultReason::KeyValueNotPresent, "the server does not hold the key value")),
    }
}

/// The curve of a key that is bytes, where the algorithm says it. What agrees goes by ECDH, which says no curve.
const fn edwards_of(algorithm: Option<Algorithm>) -> Option<Edwards> {
    match algorithm {
        Some(Algorithm::Ed25519) => Some(Edwards::Ed25519),
        Some(Algorithm::Ed448) => Some(Edwards::Ed448),
        _ => None,
    }
}

/// Takes a key block apart.
///
/// # Errors
/// Key Format Type Not Supported; Invalid Field for material that is not of its format.
pub fn canonical(object: ObjectType, block: &KeyBlock) -> Outcome<Canonical> {
    let format = block.key_format_type;
    let material = material(block)?;
    let unsupported = || {
        Failure::new(
            ResultReason::KeyFormatTypeNotSupported,
            format!("the server cannot use a {object} in the format {format}"),
        )
    };
    if format == Format::TransparentSymmetricKey && object == ObjectType::SymmetricKey {
        let KeyMaterial::Structure(elements) = material else { return Err(not_of(format)) };
        let element = Element::new(Tag::KeyMaterial, Value::Structure(elements.clone()));
        let key = TransparentSymmetricKey::decode(element, Version::V2_1)?;
        return Ok(symmetric(block.cryptographic_algorithm, &key.key));
    }
    let algorithm = block.cryptographic_algorithm;
    let bytes = match (material, object) {
        (KeyMaterial::Bytes(bytes), _) => bytes,
        (KeyMaterial::Structure(numbers), ObjectType::PrivateKey) if transparent::is_private(format) => {
            return private(transparent::private(format, numbers)?);
        }
        (KeyMaterial::Structure(numbers), ObjectType::PublicKey) if transparent::is_public(format) => {
            return public(transparent::public(format, numbers)?);
        }
        (KeyMaterial::Structure(_), _) => return Err(unsupported()),
    };
    Ok(match (object, format) {
        (ObjectType::SymmetricKey | ObjectType::SecretData, Format::Raw | Format::Opaque) => {
            symmetric(block.cryptographic_algorithm, bytes)
        }
        (ObjectType::PrivateKey, Format::Pkcs8) if keyformat::is_encrypted_private(bytes) => return Err(unsupported()),
        (ObjectType::PrivateKey, Format::Pkcs8) => private(Secret::copy_of(bytes))?,
        (ObjectType::PrivateKey, Format::Raw) => match algorithm.and_then(ParameterSet::of) {
            Some(set) => private(PostQuantumPrivateParts::from_raw(set, bytes)?.to_pkcs8()?)?,
            None => {
                let curve = edwards_of(algorithm).ok_or_else(unsupported)?;
                private(EdwardsPrivate { curve, key: Secret::copy_of(bytes) }.to_pkcs8()?)?
            }
        },
        (ObjectType::PublicKey, Format::Raw) => match algorithm.and_then(ParameterSet::of) {
            Some(set) => public(keyformat::post_quantum_spki(set, bytes)?)?,
            None => {
                let curve = edwards_of(algorithm).ok_or_else(unsupported)?;
                public(EdwardsPublic { curve, key: bytes.to_vec() }.to_spki()?)?
            }
        },
        (ObjectType::PrivateKey, Format::Pkcs1) => private(keyformat::pkcs1_private_to_pkcs8(bytes)?)?,
        (ObjectType::PrivateKey, Format::ECPrivateKey) => private(keyformat::ec_private_to_pkcs8(bytes)?)?,
        (ObjectType::PublicKey, Format::X509) => public(bytes.to_vec())?,
        (ObjectType::PublicKey, Format::Pkcs1) => public(keyformat::pkcs1_public_to_spki(bytes)?)?,
        _ => return Err(unsupported()),
    })
}

/// Puts a key block together in a format.
///
/// # Errors
/// Key Format Type Not Supported.
pub fn block(key: &Canonical, algorithm: Option<Algorithm>, format: Format) -> Outcome<KeyBlock> {
    let key_value = match (key, format) {
        (Canonical::Secret { kind, bytes }, Format::Raw | Format::Opaque) if !kind.is_pair() => plain(bytes.expose()),
        (Canonical::Secret { kind: KeyKind::Edwards { .. }, bytes }, Format::Raw) => {
            plain(EdwardsPrivate::from_pkcs8(bytes.expose())?.key.expose())
        }
        (Canonical::Public { kind: KeyKind::Edwards { .. }, spki }, Format::Raw) => {
            plain(&EdwardsPublic::from_spki(spki)?.key)
        }
        (Canonical::Secret { kind, bytes }, Format::TransparentSymmetricKey) if !kind.is_pair() => {
            numbers(vec![Element::new(Tag::Key, Value::ByteString(Blob::copy_of(bytes.expose())))])
        }
        (Canonical::Secret { kind: KeyKind::PostQuantum { .. }, bytes }, Format::Raw) => {
            plain(software::expanded_key(bytes)?.expose())
        }
        (Canonical::Public { kind: KeyKind::PostQuantum { .. }, spki }, Format::Raw) => {
            plain(&keyformat::post_quantum_public(spki)?.1)
        }
        (Canonical::Secret { kind, bytes }, Format::Pkcs8) if kind.is_pair() => plain(bytes.expose()),
        (Canonical::Secret { kind: KeyKind::Rsa { .. }, bytes }, Format::Pkcs1) => {
            plain(keyformat::pkcs8_to_pkcs1_private(bytes.expose())?.expose())
        }
        (Canonical::Secret { kind: KeyKind::Ec { .. }, bytes }, Format::ECPrivateKey) => {
            plain(keyformat::pkcs8_to_ec_private(bytes.expose())?.expose())
        }
        (Canonical::Secret { kind, bytes }, format) if kind.is_pair() && transparent::is_private(format) => {
            numbers(transparent::of_private(format, bytes)?)
        }
        (Canonical::Public { spki, .. }, format) if transparent::is_public(format) => {
            numbers(transparent::of_public(format, spki)?)
        }
        (Canonical::Public { spki, .. }, Format::X509) => plain(spki),
        (Canonical::Public { kind: KeyKind::Rsa { .. }, spki }, Format::Pkcs1) => {
            plain(&keyformat::spki_to_pkcs1_public(spki)?)
        }
        _ => {
            return Err(Failure::new(
                ResultReason::KeyFormatTypeNotSupported,
                format!("the key cannot be given in the format {format}"),
            ));
        }
    };
    let length = i32::try_from(length_of(key.kind())).ok();
    Ok(KeyBlock {
        key_format_type: format,
        key_compression_type: None,
        key_value: Some(key_value),
        cryptographic_algorithm: algorithm,
        cryptographic_length: length.filter(|_| algorithm.is_some()),
        key_wrapping_data: None,
    })
}

/// A key object in another format and compression, for who may see it.
///
/// # Errors
/// Key Format Type Not Supported, Key Compression Type Not Supported.
pub fn convert(object: &mut Object, format: Option<Format>, compression: Option<KeyCompressionType>) -> Outcome<()> {
    let kind = object.object_type();
    let Some(present) = object.key_block() else {
        points::none(compression)?;
        return match format {
            None => Ok(()),
            Some(format) if format_without_block(object) == Some(format) => Ok(()),
            Some(format) => Err(not_given_in(kind, format)),
        };
    };
    if let Some(format) = format.filter(|&format| format != present.key_format_type) {
        if format == Format::TransparentSymmetricKey && kind != ObjectType::SymmetricKey {
            return Err(not_given_in(kind, format));
        }
        let not_so = |failure: Failure| match failure.reason {
            ResultReason::InvalidObjectType | ResultReason::KeyValueNotPresent => failure,
            _ => Failure::new(ResultReason::KeyFormatTypeNotSupported, failure.message),
        };
        let mut converted = match discrete::open(kind, present).map_err(not_so)? {
            Some(parts) => discrete::block(kind, &parts, present.cryptographic_algorithm, format).map_err(not_so)?,
            None => block(&canonical(kind, present).map_err(not_so)?, present.cryptographic_algorithm, format)?,
        };
        converted.cryptographic_length = present.cryptographic_length;
        replace(object, converted);
    }
    match (compression, object.key_block()) {
        (Some(compression), Some(present)) => {
            if let Some(compressed) = points::compress(kind, present, compression)? {
                replace(object, compressed);
            }
            Ok(())
        }
        _ => Ok(()),
    }
}

/// The Key Format Type of an object that has no key block (KMIP 2.1 §4.26). What is none of the formats that it names is
/// bytes.
pub fn format_without_block(object: &Object) -> Option<Format> {
    match object {
        Object::Certificate(certificate) if certificate.certificate_type == CertificateType::X509 => Some(Format::X509),
        Object::Certificate(_) => Some(Format::Raw),
        Object::CertificateRequest(request) => match request.certificate_request_type {
            CertificateRequestType::Pkcs10 => Some(Format::Pkcs10),
            _ => Some(Format::Raw),
        },
        Object::OpaqueObject(_) => Some(Format::Opaque),
        _ => None,
    }
}

/// Key Format Type Not Supported.
pub fn not_given_in(object: ObjectType, format: Format) -> Failure {
    let why = format!("a {object} cannot be given in the format {format}");
    Failure::new(ResultReason::KeyFormatTypeNotSupported, why)
}

fn replace(object: &mut Object, converted: KeyBlock) {
    if let Some(block) = object.key_block_mut() {
        *block = converted;
    }
}

/// A key object in the default format of its kind, where it is in another one that can be taken apart (KMIP 2.1 §4.26).
pub fn in_default_format(object: &Object) -> Option<(Format, Object)> {
    let (kind, block) = (object.object_type(), object.key_block()?);
    if !FORMATS.contains(&block.key_format_type) {
        return None;
    }
    let default = match (kind, kept(kind, block).ok()?) {
        (_, Some((algorithm, _))) => discrete::default_format(kind, algorithm)?,
        // Secrets have the format Opaque with some clients, which is Raw by another name.
        (ObjectType::SecretData, None) => return None,
        (_, None) => default_format(kind, canonical(kind, block).ok()?.kind(), Version::V2_1),
    };
    if default == block.key_format_type {
        return None;
    }
    let mut object = object.clone();
    convert(&mut object, Some(default), None).ok()?;
    Some((default, object))
}

/// What Digest is computed over (KMIP 2.1 §4.21): the bytes, or the TTLV of a structure.
fn digested(object: &Object) -> Option<Secret> {
    let bytes = |bytes: &Blob| Some(Secret::copy_of(bytes));
    match object {
        Object::Certificate(certificate) => bytes(&certificate.certificate_value),
        Object::OpaqueObject(opaque) => bytes(&opaque.opaque_data_value),
        Object::CertificateRequest(request) => bytes(&request.certificate_request_value),
        _ => material(object.key_block()?).ok().map(over),
    }
}

fn over(material: &KeyMaterial) -> Secret {
    match material {
        KeyMaterial::Bytes(material) => Secret::copy_of(material),
        KeyMaterial::Structure(elements) => {
            let mut writer = Writer::new(Version::V2_1);
            writer.value(Tag::KeyMaterial, &Value::Structure(elements.clone()));
            Secret::new(writer.finish())
        }
    }
}

fn numbers(fields: Vec<Element>) -> KeyValue {
    KeyValue::Plain { material: KeyMaterial::Structure(fields), attributes: AttributeList::default() }
}

fn plain(bytes: &[u8]) -> KeyValue {
    KeyValue::bytes(Blob::copy_of(bytes))
}

fn symmetric(algorithm: Option<Algorithm>, bytes: &[u8]) -> Canonical {
    Canonical::Secret { kind: symmetric_kind(algorithm, bytes.len()), bytes: Secret::copy_of(bytes) }
}

/// A private key as PKCS#8 DER.
///
/// # Errors
/// Invalid Field for what is none; Key Format Type Not Supported for one of an algorithm that the server does not know.
pub fn private(pkcs8: Secret) -> Outcome<Canonical> {
    let kind = keyformat::identify_private(pkcs8.expose()).map_err(unknown)?;
    Ok(Canonical::Secret { kind, bytes: pkcs8 })
}

/// A public key as SubjectPublicKeyInfo DER, its point whole whatever form it came in.
fn public(spki: Vec<u8>) -> Outcome<Canonical> {
    let kind = keyformat::identify_public(&spki).map_err(unknown)?;
    let spki = match kind {
        KeyKind::Ec { .. } => keyformat::with_whole_point(spki)?,
        _ => spki,
    };
    Ok(Canonical::Public { kind, spki })
}

/// A key of an algorithm or on a curve that is not known here is its owner's: it is kept as it is.
fn unknown(error: FormatError) -> Failure {
    match error {
        FormatError::UnknownAlgorithm(_) => {
            Failure::new(ResultReason::KeyFormatTypeNotSupported, format!("the key is of an {error}"))
        }
        error => error.into(),
    }
}

fn not_of(format: Format) -> Failure {
    Failure::new(ResultReason::InvalidField, format!("the key material is not of the format {format}"))
}

#[cfg(test)]
mod tests;
