//! Named rows that belong to no object (tickets, defaults, constraints), as they stand in this message.

use foldhash::HashMap;

use super::View;
use crate::failure::{Failure, Outcome};
use crate::secret::Secret;
use crate::store::Revision;
use crate::store::vault::{Vault, VaultBatch};

/// The longest value, in bytes.
const LONGEST: usize = 15_000;

/// A row as it was read, and what it becomes.
#[derive(Clone)]
struct Entry {
    revision: Revision,
    value: Option<Secret>,
    changed: bool,
    /// Whether it goes whatever it is by then.
    blind: bool,
}

/// Everything that was read and changed.
#[derive(Default)]
pub(super) struct Metas {
    entries: HashMap<String, Entry>,
    /// The entries as they were when the item began to change them.
    journal: Vec<(String, Option<Entry>)>,
}

impl Metas {
    pub(super) fn begin(&mut self) {
        self.journal.clear();
    }

    pub(super) fn roll_back(&mut self) {
        while let Some((name, before)) = self.journal.pop() {
            match before {
                Some(entry) => self.entries.insert(name, entry),
                None => self.entries.remove(&name),
            };
        }
    }

    pub(super) fn is_changed(&self) -> bool {
        self.entries.values().any(|entry| entry.changed)
    }

    /// Whether this message writes the row.
    pub(super) fn is_written(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.changed && entry.value.is_some())
    }

    /// Whether this message removes the row.
    pub(super) fn is_removed(&self, name: &str) -> bool {
        self.entries.get(name).is_some_and(|entry| entry.changed && entry.value.is_none())
    }

    pub(super) fn commit(&self, batch: &mut VaultBatch) -> Outcome<()> {
        for (name, entry) in &self.entries {
            match (&entry.value, entry.changed) {
                (_, false) => batch.expect_meta(name, entry.revision),
                (Some(value), true) => batch.put_meta(name, entry.revision, value)?,
                (None, true) if entry.blind => batch.drop_meta(name),
                (None, true) => batch.delete_meta(name, entry.revision),
            }
        }
        Ok(())
    }

    /// The row as it stands in this message.
    pub(super) fn read(&mut self, vault: &Vault, name: &str) -> Outcome<Option<&Secret>> {
        Ok(self.load(vault, name)?.value.as_ref())
    }

    fn load(&mut self, vault: &Vault, name: &str) -> Outcome<&mut Entry> {
        if !self.entries.contains_key(name) {
            let (value, revision) = vault.meta(name)?.map_or((None, 0), |(value, revision)| (Some(value), revision));
            self.entries.insert(name.to_owned(), Entry { revision, value, changed: false, blind: false });
        }
        self.entries.get_mut(name).ok_or_else(|| Failure::internal("a named row is gone"))
    }
}

impl View {
    /// A named row. The commit relies on it as it is.
    ///
    /// # Errors
    /// A store that cannot be read.
    pub fn meta(&mut self, name: &str) -> Outcome<Option<Secret>> {
        Ok(self.metas.read(&self.shared.vault, name)?.cloned())
    }

    /// Writes a named row, or removes it. A row that is removed must never be written again: whoever has read it before
    /// could not tell.
    ///
    /// # Errors
    /// Server Limit Exceeded for a value that is too long.
    pub fn set_meta(&mut self, name: &str, value: Option<Secret>) -> Outcome<()> {
        if value.as_ref().is_some_and(|value| value.len() > LONGEST) {
            let reason = kmip_codec::spec::ResultReason::ServerLimitExceeded;
            return Err(Failure::new(reason, format!("this takes more than {LONGEST} bytes")));
        }
        let entry = self.metas.load(&self.shared.vault, name)?;
        let before = entry.clone();
        entry.value = value;
        entry.changed = true;
        self.metas.journal.push((name.to_owned(), Some(before)));
        Ok(())
    }

    /// Removes a named row, whatever it is by the time of the commit.
    pub fn drop_meta(&mut self, name: &str) {
        let gone = Entry { revision: 0, value: None, changed: true, blind: true };
        let before = self.metas.entries.insert(name.to_owned(), gone);
        self.metas.journal.push((name.to_owned(), before));
    }
}
