//! What managed objects are to PKCS #11: classes, kinds of keys, uses.

use cryptoki_sys as ck;
use kmip_codec::Value;
use kmip_codec::spec::{
    AlternativeNameType, BlockCipherMode, CertificateType, CryptographicAlgorithm as Algorithm,
    CryptographicUsageMask as Mask, NameType, ObjectType, RecommendedCurve, Tag,
};
use kmip_codec::ttlv::{Blob, Text};
use kmip_codec::types::{Attribute, AttributeReference, CryptographicDomainParameters, CryptographicParameters, Name};
use kmip_codec::{Element, ttlv};

use crate::crypto::algorithm::{KeyKind, ParameterSet};
use crate::crypto::public::hmac_hash;
use crate::failure::Outcome;
use crate::object::Managed;
use crate::view::{Filter, View, value_of};

/// The vendor of attributes for which KMIP has none: to 1.x they are custom attributes.
const VENDOR: &str = "x";
/// CKA_ID.
const ID: &str = "PKCS11-ID";
/// Marks a session object, which ends with its session.
const SESSION: &str = "PKCS11-Session";
/// Marks an RSA key that has CKA_SIGN_RECOVER or CKA_VERIFY_RECOVER.
const RECOVERY: &str = "PKCS11-Recovery";
/// The Correlation Value under which a session object was made.
const INSTANCE: &str = "PKCS11-Instance";

/// A class of objects. Other managed objects than these are not on the token.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Class {
    /// CKO_DATA: an Opaque Object.
    Data,
    /// CKO_CERTIFICATE.
    Certificate,
    /// CKO_PUBLIC_KEY.
    Public,
    /// CKO_PRIVATE_KEY.
    Private,
    /// CKO_SECRET_KEY: a Symmetric Key.
    Secret,
}

/// The classes: CK_OBJECT_CLASS, and the type of object.
const CLASSES: [(Class, u64, ObjectType); 5] = [
    (Class::Data, ck::CKO_DATA, ObjectType::OpaqueObject),
    (Class::Certificate, ck::CKO_CERTIFICATE, ObjectType::Certificate),
    (Class::Public, ck::CKO_PUBLIC_KEY, ObjectType::PublicKey),
    (Class::Private, ck::CKO_PRIVATE_KEY, ObjectType::PrivateKey),
    (Class::Secret, ck::CKO_SECRET_KEY, ObjectType::SymmetricKey),
];

/// The kinds of keys: CK_KEY_TYPE, and the algorithms that are it; one that is made gets the first of them. Of an algorithm
/// that has several, the first is meant, unless [`key_type`] says otherwise.
const KEY_TYPES: [(u64, &[Algorithm]); 20] = [
    (ck::CKK_AES, &[Algorithm::AES]),
    (ck::CKK_AES_XTS, &[Algorithm::AES]),
    (ck::CKK_DES3, &[Algorithm::DES3]),
    (ck::CKK_CHACHA20, &[Algorithm::ChaCha20, Algorithm::ChaCha20Poly1305]),
    (ck::CKK_POLY1305, &[Algorithm::Poly1305]),
    (ck::CKK_GENERIC_SECRET, &[Algorithm::HMACSHA256, Algorithm::HMACMD5]),
    (ck::CKK_SHA_1_HMAC, &[Algorithm::HMACSHA1]),
    (ck::CKK_SHA224_HMAC, &[Algorithm::HMACSHA224]),
    (ck::CKK_SHA256_HMAC, &[Algorithm::HMACSHA256]),
    (ck::CKK_SHA384_HMAC, &[Algorithm::HMACSHA384]),
    (ck::CKK_SHA512_HMAC, &[Algorithm::HMACSHA512]),
    (ck::CKK_SHA3_224_HMAC, &[Algorithm::HMACSHA3224]),
    (ck::CKK_SHA3_256_HMAC, &[Algorithm::HMACSHA3256]),
    (ck::CKK_SHA3_384_HMAC, &[Algorithm::HMACSHA3384]),
    (ck::CKK_SHA3_512_HMAC, &[Algorithm::HMACSHA3512]),
    (ck::CKK_RSA, &[Algorithm::RSA]),
    (ck::CKK_EC, &[Algorithm::EC, Algorithm::ECDSA, Algorithm::ECDH]),
    (ck::CKK_EC_EDWARDS, &[Algorithm::Ed25519, Algorithm::Ed448]),
    (ck::CKK_EC_MONTGOMERY, &[Algorithm::ECDH, Algorithm::EC]),
    (ck::CKK_ML_DSA, &[Algorithm::MLDSA44, Algorithm::MLDSA65, Algorithm::MLDSA87]),
];

/// The parameter sets of ML-DSA (PKCS #11 3.2 §6.67): CKA_PARAMETER_SET.
const SETS: [(u64, ParameterSet); 3] = [
    (ck::CKP_ML_DSA_44, ParameterSet::MlDsa44),
    (ck::CKP_ML_DSA_65, ParameterSet::MlDsa65),
    (ck::CKP_ML_DSA_87, ParameterSet::MlDsa87),
];

/// The types that keys of HMAC with SHA-256 have: which one is meant is not kept.
const OF_SHA256: [u64; 2] = [ck::CKK_GENERIC_SECRET, ck::CKK_SHA256_HMAC];

/// The uses of a key: its CKA_…, and the bits of a secret key and of a key of a pair.
const USES: [(u64, Mask, Mask); 7] = [
    (ck::CKA_ENCRYPT, Mask::ENCRYPT, Mask::ENCRYPT),
    (ck::CKA_DECRYPT, Mask::DECRYPT, Mask::DECRYPT),
    (ck::CKA_SIGN, Mask::MAC_GENERATE, Mask::SIGN),
    (ck::CKA_VERIFY, Mask::MAC_VERIFY, Mask::VERIFY),
    (ck::CKA_WRAP, Mask::WRAP_KEY, Mask::WRAP_KEY),
    (ck::CKA_UNWRAP, Mask::UNWRAP_KEY, Mask::UNWRAP_KEY),
    (ck::CKA_DERIVE, Mask::DERIVE_KEY, Mask::DERIVE_KEY),
];

impl Class {
    /// The class of an object.
    pub fn of(object: &Managed) -> Option<Self> {
        let class = CLASSES.iter().find(|row| row.2 == object.object_type()).map(|row| row.0)?;
        let other = class == Self::Certificate
            && object.attributes.enumeration(Tag::CertificateType) != Some(CertificateType::X509);
        if other {
            return None;
        }
        (!class.is_key() || key_type(object).is_some()).then_some(class)
    }

    /// The class of a number.
    pub fn numbered(number: u64) -> Option<Self> {
        CLASSES.iter().find(|row| row.1 == number).map(|row| row.0)
    }

    /// CK_OBJECT_CLASS.
    pub fn number(self) -> u64 {
        CLASSES.iter().find(|row| row.0 == self).map_or(ck::CK_UNAVAILABLE_INFORMATION, |row| row.1)
    }

    /// The type of its objects.
    pub fn object_type(self) -> ObjectType {
        CLASSES.iter().find(|row| row.0 == self).map_or(ObjectType(0), |row| row.2)
    }

    /// Whether it has keys.
    pub const fn is_key(self) -> bool {
        matches!(self, Self::Public | Self::Private | Self::Secret)
    }

    /// Whether it has secrets.
    pub const fn is_secret(self) -> bool {
        matches!(self, Self::Private | Self::Secret)
    }

    /// The uses: each CKA_…, and its bit.
    pub fn uses(self) -> impl Iterator<Item = (u64, Mask)> {
        USES.iter().map(move |row| (row.0, if self == Self::Secret { row.1 } else { row.2 }))
    }

    /// The bit of a use, if the attribute is one.
    pub fn usage(self, kind: u64) -> Option<Mask> {
        self.uses().find(|(named, _)| *named == kind).map(|(_, bit)| bit)
    }

    /// What a key may do for which nobody says what it may do.
    pub fn usual(self, algorithm: Algorithm) -> Mask {
        let rsa = algorithm == Algorithm::RSA;
        match self {
            Self::Secret if hmac_hash(algorithm).is_some() || algorithm == Algorithm::Poly1305 => {
                Mask::MAC_GENERATE | Mask::MAC_VERIFY
            }
            Self::Private | Self::Public if algorithm == Algorithm::ECDH => Mask::DERIVE_KEY,
            Self::Secret => Mask::ENCRYPT | Mask::DECRYPT | Mask::WRAP_KEY | Mask::UNWRAP_KEY,
            Self::Private if rsa => Mask::SIGN | Mask::DECRYPT,
            Self::Public if rsa => Mask::VERIFY | Mask::ENCRYPT,
            Self::Private => Mask::SIGN,
            Self::Public => Mask::VERIFY,
            Self::Data | Self::Certificate => Mask::empty(),
        }
    }
}

/// CK_KEY_TYPE of a key.
pub fn key_type(object: &Managed) -> Option<u64> {
    let algorithm = object.algorithm()?;
    if algorithm == Algorithm::AES && is_for_xts(object) {
        return Some(ck::CKK_AES_XTS);
    }
    let domain = object.attributes.structures::<CryptographicDomainParameters>(Tag::CryptographicDomainParameters);
    let mut curves = domain.filter_map(|domain| domain.recommended_curve);
    if matches!(algorithm, Algorithm::EC | Algorithm::ECDH) && curves.any(|curve| curve == RecommendedCurve::CURVE25519)
    {
        return Some(ck::CKK_EC_MONTGOMERY);
    }
    KEY_TYPES.iter().find(|(_, algorithms)| algorithms.contains(&algorithm)).map(|row| row.0)
}

/// Whether a key is of a CK_KEY_TYPE.
pub fn is_of_type(object: &Managed, named: u64) -> bool {
    key_type(object) == Some(named) || object.algorithm() == Some(Algorithm::HMACSHA256) && OF_SHA256.contains(&named)
}

/// A key of 512 bits is for XTS alone; one of 256 is if its Cryptographic Parameters say so.
fn is_for_xts(object: &Managed) -> bool {
    let parameters = object.attributes.structures::<CryptographicParameters>(Tag::CryptographicParameters);
    object.attributes.integer(Tag::CryptographicLength) == Some(512)
        || parameters.into_iter().any(|parameters| parameters.block_cipher_mode == Some(BlockCipherMode::XTS))
}

/// What else a key of this type has, so that it is known for one: what its algorithm does not say.
pub fn mark_of(named: u64) -> Option<Attribute> {
    let (tag, value) = match named {
        ck::CKK_AES_XTS => {
            let block_cipher_mode = Some(BlockCipherMode::XTS);
            let parameters = CryptographicParameters { block_cipher_mode, ..CryptographicParameters::default() };
            (Tag::CryptographicParameters, value_of(&parameters, Tag::CryptographicParameters))
        }
        ck::CKK_EC_MONTGOMERY => {
            let recommended_curve = Some(RecommendedCurve::CURVE25519);
            let domain = CryptographicDomainParameters { q_length: None, recommended_curve };
            (Tag::CryptographicDomainParameters, value_of(&domain, Tag::CryptographicDomainParameters))
        }
        _ => return None,
    };
    value.map(|value| Attribute::new(tag, value))
}

/// CK_KEY_TYPE of a key of a pair, of its kind.
pub fn pair_type(kind: KeyKind) -> Option<u64> {
    Some(match kind {
        KeyKind::PostQuantum { set } if SETS.iter().any(|(_, known)| *known == set) => ck::CKK_ML_DSA,
        KeyKind::Rsa { .. } => ck::CKK_RSA,
        KeyKind::Ec { .. } => ck::CKK_EC,
        KeyKind::Edwards { curve } if curve.signs() => ck::CKK_EC_EDWARDS,
        KeyKind::Edwards { .. } => ck::CKK_EC_MONTGOMERY,
        _ => return None,
    })
}

/// CKA_PARAMETER_SET of a key.
pub fn set_number(object: &Managed) -> Option<u64> {
    let set = ParameterSet::of(object.algorithm()?)?;
    SETS.iter().find(|(_, known)| *known == set).map(|row| row.0)
}

/// The parameter set of a number.
pub fn numbered_set(number: u64) -> Option<ParameterSet> {
    SETS.iter().find(|(known, _)| *known == number).map(|row| row.1)
}

/// The algorithms of a CK_KEY_TYPE.
pub fn algorithms(key_type: u64) -> &'static [Algorithm] {
    KEY_TYPES.iter().find(|row| row.0 == key_type).map_or(&[], |row| row.1)
}

/// The Name of a label.
pub fn name(label: &str) -> Option<Attribute> {
    let name = Name { value: label.into(), kind: NameType::UninterpretedTextString };
    value_of(&name, Tag::Name).map(|value| Attribute::new(Tag::Name, value))
}

/// The Alternative Name of a label: Names belong to one object, and labels do not.
pub fn alternative_name(label: &str) -> Attribute {
    let kind = u32::from(AlternativeNameType::UninterpretedTextString);
    let fields = vec![
        Element::new(Tag::AlternativeNameValue, Value::TextString(label.into())),
        Element::new(Tag::AlternativeNameType, Value::Enumeration(kind)),
    ];
    Attribute::new(Tag::AlternativeName, Value::Structure(fields))
}

/// The attribute that is an object's label: its first Name, else its first Alternative Name.
pub fn label_of(object: &Managed) -> Option<(&Attribute, &Text)> {
    let of = |tag, value| {
        object.attributes.iter().filter(move |attribute| attribute.tag == tag).find_map(
            move |attribute| match attribute.value.find(value)? {
                Value::TextString(text) => Some((attribute, text)),
                _ => None,
            },
        )
    };
    of(Tag::Name, Tag::NameValue).or_else(|| of(Tag::AlternativeName, Tag::AlternativeNameValue))
}

/// The attribute in which a label is kept: the Name, if nobody else has it.
///
/// # Errors
/// A store that cannot be read.
pub fn label(view: &mut View, label: &str) -> Outcome<Attribute> {
    if let Some(name) = name(label) {
        let filter = Filter::new(vec![name.clone()])?;
        if view.locate(&filter, 0, 1, false)?.identifiers.is_empty() {
            return Ok(name);
        }
    }
    Ok(alternative_name(label))
}

/// The attribute in which CKA_ID is kept.
pub fn id(id: &[u8]) -> Attribute {
    vendor(ID, id)
}

/// What refers to it.
pub fn id_reference() -> AttributeReference {
    AttributeReference::Vendor { vendor: VENDOR.into(), name: ID.into() }
}

/// What says that an object ends with a session of this instance.
pub fn session(correlation: &[u8]) -> [Attribute; 2] {
    [session_mark(), vendor(INSTANCE, correlation)]
}

/// What all session objects have.
pub fn session_mark() -> Attribute {
    vendor(SESSION, &[1])
}

/// What refers to the instance of a session object.
pub fn instance_reference() -> AttributeReference {
    AttributeReference::Vendor { vendor: VENDOR.into(), name: INSTANCE.into() }
}

/// What refers to it.
pub fn session_reference() -> AttributeReference {
    AttributeReference::Vendor { vendor: VENDOR.into(), name: SESSION.into() }
}

fn vendor(name: &str, value: &[u8]) -> Attribute {
    let fields = vec![
        Element::new(Tag::VendorIdentification, Value::TextString(VENDOR.into())),
        Element::new(Tag::AttributeName, Value::TextString(name.into())),
        Element::new(Tag::AttributeValue, Value::ByteString(Blob::copy_of(value))),
    ];
    Attribute::new(Tag::Attribute, Value::Structure(fields))
}

/// What says that a key may sign with recovery, or verify so: no bit of the usage mask does.
pub fn recovery() -> Attribute {
    vendor(RECOVERY, &[1])
}

/// What refers to it.
pub fn recovery_reference() -> AttributeReference {
    AttributeReference::Vendor { vendor: VENDOR.into(), name: RECOVERY.into() }
}

/// The bytes of a vendor's attribute.
pub fn bytes_of<'a>(object: &'a Managed, reference: &'a AttributeReference) -> Option<&'a ttlv::Blob> {
    object.attributes.all(reference).find_map(|attribute| match attribute.value.find(Tag::AttributeValue)? {
        Value::ByteString(bytes) => Some(bytes),
        _ => None,
    })
}
