//! Rows for what happens after an answer: requests that are answered later, and messages that are to be sent.

use std::ops::ControlFlow;

use super::rows::{self, Kind};
use super::{Belongs, Opened, Vault, VaultBatch, VaultError};
use crate::secret::Secret;

/// What such a row holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Later {
    /// A request that is answered later.
    Request,
    /// A message that is to be sent.
    Outgoing,
}

impl Later {
    const fn kind(self) -> Kind {
        match self {
            Self::Request => Kind::Request,
            Self::Outgoing => Kind::Outgoing,
        }
    }
}

impl Vault {
    /// Opens such a row.
    pub fn later(&self, later: Later, seq: u64) -> Result<Option<Opened>, VaultError> {
        self.read(later.kind(), seq)
    }

    /// Visits the sequences of such rows, oldest first.
    pub fn all_later(&self, later: Later, visit: &mut dyn FnMut(u64) -> ControlFlow<()>) -> Result<(), VaultError> {
        self.store.scan(&[later.kind().byte()], None, &mut |key, _| match rows::seq(key) {
            Some(seq) if rows::is_first_chunk(key) => visit(seq),
            _ => ControlFlow::Continue(()),
        })?;
        Ok(())
    }

    /// Visits the requests that need attention at `until` or before, earliest first: time and sequence.
    pub fn wakes(&self, until: u64, visit: &mut dyn FnMut(u64, u64) -> ControlFlow<()>) -> Result<(), VaultError> {
        self.timed(Kind::Wake, until, visit)
    }
}

impl VaultBatch {
    /// Writes such a row, over one that is expected as it was opened, or where there must be none.
    pub fn put_later(
        &mut self,
        later: Later,
        seq: u64,
        before: Option<&Opened>,
        belongs: Belongs,
        plaintext: &Secret,
    ) -> Result<(), VaultError> {
        if before.is_none() {
            self.highest = self.highest.max(seq);
        }
        let before = before.map(|opened| (opened.stamp.revision, opened.stamp.chunks));
        self.put_chunks(later.kind(), seq, before, belongs, plaintext).map(|_| ())
    }

    /// Removes such a row, which is expected as it was opened.
    pub fn delete_later(&mut self, later: Later, opened: &Opened) {
        self.batch.expect.push((rows::chunk(later.kind(), opened.stamp.seq, 0).into(), opened.stamp.revision));
        self.delete_chunks(later.kind(), opened.stamp.seq, 0, opened.stamp.chunks);
    }

    /// Notes that a request needs attention at a time.
    pub fn put_wake(&mut self, time: u64, seq: u64) {
        self.put_clear(rows::timed(Kind::Wake, time, seq), &[]);
    }

    /// Removes such a note.
    pub fn delete_wake(&mut self, time: u64, seq: u64) {
        self.batch.changes.push(crate::store::Change::Delete { key: rows::timed(Kind::Wake, time, seq) });
    }
}
