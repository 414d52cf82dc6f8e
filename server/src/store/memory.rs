//! A store that forgets: for tests.

use std::collections::BTreeMap;
use std::ops::{Bound, ControlFlow};
use std::sync::{PoisonError, RwLock, RwLockReadGuard};

use tokio::sync::oneshot;

use super::stage::Stage;
use super::{Batch, CommitError, Committed, Row, Store, StoreError};

/// Rows in a map. A commit is answered at once; nothing outlives the process.
#[derive(Default)]
pub struct MemoryStore {
    rows: RwLock<BTreeMap<Vec<u8>, Row>>,
}

impl MemoryStore {
    /// An empty store.
    pub fn new() -> Self {
        Self::default()
    }

    fn rows(&self) -> RwLockReadGuard<'_, BTreeMap<Vec<u8>, Row>> {
        // A panic of an update's function happens before the map is touched.
        self.rows.read().unwrap_or_else(PoisonError::into_inner)
    }

    fn apply(&self, batch: Batch) -> Result<(), CommitError> {
        let mut rows = self.rows.write().unwrap_or_else(PoisonError::into_inner);
        let mut stage = Stage::default();
        let revision = |key: &[u8]| Ok(rows.get(key).map_or(0, |row| row.revision));
        stage.add(batch, revision, |key| Ok(rows.get(key).cloned()))?;
        for (key, row) in stage.into_rows() {
            match row {
                Some(row) => rows.insert(key.to_vec(), row),
                None => rows.remove(&*key),
            };
        }
        Ok(())
    }
}

impl Store for MemoryStore {
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError> {
        Ok(self.rows().get(key).cloned())
    }

    fn last(&self, prefix: &[u8]) -> Result<Option<(Vec<u8>, Row)>, StoreError> {
        let rows = self.rows();
        let last = rows.range::<[u8], _>((Bound::Included(prefix), Bound::Unbounded));
        Ok(last.take_while(|(key, _)| key.starts_with(prefix)).last().map(|(key, row)| (key.clone(), row.clone())))
    }

    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], Row) -> ControlFlow<()>,
    ) -> Result<(), StoreError> {
        let mut from = Bound::Included(prefix.to_vec());
        if let Some(after) = after.filter(|after| *after >= prefix) {
            from = Bound::Excluded(after.to_vec());
        }
        // One row at a time, so that the visitor may read and commit.
        loop {
            let next = self.rows().range((from, Bound::Unbounded)).next().map(|(key, row)| (key.clone(), row.clone()));
            match next {
                Some((key, row)) if key.starts_with(prefix) => {
                    if visit(&key, row).is_break() {
                        return Ok(());
                    }
                    from = Bound::Excluded(key);
                }
                _ => return Ok(()),
            }
        }
    }

    fn commit(&self, batch: Batch) -> Committed {
        let (answer, committed) = oneshot::channel();
        // Whoever does not wait for the answer does not want it.
        let _ = answer.send(self.apply(batch));
        committed
    }

    fn close(&self) -> Result<(), StoreError> {
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_passes_the_store_suite() {
        crate::store::suite::run(&|| Box::new(MemoryStore::new()));
    }
}
