//! Emptying the store: what Reset asks for (Interop, KMIP 2.1 §6.1.26), and nothing else.

use std::ops::ControlFlow;

use kmip_codec::spec::ResultReason;

use super::overlay::is_guarded;
use super::{Commit, View};
use crate::crypto::{Guarded, Place};
use crate::failure::{Failure, Outcome};
use crate::object::material::{self, Material};
use crate::object::record;
use crate::store::vault::LASTING;

impl View {
    /// Lets the commit of this message empty the store. The message must run alone, and hold nothing else.
    ///
    /// # Errors
    /// Operation Not Supported where the store was not made for that.
    pub fn empty_store(&mut self) -> Outcome<()> {
        if !self.shared.settings.interop {
            let message = "this server's store was not made to be emptied";
            return Err(Failure::new(ResultReason::OperationNotSupported, message));
        }
        self.emptied = true;
        Ok(())
    }

    /// Whether the commit of this message empties the store.
    pub const fn is_emptied(&self) -> bool {
        self.emptied
    }

    /// Everything goes in one batch, so that a crash leaves all of it or nothing; token keys keep an intent until the
    /// module has forgotten them.
    pub(super) fn commit_empty(&self) -> Outcome<Commit> {
        let vault = &self.shared.vault;
        let mut batch = vault.batch();
        batch.delete_all_but(&LASTING)?;
        let mut destroyed = self.all_guarded()?;
        for guarded in destroyed.iter().filter(|guarded| guarded.place == Place::Token) {
            batch.put_intent(&guarded.id)?;
        }
        // Token keys that were about to be made, or had to go already.
        for identity in vault.intents()? {
            destroyed.push(Guarded::unknown_on_token(identity));
        }
        Ok(Commit { destroyed, ..Commit::of(batch) })
    }

    /// The keys of the store that live in the module.
    fn all_guarded(&self) -> Outcome<Vec<Guarded>> {
        let vault = &self.shared.vault;
        let mut sequences = Vec::new();
        vault.sequences(None, &mut |sequence| {
            sequences.push(sequence);
            ControlFlow::Continue(())
        })?;
        let unreadable = |error: record::Malformed| Failure::internal(error.to_string());
        let mut guarded = Vec::new();
        for sequence in sequences {
            let Some(opened) = vault.record(sequence)? else { continue };
            if !is_guarded(record::read(sequence, &opened.plaintext).map_err(unreadable)?.residency) {
                continue;
            }
            let Some(opened) = vault.material(sequence)? else { continue };
            if let Material::Guarded(key) = material::read(&opened.plaintext).map_err(unreadable)? {
                guarded.push(key);
            }
        }
        Ok(guarded)
    }
}
