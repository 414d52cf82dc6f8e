//! The changes of a group of commits before they are applied: what every store does the same way.

use std::panic::{self, AssertUnwindSafe};

use foldhash::{HashMap, HashMapExt};

use super::{Batch, Change, CommitError, MAX_KEY, MAX_VALUE, Revision, Row, StoreError, Updated};

/// Rows as a group of commits leaves them, over the rows of the store; `None` is a row to remove.
#[derive(Default)]
pub(super) struct Stage {
    rows: HashMap<Vec<u8>, Option<Row>>,
    bytes: usize,
}

impl Stage {
    /// Adds a batch, or leaves everything as it was and says why. `revision` and `read` ask the store below.
    pub(super) fn add(
        &mut self,
        batch: Batch,
        revision: impl Fn(&[u8]) -> Result<Revision, StoreError>,
        read: impl Fn(&[u8]) -> Result<Option<Row>, StoreError>,
    ) -> Result<(), CommitError> {
        for (key, expected) in &batch.expect {
            let now = match self.rows.get(key) {
                Some(staged) => staged.as_ref().map_or(0, |row| row.revision),
                None => revision(key).map_err(broken)?,
            };
            if now != *expected {
                return Err(CommitError::Conflict);
            }
        }
        let mut own: HashMap<Vec<u8>, Option<Row>> = HashMap::with_capacity(batch.changes.len());
        for change in batch.changes {
            match change {
                Change::Put { key, row } => {
                    check(&key, Some(&row))?;
                    own.insert(key, Some(row));
                }
                Change::Delete { key } => {
                    check(&key, None)?;
                    own.insert(key, None);
                }
                Change::Update { key, mut update } => {
                    let stored;
                    let now = match own.get(&key).or_else(|| self.rows.get(&key)) {
                        Some(staged) => staged.as_ref(),
                        None => {
                            stored = read(&key).map_err(broken)?;
                            stored.as_ref()
                        }
                    };
                    // Its panic is the fault of this batch alone. What it leaves behind is dropped with the batch.
                    let updated = panic::catch_unwind(AssertUnwindSafe(|| update(now)));
                    match updated.unwrap_or(Updated::Refuse("an update panicked")) {
                        Updated::Put(row) => {
                            check(&key, Some(&row))?;
                            own.insert(key, Some(row));
                        }
                        Updated::Keep => {}
                        Updated::Refuse(why) => return Err(CommitError::Refused(why)),
                    }
                }
            }
        }
        self.bytes +=
            own.iter().map(|(key, row)| key.len() + row.as_ref().map_or(0, |row| row.value.len())).sum::<usize>();
        self.rows.extend(own);
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
    pub(super) fn into_rows(self) -> HashMap<Vec<u8>, Option<Row>> {
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
