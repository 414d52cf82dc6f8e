//! Stores that a conformance suite may empty (Interop, KMIP 2.1 §6.1.26): made for it, marked for it, and nothing else.

use super::StartError;
use crate::config;
use crate::secret::Secret;
use crate::store::vault::{INTEROP_MARK, Vault};

/// Marks a new store, and refuses one that was not made for what the configuration says.
pub(super) async fn settle(vault: &Vault, config: &config::Store) -> Result<(), StartError> {
    let refused = |why: &str| StartError::Refused(format!("[store] {} {why}", config.path.display()));
    match (config.interop, vault.meta(INTEROP_MARK)?.is_some()) {
        (true, true) | (false, false) => Ok(()),
        (true, false) if vault.is_empty()? => {
            let mut batch = vault.batch();
            batch.put_meta(INTEROP_MARK, 0, &Secret::copy_of(b"1"))?;
            let marked = vault.commit(batch).await.map_err(|error| refused(&format!("cannot be marked: {error}")))?;
            marked.map_err(|error| refused(&format!("cannot be marked: {error}")))
        }
        (true, false) => Err(refused(
            "was not made with interop = true, which would let every client empty it; choose a new folder (`kmipd dev \
             --conformance --dir ...`)",
        )),
        (false, true) => Err(refused(
            "was made with interop = true, for a conformance suite that empties it; serve it with `kmipd dev \
             --conformance`, or make a new one",
        )),
    }
}
