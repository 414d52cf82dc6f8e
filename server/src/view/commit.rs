//! From what a message has changed to one batch of rows.

use foldhash::HashSet;
use kmip_codec::spec::{State, Tag, UsageLimitsUnit};

use super::index::{self, missing};
use super::overlay::{Base, Entry, MaterialChange, NONCES, TURNS, USAGE, belongs, belongs_new, is_guarded};
use super::{Kept, View};
use crate::crypto::{Guarded, Place};
use crate::failure::{Failure, Outcome};
use crate::object::material::{self, Material};
use crate::object::terms::{self, Terms};
use crate::object::{Managed, record};
use crate::secret::Secret;
use crate::store::vault::{Count, Hash16, VaultBatch};
use crate::trust::ticket;

/// What the dispatcher commits, and what it does once that is done.
pub struct Commit {
    /// The rows.
    pub batch: VaultBatch,
    /// Keys that are destroyed, whose handles and token objects must go.
    pub destroyed: Vec<Guarded>,
    /// Keys that stay, and whose handles must go.
    pub turned: Vec<Turned>,
}

/// A key that the module guards, of which something has changed that a use is decided by.
pub struct Turned {
    /// The key.
    pub guarded: Guarded,
    /// Whether it is not Active any more, or not there: what was begun with it ends.
    pub ends_work: bool,
}

impl Commit {
    /// Of rows alone.
    pub fn of(batch: VaultBatch) -> Self {
        Self { batch, destroyed: Vec::new(), turned: Vec::new() }
    }
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
        let (mut destroyed, mut turned) = (Vec::new(), Vec::new());
        let mut freed: Vec<Hash16> = Vec::new();
        let mut claims: Vec<(u64, Hash16)> = Vec::new();
        // Token keys that the message made; those that no object has in the end (it failed, or was undone) must go.
        let mut abandoned: Vec<[u8; 16]> = self.kept.identities().collect();
        for (&sequence, entry) in &self.overlay.entries {
            if entry.changed {
                let (before, after) = self.write(&mut batch, sequence, entry)?;
                let hash = |term: &[u8]| self.overlay.unique(&self.shared, term);
                freed.extend(missing(&before.unique, &after.unique).map(hash));
                claims.extend(missing(&after.unique, &before.unique).map(|term| (sequence, hash(term))));
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
            if let (MaterialChange::Keep, Some(base)) = (&entry.material, &entry.base)
                && entry.changed
                && is_guarded(entry.object.residency)
                && has_turned(&base.object, &entry.object)
            {
                let ends_work = entry.object.state() != State::Active || entry.object.is_archived();
                turned.extend(self.in_module(sequence, entry)?.map(|guarded| Turned { guarded, ends_work }));
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
        let goes = |entry: &Entry| matches!(entry.material, MaterialChange::Drop(_));
        self.kept.nonces.commit(&mut batch, |sequence| self.overlay.entries.get(&sequence).is_some_and(goes));
        self.claim(&mut batch, &claims, &freed)?;
        self.tell(&mut batch)?;
        self.metas.commit(&mut batch)?;
        self.expect_link(&mut batch);
        if let Some(grant) = self.requester.grant.as_ref().filter(|_| !self.is_emptied()) {
            grant.commit(&mut batch, |name| self.metas.is_removed(&ticket::row(name)));
        }
        Ok(Commit { batch, destroyed, turned })
    }

    /// The key that the module guards for an object.
    fn in_module(&self, sequence: u64, entry: &Entry) -> Outcome<Option<Guarded>> {
        let of = |material: &Material| match material {
            Material::Guarded(guarded) => Some(guarded.clone()),
            Material::Open(_) => None,
        };
        if let Some((material, _)) = &entry.read {
            return Ok(of(material));
        }
        let read = |plaintext: &Secret| material::read(plaintext).map_err(|error| Failure::internal(error.to_string()));
        Ok(self.shared.vault.known_material(sequence, read)?.and_then(|known| of(&known.content)))
    }

    /// Whether the message has changed anything.
    pub fn is_changed(&self) -> bool {
        !self.overlay.turns.is_empty()
            || self.overlay.entries.values().any(|entry| entry.changed || entry.taken > 0)
            || !self.kept.nonces.is_empty()
            || self.metas.is_changed()
    }

    /// What a second run of the message must not do again.
    pub fn into_kept(self) -> Kept {
        let mut kept = self.kept;
        kept.keys.iter_mut().for_each(|key| key.taken = false);
        kept.nonces = kept.nonces.into_kept();
        for step in &mut kept.steps {
            (step.taken, step.dropped) = (false, false);
        }
        kept
    }

    /// Writes an object, but for what no other object may have. Answers what it was found by, and is.
    fn write(&self, batch: &mut VaultBatch, sequence: u64, entry: &Entry) -> Outcome<(Terms, Terms)> {
        let shared = &*self.shared;
        let object = &*entry.object;
        let belongs = if entry.base.is_some() { belongs(shared, object) } else { belongs_new(shared, object) };
        batch.put_record(sequence, entry.base.as_ref().map(|base| &base.stamp), belongs, &record::write(object))?;
        match &entry.material {
            MaterialChange::Keep => {}
            MaterialChange::Put(material) if entry.base.is_none() => {
                batch.put_new_material(sequence, belongs, &material::write(material))?;
            }
            MaterialChange::Put(material) | MaterialChange::Exchange(_, material) => {
                batch.put_material(sequence, belongs, &material::write(material))?;
            }
            MaterialChange::Drop(_) => {
                batch.delete_material(sequence)?;
                if shared.vault.counter(sequence, NONCES)?.is_some() {
                    batch.delete_counter(sequence, NONCES);
                }
            }
        }
        let before = entry.base.as_ref().map(|base| terms::terms(&base.object));
        let after = terms::terms(object);
        if entry.base.is_none() {
            batch.put_unique(&belongs.identifier, sequence)?;
        }
        index::write(shared, batch, (&object.owner, sequence), before.as_ref(), &after)?;
        let is_untouched = entry.taken == 0 && entry.carried.is_none();
        if is_untouched && entry.base.as_ref().is_some_and(|base| limits(&base.object) != limits(object)) {
            unused_since(batch, sequence, entry);
        }
        Ok((before.unwrap_or_default(), after))
    }

    /// Unique rows: those that are given up, those that are claimed, and those that pass from one object to another.
    fn claim(&self, batch: &mut VaultBatch, claims: &[(u64, Hash16)], freed: &[Hash16]) -> Outcome<()> {
        let mut written: HashSet<Hash16> = HashSet::default();
        for (sequence, row) in claims {
            batch.replace_unique(row, self.revision(row), *sequence)?;
            written.insert(*row);
        }
        for row in freed {
            if written.contains(row) {
                continue;
            }
            // Gone: another message was faster, and the object's record, which this batch expects, shows it as a conflict.
            let Some((_, revision)) = self.shared.vault.lookup_unique(row)? else { continue };
            batch.delete_unique(row, revision);
            written.insert(*row);
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

/// Whether something has changed that a use of an object's key is decided by: its state, whether it is there at all, whose it
/// is, or whether another key has replaced it.
fn has_turned(before: &Managed, after: &Managed) -> bool {
    let is_replaced = |object: &Managed| object.attributes.boolean(Tag::RotateLatest) == Some(false);
    before.state() != after.state()
        || before.is_archived() != after.is_archived()
        || before.owner != after.owner
        || is_replaced(before) != is_replaced(after)
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

#[cfg(test)]
mod tests {
    use kmip_codec::schema::decode;
    use kmip_codec::spec::{CryptographicAlgorithm, NameType, ObjectType, ProtectionStorageMask, Tag, Version};
    use kmip_codec::types::{Name, UniqueIdentifier};
    use kmip_codec::{Element, Value};

    use super::super::testing::{Bench, secret, structured};
    use super::super::{Home, New};
    use crate::crypto::algorithm::KeyKind;
    use crate::crypto::{Guarded, Place};
    use crate::object::material::Material;
    use crate::object::{Origin, Residency};
    use crate::ops::Handler;
    use crate::ops::create::Create;
    use crate::store::{Change, CommitError};
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

    /// What a Create costs once it is found beside others like it: every row is a write at a place of its own.
    #[test]
    fn a_key_beside_others_takes_few_rows() {
        let bench = Bench::new();
        let rows = |number: u8| {
            let name = Name { value: format!("key {number}").into(), kind: NameType::UninterpretedTextString };
            let attributes = [
                (Tag::CryptographicAlgorithm, Value::Enumeration(CryptographicAlgorithm::AES.into())),
                (Tag::CryptographicLength, Value::Integer(256)),
                (Tag::CryptographicUsageMask, Value::Integer(12)),
                structured(Tag::Name, &name),
                (Tag::ActivationDate, Value::DateTime(1_000_000)),
            ];
            let attributes = attributes.into_iter().map(|(tag, value)| Element::new(tag, value)).collect();
            let payload = Element::new(
                Tag::RequestPayload,
                Value::Structure(vec![
                    Element::new(Tag::ObjectType, Value::Enumeration(ObjectType::SymmetricKey.into())),
                    Element::new(Tag::Attributes, Value::Structure(attributes)),
                ]),
            );
            let mut view = bench.view(Version::V2_1);
            view.begin_item();
            Create::run(&mut view, decode(payload, Version::V2_1).unwrap()).unwrap();
            let batch = view.commit().unwrap().batch.into_batch();
            bench.commit(&view);
            let key = |change: &Change| match change {
                Change::Put { key, .. } | Change::Delete { key } | Change::Update { key, .. } => char::from(key[0]),
            };
            let mut kinds: Vec<char> = batch.changes.iter().map(key).collect();
            kinds.sort_unstable();
            (kinds.into_iter().collect::<String>(), batch.expect.len())
        };
        rows(0);
        // Member, state, material, record, sequence, identifier and name.
        assert_eq!(rows(1), ("AIMOSUU".to_owned(), 5));
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
