//! The fields of the attributes that are structures (KMIP 2.1 §4).
//!
//! A field is marked required only if every message has it, in whichever direction and version: what a server adds to a
//! client's value is left to the rules of the operations.

use super::AttributeKind::{Boolean, Bytes, Enumeration, Identifier, Integer, LongInteger, Text};
use super::{AttributeKind, FieldRow};
use crate::spec::{Tag, Version};

const fn required(tag: Tag, kind: AttributeKind) -> FieldRow {
    FieldRow { required: true, ..optional(tag, kind) }
}

const fn optional(tag: Tag, kind: AttributeKind) -> FieldRow {
    FieldRow { tag, kind, required: false, multi: false, since: Version::V1_0, until: None }
}

const fn optional_since(since: Version, tag: Tag, kind: AttributeKind) -> FieldRow {
    FieldRow { since, ..optional(tag, kind) }
}

const fn repeated(tag: Tag, kind: AttributeKind) -> FieldRow {
    FieldRow { multi: true, ..optional(tag, kind) }
}

pub(super) const ALTERNATIVE_NAME: &[FieldRow] =
    &[required(Tag::AlternativeNameValue, Text), required(Tag::AlternativeNameType, Enumeration)];

/// A client may leave Application Data to the server; the tables of 1.0 to 1.2 still require it.
pub(super) const APPLICATION_SPECIFIC_INFORMATION: &[FieldRow] =
    &[required(Tag::ApplicationNamespace, Text), optional(Tag::ApplicationData, Text)];

/// PGP certificates have no serial number.
pub(super) const CERTIFICATE_IDENTIFIER: &[FieldRow] =
    &[required(Tag::Issuer, Text), optional(Tag::SerialNumber, Text)];

pub(super) const CERTIFICATE_ISSUER: &[FieldRow] =
    &[required(Tag::CertificateIssuerDistinguishedName, Text), repeated(Tag::CertificateIssuerAlternativeName, Text)];

pub(super) const CERTIFICATE_SUBJECT: &[FieldRow] =
    &[required(Tag::CertificateSubjectDistinguishedName, Text), repeated(Tag::CertificateSubjectAlternativeName, Text)];

pub(super) const CRYPTOGRAPHIC_DOMAIN_PARAMETERS: &[FieldRow] =
    &[optional(Tag::Qlength, Integer), optional(Tag::RecommendedCurve, Enumeration)];

pub(super) const CRYPTOGRAPHIC_PARAMETERS: &[FieldRow] = &[
    optional(Tag::BlockCipherMode, Enumeration),
    optional(Tag::PaddingMethod, Enumeration),
    optional(Tag::HashingAlgorithm, Enumeration),
    optional(Tag::KeyRoleType, Enumeration),
    optional_since(Version::V1_2, Tag::DigitalSignatureAlgorithm, Enumeration),
    optional_since(Version::V1_2, Tag::CryptographicAlgorithm, Enumeration),
    optional_since(Version::V1_2, Tag::RandomIV, Boolean),
    optional_since(Version::V1_2, Tag::IVLength, Integer),
    optional_since(Version::V1_2, Tag::TagLength, Integer),
    optional_since(Version::V1_2, Tag::FixedFieldLength, Integer),
    optional_since(Version::V1_2, Tag::InvocationFieldLength, Integer),
    optional_since(Version::V1_2, Tag::CounterLength, Integer),
    optional_since(Version::V1_2, Tag::InitialCounterValue, Integer),
    optional_since(Version::V1_4, Tag::SaltLength, Integer),
    optional_since(Version::V1_4, Tag::MaskGenerator, Enumeration),
    optional_since(Version::V1_4, Tag::MaskGeneratorHashingAlgorithm, Enumeration),
    optional_since(Version::V1_4, Tag::PSource, Bytes),
    optional_since(Version::V1_4, Tag::TrailerField, Integer),
];

pub(super) const DIGEST: &[FieldRow] = &[
    required(Tag::HashingAlgorithm, Enumeration),
    optional(Tag::DigestValue, Bytes),
    optional_since(Version::V1_1, Tag::KeyFormatType, Enumeration),
];

pub(super) const KEY_VALUE_LOCATION: &[FieldRow] =
    &[required(Tag::KeyValueLocationValue, Text), required(Tag::KeyValueLocationType, Enumeration)];

pub(super) const LINK: &[FieldRow] =
    &[required(Tag::LinkType, Enumeration), required(Tag::LinkedObjectIdentifier, Identifier)];

pub(super) const NAME: &[FieldRow] = &[required(Tag::NameValue, Text), required(Tag::NameType, Enumeration)];

pub(super) const REVOCATION_REASON: &[FieldRow] =
    &[required(Tag::RevocationReasonCode, Enumeration), optional(Tag::RevocationMessage, Text)];

pub(super) const RNG_PARAMETERS: &[FieldRow] = &[
    required(Tag::RNGAlgorithm, Enumeration),
    optional(Tag::CryptographicAlgorithm, Enumeration),
    optional(Tag::CryptographicLength, Integer),
    optional(Tag::HashingAlgorithm, Enumeration),
    optional(Tag::DRBGAlgorithm, Enumeration),
    optional(Tag::RecommendedCurve, Enumeration),
    optional(Tag::FIPS186Variation, Enumeration),
    optional(Tag::PredictionResistance, Boolean),
];

pub(super) const ROTATE_NAME: &[FieldRow] =
    &[required(Tag::RotateNameValue, Text), required(Tag::RotateNameType, Enumeration)];

/// The table requires all three, but a client sets the total and the unit, one or both, and never the count.
pub(super) const USAGE_LIMITS: &[FieldRow] = &[
    optional(Tag::UsageLimitsTotal, LongInteger),
    optional(Tag::UsageLimitsCount, LongInteger),
    optional(Tag::UsageLimitsUnit, Enumeration),
];

/// The value is left out in Notify.
pub(super) const VENDOR_ATTRIBUTE: &[FieldRow] = &[
    required(Tag::VendorIdentification, Text),
    required(Tag::AttributeName, Text),
    optional(Tag::AttributeValue, AttributeKind::Any),
];

pub(super) const X509_CERTIFICATE_IDENTIFIER: &[FieldRow] =
    &[required(Tag::IssuerDistinguishedName, Bytes), required(Tag::CertificateSerialNumber, Bytes)];

pub(super) const X509_CERTIFICATE_ISSUER: &[FieldRow] =
    &[required(Tag::IssuerDistinguishedName, Bytes), repeated(Tag::IssuerAlternativeName, Bytes)];

pub(super) const X509_CERTIFICATE_SUBJECT: &[FieldRow] =
    &[required(Tag::SubjectDistinguishedName, Bytes), repeated(Tag::SubjectAlternativeName, Bytes)];
