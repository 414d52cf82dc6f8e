//! What is written together.

use std::ops::ControlFlow;
use std::sync::Arc;

use super::rows::{self, Header, Kind};
use super::{Belongs, CHUNK, Hash16, KeyRing, MetaRow, Stamp, VaultError};
use crate::secret::Secret;
use crate::store::seal::{Nonces, SealError};
use crate::store::{Batch, Change, Key, Revision, Row, Store, Updated};

/// What a counter becomes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Count {
    /// This.
    Set(u64),
    /// What it is.
    Keep,
    /// The whole batch must not happen; the text is for the log.
    Refuse(&'static str),
}

/// What a named value becomes.
#[derive(Debug)]
pub enum MetaChange {
    /// This.
    Set(Secret),
    /// The whole batch must not happen; the text is for the log.
    Refuse(&'static str),
}

/// About how many rows a new object has.
const NEW_ROWS: usize = 12;

/// To whom rows of no object belong.
const NOBODY: Belongs = Belongs { owner: Hash16([0; 16]), identifier: Hash16([0; 16]) };

/// Sealed changes, all or nothing, with what was read to decide on them.
pub struct VaultBatch {
    store: Arc<dyn Store>,
    keys: Arc<KeyRing>,
    id: [u8; 16],
    nonces: Nonces,
    pub(super) batch: Batch,
    pub(super) highest: u64,
}

impl VaultBatch {
    pub(super) fn new(store: Arc<dyn Store>, keys: Arc<KeyRing>, id: [u8; 16]) -> Self {
        Self { store, keys, id, nonces: Nonces::default(), batch: Batch::default(), highest: 0 }
    }

    /// Expects a record to have this revision, 0 for absent.
    pub fn expect_record(&mut self, seq: u64, revision: Revision) {
        self.batch.expect.push((rows::chunk(Kind::Record, seq, 0).into(), revision));
    }

    /// Expects material to have this revision, 0 for absent.
    pub fn expect_material(&mut self, seq: u64, revision: Revision) {
        self.batch.expect.push((rows::chunk(Kind::Material, seq, 0).into(), revision));
    }

    /// Expects what a lookup of something unique gave: its revision, 0 for absent.
    pub fn expect_unique(&mut self, unique: &Hash16, revision: Revision) {
        self.batch.expect.push((rows::unique(unique).into(), revision));
    }

    /// Expects a named value to have this revision, 0 for absent.
    pub fn expect_meta(&mut self, name: &str, revision: Revision) {
        self.batch.expect.push((rows::meta(name), revision));
    }

    /// Writes a record over `before`, or a new one; either is expected. Returns the new revision.
    pub fn put_record(
        &mut self,
        seq: u64,
        before: Option<&Stamp>,
        belongs: Belongs,
        plaintext: &Secret,
    ) -> Result<Revision, VaultError> {
        if before.is_none() {
            self.highest = self.highest.max(seq);
            self.batch.expect.reserve(NEW_ROWS);
            self.batch.changes.reserve(NEW_ROWS);
        }
        self.put_chunks(Kind::Record, seq, before.map(|before| (before.revision, before.chunks)), belongs, plaintext)
    }

    /// Removes a record, which is expected as it was opened.
    pub fn delete_record(&mut self, record: &Stamp) {
        self.expect_record(record.seq, record.revision);
        self.delete_chunks(Kind::Record, record.seq, 0, record.chunks);
    }

    /// Writes material, over what stands there as far as this thread can see, which is expected. Returns the new revision.
    pub fn put_material(&mut self, seq: u64, belongs: Belongs, plaintext: &Secret) -> Result<Revision, VaultError> {
        let before = self.material_extent(seq)?;
        self.put_chunks(Kind::Material, seq, before, belongs, plaintext)
    }

    /// Writes the material of a record that is new in this batch: there is none as long as there is no record, which is
    /// expected. Returns the new revision.
    pub fn put_new_material(&mut self, seq: u64, belongs: Belongs, plaintext: &Secret) -> Result<Revision, VaultError> {
        let revision = 1;
        self.write_chunks((Kind::Material, seq, revision), belongs, plaintext)?;
        Ok(revision)
    }

    /// Removes material without opening it; what stands there is expected. Says whether there was any.
    pub fn delete_material(&mut self, seq: u64) -> Result<bool, VaultError> {
        let before = self.material_extent(seq)?;
        self.expect_material(seq, before.map_or(0, |(revision, _)| revision));
        if let Some((_, chunks)) = before {
            self.delete_chunks(Kind::Material, seq, 0, chunks);
        }
        Ok(before.is_some())
    }

    /// Relies on a named value being absent.
    pub fn expect_no_meta(&mut self, row: &MetaRow) {
        self.batch.expect.push((row.0.clone(), 0));
    }

    /// Claims something unique for a sequence. It must be absent.
    pub fn put_unique(&mut self, unique: &Hash16, seq: u64) -> Result<(), VaultError> {
        self.expect_unique(unique, 0);
        // The sequence is the revision too: a row that was dropped and claimed for another object has another one.
        self.put_sealed(Kind::Unique, rows::unique(unique).into(), seq, &seq.to_be_bytes())
    }

    /// Claims something unique that another sequence gives up in the same batch, or that is absent: it must have this
    /// revision, 0 for absent.
    pub fn replace_unique(&mut self, unique: &Hash16, before: Revision, seq: u64) -> Result<(), VaultError> {
        self.expect_unique(unique, before);
        // Never the revision that it had: two objects may hand a name to and fro.
        let revision = before.max(seq).saturating_add(u64::from(before != 0));
        self.put_sealed(Kind::Unique, rows::unique(unique).into(), revision, &seq.to_be_bytes())
    }

    /// Notes that a token key of this identity is about to be made, or must go: the sweeper destroys whatever the module
    /// has under an identity whose intent is still there.
    pub fn put_intent(&mut self, identity: &[u8; 16]) -> Result<(), VaultError> {
        self.put_sealed(Kind::Intent, rows::intent(identity), 1, identity)
    }

    /// Removes such a note.
    pub fn delete_intent(&mut self, identity: &[u8; 16]) {
        self.batch.changes.push(Change::Delete { key: rows::intent(identity) });
    }

    /// Gives up something unique, which must have this revision.
    pub fn delete_unique(&mut self, unique: &Hash16, revision: Revision) {
        self.expect_unique(unique, revision);
        self.batch.changes.push(Change::Delete { key: rows::unique(unique).into() });
    }

    /// Writes a named value over one with this revision, 0 for absent. The name has at most 100 bytes, the value at
    /// most 16 000.
    pub fn put_meta(&mut self, name: &str, before: Revision, value: &Secret) -> Result<(), VaultError> {
        self.expect_meta(name, before);
        self.put_sealed(Kind::Meta, rows::meta(name), before + 1, value.expose())
    }

    /// Removes every row that is there, but for these named values, the highest sequence (a sequence is never used again) and
    /// the intents, which stay until the module has forgotten their keys. Answers how many rows go. Nothing is expected: whoever empties a store sees to it that nobody writes meanwhile.
    pub fn delete_all_but(&mut self, names: &[&str]) -> Result<usize, VaultError> {
        let kept: Vec<Key> = names.iter().map(|name| rows::meta(name)).collect();
        let before = self.batch.changes.len();
        let store = Arc::clone(&self.store);
        store.scan(b"", None, &mut |key, _| {
            let stays = key == rows::SEQUENCE || key.first() == Some(&Kind::Intent.byte());
            if !stays && !kept.iter().any(|kept| **kept == *key) {
                self.batch.changes.push(Change::Delete { key: key.into() });
            }
            ControlFlow::Continue(())
        })?;
        Ok(self.batch.changes.len() - before)
    }

    /// Removes a named value, which must have this revision.
    pub fn delete_meta(&mut self, name: &str, revision: Revision) {
        self.expect_meta(name, revision);
        self.batch.changes.push(Change::Delete { key: rows::meta(name) });
    }

    /// Removes a named value, whatever it is by now; no error if it is absent.
    pub fn drop_meta(&mut self, name: &str) {
        self.batch.changes.push(Change::Delete { key: rows::meta(name) });
    }

    /// Changes a named value by what it is at the moment of the commit; `None` is one that is absent. The function may run
    /// more than once.
    pub fn update_meta(&mut self, name: &str, mut change: impl FnMut(Option<&Secret>) -> MetaChange + Send + 'static) {
        let key = rows::meta(name);
        let (keys, id, at) = (Arc::clone(&self.keys), self.id, key.clone());
        let update = Box::new(move |row: Option<&Row>| {
            let Ok(before) = row.map(|row| rows::open(&keys, &id, Kind::Meta, &at, row)).transpose() else {
                return Updated::Refuse("a meta row does not open");
            };
            match change(before.as_ref().map(|(_, value)| value)) {
                MetaChange::Refuse(why) => Updated::Refuse(why),
                MetaChange::Set(value) => {
                    let revision = row.map_or(0, |row| row.revision) + 1;
                    let header = Header::new(&keys, NOBODY, 1);
                    match rows::seal(
                        (&keys, &mut Nonces::default()),
                        &id,
                        Kind::Meta,
                        &at,
                        revision,
                        &header,
                        value.expose(),
                    ) {
                        Ok(row) => Updated::Put(row),
                        Err(_) => Updated::Refuse("a meta row cannot be sealed"),
                    }
                }
            }
        });
        self.batch.changes.push(Change::Update { key, update });
    }

    /// Changes a counter by what it is at the moment of the commit; `None` is a counter that was never set.
    /// The function may run more than once.
    pub fn update_counter(
        &mut self,
        seq: u64,
        which: u8,
        mut count: impl FnMut(Option<u64>) -> Count + Send + 'static,
    ) {
        let key = rows::counter(seq, which);
        let (keys, id, at) = (Arc::clone(&self.keys), self.id, key.clone());
        let update = Box::new(move |row: Option<&Row>| {
            let before = row.map(|row| rows::open(&keys, &id, Kind::Counter, &at, row)).transpose();
            let before =
                before.and_then(|opened| opened.map(|(_, value)| super::number(Kind::Counter, &value)).transpose());
            let Ok(before) = before else {
                return Updated::Refuse("a counter row does not open");
            };
            match count(before) {
                Count::Keep => Updated::Keep,
                Count::Refuse(why) => Updated::Refuse(why),
                Count::Set(value) => {
                    let revision = row.map_or(0, |row| row.revision) + 1;
                    let value = value.to_be_bytes();
                    let header = Header::new(&keys, NOBODY, 1);
                    match rows::seal(
                        (&keys, &mut Nonces::default()),
                        &id,
                        Kind::Counter,
                        &at,
                        revision,
                        &header,
                        &value,
                    ) {
                        Ok(row) => Updated::Put(row),
                        Err(_) => Updated::Refuse("a counter row cannot be sealed"),
                    }
                }
            }
        });
        self.batch.changes.push(Change::Update { key, update });
    }

    /// Removes a counter.
    pub fn delete_counter(&mut self, seq: u64, which: u8) {
        self.batch.changes.push(Change::Delete { key: rows::counter(seq, which) });
    }

    /// Whether nothing is expected and nothing changes.
    pub fn is_empty(&self) -> bool {
        self.batch.expect.is_empty() && self.batch.changes.is_empty()
    }

    /// Whether nothing changes.
    pub fn is_comparison(&self) -> bool {
        self.highest == 0 && self.batch.changes.is_empty()
    }

    /// What it expects, if that is all.
    pub(super) fn as_batch(&self) -> Option<&Batch> {
        self.is_comparison().then_some(&self.batch)
    }

    /// The batch for the store.
    pub fn into_batch(mut self) -> Batch {
        let highest = self.highest;
        if highest > 0 {
            let update = Box::new(move |row: Option<&Row>| {
                let given = row.and_then(|row| row.value.first_chunk().copied()).map_or(0, u64::from_be_bytes);
                if given >= highest {
                    return Updated::Keep;
                }
                let revision = row.map_or(0, |row| row.revision) + 1;
                Updated::Put(Row { revision, value: highest.to_be_bytes().to_vec() })
            });
            self.batch.changes.push(Change::Update { key: rows::SEQUENCE.into(), update });
        }
        self.batch
    }

    pub(super) fn put_chunks(
        &mut self,
        kind: Kind,
        seq: u64,
        before: Option<(Revision, u16)>,
        belongs: Belongs,
        plaintext: &Secret,
    ) -> Result<Revision, VaultError> {
        let (old_revision, old_chunks) = before.unwrap_or((0, 0));
        let revision = old_revision + 1;
        self.batch.expect.push((rows::chunk(kind, seq, 0).into(), old_revision));
        let count = self.write_chunks((kind, seq, revision), belongs, plaintext)?;
        self.delete_chunks(kind, seq, count, old_chunks);
        Ok(revision)
    }

    /// Writes a plaintext in chunks, and answers how many they are.
    fn write_chunks(
        &mut self,
        (kind, seq, revision): (Kind, u64, Revision),
        belongs: Belongs,
        plaintext: &Secret,
    ) -> Result<u16, VaultError> {
        let count = plaintext.len().div_ceil(CHUNK).max(1);
        let too_long = |_| VaultError::Seal { kind: kind.name(), why: SealError::TooLong };
        let count = u16::try_from(count).map_err(too_long)?;
        let header = Header::new(&self.keys, belongs, count);
        let mut pieces = plaintext.expose().chunks(CHUNK);
        for number in 0..count {
            let key = Key::from(rows::chunk(kind, seq, number));
            let piece = pieces.next().unwrap_or_default();
            let row = rows::seal((&self.keys, &mut self.nonces), &self.id, kind, &key, revision, &header, piece)?;
            self.batch.changes.push(Change::Put { key, row });
        }
        Ok(count)
    }

    pub(super) fn delete_chunks(&mut self, kind: Kind, seq: u64, from: u16, to: u16) {
        for number in from..to {
            self.batch.changes.push(Change::Delete { key: rows::chunk(kind, seq, number).into() });
        }
    }

    fn material_extent(&self, seq: u64) -> Result<Option<(Revision, u16)>, VaultError> {
        let Some(row) = self.store.get(&rows::chunk(Kind::Material, seq, 0))? else {
            return Ok(None);
        };
        let (header, _) = Header::decode(Kind::Material, &row.value)?;
        Ok(Some((row.revision, header.chunks)))
    }

    fn put_sealed(&mut self, kind: Kind, key: Key, revision: Revision, plaintext: &[u8]) -> Result<(), VaultError> {
        let header = Header::new(&self.keys, NOBODY, 1);
        let row = rows::seal((&self.keys, &mut self.nonces), &self.id, kind, &key, revision, &header, plaintext)?;
        self.batch.changes.push(Change::Put { key, row });
        Ok(())
    }

    pub(super) fn put_clear(&mut self, key: Key, value: &[u8]) {
        self.batch.changes.push(Change::Put { key, row: Row { revision: 1, value: value.to_vec() } });
    }
}
