//! The attributes of PKCS #11 objects: how they are written, and what they are of a managed object.

use cryptoki_sys as ck;
use der::Encode;
use der::asn1::OctetStringRef;
use kmip_codec::spec::{CryptographicAlgorithm as Algorithm, LinkType, Operation, Pkcs11ReturnCode as Code, Tag};
use kmip_codec::types::{Link, Object, UniqueIdentifier};
use zeroize::Zeroizing;

use super::classes::{self, Class};
use super::codec::{Value, Writer};
use super::codes::{Done, Trouble};
use crate::crypto::algorithm::KeyKind;
use crate::crypto::keyblock::{self, Canonical};
use crate::crypto::{Key, keyformat};
use crate::failure::Failure;
use crate::object::{Origin, Residency};
use crate::ops::{Handler, get};
use crate::secret;
use crate::trust::policy::{Permitted, Use};
use crate::view::View;

/// How the value of an attribute is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// CK_BBOOL.
    Bool,
    /// CK_ULONG.
    Ulong,
    /// CK_DATE.
    Date,
    /// A byte string, text, or big integer.
    Bytes,
    /// Mechanisms.
    Mechanisms,
    /// A template.
    Template,
}

impl Shape {
    /// Whether every value has the same length.
    pub const fn is_fixed(self) -> bool {
        matches!(self, Self::Bool | Self::Ulong | Self::Date)
    }
}

/// The attributes that are no byte strings (PKCS #11 3.0 §4). What is not known is read as one.
const SHAPES: &[(Shape, &[u64])] = &[
    (
        Shape::Bool,
        &[
            ck::CKA_TOKEN,
            ck::CKA_PRIVATE,
            ck::CKA_TRUSTED,
            ck::CKA_SENSITIVE,
            ck::CKA_ENCRYPT,
            ck::CKA_DECRYPT,
            ck::CKA_WRAP,
            ck::CKA_UNWRAP,
            ck::CKA_SIGN,
            ck::CKA_SIGN_RECOVER,
            ck::CKA_VERIFY,
            ck::CKA_VERIFY_RECOVER,
            ck::CKA_DERIVE,
            ck::CKA_EXTRACTABLE,
            ck::CKA_LOCAL,
            ck::CKA_NEVER_EXTRACTABLE,
            ck::CKA_ALWAYS_SENSITIVE,
            ck::CKA_MODIFIABLE,
            ck::CKA_COPYABLE,
            ck::CKA_DESTROYABLE,
            ck::CKA_ALWAYS_AUTHENTICATE,
            ck::CKA_WRAP_WITH_TRUSTED,
            ck::CKA_HAS_RESET,
            ck::CKA_RESET_ON_INIT,
            ck::CKA_COLOR,
            ck::CKA_OTP_USER_FRIENDLY_MODE,
        ],
    ),
    (
        Shape::Ulong,
        &[
            ck::CKA_CLASS,
            ck::CKA_CERTIFICATE_TYPE,
            ck::CKA_CERTIFICATE_CATEGORY,
            ck::CKA_JAVA_MIDP_SECURITY_DOMAIN,
            ck::CKA_NAME_HASH_ALGORITHM,
            ck::CKA_KEY_TYPE,
            ck::CKA_MODULUS_BITS,
            ck::CKA_PRIME_BITS,
            ck::CKA_SUBPRIME_BITS,
            ck::CKA_VALUE_BITS,
            ck::CKA_VALUE_LEN,
            ck::CKA_KEY_GEN_MECHANISM,
            ck::CKA_PARAMETER_SET,
            ck::CKA_HW_FEATURE_TYPE,
            ck::CKA_MECHANISM_TYPE,
            ck::CKA_PROFILE_ID,
            ck::CKA_OTP_FORMAT,
            ck::CKA_OTP_LENGTH,
            ck::CKA_OTP_TIME_INTERVAL,
        ],
    ),
    (Shape::Date, &[ck::CKA_START_DATE, ck::CKA_END_DATE]),
    (Shape::Mechanisms, &[ck::CKA_ALLOWED_MECHANISMS]),
    (Shape::Template, &[ck::CKA_WRAP_TEMPLATE, ck::CKA_UNWRAP_TEMPLATE, ck::CKA_DERIVE_TEMPLATE]),
];

/// How the value of an attribute is written.
pub fn shape_of(kind: u64) -> Shape {
    SHAPES.iter().find(|(_, kinds)| kinds.contains(&kind)).map_or(Shape::Bytes, |(shape, _)| *shape)
}

/// The value of an attribute, as it is to be answered.
#[derive(Clone, PartialEq, Eq)]
pub enum Own {
    /// CK_BBOOL.
    Bool(bool),
    /// CK_ULONG.
    Ulong(u64),
    /// CK_DATE.
    Date([u8; 8]),
    /// A byte string, text, or big integer.
    Bytes(Zeroizing<Vec<u8>>),
}

/// What there is to be said of an attribute.
pub enum Read {
    /// Its value.
    Value(Own),
    /// Nothing: it must not leave.
    Sensitive,
    /// Nothing: the object has no such attribute.
    Unknown,
}

impl Own {
    fn bytes(bytes: impl AsRef<[u8]>) -> Self {
        Self::Bytes(Zeroizing::new(bytes.as_ref().to_vec()))
    }

    /// How long it is, where that is said.
    pub fn length(&self) -> Option<usize> {
        match self {
            Self::Bytes(bytes) => Some(bytes.len()),
            _ => None,
        }
    }

    /// Writes it, behind its length where it has one.
    pub fn write(&self, out: Writer) -> Writer {
        match self {
            Self::Bool(value) => out.flag(*value),
            Self::Ulong(value) => out.ulong(*value),
            Self::Date(value) => out.raw(value),
            Self::Bytes(bytes) => out.bytes(bytes),
        }
    }

    /// Whether a template has just this.
    pub fn is(&self, value: &Value<'_>) -> bool {
        match (self, value) {
            (Self::Bool(own), Value::Bool(other)) => own == other,
            (Self::Ulong(own), Value::Ulong(other)) => own == other,
            (Self::Date(own), Value::Date(other)) => own == other,
            (Self::Bytes(own), Value::Bytes(other)) => secret::equal(own, other),
            _ => false,
        }
    }
}

/// Reads an attribute of an object that may be read.
///
/// # Errors
/// What the server refuses, other than that something is sensitive.
pub fn read(view: &mut View, object: &Permitted, class: Class, kind: u64) -> Done<Read> {
    if let Some(value) = plain(object, class, kind) {
        return Ok(Read::Value(value));
    }
    let value = match (class, kind) {
        (Class::Certificate | Class::Data, ck::CKA_VALUE) => Some(Own::bytes(content(view, object)?)),
        (Class::Secret | Class::Private, _) if is_secret(class, kind) => {
            return match secret(view, object, kind) {
                Ok(value) => Ok(value.map_or(Read::Unknown, Read::Value)),
                Err(Trouble::Code(Code::AttributeSensitive | Code::KeyUnextractable, _)) => Ok(Read::Sensitive),
                Err(trouble) => Err(trouble),
            };
        }
        (Class::Private | Class::Public, _) => public_part(view, object, class, kind)?,
        _ => None,
    };
    Ok(value.map_or(Read::Unknown, Read::Value))
}

/// What the attributes of the object say.
fn plain(object: &Permitted, class: Class, kind: u64) -> Option<Own> {
    let text = |text: Option<&str>| Own::bytes(text.unwrap_or_default());
    let date = |tag| object.attributes.date(tag).and_then(day).map(Own::Date);
    Some(match kind {
        ck::CKA_CLASS => Own::Ulong(class.number()),
        ck::CKA_TOKEN => Own::Bool(classes::bytes_of(object, &classes::session_reference()).is_none()),
        ck::CKA_PRIVATE => Own::Bool(class.is_secret()),
        ck::CKA_MODIFIABLE | ck::CKA_DESTROYABLE => Own::Bool(true),
        ck::CKA_COPYABLE => Own::Bool(super::copying::is_copyable(object, class)),
        ck::CKA_LABEL => text(classes::label_of(object).map(|(_, label)| &**label)),
        ck::CKA_UNIQUE_ID => text(Some(&object.identifier())),
        ck::CKA_ID if class != Class::Data => Own::bytes(id_of(object)),
        ck::CKA_CERTIFICATE_TYPE if class == Class::Certificate => Own::Ulong(ck::CKC_X_509),
        ck::CKA_CERTIFICATE_CATEGORY if class == Class::Certificate => Own::Ulong(0),
        ck::CKA_SUBJECT if class == Class::Certificate => {
            named_part(object, Tag::X509CertificateSubject, Tag::SubjectDistinguishedName)?
        }
        ck::CKA_ISSUER if class == Class::Certificate => {
            named_part(object, Tag::X509CertificateIdentifier, Tag::IssuerDistinguishedName)?
        }
        ck::CKA_SERIAL_NUMBER if class == Class::Certificate => {
            named_part(object, Tag::X509CertificateIdentifier, Tag::CertificateSerialNumber)?
        }
        ck::CKA_TRUSTED if class != Class::Private && class != Class::Data => Own::Bool(false),
        ck::CKA_APPLICATION | ck::CKA_OBJECT_ID if class == Class::Data => Own::bytes([]),
        _ if !class.is_key() => return None,
        ck::CKA_KEY_TYPE => Own::Ulong(classes::key_type(object)?),
        ck::CKA_START_DATE => date(Tag::ActivationDate)?,
        ck::CKA_END_DATE => date(Tag::DeactivationDate)?,
        ck::CKA_LOCAL => Own::Bool(object.origin == Origin::Generated),
        ck::CKA_KEY_GEN_MECHANISM => Own::Ulong(generated_by(object)),
        ck::CKA_SUBJECT if class != Class::Secret => Own::bytes([]),
        ck::CKA_SENSITIVE if class.is_secret() => Own::Bool(object.is_sensitive()),
        ck::CKA_EXTRACTABLE if class.is_secret() => {
            Own::Bool(object.is_extractable() && object.residency == Residency::Sealed)
        }
        ck::CKA_ALWAYS_SENSITIVE if class.is_secret() => {
            Own::Bool(object.attributes.boolean(Tag::AlwaysSensitive).unwrap_or(false))
        }
        ck::CKA_NEVER_EXTRACTABLE if class.is_secret() => {
            Own::Bool(object.attributes.boolean(Tag::NeverExtractable).unwrap_or(false))
        }
        ck::CKA_WRAP_WITH_TRUSTED | ck::CKA_ALWAYS_AUTHENTICATE if class.is_secret() => Own::Bool(false),
        ck::CKA_SIGN_RECOVER if class == Class::Private => Own::Bool(may_recover(object).is_ok()),
        ck::CKA_VERIFY_RECOVER if class == Class::Public => Own::Bool(may_recover(object).is_ok()),
        ck::CKA_PARAMETER_SET => Own::Ulong(classes::set_number(object)?),
        ck::CKA_VALUE_LEN if class == Class::Secret => Own::Ulong(bits(object)? / 8),
        ck::CKA_MODULUS_BITS if class == Class::Public && object.algorithm() == Some(Algorithm::RSA) => {
            Own::Ulong(bits(object)?)
        }
        _ => Own::Bool(object.usage_mask().contains(class.usage(kind)?)),
    })
}

/// Refuses a key that has neither CKA_SIGN_RECOVER nor CKA_VERIFY_RECOVER.
///
/// # Errors
/// KEY_TYPE_INCONSISTENT for one that is no RSA key, KEY_FUNCTION_NOT_PERMITTED.
pub fn may_recover(object: &Permitted) -> Done<()> {
    if object.algorithm() != Some(Algorithm::RSA) {
        return Err(Code::KeyTypeInconsistent.into());
    }
    match classes::bytes_of(object, &classes::recovery_reference()) {
        Some(_) => Ok(()),
        None => Err(Code::KeyFunctionNotPermitted.into()),
    }
}

fn bits(object: &Permitted) -> Option<u64> {
    u64::try_from(object.attributes.integer(Tag::CryptographicLength)?).ok()
}

/// CKA_ID: what a client has set; else, so that the parts of a pair are known by it, the Unique Identifier of the private
/// key, and of anything else its own.
fn id_of(object: &Permitted) -> Vec<u8> {
    if let Some(id) = classes::bytes_of(object, &classes::id_reference()) {
        return id.to_vec();
    }
    match linked(object, LinkType::PrivateKeyLink) {
        Some(UniqueIdentifier::Text(private)) => private.as_bytes().to_vec(),
        _ => object.identifier().as_bytes().to_vec(),
    }
}

fn linked(object: &Permitted, kind: LinkType) -> Option<UniqueIdentifier> {
    object.attributes.structures::<Link>(Tag::Link).find(|link| link.kind == kind).map(|link| link.linked)
}

/// A part of the names of a certificate, in DER.
fn named_part(object: &Permitted, attribute: Tag, part: Tag) -> Option<Own> {
    match object.attributes.get(attribute)?.find(part)? {
        kmip_codec::Value::ByteString(bytes) => Some(Own::bytes(&**bytes)),
        _ => None,
    }
}

/// The mechanism by which the key was made here.
fn generated_by(object: &Permitted) -> u64 {
    if object.origin != Origin::Generated {
        return ck::CK_UNAVAILABLE_INFORMATION;
    }
    // What was derived is made here, too, and by none of these.
    if linked(object, LinkType::DerivationBaseObjectLink).is_some() {
        return ck::CK_UNAVAILABLE_INFORMATION;
    }
    match classes::key_type(object) {
        Some(ck::CKK_AES) => ck::CKM_AES_KEY_GEN,
        Some(ck::CKK_AES_XTS) => ck::CKM_AES_XTS_KEY_GEN,
        Some(ck::CKK_CHACHA20) => ck::CKM_CHACHA20_KEY_GEN,
        Some(ck::CKK_POLY1305) => ck::CKM_POLY1305_KEY_GEN,
        Some(ck::CKK_GENERIC_SECRET) => ck::CKM_GENERIC_SECRET_KEY_GEN,
        Some(ck::CKK_SHA_1_HMAC) => ck::CKM_SHA_1_KEY_GEN,
        Some(ck::CKK_SHA224_HMAC) => ck::CKM_SHA224_KEY_GEN,
        Some(ck::CKK_SHA384_HMAC) => ck::CKM_SHA384_KEY_GEN,
        Some(ck::CKK_SHA512_HMAC) => ck::CKM_SHA512_KEY_GEN,
        Some(ck::CKK_SHA3_224_HMAC) => ck::CKM_SHA3_224_KEY_GEN,
        Some(ck::CKK_SHA3_256_HMAC) => ck::CKM_SHA3_256_KEY_GEN,
        Some(ck::CKK_SHA3_384_HMAC) => ck::CKM_SHA3_384_KEY_GEN,
        Some(ck::CKK_SHA3_512_HMAC) => ck::CKM_SHA3_512_KEY_GEN,
        Some(ck::CKK_RSA) => ck::CKM_RSA_PKCS_KEY_PAIR_GEN,
        Some(ck::CKK_EC) => ck::CKM_EC_KEY_PAIR_GEN,
        Some(ck::CKK_EC_EDWARDS) => ck::CKM_EC_EDWARDS_KEY_PAIR_GEN,
        Some(ck::CKK_EC_MONTGOMERY) => ck::CKM_EC_MONTGOMERY_KEY_PAIR_GEN,
        Some(ck::CKK_ML_DSA) => ck::CKM_ML_DSA_KEY_PAIR_GEN,
        _ => ck::CK_UNAVAILABLE_INFORMATION,
    }
}

/// CK_DATE of a time in seconds, in the calendar of ISO 8601.
fn day(seconds: i64) -> Option<[u8; 8]> {
    // The days of four hundred years, counted from the first of March of the year 0, so that a leap day is a year's last.
    const ERA: i64 = 146_097;
    let days = seconds.div_euclid(86_400).checked_add(719_468)?;
    let (era, of_era) = (days.div_euclid(ERA), days.rem_euclid(ERA));
    let year = (of_era - of_era / 1460 + of_era / 36_524 - of_era / 146_096) / 365;
    let of_year = of_era - (365 * year + year / 4 - year / 100);
    let month = (5 * of_year + 2) / 153;
    let day = of_year - (153 * month + 2) / 5 + 1;
    let (month, later) = if month < 10 { (month + 3, 0) } else { (month - 9, 1) };
    format!("{:04}{month:02}{day:02}", era * 400 + year + later).as_bytes().try_into().ok()
}

/// Whether an attribute is of the secret part of a key.
pub fn is_secret(class: Class, kind: u64) -> bool {
    const PARTS: [u64; 7] = [
        ck::CKA_SEED,
        ck::CKA_PRIVATE_EXPONENT,
        ck::CKA_PRIME_1,
        ck::CKA_PRIME_2,
        ck::CKA_EXPONENT_1,
        ck::CKA_EXPONENT_2,
        ck::CKA_COEFFICIENT,
    ];
    class.is_secret() && kind == ck::CKA_VALUE || class == Class::Private && PARTS.contains(&kind)
}

/// The object as Get gives it: the one way by which bytes leave.
fn given(view: &mut View, object: &Permitted) -> Done<Object> {
    view.do_as(Operation::Get)?;
    let request = get::Request::of(UniqueIdentifier::Text(object.identifier()));
    let given = get::Get::run(view, request)?.object;
    view.do_as(Operation::GetAttributes)?;
    Ok(given)
}

fn content(view: &mut View, object: &Permitted) -> Done<Vec<u8>> {
    match given(view, object)? {
        Object::Certificate(certificate) => Ok(certificate.certificate_value.to_vec()),
        Object::OpaqueObject(opaque) => Ok(opaque.opaque_data_value.to_vec()),
        _ => Err(Code::GeneralError.into()),
    }
}

fn secret(view: &mut View, object: &Permitted, kind: u64) -> Done<Option<Own>> {
    let given = given(view, object)?;
    let mut block = given.key_block().ok_or(Code::GeneralError)?.clone();
    block.cryptographic_algorithm = block.cryptographic_algorithm.or(object.algorithm());
    let Canonical::Secret { kind: key, bytes } = keyblock::canonical(given.object_type(), &block)? else {
        return Err(Code::GeneralError.into());
    };
    let bytes = match key {
        KeyKind::Rsa { .. } => {
            let parts = keyformat::RsaPrivateParts::from_pkcs8(bytes.expose()).map_err(Failure::from)?;
            match kind {
                ck::CKA_PRIVATE_EXPONENT => parts.private_exponent,
                ck::CKA_PRIME_1 => parts.p,
                ck::CKA_PRIME_2 => parts.q,
                ck::CKA_EXPONENT_1 => parts.dp,
                ck::CKA_EXPONENT_2 => parts.dq,
                ck::CKA_COEFFICIENT => parts.qinv,
                _ => return Ok(None),
            }
        }
        KeyKind::Ec { .. } if kind == ck::CKA_VALUE => {
            keyformat::EcPrivateParts::from_pkcs8(bytes.expose()).map_err(Failure::from)?.d
        }
        KeyKind::Edwards { .. } if kind == ck::CKA_VALUE => {
            keyformat::EdwardsPrivate::from_pkcs8(bytes.expose()).map_err(Failure::from)?.key
        }
        KeyKind::PostQuantum { .. } => {
            let parts = keyformat::PostQuantumPrivateParts::from_pkcs8(bytes.expose()).map_err(Failure::from)?;
            let part = match kind {
                ck::CKA_VALUE => parts.expanded,
                ck::CKA_SEED => parts.seed,
                _ => None,
            };
            match part {
                Some(part) => part,
                None => return Ok(None),
            }
        }
        _ if kind == ck::CKA_VALUE => bytes,
        _ => return Ok(None),
    };
    Ok(Some(Own::bytes(bytes.expose())))
}

/// An attribute of the public part of a key.
fn public_part(view: &mut View, object: &Permitted, class: Class, kind: u64) -> Done<Option<Own>> {
    let is_rsa = object.algorithm() == Some(Algorithm::RSA);
    let is_ml_dsa = classes::set_number(object).is_some();
    let wanted = match kind {
        ck::CKA_MODULUS | ck::CKA_PUBLIC_EXPONENT => is_rsa,
        ck::CKA_EC_PARAMS => !is_rsa,
        ck::CKA_EC_POINT => !is_rsa && !is_ml_dsa && class == Class::Public,
        ck::CKA_VALUE => is_ml_dsa && class == Class::Public,
        ck::CKA_PUBLIC_KEY_INFO => true,
        _ => false,
    };
    if !wanted {
        return Ok(None);
    }
    if kind == ck::CKA_EC_PARAMS {
        let parameters = match view.key_kind(object)? {
            KeyKind::Ec { curve } => keyformat::curve_parameters(curve),
            KeyKind::Edwards { curve } => Ok(keyformat::edwards_parameters(curve).to_vec()),
            _ => return Ok(None),
        };
        return Ok(Some(Own::bytes(parameters.map_err(Failure::from)?)));
    }
    let Some(spki) = public_half(view, object, class)? else { return Ok(None) };
    let rsa = || keyformat::RsaPublicParts::from_spki(&spki).map_err(Failure::from);
    Ok(Some(match kind {
        ck::CKA_MODULUS => Own::bytes(rsa()?.modulus),
        ck::CKA_PUBLIC_EXPONENT => Own::bytes(rsa()?.exponent),
        ck::CKA_VALUE => Own::bytes(keyformat::post_quantum_public(&spki).map_err(Failure::from)?.1),
        ck::CKA_EC_POINT => {
            let point = match keyformat::identify_public(&spki).map_err(Failure::from)? {
                KeyKind::Edwards { .. } => keyformat::EdwardsPublic::from_spki(&spki).map_err(Failure::from)?.key,
                _ => keyformat::EcPublicParts::from_spki(&spki).map_err(Failure::from)?.point,
            };
            Own::bytes(OctetStringRef::new(&point).and_then(|point| point.to_der()).map_err(|_| Code::GeneralError)?)
        }
        _ => Own::bytes(spki),
    }))
}

/// The public half of a key: its own, or that of the public key with which it was made.
fn public_half(view: &mut View, object: &Permitted, class: Class) -> Done<Option<Vec<u8>>> {
    if class == Class::Public {
        return Ok(Some(view.public_key(object)?));
    }
    if let Some(public) = linked(object, LinkType::PublicKeyLink)
        && let Ok(public) = view.open(Some(&public), Use::ReadAttributes)
        && !public.is_destroyed()
    {
        return Ok(Some(view.public_key(&public)?));
    }
    // The public numbers stand in an RSA private key too; nothing else of it goes further.
    Ok(view.with_key(object, |_, key| {
        Ok(match key {
            Key::Clear(key) if matches!(key.kind(), KeyKind::Rsa { .. }) => {
                let parts = keyformat::RsaPrivateParts::from_pkcs8(key.bytes().expose());
                parts.ok().and_then(|parts| parts.public().to_spki().ok())
            }
            _ => None,
        })
    })?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days_are_those_of_the_calendar() {
        for (seconds, expected) in [
            (0, "19700101"),
            (-1, "19691231"),
            (951_782_400, "20000229"),
            (951_868_800, "20000301"),
            (1_800_000_000, "20270115"),
            (4_107_542_399, "21000228"),
            (4_107_542_400, "21000301"),
        ] {
            assert_eq!(day(seconds).unwrap(), expected.as_bytes());
        }
    }
}
