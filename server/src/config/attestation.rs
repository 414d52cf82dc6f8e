//! `[attestation]` and `[[tpm]]`: which requests a client must attest itself for, and whose word is taken for it.

use std::collections::BTreeMap;
use std::path::PathBuf;

use serde::Deserialize;

/// `[attestation]`
#[derive(Debug, Clone, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Attestation {
    /// The operations that require it, by their names; "all" for all but Query and Discover Versions.
    pub operations: Vec<String>,
    /// Of whom they require it: identities of certificates, and users and devices as `user:` or `device:` with the name.
    /// Of everybody if none is named.
    pub identities: Vec<String>,
    /// How long a nonce is good, in seconds.
    pub nonce_seconds: u32,
    /// Nonces of one client at a time, at the most.
    pub nonces_per_client: usize,
}

impl Default for Attestation {
    fn default() -> Self {
        Self { operations: Vec::new(), identities: Vec::new(), nonce_seconds: 60, nonces_per_client: 16 }
    }
}

/// `[[tpm]]`: a TPM 2.0 whose quotes attest a client.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Tpm {
    /// Its name here, for messages and the log.
    pub name: String,
    /// The public half of its attestation key, in PEM. The key must be one that signs nothing but what the TPM made
    /// (restricted).
    pub key: PathBuf,
    /// Identities of the certificates whose clients run beside it.
    pub identities: Vec<String>,
    /// What its registers may hold: one table for each good state, by bank (`sha1`, `sha256`, `sha384`, `sha512`) and number.
    pub registers: Vec<BTreeMap<String, BTreeMap<String, String>>>,
}
