//! Rows by which objects are found. They are not sealed: their keys are keyed hashes, and what they say is a hint, to be
//! confirmed by the record.

use std::ops::ControlFlow;
use std::sync::atomic::Ordering;

use super::rows::{self, Header, Kind};
use super::{Hash16, Vault, VaultBatch, VaultError};
use crate::store::{Change, Key};

/// A list of sequences, the newest first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum List {
    /// What is searched for.
    Posting(Hash16),
    /// All objects of a class. Every object is in one.
    Class(Hash16),
}

impl List {
    const fn parts(&self) -> (Kind, &Hash16) {
        match self {
            Self::Posting(hash) => (Kind::Posting, hash),
            Self::Class(hash) => (Kind::Member, hash),
        }
    }
}

/// What objects are like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u8)]
pub enum Likeness {
    /// By what an object keeps for life.
    Class = 1,
    /// By what changes.
    Variant = 2,
}

/// A row of the index of objects, to be removed.
pub struct IndexRow(Key);

impl Vault {
    /// Rows of the index of objects, whatever their form: at most `most`.
    pub fn index_rows(&self, most: usize) -> Result<Vec<IndexRow>, VaultError> {
        let mut found = Vec::new();
        for kind in [Kind::Member, Kind::Likeness, Kind::Posting] {
            let mut failed = Ok(());
            self.store.scan(&[kind.byte()], None, &mut |key, _| {
                // There are postings of other things than objects.
                let is_objects = match (kind, rows::reversed_seq(key)) {
                    (Kind::Posting, Some(seq)) => self.record_revision(seq).map(|revision| revision > 0),
                    _ => Ok(true),
                };
                match is_objects {
                    Ok(true) => found.push(IndexRow(key.into())),
                    Ok(false) => {}
                    Err(error) => failed = Err(error),
                }
                if found.len() < most && failed.is_ok() { ControlFlow::Continue(()) } else { ControlFlow::Break(()) }
            })?;
            failed?;
            if found.len() >= most {
                break;
            }
        }
        Ok(found)
    }

    /// Visits the sequences of a list and what was kept with them, newest first, starting behind `after`.
    pub fn list(
        &self,
        list: &List,
        after: Option<u64>,
        visit: &mut dyn FnMut(u64, &[u8]) -> ControlFlow<()>,
    ) -> Result<(), VaultError> {
        let (kind, hash) = list.parts();
        let after = after.map(|seq| rows::reversed(kind, hash, seq));
        let mut visited = 0;
        self.store.scan(&rows::hashed(kind, hash), after.as_deref(), &mut |key, row| {
            visited += 1;
            match rows::reversed_seq(key) {
                Some(seq) => visit(seq, &row.value),
                None => ControlFlow::Continue(()),
            }
        })?;
        self.visited.fetch_add(visited, Ordering::Relaxed);
        Ok(())
    }

    /// Visits the sequences under a posting, newest first, starting behind `after`.
    pub fn postings(
        &self,
        posting: &Hash16,
        after: Option<u64>,
        visit: &mut dyn FnMut(u64) -> ControlFlow<()>,
    ) -> Result<(), VaultError> {
        self.list(&List::Posting(*posting), after, &mut |seq, _| visit(seq))
    }

    /// How many rows of lists were visited since the start.
    pub fn visited(&self) -> u64 {
        self.visited.load(Ordering::Relaxed)
    }

    /// Whether a sequence is in a posting.
    pub fn has_posting(&self, posting: &Hash16, seq: u64) -> Result<bool, VaultError> {
        Ok(self.store.revision(&rows::reversed(Kind::Posting, posting, seq))? != 0)
    }

    /// Whether it is known what the objects of a class or variant are like.
    pub fn has_likeness(&self, owner: &Hash16, which: Likeness, hash: &Hash16) -> Result<bool, VaultError> {
        Ok(self.store.revision(&rows::likeness(owner, which as u8, hash))? != 0)
    }

    /// Visits the classes or variants of an owner's objects, and the fingerprints of what each is like.
    pub fn likenesses(
        &self,
        owner: &Hash16,
        which: Likeness,
        visit: &mut dyn FnMut(Hash16, &[u8]),
    ) -> Result<(), VaultError> {
        self.store.scan(&rows::likenesses(owner, which as u8), None, &mut |key, row| {
            if let Some(hash) = key.last_chunk() {
                visit(Hash16(*hash), &row.value);
            }
            ControlFlow::Continue(())
        })?;
        Ok(())
    }

    /// The owner of a record, which is not opened; `None` if there is none, or if it does not say.
    pub fn record_owner(&self, seq: u64) -> Result<Option<Hash16>, VaultError> {
        let row = self.store.get(&rows::chunk(Kind::Record, seq, 0))?;
        let header = row.and_then(|row| Some(Header::decode(Kind::Record, &row.value).ok()?.0));
        Ok(header.map(|header| header.belongs.owner))
    }

    /// Visits what is due at `until` or before, oldest first: time and sequence.
    pub fn due(&self, until: u64, visit: &mut dyn FnMut(u64, u64) -> ControlFlow<()>) -> Result<(), VaultError> {
        self.timed(Kind::Due, until, visit)
    }

    /// Visits the rows of a kind whose key begins with a time, `until` at the most, earliest first: time and sequence.
    pub(super) fn timed(
        &self,
        kind: Kind,
        until: u64,
        visit: &mut dyn FnMut(u64, u64) -> ControlFlow<()>,
    ) -> Result<(), VaultError> {
        self.store.scan(&[kind.byte()], None, &mut |key, _| match rows::due_parts(key) {
            Some((time, seq)) if time <= until => visit(time, seq),
            Some(_) => ControlFlow::Break(()),
            None => ControlFlow::Continue(()),
        })?;
        Ok(())
    }
}

impl VaultBatch {
    /// Removes a row of the index.
    pub fn delete_index_row(&mut self, row: IndexRow) {
        self.batch.changes.push(Change::Delete { key: row.0 });
    }

    /// Adds a sequence to a posting.
    pub fn put_posting(&mut self, posting: &Hash16, seq: u64) {
        self.put_marked(posting, seq, &[]);
    }

    /// Adds a sequence to a posting, with bytes that are not sealed.
    pub fn put_marked(&mut self, posting: &Hash16, seq: u64, mark: &[u8]) {
        self.put_clear(rows::reversed(Kind::Posting, posting, seq), mark);
    }

    /// Removes a sequence from a posting.
    pub fn delete_posting(&mut self, posting: &Hash16, seq: u64) {
        self.batch.changes.push(Change::Delete { key: rows::reversed(Kind::Posting, posting, seq) });
    }

    /// Adds a sequence to its class, or changes its variant there.
    pub fn put_member(&mut self, class: &Hash16, seq: u64, variant: &Hash16) {
        self.put_clear(rows::reversed(Kind::Member, class, seq), &variant.0);
    }

    /// Removes a sequence from a class.
    pub fn delete_member(&mut self, class: &Hash16, seq: u64) {
        self.batch.changes.push(Change::Delete { key: rows::reversed(Kind::Member, class, seq) });
    }

    /// Notes what the objects of a class or variant are like: fingerprints that are not sealed. It is the same whoever
    /// notes it.
    pub fn put_likeness(&mut self, owner: &Hash16, which: Likeness, hash: &Hash16, fingerprints: &[u8]) {
        self.put_clear(rows::likeness(owner, which as u8, hash), fingerprints);
    }

    /// Notes that a sequence needs attention at a time.
    pub fn put_due(&mut self, time: u64, seq: u64) {
        self.put_clear(rows::due(time, seq), &[]);
    }

    /// Removes such a note.
    pub fn delete_due(&mut self, time: u64, seq: u64) {
        self.batch.changes.push(Change::Delete { key: rows::due(time, seq) });
    }
}
