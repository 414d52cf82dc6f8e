//! Who asks, after every credential was looked at.

use std::sync::Arc;

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
}

impl Requester {
    /// Somebody without further rights.
    pub fn new(owner: impl Into<Arc<str>>) -> Self {
        Self { owner: owner.into(), administrator: false, grant: None }
    }
}
