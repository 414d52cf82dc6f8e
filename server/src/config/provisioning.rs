//! `[provisioning]`: clients that change the certificates by which they are known.

use std::path::PathBuf;

use serde::Deserialize;

/// `[provisioning]`: Re-Provision (KMIP 2.1 section 6.1.48) is offered where the section is there.
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Provisioning {
    /// The authority that makes new certificates of clients, followed by those between it and its root, if any. One of those
    /// in `[tls]` client_ca. Without it clients bring certificates that they have got elsewhere.
    pub certificate: Option<PathBuf>,
    /// Its private key: PKCS#8, PKCS#1 or SEC1, not encrypted.
    pub key: Option<PathBuf>,
    /// How long a new certificate is valid, in days.
    pub days: u32,
}

impl Default for Provisioning {
    fn default() -> Self {
        Self { certificate: None, key: None, days: 365 }
    }
}

impl Provisioning {
    /// Whether it can be meant so.
    pub(super) fn check(&self) -> Result<(), String> {
        if self.certificate.is_some() != self.key.is_some() {
            return Err("[provisioning] needs both `certificate` and `key`, or neither".to_owned());
        }
        if self.days == 0 {
            return Err("[provisioning] `days` must be at least 1".to_owned());
        }
        Ok(())
    }
}
