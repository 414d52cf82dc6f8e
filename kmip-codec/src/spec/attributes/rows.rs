//! The rows of the attribute table, after the rules tables of KMIP 2.1 §4 and, for what only 1.x has, 1.4 §3.
//!
//! A row states what differs from an attribute that every object may have since 1.0, that the server sets once and that
//! nobody changes. Where the text sets or changes an attribute "when created or registered", the row has the operations
//! that the other tables list for that; "set or changed" adds the two that set and modify attributes.

use super::fields::*;
use super::{AttributeKind, AttributeRow, Condition, ObjectTypes, Setters};
use crate::spec::{Operation, Tag, Version};

/// The operations that make an object.
const CREATION: &[Operation] = &[
    Operation::Create,
    Operation::CreateKeyPair,
    Operation::Register,
    Operation::DeriveKey,
    Operation::Certify,
    Operation::ReCertify,
    Operation::ReKey,
    Operation::ReKeyKeyPair,
];

/// What has an algorithm, a length or a usage: not Opaque Objects, and not Templates, whose maker chooses.
const ALL_BUT_OPAQUE: ObjectTypes =
    ObjectTypes::ALL.difference(ObjectTypes::OPAQUE_OBJECT.union(ObjectTypes::TEMPLATE));

const fn server(tag: Tag, kind: AttributeKind) -> AttributeRow {
    AttributeRow {
        tag,
        kind,
        since: Version::V1_0,
        until: None,
        always: ObjectTypes::empty(),
        set_by: Setters::SERVER,
        multi: ObjectTypes::empty(),
        modify_server: Condition::Never,
        modify_client: Condition::Never,
        delete_client: Condition::Never,
        implicit: &[],
        objects: ObjectTypes::ALL,
        objects_v1: ObjectTypes::ALL,
    }
}

/// What Process Start Date and Protect Stop Date are for in 1.x: symmetric keys by the rules tables; the published cases
/// of 1.4 set them on private and public keys too, as 2.x allows.
const PROCESSED: ObjectTypes = ObjectTypes::KEYS.union(ObjectTypes::TEMPLATE);

/// Set by the server, as the request asks that makes the object: what kind of key it is, or what certificate.
const ASKED: Setters = Setters::SERVER.union(Setters::REQUEST);

/// An item of the Certificate Attributes (KMIP 2.1 §4.6), each of which is an attribute by itself. 1.4 has their tags
/// (§9.1.3.1) and no section for them; its published cases have them as attributes.
const fn certificate_item(tag: Tag) -> AttributeRow {
    AttributeRow {
        since: Version::V1_4,
        multi: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::CERTIFICATE,
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(tag, AttributeKind::Text)
    }
}

pub(super) static ROWS: &[AttributeRow] = &[
    AttributeRow {
        set_by: Setters::all(),
        modify_server: Condition::PreActive,
        modify_client: Condition::PreActive,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Activate,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
        ],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::TEMPLATE),
        ..server(Tag::ActivationDate, AttributeKind::DateTime)
    },
    AttributeRow {
        since: Version::V1_2,
        set_by: Setters::CLIENT,
        multi: ObjectTypes::ALL,
        modify_server: Condition::IfAbsent,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        ..server(Tag::AlternativeName, AttributeKind::Structure(ALTERNATIVE_NAME))
    },
    AttributeRow {
        since: Version::V1_4,
        always: ObjectTypes::ALL,
        modify_server: Condition::Always,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
            Operation::SetAttribute,
            Operation::ModifyAttribute,
        ],
        ..server(Tag::AlwaysSensitive, AttributeKind::Boolean)
    },
    AttributeRow {
        set_by: Setters::all(),
        multi: ObjectTypes::ALL,
        modify_server: Condition::IfDataOmitted,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        implicit: &[Operation::ReKey, Operation::ReKeyKeyPair, Operation::ReCertify],
        ..server(Tag::ApplicationSpecificInformation, AttributeKind::Structure(APPLICATION_SPECIFIC_INFORMATION))
    },
    AttributeRow { implicit: &[Operation::Archive], ..server(Tag::ArchiveDate, AttributeKind::DateTime) },
    AttributeRow {
        until: Some(Version::V1_4),
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::empty(),
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::CertificateIdentifier, AttributeKind::Structure(CERTIFICATE_IDENTIFIER))
    },
    AttributeRow {
        until: Some(Version::V1_4),
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::empty(),
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::CertificateIssuer, AttributeKind::Structure(CERTIFICATE_ISSUER))
    },
    certificate_item(Tag::CertificateIssuerC),
    certificate_item(Tag::CertificateIssuerCN),
    certificate_item(Tag::CertificateIssuerDC),
    certificate_item(Tag::CertificateIssuerDNQualifier),
    certificate_item(Tag::CertificateIssuerEmail),
    certificate_item(Tag::CertificateIssuerL),
    certificate_item(Tag::CertificateIssuerO),
    certificate_item(Tag::CertificateIssuerOU),
    certificate_item(Tag::CertificateIssuerST),
    certificate_item(Tag::CertificateIssuerSerialNumber),
    certificate_item(Tag::CertificateIssuerTitle),
    certificate_item(Tag::CertificateIssuerUID),
    AttributeRow {
        set_by: ASKED,
        since: Version::V1_1,
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::CERTIFICATE,
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::CertificateLength, AttributeKind::Integer)
    },
    AttributeRow {
        until: Some(Version::V1_4),
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::empty(),
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::CertificateSubject, AttributeKind::Structure(CERTIFICATE_SUBJECT))
    },
    certificate_item(Tag::CertificateSubjectC),
    certificate_item(Tag::CertificateSubjectCN),
    certificate_item(Tag::CertificateSubjectDC),
    certificate_item(Tag::CertificateSubjectDNQualifier),
    certificate_item(Tag::CertificateSubjectEmail),
    certificate_item(Tag::CertificateSubjectL),
    certificate_item(Tag::CertificateSubjectO),
    certificate_item(Tag::CertificateSubjectOU),
    certificate_item(Tag::CertificateSubjectST),
    certificate_item(Tag::CertificateSubjectSerialNumber),
    certificate_item(Tag::CertificateSubjectTitle),
    certificate_item(Tag::CertificateSubjectUID),
    AttributeRow {
        set_by: ASKED,
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::CERTIFICATE,
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::CertificateType, AttributeKind::Enumeration)
    },
    AttributeRow {
        since: Version::V1_4,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        ..server(Tag::Comment, AttributeKind::Text)
    },
    AttributeRow {
        implicit: &[Operation::Revoke],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::OPAQUE_OBJECT),
        ..server(Tag::CompromiseDate, AttributeKind::DateTime)
    },
    AttributeRow {
        implicit: &[Operation::Revoke],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::OPAQUE_OBJECT),
        ..server(Tag::CompromiseOccurrenceDate, AttributeKind::DateTime)
    },
    AttributeRow {
        set_by: Setters::all(),
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        implicit: CREATION,
        ..server(Tag::ContactInformation, AttributeKind::Text)
    },
    AttributeRow {
        set_by: ASKED,
        always: ALL_BUT_OPAQUE.difference(ObjectTypes::SECRET_DATA),
        implicit: CREATION,
        objects_v1: ObjectTypes::KEYS.union(ObjectTypes::CERTIFICATE).union(ObjectTypes::TEMPLATE),
        ..server(Tag::CryptographicAlgorithm, AttributeKind::Enumeration)
    },
    AttributeRow {
        set_by: Setters::CLIENT,
        implicit: &[Operation::ReKey, Operation::ReKeyKeyPair],
        objects: ObjectTypes::ASYMMETRIC_KEYS,
        objects_v1: ObjectTypes::ASYMMETRIC_KEYS.union(ObjectTypes::TEMPLATE),
        ..server(Tag::CryptographicDomainParameters, AttributeKind::Structure(CRYPTOGRAPHIC_DOMAIN_PARAMETERS))
    },
    AttributeRow {
        set_by: ASKED,
        always: ALL_BUT_OPAQUE,
        implicit: CREATION,
        objects_v1: ObjectTypes::KEYS.union(ObjectTypes::CERTIFICATE).union(ObjectTypes::TEMPLATE),
        ..server(Tag::CryptographicLength, AttributeKind::Integer)
    },
    AttributeRow {
        set_by: Setters::CLIENT,
        multi: ObjectTypes::ALL,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        implicit: &[Operation::ReKey, Operation::ReKeyKeyPair, Operation::ReCertify],
        objects_v1: ObjectTypes::KEYS.union(ObjectTypes::CERTIFICATE).union(ObjectTypes::TEMPLATE),
        ..server(Tag::CryptographicParameters, AttributeKind::Structure(CRYPTOGRAPHIC_PARAMETERS))
    },
    AttributeRow {
        always: ALL_BUT_OPAQUE,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        implicit: CREATION,
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::TEMPLATE),
        ..server(Tag::CryptographicUsageMask, AttributeKind::Mask(Tag::CryptographicUsageMask))
    },
    AttributeRow {
        until: Some(Version::V1_4),
        set_by: Setters::all(),
        multi: ObjectTypes::ALL,
        modify_server: Condition::OwnOnly,
        modify_client: Condition::OwnOnly,
        delete_client: Condition::OwnOnly,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Activate,
            Operation::Revoke,
            Operation::Destroy,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
        ],
        objects: ObjectTypes::empty(),
        ..server(Tag::CustomAttribute, AttributeKind::Any)
    },
    AttributeRow {
        set_by: Setters::all(),
        modify_server: Condition::PreActiveOrActive,
        modify_client: Condition::PreActiveOrActive,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Revoke,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
        ],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::TEMPLATE),
        ..server(Tag::DeactivationDate, AttributeKind::DateTime)
    },
    AttributeRow {
        since: Version::V1_4,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        ..server(Tag::Description, AttributeKind::Text)
    },
    AttributeRow {
        implicit: &[Operation::Destroy],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::OPAQUE_OBJECT),
        ..server(Tag::DestroyDate, AttributeKind::DateTime)
    },
    AttributeRow {
        always: ObjectTypes::ALL,
        multi: ObjectTypes::ALL,
        implicit: CREATION,
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::OPAQUE_OBJECT),
        ..server(Tag::Digest, AttributeKind::Structure(DIGEST))
    },
    AttributeRow {
        set_by: ASKED,
        since: Version::V1_1,
        always: ObjectTypes::CERTIFICATE.union(ObjectTypes::PGP_KEY),
        multi: ObjectTypes::PGP_KEY,
        implicit: &[Operation::Certify, Operation::ReCertify, Operation::Register],
        objects: ObjectTypes::CERTIFICATE.union(ObjectTypes::PGP_KEY),
        objects_v1: ObjectTypes::CERTIFICATE.union(ObjectTypes::PGP_KEY),
        ..server(Tag::DigitalSignatureAlgorithm, AttributeKind::Enumeration)
    },
    AttributeRow {
        since: Version::V1_4,
        always: ObjectTypes::ALL,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        implicit: CREATION,
        ..server(Tag::Extractable, AttributeKind::Boolean)
    },
    AttributeRow {
        since: Version::V1_1,
        always: ObjectTypes::ALL,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        implicit: CREATION,
        objects_v1: ObjectTypes::CRYPTOGRAPHIC,
        ..server(Tag::Fresh, AttributeKind::Boolean)
    },
    AttributeRow { always: ObjectTypes::ALL, implicit: CREATION, ..server(Tag::InitialDate, AttributeKind::DateTime) },
    AttributeRow {
        set_by: ASKED,
        since: Version::V2_0,
        always: ObjectTypes::ALL,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::KeyFormatType, AttributeKind::Enumeration)
    },
    AttributeRow {
        since: Version::V1_2,
        set_by: Setters::CLIENT,
        multi: ObjectTypes::ALL,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        objects_v1: ObjectTypes::SYMMETRIC_KEY
            .union(ObjectTypes::PRIVATE_KEY)
            .union(ObjectTypes::SPLIT_KEY)
            .union(ObjectTypes::SECRET_DATA),
        ..server(Tag::KeyValueLocation, AttributeKind::Structure(KEY_VALUE_LOCATION))
    },
    AttributeRow {
        since: Version::V1_2,
        implicit: &[Operation::Register],
        objects_v1: ObjectTypes::SYMMETRIC_KEY
            .union(ObjectTypes::PRIVATE_KEY)
            .union(ObjectTypes::SPLIT_KEY)
            .union(ObjectTypes::SECRET_DATA),
        ..server(Tag::KeyValuePresent, AttributeKind::Boolean)
    },
    AttributeRow {
        always: ObjectTypes::ALL,
        modify_server: Condition::Always,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Activate,
            Operation::Revoke,
            Operation::Destroy,
            Operation::Archive,
            Operation::Recover,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
            Operation::AddAttribute,
            Operation::ModifyAttribute,
            Operation::DeleteAttribute,
            Operation::GetUsageAllocation,
        ],
        ..server(Tag::LastChangeDate, AttributeKind::DateTime)
    },
    AttributeRow {
        modify_server: Condition::Always,
        implicit: CREATION,
        objects_v1: ObjectTypes::CRYPTOGRAPHIC,
        ..server(Tag::LeaseTime, AttributeKind::Interval)
    },
    AttributeRow {
        set_by: Setters::all(),
        multi: ObjectTypes::ALL,
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        implicit: &[
            Operation::CreateKeyPair,
            Operation::DeriveKey,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
            Operation::Register,
        ],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC,
        ..server(Tag::Link, AttributeKind::Structure(LINK))
    },
    AttributeRow {
        since: Version::V2_0,
        set_by: Setters::CLIENT,
        multi: ObjectTypes::ALL,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::NISTKeyType, AttributeKind::Enumeration)
    },
    AttributeRow {
        set_by: Setters::CLIENT,
        multi: ObjectTypes::ALL,
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        implicit: &[Operation::ReKey, Operation::ReKeyKeyPair, Operation::ReCertify],
        ..server(Tag::Name, AttributeKind::Structure(NAME))
    },
    AttributeRow {
        since: Version::V1_4,
        always: ObjectTypes::ALL,
        modify_server: Condition::Always,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
            Operation::SetAttribute,
            Operation::ModifyAttribute,
        ],
        ..server(Tag::NeverExtractable, AttributeKind::Boolean)
    },
    AttributeRow {
        set_by: Setters::all(),
        multi: ObjectTypes::ALL,
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        implicit: CREATION,
        ..server(Tag::ObjectGroup, AttributeKind::Text)
    },
    AttributeRow {
        always: ObjectTypes::ALL,
        implicit: CREATION,
        ..server(Tag::ObjectType, AttributeKind::Enumeration)
    },
    AttributeRow {
        set_by: ASKED,
        since: Version::V2_0,
        always: ObjectTypes::OPAQUE_OBJECT,
        implicit: &[Operation::Register],
        objects: ObjectTypes::OPAQUE_OBJECT,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::OpaqueDataType, AttributeKind::Enumeration)
    },
    AttributeRow {
        until: Some(Version::V1_4),
        set_by: Setters::all(),
        modify_server: Condition::Always,
        implicit: CREATION,
        objects: ObjectTypes::empty(),
        ..server(Tag::OperationPolicyName, AttributeKind::Text)
    },
    AttributeRow {
        since: Version::V1_2,
        set_by: Setters::all(),
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::DeriveKey,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
        ],
        ..server(Tag::OriginalCreationDate, AttributeKind::DateTime)
    },
    AttributeRow {
        since: Version::V1_4,
        set_by: Setters::all(),
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        objects_v1: ObjectTypes::CRYPTOGRAPHIC,
        ..server(Tag::Pkcs12FriendlyName, AttributeKind::Text)
    },
    AttributeRow {
        set_by: Setters::all(),
        modify_server: Condition::BeforeItsTime,
        modify_client: Condition::BeforeItsTime,
        implicit: &[Operation::Create, Operation::Register, Operation::DeriveKey, Operation::ReKey],
        objects_v1: PROCESSED,
        ..server(Tag::ProcessStartDate, AttributeKind::DateTime)
    },
    AttributeRow {
        set_by: Setters::all(),
        modify_server: Condition::BeforeItsTime,
        modify_client: Condition::BeforeItsTime,
        implicit: &[Operation::Create, Operation::Register, Operation::DeriveKey, Operation::ReKey],
        objects_v1: PROCESSED,
        ..server(Tag::ProtectStopDate, AttributeKind::DateTime)
    },
    AttributeRow {
        since: Version::V2_0,
        set_by: Setters::CLIENT,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::ProtectionLevel, AttributeKind::Enumeration)
    },
    AttributeRow {
        since: Version::V2_0,
        set_by: Setters::CLIENT,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::ProtectionPeriod, AttributeKind::Interval)
    },
    AttributeRow {
        since: Version::V2_0,
        always: ObjectTypes::ALL,
        implicit: CREATION,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::ProtectionStorageMask, AttributeKind::Mask(Tag::ProtectionStorageMask))
    },
    AttributeRow {
        since: Version::V2_0,
        set_by: Setters::CLIENT,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::QuantumSafe, AttributeKind::Boolean)
    },
    AttributeRow {
        since: Version::V1_3,
        set_by: Setters::all(),
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::DeriveKey,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
        ],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC,
        ..server(Tag::RandomNumberGenerator, AttributeKind::Structure(RNG_PARAMETERS))
    },
    AttributeRow {
        modify_server: Condition::Always,
        implicit: &[Operation::Revoke],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC.union(ObjectTypes::OPAQUE_OBJECT),
        ..server(Tag::RevocationReason, AttributeKind::Structure(REVOCATION_REASON))
    },
    AttributeRow {
        since: Version::V2_1,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateAutomatic, AttributeKind::Boolean)
    },
    AttributeRow {
        since: Version::V2_1,
        implicit: &[Operation::ReCertify, Operation::ReKey, Operation::ReKeyKeyPair],
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateDate, AttributeKind::DateTime)
    },
    AttributeRow {
        since: Version::V2_1,
        implicit: &[Operation::ReCertify, Operation::ReKey, Operation::ReKeyKeyPair],
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateGeneration, AttributeKind::Integer)
    },
    AttributeRow {
        since: Version::V2_1,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        implicit: CREATION,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateInterval, AttributeKind::Interval)
    },
    AttributeRow {
        since: Version::V2_1,
        modify_server: Condition::Always,
        implicit: &[Operation::ReCertify, Operation::ReKey, Operation::ReKeyKeyPair],
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateLatest, AttributeKind::Boolean)
    },
    AttributeRow {
        since: Version::V2_1,
        set_by: Setters::CLIENT,
        modify_client: Condition::Always,
        delete_client: Condition::Always,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateName, AttributeKind::Structure(ROTATE_NAME))
    },
    AttributeRow {
        since: Version::V2_1,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        implicit: CREATION,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::RotateOffset, AttributeKind::Interval)
    },
    AttributeRow {
        since: Version::V1_4,
        always: ObjectTypes::ALL,
        set_by: Setters::all(),
        modify_server: Condition::Always,
        modify_client: Condition::Always,
        implicit: CREATION,
        ..server(Tag::Sensitive, AttributeKind::Boolean)
    },
    AttributeRow {
        since: Version::V2_0,
        always: ObjectTypes::ALL,
        implicit: CREATION,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::ShortUniqueIdentifier, AttributeKind::Bytes)
    },
    AttributeRow {
        always: ObjectTypes::ALL,
        modify_server: Condition::Always,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::Activate,
            Operation::Revoke,
            Operation::Destroy,
            Operation::Certify,
            Operation::ReCertify,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
        ],
        objects_v1: ObjectTypes::CRYPTOGRAPHIC,
        ..server(Tag::State, AttributeKind::Enumeration)
    },
    AttributeRow {
        always: ObjectTypes::ALL,
        implicit: CREATION,
        ..server(Tag::UniqueIdentifier, AttributeKind::Identifier)
    },
    AttributeRow {
        set_by: Setters::all(),
        modify_server: Condition::Always,
        modify_client: Condition::BeforeUse,
        delete_client: Condition::BeforeUse,
        implicit: &[
            Operation::Create,
            Operation::CreateKeyPair,
            Operation::Register,
            Operation::DeriveKey,
            Operation::ReKey,
            Operation::ReKeyKeyPair,
            Operation::GetUsageAllocation,
        ],
        objects_v1: ObjectTypes::KEYS.union(ObjectTypes::TEMPLATE),
        ..server(Tag::UsageLimits, AttributeKind::Structure(USAGE_LIMITS))
    },
    // Vendor Attribute (§4.60) travels under the tag Attribute and is named by its own fields. The text has no table of
    // rules for it: they are those of the Custom Attribute that it replaces.
    AttributeRow {
        since: Version::V2_0,
        set_by: Setters::all(),
        multi: ObjectTypes::ALL,
        modify_server: Condition::OwnOnly,
        modify_client: Condition::OwnOnly,
        delete_client: Condition::OwnOnly,
        objects_v1: ObjectTypes::empty(),
        ..server(Tag::Attribute, AttributeKind::Structure(VENDOR_ATTRIBUTE))
    },
    AttributeRow {
        since: Version::V1_1,
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::CERTIFICATE,
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::X509CertificateIdentifier, AttributeKind::Structure(X509_CERTIFICATE_IDENTIFIER))
    },
    AttributeRow {
        since: Version::V1_1,
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::CERTIFICATE,
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::X509CertificateIssuer, AttributeKind::Structure(X509_CERTIFICATE_ISSUER))
    },
    AttributeRow {
        since: Version::V1_1,
        always: ObjectTypes::CERTIFICATE,
        implicit: &[Operation::Register, Operation::Certify, Operation::ReCertify],
        objects: ObjectTypes::CERTIFICATE,
        objects_v1: ObjectTypes::CERTIFICATE,
        ..server(Tag::X509CertificateSubject, AttributeKind::Structure(X509_CERTIFICATE_SUBJECT))
    },
];
