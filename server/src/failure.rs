//! Why an item fails: what the client may read, and apart from it what only the log may say.
//!
//! [`reason_in`] is the one place that turns a reason of the newest version into one that the client's version has.

use std::fmt;

use kmip_codec::spec::{Operation, ResultReason, Version};
use kmip_codec::{Error, ErrorKind};

/// A failed item.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Failure {
    /// The reason, in the newest version's terms.
    pub reason: ResultReason,
    /// What the client may read.
    pub message: String,
    /// What only the log may say.
    pub log: Option<String>,
    /// The reason in versions before that one, where their error tables have another one than [`reason_in`] gives.
    pub older: Option<(Version, ResultReason)>,
}

/// The result of whatever an operation does.
pub type Outcome<T> = Result<T, Failure>;

impl Failure {
    /// A failure that the client may read.
    pub fn new(reason: ResultReason, message: impl Into<String>) -> Self {
        Self { reason, message: message.into(), log: None, older: None }
    }

    /// A failure of the server itself: the client reads that it happened, the log what happened.
    pub fn internal(log: impl Into<String>) -> Self {
        Self {
            reason: ResultReason::InternalServerError,
            message: "the server failed; its log says why".into(),
            log: Some(log.into()),
            older: None,
        }
    }

    /// The same with the reason that the operation's error table had before a version.
    #[must_use]
    pub fn before(self, version: Version, reason: ResultReason) -> Self {
        Self { older: Some((version, reason)), ..self }
    }

    /// The reason as the operation's error table has it in a version.
    pub fn reason_in(&self, operation: Option<Operation>, version: Version) -> ResultReason {
        match self.older {
            Some((since, older)) if version < since => reason_in(version, older),
            _ => reason_in(version, reason_for(operation, self.reason)),
        }
    }

    /// An object that does not exist, or that is not the client's to see: there is one answer for both.
    pub fn not_found() -> Self {
        Self::new(ResultReason::ObjectNotFound, "there is no such object")
    }

    /// Something that this server does not do.
    pub fn unsupported(message: impl Into<String>) -> Self {
        Self::new(ResultReason::FeatureNotSupported, message)
    }

    /// A field of the request with a value that it cannot have.
    pub fn invalid_field(message: impl Into<String>) -> Self {
        Self::new(ResultReason::InvalidField, message)
    }
}

impl Failure {
    /// A payload that cannot be read. To 1.x a field that its version does not have is an invalid field (KMIP 1.4 §11.1);
    /// 2.x has it among the messages that are not understood (KMIP 2.1 §11.46).
    pub fn unreadable(error: Box<Error>, version: Version) -> Self {
        let is_unknown = matches!(error.kind, ErrorKind::Unexpected(_) | ErrorKind::NotInVersion { .. });
        let failure = Self::from(error);
        match failure.reason {
            ResultReason::InvalidMessage if is_unknown && !version.is_v2() => {
                Self { reason: ResultReason::InvalidField, ..failure }
            }
            _ => failure,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.reason, self.message)
    }
}

impl std::error::Error for Failure {}

impl From<Box<Error>> for Failure {
    fn from(error: Box<Error>) -> Self {
        let reason = match error.kind {
            ErrorKind::UnknownAttribute(_) => ResultReason::InvalidAttribute,
            ErrorKind::UnknownEnumeration { .. } | ErrorKind::InvalidValue(_) => ResultReason::InvalidField,
            _ => ResultReason::InvalidMessage,
        };
        Self::new(reason, error.to_string())
    }
}

impl From<ResultReason> for Failure {
    fn from(reason: ResultReason) -> Self {
        Self::new(reason, reason.to_string())
    }
}

/// The reason as the error table of the operation has it: two of them have the same description (KMIP 2.1 §11.46), and
/// Read Only Attribute stands in the tables of Add, Adjust and Set Attribute and of Create alone; Certify has Item Not
/// Found where others have Object Not Found (§6.1.6.1).
pub fn reason_for(operation: Option<Operation>, reason: ResultReason) -> ResultReason {
    let own = [Operation::AddAttribute, Operation::AdjustAttribute, Operation::Create, Operation::SetAttribute];
    match operation {
        Some(operation) if reason == ResultReason::ReadOnlyAttribute && !own.contains(&operation) => {
            ResultReason::AttributeReadOnly
        }
        Some(Operation::Certify) if reason == ResultReason::ObjectNotFound => ResultReason::ItemNotFound,
        _ => reason,
    }
}

/// The reason as a version knows it. Versions before 2.0 have a short list: each newer reason has the place there that
/// their error tables give the same situation.
pub fn reason_in(version: Version, reason: ResultReason) -> ResultReason {
    if reason.known_in(version) {
        return reason;
    }
    let older = match reason {
        ResultReason::ObjectNotFound
        | ResultReason::AttributeNotFound
        | ResultReason::AttributeInstanceNotFound
        | ResultReason::WrappingObjectNotFound
        | ResultReason::ObjectDestroyed
        | ResultReason::WrappingObjectDestroyed
        | ResultReason::UnknownObjectGroup
        | ResultReason::InvalidAsynchronousCorrelationValue => ResultReason::ItemNotFound,
        ResultReason::WrongKeyLifecycleState
        | ResultReason::IncompatibleCryptographicUsageMask
        | ResultReason::ReadOnlyAttribute
        | ResultReason::AttributeReadOnly
        | ResultReason::Sensitive
        | ResultReason::NotExtractable
        | ResultReason::UsageLimitExceeded
        | ResultReason::NotAuthorised => ResultReason::PermissionDenied,
        ResultReason::InvalidAttribute
        | ResultReason::InvalidAttributeValue
        | ResultReason::InvalidObjectType
        | ResultReason::IllegalObjectType
        | ResultReason::InvalidDataType
        | ResultReason::NumericRange
        | ResultReason::UnknownEnumeration
        | ResultReason::UnknownTag
        | ResultReason::AttributeSingleValued
        | ResultReason::MultiValuedAttribute
        | ResultReason::NonUniqueNameAttribute
        | ResultReason::BadCryptographicParameters
        | ResultReason::UnsupportedCryptographicParameters
        | ResultReason::InvalidCorrelationValue
        | ResultReason::InvalidCSR
        | ResultReason::ObjectAlreadyExists => ResultReason::InvalidField,
        ResultReason::UnsupportedAttribute
        | ResultReason::KeyWrapTypeNotSupported
        | ResultReason::UnknownMessageExtension
        | ResultReason::ProtectionStorageUnavailable
        | ResultReason::PrivateProtectionStorageUnavailable
        | ResultReason::PublicProtectionStorageUnavailable => ResultReason::FeatureNotSupported,
        // The published cases of 1.2 to 1.4 give Invalid Message for an IV that is missing.
        ResultReason::CodecError
        | ResultReason::UnsupportedProtocolVersion
        | ResultReason::MissingInitializationVector => ResultReason::InvalidMessage,
        ResultReason::WrappingObjectArchived => ResultReason::ObjectArchived,
        ResultReason::InvalidTicket | ResultReason::BadPassword => ResultReason::AuthenticationNotSuccessful,
        ResultReason::KeyValueNotPresent => ResultReason::ItemNotFound,
        ResultReason::ResponseTooLarge => ResultReason::ResponseTooLarge,
        _ => ResultReason::GeneralFailure,
    };
    if older.known_in(version) { older } else { ResultReason::GeneralFailure }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn read_only_is_said_in_the_words_of_the_operation() {
        let said = |operation| reason_for(Some(operation), ResultReason::ReadOnlyAttribute);
        assert_eq!(said(Operation::SetAttribute), ResultReason::ReadOnlyAttribute);
        assert_eq!(said(Operation::ModifyAttribute), ResultReason::AttributeReadOnly);
        assert_eq!(reason_for(Some(Operation::Get), ResultReason::Sensitive), ResultReason::Sensitive);
    }
}
