//! What an object may be used for: mask, state and dates in one place (KMIP 2.1 §4.17, §4.40, §4.41, §4.57).

use kmip_codec::spec::{CryptographicUsageMask as Mask, ObjectType, ResultReason, State, Tag, Version};

use super::Managed;
use crate::failure::{Failure, Outcome};

/// A cryptographic use of a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// Encrypt.
    Encrypt,
    /// Decrypt.
    Decrypt,
    /// Sign.
    Sign,
    /// Verify a signature.
    Verify,
    /// Make a MAC.
    Mac,
    /// Verify a MAC.
    MacVerify,
    /// Wrap another key.
    Wrap,
    /// Unwrap another key.
    Unwrap,
    /// Derive another key.
    Derive,
    /// Sign certificates.
    Certify,
}

impl Purpose {
    /// The bit of the Cryptographic Usage Mask.
    pub const fn mask(self) -> Mask {
        match self {
            Self::Encrypt => Mask::ENCRYPT,
            Self::Decrypt => Mask::DECRYPT,
            Self::Sign => Mask::SIGN,
            Self::Verify => Mask::VERIFY,
            Self::Mac => Mask::MAC_GENERATE,
            Self::MacVerify => Mask::MAC_VERIFY,
            Self::Wrap => Mask::WRAP_KEY,
            Self::Unwrap => Mask::UNWRAP_KEY,
            Self::Derive => Mask::DERIVE_KEY,
            Self::Certify => Mask::CERTIFICATE_SIGN,
        }
    }

    /// Whether it applies protection, rather than processes what is protected.
    pub const fn protects(self) -> bool {
        matches!(self, Self::Encrypt | Self::Sign | Self::Mac | Self::Wrap | Self::Derive | Self::Certify)
    }

    const fn verb(self) -> &'static str {
        match self {
            Self::Encrypt => "encrypt",
            Self::Decrypt => "decrypt",
            Self::Sign => "sign",
            Self::Verify => "verify signatures",
            Self::Mac => "make MACs",
            Self::MacVerify => "verify MACs",
            Self::Wrap => "wrap keys",
            Self::Unwrap => "unwrap keys",
            Self::Derive => "derive keys",
            Self::Certify => "sign certificates",
        }
    }
}

/// The uses that apply protection.
pub const PROTECTING: Mask = Mask::from_bits_retain(
    Mask::SIGN.bits()
        | Mask::ENCRYPT.bits()
        | Mask::WRAP_KEY.bits()
        | Mask::MAC_GENERATE.bits()
        | Mask::DERIVE_KEY.bits()
        | Mask::CERTIFICATE_SIGN.bits()
        | Mask::CRL_SIGN.bits(),
);

/// Whether protection may be applied with the object, brought up to `now`, as far as state and dates say.
///
/// # Errors
/// Wrong Key Lifecycle State.
pub fn protects_at(object: &Managed, now: i64) -> Outcome<()> {
    let state = object.state();
    let stopped = object.attributes.date(Tag::ProtectStopDate).is_some_and(|stop| now >= stop);
    if state == State::Active && !stopped {
        return Ok(());
    }
    let why = if stopped { "its Protect Stop Date is reached".to_owned() } else { format!("its state is {state}") };
    Err(Failure::new(ResultReason::WrongKeyLifecycleState, format!("the object does not protect: {why}")))
}

/// Whether the object, brought up to `now`, may be used so.
///
/// # Errors
/// Invalid Object Type, Wrong Key Lifecycle State, or Incompatible Cryptographic Usage Mask.
pub fn permit(object: &Managed, purpose: Purpose, now: i64) -> Outcome<()> {
    let verb = purpose.verb();
    let wrong = |why: String| Err(Failure::new(ResultReason::WrongKeyLifecycleState, why));
    // The state allows it, the dates do not: until 2.0 that is denied rather than a matter of the life cycle.
    let untimely = |why: String| {
        Err(Failure::new(ResultReason::WrongKeyLifecycleState, why)
            .before(Version::V2_1, ResultReason::PermissionDenied))
    };
    if object.object_type() == ObjectType::OpaqueObject {
        return Err(Failure::new(ResultReason::InvalidObjectType, format!("an Opaque Object may not {verb}")));
    }
    match object.state() {
        State::Active => {}
        State::Deactivated | State::Compromised if !purpose.protects() => {}
        State::Destroyed | State::DestroyedCompromised => {
            return Err(Failure::new(ResultReason::ObjectDestroyed, "the object is destroyed"));
        }
        state => return wrong(format!("a key in the state {state} may not {verb}")),
    }
    if !object.usage_mask().contains(purpose.mask()) {
        return Err(Failure::new(
            ResultReason::IncompatibleCryptographicUsageMask,
            format!("the Cryptographic Usage Mask does not let the key {verb}"),
        ));
    }
    if object.attributes.date(Tag::ProcessStartDate).is_some_and(|start| now < start) && !purpose.protects() {
        return untimely(format!("the key may {verb} from its Process Start Date on"));
    }
    if object.attributes.date(Tag::ProtectStopDate).is_some_and(|stop| now >= stop) && purpose.protects() {
        return untimely(format!("the key may {verb} up to its Protect Stop Date"));
    }
    Ok(())
}
