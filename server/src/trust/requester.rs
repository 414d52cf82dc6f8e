//! Who asks, after every credential was looked at.

use std::sync::Arc;

use kmip_codec::ttlv::Blob;

use super::identity::{Admitted, Certificates};
use super::link::Link;
use super::ticket::Grant;

/// Who asks, what it may do beyond the use of its own objects, and what a ticket narrows it down to.
#[derive(Debug, Clone)]
pub struct Requester {
    /// Who owns what it makes: the identity of a certificate, or `user:` or `device:` with a name.
    pub owner: Arc<str>,
    /// Whether it may set the server's defaults and constraints.
    pub administrator: bool,
    /// The ticket that it came with.
    pub grant: Option<Grant>,
    /// How it stands with what its machine has to show.
    pub attested: Standing,
    /// The certificates that it came with.
    pub shown: Shown,
}

/// The certificates that a request came with.
#[derive(Debug, Clone, Default)]
pub enum Shown {
    /// None.
    #[default]
    Nothing,
    /// Those of its connection.
    Now(Arc<Admitted>),
    /// Those of the connection on which it was asked what is done now.
    Earlier(Certificates),
}

impl Shown {
    /// The certificates in DER, the client's own first.
    pub fn certificates(&self) -> &[Blob] {
        match self {
            Self::Nothing => &[],
            Self::Now(admitted) => &admitted.certificates,
            Self::Earlier(certificates) => certificates,
        }
    }

    /// The certificate of the connection; none where the work is done later.
    pub fn link(&self) -> Option<&Arc<Link>> {
        match self {
            Self::Now(admitted) => Some(&admitted.link),
            Self::Nothing | Self::Earlier(_) => None,
        }
    }
}

/// How a request stands with attestation (KMIP 2.1 §9.3).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Standing {
    /// None is required of who asks.
    #[default]
    Free,
    /// It was given, and is right.
    Attested,
    /// It was not given, and the client is able to.
    Capable,
    /// It was not given, and the client is not able to.
    Incapable,
}

impl Requester {
    /// Somebody without further rights.
    pub fn new(owner: impl Into<Arc<str>>) -> Self {
        Self { owner: owner.into(), administrator: false, grant: None, attested: Standing::Free, shown: Shown::Nothing }
    }
}
