//! The changes of a group of commits before they are applied: what every store does the same way.

use std::panic::{self, AssertUnwindSafe};

use foldhash::{HashMap, HashMapExt};

use super::{Batch, Change, CommitError, Key, MAX_KEY, MAX_VALUE, Revision, Row, StoreError, Updated};

/// Rows as a group of commits leaves them, over the rows of the store; `None` is a row to remove.
#[derive(Default)]
pub(super) struct Stage {
    rows: HashMap<Key, Option<Row>>,
    bytes: usize,
    /// Rows that the batch at hand has staged, and what was staged there before.
    undo: Vec<(Key, Option<Option<Row>>)>,
}

impl Stage {
    /// With room for so many rows.
    pub(super) fn with_capacity(rows: usize) -> Self {
        Self { rows: HashMap::with_capacity(rows), ..Self::default() }
    }

    /// Adds a batch, or leaves everything as it was and says why. `revision` and `read` ask the store below; after a panic of
    /// one of them, the stage is of no use.
    pub(super) fn add(
        &mut self,
        batch: Batch,
        revision: impl Fn(&[u8]) -> Result<Revision, StoreError>,
        read: impl Fn(&[u8]) -> Result<Option<Row>, StoreError>,
    ) -> Result<(), CommitError> {
        for (key, expected) in &batch.expect {
            let now = match self.rows.get(&**key) {
                Some(staged) => staged.as_ref().map_or(0, |row| row.revision),
                None => revision(key).map_err(broken)?,
            };
            if now != *expected {
                return Err(CommitError::Conflict);
            }
        }
        let bytes = self.bytes;
        self.undo.clear();
        let result = batch.changes.into_iter().try_for_each(|change| self.change(change, &read));
        if result.is_err() {
            for (key, before) in self.undo.drain(..).rev() {
                match before {
                    Some(row) => self.rows.insert(key, row),
                    None => self.rows.remove(&*key),
                };
            }
            self.bytes = bytes;
        }
        result
    }

    fn change(
        &mut self,
        change: Change,
        read: &impl Fn(&[u8]) -> Result<Option<Row>, StoreError>,
    ) -> Result<(), CommitError> {
        match change {
            Change::Put { key, row } => self.put(key, Some(row)),
            Change::Delete { key } => self.put(key, None),
            Change::Update { key, mut update } => {
                let stored;
                let now = match self.rows.get(&*key) {
                    Some(staged) => staged.as_ref(),
                    None => {
                        stored = read(&key).map_err(broken)?;
                        stored.as_ref()
                    }
                };
                // Its panic is the fault of this batch alone. What it leaves behind is dropped with the batch.
                let updated = panic::catch_unwind(AssertUnwindSafe(|| update(now)));
                match updated.unwrap_or(Updated::Refuse("an update panicked")) {
                    Updated::Put(row) => self.put(key, Some(row)),
                    Updated::Keep => Ok(()),
                    Updated::Refuse(why) => Err(CommitError::Refused(why)),
                }
            }
        }
    }

    fn put(&mut self, key: Key, row: Option<Row>) -> Result<(), CommitError> {
        check(&key, row.as_ref())?;
        self.bytes += key.len() + row.as_ref().map_or(0, |row| row.value.len());
        let before = self.rows.insert(key.clone(), row);
        self.undo.push((key, before));
        Ok(())
    }

    /// How many rows it would write or remove.
    pub(super) fn rows(&self) -> usize {
        self.rows.len()
    }

    /// About how many bytes it would write.
    pub(super) fn bytes(&self) -> usize {
        self.bytes
    }

    /// The rows, to be applied, in no order.
    pub(super) fn into_rows(self) -> HashMap<Key, Option<Row>> {
        self.rows
    }
}

fn check(key: &[u8], row: Option<&Row>) -> Result<(), CommitError> {
    if key.first().is_none_or(|first| *first == 0) || row.is_some_and(|row| row.revision == 0) {
        return Err(CommitError::Malformed);
    }
    if key.len() > MAX_KEY {
        return Err(CommitError::TooLong(key.len()));
    }
    match row {
        Some(row) if row.value.len() > MAX_VALUE => Err(CommitError::TooLong(row.value.len())),
        _ => Ok(()),
    }
}

fn broken(error: StoreError) -> CommitError {
    CommitError::Broken(error.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn put(key: &[u8], revision: Revision) -> Change {
        Change::Put { key: key.into(), row: Row { revision, value: b"value".to_vec() } }
    }

    /// What comes after a batch that was refused must not see any of it, nor what it did to earlier ones of the group.
    #[test]
    fn a_batch_that_is_refused_leaves_the_group_as_it_was() {
        let mut stage = Stage::with_capacity(1);
        let mut add = |changes: Vec<Change>| {
            let result = stage.add(Batch { expect: vec![], changes }, |_| Ok(0), |_| Ok(None));
            let rows = stage.rows.iter().map(|(key, row)| (key.to_vec(), row.as_ref().map(|row| row.revision)));
            let mut rows: Vec<_> = rows.collect();
            rows.sort();
            (result, rows, stage.bytes())
        };
        let (a, b) = ((b"a".to_vec(), Some(1)), (b"b".to_vec(), Some(1)));
        let one = add(vec![put(b"a", 1), put(b"b", 1)]);
        assert_eq!(one, (Ok(()), vec![a.clone(), b.clone()], 12));
        let refuse = || Change::Update { key: b"a".into(), update: Box::new(|_| Updated::Refuse("no")) };
        let update =
            Change::Update { key: b"c".into(), update: Box::new(|_| Updated::Put(Row { revision: 5, value: vec![] })) };
        let changes = vec![put(b"a", 2), put(b"a", 3), Change::Delete { key: b"b".into() }, update, refuse()];
        assert_eq!(add(changes), (Err(CommitError::Refused("no")), vec![a.clone(), b.clone()], 12));
        assert_eq!(add(vec![put(b"a", 2), put(b"", 1)]), (Err(CommitError::Malformed), vec![a.clone(), b], 12));
        let gone = add(vec![Change::Delete { key: b"b".into() }]);
        assert_eq!(gone, (Ok(()), vec![a, (b"b".to_vec(), None)], 13));
    }
}
