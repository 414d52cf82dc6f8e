//! Who may do what. The only place that makes a [`Permitted`] object: whoever holds one was asked.
//!
//! An object belongs to who made it and is invisible to everybody else. A ticket narrows down what its holder may do.

use std::ops::Deref;
use std::sync::Arc;

use kmip_codec::spec::{ObjectType, Operation, ResultReason, Version};

use super::requester::Requester;
use super::ticket::Grant;
use crate::failure::{Failure, Outcome};
use crate::object::Managed;
use crate::object::usage::{self, Purpose};

/// What somebody wants to do with an object.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Use {
    /// Find it.
    Locate,
    /// Read its attributes.
    ReadAttributes,
    /// Change its attributes.
    ChangeAttributes,
    /// Ask whether it could be used.
    Check,
    /// Get it.
    Get,
    /// Put it into the archive.
    Archive,
    /// Get it out of the archive.
    Recover,
    /// Make a key that replaces it.
    Replace,
    /// Make a certificate for it.
    Certify,
    /// Validate it as one of a chain of certificates.
    Validate,
    /// Obtain a lease.
    Lease,
    /// Obtain an allocation of its usage.
    Allocate,
    /// Take a Template's attributes for a new object.
    Template,
    /// Join it with other parts of a key.
    Join,
    /// Open or make a container with it, as its password.
    Password,
    /// Get it with all that is known of it.
    Export,
    /// Put another object in its place.
    Import,
    /// Activate it.
    Activate,
    /// Revoke it.
    Revoke,
    /// Destroy it.
    Destroy,
    /// Use it for cryptography.
    Cryptography(Purpose),
}

impl Use {
    /// Whether an archived object is reached too. The error tables before 2.0 have Object Archived for nearly everything,
    /// yet the published cases of every version read attributes from the archive. From 2.0 on what needs no more than the
    /// metadata is done there, and so is Destroy.
    pub const fn reaches_archive(self, version: Version) -> bool {
        match self {
            Self::Locate | Self::ReadAttributes | Self::Recover | Self::Import => true,
            Self::Check | Self::ChangeAttributes | Self::Activate | Self::Revoke | Self::Destroy => version.is_v2(),
            _ => false,
        }
    }
}

/// An object that somebody may use so, as it stands in this message.
#[derive(Debug, Clone)]
pub struct Permitted {
    object: Arc<Managed>,
    intent: Use,
}

impl Permitted {
    /// What was permitted.
    pub const fn intent(&self) -> Use {
        self.intent
    }
}

impl Deref for Permitted {
    type Target = Managed;

    fn deref(&self) -> &Managed {
        &self.object
    }
}

/// Decides. Time has been brought to bear on the object. With `tell` whoever asks for an object of somebody else reads that
/// it is there.
///
/// # Errors
/// Object Not Found for an object of somebody else, as if it did not exist; Not Authorised for what the requester's ticket
/// does not permit; Illegal Operation for a Template that is to live as a key does; what [`usage::permit`] says.
pub fn decide(
    requester: &mut Requester,
    operation: Option<Operation>,
    object: Arc<Managed>,
    intent: Use,
    now: i64,
    tell: bool,
) -> Outcome<Permitted> {
    if object.owner != requester.owner {
        return Err(if tell {
            Failure::new(ResultReason::PermissionDenied, "the object belongs to somebody else")
        } else {
            Failure::not_found()
        });
    }
    if let Some(grant) = &mut requester.grant {
        let operation = operation.ok_or_else(|| Failure::internal("an object is opened in no operation"))?;
        grant.open(operation, &object)?;
    }
    let lives = matches!(intent, Use::Activate | Use::Revoke | Use::Check | Use::Cryptography(_));
    if lives && object.object_type() == ObjectType::Template {
        return Err(Failure::new(ResultReason::IllegalOperation, "a Template has no state and no use of its own"));
    }
    if let Use::Cryptography(purpose) = intent {
        usage::permit(&object, purpose, now)?;
    }
    Ok(Permitted { object, intent })
}

/// Whether Locate may show that the object is there.
pub fn shows(requester: &Requester, operation: Option<Operation>, object: &Managed) -> bool {
    let is_granted = |grant: &Grant| operation.is_some_and(|operation| grant.shows(operation, object));
    object.owner == requester.owner && requester.grant.as_ref().is_none_or(is_granted)
}
