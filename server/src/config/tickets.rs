//! `[tickets]`: what clients get for later requests.

use serde::Deserialize;

/// `[tickets]`
#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Tickets {
    /// The longest life of a ticket, and the life of one for which no Lease Time is asked, in seconds.
    pub longest_seconds: u32,
    /// The most tickets at a time.
    pub most: usize,
}

impl Default for Tickets {
    fn default() -> Self {
        Self { longest_seconds: 24 * 3600, most: 10_000 }
    }
}
