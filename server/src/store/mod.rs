//! Where rows rest: the [`Store`] trait, and the stores.
//!
//! A store knows keys and values in bytes, and nothing of what they mean; `vault` seals them. Every store must pass
//! `suite`.

pub mod keyring;
pub mod memory;
pub mod root;
pub mod seal;
pub mod sled;
pub mod vault;

mod durable;
mod hot;
mod key;
mod stage;
#[cfg(test)]
mod suite;

use std::fmt;
use std::ops::ControlFlow;

pub use self::hot::Made;
pub use self::key::Key;
use crate::failure::Failure;

/// The longest value of one row, in bytes. Larger things are cut into chunks by the vault.
///
/// sled keeps up to about 20 neighbouring rows in one page, and a page of more than a quarter of a segment leaves its log for
/// a file of its own, which our sync does not cover. So it is the page that must stay small, not only the value: see
/// `sled::SEGMENT`.
pub const MAX_VALUE: usize = 16 * 1024;

/// The longest key of one row, in bytes.
pub const MAX_KEY: usize = 128;

/// A row's revision: 0 means absent, the first write makes it 1 or more.
pub type Revision = u64;

/// A stored row.
#[derive(Clone, PartialEq, Eq)]
pub struct Row {
    /// Its revision, at least 1.
    pub revision: Revision,
    /// Its value.
    pub value: Vec<u8>,
}

impl fmt::Debug for Row {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Row(revision {}, {} bytes)", self.revision, self.value.len())
    }
}

/// The answer of a [`Change::Update`]'s function.
pub enum Updated {
    /// Write this row.
    Put(Row),
    /// Leave it as it is.
    Keep,
    /// The whole batch must not happen; the text is for the log.
    Refuse(&'static str),
}

/// A function from the row as it stands, with every earlier commit and every earlier change of its own batch applied,
/// to what it becomes.
/// It may run more than once.
pub type Update = Box<dyn FnMut(Option<&Row>) -> Updated + Send>;

/// One change of a batch.
pub enum Change {
    /// Writes a row.
    Put {
        /// Where.
        key: Key,
        /// What.
        row: Row,
    },
    /// Removes a row; no error if it is absent.
    Delete {
        /// Where.
        key: Key,
    },
    /// Changes a row by what it holds at the moment of the commit: a guarded count, for which a conflict would be no use.
    Update {
        /// Where.
        key: Key,
        /// How.
        update: Update,
    },
}

/// Everything that happens together or not at all. What it expects is compared with the rows as they were before the
/// first of its changes; a batch without changes only compares.
#[derive(Default)]
pub struct Batch {
    /// What was read: keys and the revisions they must still have, 0 for absent.
    pub expect: Vec<(Key, Revision)>,
    /// What is written.
    pub changes: Vec<Change>,
}

/// Why a commit did not happen. Nothing of the batch is in the store then, but for `Broken`, where it is unknown.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum CommitError {
    /// Something that was read has changed.
    #[error("a row changed since it was read")]
    Conflict,
    /// An update refused.
    #[error("refused: {0}")]
    Refused(&'static str),
    /// A value is longer than [`MAX_VALUE`], or a key than [`MAX_KEY`].
    #[error("a key or value of {0} bytes is too long for one row")]
    TooLong(usize),
    /// The key is empty or starts with a zero byte (the store's own rows), or the revision of a row to write is 0.
    #[error("not a row that can be written")]
    Malformed,
    /// The disk failed. The store accepts no commit from now on: what is on disk is not known any more.
    #[error("the store is broken: {0}")]
    Broken(String),
}

/// Why a store cannot be opened or read.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The format on disk is of another version.
    #[error("{path} has schema version {found}; this kmipd reads version {known}")]
    Schema {
        /// The store's folder.
        path: String,
        /// What stands there.
        found: String,
        /// What we know.
        known: u32,
    },
    /// The store should hold rows and does not, or holds fewer than its checkpoint.
    #[error("{0}")]
    Lost(String),
    /// Another process has it open.
    #[error("{0} is in use by another process")]
    Locked(String),
    /// Reading or writing failed.
    #[error("{0}")]
    Io(String),
}

/// The answer of a commit, awaited: it comes after the data is on disk. A sender dropped without an answer means
/// [`CommitError::Broken`].
pub type Committed = tokio::sync::oneshot::Receiver<Result<(), CommitError>>;

/// Rows by key, in the order of keys.
pub trait Store: Send + Sync {
    /// Reads a row as the last applied commit left it.
    fn get(&self, key: &[u8]) -> Result<Option<Row>, StoreError>;

    /// The revision of a row, 0 for one that is absent: as [`Store::get`] has it, or as the commit that is being applied
    /// will leave it.
    fn revision(&self, key: &[u8]) -> Result<Revision, StoreError> {
        Ok(self.get(key)?.map_or(0, |row| row.revision))
    }

    /// What was kept with a row, if the row has not changed since.
    fn made(&self, _key: &[u8]) -> Option<Made> {
        None
    }

    /// Keeps what was made of a row of this revision, about so many bytes of memory, until the row changes or the memory is
    /// used for others. A store that keeps nothing is right too.
    fn keep(&self, _key: &[u8], _revision: Revision, _made: Made, _bytes: usize) {}

    /// The row with the greatest key that starts with `prefix`.
    fn last(&self, prefix: &[u8]) -> Result<Option<(Vec<u8>, Row)>, StoreError>;

    /// Visits the rows whose key starts with `prefix` and is greater than `after`, in the order of keys, until the
    /// visitor breaks. The visitor sees rows as they are when it comes to them, not a snapshot.
    fn scan(
        &self,
        prefix: &[u8],
        after: Option<&[u8]>,
        visit: &mut dyn FnMut(&[u8], Row) -> ControlFlow<()>,
    ) -> Result<(), StoreError>;

    /// Applies a batch, all or nothing. The receiver answers once it is durable; commits that wait share one sync.
    /// Reads may see a batch before it is durable: no answer may leave before the answer of the reader's own commit.
    /// A batch without changes is answered once everything that it could have read is durable.
    fn commit(&self, batch: Batch) -> Committed;

    /// What [`Store::commit`] would answer to a batch without changes, if that is known at once.
    fn compare(&self, _batch: &Batch) -> Option<Result<(), CommitError>> {
        None
    }

    /// Waits for all commits, syncs and lets go of the files.
    fn close(&self) -> Result<(), StoreError>;
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<CommitError> for Failure {
    fn from(error: CommitError) -> Self {
        Self::internal(error.to_string())
    }
}

impl From<vault::VaultError> for Failure {
    fn from(error: vault::VaultError) -> Self {
        Self::internal(error.to_string())
    }
}
