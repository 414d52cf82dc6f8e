//! `[algorithms]`: which algorithms, lengths and modes are made, kept and used.

use serde::Deserialize;

use crate::crypto::permits::Preset;

/// `[algorithms]`
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Algorithms {
    /// The set that the rest changes.
    pub preset: Preset,
    /// What may be made, kept and used besides.
    pub allow: Vec<String>,
    /// What may be kept, and decrypt, unwrap and verify, and no more.
    pub process: Vec<String>,
    /// What may not even be kept.
    pub forbid: Vec<String>,
}
