//! From what a message has changed to one batch of rows.

use kmip_codec::spec::UsageLimitsUnit;

use super::index::{self, missing};
use super::overlay::{Base, Entry, MaterialChange, TURNS, USAGE, belongs};
use super::{Kept, Shared, View};
use crate::crypto::{Guarded, Place};
use crate::failure::Outcome;
use crate::object::material::{self, Material};
use crate::object::terms::{self, Term};
use crate::object::{Managed, record};
use crate::store::vault::{Count, Domain, Hash16, VaultBatch};
use crate::trust::ticket;

/// What the dispatcher commits, and what it does once that is done.
pub struct Commit {
    /// The rows.
    pub batch: VaultBatch,
    /// Keys that are destroyed, whose handles and token objects must go.
    pub destroyed: Vec<Guarded>,
}

impl View {
    /// Everything the message has changed, and what it relied on.
    ///
    /// # Errors
    /// A row that cannot be sealed.
    pub fn commit(&self) -> Outcome<Commit> {
        if self.is_emptied() {
            return self.commit_empty();
        }
        let mut batch = self.shared.vault.batch();
        let mut destroyed = Vec::new();
        let mut freed: Vec<Hash16> = Vec::new();
        // Token keys that the message made; those that no object has in the end (it failed, or was undone) must go.
        let mut abandoned: Vec<[u8; 16]> = self.kept.identities().collect();
        for (&sequence, entry) in &self.overlay.entries {
            if entry.changed {
                self.write(&mut batch, sequence, entry, &mut freed)?;
            } else if let Some(Base { stamp, .. }) = &entry.base {
                batch.expect_record(sequence, stamp.revision);
            }
            if let (MaterialChange::Keep, Some((_, revision))) = (&entry.material, &entry.read) {
                batch.expect_material(sequence, *revision);
            }
            if let MaterialChange::Drop(Some(guarded)) | MaterialChange::Exchange(Some(guarded), _) = &entry.material {
                if guarded.place == Place::Token {
                    batch.put_intent(&guarded.id)?;
                }
                destroyed.push(guarded.clone());
            }
            if let MaterialChange::Put(material) | MaterialChange::Exchange(_, material) = &entry.material
                && let Material::Guarded(Guarded { id, place: Place::Token, .. }) = &**material
            {
                batch.delete_intent(id);
                abandoned.retain(|other| other != id);
            }
            if entry.taken > 0 || entry.carried.is_some() {
                count(&mut batch, sequence, entry);
            }
        }
        // Nothing is on the token under these.
        self.kept.spares().iter().for_each(|identity| batch.delete_intent(identity));
        destroyed.extend(abandoned.into_iter().map(Guarded::unknown_on_token));
        for (&sequence, &turns) in &self.overlay.turns {
            batch.update_counter(sequence, TURNS, move |before| Count::Set(before.unwrap_or(0).saturating_add(turns)));
        }
        self.claim(&mut batch, &freed)?;
        self.tell(&mut batch)?;
        self.metas.commit(&mut batch)?;
        self.expect_link(&mut batch);
        if let Some(grant) = self.requester.grant.as_ref().filter(|_| !self.is_emptied()) {
            grant.commit(&mut batch, |name| self.metas.is_removed(&ticket::row(name)));
        }
        Ok(Commit { batch, destroyed })
    }

    /// Whether the message has changed anything.
    pub fn is_changed(&self) -> bool {
        !self.overlay.turns.is_empty()
            || self.overlay.entries.values().any(|entry| entry.changed || entry.taken > 0)
            || self.metas.is_changed()
    }

    /// What a second run of the message must not do again.
    pub fn into_kept(self) -> Kept {
        let mut kept = self.kept;
        kept.keys.iter_mut().for_each(|key| key.taken = false);
        for step in &mut kept.steps {
            (step.taken, step.dropped) = (false, false);
        }
        kept
    }

    fn write(&self, batch: &mut VaultBatch, sequence: u64, entry: &Entry, freed: &mut Vec<Hash16>) -> Outcome<()> {
        let shared = &*self.shared;
        let object = &*entry.object;
        let belongs = belongs(shared, object);
        batch.put_record(sequence, entry.base.as_ref().map(|base| &base.stamp), belongs, &record::write(object))?;
        match &entry.material {
            MaterialChange::Keep => {}
            MaterialChange::Put(material) | MaterialChange::Exchange(_, material) => {
                batch.put_material(sequence, belongs, &material::write(material))?;
            }
            MaterialChange::Drop(_) => {
                batch.delete_material(sequence)?;
            }
        }
        let before = entry.base.as_ref().map(|base| terms::terms(&base.object));
        let after = terms::terms(object);
        if entry.base.is_none() {
            batch.put_unique(&belongs.identifier, sequence)?;
        }
        if let Some(before) = &before {
            freed.extend(missing(&before.unique, &after.unique).map(|term| unique(shared, term)));
        }
        index::write(shared, batch, (&object.owner, sequence), before.as_ref(), &after)?;
        let is_untouched = entry.taken == 0 && entry.carried.is_none();
        if is_untouched && entry.base.as_ref().is_some_and(|base| limits(&base.object) != limits(object)) {
            unused_since(batch, sequence, entry);
        }
        Ok(())
    }

    /// Unique rows: those that are given up, those that are claimed, and those that pass from one object to another.
    fn claim(&self, batch: &mut VaultBatch, freed: &[Hash16]) -> Outcome<()> {
        let shared = &*self.shared;
        let mut written: Vec<Hash16> = Vec::new();
        for (&sequence, entry) in self.overlay.entries.iter().filter(|(_, entry)| entry.changed) {
            let before = entry.base.as_ref().map(|base| terms::unique(&base.object)).unwrap_or_default();
            for term in missing(&terms::unique(&entry.object), &before) {
                let row = unique(shared, term);
                batch.replace_unique(&row, self.revision(&row), sequence)?;
                written.push(row);
            }
        }
        for row in freed {
            if written.contains(row) {
                continue;
            }
            // Gone: another message was faster, and the object's record, which this batch expects, shows it as a conflict.
            let Some((_, revision)) = shared.vault.lookup_unique(row)? else { continue };
            batch.delete_unique(row, revision);
            written.push(*row);
        }
        // What was only looked at must still be so: an identifier that led nowhere, a name that was free.
        for (row, &(_, revision)) in self.overlay.lookups.iter().filter(|(row, _)| !written.contains(row)) {
            batch.expect_unique(row, revision);
        }
        Ok(())
    }

    fn revision(&self, row: &Hash16) -> u64 {
        self.overlay.lookups.get(row).map_or(0, |&(_, revision)| revision)
    }
}

/// Units of Usage Limits are taken at the moment of the commit, if they are still there then.
fn count(batch: &mut VaultBatch, sequence: u64, entry: &Entry) {
    let Some(limits) = entry.object.usage_limits() else { return };
    let total = u64::try_from(limits.total).unwrap_or(0);
    let (taken, carried) = (entry.taken, entry.carried);
    batch.update_counter(sequence, USAGE, move |before| match carried.or(before).unwrap_or(0).checked_add(taken) {
        Some(after) if after <= total => Count::Set(after),
        _ => Count::Refuse("the Usage Limits are used up"),
    });
}

/// What may be changed of Usage Limits.
fn limits(object: &Managed) -> Option<(i64, UsageLimitsUnit)> {
    object.usage_limits().map(|limits| (limits.total, limits.unit))
}

/// Usage Limits may be corrected while nothing is taken: it must still be so at the moment of the commit.
fn unused_since(batch: &mut VaultBatch, sequence: u64, entry: &Entry) {
    let seen = entry.counted;
    batch.update_counter(sequence, USAGE, move |now| match now.unwrap_or(0) {
        now if now == seen => Count::Keep,
        _ => Count::Refuse("the Usage Limits were used meanwhile"),
    });
}

fn unique(shared: &Shared, term: &Term) -> Hash16 {
    shared.vault.hash(Domain::Unique, &[term])
}

#[cfg(test)]
mod tests {
    use kmip_codec::Value;
    use kmip_codec::spec::{NameType, ObjectType, ProtectionStorageMask, Tag, Version};
    use kmip_codec::types::{Name, UniqueIdentifier};

    use super::super::testing::{Bench, secret, structured};
    use super::super::{Home, New};
    use crate::crypto::algorithm::KeyKind;
    use crate::crypto::{Guarded, Place};
    use crate::object::material::Material;
    use crate::object::{Origin, Residency};
    use crate::store::CommitError;
    use crate::trust::policy::Use;

    #[test]
    fn a_module_key_goes_that_is_made_and_destroyed_in_one_message() {
        let bench = Bench::new();
        let mut view = bench.view(Version::V2_1);
        let guarded = Guarded { id: [7; 16], kind: KeyKind::Aes { bits: 256 }, place: Place::Token };
        let new = New {
            object_type: ObjectType::SymmetricKey,
            attributes: Vec::new(),
            found: Vec::new(),
            material: Some(Material::Guarded(guarded.clone())),
            format: None,
            home: Home { residency: Residency::Token, mask: ProtectionStorageMask::HARDWARE },
            origin: Origin::Generated,
        };
        let identifier = UniqueIdentifier::Text(view.insert(new).unwrap());
        let permitted = view.open(Some(&identifier), Use::Destroy).unwrap();
        view.destroy(&permitted).unwrap();
        assert_eq!(view.commit().unwrap().destroyed, [guarded]);
    }

    #[test]
    fn two_messages_that_free_the_same_name_conflict() {
        let bench = Bench::new();
        let name = Name { value: "n".into(), kind: NameType::UninterpretedTextString };
        let future = (Tag::ActivationDate, Value::DateTime(i64::MAX));
        let object = bench.object(secret(b"s"), vec![structured(Tag::Name, &name), future]);
        let (mut one, mut other) = (bench.view(Version::V2_1), bench.view(Version::V2_1));
        for view in [&mut one, &mut other] {
            let permitted = view.open(Some(&object), Use::Destroy).unwrap();
            view.destroy(&permitted).unwrap();
        }
        bench.commit(&one);
        let commit = other.commit().unwrap();
        let mut committed = other.shared().vault.commit(commit.batch);
        assert_eq!(committed.try_recv().unwrap(), Err(CommitError::Conflict));
    }
}
