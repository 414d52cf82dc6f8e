//! Why a PKCS #11 function does not do what it is asked: a return code, or, where the request as such fails, a reason of the
//! protocol.

use kmip_codec::spec::{Pkcs11ReturnCode as Code, ResultReason as Reason};

use crate::failure::Failure;

/// What a function comes to when it does not succeed.
#[derive(Debug)]
pub enum Trouble {
    /// A return code, and what is answered with it.
    Code(Code, Vec<u8>),
    /// The operation fails.
    Failure(Failure),
}

/// What a function comes to: its output parameters.
pub type Done<T = Vec<u8>> = Result<T, Trouble>;

impl From<Code> for Trouble {
    fn from(code: Code) -> Self {
        Self::Code(code, Vec::new())
    }
}

impl From<Failure> for Trouble {
    fn from(failure: Failure) -> Self {
        match code_of(failure.reason) {
            Some(code) => Self::Code(code, Vec::new()),
            None => Self::Failure(failure),
        }
    }
}

impl Trouble {
    /// The same with another code in the place of one.
    #[must_use]
    pub fn instead(self, of: Code, code: Code) -> Self {
        match self {
            Self::Code(found, with) if found == of => Self::Code(code, with),
            other => other,
        }
    }
}

/// The return code of what the operations of the server refuse; nothing for what concerns the request and the server
/// rather than the function.
const fn code_of(reason: Reason) -> Option<Code> {
    Some(match reason {
        Reason::ObjectNotFound | Reason::ItemNotFound | Reason::ObjectDestroyed | Reason::ObjectArchived => {
            Code::ObjectHandleInvalid
        }
        Reason::WrappingObjectNotFound | Reason::WrappingObjectDestroyed | Reason::WrappingObjectArchived => {
            Code::WrappingKeyHandleInvalid
        }
        Reason::IncompatibleCryptographicUsageMask | Reason::WrongKeyLifecycleState | Reason::UsageLimitExceeded => {
            Code::KeyFunctionNotPermitted
        }
        Reason::NotAuthorised | Reason::PermissionDenied => Code::FunctionRejected,
        Reason::Sensitive => Code::AttributeSensitive,
        Reason::NotExtractable => Code::KeyUnextractable,
        Reason::InvalidObjectType | Reason::IllegalObjectType => Code::KeyTypeInconsistent,
        Reason::BadCryptographicParameters | Reason::MissingInitializationVector => Code::MechanismParamInvalid,
        Reason::UnsupportedCryptographicParameters | Reason::FeatureNotSupported => Code::MechanismInvalid,
        Reason::CryptographicFailure => Code::FunctionFailed,
        Reason::KeyValueNotPresent => Code::KeyHandleInvalid,
        Reason::InvalidAttribute => Code::TemplateIncomplete,
        Reason::InvalidAttributeValue
        | Reason::InvalidField
        | Reason::NonUniqueNameAttribute
        | Reason::ConstraintViolation
        | Reason::KeyFormatTypeNotSupported => Code::AttributeValueInvalid,
        Reason::ReadOnlyAttribute | Reason::AttributeReadOnly => Code::AttributeReadOnly,
        Reason::ProtectionStorageUnavailable
        | Reason::PrivateProtectionStorageUnavailable
        | Reason::PublicProtectionStorageUnavailable => Code::TemplateInconsistent,
        Reason::ServerLimitExceeded => Code::DeviceMemory,
        _ => return None,
    })
}
