//! What the module answered when it refused, and what that means.

use std::fmt;

use cryptoki::error::{Error, RvError};

use crate::crypto::CryptoError;

/// A return value other than CKR_OK, and the call that gave it. Holds no data of the call.
#[derive(Debug, Clone, Copy)]
pub(super) struct Fault {
    pub(super) call: &'static str,
    pub(super) error: RvError,
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} answered {:?}", self.call, self.error)
    }
}

impl Fault {
    /// Of a call that cryptoki made.
    pub(super) fn from_cryptoki(call: &'static str, error: &Error) -> Self {
        let error = match error {
            Error::Pkcs11(error, _) => *error,
            Error::NullFunctionPointer | Error::NotSupported => RvError::FunctionNotSupported,
            _ => RvError::FunctionFailed,
        };
        Self { call, error }
    }

    /// Whether sessions, and with them all session objects and the login, must be taken as gone.
    pub(super) fn is_loss(&self) -> bool {
        matches!(
            self.error,
            RvError::CryptokiNotInitialized
                | RvError::DeviceRemoved
                | RvError::KeyHandleInvalid
                | RvError::ObjectHandleInvalid
                | RvError::SessionClosed
                | RvError::SessionHandleInvalid
                | RvError::SlotIdInvalid
                | RvError::TokenNotPresent
                | RvError::TokenNotRecognized
                | RvError::UserNotLoggedIn
                | RvError::UnwrappingKeyHandleInvalid
                | RvError::WrappingKeyHandleInvalid
        )
    }

    /// Whether it may be a loss, or data that the module cannot work with: kryoptic answers both so. The session tells.
    pub(super) fn may_be_loss(&self) -> bool {
        self.error == RvError::DeviceError
    }

    /// Whether the module does not have what was asked for.
    pub(super) fn is_unsupported(&self) -> bool {
        matches!(
            self.error,
            RvError::FunctionNotSupported
                | RvError::CurveNotSupported
                | RvError::DomainParamsInvalid
                | RvError::KeySizeRange
                | RvError::MechanismInvalid
                | RvError::MechanismParamInvalid
                | RvError::ArgumentsBad
                | RvError::KeyTypeInconsistent
        )
    }

    /// Whether the data is to blame, as far as the code tells. Modules say so in many ways; the vague ones are
    /// [`Fault::is_vague`].
    pub(super) fn blames_data(&self) -> bool {
        matches!(
            self.error,
            RvError::DataInvalid
                | RvError::DataLenRange
                | RvError::EncryptedDataInvalid
                | RvError::EncryptedDataLenRange
                | RvError::SignatureInvalid
                | RvError::SignatureLenRange
                | RvError::WrappedKeyInvalid
                | RvError::WrappedKeyLenRange
        ) || matches!(self.error, RvError::UnknownErrorCode(code) if code == cryptoki_sys::CKR_AEAD_DECRYPT_FAILED)
    }

    /// Whether the code may mean bad data or a broken module: SoftHSM answers a tag that does not verify so.
    pub(super) fn is_vague(&self) -> bool {
        matches!(self.error, RvError::GeneralError | RvError::FunctionFailed | RvError::DeviceError)
    }

    /// The error where the data of the call cannot be to blame.
    pub(super) fn into_error(self) -> CryptoError {
        if self.is_unsupported() {
            CryptoError::Unsupported(format!("by the HSM module ({self})"))
        } else {
            CryptoError::Unavailable(self.to_string())
        }
    }
}

impl From<Fault> for CryptoError {
    fn from(fault: Fault) -> Self {
        fault.into_error()
    }
}
