//! `[algorithms]`: which algorithms, lengths and modes are made, kept and used.

use serde::Deserialize;

use super::load::nearest;
use crate::crypto::permits::{Contradiction, Permits, Preset};

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

impl Algorithms {
    /// What they permit.
    ///
    /// # Errors
    /// A name that is none, or one that stands twice, in words.
    pub fn permits(&self) -> Result<Permits, String> {
        let Self { preset, allow, process, forbid } = self;
        Permits::changed(*preset, allow, process, forbid).map_err(|why| match why {
            Contradiction::Unknown { list, name } => {
                let known: Vec<&str> = Permits::names().collect();
                let hint = match nearest(&name.to_ascii_uppercase(), &known) {
                    Some(near) => format!("did you mean \"{near}\"?"),
                    None => format!("known are {}", known.join(", ")),
                };
                format!("[algorithms] {list}: there is no algorithm \"{name}\": {hint}")
            }
            Contradiction::Twice { name, lists: [one, other] } if one == other => {
                format!("[algorithms] {one} names \"{name}\" twice")
            }
            Contradiction::Twice { name, lists: [one, other] } => {
                format!("[algorithms] names \"{name}\" both in {one} and in {other}: it can be in one of them")
            }
        })
    }
}
