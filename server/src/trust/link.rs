//! What a client proves who it is with on the wire, and what may take its place (Re-Provision, KMIP 2.1 §6.1.48).
//!
//! A certificate that was replaced stays so: a row of the store says it, written in the commit that replaced it, and every
//! message of whoever comes with it reads that row. A connection that was open before is no exception.

use std::fmt;
use std::sync::{Arc, OnceLock};

use super::credentials::unsuccessful;
use super::identity::{Fingerprint, Identity};
use crate::crypto::authority::Authority;
use crate::failure::Failure;
use crate::store::vault::{Domain, Hash16, MetaRow, Vault};

/// The link-level credential of a client: the certificate of its connection.
#[derive(Debug)]
pub struct Link {
    /// Who it says the client is.
    pub identity: Arc<str>,
    /// Its fingerprint.
    pub fingerprint: Fingerprint,
    /// The certificate in DER.
    pub certificate: Arc<[u8]>,
    /// The row that says that it was replaced: asked for at every request.
    row: OnceLock<MetaRow>,
}

impl Link {
    /// The credential of a client of this name, with a certificate of this fingerprint, in DER.
    pub const fn new(identity: Arc<str>, fingerprint: Fingerprint, certificate: Arc<[u8]>) -> Self {
        Self { identity, fingerprint, certificate, row: OnceLock::new() }
    }

    /// The row that says that the certificate was replaced.
    pub fn row(&self, vault: &Vault) -> &MetaRow {
        self.row.get_or_init(|| MetaRow::of(&row(vault, &self.fingerprint)))
    }
}

/// Says whom the listeners would let in.
pub trait Admits: Send + Sync {
    /// Who a client would be that came now with this certificate and those between it and its root, given in DER; `None` for
    /// one that is not let in. Why says the log.
    fn identity_of(&self, certificate: &[u8], above: &[Vec<u8>]) -> Option<Identity>;
}

/// How clients get other certificates.
#[derive(Clone)]
pub struct Provisioning {
    /// The listeners' judgement.
    pub admits: Arc<dyn Admits>,
    /// Who makes the certificates of clients that bring none.
    pub authority: Option<Arc<Authority>>,
}

impl fmt::Debug for Provisioning {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Provisioning")
    }
}

/// What a client reads that comes with a certificate that was replaced.
pub fn replaced() -> Failure {
    unsuccessful("the client's certificate was replaced by another one, and is no longer accepted")
}

/// The name of the row that says that a certificate was replaced.
pub fn row(vault: &Vault, fingerprint: &Fingerprint) -> String {
    let Hash16(hash) = vault.hash(Domain::Certificate, &[fingerprint.as_bytes()]);
    format!("replaced/{}", hex::encode(hash))
}
