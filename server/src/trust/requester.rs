//! Who asks, after every credential was looked at.

use std::sync::Arc;

use super::identity::Certificates;
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
    /// The certificates of the connection that it came on.
    pub certificates: Certificates,
    /// The certificate of its connection; none where the work is done later.
    pub link: Option<Arc<Link>>,
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
        Self {
            owner: owner.into(),
            administrator: false,
            grant: None,
            attested: Standing::Free,
            certificates: Certificates::default(),
            link: None,
        }
    }
}
